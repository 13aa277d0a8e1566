/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a mapping: "an expression", 12, true, or {"column" | "constant" | "expression" | "lua", "type", …}. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "event/known.h"
#include "event/personal.h"
#include "mapping/preset.h"

/* ---- where we are ---- */

err compile_fail(struct compiler *compiler, const char *detail, ...)
{
    char room[256];
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(room, sizeof room, detail, arguments);
    va_end(arguments);
    problem_set(compiler->problem, ERR_UNPROCESSABLE, "%s", room);
    return problem_at(compiler->problem, ERR_UNPROCESSABLE, "%s", compiler->place);
}

err compile_nomem(struct compiler *compiler)
{
    return problem_set(compiler->problem, ERR_NOMEM, "no memory for a mapping");
}

size_t compile_enter(struct compiler *compiler, str member)
{
    size_t length = strlen(compiler->place);
    size_t size = str_utf8_prefix_bytes(member, 60);
    if (length + size + 2 <= sizeof compiler->place)
        snprintf(compiler->place + length, sizeof compiler->place - length, "/%.*s", (int)size,
                 size > 0 ? member.data : "");
    return length;
}

void compile_leave(struct compiler *compiler, size_t length)
{
    compiler->place[length] = '\0';
}

err compile_check_members(struct compiler *compiler, json_value object, const char *names)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str key;
    while (json_next(&iterator, &key, &value)) {
        str list = str_from_c(names), name;
        bool known = false;
        while (!known && str_split(&list, ' ', &name))
            known = str_equal(key, name);
        if (known)
            continue;
        compile_fail(compiler, "a mapping knows no '" STR_FMT "' here",
                     (int)str_utf8_prefix_bytes(key, 60), key.size > 0 ? key.data : "");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE, "known are: %s", names);
    }
    return ERR_OK;
}

/* ---- names that expressions use ---- */

/* Half-width brackets, no margins: as table.h makes the names of columns. */
bool column_names_equal(str a, str b)
{
    return str_equal(a, b) || cell_is_same(str_trim(a), str_trim(b));
}

static uint32_t find_column(const struct compiler *compiler, str name)
{
    for (uint32_t i = 0; i < compiler->column_count; i++)
        if (name.size > 0 && compiler->columns[i].size > 0 &&
            column_names_equal(compiler->columns[i], name))
            return i;
    return COLUMN_NONE;
}

static err keep_text(struct compiler *compiler, str text, str *out)
{
    return arena_dup(compiler->arena, text, out) == ERR_OK ? ERR_OK : compile_nomem(compiler);
}

static err make_slot(struct compiler *compiler, str name, uint32_t column, bool is_alias,
                     uint32_t *slot)
{
    struct mapping *mapping = compiler->mapping;
    uint32_t i = 0;
    while (i < mapping->slot_count &&
           (column != COLUMN_NONE ? mapping->slots[i].column != column
                                  : !str_equal(mapping->slots[i].name, name)))
        i++;
    struct slot *made = &mapping->slots[i];
    *slot = i;
    if (i == TABLE_COLUMNS_MAX)
        return compile_fail(compiler, "the mapping reads more than %d columns", TABLE_COLUMNS_MAX);
    err error = ERR_OK;
    if (i == mapping->slot_count) {
        mapping->slot_count++;
        made->column = column;
        error = keep_text(compiler, column != COLUMN_NONE ? compiler->columns[column] : name,
                          &made->name);
    }
    if (error == ERR_OK && is_alias && made->alias.size == 0)
        error = keep_text(compiler, name, &made->alias);
    return error;
}

/* The columns of an alias, the first that the file has. */
static err find_alias(struct compiler *compiler, str name, json_value alias, bool *optional,
                      uint32_t *column)
{
    json_value names = alias, one;
    if (json_is_object(alias)) {
        names = json_get(alias, STR("names"));
        *optional = *optional || json_bool(json_get(alias, STR("optional")), false);
    }
    *column = COLUMN_NONE;
    if (json_kind(names) == JSON_TEXT) {
        *column = find_column(compiler, json_text(names));
        return ERR_OK;
    }
    if (json_kind(names) != JSON_ARRAY)
        return compile_fail(compiler, "the column '" STR_FMT "' has no list of names",
                            STR_ARG(name));
    struct json_iterator iterator = json_iterate(names);
    while (*column == COLUMN_NONE && json_next(&iterator, NULL, &one))
        *column = find_column(compiler, json_text(one));
    return ERR_OK;
}

err compile_slot(struct compiler *compiler, str name, uint32_t *slot, bool *optional)
{
    json_value alias = json_get(compiler->aliases, name);
    uint32_t column = COLUMN_NONE;
    err error = ERR_OK;
    if (json_kind(alias) != JSON_MISSING)
        error = find_alias(compiler, name, alias, optional, &column);
    else
        column = find_column(compiler, name);
    if (error != ERR_OK)
        return error;
    if (column != COLUMN_NONE || compiler->columns == NULL) {
        *optional = false;
        return make_slot(compiler, name, column, json_kind(alias) != JSON_MISSING, slot);
    }
    if (compiler->columns_are_open)
        *optional = true;
    if (*optional)
        return ERR_OK; /* stands for null */
    compile_fail(compiler, "the file has no column '" STR_FMT "'",
                 (int)str_utf8_prefix_bytes(name, 100), name.size > 0 ? name.data : "");
    return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                        "choose another column, or write [name?] for one that may be missing");
}

static err name_column(void *context, str name, bool optional, uint32_t *slot, bool *missing,
                       struct problem *problem)
{
    (void)problem;
    *missing = optional;
    return compile_slot(context, name, slot, missing);
}

static err make_table(struct compiler *compiler, str name, json_value object,
                      const struct lookup **lookup)
{
    struct lookup *made = NULL;
    if (compiler->table_count == sizeof compiler->table_made / sizeof compiler->table_made[0])
        return compile_fail(compiler, "the mapping has more than %u tables", compiler->table_count);
    err error = lookup_new(compiler->arena, object, &made, compiler->problem);
    if (error != ERR_OK)
        return problem_at(compiler->problem, error, "%s", compiler->place);
    compiler->table_names[compiler->table_count] = name;
    compiler->table_made[compiler->table_count++] = made;
    *lookup = made;
    return ERR_OK;
}

static err name_lookup(void *context, str name, const struct lookup **lookup,
                       struct problem *problem)
{
    struct compiler *compiler = context;
    (void)problem;
    for (uint32_t i = 0; i < compiler->table_count; i++)
        if (compiler->table_names[i].size > 0 && str_equal(compiler->table_names[i], name)) {
            *lookup = compiler->table_made[i];
            return ERR_OK;
        }
    json_value object = json_get(compiler->tables, name);
    if (json_kind(object) == JSON_MISSING)
        return compile_fail(compiler, "the mapping has no table '" STR_FMT "'",
                            (int)str_utf8_prefix_bytes(name, 60), name.data);
    return make_table(compiler, name, object, lookup);
}

static err add_script(struct compiler *compiler, str name, str source, const struct script **script)
{
    struct mapping *mapping = compiler->mapping;
    if (mapping->script_count == SCRIPTS_MAX)
        return compile_fail(compiler, "the mapping has more than %d scripts", SCRIPTS_MAX);
    if (source.size == 0 || source.size > SCRIPT_BYTES_MAX)
        return compile_fail(compiler, "a script has 1 to %d bytes", SCRIPT_BYTES_MAX);
    struct script *made = arena_new(compiler->arena, struct script);
    if (made == NULL || arena_dup(compiler->arena, name, &made->name) != ERR_OK ||
        arena_dup(compiler->arena, source, &made->source) != ERR_OK)
        return compile_nomem(compiler);
    made->index = mapping->script_count;
    mapping->scripts[mapping->script_count++] = made;
    compiler->all_columns = true; /* which it reads is known when it runs */
    *script = made;
    return ERR_OK;
}

static err name_script(void *context, str name, const struct script **script,
                       struct problem *problem)
{
    struct compiler *compiler = context;
    (void)problem;
    for (uint32_t i = 0; i < compiler->mapping->script_count; i++)
        if (str_equal(compiler->mapping->scripts[i]->name, name)) {
            *script = compiler->mapping->scripts[i];
            return ERR_OK;
        }
    json_value source = json_get(compiler->scripts, name);
    if (json_kind(source) != JSON_TEXT)
        return compile_fail(compiler, "the mapping has no script '" STR_FMT "'",
                            (int)str_utf8_prefix_bytes(name, 60), name.data);
    return add_script(compiler, name, json_text(source), script);
}

static err name_sum(void *context, str name, uint32_t *slot, struct problem *problem)
{
    struct compiler *compiler = context;
    (void)problem;
    for (uint32_t i = 0; i < compiler->mapping->sum_count; i++)
        if (str_equal(compiler->mapping->sums[i].name, name)) {
            *slot = i;
            return ERR_OK;
        }
    return compile_fail(compiler, "there is no sum '$" STR_FMT "' over lines",
                        (int)str_utf8_prefix_bytes(name, 60), name.size > 0 ? name.data : "");
}

static err name_regex(void *context, str pattern, const struct regex **regex,
                      struct problem *problem)
{
    struct compiler *compiler = context;
    struct regex_list *entry = arena_new(compiler->arena, struct regex_list);
    if (entry == NULL)
        return compile_nomem(compiler);
    err error = regex_new(&entry->regex, pattern, problem);
    if (error != ERR_OK)
        return problem_at(problem, error, "%s", compiler->place);
    entry->next = compiler->mapping->regexes;
    compiler->mapping->regexes = entry;
    *regex = entry->regex;
    return ERR_OK;
}

void compile_names_init(struct compiler *compiler)
{
    compiler->names = (struct expression_names){ .context = compiler,
                                                 .column = name_column,
                                                 .lookup = name_lookup,
                                                 .script = name_script,
                                                 .sum = name_sum,
                                                 .regex = name_regex };
}

/* ---- expressions ---- */

err compile_expression(struct compiler *compiler, str text, const struct node **node)
{
    str kept;
    if (arena_dup(compiler->arena, text, &kept) != ERR_OK)
        return compile_nomem(compiler);
    compiler->problem->pointer[0] = '\0';
    err error = expression_parse(compiler->arena, &compiler->names, kept, node, compiler->problem);
    if (error != ERR_OK && compiler->problem->pointer[0] == '\0')
        problem_at(compiler->problem, error, "%s", compiler->place);
    return error;
}

err compile_condition(struct compiler *compiler, json_value object, str member,
                      const struct node **node)
{
    json_value value = json_get(object, member);
    *node = NULL;
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return ERR_OK;
    size_t length = compile_enter(compiler, member);
    err error = json_kind(value) == JSON_TEXT
                    ? compile_expression(compiler, json_text(value), node)
                    : compile_fail(compiler, "a condition is an expression as text");
    compile_leave(compiler, length);
    return error;
}

/* ---- what a value is made of ---- */

static err constant(struct compiler *compiler, json_value value, const struct node **node)
{
    struct value made = value_null();
    struct buffer text;
    err error = ERR_OK;
    switch (json_kind(value)) {
    case JSON_BOOL:
        made = value_bool(json_bool(value, false));
        break;
    case JSON_TEXT:
        made = (struct value){ .kind = VALUE_TEXT };
        error = arena_dup(compiler->arena, json_text(value), &made.text);
        break;
    case JSON_INT:
        made = value_number(exact_from_int(json_int(value, 0)));
        break;
    case JSON_DOUBLE:
    case JSON_ARRAY:
    case JSON_OBJECT:
        buffer_init(&text, EVENT_BYTES_MAX);
        json_write_value(&text, value);
        error = buffer_status(&text);
        if (error == ERR_OK && (json_kind(value) != JSON_DOUBLE ||
                                !exact_parse(buffer_str(&text), true, &made.number))) {
            made.kind = VALUE_JSON;
            error = arena_dup(compiler->arena, buffer_str(&text), &made.text);
        } else {
            made.kind = VALUE_NUMBER;
        }
        buffer_deinit(&text);
        break;
    case JSON_MISSING:
    case JSON_NULL:
        break;
    }
    if (error == ERR_OK)
        error = expression_constant(compiler->arena, made, node);
    return error == ERR_OK ? ERR_OK : compile_nomem(compiler);
}

/* Columns by name, the first with a value of several: ["手机", "电话"]. */
static err columns(struct compiler *compiler, json_value value, const struct node **node)
{
    struct json_iterator iterator = json_iterate(value);
    json_value one;
    char text[1200];
    size_t size = 0;
    bool list = json_kind(value) == JSON_ARRAY;
    size += (size_t)snprintf(text, sizeof text, list ? "coalesce(" : "");
    for (size_t i = 0; list ? json_next(&iterator, NULL, &one) : i == 0; i++) {
        str name = json_text(list ? one : value);
        if (name.size == 0 || memchr(name.data, ']', name.size) != NULL ||
            size + name.size + 8 > sizeof text)
            return compile_fail(compiler, "a column is named by its header");
        size += (size_t)snprintf(text + size, sizeof text - size, "%s[" STR_FMT "%s]",
                                 i > 0 ? "," : "", STR_ARG(name), list ? "?" : "");
    }
    if (list)
        size += (size_t)snprintf(text + size, sizeof text - size, ")");
    return compile_expression(compiler, str_from_bytes(text, size), node);
}

static err compile_source(struct compiler *compiler, json_value object, struct spec *spec)
{
    static const char *const members[] = { "column", "constant", "expression", "value", "lua" };
    json_value found = { .document = NULL };
    const char *which = NULL;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_value value = json_get(object, str_from_c(members[i]));
        if (json_kind(value) == JSON_MISSING)
            continue;
        if (which != NULL)
            return compile_fail(compiler, "a value is either '%s' or '%s'", which, members[i]);
        which = members[i];
        found = value;
    }
    if (which == NULL) {
        compile_fail(compiler, "a value without its source");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                            "say one of column, constant, expression, lua");
    }
    if (strcmp(which, "constant") == 0)
        return constant(compiler, found, &spec->node);
    if (strcmp(which, "column") == 0)
        return columns(compiler, found, &spec->node);
    if (strcmp(which, "value") == 0 && json_kind(found) != JSON_TEXT)
        return constant(compiler, found, &spec->node);
    if (json_kind(found) != JSON_TEXT)
        return compile_fail(compiler, "'%s' is a text", which);
    if (strcmp(which, "lua") != 0)
        return compile_expression(compiler, json_text(found), &spec->node);
    struct node *node = arena_new(compiler->arena, struct node);
    if (node == NULL)
        return compile_nomem(compiler);
    node->kind = NODE_SCRIPT;
    spec->node = node;
    return add_script(compiler, spec->label, json_text(found), &node->script);
}

/* ---- what is to become of it ---- */

static const struct {
    str name;
    enum spec_type type;
} types[] = {
#define ROW(name, type)                                  \
    {                                                    \
        { .data = name, .size = sizeof(name) - 1 }, type \
    }
    ROW("auto", SPEC_AUTO),       ROW("text", SPEC_TEXT),   ROW("id", SPEC_ID),
    ROW("number", SPEC_NUMBER),   ROW("money", SPEC_MONEY), ROW("integer", SPEC_INTEGER),
    ROW("boolean", SPEC_BOOLEAN), ROW("time", SPEC_TIME),   ROW("date", SPEC_DATE),
    ROW("list", SPEC_LIST),       ROW("json", SPEC_JSON),
#undef ROW
};

static err read_type(struct compiler *compiler, json_value object, struct spec *spec)
{
    json_value value = json_get(object, STR("type"));
    if (json_kind(value) == JSON_MISSING || compiler->type_is_taken)
        return ERR_OK;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_equal(json_text(value), types[i].name)) {
            spec->type = types[i].type;
            return ERR_OK;
        }
    compile_fail(compiler, "a type that nobody knows");
    return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                        "types are text id number integer money boolean time date list json");
}

static err read_time(struct compiler *compiler, json_value object, struct spec *spec)
{
    json_value format = json_get(object, STR("format")), zone = json_get(object, STR("zone"));
    str kept;
    if (json_kind(format) != JSON_MISSING) {
        if (arena_dup(compiler->arena, json_text(format), &kept) != ERR_OK)
            return compile_nomem(compiler);
        err error = time_format_parse(kept, &spec->format, compiler->problem);
        if (error != ERR_OK)
            return problem_at(compiler->problem, error, "%s/format", compiler->place);
    }
    spec->has_zone = json_kind(zone) != JSON_MISSING;
    if (spec->has_zone && !zone_parse(json_text(zone), &spec->zone_offset_seconds)) {
        compile_fail(compiler, "a zone that nobody knows");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                            "zones are offsets as +08:00, UTC, or Asia/Shanghai");
    }
    return ERR_OK;
}

/* Texts and flags beside the source. */
static err read_rest(struct compiler *compiler, json_value object, struct spec *spec)
{
    json_value map = json_get(object, STR("map"));
    str unit = json_text(json_get(object, STR("unit")));
    str rounded = json_text(json_get(object, STR("rounded")));
    str separator = json_text(json_get(object, STR("separator")));
    if (unit.size > 0 && !str_equal(unit, STR("minor")) && !str_equal(unit, STR("major")))
        return compile_fail(compiler, "a unit of money is 'major' (yuan) or 'minor' (fen)");
    spec->minor_units = str_equal(unit, STR("minor"));
    if (rounded.size > 0 && !str_equal(rounded, STR("keep")) && !str_equal(rounded, STR("refuse")))
        return compile_fail(compiler, "'rounded' is 'keep' or 'refuse'");
    spec->keep_rounded = str_equal(rounded, STR("keep"));
    spec->required = json_bool(json_get(object, STR("required")), spec->required);
    spec->may_be_received = str_equal(json_text(json_get(object, STR("missing"))), STR("received"));
    if (separator.size > 0 && arena_dup(compiler->arena, separator, &spec->separator) != ERR_OK)
        return compile_nomem(compiler);
    if (json_kind(map) == JSON_TEXT)
        return name_lookup(compiler, json_text(map), &spec->lookup, compiler->problem);
    return json_kind(map) == JSON_MISSING ? ERR_OK
                                          : make_table(compiler, STR_NONE, map, &spec->lookup);
}

err compile_spec(struct compiler *compiler, json_value value, str label, enum spec_type type,
                 struct spec *spec)
{
    *spec = (struct spec){ .type = type, .format = { .kind = TIME_AUTO }, .separator = STR(",") };
    err error = arena_dup(compiler->arena, label, &spec->label);
    if (error != ERR_OK)
        return compile_nomem(compiler);
    switch (json_kind(value)) {
    case JSON_MISSING:
    case JSON_NULL:
        return ERR_OK;
    case JSON_TEXT:
        return compile_expression(compiler, json_text(value), &spec->node);
    case JSON_BOOL:
    case JSON_INT:
    case JSON_DOUBLE:
        return constant(compiler, value, &spec->node);
    case JSON_ARRAY:
        return compile_fail(compiler, "a value is no list (write {\"constant\": [...]})");
    case JSON_OBJECT:
        break;
    }
    error = compile_source(compiler, value, spec);
    if (error == ERR_OK)
        error = read_type(compiler, value, spec);
    if (error == ERR_OK)
        error = read_time(compiler, value, spec);
    return error == ERR_OK ? read_rest(compiler, value, spec) : error;
}

err compile_member(struct compiler *compiler, json_value object, str member, enum spec_type type,
                   struct spec *spec)
{
    size_t length = compile_enter(compiler, member);
    err error = compile_spec(compiler, json_get(object, member), member, type, spec);
    compile_leave(compiler, length);
    return error;
}

/* ---- lists of named values ---- */

/* The type of a property that everybody knows: revenue is money wherever it comes from. */
static enum spec_type known_type(str name)
{
    const struct known_property *known = known_property(name);
    if (known == NULL)
        return personal_name_is_code(name) ? SPEC_ID : SPEC_AUTO;
    switch (known->type) {
    case KNOWN_INT:
        return SPEC_INTEGER;
    case KNOWN_DECIMAL:
        return SPEC_NUMBER;
    case KNOWN_MONEY:
        return SPEC_MONEY;
    case KNOWN_BOOL:
        return SPEC_BOOLEAN;
    case KNOWN_TIME:
        return SPEC_TIME;
    case KNOWN_TEXT:
        return personal_name_is_code(name) ? SPEC_ID : SPEC_AUTO;
    case KNOWN_LIST:
    case KNOWN_OBJECT:
    default:
        return SPEC_AUTO;
    }
}

/* A price of an object is a number, as the cell has it, unless the mapping calls it money. */
static enum spec_type type_of_name(str name, enum names_of of)
{
    enum spec_type type = of == NAMES_OF_TRAITS ? SPEC_AUTO : known_type(name);
    return of == NAMES_OF_OBJECTS && type == SPEC_MONEY ? SPEC_NUMBER : type;
}

err compile_name(struct compiler *compiler, str name, str *kept, str *quoted, uint32_t *index)
{
    struct buffer text;
    if (name.size == 0 || name.size > EVENT_NAME_BYTES_MAX)
        return compile_fail(compiler, "a name has 1 to %d bytes", EVENT_NAME_BYTES_MAX);
    buffer_init(&text, 8 * EVENT_NAME_BYTES_MAX);
    json_write_text(&text, name);
    buffer_append_byte(&text, ':');
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = arena_dup(compiler->arena, buffer_str(&text), quoted);
    if (error == ERR_OK)
        error = arena_dup(compiler->arena, name, kept);
    buffer_deinit(&text);
    *index = compiler->mapping->name_count++;
    return error == ERR_OK ? ERR_OK : compile_nomem(compiler);
}

static err add_named(struct compiler *compiler, str name, json_value value, enum names_of of,
                     struct named_spec *made)
{
    err error = compile_name(compiler, name, &made->name, &made->quoted, &made->index);
    if (error != ERR_OK)
        return error;
    error = compile_spec(compiler, value, name, type_of_name(name, of), &made->spec);
    if (error == ERR_OK && made->spec.node == NULL)
        error = expression_constant(compiler->arena, value_null(), &made->spec.node);
    return error;
}

err compile_named(struct compiler *compiler, json_value object, str member, enum names_of of,
                  struct named_spec **specs, uint32_t *count)
{
    json_value list = json_get(object, member), value;
    struct json_iterator iterator = json_iterate(list);
    size_t length = compile_enter(compiler, member), total = json_count(list);
    err error = ERR_OK;
    str key;
    *count = 0;
    *specs = NULL;
    if (json_kind(list) != JSON_MISSING && json_kind(list) != JSON_ARRAY &&
        json_kind(list) != JSON_OBJECT)
        error = compile_fail(compiler, "names and values are an object or a list");
    else if (total > PROPERTIES_MAX)
        error = compile_fail(compiler, "more than %d of them", PROPERTIES_MAX);
    else if (total > 0 && (*specs = arena_array(compiler->arena, struct named_spec, total)) == NULL)
        error = compile_nomem(compiler);
    while (error == ERR_OK && *specs != NULL && json_next(&iterator, &key, &value)) {
        char number[16];
        str name = json_is_object(list) ? key : json_text(json_get(value, STR("name")));
        str step = str_from_bytes(number, (size_t)snprintf(number, sizeof number, "%u", *count));
        size_t inner = compile_enter(compiler, json_is_object(list) ? key : step);
        for (uint32_t i = 0; i < *count && error == ERR_OK; i++)
            if (str_equal((*specs)[i].name, name))
                error = compile_fail(compiler, "the name is there twice");
        if (error == ERR_OK)
            error = add_named(compiler, name, value, of, &(*specs)[*count]);
        (*count)++;
        compile_leave(compiler, inner);
    }
    compile_leave(compiler, length);
    return error;
}
