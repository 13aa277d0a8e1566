/* SPDX-License-Identifier: Apache-2.0 */
/* Random events against what must always hold:
 *
 *     claims      whatever public sources claim, the known customers are those that trusted sources
 *                 alone would have made: nobody is fused, nobody loses an identifier (I5)
 *     limits      after every event no customer holds more than the limit, windows included (I4)
 *     restart     loaded from the ledger in the middle of it, every later decision is the same */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/people.h"

#define WORDS_BYTES 160

static uint64_t seed_of_run(void)
{
    const char *given = getenv("KITH_SEED");
    return given != NULL ? strtoull(given, NULL, 10) : 7;
}

static void add_word(char *out, const char *type, uint64_t number, const char *end)
{
    size_t size = strlen(out);
    snprintf(out + size, WORDS_BYTES - size, "%s%s=%llu%s", size > 0 ? " " : "", type,
             (unsigned long long)number, end);
}

static const char *const strong[] = { "user_id", "mobile", "wx_unionid", "email", "wx_openid" };
#define STRONG_TYPES 5
#define NUMBERS 12

/* ---- claims ---- */

static void trusted_words(struct random_stream *random, char *out)
{
    out[0] = '\0';
    for (uint64_t i = 1 + random_below(random, 2); i > 0; i--)
        add_word(out, strong[random_below(random, STRONG_TYPES)], random_below(random, NUMBERS),
                 "!");
    if (random_below(random, 3) == 0)
        add_word(out, "anonymous_id", random_below(random, NUMBERS), "");
    if (random_below(random, 4) == 0)
        add_word(out, "device", random_below(random, NUMBERS), "");
}

/* Everything that a page can say: its own visitor and device, and whoever it likes. */
static void public_words(struct random_stream *random, char *out)
{
    out[0] = '\0';
    if (random_below(random, 4) != 0)
        add_word(out, "anonymous_id", random_below(random, NUMBERS), "~");
    if (random_below(random, 3) == 0)
        add_word(out, "device", random_below(random, NUMBERS),
                 random_below(random, 2) == 0 ? "~" : "");
    for (uint64_t i = 1 + random_below(random, 3); i > 0; i--)
        add_word(out, strong[random_below(random, STRONG_TYPES)], random_below(random, NUMBERS),
                 random_below(random, 5) == 0 ? "~" : "");
}

static bool is_stated(const struct people *people, uint32_t row)
{
    struct identity_row_view view;
    return identity_row_state(people->identity, row, &view) &&
           (view.flags & IDENTIFIER_VERIFIED) != 0;
}

/* The known part of both worlds: who is one with whom. (What was refused is alone: at home nowhere, or
 * with the visitor who had claimed it and was confirmed.) */
static void compare_known(const struct people *with, const struct people *without, uint64_t seed)
{
    uint32_t roots[2][STRONG_TYPES * NUMBERS], count = 0;
    bool known[STRONG_TYPES * NUMBERS];
    for (int type = 0; type < STRONG_TYPES; type++) {
        for (int number = 0; number < NUMBERS; number++, count++) {
            char word[40];
            snprintf(word, sizeof(word), "%s=%d", strong[type], number);
            uint32_t one = row_of(with, word), other = row_of(without, word);
            bool is_one = is_stated(with, one), is_other = is_stated(without, other);
            if (is_one != is_other)
                fail_msg("seed %llu: %s is stated %d, not %d", (unsigned long long)seed, word,
                         is_one, is_other);
            roots[0][count] = is_one ? who(with, word) : 0;
            roots[1][count] = is_other ? who(without, word) : 0;
            known[count] = is_one;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!known[i] || !known[j])
                continue;
            bool one = roots[0][i] != 0 && roots[0][i] == roots[0][j];
            bool other = roots[1][i] != 0 && roots[1][i] == roots[1][j];
            if (one != other)
                fail_msg("seed %llu: %s=%u and %s=%u", (unsigned long long)seed,
                         strong[i / NUMBERS], i % NUMBERS, strong[j / NUMBERS], j % NUMBERS);
        }
    }
}

static void claims_change_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = seed_of_run(); seed < seed_of_run() + 2000; seed++) {
        struct random_stream random;
        struct people with, without;
        random_seed(&random, seed);
        people_make(&with, false);
        people_make(&without, false);
        for (int step = 0; step < 60; step++) {
            char words[WORDS_BYTES];
            if (random_below(&random, 3) != 0) {
                public_words(&random, words);
                enum event_kind kind = random_below(&random, 8) == 0   ? EVENT_UNBIND
                                       : random_below(&random, 4) == 0 ? EVENT_BIND
                                                                       : EVENT_TRACK;
                says_kind(&with, kind, 0, words);
            } else {
                trusted_words(&random, words);
                /* The same moment in both worlds. */
                without.now_ms = with.now_ms;
                says(&with, words);
                says(&without, words);
            }
        }
        people_check(&with);
        compare_known(&with, &without, seed);
        people_remove(&with);
        people_remove(&without);
    }
}

/* ---- limits and restarts ---- */

#define WINDOW_DAYS 3
#define HOUR INT64_C(3600000)

static void check_window(const struct people *people)
{
    uint32_t rows[512];
    if (people->last.node == 0)
        return;
    size_t count = identity_rows(people->identity, people->last.node, rows, 512);
    int64_t since_ms = people->now_ms / 1000 * 1000 - WINDOW_DAYS * 24 * HOUR;
    int emails = 0, visitors = 0;
    assert_true(count <= 512);
    for (size_t i = 0; i < count; i++) {
        struct identity_row_view view;
        assert_true(identity_row_state(people->identity, rows[i], &view));
        if (view.attached_ms <= since_ms || (view.flags & IDENTIFIER_VERIFIED) == 0)
            continue;
        emails += str_equal(view.type, STR("email"));
        visitors += str_equal(view.type, STR("anonymous_id"));
    }
    assert_true(emails <= 2);
    assert_true(visitors <= 3);
}

static void restart(struct people *people)
{
    struct problem problem = { .error = ERR_OK };
    people_commit(people);
    identity_free(&people->identity);
    assert_ok(identity_new(&people->identity));
    if (identity_load(people->identity, people->ledger, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
}

static void set_limits(struct people *people)
{
    rules(people, "email", "{\"limit\":2,\"window_days\":3}");
    rules(people, "anonymous_id", "{\"limit\":3,\"window_days\":3}");
    rules(people, "device", "{\"limit\":2}");
    rules(people, "mobile", "{\"shared_after\":5}");
}

/* What people do by hand, the same in both. */
static void command(struct people *people, uint64_t dice, uint64_t number)
{
    struct problem problem;
    uint32_t a, b;
    people->seq++;
    if (dice == 0)
        (void)!identity_split(people->identity,
                              1 + number % (1 + identity_merge_count(people->identity)),
                              people->seq, people->now_ms, 3, people->writes, &a, &b, &problem);
    else
        (void)!identity_decide(people->identity, 1 + number % 30,
                               dice == 1 ? STR("separate") : STR("dismiss"), people->seq,
                               people->now_ms, 3, people->writes, &problem);
}

static void limits_hold_and_restarts_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = seed_of_run(); seed < seed_of_run() + 25; seed++) {
        struct random_stream random;
        struct people live, other;
        random_seed(&random, seed);
        people_make(&live, false);
        people_make(&other, true);
        set_limits(&live);
        set_limits(&other);
        for (int step = 0; step < 600; step++) {
            char words[WORDS_BYTES];
            uint64_t dice = random_below(&random, 40), number = random_below(&random, 1000);
            bool is_public = random_below(&random, 3) == 0;
            if (is_public)
                public_words(&random, words);
            else
                trusted_words(&random, words);
            live.now_ms += (int64_t)random_below(&random, 10) * HOUR;
            other.now_ms = live.now_ms;
            if (dice < 3) {
                command(&live, dice, number);
                command(&other, dice, number);
            }
            uint32_t node = is_public ? says_in_public(&live, words) : says(&live, words);
            uint32_t again = is_public ? says_in_public(&other, words) : says(&other, words);
            assert_int_equal(node, again);
            assert_int_equal(live.last.merge_count, other.last.merge_count);
            assert_int_equal(live.last.refusal_count, other.last.refusal_count);
            check_window(&live);
            if (step % 50 == 0)
                people_check(&live);
            if (random_below(&random, 60) == 0)
                restart(&other);
        }
        struct digest one = { .count = 0 }, two = { .count = 0 };
        identity_digest(live.identity, &one);
        identity_digest(other.identity, &two);
        if (one.low != two.low || one.high != two.high || one.count != two.count)
            fail_msg("seed %llu: after restarts the state is another", (unsigned long long)seed);
        people_check(&live);
        people_remove(&live);
        people_remove(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_change_nobody),
        cmocka_unit_test(limits_hold_and_restarts_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
