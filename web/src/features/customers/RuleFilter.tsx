/* SPDX-License-Identifier: Apache-2.0 */
/* RuleFilter: the list of customers narrowed by a rule, written with the rule editor; said as a sentence while it holds. */
import { CloseOutlined, EditOutlined, FilterOutlined } from '@ant-design/icons';
import { Button, Drawer, Tooltip } from 'antd';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useText } from '@/app/preferences';
import type { JsonObject } from '@/features/rules/model';
import { RuleEditor, RuleSentence } from '@/features/rules/RuleEditor';
import { words } from '@/lib/words';
import { ActionButton, useRightReason } from '@/ui/Controls';
import { readRuleText } from './columns';
import { customersTexts } from './texts';

/* `rule` is JSON, or '' for none. */
export function RuleFilter({ rule, onChange }: { rule: string; onChange: (rule: string) => void }) {
  const t = useText(customersTexts);
  const [isOpen, setOpen] = useState(false);
  const reason = useRightReason('segment.see');
  const navigate = useNavigate();
  return (
    <>
      {rule === '' && <ActionButton icon={<FilterOutlined />} reason={reason} onClick={() => setOpen(true)}>{t.filter}</ActionButton>}
      {rule !== '' && (
        <div className="rule-filter" role="group" aria-label={t.filter}>
          <FilterOutlined aria-hidden="true" />
          <span className="grow"><RuleSentence value={JSON.parse(rule) as JsonObject} /></span>
          <Button size="small" type="text" onClick={() => void navigate(`/new/segment?define=${encodeURIComponent(JSON.stringify({ rule: JSON.parse(rule) as JsonObject }))}`)}>{t.asSegment}</Button>
          <Tooltip title={t.editFilter}><Button size="small" type="text" icon={<EditOutlined />} aria-label={t.editFilter} onClick={() => setOpen(true)} /></Tooltip>
          <Tooltip title={t.clearFilter}><Button size="small" type="text" icon={<CloseOutlined />} aria-label={t.clearFilter} onClick={() => onChange('')} /></Tooltip>
        </div>
      )}
      {isOpen && <Editing rule={rule} onClose={() => setOpen(false)} onApply={(next) => { setOpen(false); onChange(next); }} />}
    </>
  );
}

function Editing({ rule, onClose, onApply }: { rule: string; onClose: () => void; onApply: (rule: string) => void }) {
  const t = useText(customersTexts);
  const common = useText(words);
  const [value, setValue] = useState<JsonObject>(() => (rule === '' ? { all: [] } : (JSON.parse(rule) as JsonObject)));
  const [isComplete, setComplete] = useState(true);
  const isEmpty = Array.isArray(value['all']) && value['all'].length === 0;
  return (
    <Drawer
      open onClose={onClose} size="min(920px, 100vw)" title={t.filterTitle}
      footer={
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button onClick={onClose}>{common.action.cancel}</Button>
          <ActionButton type="primary" reason={isComplete ? null : t.incomplete} onClick={() => onApply(isEmpty ? '' : readRuleText(JSON.stringify(value)))}>{t.apply}</ActionButton>
        </div>
      }
    >
      <RuleEditor value={value} panel="count" onChange={(next, complete) => { setValue(next); setComplete(complete); }} />
    </Drawer>
  );
}
