/* SPDX-License-Identifier: Apache-2.0 */
/* Histories: who stopped what and let it go on, and who changed the policy, as the audit has it. */
import { useQuery } from '@tanstack/react-query';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { touchTexts } from '@/features/touches/texts';
import { wordFor } from '@/lib/text';
import { DataTable } from '@/ui/DataTable';
import { Pill, QuietHead, Time, useChannelName } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { lists, policyQueries, rowsOf, stopOf, type Entry, type Policy } from './policy';
import { policyTexts } from './texts';

export function Histories() {
  const t = useText(policyTexts);
  if (!useMay('audit.see')) return <Panel><Empty title={t.noAudit} /></Panel>;
  return <div className="stack"><Stops /><Changes /></div>;
}

function Stops() {
  const t = useText(policyTexts);
  const scopes = useText(touchTexts).scopes;
  const channelName = useChannelName();
  const history = useQuery(policyQueries.history('stop.put'));
  return (
    <Panel flush title={t.stops} note={t.stopsHint}>
      <Loaded query={history} skeleton={<Bones rows={4} />} isEmpty={(data) => data.items.length === 0} empty={<p className="faint" style={{ padding: '0 16px 16px' }}>{t.noStops}</p>}>
        {(data) => (
          <DataTable<Entry>
            rowKey="seq" dataSource={data.items}
            columns={[
              { key: 'when', title: t.when, width: 170, render: (_, row) => <Time at={row.at} exact /> },
              { key: 'who', title: t.who, width: 140, render: (_, row) => row.user },
              { key: 'what', title: t.what, width: 240, render: (_, row) => <span className="row"><Pill tone={stopOf(row).active ? 'bad' : 'good'}>{stopOf(row).active ? t.stoppedBy : t.letGo}</Pill>{wordFor(scopes, stopOf(row).scope)} {stopOf(row).scope === 'channel' ? channelName(stopOf(row).value) : stopOf(row).value}</span> },
              { key: 'why', title: t.why, render: (_, row) => stopOf(row).why },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function policyIn(entry: Entry): Policy {
  try {
    const held = JSON.parse(entry.detail) as { policy?: Policy };
    return held.policy ?? {};
  } catch {
    return {};
  }
}

function Changes() {
  const t = useText(policyTexts);
  const history = useQuery(policyQueries.history('policy.put'));
  return (
    <Panel flush title={t.history}>
      <Loaded query={history} skeleton={<Bones rows={4} />} isEmpty={(data) => data.items.length === 0} empty={<p className="faint" style={{ padding: '0 16px 16px' }}>{t.noHistory}</p>}>
        {(data) => (
          <DataTable<Entry>
            rowKey="seq" dataSource={data.items}
            expandable={{ columnTitle: <QuietHead>{t.history}</QuietHead>, expandedRowRender: (row) => <pre className="small mono" style={{ whiteSpace: 'pre-wrap', maxHeight: 320, overflow: 'auto' }} tabIndex={0}>{JSON.stringify(policyIn(row), null, 1)}</pre> }}
            columns={[
              { key: 'when', title: t.when, width: 170, render: (_, row) => <Time at={row.at} exact /> },
              { key: 'who', title: t.who, width: 140, render: (_, row) => row.user },
              { key: 'what', title: t.what, render: (_, row) => lists.map((list) => `${t.lists[list]} ${rowsOf(policyIn(row), list).length}`).join(' · ') },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}
