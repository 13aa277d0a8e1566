// SPDX-License-Identifier: Apache-2.0
// support: the brand house of scene S1: its sources, and what they say of a person, as Segment items.
import { Kith } from '../support/kith.mjs';

const sources = {
  tmall: ['server', 'tmall'], jd: ['server', 'jd'], pdd: ['server', 'pdd'],
  mp_server: ['server', 'mini_program'], wecom: ['server', 'wecom'], store: ['server', 'store'],
  crm: ['server', 'crm'], h5: ['public', 'web'],
};

export const appid = 'wx3f1a6c0d5e7b2a91';
export const tmallApp = '33120458';
export const jdApp = '5f8c20d1';
export const pddApp = 'c4e90b73';
export const corp = 'ww6d2a81c05be94f37';

/** A phone of a segment that no operator has. */
export const phone = (number) => `154${String(number).padStart(8, '0')}`;

let messages = 0;

/** One statement: [source, item]. Segment wants a user or an anonymous id; a door has its own. */
export function say(source, item) {
  const own = item.userId || item.anonymousId ? {} : { anonymousId: item.context.externalIds[0].id };
  const messageId = `s1-${process.pid}-${String(messages++).padStart(8, '0')}`;
  return [source, { messageId, ...own, ...item }];
}

export const externals = (...list) => ({
  externalIds: list.map(([type, id, collection = 'users']) => ({ type, id, collection, encoding: 'none' })),
});

/** identify by `source`: identifiers, traits. */
export const known = (source, ids, traits = {}, more = {}) =>
  say(source, { type: 'identify', traits, context: externals(...ids), ...more });

export const did = (source, event, ids, properties = {}, more = {}) =>
  say(source, { type: 'track', event, properties, context: externals(...ids), ...more });

export const paid = (source, ids, orderId, yuan, more = {}) =>
  did(source, 'Order Paid', ids, { order_id: orderId, revenue: yuan, total: yuan, currency: 'CNY' }, more);

export class House {
  static async open(options) {
    const house = new House();
    house.kith = await Kith.start(options);
    house.keys = {};
    for (const [key, [kind, channel]] of Object.entries(sources))
      house.keys[key] = (await house.kith.source(key, kind, { channel })).write_key;
    return house;
  }

  /** In this order, each acknowledged before the next is sent. */
  async tell(statements) {
    for (const [source, item] of statements) await this.kith.batch(this.keys[source], [item]);
  }

  /** Who is known by it: the one_id, or undefined. */
  async who([type, value, namespace]) {
    const wanted = namespace === undefined || namespace === 'users' ? undefined : namespace;
    return (await this.kith.findBy(type, value, wanted))?.one_id;
  }

  close() {
    return this.kith?.remove();
  }
}

/** Run `work` for each of `items`, so many at a time. */
export async function eachOf(items, atATime, work) {
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      for (const [index, item] of queue) await work(item, index);
    }),
  );
}

/** A generator of chance by seed (mulberry32, Tommy Ettinger 2017). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function shuffled(list, chance) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}
