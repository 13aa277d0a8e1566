/* SPDX-License-Identifier: Apache-2.0 */
/* The checks that rules of the lint name, one table at the end. */
#include <stdio.h>
#include <string.h>

#include "template/lint.h"

struct check {
    struct lint *lint;
    json_value rule;
    const struct lint_part *part;
    struct lint_found *found;
    const struct node *before; /* the node in front, for checks of neighbours */
    uint64_t seen, variables;
};

/* ---- what was found ---- */

static bool found_at(struct check *check, struct place place, str word)
{
    word.size = str_utf8_prefix_bytes(word, sizeof check->found->word - 1);
    check->found->found = true;
    check->found->place = place;
    if (word.size > 0)
        memcpy(check->found->word, word.data, word.size);
    check->found->word[word.size] = '\0';
    return true;
}

static bool found_in(struct check *check, const struct node *node, size_t at, size_t size)
{
    return found_at(check, lint_place(node, at), str_slice(node->text, at, at + size));
}

static bool walk(struct check *check, bool (*visit)(void *context, const struct node *node))
{
    return lint_walk(check->part->template->nodes, visit, check);
}

static uint64_t limit_of(const struct check *check)
{
    return (uint64_t)json_int(json_get(check->rule, STR("limit")), 0);
}

/* ---- lengths ---- */

static bool text_is_foreign(void *context, const struct node *node)
{
    struct check *check = context;
    str only = json_text(json_get(check->rule, STR("only")));
    bool ascii = json_bool(json_get(check->rule, STR("ascii")), false);
    for (size_t i = 0; node->kind == NODE_TEXT && i < node->text.size;) {
        size_t size = 1;
        while (i + size < node->text.size &&
               ((unsigned char)node->text.data[i + size] & 0xc0) == 0x80)
            size++;
        str character = str_slice(node->text, i, i + size);
        if ((ascii && size > 1) || (only.size > 0 && !str_contains(only, character)))
            return found_in(check, node, i, size);
        i += size;
    }
    return false;
}

static bool is_longer(struct check *check, bool in_bytes, uint64_t limit)
{
    const struct template *template = check->part->template;
    struct lint_size size = lint_measure(template, in_bytes);
    const struct node *open = json_bool(json_get(check->rule, STR("open")), false)
                                  ? lint_open_variable(template, in_bytes)
                                  : NULL;
    check->found->length = size.least > limit ? size.least : size.likely;
    check->found->is_sure = size.least > limit;
    if (size.least > limit || size.likely > limit)
        return found_at(check, (struct place){ 1, 1 }, STR_NONE);
    return open != NULL && found_at(check, open->place, open->operand->name);
}

static bool check_bytes_max(struct check *check)
{
    return is_longer(check, true, limit_of(check));
}

static bool check_characters_max(struct check *check)
{
    return walk(check, text_is_foreign) || is_longer(check, false, limit_of(check));
}

static bool has_wide_text(void *context, const struct node *node)
{
    (void)context;
    for (size_t i = 0; node->kind == NODE_TEXT && i < node->text.size; i++)
        if ((unsigned char)node->text.data[i] >= 0x80)
            return true;
    return false;
}

/* 10 Chinese characters, or 20 letters. */
static bool check_name_max(struct check *check)
{
    const struct template *template = check->part->template;
    bool is_wide =
        lint_walk(template->nodes, has_wide_text, NULL) || lint_measure(template, false).least == 0;
    uint64_t latin = (uint64_t)json_int(json_get(check->rule, STR("latin")), 0);
    return is_longer(check, false, is_wide ? limit_of(check) : latin);
}

static bool check_units(struct check *check)
{
    struct lint_size size = lint_measure(check->part->template, false);
    uint64_t each = (uint64_t)json_int(json_get(check->rule, STR("each")), 1);
    check->found->length = size.likely;
    check->found->units = (size.likely + each - 1) / each;
    return size.likely > limit_of(check) && found_at(check, (struct place){ 1, 1 }, STR_NONE);
}

/* ---- words ---- */

static size_t find_word(str text, str word)
{
    bool any_case = word.data[0] == '<';
    for (size_t i = 0; i + word.size <= text.size; i++) {
        str there = str_slice(text, i, i + word.size);
        if (any_case ? str_equal_ignoring_case(there, word) : str_equal(there, word))
            return i;
    }
    return text.size;
}

static bool has_word(void *context, const struct node *node)
{
    struct check *check = context;
    struct json_iterator iterator = json_iterate(json_get(check->rule, STR("words")));
    json_value word;
    if (node->kind != NODE_TEXT)
        return false;
    while (json_next(&iterator, NULL, &word)) {
        size_t at = find_word(node->text, json_text(word));
        if (at < node->text.size)
            return found_in(check, node, at, json_text(word).size);
    }
    return false;
}

static bool check_refuses(struct check *check)
{
    return walk(check, has_word);
}

static bool check_needs_any(struct check *check)
{
    if (walk(check, has_word)) {
        *check->found = (struct lint_found){ .is_sure = true };
        return false;
    }
    return found_at(check, (struct place){ 1, 1 }, STR_NONE);
}

static bool check_needs_variable(struct check *check)
{
    const struct template *template = check->part->template;
    for (size_t i = 0; i < template->path_count; i++) {
        struct json_iterator iterator = json_iterate(json_get(check->rule, STR("words")));
        json_value word;
        while (json_next(&iterator, NULL, &word))
            if (str_ends_with(template->paths[i], json_text(word)))
                return false;
    }
    return found_at(check, (struct place){ 1, 1 }, STR_NONE);
}

static bool check_starts_with(struct check *check)
{
    const struct node *first = check->part->template->nodes;
    struct json_iterator iterator = json_iterate(json_get(check->rule, STR("words")));
    json_value word;
    check->found->is_sure = first == NULL || first->kind == NODE_TEXT;
    while (first != NULL && first->kind == NODE_TEXT && json_next(&iterator, NULL, &word))
        if (str_starts_with(str_trim(first->text), json_text(word)))
            return false;
    return found_at(check, first != NULL ? first->place : (struct place){ 1, 1 }, STR_NONE);
}

static bool lacks_default(const struct check *check, const struct operand *operand)
{
    struct json_iterator iterator = json_iterate(json_get(check->rule, STR("words")));
    json_value word;
    bool is_personal = false;
    while (operand->kind == OPERAND_PATH && operand->path_flags == 0 &&
           json_next(&iterator, NULL, &word))
        is_personal |= str_starts_with(operand->name, json_text(word));
    for (const struct filter_call *call = operand->filters; call != NULL; call = call->next)
        is_personal &= !str_equal(call->filter->name, STR("default"));
    return is_personal;
}

/* Not inside of an `if`: there she is known to have it, or it was thought about. */
static bool check_no_default(struct check *check)
{
    const struct node *node = check->part->template->nodes;
    for (; node != NULL; node = node->next)
        if (node->kind == NODE_OUTPUT && lacks_default(check, node->operand))
            return found_at(check, node->place, node->operand->name);
    return false;
}

/* ---- links ---- */

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

static bool is_known_ending(const struct check *check, str host)
{
    struct json_iterator iterator = json_iterate(check->lint->links);
    json_value ending;
    size_t dot = host.size;
    while (dot > 0 && host.data[dot - 1] != '.')
        dot--;
    while (dot > 1 && json_next(&iterator, NULL, &ending))
        if (str_equal_ignoring_case(str_slice(host, dot, host.size), json_text(ending)))
            return true;
    return false;
}

/* The next host name from `*at` on; `*is_whole`: "https://" stands in front of it. */
static bool next_host(const struct check *check, str text, size_t *at, str *host, bool *is_whole)
{
    for (size_t i = *at; i < text.size; i++) {
        size_t end = i;
        while (end < text.size && is_host_byte(text.data[end]))
            end++;
        if (end == i)
            continue;
        *host = str_slice(text, i, end);
        while (host->size > 0 && host->data[host->size - 1] == '.')
            host->size--;
        *is_whole = str_ends_with(str_slice(text, 0, i), STR("://"));
        *at = end;
        i = end;
        bool is_mail = *host->data != '\0' && host->data > text.data && host->data[-1] == '@';
        bool is_path = host->data > text.data && host->data[-1] == '/' && !*is_whole;
        if (!is_mail && !is_path && is_known_ending(check, *host))
            return true;
    }
    return false;
}

static bool has_bare_domain(void *context, const struct node *node)
{
    struct check *check = context;
    size_t at = 0;
    str host;
    bool is_whole;
    while (node->kind == NODE_TEXT && next_host(check, node->text, &at, &host, &is_whole))
        if (!is_whole)
            return found_in(check, node, (size_t)(host.data - node->text.data), host.size);
    return false;
}

static bool check_no_bare_domain(struct check *check)
{
    return walk(check, has_bare_domain);
}

static bool has_link(void *context, const struct node *node)
{
    size_t at = node->kind == NODE_TEXT ? find_word(node->text, STR("://")) : 0;
    if (node->kind == NODE_TEXT && at < node->text.size)
        return found_in(context, node, at, 3);
    return has_bare_domain(context, node);
}

static bool check_no_link(struct check *check)
{
    return walk(check, has_link);
}

static bool is_named_like_link(str name)
{
    static const char *const words[] = { "url", "link", "domain", "website", "网址", "链接" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        str word = str_from_c(words[i]);
        for (size_t at = 0; at + word.size <= name.size; at++)
            if (str_equal_ignoring_case(str_slice(name, at, at + word.size), word))
                return true;
    }
    return false;
}

/* A code behind a domain that is written out is fine; the domain itself, or a whole link, is not. */
static bool is_link_variable(void *context, const struct node *node)
{
    struct check *check = context;
    const struct node *before = check->before;
    check->before = node;
    if (node->kind != NODE_OUTPUT || node->operand->kind != OPERAND_PATH)
        return false;
    bool is_behind_text = before != NULL && before->kind == NODE_TEXT && before->next == node;
    str text = is_behind_text ? before->text : STR_NONE;
    bool is_domain = str_ends_with(text, STR("://"));
    bool is_code = !is_domain && str_contains(text, STR("://")) &&
                   (str_ends_with(text, STR("/")) || str_ends_with(text, STR("=")));
    return (is_domain || (is_named_like_link(node->operand->name) && !is_code)) &&
           found_at(check, node->place, node->operand->name);
}

static bool check_no_link_in_variable(struct check *check)
{
    return walk(check, is_link_variable);
}

/* ---- what texts of SMS may have ---- */

static uint32_t decode(str text, size_t at, size_t *size)
{
    unsigned char first = (unsigned char)text.data[at];
    *size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t code = first < 0x80 ? first : first & (0x7fu >> *size);
    for (size_t i = 1; i < *size && at + i < text.size; i++)
        code = code << 6 | ((unsigned char)text.data[at + i] & 0x3f);
    return code;
}

static bool has_emoji(void *context, const struct node *node)
{
    size_t size;
    for (size_t i = 0; node->kind == NODE_TEXT && i < node->text.size; i += size) {
        uint32_t code = decode(node->text, i, &size);
        if (code >= 0x1f000 || (code >= 0x2600 && code <= 0x27bf) || code == 0xfe0f ||
            code == 0x200d)
            return found_in(context, node, i, size);
    }
    return false;
}

static bool check_no_emoji(struct check *check)
{
    return walk(check, has_emoji);
}

static bool has_mobile_number(void *context, const struct node *node)
{
    size_t run = 0;
    for (size_t i = 0; node->kind == NODE_TEXT && i <= node->text.size; i++) {
        bool is_digit =
            i < node->text.size && node->text.data[i] >= '0' && node->text.data[i] <= '9';
        if (!is_digit && run == 11 && node->text.data[i - 11] == '1' &&
            node->text.data[i - 10] >= '3')
            return found_in(context, node, i - 11, 11);
        run = is_digit ? run + 1 : 0;
    }
    return false;
}

static bool check_no_mobile_number(struct check *check)
{
    return walk(check, has_mobile_number);
}

static bool is_behind_output(void *context, const struct node *node)
{
    struct check *check = context;
    const struct node *before = check->before;
    check->before = node;
    return node->kind == NODE_OUTPUT && before != NULL && before->kind == NODE_OUTPUT &&
           before->next == node && found_at(check, node->place, node->operand->name);
}

static bool check_no_adjacent_variables(struct check *check)
{
    return walk(check, is_behind_output);
}

static bool count_words(void *context, const struct node *node)
{
    struct check *check = context;
    str text = node->kind == NODE_TEXT ? node->text : STR_NONE;
    size_t end = find_word(text, STR("】"));
    if (str_starts_with(text, STR("【")) && end < text.size)
        text = str_slice(text, end + STR("】").size, text.size);
    for (size_t i = 0; i < text.size; i++)
        check->seen += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    check->variables += node->kind == NODE_OUTPUT;
    return false;
}

/* Fewer fixed characters than four are no text that somebody could approve. */
static bool check_has_words(struct check *check)
{
    check->seen = check->variables = 0;
    walk(check, count_words);
    return check->variables > 0 && check->seen < 4 &&
           found_at(check, (struct place){ 1, 1 }, STR_NONE);
}

static bool has_sign(void *context, const struct node *node)
{
    struct check *check = context;
    size_t at = node->kind == NODE_TEXT ? find_word(node->text, STR("【")) : 0;
    if (node->kind != NODE_TEXT || at >= node->text.size)
        return false;
    str rest = str_slice(node->text, at + STR("【").size, node->text.size);
    size_t end = find_word(rest, STR("】")), characters = 0;
    for (size_t i = 0; i < end; i++)
        characters += ((unsigned char)rest.data[i] & 0xc0) != 0x80;
    bool is_first = at == 0 && node == check->part->template->nodes;
    bool is_alone = end < rest.size && find_word(str_slice(rest, end, rest.size), STR("【")) ==
                                           str_slice(rest, end, rest.size).size;
    return (!is_first || !is_alone || characters < 2 || characters > 12) &&
           found_in(check, node, at, STR("【").size);
}

static bool check_sign(struct check *check)
{
    return walk(check, has_sign);
}

/* ---- the table ---- */

static bool check_always(struct check *check)
{
    return found_at(check, (struct place){ 1, 1 }, STR_NONE);
}

static bool check_count_max(struct check *check)
{
    check->found->length = json_count(check->part->json);
    return check->found->length > limit_of(check) &&
           found_at(check, (struct place){ 1, 1 }, STR_NONE);
}

static const struct {
    const char *name;
    bool (*run)(struct check *check);
    bool wants_text;
} checks[] = {
    { "always", check_always, false },
    { "bytes_max", check_bytes_max, true },
    { "characters_max", check_characters_max, true },
    { "count_max", check_count_max, false },
    { "has_words", check_has_words, true },
    { "name_max", check_name_max, true },
    { "needs_any", check_needs_any, true },
    { "needs_variable", check_needs_variable, true },
    { "no_adjacent_variables", check_no_adjacent_variables, true },
    { "no_bare_domain", check_no_bare_domain, true },
    { "no_default", check_no_default, true },
    { "no_emoji", check_no_emoji, true },
    { "no_link", check_no_link, true },
    { "no_link_in_variable", check_no_link_in_variable, true },
    { "no_mobile_number", check_no_mobile_number, true },
    { "refuses", check_refuses, true },
    { "sign", check_sign, true },
    { "starts_with", check_starts_with, true },
    { "units", check_units, true },
};

bool lint_knows(str check)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (str_equal(check, str_from_c(checks[i].name)))
            return true;
    return false;
}

bool lint_check(struct lint *lint, json_value rule, const struct lint_part *part,
                struct lint_found *found)
{
    str name = json_text(json_get(rule, STR("check")));
    struct check check = { .lint = lint, .rule = rule, .part = part, .found = found };
    *found = (struct lint_found){ .is_sure = true };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (str_equal(name, str_from_c(checks[i].name)))
            return (!checks[i].wants_text || part->template != NULL) && checks[i].run(&check);
    return false;
}
