/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_order: what is asked of a what-if, checked member by member. */
#include <stdio.h>
#include <unistd.h>

#include "engine/whatif/whatif_inside.h"

#define DEFINITION_BYTES_MAX ((size_t)4 << 20)
#define READ_AFTER_MS HOUR_MS

static uint32_t own_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 2 ? 1 : cores < WHATIF_THREADS_OWN ? (uint32_t)cores : WHATIF_THREADS_OWN;
}

void whatif_order_init(struct whatif_order *order)
{
    *order = (struct whatif_order){ .with_others = true,
                                    .with_imported = true,
                                    .tick_ms = MINUTE_MS,
                                    .days = 90,
                                    .shares = { -1, -1, -1 },
                                    .read_after_ms = READ_AFTER_MS,
                                    .examples = 5,
                                    .bytes_max = WHATIF_BYTES_MAX,
                                    .threads = own_threads() };
    order->minutes[CHANNEL_CALL_CENTER] = 5;
    order->minutes[CHANNEL_WECOM] = 1;
    buffer_init(&order->definition, DEFINITION_BYTES_MAX);
    buffer_init(&order->segment, 4096);
}

void whatif_order_deinit(struct whatif_order *order)
{
    buffer_deinit(&order->definition);
    buffer_deinit(&order->segment);
}

static err wrong(struct problem *problem, const char *pointer, const char *why)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", why);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static const char *const share_names[WHATIF_SHARES] = { "delivered", "read", "clicked" };

static err read_shares(struct whatif_order *order, json_value results, struct problem *problem)
{
    if (json_kind(results) == JSON_MISSING)
        return ERR_OK;
    if (!json_is_object(results))
        return wrong(problem, "/results", "results is an object: delivered, read, clicked");
    for (int i = 0; i < WHATIF_SHARES; i++) {
        json_value value = json_get(results, str_from_c(share_names[i]));
        double share = json_double(value, -1);
        if (json_kind(value) == JSON_MISSING)
            continue;
        if (share < 0 || share > 1)
            return wrong(problem, "/results", "a share is a number from 0 to 1");
        order->shares[i] = share;
    }
    return ERR_OK;
}

static err read_capacity(struct whatif_order *order, json_value capacity, struct problem *problem)
{
    json_value tasks = json_get(capacity, STR("tasks_per_day"));
    json_value call = json_get(capacity, STR("minutes_per_task"));
    json_value wecom = json_get(capacity, STR("minutes_per_message"));
    order->tasks_per_day = json_int(tasks, 0);
    order->minutes[CHANNEL_CALL_CENTER] = json_int(call, order->minutes[CHANNEL_CALL_CENTER]);
    order->minutes[CHANNEL_WECOM] = json_int(wecom, order->minutes[CHANNEL_WECOM]);
    if (order->tasks_per_day < 0 || order->minutes[CHANNEL_CALL_CENTER] < 0 ||
        order->minutes[CHANNEL_WECOM] < 0)
        return wrong(problem, "/capacity", "tasks and minutes are whole numbers from 0 on");
    return ERR_OK;
}

static err read_days(struct whatif_order *order, json_value body, int64_t now_ms,
                     struct problem *problem)
{
    str until = json_text(json_get(body, STR("until"))),
        from = json_text(json_get(body, STR("from")));
    order->days = json_int(json_get(body, STR("days")), order->days);
    order->to_ms = now_ms;
    if (order->days < 1 || order->days > WHATIF_DAYS_MAX)
        return wrong(problem, "/days", "days is a whole number from 1 to 400");
    if (until.size > 0 && (!time_parse(until, 8 * 60, &order->to_ms) || order->to_ms > now_ms))
        return wrong(problem, "/until", "until is a time (RFC 3339) that is over");
    order->from_ms = order->to_ms - order->days * DAY_MS;
    if (from.size > 0 &&
        (!time_parse(from, 8 * 60, &order->from_ms) || order->from_ms >= order->to_ms ||
         order->to_ms - order->from_ms > WHATIF_DAYS_MAX * DAY_MS))
        return wrong(problem, "/from",
                     "from is a time (RFC 3339), at most 400 days before the end");
    order->days = (order->to_ms - order->from_ms + DAY_MS - 1) / DAY_MS;
    return ERR_OK;
}

static err read_choices(struct whatif_order *order, json_value body, struct problem *problem)
{
    str version = json_text(json_get(body, STR("version")));
    str identities = json_text(json_get(body, STR("identities")));
    str tick = json_text(json_get(body, STR("tick")));
    json_value definition = json_get(body, STR("journey"));
    if (version.size > 0 && !str_equal(version, STR("draft")) &&
        !str_equal(version, STR("published")))
        return wrong(problem, "/version", "version is draft or published");
    order->draft = !str_equal(version, STR("published"));
    if (identities.size > 0 && !str_equal(identities, STR("today")) &&
        !str_equal(identities, STR("then")))
        return wrong(problem, "/identities", "identities is today or then");
    order->identities_then = str_equal(identities, STR("then"));
    order->with_others = json_bool(json_get(body, STR("others")), true);
    order->with_imported = json_bool(json_get(body, STR("imported")), true);
    order->examples = (size_t)json_int(json_get(body, STR("examples")), 5);
    if (order->examples > 50)
        return wrong(problem, "/examples", "examples is a whole number from 0 to 50");
    int64_t memory_mb = json_int(json_get(body, STR("memory_mb")), WHATIF_BYTES_MAX >> 20);
    if (memory_mb < 1 || memory_mb > (int64_t)(WHATIF_BYTES_MAX >> 20))
        return wrong(problem, "/memory_mb", "memory_mb is a whole number from 1 to 3072");
    order->bytes_max = (size_t)memory_mb << 20;
    int64_t threads = json_int(json_get(body, STR("threads")), order->threads);
    if (threads < 1 || threads > WHATIF_THREADS_MAX)
        return wrong(problem, "/threads", "threads is a whole number from 1 to 8");
    order->threads = (uint32_t)threads;
    if (tick.size > 0 && (!duration_parse(tick, &order->tick_ms) || order->tick_ms < MINUTE_MS ||
                          order->tick_ms > DAY_MS))
        return wrong(problem, "/tick", "tick is a duration from 1m to 1d");
    order->has_definition = json_is_object(definition);
    if (order->has_definition)
        json_write_value(&order->definition, definition);
    buffer_append_str(&order->segment, json_text(json_get(body, STR("segment"))));
    order->coupon_value_minor = json_int(json_get(body, STR("coupon_value")), 0);
    return buffer_status(&order->definition);
}

err whatif_order_read(struct whatif_order *order, str key, json_value body, int64_t now_ms,
                      struct problem *problem)
{
    snprintf(order->journey, sizeof order->journey, "%.*s", STR_ARG(str_slice(key, 0, 120)));
    err error = read_days(order, body, now_ms, problem);
    if (error == ERR_OK)
        error = read_choices(order, body, problem);
    if (error == ERR_OK)
        error = read_shares(order, json_get(body, STR("results")), problem);
    return error == ERR_OK ? read_capacity(order, json_get(body, STR("capacity")), problem) : error;
}
