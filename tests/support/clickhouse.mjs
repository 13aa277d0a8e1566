// SPDX-License-Identifier: Apache-2.0
// clickhouse: a cluster of ClickHouse shards for a test, by tools/clickhouse, and a proxy that holds back what goes to one.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './kith.mjs';

const tool = join(root, 'tools/clickhouse');

/** Why tests with a cluster cannot run, or false: for node:test's `skip`. */
export const missingClickhouse = ['/usr/sbin/clickhouse-server', '/usr/bin/clickhouse-server'].some((path) => existsSync(path))
  ? false
  : 'ClickHouse is not installed: `make setup` brings it';

// They are servers of their own, whom nobody ends when the test that began them has ended or was ended (node --test ends one that
// takes too long by SIGTERM).
const running = new Set();
process.once('exit', () => running.forEach((cluster) => cluster.remove()));
for (const [signal, code] of [['SIGTERM', 143], ['SIGINT', 130]]) process.once(signal, () => process.exit(code));

export class Cluster {
  static start() {
    const cluster = new Cluster();
    running.add(cluster);
    cluster.folder = mkdtempSync(join(tmpdir(), 'kith-cluster-'));
    cluster.environment = { KITH_WAREHOUSE_USER: 'kith', KITH_WAREHOUSE_PASSWORD: "a shard's secret" };
    cluster.again();
    return cluster;
  }

  /** Starts the shards that do not run; their addresses for --warehouse. */
  again() {
    this.url = execFileSync(tool, ['start', this.folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
    this.urls = this.url.split(',');
    return this.url;
  }

  /** A shard ends as by a crash. */
  kill(shard) {
    execFileSync(tool, ['kill', this.folder, String(shard)], { stdio: 'ignore' });
  }

  pid(shard) {
    return Number(readFileSync(join(this.folder, String(shard), 'pid'), 'utf8'));
  }

  /** What a shard itself answers, past Kith. */
  async ask(shard, sql) {
    const answer = await fetch(this.urls[shard], { method: 'POST', body: sql });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text.trim();
  }

  remove() {
    running.delete(this);
    spawnSync(tool, ['kill', this.folder], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Passes bytes on, until it is told to hold them: what was sent waits then, and comes late, also of connections that the client
 *  has given up. */
export class SlowProxy {
  static async start(url) {
    const proxy = new SlowProxy();
    const { port } = new URL(url);
    proxy.holdsNew = false;
    proxy.ways = new Set();
    proxy.server = net.createServer({ allowHalfOpen: true }, (client) => proxy.connect(client, Number(port)));
    await new Promise((done) => proxy.server.listen(0, '127.0.0.1', done));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  connect(client, port) {
    const server = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const way = { held: this.holdsNew, waiting: [], sockets: [client, server] };
    const later = (act) => (way.held ? way.waiting.push(act) : act());
    this.ways.add(way);
    server.on('close', () => this.ways.delete(way));
    // What the client wrote reaches the server in the end, whatever became of the client: as in a network that lost its way.
    client.on('data', (bytes) => later(() => server.write(bytes)));
    client.on('end', () => later(() => server.end()));
    client.on('error', () => later(() => server.end()));
    server.on('data', (bytes) => later(() => client.writable && client.write(bytes)));
    server.on('end', () => later(() => client.end()));
    server.on('error', () => later(() => client.destroy()));
  }

  hold() {
    this.holdsNew = true;
    for (const way of this.ways) way.held = true;
  }

  /** What comes now overtakes what waits. */
  passNew() {
    this.holdsNew = false;
  }

  get waiting() {
    return [...this.ways].reduce((sum, way) => sum + way.waiting.length, 0);
  }

  /** Everything goes its way; what waited too. */
  pass() {
    this.holdsNew = false;
    for (const way of this.ways) {
      way.held = false;
      for (const act of way.waiting.splice(0)) act();
    }
  }

  remove() {
    for (const way of this.ways) for (const socket of way.sockets) socket.destroy();
    this.server.close();
  }
}
