// SPDX-License-Identifier: Apache-2.0
// s3: a bucket as a server of a few lines: ListObjectsV2 page by page, GET with ranges, and a check of each request's
// AWS Signature V4 by an implementation of its own. What was asked is kept; it can be made to break a transfer off.
import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]);

/** Why the signature of a request is wrong; undefined when it is right. */
export function wrongSignature(request, { accessKey, secretKey, region, now = Date.now() }) {
  const said = /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? '');
  if (!said) return 'MissingSecurityHeader';
  const [, credential, signedHeaders, signature] = said;
  const [id, day, where, service, end] = credential.split('/');
  if (id !== accessKey) return 'InvalidAccessKeyId';
  if (where !== region || service !== 's3' || end !== 'aws4_request') return 'AuthorizationHeaderMalformed';
  const stamp = request.headers['x-amz-date'];
  const at = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!stamp.startsWith(day) || !(Math.abs(now - at) < 15 * 60_000)) return 'RequestTimeTooSkewed';
  const names = signedHeaders.split(';');
  for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256']) if (!names.includes(name)) return 'SignatureDoesNotMatch';
  const url = new URL(request.url, 'http://x');
  const path = request.url.split('?')[0];
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort().join('&');
  const headers = names.map((name) => `${name}:${request.headers[name].trim()}\n`).join('');
  const canonical = [request.method, path, query, headers, signedHeaders, request.headers['x-amz-content-sha256']].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${secretKey}`, day), region));
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}

/** A server with one bucket, addressed by path. `objects` is a Map of keys to Buffers and may change. */
export async function startS3({ bucket = 'exports', accessKey = 'AKIDEXAMPLE', secretKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', region = 'cn-hangzhou', pageSize = 2 } = {}) {
  const s3 = { objects: new Map(), asked: [], bucket, accessKey, secretKey, region, breakAfter: undefined };
  const etagOf = (bytes) => `"${createHash('md5').update(bytes).digest('hex')}"`;
  const fail = (response, status, code) =>
    response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>no</Message></Error>`);

  function list(url, response) {
    const prefix = url.searchParams.get('prefix') ?? '';
    const keys = [...s3.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const begin = Number(Buffer.from(url.searchParams.get('continuation-token') ?? '', 'base64').toString() || 0);
    const page = keys.slice(begin, begin + pageSize), more = begin + pageSize < keys.length;
    const contents = page.map((key) => `<Contents><Key>${escaped(encode(key).replaceAll('%20', '+'))}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${escaped(etagOf(s3.objects.get(key)))}</ETag><Size>${s3.objects.get(key).length}</Size></Contents>`);
    const next = more ? `<NextContinuationToken>${Buffer.from(String(begin + pageSize)).toString('base64')}</NextContinuationToken>` : '';
    response.writeHead(200, { 'content-type': 'application/xml' }).end(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`);
  }

  function get(key, request, response) {
    const bytes = s3.objects.get(key);
    if (!bytes) return fail(response, 404, 'NoSuchKey');
    if (request.headers['if-match'] && request.headers['if-match'] !== etagOf(bytes)) return fail(response, 412, 'PreconditionFailed');
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const part = bytes.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, etag: etagOf(bytes) });
    if (s3.breakAfter === undefined) return response.end(part);
    const some = part.subarray(0, s3.breakAfter);
    s3.breakAfter = undefined;
    return response.write(some, () => request.socket.destroy());
  }

  const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    const wrong = wrongSignature(request, s3);
    s3.asked.push({ method: request.method, path: url.pathname, range: request.headers.range, wrong });
    if (wrong) return fail(response, 403, wrong);
    const path = decodeURIComponent(url.pathname);
    if (path === `/${bucket}`) return list(url, response);
    if (path.startsWith(`/${bucket}/`)) return get(path.slice(bucket.length + 2), request, response);
    return fail(response, 404, 'NoSuchBucket');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  s3.url = `http://127.0.0.1:${server.address().port}`;
  s3.close = () => new Promise((done) => { server.closeAllConnections(); server.close(done); });
  return s3;
}
