/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox of who holds the lease: tables, putting messages in, taking what came of them. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "log/outbox_parts.h"

/* Two servers may come at once: the second waits, and finds everything there. */
static const char TABLES[] =
    "BEGIN;"
    "SELECT pg_advisory_xact_lock(1263095881);"
    "CREATE TABLE IF NOT EXISTS kith_outbox (id BIGSERIAL PRIMARY KEY, touch BIGINT NOT NULL UNIQUE,"
    " account TEXT NOT NULL, epoch BIGINT NOT NULL, put BIGINT NOT NULL, message TEXT NOT NULL,"
    " sender TEXT NOT NULL DEFAULT '', repeat BOOLEAN NOT NULL DEFAULT false,"
    " stopped BOOLEAN NOT NULL DEFAULT false, result TEXT);"
    "CREATE INDEX IF NOT EXISTS kith_outbox_due ON kith_outbox (account, id) WHERE result IS NULL;"
    "CREATE INDEX IF NOT EXISTS kith_outbox_answered ON kith_outbox (id) WHERE result IS NOT NULL;"
    "CREATE TABLE IF NOT EXISTS kith_outbox_account (account TEXT PRIMARY KEY, card TEXT NOT NULL,"
    " version BIGINT NOT NULL DEFAULT 1, day_ms BIGINT NOT NULL DEFAULT 0,"
    " used BIGINT NOT NULL DEFAULT 0, sender TEXT NOT NULL DEFAULT '',"
    " until TIMESTAMPTZ NOT NULL DEFAULT '-infinity');"
    "CREATE TABLE IF NOT EXISTS kith_outbox_sender (id TEXT PRIMARY KEY, address TEXT NOT NULL,"
    " until TIMESTAMPTZ NOT NULL);"
    "COMMIT;";

/* O2: without such a row this divides by zero, and nothing of the statement happens. Used as `ours.one = 1`. */
#define OURS                                                                                 \
    "(SELECT 1 / count(*) AS one FROM (SELECT 1 FROM kith_lease WHERE id=1 AND epoch=$1 FOR" \
    " SHARE) held) ours"

/* ---- opening ---- */

static err make_tables(struct outbox *outbox, struct problem *problem)
{
    PGresult *result = NULL;
    err error =
        link_ask(&outbox->link, "SELECT (to_regclass('kith_outbox_sender') IS NOT NULL)::int", NULL,
                 0, false, &result, problem);
    bool are_there = error == ERR_OK && link_number(result, 0, 0) != 0;
    PQclear(result);
    if (error == ERR_OK && !are_there)
        error = link_run(&outbox->link, TABLES, "make the tables of the outbox", problem);
    return error;
}

err outbox_open(struct outbox **out, const char *address, struct problem *problem)
{
    struct outbox *outbox = memory_alloc(sizeof *outbox);
    if (outbox == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the outbox");
    err error = link_open(&outbox->link, address, problem);
    if (error == ERR_OK)
        error = make_tables(outbox, problem);
    if (error != ERR_OK) {
        outbox_close(&outbox);
        return error;
    }
    *out = outbox;
    return ERR_OK;
}

void outbox_close(struct outbox **taken)
{
    struct outbox *outbox = *taken;
    *taken = NULL;
    if (outbox == NULL)
        return;
    link_close(&outbox->link);
    memory_free(outbox);
}

/* ---- messages ---- */

err outbox_put(struct outbox *outbox, uint64_t epoch, uint64_t number, str messages,
               struct problem *problem)
{
    static const char TEXT[] =
        "INSERT INTO kith_outbox AS o (touch, account, epoch, put, message)"
        " SELECT m.t, m.a, $1::bigint, $2::bigint, m.m"
        " FROM json_to_recordset($3::json) AS m(t bigint, a text, m text), " OURS
        " WHERE ours.one = 1 ON CONFLICT (touch) DO UPDATE SET id=nextval('kith_outbox_id_seq'),"
        " account=EXCLUDED.account, epoch=EXCLUDED.epoch, put=EXCLUDED.put,"
        " message=EXCLUDED.message, repeat=o.sender<>'' AND o.result IS NULL, sender='',"
        " stopped=false, result=NULL WHERE o.put<>EXCLUDED.put";
    char ours[24], put[24];
    struct link_value values[] = { link_int(ours, (int64_t)epoch),
                                   link_int(put, (int64_t)number),
                                   { .data = messages.data, .size = (int)messages.size } };
    return outbox_do(outbox, TEXT, values, 3, problem);
}

/* Columns id, touch, account, text, was_claimed; the last two may be missing. */
static err visit_rows(struct outbox *outbox, const char *text, const struct link_value *values,
                      int count, outbox_visit visit, void *context, struct problem *problem)
{
    PGresult *result;
    err error = outbox_ask(outbox, text, values, count, &result, problem);
    for (int i = 0; error == ERR_OK && i < PQntuples(result); i++) {
        struct outbox_row row = { .id = (uint64_t)link_number(result, i, 0),
                                  .touch = (uint64_t)link_number(result, i, 1),
                                  .account = outbox_text(result, i, 2) };
        if (PQnfields(result) > 3)
            row.text = outbox_text(result, i, 3);
        if (PQnfields(result) > 4)
            row.was_claimed = PQgetvalue(result, i, 4)[0] == 't';
        visit(context, &row);
    }
    PQclear(result);
    return error;
}

err outbox_results(struct outbox *outbox, size_t limit, outbox_visit visit, void *context,
                   struct problem *problem)
{
    char most[24];
    struct link_value value = link_int(most, (int64_t)limit);
    return visit_rows(outbox,
                      "SELECT id, touch, account, result FROM kith_outbox"
                      " WHERE result IS NOT NULL ORDER BY id LIMIT $1::bigint",
                      &value, 1, visit, context, problem);
}

static err change(struct outbox *outbox, const char *text, uint64_t epoch, const char *numbers,
                  struct problem *problem)
{
    char ours[24];
    struct link_value values[] = { link_int(ours, (int64_t)epoch), { .data = numbers } };
    return outbox_do(outbox, text, values, numbers != NULL ? 2 : 1, problem);
}

err outbox_forget(struct outbox *outbox, uint64_t epoch, const char *ids, struct problem *problem)
{
    return change(outbox,
                  "DELETE FROM kith_outbox USING " OURS
                  " WHERE ours.one = 1 AND id = ANY($2::bigint[])",
                  epoch, ids, problem);
}

err outbox_rows(struct outbox *outbox, outbox_visit visit, void *context, struct problem *problem)
{
    return visit_rows(outbox, "SELECT id, touch, account FROM kith_outbox ORDER BY touch", NULL, 0,
                      visit, context, problem);
}

err outbox_adopt(struct outbox *outbox, uint64_t epoch, const char *gone, struct problem *problem)
{
    err error = change(outbox,
                       "DELETE FROM kith_outbox USING " OURS
                       " WHERE ours.one = 1 AND touch = ANY($2::bigint[])",
                       epoch, gone, problem);
    if (error == ERR_OK)
        error =
            change(outbox,
                   "UPDATE kith_outbox SET epoch=$1 FROM " OURS " WHERE ours.one = 1 AND epoch<>$1",
                   epoch, NULL, problem);
    return error;
}

/* ---- stopping ---- */

err outbox_waiting(struct outbox *outbox, outbox_visit visit, void *context,
                   struct problem *problem)
{
    return visit_rows(outbox,
                      "SELECT id, touch, account FROM kith_outbox"
                      " WHERE result IS NULL AND NOT stopped",
                      NULL, 0, visit, context, problem);
}

err outbox_stop(struct outbox *outbox, uint64_t epoch, const char *touches, struct problem *problem)
{
    return change(outbox,
                  "UPDATE kith_outbox SET stopped=true FROM " OURS
                  " WHERE ours.one = 1 AND touch = ANY($2::bigint[]) AND result IS NULL",
                  epoch, touches, problem);
}

err outbox_abandoned(struct outbox *outbox, uint64_t epoch, outbox_visit visit, void *context,
                     struct problem *problem)
{
    static const char TEXT[] =
        "DELETE FROM kith_outbox o USING " OURS
        " WHERE ours.one = 1 AND o.result IS NULL AND (o.stopped OR NOT EXISTS"
        " (SELECT 1 FROM kith_outbox_account a WHERE a.account=o.account)) AND NOT EXISTS"
        " (SELECT 1 FROM kith_outbox_sender s WHERE s.id=o.sender AND s.until > clock_timestamp())"
        " RETURNING o.id, o.touch, o.account, '', o.sender<>''";
    char ours[24];
    struct link_value value = link_int(ours, (int64_t)epoch);
    return visit_rows(outbox, TEXT, &value, 1, visit, context, problem);
}

/* ---- accounts ---- */

err outbox_put_accounts(struct outbox *outbox, uint64_t epoch, str accounts,
                        struct problem *problem)
{
    static const char PUT[] =
        "INSERT INTO kith_outbox_account AS k (account, card) SELECT m.a, m.c"
        " FROM json_to_recordset($2::json) AS m(a text, c text), " OURS
        " WHERE ours.one = 1 ON CONFLICT (account) DO UPDATE SET card=EXCLUDED.card,"
        " version=k.version + 1 WHERE k.card<>EXCLUDED.card";
    static const char REMOVE[] =
        "DELETE FROM kith_outbox_account USING " OURS " WHERE ours.one = 1 AND account NOT IN"
        " (SELECT a FROM json_to_recordset($2::json) AS m(a text))";
    char ours[24];
    struct link_value values[] = { link_int(ours, (int64_t)epoch),
                                   { .data = accounts.data, .size = (int)accounts.size } };
    err error = outbox_do(outbox, PUT, values, 2, problem);
    return error == ERR_OK ? outbox_do(outbox, REMOVE, values, 2, problem) : error;
}

err outbox_used(struct outbox *outbox, uint64_t epoch, str account, int64_t day_ms, int64_t count,
                bool anew, struct problem *problem)
{
    static const char ADD[] =
        "UPDATE kith_outbox_account SET day_ms=$3, used=$4::bigint + CASE"
        " WHEN day_ms=$3 THEN used ELSE 0 END FROM " OURS " WHERE ours.one = 1 AND account=$2";
    static const char SET[] = "UPDATE kith_outbox_account SET day_ms=$3, used=$4 FROM " OURS
                              " WHERE ours.one = 1 AND account=$2";
    char ours[24], day[24], number[24], key[OUTBOX_ACCOUNT_BYTES];
    snprintf(key, sizeof key, STR_FMT, STR_ARG(account));
    struct link_value values[] = { link_int(ours, (int64_t)epoch),
                                   { .data = key },
                                   link_int(day, day_ms),
                                   link_int(number, count) };
    return outbox_do(outbox, anew ? SET : ADD, values, 4, problem);
}

err outbox_clear(struct outbox *outbox, uint64_t epoch, bool accounts_alone,
                 struct problem *problem)
{
    err error = change(outbox, "DELETE FROM kith_outbox_account USING " OURS " WHERE ours.one = 1",
                       epoch, NULL, problem);
    if (error == ERR_OK && !accounts_alone)
        error = change(outbox, "DELETE FROM kith_outbox USING " OURS " WHERE ours.one = 1", epoch,
                       NULL, problem);
    return error;
}

err outbox_count(struct outbox *outbox, struct outbox_counts *counts, struct problem *problem)
{
    static const char TEXT[] =
        "SELECT count(*) FILTER (WHERE result IS NULL AND sender=''),"
        " count(*) FILTER (WHERE result IS NULL AND sender<>''),"
        " count(*) FILTER (WHERE result IS NOT NULL),"
        " (SELECT count(*) FROM kith_outbox_sender WHERE until > clock_timestamp()),"
        " (SELECT count(*) FROM kith_outbox_account),"
        " (SELECT count(*) FROM kith_outbox_account WHERE until < clock_timestamp())"
        " FROM kith_outbox";
    PGresult *result;
    err error = outbox_ask(outbox, TEXT, NULL, 0, &result, problem);
    if (error == ERR_OK)
        *counts = (struct outbox_counts){ .waiting = link_number(result, 0, 0),
                                          .claimed = link_number(result, 0, 1),
                                          .answered = link_number(result, 0, 2),
                                          .senders = link_number(result, 0, 3),
                                          .accounts = link_number(result, 0, 4),
                                          .unserved = link_number(result, 0, 5) };
    PQclear(result);
    return error;
}
