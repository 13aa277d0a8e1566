/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of orders that wait for the others of their order.
 *
 *     lines_add ─▶ packed in RAM ──(over the limit)──▶ sorted ─▶ a run on disk (spool.c)
 *     lines_drain ◀── sorted in RAM, or all runs merged
 *
 * Either way the rows come out in the order of (key, row), so that the events are the same in the same
 * order. A packed row is
 *
 *     OFFSET SIZE
 *      0     16   key of the order
 *     16      8   number of the row
 *     24      8   its line in the file
 *     32      4   bytes of the raw text, which follows the cells
 *     36      4   bytes of the cells: kind (1), varint length, text, for each slot
 */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "mapping/inside.h"
#include "mapping/spool.h"

#define MEMORY_BYTES_DEFAULT ((size_t)256 << 20)
#define MEMORY_BYTES_MIN ((size_t)64 << 10)
#define ORDER_BYTES_MAX ((size_t)64 << 20)
#define RAW_BYTES_KEPT 65536
#define HEAD_BYTES 40

struct waiting { /* for sorting, beside its packed row */
    uint64_t high, low, number;
    size_t offset;
};

struct lines {
    uint32_t slot_count;
    size_t memory_bytes_max;
    const char *folder;
    struct buffer packed;
    struct waiting *index;
    size_t count, capacity;
    struct spool *spool; /* NULL until the first run */
    /* an order on its way out */
    struct arena arena;
    struct buffer order; /* its packed rows */
    size_t order_count;
    uint8_t order_key[16];
    /* keys of orders that were closed; open addressing, 0 is free */
    uint64_t *closed;
    size_t closed_slots, closed_count;
};

err lines_new(struct lines **lines, const struct mapping_worker *worker, struct problem *problem)
{
    struct lines *made = memory_alloc(sizeof *made);
    size_t limit = worker->context.memory_bytes_max;
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the lines of orders");
    if (limit == 0)
        limit = MEMORY_BYTES_DEFAULT;
    made->memory_bytes_max = limit < MEMORY_BYTES_MIN ? MEMORY_BYTES_MIN : limit;
    made->slot_count = worker->mapping->slot_count;
    made->folder = worker->context.temporary_folder;
    /* A row may be as large as a row of a table is. */
    buffer_init(&made->packed, made->memory_bytes_max + 2 * (size_t)TABLE_ROW_BYTES_MAX);
    buffer_init(&made->order, ORDER_BYTES_MAX + 2 * (size_t)TABLE_ROW_BYTES_MAX);
    arena_init(&made->arena, "mapping lines", 4 * ORDER_BYTES_MAX);
    *lines = made;
    return ERR_OK;
}

void lines_free(struct lines **lines)
{
    struct lines *freed = *lines;
    *lines = NULL;
    if (freed == NULL)
        return;
    spool_close(&freed->spool);
    buffer_deinit(&freed->packed);
    buffer_deinit(&freed->order);
    arena_deinit(&freed->arena);
    memory_free(freed->index);
    memory_free(freed->closed);
    memory_free(freed);
}

bool lines_is_empty(const struct lines *lines)
{
    return lines->count == 0 && lines->spool == NULL;
}

/* ---- packing ---- */

/* LEB128, as read_text reads it. */
static char *put_varint(char *at, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (char)(value | 0x80);
    *at++ = (char)value;
    return at;
}

static char *put_bytes(char *at, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(at, bytes, size);
    return at + size;
}

/* Room is asked for once, by an upper bound; then bytes are put without checks. */
static void pack_row(struct lines *lines, const uint8_t key[16], const struct table_row *row,
                     const struct table_cell *cells)
{
    size_t raw_bytes = str_utf8_prefix_bytes(row->raw, RAW_BYTES_KEPT);
    size_t bound = HEAD_BYTES + raw_bytes + 11 * (size_t)lines->slot_count;
    for (uint32_t i = 0; i < lines->slot_count; i++)
        bound += cells[i].text.size;
    char *begin = buffer_reserve(&lines->packed, bound);
    if (begin == NULL)
        return;
    char *at = begin + HEAD_BYTES;
    for (uint32_t i = 0; i < lines->slot_count; i++) {
        *at++ = (char)cells[i].kind;
        size_t size = cells[i].kind == CELL_EMPTY ? 0 : cells[i].text.size;
        at = put_bytes(put_varint(at, size), cells[i].text.data, size);
    }
    uint32_t sizes[2] = { (uint32_t)raw_bytes, (uint32_t)(at - begin - HEAD_BYTES) };
    memcpy(begin, key, 16);
    memcpy(begin + 16, &row->number, 8);
    memcpy(begin + 24, &row->line, 8);
    memcpy(begin + 32, sizes, sizeof sizes);
    at = put_bytes(at, row->raw.data, raw_bytes);
    buffer_advance(&lines->packed, (size_t)(at - begin));
}

static uint64_t read_big(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}

static struct waiting waiting_of(const char *row, size_t offset)
{
    struct waiting waiting = { .high = read_big((const uint8_t *)row),
                               .low = read_big((const uint8_t *)row + 8),
                               .offset = offset };
    memcpy(&waiting.number, row + 16, sizeof waiting.number);
    return waiting;
}

static size_t packed_bytes(const char *row)
{
    uint32_t raw, cells;
    memcpy(&raw, row + 32, sizeof raw);
    memcpy(&cells, row + 36, sizeof cells);
    return HEAD_BYTES + (size_t)raw + cells;
}

/* ---- keeping ---- */

static int compare_waiting(const void *left, const void *right)
{
    const struct waiting *a = left, *b = right;
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static bool grow_index(struct lines *lines)
{
    if (lines->count < lines->capacity)
        return true;
    size_t capacity = lines->capacity > 0 ? 2 * lines->capacity : 1024;
    struct waiting *grown = memory_resize(lines->index, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    lines->index = grown;
    lines->capacity = capacity;
    return true;
}

static void sort_index(struct lines *lines)
{
    if (lines->count > 0)
        qsort(lines->index, lines->count, sizeof *lines->index, compare_waiting);
}

static err spill(struct lines *lines, struct problem *problem)
{
    err error = ERR_OK;
    if (lines->count == 0)
        return ERR_OK;
    if (lines->spool == NULL)
        error = spool_open(&lines->spool, lines->folder, problem);
    sort_index(lines);
    if (error == ERR_OK)
        error = spool_begin_run(lines->spool, problem);
    for (size_t i = 0; i < lines->count && error == ERR_OK; i++) {
        const char *row = lines->packed.data + lines->index[i].offset;
        error = spool_write(lines->spool, str_from_bytes(row, packed_bytes(row)), problem);
    }
    if (error == ERR_OK)
        error = spool_end_run(lines->spool, problem);
    buffer_clear(&lines->packed);
    lines->count = 0;
    return error;
}

err lines_add(struct lines *lines, const uint8_t key[16], const struct table_row *row,
              const struct table_cell *cells, struct problem *problem)
{
    size_t offset = lines->packed.size;
    if (!grow_index(lines))
        return problem_set(problem, ERR_NOMEM, "no memory for the lines of orders");
    pack_row(lines, key, row, cells);
    if (lines->packed.failed)
        return problem_set(problem, buffer_status(&lines->packed),
                           "no memory for the lines of orders");
    lines->index[lines->count++] = waiting_of(lines->packed.data + offset, offset);
    size_t held = lines->packed.size + lines->count * sizeof *lines->index;
    return held < lines->memory_bytes_max ? ERR_OK : spill(lines, problem);
}

/* ---- orders on their way out ---- */

struct drain {
    struct lines *lines;
    lines_take take;
    void *context;
    struct problem *problem;
};

static bool unpack_row(struct lines *lines, const char *row, struct run_line *line, uint64_t *place,
                       str *raw)
{
    uint32_t raw_bytes, cells_bytes;
    struct table_cell *cells =
        arena_alloc_raw(&lines->arena, (lines->slot_count + 1) * sizeof *cells);
    if (cells == NULL)
        return false;
    memcpy(&raw_bytes, row + 32, sizeof raw_bytes);
    memcpy(&cells_bytes, row + 36, sizeof cells_bytes);
    memcpy(&line->number, row + 16, sizeof line->number);
    memcpy(place, row + 24, sizeof *place);
    struct cursor cursor = cursor_over(str_from_bytes(row + HEAD_BYTES, cells_bytes));
    for (uint32_t i = 0; i < lines->slot_count; i++) {
        cells[i].kind = (enum cell_kind)read_u8(&cursor);
        cells[i].text = read_text(&cursor);
    }
    INVARIANT(!cursor.failed);
    line->cells = cells;
    *raw = str_from_bytes(row + HEAD_BYTES + cells_bytes, raw_bytes);
    return true;
}

/* Hand out what has been gathered of one order. */
static err finish_order(struct drain *drain)
{
    struct lines *lines = drain->lines;
    size_t count = lines->order_count, offset = 0;
    if (count == 0)
        return ERR_OK;
    arena_reset(&lines->arena);
    struct run_line *rows = arena_alloc_raw(&lines->arena, count * sizeof *rows);
    uint64_t *places = arena_alloc_raw(&lines->arena, count * sizeof *places);
    str *raws = arena_alloc_raw(&lines->arena, count * sizeof *raws);
    bool good = rows != NULL && places != NULL && raws != NULL;
    for (size_t i = 0; i < count && good; i++) {
        const char *row = lines->order.data + offset;
        good = unpack_row(lines, row, &rows[i], &places[i], &raws[i]);
        offset += packed_bytes(row);
    }
    if (!good)
        return problem_set(drain->problem, ERR_NOMEM, "no memory for an order of %zu rows", count);
    struct order_rows order = { .count = count, .rows = rows, .lines = places, .raws = raws };
    memcpy(order.key, lines->order_key, sizeof order.key);
    err error = drain->take(drain->context, &order);
    lines->order_count = 0;
    buffer_clear(&lines->order);
    return error;
}

static err gather_row(struct drain *drain, const char *row)
{
    struct lines *lines = drain->lines;
    err error = ERR_OK;
    /* An order beyond all measure comes out in parts, which its taker refuses. */
    bool full = lines->order_count > LINES_PER_ORDER_MAX || lines->order.size > ORDER_BYTES_MAX;
    if (lines->order_count > 0 && (full || memcmp(lines->order_key, row, 16) != 0))
        error = finish_order(drain);
    if (error != ERR_OK)
        return error;
    memcpy(lines->order_key, row, 16);
    buffer_append(&lines->order, row, packed_bytes(row));
    lines->order_count++;
    return lines->order.failed ? problem_set(drain->problem, ERR_NOMEM, "no memory for an order")
                               : ERR_OK;
}

static err drain_memory(struct drain *drain)
{
    struct lines *lines = drain->lines;
    err error = ERR_OK;
    sort_index(lines);
    for (size_t i = 0; i < lines->count && error == ERR_OK; i++)
        error = gather_row(drain, lines->packed.data + lines->index[i].offset);
    return error;
}

static bool spooled_before(const char *a, const char *b)
{
    struct waiting one = waiting_of(a, 0), other = waiting_of(b, 0);
    return compare_waiting(&one, &other) < 0;
}

static err drain_spool(struct drain *drain)
{
    struct lines *lines = drain->lines;
    const char *row;
    err error = spill(lines, drain->problem);
    if (error == ERR_OK)
        error = spool_merge_begin(lines->spool, spooled_before, packed_bytes, HEAD_BYTES,
                                  lines->memory_bytes_max, drain->problem);
    while (error == ERR_OK) {
        error = spool_merge_next(lines->spool, &row, drain->problem);
        if (error != ERR_OK || row == NULL)
            break;
        error = gather_row(drain, row);
    }
    return error;
}

err lines_drain(struct lines *lines, lines_take take, void *context, struct problem *problem)
{
    struct drain drain = { lines, take, context, problem };
    err error = lines->spool == NULL ? drain_memory(&drain) : drain_spool(&drain);
    if (error == ERR_OK)
        error = finish_order(&drain);
    spool_close(&lines->spool);
    buffer_clear(&lines->packed);
    buffer_clear(&lines->order);
    lines->count = lines->order_count = 0;
    return error;
}

/* ---- orders of adjacent rows that were closed ---- */

static size_t closed_place(const uint64_t *slots, size_t mask, uint64_t key)
{
    size_t at = (size_t)key & mask;
    while (slots[at] != 0 && slots[at] != key)
        at = (at + 1) & mask;
    return at;
}

static bool grow_closed(struct lines *lines)
{
    if (2 * lines->closed_count < lines->closed_slots)
        return true;
    size_t slots = lines->closed_slots > 0 ? 2 * lines->closed_slots : 1024;
    uint64_t *grown = slots * sizeof *grown <= lines->memory_bytes_max
                          ? memory_alloc(slots * sizeof *grown)
                          : NULL;
    if (grown == NULL)
        return false;
    for (size_t i = 0; i < lines->closed_slots; i++)
        if (lines->closed[i] != 0)
            grown[closed_place(grown, slots - 1, lines->closed[i])] = lines->closed[i];
    memory_free(lines->closed);
    lines->closed = grown;
    lines->closed_slots = slots;
    return true;
}

err lines_close_key(struct lines *lines, const uint8_t key[16], bool *seen, struct problem *problem)
{
    uint64_t half;
    memcpy(&half, key, sizeof half);
    half += half == 0;
    if (!grow_closed(lines)) {
        problem_set(problem, ERR_NOMEM, "no memory to remember %zu orders", lines->closed_count);
        return problem_hint(problem, ERR_NOMEM, "leave 'adjacent' out of the mapping");
    }
    size_t at = closed_place(lines->closed, lines->closed_slots - 1, half);
    *seen = lines->closed[at] == half;
    lines->closed_count += lines->closed[at] == 0;
    lines->closed[at] = half;
    return ERR_OK;
}
