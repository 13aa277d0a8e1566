/* SPDX-License-Identifier: Apache-2.0 */
/* child_http: ClickHouse's HTTP interface over a Unix socket, a thread per connection.
 *
 * A query blocks its connection's thread, which is what its one client waits for. Few connections
 * come: the client keeps a pool of them. */
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/arena.h"
#include "store/child_inside.h"

#define CONNECTIONS_MAX 64
#define CONNECTION_MEMORY_BYTES ((size_t)1 << 20)
#define STACK_BYTES ((size_t)8 << 20)
#define PIECE_BYTES ((size_t)256 << 10)

struct exchange {
    struct query query;
    char tag[CLICKHOUSE_TAG_BYTES + 1];
    bool data_failed; /* the memory file could not be written */
    size_t ending_sent;
    struct buffer ending; /* the exception that breaks an answer off, as the protocol has it */
};

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_alloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

static void add_parameter(struct query *query, const char *name, const char *value)
{
    if (query->parameter_count == CHILD_PARAMETERS_MAX)
        return; /* the query then says which one is not set */
    char *name_copy = copy_text(name), *value_copy = copy_text(value);
    if (name_copy == NULL || value_copy == NULL) {
        memory_free(name_copy);
        memory_free(value_copy);
        return;
    }
    query->parameter_names[query->parameter_count] = name_copy;
    query->parameter_values[query->parameter_count++] = value_copy;
}

/* A format becomes part of a statement: only harmless bytes. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("'\\\n", *text) != NULL)
            return false;
    }
    return true;
}

static enum MHD_Result take_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    (void)kind;
    struct query *query = context;
    value = value != NULL ? value : "";
    if (strcmp(name, "query") == 0)
        buffer_append_str(&query->sql, str_from_c(value));
    else if (strcmp(name, "query_id") == 0)
        snprintf(query->query_id, sizeof(query->query_id), "%s", value);
    else if (strcmp(name, "default_format") == 0 && is_plain(value))
        snprintf(query->format, sizeof(query->format), "%s", value);
    else if (strcmp(name, "wait_end_of_query") == 0)
        query->whole = strcmp(value, "0") != 0;
    else if (strncmp(name, "param_", 6) == 0)
        add_parameter(query, name + 6, value);
    return MHD_YES; /* other settings are those of a cluster */
}

static struct exchange *exchange_new(struct child *child, struct MHD_Connection *connection,
                                     bool get)
{
    struct exchange *exchange = memory_alloc(sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    struct query *query = &exchange->query;
    query_init(query, child);
    query->read_only = get;
    buffer_init(&exchange->ending, 1 << 20);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, query);
    if (query_takes_data(buffer_str(&query->sql))) {
        query->data_fd = memfd_create("kith-insert", MFD_CLOEXEC);
        exchange->data_failed = query->data_fd < 0;
    } else if (query->sql.size > 0) {
        buffer_append_byte(&query->sql, '\n'); /* the body goes on with the statement */
    }
    return exchange;
}

static void exchange_free(void *context)
{
    struct exchange *exchange = context;
    query_deinit(&exchange->query);
    buffer_deinit(&exchange->ending);
    memory_free(exchange);
}

static void take_body(struct exchange *exchange, const char *bytes, size_t size)
{
    struct query *query = &exchange->query;
    if (query->data_fd < 0 && !exchange->data_failed) {
        buffer_append(&query->sql, bytes, size);
        return;
    }
    while (size > 0 && !exchange->data_failed) {
        ssize_t written = write(query->data_fd, bytes, size);
        if (written <= 0 || query->data_bytes + size > CHILD_DATA_BYTES_MAX) {
            exchange->data_failed = true;
            return;
        }
        bytes += written;
        size -= (size_t)written;
        query->data_bytes += (size_t)written;
    }
}

/* ---- answers ---- */

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   const char *text, size_t size, const char *code)
{
    char *copy = memory_alloc(size + 1);
    if (copy == NULL)
        return MHD_NO;
    memcpy(copy, text, size);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(size, copy, memory_free);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; charset=UTF-8");
    if (code != NULL)
        MHD_add_response_header(response, CLICKHOUSE_HEADER_CODE, code);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_failure(struct MHD_Connection *connection, const struct query *query)
{
    struct clickhouse_exception exception = { .code = 1000 };
    clickhouse_parse_exception(buffer_str(&query->failure), &exception);
    char code[16];
    snprintf(code, sizeof(code), "%d", exception.code);
    return answer_text(connection, (unsigned)clickhouse_http_status(exception.code),
                       query->failure.data, query->failure.size, code);
}

/* What is sent when an answer breaks off; see CLICKHOUSE_EXCEPTION_MARK. */
static void write_ending(struct exchange *exchange)
{
    const struct buffer *failure = &exchange->query.failure;
    buffer_printf(&exchange->ending, "\r\n" CLICKHOUSE_EXCEPTION_MARK "%s\r\n", exchange->tag);
    buffer_append(&exchange->ending, failure->data, failure->size);
    buffer_printf(&exchange->ending, "\n%zu %s\r\n" CLICKHOUSE_EXCEPTION_MARK, failure->size + 1,
                  exchange->tag);
}

static ssize_t read_answer(void *context, uint64_t position, char *out, size_t room)
{
    (void)position;
    struct exchange *exchange = context;
    size_t size = 0;
    if (exchange->ending.size == 0) {
        size = query_read(&exchange->query, out, room);
        if (size > 0)
            return (ssize_t)size;
        if (exchange->query.failure.size == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
        write_ending(exchange);
    }
    size = exchange->ending.size - exchange->ending_sent;
    if (size == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size = size < room ? size : room;
    memcpy(out, exchange->ending.data + exchange->ending_sent, size);
    exchange->ending_sent += size;
    return (ssize_t)size;
}

static void make_tag(char *tag)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz012345";
    unsigned char bytes[CLICKHOUSE_TAG_BYTES] = { 0 };
    if (getrandom(bytes, sizeof(bytes), 0) < 0)
        memset(bytes, 7, sizeof(bytes));
    for (int i = 0; i < CLICKHOUSE_TAG_BYTES; i++)
        tag[i] = LETTERS[bytes[i] & 31];
    tag[CLICKHOUSE_TAG_BYTES] = '\0';
}

/* From here on the response owns the exchange. */
static enum MHD_Result answer_query(struct MHD_Connection *connection, void **slot)
{
    struct exchange *exchange = *slot;
    struct query *query = &exchange->query;
    if (exchange->data_failed)
        return answer_text(connection, 507,
                           "Code: 243. DB::Exception: no room for the data. "
                           "(NOT_ENOUGH_SPACE)\n",
                           71, "243");
    query_run(query);
    if (query->failure.size > 0)
        return answer_failure(connection, query);
    make_tag(exchange->tag);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, PIECE_BYTES, read_answer, exchange, exchange_free);
    if (response == NULL)
        return MHD_NO;
    *slot = NULL;
    MHD_add_response_header(response, "Content-Type", "application/octet-stream");
    MHD_add_response_header(response, "X-ClickHouse-Format", query->format);
    MHD_add_response_header(response, CLICKHOUSE_HEADER_TAG, exchange->tag);
    if (query->query_id[0] != '\0')
        MHD_add_response_header(response, CLICKHOUSE_HEADER_QUERY, query->query_id);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **slot)
{
    (void)version;
    bool get = strcmp(method, "GET") == 0;
    if (*slot == NULL) {
        if (!get && strcmp(method, "POST") != 0)
            return MHD_NO;
        *slot = exchange_new(context, connection, get);
        return *slot != NULL ? MHD_YES : MHD_NO;
    }
    if (*upload_size > 0) {
        take_body(*slot, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/ping") == 0)
        return answer_text(connection, MHD_HTTP_OK, "Ok.\n", 4, NULL);
    if (strcmp(url, "/") != 0)
        return answer_text(connection, MHD_HTTP_NOT_FOUND, "There is no handle here\n", 24, NULL);
    return answer_query(connection, slot);
}

static void completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    if (*slot != NULL)
        exchange_free(*slot);
    *slot = NULL;
}

err child_http_start(struct child *child, int listen_fd, struct problem *problem)
{
    child->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, NULL,
        NULL, handle, child, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES,
        MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_END);
    if (child->daemon == NULL)
        return problem_set(problem, ERR_IO, "the warehouse child cannot serve its socket");
    return ERR_OK;
}

void child_http_stop(struct child *child)
{
    if (child->daemon != NULL)
        MHD_stop_daemon(child->daemon);
    child->daemon = NULL;
}
