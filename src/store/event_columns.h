/* SPDX-License-Identifier: Apache-2.0 */
/* event_columns: the columns of `events`, each described once. Private to store/.
 *
 * From this list come the table, the rows and the blocks. X(name, form, type in the table, codec);
 * the promoted columns follow those before them, then props and context.
 */
#ifndef KITH_STORE_EVENT_COLUMNS_H
#define KITH_STORE_EVENT_COLUMNS_H

#include "store/warehouse.h"

/* Form: how a value lies in a row. */
enum column_form {
    FORM_U8,
    FORM_U32,
    FORM_U64,
    FORM_I64,
    FORM_KEY,
    FORM_TEXT,
    FORM_LIST,
};

/* Numbers that rise together are stored as differences. The message key is a hash: nothing to
 * squeeze. */
#define EVENT_COLUMNS_BEFORE(X)                             \
    X("seq", U64, "UInt64", "Delta(8), ZSTD(1)")            \
    X("batch", U64, "UInt64", "Delta(8), ZSTD(1)")          \
    X("source", U32, "UInt32", "ZSTD(1)")                   \
    X("message_key", KEY, "FixedString(16)", "NONE")        \
    X("kind", U8, "UInt8", "ZSTD(1)")                       \
    X("flags", U8, "UInt8", "ZSTD(1)")                      \
    X("type", TEXT, "LowCardinality(String)", "ZSTD(1)")    \
    X("channel", TEXT, "LowCardinality(String)", "ZSTD(1)") \
    X("time_ms", I64, "Int64", "Delta(8), ZSTD(1)")         \
    X("received_ms", I64, "Int64", "Delta(8), ZSTD(1)")     \
    X("customer", U32, "UInt32", "Delta(4), LZ4")           \
    X("origin", U32, "UInt32", "LZ4")                       \
    X("identifiers", LIST, "Array(UInt32)", "LZ4")
#define EVENT_COLUMNS_AFTER(X)            \
    X("props", TEXT, "String", "ZSTD(1)") \
    X("context", TEXT, "String", "ZSTD(1)")

/* Texts of promoted columns repeat, but a dictionary costs more than it gives: with LowCardinality an
 * insert took 2.4 of 8.5 microseconds a row longer (measured with 12 of them). */
#define PROMOTED_FORM_TEXT FORM_TEXT
#define PROMOTED_FORM_INT FORM_I64
#define PROMOTED_FORM_MONEY FORM_I64

struct event_column {
    const char *name;
    enum column_form form;
    const char *type;
    const char *codec;
    bool promoted;
};

extern const struct event_column event_columns[];
extern const int event_column_count;
#define EVENT_COLUMNS_MAX 128
/* How many stand before the promoted ones. */
#define X(...) +1
enum { EVENT_COLUMNS_KEYED = EVENT_COLUMNS_BEFORE(X) };
#undef X

#endif
