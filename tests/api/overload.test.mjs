// SPDX-License-Identifier: Apache-2.0
// N3: more requests at once than can be answered in time. What waited too long is refused with 429 and Retry-After
// before anything of it was read; what was taken is there once, what was refused is not; and who comes again gets in.
//
// The server is stopped by a signal while the requests are sent, so that all of them have waited when its one HTTP thread
// wakes: no figure of this test depends on how fast the machine is.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, sleep } from '../support/kith.mjs';

const WRITE_KEY = 'wk_of_the_tests';
const CROWD = 160;
const EVENTS = 150;
const WAIT_MS = 20;

let kith;
before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({
    arguments: ['--http-threads', '1', '--no-warehouse', '--door-wait', `${WAIT_MS}ms`], environment: { KITH_WRITE_KEY: WRITE_KEY },
  });
});
after(async () => kith?.remove());

const connect = () => new Promise((done, failed) => {
  const socket = net.connect(kith.port, '127.0.0.1', () => done(socket));
  socket.setNoDelay();
  socket.once('error', failed);
});

/** The next answer on `socket`: its status, its head, and whether it closes. */
function answer(socket) {
  return new Promise((done, failed) => {
    let text = '';
    const take = (part) => {
      text += part;
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      socket.off('data', take);
      socket.off('close', cut);
      done({ status: Number(text.slice(9, 12)), head: text.slice(0, end), body: text.slice(end + 4) });
    };
    const cut = () => failed(new Error(`cut after ${JSON.stringify(text)}`));
    socket.on('data', take);
    socket.once('close', cut);
  });
}

function request(user) {
  const properties = { name: '清润保湿精华水 200ml', list_id: '618-main-venue', note: 'x'.repeat(200) };
  const batch = Array.from({ length: EVENTS }, (_, index) =>
    ({ type: 'track', userId: user, event: 'Seen', messageId: `${user}-${index}`, properties }));
  const body = JSON.stringify({ batch });
  const key = Buffer.from(`${WRITE_KEY}:`).toString('base64');
  return `POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Basic ${key}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** All of them are in the server's sockets, and have waited longer than permitted, before it looks at one. */
async function sendAtOnce(sockets, requests) {
  const answered = sockets.map(answer);
  process.kill(kith.pid, 'SIGSTOP');
  try {
    await Promise.all(sockets.map((socket, index) => new Promise((sent) => socket.write(requests[index], sent))));
    await sleep(10 * WAIT_MS);
  } finally {
    process.kill(kith.pid, 'SIGCONT');
  }
  return Promise.all(answered);
}

const eventsOf = async (user) => {
  const customer = await kith.findBy('user_id', user);
  return customer === undefined ? 0 : (await kith.timeline(customer.one_id)).length;
};

test('what waited too long is refused, what is taken is there once', { skip: missingBinary, timeout: 120_000 }, async () => {
  const sockets = await Promise.all(Array.from({ length: CROWD }, connect));
  const users = Array.from({ length: CROWD }, (_, index) => `late-${index}`);
  const answers = await sendAtOnce(sockets, users.map(request));
  const refused = answers.filter((one) => one.status === 429);
  const taken = answers.filter((one) => one.status === 200);
  assert.equal(refused.length + taken.length, CROWD, answers.map((one) => one.status).join());
  assert.ok(refused.length > 0, 'nobody was refused');
  assert.ok(taken.length > 0, 'nobody was taken');
  for (const one of refused) {
    assert.match(one.head, /\r\nRetry-After: [1-9]\d*/i);
    assert.match(one.head, /\r\nContent-Type: application\/problem\+json/i);
    assert.equal(JSON.parse(one.body).code, 'busy');
    assert.doesNotMatch(one.head, /\r\nConnection: close/i, 'who was refused keeps the connection');
  }
  const metrics = await (await fetch(`${kith.url}/metrics`)).text();
  assert.equal(Number(/^kith_http_requests_late_total (\d+)/m.exec(metrics)?.[1]), refused.length);
  await kith.settled();
  for (const [index, one] of answers.entries())
    assert.equal(await eventsOf(users[index]), one.status === 200 ? EVENTS : 0, `events of ${users[index]}, answered ${one.status}`);

  // come again, one after the other: nothing waits any more, and nobody is refused
  for (const [index, one] of answers.entries()) {
    if (one.status === 200) continue;
    const again = answer(sockets[index]);
    sockets[index].write(request(users[index]));
    assert.equal((await again).status, 200);
  }
  await kith.settled();
  for (const user of users) assert.equal(await eventsOf(user), EVENTS, user);
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
});

test('the look at how the server is gets its answer in the middle of it', { skip: missingBinary, timeout: 60_000 }, async () => {
  const sockets = await Promise.all(Array.from({ length: CROWD }, connect));
  const looks = Array.from({ length: 20 }, () => 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  const rest = Array.from({ length: CROWD - 20 }, (_, index) => request(`look-${index}`));
  const answers = await sendAtOnce(sockets, [...rest, ...looks]);
  assert.ok(answers.slice(rest.length).every((one) => one.status === 200));
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
});
