/* SPDX-License-Identifier: Apache-2.0 */
/* kith: the one binary. */
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "store/warehouse_child.h"
#include "table/table.h"

static int command_version(int argc, char **argv);
static int command_help(int argc, char **argv);

/* The warehouse's child reads its own options: they are between the server and it. */
static int command_warehouse(int argc, char **argv)
{
    return warehouse_child_main(argc + 1, argv - 1);
}

static int command_read_parquet(int argc, char **argv)
{
    return table_parquet_main(argc + 1, argv - 1);
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    int options;
    const char *help;
} commands[] = {
    { "serve", command_serve, SERVE, "run the server" },
    { "check", command_check, OFFLINE, "check a stopped folder: log, ledger, identity" },
    { "digest", command_digest, OFFLINE, "print the digest of a stopped folder's state" },
    { "rebuild", command_rebuild, REBUILD,
      "apply a kept log to an empty folder and compare the digests" },
    { "move", command_move, MOVE,
      "ledger and log of a stopped folder to PostgreSQL, or back into files" },
    { "import", command_import, IMPORT, "FILE: into a running server, or --undo JOB" },
    { "segment", command_segment, 0, "list, show, preview, put, delete, members, give, export" },
    { "tag", command_tag, 0, "the same of tags" },
    { "journey", command_journey, 0,
      "list, show, put, publish, pause, resume, stop, enter, explain, report" },
    { "touch", command_touch, 0, "list, show, decide" },
    { "template", command_template, 0, "list, show, put, delete, preview" },
    { "channel", command_channel, 0, "list, show, put, delete, test" },
    { "stop", command_stop, 0, "the red button: nothing leaves any more; --off goes on" },
    { "privacy", command_privacy, 0, "show, requests, access, restrict, erase, retention, retain" },
    { "keys", command_keys, 0, "status, rotate, remove, master: the keys that seal" },
    { "backup", command_backup, BACKUP,
      "let a running server take one, or look after a folder of them" },
    { "restore", command_restore, RESTORE, "a data folder out of a backup, also as of a moment" },
    { "sandbox", command_sandbox, SANDBOX,
      "behave as WeCom, WeChat, SMS, mail and webhook providers do, for tests" },
    { "warehouse", command_warehouse, 0, "the child that runs the embedded warehouse" },
    { "read-parquet", command_read_parquet, 0, "the child that reads a Parquet file" },
    { "version", command_version, 0, "print the version" },
    { "help", command_help, 0, "print this" },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("kith %s\n", KITH_VERSION);
    return 0;
}

static int command_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("kith COMMAND [options]\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf("\n  kith %-12s %s\n", commands[i].name, commands[i].help);
        options_print(commands[i].options);
    }
    printf("\nEnvironment: KITH_ADMIN_TOKEN (a bearer token with an administrator's rights), "
           "KITH_WRITE_KEY (of a\nserver source 'default'), KITH_MASTER_KEY (base64, 32 bytes: "
           "keeps the keys out of the folder),\nKITH_NOW (start of the virtual clock).\n");
    return 0;
}

void print_problem(const struct problem *problem)
{
    const char *detail = problem->detail[0] != '\0' ? problem->detail : err_title(problem->error);
    fprintf(stderr, "kith: %s", detail);
    if (problem->hint[0] != '\0')
        fprintf(stderr, " (%s)", problem->hint);
    fprintf(stderr, "\n");
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    fault_read_environment();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc > 2 ? argc - 2 : 0, argv + 2);
    fprintf(stderr, "kith: there is no command '%s' (kith help lists them)\n", name);
    return EXIT_USAGE;
}
