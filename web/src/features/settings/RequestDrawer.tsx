/* SPDX-License-Identifier: Apache-2.0 */
/* RequestDrawer: one request of a person: who sees to it, performing it, its package, what came of it; and recording a new one. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, DatePicker, Drawer, Input, Modal, Select, Switch } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { Link } from 'react-router';
import { addressOf, api } from '@/api/client';
import { queries } from '@/api/queries';
import { useClock } from '@/app/clock';
import { useText } from '@/app/preferences';
import { useMay, useSession } from '@/app/session';
import { bytes } from '@/lib/format';
import { useDebounced, useLasting } from '@/lib/hooks';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { Pill, Time } from '@/ui/Marks';
import { Bones, Failure } from '@/ui/States';
import { hasPackage, isClosed, performedOf, requestKinds, requestTexts, tones } from './privacy';
import { Due } from './PrivacyPage';
import { adminQueries, type PersonRequest, type RequestKind } from './queries';
import { useKept } from './useKept';

export function RequestDrawer({ id, onClose }: { id: string | null; onClose: () => void }) {
  const t = useText(requestTexts);
  const shown = useLasting(id);
  const request = useQuery({ ...adminQueries.request(shown ?? ''), enabled: id !== null });
  return (
    <Drawer open={id !== null} onClose={onClose} size={560} title={shown === null ? '' : t.open(shown)}>
      {request.data !== undefined ? <Request key={request.data.id} request={request.data} /> : request.isError ? <Failure error={request.error} retry={() => void request.refetch()} /> : <Bones rows={6} inset={0} />}
    </Drawer>
  );
}

function useChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['privacy'] });
}

function Request({ request }: { request: PersonRequest }) {
  const t = useText(requestTexts);
  const { message } = App.useApp();
  const { user } = useSession();
  const notice = useProblemNotice();
  const changed = useChanged();
  const noRight = useRightReason('privacy.create');
  const users = useQuery({ ...adminQueries.users(), enabled: useMay('user.see') });
  const logins = [...new Set([user.login, ...(users.data?.items ?? []).filter((one) => !one.disabled).map((one) => one.login), ...(request.handler === null ? [] : [request.handler])])];
  const kept = useKept(`request.${request.id}`, { note: request.note, result: request.result });
  const put = useMutation({
    mutationFn: (body: { state?: PersonRequest['state']; handler?: string | null }) => api.post('/privacy/requests/{id}', { path: { id: request.id }, body: { ...body, ...(kept.isDirty ? kept.value : {}) } }),
    onSuccess: async () => {
      await changed();
      kept.done();
      void message.success(t.saved);
    },
    onError: notice,
  });
  const needsResult = noRight ?? (kept.value.result.trim() === '' ? t.needResult : null);
  const closed = isClosed(request);
  return (
    <div className="stack" style={{ gap: 14 }}>
      <dl className="facts">
        <dt>{t.kind}</dt><dd>{t.kinds[request.kind]} <Pill tone={tones[request.state]}>{t.states[request.state]}</Pill></dd>
        <dt>{t.customer}</dt><dd>{request.one_id === null ? <span className="faint">{t.gone}</span> : <Link to={`/customers/${request.one_id}`} className="mono">{request.one_id}</Link>}</dd>
        <dt>{t.received}</dt><dd><Time at={request.received_at} exact /> <span className="faint small">{t.by(request.created_by)}</span></dd>
        <dt>{t.due}</dt><dd><Due request={request} /></dd>
        {request.closed_at !== null && <><dt>{t.closed}</dt><dd><Time at={request.closed_at} exact /></dd></>}
      </dl>
      <label className="field"><span>{t.handler}</span><Select aria-label={t.handler} disabled={noRight !== null || closed} value={request.handler ?? ''} onChange={(handler) => put.mutate({ handler: handler === '' ? null : handler })} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t.nobody }, ...logins.map((value) => ({ value, label: value }))]} /></label>
      <label className="field"><span>{t.note}</span><Input.TextArea aria-label={t.note} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={2000} disabled={noRight !== null} value={kept.value.note} onChange={(event) => kept.change({ note: event.target.value })} /></label>
      {!closed && <Perform request={request} />}
      {hasPackage(request.kind) && request.one_id !== null && <Package request={request} />}
      {request.kind === 'correction' && !closed && <p className="soft small">{t.correctHint} {request.one_id !== null && <Link to={`/customers/${request.one_id}`}>{t.toCustomer}</Link>}</p>}
      <label className="field"><span>{t.result}</span><Input.TextArea aria-label={t.result} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={2000} disabled={noRight !== null} value={kept.value.result} onChange={(event) => kept.change({ result: event.target.value })} /><span className="small faint">{t.resultHelp}</span></label>
      <div className="row wrap">
        {kept.isDirty && <ActionButton reason={noRight} loading={put.isPending} onClick={() => put.mutate({})}>{t.save}</ActionButton>}
        {request.state === 'open' && <ActionButton reason={noRight} onClick={() => put.mutate({ state: 'in_progress', handler: request.handler ?? user.login })}>{t.begin}</ActionButton>}
        {!closed && <ActionButton type={performedOf(request.kind) === null ? 'primary' : 'default'} reason={needsResult} onClick={() => put.mutate({ state: 'done' })}>{t.finish}</ActionButton>}
        {!closed && <ActionButton reason={needsResult} onClick={() => put.mutate({ state: 'refused' })}>{t.refuse}</ActionButton>}
        {!closed && <ActionButton reason={noRight} onClick={() => put.mutate({ state: 'cancelled' })}>{t.cancelRequest}</ActionButton>}
      </div>
    </div>
  );
}

function Perform({ request }: { request: PersonRequest }) {
  const t = useText(requestTexts);
  const common = useText(words);
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const changed = useChanged();
  const client = useQueryClient();
  const { user } = useSession();
  const noApproval = useRightReason('privacy.approve');
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const what = performedOf(request.kind);
  const perform = useMutation({
    mutationFn: () => api.post('/privacy/requests/{id}/perform', { path: { id: request.id } }),
    onSuccess: async () => {
      await changed();
      void client.invalidateQueries({ queryKey: ['customers'] });
      setOpen(false);
      void message.success(t.performed);
    },
    onError: notice,
  });
  if (what === null) return null;
  const noRight = noApproval ?? (what === 'guardian_consent' && request.created_by === user.login ? t.secondPerson : null);
  const isSure = what !== 'erasure' || typed === request.one_id;
  return (
    <div>
      <ActionButton danger={what === 'erasure'} type="primary" reason={noRight} onClick={() => { setTyped(''); setOpen(true); }}>{t.perform[what]}</ActionButton>
      <Modal open={isOpen} title={t.performTitle[what]} okText={t.perform[what]} okButtonProps={{ danger: what !== 'guardian_consent', disabled: !isSure }} cancelText={common.action.cancel} confirmLoading={perform.isPending} onCancel={() => setOpen(false)} onOk={() => perform.mutate()}>
        <div className="stack" style={{ gap: 12 }}>
          <p>{t.performText[what]}</p>
          {what === 'erasure' && <label className="field"><span>{t.typeId(request.one_id ?? '')}</span><Input className="mono" autoComplete="off" aria-label={t.typeId(request.one_id ?? '')} value={typed} onChange={(event) => setTyped(event.target.value.trim())} /></label>}
        </div>
      </Modal>
    </div>
  );
}

function Package({ request }: { request: PersonRequest }) {
  const t = useText(requestTexts);
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const changed = useChanged();
  const noRight = useRightReason('privacy.export');
  const mayReveal = useMay('customer.reveal');
  const [reveal, setReveal] = useState(false);
  const [reason, setReason] = useState('');
  const path = { id: request.id };
  const make = useMutation({
    mutationFn: () => api.post('/privacy/requests/{id}/package', { path, query: reveal ? { reveal: true, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) } : {} }),
    onSuccess: () => { void changed(); void message.success(t.made); },
    onError: notice,
  });
  const remove = useMutation({
    mutationFn: () => api.delete('/privacy/requests/{id}/package', { path }),
    onSuccess: () => { void changed(); void message.success(t.removed); },
    onError: notice,
  });
  const made = request.package;
  return (
    <section className="form-block">
      <h2>{t.package}</h2>
      {made === null ? (
        <>
          <p className="soft small">{t.packageHelp}</p>
          {mayReveal && <label className="row"><Switch size="small" aria-label={t.revealLabel} checked={reveal} onChange={setReveal} />{t.revealLabel}</label>}
          {reveal && <Input aria-label={t.revealReason} placeholder={t.revealReason} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />}
          <ActionButton reason={noRight} loading={make.isPending} onClick={() => make.mutate()}>{t.makePackage}</ActionButton>
        </>
      ) : (
        <div className="row wrap wide">
          <Pill tone={made.revealed ? 'warn' : 'plain'}>{made.revealed ? t.inClear : t.masked}</Pill><span className="tabular">{bytes(made.bytes)}</span><span className="small faint">{t.expires} <Time at={made.expires_at} exact /></span><span className="grow" />
          {noRight === null && <a href={addressOf('/privacy/requests/{id}/package', { path })} download>{t.download}</a>}
          <ActionButton size="small" danger reason={noRight} loading={remove.isPending} onClick={() => remove.mutate()}>{t.removePackage}</ActionButton>
        </div>
      )}
    </section>
  );
}

/* `begin`: of whom and what it is, where another page has said so. */
export function NewRequest({ isOpen, begin, onClose, onMade }: { isOpen: boolean; begin: { customer: string | null; kind: RequestKind }; onClose: () => void; onMade: (id: string) => void }) {
  const t = useText(requestTexts);
  const common = useText(words);
  const { nowMs } = useClock();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const changed = useChanged();
  const [typed, setTyped] = useState('');
  const asked = useDebounced(typed.trim(), 250);
  const [customer, setCustomer] = useState<string | null>(begin.customer);
  const [kind, setKind] = useState<RequestKind>(begin.kind);
  const [due, setDue] = useState<Dayjs | null>(null);
  const [note, setNote] = useState('');
  const found = useQuery({ ...queries.customers({ query: asked, identifierType: '', cursor: '', limit: 8 }), enabled: isOpen && asked.length >= 2 });
  const make = useMutation({
    mutationFn: (one_id: string) => api.post('/privacy/requests', { body: { customer: one_id, kind, ...(due === null ? {} : { due_at: due.endOf('day').toISOString() }), ...(note.trim() === '' ? {} : { note: note.trim() }) } }),
    onSuccess: (made) => {
      void changed();
      void message.success(t.made2);
      setCustomer(null);
      setNote('');
      setDue(null);
      onMade(made.id);
    },
    onError: notice,
  });
  const needsProof = kind === 'guardian_consent';
  const people = (found.data?.items ?? []).map((one) => ({ value: one.one_id, label: [one.name, one.one_id, one.identifiers[0]?.value ?? ''].filter((part) => part !== '').join(' · ') }));
  return (
    <Modal open={isOpen} title={t.newTitle} okText={t.create} okButtonProps={{ disabled: customer === null || (needsProof && note.trim() === '') }} cancelText={common.action.cancel} confirmLoading={make.isPending} onCancel={onClose} onOk={() => customer !== null && make.mutate(customer)}>
      <div className="stack" style={{ gap: 12 }}>
        <label className="field"><span>{t.who}</span>
          <Select
            aria-label={t.who} value={customer} placeholder={t.whoHelp} onChange={setCustomer} showSearch={{ filterOption: false, onSearch: setTyped }} loading={found.isFetching} notFoundContent={asked.length < 2 ? t.whoHelp : found.isFetching ? <Bones rows={2} inset={0} /> : t.notFound}
            options={people.length === 0 && begin.customer !== null ? [{ value: begin.customer, label: begin.customer }] : people}
          />
        </label>
        <label className="field"><span>{t.kind}</span><Select<RequestKind> aria-label={t.kind} value={kind} onChange={setKind} options={requestKinds.map((value) => ({ value, label: t.kinds[value] }))} /></label>
        <label className="field"><span>{t.due}</span><DatePicker aria-label={t.due} style={{ width: '100%' }} value={due} minDate={dayjs(nowMs)} onChange={setDue} placeholder={t.dueHelp} /></label>
        <label className="field"><span>{needsProof ? t.proof : t.note}</span><Input.TextArea aria-label={needsProof ? t.proof : t.note} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={2000} value={note} onChange={(event) => setNote(event.target.value)} />{needsProof && <span className="small faint">{t.proofHelp}</span>}</label>
      </div>
    </Modal>
  );
}
