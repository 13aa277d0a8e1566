/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the pack: opening what counts of it, adding chunks. See pack.h; bytes: docs/formats/identity-pack.md. */
#include "identity/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/logline.h"
#include "identity/state.h"

#define META_KEY "identity_pack"
#define VERSION 1u
#define FILE_HEAD_BYTES 16u
#define CHUNK_HEAD_BYTES 32u
#define ROW_BYTES 24u
#define EXTRA_BYTES 16u
#define KINDS_MAX_OF_CHUNK 65535u
#define CHUNK_ROWS_DEFAULT 65536u
#define BODY_BYTES_MAX ((size_t)64 << 20)

static const char magic[8] = { 'K', 'I', 'T', 'H', 'P', 'A', 'C', 'K' };

/* ---- the file ---- */

static err write_at(const struct identity_pack *pack, str bytes, uint64_t offset,
                    struct problem *problem)
{
    int number = file_write_at(pack->file, bytes.data, bytes.size, offset);
    if (number == 0)
        return ERR_OK;
    return problem_set(problem, number == ENOSPC ? ERR_STORAGE_FULL : ERR_IO,
                       "'%s' cannot be written: %s", pack->path, strerror(number));
}

static hash128 chained(hash128 chain, hash128 digest)
{
    uint64_t words[4] = { chain.low, chain.high, digest.low, digest.high };
    return hash_bytes128(words, sizeof(words), VERSION);
}

static err add_chunk(struct identity_pack *pack, struct pack_chunk chunk)
{
    if (pack->chunk_count == pack->chunk_capacity) {
        uint32_t capacity = pack->chunk_capacity * 2 + 64;
        struct pack_chunk *chunks = memory_resize(pack->chunks, capacity * sizeof(*chunks));
        if (chunks == NULL)
            return ERR_NOMEM;
        pack->chunks = chunks;
        pack->chunk_capacity = capacity;
    }
    pack->chunks[pack->chunk_count++] = chunk;
    pack->chain = chained(pack->chain, chunk.digest);
    pack->end = chunk.offset + CHUNK_HEAD_BYTES + chunk.bytes;
    return ERR_OK;
}

static void begin_anew(struct identity_pack *pack)
{
    pack->chunk_count = 0;
    pack->end = FILE_HEAD_BYTES;
    pack->chain = (hash128){ .low = pack->chunk_rows };
}

/* ---- opening ---- */

struct told {
    bool there;
    uint32_t version, chunk_rows, chunk_count;
    hash128 chain;
};

static bool take_meta(void *context, const struct ledger_value *values)
{
    struct told *told = context;
    struct cursor cursor = cursor_over(values[1].bytes);
    told->version = read_u32(&cursor);
    told->chunk_rows = read_u32(&cursor);
    told->chunk_count = read_u32(&cursor);
    told->chain.low = read_u64(&cursor);
    told->chain.high = read_u64(&cursor);
    told->there = !cursor.failed;
    return true;
}

static bool read_chunk_head(struct identity_pack *pack, struct pack_chunk *chunk)
{
    uint8_t head[CHUNK_HEAD_BYTES];
    if (!file_read_at(pack->file, head, sizeof(head), pack->end))
        return false;
    struct cursor cursor = cursor_over(str_from_bytes((const char *)head, sizeof(head)));
    *chunk = (struct pack_chunk){ .offset = pack->end };
    bool right = read_u32(&cursor) == pack->chunk_count && read_u32(&cursor) == pack->chunk_rows;
    chunk->bytes = read_u32(&cursor);
    (void)read_u32(&cursor);
    chunk->digest.low = read_u64(&cursor);
    chunk->digest.high = read_u64(&cursor);
    return right && chunk->bytes <= BODY_BYTES_MAX;
}

/* As many chunks as the ledger says, if they are those that it says (K1). */
static bool read_chunks(struct identity_pack *pack, const struct told *told)
{
    uint8_t head[FILE_HEAD_BYTES];
    if (!told->there || told->version != VERSION || told->chunk_rows != pack->chunk_rows ||
        !file_read_at(pack->file, head, sizeof(head), 0) || memcmp(head, magic, sizeof(magic)) != 0)
        return false;
    while (pack->chunk_count < told->chunk_count) {
        struct pack_chunk chunk;
        if (!read_chunk_head(pack, &chunk) || add_chunk(pack, chunk) != ERR_OK)
            return false;
    }
    return pack->chain.low == told->chain.low && pack->chain.high == told->chain.high;
}

err identity_pack_open(struct identity_pack **out, const char *path, uint32_t chunk_rows,
                       struct ledger *ledger, struct problem *problem)
{
    struct told told = { .there = false };
    struct ledger_value key = ledger_text(STR(META_KEY));
    struct identity_pack *pack = memory_alloc(sizeof(*pack));
    if (pack == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the pack of identifiers");
    buffer_init(&pack->body, BODY_BYTES_MAX);
    snprintf(pack->path, sizeof(pack->path), "%s", path);
    pack->chunk_rows = chunk_rows != 0 ? chunk_rows : CHUNK_ROWS_DEFAULT;
    begin_anew(pack);
    pack->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    err error = ERR_OK;
    if (pack->file < 0)
        error = problem_set(problem, ERR_IO, "'%s' cannot be opened: %s", path, strerror(errno));
    if (error == ERR_OK)
        error = ledger_find(ledger, LEDGER_META, &key, 1, take_meta, &told, problem);
    if (error != ERR_OK) {
        identity_pack_close(&pack);
        return error;
    }
    if (!read_chunks(pack, &told)) {
        if (told.there)
            log_line(LOG_WARN, "identity_pack_ignored", "chunks=%u read=%u", told.chunk_count,
                     pack->chunk_count);
        begin_anew(pack);
    }
    *out = pack;
    return ERR_OK;
}

void identity_pack_close(struct identity_pack **taken)
{
    struct identity_pack *pack = *taken;
    *taken = NULL;
    if (pack == NULL)
        return;
    if (pack->file >= 0)
        close(pack->file);
    buffer_deinit(&pack->body);
    memory_free(pack->chunks);
    memory_free(pack);
}

uint32_t identity_pack_rows(const struct identity_pack *pack)
{
    return pack_rows(pack);
}

/* ---- reading a chunk ---- */

static bool open_view(str body, uint32_t chunk_rows, struct pack_view *view)
{
    struct cursor cursor = cursor_over(body);
    view->kind_count = read_u32(&cursor);
    view->extra_count = read_u32(&cursor);
    uint32_t kind_bytes = read_u32(&cursor);
    view->kinds = cursor_over(read_bytes(&cursor, kind_bytes));
    view->rows = cursor_take(&cursor, (size_t)chunk_rows * ROW_BYTES);
    view->extras = cursor_take(&cursor, (size_t)view->extra_count * EXTRA_BYTES);
    return !cursor.failed && cursor_left(&cursor) == 0;
}

bool pack_read(const struct identity_pack *pack, uint32_t number, struct buffer *bytes,
               struct pack_view *view)
{
    const struct pack_chunk *chunk = &pack->chunks[number];
    buffer_clear(bytes);
    if (!buffer_reserve(bytes, chunk->bytes) ||
        !file_read_at(pack->file, bytes->data, chunk->bytes, chunk->offset + CHUNK_HEAD_BYTES))
        return false;
    hash128 digest = hash_bytes128(bytes->data, chunk->bytes, number);
    return digest.low == chunk->digest.low && digest.high == chunk->digest.high &&
           open_view(str_from_bytes(bytes->data, chunk->bytes), pack->chunk_rows, view);
}

bool pack_next_kind(struct pack_view *view, struct pack_kind *kind)
{
    if (cursor_left(&view->kinds) == 0)
        return false;
    kind->type_number = read_u32(&view->kinds);
    kind->namespace_ = read_text(&view->kinds);
    return !view->kinds.failed;
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

struct pack_row pack_row_at(const struct pack_view *view, uint32_t place)
{
    const uint8_t *bytes = view->rows + (size_t)place * ROW_BYTES;
    struct pack_row row = { .node = word_at(bytes + 12),
                            .attached_s = word_at(bytes + 16),
                            .kind = (uint16_t)(bytes[20] | bytes[21] << 8),
                            .flags = bytes[22] };
    memcpy(row.key.word, bytes, sizeof(row.key.word));
    return row;
}

struct index_key pack_extra_at(const struct pack_view *view, uint32_t number, uint32_t *place)
{
    const uint8_t *bytes = view->extras + (size_t)number * EXTRA_BYTES;
    struct index_key key;
    memcpy(key.word, bytes, sizeof(key.word));
    *place = word_at(bytes + 12);
    return key;
}

/* ---- adding a chunk ---- */

struct packing {
    struct buffer kinds, rows, extras;
    uint32_t first_row, count, chunk_rows, kind_count, extra_count;
    struct pack_kind last_kind; /* most rows are of few kinds */
    uint16_t last_number;
    bool broken; /* a row is not as the pack knows them: it stays without */
};

/* The number of this kind within the chunk; made when it is new. */
static uint16_t number_kind(struct packing *packing, uint32_t type_number, str namespace_)
{
    struct pack_view view = { .kinds = cursor_over(buffer_str(&packing->kinds)) };
    struct pack_kind kind;
    uint16_t number = 0;
    for (; pack_next_kind(&view, &kind); number++)
        if (kind.type_number == type_number && str_equal(kind.namespace_, namespace_))
            return number;
    if (packing->kind_count == KINDS_MAX_OF_CHUNK) {
        packing->broken = true;
        return 0;
    }
    write_u32(&packing->kinds, type_number);
    write_text(&packing->kinds, namespace_);
    packing->kind_count++;
    return number;
}

static void pack_extras(struct packing *packing, str hashes)
{
    for (size_t at = HASH_BYTES; at + HASH_BYTES <= hashes.size; at += HASH_BYTES) {
        buffer_append(&packing->extras, hashes.data + at, sizeof(struct index_key));
        write_u32(&packing->extras, packing->count);
        packing->extra_count++;
    }
}

/* row hash type_number namespace flags customer attached_ms */
static bool pack_row_in(void *context, const struct ledger_value *values)
{
    struct packing *packing = context;
    str hashes = values[1].bytes;
    int64_t node = values[5].integer;
    if (packing->count == packing->chunk_rows)
        return false;
    packing->broken = values[0].integer != (int64_t)packing->first_row + packing->count ||
                      hashes.size < HASH_BYTES || hashes.size % HASH_BYTES != 0 || node < 0 ||
                      node > UINT32_MAX;
    if (packing->broken)
        return false;
    uint16_t kind = number_kind(packing, (uint32_t)values[2].integer, values[3].bytes);
    buffer_append(&packing->rows, hashes.data, sizeof(struct index_key));
    write_u32(&packing->rows, (uint32_t)node);
    write_u32(&packing->rows, node != 0 ? seconds_of(values[6].integer) : 0);
    write_u16(&packing->rows, kind);
    write_u8(&packing->rows, (uint8_t)values[4].integer);
    write_u8(&packing->rows, 0);
    pack_extras(packing, hashes);
    packing->count++;
    return !packing->broken;
}

static err gather_rows(struct packing *packing, struct ledger *ledger, struct problem *problem)
{
    struct ledger_value from = ledger_int(packing->first_row);
    err error = ledger_scan_some(ledger, LEDGER_IDENTIFIERS,
                                 "row hash type_number namespace flags customer attached_ms", &from,
                                 pack_row_in, packing, problem);
    if (error == ERR_OK && packing->broken)
        error = problem_set(problem, ERR_CORRUPT, "ledger: identifier %u cannot be packed",
                            packing->first_row + packing->count);
    return error;
}

/* Head and body of the next chunk, as they go into the file. */
static err write_chunk(struct identity_pack *pack, const struct packing *packing,
                       struct pack_chunk *chunk, struct problem *problem)
{
    struct buffer *out = &pack->body;
    buffer_clear(out);
    buffer_append(out, (const char[CHUNK_HEAD_BYTES]){ 0 }, CHUNK_HEAD_BYTES);
    write_u32(out, packing->kind_count);
    write_u32(out, packing->extra_count);
    write_u32(out, (uint32_t)packing->kinds.size);
    buffer_append_str(out, buffer_str(&packing->kinds));
    buffer_append_str(out, buffer_str(&packing->rows));
    buffer_append_str(out, buffer_str(&packing->extras));
    err error = buffer_status(out);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory to pack %u identifiers", packing->count);
    *chunk = (struct pack_chunk){ .offset = pack->end,
                                  .bytes = (uint32_t)(out->size - CHUNK_HEAD_BYTES) };
    chunk->digest = hash_bytes128(out->data + CHUNK_HEAD_BYTES, chunk->bytes, pack->chunk_count);
    struct buffer head;
    buffer_init(&head, CHUNK_HEAD_BYTES);
    write_u32(&head, pack->chunk_count);
    write_u32(&head, pack->chunk_rows);
    write_u32(&head, chunk->bytes);
    write_u32(&head, 0);
    write_u64(&head, chunk->digest.low);
    write_u64(&head, chunk->digest.high);
    error = buffer_status(&head);
    if (error == ERR_OK)
        memcpy(out->data, head.data, CHUNK_HEAD_BYTES);
    buffer_deinit(&head);
    if (error == ERR_OK)
        error = write_at(pack, buffer_str(out), pack->end, problem);
    return error;
}

static err write_file_head(const struct identity_pack *pack, struct problem *problem)
{
    char head[FILE_HEAD_BYTES] = { 0 };
    memcpy(head, magic, sizeof(magic));
    head[8] = (char)VERSION;
    return write_at(pack, str_from_bytes(head, sizeof(head)), 0, problem);
}

static err put_meta(const struct identity_pack *pack, struct ledger *ledger)
{
    struct buffer value;
    struct ledger_writes *writes = ledger_writes_new(ledger);
    buffer_init(&value, 64);
    write_u32(&value, VERSION);
    write_u32(&value, pack->chunk_rows);
    write_u32(&value, pack->chunk_count);
    write_u64(&value, pack->chain.low);
    write_u64(&value, pack->chain.high);
    err error = writes != NULL ? buffer_status(&value) : ERR_NOMEM;
    if (error == ERR_OK) {
        LEDGER_PUT(writes, LEDGER_META, ledger_text(STR(META_KEY)),
                   ledger_blob(buffer_str(&value)));
        error = ledger_apply(ledger, &writes, 0, NULL, NULL);
    }
    if (writes != NULL)
        ledger_writes_free(&writes);
    buffer_deinit(&value);
    return error;
}

static err add_packed(struct identity_pack *pack, struct ledger *ledger,
                      const struct packing *packing, struct problem *problem)
{
    struct pack_chunk chunk;
    err error = pack->chunk_count == 0 ? write_file_head(pack, problem) : ERR_OK;
    if (error == ERR_OK)
        error = write_chunk(pack, packing, &chunk, problem);
    if (error == ERR_OK && fdatasync(pack->file) != 0)
        error = problem_set(problem, ERR_SYNC, "'%s' cannot be synced: %s", pack->path,
                            strerror(errno));
    if (error == ERR_OK)
        error = add_chunk(pack, chunk);
    return error == ERR_OK ? put_meta(pack, ledger) : error;
}

err identity_pack_extend(struct identity_pack *pack, struct ledger *ledger, bool *added,
                         struct problem *problem)
{
    struct packing packing = { .first_row = pack_rows(pack) + 1, .chunk_rows = pack->chunk_rows };
    *added = false;
    buffer_init(&packing.kinds, BODY_BYTES_MAX);
    buffer_init(&packing.rows, BODY_BYTES_MAX);
    buffer_init(&packing.extras, BODY_BYTES_MAX);
    err error = gather_rows(&packing, ledger, problem);
    if (error == ERR_OK && packing.count == pack->chunk_rows) {
        error = add_packed(pack, ledger, &packing, problem);
        *added = error == ERR_OK;
    }
    buffer_deinit(&packing.kinds);
    buffer_deinit(&packing.rows);
    buffer_deinit(&packing.extras);
    return error;
}
