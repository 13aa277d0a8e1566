/* SPDX-License-Identifier: Apache-2.0 */
/* ready: what a rule needs is being read for the first time; see ready.h. */
#include "server/ready.h"

#include "server/answer.h"

#define WAIT_MS_MAX 10000
#define LOOK_MS 3
/* How fast it goes can be told after this. */
#define GUESS_MS 1500
#define RETRY_AFTER_S_MAX 30

struct ready ready_begin(struct request *request)
{
    struct ready ready = { .engine = request->server->engine, .start = steady_now() };
    (void)engine_columns_filling(ready.engine, &ready.share);
    return ready;
}

/* How long the rest takes at the pace so far; -1: nothing can be told. */
static int64_t rest_ms(const struct ready *ready, double *share)
{
    double done = 0;
    int64_t passed_ms = steady_since_ms(ready->start);
    uint32_t columns = engine_columns_filling(ready->engine, share);
    /* More may have been wanted since: then it seems to have gone back. */
    if (columns > 0 && *share > ready->share)
        done = *share - ready->share;
    return done > 0 ? (int64_t)((1 - *share) / done * (double)passed_ms) : -1;
}

bool ready_wait(const struct ready *ready)
{
    double share;
    int64_t passed_ms = steady_since_ms(ready->start);
    if (passed_ms >= WAIT_MS_MAX ||
        (passed_ms >= GUESS_MS && rest_ms(ready, &share) > WAIT_MS_MAX - passed_ms))
        return false;
    steady_sleep_ms(LOOK_MS);
    return true;
}

err ready_refuse(const struct ready *ready, struct request *request, struct problem *problem)
{
    double share;
    int64_t after_s = (rest_ms(ready, &share) + 999) / 1000;
    if (engine_columns_filling(ready->engine, &share) > 0) {
        request->has_progress = true;
        request->progress = (double)(int)(share * 1000) / 1000;
        request->retry_after_s = after_s < 1                   ? 1
                                 : after_s < RETRY_AFTER_S_MAX ? after_s
                                                               : RETRY_AFTER_S_MAX;
        problem_set(problem, ERR_UNAVAILABLE,
                    "what the rule needs is being read for the first time: %d %% of it is there",
                    (int)(share * 100));
    } else {
        problem_set(problem, ERR_UNAVAILABLE,
                    "what the rule needs is being read for the first time");
    }
    return problem_hint(problem, ERR_UNAVAILABLE, "ask again in a few seconds");
}
