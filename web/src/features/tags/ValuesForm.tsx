/* SPDX-License-Identifier: Apache-2.0 */
/* ValuesForm: named values, each with its rule: of a tag by rules (the first that fits counts), and of stages (the last does). */
import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, DownOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Input } from 'antd';
import { useState } from 'react';
import { useText } from '@/app/preferences';
import { isObject, type JsonObject } from '@/features/rules/model';
import { RuleEditor, RuleSentence } from '@/features/rules/RuleEditor';
import { listOf, movedBy, textOf, withMember } from './tag';
import { tagTexts } from './texts';

interface ValuesFormProps {
  core: JsonObject;
  member: 'values' | 'stages';
  onChange: (core: JsonObject) => void;
  error: unknown;
  /* the value that is open, chosen in the diagram */
  opened: number | null;
  onOpen: (at: number | null) => void;
}

export function ValuesForm({ core, member, onChange, error, opened, onOpen }: ValuesFormProps) {
  const t = useText(tagTexts);
  const list = listOf(core, member);
  const put = (next: readonly JsonObject[]): void => onChange({ ...core, [member]: [...next] });
  const add = (): void => {
    put([...list, { value: '', rule: { all: [] } }]);
    onOpen(list.length);
  };
  return (
    <div className="card-list">
      <p className="small faint">{member === 'values' ? t.order : t.stageOrder}</p>
      {list.map((one, at) => (
        <ValueCard
          key={at} one={one} at={at} count={list.length} isOpen={opened === at} prefix={`/${member}/${at}/rule`} error={error} label={member === 'values' ? t.valueName : t.stages}
          onOpen={(open) => onOpen(open ? at : null)} onChange={(next) => put(list.map((before, index) => (index === at ? next : before)))}
          onMove={(step) => {
            put(movedBy(list, at, step));
            if (opened === at) onOpen(at + step);
          }}
          onRemove={() => {
            put(list.filter((_, index) => index !== at));
            onOpen(null);
          }}
        />
      ))}
      <div><Button type="dashed" icon={<PlusOutlined />} onClick={add}>{member === 'values' ? t.addValue : t.addStage}</Button></div>
    </div>
  );
}

interface ValueCardProps {
  one: JsonObject;
  at: number;
  count: number;
  isOpen: boolean;
  prefix: string;
  error: unknown;
  label: string;
  onOpen: (open: boolean) => void;
  onChange: (one: JsonObject) => void;
  onMove: (step: number) => void;
  onRemove: () => void;
}

function ValueCard({ one, at, count, isOpen, prefix, error, label, onOpen, onChange, onMove, onRemove }: ValueCardProps) {
  const t = useText(tagTexts);
  const name = textOf(one['value']);
  const rule = isObject(one['rule']) ? one['rule'] : { all: [] };
  /* kept mounted once it was open, so that undo survives folding */
  const [wasOpen, setWasOpen] = useState(isOpen);
  if (isOpen && !wasOpen) setWasOpen(true);
  return (
    <div className="value-card">
      <header>
        <span className="value-rank">{at + 1}</span>
        <Input aria-label={`${label} ${at + 1}`} value={name} maxLength={100} onChange={(event) => onChange({ ...one, value: event.target.value })} />
        <span className="grow" />
        <Button type="text" size="small" icon={<ArrowUpOutlined />} aria-label={`${t.up} ${name}`} disabled={at === 0} onClick={() => onMove(-1)} />
        <Button type="text" size="small" icon={<ArrowDownOutlined />} aria-label={`${t.down} ${name}`} disabled={at === count - 1} onClick={() => onMove(1)} />
        <Button type="text" size="small" danger icon={<DeleteOutlined />} aria-label={`${t.remove} ${name}`} onClick={onRemove} />
        <Button type="text" size="small" icon={<DownOutlined rotate={isOpen ? 180 : 0} />} aria-expanded={isOpen} aria-label={`${isOpen ? '−' : '+'} ${name}`} onClick={() => onOpen(!isOpen)} />
      </header>
      {!isOpen && <button type="button" className="link-button" style={{ color: 'var(--ink-soft)', width: '100%' }} onClick={() => onOpen(true)}><RuleSentence value={rule} /></button>}
      {wasOpen && <div hidden={!isOpen}><RuleEditor value={rule} onChange={(next) => onChange(withMember(one, 'rule', next))} panel={isOpen ? 'count' : 'none'} error={error} errorPrefix={prefix} /></div>}
    </div>
  );
}
