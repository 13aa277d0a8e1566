/* SPDX-License-Identifier: Apache-2.0 */
/* PolicyPage: what all sending obeys, in one place: caps, quiet hours, budgets, consent, hold-outs; who comes first; the gates; the red stop and its history. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useMemo, useState } from 'react';
import { api, ApiProblem, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { journeyHeads } from '@/features/journeys/heads';
import { StopButton, StopNotice } from '@/features/touches/StopPanel';
import { touchQueries } from '@/features/touches/model';
import { useMay } from '@/app/session';
import { useFilters } from '@/lib/hooks';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { useChannelName } from '@/ui/Marks';
import { Page, Panel } from '@/ui/Page';
import { Bones, Loaded } from '@/ui/States';
import { TabBar } from '@/ui/TabBar';
import { Gates, Ranks } from './Gates';
import { Histories } from './Histories';
import { HoldOut, Rest } from './Parts';
import { lists, placeOf, policyQueries, type Policy } from './policy';
import { Preview } from './Preview';
import { Rows, type Names } from './Rows';
import { policyTexts } from './texts';
import { useDraft } from './useDraft';
import './policy.css';

const tabs = ['rules', 'ranks', 'gates', 'history'] as const;
type Tab = (typeof tabs)[number];

export function PolicyPage() {
  const t = useText(policyTexts);
  const policy = useQuery(policyQueries.policy());
  if (policy.data !== undefined) return <Opened saved={policy.data} />;
  return <Page title={t.title} purpose={t.purpose}><Loaded query={policy} skeleton={<Panel><Bones rows={10} inset={0} /></Panel>}>{() => null}</Loaded></Page>;
}

function Opened({ saved }: { saved: Policy }) {
  const t = useText(policyTexts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const reason = useRightReason('policy.administer');
  const draft = useDraft(saved);
  const [filters, setFilters] = useFilters({ tab: 'rules' });
  const [refused, setRefused] = useState<ApiProblem | null>(null);
  const tab = tabs.find((one) => one === filters.tab) ?? 'rules';
  const save = useMutation({
    mutationFn: () => api.put('/policy', { body: draft.policy as unknown as Schemas['Policy'] }),
    onSuccess: async () => {
      setRefused(null);
      await client.invalidateQueries({ queryKey: ['policy'] });
      draft.discard();
      void message.success(t.saved);
    },
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 422) setRefused(error);
      notice(error);
    },
  });
  const change = (next: Policy): void => {
    setRefused(null);
    draft.change(next);
  };
  return (
    <Page
      title={t.title} purpose={t.purpose}
      actions={
        <>
          {draft.count > 0 && <><span className="pill warn">{t.changed(draft.count)}</span><Button type="text" onClick={draft.discard}>{t.discard}</Button></>}
          <StopButton />
          <ActionButton type="primary" reason={reason ?? (draft.count === 0 ? t.nothing : null)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</ActionButton>
        </>
      }
    >
      <div className="stack">
        <StopNotice />
        {draft.isStale && draft.count > 0 && <div className="notice warn" role="status"><span>{t.stale}</span> <Button size="small" onClick={draft.discard}>{t.takeTheirs}</Button></div>}
        <TabBar<Tab> label={t.title} value={tab} onChange={(next) => setFilters({ tab: next })} tabs={tabs.map((key) => ({ key, label: t.tabs[key] }))}>
          {tab === 'rules' && (
            <div className="stack">
              {draft.count > 0 && <Preview policy={draft.policy} reason={reason} onRefused={setRefused} />}
              <Rules policy={draft.policy} reason={reason} refused={refused} onChange={change} />
            </div>
          )}
          {tab === 'ranks' && <Ranks />}
          {tab === 'gates' && <Gates />}
          {tab === 'history' && <Histories />}
        </TabBar>
      </div>
    </Page>
  );
}

interface RulesProps {
  policy: Policy;
  reason: string | null;
  refused: ApiProblem | null;
  onChange: (policy: Policy) => void;
}

function Rules({ policy, reason, refused, onChange }: RulesProps) {
  const names = useNames();
  const problems = useMemo(() => {
    const found = new Map<string, Map<number, string>>(lists.map((list) => [list, new Map<number, string>()]));
    for (const one of refused?.pointers ?? []) {
      const place = placeOf(one.pointer);
      if (place !== null) found.get(place.list)?.set(place.at, one.detail);
    }
    return found;
  }, [refused]);
  return (
    <div className="stack">
      {lists.map((list) => <Rows key={list} list={list} policy={policy} names={names} reason={reason} problems={problems.get(list) ?? new Map<number, string>()} onChange={onChange} />)}
      <div className="policy-two">
        <HoldOut policy={policy} names={names} reason={reason} onChange={onChange} />
        <Rest policy={policy} reason={reason} onChange={onChange} />
      </div>
    </div>
  );
}

const knownChannels = ['sms', 'wecom', 'official_account', 'subscription', 'email', 'call', 'webhook', 'coupon', 'points'];

function useNames(): Names {
  const t = useText(policyTexts);
  const channelName = useChannelName();
  const accounts = useQuery({ ...touchQueries.accounts(), enabled: useMay('channel.see') });
  const journeys = useQuery({ ...journeyHeads(), enabled: useMay('journey.see') });
  return useMemo(() => {
    const channels = [...new Set([...knownChannels, ...(accounts.data?.items ?? []).map((one) => one.channel)])];
    return {
      channel: channels.map((value) => ({ value, label: channelName(value) })),
      purpose: Object.entries(t.purposes).map(([value, label]) => ({ value, label })),
      brand: [],
      journey: (journeys.data?.items ?? []).map((one) => ({ value: one.key, label: one.name === '' ? one.key : `${one.name} · ${one.key}` })),
      campaign: [],
    };
  }, [accounts.data, journeys.data, channelName, t]);
}
