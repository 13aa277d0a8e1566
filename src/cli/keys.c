/* SPDX-License-Identifier: Apache-2.0 */
/* kith keys: the sealing keys of a running server: which there are, rotation, removal; and the master key of a stopped folder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "access/seal.h"
#include "base/clock.h"
#include "cli/asking.h"
#include "cli/commands.h"

#define LOOK_MS 200

struct keys_asked {
    const char *server, *token, *no_wait;
    const char *data;   /* master: of which folder */
    const char *number; /* remove: which */
    struct asking to;
};

static err look(struct keys_asked *asked, json_value *answer)
{
    buffer_clear(&asked->to.body);
    asking_path(&asked->to, "/keys");
    return asking_send(&asked->to, "GET", answer);
}

static void print_keys(json_value answer)
{
    json_value key, job = json_get(answer, STR("job"));
    struct json_iterator keys = json_iterate(json_get(answer, STR("keys")));
    while (json_next(&keys, NULL, &key)) {
        str state = json_text(json_get(key, STR("state")));
        bool retired = str_equal(state, STR("retired"));
        printf("key %-3lld " STR_FMT "%s\n", (long long)json_int(json_get(key, STR("number")), 0),
               STR_ARG(state),
               !retired                                        ? ""
               : json_bool(json_get(key, STR("needed")), true) ? ", still needed"
                                                               : ", needed by backups alone");
    }
    if (json_kind(job) != JSON_OBJECT)
        return;
    printf("job " STR_FMT " " STR_FMT, STR_ARG(json_text(json_get(job, STR("id")))),
           STR_ARG(json_text(json_get(job, STR("state")))));
    str phase = json_text(json_get(job, STR("phase"))),
        table = json_text(json_get(job, STR("table")));
    if (phase.size > 0)
        printf(": pass %lld, " STR_FMT "%s" STR_FMT,
               (long long)json_int(json_get(job, STR("pass")), 0), STR_ARG(phase),
               table.size > 0 ? ", " : "", STR_ARG(table));
    str waits_for = json_text(json_get(job, STR("waits_for")));
    if (waits_for.size > 0)
        printf("; waits: " STR_FMT, STR_ARG(waits_for));
    printf("\n");
}

static err status(struct keys_asked *asked)
{
    json_value answer;
    err error = look(asked, &answer);
    if (error == ERR_OK)
        print_keys(answer);
    return error;
}

static err wait_until_done(struct keys_asked *asked)
{
    for (;;) {
        json_value answer;
        err error = look(asked, &answer);
        json_value job = json_get(answer, STR("job"));
        if (error != ERR_OK || str_equal(json_text(json_get(job, STR("state"))), STR("finished"))) {
            if (error == ERR_OK)
                print_keys(answer);
            return error;
        }
        steady_sleep_ms(LOOK_MS);
    }
}

static err rotate(struct keys_asked *asked)
{
    json_value answer;
    err error = look(asked, &answer);
    if (error != ERR_OK)
        return error;
    long long newest = (long long)json_int(json_get(answer, STR("newest")), 0);
    buffer_clear(&asked->to.body);
    buffer_printf(&asked->to.body, "{\"newest\":%lld}", newest);
    asking_path(&asked->to, "/keys/rotate");
    error = asking_send(&asked->to, "POST", &answer);
    if (error != ERR_OK || asked->no_wait == NULL)
        return error == ERR_OK ? wait_until_done(asked) : error;
    print_keys(answer);
    return ERR_OK;
}

static err remove_key(struct keys_asked *asked)
{
    json_value answer;
    buffer_clear(&asked->to.body);
    asking_path(&asked->to, "/keys");
    asking_step(&asked->to, asked->number);
    err error = asking_send(&asked->to, "DELETE", &answer);
    if (error == ERR_OK)
        print_keys(answer);
    return error;
}

/* ---- the master key of a folder that nobody serves ---- */

static err lock_folder(const char *folder, int *lock, struct problem *problem)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/lock", folder);
    *lock = open(path, O_RDWR | O_CLOEXEC);
    if (*lock < 0 && errno == ENOENT)
        return problem_set(problem, ERR_NOT_FOUND, "'%s' is not a data folder", folder);
    if (*lock < 0)
        return problem_set(problem, ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    problem_set(problem, ERR_LOCKED, "the data folder '%s' is in use by a server", folder);
    return problem_hint(problem, ERR_LOCKED, "stop it: it would go on with the key of before");
}

static err change_master(const char *folder, struct problem *problem)
{
    char path[PATH_MAX];
    const char *fresh = getenv("KITH_NEW_MASTER_KEY");
    int lock = -1;
    err error = lock_folder(folder, &lock, problem);
    keys_place(folder, path, sizeof path);
    if (error == ERR_OK)
        error = keys_change_master(path, fresh != NULL ? str_from_c(fresh) : STR_NONE, problem);
    if (lock >= 0)
        close(lock);
    if (error == ERR_OK && fresh != NULL && fresh[0] != '\0')
        printf("'%s' is wrapped by the new master key: start Kith with it as KITH_MASTER_KEY or "
               "KITH_MASTER_KEY_FILE.\nDestroy the old one with all copies of the old file, as "
               "soon as no backup needs them.\n",
               path);
    else if (error == ERR_OK)
        printf("'%s' is wrapped by a master key of its own: start Kith without KITH_MASTER_KEY.\n",
               path);
    return error;
}

static const struct verb {
    const char *name;
    err (*run)(struct keys_asked *asked); /* NULL: `master`, which asks no server */
    int words;
    const char *help;
} verbs[] = {
    { "status", status, 0, "which keys there are, and how far sealing anew is" },
    { "rotate", rotate, 0, "[--no-wait]: a new one seals; what there is, is sealed anew" },
    { "remove", remove_key, 1, "NUMBER: it and those before are destroyed" },
    { "master", NULL, 0,
      "--data DIR: of a stopped folder; its key file is wrapped by KITH_NEW_MASTER_KEY, or by one\n"
      "                   of its own. KITH_MASTER_KEY is the one of before" },
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static int usage(void)
{
    fprintf(stderr, "kith keys VERB, against --server URL (KITH_URL) with --token "
                    "(KITH_ADMIN_TOKEN)\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(stderr, "  kith keys %-7s %s\n", verbs[i].name, verbs[i].help);
    return EXIT_USAGE;
}

static bool take_words(struct keys_asked *asked, const struct verb *verb, int argc, char **argv)
{
    const struct asking_option options[] = {
        { "--server", "URL", &asked->server },
        { "--token", "TOKEN", &asked->token },
        { "--no-wait", "", &asked->no_wait },
        { "--data", "DIR", &asked->data },
    };
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            asked->number = argv[i];
            count++;
        } else if (!asking_take_option(options, sizeof options / sizeof options[0], argc, argv,
                                       &i)) {
            return false;
        }
    }
    return count == verb->words && (asked->data != NULL) == (verb->run == NULL);
}

int command_keys(int argc, char **argv)
{
    struct problem problem = { .error = ERR_OK };
    struct keys_asked asked = { .server = NULL };
    const struct verb *verb = NULL;
    for (size_t i = 0; argc > 0 && i < VERB_COUNT; i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            verb = &verbs[i];
    if (verb == NULL || !take_words(&asked, verb, argc - 1, argv + 1))
        return usage();
    if (verb->run == NULL) {
        err changed = change_master(asked.data, &problem);
        if (changed != ERR_OK)
            print_problem(&problem);
        return changed == ERR_OK ? 0 : EXIT_FAILED;
    }
    err error = asking_open(&asked.to, asked.server, asked.token, &problem);
    if (error == ERR_OK)
        error = verb->run(&asked);
    return asking_end(&asked.to, error);
}
