// SPDX-License-Identifier: Apache-2.0
// server: the demo's own server process, started and ended by its process id, and its API.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const build = process.env.KITH_BUILD ?? join(root, 'build/release');
const READY_MS = 60_000;
const STOP_MS = 12_000; // the server itself ends within 10 s

export class Server {
  constructor({ folder, port, sandbox }) {
    this.sandbox = sandbox;
    this.folder = folder;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    // the demo's own right to the API; a new one each time
    this.token = randomBytes(24).toString('hex');
  }

  get logPath() {
    return join(this.folder, '..', 'server.log');
  }

  /** `launched` is called when there is a process, and so an end of it. */
  async start(launched = () => undefined) {
    const program = join(build, 'kith');
    if (!existsSync(program)) throw new Error(`no server at ${program}: build it with \`make build\``);
    mkdirSync(this.folder, { recursive: true });
    const log = createWriteStream(this.logPath, { flags: 'a' });
    // a group of its own: Ctrl-C reaches the demo first, which ends the server in order
    this.child = spawn(program, ['serve', '--data', this.folder, '--listen', `127.0.0.1:${this.port}`,
                                  '--sandbox', this.sandbox.url], {
      env: { ...process.env, KITH_ADMIN_TOKEN: this.token },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.lines = [];
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface(stream).on('line', (line) => {
        log.write(`${line}\n`);
        if (this.lines.length < 200) this.lines.push(line);
      });
    }
    this.ended = new Promise((done) => {
      this.child.once('error', (error) => done({ error }));
      this.child.once('exit', (code, signal) => done({ code, signal }));
    });
    this.ended.then((how) => (this.end = how));
    // however this process ends: the server goes with it
    process.once('exit', () => this.end ?? this.child.kill('SIGKILL'));
    launched();
    await this.ready();
  }

  /** "admin / password" as the server says it once, at its first start. */
  get login() {
    return this.lines.map((line) => line.match(/Sign in as: (.+)$/)?.[1]).find(Boolean);
  }

  async ready() {
    const end = Date.now() + READY_MS;
    while (Date.now() < end) {
      if (this.end) throw new Error(`the server ended at once:\n${this.lines.slice(-5).join('\n')}`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (answer?.status === 200) return;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`the server was not ready within ${READY_MS / 1000} s`);
  }

  async stop() {
    if (!this.child || this.end) return;
    this.child.kill('SIGTERM');
    const kill = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(kill);
  }

  async api(method, path, body) {
    return this.ask(method, path, body === undefined ? undefined : JSON.stringify(body), {
      authorization: `Bearer ${this.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    });
  }

  /** Events through the door of SDKs. */
  async collect(writeKey, batch) {
    const answer = await fetch(`${this.url}/v1/batch`, {
      method: 'POST', body: JSON.stringify({ batch }),
      headers: { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`, 'content-type': 'application/json' },
    });
    if (!answer.ok) throw new Error(`POST /v1/batch: ${answer.status} ${await answer.text()}`);
  }

  /** Bytes of a file. */
  put(path, bytes) {
    return this.ask('PUT', path, bytes, { authorization: `Bearer ${this.token}`, 'content-type': 'application/octet-stream' });
  }

  /** The API as this person has it, by her own session. */
  async as(login, password) {
    const answer = await fetch(`${this.url}/api/v1/session`, {
      method: 'POST', headers: { 'content-type': 'application/json', 'X-Kith-Request': '1' }, body: JSON.stringify({ login, password }),
    });
    if (!answer.ok) throw new Error(`signing in as ${login}: ${answer.status} ${await answer.text()}`);
    const cookie = answer.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
    return (method, path, body) =>
      this.ask(method, path, body === undefined ? undefined : JSON.stringify(body), { cookie, 'X-Kith-Request': '1', 'content-type': 'application/json' });
  }

  async ask(method, path, body, headers) {
    const answer = await fetch(`${this.url}/api/v1${path}`, { method, headers, body });
    const text = await answer.text();
    const value = text === '' ? undefined : JSON.parse(text);
    if (!answer.ok)
      throw new Error(`${method} ${path}: ${answer.status} ${value?.detail ?? value?.title ?? ''} ${JSON.stringify(value?.errors ?? value?.hint ?? '')}`);
    return value;
  }
}
