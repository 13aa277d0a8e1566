/* SPDX-License-Identifier: Apache-2.0 */
/* retention: the policy, and what of a run must not be loaded; see retention.h. */
#include "engine/retention.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "engine/past/rows.h"

static const struct {
    const char *kind, *what;
    int64_t days, least;
} kinds[RETENTION_COUNT] = {
#define X(name, kind, days, least, what) [RETENTION_##name] = { kind, what, days, least },
    RETENTION_TABLE(X)
#undef X
};

const char *retention_kind_text(enum retention_kind kind)
{
    return kinds[kind].kind;
}

const char *retention_kind_what(enum retention_kind kind)
{
    return kinds[kind].what;
}

int64_t retention_days_default(enum retention_kind kind)
{
    return kinds[kind].days;
}

int64_t retention_days_least(enum retention_kind kind)
{
    return kinds[kind].least;
}

/* ---- the policy ---- */

static bool find_kind(str name, enum retention_kind *kind)
{
    for (int i = 0; i < RETENTION_COUNT; i++)
        if (str_equal(name, str_from_c(kinds[i].kind))) {
            *kind = (enum retention_kind)i;
            return true;
        }
    return false;
}

static err refuse(const char *pointer, str name, const char *reason, struct problem *problem)
{
    int size = (int)str_utf8_prefix_bytes(name, 60);
    problem_set(problem, ERR_UNPROCESSABLE, "'%.*s': %s", size, name.data, reason);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s%.*s", pointer, size, name.data);
}

static err check_days(enum retention_kind kind, const char *pointer, str name, json_value value,
                      struct problem *problem)
{
    int64_t days = json_int(value, -1);
    char reason[120];
    if (json_kind(value) == JSON_INT && (days == 0 || days >= kinds[kind].least) &&
        days <= RETENTION_DAYS_MAX)
        return kind == RETENTION_LOG && days == 0
                   ? refuse(pointer, name, "the log is not kept for ever", problem)
                   : ERR_OK;
    snprintf(reason, sizeof reason, "%lld to %d days%s", (long long)kinds[kind].least,
             RETENTION_DAYS_MAX, kind == RETENTION_LOG ? "" : ", or 0: it is kept");
    return refuse(pointer, name, reason, problem);
}

static err check_types(json_value types, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(types);
    json_value days;
    str type;
    err error = ERR_OK;
    if (!json_is_object(types) || json_count(types) > RETENTION_TYPES_MAX)
        return refuse("/", STR("events"), "an object of up to 200 types and their days", problem);
    while (error == ERR_OK && json_next(&iterator, &type, &days)) {
        if (type.size > 200 || type.size == 0)
            return refuse("/events/", type, "a type of events has 1 to 200 bytes", problem);
        error = check_days(RETENTION_EVENTS, "/events/", type, days, problem);
    }
    return error;
}

err retention_check(json_value policy, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(policy);
    json_value value;
    str name;
    err error = ERR_OK;
    if (!json_is_object(policy))
        return problem_set(problem, ERR_UNPROCESSABLE, "a policy is an object of kinds and days");
    while (error == ERR_OK && json_next(&iterator, &name, &value)) {
        enum retention_kind kind;
        if (!find_kind(name, &kind)) {
            refuse("/", name, "there is no such kind of data", problem);
            return problem_hint(problem, ERR_UNPROCESSABLE,
                                "log, quarantine, events, visitors, touches, exports, uploads, "
                                "audit");
        }
        error = kind == RETENTION_EVENTS ? check_types(value, problem)
                                         : check_days(kind, "/", name, value, problem);
    }
    return error;
}

int64_t retention_days(json_value policy, enum retention_kind kind)
{
    json_value value = json_get(policy, str_from_c(kinds[kind].kind));
    if (kind == RETENTION_EVENTS)
        value = json_get(value, STR(RETENTION_TYPE_OTHERS));
    return json_int(value, kinds[kind].days);
}

void retention_write(json_value policy, struct json_writer *writer)
{
    json_begin_object(writer);
    for (int i = 0; i < RETENTION_COUNT; i++) {
        str name = str_from_c(kinds[i].kind), type;
        json_value days;
        if (i != RETENTION_EVENTS) {
            json_member_int(writer, name, retention_days(policy, (enum retention_kind)i));
            continue;
        }
        struct json_iterator iterator = json_iterate(json_get(policy, name));
        json_put_key(writer, name);
        json_begin_object(writer);
        while (json_next(&iterator, &type, &days))
            json_member_int(writer, type, json_int(days, 0));
        json_end_object(writer);
    }
    json_end_object(writer);
}

/* ---- events of a run ---- */

static void write_age(struct buffer *sql, bool *any, const char *joined, int64_t before_ms)
{
    buffer_printf(sql, "%s%s time_ms < %lld)", *any ? " OR (" : "((", joined, (long long)before_ms);
    *any = true;
}

/* Those that have days of their own are named apart from the others, also when they are kept. */
static void write_types(json_value types, int64_t now_ms, struct buffer *sql, struct buffer *named,
                        bool *any)
{
    struct json_iterator iterator = json_iterate(types);
    json_value value;
    str type;
    while (json_next(&iterator, &type, &value)) {
        int64_t days = json_int(value, 0);
        struct buffer quoted;
        if (str_equal(type, STR(RETENTION_TYPE_OTHERS)))
            continue;
        buffer_init(&quoted, 4096);
        buffer_append_str(&quoted, STR("type = "));
        rows_quote(&quoted, type);
        buffer_append_str(&quoted, STR(" AND"));
        buffer_append_byte(&quoted, 0);
        if (days > 0)
            write_age(sql, any, quoted.data, now_ms - days * DAY_MS);
        buffer_append_str(named, named->size > 0 ? STR(",") : STR(""));
        rows_quote(named, type);
        buffer_deinit(&quoted);
    }
}

bool retention_write_condition(json_value policy, int64_t now_ms, uint64_t seq, struct buffer *sql)
{
    struct buffer named, others;
    bool any = false;
    int64_t days = retention_days(policy, RETENTION_EVENTS);
    buffer_init(&named, (size_t)1 << 20);
    buffer_init(&others, (size_t)1 << 20);
    write_types(json_get(policy, STR("events")), now_ms, sql, &named, &any);
    if (named.size > 0)
        buffer_printf(&others, "type NOT IN (%.*s) AND", STR_ARG(buffer_str(&named)));
    buffer_append_byte(&others, 0);
    if (days > 0)
        write_age(sql, &any, others.data, now_ms - days * DAY_MS);
    if (any)
        buffer_printf(sql, ") AND seq <= %llu", (unsigned long long)seq);
    buffer_deinit(&named);
    buffer_deinit(&others);
    return any;
}

/* ---- a run ---- */

void expiry_deinit(struct expiry *expiry)
{
    memory_free(expiry->condition);
    memory_free(expiry->rules);
    expiry->condition = expiry->rules = NULL;
}

/* What the buffer has, as a text of its own. */
static err keep_text(struct buffer *text, char **kept)
{
    buffer_append_byte(text, 0);
    if (buffer_status(text) != ERR_OK || (*kept = memory_alloc(text->size)) == NULL)
        return ERR_NOMEM;
    memcpy(*kept, text->data, text->size);
    return ERR_OK;
}

err expiry_begin(struct expiry *expiry, json_value policy, int64_t now_ms, uint64_t seq)
{
    struct buffer sql, rules;
    struct json_writer writer;
    buffer_init(&sql, (size_t)1 << 20);
    buffer_init(&rules, (size_t)1 << 20);
    expiry_end(expiry);
    json_writer_init(&writer, &rules);
    retention_write(policy, &writer);
    err error = keep_text(&rules, &expiry->rules);
    if (error == ERR_OK && retention_write_condition(policy, now_ms, seq, &sql))
        error = keep_text(&sql, &expiry->condition);
    expiry->at_ms = now_ms;
    expiry->seq = seq;
    buffer_deinit(&sql);
    buffer_deinit(&rules);
    return error;
}

void expiry_end(struct expiry *expiry)
{
    expiry_deinit(expiry);
    *expiry = (struct expiry){ .count = expiry->count };
}

void expiry_put(const struct expiry *expiry, int64_t finished_ms, struct ledger_writes *writes)
{
    char bytes[512];
    struct buffer counts = { .data = bytes, .capacity = sizeof bytes, .size_max = sizeof bytes };
    struct json_writer writer;
    json_writer_init(&writer, &counts);
    json_begin_object(&writer);
    for (int i = 0; i < RETENTION_COUNT; i++)
        json_member_int(&writer, str_from_c(kinds[i].kind), (int64_t)expiry->taken[i]);
    json_end_object(&writer);
    LEDGER_PUT(writes, LEDGER_RETENTION_RUNS, ledger_int(expiry->number), ledger_int(expiry->at_ms),
               ledger_int((int64_t)expiry->seq), ledger_int(expiry->user_number),
               ledger_text(finished_ms != 0 ? STR("finished") : STR("running")),
               ledger_text(str_from_c(expiry->rules)), ledger_int((int64_t)expiry->cut_seq),
               ledger_int((int64_t)expiry->place), ledger_text(buffer_str(&counts)),
               ledger_int(finished_ms));
}

struct loading {
    struct expiry *expiry;
    struct json_parser *parser;
    struct problem *problem;
    err error;
};

static err load_running(struct loading *loading, const struct ledger_value *values)
{
    struct expiry *expiry = loading->expiry;
    json_value json;
    err error = json_parse(loading->parser, values[5].bytes, &json, loading->problem);
    if (error == ERR_OK)
        error = expiry_begin(expiry, json, values[1].integer, (uint64_t)values[2].integer);
    if (error == ERR_OK)
        error = json_parse(loading->parser, values[8].bytes, &json, loading->problem);
    if (error != ERR_OK)
        return error;
    for (int i = 0; i < RETENTION_COUNT; i++)
        expiry->taken[i] = (uint64_t)json_int(json_get(json, str_from_c(kinds[i].kind)), 0);
    expiry->number = (uint32_t)values[0].integer;
    expiry->user_number = (uint32_t)values[3].integer;
    expiry->cut_seq = (uint64_t)values[6].integer;
    expiry->place = (uint64_t)values[7].integer;
    return ERR_OK;
}

/* number at_ms seq user_number state rules cut_seq place counts finished_ms */
static bool load_run(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    loading->expiry->count = (uint32_t)values[0].integer;
    if (str_equal(values[4].bytes, STR("running")))
        loading->error = load_running(loading, values);
    return loading->error == ERR_OK;
}

err expiry_load(struct expiry *expiry, struct ledger *ledger, struct problem *problem)
{
    struct loading loading = { .expiry = expiry, .problem = problem };
    err error = json_parser_new(&loading.parser, (size_t)1 << 20);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_RETENTION_RUNS, NULL, load_run, &loading, problem);
    json_parser_free(&loading.parser);
    return error == ERR_OK ? loading.error : error;
}

void expiry_write_kept(const struct expiry *expiry, struct buffer *sql)
{
    if (expiry->number != 0 && expiry->condition != NULL && expiry->place > 0)
        buffer_printf(sql, " AND NOT (%s AND customer < %llu)", expiry->condition,
                      (unsigned long long)expiry->place);
}
