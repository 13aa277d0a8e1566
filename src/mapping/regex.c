/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions by PCRE2, with limits on steps, depth and memory. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "mapping/expression.h"

#define PATTERN_BYTES_MAX 1000
#define GROUPS_MAX 32
#define STEPS_MAX 100000
#define DEPTH_MAX 1000
#define HEAP_KIB_MAX 1024
#define TEXT_BYTES_MAX 65536

struct regex {
    pcre2_code *code;
};

struct regex_desk {
    pcre2_general_context *general;
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static void *give(size_t size, void *context)
{
    (void)context;
    return memory_alloc(size);
}

static void take_back(void *piece, void *context)
{
    (void)context;
    memory_free(piece);
}

err regex_new(struct regex **regex, str pattern, struct problem *problem)
{
    int code = 0;
    size_t at = 0;
    unsigned char why[120] = "";
    if (pattern.size > PATTERN_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "a regular expression has at most %d bytes",
                           PATTERN_BYTES_MAX);
    struct regex *made = memory_alloc(sizeof *made);
    pcre2_general_context *general = pcre2_general_context_create(give, take_back, NULL);
    pcre2_compile_context *context = general != NULL ? pcre2_compile_context_create(general) : NULL;
    if (made != NULL && context != NULL)
        made->code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.size,
                                   PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, context);
    bool starved = made == NULL || context == NULL || code == PCRE2_ERROR_HEAP_FAILED;
    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    if (made != NULL && made->code != NULL) {
        *regex = made;
        return ERR_OK;
    }
    memory_free(made);
    if (starved)
        return problem_set(problem, ERR_NOMEM, "no memory for a regular expression");
    (void)pcre2_get_error_message(code, why, sizeof why);
    problem_set(problem, ERR_UNPROCESSABLE, "the regular expression is wrong at byte %zu: %s",
                at + 1, (const char *)why);
    return problem_hint(problem, ERR_UNPROCESSABLE, "the syntax is that of PCRE2");
}

void regex_free(struct regex **regex)
{
    if (*regex != NULL)
        pcre2_code_free((*regex)->code);
    memory_free(*regex);
    *regex = NULL;
}

err regex_desk_new(struct regex_desk **desk)
{
    struct regex_desk *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->general = pcre2_general_context_create(give, take_back, NULL);
    if (made->general != NULL) {
        made->context = pcre2_match_context_create(made->general);
        made->data = pcre2_match_data_create(GROUPS_MAX, made->general);
    }
    if (made->context == NULL || made->data == NULL) {
        regex_desk_free(&made);
        return ERR_NOMEM;
    }
    pcre2_set_match_limit(made->context, STEPS_MAX);
    pcre2_set_depth_limit(made->context, DEPTH_MAX);
    pcre2_set_heap_limit(made->context, HEAP_KIB_MAX);
    *desk = made;
    return ERR_OK;
}

void regex_desk_free(struct regex_desk **desk)
{
    struct regex_desk *freed = *desk;
    *desk = NULL;
    if (freed == NULL)
        return;
    pcre2_match_data_free(freed->data);
    pcre2_match_context_free(freed->context);
    pcre2_general_context_free(freed->general);
    memory_free(freed);
}

enum regex_answer regex_match(struct regex_desk *desk, const struct regex *regex, str text,
                              unsigned group, str *out)
{
    *out = STR_NONE;
    if (text.size > TEXT_BYTES_MAX)
        return REGEX_LIMIT;
    int count = pcre2_match(regex->code, (PCRE2_SPTR)(text.size > 0 ? text.data : ""), text.size, 0,
                            0, desk->data, desk->context);
    if (count == PCRE2_ERROR_NOMATCH ||
        (count <= PCRE2_ERROR_UTF8_ERR1 && count >= PCRE2_ERROR_UTF8_ERR21))
        return REGEX_NO;
    if (count < 0)
        return count == PCRE2_ERROR_NOMEMORY ? REGEX_NOMEM : REGEX_LIMIT;
    const size_t *at = pcre2_get_ovector_pointer(desk->data);
    if (group < GROUPS_MAX && (int)group < count && at[2 * group] != PCRE2_UNSET)
        *out = str_slice(text, at[2 * group], at[2 * group + 1]);
    return REGEX_YES;
}
