/* SPDX-License-Identifier: Apache-2.0 */
/* load: send prepared requests to a server on this machine and measure what comes back.
 *
 *     load --port 8080 --file bodies.jsonl --path /v1/batch --connections 64 --seconds 60
 *     load --port 8080 --file paths.txt --get --token T --rate 20000 --seconds 60
 *
 * Requests are built before the clock starts: a line of the file is a body (or a path, with --get).
 * They are sent over and over; each pass writes itself into the message ids (six characters after
 * the first), so that no event is a duplicate. One thread, epoll, keep-alive connections to
 * 127.0.0.1 and nowhere else; it ends by time or by count, whatever comes first.
 *
 * Closed loop (default): each connection sends its next request when it has its answer.
 * Open loop (--rate, in events or reads a second): requests are due at fixed times whether or not
 * answers come; latency counts from the moment a request was due, so that a server that stalls
 * cannot hide it. Beside it stands the time since the request was sent: what a client sees that waits for
 * nothing else.
 *
 * 429, 503 and 507 are counted apart; the connection waits for Retry-After (at most a second). With
 * --retry it then sends the same request again, and latency goes on counting; else the next one. The
 * last line of output is one JSON object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"

#define CONNECTIONS_MAX 10000u
#define ANSWER_BYTES_MAX 65536u
#define HEAD_BYTES_MAX 1024u
#define PASS_DIGITS 6u
#define SECOND_NS INT64_C(1000000000)

struct options {
    const char *file, *path, *token, *name;
    unsigned port, connections, pass;
    bool get, retry;
    double seconds, warm_up_s, rate;
    uint64_t count;
};

/* ---- small things ---- */

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * SECOND_NS + time.tv_nsec;
}

/* ---- latencies: 64 linear steps per power of two, 1.6 % wide, from 1 us to an hour ---- */

#define STEP_BITS 6u
#define HISTOGRAM_SIZE (64u << STEP_BITS)
struct histogram {
    uint64_t counts[HISTOGRAM_SIZE], total;
    int64_t max_ns;
};

static unsigned histogram_index(uint64_t us)
{
    if (us < (1u << STEP_BITS))
        return (unsigned)us;
    unsigned power = 63u - (unsigned)__builtin_clzll(us);
    unsigned step = (unsigned)(us >> (power - STEP_BITS)) & ((1u << STEP_BITS) - 1);
    return ((power - STEP_BITS + 1) << STEP_BITS) + step;
}

static void histogram_add(struct histogram *histogram, int64_t ns)
{
    histogram->counts[histogram_index((uint64_t)(ns > 0 ? ns : 0) / 1000)]++;
    histogram->total++;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

/* The upper edge of the step in which the share lies, in ms. */
static double histogram_ms(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)((double)histogram->total * share), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_SIZE; i++) {
        seen += histogram->counts[i];
        if (seen > wanted || (seen == histogram->total && seen > 0)) {
            unsigned power = i >> STEP_BITS, step = i & ((1u << STEP_BITS) - 1);
            uint64_t us =
                power == 0 ? step + 1u : (uint64_t)((1u << STEP_BITS) + step + 1) << (power - 1);
            return (double)us / 1000;
        }
    }
    return 0;
}

/* ---- requests ---- */

struct request {
    char *bytes;
    size_t size;
    uint32_t events;
    uint32_t first_id; /* index of its message ids in `ids` */
};

static struct {
    struct request *all;
    size_t count, capacity, next;
    char **ids; /* where the pass is written */
    size_t id_count, id_capacity;
    uint64_t pass;
    uint64_t events_of_pass;
} requests;

static char *find(char *from, char *end, const char *words)
{
    return memmem(from, (size_t)(end - from), words, strlen(words));
}

static void note_ids(struct request *request, char *body, char *end)
{
    static const char member[] = "\"messageId\":\"";
    request->first_id = (uint32_t)requests.id_count;
    for (char *at = body; (at = find(at, end, member)) != NULL;) {
        at += sizeof(member) - 1;
        char *quote = memchr(at, '"', (size_t)(end - at));
        if (quote == NULL || quote - at < (ptrdiff_t)PASS_DIGITS + 2)
            fail("a message id has less than %u characters: there is no room for the pass",
                 PASS_DIGITS + 2);
        if (requests.id_count == requests.id_capacity) {
            requests.id_capacity = requests.id_capacity * 2 + 4096;
            requests.ids = realloc(requests.ids, requests.id_capacity * sizeof(char *));
            if (requests.ids == NULL)
                fail("out of memory");
        }
        requests.ids[requests.id_count++] = at + 1;
        request->events++;
    }
}

/* Single events go to the path of their type: {"type":"track",… */
static const char *path_of(const struct options *options, const char *body, char path[64])
{
    static const char member[] = "{\"type\":\"";
    if (options->path != NULL)
        return options->path;
    if (strncmp(body, member, sizeof(member) - 1) != 0)
        return "/v1/batch";
    const char *type = body + sizeof(member) - 1;
    snprintf(path, 64, "/v1/%.*s", (int)strcspn(type, "\""), type);
    return path;
}

static struct request *request_new(size_t size_max)
{
    if (requests.count == requests.capacity) {
        requests.capacity = requests.capacity * 2 + 1024;
        requests.all = realloc(requests.all, requests.capacity * sizeof(*requests.all));
        if (requests.all == NULL)
            fail("out of memory");
    }
    struct request *request = &requests.all[requests.count++];
    *request = (struct request){ .bytes = allocate(1, size_max) };
    return request;
}

static void request_add(const struct options *options, const char *line, size_t size)
{
    char path[64], authorization[512] = "";
    const size_t room = size + HEAD_BYTES_MAX;
    struct request *request = request_new(room);
    if (options->token != NULL)
        snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s\r\n",
                 options->token);
    if (options->get) {
        request->size = (size_t)snprintf(request->bytes, room,
                                         "GET %.*s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s\r\n",
                                         (int)size, line, options->port, authorization);
        request->events = 1;
        return;
    }
    int head =
        snprintf(request->bytes, room,
                 "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
                 "%sContent-Length: %zu\r\n\r\n",
                 path_of(options, line, path), options->port, authorization, size);
    memcpy(request->bytes + head, line, size);
    request->size = (size_t)head + size;
    note_ids(request, request->bytes + head, request->bytes + request->size);
}

static void read_requests(const struct options *options)
{
    struct stat stat;
    int fd = open(options->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_size == 0)
        fail("cannot read '%s': %s", options->file, fd < 0 ? strerror(errno) : "it is empty");
    size_t size = (size_t)stat.st_size;
    char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        fail("cannot read '%s': %s", options->file, strerror(errno));
    for (char *line = bytes, *end = bytes + size; line < end;) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop != NULL ? stop : end;
        if (stop > line)
            request_add(options, line, (size_t)(stop - line));
        line = stop + 1;
    }
    munmap(bytes, size);
    close(fd);
    for (size_t i = 0; i < requests.count; i++)
        requests.events_of_pass += requests.all[i].events;
    requests.pass = options->pass;
}

/* The next request, with its pass written into the message ids. */
static const struct request *request_take(void)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char pass[PASS_DIGITS];
    if (requests.next == requests.count) {
        requests.next = 0;
        requests.pass++;
    }
    const struct request *request = &requests.all[requests.next++];
    if (requests.id_count == 0 || requests.pass == 0)
        return request;
    uint64_t rest = requests.pass;
    for (unsigned i = PASS_DIGITS; i-- > 0; rest /= 62)
        pass[i] = digits[rest % 62];
    for (uint32_t i = 0; i < request->events; i++)
        memcpy(requests.ids[request->first_id + i], pass, PASS_DIGITS);
    return request;
}

/* ---- connections ---- */

enum connection_state { IDLE, SENDING, RECEIVING, WAITING };

struct connection {
    int fd;
    enum connection_state state;
    const struct request *request;
    size_t sent, received;
    int64_t due_ns;   /* from here latency counts */
    int64_t begin_ns; /* of sending it, the last time */
    int64_t wake_ns;  /* WAITING: until then */
    bool wants_write; /* registered for EPOLLOUT */
    char answer[ANSWER_BYTES_MAX];
};

static struct {
    const struct options *options;
    int epoll;
    struct connection *all;
    uint32_t *idle;
    unsigned idle_count, waiting_count;
    int64_t begin_ns, measure_ns, end_ns;
    uint64_t sent_requests, sent_events; /* since the begin */
    uint64_t in_flight;
    /* measured */
    uint64_t requests, events, refused_requests, refused_events, failed, broken, reconnects;
    uint64_t no_retry_after; /* refused, and not told when to come again */
    uint64_t by_status[600];
    int64_t last_ns;
    struct histogram latency, answer, refusal; /* since due; taken and refused, since sent */
    char first_failure[512];
} run;

static void connection_open(struct connection *connection)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)run.options->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("cannot connect to 127.0.0.1:%u: %s", run.options->port, strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        fail("cannot watch a connection: %s", strerror(errno));
    connection->wants_write = false;
    connection->received = 0;
}

static void connection_reopen(struct connection *connection)
{
    close(connection->fd);
    connection_open(connection);
    run.reconnects++;
}

static void connection_watch(struct connection *connection, bool write)
{
    if (connection->wants_write == write)
        return;
    struct epoll_event event = { .events = write ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                 .data.ptr = connection };
    epoll_ctl(run.epoll, EPOLL_CTL_MOD, connection->fd, &event);
    connection->wants_write = write;
}

static void connection_rest(struct connection *connection)
{
    connection->state = IDLE;
    connection->request = NULL;
    run.idle[run.idle_count++] = (uint32_t)(connection - run.all);
}

/* The connection is gone in the middle of a request: its fate is unknown. */
static void connection_broke(struct connection *connection)
{
    bool had_request = connection->request != NULL;
    connection_reopen(connection);
    if (connection->state == WAITING)
        return; /* the server closed it after its refusal: the next request goes by a new one */
    if (had_request) {
        run.broken++;
        run.in_flight--;
        connection_rest(connection);
    }
}

static void connection_send(struct connection *connection)
{
    const struct request *request = connection->request;
    while (connection->sent < request->size) {
        ssize_t size = send(connection->fd, request->bytes + connection->sent,
                            request->size - connection->sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EAGAIN) {
            connection_watch(connection, true);
            return;
        }
        if (size < 0) {
            connection_broke(connection);
            return;
        }
        connection->sent += (size_t)size;
    }
    connection_watch(connection, false);
    connection->state = RECEIVING;
}

static void connection_start(int64_t due_ns)
{
    struct connection *connection = &run.all[run.idle[--run.idle_count]];
    connection->request = request_take();
    connection->state = SENDING;
    connection->sent = connection->received = 0;
    connection->due_ns = due_ns;
    connection->begin_ns = now_ns();
    run.sent_requests++;
    run.sent_events += connection->request->events;
    run.in_flight++;
    connection_send(connection);
}

/* ---- answers ---- */

static const char *header_value(const char *head, const char *name)
{
    const char *at = strcasestr(head, name);
    return at != NULL ? at + strlen(name) : NULL;
}

static void note_failure(const struct connection *connection)
{
    if (run.first_failure[0] != '\0')
        return;
    size_t at = 0;
    for (size_t i = 0; i < connection->received && at + 1 < sizeof(run.first_failure); i++) {
        char byte = connection->answer[i];
        run.first_failure[at++] = byte == '"' || byte == '\\' || byte < ' ' ? ' ' : byte;
    }
    run.first_failure[at] = '\0';
}

static bool is_refusal(int status)
{
    return status == 429 || status == 503 || status == 507;
}

static void answer_count(const struct connection *connection, int status, int64_t now)
{
    uint32_t events = connection->request->events;
    if (status < 200 || status >= 300)
        note_failure(connection);
    if (connection->due_ns < run.measure_ns)
        return;
    run.by_status[status < 600 ? status : 0]++;
    if (status >= 200 && status < 300) {
        run.requests++;
        run.events += events;
        histogram_add(&run.latency, now - connection->due_ns);
        histogram_add(&run.answer, now - connection->begin_ns);
    } else if (is_refusal(status)) {
        run.refused_requests++;
        histogram_add(&run.refusal, now - connection->begin_ns);
        run.refused_events += events;
        run.no_retry_after += header_value(connection->answer, "\nretry-after:") == NULL;
    } else {
        run.failed++;
    }
}

static void answer_take(struct connection *connection, int status, bool closing)
{
    int64_t now = now_ns();
    const char *wait = header_value(connection->answer, "\nretry-after:");
    double wait_s = wait != NULL ? strtod(wait, NULL) : 0;
    bool refused = is_refusal(status), again = refused && run.options->retry;
    answer_count(connection, status, now);
    run.last_ns = now;
    if (closing)
        connection_reopen(connection);
    if (!again) {
        connection->request = NULL;
        run.in_flight--;
    }
    if (!refused) {
        connection_rest(connection);
        return;
    }
    connection->state = WAITING;
    connection->wake_ns = now + (int64_t)((wait_s < 1 ? wait_s : 1) * 1e9);
    run.waiting_count++;
}

/* Is the whole answer in the buffer? By Content-Length, by its last chunk, or without a body. */
static bool answer_is_whole(const struct connection *connection)
{
    static const char last_chunk[] = "\r\n0\r\n\r\n";
    const char *answer = connection->answer;
    const char *end = strstr(answer, "\r\n\r\n");
    if (end == NULL)
        return false;
    if (header_value(answer, "\ntransfer-encoding:") != NULL)
        return strcmp(answer + connection->received - (sizeof(last_chunk) - 1), last_chunk) == 0;
    const char *length = header_value(answer, "\ncontent-length:");
    size_t whole = (size_t)(end + 4 - answer) + (length != NULL ? strtoull(length, NULL, 10) : 0);
    if (whole >= ANSWER_BYTES_MAX)
        fail("an answer of %zu bytes is beyond %u", whole, ANSWER_BYTES_MAX);
    return connection->received >= whole;
}

static void answer_parse(struct connection *connection)
{
    connection->answer[connection->received] = '\0';
    if (!answer_is_whole(connection))
        return;
    const char *closing = header_value(connection->answer, "\nconnection:");
    int status = (int)strtol(connection->answer + sizeof("HTTP/1.1"), NULL, 10);
    answer_take(connection, status, closing != NULL && strncasecmp(closing, " close", 6) == 0);
}

static void connection_receive(struct connection *connection)
{
    ssize_t size = recv(connection->fd, connection->answer + connection->received,
                        ANSWER_BYTES_MAX - 1 - connection->received, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        connection_broke(connection);
        return;
    }
    connection->received += (size_t)size;
    /* an early answer (413, 401) may come while the body is still being sent */
    if (connection->state == SENDING || connection->state == RECEIVING)
        answer_parse(connection);
}

/* ---- the run ---- */

static void wake_waiting(int64_t now)
{
    for (unsigned i = 0; run.waiting_count > 0 && i < run.options->connections; i++) {
        struct connection *connection = &run.all[i];
        if (connection->state != WAITING || connection->wake_ns > now)
            continue;
        run.waiting_count--;
        if (connection->request == NULL) {
            connection_rest(connection);
            continue;
        }
        connection->state = SENDING;
        connection->sent = connection->received = 0;
        connection->begin_ns = now;
        connection_send(connection);
    }
}

static bool has_more(int64_t now)
{
    bool counted = run.options->count > 0 && run.sent_events >= run.options->count;
    return now < run.end_ns && !counted;
}

/* Returns for how long to sleep, in ns; -1 until something happens. */
static int64_t start_due(int64_t now)
{
    const struct options *options = run.options;
    while (run.idle_count > 0 && has_more(now)) {
        int64_t due_ns = now;
        if (options->rate > 0) {
            due_ns = run.begin_ns + (int64_t)((double)run.sent_events / options->rate * 1e9);
            if (due_ns > now)
                return due_ns - now;
        }
        connection_start(due_ns);
    }
    return -1;
}

static void take_events(int timeout_ms)
{
    struct epoll_event events[256];
    int count = epoll_wait(run.epoll, events, 256, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            connection_receive(connection);
        if ((events[i].events & EPOLLOUT) && connection->state == SENDING)
            connection_send(connection);
    }
}

static void run_all(const struct options *options)
{
    run.options = options;
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.all = allocate(options->connections, sizeof(*run.all));
    run.idle = allocate(options->connections, sizeof(*run.idle));
    for (unsigned i = 0; i < options->connections; i++) {
        connection_open(&run.all[i]);
        connection_rest(&run.all[i]);
    }
    run.begin_ns = run.last_ns = now_ns();
    run.measure_ns = run.begin_ns + (int64_t)(options->warm_up_s * 1e9);
    run.end_ns = run.measure_ns + (int64_t)(options->seconds * 1e9);
    for (;;) {
        int64_t now = now_ns();
        wake_waiting(now);
        int64_t sleep_ns = start_due(now);
        if (!has_more(now) && (run.in_flight == 0 || now > run.end_ns + 30 * SECOND_NS))
            break;
        /* below a millisecond epoll_wait cannot sleep: look and come back */
        int timeout_ms = sleep_ns >= 0 ? (int)(sleep_ns / 1000000) : 20;
        if (run.waiting_count > 0 && timeout_ms > 5)
            timeout_ms = 5;
        take_events(timeout_ms);
    }
}

static void report(const struct options *options)
{
    double seconds = (double)(run.last_ns - run.measure_ns) / 1e9;
    seconds = seconds > 0 ? seconds : 1e-9;
    double rate = (double)run.events / seconds;
    fprintf(stderr,
            "%s: %.0f %s/s in %.1f s, p50 %.2f ms, p99 %.2f ms; %" PRIu64 " refused, %" PRIu64
            " failed, %" PRIu64 " broken\n",
            options->name, rate, options->get ? "reads" : "events", seconds,
            histogram_ms(&run.latency, 0.5), histogram_ms(&run.latency, 0.99), run.refused_requests,
            run.failed, run.broken);
    printf(
        "{\"name\":\"%s\",\"seconds\":%.3f,\"requests\":%" PRIu64 ",\"events\":%" PRIu64
        ",\"per_second\":%.1f,\"requests_per_second\":%.1f,\"p50_ms\":%.3f,\"p90_ms\":%.3f,"
        "\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,\"refused_requests\":%" PRIu64
        ",\"answer_p50_ms\":%.3f,\"answer_p99_ms\":%.3f,\"answer_p999_ms\":%.3f,\"refusal_p50_ms\":%.3f"
        ",\"refusal_p99_ms\":%.3f,\"refused_events\":%" PRIu64 ",\"failed\":%" PRIu64
        ",\"broken\":%" PRIu64 ",\"unanswered\":%" PRIu64 ",\"no_retry_after\":%" PRIu64
        ",\"last_pass\":%" PRIu64 ",\"statuses\":{",
        options->name, seconds, run.requests, run.events, rate, (double)run.requests / seconds,
        histogram_ms(&run.latency, 0.5), histogram_ms(&run.latency, 0.9),
        histogram_ms(&run.latency, 0.99), histogram_ms(&run.latency, 0.999),
        (double)run.latency.max_ns / 1e6, run.refused_requests, histogram_ms(&run.answer, 0.5),
        histogram_ms(&run.answer, 0.99), histogram_ms(&run.answer, 0.999),
        histogram_ms(&run.refusal, 0.5), histogram_ms(&run.refusal, 0.99), run.refused_events,
        run.failed, run.broken, run.in_flight, run.no_retry_after, requests.pass);
    const char *comma = "";
    for (unsigned status = 0; status < 600; status++) {
        if (run.by_status[status] > 0) {
            printf("%s\"%u\":%" PRIu64, comma, status, run.by_status[status]);
            comma = ",";
        }
    }
    printf("},\"first_failure\":\"%s\"}\n", run.first_failure);
}

/* ---- options ---- */

static const char usage[] =
    "usage: load --port N --file FILE [--path P | --get] [--token T] [--connections N]\n"
    "            [--seconds X] [--warm-up X] [--count EVENTS] [--rate EVENTS_PER_SECOND]\n"
    "            [--pass N] [--retry] [--name NAME]\n";

static struct options read_options(int argc, char **argv)
{
    struct options options = { .connections = 64, .seconds = 10, .name = "load", .pass = 1 };
    static const struct option names[] = {
        { "port", 1, NULL, 'p' },    { "file", 1, NULL, 'f' },  { "path", 1, NULL, 'u' },
        { "get", 0, NULL, 'g' },     { "token", 1, NULL, 't' }, { "connections", 1, NULL, 'c' },
        { "seconds", 1, NULL, 's' }, { "count", 1, NULL, 'n' }, { "warm-up", 1, NULL, 'w' },
        { "rate", 1, NULL, 'r' },    { "name", 1, NULL, 'l' },  { "pass", 1, NULL, 'a' },
        { "retry", 0, NULL, 'R' },   { NULL, 0, NULL, 0 },
    };
    for (int letter; (letter = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (letter) {
        case 'R':
            options.retry = true;
            break;
        case 'p':
            options.port = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            options.file = optarg;
            break;
        case 'u':
            options.path = optarg;
            break;
        case 'g':
            options.get = true;
            break;
        case 't':
            options.token = optarg;
            break;
        case 'c':
            options.connections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            options.seconds = strtod(optarg, NULL);
            break;
        case 'n':
            options.count = strtoull(optarg, NULL, 10);
            break;
        case 'w':
            options.warm_up_s = strtod(optarg, NULL);
            break;
        case 'r':
            options.rate = strtod(optarg, NULL);
            break;
        case 'a':
            options.pass = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'l':
            options.name = optarg;
            break;
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (options.file == NULL || options.port == 0 || options.port > 65535) {
        fputs(usage, stderr);
        exit(2);
    }
    if (options.connections == 0 || options.connections > CONNECTIONS_MAX)
        fail("--connections must be from 1 to %u", CONNECTIONS_MAX);
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    thread_take_short_turns(); /* its own wait for a processor is no latency of the server */
    read_requests(&options);
    if (requests.count < options.connections)
        options.connections = (unsigned)requests.count; /* a request is in flight once */
    run_all(&options);
    report(&options);
    return run.failed > 0 || run.broken > 0 || run.in_flight > 0;
}
