/* SPDX-License-Identifier: Apache-2.0 */
/* child_query: statements on their way into chDB.
 *
 * A statement is one of four:
 *   INSERT with data   the body lies in a memory file; chDB reads it with its function file(), so that
 *                      one INSERT becomes one block and nothing starts before the body is complete
 *   KILL QUERY         by our query id: chDB gives out ids of its own, so each text carries a comment
 *                      with a number, by which it is found among the running ones
 *   streamed           SELECT, WITH: pieces are handed on as chDB makes them
 *   whole              the rest, and everything under wait_end_of_query=1
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/child_inside.h"

/* How long KILL … SYNC waits for its query to end, and how often it asks. */
#define KILL_WAIT_MS 30000
#define KILL_AGAIN_MS 100

/* ---- a little SQL ---- */

/* Past white space and comments. */
static str skip_blanks(str sql)
{
    for (;;) {
        sql = str_trim(sql);
        size_t end;
        if (str_starts_with(sql, STR("--"))) {
            end = str_find_byte(sql, '\n');
        } else if (str_starts_with(sql, STR("/*"))) {
            end = 2;
            while (end < sql.size && !str_starts_with(str_slice(sql, end, sql.size), STR("*/")))
                end++;
            end += 2;
        } else {
            return sql;
        }
        sql = str_slice(sql, end, sql.size);
    }
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static str take_word(str *sql)
{
    *sql = skip_blanks(*sql);
    size_t size = 0;
    while (size < sql->size && is_word_byte(sql->data[size]))
        size++;
    str word = str_slice(*sql, 0, size);
    *sql = str_slice(*sql, size, sql->size);
    return word;
}

static bool takes_word(str *sql, str word)
{
    str rest = *sql;
    if (!str_equal_ignoring_case(take_word(&rest), word))
        return false;
    *sql = rest;
    return true;
}

/* "INSERT INTO t (…) FORMAT RowBinary" → "INSERT INTO t (…)" and "RowBinary". */
static bool split_insert(str sql, str *target, str *format)
{
    str rest = sql;
    if (!takes_word(&rest, STR("INSERT")))
        return false;
    sql = str_trim(sql);
    size_t end = sql.size;
    if (end > 0 && sql.data[end - 1] == ';')
        end--;
    size_t begin = end;
    while (begin > 0 && is_word_byte(sql.data[begin - 1]))
        begin--;
    *format = str_slice(sql, begin, end);
    *target = str_trim(str_slice(sql, 0, begin));
    str keyword = str_slice(*target, target->size < 6 ? 0 : target->size - 6, target->size);
    if (format->size == 0 || !str_equal_ignoring_case(keyword, STR("FORMAT")))
        return false;
    *target = str_slice(*target, 0, target->size - 6);
    return true;
}

bool query_takes_data(str sql)
{
    str target, format;
    return split_insert(sql, &target, &format);
}

/* chDB streams these alone. */
static bool is_streamed(str sql)
{
    str word = take_word(&sql);
    return str_equal_ignoring_case(word, STR("SELECT")) ||
           str_equal_ignoring_case(word, STR("WITH"));
}

/* What a GET may do. */
static bool is_reading(str sql)
{
    static const char *const WORDS[] = { "SELECT", "WITH",   "SHOW",   "DESCRIBE",
                                         "DESC",   "EXISTS", "EXPLAIN" };
    str word = take_word(&sql);
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (str_equal_ignoring_case(word, str_from_c(WORDS[i])))
            return true;
    }
    return false;
}

/* KILL QUERY WHERE query_id = 'x' [SYNC|ASYNC] */
static bool parse_kill(str sql, str *query_id, bool *sync)
{
    if (!takes_word(&sql, STR("KILL")) || !takes_word(&sql, STR("QUERY")) ||
        !takes_word(&sql, STR("WHERE")) || !takes_word(&sql, STR("query_id")))
        return false;
    sql = skip_blanks(sql);
    if (!str_starts_with(sql, STR("=")))
        return false;
    sql = skip_blanks(str_slice(sql, 1, sql.size));
    if (!str_starts_with(sql, STR("'")))
        return false;
    sql = str_slice(sql, 1, sql.size);
    size_t end = str_find_byte(sql, '\'');
    *query_id = str_slice(sql, 0, end);
    sql = str_slice(sql, end + 1, sql.size);
    *sync = takes_word(&sql, STR("SYNC"));
    return true;
}

/* ---- life of a query ---- */

void query_init(struct query *query, struct child *child)
{
    memset(query, 0, sizeof(*query));
    query->child = child;
    query->data_fd = -1;
    snprintf(query->format, sizeof(query->format), "TabSeparated");
    buffer_init(&query->sql, CHILD_SQL_BYTES_MAX);
    buffer_init(&query->failure, 1 << 20);
}

static void fail(struct query *query, int code, const char *text, const char *name)
{
    buffer_clear(&query->failure);
    buffer_printf(&query->failure, "Code: %d. DB::Exception: %s. (%s)", code, text, name);
}

static void fail_with(struct query *query, const char *error)
{
    struct clickhouse_exception ignored;
    buffer_clear(&query->failure);
    str text = str_trim(str_from_c(error));
    if (clickhouse_parse_exception(text, &ignored))
        buffer_append_str(&query->failure, text);
    else
        buffer_printf(&query->failure, "Code: 1001. DB::Exception: " STR_FMT ". (STD_EXCEPTION)",
                      STR_ARG(text));
}

static bool was_killed(const struct child *child, str query_id)
{
    for (int i = 0; query_id.size > 0 && i < CHILD_KILLED_MAX; i++) {
        if (str_equal(query_id, str_from_c(child->killed[i])))
            return true;
    }
    return false;
}

/* False when it was killed before it began. */
static bool enter(struct query *query)
{
    struct child *child = query->child;
    struct running *running = &query->running;
    memcpy(running->query_id, query->query_id, sizeof(running->query_id));
    pthread_mutex_lock(&child->mutex);
    bool killed = was_killed(child, str_from_c(query->query_id));
    if (!killed) {
        running->number = ++child->next_number;
        running->next = child->running;
        child->running = running;
    }
    pthread_mutex_unlock(&child->mutex);
    if (killed)
        fail(query, CLICKHOUSE_CANCELLED, "the query was killed before it began",
             "QUERY_WAS_CANCELLED");
    return !killed;
}

static void leave(struct query *query)
{
    struct child *child = query->child;
    pthread_mutex_lock(&child->mutex);
    for (struct running **at = &child->running; *at != NULL; at = &(*at)->next) {
        if (*at == &query->running) {
            *at = query->running.next;
            break;
        }
    }
    pthread_cond_broadcast(&child->ended);
    pthread_mutex_unlock(&child->mutex);
}

/* A query that failed, or was killed, keeps its place in chDB's list until its connection has run
 * another; closing would wait for it. */
static void refresh(struct query *query)
{
    const struct chdb *chdb = &query->child->chdb;
    struct chdb_result *result =
        chdb->chdb_query_with_params(*query->connection, "SELECT 1", "Null", NULL, NULL, 0);
    if (result != NULL)
        chdb->chdb_destroy_query_result(result);
}

static void release(struct query *query)
{
    const struct chdb *chdb = &query->child->chdb;
    if (query->piece != NULL) {
        /* Still running: the reader has gone. */
        chdb->chdb_destroy_query_result(query->piece);
        chdb->chdb_stream_cancel_query(*query->connection, query->result);
        query->piece = NULL;
    }
    if (query->result != NULL)
        chdb->chdb_destroy_query_result(query->result);
    query->result = NULL;
    if (query->connection != NULL) {
        if (query->failure.size > 0)
            refresh(query);
        leave(query);
        chdb_pool_give(&query->child->pool, query->connection);
    }
    query->connection = NULL;
}

void query_deinit(struct query *query)
{
    release(query);
    for (int i = 0; i < query->parameter_count; i++) {
        memory_free(query->parameter_names[i]);
        memory_free(query->parameter_values[i]);
    }
    if (query->data_fd >= 0)
        close(query->data_fd);
    buffer_deinit(&query->sql);
    buffer_deinit(&query->failure);
}

/* ---- running ---- */

static struct chdb_result *whole(struct query *query, const char *sql)
{
    return query->child->chdb.chdb_query_with_params(
        *query->connection, sql, query->format, (const char *const *)query->parameter_names,
        (const char *const *)query->parameter_values, (size_t)query->parameter_count);
}

/* Take the outcome of `result` over; an answer that failed is not kept. */
static void keep(struct query *query, struct chdb_result *result)
{
    const struct chdb *chdb = &query->child->chdb;
    query->result = result;
    if (result == NULL) {
        fail(query, 1000, "chDB gave no result", "UNKNOWN");
        return;
    }
    const char *error = chdb->chdb_result_error(result);
    if (error != NULL)
        fail_with(query, error);
}

/* The next piece of the stream; at its end, or on a failure, `piece` becomes NULL. */
static void fetch(struct query *query)
{
    const struct chdb *chdb = &query->child->chdb;
    if (query->piece != NULL)
        chdb->chdb_destroy_query_result(query->piece);
    query->sent = 0;
    query->piece = chdb->chdb_stream_fetch_result(*query->connection, query->result);
    if (query->piece == NULL)
        return;
    const char *error = chdb->chdb_result_error(query->piece);
    if (error != NULL)
        fail_with(query, error);
    if (error != NULL || chdb->chdb_result_length(query->piece) == 0) {
        chdb->chdb_destroy_query_result(query->piece);
        query->piece = NULL;
    }
}

static void run_streamed(struct query *query, const char *sql)
{
    query->streamed = true;
    keep(query,
         query->child->chdb.chdb_stream_query_with_params(
             *query->connection, sql, query->format, (const char *const *)query->parameter_names,
             (const char *const *)query->parameter_values, (size_t)query->parameter_count));
    /* An error at the start comes with the first piece: it is known before any status is sent. */
    if (query->failure.size == 0)
        fetch(query);
}

/* One block: squashed by rows alone, read by one thread. */
static void run_insert(struct query *query, str target, str format)
{
    struct buffer sql;
    buffer_init(&sql, CHILD_SQL_BYTES_MAX);
    buffer_printf(&sql, "/* kith:%llu */ ", (unsigned long long)query->running.number);
    buffer_append_str(&sql, target);
    buffer_printf(&sql,
                  " SELECT * FROM file('/proc/self/fd/%d', '" STR_FMT "') SETTINGS "
                  "use_structure_from_insertion_table_in_table_functions=1, max_insert_threads=1, "
                  "max_threads=1, min_insert_block_size_bytes=0, "
                  "min_insert_block_size_rows=1048449",
                  query->data_fd, STR_ARG(format));
    buffer_append_byte(&sql, 0);
    lseek(query->data_fd, 0, SEEK_SET);
    if (sql.failed)
        fail(query, 1000, "the statement is too long", "UNKNOWN");
    else
        keep(query, whole(query, sql.data));
    buffer_deinit(&sql);
}

static uint64_t number_of(struct child *child, str query_id)
{
    for (struct running *running = child->running; running != NULL; running = running->next) {
        if (str_equal(query_id, str_from_c(running->query_id)))
            return running->number;
    }
    return 0;
}

/* False: chDB could not be asked. */
static bool ask_to_end(struct child *child, uint64_t number)
{
    char sql[160];
    snprintf(sql, sizeof(sql), "KILL QUERY WHERE startsWith(query, '/* kith:%llu */') ASYNC",
             (unsigned long long)number);
    pthread_mutex_lock(&child->control_mutex);
    struct chdb_result *result =
        child->chdb.chdb_query_with_params(*child->control, sql, "Null", NULL, NULL, 0);
    bool asked = result != NULL && child->chdb.chdb_result_error(result) == NULL;
    if (result != NULL)
        child->chdb.chdb_destroy_query_result(result);
    pthread_mutex_unlock(&child->control_mutex);
    return asked;
}

/* It has ended when its own thread has left the list: then nothing of it can come any more. A query that
 * was only entered may not have begun when it is asked to end, so it is asked again. */
static void run_kill(struct query *query, str query_id, bool sync)
{
    struct child *child = query->child;
    steady_ns start = steady_now();
    pthread_mutex_lock(&child->mutex);
    if (query_id.size > 0 && query_id.size < CHILD_QUERY_ID_BYTES) {
        snprintf(child->killed[child->killed_next], CHILD_QUERY_ID_BYTES, STR_FMT,
                 STR_ARG(query_id));
        child->killed_next = (child->killed_next + 1) % CHILD_KILLED_MAX;
    }
    uint64_t number = query_id.size > 0 ? number_of(child, query_id) : 0;
    while (number != 0 && number_of(child, query_id) == number) {
        pthread_mutex_unlock(&child->mutex);
        bool asked = ask_to_end(child, number);
        pthread_mutex_lock(&child->mutex);
        if (!sync || !asked || steady_since_ms(start) > KILL_WAIT_MS)
            break;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += KILL_AGAIN_MS * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&child->ended, &child->mutex, &until);
    }
    if (sync && number != 0 && number_of(child, query_id) == number)
        fail(query, CLICKHOUSE_TIMEOUT, "the killed query still runs", "TIMEOUT_EXCEEDED");
    pthread_mutex_unlock(&child->mutex);
}

static void run_other(struct query *query)
{
    struct buffer sql;
    buffer_init(&sql, CHILD_SQL_BYTES_MAX + 64);
    buffer_printf(&sql, "/* kith:%llu */ ", (unsigned long long)query->running.number);
    buffer_append_str(&sql, buffer_str(&query->sql));
    buffer_append_byte(&sql, 0);
    bool streamed = is_streamed(buffer_str(&query->sql));
    if (sql.failed)
        fail(query, 1000, "the statement is too long", "UNKNOWN");
    else if (query->read_only && !is_reading(buffer_str(&query->sql)))
        fail(query, 164, "a GET may only read; use POST", "READONLY");
    else if (streamed && !query->whole)
        run_streamed(query, sql.data);
    else
        keep(query, whole(query, sql.data));
    buffer_deinit(&sql);
}

void query_run(struct query *query)
{
    str sql = buffer_str(&query->sql);
    if (query->sql.failed) {
        fail(query, CLICKHOUSE_SYNTAX, "the statement is longer than 16 MB", "SYNTAX_ERROR");
        return;
    }
    if (memchr(sql.data != NULL ? sql.data : "", 0, sql.size) != NULL ||
        skip_blanks(sql).size == 0) {
        fail(query, CLICKHOUSE_SYNTAX, "the statement is empty, or has a zero byte",
             "SYNTAX_ERROR");
        return;
    }
    str target, format, query_id;
    bool sync = false;
    if (parse_kill(sql, &query_id, &sync)) {
        run_kill(query, query_id, sync);
        return;
    }
    query->connection = chdb_pool_take(&query->child->pool);
    if (query->connection == NULL) {
        fail(query, CLICKHOUSE_TOO_MANY_QUERIES, "chDB gives no further connection",
             "TOO_MANY_SIMULTANEOUS_QUERIES");
        return;
    }
    if (!enter(query)) {
        chdb_pool_give(&query->child->pool, query->connection);
        query->connection = NULL;
        return;
    }
    if (query->data_fd >= 0 && split_insert(sql, &target, &format))
        run_insert(query, target, format);
    else
        run_other(query);
    if (query->failure.size > 0)
        release(query);
}

static size_t copy_out(struct query *query, struct chdb_result *result, char *out, size_t room)
{
    const struct chdb *chdb = &query->child->chdb;
    size_t left = chdb->chdb_result_length(result) - query->sent;
    size_t size = left < room ? left : room;
    if (size > 0)
        memcpy(out, chdb->chdb_result_buffer(result) + query->sent, size);
    query->sent += size;
    return size;
}

size_t query_read(struct query *query, char *out, size_t room)
{
    if (query->result == NULL)
        return 0;
    if (!query->streamed)
        return copy_out(query, query->result, out, room);
    if (query->piece != NULL && query->sent == query->child->chdb.chdb_result_length(query->piece))
        fetch(query);
    return query->piece != NULL ? copy_out(query, query->piece, out, room) : 0;
}
