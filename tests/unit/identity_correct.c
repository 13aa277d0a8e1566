/* SPDX-License-Identifier: Apache-2.0 */
/* An identifier that is not hers is taken off by hand: whose it is then, and that nothing brings it back. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "support/people.h"

static int make(void **state)
{
    static struct people people;
    people_make(&people, true);
    *state = &people;
    return 0;
}

/* Whatever a test did: the invariants hold, and what was written is what is there. */
static int finish(void **state)
{
    struct people *people = *state;
    people_check(people);
    people_check_load(people);
    people_remove(people);
    return 0;
}

static err part(struct people *people, const char *from, const char *what, uint32_t *other,
                struct problem *problem)
{
    return identity_part(people->identity, who(people, from), row_of(people, what), ++people->seq,
                         people->now_ms, people->writes, other, problem);
}

static void a_strong_identifier_taken_off_is_another_person(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t other, ann = says(people, "user_id=ann mobile=P1!");
    assert_ok(part(people, "user_id=ann", "mobile=P1", &other, &problem));
    assert_true(other != 0 && other != ann);
    assert_int_equal(who(people, "mobile=P1"), other);
    people_check(people);
    /* What comes with both is refused, whichever is the stronger; what comes with it alone is the other's. */
    says(people, "user_id=ann mobile=P1!");
    assert_int_equal(people->last.refusal_count, 1);
    assert_int_equal(people->last.merge_count, 0);
    assert_int_equal(says(people, "mobile=P1!"), other);
    assert_false(same(people, "user_id=ann", "mobile=P1"));
    assert_err(part(people, "user_id=ann", "mobile=P1", &other, &problem), ERR_NOT_FOUND);
    people_check(people);
    people_check_load(people);
    /* A merge by hand takes it back. */
    assert_ok(identity_merge(people->identity, ann, who(people, "mobile=P1"), ++people->seq,
                             people->now_ms, 9, people->writes, &problem));
    assert_true(same(people, "user_id=ann", "mobile=P1"));
}

static void a_weak_identifier_taken_off_is_whoever_uses_it_next(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t other;
    says(people, "user_id=ann anonymous_id=a1");
    assert_ok(part(people, "user_id=ann", "anonymous_id=a1", &other, &problem));
    assert_int_equal(other, 0);
    assert_int_equal(who(people, "anonymous_id=a1"), 0);
    people_check(people);
    uint32_t bob = says(people, "user_id=bob anonymous_id=a1");
    assert_int_equal(who(people, "anonymous_id=a1"), bob);
    people_check_load(people);
}

static void what_may_not_be_taken_off(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t other;
    says(people, "user_id=ann");
    assert_err(part(people, "user_id=ann", "user_id=ann", &other, &problem), ERR_CONFLICT);
    says(people, "mobile=P1!");
    assert_err(part(people, "user_id=ann", "mobile=P1", &other, &problem), ERR_NOT_FOUND);
    says(people, "user_id=ann mobile=P1!");
    assert_int_equal(people->last.merge_count, 1);
    assert_err(part(people, "user_id=ann", "mobile=P1", &other, &problem), ERR_CONFLICT);
    assert_err(identity_part(people->identity, who(people, "user_id=ann"), 4711, ++people->seq,
                             people->now_ms, people->writes, &other, &problem),
               ERR_NOT_FOUND);
    people_check(people);
}

/* What was said of the pair joins nobody any more, when the merge between is taken back. */
static void what_was_taken_off_is_no_evidence(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    uint32_t a, b, other;
    says(people, "user_id=ann wx_unionid=w1");
    says(people, "mobile=P1! email=e1!");
    says(people, "user_id=ann mobile=P1!");
    uint64_t merge = people->last.merges[0].id;
    says(people, "wx_unionid=w1 email=e1!"); /* another reason */
    assert_ok(part(people, "user_id=ann", "email=e1", &other, &problem));
    assert_ok(identity_split(people->identity, merge, ++people->seq, people->now_ms, 9,
                             people->writes, &a, &b, &problem));
    assert_false(same(people, "user_id=ann", "mobile=P1"));
    people_check(people);
    people_check_load(people);
}

/* ---- changed rules ---- */

static void apply_rules(struct people *people, struct buffer *report)
{
    struct problem problem = { .error = ERR_OK };
    people_commit(people);
    buffer_clear(report);
    if (identity_apply_rules(people->identity, people->ledger, ++people->seq, people->now_ms,
                             people->writes, report, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    people_commit(people);
}

static void rules_put_nothing_back_that_was_taken_off(void **state)
{
    struct people *people = *state;
    struct problem problem = { .error = ERR_OK };
    struct buffer report;
    uint32_t other;
    buffer_init(&report, 1 << 20);
    says(people, "user_id=ann mobile=P1! email=e1! anonymous_id=a1");
    assert_ok(part(people, "user_id=ann", "mobile=P1", &other, &problem));
    assert_ok(part(people, "user_id=ann", "anonymous_id=a1", &other, &problem));
    says(people, "user_id=ann mobile=P1!");
    apply_rules(people, &report);
    assert_false(same(people, "user_id=ann", "mobile=P1"));
    assert_int_equal(who(people, "anonymous_id=a1"), 0);
    assert_true(same(people, "user_id=ann", "email=e1"));
    people_check(people);
    buffer_deinit(&report);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_strong_identifier_taken_off_is_another_person),
        T(a_weak_identifier_taken_off_is_whoever_uses_it_next),
        T(what_may_not_be_taken_off),
        T(what_was_taken_off_is_no_evidence),
        T(rules_put_nothing_back_that_was_taken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
