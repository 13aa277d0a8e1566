// SPDX-License-Identifier: Apache-2.0
// crowd: fills a house with as many names as a large brand has: 300 events, 500 tags, 800 groups, 5,000 products, 500 stores, all with
// names of the length that people give, so that every picker and list meets its size.
//
//     node tests/e2e/crowd.mjs http://127.0.0.1:8080 TOKEN      fills a server that runs
import { Buffer } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { eachOf } from '../s1/support.mjs';
import { Kith, until } from '../support/kith.mjs';

export const size = { events: 300, tags: 500, groups: 800, products: 5_000, stores: 500, customers: 60 };

const cities = ['上海', '杭州', '成都', '广州', '深圳', '武汉', '南京', '西安', '重庆', '苏州'];
const series = ['雪肌精萃', '水漾润泽', '紧致抗皱', '玫瑰舒缓', '海洋矿物', '草本平衡', '晨露保湿', '夜间修护'];
const forms = ['洁面乳', '爽肤水', '精华液', '面霜', '眼霜', '面膜', '防晒乳', '身体乳'];
const of = (list, n) => list[n % list.length];
const number = (n, digits) => String(n).padStart(digits, '0');

export const eventName = (n) => `Campaign Interaction ${number(n, 3)}`;
export const productId = (n) => `SKU-${number(n, 5)}`;
export const productName = (n) => `${of(series, n)}${of(forms, Math.floor(n / series.length))} ${30 + (n % 7) * 20}ml 第 ${n} 款`;
export const storeId = (n) => `ST${number(n, 4)}`;
export const groupId = (n) => `wr${number(n, 6)}`;
export const tagKey = (n) => `brand_tag_${number(n, 3)}`;

const csv = (head, rows) => Buffer.from(`${[head, ...rows].map((row) => row.join(',')).join('\n')}\n`);

const kinds = [
  {
    kind: 'product', file: () => csv(['id', 'name', 'brand', 'price'], Array.from({ length: size.products }, (_, n) => [productId(n), productName(n), `brand-${n % 12}`, `${59 + (n % 900)}.00`])),
    settings: { name: '商品', properties: { name: { type: 'text', name: '商品名' }, brand: { type: 'text', name: '品牌', object: 'brand' }, price: { type: 'number', name: '吊牌价（元）' } } },
    properties: { name: '[name]', brand: '[brand]', price: { expression: '[price]', type: 'number' } },
  },
  {
    kind: 'store', file: () => csv(['id', 'name', 'city'], Array.from({ length: size.stores }, (_, n) => [storeId(n), `${of(cities, n)}万象天地旗舰店（第 ${n} 号铺）`, of(cities, n)])),
    settings: { name: '门店', properties: { name: { type: 'text', name: '店名' }, city: { type: 'text', name: '城市' } } },
    properties: { name: '[name]', city: '[city]' },
  },
  {
    kind: 'group', file: () => csv(['id', 'name', 'store_id'], Array.from({ length: size.groups }, (_, n) => [groupId(n), `${of(cities, n)}护肤福利群 ${n} · 每周三上新`, storeId(n % size.stores)])),
    settings: { name: '社群', properties: { name: { type: 'text', name: '群名' }, store_id: { type: 'text', name: '所属门店', object: 'store' } } },
    properties: { name: '[name]', store_id: '[store_id]' },
  },
];

async function upload(kith, name, bytes) {
  const made = await kith.post('/uploads', { name, size_bytes: bytes.length });
  const answer = await fetch(`${kith.url}/api/v1/uploads/${made.id}?offset=0`, { method: 'PUT', headers: { authorization: `Bearer ${kith.token}`, 'content-type': 'application/octet-stream' }, body: bytes });
  if (!answer.ok) throw new Error(`upload of ${name}: ${answer.status} ${await answer.text()}`);
  return `upload:${made.id}`;
}

async function bringObjects(kith, { kind, file, settings, properties }) {
  await kith.put(`/object-kinds/${kind}`, settings);
  const mapping = { kind: 'objects', objects: [{ kind, id: '[id]', properties }] };
  const job = await kith.post('/imports', { file: await upload(kith, `${kind}.csv`, file()), mapping, data_set: kind });
  await until(`the objects '${kind}' to be there`, async () => {
    const { status, reason } = await kith.get(`/jobs/${job.id}`);
    if (status === 'failed') throw new Error(`${kind}: ${reason}`);
    return status === 'finished';
  }, { timeoutMs: 180_000 });
}

/** People who did a little of everything, each type once at least. */
async function bringEvents(kith) {
  const { write_key: key } = await kith.source('crowd', 'server', { channel: 'store', name: '门店小程序' });
  const items = Array.from({ length: size.events }, (_, n) => ({
    type: 'track', event: eventName(n), messageId: `crowd-${n}`, userId: `crowd-${n % size.customers}`,
    properties: { product_id: productId((n * 37) % size.products), store_id: storeId((n * 13) % size.stores), step: n },
  }));
  const people = Array.from({ length: size.customers }, (_, n) => ({ type: 'identify', messageId: `crowd-who-${n}`, userId: `crowd-${n}`, traits: { name: `顾客 ${n}`, store: storeId(n % size.stores) } }));
  await kith.batch(key, people);
  for (let from = 0; from < items.length; from += 100) await kith.batch(key, items.slice(from, from + 100));
}

const bringTags = (kith) =>
  eachOf(Array.from({ length: size.tags }, (_, n) => n), 8, (n) => kith.put(`/tags/${tagKey(n)}`, { name: `${of(series, n)}系列兴趣人群 ${n}`, on: 'customer', kind: 'manual', value_type: 'bool', folder: `系列/${of(series, n)}` }));

export async function fill(kith) {
  for (const kind of kinds) await bringObjects(kith, kind);
  await bringEvents(kith);
  await bringTags(kith);
  await kith.settled();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kith = Object.assign(new Kith(), { port: Number(new URL(process.argv[2]).port), token: process.argv[3] });
  const began = Date.now();
  await fill(kith);
  console.log(`filled in ${Date.now() - began} ms`);
}
