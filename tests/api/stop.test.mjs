// SPDX-License-Identifier: Apache-2.0
// N14, D13: SIGTERM under load loses nothing, SIGHUP disturbs nothing, a second server is refused; and the offline
// commands on what is left.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, freePort, Kith, missingBinary, root, sleep, until } from '../support/kith.mjs';
import { expect, track } from './support.mjs';

let kith, place;
const key = 'wk_of_the_tests';
const real = { skip: missingBinary };

before(async () => {
  if (missingBinary) return;
  place = mkdtempSync(join(tmpdir(), 'kith-stop-'));
  kith = await Kith.start({ folder: join(place, 'data'), environment: { KITH_WRITE_KEY: key } });
});
after(async () => {
  await kith?.remove();
  if (place) rmSync(place, { recursive: true, force: true });
});

/** Sends until `until()`; gives the message ids that were acknowledged, and how many requests broke after. */
async function load(clients, isOver) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const acknowledged = [];
  let n = 0;
  const one = () =>
    new Promise((done) => {
      const event = track(`load${n % 50}`, 'Loaded', { n: n++ });
      const request = http.request(
        {
          host: '127.0.0.1',
          port: kith.port,
          path: '/v1/track',
          method: 'POST',
          agent,
          headers: { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
        },
        (response) => {
          response.resume();
          response.on('end', () => {
            if (response.statusCode === 200) acknowledged.push(event.messageId);
            done(response.statusCode);
          });
          response.on('error', () => done(0));
        },
      );
      request.on('error', () => done(0));
      request.end(JSON.stringify(event));
    });
  const client = async () => {
    while (!isOver()) if ((await one()) !== 200) await sleep(5);
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return acknowledged;
}

test('SIGHUP is harmless, a second server is refused within a second', real, async () => {
  kith.child.kill('SIGHUP');
  await sleep(100);
  await expect(kith, 200, 'GET', '/healthz', { base: '', token: null });
  const start = Date.now();
  const second = spawnSync(binary, ['serve', '--data', kith.folder, '--listen', `127.0.0.1:${await freePort()}`], { timeout: 10_000 });
  assert.notEqual(second.status, 0);
  assert.ok(Date.now() - start < 2000, `it took ${Date.now() - start} ms`);
  assert.match(second.stderr.toString(), /kith: /);
  await expect(kith, 200, 'GET', '/readyz', { base: '', token: null });
});

test('SIGTERM under load: drained within 10 s, nothing acknowledged is lost', real, async () => {
  let over = false;
  const running = load(32, () => over);
  await sleep(1500);
  const start = Date.now();
  const how = await kith.stop();
  over = true;
  const acknowledged = await running;
  assert.deepEqual(how, { code: 0, signal: null });
  assert.ok(Date.now() - start < 10_000, `it took ${Date.now() - start} ms`);
  assert.ok(acknowledged.length > 100, `${acknowledged.length} acknowledged`);
  await kith.launch();
  let events = 0;
  for (let i = 0; i < 50; i++) {
    const customer = await kith.findBy('user_id', `load${i}`);
    events += customer?.summary.events ?? 0;
  }
  assert.ok(events >= acknowledged.length, `${acknowledged.length} acknowledged, ${events} there`);
  // A request whose answer was lost may be in, once: never more than were sent at the end.
  assert.ok(events <= acknowledged.length + 32, `${acknowledged.length} acknowledged, ${events} there`);
});

test('check, digest and rebuild of the stopped folder', real, async () => {
  // A decision by hand is in the log as well: an identifier taken off makes one customer more.
  await kith.batch(key, [{ type: 'identify', userId: 'load0', messageId: 'wrong-phone', traits: { phone: '13705926482' } }]);
  const one = await until('the phone to be hers', async () => {
    const found = await kith.findBy('user_id', 'load0');
    return found.identifiers.some((identifier) => identifier.type === 'mobile') && found;
  });
  const { row } = one.identifiers.find((identifier) => identifier.type === 'mobile');
  const parted = await expect(kith, 200, 'DELETE', `/customers/${one.one_id}/identifiers/${row}?reason=ticket`);
  assert.notEqual(parted.other, null);
  await kith.stop();
  const check = execFileSync(binary, ['check', '--data', kith.folder]).toString();
  assert.match(check, /log: \d+ blocks/);
  assert.match(check, /identity: 51 customers/);
  const digest = execFileSync(binary, ['digest', '--data', kith.folder, '--quiet']).toString();
  assert.match(digest, /^digest /m);
  const rebuilt = spawnSync(binary, ['rebuild', '--data', kith.folder, '--into', join(place, 'rebuilt')]);
  assert.equal(rebuilt.status, 0, rebuilt.stdout.toString() + rebuilt.stderr.toString());
  assert.match(rebuilt.stdout.toString(), /the same/);
  assert.ok(existsSync(join(place, 'rebuilt')));
  await kith.launch();
});

test('the command line says what is wrong', real, () => {
  const run = (...words) => spawnSync(binary, words, { timeout: 10_000 });
  const said = (result) => result.stderr.toString();
  assert.equal(run('version').status, 0);
  const help = run('help');
  assert.equal(help.status, 0);
  for (const word of ['serve', 'check', 'rebuild', '--data', '--listen', 'KITH_ADMIN_TOKEN']) assert.ok(help.stdout.toString().includes(word), word);
  assert.equal(run('dance').status, 2);
  assert.match(said(run('serve')), /--data DIR is missing/);
  assert.match(said(run('serve', '--data', place, '--colour', 'red')), /no option '--colour'/);
  assert.match(said(run('serve', '--data', place, '--listen', 'nowhere')), /--listen 'nowhere'/);
  assert.match(said(run('serve', '--data', place, '--in-flight', '4 apples')), /not a size/);
  assert.match(said(run('check', '--data', join(place, 'nothing'))), /there is no folder/);
  assert.match(said(run('rebuild', '--data', place)), /--into DIR is missing/);
  const token = spawnSync(binary, ['serve', '--data', join(place, 'short'), '--listen', '127.0.0.1:0', '--no-warehouse'], {
    timeout: 10_000,
    env: { ...process.env, KITH_ADMIN_TOKEN: 'short' },
  });
  assert.match(said(token), /KITH_ADMIN_TOKEN has 5 characters/);
});

test('docs/operations.md has every option, with its default and its words', real, () => {
  const help = execFileSync(binary, ['help']).toString();
  const page = readFileSync(join(root, 'docs/operations.md'), 'utf8').replaceAll('`', '').replaceAll('\\|', '|');
  const options = [...help.matchAll(/^ {4}(--\S+)( [A-Z:|]+)? +(.+?)(?: \(([^()]+)\))?$/gm)];
  assert.ok(options.length > 15);
  for (const [line, name, value = '', words, otherwise = ''] of options) {
    // two commands may have an option of one name: each has its row
    const rows = page.split('\n').filter((one) => one.startsWith(`| ${name}${value} |`));
    const row = rows.find((one) => one.includes(words.split(':')[0].trim())) ?? rows[0];
    assert.ok(row, `docs/operations.md has no row for '${line.trim()}'`);
    assert.ok(row.includes(`| ${otherwise} |`) || otherwise === '', `${name}: the default is ${otherwise}`);
    assert.ok(row.includes(words.split(':')[0].trim()), `${name}: '${words}'`);
  }
});
