/* SPDX-License-Identifier: Apache-2.0 */
/* kith serve: the server, from its start to the last answer. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "base/arena.h"
#include "base/folder.h"
#include "base/logline.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "feed/feed.h"
#include "feed/sink.h"
#include "imports/imports.h"
#include "privacy/privacy.h"
#include "server/server.h"

#define DRAIN_MS_MAX 4000
#define CLOSE_MS_MAX 5000
/* Of requests to one that takes over: the lease is running. */
#define TAKE_OVER_DRAIN_MS 500
#define LOOK_MS 50

static _Atomic bool fatal_seen;

/* A sync that failed: what is acknowledged from here on could be lost, so nothing is. The socket closes
 * with the process. */
static void stop_at_once(void *context, const struct problem *problem)
{
    (void)context;
    if (atomic_exchange(&fatal_seen, true))
        return;
    log_line(LOG_ERROR, "server_fatal", "reason=\"%s\"", problem->detail);
    _exit(EXIT_FATAL);
}

/* ---- what we were told: the command line, and its --config as it was each time it was read ---- */

struct reading {
    struct options options;
    struct reading *older; /* a server may still look at its texts */
};
struct given {
    int argc;
    char **argv;
    struct reading *newest;
    unsigned readings;
};

static err read_options(struct given *given, struct problem *problem)
{
    struct reading *reading = memory_alloc(sizeof *reading);
    if (reading == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the options");
    err error = options_parse(&reading->options, SERVE, given->argc, given->argv, problem);
    if (error != ERR_OK) {
        options_free(&reading->options);
        memory_free(reading);
        return error;
    }
    reading->older = given->newest;
    given->newest = reading;
    given->readings++;
    return ERR_OK;
}

static void forget_options(struct given *given)
{
    while (given->newest != NULL) {
        struct reading *reading = given->newest;
        given->newest = reading->older;
        options_free(&reading->options);
        memory_free(reading);
    }
}

static void set_level(const struct options *options)
{
    log_set_level(options->quiet ? LOG_WARN : LOG_INFO);
}

static err split_listen(const char *listen, char address[64], uint16_t *port,
                        struct problem *problem)
{
    const char *colon = strrchr(listen, ':');
    int64_t number;
    if (colon == NULL || (size_t)(colon - listen) >= 64 ||
        !str_to_int64(str_from_c(colon + 1), &number) || number < 0 || number > 65535) {
        problem_set(problem, ERR_INVALID, "--listen '%s' is not ADDRESS:PORT", listen);
        return problem_hint(problem, ERR_INVALID, "for example 127.0.0.1:8080 or [::1]:8080");
    }
    size_t size = (size_t)(colon - listen);
    if (size >= 2 && listen[0] == '[' && listen[size - 1] == ']') {
        listen++;
        size -= 2;
    }
    memcpy(address, listen, size);
    address[size] = '\0';
    *port = (uint16_t)number;
    return ERR_OK;
}

static err start_clock(const struct options *options, struct wall_clock *clock,
                       struct problem *problem)
{
    const char *now = getenv("KITH_NOW");
    int64_t start_ms;
    if (!options->virtual_clock) {
        wall_clock_init_real(clock);
        return ERR_OK;
    }
    if (now == NULL || !time_parse(str_from_c(now), 0, &start_ms)) {
        problem_set(problem, ERR_INVALID, "--virtual-clock needs KITH_NOW, a time");
        return problem_hint(problem, ERR_INVALID, "for example KITH_NOW=2026-06-18T00:00:00Z");
    }
    wall_clock_init_virtual(clock, start_ms);
    return ERR_OK;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_line(LOG_WARN, "file_limit", "kept=%llu", (unsigned long long)limit.rlim_cur);
}

/* The warehouse runs in a process of its own: it is told the whole path. */
static err find_folder(const struct options *options, char folder[PATH_MAX],
                       struct problem *problem)
{
    if (mkdir(options->data, 0700) != 0 && errno != EEXIST)
        return problem_set(problem, ERR_IO, "the data folder '%s' cannot be made: %s",
                           options->data, strerror(errno));
    if (realpath(options->data, folder) == NULL)
        return problem_set(problem, ERR_IO, "the data folder '%s' cannot be found: %s",
                           options->data, strerror(errno));
    return ERR_OK;
}

/* Temporary files lie in the data folder, so that those of a server that was killed go with the next start. It is named
 * before the first thread, and emptied once the folder is ours. */
static err name_scratch(const char *folder, char path[PATH_MAX], struct problem *problem)
{
    if (snprintf(path, PATH_MAX, "%s/scratch", folder) >= PATH_MAX)
        return problem_set(problem, ERR_INVALID, "the path of the data folder '%s' is too long",
                           folder);
    if (setenv("TMPDIR", path, 1) != 0)
        return problem_set(problem, ERR_NOMEM, "no memory to name the temporary files");
    return ERR_OK;
}

static struct server_limits limits_of(const struct options *options)
{
    return (struct server_limits){ .in_flight_bytes_max = (size_t)options->in_flight,
                                   .door_wait_ms_max = options->door_wait,
                                   .trusted_proxies = options->trusted_proxies };
}

static void fill_configs(const struct options *options, struct wall_clock *clock,
                         struct engine_config *engine, struct server_config *server)
{
    *engine = (struct engine_config){
        .folder = options->data,
        .clock = clock,
        .ledger_url = ledger_address(options),
        .log_url = log_address(options),
        .address = options->advertise[0] != '\0' ? options->advertise : NULL,
        .lease_ms = options->lease,
        .warehouse = { .url = warehouse_address(options->warehouse_url),
                       .library = options->warehouse_library[0] != '\0' ? options->warehouse_library
                                                                        : NULL,
                       .memory_bytes_max = (size_t)options->warehouse_memory },
        .without_warehouse = options->no_warehouse,
        .sandbox_url = options->sandbox,
        .history_bytes_max = (size_t)options->history_memory,
        .pack_ms = options->pack_every > 0 ? options->pack_every : -1,
        .dedupe_window_ms = options->dedupe_window,
        .log_retention_ms = options->retention,
        .fatal = stop_at_once,
    };
    *server = (struct server_config){
        .clock = clock,
        .version = KITH_VERSION,
        .http_threads = (unsigned)options->http_threads,
        .api_threads = (unsigned)options->api_threads,
        .connections_max = (unsigned)options->connections,
        .connections_per_address_max = (unsigned)options->connections_per_address,
        .door_body_bytes_max = (size_t)options->batch_bytes,
        .admin_token = getenv("KITH_ADMIN_TOKEN"),
        .collect = { .event_bytes_max = (size_t)options->event_bytes,
                     .batch_bytes_max = (size_t)options->batch_bytes },
    };
}

/* Blocked before the first thread, so that every thread has them blocked. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static err open_imports(const struct options *options, struct engine *engine, const char *data,
                        struct imports **imports, struct problem *problem)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%.4000s/imports", data);
    struct imports_config config = {
        .engine = engine,
        .folder = folder,
        .allowed_folder = options->import_folder[0] != '\0' ? options->import_folder : NULL,
        .library = options->warehouse_library[0] != '\0' ? options->warehouse_library : NULL,
    };
    return imports_open(imports, &config, problem);
}

static err open_backups(const struct options *options, struct engine *engine, const char *data,
                        struct backups **backups, struct problem *problem)
{
    struct backups_config config = {
        .engine = engine, .data_folder = data, .folder = options->backups, .version = KITH_VERSION
    };
    return options->backups[0] != '\0' ? backups_open(backups, &config, problem) : ERR_OK;
}

static err open_privacy(const struct options *options, struct engine *engine,
                        struct imports *imports, const char *data, struct privacy **privacy,
                        struct problem *problem)
{
    struct privacy_config config = { .engine = engine,
                                     .imports = imports,
                                     .data_folder = data,
                                     .backups_folder =
                                         options->backups[0] != '\0' ? options->backups : NULL };
    return privacy_open(privacy, &config, problem);
}

/* ---- a life: as the active server, or as one that follows ---- */

struct life {
    struct given *given;
    const struct options *options; /* as they were when it started */
    struct wall_clock clock;
    char folder[PATH_MAX], scratch[PATH_MAX], address[64];
    uint16_t port;
    struct engine *engine;
    struct server *server;
    struct imports *imports;
    struct feeds *feeds;
    struct sinks *sinks;
    struct backups *backups;
    struct privacy *privacy;
    enum server_offers offers; /* while it follows */
    char login[SERVER_LOGIN_BYTES];
};

static err open_feeds(struct life *life, struct problem *problem)
{
    const struct feeds_config config = { .engine = life->engine,
                                         .imports = life->imports,
                                         .clock = &life->clock,
                                         .event_bytes_max = (size_t)life->options->event_bytes };
    return feeds_open(&life->feeds, &config, problem);
}

/* What writes by itself belongs to the active one. */
static err open_duties(struct life *life, struct problem *problem)
{
    const struct options *options = life->options;
    err error = server_prepare(life->engine, getenv("KITH_WRITE_KEY"), life->login, problem);
    if (error == ERR_OK)
        error = open_imports(options, life->engine, life->folder, &life->imports, problem);
    if (error == ERR_OK)
        error = open_feeds(life, problem);
    if (error == ERR_OK)
        error = sinks_open(&life->sinks,
                           &(struct sinks_config){ .engine = life->engine, .clock = &life->clock },
                           problem);
    if (error == ERR_OK)
        error = open_backups(options, life->engine, life->folder, &life->backups, problem);
    if (error == ERR_OK)
        error = open_privacy(options, life->engine, life->imports, life->folder, &life->privacy,
                             problem);
    return error;
}

static void fill_life(struct life *life, bool follows, struct engine_config *engine,
                      struct server_config *server)
{
    fill_configs(life->options, &life->clock, engine, server);
    server->offers = follows ? life->offers : OFFERS_ALL;
    server->limits = limits_of(&life->given->newest->options);
    engine->folder = life->folder;
    engine->follows = follows;
    engine->role = server_role_text(server->offers, follows);
    engine->version = server->version;
    engine->sends = server->offers == OFFERS_NOTHING;
    engine->collects = server->offers == OFFERS_DOORS || engine->sends;
    engine->senders = life->options->senders;
}

/* Around an engine that is open. */
static err open_server(struct life *life, struct server_config *config, struct problem *problem)
{
    config->engine = life->engine;
    config->imports = life->imports;
    config->feeds = life->feeds;
    config->sinks = life->sinks;
    config->backups = life->backups;
    config->privacy = life->privacy;
    config->address = life->address;
    config->port = life->port;
    err error = server_start(&life->server, config, problem);
    if (error == ERR_OK)
        life->port = server_port(life->server); /* the next life is found where this one was */
    return error;
}

static void tell_ready(const struct life *life, bool follows, steady_ns start)
{
    if (life->login[0] != '\0')
        fprintf(stderr,
                "\n  First start. Sign in as: %s\n  It is shown once; change it in the "
                "console.\n\n",
                life->login);
    log_line(LOG_INFO, "server_ready", "address=%s port=%u follows=%s after_ms=%lld", life->address,
             life->port, follows ? "true" : "false", (long long)steady_since_ms(start));
}

/* An engine that has taken over is there already. */
static err open_life(struct life *life, bool follows, struct problem *problem)
{
    struct engine_config engine_config;
    struct server_config server_config;
    steady_ns start = steady_now();
    err error = ERR_OK;
    life->login[0] = '\0';
    fill_life(life, follows, &engine_config, &server_config);
    if (life->engine == NULL)
        error = engine_open(&life->engine, &engine_config, problem);
    if (error == ERR_OK)
        error = folder_make_empty(life->scratch, problem);
    if (error == ERR_OK && !follows)
        error = open_duties(life, problem);
    if (error == ERR_OK)
        error = open_server(life, &server_config, problem);
    if (error == ERR_OK)
        tell_ready(life, follows, start);
    return error;
}

static void close_server(struct life *life)
{
    server_stop(&life->server);
    privacy_close(&life->privacy);
    feeds_close(&life->feeds);
    sinks_close(&life->sinks);
    imports_close(&life->imports);
    backups_close(&life->backups);
}

static void close_life(struct life *life)
{
    close_server(life);
    if (life->engine != NULL)
        engine_close(&life->engine, CLOSE_MS_MAX);
}

/* ---- SIGHUP: the file of options again ---- */

static void tell_change(void *context, const char *name, bool live)
{
    unsigned *changes = context;
    *changes += live;
    log_line(live ? LOG_INFO : LOG_WARN, live ? "option_changed" : "option_needs_restart",
             "option=%s", name);
}

/* Takes all that may change while it runs, or, when something in the file is wrong, nothing. Of the rest it says that it waits
 * for a restart. A server that is told the same again does nothing. */
static void reload(struct life *life)
{
    struct problem problem = { .error = ERR_OK };
    const struct options *was = &life->given->newest->options;
    unsigned changes = 0;
    if (read_options(life->given, &problem) != ERR_OK) {
        log_line(LOG_ERROR, "options_refused", "reason=\"%s\"", problem.detail);
        return;
    }
    const struct options *now = &life->given->newest->options;
    options_compare(was, now, SERVE, tell_change, &changes);
    const struct server_limits limits = limits_of(now);
    server_limit(life->server, &limits);
    log_line(LOG_INFO, "options_read", "reading=%u changed=%u", life->given->readings, changes);
    set_level(now);
}

/* Until a signal ends us, or, of one that follows, the lease of the log is free for us to claim. */
static bool wait_for_end(const sigset_t *signals, struct life *life, bool may_take_over)
{
    const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
    for (;;) {
        struct log_standing standing;
        int number = sigtimedwait(signals, NULL, &look);
        if (number == SIGHUP) {
            reload(life);
        } else if (number > 0) {
            log_line(LOG_INFO, "server_stopping", "signal=%d", number);
            return true;
        }
        engine_standing(life->engine, &standing);
        if (may_take_over && standing.follows && standing.lease_is_free)
            return false;
    }
}

/* The last four never take over. */
enum role { ROLE_ANY, ROLE_ACTIVE, ROLE_FOLLOWER, ROLE_COLLECT, ROLE_QUERY, ROLE_SEND };

static err choose_role(const struct options *options, enum role *role, struct problem *problem)
{
    static const char *const names[] = { "any", "active", "follower", "collect", "query", "send" };
    bool is_cluster = log_address(options) != NULL && ledger_address(options) != NULL &&
                      (warehouse_address(options->warehouse_url) != NULL || options->no_warehouse);
    for (int i = 0; i <= ROLE_SEND; i++) {
        if (strcmp(options->role, names[i]) != 0)
            continue;
        if (options->senders && log_address(options) == NULL) {
            problem_set(problem, ERR_INVALID, "--senders needs the log on a server");
            return problem_hint(problem, ERR_INVALID, "give --log, or leave --senders away");
        }
        /* With something that lies in the folder alone nobody else can go on. */
        *role = is_cluster ? (enum role)i : ROLE_ACTIVE;
        if (i < ROLE_FOLLOWER || is_cluster)
            return ERR_OK;
        problem_set(problem, ERR_INVALID, "--role %s needs log, ledger and warehouse on servers",
                    options->role);
        return problem_hint(problem, ERR_INVALID, "give --log, --ledger and --warehouse-url");
    }
    problem_set(problem, ERR_INVALID,
                "--role '%s' is not any, active, follower, collect, query or send", options->role);
    return problem_hint(problem, ERR_INVALID, "leave it away: any");
}

/* Who follows claims the lease before it ends what it does: of several, one does. */
static bool claim(struct life *life)
{
    const struct options *options = life->options;
    struct problem problem = { .error = ERR_OK };
    err error = engine_claim_lease(life->folder, log_address(options),
                                   options->advertise[0] != '\0' ? options->advertise : NULL,
                                   options->lease, &problem);
    if (error != ERR_OK)
        log_line(LOG_INFO, "lease_not_taken", "reason=\"%s\"", problem.detail);
    return error == ERR_OK;
}

/* What it has in memory goes on. Without it the next life loads everything: that is as good, and slower. */
static void take_over(struct life *life)
{
    struct engine_config engine_config;
    struct server_config server_config;
    struct problem problem = { .error = ERR_OK };
    close_server(life);
    fill_life(life, false, &engine_config, &server_config);
    if (engine_take_over(life->engine, &engine_config, &problem) == ERR_OK)
        return;
    log_line(LOG_WARN, "not_taken_over_warm", "reason=\"%s\"", problem.detail);
    close_life(life);
}

/* Follow until a signal comes (*ended) or the lease is ours. */
static err follow(struct life *life, enum role role, const sigset_t *signals, bool *ended,
                  struct problem *problem)
{
    bool ours = false;
    err error = open_life(life, true, problem);
    while (error == ERR_OK && !*ended && !ours) {
        *ended = wait_for_end(signals, life, role == ROLE_ANY);
        ours = !*ended && claim(life);
    }
    if (life->server != NULL)
        server_drain(life->server, *ended ? DRAIN_MS_MAX : TAKE_OVER_DRAIN_MS);
    if (error == ERR_OK && ours)
        take_over(life);
    else
        close_life(life);
    return error;
}

static err live(struct life *life, enum role role, const sigset_t *signals, struct problem *problem)
{
    bool ended = false;
    for (;;) {
        err error = role >= ROLE_FOLLOWER ? ERR_LOCKED : open_life(life, false, problem);
        if (error == ERR_OK) {
            (void)wait_for_end(signals, life, false);
            server_drain(life->server, DRAIN_MS_MAX);
        }
        bool is_held = error == ERR_LOCKED && life->engine == NULL && role != ROLE_ACTIVE;
        close_life(life);
        if (!is_held)
            return error;
        *problem = (struct problem){ .error = ERR_OK };
        error = follow(life, role, signals, &ended, problem);
        if (error == ERR_OK && ended)
            return ERR_OK;
        if (error != ERR_OK && error != ERR_UNAVAILABLE)
            return error;
        /* The active one may not have made its ledger yet, or the server is away. */
        if (error != ERR_OK) {
            log_line(LOG_WARN, "standby_waits", "reason=\"%s\"", problem->detail);
            if (sigtimedwait(signals, NULL, &(const struct timespec){ .tv_sec = 1 }) > 0)
                return ERR_OK;
        }
    }
}

static err run(struct given *given, const sigset_t *signals, struct problem *problem)
{
    const struct options *options = &given->newest->options;
    struct life *life = memory_alloc(sizeof *life);
    enum role role = ROLE_ACTIVE;
    if (life == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the server");
    life->given = given;
    life->options = options;
    err error = start_clock(options, &life->clock, problem);
    if (error == ERR_OK)
        error = choose_role(options, &role, problem);
    life->offers = role == ROLE_COLLECT ? OFFERS_DOORS
                   : role == ROLE_QUERY ? OFFERS_READS
                   : role == ROLE_SEND  ? OFFERS_NOTHING
                                        : OFFERS_ALL;
    if (error == ERR_OK)
        error = find_folder(options, life->folder, problem);
    if (error == ERR_OK)
        error = name_scratch(life->folder, life->scratch, problem);
    if (error == ERR_OK)
        error = split_listen(options->listen, life->address, &life->port, problem);
    if (error == ERR_OK)
        error = live(life, role, signals, problem);
    memory_free(life);
    return error;
}

int command_serve(int argc, char **argv)
{
    struct given given = { .argc = argc, .argv = argv };
    struct problem problem = { .error = ERR_OK };
    sigset_t signals;
    err error = read_options(&given, &problem);
    if (error != ERR_OK) {
        print_problem(&problem);
        forget_options(&given);
        return EXIT_USAGE;
    }
    set_level(&given.newest->options);
    block_signals(&signals);
    raise_file_limit();
    error = run(&given, &signals, &problem);
    forget_options(&given);
    if (error != ERR_OK) {
        problem.error = error;
        print_problem(&problem);
        return EXIT_FAILED;
    }
    log_line(LOG_INFO, "server_stopped", "");
    return 0;
}
