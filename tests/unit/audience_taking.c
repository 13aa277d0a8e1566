/* SPDX-License-Identifier: Apache-2.0 */
/* A result that changes many stands at once, and is noted in slices: members, changes, dependents and a crash in
 * between are as if it had been done in one piece. */
#include "unit/audience_house.h"

#define PEOPLE 70000 /* more than a chunk of 65,536 */

static uint32_t say(struct small_house *house, unsigned person, const char *type)
{
    char user[32];
    snprintf(user, sizeof user, "u%u", person);
    return small_say(house, &(struct small_event){ .type = type, .user = user });
}

/* Even ones have viewed, every fourth has added as well; customers have the numbers 1 to PEOPLE. */
static void fill(struct small_house *house)
{
    for (unsigned person = 0; person < PEOPLE; person++) {
        uint32_t customer = say(house, person, person % 2 == 0 ? "Product Viewed" : "Page Viewed");
        if (person % 4 == 0)
            say(house, person, "Product Added");
        assert_int_equal(customer, person + 1);
    }
}

/* The scan is over and its record is applied; nothing is noted yet. */
static void apply_install(struct small_house *house)
{
    char *text = NULL;
    while (text == NULL) {
        audience_work(house->audience, 1000);
        pthread_mutex_lock(&house->mutex);
        if (house->submitted_count > 0)
            text = house->submitted[--house->submitted_count];
        pthread_mutex_unlock(&house->mutex);
        steady_sleep_ms(1);
    }
    assert_ok(small_command(house, audience_install, text, NULL));
    free(text);
}

static void recount(struct small_house *house)
{
    struct audience_recount_result result;
    assert_ok(audience_recount(house->audience, house->now_ms, false, &result));
    if (result.defects != 0)
        fail_msg("%s", result.first);
}

static uint64_t count_at(struct small_house *house, const char *key, int64_t at_ms)
{
    struct audience_set *set;
    assert_ok(
        audience_set_take(house->audience, AUDIENCE_SEGMENT, str_from_c(key), STR_NONE, &set));
    small_commit(house);
    assert_ok(ledger_drain(house->ledger));
    assert_ok(audience_set_at(set, house->ledger, at_ms, &house->problem));
    uint64_t count = audience_set_count(set);
    audience_set_free(&set);
    return count;
}

static uint64_t shown(struct small_house *house, const char *key)
{
    struct buffer out;
    json_value json;
    buffer_init(&out, 1 << 20);
    assert_ok(audience_write_one(house->audience, AUDIENCE_SEGMENT, str_from_c(key), &out));
    assert_ok(json_parse(house->parser, buffer_str(&out), &json, &house->problem));
    uint64_t count = (uint64_t)json_int(json_get(json, STR("count")), -1);
    buffer_deinit(&out);
    return count;
}

#define SEEN "{\"key\":\"seen\",\"rule\":{\"event\":\"Product Viewed\",\"gte\":1}}"
#define ADDED "{\"key\":\"seen\",\"rule\":{\"event\":\"Product Added\",\"gte\":1}}"

static void test_in_slices(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = true };
    small_make(&house);
    fill(&house);
    house.now_ms += HOUR_MS;
    small_put_segment(&house, SEEN);
    apply_install(&house);
    assert_int_equal(shown(&house, "seen"), PEOPLE / 2); /* at once */
    small_put_segment(&house, "{\"key\":\"not-seen\",\"rule\":{\"not\":{\"segment\":\"seen\"}}}");
    small_install(&house);
    assert_int_equal(small_count(&house, "not-seen"), PEOPLE / 2);
    int64_t first_ms = house.now_ms;
    house.now_ms += HOUR_MS;
    small_put_segment(&house, ADDED);
    apply_install(&house);
    assert_int_equal(shown(&house, "seen"), PEOPLE / 4);
    /* meanwhile the last one comes in by what she does, and one who left by the install comes back */
    say(&house, PEOPLE - 1, "Product Added");
    say(&house, 2, "Product Added");
    assert_int_equal(shown(&house, "seen"), PEOPLE / 4 + 2);
    while (audience_work(house.audience, 1))
        ;
    assert_int_equal(small_count(&house, "seen"), PEOPLE / 4 + 2);
    assert_int_equal(small_count(&house, "not-seen"), PEOPLE - PEOPLE / 4 - 2);
    recount(&house);
    /* what was: nobody, the half, the quarter */
    assert_int_equal(count_at(&house, "seen", first_ms - HOUR_MS / 2), 0);
    assert_int_equal(count_at(&house, "seen", first_ms + HOUR_MS / 2), PEOPLE / 2);
    struct audience_status status;
    audience_status(house.audience, &status);
    assert_int_equal(status.computing, 0);
    small_remove(&house);
}

static void test_crash_in_between(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = true };
    small_make(&house);
    fill(&house);
    small_put_segment(&house, SEEN);
    small_install(&house);
    while (audience_work(house.audience, 100000))
        ;
    small_put_segment(&house, ADDED);
    apply_install(&house);
    small_restart(&house); /* what was committed says that it is not live */
    struct audience_status status;
    audience_status(house.audience, &status);
    assert_int_equal(status.computing, 1);
    small_install(&house);
    assert_int_equal(small_count(&house, "seen"), PEOPLE / 4);
    recount(&house);
    /* when all is noted, a restart finds it live */
    while (audience_work(house.audience, 100000))
        ;
    small_restart(&house);
    audience_status(house.audience, &status);
    assert_int_equal(status.computing, 0);
    assert_int_equal(small_count(&house, "seen"), PEOPLE / 4);
    small_remove(&house);
}

/* ---- numbers ---- */

static void test_numbers_in_slices(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = true };
    char text[200];
    small_make(&house);
    fill(&house);
    say(&house, 0, "Product Viewed");
    house.now_ms += HOUR_MS;
    small_put_tag(&house, "{\"key\":\"views\",\"kind\":\"count\",\"measure\":"
                          "{\"event\":\"Product Viewed\",\"measure\":\"count\"}}");
    apply_install(&house);
    small_customer(&house, 1, text, sizeof text); /* at once */
    assert_non_null(strstr(text, "\"views\":2"));
    small_put_segment(&house, "{\"key\":\"often\",\"rule\":{\"tag\":\"views\",\"gte\":1}}");
    small_install(&house);
    assert_int_equal(small_count(&house, "often"), PEOPLE / 2);
    house.now_ms += HOUR_MS;
    small_put_tag(&house, "{\"key\":\"views\",\"kind\":\"count\",\"measure\":"
                          "{\"event\":\"Product Added\",\"measure\":\"count\"}}");
    apply_install(&house);
    say(&house, 2, "Product Added"); /* meanwhile: customer 3 had a view, and has an addition */
    small_customer(&house, 3, text, sizeof text);
    assert_non_null(strstr(text, "\"views\":1"));
    while (audience_work(house.audience, 1))
        ;
    recount(&house);
    small_customer(&house, 1, text, sizeof text);
    assert_non_null(strstr(text, "\"views\":1"));
    /* everybody has a number or has none: what counts nothing is 0 or no value alike, before and after */
    uint64_t count = small_count(&house, "often");
    assert_int_equal(count, PEOPLE / 4 + 1);
    /* A crash in between finds the version of before, and computes it once more. */
    small_commit(&house);
    small_put_tag(&house, "{\"key\":\"views\",\"kind\":\"count\",\"measure\":"
                          "{\"event\":\"Product Viewed\",\"measure\":\"count\"}}");
    apply_install(&house);
    small_restart(&house);
    struct audience_status status;
    audience_status(house.audience, &status);
    assert_int_equal(status.computing, 1);
    small_install(&house);
    while (audience_work(house.audience, 100000))
        ;
    assert_int_equal(small_count(&house, "often"), PEOPLE / 2);
    recount(&house);
    small_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_slices),
        cmocka_unit_test(test_crash_in_between),
        cmocka_unit_test(test_numbers_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
