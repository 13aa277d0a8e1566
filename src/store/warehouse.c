/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse: opening and closing, and where the child's parts lie. */
#include "store/warehouse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/warehouse_inside.h"

#define MEMORY_DEFAULT_BYTES ((size_t)3 << 30)
/* sockaddr_un.sun_path with its terminator */
#define SOCKET_PATH_BYTES 108
#define GUEST_PING_MS 10000

#if defined(__aarch64__)
#define CHDB_PACKAGE "@chdb/lib-linux-arm64-gnu"
#else
#define CHDB_PACKAGE "@chdb/lib-linux-x64-gnu"
#endif

static err copy_path(char *out, const char *path, const char *what, struct problem *problem)
{
    int size = snprintf(out, WAREHOUSE_PATH_BYTES, "%s", path);
    if (size < 0 || size >= WAREHOUSE_PATH_BYTES)
        return problem_set(problem, ERR_INVALID, "the path of %s is longer than %d bytes", what,
                           WAREHOUSE_PATH_BYTES - 1);
    return ERR_OK;
}

/* A sanitizer build cannot load chDB: KITH_WAREHOUSE_PROGRAM names a plain one. */
static err find_program(struct warehouse *warehouse, const struct warehouse_config *config,
                        struct problem *problem)
{
    const char *named =
        config->program != NULL ? config->program : getenv("KITH_WAREHOUSE_PROGRAM");
    if (named != NULL && named[0] != '\0')
        return copy_path(warehouse->program, named, "the warehouse program", problem);
    ssize_t size = readlink("/proc/self/exe", warehouse->program, sizeof(warehouse->program) - 1);
    if (size <= 0)
        return problem_set(problem, ERR_IO, "the path of this program is not known: %s",
                           strerror(errno));
    warehouse->program[size] = '\0';
    return ERR_OK;
}

static bool try_library(struct warehouse *warehouse, const char *folder, int folder_size,
                        const char *rest)
{
    int size = snprintf(warehouse->library, sizeof(warehouse->library), "%.*s/%s", folder_size,
                        folder, rest);
    return size > 0 && (size_t)size < sizeof(warehouse->library) &&
           access(warehouse->library, R_OK) == 0;
}

/* Beside the program, in ../lib/kith, or where 'make setup' puts it in a working tree above. */
static err find_library(struct warehouse *warehouse, const struct warehouse_config *config,
                        struct problem *problem)
{
    const char *named = config->library != NULL ? config->library : getenv("KITH_CHDB_LIBRARY");
    if (named != NULL && named[0] != '\0') {
        err error = copy_path(warehouse->library, named, "libchdb.so", problem);
        if (error == ERR_OK && access(named, R_OK) == 0)
            return ERR_OK;
    } else {
        str folder = str_from_c(warehouse->program);
        bool first = true;
        while (folder.size > 0) {
            while (folder.size > 0 && folder.data[folder.size - 1] != '/')
                folder.size--;
            if (folder.size == 0)
                break;
            folder.size--;
            int size = (int)folder.size;
            if (first && (try_library(warehouse, folder.data, size, "libchdb.so") ||
                          try_library(warehouse, folder.data, size, "../lib/kith/libchdb.so")))
                return ERR_OK;
            first = false;
            if (try_library(warehouse, folder.data, size,
                            "tools/chdb/node_modules/" CHDB_PACKAGE "/libchdb.so"))
                return ERR_OK;
        }
    }
    problem_set(problem, ERR_UNAVAILABLE, "libchdb.so was not found%s%s",
                named != NULL ? " at " : " beside the program", named != NULL ? named : "");
    return problem_hint(problem, ERR_UNAVAILABLE, "run 'make setup'");
}

/* Each opening has a socket of its own: a child that a former server left behind, and that is about to
 * die, must not answer for the new one. A folder whose path is too long for a socket is named by its
 * descriptor. */
static err place_socket(struct warehouse *warehouse, struct problem *problem)
{
    static _Atomic unsigned openings;
    char name[64];
    snprintf(name, sizeof(name), "socket-%d-%u", (int)getpid(), atomic_fetch_add(&openings, 1));
    int size =
        snprintf(warehouse->socket, sizeof(warehouse->socket), "%s/%s", warehouse->folder, name);
    if (size < 0 || (size_t)size >= sizeof(warehouse->socket))
        return problem_set(problem, ERR_INVALID, "the path of the warehouse folder is too long");
    if (size < SOCKET_PATH_BYTES)
        memcpy(warehouse->socket_here, warehouse->socket, (size_t)size + 1);
    else
        snprintf(warehouse->socket_here, sizeof(warehouse->socket_here), "/proc/self/fd/%d/%s",
                 warehouse->folder_fd, name);
    return ERR_OK;
}

static err open_embedded(struct warehouse *warehouse, const struct warehouse_config *config,
                         struct problem *problem)
{
    err error = copy_path(warehouse->folder, config->folder, "the warehouse folder", problem);
    if (error != ERR_OK)
        return error;
    if (mkdir(warehouse->folder, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, "folder '%s' cannot be made: %s", warehouse->folder,
                           strerror(errno));
    warehouse->folder_fd = open(warehouse->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (warehouse->folder_fd < 0)
        return problem_set(problem, ERR_IO, "folder '%s' cannot be opened: %s", warehouse->folder,
                           strerror(errno));
    snprintf(warehouse->url, sizeof(warehouse->url), "http://warehouse");
    warehouse->memory_bytes_max =
        config->memory_bytes_max != 0 ? config->memory_bytes_max : MEMORY_DEFAULT_BYTES;
    error = find_program(warehouse, config, problem);
    if (error == ERR_OK)
        error = find_library(warehouse, config, problem);
    if (error == ERR_OK)
        error = place_socket(warehouse, problem);
    return error;
}

/* There is one at most: a child removes those of others when it starts. */
static err find_socket(struct warehouse *warehouse, const char *folder, struct problem *problem)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    int size = 0;
    while (entries != NULL && size == 0 && (entry = readdir(entries)) != NULL)
        if (strncmp(entry->d_name, "socket-", strlen("socket-")) == 0)
            size =
                snprintf(warehouse->socket_here, SOCKET_PATH_BYTES, "%s/%s", folder, entry->d_name);
    if (entries != NULL)
        closedir(entries);
    if (size == 0)
        return problem_set(problem, ERR_UNAVAILABLE, "no warehouse runs in '%s'", folder);
    if (size < 0 || size >= SOCKET_PATH_BYTES)
        return problem_set(problem, ERR_INVALID, "the path of '%s' is too long", folder);
    return ERR_OK;
}

static err open_as_guest(struct warehouse *warehouse, const struct warehouse_config *config,
                         struct problem *problem)
{
    snprintf(warehouse->url, sizeof(warehouse->url), "http://warehouse");
    warehouse->ready = true;
    err error = find_socket(warehouse, config->folder, problem);
    if (error == ERR_OK && warehouse_ping(warehouse, 0, GUEST_PING_MS, problem) != ERR_OK)
        error = problem_set(problem, ERR_UNAVAILABLE, "the warehouse in '%s' does not answer",
                            config->folder);
    return error;
}

static void init_locks(struct warehouse *warehouse)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&warehouse->mutex, NULL);
    pthread_cond_init(&warehouse->changed, &steady);
    pthread_condattr_destroy(&steady);
}

err warehouse_open(struct warehouse **out, const struct warehouse_config *config,
                   struct problem *problem)
{
    struct warehouse *warehouse = memory_alloc(sizeof(*warehouse));
    if (warehouse == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open the warehouse");
    init_locks(warehouse);
    warehouse->folder_fd = -1;
    problem_set(&warehouse->problem, ERR_UNAVAILABLE, "the warehouse is starting");
    err error = config->url != NULL ? cluster_open(warehouse, config, problem)
                : config->is_guest  ? open_as_guest(warehouse, config, problem)
                                    : open_embedded(warehouse, config, problem);
    if (error == ERR_OK && !config->is_guest)
        error = warehouse_start_supervisor(warehouse, problem);
    if (error != ERR_OK)
        warehouse_close(&warehouse);
    else
        *out = warehouse;
    return error;
}

void warehouse_close(struct warehouse **out)
{
    struct warehouse *warehouse = *out;
    *out = NULL;
    if (warehouse == NULL)
        return;
    warehouse_stop_supervisor(warehouse);
    warehouse_free_handles(warehouse);
    if (warehouse->folder_fd >= 0)
        close(warehouse->folder_fd);
    pthread_cond_destroy(&warehouse->changed);
    pthread_mutex_destroy(&warehouse->mutex);
    memory_free(warehouse->shards);
    memory_free(warehouse);
}

err warehouse_wait(struct warehouse *warehouse, int64_t timeout_ms, struct problem *problem)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    err error = ERR_OK;
    pthread_mutex_lock(&warehouse->mutex);
    while (!warehouse->ready && error == ERR_OK) {
        if (pthread_cond_timedwait(&warehouse->changed, &warehouse->mutex, &until) == ETIMEDOUT &&
            !warehouse->ready)
            error = ERR_TIMEOUT;
    }
    if (error != ERR_OK && problem != NULL) {
        *problem = warehouse->problem;
        problem->error = error;
    }
    pthread_mutex_unlock(&warehouse->mutex);
    return error;
}

bool warehouse_is_ready(struct warehouse *warehouse)
{
    pthread_mutex_lock(&warehouse->mutex);
    bool ready = warehouse->ready;
    pthread_mutex_unlock(&warehouse->mutex);
    return ready;
}

void warehouse_give_way(struct warehouse *warehouse)
{
    pthread_mutex_lock(&warehouse->mutex);
    warehouse->gives_way = true;
    pthread_mutex_unlock(&warehouse->mutex);
}

err warehouse_check(struct warehouse *warehouse, struct problem *problem)
{
    pthread_mutex_lock(&warehouse->mutex);
    bool ready = warehouse->ready;
    if (!ready && problem != NULL)
        *problem = warehouse->problem;
    pthread_mutex_unlock(&warehouse->mutex);
    return ready ? ERR_OK : ERR_UNAVAILABLE;
}

int warehouse_child_pid(struct warehouse *warehouse)
{
    pthread_mutex_lock(&warehouse->mutex);
    int pid = warehouse->child_pid;
    pthread_mutex_unlock(&warehouse->mutex);
    return pid;
}

err warehouse_sync(struct warehouse *warehouse, struct problem *problem)
{
    if (warehouse->folder_fd < 0)
        return problem_set(problem, ERR_UNSUPPORTED, "a cluster syncs its parts by itself");
    if (syncfs(warehouse->folder_fd) != 0)
        return problem_set(problem, ERR_SYNC, "folder '%s' cannot be synced: %s", warehouse->folder,
                           strerror(errno));
    return ERR_OK;
}
