/* SPDX-License-Identifier: Apache-2.0 */
/* History beside the engine: what it shows of a customer is what the tail has of her; it is the same after
 * a restart from the warehouse, after merges and splits, and a column that comes later has what was before. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "engine/state.h"
#include "support/engine_house.h"

/* ---- what history shows ---- */

static uint64_t texts_word(const struct history_view *view, size_t index, history_column column,
                           const struct history *history)
{
    const uint32_t *codes;
    uint64_t word = 0;
    size_t count = history_codes(view, index, column, &codes);
    for (size_t i = 0; i < count; i++) {
        str text = history_code_text(history, column, codes[i]);
        word = hash_bytes64(text.data, text.size, word + 1);
    }
    return word;
}

static uint64_t value_word(const struct history_view *view, size_t index, history_column column,
                           const struct history *history, enum column_kind kind)
{
    if (column == 0)
        return 0;
    if (kind == COLUMN_TEXT) {
        str text = history_code_text(history, column, history_code(view, index, column));
        return text.size == 0 ? 0 : hash_bytes64(text.data, text.size, 5);
    }
    if (kind == COLUMN_TEXTS)
        return texts_word(view, index, column, history);
    return (uint64_t)history_number(view, index, column);
}

struct shown {
    struct digest digest;
    size_t customers, events, grouped;
    const struct history *history;
    history_column column;
    enum column_kind kind;
};

static bool fold_view(void *context, uint32_t customer, const struct history_view *view)
{
    struct shown *shown = context;
    uint64_t row[6] = { customer };
    shown->customers++;
    shown->grouped += view->places != NULL;
    for (size_t index = 0; index < view->count; index++) {
        str type = history_type_name(shown->history, history_packed_type(view->events[index]));
        row[1] = (uint64_t)history_time_ms(view->events[index]);
        row[2] = hash_bytes64(type.data, type.size, 3);
        row[3] = history_seq(view, index);
        row[4] = index;
        row[5] = value_word(view, index, shown->column, shown->history, shown->kind);
        digest_add(&shown->digest, row, sizeof row);
        shown->events++;
    }
    return true;
}

/* On the test's own thread, as any reader. */
static struct shown look(struct house *house, history_column column, enum column_kind kind)
{
    struct history *history = engine_history(house->engine);
    struct shown shown = { .history = history, .column = column, .kind = kind };
    struct history_reader *reader;
    assert_ok(engine_settle(house->engine, false, 60000));
    assert_ok(history_reader_new(&reader, history));
    history_read_begin(reader);
    history_scan(reader, 1, history_node_count(history) + 1, fold_view, &shown);
    history_read_end(reader);
    history_reader_free(&reader);
    return shown;
}

static bool is_equal(const struct digest *one, const struct digest *other)
{
    return one->low == other->low && one->high == other->high && one->count == other->count;
}

static void assert_same(const struct shown *one, const struct shown *other)
{
    assert_int_equal(other->events, one->events);
    assert_int_equal(other->customers, one->customers);
    assert_true(is_equal(&one->digest, &other->digest));
}

static size_t events_of(struct house *house, uint32_t customer)
{
    struct history_reader *reader;
    struct history_view view;
    assert_ok(history_reader_new(&reader, engine_history(house->engine)));
    history_read_begin(reader);
    history_view_customer(reader, customer, &view);
    for (size_t index = 1; index < view.count; index++)
        assert_true(history_time_ms(view.events[index - 1]) <= history_time_ms(view.events[index]));
    size_t count = view.count;
    history_read_end(reader);
    history_reader_free(&reader);
    return count;
}

static void send_random(struct house *house, uint64_t seed, uint64_t first, size_t count)
{
    struct random_stream random;
    random_seed(&random, seed);
    for (size_t sent = 0; sent < count; sent += 100) {
        struct saying sayings[100];
        for (size_t index = 0; index < 100; index++)
            house_random_saying(&random, first + sent + index, &sayings[index]);
        assert_ok(house_send(house, sayings, 100));
    }
    assert_ok(engine_settle(house->engine, false, 60000));
}

struct checking {
    struct engine_question question;
    struct engine *engine;
    struct problem problem;
    err error;
};

static void check_history(const struct engine_state *state, struct engine_question *question)
{
    struct checking *checking = queue_entry(question, struct checking, question);
    (void)state;
    checking->error = history_check(checking->engine->history, &checking->problem);
}

static void assert_sound(struct house *house)
{
    struct checking checking = { .question = { .ask = check_history }, .engine = house->engine };
    assert_ok(engine_ask_wait(house->engine, &checking.question));
    if (checking.error != ERR_OK)
        fail_msg("%s", checking.problem.detail);
}

/* ---- tests ---- */

static void test_history_is_what_the_tail_has(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    send_random(&house, 20261121, 1, 5000);
    struct shown shown = look(&house, 0, COLUMN_INT);
    struct engine_status status;
    engine_status(house.engine, &status);
    assert_int_equal(shown.events, status.events);
    assert_int_equal(shown.customers, status.customers);
    assert_true(shown.grouped > 0);
    for (uint32_t person = 0; person < 60; person++) {
        char user[16];
        snprintf(user, sizeof user, "u%u", person);
        uint32_t customer = house_customer(&house, "user_id", user, NULL);
        if (customer != 0)
            assert_int_equal(events_of(&house, customer), house_tail_events(&house, customer));
    }
    assert_sound(&house);
    house_close(&house);
    house_remove(&house);
}

static void test_a_restart_loads_the_same_from_the_warehouse(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, true);
    send_random(&house, 7, 1, 3000);
    assert_ok(engine_settle(house.engine, true, 60000));
    send_random(&house, 8, 3001, 500); /* some that only log and outcomes have */
    struct shown before = look(&house, 0, COLUMN_INT);
    house_close(&house);
    house_open(&house, true);
    struct shown after = look(&house, 0, COLUMN_INT);
    assert_same(&before, &after);
    assert_sound(&house);
    house_close(&house);
    house_remove(&house);
}

static void test_a_split_gives_each_her_own(void **state)
{
    (void)state;
    struct house house;
    house_make(&house);
    house_open(&house, false);
    const struct saying first[] = {
        { .message = 1, .user = "ann", .after_ms = 10 },
        { .message = 2, .card = "c-bea", .after_ms = 20 },
        { .message = 3, .user = "ann", .after_ms = 30 },
        { .message = 4, .user = "ann", .card = "c-bea", .after_ms = 25 },
    };
    assert_ok(house_send(&house, first, 4));
    uint32_t ann = house_customer(&house, "user_id", "ann", NULL);
    assert_int_equal(house_customer(&house, "member_card", "c-bea", NULL), ann);
    assert_int_equal(events_of(&house, ann), 4);
    house_command(&house, "customer.split", "{\"merge_id\":1}", 200, NULL);
    uint32_t bea = house_customer(&house, "member_card", "c-bea", NULL);
    ann = house_customer(&house, "user_id", "ann", NULL);
    assert_int_not_equal(ann, bea);
    assert_int_equal(events_of(&house, ann) + events_of(&house, bea), 4);
    assert_int_equal(events_of(&house, ann), house_tail_events(&house, ann));
    assert_int_equal(events_of(&house, bea), house_tail_events(&house, bea));
    char body[64];
    snprintf(body, sizeof body, "{\"customer\":%u,\"other\":%u}", ann, bea);
    house_command(&house, "customer.merge", body, 200, NULL);
    assert_int_equal(events_of(&house, ann < bea ? ann : bea), 4);
    assert_sound(&house);
    house_close(&house);
    house_remove(&house);
}

/* ---- columns ---- */

struct adding {
    struct engine_question question;
    struct engine *engine;
    str path;
    enum column_kind kind;
    history_column column;
};

static void add_column(const struct engine_state *state, struct engine_question *question)
{
    struct adding *adding = queue_entry(question, struct adding, question);
    struct problem problem = { .error = ERR_OK };
    (void)state;
    if (history_add_column(adding->engine->history, adding->path, adding->kind, &adding->column,
                           &problem) != ERR_OK ||
        remember_fill(adding->engine, adding->path, adding->kind, adding->column) != ERR_OK)
        fail_msg("%s", problem.detail);
}

static history_column column_of(struct house *house, const char *path, enum column_kind kind)
{
    struct adding adding = { .question = { .ask = add_column },
                             .engine = house->engine,
                             .path = str_from_c(path),
                             .kind = kind };
    assert_ok(engine_ask_wait(house->engine, &adding.question));
    return adding.column;
}

static void wait_until_ready(struct house *house, history_column column)
{
    for (int round = 0; !history_column_is_ready(engine_history(house->engine), column); round++) {
        if (round == 3000)
            fail_msg("column %u was not filled within a minute", column);
        steady_sleep_ms(20);
    }
}

/* A skin test each third event, an order each fifth; late ones among them. */
static void send_tests(struct house *house, uint64_t first, size_t count)
{
    for (size_t sent = 0; sent < count; sent += 100) {
        struct saying sayings[100];
        char users[100][16], props[100][64], orders[100][16];
        for (size_t index = 0; index < 100; index++) {
            uint64_t message = first + sent + index;
            snprintf(users[index], sizeof users[index], "u%llu", (unsigned long long)message % 37);
            snprintf(props[index], sizeof props[index], "{\"skin\":{\"type\":\"t%llu\"}}",
                     (unsigned long long)message % 11);
            snprintf(orders[index], sizeof orders[index], "o%llu", (unsigned long long)message);
            sayings[index] = (struct saying){
                .message = message,
                .user = users[index],
                .after_ms = (int64_t)(message * 7919 % 100000),
                .type = message % 3 == 0 ? "Skin Test Taken" : "Order Paid",
                .props = message % 3 == 0 ? props[index] : NULL,
                .order_id = message % 5 == 0 ? orders[index] : NULL,
                .revenue = (int64_t)message * 100,
            };
        }
        assert_ok(house_send(house, sayings, 100));
    }
    assert_ok(engine_settle(house->engine, false, 60000));
}

static void a_later_column_has_what_was_before(bool with_warehouse)
{
    struct house early, late;
    history_column columns[2][2];
    struct shown shown[2][2];
    house_make(&early);
    house_make(&late);
    house_open(&early, with_warehouse);
    house_open(&late, with_warehouse);
    columns[0][0] = column_of(&early, "skin.type", COLUMN_TEXT);
    columns[0][1] = column_of(&early, "revenue", COLUMN_MONEY);
    send_tests(&early, 1, 1000);
    send_tests(&late, 1, 1000);
    if (with_warehouse)
        assert_ok(engine_settle(late.engine, true, 60000));
    send_tests(&early, 1001, 300);
    send_tests(&late, 1001, 300);
    columns[1][0] = column_of(&late, "skin.type", COLUMN_TEXT);
    columns[1][1] = column_of(&late, "revenue", COLUMN_MONEY);
    send_tests(&early, 1301, 300);
    send_tests(&late, 1301, 300);
    for (int which = 0; which < 2; which++) {
        struct house *house = which == 0 ? &early : &late;
        for (int column = 0; column < 2; column++) {
            enum column_kind kind = column == 0 ? COLUMN_TEXT : COLUMN_MONEY;
            wait_until_ready(house, columns[which][column]);
            shown[which][column] = look(house, columns[which][column], kind);
        }
        assert_sound(house);
    }
    assert_same(&shown[0][0], &shown[1][0]);
    assert_same(&shown[0][1], &shown[1][1]);
    assert_false(is_equal(&shown[0][0].digest, &shown[0][1].digest));
    house_close(&early);
    house_close(&late);
    house_remove(&early);
    house_remove(&late);
}

static void test_a_later_column_has_what_the_tail_has(void **state)
{
    (void)state;
    a_later_column_has_what_was_before(false);
}

static void test_a_later_column_has_what_the_warehouse_has(void **state)
{
    (void)state;
    a_later_column_has_what_was_before(true);
}

/* ---- however it is said ---- */

#define LONG_TEXT                                                                              \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"

static const char *const odd_props[] = {
    "{\"page\":\"p1\"}",
    "{\"page\":\"p\\\"1\"}",
    "{\"page\":7}",
    "{\"page\":-1.5}",
    "{\"page\":12.345}",
    "{\"page\":true}",
    "{\"page\":null}",
    "{\"page\":\"\"}",
    "{\"page\":[\"a\",\"b\"]}",
    "{\"page\":[]}",
    "{\"page\":{\"x\":\"y\"}}",
    "{\"other\":{\"page\":\"within\"}}",
    "{\"other\":{\"page\":\"within\"},\"page\":\"outside\"}",
    "{\"category\":\"page\"}",
    "{\"category\":\"page\",\"page\":\"after\"}",
    "{\"page\":\"before\",\"category\":\"page\"}",
    "{\"page\":\"one\",\"page\":\"two\"}",
    "{\"page\":null,\"page\":\"two\"}",
    "{\"page\" : \"spaced\"}",
    "{ \"page\": \"spaced too\" }",
    "{\"a\\\"page\":\"another name\"}",
    "{\"pages\":\"another name\",\"page\":\"its own\"}",
    "{\"page\":\"ends with \\\\\"}",
    "{\"page\":\"2026-06-18T02:00:00Z\"}",
    "{\"page\":\"12.345\"}",
    "{\"page\":\"0\"}",
    "{\"page\":\"会员\"}",
    "{\"list\":[\"{\"],\"page\":\"brace\"}",
    "{\"page\":\"{\"}",
    "{\"page\":\"" LONG_TEXT "\"}",
    "{\"address.city\":\"flat\"}",
    "{\"address\":{\"city\":\"deep\"}}",
    "{\"address\":\"no city\"}",
    "{\"products\":[{\"product_id\":\"a\"},{\"product_id\":\"b\"}]}",
    "{\"products.product_id\":[\"c\",\"d\"]}",
    "{\"na\\\"me\":\"quoted\"}",
    "{\"会员\":\"named\"}",
    "{\",\":\"comma\",\"list\":[\"a\",\",:x\"]}",
    "{\"list\":[\"a\",\",:\"],\"x\":\"no comma\"}",
    "{\"list\":[\"a\",\":1,b\"]}",
    "{}",
};
#define ODD (sizeof odd_props / sizeof odd_props[0])

static void send_odd(struct house *house, uint64_t first)
{
    struct saying sayings[ODD * 2];
    char users[ODD * 2][16];
    for (size_t i = 0; i < ODD * 2; i++) {
        snprintf(users[i], sizeof users[i], "u%zu", i % 23);
        sayings[i] = (struct saying){ .message = first + i,
                                      .user = users[i],
                                      .after_ms = (int64_t)((first + i) * 7919 % 100000),
                                      .props = odd_props[i / 2],
                                      .currency = i % 2 == 1 ? "JPY" : NULL };
    }
    assert_ok(house_send(house, sayings, ODD * 2));
    assert_ok(engine_settle(house->engine, false, 60000));
}

static void a_later_column_reads_what_is_said_oddly(bool with_warehouse)
{
    static const char *const paths[] = { "page",    "address.city", "products.product_id",
                                         "na\"me",  "会员",         ",",
                                         "$source", "list" };
    struct house early, late;
    house_make(&early);
    house_make(&late);
    house_open(&early, with_warehouse);
    house_open(&late, with_warehouse);
    for (size_t path = 0; path < sizeof paths / sizeof paths[0]; path++)
        for (enum column_kind kind = COLUMN_INT; kind <= COLUMN_TEXTS; kind++)
            (void)column_of(&early, paths[path], kind);
    send_odd(&early, 1);
    send_odd(&late, 1);
    if (with_warehouse)
        assert_ok(engine_settle(late.engine, true, 60000));
    for (size_t path = 0; path < sizeof paths / sizeof paths[0]; path++) {
        for (enum column_kind kind = COLUMN_INT; kind <= COLUMN_TEXTS; kind++) {
            history_column one = column_of(&early, paths[path], kind);
            history_column other = column_of(&late, paths[path], kind);
            wait_until_ready(&early, one);
            wait_until_ready(&late, other);
            struct shown shown[2] = { look(&early, one, kind), look(&late, other, kind) };
            if (!is_equal(&shown[0].digest, &shown[1].digest))
                fail_msg("'%s' of kind %d is another when it is read later", paths[path],
                         (int)kind);
        }
    }
    assert_sound(&late);
    house_close(&early);
    house_close(&late);
    house_remove(&early);
    house_remove(&late);
}

static void test_odd_properties_are_read_later_from_the_tail(void **state)
{
    (void)state;
    a_later_column_reads_what_is_said_oddly(false);
}

static void test_odd_properties_are_read_later_from_the_warehouse(void **state)
{
    (void)state;
    a_later_column_reads_what_is_said_oddly(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_is_what_the_tail_has),
        cmocka_unit_test(test_a_restart_loads_the_same_from_the_warehouse),
        cmocka_unit_test(test_a_split_gives_each_her_own),
        cmocka_unit_test(test_a_later_column_has_what_the_tail_has),
        cmocka_unit_test(test_a_later_column_has_what_the_warehouse_has),
        cmocka_unit_test(test_odd_properties_are_read_later_from_the_tail),
        cmocka_unit_test(test_odd_properties_are_read_later_from_the_warehouse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
