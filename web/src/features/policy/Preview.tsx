/* SPDX-License-Identifier: Apache-2.0 */
/* Preview: what a changed policy would have done to the touches of the last days and those that wait, before it is saved. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ApiProblem, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { useReason } from '@/features/touches/reason';
import { ActionButton, Chips, useProblemNotice } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { ChannelName, Count, OneId, Pill, Time, type Tone } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones } from '@/ui/States';
import { differenceOf, ends, reasonsOf, type End, type Preview as Found, type ReasonRow } from './rehearsal';
import type { Policy } from './policy';
import { previewTexts } from './previewTexts';

const tones: Readonly<Record<End, Tone>> = { went: 'good', late: 'info', waiting: 'warn', stopped: 'bad' };

interface PreviewProps {
  policy: Policy;
  reason: string | null;
  onRefused: (problem: ApiProblem) => void;
}

export function Preview({ policy, reason, onRefused }: PreviewProps) {
  const t = useText(previewTexts);
  const notice = useProblemNotice();
  const [days, setDays] = useState<'7' | '14' | '30'>('7');
  const text = JSON.stringify(policy);
  const ask = useMutation({
    mutationFn: async (asked: { days: number; text: string }) =>
      ({ ...asked, found: await api.post('/policy/preview', { query: { days: asked.days }, body: JSON.parse(asked.text) as Schemas['Policy'] }) }),
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 422) onRefused(error);
      notice(error);
    },
  });
  const isOld = ask.data !== undefined && (ask.data.text !== text || ask.data.days !== Number(days));
  return (
    <Panel
      title={t.title} note={t.hint}
      tools={
        <>
          <Chips label={t.period} value={days} choices={[{ value: '7', label: t.lastDays(7) }, { value: '14', label: t.lastDays(14) }, { value: '30', label: t.lastDays(30) }]} onChange={setDays} />
          <ActionButton reason={reason} loading={ask.isPending} onClick={() => ask.mutate({ days: Number(days), text })}>{ask.data === undefined ? t.ask : t.again}</ActionButton>
        </>
      }
    >
      {ask.isPending ? <Bones rows={4} inset={0} /> : ask.data === undefined ? <p className="small faint">{t.before}</p> : <Shown found={ask.data.found} isOld={isOld} />}
    </Panel>
  );
}

function Shown({ found, isOld }: { found: Found; isOld: boolean }) {
  const t = useText(previewTexts);
  if (found.touches === 0) return <p role="status">{t.nothing}</p>;
  return (
    <div className="stack" style={{ gap: 12, opacity: isOld ? 0.5 : 1 }}>
      <p role="status">{isOld ? t.old : t.sentence(differenceOf(found))} {found.one_in > 1 && <span className="faint">{t.sample(found.one_in)}</span>} {found.partial && <span className="faint">{t.partial}</span>}</p>
      <dl className="policy-effect">
        <div><dt>{t.touches}</dt><dd><Count value={found.touches} /></dd></div>
        {ends.map((end) => <div key={end}><dt>{t.ends[end]}</dt><dd><Change before={found.now[end]} after={found.draft[end]} /></dd></div>)}
        {found.waiting.touches > 0 && <div><dt>{t.waitingStopped(found.waiting.touches)}</dt><dd><Change before={found.waiting.now.stopped} after={found.waiting.draft.stopped} /></dd></div>}
      </dl>
      <Reasons rows={reasonsOf(found)} />
      {found.examples.length > 0 && <Examples rows={found.examples} />}
    </div>
  );
}

function Change({ before, after }: { before: number; after: number }) {
  return before === after ? <Count value={after} /> : <><span className="faint"><Count value={before} /></span> → <Count value={after} /></>;
}

function useGateText(): (gate: string | null, detail: string | null) => string {
  const nameOf = useReason();
  return (gate, detail) => (gate === null ? '' : detail === null ? nameOf(gate) : `${nameOf(gate)} · ${detail}`);
}

function Reasons({ rows }: { rows: readonly ReasonRow[] }) {
  const t = useText(previewTexts);
  const textOf = useGateText();
  if (rows.length === 0) return null;
  return (
    <DataTable<ReasonRow>
      rowKey="key" dataSource={rows}
      columns={[
        { key: 'gate', title: t.by, render: (_, row) => textOf(row.gate, row.detail) },
        { key: 'stopped', title: t.ends.stopped, width: 180, align: 'right', render: (_, row) => <Change before={row.now.stopped} after={row.draft.stopped} /> },
        { key: 'held', title: t.held, width: 180, align: 'right', render: (_, row) => <Change before={row.now.held} after={row.draft.held} /> },
      ]}
    />
  );
}

type Example = Found['examples'][number];

function Examples({ rows }: { rows: readonly Example[] }) {
  const t = useText(previewTexts);
  const textOf = useGateText();
  const end = (one: Example['now']) => <><Pill tone={tones[one.end]}>{t.ends[one.end]}</Pill> <span className="small faint">{textOf(one.gate, one.detail)}</span></>;
  return (
    <DataTable<Example>
      rowKey="touch" dataSource={rows}
      columns={[
        { key: 'customer', title: t.customer, width: 170, render: (_, row) => <OneId id={row.customer} link copy={false} /> },
        { key: 'at', title: t.at, width: 130, render: (_, row) => <Time at={row.at} /> },
        { key: 'channel', title: t.channel, width: 130, render: (_, row) => <ChannelName channel={row.channel} /> },
        { key: 'from', title: t.from, render: (_, row) => <span className="cut" title={row.journey || row.campaign}>{row.journey || row.campaign}</span> },
        { key: 'now', title: t.now, render: (_, row) => end(row.now) },
        { key: 'draft', title: t.draft, render: (_, row) => end(row.draft) },
      ]}
    />
  );
}
