// SPDX-License-Identifier: Apache-2.0
// support: a load that remembers what it was told, so that after any number of deaths it can be asked:
// is all that was acknowledged there, once, and nothing that was refused?
import http from 'node:http';
import { sleep } from '../support/kith.mjs';
import { random } from '../s1/support.mjs';

export const seed = Number(process.env.KITH_SEED ?? Math.floor(Math.random() * 2 ** 31));
export { random };

/** One POST; resolves to { status } or { lost: true } when the connection broke. */
function post(agent, port, path, body, headers) {
  return new Promise((done) => {
    const request = http.request(
      { host: '127.0.0.1', port, path, method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (answer) => {
        answer.resume();
        answer.on('end', () => done({ status: answer.complete ? answer.statusCode : undefined, lost: !answer.complete }));
        answer.on('error', () => done({ lost: true }));
      },
    );
    request.on('error', () => done({ lost: true }));
    request.end(body);
  });
}

/** Are there touches that wait or are on their way? Two looks in a row, for a touch moves between these states while they are asked. */
export async function touchesUnderWay(kith) {
  for (let look = 0; look < 2; look++)
    for (const status of ['held', 'queued', 'sending'])
      if ((await kith.get(`/touches?status=${status}&limit=1`)).items.length > 0) return true;
  return false;
}

/** Asked again while the answer is 503, as it may be when the warehouse has just been killed, or has no time. */
async function patiently(ask, tries = 20) {
  for (let left = tries; ; left--) {
    try {
      return await ask();
    } catch (error) {
      if (error.status !== 503 || left === 0) throw error;
      await sleep(1000);
    }
  }
}

/**
 * Writers over `users` people. Each event has a number n of its own in props; what became of it:
 * acknowledged (must be there once), refused (must not), unknown (there once or not at all; sent again
 * later with the same message id, as an SDK does).
 */
export class Load {
  constructor(kith, keys, { users = 200, chance = random(seed), tag = 'k' } = {}) {
    Object.assign(this, { kith, keys, users, chance, tag });
    this.next = 0;
    this.acknowledged = new Set();
    this.refused = new Set();
    this.tracks = new Set();         // those that show their number
    this.unknown = [];               // requests whose answer got lost
    this.requests = 0;
    this.statuses = {};
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  }

  below(limit) {
    return Math.floor(this.chance() * limit);
  }

  /** An event with a number of its own; `who`: userId, anonymousId, or both. */
  item(who, type = 'track') {
    const n = this.next++;
    const base = { messageId: `${this.tag}-message-${n}`, ...who, timestamp: new Date().toISOString() };
    if (type === 'identify')
      return { n, item: { ...base, type, traits: { last_n: n, city: ['上海', '北京'][n % 2] } } };
    this.tracks.add(n);
    return { n, item: { ...base, type, event: 'Load Event', properties: { n } } };
  }

  user() {
    return { userId: `${this.tag}-user-${this.below(this.users)}` };
  }

  visitor() {
    return { anonymousId: `${this.tag}-visitor-${this.below(this.users)}` };
  }

  /** A request of some kind; `made` are the events in it. */
  compose() {
    const kind = this.below(20);
    const user = this.user();
    if (kind === 0) {
      // malformed as a whole: refused with a 4xx, and must leave nothing
      const one = this.item(user);
      return { made: [one], path: '/v1/batch', body: `{"batch":[${JSON.stringify(one.item)}` };
    }
    if (kind < 5) {
      const one = this.item(user);
      return { made: [one], path: '/v1/track', body: JSON.stringify(one.item) };
    }
    if (kind === 5) return this.composeSensors();
    const made = Array.from({ length: 1 + this.below(20) }, () => {
      const who = this.below(4) === 0 ? this.user() : this.below(8) === 0 ? this.visitor() : user;
      return this.item(who, this.below(10) === 0 ? 'identify' : 'track');
    });
    // a visitor signs in, and her past joins; a phone that many have: refused links
    if (kind > 16) Object.assign(made[0].item, user, this.visitor());
    if (kind === 19) made[0].item.context = { traits: { phone: `1600000${String(this.below(40)).padStart(4, '0')}` } };
    return { made, path: kind < 8 ? '/v1/import' : '/v1/batch', body: JSON.stringify({ batch: made.map((one) => one.item) }) };
  }

  composeSensors() {
    const made = [];
    const records = Array.from({ length: 1 + this.below(10) }, () => {
      const n = this.next++;
      made.push({ n });
      this.tracks.add(n);
      return {
        type: 'track', event: 'LoadEvent', time: Date.now(), _track_id: n, distinct_id: this.user().userId,
        properties: { $is_login_id: true, n },
      };
    });
    const data = Buffer.from(JSON.stringify(records)).toString('base64');
    return { made, path: `/sa?project=default&token=${this.keys.backend}`, body: `data_list=${encodeURIComponent(data)}&gzip=0` };
  }

  async send(request) {
    this.requests++;
    const headers = {
      authorization: `Basic ${Buffer.from(`${this.keys.backend}:`).toString('base64')}`,
      'content-type': 'application/json',
    };
    const { status, lost } = await post(this.agent, this.kith.port, request.path, request.body, headers);
    const told = lost ? 'lost' : status;
    this.statuses[told] = (this.statuses[told] ?? 0) + 1;
    if (status === 200) {
      for (const { n } of request.made) this.acknowledged.add(n);
      this.onAcknowledged?.();
    } else if (lost || status === 429 || status >= 500) this.unknown.push(request);
    else for (const { n } of request.made) this.refused.add(n);
    return { status, lost };
  }

  /** Kill the server in the very moment in which the `nth` acknowledgement from now on arrives. */
  killAtAcknowledgement(nth) {
    return new Promise((done) => {
      let left = nth;
      this.onAcknowledged = () => {
        if (--left > 0) return;
        this.onAcknowledged = undefined;
        this.kith.child?.kill('SIGKILL');
        done();
      };
    });
  }

  /** `writers` at a time until `stopped()`. What was lost goes first, then new requests. */
  async run(writers, stopped) {
    await Promise.all(
      Array.from({ length: writers }, async () => {
        while (!stopped()) {
          const request = this.unknown.length > 0 && this.below(2) === 0 ? this.unknown.shift() : this.compose();
          const { lost, status } = await this.send(request);
          if (lost || status === 429 || status === 503) await new Promise((done) => setTimeout(done, 5));
          // a repetition of what is known already: it must count once
          else if (this.below(15) === 0) await this.send(request);
        }
      }),
    );
  }

  /** Send what was lost until all of it is answered. */
  async settle() {
    for (let rounds = 0; this.unknown.length > 0 && rounds < 200; rounds++) {
      const again = this.unknown.splice(0);
      await Promise.all(again.slice(0, 32).map((request) => this.send(request)));
      this.unknown.push(...again.slice(32));
    }
    if (this.unknown.length > 0) throw new Error(`${this.unknown.length} requests were never answered`);
  }

  /** Everything of a customer. A first page without the warehouse's part (it was away, or too slow) says so, and is no answer yet. */
  async timeline(oneId) {
    const events = [];
    let cursor;
    do {
      const page = await patiently(async () => {
        const at = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
        const answer = await this.kith.get(`/customers/${oneId}/events?limit=500${at}`);
        if (answer.partial) throw Object.assign(new Error(`the timeline of ${oneId} is partial`), { status: 503 });
        return answer;
      }, 120);
      events.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return events;
  }

  /** Which numbers the timelines have how often; identifies have none and are counted. */
  async found() {
    const counts = new Map();
    const customers = new Set();
    let events = 0;
    let summed = 0;
    const people = Array.from({ length: this.users * 2 }, (_, i) =>
      i < this.users ? ['user_id', `${this.tag}-user-${i}`]
                     : ['anonymous_id', `${this.tag}-visitor-${i - this.users}`, 'backend']).values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const [type, value, namespace] of people) {
          const customer = await patiently(() => this.kith.findBy(type, value, namespace));
          if (!customer || customers.has(customer.one_id)) continue;
          customers.add(customer.one_id);
          summed += customer.summary.events;
          for (const event of await this.timeline(customer.one_id)) {
            events++;
            const n = event.props?.n;
            if (n !== undefined) counts.set(n, (counts.get(n) ?? 0) + 1);
          }
        }
      }),
    );
    return { counts, events, summed };
  }

  /** What is wrong, as sentences; empty when all is well. Everything must have been settled. */
  async verify() {
    const { counts, events, summed } = await this.found();
    const wrong = [];
    for (const [n, count] of counts)
      if (count !== 1) wrong.push(`event ${n} is there ${count} times`);
    for (const n of this.refused) if (counts.has(n)) wrong.push(`event ${n} was refused and is there`);
    for (const n of counts.keys())
      if (!this.acknowledged.has(n)) wrong.push(`event ${n} is there and was never acknowledged`);
    if (events !== this.acknowledged.size)
      wrong.push(`${this.acknowledged.size} events were acknowledged, the timelines have ${events}`);
    for (const n of this.tracks) if (this.acknowledged.has(n) && !counts.has(n)) wrong.push(`event ${n} was acknowledged and is lost`);
    if (events !== summed) wrong.push(`the timelines have ${events} events, the summaries ${summed}`);
    return { wrong, events };
  }

  close() {
    this.agent.destroy();
  }
}
