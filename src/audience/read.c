/* SPDX-License-Identifier: Apache-2.0 */
/* read: definitions, members, customers as JSON. Engine thread; microseconds. */
#include <stdlib.h>
#include <string.h>

#include "audience/state.h"

/* ---- values ---- */

static void write_number(struct json_writer *writer, int64_t micro)
{
    if (micro % MILLION == 0)
        json_put_int(writer, micro / MILLION);
    else
        json_put_double(writer, (double)micro / (double)MILLION);
}

void write_cell(const struct definition *tag, int64_t cell, struct json_writer *writer)
{
    const struct lexicon_entry *entry;
    switch (tag->recipe->kind) {
    case RULE_TEXT:
    case RULE_TEXTS:
        entry = lexicon_at(tag->texts, (uint32_t)cell);
        json_put_text(writer, entry != NULL ? entry->text : STR_NONE);
        return;
    case RULE_NUMBER:
        write_number(writer, cell);
        return;
    case RULE_MONEY:
        json_put_int(writer, cell);
        return;
    case RULE_TIME:
        json_put_time(writer, cell);
        return;
    case RULE_BOOL:
        json_put_bool(writer, cell != 0);
        return;
    }
}

static bool is_shown(const struct audience *audience, const struct definition *definition,
                     enum audience_kind kind)
{
    return definition != NULL && !definition->deleted && definition->kind == kind &&
           !str_starts_with(definition->folder, STR("$")) && lens_shows(audience, definition);
}

err audience_write_customer(struct audience *audience, uint32_t customer,
                            struct json_writer *writer)
{
    struct audience_moment moment = { .seq = audience->pending_moment.seq,
                                      .now_ms = audience->now_ms };
    err error = live_settle(audience, customer, moment);
    if (error != ERR_OK)
        return error;
    json_put_key(writer, STR("tags"));
    json_begin_object(writer);
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *tag = audience->definitions[i];
        if (!is_shown(audience, tag, AUDIENCE_TAG) || tag->recipe == NULL || tag->on != 0)
            continue;
        int64_t cell = definition_get(tag, customer);
        if (cell == NO_VALUE)
            continue;
        json_put_key(writer, tag->key);
        write_cell(tag, cell, writer);
    }
    json_end_object(writer);
    json_put_key(writer, STR("segments"));
    json_begin_array(writer);
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *segment = audience->definitions[i];
        if (is_shown(audience, segment, AUDIENCE_SEGMENT) && segment->on == 0 &&
            definition_get(segment, customer) != NO_VALUE)
            json_put_text(writer, segment->key);
    }
    json_end_array(writer);
    return ERR_OK;
}

bool audience_is_of_customers(const struct audience *audience, enum audience_kind kind, str key)
{
    const struct definition *definition = definition_find(audience, kind, key);
    return is_shown(audience, definition, kind) && definition->on == 0;
}

bool audience_put_value(const struct audience *audience, str key, uint32_t customer,
                        struct json_writer *writer)
{
    const struct definition *tag = definition_find(audience, AUDIENCE_TAG, key);
    int64_t cell = is_shown(audience, tag, AUDIENCE_TAG) && tag->recipe != NULL
                       ? definition_get(tag, customer)
                       : NO_VALUE;
    if (cell != NO_VALUE)
        write_cell(tag, cell, writer);
    return cell != NO_VALUE;
}

void audience_visit_customer(struct audience *audience, uint32_t customer,
                             bool (*visit)(void *context, enum audience_kind kind, str key,
                                           str name),
                             void *context)
{
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *definition = audience->definitions[i];
        if (definition == NULL || !is_shown(audience, definition, definition->kind) ||
            definition->kind == AUDIENCE_OBJECT_IDS || definition->recipe == NULL ||
            definition->on != 0 || definition_get(definition, customer) == NO_VALUE)
            continue;
        if (!visit(context, definition->kind, definition->key, definition->name))
            return;
    }
}

/* ---- definitions ---- */

static uint64_t count_of(const struct audience *audience, const struct definition *definition)
{
    uint64_t count = lens_count_numbers(audience, definition);
    for (uint32_t i = 0; i < definition->set_count; i++)
        count += lens_count(audience, definition, &definition->sets[i]);
    return count;
}

static void write_values(const struct audience *audience, const struct definition *definition,
                         struct json_writer *writer)
{
    json_put_key(writer, STR("sizes"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < definition->set_count; i++) {
        const struct lexicon_entry *entry = lexicon_at(definition->texts, i + 1);
        json_begin_object(writer);
        json_member_text(writer, STR("value"), entry != NULL ? entry->text : STR_NONE);
        json_member_int(writer, STR("count"),
                        (int64_t)lens_count(audience, definition, &definition->sets[i]));
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_usage(const struct audience *audience, const struct definition *definition,
                        struct json_writer *writer)
{
    json_put_key(writer, STR("used_by"));
    json_begin_array(writer);
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *other = audience->definitions[i];
        if (other == NULL || !definition_uses(other, definition->number) ||
            !is_shown(audience, other, other->kind)) /* rules of journeys are told as journeys */
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("kind"),
                         other->kind == AUDIENCE_TAG ? STR("tag") : STR("segment"));
        json_member_text(writer, STR("key"), other->key);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static const char *kind_text(enum rule_kind kind)
{
    static const char *const texts[] = { "text", "number", "money", "time", "bool", "texts" };
    return texts[kind];
}

static void write_definition(const struct audience *audience, const struct definition *definition,
                             bool whole, struct json_writer *writer)
{
    const struct recipe *recipe =
        definition->recipe != NULL ? definition->recipe : definition->next;
    json_begin_object(writer);
    json_member_text(writer, STR("key"), definition->key);
    json_member_text(writer, STR("name"), definition->name);
    json_member_text(writer, STR("folder"), definition->folder);
    json_member_text(writer, STR("description"), definition->description);
    json_member_text(writer, STR("owner"), definition->owner);
    json_member_text(writer, STR("kind"), definition->form_name);
    json_member_text(writer, STR("on"),
                     definition->on != 0 ? audience->objects.kinds[definition->on]->ids->key
                                         : STR("customer"));
    json_member_text(writer, STR("value_type"),
                     recipe != NULL ? str_from_c(kind_text(recipe->kind)) : STR("text"));
    json_member_int(writer, STR("version"), definition->version);
    json_member_text(writer, STR("state"),
                     definition->live_version == definition->version ? STR("live")
                     : definition->live_version != 0                 ? STR("changing")
                                                                     : STR("computing"));
    json_member_int(writer, STR("count"), (int64_t)count_of(audience, definition));
    json_member_time(writer, STR("as_of"), live_as_of_ms(audience));
    json_member_time(writer, STR("created_at"), definition->created_ms);
    json_member_time(writer, STR("changed_at"), definition->changed_ms);
    write_usage(audience, definition, writer);
    if (definition->kind == AUDIENCE_TAG)
        write_values(audience, definition, writer);
    if (definition->edges.size > 0)
        json_member_raw(writer, STR("edges"), definition->edges);
    if (whole)
        json_member_raw(writer, STR("definition"),
                        str_from_bytes(definition->text, definition->text_size));
    json_end_object(writer);
}

err audience_write_one(struct audience *audience, enum audience_kind kind, str key,
                       struct buffer *out)
{
    const struct definition *definition = definition_find(audience, kind, key);
    struct json_writer writer;
    if (definition == NULL)
        return ERR_NOT_FOUND;
    live_settle_few(audience);
    json_writer_init(&writer, out);
    write_definition(audience, definition, true, &writer);
    return buffer_status(out);
}

static bool matches(const struct definition *definition, str folder, str query)
{
    if (folder.size > 0 && !str_equal(definition->folder, folder))
        return false;
    return query.size == 0 || str_contains(definition->key, query) ||
           str_contains(definition->name, query);
}

void audience_write_all(struct audience *audience, enum audience_kind kind, str folder, str query,
                        struct buffer *out)
{
    struct json_writer writer;
    live_settle_few(audience);
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *definition = audience->definitions[i];
        if (is_shown(audience, definition, kind) && matches(definition, folder, query))
            write_definition(audience, definition, false, &writer);
    }
    json_end_array(&writer);
}

/* ---- members ---- */

struct listing {
    const struct set *part; /* who is seen; NULL: all */
    uint32_t *customers;
    size_t limit, count;
};

static bool list_one(void *context, uint32_t customer)
{
    struct listing *listing = context;
    if (listing->part == NULL || set_has(listing->part, customer))
        listing->customers[listing->count++] = customer;
    return listing->count < listing->limit;
}

static int compare_customers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* Of several values: the first of each, and of those the first. */
static err list_all(const struct definition *definition, uint32_t after, struct listing *listing)
{
    size_t room = listing->limit * (definition->set_count + 1);
    struct listing all = { .part = listing->part,
                           .customers = memory_alloc((room + 1) * sizeof(uint32_t)) };
    if (all.customers == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < definition->set_count; i++) {
        all.limit = all.count + listing->limit;
        if (definition->sets[i].count > 0)
            set_visit(&definition->sets[i], after + 1, list_one, &all);
    }
    size_t most = all.count + listing->limit;
    for (uint32_t i = after + 1; i < numbers_end(&definition->numbers) && all.count < most; i++)
        if (numbers_get(&definition->numbers, i) != NO_VALUE &&
            (all.part == NULL || set_has(all.part, i)))
            all.customers[all.count++] = i;
    qsort(all.customers, all.count, sizeof(uint32_t), compare_customers);
    listing->count = all.count < listing->limit ? all.count : listing->limit;
    memcpy(listing->customers, all.customers, listing->count * sizeof(uint32_t));
    memory_free(all.customers);
    return ERR_OK;
}

err audience_members(struct audience *audience, enum audience_kind kind, str key, str value,
                     uint32_t after, uint32_t *customers, size_t limit, size_t *count)
{
    struct definition *definition = definition_find(audience, kind, key);
    struct listing listing = { .customers = customers, .limit = limit };
    err error = ERR_OK;
    *count = 0;
    if (definition == NULL)
        return ERR_NOT_FOUND;
    listing.part = definition->on == 0 ? lens_set(audience) : NULL;
    if (limit == 0 || after == UINT32_MAX)
        return ERR_OK;
    live_settle_few(audience);
    if (value.size == 0) {
        error = list_all(definition, after, &listing);
    } else {
        uint32_t code = lexicon_find(definition->texts, value);
        if (code != 0 && code <= definition->set_count)
            set_visit(&definition->sets[code - 1], after + 1, list_one, &listing);
        for (uint32_t i = after + 1;
             code != 0 && listing.count < limit && i < numbers_end(&definition->numbers); i++)
            if (numbers_get(&definition->numbers, i) == code)
                list_one(&listing, i);
    }
    *count = listing.count;
    return error;
}

/* ---- why ---- */

/* With all of her events: what memory lacks of them is read back. */
static err explain_recipe(struct audience *audience, const struct recipe *recipe, uint32_t customer,
                          struct verdict *verdict, struct json_writer *writer)
{
    struct history_view view;
    history_read_begin(audience->reader);
    history_view_customer(audience->reader, customer, &view);
    recipe_judge(recipe, NULL, &audience->judging, customer, &view, audience->now_ms + 1, verdict);
    bool lacks = lacked_events(audience, audience->judging.judge);
    if (!lacks)
        recipe_explain(recipe, &audience->judging, customer, &view, audience->now_ms + 1, writer);
    history_read_end(audience->reader);
    if (!lacks)
        return ERR_OK;
    err error = live_read_back(audience, customer, !view.complete, &view);
    if (error != ERR_OK)
        return error;
    recipe_judge(recipe, NULL, &audience->judging, customer, &view, audience->now_ms + 1, verdict);
    recipe_explain(recipe, &audience->judging, customer, &view, audience->now_ms + 1, writer);
    return ERR_OK;
}

err audience_explain(struct audience *audience, enum audience_kind kind, str key, uint32_t customer,
                     struct buffer *out, struct problem *problem)
{
    struct definition *definition = definition_find(audience, kind, key);
    struct json_writer writer;
    if (definition == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such %s",
                           kind == AUDIENCE_TAG ? "tag" : "segment");
    if (definition->recipe == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "it is being computed");
    if (definition->on != 0)
        return problem_set(problem, ERR_UNPROCESSABLE, "its members are objects, no customers");
    uint32_t root = identity_root(audience->config.identity, customer);
    if (root == 0 || !lens_has(audience, root))
        return problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    struct audience_moment moment = { .seq = audience->pending_moment.seq,
                                      .now_ms = audience->now_ms };
    err error = live_settle(audience, root, moment);
    if (error != ERR_OK)
        return error;
    int64_t cell = definition_get(definition, root);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_bool(&writer, STR("holds"), cell != NO_VALUE);
    json_put_key(&writer, STR("value"));
    if (cell != NO_VALUE)
        write_cell(definition, cell, &writer);
    else
        json_put_null(&writer);
    json_member_time(&writer, STR("as_of"), audience->now_ms);
    struct verdict verdict;
    error = explain_recipe(audience, definition->recipe, root, &verdict, &writer);
    json_end_object(&writer);
    return error == ERR_OK ? buffer_status(out) : error;
}

err audience_explain_rule(struct audience *audience, json_value body, uint32_t customer, str me,
                          bool *is_ready, struct buffer *out, struct problem *problem)
{
    struct recipe *recipe = NULL;
    struct json_writer writer;
    struct verdict verdict = { .value = NO_VALUE };
    uint32_t root = identity_root(audience->config.identity, customer);
    *is_ready = true;
    if (root == 0 || !lens_has(audience, root))
        return problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    if (json_kind(json_get(body, STR("rule"))) != JSON_OBJECT) {
        problem_set(problem, ERR_UNPROCESSABLE, "rule is a rule: an object");
        return problem_at(problem, ERR_UNPROCESSABLE, "/rule");
    }
    err error = recipe_new(audience, AUDIENCE_SEGMENT, body, &recipe, problem);
    if (error == ERR_OK && (recipe->on != 0 || recipe->form != FORM_RULE))
        error = problem_set(problem, ERR_UNPROCESSABLE, "only a rule of customers is explained");
    if (error == ERR_OK)
        error = recipe_prepare(audience, recipe, is_ready, problem);
    struct audience_moment moment = { .seq = audience->pending_moment.seq,
                                      .now_ms = audience->now_ms };
    if (error == ERR_OK && *is_ready)
        error = live_settle(audience, root, moment);
    if (error == ERR_OK && *is_ready) {
        audience->judging.facts.me = me;
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        error = explain_recipe(audience, recipe, root, &verdict, &writer);
        json_member_bool(&writer, STR("holds"), verdict.value != NO_VALUE);
        json_member_time(&writer, STR("as_of"), audience->now_ms);
        json_end_object(&writer);
        audience->judging.facts.me = STR_NONE;
    }
    if (!*is_ready && audience->config.wake != NULL)
        audience->config.wake(audience->config.context);
    recipe_release(&recipe);
    return error == ERR_OK ? buffer_status(out) : error;
}
