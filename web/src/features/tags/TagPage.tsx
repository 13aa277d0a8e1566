/* SPDX-License-Identifier: Apache-2.0 */
/* TagPage: a tag: how many have each value, who, since when, why, how it is defined. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Modal, Select } from 'antd';
import { useState, type ReactNode } from 'react';
import { useNavigate, useParams } from 'react-router';
import { api } from '@/api/client';
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
import { RuleSentence } from '@/features/rules/RuleEditor';
import { isObject } from '@/features/rules/model';
import { exactCount } from '@/lib/format';
import { ActionButton, useProblemNotice } from '@/ui/Controls';
import { Json } from '@/ui/Json';
import { useIdentifierName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Failure } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { SizesBar } from './Sizes';
import { isGiven, kindOf, listOf, readGiven, textOf, type GivenType } from './tag';
import { tagTexts } from './texts';

const tabs = ['members', 'history', 'explain', 'definition'] as const;
type Tab = (typeof tabs)[number];
const isTab = (value: string | undefined): value is Tab => tabs.some((one) => one === value);

export function TagPage() {
  const t = useText(tagTexts);
  const { key = '', tab: inPath } = useParams();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<WhyAsked | null>(null);
  const tag = useQuery(queries.definition('tags', key));
  const tab: Tab = isTab(inPath) ? inPath : 'members';
  if (tag.data === undefined) {
    return <Page title={key}>{tag.isError ? <Panel><Failure error={tag.error} retry={() => void tag.refetch()} /></Panel> : <Panel><Bones rows={10} inset={0} /></Panel>}</Page>;
  }
  const data = tag.data;
  const name = nameOf(data);
  const bodies: Record<Tab, () => ReactNode> = {
    members: () => <Members kind="tags" definition={data} onWhy={(oneId) => setAsked({ kind: 'tags', key, name, oneId })} />,
    history: () => <History kind="tags" definitionKey={key} values={data.value_type === 'text' ? (data.sizes ?? []).map((one) => one.value) : []} />,
    explain: () => <AskWhy kind="tags" definition={data} />,
    definition: () => <Defined definition={data} />,
  };
  return (
    <Page title={name} purpose={data.description === '' ? undefined : data.description} actions={<Head definition={data} />}>
      <div className="stack">
        <Summary kind="tags" definition={data} />
        {data.sizes !== undefined && data.sizes.length > 0 && <Panel title={t.sizes}><SizesBar sizes={data.sizes} all /></Panel>}
        <div>
          <TabBar label={name} value={tab} tabs={tabs.map((one) => ({ key: one, label: t.tabs[one] }))} onChange={(one) => void navigate(`/tags/${key}${one === 'members' ? '' : `/${one}`}`)}>
            {bodies[tab]()}
          </TabBar>
        </div>
      </div>
      <WhyDrawer asked={asked} onClose={() => setAsked(null)} />
    </Page>
  );
}

function Head({ definition }: { definition: Definition }) {
  const t = useText(tagTexts);
  const [isGiving, setGiving] = useState(false);
  return (
    <>
      <Actions kind="tags" definition={definition} give={isGiven(kindOf(coreOf(definition))) ? { label: t.giveValues, onClick: () => setGiving(true) } : null} />
      <GiveDialog definition={definition} open={isGiving} onClose={() => setGiving(false)} />
    </>
  );
}

function Defined({ definition }: { definition: Definition }) {
  const a = useText(audienceTexts);
  const core = coreOf(definition);
  const values = [...listOf(core, 'values'), ...listOf(core, 'stages')];
  return (
    <div className="stack">
      {values.length > 0 && (
        <Panel title={a.definition}>
          <ol className="stack" style={{ gap: 8 }}>
            {values.map((one, at) => <li key={at} className="row" style={{ alignItems: 'flex-start', gap: 12 }}><span className="value-rank">{at + 1}</span><strong style={{ minWidth: 90 }}>{textOf(one['value'])}</strong><span className="grow">{isObject(one['rule']) && <RuleSentence value={one['rule']} />}</span></li>)}
          </ol>
        </Panel>
      )}
      <Panel title={a.usedBy}>{definition.used_by.length === 0 ? <p className="faint">{a.nobodyUses}</p> : <><p className="small faint" style={{ marginBottom: 6 }}>{a.usedByHint}</p><UsageList usedBy={definition.used_by} /></>}</Panel>
      <Panel title={a.jsonDefinition}><Json value={definition.definition} /></Panel>
    </div>
  );
}

function GiveDialog({ definition, open, onClose }: { definition: Definition; open: boolean; onClose: () => void }) {
  const t = useText(tagTexts);
  const a = useText(audienceTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const types = useQuery(queries.identityTypes());
  const nameOfType = useIdentifierName();
  const [type, setType] = useState('');
  const [text, setText] = useState('');
  const valueType = (['text', 'number', 'time', 'bool'] as GivenType[]).find((one) => one === definition.value_type) ?? 'text';
  const { lines, wrong } = readGiven(text, valueType);
  const give = useMutation({
    mutationFn: () => api.post('/tags/{key}/values', { path: { key: definition.key }, body: { values: lines.map(({ who, value }) => ({ customer: type === '' ? who : { type, value: who }, value })) as never } }),
    onSuccess: (said) => {
      void client.invalidateQueries({ queryKey: ['tags'] });
      void message.success(t.giveDone(exactCount(said.changed), exactCount(said.unknown)));
      setText('');
      onClose();
    },
    onError: notice,
  });
  const why = wrong !== null ? t.badLine(wrong.line, t[wrong.why]) : lines.length === 0 ? t.nothingGiven : null;
  return (
    <Modal
      open={open} title={t.giveTitle} onCancel={onClose} destroyOnHidden
      footer={[<Button key="cancel" onClick={onClose}>{a.cancel}</Button>, <ActionButton key="give" type="primary" reason={why} loading={give.isPending} onClick={() => give.mutate()}>{t.give}{lines.length > 0 ? ` ${exactCount(lines.length)}` : ''}</ActionButton>]}
    >
      <div className="stack" style={{ gap: 12 }}>
        <label className="field"><span>{t.identifierType}</span>
          <Select aria-label={t.identifierType} value={type} onChange={setType} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.oneIds }, ...(types.data?.items ?? []).map((one) => ({ value: one.name, label: nameOfType(one.name) }))]} />
        </label>
        <label className="field"><span>{t.giveHint}</span><Input.TextArea aria-label={t.giveHint} className="mono" value={text} onChange={(event) => setText(event.target.value)} autoSize={{ minRows: 6, maxRows: 14 }} /></label>
        {wrong !== null && <p className="rule-problem" role="alert">{t.badLine(wrong.line, t[wrong.why])}</p>}
      </div>
    </Modal>
  );
}
