/* SPDX-License-Identifier: Apache-2.0 */
/* kith move: ledger and log of a stopped folder go to a PostgreSQL server, its events to shards of ClickHouse; or all of it back.
 *
 *     (events, ahead) ─▶ digest there ─▶ copy ledger ─▶ log ─▶ events ─▶ digest here: the same? ─▶ the old place is closed
 *
 * What was copied is used only when the digest says that it is the same; until then the old place is as it was. Closed means: a
 * file or folder gets the ending .moved, a log on a server is held by nobody for ever, shards no longer say whose they are.
 *
 * Events are most of it. With --ahead they are copied while the server runs; what came since is then all that is left for the move. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logline.h"
#include "cli/commands.h"
#include "cli/copy_log.h"
#include "cli/move_events.h"
#include "cli/offline.h"
#include "cli/options.h"
#include "engine/engine.h"

#define FOR_EVER_MS (INT64_C(36500) * DAY_MS)

/* A store and its two places: the name of its file or folder, how addresses look and begin, and addresses (NULL: the file). */
struct moved {
    const char *name, *example;
    size_t scheme_size; /* of the example */
    const char *from, *to;
    bool goes;
};

struct moving {
    const char *folder;
    struct moved ledger, log, events;
};

static const char *place(const struct moved *moved, const char *address, const char *folder,
                         char path[PATH_MAX])
{
    if (address != NULL)
        return address;
    snprintf(path, PATH_MAX, "%.4000s/%s", folder, moved->name);
    return path;
}

static err choose(struct moved *moved, const char *from, const char *to, struct problem *problem)
{
    const char *name = moved->name;
    moved->from = moved->to = from;
    if (to[0] == '\0')
        return ERR_OK;
    moved->to = strcmp(to, "file") == 0 ? NULL : to;
    moved->goes = true;
    if (moved->to == NULL && from == NULL)
        return problem_set(problem, ERR_INVALID, "%s is in the folder already", name);
    if (moved->to != NULL && from != NULL)
        return problem_hint(problem,
                            problem_set(problem, ERR_INVALID, "%s is on a server already", name),
                            "move it into a file first");
    if (moved->to != NULL && strncmp(to, moved->example, moved->scheme_size) != 0)
        return problem_set(problem, ERR_INVALID, "'%s' is neither %s nor file", to, moved->example);
    return ERR_OK;
}

static err choose_all(struct moving *moving, const struct options *options, struct problem *problem)
{
    moving->ledger =
        (struct moved){ .name = "ledger.db", .example = "postgresql://…", .scheme_size = 8 };
    moving->log = (struct moved){ .name = "log.db", .example = "postgresql://…", .scheme_size = 8 };
    moving->events = (struct moved){ .name = "warehouse", .example = "http://…", .scheme_size = 4 };
    err error = choose(&moving->ledger, ledger_address(options), options->to_ledger, problem);
    if (error == ERR_OK)
        error = choose(&moving->log, log_address(options), options->to_log, problem);
    if (error == ERR_OK)
        error = choose(&moving->events, warehouse_address(options->warehouse_url),
                       options->to_warehouse, problem);
    if (error != ERR_OK)
        return error;
    bool others_go = moving->ledger.goes || moving->log.goes;
    if (options->ahead && (others_go || !moving->events.goes || moving->events.from != NULL))
        return problem_set(problem, ERR_INVALID,
                           "--ahead copies events of an embedded warehouse alone: give "
                           "--to-warehouse with it, and neither --to-ledger nor --to-log");
    if (!others_go && !moving->events.goes)
        return problem_set(problem, ERR_INVALID,
                           "--to-ledger, --to-log or --to-warehouse is missing");
    return ERR_OK;
}

/* A folder without them would be begun anew by being opened. */
static err check_there(const struct moved *moved, const char *folder, struct problem *problem)
{
    char path[PATH_MAX];
    if (moved->from != NULL || access(place(moved, NULL, folder, path), F_OK) == 0)
        return ERR_OK;
    problem_set(problem, ERR_NOT_FOUND, "the folder has no %s", moved->name);
    return problem_hint(problem, ERR_NOT_FOUND,
                        "say where it lies: --ledger URL, --log URL, --warehouse URL");
}

static err check_all_there(const struct moving *moving, struct problem *problem)
{
    char aside[PATH_MAX];
    err error = check_there(&moving->ledger, moving->folder, problem);
    if (error == ERR_OK)
        error = check_there(&moving->log, moving->folder, problem);
    if (error != ERR_OK || !moving->events.goes)
        return error;
    snprintf(aside, sizeof aside, "%.4000s/warehouse.moved", moving->folder);
    if (moving->events.from == NULL && access(aside, F_OK) == 0)
        return problem_hint(
            problem,
            problem_set(problem, ERR_CONFLICT, "'%s' is there, from an earlier move", aside),
            "remove it, or keep it elsewhere");
    return check_there(&moving->events, moving->folder, problem);
}

static void copy_began(void *context)
{
    (void)context;
}

static err copy_ledger(const struct moved *moved, const char *folder, struct problem *problem)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct ledger *ledger = NULL;
    struct ledger_config config = { .path = place(moved, moved->from, folder, from), .readers = 1 };
    if (moved->to == NULL && access(place(moved, NULL, folder, to), F_OK) == 0)
        return problem_set(problem, ERR_CONFLICT, "there is a ledger.db in the folder already");
    err error = ledger_open(&ledger, &config, problem);
    if (error == ERR_OK)
        error = ledger_copy(ledger, place(moved, moved->to, folder, to), copy_began, NULL, problem);
    ledger_close(&ledger);
    return error;
}

static err move_copies(const struct moving *moving, struct problem *problem)
{
    char from[PATH_MAX], to[PATH_MAX];
    const struct moved *log = &moving->log, *events = &moving->events;
    uint64_t last_seq = 0;
    err error =
        moving->ledger.goes ? copy_ledger(&moving->ledger, moving->folder, problem) : ERR_OK;
    if (error == ERR_OK && moving->ledger.goes)
        printf("ledger copied\n");
    if (error == ERR_OK && log->goes)
        error = copy_log(place(log, log->from, moving->folder, from),
                         place(log, log->to, moving->folder, to), &last_seq, problem);
    if (error == ERR_OK && log->goes)
        printf("log copied up to seq %llu\n", (unsigned long long)last_seq);
    if (error == ERR_OK && events->goes)
        error = move_events(moving->folder, events->from, events->to, false, problem);
    return error;
}

/* ---- the old place ---- */

static err set_aside(const char *folder, const char *name, struct problem *problem)
{
    char from[PATH_MAX], to[PATH_MAX];
    static const char *const ends[] = { "", "-mark" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(from, sizeof from, "%.4000s/%s%s", folder, name, ends[i]);
        snprintf(to, sizeof to, "%.4000s/%s.moved%s", folder, name, ends[i]);
        if (access(from, F_OK) == 0 && rename(from, to) != 0)
            return problem_set(problem, ERR_IO, "'%s' cannot be set aside", from);
    }
    return ERR_OK;
}

static err close_old(const struct moving *moving, struct problem *problem)
{
    const struct moved *ledger = &moving->ledger, *log = &moving->log;
    err error = ERR_OK;
    if (ledger->goes && ledger->from == NULL)
        error = set_aside(moving->folder, ledger->name, problem);
    /* Whoever has the log has the ledger. */
    if (error == ERR_OK && log->goes)
        error = log->from == NULL
                    ? set_aside(moving->folder, log->name, problem)
                    : log_claim(log->from, "moved", "a folder into which it was moved", FOR_EVER_MS,
                                problem);
    if (error == ERR_OK && moving->events.goes)
        error = move_events_close(moving->folder, moving->events.from, problem);
    return error;
}

static err move_all(const struct moving *moving, struct problem *problem)
{
    struct digest before = { .count = 0 }, after = { .count = 0 };
    const struct folder_places old = { .ledger = moving->ledger.from,
                                       .log = moving->log.from,
                                       .warehouse = moving->events.from };
    const struct folder_places new = { .ledger = moving->ledger.to,
                                       .log = moving->log.to,
                                       .warehouse = moving->events.to };
    err error = digest_of(moving->folder, &old, false, &before, problem);
    if (error == ERR_OK)
        error = move_copies(moving, problem);
    if (error == ERR_OK)
        error = digest_of(moving->folder, &new, false, &after, problem);
    if (error != ERR_OK)
        return error;
    if (before.low != after.low || before.high != after.high || before.count != after.count)
        return problem_set(problem, ERR_CORRUPT,
                           "what was copied has another digest: the old place is as it was");
    printf("the same\n");
    return close_old(moving, problem);
}

static err move(const struct options *options, struct problem *problem)
{
    char folder[PATH_MAX];
    struct moving moving = { .folder = folder };
    if (realpath(options->data, folder) == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no folder '%s'", options->data);
    err error = choose_all(&moving, options, problem);
    if (error == ERR_OK)
        error = check_all_there(&moving, problem);
    if (error != ERR_OK)
        return error;
    return options->ahead ? move_events(folder, moving.events.from, moving.events.to, true, problem)
                          : move_all(&moving, problem);
}

int command_move(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    err error = options_parse(&options, MOVE, argc, argv, &problem);
    log_set_level(LOG_WARN);
    if (error == ERR_OK)
        error = move(&options, &problem);
    options_free(&options);
    if (error == ERR_OK)
        return 0;
    problem.error = error;
    print_problem(&problem);
    return error == ERR_INVALID ? EXIT_USAGE : error == ERR_CORRUPT ? EXIT_FOUND : EXIT_FAILED;
}
