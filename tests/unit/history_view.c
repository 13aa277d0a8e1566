/* SPDX-License-Identifier: Apache-2.0 */
/* What was observed is seen: in order, with its values, in place or gathered; groups, scans, rows. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history/history.h"

struct fixture {
    struct history *history;
    struct history_reader *reader;
    uint64_t seq;
};

static int make(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){ .seq = 0 };
    assert_ok(history_new(&fixture.history, NULL));
    assert_ok(history_reader_new(&fixture.reader, fixture.history));
    *state = &fixture;
    return 0;
}

static int finish(void **state)
{
    struct fixture *fixture = *state;
    struct problem problem = { .error = ERR_OK };
    if (history_check(fixture->history, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    history_reader_free(&fixture->reader);
    history_free(&fixture->history);
    return 0;
}

static uint64_t observe(struct fixture *fixture, uint32_t node, int64_t time_ms, const char *type,
                        const char *props)
{
    struct event event = { .seq = ++fixture->seq,
                           .time_ms = time_ms,
                           .received_ms = time_ms + 5,
                           .source_number = 7,
                           .type = str_from_c(type),
                           .channel = STR("web"),
                           .props = str_from_c(props) };
    assert_ok(history_observe(fixture->history, node, &event));
    return event.seq;
}

/* "a b c": the types of a customer's events, in order. */
static void assert_types(struct fixture *fixture, uint32_t customer, const char *expected)
{
    struct history_view view;
    char types[400] = "";
    history_read_begin(fixture->reader);
    history_view_customer(fixture->reader, customer, &view);
    for (size_t i = 0; i < view.count; i++) {
        str type = history_type_name(fixture->history, history_packed_type(view.events[i]));
        size_t size = strlen(types);
        snprintf(types + size, sizeof(types) - size, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(type));
    }
    assert_true(view.complete);
    history_read_end(fixture->reader);
    assert_string_equal(types, expected);
}

static history_column add_column(struct fixture *fixture, const char *path, enum column_kind kind)
{
    struct problem problem = { .error = ERR_OK };
    history_column column = 0;
    if (history_add_column(fixture->history, str_from_c(path), kind, &column, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return column;
}

/* Into bases, however young. */
static void tidy(struct fixture *fixture)
{
    history_tidy(fixture->history, 1000000);
}

/* So many events at another node of the block that its delta is due. */
static void fill_block(struct fixture *fixture, uint32_t node)
{
    for (int i = 0; i < 70; i++)
        observe(fixture, node, 1000 + i, "filler", "{}");
    tidy(fixture);
}

static void order_is_time_then_seq(void **state)
{
    struct fixture *fixture = *state;
    observe(fixture, 5, 3000, "c", "{}");
    observe(fixture, 5, 1000, "a", "{}");
    observe(fixture, 5, 3000, "d", "{}");
    observe(fixture, 5, 2000, "b", "{}");
    assert_types(fixture, 5, "a b c d");
    assert_types(fixture, 6, "");
    assert_types(fixture, 4000000000u, "");
    fill_block(fixture, 400);
    assert_types(fixture, 5, "a b c d");
    observe(fixture, 5, 2000, "late", "{}");
    assert_types(fixture, 5, "a b late c d");
    fill_block(fixture, 401);
    assert_types(fixture, 5, "a b late c d");
}

static void one_node_in_a_base_is_shown_in_place(void **state)
{
    struct fixture *fixture = *state;
    struct history_view view;
    uint64_t first = observe(fixture, 5, 1000, "a", "{}");
    fill_block(fixture, 6);
    history_read_begin(fixture->reader);
    history_view_customer(fixture->reader, 5, &view);
    assert_int_equal(view.count, 1);
    assert_null(view.places);
    assert_int_equal(history_seq(&view, 0), first);
    assert_int_equal(history_time_ms(view.events[0]), 1000);
    assert_int_equal(history_packed_channel(view.events[0]),
                     history_channel_find(fixture->history, STR("web")));
    observe(fixture, 5, 500, "b", "{}");
    fill_block(fixture, 7);
    /* What was there stays there until the read ends (H2). */
    assert_int_equal(view.count, 1);
    assert_int_equal(history_time_ms(view.events[0]), 1000);
    history_read_end(fixture->reader);
}

static void retracted_and_forgotten_are_gone(void **state)
{
    struct fixture *fixture = *state;
    uint64_t a = observe(fixture, 5, 1000, "a", "{}");
    observe(fixture, 5, 2000, "b", "{}");
    fill_block(fixture, 6);
    uint64_t c = observe(fixture, 5, 3000, "c", "{}");
    assert_err(history_retract(fixture->history, 5, 999999), ERR_NOT_FOUND);
    assert_err(history_retract(fixture->history, 4, a), ERR_NOT_FOUND);
    assert_ok(history_retract(fixture->history, 5, a));
    assert_types(fixture, 5, "b c");
    assert_err(history_retract(fixture->history, 5, a), ERR_NOT_FOUND);
    assert_ok(history_retract(fixture->history, 5, c));
    assert_types(fixture, 5, "b");
    fill_block(fixture, 7);
    assert_types(fixture, 5, "b");
    assert_ok(history_forget(fixture->history, 5));
    assert_types(fixture, 5, "");
    observe(fixture, 5, 100, "again", "{}");
    assert_types(fixture, 5, "again");
    tidy(fixture);
    assert_types(fixture, 5, "again");
    assert_int_equal(history_event_count(fixture->history), 141);
}

static void values_of_every_kind(void **state)
{
    struct fixture *fixture = *state;
    history_column quantity = add_column(fixture, "pieces", COLUMN_INT);
    history_column money = add_column(fixture, "tip", COLUMN_MONEY);
    history_column decimal = add_column(fixture, "score", COLUMN_DECIMAL);
    history_column when = add_column(fixture, "visit_at", COLUMN_TIME);
    history_column flag = add_column(fixture, "is_gift", COLUMN_BOOL);
    history_column colour = add_column(fixture, "colour", COLUMN_TEXT);
    history_column products = add_column(fixture, "products.product_id", COLUMN_TEXTS);
    history_column source = add_column(fixture, "$source", COLUMN_INT);
    history_column received = add_column(fixture, "$received", COLUMN_TIME);
    observe(fixture, 5, 1000, "a",
            "{\"pieces\":3,\"tip\":\"1.255\",\"score\":4.5,\"visit_at\":\"1970-01-01T08:00:01\","
            "\"is_gift\":true,\"colour\":\"红\",\"products\":[{\"product_id\":\"p1\"},"
            "{\"product_id\":\"p2\"},{\"name\":\"x\"},{\"product_id\":\"p1\"}]}");
    observe(fixture, 5, 2000, "b", "{\"colour\":{\"$sealed\":\"x\"},\"pieces\":\"many\"}");
    for (int pass = 0; pass < 2; pass++) {
        struct history_view view;
        const uint32_t *codes;
        history_read_begin(fixture->reader);
        history_view_customer(fixture->reader, 5, &view);
        assert_int_equal(view.count, 2);
        assert_int_equal(history_number(&view, 0, quantity), 3);
        assert_int_equal(history_number(&view, 0, money), 126);
        assert_int_equal(history_number(&view, 0, decimal), 4500000);
        assert_int_equal(history_number(&view, 0, when), 1000);
        assert_int_equal(history_number(&view, 0, flag), 1);
        assert_int_equal(history_number(&view, 0, source), 7);
        assert_int_equal(history_number(&view, 1, received), 2005);
        assert_int_equal(history_code(&view, 0, colour),
                         history_code_find(fixture->history, colour, STR("红")));
        assert_str_equal(history_view_text(&view, colour, history_code(&view, 0, colour)),
                         STR("红"));
        assert_int_equal(history_codes(&view, 0, products, &codes), 3);
        assert_str_equal(history_code_text(fixture->history, products, codes[1]), STR("p2"));
        assert_int_equal(codes[0], codes[2]);
        assert_int_equal(history_number(&view, 1, quantity), HISTORY_MISSING);
        assert_int_equal(history_code(&view, 1, colour), 0);
        assert_int_equal(history_codes(&view, 1, products, &codes), 0);
        assert_int_equal(history_number(&view, 0, 200), HISTORY_MISSING);
        history_read_end(fixture->reader);
        fill_block(fixture, 6);
    }
}

static void promoted_columns_come_from_the_event(void **state)
{
    struct fixture *fixture = *state;
    history_column revenue = add_column(fixture, "revenue", COLUMN_MONEY);
    history_column brand = add_column(fixture, "brand", COLUMN_TEXT);
    struct event event = { .seq = 1,
                           .time_ms = 1,
                           .type = STR("Order Paid"),
                           .channel = STR("tmall"),
                           .props = STR("{\"revenue\":\"nonsense\"}"),
                           .promoted_set = 1u << PROMOTED_REVENUE | 1u << PROMOTED_BRAND };
    struct history_view view;
    event.promoted_int[PROMOTED_REVENUE] = 12900;
    event.promoted_text[PROMOTED_BRAND] = STR("花西子");
    assert_ok(history_observe(fixture->history, 3, &event));
    history_read_begin(fixture->reader);
    history_view_customer(fixture->reader, 3, &view);
    assert_int_equal(history_number(&view, 0, revenue), 12900);
    assert_str_equal(history_view_text(&view, brand, history_code(&view, 0, brand)), STR("花西子"));
    history_read_end(fixture->reader);
}

static void groups_are_one_customer(void **state)
{
    struct fixture *fixture = *state;
    history_column n = add_column(fixture, "n", COLUMN_INT);
    struct history_view view;
    observe(fixture, 5, 1000, "a", "{\"n\":1}");
    observe(fixture, 3000, 2000, "b", "{\"n\":2}");
    observe(fixture, 9, 1500, "c", "{\"n\":3}");
    assert_ok(history_group(fixture->history, (uint32_t[]){ 5, 3000, 9 }, 3));
    assert_types(fixture, 5, "a c b");
    assert_types(fixture, 9, "");
    assert_types(fixture, 3000, "");
    history_read_begin(fixture->reader);
    history_view_customer(fixture->reader, 5, &view);
    assert_int_equal(history_number(&view, 1, n), 3);
    assert_int_equal(history_number(&view, 2, n), 2);
    history_read_end(fixture->reader);
    observe(fixture, 9, 5000, "d", "{}");
    assert_types(fixture, 5, "a c b d");
    assert_ok(history_group(fixture->history, (uint32_t[]){ 5, 3000 }, 2));
    assert_ok(history_group(fixture->history, (uint32_t[]){ 9 }, 1));
    assert_types(fixture, 5, "a b");
    assert_types(fixture, 9, "c d");
}

struct seen {
    uint32_t customers[16];
    size_t counts[16];
    size_t count, stop_at;
};

static bool see(void *context, uint32_t customer, const struct history_view *view)
{
    struct seen *seen = context;
    seen->customers[seen->count] = customer;
    seen->counts[seen->count++] = view->count;
    return seen->count != seen->stop_at;
}

static void a_scan_visits_each_customer_once(void **state)
{
    struct fixture *fixture = *state;
    struct seen seen = { .count = 0 };
    observe(fixture, 1023, 1, "a", "{}");
    observe(fixture, 1024, 2, "b", "{}");
    observe(fixture, 1024, 3, "b", "{}");
    observe(fixture, 1027, 4, "c", "{}");
    assert_ok(history_group(fixture->history, (uint32_t[]){ 1025, 1023 }, 2));
    history_read_begin(fixture->reader);
    history_scan(fixture->reader, 1022, UINT32_MAX, see, &seen);
    assert_int_equal(seen.count, 5); /* 1022, 1024, 1025, 1026, 1027 */
    assert_int_equal(seen.customers[0], 1022);
    assert_int_equal(seen.counts[0], 0);
    assert_int_equal(seen.customers[1], 1024);
    assert_int_equal(seen.counts[1], 2);
    assert_int_equal(seen.counts[2], 1);
    assert_int_equal(seen.counts[3], 0);
    assert_int_equal(seen.customers[4], 1027);
    seen = (struct seen){ .stop_at = 2 };
    history_scan(fixture->reader, 1024, 1028, see, &seen);
    assert_int_equal(seen.count, 2);
    seen = (struct seen){ .count = 0 };
    history_scan(fixture->reader, 1024, 1025, see, &seen);
    assert_int_equal(seen.count, 1);
    history_read_end(fixture->reader);
}

static bool is_in(const uint64_t *words, uint32_t slot)
{
    return (words[slot / 64] >> (slot % 64) & 1) != 0;
}

/* Plain, apart, or no customer: and whoever is plain is shown as she is alone. */
static void neighbours_are_seen_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct history_span span;
    struct history_view one, alone;
    struct seen seen = { .count = 0 };
    fill_block(fixture, 1024);
    observe(fixture, 1026, 7, "late", "{}");
    assert_ok(history_group(fixture->history, (uint32_t[]){ 1030, 1028 }, 2));
    history_read_begin(fixture->reader);
    history_view_span(fixture->reader, 1024, 1032, &span);
    assert_int_equal(span.begin, 1024);
    for (uint32_t slot = 0; slot < 8; slot++) {
        bool plain = slot == 0 || slot == 1 || slot == 3 || slot == 5 || slot == 7;
        assert_int_equal(is_in(span.plain, slot), plain);
        assert_int_equal(is_in(span.apart, slot), slot == 2 || slot == 6);
        if (!plain)
            continue;
        history_span_one(&span, slot, &one);
        history_view_customer(fixture->reader, 1024 + slot, &alone);
        assert_int_equal(one.count, alone.count);
        assert_int_equal(one.count, slot == 0 ? 70 : 0);
        for (size_t i = 0; i < one.count; i++) {
            assert_true(one.events[i] == alone.events[i]);
            assert_true(history_seq(&one, i) == history_seq(&alone, i));
        }
    }
    for (uint32_t slot = 8; slot < HISTORY_BLOCK_NODES; slot++)
        assert_false(is_in(span.plain, slot) || is_in(span.apart, slot));
    history_scan_apart(fixture->reader, &span, see, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.customers[0], 1026);
    assert_int_equal(seen.counts[0], 1);
    assert_int_equal(seen.customers[1], 1030);
    seen = (struct seen){ .stop_at = 1 };
    history_scan_apart(fixture->reader, &span, see, &seen);
    assert_int_equal(seen.count, 1);
    /* Where nothing has happened yet everybody is plain, and shown with nothing. */
    history_view_span(fixture->reader, 90001, 90003, &span);
    assert_true(is_in(span.plain, 90001 - span.begin) && is_in(span.plain, 90002 - span.begin));
    assert_false(is_in(span.plain, 90003 - span.begin));
    history_span_one(&span, 90001 - span.begin, &one);
    assert_int_equal(one.count, 0);
    assert_true(one.complete);
    history_read_end(fixture->reader);
}

static void rows_are_seen_like_a_history(void **state)
{
    struct fixture *fixture = *state;
    history_column n = add_column(fixture, "n", COLUMN_INT);
    history_column colour = add_column(fixture, "colour", COLUMN_TEXT);
    history_column list = add_column(fixture, "list", COLUMN_TEXTS);
    struct history_view view;
    observe(fixture, 5, 1000, "a", "{\"colour\":\"red\"}");
    str texts[] = { STR("red"), STR("unknown"), STR("") };
    struct history_value values[] = {
        { .column = n, .number = 4 },
        { .column = colour, .text = STR("mauve") },
        { .column = list, .texts = texts, .text_count = 3 },
    };
    struct history_value red = { .column = colour, .text = STR("red") };
    struct history_row rows[] = {
        { .node = 9,
          .seq = 5,
          .time_ms = 70,
          .type = STR("zzz"),
          .channel = STR("sea"),
          .value_count = 3,
          .values = values },
        { .node = 8,
          .seq = 2,
          .time_ms = 70,
          .type = STR("a"),
          .channel = STR("web"),
          .value_count = 1,
          .values = &red },
    };
    const uint32_t *codes;
    for (int pass = 0; pass < 2; pass++) {
        assert_ok(history_view_rows(fixture->reader, rows, 2, &view));
        assert_int_equal(view.count, 2);
        assert_int_equal(history_seq(&view, 0), 2);
        assert_int_equal(history_packed_type(view.events[0]),
                         history_type_find(fixture->history, STR("a")));
        assert_int_equal(history_packed_type(view.events[1]), HISTORY_TYPE_OTHER);
        assert_int_equal(history_packed_channel(view.events[1]), HISTORY_CHANNEL_OTHER);
        assert_int_equal(history_code(&view, 0, colour),
                         history_code_find(fixture->history, colour, STR("red")));
        assert_true(history_code(&view, 1, colour) > history_code_count(fixture->history, colour));
        assert_str_equal(history_view_text(&view, colour, history_code(&view, 1, colour)),
                         STR("mauve"));
        assert_int_equal(history_number(&view, 1, n), 4);
        assert_int_equal(history_number(&view, 0, n), HISTORY_MISSING);
        assert_int_equal(history_codes(&view, 1, list, &codes), 2);
        assert_str_equal(history_view_text(&view, list, codes[1]), STR("unknown"));
    }
    assert_ok(history_view_rows(fixture->reader, NULL, 0, &view));
    assert_int_equal(view.count, 0);
}

/* One event more than there are: where its time puts it, with its values, over a view in place, a gathered one and none at all. */
static void with_an_event_that_has_not_happened(void **state)
{
    struct fixture *fixture = *state;
    struct history_view view;
    history_column text = add_column(fixture, "colour", COLUMN_TEXT);
    history_column number = add_column(fixture, "count", COLUMN_INT);
    struct history_value values[] = { { .column = text, .text = STR("never seen") },
                                      { .column = number, .number = 42 } };
    struct history_row row = {
        .seq = 900000, .time_ms = 1500, .type = STR("a"), .value_count = 2, .values = values
    };
    for (int way = 0; way < 3; way++) {
        uint32_t node = 5 + (uint32_t)way;
        if (way > 0) {
            observe(fixture, node, 1000, "a", "{\"colour\":\"o1\",\"count\":1}");
            observe(fixture, node, 2000, "b", "{\"colour\":\"o2\",\"count\":2}");
        }
        if (way == 1)
            fill_block(fixture, 400);
        history_read_begin(fixture->reader);
        history_view_customer(fixture->reader, node, &view);
        assert_int_equal(view.places != NULL, way == 2);
        assert_ok(history_view_with(fixture->reader, &row, &view));
        size_t at = way > 0 ? 1 : 0;
        assert_int_equal(view.count, way > 0 ? 3 : 1);
        assert_int_equal(history_time_ms(view.events[at]), 1500);
        assert_int_equal(history_seq(&view, at), 900000);
        assert_int_equal(history_number(&view, at, number), 42);
        str said = history_view_text(&view, text, history_code(&view, at, text));
        assert_true(str_equal(said, STR("never seen")));
        if (way > 0) {
            assert_int_equal(history_number(&view, 0, number), 1);
            assert_int_equal(history_number(&view, 2, number), 2);
            said = history_view_text(&view, text, history_code(&view, 2, text));
            assert_true(str_equal(said, STR("o2")));
        }
        history_view_customer(fixture->reader, node, &view); /* it was never there */
        assert_int_equal(view.count, way > 0 ? 2 : 0);
        history_read_end(fixture->reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order_is_time_then_seq, make, finish),
        cmocka_unit_test_setup_teardown(one_node_in_a_base_is_shown_in_place, make, finish),
        cmocka_unit_test_setup_teardown(retracted_and_forgotten_are_gone, make, finish),
        cmocka_unit_test_setup_teardown(values_of_every_kind, make, finish),
        cmocka_unit_test_setup_teardown(promoted_columns_come_from_the_event, make, finish),
        cmocka_unit_test_setup_teardown(groups_are_one_customer, make, finish),
        cmocka_unit_test_setup_teardown(a_scan_visits_each_customer_once, make, finish),
        cmocka_unit_test_setup_teardown(neighbours_are_seen_at_once, make, finish),
        cmocka_unit_test_setup_teardown(rows_are_seen_like_a_history, make, finish),
        cmocka_unit_test_setup_teardown(with_an_event_that_has_not_happened, make, finish),
    };
    return cmocka_run_group_tests_name("history_view", tests, NULL, NULL);
}
