/* SPDX-License-Identifier: Apache-2.0 */
/* From a mapping's JSON (docs/imports.md) to what runs. */
#include <string.h>

#include "mapping/inside.h"

#define MAPPING_ARENA_BYTES ((size_t)16 << 20)
#define NULLS_MAX 64

static const char known_members[] =
    "kind name about zone currency channel nulls columns tables scripts skip key time identifiers "
    "traits tags properties objects relations lines event when events";

/* ---- words for nothing ---- */

bool mapping_is_null_word_slowly(const struct mapping *mapping, str text)
{
    for (uint32_t i = 0; i < mapping->null_count; i++)
        if (str_equal(mapping->nulls[i], text))
            return true;
    return false;
}

static err add_null(struct compiler *compiler, str word)
{
    struct mapping *mapping = compiler->mapping;
    if (word.size >= 64)
        return compile_fail(compiler, "a word for nothing has at most 63 bytes");
    if (word.size == 0)
        return ERR_OK; /* nothing is nothing */
    mapping->null_sizes |= UINT64_C(1) << word.size;
    mapping->null_firsts |= UINT64_C(1) << (word.data[0] & 63);
    return arena_dup(compiler->arena, word, &mapping->nulls[mapping->null_count++]) == ERR_OK
               ? ERR_OK
               : compile_nomem(compiler);
}

static err compile_nulls(struct compiler *compiler)
{
    static const char *const defaults[] = {
        "-",   "--",   "—",          "无",   "null", "NULL", "\\N",
        "N/A", "#N/A", "0000-00-00", "None", "nan",  "暂无", "0000-00-00 00:00:00"
    };
    json_value list = json_get(compiler->json, STR("nulls")), word;
    struct json_iterator iterator = json_iterate(list);
    size_t count = json_count(list);
    err error = ERR_OK;
    bool given = json_kind(list) == JSON_ARRAY;
    compiler->mapping->nulls = arena_array(compiler->arena, str, NULLS_MAX);
    if (compiler->mapping->nulls == NULL)
        return compile_nomem(compiler);
    if ((!given && json_kind(list) != JSON_MISSING) || count > NULLS_MAX)
        return compile_fail(compiler, "'nulls' is a list of at most %d words", NULLS_MAX);
    for (size_t i = 0; !given && i < sizeof defaults / sizeof defaults[0]; i++)
        if ((error = add_null(compiler, str_from_c(defaults[i]))) != ERR_OK)
            return error;
    while (given && error == ERR_OK && json_next(&iterator, NULL, &word))
        error = add_null(compiler, json_text(word));
    return error;
}

/* ---- identifiers ---- */

static bool is_type_name(str type)
{
    bool good = type.size > 0 && type.size <= 64;
    for (size_t i = 0; i < type.size && good; i++) {
        char c = type.data[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    }
    return good;
}

/* A namespace is most often a word, so that a text without brackets and quotes is one. */
static err compile_namespace(struct compiler *compiler, json_value entry, struct spec *spec)
{
    json_value value = json_get(entry, STR("namespace"));
    str text = json_text(value);
    if (json_kind(value) != JSON_TEXT)
        return compile_member(compiler, entry, STR("namespace"), SPEC_TEXT, spec);
    *spec = (struct spec){ .type = SPEC_TEXT, .label = STR("namespace") };
    struct value made = { .kind = VALUE_TEXT };
    if (text.size == 0)
        return ERR_OK;
    if (arena_dup(compiler->arena, text, &made.text) != ERR_OK ||
        expression_constant(compiler->arena, made, &spec->node) != ERR_OK)
        return compile_nomem(compiler);
    return ERR_OK;
}

static err compile_identifier(struct compiler *compiler, json_value entry,
                              struct identifier_spec *made)
{
    str type = json_text(json_get(entry, STR("type")));
    if (!is_type_name(type)) {
        compile_fail(compiler, "an identifier without a type that can be a name");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                            "types are user_id, mobile, member_card, or your own small letters");
    }
    if (arena_dup(compiler->arena, type, &made->type) != ERR_OK)
        return compile_nomem(compiler);
    made->verified = json_bool(json_get(entry, STR("verified")), true);
    err error =
        compile_check_members(compiler, entry,
                              "type namespace verified column constant expression value lua "
                              "map rounded required");
    if (error == ERR_OK)
        error = compile_namespace(compiler, entry, &made->namespace_);
    compiler->type_is_taken = true; /* by the identifier's own */
    if (error == ERR_OK)
        error = compile_spec(compiler, entry, type, SPEC_ID, &made->value);
    compiler->type_is_taken = false;
    return error;
}

/* Walk a list under `member`, calling `each` for its entries with the place set. */
static err each_entry(struct compiler *compiler, json_value object, str member, size_t most,
                      err (*each)(struct compiler *, json_value))
{
    json_value list = json_get(object, member), entry;
    struct json_iterator iterator = json_iterate(list);
    size_t length = compile_enter(compiler, member), index = 0;
    err error = ERR_OK;
    if (json_kind(list) != JSON_MISSING && json_kind(list) != JSON_ARRAY)
        error = compile_fail(compiler, "a list is wanted");
    else if (json_count(list) > most)
        error = compile_fail(compiler, "at most %zu of them", most);
    while (error == ERR_OK && json_next(&iterator, NULL, &entry)) {
        str number;
        if (arena_printf(compiler->arena, &number, "%zu", index++) != ERR_OK)
            return compile_nomem(compiler);
        size_t inner = compile_enter(compiler, number);
        error = json_is_object(entry) ? each(compiler, entry)
                                      : compile_fail(compiler, "an object is wanted");
        compile_leave(compiler, inner);
    }
    compile_leave(compiler, length);
    return error;
}

static err add_identifier(struct compiler *compiler, json_value entry)
{
    struct mapping *mapping = compiler->mapping;
    return compile_identifier(compiler, entry, &mapping->identifiers[mapping->identifier_count++]);
}

static err compile_identifiers(struct compiler *compiler)
{
    compiler->mapping->identifiers =
        arena_array(compiler->arena, struct identifier_spec, EVENT_IDENTIFIERS_MAX);
    if (compiler->mapping->identifiers == NULL)
        return compile_nomem(compiler);
    return each_entry(compiler, compiler->json, STR("identifiers"), EVENT_IDENTIFIERS_MAX,
                      add_identifier);
}

/* ---- outputs ---- */

/* NULL, and the problem told, when there are too many. */
static struct output *new_output(struct compiler *compiler, enum output_kind kind)
{
    struct mapping *mapping = compiler->mapping;
    if (mapping->output_count == OUTPUTS_MAX) {
        compile_fail(compiler, "a row makes more than %d events", OUTPUTS_MAX);
        return NULL;
    }
    struct output *output = &mapping->outputs[mapping->output_count++];
    *output = (struct output){ .kind = kind };
    return output;
}

/* The name of an event is most often a word: a text that is no expression stands for itself. */
static err compile_word(struct compiler *compiler, json_value object, str member, struct spec *spec)
{
    json_value value = json_get(object, member);
    str text = json_text(value);
    bool plain = json_kind(value) == JSON_TEXT && text.size > 0;
    for (size_t i = 0; i < text.size && plain; i++)
        plain = memchr("[]'\"$(", text.data[i], 6) == NULL;
    if (!plain)
        return compile_member(compiler, object, member, SPEC_TEXT, spec);
    struct value made = { .kind = VALUE_TEXT };
    *spec = (struct spec){ .type = SPEC_TEXT, .label = STR("name") };
    if (arena_dup(compiler->arena, text, &made.text) != ERR_OK ||
        arena_dup(compiler->arena, member, &spec->label) != ERR_OK ||
        expression_constant(compiler->arena, made, &spec->node) != ERR_OK)
        return compile_nomem(compiler);
    return ERR_OK;
}

/* Own time, or the mapping's; customers and objects without any are as of now. */
static err compile_time(struct compiler *compiler, json_value object, str member, struct spec *spec)
{
    err error = compile_member(compiler, object, member, SPEC_TIME, spec);
    if (error == ERR_OK && spec->node == NULL)
        error = compile_member(compiler, compiler->json, STR("time"), SPEC_TIME, spec);
    spec->type = SPEC_TIME;
    spec->required = true;
    if (error != ERR_OK || spec->node != NULL)
        return error;
    if (str_equal(compiler->mapping->kind, STR("events"))) {
        compile_fail(compiler, "events without a time");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                            "say \"time\": the column that tells when it happened");
    }
    spec->may_be_received = true;
    return expression_constant(compiler->arena, value_null(), &spec->node) == ERR_OK
               ? ERR_OK
               : compile_nomem(compiler);
}

static bool has_name(const struct named_spec *list, uint32_t count, str name)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_equal(list[i].name, name))
            return true;
    return false;
}

static bool has_money(const struct output *output)
{
    for (uint32_t i = 0; i < output->property_count; i++)
        if (output->properties[i].spec.type == SPEC_MONEY)
            return true;
    return output->has_lines;
}

static bool has_amount(const struct output *output)
{
    static const str names[] = { { "total", 5 }, { "value", 5 }, { "discount", 8 } };
    for (size_t i = 0; i < 3; i++)
        if (has_name(output->properties, output->property_count, names[i]))
            return true;
    return false;
}

static err add_currency(struct compiler *compiler, struct output *output, struct named_spec *all)
{
    struct named_spec *made = &all[output->property_count];
    if (compiler->mapping->currency.node == NULL || !has_money(output) ||
        has_name(all, output->property_count, STR("currency")))
        return ERR_OK;
    *made = (struct named_spec){ .spec = { .node = compiler->mapping->currency.node,
                                           .type = SPEC_CURRENCY,
                                           .label = STR("currency") } };
    output->property_count++;
    return compile_name(compiler, STR("currency"), &made->name, &made->quoted, &made->index);
}

/* Its own properties, and those of the mapping that it does not have itself. */
static err join_properties(struct compiler *compiler, struct output *output,
                           const struct named_spec *own, uint32_t own_count, bool shared_too)
{
    struct named_spec *shared = NULL, *all;
    uint32_t shared_count = 0;
    err error = ERR_OK;
    if (shared_too) {
        char place[sizeof compiler->place];
        memcpy(place, compiler->place, sizeof place);
        compiler->place[0] = '\0';
        error = compile_named(compiler, compiler->json, STR("properties"), NAMES_OF_EVENTS, &shared,
                              &shared_count);
        memcpy(compiler->place, place, sizeof place);
    }
    if (error != ERR_OK)
        return error;
    all = arena_array(compiler->arena, struct named_spec, (size_t)own_count + shared_count + 1);
    if (all == NULL)
        return compile_nomem(compiler);
    output->property_count = 0;
    for (uint32_t i = 0; i < shared_count; i++)
        if (!has_name(own, own_count, shared[i].name))
            all[output->property_count++] = shared[i];
    for (uint32_t i = 0; i < own_count; i++)
        all[output->property_count++] = own[i];
    output->properties = all;
    for (uint32_t i = 0; output->has_lines && i < compiler->mapping->sum_count; i++)
        if (has_name(all, output->property_count, compiler->mapping->sums[i].name) ||
            (compiler->mapping->sum_is_implied && has_amount(output)))
            output->sums_hidden |= UINT32_C(1) << i;
    return output->kind == OUTPUT_TRACK ? add_currency(compiler, output, all) : ERR_OK;
}

static err compile_properties(struct compiler *compiler, json_value object, struct output *output,
                              bool shared_too)
{
    struct named_spec *own = NULL;
    uint32_t own_count = 0;
    err error = ERR_OK;
    if (!shared_too || object.position != compiler->json.position)
        error = compile_named(compiler, object, STR("properties"),
                              output->kind == OUTPUT_TRACK ? NAMES_OF_EVENTS : NAMES_OF_OBJECTS,
                              &own, &own_count);
    for (uint32_t i = 0; i < own_count && output->kind != OUTPUT_TRACK; i++)
        own[i].spec.to_minor = own[i].spec.type == SPEC_MONEY;
    return error == ERR_OK ? join_properties(compiler, output, own, own_count, shared_too) : error;
}

static err add_track(struct compiler *compiler, json_value entry)
{
    bool top = entry.position == compiler->json.position;
    err error =
        top ? ERR_OK
            : compile_check_members(compiler, entry, "event when time properties key lines");
    if (error != ERR_OK)
        return error;
    struct output *output = new_output(compiler, OUTPUT_TRACK);
    if (output == NULL)
        return ERR_UNPROCESSABLE;
    output->has_lines =
        compiler->mapping->has_lines && (top || json_bool(json_get(entry, STR("lines")), true));
    error = compile_word(compiler, entry, STR("event"), &output->name);
    if (error == ERR_OK && output->name.node == NULL)
        error = compile_fail(compiler, "an event without its name");
    if (error == ERR_OK)
        error = compile_condition(compiler, entry, STR("when"), &output->when);
    if (error == ERR_OK)
        error = compile_time(compiler, entry, STR("time"), &output->time);
    if (error == ERR_OK && !top)
        error = compile_member(compiler, entry, STR("key"), SPEC_ID, &output->key);
    return error == ERR_OK ? compile_properties(compiler, entry, output, true) : error;
}

static err add_tag(struct compiler *compiler, json_value entry)
{
    err error = compile_check_members(compiler, entry,
                                      "key value at when type map column constant expression lua "
                                      "format zone separator");
    if (error != ERR_OK)
        return error;
    struct output *output = new_output(compiler, OUTPUT_TAG);
    if (output == NULL)
        return ERR_UNPROCESSABLE;
    error = compile_word(compiler, entry, STR("key"), &output->name);
    if (error == ERR_OK && output->name.node == NULL)
        error = compile_fail(compiler, "a tag without its key");
    if (error == ERR_OK)
        error = compile_condition(compiler, entry, STR("when"), &output->when);
    if (error == ERR_OK)
        error = compile_spec(compiler, entry, STR("tag"), SPEC_AUTO, &output->value);
    return error == ERR_OK ? compile_time(compiler, entry, STR("at"), &output->time) : error;
}

static err add_thing(struct compiler *compiler, json_value entry, enum output_kind kind)
{
    err error = compile_check_members(compiler, entry, "kind id when time properties delete key");
    if (error != ERR_OK)
        return error;
    struct output *output = new_output(compiler, kind);
    if (output == NULL)
        return ERR_UNPROCESSABLE;
    error = compile_word(compiler, entry, STR("kind"), &output->name);
    if (error == ERR_OK)
        error = compile_member(compiler, entry, STR("id"), SPEC_ID, &output->id);
    if (error == ERR_OK && (output->name.node == NULL || output->id.node == NULL))
        error = compile_fail(compiler, "an object without its kind or id");
    if (error == ERR_OK)
        error = compile_condition(compiler, entry, STR("when"), &output->when);
    if (error == ERR_OK)
        error = compile_member(compiler, entry, STR("key"), SPEC_ID, &output->key);
    if (error == ERR_OK)
        error = compile_time(compiler, entry, STR("time"), &output->time);
    output->deletes = json_bool(json_get(entry, STR("delete")), false);
    return error == ERR_OK ? compile_properties(compiler, entry, output, false) : error;
}

static err add_object(struct compiler *compiler, json_value entry)
{
    return add_thing(compiler, entry, OUTPUT_OBJECT);
}

static err add_relation(struct compiler *compiler, json_value entry)
{
    return add_thing(compiler, entry, OUTPUT_RELATION);
}

static err add_identify(struct compiler *compiler)
{
    bool customers = str_equal(compiler->mapping->kind, STR("customers"));
    err error = compile_named(compiler, compiler->json, STR("traits"), NAMES_OF_TRAITS,
                              &compiler->mapping->traits, &compiler->mapping->trait_count);
    if (error != ERR_OK || (!customers && compiler->mapping->trait_count == 0))
        return error;
    struct output *output = new_output(compiler, OUTPUT_IDENTIFY);
    if (output == NULL)
        return ERR_UNPROCESSABLE;
    if (customers)
        error = compile_condition(compiler, compiler->json, STR("when"), &output->when);
    return error == ERR_OK ? compile_time(compiler, compiler->json, STR("time"), &output->time)
                           : error;
}

static err compile_events(struct compiler *compiler)
{
    bool list = json_kind(json_get(compiler->json, STR("events"))) != JSON_MISSING;
    bool one = json_kind(json_get(compiler->json, STR("event"))) != JSON_MISSING;
    bool events = str_equal(compiler->mapping->kind, STR("events"));
    if (!events)
        return list || one ? compile_fail(compiler, "only a mapping of kind 'events' has events")
                           : ERR_OK;
    if (list == one)
        return compile_fail(compiler, "say 'event' for one event per row, or 'events' for several");
    return list ? each_entry(compiler, compiler->json, STR("events"), OUTPUTS_MAX, add_track)
                : add_track(compiler, compiler->json);
}

static err compile_outputs(struct compiler *compiler)
{
    struct mapping *mapping = compiler->mapping;
    mapping->outputs = arena_array(compiler->arena, struct output, OUTPUTS_MAX);
    if (mapping->outputs == NULL)
        return compile_nomem(compiler);
    err error = add_identify(compiler);
    if (error == ERR_OK)
        error = compile_events(compiler);
    if (error == ERR_OK)
        error = each_entry(compiler, compiler->json, STR("tags"), OUTPUTS_MAX, add_tag);
    if (error == ERR_OK)
        error = each_entry(compiler, compiler->json, STR("objects"), OUTPUTS_MAX, add_object);
    if (error == ERR_OK)
        error = each_entry(compiler, compiler->json, STR("relations"), OUTPUTS_MAX, add_relation);
    if (error == ERR_OK && mapping->output_count == 0)
        error = compile_fail(compiler, "the mapping makes nothing");
    for (uint32_t i = 0; i < mapping->output_count; i++)
        mapping->needs_identifier |= mapping->outputs[i].kind != OUTPUT_OBJECT;
    if (error == ERR_OK && mapping->needs_identifier && mapping->identifier_count == 0) {
        compile_fail(compiler, "the mapping has no identifiers");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                            "say whose events they are: \"identifiers\":[{\"type\":\"mobile\","
                            "\"column\":\"手机号\"}]");
    }
    return error;
}

/* ---- head ---- */

static err compile_head(struct compiler *compiler)
{
    struct mapping *mapping = compiler->mapping;
    json_value zone = json_get(compiler->json, STR("zone"));
    str kind = json_text(json_get(compiler->json, STR("kind")));
    if (!str_equal(kind, STR("events")) && !str_equal(kind, STR("customers")) &&
        !str_equal(kind, STR("objects")))
        return compile_fail(compiler, "the kind of a mapping is events, customers or objects");
    if (arena_dup(compiler->arena, kind, &mapping->kind) != ERR_OK)
        return compile_nomem(compiler);
    mapping->has_zone = json_kind(zone) != JSON_MISSING;
    if (mapping->has_zone && !zone_parse(json_text(zone), &mapping->zone_offset_seconds)) {
        compile_fail(compiler, "a zone that nobody knows");
        return problem_hint(compiler->problem, ERR_UNPROCESSABLE,
                            "zones are offsets as +08:00, UTC, or Asia/Shanghai");
    }
    err error = compile_condition(compiler, compiler->json, STR("skip"), &mapping->skip);
    if (error == ERR_OK)
        error = compile_member(compiler, compiler->json, STR("key"), SPEC_ID, &mapping->key);
    if (error == ERR_OK)
        error = compile_word(compiler, compiler->json, STR("channel"), &mapping->channel);
    if (error == ERR_OK)
        error = compile_word(compiler, compiler->json, STR("currency"), &mapping->currency);
    return error;
}

static err compile_all_columns(struct compiler *compiler)
{
    uint32_t slot;
    bool optional;
    err error = ERR_OK;
    for (uint32_t i = 0; compiler->all_columns && i < compiler->column_count && error == ERR_OK;
         i++) {
        optional = true;
        error = compile_slot(compiler, compiler->columns[i], &slot, &optional);
    }
    return error;
}

/* Try the scripts once: a worker of an hour later is no place to find out. */
static err check_scripts(struct compiler *compiler)
{
    struct script_desk *desk = NULL;
    if (compiler->mapping->script_count == 0)
        return ERR_OK;
    err error = script_desk_new(&desk, compiler->mapping->scripts, compiler->mapping->script_count,
                                compiler->problem);
    script_desk_free(&desk);
    return error;
}

static err compile_all(struct compiler *compiler)
{
    err error = json_is_object(compiler->json)
                    ? compile_check_members(compiler, compiler->json, known_members)
                    : compile_fail(compiler, "a mapping is an object");
    if (error == ERR_OK)
        error = compile_nulls(compiler);
    if (error == ERR_OK)
        error = compile_head(compiler);
    if (error == ERR_OK)
        error = compile_identifiers(compiler);
    if (error == ERR_OK)
        error = compile_lines(compiler, json_get(compiler->json, STR("lines")));
    if (error == ERR_OK)
        error = compile_outputs(compiler);
    if (error == ERR_OK)
        error = compile_all_columns(compiler);
    return error == ERR_OK ? check_scripts(compiler) : error;
}

static err make(struct mapping **mapping, json_value json, const str *columns, uint32_t count,
                bool columns_are_open, struct problem *problem)
{
    struct problem ignored;
    struct mapping *made = memory_alloc(sizeof *made);
    struct compiler *compiler = memory_alloc(sizeof *compiler);
    err error = made != NULL && compiler != NULL ? ERR_OK : ERR_NOMEM;
    if (made != NULL)
        arena_init(&made->arena, "mapping", MAPPING_ARENA_BYTES);
    if (error == ERR_OK) {
        made->slots = arena_array(&made->arena, struct slot, TABLE_COLUMNS_MAX);
        error = made->slots != NULL ? ERR_OK : ERR_NOMEM;
    }
    if (error == ERR_OK) {
        *compiler = (struct compiler){ .mapping = made,
                                       .arena = &made->arena,
                                       .json = json,
                                       .columns = columns,
                                       .column_count = count,
                                       .columns_are_open = columns_are_open,
                                       .problem = problem != NULL ? problem : &ignored,
                                       .tables = json_get(json, STR("tables")),
                                       .scripts = json_get(json, STR("scripts")),
                                       .aliases = json_get(json, STR("columns")) };
        compile_names_init(compiler);
        error = compile_all(compiler);
    } else {
        problem_set(problem, error, "no memory for a mapping");
    }
    memory_free(compiler);
    if (error != ERR_OK) {
        mapping_free(&made);
        return error;
    }
    *mapping = made;
    return ERR_OK;
}

err mapping_new_named(struct mapping **mapping, json_value json, const str *columns, uint32_t count,
                      struct problem *problem)
{
    return make(mapping, json, columns, count, false, problem);
}

err mapping_new_open(struct mapping **mapping, json_value json, const str *columns, uint32_t count,
                     struct problem *problem)
{
    return make(mapping, json, columns, count, true, problem);
}

void mapping_free(struct mapping **mapping)
{
    struct mapping *freed = *mapping;
    *mapping = NULL;
    if (freed == NULL)
        return;
    for (struct regex_list *entry = freed->regexes; entry != NULL; entry = entry->next)
        regex_free(&entry->regex);
    arena_deinit(&freed->arena);
    memory_free(freed);
}

bool mapping_slot_by_name(const struct mapping *mapping, str name, uint32_t *slot)
{
    for (uint32_t i = 0; i < mapping->slot_count; i++)
        if (str_equal(mapping->slots[i].name, name) ||
            (name.size > 0 && str_equal(mapping->slots[i].alias, name))) {
            *slot = i;
            return true;
        }
    return false;
}
