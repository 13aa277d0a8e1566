// SPDX-License-Identifier: Apache-2.0
// D12: a folder that an earlier version left is opened by this one, is whole, and answers as it did then.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { answersOf, digestLines, world } from '../fixtures/world.mjs';
import { Kith, binary, missingBinary } from '../support/kith.mjs';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../fixtures');
const versions = readdirSync(fixtures)
  .map((name) => /^folder-(.*)\.tar\.gz$/.exec(name)?.[1])
  .filter(Boolean);

test('D12: there is a folder of an earlier version to open', () => {
  assert.notEqual(versions.length, 0, `none in ${fixtures}`);
});

for (const version of versions) {
  test(`D12: a folder of ${version} has the same digests and gives the same answers`, { skip: missingBinary }, async () => {
    const kept = JSON.parse(readFileSync(join(fixtures, `folder-${version}.json`), 'utf8'));
    const outside = mkdtempSync(join(tmpdir(), 'kith-upgrade-'));
    const unpack = (name) => {
      mkdirSync(join(outside, name));
      const made = spawnSync('tar', ['-C', join(outside, name), '-xzf', join(fixtures, `folder-${version}.tar.gz`)], { encoding: 'utf8' });
      assert.equal(made.status, 0, made.stderr);
      return join(outside, name, 'folder');
    };
    const digests = digestLines(binary, unpack('digest')); // a copy: offline commands know today's clock alone
    const folder = unpack('serve');
    for (const [name, line] of Object.entries(kept.digests)) assert.equal(digests[name], line, `digest of ${name}`);
    const later = new Date(Date.parse(world.now) + 3_600_000).toISOString();
    const kith = await Kith.start({ folder, arguments: ['--virtual-clock'], environment: { KITH_NOW: later } });
    try {
      assert.deepEqual(JSON.parse(JSON.stringify(await answersOf(kith))), kept.answers);
      // and it goes on from there: what was due in a journey is done
      await kith.post('/clock', { advance: '3d' });
      assert.deepEqual((await answersOf(kith)).audit, true);
    } finally {
      await kith.stop();
    }
    const checked = spawnSync(binary, ['check', '--data', folder], { encoding: 'utf8' });
    assert.equal(checked.status, 0, checked.stderr + checked.stdout);
    rmSync(outside, { recursive: true, force: true });
    rmSync(kith.logPath, { force: true });
  });
}
