/* SPDX-License-Identifier: Apache-2.0 */
/* act_results: what channels, or the house itself, say came of a message, kept until the teller has told it to the log. */
#include <string.h>

#include "base/logline.h"
#include "engine/act/act_inside.h"
#include "engine/act/act_tell.h"
#include "engine/state.h"

#define RESULTS_AT_ONCE 1000
#define RESULTS_BYTES_MAX ((size_t)4 << 20)

/* ---- results ---- */

static str copy_text(char **at, str text)
{
    char *start = *at;
    if (text.size > 0)
        memcpy(start, text.data, text.size);
    *at += text.size;
    return str_from_bytes(start, text.size);
}

void act_keep_result(struct act *act, const struct channel_result *result, bool is_points,
                     str content)
{
    size_t size = result->provider_id.size + result->code.size + result->reason.size +
                  result->detail.size + result->response.size + content.size;
    struct act_result *kept = memory_alloc(sizeof *kept + size);
    if (kept == NULL) {
        /* It stays `sending`, and is asked for or repeated by its key after the next start. */
        log_line(LOG_ERROR, "touch_result_lost", "touch=%llu", (unsigned long long)result->touch);
        return;
    }
    char *at = (char *)(kept + 1);
    *kept = (struct act_result){ .touch = result->touch,
                                 .outcome = result->outcome,
                                 .retry_ms = result->retry_ms,
                                 .at_ms = result->at_ms != 0 ? result->at_ms : act_now_ms(act),
                                 .is_points = is_points };
    kept->provider_id = copy_text(&at, result->provider_id);
    kept->code = copy_text(&at, result->code);
    kept->reason = copy_text(&at, result->reason);
    kept->detail = copy_text(&at, result->detail);
    kept->response = copy_text(&at, result->response);
    kept->content = copy_text(&at, content);
    pthread_mutex_lock(&act->mutex);
    *act->results_last = kept;
    act->results_last = &kept->next;
    if (act->result_count++ == 0)
        pthread_cond_broadcast(&act->changed);
    pthread_mutex_unlock(&act->mutex);
}

void act_channel_done(void *context, const struct channel_result *result)
{
    act_keep_result(context, result, false, STR_NONE);
}

void act_channel_receipts(void *context, str account, str receipts)
{
    struct act *act = context;
    struct problem problem = { .error = ERR_OK };
    if (engine_touch_receipts(act->engine, account, receipts, &problem) != ERR_OK)
        log_line(LOG_WARN, "touch_receipts_refused", "reason=\"%s\"", problem.detail);
}

/* ---- the teller's thread ---- */

/* Waits for results; NULL: it is the end. */
static struct act_result *take_results(struct act *act)
{
    pthread_mutex_lock(&act->mutex);
    while (act->results == NULL && !act->draining)
        pthread_cond_wait(&act->changed, &act->mutex);
    struct act_result *first = act->results, **end = &first;
    size_t count = 0, bytes = 0;
    for (; *end != NULL && count < RESULTS_AT_ONCE && bytes < RESULTS_BYTES_MAX; count++) {
        bytes += (*end)->response.size + (*end)->detail.size + 300;
        end = &(*end)->next;
    }
    act->results = *end;
    *end = NULL;
    act->result_count -= count;
    if (act->results == NULL)
        act->results_last = &act->results;
    pthread_mutex_unlock(&act->mutex);
    return first;
}

void *act_tell_loop(void *context)
{
    struct act *act = context;
    pthread_setname_np(pthread_self(), "kith-teller");
    for (struct act_result *results; (results = take_results(act)) != NULL;) {
        size_t count = act_tell_results(act, results);
        atomic_fetch_add(&act->told, count);
        while (results != NULL) {
            struct act_result *next = results->next;
            memory_free(results);
            results = next;
        }
    }
    return NULL;
}
