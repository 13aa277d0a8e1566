// SPDX-License-Identifier: Apache-2.0
// kafka: brokers of a test's own (tests/drivers/feed_broker.c: librdkafka's, which speak the real protocol); ended with their input.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { binary } from './kith.mjs';

const driver = process.env.KITH_FEED_BROKER ?? path.join(path.dirname(binary), 'tests/drivers/feed_broker');
export const missingBrokers = existsSync(driver) ? false : `no brokers at ${driver}: build them with \`tools/build release\``;

const base64 = (text) => (text === undefined || text === '' ? '-' : Buffer.from(text).toString('base64'));

export class Kafka {
  static async start() {
    const kafka = new Kafka();
    kafka.child = spawn(driver, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    kafka.waiting = [];
    let text = '';
    kafka.child.stdout.on('data', (data) => {
      text += data;
      for (let end; (end = text.indexOf('\n')) >= 0; text = text.slice(end + 1)) kafka.waiting.shift()?.(text.slice(0, end));
    });
    kafka.ended = new Promise((done) => kafka.child.once('close', done));
    kafka.ended.then(() => kafka.waiting.splice(0).forEach((answer) => answer('error: the brokers have ended')));
    kafka.brokers = (await new Promise((done) => kafka.waiting.push(done))).split(' ')[1].split(',');
    return kafka;
  }

  async command(line) {
    const answer = await new Promise((done) => {
      this.waiting.push(done);
      this.child.stdin.write(`${line}\n`);
    });
    if (!answer.startsWith('ok')) throw new Error(`${line.slice(0, 60)}: ${answer}`);
    return answer;
  }

  topic = (name, partitions = 1) => this.command(`topic ${name} ${partitions}`);
  /** That partition is led by that broker, 1 or 2, from now on. */
  lead = (topic, partition, broker) => this.command(`leader ${topic} ${partition} ${broker}`);
  down = () => this.command('down');
  up = () => this.command('up');

  /** Messages, each a text or an object, on partitions in turn; resolves when the brokers have them. */
  async say(topic, values, { partitions = 1, key, time = 0 } = {}) {
    const said = values.map((value, i) => this.command(
      `say ${topic} ${i % partitions} ${base64(key)} ${base64(typeof value === 'string' ? value : JSON.stringify(value))} ${time}`));
    await Promise.all(said);
    const told = await this.command('flush');
    if (told !== 'ok 0') throw new Error(`the brokers did not take everything: ${told}`);
  }

  /** All messages of a topic, as {partition, key, value}; values are JSON. */
  async read(topic) {
    const decode = (text) => (text === '-' ? '' : Buffer.from(text, 'base64').toString());
    const [, ...messages] = (await this.command(`read ${topic}`)).split(' ');
    return messages.map((message) => {
      const [partition, key, value] = message.split(':');
      return { partition: Number(partition), key: decode(key), value: JSON.parse(decode(value)) };
    });
  }

  async stop() {
    this.child.stdin.end();
    return this.ended;
  }
}
