/* SPDX-License-Identifier: Apache-2.0 */
/* cells_whatif: what a run of a what-if tells beside its counts: the advisers' work, what is left of budgets and of pools of coupons.
 * See cells.h.
 *
 * A budget does not say how many people spent it, so its money has the steps of the dearest kind of touch in the run: what N of those
 * cost together. */
#include <stdlib.h>

#include "server/answer.h"
#include "server/cells.h"

static int64_t member(json_value object, const char *name)
{
    return json_int(json_get(object, str_from_c(name)), 0);
}

static int64_t rounded(int64_t count, int64_t step)
{
    return count - count % step;
}

/* ---- advisers ---- */

bool cells_is_advisers(json_value value)
{
    return json_kind(value) == JSON_OBJECT &&
           json_kind(json_get(value, STR("minutes"))) == JSON_INT &&
           json_kind(json_get(value, STR("by_day"))) == JSON_ARRAY;
}

struct work {
    int64_t tasks, minutes, over_capacity, put_off;
};

static struct work work_of(json_value day, int64_t step)
{
    int64_t tasks = member(day, "tasks");
    return (struct work){ .tasks = rounded(tasks, step),
                          .minutes = cells_money(member(day, "minutes"), tasks, step),
                          .over_capacity = rounded(member(day, "over_capacity"), step),
                          .put_off = rounded(member(day, "put_off"), step) };
}

static void write_day(json_value day, const struct work *work, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("day"), json_text(json_get(day, STR("day"))));
    json_member_int(writer, STR("tasks"), work->tasks);
    json_member_int(writer, STR("minutes"), work->minutes);
    json_member_int(writer, STR("over_capacity"), work->over_capacity);
    json_member_int(writer, STR("put_off"), work->put_off);
    json_end_object(writer);
}

/* Days are counted as they are shown; the longest wait is one person's, and told where N waited. */
void cells_write_advisers(json_value advisers, int64_t step, struct buffer *out)
{
    struct json_iterator days = json_iterate(json_get(advisers, STR("by_day")));
    struct work all = work_of(advisers, step);
    struct json_writer writer;
    int64_t days_over = 0;
    json_value day;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("by_day"));
    json_begin_array(&writer);
    while (json_next(&days, NULL, &day)) {
        struct work work = work_of(day, step);
        days_over += work.over_capacity > 0;
        if (work.tasks > 0)
            write_day(day, &work, &writer);
    }
    json_end_array(&writer);
    json_member_int(&writer, STR("tasks"), all.tasks);
    json_member_int(&writer, STR("minutes"), all.minutes);
    json_member_int(&writer, STR("tasks_per_day"), member(advisers, "tasks_per_day"));
    json_member_int(&writer, STR("days_over_capacity"), days_over);
    json_member_int(&writer, STR("put_off"), all.put_off);
    json_member_int(&writer, STR("not_done"), rounded(member(advisers, "not_done"), step));
    json_member_int(&writer, STR("longest_wait_days"),
                    all.put_off > 0 ? member(advisers, "longest_wait_days") : 0);
    json_end_object(&writer);
}

/* ---- budgets ---- */

int64_t cells_money_unit(json_value money, int64_t step)
{
    struct json_iterator kinds = json_iterate(json_get(money, STR("kinds")));
    json_value kind;
    int64_t dearest = 0;
    while (json_next(&kinds, NULL, &kind)) {
        int64_t count = member(kind, "count"), amount = llabs(member(kind, "amount"));
        int64_t one = count > 0 ? amount / count + (amount % count != 0) : 0;
        dearest = one > dearest ? one : dearest;
    }
    return dearest > INT64_MAX / step ? INT64_MAX : dearest * step;
}

int64_t cells_in_steps(int64_t amount, int64_t unit)
{
    return unit > 0 ? amount - amount % unit : 0;
}

void cells_write_budget(json_value budget, int64_t unit, struct buffer *out)
{
    struct json_writer writer;
    int64_t amount = member(budget, "amount");
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("name"), json_text(json_get(budget, STR("name"))));
    json_member_text(&writer, STR("per"), json_text(json_get(budget, STR("per"))));
    json_member_int(&writer, STR("amount"), amount);
    json_member_int(&writer, STR("spent"), cells_in_steps(member(budget, "spent"), unit));
    json_member_int(&writer, STR("spent_most"), cells_in_steps(member(budget, "spent_most"), unit));
    json_member_int(&writer, STR("used_up"), /* few can use up a small one */
                    unit > 0 && amount >= unit ? member(budget, "used_up") : 0);
    json_end_object(&writer);
}

/* ---- pools ---- */

bool cells_is_pool(json_value value)
{
    return json_kind(value) == JSON_OBJECT && json_kind(json_get(value, STR("given"))) == JSON_INT;
}

/* What is left tells what was given. */
void cells_write_pool(json_value pool, int64_t step, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(pool);
    struct json_writer writer;
    int64_t given = member(pool, "given");
    json_value value;
    str key;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    while (json_next(&iterator, &key, &value)) {
        json_put_key(&writer, key);
        if (str_equal(key, STR("given")))
            json_put_int(&writer, rounded(given, step));
        else if (str_equal(key, STR("left")) && json_kind(value) == JSON_INT)
            json_put_int(&writer, json_int(value, 0) + given % step);
        else if (json_kind(value) == JSON_INT)
            json_put_int(&writer, json_int(value, 0));
        else
            json_put_text(&writer, json_text(value));
    }
    json_end_object(&writer);
}
