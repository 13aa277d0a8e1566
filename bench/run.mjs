// SPDX-License-Identifier: Apache-2.0
// run: starts the real server on an empty folder, drives it with bench/load over the demo brand house, and
// writes figures: build/bench/results.json, and a table for docs/measurements.md.
//
// Server, warehouse and load generator share the machine; nothing is pinned. Every row is bounded in time. The
// rows run in the order below on one folder, so that "known customers" are those that the import made.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync,
         writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = process.env.KITH_BUILD ?? join(root, 'build/release');
const out = process.env.KITH_BENCH_OUT ?? join(root, 'build/bench');
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const sources = ['tmall', 'jd', 'douyin', 'pdd', 'vip', 'mp_server', 'h5', 'app', 'wecom', 'store', 'crm'];
const TICKS_PER_SECOND = 100;
const SLICE = 1_000_000;

const usage = `usage: bench/run [options] [row …]
rows: import batches burst steady single reads memory restart (default: all these)
      overload: more than it can take (N3), fair: a quiet source beside one that floods (N4), only when they are named
      or the name of an executable in build/release/bench: a bench of one room
  --customers N    known customers (default 1000000)
  --events X       events per customer in the import (default 3)
  --seconds X      of the long row, batches (default 60; the goal speaks of 300)
  --short X        of the other rows (default 20)
  --rate X         events offered per second by overload (default 200000)
  --data FOLDER    the server's folder (default: a temporary one, removed)
  --keep           do not remove it
  --perf           record where the time goes (needs perf)
  --write FILE     put the table between the marks of FILE (docs/measurements.md)
  --help`;

// ---- the server ----

class Server {
  constructor(folder) {
    this.folder = folder;
    this.token = 'bench-admin-token-0123456789';
    this.port = 18100 + (process.pid % 800);
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async start() {
    const log = openSync(`${this.folder}.log`, 'a');
    const launched = performance.now();
    this.child = spawn(join(build, 'kith'), ['serve', '--data', this.folder, '--listen', `127.0.0.1:${this.port}`], {
      env: { ...process.env, KITH_ADMIN_TOKEN: this.token }, stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.ended = new Promise((done) => this.child.once('exit', (code, signal) => done({ code, signal })));
    let end;
    this.ended.then((how) => (end = how));
    for (;;) {
      if (end) throw new Error(`the server ended (${JSON.stringify(end)}); see ${this.folder}.log`);
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (answer?.status === 200) break;
      await sleep(5);
    }
    return performance.now() - launched;
  }

  async kill9() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async stop() {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await this.ended;
  }

  async api(method, path, body) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  system() {
    return this.api('GET', '/system');
  }

  /** The histograms of /metrics: by name, how many observations up to which microseconds. */
  async histograms() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const found = {};
    for (const [, name, edge, count] of text.matchAll(/^kith_(\w+)_microseconds_bucket\{le="([^"]+)"\} (\d+)$/gm))
      (found[name] ??= []).push([edge === '+Inf' ? Infinity : Number(edge), Number(count)]);
    return found;
  }

  async counter(name) {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return Number(text.match(new RegExp(`^${name} (\\d+)$`, 'm'))[1]);
  }

  /** Seconds until everything is applied. */
  async applied() {
    const start = performance.now();
    for (;;) {
      const { engine, log } = await this.system();
      if (engine.applied_seq >= log.last_seq) return (performance.now() - start) / 1000;
      await sleep(20);
    }
  }

  /** Seconds until everything is applied and in the warehouse. */
  async drained(timeoutMs = 600_000) {
    const start = performance.now();
    for (;;) {
      const { engine, log, warehouse } = await this.system();
      if (engine.applied_seq >= log.last_seq && warehouse.unflushed_rows === 0) break;
      if (performance.now() - start > timeoutMs) throw new Error('the flush did not come to an end');
      await sleep(100);
    }
    return (performance.now() - start) / 1000;
  }
}

// ---- /proc: memory and time of processes and threads ----

const childrenOf = (pid) =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
    } catch {
      return false;
    }
  });

function memoryMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(/VmRSS:\s+(\d+)/)[1]) / 1024;
}

/** CPU seconds by thread name. */
function threadSeconds(pid, prefix = '') {
  const seconds = {};
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    const name = prefix + stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')).replace(/[-_ ]?\d+$/, '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    seconds[name] = (seconds[name] ?? 0) + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }
  return seconds;
}

function allSeconds(server) {
  const seconds = threadSeconds(server.child.pid);
  for (const child of childrenOf(server.child.pid)) {
    seconds['warehouse child'] = (seconds['warehouse child'] ?? 0) + sum(Object.values(threadSeconds(child)));
  }
  return seconds;
}

/** CPU seconds of the whole machine, all processes and the kernel. */
function machineSeconds() {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND;
}

const sum = (values) => values.reduce((total, one) => total + one, 0);

// ---- prepared requests ----

function world(file, options, keys = 'keys') {
  const path = join(out, file);
  const arguments_ = ['--out', path, '--keys', join(out, keys), '--seed', '1', ...options.map(String)];
  execFileSync(join(build, 'bench/world'), arguments_, { stdio: ['ignore', 'inherit', 'inherit'] });
  return path;
}

let passes = 0;
async function load(server, name, options, { beside } = {}) {
  const isRead = options.includes('--get');
  const arguments_ = ['--port', server.port, '--name', name, ...(isRead ? ['--token', server.token] : ['--pass', passes]), ...options];
  const child = spawn(join(build, 'bench/load'), arguments_.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (part) => (text += part));
  let generatorSeconds = 0;
  let others = 0;
  const start = { at: performance.now(), machine: machineSeconds(), own: sum(Object.values(allSeconds(server))) };
  const watch = setInterval(() => {
    try {
      generatorSeconds = sum(Object.values(threadSeconds(child.pid)));
      const own = sum(Object.values(allSeconds(server))) - start.own + generatorSeconds;
      const seconds = (performance.now() - start.at) / 1000;
      others = Math.max(0, machineSeconds() - start.machine - own) / (seconds * os.cpus().length);
    } catch {
      // it has just ended
    }
  }, 200);
  const [result] = await Promise.all([
    new Promise((done, failed) => child.once('close', () => {
      clearInterval(watch);
      try {
        done(JSON.parse(text.trim().split('\n').at(-1)));
      } catch {
        failed(new Error(`${name}: the load generator said: ${text}`));
      }
    })),
    beside?.(),
  ]);
  // the next run begins with passes of its own: no event is a duplicate
  if (!isRead) passes = result.last_pass + 1;
  if (result.failed > 0 || result.broken > 0 || result.unanswered > 0)
    throw new Error(`${name}: ${result.failed} failed, ${result.broken} broken, ${result.unanswered} unanswered; ${result.first_failure}`);
  // what else ran on the machine meanwhile, as a share of all cores: above a tenth the figure is worth little
  return { ...result, generatorSeconds, others };
}

// ---- the rows ----

const rows = {
  /** A million customers at a time, so that the prepared requests fit beside the server. */
  async import(server, options) {
    const total = { events: 0, seconds: 0, refused_requests: 0, refused_events: 0, p99_ms: 0, others: 0 };
    const start = performance.now();
    let preparing = 0;
    for (let first = 0; first < options.customers; first += SLICE) {
      const preparedAt = performance.now();
      const file = world('import.jsonl', ['--form', 'segment', '--order', 'time', '--batch', 100,
        '--customers', options.customers, '--first', first, '--last', Math.min(first + SLICE, options.customers),
        '--events-per-customer', options.events]);
      const count = fileEvents(file);
      preparing += performance.now() - preparedAt;
      const run = await load(server, 'import', ['--file', file, '--path', '/v1/import', '--connections', 32,
        '--retry', '--seconds', 3600, '--count', count]);
      passes = 0;   // the next slice is other people
      rmSync(file);
      for (const what of ['events', 'seconds', 'refused_requests', 'refused_events']) total[what] += run[what];
      total.p99_ms = Math.max(total.p99_ms, run.p99_ms);
      total.others = Math.max(total.others, run.others);
    }
    passes = 1;
    const drained = await server.drained();
    const whole = (performance.now() - start - preparing) / 1000;
    const system = await server.system();
    return { ...total, per_second: total.events / total.seconds, goal: 100_000, unit: 'ev/s', whole_seconds: whole,
             drained_seconds: drained, counts: system.counts };
  },

  async batches(server, options) {
    const result = { runs: [] };
    for (const size of [20, 50, 100]) {
      const file = world('batches.jsonl', ['--form', 'segment', '--order', 'time', '--batch', size, '--one-each', '--fresh',
        '--customers', options.customers, '--events-per-customer', options.events]);
      const seconds = size === 50 ? options.seconds : options.short;
      const before = allSeconds(server);
      const begin = memoryMb(server.child.pid);
      const run = await load(server, `batches of ${size}`, ['--file', file, '--path', '/v1/batch', '--connections', 64,
        '--seconds', seconds, '--warm-up', 2], { beside: size === 50 && options.perf ? () => perf(server, 5) : undefined });
      const after = allSeconds(server);
      run.server_mb = [begin, memoryMb(server.child.pid)];
      const system = await server.system();
      run.unflushed_rows = system.warehouse.unflushed_rows;
      run.lag = system.engine.lag;
      run.drained_seconds = await server.drained();
      if (size === 50) run.microseconds = whereItGoes(before, after, run);
      result.runs.push({ size, ...run });
      rmSync(file);
    }
    return { ...result.runs[1], runs: result.runs, goal: 80_000, unit: 'ev/s' };
  },

  async burst(server, options) {
    const file = freshBatches(options, 50);
    const result = await load(server, 'burst', ['--file', file, '--path', '/v1/batch', '--connections', 256,
      '--seconds', Math.min(60, options.short * 3), '--rate', 120_000]);
    result.drained_seconds = await server.drained();
    return { ...result, goal: 120_000, unit: 'ev/s' };
  },

  async steady(server, options) {
    const before = await server.histograms();
    const result = await load(server, 'steady', ['--file', freshBatches(options, 20), '--path', '/v1/batch',
      '--connections', 32, '--seconds', options.short, '--warm-up', 2, '--rate', 10_000]);
    return { ...result, causes: between(before, await server.histograms()), goal: 10, unit: 'ms p99' };
  },

  async single(server, options) {
    const file = world('events.jsonl', ['--form', 'events', '--order', 'time', '--one-each', '--fresh',
      '--customers', Math.min(options.customers, 400_000), '--events-per-customer', options.events]);
    const runs = [];
    for (const connections of [64, 128, 256]) {
      const run = await load(server, `single, ${connections} connections`,
        ['--file', file, '--connections', connections, '--seconds', options.short, '--warm-up', 2]);
      run.drained_seconds = await server.drained();
      runs.push({ connections, ...run });
    }
    rmSync(file);
    return { ...runs[0], runs, goal: 30_000, unit: 'requests/s' };
  },

  async reads(server, options) {
    const file = world('lookups.txt', ['--form', 'lookups', '--order', 'time', '--one-each',
      '--customers', options.customers, '--events-per-customer', options.events]);
    const writes = freshBatches(options, 20);
    let beside;
    // processor time of a read, without anything beside it: what the machine's other work disturbs least
    const before = sum(Object.values(threadSeconds(server.child.pid)));
    const alone = await load(server, 'reads alone',
      ['--file', file, '--get', '--connections', 64, '--seconds', Math.min(10, options.short), '--rate', 10_000]);
    const cpu_us = ((sum(Object.values(threadSeconds(server.child.pid))) - before) / alone.requests) * 1e6;
    const result = await load(server, 'reads',
      ['--file', file, '--get', '--connections', 64, '--seconds', options.short, '--warm-up', 2, '--rate', 20_000],
      { beside: async () => {
        beside = await load(server, 'beside the reads', ['--file', writes, '--path', '/v1/batch', '--connections', 16,
          '--seconds', options.short + 2, '--rate', 10_000]);
      } });
    return { ...result, beside, cpu_us, goal: 2, unit: 'ms p99' };
  },

  /** N3: what is too much is told so, what was acknowledged is there, memory is bounded, and then all is well. */
  async overload(server, options) {
    const file = freshBatches(options, 50);
    const before = { histograms: await server.histograms(), applied: await server.counter('kith_events_applied_total') };
    const [child] = childrenOf(server.child.pid);
    const samples = [];
    const watch = setInterval(() => samples.push([memoryMb(server.child.pid), memoryMb(child)]), 1000);
    const result = await load(server, 'overload', ['--file', file, '--path', '/v1/batch', '--connections', 3000,
      '--seconds', options.seconds, '--rate', options.rate]).finally(() => clearInterval(watch));
    const ended = performance.now();
    const times = between(before.histograms, await server.histograms());
    const probe = await server.api('GET', '/system');
    const recovered = await server.applied();
    const after_seconds = (performance.now() - ended) / 1000;
    const calm = (name) => load(server, name, ['--file', freshBatches(options, 20), '--path', '/v1/batch', '--connections', 32,
      '--seconds', 8, '--rate', 10_000]);
    const after = await calm('right after it');
    await sleep(Math.max(0, ended + 10_000 - performance.now()));
    const normal = await calm('10 s after it');
    const drained = await server.drained();
    const applied = (await server.counter('kith_events_applied_total')) - before.applied;
    const acknowledged = result.events + after.events + normal.events;
    if (applied !== acknowledged) throw new Error(`overload: ${acknowledged} events were acknowledged, ${applied} applied`);
    const [third, rest] = [samples.slice(samples.length / 3, (2 * samples.length) / 3), samples.slice((2 * samples.length) / 3)];
    const highest = (some, which) => Math.max(0, ...some.map((one) => one[which]));
    return { ...result, applied, times, lag: probe.engine.lag, recovered_seconds: recovered, after, normal, after_seconds, drained_seconds: drained,
             waited_ms: performance.now() - ended, server_mb: [highest(third, 0), highest(rest, 0)],
             child_mb: [highest(third, 1), highest(rest, 1)], goal: 200, unit: 'ms p99 of what is taken' };
  },

  /** N4: what a source that sends little waits, alone and beside one that sends as fast as it is taken, without a limit and with one. */
  async fair(server, options) {
    const file = {};
    for (const [key, size] of [['flood', 50], ['quiet', 5]]) {
      const there = (await server.api('GET', '/sources')).items.some((source) => source.key === key);
      const made = there ? await server.api('POST', `/sources/${key}/rotate`)
        : await server.api('POST', '/sources', { key, name: key, kind: 'server', protocol: 'segment' });
      writeFileSync(join(out, `keys-${key}`), sources.map((one) => `${one} ${made.write_key}\n`).join(''), { mode: 0o600 });
      file[key] = world(`${key}.jsonl`, ['--form', 'segment', '--order', 'time', '--batch', size, '--one-each', '--fresh',
        '--customers', key === 'flood' ? options.customers : 20_000, '--events-per-customer', options.events], `keys-${key}`);
    }
    const quiet = (name, flood) => load(server, name, ['--file', file.quiet, '--path', '/v1/batch', '--connections', 8,
      '--seconds', options.short, '--warm-up', 2, '--rate', 1000], { beside: flood });
    const beside = async (name) => {
      let flood, before;
      const own = await quiet(name, async () => {
        sleep(2000).then(async () => (before = { histograms: await server.histograms(), seconds: allSeconds(server) }));
        flood = await load(server, `the flood: ${name}`, ['--file', file.flood, '--path', '/v1/batch', '--connections', 64,
          '--seconds', options.short + 2]);
      });
      const times = between(before.histograms, await server.histograms());
      const seconds = Object.fromEntries(Object.entries(allSeconds(server)).map(([thread, value]) => [thread, value - (before.seconds[thread] ?? 0)]));
      await server.drained();
      return { ...own, flood, times, seconds };
    };
    const limit = (events_per_second) => server.api('PUT', '/sources/flood', { events_per_second });
    const alone = await quiet('quiet, alone');
    await limit(5000); /* before the other, whose merges in the warehouse go on when it is over */
    const limited = await beside('quiet, beside a flood with a limit');
    await limit(0);
    const shares = await beside('quiet, beside a flood without a limit');
    for (const one of Object.values(file)) rmSync(one);
    return { ...shares, alone, limited, goal: 1.5, unit: 'times the p99 of the quiet source alone' };
  },

  async memory(server) {
    await server.drained();
    const system = await server.system();
    const [child] = childrenOf(server.child.pid);
    const mb = memoryMb(server.child.pid);
    return {
      server_mb: mb, child_mb: child ? memoryMb(child) : 0, counts: system.counts, parts: system.memory,
      bytes_per_customer: ((mb - 400) * 1048576) / system.counts.customers, goal: 200, unit: 'bytes per customer above 400 MB',
    };
  },

  async restart(server) {
    await server.drained();
    await server.kill9();
    const machine = machineSeconds();
    const ms = await server.start();
    const cpu = sum(Object.values(threadSeconds(server.child.pid)));
    const own = sum(Object.values(allSeconds(server)));
    const others = Math.max(0, machineSeconds() - machine - own) / ((ms / 1000) * os.cpus().length);
    const system = await server.system();
    return { ready_ms: ms, cpu_seconds: cpu, child_cpu_seconds: own - cpu, others, server_mb: memoryMb(server.child.pid), counts: system.counts, goal: 10_000, unit: 'ms' };
  },
};

const freshFiles = new Map();
function freshBatches(options, size) {
  if (!freshFiles.has(size))
    freshFiles.set(size, world(`fresh-${size}.jsonl`, ['--form', 'segment', '--order', 'time', '--batch', size, '--one-each', '--fresh',
      '--customers', options.customers, '--events-per-customer', options.events]));
  return freshFiles.get(size);
}

const fileEvents = (file) =>
  Number(execFileSync('sh', ['-c', 'grep -o \'"messageId"\' "$0" | wc -l', file], { maxBuffer: 1 << 20 }));

/** What happened between two looks at the histograms: how often, and below which ms half and 99 % were. */
function between(before, after) {
  const told = {};
  for (const [name, steps] of Object.entries(after)) {
    const counts = steps.map(([edge, count], i) => [edge, count - before[name][i][1]]);
    const total = counts.at(-1)[1];
    const below = (share) => counts.find(([, count]) => count >= share * total)[0] / 1000;
    if (total > 0) told[name] = { count: total, p50_ms: below(0.5), p99_ms: below(0.99), max_ms: below(1) };
  }
  return told;
}

/** CPU microseconds per event, by thread. The run's warm-up is in both sums. */
function whereItGoes(before, after, run) {
  const events = run.events * (1 + 2 / run.seconds) + run.refused_events;
  const table = { 'load generator': (run.generatorSeconds / events) * 1e6 };
  for (const [name, seconds] of Object.entries(after))
    table[name] = ((seconds - (before[name] ?? 0)) / events) * 1e6;
  return Object.fromEntries(Object.entries(table).filter(([, us]) => us >= 0.05).sort(([, a], [, b]) => b - a));
}

async function perf(server, afterSeconds) {
  await sleep(afterSeconds * 1000);
  const data = join(out, 'perf.data');
  const record = spawn('perf', ['record', '-o', data, '-F', '299', '-g', '-p', server.child.pid, '--', 'sleep', '15'], { stdio: 'ignore' });
  const code = await new Promise((done) => record.once('error', () => done(-1)).once('close', done));
  if (code !== 0) return void console.error('bench: perf could not record');
  const report = execFileSync('perf', ['report', '-i', data, '--stdio', '--no-children', '-g', 'none', '--sort', 'comm,symbol',
    '--percent-limit', '0.5'], { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 });
  writeFileSync(join(out, 'perf.txt'), report);
}

// ---- the machine ----

function syncLatency() {
  const path = join(out, 'sync.probe');
  const fd = openSync(path, 'w');
  const block = Buffer.alloc(65536, 1);
  const times = [];
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    writeSync(fd, block);
    fdatasyncSync(fd);
    times.push(performance.now() - start);
  }
  closeSync(fd);
  rmSync(path);
  times.sort((a, b) => a - b);
  return { p50_ms: times[150], p99_ms: times[297] };
}

function machine() {
  return {
    cpu: os.cpus()[0].model, cores: os.cpus().length, memory_gb: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(), sync_64k: syncLatency(), load_before: os.loadavg()[0],
    commit: execFileSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD']).toString().trim(),
    at: new Date().toISOString(),
  };
}

// ---- the table ----

const n = (value, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
const ms = (value) => `${n(value, value < 10 ? 2 : 1)} ms`;
const others = (row) => (row.others > 0.1 ? `; **others had ${n(row.others * 100)} % of the machine**` : '');
const refused = (row) => (row.refused_requests > 0 ? `; ${n(row.refused_requests)} requests answered 429` : '') + others(row);

const told = {
  batches: (row) => ['batches of 20 to 100 events, known customers, applied, flush keeping up', '80,000 ev/s',
    row.runs.map((run) => `${run.size}: ${n(run.per_second)} ev/s`).join(', '),
    `${n(row.seconds)} s for 50; p99 ${ms(row.p99_ms)}; ${n(row.unflushed_rows)} rows not yet in the warehouse at the end, all there ${n(row.drained_seconds, 1)} s later; ` +
    `server ${n(row.server_mb[0])} MB before, ${n(row.server_mb[1])} MB after${refused(row)}`],
  burst: (row) => ['a burst at 120,000 ev/s', '120,000 ev/s for a minute', `${n(row.per_second)} ev/s taken`,
    `${n(row.seconds)} s; p99 ${ms(row.p99_ms)}${refused(row)}`],
  steady: (row) => ['ack at 10,000 ev/s, batches of 20', 'p99 10 ms', `p99 ${ms(row.p99_ms)}`,
    `p50 ${ms(row.p50_ms)}, p99.9 ${ms(row.p999_ms)}; times in ms (half, 99 %, all are below): ${causes(row)}${refused(row)}`],
  single: (row) => ['single-event requests', '30,000/s',
    row.runs.map((run) => `${run.connections} connections: ${n(run.per_second)}/s`).join(', '),
    row.runs.map((run) => `p99 ${ms(run.p99_ms)}${refused(run)}`).join(', ')],
  import: (row) => ['history through /v1/import, batches of 100', '100,000 ev/s', `${n(row.per_second)} ev/s`,
    `${n(row.events)} events became ${n(row.counts.customers)} customers with ${n(row.counts.identifiers)} identifiers; ` +
    `all in the warehouse after ${n(row.whole_seconds, 1)} s${refused(row)}`],
  reads: (row) => ['profile read by any identifier at 20,000/s beside 10,000 ev/s', 'p99 2 ms', `p99 ${ms(row.p99_ms)}`,
    `${n(row.per_second)} reads/s${row.per_second < 19_000 ? ' (it did not keep up)' : ''}, p50 ${ms(row.p50_ms)}; beside it p99 ${ms(row.beside.p99_ms)}; ` +
    `alone, ${row.cpu_us.toFixed(1)} µs of the server's processor time a read${refused(row)}`],
  overload: (row) => ['more than it can take (N3)', 'p99 200 ms, memory bounded, normal after 10 s', `${n(row.per_second)} ev/s taken`,
    `${n(row.seconds)} s; taken requests were answered ${ms(row.answer_p50_ms)} after they were sent (p50), p99 ${ms(row.answer_p99_ms)}, ` +
    `p99.9 ${ms(row.answer_p999_ms)}; ${n(row.refused_requests)} answered 429 or 503 after ${ms(row.refusal_p50_ms)} (p50), p99 ${ms(row.refusal_p99_ms)}, ` +
    `${row.no_retry_after} of them without Retry-After; all ${n(row.applied)} acknowledged events applied; server at most ${n(row.server_mb[0])} MB ` +
    `in the second third, ${n(row.server_mb[1])} MB in the last, child ${n(row.child_mb[0])} and ${n(row.child_mb[1])} MB; ` +
    `all applied ${n(row.recovered_seconds, 1)} s after the end, in the warehouse ${n(row.drained_seconds, 1)} s; ` +
    `10,000 ev/s ${n(row.after_seconds, 1)} s after the end: p99 ${ms(row.after.p99_ms)}, ${n(row.after.refused_requests)} refused; 10 s after it: ` +
    `p99 ${ms(row.normal.p99_ms)}, ${n(row.normal.refused_requests)} refused${others(row)}`],
  fair: (row) => ['a source with 1,000 ev/s beside one that floods (N4)', 'p99 at most 1.5 times that without the flood',
    `p99 ${ms(row.p99_ms)}, alone ${ms(row.alone.p99_ms)}: ${n(row.p99_ms / row.alone.p99_ms, 1)} times`,
    `p50 ${ms(row.p50_ms)}, alone ${ms(row.alone.p50_ms)}; the flood got ${n(row.flood.per_second)} ev/s, ${n(row.flood.refused_requests)} requests answered 429; ` +
    `with a limit of 5,000 ev/s: p99 ${ms(row.limited.p99_ms)}, the flood ${n(row.limited.flood.per_second)} ev/s${others(row)}`],
  memory: (row) => ['RAM', '200 bytes per customer with three identifiers + 400 MB; child at most 3 GB',
    `${n(row.server_mb)} MB`, `${n(row.counts.customers)} customers, ${n(row.counts.identifiers)} identifiers: ` +
    `${n((row.server_mb * 1048576) / row.counts.customers)} bytes per customer all in, ${n(row.bytes_per_customer)} above 400 MB; child ${n(row.child_mb)} MB`],
  restart: (row) => ['kill -9 to ready', '10 s with 8 million customers', `${n(row.ready_ms / 1000, 2)} s`,
    `${n(row.counts.customers)} customers, ${n(row.counts.identifiers)} identifiers; ${n(row.server_mb)} MB after it; ` +
    `${n(row.cpu_seconds, 1)} s of processor time, and ${n(row.child_cpu_seconds, 1)} s of the warehouse${others(row)}`],
};

function table(results) {
  const { machine: m, rows: found, options } = results;
  const lines = [
    `Measured ${m.at.slice(0, 10)} at ${m.commit} on ${m.cores} cores ${m.cpu}, ${m.memory_gb} GB; 64 KB append + fdatasync ` +
    `${ms(m.sync_64k.p50_ms)} (p99 ${ms(m.sync_64k.p99_ms)}). Command: \`${options.command}\`.`,
    '', '| work | goal | measured | more |', '|---|---|---|---|',
    ...Object.keys(told).filter((name) => found[name]).map((name) => `| ${told[name](found[name]).join(' | ')} |`),
  ];
  const microseconds = found.batches?.microseconds;
  if (microseconds) {
    lines.push('', 'Where the time of an event goes (CPU microseconds per event, batches of 50; two cores have 25 µs at 80,000 ev/s):',
      '', '| thread | µs per event |', '|---|---|',
      ...Object.entries(microseconds).map(([name, us]) => `| ${name} | ${us.toFixed(2)} |`), `| **all** | **${sum(Object.values(microseconds)).toFixed(2)}** |`);
  }
  return lines.join('\n');
}

function writeBetweenMarks(file, text) {
  const begin = '<!-- bench:begin -->';
  const end = '<!-- bench:end -->';
  const old = readFileSync(file, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end}`);
  writeFileSync(file, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}

// ---- all of it ----

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      customers: { type: 'string', default: '1000000' }, events: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '60' }, short: { type: 'string', default: '20' },
      rate: { type: 'string', default: '200000' },
      data: { type: 'string' }, keep: { type: 'boolean', default: false }, perf: { type: 'boolean', default: false },
      write: { type: 'string' }, help: { type: 'boolean', default: false },
    },
  });
  return {
    ...values, wanted: positionals, customers: Number(values.customers), events: Number(values.events),
    seconds: Number(values.seconds), short: Number(values.short), rate: Number(values.rate),
    command: ['bench/run', ...process.argv.slice(2).filter((one, i, all) => one !== '--write' && all[i - 1] !== '--write')].join(' '),
  };
}

const causes = (row) => Object.entries(row.causes)
  .map(([name, one]) => `${name} ${one.count} × ${one.p50_ms} / ${one.p99_ms} / ${one.max_ms}`).join(', ');

async function measure(options) {
  const folder = resolve(options.data ?? join(out, `data-${process.pid}`));
  const wanted = options.wanted.length > 0 ? options.wanted : Object.keys(rows).filter((row) => !['overload', 'fair'].includes(row));
  const results = { machine: machine(), options: { command: options.command, customers: options.customers }, rows: {} };
  const server = new Server(folder);
  // a folder that is there has seen passes already: those of now are others, or all were duplicates
  if (existsSync(folder)) passes = Math.floor(Date.now() / 1000) - 1_700_000_000;
  mkdirSync(folder, { recursive: true });
  try {
    await server.start();
    const lines = [];
    const there = new Set((await server.api('GET', '/sources')).items.map((source) => source.key));
    for (const key of sources) {
      const made = there.has(key) ? await server.api('POST', `/sources/${key}/rotate`)
        : await server.api('POST', '/sources', { key, name: key, kind: ['h5', 'app'].includes(key) ? 'public' : 'server', protocol: 'segment' });
      lines.push(`${key} ${made.write_key}\n`);
    }
    writeFileSync(join(out, 'keys'), lines.join(''), { mode: 0o600 });
    for (const name of Object.keys(rows).filter((row) => wanted.includes(row))) {
      console.error(`bench: ${name}`);
      results.rows[name] = await rows[name](server, options);
      writeFileSync(join(out, 'results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
    }
  } finally {
    await server.stop();
    for (const file of freshFiles.values()) rmSync(file, { force: true });
    if (!options.keep && !options.data) rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

async function main() {
  const options = readOptions();
  if (options.help) return void console.log(usage);
  for (const program of ['kith', 'bench/world', 'bench/load'])
    if (!existsSync(join(build, program))) throw new Error(`no ${join(build, program)}: build it with \`make build\``);
  mkdirSync(out, { recursive: true });
  for (const name of options.wanted.filter((one) => !(one in rows))) {
    const program = join(build, 'bench', name);
    if (!existsSync(program)) throw new Error(`'${name}' is neither a row nor a bench in ${dirname(program)}`);
    execFileSync(program, [], { stdio: 'inherit' });
  }
  if (options.wanted.length > 0 && options.wanted.every((one) => !(one in rows))) return;
  const results = await measure(options);
  const text = table(results);
  console.log(text);
  if (options.write) writeBetweenMarks(resolve(options.write), text);
}

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exit(1);
});
