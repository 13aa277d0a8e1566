/* SPDX-License-Identifier: Apache-2.0 */
/* Rehearsal: what another policy would have done with what went out and what waits. */
#include "touch_house.h"

#include "touch/rehearsal.h"

static struct touch_house *with_sms(const char *policy)
{
    struct touch_house *house = house_make();
    house_account(house, "texts", "sms_aliyun", "{\"cost\":5}");
    house_do(house, touch_put_template,
             "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    house_policy(house, policy);
    return house;
}

static void write_number(void *context, struct json_writer *writer, uint32_t customer)
{
    (void)context;
    json_member_int(writer, STR("customer"), customer);
}

/* The answer's JSON is in house->answer; `touches_max` small: a sample. */
static json_value rehearse_some(struct touch_house *house, const char *draft, int days,
                                uint32_t touches_max)
{
    struct rehearsal_setting setting = { .from_ms = house->moment.now_ms - days * DAY_MS,
                                         .now_ms = house->moment.now_ms,
                                         .touches_max = touches_max };
    struct touch_rehearsal *rehearsal;
    struct json_writer writer;
    json_value root;
    bool more = true;
    assert_ok(ledger_drain(house->ledger));
    assert_ok(json_parse(house->parser, str_from_c(draft), &setting.policy, &house->problem));
    assert_ok(touch_rehearsal_new(&rehearsal, house->touches, &setting, &house->problem));
    while (more)
        assert_ok(touch_rehearsal_choose(rehearsal, 100, &more));
    assert_ok(touch_rehearsal_read(rehearsal, house->ledger, &house->problem));
    for (more = true; more;)
        assert_ok(touch_rehearsal_run(rehearsal, 7, &more));
    buffer_clear(&house->answer);
    json_writer_init(&writer, &house->answer);
    json_begin_object(&writer);
    touch_rehearsal_write(rehearsal, &writer, write_number, NULL);
    json_end_object(&writer);
    touch_rehearsal_free(&rehearsal);
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, &house->problem));
    return root;
}

static json_value rehearse(struct touch_house *house, const char *draft, int days)
{
    return rehearse_some(house, draft, days, 1000);
}

static int64_t number_at(json_value root, const char *one, const char *other)
{
    json_value value = json_get(root, str_from_c(one));
    return json_int(other != NULL ? json_get(value, str_from_c(other)) : value, -1);
}

/* What the reason says of a room; 0 where it is not listed. */
static int64_t reason(json_value root, const char *gate, const char *detail, const char *room,
                      const char *what)
{
    struct json_iterator iterator = json_iterate(json_get(root, STR("reasons")));
    json_value item;
    while (json_next(&iterator, NULL, &item))
        if (str_equal(json_text(json_get(item, STR("gate"))), str_from_c(gate)) &&
            str_equal(json_text(json_get(item, STR("detail"))), str_from_c(detail)))
            return number_at(item, room, what);
    return 0;
}

/* Asked for, claimed and sent at once. */
static uint64_t send_one(struct touch_house *house, uint32_t customer, const char *key)
{
    struct touch_request request = house_request(customer, "j", key);
    struct touch_answer answer = house_ask(house, &request);
    assert_int_equal(answer.status, TOUCH_QUEUED);
    assert_int_equal(house_claim_all(house, "texts"), 1);
    house_result(house, answer.touch, "\"outcome\":\"sent\"");
    return answer.touch;
}

static void a_stricter_cap_stops_more(void **state)
{
    struct touch_house *house = with_sms("{}");
    char key[16];
    (void)state;
    send_one(house, 50, "before");
    house->moment.now_ms += 2 * DAY_MS;
    for (int i = 0; i < 4; i++) { /* four of them, a day apart; and one of somebody else */
        snprintf(key, sizeof key, "k%d", i);
        send_one(house, 50, key);
        house->moment.now_ms += DAY_MS;
    }
    send_one(house, 51, "k");
    house->moment.now_ms += HOUR_MS;
    const char *draft = "{\"frequency\":[{\"name\":\"two a week\",\"per\":\"channel\",\"max\":2,"
                        "\"window\":\"7d\"}]}";
    json_value root = rehearse(house, draft, 30);
    assert_int_equal(number_at(root, "touches", NULL), 6);
    assert_int_equal(number_at(root, "one_in", NULL), 1);
    assert_int_equal(number_at(root, "now", "went"), 6);
    assert_int_equal(number_at(root, "draft", "went"), 3);
    assert_int_equal(number_at(root, "draft", "stopped"), 3);
    assert_int_equal(number_at(root, "more_stopped", NULL), 3);
    assert_int_equal(number_at(root, "fewer_stopped", NULL), 0);
    assert_int_equal(reason(root, "frequency_cap", "two a week", "draft", "stopped"), 3);
    assert_int_equal(reason(root, "frequency_cap", "two a week", "now", "stopped"), 0);
    json_value examples = json_get(root, STR("examples"));
    assert_int_equal(json_count(examples), 3);
    struct json_iterator iterator = json_iterate(examples);
    json_value example;
    assert_true(json_next(&iterator, NULL, &example));
    assert_int_equal(number_at(example, "customer", NULL), 50);
    assert_true(str_equal(json_text(json_get(json_get(example, STR("draft")), STR("gate"))),
                          STR("frequency_cap")));
    /* Of the last days alone: what went before them counts for the cap, as it went. */
    root = rehearse(house, draft, 4);
    assert_int_equal(number_at(root, "touches", NULL), 4);
    assert_int_equal(number_at(root, "draft", "stopped"), 3);
    house_remove(house);
}

static void what_was_stopped_goes_under_a_milder_one(void **state)
{
    struct touch_house *house =
        with_sms("{\"frequency\":[{\"per\":\"all\",\"max\":1,\"window\":\"7d\"}]}");
    struct touch_request request = house_request(60, "j", "second"),
                         refused = house_request(61, "j", "x");
    (void)state;
    send_one(house, 60, "first");
    house->moment.now_ms += HOUR_MS;
    assert_int_equal(house_ask(house, &request).status, TOUCH_SUPPRESSED);
    house->sms[61] = 2; /* she refused the channel: no policy changes that */
    assert_int_equal(house_ask(house, &refused).status, TOUCH_SUPPRESSED);
    house->moment.now_ms += HOUR_MS;
    json_value root = rehearse(house, "{}", 7);
    assert_int_equal(number_at(root, "touches", NULL), 2);
    assert_int_equal(number_at(root, "now", "stopped"), 1);
    assert_int_equal(number_at(root, "draft", "stopped"), 0);
    assert_int_equal(number_at(root, "fewer_stopped", NULL), 1);
    assert_int_equal(reason(root, "frequency_cap", "#1", "now", "stopped"), 1);
    /* The same again changes nothing. */
    root = rehearse(house, "{\"frequency\":[{\"per\":\"all\",\"max\":1,\"window\":\"7d\"}]}", 7);
    assert_int_equal(number_at(root, "changed", NULL), 0);
    assert_int_equal(number_at(root, "now", "stopped"), 1);
    house_remove(house);
}

/* It is eight in the morning in Shanghai: hours that end at ten hold what is asked for now. */
static void quiet_hours_hold_what_went(void **state)
{
    struct touch_house *house = with_sms("{}");
    const char *draft =
        "{\"quiet_hours\":[{\"from\":\"07:00\",\"to\":\"10:00\",\"zone\":\"workspace\"}]}";
    (void)state;
    send_one(house, 70, "k");
    house->moment.now_ms += HOUR_MS;
    json_value root = rehearse(house, draft, 7);
    assert_int_equal(number_at(root, "now", "went"), 1);
    assert_int_equal(number_at(root, "draft", "waiting"), 1); /* it is nine by now */
    assert_int_equal(reason(root, "quiet_hours", "", "draft", "held"), 1);
    house->moment.now_ms += 2 * HOUR_MS;
    root = rehearse(house, draft, 7);
    assert_int_equal(number_at(root, "draft", "late"), 1);
    assert_int_equal(number_at(root, "changed", NULL), 1);
    /* and what waits under the policy in force would have gone without it */
    house_policy(house, "{\"quiet_hours\":[{\"from\":\"10:00\",\"to\":\"23:00\"}]}");
    struct touch_request request = house_request(71, "j", "k");
    assert_answer(house_ask(house, &request), TOUCH_HELD, "quiet_hours");
    house->moment.now_ms += MINUTE_MS;
    root = rehearse(house, "{}", 7);
    json_value waiting = json_get(root, STR("waiting"));
    assert_int_equal(number_at(waiting, "touches", NULL), 1);
    assert_int_equal(number_at(waiting, "now", "waiting"), 1);
    assert_int_equal(number_at(waiting, "draft", "went"), 1);
    house_remove(house);
}

static void a_budget_ends(void **state)
{
    struct touch_house *house = with_sms("{}");
    char key[16];
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        snprintf(key, sizeof key, "k%u", i);
        send_one(house, 80 + i, key);
        house->moment.now_ms += MINUTE_MS;
    }
    json_value root =
        rehearse(house, "{\"budgets\":[{\"name\":\"small\",\"amount\":15,\"per\":\"total\"}]}", 7);
    assert_int_equal(number_at(root, "draft", "stopped"), 2); /* five cost 25 fen */
    assert_int_equal(reason(root, "budget", "small", "draft", "stopped"), 2);
    house_remove(house);
}

/* Of many a sample: customers with all of theirs, and the counts are as of all. */
static void many_are_sampled(void **state)
{
    enum { PEOPLE = 400, EACH = 2 };
    struct touch_house *house = with_sms("{}");
    (void)state;
    for (uint32_t customer = 100; customer < 100 + PEOPLE; customer++) {
        send_one(house, customer, "a");
        send_one(house, customer, "b");
    }
    house->moment.now_ms += HOUR_MS;
    json_value root = rehearse_some(
        house, "{\"frequency\":[{\"per\":\"all\",\"max\":1,\"calendar\":\"day\"}]}", 7, 256);
    int64_t one_in = number_at(root, "one_in", NULL), all = number_at(root, "touches", NULL);
    assert_true(one_in >= 4);
    assert_true(all > 0 && all / one_in <= 256);
    assert_int_equal(number_at(root, "now", "went"), all);
    assert_int_equal(number_at(root, "draft", "stopped") * EACH, all);
    house_remove(house);
}

static void a_wrong_draft_is_refused(void **state)
{
    struct touch_house *house = with_sms("{}");
    struct rehearsal_setting setting = { .now_ms = house->moment.now_ms, .touches_max = 10 };
    struct touch_rehearsal *rehearsal = NULL;
    (void)state;
    assert_ok(json_parse(house->parser, STR("{\"frequency\":[{\"max\":-1}]}"), &setting.policy,
                         &house->problem));
    assert_int_equal(touch_rehearsal_new(&rehearsal, house->touches, &setting, &house->problem),
                     ERR_UNPROCESSABLE);
    assert_null(rehearsal);
    house_remove(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stricter_cap_stops_more),
        cmocka_unit_test(what_was_stopped_goes_under_a_milder_one),
        cmocka_unit_test(quiet_hours_hold_what_went),
        cmocka_unit_test(a_budget_ends),
        cmocka_unit_test(many_are_sampled),
        cmocka_unit_test(a_wrong_draft_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
