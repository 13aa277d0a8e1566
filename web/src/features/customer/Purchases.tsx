/* SPDX-License-Identifier: Apache-2.0 */
/* Purchases: the tabs of orders, coupons and the skin file of a customer. */
import { useQueries, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { Tooltip } from 'antd';
import { Link } from 'react-router';
import { api } from '@/api/client';
import { queries } from '@/api/queries';
import { useLanguage, useText } from '@/app/preferences';
import { useMay } from '@/app/session';
import { titleOf } from '@/features/objects/objects';
import { readCatalogue } from '@/features/rules/catalogue';
import { propertyLabel } from '@/features/rules/vocabulary';
import { catalogue, wordFor } from '@/lib/text';
import { words } from '@/lib/words';
import { DataTable } from '@/ui/DataTable';
import { ChannelName, Money, Pill, Time, type Tone } from '@/ui/Marks';
import { Bones, Empty, Failure } from '@/ui/States';
import { couponsOf, couponTypes, matchingRule, ordersOf, orderTypes, skinFile, skinTypes, type Coupon, type Order, type OrderState, type SkinVersion } from './purchases';
import { customerTexts } from './texts';
import type { TimelineEvent } from './timeline';

const texts = catalogue({
  zh: {
    order: '订单号', at: '时间', state: '状态', lines: '商品', channel: '渠道', paid: '实付', refunded: '退款', net: '净额', noNumber: '没有订单号', items: (count: number) => `共 ${count} 件`,
    states: { placed: '待付款', paid: '已付款', shipped: '已发货', signed: '已签收', returned: '已退货', refunded: '已全额退款', refundedInPart: '部分退款', cancelled: '已取消' } satisfies Record<OrderState, string>,
    noOrders: '还没有订单', noOrdersHint: '下单、付款、退款和物流事件会在这里合成一张张订单。',
    coupon: '券', claimed: '领取', used: '使用', usedIn: '用于订单', unused: '未使用', denied: (why: string) => `被拒：${why}`, noCoupons: '还没有券', noCouponsHint: '她领过、用过、没用成的券都会列在这里。',
    version: (number: number) => `第 ${number} 次`, newest: '最近一次', was: (value: string) => `之前是 ${value}`, noSkin: '还没有肌肤档案', noSkinHint: '她做一次肌肤测试，这里就有第一份；每次复测都是新的一版，并说明变了什么。',
    goods: '适合她的商品', goodsHint: '商品属性里有同样的值', noGoods: '还没有商品写着这些值：在商品属性里写上适合的肤质、功效，就列在这里。',
    partial: '只读到最近的 200 条事件，更早的请在时间线里看。',
  },
  en: {
    order: 'Order', at: 'Time', state: 'State', lines: 'Products', channel: 'Channel', paid: 'Paid', refunded: 'Refunded', net: 'Net', noNumber: 'no number', items: (count) => `${count} items`,
    states: { placed: 'not paid', paid: 'paid', shipped: 'shipped', signed: 'signed for', returned: 'returned', refunded: 'refunded', refundedInPart: 'refunded in part', cancelled: 'cancelled' },
    noOrders: 'No orders yet', noOrdersHint: 'Events of ordering, paying, refunding and shipping come together here as orders.',
    coupon: 'Coupon', claimed: 'Claimed', used: 'Used', usedIn: 'In order', unused: 'not used', denied: (why) => `refused: ${why}`, noCoupons: 'No coupons yet', noCouponsHint: 'Coupons that she claimed, used, or could not use are listed here.',
    version: (number) => `Test ${number}`, newest: 'newest', was: (value) => `was ${value}`, noSkin: 'No skin file yet', noSkinHint: 'A skin test makes the first version; each retest a new one, which says what changed.',
    goods: 'Products for her', goodsHint: 'whose properties say the same', noGoods: 'No product says these values yet: once products name the skin or effect that they are for, they are listed here.',
    partial: 'Only the last 200 events were read; older ones are in the timeline.',
  },
});

const tones: Readonly<Record<OrderState, Tone>> = { placed: 'plain', paid: 'info', shipped: 'info', signed: 'good', returned: 'warn', refunded: 'bad', refundedInPart: 'warn', cancelled: 'plain' };

interface Read { events: TimelineEvent[]; isPending: boolean; error: unknown; isCut: boolean; retry: () => void }

function useEvents(oneId: string, types: readonly string[]): Read {
  return useQueries({
    queries: types.map((type) => queries.eventsOfType(oneId, type)),
    combine: (all: UseQueryResult<{ items: TimelineEvent[]; next_cursor: string | null }>[]): Read => ({
      events: all.flatMap((one) => one.data?.items ?? []), isPending: all.some((one) => one.isPending), error: all.find((one) => one.isError)?.error ?? null,
      isCut: all.some((one) => typeof one.data?.next_cursor === 'string'), retry: () => { for (const one of all) if (one.isError) void one.refetch(); },
    }),
  });
}

function Cut({ read }: { read: Read }) {
  const t = useText(texts);
  return read.isCut ? <p className="small faint" style={{ marginTop: 8 }}>{t.partial}</p> : null;
}

export function Orders({ oneId }: { oneId: string }) {
  const t = useText(texts);
  const common = useText(words);
  const read = useEvents(oneId, orderTypes);
  if (read.error !== null) return <Failure error={read.error} retry={read.retry} />;
  if (read.isPending) return <Bones rows={5} inset={0} />;
  const orders = ordersOf(read.events);
  if (orders.length === 0) return <Empty title={t.noOrders}>{t.noOrdersHint}</Empty>;
  return (
    <>
      <DataTable<Order>
        rowKey={(row) => `${row.id} ${row.events[0]?.seq ?? 0}`} dataSource={orders}
        columns={[
          { key: 'order', title: t.order, render: (_, row) => (row.id === '' ? <span className="faint">{t.noNumber}</span> : <span className="mono">{row.id}</span>) },
          { key: 'at', title: t.at, render: (_, row) => <Time at={row.at} exact /> },
          { key: 'state', title: t.state, render: (_, row) => <Pill tone={tones[row.state]}>{t.states[row.state]}</Pill> },
          { key: 'channel', title: t.channel, render: (_, row) => <span title={row.shop}><ChannelName channel={row.channel} /></span> },
          { key: 'lines', title: t.lines, render: (_, row) => <Lines order={row} /> },
          { key: 'net', title: t.net, align: 'right', render: (_, row) => <Tooltip title={<>{t.paid} <Money minor={row.paid} currency={row.currency} />{row.refunded > 0 && <> · {t.refunded} <Money minor={row.refunded} currency={row.currency} /></>}</>}><span tabIndex={0}>{row.paid === 0 && row.net === 0 ? <span className="faint">{common.none}</span> : <Money minor={row.net} currency={row.currency} />}</span></Tooltip> },
        ]}
      />
      <Cut read={read} />
    </>
  );
}

function Lines({ order }: { order: Order }) {
  const t = useText(texts);
  const common = useText(words);
  const [first] = order.lines;
  if (first === undefined) return <span className="faint">{common.none}</span>;
  const count = order.lines.reduce((sum, one) => sum + one.quantity, 0);
  return <Tooltip title={order.lines.map((one) => `${one.name} × ${one.quantity}`).join(', ')}><span className="row" style={{ gap: 6 }} tabIndex={0}><span className="cut" style={{ maxWidth: 180 }}>{first.name}</span>{count > 1 && <span className="faint small nowrap">{t.items(count)}</span>}</span></Tooltip>;
}

export function Coupons({ oneId }: { oneId: string }) {
  const t = useText(texts);
  const common = useText(words);
  const read = useEvents(oneId, couponTypes);
  if (read.error !== null) return <Failure error={read.error} retry={read.retry} />;
  if (read.isPending) return <Bones rows={4} inset={0} />;
  const coupons = couponsOf(read.events);
  if (coupons.length === 0) return <Empty title={t.noCoupons}>{t.noCouponsHint}</Empty>;
  return (
    <>
      <DataTable<Coupon>
        rowKey={(row) => `${row.id} ${row.events[0]?.seq ?? 0}`} dataSource={coupons}
        columns={[
          { key: 'coupon', title: t.coupon, render: (_, row) => <span className="row"><span className="cut" style={{ maxWidth: 220 }}>{row.name === '' ? common.none : row.name}</span>{row.id !== '' && row.id !== row.name && <span className="mono faint small">{row.id}</span>}</span> },
          { key: 'channel', title: t.channel, render: (_, row) => <ChannelName channel={row.channel} /> },
          { key: 'claimed', title: t.claimed, render: (_, row) => <Time at={row.claimedAt} exact /> },
          { key: 'used', title: t.used, render: (_, row) => (row.usedAt !== null ? <Time at={row.usedAt} exact /> : row.denied === '' ? <span className="faint">{t.unused}</span> : <Pill tone="warn">{t.denied(row.denied)}</Pill>) },
          { key: 'order', title: t.usedIn, render: (_, row) => (row.order === '' ? <span className="faint">{common.none}</span> : <span className="mono">{row.order}</span>) },
        ]}
      />
      <Cut read={read} />
    </>
  );
}

export function SkinFile({ oneId }: { oneId: string }) {
  const t = useText(texts);
  const values = useText(customerTexts).value;
  const language = useLanguage();
  const read = useEvents(oneId, skinTypes);
  if (read.error !== null) return <Failure error={read.error} retry={read.retry} />;
  if (read.isPending) return <Bones rows={4} inset={0} />;
  const file = skinFile(read.events);
  if (file.length === 0) return <Empty title={t.noSkin}>{t.noSkinHint}</Empty>;
  return (
    <>
    <ol className="skin-file">
      {file.map((one, at) => (
        <li key={one.version}>
          <div className="row wrap" style={{ gap: 8 }}><h3>{t.version(one.version)}</h3>{at === 0 && <Pill tone="accent">{t.newest}</Pill>}<ChannelName channel={one.channel} /><span className="faint small"><Time at={one.at} exact /></span></div>
          <dl className="facts">
            {one.facts.map((fact) => (
              <div key={fact.name} style={{ display: 'contents' }}>
                <dt title={fact.name}>{propertyLabel(fact.name, language)}</dt>
                <dd>{wordFor(values, fact.value)}{fact.before !== null && <span className="faint small"> · {t.was(wordFor(values, fact.before))}</span>}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ol>
    <Cut read={read} />
    <Goods version={file[0] as SkinVersion} />
    </>
  );
}

const goodsShown = 8;

/* Products that say in a property of the same name what her newest test says: her skin, or the effect that she needs. */
function Goods({ version }: { version: SkinVersion }) {
  const t = useText(texts);
  const may = useMay('segment.see');
  const catalogue = useQuery({ ...queries.ruleCatalogue(), select: readCatalogue, enabled: may });
  const known = catalogue.data?.objects.find((one) => one.kind === 'product')?.properties.map((one) => one.name) ?? [];
  const rule = matchingRule(version, known);
  const found = useQuery({ ...queries.rulePreview(JSON.stringify({ on: 'product', rule })), enabled: may && rule !== null });
  if (rule === null || found.isError) return null;
  return (
    <section aria-label={t.goods} style={{ marginTop: 16 }}>
      <h2 className="detail-head">{t.goods} <span className="faint small">{t.goodsHint}</span></h2>
      {found.data === undefined ? <Bones rows={2} inset={0} /> : found.data.sample.length === 0 ? <p className="small faint">{t.noGoods}</p> : <ul className="row wrap" style={{ gap: 12 }}>{found.data.sample.slice(0, goodsShown).map((id) => <li key={id}><Product id={id} /></li>)}</ul>}
    </section>
  );
}

function Product({ id }: { id: string }) {
  const product = useQuery({ queryKey: ['objects', 'one', 'product', id], queryFn: ({ signal }) => api.get('/objects/{kind}/{id}', { path: { kind: 'product', id }, signal }), staleTime: 60_000, retry: false });
  return <Link to={`/data/objects/product/${encodeURIComponent(id)}`}>{product.data === undefined ? <span className="mono">{id}</span> : titleOf(product.data)}</Link>;
}
