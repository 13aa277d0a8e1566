/* SPDX-License-Identifier: Apache-2.0 */
/* P11: a child is kept until she is 14, by a tick of the virtual clock, or until two persons have released it; both outlive a restart. */
#include "support/cmocka.h"

#include <string.h>

#include "base/clock.h"
#include "engine/children.h"
#include "support/engine_house.h"

static int set_up(void **state)
{
    static struct house house;
    memset(&house, 0, sizeof house);
    house_make(&house);
    house_open(&house, false);
    *state = &house;
    return 0;
}

static int tear_down(void **state)
{
    house_close(*state);
    house_remove(*state);
    return 0;
}

struct looking {
    const struct engine *engine;
    bool kept;
};

static void look(const struct engine_state *state, struct engine_question *question)
{
    struct looking *looking = question->context;
    (void)state;
    looking->kept = engine_keeps_child(looking->engine, (const uint32_t[]){ 1 }, 1);
}

static bool is_kept(struct house *house)
{
    struct looking looking = { .engine = house->engine };
    struct engine_question question = { .ask = look, .context = &looking };
    assert_int_equal(engine_ask_wait(house->engine, &question), ERR_OK);
    return looking.kept;
}

static void put_birthday(struct house *house, const char *body)
{
    house_command(house, "trait.correct", body, 200, NULL);
}

static void say_her(struct house *house)
{
    struct saying saying = { .message = 1, .user = "u1" };
    assert_int_equal(house_send(house, &saying, 1), ERR_OK);
    assert_int_equal(engine_settle(house->engine, false, 60000), ERR_OK);
}

/* The house begins on 2026-06-19, eight in the morning in Shanghai. */
static void becomes_14_by_a_tick(void **state)
{
    struct house *house = *state;
    say_her(house);
    assert_false(is_kept(house));
    put_birthday(house, "{\"customer\":1,\"name\":\"birthday\",\"value\":\"2012-06-21\"}");
    assert_true(is_kept(house));
    house_close(house);
    house_open(house, false);
    assert_true(is_kept(house));
    assert_int_equal(engine_advance(house->engine, DAY_MS), ERR_OK);
    assert_true(is_kept(house));
    assert_int_equal(engine_advance(house->engine, DAY_MS), ERR_OK);
    assert_false(is_kept(house));
    put_birthday(house, "{\"customer\":1,\"name\":\"birthday\",\"value\":\"2020-01-01\"}");
    assert_true(is_kept(house));
}

static void put_list(struct house *house, const char *body)
{
    house_command(house, "setting.put", body, 200, NULL);
}

static void released_and_held_again(void **state)
{
    struct house *house = *state;
    say_her(house);
    put_birthday(house, "{\"customer\":1,\"name\":\"birth_date\",\"value\":\"2020-01-01\"}");
    assert_true(is_kept(house));
    put_list(house, "{\"key\":\"privacy.sensitive_traits\",\"value\":"
                    "{\"$under_14\":{\"asked_by\":1,\"released_by\":0}}}");
    assert_true(is_kept(house));
    put_list(house, "{\"key\":\"privacy.sensitive_traits\",\"value\":"
                    "{\"$under_14\":{\"asked_by\":1,\"released_by\":2}}}");
    assert_false(is_kept(house));
    house_close(house);
    house_open(house, false);
    assert_false(is_kept(house));
    put_list(house, "{\"key\":\"privacy.sensitive_traits\",\"value\":{\"illness\":{}}}");
    assert_true(is_kept(house));
    house_command(house, "consent.put",
                  "{\"customer\":1,\"purpose\":\"under_14\",\"granted\":true}", 422, NULL);
}

static void one_child_is_released_when_her_guardian_agreed(void **state)
{
    struct house *house = *state;
    say_her(house);
    put_birthday(house, "{\"customer\":1,\"name\":\"birthday\",\"value\":\"2020-01-01\"}");
    house_command(house, "consent.put",
                  "{\"customer\":1,\"purpose\":\"guardian\",\"granted\":true}", 422, NULL);
    assert_true(is_kept(house));
    house_command(house, "guardian.put", "{\"customer\":1,\"request\":1,\"evidence\":\"signed\"}",
                  200, NULL);
    assert_false(is_kept(house));
    house_close(house);
    house_open(house, false);
    assert_false(is_kept(house));
    house_command(house, "consent.put",
                  "{\"customer\":1,\"purpose\":\"guardian\",\"granted\":false}", 200, NULL);
    assert_true(is_kept(house));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(becomes_14_by_a_tick, set_up, tear_down),
        cmocka_unit_test_setup_teardown(released_and_held_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_child_is_released_when_her_guardian_agreed, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
