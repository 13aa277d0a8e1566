/* SPDX-License-Identifier: Apache-2.0 */
/* api-types: makes src/api/schema.ts from the server's OpenAPI document, or checks that it is current.
 *
 *     node tools/api-types.mjs write    after src/server/openapi.json changed
 *     node tools/api-types.mjs check    fails when the two differ
 */
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../../src/server/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.ts', import.meta.url);
const head = `/* SPDX-License-Identifier: Apache-2.0 */
/* schema: the API's types. Made from src/server/openapi.json by \`npm run api:generate\`; do not edit. */
/* eslint-disable */
`;

const made = head + astToString(await openapiTS(source, { alphabetize: false }));
if (process.argv[2] === 'write') {
  await writeFile(target, made);
} else {
  const kept = await readFile(target, 'utf8').catch(() => '');
  if (kept !== made) {
    console.error('web/src/api/schema.ts is not what src/server/openapi.json says: run `npm run api:generate` in web/');
    process.exit(1);
  }
}
