/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue: the world of names that a rule may use, and the facts behind them.
 *
 * Names come from the plan, the profile, the identifiers and the definitions, as they are at the record that brings
 * the rule: a replay finds the same. Symbols: a trait or consent is the number of its column, a tag or segment
 * the number of its definition, an identifier type its bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audience/state.h"

#define CATALOGUE_BYTES_MAX ((size_t)64 << 20)

/* ---- names written by other rooms, read as JSON ---- */

static json_value parse_catalogue(struct audience *audience)
{
    json_value root = { .document = NULL };
    if (buffer_status(&audience->catalogue_text) != ERR_OK ||
        json_parse(audience->catalogue_parser, buffer_str(&audience->catalogue_text), &root,
                   NULL) != ERR_OK)
        root = (json_value){ .document = NULL };
    return json_is_object(root) && json_kind(json_get(root, STR("items"))) == JSON_ARRAY
               ? json_get(root, STR("items"))
               : root;
}

static json_value read_traits(struct audience *audience)
{
    buffer_clear(&audience->catalogue_text);
    profile_write_trait_types(audience->config.profile, &audience->catalogue_text);
    return parse_catalogue(audience);
}

static json_value read_plan(struct audience *audience)
{
    buffer_clear(&audience->catalogue_text);
    plan_write_all(audience->config.plan, &audience->catalogue_text);
    return parse_catalogue(audience);
}

static json_value read_event(struct audience *audience, str name)
{
    buffer_clear(&audience->catalogue_text);
    if (plan_write_event(audience->config.plan, name, &audience->catalogue_text) != ERR_OK)
        return (json_value){ .document = NULL };
    return parse_catalogue(audience);
}

static json_value read_identifiers(struct audience *audience)
{
    buffer_clear(&audience->catalogue_text);
    identity_write_types(audience->config.identity, &audience->catalogue_text);
    return parse_catalogue(audience);
}

static json_value find_named(json_value list, str name)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (str_equal(json_text(json_get(item, STR("name"))), name))
            return item;
    return (json_value){ .document = NULL };
}

json_value catalogue_events(struct audience *audience)
{
    return read_plan(audience);
}

json_value catalogue_traits(struct audience *audience)
{
    return read_traits(audience);
}

/* ---- what rule/ asks ---- */

static bool has_event(void *context, str name)
{
    struct audience *audience = context;
    return json_is_object(read_event(audience, name)) ||
           (audience->config.history != NULL &&
            history_type_find(audience->config.history, name) != 0);
}

static const struct {
    const char *word;
    enum column_kind kind;
} property_kinds[] = {
    { "bool", COLUMN_BOOL },   { "int", COLUMN_INT },   { "decimal", COLUMN_DECIMAL },
    { "money", COLUMN_MONEY }, { "text", COLUMN_TEXT }, { "time", COLUMN_TIME },
    { "list", COLUMN_TEXTS },
};

static bool kind_of_word(str word, enum column_kind *kind)
{
    for (size_t i = 0; i < sizeof property_kinds / sizeof property_kinds[0]; i++)
        if (str_equal(word, str_from_c(property_kinds[i].word))) {
            *kind = property_kinds[i].kind;
            return true;
        }
    return false;
}

static bool property_in(json_value event, str path, enum column_kind *kind)
{
    json_value properties = json_get(event, STR("properties"));
    json_value property = find_named(properties, path);
    if (json_is_object(property)) {
        *kind = COLUMN_TEXT; /* nothing but null has come so far, or an object */
        kind_of_word(json_text(json_get(property, STR("type"))), kind);
        return true;
    }
    /* a member of each element of a list */
    size_t dot = str_find_byte(path, '.');
    if (dot == path.size)
        return false;
    property = find_named(properties, str_slice(path, 0, dot));
    *kind = COLUMN_TEXTS;
    return str_equal(json_text(json_get(property, STR("type"))), STR("list"));
}

static bool has_property(void *context, str event, str path, enum column_kind *kind)
{
    struct audience *audience = context;
    if (str_equal(path, STR("$source"))) {
        *kind = COLUMN_TEXT;
        return true;
    }
    if (str_equal(path, STR("$received"))) {
        *kind = COLUMN_TIME;
        return true;
    }
    if (event.size > 0)
        return property_in(read_event(audience, event), path, kind);
    struct json_iterator iterator = json_iterate(read_plan(audience));
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (property_in(item, path, kind))
            return true;
    return false;
}

static enum rule_kind trait_kind(str type)
{
    if (str_equal(type, STR("int")) || str_equal(type, STR("decimal")))
        return RULE_NUMBER;
    if (str_equal(type, STR("bool")))
        return RULE_BOOL;
    if (str_equal(type, STR("time")))
        return RULE_TIME;
    if (str_equal(type, STR("list")))
        return RULE_TEXTS;
    return RULE_TEXT;
}

static bool find_trait(void *context, str name, struct rule_symbol *symbol)
{
    struct audience *audience = context;
    json_value trait = find_named(read_traits(audience), name);
    if (!json_is_object(trait))
        return false;
    symbol->kind = trait_kind(json_text(json_get(trait, STR("type"))));
    symbol->number = columns_column(&audience->facts, COLUMN_TRAIT, name, symbol->kind);
    return symbol->number != 0;
}

static bool find_tag(void *context, str key, struct rule_symbol *symbol)
{
    struct definition *definition = definition_find(context, AUDIENCE_TAG, key);
    const struct recipe *recipe = definition == NULL         ? NULL
                                  : definition->next != NULL ? definition->next
                                                             : definition->recipe;
    if (recipe == NULL || definition->on != 0)
        return false;
    *symbol = (struct rule_symbol){ .kind = recipe->kind, .number = definition->number };
    return true;
}

static bool find_segment(void *context, str key, struct rule_symbol *symbol)
{
    struct definition *definition = definition_find(context, AUDIENCE_SEGMENT, key);
    if (definition == NULL || definition->on != 0)
        return false;
    *symbol = (struct rule_symbol){ .kind = RULE_BOOL, .number = definition->number };
    return true;
}

static bool find_identifier_type(void *context, str name, struct rule_symbol *symbol)
{
    struct audience *audience = context;
    if (!json_is_object(find_named(read_identifiers(audience), name)))
        return false;
    *symbol = (struct rule_symbol){ .kind = RULE_BOOL,
                                    .number = columns_identifier_bit(&audience->facts, name) };
    return symbol->number < IDENTIFIER_BITS;
}

/* Any purpose may be asked for: who was never asked has not granted it. */
static bool find_consent(void *context, str purpose, struct rule_symbol *symbol)
{
    struct audience *audience = context;
    if (purpose.size == 0 || purpose.size > 100)
        return false;
    *symbol = (struct rule_symbol){ .kind = RULE_BOOL,
                                    .number = columns_column(&audience->facts, COLUMN_CONSENT,
                                                             purpose, RULE_BOOL) };
    return symbol->number != 0;
}

/* Journeys are loaded after the definitions: what was good when it was put is good. */
static bool find_journey(void *context, str key, struct rule_symbol *symbol)
{
    struct audience *audience = context;
    const struct audience_config *config = &audience->config;
    if (config->journey == NULL || (audience->started && !config->journey(config->context, key)))
        return false;
    *symbol = (struct rule_symbol){ .kind = RULE_TIME,
                                    .number = columns_column(&audience->facts, COLUMN_JOURNEY, key,
                                                             RULE_TIME) };
    return symbol->number != 0;
}

/* A standing relation is the trait that has the other's id: `adviser` is the trait adviser_id, or adviser. */
static bool find_relation(void *context, str name, struct rule_symbol *symbol)
{
    char path[220];
    int size = snprintf(path, sizeof path, "%.*s_id", (int)(name.size < 200 ? name.size : 200),
                        name.data != NULL ? name.data : "");
    if (size > 3 && find_trait(context, str_from_bytes(path, (size_t)size), symbol))
        return true;
    return find_trait(context, name, symbol);
}

/* ---- suggestions ---- */

static void offer_list(struct rule_suggestions *like, str wrong, json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item))
        rule_suggestions_offer(like, wrong, json_text(json_get(item, STR("name"))));
}

static void offer_properties(struct rule_suggestions *like, str wrong, json_value events)
{
    struct json_iterator iterator = json_iterate(events);
    json_value item;
    while (json_next(&iterator, NULL, &item))
        offer_list(like, wrong, json_get(item, STR("properties")));
}

static void offer_definitions(const struct audience *audience, struct rule_suggestions *like,
                              str wrong, enum audience_kind kind)
{
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        const struct definition *definition = audience->definitions[i];
        if (definition != NULL && !definition->deleted && definition->kind == kind &&
            definition->on == 0 && lens_shows(audience, definition))
            rule_suggestions_offer(like, wrong, definition->key);
    }
}

struct offering {
    struct rule_suggestions *like;
    str wrong;
};

static void offer_key(void *offered, str key)
{
    const struct offering *offering = offered;
    rule_suggestions_offer(offering->like, offering->wrong, key);
}

static void offer_journeys(const struct audience *audience, struct rule_suggestions *like,
                           str wrong)
{
    struct offering offering = { like, wrong };
    if (audience->config.journeys != NULL)
        audience->config.journeys(audience->config.context, offer_key, &offering);
}

static void suggest(void *context, const char *what, str wrong, struct buffer *out)
{
    struct audience *audience = context;
    struct rule_suggestions like = { .count = 0 };
    str kind = str_from_c(what);
    if (str_equal(kind, STR("event")))
        offer_list(&like, wrong, read_plan(audience));
    else if (str_equal(kind, STR("property")))
        offer_properties(&like, wrong, read_plan(audience));
    else if (str_equal(kind, STR("trait")) || str_equal(kind, STR("relation")))
        offer_list(&like, wrong, read_traits(audience));
    else if (str_equal(kind, STR("identifier type")))
        offer_list(&like, wrong, read_identifiers(audience));
    else if (str_equal(kind, STR("tag")))
        offer_definitions(audience, &like, wrong, AUDIENCE_TAG);
    else if (str_equal(kind, STR("segment")))
        offer_definitions(audience, &like, wrong, AUDIENCE_SEGMENT);
    else if (str_equal(kind, STR("journey")))
        offer_journeys(audience, &like, wrong);
    else if (str_equal(kind, STR("channel")))
        reach_suggest(&like, wrong);
    else
        objects_suggest(audience, kind, &like, wrong);
    rule_suggestions_write(&like, out);
}

void catalogue_init(struct audience *audience)
{
    buffer_init(&audience->catalogue_text, CATALOGUE_BYTES_MAX);
    audience->catalogue = (struct rule_catalogue){ .context = audience,
                                                   .event = has_event,
                                                   .property = has_property,
                                                   .trait = find_trait,
                                                   .tag = find_tag,
                                                   .segment = find_segment,
                                                   .identifier_type = find_identifier_type,
                                                   .consent = find_consent,
                                                   .relation = find_relation,
                                                   .object = objects_find,
                                                   .suggest = suggest,
                                                   .channel = reach_find,
                                                   .journey = find_journey,
                                                   .history = audience->config.history,
                                                   .zone = audience->zone };
}

/* ---- facts, as the engine has them ---- */

static bool engine_trait(void *context, uint32_t customer, uint32_t symbol,
                         struct rule_value *value)
{
    const struct audience *audience = context;
    const struct fact_column *column = audience->facts.columns[symbol];
    return cell_value(column, cell_get(column, customer), value);
}

bool tag_value(enum rule_kind kind, const struct lexicon *texts, int64_t cell,
               struct rule_value *value)
{
    if (cell == NO_VALUE)
        return false;
    *value = (struct rule_value){ .number = cell };
    if (kind != RULE_TEXT)
        return true;
    const struct lexicon_entry *entry = lexicon_at(texts, (uint32_t)cell);
    if (entry == NULL)
        return false;
    value->text = entry->text;
    return true;
}

static bool engine_tag(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    const struct definition *tag = definition_at(context, symbol);
    if (tag == NULL || tag->recipe == NULL)
        return false;
    return tag_value(tag->recipe->kind, tag->texts, definition_get(tag, customer), value);
}

static bool engine_segment(void *context, uint32_t customer, uint32_t symbol)
{
    const struct definition *segment = definition_at(context, symbol);
    return segment != NULL && definition_get(segment, customer) != NO_VALUE;
}

static bool engine_identifier(void *context, uint32_t customer, uint32_t symbol)
{
    const struct audience *audience = context;
    int64_t mask = cell_get(audience->facts.columns[0], customer);
    return mask != NO_VALUE && (mask >> symbol & 1) != 0;
}

static bool engine_consent(void *context, uint32_t customer, uint32_t symbol, bool *granted)
{
    const struct audience *audience = context;
    int64_t cell = cell_get(audience->facts.columns[symbol], customer);
    if (cell == NO_VALUE)
        return false;
    *granted = cell != 0;
    return true;
}

static bool engine_reachable(void *context, uint32_t customer, uint32_t symbol)
{
    return reach_of(context, symbol, customer) == REACH_YES;
}

void facts_for_engine(const struct audience *audience, struct rule_facts *facts)
{
    /* Rules only read. */
    union {
        const struct audience *from;
        void *to;
    } context = { .from = audience };
    *facts = (struct rule_facts){ .context = context.to,
                                  .trait = engine_trait,
                                  .tag = engine_tag,
                                  .segment = engine_segment,
                                  .identifier = engine_identifier,
                                  .consent = engine_consent,
                                  .relation = engine_trait,
                                  .reachable = engine_reachable,
                                  .objects = &audience->objects.live,
                                  .entered = entered_for_engine,
                                  .entered_ms = INT64_MIN };
}
