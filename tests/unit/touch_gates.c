/* SPDX-License-Identifier: Apache-2.0 */
/* Gates: who may be sent what, when, how often; and who gives way to whom. */
#include "touch_house.h"

#define SHANGHAI_8 HOUSE_START_MS

static struct touch_house *with_sms(const char *policy)
{
    struct touch_house *house = house_make();
    house_account(house, "texts", "sms_aliyun", "{\"cost\":5}");
    house_do(house, touch_put_template,
             "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    if (policy != NULL)
        house_policy(house, policy);
    return house;
}

static void one_request_is_one_touch(void **state)
{
    struct touch_house *house = with_sms(NULL);
    struct touch_request request = house_request(5, "welcome", "k1");
    struct touch_answer first = house_ask(house, &request), again = house_ask(house, &request);
    (void)state;
    assert_int_equal(first.touch, again.touch);
    request.key = STR("k2");
    assert_int_not_equal(house_ask(house, &request).touch, first.touch);
    house_again(house);
    request.key = STR("k1");
    assert_int_equal(house_ask(house, &request).touch, first.touch);
    /* The node that she was then belongs to another root by now. */
    house->root[5] = 6;
    request.customer = request.node_born = 6;
    assert_int_equal(house_ask(house, &request).touch, first.touch);
    house_remove(house);
}

static void consent_decides(void **state)
{
    struct touch_house *house = with_sms(NULL);
    (void)state;
    house->marketing[20] = 0;
    house->marketing[21] = 2;
    house->sms[22] = 2;
    struct touch_request request = house_request(20, "j", "");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "no_consent");
    request.customer = request.node_born = 21;
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "no_consent");
    request.customer = request.node_born = 22;
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "channel_refused");
    request.is_transactional = true;
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "channel_refused");
    request.customer = request.node_born = 20;
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    request.is_transactional = false;
    request.purpose = STR("service"); /* goes unless she refused it */
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house_policy(house, "{\"consent\":[{\"purpose\":\"service\",\"needs\":\"granted\"}]}");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "no_consent");
    house->nobody_reachable = true;
    request.customer = request.node_born = 23;
    request.purpose = STR("marketing");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "unreachable");
    house_remove(house);
}

/* P1: what waits for her is pulled in the record that withdraws, and nothing of it is claimed. */
static void withdrawn_is_not_sent(void **state)
{
    enum { PEOPLE = 3000 };
    struct touch_house *house = with_sms(NULL);
    (void)state;
    for (uint32_t customer = 100; customer < 100 + PEOPLE; customer++) {
        struct touch_request request = house_request(customer, "j", "k");
        assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    }
    house_again(house);
    for (uint32_t customer = 100; customer < 100 + PEOPLE; customer++) {
        house->marketing[customer] = 2;
        if (customer % 2 == 0)
            house_changed(house, customer);
    }
    /* Half of them were looked at at once, the others at the claim at the latest. */
    struct touch_status_counts counts;
    touch_status(house->touches, &counts);
    assert_int_equal(counts.by_status[TOUCH_SUPPRESSED], PEOPLE / 2);
    assert_int_equal(house_claim_all(house, "texts"), 0);
    touch_status(house->touches, &counts);
    assert_int_equal(counts.by_status[TOUCH_SUPPRESSED], PEOPLE);
    house_remove(house);
}

static void sliding_caps_hold(void **state)
{
    struct touch_house *house = with_sms(
        "{\"frequency\":[{\"name\":\"two a week\",\"per\":\"channel\",\"max\":2,\"window\":\"7d\"}]}");
    struct touch_request a = house_request(50, "a", "1"), b = house_request(50, "b", "1"),
                         c = house_request(50, "c", "1"), d = house_request(50, "d", "1");
    (void)state;
    assert_answer(house_ask(house, &a), TOUCH_QUEUED, "");
    house->moment.now_ms += DAY_MS;
    assert_answer(house_ask(house, &b), TOUCH_QUEUED, "");
    assert_answer(house_ask(house, &c), TOUCH_SUPPRESSED, "frequency_cap");
    c.key = STR("transactional");
    c.is_transactional = true; /* neither asked nor counted */
    assert_answer(house_ask(house, &c), TOUCH_QUEUED, "");
    house_again(house);
    c.is_transactional = false;
    c.channel = STR("email"); /* another channel, but no account of it */
    c.key = STR("2");
    assert_answer(house_ask(house, &c), TOUCH_SUPPRESSED, "no_account");
    house->moment.now_ms += 6 * DAY_MS - 1; /* to the millisecond */
    assert_answer(house_ask(house, &d), TOUCH_SUPPRESSED, "frequency_cap");
    house->moment.now_ms += 1;
    d.key = STR("2");
    assert_answer(house_ask(house, &d), TOUCH_QUEUED, "");
    house_remove(house);
}

static void calendar_caps_hold(void **state)
{
    struct touch_house *house =
        with_sms("{\"frequency\":[{\"name\":\"one a day\",\"max\":1,\"calendar\":\"day\","
                 "\"zone\":\"customer\",\"over\":\"hold\"}]}");
    struct touch_request request = house_request(50, "a", "1");
    struct touch_answer answer;
    (void)state;
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    request.key = STR("2");
    answer = house_ask(house, &request);
    assert_answer(answer, TOUCH_HELD, "frequency_cap");
    assert_int_equal(answer.until_ms, SHANGHAI_8 + 16 * HOUR_MS); /* her midnight */
    uint64_t second = answer.touch;
    request.key = STR("3");
    answer = house_ask(house, &request);
    assert_answer(answer, TOUCH_HELD, "frequency_cap");
    assert_int_equal(house_claim_all(house, "texts"), 1);
    house_again(house);
    house->moment.now_ms = SHANGHAI_8 + 16 * HOUR_MS;
    house_due(house); /* one of the two goes, the older; the other waits for the day after */
    assert_int_equal(house_status(house, second), TOUCH_QUEUED);
    assert_int_equal(house_status(house, answer.touch), TOUCH_HELD);
    assert_int_equal(house_claim_all(house, "texts"), 1);
    house->moment.now_ms += DAY_MS;
    house_due(house);
    assert_int_equal(house_status(house, answer.touch), TOUCH_QUEUED);
    /* Lima is thirteen hours behind: its day ends then. */
    request = house_request(7, "a", "1");
    house_ask(house, &request);
    request.key = STR("2");
    answer = house_ask(house, &request);
    assert_int_equal(answer.until_ms, SHANGHAI_8 + DAY_MS + 16 * HOUR_MS + 13 * HOUR_MS);
    house_remove(house);
}

static void the_more_important_goes(void **state)
{
    struct touch_house *house =
        with_sms("{\"frequency\":[{\"name\":\"one a day\",\"max\":1,\"calendar\":\"day\"}]}");
    struct touch_request low = house_request(60, "low", "1"), high = house_request(60, "high", "1"),
                         middle = house_request(60, "middle", "1");
    (void)state;
    low.priority = 20;
    high.priority = 90;
    uint64_t lost = house_ask(house, &low).touch;
    assert_answer(house_ask(house, &high), TOUCH_QUEUED, "");
    assert_int_equal(house_status(house, lost), TOUCH_SUPPRESSED);
    assert_answer(house_ask(house, &middle), TOUCH_SUPPRESSED, "frequency_cap");
    assert_int_equal(house_claim_all(house, "texts"), 1);
    /* What is under way does not give way. */
    high.priority = 100;
    high.key = STR("2");
    assert_answer(house_ask(house, &high), TOUCH_SUPPRESSED, "frequency_cap");
    house_remove(house);
}

static void a_window_lets_them_settle(void **state)
{
    struct touch_house *house = with_sms(
        "{\"settle\":\"10m\",\"frequency\":[{\"name\":\"one\",\"max\":1,\"window\":\"1d\"}]}");
    struct touch_request first = house_request(61, "a", "1"), second = house_request(61, "b", "1");
    (void)state;
    first.priority = 30;
    second.priority = 70;
    uint64_t one = house_ask(house, &first).touch;
    assert_int_equal(house_status(house, one), TOUCH_HELD);
    house->moment.now_ms += 5 * MINUTE_MS;
    uint64_t other = house_ask(house, &second).touch;
    house->moment.now_ms += 5 * MINUTE_MS;
    house_due(house); /* the first one's window is over: it finds one before it */
    assert_int_equal(house_status(house, one), TOUCH_SUPPRESSED);
    house->moment.now_ms += 5 * MINUTE_MS;
    house_due(house);
    assert_int_equal(house_status(house, other), TOUCH_QUEUED);
    house_remove(house);
}

static void quiet_hours_hold_or_drop(void **state)
{
    struct touch_house *house = with_sms(
        "{\"quiet_hours\":[{\"from\":\"21:00\",\"to\":\"09:00\"},"
        "{\"channel\":\"sms\",\"purpose\":\"news\",\"from\":\"12:00\",\"to\":\"14:00\",\"over\":\"drop\"}],"
        "\"consent\":[{\"purpose\":\"news\",\"needs\":\"not_refused\"}]}");
    struct touch_request request = house_request(70, "a", "1");
    struct touch_answer answer = house_ask(house, &request);
    (void)state;
    assert_answer(answer, TOUCH_HELD, "quiet_hours"); /* it is eight */
    assert_int_equal(answer.until_ms, SHANGHAI_8 + HOUR_MS);
    house->moment.now_ms = SHANGHAI_8 + HOUR_MS - 1;
    house_due(house);
    assert_int_equal(house_status(house, answer.touch), TOUCH_HELD);
    house->moment.now_ms++;
    house_due(house);
    assert_int_equal(house_status(house, answer.touch), TOUCH_QUEUED);
    house->moment.now_ms = SHANGHAI_8 + 5 * HOUR_MS; /* 13:00 */
    request.purpose = STR("news");
    request.key = STR("2");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "quiet_hours");
    /* Queued in time, claimed too late: held at the claim. */
    request = house_request(71, "a", "1");
    house->moment.now_ms = SHANGHAI_8 + 12 * HOUR_MS + 59 * MINUTE_MS; /* 20:59 */
    answer = house_ask(house, &request);
    assert_answer(answer, TOUCH_QUEUED, "");
    house->moment.now_ms += MINUTE_MS;
    assert_int_equal(house_claim_all(house, "texts"), 0);
    assert_int_equal(house_status(house, answer.touch), TOUCH_HELD);
    request.is_transactional = true;
    request.key = STR("code");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house_remove(house);
}

static void the_red_button(void **state)
{
    struct touch_house *house = with_sms(NULL);
    struct touch_request request = house_request(80, "a", "1");
    struct touch_answer before = house_ask(house, &request), during;
    (void)state;
    house_do(house, touch_put_stop, "{\"scope\":\"all\",\"why\":\"wrong price\"}");
    assert_int_equal(house_claim_all(house, "texts"), 0);
    request.key = STR("2");
    request.is_transactional = true;
    during = house_ask(house, &request);
    assert_answer(during, TOUCH_HELD, "stopped");
    house_again(house);
    house->moment.now_ms += HOUR_MS;
    house_due(house);
    assert_int_equal(house_claim_all(house, "texts"), 0);
    house_do(house, touch_put_stop, "{\"scope\":\"all\",\"active\":false}");
    house_again(house);
    house_due(house);
    assert_int_equal(house_status(house, before.touch), TOUCH_QUEUED);
    assert_int_equal(house_status(house, during.touch), TOUCH_QUEUED);
    house_do(house, touch_put_stop, "{\"scope\":\"journey\",\"value\":\"a\"}");
    assert_int_equal(house_claim_all(house, "texts"), 0);
    request = house_request(81, "b", "1");
    house_ask(house, &request);
    assert_int_equal(house_claim_all(house, "texts"), 1);
    assert_int_equal(house_command(house, touch_put_stop, "{\"scope\":\"nothing\"}"),
                     ERR_UNPROCESSABLE);
    assert_string_equal(house->problem.pointer, "/scope");
    house_remove(house);
}

static void the_same_is_not_sent_twice(void **state)
{
    struct touch_house *house = with_sms("{\"duplicates\":{\"order\":\"30d\",\"content\":\"7d\"}}");
    struct touch_request request = house_request(90, "a", "1");
    (void)state;
    request.order_id = STR("O-1");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    request.journey = STR("b"); /* another team, the same order and text */
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "duplicate_order");
    request.order_id = STR("O-2");
    request.content_key = STR("618");
    request.key = STR("2");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    request.order_id = STR("O-3");
    request.key = STR("3");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "duplicate_content");
    house->moment.now_ms += 7 * DAY_MS + 1;
    house_again(house);
    request.key = STR("4");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house_remove(house);
}

static void money_runs_out(void **state)
{
    struct touch_house *house = with_sms(
        "{\"budgets\":[{\"name\":\"a day\",\"journey\":\"a\",\"per\":\"day\",\"amount\":12,"
        "\"over\":\"hold\"},{\"name\":\"ever\",\"campaign\":\"618\",\"amount\":5}]}");
    (void)state;
    for (uint32_t customer = 200; customer < 202; customer++) {
        struct touch_request request = house_request(customer, "a", "1");
        assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    }
    struct touch_request third = house_request(202, "a", "1");
    struct touch_answer held = house_ask(house, &third);
    assert_answer(held, TOUCH_HELD, "budget");
    house_again(house);
    /* One of the two is pulled: its money is free again. */
    house->marketing[200] = 2;
    house_changed(house, 200);
    struct touch_request fourth = house_request(203, "a", "1");
    assert_answer(house_ask(house, &fourth), TOUCH_QUEUED, "");
    struct touch_request other = house_request(204, "b", "1");
    other.campaign = STR("618");
    assert_answer(house_ask(house, &other), TOUCH_QUEUED, "");
    other.customer = other.node_born = 205;
    assert_answer(house_ask(house, &other), TOUCH_SUPPRESSED, "budget");
    house_remove(house);
}

static void channels_have_quotas(void **state)
{
    struct touch_house *house = house_make();
    (void)state;
    house_account(
        house, "corp", "wecom",
        "{\"quota\":[{\"max\":\"days_in_month\",\"calendar\":\"month\",\"over\":\"hold\"}]}");
    struct touch_request request = house_request(300, "a", "");
    request.channel = STR("wecom");
    request.form = STR("customer_mass");
    for (int day = 0; day < 30; day++) /* June has thirty */
        assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    struct touch_answer answer = house_ask(house, &request);
    assert_answer(answer, TOUCH_HELD, "channel_quota");
    assert_int_equal(answer.until_ms, SHANGHAI_8 - 8 * HOUR_MS + 12 * DAY_MS); /* first of July */
    request.form = STR("employee_text"); /* has no such quota */
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house_remove(house);
}

static void tell(struct touch_house *house, uint32_t node, const char *type, const char *props)
{
    struct event event = { .kind = EVENT_TRACK,
                           .type = str_from_c(type),
                           .props = str_from_c(props),
                           .time_ms = house->moment.now_ms };
    struct ledger_writes *writes = house_begin(house);
    assert_ok(touch_event(house->touches, node, &event, house->moment, writes));
    house_commit(house, writes);
}

static void subscriptions_are_used_up(void **state)
{
    struct touch_house *house = house_make();
    (void)state;
    house_account(house, "mini", "mini_program", "{}");
    house_do(
        house, touch_put_template,
        "{\"key\":\"hello\",\"channel\":\"subscription\",\"template_id\":\"T1\",\"parts\":{\"thing1\":\"x\"}}");
    struct touch_request request = house_request(310, "a", "");
    request.channel = STR("subscription");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "no_subscription");
    tell(house, 310, "Subscription Accepted", "{\"account\":\"mini\",\"template_id\":\"T1\"}");
    tell(house, 310, "Subscription Accepted", "{\"account\":\"mini\",\"template_id\":\"T2\"}");
    house_again(house);
    uint64_t first = house_ask(house, &request).touch, second = house_ask(house, &request).touch;
    assert_int_equal(house_claim_all(house, "mini"), 1); /* one was granted, for this template */
    assert_int_equal(house_status(house, first), TOUCH_SENDING);
    assert_int_equal(house_status(house, second), TOUCH_SUPPRESSED);
    tell(house, 310, "Subscription Accepted", "{\"account\":\"mini\",\"template_id\":\"T1\"}");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    tell(house, 310, "Subscription Rejected", "{\"account\":\"mini\",\"template_id\":\"T1\"}");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "no_subscription");
    house_remove(house);
}

static void contact_opens_a_window(void **state)
{
    struct touch_house *house = house_make();
    (void)state;
    house_account(house, "oa", "official_account", "{}");
    struct touch_request request = house_request(320, "a", "");
    request.channel = STR("official_account");
    request.form = STR("service");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "outside_window");
    tell(house, 320, "Message Received", "{\"account\":\"oa\"}");
    house_again(house);
    house->moment.now_ms += 48 * HOUR_MS - 1;
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house->moment.now_ms += 1;
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "outside_window");
    request.form = STR("template");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    tell(house, 320, "Official Account Unfollowed", "{\"account\":\"oa\"}");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "unsubscribed");
    house->moment.now_ms += 1;
    tell(house, 320, "Official Account Followed", "{\"account\":\"oa\"}");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house_remove(house);
}

/* Forty that have become one: what was said to the last of them holds for all. */
static void all_nodes_of_hers_are_asked(void **state)
{
    struct touch_house *house = house_make();
    struct touch_answer before, after;
    (void)state;
    house_account(house, "oa", "official_account", "{}");
    struct touch_request request = house_request(98, "a", "o1");
    request.channel = STR("official_account");
    request.form = STR("template");
    before = house_ask(house, &request);
    assert_answer(before, TOUCH_QUEUED, "");
    for (uint32_t node = 61; node < 100; node++)
        house->root[node] = 60;
    request.customer = 60;
    after = house_ask(house, &request);
    assert_int_equal(after.touch, before.touch); /* she has it already */
    tell(house, 99, "Official Account Unfollowed", "{\"account\":\"oa\"}");
    request.key = STR("o2");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "unsubscribed");
    house_remove(house);
}

static void some_are_held_out(void **state)
{
    struct touch_house *house = with_sms("{\"hold_out\":{\"percent\":5,\"journeys\":{\"b\":50}}}");
    int out = 0, out_of_b = 0;
    (void)state;
    for (uint32_t customer = 1000; customer < 11000; customer++) {
        struct touch_request request = house_request(customer, "a", "");
        struct touch_answer answer, again;
        touch_would(house->touches, &request, house->moment.now_ms, &answer);
        touch_would(house->touches, &request, house->moment.now_ms + 90 * DAY_MS, &again);
        assert_int_equal(answer.status, again.status); /* the same for ever */
        out += strcmp(answer.reason, "hold_out") == 0;
        request.journey = STR("b");
        touch_would(house->touches, &request, house->moment.now_ms, &answer);
        out_of_b += strcmp(answer.reason, "hold_out") == 0;
    }
    assert_in_range(out, 430, 570);
    assert_in_range(out_of_b, 5050, 5450); /* 5 % and half of the rest */
    house_remove(house);
}

static void wrong_policies_are_refused(void **state)
{
    static const struct {
        const char *policy, *pointer;
    } wrong[] = {
        { "{\"frequency\":[{\"max\":1}]}", "/frequency/0" },
        { "{\"frequency\":[{\"max\":-1,\"window\":\"1d\"}]}", "/frequency/0" },
        { "{\"frequency\":[{\"max\":1,\"window\":\"1d\"},{\"per\":\"x\",\"max\":1,\"window\":\"1d\"}]}",
          "/frequency/1" },
        { "{\"frequency\":{}}", "/frequency" },
        { "{\"quiet_hours\":[{\"from\":\"25:00\",\"to\":\"09:00\"}]}", "/quiet_hours/0" },
        { "{\"budgets\":[{\"amount\":-1}]}", "/budgets/0" },
        { "{\"settle\":\"soon\"}", "/settle" },
        { "{\"hold_out\":{\"percent\":101}}", "/hold_out/percent" },
        { "{\"duplicates\":{\"order\":\"x\"}}", "/duplicates/order" },
    };
    struct touch_house *house = house_make();
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char body[400];
        snprintf(body, sizeof body, "{\"policy\":%s}", wrong[i].policy);
        assert_int_equal(house_command(house, touch_put_policy, body), ERR_UNPROCESSABLE);
        assert_string_equal(house->problem.pointer, wrong[i].pointer);
    }
    house_remove(house);
}

/* P6, restriction of processing: in the one table of gates. */
static void rights_are_gates(void **state)
{
    struct touch_house *house = with_sms(NULL);
    (void)state;
    house->restricted = 30;
    house->plain = 31;
    house->marketing[30] = house->marketing[31] = 1;
    struct touch_request request = house_request(30, "j", "a");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "restricted");
    request.is_transactional = true;
    request.key = STR("b");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "restricted");
    request = house_request(31, "j", "a");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "no_personalisation");
    request.key = STR("b");
    request.is_plain = true; /* the journey says that it chooses nobody */
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    request = house_request(31, "other", "c");
    request.is_transactional = true;
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    /* P11: a child gets nothing but messages of service. */
    house->child = 33;
    house->marketing[33] = 1;
    request = house_request(33, "j", "e");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "under_14");
    request.is_transactional = true;
    request.key = STR("f");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    /* Decided while it waits: it is pulled, and what is plain stays. */
    request = house_request(32, "other", "d");
    house->marketing[32] = 1;
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house->plain = 32;
    house_changed(house, 32);
    assert_int_equal(house_ask(house, &request).status, TOUCH_SUPPRESSED);
    house_remove(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_is_one_touch),
        cmocka_unit_test(consent_decides),
        cmocka_unit_test(withdrawn_is_not_sent),
        cmocka_unit_test(sliding_caps_hold),
        cmocka_unit_test(calendar_caps_hold),
        cmocka_unit_test(the_more_important_goes),
        cmocka_unit_test(a_window_lets_them_settle),
        cmocka_unit_test(quiet_hours_hold_or_drop),
        cmocka_unit_test(the_red_button),
        cmocka_unit_test(the_same_is_not_sent_twice),
        cmocka_unit_test(money_runs_out),
        cmocka_unit_test(channels_have_quotas),
        cmocka_unit_test(subscriptions_are_used_up),
        cmocka_unit_test(contact_opens_a_window),
        cmocka_unit_test(all_nodes_of_hers_are_asked),
        cmocka_unit_test(some_are_held_out),
        cmocka_unit_test(rights_are_gates),
        cmocka_unit_test(wrong_policies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
