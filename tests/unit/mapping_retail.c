/* SPDX-License-Identifier: Apache-2.0 */
/* The real orders of a shop ("Online Retail", Chen, Sain & Guo 2012, UCI, CC BY 4.0) as a file, by its preset: every invoice is
 * one event, and the money agrees to the penny with a sum over the lines that knows nothing of mappings.
 *
 * Wanted at ../shared/data/online_retail.csv.zst beside the project (KITH_RETAIL names another place). */
#include "support/mapper.h"

#define ROWS 541909
#define INVOICES 25900

static struct mapper *mapper;

struct sums {
    int64_t paid_pence, refunded_pence;
    size_t paid, refunded, refused, customers;
    uint64_t lines;
};

/* Thousandths of a pound of a price with up to three digits behind the point. */
static int64_t milli_of(str price)
{
    int64_t whole, fraction = 0;
    bool negative = price.data[0] == '-';
    size_t point = str_find_byte(price, '.');
    assert_true(str_to_int64(str_slice(price, negative ? 1 : 0, point), &whole));
    for (size_t i = 1; i <= 3; i++)
        fraction = fraction * 10 + (point + i < price.size ? price.data[point + i] - '0' : 0);
    for (size_t i = point + 4; i < price.size; i++)
        assert_int_equal(price.data[i], '0');
    return (negative ? -1 : 1) * (whole * 1000 + fraction);
}

static int64_t pence_of(const struct table_row *row)
{
    int64_t quantity, milli, size, pence, rest;
    assert_true(str_to_int64(row->cells[3].text, &quantity));
    milli = quantity * milli_of(row->cells[5].text);
    size = milli < 0 ? -milli : milli;
    pence = size / 10;
    rest = size % 10;
    if (rest > 5 || (rest == 5 && pence % 2 == 1))
        pence++;
    return milli < 0 ? -pence : pence;
}

static bool take_event(void *context, const struct mapping_event *made)
{
    struct sums *sums = context;
    const struct event *event = made->event;
    bool refund = str_equal(event->type, STR("Order Refunded"));
    assert_true(refund || str_equal(event->type, STR("Order Completed")));
    assert_str_equal(event->promoted_text[PROMOTED_CURRENCY], STR("GBP"));
    assert_int_equal(event->identifier_count, 1);
    *(refund ? &sums->refunded : &sums->paid) += 1;
    *(refund ? &sums->refunded_pence : &sums->paid_pence) += event->promoted_int[PROMOTED_REVENUE];
    sums->customers += str_equal(event->identifiers[0].type, STR("user_id"));
    return true;
}

static bool take_refusal(void *context, uint64_t row, str raw, str code,
                         const struct problem *problem)
{
    struct sums *sums = context;
    (void)raw;
    if (sums->refused++ < 5)
        print_error("row %llu: " STR_FMT ": %s\n", (unsigned long long)row, STR_ARG(code),
                    problem->detail);
    return true;
}

static void read_all(struct table *table, struct sums *made, struct sums *wanted)
{
    struct table_row row;
    err error;
    while ((error = table_next(table, &row, &mapper->problem)) == ERR_OK) {
        bool credit = row.cells[0].text.data[0] == 'C';
        *(credit ? &wanted->refunded_pence : &wanted->paid_pence) +=
            credit ? -pence_of(&row) : pence_of(&row);
        wanted->lines++;
        assert_ok(
            mapping_row(mapper->worker, &row, take_event, take_refusal, made, &mapper->problem));
    }
    assert_err(error, ERR_NOT_FOUND);
    assert_ok(mapping_end(mapper->worker, take_event, take_refusal, made, &mapper->problem));
}

static void start_preset(const char *path, struct table **table)
{
    struct table_form form = { .format = TABLE_CSV };
    struct buffer mapping, key;
    json_value root;
    int score;
    buffer_init(&mapping, (size_t)1 << 20);
    buffer_init(&key, 100);
    assert_ok(table_detect(path, str_from_c(path), &form, &mapper->problem));
    assert_ok(mapping_suggest(path, &form, &mapping, &key, &score, &mapper->problem));
    assert_str_equal(buffer_str(&key), STR("online_retail"));
    struct table_config config = { .path = path, .form = form };
    assert_ok(table_open(table, &config, &mapper->problem));
    assert_ok(json_parse(mapper->parser, buffer_str(&mapping), &root, &mapper->problem));
    assert_ok(mapping_new(&mapper->mapping, root, *table, &mapper->problem));
    mapper->context.memory_bytes_max = (size_t)8 << 20; /* it goes over disk */
    assert_ok(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem));
    buffer_deinit(&mapping);
    buffer_deinit(&key);
}

static void the_money_of_a_real_shop(void **state)
{
    const char *path = getenv("KITH_RETAIL");
    struct sums made = { 0 }, wanted = { 0 };
    struct table *table = NULL;
    (void)state;
    if (path == NULL)
        path = KITH_SOURCE_DIR "/../shared/data/online_retail.csv.zst";
    if (access(path, R_OK) != 0)
        skip();
    mapper = calloc(1, sizeof *mapper);
    mapper_open(mapper);
    start_preset(path, &table);
    read_all(table, &made, &wanted);
    table_close(&table);
    assert_int_equal(wanted.lines, ROWS);
    assert_int_equal(made.refused, 0);
    assert_int_equal(made.paid + made.refunded, INVOICES);
    assert_int_equal(made.paid_pence, wanted.paid_pence);
    assert_int_equal(made.refunded_pence, wanted.refunded_pence);
    print_message("%zu orders of %.2f, %zu refunds of %.2f, %zu with a customer\n", made.paid,
                  (double)made.paid_pence / 100, made.refunded, (double)made.refunded_pence / 100,
                  made.customers);
    mapper_close(mapper);
    free(mapper);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_money_of_a_real_shop) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
