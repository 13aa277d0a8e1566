// SPDX-License-Identifier: Apache-2.0
// common_passwords: makes src/access/password_list.txt of lists of passwords, the most common first.
//
//     node tools/common_passwords.mjs COUNT FILE… >src/access/password_list.txt
//
// A line is a password, and perhaps its count behind white space. Taken are the first COUNT of those that have
// at least eight characters, in lower case, each once. What is kept is 64 bits of FNV-1a of each.
import { readFileSync } from 'node:fs';

const [count, ...files] = process.argv.slice(2);
const chosen = new Set();
for (const file of files)
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const password = line.trim().split(/\s+/)[0].toLowerCase();
    if (password.length >= 8 && chosen.size < Number(count)) chosen.add(password);
  }

const fnv1a = (text) =>
  Buffer.from(text, 'utf8').reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n), 0xcbf29ce484222325n);
const hashes = [...new Set([...chosen].map(fnv1a))].sort((a, b) => (a < b ? -1 : 1));
process.stdout.write(`# The ${hashes.length} most common passwords of at least eight characters, as hashes (FNV-1a, 64 bits), ascending: made by tools/common_passwords.mjs
# of data/passwords.txt of zxcvbn (github.com/dropbox/zxcvbn, MIT licence, Copyright 2012-2016 Dan Wheeler and Dropbox, Inc.; its source
# is Mark Burnett's ten million passwords, which are in the public domain). Hashes, since what people type is not for everybody's eyes.
${hashes.map((hash) => hash.toString(16).padStart(16, '0')).join('\n')}
`);
