/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting: one thread takes connections and deals them out to libmicrohttpd's threads in turn.
 *
 * Left to them, whichever wakes first takes all that wait, and one core would do most of the work.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/logline.h"
#include "server/inside.h"

#define BACKLOG 4096
#define PAUSE_MS 20 /* when there are no more descriptors */

static err parse_address(const struct server_config *config, struct sockaddr_storage *out,
                         socklen_t *size, struct problem *problem)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, config->address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(config->port);
        *size = sizeof(*four);
        return ERR_OK;
    }
    if (inet_pton(AF_INET6, config->address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(config->port);
        *size = sizeof(*six);
        return ERR_OK;
    }
    return problem_set(problem, ERR_INVALID, "'%s' is no address to listen on", config->address);
}

static err open_socket(const struct server_config *config, int *out, struct problem *problem)
{
    struct sockaddr_storage address;
    socklen_t size = 0;
    int yes = 1;
    err error = parse_address(config, &address, &size, problem);
    if (error != ERR_OK)
        return error;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0) {
        error = problem_set(problem, ERR_IO, "cannot listen on %s port %u: %s", config->address,
                            config->port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return error;
    }
    *out = fd;
    return ERR_OK;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = { .six = { .sin6_family = AF_UNSPEC } };
    socklen_t size = sizeof(address);
    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
}

static void *accept_run(void *context)
{
    struct server *server = context;
    while (!atomic_load(&server->draining)) {
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);
        int fd = accept4(server->listen_fd, (struct sockaddr *)&address, &size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EINVAL || errno == EBADF)
                break; /* shut down */
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                log_line(LOG_WARN, "accept_failed", "reason=\"%s\"", strerror(errno));
                steady_sleep_ms(PAUSE_MS);
            }
            continue;
        }
        /* Over a limit it is closed there. */
        (void)MHD_add_connection(server->daemon, fd, (struct sockaddr *)&address, size);
    }
    return NULL;
}

err accept_start(struct server *server, struct problem *problem)
{
    err error = open_socket(&server->config, &server->listen_fd, problem);
    if (error != ERR_OK)
        return error;
    server->port = port_of(server->listen_fd);
    if (pthread_create(&server->accept_thread, NULL, accept_run, server) != 0)
        return problem_set(problem, ERR_NOMEM, "the accepting thread cannot be started");
    server->accept_runs = true;
    return ERR_OK;
}

void accept_stop(struct server *server)
{
    if (server->listen_fd >= 0)
        shutdown(server->listen_fd, SHUT_RDWR); /* wakes the thread */
    if (server->accept_runs)
        pthread_join(server->accept_thread, NULL);
    server->accept_runs = false;
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    server->listen_fd = -1;
}
