/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_child: life of the process that runs chDB.
 *
 *   lock the folder (wait for a former child) ─> write config.xml ─> load chDB ─> listen ─> serve
 *   SIGTERM, SIGINT or the parent's end ─> stop serving ─> close chDB ─> exit 0
 *   memory far above the cap ─> exit 9; the supervisor starts another child
 */
#include "store/warehouse_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/logline.h"
#include "store/child_inside.h"

#define MEMORY_DEFAULT_BYTES ((uint64_t)3 << 30)
#define MEMORY_LEAST_BYTES ((uint64_t)512 << 20)
#define WATCH_MS 500
/* For closing chDB at the end; then the process goes without: what was inserted is on disk. */
#define CLOSE_S 5
#define LOCK_WAIT_MS (60 * SECOND_MS)

struct options {
    const char *folder, *socket, *library;
    uint64_t memory_bytes;
    uint64_t parent;
};

static err parse_options(int argc, char **argv, struct options *options, struct problem *problem)
{
    *options = (struct options){ .memory_bytes = MEMORY_DEFAULT_BYTES };
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        bool fine = value[0] != '\0';
        if (strcmp(name, "--folder") == 0)
            options->folder = value;
        else if (strcmp(name, "--socket") == 0)
            options->socket = value;
        else if (strcmp(name, "--library") == 0)
            options->library = value;
        else if (strcmp(name, "--memory") == 0)
            fine = str_to_uint64(str_from_c(value), &options->memory_bytes);
        else if (strcmp(name, "--parent") == 0)
            fine = str_to_uint64(str_from_c(value), &options->parent);
        else
            return problem_set(problem, ERR_INVALID, "unknown option '%s'", name);
        if (!fine)
            return problem_set(problem, ERR_INVALID, "option '%s' cannot be '%s'", name, value);
    }
    if (options->folder == NULL || options->socket == NULL || options->library == NULL) {
        problem_set(problem, ERR_INVALID, "--folder, --socket and --library are needed");
        return problem_hint(problem, ERR_INVALID, "'kith serve' starts this child by itself");
    }
    if (options->memory_bytes < MEMORY_LEAST_BYTES)
        options->memory_bytes = MEMORY_LEAST_BYTES;
    return ERR_OK;
}

/* Go when the parent goes, even if it went before we could ask for that. */
static err follow_parent(const struct options *options, struct problem *problem)
{
    if (options->parent == 0)
        return ERR_OK;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if ((uint64_t)getppid() != options->parent)
        return problem_set(problem, ERR_UNAVAILABLE, "the server that started this child is gone");
    return ERR_OK;
}

/* The lock is held until the process ends. */
static err lock_folder(const struct options *options, struct problem *problem)
{
    char path[512];
    if (mkdir(options->folder, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, "folder '%s' cannot be made: %s", options->folder,
                           strerror(errno));
    snprintf(path, sizeof(path), "%s/lock", options->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return problem_set(problem, ERR_IO, "'%s' cannot be opened: %s", path, strerror(errno));
    steady_ns start = steady_now();
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (steady_since_ms(start) > LOCK_WAIT_MS) {
            close(fd);
            return problem_set(problem, ERR_LOCKED, "another warehouse child has '%s'", path);
        }
        steady_sleep_ms(10);
    }
    return ERR_OK;
}

/* Settings of the engine and defaults of its tables; what each is for is in
 * docs/formats/warehouse.md. */
static const char CONFIG[] =
    "<clickhouse>\n"
    "  <max_server_memory_usage>%llu</max_server_memory_usage>\n"
    "  <mark_cache_size>134217728</mark_cache_size>\n"
    "  <uncompressed_cache_size>0</uncompressed_cache_size>\n"
    "  <index_mark_cache_size>16777216</index_mark_cache_size>\n"
    "  <query_cache><max_size_in_bytes>0</max_size_in_bytes></query_cache>\n"
    "  <background_pool_size>2</background_pool_size>\n"
    "  <background_common_pool_size>1</background_common_pool_size>\n"
    "  <background_schedule_pool_size>4</background_schedule_pool_size>\n"
    "  <background_move_pool_size>1</background_move_pool_size>\n"
    "  <background_fetches_pool_size>1</background_fetches_pool_size>\n"
    "  <merge_tree>\n"
    "    <fsync_after_insert>1</fsync_after_insert>\n"
    "    <fsync_part_directory>1</fsync_part_directory>\n"
    "    <min_rows_to_fsync_after_merge>1</min_rows_to_fsync_after_merge>\n"
    "    <old_parts_lifetime>480</old_parts_lifetime>\n"
    "  </merge_tree>\n"
    "</clickhouse>\n";

static err write_config(const struct options *options, const char *path, struct problem *problem)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return problem_set(problem, ERR_IO, "'%s' cannot be written: %s", path, strerror(errno));
    fprintf(file, CONFIG, (unsigned long long)options->memory_bytes);
    if (fclose(file) != 0)
        return problem_set(problem, ERR_IO, "'%s' cannot be written: %s", path, strerror(errno));
    return ERR_OK;
}

/* What chDB lays into the system's folder for temporary files stays there when it is killed: it gets one of its own. */
static err own_scratch(const struct options *options, struct problem *problem)
{
    char path[640];
    snprintf(path, sizeof(path), "%s/scratch", options->folder);
    err error = folder_make_empty(path, problem);
    if (error == ERR_OK)
        setenv("TMPDIR", path, 1);
    return error;
}

/* Sockets of children that were killed. The lock is held: nobody listens there. */
static void remove_old_sockets(const char *folder)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (strncmp(entry->d_name, "socket", strlen("socket")) == 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL)
        closedir(entries);
}

/* A path that is too long for a socket is named by the descriptor of its folder. */
static err socket_address(const char *path, struct sockaddr_un *address, int *folder_fd,
                          struct problem *problem)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) < sizeof(address->sun_path)) {
        memcpy(address->sun_path, path, strlen(path) + 1);
        return ERR_OK;
    }
    const char *name = strrchr(path, '/');
    char folder[512];
    INVARIANT(name != NULL && (size_t)(name - path) < sizeof(folder));
    memcpy(folder, path, (size_t)(name - path));
    folder[name - path] = '\0';
    *folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int size = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d%s",
                        *folder_fd, name);
    if (*folder_fd < 0 || size < 0 || (size_t)size >= sizeof(address->sun_path))
        return problem_set(problem, ERR_INVALID, "there can be no socket at '%s'", path);
    return ERR_OK;
}

static err listen_at(const char *path, int *out, struct problem *problem)
{
    struct sockaddr_un address;
    int folder_fd = -1, fd = -1;
    err error = socket_address(path, &address, &folder_fd, problem);
    if (error != ERR_OK)
        goto out;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(path);
    mode_t before = umask(0177);
    int code = fd >= 0 ? bind(fd, (const struct sockaddr *)&address, sizeof(address)) : -1;
    umask(before);
    if (code != 0 || listen(fd, 64) != 0)
        error = problem_set(problem, ERR_IO, "cannot listen at '%s': %s", path, strerror(errno));
out:
    if (folder_fd >= 0)
        close(folder_fd);
    if (error != ERR_OK && fd >= 0)
        close(fd);
    if (error == ERR_OK)
        *out = fd;
    return error;
}

static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[128] = "";
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    fclose(file);
    /* "size resident shared …", in pages */
    str rest = str_from_c(line), size, resident;
    uint64_t count = 0;
    if (str_split(&rest, ' ', &size) && str_split(&rest, ' ', &resident) &&
        !str_to_uint64(resident, &count))
        count = 0;
    return count * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Until a signal; false when memory ran away. chDB's own cap refuses queries, but not everything
 * that it allocates is counted there. */
static bool wait_for_end(const struct options *options, int signals)
{
    uint64_t limit = options->memory_bytes + options->memory_bytes / 4 + ((uint64_t)256 << 20);
    for (;;) {
        struct pollfd poll_fd = { .fd = signals, .events = POLLIN };
        if (poll(&poll_fd, 1, WATCH_MS) > 0)
            return true;
        uint64_t resident = resident_bytes();
        if (resident > limit) {
            log_line(LOG_ERROR, "warehouse_memory", "resident_bytes=%llu limit_bytes=%llu",
                     (unsigned long long)resident, (unsigned long long)limit);
            return false;
        }
    }
}

/* Threads made later inherit the mask: signals come to the main thread alone. */
static int catch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void *leave_anyway(void *context)
{
    (void)context;
    steady_sleep_ms(CLOSE_S * SECOND_MS);
    _exit(0);
}

static void stop(struct child *child, bool orderly)
{
    if (!orderly)
        _exit(9);
    /* A query that does not end must not keep the server from ending. */
    pthread_t thread;
    if (pthread_create(&thread, NULL, leave_anyway, NULL) == 0)
        pthread_detach(thread);
    child_http_stop(child);
    chdb_pool_give(&child->pool, child->control);
    chdb_pool_close(&child->pool);
}

static void init_locks(struct child *child)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&child->mutex, NULL);
    pthread_mutex_init(&child->control_mutex, NULL);
    pthread_cond_init(&child->ended, &steady);
    pthread_condattr_destroy(&steady);
}

static err serve(const struct options *options, struct problem *problem)
{
    static struct child child; /* its threads may outlive this function while the process ends */
    char data[640], config[640];
    snprintf(data, sizeof(data), "--path=%s/chdb", options->folder);
    snprintf(config, sizeof(config), "--config-file=%s/config.xml", options->folder);
    init_locks(&child);
    int signals = catch_signals();
    int listen_fd = -1;
    err error = lock_folder(options, problem);
    if (error == ERR_OK)
        error = write_config(options, config + strlen("--config-file="), problem);
    if (error == ERR_OK)
        error = own_scratch(options, problem);
    /* Its allocator's sampling for a profiler is on by default, and costs a tenth of an insert. */
    setenv("JE_MALLOC_CONF", "prof:false", 0);
    if (error == ERR_OK)
        error = chdb_load(&child.chdb, options->library, problem);
    if (error != ERR_OK)
        return error;
    /* chDB's handlers would print and go on after a crash. */
    child.chdb.chdb_set_signal_handlers_enabled(0);
    error = chdb_pool_open(&child.pool, &child.chdb, data, config, problem);
    if (error != ERR_OK)
        return error;
    child.control = chdb_pool_take(&child.pool);
    remove_old_sockets(options->folder);
    error = listen_at(options->socket, &listen_fd, problem);
    if (error == ERR_OK)
        error = child_http_start(&child, listen_fd, problem);
    if (error == ERR_OK) {
        log_line(LOG_INFO, "warehouse_ready", "pid=%d memory_bytes=%llu", (int)getpid(),
                 (unsigned long long)options->memory_bytes);
        bool orderly = wait_for_end(options, signals);
        unlink(options->socket);
        stop(&child, orderly);
    }
    return error;
}

int warehouse_child_main(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    err error = parse_options(argc, argv, &options, &problem);
    if (error == ERR_OK)
        error = follow_parent(&options, &problem);
    if (error == ERR_OK)
        error = serve(&options, &problem);
    if (error != ERR_OK) {
        log_line(LOG_ERROR, "warehouse_child", "reason=\"%s\" cure=\"%s\"", problem.detail,
                 problem.hint);
        fflush(NULL);
        _exit(2);
    }
    /* Without chDB's destructors: they hang when a query was left behind. */
    fflush(NULL);
    _exit(0);
}
