/* SPDX-License-Identifier: Apache-2.0 */
/* VersionsTab: what was published when, who is still inside by each, its definition, and the way back to it. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Drawer } from 'antd';
import { useState } from 'react';
import { useText } from '@/app/preferences';
import { useLasting } from '@/lib/hooks';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Json } from '@/ui/Json';
import { Count, Pill, QuietHead, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { differencesOf, type Difference } from './changes';
import { definitionOf, journeyQueries, textOf, type Definition, type Journey } from './model';
import { journeyTexts } from './texts';
import type { DraftHandle } from './useDraft';

type Version = Journey['versions'][number];

export function VersionsTab({ journey, draft, onTaken }: { journey: Journey; draft: DraftHandle; onTaken: () => void }) {
  const t = useText(journeyTexts);
  const noRole = useRightReason('journey.change');
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [looked, setLooked] = useState<number | null>(null);
  const [compared, setCompared] = useState<number | null>(null);
  const restore = async (version: number): Promise<void> => {
    try {
      const held = await client.fetchQuery(journeyQueries.version(journey.key, version));
      draft.change(definitionOf(held.journey));
      void message.info(t.versions.restored);
      onTaken();
    } catch (error) {
      notice(error);
    }
  };
  if (journey.versions.length === 0) return <Panel><Empty title={t.versions.none}>{t.versions.noneHint}</Empty></Panel>;
  return (
    <Panel flush>
      <DataTable<Version>
        rowKey="version" dataSource={[...journey.versions].sort((a, b) => b.version - a.version)}
        columns={[
          { key: 'version', title: t.versions.version, render: (_, row) => <span className="row">{t.versions.title(row.version)}{row.version === journey.live_version && <Pill tone="good">{t.versions.live}</Pill>}</span> },
          { key: 'at', title: t.versions.publishedAt, render: (_, row) => <Time at={row.published_at} exact /> },
          { key: 'inside', title: t.versions.inside, align: 'right', render: (_, row) => <Count value={row.inside} /> },
          {
            key: 'do', title: <QuietHead>{t.versions.look}</QuietHead>, align: 'right',
            render: (_, row) => <span className="row" style={{ justifyContent: 'flex-end' }}><Button size="small" onClick={() => setCompared(row.version)} aria-label={`${t.difference.compare} ${t.versions.title(row.version)}`}>{t.difference.compare}</Button><Button size="small" onClick={() => setLooked(row.version)}>{t.versions.look}</Button><ActionButton size="small" reason={noRole} onClick={() => void restore(row.version)}>{t.versions.restore}</ActionButton></span>,
          },
        ]}
      />
      <Compare journeyKey={journey.key} version={compared} now={draft.definition} onClose={() => setCompared(null)} />
      <Look journeyKey={journey.key} version={looked} onClose={() => setLooked(null)} />
    </Panel>
  );
}

function Look({ journeyKey, version: opened, onClose }: { journeyKey: string; version: number | null; onClose: () => void }) {
  const t = useText(journeyTexts);
  const version = useLasting(opened);
  const held = useQuery({ ...journeyQueries.version(journeyKey, version ?? 0), enabled: version !== null });
  return <Drawer open={opened !== null} onClose={onClose} size={560} title={version === null ? '' : t.versions.title(version)}><Loaded query={held} skeleton={<Bones rows={8} inset={0} />}>{(data) => <Json value={data.journey} />}</Loaded></Drawer>;
}

/* What the draft says otherwise than a version: each place with what stood there and what stands there now. */
function Compare({ journeyKey, version: opened, now, onClose }: { journeyKey: string; version: number | null; now: Definition; onClose: () => void }) {
  const t = useText(journeyTexts);
  const version = useLasting(opened);
  const held = useQuery({ ...journeyQueries.version(journeyKey, version ?? 0), enabled: version !== null });
  return (
    <Drawer open={opened !== null} onClose={onClose} size={720} title={`${t.difference.title} · ${version === null ? '' : t.difference.with(version)}`}>
      <Loaded query={held} skeleton={<Bones rows={8} inset={0} />}>{(data) => <Differences found={differencesOf(definitionOf(data.journey), now)} now={now} />}</Loaded>
    </Drawer>
  );
}

const tones = { added: 'good', removed: 'bad', changed: 'info' } as const;
const shownChars = 400;

function Differences({ found, now }: { found: readonly Difference[]; now: Definition }) {
  const t = useText(journeyTexts);
  if (found.length === 0) return <Empty title={t.difference.none} />;
  const text = (value: unknown): string => (value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value, null, 1)).slice(0, shownChars);
  return (
    <ul className="stack" style={{ gap: 12 }}>
      {found.map((one) => (
        <li key={one.place}>
          <div className="row wrap"><Pill tone={tones[one.kind]}>{t.difference[one.kind]}</Pill><strong>{one.node === '' ? '' : textOf(now.nodes[one.node]?.['name'])}</strong><span className="mono faint">{one.place}</span></div>
          <div className="difference"><pre aria-label={t.difference.before}>{text(one.before)}</pre><pre aria-label={t.difference.after}>{text(one.after)}</pre></div>
        </li>
      ))}
    </ul>
  );
}
