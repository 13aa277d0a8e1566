// SPDX-License-Identifier: Apache-2.0
// warehouse: ask the warehouse of a running server in SQL, as the server does: over the Unix socket of its child.
import { readdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

/** Rows of `sql` as objects; its numbers as texts where they may be beyond 2^53. */
export function askWarehouse(kith, sql) {
  const folder = join(kith.folder, 'warehouse');
  const socketPath = readdirSync(folder).filter((name) => name.startsWith('socket-')).map((name) => join(folder, name))[0];
  if (!socketPath) throw new Error(`no socket of a warehouse in ${folder}`);
  return new Promise((done, failed) => {
    const request = http.request({ socketPath, method: 'POST', path: '/' }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', failed);
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        if (answer.statusCode !== 200) return failed(new Error(`${answer.statusCode}: ${text}`));
        done(text.split('\n').filter(Boolean).map((line) => JSON.parse(line)));
      });
    });
    request.on('error', failed);
    request.end(`${sql} FORMAT JSONEachRow`);
  });
}
