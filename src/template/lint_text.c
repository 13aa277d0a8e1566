/* SPDX-License-Identifier: Apache-2.0 */
/* How long a text becomes, as far as its template says: literals are counted, filters bound variables. */
#include "template/lint.h"

#define OPEN UINT64_MAX
#define USUAL_CHARACTERS 8 /* a name, a product's short name, a shop */
#define USUAL_ROUNDS 3     /* of a loop without a limit */
#define BYTES_PER_CHARACTER 3

static uint64_t length_of(str text, bool in_bytes)
{
    uint64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += in_bytes || ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a == OPEN || b == OPEN || a > OPEN - b ? OPEN : a + b;
}

static uint64_t constant_length(const struct operand *operand, bool in_bytes)
{
    if (operand == NULL || operand->kind != OPERAND_CONSTANT)
        return OPEN;
    return operand->constant.kind == TEMPLATE_TEXT ? length_of(operand->constant.text, in_bytes)
                                                   : operand->name.size;
}

static uint64_t constant_number(const struct operand *operand)
{
    bool is_number = operand != NULL && operand->kind == OPERAND_CONSTANT &&
                     operand->constant.kind == TEMPLATE_NUMBER && operand->constant.number >= 0;
    return is_number ? (uint64_t)(operand->constant.number / MILLION) : OPEN;
}

/* What comes out of a filter at most. */
static uint64_t filtered(const struct filter_call *call, uint64_t length, bool in_bytes)
{
    static const struct {
        const char *name;
        uint64_t characters;
    } bounded[] = { { "money", 14 }, { "number", 14 },   { "percent", 8 },    { "round", 10 },
                    { "size", 4 },   { "plus", 12 },     { "minus", 12 },     { "times", 12 },
                    { "date", 17 },  { "add_days", 14 }, { "divided_by", 12 } };
    str name = call->filter->name;
    uint64_t wanted = constant_number(call->arguments[0]);
    uint64_t each = in_bytes ? BYTES_PER_CHARACTER : 1;
    for (size_t i = 0; i < sizeof bounded / sizeof bounded[0]; i++)
        if (str_equal(name, str_from_c(bounded[i].name)))
            return bounded[i].characters;
    if (str_equal(name, STR("slice")))
        wanted = call->argument_count > 1 ? constant_number(call->arguments[1]) : 1;
    if (str_equal(name, STR("truncate")) || str_equal(name, STR("slice")))
        return wanted != OPEN && wanted * each < length ? wanted * each : length;
    if (str_equal(name, STR("truncate_bytes")))
        return wanted < length ? wanted : length;
    if (str_equal(name, STR("append")) || str_equal(name, STR("prepend")))
        return add(length, constant_length(call->arguments[0], in_bytes));
    if (str_equal(name, STR("default"))) {
        uint64_t other = constant_length(call->arguments[0], in_bytes);
        return other > length ? other : length;
    }
    if (str_equal(name, STR("join")) || str_equal(name, STR("url")) ||
        str_equal(name, STR("replace")) || str_equal(name, STR("first")) ||
        str_equal(name, STR("last")))
        return OPEN;
    return length;
}

static uint64_t output_bound(const struct operand *operand, bool in_bytes)
{
    uint64_t length = operand->kind == OPERAND_CONSTANT        ? constant_length(operand, in_bytes)
                      : operand->path_flags == PATH_OF_COUNTER ? 3
                      : str_equal(operand->name, STR("now"))   ? 14
                                                               : OPEN;
    for (const struct filter_call *call = operand->filters; call != NULL; call = call->next)
        length = filtered(call, length, in_bytes);
    return length;
}

/* ---- sums ---- */

static struct lint_size measure(const struct node *node, bool in_bytes);

static struct lint_size measure_if(const struct node *node, bool in_bytes)
{
    struct lint_size sum = { OPEN, 0 };
    bool has_else = false;
    for (const struct branch *branch = node->branches; branch != NULL; branch = branch->next) {
        struct lint_size size = measure(branch->nodes, in_bytes);
        sum.least = size.least < sum.least ? size.least : sum.least;
        sum.likely = size.likely > sum.likely ? size.likely : sum.likely;
        has_else |= branch->condition == NULL;
    }
    sum.least = has_else ? sum.least : 0;
    return sum;
}

static struct lint_size measure_for(const struct node *node, bool in_bytes)
{
    struct lint_size body = measure(node->body, in_bytes);
    uint64_t rounds = node->limit != NULL ? constant_number(node->limit) : USUAL_ROUNDS;
    rounds = rounds > TEMPLATE_STEPS_MAX ? USUAL_ROUNDS : rounds;
    return (struct lint_size){ 0, body.likely * rounds };
}

static struct lint_size measure_output(const struct node *node, bool in_bytes)
{
    uint64_t bound = output_bound(node->operand, in_bytes);
    uint64_t usual = USUAL_CHARACTERS * (in_bytes ? BYTES_PER_CHARACTER : 1);
    bool is_constant = node->operand->kind == OPERAND_CONSTANT && node->operand->filters == NULL;
    return (struct lint_size){ is_constant ? bound : 0,
                               bound < usual || is_constant ? bound : usual };
}

/* At most TEMPLATE_DEPTH_MAX deep. */
static struct lint_size measure(const struct node *node, bool in_bytes)
{
    struct lint_size sum = { 0, 0 };
    for (; node != NULL; node = node->next) {
        struct lint_size size = { 0, 0 };
        if (node->kind == NODE_TEXT)
            size.least = size.likely = length_of(node->text, in_bytes);
        else if (node->kind == NODE_OUTPUT)
            size = measure_output(node, in_bytes);
        else
            size = node->kind == NODE_IF ? measure_if(node, in_bytes) : measure_for(node, in_bytes);
        sum.least = add(sum.least, size.least);
        sum.likely = add(sum.likely, size.likely);
    }
    return sum;
}

struct lint_size lint_measure(const struct template *template, bool in_bytes)
{
    return measure(template->nodes, in_bytes);
}

/* ---- walking ---- */

bool lint_walk(const struct node *node, bool (*visit)(void *context, const struct node *node),
               void *context)
{
    for (; node != NULL; node = node->next) {
        if ((node->kind == NODE_TEXT || node->kind == NODE_OUTPUT) && visit(context, node))
            return true;
        for (const struct branch *branch = node->branches; branch != NULL; branch = branch->next)
            if (lint_walk(branch->nodes, visit, context))
                return true;
        if (lint_walk(node->body, visit, context) || lint_walk(node->otherwise, visit, context))
            return true;
    }
    return false;
}

struct search {
    const struct node *found;
    bool in_bytes;
};

static bool is_open(void *context, const struct node *node)
{
    struct search *search = context;
    if (node->kind == NODE_OUTPUT && output_bound(node->operand, search->in_bytes) == OPEN)
        search->found = node;
    return search->found != NULL;
}

const struct node *lint_open_variable(const struct template *template, bool in_bytes)
{
    struct search search = { NULL, in_bytes };
    lint_walk(template->nodes, is_open, &search);
    return search.found;
}

struct place lint_place(const struct node *node, size_t at)
{
    struct place place = node->place;
    for (size_t i = 0; i < at && i < node->text.size; i++) {
        unsigned char c = (unsigned char)node->text.data[i];
        if (c == '\n') {
            place.line++;
            place.column = 1;
        } else if ((c & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}
