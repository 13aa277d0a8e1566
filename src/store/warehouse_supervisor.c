/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_supervisor: the thread that keeps the warehouse in reach.
 *
 *   DOWN ──start──> STARTING ──ping, tables──> READY        run_child
 *    ^                 │                         │
 *    └──back-off───────┴──child ends or is mute──┘           wait_for_child
 *
 * With a cluster there is nothing to start: it is asked until it answers, and watched. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logline.h"
#include "base/metric.h"
#include "store/warehouse_inside.h"

#define STARTING_POLL_MS 20
#define READY_POLL_MS 100
#define PING_EVERY_MS 2000
#define PING_TIMEOUT_MS 5000
/* A child that says nothing for so long is ended. Starting includes loading parts. */
#define MUTE_MS (2 * MINUTE_MS)
#define START_MS (5 * MINUTE_MS)
#define BACK_OFF_FIRST_MS 100
#define BACK_OFF_LAST_MS 5000
/* For a child that did get ready: it probably will again. */
#define BACK_OFF_READY_MS 500
#define STOP_MS (8 * SECOND_MS)
#define CHILD_NICE 19
#define LOOKS_MAX 100

/* ---- state ---- */

static bool is_stopping(struct warehouse *warehouse)
{
    pthread_mutex_lock(&warehouse->mutex);
    bool stopping = warehouse->stopping;
    pthread_mutex_unlock(&warehouse->mutex);
    return stopping;
}

/* Sleep, but not when stopping. */
static bool rest(struct warehouse *warehouse, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&warehouse->mutex);
    int code = 0;
    while (!warehouse->stopping && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&warehouse->changed, &warehouse->mutex, &until);
    bool stopping = warehouse->stopping;
    pthread_mutex_unlock(&warehouse->mutex);
    return !stopping;
}

/* Sleep, but not when stopping, and wake when a shard is told to be missing: it is soon asked again. */
static void rest_unless_down(struct warehouse *warehouse, int64_t ms)
{
    bool was_ready = warehouse_is_ready(warehouse);
    for (int64_t slept_ms = 0; slept_ms < ms; slept_ms += READY_POLL_MS) {
        if (!rest(warehouse, ms - slept_ms < READY_POLL_MS ? ms - slept_ms : READY_POLL_MS))
            return;
        if (was_ready && !warehouse_is_ready(warehouse))
            return;
    }
}

static void say_ready(struct warehouse *warehouse)
{
    pthread_mutex_lock(&warehouse->mutex);
    warehouse->ready = true;
    pthread_cond_broadcast(&warehouse->changed);
    pthread_mutex_unlock(&warehouse->mutex);
}

static void say_unready(struct warehouse *warehouse, const struct problem *problem)
{
    pthread_mutex_lock(&warehouse->mutex);
    warehouse->ready = false;
    warehouse->problem = *problem;
    warehouse->problem.error = ERR_UNAVAILABLE;
    pthread_mutex_unlock(&warehouse->mutex);
}

static void set_pid(struct warehouse *warehouse, int pid)
{
    pthread_mutex_lock(&warehouse->mutex);
    warehouse->child_pid = pid;
    pthread_mutex_unlock(&warehouse->mutex);
}

/* Tables are made before anybody else may ask. */
static bool try_ready(struct warehouse *warehouse, struct problem *problem)
{
    if (warehouse_ping(warehouse, 0, PING_TIMEOUT_MS, problem) != ERR_OK)
        return false;
    if (warehouse_make_tables(warehouse, problem) != ERR_OK) {
        log_line(LOG_ERROR, "warehouse_tables", "reason=\"%s\"", problem->detail);
        say_unready(warehouse, problem);
        return false;
    }
    /* What another process put before may not be in this one's dictionary. */
    atomic_store(&warehouse->aliases_changed, true);
    say_ready(warehouse);
    return true;
}

/* ---- the child ---- */

/* Own process group: Ctrl-C in a terminal is for the server, which ends the child last. */
static err spawn(struct warehouse *warehouse, pid_t *pid, struct problem *problem)
{
    char memory[32], parent[32];
    snprintf(memory, sizeof(memory), "%zu", warehouse->memory_bytes_max);
    snprintf(parent, sizeof(parent), "%d", (int)getpid());
    const char *arguments[] = { warehouse->program,
                                "warehouse",
                                "--folder",
                                warehouse->folder,
                                "--socket",
                                warehouse->socket,
                                "--library",
                                warehouse->library,
                                "--memory",
                                memory,
                                "--parent",
                                parent,
                                NULL };
    char *copy[sizeof(arguments) / sizeof(arguments[0])];
    memcpy(copy, arguments, sizeof(arguments));
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETPGROUP));
    int code = posix_spawn(pid, warehouse->program, &files, &attributes, copy, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (code != 0)
        return problem_set(problem, ERR_UNAVAILABLE, "the warehouse child '%s' cannot start: %s",
                           warehouse->program, strerror(code));
    metric_add(METRIC_WAREHOUSE_STARTS, 1);
    return ERR_OK;
}

static bool has_ended(pid_t pid, int *status)
{
    return waitpid(pid, status, WNOHANG) == pid;
}

static void describe_end(int status, struct problem *problem)
{
    if (WIFSIGNALED(status))
        problem_set(problem, ERR_UNAVAILABLE,
                    "the warehouse child was ended by signal %d and starts again",
                    WTERMSIG(status));
    else
        problem_set(problem, ERR_UNAVAILABLE,
                    "the warehouse child ended with code %d and starts again", WEXITSTATUS(status));
}

/* Ask it to end, then make it; it is gone when this returns. */
static void end_child(pid_t pid)
{
    int status;
    steady_ns start = steady_now();
    kill(pid, SIGTERM);
    while (steady_since_ms(start) < STOP_MS) {
        if (has_ended(pid, &status))
            return;
        steady_sleep_ms(5);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
}

/* On Linux the nice value is each thread's own. Those that chDB has put elsewhere stay there. False: none had to be lowered. */
static bool lower_threads(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *entries = opendir(path);
    struct dirent *entry;
    int given = getpriority(PRIO_PROCESS, 0);
    bool lowered = false;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        uint64_t thread;
        if (!str_to_uint64(str_from_c(entry->d_name), &thread))
            continue;
        errno = 0;
        int nice_now = getpriority(PRIO_PROCESS, (id_t)thread);
        if (errno == 0 && nice_now == given && given < CHILD_NICE)
            lowered |= setpriority(PRIO_PROCESS, (id_t)thread, CHILD_NICE) == 0;
    }
    if (entries != NULL)
        closedir(entries);
    return lowered;
}

/* A thread has the value of the one that began it: who was begun during a look is found by the next one. */
static void lower_child(pid_t pid)
{
    for (int looks = 0; looks < LOOKS_MAX && lower_threads(pid); looks++)
        ;
}

static bool gives_way(struct warehouse *warehouse)
{
    pthread_mutex_lock(&warehouse->mutex);
    bool gives = warehouse->gives_way;
    pthread_mutex_unlock(&warehouse->mutex);
    return gives;
}

/* Watch a child until it ends, or has to be ended; says why in `problem`. True when it got ready. */
static bool wait_for_child(struct warehouse *warehouse, pid_t pid, struct problem *problem)
{
    bool ready = false, is_lowered = false;
    int status = 0;
    steady_ns heard = steady_now(), asked = steady_now();
    for (;;) {
        if (has_ended(pid, &status)) {
            describe_end(status, problem);
            return ready;
        }
        if (!is_lowered && gives_way(warehouse)) {
            lower_child(pid);
            is_lowered = true;
        }
        if (!rest(warehouse, ready ? READY_POLL_MS : STARTING_POLL_MS)) {
            end_child(pid);
            problem_set(problem, ERR_UNAVAILABLE, "the warehouse is closed");
            return ready;
        }
        bool answered = false;
        struct problem silent = { .error = ERR_OK };
        if (!ready)
            answered = ready = try_ready(warehouse, &silent);
        else if (steady_since_ms(asked) < PING_EVERY_MS)
            continue;
        else
            answered = warehouse_ping(warehouse, 0, PING_TIMEOUT_MS, &silent) == ERR_OK;
        asked = steady_now();
        if (answered)
            heard = steady_now();
        if (steady_since_ms(heard) > (ready ? MUTE_MS : START_MS)) {
            log_line(LOG_ERROR, "warehouse_mute", "pid=%d", (int)pid);
            kill(pid, SIGKILL);
        }
    }
}

static void run_child(struct warehouse *warehouse)
{
    int64_t wait_ms = BACK_OFF_FIRST_MS;
    while (!is_stopping(warehouse)) {
        struct problem problem = { .error = ERR_OK };
        pid_t pid = 0;
        bool got_ready = false;
        steady_ns start = steady_now();
        if (spawn(warehouse, &pid, &problem) == ERR_OK) {
            set_pid(warehouse, (int)pid);
            got_ready = wait_for_child(warehouse, pid, &problem);
            set_pid(warehouse, 0);
        }
        say_unready(warehouse, &problem);
        if (is_stopping(warehouse))
            return;
        log_line(LOG_WARN, "warehouse_down", "reason=\"%s\"", problem.detail);
        if (steady_since_ms(start) > MINUTE_MS)
            wait_ms = BACK_OFF_FIRST_MS;
        int64_t last_ms = got_ready ? BACK_OFF_READY_MS : BACK_OFF_LAST_MS;
        wait_ms = wait_ms < last_ms ? wait_ms : last_ms;
        rest(warehouse, wait_ms);
        wait_ms *= 2;
    }
}

/* ---- the cluster ---- */

/* Every shard is looked after, so that each that is missing is known; true when all are there. */
static bool look_after_shards(struct warehouse *warehouse)
{
    bool all = true;
    for (int shard = 0; shard < warehouse->shard_count && !is_stopping(warehouse); shard++) {
        struct problem problem = { .error = ERR_OK };
        all = cluster_look_after(warehouse, shard, &problem) && all;
    }
    return all && !is_stopping(warehouse);
}

/* What another opening left on its way is taken away once, before anything is on its way. */
static bool try_cluster(struct warehouse *warehouse, bool *swept)
{
    struct problem problem = { .error = ERR_OK };
    err error = cluster_check(warehouse, &problem);
    if (error == ERR_OK && !*swept)
        error = cluster_sweep(warehouse, &problem);
    if (error != ERR_OK) {
        log_line(LOG_ERROR, "warehouse_tables", "reason=\"%s\" cure=\"%s\"", problem.detail,
                 problem.hint);
        say_unready(warehouse, &problem);
        return false;
    }
    *swept = true;
    atomic_store(&warehouse->aliases_changed, true);
    say_ready(warehouse);
    return true;
}

static void watch_cluster(struct warehouse *warehouse)
{
    bool swept = false;
    int64_t wait_ms = BACK_OFF_FIRST_MS;
    while (!is_stopping(warehouse)) {
        bool was_ready = warehouse_is_ready(warehouse);
        bool answered = look_after_shards(warehouse) &&
                        (warehouse_is_ready(warehouse) || try_cluster(warehouse, &swept));
        if (answered)
            wait_ms = PING_EVERY_MS;
        else if (was_ready)
            wait_ms = BACK_OFF_FIRST_MS;
        else
            wait_ms = wait_ms * 2 < PING_EVERY_MS ? wait_ms * 2 : PING_EVERY_MS;
        rest_unless_down(warehouse, wait_ms);
    }
}

/* The child dies with this thread: it lives as long as the warehouse is open. */
static void *run(void *context)
{
    struct warehouse *warehouse = context;
    if (warehouse->folder[0] != '\0')
        run_child(warehouse);
    else
        watch_cluster(warehouse);
    return NULL;
}

err warehouse_start_supervisor(struct warehouse *warehouse, struct problem *problem)
{
    int code = pthread_create(&warehouse->supervisor, NULL, run, warehouse);
    if (code != 0)
        return problem_set(problem, ERR_NOMEM, "the warehouse's thread cannot start: %s",
                           strerror(code));
    warehouse->supervisor_runs = true;
    return ERR_OK;
}

void warehouse_stop_supervisor(struct warehouse *warehouse)
{
    if (!warehouse->supervisor_runs)
        return;
    pthread_mutex_lock(&warehouse->mutex);
    warehouse->stopping = true;
    pthread_cond_broadcast(&warehouse->changed);
    pthread_mutex_unlock(&warehouse->mutex);
    pthread_join(warehouse->supervisor, NULL);
    warehouse->supervisor_runs = false;
}
