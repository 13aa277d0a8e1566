/* SPDX-License-Identifier: Apache-2.0 */
/* definition: a tag or segment and what is stored of it. */
#include <string.h>

#include "audience/state.h"

const char *cause_text(enum cause cause)
{
    static const char *const texts[] = { "event",      "fact", "time",   "merge",
                                         "definition", "hand", "recount" };
    return cause < CAUSE_COUNT ? texts[cause] : "unknown";
}

/* ---- finding ---- */

struct definition *definition_at(const struct audience *audience, uint32_t number)
{
    return number < audience->definition_count ? audience->definitions[number] : NULL;
}

struct definition *definition_find(const struct audience *audience, enum audience_kind kind,
                                   str key)
{
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        if (definition != NULL && !definition->deleted && definition->kind == kind &&
            str_equal(definition->key, key))
            return lens_shows(audience, definition) ? definition : NULL;
    }
    return NULL;
}

uint32_t audience_number(const struct audience *audience, enum audience_kind kind, str key)
{
    const struct definition *definition = definition_find(audience, kind, key);
    return definition != NULL ? definition->number : 0;
}

/* ---- life ---- */

static err dup_text(str text, str *out)
{
    char *copy = memory_alloc(text.size + 1);
    if (copy == NULL)
        return ERR_NOMEM;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    *out = str_from_bytes(copy, text.size);
    return ERR_OK;
}

static void free_text(str *text)
{
    memory_free((void *)(uintptr_t)text->data);
    *text = STR_NONE;
}

static void free_texts(struct definition *definition)
{
    free_text(&definition->name);
    free_text(&definition->folder);
    free_text(&definition->description);
    free_text(&definition->owner);
    free_text(&definition->form_name);
    memory_free(definition->text);
    definition->text = NULL;
}

void definition_storage_free(struct definition *definition)
{
    taking_free(definition);
    for (uint32_t i = 0; i < definition->set_count; i++)
        set_deinit(&definition->sets[i]);
    memory_free(definition->sets);
    definition->sets = NULL;
    definition->set_count = 0;
    numbers_deinit(&definition->numbers);
}

void definition_free(struct definition *definition)
{
    if (definition == NULL)
        return;
    recipe_release(&definition->recipe);
    recipe_release(&definition->next);
    definition_storage_free(definition);
    lexicon_free(&definition->texts);
    numbers_deinit(&definition->entered);
    numbers_deinit(&definition->given.values);
    numbers_deinit(&definition->given.at_ms);
    buffer_deinit(&definition->changes);
    free_texts(definition);
    free_text(&definition->key);
    free_text(&definition->edges);
    memory_free(definition->codes);
    memory_free(definition);
}

static err room_for(struct audience *audience, uint32_t number)
{
    if (number < audience->definition_count)
        return ERR_OK;
    struct definition **longer =
        memory_resize((void *)audience->definitions, (number + 1) * sizeof(*audience->definitions));
    if (longer == NULL)
        return ERR_NOMEM;
    memset((void *)(longer + audience->definition_count), 0,
           (number + 1 - audience->definition_count) * sizeof(*longer));
    audience->definitions = longer;
    audience->definition_count = number + 1;
    return ERR_OK;
}

err definition_new(struct audience *audience, uint32_t number, enum audience_kind kind, str key,
                   struct definition **definition)
{
    err error = room_for(audience, number);
    struct definition *made = error == ERR_OK ? memory_alloc(sizeof *made) : NULL;
    if (made == NULL)
        return ERR_NOMEM;
    made->number = number;
    made->kind = kind;
    numbers_init(&made->numbers, 1);
    numbers_init(&made->entered, 1);
    numbers_init(&made->given.values, 1);
    numbers_init(&made->given.at_ms, 1);
    buffer_init(&made->changes, (size_t)256 << 20);
    error = dup_text(key, &made->key);
    if (error == ERR_OK)
        error = lexicon_new(&made->texts,
                            kind == AUDIENCE_OBJECT_IDS ? OBJECTS_MAX : AUDIENCE_TEXT_VALUES_MAX);
    if (error != ERR_OK) {
        definition_free(made);
        return error;
    }
    audience->definitions[number] = made;
    *definition = made;
    return ERR_OK;
}

err definition_take_body(struct definition *definition, json_value body)
{
    struct buffer text;
    size_t size;
    str kind = json_text(json_get(body, STR("kind")));
    buffer_init(&text, (size_t)4 << 20);
    json_write_value(&text, body);
    err error = buffer_status(&text);
    free_texts(definition);
    if (error == ERR_OK) {
        buffer_append_byte(&text, 0);
        error = buffer_status(&text);
        definition->text = buffer_take(&text, &size);
        definition->text_size = size - 1;
    }
    buffer_deinit(&text);
    if (error == ERR_OK)
        error = dup_text(json_text(json_get(body, STR("name"))), &definition->name);
    if (error == ERR_OK)
        error = dup_text(json_text(json_get(body, STR("folder"))), &definition->folder);
    if (error == ERR_OK)
        error = dup_text(json_text(json_get(body, STR("description"))), &definition->description);
    if (error == ERR_OK)
        error = dup_text(json_text(json_get(body, STR("owner"))), &definition->owner);
    if (error == ERR_OK)
        error = dup_text(kind.size > 0 ? kind : STR("rule"), &definition->form_name);
    return error;
}

/* ---- storage ---- */

struct set *definition_set(struct definition *definition, uint32_t code)
{
    if (code > definition->set_count) {
        struct set *longer = memory_resize(definition->sets, code * sizeof(*longer));
        if (longer == NULL)
            return NULL;
        memset(longer + definition->set_count, 0, (code - definition->set_count) * sizeof(*longer));
        definition->sets = longer;
        definition->set_count = code;
    }
    return &definition->sets[code - 1];
}

int64_t definition_cell(const struct definition *definition, const struct recipe *recipe,
                        int64_t value)
{
    if (value == NO_VALUE || !recipe->in_sets || definition->kind == AUDIENCE_SEGMENT)
        return value;
    return definition->codes[value - 1];
}

/* The unit in which most values are whole: narrow chunks. */
static int64_t unit_of(const struct recipe *recipe)
{
    return recipe->kind == RULE_NUMBER ? MILLION : 1;
}

static err make_codes(struct definition *definition, const struct recipe *recipe)
{
    uint32_t *codes = memory_alloc((recipe->value_count + 1) * sizeof(*codes));
    if (codes == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < recipe->value_count; i++) {
        codes[i] = definition->kind == AUDIENCE_SEGMENT
                       ? 1
                       : lexicon_intern(definition->texts, recipe->values[i]);
        if (codes[i] == 0 || definition_set(definition, codes[i]) == NULL) {
            memory_free(codes);
            return ERR_NOMEM;
        }
    }
    memory_free(definition->codes);
    definition->codes = codes;
    return ERR_OK;
}

err definition_adopt(struct audience *audience, struct definition *definition,
                     struct recipe *recipe, uint32_t version)
{
    (void)audience;
    err error = recipe->in_sets ? make_codes(definition, recipe) : ERR_OK;
    if (error != ERR_OK)
        return error;
    if (definition->numbers.count == 0)
        definition->numbers.unit = unit_of(recipe);
    struct recipe *held = recipe_hold(recipe);
    recipe_release(&definition->recipe);
    definition->recipe = held;
    definition->live_version = version;
    return ERR_OK;
}

int64_t definition_get(const struct definition *definition, uint32_t customer)
{
    for (uint32_t i = 0; i < definition->set_count; i++)
        if (set_has(&definition->sets[i], customer))
            return i + 1;
    return numbers_get(&definition->numbers, customer);
}

/* Sets hold codes of texts and segments; everything else is a number. A text tag may have both over its
 * life: what a version does not use is empty. */
err definition_store(struct definition *definition, uint32_t customer, int64_t before,
                     int64_t value)
{
    const struct recipe *recipe =
        definition->recipe != NULL ? definition->recipe : definition->next;
    bool in_sets = recipe != NULL ? recipe->in_sets : definition->kind == AUDIENCE_SEGMENT;
    bool changed;
    err error = ERR_OK;
    if (before != NO_VALUE && before >= 1 && before <= definition->set_count &&
        set_has(&definition->sets[before - 1], customer))
        error = set_remove(&definition->sets[before - 1], customer, &changed);
    else if (before != NO_VALUE)
        error = numbers_put(&definition->numbers, customer, NO_VALUE);
    if (error != ERR_OK || value == NO_VALUE)
        return error;
    if (!in_sets)
        return numbers_put(&definition->numbers, customer, value);
    struct set *set = definition_set(definition, (uint32_t)value);
    return set != NULL ? set_add(set, customer, &changed) : ERR_NOMEM;
}

static void tell_move(struct audience *audience, const struct definition *definition,
                      const struct change *change)
{
    if (audience->config.moved == NULL || definition->on != 0 ||
        change->cause == CAUSE_DEFINITION || change->cause == CAUSE_RECOUNT)
        return;
    struct audience_move move = { .kind = definition->kind,
                                  .key = definition->key,
                                  .customer = change->customer,
                                  .was_in = change->old_value != NO_VALUE,
                                  .is_in = change->new_value != NO_VALUE,
                                  .cause = cause_text(change->cause) };
    audience->config.moved(audience->config.context, &move);
}

err definition_put(struct audience *audience, struct definition *definition, uint32_t customer,
                   int64_t value, struct audience_moment moment, enum cause cause, bool *changed)
{
    int64_t before = definition_get(definition, customer);
    *changed = before != value;
    if (!*changed)
        return ERR_OK;
    err error = definition->taking != NULL ? taking_note(audience, definition, customer) : ERR_OK;
    if (error == ERR_OK)
        error = definition_store(definition, customer, before, value);
    if (error != ERR_OK)
        return error;
    struct change change = { .customer = customer,
                             .at_ms = moment.now_ms,
                             .seq = moment.seq,
                             .cause = cause,
                             .old_value = before,
                             .new_value = value };
    tell_move(audience, definition, &change);
    return change_note(audience, definition, &change);
}

/* ---- given values: the newest over her nodes ---- */

int64_t given_value(const struct audience *audience, const struct definition *definition,
                    uint32_t customer)
{
    uint32_t nodes[1024];
    size_t count = identity_nodes(audience->config.identity, customer, nodes, 1024);
    int64_t value = NO_VALUE, newest = NO_VALUE;
    for (size_t i = 0; i < count && i < 1024; i++) {
        int64_t at_ms = numbers_get(&definition->given.at_ms, nodes[i]);
        if (at_ms == NO_VALUE || at_ms < newest)
            continue;
        newest = at_ms;
        value = numbers_get(&definition->given.values, nodes[i]);
    }
    return value;
}
