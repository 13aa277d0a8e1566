// SPDX-License-Identifier: Apache-2.0
// What a killed server and its children leave behind lies in the data folder, and the next start removes it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';

test('temporary files of a killed server go with the next start', { skip: missingBinary, timeout: 120_000 }, async () => {
  const outside = mkdtempSync(join(tmpdir(), 'kith-outside-'));
  const kith = await Kith.start({ environment: { TMPDIR: outside } });
  try {
    const folders = [join(kith.folder, 'scratch'), join(kith.folder, 'warehouse/scratch')];
    for (const folder of folders) assert.deepEqual(readdirSync(folder), []);
    writeFileSync(join(outside, 'kept'), 'not ours');
    for (const folder of folders) {
      mkdirSync(join(folder, 'clickhouse-embedded-1/data'), { recursive: true });
      writeFileSync(join(folder, 'clickhouse-embedded-1/data/part'), 'x');
      symlinkSync(outside, join(folder, 'elsewhere'));
    }
    await kith.kill9();
    await kith.launch();
    for (const folder of folders) assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(readdirSync(outside), ['kept'], 'links are not followed, and nothing of ours lies outside');
    assert.ok(existsSync(join(outside, 'kept')));
  } finally {
    await kith.remove();
    rmSync(outside, { recursive: true, force: true });
  }
});
