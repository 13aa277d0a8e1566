/* SPDX-License-Identifier: Apache-2.0 */
/* kith journey, touch, template, channel, stop: what happens next, as a client of a running server. One table says what each verb
 * asks; options are members of the query of a GET and of the body of everything else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/asking.h"
#include "cli/commands.h"

#define WORDS_MAX 2

/* X(name, what it takes, kind): --name VALUE is the member "name"; a WORD is a text, a NUMBER a number; the rest is not sent */
#define OPTIONS(X)              \
    X(server, "URL", OURS)      \
    X(token, "TOKEN", OURS)     \
    X(json, "", OURS)           \
    X(off, "", OURS)            \
    X(published, "", OURS)      \
    X(days, "N", NUMBER)        \
    X(until, "TIME", WORD)      \
    X(folder, "FOLDER", WORD)   \
    X(query, "TEXT", WORD)      \
    X(customer, "ONE_ID", WORD) \
    X(journey, "KEY", WORD)     \
    X(status, "STATUS", WORD)   \
    X(from, "TIME", WORD)       \
    X(to, "TIME", WORD)         \
    X(version, "N", NUMBER)     \
    X(positions, "HOW", WORD)   \
    X(ramp, "PERCENT", NUMBER)  \
    X(segment, "KEY", WORD)     \
    X(reason, "TEXT", WORD)     \
    X(scope, "SCOPE", WORD)     \
    X(value, "KEY", WORD)       \
    X(why, "TEXT", WORD)

enum option_kind { OURS, WORD, NUMBER };
enum option {
#define X(name, value, kind) OPTION_##name,
    OPTIONS(X)
#undef X
        OPTION_COUNT
};
static const struct {
    const char *name, *value;
    enum option_kind kind;
} options[OPTION_COUNT] = {
#define X(name, value, kind) { #name, value, kind },
    OPTIONS(X)
#undef X
};

struct order {
    struct asking to;
    const struct verb *verb;
    const char *words[WORDS_MAX], *option[OPTION_COUNT];
};

/* ---- verbs ---- */

/* `path`: the first word stands for the first %, the second for the second. `member`: what the second word is in body or query; "" none, "FILE" the body. */
struct verb {
    const char *noun, *name, *method, *path;
    int words;
    const char *member;
    const char *takes; /* its options, beside --server and --token */
    const char *help;
};
static const struct verb verbs[] = {
    { "journey", "list", "GET", "/journeys", 0, "", "--folder --query --json", "" },
    { "journey", "show", "GET", "/journeys/%", 1, "", "--version", "KEY" },
    { "journey", "put", "PUT", "/journeys/%", 2, "FILE", "", "KEY FILE: the draft" },
    { "journey", "publish", "POST", "/journeys/%/publish", 1, "", "--positions --ramp",
      "KEY: positions finish (their version) or move" },
    { "journey", "pause", "POST", "/journeys/%/pause", 1, "", "", "KEY" },
    { "journey", "resume", "POST", "/journeys/%/resume", 1, "", "", "KEY" },
    { "journey", "stop", "POST", "/journeys/%/stop", 1, "", "--positions --reason",
      "KEY: positions exit or finish" },
    { "journey", "enter", "POST", "/journeys/%/enter", 2, "FILE", "--segment",
      "KEY FILE: {\"customers\": [one_ids]}; or KEY --segment S" },
    { "journey", "explain", "GET", "/journeys/%/explain", 2, "customer", "", "KEY ONE_ID" },
    { "journey", "report", "GET", "/journeys/%/report", 1, "", "--from --to", "KEY" },
    { "journey", "whatif", "POST", "/journeys/%/whatif", 1, "",
      "--days --from --until --segment --published",
      "KEY: what would have happened in the last --days (90); then runs, run" },
    { "journey", "runs", "GET", "/journeys/%/whatif", 1, "", "--json", "KEY: runs of it" },
    { "journey", "run", "GET", "/journeys/%/whatif/%", 2, "", "", "KEY ID: the result of a run" },
    { "journey", "compare", "GET", "/journeys/%/whatif/%/compare", 2, "", "--from",
      "KEY ID: a run beside what came" },
    { "touch", "list", "GET", "/touches", 0, "", "--customer --journey --status --json", "" },
    { "touch", "show", "GET", "/touches/%", 1, "", "", "ID" },
    { "touch", "decide", "POST", "/touches/%/decide", 2, "decision", "",
      "ID resend|sent|failed|cancel" },
    { "template", "list", "GET", "/templates", 0, "", "--json", "" },
    { "template", "show", "GET", "/templates/%", 1, "", "", "KEY" },
    { "template", "put", "PUT", "/templates/%", 2, "FILE", "", "KEY FILE" },
    { "template", "delete", "DELETE", "/templates/%", 1, "", "", "KEY" },
    { "template", "preview", "POST", "/templates/%/preview", 2, "customer", "", "KEY ONE_ID" },
    { "channel", "list", "GET", "/channels", 0, "", "--json", "" },
    { "channel", "show", "GET", "/channels/%", 1, "", "", "KEY" },
    { "channel", "put", "PUT", "/channels/%", 2, "FILE", "", "KEY FILE: kind and settings" },
    { "channel", "delete", "DELETE", "/channels/%", 1, "", "", "KEY" },
    { "channel", "test", "POST", "/channels/%/test", 1, "", "", "KEY: is the provider there?" },
    { "stop", "", "POST", "/stop", 0, "", "--off --scope --value --why",
      "all at once, or --scope channel|account|journey --value KEY; --off goes on" },
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static bool wants_file(const struct verb *verb)
{
    return strcmp(verb->member, "FILE") == 0;
}

static bool is_get(const struct verb *verb)
{
    return strcmp(verb->method, "GET") == 0;
}

/* ---- the request ---- */

static void write_path(struct order *order)
{
    const char *path = order->verb->path, *place = strchr(path, '%');
    asking_path(&order->to, "");
    if (place == NULL) {
        buffer_append_str(&order->to.path, str_from_c(path));
        return;
    }
    /* the step writes the '/' in front of it */
    buffer_append(&order->to.path, path, (size_t)(place - path) - 1);
    asking_step(&order->to, order->words[0]);
    const char *rest = place + 1, *second = strchr(rest, '%');
    if (second == NULL) {
        buffer_append_str(&order->to.path, str_from_c(rest));
        return;
    }
    buffer_append(&order->to.path, rest, (size_t)(second - rest) - 1);
    asking_step(&order->to, order->words[1]);
    buffer_append_str(&order->to.path, str_from_c(second + 1));
}

static void write_queries(struct order *order)
{
    if (order->verb->member[0] != '\0')
        asking_query(&order->to, order->verb->member, order->words[1]);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options[i].kind != OURS)
            asking_query(&order->to, options[i].name, order->option[i]);
}

static err write_option(struct order *order, struct json_writer *writer, int option)
{
    str name = str_from_c(options[option].name), text = str_from_c(order->option[option]);
    int64_t number;
    if (options[option].kind == WORD) {
        json_member_text(writer, name, text);
        return ERR_OK;
    }
    if (!str_to_int64(text, &number))
        return problem_set(order->to.problem, ERR_INVALID, "--%s '%s' is not a whole number",
                           options[option].name, order->option[option]);
    json_member_int(writer, name, number);
    return ERR_OK;
}

static err write_body(struct order *order)
{
    const struct verb *verb = order->verb;
    struct json_writer writer;
    err error = ERR_OK;
    json_writer_init(&writer, &order->to.body);
    json_begin_object(&writer);
    if (order->words[1] != NULL)
        json_member_text(&writer, str_from_c(verb->member), str_from_c(order->words[1]));
    for (int i = 0; error == ERR_OK && i < OPTION_COUNT; i++)
        if (options[i].kind != OURS && order->option[i] != NULL)
            error = write_option(order, &writer, i);
    if (order->option[OPTION_published] != NULL)
        json_member_text(&writer, STR("version"), STR("published"));
    if (strcmp(verb->noun, "stop") == 0) {
        if (order->option[OPTION_scope] == NULL)
            json_member_text(&writer, STR("scope"), STR("all"));
        json_member_bool(&writer, STR("active"), order->option[OPTION_off] == NULL);
    }
    json_end_object(&writer);
    return error == ERR_OK ? buffer_status(&order->to.body) : error;
}

static err write_request(struct order *order)
{
    const struct verb *verb = order->verb;
    write_path(order);
    if (is_get(verb))
        write_queries(order);
    else if (wants_file(verb) && order->words[1] != NULL)
        return asking_read_file(&order->to, order->words[1]);
    else if (strcmp(verb->method, "POST") == 0)
        return write_body(order);
    return ERR_OK;
}

/* ---- lists ---- */

/* What a line of a list says; a width below 0 is of numbers. */
static const struct column {
    const char *noun, *member;
    int width;
} columns[] = {
    { "journey", "key", 32 },      { "journey", "state", 10 },    { "journey", "inside", -10 },
    { "journey", "entered", -10 }, { "journey", "name", 0 },      { "touch", "id", -10 },
    { "touch", "status", 11 },     { "touch", "reason", 18 },     { "touch", "channel", 16 },
    { "touch", "customer", 18 },   { "touch", "journey", 24 },    { "touch", "created_at", 0 },
    { "template", "key", 40 },     { "template", "version", -4 }, { "channel", "key", 32 },
    { "channel", "kind", 18 },     { "channel", "queued", -8 },   { "channel", "channel", 0 },
};

static void print_item(const char *noun, json_value item)
{
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        json_value value = json_get(item, str_from_c(columns[i].member));
        if (strcmp(columns[i].noun, noun) != 0)
            continue;
        if (columns[i].width < 0)
            printf("%*lld ", -columns[i].width, (long long)json_int(value, 0));
        else
            printf("%-*.*s ", columns[i].width, STR_ARG(json_text(value)));
    }
    printf("\n");
}

/* Page after page; with --json each as the server says it. */
static err list(struct order *order)
{
    char cursor[300];
    err error;
    do {
        json_value answer, item;
        error = asking_send(&order->to, "GET", &answer);
        if (error != ERR_OK)
            return error;
        struct json_iterator iterator = json_iterate(json_get(answer, STR("items")));
        if (order->option[OPTION_json] != NULL)
            asking_print(&order->to);
        else
            while (json_next(&iterator, NULL, &item))
                print_item(order->verb->noun, item);
        snprintf(cursor, sizeof cursor, STR_FMT,
                 STR_ARG(json_text(json_get(answer, STR("next_cursor")))));
        error = write_request(order);
        asking_query(&order->to, "cursor", cursor);
    } while (error == ERR_OK && cursor[0] != '\0');
    return error;
}

static err run_verb(struct order *order)
{
    json_value answer;
    err error = write_request(order);
    if (error != ERR_OK)
        return error;
    if (strcmp(order->verb->name, "list") == 0)
        return list(order);
    error = asking_send(&order->to, order->verb->method, &answer);
    if (error == ERR_OK)
        asking_print(&order->to);
    return error;
}

/* ---- the command line ---- */

static int usage(const char *noun)
{
    fprintf(stderr,
            "kith %s, against --server URL (KITH_URL) with --token (KITH_ADMIN_TOKEN); FILE - is "
            "stdin\n",
            noun);
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].noun, noun) == 0)
            fprintf(stderr, "  kith %s %s %s %s\n", noun, verbs[i].name, verbs[i].takes,
                    verbs[i].help);
    return EXIT_USAGE;
}

/* Is "--name" one of the words in `takes`? */
static bool verb_takes(const struct verb *verb, const char *argument)
{
    str rest = str_from_c(verb->takes), one;
    if (strcmp(argument, "--server") == 0 || strcmp(argument, "--token") == 0)
        return true;
    while (str_split(&rest, ' ', &one))
        if (str_equal(one, str_from_c(argument)))
            return true;
    return false;
}

static bool take_option(struct order *order, int argc, char **argv, int *at)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(argv[*at] + 2, options[i].name) != 0 || !verb_takes(order->verb, argv[*at]))
            continue;
        bool is_flag = options[i].value[0] == '\0';
        if (!is_flag && *at + 1 == argc)
            return false;
        order->option[i] = is_flag ? "true" : argv[++*at];
        return true;
    }
    return false;
}

static bool take_words(struct order *order, int argc, char **argv)
{
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            if (!take_option(order, argc, argv, &i))
                return false;
        } else if (count < WORDS_MAX) {
            order->words[count++] = argv[i];
        } else {
            return false;
        }
    }
    bool has_segment = order->option[OPTION_segment] != NULL && order->verb->words > 1;
    return count == order->verb->words - (has_segment ? 1 : 0);
}

static const struct verb *find_verb(const char *noun, int argc, char **argv)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].noun, noun) != 0)
            continue;
        if (verbs[i].name[0] == '\0' || (argc > 0 && strcmp(argv[0], verbs[i].name) == 0))
            return &verbs[i];
    }
    return NULL;
}

static int run(const char *noun, int argc, char **argv)
{
    struct problem problem = { .error = ERR_OK };
    struct order order = { .verb = find_verb(noun, argc, argv) };
    if (order.verb == NULL)
        return usage(noun);
    int skipped = order.verb->name[0] != '\0' ? 1 : 0;
    if (!take_words(&order, argc - skipped, argv + skipped))
        return usage(noun);
    err error =
        asking_open(&order.to, order.option[OPTION_server], order.option[OPTION_token], &problem);
    if (error == ERR_OK)
        error = run_verb(&order);
    return asking_end(&order.to, error);
}

int command_journey(int argc, char **argv)
{
    return run("journey", argc, argv);
}

int command_touch(int argc, char **argv)
{
    return run("touch", argc, argv);
}

int command_template(int argc, char **argv)
{
    return run("template", argc, argv);
}

int command_channel(int argc, char **argv)
{
    return run("channel", argc, argv);
}

int command_stop(int argc, char **argv)
{
    return run("stop", argc, argv);
}
