/* SPDX-License-Identifier: Apache-2.0 */
/* A value of a row as what its property wants: an id, an amount, a time, a list. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/money.h"
#include "event/personal.h"
#include "mapping/inside.h"

static bool refuse(struct run *run)
{
    run->refused = true;
    return false;
}

bool spec_refuse_missing(struct run *run, const struct spec *spec)
{
    refusal_set(&run->refusal, REFUSAL_MISSING, "'" STR_FMT "' has no value",
                (int)str_utf8_prefix_bytes(spec->label, 80),
                spec->label.size > 0 ? spec->label.data : "");
    return refuse(run);
}

/* Evaluated, its words replaced; false when refused. */
static bool spec_value(struct run *run, const struct spec *spec, struct value *out)
{
    str text, found;
    if (spec->node != NULL && spec->node->kind == NODE_COLUMN) { /* most are */
        run->slot = spec->node->slot;
        *out = value_of_cell(run->worker, &run->cells[run->slot]);
    } else {
        *out = spec->node != NULL ? expression_run(run, spec->node) : value_null();
        if (run->refused)
            return false;
    }
    if (spec->lookup != NULL && out->kind != VALUE_NULL) {
        if (!value_to_text(run, *out, &text))
            return false;
        if (lookup_find(spec->lookup, text, &found))
            *out = value_text(found);
    }
    return out->kind != VALUE_NULL || !spec->required || spec_refuse_missing(run, spec);
}

static int zone_of(const struct run *run, const struct spec *spec)
{
    return spec->has_zone ? spec->zone_offset_seconds : run->zone_offset_seconds;
}

/* ---- ids ---- */

/* A number of a typed format that is whole is an id; 12.5 is none. */
static bool id_text(struct run *run, const struct spec *spec, struct value value, str *out)
{
    char shown[REFUSAL_SHOWN_BYTES];
    bool fraction = value.kind == VALUE_NUMBER && !exact_is_whole(value.number);
    if (!value_to_text(run, value, out))
        return false;
    *out = cell_trim(*out);
    bool rounded = value.kind == VALUE_TEXT && cell_is_rounded(*out) &&
                   (!value.sure || cell_has_exponent(*out));
    if (!value.lost && !fraction && (!rounded || (spec->keep_rounded && !cell_has_exponent(*out))))
        return true;
    refusal_set(&run->refusal, REFUSAL_LOST_DIGITS, "'%s' has lost its digits",
                refusal_shown(*out, shown));
    if (rounded && !cell_has_exponent(*out))
        refusal_cure(&run->refusal,
                     "export again with the column as text; if the zeros are right, say "
                     "\"rounded\":\"keep\"");
    else
        refusal_cure(&run->refusal,
                     "export again with the column as text, not as a number of Excel");
    return refuse(run);
}

bool spec_text(struct mapping_worker *worker, struct run *run, const struct spec *spec, str *out)
{
    struct value value;
    (void)worker;
    *out = STR_NONE;
    if (!spec_value(run, spec, &value))
        return false;
    return spec->type == SPEC_ID ? id_text(run, spec, value, out) : value_to_text(run, value, out);
}

bool spec_time(struct mapping_worker *worker, struct run *run, const struct spec *spec,
               int64_t *out_ms, bool *is_null)
{
    struct spec optional = *spec;
    struct value value;
    optional.required = false;
    if (!spec_value(run, &optional, &value) ||
        !value_to_time(run, value, &spec->format, zone_of(run, spec), out_ms, is_null))
        return false;
    if (!*is_null && *out_ms < 0) {
        refusal_set(&run->refusal, REFUSAL_NOT_A_TIME, "nothing has happened before 1970");
        return refuse(run);
    }
    if (!*is_null)
        return true;
    *out_ms = worker->context.received_ms;
    return spec->may_be_received || spec_refuse_missing(run, spec);
}

/* ---- JSON ---- */

static bool put_text(struct mapping_worker *worker, struct run *run, const struct name_note *note,
                     str text, struct buffer *out, struct written *written)
{
    written->kind = JSON_TEXT;
    written->plain = text;
    if (draft_put_text(worker->desk, out, note, text, &written->sealed) == ERR_OK)
        return true;
    refusal_nomem(&run->refusal);
    return refuse(run);
}

static bool put_number(struct mapping_worker *worker, struct run *run, const struct name_note *note,
                       struct exact number, struct buffer *out, struct written *written)
{
    char room[EXACT_TEXT_BYTES];
    str text = str_from_bytes(room, exact_write(number, room)), kept;
    int64_t whole;
    /* What reads JSON takes no whole number that would lose digits. */
    if (exact_is_whole(number) && !exact_to_int(number, &whole)) {
        refusal_set(&run->refusal, REFUSAL_NUMBER_RANGE,
                    "the whole number " STR_FMT " has more than 64 bits: take it as a text",
                    STR_ARG(text));
        return refuse(run);
    }
    if (arena_dup(run->arena, text, &kept) != ERR_OK) {
        refusal_nomem(&run->refusal);
        return refuse(run);
    }
    /* A personal number is a text that somebody forgot to quote. */
    if (note->personal != PERSONAL_NONE && note->personal != PERSONAL_RECEIVER)
        return put_text(worker, run, note, kept, out, written);
    buffer_append_str(out, kept);
    *written =
        (struct written){ .kind = exact_is_whole(number) ? JSON_INT : JSON_DOUBLE, .plain = kept };
    return true;
}

static bool put_json(struct mapping_worker *worker, struct run *run, const struct name_note *note,
                     str text, struct buffer *out, struct written *written)
{
    struct name_note copy = *note; /* members ask the desk for notes of their own */
    struct problem problem;
    json_value root;
    err error = json_parse(worker->parser, text, &root, &problem);
    if (error == ERR_INVALID) {
        refusal_set(&run->refusal, REFUSAL_NOT_JSON, "the value is not JSON: %.200s",
                    problem.detail);
        return refuse(run);
    }
    if (error == ERR_OK)
        error = draft_put_json(worker->desk, out, &copy, root, &written->sealed);
    if (error != ERR_OK) {
        refusal_nomem(&run->refusal);
        return refuse(run);
    }
    written->kind = draft_kind(root, written->sealed);
    written->plain = text;
    return true;
}

static bool put_list(struct mapping_worker *worker, struct run *run, const struct spec *spec,
                     const struct name_note *note, str text, struct buffer *out,
                     struct written *written)
{
    bool first = true;
    struct written ignored;
    str whole = text;
    buffer_append_byte(out, '[');
    while (text.size > 0) {
        const char *at = memmem(text.data, text.size, spec->separator.data, spec->separator.size);
        size_t end = at != NULL ? (size_t)(at - text.data) : text.size;
        str part = str_trim(str_slice(text, 0, end));
        text = str_slice(text, end + spec->separator.size, text.size);
        if (part.size == 0)
            continue;
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        if (!put_text(worker, run, note, part, out, &ignored))
            return false;
    }
    buffer_append_byte(out, ']');
    *written = (struct written){ .kind = JSON_ARRAY, .plain = whole };
    return true;
}

/* ---- typed ---- */

/* Whole, half to even; false: too large. */
static bool money_to_minor(struct exact major, str currency, struct exact *minor)
{
    int64_t whole;
    int digits = currency.size > 0 ? currency_minor_digits(currency, NULL) : 2;
    *minor = major;
    for (int i = 0; i < digits; i++)
        if (!exact_multiply(*minor, exact_from_int(10), minor))
            return false;
    *minor = exact_round(*minor, 0);
    return exact_to_int(*minor, &whole);
}

static bool put_money(struct mapping_worker *worker, struct run *run, const struct spec *spec,
                      const struct name_note *note, struct value value, str currency,
                      struct buffer *out, struct written *written)
{
    struct exact amount;
    bool is_null;
    if (!value_to_number(run, value, currency, &amount, &is_null))
        return false;
    if (spec->minor_units) {
        int digits = currency.size > 0 ? currency_minor_digits(currency, NULL) : 2;
        if (!exact_is_whole(amount) || amount.scale + digits > EXACT_SCALE_MAX) {
            refusal_set(&run->refusal, REFUSAL_NOT_A_NUMBER,
                        "an amount in minor units is no whole number");
            return refuse(run);
        }
        amount.scale += digits;
    }
    if (spec->to_minor && !money_to_minor(amount, currency, &amount)) {
        refusal_set(&run->refusal, REFUSAL_NOT_A_NUMBER, "the amount is too large");
        return refuse(run);
    }
    return put_number(worker, run, note, amount, out, written);
}

static bool put_whole(struct mapping_worker *worker, struct run *run, const struct name_note *note,
                      struct value value, bool integer, struct buffer *out, struct written *written)
{
    struct exact number;
    bool is_null;
    if (!value_to_number(run, value, STR_NONE, &number, &is_null))
        return false;
    if (!integer || exact_is_whole(number))
        return put_number(worker, run, note, number, out, written);
    refusal_set(&run->refusal, REFUSAL_NOT_A_NUMBER, "the value is not a whole number");
    return refuse(run);
}

static bool put_time(struct mapping_worker *worker, struct run *run, const struct spec *spec,
                     const struct name_note *note, struct value value, struct buffer *out,
                     struct written *written)
{
    char room[TIME_TEXT_BYTES];
    int64_t time_ms;
    bool is_null;
    str text;
    int zone = zone_of(run, spec);
    if (!value_to_time(run, value, &spec->format, zone, &time_ms, &is_null))
        return false;
    time_format_utc(spec->type == SPEC_DATE ? time_ms + zone * SECOND_MS : time_ms, room);
    if (spec->type == SPEC_DATE)
        room[10] = '\0';
    if (arena_dup(run->arena, str_from_c(room), &text) != ERR_OK) {
        refusal_nomem(&run->refusal);
        return refuse(run);
    }
    return put_text(worker, run, note, text, out, written);
}

static bool put_boolean(struct run *run, struct value value, struct buffer *out,
                        struct written *written)
{
    bool truth, is_null;
    if (!value_to_bool(run, value, &truth, &is_null))
        return false;
    *written = (struct written){ .kind = JSON_BOOL, .plain = truth ? STR("true") : STR("false") };
    buffer_append_str(out, written->plain);
    return true;
}

/* As the cell has it. A text whose digits are lost stays what it is: nobody has called it an id. */
static bool put_auto(struct mapping_worker *worker, struct run *run, const struct name_note *note,
                     struct value value, struct buffer *out, struct written *written)
{
    str text;
    switch (value.kind) {
    case VALUE_NUMBER:
        return put_number(worker, run, note, value.number, out, written);
    case VALUE_BOOL:
        return put_boolean(run, value, out, written);
    case VALUE_JSON:
        return put_json(worker, run, note, value.text, out, written);
    case VALUE_TEXT:
        return put_text(worker, run, note, value.text, out, written);
    case VALUE_TIME:
    case VALUE_NULL:
        break;
    }
    return value_to_text(run, value, &text) && put_text(worker, run, note, text, out, written);
}

static bool put_typed(struct mapping_worker *worker, struct run *run, const struct spec *spec,
                      const struct name_note *note, struct value value, str currency,
                      struct buffer *out, struct written *written)
{
    str text;
    switch (spec->type) {
    case SPEC_AUTO:
        return put_auto(worker, run, note, value, out, written);
    case SPEC_TEXT:
        return value_to_text(run, value, &text) && put_text(worker, run, note, text, out, written);
    case SPEC_ID:
        return id_text(run, spec, value, &text) && put_text(worker, run, note, text, out, written);
    case SPEC_NUMBER:
    case SPEC_INTEGER:
        return put_whole(worker, run, note, value, spec->type == SPEC_INTEGER, out, written);
    case SPEC_MONEY:
        return put_money(worker, run, spec, note, value, currency, out, written);
    case SPEC_BOOLEAN:
        return put_boolean(run, value, out, written);
    case SPEC_TIME:
    case SPEC_DATE:
        return put_time(worker, run, spec, note, value, out, written);
    case SPEC_LIST:
        if (value.kind == VALUE_JSON)
            return put_json(worker, run, note, value.text, out, written);
        return value_to_text(run, value, &text) &&
               put_list(worker, run, spec, note, text, out, written);
    case SPEC_JSON:
        return value_to_text(run, value, &text) && put_json(worker, run, note, text, out, written);
    case SPEC_CURRENCY:
        return put_text(worker, run, note, currency, out, written);
    }
    return true;
}

bool write_spec(struct mapping_worker *worker, struct run *run, const struct spec *spec,
                const struct name_note *note, str currency, struct buffer *out,
                struct written *written)
{
    struct value value;
    *written = (struct written){ .kind = JSON_MISSING };
    if (!spec_value(run, spec, &value))
        return false;
    if (value.kind == VALUE_NULL)
        return true;
    return put_typed(worker, run, spec, note, value, currency, out, written);
}
