/* SPDX-License-Identifier: Apache-2.0 */
/* Parts: what of the policy is no list: the hold-out, and how long things count. */
import { DeleteOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Input, InputNumber, Select } from 'antd';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { nameOf } from '@/features/audience/audience';
import { Panel } from '@/ui/Page';
import { numberIn, partOf, textIn, withMember, withPart, type Policy } from './policy';
import type { Names } from './Rows';
import { policyTexts } from './texts';

interface PartProps {
  policy: Policy;
  reason: string | null;
  onChange: (policy: Policy) => void;
}

export function HoldOut({ policy, names, reason, onChange }: PartProps & { names: Names }) {
  const t = useText(policyTexts);
  const part = partOf(policy, 'hold_out');
  const journeys = partOf(part, 'journeys');
  const put = (key: string, share: number | undefined): void => {
    const next = withMember(journeys, key, share);
    onChange(withPart(policy, 'hold_out', 'journeys', Object.keys(next).length === 0 ? undefined : next));
  };
  const free = names.journey.filter((one) => !Object.hasOwn(journeys, one.value));
  const nameIn = (key: string): string => names.journey.find((one) => one.value === key)?.label ?? key;
  return (
    <Panel title={t.holdOut}>
      <div className="stack" style={{ gap: 12 }}>
        <p className="small faint">{t.holdOutHint}</p>
        <label className="field"><span>{t.percent}</span><InputNumber disabled={reason !== null} min={0} max={100} value={numberIn(part, 'percent')} suffix="%" placeholder={t.none} onChange={(value) => onChange(withPart(policy, 'hold_out', 'percent', value ?? undefined))} /></label>
        {Object.keys(journeys).length > 0 && (
          <div className="field"><span>{t.journeyShare}</span>
            {Object.keys(journeys).map((key) => (
              <span className="row" key={key}>
                <span className="cut grow" title={key}>{nameIn(key)}</span>
                <InputNumber aria-label={`${t.holdOut}: ${nameIn(key)}`} disabled={reason !== null} min={0} max={100} value={numberIn(journeys, key)} suffix="%" onChange={(value) => put(key, value ?? 0)} />
                {reason === null && <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={`${t.remove}: ${nameIn(key)}`} onClick={() => put(key, undefined)} />}
              </span>
            ))}
          </div>
        )}
        {free.length > 0 && reason === null && <Select size="small" value={null} placeholder={t.addJourney} aria-label={t.addJourney} options={[...free]} showSearch={{ optionFilterProp: 'label' }} style={{ width: 220 }} onChange={(key: string | null) => key !== null && put(key, 10)} />}
      </div>
    </Panel>
  );
}

export function Rest({ policy, reason, onChange }: PartProps) {
  const t = useText(policyTexts);
  const segments = useQuery({ ...queries.definitions('segments'), enabled: useMay('segment.see') });
  const duplicates = partOf(policy, 'duplicates');
  const text = (label: string, value: string, change: (value: string) => Policy, hint = t.durationHint) => (
    <label className="field"><span>{label}</span><Input disabled={reason !== null} value={value} placeholder={hint} onChange={(event) => onChange(change(event.target.value))} /></label>
  );
  return (
    <Panel title={t.rest}>
      <div className="policy-grid">
        {text(t.order, textIn(duplicates, 'order'), (value) => withPart(policy, 'duplicates', 'order', value))}
        {text(t.content, textIn(duplicates, 'content'), (value) => withPart(policy, 'duplicates', 'content', value))}
        {text(t.settle, textIn(policy, 'settle'), (value) => withMember(policy, 'settle', value))}
        {text(t.expires, textIn(policy, 'expires'), (value) => withMember(policy, 'expires', value))}
        <label className="field"><span>{t.testSegment}</span>
          <Select
            disabled={reason !== null} aria-label={t.testSegment} allowClear placeholder={t.none} value={textIn(policy, 'test_segment') || null} showSearch={{ optionFilterProp: 'label' }}
            options={(segments.data?.items ?? []).filter((one) => one.on === 'customer').map((one) => ({ value: one.key, label: nameOf(one) }))} onChange={(value: string | null | undefined) => onChange(withMember(policy, 'test_segment', value ?? undefined))}
          />
        </label>
        {text(t.linkBase, textIn(policy, 'link_base'), (value) => withMember(policy, 'link_base', value), 'https://')}
      </div>
    </Panel>
  );
}
