// SPDX-License-Identifier: Apache-2.0
// kith: a real server for a test: start, stop, kill -9, restart, and its API, by process id alone.
//
// Every server has its own folder under the system's temporary folder, listens on 127.0.0.1 at a port of
// its own, and is ended by the test that started it. KITH_BINARY names another binary than
// build/release/kith.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = process.env.KITH_BINARY ?? join(root, 'build/release/kith');
export const adminToken = 'test-admin-token-0123456789abcdef';
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Why the tests of the real binary cannot run, or false: for node:test's `skip`. */
export const missingBinary = existsSync(binary)
  ? false
  : `no server at ${binary}: build it with \`make build\``;

export function freePort() {
  return new Promise((done, failed) => {
    const server = net.createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Ask again until `ask` gives something true; its last error or answer when time is up. */
export async function until(what, ask, { timeoutMs = 30_000, everyMs = 25 } = {}) {
  const end = Date.now() + timeoutMs;
  let last;
  do {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(everyMs);
  } while (Date.now() < end);
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: last });
}

export class Problem extends Error {
  constructor(status, body, method, path) {
    const detail = typeof body === 'string' ? body : `${body?.code ?? ''} ${body?.detail ?? body?.title ?? ''}`;
    super(`${method} ${path}: ${status} ${detail}`);
    this.status = status;
    this.body = body;
  }
}

const clusters = new Map(); // by data folder

export class Kith {
  /** Starts a server and waits until it is ready. */
  static async start(options = {}) {
    const kith = new Kith();
    kith.folder = options.folder ?? mkdtempSync(join(tmpdir(), 'kith-test-'));
    kith.keepFolder = options.folder !== undefined;
    kith.port = options.port ?? (await freePort());
    kith.arguments = options.arguments ?? [];
    kith.environment = options.environment ?? {};
    kith.binary = options.binary ?? binary;
    kith.token = options.token ?? adminToken;
    kith.readyMs = options.readyMs ?? 60_000;
    if (process.env.KITH_TEST_CLUSTER && !kith.arguments.includes('--warehouse')) await kith.useCluster();
    await kith.launch();
    return kith;
  }

  /** KITH_TEST_CLUSTER=1 has any test of a server run on two shards of ClickHouse instead of the embedded warehouse. */
  async useCluster() {
    const { Cluster } = await import('./clickhouse.mjs');
    this.cluster = clusters.get(this.folder) ?? Cluster.start();
    clusters.set(this.folder, this.cluster);
    this.arguments = [...this.arguments, '--warehouse', this.cluster.url];
    this.environment = { ...this.cluster.environment, ...this.environment };
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.child?.pid;
  }

  get logPath() {
    return `${this.folder}.log`;
  }

  async launch() {
    const log = openSync(this.logPath, 'a');
    this.child = spawn(
      this.binary,
      ['serve', '--data', this.folder, '--listen', `127.0.0.1:${this.port}`, ...this.arguments],
      {
        env: { ...process.env, KITH_ADMIN_TOKEN: this.token, ...this.environment },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    this.ended = new Promise((done) => {
      this.child.once('exit', (code, signal) => done({ code, signal }));
      this.child.once('error', (error) => done({ error }));
    });
    let end;
    this.ended.then((how) => (end = how));
    this.launchedAt = Date.now();
    await until(
      `the server at ${this.url} to be ready`,
      async () => {
        if (end) return true;
        const answer = await fetch(`${this.url}/readyz`);
        await answer.arrayBuffer();
        return answer.status === 200;
      },
      { timeoutMs: this.readyMs, everyMs: 10 },
    ).catch((error) => {
      throw new Error(`${error.message}\n${this.logTail()}`, { cause: error.cause });
    });
    if (end) throw new Error(`the server ended: ${JSON.stringify(end)}\n${this.logTail()}`);
    this.readyAfterMs = Date.now() - this.launchedAt;
  }

  logTail(lines = 30) {
    return existsSync(this.logPath)
      ? readFileSync(this.logPath, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
      : '';
  }

  /** SIGTERM; resolves to how it ended. */
  async stop({ timeoutMs = 20_000 } = {}) {
    if (!this.child) return undefined;
    this.child.kill('SIGTERM');
    const kill = setTimeout(() => this.child?.kill('SIGKILL'), timeoutMs);
    const how = await this.ended;
    clearTimeout(kill);
    this.child = undefined;
    return how;
  }

  async kill9() {
    this.child.kill('SIGKILL');
    await this.ended;
    this.child = undefined;
  }

  /** End it and remove its folder. */
  async remove() {
    await this.stop();
    this.cluster?.remove();
    if (!this.keepFolder) rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.logPath, { force: true });
  }

  // ---- the API ----

  async api(method, path, body, headers = {}) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    const isJson = (answer.headers.get('content-type') ?? '').includes('json');
    const value = isJson && text !== '' ? JSON.parse(text) : text;
    if (!answer.ok) throw new Problem(answer.status, value, method, path);
    return value;
  }

  get = (path) => this.api('GET', path);
  post = (path, body = {}, headers) => this.api('POST', path, body, headers);
  put = (path, body = {}, headers) => this.api('PUT', path, body, headers);

  /** A new source; its write key is in the answer. */
  source(key, kind = 'server', more = {}) {
    return this.post('/sources', { key, name: more.name ?? key, kind, protocol: 'segment', ...more });
  }

  /** Until everything acknowledged so far is applied; then the system's figures. */
  settled(options) {
    return until(
      'the engine to have applied the log',
      async () => {
        const system = await this.get('/system');
        return system.engine.applied_seq >= system.log.last_seq && system;
      },
      options,
    );
  }

  /** … and is in the warehouse. */
  flushed(options) {
    return until(
      'the log to be in the warehouse',
      async () => {
        const system = await this.get('/system');
        return (
          system.engine.applied_seq >= system.log.last_seq &&
          system.warehouse.ready &&
          system.warehouse.unflushed_rows === 0 &&
          system
        );
      },
      { timeoutMs: 60_000, ...options },
    );
  }

  customerBy(type, value, namespace) {
    const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`;
    return this.get(`/customers/by/${type}/${encodeURIComponent(value)}${query}`);
  }

  /** The same, or undefined where nobody is known by it. */
  async findBy(type, value, namespace) {
    try {
      return await this.customerBy(type, value, namespace);
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return undefined;
      throw error;
    }
  }

  /** All items of a list, page after page. */
  async all(path, { limit = 500 } = {}) {
    const items = [];
    let cursor;
    do {
      const mark = path.includes('?') ? '&' : '?';
      const at = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
      const page = await this.get(`${path}${mark}limit=${limit}${at}`);
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return items;
  }

  /** The whole timeline of a customer, oldest first. */
  async timeline(oneId) {
    return (await this.all(`/customers/${oneId}/events`)).reverse();
  }

  /** A Segment batch through the door; throws unless it is acknowledged. */
  async batch(writeKey, items, { path = '/v1/batch', more = {} } = {}) {
    const answer = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}` },
      body: JSON.stringify({ batch: items, ...more }),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Problem(answer.status, text, 'POST', path);
    return text;
  }
}

/**
 * A proxy that misbehaves as `plan(n, request)` says for the n-th POST (from 1): 'pass'; '503-before' (the
 * server never sees it), '503-after' (it does, the client is told otherwise), 'drop-after' (it does, the
 * connection is cut), 'drop-before'.
 */
export async function flakyProxy(target, plan) {
  const seen = [];
  let posts = 0;
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks);
      const how = request.method === 'POST' ? plan(++posts, request, body) : 'pass';
      seen.push({ method: request.method, path: request.url, how });
      if (how === '503-before') return response.writeHead(503, { 'retry-after': '0' }).end('busy');
      if (how === 'drop-before') return request.socket.destroy();
      const headers = { ...request.headers };
      delete headers.host;
      delete headers.connection;
      const { hostname, port } = new URL(typeof target === 'function' ? target() : target);
      const onward = http.request(
        { hostname, port, path: request.url, method: request.method, headers },
        (answer) => {
          const parts = [];
          answer.on('data', (part) => parts.push(part));
          answer.on('end', () => {
            if (how === '503-after') return response.writeHead(503, { 'retry-after': '0' }).end('busy');
            if (how === 'drop-after') return request.socket.destroy();
            response.writeHead(answer.statusCode, answer.headers);
            response.end(Buffer.concat(parts));
          });
        },
      );
      onward.on('error', () => request.socket.destroy());
      onward.end(body);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    port: server.address().port,
    seen,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(done);
      }),
  };
}
