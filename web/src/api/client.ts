/* SPDX-License-Identifier: Apache-2.0 */
/* client: asks the server, typed by its OpenAPI document.
 *
 *     const page = await api.get('/customers', { query: { query: '8812' } });
 *     await api.post('/customers/{one_id}/split', { path: { one_id }, body: { merge_id } });
 *
 * Every command carries an idempotency key, so that a retry after a broken connection does nothing twice.
 * What goes wrong is an ApiProblem with the server's code, detail and hint.
 */
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

const base = '/api/v1';
type Base = typeof base;

type Methods = 'get' | 'post' | 'put' | 'delete';
type PathOf<M extends Methods> = {
  [P in keyof paths]: P extends `${Base}${infer Rest}` ? (paths[P] extends Record<M, object> ? Rest : never) : never;
}[keyof paths];
type Operation<P extends string, M extends Methods> = `${Base}${P}` extends keyof paths
  ? paths[`${Base}${P}`] extends Record<M, infer O>
    ? O
    : never
  : never;

type Json<R> = R extends { content: { 'application/json': infer B } } ? B : undefined;
type Answer<O> = O extends { responses: infer R }
  ? 200 extends keyof R
    ? Json<R[200]>
    : 201 extends keyof R
      ? Json<R[201]>
      : 202 extends keyof R
        ? Json<R[202]>
        : undefined
  : never;

type PathPart<O> = O extends { parameters: { path: infer V extends object } } ? { path: V } : { path?: never };
type QueryPart<O> = O extends { parameters: { query?: infer V } } ? { query?: V } : { query?: never };
type BodyPart<O> = O extends { requestBody: { content: { 'application/json': infer V } } }
  ? { body: V }
  : O extends { requestBody?: { content: { 'application/json': infer V } } }
    ? { body?: V }
    : { body?: never };
type Options<O> = PathPart<O> & QueryPart<O> & BodyPart<O> & { signal?: AbortSignal };

/* Nothing has to be said when nothing is required. */
type Rest<O> = object extends Options<O> ? [options?: Options<O>] : [options: Options<O>];

export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly hint = '',
    readonly pointers: { pointer: string; detail: string }[] = [],
    readonly retryAfterSeconds: number | null = null,
    readonly instance = '',
    /* 0 to 1: how much of what has to be there first is there; null: nothing is said */
    readonly progress: number | null = null,
  ) {
    super(`${code}: ${detail}`);
    this.name = 'ApiProblem';
  }

  /* The server was not reached, or said that it can be asked again. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503 || this.status === 504;
  }
}

export function progressOf(error: unknown): number | null {
  return error instanceof ApiProblem ? error.progress : null;
}

interface Given {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
}

export function addressOf(template: string, given: Pick<Given, 'path' | 'query'> = {}): string {
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(given.path?.[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(given.query ?? {})) {
    /* an object is one parameter per member: trait.city=上海 */
    if (typeof value === 'object' && value !== null) {
      for (const [member, one] of Object.entries(value)) search.set(`${name}.${member}`, String(one));
    } else if (value !== undefined && value !== null && value !== '') {
      search.set(name, String(value));
    }
  }
  const text = search.toString();
  return `${base}${path}${text === '' ? '' : `?${text}`}`;
}

/* randomUUID exists on secure origins only; a console opened by http in a shop's network has none. */
export function idempotencyKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

type Listener = () => void;
let unauthenticated: Listener = () => {};
/* Called when the server no longer knows who is asking. */
export function onUnauthenticated(listener: Listener): void {
  unauthenticated = listener;
}

async function ask(method: string, template: string, given: Given): Promise<unknown> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (given.signal !== undefined) init.signal = given.signal;
  if (method !== 'GET') {
    headers['X-Kith-Request'] = '1';
    if (template !== '/session') headers['Idempotency-Key'] = idempotencyKey();
  }
  if (given.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(given.body);
  }
  const response = await fetch(addressOf(template, given), init).catch((reason: unknown) => {
    if (reason instanceof DOMException && reason.name === 'AbortError') throw reason;
    throw new ApiProblem(0, 'unreachable', String(reason));
  });
  if (!response.ok) throw await problemOf(response, template);
  if (response.status === 204) return undefined;
  return response.json();
}

function isProblem(value: unknown): value is Schemas['Problem'] {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value;
}

async function problemOf(response: Response, template: string): Promise<ApiProblem> {
  const retryAfter = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  const seconds = Number.isFinite(retryAfter) ? retryAfter : null;
  const body: unknown = await response.json().catch(() => null);
  if (response.status === 401 && template !== '/session') unauthenticated();
  if (!isProblem(body)) {
    return new ApiProblem(response.status, response.status === 502 ? 'unreachable' : 'unknown', response.statusText, '', [], seconds);
  }
  return new ApiProblem(
    response.status, body.code, body.detail, body.hint ?? '', body.errors ?? [], seconds, body.instance ?? '', body.progress ?? null,
  );
}

export const api = {
  get: <P extends PathOf<'get'>>(path: P, ...rest: Rest<Operation<P, 'get'>>) =>
    ask('GET', path, (rest[0] ?? {}) as Given) as Promise<Answer<Operation<P, 'get'>>>,
  post: <P extends PathOf<'post'>>(path: P, ...rest: Rest<Operation<P, 'post'>>) =>
    ask('POST', path, (rest[0] ?? {}) as Given) as Promise<Answer<Operation<P, 'post'>>>,
  put: <P extends PathOf<'put'>>(path: P, ...rest: Rest<Operation<P, 'put'>>) =>
    ask('PUT', path, (rest[0] ?? {}) as Given) as Promise<Answer<Operation<P, 'put'>>>,
  delete: <P extends PathOf<'delete'>>(path: P, ...rest: Rest<Operation<P, 'delete'>>) =>
    ask('DELETE', path, (rest[0] ?? {}) as Given) as Promise<Answer<Operation<P, 'delete'>>>,
};
