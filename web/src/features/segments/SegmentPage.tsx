/* SPDX-License-Identifier: Apache-2.0 */
/* SegmentPage: a segment: who is in it, its size over time, what sets them apart, what it shares with others, how it is defined. */
import { useQuery } from '@tanstack/react-query';
import { App, Button, Input, Modal, Select } from 'antd';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useNavigate, useParams } from 'react-router';
import { api, ApiProblem } from '@/api/client';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { AskWhy } from '@/features/audience/AskWhy';
import { coreOf, nameOf, type Definition } from '@/features/audience/audience';
import { History } from '@/features/audience/History';
import { UsageList } from '@/features/audience/Marks';
import { Members } from '@/features/audience/Members';
import { Actions, Summary } from '@/features/audience/Summary';
import { audienceTexts } from '@/features/audience/texts';
import { WhyDrawer, type WhyAsked } from '@/features/audience/WhyDrawer';
import { Reach } from '@/features/rules/RulePanel';
import { exactCount } from '@/lib/format';
import { useFilters } from '@/lib/hooks';
import { ActionButton, useProblemNotice } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { Time, useIdentifierName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure, Loaded } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { DefinitionText } from './DefinitionText';
import { OverlapView } from './OverlapView';
import { ProfileView } from './ProfileView';
import { segmentTexts } from './texts';

const tabs = ['members', 'reach', 'history', 'profile', 'overlap', 'explain', 'definition'] as const;
type Tab = (typeof tabs)[number];
const isTab = (value: string | undefined): value is Tab => tabs.some((one) => one === value);

export function SegmentPage() {
  const t = useText(segmentTexts);
  const { key = '', tab: inPath } = useParams();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<WhyAsked | null>(null);
  const segment = useQuery(queries.definition('segments', key));
  const tab: Tab = isTab(inPath) ? inPath : 'members';
  if (segment.data === undefined) {
    return <Page title={key}>{segment.isError ? <Panel><Failure error={segment.error} retry={() => void segment.refetch()} /></Panel> : <Panel><Bones rows={10} inset={0} /></Panel>}</Page>;
  }
  const data = segment.data;
  const name = nameOf(data);
  const bodies: Record<Tab, () => ReactNode> = {
    members: () => <Members kind="segments" definition={data} onWhy={(oneId) => setAsked({ kind: 'segments', key, name, oneId })} />,
    reach: () => <SegmentReach segment={key} />,
    history: () => <History kind="segments" definitionKey={key} />,
    profile: () => <ProfileView definition={data} />,
    overlap: () => <SegmentOverlap segment={key} />,
    explain: () => <AskWhy kind="segments" definition={data} title={t.explainTitle} />,
    definition: () => <Defined definition={data} />,
  };
  return (
    <Page title={name} purpose={data.description === '' ? undefined : data.description} actions={<Head definition={data} />}>
      <div className="stack">
        <Summary kind="segments" definition={data} />
        <div>
          <TabBar label={name} value={tab} tabs={tabs.map((one) => ({ key: one, label: t.tabs[one] }))} onChange={(one) => void navigate(`/segments/${key}${one === 'members' ? '' : `/${one}`}`)}>
            {bodies[tab]()}
          </TabBar>
        </div>
      </div>
      <WhyDrawer asked={asked} onClose={() => setAsked(null)} />
    </Page>
  );
}

function Head({ definition }: { definition: Definition }) {
  const t = useText(segmentTexts);
  const [isGiving, setGiving] = useState(false);
  const isGiven = definition.kind === 'static' || definition.kind === 'upload';
  return (
    <>
      <Actions kind="segments" definition={definition} give={isGiven ? { label: t.addMembers, onClick: () => setGiving(true) } : null} />
      <GiveDialog definition={definition} open={isGiving} onClose={() => setGiving(false)} />
    </>
  );
}

function SegmentReach({ segment }: { segment: string }) {
  const t = useText(segmentTexts);
  const reach = useQuery(queries.reach(segment));
  return (
    <Loaded query={reach} skeleton={<Panel><Bones rows={6} inset={0} /></Panel>}>
      {(data) => <Panel title={t.reachTitle} note={<Time at={data.as_of} exact />}><div style={{ maxWidth: 560 }}><Reach preview={data} isOld={false} isAlone /></div></Panel>}
    </Loaded>
  );
}

function Defined({ definition }: { definition: Definition }) {
  const t = useText(segmentTexts);
  const a = useText(audienceTexts);
  const core = coreOf(definition);
  return (
    <div className="stack">
      <Panel title={a.definition}><DefinitionText core={core} on={definition.on} /></Panel>
      <Panel title={a.usedBy}>{definition.used_by.length === 0 ? <p className="faint">{a.nobodyUses}</p> : <><p className="small faint" style={{ marginBottom: 6 }}>{a.usedByHint}</p><UsageList usedBy={definition.used_by} /></>}</Panel>
      <Panel title={a.jsonDefinition}><Json value={definition.definition} /></Panel>
      <span className="hidden-text">{t.title}</span>
    </div>
  );
}

function SegmentOverlap({ segment }: { segment: string }) {
  const list = useQuery(queries.definitions('segments'));
  const [filters, setFilters] = useFilters({ with: '' });
  const others = (list.data?.items ?? []).filter((one) => one.key !== segment && one.on === 'customer' && one.count > 0);
  const chosen = filters.with === '' ? others.slice(0, 5).map((one) => one.key) : filters.with.split(',');
  return <OverlapView keys={[segment, ...chosen.filter((one) => one !== segment)]} fixed={segment} onChange={(keys) => setFilters({ with: keys.filter((one) => one !== segment).join(',') })} />;
}

const atOnce = 20_000;

function GiveDialog({ definition, open, onClose }: { definition: Definition; open: boolean; onClose: () => void }) {
  const t = useText(segmentTexts);
  const a = useText(audienceTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const types = useQuery(queries.identityTypes());
  const nameOfType = useIdentifierName();
  const [type, setType] = useState('');
  const [text, setText] = useState('');
  const values = [...new Set(text.split(/[\s,，、;；]+/).map((one) => one.trim()).filter((one) => one !== ''))];
  const change = useMutation({
    mutationFn: (act: 'add' | 'remove') => api.post('/segments/{key}/members', { path: { key: definition.key }, body: { [act]: values.map((value) => (type === '' ? value : { type, value })) } }),
    onSuccess: (said) => {
      void client.invalidateQueries({ queryKey: ['segments'] });
      void message.success(t.changed(exactCount(said.changed), exactCount(said.unknown)));
      setText('');
      onClose();
    },
    onError: notice,
  });
  const why = values.length === 0 ? t.nothingPasted : values.length > atOnce ? t.tooMany : null;
  return (
    <Modal
      open={open} title={t.addTitle} onCancel={onClose} destroyOnHidden
      footer={[
        <Button key="cancel" onClick={onClose}>{a.cancel}</Button>,
        <ActionButton key="take" danger reason={why} loading={change.isPending && change.variables === 'remove'} onClick={() => change.mutate('remove')}>{t.take}</ActionButton>,
        <ActionButton key="add" type="primary" reason={why} loading={change.isPending && change.variables === 'add'} onClick={() => change.mutate('add')}>{t.add}{values.length > 0 ? ` ${exactCount(values.length)}` : ''}</ActionButton>,
      ]}
    >
      <div className="stack" style={{ gap: 12 }}>
        <label className="field"><span>{t.type}</span>
          <Select aria-label={t.type} value={type} onChange={setType} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.oneIds }, ...(types.data?.items ?? []).map((one) => ({ value: one.name, label: nameOfType(one.name) }))]} />
        </label>
        <label className="field"><span>{t.paste}</span><Input.TextArea className="mono" value={text} onChange={(event) => setText(event.target.value)} autoSize={{ minRows: 6, maxRows: 14 }} /></label>
        {change.error instanceof ApiProblem && <p className="rule-problem" role="alert">{change.error.detail}</p>}
      </div>
    </Modal>
  );
}
