/* SPDX-License-Identifier: Apache-2.0 */
/* Meta: name, key, folder, owner and description of a definition. */
import { AutoComplete, Input } from 'antd';
import { useText } from '@/app/preferences';
import { Panel } from '@/ui/Page';
import { foldersOf, keyFrom, keyPattern, type Definition, type Meta } from './audience';
import { audienceTexts } from './texts';

interface MetaFormProps {
  meta: Meta;
  isNew: boolean;
  others: readonly Definition[];
  prefix: string;
  onChange: (meta: Meta) => void;
}

export function metaProblem(meta: Meta, isNew: boolean, others: readonly Definition[], t: { noName: string; badKey: string; keyTaken: string }): string | null {
  if (meta.name.trim() === '') return t.noName;
  if (!keyPattern.test(meta.key)) return t.badKey;
  if (isNew && others.some((one) => one.key === meta.key)) return t.keyTaken;
  return null;
}

export function MetaForm({ meta, isNew, others, prefix, onChange }: MetaFormProps) {
  const t = useText(audienceTexts);
  const taken = new Set(others.map((one) => one.key));
  /* the key follows the name until somebody writes one */
  const follows = isNew && (meta.key === '' || meta.key === keyFrom(meta.name, taken, prefix));
  const isTaken = isNew && taken.has(meta.key);
  const isBad = meta.key !== '' && !keyPattern.test(meta.key);
  return (
    <Panel>
      <div className="meta-grid">
        <label className="field"><span>{t.name}</span><Input value={meta.name} maxLength={200} onChange={(event) => onChange({ ...meta, name: event.target.value, key: follows ? keyFrom(event.target.value, taken, prefix) : meta.key })} /></label>
        <label className="field">
          <span>{t.key}</span>
          <Input className="mono" value={meta.key} disabled={!isNew} maxLength={100} status={isTaken || isBad ? 'error' : ''} title={t.keyHint} onChange={(event) => onChange({ ...meta, key: event.target.value })} />
          {(isTaken || isBad) && <span className="said" role="alert">{isTaken ? t.keyTaken : t.badKey}</span>}
        </label>
        <label className="field">
          <span>{t.folder}</span>
          <AutoComplete value={meta.folder} options={foldersOf(others).map((one) => ({ value: one.path }))} onChange={(folder: string) => onChange({ ...meta, folder })} showSearch={{ filterOption: (typed, option) => option?.value.includes(typed) === true }} />
        </label>
        <label className="field">
          <span>{t.owner}</span>
          <AutoComplete value={meta.owner} options={[...new Set(others.map((one) => one.owner).filter((one) => one !== ''))].map((value) => ({ value }))} onChange={(owner: string) => onChange({ ...meta, owner })} showSearch={{ filterOption: (typed, option) => option?.value.includes(typed) === true }} />
        </label>
        <label className="field wide"><span>{t.description}</span><Input.TextArea value={meta.description} maxLength={2000} autoSize={{ minRows: 1, maxRows: 5 }} placeholder={t.descriptionHint} onChange={(event) => onChange({ ...meta, description: event.target.value })} /></label>
      </div>
    </Panel>
  );
}
