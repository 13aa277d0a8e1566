/* SPDX-License-Identifier: Apache-2.0 */
/* packs: pieces by kind and number, and what the ledger knows of them; see packs.h. Bytes: docs/formats/history-pack.md. */
#include "store/packs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/logline.h"
#include "store/paged_file.h"

#define PIECE_BYTES_MAX (UINT64_C(1) << 30)

static const bool kind_spoils[PACK_KIND_COUNT] = {
#define X(NAME, spoiled, about) [PACK_##NAME] = spoiled,
    PACK_KIND_TABLE(X)
#undef X
};

static const char *const kind_names[PACK_KIND_COUNT] = {
#define X(NAME, spoiled, about) [PACK_##NAME] = #NAME,
    PACK_KIND_TABLE(X)
#undef X
};

#define ROUND_KEY "packs_round"

struct piece {
    struct extent extent;
    uint64_t seq;
    hash128 digest;
    bool counts;
};
struct pieces {
    struct piece *items;
    uint32_t count, capacity;
};
/* Put, and not yet told to the ledger. */
struct put {
    enum pack_kind kind;
    uint32_t number;
    struct piece piece;
};
/* Replaced: its pages are free once `commit` is committed. */
struct replaced {
    struct extent extent;
    uint64_t commit;
    bool is_zero;
};

struct packs {
    pthread_mutex_t mutex; /* guards all of it while others may be there */
    struct paged_file file;
    struct ledger *ledger;
    struct pieces kinds[PACK_KIND_COUNT];
    uint64_t bytes_used;
    struct put *puts;
    uint32_t put_count, put_capacity;
    struct replaced *replaced;
    uint32_t replaced_count, replaced_capacity;
    uint64_t commit; /* number of the last one */
    _Atomic uint64_t committed;
    uint32_t refused;
    struct packs_name refused_first[PACKS_REFUSED_NAMED];
    uint64_t round_seq;
    uint64_t wipes, wipes_before; /* how many; when what is being put was looked at */
};

/* ---- arrays ---- */

static err array_room(void **items, uint32_t *capacity, uint32_t needed, size_t item_bytes)
{
    if (needed <= *capacity)
        return ERR_OK;
    uint32_t wanted = *capacity < 64 ? 64 : *capacity * 2;
    wanted = wanted < needed ? needed : wanted;
    void *grown = memory_resize(*items, (size_t)wanted * item_bytes);
    if (grown == NULL)
        return ERR_NOMEM;
    *items = grown;
    *capacity = wanted;
    return ERR_OK;
}

static err pieces_grow(struct pieces *pieces, uint32_t number)
{
    if (number < pieces->count)
        return ERR_OK;
    if (array_room((void **)&pieces->items, &pieces->capacity, number + 1, sizeof(struct piece)) !=
        ERR_OK)
        return ERR_NOMEM;
    memset(pieces->items + pieces->count, 0,
           (size_t)(number + 1 - pieces->count) * sizeof(struct piece));
    pieces->count = number + 1;
    return ERR_OK;
}

static struct piece *piece_at(const struct packs *packs, enum pack_kind kind, uint32_t number)
{
    const struct pieces *pieces = &packs->kinds[kind];
    return number < pieces->count ? &pieces->items[number] : NULL;
}

/* ---- opening ---- */

struct opening {
    struct packs *packs;
    uint64_t applied_seq;
    err error;
};

/* kind number seq place bytes digest */
static bool take_row(void *context, const struct ledger_value *values)
{
    struct opening *opening = context;
    struct packs *packs = opening->packs;
    int64_t kind = values[0].integer, number = values[1].integer, page = values[3].integer;
    int64_t bytes = values[4].integer;
    struct cursor digest = cursor_over(values[5].bytes);
    struct piece piece = { .extent = { (uint32_t)page, (uint32_t)bytes },
                           .seq = (uint64_t)values[2].integer,
                           .counts = true };
    piece.digest.low = read_u64(&digest);
    piece.digest.high = read_u64(&digest);
    bool fits = kind >= 0 && kind < PACK_KIND_COUNT && number >= 0 && number < UINT32_MAX / 2 &&
                page > 0 && (uint64_t)page < PAGES_MAX / 2 && bytes > 0 &&
                (uint64_t)bytes <= PIECE_BYTES_MAX && !digest.failed;
    if (!fits)
        return true;
    /* Of a ledger that has lost its last commits: all else of the row may be true, but not yet. */
    piece.counts = piece.seq <= opening->applied_seq;
    opening->error = pieces_grow(&packs->kinds[kind], (uint32_t)number);
    if (opening->error == ERR_OK)
        opening->error = paged_file_hold(&packs->file, piece.extent);
    if (opening->error != ERR_OK)
        return false;
    packs->kinds[kind].items[number] = piece;
    return true;
}

static bool take_spoiled(void *context, const struct ledger_value *values)
{
    struct opening *opening = context;
    int64_t number = values[0].integer;
    for (int kind = 0; kind < PACK_KIND_COUNT; kind++) {
        struct piece *piece = number >= 0 && number < UINT32_MAX && kind_spoils[kind]
                                  ? piece_at(opening->packs, (enum pack_kind)kind, (uint32_t)number)
                                  : NULL;
        if (piece != NULL && piece->seq < (uint64_t)values[1].integer)
            piece->counts = false;
    }
    return true;
}

static bool take_round(void *context, const struct ledger_value *values)
{
    struct opening *opening = context;
    struct cursor cursor = cursor_over(values[1].bytes);
    uint64_t seq = read_u64(&cursor);
    if (!cursor.failed && seq <= opening->applied_seq)
        opening->packs->round_seq = seq;
    return true;
}

static err read_ledger(struct packs *packs, struct problem *problem)
{
    struct ledger_value key = ledger_text(STR(ROUND_KEY));
    struct opening opening = { .packs = packs, .applied_seq = ledger_applied_seq(packs->ledger) };
    err error = ledger_scan(packs->ledger, LEDGER_PACKS, NULL, take_row, &opening, problem);
    if (error == ERR_OK && opening.error != ERR_OK)
        error =
            problem_set(problem, opening.error, "no memory for what '%s' has", packs->file.path);
    if (error == ERR_OK)
        error =
            ledger_scan(packs->ledger, LEDGER_PACKS_SPOILED, NULL, take_spoiled, &opening, problem);
    if (error == ERR_OK)
        error = ledger_find(packs->ledger, LEDGER_META, &key, 1, take_round, &opening, problem);
    return error;
}

err packs_open(struct packs **opened, const char *path, struct ledger *ledger,
               struct problem *problem)
{
    struct packs *packs = memory_alloc(sizeof *packs);
    if (packs == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for '%s'", path);
    pthread_mutex_init(&packs->mutex, NULL);
    packs->ledger = ledger;
    bool is_kept = false;
    err error = paged_file_open(&packs->file, path, &is_kept, problem);
    /* Of a file that is new, or of another version, nothing counts. */
    if (error == ERR_OK && is_kept)
        error = read_ledger(packs, problem);
    /* What lies between the pieces was on its way when the last one ended, or replaced. */
    if (error == ERR_OK)
        error = paged_file_clear_gaps(&packs->file, problem);
    if (error == ERR_OK)
        *opened = packs;
    else
        packs_close(&packs);
    return error;
}

void packs_close(struct packs **taken)
{
    struct packs *packs = *taken;
    *taken = NULL;
    if (packs == NULL)
        return;
    paged_file_close(&packs->file);
    for (int kind = 0; kind < PACK_KIND_COUNT; kind++)
        memory_free(packs->kinds[kind].items);
    memory_free(packs->puts);
    memory_free(packs->replaced);
    pthread_mutex_destroy(&packs->mutex);
    memory_free(packs);
}

/* ---- reading ---- */

uint32_t packs_numbers(const struct packs *packs, enum pack_kind kind)
{
    return packs->kinds[kind].count;
}

uint64_t packs_seq(const struct packs *packs, enum pack_kind kind, uint32_t number)
{
    const struct piece *piece = piece_at(packs, kind, number);
    if (piece == NULL || piece->extent.bytes == 0)
        return packs->round_seq;
    if (!piece->counts)
        return 0;
    return piece->seq > packs->round_seq ? piece->seq : packs->round_seq;
}

uint64_t packs_round_seq(const struct packs *packs)
{
    return packs->round_seq;
}

const char *packs_kind_name(enum pack_kind kind)
{
    return kind_names[kind];
}

void packs_refuse(struct packs *packs, enum pack_kind kind, uint32_t number)
{
    struct piece *piece = piece_at(packs, kind, number);
    if (piece == NULL || !piece->counts)
        return;
    piece->counts = false;
    if (packs->refused < PACKS_REFUSED_NAMED)
        packs->refused_first[packs->refused] = (struct packs_name){ kind, number };
    packs->refused++;
}

struct packs_name packs_refused_at(const struct packs *packs, uint32_t index)
{
    INVARIANT(index < packs->refused && index < PACKS_REFUSED_NAMED);
    return packs->refused_first[index];
}

uint32_t packs_refused(const struct packs *packs)
{
    return packs->refused;
}

/* The same bytes for another number, kind or moment are another piece. */
static hash128 digest_of(enum pack_kind kind, uint32_t number, uint64_t seq, str bytes)
{
    uint64_t seed =
        hash_mix64(seq) ^ ((uint64_t)PAGED_FILE_VERSION << 40 | (uint64_t)kind << 32 | number);
    return hash_bytes128(bytes.data, bytes.size, seed);
}

bool packs_read(struct packs *packs, enum pack_kind kind, uint32_t number, struct buffer *bytes)
{
    const struct piece *piece = piece_at(packs, kind, number);
    if (piece == NULL || !piece->counts)
        return false;
    buffer_clear(bytes);
    char *room = buffer_reserve(bytes, piece->extent.bytes);
    bool read = room != NULL && paged_file_read(&packs->file, piece->extent, room);
    if (read) {
        buffer_advance(bytes, piece->extent.bytes);
        hash128 digest = digest_of(kind, number, piece->seq, buffer_str(bytes));
        read = digest.low == piece->digest.low && digest.high == piece->digest.high;
    }
    if (!read)
        packs_refuse(packs, kind, number);
    return read;
}

/* ---- writing ---- */

static err replace(struct packs *packs, struct extent extent, uint64_t commit)
{
    if (extent.bytes == 0)
        return ERR_OK;
    if (array_room((void **)&packs->replaced, &packs->replaced_capacity, packs->replaced_count + 1,
                   sizeof(struct replaced)) != ERR_OK)
        return ERR_NOMEM; /* its pages are lost until the next start */
    packs->replaced[packs->replaced_count++] =
        (struct replaced){ .extent = extent, .commit = commit };
    return ERR_OK;
}

/* Pages of what was replaced by a commit that is there can be used again. */
static err collect(struct packs *packs, struct problem *problem)
{
    uint64_t committed = atomic_load(&packs->committed);
    uint32_t kept = 0;
    err error = ERR_OK;
    for (uint32_t i = 0; i < packs->replaced_count; i++) {
        struct replaced *replaced = &packs->replaced[i];
        if (error == ERR_OK && replaced->commit <= committed && !replaced->is_zero) {
            error = paged_file_zero(&packs->file, replaced->extent, problem);
            replaced->is_zero = error == ERR_OK;
        }
        if (replaced->commit <= committed && replaced->is_zero)
            paged_file_give_back(&packs->file, replaced->extent);
        else
            packs->replaced[kept++] = *replaced;
    }
    packs->replaced_count = kept;
    return error;
}

static err put(struct packs *packs, const struct put *new, str bytes, struct problem *problem)
{
    struct put put = *new;
    err error = collect(packs, problem);
    if (error == ERR_OK &&
        (array_room((void **)&packs->puts, &packs->put_capacity, packs->put_count + 1,
                    sizeof(struct put)) != ERR_OK ||
         paged_file_take(&packs->file, (uint32_t)bytes.size, &put.piece.extent) != ERR_OK))
        error =
            problem_set(problem, ERR_NOMEM, "no memory for the pages of '%s'", packs->file.path);
    if (error != ERR_OK)
        return error;
    packs->puts[packs->put_count++] = put;
    return paged_file_write(&packs->file, put.piece.extent, bytes, problem);
}

/* Nothing of it counts, and its pages are as they were. */
static void forget_puts(struct packs *packs)
{
    for (uint32_t i = 0; i < packs->put_count; i++)
        (void)replace(packs, packs->puts[i].piece.extent, 0);
    packs->put_count = 0;
}

void packs_begin(struct packs *packs)
{
    pthread_mutex_lock(&packs->mutex);
    packs->wipes_before = packs->wipes;
    pthread_mutex_unlock(&packs->mutex);
}

err packs_put(struct packs *packs, enum pack_kind kind, uint32_t number, uint64_t seq, str piece,
              struct problem *problem)
{
    if (piece.size == 0 || piece.size > PIECE_BYTES_MAX)
        return problem_set(problem, ERR_TOO_LARGE, "a piece of '%s' would have %zu bytes",
                           packs->file.path, piece.size);
    struct put new = { .kind = kind, .number = number };
    new.piece =
        (struct piece){ .seq = seq, .digest = digest_of(kind, number, seq, piece), .counts = true };
    pthread_mutex_lock(&packs->mutex);
    err error =
        packs->wipes == packs->wipes_before
            ? put(packs, &new, piece, problem)
            : problem_set(problem, ERR_CONFLICT, "'%s' was wiped meanwhile", packs->file.path);
    if (error != ERR_OK)
        forget_puts(packs);
    pthread_mutex_unlock(&packs->mutex);
    return error;
}

static void told(void *context, uint64_t applied_seq)
{
    struct packs *packs = context;
    (void)applied_seq;
    /* Commits come in their order, one call each. */
    atomic_fetch_add(&packs->committed, 1);
}

static void put_row(struct ledger_writes *writes, const struct put *put)
{
    struct buffer digest;
    buffer_init(&digest, sizeof(hash128) + 1);
    write_u64(&digest, put->piece.digest.low);
    write_u64(&digest, put->piece.digest.high);
    LEDGER_PUT(writes, LEDGER_PACKS, ledger_int(put->kind), ledger_int(put->number),
               ledger_int((int64_t)put->piece.seq), ledger_int(put->piece.extent.page),
               ledger_int(put->piece.extent.bytes), ledger_blob(buffer_str(&digest)));
    buffer_deinit(&digest);
}

static err tell_ledger(struct packs *packs, struct problem *problem)
{
    struct ledger_writes *writes = ledger_writes_new(packs->ledger);
    err error = writes != NULL ? ERR_OK : ERR_NOMEM;
    for (uint32_t i = 0; i < packs->put_count && error == ERR_OK; i++) {
        put_row(writes, &packs->puts[i]);
        error = pieces_grow(&packs->kinds[packs->puts[i].kind], packs->puts[i].number);
    }
    if (error == ERR_OK)
        error = ledger_apply(packs->ledger, &writes, 0, told, packs);
    if (writes != NULL)
        ledger_writes_free(&writes);
    if (error != ERR_OK)
        return problem_set(problem, error, "the ledger cannot take what '%s' has: %s",
                           packs->file.path, err_title(error));
    packs->commit++;
    return ERR_OK;
}

static err commit(struct packs *packs, struct problem *problem)
{
    err error = paged_file_sync(&packs->file, problem);
    if (error == ERR_OK)
        error = tell_ledger(packs, problem);
    if (error != ERR_OK)
        return error;
    for (uint32_t i = 0; i < packs->put_count; i++) {
        struct piece *piece = piece_at(packs, packs->puts[i].kind, packs->puts[i].number);
        (void)replace(packs, piece->extent, packs->commit);
        *piece = packs->puts[i].piece;
    }
    packs->put_count = 0;
    return ERR_OK;
}

err packs_commit(struct packs *packs, struct problem *problem)
{
    pthread_mutex_lock(&packs->mutex);
    err error = packs->put_count > 0 ? commit(packs, problem) : ERR_OK;
    if (error != ERR_OK)
        forget_puts(packs);
    if (error == ERR_OK)
        error = collect(packs, problem);
    pthread_mutex_unlock(&packs->mutex);
    return error;
}

err packs_end_round(struct packs *packs, uint64_t seq, struct problem *problem)
{
    struct ledger_writes *writes = ledger_writes_new(packs->ledger);
    struct buffer value;
    buffer_init(&value, 64);
    write_u64(&value, seq);
    err error = writes != NULL ? buffer_status(&value) : ERR_NOMEM;
    if (error == ERR_OK) {
        LEDGER_PUT(writes, LEDGER_META, ledger_text(STR(ROUND_KEY)),
                   ledger_blob(buffer_str(&value)));
        error = ledger_apply(packs->ledger, &writes, 0, NULL, NULL);
    }
    if (writes != NULL)
        ledger_writes_free(&writes);
    buffer_deinit(&value);
    if (error != ERR_OK)
        return problem_set(problem, error, "the ledger cannot take a round of '%s': %s",
                           packs->file.path, err_title(error));
    return ERR_OK;
}

/* ---- erasing ---- */

static err wipe_one(struct packs *packs, struct piece *piece, struct problem *problem)
{
    struct extent extent = piece->extent;
    piece->counts = false;
    return extent.bytes > 0 ? paged_file_zero(&packs->file, extent, problem) : ERR_OK;
}

/* What is on its way counts for nothing; what was replaced and could still be read is zeros. */
static err wipe_rest(struct packs *packs, struct problem *problem)
{
    err error = ERR_OK;
    packs->wipes++;
    forget_puts(packs);
    for (uint32_t i = 0; i < packs->replaced_count && error == ERR_OK; i++) {
        if (packs->replaced[i].is_zero)
            continue;
        error = paged_file_zero(&packs->file, packs->replaced[i].extent, problem);
        packs->replaced[i].is_zero = error == ERR_OK;
    }
    return error == ERR_OK ? paged_file_sync(&packs->file, problem) : error;
}

err packs_wipe(struct packs *packs, enum pack_kind kind, const uint32_t *numbers, size_t count,
               struct problem *problem)
{
    err error = ERR_OK;
    pthread_mutex_lock(&packs->mutex);
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        struct piece *piece = piece_at(packs, kind, numbers[i]);
        error = piece != NULL ? wipe_one(packs, piece, problem) : ERR_OK;
    }
    if (error == ERR_OK)
        error = wipe_rest(packs, problem);
    pthread_mutex_unlock(&packs->mutex);
    return error;
}

uint64_t packs_file_bytes(const struct packs *packs)
{
    uint64_t bytes = 0;
    for (int kind = 0; kind < PACK_KIND_COUNT; kind++)
        for (uint32_t i = 0; i < packs->kinds[kind].count; i++)
            bytes += packs->kinds[kind].items[i].extent.bytes;
    return bytes;
}
