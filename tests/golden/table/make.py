#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden files of the CSV tests with Python's own csv and codecs, and beside them the rows that a
reader has to find (name.rows; the form is that of tests/unit/table_file.h). Run in this folder."""
import csv, gzip, io, json, subprocess

NAMES = ['订单编号', '买家会员名', '收货地址 ', '联系电话', '金额（元）', '备注', '备注']
SHOWN = ['订单编号', '买家会员名', '收货地址', '联系电话', '金额(元)', '备注', '备注 (2)']
ROWS = [
    ['1234567890123456789', '小明', '浙江省杭州市余杭区文一西路969号', '13800138000', '99.50', '', ''],
    ['0012', 'O\'Neil "Bob"', 'a, b; c|d\te', '', '0', '第一行\n第二行', '"'],
    ['0013', '𠮷野家', '上海市, 浦东新区', '+86 139 0013 9000', '1,234.00', 'é ü ß €', 'x'],
    ['', '', '', '', '', '', '末'],
    ['9' * 30, '㐀㒨', '长' * 300, '021-12345678', '-5', '', '\'quoted\''],
]

def text(separator, newline, quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=newline, quoting=quoting)
    writer.writerow(NAMES)
    writer.writerows(ROWS)
    return out.getvalue()

def rows():
    out, line = [json.dumps(SHOWN, ensure_ascii=False, separators=(',', ':'))], 2
    for number, row in enumerate(ROWS, 1):
        out.append(json.dumps([number, line, row], ensure_ascii=False, separators=(',', ':')))
        line += 1 + sum(cell.count('\n') for cell in row)
    return '\n'.join(out) + '\n'

def put(name, data):
    with open(name, 'wb') as file:
        file.write(data)

usual = text(',', '\r\n')
put('utf8.csv', usual.encode('utf-8'))
put('utf8.csv.rows', rows().encode('utf-8'))
put('utf8_bom.csv', usual.encode('utf-8-sig'))
put('utf8_lf.csv', text(',', '\n').encode('utf-8'))
put('gb18030.csv', usual.encode('gb18030'))
put('utf16le.csv', b'\xff\xfe' + text('\t', '\r\n').encode('utf-16-le'))
put('utf16be.csv', b'\xfe\xff' + usual.encode('utf-16-be'))
put('utf16le_no_bom.csv', usual.encode('utf-16-le'))
put('semicolon.csv', text(';', '\r\n', csv.QUOTE_ALL).encode('gb18030'))
put('pipe.csv', text('|', '\n').encode('utf-8'))
put('utf8.csv.gz', gzip.compress(usual.encode('utf-8'), mtime=0))
put('gb18030.csv.zst', subprocess.run(['zstd', '-q', '-c'], input=usual.encode('gb18030'),
                                      capture_output=True, check=True).stdout)

# Every character of two bytes, and some of four.
lines, shown = [], []
for lead in range(0x81, 0xFF):
    line = ''
    for trail in list(range(0x40, 0x7F)) + list(range(0x80, 0xFF)):
        try:
            line += bytes([lead, trail]).decode('gb18030')
        except UnicodeDecodeError:
            pass
    # What Unicode has moved since 2005 is told apart by version: leave it to its own test.
    line = ''.join(c for c in line if not 0xE000 <= ord(c) < 0xF900 and not 0xFE10 <= ord(c) < 0xFE20
                   and not 0x9FB4 <= ord(c) < 0x9FC0 and ord(c) < 0x20000)
    if line:
        lines.append((f'{lead:02x}', line))
for begin in (0x80, 0x1E40, 0x9FA6, 0xFFE6, 0x10000, 0x1F600, 0x20000, 0x2A6D6, 0x10FFFE):
    line = ''.join(chr(c) for c in range(begin, min(begin + 40, 0x110000)) if not 0xD800 <= c < 0xE000
                   and not 0x80 <= c < 0xA0)
    if line:
        lines.append((f'u{begin:x}', line))
put('gb18030_all.csv', ('lead,characters\n' + ''.join(f'{a},"{b}"\n' for a, b in lines)).encode('gb18030'))
put('gb18030_all.csv.rows', ('["lead","characters"]\n' + ''.join(
    json.dumps([i, i + 1, [a, b]], ensure_ascii=False, separators=(',', ':')) + '\n'
    for i, (a, b) in enumerate(lines, 1))).encode('utf-8'))
