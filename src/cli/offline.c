/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that work on a stopped folder: check, digest, rebuild. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/audit.h"
#include "base/logline.h"
#include "cli/commands.h"
#include "cli/copy_log.h"
#include "cli/offline.h"
#include "cli/options.h"
#include "engine/engine.h"
#include "privacy/privacy.h"

#define SETTLE_MS_MAX (60 * MINUTE_MS)
#define REPORT_BYTES_MAX (1024 * 1024)

static err parse(struct options *options, int command, int argc, char **argv,
                 struct problem *problem)
{
    err error = options_parse(options, command, argc, argv, problem);
    if (error == ERR_OK)
        log_set_level(LOG_WARN);
    return error;
}

static struct folder_places places_of(const struct options *options)
{
    return (struct folder_places){ .ledger = ledger_address(options),
                                   .log = log_address(options),
                                   .warehouse = warehouse_address(options->warehouse_url) };
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Opens the folder as a server would: the log's rest is applied. What is derived from events comes from
 * the warehouse where there is one; a replay makes it from the log. */
static err open_folder(const char *folder, const struct folder_places *places, bool replay_only,
                       struct wall_clock *clock, struct engine **engine, struct problem *problem)
{
    char whole[PATH_MAX], warehouse[PATH_MAX + 16];
    struct engine_config config = { .folder = whole,
                                    .clock = clock,
                                    .replay_only = replay_only,
                                    .ledger_url = places->ledger,
                                    .log_url = places->log };
    if (!is_folder(folder) || realpath(folder, whole) == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no folder '%s'", folder);
    snprintf(warehouse, sizeof(warehouse), "%s/warehouse", whole);
    config.warehouse.url = replay_only ? NULL : places->warehouse;
    config.without_warehouse =
        replay_only || (config.warehouse.url == NULL && !is_folder(warehouse));
    wall_clock_init_real(clock);
    err error = engine_open(engine, &config, problem);
    if (error == ERR_OK)
        error = engine_settle(*engine, false, SETTLE_MS_MAX);
    return error;
}

static err print_digest(struct engine *engine, struct digest *digest, bool with_report,
                        struct problem *problem)
{
    struct buffer report;
    char text[DIGEST_TEXT_BYTES];
    buffer_init(&report, REPORT_BYTES_MAX);
    err error = engine_digest(engine, digest, &report, problem);
    if (error == ERR_OK) {
        digest_format(digest, text);
        if (with_report)
            printf("%.*s", (int)report.size, report.data != NULL ? report.data : "");
        printf("digest %s\n", text);
    }
    buffer_deinit(&report);
    return error;
}

static int finish(struct engine **engine, err error, struct problem *problem)
{
    if (*engine != NULL)
        engine_close(engine, 1000);
    if (error == ERR_OK)
        return 0;
    problem->error = error;
    print_problem(problem);
    return error == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
}

int command_digest(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    struct wall_clock clock;
    struct engine *engine = NULL;
    struct digest digest = { .count = 0 };
    err error = parse(&options, OFFLINE, argc, argv, &problem);
    struct folder_places places = places_of(&options);
    if (error == ERR_OK)
        error = open_folder(options.data, &places, false, &clock, &engine, &problem);
    if (error == ERR_OK)
        error = print_digest(engine, &digest, !options.quiet, &problem);
    int code = finish(&engine, error, &problem);
    options_free(&options);
    return code;
}

/* ---- check ---- */

/* Every block of the log is read and its CRC compared. */
static err check_log(struct engine *engine, struct problem *problem)
{
    struct log *log = engine_log(engine);
    uint64_t seq = log_first_seq(log), last = log_last_seq(log), blocks = 0;
    while (seq <= last) {
        struct log_block *block = NULL;
        err error = log_read(log, seq, &block, problem);
        if (error != ERR_OK)
            return error;
        struct log_cursor cursor = { .block = block };
        struct log_record record;
        uint64_t next = seq;
        while (log_block_next(&cursor, &record))
            next = record.seq + 1;
        log_block_release(&block);
        if (next <= seq)
            return problem_set(problem, ERR_CORRUPT, "the block at seq %llu holds no record",
                               (unsigned long long)seq);
        seq = next;
        blocks++;
    }
    printf("log: %llu blocks, seq %llu to %llu\n", (unsigned long long)blocks,
           (unsigned long long)log_first_seq(log), (unsigned long long)last);
    return ERR_OK;
}

static bool count_row(void *context, const struct ledger_value *values)
{
    (void)values;
    (*(uint64_t *)context)++;
    return true;
}

/* Every row of every table can be read. */
static err check_ledger(struct engine *engine, struct problem *problem)
{
    uint64_t rows = 0;
    for (int table = 0; table < LEDGER_TABLE_COUNT; table++) {
        err error = ledger_scan(engine_ledger(engine), (enum ledger_table)table, NULL, count_row,
                                &rows, problem);
        if (error != ERR_OK)
            return error;
    }
    printf("ledger: %llu rows in %d tables, applied up to seq %llu\n", (unsigned long long)rows,
           LEDGER_TABLE_COUNT, (unsigned long long)ledger_applied_seq(engine_ledger(engine)));
    return ERR_OK;
}

static err check_audit(struct engine *engine, struct problem *problem)
{
    struct audit_verdict verdict;
    err error = audit_verify(engine_ledger(engine), engine_keys(engine), &verdict, problem);
    if (error != ERR_OK)
        return error;
    if (!verdict.is_whole)
        return problem_set(problem, ERR_CORRUPT, "audit: %s (line of seq %llu)", verdict.complaint,
                           (unsigned long long)verdict.broken_seq);
    printf("audit: %llu lines, no line altered or removed\n", (unsigned long long)verdict.lines);
    return ERR_OK;
}

struct check_room {
    err error;
    struct problem *problem;
};

static void ask_identity(const struct engine_state *state, struct engine_question *question)
{
    struct check_room *check = question->context;
    check->error = identity_check(state->identity, check->problem);
    if (check->error == ERR_OK)
        printf("identity: %u customers, %u identifiers\n", identity_customer_count(state->identity),
               identity_row_count(state->identity));
}

static err check_identity_room(struct engine *engine, struct problem *problem)
{
    struct check_room check = { .problem = problem };
    struct engine_question question = { .ask = ask_identity, .context = &check };
    err error = engine_ask_wait(engine, &question);
    return error == ERR_OK ? check.error : error;
}

static void ask_journeys(const struct engine_state *state, struct engine_question *question)
{
    struct check_room *check = question->context;
    struct journeys_status status;
    char first[200];
    uint64_t defects = journey_check(state->journeys, first, sizeof first);
    journeys_status(state->journeys, &status);
    printf("journeys: %llu positions, %llu of them held for an operator, %llu defects\n",
           (unsigned long long)status.positions, (unsigned long long)status.failed,
           (unsigned long long)defects);
    check->error =
        defects == 0 ? ERR_OK
                     : problem_set(check->problem, ERR_CORRUPT,
                                   "%llu positions of journeys are stuck or double; the first: %s",
                                   (unsigned long long)defects, first);
}

/* No position without a timer or a condition, none twice. */
static err check_journeys(struct engine *engine, struct problem *problem)
{
    struct check_room check = { .problem = problem };
    struct engine_question question = { .ask = ask_journeys, .context = &check };
    err error = engine_ask_wait(engine, &question);
    return error == ERR_OK ? check.error : error;
}

/* Pieces of history.pack whose bytes are not those that were written: opening the folder has read all of them. */
static err check_packs(struct engine *engine, struct problem *problem)
{
    struct buffer report;
    buffer_init(&report, 1 << 12);
    err error = engine_check_packs(engine, &report, problem);
    printf("history.pack: " STR_FMT "\n", STR_ARG(buffer_str(&report)));
    buffer_deinit(&report);
    return error;
}

int command_check(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    struct wall_clock clock;
    struct engine *engine = NULL;
    err error = parse(&options, OFFLINE, argc, argv, &problem);
    struct folder_places places = places_of(&options);
    if (error == ERR_OK)
        error = open_folder(options.data, &places, false, &clock, &engine, &problem);
    if (error == ERR_OK)
        error = check_log(engine, &problem);
    if (error == ERR_OK)
        error = check_ledger(engine, &problem);
    if (error == ERR_OK)
        error = check_audit(engine, &problem);
    if (error == ERR_OK)
        error = check_identity_room(engine, &problem);
    if (error == ERR_OK)
        error = check_journeys(engine, &problem);
    if (error == ERR_OK)
        error = check_packs(engine, &problem);
    if (error == ERR_OK)
        error = privacy_print_old_seals(engine, stdout, &problem);
    int code = finish(&engine, error, &problem);
    options_free(&options);
    return code == EXIT_FAILED && error == ERR_CORRUPT ? EXIT_FOUND : code;
}

/* ---- rebuild ---- */

static err copy_file(const char *from_folder, const char *to_folder, const char *name, bool needed,
                     struct problem *problem)
{
    char from[1024], to[1024], bytes[65536];
    snprintf(from, sizeof(from), "%s/%s", from_folder, name);
    snprintf(to, sizeof(to), "%s/%s", to_folder, name);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return needed ? problem_set(problem, ERR_NOT_FOUND, "the folder has no file '%s'", name)
                      : ERR_OK;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t size = -1;
    while (out >= 0 && (size = read(in, bytes, sizeof(bytes))) > 0)
        if (write(out, bytes, (size_t)size) != size) {
            size = -1;
            break;
        }
    close(in);
    if (out >= 0 && close(out) != 0)
        size = -1;
    return size == 0 ? ERR_OK : problem_set(problem, ERR_IO, "'%s' cannot be copied", name);
}

/* Keys and log are what a state is made of; ledger and warehouse follow from them. */
static err copy_sources(const char *from, const char *log, const char *into,
                        struct problem *problem)
{
    static const struct {
        const char *name;
        bool needed;
    } files[] = {
        { "keys", false },
        { "log.db", true },
        { "log.db-wal", false },
    };
    size_t count = log != NULL ? 1 : sizeof(files) / sizeof(files[0]);
    if (mkdir(into, 0700) != 0 && !is_folder(into))
        return problem_set(problem, ERR_IO, "the folder '%s' cannot be made", into);
    for (size_t i = 0; i < count; i++) {
        err error = copy_file(from, into, files[i].name, files[i].needed, problem);
        if (error != ERR_OK)
            return error;
    }
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/log.db", into);
    return log != NULL ? copy_log(log, path, NULL, problem) : ERR_OK;
}

err digest_of(const char *folder, const struct folder_places *places, bool replay_only,
              struct digest *digest, struct problem *problem)
{
    struct wall_clock clock;
    struct engine *engine = NULL;
    err error = open_folder(folder, places, replay_only, &clock, &engine, problem);
    if (error == ERR_OK && replay_only && log_first_seq(engine_log(engine)) != 1)
        error = problem_set(problem, ERR_UNPROCESSABLE,
                            "the log begins at seq %llu: what was before is no longer kept",
                            (unsigned long long)log_first_seq(engine_log(engine)));
    if (error == ERR_OK) {
        printf("%s\n", folder);
        error = print_digest(engine, digest, true, problem);
    }
    if (engine != NULL)
        engine_close(&engine, 1000);
    return error;
}

int command_rebuild(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    struct digest kept = { .count = 0 }, rebuilt = { .count = 0 };
    err error = parse(&options, REBUILD, argc, argv, &problem);
    struct folder_places places = places_of(&options);
    if (error == ERR_OK && options.into[0] == '\0')
        error = problem_set(&problem, ERR_INVALID, "--into DIR is missing");
    /* First the kept folder: opening it also brings its log to rest, so that it can be copied. */
    if (error == ERR_OK)
        error = digest_of(options.data, &places, false, &kept, &problem);
    if (error == ERR_OK)
        error = copy_sources(options.data, log_address(&options), options.into, &problem);
    if (error == ERR_OK)
        error = digest_of(options.into, &(struct folder_places){ .log = NULL }, true, &rebuilt,
                          &problem);
    options_free(&options);
    if (error != ERR_OK) {
        problem.error = error;
        print_problem(&problem);
        return error == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED;
    }
    bool same = kept.low == rebuilt.low && kept.high == rebuilt.high && kept.count == rebuilt.count;
    printf("%s\n", same ? "the same" : "DIFFERENT");
    return same ? 0 : EXIT_FOUND;
}
