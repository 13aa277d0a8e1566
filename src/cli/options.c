/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: defaults, parsing, help. */
#include "cli/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"

struct option {
    const char *name;
    enum option_kind kind;
    int commands;
    const char *value, *otherwise, *help;
    size_t offset;
};

static const struct option table[] = {
#define X(member, option, kind, commands, value, otherwise, help) \
    { option, OPTION_##kind, commands, value, otherwise, help, offsetof(struct options, member) },
    OPTION_TABLE(X)
#undef X
};
#define OPTION_COUNT (sizeof(table) / sizeof(table[0]))

/* 4096, 64K, 4M, 3G. */
static bool parse_size(str text, int64_t *out)
{
    int64_t unit = 1, number;
    if (text.size > 1) {
        switch (text.data[text.size - 1]) {
        case 'K':
            unit = INT64_C(1) << 10;
            break;
        case 'M':
            unit = INT64_C(1) << 20;
            break;
        case 'G':
            unit = INT64_C(1) << 30;
            break;
        default:
            break;
        }
    }
    if (unit > 1)
        text = str_slice(text, 0, text.size - 1);
    if (!str_to_int64(text, &number) || number < 0 || number > INT64_MAX / unit)
        return false;
    *out = number * unit;
    return true;
}

static err set_option(struct options *options, const struct option *option, const char *value,
                      struct problem *problem)
{
    void *member = (char *)options + option->offset;
    str text = str_from_c(value);
    int64_t number;
    switch (option->kind) {
    case OPTION_TEXT:
        *(const char **)member = value;
        return ERR_OK;
    case OPTION_FLAG:
        *(bool *)member = true;
        return ERR_OK;
    case OPTION_NUMBER:
        if (!str_to_int64(text, &number) || number < 0 || number > 1000000)
            return problem_set(problem, ERR_INVALID, "%s '%s' is not a number from 0 to 1000000",
                               option->name, value);
        break;
    case OPTION_SIZE:
        if (!parse_size(text, &number))
            return problem_set(problem, ERR_INVALID, "%s '%s' is not a size such as 4M or 3G",
                               option->name, value);
        break;
    case OPTION_DURATION:
        if (!duration_parse(text, &number) || number < 0)
            return problem_set(problem, ERR_INVALID, "%s '%s' is not a duration such as 3d or 12h",
                               option->name, value);
        break;
    }
    *(int64_t *)member = number;
    return ERR_OK;
}

static const struct option *find_option(const char *name, int command)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if ((table[i].commands & command) != 0 && strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* ---- a file of options ---- */

#define CONFIG_BYTES_MAX (64 << 10)

static err read_config(struct options *options, const char *path, struct problem *problem)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return problem_set(problem, ERR_IO, "--config '%s' cannot be read: %s", path,
                           strerror(errno));
    options->file_text = memory_alloc(CONFIG_BYTES_MAX + 1);
    size_t size =
        options->file_text != NULL ? fread(options->file_text, 1, CONFIG_BYTES_MAX + 1, file) : 0;
    bool failed = ferror(file) != 0;
    int number = errno;
    fclose(file);
    if (options->file_text == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for --config '%s'", path);
    if (failed)
        return problem_set(problem, ERR_IO, "--config '%s' cannot be read: %s", path,
                           strerror(number));
    if (size > CONFIG_BYTES_MAX || memchr(options->file_text, '\0', size) != NULL)
        return problem_set(problem, ERR_INVALID,
                           "--config '%s' is no text of at most 64 KB with a line for each option",
                           path);
    options->file_text[size] = '\0';
    return ERR_OK;
}

struct config_line {
    const char *path;
    unsigned number;
    char *name, *value;
};

/* Cuts `text` (changed) into name and value; false when nothing is said in it. */
static bool cut_line(char *text, struct config_line *line)
{
    static const char space[] = " \t\r";
    text += strspn(text, space);
    if (*text == '\0' || *text == '#')
        return false;
    for (size_t size = strlen(text); strchr(space, text[size - 1]) != NULL; size--)
        text[size - 1] = '\0';
    line->name = text;
    line->value = text + strcspn(text, " \t=");
    if (*line->value == '\0')
        return true;
    bool assigned = *line->value == '=';
    *line->value++ = '\0';
    line->value += strspn(line->value, space);
    if (!assigned && *line->value == '=')
        line->value += 1 + strspn(line->value + 1, space);
    return true;
}

static err refuse_line(const struct config_line *line, struct problem *problem, const char *reason)
{
    problem_set(problem, ERR_INVALID, "%s, line %u, '%s': %s", line->path, line->number, line->name,
                reason);
    return problem_hint(problem, ERR_INVALID,
                        "a line is the option's name without its dashes, and its value");
}

static err take_line(struct options *options, int command, const struct config_line *line,
                     bool *said, struct problem *problem)
{
    struct problem reason = { .error = ERR_OK };
    size_t i = 0;
    while (i < OPTION_COUNT && strcmp(table[i].name + 2, line->name) != 0)
        i++;
    if (i == OPTION_COUNT || strcmp(line->name, "config") == 0)
        return refuse_line(line, problem, "there is no such option");
    if (said[i])
        return refuse_line(line, problem, "it is said twice");
    said[i] = true;
    const struct option *option = find_option(table[i].name, command);
    if (option == NULL)
        return ERR_OK;
    if (option->kind == OPTION_FLAG) {
        *(bool *)((char *)options + option->offset) = strcmp(line->value, "no") != 0;
        if (line->value[0] == '\0' || strcmp(line->value, "yes") == 0 ||
            strcmp(line->value, "no") == 0)
            return ERR_OK;
        return refuse_line(line, problem, "it is yes or no");
    }
    if (line->value[0] == '\0')
        return refuse_line(line, problem, "its value is missing");
    if (set_option(options, option, line->value, &reason) == ERR_OK)
        return ERR_OK;
    return refuse_line(line, problem, reason.detail);
}

static err take_config(struct options *options, int command, const char *path,
                       struct problem *problem)
{
    bool said[OPTION_COUNT] = { false };
    struct config_line line = { .path = path };
    err error = read_config(options, path, problem);
    for (char *rest = options->file_text; error == ERR_OK && rest != NULL;) {
        char *text = strsep(&rest, "\n");
        line.number++;
        if (cut_line(text, &line))
            error = take_line(options, command, &line, said, problem);
    }
    return error;
}

static const char *named_config(int command, int argc, char **argv)
{
    const char *path = NULL;
    for (int i = 0; i < argc; i++) {
        const struct option *option = find_option(argv[i], command);
        if (option == NULL || option->kind == OPTION_FLAG)
            continue;
        if (++i < argc && strcmp(option->name, "--config") == 0)
            path = argv[i];
    }
    return path;
}

static err set_defaults(struct options *options, struct problem *problem)
{
    memset(options, 0, sizeof(*options));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (table[i].kind == OPTION_FLAG)
            continue;
        err error = set_option(options, &table[i], table[i].otherwise, problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

err options_parse(struct options *options, int command, int argc, char **argv,
                  struct problem *problem)
{
    err error = set_defaults(options, problem);
    const char *config = named_config(command, argc, argv);
    if (error == ERR_OK && config != NULL)
        error = take_config(options, command, config, problem);
    for (int i = 0; error == ERR_OK && i < argc; i++) {
        const struct option *option = find_option(argv[i], command);
        if (option == NULL) {
            problem_set(problem, ERR_INVALID, "there is no option '%s' here", argv[i]);
            return problem_hint(problem, ERR_INVALID, "kith help lists them");
        }
        if (option->kind != OPTION_FLAG && i + 1 == argc)
            return problem_set(problem, ERR_INVALID, "%s needs %s", option->name, option->value);
        const char *value = option->kind == OPTION_FLAG ? "" : argv[++i];
        error = set_option(options, option, value, problem);
    }
    if (error == ERR_OK && find_option("--data", command) != NULL && options->data[0] == '\0') {
        problem_set(problem, ERR_INVALID, "--data DIR is missing");
        return problem_hint(problem, ERR_INVALID, "name the folder where Kith keeps its data");
    }
    return error;
}

void options_free(struct options *options)
{
    memory_free(options->file_text);
    options->file_text = NULL;
}

static bool is_same(const struct option *option, const struct options *was,
                    const struct options *now)
{
    const char *old = (const char *)was + option->offset, *new = (const char *)now + option->offset;
    if (option->kind == OPTION_TEXT)
        return strcmp(*(const char *const *)old, *(const char *const *)new) == 0;
    if (option->kind == OPTION_FLAG)
        return *(const bool *)old == *(const bool *)new;
    return *(const int64_t *)old == *(const int64_t *)new;
}

void options_compare(const struct options *was, const struct options *now, int command,
                     void (*tell)(void *context, const char *name, bool live), void *context)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if ((table[i].commands & command) != 0 && !is_same(&table[i], was, now))
            tell(context, table[i].name, (table[i].commands & LIVE) != 0);
}

void options_print(int command)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        if ((table[i].commands & command) == 0)
            continue;
        snprintf(left, sizeof(left), "%s %s", table[i].name, table[i].value);
        printf("    %-36s%s", left, table[i].help);
        if (table[i].otherwise[0] != '\0')
            printf(" (%s)", table[i].otherwise);
        printf("\n");
    }
}

const char *warehouse_address(const char *option)
{
    const char *shards = option[0] != '\0' ? option : getenv("KITH_WAREHOUSE");
    return shards != NULL && shards[0] != '\0' ? shards : NULL;
}

const char *ledger_address(const struct options *options)
{
    const char *named = options->ledger[0] != '\0' ? options->ledger : getenv("KITH_LEDGER");
    return named != NULL && named[0] != '\0' ? named : NULL;
}

const char *log_address(const struct options *options)
{
    const char *named = options->log[0] != '\0' ? options->log : getenv("KITH_LOG");
    return named != NULL && named[0] != '\0' ? named : NULL;
}
