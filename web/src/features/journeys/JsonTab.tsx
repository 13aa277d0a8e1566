/* SPDX-License-Identifier: Apache-2.0 */
/* JsonTab: the draft as its JSON, both ways: what is typed takes effect when it parses. */
import { Input } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useText } from '@/app/preferences';
import { CopyButton, useRightReason } from '@/ui/Controls';
import { Panel } from '@/ui/Page';
import { definitionOf, isValue } from './model';
import { journeyTexts } from './texts';
import type { DraftHandle } from './useDraft';

export function JsonTab({ draft }: { draft: DraftHandle }) {
  const t = useText(journeyTexts);
  const noRole = useRightReason('journey.change');
  const [text, setText] = useState(() => JSON.stringify(draft.definition, null, 2));
  const [wrong, setWrong] = useState('');
  const typed = useRef(JSON.stringify(draft.definition));
  useEffect(() => {
    if (JSON.stringify(draft.definition) === typed.current) return;
    typed.current = JSON.stringify(draft.definition);
    setText(JSON.stringify(draft.definition, null, 2));
    setWrong('');
  }, [draft.definition]);
  const change = (next: string): void => {
    setText(next);
    try {
      const value: unknown = JSON.parse(next);
      if (!isValue(value)) return setWrong(t.jsonShape);
      setWrong('');
      const definition = definitionOf(value);
      typed.current = JSON.stringify(definition);
      draft.change(definition);
    } catch (error) {
      setWrong(t.jsonWrong(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <Panel title="JSON" note={noRole ?? t.jsonHint} tools={<CopyButton text={text} />}>
      <div className="stack" style={{ gap: 8 }}>
        <Input.TextArea className="mono" aria-label="JSON" value={text} readOnly={noRole !== null} status={wrong === '' ? '' : 'error'} spellCheck={false} autoSize={{ minRows: 16, maxRows: 34 }} onChange={(event) => change(event.target.value)} />
        {wrong !== '' && <p role="alert" style={{ color: 'var(--bad)' }}>{wrong}</p>}
      </div>
    </Panel>
  );
}
