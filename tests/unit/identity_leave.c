/* SPDX-License-Identifier: Apache-2.0 */
/* Visitors who leave memory: who may, that nothing of them is left here, and that they come back as they were. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/people.h"

#define LATER (people.now_ms + 1)

static struct identity_row_view view_of(const struct people *people, uint32_t row)
{
    struct identity_row_view view = { .row = 0 };
    assert_true(identity_row_state(people->identity, row, &view));
    return view;
}

static void leave(struct people *people, const uint32_t *nodes, size_t count)
{
    struct problem problem = { .error = ERR_OK };
    people_commit(people);
    if (identity_leave(people->identity, people->ledger, nodes, count, ++people->seq,
                       people->writes, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    people_commit(people);
}

static uint32_t find_left(struct people *people, const char *type, const char *value)
{
    struct problem problem = { .error = ERR_OK };
    struct event_identifier identifier = people_identifier(type, "", value, 0);
    uint32_t node = 0;
    if (identity_may_have_left(people->identity, identifier.hash))
        assert_ok(
            identity_find_left(people->identity, people->ledger, identifier.hash, &node, &problem));
    return node;
}

static void come_back(struct people *people, uint32_t node)
{
    struct problem problem = { .error = ERR_OK };
    if (identity_come_back(people->identity, people->ledger, node, people->writes, &problem) !=
        ERR_OK)
        fail_msg("%s", problem.detail);
}

static void test_only_a_visitor_tied_to_nobody_may(void **state)
{
    (void)state;
    struct people people;
    people_make(&people, true);
    uint32_t visitor = says(&people, "anonymous_id=v1 device=d1");
    uint32_t known = says(&people, "user_id=ann anonymous_id=a1");
    uint32_t claimed = says_in_public(&people, "user_id=bea anonymous_id=b1~");
    uint32_t signed_in = says(&people, "anonymous_id=c1");
    says(&people, "user_id=cho anonymous_id=c1");
    uint32_t other = says(&people, "crm_no=7");
    assert_true(identity_may_leave(people.identity, visitor, LATER + 1000));
    assert_false(identity_may_leave(people.identity, visitor, PEOPLE_START_MS - 1000));
    assert_false(identity_may_leave(people.identity, known, LATER + 1000));
    assert_false(identity_may_leave(people.identity, claimed, LATER + 1000));
    assert_false(identity_may_leave(people.identity, signed_in, LATER + 1000));
    assert_false(identity_may_leave(people.identity, other, LATER + 1000));
    assert_false(identity_may_leave(people.identity, 999, LATER + 1000));
    people_remove(&people);
}

static void test_she_is_nobody_until_she_is_back(void **state)
{
    (void)state;
    struct people people;
    people_make(&people, true);
    says(&people, "user_id=ann anonymous_id=a1");
    uint32_t visitor = says(&people, "anonymous_id=v1 device=d1");
    uint32_t row = row_of(&people, "anonymous_id=v1");
    struct identity_row_view before = view_of(&people, row);
    uint32_t customers = identity_customer_count(people.identity);
    struct digest whole = { .count = 0 }, again = { .count = 0 };
    identity_digest(people.identity, &whole);

    leave(&people, &visitor, 1);
    assert_int_equal(identity_root(people.identity, visitor), 0);
    assert_int_equal(who(&people, "anonymous_id=v1"), 0);
    assert_int_equal(identity_customer_count(people.identity), customers - 1);
    assert_int_equal(identity_left_count(people.identity), 1);
    uint32_t nodes[4], rows[4];
    assert_int_equal(identity_nodes(people.identity, visitor, nodes, 4), 0);
    assert_int_equal(identity_rows(people.identity, visitor, rows, 4), 0);
    people_check(&people);
    people_check_load(&people);

    assert_int_equal(find_left(&people, "anonymous_id", "v1"), visitor);
    assert_int_equal(find_left(&people, "device", "d1"), visitor);
    assert_int_equal(find_left(&people, "device", "nobody"), 0);
    come_back(&people, visitor);
    struct identity_row_view after = view_of(&people, row);
    assert_int_equal(after.node, visitor);
    assert_int_equal(after.flags, before.flags);
    assert_int_equal(after.attached_ms, before.attached_ms);
    assert_int_equal(who(&people, "device=d1"), visitor);
    identity_digest(people.identity, &again);
    assert_true(whole.low == again.low && whole.high == again.high);
    people_commit(&people);
    assert_int_equal(find_left(&people, "device", "d1"), 0);
    people_check(&people);
    people_check_load(&people);
    people_remove(&people);
}

/* What moved to her in her life is with her when she is back, and she may sign in then. */
static void test_homes_and_later_hashes_come_back(void **state)
{
    (void)state;
    struct people people;
    people_make(&people, true);
    uint32_t visitor = says(&people, "anonymous_id=v1");
    says(&people, "anonymous_id=v1 device=d1");
    uint32_t row = row_of(&people, "device=d1");
    leave(&people, &visitor, 1);
    uint32_t fresh = says(&people, "user_id=new anonymous_id=n1");
    assert_true(fresh > visitor);
    come_back(&people, visitor);
    assert_int_equal(view_of(&people, row).node, visitor);
    says(&people, "user_id=vera anonymous_id=v1");
    assert_true(same(&people, "user_id=vera", "device=d1"));
    assert_int_equal(who(&people, "user_id=vera"), visitor);
    people_check(&people);
    people_check_load(&people);
    people_remove(&people);
}

/* Many come and go in random order; always what is here is sound, and what is loaded is what lives. */
static void test_random_leaving(void **state)
{
    (void)state;
    struct people people;
    struct random_stream random;
    char words[80];
    people_make(&people, true);
    random_seed(&random, 20261122);
    for (uint32_t round = 0; round < 30; round++) {
        for (uint32_t i = 0; i < 60; i++) {
            uint32_t number = (uint32_t)random_below(&random, 400);
            char value[16];
            snprintf(value, sizeof(value), "v%u", number);
            uint32_t left = find_left(&people, "anonymous_id", value);
            if (left != 0)
                come_back(&people, left);
            bool signs_in = random_below(&random, 12) == 0;
            snprintf(words, sizeof(words),
                     signs_in ? "user_id=u%u anonymous_id=%s" : "%.0uanonymous_id=%s",
                     signs_in ? number / 3 : 0, value);
            says(&people, words);
        }
        uint32_t nodes[400];
        size_t count = 0;
        for (uint32_t node = 1; node <= identity_node_count(people.identity) && count < 400; node++)
            if (random_below(&random, 2) == 0 &&
                identity_may_leave(people.identity, node, people.now_ms))
                nodes[count++] = node;
        leave(&people, nodes, count);
        identity_give_back(people.identity, 1, 1, round);
        people_check(&people);
        if (round % 10 == 9)
            people_check_load(&people);
    }
    assert_true(identity_left_count(people.identity) > 0);
    people_remove(&people);
}

/* Rules are applied to who is here; who left keeps what she had. */
static void test_rules_pass_over_who_left(void **state)
{
    (void)state;
    struct people people;
    struct problem problem = { .error = ERR_OK };
    people_make(&people, true);
    uint32_t visitor = says(&people, "anonymous_id=v1 device=d1");
    says(&people, "user_id=ann anonymous_id=a1 device=d2");
    says(&people, "user_id=bea anonymous_id=b1 device=d2");
    leave(&people, &visitor, 1);
    rules(&people, "device", "{\"strength\":\"strong\",\"blocked\":[\"d9\"]}");
    assert_ok(identity_apply_rules(people.identity, people.ledger, ++people.seq, people.now_ms,
                                   people.writes, NULL, &problem));
    come_back(&people, visitor);
    assert_int_equal(who(&people, "device=d1"), visitor);
    people_check(&people);
    people_check_load(&people);
    people_remove(&people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_visitor_tied_to_nobody_may),
        cmocka_unit_test(test_she_is_nobody_until_she_is_back),
        cmocka_unit_test(test_homes_and_later_hashes_come_back),
        cmocka_unit_test(test_random_leaving),
        cmocka_unit_test(test_rules_pass_over_who_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
