/* SPDX-License-Identifier: Apache-2.0 */
/* kith move: ledger and log of a stopped folder go to a PostgreSQL server, or back into files.
 *
 *     digest there ─▶ copy ledger ─▶ copy log ─▶ digest here: the same? ─▶ the old place is closed
 *
 * What was copied is used only when the digest says that it is the same; until then the old place is as it was. Closed means: a
 * file gets the ending .moved, a log on a server is held by nobody for ever. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logline.h"
#include "cli/commands.h"
#include "cli/copy_log.h"
#include "cli/offline.h"
#include "cli/options.h"
#include "engine/engine.h"

#define FOR_EVER_MS (INT64_C(36500) * DAY_MS)

/* A store and its two places: the name of its file, and addresses (NULL: the file). */
struct moved {
    const char *name;
    const char *from, *to;
    bool goes;
};

static const char *place(const struct moved *moved, const char *address, const char *folder,
                         char path[PATH_MAX])
{
    if (address != NULL)
        return address;
    snprintf(path, PATH_MAX, "%.4000s/%s", folder, moved->name);
    return path;
}

static err choose(struct moved *moved, const char *name, const char *from, const char *to,
                  struct problem *problem)
{
    *moved = (struct moved){ .name = name, .from = from, .to = from };
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
    if (moved->to != NULL && strncmp(to, "postgres", 8) != 0)
        return problem_set(problem, ERR_INVALID, "'%s' is neither postgresql://… nor file", to);
    return ERR_OK;
}

/* A folder without them would be begun anew by being opened. */
static err check_there(const struct moved *moved, const char *folder, struct problem *problem)
{
    char path[PATH_MAX];
    if (moved->from != NULL || access(place(moved, NULL, folder, path), F_OK) == 0)
        return ERR_OK;
    problem_set(problem, ERR_NOT_FOUND, "the folder has no %s", moved->name);
    return problem_hint(problem, ERR_NOT_FOUND, "say where it lies: --ledger URL, --log URL");
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

static err move_copies(const struct moved *ledger, const struct moved *log, const char *folder,
                       struct problem *problem)
{
    char from[PATH_MAX], to[PATH_MAX];
    uint64_t last_seq = 0;
    err error = ledger->goes ? copy_ledger(ledger, folder, problem) : ERR_OK;
    if (error == ERR_OK && ledger->goes)
        printf("ledger copied\n");
    if (error == ERR_OK && log->goes)
        error = copy_log(place(log, log->from, folder, from), place(log, log->to, folder, to),
                         &last_seq, problem);
    if (error == ERR_OK && log->goes)
        printf("log copied up to seq %llu\n", (unsigned long long)last_seq);
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

static err close_old(const struct moved *moved, const char *folder, struct problem *problem)
{
    if (!moved->goes)
        return ERR_OK;
    if (moved->from == NULL)
        return set_aside(folder, moved->name, problem);
    if (strcmp(moved->name, "log.db") == 0)
        return log_claim(moved->from, "moved", "a folder into which it was moved", FOR_EVER_MS,
                         problem);
    return ERR_OK; /* whoever has the log has the ledger */
}

static err move(const struct options *options, struct problem *problem)
{
    char folder[PATH_MAX];
    struct moved ledger, log;
    struct digest before = { .count = 0 }, after = { .count = 0 };
    if (realpath(options->data, folder) == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no folder '%s'", options->data);
    err error = choose(&ledger, "ledger.db", ledger_address(options), options->to_ledger, problem);
    if (error == ERR_OK)
        error = choose(&log, "log.db", log_address(options), options->to_log, problem);
    if (error == ERR_OK && !ledger.goes && !log.goes)
        error = problem_set(problem, ERR_INVALID, "--to-ledger or --to-log is missing");
    if (error == ERR_OK)
        error = check_there(&ledger, folder, problem);
    if (error == ERR_OK)
        error = check_there(&log, folder, problem);
    if (error == ERR_OK)
        error = digest_of(folder, ledger.from, log.from, false, &before, problem);
    if (error == ERR_OK)
        error = move_copies(&ledger, &log, folder, problem);
    if (error == ERR_OK)
        error = digest_of(folder, ledger.to, log.to, false, &after, problem);
    if (error != ERR_OK)
        return error;
    if (before.low != after.low || before.high != after.high || before.count != after.count)
        return problem_set(problem, ERR_CORRUPT,
                           "what was copied has another digest: the old place is as it was");
    printf("the same\n");
    error = close_old(&ledger, folder, problem);
    return error == ERR_OK ? close_old(&log, folder, problem) : error;
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
