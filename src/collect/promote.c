/* SPDX-License-Identifier: Apache-2.0 */
/* Promoted columns: typed values of well-known properties; amounts in minor units. */
#include <stdio.h>

#include "base/money.h"
#include "collect/inside.h"

#define PROMOTED_TEXT_BYTES_MAX 255

enum promoted_type { PROMOTED_TYPE_TEXT, PROMOTED_TYPE_INT, PROMOTED_TYPE_MONEY };

static const struct {
    str property;
    enum promoted_type type;
} promoted_columns[PROMOTED_COUNT] = {
#define X(NAME, column, name, type) \
    [PROMOTED_##NAME] = { { .data = name, .size = sizeof(name) - 1 }, PROMOTED_TYPE_##type },
    PROMOTED_TABLE(X)
#undef X
};

static void promote_text(struct event *event, unsigned column, str text)
{
    if (text.size == 0 || text.size > PROMOTED_TEXT_BYTES_MAX)
        return;
    event->promoted_text[column] = text;
    event->promoted_set |= UINT32_C(1) << column;
}

/* An integer is a code that somebody forgot to quote. */
static void promote_text_value(struct collect_worker *worker, unsigned column, json_value value)
{
    str text = json_text(value);
    if (json_kind(value) == JSON_INT &&
        arena_printf(&worker->arena, &text, "%lld", (long long)json_int(value, 0)) != ERR_OK) {
        worker->desk.starved = true;
        return;
    }
    promote_text(&worker->event, column, text);
}

static void set_number(struct event *event, unsigned column, int64_t number)
{
    event->promoted_int[column] = number;
    event->promoted_set |= UINT32_C(1) << column;
}

static void promote_int(struct event *event, unsigned column, json_value value)
{
    int64_t number;
    if (json_kind(value) == JSON_TEXT) {
        if (!str_to_int64(str_trim(json_text(value)), &number))
            return;
    } else {
        number = json_int(value, PROMOTED_MISSING);
    }
    if (number != PROMOTED_MISSING)
        set_number(event, column, number);
}

static void promote_money(struct event *event, unsigned column, int digits, json_value value)
{
    int64_t minor;
    bool good = json_kind(value) == JSON_TEXT
                    ? money_from_text(json_text(value), digits, &minor)
                    : (json_kind(value) == JSON_INT || json_kind(value) == JSON_DOUBLE) &&
                          money_from_double(json_double(value, 0), digits, &minor);
    if (good)
        set_number(event, column, minor);
}

#define CURRENCY_OTHERWISE STR("CNY")
#define BIT(column) (UINT32_C(1) << (column))
static const uint32_t money_columns =
#define X(NAME, column, name, type) \
    (PROMOTED_TYPE_##type == PROMOTED_TYPE_MONEY ? BIT(PROMOTED_##NAME) : 0) |
    PROMOTED_TABLE(X)
#undef X
        0;

/* quantity × price, rounded half-even; either may be written as text, no quantity is one. */
static bool line_amount(json_value price, json_value quantity, int digits, int64_t *minor)
{
    char room[32];
    double pieces = json_double(quantity, 1);
    str quantity_text = json_text(quantity);
    if (json_kind(price) == JSON_TEXT) {
        if (json_kind(quantity) != JSON_TEXT)
            quantity_text =
                str_from_bytes(room, (size_t)snprintf(room, sizeof room, "%.15g", pieces));
        return money_line_from_text(json_text(price), quantity_text, digits, minor);
    }
    if (json_kind(price) != JSON_INT && json_kind(price) != JSON_DOUBLE)
        return false;
    if (json_kind(quantity) == JSON_TEXT && !str_to_double(str_trim(quantity_text), &pieces))
        return false;
    return money_line_from_double(json_double(price, 0), pieces, digits, minor);
}

/* The sum over the lines of an order; false when one of them has no amount. */
static bool sum_lines(json_value products, int digits, int64_t *sum)
{
    struct json_iterator iterator = json_iterate(products);
    json_value product;
    int64_t line;
    *sum = 0;
    while (json_next(&iterator, NULL, &product)) {
        if (!line_amount(json_get(product, STR("price")), json_get(product, STR("quantity")),
                         digits, &line) ||
            line > MONEY_MINOR_MAX - *sum || line < -MONEY_MINOR_MAX - *sum)
            return false;
        *sum += line;
    }
    return json_count(products) > 0;
}

static int currency_digits(const struct event *event)
{
    bool told = (event->promoted_set & BIT(PROMOTED_CURRENCY)) != 0;
    return told ? currency_minor_digits(event->promoted_text[PROMOTED_CURRENCY], NULL) : 2;
}

static void revenue_from_lines(struct event *event, json_value object)
{
    const uint32_t amounts = BIT(PROMOTED_REVENUE) | BIT(PROMOTED_TOTAL) | BIT(PROMOTED_VALUE);
    int64_t sum;
    if ((event->promoted_set & amounts) != 0 || (event->promoted_set & BIT(PROMOTED_DISCOUNT)) != 0)
        return;
    if (!sum_lines(json_get(object, STR("products")), currency_digits(event), &sum))
        return;
    event->promoted_int[PROMOTED_REVENUE] = sum;
    event->promoted_set |= BIT(PROMOTED_REVENUE);
}

/* An amount without its currency says nothing: the workspace's stands in. */
static void promote_currency(struct event *event)
{
    if ((event->promoted_set & money_columns) == 0 ||
        (event->promoted_set & BIT(PROMOTED_CURRENCY)) != 0)
        return;
    event->promoted_text[PROMOTED_CURRENCY] = CURRENCY_OTHERWISE;
    event->promoted_set |= BIT(PROMOTED_CURRENCY);
}

void promote_found(struct collect_worker *worker, json_value object, const json_value *found,
                   uint32_t found_set, bool lines_make_revenue)
{
    struct event *event = &worker->event;
    if ((found_set & BIT(PROMOTED_CURRENCY)) != 0)
        promote_text_value(worker, PROMOTED_CURRENCY, found[PROMOTED_CURRENCY]);
    int digits = currency_digits(event);
    for (uint32_t set = found_set & ~BIT(PROMOTED_CURRENCY); set != 0; set &= set - 1) {
        unsigned column = (unsigned)__builtin_ctz(set);
        switch (promoted_columns[column].type) {
        case PROMOTED_TYPE_TEXT:
            promote_text_value(worker, column, found[column]);
            break;
        case PROMOTED_TYPE_INT:
            promote_int(event, column, found[column]);
            break;
        case PROMOTED_TYPE_MONEY:
            promote_money(event, column, digits, found[column]);
            break;
        }
    }
    if (lines_make_revenue)
        revenue_from_lines(event, object);
    promote_currency(event);
}

void draft_promote_texts(struct event *event, const str *texts, uint32_t set)
{
    int64_t number;
    if ((set & BIT(PROMOTED_CURRENCY)) != 0)
        promote_text(event, PROMOTED_CURRENCY, texts[PROMOTED_CURRENCY]);
    int digits = currency_digits(event);
    for (uint32_t left = set & ~BIT(PROMOTED_CURRENCY); left != 0; left &= left - 1) {
        unsigned column = (unsigned)__builtin_ctz(left);
        switch (promoted_columns[column].type) {
        case PROMOTED_TYPE_TEXT:
            promote_text(event, column, texts[column]);
            break;
        case PROMOTED_TYPE_INT:
            if (str_to_int64(texts[column], &number) && number != PROMOTED_MISSING)
                set_number(event, column, number);
            break;
        case PROMOTED_TYPE_MONEY:
            if (money_from_text(texts[column], digits, &number))
                set_number(event, column, number);
            break;
        }
    }
    promote_currency(event);
}

uint8_t draft_promoted_column(str name)
{
    for (uint8_t i = 0; i < PROMOTED_COUNT; i++)
        if (str_equal(name, promoted_columns[i].property))
            return (uint8_t)(i + 1);
    return 0;
}
