/* SPDX-License-Identifier: Apache-2.0 */
/* How many signed webhooks a second one account hands to a receiver on this machine: channel [MESSAGES [URL]]; with a URL to that
 * receiver, else to one of its own that answers at once. `kith sandbox` takes them at http://127.0.0.1:PORT/webhook/NAME. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "channel/channel.h"

static _Atomic size_t told, delivered;

static void on_done(void *context, const struct channel_result *result)
{
    (void)context;
    delivered += result->outcome == CHANNEL_DELIVERED;
    told++;
}

static int64_t now_ms(void *context)
{
    struct wall_clock clock;
    (void)context;
    wall_clock_init_real(&clock);
    return wall_clock_now_ms(&clock);
}

/* Answers 200 to whatever comes: a request of the bench fits one packet. */
static void *receive(void *context)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    int listener = *(int *)context, poll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, events[64];
    char bytes[8192];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                event.data.fd = accept(listener, NULL, NULL);
                epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
            } else if (read(fd, bytes, sizeof bytes) <= 0 ||
                       write(fd, ANSWER, sizeof ANSWER - 1) < 0) {
                close(fd);
            }
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct channels_config config = { .now_ms = now_ms, .done = on_done };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int64_t messages = 200000;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct channels *channels;
    struct json_parser *parser;
    struct problem problem;
    json_value root;
    pthread_t thread;
    char settings[512], own[64];
    const char *url = argc > 2 ? argv[2] : own;
    if (argc > 1 && !str_to_int64(str_from_c(argv[1]), &messages))
        return 2;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&thread, NULL, receive, &listener) != 0)
        return 1;
    snprintf(own, sizeof own, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    snprintf(settings, sizeof settings,
             "{\"url\":\"%.300s\",\"allow_private\":true,\"concurrency\":64,"
             "\"signing_secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
             url);
    if (channels_new(&channels, &config, &problem) != ERR_OK ||
        json_parser_new(&parser, 1 << 16) != ERR_OK ||
        json_parse(parser, str_from_c(settings), &root, &problem) != ERR_OK ||
        channels_put_account(channels, STR("w"), CHANNEL_WEBHOOK, root, &problem) != ERR_OK)
        return 1;
    struct channel_message message = {
        .account = STR("w"), .content = STR("{\"type\":\"touch\",\"data\":{\"one_id\":\"c_1\"}}")
    };
    steady_ns start = steady_now();
    for (int64_t i = 0; i < messages;) {
        size_t taken = 0;
        message.touch = (uint64_t)i;
        message.order = (uint64_t)i + 1;
        snprintf(message.key, sizeof message.key, "%032llx", (long long)i);
        if (channels_send(channels, &message, 1, &taken, NULL) == ERR_OK)
            i++;
        else
            steady_sleep_ms(1);
    }
    while (told < (size_t)messages)
        steady_sleep_ms(1);
    int64_t us = steady_since_us(start);
    printf("webhooks: %lld in %.2f s, %.0f/s, %zu delivered\n", (long long)messages,
           (double)us / 1e6, (double)messages * 1e6 / (double)us, (size_t)delivered);
    channels_free(&channels, 1000);
    json_parser_free(&parser);
    return 0;
}
