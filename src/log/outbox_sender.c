/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox of a sender: which accounts are its own, claiming their messages, saying what came of them. */
#include <stdio.h>

#include "log/outbox_parts.h"

/* The epoch that counts while its lease stands; else no row, and so no number. */
#define STANDING "(SELECT epoch FROM kith_lease WHERE id=1 AND until > clock_timestamp())"
#define UNTIL "clock_timestamp() + $2::bigint * interval '1 ms'"

/* Columns account, version. */
static err visit_accounts(struct outbox *outbox, const char *text, const struct link_value *values,
                          int count, outbox_visit_account visit, void *context,
                          struct problem *problem)
{
    PGresult *result;
    err error = outbox_ask(outbox, text, values, count, &result, problem);
    for (int i = 0; error == ERR_OK && i < PQntuples(result); i++) {
        struct outbox_account account = { .version = (uint64_t)link_number(result, i, 1) };
        snprintf(account.key, sizeof account.key, "%s", PQgetvalue(result, i, 0));
        visit(context, &account);
    }
    PQclear(result);
    return error;
}

err outbox_renew(struct outbox *outbox, const char *sender, const char *address, int64_t lease_ms,
                 struct outbox_look *look, outbox_visit_account visit, void *context,
                 struct problem *problem)
{
    static const char LIVE[] = "INSERT INTO kith_outbox_sender VALUES ($1, $3, " UNTIL
                               ") ON CONFLICT (id) DO UPDATE SET until=EXCLUDED.until";
    static const char LOOK[] =
        "SELECT (SELECT count(*) FROM kith_outbox_sender WHERE until > clock_timestamp()),"
        " (SELECT count(*) FROM kith_outbox_account)";
    static const char RENEW[] =
        "UPDATE kith_outbox_account SET until=" UNTIL " WHERE sender=$1 RETURNING account, version";
    char lease[24];
    struct link_value values[] = { { .data = sender },
                                   link_int(lease, lease_ms),
                                   { .data = address } };
    PGresult *result;
    err error = outbox_do(outbox, LIVE, values, 3, problem);
    if (error == ERR_OK)
        error = visit_accounts(outbox, RENEW, values, 2, visit, context, problem);
    if (error != ERR_OK)
        return error;
    error = outbox_ask(outbox, LOOK, NULL, 0, &result, problem);
    if (error == ERR_OK)
        *look = (struct outbox_look){ .senders = (size_t)link_number(result, 0, 0),
                                      .accounts = (size_t)link_number(result, 0, 1) };
    PQclear(result);
    return error;
}

err outbox_take(struct outbox *outbox, const char *sender, int64_t lease_ms, size_t limit,
                outbox_visit_account visit, void *context, struct problem *problem)
{
    static const char TEXT[] = "UPDATE kith_outbox_account k SET sender=$1, until=" UNTIL
                               " FROM (SELECT account FROM kith_outbox_account"
                               " WHERE until < clock_timestamp() AND sender<>$1 ORDER BY account"
                               " LIMIT $3::bigint FOR UPDATE SKIP LOCKED) free"
                               " WHERE k.account=free.account RETURNING k.account, k.version";
    char lease[24], most[24];
    struct link_value values[] = { { .data = sender },
                                   link_int(lease, lease_ms),
                                   link_int(most, (int64_t)limit) };
    return visit_accounts(outbox, TEXT, values, 3, visit, context, problem);
}

err outbox_card(struct outbox *outbox, const char *account,
                void (*read)(void *context, str card, int64_t day_ms, int64_t used), void *context,
                struct problem *problem)
{
    struct link_value value = { .data = account };
    PGresult *result;
    err error =
        outbox_ask(outbox, "SELECT card, day_ms, used FROM kith_outbox_account WHERE account=$1",
                   &value, 1, &result, problem);
    if (error == ERR_OK && PQntuples(result) == 1)
        read(context, outbox_text(result, 0, 0), link_number(result, 0, 1),
             link_number(result, 0, 2));
    PQclear(result);
    return error;
}

err outbox_release(struct outbox *outbox, const char *sender, const char *account,
                   struct problem *problem)
{
    struct link_value values[] = { { .data = sender }, { .data = account } };
    err error =
        outbox_do(outbox,
                  account != NULL ? "UPDATE kith_outbox_account SET sender='', until='-infinity'"
                                    " WHERE sender=$1 AND account=$2"
                                  : "UPDATE kith_outbox_account SET sender='', until='-infinity'"
                                    " WHERE sender=$1",
                  values, account != NULL ? 2 : 1, problem);
    if (error == ERR_OK && account == NULL)
        error = outbox_do(outbox, "DELETE FROM kith_outbox_sender WHERE id=$1", values, 1, problem);
    return error;
}

err outbox_claim(struct outbox *outbox, const char *sender, const char *account, size_t limit,
                 outbox_visit visit, void *context, struct problem *problem)
{
    static const char TEXT[] =
        "UPDATE kith_outbox o SET sender=$1, repeat=o.repeat OR o.sender<>''"
        " FROM (SELECT id FROM kith_outbox WHERE account=$2 AND result IS NULL AND NOT stopped"
        " AND sender<>$1 AND epoch=" STANDING
        " AND EXISTS (SELECT 1 FROM kith_outbox_account WHERE account=$2 AND sender=$1"
        " AND until > clock_timestamp()) ORDER BY id LIMIT $3::bigint FOR UPDATE SKIP LOCKED) due"
        " WHERE o.id=due.id RETURNING o.id, o.touch, o.account, o.message, o.repeat";
    char most[24];
    struct link_value values[] = { { .data = sender },
                                   { .data = account },
                                   link_int(most, (int64_t)limit) };
    PGresult *result;
    err error = outbox_ask(outbox, TEXT, values, 3, &result, problem);
    for (int i = 0; error == ERR_OK && i < PQntuples(result); i++)
        visit(context, &(struct outbox_row){ .id = (uint64_t)link_number(result, i, 0),
                                             .touch = (uint64_t)link_number(result, i, 1),
                                             .account = outbox_text(result, i, 2),
                                             .text = outbox_text(result, i, 3),
                                             .was_claimed = PQgetvalue(result, i, 4)[0] == 't' });
    PQclear(result);
    return error;
}

err outbox_may_leave(struct outbox *outbox, const char *sender, outbox_visit visit, void *context,
                     struct problem *problem)
{
    struct link_value value = { .data = sender };
    PGresult *result;
    err error = outbox_ask(outbox,
                           "SELECT id, touch FROM kith_outbox WHERE sender=$1 AND result IS NULL"
                           " AND NOT stopped AND epoch=" STANDING,
                           &value, 1, &result, problem);
    for (int i = 0; error == ERR_OK && i < PQntuples(result); i++)
        visit(context, &(struct outbox_row){ .id = (uint64_t)link_number(result, i, 0),
                                             .touch = (uint64_t)link_number(result, i, 1) });
    PQclear(result);
    return error;
}

err outbox_answer(struct outbox *outbox, const char *sender, str results, struct problem *problem)
{
    struct link_value values[] = { { .data = sender },
                                   { .data = results.data, .size = (int)results.size } };
    return outbox_do(outbox,
                     "UPDATE kith_outbox o SET result=r.r FROM json_to_recordset($2::json)"
                     " AS r(i bigint, r text) WHERE o.id=r.i AND o.sender=$1 AND o.result IS NULL",
                     values, 2, problem);
}
