/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts come twice and in any order (D10): delivered before the answer that it was taken, read before delivered, failed an hour
 * later. What is known at the end does not depend on the order, and no status is told twice. */
#include "touch_house.h"

static struct touch_house *with_sms(void)
{
    struct touch_house *house = house_make();
    house_account(house, "texts", "sms_aliyun", "{}");
    house_do(house, touch_put_template,
             "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    return house;
}

enum word { TAKEN, DELIVERED, CONFIRMED, READ, CLICKED, FAILED, WORDS };
static const char *const texts[WORDS] = { NULL,   "delivered", "confirmed",
                                          "read", "clicked",   "failed" };

static void tell(struct touch_house *house, uint64_t touch, enum word word)
{
    char body[200];
    if (word == TAKEN) {
        snprintf(body, sizeof body, "\"outcome\":\"sent\",\"provider_id\":\"p%llu\"",
                 (unsigned long long)touch);
        house_result(house, touch, body);
        return;
    }
    snprintf(
        body, sizeof body,
        "{\"account\":\"texts\",\"receipts\":[{\"touch\":%llu,\"status\":\"%s\",\"code\":\"c\"}]}",
        (unsigned long long)touch, texts[word]);
    house_do(house, touch_take_receipts, body);
}

/* On its way: claimed, and nothing heard. */
static uint64_t under_way(struct touch_house *house, uint32_t customer)
{
    struct touch_request request = house_request(customer, "j", "k");
    struct touch_answer answer = house_ask(house, &request);
    assert_int_equal(answer.status, TOUCH_QUEUED);
    assert_int_equal(house_claim_all(house, "texts"), 1);
    assert_int_equal(house_status(house, answer.touch), TOUCH_SENDING);
    return answer.touch;
}

/* The n-th order of four words. */
static void order_of(unsigned n, enum word words[4])
{
    enum word left[4] = { TAKEN, DELIVERED, READ, CLICKED };
    for (unsigned count = 4; count > 0; count--) {
        unsigned at = n % count;
        words[4 - count] = left[at];
        n /= count;
        for (; at + 1 < count; at++)
            left[at] = left[at + 1];
    }
}

static void in_any_order_and_twice(void **state)
{
    struct touch_house *house = with_sms();
    (void)state;
    for (unsigned n = 0; n < 24; n++) {
        enum word words[4];
        uint64_t touch = under_way(house, 100 + n);
        enum touch_status before = TOUCH_SENDING;
        order_of(n, words);
        for (int i = 0; i < 8; i++) {
            tell(house, touch, words[i / 2]); /* each comes twice */
            enum touch_status now = house_status(house, touch);
            assert_true(i % 2 == 0 || now == before); /* the second says nothing */
            before = now;
        }
        assert_int_equal(before, TOUCH_CLICKED);
        for (int i = 0; i < 4; i++)
            tell(house, touch, words[3 - i]);
        assert_int_equal(house_status(house, touch), TOUCH_CLICKED);
    }
    house_remove(house);
}

/* Taken, and an hour later it was not: failed, once; and whatever comes after it is too late. */
static void failed_an_hour_later(void **state)
{
    struct touch_house *house = with_sms();
    (void)state;
    uint64_t touch = under_way(house, 50);
    tell(house, touch, TAKEN);
    house->moment.now_ms += HOUR_MS;
    tell(house, touch, FAILED);
    assert_int_equal(house_status(house, touch), TOUCH_FAILED);
    tell(house, touch, FAILED);
    tell(house, touch, TAKEN);
    assert_int_equal(house_status(house, touch), TOUCH_FAILED);
    house_again(house);
    assert_int_equal(house_status(house, touch), TOUCH_FAILED);
    /* Nobody claims it again. */
    assert_int_equal(house_claim_all(house, "texts"), 0);
    house_remove(house);
}

/* She has it: what says that it failed is wrong, however late it comes. */
static void delivered_is_delivered(void **state)
{
    struct touch_house *house = with_sms();
    (void)state;
    static const enum word known[] = { DELIVERED, CONFIRMED, READ, CLICKED };
    static const enum touch_status status[] = { TOUCH_DELIVERED, TOUCH_CONFIRMED, TOUCH_READ,
                                                TOUCH_CLICKED };
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t touch = under_way(house, 60 + i);
        tell(house, touch, known[i]); /* before the answer that it was taken */
        house->moment.now_ms += HOUR_MS;
        tell(house, touch, FAILED);
        tell(house, touch, TAKEN);
        assert_int_equal(house_status(house, touch), status[i]);
        assert_int_equal(house_claim_all(house, "texts"), 0);
    }
    house_remove(house);
}

/* A failure while it is on its way is one: it is not sent again by itself. */
static void failed_before_it_was_taken(void **state)
{
    struct touch_house *house = with_sms();
    (void)state;
    uint64_t touch = under_way(house, 70);
    tell(house, touch, FAILED);
    tell(house, touch, TAKEN);
    assert_int_equal(house_status(house, touch), TOUCH_FAILED);
    assert_int_equal(house_claim_all(house, "texts"), 0);
    house_remove(house);
}

static bool is_claimed_as_repeat(struct touch_house *house, const char *account)
{
    assert_int_equal(house_claim(house, account, 10), 1);
    return str_contains(buffer_str(&house->answer), STR("\"repeat\":true"));
}

/* An uncertain one goes again because somebody, or its account, says so: as a repeat where the provider can tell, else as if it were
 * new. */
static void a_resend_is_a_repeat_where_that_means_something(void **state)
{
    static const struct {
        const char *account, *kind, *channel, *settings;
        bool is_repeat, by_itself;
    } ways[] = { { "a", "sms_aliyun", "sms", "{\"uncertain\":\"leave\"}", true, false },
                 { "b", "smtp", "email", "{\"uncertain\":\"leave\"}", false, false },
                 { "c", "sms_aliyun", "sms", "{\"uncertain\":\"resend\"}", true, true },
                 { "d", "smtp", "email", "{\"uncertain\":\"resend\"}", false, true } };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct touch_house *house = house_make();
        char body[200];
        house_account(house, ways[i].account, ways[i].kind, ways[i].settings);
        snprintf(body, sizeof body,
                 "{\"key\":\"hello\",\"channel\":\"%s\",\"parts\":{\"text\":\"hello\"}}",
                 ways[i].channel);
        house_do(house, touch_put_template, body);
        struct touch_request request = house_request(90, "j", "k");
        request.channel = str_from_c(ways[i].channel);
        struct touch_answer answer = house_ask(house, &request);
        assert_int_equal(answer.status, TOUCH_QUEUED);
        assert_false(is_claimed_as_repeat(house, ways[i].account));
        house_result(house, answer.touch, "\"outcome\":\"uncertain\",\"reason\":\"timeout\"");
        if (!ways[i].by_itself) {
            assert_int_equal(house_status(house, answer.touch), TOUCH_UNCERTAIN);
            snprintf(body, sizeof body, "{\"touch\":%llu,\"decision\":\"resend\"}",
                     (unsigned long long)answer.touch);
            house_do(house, touch_decide, body);
        }
        assert_int_equal(house_status(house, answer.touch), TOUCH_QUEUED);
        house_again(house);
        assert_true(is_claimed_as_repeat(house, ways[i].account) == ways[i].is_repeat);
        house_remove(house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_any_order_and_twice),
        cmocka_unit_test(failed_an_hour_later),
        cmocka_unit_test(delivered_is_delivered),
        cmocka_unit_test(failed_before_it_was_taken),
        cmocka_unit_test(a_resend_is_a_repeat_where_that_means_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
