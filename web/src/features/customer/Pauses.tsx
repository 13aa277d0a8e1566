/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses: why no marketing goes to her for now, since when and until when; paused by hand, and lifted. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, DatePicker, Form, Input, Modal } from 'antd';
import type { Dayjs } from 'dayjs';
import { useState } from 'react';
import { Link } from 'react-router';
import { api, type Schemas } from '@/api/client';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { catalogue } from '@/lib/text';
import { words } from '@/lib/words';
import { ActionButton, useProblemNotice, useRightReason } from '@/ui/Controls';
import { DataTable } from '@/ui/DataTable';
import { Pill, Time } from '@/ui/Marks';

type Pause = Schemas['PauseList']['items'][number];
/** Empty as long as the fields of the dialog are not there. */
interface Fields { reason?: string; until?: Dayjs | null }

const texts = catalogue({
  zh: {
    title: '暂停营销', hint: '暂停期间只有服务通知和交易类消息会发出；等着发的营销消息已撤下，之后不补发', pause: '暂停…', ask: '暂停对她的营销', askHint: '从现在起，除服务通知和交易类消息外都不再发给她；正在等待的会撤下。旅程设置的暂停不受影响。', reason: '原因', reasonMissing: '写下原因，之后的人才知道', until: '到何时', untilHint: '不填则一直暂停，直到有人恢复',
    save: '暂停', lift: '恢复', liftAsk: '恢复对她的营销？', liftText: (why: string) => `${why}。其他暂停仍然有效。`, since: '从', end: '到', why: '原因', by: '来自', journey: '旅程', hand: '人工', other: '其他团队的旅程', state: '状态', active: '暂停中', over: '已结束', lifted: '已恢复', endless: '直到恢复', done: '已生效',
  },
  en: {
    title: 'Marketing paused', hint: 'meanwhile only service and transactional messages go out; what waited was withdrawn and does not come later', pause: 'Pause…', ask: 'Pause marketing to her', askHint: 'From now on nothing but service and transactional messages goes to her, and what waits is withdrawn. Pauses that journeys made stay as they are.', reason: 'Reason', reasonMissing: 'Say why, for who comes after you', until: 'Until', untilHint: 'empty: until somebody lifts it',
    save: 'Pause', lift: 'Lift', liftAsk: 'Let marketing go on?', liftText: (why) => `${why}. Other pauses hold on.`, since: 'Since', end: 'Until', why: 'Reason', by: 'By', journey: 'journey', hand: 'by hand', other: "another team's journey", state: 'State', active: 'paused', over: 'over', lifted: 'lifted', endless: 'until it is lifted', done: 'In force',
  },
});

const keyOf = (oneId: string) => ['customers', oneId, 'pauses'] as const;

function usePauses(oneId: string) {
  return useQuery({ queryKey: keyOf(oneId), queryFn: ({ signal }) => api.get('/customers/{one_id}/pauses', { path: { one_id: oneId }, signal }), enabled: useMay('touch.see') });
}

/** Marketing to her rests now, for whatever cause. */
export function useIsPaused(oneId: string): boolean {
  return usePauses(oneId).data?.items.some((one) => one.active) ?? false;
}

export function Pauses({ oneId }: { oneId: string }) {
  const t = useText(texts);
  const pauses = usePauses(oneId);
  const [asking, setAsking] = useState(false);
  const noRight = useRightReason('consent.change');
  const items = pauses.data?.items ?? [];
  return (
    <section>
      <div className="row between wrap">
        <h2 className="detail-head">{t.title} {items.some((one) => one.active) && <span className="faint small">{t.hint}</span>}</h2>
        <ActionButton size="small" reason={noRight} onClick={() => setAsking(true)}>{t.pause}</ActionButton>
      </div>
      {items.length > 0 && <PauseTable oneId={oneId} items={items} />}
      <PauseDialog open={asking} oneId={oneId} onClose={() => setAsking(false)} />
    </section>
  );
}

function PauseTable({ oneId, items }: { oneId: string; items: Pause[] }) {
  const t = useText(texts);
  return (
    <DataTable<Pause>
      rowKey="number" dataSource={items} pagination={items.length > 10 ? { pageSize: 10, size: 'small' } : false}
      columns={[
        { key: 'state', title: t.state, render: (_, row) => <Pill tone={row.active ? 'warn' : 'plain'}>{row.active ? t.active : row.lifted_at !== null ? t.lifted : t.over}</Pill> },
        { key: 'since', title: t.since, render: (_, row) => <Time at={row.since} exact /> },
        { key: 'end', title: t.end, render: (_, row) => (row.lifted_at !== null ? <Time at={row.lifted_at} exact /> : row.until !== null ? <Time at={row.until} exact /> : t.endless) },
        { key: 'why', title: t.why, render: (_, row) => row.reason },
        { key: 'by', title: t.by, render: (_, row) => (row.journey !== null ? <Link to={`/journeys/${row.journey}`}>{t.journey} {row.journey}</Link> : row.by !== null ? row.by : t.other) },
        { key: 'lift', title: '', render: (_, row) => row.active && <Lift oneId={oneId} pause={row} /> },
      ]}
    />
  );
}

function Lift({ oneId, pause }: { oneId: string; pause: Pause }) {
  const t = useText(texts);
  const common = useText(words);
  const language = useLanguage();
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const notice = useProblemNotice();
  const noRight = useRightReason('consent.change');
  const lift = useMutation({
    mutationFn: () => api.delete('/customers/{one_id}/pauses/{number}', { path: { one_id: oneId, number: pause.number } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keyOf(oneId) });
      void message.success(t.done);
    },
    onError: notice,
  });
  const ask = (): void => void modal.confirm({ title: t.liftAsk, content: t.liftText(pause.text[language]), okText: t.lift, cancelText: common.action.cancel, onOk: () => lift.mutateAsync().catch(() => undefined) });
  return <ActionButton size="small" reason={noRight} loading={lift.isPending} onClick={ask}>{t.lift}</ActionButton>;
}

function PauseDialog({ open, oneId, onClose }: { open: boolean; oneId: string; onClose: () => void }) {
  const t = useText(texts);
  const common = useText(words);
  const client = useQueryClient();
  const { message } = App.useApp();
  const notice = useProblemNotice();
  const [form] = Form.useForm<Fields>();
  const pause = useMutation({
    mutationFn: ({ reason, until }: { reason: string; until?: Dayjs | null }) => api.post('/customers/{one_id}/pauses', { path: { one_id: oneId }, body: { reason: reason.trim(), ...(until ? { until: until.toISOString() } : {}) } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keyOf(oneId) });
      void message.success(t.done);
      onClose();
    },
    onError: notice,
  });
  return (
    <Modal
      open={open} onCancel={onClose} title={t.ask} okText={t.save} cancelText={common.action.cancel} confirmLoading={pause.isPending}
      onOk={() => void form.validateFields().then(({ reason, until }) => reason !== undefined && pause.mutate({ reason, until }), () => undefined)} destroyOnHidden
    >
      <p className="soft" style={{ marginBottom: 12 }}>{t.askHint}</p>
      <Form form={form} layout="vertical" initialValues={{ reason: '', until: null }} preserve={false}>
        <Form.Item name="reason" label={t.reason} rules={[{ required: true, whitespace: true, message: t.reasonMissing }]}><Input.TextArea rows={2} maxLength={300} showCount /></Form.Item>
        <Form.Item name="until" label={t.until} extra={t.untilHint}><DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" style={{ width: '100%' }} /></Form.Item>
      </Form>
    </Modal>
  );
}
