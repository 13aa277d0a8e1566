/* SPDX-License-Identifier: Apache-2.0 */
/* Every preset on a file in its true layout, bytes included: recognised by its header, and event by event what
 * tests/golden/mapping/<file>.txt says. KITH_GOLDEN_WRITE=1 writes these files anew, to be read before they are kept. */
#include "support/mapper.h"

#include "mapping/inside.h"

#define GOLDEN KITH_SOURCE_DIR "/tests/golden/mapping/"

static struct mapper *mapper;

static int set_up(void **state)
{
    mapper = calloc(1, sizeof *mapper);
    mapper_open(mapper);
    *state = mapper;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapper_close(mapper);
    free(mapper);
    return 0;
}

static void suggest(const char *path, struct table_form *form, struct buffer *mapping,
                    const char *key, int *score)
{
    struct buffer found;
    buffer_init(&found, 100);
    assert_ok(table_detect(path, STR_NONE, form, &mapper->problem));
    assert_ok(mapping_suggest(path, form, mapping, &found, score, &mapper->problem));
    assert_str_equal(buffer_str(&found), str_from_c(key));
    buffer_deinit(&found);
}

static void run_table(struct table *table)
{
    struct table_row row;
    err error;
    while ((error = table_next(table, &row, &mapper->problem)) != ERR_NOT_FOUND) {
        if (error == ERR_INVALID && row.footer)
            continue;
        assert_ok(error);
        assert_ok(mapping_row(mapper->worker, &row, mapper_emit, mapper_refuse, mapper,
                              &mapper->problem));
    }
    mapper_end(mapper);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Events in the order of their text: which order comes first is nobody's promise. */
static void write_all(struct buffer *out)
{
    qsort(mapper->events, mapper->event_count, sizeof *mapper->events, compare_lines);
    qsort(mapper->refused, mapper->refused_count, sizeof *mapper->refused, compare_lines);
    for (size_t i = 0; i < mapper->event_count; i++)
        buffer_printf(out, "%s\n", mapper->events[i]);
    for (size_t i = 0; i < mapper->refused_count; i++)
        buffer_printf(out, "refused %s\n", mapper->refused[i]);
}

static void read_file(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *room = buffer_reserve(out, (size_t)1 << 20);
    buffer_advance(out, fread(room, 1, (size_t)1 << 20, file));
    fclose(file);
}

static void compare_golden(const char *name)
{
    struct buffer made, wanted;
    char path[300];
    buffer_init(&made, (size_t)4 << 20);
    buffer_init(&wanted, (size_t)4 << 20);
    snprintf(path, sizeof path, GOLDEN "%s.txt", name);
    write_all(&made);
    if (getenv("KITH_GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(made.data, 1, made.size, file), made.size);
        fclose(file);
    }
    read_file(path, &wanted);
    assert_str_equal(buffer_str(&made), buffer_str(&wanted));
    buffer_deinit(&made);
    buffer_deinit(&wanted);
}

static void run_golden(const char *name, const char *key)
{
    struct table_form form = { .format = TABLE_CSV };
    struct table *table = NULL;
    struct buffer mapping;
    char path[300];
    json_value root;
    int score;
    mapper_forget(mapper);
    buffer_init(&mapping, (size_t)1 << 20);
    snprintf(path, sizeof path, GOLDEN "%s.csv", name);
    suggest(path, &form, &mapping, key, &score);
    assert_in_range(score, 80, 100);
    struct table_config config = { .path = path, .form = form };
    assert_ok(table_open(&table, &config, &mapper->problem));
    assert_ok(json_parse(mapper->parser, buffer_str(&mapping), &root, &mapper->problem));
    err error = mapping_new(&mapper->mapping, root, table, &mapper->problem);
    if (error != ERR_OK)
        print_error("%s: %s (%s)\n", name, mapper->problem.detail, mapper->problem.pointer);
    assert_ok(error);
    assert_ok(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem));
    run_table(table);
    compare_golden(name);
    table_close(&table);
    buffer_deinit(&mapping);
}

#define GOLDEN_TEST(name, key)              \
    static void golden_##name(void **state) \
    {                                       \
        (void)state;                        \
        run_golden(#name, key);             \
    }
GOLDEN_TEST(tmall_orders, "tmall_orders")
GOLDEN_TEST(tmall_orders_new, "tmall_orders")
GOLDEN_TEST(tmall_items, "tmall_items")
GOLDEN_TEST(jd_orders, "jd_orders")
GOLDEN_TEST(douyin_orders, "douyin_orders")
GOLDEN_TEST(pdd_orders, "pdd_orders")
GOLDEN_TEST(vip_orders, "vip_orders")
GOLDEN_TEST(youzan_orders, "youzan_orders")
GOLDEN_TEST(pos_orders, "pos_orders")
GOLDEN_TEST(members, "members")
GOLDEN_TEST(online_retail, "online_retail")

/* ---- files that nobody knows ---- */

static void guess_of(const char *text, struct buffer *mapping, int *score)
{
    char path[] = "/tmp/kith-guess-XXXXXX";
    int file = mkstemp(path);
    struct table_form form = { .format = TABLE_CSV };
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(file), 0);
    buffer_clear(mapping);
    suggest(path, &form, mapping, "", score);
    struct table *table = NULL;
    struct table_config config = { .path = path, .form = form };
    json_value root;
    mapper_forget(mapper);
    if (*score > 0) { /* what is guessed can be run as it is */
        assert_ok(table_open(&table, &config, &mapper->problem));
        assert_ok(json_parse(mapper->parser, buffer_str(mapping), &root, &mapper->problem));
        assert_ok(mapping_new(&mapper->mapping, root, table, &mapper->problem));
        assert_ok(mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context,
                                     &mapper->problem));
        run_table(table);
        table_close(&table);
    }
    unlink(path);
}

static void unknown_files_are_guessed(void **state)
{
    struct buffer mapping;
    int score;
    (void)state;
    buffer_init(&mapping, (size_t)1 << 20);
    guess_of("客户编号,联系方式,最近到店,备注,收货人电话,余额\n"
             "K1,13912340007,2024-01-05,老客,13912340008,\"1,200\"\n"
             "K2,13912340009,2024-01-06,,13912340010,30\n",
             &mapping, &score);
    assert_in_range(score, 1, 50);
    assert_int_equal(mapper->refused_count, 0);
    assert_int_equal(mapper->event_count, 2);
    assert_non_null(strstr(mapper->events[0], "identify|Identify"));
    assert_non_null(strstr(mapper->events[0], "user_id::K1,mobile::+8613912340007|"));
    assert_non_null(strstr(mapper->events[0], "余额=1200"));
    assert_non_null(strstr(mapper->events[0], "收货人电话=<13912340008>")); /* no identifier */

    /* Phones that were hashed before they came: the same identifier. */
    guess_of("会员号,手机号MD5,余额\n"
             "K1,E10ADC3949BA59ABBE56E057F20F883E,7\n"
             "K2,25d55ad283aa400af464c76d713c07ad,8\n",
             &mapping, &score);
    assert_int_equal(mapper->refused_count, 0);
    assert_int_equal(mapper->event_count, 2);
    assert_non_null(strstr(mapper->events[0], "mobile::md5:e10adc3949ba59abbe56e057f20f883e"));

    guess_of("order_id,created,customer_email,product name,price,qty,amount\n"
             "1001,2024-01-05 08:00:00,a@b.cn,Cream,10.50,2,21.00\n"
             "1001,2024-01-05 08:00:00,a@b.cn,Soap,3,1,3.00\n"
             "1002,2024-01-06 09:00:00,c@d.cn,Soap,3,2,6.00\n",
             &mapping, &score);
    assert_int_equal(mapper->refused_count, 0);
    assert_int_equal(mapper->event_count, 2);
    qsort(mapper->events, 2, sizeof *mapper->events, compare_lines);
    assert_non_null(strstr(mapper->events[0], "track|Order Paid|2024-01-05T00:00:00.000Z"));
    assert_non_null(strstr(mapper->events[0], "email::a@b.cn"));
    assert_non_null(
        strstr(mapper->events[0], "{\"name\":\"Cream\",\"price\":10.5,\"quantity\":2}"));

    guess_of("颜色,尺寸\n红,1\n蓝,2\n", &mapping, &score);
    assert_int_equal(score, 0);
    assert_int_equal(mapping.size, 0);
    buffer_deinit(&mapping);
}

static void presets_say_what_they_are(void **state)
{
    struct buffer text;
    json_value root;
    (void)state;
    buffer_init(&text, (size_t)1 << 20);
    assert_int_equal(mapping_preset_count(), 10);
    for (size_t i = 0; i < mapping_preset_count(); i++) {
        buffer_clear(&text);
        mapping_preset_write(i, &text);
        assert_ok(json_parse(mapper->parser, buffer_str(&text), &root, &mapper->problem));
        assert_true(json_text(json_get(root, STR("key"))).size > 0);
        assert_true(json_text(json_get(json_get(root, STR("name")), STR("zh"))).size > 0);
        assert_true(json_text(json_get(json_get(root, STR("about")), STR("en"))).size > 0);
        /* A mapping that can be saved: its form is right, whatever the file. */
        assert_ok(
            mapping_new(&mapper->mapping, json_get(root, STR("mapping")), NULL, &mapper->problem));
        mapping_free(&mapper->mapping);
    }
    buffer_deinit(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(golden_tmall_orders),       TEST(golden_tmall_orders_new),
        TEST(golden_tmall_items),        TEST(golden_jd_orders),
        TEST(golden_douyin_orders),      TEST(golden_pdd_orders),
        TEST(golden_vip_orders),         TEST(golden_youzan_orders),
        TEST(golden_pos_orders),         TEST(golden_members),
        TEST(golden_online_retail),      TEST(presets_say_what_they_are),
        TEST(unknown_files_are_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
