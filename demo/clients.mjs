// SPDX-License-Identifier: Apache-2.0
// clients: the real SDKs, one per door, as the brand house's systems and its customers' phones use them.
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { openMiniProgram } from '../tests/support/mini-program.mjs';

// the packages of the tests are those of the demo: one lock file
const require = createRequire(new URL('../tests/package.json', import.meta.url));
const { Analytics } = require('@segment/analytics-node');
const rudder = require('@rudderstack/rudder-sdk-node');
const RudderAnalytics = rudder.default ?? rudder;

/** Segment's SDK for what the house's own servers say. */
export function segmentClients(server, keys, names, onError) {
  const clients = {};
  for (const name of names) {
    const client = new Analytics({
      writeKey: keys[name].write_key, host: server.url, flushAt: 20, flushInterval: 1000, maxRetries: 5,
    });
    client.on('error', onError);
    clients[name] = client;
  }
  return clients;
}

/** RudderStack's for the pages. */
export function pageClient(server, keys) {
  return new RudderAnalytics(keys.h5.write_key, {
    dataPlaneUrl: server.url, flushAt: 20, flushInterval: 1000, logLevel: 'silent',
  });
}

/**
 * Sensors' for the mini-programs: each phone keeps its own storage between visits. Logins are signed,
 * as a public source's have to be.
 */
export class Phones {
  constructor(server, keys) {
    this.serverUrl = `${server.url}/sa?project=default&token=${keys.wechat_mp.write_key}`;
    this.secret = keys.wechat_mp.signing_secret;
    this.storages = new Map();
  }

  open(person, appid) {
    if (!this.storages.has(person)) this.storages.set(person, new Map());
    const { sensors } = openMiniProgram({ appid, storage: this.storages.get(person), scene: 1037 });
    sensors.setPara({
      name: 'sensors', server_url: this.serverUrl, autoTrack: false,
      batch_send: { send_timeout: 800, max_length: 10 },
    });
    sensors.init();
    return sensors;
  }

  signature(userId) {
    return createHmac('sha256', this.secret).update(userId).digest('hex');
  }
}
