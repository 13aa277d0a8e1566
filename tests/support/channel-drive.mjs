// SPDX-License-Identifier: Apache-2.0
// The room `channel` as a child process (tests/drivers/channel_drive.c), and a small HTTP server that misbehaves on demand.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binary = process.env.KITH_BINARY ?? path.join(root, 'build/release/kith');
const driver = process.env.KITH_CHANNEL_DRIVER ?? path.join(path.dirname(binary), 'tests/drivers/channel_drive');

export class Drive {
  constructor(...options) {
    this.child = spawn(driver, options.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.results = new Map(); // touch → every result that was told for it
    this.receipts = [];
    this.waiting = new Map();
    this.listeners = new Set();
    this.next = 1;
    this.ended = once(this.child, 'exit');
    readline.createInterface({ input: this.child.stdout }).on('line', (line) => this.take(JSON.parse(line)));
  }

  take(said) {
    if (said.result) {
      const told = this.results.get(said.result.touch) ?? [];
      told.push(said.result);
      this.results.set(said.result.touch, told);
    } else if (said.receipts && said.id === undefined) {
      this.receipts.push(said);
    } else {
      this.waiting.get(said.id)?.(said);
      this.waiting.delete(said.id);
    }
    for (const listener of [...this.listeners]) listener();
  }

  ask(what, more = {}) {
    const id = this.next++;
    this.child.stdin.write(`${JSON.stringify({ id, do: what, ...more })}\n`);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  async put(key, kind, settings) {
    const said = await this.ask('put', { key, kind, settings });
    if (!said.ok) throw new Error(`${said.detail} (${said.pointer})`);
  }

  until(condition, timeout = 60000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { this.listeners.delete(look); reject(new Error('what was waited for did not come')); }, timeout);
      const look = () => {
        const found = condition();
        if (!found) return;
        clearTimeout(timer);
        this.listeners.delete(look);
        resolve(found);
      };
      this.listeners.add(look);
      look();
    });
  }

  result(touch) { return this.until(() => this.results.get(touch)?.[0]); }

  // Send one message and wait for what becomes of it.
  async send(account, message) {
    const touch = message.touch ?? this.next++;
    const said = await this.ask('send', { messages: [{ key: keyOf(touch), account, ...message, touch }] });
    if (!said.ok) throw new Error(said.detail);
    return this.result(touch);
  }

  async stop(timeout_ms = 0) {
    if (this.child.exitCode !== null) return;
    await this.ask('stop', { timeout_ms });
    this.child.stdin.end();
    await this.ended;
    if (this.child.exitCode !== 0) throw new Error(`channel_drive ended with ${this.child.exitCode}`);
  }
}

export const keyOf = (number) => number.toString(16).padStart(32, '0');

// A server whose `answer(request, response, body)` says what happens; keeps the requests.
export async function listen(answer) {
  const requests = [];
  const server = http.createServer((request, response) => {
    const pieces = [];
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString();
      const url = new URL(request.url, 'http://x');
      requests.push({ method: request.method, url: request.url, path: url.pathname, query: url.searchParams, headers: request.headers, body });
      answer(request, response, body, url);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  return {
    port, requests, server, url: `http://127.0.0.1:${port}`,
    close: () => { server.closeAllConnections(); server.close(); return once(server, 'close'); },
  };
}

export const json = (response, value, status = 200, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
};
