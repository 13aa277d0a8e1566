/* SPDX-License-Identifier: Apache-2.0 */
/* A client that takes its answers through the smallest window that the kernel gives, a byte at a time:
 *
 *   base_trickle PORT PATH REQUESTS SECONDS
 *
 * sends so many GET requests at once, reads a byte every 100 ms, and ends when the server has cut it, or after so many seconds. Says one
 * line: "cut READ" or "open READ", and "advertised N", the window as the kernel tells it. 127.0.0.1 only. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define READ_EVERY_MS 100

/* The size of the buffer counts when the connection is made: the window is told with its first packets. */
static int connect_with_small_window(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &one, sizeof one) != 0 ||
        connect(fd, (struct sockaddr *)(void *)&address, sizeof address) != 0) {
        fprintf(stderr, "base_trickle: %s\n", strerror(errno));
        exit(1);
    }
    return fd;
}

static int window_of(int fd)
{
    int bytes = 0;
    socklen_t size = sizeof bytes;
    (void)getsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes, &size);
    return bytes;
}

static void ask(int fd, const char *path, int requests)
{
    char text[512];
    int size = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    for (int i = 0; i < requests; i++)
        if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
            return;
}

/* True: cut. */
static bool take_a_byte(int fd, uint64_t *read_bytes)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    if (got == 1)
        (*read_bytes)++;
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        return true;
    struct pollfd one = { .fd = fd, .events = POLLRDHUP };
    return poll(&one, 1, 0) == 1 && (one.revents & (POLLERR | POLLHUP | POLLRDHUP)) != 0;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: base_trickle PORT PATH REQUESTS SECONDS\n", stderr);
        return 1;
    }
    int64_t ms_max = strtol(argv[4], NULL, 10) * 1000;
    int fd = connect_with_small_window((uint16_t)strtol(argv[1], NULL, 10));
    ask(fd, argv[2], (int)strtol(argv[3], NULL, 10));
    steady_ns start = steady_now();
    uint64_t read_bytes = 0;
    bool is_cut = false;
    while (!is_cut && steady_since_ms(start) < ms_max) {
        is_cut = take_a_byte(fd, &read_bytes);
        steady_sleep_ms(READ_EVERY_MS);
    }
    printf("%s %" PRIu64 " advertised %d\n", is_cut ? "cut" : "open", read_bytes, window_of(fd));
    close(fd);
    return 0;
}
