/* SPDX-License-Identifier: Apache-2.0 */
/* put: the commands that make, change and delete definitions, and give values by hand. Inside apply. */
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

#define GIVEN_AT_ONCE_MAX 100000

static err refuse(const struct audience_command *command, err error, const char *pointer,
                  const char *why)
{
    problem_set(command->problem, error, "%s", why);
    return problem_at(command->problem, error, "%s", pointer);
}

static str key_of(const struct audience_command *command)
{
    return json_text(json_get(command->body, STR("key")));
}

static bool is_key(str key)
{
    if (key.size == 0 || key.size > AUDIENCE_KEY_BYTES_MAX)
        return false;
    for (size_t i = 0; i < key.size; i++) {
        char c = key.data[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* ---- who uses whom ---- */

static const struct recipe *recipe_in_force(const struct definition *definition)
{
    return definition->next != NULL ? definition->next : definition->recipe;
}

static bool uses(const struct audience *audience, const struct recipe *recipe, uint32_t number,
                 unsigned depth)
{
    for (uint32_t i = 0; recipe != NULL && depth < 100 && i < recipe->needs.other_count; i++) {
        if (recipe->needs.others[i] == number)
            return true;
        const struct definition *other = definition_at(audience, recipe->needs.others[i]);
        if (other != NULL && uses(audience, recipe_in_force(other), number, depth + 1))
            return true;
    }
    return false;
}

bool definition_uses(const struct definition *definition, uint32_t number)
{
    const struct recipe *recipes[2] = { definition->recipe, definition->next };
    for (size_t k = 0; k < 2; k++)
        for (uint32_t i = 0; recipes[k] != NULL && i < recipes[k]->needs.other_count; i++)
            if (recipes[k]->needs.others[i] == number)
                return !definition->deleted;
    return false;
}

/* ---- put ---- */

static err settle_version(struct audience *audience, struct definition *definition,
                          struct recipe *recipe, const struct audience_command *command)
{
    err error = ERR_OK;
    recipe_release(&definition->next);
    if (definition->on != 0 && recipe->form == FORM_COUNT) {
        definition->next = recipe_hold(recipe);
        object_counts_stale(audience);
        error = object_order_make(audience); /* which types are counted is asked anew */
    } else if (definition->on == 0 && recipe->form != FORM_GIVEN) {
        definition->next = recipe_hold(recipe);
        audience->scan_wanted = true;
    } else {
        /* nothing is to be computed for everybody */
        error = definition_adopt(audience, definition, recipe, definition->version);
        if (error == ERR_OK)
            error = interest_make(audience);
        definition->stale = definition->on != 0;
        if (error == ERR_OK && definition->on != 0)
            error = object_definitions_settle(audience, command->moment, false);
    }
    if (error == ERR_OK)
        store_put_definition(definition, command->writes);
    return error;
}

static err check_put(struct audience *audience, const struct audience_command *command,
                     enum audience_kind kind, const struct definition *there,
                     const struct recipe *recipe)
{
    (void)kind;
    if (there != NULL && there->on != recipe->on)
        return refuse(command, ERR_UNPROCESSABLE, "/on",
                      "what it stands on cannot change: make another");
    if (there != NULL && uses(audience, recipe, there->number, 0))
        return refuse(command, ERR_UNPROCESSABLE, "/rule",
                      "the definition would need itself, directly or through others");
    if (audience_memory_bytes(audience) > audience->config.memory_bytes_max) {
        problem_set(command->problem, ERR_NOMEM, "tags and segments have used up their memory");
        return problem_hint(command->problem, ERR_NOMEM, "delete what is not used any more");
    }
    return ERR_OK;
}

static err new_number(struct audience *audience, const struct audience_command *command,
                      enum audience_kind kind, struct definition **definition)
{
    uint32_t number = audience->definition_count > 0 ? audience->definition_count : 1;
    if (number > AUDIENCE_DEFINITIONS_MAX)
        return refuse(command, ERR_UNPROCESSABLE, "", "there are too many tags and segments");
    err error = definition_new(audience, number, kind, key_of(command), definition);
    if (error == ERR_OK)
        (*definition)->created_ms = command->moment.now_ms;
    return error;
}

/* A snapshot is given, once: whoever is in the other segment now. */
struct snapshot {
    struct definition *definition;
    int64_t now_ms;
    err error;
};

static bool take_member(void *context, uint32_t customer)
{
    struct snapshot *snapshot = context;
    snapshot->error = numbers_put(&snapshot->definition->given.values, customer, 1);
    if (snapshot->error == ERR_OK)
        snapshot->error =
            numbers_put(&snapshot->definition->given.at_ms, customer, snapshot->now_ms);
    return snapshot->error == ERR_OK;
}

static err judge_given(struct audience *audience, struct definition *definition, uint32_t customer,
                       struct audience_moment moment, enum cause cause)
{
    struct marks marks;
    int64_t until_ms = RULE_FOREVER;
    if (definition->on != 0)
        return object_definition_judge(audience, definition, customer, moment, cause, &until_ms);
    uint32_t root = identity_root(audience->config.identity, customer);
    if (root == 0)
        return ERR_OK;
    marks_clear(&marks, marks_words(audience));
    marks_set(&marks, definition->position);
    return live_judge(audience, root, &marks, false, moment, cause);
}

static err take_snapshot(struct audience *audience, struct definition *definition,
                         const struct audience_command *command)
{
    str of = json_text(json_get(command->body, STR("of")));
    struct definition *from = definition_find(audience, AUDIENCE_SEGMENT, of);
    struct snapshot snapshot = { .definition = definition, .now_ms = command->moment.now_ms };
    if (from == NULL || from == definition || from->set_count == 0)
        return refuse(command, ERR_UNPROCESSABLE, "/of", "there is no such segment with members");
    err error = audience_settle(audience, command->moment.now_ms);
    if (error == ERR_OK)
        set_visit(&from->sets[0], 0, take_member, &snapshot);
    const struct numbers *given = &definition->given.at_ms;
    for (uint32_t block = 0; snapshot.error == ERR_OK && error == ERR_OK &&
                             block < numbers_end(given) >> GIVEN_BLOCK_BITS;
         block++) {
        bool any = false;
        for (uint32_t i = 0; i < 1u << GIVEN_BLOCK_BITS; i++) {
            uint32_t node = block << GIVEN_BLOCK_BITS | i;
            if (numbers_get(given, node) == NO_VALUE)
                continue;
            any = true;
            error = judge_given(audience, definition, node, command->moment, CAUSE_HAND);
        }
        if (any)
            store_put_given(definition, block, command->writes);
    }
    return error == ERR_OK ? snapshot.error : error;
}

static void write_answer(const struct definition *definition, struct buffer *answer)
{
    buffer_printf(answer, "{\"number\":%u,\"version\":%u,\"live\":%s}", definition->number,
                  definition->version,
                  definition->live_version == definition->version ? "true" : "false");
}

static err put(struct audience *audience, const struct audience_command *command,
               enum audience_kind kind)
{
    str key = key_of(command);
    struct recipe *recipe = NULL;
    if (!is_key(key))
        return refuse(command, ERR_UNPROCESSABLE, "/key",
                      "a key has 1 to 100 characters of a-z, 0-9, _ and -");
    struct definition *definition = definition_find(audience, kind, key);
    bool is_new = definition == NULL;
    err error = ERR_OK;
    if (objects_are_dirty(audience)) {
        error = live_finish(audience);
        if (error == ERR_OK)
            error = objects_publish(audience, command->moment);
    }
    if (error == ERR_OK)
        error = recipe_new(audience, kind, command->body, &recipe, command->problem);
    if (error == ERR_OK)
        error = check_put(audience, command, kind, definition, recipe);
    if (error == ERR_OK && is_new)
        error = new_number(audience, command, kind, &definition);
    if (error == ERR_OK && is_new)
        definition->on = recipe->on;
    if (error == ERR_OK)
        error = definition_take_body(definition, command->body);
    if (error != ERR_OK) {
        recipe_release(&recipe);
        return error;
    }
    INVARIANT(definition != NULL);
    definition->version++;
    definition->changed_ms = command->moment.now_ms;
    definition->changed_seq = command->moment.seq;
    definition->user_number = command->user_number;
    memory_free((void *)(uintptr_t)definition->edges.data);
    definition->edges = STR_NONE;
    error = settle_version(audience, definition, recipe, command);
    if (error == ERR_OK && is_new && kind == AUDIENCE_SEGMENT &&
        str_equal(definition->form_name, STR("snapshot")))
        error = take_snapshot(audience, definition, command);
    recipe_release(&recipe);
    if (error == ERR_OK)
        write_answer(definition, command->answer);
    return error;
}

err audience_put_segment(struct audience *audience, const struct audience_command *command)
{
    return put(audience, command, AUDIENCE_SEGMENT);
}

err audience_put_tag(struct audience *audience, const struct audience_command *command)
{
    return put(audience, command, AUDIENCE_TAG);
}

/* ---- delete ---- */

static err check_delete(const struct audience *audience, const struct audience_command *command,
                        const struct definition *definition)
{
    char users[200] = "";
    size_t size = 0;
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *other = audience->definitions[i];
        if (other == NULL || !definition_uses(other, definition->number))
            continue;
        int written =
            snprintf(users + size, sizeof users - size, "%s%s '" STR_FMT "'", size > 0 ? ", " : "",
                     other->kind == AUDIENCE_TAG ? "tag" : "segment", STR_ARG(other->key));
        if (written < 0 || (size_t)written >= sizeof users - size)
            break;
        size += (size_t)written;
    }
    if (size == 0)
        return ERR_OK;
    problem_set(command->problem, ERR_CONFLICT, "it is used by %s", users);
    return problem_hint(command->problem, ERR_CONFLICT, "change or delete those first");
}

static err delete (struct audience *audience, const struct audience_command *command,
                   enum audience_kind kind)
{
    struct definition *definition = definition_find(audience, kind, key_of(command));
    if (definition == NULL)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no such %s",
                           kind == AUDIENCE_TAG ? "tag" : "segment");
    err error = check_delete(audience, command, definition);
    if (error != ERR_OK)
        return error;
    error = taking_finish(audience, definition);
    if (error != ERR_OK)
        return error;
    definition->deleted = true;
    definition->changed_ms = command->moment.now_ms;
    definition->changed_seq = command->moment.seq;
    definition->user_number = command->user_number;
    recipe_release(&definition->next);
    store_put_definition(definition, command->writes);
    for (uint32_t i = 0; i < definition->set_count; i++)
        for (uint32_t chunk = 0; chunk < definition->sets[i].chunk_count; chunk++)
            ledger_delete(command->writes, LEDGER_AUDIENCE_CHUNKS,
                          (const struct ledger_value[]){ ledger_int(definition->number),
                                                         ledger_int(i + 1), ledger_int(chunk) });
    for (uint32_t chunk = 0; chunk < definition->numbers.chunk_count; chunk++)
        ledger_delete(command->writes, LEDGER_AUDIENCE_CHUNKS,
                      (const struct ledger_value[]){ ledger_int(definition->number), ledger_int(0),
                                                     ledger_int(chunk) });
    error = interest_make(audience);
    recipe_release(&definition->recipe);
    definition_storage_free(definition);
    return error;
}

err audience_delete_segment(struct audience *audience, const struct audience_command *command)
{
    return delete (audience, command, AUDIENCE_SEGMENT);
}

err audience_delete_tag(struct audience *audience, const struct audience_command *command)
{
    return delete (audience, command, AUDIENCE_TAG);
}

/* ---- given by hand, file or model ---- */

struct giving {
    struct audience *audience;
    struct definition *definition;
    const struct audience_command *command;
    roaring_bitmap_t *blocks; /* to be written */
    uint32_t changed, unknown;
};

/* At the node, with its time; what is older than what is there does not count. */
static err give(struct giving *giving, uint32_t node, int64_t value, int64_t at_ms)
{
    struct given *given = &giving->definition->given;
    bool known = node != 0 && (giving->definition->on != 0 ||
                               identity_root(giving->audience->config.identity, node) != 0);
    if (!known) {
        giving->unknown++;
        return ERR_OK;
    }
    if (numbers_get(&given->at_ms, node) > at_ms)
        return ERR_OK;
    err error = numbers_put(&given->values, node, value);
    if (error == ERR_OK)
        error = numbers_put(&given->at_ms, node, at_ms);
    if (error == ERR_OK)
        error = judge_given(giving->audience, giving->definition, node, giving->command->moment,
                            CAUSE_HAND);
    roaring_bitmap_add(giving->blocks, node >> GIVEN_BLOCK_BITS);
    giving->changed++;
    return error;
}

static err giving_begin(struct giving *giving, struct audience *audience,
                        const struct audience_command *command, enum audience_kind kind)
{
    *giving = (struct giving){ .audience = audience,
                               .command = command,
                               .definition = definition_find(audience, kind, key_of(command)) };
    if (giving->definition == NULL)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no such %s",
                           kind == AUDIENCE_TAG ? "tag" : "segment");
    if (giving->definition->recipe == NULL || giving->definition->recipe->form != FORM_GIVEN)
        return problem_set(command->problem, ERR_UNPROCESSABLE,
                           "it is computed: nothing can be put into it by hand");
    giving->blocks = roaring_bitmap_create();
    return giving->blocks != NULL ? ERR_OK : ERR_NOMEM;
}

static err giving_end(struct giving *giving, err error)
{
    roaring_uint32_iterator_t iterator;
    if (giving->blocks == NULL)
        return error;
    roaring_init_iterator(giving->blocks, &iterator);
    for (; iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        store_put_given(giving->definition, iterator.current_value, giving->command->writes);
    roaring_bitmap_free(giving->blocks);
    if (error == ERR_OK && giving->definition->on != 0)
        error = object_definitions_settle(giving->audience, giving->command->moment, false);
    if (error == ERR_OK)
        buffer_printf(giving->command->answer, "{\"changed\":%u,\"unknown\":%u}", giving->changed,
                      giving->unknown);
    return error;
}

/* The number of a customer, or the id of an object. */
static uint32_t who_is(const struct giving *giving, json_value who)
{
    int64_t number = json_int(who, 0);
    if (giving->definition->on != 0)
        return object_number(giving->audience, giving->definition->on, json_text(who));
    return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static err give_list(struct giving *giving, json_value list, int64_t value)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        error = give(giving, who_is(giving, item), value, giving->command->moment.now_ms);
    }
    return error;
}

err audience_change_members(struct audience *audience, const struct audience_command *command)
{
    struct giving giving;
    json_value add = json_get(command->body, STR("add"));
    json_value remove = json_get(command->body, STR("remove"));
    if (json_count(add) + json_count(remove) > GIVEN_AT_ONCE_MAX)
        return refuse(command, ERR_UNPROCESSABLE, "/add", "at most 100000 customers at once");
    err error = giving_begin(&giving, audience, command, AUDIENCE_SEGMENT);
    if (error == ERR_OK)
        error = give_list(&giving, add, 1);
    if (error == ERR_OK)
        error = give_list(&giving, remove, NO_VALUE);
    return giving_end(&giving, error);
}

static err value_of(const struct giving *giving, json_value item, int64_t *value)
{
    const struct recipe *recipe = giving->definition->recipe;
    json_value given = json_get(item, STR("value"));
    *value = NO_VALUE;
    if (json_kind(given) == JSON_NULL || json_kind(given) == JSON_MISSING)
        return ERR_OK;
    if (recipe->kind == RULE_TEXT && json_kind(given) == JSON_TEXT &&
        json_text(given).size <= AUDIENCE_KEY_BYTES_MAX) {
        *value = lexicon_intern(giving->definition->texts, json_text(given));
        return *value != 0 ? ERR_OK : ERR_TOO_LARGE;
    }
    if (recipe->kind == RULE_NUMBER &&
        (json_kind(given) == JSON_INT || json_kind(given) == JSON_DOUBLE) &&
        json_double(given, 0) > -9e12 && json_double(given, 0) < 9e12) {
        *value = __builtin_llround(json_double(given, 0) * (double)MILLION);
        return ERR_OK;
    }
    if (recipe->kind == RULE_BOOL && json_kind(given) == JSON_BOOL) {
        *value = json_bool(given, false);
        return ERR_OK;
    }
    if (recipe->kind == RULE_TIME && time_parse(json_text(given), 8 * 60, value))
        return ERR_OK;
    return ERR_UNPROCESSABLE;
}

/* {key, values:[{customer, value, at}]}: a value of null takes it away; `at` (RFC 3339) for dated imports. */
err audience_change_values(struct audience *audience, const struct audience_command *command)
{
    struct giving giving;
    json_value list = json_get(command->body, STR("values")), item;
    struct json_iterator iterator = json_iterate(list);
    uint32_t index = 0;
    char pointer[64];
    if (json_count(list) > GIVEN_AT_ONCE_MAX)
        return refuse(command, ERR_UNPROCESSABLE, "/values", "at most 100000 values at once");
    err error = giving_begin(&giving, audience, command, AUDIENCE_TAG);
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        int64_t value, at_ms = command->moment.now_ms;
        json_value who =
            json_get(item, giving.definition->on != 0 ? STR("object") : STR("customer"));
        str at = json_text(json_get(item, STR("at")));
        snprintf(pointer, sizeof pointer, "/values/%u/value", index++);
        if (value_of(&giving, item, &value) != ERR_OK)
            error = refuse(command, ERR_UNPROCESSABLE, pointer,
                           "the value does not fit the type of the tag");
        else if (at.size > 0 && !time_parse(at, 8 * 60, &at_ms))
            error = refuse(command, ERR_UNPROCESSABLE, pointer, "at is a time (RFC 3339)");
        else
            error = give(&giving, who_is(&giving, who), value,
                         at_ms < command->moment.now_ms ? at_ms : command->moment.now_ms);
    }
    return giving_end(&giving, error);
}
