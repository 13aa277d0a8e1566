// SPDX-License-Identifier: Apache-2.0
// D1 kill -9 at random moments under mixed load: every acknowledged event is there exactly once, nothing that
// was refused, and a clean replay of the log comes to the same digest. The warehouse's child dies too.
//
// KITH_KILLS says how often (default 12; 500 before a release), KITH_SEED repeats a run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Kith, missingBinary, sleep } from '../support/kith.mjs';
import { Load, random, seed } from './support.mjs';

const kills = Number(process.env.KITH_KILLS ?? 12);
const VERIFY_EVERY = 50;
const servers = [];
after(() => Promise.all(servers.map((kith) => kith.remove())));

/** Children of a process, by /proc. */
function childrenOf(pid) {
  const children = [];
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) children.push(Number(name));
    } catch {
      // it ended meanwhile
    }
  }
  return children;
}

async function open(options) {
  const kith = await Kith.start(options);
  servers.push(kith);
  const { write_key: backend } = await kith.source('backend');
  return { kith, keys: { backend } };
}

test(`D1: killed ${kills} times under load, nothing acknowledged is lost or doubled`,
  { skip: missingBinary, timeout: Math.max(600_000, kills * 12_000) },
  async (t) => {
    t.diagnostic(`KITH_SEED=${seed}`);
    const chance = random(seed);
    const { kith, keys } = await open({ readyMs: 180_000 });
    const load = new Load(kith, keys, { chance });
    const recoveries = [];
    let childKills = 0;
    for (let kill = 1; kill <= kills; kill++) {
      let stopped = false;
      const running = load.run(8, () => stopped);
      // between 1 ms and 3 s, as often short as long; or in the moment of an acknowledgement
      if (kill % 2 === 0) await load.killAtAcknowledgement(1 + Math.floor(chance() * 200));
      else await sleep(Math.exp(chance() * Math.log(3000)));
      if (kill % 4 === 1) {
        // the warehouse's child alone: the server goes on and starts another
        for (const child of childrenOf(kith.pid)) process.kill(child, 'SIGKILL'), childKills++;
        await sleep(chance() * 1500);
      }
      await kith.kill9();
      stopped = true;
      await running;
      await kith.launch();
      recoveries.push(kith.readyAfterMs);
      // the promise is for a machine that has time for it
      if (loadavg()[0] < 3 * cpus().length)
        assert.ok(kith.readyAfterMs <= 20_000, `kill ${kill}: ready after ${kith.readyAfterMs} ms\n${kith.logTail()}`);
      if (kill % VERIFY_EVERY === 0 && kill < kills) {
        await load.settle();
        await kith.settled();
        const { wrong } = await load.verify();
        assert.deepEqual(wrong.slice(0, 10), [], `after ${kill} kills`);
        t.diagnostic(`${kill} kills, nothing wrong`);
      }
    }
    await load.settle();
    await kith.flushed({ timeoutMs: 120_000 });
    const { wrong, events } = await load.verify();
    recoveries.sort((a, b) => a - b);
    t.diagnostic(`${kills} kills of the server, ${childKills} of the child; ${load.requests} requests ` +
                 `${JSON.stringify(load.statuses)}, ${events} events; ready after ` +
                 `${recoveries[recoveries.length >> 1]} ms (median), ${recoveries.at(-1)} ms (worst)`);
    assert.deepEqual(wrong.slice(0, 10), []);
    assert.ok(load.refused.size > 0, 'some requests were malformed, and refused');
    assert.ok(events > kills, 'there was load');

    // the state is a function of the log: a clean replay comes to the same digest
    await kith.stop();
    load.close();
    const into = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
    const offline = (command, ...more) => promisify(execFile)(
      kith.binary, [command, '--data', kith.folder, '--quiet', ...more], { timeout: 600_000 });
    await offline('check');
    const { stdout } = await offline('rebuild', '--into', into);
    rmSync(into, { recursive: true });
    t.diagnostic(stdout.trim().split('\n').at(-1));
  });
