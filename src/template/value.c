/* SPDX-License-Identifier: Apache-2.0 */
/* What values are: where they come from in JSON, whether they are true, which is more, how they are written. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "template/inside.h"

void value_missing(struct template_value *value)
{
    *value = (struct template_value){ .kind = TEMPLATE_MISSING };
}

void value_set_text(struct template_value *value, str text)
{
    *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = text };
}

void value_set_number(struct template_value *value, int64_t millionths)
{
    *value = (struct template_value){ .kind = TEMPLATE_NUMBER, .number = millionths };
}

void value_set_bool(struct template_value *value, bool holds)
{
    *value = (struct template_value){ .kind = TEMPLATE_BOOL, .number = holds };
}

/* ---- from JSON ---- */

static void value_from_double(json_value json, struct template_value *value)
{
    double number = json_double(json, 0);
    if (fabs(number) < 9.2e12)
        value_set_number(value, llround(number * 1e6));
    else
        value_missing(value);
}

void value_from_json(json_value json, struct template_value *value)
{
    int64_t whole;
    value_missing(value);
    switch (json_kind(json)) {
    case JSON_TEXT:
        value_set_text(value, json_text(json));
        break;
    case JSON_INT:
        whole = json_int(json, 0);
        /* Numbers of orders and phones are longer than what is counted with: they stay as they are. */
        if (whole > INT64_MAX / MILLION || whole < -INT64_MAX / MILLION)
            *value = (struct template_value){ .kind = TEMPLATE_JSON, .json = json };
        else
            value_set_number(value, whole * MILLION);
        break;
    case JSON_DOUBLE:
        value_from_double(json, value);
        break;
    case JSON_BOOL:
        value_set_bool(value, json_bool(json, false));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        *value = (struct template_value){ .kind = TEMPLATE_JSON, .json = json };
        break;
    case JSON_MISSING:
    case JSON_NULL:
    default:
        break;
    }
}

/* The next of `.name`, `name`, `[3]`, `["name"]` of a path that was parsed. */
static json_value walk_step(json_value json, str *rest)
{
    size_t end = 0;
    str part;
    if (rest->data[0] == '.')
        *rest = str_slice(*rest, 1, rest->size);
    if (rest->size > 0 && rest->data[0] == '[') {
        int64_t index = -1;
        char quote = rest->size > 1 ? rest->data[1] : ']';
        bool is_name = quote == '"' || quote == '\'';
        end = is_name ? 2 : 1;
        while (end < rest->size && rest->data[end] != (is_name ? quote : ']'))
            end++;
        part = str_slice(*rest, is_name ? 2 : 1, end);
        *rest = str_slice(*rest, end + (is_name ? 2 : 1), rest->size);
        if (is_name)
            return json_get(json, part);
        bool is_index = str_to_int64(part, &index) && index >= 0;
        return is_index && json_kind(json) == JSON_ARRAY ? json_at(json, (size_t)index)
                                                         : (json_value){ 0 };
    }
    while (end < rest->size && rest->data[end] != '.' && rest->data[end] != '[')
        end++;
    part = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->size);
    return json_get(json, part);
}

bool value_walk(json_value json, str rest, struct template_value *value)
{
    while (rest.size > 0 && json_kind(json) != JSON_MISSING)
        json = walk_step(json, &rest);
    value_from_json(json, value);
    return value->kind != TEMPLATE_MISSING;
}

bool template_value_at(json_value json, str path, struct template_value *value)
{
    return value_walk(json, path, value);
}

/* ---- truth and order ---- */

bool value_is_blank(const struct template_value *value)
{
    if (value->kind == TEMPLATE_TEXT)
        return str_trim(value->text).size == 0;
    if (value->kind == TEMPLATE_JSON)
        return json_kind(value->json) != JSON_INT && json_count(value->json) == 0;
    return value->kind == TEMPLATE_MISSING;
}

bool template_value_is_true(const struct template_value *value)
{
    return value->kind == TEMPLATE_BOOL ? value->number != 0 : !value_is_blank(value);
}

bool value_number(const struct template_value *value, int64_t *millionths)
{
    if (value->kind == TEMPLATE_NUMBER)
        *millionths = value->number;
    return value->kind == TEMPLATE_NUMBER ||
           (value->kind == TEMPLATE_TEXT && number_parse(str_trim(value->text), millionths));
}

static bool value_time(const struct rendering *rendering, const struct template_value *value,
                       int64_t *time_ms)
{
    if (value->kind == TEMPLATE_TIME)
        *time_ms = value->number;
    return value->kind == TEMPLATE_TIME ||
           (value->kind == TEMPLATE_TEXT &&
            time_parse(value->text, rendering->values->zone_offset_seconds / 60, time_ms));
}

static enum value_order order_of(int64_t a, int64_t b)
{
    return a < b ? VALUE_LESS : a > b ? VALUE_MORE : VALUE_SAME;
}

/* Times with times, numbers with numbers (also where one of them is a text), texts by bytes. */
enum value_order value_compare(const struct rendering *rendering, const struct template_value *a,
                               const struct template_value *b)
{
    int64_t x, y;
    if (a->kind == TEMPLATE_MISSING || b->kind == TEMPLATE_MISSING)
        return VALUE_APART;
    if (a->kind == TEMPLATE_BOOL || b->kind == TEMPLATE_BOOL)
        return a->kind == b->kind && a->number == b->number ? VALUE_SAME : VALUE_APART;
    if (a->kind == TEMPLATE_TIME || b->kind == TEMPLATE_TIME)
        return value_time(rendering, a, &x) && value_time(rendering, b, &y) ? order_of(x, y)
                                                                            : VALUE_APART;
    if (a->kind == TEMPLATE_NUMBER || b->kind == TEMPLATE_NUMBER)
        return value_number(a, &x) && value_number(b, &y) ? order_of(x, y) : VALUE_APART;
    if (a->kind == TEMPLATE_TEXT && b->kind == TEMPLATE_TEXT) {
        int order = str_compare(a->text, b->text);
        return order < 0 ? VALUE_LESS : order > 0 ? VALUE_MORE : VALUE_SAME;
    }
    return VALUE_APART;
}

static bool list_contains(struct rendering *rendering, json_value list,
                          const struct template_value *part)
{
    struct json_iterator iterator = json_iterate(list);
    struct template_value element;
    json_value json;
    while (json_next(&iterator, NULL, &json)) {
        value_from_json(json, &element);
        if (value_compare(rendering, &element, part) == VALUE_SAME)
            return true;
    }
    return false;
}

err value_contains(struct rendering *rendering, const struct template_value *whole,
                   const struct template_value *part, bool *out)
{
    str text, wanted;
    *out = false;
    if (whole->kind == TEMPLATE_MISSING || part->kind == TEMPLATE_MISSING)
        return ERR_OK;
    if (whole->kind == TEMPLATE_JSON && json_kind(whole->json) == JSON_ARRAY) {
        err error = rendering_spend(rendering, json_count(whole->json) * 64);
        if (error == ERR_OK)
            *out = list_contains(rendering, whole->json, part);
        return error;
    }
    err error = value_text(rendering, whole, &text);
    if (error == ERR_OK)
        error = value_text(rendering, part, &wanted);
    if (error == ERR_OK)
        error = rendering_spend(rendering, text.size);
    if (error == ERR_OK)
        *out = wanted.size > 0 && str_contains(text, wanted);
    return error;
}

/* ---- as text ---- */

err value_text(struct rendering *rendering, const struct template_value *value, str *out)
{
    char number[NUMBER_BYTES];
    struct buffer text;
    switch (value->kind) {
    case TEMPLATE_TEXT:
        *out = value->text;
        return ERR_OK;
    case TEMPLATE_NUMBER:
        return arena_dup(&rendering->scratch,
                         str_from_bytes(number, number_write(value->number, -1, false, number)),
                         out);
    case TEMPLATE_BOOL:
        *out = value->number != 0 ? STR("true") : STR("false");
        return ERR_OK;
    case TEMPLATE_TIME:
        return time_text(rendering, value->number, STR_NONE, out);
    case TEMPLATE_JSON:
        if (json_kind(value->json) != JSON_INT)
            return rendering_fail(rendering, "a list or an object cannot be written out; take a "
                                             "member of it, or the filter 'join'");
        buffer_init(&text, NUMBER_BYTES);
        json_write_value(&text, value->json);
        err error = arena_dup(&rendering->scratch, buffer_str(&text), out);
        buffer_deinit(&text);
        return error;
    case TEMPLATE_MISSING:
    default:
        *out = STR_NONE;
        return ERR_OK;
    }
}
