/* SPDX-License-Identifier: Apache-2.0 */
/* members: what is stored per definition: sets of customers, numbers of customers, and the texts that codes mean.
 * Private to audience/. Changed by the engine; a snapshot (share) is read by any thread. */
#ifndef KITH_AUDIENCE_MEMBERS_H
#define KITH_AUDIENCE_MEMBERS_H

#include <pthread.h>
#include <stdatomic.h>

/* The header of CRoaring is not as strict as we are. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <roaring/roaring.h>
#pragma GCC diagnostic pop

#include "base/arena.h"
#include "base/buffer.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

#define CHUNK_BITS 16
#define CHUNK_SIZE (1u << CHUNK_BITS)
#define MILLION INT64_C(1000000)
#define NO_VALUE INT64_MIN

static inline uint32_t chunk_of(uint32_t customer)
{
    return customer >> CHUNK_BITS;
}

/* ---- set.c: members, in chunks that are shared copy-on-write ---- */

struct set_chunk {
    _Atomic uint32_t references;
    roaring_bitmap_t *bits; /* of the low 16 bits */
};
struct set {
    struct set_chunk **chunks; /* NULL: nobody */
    uint8_t *dirty;            /* since the last checkpoint */
    uint32_t chunk_count;
    uint64_t count;
};
void set_deinit(struct set *set);
bool set_has(const struct set *set, uint32_t customer);
/* *changed: she was not there, or was. */
err set_add(struct set *set, uint32_t customer, bool *changed) MUST_USE;
err set_remove(struct set *set, uint32_t customer, bool *changed) MUST_USE;
/* A snapshot that shares all chunks. Engine; freed by any thread. */
err set_share(const struct set *set, struct set *out) MUST_USE;
void set_move(struct set *from, struct set *to);
/* The whole chunk, from portable bytes (empty text: nobody). */
err set_load_chunk(struct set *set, uint32_t chunk, str bytes) MUST_USE;
void set_write_chunk(const struct set *set, uint32_t chunk, struct buffer *out);
const roaring_bitmap_t *set_chunk_bits(const struct set *set, uint32_t chunk); /* may be NULL */
/* The chunk is to be stored, whoever is in it. */
err set_touch_chunk(struct set *set, uint32_t chunk) MUST_USE;
/* Members from `from` on in ascending order; false from `visit` stops. */
void set_visit(const struct set *set, uint32_t from, bool (*visit)(void *, uint32_t),
               void *context);
err set_or_chunk(struct set *set, uint32_t chunk, const roaring_bitmap_t *bits) MUST_USE;
/* Members of one chunk, without its number; quickest when they ascend. */
err set_add_many(struct set *set, uint32_t chunk, const uint32_t *members, size_t count) MUST_USE;
/* `bits` NULL: nobody of this chunk stays. */
err set_and_chunk(struct set *set, uint32_t chunk, const roaring_bitmap_t *bits) MUST_USE;
uint64_t set_and_count(const struct set *one, const struct set *other);
/* What set_has reads of her is fetched towards the processor, step after step; near.c. */
#define SET_NEAR_STEPS 5
void set_near(const struct set *set, uint32_t customer, unsigned step);
size_t set_bytes(const struct set *set);
/* Portable bytes of a bitmap that is not empty; nothing for an empty or missing one. */
void bits_write(const roaring_bitmap_t *bits, struct buffer *out);
roaring_bitmap_t *bits_read(str bytes); /* NULL: damaged */

/* ---- rank.c ---- */

void numbers_sort(int64_t *values, size_t count); /* ascending */

/* ---- numbers.c: one int64 per customer, in chunks of narrow width ---- */

enum number_width { WIDTH_16, WIDTH_32, WIDTH_64 };
struct number_chunk {
    _Atomic uint32_t references;
    uint32_t count; /* customers that have one */
    enum number_width width;
    union {
        int16_t narrow[1]; /* in units; the least value is none */
        int32_t middle[1];
        int64_t wide[1]; /* as it is */
    } values;
};
struct numbers {
    struct number_chunk **chunks;
    uint8_t *dirty;
    uint32_t chunk_count;
    int64_t unit; /* narrow values are in it: a million for numbers, else 1 */
    uint64_t count;
};
void numbers_init(struct numbers *numbers, int64_t unit);
void numbers_deinit(struct numbers *numbers);
int64_t numbers_get(const struct numbers *numbers, uint32_t customer); /* NO_VALUE */
/* As set_near, in three steps. */
void numbers_near(const struct numbers *numbers, uint32_t customer, unsigned step);
err numbers_put(struct numbers *numbers, uint32_t customer, int64_t value) MUST_USE;
err numbers_share(const struct numbers *numbers, struct numbers *out) MUST_USE;
void numbers_move(struct numbers *from, struct numbers *to);
err numbers_load_chunk(struct numbers *numbers, uint32_t chunk, str bytes) MUST_USE;
void numbers_write_chunk(const struct numbers *numbers, uint32_t chunk, struct buffer *out);
/* It is to be stored, also when nobody has a number in it. */
err numbers_touch_chunk(struct numbers *numbers, uint32_t chunk) MUST_USE;
bool numbers_is_shared(const struct numbers *a, const struct numbers *b, uint32_t chunk);
size_t numbers_bytes(const struct numbers *numbers);
static inline uint32_t numbers_end(const struct numbers *numbers)
{
    return numbers->chunk_count << CHUNK_BITS;
}

/* ---- lexicon.c: texts that are read by any thread while some are added ---- */

#define LEXICON_PAGE 512u
#define LEXICON_PAGES 8192u
struct lexicon_entry {
    str text;   /* as it is, or the JSON of a list */
    str *texts; /* of a list */
    uint32_t text_count;
};
struct lexicon {
    pthread_mutex_t mutex; /* adding */
    struct arena arena;
    uint32_t *slots; /* code; open addressing */
    uint32_t slot_count;
    _Atomic uint32_t count; /* codes are 1 … count */
    uint32_t count_max;
    _Atomic(struct lexicon_entry *) pages[LEXICON_PAGES];
};
err lexicon_new(struct lexicon **lexicon, uint32_t count_max) MUST_USE;
void lexicon_free(struct lexicon **lexicon);
/* Any thread. 0: full or out of memory. */
uint32_t lexicon_intern(struct lexicon *lexicon, str text);
/* A list: `json` is its text, which is parsed once. */
uint32_t lexicon_intern_list(struct lexicon *lexicon, str json, json_value list);
uint32_t lexicon_find(struct lexicon *lexicon, str text);
const struct lexicon_entry *lexicon_at(const struct lexicon *lexicon, uint32_t code);
size_t lexicon_bytes(const struct lexicon *lexicon);

#endif
