/* SPDX-License-Identifier: Apache-2.0 */
/* object_read: kinds of objects, what they lead to, and one object's tags, as JSON. Engine thread. */
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

str audience_on(const struct audience *audience, enum audience_kind kind, str key)
{
    const struct definition *definition = definition_find(audience, kind, key);
    return definition != NULL && definition->on != 0
               ? audience->objects.kinds[definition->on]->ids->key
               : STR_NONE;
}

str audience_object_id(const struct audience *audience, str kind, uint32_t number)
{
    const struct object_kind *of = objects_kind(audience, kind);
    return of != NULL ? object_id(audience, of->number, number) : STR_NONE;
}

/* ---- one object ---- */

err audience_write_object(struct audience *audience, str name, str id, struct buffer *out)
{
    const struct object_kind *kind = objects_kind(audience, name);
    uint32_t number = kind != NULL ? object_number(audience, kind->number, id) : 0;
    struct json_writer writer;
    if (number == 0 || !object_is_there(audience, kind->number, number))
        return ERR_NOT_FOUND;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("kind"), name);
    json_member_text(&writer, STR("id"), id);
    json_put_key(&writer, STR("tags"));
    json_begin_object(&writer);
    for (uint32_t i = 0; i < audience->objects.order_count; i++) {
        const struct definition *tag = audience->objects.order[i];
        int64_t cell = definition_get(tag, number);
        if (tag->kind != AUDIENCE_TAG || !lens_shows(audience, tag) || tag->on != kind->number ||
            cell == NO_VALUE)
            continue;
        json_put_key(&writer, tag->key);
        write_cell(tag, cell, &writer);
    }
    json_end_object(&writer);
    json_put_key(&writer, STR("segments"));
    json_begin_array(&writer);
    for (uint32_t i = 0; i < audience->objects.order_count; i++) {
        const struct definition *segment = audience->objects.order[i];
        if (segment->kind == AUDIENCE_SEGMENT && lens_shows(audience, segment) &&
            segment->on == kind->number && definition_get(segment, number) != NO_VALUE)
            json_put_text(&writer, segment->key);
    }
    json_end_array(&writer);
    json_member_time(&writer, STR("as_of"), live_as_of_ms(audience));
    json_end_object(&writer);
    return buffer_status(out);
}

/* ---- the catalogue ---- */

static const char *kind_text(enum rule_kind kind)
{
    static const char *const texts[] = { "text", "number", "money", "time", "bool", "texts" };
    return texts[kind];
}

/* What is called kind_id or kind_ids, or the list of products, leads to a kind. */
static const struct object_kind *leads_to(const struct audience *audience, str path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.data[i - 1] == '.') {
            path = str_slice(path, i, path.size);
            break;
        }
    for (uint32_t i = 1; i <= audience->objects.kind_count; i++) {
        str kind = audience->objects.kinds[i]->ids->key;
        str rest = str_starts_with(path, kind) ? str_slice(path, kind.size, path.size) : STR("?");
        if (str_equal(rest, STR("_id")) || str_equal(rest, STR("_ids")) || rest.size == 0)
            return audience->objects.kinds[i];
    }
    return NULL;
}

static str property_leads_to(const struct audience *audience,
                             const struct object_property *property)
{
    if (property->object.size > 0)
        return property->object;
    const struct object_kind *other = leads_to(audience, property->name);
    return other != NULL ? other->ids->key : STR_NONE;
}

static void write_properties(const struct audience *audience, const struct object_kind *kind,
                             struct json_writer *writer)
{
    json_put_key(writer, STR("properties"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < kind->property_count; i++) {
        const struct object_property *property = &kind->properties[i];
        str other = property_leads_to(audience, property);
        json_begin_object(writer);
        json_member_text(writer, STR("name"), property->name);
        json_member_text(writer, STR("type"), str_from_c(kind_text(property->kind)));
        if (other.size > 0)
            json_member_text(writer, STR("object"), other);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_definitions(const struct audience *audience, const struct object_kind *kind,
                              enum audience_kind what, str member, struct json_writer *writer)
{
    json_put_key(writer, member);
    json_begin_array(writer);
    for (uint32_t i = 0; i < audience->objects.order_count; i++) {
        const struct definition *definition = audience->objects.order[i];
        if (definition->kind != what || definition->on != kind->number ||
            !lens_shows(audience, definition))
            continue;
        json_begin_object(writer);
        json_member_text(writer, STR("key"), definition->key);
        json_member_text(writer, STR("name"), definition->name);
        json_member_text(writer, STR("type"), str_from_c(kind_text(definition->recipe->kind)));
        json_put_key(writer, STR("values"));
        json_begin_array(writer);
        for (uint32_t k = 0; definition->recipe->in_sets && what == AUDIENCE_TAG &&
                             k < definition->recipe->value_count;
             k++)
            json_put_text(writer, definition->recipe->values[k]);
        json_end_array(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

/* Properties of events and traits of customers whose name says that they have ids of this kind. */
static void write_ways(struct audience *audience, json_value list, bool of_events,
                       const struct object_kind *kind, struct json_writer *writer)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item, property;
    while (json_next(&iterator, NULL, &item)) {
        str name = json_text(json_get(item, STR("name")));
        if (!of_events) {
            if (leads_to(audience, name) == kind)
                json_put_text(writer, name);
            continue;
        }
        struct json_iterator properties = json_iterate(json_get(item, STR("properties")));
        while (json_next(&properties, NULL, &property)) {
            str path = json_text(json_get(property, STR("name")));
            bool is_list = str_equal(json_text(json_get(property, STR("type"))), STR("list"));
            char inner[200];
            int size = snprintf(
                inner, sizeof inner, "%.*s.%.*s_id", (int)str_utf8_prefix_bytes(path, 90),
                path.data, (int)str_utf8_prefix_bytes(kind->ids->key, 90), kind->ids->key.data);
            bool plain = leads_to(audience, path) == kind;
            /* "products" of an event are a list whose elements have a product_id */
            bool many = is_list && path.size == kind->ids->key.size + 1 &&
                        str_starts_with(path, kind->ids->key);
            if (!plain && !many)
                continue;
            json_begin_object(writer);
            json_member_text(writer, STR("event"), name);
            json_member_text(writer, STR("via"),
                             plain && !many ? path : str_from_bytes(inner, (size_t)size));
            json_end_object(writer);
        }
    }
}

static void write_kind(struct audience *audience, const struct object_kind *kind,
                       struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), kind->ids->key);
    json_member_text(writer, STR("name"), kind->label.size > 0 ? kind->label : kind->ids->key);
    /* objects come with everybody's events */
    json_member_int(writer, STR("count"), audience->lens_is_on ? 0 : (int64_t)kind->count);
    write_properties(audience, kind, writer);
    write_definitions(audience, kind, AUDIENCE_TAG, STR("tags"), writer);
    write_definitions(audience, kind, AUDIENCE_SEGMENT, STR("segments"), writer);
    json_put_key(writer, STR("events"));
    json_begin_array(writer);
    write_ways(audience, catalogue_events(audience), true, kind, writer);
    json_end_array(writer);
    json_put_key(writer, STR("traits"));
    json_begin_array(writer);
    write_ways(audience, catalogue_traits(audience), false, kind, writer);
    json_end_array(writer);
    json_end_object(writer);
}

/* Not of one that was described and is no more. */
static bool is_known(const struct object_kind *kind)
{
    return kind->count > 0 || kind->property_count > 0 || kind->label.size > 0;
}

static void write_channels(struct json_writer *writer)
{
    json_put_key(writer, STR("channels"));
    json_begin_array(writer);
    for (size_t i = 0; i < REACH_CHANNELS; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("channel"), reach_channel(i));
        json_member_text(writer, STR("identifier"), reach_identifier(i));
        json_end_object(writer);
    }
    json_end_array(writer);
}

void audience_write_catalogue(struct audience *audience, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("objects"));
    json_begin_array(&writer);
    for (uint32_t i = 1; i <= audience->objects.kind_count; i++)
        if (is_known(audience->objects.kinds[i]))
            write_kind(audience, audience->objects.kinds[i], &writer);
    json_end_array(&writer);
    write_channels(&writer);
    json_end_object(&writer);
}
