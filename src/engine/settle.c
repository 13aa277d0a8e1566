/* SPDX-License-Identifier: Apache-2.0 */
/* settle: after a take-over the ledger on the server is made the same as ours, and goes on there; see take_over.c. */
#include "base/logline.h"
#include "engine/standby.h"
#include "engine/state.h"

#define AGAIN_MS (2 * SECOND_MS)

static void pause_for(const struct engine *engine, int64_t ms)
{
    for (int64_t slept = 0; slept < ms && !atomic_load(&engine->stopping); slept += 20)
        steady_sleep_ms(20);
}

static void *settle(void *context)
{
    struct engine *engine = context;
    struct ledger_config to;
    pthread_setname_np(pthread_self(), "kith-settle");
    while (atomic_load(&engine->settling) && !atomic_load(&engine->stopping)) {
        struct problem problem = { .error = ERR_OK };
        steady_ns start = steady_now();
        engine_ledger_config(engine, &to);
        err error = ledger_move(engine->ledger, &to, &engine->stopping, &problem);
        if (error == ERR_OK) {
            standby_remove(engine);
            atomic_store(&engine->settling, false);
            log_line(LOG_INFO, "ledger_settled", "ms=%lld", (long long)steady_since_ms(start));
        } else if (!atomic_load(&engine->stopping)) {
            log_line(LOG_WARN, "ledger_not_settled", "reason=\"%s\"", problem.detail);
            pause_for(engine, AGAIN_MS);
        }
    }
    return NULL;
}

err settle_start(struct engine *engine, struct problem *problem)
{
    if (pthread_create(&engine->settler, NULL, settle, engine) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    engine->settler_runs = true;
    return ERR_OK;
}

void settle_stop(struct engine *engine)
{
    if (engine->settler_runs)
        pthread_join(engine->settler, NULL);
    engine->settler_runs = false;
}
