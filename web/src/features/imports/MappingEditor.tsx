/* SPDX-License-Identifier: Apache-2.0 */
/* MappingEditor: what each column is, as rows to fill in or as the JSON behind them. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { AutoComplete, Button, Input, Select, Tooltip } from 'antd';
import { useEffect, useState, type ReactNode } from 'react';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { Chips } from '@/ui/Controls';
import { useIdentifierName } from '@/ui/Marks';
import {
  columnNames, eventsOf, fieldsOf, identifiersOf, isObject, withEvents, withFields, withIdentifiers, type EventRow, type FieldRow, type FieldsKey, type IdentifierRow, type Mapping,
} from './mapping';
import { importTexts } from './texts';

interface MappingEditorProps { mapping: Mapping; columns: readonly string[]; onChange: (mapping: Mapping) => void }

export function MappingEditor({ mapping, columns, onChange }: MappingEditorProps) {
  const t = useText(importTexts).map;
  const [way, setWay] = useState<'form' | 'json'>('form');
  const kind = mapping.kind ?? 'events';
  return (
    <div className="stack">
      <div className="row wrap" style={{ gap: 12 }}>
        <Chips label={t.title} value={way} onChange={setWay} choices={[{ value: 'form', label: t.form }, { value: 'json', label: t.json }]} />
        <span className="small faint">{t.columnsHint}</span>
      </div>
      {way === 'json' ? <JsonText mapping={mapping} onChange={onChange} /> : (
        <>
          <label className="row" style={{ gap: 8 }}><span>{t.kind}</span>
            <Select style={{ width: 230 }} value={kind} onChange={(value: string) => onChange({ ...mapping, kind: value })} options={Object.entries(t.kinds).map(([value, label]) => ({ value, label }))} />
          </label>
          {kind !== 'objects' && <Identifiers mapping={mapping} columns={columns} onChange={onChange} />}
          {kind === 'events' && <Events mapping={mapping} columns={columns} onChange={onChange} />}
          <Fields field={kind === 'events' ? 'properties' : 'traits'} title={kind === 'customers' ? t.traits : t.properties} mapping={mapping} columns={columns} onChange={onChange} />
          {kind === 'events' && fieldsOf(mapping, 'traits').length > 0 && <Fields field="traits" title={t.traits} mapping={mapping} columns={columns} onChange={onChange} />}
        </>
      )}
    </div>
  );
}

function JsonText({ mapping, onChange }: { mapping: Mapping; onChange: (mapping: Mapping) => void }) {
  const t = useText(importTexts).map;
  const [text, setText] = useState(() => JSON.stringify(mapping, null, 2));
  const [bad, setBad] = useState('');
  const take = (typed: string): void => {
    setText(typed);
    try {
      const parsed: unknown = JSON.parse(typed);
      if (!isObject(parsed)) throw new Error('{ … }');
      setBad('');
      onChange(parsed);
    } catch (error) {
      setBad(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div>
      <Input.TextArea aria-label={t.json} className="mono" spellCheck={false} autoSize={{ minRows: 14, maxRows: 30 }} value={text} onChange={(event) => take(event.target.value)} status={bad === '' ? '' : 'error'} />
      {bad !== '' && <p className="small negative" role="alert">{t.jsonBad}{bad}</p>}
    </div>
  );
}

/* An expression; columns are offered by name. */
function Expression({ value, columns, label, width, onChange }: { value: string; columns: readonly string[]; label: string; width?: number; onChange: (value: string) => void }) {
  return (
    <AutoComplete
      className="mono" style={width === undefined ? { flex: 1, minWidth: 160 } : { width }} value={value} onChange={onChange} aria-label={label} placeholder="[…]"
      options={columns.map((name) => ({ value: `[${name}]` }))} showSearch={{ filterOption: (typed, option) => option?.value.toLowerCase().includes(typed.replace(/[[\]]/g, '').toLowerCase()) === true }}
    />
  );
}

function Section({ title, hint, add, onAdd, children }: { title: string; hint?: string; add: string; onAdd: () => void; children: ReactNode }) {
  return (
    <section>
      <h3 className="detail-head">{title} {hint !== undefined && <span className="faint">{hint}</span>}</h3>
      <div className="stack" style={{ gap: 6 }}>{children}</div>
      <Button size="small" type="dashed" icon={<PlusOutlined />} style={{ marginTop: 8 }} onClick={onAdd}>{add}</Button>
    </section>
  );
}

function RemoveButton({ what, onClick }: { what: string; onClick: () => void }) {
  const t = useText(importTexts).map;
  return <Button type="text" icon={<DeleteOutlined />} aria-label={`${t.remove} ${what}`} onClick={onClick} />;
}

const replaced = <T,>(rows: readonly T[], at: number, part: Partial<T>): T[] => rows.map((row, index) => (index === at ? { ...row, ...part } : row));
const without = <T,>(rows: readonly T[], at: number): T[] => rows.filter((_, index) => index !== at);

/* Rows are the editor's own while they are typed: one without a name is not part of the mapping yet. */
function useRows<T>(read: () => T[], key: string): [T[], (rows: T[]) => void] {
  const [rows, setRows] = useState(read);
  useEffect(() => setRows(read()), [key]);
  return [rows, setRows];
}

function Identifiers({ mapping, columns, onChange }: MappingEditorProps) {
  const t = useText(importTexts).map;
  const name = useIdentifierName();
  const types = useQuery(queries.identityTypes());
  const rows = identifiersOf(mapping);
  const put = (next: IdentifierRow[]): void => onChange(withIdentifiers(mapping, next));
  const names = columnNames(mapping, columns);
  return (
    <Section title={t.identifiers} hint={t.identifiersHint} add={t.addIdentifier} onAdd={() => put([...rows, { type: 'mobile', namespace: '', value: '' }])}>
      {rows.map((row, at) => (
        <div key={at} className="row wrap" style={{ gap: 8 }}>
          <Select aria-label={t.type} style={{ width: 190 }} showSearch={{ optionFilterProp: 'label' }} value={row.type} onChange={(type: string) => put(replaced(rows, at, { type }))} options={(types.data?.items ?? []).map((type) => ({ value: type.name, label: name(type.name) }))} />
          <Input aria-label={t.namespace} className="mono" style={{ width: 130 }} placeholder={t.namespace} value={row.namespace} onChange={(event) => put(replaced(rows, at, { namespace: event.target.value }))} />
          <Expression label={t.value} columns={names} value={row.value} onChange={(value) => put(replaced(rows, at, { value }))} />
          <RemoveButton what={name(row.type)} onClick={() => put(without(rows, at))} />
        </div>
      ))}
    </Section>
  );
}

function Events({ mapping, columns, onChange }: MappingEditorProps) {
  const t = useText(importTexts).map;
  const plan = useQuery(queries.planEvents());
  const rows = eventsOf(mapping);
  const put = (next: EventRow[]): void => onChange(withEvents(mapping, next));
  const names = columnNames(mapping, columns);
  return (
    <Section title={t.events} add={t.addEvent} onAdd={() => put([...rows, { event: '', when: '', time: '', more: {} }])}>
      {rows.map((row, at) => (
        <div key={at} className="row wrap" style={{ gap: 8 }}>
          <AutoComplete aria-label={t.event} style={{ width: 190 }} placeholder={t.event} value={row.event} onChange={(event: string) => put(replaced(rows, at, { event }))} options={(plan.data?.items ?? []).map((one) => ({ value: one.name }))} showSearch={{ filterOption: (typed, option) => option?.value.toLowerCase().includes(typed.toLowerCase()) === true }} />
          <Input aria-label={t.when} className="mono" style={{ flex: 1, minWidth: 200 }} placeholder={t.when} value={row.when} onChange={(event) => put(replaced(rows, at, { when: event.target.value }))} />
          <Expression label={t.time} columns={names} width={240} value={row.time} onChange={(time) => put(replaced(rows, at, { time }))} />
          <RemoveButton what={row.event} onClick={() => put(without(rows, at))} />
        </div>
      ))}
    </Section>
  );
}

function Fields({ field, title, mapping, columns, onChange }: MappingEditorProps & { field: FieldsKey; title: string }) {
  const t = useText(importTexts).map;
  const read = (): FieldRow[] => fieldsOf(mapping, field);
  const shown = JSON.stringify(mapping[field] ?? {});
  const [rows, setRows] = useRows(read, shown);
  const put = (next: FieldRow[]): void => {
    setRows(next);
    const changed = withFields(mapping, field, next);
    if (JSON.stringify(changed[field]) !== shown) onChange(changed);
  };
  const names = columnNames(mapping, columns);
  return (
    <Section title={title} add={t.addField} onAdd={() => setRows([...rows, { name: '', expression: '', more: {} }])}>
      {rows.map((row, at) => (
        <div key={at} className="row wrap" style={{ gap: 8 }}>
          <Input aria-label={t.field} className="mono" style={{ width: 190 }} placeholder={t.field} defaultValue={row.name} onBlur={(event) => put(replaced(rows, at, { name: event.target.value.trim() }))} />
          <Expression label={`${t.expression} ${row.name}`} columns={names} value={row.expression} onChange={(expression) => put(replaced(rows, at, { expression }))} />
          {Object.keys(row.more).length > 0 && <Tooltip title={t.more}><span className="mono faint small cut" style={{ maxWidth: 180 }}>{JSON.stringify(row.more)}</span></Tooltip>}
          <RemoveButton what={row.name} onClick={() => put(without(rows, at))} />
        </div>
      ))}
    </Section>
  );
}
