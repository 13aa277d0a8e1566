/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for rules, written as JSON. */
#include "support/oracle_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

const struct world_name world_traits[] = {
    { "city", RULE_TEXT },     { "age", RULE_NUMBER }, { "balance", RULE_MONEY },
    { "birthday", RULE_TIME }, { "vip", RULE_BOOL },   { "interests", RULE_TEXTS },
    { "store", RULE_TEXT },    { NULL, RULE_TEXT },
};
const struct world_name world_tags[] = {
    { "skin_type", RULE_TEXT },
    { "score", RULE_NUMBER },
    { "likes", RULE_TEXTS },
    { NULL, RULE_TEXT },
};
const struct world_name world_relations[] = {
    { "adviser", RULE_TEXT },
    { "groups", RULE_TEXTS },
    { NULL, RULE_TEXT },
};
const struct world_name world_objects[] = {
    { "product.category", RULE_TEXT },
    { "product.price", RULE_MONEY },
    { "product.launched", RULE_TIME },
    { "product.tag:hot", RULE_BOOL },
    { "product.brand_id", RULE_TEXT },
    { "brand.country", RULE_TEXT },
    { "brand.owner_ids", RULE_TEXTS },
    { "owner.name", RULE_TEXT },
    { "store.city", RULE_TEXT },
    { "store.tag:service", RULE_TEXT },
    { NULL, RULE_TEXT },
};
const char *const world_object_kinds[] = { "product", "brand", "owner", "store", NULL };
const char *const world_events[] = { "Order Paid",     "Order Completed",
                                     "Order Refunded", "Order Cancelled",
                                     "Product Added",  "Product Viewed",
                                     "App Opened",     NULL };
const char *const world_segments[] = { "vip", "sleepers", NULL };
const char *const world_identifiers[] = { "mobile", "wecom_external_userid", NULL };
const char *const world_consents[] = { "sms", "email", NULL };
const char *const world_channels[] = { "sms", "wecom", NULL };
const struct world_property world_properties[] = {
    { "order_id", COLUMN_TEXT },   { "revenue", COLUMN_MONEY },
    { "total", COLUMN_MONEY },     { "quantity", COLUMN_INT },
    { "rate", COLUMN_DECIMAL },    { "gift", COLUMN_BOOL },
    { "ship_at", COLUMN_TIME },    { "city", COLUMN_TEXT },
    { "product_id", COLUMN_TEXT }, { "products.product_id", COLUMN_TEXTS },
    { "store_id", COLUMN_TEXT },   { NULL, COLUMN_INT },
};

/* ---- finding ---- */

const struct world_name *world_find(const struct world_name *names, str name)
{
    for (; names->name != NULL; names++)
        if (str_equal(name, str_from_c(names->name)))
            return names;
    return NULL;
}

const struct world_property *world_property(str path)
{
    for (const struct world_property *p = world_properties; p->path != NULL; p++)
        if (str_equal(path, str_from_c(p->path)))
            return p;
    return NULL;
}

static int place_in(const char *const *words, str word)
{
    for (int i = 0; words[i] != NULL; i++)
        if (str_equal(word, str_from_c(words[i])))
            return i;
    return -1;
}

/* ---- the catalogue ---- */

static bool symbol_in(const struct world_name *names, str name, struct rule_symbol *symbol)
{
    const struct world_name *found = world_find(names, name);
    if (found == NULL)
        return false;
    *symbol = (struct rule_symbol){ found->kind, (uint32_t)(found - names) };
    return true;
}

static bool word_in(const char *const *words, str word, struct rule_symbol *symbol)
{
    int place = place_in(words, word);
    if (place >= 0)
        *symbol = (struct rule_symbol){ RULE_BOOL, (uint32_t)place };
    return place >= 0;
}

static bool has_event(void *context, str name)
{
    (void)context;
    return place_in(world_events, name) >= 0;
}

static bool has_property(void *context, str event, str path, enum column_kind *kind)
{
    (void)context;
    const struct world_property *property = world_property(path);
    /* One that only some events have. */
    if (property == NULL || (str_equal(event, STR("App Opened")) && property->kind == COLUMN_MONEY))
        return false;
    *kind = property->kind;
    return true;
}

static bool has_trait(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    return symbol_in(world_traits, name, symbol);
}

static bool has_tag(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    return symbol_in(world_tags, name, symbol);
}

static bool has_relation(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    return symbol_in(world_relations, name, symbol);
}

static bool has_segment(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    return word_in(world_segments, name, symbol);
}

static bool has_identifier(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    return word_in(world_identifiers, name, symbol);
}

static bool has_consent(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    return word_in(world_consents, name, symbol);
}

static bool has_channel(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    return word_in(world_channels, name, symbol);
}

static bool has_object(void *context, str kind, str path, struct rule_symbol *symbol)
{
    (void)context;
    if (path.size == 0)
        return word_in(world_object_kinds, kind, symbol);
    char name[120];
    snprintf(name, sizeof(name), STR_FMT "." STR_FMT, STR_ARG(kind), STR_ARG(path));
    return symbol_in(world_objects, str_from_c(name), symbol);
}

static void offer_names(struct rule_suggestions *like, str wrong, const struct world_name *names)
{
    for (; names->name != NULL; names++)
        rule_suggestions_offer(like, wrong, str_from_c(names->name));
}

static void offer_words(struct rule_suggestions *like, str wrong, const char *const *words)
{
    for (; *words != NULL; words++)
        rule_suggestions_offer(like, wrong, str_from_c(*words));
}

static void suggest(void *context, const char *what, str wrong, struct buffer *out)
{
    (void)context;
    struct rule_suggestions like = { 0 };
    if (strcmp(what, "trait") == 0)
        offer_names(&like, wrong, world_traits);
    else if (strcmp(what, "tag") == 0)
        offer_names(&like, wrong, world_tags);
    else if (strcmp(what, "event") == 0)
        offer_words(&like, wrong, world_events);
    else if (strcmp(what, "segment") == 0)
        offer_words(&like, wrong, world_segments);
    else if (strcmp(what, "property") == 0)
        for (const struct world_property *p = world_properties; p->path != NULL; p++)
            rule_suggestions_offer(&like, wrong, str_from_c(p->path));
    rule_suggestions_write(&like, out);
}

/* ---- facts ---- */

struct her {
    struct world *world;
    size_t index;
};

static json_value customer_of(struct world *world, uint32_t number)
{
    return world_customer(world, number / WORLD_NODES_MAX - 1);
}

static bool read_value(struct world *world, json_value json, enum rule_kind kind,
                       struct rule_value *value)
{
    if (json_kind(json) == JSON_MISSING || json_kind(json) == JSON_NULL)
        return false;
    *value = (struct rule_value){ 0 };
    switch (kind) {
    case RULE_TEXT:
        value->text = json_text(json);
        return true;
    case RULE_NUMBER:
        value->number = llround(json_double(json, 0) * 1e6);
        return true;
    case RULE_BOOL:
        value->number = json_bool(json, false);
        return true;
    case RULE_TEXTS: {
        struct json_iterator iterator = json_iterate(json);
        json_value item;
        while (json_next(&iterator, NULL, &item))
            world->texts[value->text_count++] = json_text(item);
        value->texts = world->texts;
        return true;
    }
    case RULE_MONEY:
    case RULE_TIME:
    default:
        value->number = json_int(json, 0);
        return true;
    }
}

static bool fact(void *context, uint32_t customer, const char *where,
                 const struct world_name *names, uint32_t symbol, struct rule_value *value)
{
    struct world *world = context;
    json_value facts = json_get(customer_of(world, customer), str_from_c(where));
    return read_value(world, json_get(facts, str_from_c(names[symbol].name)), names[symbol].kind,
                      value);
}

static bool trait_of(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    return fact(context, customer, "traits", world_traits, symbol, value);
}

static bool tag_of(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    return fact(context, customer, "tags", world_tags, symbol, value);
}

static bool relation_of(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    return fact(context, customer, "relations", world_relations, symbol, value);
}

static bool listed(struct world *world, uint32_t customer, const char *where, const char *word)
{
    struct json_iterator iterator =
        json_iterate(json_get(customer_of(world, customer), str_from_c(where)));
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (str_equal(json_text(item), str_from_c(word)))
            return true;
    return false;
}

static bool in_segment(void *context, uint32_t customer, uint32_t symbol)
{
    return listed(context, customer, "segments", world_segments[symbol]);
}

static bool holds_identifier(void *context, uint32_t customer, uint32_t symbol)
{
    return listed(context, customer, "identifiers", world_identifiers[symbol]);
}

static bool is_reachable(void *context, uint32_t customer, uint32_t symbol)
{
    return listed(context, customer, "reachable", world_channels[symbol]);
}

static bool consent_of(void *context, uint32_t customer, uint32_t symbol, bool *granted)
{
    struct world *world = context;
    json_value consents = json_get(customer_of(world, customer), STR("consents"));
    json_value value = json_get(consents, str_from_c(world_consents[symbol]));
    *granted = json_bool(value, false);
    return json_kind(value) == JSON_BOOL;
}

static const struct rule_touch *touches_of(void *context, uint32_t customer, size_t *count)
{
    struct world *world = context;
    struct json_iterator iterator =
        json_iterate(json_get(customer_of(world, customer), STR("touches")));
    json_value item;
    *count = 0;
    while (json_next(&iterator, NULL, &item))
        world->touches[(*count)++] = (struct rule_touch){
            .time_ms = json_int(json_get(item, STR("time")), 0),
            .seq = (uint64_t)json_int(json_get(item, STR("seq")), 0),
            .journey = json_text(json_get(item, STR("journey"))),
            .channel = json_text(json_get(item, STR("channel"))),
            .status = json_text(json_get(item, STR("status"))),
        };
    return world->touches;
}

/* ---- facts of many at once ---- */

static json_value fact_json(struct world *world, enum rule_fact kind, uint32_t symbol, size_t index)
{
    json_value customer = world_customer(world, index);
    switch (kind) {
    case RULE_FACT_TRAIT:
        return json_get(json_get(customer, STR("traits")), str_from_c(world_traits[symbol].name));
    case RULE_FACT_TAG:
        return json_get(json_get(customer, STR("tags")), str_from_c(world_tags[symbol].name));
    case RULE_FACT_RELATION:
        return json_get(json_get(customer, STR("relations")),
                        str_from_c(world_relations[symbol].name));
    case RULE_FACT_CONSENT:
    case RULE_FACT_SEGMENT:
    case RULE_FACT_IDENTIFIER:
    default:
        return json_get(json_get(customer, STR("consents")), str_from_c(world_consents[symbol]));
    }
}

/* The first customer with the same value stands for all who have it. */
static int64_t cell_of(struct world *world, enum rule_fact kind, uint32_t symbol, size_t index)
{
    char texts[2][4096];
    struct buffer text;
    json_value json = fact_json(world, kind, symbol, index);
    if (json_kind(json) == JSON_MISSING || json_kind(json) == JSON_NULL)
        return RULE_NO_CELL;
    if (kind == RULE_FACT_CONSENT)
        return json_bool(json, false);
    buffer_init(&text, sizeof(texts[0]));
    for (size_t i = 0; i <= index; i++) {
        char *to = texts[i == 0 ? 0 : 1];
        buffer_clear(&text);
        json_write_value(&text, fact_json(world, kind, symbol, i == 0 ? index : i - 1));
        snprintf(to, sizeof(texts[0]), STR_FMT, STR_ARG(buffer_str(&text)));
        if (i > 0 && strcmp(texts[0], texts[1]) == 0) {
            index = i - 1;
            break;
        }
    }
    buffer_deinit(&text);
    return (int64_t)index;
}

static bool cells_of(void *context, enum rule_fact kind, uint32_t symbol, uint32_t first,
                     uint32_t count, int64_t *cells)
{
    struct world *world = context;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = first + i;
        size_t index = number / WORLD_NODES_MAX - 1;
        cells[i] = RULE_NO_CELL;
        if (number < WORLD_NODES_MAX || number % WORLD_NODES_MAX != 0 ||
            index >= world_customer_count(world))
            continue;
        if (kind == RULE_FACT_SEGMENT)
            cells[i] = in_segment(context, number, symbol) ? 1 : RULE_NO_CELL;
        else if (kind == RULE_FACT_IDENTIFIER)
            cells[i] = holds_identifier(context, number, symbol) ? 1 : RULE_NO_CELL;
        else
            cells[i] = cell_of(world, kind, symbol, index);
    }
    return true;
}

static bool value_of_cell(void *context, enum rule_fact kind, uint32_t symbol, int64_t cell,
                          struct rule_value *value)
{
    const struct world_name *names = kind == RULE_FACT_TRAIT ? world_traits
                                     : kind == RULE_FACT_TAG ? world_tags
                                                             : world_relations;
    return read_value(context, fact_json(context, kind, symbol, (size_t)cell), names[symbol].kind,
                      value);
}

/* ---- objects ---- */

static json_value all_of(void *context, uint32_t kind)
{
    return json_get(((struct world *)context)->objects, str_from_c(world_object_kinds[kind]));
}

static uint32_t thing_count(void *context, uint32_t kind)
{
    return (uint32_t)json_count(all_of(context, kind));
}

static bool nth_thing(void *context, uint32_t kind, uint32_t number, str *id, json_value *thing)
{
    struct json_iterator iterator = json_iterate(all_of(context, kind));
    while (json_next(&iterator, id, thing))
        if (number-- == 0)
            return true;
    return false;
}

static bool thing_id(void *context, uint32_t kind, uint32_t number, str *id)
{
    json_value thing;
    return nth_thing(context, kind, number, id, &thing);
}

static bool thing_value(void *context, uint32_t kind, uint32_t number, uint32_t symbol,
                        struct rule_value *value)
{
    str id;
    json_value thing;
    const char *name = strchr(world_objects[symbol].name, '.') + 1;
    return nth_thing(context, kind, number, &id, &thing) &&
           read_value(context, json_get(thing, str_from_c(name)), world_objects[symbol].kind,
                      value);
}

static uint64_t thing_version(void *context, uint32_t kind)
{
    (void)kind;
    return ((struct world *)context)->version;
}

/* ---- history ---- */

static void add_value(struct world *world, str path, json_value json, struct history_row *row,
                      struct history_value *values)
{
    const struct world_property *property = world_property(path);
    assert_non_null(property);
    struct history_value *value = &values[row->value_count++];
    *value = (struct history_value){
        .column = history_column_find(world->history, path, property->kind),
    };
    if (property->kind == COLUMN_TEXT) {
        value->text = json_text(json);
    } else if (property->kind == COLUMN_TEXTS) {
        str *texts = arena_array(&world->arena, str, json_count(json) + 1);
        struct json_iterator iterator = json_iterate(json);
        json_value item;
        while (json_next(&iterator, NULL, &item))
            texts[value->text_count++] = json_text(item);
        value->texts = texts;
    } else if (property->kind == COLUMN_DECIMAL) {
        value->number = llround(json_double(json, 0) * 1e6);
    } else if (property->kind == COLUMN_BOOL) {
        value->number = json_bool(json, false);
    } else {
        value->number = json_int(json, 0);
    }
}

bool world_is_alone(size_t index)
{
    return index % 2 == 1;
}

static void read_row(struct world *world, json_value event, uint32_t number,
                     struct history_row *row)
{
    json_value props = json_get(event, STR("props"));
    struct history_value *values =
        arena_array(&world->arena, struct history_value, json_count(props) + 1);
    *row = (struct history_row){
        .node = number + (world_is_alone(number / WORLD_NODES_MAX - 1)
                              ? 0
                              : (uint32_t)json_int(json_get(event, STR("node")), 0)),
        .seq = (uint64_t)json_int(json_get(event, STR("seq")), 0),
        .time_ms = json_int(json_get(event, STR("time")), 0),
        .type = json_text(json_get(event, STR("type"))),
        .channel = json_text(json_get(event, STR("channel"))),
        .values = values,
    };
    struct json_iterator iterator = json_iterate(props);
    str path;
    json_value json;
    while (json_next(&iterator, &path, &json))
        add_value(world, path, json, row, values);
}

struct history_row *world_rows(struct world *world, size_t index, size_t *count)
{
    json_value events = json_get(world_customer(world, index), STR("events"));
    struct history_row *rows =
        arena_array(&world->arena, struct history_row, json_count(events) + 1);
    struct json_iterator iterator = json_iterate(events);
    json_value event;
    *count = 0;
    while (json_next(&iterator, NULL, &event))
        read_row(world, event, world_number(index), &rows[(*count)++]);
    return rows;
}

static int compare_rows(const void *left, const void *right)
{
    const struct history_row *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static void load_history(struct world *world)
{
    for (const struct world_property *p = world_properties; p->path != NULL; p++) {
        history_column column;
        assert_ok(history_add_column(world->history, str_from_c(p->path), p->kind, &column, NULL));
    }
    assert_ok(history_load_begin(world->history));
    for (size_t i = 0; i < world_customer_count(world); i++) {
        size_t count;
        struct history_row *rows = world_rows(world, i, &count);
        qsort(rows, count, sizeof(*rows), compare_rows);
        for (size_t j = 0; j < count; j++)
            assert_ok(history_load_row(world->history, &rows[j]));
    }
    assert_ok(history_load_end(world->history));
    for (size_t i = 0; i < world_customer_count(world); i += 2) {
        uint32_t nodes[2 * WORLD_NODES_MAX];
        uint32_t count = 0;
        for (uint32_t j = 0; j < 2 * WORLD_NODES_MAX; j++)
            if (world_number(i) + j != world_number(i + 1))
                nodes[count++] = world_number(i) + j;
        assert_ok(history_group(world->history, nodes, count));
    }
}

/* ---- the world ---- */

void world_open(struct world *world, const struct rule_zone *zone)
{
    memset(world, 0, sizeof(*world));
    world->catalogue = (struct rule_catalogue){
        .context = world,
        .event = has_event,
        .property = has_property,
        .trait = has_trait,
        .tag = has_tag,
        .segment = has_segment,
        .identifier_type = has_identifier,
        .consent = has_consent,
        .relation = has_relation,
        .object = has_object,
        .suggest = suggest,
        .zone = zone,
        .channel = has_channel,
    };
    world->things = (struct rule_objects){
        .context = world,
        .count = thing_count,
        .id = thing_id,
        .value = thing_value,
        .version = thing_version,
    };
    world->facts = (struct rule_facts){
        .context = world,
        .trait = trait_of,
        .tag = tag_of,
        .segment = in_segment,
        .identifier = holds_identifier,
        .consent = consent_of,
        .relation = relation_of,
        .reachable = is_reachable,
        .touches = touches_of,
        .cells = cells_of,
        .cell = value_of_cell,
        .objects = &world->things,
    };
    arena_init(&world->arena, "world", (size_t)256 << 20);
    assert_ok(json_parser_new(&world->parser, (size_t)64 << 20));
    assert_ok(json_parser_new(&world->rules, (size_t)64 << 20));
    assert_ok(rule_judge_new(&world->judge));
}

static void drop_history(struct world *world)
{
    history_reader_free(&world->reader);
    history_free(&world->history);
}

void world_load(struct world *world, str json)
{
    drop_history(world);
    arena_reset(&world->arena);
    struct problem problem = { 0 };
    if (json_parse(world->parser, json, &world->root, &problem) != ERR_OK)
        fail_msg("the world is no JSON: %s", problem.detail);
    world->customers = json_get(world->root, STR("customers"));
    world->objects = json_get(world->root, STR("objects"));
    world->version++;
    struct history_config config = { .memory_bytes_max = (size_t)1 << 30 };
    assert_ok(history_new(&world->history, &config));
    world->catalogue.history = world->history;
    load_history(world);
    assert_ok(history_reader_new(&world->reader, world->history));
}

void world_close(struct world *world)
{
    rule_judge_free(&world->judge);
    drop_history(world);
    json_parser_free(&world->parser);
    json_parser_free(&world->rules);
    arena_deinit(&world->arena);
}

size_t world_customer_count(const struct world *world)
{
    return json_count(world->customers);
}

json_value world_customer(const struct world *world, size_t index)
{
    return json_at(world->customers, index);
}

uint32_t world_number(size_t index)
{
    return (uint32_t)(index + 1) * WORLD_NODES_MAX;
}

const struct rule_facts *world_facts(struct world *world, size_t index)
{
    json_value customer = world_customer(world, index);
    world->facts.entered_ms = json_int(json_get(customer, STR("entered")), INT64_MIN);
    world->facts.me = json_text(json_get(world->root, STR("me")));
    return &world->facts;
}

json_value world_json(struct world *world, str text)
{
    json_value json;
    struct problem problem = { 0 };
    if (json_parse(world->rules, text, &json, &problem) != ERR_OK)
        fail_msg("no JSON: " STR_FMT ": %s", STR_ARG(text), problem.detail);
    return json;
}

struct rule *world_rule(struct world *world, const char *json)
{
    struct rule *rule;
    struct problem problem = { 0 };
    if (rule_new(&rule, world_json(world, str_from_c(json)), &world->catalogue, &problem) != ERR_OK)
        fail_msg("%s: %s at '%s' (%s)", json, problem.detail, problem.pointer, problem.hint);
    return rule;
}

bool world_holds(struct world *world, size_t index, const char *json, int64_t now_ms)
{
    struct rule *rule = world_rule(world, json);
    struct history_view view;
    struct rule_answer answer;
    history_read_begin(world->reader);
    history_view_customer(world->reader, world_number(index), &view);
    rule_answer(world->judge, rule, world_number(index), &view, world_facts(world, index), now_ms,
                &answer);
    history_read_end(world->reader);
    assert_ok(rule_judge_status(world->judge));
    rule_free(&rule);
    return answer.holds;
}
