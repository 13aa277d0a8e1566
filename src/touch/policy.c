/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what the operator has laid down about sending, from JSON (docs/touches.md) into structs that gates read. */
#include <stdio.h>
#include <string.h>

#include "touch/inside.h"

#define POLICY_BYTES_MAX ((size_t)4 << 20)

static err wrong(struct problem *problem, const char *pointer, const char *what)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", what);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static err duration_member(json_value object, str name, int64_t otherwise, const char *pointer,
                           int64_t *ms, struct problem *problem)
{
    json_value value = json_get(object, name);
    *ms = otherwise;
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return ERR_OK;
    if (duration_parse(json_text(value), ms) && *ms >= 0 && *ms <= TOUCH_REMEMBERED_MS)
        return ERR_OK;
    char at[160];
    snprintf(at, sizeof at, "%s/%.*s", pointer, STR_ARG(name));
    return wrong(problem, at,
                 "a duration is a number and a unit, at most 400 days: \"7d\", \"12h\"");
}

/* "21:30" → seconds of the day; "24:00" is its end. */
bool touches_time_of_day_parse(str text, int32_t *seconds)
{
    int64_t hours, minutes;
    if (text.size != 5 || text.data[2] != ':' || !str_to_int64(str_slice(text, 0, 2), &hours) ||
        !str_to_int64(str_slice(text, 3, 5), &minutes) || hours < 0 || minutes < 0 ||
        minutes > 59 || hours > 24 || (hours == 24 && minutes > 0))
        return false;
    *seconds = (int32_t)(hours * 3600 + minutes * 60);
    return true;
}

static bool one_of(str text, const char *const *words, size_t count, unsigned *index)
{
    for (*index = 0; *index < count; ++*index)
        if (str_equal(text, str_from_c(words[*index])))
            return true;
    return false;
}

/* ---- caps ---- */

static err cap_window(json_value json, const char *pointer, struct cap *cap,
                      struct problem *problem)
{
    static const char *const calendars[] = { "", "day", "week", "month" };
    str calendar = json_text(json_get(json, STR("calendar")));
    unsigned index;
    if (calendar.size > 0) {
        if (!one_of(calendar, calendars, 4, &index) || index == 0)
            return wrong(problem, pointer, "a calendar is day, week or month");
        cap->calendar = (enum cap_calendar)index;
        return ERR_OK;
    }
    err error = duration_member(json, STR("window"), 0, pointer, &cap->window_ms, problem);
    if (error == ERR_OK && cap->window_ms <= 0)
        return wrong(problem, pointer,
                     "a cap has a window (\"7d\") or a calendar (day, week, month)");
    return error;
}

err touches_cap_parse(struct arena *arena, json_value json, const char *pointer, struct cap *cap,
                      struct problem *problem)
{
    static const char *const scopes[] = { "all", "channel", "purpose", "brand", "journey" };
    str per = json_text(json_get(json, STR("per"))),
        value = json_text(json_get(json, STR("value")));
    str over = json_text(json_get(json, STR("over"))),
        zone = json_text(json_get(json, STR("zone")));
    str max_text = json_text(json_get(json, STR("max")));
    int64_t max = json_int(json_get(json, STR("max")), -1);
    unsigned index = 0;
    *cap = (struct cap){ .scope = CAP_ALL };
    if (per.size > 0 && !one_of(per, scopes, 5, &index))
        return wrong(problem, pointer, "a cap is per all, channel, purpose, brand or journey");
    cap->scope = (enum cap_scope)index;
    cap->is_days_in_month = str_equal(max_text, STR("days_in_month"));
    if (!cap->is_days_in_month && (max < 0 || max > 1000000))
        return wrong(problem, pointer, "a cap's max is a number from 0 to 1,000,000");
    if (over.size > 0 && !str_equal(over, STR("drop")) && !str_equal(over, STR("hold")))
        return wrong(problem, pointer, "over is hold or drop");
    if (zone.size > 0 && !str_equal(zone, STR("workspace")) && !str_equal(zone, STR("customer")))
        return wrong(problem, pointer, "zone is workspace or customer");
    cap->max = cap->is_days_in_month ? 0 : (uint32_t)max;
    cap->value = touches_text_hash(value);
    cap->holds = str_equal(over, STR("hold"));
    cap->customer_zone = str_equal(zone, STR("customer"));
    err error = cap_window(json, pointer, cap, problem);
    if (error == ERR_OK && cap->is_days_in_month && cap->calendar != CAP_MONTH)
        return wrong(problem, pointer, "days_in_month goes with the calendar month");
    return error == ERR_OK ? arena_dup(arena, json_text(json_get(json, STR("name"))), &cap->name)
                           : error;
}

/* ---- the rest ---- */

static err quiet_parse(json_value json, const char *pointer, struct quiet *quiet,
                       struct problem *problem)
{
    *quiet = (struct quiet){
        .channel = touches_text_hash(json_text(json_get(json, STR("channel")))),
        .purpose = touches_text_hash(json_text(json_get(json, STR("purpose")))),
        .customer_zone = !str_equal(json_text(json_get(json, STR("zone"))), STR("workspace")),
        .drops = str_equal(json_text(json_get(json, STR("over"))), STR("drop")),
        .transactional_too = json_bool(json_get(json, STR("transactional")), false),
    };
    if (!touches_time_of_day_parse(json_text(json_get(json, STR("from"))), &quiet->from_s) ||
        !touches_time_of_day_parse(json_text(json_get(json, STR("to"))), &quiet->to_s) ||
        quiet->from_s == quiet->to_s)
        return wrong(problem, pointer,
                     "quiet hours go from one time of the day to another: \"21:30\"");
    return ERR_OK;
}

static err budget_parse(struct arena *arena, json_value json, const char *pointer,
                        struct budget *budget, struct problem *problem)
{
    static const char *const pers[] = { "total", "day", "month" };
    str journey = json_text(json_get(json, STR("journey")));
    str campaign = json_text(json_get(json, STR("campaign")));
    str per = json_text(json_get(json, STR("per")));
    unsigned index = 0;
    *budget = (struct budget){ .amount_minor = json_int(json_get(json, STR("amount")), -1) };
    if (budget->amount_minor < 0)
        return wrong(problem, pointer, "a budget's amount is a whole number in minor units (fen)");
    if (per.size > 0 && !one_of(per, pers, 3, &index))
        return wrong(problem, pointer, "a budget is per total, day or month");
    budget->per = index;
    budget->scope = journey.size > 0    ? BUDGET_JOURNEY
                    : campaign.size > 0 ? BUDGET_CAMPAIGN
                                        : BUDGET_ALL;
    budget->holds = str_equal(json_text(json_get(json, STR("over"))), STR("hold")) &&
                    budget->per != BUDGET_TOTAL;
    err error = arena_dup(arena, journey.size > 0 ? journey : campaign, &budget->value);
    return error == ERR_OK ? arena_dup(arena, json_text(json_get(json, STR("name"))), &budget->name)
                           : error;
}

static err share_parse(struct policy *policy, str journey, json_value percent, const char *pointer,
                       struct problem *problem)
{
    double value = json_double(percent, -1);
    if (value < 0 || value > 100)
        return wrong(problem, pointer, "a hold-out is a percentage from 0 to 100");
    struct share *share = &policy->shares[policy->share_count++];
    share->millionths = (uint32_t)(value * 10000 + 0.5);
    return arena_dup(&policy->arena, journey, &share->journey);
}

static err list_begin(json_value body, str name, const char *pointer, json_value *list,
                      size_t *count, struct problem *problem)
{
    *list = json_get(body, name);
    *count = json_count(*list);
    if (json_kind(*list) != JSON_MISSING && json_kind(*list) != JSON_NULL &&
        json_kind(*list) != JSON_ARRAY)
        return wrong(problem, pointer, "this is a list");
    if (*count > POLICY_LIST_MAX)
        return wrong(problem, pointer, "a list of the policy has at most 100 rows");
    return ERR_OK;
}

#define LIST(member, counter, type, name, parse_call)                               \
    do {                                                                            \
        json_value list, item;                                                      \
        size_t count;                                                               \
        err listed = list_begin(body, STR(name), "/" name, &list, &count, problem); \
        if (listed != ERR_OK)                                                       \
            return listed;                                                          \
        policy->member = arena_array(&policy->arena, type, count + 1);              \
        if (policy->member == NULL)                                                 \
            return ERR_NOMEM;                                                       \
        struct json_iterator iterator = json_iterate(list);                         \
        while (json_next(&iterator, NULL, &item)) {                                 \
            char pointer[64];                                                       \
            snprintf(pointer, sizeof pointer, "/" name "/%zu", policy->counter);    \
            type *row = &policy->member[policy->counter];                           \
            err error = parse_call;                                                 \
            if (error != ERR_OK)                                                    \
                return error;                                                       \
            policy->counter++;                                                      \
        }                                                                           \
    } while (0)

static err consent_parse(struct arena *arena, json_value json, const char *pointer,
                         struct consent_rule *rule, struct problem *problem)
{
    str needs = json_text(json_get(json, STR("needs")));
    if (!str_equal(needs, STR("granted")) && !str_equal(needs, STR("not_refused")))
        return wrong(problem, pointer, "a purpose needs granted or not_refused");
    rule->unless_refused = str_equal(needs, STR("not_refused"));
    return arena_dup(arena, json_text(json_get(json, STR("purpose"))), &rule->purpose);
}

static err shares_parse(struct policy *policy, json_value body, struct problem *problem)
{
    json_value hold_out = json_get(body, STR("hold_out")), value;
    json_value journeys = json_get(hold_out, STR("journeys"));
    struct json_iterator iterator = json_iterate(journeys);
    str journey;
    err error = ERR_OK;
    if (json_count(journeys) > POLICY_LIST_MAX)
        return wrong(problem, "/hold_out/journeys", "at most 100 journeys have a hold-out here");
    policy->shares = arena_array(&policy->arena, struct share, json_count(journeys) + 1);
    if (policy->shares == NULL)
        return ERR_NOMEM;
    if (json_kind(json_get(hold_out, STR("percent"))) != JSON_MISSING)
        error = share_parse(policy, STR_NONE, json_get(hold_out, STR("percent")),
                            "/hold_out/percent", problem);
    while (error == ERR_OK && json_next(&iterator, &journey, &value))
        error = share_parse(policy, journey, value, "/hold_out/journeys", problem);
    return error;
}

static err parse(struct policy *policy, json_value body, struct problem *problem)
{
    json_value duplicates = json_get(body, STR("duplicates"));
    LIST(caps, cap_count, struct cap, "frequency",
         touches_cap_parse(&policy->arena, item, pointer, row, problem));
    LIST(quiets, quiet_count, struct quiet, "quiet_hours",
         quiet_parse(item, pointer, row, problem));
    LIST(budgets, budget_count, struct budget, "budgets",
         budget_parse(&policy->arena, item, pointer, row, problem));
    LIST(consents, consent_count, struct consent_rule, "consent",
         consent_parse(&policy->arena, item, pointer, row, problem));
    err error = shares_parse(policy, body, problem);
    if (error == ERR_OK)
        error = duration_member(body, STR("settle"), 0, "", &policy->settle_ms, problem);
    if (error == ERR_OK)
        error = duration_member(body, STR("expires"), 3 * DAY_MS, "", &policy->expires_ms, problem);
    if (error == ERR_OK)
        error = duration_member(duplicates, STR("order"), 30 * DAY_MS, "/duplicates",
                                &policy->order_window_ms, problem);
    if (error == ERR_OK)
        error = duration_member(duplicates, STR("content"), 7 * DAY_MS, "/duplicates",
                                &policy->content_window_ms, problem);
    if (error == ERR_OK)
        error = arena_dup(&policy->arena, json_text(json_get(body, STR("test_segment"))),
                          &policy->test_segment);
    if (error == ERR_OK)
        error = arena_dup(&policy->arena, json_text(json_get(body, STR("link_base"))),
                          &policy->link_base);
    return error;
}

err touches_policy_new(struct policy **made, json_value body, struct problem *problem)
{
    struct policy *policy = memory_alloc(sizeof *policy);
    struct buffer text;
    if (policy == NULL)
        return ERR_NOMEM;
    arena_init(&policy->arena, "touch_policy", POLICY_BYTES_MAX);
    buffer_init(&text, POLICY_BYTES_MAX / 4);
    json_write_value(&text, body);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = arena_dup(&policy->arena, buffer_str(&text), &policy->body);
    if (error == ERR_OK)
        error = parse(policy, body, problem);
    buffer_deinit(&text);
    if (error != ERR_OK)
        touches_policy_free(&policy);
    else
        *made = policy;
    return error;
}

void touches_policy_free(struct policy **policy)
{
    if (*policy == NULL)
        return;
    arena_deinit(&(*policy)->arena);
    memory_free(*policy);
    *policy = NULL;
}
