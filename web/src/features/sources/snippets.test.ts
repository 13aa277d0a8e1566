/* SPDX-License-Identifier: Apache-2.0 */
/* What is pasted carries the source's own address and key, and no secret goes into a page. */
import { describe, expect, it } from 'vitest';
import { keyPlaceholder, snippetsFor, type Source } from './snippets';

const origin = 'https://cdp.example.com';
const server: Source = { key: 'crm', kind: 'server', protocol: 'segment', signing: false };
const page: Source = { key: 'h5', kind: 'public', protocol: 'sensors', signing: false };

describe('snippetsFor', () => {
  it('puts address and key into each', () => {
    for (const source of [server, page]) {
      for (const snippet of snippetsFor(source, origin, 'wk_123')) {
        expect(snippet.code).toContain('cdp.example.com');
        expect(snippet.code).toContain('wk_123');
      }
    }
  });
  it('never puts a secret key into a browser or mini-program', () => {
    expect(snippetsFor(server, origin, 'secret').map((one) => one.runs).sort()).toEqual(['server', 'server', 'server', 'shell']);
  });
  it('offers every SDK to one kind of source or the other', () => {
    const keys = new Set([...snippetsFor(server, origin, 'k'), ...snippetsFor(page, origin, 'k')].map((one) => one.key));
    expect([...keys].sort()).toEqual(['curl', 'rudder-js', 'rudder-node', 'segment-next', 'segment-node', 'sensors-js', 'sensors-mini-program', 'sensors-node']);
  });
  it('puts the SDKs of the source\'s protocol first', () => {
    expect(snippetsFor(page, origin, 'k')[0]?.key).toBe('sensors-mini-program');
    expect(snippetsFor(server, origin, 'k')[0]?.key).toBe('segment-node');
  });
  it('says where the key goes when it is not known any more', () => {
    expect(snippetsFor(server, origin, null)[0]?.code).toContain(keyPlaceholder);
  });
  it('tells the browser SDK host and protocol apart', () => {
    const next = snippetsFor({ ...page, protocol: 'segment' }, 'http://127.0.0.1:8080', 'k').find((one) => one.key === 'segment-next');
    expect(next?.code).toContain("apiHost: '127.0.0.1:8080/v1', protocol: 'http'");
  });
});
