/* SPDX-License-Identifier: Apache-2.0 */
/* Order lines: {"group_by", "into", "adjacent", "when", "columns": {…}, "sums": {…}}. */
#include <string.h>

#include "mapping/inside.h"

static err compile_sum(struct compiler *compiler, str name, json_value value)
{
    struct mapping *mapping = compiler->mapping;
    struct line_sum *sum = &mapping->sums[mapping->sum_count];
    bool product = json_kind(json_get(value, STR("price"))) != JSON_MISSING;
    err error = compile_name(compiler, name, &sum->name, &sum->quoted, &sum->index);
    if (error != ERR_OK)
        return error;
    if (product) {
        error = compile_check_members(compiler, value, "price quantity");
        if (error == ERR_OK)
            error = compile_member(compiler, value, STR("price"), SPEC_MONEY, &sum->price);
        if (error == ERR_OK)
            error = compile_member(compiler, value, STR("quantity"), SPEC_NUMBER, &sum->quantity);
    } else {
        error = compile_spec(compiler, value, name, SPEC_MONEY, &sum->value);
    }
    if (error == ERR_OK && !product && sum->value.node == NULL)
        error = compile_fail(compiler, "a sum is a value per line, or {price, quantity}");
    mapping->sum_count++;
    return error;
}

static err compile_sums(struct compiler *compiler, json_value lines)
{
    json_value sums = json_get(lines, STR("sums")), value;
    struct json_iterator iterator = json_iterate(sums);
    size_t length = compile_enter(compiler, STR("sums"));
    err error = ERR_OK;
    str name;
    compiler->mapping->sums = arena_array(compiler->arena, struct line_sum, SUMS_MAX);
    if (compiler->mapping->sums == NULL)
        return compile_nomem(compiler);
    if (json_kind(sums) != JSON_MISSING && !json_is_object(sums))
        error = compile_fail(compiler, "sums are an object of names and values");
    else if (json_count(sums) > SUMS_MAX)
        error = compile_fail(compiler, "at most %d sums", SUMS_MAX);
    while (error == ERR_OK && json_next(&iterator, &name, &value)) {
        size_t inner = compile_enter(compiler, name);
        error = compile_sum(compiler, name, value);
        compile_leave(compiler, inner);
    }
    compile_leave(compiler, length);
    return error;
}

static const struct named_spec *find_line(const struct mapping *mapping, str name)
{
    for (uint32_t i = 0; i < mapping->line_property_count; i++)
        if (str_equal(mapping->line_properties[i].name, name))
            return &mapping->line_properties[i];
    return NULL;
}

/* The doors make the amount of an order without one from its lines. */
static err imply_sum(struct compiler *compiler)
{
    struct mapping *mapping = compiler->mapping;
    const struct named_spec *price = find_line(mapping, STR("price"));
    const struct named_spec *quantity = find_line(mapping, STR("quantity"));
    if (mapping->sum_count > 0 || price == NULL)
        return ERR_OK;
    struct line_sum *sum = &mapping->sums[mapping->sum_count++];
    sum->price = price->spec;
    if (quantity != NULL)
        sum->quantity = quantity->spec;
    mapping->sum_is_implied = true;
    return compile_name(compiler, STR("revenue"), &sum->name, &sum->quoted, &sum->index);
}

static err compile_members(struct compiler *compiler, json_value lines)
{
    struct mapping *mapping = compiler->mapping;
    str into = json_text(json_get(lines, STR("into")));
    err error = compile_check_members(compiler, lines, "group_by into adjacent when columns sums");
    if (error == ERR_OK)
        error = compile_member(compiler, lines, STR("group_by"), SPEC_ID, &mapping->group_by);
    if (error == ERR_OK && mapping->group_by.node == NULL) {
        compile_fail(compiler, "lines without 'group_by'");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                            "say which column tells that rows are of one order");
    }
    mapping->group_by.required = true;
    if (error == ERR_OK)
        error = compile_name(compiler, into.size > 0 ? into : STR("products"), &mapping->lines_name,
                             &mapping->lines_quoted, &mapping->lines_index);
    if (error == ERR_OK)
        error = compile_condition(compiler, lines, STR("when"), &mapping->line_when);
    if (error == ERR_OK)
        error = compile_named(compiler, lines, STR("columns"), NAMES_OF_EVENTS,
                              &mapping->line_properties, &mapping->line_property_count);
    mapping->adjacent = json_bool(json_get(lines, STR("adjacent")), false);
    if (error == ERR_OK)
        error = compile_sums(compiler, lines);
    if (error == ERR_OK)
        error = imply_sum(compiler);
    if (mapping->key.node == NULL)
        mapping->key = mapping->group_by;
    return error;
}

err compile_lines(struct compiler *compiler, json_value lines)
{
    if (json_kind(lines) == JSON_MISSING || json_kind(lines) == JSON_NULL)
        return ERR_OK;
    if (!str_equal(compiler->mapping->kind, STR("events")))
        return compile_fail(compiler, "only a mapping of kind 'events' has lines");
    size_t length = compile_enter(compiler, STR("lines"));
    compiler->mapping->has_lines = true;
    err error = json_is_object(lines) ? compile_members(compiler, lines)
                                      : compile_fail(compiler, "lines are an object");
    compile_leave(compiler, length);
    return error;
}
