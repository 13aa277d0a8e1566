// SPDX-License-Identifier: Apache-2.0
// receiver: a provider of webhooks that remembers every message by its key, and can be told to misbehave.
import http from 'node:http';

export class Receiver {
  /** `honours`: the same key twice is one message, as a provider that honours keys does. */
  static async start({ honours = true } = {}) {
    const receiver = new Receiver();
    Object.assign(receiver, { honours, got: new Map(), requests: 0, mode: 'ok', sockets: new Set() });
    receiver.server = http.createServer((request, answer) => receiver.take(request, answer));
    receiver.server.on('connection', (socket) => {
      receiver.sockets.add(socket);
      socket.on('close', () => receiver.sockets.delete(socket));
    });
    await new Promise((done) => receiver.server.listen(0, '127.0.0.1', done));
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/in`;
    return receiver;
  }

  take(request, answer) {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('error', () => {});
    request.on('end', () => {
      this.requests++;
      const mode = typeof this.mode === 'function' ? this.mode(this.requests) : this.mode;
      const key = (request.headers['webhook-id'] ?? '').replace(/^msg_/, '');
      if (mode === 'refuse') return answer.writeHead(503).end('later');
      const before = this.got.get(key);
      if (!before || !this.honours)
        this.got.set(key, { count: (before?.count ?? 0) + 1, body: Buffer.concat(parts).toString(), headers: request.headers });
      if (mode === 'hold') return undefined; // taken, and nothing is said for as long as the connection stands
      if (mode === 'reset') return request.socket.destroy(); // taken, and never said so
      answer.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
    });
  }

  async stop() {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }
}
