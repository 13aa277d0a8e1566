/* SPDX-License-Identifier: Apache-2.0 */
/* A year of random lives on the virtual clock: at midnights the living memberships are what a recount gives, and
 * a rebuild of the same records, without threads, restarts and checkpoints, gives the same state. */
#include "unit/audience_house.h"

#define PEOPLE 60
#if defined(__SANITIZE_THREAD__)
#define YEAR_DAYS 120 /* each access is watched */
#define STREAM_DAYS 60
#else
#define YEAR_DAYS 365
#define STREAM_DAYS 150
#endif

static const char *const SEGMENTS[] = {
    "{\"key\":\"s1\",\"rule\":{\"event\":\"Order Paid\",\"measure\":\"count\",\"gte\":2}}",
    "{\"key\":\"s2\",\"rule\":{\"event\":\"Order Paid\",\"last\":\"30d\",\"measure\":\"sum\","
    "\"of\":\"revenue\",\"gte\":50000}}",
    "{\"key\":\"s3\",\"rule\":{\"all\":[{\"event\":\"Product Viewed\",\"last\":\"7d\","
    "\"measure\":\"count\",\"gte\":1},{\"event\":\"Order Paid\",\"last\":\"7d\",\"measure\":\"count\","
    "\"eq\":0}]}}",
    "{\"key\":\"s4\",\"rule\":{\"all\":[{\"segment\":\"s1\"},{\"not\":{\"segment\":\"s2\"}}]}}",
    "{\"key\":\"s5\",\"rule\":{\"any\":[{\"trait\":\"city\",\"eq\":\"shanghai\"},{\"has\":\"mobile\"}]}}",
    "{\"key\":\"s6\",\"rule\":{\"event\":\"Product Viewed\",\"measure\":\"recency\",\"gte\":14}}",
    "{\"key\":\"s7\",\"rule\":{\"event\":\"Order Paid\",\"last\":\"90d\",\"net\":true,"
    "\"measure\":\"count\",\"gte\":1}}",
    "{\"key\":\"s8\",\"rule\":{\"consent\":\"sms\",\"eq\":true}}",
    "{\"key\":\"s9\",\"kind\":\"random\",\"seed\":\"year\",\"buckets\":3,\"from\":0,\"to\":1}",
};
static const char *const TAGS[] = {
    "{\"key\":\"t1\",\"values\":[{\"value\":\"hot\",\"rule\":{\"segment\":\"s2\"}},"
    "{\"value\":\"warm\",\"rule\":{\"event\":\"Product Viewed\",\"last\":\"3d\",\"measure\":\"count\","
    "\"gte\":1}},{\"value\":\"cold\",\"rule\":{\"event\":\"Order Paid\",\"measure\":\"count\",\"gte\":1}}]}",
    "{\"key\":\"t2\",\"kind\":\"stage\",\"stages\":["
    "{\"value\":\"aware\",\"rule\":{\"event\":\"Product Viewed\",\"measure\":\"count\",\"gte\":1}},"
    "{\"value\":\"purchase\",\"rule\":{\"event\":\"Order Paid\",\"measure\":\"count\",\"gte\":1}},"
    "{\"value\":\"loyal\",\"rule\":{\"event\":\"Order Paid\",\"last\":\"180d\",\"measure\":\"days\","
    "\"gte\":2}}]}",
    "{\"key\":\"t3\",\"kind\":\"count\",\"measure\":{\"event\":\"Order Paid\",\"last\":\"60d\","
    "\"measure\":\"count\"}}",
    "{\"key\":\"t4\",\"kind\":\"score\",\"max\":100,\"parts\":["
    "{\"name\":\"bought\",\"points\":20,\"rule\":{\"segment\":\"s1\"}},"
    "{\"name\":\"looks\",\"weight\":3,\"event\":\"Product Viewed\",\"max_per_day\":5,"
    "\"half_life\":\"10d\"},"
    "{\"name\":\"spent\",\"weight\":0.001,\"measure\":{\"event\":\"Order Paid\",\"measure\":\"sum\","
    "\"of\":\"revenue\"},\"max\":40}]}",
    "{\"key\":\"t5\",\"kind\":\"rfm\",\"recency\":{\"event\":\"Order Paid\",\"measure\":\"recency\"},"
    "\"frequency\":{\"event\":\"Order Paid\",\"measure\":\"count\"},"
    "\"monetary\":{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\"},"
    "\"thresholds\":{\"recency\":[7,30],\"frequency\":[1,3],\"monetary\":[10000,80000]}}",
};

static uint64_t seed_of_run(void)
{
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20260618;
    print_message("KITH_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void say_something(struct small_house *house, struct random_stream *random)
{
    static const char *const TYPES[] = { "Product Viewed", "Product Viewed",  "Order Paid",
                                         "Order Refunded", "Consent Granted", "Consent Withdrawn",
                                         "Signed In",      "Page Viewed" };
    static const char *const CITIES[] = { "shanghai", "beijing", "chengdu" };
    char user[32], visitor[32], mobile[32], order[32];
    uint64_t person = random_below(random, PEOPLE), what = random_below(random, 8);
    snprintf(user, sizeof user, "u%llu", (unsigned long long)person);
    snprintf(visitor, sizeof visitor, "v%llu",
             (unsigned long long)(random_below(random, 5) == 0 ? person / 3 : person));
    snprintf(mobile, sizeof mobile, "+86138%08llu", (unsigned long long)(person / 2));
    snprintf(order, sizeof order, "o%llu",
             (unsigned long long)(person * 100 + random_below(random, 30)));
    struct small_event event = { .type = TYPES[what] };
    bool known = random_below(random, 3) != 0;
    event.user = known ? user : NULL;
    event.visitor = !known || random_below(random, 3) == 0 ? visitor : NULL;
    event.mobile = random_below(random, 12) == 0 ? mobile : NULL;
    event.city = random_below(random, 6) == 0 ? CITIES[random_below(random, 3)] : NULL;
    event.purpose = what == 4 || what == 5 ? "sms" : NULL;
    if (what == 2 || what == 3) {
        event.order = order;
        event.revenue = (int64_t)random_below(random, 60000);
    }
    /* some are late, some a little ahead of time */
    if (random_below(random, 10) == 0)
        event.time_ms = house->now_ms - (int64_t)random_below(random, 20) * DAY_MS;
    else if (random_below(random, 20) == 0)
        event.time_ms = house->now_ms + (int64_t)random_below(random, 120) * MINUTE_MS;
    small_say(house, &event);
}

static void split_something(struct small_house *house, struct random_stream *random)
{
    uint32_t count = identity_merge_count(house->identity), a, b, nodes[256];
    if (count == 0)
        return;
    uint64_t merge = 1 + random_below(random, count);
    house->seq++;
    if (identity_merge_is_undone(house->identity, merge) ||
        identity_split(house->identity, merge, house->seq, house->now_ms, 1, house->writes, &a, &b,
                       &house->problem) != ERR_OK)
        return;
    assert_ok(history_group(house->history, nodes, identity_nodes(house->identity, a, nodes, 256)));
    assert_ok(history_group(house->history, nodes, identity_nodes(house->identity, b, nodes, 256)));
    assert_ok(audience_before(house->audience, a, small_moment(house)));
    assert_ok(audience_customer_changed(house->audience, a, small_moment(house)));
    assert_ok(audience_customer_changed(house->audience, b, small_moment(house)));
}

static void define(struct small_house *house, size_t from, size_t to)
{
    size_t segments = sizeof SEGMENTS / sizeof SEGMENTS[0];
    for (size_t i = from; i < to; i++) {
        if (i < segments)
            small_put_segment(house, SEGMENTS[i]);
        else
            small_put_tag(house, TAGS[i - segments]);
    }
    small_install(house);
}

static void recount(struct small_house *house, int day)
{
    struct audience_recount_result result;
    assert_ok(audience_recount(house->audience, house->now_ms, false, &result));
    if (result.defects != 0)
        fail_msg("day %d: %llu defects; %s", day, (unsigned long long)result.defects, result.first);
}

struct year {
    int days;
    bool restarts;
    uint64_t changes;
};

static void live(struct small_house *house, uint64_t seed, struct year *year)
{
    struct random_stream random;
    size_t all = sizeof SEGMENTS / sizeof SEGMENTS[0] + sizeof TAGS / sizeof TAGS[0];
    random_seed(&random, seed);
    /* everything that rules name has been seen once */
    const char *const first[] = { "Order Paid", "Order Refunded", "Product Viewed" };
    for (size_t i = 0; i < 3; i++)
        small_say(house, &(struct small_event){ .type = first[i],
                                                .user = "first",
                                                .city = "nowhere",
                                                .mobile = "+8613900000000",
                                                .order = "o0",
                                                .revenue = 1 });
    define(house, 0, all / 2);
    for (int day = 0; day < year->days; day++) {
        int64_t midnight = HOUSE_NOW + day * DAY_MS;
        for (uint64_t i = random_below(&random, 12); i > 0; i--) {
            int64_t next = house->now_ms + (int64_t)random_below(&random, 3 * HOUR_MS);
            if (next >= midnight + DAY_MS)
                break;
            if (random_below(&random, 3) == 0)
                small_tick(house, next);
            house->now_ms = next;
            say_something(house, &random);
        }
        if (random_below(&random, 6) == 0)
            split_something(house, &random);
        if (day == 40)
            define(house, all / 2, all);
        if (day == 80) {
            small_put_segment(house,
                              "{\"key\":\"s2\",\"rule\":{\"event\":\"Order Paid\",\"last\":"
                              "\"45d\",\"measure\":\"sum\",\"of\":\"revenue\",\"gte\":30000}}");
            small_install(house);
        }
        small_tick(house, midnight + DAY_MS);
        if (random_below(&random, 5) == 0)
            small_commit(house);
        recount(house, day);
        if (year->restarts && day % 50 == 49)
            small_restart(house);
    }
    assert_ok(audience_settle(house->audience, house->now_ms));
    recount(house, year->days);
    struct audience_status status;
    audience_status(house->audience, &status);
    year->changes = status.changes;
}

/* What there is of each definition, to name the one that differs. */
static void tell(struct small_house *house)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    for (int kind = AUDIENCE_SEGMENT; kind <= AUDIENCE_TAG; kind++)
        audience_write_all(house->audience, (enum audience_kind)kind, STR_NONE, STR_NONE, &out);
    fprintf(stderr, "%u customers\n", identity_customer_count(house->identity));
    fwrite(out.data, 1, out.size, stderr);
    buffer_deinit(&out);
}

static void test_year(void **state)
{
    (void)state;
    uint64_t seed = seed_of_run();
    struct small_house house = { .with_threads = true, .install_at_once_max = 1 };
    struct small_house again = { .with_threads = false };
    struct year year = { .days = YEAR_DAYS, .restarts = true };
    struct digest one = { .count = 0 }, other = { .count = 0 };
    small_make(&house);
    live(&house, seed, &year);
    audience_digest(house.audience, &one);
    assert_true(one.count > 100);
    if (getenv("KITH_TELL") != NULL)
        tell(&house);
    small_remove(&house);
    year.restarts = false;
    small_make(&again);
    live(&again, seed, &year);
    assert_true(year.changes > 1000);
    audience_digest(again.audience, &other);
    if (getenv("KITH_TELL") != NULL)
        tell(&again);
    small_remove(&again);
    assert_int_equal(one.count, other.count);
    assert_true(one.low == other.low && one.high == other.high);
}

/* Hardly anything of history fits into memory: what is asked is read back, and the answers are the same. */
static void test_year_on_streams(void **state)
{
    (void)state;
    uint64_t seed = seed_of_run();
    struct small_house whole = { .with_threads = false };
    struct digest one = { .count = 0 };
    struct year year = { .days = STREAM_DAYS };
    small_make(&whole);
    live(&whole, seed, &year);
    audience_digest(whole.audience, &one);
    assert_true(one.count > 50);
    assert_int_equal(whole.read_back, 0);
    small_remove(&whole);
    for (int threads = 0; threads < 2; threads++) {
        struct small_house small = { .with_threads = threads == 1, .history_bytes_max = 1 };
        struct digest other = { .count = 0 };
        year.restarts = threads == 1;
        small_make(&small);
        live(&small, seed, &year);
        audience_digest(small.audience, &other);
        assert_true(small.read_back > 1000);
        small_remove(&small);
        assert_int_equal(one.count, other.count);
        assert_true(one.low == other.low && one.high == other.high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_year),
                                        cmocka_unit_test(test_year_on_streams) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
