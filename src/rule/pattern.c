/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions (PCRE2), with limits: nobody's rule may hold up another's.
 *
 * A match may take MATCH_LIMIT steps. So that a pattern which explodes is told to who writes it, and not to who waits for it,
 * each is tried on texts that provoke it: long runs of one character and of pairs, taken from the pattern's
 * own letters, with an end that does not fit. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "rule/inside.h"

#define MATCH_LIMIT 20000
#define DEPTH_LIMIT 2000
#define HEAP_LIMIT_KB 256
#define PROBE_BYTES 200

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    struct pattern *next;
};

/* Memory ran out in a match of this thread: what it said is not so. */
static _Thread_local bool starved;

bool pattern_is_starved(void)
{
    return starved;
}

bool pattern_take_starved(void)
{
    bool was = starved;
    starved = false;
    return was;
}

static void *allocate(size_t size, void *context)
{
    (void)context;
    return memory_alloc(size);
}

static void release(void *piece, void *context)
{
    (void)context;
    memory_free(piece);
}

static int run(const struct pattern *pattern, str subject)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    if (data == NULL) {
        starved = true;
        return PCRE2_ERROR_NOMEMORY;
    }
    int found = pcre2_match(pattern->code, (PCRE2_SPTR)(subject.data != NULL ? subject.data : ""),
                            subject.size, 0, PCRE2_NO_UTF_CHECK, data, pattern->limits);
    starved |= found == PCRE2_ERROR_NOMEMORY;
    pcre2_match_data_free(data);
    return found;
}

bool pattern_matches(const struct pattern *pattern, str subject)
{
    if (subject.size > PATTERN_SUBJECT_BYTES_MAX)
        return false;
    return run(pattern, subject) >= 0;
}

static bool is_probe(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == ' ' || byte == '-' || byte == '.';
}

struct letters {
    char items[16];
    size_t count;
};

/* A run of `a` and `b` in turn, then a byte that patterns seldom have; behind it all letters, since a text without one that the
 * pattern needs is given up at once. */
static bool provokes(const struct pattern *pattern, const struct letters *letters, char a, char b)
{
    char text[PROBE_BYTES + 1 + sizeof(letters->items)];
    for (size_t i = 0; i < PROBE_BYTES; i++)
        text[i] = i % 2 == 0 ? a : b;
    text[PROBE_BYTES] = '\x01';
    memcpy(text + PROBE_BYTES + 1, letters->items, letters->count);
    int found = run(pattern, str_from_bytes(text, PROBE_BYTES + 1 + letters->count));
    return found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT ||
           found == PCRE2_ERROR_HEAPLIMIT;
}

static bool explodes(const struct pattern *pattern, str text)
{
    struct letters letters = { { 'a', '0', ' ' }, 3 };
    for (size_t i = 0; i < text.size && letters.count < sizeof(letters.items); i++)
        if (is_probe(text.data[i]) && memchr(letters.items, text.data[i], letters.count) == NULL)
            letters.items[letters.count++] = text.data[i];
    for (size_t a = 0; a < letters.count; a++)
        for (size_t b = 0; b < letters.count; b++)
            if (provokes(pattern, &letters, letters.items[a], letters.items[b]))
                return true;
    return false;
}

static err compile(struct pattern *pattern, str text, struct problem *problem)
{
    pcre2_general_context *general = pcre2_general_context_create(allocate, release, NULL);
    pcre2_compile_context *context = general != NULL ? pcre2_compile_context_create(general) : NULL;
    err error = ERR_NOMEM;
    if (context != NULL) {
        int code;
        PCRE2_SIZE offset;
        pcre2_set_parens_nest_limit(context, 50);
        pattern->limits = pcre2_match_context_create(general);
        pattern->code = pcre2_compile((PCRE2_SPTR)text.data, text.size,
                                      PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &offset, context);
        error = pattern->limits == NULL ? ERR_NOMEM : ERR_OK;
        if (error == ERR_OK && pattern->code == NULL && code == PCRE2_ERROR_HEAP_FAILED)
            error = ERR_NOMEM;
        if (error == ERR_OK && pattern->code == NULL) {
            PCRE2_UCHAR message[120] = "";
            pcre2_get_error_message(code, message, sizeof(message));
            error = problem_set(problem, ERR_UNPROCESSABLE,
                                "the regular expression cannot be read at byte %zu: %s", offset,
                                (const char *)message);
        }
    }
    if (pattern->limits != NULL) {
        pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
        pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
        pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KB);
    }
    if (context != NULL)
        pcre2_compile_context_free(context);
    if (general != NULL)
        pcre2_general_context_free(general);
    return error;
}

err pattern_new(struct rule *rule, str text, struct pattern **out, struct problem *problem)
{
    if (text.size > PATTERN_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "the regular expression has %zu bytes, more than %d", text.size,
                           PATTERN_BYTES_MAX);
    struct pattern *pattern = arena_new(&rule->arena, struct pattern);
    if (pattern == NULL)
        return ERR_NOMEM;
    pattern->next = rule->patterns;
    rule->patterns = pattern;
    err error = compile(pattern, text, problem);
    if (error != ERR_OK)
        return error;
    bool slow = explodes(pattern, text);
    if (pattern_take_starved())
        return ERR_NOMEM;
    if (slow) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "the regular expression takes too long on ordinary texts");
        return problem_hint(
            problem, ERR_UNPROCESSABLE,
            "repeat single things, as [a-z]+; not what repeats itself, as ([a-z]+)+");
    }
    *out = pattern;
    return ERR_OK;
}

void patterns_free(struct rule *rule)
{
    for (struct pattern *pattern = rule->patterns; pattern != NULL; pattern = pattern->next) {
        pcre2_code_free(pattern->code);
        pcre2_match_context_free(pattern->limits);
    }
    rule->patterns = NULL;
}
