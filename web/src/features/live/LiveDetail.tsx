/* SPDX-License-Identifier: Apache-2.0 */
/* LiveDetail: one event: what became of it, in sentences with the next step, and its raw body. */
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { Link } from 'react-router';
import { queries } from '@/api/queries';
import { useText } from '@/app/preferences';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { Avatar, EventName, IdentifierMark, OneId, Outcome, Time } from '@/ui/Marks';
import { Json } from '@/ui/Json';
import type { LiveEvent } from './feed';

const texts = catalogue({
  zh: {
    became: '处理结果',
    raw: '原文',
    rawNote: '收到时的样子，个人信息已打码，超过 16 KB 的部分省略',
    source: '数据源',
    door: '入口',
    at: '收到时间',
    customer: '归到客户',
    open: '打开客户页',
    created: '新认识的客户：此前没有人用过这些标识。',
    known: '这些标识已经属于这位客户，事件直接记到她的时间线。',
    merged: (count: number) => `这条事件让 ${count + 1} 位客户合并成一位，因为它同时带着他们的强标识。`,
    pending: '已写入日志，不会丢；正在排队处理。',
    duplicate: '同一条消息（messageId 相同）之前已经收到过，所以只计一次。',
    erased: '它属于已被删除的客户，未被接收。',
    quarantined: (reason: string) => `不符合埋点方案：${reason}。它被保留在隔离区，修正后可以重放。`,
    toQuarantine: '去隔离区处理',
    refused: (reason: string) => `没有收下：${reason}`,
    refusedHint: '被拒收的事件不会保存，请在发送方修正后重发。',
    unknown: '时间太久，处理结果已不在最近记录里。',
    noCustomer: '它不归到任何客户：没有可用的标识。',
  },
  en: {
    became: 'What became of it',
    raw: 'As it came',
    rawNote: 'personal values masked, cut at 16 KB',
    source: 'Source',
    door: 'Door',
    at: 'Received',
    customer: 'Went to',
    open: 'Open the customer',
    created: 'A customer not known before: nobody had used these identifiers.',
    known: 'These identifiers already belong to this customer; the event went straight to the timeline.',
    merged: (count) => `This event joined ${count + 1} customers into one, since it carried strong identifiers of all of them.`,
    pending: 'In the log and safe; it waits to be applied.',
    duplicate: 'The same message (same messageId) came before, so it counts once.',
    erased: 'It is about a customer who was erased, and was not taken.',
    quarantined: (reason) => `It does not fit the tracking plan: ${reason}. It is kept in quarantine and can be replayed after a fix.`,
    toQuarantine: 'Go to quarantine',
    refused: (reason) => `It was not taken: ${reason}`,
    refusedHint: 'Refused events are not kept. Correct the sender and send again.',
    unknown: 'Too long ago: the outcome is no longer among the last ones.',
    noCustomer: 'It belongs to no customer: there was no usable identifier.',
  },
});

export function LiveDetail({ event }: { event: LiveEvent }) {
  const t = useText(texts);
  return (
    <div className="stack" style={{ gap: 14 }}>
      <div className="row between">
        <h2 style={{ fontSize: 16, fontWeight: 600 }} className="cut"><EventName type={event.type} /></h2>
        <Outcome outcome={event.outcome} />
      </div>
      <dl className="facts">
        <dt>{t.at}</dt><dd><Time at={event.at} exact seconds /></dd>
        <dt>{t.source}</dt><dd>{event.source === '' ? '—' : <Link to={`/data/sources/${event.source}`} className="mono">{event.source}</Link>}</dd>
        <dt>{t.door}</dt><dd className="mono">{event.door}</dd>
      </dl>
      <Became event={event} />
      <section>
        <h3 className="detail-head">{t.raw} <span className="faint small">{t.rawNote}</span></h3>
        <Json value={event.raw} height={420} />
      </section>
    </div>
  );
}

function Became({ event }: { event: LiveEvent }) {
  const t = useText(texts);
  const common = useText(words);
  const sentences: string[] = [];
  switch (event.outcome) {
    case 'applied':
      if (event.one_id === null) sentences.push(t.noCustomer);
      else if (event.created) sentences.push(t.created);
      else if (event.merges === 0) sentences.push(t.known);
      if (event.merges > 0) sentences.push(t.merged(event.merges));
      break;
    case 'pending': sentences.push(t.pending); break;
    case 'duplicate': sentences.push(t.duplicate); break;
    case 'erased': sentences.push(t.erased); break;
    case 'quarantined': sentences.push(t.quarantined(wordFor(common.planReason, event.reason))); break;
    case 'refused': sentences.push(t.refused(event.reason), t.refusedHint); break;
    case 'unknown': sentences.push(t.unknown); break;
    default: event.outcome satisfies never;
  }
  return (
    <section>
      <h3 className="detail-head">{t.became}</h3>
      {sentences.map((sentence) => <p key={sentence} className="soft">{sentence}</p>)}
      {event.outcome === 'quarantined' && (
        <Link to={`/data/quarantine?source=${encodeURIComponent(event.source)}&type=${encodeURIComponent(event.type)}`}><Button size="small" style={{ marginTop: 8 }}>{t.toQuarantine}</Button></Link>
      )}
      {event.one_id !== null && <CustomerCard oneId={event.one_id} />}
    </section>
  );
}

function CustomerCard({ oneId }: { oneId: string }) {
  const t = useText(texts);
  const customer = useQuery({ ...queries.customer(oneId), staleTime: 30_000 });
  const name = customer.data?.name ?? '';
  return (
    <div className="customer-card">
      <Avatar name={name} seed={oneId} size={36} />
      <div className="grow">
        <div className="row">{name !== '' && <strong>{name}</strong>}<OneId id={customer.data?.one_id ?? oneId} /></div>
        <div className="row wrap" style={{ gap: 4, marginTop: 4 }}>
          {customer.data?.identifiers.slice(0, 4).map((one) => <IdentifierMark key={one.row} type={one.type} value={one.value} verified={one.verified} />)}
        </div>
      </div>
      <Link to={`/customers/${oneId}`}><Button size="small">{t.open}</Button></Link>
    </div>
  );
}
