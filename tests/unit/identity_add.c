/* SPDX-License-Identifier: Apache-2.0 */
/* An identifier is given to a customer by hand: what it is from then on, what refuses it, and that it can be taken off again. */
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

struct asked {
    bool added;
    struct identity_outcome outcome;
    struct problem problem;
};

static err add(struct people *people, const char *to, const char *type, const char *value,
               uint8_t flags, struct asked *asked)
{
    struct event_identifier identifier = people_identifier(type, "", value, flags);
    *asked = (struct asked){ .problem = { .error = ERR_OK } };
    people->now_ms += 1000;
    err error =
        identity_add(people->identity, who(people, to), &identifier, ++people->seq, people->now_ms,
                     people->writes, &asked->outcome, &asked->added, &asked->problem);
    people_check(people);
    return error;
}

#define VERIFIED IDENTIFIER_VERIFIED

static void what_is_new_is_hers_and_finds_her(void **state)
{
    struct people *people = *state;
    struct asked asked;
    uint32_t ann = says(people, "user_id=ann");
    assert_ok(add(people, "user_id=ann", "mobile", "P1", VERIFIED, &asked));
    assert_true(asked.added);
    assert_int_equal(who(people, "mobile=P1"), ann);
    assert_int_equal(asked.outcome.origin, row_of(people, "mobile=P1"));
    assert_int_equal(says(people, "mobile=P1!"), ann);
    /* Again it is no news. */
    assert_ok(add(people, "user_id=ann", "mobile", "P1", VERIFIED, &asked));
    assert_false(asked.added);
    people_check_load(people);
    /* And it can be taken off again. */
    uint32_t other;
    assert_ok(identity_part(people->identity, ann, row_of(people, "mobile=P1"), ++people->seq,
                            people->now_ms, people->writes, &other, &asked.problem));
    assert_int_equal(who(people, "mobile=P1"), other);
    assert_err(add(people, "user_id=ann", "mobile", "P1", VERIFIED, &asked), ERR_CONFLICT);
}

static void what_is_not_verified_is_a_claim(void **state)
{
    struct people *people = *state;
    struct asked asked;
    uint32_t ann = says(people, "user_id=ann");
    assert_ok(add(people, "user_id=ann", "mobile", "P1", 0, &asked));
    assert_int_equal(who(people, "mobile=P1"), ann);
    /* Who proves it has it. */
    uint32_t bob = says(people, "user_id=bob mobile=P1!");
    assert_int_equal(who(people, "mobile=P1"), bob);
    assert_true(ann != bob);
    /* A claim takes nothing from who only claims, what is verified does. */
    says_in_public(people, "anonymous_id=a1~ mobile=P2");
    assert_err(add(people, "user_id=ann", "mobile", "P2", 0, &asked), ERR_CONFLICT);
    assert_ok(add(people, "user_id=ann", "mobile", "P2", VERIFIED, &asked));
    assert_true(asked.added);
    assert_int_equal(who(people, "mobile=P2"), ann);
    /* Her own claim is proved. */
    assert_ok(add(people, "user_id=ann", "mobile", "P3", 0, &asked));
    assert_ok(add(people, "user_id=ann", "mobile", "P3", VERIFIED, &asked));
    says(people, "user_id=eve mobile=P3!");
    assert_int_equal(who(people, "mobile=P3"), ann);
}

static void what_is_anothers_stays_there(void **state)
{
    struct people *people = *state;
    struct asked asked;
    says(people, "user_id=ann");
    uint32_t bob = says(people, "user_id=bob mobile=P1! anonymous_id=a1");
    assert_err(add(people, "user_id=ann", "mobile", "P1", VERIFIED, &asked), ERR_CONFLICT);
    assert_err(add(people, "user_id=ann", "anonymous_id", "a1", 0, &asked), ERR_CONFLICT);
    assert_int_equal(who(people, "mobile=P1"), bob);
    assert_int_equal(who(people, "anonymous_id=a1"), bob);
}

static void what_is_refused(void **state)
{
    struct people *people = *state;
    struct asked asked;
    says(people, "user_id=ann");
    assert_err(add(people, "user_id=ann", "no_such_type", "x", VERIFIED, &asked),
               ERR_UNPROCESSABLE);
    assert_err(add(people, "user_id=ann", "mobile", "P1", VERIFIED | IDENTIFIER_BLOCKED, &asked),
               ERR_UNPROCESSABLE);
    rules(people, "wx_unionid", "{\"blocked\":[\"w0\"]}");
    assert_err(add(people, "user_id=ann", "wx_unionid", "w0", VERIFIED, &asked), ERR_UNPROCESSABLE);
    assert_int_equal(row_of(people, "wx_unionid=w0"), 0);
    /* One user_id, three phones. */
    assert_err(add(people, "user_id=ann", "user_id", "ann2", VERIFIED, &asked), ERR_CONFLICT);
    assert_int_equal(row_of(people, "user_id=ann2"), 0);
    assert_ok(add(people, "user_id=ann", "mobile", "P1", VERIFIED, &asked));
    assert_ok(add(people, "user_id=ann", "mobile", "P2", VERIFIED, &asked));
    assert_ok(add(people, "user_id=ann", "mobile", "P3", VERIFIED, &asked));
    assert_err(add(people, "user_id=ann", "mobile", "P4", VERIFIED, &asked), ERR_CONFLICT);
    assert_err(add(people, "user_id=ann", "mobile", "P5", 0, &asked), ERR_CONFLICT);
    assert_int_equal(row_of(people, "mobile=P4"), 0);
}

/* Where the type lets go the oldest, the newest stays. */
static void the_oldest_makes_room(void **state)
{
    struct people *people = *state;
    struct asked asked;
    char value[16];
    rules(people, "wx_openid", "{\"limit\":2,\"over_limit\":\"drop_oldest\"}");
    uint32_t ann = says(people, "user_id=ann");
    for (int i = 1; i <= 3; i++) {
        snprintf(value, sizeof value, "o%d", i);
        assert_ok(add(people, "user_id=ann", "wx_openid", value, VERIFIED, &asked));
    }
    assert_int_equal(who(people, "wx_openid=o1"), 0);
    assert_int_equal(who(people, "wx_openid=o2"), ann);
    assert_int_equal(who(people, "wx_openid=o3"), ann);
}

/* A weak one that was taken off comes back; one that was refused to her by a limit comes once there is room. */
static void what_is_at_home_nowhere_comes(void **state)
{
    struct people *people = *state;
    struct asked asked;
    uint32_t other, ann = says(people, "user_id=ann anonymous_id=a1");
    assert_ok(identity_part(people->identity, ann, row_of(people, "anonymous_id=a1"), ++people->seq,
                            people->now_ms, people->writes, &other, &asked.problem));
    assert_int_equal(who(people, "anonymous_id=a1"), 0);
    assert_ok(add(people, "user_id=ann", "anonymous_id", "a1", 0, &asked));
    assert_true(asked.added);
    assert_int_equal(who(people, "anonymous_id=a1"), ann);
}

/* Of whom only an import has told: the import is taken back, what a person said stays. */
static void it_stays_when_an_import_is_taken_back(void **state)
{
    struct people *people = *state;
    struct asked asked;
    uint32_t roots[2];
    people->source = EVENT_SOURCE_IMPORT_FIRST + 7;
    uint32_t ann = says_kind(people, EVENT_IDENTIFY, EVENT_TRUSTED | EVENT_IMPORTED, "user_id=ann");
    people->source = 1;
    assert_ok(add(people, "user_id=ann", "mobile", "P1", VERIFIED, &asked));
    assert_true(asked.outcome.adopted);
    assert_true(same(people, "user_id=ann", "mobile=P1"));
    uint32_t merge = identity_merge_count(people->identity);
    assert_ok(identity_undo_merge(people->identity, merge, ++people->seq, people->now_ms,
                                  people->writes, roots));
    assert_ok(identity_undo_row(people->identity, row_of(people, "user_id=ann"), ++people->seq,
                                people->now_ms, people->writes));
    assert_int_equal(who(people, "user_id=ann"), 0);
    assert_true(who(people, "mobile=P1") != 0 && who(people, "mobile=P1") != ann);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_new_is_hers_and_finds_her),
        T(what_is_not_verified_is_a_claim),
        T(what_is_anothers_stays_there),
        T(what_is_refused),
        T(the_oldest_makes_room),
        T(what_is_at_home_nowhere_comes),
        T(it_stays_when_an_import_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
