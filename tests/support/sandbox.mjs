// SPDX-License-Identifier: Apache-2.0
// sandbox: a real `kith sandbox` for a test, and its own interface; ended by its process id.
import { spawn } from 'node:child_process';
import { binary } from './kith.mjs';

export class Sandbox {
  /** `mail`: with a mail host, too (smtpPort). */
  static async start({ now, settings = {}, mail = false } = {}) {
    const sandbox = new Sandbox();
    sandbox.child = spawn(binary, ['sandbox', '--listen', '127.0.0.1:0', ...(mail ? ['--smtp', '127.0.0.1:0'] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
    sandbox.ended = new Promise((done) => sandbox.child.once('close', (code) => done(code)));
    const line = await new Promise((done, failed) => {
      let text = '';
      sandbox.child.stdout.on('data', (data) => (text += data).includes('\n') && done(text));
      sandbox.child.once('error', failed);
      sandbox.child.once('exit', (code) => failed(new Error(`the sandbox ended with ${code}`)));
    });
    sandbox.smtpPort = Number(/smtp on port (\d+)/.exec(line)?.[1]);
    sandbox.url = `http://127.0.0.1:${/http on port (\d+)/.exec(line)[1]}`;
    await sandbox.call('PUT', 'world', { settings });
    if (now) await sandbox.call('POST', 'clock', { now });
    return sandbox;
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.url}/sandbox/${path}`, { method, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} /sandbox/${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  world = (world) => this.call('PUT', 'world', world);
  /** All that was taken and fits: {total, distinct, repeated, messages}. */
  messages = (filter = {}) => this.call('GET', `messages?${new URLSearchParams({ limit: 1000, ...filter })}`);
  /** How many callbacks are still to be made. */
  pending = async () => (await this.call('GET', 'callbacks')).pending;

  async stop() {
    this.child.kill('SIGTERM');
    return this.ended;
  }
}
