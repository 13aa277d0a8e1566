/* SPDX-License-Identifier: Apache-2.0 */
/* ordered: rows by ranges of customers, sorted here; see ordered.h. */
#include "engine/past/ordered.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/logline.h"

#define SLICE_BITS 12 /* customers that are counted together */
#define SLICES_BYTES_MAX ((size_t)64 << 20)
#define SQL_BYTES_MAX ((size_t)12 << 20)
#define RANGE_WAIT_MS (10 * MINUTE_MS)

/* Of customers first to last. */
struct range {
    const struct ordered *ordered;
    uint32_t first, last;
    uint64_t expected; /* rows; more than may be held: asked for in order */
    pthread_t thread;
    bool is_coming; /* the thread runs */
    struct buffer rows;
    struct row_place *places;
    size_t count, capacity;
    uint32_t *sorted;
    err error;
    struct problem problem;
};

static void range_init(struct range *range, const struct ordered *ordered)
{
    *range = (struct range){ .ordered = ordered };
    buffer_init(&range->rows, ordered->bytes_max);
}

static void range_deinit(struct range *range)
{
    if (range->is_coming)
        pthread_join(range->thread, NULL);
    buffer_deinit(&range->rows);
    memory_free(range->places);
    memory_free(range->sorted);
}

/* ---- a range comes: its own thread ---- */

static void write_query(const struct range *range, const char *order, struct buffer *sql)
{
    const struct ordered *ordered = range->ordered;
    buffer_append_str(sql, ordered->columns);
    buffer_append_str(sql, ordered->from);
    buffer_printf(sql, " AND customer BETWEEN %u AND %u%s FORMAT RowBinary%c", range->first,
                  range->last, order, '\0');
}

static err reserve_places(struct range *range)
{
    if (range->count < range->capacity)
        return ERR_OK;
    size_t capacity = range->capacity > 0 ? range->capacity * 2 : (size_t)range->expected + 64;
    struct row_place *places = memory_resize(range->places, capacity * sizeof *places);
    if (places == NULL)
        return problem_set(&range->problem, ERR_NOMEM, "no memory to sort %zu rows", capacity);
    range->places = places;
    range->capacity = capacity;
    return ERR_OK;
}

static err find_places(struct range *range)
{
    const struct ordered *ordered = range->ordered;
    struct cursor cursor = cursor_over(buffer_str(&range->rows));
    const uint8_t *begin = cursor.next;
    range->count = 0;
    while (cursor_left(&cursor) > 0) {
        err error = reserve_places(range);
        if (error != ERR_OK)
            return error;
        struct row_place *place = &range->places[range->count++];
        const uint8_t *row = cursor.next;
        ordered->walk(ordered->context, &cursor, place);
        if (cursor.failed)
            return problem_set(&range->problem, ERR_CORRUPT,
                               "the warehouse's answer ends within a row");
        place->offset = (uint64_t)(row - begin);
        place->size = (uint32_t)(cursor.next - row);
    }
    return ERR_OK;
}

static void *bring(void *context)
{
    struct range *range = context;
    struct buffer sql;
    pthread_setname_np(pthread_self(), "kith-ordered");
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_clear(&range->rows);
    write_query(range, "", &sql);
    range->error = buffer_status(&sql);
    if (range->error == ERR_OK)
        range->error = warehouse_query(range->ordered->warehouse, str_from_c(sql.data), NULL, 0,
                                       RANGE_WAIT_MS, &range->rows, &range->problem);
    if (range->error == ERR_OK)
        range->error = find_places(range);
    memory_free(range->sorted);
    range->sorted = NULL;
    if (range->error == ERR_OK)
        range->error = places_sort(range->places, range->count, &range->sorted, &range->problem);
    buffer_deinit(&sql);
    return NULL;
}

static bool is_large(const struct range *range)
{
    return range->expected > range->ordered->rows_max;
}

/* ---- a range is taken: the caller's thread ---- */

static err take_in_order(const struct range *range, uint64_t *taken, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    write_query(range, " ORDER BY customer, time_ms, seq", &sql);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = rows_stream(range->ordered->warehouse, NULL, sql.data, range->ordered->take,
                            range->ordered->context, problem);
    buffer_deinit(&sql);
    *taken += range->expected;
    return error;
}

static err take_sorted(const struct range *range, uint64_t *taken)
{
    const struct ordered *ordered = range->ordered;
    err error = ERR_OK;
    for (size_t i = 0; i < range->count && error == ERR_OK; i++) {
        const struct row_place *place = &range->places[range->sorted[i]];
        struct cursor cursor =
            cursor_over(str_from_bytes(range->rows.data + place->offset, place->size));
        error = ordered->take(ordered->context, &cursor);
    }
    *taken += range->count;
    return error;
}

static err begin(struct range *range, struct problem *problem)
{
    range->error = ERR_OK;
    range->problem = (struct problem){ .error = ERR_OK };
    if (is_large(range))
        return ERR_OK;
    if (pthread_create(&range->thread, NULL, bring, range) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    range->is_coming = true;
    return ERR_OK;
}

static err finish(struct range *range, uint64_t *taken, struct problem *problem)
{
    if (is_large(range))
        return take_in_order(range, taken, problem);
    pthread_join(range->thread, NULL);
    range->is_coming = false;
    if (range->error == ERR_OK)
        return take_sorted(range, taken);
    if (buffer_status(&range->rows) == ERR_TOO_LARGE)
        return take_in_order(range, taken, problem);
    *problem = range->problem;
    return range->error;
}

/* ---- which ranges ---- */

static err count_slices(const struct ordered *ordered, struct buffer *slices,
                        struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_printf(&sql, "SELECT bitShiftRight(customer, %d) AS slice, count()", SLICE_BITS);
    buffer_append_str(&sql, ordered->from);
    buffer_printf(&sql, " GROUP BY slice ORDER BY slice FORMAT RowBinary%c", '\0');
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_query(ordered->warehouse, str_from_c(sql.data), NULL, 0, RANGE_WAIT_MS,
                                slices, problem);
    buffer_deinit(&sql);
    return error;
}

/* As many slices as may be held, at least one. False: there are no more. */
static bool next_range(struct cursor *slices, struct range *range)
{
    range->expected = 0;
    while (cursor_left(slices) > 0) {
        struct cursor next = *slices;
        uint32_t slice = read_u32(&next);
        uint64_t rows = read_u64(&next);
        if (next.failed ||
            (range->expected > 0 && range->expected + rows > range->ordered->rows_max))
            break;
        range->first = range->expected == 0 ? slice << SLICE_BITS : range->first;
        range->last = (slice << SLICE_BITS) + (1u << SLICE_BITS) - 1;
        range->expected += rows;
        *slices = next;
    }
    return range->expected > 0;
}

static err stream_ranges(const struct ordered *ordered, struct cursor *slices, uint64_t *taken,
                         struct problem *problem)
{
    struct range ranges[2];
    unsigned at = 0;
    range_init(&ranges[0], ordered);
    range_init(&ranges[1], ordered);
    bool is_there = next_range(slices, &ranges[at]);
    err error = is_there ? begin(&ranges[at], problem) : ERR_OK;
    while (is_there && error == ERR_OK) {
        bool has_next = next_range(slices, &ranges[1 - at]);
        if (has_next)
            error = begin(&ranges[1 - at], problem);
        if (error == ERR_OK)
            error = finish(&ranges[at], taken, problem);
        is_there = has_next;
        at = 1 - at;
    }
    range_deinit(&ranges[0]);
    range_deinit(&ranges[1]);
    return error;
}

err ordered_stream(const struct ordered *ordered, const char *name, struct problem *problem)
{
    struct buffer slices;
    uint64_t taken = 0;
    steady_ns start = steady_now();
    buffer_init(&slices, SLICES_BYTES_MAX);
    err error = count_slices(ordered, &slices, problem);
    struct cursor cursor = cursor_over(buffer_str(&slices));
    if (error == ERR_OK)
        error = stream_ranges(ordered, &cursor, &taken, problem);
    if (error == ERR_OK && cursor_left(&cursor) > 0)
        error = problem_set(problem, ERR_CORRUPT, "the warehouse's answer ends within a row");
    buffer_deinit(&slices);
    if (name != NULL)
        log_line(LOG_INFO, name, "rows=%llu ms=%lld", (unsigned long long)taken,
                 (long long)steady_since_ms(start));
    return error;
}
