/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_find: rows by many keys in one round trip. All that is asked is sent at once, in a transaction that sees one state, and the
 * answers are read in the order of the keys.
 *
 *     BEGIN, key, key … key, COMMIT, sync ──▶ ──▶ answers ──▶ take
 *
 * At most KEYS_AT_ONCE are under way: far less than what the sockets hold, so that neither side waits for the other to read. Where there
 * are more, the transaction stays open between the portions.
 */
#include "store/postgres_inside.h"

#define KEYS_AT_ONCE 64
#define BEGIN_WORDS "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

struct finding {
    struct postgres *sql;
    struct postgres_statement *statement;
    const struct ledger_value *keys;
    int width;
    size_t count, next; /* up to next all were asked for */
    sql_taker take;
    void *context;
    bool is_stopped, has_taken;
    err error;
    struct problem *problem;
};

static void note(struct finding *finding, const PGresult *result)
{
    if (finding->error == ERR_OK)
        finding->error = post_failed(finding->sql, result, "read rows", finding->problem);
}

/* The answer to one thing that was sent, and the NULL behind it; NULL: nothing more comes. */
static PGresult *read_answer(struct finding *finding)
{
    PGconn *connection = finding->sql->connection;
    PGresult *answer = PQgetResult(connection), *end;
    if (answer == NULL) {
        note(finding, NULL);
        return NULL;
    }
    if (!post_is_fine(answer))
        note(finding, answer);
    while ((end = PQgetResult(connection)) != NULL)
        PQclear(end);
    return answer;
}

static void take_row(struct finding *finding, PGresult *answer)
{
    struct postgres_statement *statement = finding->statement;
    if (finding->error != ERR_OK || finding->is_stopped || PQntuples(answer) == 0)
        return;
    statement->result = answer;
    statement->row = 0;
    finding->has_taken = true;
    finding->is_stopped = !finding->take(finding->context, &statement->statement);
    statement->result = NULL;
}

static bool send_words(struct finding *finding, const char *words)
{
    return PQsendQueryParams(finding->sql->connection, words, 0, NULL, NULL, NULL, NULL, 1) != 0;
}

static bool send_key(struct finding *finding, size_t place)
{
    struct postgres_statement *statement = finding->statement;
    const struct ledger_value *key = finding->keys + place * (size_t)finding->width;
    for (int i = 0; i < finding->width; i++) {
        err error = post_bind(&statement->statement, i, &key[i]);
        if (error != ERR_OK) {
            finding->error = problem_set(finding->problem, error,
                                         "a value to look up in the ledger cannot be bound");
            return false;
        }
    }
    return PQsendQueryPrepared(finding->sql->connection, statement->name, statement->parameters,
                               statement->values, statement->lengths, statement->formats, 1) != 0;
}

/* One portion there; how many answers are to come. */
static size_t send_portion(struct finding *finding, size_t *last)
{
    size_t sent = 0;
    bool fine = true, is_first = finding->next == 0;
    *last = finding->count - finding->next < KEYS_AT_ONCE ? finding->count
                                                          : finding->next + KEYS_AT_ONCE;
    if (is_first) {
        fine = send_words(finding, BEGIN_WORDS);
        sent += fine;
    }
    for (size_t i = finding->next; fine && i < *last; i++) {
        fine = send_key(finding, i);
        sent += fine;
    }
    if (fine && *last == finding->count) {
        fine = send_words(finding, "COMMIT");
        sent += fine;
    }
    if (!fine)
        note(finding, NULL);
    return sent;
}

/* And its answers back. */
static void read_portion(struct finding *finding, size_t sent, size_t last)
{
    size_t first_key = finding->next == 0 ? 1 : 0, keys = last - finding->next;
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < sent; i++) {
        PGresult *answer = read_answer(finding);
        is_whole = answer != NULL;
        if (is_whole && i >= first_key && i < first_key + keys)
            take_row(finding, answer);
        PQclear(answer);
    }
    PGresult *sync = is_whole ? PQgetResult(finding->sql->connection) : NULL;
    if (sync == NULL || PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
        note(finding, sync);
    PQclear(sync);
}

static void ask_portion(struct finding *finding)
{
    PGconn *connection = finding->sql->connection;
    size_t last;
    if (PQenterPipelineMode(connection) == 0) {
        note(finding, NULL);
        return;
    }
    size_t sent = send_portion(finding, &last);
    if (PQpipelineSync(connection) == 0)
        note(finding, NULL);
    read_portion(finding, sent, last);
    if (PQexitPipelineMode(connection) == 0)
        note(finding, NULL);
    finding->next = last;
}

static void find_all(struct finding *finding)
{
    finding->next = 0;
    finding->error = post_leave_pipeline(finding->sql, finding->problem);
    if (finding->error == ERR_OK)
        finding->error = post_reach(finding->sql, finding->problem);
    if (finding->error == ERR_OK)
        finding->error = post_prepare_now(finding->sql, finding->statement, finding->problem);
    while (finding->error == ERR_OK && !finding->is_stopped && finding->next < finding->count)
        ask_portion(finding);
    if (PQstatus(finding->sql->connection) == CONNECTION_OK &&
        PQtransactionStatus(finding->sql->connection) != PQTRANS_IDLE)
        (void)post_run(finding->sql, "ROLLBACK", "end a read", NULL);
}

err post_find(struct sql *base, struct sql_statement *statement, const struct ledger_value *keys,
              int width, size_t count, sql_taker take, void *context, struct problem *problem)
{
    struct problem unheard = { .error = ERR_OK };
    struct finding finding = { .sql = post(base),
                               .statement = (struct postgres_statement *)statement,
                               .keys = keys,
                               .width = width,
                               .count = count,
                               .take = take,
                               .context = context,
                               .problem = problem != NULL ? problem : &unheard };
    find_all(&finding);
    /* Kept open since long ago, and cut by the other side: once more. */
    if (finding.error == ERR_UNAVAILABLE && !finding.has_taken)
        find_all(&finding);
    return finding.error;
}
