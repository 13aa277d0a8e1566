// SPDX-License-Identifier: Apache-2.0
// mini-program: a WeChat mini-program's runtime, as much of it as sa-sdk-miniprogram needs.
//
// The SDK expects the globals wx, App, Page, getCurrentPages. Each program gets a realm of its own (a
// `vm` context), so that many customers' phones live in one process. The SDK's file runs unmodified.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';

const sdkPath = createRequire(import.meta.url).resolve('sa-sdk-miniprogram/dist/wechat/sensorsdata.cjs.js');
const sdk = new vm.Script(`(function (module, exports) {${readFileSync(sdkPath, 'utf8')}\n})`, {
  filename: 'sensorsdata.cjs.js',
});

function fakeWx({ appid, storage, scene, requests }) {
  const info = {
    brand: 'HUAWEI', model: 'ALN-AL80', system: 'Android 14', platform: 'android', language: 'zh_CN',
    version: '8.0.50', SDKVersion: '3.4.6', screenWidth: 390, screenHeight: 844, windowWidth: 390,
    windowHeight: 780, pixelRatio: 3,
  };
  return {
    getStorageSync: (key) => storage.get(key) ?? '',
    setStorageSync: (key, value) => void storage.set(key, structuredClone(value)),
    getStorage: ({ key, success, fail, complete }) => {
      if (storage.has(key)) success?.({ data: storage.get(key) });
      else fail?.({ errMsg: 'getStorage:fail data not found' });
      complete?.({ data: storage.get(key) });
    },
    setStorage: ({ key, data, success, complete }) => {
      storage.set(key, structuredClone(data));
      success?.({});
      complete?.({});
    },
    getSystemInfo: ({ success, complete }) => (success?.(info), complete?.(info)),
    getSystemInfoSync: () => info,
    getAccountInfoSync: () => ({ miniProgram: { appId: appid, envVersion: 'release', version: '2.3.1' } }),
    getNetworkType: ({ success, complete }) => {
      success?.({ networkType: 'wifi' });
      complete?.({ networkType: 'wifi' });
    },
    getLaunchOptionsSync: () => ({ path: 'pages/home', scene, query: {} }),
    onAppShow: () => {},
    onAppHide: () => {},
    onNetworkStatusChange: () => {},
    setNavigationBarTitle: () => {},
    login: ({ success }) => success?.({ code: 'code-1' }),
    request: ({ url, data, method = 'GET', header = {}, timeout = 60_000, success, fail, complete }) => {
      const body = method === 'GET' ? undefined : typeof data === 'string' ? data : JSON.stringify(data);
      const sent = fetch(url, { method, headers: header, body, signal: AbortSignal.timeout(timeout) }).then(
        async (answer) => {
          const result = { statusCode: answer.status, data: await answer.text(), errMsg: 'request:ok' };
          success?.(result);
          complete?.(result);
          return result.statusCode;
        },
        (error) => {
          const result = { errMsg: `request:fail ${error.message}` };
          fail?.(result);
          complete?.(result);
        },
      );
      requests.push(sent);
      return { abort: () => {} };
    },
  };
}

/**
 * A customer's mini-program with the SDK in it, not yet initialised. `storage` is what her phone keeps
 * between visits. Returns { sensors, storage, requests, quiet }: `requests` are promises of statuses.
 */
export function openMiniProgram({ appid, storage = new Map(), scene = 1001 }) {
  const requests = [];
  const page = { route: 'pages/home', options: {} };
  const realm = vm.createContext({
    wx: fakeWx({ appid, storage, scene, requests }),
    App: (options) => void (realm.app = options),
    Page: (options) => void (realm.page = options),
    Component: () => {},
    getApp: () => realm.app,
    getCurrentPages: () => [page],
    console, setTimeout, clearTimeout, setInterval, clearInterval, crypto: globalThis.crypto,
  });
  realm.global = realm;
  const module = { exports: {} };
  sdk.runInContext(realm)(module, module.exports);
  return {
    sensors: module.exports,
    storage,
    requests,
    page,
    /** Until all that was sent has its answer. */
    quiet: async () => {
      let seen = -1;
      while (seen !== requests.length) {
        seen = requests.length;
        await Promise.all(requests);
        await new Promise((done) => setTimeout(done, 30));
      }
    },
  };
}
