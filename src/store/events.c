/* SPDX-License-Identifier: Apache-2.0 */
/* events: rows of the table `events`, and the questions of the flush. */
#include "store/events.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/event_columns.h"
#include "store/events_native.h"
#include "store/warehouse_inside.h"

/* ---- rows ---- */

const struct event_column event_columns[] = {
#define X(name, form, type, codec) { name, FORM_##form, type, codec, false },
    EVENT_COLUMNS_BEFORE(X)
#undef X
#define TYPE_TEXT "String"
#define TYPE_INT "Int64"
#define TYPE_MONEY "Int64"
#define X(NAME, column, property, type) { column, PROMOTED_FORM_##type, TYPE_##type, "LZ4", true },
        PROMOTED_TABLE(X)
#undef X
#define X(name, form, type, codec) { name, FORM_##form, type, codec, false },
            EVENT_COLUMNS_AFTER(X)
#undef X
};
const int event_column_count = (int)(sizeof(event_columns) / sizeof(event_columns[0]));

const char *warehouse_event_columns(void)
{
#define X(name, form, type, codec) name ","
    return EVENT_COLUMNS_BEFORE(X)
#undef X
#define X(name, column, property, type) column ","
        PROMOTED_TABLE(X)
#undef X
            "props,context";
}

static const uint8_t PROMOTED_FORMS[PROMOTED_COUNT] = {
#define X(name, column, property, type) PROMOTED_FORM_##type,
    PROMOTED_TABLE(X)
#undef X
};

/* Fixed columns, the longest varints of all lists and texts, and every promoted number. */
#define ROW_FIXED_BYTES (8 + 8 + 4 + 16 + 1 + 1 + 8 + 8 + 4 + 4)
#define VARINT_BYTES 10

static char *put_bytes(char *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* Hosts are little endian, as RowBinary is. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "RowBinary is written as it lies");
#define PUT(at, value) put_bytes((at), &(value), sizeof(value))

static char *put_varint(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)(uint8_t)value;
    return at;
}

static char *put_text(char *at, str text)
{
    at = put_varint(at, text.size);
    return text.size > 0 ? put_bytes(at, text.data, text.size) : at;
}

static size_t row_bytes_max(const struct warehouse_event *row)
{
    size_t size = ROW_FIXED_BYTES + 5 * VARINT_BYTES + (size_t)PROMOTED_COUNT * VARINT_BYTES +
                  row->type.size + row->channel.size + row->props.size + row->context.size +
                  (size_t)row->identifier_count * sizeof(uint32_t);
    for (int i = 0; i < PROMOTED_COUNT; i++) {
        if (PROMOTED_FORMS[i] == FORM_TEXT && (row->promoted_set >> i & 1) != 0)
            size += row->promoted_text[i].size;
    }
    return size;
}

static char *put_promoted(char *at, const struct warehouse_event *row)
{
    static const int64_t missing = PROMOTED_MISSING;
    for (int i = 0; i < PROMOTED_COUNT; i++) {
        bool set = (row->promoted_set >> i & 1) != 0;
        if (PROMOTED_FORMS[i] == FORM_TEXT)
            at = put_text(at, set ? row->promoted_text[i] : STR_NONE);
        else
            at = put_bytes(at, set ? &row->promoted_int[i] : &missing, sizeof(missing));
    }
    return at;
}

void event_row_write(struct buffer *out, const struct warehouse_event *row)
{
    size_t size_max = row_bytes_max(row);
    char *begin = buffer_reserve(out, size_max);
    if (begin == NULL)
        return;
    char *at = PUT(begin, row->seq);
    at = PUT(at, row->batch);
    at = PUT(at, row->source);
    at = PUT(at, row->message_key);
    at = PUT(at, row->kind);
    at = PUT(at, row->flags);
    at = put_text(at, row->type);
    at = put_text(at, row->channel);
    at = PUT(at, row->time_ms);
    at = PUT(at, row->received_ms);
    at = PUT(at, row->customer);
    at = PUT(at, row->origin);
    at = put_varint(at, row->identifier_count);
    if (row->identifier_count > 0)
        at = put_bytes(at, row->identifiers, row->identifier_count * sizeof(uint32_t));
    at = put_promoted(at, row);
    at = put_text(at, row->props);
    at = put_text(at, row->context);
    INVARIANT((size_t)(at - begin) <= size_max);
    buffer_advance(out, (size_t)(at - begin));
}

#define ASK_MS (10 * MINUTE_MS)

/* ---- the flush ---- */

#define BATCH_NAME_BYTES 64

static str name_batch(char name[BATCH_NAME_BYTES], uint64_t batch, uint32_t again)
{
    int size = snprintf(name, BATCH_NAME_BYTES, "kith-events-%" PRIu64 "-%u", batch, again);
    return (str){ .data = name, .size = (size_t)size };
}

err warehouse_insert_events(struct warehouse *warehouse, uint64_t batch, uint32_t again, str rows,
                            struct problem *problem)
{
    char name[BATCH_NAME_BYTES], table[1024];
    int size = snprintf(table, sizeof(table), "events (%s)", warehouse_event_columns());
    INVARIANT(size > 0 && (size_t)size < sizeof(table));
    struct native_stream *stream = NULL;
    if (warehouse->shard_count > 0)
        return cluster_insert_events(warehouse, str_from_c(warehouse_event_columns()), rows,
                                     name_batch(name, batch, again), problem);
    err error = native_stream_new(&stream, rows, problem);
    if (error != ERR_OK)
        return error;
    struct warehouse_data data = { .format = "Native",
                                   .read = native_stream_read,
                                   .context = stream };
    error = warehouse_insert_data(warehouse, 0, (str){ .data = table, .size = (size_t)size }, &data,
                                  name_batch(name, batch, again), problem);
    native_stream_free(&stream);
    return error;
}

err warehouse_take_writing(struct warehouse *warehouse, uint64_t epoch, struct problem *problem)
{
    return warehouse->shard_count > 0 && epoch > 0 ? cluster_take_writing(warehouse, epoch, problem)
                                                   : ERR_OK;
}

err warehouse_stop_batch(struct warehouse *warehouse, uint64_t batch, uint32_t again,
                         struct problem *problem)
{
    char name[BATCH_NAME_BYTES];
    str batch_name = name_batch(name, batch, again);
    return warehouse->shard_count > 0 ? cluster_stop_inserts(warehouse, batch_name, problem)
                                      : warehouse_kill(warehouse, batch_name, problem);
}

err warehouse_present_seqs(struct warehouse *warehouse, uint64_t first_seq, uint64_t last_seq,
                           struct buffer *out, struct problem *problem)
{
    char sql[160];
    int size = snprintf(sql, sizeof(sql),
                        "SELECT seq FROM events WHERE seq BETWEEN %" PRIu64 " AND %" PRIu64
                        " ORDER BY seq FORMAT RowBinary",
                        first_seq, last_seq);
    return warehouse_query(warehouse, (str){ .data = sql, .size = (size_t)size }, NULL, 0,
                           10 * 60 * 1000, out, problem);
}

err warehouse_max_seq(struct warehouse *warehouse, uint64_t *seq, struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, 4096);
    err error = warehouse_query(warehouse, STR("SELECT max(seq) FROM events FORMAT RowBinary"),
                                NULL, 0, 10 * 60 * 1000, &out, problem);
    if (error == ERR_OK && out.size != sizeof(*seq))
        error = problem_set(problem, ERR_WAREHOUSE, "%zu bytes came for a number", out.size);
    if (error == ERR_OK)
        memcpy(seq, out.data, sizeof(*seq));
    buffer_deinit(&out);
    return error;
}

/* ---- lists that lie whole in each place ---- */

static err ask_numbers(struct warehouse *warehouse, int place, const char *sql, uint64_t *numbers,
                       size_t count, struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, 4096);
    err error = warehouse_at(warehouse, place, sql, ASK_MS, &out, problem);
    if (error == ERR_OK && out.size != count * sizeof(*numbers))
        error =
            problem_set(problem, ERR_WAREHOUSE, "%zu bytes came for %zu numbers", out.size, count);
    if (error == ERR_OK)
        memcpy(numbers, out.data, out.size);
    buffer_deinit(&out);
    return error;
}

/* What is there and what should be: the same set when count and sum are. */
static err settle_place(struct warehouse *warehouse, int place, const struct warehouse_list *list,
                        bool *settled, struct problem *problem)
{
    char sql[256];
    uint64_t found[2] = { 0, 0 };
    snprintf(sql, sizeof(sql), "SELECT count(), toUInt64(sum(%s)) FROM %s FORMAT RowBinary",
             list->column, list->table);
    err error = ask_numbers(warehouse, place, sql, found, 2, problem);
    *settled = found[0] == list->count && found[1] == list->sum;
    if (error != ERR_OK || *settled)
        return error;
    snprintf(sql, sizeof(sql), "TRUNCATE TABLE %s", list->table);
    return warehouse_at(warehouse, place, sql, ASK_MS, NULL, problem);
}

err warehouse_settle_list(struct warehouse *warehouse, const struct warehouse_list *list, str batch,
                          struct problem *problem)
{
    char into[128];
    err error = ERR_OK;
    int size = snprintf(into, sizeof(into), "%s (%s)", list->table, list->column);
    INVARIANT(size > 0 && (size_t)size < sizeof(into));
    for (int place = 0; place < warehouse_places(warehouse) && error == ERR_OK; place++) {
        bool settled = false;
        error = settle_place(warehouse, place, list, &settled, problem);
        if (error == ERR_OK && !settled && list->count > 0)
            error = warehouse_insert_at(warehouse, place, (str){ into, (size_t)size }, list->rows,
                                        batch, problem);
    }
    return error;
}

/* ---- erasing ---- */

static err wait_for_mutations(struct warehouse *warehouse, int place, int64_t timeout_ms,
                              struct problem *problem)
{
    steady_ns start = steady_now();
    uint64_t open = 1;
    err error = ERR_OK;
    while (error == ERR_OK && open > 0) {
        error = ask_numbers(warehouse, place,
                            "SELECT toUInt64(count()) FROM system.mutations WHERE database = "
                            "currentDatabase() AND table = 'events_shard' AND NOT is_done "
                            "FORMAT RowBinary",
                            &open, 1, problem);
        if (error == ERR_OK && open > 0 && steady_since_ms(start) > timeout_ms)
            error = problem_set(problem, ERR_TIMEOUT, "rows are still being erased");
        else if (open > 0)
            steady_sleep_ms(50);
    }
    return error;
}

err warehouse_delete_events(struct warehouse *warehouse, str condition, int64_t timeout_ms,
                            struct problem *problem)
{
    struct buffer sql, out;
    bool cluster = warehouse->shard_count > 0;
    buffer_init(&sql, condition.size + 256);
    buffer_init(&out, 65536);
    buffer_printf(&sql, "ALTER TABLE events DELETE WHERE " STR_FMT "%s", STR_ARG(condition),
                  cluster ? "" : " SETTINGS mutations_sync = 2");
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_query(warehouse, buffer_str(&sql), NULL, 0, timeout_ms, &out, problem);
    for (int place = 0; cluster && place < warehouse->shard_count && error == ERR_OK; place++)
        error = wait_for_mutations(warehouse, place, timeout_ms, problem);
    buffer_deinit(&sql);
    buffer_deinit(&out);
    return error;
}

err warehouse_erase_customers(struct warehouse *warehouse, str customers, int64_t timeout_ms,
                              struct problem *problem)
{
    struct buffer condition;
    buffer_init(&condition, customers.size + 64);
    buffer_printf(&condition, "customer IN (" STR_FMT ")", STR_ARG(customers));
    err error = buffer_status(&condition);
    if (error == ERR_OK)
        error = warehouse_delete_events(warehouse, buffer_str(&condition), timeout_ms, problem);
    buffer_deinit(&condition);
    return error;
}

/* Old servers keep parts as long as their configuration says. */
err warehouse_keep_old_parts(struct warehouse *warehouse, int seconds, struct problem *problem)
{
    char sql[128];
    struct buffer out;
    if (warehouse->shard_count > 0 && !atomic_load(&warehouse->modern))
        return ERR_OK;
    snprintf(sql, sizeof(sql), "ALTER TABLE events MODIFY SETTING old_parts_lifetime = %d",
             seconds);
    buffer_init(&out, 65536);
    err error = warehouse_query(warehouse, str_from_c(sql), NULL, 0, ASK_MS, &out, problem);
    buffer_deinit(&out);
    return error;
}

err warehouse_count_old_parts(struct warehouse *warehouse, uint64_t *count, struct problem *problem)
{
    char sql[256];
    err error = ERR_OK;
    *count = 0;
    snprintf(sql, sizeof(sql),
             "SELECT toUInt64(count()) FROM system.parts WHERE database = currentDatabase() "
             "AND table = '%s' AND NOT active FORMAT RowBinary",
             warehouse->shard_count > 0 ? "events_shard" : "events");
    for (int place = 0; place < warehouse_places(warehouse) && error == ERR_OK; place++) {
        uint64_t here = 0;
        error = ask_numbers(warehouse, place, sql, &here, 1, problem);
        *count += here;
    }
    return error;
}

/* ---- merges ---- */

err warehouse_alias_version(struct warehouse *warehouse, uint64_t *version, struct problem *problem)
{
    err error = ERR_OK;
    *version = UINT64_MAX;
    for (int place = 0; place < warehouse_places(warehouse) && error == ERR_OK; place++) {
        uint64_t here = 0;
        error = ask_numbers(warehouse, place, "SELECT max(version) FROM aliases FORMAT RowBinary",
                            &here, 1, problem);
        *version = here < *version ? here : *version;
    }
    return error;
}

err warehouse_put_aliases(struct warehouse *warehouse, const struct warehouse_alias *aliases,
                          size_t count, struct problem *problem)
{
    struct buffer rows;
    buffer_init(&rows, count * 16 + 64);
    for (size_t i = 0; i < count; i++) {
        buffer_append(&rows, &aliases[i].customer, sizeof(aliases[i].customer));
        buffer_append(&rows, &aliases[i].current, sizeof(aliases[i].current));
        buffer_append(&rows, &aliases[i].version, sizeof(aliases[i].version));
    }
    err error = buffer_status(&rows);
    if (error != ERR_OK)
        problem_set(problem, error, "no memory for %zu aliases", count);
    /* No token: the same alias twice does no harm, its version decides. */
    if (error == ERR_OK && count > 0)
        error = warehouse_insert(warehouse, STR("aliases (customer,current,version)"),
                                 buffer_str(&rows), STR_NONE, problem);
    buffer_deinit(&rows);
    if (error == ERR_OK && count > 0)
        atomic_store(&warehouse->aliases_changed, true);
    return error;
}

err warehouse_refresh_aliases(struct warehouse *warehouse, struct problem *problem)
{
    if (!atomic_exchange(&warehouse->aliases_changed, false))
        return ERR_OK;
    err error = warehouse->shard_count > 0
                    ? cluster_read_aliases(warehouse, problem)
                    : warehouse_at(warehouse, 0, "SYSTEM RELOAD DICTIONARY alias_map", ASK_MS, NULL,
                                   problem);
    if (error != ERR_OK)
        atomic_store(&warehouse->aliases_changed, true);
    return error;
}
