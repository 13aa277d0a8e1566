/* SPDX-License-Identifier: Apache-2.0 */
/* Two hundred random definitions that share conditions, and months of people who come, buy, merge, are told apart and forget to
 * come back: after each day everybody is what a recount says, though of an event only what it can have changed was judged, of
 * time only what it has, of who came new only what she is not like everybody; in two of the three worlds everybody in parts, in the
 * last of them with a memory that holds hardly any events, so that most are read back.
 *
 * KITH_SEED makes others, KITH_DAYS more of it. */
#include "audience/state.h"
#include "unit/audience_house.h"

#define PEOPLE 60
#define TAGS 120
#define SEGMENTS 80

static int64_t from_environment(const char *name, int64_t otherwise)
{
    const char *given = getenv(name);
    int64_t value;
    return given != NULL && str_to_int64(str_from_c(given), &value) ? value : otherwise;
}

static const char *pick(struct random_stream *random, const char *const *list, size_t count)
{
    return list[random_below(random, count)];
}
#define PICK(random, list) pick(random, list, sizeof list / sizeof list[0])

static const char *const EVENTS[] = { "Product Viewed", "Page Viewed", "Order Paid", "*" };
static const char *const CHANNELS[] = { "web", "app", "tmall" };
static const char *const CATEGORIES[] = { "serum", "cream", "mask" };
static const char *const WINDOWS[] = {
    "",
    ",\"last\":\"2h\"",
    ",\"last\":\"1d\"",
    ",\"last\":\"7d\"",
    ",\"last\":\"30d\"",
    ",\"during\":\"today\"",
    ",\"during\":\"this_month\"",
    ",\"during\":{\"from\":\"20d\",\"to\":\"3d\"}",
};

static void write_heard(struct random_stream *random, struct buffer *out)
{
    const char *event = PICK(random, EVENTS);
    bool paid = strcmp(event, "Order Paid") == 0;
    buffer_printf(out, "{\"event\":\"%s\"", event);
    if (paid && random_below(random, 3) == 0)
        buffer_printf(out, ",\"where\":[{\"prop\":\"revenue\",\"gte\":%u}]",
                      (unsigned)(10000 * random_below(random, 4)));
    else if (strcmp(event, "Product Viewed") == 0 && random_below(random, 2) == 0)
        buffer_printf(out, ",\"where\":[{\"prop\":\"category\",\"eq\":\"%s\"}]",
                      PICK(random, CATEGORIES));
    else if (random_below(random, 4) == 0)
        buffer_printf(out, ",\"where\":[{\"prop\":\"channel\",\"in\":[\"web\",\"%s\"]}]",
                      PICK(random, CHANNELS));
    buffer_printf(out, "%s", PICK(random, WINDOWS));
}

static void write_threshold(struct random_stream *random, struct buffer *out)
{
    static const char *const words[] = { "gte", "gte", "lt", "eq", "lte", "ne" };
    unsigned least = (unsigned)random_below(random, 4);
    if (random_below(random, 8) == 0)
        buffer_printf(out, "\"between\":[%u,%u]}", least, least + 2);
    else
        buffer_printf(out, "\"%s\":%u}", PICK(random, words), least);
}

static const char *const ODD[] = {
    "{\"event\":\"Order Paid\",\"net\":true,\"last\":\"30d\",\"measure\":\"sum\",\"of\":\"revenue\",\"gte\":20000}",
    "{\"event\":\"Order Paid\",\"net\":true,\"measure\":\"count\",\"gte\":2}",
    "{\"event\":\"Order Paid\",\"nth\":1,\"last\":\"7d\",\"gte\":1}",
    "{\"event\":\"Order Paid\",\"nth\":-1,\"where\":[{\"prop\":\"revenue\",\"gte\":30000}],\"gte\":1}",
    "{\"event\":\"Order Paid\",\"measure\":\"first\",\"gte\":\"now-10d\"}",
    "{\"event\":\"Product Viewed\",\"last\":\"30d\",\"measure\":\"days\",\"gte\":2}",
    "{\"event\":\"Order Paid\",\"measure\":\"avg\",\"of\":\"revenue\",\"last\":\"30d\",\"gte\":20000}",
    "{\"event\":\"Order Paid\",\"measure\":\"max\",\"of\":\"revenue\",\"last\":\"7d\",\"gte\":40000}",
    ("{\"sequence\":[{\"event\":\"Product Viewed\"},{\"event\":\"Order Paid\",\"absent\":true}],"
     "\"within\":\"1d\",\"last\":\"7d\"}"),
    "{\"trait\":\"city\",\"in\":[\"shanghai\",\"beijing\"]}",
    "{\"trait\":\"city\",\"is_not_set\":true}",
    "{\"has\":\"mobile\"}",
    "{\"consent\":\"sms\"}",
};

static void write_condition(struct random_stream *random, struct buffer *out)
{
    uint64_t what = random_below(random, 12);
    if (what < 3) {
        buffer_printf(out, "%s", PICK(random, ODD));
        return;
    }
    if (what == 3) {
        buffer_printf(out, "{\"event\":\"Order Paid\"%s,\"measure\":\"sum\",\"of\":\"revenue\",",
                      PICK(random, WINDOWS));
        buffer_printf(out, "\"gte\":%u}", (unsigned)(10000 * random_below(random, 5)));
        return;
    }
    write_heard(random, out);
    if (what == 4)
        buffer_printf(out, ",\"measure\":\"recency\",\"lte\":%u}",
                      1 + (unsigned)random_below(random, 9));
    else
        buffer_printf(out, ",\"measure\":\"count\",");
    if (what != 4)
        write_threshold(random, out);
}

/* Some stand on what was defined before. */
static void write_rule(struct random_stream *random, unsigned tags, unsigned segments,
                       struct buffer *out)
{
    static const char *const groups[] = { "all", "any" };
    uint64_t count = 1 + random_below(random, 3);
    bool turned = random_below(random, 5) == 0;
    buffer_printf(out, turned ? "{\"not\":{\"%s\":[" : "{\"%s\":[", PICK(random, groups));
    for (uint64_t i = 0; i < count; i++) {
        uint64_t what = random_below(random, 6);
        buffer_printf(out, i > 0 ? "," : "");
        if (what == 0 && tags > 0)
            buffer_printf(out, "{\"tag\":\"t%u\",\"is_set\":true}",
                          (unsigned)random_below(random, tags));
        else if (what == 1 && segments > 0)
            buffer_printf(out, "{\"segment\":\"s%u\"}", (unsigned)random_below(random, segments));
        else
            write_condition(random, out);
    }
    buffer_printf(out, turned ? "]}}" : "]}");
}

static const char *const SPECIAL[] = {
    "\"kind\":\"rfm\",\"thresholds\":{\"recency\":[3,20],\"frequency\":[1,2],\"monetary\":[10000]},"
    "\"recency\":{\"event\":\"Order Paid\",\"measure\":\"recency\"},\"frequency\":{\"event\":"
    "\"Order Paid\",\"measure\":\"count\"},\"monetary\":{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":"
    "\"revenue\",\"last\":\"30d\"}}",
    "\"kind\":\"score\",\"parts\":[{\"name\":\"a\",\"weight\":5,\"event\":\"Product Viewed\",\"max_per_day\":10,"
    "\"half_life\":\"7d\"},{\"name\":\"b\",\"points\":7,\"rule\":{\"event\":\"Order Paid\",\"last\":\"7d\","
    "\"gte\":1}}]}",
    "\"kind\":\"count\",\"measure\":{\"event\":\"Order Paid\",\"measure\":\"last\",\"of\":\"revenue\"}}",
    "\"kind\":\"count\",\"measure\":{\"event\":\"Product Viewed\",\"measure\":\"first\"}}",
};

static void write_tag(struct random_stream *random, unsigned number, struct buffer *out)
{
    uint64_t what = random_below(random, 10);
    buffer_printf(out, "{\"key\":\"t%u\",", number);
    if (what == 0) {
        buffer_printf(out, "%s", PICK(random, SPECIAL));
    } else if (what < 3) {
        buffer_printf(out, "\"kind\":\"count\",\"measure\":");
        write_heard(random, out);
        buffer_printf(out, ",\"measure\":\"count\"}}");
    } else {
        buffer_printf(out, what < 5 ? "\"kind\":\"stage\",\"stages\":[" : "\"values\":[");
        for (unsigned value = 0; value < 2; value++) {
            buffer_printf(out, "%s{\"value\":\"v%u\",\"rule\":", value > 0 ? "," : "", value);
            write_rule(random, number / 2, 0, out);
            buffer_printf(out, "}");
        }
        buffer_printf(out, "]}");
    }
}

static void define_all(struct small_house *house, struct random_stream *random)
{
    struct buffer body;
    buffer_init(&body, 1 << 20);
    for (unsigned i = 0; i < TAGS + SEGMENTS; i++) {
        buffer_clear(&body);
        if (i < TAGS) {
            write_tag(random, i, &body);
        } else {
            buffer_printf(&body, "{\"key\":\"s%u\",\"rule\":", i - TAGS);
            write_rule(random, TAGS, i - TAGS, &body);
            buffer_printf(&body, "}");
        }
        buffer_append_byte(&body, 0);
        if (i < TAGS)
            small_put_tag(house, body.data);
        else
            small_put_segment(house, body.data);
        if (i % 50 == 49)
            small_install(house);
    }
    small_install(house);
    buffer_deinit(&body);
}

/* ---- slices ---- */

/* The least that a slice does is left behind again and again: by what comes between, by a tick, by definitions that come. */
struct slices {
    bool are_short;
    struct random_stream random;
    uint32_t hands;
    uint64_t parts;          /* how often somebody was left in part */
    uint64_t recalled_parts; /* and was being judged by rows that were read back */
    bool forgets; /* memory is tidied now and then only: it has what is new, and not what is old */
};

static void work(struct small_house *house, struct slices *slices)
{
    char body[64];
    for (uint64_t i = random_below(&slices->random, 12); i > 0; i--) {
        audience_work(house->audience, 1);
        uint32_t customer = house->audience->part.customer;
        slices->parts += customer != 0;
        slices->recalled_parts += customer != 0 && recall_is_pending(house->audience, customer);
        if (slices->forgets && random_below(&slices->random, 4) == 0)
            steady_sleep_ms(1); /* for the thread that reads back */
    }
    if (house->audience->part.customer == 0 || random_below(&slices->random, 40) != 0)
        return;
    snprintf(body, sizeof body, "{\"key\":\"hand%u\",\"kind\":\"static\"}", slices->hands++);
    small_put_segment(house, body);
}

static void tick(struct small_house *house, struct slices *slices, int64_t now_ms)
{
    if (!slices->are_short) {
        small_tick(house, now_ms);
        return;
    }
    house->now_ms = now_ms;
    house->seq++;
    assert_ok(audience_begin(house->audience, small_moment(house)));
    assert_ok(audience_tick(house->audience, small_moment(house)));
    if (!slices->forgets || random_below(&slices->random, 8) == 0)
        history_tidy(house->history, INT64_MAX);
    work(house, slices);
}

/* ---- people ---- */

static void say_something(struct small_house *house, struct random_stream *random, uint64_t people)
{
    static const char *const types[] = { "Product Viewed", "Page Viewed",     "Order Paid",
                                         "Order Paid",     "Consent Granted", "Order Refunded" };
    static const char *const cities[] = { "shanghai", "beijing", "chengdu" };
    char user[32], visitor[32], mobile[32], order[32];
    uint64_t person = random_below(random, people);
    snprintf(user, sizeof user, "u%u", (unsigned)person);
    snprintf(visitor, sizeof visitor, "v%u", (unsigned)person);
    snprintf(mobile, sizeof mobile, "+86138%08u", (unsigned)(person / 2));
    snprintf(order, sizeof order, "o%u", (unsigned)(person * 100 + random_below(random, 30)));
    struct small_event event = { .type = PICK(random, types) };
    bool is_known = random_below(random, 3) != 0;
    bool is_order = strncmp(event.type, "Order", 5) == 0;
    event.user = is_known ? user : NULL;
    event.visitor = !is_known || random_below(random, 4) == 0 ? visitor : NULL;
    event.mobile = random_below(random, 12) == 0 ? mobile : NULL;
    event.city = random_below(random, 5) == 0 ? PICK(random, cities) : NULL;
    event.channel = PICK(random, CHANNELS);
    event.category = strcmp(event.type, "Product Viewed") == 0 ? PICK(random, CATEGORIES) : NULL;
    event.purpose = strcmp(event.type, "Consent Granted") == 0 ? "sms" : NULL;
    event.order = is_order ? order : NULL;
    event.revenue = is_order ? (int64_t)random_below(random, 60000) : 0;
    if (random_below(random, 10) == 0)
        event.time_ms = house->now_ms - (int64_t)random_below(random, 20) * DAY_MS;
    else if (random_below(random, 20) == 0)
        event.time_ms = house->now_ms + (int64_t)random_below(random, 120) * MINUTE_MS;
    small_say(house, &event);
}

static void recount(struct small_house *house, int64_t day, uint64_t seed)
{
    struct audience_recount_result result;
    assert_ok(audience_recount(house->audience, house->now_ms, false, &result));
    if (result.defects != 0)
        fail_msg("seed %llu, day %lld: %llu defects; %s", (unsigned long long)seed, (long long)day,
                 (unsigned long long)result.defects, result.first);
}

static void first_words(struct small_house *house)
{
    static const char *const types[] = { "Product Viewed", "Page Viewed", "Order Paid",
                                         "Order Refunded", "Consent Granted" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        small_say(house, &(struct small_event){ .type = types[i],
                                                .user = "first",
                                                .city = "nowhere",
                                                .mobile = "+8613900000000",
                                                .category = i == 0 ? "serum" : NULL,
                                                .purpose = i == 4 ? "sms" : NULL,
                                                .order = i == 2 || i == 3 ? "o0" : NULL,
                                                .revenue = 1 });
}

static void live(struct small_house *house, struct slices *slices, uint64_t seed, int64_t days)
{
    struct random_stream random;
    random_seed(&random, seed);
    first_words(house);
    define_all(house, &random);
    for (int64_t day = 0; day < days; day++) {
        int64_t midnight = HOUSE_NOW + day * DAY_MS;
        for (uint64_t i = random_below(&random, 14); i > 0; i--) {
            int64_t next = house->now_ms + (int64_t)random_below(&random, 3 * HOUR_MS);
            if (next >= midnight + DAY_MS)
                break;
            if (random_below(&random, 3) == 0)
                tick(house, slices, next);
            /* some ticks come minute by minute, each before what leaves a window in its minute */
            for (uint64_t ticks = random_below(&random, 4);
                 ticks > 0 && next + 90000 < midnight + DAY_MS; ticks--)
                tick(house, slices, next += (int64_t)random_below(&random, 90000));
            house->now_ms = next;
            /* more and more of them: somebody is always new */
            say_something(house, &random, 5 + PEOPLE * (uint64_t)day / (uint64_t)days);
            if (slices->are_short)
                work(house, slices);
        }
        tick(house, slices, midnight + DAY_MS);
        if (random_below(&random, 4) == 0)
            small_commit(house);
        recount(house, day, seed);
        if (day % 30 == 29)
            small_restart(house);
    }
}

static void test_many(void **state)
{
    uint64_t seed = (uint64_t)from_environment("KITH_SEED", 20261122);
    int64_t days = from_environment("KITH_DAYS", 75);
    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        struct small_house house = { .with_threads = true,
                                     .install_at_once_max = i == 0 ? 0 : 1,
                                     .history_bytes_max = i == 2 ? 1 : 0 };
        struct slices slices = { .are_short = i > 0, .forgets = i == 2 };
        struct audience_status status;
        random_seed(&slices.random, seed);
        small_make(&house);
        live(&house, &slices, seed + i, days);
        audience_status(house.audience, &status);
        assert_true(status.changes > 3000);
        assert_true(!slices.are_short || slices.parts > 100);
        assert_true(!slices.are_short || slices.hands > 0);
        assert_true(!slices.forgets || slices.recalled_parts > 0);
        small_remove(&house);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_many) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
