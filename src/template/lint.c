/* SPDX-License-Identifier: Apache-2.0 */
/* Parts and rules brought together, and what was found in both languages. */
#include "template/lint.h"

#include <string.h>

#define RULES_BYTES_MAX ((size_t)1 << 20)
#define NAME_BYTES_MAX 200
#define NESTED_MAX 8

/* ---- names ---- */

/* '*' stands for anything. */
static bool matches(str pattern, str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.size && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}

static bool matches_any(json_value patterns, str text)
{
    struct json_iterator iterator = json_iterate(patterns);
    json_value pattern;
    while (json_next(&iterator, NULL, &pattern))
        if (matches(json_text(pattern), text))
            return true;
    return false;
}

/* ---- findings ---- */

/* Fills {limit}, {length}, {units}, {word}, {part} in. */
static void fill(struct buffer *out, str text, json_value rule, const struct lint_part *part,
                 const struct lint_found *found)
{
    static const char *const names[] = { "{limit}", "{length}", "{units}", "{word}", "{part}" };
    for (size_t i = 0; i < text.size; i++) {
        size_t which = 0;
        str rest = str_slice(text, i, text.size);
        while (which < 5 && !str_starts_with(rest, str_from_c(names[which])))
            which++;
        if (which == 5) {
            buffer_append_byte(out, (uint8_t)text.data[i]);
            continue;
        }
        if (which == 0)
            buffer_printf(out, "%lld", (long long)json_int(json_get(rule, STR("limit")), 0));
        else if (which < 3)
            buffer_printf(out, "%llu",
                          (unsigned long long)(which == 1 ? found->length : found->units));
        else
            buffer_append_str(out, which == 3 ? str_from_c(found->word) : part->name);
        i += strlen(names[which]) - 1;
    }
}

static void write_both(struct lint *lint, str key, json_value texts, json_value rule,
                       const struct lint_part *part, const struct lint_found *found)
{
    static const str languages[] = { { "zh", 2 }, { "en", 2 } };
    struct buffer text;
    json_put_key(&lint->writer, key);
    json_begin_object(&lint->writer);
    for (size_t i = 0; i < 2; i++) {
        buffer_init(&text, 2000);
        fill(&text, json_text(json_get(texts, languages[i])), rule, part, found);
        json_member_text(&lint->writer, languages[i], buffer_str(&text));
        buffer_deinit(&text);
    }
    json_end_object(&lint->writer);
}

static void begin_finding(struct lint *lint, bool is_error, str code, str part, struct place place)
{
    json_begin_object(&lint->writer);
    json_member_text(&lint->writer, STR("level"), is_error ? STR("error") : STR("advice"));
    json_member_text(&lint->writer, STR("code"), code);
    json_member_text(&lint->writer, STR("part"), part);
    json_member_int(&lint->writer, STR("line"), place.line);
    json_member_int(&lint->writer, STR("column"), place.column);
    *lint->error_count += is_error;
}

static void write_found(struct lint *lint, json_value rule, const struct lint_part *part,
                        const struct lint_found *found)
{
    bool is_error = str_equal(json_text(json_get(rule, STR("level"))), STR("error"));
    begin_finding(lint, is_error && found->is_sure, json_text(json_get(rule, STR("code"))),
                  part->name, found->place);
    write_both(lint, STR("text"), json_get(rule, STR("text")), rule, part, found);
    write_both(lint, STR("cure"), json_get(rule, STR("cure")), rule, part, found);
    json_end_object(&lint->writer);
}

/* "line 2, column 5: …", as parser_fail writes it. */
static struct place read_place(const char *detail, str *rest)
{
    struct place place = { 1, 1 };
    uint64_t line = 1, column = 1;
    str text = str_from_c(detail), part;
    *rest = text;
    if (!str_starts_with(text, STR("line ")))
        return place;
    text = str_slice(text, STR("line ").size, text.size);
    if (str_split(&text, ',', &part) && str_to_uint64(part, &line) &&
        str_starts_with(text, STR(" column "))) {
        text = str_slice(text, STR(" column ").size, text.size);
        if (str_split(&text, ':', &part) && str_to_uint64(part, &column))
            *rest = str_trim(text);
    }
    place.line = (uint32_t)line;
    place.column = (uint32_t)column;
    return place;
}

static void write_pair(struct lint *lint, str key, const char *before, str text)
{
    struct buffer zh;
    buffer_init(&zh, 2000);
    buffer_append_str(&zh, str_from_c(before));
    buffer_append_str(&zh, text);
    json_put_key(&lint->writer, key);
    json_begin_object(&lint->writer);
    json_member_text(&lint->writer, STR("zh"), buffer_str(&zh));
    json_member_text(&lint->writer, STR("en"), text);
    json_end_object(&lint->writer);
    buffer_deinit(&zh);
}

static void write_syntax(struct lint *lint, str part, const struct problem *problem)
{
    str detail;
    struct place place = read_place(problem->detail, &detail);
    begin_finding(lint, true, STR("template.syntax"), part, place);
    write_pair(lint, STR("text"), "模板写错了：", detail);
    str hint = problem->hint[0] != '\0' ? str_from_c(problem->hint)
                                        : STR("docs/templates.md has the language");
    write_pair(lint, STR("cure"), "", hint);
    json_end_object(&lint->writer);
}

/* ---- parts ---- */

static enum template_escape escape_of(str name)
{
    return str_equal(name, STR("html")) || str_ends_with(name, STR(".html")) ? TEMPLATE_HTML
                                                                             : TEMPLATE_PLAIN;
}

static err add_part(struct lint *lint, struct arena *arena, str name, json_value json)
{
    struct problem problem = { 0 };
    struct lint_part part = { .json = json };
    if (lint->part_count == LINT_PARTS_MAX)
        return ERR_OK;
    err error = arena_dup(arena, name, &part.name);
    if (error == ERR_OK && json_kind(json) == JSON_TEXT) {
        error = template_new(&part.template, json_text(json), escape_of(name), &problem);
        if (error == ERR_UNPROCESSABLE) {
            write_syntax(lint, part.name, &problem);
            error = ERR_OK;
        }
    }
    if (error == ERR_OK)
        lint->parts[lint->part_count++] = part;
    return error;
}

/* Objects and lists inside of parts: "data.thing1", "attachments[0].link.title". */
static err add_parts(struct lint *lint, struct arena *arena, str prefix, json_value json,
                     unsigned depth)
{
    struct json_iterator iterator = json_iterate(json);
    json_value member;
    str key;
    bool is_list = json_kind(json) == JSON_ARRAY;
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && json_next(&iterator, &key, &member); i++) {
        struct buffer name;
        buffer_init(&name, NAME_BYTES_MAX);
        buffer_append_str(&name, prefix);
        if (is_list)
            buffer_printf(&name, "[%zu]", i);
        else if (prefix.size > 0)
            buffer_append_byte(&name, '.');
        if (!is_list)
            buffer_append_str(&name, key);
        if (!name.failed)
            error = add_part(lint, arena, buffer_str(&name), member);
        if (error == ERR_OK && !name.failed && json_count(member) > 0 && depth < NESTED_MAX)
            error = add_parts(lint, arena, buffer_str(&name), member, depth + 1);
        buffer_deinit(&name);
    }
    return error;
}

/* ---- rules ---- */

static bool applies(const struct lint *lint, json_value rule, str channel)
{
    str when = json_text(json_get(rule, STR("when")));
    return matches_any(json_get(rule, STR("channels")), channel) &&
           (when.size == 0 || str_equal(when, STR("marketing")) == lint->is_marketing);
}

static void run_required(struct lint *lint, json_value rule)
{
    json_value names = json_get(rule, STR("parts"));
    struct lint_found found = { .is_sure = true, .place = { 1, 1 } };
    struct lint_part missing = { .name = json_text(json_at(names, 0)) };
    for (size_t i = 0; i < lint->part_count; i++)
        if (matches_any(names, lint->parts[i].name) &&
            str_trim(json_text(lint->parts[i].json)).size > 0)
            return;
    write_found(lint, rule, &missing, &found);
}

static void run_rule(struct lint *lint, json_value rule)
{
    json_value names = json_get(rule, STR("parts"));
    struct lint_found found;
    if (str_equal(json_text(json_get(rule, STR("check"))), STR("required"))) {
        run_required(lint, rule);
        return;
    }
    for (size_t i = 0; i < lint->part_count; i++) {
        if (!matches_any(names, lint->parts[i].name) ||
            !lint_check(lint, rule, &lint->parts[i], &found))
            continue;
        write_found(lint, rule, &lint->parts[i], &found);
        if (json_bool(json_get(rule, STR("once")), false))
            return;
    }
}

static err lint_parts(struct lint *lint, struct arena *arena, struct json_parser *rules,
                      str channel, json_value parts)
{
    json_value root, rule;
    err error = json_parse(rules, str_from_bytes(lint_rules.bytes, lint_rules.size), &root, NULL);
    json_begin_array(&lint->writer);
    if (error == ERR_OK)
        error = add_parts(lint, arena, STR_NONE, parts, 0);
    lint->links = error == ERR_OK ? json_get(root, STR("links")) : (json_value){ 0 };
    if (error == ERR_OK) {
        struct json_iterator iterator = json_iterate(json_get(root, STR("rules")));
        while (json_next(&iterator, NULL, &rule))
            if (applies(lint, rule, channel))
                run_rule(lint, rule);
    }
    json_end_array(&lint->writer);
    return error;
}

err template_lint(str channel, bool is_marketing, json_value parts, struct buffer *out,
                  size_t *error_count)
{
    struct arena arena;
    struct json_parser *rules = NULL;
    struct lint *lint = memory_alloc(sizeof *lint);
    *error_count = 0;
    arena_init(&arena, "template_lint", (size_t)1 << 20);
    err error = lint != NULL ? json_parser_new(&rules, RULES_BYTES_MAX) : ERR_NOMEM;
    if (error == ERR_OK) {
        lint->is_marketing = is_marketing;
        lint->error_count = error_count;
        json_writer_init(&lint->writer, out);
        error = lint_parts(lint, &arena, rules, channel, parts);
        for (size_t i = 0; i < lint->part_count; i++)
            template_free(&lint->parts[i].template);
    }
    json_parser_free(&rules);
    memory_free(lint);
    arena_deinit(&arena);
    return error;
}
