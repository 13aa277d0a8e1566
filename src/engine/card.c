/* SPDX-License-Identifier: Apache-2.0 */
/* card: role, how far it is, and whether it is ready; see card.h. */
#include "engine/card.h"

#include <stdio.h>

#include "engine/state.h"

void card_open(struct engine *engine, bool is_open)
{
    pthread_mutex_lock(&engine->card_mutex);
    engine->card_is_open = is_open;
    pthread_mutex_unlock(&engine->card_mutex);
}

void card_become(struct engine *engine, const struct engine_config *config)
{
    pthread_mutex_lock(&engine->card_mutex);
    engine->config.follows = config->follows;
    engine->config.role = config->role;
    pthread_mutex_unlock(&engine->card_mutex);
}

/* The folder is open and the state is not, or no longer. */
static void write_closed(const struct engine *engine, struct log_card *card)
{
    bool is_stopping = atomic_load(&engine->stopping);
    snprintf(card->reason, sizeof card->reason, "%s", is_stopping ? "stopping" : "loading");
}

static void write_open(struct engine *engine, struct log_card *card)
{
    struct engine_status status;
    engine_status(engine, &status);
    card->applied_seq = status.applied_seq;
    card->lag_records = (int64_t)status.lag_records;
    card->is_ready = status.failing[0] == '\0' && !status.ledger_failing &&
                     !(engine->config.follows && status.lag_records > ENGINE_BEHIND_RECORDS_MAX);
    const char *reason = status.failing[0] != '\0' ? status.failing
                         : status.ledger_failing   ? "the ledger does not commit"
                         : card->is_ready          ? ""
                                                   : "far behind the active server";
    snprintf(card->reason, sizeof card->reason, "%s", reason);
}

void card_write(void *context, struct log_card *card)
{
    struct engine *engine = context;
    const struct engine_config *config = &engine->config;
    *card = (struct log_card){ .started_ms = engine->opened_ms };
    pthread_mutex_lock(&engine->card_mutex);
    const char *role = config->role != NULL ? config->role
                       : config->follows    ? "follower"
                                            : "active";
    snprintf(card->role, sizeof card->role, "%s", role);
    snprintf(card->version, sizeof card->version, "%s",
             config->version != NULL ? config->version : "");
    if (engine->card_is_open)
        write_open(engine, card);
    else
        write_closed(engine, card);
    pthread_mutex_unlock(&engine->card_mutex);
}
