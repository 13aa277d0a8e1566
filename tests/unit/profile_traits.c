/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a customer: precedence, operations, consent, objects; loading gives the same. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profile/profile.h"

struct fixture {
    struct profile *profile;
    struct ledger *ledger;
    struct ledger_writes *writes;
    struct json_parser *parser;
    char folder[64];
    uint64_t seq;
};

static int make(void **state)
{
    static struct fixture fixture;
    struct problem problem = { .error = ERR_OK };
    char path[96];
    fixture = (struct fixture){ .seq = 0 };
    snprintf(fixture.folder, sizeof(fixture.folder), "/tmp/kith_profile_XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    snprintf(path, sizeof(path), "%s/ledger.db", fixture.folder);
    struct ledger_config config = { .path = path, .readers = 2 };
    assert_ok(ledger_open(&fixture.ledger, &config, &problem));
    fixture.writes = ledger_writes_new(fixture.ledger);
    assert_ok(profile_new(&fixture.profile));
    assert_ok(json_parser_new(&fixture.parser, 1 << 20));
    *state = &fixture;
    return 0;
}

static void digest_of(const struct profile *profile, char out[DIGEST_TEXT_BYTES])
{
    struct digest digest = { .count = 0 };
    profile_digest(profile, &digest);
    digest_format(&digest, out);
}

/* What was written is what is there (events are derived: these tests observe none). */
static int finish(void **state)
{
    static const char *const ends[] = { "ledger.db", "ledger.db-wal", "ledger.db-shm" };
    struct fixture *fixture = *state;
    struct problem problem = { .error = ERR_OK };
    struct profile *loaded = NULL;
    char live[DIGEST_TEXT_BYTES], again[DIGEST_TEXT_BYTES];
    assert_ok(ledger_apply(fixture->ledger, &fixture->writes, fixture->seq, NULL, NULL));
    assert_ok(ledger_drain(fixture->ledger));
    assert_ok(profile_new(&loaded));
    if (profile_load(loaded, fixture->ledger, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    digest_of(fixture->profile, live);
    digest_of(loaded, again);
    assert_string_equal(again, live);
    profile_free(&loaded);
    profile_free(&fixture->profile);
    json_parser_free(&fixture->parser);
    ledger_close(&fixture->ledger);
    for (size_t i = 0; i < 3; i++) {
        char path[96];
        snprintf(path, sizeof(path), "%s/%s", fixture->folder, ends[i]);
        unlink(path);
    }
    rmdir(fixture->folder);
    return 0;
}

struct says {
    uint32_t node, source;
    int64_t at;
    const char *account;
    enum event_kind kind;
    uint8_t flags;
};

static void say(struct fixture *fixture, struct says how, enum trait_operation operation,
                const char *name, const char *value)
{
    struct event_trait trait = { .name = str_from_c(name),
                                 .operation = operation,
                                 .value = str_from_c(value) };
    struct event_identifier identifier = { .type = STR("user_id") };
    const char *account = how.account != NULL ? how.account : "a";
    hash128 hash = hash_bytes128(account, strlen(account), 1);
    memcpy(identifier.hash, &hash, HASH_BYTES);
    struct event event = {
        .seq = ++fixture->seq,
        .received_ms = 1000000,
        .time_ms = how.at,
        .kind = how.kind != 0 ? how.kind : EVENT_IDENTIFY,
        .flags = how.flags,
        .source_number = how.source,
        .type = STR("Identify"),
        .identifier_count = 1,
        .identifiers = &identifier,
        .trait_count = name != NULL ? 1 : 0,
        .traits = &trait,
    };
    assert_ok(profile_apply(fixture->profile, &event, how.node, fixture->writes));
}

static void set(struct fixture *fixture, uint32_t node, int64_t at, const char *name,
                const char *value)
{
    say(fixture, (struct says){ .node = node, .source = 1, .at = at }, TRAIT_SET, name, value);
}

static void precedence(struct fixture *fixture, const char *name, const char *json)
{
    struct problem problem = { .error = ERR_OK };
    json_value body;
    assert_ok(json_parse(fixture->parser, str_from_c(json), &body, &problem));
    if (profile_put_trait_type(fixture->profile, str_from_c(name), body, fixture->writes,
                               &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
}

#define assert_trait(fixture, nodes, name, expected) \
    assert_trait_at((fixture), (nodes), (name), (expected), __FILE__, __LINE__)
/* `nodes`: a bit per node number. */
static void assert_trait_at(struct fixture *fixture, unsigned nodes, const char *name,
                            const char *expected, const char *file, int line)
{
    uint32_t numbers[8];
    size_t count = 0;
    struct buffer value;
    buffer_init(&value, 1 << 20);
    for (uint32_t node = 1; node < 8; node++) {
        if ((nodes >> node & 1) != 0)
            numbers[count++] = node;
    }
    bool found = profile_trait(fixture->profile, numbers, count, str_from_c(name), &value);
    if (found != (expected != NULL))
        print_error("%s is %s\n", name, found ? "there" : "not there");
    _assert_true(found == (expected != NULL), name, file, line);
    if (found)
        assert_str_equal_at(buffer_str(&value), str_from_c(expected), file, line);
    buffer_deinit(&value);
}
#define N1 (1u << 1)
#define N2 (1u << 2)

/* ---- sets ---- */

static void newest_counts(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 1, 200, "city", "\"上海\"");
    set(fixture, 1, 100, "city", "\"北京\"");
    assert_trait(fixture, N1, "city", "\"上海\"");
    set(fixture, 2, 300, "city", "\"杭州\"");
    assert_trait(fixture, N1 | N2, "city", "\"杭州\"");
    assert_trait(fixture, N1, "city", "\"上海\"");
    assert_trait(fixture, N1, "town", NULL);
}

static void values_come_back_as_they_were(void **state)
{
    static const char *const values[] = {
        "0",
        "-1",
        "12",
        "9223372036854775807",
        "12345678901234567890",
        "1.5",
        "1.50",
        "0.000001",
        "-0.5",
        "-0",
        "1e3",
        "true",
        "false",
        "\"x\"",
        "\"\"",
        "[1,\"a\"]",
        "{\"a\":1}",
        "[]",
        "{\"$sealed\":\"s1:1:x\"}",
        "1.0000001",
        "0.1",
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        set(fixture, 1, (int64_t)i + 1, "v", values[i]);
        assert_trait(fixture, N1, "v", values[i]);
    }
}

static void null_takes_back(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 1, 100, "city", "\"上海\"");
    set(fixture, 1, 200, "city", "null");
    assert_trait(fixture, N1, "city", NULL);
    set(fixture, 1, 150, "city", "\"北京\"");
    assert_trait(fixture, N1, "city", NULL);
    set(fixture, 1, 300, "city", "\"杭州\"");
    assert_trait(fixture, N1, "city", "\"杭州\"");
}

static void precedences(void **state)
{
    struct fixture *fixture = *state;
    precedence(fixture, "t", "{\"precedence\":\"max\"}");
    for (uint32_t source = 1; source <= 3; source++) {
        static const char *const values[] = { "20", "30", "10" };
        say(fixture,
            (struct says){ .node = source == 3 ? 2 : 1, .source = source, .at = source * 10 },
            TRAIT_SET, "t", values[source - 1]);
    }
    assert_trait(fixture, N1 | N2, "t", "30");
    precedence(fixture, "t", "{\"precedence\":\"newest\"}");
    assert_trait(fixture, N1 | N2, "t", "10");
    precedence(fixture, "t", "{\"precedence\":\"oldest\"}");
    assert_trait(fixture, N1 | N2, "t", "20");
    precedence(fixture, "t", "{\"precedence\":\"min\"}");
    assert_trait(fixture, N1 | N2, "t", "10");
    assert_trait(fixture, N1, "t", "20");
    precedence(fixture, "t", "{\"precedence\":\"source_rank\",\"sources\":[2,1]}");
    assert_trait(fixture, N1 | N2, "t", "30");
    precedence(fixture, "t", "{\"precedence\":\"source_rank\",\"sources\":[3]}");
    assert_trait(fixture, N1 | N2, "t", "10");
    assert_trait(fixture, N1, "t", "30");
    precedence(fixture, "t", "{\"precedence\":\"sum\"}");
    assert_trait(fixture, N1 | N2, "t", "60");
}

/* Its facts keep its own number, by which it can be taken back; their rank is that of the source whose file it was. */
static void an_import_speaks_as_its_source(void **state)
{
    struct fixture *fixture = *state;
    bool changed;
    uint32_t job = 4, import = EVENT_SOURCE_IMPORT_FIRST + job;
    precedence(fixture, "level", "{\"precedence\":\"source_rank\",\"sources\":[7,1]}");
    say(fixture, (struct says){ .node = 1, .source = 1, .at = 10 }, TRAIT_SET, "level", "1");
    say(fixture, (struct says){ .node = 1, .source = import, .at = 5 }, TRAIT_SET, "level", "2");
    assert_trait(fixture, N1, "level", "1");
    assert_ok(profile_import_source(fixture->profile, job, 7, &changed));
    assert_true(changed);
    assert_trait(fixture, N1, "level", "2");
    assert_ok(profile_import_source(fixture->profile, job, 7, &changed));
    assert_false(changed);
    /* Ranked by itself, it is not its source. */
    char own[80];
    snprintf(own, sizeof own, "{\"precedence\":\"source_rank\",\"sources\":[1,%u,7]}", import);
    precedence(fixture, "level", own);
    assert_trait(fixture, N1, "level", "1");
}

static void sums_by_account(void **state)
{
    struct fixture *fixture = *state;
    precedence(fixture, "points", "{\"precedence\":\"sum\"}");
    say(fixture, (struct says){ 1, 1, 10, "card1", 0, 0 }, TRAIT_SET, "points", "100");
    say(fixture, (struct says){ 1, 1, 20, "card1", 0, 0 }, TRAIT_SET, "points", "120");
    say(fixture, (struct says){ 1, 1, 15, "card2", 0, 0 }, TRAIT_SET, "points", "7.5");
    assert_trait(fixture, N1, "points", "127.5");
    say(fixture, (struct says){ 2, 1, 30, "card2", 0, 0 }, TRAIT_INCREMENT, "points", "0.25");
    assert_trait(fixture, N1 | N2, "points", "127.75");
}

static void lists_unite(void **state)
{
    struct fixture *fixture = *state;
    precedence(fixture, "likes", "{\"precedence\":\"union\"}");
    say(fixture, (struct says){ 1, 1, 20, "x", 0, 0 }, TRAIT_SET, "likes", "[\"b\",\"c\"]");
    say(fixture, (struct says){ 2, 2, 10, "y", 0, 0 }, TRAIT_SET, "likes", "[\"a\", \"b\"]");
    assert_trait(fixture, N1 | N2, "likes", "[\"a\",\"b\",\"c\"]");
    assert_trait(fixture, N1, "likes", "[\"b\",\"c\"]");
}

/* ---- operations ---- */

static void once_only_where_nothing_was(void **state)
{
    struct fixture *fixture = *state;
    struct says at = { .node = 1, .source = 1, .at = 50 };
    say(fixture, at, TRAIT_SET_ONCE, "first", "\"b\"");
    at.at = 40;
    say(fixture, at, TRAIT_SET_ONCE, "first", "\"a\"");
    assert_trait(fixture, N1, "first", "\"a\"");
    set(fixture, 1, 10, "first", "\"set\"");
    assert_trait(fixture, N1, "first", "\"set\"");
}

static void increments_add_up(void **state)
{
    struct fixture *fixture = *state;
    struct says at = { .node = 1, .source = 1 };
    for (at.at = 1; at.at <= 100; at.at++)
        say(fixture, at, TRAIT_INCREMENT, "visits", "2");
    assert_trait(fixture, N1, "visits", "200");
    at.at = 200;
    say(fixture, at, TRAIT_SET, "visits", "5");
    assert_trait(fixture, N1, "visits", "5");
    at.at = 201;
    say(fixture, at, TRAIT_INCREMENT, "visits", "-1.5");
    assert_trait(fixture, N1, "visits", "3.5");
    at.at = 150; /* late: before the set */
    say(fixture, at, TRAIT_INCREMENT, "visits", "1000");
    assert_trait(fixture, N1, "visits", "3.5");
    at.at = 300;
    say(fixture, at, TRAIT_INCREMENT, "visits", "\"many\"");
    assert_trait(fixture, N1, "visits", "3.5");
}

static void append_is_a_set(void **state)
{
    struct fixture *fixture = *state;
    struct says at = { .node = 1, .source = 1, .at = 10 };
    say(fixture, at, TRAIT_APPEND, "tags", "[\"a\",\"b\"]");
    at.at = 20;
    say(fixture, at, TRAIT_APPEND, "tags", "\"a\"");
    say(fixture, at, TRAIT_APPEND, "tags", "7");
    assert_trait(fixture, N1, "tags", "[\"b\",\"a\",7]");
    at.at = 15;
    say(fixture, at, TRAIT_SET, "tags", "[\"z\",[1,2],\"q,]\"]");
    assert_trait(fixture, N1, "tags", "[\"z\",[1,2],\"q,]\",\"a\",7]");
    at.at = 30;
    say(fixture, at, TRAIT_UNSET, "tags", "");
    assert_trait(fixture, N1, "tags", NULL);
}

static void delete_takes_everything(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 1, 10, "a", "1");
    set(fixture, 1, 30, "b", "2");
    say(fixture, (struct says){ 1, 1, 20, NULL, EVENT_PROFILE, EVENT_DELETE }, TRAIT_SET, NULL, "");
    assert_trait(fixture, N1, "a", NULL);
    assert_trait(fixture, N1, "b", "2");
    set(fixture, 2, 15, "a", "3");
    assert_trait(fixture, N1 | N2, "a", NULL);
    assert_trait(fixture, N2, "a", "3");
}

/* Nobody can make a customer's facts grow without end, and nothing that adds up is lost. */
static void many_accounts_stay_small(void **state)
{
    struct fixture *fixture = *state;
    struct buffer list;
    precedence(fixture, "points", "{\"precedence\":\"sum\"}");
    for (int i = 1; i <= 3000; i++) {
        char account[16];
        snprintf(account, sizeof(account), "a%d", i);
        struct says how = { 1, 1, i, account, 0, 0 };
        say(fixture, how, TRAIT_INCREMENT, "visits", "1");
        say(fixture, how, TRAIT_SET, "points", "2");
    }
    assert_trait(fixture, N1, "visits", "3000");
    /* Of so many accounts the newest count; and the first set of all, which is kept beside them. */
    assert_trait(fixture, N1, "points", "66");
    buffer_init(&list, 1 << 20);
    buffer_append_byte(&list, '[');
    for (int i = 0; i < 20000; i++)
        buffer_printf(&list, "%s%d", i > 0 ? "," : "", i);
    buffer_printf(&list, "]%c", 0);
    say(fixture, (struct says){ 1, 1, 10, NULL, 0, 0 }, TRAIT_APPEND, "numbers", list.data);
    struct buffer value;
    uint32_t node = 1;
    buffer_init(&value, 1 << 20);
    assert_true(profile_trait(fixture->profile, &node, 1, STR("numbers"), &value));
    assert_true(str_starts_with(buffer_str(&value), STR("[19500,19501,")));
    buffer_deinit(&value);
    buffer_deinit(&list);
}

static void types_are_learnt(void **state)
{
    struct fixture *fixture = *state;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    set(fixture, 1, 1, "n", "1");
    set(fixture, 1, 2, "n", "1.5");
    set(fixture, 1, 1, "birthday", "\"1990-05-01\"");
    set(fixture, 1, 1, "mixed", "true");
    set(fixture, 1, 2, "mixed", "[1]");
    profile_write_trait_types(fixture->profile, &out);
    str text = buffer_str(&out);
    assert_true(str_contains(text, STR("\"name\":\"n\",\"type\":\"decimal\"")));
    assert_true(str_contains(text, STR("\"name\":\"birthday\",\"type\":\"time\"")));
    assert_true(str_contains(text, STR("\"name\":\"mixed\",\"type\":\"text\"")));
    buffer_deinit(&out);
}

static void bad_trait_types_are_refused(void **state)
{
    static const char *const bad[] = { "{\"type\":\"number\"}", "{\"precedence\":\"best\"}",
                                       "{\"sources\":[\"x\"]}", "{\"personal\":1}", "[]" };
    struct fixture *fixture = *state;
    struct problem problem = { .error = ERR_OK };
    json_value body;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_ok(json_parse(fixture->parser, str_from_c(bad[i]), &body, &problem));
        assert_err(
            profile_put_trait_type(fixture->profile, STR("x"), body, fixture->writes, &problem),
            ERR_UNPROCESSABLE);
    }
    assert_trait(fixture, N1, "x", NULL);
}

/* ---- by hand ---- */

static void correct(struct fixture *fixture, uint32_t node, int64_t at, const char *name,
                    const char *json)
{
    struct problem problem = { .error = ERR_OK };
    assert_ok(profile_correct(fixture->profile, node, str_from_c(name), str_from_c(json),
                              ++fixture->seq, at, fixture->writes, &problem));
}

/* P5: of what is put by hand the newest holds, before and after whatever sources say, over merges, until it is taken back. */
static void what_is_put_by_hand_holds(void **state)
{
    static const char *const precedences[] = { "newest", "oldest", "max", "sum" };
    struct fixture *fixture = *state;
    struct problem problem = { .error = ERR_OK };
    char name[8];
    for (size_t i = 0; i < sizeof precedences / sizeof precedences[0]; i++) {
        char rule[40];
        snprintf(name, sizeof name, "t%zu", i);
        snprintf(rule, sizeof rule, "{\"precedence\":\"%s\"}", precedences[i]);
        precedence(fixture, name, rule);
        set(fixture, 1, 10, name, "50");
        correct(fixture, 1, 20, name, "7");
        set(fixture, 1, 30, name, "60");
        set(fixture, 1, 5, name, "40");
        assert_trait(fixture, N1, name, "7");
        correct(fixture, 2, 40, name, "8");
        assert_trait(fixture, N1 | N2, name, "8");
        assert_trait(fixture, N1, name, "7"); /* a split takes nothing from anybody */
        say(fixture, (struct says){ .node = 1, .source = 1, .at = 50 }, TRAIT_UNSET, name, "");
        assert_trait(fixture, N1, name, "7");
        correct(fixture, 1, 60, name, "");
        assert_trait(fixture, N1 | N2, name, NULL); /* the newest is: not any more */
        set(fixture, 1, 70, name, "61");
        assert_trait(fixture, N1, name, "61");
    }
    assert_err(profile_correct(fixture->profile, 1, STR("a"), STR("null"), 1, 1, fixture->writes,
                               &problem),
               ERR_UNPROCESSABLE);
    assert_err(
        profile_correct(fixture->profile, 1, STR(""), STR("1"), 1, 1, fixture->writes, &problem),
        ERR_UNPROCESSABLE);
}

/* ---- consent ---- */

static void consent(struct fixture *fixture, uint32_t node, int64_t at, const char *type,
                    const char *props)
{
    struct event event = { .seq = ++fixture->seq,
                           .time_ms = at,
                           .kind = EVENT_TRACK,
                           .source_number = 3,
                           .type = str_from_c(type),
                           .props = str_from_c(props) };
    assert_ok(profile_apply(fixture->profile, &event, node, fixture->writes));
}

static void assert_consent(struct fixture *fixture, unsigned nodes, const char *expected)
{
    uint32_t numbers[8];
    size_t count = 0;
    struct buffer out;
    struct json_writer writer;
    json_value root;
    struct problem problem;
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    for (uint32_t node = 1; node < 8; node++) {
        if ((nodes >> node & 1) != 0)
            numbers[count++] = node;
    }
    json_begin_object(&writer);
    profile_write(fixture->profile, numbers, count, true, &writer);
    json_end_object(&writer);
    assert_ok(json_parse(fixture->parser, buffer_str(&out), &root, &problem));
    str state =
        json_text(json_get(json_get(json_get(root, STR("consent")), STR("sms")), STR("state")));
    assert_str_equal(state, str_from_c(expected));
    buffer_deinit(&out);
}

static void newest_consent_counts_and_ties_are_strict(void **state)
{
    struct fixture *fixture = *state;
    consent(fixture, 1, 10, "Consent Granted", "{\"purpose\":\"sms\",\"evidence\":\"v1\"}");
    assert_consent(fixture, N1, "granted");
    consent(fixture, 1, 20, "Consent Withdrawn", "{\"purpose\":\"sms\"}");
    consent(fixture, 1, 15, "Consent Granted", "{\"purpose\":\"sms\"}");
    assert_consent(fixture, N1, "withdrawn");
    consent(fixture, 2, 20, "Consent Granted", "{\"purpose\":\"sms\"}");
    assert_consent(fixture, N1 | N2, "withdrawn");
    assert_consent(fixture, N2, "granted");
    consent(fixture, 2, 21, "Consent Granted", "{\"purpose\":\"sms\"}");
    assert_consent(fixture, N1 | N2, "granted");
    struct profile_decision call = {
        .purpose = STR("sms"), .at_ms = 22, .seq = ++fixture->seq, .evidence = STR("call")
    };
    assert_ok(profile_put_consent(fixture->profile, 1, &call, fixture->writes));
    assert_consent(fixture, N1 | N2, "withdrawn");
    /* Traits beside it stay what they are. */
    set(fixture, 1, 1, "a", "1");
    assert_consent(fixture, N1, "withdrawn");
    assert_trait(fixture, N1, "a", "1");
}

/* ---- objects ---- */

static void object(struct fixture *fixture, enum event_kind kind, uint8_t flags, int64_t at,
                   const char *name, const char *value)
{
    struct event_trait trait = { .name = str_from_c(name), .value = str_from_c(value) };
    struct event event = { .seq = ++fixture->seq,
                           .time_ms = at,
                           .kind = kind,
                           .flags = flags,
                           .object_kind = STR("group"),
                           .object_id = STR("g1"),
                           .trait_count = 1,
                           .traits = &trait };
    assert_ok(profile_apply(fixture->profile, &event, 0, fixture->writes));
}

static bool note_object(void *context, const struct ledger_value *values)
{
    snprintf(context, 100, STR_FMT, STR_ARG(values[2].bytes));
    return true;
}

static void assert_object(struct fixture *fixture, const char *expected)
{
    struct problem problem = { .error = ERR_OK };
    char props[100] = "";
    struct ledger_value key[2] = { ledger_text(STR("group")), ledger_text(STR("g1")) };
    assert_ok(ledger_apply(fixture->ledger, &fixture->writes, fixture->seq, NULL, NULL));
    assert_ok(ledger_drain(fixture->ledger));
    fixture->writes = ledger_writes_new(fixture->ledger);
    assert_ok(ledger_find(fixture->ledger, LEDGER_OBJECTS, key, 1, note_object, props, &problem));
    assert_string_equal(props, expected);
}

static void objects_are_laid_over_or_replaced(void **state)
{
    struct fixture *fixture = *state;
    object(fixture, EVENT_GROUP, 0, 10, "size", "5");
    object(fixture, EVENT_GROUP, 0, 20, "name", "\"群\"");
    assert_object(fixture, "{\"size\":5,\"name\":\"群\"}");
    object(fixture, EVENT_GROUP, 0, 5, "size", "4");
    assert_object(fixture, "{\"size\":5,\"name\":\"群\"}");
    object(fixture, EVENT_OBJECT, 0, 30, "price", "9.9");
    assert_object(fixture, "{\"price\":9.9}");
    object(fixture, EVENT_OBJECT, EVENT_DELETE, 40, "price", "1");
    assert_object(fixture, "{}");
    object(fixture, EVENT_OBJECT, 0, 35, "price", "8");
    assert_object(fixture, "{}");
    object(fixture, EVENT_OBJECT, 0, 50, "price", "7");
    assert_object(fixture, "{\"price\":7}");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, finish)
    const struct CMUnitTest tests[] = {
        T(newest_counts),
        T(values_come_back_as_they_were),
        T(null_takes_back),
        T(precedences),
        T(an_import_speaks_as_its_source),
        T(sums_by_account),
        T(lists_unite),
        T(once_only_where_nothing_was),
        T(increments_add_up),
        T(append_is_a_set),
        T(delete_takes_everything),
        T(many_accounts_stay_small),
        T(types_are_learnt),
        T(bad_trait_types_are_refused),
        T(what_is_put_by_hand_holds),
        T(newest_consent_counts_and_ties_are_strict),
        T(objects_are_laid_over_or_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
