/* SPDX-License-Identifier: Apache-2.0 */
/* The guard: every connection has a phase and a time by which it must have left it.
 *
 *     accept ─▶ HEADER ─▶ BODY ─▶ WAITING ─▶ SENDING ─▶ IDLE ─▶ HEADER …      each may end in a cut
 *
 * libmicrohttpd knows one idle time, which a byte every few seconds renews for ever. A thread looks at
 * all connections twice a second and shuts down the sockets of those that are late; libmicrohttpd
 * then finds them closed.
 *
 * It also does so for who ended its side together with its request. epoll tells of both in one event, and
 * libmicrohttpd's 0.9.75 takes a read that gives less than it has room for as the last one: it would see
 * that end only when the idle time is over.
 */
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/logline.h"
#include "server/inside.h"

#define LOOK_EVERY_MS 500
/* Idle for so long, it is looked whether the other side has ended; an end that comes after that has an event of its own. */
#define ENDED_MS_MIN 1000
#define ENDED_MS_MAX 3000
#define SENDING_MS_MAX 60000
#define BODY_BYTES_PER_MS_MIN 16 /* 16 KB/s: a slow line, not an attack */

static int64_t coarse_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void guard_phase(struct connection *connection, enum phase phase)
{
    atomic_store_explicit(&connection->since_ms, coarse_now_ms(), memory_order_relaxed);
    atomic_store_explicit(&connection->phase, (int)phase, memory_order_release);
}

static void write_address(struct MHD_Connection *connection, char out[48])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    out[0] = '\0';
    if (info == NULL || info->client_addr == NULL)
        return;
    const void *address = NULL;
    if (info->client_addr->sa_family == AF_INET)
        address = &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr;
    else if (info->client_addr->sa_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr;
    if (address != NULL)
        inet_ntop(info->client_addr->sa_family, address, out, 48);
}

static void connection_opened(struct server *server, struct MHD_Connection *made,
                              void **socket_context)
{
    struct connection *connection = memory_alloc(sizeof(*connection));
    *socket_context = connection;
    if (connection == NULL)
        return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(made, MHD_CONNECTION_INFO_CONNECTION_FD);
    connection->fd = info != NULL ? info->connect_fd : -1;
    write_address(made, connection->address);
    guard_phase(connection, PHASE_HEADER);
    pthread_mutex_lock(&server->guard_mutex);
    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    server->connections = connection;
    pthread_mutex_unlock(&server->guard_mutex);
    atomic_fetch_add(&server->connection_count, 1);
}

static void connection_closed(struct server *server, void **socket_context)
{
    struct connection *connection = *socket_context;
    *socket_context = NULL;
    if (connection == NULL)
        return;
    pthread_mutex_lock(&server->guard_mutex);
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    pthread_mutex_unlock(&server->guard_mutex);
    memory_free(connection);
    atomic_fetch_sub(&server->connection_count, 1);
}

void guard_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_opened(context, connection, socket_context);
    else
        connection_closed(context, socket_context);
}

static bool is_late(const struct server *server, struct connection *connection, int64_t now_ms)
{
    int phase = atomic_load_explicit(&connection->phase, memory_order_acquire);
    int64_t for_ms = now_ms - atomic_load_explicit(&connection->since_ms, memory_order_relaxed);
    size_t bytes = atomic_load_explicit(&connection->body_bytes, memory_order_relaxed);
    switch ((enum phase)phase) {
    case PHASE_HEADER:
        return for_ms > server->config.header_ms_max;
    case PHASE_BODY:
        return for_ms > server->config.body_ms_max &&
               (int64_t)bytes < for_ms * BODY_BYTES_PER_MS_MIN;
    case PHASE_SENDING:
        return for_ms > SENDING_MS_MAX;
    case PHASE_IDLE:
        return for_ms > server->config.idle_ms_max ||
               atomic_load_explicit(&server->draining, memory_order_relaxed);
    case PHASE_WAITING:
    case PHASE_STREAMING:
        break;
    }
    return false;
}

/* What it did not take goes with it: else the kernel would hand it out behind our back, as slowly as it is taken, for as long as
 * that lasts. When the server ends, an answer that is just under way is not thrown away. */
static void cut(const struct server *server, int fd)
{
    int unsent_bytes = 0;
    const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
    if (!atomic_load_explicit(&server->draining, memory_order_relaxed) &&
        ioctl(fd, SIOCOUTQ, &unsent_bytes) == 0 && unsent_bytes > 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    shutdown(fd, SHUT_RDWR);
}

/* Whether the other side has ended and nothing that it sent is unread. Its answer goes out before the end that shutdown adds. */
static bool is_ended(struct connection *connection, int64_t now_ms)
{
    char byte;
    if (atomic_load_explicit(&connection->phase, memory_order_acquire) != PHASE_IDLE)
        return false;
    int64_t for_ms = now_ms - atomic_load_explicit(&connection->since_ms, memory_order_relaxed);
    return for_ms >= ENDED_MS_MIN && for_ms <= ENDED_MS_MAX &&
           recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void cut_late_ones(struct server *server)
{
    int64_t now_ms = coarse_now_ms();
    unsigned count = 0;
    pthread_mutex_lock(&server->guard_mutex);
    for (struct connection *one = server->connections; one != NULL; one = one->next) {
        /* The socket is closed only after connection_closed, which takes this lock. */
        if (one->fd < 0)
            continue;
        if (is_late(server, one, now_ms)) {
            cut(server, one->fd);
            if (atomic_load_explicit(&one->phase, memory_order_relaxed) != PHASE_IDLE)
                count++;
        } else if (is_ended(one, now_ms)) {
            shutdown(one->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->guard_mutex);
    if (count > 0)
        log_line(LOG_INFO, "connections_cut", "count=%u reason=late", count);
}

static void *guard_run(void *context)
{
    struct server *server = context;
    while (!atomic_load(&server->stopping)) {
        steady_sleep_ms(atomic_load(&server->draining) ? 50 : LOOK_EVERY_MS);
        cut_late_ones(server);
    }
    return NULL;
}

err guard_start(struct server *server)
{
    if (pthread_create(&server->guard_thread, NULL, guard_run, server) != 0)
        return ERR_NOMEM;
    server->guard_runs = true;
    return ERR_OK;
}

void guard_stop(struct server *server)
{
    if (server->guard_runs)
        pthread_join(server->guard_thread, NULL);
    server->guard_runs = false;
}
