// SPDX-License-Identifier: Apache-2.0
// As many requests in one moment as libmicrohttpd takes at a time from epoll: all of them are answered.
//
// The server is stopped by a signal while the requests are sent, so that they are all there when its one HTTP
// thread wakes. Its 0.9.75 forgets them when they are 128 (see epoll_wait in src/server/http.c).
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Kith, missingBinary } from '../support/kith.mjs';

let kith;
before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--http-threads', '1', '--no-warehouse'] });
});
after(async () => kith?.remove());

const connect = (port) => new Promise((done, failed) => {
  const socket = net.connect(port, '127.0.0.1', () => done(socket));
  socket.setNoDelay();
  socket.once('error', failed);
});

/** Resolves when `socket` has got `wanted` answers in all. */
function answers(socket, wanted) {
  return new Promise((done, failed) => {
    let text = '';
    const take = (part) => {
      text += part;
      if (text.split('HTTP/1.1 200').length - 1 < wanted) return;
      socket.off('data', take);
      done();
    };
    socket.on('data', take);
    socket.once('close', () => failed(new Error('the server closed the connection')));
  });
}

for (const crowd of [127, 128, 129, 256]) {
  test(`${crowd} requests at the same moment on one thread`, { skip: missingBinary, timeout: 60_000 }, async () => {
    const sockets = await Promise.all(Array.from({ length: crowd }, () => connect(kith.port)));
    const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    for (let round = 0; round < 5; round++) {
      const answered = sockets.map((socket) => answers(socket, 1));
      process.kill(kith.pid, 'SIGSTOP');
      try {
        await Promise.all(sockets.map((socket) => new Promise((sent) => socket.write(request, sent))));
      } finally {
        process.kill(kith.pid, 'SIGCONT');
      }
      let timer;
      const late = new Promise((_, failed) => {
        timer = setTimeout(() => failed(new Error(`round ${round}: some of ${crowd} requests are never answered`)), 10_000);
      });
      await Promise.race([Promise.all(answered), late]);
      clearTimeout(timer);
    }
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
    assert.equal((await fetch(`${kith.url}/healthz`)).status, 200);
  });
}
