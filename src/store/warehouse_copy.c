/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_copy: from one warehouse into another, a range of seq at a time:
 *
 *     sums there = sums here ─▶ next range
 *     fewer rows here        ─▶ rows there, less those whose seq is here ─▶ insert ─▶ the same now ─▶ next range
 *     else                   ─▶ CONFLICT
 *
 * cityHash64 is the same function in all servers, from 18.16 on. */
#include "store/warehouse_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "store/event_columns.h"
#include "store/events.h"
#include "store/warehouse_inside.h"

#define RANGE_SEQS UINT64_C(250000)
/* Of the texts of a range; beyond it the range is halved. */
#define RANGE_BYTES_MAX ((uint64_t)256 << 20)
#define ROWS_BYTES_MAX ((size_t)2 << 30)
#define ASK_MS (30 * MINUTE_MS)

_Static_assert(RANGE_SEQS <= WAREHOUSE_BATCH_ROWS_MAX, "a range is one block");

struct copying {
    struct warehouse *from, *to;
    struct warehouse_copied *copied;
    uint64_t first_seq; /* of the range that is copied: also the name of its batch */
    struct buffer sql, rows;
};

/* What is compared; `bytes` is only looked at. */
struct sums {
    uint64_t rows, seqs, hash, bytes;
};

static err ask(struct warehouse *warehouse, struct copying *copying, struct buffer *out,
               struct problem *problem)
{
    err error = buffer_status(&copying->sql);
    buffer_clear(out);
    return error == ERR_OK ? warehouse_query(warehouse, buffer_str(&copying->sql), NULL, 0, ASK_MS,
                                             out, problem)
                           : error;
}

static err sum_range(struct copying *copying, struct warehouse *warehouse, uint64_t first_seq,
                     uint64_t last_seq, struct sums *sums, struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, 4096);
    buffer_clear(&copying->sql);
    buffer_printf(&copying->sql,
                  "SELECT toUInt64(count()), toUInt64(sum(seq)), toUInt64(sum(cityHash64(%s))), "
                  "toUInt64(sum(length(props) + length(context))) FROM events "
                  "WHERE seq BETWEEN %" PRIu64 " AND %" PRIu64 " FORMAT RowBinary",
                  warehouse_event_columns(), first_seq, last_seq);
    err error = ask(warehouse, copying, &out, problem);
    if (error == ERR_OK && out.size != sizeof *sums)
        error = problem_set(problem, ERR_WAREHOUSE, "%zu bytes came for four sums", out.size);
    if (error == ERR_OK)
        memcpy(sums, out.data, sizeof *sums);
    buffer_deinit(&out);
    return error;
}

static bool is_same(const struct sums *one, const struct sums *other)
{
    return one->rows == other->rows && one->seqs == other->seqs && one->hash == other->hash;
}

static err say_other(const struct sums *there, const struct sums *here, uint64_t first_seq,
                     uint64_t last_seq, struct problem *problem)
{
    problem_set(problem, ERR_CONFLICT,
                "events of seq %" PRIu64 " to %" PRIu64 " are others where they go: %" PRIu64
                " rows, and not the %" PRIu64 " that should be there",
                first_seq, last_seq, here->rows, there->rows);
    return problem_hint(problem, ERR_CONFLICT,
                        "drop the tables of Kith there and move again: what was copied earlier has "
                        "changed since, or it is another Kith's");
}

/* Past one row as event_row_write writes it; its seq. */
static uint64_t skip_row(struct cursor *rows)
{
    static const size_t sizes[] = {
        [FORM_U8] = 1, [FORM_U32] = 4, [FORM_U64] = 8, [FORM_I64] = 8, [FORM_KEY] = 16
    };
    struct cursor first = *rows;
    for (int i = 0; i < event_column_count; i++) {
        enum column_form form = event_columns[i].form;
        if (form == FORM_TEXT)
            (void)read_text(rows);
        else if (form == FORM_LIST)
            (void)read_bytes(rows, (size_t)read_varint(rows) * sizeof(uint32_t));
        else
            (void)read_bytes(rows, sizes[form]);
    }
    return read_u64(&first);
}

/* Those of copying->rows that are not among `present`, both ascending by seq, stay. */
static err keep_missing(struct copying *copying, str present, struct problem *problem)
{
    struct cursor rows = cursor_over(buffer_str(&copying->rows)), seqs = cursor_over(present);
    char *kept = copying->rows.data;
    uint64_t next = cursor_left(&seqs) > 0 ? read_u64(&seqs) : UINT64_MAX;
    while (cursor_left(&rows) > 0 && !rows.failed) {
        const uint8_t *row = rows.next;
        uint64_t seq = skip_row(&rows);
        while (next < seq)
            next = cursor_left(&seqs) > 0 ? read_u64(&seqs) : UINT64_MAX;
        if (next == seq || rows.failed)
            continue;
        memmove(kept, row, (size_t)(rows.next - row));
        kept += rows.next - row;
    }
    if (rows.failed)
        return problem_set(problem, ERR_WAREHOUSE, "rows came that cannot be read");
    copying->rows.size = (size_t)(kept - copying->rows.data);
    return ERR_OK;
}

static err insert_range(struct copying *copying, uint64_t last_seq, bool is_begun,
                        struct problem *problem)
{
    struct buffer present;
    buffer_init(&present, 4 * RANGE_SEQS * sizeof(uint64_t));
    buffer_clear(&copying->sql);
    buffer_printf(&copying->sql,
                  "SELECT %s FROM events WHERE seq BETWEEN %" PRIu64 " AND %" PRIu64
                  " ORDER BY seq FORMAT RowBinary",
                  warehouse_event_columns(), copying->first_seq, last_seq);
    err error = ask(copying->from, copying, &copying->rows, problem);
    if (error == ERR_OK && is_begun)
        error =
            warehouse_present_seqs(copying->to, copying->first_seq, last_seq, &present, problem);
    if (error == ERR_OK)
        error = keep_missing(copying, buffer_str(&present), problem);
    if (error == ERR_OK && copying->rows.size > 0)
        error = warehouse_insert_events(copying->to, copying->first_seq, is_begun,
                                        buffer_str(&copying->rows), problem);
    buffer_deinit(&present);
    return error;
}

/* From copying->first_seq on, up to `last_seq` or, where texts are long, less; it is then behind what was copied. */
static err copy_range(struct copying *copying, uint64_t last_seq, struct problem *problem)
{
    struct sums there, here;
    uint64_t first_seq = copying->first_seq;
    err error = sum_range(copying, copying->from, first_seq, last_seq, &there, problem);
    while (error == ERR_OK && there.bytes > RANGE_BYTES_MAX && last_seq > first_seq) {
        last_seq = first_seq + (last_seq - first_seq) / 2;
        error = sum_range(copying, copying->from, first_seq, last_seq, &there, problem);
    }
    if (error == ERR_OK)
        error = sum_range(copying, copying->to, first_seq, last_seq, &here, problem);
    if (error == ERR_OK && here.rows < there.rows) {
        copying->copied->inserted += there.rows - here.rows;
        error = insert_range(copying, last_seq, here.rows > 0, problem);
        if (error == ERR_OK)
            error = sum_range(copying, copying->to, first_seq, last_seq, &here, problem);
    }
    if (error == ERR_OK && !is_same(&there, &here))
        error = say_other(&there, &here, first_seq, last_seq, problem);
    if (error == ERR_OK)
        copying->copied->rows += here.rows;
    copying->first_seq = last_seq + 1;
    return error;
}

static err copy_events(struct copying *copying, struct problem *problem)
{
    uint64_t last_seq = 0, beyond = 0;
    err error = warehouse_max_seq(copying->from, &last_seq, problem);
    if (error == ERR_OK)
        error = warehouse_max_seq(copying->to, &beyond, problem);
    if (error == ERR_OK && beyond > last_seq)
        return problem_hint(problem,
                            problem_set(problem, ERR_CONFLICT,
                                        "where the events go there are some up to seq %" PRIu64
                                        ", and here up to %" PRIu64 " only",
                                        beyond, last_seq),
                            "drop the tables of Kith there and move again");
    copying->first_seq = 1;
    while (error == ERR_OK && copying->first_seq <= last_seq) {
        uint64_t left = last_seq - copying->first_seq;
        error = copy_range(
            copying, left < RANGE_SEQS ? last_seq : copying->first_seq + RANGE_SEQS - 1, problem);
    }
    return error;
}

/* All of them: the same one twice does no harm, its version decides. */
static err copy_aliases(struct copying *copying, struct problem *problem)
{
    const size_t size = sizeof(struct warehouse_alias);
    _Static_assert(sizeof(struct warehouse_alias) == 16, "as RowBinary has it");
    buffer_clear(&copying->sql);
    buffer_printf(&copying->sql, "SELECT customer, argMax(current, version), max(version) "
                                 "FROM aliases GROUP BY customer FORMAT RowBinary");
    err error = ask(copying->from, copying, &copying->rows, problem);
    if (error == ERR_OK && copying->rows.size % size != 0)
        error =
            problem_set(problem, ERR_WAREHOUSE, "%zu bytes came for aliases", copying->rows.size);
    if (error == ERR_OK)
        error = warehouse_put_aliases(
            copying->to, (const struct warehouse_alias *)(const void *)copying->rows.data,
            copying->rows.size / size, problem);
    return error == ERR_OK ? warehouse_refresh_aliases(copying->to, problem) : error;
}

err warehouse_copy(struct warehouse *from, struct warehouse *to, struct warehouse_copied *copied,
                   struct problem *problem)
{
    struct copying copying = { .from = from, .to = to, .copied = copied };
    *copied = (struct warehouse_copied){ .rows = 0 };
    buffer_init(&copying.sql, 64 << 10);
    buffer_init(&copying.rows, ROWS_BYTES_MAX);
    err error = copy_events(&copying, problem);
    if (error == ERR_OK)
        error = copy_aliases(&copying, problem);
    buffer_deinit(&copying.sql);
    buffer_deinit(&copying.rows);
    return error;
}

err warehouse_retire(struct warehouse *warehouse, struct problem *problem)
{
    err error = ERR_OK;
    for (int shard = 0; shard < warehouse->shard_count && error == ERR_OK; shard++)
        error = warehouse_at(warehouse, shard, "TRUNCATE TABLE kith_shard", ASK_MS, NULL, problem);
    return error;
}
