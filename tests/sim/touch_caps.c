/* SPDX-License-Identifier: Apache-2.0 */
/* J3, T3, P1, P8: fifty campaigns want the same people at once, over restarts; a day of silence with everything due. */
#include "../unit/touch_house.h"

#include "base/digest.h"

#define CAMPAIGNS 50
#define RESTARTS 16 /* about as many, in between */
#define MAX_PER_WEEK 2

static uint64_t seed_of_run(void)
{
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261122;
    print_message("KITH_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void make_ready(struct touch_house *house, const char *policy)
{
    house_account(house, "texts", "sms_aliyun", "{}");
    house_do(house, touch_put_template,
             "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    house_policy(house, policy);
}

/* What was claimed, by customer; results of every fifth are refusals, which give the place free again. */
static void claim_some(struct touch_house *house, int limit, uint8_t *sent)
{
    uint64_t touches[1000];
    json_value root, message;
    size_t count = house_claim(house, "texts", limit), at = 0;
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, &house->problem));
    struct json_iterator iterator = json_iterate(json_get(root, STR("messages")));
    while (json_next(&iterator, NULL, &message)) {
        touches[at++] = (uint64_t)json_int(json_get(message, STR("touch")), 0);
        sent[json_int(json_get(message, STR("customer")), 0)]++;
    }
    assert_int_equal(at, count);
    for (size_t i = 0; i < count; i++)
        house_result(house, touches[i], "\"outcome\":\"sent\",\"provider_id\":\"p\"");
}

/* KITH_PEOPLE=1000000 for as many (tools/soak). */
static uint32_t people_of_run(void)
{
    const char *given = getenv("KITH_PEOPLE");
    uint32_t people = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : 20000;
    print_message("KITH_PEOPLE=%u\n", people);
    return people < HOUSE_CUSTOMERS - 1000 ? people : HOUSE_CUSTOMERS - 1000;
}

static void fifty_campaigns_at_once(void **state)
{
    const uint32_t PEOPLE = people_of_run();
    struct touch_house *house = house_make();
    uint8_t *sent = memory_alloc(HOUSE_CUSTOMERS);
    struct random_stream random;
    (void)state;
    random_seed(&random, seed_of_run());
    make_ready(house, "{\"frequency\":[{\"name\":\"cap\",\"max\":2,\"window\":\"7d\"}]}");
    for (uint32_t asked = 0; asked < CAMPAIGNS * PEOPLE; asked++) {
        char journey[16];
        uint32_t customer = 1000 + (uint32_t)random_below(&random, PEOPLE);
        snprintf(journey, sizeof journey, "c%u", (unsigned)random_below(&random, CAMPAIGNS));
        struct touch_request request = house_request(customer, journey, "1");
        request.priority = (int)random_below(&random, 101);
        (void)house_ask(house, &request);
        if (random_below(&random, 500) == 0)
            claim_some(house, 1 + (int)random_below(&random, 200), sent);
        if (random_below(&random, CAMPAIGNS * PEOPLE / RESTARTS) == 0)
            house_again(house);
    }
    for (bool more = true; more;) {
        size_t before = house->moment.seq;
        claim_some(house, 500, sent);
        struct touch_status_counts counts;
        touch_status(house->touches, &counts);
        more = counts.by_status[TOUCH_QUEUED] > 0;
        assert_true(house->moment.seq > before);
    }
    uint32_t all = 0;
    for (uint32_t customer = 0; customer < HOUSE_CUSTOMERS; customer++) {
        assert_in_range(sent[customer], 0, MAX_PER_WEEK);
        all += sent[customer];
    }
    assert_int_equal(all, PEOPLE * MAX_PER_WEEK); /* and nobody gets less than she may */
    memory_free(sent);
    house_remove(house);
}

/* Everything became due while nothing ran for a day: quiet hours still hold, what is too late is dropped, all else goes once. */
static void a_day_of_silence(void **state)
{
    enum { DUE = 5000 };
    struct touch_house *house = house_make();
    struct touch_status_counts counts;
    (void)state;
    make_ready(house,
               "{\"quiet_hours\":[{\"from\":\"21:00\",\"to\":\"09:00\"}],\"expires\":\"12h\"}");
    house->moment.now_ms = HOUSE_START_MS + 2 * HOUR_MS; /* ten in the morning */
    for (uint32_t customer = 1000; customer < 1000 + DUE; customer++) {
        struct touch_request request = house_request(customer, "j", "1");
        request.not_before_ms = house->moment.now_ms + (int64_t)(customer % 24) * HOUR_MS;
        assert_int_equal(house_ask(house, &request).status,
                         customer % 24 == 0 ? TOUCH_QUEUED : TOUCH_HELD);
    }
    house_again(house);
    house->moment.now_ms += 23 * HOUR_MS - 60 * MINUTE_MS; /* eight the next morning: quiet */
    house_due(house);
    assert_int_equal(house_claim_all(house, "texts"), 0);
    house->moment.now_ms += HOUR_MS; /* nine */
    house_due(house);
    size_t gone = house_claim_all(house, "texts");
    touch_status(house->touches, &counts);
    assert_int_equal(counts.by_status[TOUCH_HELD] + counts.by_status[TOUCH_QUEUED], 0);
    assert_int_equal(gone + counts.by_status[TOUCH_SUPPRESSED], DUE);
    assert_int_equal(counts.by_status[TOUCH_SENDING], gone);
    /* Twelve hours are enough for those of the last twelve. */
    assert_in_range(gone, DUE / 24 * 11, DUE / 24 * 13);
    house_remove(house);
}

/* P1: a hundred thousand wait, all of them withdraw; not one goes out, before or after a restart. */
static void p1_withdrawn_consent_reaches_all_that_waits(void **state)
{
    enum { WAITING = 100000, FIRST = 1000 };
    struct touch_house *house = house_make();
    struct touch_status_counts counts;
    (void)state;
    make_ready(house, "{}");
    for (uint32_t customer = FIRST; customer < FIRST + WAITING; customer++) {
        struct touch_request request = house_request(customer, "j", "1");
        assert_int_equal(house_ask(house, &request).status, TOUCH_QUEUED);
    }
    for (uint32_t customer = FIRST; customer < FIRST + WAITING; customer++) {
        house->marketing[customer] = 2;
        house_changed(house, customer);
        if (customer == FIRST + WAITING / 2)
            house_again(house);
    }
    touch_status(house->touches, &counts);
    assert_int_equal(counts.by_status[TOUCH_QUEUED] + counts.by_status[TOUCH_HELD], 0);
    assert_int_equal(counts.by_status[TOUCH_SUPPRESSED], WAITING);
    assert_int_equal(house_claim_all(house, "texts"), 0);
    house_remove(house);
}

static bool may_have(const struct touch_house *house, uint32_t customer)
{
    return house->marketing[customer] == 1 && house->sms[customer] != 2;
}

/* Who is claimed has agreed, at that very moment. How many. */
static size_t claim_agreed(struct touch_house *house, int limit)
{
    uint64_t touches[200];
    json_value root, message;
    size_t count = house_claim(house, "texts", limit), at = 0;
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, &house->problem));
    struct json_iterator iterator = json_iterate(json_get(root, STR("messages")));
    while (json_next(&iterator, NULL, &message)) {
        assert_true(may_have(house, (uint32_t)json_int(json_get(message, STR("customer")), 0)));
        touches[at++] = (uint64_t)json_int(json_get(message, STR("touch")), 0);
    }
    for (size_t i = 0; i < at; i++)
        house_result(house, touches[i], "\"outcome\":\"sent\",\"provider_id\":\"p\"");
    return count;
}

/* P8: people decide at random, for the purpose and for the channel, while others ask for them; what is taken and what goes out is agreed
 * to, each time. Some decide without anybody being told: the gate at the claim is the last word. */
static void p8_nothing_goes_without_consent(void **state)
{
    enum { STEPS = 300000, CROWD = 3000, FIRST = 1000 };
    struct touch_house *house = house_make();
    struct random_stream random;
    size_t gone = 0, refused = 0;
    char key[16];
    (void)state;
    random_seed(&random, seed_of_run());
    make_ready(house, "{}");
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t customer = FIRST + (uint32_t)random_below(&random, CROWD);
        uint64_t what = random_below(&random, 100);
        if (what < 50) {
            uint8_t *said = what < 35 ? house->marketing : house->sms;
            said[customer] = (uint8_t)random_below(&random, 3);
            if (what % 5 != 0)
                house_changed(house, customer);
        } else if (what < 98) {
            snprintf(key, sizeof key, "k%u", step);
            struct touch_request request = house_request(customer, "j", key);
            bool may = may_have(house, customer);
            enum touch_status status = house_ask(house, &request).status;
            assert_int_equal(status, may ? TOUCH_QUEUED : TOUCH_SUPPRESSED);
            refused += !may;
        } else {
            gone += claim_agreed(house, 1 + (int)random_below(&random, 200));
        }
    }
    assert_true(gone > STEPS / 100 && refused > STEPS / 10);
    house_remove(house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifty_campaigns_at_once),
        cmocka_unit_test(a_day_of_silence),
        cmocka_unit_test(p1_withdrawn_consent_reaches_all_that_waits),
        cmocka_unit_test(p8_nothing_goes_without_consent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
