/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers are ready to be shown before anybody asked for them: those of before the start, and those that come. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "server/inside.h"
#include "server/values.h"
#include "support/engine_house.h"

#define PEOPLE 400

struct fixture {
    struct house house;
    struct server server;
    struct arena arena;
    uint32_t said;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    house_make(&fixture.house);
    house_open(&fixture.house, false);
    arena_init(&fixture.arena, "test", 64 * 1024 * 1024);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    filler_stop(&fixture->server);
    assert_null(fixture->server.filler);
    values_free(&fixture->server.values);
    arena_deinit(&fixture->arena);
    house_close(&fixture->house);
    house_remove(&fixture->house);
    return 0;
}

static void take_identity(const struct engine_state *state, struct engine_question *question)
{
    ((struct server *)question->context)->identity = state->identity;
}

static void start(struct fixture *fixture, size_t values_bytes)
{
    struct server *server = &fixture->server;
    struct engine_question question = { .ask = take_identity, .context = server };
    server->engine = fixture->house.engine;
    server->keys = engine_keys(server->engine);
    assert_int_equal(engine_ask_wait(server->engine, &question), ERR_OK);
    assert_int_equal(values_new(&server->values, values_bytes), ERR_OK);
    assert_int_equal(filler_start(server), ERR_OK);
}

static void say_people(struct fixture *fixture, uint32_t count)
{
    char user[16], mobile[16];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = ++fixture->said;
        snprintf(user, sizeof user, "u%u", number);
        snprintf(mobile, sizeof mobile, "1380000%04u", number);
        struct saying saying = { .message = number, .user = user, .mobile = mobile };
        assert_int_equal(house_send(&fixture->house, &saying, 1), ERR_OK);
    }
}

static uint32_t row_count(const struct fixture *fixture)
{
    struct engine_status status;
    engine_status(fixture->house.engine, &status);
    return status.identifiers;
}

static bool find(struct fixture *fixture, uint32_t number, struct identity_row_view *row)
{
    *row = (struct identity_row_view){ .row = number };
    return values_find(fixture->server.values, &fixture->arena, row);
}

/* Until it is there: nothing else ends this. */
static struct identity_row_view wait_for(struct fixture *fixture, uint32_t number)
{
    struct identity_row_view row;
    while (!find(fixture, number, &row))
        steady_sleep_ms(2);
    return row;
}

static void wait_for_rows(struct fixture *fixture, uint32_t count)
{
    while (row_count(fixture) < count)
        steady_sleep_ms(2);
}

/* A user_id names no person by itself and is shown as it is; a phone is masked. */
static void check_all(struct fixture *fixture, uint32_t first, uint32_t last)
{
    size_t plain = 0, masked = 0;
    for (uint32_t number = first; number <= last; number++) {
        struct identity_row_view row = wait_for(fixture, number);
        plain += row.value.data[0] == 'u';
        masked += str_starts_with(row.value, STR("138****"));
        assert_int_equal(row.source_number, 1);
        assert_true(row.first_seen_ms >= HOUSE_START_MS);
        assert_false(seal_is_sealed(row.value));
    }
    assert_int_equal(plain, (last - first + 1) / 2);
    assert_int_equal(masked, (last - first + 1) / 2);
}

static void what_was_there_and_what_comes(void **state)
{
    struct fixture *fixture = *state;
    say_people(fixture, PEOPLE);
    wait_for_rows(fixture, 2 * PEOPLE);
    start(fixture, (size_t)1 << 20);
    check_all(fixture, 1, 2 * PEOPLE);
    say_people(fixture, PEOPLE / 4);
    wait_for_rows(fixture, 2 * PEOPLE + PEOPLE / 2);
    check_all(fixture, 2 * PEOPLE + 1, 2 * PEOPLE + PEOPLE / 2);
}

/* With room for a quarter: the newest, and those before them are not even looked at. */
static void of_too_many_the_newest(void **state)
{
    struct fixture *fixture = *state;
    struct identity_row_view row;
    say_people(fixture, PEOPLE);
    wait_for_rows(fixture, 2 * PEOPLE);
    start(fixture, (size_t)2 * PEOPLE / 4 * 64);
    wait_for(fixture, 2 * PEOPLE);
    for (uint32_t number = 1; number <= PEOPLE; number++)
        assert_false(find(fixture, number, &row));
}

/* P2: who is erased leaves RAM with the ledger, a user_id that is shown as it is included; the others stay. */
static void who_is_erased_leaves(void **state)
{
    struct fixture *fixture = *state;
    struct identity_row_view row;
    say_people(fixture, 10);
    wait_for_rows(fixture, 20);
    start(fixture, (size_t)1 << 20);
    check_all(fixture, 1, 20);
    house_command(&fixture->house, "customer.erase", "{\"customer\":3,\"reason\":\"asked\"}", 200,
                  NULL);
    while (find(fixture, 5, &row) || find(fixture, 6, &row))
        steady_sleep_ms(2);
    for (uint32_t number = 1; number <= 20; number++)
        assert_int_equal(find(fixture, number, &row), number != 5 && number != 6);
    say_people(fixture, 1);
    wait_for_rows(fixture, 22);
    check_all(fixture, 21, 22);
    assert_false(find(fixture, 5, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_there_and_what_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_too_many_the_newest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_erased_leaves, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
