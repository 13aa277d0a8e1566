/* SPDX-License-Identifier: Apache-2.0 */
/* object: products, stores, advisers and what else there is, as rules see them.
 *
 *     object changed ─▶ dirty ──tick──▶ published: columns, definitions on objects, version
 *                                          └─▶ customers whose definitions ask objects: sweep.c
 * The props themselves are the profile's; here are the numbers of objects, and a column per property that a rule
 * names. Any thread may read a column; the engine alone writes. */
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

#define PROPS_BYTES_MAX ((size_t)4 << 20)
#define PROPERTIES_MAX 500u

/* ---- kinds ---- */

struct object_kind *objects_kind(const struct audience *audience, str name)
{
    const struct objects *objects = &audience->objects;
    for (uint32_t i = 1; i <= objects->kind_count; i++)
        if (str_equal(objects->kinds[i]->ids->key, name))
            return objects->kinds[i];
    return NULL;
}

static void free_text(str *text)
{
    memory_free((void *)(uintptr_t)text->data);
    *text = STR_NONE;
}

void object_kind_clear(struct object_kind *kind)
{
    for (uint32_t i = 0; i < kind->property_count; i++) {
        free_text(&kind->properties[i].name);
        free_text(&kind->properties[i].object);
    }
    memory_free(kind->properties);
    kind->properties = NULL;
    kind->property_count = 0;
    free_text(&kind->label);
}

static void kind_free(struct object_kind *kind)
{
    object_kind_clear(kind);
    if (kind->there != NULL)
        fact_column_free(kind->there);
    if (kind->dirty != NULL)
        roaring_bitmap_free(kind->dirty);
    memory_free(kind);
}

/* Its ids stand in a definition of their own. */
static struct object_kind *kind_over(struct audience *audience, struct definition *ids)
{
    struct objects *objects = &audience->objects;
    struct object_kind *kind =
        objects->kind_count < OBJECT_KINDS_MAX ? memory_alloc(sizeof *kind) : NULL;
    if (kind == NULL)
        return NULL;
    kind->ids = ids;
    kind->there = fact_column_new(COLUMN_OBJECT, ids->key, RULE_BOOL);
    kind->dirty = roaring_bitmap_create();
    if (kind->there == NULL || kind->dirty == NULL) {
        kind_free(kind);
        return NULL;
    }
    kind->number = ++objects->kind_count;
    atomic_init(&kind->version, 1);
    objects->kinds[kind->number] = kind;
    return kind;
}

static err give_empty_body(struct definition *ids)
{
    ids->text = memory_alloc(3);
    if (ids->text == NULL)
        return ERR_NOMEM;
    memcpy(ids->text, "{}", 3);
    ids->text_size = 2;
    return ERR_OK;
}

static struct object_kind *kind_make(struct audience *audience, str name)
{
    struct definition *ids = NULL;
    uint32_t number = audience->definition_count > 0 ? audience->definition_count : 1;
    if (audience->objects.kind_count == OBJECT_KINDS_MAX || number > AUDIENCE_DEFINITIONS_MAX ||
        definition_new(audience, number, AUDIENCE_OBJECT_IDS, name, &ids) != ERR_OK)
        return NULL;
    ids->row_dirty = true;
    ids->created_ms = ids->changed_ms = audience->now_ms;
    ids->version = ids->live_version = 1;
    return give_empty_body(ids) == ERR_OK ? kind_over(audience, ids) : NULL;
}

static struct object_kind *kind_find_or_make(struct audience *audience, str name)
{
    struct object_kind *kind = objects_kind(audience, name);
    return kind != NULL || name.size == 0 ? kind : kind_make(audience, name);
}

/* ---- numbers ---- */

static const struct object_kind *kind_at(const struct audience *audience, uint32_t number)
{
    return number >= 1 && number <= audience->objects.kind_count ? audience->objects.kinds[number]
                                                                 : NULL;
}

str object_id(const struct audience *audience, uint32_t kind, uint32_t number)
{
    const struct object_kind *of = kind_at(audience, kind);
    const struct lexicon_entry *entry = of != NULL ? lexicon_at(of->ids->texts, number) : NULL;
    return entry != NULL ? entry->text : STR_NONE;
}

uint32_t object_number(const struct audience *audience, uint32_t kind, str id)
{
    const struct object_kind *of = kind_at(audience, kind);
    return of != NULL ? lexicon_find(of->ids->texts, id) : 0;
}

uint32_t object_count(const struct audience *audience, uint32_t kind)
{
    const struct object_kind *of = kind_at(audience, kind);
    return of != NULL ? atomic_load_explicit(&of->ids->texts->count, memory_order_acquire) : 0;
}

bool object_is_there(const struct audience *audience, uint32_t kind, uint32_t number)
{
    const struct object_kind *of = kind_at(audience, kind);
    return of != NULL && cell_get(of->there, number) == 1;
}

/* ---- properties: what they are called, and what kind of value they have ---- */

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

static struct object_property *find_property(const struct object_kind *kind, str name)
{
    for (uint32_t i = 0; i < kind->property_count; i++)
        if (str_equal(kind->properties[i].name, name))
            return &kind->properties[i];
    return NULL;
}

static struct object_property *property_make(struct object_kind *kind, str name)
{
    struct object_property *there = find_property(kind, name);
    if (there != NULL || kind->property_count == PROPERTIES_MAX)
        return there;
    struct object_property *longer =
        memory_resize(kind->properties, (kind->property_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return NULL;
    kind->properties = longer;
    struct object_property *made = &longer[kind->property_count];
    *made = (struct object_property){ .kind = RULE_TEXT };
    if (dup_text(name, &made->name) != ERR_OK)
        return NULL;
    kind->property_count++;
    return made;
}

enum { SEEN_TEXT = 1, SEEN_NUMBER = 2, SEEN_BOOL = 4, SEEN_LIST = 8 };

/* Of what was not described: the kind of the values that came; of several, text. */
static enum rule_kind kind_of_seen(uint8_t seen)
{
    if (seen & SEEN_LIST)
        return RULE_TEXTS;
    if (seen == SEEN_NUMBER)
        return RULE_NUMBER;
    return seen == SEEN_BOOL ? RULE_BOOL : RULE_TEXT;
}

static void note_value(struct object_kind *kind, str name, json_value value)
{
    static const uint8_t bits[] = {
        [JSON_BOOL] = SEEN_BOOL, [JSON_INT] = SEEN_NUMBER, [JSON_DOUBLE] = SEEN_NUMBER,
        [JSON_TEXT] = SEEN_TEXT, [JSON_ARRAY] = SEEN_LIST, [JSON_OBJECT] = SEEN_TEXT
    };
    uint8_t bit = bits[json_kind(value)];
    struct object_property *property = bit != 0 ? property_make(kind, name) : NULL;
    if (property == NULL || property->declared)
        return;
    property->seen |= bit;
    property->kind = kind_of_seen(property->seen);
}

static bool kind_of_type(str type, enum rule_kind *kind)
{
    static const struct {
        const char *type;
        enum rule_kind kind;
    } types[] = { { "text", RULE_TEXT },    { "number", RULE_NUMBER }, { "money", RULE_MONEY },
                  { "boolean", RULE_BOOL }, { "time", RULE_TIME },     { "list", RULE_TEXTS },
                  { "object", RULE_TEXT } };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_equal(type, str_from_c(types[i].type))) {
            *kind = types[i].kind;
            return true;
        }
    return false;
}

err audience_object_kind(struct audience *audience, str name, json_value settings)
{
    struct object_kind *kind = kind_find_or_make(audience, name);
    struct json_iterator iterator = json_iterate(json_get(settings, STR("properties")));
    json_value described;
    str path;
    if (kind == NULL)
        return name.size > 0 ? ERR_NOMEM : ERR_OK;
    free_text(&kind->label);
    err error = dup_text(json_text(json_get(settings, STR("name"))), &kind->label);
    while (error == ERR_OK && json_next(&iterator, &path, &described)) {
        struct object_property *property = property_make(kind, path);
        if (property == NULL)
            return ERR_NOMEM;
        property->declared =
            kind_of_type(json_text(json_get(described, STR("type"))), &property->kind);
        free_text(&property->object);
        error = dup_text(json_text(json_get(described, STR("object"))), &property->object);
    }
    return error;
}

/* ---- columns ---- */

static err parse_props(struct audience *audience, str props, json_value *root)
{
    *root = (json_value){ .document = NULL };
    return props.size > 0 ? json_parse(audience->objects.parser, props, root, NULL) : ERR_OK;
}

static err read_cells(struct audience *audience, struct object_kind *kind, uint32_t number,
                      uint32_t only, bool *changed)
{
    struct objects *objects = &audience->objects;
    str props, path;
    json_value root, value;
    bool moved;
    bool there = profile_object(audience->config.profile, kind->ids->key,
                                object_id(audience, kind->number, number), &props);
    err error = parse_props(audience, props, &root);
    bool was = cell_get(kind->there, number) == 1;
    kind->count = kind->count + (there && !was) - (!there && was);
    if (error == ERR_OK)
        error = cell_put(kind->there, number, there ? 1 : NO_VALUE, &moved);
    *changed = *changed || there != was;
    struct json_iterator iterator = json_iterate(root);
    while (error == ERR_OK && only == 0 && json_next(&iterator, &path, &value))
        note_value(kind, path, value);
    for (uint32_t i = only; error == ERR_OK && i < objects->column_count; i++) {
        struct fact_column *column = objects->columns[i];
        if (i == 0 || objects->column_kinds[i] != kind->number || (only != 0 && i != only))
            continue;
        error = cell_put(column, number, cell_of(column, json_get(root, column->name)), &moved);
        *changed = *changed || moved;
    }
    return error;
}

/* A column that somebody names for the first time has the values of all objects that are published. */
static uint32_t column_make(struct audience *audience, struct object_kind *kind, str path,
                            enum rule_kind value_kind)
{
    struct objects *objects = &audience->objects;
    for (uint32_t i = 1; i < objects->column_count; i++)
        if (objects->column_kinds[i] == kind->number && objects->columns[i]->kind == value_kind &&
            str_equal(objects->columns[i]->name, path))
            return i;
    if (objects->column_count == OBJECT_COLUMNS_MAX)
        return 0;
    struct fact_column *column = fact_column_new(COLUMN_OBJECT, path, value_kind);
    if (column == NULL)
        return 0;
    uint32_t symbol = objects->column_count;
    objects->columns[symbol] = column;
    objects->column_kinds[symbol] = kind->number;
    objects->column_count++;
    uint32_t last = object_count(audience, kind->number);
    bool changed = false;
    for (uint32_t number = 1; number <= last; number++)
        if (!roaring_bitmap_contains(kind->dirty, number) &&
            read_cells(audience, kind, number, symbol, &changed) != ERR_OK)
            roaring_bitmap_add(kind->dirty, number); /* tried again when it is published */
    return symbol;
}

/* ---- what rule/ asks ---- */

static bool find_object_tag(struct audience *audience, const struct object_kind *kind, str key,
                            struct rule_symbol *symbol)
{
    const struct definition *tag = definition_find(audience, AUDIENCE_TAG, key);
    const struct recipe *recipe = tag == NULL || tag->on != kind->number ? NULL
                                  : tag->next != NULL                    ? tag->next
                                                                         : tag->recipe;
    if (recipe == NULL)
        return false;
    *symbol = (struct rule_symbol){ .kind = recipe->kind, .number = OBJECT_TAG | tag->number };
    return true;
}

bool objects_find(void *context, str name, str path, struct rule_symbol *symbol)
{
    struct audience *audience = context;
    struct object_kind *kind = objects_kind(audience, name);
    if (kind == NULL)
        return false;
    *symbol = (struct rule_symbol){ .kind = RULE_TEXT, .number = kind->number };
    if (path.size == 0)
        return true;
    if (str_starts_with(path, STR("tag:")))
        return find_object_tag(audience, kind, str_slice(path, 4, path.size), symbol);
    if (str_equal(path, STR("id")) && find_property(kind, path) == NULL)
        (void)property_make(kind, path);
    const struct object_property *property = find_property(kind, path);
    if (property == NULL)
        return false;
    symbol->kind = property->kind;
    symbol->number = column_make(audience, kind, property->name, property->kind);
    return symbol->number != 0;
}

void objects_suggest(struct audience *audience, str what, struct rule_suggestions *like, str wrong)
{
    const struct objects *objects = &audience->objects;
    str tag = STR("tag of a "), property = STR("property of a ");
    for (uint32_t i = 1; i <= objects->kind_count && str_equal(what, STR("object")); i++)
        rule_suggestions_offer(like, wrong, objects->kinds[i]->ids->key);
    if (str_starts_with(what, property)) {
        const struct object_kind *kind =
            objects_kind(audience, str_slice(what, property.size, what.size));
        for (uint32_t i = 0; kind != NULL && i < kind->property_count; i++)
            rule_suggestions_offer(like, wrong, kind->properties[i].name);
    }
    if (!str_starts_with(what, tag))
        return;
    const struct object_kind *kind = objects_kind(audience, str_slice(what, tag.size, what.size));
    str key = str_starts_with(wrong, STR("tag:")) ? str_slice(wrong, 4, wrong.size) : wrong;
    for (uint32_t i = 1; kind != NULL && i < audience->definition_count; i++) {
        const struct definition *definition = audience->definitions[i];
        if (definition != NULL && !definition->deleted && definition->kind == AUDIENCE_TAG &&
            definition->on == kind->number && lens_shows(audience, definition))
            rule_suggestions_offer(like, key, definition->key);
    }
}

static uint32_t live_count(void *context, uint32_t kind)
{
    return object_count(context, kind) + 1;
}

static bool id_of(const struct audience *audience, uint32_t kind, uint32_t number, str *id)
{
    *id = number > 0 && object_is_there(audience, kind, number) ? object_id(audience, kind, number)
                                                                : STR_NONE;
    return id->data != NULL;
}

static bool live_id(void *context, uint32_t kind, uint32_t number, str *id)
{
    return id_of(context, kind, number, id);
}

static bool column_value(const struct audience *audience, uint32_t kind, uint32_t number,
                         uint32_t symbol, struct rule_value *value)
{
    const struct fact_column *column = audience->objects.columns[symbol];
    if (cell_value(column, cell_get(column, number), value))
        return true;
    if (!str_equal(column->name, STR("id")))
        return false;
    *value = (struct rule_value){ .text = object_id(audience, kind, number) };
    return column->kind == RULE_TEXT;
}

static bool live_value(void *context, uint32_t kind, uint32_t number, uint32_t symbol,
                       struct rule_value *value)
{
    const struct audience *audience = context;
    if ((symbol & OBJECT_TAG) == 0)
        return column_value(audience, kind, number, symbol, value);
    const struct definition *tag = definition_at(audience, symbol & ~OBJECT_TAG);
    return tag != NULL && tag->recipe != NULL &&
           tag_value(tag->recipe->kind, tag->texts, definition_get(tag, number), value);
}

static uint64_t version_of(const struct audience *audience, uint32_t kind)
{
    const struct object_kind *of = kind_at(audience, kind);
    return of != NULL ? atomic_load_explicit(&of->version, memory_order_acquire) : 0;
}

static uint64_t live_version(void *context, uint32_t kind)
{
    return version_of(context, kind);
}

/* ---- the same on other threads: tags as they were when the scan began ---- */

static uint32_t scan_count(void *context, uint32_t kind)
{
    const struct scan_facts *facts = context;
    return object_count(facts->audience, kind) + 1;
}

static bool scan_id(void *context, uint32_t kind, uint32_t number, str *id)
{
    const struct scan_facts *facts = context;
    return id_of(facts->audience, kind, number, id);
}

static bool scan_value(void *context, uint32_t kind, uint32_t number, uint32_t symbol,
                       struct rule_value *value)
{
    const struct scan_facts *facts = context;
    if ((symbol & OBJECT_TAG) == 0)
        return column_value(facts->audience, kind, number, symbol, value);
    uint32_t tag = symbol & ~OBJECT_TAG;
    if (tag >= facts->others.count)
        return false;
    const struct others_item *item = &facts->others.items[tag];
    return tag_value(item->kind, item->texts, others_get(&facts->others, tag, number), value);
}

static uint64_t scan_version(void *context, uint32_t kind)
{
    const struct scan_facts *facts = context;
    return version_of(facts->audience, kind);
}

void objects_for_scan(struct scan_facts *from)
{
    from->objects = (struct rule_objects){ .context = from,
                                           .count = scan_count,
                                           .id = scan_id,
                                           .value = scan_value,
                                           .version = scan_version };
}

/* ---- changes ---- */

static err touch(struct audience *audience, str name, str id)
{
    struct object_kind *kind = kind_find_or_make(audience, name);
    if (kind == NULL)
        return audience->objects.kind_count == OBJECT_KINDS_MAX ? ERR_OK : ERR_NOMEM;
    uint32_t number = lexicon_intern(kind->ids->texts, id);
    if (number != 0)
        roaring_bitmap_add(kind->dirty, number);
    return ERR_OK;
}

err audience_object_changed(struct audience *audience, const struct event *event,
                            struct audience_moment moment)
{
    (void)moment;
    if (event->object_kind.size == 0 || event->object_id.size == 0)
        return ERR_OK;
    atomic_store(&audience->wants_tick, true);
    return touch(audience, event->object_kind, event->object_id);
}

bool objects_are_dirty(const struct audience *audience)
{
    for (uint32_t i = 1; i <= audience->objects.kind_count; i++)
        if (!roaring_bitmap_is_empty(audience->objects.kinds[i]->dirty))
            return true;
    return false;
}

static err publish_kind(struct audience *audience, struct object_kind *kind, bool *changed)
{
    roaring_uint32_iterator_t iterator;
    bool moved = false;
    err error = ERR_OK;
    roaring_init_iterator(kind->dirty, &iterator);
    for (; error == ERR_OK && iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        error = read_cells(audience, kind, iterator.current_value, 0, &moved);
    if (moved)
        atomic_fetch_add_explicit(&kind->version, 1, memory_order_release);
    *changed = *changed || moved;
    return error;
}

err objects_publish(struct audience *audience, struct audience_moment moment)
{
    struct objects *objects = &audience->objects;
    bool changed = false;
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i <= objects->kind_count; i++)
        error = publish_kind(audience, objects->kinds[i], &changed);
    if (error == ERR_OK)
        error = object_definitions_settle(audience, moment, changed);
    for (uint32_t i = 1; error == ERR_OK && i <= objects->kind_count; i++)
        roaring_bitmap_clear(objects->kinds[i]->dirty);
    return error;
}

/* ---- life ---- */

err objects_open(struct audience *audience)
{
    struct objects *objects = &audience->objects;
    objects->column_count = 1; /* a symbol is never 0 */
    objects->live = (struct rule_objects){ .context = audience,
                                           .count = live_count,
                                           .id = live_id,
                                           .value = live_value,
                                           .version = live_version };
    return json_parser_new(&objects->parser, PROPS_BYTES_MAX);
}

void objects_close(struct audience *audience)
{
    struct objects *objects = &audience->objects;
    for (uint32_t i = 1; i <= objects->kind_count; i++)
        kind_free(objects->kinds[i]);
    for (uint32_t i = 1; i < objects->column_count; i++)
        fact_column_free(objects->columns[i]);
    memory_free((void *)objects->order);
    json_parser_free(&objects->parser);
}

struct loading {
    struct audience *audience;
    err error;
};

static bool load_settings(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct audience *audience = loading->audience;
    json_value settings;
    loading->error = json_parse(audience->parser, values[1].bytes, &settings, NULL);
    if (loading->error == ERR_OK)
        loading->error = audience_object_kind(audience, values[0].bytes, settings);
    return loading->error == ERR_OK;
}

static bool load_object(void *context, str kind, str id, str props)
{
    struct loading *loading = context;
    (void)props;
    loading->error = touch(loading->audience, kind, id);
    return loading->error == ERR_OK;
}

/* All are dirty, and published at once, before any rule is made: what is stored of definitions on objects is of
 * these same objects. */
err objects_load(struct audience *audience, struct ledger *ledger, struct problem *problem)
{
    struct loading loading = { .audience = audience, .error = ERR_OK };
    bool changed = false;
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *ids = audience->definitions[i];
        if (ids != NULL && ids->kind == AUDIENCE_OBJECT_IDS && kind_over(audience, ids) == NULL)
            return ERR_NOMEM;
    }
    err error = ledger_scan(ledger, LEDGER_OBJECT_KINDS, NULL, load_settings, &loading, problem);
    if (error == ERR_OK && loading.error == ERR_OK)
        profile_objects_visit(audience->config.profile, load_object, &loading);
    if (error == ERR_OK)
        error = loading.error;
    for (uint32_t i = 1; error == ERR_OK && i <= audience->objects.kind_count; i++) {
        error = publish_kind(audience, audience->objects.kinds[i], &changed);
        roaring_bitmap_clear(audience->objects.kinds[i]->dirty);
    }
    return error;
}
