/* SPDX-License-Identifier: Apache-2.0 */
/* known: what jobs of a data set have brought, so that the same comes once and a correction replaces.
 *
 * The warehouse has it all in its message keys (imports.h): one query in the order of natural keys fills a
 * file that is mapped into memory, 32 bytes each, and found by interpolation, since hashes lie evenly: one
 * or two pages for a look. The first import of a data set asks for nothing. Beside it a table in RAM has
 * the contents of this job alone, for rows that a file has twice.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"
#include "imports/inside.h"

#define WRITE_BYTES ((size_t)4 << 20)
#define ENTRIES_FIRST ((size_t)1 << 16)

struct entry { /* in the file */
    uint64_t natural;
    struct known_event event;
};
_Static_assert(sizeof(struct entry) == 32, "an entry of the file");

/* Hashes of contents; 0: a free slot. */
struct contents {
    uint64_t *slots;
    size_t capacity, count; /* capacity: places; slots_of it are there */
};

struct known {
    int fd;
    struct entry *entries; /* mapped; changes stay in memory */
    size_t count;
    struct contents seen; /* in this run of the job */
    struct contents own;  /* that the job has brought before a restart */
    /* while it is filled */
    struct buffer rest, rows;
    uint32_t number;
    err error;
};

uint64_t known_key_of_job(uint32_t number)
{
    return hash_mix64(UINT64_C(0x4B69746800000000) + number);
}

/* ---- contents of this job ---- */

/* In the order of their hashes, each as near to its place as those before it leave room for: so nine tenths of the slots are
 * in use, and the table grows by a fifth in one walk. 60 million take 0.6 GB. */
#define FULL_TENTHS 9

static size_t slots_of(size_t capacity)
{
    return capacity + capacity / 64 + 64; /* room behind the places, so that nothing wraps around */
}

static inline size_t home_of(uint64_t content, size_t capacity)
{
    return (size_t)(((__uint128_t)content * capacity) >> 64);
}

/* Its slot, or where it would have to be. */
static inline size_t contents_place(const struct contents *contents, uint64_t content)
{
    size_t at = home_of(content, contents->capacity);
    while (contents->slots[at] != 0 && contents->slots[at] < content)
        at++;
    return at;
}

/* False: more than is behind the places would come there. */
static bool copy_contents(const struct contents *from, struct contents *into)
{
    size_t end = slots_of(into->capacity), next = 0;
    for (size_t i = 0, slots = from->capacity > 0 ? slots_of(from->capacity) : 0; i < slots; i++) {
        uint64_t content = from->slots[i];
        if (content == 0)
            continue;
        size_t home = home_of(content, into->capacity), at = home > next ? home : next;
        if (at + 1 >= end)
            return false;
        into->slots[at] = content;
        next = at + 1;
    }
    into->count = from->count;
    return true;
}

static void contents_drop(struct contents *contents)
{
    if (contents->slots != NULL)
        memory_unmap(contents->slots, slots_of(contents->capacity) * sizeof *contents->slots);
    *contents = (struct contents){ .slots = NULL };
}

static err contents_grow(struct contents *contents)
{
    struct contents grown = { .slots = NULL };
    size_t capacity = contents->capacity;
    do {
        contents_drop(&grown);
        capacity += capacity / 5 + ENTRIES_FIRST;
        grown.slots = memory_map(slots_of(capacity) * sizeof *grown.slots);
        if (grown.slots == NULL)
            return ERR_NOMEM;
        grown.capacity = capacity;
    } while (!copy_contents(contents, &grown));
    contents_drop(contents);
    *contents = grown;
    return ERR_OK;
}

/* The next free slot from `at` on: those between move up when something is put at `at`. */
static inline size_t free_from(const struct contents *contents, size_t at)
{
    while (contents->slots[at] != 0)
        at++;
    return at;
}

static err contents_put(struct contents *contents, uint64_t content, bool *is_new)
{
    bool is_full = contents->count * 10 >= contents->capacity * FULL_TENTHS;
    for (;;) {
        err error = is_full ? contents_grow(contents) : ERR_OK;
        if (error != ERR_OK)
            return error;
        size_t at = contents_place(contents, content);
        *is_new = contents->slots[at] != content;
        if (!*is_new)
            return ERR_OK;
        size_t end = free_from(contents, at);
        is_full = end + 1 >= slots_of(contents->capacity); /* the last slot stays free */
        if (is_full)
            continue;
        memmove(contents->slots + at + 1, contents->slots + at,
                (end - at) * sizeof *contents->slots);
        contents->slots[at] = content;
        contents->count++;
        return ERR_OK;
    }
}

static bool contents_has(const struct contents *contents, uint64_t content)
{
    return contents->count > 0 && contents->slots[contents_place(contents, content)] == content;
}

void known_prefetch(const struct known *known, uint64_t content)
{
    if (known->seen.capacity > 0)
        __builtin_prefetch(&known->seen.slots[home_of(content, known->seen.capacity)], 1);
}

enum known_content known_look(struct known *known, uint64_t content, err *error)
{
    bool is_new = false;
    content = content != 0 ? content : 1;
    *error = contents_put(&known->seen, content, &is_new);
    if (!is_new)
        return CONTENT_AGAIN;
    return contents_has(&known->own, content) ? CONTENT_OWN : CONTENT_NEW;
}

/* ---- filling ---- */

static void take_row(struct known *known, struct cursor *cursor)
{
    struct entry entry = { .natural = read_u64(cursor) };
    uint64_t key = read_u64(cursor);
    uint32_t source = read_u32(cursor);
    entry.event.seq = read_u64(cursor);
    entry.event.node = read_u32(cursor);
    entry.event.kind = read_u8(cursor);
    if (cursor->failed)
        return;
    entry.event.content = key ^ known_key_of_job(source - EVENT_SOURCE_IMPORT_FIRST);
    if (source == EVENT_SOURCE_IMPORT_FIRST + known->number) {
        bool is_new;
        uint64_t content = entry.event.content != 0 ? entry.event.content : 1;
        known->error = contents_put(&known->own, content, &is_new);
        return;
    }
    buffer_append(&known->rows, &entry, sizeof entry);
    known->count++;
}

static void write_rows(struct known *known)
{
    size_t done = 0;
    while (done < known->rows.size && known->error == ERR_OK) {
        ssize_t size = write(known->fd, known->rows.data + done, known->rows.size - done);
        if (size < 0 && errno != EINTR)
            known->error = errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO;
        else if (size > 0)
            done += (size_t)size;
    }
    buffer_clear(&known->rows);
}

bool known_take(void *context, str bytes)
{
    struct known *known = context;
    buffer_append_str(&known->rest, bytes);
    struct cursor cursor = cursor_over(buffer_str(&known->rest));
    size_t taken = 0;
    while (known->error == ERR_OK && cursor_left(&cursor) > 0) {
        take_row(known, &cursor);
        if (cursor.failed)
            break;
        taken = known->rest.size - cursor_left(&cursor);
    }
    memmove(known->rest.data, known->rest.data + taken, known->rest.size - taken);
    known->rest.size -= taken;
    if (known->error == ERR_OK)
        known->error = buffer_status(&known->rest);
    if (known->rows.size > WRITE_BYTES)
        write_rows(known);
    return known->error == ERR_OK;
}

struct like {
    struct json_parser *parser;
    struct buffer *list;
    str data_set;
};

static bool take_job(void *context, const struct ledger_value *values)
{
    struct like *like = context;
    json_value settings;
    if (json_parse(like->parser, values[2].bytes, &settings, NULL) == ERR_OK &&
        str_equal(json_text(json_get(settings, STR("data_set"))), like->data_set))
        buffer_printf(like->list, "%s%lld", like->list->size > 0 ? "," : "",
                      (long long)(EVENT_SOURCE_IMPORT_FIRST + values[0].integer));
    return true;
}

/* The sources of all jobs of this data set; those that were undone are not in the view. */
static err sources_like(struct imports *imports, str data_set, struct buffer *list,
                        struct problem *problem)
{
    struct like like = { .list = list, .data_set = data_set };
    err error = json_parser_new(&like.parser, (size_t)2 << 20);
    if (error == ERR_OK)
        error = ledger_scan(engine_ledger(imports->engine), LEDGER_IMPORTS, NULL, take_job, &like,
                            problem);
    json_parser_free(&like.parser);
    return error == ERR_OK ? buffer_status(list) : error;
}

static err fill(struct known *known, struct imports *imports, str data_set, struct problem *problem)
{
    struct buffer list, sql;
    buffer_init(&list, (size_t)1 << 20);
    buffer_init(&sql, (size_t)2 << 20);
    err error = sources_like(imports, data_set, &list, problem);
    buffer_printf(&sql,
                  "SELECT reinterpretAsUInt64(substring(message_key, 9, 8)) AS natural, "
                  "reinterpretAsUInt64(substring(message_key, 1, 8)), source, seq, customer, kind "
                  "FROM events_kept WHERE source IN (%.*s) ORDER BY natural, seq FORMAT RowBinary",
                  STR_ARG(buffer_str(&list)));
    if (error == ERR_OK)
        error = engine_settle(imports->engine, true, 10 * MINUTE_MS);
    if (error == ERR_OK)
        error = warehouse_stream(engine_warehouse(imports->engine), buffer_str(&sql), NULL, 0,
                                 known_take, known, problem);
    buffer_deinit(&list);
    buffer_deinit(&sql);
    return error;
}

static err map_entries(struct known *known, struct problem *problem)
{
    if (known->count == 0)
        return ERR_OK;
    void *mapped = mmap(NULL, known->count * sizeof(struct entry), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE, known->fd, 0);
    if (mapped == MAP_FAILED)
        return problem_set(problem, ERR_NOMEM, "%zu known keys cannot be mapped", known->count);
    known->entries = mapped;
    return ERR_OK;
}

err known_begin(struct known **opened, const char *folder, uint32_t number, struct problem *problem)
{
    struct known *known = memory_alloc(sizeof *known);
    if (known == NULL)
        return ERR_NOMEM;
    known->number = number;
    buffer_init(&known->rest, (size_t)64 << 20);
    buffer_init(&known->rows, (size_t)64 << 20);
    known->fd = file_open_nameless_in(folder);
    err error = known->fd >= 0 ? ERR_OK
                               : problem_set(problem, ERR_IO, "a file in '%s' cannot be made: %s",
                                             folder, strerror(errno));
    if (error != ERR_OK)
        known_close(&known);
    *opened = known;
    return error;
}

err known_end(struct known *known, struct problem *problem)
{
    write_rows(known);
    if (known->error != ERR_OK)
        return problem_set(problem, known->error, "what is known already cannot be kept: %s",
                           err_title(known->error));
    buffer_deinit(&known->rest);
    buffer_deinit(&known->rows);
    return map_entries(known, problem);
}

err known_open(struct known **opened, struct imports *imports, uint32_t number, str data_set,
               struct problem *problem)
{
    err error = known_begin(opened, imports->folder, number, problem);
    if (error != ERR_OK)
        return error;
    if (engine_warehouse(imports->engine) != NULL)
        error = fill(*opened, imports, data_set, problem);
    /* A row that could not be kept has stopped the stream: that is the reason to be told. */
    if (error == ERR_OK || (*opened)->error != ERR_OK)
        error = known_end(*opened, problem);
    if (error != ERR_OK)
        known_close(opened);
    return error;
}

void known_close(struct known **closed)
{
    struct known *known = *closed;
    *closed = NULL;
    if (known == NULL)
        return;
    if (known->entries != NULL)
        munmap(known->entries, known->count * sizeof(struct entry));
    if (known->fd >= 0)
        close(known->fd);
    contents_drop(&known->seen);
    contents_drop(&known->own);
    buffer_deinit(&known->rest);
    buffer_deinit(&known->rows);
    memory_free(known);
}

/* ---- looking ---- */

/* The first entry that is not below `natural`. A guess by value, then smaller and smaller steps. */
static size_t lower_bound(const struct known *known, uint64_t natural)
{
    size_t low = 0, high = known->count;
    size_t guess = (size_t)(((__uint128_t)natural * known->count) >> 64);
    for (size_t reach = 8; guess < high; reach *= 4) {
        size_t from = guess > reach ? guess - reach : 0;
        size_t to = guess + reach < known->count ? guess + reach : known->count;
        bool above = from == 0 || known->entries[from - 1].natural < natural;
        bool below = to == known->count || known->entries[to].natural >= natural;
        if (above && below) {
            low = from;
            high = to;
            break;
        }
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (known->entries[middle].natural < natural)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t known_find(struct known *known, uint64_t natural,
                  struct known_event *events[KNOWN_FOUND_MAX])
{
    if (known->count == 0)
        return 0;
    size_t at = lower_bound(known, natural), count = 0;
    while (at + count < known->count && count < KNOWN_FOUND_MAX &&
           known->entries[at + count].natural == natural) {
        events[count] = &known->entries[at + count].event;
        count++;
    }
    return count;
}
