/* SPDX-License-Identifier: Apache-2.0 */
/* Records into blocks, blocks into bytes, and back with nothing taken on trust. */
#include "log/block.h"

#include <inttypes.h>
#include <lz4.h>
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/digest.h"
#include "log/mutate.h"

/* Byte offsets of the header (docs/formats/log-block.md). The CRC is the last field, so that what
 * it covers is what lies before it and what lies behind it. */
enum {
    AT_MAGIC = 0,         /* 4 */
    AT_VERSION = 4,       /* 1 */
    AT_CODEC = 5,         /* 1 */
    AT_RESERVED = 6,      /* 2, zero */
    AT_FIRST_SEQ = 8,     /* 8 */
    AT_RECEIVED_MS = 16,  /* 8 */
    AT_COUNT = 24,        /* 4 */
    AT_RECORD_BYTES = 28, /* 4, records uncompressed */
    AT_STORED_BYTES = 32, /* 4, what follows the header */
    AT_CRC = 36,          /* 4, CRC-32C over 0..35 and what follows the header */
};

static const char block_magic[4] = { 'K', 'L', 'O', 'G' };

/* Measured on events of 900 bytes: against 1 it saves a sixth of the time and costs a fortieth of the
 * ratio. */
#define LZ4_ACCELERATION 4

/* The smallest record: a kind and a length of zero. */
#define RECORD_BYTES_MIN 2u

_Static_assert(AT_CRC + 4 == BLOCK_HEADER_BYTES, "the header is as in docs/formats/log-block.md");

/* ---- in memory ---- */

struct block_node *block_new(uint64_t first_seq, uint32_t count, int64_t received_ms,
                             size_t record_bytes)
{
    INVARIANT(record_bytes <= LOG_BLOCK_BYTES_LIMIT);
    /* Not zeroed: the caller writes every byte of it. */
    struct block_node *node = memory_resize(NULL, sizeof *node + record_bytes);
    if (node == NULL)
        return NULL;
    node->next = NULL;
    node->block.first_seq = first_seq;
    node->block.count = count;
    node->block.received_ms = received_ms;
    node->block.records = str_from_bytes(block_room(node), record_bytes);
    atomic_init(&node->block.references, 1);
    return node;
}

char *block_room(struct block_node *node)
{
    return (char *)(node + 1);
}

void log_block_hold(struct log_block *block)
{
    uint32_t before = atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
    INVARIANT(before > 0 && before < UINT32_MAX);
}

void log_block_release(struct log_block **block)
{
    struct log_block *held = *block;
    *block = NULL;
    if (held == NULL)
        return;
    uint32_t before = atomic_fetch_sub_explicit(&held->references, 1, memory_order_acq_rel);
    INVARIANT(before > 0);
    if (before == 1)
        memory_free(held); /* the first member of its node */
}

_Static_assert(offsetof(struct block_node, block) == 0, "a block is freed by its own address");

/* ---- records ---- */

void log_record_write(struct buffer *out, enum log_record_kind kind, str body)
{
    write_u8(out, (uint8_t)kind);
    write_varint(out, body.size);
    buffer_append_str(out, body);
}

/* One record at the cursor. False when it is not whole; its kind is never 0. The length has one
 * form only: the shortest. */
static bool record_read(struct cursor *cursor, enum log_record_kind *kind, str *body)
{
    unsigned first = read_u8(cursor);
    size_t left = cursor_left(cursor);
    uint64_t size = read_varint(cursor);
    size_t length_bytes = left - cursor_left(cursor);
    if (cursor->failed || first == 0 || size > cursor_left(cursor))
        return false;
    if (length_bytes > 1 && size >> (7 * (length_bytes - 1)) == 0)
        return false;
    *kind = (enum log_record_kind)first;
    *body = read_bytes(cursor, (size_t)size);
    return true;
}

bool block_records_are_whole(str records, uint32_t count)
{
    struct cursor cursor = cursor_over(records);
    enum log_record_kind kind;
    str body;
    if (count == 0 || records.size / RECORD_BYTES_MIN < count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!record_read(&cursor, &kind, &body))
            return false;
    return cursor_left(&cursor) == 0;
}

bool log_block_next(struct log_cursor *cursor, struct log_record *record)
{
    const struct log_block *block = cursor->block;
    if (cursor->index == block->count)
        return false;
    str rest = str_slice(block->records, cursor->offset, block->records.size);
    struct cursor bytes = cursor_over(rest);
    /* Blocks are made by log_append and log_block_decode, which have walked the records. */
    bool whole = record_read(&bytes, &record->kind, &record->body);
    INVARIANT(whole);
    record->seq = block->first_seq + cursor->index;
    cursor->offset = block->records.size - cursor_left(&bytes);
    cursor->index++;
    return true;
}

/* ---- writing ---- */

size_t block_codec_bytes(void)
{
    return (size_t)LZ4_sizeofState();
}

/* Compressed size behind the header at `room`, or 0 when it is not smaller than the records. */
static size_t block_compress(str records, char *room, void *codec)
{
    int size = LZ4_compress_fast_extState(codec, records.data, room, (int)records.size,
                                          (int)records.size - 1, LZ4_ACCELERATION);
    return size > 0 ? (size_t)size : 0;
}

static void put_le(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t block_crc(const uint8_t *header, const void *stored, size_t stored_bytes)
{
    return crc32c(crc32c(0, header, AT_CRC), stored, stored_bytes);
}

static void block_put_header(uint8_t *header, const struct log_block *block, enum block_codec codec,
                             size_t stored_bytes)
{
    memcpy(header + AT_MAGIC, block_magic, sizeof block_magic);
    put_le(header + AT_VERSION, BLOCK_VERSION, 1);
    put_le(header + AT_CODEC, codec, 1);
    put_le(header + AT_RESERVED, 0, 2);
    put_le(header + AT_FIRST_SEQ, block->first_seq, 8);
    put_le(header + AT_RECEIVED_MS, (uint64_t)block->received_ms, 8);
    put_le(header + AT_COUNT, block->count, 4);
    put_le(header + AT_RECORD_BYTES, block->records.size, 4);
    put_le(header + AT_STORED_BYTES, stored_bytes, 4);
    put_le(header + AT_CRC, block_crc(header, header + BLOCK_HEADER_BYTES, stored_bytes), 4);
}

/* What a header may say, on both sides: of a block to be written and of one that was read. */
static bool block_is_sound(uint64_t first_seq, uint32_t count, int64_t received_ms,
                           size_t record_bytes)
{
    return first_seq >= 1 && count >= 1 && first_seq <= UINT64_MAX - count && received_ms >= 0 &&
           record_bytes >= RECORD_BYTES_MIN * (size_t)count &&
           record_bytes <= LOG_BLOCK_BYTES_LIMIT;
}

err block_encode(struct buffer *out, const struct log_block *block, void *codec)
{
    str records = block->records;
    INVARIANT(block_is_sound(block->first_seq, block->count, block->received_ms, records.size));
    char *room = buffer_reserve(out, BLOCK_HEADER_BYTES + records.size);
    if (room == NULL)
        return buffer_status(out);
    size_t stored_bytes = block_compress(records, room + BLOCK_HEADER_BYTES, codec);
    enum block_codec used = BLOCK_CODEC_LZ4;
    if (stored_bytes == 0) {
        memcpy(room + BLOCK_HEADER_BYTES, records.data, records.size);
        stored_bytes = records.size;
        used = BLOCK_CODEC_NONE;
    }
    block_put_header((uint8_t *)room, block, used, stored_bytes);
    buffer_advance(out, BLOCK_HEADER_BYTES + stored_bytes);
    return ERR_OK;
}

err log_block_encode(struct buffer *out, uint64_t first_seq, uint32_t count, int64_t received_ms,
                     str records)
{
    struct log_block block = {
        .first_seq = first_seq, .count = count, .received_ms = received_ms, .records = records
    };
    if (!block_is_sound(first_seq, count, received_ms, records.size) ||
        !block_records_are_whole(records, count))
        return ERR_INVALID;
    void *codec = memory_alloc(block_codec_bytes());
    if (codec == NULL)
        return ERR_NOMEM;
    err error = block_encode(out, &block, codec);
    memory_free(codec);
    return error;
}

/* ---- reading ---- */

bool block_head_read(str bytes, struct block_head *head)
{
    struct cursor cursor = cursor_over(bytes);
    str magic = read_bytes(&cursor, sizeof block_magic);
    head->version = read_u8(&cursor);
    head->codec = read_u8(&cursor);
    head->reserved = read_u16(&cursor);
    head->first_seq = read_u64(&cursor);
    head->received_ms = read_i64(&cursor);
    head->count = read_u32(&cursor);
    head->record_bytes = read_u32(&cursor);
    head->stored_bytes = read_u32(&cursor);
    head->crc = read_u32(&cursor);
    return !cursor.failed && memcmp(magic.data, block_magic, sizeof block_magic) == 0;
}

/* What lies behind the header. */
static str block_stored(str bytes)
{
    return str_slice(bytes, BLOCK_HEADER_BYTES, bytes.size);
}

/* All that can be said of a block without unpacking it. */
static err block_head_check(str bytes, struct block_head *header, struct problem *problem)
{
    if (!block_head_read(bytes, header))
        return problem_set(problem, ERR_CORRUPT, "offset 0: no block header in %zu bytes",
                           bytes.size);
    if (header->version != BLOCK_VERSION)
        return problem_set(problem, ERR_CORRUPT, "offset %d: block version %u, this Kith reads %u",
                           AT_VERSION, header->version, BLOCK_VERSION);
    str stored = block_stored(bytes);
    if (header->stored_bytes != stored.size)
        return problem_set(problem, ERR_CORRUPT, "offset %d: %zu bytes follow the header, not %u",
                           AT_STORED_BYTES, stored.size, header->stored_bytes);
    uint32_t crc = block_crc((const uint8_t *)bytes.data, stored.data, stored.size);
    if (crc != header->crc && !log_mutates(MUTATION_NO_CRC))
        return problem_set(problem, ERR_CORRUPT,
                           "offset %d: CRC-32C is %08" PRIx32 ", the block says %08" PRIx32, AT_CRC,
                           crc, header->crc);
    if (header->codec > BLOCK_CODEC_LZ4 || header->reserved != 0 ||
        !block_is_sound(header->first_seq, header->count, header->received_ms,
                        header->record_bytes))
        return problem_set(problem, ERR_CORRUPT, "offset 0: impossible header with a right CRC");
    bool packed = header->codec == BLOCK_CODEC_LZ4;
    if (packed ? header->stored_bytes >= header->record_bytes
               : header->stored_bytes != header->record_bytes)
        return problem_set(problem, ERR_CORRUPT, "offset %d: %u bytes stored for %u of records",
                           AT_STORED_BYTES, header->stored_bytes, header->record_bytes);
    return ERR_OK;
}

static bool block_unpack(const struct block_head *header, str stored, char *room)
{
    if (header->codec == BLOCK_CODEC_NONE) {
        memcpy(room, stored.data, stored.size);
        return true;
    }
    int size = LZ4_decompress_safe(stored.data, room, (int)stored.size, (int)header->record_bytes);
    return size >= 0 && (uint32_t)size == header->record_bytes;
}

err log_block_decode(str bytes, struct log_block **block, struct problem *problem)
{
    struct block_head header;
    err error = block_head_check(bytes, &header, problem);
    if (error != ERR_OK)
        return error;
    struct block_node *node =
        block_new(header.first_seq, header.count, header.received_ms, header.record_bytes);
    if (node == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a block of %u bytes",
                           header.record_bytes);
    struct log_block *made = &node->block;
    if (!block_unpack(&header, block_stored(bytes), block_room(node)))
        error =
            problem_set(problem, ERR_CORRUPT, "offset %u: the records do not unpack to %u bytes",
                        BLOCK_HEADER_BYTES, header.record_bytes);
    else if (!block_records_are_whole(made->records, made->count))
        error = problem_set(problem, ERR_CORRUPT, "offset %u: the records are not %u whole ones",
                            BLOCK_HEADER_BYTES, header.count);
    if (error == ERR_OK)
        *block = made;
    else
        log_block_release(&made);
    return error;
}
