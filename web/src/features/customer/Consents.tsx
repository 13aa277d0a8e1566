/* SPDX-License-Identifier: Apache-2.0 */
/* Consents: for what and by which channel she may be reached, what follows from that, and every decision with its proof. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Modal, Tooltip } from 'antd';
import { useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, CopyButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Pill, Time, useChannelName, type Tone } from '@/ui/Marks';
import { Bones, Empty, Loaded } from '@/ui/States';
import { ConsentDialog } from './ConsentDialog';
import { consentChannels, dataDecisions, neededOf, rowsOf, type Cell, type ConsentHistory, type Decision } from './consents';
import { Pauses, useIsPaused } from './Pauses';

const texts = catalogue({
  zh: {
    noRight: '看授权记录需要「查看授权」的权限', may: '能不能触达', mayHint: '由下面的决定推出来；频次、免打扰等发送规则另算', purpose: '用途', cells: { may: '可以', not_asked: '未同意', refused: '拒绝此用途', channel_refused: '拒绝此渠道', restricted: '已限制处理', paused: '暂停中' } as Record<string, string>,
    withdraw: '撤回…', withdrawOf: (purpose: string) => `撤回${purpose}`, record: '登记…', data: '资料使用', granted: '同意', withdrawn: '已撤回', undecided: '没有决定', service: '服务通知',
    decisions: '全部决定', when: '决定时间', state: '决定', source: '来自', text: '文本版本', proof: '依据', byHand: (user: string) => `${user} 登记`, herself: '她自己', takenBack: '随导入撤回', emptyTitle: '还没有决定', empty: '授权由 Consent Granted / Consent Withdrawn 事件、退订链接、她自己的偏好页带来，也可以在这里登记。',
    restrict: '限制处理', restricted: '已限制处理：资料留着，不进旅程、不发送、不导出。', restrictAsk: '限制处理她的资料？', restrictText: '她的资料留着但不再使用：不进旅程、不发送、不导出，预估里算作拒绝。她在做的事仍会记录。', lift: '解除限制', liftAsk: '解除限制？', liftText: '她的资料又可以按她的授权使用。', no: '不了', done: '已生效',
    page: '偏好页链接', pageTitle: '她的偏好页', pageText: '发给她这个链接，她不用登录就能看到、改变自己的授权。', until: '有效到',
  },
  en: {
    noRight: 'Seeing consents needs the right to see consent', may: 'May she be reached', mayHint: 'as the decisions below come to; frequency caps and quiet hours come on top', purpose: 'Purpose', cells: { may: 'yes', not_asked: 'not agreed', refused: 'purpose refused', channel_refused: 'channel refused', restricted: 'restricted', paused: 'paused' },
    withdraw: 'Withdraw…', withdrawOf: (purpose) => `Withdraw ${purpose}`, record: 'Record…', data: 'Use of her data', granted: 'agreed', withdrawn: 'withdrawn', undecided: 'nothing decided', service: 'Service messages',
    decisions: 'All decisions', when: 'Decided', state: 'Decision', source: 'From', text: 'Text version', proof: 'Proof', byHand: (user) => `recorded by ${user}`, herself: 'herself', takenBack: 'undone with its import', emptyTitle: 'Nothing was decided yet', empty: 'Decisions come by Consent Granted and Consent Withdrawn events, links in messages, her preference page; or are recorded here.',
    restrict: 'Restrict', restricted: 'Processing is restricted: her data are kept, and not used in journeys, sends and exports.', restrictAsk: 'Restrict the use of her data?', restrictText: 'Her data are kept and not used: no journeys, no sends, no exports; reach counts her as refusing. What she does is still recorded.', lift: 'Lift the restriction', liftAsk: 'Lift the restriction?', liftText: 'Her data may be used again, as she consented.', no: 'No', done: 'In force',
    page: 'Preference link', pageTitle: 'Her preference page', pageText: 'Send her this link: she sees and changes her consents without signing in.', until: 'Valid until',
  },
});

const tones: Readonly<Record<Cell, Tone>> = { may: 'good', not_asked: 'plain', refused: 'bad', channel_refused: 'bad', restricted: 'warn' };

export function Consents({ customer }: { customer: Schemas['Customer'] }) {
  const t = useText(texts);
  const may = useMay('consent.see');
  const history = useQuery({ queryKey: ['customers', customer.one_id, 'consents'], queryFn: ({ signal }) => api.get('/customers/{one_id}/consents', { path: { one_id: customer.one_id }, signal }), enabled: may });
  const [recording, setRecording] = useState<{ purpose: string; granted: boolean } | null>(null);
  const noRight = useRightReason('consent.change');
  if (!may) return <p className="faint">{t.noRight}</p>;
  const record = <ActionButton size="small" reason={noRight} onClick={() => setRecording({ purpose: '', granted: true })}>{t.record}</ActionButton>;
  return (
    <Loaded query={history} skeleton={<Bones rows={8} inset={0} />}>
      {(data) => (
        <div className="stack">
          {data.restricted && <div className="notice warn" role="status">{t.restricted}</div>}
          <div className="row between wrap"><h2 className="detail-head">{t.may} <span className="faint small">{t.mayHint}</span></h2><span className="row wrap">{record}<PreferencePage oneId={customer.one_id} /><Restriction oneId={customer.one_id} isRestricted={data.restricted} /></span></div>
          <Reach oneId={customer.one_id} history={data} onWithdraw={(purpose) => setRecording({ purpose, granted: false })} />
          <DataUse history={data} onWithdraw={(purpose) => setRecording({ purpose, granted: false })} />
          <Pauses oneId={customer.one_id} />
          <section>
            <h2 className="detail-head">{t.decisions}</h2>
            {data.items.length === 0 ? <Empty title={t.emptyTitle} action={record}>{t.empty}</Empty> : <Decisions items={data.items} />}
          </section>
          <ConsentDialog open={recording !== null} customer={customer} begin={recording} onClose={() => setRecording(null)} />
        </div>
      )}
    </Loaded>
  );
}

function usePurpose(): (purpose: string) => string {
  const t = useText(texts);
  const common = useText(words);
  const channel = useChannelName();
  return (purpose) => (purpose === 'service' ? t.service : purpose === 'processing' ? t.restrict : (consentChannels as readonly string[]).includes(purpose) ? channel(purpose) : wordFor(common.consent, purpose));
}

function Reach({ oneId, history, onWithdraw }: { oneId: string; history: ConsentHistory; onWithdraw: (purpose: string) => void }) {
  const t = useText(texts);
  const noRight = useRightReason('consent.change');
  const policy = useQuery({ queryKey: ['policy'], queryFn: ({ signal }) => api.get('/policy', { signal }), enabled: useMay('policy.see'), staleTime: 60_000 });
  const channel = useChannelName();
  const name = usePurpose();
  const rows = rowsOf(history, neededOf(policy.data));
  const isPaused = useIsPaused(oneId);
  return (
    <div className="scroll-x" tabIndex={0} role="group" aria-label={t.may}>
      <table className="plan-properties">
        <thead><tr><th scope="col">{t.purpose}</th>{consentChannels.map((one) => <th key={one} scope="col" className="nowrap">{channel(one)}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.purpose}>
              <th scope="row" className="nowrap">
                {name(row.purpose)} <span className="faint small">{row.state === null ? t.undecided : t[row.state]}</span>
                {row.state === 'granted' && <div><ActionButton size="small" type="link" danger style={{ padding: 0 }} reason={noRight} aria-label={t.withdrawOf(name(row.purpose))} onClick={() => onWithdraw(row.purpose)}>{t.withdraw}</ActionButton></div>}
              </th>
              {consentChannels.map((one) => <td key={one}>{isPaused && row.purpose !== 'service' && row.cells[one] === 'may' ? <Pill tone="warn">{t.cells['paused']}</Pill> : <Pill tone={tones[row.cells[one]]}>{t.cells[row.cells[one]]}</Pill>}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DataUse({ history, onWithdraw }: { history: ConsentHistory; onWithdraw: (purpose: string) => void }) {
  const t = useText(texts);
  const noRight = useRightReason('consent.change');
  const name = usePurpose();
  const entries = dataDecisions(history);
  if (entries.length === 0) return null;
  return (
    <section>
      <h2 className="detail-head">{t.data}</h2>
      <div className="row wrap">{entries.map(([purpose, one]) => <span key={purpose} className="row" style={{ gap: 4 }}><Pill tone={one.state === 'granted' ? 'good' : 'bad'}>{name(purpose)} {t[one.state]}</Pill>{one.state === 'granted' && <ActionButton size="small" type="link" danger style={{ padding: 0 }} reason={noRight} aria-label={t.withdrawOf(name(purpose))} onClick={() => onWithdraw(purpose)}>{t.withdraw}</ActionButton>}</span>)}</div>
    </section>
  );
}

function Decisions({ items }: { items: readonly Decision[] }) {
  const t = useText(texts);
  const name = usePurpose();
  return (
    <DataTable<Decision>
      rowKey={(row) => `${row.recorded_at} ${row.purpose}`} dataSource={items as Decision[]} pagination={items.length > 50 ? { pageSize: 50, size: 'small' } : false}
      columns={[
        { key: 'when', title: t.when, render: (_, row) => <Time at={row.at} exact /> },
        { key: 'purpose', title: t.purpose, render: (_, row) => name(row.purpose) },
        { key: 'state', title: t.state, render: (_, row) => <span className="row" style={{ gap: 4 }}><Pill tone={row.state === 'granted' ? 'good' : 'bad'}>{t[row.state]}</Pill>{row.taken_back && <Pill>{t.takenBack}</Pill>}</span> },
        { key: 'source', title: t.source, render: (_, row) => (row.source !== '' ? row.source : row.user !== null ? t.byHand(row.user) : t.herself) },
        { key: 'proof', title: t.proof, render: (_, row) => <Tooltip title={row.evidence}><span className="cut" style={{ display: 'block', maxWidth: 170 }}>{row.text_version !== '' && <span className="mono faint" title={t.text}>{row.text_version} </span>}{row.evidence}</span></Tooltip> },
      ]}
    />
  );
}

function Restriction({ oneId, isRestricted }: { oneId: string; isRestricted: boolean }) {
  const t = useText(texts);
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('privacy.create');
  const put = useMutation({
    mutationFn: () => api.put('/customers/{one_id}/restriction', { path: { one_id: oneId }, body: { restricted: !isRestricted } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['customers', oneId] });
      void message.success(t.done);
    },
    onError: notice,
  });
  const ask = (): void => void modal.confirm({ title: isRestricted ? t.liftAsk : t.restrictAsk, content: isRestricted ? t.liftText : t.restrictText, okText: isRestricted ? t.lift : t.restrict, cancelText: t.no, okButtonProps: { danger: !isRestricted }, onOk: () => put.mutateAsync().catch(() => undefined) });
  return <ActionButton size="small" danger={!isRestricted} reason={noRight} loading={put.isPending} onClick={ask}>{isRestricted ? t.lift : t.restrict}</ActionButton>;
}

function PreferencePage({ oneId }: { oneId: string }) {
  const t = useText(texts);
  const notice = useProblemNotice();
  const noRight = useRightReason('consent.change');
  const made = useMutation({ mutationFn: () => api.post('/customers/{one_id}/preferences-link', { path: { one_id: oneId } }), onError: notice });
  const link = made.data === undefined ? '' : new URL(made.data.path, location.origin).href;
  return (
    <>
      <ActionButton size="small" reason={noRight} loading={made.isPending} onClick={() => made.mutate()}>{t.page}</ActionButton>
      <Modal open={made.data !== undefined} title={t.pageTitle} footer={null} onCancel={() => made.reset()} destroyOnHidden>
        <p className="soft" style={{ marginBottom: 12 }}>{t.pageText}</p>
        <div className="row"><span className="secret mono">{link}</span><CopyButton text={link} /></div>
        {made.data !== undefined && <p className="small faint" style={{ marginTop: 8 }}>{t.until} <Time at={made.data.expires_at} exact /></p>}
      </Modal>
    </>
  );
}
