/* SPDX-License-Identifier: Apache-2.0 */
/* JourneyPage: one journey: its canvas and JSON, which are the same draft; its report, why somebody is in it, its versions; and what starts and stops it. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { ApiProblem } from '@/api/client';
import { useText } from '@/app/preferences';
import { Count } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { Actions } from './Actions';
import { CanvasTab } from './CanvasTab';
import { ExplainTab } from './ExplainTab';
import { StatePill } from './JourneysPage';
import { JsonTab } from './JsonTab';
import { journeyQueries, type Journey } from './model';
import { Refusal } from './Refusal';
import { ReportTab } from './ReportTab';
import { journeyTexts } from './texts';
import { TrialTab } from './TrialTab';
import { trialTexts } from './trialTexts';
import { useDraft } from './useDraft';
import { VersionsTab } from './VersionsTab';
import { WhatIfTab } from './WhatIfTab';
import { whatIfTexts } from './whatifTexts';
import './journeys.css';

const tabs = ['canvas', 'trial', 'whatif', 'json', 'report', 'explain', 'versions'] as const;
type Tab = (typeof tabs)[number];

export function JourneyPage() {
  const { key = '' } = useParams();
  const journey = useQuery(journeyQueries.one(key));
  const t = useText(journeyTexts);
  if (journey.data === undefined) {
    return <Page title={t.title}>{journey.isError ? <Panel><Failure error={journey.error} retry={() => void journey.refetch()} /></Panel> : <Panel><Bones rows={10} inset={0} /></Panel>}</Page>;
  }
  return <Opened key={key} journey={journey.data} />;
}

function Opened({ journey }: { journey: Journey }) {
  const t = useText(journeyTexts);
  const whatIf = useText(whatIfTexts);
  const trial = useText(trialTexts);
  const { tab: tabInPath } = useParams();
  const navigate = useNavigate();
  const draft = useDraft(journey.key, journey.journey);
  const [refusal, setRefusal] = useState<ApiProblem | null>(null);
  const tab: Tab = tabs.find((one) => one === tabInPath) ?? 'canvas';
  const go = (next: Tab): void => void navigate(`/journeys/${journey.key}${next === 'canvas' ? '' : `/${next}`}`);
  const title = draft.definition.name === '' ? journey.key : draft.definition.name;
  return (
    <Page
      title={title}
      purpose={
        <span className="row wrap" style={{ gap: 10 }}>
          <StatePill state={journey.state} />
          <span>{journey.live_version === 0 ? t.noVersion : t.versions.title(journey.live_version)}</span>
          <span>{t.inside} <Count value={journey.inside} /></span>
          <span>{t.entered} <Count value={journey.entered} /></span>
          <Link to={`/touches?journey=${journey.key}`}>{t.touches}</Link>
          {draft.isChanged && <span className="pill warn">{t.unsaved}</span>}
        </span>
      }
      actions={<Actions journey={journey} draft={draft} onRefused={setRefusal} />}
    >
      <Refusal problem={refusal} onOpen={(node) => void navigate(`/journeys/${journey.key}?node=${encodeURIComponent(node)}`)} />
      <TabBar<Tab> label={t.views} value={tab} tabs={tabs.map((key) => ({ key, label: key === 'whatif' ? whatIf.tab : key === 'trial' ? trial.tab : t.tabs[key] }))} onChange={go}>
        {tab === 'canvas' && <CanvasTab journey={journey} draft={draft} refusal={refusal} />}
        {tab === 'trial' && <TrialTab journey={journey} draft={draft} />}
        {tab === 'whatif' && <WhatIfTab journey={journey} draft={draft} />}
        {tab === 'json' && <JsonTab draft={draft} />}
        {tab === 'report' && <ReportTab journey={journey} />}
        {tab === 'explain' && <ExplainTab journeyKey={journey.key} />}
        {tab === 'versions' && <VersionsTab journey={journey} draft={draft} onTaken={() => go('canvas')} />}
      </TabBar>
    </Page>
  );
}
