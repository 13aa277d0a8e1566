/* SPDX-License-Identifier: Apache-2.0 */
/* loud: events of sources that bring more than their share beside others (flow.c) are decoded by a thread of their own, which gives way
 * to all others.
 *
 *     read whole ──loud_put──▶ its lane ──the thread, lane after lane──▶ decoded, in the log ──durable──▶ loud_done: the next may come
 *
 * Decoding is most of what an event costs. On the thread that also reads and answers, a flood would have used up that thread's turns
 * with the kernel before a quiet source's bytes are there, and so the quiet one would wait for the processor at each step. This way the
 * threads of libmicrohttpd sleep most of the time, and who sleeps is run at once when it wakes.
 *
 * The lanes are those of turns.c, with what it holds back: so many bytes at a time, and a source with a limit at its pace.
 *
 * loud_put and loud_done: libmicrohttpd's threads. The lanes are under the mutex, which is never held while something is decoded. */
#include "base/arena.h"
#include "base/thread.h"
#include "server/inside.h"

struct loud {
    struct server *server;
    struct http_thread *keeps; /* the thread's decoder, and how late it is (admit.c) */
    pthread_t thread;
    bool runs;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct turns *turns;
    bool closed;
};

bool loud_put(struct request *request, uint64_t lane)
{
    struct loud *loud = request->server->loud;
    pthread_mutex_lock(&loud->mutex);
    bool fits = turns_put(loud->turns, request, lane);
    pthread_mutex_unlock(&loud->mutex);
    if (fits)
        pthread_cond_signal(&loud->wake);
    return fits;
}

void loud_done(struct request *request)
{
    struct loud *loud = request->server->loud;
    if (request->loud_bytes == 0)
        return;
    pthread_mutex_lock(&loud->mutex);
    turns_done(loud->turns, request);
    pthread_mutex_unlock(&loud->mutex);
    pthread_cond_signal(&loud->wake);
}

/* Until somebody comes, something is durable, or the pace of a source lets its next one go. Under the mutex. */
static void rest(struct loud *loud)
{
    int64_t us = turns_pause_us(loud->turns);
    if (us < 0) {
        pthread_cond_wait(&loud->wake, &loud->mutex);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + us % 1000000 * 1000;
    until.tv_sec += (time_t)(us / 1000000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&loud->wake, &loud->mutex, &until);
}

/* NULL: closed. */
static struct request *next(struct loud *loud)
{
    struct request *request = NULL;
    pthread_mutex_lock(&loud->mutex);
    while (!loud->closed && (request = turns_take(loud->turns)) == NULL)
        rest(loud);
    pthread_mutex_unlock(&loud->mutex);
    return request;
}

static void *run(void *context)
{
    struct loud *loud = context;
    struct request *request;
    pthread_setname_np(pthread_self(), "kith-loud");
    thread_give_way();
    while ((request = next(loud)) != NULL)
        door_run_queued(request, loud->keeps);
    return NULL;
}

err loud_start(struct server *server)
{
    pthread_condattr_t monotonic;
    struct loud *loud = memory_alloc(sizeof(*loud));
    if (loud == NULL)
        return ERR_NOMEM;
    server->loud = loud;
    loud->server = server;
    pthread_mutex_init(&loud->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&loud->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    loud->keeps = http_thread_new(server);
    if (loud->keeps == NULL || turns_new(&loud->turns) != ERR_OK)
        return ERR_NOMEM;
    loud->runs = pthread_create(&loud->thread, NULL, run, loud) == 0;
    return loud->runs ? ERR_OK : ERR_NOMEM;
}

void loud_stop(struct server *server)
{
    struct loud *loud = server->loud;
    if (loud == NULL)
        return;
    pthread_mutex_lock(&loud->mutex);
    loud->closed = true;
    pthread_mutex_unlock(&loud->mutex);
    pthread_cond_signal(&loud->wake);
    if (loud->runs)
        pthread_join(loud->thread, NULL);
    turns_free(&loud->turns);
    pthread_cond_destroy(&loud->wake);
    pthread_mutex_destroy(&loud->mutex);
    memory_free(loud);
    server->loud = NULL;
}
