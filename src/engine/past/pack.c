/* SPDX-License-Identifier: Apache-2.0 */
/* pack: rounds that keep history.pack; see pack.h. What a start takes out of it: pack_load.c. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/logline.h"
#include "engine/past/pack_inside.h"

/* Looked at in one question, at most; it ends earlier when it has taken so long: the second when much is to be packed. */
#define LOOKED_AT_MAX 4096u
#define CAPTURE_US 400
#define CAPTURE_BEHIND_US 1000
/* Blocks of a question, and of a commit: some 5 MB at 8 events a customer; some 40 when much is to be packed. */
#define CAPTURED_MAX 64u
#define COMMIT_BLOCKS 64u
#define COMMIT_BEHIND_BLOCKS 512u
/* So much of a round's time is for the blocks; the rest is room for a slow disk. */
#define ROUND_SHARE 2
#define SLICE_MS 1000
#define RETRY_MS (30 * SECOND_MS)
#define PIECE_BYTES_MAX ((size_t)256 << 20)

/* ---- life ---- */

err packing_new(struct engine *engine)
{
    struct packing *packing = memory_alloc(sizeof *packing);
    if (packing == NULL)
        return ERR_NOMEM;
    packing->engine = engine;
    pthread_mutex_init(&packing->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&packing->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    engine->packing = packing;
    return ERR_OK;
}

void packing_free(struct engine *engine)
{
    struct packing *packing = engine->packing;
    if (packing == NULL)
        return;
    packs_close(&packing->packs);
    memory_free(packing->blocks);
    memory_free(packing->seen);
    pthread_cond_destroy(&packing->wake);
    pthread_mutex_destroy(&packing->mutex);
    memory_free(packing);
    engine->packing = NULL;
}

void packing_open(struct engine *engine)
{
    char path[600];
    struct problem problem = { .error = ERR_OK };
    if (engine->config.replay_only || engine->standby != NULL || engine->warehouse == NULL ||
        engine->config.pack_ms < 0)
        return;
    snprintf(path, sizeof path, "%s/history.pack", engine->folder);
    if (packs_open(&engine->packing->packs, path, engine->ledger, &problem) != ERR_OK)
        log_line(LOG_WARN, "history_pack_unusable", "reason=\"%s\"", problem.detail);
}

/* ---- what is known of blocks: engine thread, and before it runs ---- */

struct packed_block *packed_block(struct packing *packing, uint32_t number)
{
    if (number >= packing->block_count) {
        uint32_t count =
            number + 1 > packing->block_count * 2 ? number + 1 : packing->block_count * 2;
        struct packed_block *blocks =
            memory_resize(packing->blocks, (size_t)count * sizeof *blocks);
        if (blocks == NULL)
            return NULL;
        memset(blocks + packing->block_count, 0,
               (size_t)(count - packing->block_count) * sizeof *blocks);
        packing->blocks = blocks;
        packing->block_count = count;
    }
    return &packing->blocks[number];
}

/* The row says when it began: what is packed later is true again. */
void packing_spoil(struct engine *engine, uint32_t node, uint64_t seq)
{
    uint32_t number = node / HISTORY_BLOCK_NODES;
    if (engine->config.replay_only)
        return;
    struct packed_block *block = packed_block(engine->packing, number);
    if (block != NULL && block->is_spoiled)
        return;
    LEDGER_PUT(engine->writes, LEDGER_PACKS_SPOILED, ledger_int(number), ledger_int((int64_t)seq));
    if (block != NULL)
        *block = (struct packed_block){ .is_spoiled = true };
}

/* ---- capturing: a question to the engine ---- */

struct captured {
    struct history_capture events;
    struct buffer sums;
};
struct capturing {
    struct packing *packing;
    uint32_t number, end; /* the next block to look at, and where to stop */
    uint64_t seq;         /* the engine's */
    int64_t budget_us;    /* of a question */
    struct captured items[CAPTURED_MAX];
    uint32_t count;
    err error;
};

static bool is_changed(const struct packing *packing, uint32_t number, uint64_t stamp)
{
    const struct packed_block *block =
        number < packing->block_count ? &packing->blocks[number] : NULL;
    if (block == NULL || block->serial == 0 || block->stamp != stamp)
        return history_block_changed(packing->engine->history, number, 0);
    return history_block_changed(packing->engine->history, number, block->serial);
}

/* One that cannot be captured, for want of memory, ends the round: nobody may think that it was looked at. */
static err capture(struct capturing *capturing, uint32_t number, uint64_t stamp)
{
    struct engine *engine = capturing->packing->engine;
    struct captured *item = &capturing->items[capturing->count];
    struct packed_block *block = packed_block(capturing->packing, number);
    err error = block != NULL ? history_capture(engine->history, number, &item->events) : ERR_NOMEM;
    if (error != ERR_OK)
        return error;
    buffer_clear(&item->sums);
    profile_sums_write(engine->profile, number * HISTORY_BLOCK_NODES, HISTORY_BLOCK_NODES,
                       &item->sums);
    *block = (struct packed_block){ .serial = item->events.serial, .stamp = stamp };
    capturing->count++;
    return ERR_OK;
}

static void capture_some(const struct engine_state *state, struct engine_question *question)
{
    struct capturing *capturing = question->context;
    struct history *history = capturing->packing->engine->history;
    steady_ns start = steady_now();
    uint64_t stamp = history_columns_stamp(history);
    capturing->seq = state->applied_seq;
    capturing->end = history_block_count(history);
    for (uint32_t looked = 0; looked < LOOKED_AT_MAX && capturing->number < capturing->end;
         looked++) {
        uint32_t number = capturing->number++;
        if (!is_changed(capturing->packing, number, stamp))
            continue;
        capturing->error = capture(capturing, number, stamp);
        if (capturing->error != ERR_OK || capturing->count == CAPTURED_MAX ||
            steady_since_us(start) >= capturing->budget_us)
            break;
    }
}

/* What was captured and could not be packed is not packed. */
static void forget_all(const struct engine_state *state, struct engine_question *question)
{
    struct packing *packing = question->context;
    (void)state;
    for (uint32_t i = 0; i < packing->block_count; i++)
        packing->blocks[i].serial = 0;
}

static err ask(struct packing *packing,
               void (*what)(const struct engine_state *, struct engine_question *), void *context)
{
    struct engine_question question = { .ask = what, .context = context };
    err error;
    while ((error = engine_ask_wait(packing->engine, &question)) == ERR_BUSY)
        steady_sleep_ms(20);
    return error;
}

/* ---- how much there is to do: this thread ---- */

static uint64_t committed_seq(const struct packing *packing)
{
    return atomic_load(&packing->engine->committed_seq);
}

static int64_t steady_ms(void)
{
    return (int64_t)(steady_now().ns / 1000000);
}

static bool is_behind(const struct packing *packing)
{
    return pack_pace_is_behind(&packing->pace, committed_seq(packing));
}

/* ---- packing: this thread ---- */

static const char nothing_packed[1] = { 0 };

static err put_events(struct packing *packing, const struct capturing *capturing,
                      const struct captured *item, struct problem *problem)
{
    struct buffer *bytes = &packing->bytes;
    buffer_clear(bytes);
    err error = history_pack(packing->packer, &item->events, bytes);
    if (error == ERR_NOMEM)
        return problem_set(problem, error, "no memory to pack history");
    /* What cannot be packed is said to be not there: the warehouse is asked for it. */
    str piece =
        error == ERR_OK ? buffer_str(bytes) : str_from_bytes(nothing_packed, sizeof nothing_packed);
    return packs_put(packing->packs, PACK_EVENTS, item->events.number, capturing->seq, piece,
                     problem);
}

static err put_captured(struct packing *packing, struct capturing *capturing,
                        struct problem *problem)
{
    err error = ERR_OK;
    for (uint32_t i = 0; i < capturing->count && error == ERR_OK; i++) {
        const struct captured *item = &capturing->items[i];
        error = put_events(packing, capturing, item, problem);
        if (error == ERR_OK)
            error = buffer_status(&item->sums);
        if (error == ERR_OK)
            error = packs_put(packing->packs, PACK_SUMS, item->events.number, capturing->seq,
                              buffer_str(&item->sums), problem);
    }
    return error;
}

static err pack_some(struct packing *packing, struct capturing *capturing, struct problem *problem)
{
    capturing->count = 0;
    capturing->error = ERR_OK;
    capturing->budget_us = is_behind(packing) ? CAPTURE_BEHIND_US : CAPTURE_US;
    packs_begin(packing->packs);
    history_packer_begin(packing->packer);
    err error = ask(packing, capture_some, capturing);
    if (error == ERR_OK)
        error = capturing->error;
    if (error == ERR_OK)
        error = put_captured(packing, capturing, problem);
    history_packer_end(packing->packer);
    return error;
}

/* ---- when identifiers were seen ---- */

struct looking {
    struct packing *packing;
    uint32_t chunk, rows; /* rows: how many there are */
    uint64_t seq;
};

static void look_at_rows(const struct engine_state *state, struct engine_question *question)
{
    struct looking *looking = question->context;
    looking->seq = state->applied_seq;
    looking->rows = identity_row_count(state->identity);
    buffer_clear(&looking->packing->bytes);
    identity_seen_write(state->identity, looking->chunk * PACK_SEEN_ROWS + 1, PACK_SEEN_ROWS,
                        &looking->packing->bytes);
}

static err seen_hash(struct packing *packing, uint32_t chunk, uint64_t **hash)
{
    if (chunk >= packing->seen_count) {
        uint32_t count = chunk + 64;
        uint64_t *seen = memory_resize(packing->seen, count * sizeof *seen);
        if (seen == NULL)
            return ERR_NOMEM;
        memset(seen + packing->seen_count, 0, (count - packing->seen_count) * sizeof *seen);
        packing->seen = seen;
        packing->seen_count = count;
    }
    *hash = &packing->seen[chunk];
    return ERR_OK;
}

static err pack_rows(struct packing *packing, struct looking *looking, struct problem *problem)
{
    uint64_t *before = NULL;
    packs_begin(packing->packs);
    err error = ask(packing, look_at_rows, looking);
    if (error == ERR_OK)
        error = buffer_status(&packing->bytes);
    if (error == ERR_OK)
        error = seen_hash(packing, looking->chunk, &before);
    if (error != ERR_OK)
        return error;
    uint64_t hash = hash_bytes64(packing->bytes.data, packing->bytes.size, 1);
    if (hash == *before)
        return ERR_OK;
    *before = 0;
    error = packs_put(packing->packs, PACK_SEEN, looking->chunk, looking->seq,
                      buffer_str(&packing->bytes), problem);
    if (error == ERR_OK)
        *before = hash;
    return error;
}

/* ---- a round ---- */

static struct timespec deadline_after(int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    return until;
}

/* True when the engine stops. */
static bool rest(struct packing *packing, int64_t wait_ms)
{
    steady_ns start = steady_now();
    pthread_mutex_lock(&packing->mutex);
    while (!packing->stopping && steady_since_ms(start) < wait_ms) {
        struct timespec until = deadline_after(wait_ms - steady_since_ms(start));
        pthread_cond_timedwait(&packing->wake, &packing->mutex, &until);
    }
    bool stopping = packing->stopping;
    pthread_mutex_unlock(&packing->mutex);
    return stopping;
}

static bool is_stopping(struct packing *packing)
{
    pthread_mutex_lock(&packing->mutex);
    bool stopping = packing->stopping;
    pthread_mutex_unlock(&packing->mutex);
    return stopping;
}

/* So many blocks a second that a round leaves half of its time. */
static uint32_t blocks_a_slice(const struct packing *packing, const struct capturing *capturing)
{
    int64_t slices = packing->engine->config.pack_ms / ROUND_SHARE / SLICE_MS;
    uint32_t blocks = capturing->end / (uint32_t)(slices > 0 ? slices : 1);
    return blocks > COMMIT_BLOCKS ? blocks : COMMIT_BLOCKS;
}

static err pack_blocks(struct packing *packing, struct capturing *capturing,
                       struct problem *problem)
{
    err error = ERR_OK;
    uint32_t since_commit = 0, since_rest = 0;
    do {
        bool behind = is_behind(packing);
        error = pack_some(packing, capturing, problem);
        since_commit += capturing->count;
        since_rest += capturing->count;
        packing->packed += capturing->count;
        if (error == ERR_OK && since_commit >= (behind ? COMMIT_BEHIND_BLOCKS : COMMIT_BLOCKS)) {
            error = packs_commit(packing->packs, problem);
            since_commit = 0;
        }
        if (error == ERR_OK && since_rest >= blocks_a_slice(packing, capturing)) {
            since_rest = 0;
            pack_pace_look(&packing->pace, committed_seq(packing), steady_ms());
            if (rest(packing, behind ? 0 : SLICE_MS))
                error = ERR_UNAVAILABLE;
        }
    } while (error == ERR_OK && capturing->number < capturing->end);
    return error;
}

static err pack_seen(struct packing *packing, struct problem *problem)
{
    struct looking looking = { .packing = packing };
    err error = ERR_OK;
    do {
        error = pack_rows(packing, &looking, problem);
        if (error == ERR_OK && looking.chunk % 32 == 31)
            error = packs_commit(packing->packs, problem);
        if (error == ERR_OK && is_stopping(packing))
            error = ERR_UNAVAILABLE;
        looking.chunk++;
    } while (error == ERR_OK && looking.chunk * PACK_SEEN_ROWS < looking.rows);
    return error;
}

static void log_round(struct packing *packing, const struct capturing *capturing, int64_t took_ms)
{
    if (packing->packed > 0)
        log_line(LOG_INFO, "history_packed", "blocks=%u of=%u bytes=%llu ms=%lld", packing->packed,
                 capturing->end, (unsigned long long)packs_file_bytes(packing->packs),
                 (long long)took_ms);
}

/* The seq is one that the ledger has: nothing that is packed later can be from before it. */
static err run_round(struct packing *packing, struct capturing *capturing, struct problem *problem)
{
    steady_ns start = steady_now();
    uint64_t seq = atomic_load(&packing->engine->committed_seq);
    packing->packed = 0;
    capturing->number = 0;
    err error = pack_blocks(packing, capturing, problem);
    if (error == ERR_OK)
        error = pack_seen(packing, problem);
    if (error == ERR_OK)
        error = packs_commit(packing->packs, problem);
    if (error == ERR_OK)
        error = packs_end_round(packing->packs, seq, problem);
    if (error == ERR_OK) {
        packing->pace.round_seq = seq;
        log_round(packing, capturing, steady_since_ms(start));
        atomic_fetch_add(&packing->rounds, 1);
    }
    return error;
}

uint64_t packing_rounds(const struct engine *engine)
{
    return atomic_load(&engine->packing->rounds);
}

/* What was put since the last commit is forgotten: it comes again. */
static void begin_again(struct packing *packing, err error, const struct problem *problem)
{
    log_line(LOG_WARN, "history_pack_failed", "reason=\"%s\"",
             problem->detail[0] != '\0' ? problem->detail : err_title(error));
    (void)ask(packing, forget_all, packing);
    if (packing->seen_count > 0)
        memset(packing->seen, 0, packing->seen_count * sizeof *packing->seen);
}

/* Until the next round is due, as it looks each second anew. True when the engine stops. */
static bool rest_between(struct packing *packing, steady_ns begin, err error)
{
    int64_t usual_ms = packing->engine->config.pack_ms;
    int64_t retry_ms = usual_ms < RETRY_MS ? usual_ms : RETRY_MS;
    int64_t took_ms = steady_since_ms(begin), due_ms, left_ms;
    do {
        pack_pace_look(&packing->pace, committed_seq(packing), steady_ms());
        due_ms = error == ERR_OK ? pack_pace_due_after_ms(&packing->pace, committed_seq(packing),
                                                          took_ms, usual_ms)
                                 : took_ms + retry_ms;
        left_ms = due_ms - steady_since_ms(begin);
        left_ms = left_ms > SLICE_MS ? SLICE_MS : left_ms;
        if (rest(packing, left_ms > 0 ? left_ms : 0))
            return true;
    } while (left_ms > 0);
    return false;
}

static void *run_rounds(void *context)
{
    struct packing *packing = context;
    struct capturing *capturing = packing->capturing;
    pthread_setname_np(pthread_self(), "kith-packer");
    bool stopping = rest(packing, packing->engine->config.pack_ms / 8);
    while (!stopping) {
        struct problem problem = { .error = ERR_OK };
        steady_ns begin = steady_now();
        err error = run_round(packing, capturing, &problem);
        if (error != ERR_OK && error != ERR_UNAVAILABLE)
            begin_again(packing, error, &problem);
        stopping = rest_between(packing, begin, error);
    }
    return NULL;
}

err packing_start(struct engine *engine, struct problem *problem)
{
    struct packing *packing = engine->packing;
    if (packing->packs == NULL || engine->config.pack_ms == 0)
        return ERR_OK;
    buffer_init(&packing->bytes, PIECE_BYTES_MAX);
    packing->capturing = memory_alloc(sizeof *packing->capturing);
    err error = packing->capturing != NULL ? history_packer_new(&packing->packer, engine->history)
                                           : ERR_NOMEM;
    if (error == ERR_OK) {
        packing->capturing->packing = packing;
        pack_pace_begin(&packing->pace, packs_round_seq(packing->packs), committed_seq(packing),
                        steady_ms());
        for (uint32_t i = 0; i < CAPTURED_MAX; i++)
            buffer_init(&packing->capturing->items[i].sums, PIECE_BYTES_MAX);
        error =
            pthread_create(&packing->thread, NULL, run_rounds, packing) == 0 ? ERR_OK : ERR_NOMEM;
    }
    packing->thread_runs = error == ERR_OK;
    return error == ERR_OK
               ? ERR_OK
               : problem_set(problem, error, "no thread could be started to pack history");
}

void packing_stop(struct engine *engine)
{
    struct packing *packing = engine->packing;
    if (packing == NULL)
        return;
    pthread_mutex_lock(&packing->mutex);
    packing->stopping = true;
    pthread_cond_signal(&packing->wake);
    pthread_mutex_unlock(&packing->mutex);
    if (packing->thread_runs)
        pthread_join(packing->thread, NULL);
    packing->thread_runs = false;
    for (uint32_t i = 0; packing->capturing != NULL && i < CAPTURED_MAX; i++)
        buffer_deinit(&packing->capturing->items[i].sums);
    memory_free(packing->capturing);
    packing->capturing = NULL;
    history_packer_free(&packing->packer);
    buffer_deinit(&packing->bytes);
}

/* ---- erasing ---- */

err engine_wipe_packs(struct engine *engine, const uint32_t *nodes, size_t count,
                      struct problem *problem)
{
    struct packs *packs = engine->packing->packs;
    if (packs == NULL)
        return ERR_OK;
    uint32_t *numbers = memory_alloc((count + 1) * sizeof *numbers);
    if (numbers == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for what is to be wiped");
    for (size_t i = 0; i < count; i++)
        numbers[i] = nodes[i] / HISTORY_BLOCK_NODES;
    err error = packs_wipe(packs, PACK_EVENTS, numbers, count, problem);
    if (error == ERR_OK)
        error = packs_wipe(packs, PACK_SUMS, numbers, count, problem);
    memory_free(numbers);
    return error;
}
