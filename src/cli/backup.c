/* SPDX-License-Identifier: Apache-2.0 */
/* kith backup: let a running server take a point, or look after a folder of them. kith restore: a data folder out of one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backup/backup.h"
#include "base/arena.h"
#include "base/clock.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

#define LOOK_MS 300
#define LIST_BYTES_MAX ((size_t)64 << 20)
#define MEGABYTE 1e6

static int finish(err error, struct problem *problem)
{
    if (error == ERR_OK)
        return 0;
    problem->error = error;
    print_problem(problem);
    return error == ERR_INVALID ? EXIT_USAGE : error == ERR_CORRUPT ? EXIT_FOUND : EXIT_FAILED;
}

/* ---- taking ---- */

static void show(json_value running)
{
    str phase = json_text(json_get(running, STR("phase")));
    if (isatty(2))
        fprintf(stderr, "\r%-10.*s %10.1f MB read %10.1f MB written", (int)phase.size, phase.data,
                json_double(json_get(running, STR("bytes_read")), 0) / MEGABYTE,
                json_double(json_get(running, STR("bytes_written")), 0) / MEGABYTE);
}

static err say_result(json_value answer, struct problem *problem)
{
    str failed = json_text(json_get(answer, STR("last_problem")));
    if (failed.size > 0)
        return problem_set(problem, ERR_IO, "the backup failed: " STR_FMT, STR_ARG(failed));
    json_value point = json_at(json_get(answer, STR("points")), 0);
    str until = json_text(json_get(point, STR("until")));
    str folder = json_text(json_get(answer, STR("folder")));
    printf("point %" PRId64 " in " STR_FMT ": everything until " STR_FMT
           ", %.1f MB, of which %.1f MB are new\n",
           json_int(json_get(point, STR("number")), 0), STR_ARG(folder), STR_ARG(until),
           json_double(json_get(point, STR("bytes")), 0) / MEGABYTE,
           json_double(json_get(point, STR("new_bytes")), 0) / MEGABYTE);
    return ERR_OK;
}

static err take(const struct options *options, struct problem *problem)
{
    struct client *client = NULL;
    json_value answer;
    err error = client_new(&client, options->server, options->token, problem);
    if (error == ERR_OK)
        error = client_ask(client, "POST", "/backups", STR_NONE, &answer, problem);
    while (error == ERR_OK && json_is_object(json_get(answer, STR("running")))) {
        show(json_get(answer, STR("running")));
        steady_sleep_ms(LOOK_MS);
        error = client_ask(client, "GET", "/backups", STR_NONE, &answer, problem);
    }
    if (isatty(2))
        fprintf(stderr, "\n");
    if (error == ERR_OK)
        error = say_result(answer, problem);
    client_free(&client);
    return error;
}

/* ---- looking after ---- */

static err list(const char *folder, struct problem *problem)
{
    struct buffer text;
    struct json_parser *parser = NULL;
    json_value points, point;
    buffer_init(&text, LIST_BYTES_MAX);
    err error = backup_list(folder, &text, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, LIST_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&text), &points, problem);
    if (error == ERR_OK) {
        struct json_iterator iterator = json_iterate(points);
        printf("%8s  %-24s  %-24s %12s %12s\n", "point", "taken", "until", "MB", "new MB");
        while (json_next(&iterator, NULL, &point)) {
            str taken = json_text(json_get(point, STR("taken_at")));
            str until = json_text(json_get(point, STR("until")));
            printf("%8" PRId64 "  %-24.*s  %-24.*s %12.1f %12.1f\n",
                   json_int(json_get(point, STR("number")), 0), STR_ARG(taken), STR_ARG(until),
                   json_double(json_get(point, STR("bytes")), 0) / MEGABYTE,
                   json_double(json_get(point, STR("new_bytes")), 0) / MEGABYTE);
        }
    }
    json_parser_free(&parser);
    buffer_deinit(&text);
    return error;
}

static err verify(const char *folder, struct problem *problem)
{
    uint64_t pieces, bytes;
    err error = backup_verify(folder, &pieces, &bytes, problem);
    if (error == ERR_OK)
        printf("%" PRIu64 " pieces, %.1f MB: whole\n", pieces, (double)bytes / MEGABYTE);
    return error;
}

static err prune(const struct options *options, struct problem *problem)
{
    uint32_t removed;
    uint64_t freed;
    err error = backup_prune(options->from, (uint32_t)options->keep, &removed, &freed, problem);
    if (error == ERR_OK)
        printf("%u points removed, %.1f MB freed\n", removed, (double)freed / MEGABYTE);
    return error;
}

static err need_folder(const struct options *options, struct problem *problem)
{
    if (options->from[0] != '\0')
        return ERR_OK;
    problem_set(problem, ERR_INVALID, "--from DIR is missing");
    return problem_hint(problem, ERR_INVALID, "name the folder of the backups");
}

int command_backup(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    err error = options_parse(&options, BACKUP, argc, argv, &problem);
    bool looks_after = error == ERR_OK && (options.list || options.verify || options.keep > 0);
    if (looks_after)
        error = need_folder(&options, &problem);
    if (error != ERR_OK)
        return finish(error, &problem);
    if (!looks_after)
        return finish(take(&options, &problem), &problem);
    if (options.verify)
        error = verify(options.from, &problem);
    if (error == ERR_OK && options.keep > 0)
        error = prune(&options, &problem);
    if (error == ERR_OK && options.list)
        error = list(options.from, &problem);
    return finish(error, &problem);
}

/* ---- restoring ---- */

int command_restore(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    struct backup_report report;
    char until[TIME_TEXT_BYTES];
    int64_t at_ms = 0;
    err error = options_parse(&options, RESTORE, argc, argv, &problem);
    if (error == ERR_OK)
        error = need_folder(&options, &problem);
    if (error == ERR_OK && options.at[0] != '\0' &&
        !time_parse(str_from_c(options.at), 0, &at_ms)) {
        error = problem_set(&problem, ERR_INVALID, "--at '%s' is not a time", options.at);
        problem_hint(&problem, error, "for example 2026-11-11T20:00:00+08:00");
    }
    struct backup_restore_options restore = { .folder = options.from,
                                              .data = options.data,
                                              .point = (uint32_t)options.point,
                                              .at_ms = at_ms };
    if (error == ERR_OK)
        error = backup_restore(&restore, &report, &problem);
    if (error != ERR_OK)
        return finish(error, &problem);
    time_format_utc(report.at_ms, until);
    printf("%s is as it was at %s (point %u, log up to seq %" PRIu64 "): %" PRIu64
           " files, %.1f MB\nStart it with: kith serve --data %s\n",
           options.data, until, report.point, report.log_last_seq, report.files,
           (double)report.bytes / MEGABYTE, options.data);
    return 0;
}
