/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses: marketing to one person rests, by as many causes as there are; what is service goes on. */
#include "touch_house.h"

static struct touch_house *with_sms(void)
{
    struct touch_house *house = house_make();
    house_account(house, "texts", "sms_aliyun", "{}");
    house_do(house, touch_put_template,
             "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    return house;
}

static void pause_until(struct touch_house *house, uint32_t node, const char *key, int64_t until_ms)
{
    struct touch_pause wanted = { .node = node,
                                  .journey = STR("recovery"),
                                  .key = str_from_c(key),
                                  .reason = STR("two stars"),
                                  .until_ms = until_ms };
    struct ledger_writes *writes = house_begin(house);
    assert_ok(touch_pause(house->touches, &wanted, house->moment, writes));
    house_commit(house, writes);
}

static void resume(struct touch_house *house, uint32_t customer, const char *key, bool only_endless)
{
    struct ledger_writes *writes = house_begin(house);
    assert_ok(touch_resume(house->touches, customer, STR("recovery"), str_from_c(key), only_endless,
                           house->moment, writes));
    house_commit(house, writes);
}

static bool is_paused(struct touch_house *house, uint32_t customer)
{
    struct touch_request request = house_request(customer, "j", "");
    struct touch_answer answer;
    touch_would(house->touches, &request, house->moment.now_ms, &answer);
    assert_int_equal(answer.status, answer.reason[0] == '\0' ? TOUCH_QUEUED : TOUCH_SUPPRESSED);
    if (answer.reason[0] != '\0')
        assert_string_equal(answer.reason, "paused");
    return answer.reason[0] != '\0';
}

static void count_pause(void *context, const struct touch_pause *pause)
{
    size_t *count = context;
    (void)pause;
    ++*count;
}

static size_t pauses_of(struct touch_house *house, uint32_t customer)
{
    size_t count = 0;
    touch_visit_pauses(house->touches, customer, count_pause, &count);
    return count;
}

static void marketing_rests_and_service_goes_on(void **state)
{
    struct touch_house *house = with_sms();
    struct touch_request request = house_request(5, "j", "1"), other = house_request(6, "j", "1");
    struct touch_answer queued = house_ask(house, &request), others = house_ask(house, &other);
    (void)state;
    assert_answer(queued, TOUCH_QUEUED, "");
    pause_until(house, 5, "O1", house->moment.now_ms + DAY_MS);
    /* What waits is pulled in that record, hers alone. */
    assert_int_equal(house_status(house, queued.touch), TOUCH_SUPPRESSED);
    assert_int_equal(house_status(house, others.touch), TOUCH_QUEUED);
    house_again(house);
    request.key = STR("2");
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "paused");
    request.key = STR("3");
    request.purpose = STR("birthday"); /* marketing by another name */
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "paused");
    request.key = STR("4");
    request.purpose = STR("service");
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    request.key = STR("5");
    request.purpose = STR("marketing");
    request.is_transactional = true;
    assert_answer(house_ask(house, &request), TOUCH_QUEUED, "");
    house->moment.now_ms += DAY_MS - 1; /* to the millisecond */
    assert_true(is_paused(house, 5));
    house->moment.now_ms += 1;
    assert_false(is_paused(house, 5));
    assert_int_equal(house_status(house, queued.touch),
                     TOUCH_SUPPRESSED); /* it does not come back */
    house_remove(house);
}

static void refused_before_it_is_paused(void **state)
{
    struct touch_house *house = with_sms();
    struct touch_request request = house_request(5, "j", "");
    (void)state;
    house->marketing[5] = 2;
    pause_until(house, 5, "", INT64_MAX);
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "no_consent");
    house->marketing[5] = 1;
    house->nobody_reachable = true;
    assert_answer(house_ask(house, &request), TOUCH_SUPPRESSED, "paused");
    house_remove(house);
}

static void each_cause_holds_by_itself(void **state)
{
    struct touch_house *house = with_sms();
    int64_t now_ms = house->moment.now_ms;
    (void)state;
    pause_until(house, 5, "O1", INT64_MAX);
    pause_until(house, 5, "O2", now_ms + 2 * DAY_MS);
    pause_until(house, 5, "O2", now_ms + 3 * DAY_MS); /* the same cause: another end */
    assert_int_equal(pauses_of(house, 5), 2);
    resume(house, 5, "O2", true); /* it has an end, and keeps it */
    resume(house, 5, "O1", true);
    house_again(house);
    house->moment.now_ms = now_ms + 3 * DAY_MS - 1;
    assert_true(is_paused(house, 5));
    resume(house, 5, "O2", false);
    assert_false(is_paused(house, 5));
    pause_until(house, 5, "O2", INT64_MAX); /* after it was over: one of its own */
    assert_int_equal(pauses_of(house, 5), 3);
    assert_true(is_paused(house, 5));
    house_again(house);
    house_remove(house);
}

/* U6: what either had holds for both; a split gives each her own again. */
static void merged_and_split(void **state)
{
    struct touch_house *house = with_sms();
    struct touch_request request = house_request(5, "j", "k");
    struct touch_answer queued = house_ask(house, &request);
    (void)state;
    pause_until(house, 6, "O1", INT64_MAX);
    assert_false(is_paused(house, 5));
    house->root[6] = 5;
    house_changed(house, 5);
    assert_int_equal(house_status(house, queued.touch), TOUCH_SUPPRESSED);
    assert_true(is_paused(house, 5));
    house_again(house);
    assert_true(is_paused(house, 5));
    house->root[6] = 0;
    assert_false(is_paused(house, 5));
    assert_true(is_paused(house, 6));
    house->root[6] = 5;
    resume(house, 5, "O1", false); /* the survivor's journey ends it for all of her nodes */
    house->root[6] = 0;
    assert_false(is_paused(house, 6));
    house_remove(house);
}

static void erased_is_forgotten(void **state)
{
    struct touch_house *house = with_sms();
    uint32_t count;
    (void)state;
    pause_until(house, 5, "O1", INT64_MAX);
    pause_until(house, 5, "O2", INT64_MAX);
    pause_until(house, 6, "O1", INT64_MAX);
    struct ledger_writes *writes = house_begin(house);
    assert_ok(touch_erased(house->touches, 5, house->moment, writes, &count));
    house_commit(house, writes);
    assert_int_equal(pauses_of(house, 5), 0);
    assert_false(is_paused(house, 5));
    assert_true(is_paused(house, 6));
    house_again(house);
    assert_int_equal(pauses_of(house, 5), 0);
    pause_until(house, 7, "O1", INT64_MAX); /* no number is used twice */
    house_do(house, touch_lift_pause, "{\"customer\":7,\"number\":4}");
    assert_false(is_paused(house, 7));
    house_again(house);
    house_remove(house);
}

static void by_hand(void **state)
{
    struct touch_house *house = with_sms();
    char body[200];
    (void)state;
    assert_int_equal(house_command(house, touch_put_pause, "{\"customer\":5}"), ERR_UNPROCESSABLE);
    assert_int_equal(house_command(house, touch_put_pause, "{\"customer\":0,\"reason\":\"x\"}"),
                     ERR_NOT_FOUND);
    snprintf(body, sizeof body, "{\"customer\":5,\"reason\":\"x\",\"until_ms\":%lld}",
             (long long)house->moment.now_ms);
    assert_int_equal(house_command(house, touch_put_pause, body), ERR_UNPROCESSABLE);
    house_do(house, touch_put_pause, "{\"customer\":5,\"reason\":\"she complained\"}");
    assert_true(str_equal(buffer_str(&house->answer), STR("{\"number\":1}")));
    assert_true(is_paused(house, 5));
    assert_int_equal(house_command(house, touch_lift_pause, "{\"customer\":6,\"number\":1}"),
                     ERR_NOT_FOUND);
    assert_int_equal(house_command(house, touch_lift_pause, "{\"customer\":5,\"number\":2}"),
                     ERR_NOT_FOUND);
    house->moment.now_ms += 1000;
    house_do(house, touch_lift_pause, "{\"customer\":5,\"number\":1}");
    assert_false(is_paused(house, 5));
    house_again(house);
    house_remove(house);
}

/* A past day's run has what was then, and not what it makes itself. */
static bool fork_is_paused(struct touch_house *house, int64_t from_ms, bool of_every_journey,
                           int64_t at_ms)
{
    struct touches *fork;
    struct touch_request request = house_request(5, "j", "");
    struct touch_answer answer;
    assert_ok(touches_fork_then(house->touches, &house->config, from_ms, &fork));
    assert_ok(touches_fork_pauses(fork, house->touches, from_ms, STR("other"), of_every_journey));
    touch_would(fork, &request, at_ms, &answer);
    touches_free(&fork);
    return strcmp(answer.reason, "paused") == 0;
}

static void what_if_has_those_of_then(void **state)
{
    struct touch_house *house = with_sms();
    int64_t now_ms = house->moment.now_ms;
    (void)state;
    pause_until(house, 5, "O1", INT64_MAX);
    house->moment.now_ms = now_ms + DAY_MS;
    resume(house, 5, "O1", false);
    assert_false(fork_is_paused(house, now_ms - DAY_MS, false, now_ms - 1));
    assert_true(fork_is_paused(house, now_ms - DAY_MS, false, now_ms));
    assert_true(fork_is_paused(house, now_ms + 1, true, now_ms + DAY_MS - 1));
    assert_false(fork_is_paused(house, now_ms - DAY_MS, true, now_ms));
    assert_false(fork_is_paused(house, now_ms - DAY_MS, false, now_ms + DAY_MS));
    struct touches *fork;
    pause_until(house, 5, "O2", INT64_MAX);
    assert_ok(touches_fork(house->touches, &house->config, &fork));
    struct touch_request request = house_request(5, "j", "");
    struct touch_answer answer;
    touch_would(fork, &request, house->moment.now_ms, &answer);
    assert_string_equal(answer.reason, "paused");
    touches_free(&fork);
    house_remove(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marketing_rests_and_service_goes_on),
        cmocka_unit_test(refused_before_it_is_paused),
        cmocka_unit_test(each_cause_holds_by_itself),
        cmocka_unit_test(merged_and_split),
        cmocka_unit_test(erased_is_forgotten),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(what_if_has_those_of_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
