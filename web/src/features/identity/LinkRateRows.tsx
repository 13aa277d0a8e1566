/* SPDX-License-Identifier: Apache-2.0 */
/* LinkRateRows: channels with a bar each: how many customers, how many of them are linked. */
import { useText } from '@/app/preferences';
import type { Schemas } from '@/api/client';
import { usePreferences } from '@/app/preferences';
import { channelLook } from '@/lib/channels';
import { exactCount, percent } from '@/lib/format';
import { catalogue } from '@/lib/text';
import { ChannelName, Count } from '@/ui/Marks';

const texts = catalogue({
  zh: { of: (linked: string, all: string) => `${linked} / ${all} 人`, none: '还没有客户来自任何渠道。' },
  en: { of: (linked, all) => `${linked} of ${all}`, none: 'No customer has come from any channel yet.' },
});

export function LinkRateRows({ items }: { items: Schemas['LinkRateList']['items'] }) {
  const t = useText(texts);
  const { scheme } = usePreferences();
  if (items.length === 0) return <p className="soft">{t.none}</p>;
  return (
    <ul className="rate-rows">
      {items.map((item) => (
        <li key={item.channel}>
          <ChannelName channel={item.channel} />
          <div className="bar-track" title={t.of(exactCount(item.linked), exactCount(item.customers))}>
            <div className="bar-fill" style={{ width: percent(item.rate), background: channelLook(item.channel).colour[scheme] }} />
          </div>
          <span className="right tabular">{percent(item.rate)}</span>
          <span className="right faint small rate-count"><Count value={item.customers} /></span>
        </li>
      ))}
    </ul>
  );
}
