/* SPDX-License-Identifier: Apache-2.0 */
/* Json and Code: text for machines, readable for people, with copying. */
import { Fragment, useMemo, useState } from 'react';
import { Button } from 'antd';
import { PicRightOutlined } from '@ant-design/icons';
import { jsonTokens, prettyJson } from '@/lib/json';
import { CopyButton } from './Controls';

export function Json({ value, height }: { value: unknown; height?: number | string }) {
  const text = useMemo(() => prettyJson(value), [value]);
  const tokens = useMemo(() => jsonTokens(text), [text]);
  const [wrapping, setWrapping] = useState(true);
  return (
    <div className="code-box">
      <div className="code-tools row" style={{ gap: 0 }}>
        <Button size="small" type="text" aria-pressed={wrapping} aria-label="wrap lines" icon={<PicRightOutlined />} onClick={() => setWrapping(!wrapping)} />
        <CopyButton text={text} />
      </div>
      <pre className={`json mono ${wrapping ? 'wrapping' : ''}`} style={height === undefined ? undefined : { maxHeight: height }} tabIndex={0}>
        {tokens.map((token, at) => (token.kind === '' ? <Fragment key={at}>{token.text}</Fragment> : <span key={at} className={token.kind}>{token.text}</span>))}
      </pre>
    </div>
  );
}

export function Code({ text }: { text: string }) {
  return (
    <div className="code-box">
      <div className="code-tools"><CopyButton text={text} /></div>
      <pre className="json mono" tabIndex={0} style={{ paddingRight: 44 }}>{text}</pre>
    </div>
  );
}
