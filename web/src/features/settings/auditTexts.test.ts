/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever stands in the audit is told in words: the log's commands are read from the header that lists them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { auditTexts } from './auditTexts';

const header = readFileSync(new URL('../../../../src/engine/command.h', import.meta.url), 'utf8');
const commands = [...header.matchAll(/X\([A-Z_]+, "([a-z._]+)"/g)].map(([, name]) => name ?? '');

it('finds the commands', () => expect(commands).toContain('journey.put'));
it.each(['zh', 'en'] as const)('says every command in %s', (language) => {
  expect(commands.filter((name) => !Object.hasOwn(auditTexts[language].actions, name))).toEqual([]);
});
