/* SPDX-License-Identifier: Apache-2.0 */
/* FileForm: how the file is read: format, encoding, separator, header; and its first rows, to see that it is right. */
import { Button, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useText } from '@/app/preferences';
import { wordFor } from '@/lib/text';
import { DataTable } from '@/ui/DataTable';
import type { Json } from './mapping';
import { importTexts } from './texts';

export interface Detected {
  name: string;
  size_bytes: number;
  form: Json;
  columns: string[];
  sample: string[][];
  mapping: Json | null;
  preset: string;
  score: number;
}

interface FileFormProps { detected: Detected; isReading: boolean; onReadAgain: (form: Json) => void }

export function FileForm({ detected, isReading, onReadAgain }: FileFormProps) {
  const t = useText(importTexts).form;
  const [form, setForm] = useState<Json>(detected.form);
  const isCsv = form['format'] === 'csv';
  const change = (part: Json): void => setForm({ ...form, ...part });
  const isChanged = JSON.stringify(form) !== JSON.stringify(detected.form);
  const separators = [{ value: ',', label: `${t.comma} ,` }, { value: '\t', label: t.tab }, { value: ';', label: `${t.semicolon} ;` }, { value: '|', label: `${t.pipe} |` }];
  return (
    <div className="stack">
      <div className="filters" style={{ alignItems: 'flex-end' }}>
        <label className="field"><span>{t.format}</span><Select style={{ width: 140 }} value={String(form['format'] ?? '')} onChange={(format: string) => change({ format })} options={Object.entries(t.formats).map(([value, label]) => ({ value, label }))} /></label>
        {isCsv && <label className="field"><span>{t.encoding}</span><Select style={{ width: 140 }} value={String(form['encoding'] ?? '')} onChange={(encoding: string) => change({ encoding })} options={['utf-8', 'gb18030', 'utf-16le', 'utf-16be', 'windows-1252'].map((value) => ({ value, label: value.toUpperCase() }))} /></label>}
        {isCsv && <label className="field"><span>{t.separator}</span><Select style={{ width: 120 }} value={String(form['separator'] ?? '')} onChange={(separator: string) => change({ separator })} options={separators} /></label>}
        {form['format'] === 'xlsx' && <label className="field"><span>{t.sheet}</span><InputNumber min={0} style={{ width: 90 }} value={Number(form['sheet'] ?? 0)} onChange={(sheet) => change({ sheet: sheet ?? 0 })} /></label>}
        {(isCsv || form['format'] === 'xlsx') && <label className="field"><span>{t.header}</span><InputNumber min={0} max={100} style={{ width: 110 }} value={Number(form['header_row'] ?? 1)} onChange={(row) => change({ header_row: row ?? 0 })} /></label>}
        <span className="small faint" style={{ paddingBottom: 6 }}>{t.packing}: {wordFor(t.packings, String(form['packing'] ?? 'plain'))}</span>
        <span className="grow" />
        <Button disabled={!isChanged} loading={isReading} onClick={() => onReadAgain(form)}>{t.again}</Button>
      </div>
      <section>
        <h3 className="detail-head">{t.sample} <span className="faint">{t.columns(detected.columns.length)}</span></h3>
        {detected.sample.length === 0 ? <p className="faint">{t.none}</p> : (
          <DataTable<string[]>
            rowKey={(row) => row.join('\u0001')} dataSource={detected.sample.slice(0, 8)}
            columns={detected.columns.map((name, at) => ({ key: `${at}`, title: <span className="mono">{name}</span>, render: (_, row: string[]) => <span className="cut" style={{ display: 'block', maxWidth: 220 }} title={row[at]}>{row[at]}</span> }))}
          />
        )}
      </section>
    </div>
  );
}
