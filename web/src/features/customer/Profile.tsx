/* SPDX-License-Identifier: Apache-2.0 */
/* Profile: tags and segments first, then traits with where they come from. */
import { Tooltip } from 'antd';
import { useState } from 'react';
import type { Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { WhyDrawer, type WhyAsked } from '@/features/audience/WhyDrawer';
import { Pill, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { SegmentList, TagList } from './Belongs';
import { customerTexts } from './texts';

type Customer = Schemas['Customer'];

export function Profile({ customer }: { customer: Customer }) {
  const t = useText(customerTexts).profile;
  const common = useText(words);
  const traits = Object.entries(customer.traits).sort(([a], [b]) => a.localeCompare(b));
  const tags = Object.entries(customer.tags);
  const [asked, setAsked] = useState<WhyAsked | null>(null);
  return (
    <div className="stack customer-profile">
      <Panel title={t.tags}>
        {tags.length === 0 ? <p className="small faint">{t.noTags}</p> : <TagList oneId={customer.one_id} tags={tags} onWhy={setAsked} />}
      </Panel>
      <Panel title={t.segments}>
        {customer.segments.length === 0 ? <p className="small faint">{t.noSegments}</p> : <SegmentList oneId={customer.one_id} segments={customer.segments} onWhy={setAsked} />}
      </Panel>
      <Panel title={t.traits} note={traits.length === 0 ? undefined : String(traits.length)}>
        {traits.length === 0 && <p className="small faint">{t.noTraits}</p>}
        <dl className="traits">
          {traits.map(([name, value]) => {
            const origin = customer.trait_origins[name];
            return (
              <div key={name}>
                <dt title={name}>{wordFor(common.trait, name)}</dt>
                <dd>
                  <TraitValue value={value} />
                  {origin !== undefined && <span className="trait-origin">{t.from(origin.source)} · <Time at={origin.at} /></span>}
                </dd>
              </div>
            );
          })}
        </dl>
      </Panel>
      <WhyDrawer asked={asked} onClose={() => setAsked(null)} />
    </div>
  );
}

export function TraitValue({ value }: { value: unknown }) {
  const t = useText(customerTexts).value;
  if (Array.isArray(value)) return <span className="row wrap" style={{ gap: 4 }}>{value.map((one, at) => <Pill key={at}>{typeof one === 'object' ? JSON.stringify(one) : String(one)}</Pill>)}</span>;
  if (typeof value === 'object' && value !== null) {
    const text = JSON.stringify(value);
    return <Tooltip title={text}><span className="mono cut" style={{ display: 'block' }}>{text}</span></Tooltip>;
  }
  if (typeof value === 'number') return <span className="tabular">{value.toLocaleString('en-US')}</span>;
  const text = String(value ?? '—');
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return <Time at={text} exact />;
  return <span>{wordFor(t, text)}</span>;
}
