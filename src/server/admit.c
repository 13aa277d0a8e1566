/* SPDX-License-Identifier: Apache-2.0 */
/* Admission: what has waited too long is refused before anything of it is decoded.
 *
 * A request that comes while its thread works on others waits in its socket, where nothing counts it: with three times as
 * many as can be answered, everybody waits for seconds, and nobody is told. So a thread whose turns are full (as
 * many sockets were ready as one turn takes) or long asks the kernel for how long the last bytes of each
 * request have lain in its socket, when its headers are read and again when its body is, and refuses those that are
 * over the limit: 429 with Retry-After, for the price of reading the body. Who is refused leaves the queue, and
 * those behind are in time again.
 *
 *     calm ──a request over the limit──▶ watching ──still over after as long again──▶ refusing
 *      ▲                                   │ one in time                                │
 *      └───────────────────────────────────┴─────────2 s without a refusal──────────────┘
 *
 * Watching lets a burst or a pause of the machine pass, as CoDel does (Nichols and Jacobson, Controlling Delay,
 * ACM Queue 10/5, 2012; RFC 8289). While refusing, half the limit counts, and a quarter when only the headers
 * are here: the queue would stand at it else, and the log and the answer take their time too.
 *
 * A source that brings little beside others (flow_is_quiet) has ten times the limit: refusing it would help nobody.
 *
 * One thread each: a libmicrohttpd thread and its own state.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/metric.h"
#include "server/inside.h"

/* Short: while more comes than can be answered there is a refusal every few milliseconds, and when that is over, a pause
 * of the disk shall not be taken for more of it. */
#define EPISODE_MS 2000
/* Of new sockets in a turn: the most keeps away from libmicrohttpd's 128 (see epoll_wait in http.c). */
#define TURN_SOCKETS_MAX 64
#define TURN_SOCKETS_MIN 4
#define TURN_US 8000
/* Come again after one to three seconds: not all in the same moment. */
#define RETRY_SPREAD_S 3
/* A question of the console has more patience than an SDK, which has a queue of its own. */
#define API_PATIENCE 10
/* Nor is a source refused for what another floods with, as long as it waits less than that. */
#define QUIET_PATIENCE 10
/* Who is taken at the pace of its limit waits for that, and may have a second's worth of it waiting. */
#define PACED_PATIENCE 10

static int64_t between_ms(steady_ns from, steady_ns to)
{
    return (to.ns - from.ns) / 1000000;
}

/* ---- turns ---- */

/* An answer that becomes durable within a turn waits for its end, and a body that comes in five parts takes five turns: so
 * turns are kept short by taking fewer new sockets at a time. */
int admission_turn_ends(struct admission *admission)
{
    int64_t took_us = 0;
    if (admission->turn_began.ns != 0)
        took_us = steady_since_us(admission->turn_began);
    admission->turn_ms = took_us / 1000;
    if (admission->sockets == 0)
        admission->sockets = TURN_SOCKETS_MAX;
    else if (took_us > TURN_US)
        admission->sockets = admission->sockets / 2 + TURN_SOCKETS_MIN / 2;
    else if (took_us < TURN_US / 4 && admission->sockets < TURN_SOCKETS_MAX)
        admission->sockets++;
    return admission->sockets;
}

void admission_turn_begins(struct admission *admission, int sockets)
{
    admission->turn_began = steady_now();
    admission->full = sockets >= admission->sockets;
}

/* ---- how long did it wait? ---- */

/* Since the last bytes came from the wire, in the kernel's ticks (4 ms). The rest of a body that still comes has not
 * waited: its sender is slow, not we. */
static int64_t socket_waited_ms(int fd)
{
    struct tcp_info info = { .tcpi_last_data_recv = 0 };
    socklen_t size = sizeof info;
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return 0;
    return info.tcpi_last_data_recv;
}

static bool is_refusing(const struct admission *admission, steady_ns now)
{
    return admission->refused_at.ns != 0 && between_ms(admission->refused_at, now) < EPISODE_MS;
}

/* CoDel's first state: over the limit, but not yet for as long as the limit itself. */
static bool is_passing(struct admission *admission, int64_t limit_ms, steady_ns now)
{
    if (admission->over_since.ns == 0)
        admission->over_since = now;
    return between_ms(admission->over_since, now) < limit_ms;
}

static bool is_too_late(struct admission *admission, int64_t waited_ms, int64_t limit_ms,
                        int64_t refusing_ms)
{
    steady_ns now = steady_now();
    bool refusing = is_refusing(admission, now);
    if (waited_ms <= (refusing ? refusing_ms : limit_ms)) {
        admission->over_since.ns = 0;
        return false;
    }
    if (!refusing && is_passing(admission, limit_ms, now))
        return false;
    admission->refused_at = now;
    return true;
}

/* ---- a request ---- */

static int64_t limit_of(const struct request *request)
{
    int64_t limit_ms = server_door_wait_ms_max(request->server);
    if (request->is_door && request->is_loud)
        return flow_is_paced(request) ? limit_ms * PACED_PATIENCE : limit_ms;
    if (request->is_door)
        return flow_is_quiet(request) ? limit_ms * QUIET_PATIENCE : limit_ms;
    return str_starts_with(request->path, STR("/api/")) ? limit_ms * API_PATIENCE : 0;
}

static bool permits(struct request *request, int64_t limit_ms, int64_t refusing_ms,
                    int64_t *waited_ms)
{
    struct admission *admission = &request->thread->admission;
    bool pressed =
        admission->full || admission->turn_ms > server_door_wait_ms_max(request->server) / 2;
    if (limit_ms == 0 || !pressed)
        return true;
    *waited_ms = socket_waited_ms(request->link->fd);
    if (*waited_ms > limit_ms / 2)
        flows_press(request->server->flows);
    if (!is_too_late(admission, *waited_ms, limit_ms, refusing_ms))
        return true;
    metric_add(METRIC_REQUESTS_LATE, 1);
    request->retry_after_s = 1 + admission->refused++ % RETRY_SPREAD_S;
    return false;
}

bool admission_permits(struct request *request)
{
    int64_t limit_ms = limit_of(request);
    return permits(request, limit_ms, limit_ms / 4, &request->waited_ms);
}

bool admission_permits_waited(struct request *request, struct admission *admission,
                              int64_t waited_ms)
{
    int64_t limit_ms = limit_of(request);
    if (limit_ms == 0)
        return true;
    /* A loud one is held in its lane for the others' sake: that says nothing of the server. */
    if (waited_ms > limit_ms / 2 && !request->is_loud)
        flows_press(request->server->flows);
    if (!is_too_late(admission, waited_ms, limit_ms, limit_ms / 2))
        return true;
    metric_add(METRIC_REQUESTS_LATE, 1);
    request->retry_after_s = 1 + admission->refused++ % RETRY_SPREAD_S;
    return false;
}

/* While its body came in parts, others had their turns. */
bool admission_still_permits(struct request *request)
{
    int64_t limit_ms = limit_of(request), waited_ms = 0;
    return permits(request, limit_ms, limit_ms / 2, &waited_ms);
}
