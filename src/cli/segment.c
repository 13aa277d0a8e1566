/* SPDX-License-Identifier: Apache-2.0 */
/* kith segment, kith tag: definitions and members, as a client of a running server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/asking.h"
#include "cli/commands.h"

#define LOOK_MS 200

/* X(member, option, what it takes): all texts; a flag takes nothing */
#define ASK_OPTIONS(X)                              \
    X(server, "--server", "URL")                    \
    X(token, "--token", "TOKEN")                    \
    X(folder, "--folder", "FOLDER")                 \
    X(query, "--query", "TEXT")                     \
    X(value, "--value", "VALUE")                    \
    X(at, "--at", "TIME")                           \
    X(from, "--from", "TIME")                       \
    X(to_time, "--to", "TIME")                      \
    X(step, "--step", "1d|1h|5m")                   \
    X(customer, "--customer", "ONE_ID")             \
    X(format, "--format", "csv|jsonl")              \
    X(columns, "--columns", "one_id,trait:city, …") \
    X(output, "--output", "FILE")                   \
    X(json, "--json", "")                           \
    X(reveal, "--reveal", "")

struct asked {
    const char *noun; /* "segment", "tag" */
    const char *key, *file;
#define X(member, option, value) const char *member;
    ASK_OPTIONS(X)
#undef X
    struct asking to;
};

/* ---- pieces ---- */

static void begin_path(struct asked *asked, const char *more)
{
    asking_path(&asked->to, strcmp(asked->noun, "tag") == 0 ? "/tags" : "/segments");
    if (asked->key != NULL)
        asking_step(&asked->to, asked->key);
    buffer_append_str(&asked->to.path, str_from_c(more));
}

/* ---- verbs ---- */

static void print_one(json_value item)
{
    printf("%-40.*s %10lld  %-10.*s %-8.*s %.*s\n", STR_ARG(json_text(json_get(item, STR("key")))),
           (long long)json_int(json_get(item, STR("count")), 0),
           STR_ARG(json_text(json_get(item, STR("state")))),
           STR_ARG(json_text(json_get(item, STR("on")))),
           STR_ARG(json_text(json_get(item, STR("name")))));
}

static err list(struct asked *asked)
{
    json_value answer, item;
    begin_path(asked, "");
    asking_query(&asked->to, "folder", asked->folder);
    asking_query(&asked->to, "query", asked->query);
    err error = asking_send(&asked->to, "GET", &answer);
    if (error != ERR_OK)
        return error;
    if (asked->json != NULL) {
        asking_print(&asked->to);
        return ERR_OK;
    }
    struct json_iterator iterator = json_iterate(json_get(answer, STR("items")));
    while (json_next(&iterator, NULL, &item))
        print_one(item);
    return ERR_OK;
}

static err show(struct asked *asked)
{
    json_value answer;
    begin_path(asked, "");
    err error = asking_send(&asked->to, "GET", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err put(struct asked *asked)
{
    json_value answer;
    err error = asking_read_file(&asked->to, asked->file);
    begin_path(asked, "");
    if (error == ERR_OK)
        error = asking_send(&asked->to, "PUT", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

/* A rule alone, {"rule":…}; of a definition that is there, who would enter and leave. */
static err preview(struct asked *asked)
{
    json_value answer;
    err error = asking_read_file(&asked->to, asked->file);
    begin_path(asked, asked->key != NULL ? "/preview-change" : "/preview");
    if (error == ERR_OK)
        error = asking_send(&asked->to, "POST", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err print_answer(struct asked *asked)
{
    json_value answer;
    err error = asking_send(&asked->to, "GET", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err explain(struct asked *asked)
{
    begin_path(asked, "/explain");
    asking_query(&asked->to, "customer", asked->customer);
    return print_answer(asked);
}

static err history(struct asked *asked)
{
    begin_path(asked, "/history");
    asking_query(&asked->to, "value", asked->value);
    asking_query(&asked->to, "from", asked->from);
    asking_query(&asked->to, "to", asked->to_time);
    asking_query(&asked->to, "step", asked->step);
    return print_answer(asked);
}

static err reach(struct asked *asked)
{
    begin_path(asked, "/reach");
    return print_answer(asked);
}

static err profile(struct asked *asked)
{
    begin_path(asked, "/profile");
    return print_answer(asked);
}

/* {"rule":…, "customer":…}: of a rule that is not saved. */
static err why(struct asked *asked)
{
    json_value answer;
    err error = asking_read_file(&asked->to, asked->file);
    asking_path(&asked->to, "/rules/explain");
    if (error == ERR_OK)
        error = asking_send(&asked->to, "POST", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err overlap(struct asked *asked)
{
    json_value answer;
    err error = asking_read_file(&asked->to, asked->file);
    asking_path(&asked->to, "/segments/overlap");
    if (error == ERR_OK)
        error = asking_send(&asked->to, "POST", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err delete (struct asked *asked)
{
    json_value answer;
    begin_path(asked, "");
    return asking_send(&asked->to, "DELETE", &answer);
}

static err give(struct asked *asked)
{
    json_value answer;
    err error = asking_read_file(&asked->to, asked->file);
    begin_path(asked, strcmp(asked->noun, "tag") == 0 ? "/values" : "/members");
    if (error == ERR_OK)
        error = asking_send(&asked->to, "POST", &answer);
    if (error == ERR_OK)
        asking_print(&asked->to);
    return error;
}

static err members(struct asked *asked)
{
    char cursor[200] = "";
    err error = ERR_OK;
    do {
        json_value answer, item;
        begin_path(asked, "/members?limit=500");
        asking_query(&asked->to, "value", asked->value);
        asking_query(&asked->to, "at", asked->at);
        asking_query(&asked->to, "cursor", cursor);
        error = asking_send(&asked->to, "GET", &answer);
        struct json_iterator iterator = json_iterate(json_get(answer, STR("items")));
        while (error == ERR_OK && json_next(&iterator, NULL, &item))
            printf(STR_FMT "\n", STR_ARG(json_text(item)));
        snprintf(cursor, sizeof cursor, STR_FMT,
                 STR_ARG(json_text(json_get(answer, STR("next_cursor")))));
    } while (error == ERR_OK && cursor[0] != '\0');
    return error;
}

/* ---- export ---- */

static void write_order(struct asked *asked)
{
    struct json_writer writer;
    json_writer_init(&writer, &asked->to.body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("format"),
                     asked->format != NULL ? str_from_c(asked->format) : STR("csv"));
    if (asked->value != NULL)
        json_member_text(&writer, STR("value"), str_from_c(asked->value));
    if (asked->columns != NULL) {
        str rest = str_from_c(asked->columns), column;
        json_put_key(&writer, STR("columns"));
        json_begin_array(&writer);
        while (str_split(&rest, ',', &column))
            json_put_text(&writer, column);
        json_end_array(&writer);
    }
    json_end_object(&writer);
}

static err wait_for(struct asked *asked, const char *id)
{
    bool shows = isatty(STDERR_FILENO) != 0;
    for (;;) {
        json_value answer;
        buffer_clear(&asked->to.path);
        buffer_clear(&asked->to.body);
        buffer_printf(&asked->to.path, "/exports/%s", id);
        err error = asking_send(&asked->to, "GET", &answer);
        str state = json_text(json_get(answer, STR("state")));
        if (error != ERR_OK || str_equal(state, STR("done")))
            return error;
        if (!str_equal(state, STR("running")))
            return problem_set(asked->to.problem, ERR_UNAVAILABLE,
                               "the export is " STR_FMT ": " STR_FMT, STR_ARG(state),
                               STR_ARG(json_text(json_get(answer, STR("reason")))));
        if (shows)
            fprintf(stderr, "\r%lld of %lld rows",
                    (long long)json_int(json_get(answer, STR("rows")), 0),
                    (long long)json_int(json_get(answer, STR("total")), 0));
        steady_sleep_ms(LOOK_MS);
    }
}

static err fetch(struct asked *asked, const char *id)
{
    char path[80];
    FILE *file = asked->output != NULL ? fopen(asked->output, "we") : stdout;
    if (file == NULL)
        return problem_set(asked->to.problem, ERR_IO, "'%s' cannot be written: %s", asked->output,
                           strerror(errno));
    snprintf(path, sizeof path, "/exports/%s/file", id);
    err error = client_fetch(asked->to.client, path, file, asked->to.problem);
    if (file != stdout && fclose(file) != 0 && error == ERR_OK)
        error = problem_set(asked->to.problem, ERR_IO, "'%s' cannot be written: %s", asked->output,
                            strerror(errno));
    return error;
}

static err export(struct asked *asked)
{
    json_value answer;
    char id[40];
    write_order(asked);
    begin_path(asked, "/exports");
    asking_query(&asked->to, "reveal", asked->reveal != NULL ? "true" : NULL);
    err error = asking_send(&asked->to, "POST", &answer);
    if (error != ERR_OK)
        return error;
    snprintf(id, sizeof id, STR_FMT, STR_ARG(json_text(json_get(answer, STR("id")))));
    error = wait_for(asked, id);
    return error == ERR_OK ? fetch(asked, id) : error;
}

/* ---- the command line ---- */

static const struct verb {
    const char *name;
    err (*run)(struct asked *asked);
    bool needs_key, needs_file;
    const char *help;
} verbs[] = {
    { "list", list, false, false, "[--folder F] [--query TEXT] [--json]" },
    { "show", show, true, false, "KEY" },
    { "preview", preview, false, true, "[KEY] FILE: of a rule; with KEY of a change" },
    { "put", put, true, true, "KEY FILE" },
    { "delete", delete, true, false, "KEY" },
    { "members", members, true, false, "KEY [--value V] [--at TIME]" },
    { "history", history, true, false, "KEY [--value V] [--from TIME] [--to TIME] [--step 1d]" },
    { "explain", explain, true, false, "KEY --customer ONE_ID: why she is in, or not" },
    { "why", why, false, true, "FILE: {rule, customer} of a rule that is not saved" },
    { "reach", reach, true, false, "KEY: how many each channel reaches (segments)" },
    { "profile", profile, true, false, "KEY: what distinguishes its members (segments)" },
    { "overlap", overlap, false, true, "FILE: {segments:[…]}" },
    { "give", give, true, true, "KEY FILE: members or values by hand" },
    { "export", export, true, false,
      "KEY [--format csv|jsonl] [--columns …] [--value V] [--reveal] [--output FILE]" },
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static int usage(const char *noun)
{
    fprintf(stderr,
            "kith %s VERB, against --server URL (KITH_URL) with --token (KITH_ADMIN_TOKEN); "
            "FILE - is stdin\n",
            noun);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(stderr, "  kith %s %-8s %s\n", noun, verbs[i].name, verbs[i].help);
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
    const char *words[2] = { NULL, NULL };
    size_t count = 0;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(asked, argc, argv, &i))
                return false;
        } else if (count < 2) {
            words[count++] = argv[i];
        } else {
            return false;
        }
    }
    if (!verb->needs_file) {
        asked->key = words[0];
        return count == (verb->needs_key ? 1u : 0u);
    }
    asked->file = words[count > 0 ? count - 1 : 0];
    asked->key = count == 2 ? words[0] : NULL;
    return verb->needs_key ? count == 2 : count >= 1;
}

static int run(const char *noun, int argc, char **argv)
{
    struct problem problem = { .error = ERR_OK };
    struct asked asked = { .noun = noun };
    const struct verb *verb = NULL;
    for (size_t i = 0; argc > 0 && i < VERB_COUNT; i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            verb = &verbs[i];
    if (verb == NULL || !take_words(&asked, verb, argc - 1, argv + 1))
        return usage(noun);
    err error = asking_open(&asked.to, asked.server, asked.token, &problem);
    if (error == ERR_OK)
        error = verb->run(&asked);
    return asking_end(&asked.to, error);
}

int command_segment(int argc, char **argv)
{
    return run("segment", argc, argv);
}

int command_tag(int argc, char **argv)
{
    return run("tag", argc, argv);
}
