// SPDX-License-Identifier: Apache-2.0
// Writes types.parquet and numbers.parquet with hyparquet-writer (npm), which knows nothing of chDB:
//   npm install --prefix /tmp/golden hyparquet-writer && NODE_PATH=/tmp/golden/node_modules node make_parquet.mjs
import { createRequire } from 'node:module'
import fs from 'node:fs'
import zlib from 'node:zlib'
const find = createRequire(process.env.NODE_PATH + '/')
const { parquetWriteBuffer } = await import(find.resolve('hyparquet-writer'))

const optional = { repetition_type: 'OPTIONAL' }
const columns = [
  ['order_id', { type: 'INT64' }, [1234567890123456789n, 2n, 9223372036854775807n, -1n]],
  ['name', { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, ['小明', 'a\tb\\c\n"d"', '', '\\N']],
  ['vip', { type: 'BOOLEAN' }, [true, false, null, true]],
  ['score', { type: 'DOUBLE' }, [0.1, 1.5e-7, 1.23e17, NaN]],
  ['paid_at', { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
    [new Date('2024-01-05T08:03:01.250Z'), new Date('2024-12-31T23:59:59Z'), new Date(0), null]],
  ['born', { type: 'INT32', converted_type: 'DATE' }, [new Date('1990-02-03'), new Date('2024-02-29'), null, new Date('1900-01-01')]],
  ['amount', { type: 'INT64', converted_type: 'DECIMAL', scale: 2, precision: 18 }, [12.5, 99.99, -1, 0]],
  ['extra', { type: 'BYTE_ARRAY', converted_type: 'JSON' }, [{ phone: '13800138000' }, { n: { x: 2 } }, null, 1]],
  ['local', { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' } },
    [1704441781250n, 0n, 1n, null]],
]
const schema = [{ name: 'root', num_children: columns.length },
  ...columns.map(([name, type]) => ({ name, ...type, ...optional }))]
const bytes = Buffer.from(parquetWriteBuffer({ columnData: columns.map(([name, , data]) => ({ name, data })), schema }))
fs.writeFileSync('types.parquet', bytes)
fs.writeFileSync('types.parquet.gz', zlib.gzipSync(bytes))

const count = 200000
fs.writeFileSync('numbers.parquet', Buffer.from(parquetWriteBuffer({
  columnData: [{ name: 'n', data: Array.from({ length: count }, (_, i) => i + 1), type: 'INT32', encoding: 'DELTA_BINARY_PACKED', nullable: false }],
  rowGroupSize: 30000, statistics: false })))
