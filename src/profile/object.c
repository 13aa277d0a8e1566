/* SPDX-License-Identifier: Apache-2.0 */
/* object: products, stores, groups: things that events speak of, with what is said of them.
 *
 * The newest saying counts, by time. A group's traits are laid over what was known (Segment says only
 * what changed), an item is replaced (Sensors says everything). A saying that comes late fills in
 * what the newer ones left open. */
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

#define OBJECT_BYTES_MAX EVENT_BYTES_MAX
#define SLOTS_MIN 64u

static void free_text(str *text)
{
    memory_free((void *)(uintptr_t)text->data);
    *text = STR_NONE;
}

static struct object **slot_of(const struct profile *profile, str kind, str id)
{
    uint64_t hash = hash_bytes64(id.data, id.size, hash_bytes64(kind.data, kind.size, 0));
    struct object **at = &profile->objects[hash & (profile->object_slots - 1)];
    while (*at != NULL && !(str_equal((*at)->kind, kind) && str_equal((*at)->id, id)))
        at = &(*at)->next;
    return at;
}

static bool grow(struct profile *profile)
{
    uint32_t old_slots = profile->object_slots;
    struct object **old = profile->objects;
    uint32_t slots = old_slots == 0 ? SLOTS_MIN : old_slots * 2;
    struct object **objects = memory_alloc(slots * sizeof(struct object *));
    if (objects == NULL)
        return false;
    profile->objects = objects;
    profile->object_slots = slots;
    for (uint32_t i = 0; i < old_slots; i++) {
        while (old[i] != NULL) {
            struct object *object = old[i];
            old[i] = object->next;
            object->next = NULL;
            *slot_of(profile, object->kind, object->id) = object;
        }
    }
    memory_free(old);
    return true;
}

static struct object *find_or_make(struct profile *profile, str kind, str id)
{
    if (profile->object_count >= profile->object_slots && !grow(profile))
        return NULL;
    struct object **slot = slot_of(profile, kind, id);
    if (*slot != NULL)
        return *slot;
    struct object *object = memory_alloc(sizeof(*object) + kind.size + id.size);
    if (object == NULL)
        return NULL;
    char *text = (char *)(object + 1);
    if (kind.size > 0)
        memcpy(text, kind.data, kind.size);
    if (id.size > 0)
        memcpy(text + kind.size, id.data, id.size);
    object->kind = str_from_bytes(text, kind.size);
    object->id = str_from_bytes(text + kind.size, id.size);
    object->updated_ms = object->deleted_ms = INT64_MIN;
    profile->object_count++;
    profile->object_bytes += sizeof(*object) + kind.size + id.size;
    *slot = object;
    return object;
}

static err set_props(struct profile *profile, struct object *object, struct buffer *props)
{
    size_t size;
    err error = buffer_status(props);
    if (error != ERR_OK)
        return error;
    char *bytes = buffer_take(props, &size);
    profile->object_bytes += size - object->props.size;
    free_text(&object->props);
    object->props = str_from_bytes(bytes, size);
    return ERR_OK;
}

static bool has_trait(const struct event *event, str name)
{
    for (uint32_t i = 0; i < event->trait_count; i++) {
        if (event->traits[i].operation != TRAIT_UNSET && str_equal(event->traits[i].name, name))
            return true;
    }
    return false;
}

/* Members of `props` that `event` does not say. */
static err write_known(struct profile *profile, struct json_writer *writer, str props,
                       const struct event *event)
{
    json_value root, value;
    str key;
    if (props.size == 0)
        return ERR_OK;
    err error = json_parse(profile->parser, props, &root, NULL);
    if (error != ERR_OK)
        return error;
    struct json_iterator iterator = json_iterate(root);
    while (json_next(&iterator, &key, &value)) {
        if (event != NULL && has_trait(event, key))
            continue;
        json_put_key(writer, key);
        struct buffer *text = &profile->scratch->text;
        buffer_clear(text);
        json_write_value(text, value);
        json_put_raw(writer, buffer_str(text));
    }
    return ERR_OK;
}

/* What the event says; beneath what is known already when it comes late. */
static err write_said(struct profile *profile, struct json_writer *writer,
                      const struct event *event, str known)
{
    json_value root = { .document = NULL };
    if (known.size > 0) {
        err error = json_parse(profile->parser, known, &root, NULL);
        if (error != ERR_OK)
            return error;
    }
    for (uint32_t i = 0; i < event->trait_count; i++) {
        const struct event_trait *trait = &event->traits[i];
        if (trait->operation == TRAIT_UNSET || trait->value.size == 0)
            continue;
        if (known.size > 0 && json_kind(json_get(root, trait->name)) != JSON_MISSING)
            continue;
        json_put_key(writer, trait->name);
        json_put_raw(writer, trait->value);
    }
    return ERR_OK;
}

static err write_props(struct profile *profile, const struct object *object,
                       const struct event *event, struct buffer *out)
{
    struct json_writer writer;
    bool late = event->time_ms < object->updated_ms;
    bool replaces = event->kind == EVENT_OBJECT && !late;
    err error = ERR_OK;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (event->trait_count == 0 && event->kind == EVENT_OBJECT && !late && event->props.size > 0) {
        error = write_known(profile, &writer, event->props, NULL);
    } else if (late) {
        error = write_known(profile, &writer, object->props, NULL);
        if (error == ERR_OK)
            error = write_said(profile, &writer, event, object->props);
    } else {
        if (!replaces)
            error = write_known(profile, &writer, object->props, event);
        if (error == ERR_OK)
            error = write_said(profile, &writer, event, STR_NONE);
    }
    json_end_object(&writer);
    return error;
}

static void put(const struct object *object, struct ledger_writes *writes)
{
    if (writes == NULL)
        return;
    bool deleted = object->deleted_ms != INT64_MIN && object->deleted_ms >= object->updated_ms;
    LEDGER_PUT(writes, LEDGER_OBJECTS, ledger_text(object->kind), ledger_text(object->id),
               ledger_text(deleted ? STR("{}") : object->props), ledger_int(object->updated_ms),
               ledger_int(object->deleted_ms), ledger_int(object->source));
}

/* What it was before an import changed it, for when that is taken back. */
static void note_teller(struct object *object, const struct event *event,
                        struct ledger_writes *writes)
{
    uint32_t teller = event_source_is_import(event->source_number) ? event->source_number : 0;
    if (teller != 0 && object->source != teller && writes != NULL)
        LEDGER_PUT(writes, LEDGER_OBJECTS_BEFORE, ledger_int(teller), ledger_text(object->kind),
                   ledger_text(object->id),
                   object->props.data != NULL ? ledger_text(object->props) : ledger_null(),
                   ledger_int(object->updated_ms), ledger_int(object->deleted_ms));
    object->source = teller;
}

err profile_restore_object(struct profile *profile, str kind, str id, uint32_t source, str props,
                           int64_t updated_ms, int64_t deleted_ms, struct ledger_writes *writes)
{
    struct object *object = find_or_make(profile, kind, id);
    if (object == NULL)
        return ERR_NOMEM;
    if (object->source != source)
        return ERR_OK; /* somebody else has said something of it since */
    profile->object_bytes -= object->props.size;
    free_text(&object->props);
    object->source = 0;
    /* Not there before: deleted, at the time of what is taken back. */
    if (props.size == 0 && deleted_ms < object->updated_ms) {
        object->deleted_ms = object->updated_ms;
        put(object, writes);
        return ERR_OK;
    }
    err error = object_load(profile, kind, id, props, updated_ms, deleted_ms, 0);
    if (error == ERR_OK)
        put(object, writes);
    return error;
}

err object_apply(struct profile *profile, const struct event *event, struct ledger_writes *writes)
{
    if (event->object_kind.size == 0 || event->object_id.size == 0)
        return ERR_OK;
    struct object *object = find_or_make(profile, event->object_kind, event->object_id);
    if (object == NULL)
        return ERR_NOMEM;
    if ((event->flags & EVENT_DELETE) != 0) {
        note_teller(object, event, writes);
        if (event->time_ms > object->deleted_ms)
            object->deleted_ms = event->time_ms;
        if (object->props.data == NULL || object->deleted_ms >= object->updated_ms)
            free_text(&object->props);
        put(object, writes);
        return ERR_OK;
    }
    /* What was deleted later stays so. */
    if (event->time_ms <= object->deleted_ms)
        return ERR_OK;
    struct buffer props;
    buffer_init(&props, OBJECT_BYTES_MAX);
    err error = write_props(profile, object, event, &props);
    if (error == ERR_OK)
        error = buffer_status(&props);
    if (error == ERR_OK)
        note_teller(object, event, writes);
    if (error == ERR_OK)
        error = set_props(profile, object, &props);
    buffer_deinit(&props);
    if (error == ERR_TOO_LARGE)
        return ERR_OK; /* as it was: one event cannot say more than its own size */
    if (error != ERR_OK)
        return error;
    if (event->time_ms > object->updated_ms)
        object->updated_ms = event->time_ms;
    put(object, writes);
    return ERR_OK;
}

err object_load(struct profile *profile, str kind, str id, str props, int64_t updated_ms,
                int64_t deleted_ms, uint32_t source)
{
    struct object *object = find_or_make(profile, kind, id);
    char *copy = memory_alloc(props.size + 1);
    if (object == NULL || copy == NULL) {
        memory_free(copy);
        return ERR_NOMEM;
    }
    if (props.size > 0)
        memcpy(copy, props.data, props.size);
    object->props = str_from_bytes(copy, props.size);
    profile->object_bytes += props.size;
    object->updated_ms = updated_ms;
    object->deleted_ms = deleted_ms;
    object->source = source;
    if (deleted_ms >= updated_ms)
        free_text(&object->props);
    return ERR_OK;
}

static bool is_there(const struct object *object)
{
    return object->updated_ms != INT64_MIN && object->deleted_ms < object->updated_ms;
}

bool profile_object(const struct profile *profile, str kind, str id, str *props)
{
    const struct object *object = profile->object_slots > 0 ? *slot_of(profile, kind, id) : NULL;
    *props = STR_NONE;
    if (object == NULL || !is_there(object))
        return false;
    *props = object->props;
    return true;
}

void profile_objects_visit(const struct profile *profile,
                           bool (*visit)(void *context, str kind, str id, str props), void *context)
{
    for (uint32_t i = 0; i < profile->object_slots; i++)
        for (const struct object *object = profile->objects[i]; object != NULL;
             object = object->next)
            if (is_there(object) && !visit(context, object->kind, object->id, object->props))
                return;
}

void objects_deinit(struct profile *profile)
{
    for (uint32_t i = 0; i < profile->object_slots; i++) {
        while (profile->objects[i] != NULL) {
            struct object *object = profile->objects[i];
            profile->objects[i] = object->next;
            free_text(&object->props);
            memory_free(object);
        }
    }
    memory_free(profile->objects);
}

void objects_digest(const struct profile *profile, struct digest *digest)
{
    for (uint32_t i = 0; i < profile->object_slots; i++) {
        for (const struct object *object = profile->objects[i]; object != NULL;
             object = object->next) {
            uint64_t image[5] = { hash_bytes64(object->kind.data, object->kind.size, 0),
                                  hash_bytes64(object->id.data, object->id.size, 0),
                                  hash_bytes64(object->props.data, object->props.size, 0),
                                  (uint64_t)object->updated_ms, (uint64_t)object->deleted_ms };
            digest_add(digest, image, sizeof(image));
        }
    }
}
