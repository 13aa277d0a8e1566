/* SPDX-License-Identifier: Apache-2.0 */
/* upload: a file of any size to the server, part by part; a part that did not arrive is sent again from where the server
 * stands, so a broken connection costs seconds and not the file.
 */
import { addressOf, ApiProblem, api, idempotencyKey, type Schemas } from '@/api/client';

const partBytes = 8 * 1024 * 1024;
const triesMax = 6;

export type PutPart = (id: string, offset: number, part: Blob, signal: AbortSignal) => Promise<Schemas['Upload']>;

async function putPart(id: string, offset: number, part: Blob, signal: AbortSignal): Promise<Schemas['Upload']> {
  const response = await fetch(addressOf('/uploads/{id}', { path: { id }, query: { offset: String(offset) } }), {
    method: 'PUT', body: part, signal, credentials: 'same-origin',
    headers: { 'Content-Type': 'application/octet-stream', 'X-Kith-Request': '1', 'Idempotency-Key': idempotencyKey() },
  }).catch((reason: unknown) => {
    if (reason instanceof DOMException && reason.name === 'AbortError') throw reason;
    throw new ApiProblem(0, 'unreachable', String(reason));
  });
  const body = (await response.json().catch(() => ({}))) as Partial<Schemas['Problem']>;
  if (!response.ok) throw new ApiProblem(response.status, body.code ?? 'unknown', body.detail ?? response.statusText, body.hint ?? '');
  return body as unknown as Schemas['Upload'];
}

interface Uploading {
  file: File;
  signal: AbortSignal;
  onProgress: (sentBytes: number) => void;
  put?: PutPart;
  pauseMs?: (attempt: number) => number;
}

/* How long to wait before the next try: 0.5, 1, 2 … seconds. */
const backOffMs = (attempt: number): number => 500 * 2 ** attempt;

/* Passing faults are tried again, also a part that the server has already (its answer was lost): it says where it stands. */
function mayTryAgain(error: unknown): boolean {
  return error instanceof ApiProblem && (error.isPassing || error.status === 409);
}

export async function uploadFile({ file, signal, onProgress, put = putPart, pauseMs = backOffMs }: Uploading): Promise<Schemas['Upload']> {
  let upload = await api.post('/uploads', { body: { name: file.name, size_bytes: file.size } });
  let attempt = 0;
  while (!upload.complete) {
    const part = file.slice(upload.offset, upload.offset + partBytes);
    try {
      upload = await put(upload.id, upload.offset, part, signal);
      attempt = 0;
      onProgress(upload.offset);
    } catch (error) {
      attempt += 1;
      if (signal.aborted || attempt >= triesMax || !mayTryAgain(error)) throw error;
      await new Promise((done) => setTimeout(done, pauseMs(attempt)));
      upload = await api.get('/uploads/{id}', { path: { id: upload.id }, signal }).catch(() => upload);
    }
  }
  return upload;
}
