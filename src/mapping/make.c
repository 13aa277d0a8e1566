/* SPDX-License-Identifier: Apache-2.0 */
/* From the row at hand, or the rows of an order, to its events. All of them or none (M3). */
#include <string.h>

#include "base/money.h"
#include "event/normalise.h"
#include "mapping/inside.h"

#define CONTEXT_OF_HISTORY "{\"historical\":true}"
#define REFUSED_EVENT_ROOM 256

static bool refuse(struct mapping_worker *worker)
{
    worker->run.refused = true;
    return false;
}

static bool refuse_nomem(struct mapping_worker *worker)
{
    refusal_nomem(&worker->run.refusal);
    return refuse(worker);
}

static str currency_of(const struct mapping_worker *worker)
{
    return str_from_c(worker->currency);
}

/* ---- what the content hash is of: plain values, because seals differ from one time to the next ---- */

static void content_text(struct mapping_worker *worker, str text)
{
    uint32_t size = (uint32_t)text.size;
    buffer_append(&worker->content, &size, sizeof size);
    buffer_append_str(&worker->content, text);
}

static void content_written(struct mapping_worker *worker, str name, const struct written *written)
{
    content_text(worker, name);
    buffer_append_byte(&worker->content, (uint8_t)written->kind);
    content_text(worker, written->plain);
}

/* ---- the amount, and who ---- */

static bool find_currency(struct mapping_worker *worker)
{
    char shown[REFUSAL_SHOWN_BYTES];
    const struct node *node = worker->mapping->currency.node;
    str text;
    /* A constant, as it mostly is, is what it was for the row before. */
    if (node != NULL && node->kind == NODE_CONSTANT && worker->currency[0] != '\0')
        return true;
    worker->currency[0] = '\0';
    if (node == NULL)
        return true;
    if (!spec_text(worker, &worker->run, &worker->mapping->currency, &text))
        return false;
    if (text.size == 0 || cell_to_currency(text, worker->currency))
        return true;
    refusal_set(&worker->run.refusal, REFUSAL_UNKNOWN_CURRENCY, "'%s' is no currency",
                refusal_shown(text, shown));
    refusal_cure(&worker->run.refusal, "currencies are ISO 4217 codes as CNY; map other words");
    return refuse(worker);
}

static bool add_identifier(struct mapping_worker *worker, const struct identifier_spec *spec,
                           struct event_identifier *identifiers, uint32_t *count)
{
    struct run *run = &worker->run;
    str value, namespace_ = STR_NONE;
    err error;
    if (!spec_text(worker, run, &spec->value, &value))
        return false;
    if (value.size == 0)
        return true;
    if (spec->namespace_.node != NULL &&
        (!spec_text(worker, run, &spec->namespace_, &namespace_) || namespace_.size > 255)) {
        if (!run->refused)
            refusal_set(&run->refusal, REFUSAL_BAD_IDENTIFIER, "a namespace is too long");
        return refuse(worker);
    }
    enum normal_form form =
        identifier_make(worker->desk->keys, &worker->arena, spec->type, namespace_, value,
                        spec->verified ? IDENTIFIER_VERIFIED : 0, &identifiers[*count], &error);
    if (error != ERR_OK)
        return refuse_nomem(worker);
    /* What is masked, or no value of its type, names nobody: as at the doors. */
    if (form == NORMAL_USABLE || form == NORMAL_BLOCKED)
        (*count)++;
    return true;
}

static bool find_identifiers(struct mapping_worker *worker, struct event *shared)
{
    const struct mapping *mapping = worker->mapping;
    shared->identifier_count = 0;
    if (mapping->identifier_count == 0)
        return true;
    shared->identifiers =
        arena_alloc_raw(&worker->arena, mapping->identifier_count * sizeof *shared->identifiers);
    if (shared->identifiers == NULL)
        return refuse_nomem(worker);
    for (uint32_t i = 0; i < mapping->identifier_count; i++)
        if (!add_identifier(worker, &mapping->identifiers[i], shared->identifiers,
                            &shared->identifier_count))
            return false;
    identifiers_sort(shared->identifiers, &shared->identifier_count);
    return true;
}

static bool need_identifier(struct mapping_worker *worker, const struct event *event)
{
    if (event->identifier_count > 0)
        return true;
    worker->run.slot = COLUMN_NONE; /* no column alone is to blame */
    refusal_set(&worker->run.refusal, REFUSAL_NOBODY, "the row names nobody");
    refusal_cure(&worker->run.refusal,
                 "its identifiers are empty, masked or invalid; add one that this file has");
    return refuse(worker);
}

static bool find_channel(struct mapping_worker *worker, struct event *shared)
{
    str name;
    if (!spec_text(worker, &worker->run, &worker->mapping->channel, &name))
        return false;
    shared->channel = draft_channel_name(worker->desk, name);
    return !worker->desk->starved || refuse_nomem(worker);
}

/* ---- lines ---- */

/* Properties of the cells at hand as an object; found and shape are of no use inside a list. */
static bool write_line(struct mapping_worker *worker, struct buffer *out)
{
    const struct mapping *mapping = worker->mapping;
    struct written written;
    bool first = true;
    buffer_append_byte(out, '{');
    for (uint32_t i = 0; i < mapping->line_property_count; i++) {
        const struct named_spec *property = &mapping->line_properties[i];
        size_t begin = out->size;
        if (!first)
            buffer_append_byte(out, ',');
        buffer_append_str(out, property->quoted);
        if (!write_spec(worker, &worker->run, &property->spec, &worker->notes[property->index],
                        currency_of(worker), out, &written))
            return false;
        if (written.kind == JSON_MISSING) {
            if (!out->failed)
                out->size = begin;
            continue;
        }
        first = false;
        content_written(worker, property->name, &written);
    }
    buffer_append_byte(out, '}');
    return true;
}

static bool text_of_number(struct mapping_worker *worker, const struct spec *spec,
                           struct exact otherwise, char room[EXACT_TEXT_BYTES], str *out)
{
    struct run *run = &worker->run;
    struct exact number = otherwise;
    bool is_null;
    struct value value =
        spec->node != NULL ? expression_run(run, spec->node) : value_number(otherwise);
    if (run->refused || !value_to_number(run, value, currency_of(worker), &number, &is_null))
        return false;
    *out = str_from_bytes(room, exact_write(is_null ? otherwise : number, room));
    return true;
}

/* What the line at hand adds: price × quantity by the rule of the doors, or a value of its own. */
static bool line_amount(struct mapping_worker *worker, const struct line_sum *sum, int digits,
                        struct exact *out)
{
    char price_room[EXACT_TEXT_BYTES], quantity_room[EXACT_TEXT_BYTES];
    struct run *run = &worker->run;
    str price, quantity;
    int64_t minor;
    if (sum->value.node != NULL) {
        bool is_null;
        struct value value = expression_run(run, sum->value.node);
        if (run->refused || !value_to_number(run, value, currency_of(worker), out, &is_null))
            return false;
        if (sum->value.minor_units && out->scale + digits <= EXACT_SCALE_MAX)
            out->scale += digits;
        return true;
    }
    if (!text_of_number(worker, &sum->price, exact_from_int(0), price_room, &price) ||
        !text_of_number(worker, &sum->quantity, exact_from_int(1), quantity_room, &quantity))
        return false;
    if (money_line_from_text(price, quantity, digits, &minor)) {
        *out = (struct exact){ minor, digits };
        return true;
    }
    refusal_set(&run->refusal, REFUSAL_NUMBER_RANGE, "the amount of a line is too large");
    return refuse(worker);
}

static bool add_sums(struct mapping_worker *worker)
{
    const struct mapping *mapping = worker->mapping;
    int digits = worker->currency[0] != '\0' ? currency_minor_digits(currency_of(worker), NULL) : 2;
    for (uint32_t i = 0; i < mapping->sum_count; i++) {
        struct exact amount;
        if (!line_amount(worker, &mapping->sums[i], digits, &amount))
            return false;
        if (!exact_add(worker->sums[i].number, amount, &worker->sums[i].number)) {
            refusal_set(&worker->run.refusal, REFUSAL_NUMBER_RANGE, "a sum is too large");
            return refuse(worker);
        }
    }
    return true;
}

static void at_line(struct mapping_worker *worker, size_t index)
{
    worker->run.cells = worker->run.lines[index].cells;
    worker->run.row = worker->run.lines[index].number;
}

/* The list of lines into worker->text, once for all events of the order. */
static bool write_lines(struct mapping_worker *worker, str *out)
{
    struct run *run = &worker->run;
    size_t begin = worker->text.size;
    bool first = true;
    for (uint32_t i = 0; i < worker->mapping->sum_count; i++)
        worker->sums[i] = value_number(exact_from_int(0));
    buffer_append_byte(&worker->text, '[');
    for (size_t i = 0; i < run->line_count; i++) {
        at_line(worker, i);
        if (worker->mapping->line_when != NULL) {
            bool wanted = value_is_true(expression_run(run, worker->mapping->line_when));
            if (run->refused)
                return false;
            if (!wanted)
                continue;
        }
        if (!first)
            buffer_append_byte(&worker->text, ',');
        first = false;
        if (!write_line(worker, &worker->text) || !add_sums(worker))
            return false;
    }
    buffer_append_byte(&worker->text, ']');
    at_line(worker, 0);
    run->sums = worker->sums;
    *out = str_slice(buffer_str(&worker->text), begin, worker->text.size);
    if (worker->content.failed)
        return refuse_nomem(worker);
    str content = buffer_str(&worker->content);
    worker->lines_hash = hash_bytes128(content.data, content.size, worker->content_seed);
    return true;
}

/* ---- properties ---- */

struct draft {
    struct mapping_worker *worker;
    struct event *event;
    bool first;
    uint32_t found_set;
    str found[PROMOTED_COUNT];
};

static void begin_name(struct draft *draft, str quoted)
{
    buffer_append_byte(&draft->worker->text, draft->first ? '{' : ',');
    buffer_append_str(&draft->worker->text, quoted);
}

static void note_written(struct draft *draft, str name, uint32_t index,
                         const struct written *written)
{
    const struct name_note *note = &draft->worker->notes[index];
    draft->first = false;
    draft->event->shape = event_shape_property(draft->event->shape, note->hash, written->kind);
    if (note->promoted != 0 && !written->sealed &&
        (written->kind == JSON_TEXT || written->kind == JSON_INT || written->kind == JSON_DOUBLE)) {
        draft->found[note->promoted - 1] = written->plain;
        draft->found_set |= UINT32_C(1) << (note->promoted - 1);
    }
    content_written(draft->worker, name, written);
}

static bool write_property(struct draft *draft, const struct named_spec *property)
{
    struct mapping_worker *worker = draft->worker;
    size_t begin = worker->text.size;
    struct written written;
    begin_name(draft, property->quoted);
    if (!write_spec(worker, &worker->run, &property->spec, &worker->notes[property->index],
                    currency_of(worker), &worker->text, &written))
        return false;
    if (written.kind == JSON_MISSING) {
        if (!worker->text.failed)
            worker->text.size = begin;
        return true;
    }
    note_written(draft, property->name, property->index, &written);
    return true;
}

static bool write_sum(struct draft *draft, uint32_t index)
{
    struct mapping_worker *worker = draft->worker;
    const struct line_sum *sum = &worker->mapping->sums[index];
    struct exact number = worker->sums[index].number;
    char room[EXACT_TEXT_BYTES];
    struct written written = { .kind = exact_is_whole(number) ? JSON_INT : JSON_DOUBLE };
    if (arena_dup(&worker->arena, str_from_bytes(room, exact_write(number, room)),
                  &written.plain) != ERR_OK)
        return refuse_nomem(worker);
    begin_name(draft, sum->quoted);
    buffer_append_str(&worker->text, written.plain);
    note_written(draft, sum->name, sum->index, &written);
    return true;
}

static void write_products(struct draft *draft, str lines)
{
    const struct mapping *mapping = draft->worker->mapping;
    begin_name(draft, mapping->lines_quoted);
    buffer_append_str(&draft->worker->text, lines);
    /* The hash of the lines is in the content already. */
    struct written written = { .kind = JSON_ARRAY };
    note_written(draft, mapping->lines_name, mapping->lines_index, &written);
}

static bool write_properties(struct mapping_worker *worker, const struct output *output,
                             struct event *event, str lines)
{
    struct draft draft = { .worker = worker, .event = event, .first = true };
    size_t begin = worker->text.size;
    event->shape = event_shape_begin(worker->desk->seed, event->type);
    for (uint32_t i = 0; i < output->property_count; i++)
        if (!write_property(&draft, &output->properties[i]))
            return false;
    for (uint32_t i = 0; output->has_lines && i < worker->mapping->sum_count; i++)
        if ((output->sums_hidden >> i & 1) == 0 && !write_sum(&draft, i))
            return false;
    if (output->has_lines)
        write_products(&draft, lines);
    buffer_append_str(&worker->text, draft.first ? STR("{}") : STR("}"));
    event->props = str_slice(buffer_str(&worker->text), begin, worker->text.size);
    if (event->shape == 0)
        event->shape = 1;
    draft_promote_texts(event, draft.found, draft.found_set);
    return true;
}

/* ---- traits ---- */

static bool add_trait(struct mapping_worker *worker, struct event *event, str name,
                      const struct spec *spec, const struct name_note *note)
{
    size_t begin = worker->text.size;
    struct written written;
    if (!write_spec(worker, &worker->run, spec, note, currency_of(worker), &worker->text, &written))
        return false;
    if (written.kind == JSON_MISSING)
        return true;
    event->traits[event->trait_count++] = (struct event_trait){
        .name = name,
        .operation = TRAIT_SET,
        .value = str_slice(buffer_str(&worker->text), begin, worker->text.size),
    };
    content_written(worker, name, &written);
    return true;
}

static bool write_traits(struct mapping_worker *worker, struct event *event)
{
    const struct mapping *mapping = worker->mapping;
    event->traits =
        arena_alloc_raw(&worker->arena, (mapping->trait_count + 1) * sizeof *event->traits);
    if (event->traits == NULL)
        return refuse_nomem(worker);
    for (uint32_t i = 0; i < mapping->trait_count; i++)
        if (!add_trait(worker, event, mapping->traits[i].name, &mapping->traits[i].spec,
                       &worker->notes[mapping->traits[i].index]))
            return false;
    return true;
}

/* A tag of an old CRM is a trait "tag:<key>" with the time at which it was given. */
static bool write_tag(struct mapping_worker *worker, const struct output *output,
                      struct event *event)
{
    str key, name;
    if (!spec_text(worker, &worker->run, &output->name, &key))
        return false;
    if (key.size == 0 || key.size > EVENT_NAME_BYTES_MAX - 4)
        return spec_refuse_missing(&worker->run, &output->name);
    event->traits = arena_alloc_raw(&worker->arena, sizeof *event->traits);
    if (event->traits == NULL ||
        arena_printf(&worker->arena, &name, "tag:" STR_FMT, STR_ARG(key)) != ERR_OK)
        return refuse_nomem(worker);
    struct name_note note = *draft_note(worker->desk, name);
    return add_trait(worker, event, name, &output->value, &note);
}

/* ---- one event ---- */

static bool name_event(struct mapping_worker *worker, const struct output *output,
                       struct event *event)
{
    struct run *run = &worker->run;
    switch (output->kind) {
    case OUTPUT_TRACK:
        event->kind = EVENT_TRACK;
        if (!spec_text(worker, run, &output->name, &event->type))
            return false;
        if (event->type.size > 0 && event->type.size <= EVENT_NAME_BYTES_MAX)
            return true;
        refusal_set(&run->refusal, REFUSAL_NO_EVENT_NAME,
                    event->type.size == 0 ? "the event has no name"
                                          : "the event's name is too long");
        return refuse(worker);
    case OUTPUT_IDENTIFY:
        event->kind = EVENT_IDENTIFY;
        event->type = STR("Identify");
        return true;
    case OUTPUT_TAG:
        event->kind = EVENT_PROFILE;
        event->type = STR("Profile");
        return true;
    case OUTPUT_OBJECT:
    case OUTPUT_RELATION:
        event->kind = output->kind == OUTPUT_OBJECT ? EVENT_OBJECT : EVENT_GROUP;
        event->type = output->kind == OUTPUT_OBJECT ? STR("Object") : STR("Group");
        if (!spec_text(worker, run, &output->name, &event->object_kind) ||
            !spec_text(worker, run, &output->id, &event->object_id))
            return false;
        if (event->object_kind.size == 0 || event->object_kind.size > 255 ||
            event->object_id.size > 255) {
            refusal_set(&run->refusal, REFUSAL_BAD_IDENTIFIER,
                        "an object's kind or id is empty or too long");
            return refuse(worker);
        }
        return true;
    }
    return true;
}

static bool time_event(struct mapping_worker *worker, const struct output *output,
                       struct event *event)
{
    bool is_null;
    if (!spec_time(worker, &worker->run, &output->time, &worker->said_ms, &is_null))
        return false;
    if (!is_null)
        event->flags |= EVENT_TIME_GIVEN;
    event->time_ms = draft_settle_time(worker->said_ms, worker->context.received_ms);
    return true;
}

/* Who an event without a key is: of a customer her identifiers, of all else what it says. */
static void content_of_keyless(struct buffer *content, const struct made_event *made)
{
    if (made->event.kind == EVENT_TRACK)
        buffer_append(content, made->content_hash, sizeof made->content_hash);
    for (uint32_t i = 0; made->event.kind != EVENT_TRACK && i < made->event.identifier_count; i++)
        buffer_append(content, made->event.identifiers[i].hash, HASH_BYTES);
}

/* Which of a row's events this is: an order that is placed and paid makes two, under one key. */
static bool natural_key(struct mapping_worker *worker, const struct output *output, str key,
                        struct made_event *made)
{
    const struct event *event = &made->event;
    struct buffer *content = &worker->content;
    size_t begin = content->size;
    str more = STR_NONE;
    if (output->key.node != NULL && !spec_text(worker, &worker->run, &output->key, &more))
        return false;
    content_text(worker, worker->context.key_salt);
    buffer_append_byte(content, (uint8_t)event->kind);
    content_text(worker, event->type);
    content_text(worker, event->object_kind);
    content_text(worker, event->object_id);
    if (output->kind == OUTPUT_TAG && event->trait_count > 0)
        content_text(worker, event->traits[0].name);
    content_text(worker, key);
    content_text(worker, more);
    if (key.size == 0 && more.size == 0 && event->kind != EVENT_OBJECT)
        content_of_keyless(content, made);
    keys_hash_message(worker->desk->keys, str_slice(buffer_str(content), begin, content->size),
                      made->natural_key);
    return !content->failed || refuse_nomem(worker);
}

static void content_of_head(struct mapping_worker *worker, const struct event *event)
{
    struct buffer *content = &worker->content;
    /* The time of arrival is no part of what the file says. */
    if ((event->flags & EVENT_TIME_GIVEN) != 0)
        buffer_append(content, &worker->said_ms, sizeof worker->said_ms);
    buffer_append_byte(content, event->flags);
    content_text(worker, event->channel);
    content_text(worker, event->type);
    content_text(worker, event->object_kind);
    content_text(worker, event->object_id);
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        buffer_append(content, event->identifiers[i].hash, HASH_BYTES);
        buffer_append_byte(content, event->identifiers[i].flags);
    }
}

/* The message key is of the data set, what the event is, and what is in it: the same file from another source or day is the same. */
static bool finish_keys(struct mapping_worker *worker, const struct output *output, str key,
                        struct made_event *made)
{
    uint8_t parts[32];
    hash128 hash;
    content_of_head(worker, &made->event);
    if (worker->content.failed)
        return refuse_nomem(worker);
    str content = buffer_str(&worker->content);
    hash = hash_bytes128(content.data, content.size, worker->content_seed);
    memcpy(made->content_hash, &hash, sizeof made->content_hash);
    if (!natural_key(worker, output, key, made))
        return false;
    memcpy(parts, made->natural_key, 16);
    memcpy(parts + 16, made->content_hash, 16);
    keys_hash_message(worker->desk->keys, str_from_bytes(parts, sizeof parts),
                      made->event.message_key);
    return true;
}

/* Never less than what event_encode will need. */
static size_t bytes_bound(const struct event *event)
{
    size_t bound = REFUSED_EVENT_ROOM + event->type.size + event->channel.size + event->props.size +
                   event->context.size + event->object_kind.size + event->object_id.size;
    for (uint32_t i = 0; i < event->identifier_count; i++)
        bound += 120 + event->identifiers[i].type.size + event->identifiers[i].namespace_.size +
                 event->identifiers[i].value.size;
    for (uint32_t i = 0; i < event->trait_count; i++)
        bound += 12 + event->traits[i].name.size + event->traits[i].value.size;
    for (uint32_t set = event->promoted_set; set != 0; set &= set - 1)
        bound += 12 + 255;
    return bound;
}

static bool check_size(struct mapping_worker *worker, const struct event *event)
{
    if (!worker->text.failed && bytes_bound(event) <= EVENT_BYTES_MAX)
        return true;
    worker->run.slot = COLUMN_NONE;
    refusal_set(&worker->run.refusal, REFUSAL_TOO_LARGE, "the event is larger than %d bytes",
                EVENT_BYTES_MAX);
    refusal_cure(&worker->run.refusal, "map fewer columns, or shorter texts");
    return refuse(worker);
}

static bool fill_event(struct mapping_worker *worker, const struct output *output,
                       struct event *event, str lines)
{
    switch (output->kind) {
    case OUTPUT_IDENTIFY:
        return write_traits(worker, event);
    case OUTPUT_TAG:
        return write_tag(worker, output, event);
    case OUTPUT_TRACK:
    case OUTPUT_OBJECT:
    case OUTPUT_RELATION:
        break;
    }
    return write_properties(worker, output, event, lines);
}

/* What is said of nothing is left out: a tag without value, an object without id. */
static bool is_void(const struct output *output, const struct event *event)
{
    return (output->kind == OUTPUT_TAG && event->trait_count == 0) ||
           ((output->kind == OUTPUT_OBJECT || output->kind == OUTPUT_RELATION) &&
            event->object_id.size == 0);
}

static struct made_event *new_event(struct mapping_worker *worker, const struct event *shared,
                                    enum output_kind kind)
{
    struct made_event *made = arena_alloc_raw(&worker->arena, sizeof *made);
    if (made == NULL)
        return NULL;
    made->event = *shared;
    made->event.props = STR("{}");
    if (kind == OUTPUT_OBJECT) { /* no customer */
        made->event.identifier_count = 0;
        made->event.identifiers = NULL;
    }
    return made;
}

static bool make_event(struct mapping_worker *worker, const struct output *output,
                       const struct event *shared, str key, str lines)
{
    struct made_event *made = new_event(worker, shared, output->kind);
    if (made == NULL)
        return refuse_nomem(worker);
    buffer_clear(&worker->content);
    if (output->has_lines)
        buffer_append(&worker->content, &worker->lines_hash, sizeof worker->lines_hash);
    if (!name_event(worker, output, &made->event) || !time_event(worker, output, &made->event))
        return false;
    if (output->kind != OUTPUT_OBJECT && !need_identifier(worker, &made->event))
        return false;
    if (!fill_event(worker, output, &made->event, lines))
        return false;
    if (is_void(output, &made->event))
        return true;
    if (output->deletes)
        made->event.flags |= EVENT_DELETE;
    if (!check_size(worker, &made->event) || !finish_keys(worker, output, key, made))
        return false;
    worker->events[worker->event_count++] = made;
    return true;
}

/* ---- all ---- */

static bool is_wanted(struct mapping_worker *worker, const struct output *output)
{
    return output->when == NULL || value_is_true(expression_run(&worker->run, output->when));
}

static void begin_shared(struct mapping_worker *worker, struct event *shared)
{
    *shared = (struct event){ .flags = EVENT_TRUSTED | EVENT_HISTORICAL,
                              .source_number = worker->context.source_number,
                              .context = STR(CONTEXT_OF_HISTORY) };
    for (unsigned i = 0; i < PROMOTED_COUNT; i++)
        shared->promoted_int[i] = PROMOTED_MISSING;
}

bool make_events(struct mapping_worker *worker)
{
    const struct mapping *mapping = worker->mapping;
    struct event shared;
    str key = STR_NONE, lines = STR_NONE;
    worker->event_count = 0;
    worker->desk->starved = false;
    buffer_clear(&worker->text);
    buffer_clear(&worker->content);
    begin_shared(worker, &shared);
    if (!find_currency(worker) || (mapping->has_lines && !write_lines(worker, &lines)) ||
        !find_channel(worker, &shared) || !find_identifiers(worker, &shared) ||
        !spec_text(worker, &worker->run, &mapping->key, &key))
        return false;
    for (uint32_t i = 0; i < mapping->output_count; i++) {
        bool wanted = is_wanted(worker, &mapping->outputs[i]);
        if (worker->run.refused ||
            (wanted && !make_event(worker, &mapping->outputs[i], &shared, key, lines)))
            return false;
    }
    return !worker->desk->starved || refuse_nomem(worker);
}
