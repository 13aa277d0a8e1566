/* SPDX-License-Identifier: Apache-2.0 */
/* fill: identifiers are ready to be shown before anybody asks, so that a first look at a customer touches no ledger.
 *
 * One thread walks over the identifiers in the order of their numbers and puts each, masked, into `values` (values.h): at the
 * start as many of the newest as find room there, then those that are new, once the ledger has committed them; of more than
 * that the newest. It is never in a hurry: after each portion it rests four times as long as that took, so it never has more
 * than a fifth of a core, it waits while a file or a flood comes in, and a read that comes before it looks for itself. What it
 * keeps is what a reader would have kept.
 *
 * Between two portions it drops what belongs to customers who were erased since: within a second of the commit.
 *
 *     look ─ nothing new ─▶ wait 0.2 s ─▶ look
 *       └─── rows ─▶ a portion of the ledger, masked, kept ─▶ rest ─▶ look
 */
#include <errno.h>

#include "base/logline.h"
#include "engine/forgotten.h"
#include "server/inside.h"
#include "server/mask.h"
#include "server/values.h"

#define ROWS_AT_ONCE 256u
#define REST_TIMES 4
#define LOOK_EVERY_US 200000
#define ARENA_BYTES_MAX ((size_t)16 << 20)
/* With more records to be applied, or on their way to the warehouse, a file comes in, or a flood: the processor is theirs. */
#define LAG_RECORDS_MAX 2000
#define UNFLUSHED_ROWS_MAX 100000

struct filler {
    struct server *server;
    pthread_t thread;
    bool runs;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping; /* under the mutex */
    /* of the thread alone */
    struct arena arena;
    uint32_t last;   /* up to here all were looked at */
    uint64_t moment; /* of the portion */
};

static bool fill_row(void *context, const struct ledger_value *values)
{
    struct filler *filler = context;
    const struct server *server = filler->server;
    struct identity_row_view row;
    identity_view_from_ledger(server->identity, values, &row);
    row.value = mask_identifier(server->keys, &filler->arena, row.type, row.value, false);
    values_fill(server->values, &row, filler->moment);
    filler->last = row.row;
    return true;
}

/* Of more than find room the newest; a quarter of the room is left to what is read. */
static uint32_t first_to_fill(const struct filler *filler, const struct engine_status *status)
{
    size_t room = values_room(filler->server->values) / 4 * 3;
    return status->identifiers > room ? status->identifiers - (uint32_t)room : 0;
}

/* True: there was something. Where the ledger cannot be read now, readers will say so; it is tried again. */
static bool fill_some(struct filler *filler)
{
    struct problem problem = { .error = ERR_OK };
    struct engine_status status;
    engine_status(filler->server->engine, &status);
    if (status.identifiers <= filler->last || status.lag_records > LAG_RECORDS_MAX ||
        status.unflushed_rows > UNFLUSHED_ROWS_MAX)
        return false;
    uint32_t first = first_to_fill(filler, &status);
    uint32_t before = filler->last = filler->last > first ? filler->last : first;
    struct ledger_value beyond = ledger_int(before);
    filler->moment = values_moment(filler->server->values);
    err error = ledger_page(engine_ledger(filler->server->engine), LEDGER_IDENTIFIERS, &beyond,
                            false, ROWS_AT_ONCE, fill_row, filler, &problem);
    arena_reset(&filler->arena);
    if (error != ERR_OK)
        log_line(LOG_WARN, "shown_values_not_read", "reason=\"%s\"", problem.detail);
    return error == ERR_OK && filler->last != before;
}

/* What was erased is not shown any more, and so has no place in RAM either. */
static void forget_erased(struct filler *filler)
{
    struct server *server = filler->server;
    uint32_t rows[ROWS_AT_ONCE];
    size_t count;
    bool all;
    do {
        count = engine_take_forgotten(server->engine, rows, ROWS_AT_ONCE, &all);
        if (all)
            values_forget_all(server->values);
        values_forget(server->values, rows, count);
    } while (count == ROWS_AT_ONCE);
}

/* False: it is time to end. */
static bool rest(struct filler *filler, int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + us % 1000000 * 1000;
    until.tv_sec += (time_t)(us / 1000000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int waited = 0;
    pthread_mutex_lock(&filler->mutex);
    while (!filler->stopping && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&filler->wake, &filler->mutex, &until);
    bool goes_on = !filler->stopping;
    pthread_mutex_unlock(&filler->mutex);
    return goes_on;
}

static void *run(void *context)
{
    struct filler *filler = context;
    bool goes_on = true;
    pthread_setname_np(pthread_self(), "kith-fill");
    while (goes_on) {
        steady_ns start = steady_now();
        forget_erased(filler);
        bool more = fill_some(filler);
        goes_on = rest(filler, more ? REST_TIMES * steady_since_us(start) : LOOK_EVERY_US);
    }
    return NULL;
}

err filler_start(struct server *server)
{
    pthread_condattr_t monotonic;
    struct filler *filler = memory_alloc(sizeof(*filler));
    if (filler == NULL)
        return ERR_NOMEM;
    filler->server = server;
    arena_init(&filler->arena, "shown values", ARENA_BYTES_MAX);
    pthread_mutex_init(&filler->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&filler->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    server->filler = filler;
    filler->runs = pthread_create(&filler->thread, NULL, run, filler) == 0;
    return filler->runs ? ERR_OK : ERR_NOMEM;
}

void filler_stop(struct server *server)
{
    struct filler *filler = server->filler;
    server->filler = NULL;
    if (filler == NULL)
        return;
    pthread_mutex_lock(&filler->mutex);
    filler->stopping = true;
    pthread_cond_signal(&filler->wake);
    pthread_mutex_unlock(&filler->mutex);
    if (filler->runs)
        pthread_join(filler->thread, NULL);
    pthread_cond_destroy(&filler->wake);
    pthread_mutex_destroy(&filler->mutex);
    arena_deinit(&filler->arena);
    memory_free(filler);
}
