/* SPDX-License-Identifier: Apache-2.0 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiProblem, api } from '@/api/client';
import { uploadFile } from './upload';

const bytes = 20 * 1024 * 1024;
const file = new File([new Uint8Array(bytes)], 'orders.csv');

/* A server that has taken `offset` bytes. */
function server(faults: Record<number, 'lost before' | 'lost after' | 'refused'> = {}) {
  const at = { offset: 0, parts: 0 };
  const state = () => ({ id: 'u1', name: 'orders.csv', size_bytes: bytes, offset: at.offset, complete: at.offset === bytes, sha256: '' });
  vi.spyOn(api, 'post').mockImplementation((async () => state()) as never);
  vi.spyOn(api, 'get').mockImplementation((async () => state()) as never);
  const put = async (_: string, offset: number, part: Blob) => {
    const fault = faults[at.parts++];
    if (fault === 'lost before') throw new ApiProblem(0, 'unreachable', 'gone');
    if (fault === 'refused') throw new ApiProblem(507, 'storage_full', 'the disk is full');
    expect(offset).toBe(at.offset);
    at.offset += part.size;
    if (fault === 'lost after') throw new ApiProblem(0, 'unreachable', 'gone');
    return state();
  };
  return { at, put };
}

const run = (put: ReturnType<typeof server>['put'], onProgress = (_: number) => {}) =>
  uploadFile({ file, signal: new AbortController().signal, onProgress, put, pauseMs: () => 0 });

beforeEach(() => vi.restoreAllMocks());
afterEach(() => vi.restoreAllMocks());

describe('an upload', () => {
  it('goes part by part and tells how far it is', async () => {
    const { put } = server();
    const told: number[] = [];
    expect((await run(put, (sent) => told.push(sent))).complete).toBe(true);
    expect(told).toEqual([8, 16, 20].map((mega) => mega * 1024 * 1024));
  });
  it('goes on where the server stands when an answer or a part was lost', async () => {
    const { at, put } = server({ 0: 'lost before', 2: 'lost after' });
    expect((await run(put)).complete).toBe(true);
    expect(at.offset).toBe(bytes);
  });
  it('stops at what waiting does not mend', async () => {
    const { put } = server({ 1: 'refused' });
    await expect(run(put)).rejects.toMatchObject({ code: 'storage_full' });
  });
  it('gives up after six tries', async () => {
    const { at, put } = server(Object.fromEntries(Array.from({ length: 9 }, (_, index) => [index, 'lost before' as const])));
    await expect(run(put)).rejects.toMatchObject({ code: 'unreachable' });
    expect(at.parts).toBe(6);
  });
});
