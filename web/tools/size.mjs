// SPDX-License-Identifier: Apache-2.0
// size: how much the first view brings over the wire, gzip: what index.html names, the page Today, and all that these
// import. Fails beyond the limit. `node tools/size.mjs [FOLDER]`, by default dist.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const limitKb = 500;
const folder = process.argv[2] ?? 'dist';
const page = readFileSync(join(folder, 'index.html'), 'utf8');
const named = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+|first-paint\.js)"/g)].map(([, path]) => path);
const today = readdirSync(join(folder, 'assets')).filter((name) => /^TodayPage-.*\.(js|css)$/.test(name)).map((name) => `assets/${name}`);
const seen = new Map();

function take(path) {
  if (seen.has(path) || !existsSync(join(folder, path))) return;
  const bytes = readFileSync(join(folder, path));
  seen.set(path, gzipSync(bytes, { level: 9 }).length);
  if (!path.endsWith('.js')) return;
  /* what is imported at once; what is imported when it is wanted says import(…) */
  for (const [, other] of bytes.toString('utf8').matchAll(/(?:\bfrom|\bimport)\s*["']\.\/([^"']+\.js)["']/g)) take(`assets/${other}`);
}

[...named, ...today].forEach(take);
const total = [...seen.values()].reduce((sum, size) => sum + size, gzipSync(page).length);
for (const [path, size] of [...seen].sort((a, b) => b[1] - a[1]).slice(0, 8)) console.log(`${(size / 1000).toFixed(1).padStart(8)} KB  ${path}`);
console.log(`${(total / 1000).toFixed(1).padStart(8)} KB  the first view, gzip, of at most ${limitKb}`);
if (total > limitKb * 1000) process.exitCode = 1;
