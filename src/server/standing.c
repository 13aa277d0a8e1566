/* SPDX-License-Identifier: Apache-2.0 */
/* What this server is among several at one log. */
#include "server/standing.h"

#include "server/answer.h"

err standing_check(struct request *request, const struct engine_status *status,
                   struct problem *problem)
{
    struct log_standing standing;
    engine_standing(request->server->engine, &standing);
    if (!standing.is_on_server)
        return ERR_OK;
    if (!standing.is_reachable)
        return problem_set(problem, ERR_UNAVAILABLE, "the PostgreSQL server of the log is away");
    if (standing.follows && status->lag_records > ENGINE_BEHIND_RECORDS_MAX)
        return problem_set(problem, ERR_UNAVAILABLE, "%zu records behind the active server",
                           status->lag_records);
    return ERR_OK;
}

const char *server_role_text(enum server_offers offers, bool follows)
{
    static const char *const of_followers[] = {
        [OFFERS_ALL] = "follower",
        [OFFERS_DOORS] = "collect",
        [OFFERS_READS] = "query",
        [OFFERS_NOTHING] = "send",
    };
    return follows ? of_followers[offers] : "active";
}

void standing_members(struct request *request, struct json_writer *writer)
{
    struct log_standing standing;
    engine_standing(request->server->engine, &standing);
    if (!standing.is_on_server)
        return;
    json_member_text(
        writer, STR("role"),
        str_from_c(server_role_text(request->server->config.offers, standing.follows)));
    json_member_int(writer, STR("epoch"), (int64_t)standing.epoch);
    json_member_text(writer, STR("active"), str_from_c(standing.active));
    struct engine_senders senders;
    if (!engine_senders(request->server->engine, &senders))
        return;
    json_put_key(writer, STR("senders"));
    json_begin_object(writer);
    json_member_int(writer, STR("count"), senders.senders);
    json_member_int(writer, STR("accounts"), senders.accounts);
    json_member_int(writer, STR("unserved"), senders.unserved);
    json_member_int(writer, STR("waiting"), senders.waiting);
    json_member_int(writer, STR("claimed"), senders.claimed);
    json_end_object(writer);
}

static void gauge(struct buffer *out, const char *name, const char *help, int64_t value)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name, help, name, name,
                  (long long)value);
}

void standing_metrics(struct request *request)
{
    struct log_standing standing;
    struct buffer *out = &request->out;
    engine_standing(request->server->engine, &standing);
    if (!standing.is_on_server)
        return;
    gauge(out, "kith_log_active", "1 while this server writes the log", !standing.follows);
    gauge(out, "kith_log_epoch", "number of the lease that counts", (int64_t)standing.epoch);
    gauge(out, "kith_log_lease_left_ms", "of the lease, as far as is known",
          standing.lease_left_ms);
    gauge(out, "kith_log_server_reachable", "1 when the log's PostgreSQL server answered last",
          standing.is_reachable);
    gauge(out, "kith_log_inbox_rows", "handed over by followers and not yet in the log",
          standing.inbox_rows);
    struct engine_senders senders;
    if (!engine_senders(request->server->engine, &senders))
        return;
    gauge(out, "kith_senders", "servers that send and live", senders.senders);
    gauge(out, "kith_sender_accounts", "accounts whose messages leave by senders",
          senders.accounts);
    gauge(out, "kith_sender_accounts_unserved", "of them, those that nobody sends for",
          senders.unserved);
    gauge(out, "kith_outbox_waiting", "messages that no sender has yet", senders.waiting);
    gauge(out, "kith_outbox_claimed", "messages that a sender has", senders.claimed);
}
