/* SPDX-License-Identifier: Apache-2.0 */
/* exports: see exports.h; rows are made in export_rows.c. */
#include "server/exports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/logline.h"
#include "server/answer.h"
#include "server/export_rows.h"

#define KEPT_MAX 200
#define WAITING_MAX 20
#define PATH_BYTES 700

enum state { RUNNING, DONE, FAILED, CANCELLED };
static const char *const state_texts[] = { "running", "done", "failed", "cancelled" };

struct export
{
    struct export *next; /* older */
    uint32_t number;
    enum state state;
    bool taken; /* its thread has begun */
    uint64_t total, bytes;
    _Atomic uint64_t rows;
    _Atomic bool cancel;
    int64_t created_ms, ended_ms;
    char reason[160];
    struct export_plan plan;
};

struct exports {
    struct server *server;
    char folder[PATH_BYTES - 100];
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct export *newest;
    uint32_t last_number;
    pthread_t thread;
    bool runs, closed;
};

/* ---- files ---- */

static void path_of(const struct exports *exports, uint32_t number, const char *ending,
                    char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/e%u.%s", exports->folder, number, ending);
}

static const char *ending_of(const struct export *one)
{
    return one->plan.csv ? "csv" : "jsonl";
}

static void remove_files(const struct exports *exports, const struct export *one)
{
    const char *endings[] = { ending_of(one), "json", "part" };
    char path[PATH_BYTES];
    for (size_t i = 0; i < 3; i++) {
        path_of(exports, one->number, endings[i], path);
        unlink(path);
    }
}

static void free_one(struct export *one)
{
    export_plan_deinit(&one->plan);
    memory_free(one);
}

static void write_export(const struct exports *exports, const struct export *one,
                         struct json_writer *writer)
{
    char id[EXPORT_ID_BYTES], login[100];
    (void)exports;
    snprintf(id, sizeof id, "e%u", one->number);
    snprintf(login, sizeof login, "%s", one->plan.by);
    json_begin_object(writer);
    json_member_text(writer, STR("id"), str_from_c(id));
    json_member_text(writer, STR("kind"),
                     one->plan.kind == AUDIENCE_TAG ? STR("tag") : STR("segment"));
    json_member_text(writer, STR("key"), one->plan.key);
    json_member_text(writer, STR("format"), str_from_c(ending_of(one)));
    json_put_key(writer, STR("columns"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < one->plan.column_count; i++)
        json_put_text(writer, one->plan.columns[i].text);
    json_end_array(writer);
    json_member_text(writer, STR("state"), str_from_c(state_texts[one->state]));
    json_member_int(writer, STR("rows"), (int64_t)atomic_load(&one->rows));
    json_member_int(writer, STR("total"), (int64_t)one->total);
    json_member_int(writer, STR("bytes"), (int64_t)one->bytes);
    json_member_bool(writer, STR("revealed"), one->plan.revealed);
    json_member_text(writer, STR("reason"), str_from_c(one->reason));
    json_member_time(writer, STR("created_at"), one->created_ms);
    if (one->ended_ms != 0)
        json_member_time(writer, STR("ended_at"), one->ended_ms);
    else
        json_member_raw(writer, STR("ended_at"), STR("null"));
    json_member_text(writer, STR("by"), str_from_c(login));
    json_end_object(writer);
}

/* What a later start reads: the same as is shown, and who asked. */
static err describe(const struct exports *exports, const struct export *one)
{
    char path[PATH_BYTES];
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, 65536);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_int(&writer, STR("user"), one->plan.user_number);
    json_member_text(&writer, STR("on"), one->plan.on);
    json_member_int(&writer, STR("created_ms"), one->created_ms);
    json_member_int(&writer, STR("ended_ms"), one->ended_ms);
    json_put_key(&writer, STR("export"));
    write_export(exports, one, &writer);
    json_end_object(&writer);
    path_of(exports, one->number, "json", path);
    FILE *file = buffer_status(&text) == ERR_OK ? fopen(path, "we") : NULL;
    bool written = file != NULL && fwrite(text.data, 1, text.size, file) == text.size;
    if (file != NULL && fclose(file) != 0)
        written = false;
    buffer_deinit(&text);
    return written ? ERR_OK : ERR_IO;
}

static bool read_whole(const char *path, struct buffer *out)
{
    char bytes[4096];
    size_t size;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
        buffer_append(out, bytes, size);
    fclose(file);
    return buffer_status(out) == ERR_OK;
}

static struct export *read_described(json_value root, uint32_t number)
{
    json_value shown = json_get(root, STR("export"));
    struct export *one = memory_alloc(sizeof *one);
    if (one == NULL)
        return NULL;
    one->number = number;
    one->total = (uint64_t)json_int(json_get(shown, STR("total")), 0);
    one->bytes = (uint64_t)json_int(json_get(shown, STR("bytes")), 0);
    atomic_store(&one->rows, (uint64_t)json_int(json_get(shown, STR("rows")), 0));
    one->created_ms = json_int(json_get(root, STR("created_ms")), 0);
    one->ended_ms = json_int(json_get(root, STR("ended_ms")), 0);
    str state = json_text(json_get(shown, STR("state")));
    for (size_t i = 0; i < sizeof state_texts / sizeof state_texts[0]; i++)
        if (str_equal(state, str_from_c(state_texts[i])))
            one->state = (enum state)i;
    snprintf(one->reason, sizeof one->reason, STR_FMT,
             STR_ARG(json_text(json_get(shown, STR("reason")))));
    bool is_tag = str_equal(json_text(json_get(shown, STR("kind"))), STR("tag"));
    struct export_order order = {
        .kind = is_tag ? AUDIENCE_TAG : AUDIENCE_SEGMENT,
        .key = json_text(json_get(shown, STR("key"))),
        .on = json_text(json_get(root, STR("on"))),
        .csv = str_equal(json_text(json_get(shown, STR("format"))), STR("csv")),
        .revealed = json_bool(json_get(shown, STR("revealed")), false),
        .columns = json_get(shown, STR("columns")),
        .user_number = (uint32_t)json_int(json_get(root, STR("user")), 0),
    };
    struct problem problem = { .error = ERR_OK };
    if (export_plan_init(&one->plan, &order, json_text(json_get(shown, STR("by"))), &problem) !=
            ERR_OK ||
        one->state == RUNNING) {
        free_one(one);
        return NULL;
    }
    return one;
}

static void keep_in_order(struct exports *exports, struct export *one)
{
    struct export **at = &exports->newest;
    while (*at != NULL && (*at)->number > one->number)
        at = &(*at)->next;
    one->next = *at;
    *at = one;
    if (one->number > exports->last_number)
        exports->last_number = one->number;
}

/* What earlier runs of the server left. */
static void find_kept(struct exports *exports)
{
    struct json_parser *parser = NULL;
    struct dirent *entry;
    DIR *folder = opendir(exports->folder);
    if (folder == NULL || json_parser_new(&parser, 65536) != ERR_OK) {
        if (folder != NULL)
            closedir(folder);
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        char path[PATH_BYTES];
        str name = str_from_c(entry->d_name);
        uint64_t number;
        struct buffer text;
        json_value root;
        size_t dot = str_find_byte(name, '.');
        if (name.data[0] != 'e' || !str_to_uint64(str_slice(name, 1, dot), &number) ||
            number == 0 || number > UINT32_MAX)
            continue;
        if (number > exports->last_number)
            exports->last_number = (uint32_t)number;
        snprintf(path, sizeof path, "%.590s/%.100s", exports->folder, entry->d_name);
        if (str_ends_with(name, STR(".part")))
            unlink(path);
        if (!str_ends_with(name, STR(".json")))
            continue;
        buffer_init(&text, 65536);
        struct export *one =
            read_whole(path, &text) && json_parse(parser, buffer_str(&text), &root, NULL) == ERR_OK
                ? read_described(root, (uint32_t)number)
                : NULL;
        if (one != NULL)
            keep_in_order(exports, one);
        buffer_deinit(&text);
    }
    closedir(folder);
    json_parser_free(&parser);
}

/* ---- the thread ---- */

static struct export *oldest_waiting(struct exports *exports)
{
    struct export *found = NULL;
    for (struct export *one = exports->newest; one != NULL; one = one->next)
        if (one->state == RUNNING && !one->taken)
            found = one;
    return found;
}

/* Of its plain text. */
static bool measure(const struct exports *exports, const char *path, uint64_t *bytes)
{
    struct sealed_file *file;
    struct problem unused;
    if (sealed_file_open(&file, exports->server->keys, path, false, &unused) != ERR_OK)
        return false;
    *bytes = sealed_file_size(file);
    sealed_file_close(&file);
    return true;
}

static void end(struct exports *exports, struct export *one, err error,
                const struct problem *problem)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    path_of(exports, one->number, "part", from);
    path_of(exports, one->number, ending_of(one), to);
    uint64_t bytes = 0;
    if (error == ERR_OK && (!measure(exports, from, &bytes) || rename(from, to) != 0))
        error = ERR_IO;
    pthread_mutex_lock(&exports->mutex);
    one->ended_ms = server_now_ms(exports->server);
    one->state = error == ERR_OK ? DONE : atomic_load(&one->cancel) ? CANCELLED : FAILED;
    if (one->state == DONE)
        one->bytes = bytes;
    else
        unlink(from);
    if (one->state == FAILED)
        snprintf(one->reason, sizeof one->reason, "%.150s",
                 problem->detail[0] != '\0' ? problem->detail : err_title(error));
    audience_set_free(&one->plan.set);
    bool closed = exports->closed;
    if (!closed && describe(exports, one) != ERR_OK)
        log_line(LOG_WARN, "export_not_described", "number=%u", one->number);
    pthread_mutex_unlock(&exports->mutex);
}

static void *run(void *context)
{
    struct exports *exports = context;
    pthread_setname_np(pthread_self(), "kith-export");
    pthread_mutex_lock(&exports->mutex);
    while (!exports->closed) {
        struct export *one = oldest_waiting(exports);
        if (one == NULL) {
            pthread_cond_wait(&exports->wake, &exports->mutex);
            continue;
        }
        one->taken = true;
        pthread_mutex_unlock(&exports->mutex);
        char path[PATH_BYTES];
        struct problem problem = { .error = ERR_OK };
        path_of(exports, one->number, "part", path);
        err error = export_rows_write(exports->server, &one->plan, path, &one->rows, &one->cancel,
                                      &problem);
        end(exports, one, error, &problem);
        pthread_mutex_lock(&exports->mutex);
    }
    pthread_mutex_unlock(&exports->mutex);
    return NULL;
}

/* ---- life ---- */

err exports_new(struct exports **exports, struct server *server)
{
    struct exports *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->server = server;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->wake, NULL);
    snprintf(made->folder, sizeof made->folder, "%.500s/exports", engine_folder(server->engine));
    if (mkdir(made->folder, 0700) != 0 && errno != EEXIST)
        log_line(LOG_WARN, "exports_folder_failed", "path=\"%s\"", made->folder);
    find_kept(made);
    *exports = made;
    return ERR_OK;
}

void exports_free(struct exports **exports)
{
    struct exports *gone = *exports;
    *exports = NULL;
    if (gone == NULL)
        return;
    pthread_mutex_lock(&gone->mutex);
    gone->closed = true;
    for (struct export *one = gone->newest; one != NULL; one = one->next)
        atomic_store(&one->cancel, true);
    pthread_cond_broadcast(&gone->wake);
    pthread_mutex_unlock(&gone->mutex);
    if (gone->runs)
        pthread_join(gone->thread, NULL);
    while (gone->newest != NULL) {
        struct export *one = gone->newest;
        gone->newest = one->next;
        free_one(one);
    }
    pthread_mutex_destroy(&gone->mutex);
    pthread_cond_destroy(&gone->wake);
    memory_free(gone);
}

/* ---- asked for ---- */

static struct export *find(const struct exports *exports, str id)
{
    uint64_t number;
    if (id.size < 2 || id.data[0] != 'e' || !str_to_uint64(str_slice(id, 1, id.size), &number))
        return NULL;
    for (struct export *one = exports->newest; one != NULL; one = one->next)
        if (one->number == number)
            return one;
    return NULL;
}

/* The oldest that are over make room. */
static void forget_oldest(struct exports *exports)
{
    size_t count = 0;
    for (struct export **at = &exports->newest; *at != NULL;) {
        struct export *one = *at;
        if (++count <= KEPT_MAX || one->state == RUNNING) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        remove_files(exports, one);
        free_one(one);
    }
}

static err check_room(const struct exports *exports, struct problem *problem)
{
    size_t waiting = 0;
    for (const struct export *one = exports->newest; one != NULL; one = one->next)
        waiting += one->state == RUNNING;
    if (waiting < WAITING_MAX)
        return ERR_OK;
    problem_set(problem, ERR_BUSY, "%d exports are running or waiting", WAITING_MAX);
    return problem_hint(problem, ERR_BUSY, "cancel one, or wait for one to end");
}

err exports_begin(struct exports *exports, const struct export_order *order,
                  char id[EXPORT_ID_BYTES], struct problem *problem)
{
    struct audience_set *set = order->set;
    struct export *one = memory_alloc(sizeof *one);
    err error = one != NULL ? export_plan_init(&one->plan, order, STR_NONE, problem) : ERR_NOMEM;
    if (error == ERR_OK)
        export_plan_name(&one->plan, exports->server);
    pthread_mutex_lock(&exports->mutex);
    if (error == ERR_OK)
        error = check_room(exports, problem);
    if (error == ERR_OK && !exports->runs)
        exports->runs = pthread_create(&exports->thread, NULL, run, exports) == 0;
    if (error == ERR_OK && !exports->runs)
        error = ERR_NOMEM;
    if (error == ERR_OK) {
        one->plan.set = set;
        one->total = audience_set_count(set);
        one->created_ms = server_now_ms(exports->server);
        one->number = exports->last_number + 1;
        snprintf(id, EXPORT_ID_BYTES, "e%u", one->number);
        keep_in_order(exports, one);
        forget_oldest(exports);
        pthread_cond_signal(&exports->wake);
    }
    pthread_mutex_unlock(&exports->mutex);
    if (error != ERR_OK) {
        audience_set_free(&set);
        if (one != NULL)
            free_one(one);
    }
    return error;
}

err exports_write(struct exports *exports, str id, struct json_writer *writer)
{
    pthread_mutex_lock(&exports->mutex);
    const struct export *one = find(exports, id);
    if (one != NULL)
        write_export(exports, one, writer);
    pthread_mutex_unlock(&exports->mutex);
    return one != NULL ? ERR_OK : ERR_NOT_FOUND;
}

uint32_t exports_maker(struct exports *exports, str id)
{
    pthread_mutex_lock(&exports->mutex);
    const struct export *one = find(exports, id);
    uint32_t user_number = one != NULL ? one->plan.user_number : 0;
    pthread_mutex_unlock(&exports->mutex);
    return user_number;
}

/* Files that went by age (src/privacy/too_old.c) take their exports along. */
static void forget_gone(struct exports *exports)
{
    for (struct export **at = &exports->newest; *at != NULL;) {
        struct export *one = *at;
        char path[PATH_BYTES];
        path_of(exports, one->number, ending_of(one), path);
        if (one->state != DONE || access(path, F_OK) == 0) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        remove_files(exports, one);
        free_one(one);
    }
}

void exports_write_all(struct exports *exports,
                       bool (*shows)(const void *context, uint32_t user_number),
                       const void *context, struct json_writer *writer)
{
    pthread_mutex_lock(&exports->mutex);
    forget_gone(exports);
    for (const struct export *one = exports->newest; one != NULL; one = one->next)
        if (shows == NULL || shows(context, one->plan.user_number))
            write_export(exports, one, writer);
    pthread_mutex_unlock(&exports->mutex);
}

err exports_delete(struct exports *exports, str id)
{
    pthread_mutex_lock(&exports->mutex);
    struct export *one = find(exports, id);
    if (one != NULL && one->state == RUNNING) {
        atomic_store(&one->cancel, true); /* its thread ends it */
    } else if (one != NULL) {
        struct export **at = &exports->newest;
        while (*at != one)
            at = &(*at)->next;
        *at = one->next;
        remove_files(exports, one);
        free_one(one);
    }
    pthread_mutex_unlock(&exports->mutex);
    return one != NULL ? ERR_OK : ERR_NOT_FOUND;
}

err exports_open(struct exports *exports, str id, struct sealed_file **file, bool *csv,
                 bool *revealed, uint32_t *user_number, struct problem *problem)
{
    char path[PATH_BYTES] = "";
    pthread_mutex_lock(&exports->mutex);
    const struct export *one = find(exports, id);
    err error = one == NULL ? ERR_NOT_FOUND : ERR_OK;
    if (one != NULL && one->state != DONE)
        error = problem_set(problem, ERR_CONFLICT, "the export is %s: there is no file",
                            state_texts[one->state]);
    if (error == ERR_OK) {
        path_of(exports, one->number, ending_of(one), path);
        *csv = one->plan.csv;
        *revealed = one->plan.revealed;
        *user_number = one->plan.user_number;
    }
    pthread_mutex_unlock(&exports->mutex);
    if (error != ERR_OK)
        return error;
    error = sealed_file_open(file, exports->server->keys, path, false, problem);
    return error == ERR_NOT_FOUND
               ? problem_set(problem, ERR_NOT_FOUND, "the file is not there any more")
               : error;
}
