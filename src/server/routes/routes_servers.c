/* SPDX-License-Identifier: Apache-2.0 */
/* All servers at the log, as each said last: who is active, who follows how far behind, who is not ready and why, who is gone. */
#include <stdio.h>

#include "server/answer.h"
#include "server/standing.h"

/* Each says every second that it lives; who is silent for so long is gone, or cut off. */
#define GONE_MS 10000

struct listing {
    struct json_writer *writer;
    int64_t now_ms;
};

static str state_of(const struct log_peer *peer)
{
    return peer->has_left ? STR("left") : peer->silent_ms > GONE_MS ? STR("gone") : STR("up");
}

static void write_peer(void *context, const struct log_peer *peer)
{
    struct listing *listing = context;
    struct json_writer *writer = listing->writer;
    bool is_up = str_equal(state_of(peer), STR("up"));
    json_begin_object(writer);
    json_member_text(writer, STR("id"), str_from_c(peer->id));
    json_member_text(writer, STR("address"), str_from_c(peer->address));
    json_member_text(writer, STR("role"), str_from_c(peer->card.role));
    json_member_text(writer, STR("version"), str_from_c(peer->card.version));
    json_member_text(writer, STR("state"), state_of(peer));
    json_member_bool(writer, STR("ready"), is_up && peer->card.is_ready);
    member_text_or_null(writer, STR("reason"), is_up ? str_from_c(peer->card.reason) : STR_NONE);
    json_member_int(writer, STR("epoch"), (int64_t)peer->epoch);
    json_member_int(writer, STR("applied_seq"), (int64_t)peer->card.applied_seq);
    json_member_int(writer, STR("lag"), peer->card.lag_records);
    json_member_time(writer, STR("started_at"), peer->card.started_ms);
    json_member_time(writer, STR("seen_at"), listing->now_ms - peer->silent_ms);
    json_member_bool(writer, STR("this"), peer->is_this);
    json_end_object(writer);
}

/* Of a log that is a file: nobody else is at it. */
static void write_alone(struct request *request, struct listing *listing)
{
    struct engine_status status;
    struct log_peer peer = { .is_this = true };
    engine_status(request->server->engine, &status);
    peer.card = (struct log_card){ .is_ready = status.failing[0] == '\0' && !status.ledger_failing,
                                   .applied_seq = status.applied_seq,
                                   .lag_records = (int64_t)status.lag_records,
                                   .started_ms = request->server->started_ms };
    snprintf(peer.card.role, sizeof peer.card.role, "%s", server_role_text(OFFERS_ALL, false));
    snprintf(peer.card.version, sizeof peer.card.version, "%s", request->server->config.version);
    snprintf(peer.card.reason, sizeof peer.card.reason, "%s", status.failing);
    write_peer(listing, &peer);
}

err route_server_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct listing listing = { .writer = &writer, .now_ms = server_now_ms(request->server) };
    struct log_standing standing;
    err error = ERR_OK;
    answer_list_begin(request, &writer);
    engine_standing(request->server->engine, &standing);
    if (standing.is_on_server)
        error = log_peers(engine_log(request->server->engine), write_peer, &listing, problem);
    else
        write_alone(request, &listing);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}
