/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_fill: many new rows of one table by COPY, in its binary form:
 *
 *   OFFSET SIZE DESCRIPTION
 *   0      11   "PGCOPY\n", 0xff, "\r\n", 0
 *   11     8    flags, length of an extension: both 0
 *   19     …    rows: number of values (2), then each: its size (4; -1: null) and its bytes
 *   end    2    -1
 * Big endian. A row that is refused is told of at the end. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "store/postgres_inside.h"

/* Handed to libpq at once. */
#define PIECE_BYTES ((size_t)64 << 10)

static void put_u16(struct buffer *out, uint16_t value)
{
    uint16_t big_endian = htobe16(value);
    buffer_append(out, (const char *)&big_endian, sizeof big_endian);
}

static void put_u32(struct buffer *out, uint32_t value)
{
    uint32_t big_endian = htobe32(value);
    buffer_append(out, (const char *)&big_endian, sizeof big_endian);
}

static err send_piece(struct postgres *sql, struct problem *problem)
{
    err error = buffer_status(&sql->filling);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for rows of ledger '%s'", sql->name);
    if (sql->filling.size > 0 &&
        PQputCopyData(sql->connection, sql->filling.data, (int)sql->filling.size) != 1)
        return post_failed(sql, NULL, "fill a table", problem);
    buffer_clear(&sql->filling);
    return ERR_OK;
}

err post_fill_begin(struct sql *base, const char *table, const char *columns,
                    struct problem *problem)
{
    static const char HEAD[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    struct postgres *sql = post(base);
    char text[1000];
    err error = post_leave_pipeline(sql, problem);
    if (error != ERR_OK)
        return error;
    snprintf(text, sizeof text, "COPY %s (%s) FROM STDIN (FORMAT binary)", table, columns);
    PGresult *result = PQexec(sql->connection, text);
    if (PQresultStatus(result) != PGRES_COPY_IN)
        error = post_failed(sql, result, "fill a table", problem);
    PQclear(result);
    buffer_clear(&sql->filling);
    buffer_append(&sql->filling, HEAD, sizeof HEAD);
    return error;
}

err post_fill_row(struct sql *base, const struct ledger_value *values, int count,
                  struct problem *problem)
{
    struct postgres *sql = post(base);
    struct buffer *out = &sql->filling;
    put_u16(out, (uint16_t)count);
    for (int i = 0; i < count; i++) {
        const struct ledger_value *value = &values[i];
        if (value->kind == LEDGER_NULL) {
            put_u32(out, UINT32_MAX);
        } else if (value->kind == LEDGER_INT) {
            uint64_t big_endian = htobe64((uint64_t)value->integer);
            put_u32(out, sizeof big_endian);
            buffer_append(out, (const char *)&big_endian, sizeof big_endian);
        } else {
            put_u32(out, (uint32_t)value->bytes.size);
            buffer_append_str(out, value->bytes);
        }
    }
    return out->size >= PIECE_BYTES ? send_piece(sql, problem) : ERR_OK;
}

err post_fill_end(struct sql *base, bool complete, struct problem *problem)
{
    struct postgres *sql = post(base);
    put_u16(&sql->filling, UINT16_MAX);
    err error = complete ? send_piece(sql, problem) : ERR_OK;
    buffer_clear(&sql->filling);
    if (PQputCopyEnd(sql->connection, complete && error == ERR_OK ? NULL : "given up") != 1 &&
        error == ERR_OK)
        error = post_failed(sql, NULL, "fill a table", problem);
    for (PGresult *result; (result = PQgetResult(sql->connection)) != NULL; PQclear(result))
        if (complete && error == ERR_OK && !post_is_fine(result))
            error = post_failed(sql, result, "fill a table", problem);
    return error;
}
