// SPDX-License-Identifier: Apache-2.0
// main: the demo from start to Ctrl-C. Everything it shows came in through the doors that customers use.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBrand, signIns } from './brand.mjs';
import { bringHistory } from './history.mjs';
import { makeJourneys } from './journeys.mjs';
import { liveOn } from './live.mjs';
import { Sandbox } from './sandbox.mjs';
import { Server } from './server.mjs';
import { makeSources } from './sources.mjs';

const usage = `usage: demo/run [options]
  --customers N     how many people there are (default 20000)
  --events X        mean number of events per person and year (default 20)
  --seed N          another world (default 1)
  --port N          default 8080
  --data FOLDER     default ./demo-data; an existing one goes on where it was
  --no-live         stop when the history is in
  --help`;

function options() {
  const { values } = parseArgs({
    options: {
      customers: { type: 'string', default: '20000' },
      events: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      port: { type: 'string', default: '8080' },
      data: { type: 'string', default: join(process.cwd(), 'demo-data') },
      'no-live': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const number = (name, min, max) => {
    const value = Number(values[name]);
    if (!Number.isFinite(value) || value < min || value > max)
      throw new Error(`--${name} '${values[name]}' is not a number from ${min} to ${max}`);
    return value;
  };
  return {
    help: values.help,
    live: !values['no-live'],
    folder: resolve(values.data),
    customers: number('customers', 1000, 100_000_000),
    events: number('events', 2, 1000),
    seed: number('seed', 0, 4294967295),
    port: number('port', 1, 65535),
  };
}

/** What the demo keeps beside the server's data: keys (shown once), and how far the history is. */
class Notes {
  constructor(folder) {
    this.path = join(folder, 'demo.json');
    this.value = existsSync(this.path) ? JSON.parse(readFileSync(this.path, 'utf8')) : {};
  }

  save(more) {
    this.value = { ...this.value, ...more };
    writeFileSync(this.path, `${JSON.stringify(this.value, undefined, 2)}\n`, { mode: 0o600 });
  }
}

const say = (line) => process.stdout.write(`demo: ${line}\n`);

async function bring(server, notes, wanted) {
  const { history } = notes.value;
  if (history?.done) {
    say(`the history is there: ${history.events.toLocaleString('en')} events, seed ${history.seed}`);
    return;
  }
  // the same end after an interruption: what was sent already counts once
  const world = history ?? {
    seed: wanted.seed, customers: wanted.customers, events_per_customer: wanted.events,
    end: new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000).toISOString().replace('.000', ''),
  };
  notes.save({ history: world });
  const done = await bringHistory(server, notes.value.keys, world, say);
  notes.save({ history: { ...world, ...done, done: true } });
}

/** The end that is asked for: by a signal, or by the server's or the sandbox's death. From then on nothing is waited for. */
class Ending {
  constructor() {
    this.stopping = new AbortController();
    this.signal = this.stopping.signal;
    this.asked = new Promise((_, failed) =>
      this.signal.addEventListener('abort', () => failed(this.signal.reason), { once: true }));
    this.asked.catch(() => undefined);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => this.stopping.abort(new Stopped(name)));
    // some SDKs let go of a promise that their server's end rejects: the end is told by who watches the server
    process.on('unhandledRejection', (reason) => this.stopping.abort(reason));
  }

  /** What `work` gives, unless the end comes first: also when it came before. */
  before(work) {
    return Promise.race([this.asked, work]);
  }

  watch(started, name, cure = '') {
    started.ended.then(({ code, signal, error }) => {
      const how = error?.message ?? signal ?? `code ${code}`;
      this.stopping.abort(new Error(`the ${name} ended (${how})${cure}`));
    });
  }
}

class Stopped extends Error {}

async function live(server, notes, wanted, ending) {
  const { sandbox } = server;
  await ending.before(sandbox.start(() => ending.watch(sandbox, 'sandbox')));
  await ending.before(server.start(() => ending.watch(server, 'server', `; its last words are in ${server.logPath}`)));
  if (server.login) notes.save({ login: server.login });
  notes.save({ keys: await ending.before(makeSources(server, notes.value.keys ?? {})) });
  const invite = `open ${server.url} and sign in as ${notes.value.login}`;
  say(invite);
  await ending.before(bring(server, notes, wanted));
  await ending.before(makeBrand(server, notes, say));
  await ending.before(makeJourneys(server, sandbox, notes, say));
  if (!wanted.live) return;
  say(`living on; Ctrl-C ends it, ${relative(process.cwd(), wanted.folder)}/ keeps it`);
  say(invite);
  say('or as one of its people, each of whom sees her own part:');
  for (const line of signIns(notes)) say(`  ${line}`);
  await liveOn(server, notes.value, ending.signal, say);
  await ending.asked;
}

async function main() {
  const wanted = options();
  if (wanted.help) return void console.log(usage);
  mkdirSync(wanted.folder, { recursive: true });
  const notes = new Notes(wanted.folder);
  const sandbox = new Sandbox();
  const server = new Server({ folder: join(wanted.folder, 'data'), port: wanted.port, sandbox });
  const ending = new Ending();
  try {
    await live(server, notes, wanted, ending);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    await server.stop();
    await sandbox.stop();
    say('stopped');
  }
}

// the SDKs in the phones keep timers for ever: the end has to be said
main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`demo: ${error.message}\n`);
    if (process.env.KITH_DEBUG) console.error(error);
    process.exit(1);
  },
);
