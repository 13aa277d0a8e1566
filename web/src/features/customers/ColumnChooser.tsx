/* SPDX-License-Identifier: Apache-2.0 */
/* ColumnChooser: which columns a list of customers has: the usual ones, any trait, any tag, found by typing. */
import { CloseOutlined, SettingOutlined } from '@ant-design/icons';
import { Button, Checkbox, Popover, Select } from 'antd';
import { useText } from '@/app/preferences';
import { words } from '@/lib/words';
import { baseColumns, columnsMax, writeColumn, type Column } from './columns';
import { customersTexts } from './texts';

export interface Choice { key: string; name: string; folder?: string }

interface ColumnChooserProps {
  columns: readonly Column[];
  traits: readonly Choice[];
  tags: readonly Choice[];
  label: (column: Column) => string;
  onChange: (columns: Column[]) => void;
}

export function ColumnChooser({ columns, traits, tags, label, onChange }: ColumnChooserProps) {
  const t = useText(customersTexts);
  const common = useText(words);
  const has = (name: string): boolean => columns.some((one) => writeColumn(one) === name);
  const toggle = (column: Column, isShown: boolean): void => onChange(isShown ? [...columns, column].slice(0, columnsMax) : columns.filter((one) => writeColumn(one) !== writeColumn(column)));
  const more = columns.filter((one) => one.kind !== 'base');
  const adder = (kind: 'trait' | 'tag', choices: readonly Choice[], name: string) => (
    <Select<string>
      aria-label={name} value={null} placeholder={name} style={{ width: '100%' }} disabled={columns.length >= columnsMax} popupMatchSelectWidth={300}
      showSearch={{ optionFilterProp: 'search' }} onChange={(key) => toggle({ kind, key }, true)}
      options={choices.filter((one) => !has(`${kind}.${one.key}`)).map((one) => ({ value: one.key, label: one.name, search: `${one.name} ${one.key} ${one.folder ?? ''}` }))}
    />
  );
  return (
    <Popover
      trigger="click" placement="bottomRight"
      content={
        <div className="stack" style={{ gap: 8, width: 260 }}>
          <div className="columns-usual">{baseColumns.map((key) => <Checkbox key={key} checked={has(key)} onChange={(event) => toggle({ kind: 'base', key }, event.target.checked)}>{t[key]}</Checkbox>)}</div>
          {adder('trait', traits, t.addTrait)}
          {adder('tag', tags, t.addTag)}
          {more.length > 0 && (
            <ul className="columns-more">
              {more.map((one) => (
                <li key={writeColumn(one)} className="row between">
                  <span className="cut"><span className="faint small">{one.kind === 'trait' ? t.trait : t.tag}</span> {label(one)}</span>
                  <Button type="text" size="small" icon={<CloseOutlined />} aria-label={t.without(label(one))} onClick={() => toggle(one, false)} />
                </li>
              ))}
            </ul>
          )}
        </div>
      }
    >
      <Button icon={<SettingOutlined />}>{common.action.columns}</Button>
    </Popover>
  );
}
