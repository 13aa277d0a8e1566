/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: any JSON is refused with a reason, or made; what is made is written to what is made again to the same; it is judged at
 * any moment, explained, said and asked in SQL, and what is said to hold holds longer than now.
 *
 * The catalogue knows one-letter names, whose letter says the kind: t text, n number, m money, d time, b bool, l list. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "history/history.h"
#include "rule/rule.h"

#define NOW INT64_C(1781748000000)
#define EVENTS 24

static struct json_parser *parser, *parser_again;
static struct history *history;
static struct history_reader *reader;
static struct rule_judge *judge;
static struct rule_catalogue catalogue;
static struct rule_facts facts;
static struct rule_objects objects;
static struct history_row rows[EVENTS];
static struct history_value values[EVENTS][8];
static struct buffer first, second;

static const struct {
    const char *path;
    enum column_kind kind;
} columns[] = {
    { "t", COLUMN_TEXT },    { "n", COLUMN_INT },         { "m", COLUMN_MONEY },
    { "d", COLUMN_TIME },    { "b", COLUMN_BOOL },        { "l", COLUMN_TEXTS },
    { "x", COLUMN_DECIMAL }, { "order_id", COLUMN_TEXT }, { "revenue", COLUMN_MONEY },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* ---- names ---- */

static bool any_event(void *context, str name)
{
    (void)context;
    return name.size > 0 && name.size < 20;
}

static bool property(void *context, str event, str path, enum column_kind *kind)
{
    (void)context;
    (void)event;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (str_equal(path, str_from_c(columns[i].path))) {
            *kind = columns[i].kind;
            return true;
        }
    }
    return false;
}

static bool symbol_of(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    static const char letters[] = "tnmdbl";
    if (name.size != 1 || name.data[0] == '\0' || strchr(letters, name.data[0]) == NULL)
        return false;
    symbol->number = (uint32_t)(strchr(letters, name.data[0]) - letters);
    symbol->kind = (enum rule_kind[]){ RULE_TEXT, RULE_NUMBER, RULE_MONEY,
                                       RULE_TIME, RULE_BOOL,   RULE_TEXTS }[symbol->number];
    return true;
}

static bool object(void *context, str kind, str path, struct rule_symbol *symbol)
{
    str tag = STR("tag:");
    if (path.size == 0)
        return symbol_of(context, kind, symbol);
    return symbol_of(
        context, str_starts_with(path, tag) ? str_slice(path, tag.size, path.size) : path, symbol);
}

static void suggest(void *context, const char *what, str wrong, struct buffer *out)
{
    (void)context;
    (void)what;
    struct rule_suggestions like = { 0 };
    for (size_t i = 0; i < COLUMNS; i++)
        rule_suggestions_offer(&like, wrong, str_from_c(columns[i].path));
    rule_suggestions_write(&like, out);
}

/* ---- facts ---- */

static bool value_of(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    static const str texts[] = { { "u1", 2 }, { "tea", 3 } };
    (void)context;
    value->text = STR("tea");
    value->texts = texts;
    value->text_count = 2;
    value->number = symbol == 3 ? NOW - INT64_C(9000) * DAY_MS : symbol == 4 ? 1 : 12500000;
    return customer % 2 == 0;
}

static bool bit(void *context, uint32_t customer, uint32_t symbol)
{
    (void)context;
    return (customer + symbol) % 2 == 0;
}

static bool consent(void *context, uint32_t customer, uint32_t symbol, bool *granted)
{
    *granted = symbol % 2 == 0;
    return bit(context, customer, symbol);
}

static uint32_t object_count(void *context, uint32_t kind)
{
    (void)context;
    return kind + 2;
}

static bool object_id(void *context, uint32_t kind, uint32_t number, str *id)
{
    (void)context;
    (void)kind;
    *id = number == 0 ? STR("tea") : STR("u1");
    return number < 2;
}

static bool object_value(void *context, uint32_t kind, uint32_t number, uint32_t symbol,
                         struct rule_value *value)
{
    return value_of(context, kind + number, symbol, value);
}

static uint64_t object_version(void *context, uint32_t kind)
{
    (void)context;
    return kind;
}

static const struct rule_touch *touches(void *context, uint32_t customer, size_t *count)
{
    static const struct rule_touch sent[] = {
        { .time_ms = NOW - DAY_MS, .seq = 1, .journey = { "t", 1 }, .status = { "delivered", 9 } }
    };
    (void)context;
    *count = customer % 2;
    return sent;
}

/* ---- history ---- */

static void make_row(size_t index)
{
    static const char *const types[] = { "a", "b", "Order Paid", "Order Refunded" };
    static const str list[] = { { "tea", 3 }, { "ski", 3 } };
    struct history_row *row = &rows[index];
    *row = (struct history_row){
        .node = 2,
        .seq = index + 1,
        .time_ms = NOW - (int64_t)(index % 12) * 5 * DAY_MS + (int64_t)(index % 3) - 1,
        .type = str_from_c(types[index % 4]),
        .channel = STR("web"),
        .values = values[index],
    };
    for (size_t i = 0; i < 8; i++) {
        if ((index + i) % 3 == 0)
            continue;
        struct history_value *value = &values[index][row->value_count++];
        *value = (struct history_value){
            .column = history_column_find(history, str_from_c(columns[i].path), columns[i].kind),
            .number = columns[i].kind == COLUMN_TIME ? row->time_ms : (int64_t)index * 1000,
            .text = index % 2 == 0 ? STR("tea") : STR("u1"),
            .texts = list,
            .text_count = 2,
        };
    }
}

static void set_up(void)
{
    struct history_config config = { .memory_bytes_max = (size_t)64 << 20 };
    INVARIANT(json_parser_new(&parser, 1 << 20) == ERR_OK);
    INVARIANT(json_parser_new(&parser_again, 8 << 20) == ERR_OK);
    INVARIANT(history_new(&history, &config) == ERR_OK);
    for (size_t i = 0; i < COLUMNS; i++) {
        history_column column;
        INVARIANT(history_add_column(history, str_from_c(columns[i].path), columns[i].kind, &column,
                                     NULL) == ERR_OK);
    }
    INVARIANT(history_load_begin(history) == ERR_OK);
    for (size_t i = 0; i < EVENTS; i++)
        make_row(i);
    struct history_row known = rows[2]; /* some names and texts are known, others a reader's own */
    INVARIANT(history_load_row(history, &known) == ERR_OK);
    INVARIANT(history_load_end(history) == ERR_OK);
    INVARIANT(history_reader_new(&reader, history) == ERR_OK);
    INVARIANT(rule_judge_new(&judge) == ERR_OK);
    catalogue = (struct rule_catalogue){
        .event = any_event,
        .property = property,
        .trait = symbol_of,
        .tag = symbol_of,
        .segment = symbol_of,
        .identifier_type = symbol_of,
        .consent = symbol_of,
        .relation = symbol_of,
        .object = object,
        .suggest = suggest,
        .history = history,
        .channel = symbol_of,
    };
    objects = (struct rule_objects){ NULL, object_count, object_id, object_value, object_version };
    facts = (struct rule_facts){
        .trait = value_of,
        .tag = value_of,
        .segment = bit,
        .identifier = bit,
        .consent = consent,
        .relation = value_of,
        .reachable = bit,
        .me = STR("u1"),
        .touches = touches,
        .objects = &objects,
        .entered_ms = NOW - 30 * DAY_MS,
    };
    buffer_init(&first, (size_t)8 << 20);
    buffer_init(&second, (size_t)8 << 20);
}

static void check_judging(const struct rule *rule)
{
    struct history_view view;
    json_value why;
    struct rule_answer answer, again;
    history_read_begin(reader);
    INVARIANT(history_view_rows(reader, rows, EVENTS, &view) == ERR_OK);
    for (int64_t now = NOW - 40 * DAY_MS; now <= NOW + 1; now += 20 * DAY_MS) {
        rule_answer(judge, rule, 2, &view, &facts, now, &answer);
        INVARIANT(answer.until_ms > now);
        rule_answer(judge, rule, 2, &view, &facts, now + (answer.until_ms - now - 1) / 2, &again);
        INVARIANT(again.holds == answer.holds);
    }
    buffer_clear(&first);
    rule_explain(judge, rule, 3, &view, &facts, NOW, &first);
    history_read_end(reader);
    INVARIANT(rule_judge_status(judge) == ERR_OK);
    INVARIANT(first.failed || json_parse(parser_again, buffer_str(&first), &why, NULL) == ERR_OK);
}

static void check_writing(const struct rule *rule)
{
    json_value json;
    struct rule *copy;
    struct problem problem = { 0 };
    buffer_clear(&first);
    buffer_clear(&second);
    rule_write(rule, &first);
    INVARIANT(json_parse(parser_again, buffer_str(&first), &json, NULL) == ERR_OK);
    INVARIANT(rule_new(&copy, json, &catalogue, &problem) == ERR_OK);
    rule_write(copy, &second);
    INVARIANT(str_equal(buffer_str(&first), buffer_str(&second)));
    rule_free(&copy);
    buffer_clear(&first);
    rule_sentence(rule, STR("zh"), &first);
    rule_sentence(rule, STR("en"), &first);
    INVARIANT(str_is_utf8(buffer_str(&first)));
    buffer_clear(&first);
    err error = rule_sql(rule, NOW, &first, &problem);
    INVARIANT(error == ERR_OK || error == ERR_UNSUPPORTED || error == ERR_TOO_LARGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_value json;
    struct rule *rule;
    struct problem problem = { 0 };
    enum rule_kind kind;
    if (parser == NULL)
        set_up();
    if (size > 4096 || json_parse(parser, str_from_bytes(data, size), &json, NULL) != ERR_OK)
        return 0;
    if (rule_new(&rule, json, &catalogue, &problem) == ERR_OK) {
        check_judging(rule);
        check_writing(rule);
        rule_free(&rule);
    } else {
        INVARIANT(problem.error == ERR_UNPROCESSABLE && problem.detail[0] != '\0');
    }
    if (rule_measure_new(&rule, json, &catalogue, &kind, NULL) == ERR_OK)
        rule_free(&rule);
    return 0;
}
