/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider did not take (N5): it is tried until its time is over, however long that provider is away; what may have gone is
 * repeated under its key where that is safe; and messages to one person keep their order meanwhile. */
#include "touch_house.h"

static struct touch_house *with_accounts(const char *policy)
{
    struct touch_house *house = house_make();
    house_account(house, "texts", "sms_aliyun", "{}");
    house_account(house, "hook", "webhook", "{\"default\":true}");
    house_do(house, touch_put_template,
             "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    house_do(house, touch_put_template,
             "{\"key\":\"told\",\"channel\":\"webhook\",\"parts\":{\"text\":\"hello\"}}");
    house_policy(house, policy);
    return house;
}

static struct touch_request hook_request(uint32_t customer, const char *key)
{
    struct touch_request request = house_request(customer, "j", key);
    request.channel = STR("webhook");
    request.template_ = STR("told");
    return request;
}

/* The touches that are claimed, in their order; `tries` of the first. */
static size_t claim(struct touch_house *house, const char *account, uint64_t *touches, size_t most,
                    int64_t *tries)
{
    json_value root, message;
    size_t count = 0;
    house_claim(house, account, (int)most);
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, &house->problem));
    struct json_iterator iterator = json_iterate(json_get(root, STR("messages")));
    while (json_next(&iterator, NULL, &message)) {
        if (count == 0 && tries != NULL)
            *tries = json_int(json_get(message, STR("tries")), -1);
        touches[count++] = (uint64_t)json_int(json_get(message, STR("touch")), 0);
    }
    return count;
}

static void later(struct touch_house *house, uint64_t touch, const char *outcome, int64_t in_ms)
{
    char body[200];
    snprintf(body, sizeof body,
             "\"outcome\":\"%s\",\"reason\":\"account_failing\",\"retry_ms\":%lld", outcome,
             (long long)(house->moment.now_ms + in_ms));
    house_result(house, touch, body);
}

static void a_provider_away_for_a_day(void **state)
{
    struct touch_house *house = with_accounts("{}");
    struct touch_request request = house_request(100, "j", "1");
    uint64_t number = house_ask(house, &request).touch, claimed[10];
    int64_t tries = -1;
    (void)state;
    for (int i = 0; i < 288; i++) { /* every five minutes somebody looks whether it is back */
        assert_int_equal(claim(house, "texts", claimed, 10, &tries), 1);
        assert_int_equal(claimed[0], number);
        assert_int_equal(tries, i < 255 ? i : 255); /* so that the channel knows how long to wait */
        later(house, number, "later", 5 * MINUTE_MS);
        assert_int_equal(house_status(house, number), TOUCH_HELD);
        if (i % 100 == 50)
            house_again(house);
        house->moment.now_ms += 5 * MINUTE_MS;
        house_due(house);
    }
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 1);
    house_result(house, number, "\"outcome\":\"sent\",\"provider_id\":\"p\"");
    assert_int_equal(house_status(house, number), TOUCH_SENT);
    house_remove(house);
}

static void until_its_time_is_over(void **state)
{
    struct touch_house *house = with_accounts("{\"expires\":\"12h\"}");
    struct touch_request request = house_request(100, "j", "1");
    uint64_t number = house_ask(house, &request).touch, claimed[10];
    (void)state;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(claim(house, "texts", claimed, 10, NULL), 1);
        later(house, number, "later", HOUR_MS);
        house->moment.now_ms += HOUR_MS;
        house_due(house);
    }
    assert_int_equal(house_status(house, number), TOUCH_SUPPRESSED);
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 0);
    house_remove(house);
}

/* Answered 500, which says nothing: under the same key again and again, and known in the end; or, when its time is over, for a
 * person to see. Who honours no keys gets it once. */
static void what_may_have_gone_is_repeated_under_its_key(void **state)
{
    struct touch_house *house = with_accounts("{\"expires\":\"12h\"}");
    struct touch_request hook = hook_request(100, "1"), lost = hook_request(101, "1");
    struct touch_request text = house_request(102, "j", "1");
    uint64_t number = house_ask(house, &hook).touch, never = house_ask(house, &lost).touch;
    uint64_t once = house_ask(house, &text).touch, claimed[10];
    (void)state;
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 1);
    later(house, once, "uncertain", MINUTE_MS);
    assert_int_equal(house_status(house, once), TOUCH_UNCERTAIN);
    for (int i = 0; i < 12; i++) {
        size_t count = claim(house, "hook", claimed, 10, NULL);
        assert_int_equal(count, i < 6 ? 2 : 1);
        assert_true(str_contains(buffer_str(&house->answer), STR("\"repeat\":true")) == (i > 0));
        if (i == 5)
            house_result(house, number, "\"outcome\":\"delivered\",\"provider_id\":\"p\"");
        else if (i < 5)
            later(house, number, "uncertain", HOUR_MS);
        later(house, never, "uncertain", HOUR_MS);
        assert_int_equal(house_status(house, never), TOUCH_HELD);
        house_again(house);
        house->moment.now_ms += HOUR_MS;
        house_due(house);
    }
    assert_int_equal(house_status(house, number), TOUCH_DELIVERED);
    assert_int_equal(house_status(house, never), TOUCH_UNCERTAIN);
    assert_int_equal(house_status(house, once), TOUCH_UNCERTAIN);
    house_remove(house);
}

static size_t count_of(str text, const char *what)
{
    size_t count = 0, size = strlen(what);
    for (size_t i = 0; i + size <= text.size; i++)
        count += memcmp(text.data + i, what, size) == 0;
    return count;
}

/* Sent once more because somebody chose so: once, as a repeat where the provider can tell, as a new one where it cannot. By form:
 * WeCom can be asked for a mass message, and not for what an employee got. */
static void a_decision_holds_once(void **state)
{
    struct touch_house *house = with_accounts("{}");
    struct touch_request mass = house_request(100, "j", "1"), task = house_request(101, "j", "1");
    uint64_t claimed[10];
    (void)state;
    house_account(house, "corp", "wecom", "{}");
    house_do(
        house, touch_put_template,
        "{\"key\":\"news\",\"channel\":\"wecom\",\"form\":\"customer_mass\",\"parts\":{\"text\":\"x\"}}");
    house_do(
        house, touch_put_template,
        "{\"key\":\"task\",\"channel\":\"wecom\",\"form\":\"employee_text\",\"parts\":{\"text\":\"x\"}}");
    mass.channel = task.channel = STR("wecom");
    mass.template_ = STR("news"), task.template_ = STR("task");
    mass.form = STR("customer_mass"), task.form = STR("employee_text");
    uint64_t one = house_ask(house, &mass).touch, other = house_ask(house, &task).touch;
    assert_int_equal(claim(house, "corp", claimed, 10, NULL), 2);
    house_again(house); /* the server died */
    house_do(house, touch_recover, "{}");
    assert_int_equal(house_status(house, one), TOUCH_QUEUED);
    assert_int_equal(house_status(house, other), TOUCH_UNCERTAIN);
    assert_int_equal(claim(house, "corp", claimed, 10, NULL), 1);
    assert_true(str_contains(buffer_str(&house->answer), STR("\"repeat\":true")));
    assert_false(str_contains(buffer_str(&house->answer), STR("\"decided\"")));
    house_result(house, one, "\"outcome\":\"uncertain\"");
    char body[100];
    uint64_t both[] = { one, other };
    for (size_t i = 0; i < 2; i++) {
        snprintf(body, sizeof body, "{\"touch\":%llu,\"decision\":\"resend\"}",
                 (unsigned long long)both[i]);
        house_do(house, touch_decide, body);
    }
    house_again(house);
    assert_int_equal(claim(house, "corp", claimed, 10, NULL), 2);
    str answer = buffer_str(&house->answer);
    assert_int_equal(count_of(answer, "\"repeat\":true"), 1);
    assert_int_equal(count_of(answer, "\"decided\":true"), 1);
    house_do(house, touch_recover, "{}"); /* it died again: nobody chose that */
    assert_int_equal(house_status(house, other), TOUCH_UNCERTAIN);
    assert_int_equal(claim(house, "corp", claimed, 10, NULL), 1);
    assert_int_equal(count_of(buffer_str(&house->answer), "\"decided\":true"), 0);
    house_remove(house);
}

static void who_stands_behind_does_not_overtake(void **state)
{
    struct touch_house *house = with_accounts("{}");
    struct touch_request first = house_request(100, "j", "1"),
                         second = house_request(100, "j", "2");
    struct touch_request urgent = house_request(100, "j", "3"),
                         other = house_request(101, "j", "1");
    struct touch_request hook = hook_request(100, "4"), ahead = house_request(100, "j", "5");
    uint64_t claimed[10], one = house_ask(house, &first).touch;
    (void)state;
    urgent.is_transactional = true;
    ahead.priority = 90;
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 1);
    uint64_t two =
        house_ask(house, &second).touch; /* while it is under way the lane keeps the order */
    assert_int_equal(house_status(house, two), TOUCH_QUEUED);
    later(house, one, "later", HOUR_MS);
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 0);
    assert_int_equal(house_status(house, two), TOUCH_HELD);
    house_again(house);
    /* what is urgent or more important, goes another way or to somebody else waits for nothing */
    uint64_t free_ones[] = { house_ask(house, &urgent).touch, house_ask(house, &other).touch,
                             house_ask(house, &ahead).touch };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(house_status(house, free_ones[i]), TOUCH_QUEUED);
    assert_int_equal(house_ask(house, &hook).status, TOUCH_QUEUED);
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 3);
    for (size_t i = 0; i < 3; i++)
        house_result(house, claimed[i], "\"outcome\":\"sent\",\"provider_id\":\"\"");
    house->moment.now_ms += HOUR_MS;
    house_due(house);
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 2);
    assert_int_equal(claimed[0], one);
    assert_int_equal(claimed[1], two);
    house_remove(house);
}

/* The one that is tried again is the more important and the younger: when both are due, neither waits for the other for ever. */
static void nobody_waits_for_ever(void **state)
{
    struct touch_house *house = with_accounts("{}");
    struct touch_request low = house_request(100, "j", "1"), high = house_request(100, "j", "2");
    uint64_t claimed[10];
    (void)state;
    high.priority = 90;
    uint64_t behind = house_ask(house, &low).touch, before = house_ask(house, &high).touch;
    assert_int_equal(claim(house, "texts", claimed, 1, NULL), 1);
    assert_int_equal(claimed[0], before);
    later(house, before, "later", HOUR_MS);
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 0);
    house->moment.now_ms += HOUR_MS;
    house_due(house);
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 1);
    assert_int_equal(claimed[0], before);
    house_result(house, before, "\"outcome\":\"sent\",\"provider_id\":\"\"");
    house->moment.now_ms += SECOND_MS;
    house_due(house);
    assert_int_equal(claim(house, "texts", claimed, 10, NULL), 1);
    assert_int_equal(claimed[0], behind);
    house_remove(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_provider_away_for_a_day),
        cmocka_unit_test(until_its_time_is_over),
        cmocka_unit_test(what_may_have_gone_is_repeated_under_its_key),
        cmocka_unit_test(a_decision_holds_once),
        cmocka_unit_test(who_stands_behind_does_not_overtake),
        cmocka_unit_test(nobody_waits_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
