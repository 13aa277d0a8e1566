/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: defaults, parsing, help. */
#include "cli/options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
