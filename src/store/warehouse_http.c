/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_http: requests to ClickHouse's HTTP interface, and what their answers mean. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/clickhouse.h"
#include "store/cluster_sql.h"
#include "store/events.h"
#include "store/warehouse_inside.h"

#define CONNECT_TIMEOUT_MS 5000
#define INSERT_TIMEOUT_MS (5 * MINUTE_MS)
#define KILL_TIMEOUT_MS MINUTE_MS
#define FAILURE_BYTES_MAX ((size_t)64 << 10)
#define URL_BYTES_MAX ((size_t)1 << 20)
/* The end of a stream is kept back until it is known to be data: longer than any exception's text. */
#define TAIL_BYTES ((size_t)16 << 10)

/* An answer while it comes. */
struct answer {
    const struct warehouse_call *call;
    long status;
    int code; /* of the header; 0: none */
    char tag[64];
    struct buffer failure; /* body of anything but a 200 */
    struct buffer tail;    /* the newest bytes of a stream, not yet handed on */
    bool stopped;          /* the reader wants no more */
    bool too_large;        /* call->out is full */
};

/* ---- handles ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURL *handle_take(struct warehouse *warehouse)
{
    CURL *curl = NULL;
    pthread_once(&curl_once, start_curl);
    pthread_mutex_lock(&warehouse->mutex);
    if (warehouse->handle_count > 0)
        curl = warehouse->handles[--warehouse->handle_count];
    pthread_mutex_unlock(&warehouse->mutex);
    if (curl == NULL)
        return curl_easy_init();
    curl_easy_reset(curl); /* keeps its connection */
    return curl;
}

static void handle_give(struct warehouse *warehouse, CURL *curl)
{
    pthread_mutex_lock(&warehouse->mutex);
    bool keep = warehouse->handle_count < WAREHOUSE_HANDLES;
    if (keep)
        warehouse->handles[warehouse->handle_count++] = curl;
    pthread_mutex_unlock(&warehouse->mutex);
    if (!keep)
        curl_easy_cleanup(curl);
}

void warehouse_free_handles(struct warehouse *warehouse)
{
    while (warehouse->handle_count > 0)
        curl_easy_cleanup(warehouse->handles[--warehouse->handle_count]);
}

/* ---- what comes back ---- */

static size_t take_header(char *bytes, size_t one, size_t size, void *context)
{
    struct answer *answer = context;
    str line = str_trim((str){ .data = bytes, .size = size * one });
    str value = line, name;
    if (str_starts_with(line, STR("HTTP/"))) {
        answer->status = 0; /* a new answer begins */
    } else if (str_split(&value, ':', &name)) {
        value = str_trim(value);
        int64_t number;
        if (str_equal_ignoring_case(name, STR(CLICKHOUSE_HEADER_CODE)) &&
            str_to_int64(value, &number))
            answer->code = (int)number;
        else if (str_equal_ignoring_case(name, STR(CLICKHOUSE_HEADER_TAG)))
            snprintf(answer->tag, sizeof(answer->tag), STR_FMT, STR_ARG(value));
    }
    return size * one;
}

/* Hand on everything but the last TAIL_BYTES. */
static bool hand_on(struct answer *answer, str bytes)
{
    const struct warehouse_call *call = answer->call;
    struct buffer *tail = &answer->tail;
    if (bytes.size >= TAIL_BYTES) {
        size_t ready = bytes.size - TAIL_BYTES;
        bool more = tail->size == 0 || call->chunk(call->context, buffer_str(tail));
        more = more && (ready == 0 || call->chunk(call->context, str_slice(bytes, 0, ready)));
        buffer_clear(tail);
        buffer_append_str(tail, str_slice(bytes, ready, bytes.size));
        return more;
    }
    if (tail->size + bytes.size > 4 * TAIL_BYTES) {
        size_t ready = tail->size - TAIL_BYTES;
        if (!call->chunk(call->context, str_slice(buffer_str(tail), 0, ready)))
            return false;
        memmove(tail->data, tail->data + ready, TAIL_BYTES);
        tail->size = TAIL_BYTES;
    }
    buffer_append_str(tail, bytes);
    return true;
}

static size_t take_body(char *bytes, size_t one, size_t size, void *context)
{
    struct answer *answer = context;
    const struct warehouse_call *call = answer->call;
    size_t taken = one * size;
    str piece = { .data = bytes, .size = taken };
    if (answer->status != 200) {
        buffer_append_str(&answer->failure,
                          str_slice(piece, 0, FAILURE_BYTES_MAX - answer->failure.size));
        return taken;
    }
    if (call->chunk != NULL) {
        answer->stopped = !hand_on(answer, piece);
        return answer->stopped || answer->tail.failed ? 0 : taken;
    }
    if (call->out == NULL)
        return taken;
    buffer_append_str(call->out, piece);
    answer->too_large = call->out->failed;
    return answer->too_large ? 0 : taken;
}

struct transfer {
    CURL *curl;
    struct answer answer;
};

/* The status is known to curl, not to the callback, before the first byte. */
static size_t take_body_first(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    if (transfer->answer.status == 0)
        curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &transfer->answer.status);
    return take_body(bytes, one, size, &transfer->answer);
}

/* The server's words, for a person: one line, its code kept. */
static err tell(const struct clickhouse_exception *exception, struct problem *problem)
{
    str text = exception->text;
    text = str_slice(text, 0, str_find_byte(text, '\n'));
    text = str_slice(text, 0, str_utf8_prefix_bytes(text, 250));
    return problem_set(problem, clickhouse_error(exception->code),
                       "warehouse: " STR_FMT " (code %d)", STR_ARG(text), exception->code);
}

static err judge_status(const struct answer *answer, struct problem *problem)
{
    struct clickhouse_exception exception = { .code = answer->code };
    str body = str_trim(buffer_str(&answer->failure));
    if (clickhouse_parse_exception(body, &exception))
        return tell(&exception, problem);
    if (answer->code != 0) {
        exception.text = body;
        return tell(&exception, problem);
    }
    err error = answer->status == 507   ? ERR_STORAGE_FULL
                : answer->status == 503 ? ERR_UNAVAILABLE
                                        : ERR_WAREHOUSE;
    return problem_set(problem, error, "warehouse answered %ld: " STR_FMT, answer->status,
                       STR_ARG(str_slice(body, 0, str_utf8_prefix_bytes(body, 200))));
}

static err judge_transfer(CURLcode result, const char *words, struct problem *problem)
{
    switch ((int)result) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return problem_set(problem, ERR_TIMEOUT, "the warehouse did not answer in time");
    case CURLE_OUT_OF_MEMORY:
    case CURLE_ABORTED_BY_CALLBACK:
        return problem_set(problem, ERR_NOMEM, "no memory for a request to the warehouse");
    default:
        return problem_set(problem, ERR_UNAVAILABLE, "the warehouse cannot be reached: %s",
                           words[0] != '\0' ? words : curl_easy_strerror(result));
    }
}

/* An answer of status 200 that ended; `result` says how. The tail of a stream is handed on here. */
static err judge_answer(struct answer *answer, CURLcode result, const char *words,
                        struct problem *problem)
{
    const struct warehouse_call *call = answer->call;
    struct clickhouse_exception exception;
    str tail = call->chunk != NULL ? buffer_str(&answer->tail)
               : call->out != NULL ? buffer_str(call->out)
                                   : STR_NONE;
    if (tail.size > 4 * TAIL_BYTES)
        tail = str_slice(tail, tail.size - 4 * TAIL_BYTES, tail.size);
    size_t data_bytes = tail.size;
    /* Without a tag only a stream can have an exception within: the rest waited for the end. */
    bool look = answer->tag[0] != '\0' || call->chunk != NULL;
    if (look && clickhouse_find_exception(tail, str_from_c(answer->tag), &exception, &data_bytes))
        return tell(&exception, problem);
    err error = judge_transfer(result, words, problem);
    if (error != ERR_OK)
        return error;
    if (call->chunk != NULL && tail.size > 0)
        call->chunk(call->context, tail);
    return ERR_OK;
}

static err judge(struct answer *answer, CURLcode result, const char *words, struct problem *problem)
{
    if (answer->stopped)
        return ERR_OK;
    if (answer->too_large)
        return problem_set(problem, buffer_status(answer->call->out),
                           "the warehouse's answer is longer than %zu bytes",
                           answer->call->out->size_max);
    if (answer->status == 200)
        return judge_answer(answer, result, words, problem);
    if (answer->status != 0 && result == CURLE_OK)
        return judge_status(answer, problem);
    return judge_transfer(result != CURLE_OK ? result : CURLE_GOT_NOTHING, words, problem);
}

/* ---- what goes out ---- */

/* {name:Array(…)} and the like: their texts are read with quotes and escapes of their own. */
static bool is_composite(str sql, const char *name)
{
    static const char *const TYPES[] = { "Array", "Tuple", "Map" };
    char head[80];
    int size = snprintf(head, sizeof(head), "{%s:", name);
    if (size < 0 || (size_t)size >= sizeof(head))
        return false;
    for (size_t at = 0; at + (size_t)size < sql.size; at++) {
        if (memcmp(sql.data + at, head, (size_t)size) != 0)
            continue;
        str type = str_trim(str_slice(sql, at + (size_t)size, sql.size));
        for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
            if (str_starts_with(type, str_from_c(TYPES[i])))
                return true;
        }
    }
    return false;
}

/* A value as ClickHouse reads it: escaped as in TabSeparated, then as part of a URL. */
static void write_value(struct buffer *url, str value)
{
    static const char FROM[] = "\\\t\n\r\b\f";
    static const char TO[] = "\\tnrbf";
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        const char *found = c != '\0' ? strchr(FROM, c) : NULL;
        if (found != NULL) {
            char escaped[2] = { '\\', TO[found - FROM] };
            url_encode(url, (str){ .data = escaped, .size = 2 });
        } else {
            url_encode(url, str_slice(value, i, i + 1));
        }
    }
}

static void write_argument(struct buffer *url, const char *name, str value)
{
    bool first = url->size > 0 && url->data[url->size - 1] == '?';
    buffer_printf(url, "%s%s=", first ? "" : "&", name);
    url_encode(url, value);
}

static const char *base_url(const struct warehouse *warehouse, int shard)
{
    return warehouse->shard_count > 0 ? warehouse->shards[shard].url : warehouse->url;
}

static bool is_modern(const struct warehouse *warehouse, int shard)
{
    return warehouse->shard_count == 0 || warehouse->shards[shard].is_modern;
}

/* A shard that is missing is an error, a slow network is none; a list of a hundred thousand customers is a query. */
static void write_cluster_settings(struct buffer *url)
{
    write_argument(url, "skip_unavailable_shards", STR("0"));
    write_argument(url, "connect_timeout_with_failover_ms", STR("3000"));
    write_argument(url, "max_query_size", STR("268435456"));
    write_argument(url, "max_ast_elements", STR("20000000"));
    write_argument(url, "max_expanded_ast_elements", STR("20000000"));
}

static void write_url(const struct warehouse *warehouse, const struct warehouse_call *call,
                      struct buffer *url)
{
    buffer_printf(url, "%s/?", base_url(warehouse, call->shard));
    if (call->data != NULL) {
        write_argument(url, "query", call->sql);
        /* One block whatever its bytes (W1). */
        write_argument(url, "min_insert_block_size_bytes", STR("0"));
        if (is_modern(warehouse, call->shard)) {
            write_argument(url, "async_insert", STR("0"));
            write_argument(url, "max_insert_threads", STR("1"));
            if (call->query_id.size > 0)
                write_argument(url, "insert_deduplication_token", call->query_id);
        }
    } else if (warehouse->shard_count > 0) {
        write_cluster_settings(url);
    }
    if (call->query_id.size > 0)
        write_argument(url, "query_id", call->query_id);
    if (call->chunk == NULL)
        write_argument(url, "wait_end_of_query", STR("1"));
    for (size_t i = 0; i < call->parameter_count; i++) {
        buffer_printf(url, "&param_%s=", call->parameters[i].name);
        if (is_composite(call->sql, call->parameters[i].name))
            url_encode(url, call->parameters[i].value);
        else
            write_value(url, call->parameters[i].value);
    }
    buffer_append_byte(url, 0);
}

static void set_common(const struct warehouse *warehouse, CURL *curl, int64_t timeout_ms)
{
    if (warehouse->socket_here[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, warehouse->socket_here);
    if (warehouse->shard_count > 0) { /* a machine that is gone says no goodbye */
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPIDLE, 10L);
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPINTVL, 5L);
    }
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
}

static size_t give_body(char *out, size_t one, size_t count, void *context)
{
    const struct warehouse_data *data = context;
    size_t size = data->read(data->context, out, one * count);
    return size != SIZE_MAX ? size : CURL_READFUNC_ABORT;
}

/* curl sends a request again by itself when a kept connection turns out to be dead. An INSERT must not
 * be sent twice unasked (W2): it gets a connection of its own. */
static void set_body(CURL *curl, const struct warehouse_call *call)
{
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    if (call->data != NULL) {
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, call->data);
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->sql.size);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->sql.data != NULL ? call->sql.data : "");
}

static bool add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);
    if (longer != NULL)
        *headers = longer;
    return longer != NULL;
}

/* Who asks; a cluster only. */
static bool add_user(const struct warehouse *warehouse, struct curl_slist **headers)
{
    char line[320];
    if (warehouse->user[0] == '\0')
        return true;
    snprintf(line, sizeof(line), "X-ClickHouse-User: %s", warehouse->user);
    bool added = add_header(headers, line);
    if (warehouse->password[0] != '\0') {
        snprintf(line, sizeof(line), "X-ClickHouse-Key: %s", warehouse->password);
        added = added && add_header(headers, line);
    }
    return added;
}

static struct curl_slist *make_headers(const struct warehouse *warehouse, bool data)
{
    /* No waiting for '100 Continue', no form type; data come in chunks, their size is not known. */
    const char *const lines[] = { "Expect:", "Content-Type: text/plain",
                                  "Transfer-Encoding: chunked" };
    struct curl_slist *headers = NULL;
    bool added = true;
    for (int i = 0; i < (data ? 3 : 2); i++)
        added = added && add_header(&headers, lines[i]);
    if (!added || !add_user(warehouse, &headers)) {
        curl_slist_free_all(headers);
        return NULL;
    }
    return headers;
}

static err perform(struct warehouse *warehouse, const struct warehouse_call *call, const char *url,
                   struct problem *problem)
{
    char words[CURL_ERROR_SIZE] = "";
    struct transfer transfer = { .curl = handle_take(warehouse), .answer = { .call = call } };
    struct curl_slist *headers = make_headers(warehouse, call->data != NULL);
    CURL *curl = transfer.curl;
    err error = ERR_NOMEM;
    if (curl == NULL || headers == NULL) {
        problem_set(problem, error, "no memory for a request to the warehouse");
        goto out;
    }
    buffer_init(&transfer.answer.failure, FAILURE_BYTES_MAX);
    buffer_init(&transfer.answer.tail, 5 * TAIL_BYTES);
    set_common(warehouse, curl, call->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    set_body(curl, call);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer.answer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body_first);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
    error = judge(&transfer.answer, result, words, problem);
    buffer_deinit(&transfer.answer.failure);
    buffer_deinit(&transfer.answer.tail);
out:
    curl_slist_free_all(headers);
    if (curl != NULL)
        handle_give(warehouse, curl);
    return error;
}

err warehouse_do(struct warehouse *warehouse, const struct warehouse_call *call,
                 struct problem *problem)
{
    struct buffer url;
    size_t out_before = call->out != NULL ? call->out->size : 0;
    if (!call->even_unready) {
        err unready = warehouse_check(warehouse, problem);
        if (unready != ERR_OK)
            return unready;
    }
    buffer_init(&url, URL_BYTES_MAX);
    write_url(warehouse, call, &url);
    err error = buffer_status(&url);
    if (error != ERR_OK)
        problem_set(problem, error, "the parameters of a warehouse query are longer than %zu bytes",
                    URL_BYTES_MAX);
    else
        error = perform(warehouse, call, url.data, problem);
    buffer_deinit(&url);
    if (error != ERR_OK && call->out != NULL && !call->out->failed)
        call->out->size = out_before; /* untouched on failure */
    return error;
}

err warehouse_ping(struct warehouse *warehouse, int shard, int64_t timeout_ms,
                   struct problem *problem)
{
    char url[WAREHOUSE_PATH_BYTES + 8], words[CURL_ERROR_SIZE] = "";
    struct warehouse_call call = { .sql = STR_NONE };
    struct transfer transfer = { .curl = handle_take(warehouse), .answer = { .call = &call } };
    if (transfer.curl == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a request to the warehouse");
    CURL *curl = transfer.curl;
    snprintf(url, sizeof(url), "%s/ping", base_url(warehouse, shard));
    buffer_init(&transfer.answer.failure, FAILURE_BYTES_MAX);
    set_common(warehouse, curl, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body_first);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
    err error = transfer.answer.status == 200 ? judge_transfer(result, words, problem)
                                              : judge(&transfer.answer, result, words, problem);
    buffer_deinit(&transfer.answer.failure);
    handle_give(warehouse, curl);
    return error;
}

/* ---- public ---- */

static _Atomic uint64_t next_query;

/* Whoever asks for current customers sees the merges that are in the warehouse. */
static err ask(struct warehouse *warehouse, struct warehouse_call *call, struct problem *problem)
{
    if (str_contains(call->sql, STR("'alias_map'"))) {
        err error = warehouse_refresh_aliases(warehouse, problem);
        if (error != ERR_OK)
            return error;
    }
    if (warehouse->shard_count == 0)
        return warehouse_do(warehouse, call, problem);
    return cluster_sql_is_question(call->sql) ? cluster_ask(warehouse, call, problem)
                                              : cluster_everywhere(warehouse, call, problem);
}

err warehouse_query(struct warehouse *warehouse, str sql,
                    const struct warehouse_parameter *parameters, size_t parameter_count,
                    int64_t timeout_ms, struct buffer *out, struct problem *problem)
{
    char id[64];
    int size = snprintf(id, sizeof(id), "kith-query-%" PRIx64 "-%" PRIu64, warehouse->nonce,
                        atomic_fetch_add(&next_query, 1));
    struct warehouse_call call = { .sql = sql,
                                   .query_id = { .data = id, .size = (size_t)size },
                                   .parameters = parameters,
                                   .parameter_count = parameter_count,
                                   .timeout_ms = timeout_ms,
                                   .out = out };
    err error = ask(warehouse, &call, problem);
    /* Nobody waits for it any more. */
    if (error == ERR_TIMEOUT && warehouse_kill(warehouse, call.query_id, NULL) != ERR_OK)
        problem_hint(problem, error, "the query may still run in the warehouse");
    return error;
}

err warehouse_stream(struct warehouse *warehouse, str sql,
                     const struct warehouse_parameter *parameters, size_t parameter_count,
                     bool (*chunk)(void *context, str bytes), void *context,
                     struct problem *problem)
{
    struct warehouse_call call = { .sql = sql,
                                   .parameters = parameters,
                                   .parameter_count = parameter_count,
                                   .chunk = chunk,
                                   .context = context };
    return ask(warehouse, &call, problem);
}

err warehouse_insert_data(struct warehouse *warehouse, int shard, str table,
                          const struct warehouse_data *data, str batch, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, 64 << 10);
    buffer_printf(&sql, "INSERT INTO " STR_FMT " FORMAT %s", STR_ARG(table), data->format);
    struct warehouse_call call = { .shard = shard,
                                   .sql = buffer_str(&sql),
                                   .data = data,
                                   .query_id = batch,
                                   .timeout_ms = INSERT_TIMEOUT_MS };
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_do(warehouse, &call, problem);
    buffer_deinit(&sql);
    return error;
}

static size_t read_str(void *context, char *out, size_t room)
{
    str *rest = context;
    size_t size = rest->size < room ? rest->size : room;
    if (size > 0)
        memcpy(out, rest->data, size);
    *rest = str_slice(*rest, size, rest->size);
    return size;
}

err warehouse_insert_at(struct warehouse *warehouse, int place, str table, str rows, str batch,
                        struct problem *problem)
{
    struct warehouse_data data = { .format = "RowBinary", .read = read_str, .context = &rows };
    return warehouse_insert_data(warehouse, place, table, &data, batch, problem);
}

err warehouse_insert(struct warehouse *warehouse, str table, str rows, str batch,
                     struct problem *problem)
{
    err error = ERR_OK;
    for (int place = 0; place < warehouse_places(warehouse) && error == ERR_OK; place++)
        error = warehouse_insert_at(warehouse, place, table, rows, batch, problem);
    return error;
}

err warehouse_kill(struct warehouse *warehouse, str query_id, struct problem *problem)
{
    char sql[256];
    int size = snprintf(sql, sizeof(sql), "KILL QUERY WHERE query_id = '" STR_FMT "' SYNC",
                        STR_ARG(query_id));
    if (size < 0 || (size_t)size >= sizeof(sql))
        return problem_set(problem, ERR_INVALID, "query id of %zu bytes", query_id.size);
    err error = ERR_OK;
    for (int shard = 0; shard < warehouse_places(warehouse) && error == ERR_OK; shard++)
        error = warehouse_at(warehouse, shard, sql, KILL_TIMEOUT_MS, NULL, problem);
    return error;
}
