/* SPDX-License-Identifier: Apache-2.0 */
/* kith import: a file into a running server, with a progress bar; or take one back.
 *
 * 0: done. 1: it failed, and stderr says why. 2: the command line cannot be understood. 3: done, and rows were
 * refused (their report: GET /api/v1/jobs/ID/refused).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

#define PART_BYTES ((size_t)8 << 20)
#define MAPPING_BYTES_MAX ((size_t)1 << 20)
#define LOOK_MS 300
#define BAR_WIDTH 30
#define SURE_SCORE 80 /* of a suggested mapping */

struct import {
    struct options options;
    struct client *client;
    const char *file;
    char reference[600]; /* upload:ID or path:NAME */
    struct buffer mapping;
    struct problem *problem;
    bool shows; /* a terminal looks on */
};

/* ---- progress ---- */

static void draw(struct import *import, const char *what, double done, const char *more)
{
    char bar[BAR_WIDTH + 1];
    if (!import->shows)
        return;
    int filled = (int)(done * BAR_WIDTH);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r%-10s [%s] %3d%% %-44s", what, bar, (int)(done * 100), more);
    fflush(stderr);
}

static void end_line(const struct import *import)
{
    if (import->shows)
        fprintf(stderr, "\n");
}

/* ---- the file ---- */

static err send_parts(struct import *import, FILE *file, const char *id, int64_t size)
{
    char path[200];
    json_value answer;
    char *part = memory_alloc(PART_BYTES);
    if (part == NULL)
        return ERR_NOMEM;
    err error = ERR_OK;
    for (int64_t offset = 0; offset < size && error == ERR_OK;) {
        size_t read = fread(part, 1, PART_BYTES, file);
        if (read == 0) {
            error = problem_set(import->problem, ERR_IO, "'%s' became shorter", import->file);
            break;
        }
        snprintf(path, sizeof(path), "/uploads/%s?offset=%lld", id, (long long)offset);
        error = client_ask(import->client, "PUT", path, str_from_bytes(part, read), &answer,
                           import->problem);
        if (error == ERR_BUSY) { /* nothing of it was taken */
            steady_sleep_ms(500);
            error = fseeko(file, (off_t)offset, SEEK_SET) == 0 ? ERR_OK : ERR_IO;
            continue;
        }
        offset += (int64_t)read;
        draw(import, "uploading", (double)offset / (double)size, "");
    }
    memory_free(part);
    end_line(import);
    return error;
}

static err upload(struct import *import)
{
    struct stat status;
    struct buffer body;
    struct json_writer writer;
    json_value answer;
    FILE *file = fopen(import->file, "rb");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        if (file != NULL)
            fclose(file);
        return problem_set(import->problem, ERR_IO, "'%s' cannot be read: %s", import->file,
                           strerror(errno));
    }
    const char *slash = strrchr(import->file, '/');
    buffer_init(&body, 4096);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("name"), str_from_c(slash != NULL ? slash + 1 : import->file));
    json_member_int(&writer, STR("size_bytes"), (int64_t)status.st_size);
    json_end_object(&writer);
    err error =
        client_ask(import->client, "POST", "/uploads", buffer_str(&body), &answer, import->problem);
    if (error == ERR_OK) {
        char id[64];
        str text = json_text(json_get(answer, STR("id")));
        snprintf(id, sizeof(id), "%.*s", (int)text.size, text.data);
        snprintf(import->reference, sizeof(import->reference), "upload:%s", id);
        error = send_parts(import, file, id, (int64_t)status.st_size);
    }
    buffer_deinit(&body);
    fclose(file);
    return error;
}

/* ---- the mapping ---- */

static err read_mapping_file(struct import *import, const char *path)
{
    char bytes[65536];
    size_t size;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return ERR_NOT_FOUND;
    while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buffer_append(&import->mapping, bytes, size);
    fclose(file);
    return buffer_status(&import->mapping);
}

static err find_preset(struct import *import)
{
    json_value answer, preset;
    err error =
        client_ask(import->client, "GET", "/imports/presets", STR_NONE, &answer, import->problem);
    if (error != ERR_OK)
        return error;
    struct json_iterator iterator = json_iterate(json_get(answer, STR("items")));
    while (json_next(&iterator, NULL, &preset)) {
        if (!str_equal(json_text(json_get(preset, STR("key"))), str_from_c(import->options.preset)))
            continue;
        json_write_value(&import->mapping, json_get(preset, STR("mapping")));
        return ERR_OK;
    }
    return problem_set(import->problem, ERR_NOT_FOUND, "there is no preset '%s'",
                       import->options.preset);
}

/* What the server thinks fits, if it is sure. */
static err find_suggestion(struct import *import)
{
    struct buffer body;
    struct json_writer writer;
    json_value answer;
    buffer_init(&body, 4096);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("file"), str_from_c(import->reference));
    json_end_object(&writer);
    err error = client_ask(import->client, "POST", "/imports/detect", buffer_str(&body), &answer,
                           import->problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    int64_t score = json_int(json_get(answer, STR("score")), 0);
    str preset = json_text(json_get(answer, STR("preset")));
    if (score < SURE_SCORE || !json_is_object(json_get(answer, STR("mapping")))) {
        problem_set(import->problem, ERR_UNPROCESSABLE,
                    "no mapping is known for the columns of '%s'", import->file);
        return problem_hint(import->problem, ERR_UNPROCESSABLE,
                            "give --mapping KEY or FILE, or --preset KEY");
    }
    fprintf(stderr, "mapping: %.*s\n", (int)preset.size, preset.data);
    json_write_value(&import->mapping, json_get(answer, STR("mapping")));
    return ERR_OK;
}

/* The mapping itself, or nothing when it is a saved one: then its key goes along. */
static err find_mapping(struct import *import)
{
    if (import->options.preset[0] != '\0')
        return find_preset(import);
    if (import->options.mapping[0] == '\0')
        return find_suggestion(import);
    err error = read_mapping_file(import, import->options.mapping);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

/* ---- the job ---- */

static void member_if(struct json_writer *writer, const char *name, const char *value)
{
    if (value[0] != '\0')
        json_member_text(writer, str_from_c(name), str_from_c(value));
}

static err begin_job(struct import *import, int64_t *number)
{
    struct buffer body;
    struct json_writer writer;
    json_value answer;
    buffer_init(&body, 2 * MAPPING_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("file"), str_from_c(import->reference));
    if (import->mapping.size > 0)
        json_member_raw(&writer, STR("mapping"), buffer_str(&import->mapping));
    else
        json_member_text(&writer, STR("mapping_key"), str_from_c(import->options.mapping));
    member_if(&writer, "source", import->options.source);
    member_if(&writer, "data_set", import->options.data_set);
    json_end_object(&writer);
    err error =
        client_ask(import->client, "POST", "/imports", buffer_str(&body), &answer, import->problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    *number = json_int(json_get(answer, STR("id")), 0);
    if (json_bool(json_get(answer, STR("unchanged")), false))
        fprintf(stderr, "job %lld has brought this file already: nothing changes\n",
                (long long)*number);
    printf("%lld\n", (long long)*number);
    fflush(stdout);
    return ERR_OK;
}

static void draw_job(struct import *import, json_value job)
{
    char more[160], left[48] = "";
    json_value progress = json_get(job, STR("progress"));
    str stage = json_text(json_get(progress, STR("stage")));
    char what[24];
    int64_t bytes = json_int(json_get(progress, STR("bytes")), 0);
    int64_t total = json_int(json_get(progress, STR("bytes_total")), 0);
    int64_t seconds = json_int(json_get(progress, STR("seconds_left")), -1);
    if (seconds >= 0)
        snprintf(left, sizeof(left), ", %lld s left", (long long)seconds);
    snprintf(more, sizeof(more), "%lld rows, %lld/s%s",
             (long long)json_int(json_get(progress, STR("rows")), 0),
             (long long)json_int(json_get(progress, STR("rows_per_second")), 0), left);
    snprintf(what, sizeof(what), "%.*s", (int)stage.size, stage.data);
    draw(import, what, total > 0 ? (double)bytes / (double)total : 0, more);
}

/* The exit code of a job that has come to its end; -1 while it goes on. */
static int judge(struct import *import, json_value job)
{
    str status = json_text(json_get(job, STR("status")));
    json_value counts = json_get(job, STR("counts"));
    int64_t refused = json_int(json_get(counts, STR("refused")), 0);
    if (str_equal(status, STR("finished"))) {
        draw(import, "finished", 1, "");
        end_line(import);
        fprintf(stderr, "%lld rows: %lld events, %lld known already, %lld replaced, %lld refused\n",
                (long long)json_int(json_get(counts, STR("rows")), 0),
                (long long)json_int(json_get(counts, STR("events")), 0),
                (long long)json_int(json_get(counts, STR("duplicates")), 0),
                (long long)json_int(json_get(counts, STR("replaced")), 0), (long long)refused);
        return refused > 0 ? EXIT_FOUND : 0;
    }
    if (str_equal(status, STR("undone")) || str_equal(status, STR("cancelled"))) {
        end_line(import);
        fprintf(stderr, "%.*s\n", (int)status.size, status.data);
        return import->options.undo > 0 ? 0 : EXIT_FAILED;
    }
    if (str_equal(status, STR("failed")) || str_equal(status, STR("paused"))) {
        str reason = json_text(json_get(job, STR("reason")));
        end_line(import);
        fprintf(stderr, "kith: the job is %.*s: %.*s\n", (int)status.size, status.data,
                (int)reason.size, reason.data);
        return EXIT_FAILED;
    }
    return -1;
}

static err wait_job(struct import *import, int64_t number, int *code)
{
    char path[64];
    json_value job;
    err error = ERR_OK;
    snprintf(path, sizeof(path), "/jobs/%lld", (long long)number);
    *code = -1;
    while (error == ERR_OK && *code < 0) {
        error = client_ask(import->client, "GET", path, STR_NONE, &job, import->problem);
        if (error != ERR_OK)
            break;
        draw_job(import, job);
        *code = judge(import, job);
        if (*code < 0)
            steady_sleep_ms(LOOK_MS);
    }
    return error;
}

static err bring(struct import *import, int *code)
{
    int64_t number = 0;
    err error = ERR_OK;
    *code = 0;
    if (import->options.path)
        snprintf(import->reference, sizeof(import->reference), "path:%s", import->file);
    else
        error = upload(import);
    if (error == ERR_OK)
        error = find_mapping(import);
    if (error == ERR_OK)
        error = begin_job(import, &number);
    if (error != ERR_OK || !import->options.wait)
        return error;
    return wait_job(import, number, code);
}

static err take_back(struct import *import, int *code)
{
    char path[64];
    json_value answer;
    *code = 0;
    snprintf(path, sizeof(path), "/imports/%lld/undo", (long long)import->options.undo);
    err error = client_ask(import->client, "POST", path, STR_NONE, &answer, import->problem);
    if (error != ERR_OK || !import->options.wait)
        return error;
    return wait_job(import, import->options.undo, code);
}

int command_import(int argc, char **argv)
{
    struct problem problem = { .error = ERR_OK };
    struct import import = { .problem = &problem, .shows = isatty(STDERR_FILENO) != 0 };
    int code = 0;
    if (argc > 0 && strncmp(argv[0], "--", 2) != 0) {
        import.file = argv[0];
        argc--;
        argv++;
    }
    err error = options_parse(&import.options, IMPORT, argc, argv, &problem);
    if (error == ERR_OK && import.file == NULL && import.options.undo == 0) {
        error = problem_set(&problem, ERR_INVALID, "kith import needs a FILE, or --undo JOB");
    }
    if (error != ERR_OK) {
        print_problem(&problem);
        return EXIT_USAGE;
    }
    buffer_init(&import.mapping, MAPPING_BYTES_MAX);
    error = client_new(&import.client, import.options.server, import.options.token, &problem);
    if (error == ERR_OK)
        error = import.options.undo > 0 ? take_back(&import, &code) : bring(&import, &code);
    client_free(&import.client);
    buffer_deinit(&import.mapping);
    if (error == ERR_OK)
        return code;
    problem.error = error;
    print_problem(&problem);
    return EXIT_FAILED;
}
