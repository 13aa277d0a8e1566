/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be one person: suggested with reasons and score, never merged, and not what was decided. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profile/profile.h"
#include "support/people.h"

struct fixture {
    struct people people;
    struct profile *profile;
    struct keys *keys;
    char key_file[96];
};

static int make(void **state)
{
    static struct fixture fixture;
    struct problem problem = { .error = ERR_OK };
    people_make(&fixture.people, true);
    assert_ok(profile_new(&fixture.profile));
    snprintf(fixture.key_file, sizeof(fixture.key_file), "%s/keys", fixture.people.folder);
    if (keys_open(&fixture.keys, fixture.key_file, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    *state = &fixture;
    return 0;
}

static int finish(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->key_file);
    keys_free(&fixture->keys);
    profile_free(&fixture->profile);
    people_remove(&fixture->people);
    return 0;
}

static void named(struct fixture *fixture, uint32_t node, const char *trait, const char *name)
{
    struct event_trait said = { .name = str_from_c(trait),
                                .operation = TRAIT_SET,
                                .value = str_from_c(name) };
    struct event event = { .seq = ++fixture->people.seq,
                           .time_ms = fixture->people.now_ms,
                           .kind = EVENT_IDENTIFY,
                           .trait_count = 1,
                           .traits = &said };
    assert_ok(profile_apply(fixture->profile, &event, node, fixture->people.writes));
}

/* As the doors seal it. */
static void named_sealed(struct fixture *fixture, uint32_t node, const char *name)
{
    struct arena arena;
    str sealed, json;
    arena_init(&arena, "test", 65536);
    assert_ok(keys_seal(fixture->keys, &arena, str_from_c(name), &sealed));
    assert_ok(arena_printf(&arena, &json, "{\"$sealed\":\"" STR_FMT "\"}", STR_ARG(sealed)));
    named(fixture, node, "name", json.data);
    arena_deinit(&arena);
}

/* A customer with a phone of which the last four digits are known. */
static uint32_t with_phone(struct fixture *fixture, const char *user, const char *phone)
{
    struct people *people = &fixture->people;
    struct event_identifier identifiers[2] = { people_identifier("user_id", "", user, 0),
                                               people_identifier("mobile", "", phone,
                                                                 IDENTIFIER_VERIFIED) };
    memcpy(identifiers[1].tail_hash, phone + strlen(phone) - 4, 4);
    struct event event = { .seq = ++people->seq,
                           .received_ms = people->now_ms += 1000,
                           .time_ms = people->now_ms,
                           .kind = EVENT_TRACK,
                           .flags = EVENT_TRUSTED,
                           .identifier_count = 2,
                           .identifiers = identifiers };
    assert_ok(identity_resolve(people->identity, &event, people->writes, &people->last));
    return people->last.node;
}

static void suggest(struct fixture *fixture, struct buffer *out)
{
    struct problem problem = { .error = ERR_OK };
    struct profile_names *names;
    people_commit(&fixture->people);
    assert_ok(profile_names_new(&names, fixture->people.ledger, fixture->keys, &problem));
    struct identity_names known = { .name_of = profile_name_of, .context = names };
    buffer_clear(out);
    assert_ok(identity_suggest(fixture->people.ledger, fixture->keys, &known, 10, out, &problem));
    profile_names_free(&names);
}

static void assert_pair(struct fixture *fixture, const struct buffer *out, size_t index, uint32_t a,
                        uint32_t b, const char *reason, double score)
{
    json_value root;
    struct problem problem;
    char one[ONE_ID_BYTES + 1], other[ONE_ID_BYTES + 1];
    keys_one_id(fixture->keys, a, one);
    keys_one_id(fixture->keys, b, other);
    assert_ok(json_parse(fixture->people.parser, buffer_str(out), &root, &problem));
    json_value pair = json_at(root, index);
    assert_str_equal(json_text(json_get(pair, STR("a"))), str_from_c(one));
    assert_str_equal(json_text(json_get(pair, STR("b"))), str_from_c(other));
    assert_str_equal(json_text(json_at(json_get(pair, STR("reasons")), 0)), str_from_c(reason));
    double is = json_double(json_get(pair, STR("score")), -1);
    assert_true(is > score - 0.011 && is < score + 0.011);
}

static void same_name_and_last_digits(void **state)
{
    struct fixture *fixture = *state;
    struct buffer out;
    buffer_init(&out, 65536);
    uint32_t ann = with_phone(fixture, "ann", "13900001234");
    uint32_t bob = with_phone(fixture, "bob", "15800001234");
    uint32_t cat = with_phone(fixture, "cat", "15800005678");
    named_sealed(fixture, ann, "林 静");
    named_sealed(fixture, bob, "林静");
    named_sealed(fixture, cat, "林静");
    suggest(fixture, &out);
    assert_pair(fixture, &out, 0, ann, bob, "same_name_and_phone_tail", 0.8);
    json_value root;
    assert_ok(json_parse(fixture->people.parser, buffer_str(&out), &root, NULL));
    assert_int_equal(json_count(root), 1);
    assert_int_equal(identity_customer_count(fixture->people.identity), 3);
    buffer_deinit(&out);
}

static void one_device_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct buffer out;
    buffer_init(&out, 65536);
    uint32_t ann = says(&fixture->people, "user_id=ann device=d1");
    uint32_t bob = says(&fixture->people, "user_id=bob device=d1");
    named(fixture, ann, "last_name", "\"Lin\"");
    named(fixture, ann, "first_name", "\"Jing\"");
    named(fixture, bob, "name", "\"LinJing\"");
    suggest(fixture, &out);
    /* A name beside it: 1 - 0.6 * 0.65. */
    assert_pair(fixture, &out, 0, ann, bob, "same_name", 0.61);
    /* What was decided is no suggestion any more. */
    struct problem problem;
    uint32_t a, b;
    assert_ok(identity_merge(fixture->people.identity, ann, bob, ++fixture->people.seq,
                             fixture->people.now_ms, 1, fixture->people.writes, &problem));
    suggest(fixture, &out);
    assert_str_equal(buffer_str(&out), STR("[]"));
    assert_ok(identity_split(fixture->people.identity, 1, ++fixture->people.seq,
                             fixture->people.now_ms, 1, fixture->people.writes, &a, &b, &problem));
    suggest(fixture, &out);
    assert_str_equal(buffer_str(&out), STR("[]"));
    buffer_deinit(&out);
}

static void a_tablet_of_a_shop_says_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct buffer out;
    buffer_init(&out, 65536);
    for (int i = 0; i < 20; i++) {
        char words[64];
        snprintf(words, sizeof(words), "user_id=u%d device=tablet", i);
        says(&fixture->people, words);
    }
    suggest(fixture, &out);
    assert_str_equal(buffer_str(&out), STR("[]"));
    buffer_deinit(&out);
}

static void what_is_in_review_is_not_suggested(void **state)
{
    struct fixture *fixture = *state;
    struct buffer out;
    buffer_init(&out, 65536);
    says(&fixture->people, "user_id=ann mobile=P1! device=d1");
    says(&fixture->people, "user_id=bob mobile=P1! device=d1");
    suggest(fixture, &out);
    assert_str_equal(buffer_str(&out), STR("[]"));
    buffer_deinit(&out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, finish)
    const struct CMUnitTest tests[] = {
        T(same_name_and_last_digits),
        T(one_device_after_the_other),
        T(a_tablet_of_a_shop_says_nothing),
        T(what_is_in_review_is_not_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
