// SPDX-License-Identifier: Apache-2.0
// payloads: texts that would do something if anybody took them for more than texts: a hundred, each in five disguises.
export const canary = '/tmp/kith-x9-canary';

const bases = [
  // SQL of SQLite and PostgreSQL
  "' OR '1'='1", "' OR 1=1 --", '" OR ""="', "'; DROP TABLE customers; --", "'; DELETE FROM audit; --", "1; UPDATE users SET role='administrator'", "' UNION SELECT password FROM users --",
  "' UNION SELECT NULL, NULL, NULL --", "') OR ('1'='1", "'/**/OR/**/1=1#", "admin'--", "admin' #", "x' AND (SELECT COUNT(*) FROM sqlite_master) > 0 --", "'; ATTACH DATABASE '" + canary + "' AS x; --",
  "'; SELECT load_extension('x'); --", "'; COPY (SELECT 1) TO '" + canary + "'; --", "'; SELECT pg_sleep(10); --", "$$; SELECT 1; $$", "\\'; DROP TABLE segments; --", "%27%20OR%201=1", "' || (SELECT value FROM meta) || '",
  "0x27204f5220313d31", "'; VACUUM INTO '" + canary + "'; --", "' AND 1=CAST((SELECT login FROM users) AS INTEGER) --", '`; DROP TABLE tags; --',
  // patterns
  '%', '_', '%%%', '100%', '\\%', '[a-z]*', '%_%_%_%', '(a+)+$',
  // ClickHouse
  "' OR 1=1 FORMAT JSON", "'; SELECT * FROM file('/etc/passwd')", "' UNION ALL SELECT * FROM url('http://127.0.0.1:1/x')", "'; INSERT INTO FUNCTION file('" + canary + "') SELECT 1", "{x:String}", "' SETTINGS max_memory_usage=0",
  "') OR sleep(3) = 0 --", "\\' OR 1=1 --", "' INTO OUTFILE '" + canary + "'", "'; SYSTEM SHUTDOWN; --", "'; ALTER TABLE events DELETE WHERE 1; --", "' GROUP BY WITH TOTALS --",
  // lines and headers
  'a\r\nX-Injected: yes', 'a\nX-Injected: yes', 'a\r\n\r\n<html>', 'a\r\nSet-Cookie: kith_session=x', '%0d%0aX-Injected:%20yes', 'a\u2028X-Injected: yes', 'a\n2026-01-01T00:00:00.000Z info INJECTED x=1', 'x\r\nBcc: all@example.com',
  'a\u0085INJECTED', 'a\rINJECTED',
  // paths
  '../../../../etc/passwd', '..\\..\\windows\\win.ini', '/etc/passwd', 'file:///etc/passwd', '....//....//etc/passwd', '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '..%c0%af..%c0%afetc/passwd', './.././keys', 'x/../../keys',
  '/proc/self/environ', 'CON', 'a/../../../../' + canary.slice(1),
  // templates, shells, formats
  '{{7*7}}', '${7*7}', '#{7*7}', '<%= 7*7 %>', '{% include "/etc/passwd" %}', '{{constructor.constructor("return 1")()}}', '{{ customer | system }}', '*{7*7}',
  '; touch ' + canary, '| touch ' + canary, '`touch ' + canary + '`', '$(touch ' + canary + ')', '&& touch ' + canary, '"; touch ' + canary + '; "', '\n touch ' + canary, '() { :;}; touch ' + canary,
  '%s%s%s%n', '%x%x%x%x', '%99999999d', '{0}{1}', '%n',
  // structures
  '{"$ne":null}', '{"$gt":""}', '__proto__', 'constructor', '[object Object]', '","admin":true,"x":"', '"}],"rule":{"event":"*"},"x":[{"y":"',
  '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', '*)(uid=*))(|(uid=*', "' or count(//user)>0 or 'a'='b",
  'NaN', '1e400', '-0', '\ufeff<?xml version="1.0"?>', '=HYPERLINK("http://127.0.0.1:1/x")', '@SUM(1+1)*cmd|\'/C calc\'!A0',
];

const disguises = [
  (text) => text,
  (text) => `x${text}`,
  (text) => text.toUpperCase(),
  (text) => `${text} `.repeat(2),
  (text) => text.replaceAll("'", '＇').replaceAll('"', '＂').replaceAll('<', '＜') + "'",
];

export const payloads = bases.flatMap((base) => disguises.map((disguise) => disguise(base)));
