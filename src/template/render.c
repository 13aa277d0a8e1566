/* SPDX-License-Identifier: Apache-2.0 */
/* The tree and values to text. Every node, filter, comparison and 64 bytes looked at is a step (M2). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "template/inside.h"

#define BYTES_PER_STEP 64

err rendering_fail(struct rendering *rendering, const char *what, ...)
{
    char text[260];
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    return problem_set(rendering->problem, ERR_UNPROCESSABLE, "line %u, column %u: %s",
                       rendering->place.line, rendering->place.column, text);
}

err rendering_nomem(struct rendering *rendering)
{
    return problem_set(rendering->problem, ERR_NOMEM, "no memory to render a template");
}

err rendering_spend(struct rendering *rendering, size_t bytes)
{
    rendering->steps += 1 + bytes / BYTES_PER_STEP;
    if (rendering->steps <= TEMPLATE_STEPS_MAX)
        return ERR_OK;
    rendering_fail(rendering, "rendering takes more than %d steps", TEMPLATE_STEPS_MAX);
    return problem_hint(rendering->problem, ERR_UNPROCESSABLE,
                        "give the loops a limit, as in "
                        "'for item in event.products "
                        "limit: 10'");
}

static err fail_too_long(struct rendering *rendering)
{
    return rendering_fail(rendering, "the text becomes longer than %d bytes", TEMPLATE_BYTES_MAX);
}

err rendering_room(struct rendering *rendering, size_t size, char **out)
{
    if (size > TEMPLATE_BYTES_MAX)
        return fail_too_long(rendering);
    err error = rendering_spend(rendering, size);
    if (error != ERR_OK)
        return error;
    if (rendering->scratch.used_bytes + size > TEMPLATE_SCRATCH_BYTES_MAX)
        return rendering_fail(rendering, "rendering takes more than %zu bytes of memory",
                              TEMPLATE_SCRATCH_BYTES_MAX);
    *out = arena_alloc_raw(&rendering->scratch, size + 1);
    return *out != NULL ? ERR_OK : rendering_nomem(rendering);
}

/* ---- values ---- */

/* Asked for once in a rendering: the same path is the same value wherever it stands (M4). */
static void look_up(struct rendering *rendering, const struct operand *operand,
                    struct template_value *value)
{
    const struct template_values *values = rendering->values;
    struct template_value *known = &rendering->looked_up[operand->index];
    if (!rendering->is_looked_up[operand->index]) {
        str path = rendering->template->paths[operand->index];
        rendering->is_looked_up[operand->index] = true;
        if (str_equal(path, STR("now")))
            *known = (struct template_value){ .kind = TEMPLATE_TIME, .number = values->now_ms };
        else
            values->get(values->context, path, known);
    }
    *value = *known;
    if (operand->rest.size > 0) {
        json_value json = value->kind == TEMPLATE_JSON ? value->json : (json_value){ 0 };
        value_walk(json, operand->rest, value);
    }
}

static void item_value(const struct rendering *rendering, const struct operand *operand,
                       struct template_value *value)
{
    const struct loop_state *loop = &rendering->loops[operand->index];
    *value = loop->item;
    if (operand->rest.size > 0) {
        json_value json = value->kind == TEMPLATE_JSON ? value->json : (json_value){ 0 };
        value_walk(json, operand->rest, value);
    }
}

static void counter_value(const struct rendering *rendering, const struct operand *operand,
                          struct template_value *value)
{
    const struct loop_state *loop = &rendering->loops[operand->index];
    switch (operand->counter) {
    case LOOP_INDEX:
        value_set_number(value, (loop->index + 1) * MILLION);
        break;
    case LOOP_INDEX0:
        value_set_number(value, loop->index * MILLION);
        break;
    case LOOP_FIRST:
        value_set_bool(value, loop->index == 0);
        break;
    case LOOP_LAST:
        value_set_bool(value, loop->index + 1 == loop->length);
        break;
    case LOOP_LENGTH:
    default:
        value_set_number(value, loop->length * MILLION);
        break;
    }
}

static void bare_value(struct rendering *rendering, const struct operand *operand,
                       struct template_value *value)
{
    value_missing(value);
    if (operand->kind == OPERAND_CONSTANT)
        *value = operand->constant;
    else if (operand->kind == OPERAND_BLANK)
        return;
    else if (operand->path_flags == PATH_OF_LOOP)
        item_value(rendering, operand, value);
    else if (operand->path_flags == PATH_OF_COUNTER)
        counter_value(rendering, operand, value);
    else
        look_up(rendering, operand, value);
    /* An empty name is no name: nobody gets 'Dear ,'. */
    if (operand->kind == OPERAND_PATH && value->kind == TEMPLATE_TEXT && value_is_blank(value))
        value_missing(value);
}

static err fail_missing(struct rendering *rendering, const struct operand *operand)
{
    str name = str_slice(operand->name, 0, str_utf8_prefix_bytes(operand->name, 100));
    rendering->place = operand->place;
    rendering_fail(rendering, "'" STR_FMT "' has no value", STR_ARG(name));
    return problem_hint(rendering->problem, ERR_UNPROCESSABLE,
                        "say what to write then: {{ " STR_FMT " | default: \"…\" }}",
                        STR_ARG(name));
}

static err apply_filter(struct rendering *rendering, const struct operand *operand,
                        const struct filter_call *call, struct template_value *value)
{
    struct template_value arguments[TEMPLATE_ARGUMENTS_MAX];
    const struct filter *filter = call->filter;
    /* Also what a missing value would go through is missing: `default` may come behind. */
    if (value->kind == TEMPLATE_MISSING && !filter->takes_missing)
        return rendering_spend(rendering, 0);
    for (size_t i = 0; i < call->argument_count; i++) {
        bare_value(rendering, call->arguments[i], &arguments[i]);
        if (arguments[i].kind == TEMPLATE_MISSING && !filter->takes_missing)
            return fail_missing(rendering, call->arguments[i]);
    }
    rendering->place = call->place;
    err error = rendering_spend(rendering, value->kind == TEMPLATE_TEXT ? value->text.size : 0);
    if (error != ERR_OK)
        return error;
    if (value->kind == TEMPLATE_JSON && !filter->takes_list && json_kind(value->json) != JSON_INT)
        return rendering_fail(
            rendering, "the filter '" STR_FMT "' takes no list or object ('" STR_FMT "')",
            STR_ARG(filter->name),
            STR_ARG(str_slice(operand->name, 0, str_utf8_prefix_bytes(operand->name, 80))));
    return filter->apply(rendering, value, arguments, call->argument_count);
}

/* May be missing: an output says so, a condition asks. */
err operand_value(struct rendering *rendering, const struct operand *operand,
                  struct template_value *value)
{
    rendering->place = operand->place;
    err error = rendering_spend(rendering, 0);
    bare_value(rendering, operand, value);
    for (const struct filter_call *call = operand->filters; error == ERR_OK && call != NULL;
         call = call->next)
        error = apply_filter(rendering, operand, call, value);
    return error;
}

/* ---- conditions ---- */

static bool holds_for(enum condition_kind kind, enum value_order order)
{
    switch (kind) {
    case CONDITION_EQUAL:
        return order == VALUE_SAME;
    case CONDITION_UNEQUAL:
        return order != VALUE_SAME;
    case CONDITION_LESS:
        return order == VALUE_LESS;
    case CONDITION_LESS_EQUAL:
        return order == VALUE_LESS || order == VALUE_SAME;
    case CONDITION_MORE:
        return order == VALUE_MORE;
    case CONDITION_MORE_EQUAL:
        return order == VALUE_MORE || order == VALUE_SAME;
    case CONDITION_TRUE:
    case CONDITION_CONTAINS:
    case CONDITION_NOT:
    case CONDITION_AND:
    case CONDITION_OR:
    default:
        return false;
    }
}

static err compare(struct rendering *rendering, const struct condition *condition, bool *holds)
{
    struct template_value left, right;
    err error = operand_value(rendering, condition->left, &left);
    *holds = false;
    if (error == ERR_OK && condition->kind == CONDITION_TRUE) {
        *holds = template_value_is_true(&left);
        return ERR_OK;
    }
    if (error == ERR_OK)
        error = operand_value(rendering, condition->right, &right);
    if (error != ERR_OK)
        return error;
    if (condition->kind == CONDITION_CONTAINS)
        return value_contains(rendering, &left, &right, holds);
    size_t sizes = (left.kind == TEMPLATE_TEXT ? left.text.size : 0) +
                   (right.kind == TEMPLATE_TEXT ? right.text.size : 0);
    bool asks_blank = condition->right->kind == OPERAND_BLANK;
    *holds =
        asks_blank || condition->left->kind == OPERAND_BLANK
            ? value_is_blank(asks_blank ? &left : &right) == (condition->kind == CONDITION_EQUAL)
            : holds_for(condition->kind, value_compare(rendering, &left, &right));
    return rendering_spend(rendering, sizes);
}

/* At most TEMPLATE_TERMS_MAX deep. */
static err condition_holds(struct rendering *rendering, const struct condition *condition,
                           bool *holds)
{
    err error;
    switch (condition->kind) {
    case CONDITION_NOT:
        error = condition_holds(rendering, condition->a, holds);
        *holds = !*holds;
        return error;
    case CONDITION_AND:
    case CONDITION_OR:
        error = condition_holds(rendering, condition->a, holds);
        if (error != ERR_OK || *holds == (condition->kind == CONDITION_OR))
            return error;
        return condition_holds(rendering, condition->b, holds);
    case CONDITION_TRUE:
    case CONDITION_EQUAL:
    case CONDITION_UNEQUAL:
    case CONDITION_LESS:
    case CONDITION_LESS_EQUAL:
    case CONDITION_MORE:
    case CONDITION_MORE_EQUAL:
    case CONDITION_CONTAINS:
    default:
        return compare(rendering, condition, holds);
    }
}

/* ---- nodes ---- */

static err render_nodes(struct rendering *rendering, const struct node *node);

/* Not more than TEMPLATE_BYTES_MAX have been written in this rendering. */
static err check_size(struct rendering *rendering)
{
    if (rendering->out->failed) {
        err error = buffer_status(rendering->out);
        return error == ERR_NOMEM ? rendering_nomem(rendering) : fail_too_long(rendering);
    }
    return rendering->out->size - rendering->out_start <= TEMPLATE_BYTES_MAX
               ? ERR_OK
               : fail_too_long(rendering);
}

static err render_output(struct rendering *rendering, const struct node *node)
{
    struct template_value value;
    str text;
    err error = operand_value(rendering, node->operand, &value);
    if (error == ERR_OK && value.kind == TEMPLATE_MISSING)
        error = fail_missing(rendering, node->operand);
    if (error == ERR_OK)
        error = value_text(rendering, &value, &text);
    if (error == ERR_OK)
        error = rendering_spend(rendering, text.size);
    if (error != ERR_OK)
        return error;
    if (text.size > TEMPLATE_BYTES_MAX)
        return fail_too_long(rendering);
    rendering->place = node->place;
    if (!escape_write(rendering->out, text, node->context)) {
        rendering_fail(rendering,
                       "the address in '" STR_FMT "' is of a kind that may run something",
                       STR_ARG(str_slice(node->operand->name, 0,
                                         str_utf8_prefix_bytes(node->operand->name, 100))));
        return problem_hint(rendering->problem, ERR_UNPROCESSABLE,
                            "it may begin with https:, http:, mailto:, tel:, or be relative");
    }
    return check_size(rendering);
}

static err render_if(struct rendering *rendering, const struct node *node)
{
    for (const struct branch *branch = node->branches; branch != NULL; branch = branch->next) {
        bool holds = true;
        err error = branch->condition != NULL
                        ? condition_holds(rendering, branch->condition, &holds)
                        : ERR_OK;
        if (error != ERR_OK || holds)
            return error != ERR_OK ? error : render_nodes(rendering, branch->nodes);
    }
    return ERR_OK;
}

/* `limit` and `offset`: whole numbers from 0. */
static err loop_number(struct rendering *rendering, const struct operand *operand, size_t *out)
{
    struct template_value value;
    int64_t millionths;
    if (operand == NULL)
        return ERR_OK;
    err error = operand_value(rendering, operand, &value);
    if (error != ERR_OK)
        return error;
    if (value.kind == TEMPLATE_MISSING)
        return fail_missing(rendering, operand);
    if (!value_number(&value, &millionths) || millionths < 0)
        return rendering_fail(rendering, "limit and offset are whole numbers from 0");
    *out = (size_t)(millionths / MILLION);
    return ERR_OK;
}

/* The list's members from `begin` to `end`, so that it can be gone through backwards as well. */
static err take_items(struct rendering *rendering, json_value list, size_t begin, size_t end,
                      json_value **out)
{
    char *room;
    err error = rendering_room(rendering, 0, &room);
    if (error == ERR_OK)
        error = rendering_spend(rendering, end * BYTES_PER_STEP);
    if (error != ERR_OK)
        return error;
    json_value *items = arena_array(&rendering->scratch, json_value, end - begin), json;
    struct json_iterator iterator = json_iterate(list);
    if (items == NULL)
        return rendering_nomem(rendering);
    for (size_t i = 0; i < end && json_next(&iterator, NULL, &json); i++)
        if (i >= begin)
            items[i - begin] = json;
    *out = items;
    return ERR_OK;
}

static err render_loop(struct rendering *rendering, const struct node *node, json_value list)
{
    struct loop_state *loop = &rendering->loops[node->loop];
    size_t count = json_count(list), limit = SIZE_MAX, offset = 0;
    json_value *items = NULL;
    err error = loop_number(rendering, node->limit, &limit);
    if (error == ERR_OK)
        error = loop_number(rendering, node->offset, &offset);
    if (error != ERR_OK)
        return error;
    size_t begin = offset < count ? offset : count;
    size_t length = count - begin < limit ? count - begin : limit;
    if (length == 0)
        return render_nodes(rendering, node->otherwise);
    error = take_items(rendering, list, begin, begin + length, &items);
    for (size_t i = 0; error == ERR_OK && i < length; i++) {
        value_from_json(items[node->is_reversed ? length - 1 - i : i], &loop->item);
        loop->index = (int64_t)i;
        loop->length = (int64_t)length;
        error = rendering_spend(rendering, 0);
        if (error == ERR_OK)
            error = render_nodes(rendering, node->body);
    }
    return error;
}

static err render_for(struct rendering *rendering, const struct node *node)
{
    struct template_value value;
    err error = operand_value(rendering, node->operand, &value);
    if (error != ERR_OK)
        return error;
    if (value.kind == TEMPLATE_MISSING)
        return node->has_else ? render_nodes(rendering, node->otherwise)
                              : fail_missing(rendering, node->operand);
    if (value.kind != TEMPLATE_JSON || json_kind(value.json) != JSON_ARRAY)
        return rendering_fail(rendering, "'" STR_FMT "' is no list",
                              STR_ARG(str_slice(node->operand->name, 0,
                                                str_utf8_prefix_bytes(node->operand->name, 100))));
    return render_loop(rendering, node, value.json);
}

static err render_node(struct rendering *rendering, const struct node *node)
{
    rendering->place = node->place;
    err error = rendering_spend(rendering, node->kind == NODE_TEXT ? node->text.size : 0);
    if (error != ERR_OK)
        return error;
    switch (node->kind) {
    case NODE_TEXT:
        buffer_append_str(rendering->out, node->text);
        return check_size(rendering);
    case NODE_OUTPUT:
        return render_output(rendering, node);
    case NODE_IF:
        return render_if(rendering, node);
    case NODE_FOR:
    default:
        return render_for(rendering, node);
    }
}

static err render_nodes(struct rendering *rendering, const struct node *node)
{
    err error = ERR_OK;
    for (; error == ERR_OK && node != NULL; node = node->next)
        error = render_node(rendering, node);
    return error;
}

err template_render(const struct template *template, const struct template_values *values,
                    struct buffer *out, struct problem *problem)
{
    struct problem ignored;
    struct rendering rendering = { .template = template,
                                   .values = values,
                                   .problem = problem != NULL ? problem : &ignored,
                                   .out = out,
                                   .out_start = out->size };
    arena_init(&rendering.scratch, "template_scratch", 2 * TEMPLATE_SCRATCH_BYTES_MAX);
    size_t count = template->path_count > 0 ? template->path_count : 1;
    rendering.looked_up = arena_array(&rendering.scratch, struct template_value, count);
    rendering.is_looked_up = arena_array(&rendering.scratch, bool, count);
    err error = rendering.looked_up != NULL && rendering.is_looked_up != NULL
                    ? render_nodes(&rendering, template->nodes)
                    : rendering_nomem(&rendering);
    if (error != ERR_OK && !out->failed)
        out->size = rendering.out_start;
    arena_deinit(&rendering.scratch);
    return error;
}
