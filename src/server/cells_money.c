/* SPDX-License-Identifier: Apache-2.0 */
/* cells_money: what few people brought, and what tells it: money of reports, and the intervals made of it. See cells.h.
 *
 * Money beside a rounded count would tell what the count does not: that of two reports a day apart is what one customer brought in
 * between. So it has steps, too, about as large as what N of these customers brought together. */
#include <math.h>

#include "server/cells.h"

#define Z_95 1.959963984540054
#define AMOUNT_MAX 9e18 /* below the largest integer, however a double is rounded */

struct arm {
    int64_t entered, reached, value; /* as they are shown */
};

/* The largest of 1, 2, 5, 10, 20, … that is not above `amount`. */
static int64_t round_number_below(int64_t amount)
{
    int64_t power = 1;
    while (power <= amount / 10)
        power *= 10;
    if (power <= amount / 5)
        return 5 * power;
    return power <= amount / 2 ? 2 * power : power;
}

int64_t cells_money(int64_t amount, int64_t people, int64_t step)
{
    if (people < step || people < 1)
        return 0;
    double of_step = fabs((double)amount) / (double)people * (double)step;
    int64_t unit =
        round_number_below(of_step < AMOUNT_MAX ? (int64_t)of_step : (int64_t)AMOUNT_MAX);
    return amount - amount % unit;
}

static struct arm arm_of(json_value arm, int64_t step)
{
    int64_t entered = json_int(json_get(arm, STR("entered")), 0);
    int64_t reached = json_int(json_get(arm, STR("reached")), 0);
    int64_t value = json_int(json_get(arm, STR("value")), 0);
    return (struct arm){ .entered = entered - entered % step,
                         .reached = reached - reached % step,
                         .value = cells_money(value, reached, step) };
}

static void write_arm(struct json_writer *writer, str name, const struct arm *arm)
{
    json_put_key(writer, name);
    json_begin_object(writer);
    json_member_int(writer, STR("entered"), arm->entered);
    json_member_int(writer, STR("reached"), arm->reached);
    json_member_int(writer, STR("value"), arm->value);
    json_end_object(writer);
}

static void write_interval(struct json_writer *writer, str name, double difference, double half)
{
    json_put_key(writer, name);
    json_begin_object(writer);
    json_put_key(writer, STR("difference"));
    json_put_double(writer, difference);
    json_put_key(writer, STR("low"));
    json_put_double(writer, difference - half);
    json_put_key(writer, STR("high"));
    json_put_double(writer, difference + half);
    json_member_bool(writer, STR("significant"), difference - half > 0 || difference + half < 0);
    json_end_object(writer);
}

static double share_of(const struct arm *arm)
{
    return (double)arm->reached / (double)arm->entered;
}

static double share_variance(const struct arm *arm)
{
    double share = share_of(arm);
    return share * (1 - share) / (double)arm->entered;
}

/* A width tells how the money is spread: two digits of it are enough for an interval. */
static double two_digits(double width)
{
    if (!(width > 0))
        return 0;
    double unit = pow(10, floor(log10(width)) - 1);
    return ceil(width / unit) * unit;
}

static void write_money_interval(struct json_writer *writer, const struct arm *journey,
                                 const struct arm *control, json_value exact)
{
    double low = json_double(json_get(exact, STR("low")), 0);
    double high = json_double(json_get(exact, STR("high")), 0);
    write_interval(writer, STR("value_per_customer"),
                   (double)journey->value / (double)journey->entered -
                       (double)control->value / (double)control->entered,
                   two_digits((high - low) / 2));
}

bool cells_is_goal(json_value value)
{
    return json_kind(value) == JSON_OBJECT &&
           json_kind(json_get(value, STR("journey"))) == JSON_OBJECT &&
           json_kind(json_get(value, STR("control"))) == JSON_OBJECT;
}

void cells_write_goal(json_value goal, int64_t step, struct buffer *out)
{
    struct arm journey = arm_of(json_get(goal, STR("journey")), step);
    struct arm control = arm_of(json_get(goal, STR("control")), step);
    json_value money = json_get(goal, STR("value_per_customer"));
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("key"), json_text(json_get(goal, STR("key"))));
    json_member_text(&writer, STR("name"), json_text(json_get(goal, STR("name"))));
    write_arm(&writer, STR("journey"), &journey);
    write_arm(&writer, STR("control"), &control);
    if (journey.entered > 0 && control.entered > 0)
        write_interval(&writer, STR("lift"), share_of(&journey) - share_of(&control),
                       Z_95 * sqrt(share_variance(&journey) + share_variance(&control)));
    if (json_kind(money) == JSON_OBJECT && journey.reached > 0 && control.reached > 0)
        write_money_interval(&writer, &journey, &control, money);
    json_member_text(&writer, STR("final_on"), json_text(json_get(goal, STR("final_on"))));
    json_end_object(&writer);
}
