/* SPDX-License-Identifier: Apache-2.0 */
/* kith privacy: the rights of a person and retention, as a client of a running server. Who is meant is said by one_id, or as
 * TYPE:VALUE (mobile:13800001234). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/asking.h"
#include "cli/commands.h"

#define LOOK_MS 200
#define ID_BYTES 40

/* X(member, option, what it takes): all texts; a flag takes nothing */
#define ASK_OPTIONS(X)            \
    X(server, "--server", "URL")  \
    X(token, "--token", "TOKEN")  \
    X(reason, "--reason", "TEXT") \
    X(output, "--output", "FILE") \
    X(state, "--state", "STATE")  \
    X(reveal, "--reveal", "")     \
    X(lift, "--lift", "")         \
    X(dry, "--dry-run", "")       \
    X(yes, "--yes", "")

struct asked {
    const char *who; /* or a file, or nothing */
#define X(member, option, value) const char *member;
    ASK_OPTIONS(X)
#undef X
    char one_id[ID_BYTES], id[ID_BYTES];
    struct asking to;
};

static void keep_text(char out[ID_BYTES], json_value object, const char *name)
{
    snprintf(out, ID_BYTES, STR_FMT, STR_ARG(json_text(json_get(object, str_from_c(name)))));
}

/* The one_id of who is named. */
static err find(struct asked *asked)
{
    char type[ID_BYTES];
    json_value answer;
    const char *colon = strchr(asked->who, ':');
    if (colon == NULL || (size_t)(colon - asked->who) >= sizeof type) {
        snprintf(asked->one_id, sizeof asked->one_id, "%s", asked->who);
        return ERR_OK;
    }
    snprintf(type, sizeof type, "%.*s", (int)(colon - asked->who), asked->who);
    asking_path(&asked->to, "/customers/by");
    asking_step(&asked->to, type);
    asking_step(&asked->to, colon + 1);
    err error = asking_send(&asked->to, "GET", &answer);
    if (error == ERR_OK)
        keep_text(asked->one_id, answer, "one_id");
    return error;
}

static void begin_body(struct asked *asked, struct json_writer *writer)
{
    buffer_clear(&asked->to.body);
    json_writer_init(writer, &asked->to.body);
    json_begin_object(writer);
}

/* Asks anew until `path` says one of its last states. */
static err wait_for(struct asked *asked, const char *start, const char *last)
{
    for (;;) {
        json_value answer;
        buffer_clear(&asked->to.body);
        asking_path(&asked->to, start);
        asking_step(&asked->to, asked->id);
        err error = asking_send(&asked->to, "GET", &answer);
        if (error != ERR_OK ||
            str_equal(json_text(json_get(answer, STR("state"))), str_from_c(last)))
            return error;
        steady_sleep_ms(LOOK_MS);
    }
}

/* ---- verbs ---- */

static err show(struct asked *asked)
{
    json_value answer;
    asking_path(&asked->to, "/privacy");
    err error = asking_send(&asked->to, "GET", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err open_request(struct asked *asked, const char *kind)
{
    struct json_writer writer;
    json_value answer;
    err error = find(asked);
    if (error != ERR_OK)
        return error;
    begin_body(asked, &writer);
    json_member_text(&writer, STR("customer"), str_from_c(asked->one_id));
    json_member_text(&writer, STR("kind"), str_from_c(kind));
    if (asked->reason != NULL)
        json_member_text(&writer, STR("note"), str_from_c(asked->reason));
    json_end_object(&writer);
    asking_path(&asked->to, "/privacy/requests");
    error = asking_send(&asked->to, "POST", &answer);
    if (error == ERR_OK)
        keep_text(asked->id, answer, "id");
    return error;
}

static err fetch(struct asked *asked)
{
    char path[120];
    FILE *file = asked->output != NULL ? fopen(asked->output, "we") : stdout;
    if (file == NULL)
        return problem_set(asked->to.problem, ERR_IO, "'%s' cannot be written: %s", asked->output,
                           strerror(errno));
    snprintf(path, sizeof path, "/privacy/requests/%s/package", asked->id);
    err error = client_fetch(asked->to.client, path, file, asked->to.problem);
    if (file != stdout && fclose(file) != 0 && error == ERR_OK)
        error = problem_set(asked->to.problem, ERR_IO, "'%s' cannot be written: %s", asked->output,
                            strerror(errno));
    return error;
}

/* One file with all that is known of her; the request stays open until somebody closes it. */
static err access_file(struct asked *asked)
{
    json_value answer;
    err error = open_request(asked, "access");
    if (error != ERR_OK)
        return error;
    buffer_clear(&asked->to.body);
    asking_path(&asked->to, "/privacy/requests");
    asking_step(&asked->to, asked->id);
    buffer_append_str(&asked->to.path, STR("/package"));
    asking_query(&asked->to, "reveal", asked->reveal != NULL ? "true" : NULL);
    asking_query(&asked->to, "reason", asked->reason);
    error = asking_send(&asked->to, "POST", &answer);
    return error == ERR_OK ? fetch(asked) : error;
}

static err erase(struct asked *asked)
{
    json_value answer;
    if (asked->yes == NULL)
        return problem_set(asked->to.problem, ERR_INVALID,
                           "who is erased does not come back: say --yes");
    err error = find(asked);
    if (error != ERR_OK)
        return error;
    buffer_clear(&asked->to.body);
    asking_path(&asked->to, "/customers");
    asking_step(&asked->to, asked->one_id);
    asking_query(&asked->to, "reason", asked->reason);
    error = asking_send(&asked->to, "DELETE", &answer);
    if (error == ERR_OK)
        keep_text(asked->id, answer, "id");
    if (error == ERR_OK)
        error = wait_for(asked, "/privacy/erasures", "finished");
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err restrict_use(struct asked *asked)
{
    struct json_writer writer;
    json_value answer;
    err error = find(asked);
    if (error != ERR_OK)
        return error;
    begin_body(asked, &writer);
    json_member_bool(&writer, STR("restricted"), asked->lift == NULL);
    if (asked->reason != NULL)
        json_member_text(&writer, STR("reason"), str_from_c(asked->reason));
    json_end_object(&writer);
    asking_path(&asked->to, "/customers");
    asking_step(&asked->to, asked->one_id);
    buffer_append_str(&asked->to.path, STR("/restriction"));
    error = asking_send(&asked->to, "PUT", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err requests(struct asked *asked)
{
    json_value answer, item;
    asking_path(&asked->to, "/privacy/requests?limit=200");
    asking_query(&asked->to, "state", asked->state);
    err error = asking_send(&asked->to, "GET", &answer);
    struct json_iterator iterator = json_iterate(json_get(answer, STR("items")));
    while (error == ERR_OK && json_next(&iterator, NULL, &item))
        printf("%-8.*s %-12.*s %-12.*s %-26.*s %.*s\n",
               STR_ARG(json_text(json_get(item, STR("id")))),
               STR_ARG(json_text(json_get(item, STR("kind")))),
               STR_ARG(json_text(json_get(item, STR("state")))),
               STR_ARG(json_text(json_get(item, STR("due_at")))),
               STR_ARG(json_text(json_get(item, STR("one_id")))));
    return error;
}

/* Without a file: how long what is kept is kept. With one, {"policy":{…}}, that is put. */
static err retention(struct asked *asked)
{
    json_value answer;
    err error = asked->who != NULL ? asking_read_file(&asked->to, asked->who) : ERR_OK;
    asking_path(&asked->to, "/retention");
    if (error == ERR_OK)
        error = asking_send(&asked->to, asked->who != NULL ? "PUT" : "GET", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err retain(struct asked *asked)
{
    struct json_writer writer;
    json_value answer;
    begin_body(asked, &writer);
    json_member_bool(&writer, STR("dry_run"), asked->dry != NULL);
    json_end_object(&writer);
    asking_path(&asked->to, "/retention/run");
    err error = asking_send(&asked->to, "POST", &answer);
    if (error == ERR_OK && asked->dry == NULL) {
        keep_text(asked->id, answer, "id");
        error = wait_for(asked, "/jobs", "finished");
    }
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

/* ---- the command line ---- */

static const struct verb {
    const char *name;
    err (*run)(struct asked *asked);
    int words_least, words_most;
    const char *help;
} verbs[] = {
    { "show", show, 0, 0, "how erasures stand" },
    { "requests", requests, 0, 0, "[--state open|overdue|closed]" },
    { "access", access_file, 1, 1,
      "WHO [--reveal --reason TEXT] [--output FILE]: all that is known" },
    { "restrict", restrict_use, 1, 1, "WHO [--lift] [--reason TEXT]: her data are kept, not used" },
    { "erase", erase, 1, 1, "WHO --yes [--reason TEXT]: waits until nothing of hers is left" },
    { "retention", retention, 0, 1, "[FILE]: how long what is kept is kept; with FILE: put it" },
    { "retain", retain, 0, 0, "[--dry-run]: remove what is too old, or say what would go" },
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static int usage(void)
{
    fprintf(stderr, "kith privacy VERB, against --server URL (KITH_URL) with --token "
                    "(KITH_ADMIN_TOKEN); WHO is a one_id or TYPE:VALUE, FILE - is stdin\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(stderr, "  kith privacy %-9s %s\n", verbs[i].name, verbs[i].help);
    return EXIT_USAGE;
}

static bool take_option(struct asked *asked, int argc, char **argv, int *at)
{
    const struct asking_option options[] = {
#define X(member, option, value) { option, value, &asked->member },
        ASK_OPTIONS(X)
#undef X
    };
    return asking_take_option(options, sizeof options / sizeof options[0], argc, argv, at);
}

static bool take_words(struct asked *asked, const struct verb *verb, int argc, char **argv)
{
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(asked, argc, argv, &i))
                return false;
        } else {
            asked->who = argv[i];
            count++;
        }
    }
    return count >= verb->words_least && count <= verb->words_most;
}

int command_privacy(int argc, char **argv)
{
    struct problem problem = { .error = ERR_OK };
    struct asked asked = { .who = NULL };
    const struct verb *verb = NULL;
    for (size_t i = 0; argc > 0 && i < VERB_COUNT; i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            verb = &verbs[i];
    if (verb == NULL || !take_words(&asked, verb, argc - 1, argv + 1))
        return usage();
    err error = asking_open(&asked.to, asked.server, asked.token, &problem);
    if (error == ERR_OK)
        error = verb->run(&asked);
    return asking_end(&asked.to, error);
}
