// SPDX-License-Identifier: Apache-2.0
// plain: where in a data folder can these values be read? Every file is searched as it lies; the log and the ledger also block by block
// and row by row, unpacked, with what the warehouse has asked of itself; so a value that only compression hides is found too.
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

/** Which of the values (texts) are in the file's bytes, read piece by piece. */
async function searchFile(path, values) {
  const found = new Set();
  const longest = Math.max(...values.map((value) => value.length));
  let tail = '';
  for await (const piece of createReadStream(path, { highWaterMark: 4 << 20 })) {
    const text = tail + piece.toString('latin1');
    for (const value of values) if (text.includes(value)) found.add(value);
    tail = text.slice(-longest);
  }
  return found;
}

/** LZ4's block format: literals and matches, no frame. */
export function unpackLz4(bytes, size) {
  const out = Buffer.alloc(size);
  let at = 0;
  let to = 0;
  while (at < bytes.length) {
    const token = bytes[at++];
    let literals = token >> 4;
    if (literals === 15) for (let more = 255; more === 255; literals += more) more = bytes[at++];
    bytes.copy(out, to, at, at + literals);
    at += literals;
    to += literals;
    if (at >= bytes.length) break;
    const back = bytes.readUInt16LE(at);
    at += 2;
    let length = (token & 15) + 4;
    if ((token & 15) === 15) for (let more = 255; more === 255; length += more) more = bytes[at++];
    for (let i = 0; i < length; i++, to++) out[to] = out[to - back];
  }
  if (to !== size) throw new Error(`a block of the log unpacks to ${to} bytes instead of ${size}`);
  return out;
}

/** Lines of hex that the shell of SQLite answers. */
function query(path, sql) {
  const answer = spawnSync('sqlite3', ['-readonly', path, sql], { encoding: 'latin1', maxBuffer: 1 << 30 });
  if (answer.status !== 0) throw new Error(`sqlite3 ${path}: ${answer.error ?? answer.stderr}`);
  return answer.stdout.split('\n').filter((line) => line !== '');
}

/** The records of every block, as one piece each. */
export function* logBlocks(folder) {
  for (const line of query(join(folder, 'log.db'), 'SELECT hex(body) FROM block ORDER BY first_seq')) {
    const block = Buffer.from(line, 'hex');
    const stored = block.subarray(40, 40 + block.readUInt32LE(32));
    yield block[5] === 1 ? unpackLz4(stored, block.readUInt32LE(28)) : stored;
  }
}

/** Every text and blob of every table. */
export function* ledgerValues(folder) {
  const path = join(folder, 'ledger.db');
  const columns = query(
    path,
    "SELECT m.name || ' ' || p.name FROM sqlite_schema m, pragma_table_info(m.name) p " +
      "WHERE m.type = 'table' AND p.type IN ('TEXT', 'BLOB')",
  );
  for (const line of columns) {
    const [table, column] = line.trim().split(' ');
    for (const hex of query(path, `SELECT hex("${column}") FROM "${table}" WHERE length("${column}") > 0`))
      yield { where: `${table}.${column}`, text: Buffer.from(hex, 'hex').toString('latin1') };
  }
}

/** Every place below the folder of a stopped server in which one of the values stands: [{where, value}]. */
export async function findPlain(folder, values, { beside = [] } = {}) {
  const found = [];
  for (const path of [...filesBelow(folder), ...beside.filter(existsSync)]) {
    if (statSync(path).size === 0) continue;
    for (const value of await searchFile(path, values))
      found.push({ where: path.startsWith(folder) ? path.slice(folder.length + 1) : basename(path), value });
  }
  if (existsSync(join(folder, 'log.db')))
    for (const block of logBlocks(folder)) {
      const text = block.toString('latin1');
      for (const value of values) if (text.includes(value)) found.push({ where: 'log.db, unpacked', value });
    }
  if (existsSync(join(folder, 'ledger.db')))
    for (const { where, text } of ledgerValues(folder))
      for (const value of values) if (text.includes(value)) found.push({ where: `ledger.db, ${where}`, value });
  return found;
}
