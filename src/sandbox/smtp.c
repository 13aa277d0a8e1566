/* SPDX-License-Identifier: Apache-2.0 */
/* A mail host: connections of SMTP, one thread with poll. What is said on one is in smtp_session.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/inside.h"

#define CONNECTIONS_MAX 500
#define TICK_MS 100
#define OUT_BYTES_MAX ((size_t)1 << 20)

struct connection {
    int socket;
    struct smtp_session *session;
    struct buffer out;
    size_t written;
    bool ends;
};
struct smtp_server {
    struct sandbox *sandbox;
    int socket;
    uint16_t port;
    pthread_t thread;
    bool has_thread;
    _Atomic bool stop;
    struct connection connections[CONNECTIONS_MAX];
    size_t count;
};

static void close_connection(struct smtp_server *smtp, size_t index)
{
    struct connection *connection = &smtp->connections[index];
    close(connection->socket);
    smtp_session_free(&connection->session);
    buffer_deinit(&connection->out);
    *connection = smtp->connections[--smtp->count];
}

static void accept_one(struct smtp_server *smtp)
{
    int socket = accept4(smtp->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0)
        return;
    struct smtp_session *session =
        smtp->count < CONNECTIONS_MAX ? smtp_session_new(smtp->sandbox) : NULL;
    if (session == NULL) {
        close(socket);
        return;
    }
    struct connection *connection = &smtp->connections[smtp->count++];
    *connection = (struct connection){ .socket = socket, .session = session };
    buffer_init(&connection->out, OUT_BYTES_MAX);
    smtp_session_greet(session, &connection->out);
}

/* False: it is over. */
static bool write_out(struct connection *connection)
{
    while (connection->written < connection->out.size) {
        ssize_t size = send(connection->socket, connection->out.data + connection->written,
                            connection->out.size - connection->written, MSG_NOSIGNAL);
        if (size < 0)
            return errno == EAGAIN || errno == EINTR;
        connection->written += (size_t)size;
    }
    buffer_clear(&connection->out);
    connection->written = 0;
    return !connection->ends;
}

static bool read_in(struct connection *connection)
{
    char bytes[65536];
    ssize_t size = recv(connection->socket, bytes, sizeof bytes, 0);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    if (size == 0)
        return false;
    connection->ends = !smtp_session_feed(connection->session, str_from_bytes(bytes, (size_t)size),
                                          &connection->out);
    return !connection->out.failed;
}

static void *run(void *context)
{
    struct smtp_server *smtp = context;
    struct pollfd polled[CONNECTIONS_MAX + 1];
    while (!smtp->stop) {
        size_t count = smtp->count;
        polled[0] = (struct pollfd){ .fd = smtp->socket, .events = POLLIN };
        for (size_t i = 0; i < count; i++)
            polled[i + 1] = (struct pollfd){
                .fd = smtp->connections[i].socket,
                .events = (short)(POLLIN | (smtp->connections[i].out.size > 0 ? POLLOUT : 0))
            };
        if (poll(polled, count + 1, TICK_MS) <= 0)
            continue;
        for (size_t i = count; i-- > 0;) {
            struct connection *connection = &smtp->connections[i];
            bool goes_on = polled[i + 1].revents == 0 ||
                           !(polled[i + 1].revents & (POLLIN | POLLHUP)) || read_in(connection);
            if (!goes_on || !write_out(connection))
                close_connection(smtp, i);
        }
        if (polled[0].revents & POLLIN)
            accept_one(smtp);
    }
    return NULL;
}

static err bind_to(struct smtp_server *smtp, const char *listen_at, struct problem *problem)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    const char *colon = strrchr(listen_at, ':');
    char host[64] = "";
    int64_t port = -1;
    int yes = 1;
    if (colon != NULL && (size_t)(colon - listen_at) < sizeof host)
        memcpy(host, listen_at, (size_t)(colon - listen_at));
    if (colon == NULL || !str_to_int64(str_from_c(colon + 1), &port) || port < 0 || port > 65535 ||
        inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        problem_set(problem, ERR_INVALID, "'%s' is not ADDRESS:PORT", listen_at);
        return problem_hint(problem, ERR_INVALID, "for example 127.0.0.1:8025");
    }
    address.sin_port = htons((uint16_t)port);
    smtp->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (smtp->socket < 0 ||
        setsockopt(smtp->socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(smtp->socket, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(smtp->socket, 128) != 0 ||
        getsockname(smtp->socket, (struct sockaddr *)&address, &size) != 0)
        return problem_set(problem, ERR_UNAVAILABLE, "the sandbox cannot listen on '%s'",
                           listen_at);
    smtp->port = ntohs(address.sin_port);
    return ERR_OK;
}

err smtp_start(struct sandbox *sandbox, struct problem *problem)
{
    struct smtp_server *smtp = memory_alloc(sizeof *smtp);
    if (smtp == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the sandbox");
    sandbox->smtp = smtp;
    smtp->sandbox = sandbox;
    smtp->socket = -1;
    err error = bind_to(smtp, sandbox->config.smtp_listen, problem);
    if (error == ERR_OK) {
        smtp->has_thread = pthread_create(&smtp->thread, NULL, run, smtp) == 0;
        if (!smtp->has_thread)
            error = problem_set(problem, ERR_UNAVAILABLE, "no thread for the sandbox");
    }
    return error;
}

uint16_t smtp_port(const struct sandbox *sandbox)
{
    return sandbox->smtp != NULL ? sandbox->smtp->port : 0;
}

void smtp_stop(struct sandbox *sandbox)
{
    struct smtp_server *smtp = sandbox->smtp;
    if (smtp == NULL)
        return;
    smtp->stop = true;
    if (smtp->has_thread)
        pthread_join(smtp->thread, NULL);
    while (smtp->count > 0)
        close_connection(smtp, smtp->count - 1);
    if (smtp->socket >= 0)
        close(smtp->socket);
    memory_free(smtp);
    sandbox->smtp = NULL;
}
