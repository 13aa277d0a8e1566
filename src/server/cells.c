/* SPDX-License-Identifier: Apache-2.0 */
/* cells: see cells.h. */
#include "server/cells.h"

#include <string.h>

#include "server/access_rules.h"
#include "server/answer.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)

/* Members that count customers, wherever they stand in these answers. */
static const char *const counted[] = {
    "count",   "base",     "customers", "identified", "linked",     "enters",    "leaves",
    "changes", "entered",  "left",      "inside",     "exited",     "control",   "failed",
    "waiting", "refused",  "reached",   "touched",    "goals",      "held",      "members",
    "touches", "held_out", "merged",    "passed",     "timeout",    "timed_out", "other",
    "queued",  "sent",     "delivered", "clicked",    "suppressed", "uncertain", "orders",
};
/* Members all of whose numbers do, by channel and reason, or by what became of them. */
static const char *const counted_by[] = { "reachable", "unreachable", "simulated", "actual",
                                          "totals" };
/* Members that are what somebody wrote: rules and definitions. Their numbers count nobody. */
static const char *const written[] = { "rule",  "measure", "definition", "journey",  "request",
                                       "parts", "values",  "stages",     "points_by" };
/* Members whose lines count touches: a line of few says that there are some. */
static const char *const lines_of_touches[] = { "touches", "held", "caps", "kinds", "by_day" };
/* Members that name customers as examples. */
static const char *const examples[] = { "sample", "entering", "leaving", "examples" };

struct cells {
    int64_t step;
    int64_t size, base; /* of a profile, rounded */
    int64_t people;     /* of the profile, as many as there are */
    int64_t money_unit; /* of budgets */
};

static bool is_one_of(str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(name, str_from_c(names[i])))
            return true;
    return false;
}
#define IS_IN(name, names) is_one_of(name, names, sizeof(names) / sizeof((names)[0]))

static int64_t rounded(const struct cells *cells, int64_t count)
{
    return count - count % cells->step;
}

static void put_int(struct buffer *out, int64_t value)
{
    buffer_printf(out, "%lld", (long long)value);
}

static bool write_number(void *context, str name, json_value value, struct buffer *out)
{
    (void)name;
    if (json_kind(value) != JSON_INT)
        return false;
    put_int(out, rounded(context, json_int(value, 0)));
    return true;
}

/* [[i, k, count], …] of a map: pairs that have too few in common are left out. */
static void write_pairs(const struct cells *cells, json_value pairs, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(pairs);
    json_value pair;
    bool first = true;
    buffer_append_byte(out, '[');
    while (json_next(&iterator, NULL, &pair)) {
        int64_t count = rounded(cells, json_int(json_at(pair, 2), 0));
        if (count == 0)
            continue;
        buffer_printf(out, "%s[%lld,%lld,%lld]", first ? "" : ",",
                      (long long)json_int(json_at(pair, 0), 0),
                      (long long)json_int(json_at(pair, 1), 0), (long long)count);
        first = false;
    }
    buffer_append_byte(out, ']');
}

/* Shares are made of the rounded counts: exact ones would tell the exact counts. */
static void write_line(const struct cells *cells, json_value line, struct buffer *out)
{
    int64_t count = rounded(cells, json_int(json_get(line, STR("count")), 0));
    int64_t base = rounded(cells, json_int(json_get(line, STR("base")), 0));
    double share = cells->size > 0 ? (double)count / (double)cells->size : 0;
    double base_share = cells->base > 0 ? (double)base / (double)cells->base : 0;
    double z = json_double(json_get(line, STR("z")), 0);
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("kind"), json_text(json_get(line, STR("kind"))));
    json_member_text(&writer, STR("key"), json_text(json_get(line, STR("key"))));
    json_member_text(&writer, STR("value"), json_text(json_get(line, STR("value"))));
    json_member_int(&writer, STR("count"), count);
    json_member_int(&writer, STR("base"), base);
    json_put_key(&writer, STR("share"));
    json_put_double(&writer, share);
    json_put_key(&writer, STR("base_share"));
    json_put_double(&writer, base_share);
    json_put_key(&writer, STR("lift"));
    json_put_double(&writer, base_share > 0 ? share / base_share : 0);
    json_put_key(&writer, STR("z"));
    json_put_double(&writer, (double)(int64_t)z);
    json_member_bool(&writer, STR("significant"),
                     json_bool(json_get(line, STR("significant")), false));
    json_end_object(&writer);
}

/* Those that are not of a line are a small cell, too: who sees the line and the whole would know them. */
static bool is_large(const struct cells *cells, json_value line)
{
    int64_t count = json_int(json_get(line, STR("count")), 0);
    int64_t base = json_int(json_get(line, STR("base")), 0);
    int64_t others = cells->people - count;
    return count >= cells->step && base >= cells->step && (others <= 0 || others >= cells->step);
}

static void write_lines(const struct cells *cells, json_value lines, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(lines);
    json_value line;
    bool first = true;
    buffer_append_byte(out, '[');
    while (json_next(&iterator, NULL, &line)) {
        if (!is_large(cells, line))
            continue;
        buffer_append_str(out, first ? STR("") : STR(","));
        first = false;
        write_line(cells, line, out);
    }
    buffer_append_byte(out, ']');
}

static bool write_cell(void *context, str name, json_value value, struct buffer *out);

/* {"count":…,"amount":…}, or the sum of such in `kinds`, which is made of what is shown. */
static bool is_money(json_value object)
{
    return json_kind(json_get(object, STR("amount"))) == JSON_INT &&
           (json_kind(json_get(object, STR("count"))) == JSON_INT ||
            json_kind(json_get(object, STR("kinds"))) == JSON_ARRAY);
}

/* Of a day it is of all kinds together: one that is dear would stand out of many that are not. */
static int64_t amount_shown(const struct cells *cells, str name, json_value object)
{
    struct json_iterator kinds = json_iterate(json_get(object, STR("kinds")));
    int64_t amount = json_int(json_get(object, STR("amount")), 0), sum = 0;
    json_value kind;
    if (json_kind(json_get(object, STR("count"))) == JSON_INT) {
        int64_t people = json_int(json_get(object, STR("count")), 0);
        return str_equal(name, STR("by_day")) ? cells_in_steps(amount, cells->money_unit)
                                              : cells_money(amount, people, cells->step);
    }
    while (json_next(&kinds, NULL, &kind))
        sum += amount_shown(cells, STR_NONE, kind);
    return sum;
}

static void write_money(struct cells *cells, str name, json_value object, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str key;
    bool first = true;
    buffer_append_byte(out, '{');
    while (json_next(&iterator, &key, &value)) {
        buffer_append_str(out, first ? STR("") : STR(","));
        first = false;
        json_write_text(out, key);
        buffer_append_byte(out, ':');
        if (str_equal(key, STR("amount")))
            put_int(out, amount_shown(cells, name, object));
        else
            json_write_replacing(out, key, value, write_cell, cells);
    }
    buffer_append_byte(out, '}');
}

/* Orders of the day and what they brought, by currency. */
static bool is_takings(json_value object)
{
    return json_kind(json_get(object, STR("orders"))) == JSON_INT &&
           json_kind(json_get(object, STR("net"))) == JSON_INT;
}

static void write_takings(const struct cells *cells, json_value line, struct buffer *out)
{
    int64_t orders = json_int(json_get(line, STR("orders")), 0);
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("currency"), json_text(json_get(line, STR("currency"))));
    json_member_int(&writer, STR("orders"), rounded(cells, orders));
    json_member_int(&writer, STR("net"),
                    cells_money(json_int(json_get(line, STR("net")), 0), orders, cells->step));
    json_member_int(&writer, STR("refunded"),
                    cells_money(json_int(json_get(line, STR("refunded")), 0), orders, cells->step));
    json_end_object(&writer);
}

/* Customers of a channel and how many of them are linked: the rate is made of what is shown. */
static bool is_link_rate(json_value object)
{
    return json_kind(json_get(object, STR("linked"))) == JSON_INT &&
           json_kind(json_get(object, STR("channel"))) == JSON_TEXT;
}

static void write_link_rate(const struct cells *cells, json_value line, struct buffer *out)
{
    int64_t customers = rounded(cells, json_int(json_get(line, STR("customers")), 0));
    int64_t linked = rounded(cells, json_int(json_get(line, STR("linked")), 0));
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("channel"), json_text(json_get(line, STR("channel"))));
    json_member_int(&writer, STR("customers"), customers);
    json_member_int(&writer, STR("linked"), linked);
    json_put_key(&writer, STR("rate"));
    json_put_double(&writer, customers > 0 ? (double)linked / (double)customers : 0);
    json_end_object(&writer);
}

static bool write_object(struct cells *cells, str name, json_value object, struct buffer *out)
{
    if (is_takings(object)) {
        write_takings(cells, object, out);
        return true;
    }
    if (is_link_rate(object)) {
        write_link_rate(cells, object, out);
        return true;
    }
    if (cells_is_advisers(object)) {
        cells_write_advisers(object, cells->step, out);
        return true;
    }
    if (cells_is_pool(object)) {
        cells_write_pool(object, cells->step, out);
        return true;
    }
    if (str_equal(name, STR("budgets"))) {
        cells_write_budget(object, cells->money_unit, out);
        return true;
    }
    if (IS_IN(name, counted_by)) {
        json_write_replacing(out, name, object, write_number, cells);
        return true;
    }
    if (cells_is_goal(object)) {
        cells_write_goal(object, cells->step, out);
        return true;
    }
    if (!is_money(object))
        return false;
    write_money(cells, name, object, out);
    return true;
}

/* How many a line is about; very many when it does not say. */
static int64_t count_of(json_value line)
{
    json_value count = json_get(line, STR("count"));
    if (json_kind(count) != JSON_INT)
        count = json_get(line, STR("touches"));
    return json_int(count, INT64_MAX);
}

static void write_lines_of_touches(struct cells *cells, str name, json_value lines,
                                   struct buffer *out)
{
    struct json_iterator iterator = json_iterate(lines);
    json_value line;
    bool first = true;
    buffer_append_byte(out, '[');
    while (json_next(&iterator, NULL, &line)) {
        if (count_of(line) < cells->step)
            continue;
        buffer_append_str(out, first ? STR("") : STR(","));
        first = false;
        json_write_replacing(out, name, line, write_cell, cells);
    }
    buffer_append_byte(out, ']');
}

static bool write_cell(void *context, str name, json_value value, struct buffer *out)
{
    struct cells *cells = context;
    enum json_kind kind = json_kind(value);
    if ((kind == JSON_OBJECT || kind == JSON_ARRAY) && IS_IN(name, written)) {
        json_write_value(out, value);
        return true;
    }
    if (kind == JSON_INT && IS_IN(name, counted)) {
        put_int(out, rounded(cells, json_int(value, 0)));
        return true;
    }
    if (kind == JSON_ARRAY && IS_IN(name, examples)) {
        buffer_append_str(out, STR("[]"));
        return true;
    }
    if (kind == JSON_ARRAY && str_equal(name, STR("pairs"))) {
        write_pairs(cells, value, out);
        return true;
    }
    if (kind == JSON_ARRAY && str_equal(name, STR("lines"))) {
        write_lines(cells, value, out);
        return true;
    }
    if (kind == JSON_ARRAY && IS_IN(name, lines_of_touches)) {
        write_lines_of_touches(cells, name, value, out);
        return true;
    }
    return kind == JSON_OBJECT && write_object(cells, name, value, out);
}

void cells_write(json_value answer, int64_t step, struct buffer *out)
{
    struct cells cells = { .step = step };
    cells.people = json_int(json_get(answer, STR("count")), 0);
    cells.size = rounded(&cells, cells.people);
    cells.base = rounded(&cells, json_int(json_get(answer, STR("base")), 0));
    json_value money = json_get(json_get(answer, STR("result")), STR("money"));
    cells.money_unit = cells_money_unit(money, step);
    json_write_replacing(out, STR_NONE, answer, write_cell, &cells);
}

/* Stores, products and the like are no people: what is asked or defined on them is told as it is. */
static bool is_about_objects(const struct request *request, json_value answer)
{
    str asked = json_text(json_get(request->json, STR("on")));
    str told = json_text(json_get(answer, STR("on")));
    return (asked.size > 0 && !str_equal(asked, STR("customer"))) ||
           (told.size > 0 && !str_equal(told, STR("customer")));
}

static bool counts_customers(const struct request *request)
{
    static const char *const operations[] = {
#define X(operation) #operation,
        CELL_OPERATIONS(X)
#undef X
    };
    return is_one_of(str_from_c(request->route->operation), operations,
                     sizeof operations / sizeof operations[0]);
}

err cells_cut(struct request *request, struct problem *problem)
{
    int64_t step = access_rule(request->server, ACCESS_RULE_SMALL_CELLS);
    struct buffer cut;
    json_value root;
    if (step < 2 || request->out.size == 0 || !counts_customers(request) ||
        permissions_hold(&request->actor.permissions, PERMISSION_SMALL_CELL_SEE))
        return ERR_OK;
    err error = json_parse(request->scratch, buffer_str(&request->out), &root, problem);
    if (error != ERR_OK || is_about_objects(request, root))
        return error;
    buffer_init(&cut, TEXT_BYTES_MAX);
    cells_write(root, step, &cut);
    buffer_clear(&request->out);
    buffer_append_str(&request->out, buffer_str(&cut));
    error = buffer_status(&cut);
    buffer_deinit(&cut);
    return error;
}
