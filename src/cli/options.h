/* SPDX-License-Identifier: Apache-2.0 */
/* options: the command line as one table. Parser, help and docs/operations.md come from it.
 *
 * A row names the option, the commands that take it, what its value is, its default, and what it is for.
 * Values are checked here; commands read them from `struct options`.
 */
#ifndef KITH_CLI_OPTIONS_H
#define KITH_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SERVE 1
#define OFFLINE 2 /* check, digest */
#define REBUILD 4
#define IMPORT 8
#define BACKUP 0x1000
#define RESTORE 0x2000
#define SANDBOX 0x4000
#define MOVE 0x8000
#define LIVE 0x10000 /* a running server takes a new value at SIGHUP */

/* X(member, option, kind, commands, value, default, help) */
#define OPTION_TABLE(X)                                                                           \
    X(data, "--data", TEXT, SERVE | OFFLINE | REBUILD | RESTORE | MOVE, "DIR", "",                \
      "the data folder")                                                                          \
    X(config, "--config", TEXT, SERVE | OFFLINE | REBUILD | MOVE, "FILE", "",                     \
      "a file of options, a line each; the command line goes before it")                          \
    X(listen, "--listen", TEXT, SERVE, "ADDRESS:PORT", "127.0.0.1:8080",                          \
      "where to listen; port 0 takes any free one")                                               \
    X(ledger, "--ledger", TEXT, SERVE | OFFLINE | REBUILD | MOVE, "URL", "",                      \
      "a PostgreSQL database instead of ledger.db, postgresql://…; default KITH_LEDGER")          \
    X(log, "--log", TEXT, SERVE | OFFLINE | REBUILD | MOVE, "URL", "",                            \
      "a PostgreSQL database instead of log.db, postgresql://…; default KITH_LOG")                \
    X(to_ledger, "--to-ledger", TEXT, MOVE, "URL", "",                                            \
      "where the ledger goes: an empty PostgreSQL database; file: into the folder")               \
    X(to_log, "--to-log", TEXT, MOVE, "URL", "", "where the log goes, likewise")                  \
    X(to_warehouse, "--to-warehouse", TEXT, MOVE, "URL", "",                                      \
      "where the events go: empty shards of ClickHouse, with commas; file: into the folder")      \
    X(ahead, "--ahead", FLAG, MOVE, "", "",                                                       \
      "with --to-warehouse, while the server runs: copy events, and switch nothing")              \
    X(role, "--role", TEXT, SERVE, "ROLE", "any",                                                 \
      "with --log: any (the active one, or a standby that takes over), active, follower, "        \
      "collect (doors alone), query (no doors), send (messages alone)")                           \
    X(senders, "--senders", FLAG, SERVE, "", "",                                                  \
      "with --log: messages leave by servers with --role send, not by the active one")            \
    X(advertise, "--advertise", TEXT, SERVE, "URL", "",                                           \
      "with --log: where others send clients while this server is the active one")                \
    X(lease, "--lease", DURATION, SERVE, "DURATION", "10s",                                       \
      "with --log: how long a silent server stays the active one")                                \
    X(warehouse_url, "--warehouse", TEXT, SERVE | OFFLINE | REBUILD | MOVE, "URL", "",            \
      "ClickHouse servers, with commas, instead of the embedded one; default KITH_WAREHOUSE")     \
    X(warehouse_library, "--warehouse-library", TEXT, SERVE, "FILE", "",                          \
      "libchdb.so, when it does not lie beside the program")                                      \
    X(warehouse_memory, "--warehouse-memory", SIZE, SERVE, "BYTES", "3G",                         \
      "memory of the embedded warehouse at most")                                                 \
    X(no_warehouse, "--no-warehouse", FLAG, SERVE, "", "",                                        \
      "keep all events in the log and in memory: for small tests only")                           \
    X(http_threads, "--http-threads", NUMBER, SERVE, "N", "0",                                    \
      "threads that speak HTTP; 0: one per core")                                                 \
    X(api_threads, "--api-threads", NUMBER, SERVE, "N", "6", "threads that run API requests")     \
    X(connections, "--connections", NUMBER, SERVE, "N", "12000", "open connections at most")      \
    X(connections_per_address, "--connections-per-address", NUMBER, SERVE, "N", "10000",          \
      "of them, from one address")                                                                \
    X(in_flight, "--in-flight", SIZE, SERVE | LIVE, "BYTES", "256M",                              \
      "bodies of all requests being worked on at most; beyond it 429")                            \
    X(history_memory, "--history-memory", SIZE, SERVE, "BYTES", "1900M",                          \
      "events in memory at most; older ones are read back from the warehouse")                    \
    X(pack_every, "--pack-every", DURATION, SERVE, "DURATION", "2m",                              \
      "how often history.pack, which makes starts quick, is brought up to date; 0s: never")       \
    X(door_wait, "--door-wait", DURATION, SERVE | LIVE, "DURATION", "100ms",                      \
      "events that waited longer for an HTTP thread are answered 429")                            \
    X(batch_bytes, "--batch-bytes", SIZE, SERVE, "BYTES", "4M", "one request of events at most")  \
    X(event_bytes, "--event-bytes", SIZE, SERVE, "BYTES", "256K", "one event at most")            \
    X(trusted_proxies, "--trusted-proxies", TEXT, SERVE | LIVE, "ADDRESSES", "",                  \
      "proxies, with commas, whose X-Forwarded-For counts")                                       \
    X(import_folder, "--import-folder", TEXT, SERVE, "DIR", "",                                   \
      "files below it may be imported by their path; without it only what is uploaded")           \
    X(sandbox, "--sandbox", TEXT, SERVE, "URL", "",                                               \
      "a kith sandbox, for accounts that say so in place of their provider")                      \
    X(backups, "--backups", TEXT, SERVE, "DIR", "",                                               \
      "where POST /api/v1/backups and kith backup keep points")                                   \
    X(retention, "--log-retention", DURATION, SERVE, "DURATION", "3d",                            \
      "how long the log is kept for replays once all is stored")                                  \
    X(dedupe_window, "--dedupe-window", DURATION, SERVE, "DURATION", "30d",                       \
      "how long the same message id counts once")                                                 \
    X(virtual_clock, "--virtual-clock", FLAG, SERVE, "", "",                                      \
      "time starts at KITH_NOW and moves by POST /api/v1/clock: tests and demonstrations")        \
    X(into, "--into", TEXT, REBUILD, "DIR", "", "an empty folder for the rebuilt state")          \
    X(mapping, "--mapping", TEXT, IMPORT, "KEY|FILE", "", "a saved mapping, or a file with one")  \
    X(preset, "--preset", TEXT, IMPORT, "KEY", "", "the mapping of a shop system's export")       \
    X(source, "--source", TEXT, IMPORT, "KEY", "", "the source whose data it is")                 \
    X(data_set, "--data-set", TEXT, IMPORT, "NAME", "",                                           \
      "files of one data set know each other's orders; default: the source, else the mapping")    \
    X(path, "--path", FLAG, IMPORT, "", "", "FILE lies on the server, below its --import-folder") \
    X(wait, "--wait", FLAG, IMPORT, "", "", "wait for the end of the job and show its progress")  \
    X(undo, "--undo", NUMBER, IMPORT, "JOB", "0", "take back what this job brought")              \
    X(from, "--from", TEXT, BACKUP | RESTORE, "DIR", "", "the folder of the backups")             \
    X(list, "--list", FLAG, BACKUP, "", "", "what points there are")                              \
    X(verify, "--verify", FLAG, BACKUP, "", "", "read every piece of every point")                \
    X(keep, "--keep", NUMBER, BACKUP, "N", "0", "remove all but the newest N points")             \
    X(point, "--point", NUMBER, RESTORE, "N", "0", "else the newest that --at allows")            \
    X(at, "--at", TEXT, RESTORE, "TIME", "", "as it was at this moment; else as late as is kept") \
    X(server, "--server", TEXT, IMPORT | BACKUP, "URL", "",                                       \
      "the server; default KITH_URL, else port 8080 here")                                        \
    X(token, "--token", TEXT, IMPORT | BACKUP, "TOKEN", "", "default KITH_ADMIN_TOKEN")           \
    X(sandbox_listen, "--listen", TEXT, SANDBOX, "ADDRESS:PORT", "127.0.0.1:8090",                \
      "where the providers are; port 0 takes any free one")                                       \
    X(smtp, "--smtp", TEXT, SANDBOX, "ADDRESS:PORT", "", "where the mail host is; none without")  \
    X(seed, "--seed", NUMBER, SANDBOX, "N", "1", "of ids, delays and chances")                    \
    X(quiet, "--quiet", FLAG, SERVE | OFFLINE | REBUILD | LIVE, "", "", "warnings and errors alone")

enum option_kind { OPTION_TEXT, OPTION_NUMBER, OPTION_SIZE, OPTION_DURATION, OPTION_FLAG };

#define OPTION_TYPE_TEXT const char *
#define OPTION_TYPE_NUMBER int64_t
#define OPTION_TYPE_SIZE int64_t
#define OPTION_TYPE_DURATION int64_t
#define OPTION_TYPE_FLAG bool

struct options {
#define X(member, option, kind, commands, value, otherwise, help) OPTION_TYPE_##kind member;
    OPTION_TABLE(X)
#undef X
    char *file_text; /* of --config: texts are borrowed from it */
};

/* Where the ledger is, when it is no file of the data folder: --ledger, else KITH_LEDGER, which `ps` does not show to
 * others; else NULL. */
const char *ledger_address(const struct options *options);
/* Likewise of the log: --log, else KITH_LOG. */
const char *log_address(const struct options *options);
/* Likewise of the warehouse's shards: what --warehouse says, else KITH_WAREHOUSE; NULL when it is embedded. */
const char *warehouse_address(const char *option);
/* Fills in defaults, then the file that --config names, then argv[0…argc-1]. The file has a line for each option, `name value`
 * or `name = value`, the name without its dashes; `#` begins a comment line; what another command takes is passed over, so that one
 * file serves all. INVALID naming the option, the line and the cure; IO when the file cannot be read. Texts are borrowed from
 * argv and from the file's text. To be freed whatever came of it. */
err options_parse(struct options *options, int command, int argc, char **argv,
                  struct problem *problem) MUST_USE;
void options_free(struct options *options);
/* Calls `tell` for each option of `command` that `now` has otherwise than `was`; `live`: a running server may take it. */
void options_compare(const struct options *was, const struct options *now, int command,
                     void (*tell)(void *context, const char *name, bool live), void *context);
/* "  --data DIR   the data folder" … for the options of `command`. */
void options_print(int command);

#endif
