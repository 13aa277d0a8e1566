/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: a list of the policy as a table whose cells are edited in place; what the server refuses stands at its row. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Checkbox, Input, InputNumber, Select } from 'antd';
import type { ReactNode } from 'react';
import { useText } from '@/app/preferences';
import { ActionButton } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { QuietHead } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { fresh, numberIn, periodOf, rowsOf, textIn, withMember, withPeriod, withRow, type List, type Policy, type Row } from './policy';
import { policyTexts } from './texts';

interface Choice {
  value: string;
  label: string;
}

/* What rows name: channels, purposes, brands, journeys, campaigns. */
export type Names = Readonly<Record<'channel' | 'purpose' | 'brand' | 'journey' | 'campaign', readonly Choice[]>>;

interface RowsProps {
  list: List;
  policy: Policy;
  names: Names;
  reason: string | null;
  problems: ReadonlyMap<number, string>;
  onChange: (policy: Policy) => void;
}

interface CellProps {
  row: Row;
  names: Names;
  disabled: boolean;
  label: (column: string) => string;
  change: (name: string, value: unknown) => void;
  put: (row: Row) => void;
}

interface Column {
  title: string;
  width: number;
  cell: (props: CellProps) => ReactNode;
}

export function Rows({ list, policy, names, reason, problems, onChange }: RowsProps) {
  const t = useText(policyTexts);
  const rows = rowsOf(policy, list);
  const columns = useColumns()[list];
  const cellProps = (row: Row, at: number): CellProps => ({
    row, names, disabled: reason !== null, label: (column) => `${t.lists[list]} ${at + 1}: ${column}`,
    change: (name, value) => onChange(withRow(policy, list, at, withMember(row, name, value))),
    put: (next) => onChange(withRow(policy, list, at, next)),
  });
  return (
    <Panel flush title={t.lists[list]} note={t.hints[list]} tools={<ActionButton size="small" icon={<PlusOutlined />} reason={reason} onClick={() => onChange(withRow(policy, list, rows.length, fresh[list]))}>{t.add[list]}</ActionButton>}>
      {rows.length === 0 ? <p className="faint" style={{ padding: '0 16px 16px' }}>{t.empty[list]}</p> : (
        <DataTable<{ row: Row; at: number }>
          rowKey="at" dataSource={rows.map((row, at) => ({ row, at }))} rowClassName={({ at }) => (problems.has(at) ? 'policy-wrong' : '')}
          columns={[
            ...columns.map((column) => ({ key: column.title, title: column.title, width: column.width, render: (_: unknown, { row, at }: { row: Row; at: number }) => column.cell(cellProps(row, at)) })),
            {
              key: 'do', title: <QuietHead>{t.remove}</QuietHead>, width: 60, align: 'right' as const,
              render: (_: unknown, { at }: { at: number }) => <span>{problems.has(at) && <span role="alert" className="policy-problem">{problems.get(at)}</span>}<ActionButton type="text" size="small" reason={reason} icon={<DeleteOutlined />} aria-label={`${t.remove}: ${t.lists[list]} ${at + 1}`} onClick={() => onChange(withRow(policy, list, at, null))} /></span>,
            },
          ]}
        />
      )}
    </Panel>
  );
}

const choicesOf = (words: Readonly<Record<string, string>>): Choice[] => Object.entries(words).map(([value, label]) => ({ value, label }));

function useColumns(): Readonly<Record<List, Column[]>> {
  const t = useText(policyTexts);
  const text = (name: string, title: string, width: number): Column => ({ title, width, cell: ({ row, disabled, label, change }) => <Input disabled={disabled} aria-label={label(title)} value={textIn(row, name)} maxLength={80} onChange={(event) => change(name, event.target.value)} /> });
  const choice = (name: string, title: string, width: number, words: Readonly<Record<string, string>>, otherwise: string): Column => ({
    title, width, cell: ({ row, disabled, label, change }) => <Select disabled={disabled} aria-label={label(title)} value={textIn(row, name) || otherwise} options={choicesOf(words)} style={{ width: '100%' }} onChange={(value: string) => change(name, value)} />,
  });
  const named = (name: keyof Names, title: string, width: number, none: string): Column => ({
    title, width, cell: ({ row, names, disabled, label, change }) => <Named label={label(title)} disabled={disabled} choices={names[name]} none={none} value={textIn(row, name)} onChange={(value) => change(name, value)} />,
  });
  const time = (name: string, title: string): Column => ({ title, width: 92, cell: ({ row, disabled, label, change }) => <Input disabled={disabled} aria-label={label(title)} value={textIn(row, name)} placeholder="22:00" maxLength={5} className="tabular" onChange={(event) => change(name, event.target.value)} /> });
  const over = choice('over', t.over, 104, t.overs, 'drop');
  return {
    frequency: [
      text('name', t.name, 170),
      { title: t.per, width: 130, cell: ({ row, disabled, label, put }) => <Select disabled={disabled} aria-label={label(t.per)} value={textIn(row, 'per') || 'all'} options={choicesOf(t.pers)} style={{ width: '100%' }} onChange={(per: string) => put(withMember({ ...row, per }, 'value', undefined))} /> },
      { title: t.value, width: 140, cell: ({ row, names, disabled, label, change }) => (textIn(row, 'per') === '' || textIn(row, 'per') === 'all' ? <span className="faint">—</span> : <Named label={label(t.value)} disabled={disabled} none={t.each} choices={names[textIn(row, 'per') as keyof Names]} value={textIn(row, 'value')} onChange={(value) => change('value', value)} />) },
      { title: t.max, width: 84, cell: ({ row, disabled, label, change }) => (row['max'] === 'days_in_month' ? <span className="mono small">days_in_month</span> : <InputNumber disabled={disabled} aria-label={label(t.max)} min={0} max={1_000_000} precision={0} value={numberIn(row, 'max')} style={{ width: '100%' }} onChange={(value) => change('max', value ?? 0)} />) },
      { title: t.period, width: 240, cell: (props) => <Period {...props} /> },
      over,
      choice('zone', t.zone, 120, t.zones, 'workspace'),
    ],
    quiet_hours: [named('channel', t.channel, 150, t.every), named('purpose', t.purposeOf, 130, t.every), time('from', t.from), time('to', t.to), over, choice('zone', t.zone, 120, t.zones, 'customer'),
      { title: t.transactional, width: 130, cell: ({ row, disabled, label, change }) => <Checkbox disabled={disabled} aria-label={label(t.transactional)} checked={row['transactional'] === true} onChange={(event) => change('transactional', event.target.checked ? true : undefined)} /> }],
    budgets: [text('name', t.name, 170), named('journey', t.journey, 180, t.every), named('campaign', t.campaign, 150, t.every),
      { title: t.amount, width: 140, cell: ({ row, disabled, label, change }) => <InputNumber disabled={disabled} aria-label={label(t.amount)} min={0} precision={2} value={(numberIn(row, 'amount') ?? 0) / 100} style={{ width: '100%' }} onChange={(value) => change('amount', Math.round((value ?? 0) * 100))} /> },
      choice('per', t.period, 110, t.budgetPers, 'total'), over],
    consent: [named('purpose', t.purposeOf, 220, ''), choice('needs', t.needs, 160, t.needsOf, 'granted')],
  };
}

/* One of what there is; where nothing is known of what there is, it is typed. None is what the words say. */
function Named({ label, value, choices, none, disabled, onChange }: { label: string; value: string; choices: readonly Choice[]; none: string; disabled: boolean; onChange: (value: string) => void }) {
  if (choices.length === 0) return <Input aria-label={label} disabled={disabled} value={value} placeholder={none} maxLength={80} onChange={(event) => onChange(event.target.value)} />;
  const options = value === '' || choices.some((one) => one.value === value) ? choices : [{ value, label: value }, ...choices];
  return (
    <Select
      aria-label={label} disabled={disabled} value={value === '' ? null : value} placeholder={none} allowClear options={[...options]} style={{ width: '100%' }}
      showSearch={{ optionFilterProp: 'label' }} onChange={(next?: string | null) => onChange(next ?? '')}
    />
  );
}

function Period({ row, disabled, label, put, change }: CellProps) {
  const t = useText(policyTexts);
  const { calendar, days } = periodOf(row);
  const isOther = calendar === '' && days === null;
  return (
    <span className="row" style={{ gap: 6 }}>
      <Select disabled={disabled} aria-label={label(t.period)} value={calendar === '' ? 'window' : calendar} options={choicesOf(t.periods)} style={{ width: 132 }} onChange={(next: string) => put(withPeriod(row, next === 'window' ? '' : next, days))} />
      {calendar === '' && (isOther
        ? <Input disabled={disabled} aria-label={label(t.days)} value={textIn(row, 'window')} style={{ width: 76 }} onChange={(event) => change('window', event.target.value)} />
        : <InputNumber disabled={disabled} aria-label={label(t.days)} min={1} max={400} precision={0} value={days} suffix={t.days} style={{ width: 88 }} onChange={(value) => put(withPeriod(row, '', value))} />)}
    </span>
  );
}

