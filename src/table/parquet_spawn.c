/* SPDX-License-Identifier: Apache-2.0 */
/* parquet_spawn: posix_spawn with nothing open but the file and a pipe. */
#include "table/parquet_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/folder.h"
#include "table/parquet.h"

#define PIPE_BYTES (1024 * 1024)
#if defined(__aarch64__)
#define PACKAGE "tools/chdb/node_modules/@chdb/lib-linux-arm64-gnu/libchdb.so"
#else
#define PACKAGE "tools/chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
#endif

/* ---- where things are ---- */

static bool try_library(char out[PATH_MAX], const char *folder, int size, const char *name)
{
    int length = snprintf(out, PATH_MAX, "%.*s/%s", size, folder, name);
    return length > 0 && length < PATH_MAX && access(out, R_OK) == 0;
}

/* As the warehouse finds it: named, beside the program, or in the folder it was built in. */
static err find_library(const char *program, const char *named, char out[PATH_MAX],
                        struct problem *problem)
{
    char whole[PATH_MAX];
    if (named == NULL || named[0] == '\0')
        named = getenv("KITH_CHDB_LIBRARY");
    if (named != NULL && named[0] != '\0') {
        if (strlen(named) < PATH_MAX && access(named, R_OK) == 0) {
            memcpy(out, named, strlen(named) + 1);
            return ERR_OK;
        }
    } else if (realpath(program, whole) != NULL) {
        char *slash = strrchr(whole, '/');
        bool first = true;
        for (; slash != NULL; slash = strrchr(whole, '/'), first = false) {
            *slash = '\0';
            int size = (int)(slash - whole);
            if ((first && (try_library(out, whole, size, "libchdb.so") ||
                           try_library(out, whole, size, "../lib/kith/libchdb.so"))) ||
                try_library(out, whole, size, PACKAGE))
                return ERR_OK;
        }
    }
    problem_set(problem, ERR_UNAVAILABLE, "Parquet is read by libchdb.so, which was not found");
    return problem_hint(problem, ERR_UNAVAILABLE, "run 'make setup', or write the file as CSV");
}

/* ---- scratch ---- */

/* chDB makes a folder in the system's place for temporary files, and does not remove it. */
static err make_scratch(struct parquet_child *child, struct problem *problem)
{
    static const char places[] = { 'X', 'X', 'X', 'X', 'X', 'X', '\0' }; /* mkdtemp's to fill */
    const char *folder = getenv("TMPDIR");
    int size = snprintf(child->scratch, sizeof(child->scratch), "%s/kith-parquet-%s",
                        folder != NULL ? folder : "/tmp", places);
    if (size > 0 && (size_t)size < sizeof(child->scratch) && mkdtemp(child->scratch) != NULL)
        return ERR_OK;
    problem_set(problem, ERR_IO, "no folder for temporary files in '%.150s': %s",
                folder != NULL ? folder : "/tmp", strerror(errno));
    child->scratch[0] = '\0';
    return ERR_IO;
}

/* What cannot be removed lies in the server's own place, which its next start empties. */
static void drop_scratch(struct parquet_child *child)
{
    struct problem problem;
    if (child->scratch[0] != '\0')
        (void)!folder_remove(child->scratch, &problem);
    child->scratch[0] = '\0';
}

/* ---- start ---- */

/* Out of the way of the numbers that the child expects. */
static int move_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    close(fd);
    return moved;
}

static int spawn(pid_t *pid, const char *program, char *const *arguments, int file, int pipe)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, file, PARQUET_FILE_FD);
    posix_spawn_file_actions_adddup2(&files, pipe, PARQUET_PIPE_FD);
    posix_spawn_file_actions_addclosefrom_np(&files, PARQUET_PIPE_FD + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETPGROUP));
    int code = posix_spawn(pid, program, &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

static err start(struct parquet_child *child, const char *program, const char *library, int file,
                 int pipe, uint64_t skip, struct problem *problem)
{
    char memory[32], skipped[32];
    snprintf(memory, sizeof(memory), "%llu", (unsigned long long)PARQUET_MEMORY_BYTES);
    snprintf(skipped, sizeof(skipped), "%llu", (unsigned long long)skip);
    const char *arguments[] = { program,     "read-parquet", "--library", library,
                                "--scratch", child->scratch, "--memory",  memory,
                                "--skip",    skipped,        NULL };
    char *copy[sizeof(arguments) / sizeof(arguments[0])];
    memcpy(copy, arguments, sizeof(arguments));
    int code = spawn(&child->pid, program, copy, file, pipe);
    if (code == 0)
        return ERR_OK;
    child->pid = 0;
    return problem_set(problem, ERR_UNAVAILABLE, "the process that reads Parquet cannot start: %s",
                       strerror(code));
}

err parquet_spawn(struct parquet_child *child, const char *program, const char *library, int file,
                  uint64_t skip, struct problem *problem)
{
    char found[PATH_MAX];
    int ends[2];
    child->pid = 0;
    child->pipe = -1;
    child->scratch[0] = '\0';
    if (program == NULL)
        program = "/proc/self/exe";
    err error = find_library(program, library, found, problem);
    if (error != ERR_OK)
        return error;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return problem_set(problem, ERR_IO, "no pipe for Parquet: %s", strerror(errno));
    /* A wish: the usual 64 KB work, too. */
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES);
    int out = move_up(ends[1]), in = fcntl(file, F_DUPFD_CLOEXEC, 10);
    if (out < 0 || in < 0)
        error = problem_set(problem, ERR_IO, "no descriptors for Parquet: %s", strerror(errno));
    else
        error = make_scratch(child, problem);
    if (error == ERR_OK)
        error = start(child, program, found, in, out, skip, problem);
    if (out >= 0)
        close(out);
    if (in >= 0)
        close(in);
    if (error == ERR_OK) {
        child->pipe = ends[0];
    } else {
        close(ends[0]);
        drop_scratch(child);
    }
    return error;
}

/* ---- end ---- */

void parquet_end(struct parquet_child *child)
{
    int status;
    if (child->pipe >= 0)
        close(child->pipe);
    child->pipe = -1;
    if (child->pid <= 0)
        return;
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    drop_scratch(child);
}

void parquet_describe_end(struct parquet_child *child, char out[128])
{
    int status = 0;
    snprintf(out, 128, "has gone");
    while (child->pid > 0 && waitpid(child->pid, &status, 0) < 0) {
        if (errno != EINTR)
            return;
    }
    child->pid = 0;
    drop_scratch(child);
    if (WIFSIGNALED(status))
        snprintf(out, 128, "was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == 9)
        snprintf(out, 128, "took too much memory");
    else
        snprintf(out, 128, "ended with code %d", WEXITSTATUS(status));
}
