// SPDX-License-Identifier: Apache-2.0
// Options in a file, and SIGHUP, which reads it again while requests are under way (N14).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, Kith, missingBinary, sleep, until } from '../support/kith.mjs';

const real = { skip: missingBinary };
let place;
before(() => (place = mkdtempSync(join(tmpdir(), 'kith-reload-'))));
after(() => rmSync(place, { recursive: true, force: true }));

const config = (...lines) => {
  const path = join(place, 'kith.conf');
  writeFileSync(path, lines.join('\n'));
  return path;
};

test('a file of options that is wrong is refused with its line', real, () => {
  const refused = [
    [['data = x', '', '# words', 'lisen = 127.0.0.1:1'], /kith\.conf, line 4, 'lisen': there is no such option/],
    [['in-flight = 4 apples'], /line 1, 'in-flight': .*'4 apples' is not a size/],
    [['door-wait 1s', 'door-wait 2s'], /line 2, 'door-wait': it is said twice/],
    [['listen'], /line 1, 'listen': its value is missing/],
    [['no-warehouse = perhaps'], /line 1, 'no-warehouse': it is yes or no/],
    [['config = other'], /line 1, 'config': there is no such option/],
    [['no-warehouse yes'], /--data DIR is missing/],
    [[`data = ${'x'.repeat(70_000)}`], /at most 64 KB/],
    [['data = a\0b'], /is no text/],
  ];
  for (const [lines, words] of refused) {
    const { status, stderr } = spawnSync(binary, ['serve', '--config', config(...lines)], { timeout: 10_000 });
    assert.equal(status, 2, stderr.toString());
    assert.match(stderr.toString(), words);
  }
  const missing = spawnSync(binary, ['serve', '--config', join(place, 'nothing')], { timeout: 10_000 });
  assert.match(missing.stderr.toString(), /--config '.*nothing' cannot be read/);
});

test('the command line goes before the file, and one file serves all commands', real, () => {
  const path = config('data = /nowhere/at/all', '  role\t=  any', 'in-flight = 64M', 'no-warehouse', 'quiet = yes');
  const check = spawnSync(binary, ['check', '--config', path], { timeout: 10_000 });
  assert.match(check.stderr.toString(), /\/nowhere\/at\/all/);
  const other = spawnSync(binary, ['check', '--data', join(place, 'other'), '--config', path], { timeout: 10_000 });
  assert.match(other.stderr.toString(), /other/);
});

test('SIGHUP takes what may change while it runs, and drops no request', real, async () => {
  const kith = await Kith.start({ arguments: ['--config', config('no-warehouse', 'in-flight = 64M')] });
  const count = (words) => kith.logTail(1_000_000).split('\n').filter((line) => words.every((word) => line.includes(word))).length;
  const reread = async (...lines) => {
    const before = count(['options_re']);
    config('no-warehouse', ...lines);
    process.kill(kith.pid, 'SIGHUP');
    await until('the file to be read', () => count(['options_re']) > before);
  };
  try {
    const { write_key: key } = await kith.source('shop');
    let sent = 0, stop = false;
    const client = async (n) => {
      while (!stop) {
        await kith.batch(key, [{ type: 'track', userId: `u${n}`, event: 'Tick', messageId: `m${sent++}`, properties: {} }]);
      }
    };
    const clients = Promise.allSettled(Array.from({ length: 8 }, (_, n) => client(n)));
    for (let round = 0; round < 20; round++) {
      await reread(`in-flight = ${32 + (round % 2)}M`, `door-wait = ${5 + round}s`);
      await sleep(50);
    }
    stop = true;
    for (const { reason } of await clients) assert.equal(reason, undefined); // any answer but 200 throws
    assert.ok(sent > 100);
    await kith.settled();
    assert.equal(count(['options_read']), 20);

    // a limit that is taken: bodies beyond it are refused, and taken again when it is lifted
    const large = [{ type: 'track', userId: 'u1', event: 'Tick', messageId: 'large', properties: { text: 'x'.repeat(20_000) } }];
    await reread('in-flight = 8K');
    await assert.rejects(kith.batch(key, large), (error) => error.status === 429);
    await reread('in-flight = 64M');
    await kith.batch(key, large);

    // proxies: whose address the audit has
    await reread('in-flight = 64M', 'trusted-proxies = 127.0.0.1');
    assert.equal(count(['option_changed', 'option=--trusted-proxies']), 1);

    // what cannot change is told, once; what is wrong changes nothing
    await reread('in-flight = 64M', 'trusted-proxies = 127.0.0.1', 'api-threads = 3');
    await reread('in-flight = 64M', 'trusted-proxies = 127.0.0.1', 'api-threads = 3');
    assert.equal(count(['option_needs_restart', 'option=--api-threads']), 1);
    await reread('in-flight = 1K', 'trusted-proxies = 127.0.0.1', 'api-threads = many');
    assert.equal(count(['options_refused', "line 4, 'api-threads'"]), 1);
    await kith.batch(key, [{ ...large[0], messageId: 'again' }]);
  } finally {
    await kith.remove();
  }
});
