/* SPDX-License-Identifier: Apache-2.0 */
/* Live events: what came to the doors and what became of it, asked for or as server-sent events.
 *
 * One thread reads the ring of collect/ twice a second and writes each entry once, as JSON, into the
 * buffer of every stream that wants it; an entry whose outcome was pending comes again when it is known.
 * A stream whose client does not read is ended when its buffer is full.
 *
 *     stream: (client reads) ─▶ SUSPENDED ─ entry or heartbeat ─▶ resumed ─▶ … ─▶ ended
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "imports/imports.h"
#include "server/answer.h"
#include "server/figures/figures.h"
#include "server/files_in.h"
#include "server/scope/scope.h"

#define LOOK_EVERY_MS 500
#define HEARTBEAT_MS 15000
#define READ_MAX 500 /* entries per look */
#define PENDING_MAX 512
#define PENDING_MS_MAX 10000 /* then the outcome is unknown */
#define STREAM_BYTES_MAX (1024 * 1024)
#define ARENA_BYTES_MAX (64 * 1024 * 1024)
#define ENTRIES_MAX 2000 /* of the ring */

struct stream {
    struct stream *next, **link; /* under live->mutex */
    struct server *server;
    struct MHD_Connection *connection;
    int fd;
    pthread_mutex_t mutex;
    struct buffer buffer;
    size_t sent;
    bool suspended, ended;
    str source, type, outcome; /* filters, in the request's arena */
    uint32_t job;              /* of a job instead: its number */
    bool is_part;              /* to somebody of a team */
    uint64_t job_changes;      /* imports_changes when it was last told */
    steady_ns last_sent;
};

struct live {
    pthread_mutex_t mutex;
    pthread_t thread;
    bool thread_runs;
    _Atomic bool stopping;
    struct stream *streams;
    unsigned stream_count;
    uint64_t after;
    uint64_t pending[PENDING_MAX];
    size_t pending_count;
};

/* ---- one entry ---- */

struct told {
    const char *outcome;
    const char *reason;
    struct engine_verdict verdict;
};

static struct told tell(struct server *server, const struct live_entry *entry)
{
    struct told told = { .outcome = "pending", .reason = "" };
    if (entry->refused.size > 0) {
        told.outcome = "refused";
        return told;
    }
    engine_verdict(server->engine, entry->message_key, &told.verdict);
    switch (told.verdict.fate) {
    case FATE_APPLIED:
        told.outcome = "applied";
        break;
    case FATE_DUPLICATE:
        told.outcome = "duplicate";
        break;
    case FATE_QUARANTINED:
        told.outcome = "quarantined";
        told.reason = plan_reason_code(told.verdict.reason);
        break;
    case FATE_ERASED:
        told.outcome = "erased";
        break;
    case FATE_UNKNOWN:
        if (server_now_ms(server) - entry->at_ms > PENDING_MS_MAX)
            told.outcome = "unknown";
        break;
    }
    return told;
}

static void write_entry(struct server *server, const struct source_set *sources,
                        const struct live_entry *entry, const struct told *told,
                        struct json_writer *writer)
{
    const struct source *source = source_by_number(sources, entry->source_number);
    char one_id[ONE_ID_BYTES + 1] = "";
    if (told->verdict.customer != 0)
        keys_one_id(server->keys, told->verdict.customer, one_id);
    json_begin_object(writer);
    json_member_int(writer, STR("id"), (int64_t)entry->id);
    json_member_time(writer, STR("at"), entry->at_ms);
    json_member_text(writer, STR("source"), source != NULL ? source->key : STR_NONE);
    json_member_text(writer, STR("door"), entry->door);
    json_member_text(writer, STR("type"), entry->event_type);
    json_member_text(writer, STR("raw"), entry->raw);
    json_member_text(writer, STR("outcome"), str_from_c(told->outcome));
    json_member_text(writer, STR("reason"),
                     entry->refused.size > 0 ? entry->refused : str_from_c(told->reason));
    member_text_or_null(writer, STR("one_id"), str_from_c(one_id));
    json_member_bool(writer, STR("created"), told->verdict.created);
    json_member_int(writer, STR("merges"), told->verdict.merges);
    json_end_object(writer);
}

static bool is_wanted(const struct source_set *sources, const struct live_entry *entry,
                      const struct told *told, str source_key, str type, str outcome)
{
    const struct source *source = source_by_number(sources, entry->source_number);
    return (source_key.size == 0 || (source != NULL && str_equal(source->key, source_key))) &&
           (type.size == 0 || str_equal(entry->event_type, type)) &&
           (outcome.size == 0 || str_equal(str_from_c(told->outcome), outcome));
}

/* ---- asked for ---- */

static bool is_outcome(str outcome)
{
    static const char *const known[] = { "applied", "duplicate", "quarantined",
                                         "refused", "pending",   "unknown" };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_equal(outcome, str_from_c(known[i])))
            return true;
    return outcome.size == 0;
}

static err read_after(struct request *request, uint64_t *after, bool *given,
                      struct problem *problem)
{
    str text = request_query(request, STR("after"));
    *given = text.size > 0;
    *after = 0;
    if (!*given || str_to_uint64(text, after))
        return ERR_OK;
    problem_set(problem, ERR_INVALID, "'after' is not a number");
    return problem_at(problem, ERR_INVALID, "after");
}

/* Of who sees a part: events of her sources, and of customers whom she sees. */
static bool is_seen(struct request *request, const struct live_entry *entry,
                    const struct told *told)
{
    struct problem problem;
    bool sees = false;
    if (request->scope == NULL)
        return true;
    return told->verdict.customer != 0 && scope_sees_source(request->scope, entry->source_number) &&
           scope_sees(request, told->verdict.customer, &sees, &problem) == ERR_OK && sees;
}

err route_live_list(struct request *request, struct problem *problem)
{
    struct server *server = request->server;
    str source = request_query(request, STR("source")), type = request_query(request, STR("type"));
    str outcome = request_query(request, STR("outcome"));
    struct json_writer writer;
    uint64_t after;
    size_t limit;
    bool given;
    err error = answer_limit(request, &limit, problem);
    if (error == ERR_OK)
        error = read_after(request, &after, &given, problem);
    if (error == ERR_OK && !is_outcome(outcome))
        error = problem_set(problem, ERR_INVALID, "there is no such outcome");
    if (error != ERR_OK)
        return error;
    struct live_entry *entries = arena_array(&request->arena, struct live_entry, ENTRIES_MAX);
    struct told *told = arena_array(&request->arena, struct told, ENTRIES_MAX);
    size_t *wanted = arena_array(&request->arena, size_t, ENTRIES_MAX);
    if (entries == NULL || told == NULL || wanted == NULL)
        return ERR_NOMEM;
    size_t count = live_read(after, ENTRIES_MAX, &request->arena, entries), wanted_count = 0;
    struct source_set *sources = engine_sources(server->engine);
    for (size_t i = 0; i < count; i++) {
        told[i] = tell(server, &entries[i]);
        if (is_seen(request, &entries[i], &told[i]) &&
            is_wanted(sources, &entries[i], &told[i], source, type, outcome))
            wanted[wanted_count++] = i;
    }
    /* Without `after` the newest are shown, with it the next ones. */
    size_t begin = !given && wanted_count > limit ? wanted_count - limit : 0;
    size_t end = begin + limit < wanted_count ? begin + limit : wanted_count;
    /* Who sees a part goes on from her own: numbers of others would count them. */
    size_t told_until = end < wanted_count || request->scope != NULL ? end : 0;
    uint64_t next_after = told_until > 0                        ? entries[wanted[told_until - 1]].id
                          : count > 0 && request->scope == NULL ? entries[count - 1].id
                                                                : after;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("items"));
    json_begin_array(&writer);
    for (size_t i = begin; i < end; i++)
        write_entry(server, sources, &entries[wanted[i]], &told[wanted[i]], &writer);
    json_end_array(&writer);
    json_member_int(&writer, STR("next_after"), (int64_t)next_after);
    json_member_time(&writer, STR("as_of"), server_as_of_ms(server));
    json_end_object(&writer);
    source_set_release(&sources);
    return ERR_OK;
}

/* ---- streams ---- */

static void wake(struct stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
    atomic_fetch_sub(&stream->server->suspended, 1);
}

static void stream_write(struct stream *stream, str text)
{
    pthread_mutex_lock(&stream->mutex);
    if (stream->buffer.size == stream->sent) {
        buffer_clear(&stream->buffer);
        stream->sent = 0;
    }
    buffer_append_str(&stream->buffer, text);
    if (stream->buffer.failed)
        stream->ended = true;
    stream->last_sent = steady_now();
    wake(stream);
    pthread_mutex_unlock(&stream->mutex);
}

/* libmicrohttpd asks for more; its thread. */
static ssize_t stream_read(void *context, uint64_t position, char *out, size_t size_max)
{
    struct stream *stream = context;
    ssize_t given = 0;
    (void)position;
    pthread_mutex_lock(&stream->mutex);
    size_t left = stream->buffer.failed ? 0 : stream->buffer.size - stream->sent;
    if (left > 0) {
        size_t some = left < size_max ? left : size_max;
        memcpy(out, stream->buffer.data + stream->sent, some);
        stream->sent += some;
        given = (ssize_t)some;
    } else if (stream->ended) {
        given = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        atomic_fetch_add(&stream->server->suspended, 1);
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&stream->mutex);
    return given;
}

struct MHD_Response *stream_response(struct request *request)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, stream_read, request->stream,
                                             NULL);
}

void stream_free(struct stream **pointer)
{
    struct stream *stream = *pointer;
    *pointer = NULL;
    if (stream == NULL)
        return;
    struct live *live = stream->server->live;
    pthread_mutex_lock(&live->mutex);
    *stream->link = stream->next;
    if (stream->next != NULL)
        stream->next->link = stream->link;
    live->stream_count--;
    pthread_mutex_unlock(&live->mutex);
    buffer_deinit(&stream->buffer);
    pthread_mutex_destroy(&stream->mutex);
    memory_free(stream);
}

static bool enlist(struct live *live, struct stream *stream, unsigned streams_max)
{
    pthread_mutex_lock(&live->mutex);
    bool fits = live->stream_count < streams_max && !atomic_load(&live->stopping);
    if (fits) {
        stream->next = live->streams;
        stream->link = &live->streams;
        if (stream->next != NULL)
            stream->next->link = &stream->next;
        live->streams = stream;
        live->stream_count++;
    }
    pthread_mutex_unlock(&live->mutex);
    return fits;
}

/* A stream for this request, not yet in the list; NULL with the reason in `problem`. */
static struct stream *stream_new(struct request *request, struct problem *problem)
{
    struct stream *stream = memory_alloc(sizeof(*stream));
    if (stream == NULL) {
        problem_set(problem, ERR_NOMEM, "no memory for a stream");
        return NULL;
    }
    stream->server = request->server;
    stream->connection = request->connection;
    stream->fd = request->link->fd;
    pthread_mutex_init(&stream->mutex, NULL);
    buffer_init(&stream->buffer, STREAM_BYTES_MAX);
    buffer_append_str(&stream->buffer, STR("retry: 2000\n\n"));
    stream->last_sent = steady_now();
    return stream;
}

static err stream_begin(struct request *request, struct stream *stream, struct problem *problem)
{
    struct server *server = request->server;
    if (!enlist(server->live, stream, server->config.streams_max)) {
        buffer_deinit(&stream->buffer);
        pthread_mutex_destroy(&stream->mutex);
        memory_free(stream);
        return problem_set(problem, ERR_BUSY, "%u streams are open already",
                           server->config.streams_max);
    }
    request->stream = stream;
    request->content_type = "text/event-stream";
    return ERR_OK;
}

err route_live_stream(struct request *request, struct problem *problem)
{
    str outcome = request_query(request, STR("outcome"));
    if (!is_outcome(outcome))
        return problem_set(problem, ERR_INVALID, "there is no such outcome");
    struct stream *stream = stream_new(request, problem);
    if (stream == NULL)
        return ERR_NOMEM;
    stream->source = request_query(request, STR("source"));
    stream->type = request_query(request, STR("type"));
    stream->outcome = outcome;
    return stream_begin(request, stream, problem);
}

err route_job_stream(struct request *request, struct problem *problem)
{
    struct imports *imports;
    uint32_t number;
    err error = files_job(request, &imports, &number, problem);
    if (error != ERR_OK)
        return error;
    struct stream *stream = stream_new(request, problem);
    if (stream == NULL)
        return ERR_NOMEM;
    stream->job = number;
    stream->is_part = request->scope != NULL;
    stream->job_changes = UINT64_MAX;
    return stream_begin(request, stream, problem);
}

/* ---- the thread that reads the ring ---- */

static void broadcast(struct server *server, const struct live_entry *entry)
{
    struct live *live = server->live;
    struct told told = tell(server, entry);
    struct source_set *sources = engine_sources(server->engine);
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, STREAM_BYTES_MAX);
    buffer_append_str(&text, STR("event: live\ndata: "));
    json_writer_init(&writer, &text);
    write_entry(server, sources, entry, &told, &writer);
    buffer_append_str(&text, STR("\n\n"));
    for (struct stream *stream = live->streams; stream != NULL; stream = stream->next)
        if (stream->job == 0 &&
            is_wanted(sources, entry, &told, stream->source, stream->type, stream->outcome))
            stream_write(stream, buffer_str(&text));
    if (strcmp(told.outcome, "pending") == 0 && live->pending_count < PENDING_MAX)
        live->pending[live->pending_count++] = entry->id;
    buffer_deinit(&text);
    source_set_release(&sources);
}

/* Entries that were pending, once more if they no longer are. */
static void look_at_pending(struct server *server, struct arena *arena)
{
    struct live *live = server->live;
    size_t count = live->pending_count;
    live->pending_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct live_entry entry;
        if (live_read(live->pending[i] - 1, 1, arena, &entry) != 1 || entry.id != live->pending[i])
            continue;
        struct told told = tell(server, &entry);
        if (strcmp(told.outcome, "pending") == 0)
            live->pending[live->pending_count++] = entry.id;
        else
            broadcast(server, &entry);
    }
}

/* A suspended connection does not notice that its client has gone. */
static void end_if_gone(struct stream *stream)
{
    char byte;
    ssize_t size = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
        return;
    pthread_mutex_lock(&stream->mutex);
    stream->ended = true;
    wake(stream);
    pthread_mutex_unlock(&stream->mutex);
}

/* A job that goes on is told again; one that has come to its end is told once more, and that is all. */
static void tell_job(struct server *server, struct stream *stream)
{
    static const char *const ends[] = { "finished", "failed", "cancelled", "undone", "paused" };
    struct buffer text;
    struct json_parser *parser = NULL;
    json_value job;
    struct problem problem;
    uint64_t changes = imports_changes(server->config.imports);
    if (stream->job_changes == changes)
        return;
    stream->job_changes = changes;
    buffer_init(&text, STREAM_BYTES_MAX);
    buffer_append_str(&text, STR("event: job\ndata: "));
    size_t begin = text.size;
    err error =
        imports_write(server->config.imports, stream->job, !stream->is_part, &text, &problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, STREAM_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, str_slice(buffer_str(&text), begin, text.size), &job, NULL);
    bool ends_now = error != ERR_OK;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && error == ERR_OK; i++)
        ends_now =
            ends_now || str_equal(json_text(json_get(job, STR("status"))), str_from_c(ends[i]));
    buffer_append_str(&text, STR("\n\n"));
    if (error == ERR_OK)
        stream_write(stream, buffer_str(&text));
    if (ends_now) {
        pthread_mutex_lock(&stream->mutex);
        stream->ended = true;
        wake(stream);
        pthread_mutex_unlock(&stream->mutex);
    }
    json_parser_free(&parser);
    buffer_deinit(&text);
}

static void look(struct server *server, struct arena *arena)
{
    struct live *live = server->live;
    struct live_entry *entries = arena_array(arena, struct live_entry, READ_MAX);
    if (entries == NULL)
        return;
    size_t count = live_read(live->after, READ_MAX, arena, entries);
    pthread_mutex_lock(&live->mutex);
    look_at_pending(server, arena);
    for (size_t i = 0; i < count && live->streams != NULL; i++)
        broadcast(server, &entries[i]);
    for (struct stream *stream = live->streams; stream != NULL; stream = stream->next) {
        end_if_gone(stream);
        if (stream->job != 0)
            tell_job(server, stream);
        if (steady_since_ms(stream->last_sent) > HEARTBEAT_MS)
            stream_write(stream, STR(": still here\n\n"));
    }
    pthread_mutex_unlock(&live->mutex);
    if (count > 0)
        live->after = entries[count - 1].id;
}

static void *live_run(void *context)
{
    struct server *server = context;
    struct arena arena;
    int looks = 0;
    arena_init(&arena, "live", ARENA_BYTES_MAX);
    while (!atomic_load(&server->live->stopping)) {
        if (looks++ % 2 == 0)
            figures_sample(server);
        look(server, &arena);
        arena_reset(&arena);
        for (int i = 0; i < LOOK_EVERY_MS / 50 && !atomic_load(&server->live->stopping); i++)
            steady_sleep_ms(50);
    }
    arena_deinit(&arena);
    return NULL;
}

err live_start(struct server *server)
{
    server->live = memory_alloc(sizeof(*server->live));
    if (server->live == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&server->live->mutex, NULL);
    if (pthread_create(&server->live->thread, NULL, live_run, server) != 0)
        return ERR_NOMEM;
    server->live->thread_runs = true;
    return ERR_OK;
}

void live_stop(struct server *server)
{
    struct live *live = server->live;
    if (live == NULL)
        return;
    atomic_store(&live->stopping, true);
    if (live->thread_runs)
        pthread_join(live->thread, NULL);
    live->thread_runs = false;
    pthread_mutex_lock(&live->mutex);
    for (struct stream *stream = live->streams; stream != NULL; stream = stream->next) {
        pthread_mutex_lock(&stream->mutex);
        stream->ended = true;
        wake(stream);
        pthread_mutex_unlock(&stream->mutex);
    }
    pthread_mutex_unlock(&live->mutex);
}

unsigned live_stream_count(struct server *server)
{
    pthread_mutex_lock(&server->live->mutex);
    unsigned count = server->live->stream_count;
    pthread_mutex_unlock(&server->live->mutex);
    return count;
}

void live_free(struct server *server)
{
    if (server->live == NULL)
        return;
    pthread_mutex_destroy(&server->live->mutex);
    memory_free(server->live);
    server->live = NULL;
}
