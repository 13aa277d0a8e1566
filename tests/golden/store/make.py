#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes event-row.bin from docs/formats/warehouse.md alone; tests/unit/store_clickhouse.c compares."""
import pathlib
import struct

PROMOTED = ("T order_id,I revenue,I total,I discount,I shipping,I value,I price,T currency,I quantity,"
            "T product_id,T sku,T category,T brand,T coupon,T shop,T store_id,T campaign")
VALUES = {"order_id": "O-1", "revenue": 12900, "currency": "CNY", "shop": "官方旗舰店", "quantity": -2}


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def text(value):
    raw = value.encode()
    return varint(len(raw)) + raw


row = struct.pack("<QQI16sBB", 2**40 + 7, 12, 3, bytes(range(16)), 1, 5)
row += text("Order Paid") + text("mini_program")
row += struct.pack("<qqII", 1795000000123, 1795000000456, 4000000000, 77)
row += varint(3) + struct.pack("<III", 77, 1, 4294967295)
for column in PROMOTED.split(","):
    kind, name = column.split(" ")
    if kind == "T":
        row += text(VALUES.get(name, ""))
    else:
        row += struct.pack("<q", VALUES.get(name, -2**63))
row += text('{"name":"' + "熟" * 100 + '"}') + text("")
pathlib.Path(__file__).with_name("event-row.bin").write_bytes(row)
