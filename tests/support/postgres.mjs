// SPDX-License-Identifier: Apache-2.0
// postgres: a PostgreSQL server for a test, by tools/postgres: started, killed, started again, removed.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './kith.mjs';

const tool = join(root, 'tools/postgres');
const programs = '/usr/lib/postgresql';

/** Why tests with a PostgreSQL server cannot run, or false: for node:test's `skip`. */
export const missingPostgres = existsSync(programs) && readdirSync(programs).length > 0
  ? false
  : 'PostgreSQL is not installed: `make setup` brings it';

export class Postgres {
  static start() {
    const postgres = new Postgres();
    postgres.folder = mkdtempSync(join(tmpdir(), 'kith-postgres-'));
    postgres.again();
    return postgres;
  }

  /** Starts it; its address for --ledger. */
  again() {
    this.url = execFileSync(tool, ['start', this.folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
    return this.url;
  }

  /** As a crash would end it. */
  kill() {
    execFileSync(tool, ['kill', this.folder], { stdio: 'ignore' });
  }

  remove() {
    spawnSync(tool, ['stop', this.folder], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
