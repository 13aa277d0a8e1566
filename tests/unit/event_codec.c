/* SPDX-License-Identifier: Apache-2.0 */
/* The normal form as bytes: golden files, all fields there and back, and strictness.
 *
 * KITH_GOLDEN_WRITE=1 writes the golden files anew: only when the format gets a new version. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "event/event.h"

static struct arena arena;
static struct buffer out;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, "test", (size_t)64 << 20);
    buffer_init(&out, (size_t)4 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    buffer_deinit(&out);
    return 0;
}

static void fill(uint8_t *bytes, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(first + i);
}

static struct event_identifier identifiers[3];
static struct event_trait traits[3];

static struct event order_paid(void)
{
    struct event event = {
        .kind = EVENT_TRACK,
        .flags = EVENT_TRUSTED | EVENT_TIME_GIVEN,
        .source_number = 7,
        .type = STR("Order Paid"),
        .channel = STR("tmall"),
        .time_ms = INT64_C(1795284731504),
        .sent_ms = INT64_C(1795284731000),
        .shape = UINT64_C(0x0123456789ABCDEF),
        .identifier_count = 2,
        .identifiers = identifiers,
        .props = STR("{\"order_id\":\"T1\",\"revenue\":9.9}"),
        .context = STR("{\"library\":{\"name\":\"L\"}}"),
    };
    fill(event.message_key, 16, 0xA0);
    identifiers[0] = (struct event_identifier){ .type = STR("mobile"),
                                                .flags = IDENTIFIER_SEALED | IDENTIFIER_VERIFIED,
                                                .value = STR("s1:1:abc"),
                                                .other_hash_count = 3 };
    fill(identifiers[0].hash, 16, 0x10);
    fill(identifiers[0].other_hashes[0], 48, 0x20);
    fill(identifiers[0].tail_hash, 8, 0x60);
    identifiers[1] = (struct event_identifier){ .type = STR("loyalty"),
                                                .namespace_ = STR("shop"),
                                                .value = STR("42") };
    fill(identifiers[1].hash, 16, 0x70);
    event.promoted_set = 1u << PROMOTED_ORDER_ID | 1u << PROMOTED_REVENUE | 1u << PROMOTED_CURRENCY;
    event.promoted_text[PROMOTED_ORDER_ID] = STR("T1");
    event.promoted_int[PROMOTED_REVENUE] = 990;
    event.promoted_text[PROMOTED_CURRENCY] = STR("CNY");
    return event;
}

static struct event identify(void)
{
    struct event event = {
        .kind = EVENT_IDENTIFY,
        .source_number = 1,
        .type = STR("Identify"),
        .channel = STR("web"),
        .time_ms = 0,
        .props = STR("{}"),
        .identifier_count = 1,
        .identifiers = identifiers,
        .trait_count = 3,
        .traits = traits,
    };
    identifiers[0] = (struct event_identifier){ .type = STR("anonymous_id"),
                                                .namespace_ = STR("web"),
                                                .flags = IDENTIFIER_OWN,
                                                .value = STR("a1") };
    traits[0] = (struct event_trait){ STR("city"), TRAIT_SET, STR("\"上海\"") };
    traits[1] = (struct event_trait){ STR("points"), TRAIT_INCREMENT, STR("-5") };
    traits[2] = (struct event_trait){ STR("old"), TRAIT_UNSET, STR("null") };
    return event;
}

static struct event item(void)
{
    return (struct event){ .kind = EVENT_OBJECT,
                           .flags = EVENT_DELETE,
                           .source_number = UINT32_MAX,
                           .type = STR("Item Delete"),
                           .time_ms = -1,
                           .object_kind = STR("book"),
                           .object_id = STR("7"),
                           .props = STR("{}") };
}

static str encode(const struct event *event)
{
    struct problem problem = { .error = ERR_OK };
    buffer_clear(&out);
    if (event_encode(&out, event, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    return buffer_str(&out);
}

static void check_golden(const char *name, const struct event *event)
{
    char path[300];
    static char golden[4096];
    str bytes = encode(event);
    snprintf(path, sizeof path, "%s/tests/golden/event/%s", KITH_SOURCE_DIR, name);
    if (getenv("KITH_GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
        fclose(file);
    }
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(golden, 1, sizeof golden, file);
    fclose(file);
    assert_int_equal(size, bytes.size);
    assert_memory_equal(golden, bytes.data, size);
}

static void test_golden(void **state)
{
    (void)state;
    struct event event = order_paid();
    check_golden("order-paid.v1", &event);
    event = identify();
    check_golden("identify.v1", &event);
    event = item();
    check_golden("item-delete.v1", &event);
}

static void assert_same_identifier(const struct event_identifier *a,
                                   const struct event_identifier *b)
{
    assert_str_equal(a->type, b->type);
    assert_str_equal(a->namespace_, b->namespace_);
    assert_str_equal(a->value, b->value);
    assert_int_equal(a->flags, b->flags);
    assert_memory_equal(a->hash, b->hash, 16);
    assert_memory_equal(a->tail_hash, b->tail_hash, 8);
    assert_int_equal(a->other_hash_count, b->other_hash_count);
    assert_memory_equal(a->other_hashes, b->other_hashes, 16u * a->other_hash_count);
}

static void assert_there_and_back(const struct event *event)
{
    struct event back;
    struct problem problem = { .error = ERR_OK };
    memset(&back, 0xEE, sizeof back);
    str bytes;
    assert_int_equal(arena_dup(&arena, encode(event), &bytes), ERR_OK);
    assert_int_equal(event_decode(bytes, &arena, &back, &problem), ERR_OK);
    assert_int_equal(back.seq, 0);
    assert_int_equal(back.received_ms, 0);
    assert_int_equal(back.kind, event->kind);
    assert_int_equal(back.flags, event->flags);
    assert_int_equal(back.source_number, event->source_number);
    assert_memory_equal(back.message_key, event->message_key, 16);
    assert_str_equal(back.type, event->type);
    assert_str_equal(back.channel, event->channel);
    assert_int_equal(back.time_ms, event->time_ms);
    assert_int_equal(back.sent_ms, event->sent_ms);
    assert_int_equal(back.shape, event->shape);
    assert_int_equal(back.identifier_count, event->identifier_count);
    for (uint32_t i = 0; i < back.identifier_count; i++)
        assert_same_identifier(&back.identifiers[i], &event->identifiers[i]);
    assert_int_equal(back.trait_count, event->trait_count);
    for (uint32_t i = 0; i < back.trait_count; i++) {
        assert_str_equal(back.traits[i].name, event->traits[i].name);
        assert_str_equal(back.traits[i].value, event->traits[i].value);
        assert_int_equal(back.traits[i].operation, event->traits[i].operation);
    }
    assert_int_equal(back.promoted_set, event->promoted_set);
    for (unsigned i = 0; i < PROMOTED_COUNT; i++)
        if (event->promoted_set & 1u << i && event->promoted_text[i].size == 0)
            assert_int_equal(back.promoted_int[i], event->promoted_int[i]);
        else if (!(event->promoted_set & 1u << i))
            assert_int_equal(back.promoted_int[i], PROMOTED_MISSING);
        else
            assert_str_equal(back.promoted_text[i], event->promoted_text[i]);
    assert_str_equal(back.object_kind, event->object_kind);
    assert_str_equal(back.object_id, event->object_id);
    assert_str_equal(back.props, event->props);
    assert_str_equal(back.context, event->context);
    /* The same event gives the same bytes. */
    assert_str_equal(encode(&back), bytes);
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct event event = order_paid();
    assert_there_and_back(&event);
    event = identify();
    assert_there_and_back(&event);
    event = item();
    assert_there_and_back(&event);
    event = order_paid();
    event.promoted_int[PROMOTED_REVENUE] = INT64_MIN + 1;
    event.promoted_set |= 1u << PROMOTED_TOTAL;
    event.promoted_int[PROMOTED_TOTAL] = INT64_MAX;
    event.time_ms = INT64_MIN;
    assert_there_and_back(&event);
    struct event_identifier many[EVENT_IDENTIFIERS_MAX];
    for (size_t i = 0; i < EVENT_IDENTIFIERS_MAX; i++)
        many[i] = identifiers[0];
    event.identifiers = many;
    event.identifier_count = EVENT_IDENTIFIERS_MAX;
    assert_there_and_back(&event);
}

/* Whatever bytes are read write to the same bytes; no damage goes unnoticed where a form has but one
 * writing. */
static void test_damage(void **state)
{
    (void)state;
    struct event event = order_paid(), back;
    struct problem problem = { .error = ERR_OK };
    str bytes;
    char copy[1024];
    assert_int_equal(arena_dup(&arena, encode(&event), &bytes), ERR_OK);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(event_decode(str_slice(bytes, 0, size), &arena, &back, &problem),
                         ERR_CORRUPT);
    memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = 0;
    assert_int_equal(event_decode(str_from_bytes(copy, bytes.size + 1), &arena, &back, &problem),
                     ERR_CORRUPT);
    size_t read = 0;
    for (size_t i = 0; i < bytes.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(copy, bytes.data, bytes.size);
            copy[i] = (char)(copy[i] ^ 1 << bit);
            str damaged = str_from_bytes(copy, bytes.size);
            if (event_decode(damaged, &arena, &back, &problem) == ERR_OK) {
                read++;
                assert_str_equal(encode(&back), damaged);
            }
            arena_reset(&arena);
            assert_int_equal(arena_dup(&arena, encode(&event), &bytes), ERR_OK);
        }
    assert_true(read > 0); /* texts and hashes may be anything: blocks have checksums (log) */
}

static void test_limits(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct event event = order_paid();
    char *text = malloc(EVENT_BYTES_MAX + 1);
    memset(text, 'x', EVENT_BYTES_MAX + 1);
    size_t before = encode(&event).size;
    event.props = str_from_bytes(text, EVENT_BYTES_MAX);
    buffer_clear(&out);
    assert_int_equal(event_encode(&out, &event, &problem), ERR_TOO_LARGE);
    assert_int_equal(out.size, 0);
    event.props = str_from_bytes(text, (size_t)EVENT_BYTES_MAX - before);
    assert_there_and_back(&event);

    event = order_paid();
    event.type = STR("");
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    event.type = str_from_bytes(text, EVENT_NAME_BYTES_MAX + 1);
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    event = order_paid();
    event.flags = 0x80;
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    event = order_paid();
    event.kind = (enum event_kind)0;
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    event = order_paid();
    event.identifier_count = EVENT_IDENTIFIERS_MAX + 1;
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    event = order_paid();
    identifiers[0].other_hash_count = 4;
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    event = identify();
    event.trait_count = EVENT_TRAITS_MAX + 1;
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    event = order_paid();
    event.promoted_set = 1u << 31;
    assert_int_equal(event_encode(&out, &event, &problem), ERR_INVALID);
    assert_non_null(strstr(problem.detail, "promoted"));
    /* a buffer that is full */
    struct buffer small;
    buffer_init(&small, 100);
    event = order_paid();
    assert_int_equal(event_encode(&small, &event, &problem), ERR_TOO_LARGE);
    buffer_deinit(&small);
    free(text);
}

static void test_memory(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    struct event event = identify(), back;
    struct arena tiny;
    str bytes = encode(&event);
    arena_init(&tiny, "tiny", 8);
    assert_int_equal(event_decode(bytes, &tiny, &back, &problem), ERR_NOMEM);
    arena_deinit(&tiny);
}

static void test_noise(void **state)
{
    (void)state;
    struct random_stream stream;
    struct problem problem = { .error = ERR_OK };
    struct event back, event = order_paid();
    char bytes[400];
    str good = encode(&event);
    memcpy(bytes, good.data, good.size);
    size_t size = good.size, read = 0;
    random_seed(&stream, 42);
    for (int round = 0; round < 200000; round++) {
        char noisy[400];
        memcpy(noisy, bytes, size);
        for (uint64_t changes = 1 + random_below(&stream, 4); changes > 0; changes--)
            noisy[random_below(&stream, size)] = (char)random_next(&stream);
        if (event_decode(str_from_bytes(noisy, size), &arena, &back, &problem) == ERR_OK) {
            assert_str_equal(encode(&back), str_from_bytes(noisy, size));
            read++;
        }
        arena_reset(&arena);
    }
    assert_true(read > 1000);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(event_kind_name(EVENT_TRACK), "track");
    assert_string_equal(event_kind_name(EVENT_OBJECT), "object");
    assert_string_equal(event_kind_name((enum event_kind)99), "unknown");
    /* Shapes: the order of properties does not matter, names and kinds do. */
    uint64_t begin = event_shape_begin(1, STR("E"));
    uint64_t a = event_name_hash(1, STR("a")), b = event_name_hash(1, STR("b"));
    uint64_t ab = event_shape_property(event_shape_property(begin, a, JSON_INT), b, JSON_TEXT);
    uint64_t ba = event_shape_property(event_shape_property(begin, b, JSON_TEXT), a, JSON_INT);
    uint64_t swapped = event_shape_property(event_shape_property(begin, a, JSON_TEXT), b, JSON_INT);
    assert_true(ab == ba);
    assert_true(ab != swapped);
    assert_true(event_shape_begin(1, STR("E")) != event_shape_begin(2, STR("E")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_golden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_noise, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
