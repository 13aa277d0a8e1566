// SPDX-License-Identifier: Apache-2.0
// sandbox: the providers of the demo, a `kith sandbox` of its own on a free port, started and ended by its process id.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from './server.mjs';

const STOP_MS = 5000;

export class Sandbox {
  /** `launched` is called when there is a process, and so an end of it. */
  async start(launched = () => undefined) {
    const program = join(build, 'kith');
    if (!existsSync(program)) throw new Error(`no server at ${program}: build it with \`make build\``);
    // a group of its own, as the server's: Ctrl-C reaches the demo first
    this.child = spawn(program, ['sandbox', '--listen', '127.0.0.1:0', '--smtp', '127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    this.ended = new Promise((done) => {
      this.child.once('error', (error) => done({ error }));
      this.child.once('exit', (code, signal) => done({ code, signal }));
    });
    this.ended.then((how) => (this.end = how));
    process.once('exit', () => this.end ?? this.child.kill('SIGKILL'));
    launched();
    const ports = await Promise.race([this.firstLine(), this.ended.then(() => undefined)]);
    if (!ports) throw new Error('the sandbox ended at once');
    [this.port, this.smtpPort] = ports;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  firstLine() {
    return new Promise((done) =>
      createInterface(this.child.stdout).once('line', (line) => done([...line.matchAll(/port (\d+)/g)].map((one) => Number(one[1])))));
  }

  async stop() {
    if (!this.child || this.end) return;
    this.child.kill('SIGTERM');
    const kill = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(kill);
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.url}${path}`, {
      method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`sandbox: ${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
