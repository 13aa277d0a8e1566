/* SPDX-License-Identifier: Apache-2.0 */
/* Runs on disk, and their merge by a binary heap. */
#include "mapping/spool.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/fault.h"
#include "base/file.h"
#include "mapping/mapping.h"

#define BLOCK_BYTES ((size_t)64 << 10)
#define RUNS_MAX 4096
#define RECORD_BYTES_MAX (3 * (size_t)TABLE_ROW_BYTES_MAX)

struct extent { /* of a run: blocks of the file, the last perhaps not full */
    uint64_t first_block;
    size_t bytes;
};

struct reader {
    struct extent extent;
    size_t read;        /* bytes of the run that are in `text` or behind */
    struct buffer text; /* records not yet taken */
    size_t at;
};

struct spool {
    int file;
    uint8_t key[crypto_stream_chacha20_KEYBYTES];
    uint64_t next_block;
    struct extent *extents;
    size_t run_count;
    char *block; /* being filled, and then scratch for reading */
    size_t block_bytes;
    /* merging */
    struct reader *readers;
    size_t *heap, heap_count; /* readers with a record, the first at the top */
    bool started;
    bool (*before)(const char *, const char *);
    size_t (*size_of)(const char *);
    size_t head_bytes, step_bytes;
};

/* ---- the file ---- */

err spool_open(struct spool **spool, const char *folder, struct problem *problem)
{
    struct spool *made = memory_alloc(sizeof *made);
    bool anywhere = folder == NULL || folder[0] == '\0';
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for lines on disk");
    made->file = -1;
    made->block = memory_alloc(BLOCK_BYTES);
    made->extents = memory_alloc(RUNS_MAX * sizeof *made->extents);
    err error = made->block != NULL && made->extents != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK)
        made->file = anywhere ? file_open_nameless() : file_open_nameless_in(folder);
    if (error == ERR_OK && made->file < 0)
        error = ERR_IO;
    if (error != ERR_OK) {
        problem_set(problem, error, "no temporary file in '%s': %s",
                    anywhere ? "the system's folders" : folder,
                    error == ERR_IO ? strerror(errno) : err_title(error));
        spool_close(&made);
        return error;
    }
    randombytes_buf(made->key, sizeof made->key);
    *spool = made;
    return ERR_OK;
}

static void free_readers(struct spool *spool)
{
    for (size_t i = 0; spool->readers != NULL && i < spool->run_count; i++)
        buffer_deinit(&spool->readers[i].text);
    memory_free(spool->readers);
    memory_free(spool->heap);
    spool->readers = NULL;
    spool->heap = NULL;
}

void spool_close(struct spool **spool)
{
    struct spool *freed = *spool;
    *spool = NULL;
    if (freed == NULL)
        return;
    free_readers(freed);
    if (freed->file >= 0)
        (void)close(freed->file);
    sodium_memzero(freed->key, sizeof freed->key);
    memory_free(freed->block);
    memory_free(freed->extents);
    memory_free(freed);
}

static void crypt_block(const struct spool *spool, uint64_t block, char *bytes, size_t size)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = { 0 };
    memcpy(nonce, &block, sizeof block);
    (void)crypto_stream_chacha20_xor((uint8_t *)bytes, (const uint8_t *)bytes, size, nonce,
                                     spool->key);
}

static err write_failed(int failed, struct problem *problem)
{
    if (failed == ENOSPC || failed == EDQUOT) {
        problem_set(problem, ERR_STORAGE_FULL, "the disk is full: lines of orders cannot wait");
        return problem_hint(problem, ERR_STORAGE_FULL, "make room, then go on with the job");
    }
    return problem_set(problem, ERR_IO, "lines cannot be written: %s", strerror(failed));
}

/* ---- writing ---- */

static err flush_block(struct spool *spool, struct problem *problem)
{
    if (spool->block_bytes == 0)
        return ERR_OK;
    crypt_block(spool, spool->next_block, spool->block, spool->block_bytes);
    int failed = fault_fires(FAULT_FILE_WRITE)
                     ? ENOSPC
                     : file_write_at(spool->file, spool->block, spool->block_bytes,
                                     spool->next_block * BLOCK_BYTES);
    if (failed != 0)
        return write_failed(failed, problem);
    spool->next_block++;
    spool->block_bytes = 0;
    return ERR_OK;
}

err spool_begin_run(struct spool *spool, struct problem *problem)
{
    if (spool->run_count == RUNS_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "the file is too large for %d runs of lines",
                           RUNS_MAX);
    spool->extents[spool->run_count] = (struct extent){ .first_block = spool->next_block };
    return ERR_OK;
}

err spool_write(struct spool *spool, str record, struct problem *problem)
{
    spool->extents[spool->run_count].bytes += record.size;
    while (record.size > 0) {
        size_t part = BLOCK_BYTES - spool->block_bytes;
        if (part > record.size)
            part = record.size;
        memcpy(spool->block + spool->block_bytes, record.data, part);
        spool->block_bytes += part;
        record = str_slice(record, part, record.size);
        if (spool->block_bytes == BLOCK_BYTES) {
            err error = flush_block(spool, problem);
            if (error != ERR_OK)
                return error;
        }
    }
    return ERR_OK;
}

err spool_end_run(struct spool *spool, struct problem *problem)
{
    err error = flush_block(spool, problem);
    spool->run_count += error == ERR_OK;
    return error;
}

/* ---- reading ---- */

static err read_block(struct spool *spool, uint64_t block, char *out, size_t size,
                      struct problem *problem)
{
    if (!file_read_at(spool->file, out, size, block * BLOCK_BYTES))
        return problem_set(problem, ERR_IO, "lines cannot be read back: %s",
                           errno != 0 ? strerror(errno) : "the file is shorter than it was");
    crypt_block(spool, block, out, size);
    return ERR_OK;
}

/* Move what is left to the front, and read on. */
static err refill(struct spool *spool, struct reader *reader, struct problem *problem)
{
    struct buffer *text = &reader->text;
    size_t wanted = 0;
    if (reader->at > 0) {
        memmove(text->data, text->data + reader->at, text->size - reader->at);
        text->size -= reader->at;
        reader->at = 0;
    }
    do {
        size_t left = reader->extent.bytes - reader->read;
        size_t part = left < BLOCK_BYTES ? left : BLOCK_BYTES;
        char *room = part > 0 ? buffer_reserve(text, part) : NULL;
        if (part == 0)
            return ERR_OK;
        if (room == NULL)
            return problem_set(problem, ERR_NOMEM, "no memory to read lines back");
        err error = read_block(spool, reader->extent.first_block + reader->read / BLOCK_BYTES, room,
                               part, problem);
        if (error != ERR_OK)
            return error;
        buffer_advance(text, part);
        reader->read += part;
        wanted += part;
    } while (wanted < spool->step_bytes);
    return ERR_OK;
}

static bool has_record(const struct spool *spool, const struct reader *reader)
{
    size_t held = reader->text.size - reader->at;
    return held >= spool->head_bytes && held >= spool->size_of(reader->text.data + reader->at);
}

/* Have a whole record at hand; false in *there at the end of the run. */
static err prepare(struct spool *spool, struct reader *reader, bool *there, struct problem *problem)
{
    err error = ERR_OK;
    while (error == ERR_OK && !has_record(spool, reader) && reader->read < reader->extent.bytes)
        error = refill(spool, reader, problem);
    *there = has_record(spool, reader);
    return error;
}

static const char *head_of(const struct spool *spool, size_t heap_index)
{
    const struct reader *reader = &spool->readers[spool->heap[heap_index]];
    return reader->text.data + reader->at;
}

static void sift_down(struct spool *spool, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = 2 * at + 2;
        if (left < spool->heap_count && spool->before(head_of(spool, left), head_of(spool, least)))
            least = left;
        if (right < spool->heap_count &&
            spool->before(head_of(spool, right), head_of(spool, least)))
            least = right;
        if (least == at)
            return;
        size_t moved = spool->heap[at];
        spool->heap[at] = spool->heap[least];
        spool->heap[least] = moved;
        at = least;
    }
}

err spool_merge_begin(struct spool *spool, bool (*before)(const char *, const char *),
                      size_t (*size_of)(const char *), size_t head_bytes, size_t memory_bytes_max,
                      struct problem *problem)
{
    err error = ERR_OK;
    spool->before = before;
    spool->size_of = size_of;
    spool->head_bytes = head_bytes;
    spool->step_bytes = memory_bytes_max / (spool->run_count + 1) / 2;
    if (spool->step_bytes > ((size_t)1 << 20))
        spool->step_bytes = (size_t)1 << 20;
    spool->readers = memory_alloc((spool->run_count + 1) * sizeof *spool->readers);
    spool->heap = memory_alloc((spool->run_count + 1) * sizeof *spool->heap);
    if (spool->readers == NULL || spool->heap == NULL) {
        memory_free(spool->readers);
        spool->readers = NULL;
        return problem_set(problem, ERR_NOMEM, "no memory to merge %zu runs", spool->run_count);
    }
    for (size_t i = 0; i < spool->run_count; i++) {
        spool->readers[i].extent = spool->extents[i];
        buffer_init(&spool->readers[i].text,
                    RECORD_BYTES_MAX + 2 * spool->step_bytes + BLOCK_BYTES);
    }
    for (size_t i = 0; i < spool->run_count && error == ERR_OK; i++) {
        bool there;
        error = prepare(spool, &spool->readers[i], &there, problem);
        if (error == ERR_OK && there)
            spool->heap[spool->heap_count++] = i;
    }
    for (size_t i = spool->heap_count / 2; i > 0 && error == ERR_OK; i--)
        sift_down(spool, i - 1);
    return error;
}

err spool_merge_next(struct spool *spool, const char **record, struct problem *problem)
{
    *record = NULL;
    if (spool->started && spool->heap_count > 0) {
        struct reader *reader = &spool->readers[spool->heap[0]];
        bool there;
        reader->at += spool->size_of(reader->text.data + reader->at);
        err error = prepare(spool, reader, &there, problem);
        if (error != ERR_OK)
            return error;
        if (!there)
            spool->heap[0] = spool->heap[--spool->heap_count];
        if (spool->heap_count > 0)
            sift_down(spool, 0);
    }
    spool->started = true;
    if (spool->heap_count > 0)
        *record = head_of(spool, 0);
    return ERR_OK;
}
