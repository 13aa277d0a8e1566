/* SPDX-License-Identifier: Apache-2.0 */
/* Customers, employees, groups, phones: who they are, and how much more they may be sent. */
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "sandbox/inside.h"

enum { NAME_PERSON = 10, NAME_PHONE = 20, NAME_CREDIT };
#define ZONE_MS (8 * HOUR_MS) /* providers count local days */

static hash128 person_key(const struct account *account, enum person_kind kind, str id)
{
    return name_hash(NAME_PERSON + (unsigned)kind, account, id, STR_NONE, STR_NONE);
}

struct person *person_find(struct sandbox *sandbox, const struct account *account,
                           enum person_kind kind, str id)
{
    return map_get(&sandbox->by_name, person_key(account, kind, id));
}

struct person *person_make(struct sandbox *sandbox, struct account *account, enum person_kind kind,
                           str id)
{
    struct person *person = person_find(sandbox, account, kind, id);
    if (person != NULL || id.size == 0 || id.size >= SANDBOX_ID_BYTES)
        return person;
    person = arena_new(&sandbox->arena, struct person);
    if (person == NULL ||
        map_put(&sandbox->by_name, person_key(account, kind, id), person) != ERR_OK)
        return NULL;
    person->account = account;
    person->kind = kind;
    memcpy(person->id, id.data, id.size);
    snprintf(person->adviser, sizeof person->adviser, "%s", "adviser");
    person->added_ms = sandbox_now(sandbox);
    if (sandbox->settings[SETTING_INTERACTED] != 0)
        person->interacted_ms = person->added_ms;
    person->next = sandbox->people;
    sandbox->people = person;
    return person;
}

struct person *person_of(struct sandbox *sandbox, struct account *account, enum person_kind kind,
                         str id)
{
    return sandbox->settings[SETTING_STRICT] != 0 ? person_find(sandbox, account, kind, id)
                                                  : person_make(sandbox, account, kind, id);
}

/* ---- quotas ---- */

/* Months since year 0, and days of this one. */
static int64_t month_of(int64_t local_ms, int64_t *days)
{
    struct date date = date_of_day(floor_div(local_ms, DAY_MS));
    *days = days_of_month(date.year, date.month);
    return date.year * 12 + date.month - 1;
}

bool person_take_quota(struct sandbox *sandbox, struct person *person)
{
    int64_t local_ms = sandbox_now(sandbox) + ZONE_MS, days;
    int64_t month = month_of(local_ms, &days), day = local_ms / DAY_MS;
    int64_t windows[] = { month, (day + 3) / 7, day, month }; /* weeks begin on Monday */
    int64_t most[] = { days, 7, 1, 4 };
    int64_t rule = sandbox->settings[SETTING_WECOM_RULE];
    if (person->quota_window != windows[rule]) {
        person->quota_window = windows[rule];
        person->quota_count = 0;
    }
    if (person->quota_count >= most[rule])
        return false;
    person->quota_count++;
    return true;
}

struct credit {
    int64_t left;
};

/* Subscriptions that are left: one "accept" is good for one message. NULL: out of memory. */
int64_t *credit_of(struct sandbox *sandbox, struct account *account, str person, str template_)
{
    hash128 key = name_hash(NAME_CREDIT, account, person, template_, STR_NONE);
    struct credit *credit = map_get(&sandbox->by_name, key);
    if (credit != NULL)
        return &credit->left;
    credit = arena_new(&sandbox->arena, struct credit);
    if (credit == NULL || map_put(&sandbox->by_name, key, credit) != ERR_OK)
        return NULL;
    credit->left = sandbox->settings[SETTING_CREDITS];
    return &credit->left;
}

static bool over(struct rate *rate, int64_t window, int64_t most)
{
    if (rate->window != window)
        *rate = (struct rate){ .window = window };
    return most > 0 && rate->count >= most;
}

/* "text", "hour", "day", or NULL; then it is counted. */
const char *phone_over_limit(struct sandbox *sandbox, struct account *account, str phone, str text)
{
    int64_t now_ms = sandbox_now(sandbox),
            pause_ms = sandbox->settings[SETTING_SMS_PER_SAME_TEXT_S] * SECOND_MS;
    uint64_t hash = hash_bytes64(text.data, text.size, 0);
    hash128 key = name_hash(NAME_PHONE, account, phone, STR_NONE, STR_NONE);
    struct phone *known = map_get(&sandbox->by_name, key);
    if (known == NULL) {
        known = arena_new(&sandbox->arena, struct phone);
        if (known == NULL || map_put(&sandbox->by_name, key, known) != ERR_OK)
            return "day";
    }
    if (known->last_text == hash && known->last_text_ms > 0 &&
        now_ms - known->last_text_ms < pause_ms)
        return "text";
    if (over(&known->hour, now_ms / HOUR_MS, sandbox->settings[SETTING_SMS_PER_HOUR]))
        return "hour";
    if (over(&known->day, (now_ms + ZONE_MS) / DAY_MS, sandbox->settings[SETTING_SMS_PER_DAY]))
        return "day";
    known->last_text = hash;
    known->last_text_ms = now_ms;
    known->hour.count++;
    known->day.count++;
    return NULL;
}
