/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as rows of the ledger, and the texts that rows and operators bring. */
#include <string.h>

#include "plan/inside.h"

static str empty_if_none(str text)
{
    return text.data != NULL ? text : STR("");
}

static void write_values(struct json_writer *writer, const struct plan_property *property)
{
    json_put_key(writer, STR("values"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < property->value_count; i++)
        json_put_raw(writer, property->values[i]);
    json_end_array(writer);
}

void plan_store_event(const struct plan *plan, struct plan_event *event,
                      struct ledger_writes *writes)
{
    struct buffer *out = (struct buffer *)(uintptr_t)&plan->scratch;
    struct json_writer writer;
    buffer_clear(out);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (event->description.size > 0)
        json_member_text(&writer, STR("description"), event->description);
    if (event->put)
        json_member_bool(&writer, STR("put"), true);
    json_end_object(&writer);
    event->stored = true;
    LEDGER_PUT(writes, LEDGER_PLAN_EVENTS, ledger_int(event->number), ledger_text(event->name),
               ledger_text(plan_status_words[event->status]), ledger_text(buffer_str(out)),
               ledger_int(event->first_seen_ms), ledger_int(event->source_number));
}

static void write_property_settings(const struct plan *plan, const struct plan_property *property,
                                    struct buffer *out)
{
    enum plan_type learnt = plan->names[property->name].type;
    struct json_writer writer;
    buffer_clear(out);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (property->fixed != PLAN_TYPE_NONE)
        json_member_bool(&writer, STR("fixed"), true);
    /* What the name had learnt before is not forgotten by fixing it here. */
    if (property->fixed != PLAN_TYPE_NONE && learnt != PLAN_TYPE_NONE)
        json_member_text(&writer, STR("learnt"), plan_type_words[learnt]);
    if (property->put)
        json_member_bool(&writer, STR("put"), true);
    if (property->required)
        json_member_bool(&writer, STR("required"), true);
    if (property->source_number != 0)
        json_member_int(&writer, STR("source"), property->source_number);
    if (property->value_count > 0)
        write_values(&writer, property);
    json_end_object(&writer);
}

void plan_store_property(struct plan *plan, struct plan_property *property,
                         struct ledger_writes *writes)
{
    struct plan_event *event = &plan->events[property->event];
    /* A property's row names its event by number: that row has to be there too. */
    if (!event->stored)
        plan_store_event(plan, event, writes);
    write_property_settings(plan, property, &plan->scratch);
    property->stored = true;
    LEDGER_PUT(writes, LEDGER_PLAN_PROPERTIES, ledger_int(event->number),
               ledger_text(empty_if_none(plan->names[property->name].name)),
               ledger_text(plan_type_words[plan_type_of(plan, property)]),
               ledger_text(buffer_str(&plan->scratch)), ledger_int(property->first_seen_ms));
}

void plan_store_uses(struct plan *plan, uint32_t name, struct ledger_writes *writes)
{
    for (uint32_t i = plan->names[name].first_use; i != NO_INDEX;
         i = plan->properties[i].next_of_name)
        if (plan->properties[i].stored)
            plan_store_property(plan, &plan->properties[i], writes);
}

/* All texts first, in one piece of memory behind the list. */
err plan_set_values(struct plan *plan, struct plan_property *property, json_value values)
{
    struct json_iterator iterator = json_iterate(values);
    json_value value;
    size_t count = json_count(values), i = 0;
    str *list = NULL;
    buffer_clear(&plan->scratch);
    while (json_next(&iterator, NULL, &value))
        json_write_value(&plan->scratch, value);
    if (plan->scratch.failed)
        return buffer_status(&plan->scratch);
    if (count > 0) {
        list = memory_alloc(count * sizeof *list + plan->scratch.size);
        if (list == NULL)
            return ERR_NOMEM;
        char *bytes = (char *)(list + count);
        memcpy(bytes, plan->scratch.data, plan->scratch.size);
        /* Once more, to find where each ends. */
        buffer_clear(&plan->scratch);
        iterator = json_iterate(values);
        while (json_next(&iterator, NULL, &value)) {
            size_t begin = plan->scratch.size;
            json_write_value(&plan->scratch, value);
            list[i++] = str_from_bytes(bytes + begin, plan->scratch.size - begin);
        }
    }
    memory_free(property->values);
    property->values = list;
    property->value_count = (uint32_t)count;
    return ERR_OK;
}

err plan_set_description(struct plan_event *event, str text)
{
    char *copy = NULL;
    if (text.size > 0) {
        copy = memory_alloc(text.size);
        if (copy == NULL)
            return ERR_NOMEM;
        memcpy(copy, text.data, text.size);
    }
    memory_free((char *)(uintptr_t)event->description.data);
    event->description = str_from_bytes(copy, text.size);
    return ERR_OK;
}
