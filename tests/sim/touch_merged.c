/* SPDX-License-Identifier: Apache-2.0 */
/* I4 in a whole house: two who had decided differently turn out to be one. Gate, rule, segment and count say the same of her: the
 * strictest until she decides again; taken back, each has her own; all of it the same after a restart. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "support/engine_house.h"

#define MOBILE "13812341001"

static uint64_t message_next = 1;

static void must(struct house *house, const char *operation, const char *body)
{
    struct buffer answer;
    buffer_init(&answer, 1 << 20);
    house_command(house, operation, body, 200, &answer);
    buffer_deinit(&answer);
}

static void say(struct house *house, const char *type, const char *user, const char *mobile,
                const char *order)
{
    char props[100];
    wall_clock_advance(&house->clock, MINUTE_MS);
    snprintf(props, sizeof props,
             order != NULL ? "{\"order_id\":\"%s\"}" : "{\"purpose\":\"marketing\"}", order);
    struct saying saying = { .message = message_next++,
                             .type = type,
                             .user = user,
                             .mobile = mobile,
                             .order_id = order,
                             .revenue = order != NULL ? 100 : 0,
                             .after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS,
                             .props = props };
    assert_ok(house_send(house, &saying, 1));
    assert_ok(engine_settle(house->engine, false, -1));
}

/* ---- looking ---- */

struct look {
    struct engine_question question;
    uint32_t customer;
    char merge[40];
    bool is_in, is_live;
    struct buffer text;
};

static void ask(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    uint32_t found = 0;
    size_t count = 0;
    assert_ok(audience_members(state->audience, AUDIENCE_SEGMENT, STR("agreed"), STR_NONE,
                               look->customer - 1, &found, 1, &count));
    look->is_in = count == 1 && found == look->customer;
    snprintf(look->merge, sizeof look->merge, "{\"merge_id\":%u}",
             identity_merge_count(state->identity));
    buffer_clear(&look->text);
    journey_write_all(state->journeys, STR_NONE, STR_NONE, &look->text);
    look->is_live = str_contains(buffer_str(&look->text), STR("\"state\":\"live\""));
}

static struct look look_at(struct house *house, const char *type, const char *value)
{
    struct look look = { .question = { .ask = ask }, .customer = 1 };
    if (type != NULL)
        look.customer = house_customer(house, type, value, NULL);
    assert_int_not_equal(look.customer, 0);
    buffer_init(&look.text, 1 << 20);
    assert_ok(engine_ask_wait(house->engine, &look.question));
    buffer_deinit(&look.text);
    return look;
}

struct told {
    int64_t touch;
    char status[20], reason[40];
};

static bool read_touch(void *context, const struct ledger_value *values)
{
    struct told *told = context;
    if (values[0].integer < told->touch)
        return true;
    told->touch = values[0].integer;
    snprintf(told->status, sizeof told->status, STR_FMT, STR_ARG(values[14].bytes));
    snprintf(told->reason, sizeof told->reason, STR_FMT, STR_ARG(values[15].bytes));
    return true;
}

/* She buys, and the journey wants to write to her. */
static void expect_touch(struct house *house, const char *user, const char *mobile,
                         const char *status, const char *reason)
{
    char name[20];
    struct problem problem;
    struct told told = { .touch = 0 };
    int64_t order = (int64_t)message_next;
    snprintf(name, sizeof name, "o%lld", (long long)order);
    say(house, "Order Paid", user, mobile, name);
    assert_ok(ledger_scan(engine_ledger(house->engine), LEDGER_TOUCHES, NULL, read_touch, &told,
                          &problem));
    if (strcmp(told.status, status) != 0 || strcmp(told.reason, reason) != 0)
        fail_msg("order %lld: %s %s", (long long)order, told.status, told.reason);
}

static bool read_state(void *context, const struct ledger_value *values)
{
    struct told *told = context;
    if (values[0].integer != told->touch)
        return true;
    snprintf(told->status, sizeof told->status, STR_FMT, STR_ARG(values[1].bytes));
    snprintf(told->reason, sizeof told->reason, STR_FMT, STR_ARG(values[2].bytes));
    return true;
}

/* Of the newest touch, now. */
static void expect_last_state(struct house *house, const char *status, const char *reason)
{
    struct problem problem;
    struct told told = { .touch = 0 };
    struct ledger *ledger = engine_ledger(house->engine);
    assert_ok(ledger_scan(ledger, LEDGER_TOUCHES, NULL, read_touch, &told, &problem));
    assert_ok(ledger_scan(ledger, LEDGER_TOUCH_STATES, NULL, read_state, &told, &problem));
    assert_string_equal(told.status, status);
    assert_string_equal(told.reason, reason);
}

/* Is she in the segment of those who agreed? */
#define expect_agreed(house, type, value, agreed) \
    assert_int_equal(look_at(house, type, value).is_in, agreed)

static void reopen(struct house *house)
{
    struct buffer before, after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    assert_ok(engine_settle(house->engine, false, -1));
    house_digest(house, &before);
    house_close(house);
    house_open(house, false);
    house_digest(house, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&before);
    buffer_deinit(&after);
}

static void furnish(struct house *house)
{
    must(house, "channel.put", "{\"key\":\"texts\",\"kind\":\"sms_aliyun\",\"settings\":{}}");
    must(house, "template.put",
         "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    say(house, "Consent Granted", "zero", NULL, NULL); /* so that rules may name it */
    must(house, "segment.put",
         "{\"key\":\"agreed\",\"name\":\"Agreed\",\"rule\":{\"consent\":\"marketing\"}}");
    must(
        house, "journey.put",
        "{\"key\":\"paid\",\"journey\":{\"name\":\"Paid\",\"trigger\":{\"type\":\"event\",\"event\":\"Order Paid\"},"
        "\"entry\":{\"reentry\":\"always\"},\"start\":\"s\",\"nodes\":{\"s\":{\"type\":\"send\","
        "\"channel\":\"sms\",\"template\":\"hello\"}}}}");
    must(house, "journey.publish", "{\"key\":\"paid\"}");
    while (!look_at(house, NULL, NULL).is_live || !look_at(house, "user_id", "zero").is_in)
        steady_sleep_ms(1);
}

static void test_i4_the_strictest_consent_wins(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    furnish(&house);

    say(&house, "Consent Withdrawn", "ann", NULL, NULL);
    say(&house, "Consent Granted", NULL, MOBILE, NULL);
    expect_touch(&house, "ann", NULL, "suppressed", "no_consent");
    expect_touch(&house, NULL, MOBILE, "queued", "");
    expect_agreed(&house, "mobile", "+86" MOBILE, true);

    /* One: she refused, though the grant is the newer word. */
    say(&house, "Page Viewed", "ann", MOBILE, NULL);
    expect_touch(&house, NULL, MOBILE, "suppressed", "no_consent");
    expect_touch(&house, "ann", NULL, "suppressed", "no_consent");
    expect_agreed(&house, "mobile", "+86" MOBILE, false);
    reopen(&house);
    expect_touch(&house, NULL, MOBILE, "suppressed", "no_consent");

    /* Taken back: to each her own. */
    must(&house, "customer.split", look_at(&house, NULL, NULL).merge);
    expect_touch(&house, NULL, MOBILE, "queued", "");
    expect_touch(&house, "ann", NULL, "suppressed", "no_consent");
    expect_agreed(&house, "mobile", "+86" MOBILE, true);
    expect_agreed(&house, "user_id", "ann", false);
    reopen(&house);
    expect_touch(&house, NULL, MOBILE, "queued", "");

    house_close(&house);
    house_remove(&house);
}

static void test_i4_her_later_word_counts(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    furnish(&house);

    say(&house, "Consent Withdrawn", "ann", NULL, NULL);
    say(&house, "Consent Granted", NULL, MOBILE, NULL);
    say(&house, "Page Viewed", "ann", MOBILE, NULL);
    expect_agreed(&house, "user_id", "ann", false);
    say(&house, "Consent Granted", NULL, MOBILE, NULL);
    expect_agreed(&house, "user_id", "ann", true);
    reopen(&house);
    expect_agreed(&house, "user_id", "ann", true);

    /* What waits is pulled when somebody who refused turns out to be her (U4). */
    expect_touch(&house, "ann", NULL, "queued", "");
    say(&house, "Consent Withdrawn", NULL, "13812341002", NULL);
    say(&house, "Page Viewed", "ann", "13812341002", NULL);
    expect_agreed(&house, "user_id", "ann", false);
    expect_last_state(&house, "suppressed", "no_consent");
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i4_the_strictest_consent_wins),
        cmocka_unit_test(test_i4_her_later_word_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
