// SPDX-License-Identifier: Apache-2.0
// Writes orders.xlsx and mac.xlsx with exceljs (npm), and the rows that a reader has to find:
//   npm install --prefix /tmp/golden exceljs && NODE_PATH=/tmp/golden/node_modules node make_excel.mjs
import { createRequire } from 'node:module'
import fs from 'node:fs'
import zlib from 'node:zlib'
const ExcelJS = createRequire(process.env.NODE_PATH + '/')('exceljs')

const day = (text) => new Date(text + 'Z')
const book = new ExcelJS.Workbook()
book.created = book.modified = day('2024-01-01T00:00:00')
book.addWorksheet('说明', { state: 'hidden' }).addRow(['隐藏'])
const sheet = book.addWorksheet('订单')
sheet.addRow(['店铺订单导出'])
sheet.addRow(['筛选条件：2024-01-01 至 2024-01-31'])
sheet.addRow([])
sheet.addRow(['订单编号', '买家', '金额（元）', '数量', '已付款', '下单时间', '生日', '用时', '备注', '备注', '合计'])
sheet.addRow(['A001', '小明', 19.9, 2, true, day('2024-01-05T08:03:01'), day('1990-02-03T00:00:00'), null,
  { richText: [{ text: '加' }, { font: { bold: true }, text: '急' }] }, ' 空格 ', { formula: 'C5*D5', result: 39.8 }])
sheet.addRow([123456789012345680000, '<&>"\'', 0.1 + 0.2, -1, false, day('2024-12-31T23:59:59'), null, 0.5, '第一行\n第二行'])
sheet.addRow([])
sheet.addRow([1234567890123450, null, 1e-7, 1e21, null, day('1900-03-01T00:00:00'), day('1900-03-01T00:00:00'), 1.75, null, { error: '#N/A' },
  { formula: 'A1/0', result: { error: '#DIV/0!' } }])
sheet.addRow([13800138000, { text: '链接', hyperlink: 'https://example.com' }, 123456.789])
sheet.addRow(['合计', null, 142.1])
for (let row = 5; row <= 9; row++) {
  sheet.getCell(`F${row}`).numFmt = 'yyyy-mm-dd hh:mm:ss'
  sheet.getCell(`G${row}`).numFmt = 'yyyy"年"m"月"d"日"'
  sheet.getCell(`H${row}`).numFmt = '[h]:mm:ss'
  sheet.getCell(`C${row}`).numFmt = '¥#,##0.00;[Red]-¥#,##0.00'
}
book.addWorksheet('空')
const bytes = Buffer.from(await book.xlsx.writeBuffer())
fs.writeFileSync('orders.xlsx', bytes)
fs.writeFileSync('orders.xlsx.gz', zlib.gzipSync(bytes))

const mac = new ExcelJS.stream.xlsx.WorkbookWriter({ filename: 'mac.xlsx', useSharedStrings: false, useStyles: true })
mac.properties = { date1904: true }
const other = mac.addWorksheet('Sheet1')
other.addRow(['name', 'at']).commit()
const row = other.addRow(['内联', day('2024-01-05T08:03:01')])
row.getCell(2).numFmt = 'm/d/yy h:mm'
row.commit()
await mac.commit()

const named = (name, rows) => fs.writeFileSync(name, rows.map((row) => JSON.stringify(row) + '\n').join(''))
named('orders.xlsx.rows', [
  ['订单编号', '买家', '金额(元)', '数量', '已付款', '下单时间', '生日', '用时', '备注', '备注 (2)', '合计'],
  [1, 5, ['A001', '小明', { n: '19.9' }, { n: '2' }, { b: 'true' }, { t: '2024-01-05 08:03:01' }, { t: '1990-02-03' }, '', '加急', ' 空格 ', { n: '39.8' }]],
  [2, 6, [{ x: '123456789012345680000' }, '<&>"\'', { n: '0.30000000000000004' }, { n: '-1' }, { b: 'false' }, { t: '2024-12-31 23:59:59' }, '', '12:00:00', '第一行\n第二行']],
  [3, 8, [{ x: '1234567890123450' }, '', { n: '0.0000001' }, { x: '1e+21' }, '', { t: '1900-03-01 00:00:00' }, { t: '1900-03-01' }, '42:00:00', '', { x: '#N/A' }, { x: '#DIV/0!' }]],
  [4, 9, [{ n: '13800138000' }, '链接', { n: '123456.789' }]],
  [5, 10, 'row 5 (row 10 of the sheet) is a closing line of the sheet, not data'],
])
named('mac.xlsx.rows', [['name', 'at'], [1, 2, ['内联', { t: '2024-01-05 08:03:01' }]]])
