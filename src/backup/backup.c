/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a server that takes points. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backup/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/logline.h"

/* Behind everything that somebody waits for. */
#define NICE 15

struct backups {
    struct engine *engine;
    char data_folder[PATH_MAX], folder[PATH_MAX];
    char version[32];
    _Atomic bool cancel;

    pthread_mutex_t mutex; /* what follows */
    pthread_t thread;
    bool runs, was_started;
    int64_t started_ms;
    struct problem last; /* of the last that failed; error OK: none */
    struct taking taking;
};

static const char *const PHASE_TEXTS[] = {
#define X(NAME, text) text,
    BACKUP_PHASES(X)
#undef X
};

/* ---- open ---- */

static bool lies_in(const char *folder, const char *data_folder)
{
    size_t size = strlen(data_folder);
    return strncmp(folder, data_folder, size) == 0 && (folder[size] == '/' || folder[size] == '\0');
}

err backups_open(struct backups **opened, const struct backups_config *config,
                 struct problem *problem)
{
    struct pieces pieces;
    struct backups *backups = memory_alloc(sizeof *backups);
    if (backups == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for backups");
    /* Makes the folder, so that its whole path can be known. */
    err error = pieces_open(&pieces, config->folder, true, problem);
    if (error == ERR_OK) {
        pieces_close(&pieces);
        if (realpath(config->folder, backups->folder) == NULL ||
            realpath(config->data_folder, backups->data_folder) == NULL)
            error = problem_set(problem, ERR_IO, "'%s' cannot be reached", config->folder);
        else if (lies_in(backups->folder, backups->data_folder))
            error =
                problem_set(problem, ERR_INVALID,
                            "the folder of backups '%s' lies in the data folder", backups->folder);
    }
    if (error != ERR_OK) {
        memory_free(backups);
        return error;
    }
    backups->engine = config->engine;
    snprintf(backups->version, sizeof backups->version, "%s", config->version);
    pthread_mutex_init(&backups->mutex, NULL);
    *opened = backups;
    return ERR_OK;
}

static void join_ended(struct backups *backups)
{
    if (backups->was_started)
        pthread_join(backups->thread, NULL);
    backups->was_started = false;
}

void backups_close(struct backups **taken)
{
    struct backups *backups = *taken;
    *taken = NULL;
    if (backups == NULL)
        return;
    atomic_store(&backups->cancel, true);
    join_ended(backups);
    pthread_mutex_destroy(&backups->mutex);
    memory_free(backups);
}

/* ---- taking ---- */

static void *run(void *context)
{
    struct backups *backups = context;
    struct problem problem = { .error = ERR_OK };
    struct backup_report report = { .point = 0 };
    pthread_setname_np(pthread_self(), "kith-backup");
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    err error = take_point(&backups->taking, &report, &problem);
    if (error == ERR_OK)
        log_line(LOG_INFO, "backup_taken", "point=%u files=%llu bytes=%llu new_bytes=%llu",
                 report.point, (unsigned long long)report.files, (unsigned long long)report.bytes,
                 (unsigned long long)report.new_bytes);
    else
        log_line(LOG_ERROR, "backup_failed", "reason=\"%s\"", problem.detail);
    problem.error = error;
    pthread_mutex_lock(&backups->mutex);
    backups->last = problem;
    backups->runs = false;
    pthread_mutex_unlock(&backups->mutex);
    return NULL;
}

err backups_begin(struct backups *backups, struct problem *problem)
{
    struct wall_clock clock;
    wall_clock_init_real(&clock);
    pthread_mutex_lock(&backups->mutex);
    err error = ERR_OK;
    if (backups->runs) {
        error = problem_set(problem, ERR_CONFLICT, "a backup is being taken already");
        problem_hint(problem, error, "GET /api/v1/backups says how far it is");
    } else {
        join_ended(backups);
        memset(&backups->taking, 0, sizeof backups->taking);
        backups->taking.engine = backups->engine;
        backups->taking.data_folder = backups->data_folder;
        backups->taking.folder = backups->folder;
        backups->taking.version = backups->version;
        backups->taking.cancel = &backups->cancel;
        backups->started_ms = wall_clock_now_ms(&clock);
        backups->runs = pthread_create(&backups->thread, NULL, run, backups) == 0;
        backups->was_started = backups->runs;
        if (!backups->runs)
            error = problem_set(problem, ERR_NOMEM, "no thread could be started");
    }
    pthread_mutex_unlock(&backups->mutex);
    return error;
}

/* ---- telling ---- */

static void write_running(struct backups *backups, struct json_writer *writer)
{
    json_put_key(writer, STR("running"));
    if (!backups->runs) {
        json_put_null(writer);
        return;
    }
    const struct piece_counts *counts = &backups->taking.counts;
    json_begin_object(writer);
    json_member_time(writer, STR("started_at"), backups->started_ms);
    json_member_text(writer, STR("phase"),
                     str_from_c(PHASE_TEXTS[atomic_load(&backups->taking.phase)]));
    json_member_int(writer, STR("bytes_read"), (int64_t)atomic_load(&counts->bytes_read));
    json_member_int(writer, STR("bytes_written"), (int64_t)atomic_load(&counts->bytes_written));
    json_end_object(writer);
}

err backups_write(struct backups *backups, struct buffer *out, struct problem *problem)
{
    struct buffer list;
    struct json_writer writer;
    buffer_init(&list, (size_t)64 << 20);
    err error = backup_list(backups->folder, &list, problem);
    if (error == ERR_OK) {
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        json_member_text(&writer, STR("folder"), str_from_c(backups->folder));
        pthread_mutex_lock(&backups->mutex);
        write_running(backups, &writer);
        json_put_key(&writer, STR("last_problem"));
        if (backups->last.error == ERR_OK)
            json_put_null(&writer);
        else
            json_put_text(&writer, str_from_c(backups->last.detail));
        pthread_mutex_unlock(&backups->mutex);
        json_member_raw(&writer, STR("points"), buffer_str(&list));
        json_end_object(&writer);
        error = buffer_status(out);
    }
    buffer_deinit(&list);
    return error;
}
