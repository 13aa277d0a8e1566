/* SPDX-License-Identifier: Apache-2.0 */
/* flush_flood: while much comes in, an import mostly, the warehouse does not merge what it will merge again.
 *
 *     calm ── a full batch waits (flood_note_rows) ──▶ flood: merges of many parts at once only
 *       ▲                                                │
 *       └──── few rows waited for FLOOD_CALM_MS ◀────────┘
 *
 * A merge costs as much processor time as the insert, and with ten parts at a time a row of 60 million is merged twice. What was put
 * off is made up for when it is calm, by a process of the lowest priority. Nothing depends on it: a warehouse that is
 * started anew merges as ever until it is told again. */
#include "base/logline.h"
#include "engine/flush/flush_inside.h"
#include "engine/state.h"

#define FLOOD_CALM_MS 5000
/* A warehouse that could not be told is told again. */
#define FLOOD_RETRY_MS 5000

void flood_note_rows(struct flusher *flusher)
{
    if (flusher->waiting_rows >= FLUSH_ROWS_MAX)
        flusher->in_flood = true;
    if (flusher->waiting_rows >= FLUSH_ROWS_MANY)
        flusher->many_waited = flusher->newest;
}

static bool is_flooded(const struct flusher *flusher)
{
    return flusher->in_flood && (flusher->waiting_rows >= FLUSH_ROWS_MANY ||
                                 steady_since_ms(flusher->many_waited) < FLOOD_CALM_MS);
}

bool flood_has_turned(const struct flusher *flusher)
{
    return !flusher->stopping && is_flooded(flusher) != flusher->merges_wait &&
           (flusher->merges_asked.ns == 0 ||
            steady_since_ms(flusher->merges_asked) >= FLOOD_RETRY_MS);
}

void flood_follow(struct flusher *flusher)
{
    struct problem problem = { .error = ERR_OK };
    pthread_mutex_lock(&flusher->mutex);
    bool waits = flusher->in_flood = is_flooded(flusher);
    pthread_mutex_unlock(&flusher->mutex);
    err error = warehouse_put_off_merges(flusher->engine->warehouse, waits, &problem);
    flusher->merges_asked = error == ERR_OK ? (steady_ns){ 0 } : steady_now();
    if (error == ERR_OK || error == ERR_UNSUPPORTED)
        flusher->merges_wait = waits;
    if (error == ERR_OK)
        log_line(LOG_INFO, "warehouse_merges", "put_off=%d", waits);
    else if (error != ERR_UNSUPPORTED)
        log_line(LOG_INFO, "warehouse_merges_unset", "reason=\"%s\"", problem.detail);
}
