// SPDX-License-Identifier: Apache-2.0
// support: every answer of the API is held against openapi.json; what was asked is counted by operation.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { root, adminToken } from '../support/kith.mjs';

export const openapi = JSON.parse(readFileSync(join(root, 'src/server/openapi.json'), 'utf8'));

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(openapi, 'openapi');
const compiled = new Map();

/** Every operation of the document, with the pattern of its path. */
export const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
    literals: path.split('/').filter((part) => !part.startsWith('{')).length,
    id: operation.operationId,
    permission: operation['x-permission'],
    operation,
  })),
);

export function operationOf(method, path) {
  const bare = path.split('?')[0];
  return operations
    .filter((one) => one.method === method && one.pattern.test(bare))
    .sort((a, b) => b.literals - a.literals)[0];
}

function validator(pointer) {
  if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile({ $ref: `openapi#${pointer}` }));
  return compiled.get(pointer);
}

const escape = (part) => part.replaceAll('~', '~0').replaceAll('/', '~1');

export const seen = { operations: new Map(), codes: new Set() };

function checkProblem(answer, where) {
  const validate = validator('/components/schemas/Problem');
  assert.equal(answer.type, 'application/problem+json', `${where}: ${answer.text}`);
  assert.ok(validate(answer.json), `${where}: ${ajv.errorsText(validate.errors)}\n${answer.text}`);
  assert.equal(answer.json.status, answer.status);
  assert.equal(answer.json.type, `urn:kith:problem:${answer.json.code}`);
  if (answer.status === 429 || answer.status === 503)
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/, `${where}: retry-after`);
  seen.codes.add(answer.json.code);
}

/** Does the answer say what the document promises for this operation and status? */
export function check(method, path, answer) {
  const where = `${method} ${path} → ${answer.status}`;
  const found = operationOf(method, path);
  if (answer.status >= 400) return checkProblem(answer, where);
  if (!found) return undefined;
  const declared = found.operation.responses[answer.status];
  assert.ok(declared, `${where}: this status is not in openapi.json`);
  seen.operations.set(found.id, (seen.operations.get(found.id) ?? 0) + 1);
  if (!declared.content) return assert.equal(answer.text, '', where);
  const [type] = Object.keys(declared.content);
  assert.equal(answer.type, type, where);
  if (type !== 'application/json') return undefined;
  const pointer =
    `/paths/${escape(found.path)}/${method.toLowerCase()}/responses/${answer.status}` +
    `/content/${escape(type)}/schema`;
  const validate = validator(encodeURI(pointer).replaceAll('{', '%7B').replaceAll('}', '%7D'));
  assert.ok(validate(answer.json), `${where}: ${ajv.errorsText(validate.errors)}\n${answer.text.slice(0, 2000)}`);
  return undefined;
}

/** One request; the answer is checked unless `unchecked`. */
export function ask(kith, method, path, options = {}) {
  const { token = adminToken, body, headers = {}, unchecked = false, base = '/api/v1' } = options;
  const full = path.startsWith('/api/') || base === '' ? path : base + path;
  const bytes =
    body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((done, failed) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port: kith.port,
        method,
        path: full,
        agent: options.agent ?? false,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(bytes === undefined ? {} : { 'content-length': Buffer.byteLength(bytes) }),
          ...headers,
        },
      },
      (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', failed);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          const type = (response.headers['content-type'] ?? '').split(';')[0];
          const answer = {
            status: response.statusCode,
            headers: response.headers,
            type,
            text,
            json: type.includes('json') && text !== '' ? JSON.parse(text) : undefined,
          };
          try {
            if (!unchecked) check(method, full, answer);
            done(answer);
          } catch (error) {
            failed(error);
          }
        });
      },
    );
    request.on('error', failed);
    request.end(bytes);
  });
}

/** The same, with the status that is expected; gives the body. */
export async function expect(kith, status, method, path, options) {
  const answer = await ask(kith, method, path, options);
  assert.equal(answer.status, status, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
  return answer.json ?? answer.text;
}

/** A problem with this status and code. */
export async function refused(kith, status, code, method, path, options) {
  const problem = await expect(kith, status, method, path, options);
  assert.equal(problem.code, code, JSON.stringify(problem));
  return problem;
}

/** Bytes over a socket of one's own; everything that comes back until it is closed or `ms` are over. */
export function raw(kith, bytes, { ms = 3000, end = false, pieces } = {}) {
  return new Promise((done) => {
    const socket = net.connect(kith.port, '127.0.0.1');
    let text = '';
    let closed = false;
    const finish = () => {
      socket.destroy();
      done({ text, closed, status: Number(/^HTTP\/1\.[01] (\d+)/.exec(text)?.[1] ?? 0) });
    };
    const timer = setTimeout(finish, ms);
    socket.on('data', (part) => (text += part.toString('latin1')));
    socket.on('close', () => {
      closed = true;
      clearTimeout(timer);
      finish();
    });
    socket.on('error', () => {});
    socket.on('connect', async () => {
      if (pieces) await pieces(socket);
      else socket.write(bytes);
      if (end) socket.end();
    });
  });
}

/** Users of each role with a token; made by the administrator. */
export async function users(kith) {
  const tokens = { administrator: adminToken };
  for (const role of ['viewer', 'operator']) {
    const password = `correct horse ${role} 9`;
    await expect(kith, 200, 'PUT', `/users/${role}`, { body: { role, password, name: role } });
    const session = await ask(kith, 'POST', '/session', { token: null, body: { login: role, password } });
    const cookie = session.headers['set-cookie'][0].split(';')[0];
    const made = await expect(kith, 201, 'POST', '/tokens', {
      token: null,
      body: { name: `${role} token` },
      headers: { cookie, 'x-kith-request': '1' },
    });
    tokens[role] = made.token;
  }
  return tokens;
}

export const track = (userId, event, properties = {}, more = {}) => ({
  type: 'track',
  userId,
  event,
  properties,
  messageId: `${userId}-${event}-${Math.random()}`,
  ...more,
});
export const identify = (userId, traits = {}, more = {}) => ({
  type: 'identify',
  userId,
  traits,
  messageId: `${userId}-${Math.random()}`,
  ...more,
});
