/* SPDX-License-Identifier: Apache-2.0 */
/* parquet: what the reader and the process that runs chDB say to each other. Private to table/.
 *
 * The child finds the file open as PARQUET_FILE_FD and writes frames to PARQUET_PIPE_FD:
 *
 *   OFFSET SIZE DESCRIPTION
 *   0      1    kind
 *   1      4    size of what follows, little endian
 *   5      …    'H': {"rows": N, "columns": [{"name": "traits.phone", "kind": "text"}, …]}, first and once
 *               'R': rows as ClickHouse's TabSeparated; a row may begin in one frame and end in another
 *               'E': what went wrong, in words; the last frame
 *               'D': nothing; the last frame, all rows were sent
 *
 * A pipe that ends without 'E' or 'D' is a child that died. */
#ifndef KITH_TABLE_PARQUET_H
#define KITH_TABLE_PARQUET_H

#define PARQUET_FILE_FD 3
#define PARQUET_PIPE_FD 4
#define PARQUET_FRAME_BYTES 5
#define PARQUET_ROWS_BYTES_MAX (256 * 1024)
#define PARQUET_TEXT_BYTES_MAX (8 * 1024 * 1024)
/* Beyond it chDB refuses; well above it the child ends itself. */
#define PARQUET_MEMORY_BYTES ((uint64_t)1536 << 20)

/* NAME, text in the header, what the cell is */
#define PARQUET_KINDS(X)                                           \
    X(TEXT, "text")                                                \
    X(NUMBER, "number") /* an integer or a decimal: exact */       \
    X(FLOAT, "float")                                              \
    X(BOOL, "bool")                                                \
    X(TIME, "time")   /* of a zone: 2024-01-05T08:03:01.250Z */    \
    X(LOCAL, "local") /* of none: the same text without its 'Z' */ \
    X(DAY, "day")                                                  \
    X(JSON, "json")
enum parquet_kind {
#define X(name, text) PARQUET_##name,
    PARQUET_KINDS(X)
#undef X
};

#endif
