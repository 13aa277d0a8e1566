/* SPDX-License-Identifier: Apache-2.0 */
/* ProfileView: what sets the members apart from everybody: shares side by side, lift, and whether it can be chance. */
import { useQuery } from '@tanstack/react-query';
import { Checkbox, Tooltip } from 'antd';
import { useMemo } from 'react';
import type { Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { nameOf, type Definition } from '@/features/audience/audience';
import { exactCount, percent } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { Pill, Time } from '@/ui/Marks';
import { Panel } from '@/ui/Page';
import { Bones, Empty, Loaded } from '@/ui/States';
import { segmentTexts } from './texts';

type Line = Schemas['SegmentProfile']['lines'][number];
/* what a journey keeps for itself has a key and no name: it tells nobody anything */
const isOfJourney = (line: Line): boolean => line.kind === 'segment' && line.key.startsWith('journey-rule-');
const shown = 60;

export function ProfileView({ definition }: { definition: Definition }) {
  const t = useText(segmentTexts);
  const [filters, setFilters] = useFilters({ all: '' });
  const profile = useQuery(queries.segmentProfile(definition.key));
  const onlySignificant = filters.all === '';
  const tags = useQuery(queries.definitions('tags'));
  const segments = useQuery(queries.definitions('segments'));
  const names = useMemo(() => new Map([...(tags.data?.items ?? []).map((one): [string, string] => [`tag ${one.key}`, nameOf(one)]), ...(segments.data?.items ?? []).map((one): [string, string] => [`segment ${one.key}`, nameOf(one)])]), [tags.data, segments.data]);
  return (
    <Loaded query={profile} skeleton={<Panel><Bones rows={8} inset={0} /></Panel>} isEmpty={(data) => data.lines.length === 0} empty={<Panel><Empty title={t.profileEmpty} /></Panel>}>
      {(data) => {
        const lines = data.lines.filter((one) => (!onlySignificant || one.significant) && !isOfJourney(one)).sort((a, b) => Math.abs(b.z) - Math.abs(a.z)).slice(0, shown);
        return (
          <Panel flush title={t.profile} note={<Time at={data.as_of} exact />} tools={<Checkbox checked={onlySignificant} onChange={(event) => setFilters({ all: event.target.checked ? '' : '1' })}>{t.onlySignificant}</Checkbox>}>
            <p className="small faint" style={{ padding: '0 16px 8px' }}>{t.profileHint}</p>
            <div className="lift-row head"><span>{t.feature}</span><span>{t.here} / {t.everybody}</span><span className="right">{t.lift}</span><span /></div>
            {lines.map((line) => <LiftRow key={`${line.kind} ${line.key} ${line.value}`} line={line} names={names} />)}
          </Panel>
        );
      }}
    </Loaded>
  );
}

function LiftRow({ line, names }: { line: Line; names: ReadonlyMap<string, string> }) {
  const t = useText(segmentTexts);
  const common = useText(words);
  const tone = !line.significant ? 'plain' : line.lift >= 1 ? 'good' : 'warn';
  const name = line.kind === 'trait' ? wordFor(common.trait, line.key) : line.kind === 'consent' ? wordFor(common.consent, line.key) : (names.get(`${line.kind} ${line.key}`) ?? line.key);
  return (
    <div className="lift-row">
      <span className="cut" title={`${line.key} ${line.value}`}><span className="faint">{wordFor(t.lineKinds, line.kind)} · {name}</span> <strong>{line.value === 'true' ? '' : line.value === 'false' ? t.not : line.value}</strong></span>
      <Tooltip title={`${t.here} ${percent(line.share)} (${exactCount(line.count)}) · ${t.everybody} ${percent(line.base_share)} (${exactCount(line.base)})`}>
        <span className="lift-bars">
          <span style={{ width: percent(line.share), background: 'var(--accent)' }} />
          <span style={{ width: percent(line.base_share), background: 'var(--line-strong)' }} />
          <span className="small faint tabular" style={{ height: 'auto' }}>{percent(line.share)} / {percent(line.base_share)}</span>
        </span>
      </Tooltip>
      <span className="right tabular">{line.lift >= 100 ? '>100' : line.lift.toFixed(2)}×</span>
      <Tooltip title={`z = ${line.z.toFixed(2)}`}><span><Pill tone={tone}>{line.significant ? t.significant : t.insignificant}</Pill></span></Tooltip>
    </div>
  );
}
