/* SPDX-License-Identifier: Apache-2.0 */
/* parquet_child: the process that reads a Parquet file with chDB.
 *
 *   load chDB ─▶ describe the file ─▶ 'H' ─▶ stream the rows, 'R' … ─▶ 'D'
 *                                        any failure ─▶ 'E', exit 1
 *
 * It is a process of its own because chDB is hundreds of megabytes that may not outlive the file, and because a
 * file made to break a reader then breaks this process alone. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "table/parquet.h"
#include "table/parquet_type.h"

#define FILE_SQL "file('/proc/self/fd/3',Parquet)"
#define WATCH_MS 200

/* ---- the library; no header is shipped with it ---- */

struct chdb_result;
typedef struct chdb_handle *chdb_connection;
#define CHDB_FUNCTIONS(X)                                                \
    X(chdb_connect, chdb_connection *, (int argc, char **argv))          \
    X(chdb_query, struct chdb_result *,                                  \
      (chdb_connection connection, const char *sql, const char *format)) \
    X(chdb_stream_query, struct chdb_result *,                           \
      (chdb_connection connection, const char *sql, const char *format)) \
    X(chdb_stream_fetch_result, struct chdb_result *,                    \
      (chdb_connection connection, struct chdb_result * stream))         \
    X(chdb_destroy_query_result, void, (struct chdb_result * result))    \
    X(chdb_result_buffer, char *, (struct chdb_result * result))         \
    X(chdb_result_length, size_t, (struct chdb_result * result))         \
    X(chdb_result_error, const char *, (struct chdb_result * result))    \
    X(chdb_set_signal_handlers_enabled, void, (int enabled))

struct child {
#define X(name, type, arguments) type(*name) arguments;
    CHDB_FUNCTIONS(X)
#undef X
    chdb_connection connection;
    const char *library;
    uint64_t memory_bytes, skip;
};

static err load(struct child *child, struct problem *problem)
{
    void *library = dlopen(child->library, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "chDB cannot be loaded: %s", dlerror());
#define X(name, type, arguments)                                                         \
    do {                                                                                 \
        void *symbol = dlsym(library, #name);                                            \
        if (symbol == NULL)                                                              \
            return problem_set(problem, ERR_UNSUPPORTED, "chDB has no function " #name); \
        memcpy(&child->name, &symbol, sizeof(symbol));                                   \
    } while (0);
    CHDB_FUNCTIONS(X)
#undef X
    return ERR_OK;
}

static err connect_library(struct child *child, struct problem *problem)
{
    char program[] = "kith";
    char *arguments[] = { program, NULL };
    /* chDB's handlers would print and go on after a crash. */
    child->chdb_set_signal_handlers_enabled(0);
    chdb_connection *connection = child->chdb_connect(1, arguments);
    if (connection == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "chDB does not start");
    child->connection = *connection;
    return ERR_OK;
}

/* ---- frames ---- */

static err write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(PARQUET_PIPE_FD, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return ERR_IO; /* nobody reads any more */
        bytes += count;
        size -= (size_t)count;
    }
    return ERR_OK;
}

static err write_frame(char kind, str payload)
{
    char head[PARQUET_FRAME_BYTES] = { kind };
    for (int i = 0; i < 4; i++)
        head[1 + i] = (char)(payload.size >> (8 * i) & 0xFF);
    err error = write_all(head, sizeof(head));
    return error == ERR_OK ? write_all(payload.data, payload.size) : error;
}

static err write_rows(str rows)
{
    err error = ERR_OK;
    while (error == ERR_OK && rows.size > 0) {
        str piece = str_slice(rows, 0, PARQUET_ROWS_BYTES_MAX);
        error = write_frame('R', piece);
        rows = str_slice(rows, piece.size, rows.size);
    }
    return error;
}

/* ---- queries ---- */

/* How rows are read and written: within the memory, in their order, every number exactly. For the
 * connection: a streaming query does not heed its own SETTINGS about output. */
static const char settings[] =
    "SET max_threads=2,max_memory_usage=%llu,session_timezone='UTC',"
    "date_time_output_format='iso',output_format_decimal_trailing_zeros=1,"
    "output_format_json_quote_64bit_integers=0,output_format_json_quote_decimals=0,"
    "input_format_parquet_preserve_order=1,input_format_parquet_local_time_as_utc=0,"
    "input_format_parquet_enable_json_parsing=0,"
    "input_format_parquet_memory_high_watermark=536870912";

/* The innermost of "Code: 117. DB::Exception: what: Code: 117. DB::Exception: why. (NAME) (version …)", without
 * the frame around it and without our own name for the file. */
static str reason_of(const char *message)
{
    static const char mark[] = "DB::Exception: ";
    str text = str_from_c(message);
    for (const char *found = strstr(message, mark); found != NULL; found = strstr(found, mark)) {
        found += sizeof(mark) - 1;
        text = str_from_c(found);
    }
    static const char *const ends[] = { " (version", ": (in file/uri", "\nYou can specify", ". (" };
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const char *end =
            text.size > 0 ? memmem(text.data, text.size, ends[i], strlen(ends[i])) : NULL;
        if (end != NULL)
            text.size = (size_t)(end - text.data);
    }
    return str_trim(str_slice(text, 0, str_utf8_prefix_bytes(text, 220)));
}

static err refuse(const char *message, struct problem *problem)
{
    bool memory = str_contains(str_from_c(message), STR("MEMORY_LIMIT_EXCEEDED"));
    str reason = memory ? STR("it takes too much memory") : reason_of(message);
    return problem_set(problem, memory ? ERR_TOO_LARGE : ERR_UNPROCESSABLE,
                       "the Parquet file cannot be read: " STR_FMT, STR_ARG(reason));
}

static err query(struct child *child, const char *sql, const char *format, struct buffer *out,
                 struct problem *problem)
{
    struct chdb_result *result = child->chdb_query(child->connection, sql, format);
    const char *message = result != NULL ? child->chdb_result_error(result) : "no answer";
    err error = message != NULL ? refuse(message, problem) : ERR_OK;
    if (error == ERR_OK)
        buffer_append(out, child->chdb_result_buffer(result), child->chdb_result_length(result));
    if (result != NULL)
        child->chdb_destroy_query_result(result);
    return error == ERR_OK ? buffer_status(out) : error;
}

static err set_up(struct child *child, struct problem *problem)
{
    char sql[1024];
    struct buffer nothing;
    buffer_init(&nothing, 4096);
    snprintf(sql, sizeof(sql), settings, (unsigned long long)child->memory_bytes);
    err error = query(child, sql, "TabSeparated", &nothing, problem);
    buffer_deinit(&nothing);
    return error;
}

/* [["name", "type", …], …] becomes what to select, and the header. */
static err take_columns(str described, struct parquet_columns *columns, struct problem *problem)
{
    struct json_parser *parser = NULL;
    json_value root, column;
    err error = json_parser_new(&parser, PARQUET_TEXT_BYTES_MAX);
    str line;
    while (error == ERR_OK && str_split(&described, '\n', &line)) {
        if (line.size == 0)
            continue;
        error = json_parse(parser, line, &root, problem);
        column = root;
        if (error == ERR_OK)
            parquet_add_column(columns, json_text(json_at(column, 0)),
                               json_text(json_at(column, 1)));
    }
    json_parser_free(&parser);
    if (error == ERR_OK && columns->count > TABLE_COLUMNS_MAX) {
        problem_set(problem, ERR_TOO_LARGE, "the file has more than %d columns", TABLE_COLUMNS_MAX);
        error = ERR_TOO_LARGE;
    }
    return error;
}

static err count_rows(struct child *child, uint64_t *rows, struct problem *problem)
{
    struct buffer text;
    buffer_init(&text, 4096);
    err error = query(child, "SELECT count() FROM " FILE_SQL, "TabSeparated", &text, problem);
    if (error == ERR_OK && !str_to_uint64(str_trim(buffer_str(&text)), rows))
        *rows = 0;
    buffer_deinit(&text);
    return error;
}

static err describe(struct child *child, struct parquet_columns *columns, struct problem *problem)
{
    struct buffer described, header;
    uint64_t rows = 0;
    buffer_init(&described, PARQUET_TEXT_BYTES_MAX);
    buffer_init(&header, PARQUET_TEXT_BYTES_MAX);
    json_writer_init(&columns->header, &header);
    err error = count_rows(child, &rows, problem);
    if (error == ERR_OK)
        error = query(child, "DESCRIBE TABLE " FILE_SQL, "JSONCompactEachRow", &described, problem);
    json_begin_object(&columns->header);
    json_put_key(&columns->header, STR("rows"));
    json_put_uint(&columns->header, rows);
    json_put_key(&columns->header, STR("columns"));
    json_begin_array(&columns->header);
    if (error == ERR_OK)
        error = take_columns(buffer_str(&described), columns, problem);
    json_end_array(&columns->header);
    json_end_object(&columns->header);
    if (error == ERR_OK)
        error = buffer_status(&header);
    if (error == ERR_OK)
        error = write_frame('H', buffer_str(&header));
    buffer_deinit(&described);
    buffer_deinit(&header);
    return error;
}

static err stream(struct child *child, const char *sql, struct problem *problem)
{
    struct chdb_result *all = child->chdb_stream_query(child->connection, sql, "TabSeparated");
    const char *message = all != NULL ? child->chdb_result_error(all) : "no answer";
    err error = message != NULL ? refuse(message, problem) : ERR_OK;
    while (error == ERR_OK) {
        struct chdb_result *some = child->chdb_stream_fetch_result(child->connection, all);
        message = some != NULL ? child->chdb_result_error(some) : "the rows break off";
        error = message != NULL ? refuse(message, problem) : ERR_OK;
        str rows = STR_NONE;
        if (error == ERR_OK)
            rows = str_from_bytes(child->chdb_result_buffer(some), child->chdb_result_length(some));
        bool ended = rows.size == 0;
        if (error == ERR_OK)
            error = write_rows(rows);
        if (some != NULL)
            child->chdb_destroy_query_result(some);
        if (ended)
            break;
    }
    return error == ERR_OK ? write_frame('D', STR_NONE) : error;
}

static err send_file(struct child *child, struct problem *problem)
{
    struct parquet_columns columns = { .count = 0 };
    struct buffer sql;
    buffer_init(&columns.select, PARQUET_TEXT_BYTES_MAX);
    buffer_init(&sql, 2 * PARQUET_TEXT_BYTES_MAX);
    err error = set_up(child, problem);
    if (error == ERR_OK)
        error = describe(child, &columns, problem);
    buffer_append_str(&sql, STR("SELECT "));
    buffer_append_str(&sql, buffer_str(&columns.select));
    buffer_append_str(&sql, STR(" FROM " FILE_SQL));
    if (child->skip > 0)
        buffer_printf(&sql, " LIMIT 18446744073709551615 OFFSET %llu",
                      (unsigned long long)child->skip);
    buffer_append_byte(&sql, '\0');
    if (error == ERR_OK)
        error = columns.select.failed ? ERR_TOO_LARGE : buffer_status(&sql);
    if (error == ERR_OK && columns.count > 0)
        error = stream(child, sql.data, problem);
    else if (error == ERR_OK)
        error = write_frame('D', STR_NONE);
    buffer_deinit(&columns.select);
    buffer_deinit(&sql);
    return error;
}

/* ---- the process ---- */

static uint64_t resident_bytes(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    fclose(file);
    str rest = str_from_c(line), size, resident; /* in pages */
    uint64_t count = 0;
    if (str_split(&rest, ' ', &size) && str_split(&rest, ' ', &resident) &&
        !str_to_uint64(resident, &count))
        count = 0;
    return count * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Not everything that chDB allocates is counted by it. */
static void *watch_memory(void *context)
{
    const struct child *child = context;
    uint64_t limit = child->memory_bytes + child->memory_bytes / 2 + ((uint64_t)256 << 20);
    for (;;) {
        steady_sleep_ms(WATCH_MS);
        if (resident_bytes() > limit)
            _exit(9);
    }
    return NULL;
}

static err parse_options(struct child *child, int argc, char **argv, struct problem *problem)
{
    child->memory_bytes = PARQUET_MEMORY_BYTES;
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        bool fine = value[0] != '\0';
        if (strcmp(name, "--library") == 0)
            child->library = value;
        else if (strcmp(name, "--memory") == 0)
            fine = str_to_uint64(str_from_c(value), &child->memory_bytes);
        else if (strcmp(name, "--scratch") == 0)
            fine = setenv("TMPDIR", value, 1) == 0;
        else if (strcmp(name, "--skip") == 0)
            fine = str_to_uint64(str_from_c(value), &child->skip);
        else
            fine = false;
        if (!fine)
            return problem_set(problem, ERR_INVALID, "option '%s' cannot be '%s'", name, value);
    }
    return child->library != NULL ? ERR_OK
                                  : problem_set(problem, ERR_INVALID, "--library is needed");
}

int table_parquet_main(int argc, char **argv)
{
    static struct child child; /* its threads may outlive this function while the process ends */
    struct problem problem = { .error = ERR_OK };
    pthread_t watcher;
    signal(SIGPIPE, SIG_IGN);
    setpriority(PRIO_PROCESS, 0, 5);
    /* Its allocator's sampling for a profiler is on by default and costs time. */
    setenv("JE_MALLOC_CONF", "prof:false", 0);
    err error = parse_options(&child, argc, argv, &problem);
    if (error == ERR_OK && pthread_create(&watcher, NULL, watch_memory, &child) == 0)
        pthread_detach(watcher);
    if (error == ERR_OK)
        error = load(&child, &problem);
    if (error == ERR_OK)
        error = connect_library(&child, &problem);
    if (error == ERR_OK)
        error = send_file(&child, &problem);
    if (error != ERR_OK)
        (void)!write_frame(
            'E', str_from_c(problem.detail[0] != '\0' ? problem.detail : err_title(error)));
    /* Without chDB's destructors: they take their time. */
    _exit(error == ERR_OK ? 0 : 1);
}
