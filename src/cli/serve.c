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
#include "base/folder.h"
#include "base/logline.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "imports/imports.h"
#include "privacy/privacy.h"
#include "server/server.h"

#define DRAIN_MS_MAX 4000
#define CLOSE_MS_MAX 5000

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

static void fill_configs(const struct options *options, struct wall_clock *clock,
                         struct engine_config *engine, struct server_config *server)
{
    *engine = (struct engine_config){
        .folder = options->data,
        .clock = clock,
        .ledger_url = ledger_address(options),
        .warehouse = { .url = options->warehouse_url[0] != '\0' ? options->warehouse_url : NULL,
                       .library = options->warehouse_library[0] != '\0' ? options->warehouse_library
                                                                        : NULL,
                       .memory_bytes_max = (size_t)options->warehouse_memory },
        .without_warehouse = options->no_warehouse,
        .sandbox_url = options->sandbox,
        .history_bytes_max = (size_t)options->history_memory,
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
        .in_flight_bytes_max = (size_t)options->in_flight,
        .door_wait_ms_max = options->door_wait,
        .door_body_bytes_max = (size_t)options->batch_bytes,
        .trusted_proxies = options->trusted_proxies,
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

static void wait_for_end(const sigset_t *signals)
{
    int number = 0;
    do {
        sigwait(signals, &number);
        if (number == SIGHUP)
            log_line(LOG_INFO, "signal_ignored", "signal=SIGHUP");
    } while (number == SIGHUP);
    log_line(LOG_INFO, "server_stopping", "signal=%d", number);
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

static err open_privacy(const struct options *options, struct engine *engine, const char *data,
                        struct privacy **privacy, struct problem *problem)
{
    struct privacy_config config = { .engine = engine,
                                     .data_folder = data,
                                     .backups_folder =
                                         options->backups[0] != '\0' ? options->backups : NULL };
    return privacy_open(privacy, &config, problem);
}

static err run(const struct options *options, const sigset_t *signals, struct problem *problem)
{
    struct wall_clock clock;
    struct engine_config engine_config;
    struct server_config server_config;
    struct engine *engine = NULL;
    struct server *server = NULL;
    struct imports *imports = NULL;
    struct backups *backups = NULL;
    struct privacy *privacy = NULL;
    char address[64], login[SERVER_LOGIN_BYTES], folder[PATH_MAX], scratch[PATH_MAX];
    steady_ns start = steady_now();
    err error = start_clock(options, &clock, problem);
    if (error == ERR_OK)
        error = find_folder(options, folder, problem);
    if (error == ERR_OK)
        error = name_scratch(folder, scratch, problem);
    if (error != ERR_OK)
        return error;
    fill_configs(options, &clock, &engine_config, &server_config);
    engine_config.folder = folder;
    error = split_listen(options->listen, address, &server_config.port, problem);
    if (error == ERR_OK)
        error = engine_open(&engine, &engine_config, problem);
    if (error == ERR_OK)
        error = folder_make_empty(scratch, problem);
    if (error == ERR_OK)
        error = server_prepare(engine, getenv("KITH_WRITE_KEY"), login, problem);
    if (error == ERR_OK)
        error = open_imports(options, engine, folder, &imports, problem);
    if (error == ERR_OK)
        error = open_backups(options, engine, folder, &backups, problem);
    if (error == ERR_OK)
        error = open_privacy(options, engine, folder, &privacy, problem);
    server_config.engine = engine;
    server_config.imports = imports;
    server_config.backups = backups;
    server_config.privacy = privacy;
    server_config.address = address;
    if (error == ERR_OK)
        error = server_start(&server, &server_config, problem);
    if (error == ERR_OK) {
        if (login[0] != '\0')
            fprintf(stderr,
                    "\n  First start. Sign in as: %s\n  It is shown once; change it in the "
                    "console.\n\n",
                    login);
        log_line(LOG_INFO, "server_ready", "address=%s port=%u after_ms=%lld", address,
                 server_port(server), (long long)steady_since_ms(start));
        wait_for_end(signals);
        server_drain(server, DRAIN_MS_MAX);
    }
    server_stop(&server);
    privacy_close(&privacy);
    imports_close(&imports);
    backups_close(&backups);
    if (engine != NULL)
        engine_close(&engine, CLOSE_MS_MAX);
    return error;
}

int command_serve(int argc, char **argv)
{
    struct options options;
    struct problem problem = { .error = ERR_OK };
    sigset_t signals;
    err error = options_parse(&options, SERVE, argc, argv, &problem);
    if (error != ERR_OK) {
        print_problem(&problem);
        return EXIT_USAGE;
    }
    if (options.quiet)
        log_set_level(LOG_WARN);
    block_signals(&signals);
    raise_file_limit();
    error = run(&options, &signals, &problem);
    if (error != ERR_OK) {
        problem.error = error;
        print_problem(&problem);
        return EXIT_FAILED;
    }
    log_line(LOG_INFO, "server_stopped", "");
    return 0;
}
