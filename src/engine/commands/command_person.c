/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of a person's rights: what she decides (consent), whose data are not used (restriction), what is corrected by hand, and
 * what people asked for (requests). docs/privacy.md.
 *
 *     request:  open ──▶ in_progress ──┬─▶ done        by hand; of an erasure, when its job is finished
 *                 └──────────┴─────────┼─▶ refused
 *                                      └─▶ cancelled   by hand; or she was erased meanwhile
 *
 * What is closed stays as it is. Free text (notes, results, reasons) stays out of the audit: it may name her, and the audit is for ever. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "engine/act/act.h"
#include "engine/call.h"
#include "engine/children.h"
#include "engine/follow.h"
#include "engine/move/move.h"

#define NOTE_BYTES_MAX 2000
#define PACKAGE_BYTES_MAX 1000
#define REASON_BYTES_MAX 500

static str text_of(const struct call *call, str name)
{
    return json_text(json_get(call->body, name));
}

static int64_t number_of(const struct call *call, str name)
{
    return json_int(json_get(call->body, name), 0);
}

static err find_her(struct call *call, uint32_t *customer)
{
    int64_t number = number_of(call, STR("customer"));
    *customer = number > 0 && number <= UINT32_MAX
                    ? identity_root(call->engine->identity, (uint32_t)number)
                    : 0;
    return *customer != 0 ? ERR_OK
                          : problem_set(call->problem, ERR_NOT_FOUND, "there is no such customer");
}

/* ---- decisions ---- */

/* What waits for her is pulled by this record, and journeys that may not have her any more let her go. */
static err decide(struct call *call, uint32_t customer, const struct profile_decision *decision)
{
    struct engine *engine = call->engine;
    err error = profile_put_consent(engine->profile, customer, decision, call->writes);
    if (error == ERR_OK)
        error = follow_customer(engine, customer, call->seq);
    if (error == ERR_OK)
        error = move_consent_changed(engine, customer, call->seq);
    return error == ERR_OK ? act_customer(engine, customer, call->seq) : error;
}

err run_consent_put(struct call *call)
{
    struct engine *engine = call->engine;
    json_value granted = json_get(call->body, STR("granted"));
    int64_t at_ms = number_of(call, STR("at_ms"));
    uint32_t customer;
    struct profile_decision decision = {
        .purpose = text_of(call, STR("purpose")),
        .granted = json_bool(granted, false),
        .at_ms = at_ms > 0 && at_ms < engine->now_ms ? at_ms : engine->now_ms,
        .seq = call->seq,
        .user_number = call->command->user_number,
        .text_version = text_of(call, STR("text_version")),
        .evidence = text_of(call, STR("evidence")),
    };
    call->object = decision.purpose;
    err error = find_her(call, &customer);
    if (error != ERR_OK)
        return error;
    if (decision.purpose.size == 0 || decision.purpose.size > 100)
        return problem_set(call->problem, ERR_UNPROCESSABLE,
                           "a purpose of consent has 1 to 100 bytes");
    if (str_equal(decision.purpose, STR(PURPOSE_PROCESSING))) {
        problem_set(call->problem, ERR_UNPROCESSABLE, "'processing' is no purpose of consent");
        return problem_hint(call->problem, ERR_UNPROCESSABLE,
                            "PUT /api/v1/customers/{one_id}/restriction");
    }
    if (str_equal(decision.purpose, STR(PURPOSE_CHILDREN))) {
        problem_set(call->problem, ERR_UNPROCESSABLE, "'under_14' is no purpose of consent");
        return problem_hint(call->problem, ERR_UNPROCESSABLE,
                            "two persons release it for all: POST "
                            "/api/v1/privacy/sensitive/$under_14/release");
    }
    if (str_equal(decision.purpose, STR(PURPOSE_GUARDIAN)) && decision.granted) {
        problem_set(call->problem, ERR_UNPROCESSABLE,
                    "a guardian's consent is recorded by one person and released by another");
        return problem_hint(call->problem, ERR_UNPROCESSABLE,
                            "POST /api/v1/privacy/requests with kind guardian_consent");
    }
    if (json_kind(granted) != JSON_BOOL) {
        problem_set(call->problem, ERR_UNPROCESSABLE, "granted is true or false");
        return problem_at(call->problem, ERR_UNPROCESSABLE, "/granted");
    }
    return decide(call, customer, &decision);
}

/* The second person releases what the first has recorded (request): the server has seen that they are two. */
err run_guardian_put(struct call *call)
{
    uint32_t customer;
    err error = find_her(call, &customer);
    call->object = STR(PURPOSE_GUARDIAN);
    if (error != ERR_OK)
        return error;
    struct profile_decision decision = { .purpose = STR(PURPOSE_GUARDIAN),
                                         .granted = true,
                                         .at_ms = call->engine->now_ms,
                                         .seq = call->seq,
                                         .user_number = call->command->user_number,
                                         .evidence = text_of(call, STR("evidence")) };
    buffer_printf(&call->detail, "{\"customer\":%u,\"request\":%lld}", customer,
                  (long long)number_of(call, STR("request")));
    return decide(call, customer, &decision);
}

err run_customer_restrict(struct call *call)
{
    json_value restricted = json_get(call->body, STR("restricted"));
    uint32_t customer;
    err error = find_her(call, &customer);
    call->object = STR("customer");
    if (error != ERR_OK)
        return error;
    if (json_kind(restricted) != JSON_BOOL) {
        problem_set(call->problem, ERR_UNPROCESSABLE, "restricted is true or false");
        return problem_at(call->problem, ERR_UNPROCESSABLE, "/restricted");
    }
    struct profile_decision decision = { .purpose = STR(PURPOSE_PROCESSING),
                                         .granted = !json_bool(restricted, false),
                                         .at_ms = call->engine->now_ms,
                                         .seq = call->seq,
                                         .user_number = call->command->user_number,
                                         .evidence = text_of(call, STR("reason")) };
    buffer_printf(&call->detail, "{\"customer\":%u,\"restricted\":%s}", customer,
                  decision.granted ? "false" : "true");
    return decide(call, customer, &decision);
}

/* ---- corrections ---- */

err run_trait_correct(struct call *call)
{
    struct engine *engine = call->engine;
    struct buffer value;
    uint32_t customer;
    str name = text_of(call, STR("name"));
    bool releases = json_bool(json_get(call->body, STR("release")), false);
    err error = find_her(call, &customer);
    call->object = name;
    if (error != ERR_OK)
        return error;
    buffer_init(&value, EVENT_NAME_BYTES_MAX + 65536);
    if (!releases)
        json_write_value(&value, json_get(call->body, STR("value")));
    error = buffer_status(&value);
    if (error == ERR_OK)
        error = profile_correct(engine->profile, customer, name, buffer_str(&value), call->seq,
                                engine->now_ms, call->writes, call->problem);
    buffer_deinit(&value);
    /* What it was and is may name her: the audit says which trait. */
    buffer_printf(&call->detail, "{\"customer\":%u,\"released\":%s}", customer,
                  releases ? "true" : "false");
    return error == ERR_OK ? follow_customer(engine, customer, call->seq) : error;
}

/* The reason is for the audit, which is for ever: it names nobody, as the docs ask. */
static err check_reason(struct call *call, str *reason)
{
    *reason = text_of(call, STR("reason"));
    if (reason->size > 0 && reason->size <= REASON_BYTES_MAX)
        return ERR_OK;
    problem_set(call->problem, ERR_UNPROCESSABLE, "'reason' says in 1 to %d bytes why",
                REASON_BYTES_MAX);
    return problem_at(call->problem, ERR_UNPROCESSABLE, "/reason");
}

static void tell_parting(struct call *call, uint32_t customer, int64_t row, uint32_t other,
                         str reason)
{
    struct json_writer writer;
    json_writer_init(&writer, &call->detail);
    json_begin_object(&writer);
    json_member_int(&writer, STR("customer"), customer);
    json_member_int(&writer, STR("row"), row);
    json_member_int(&writer, STR("other"), other);
    json_member_text(&writer, STR("reason"), reason);
    json_end_object(&writer);
}

err run_identifier_part(struct call *call)
{
    struct engine *engine = call->engine;
    int64_t row = number_of(call, STR("row"));
    uint32_t customer, other = 0;
    str reason;
    err error = find_her(call, &customer);
    call->object = STR("identifier");
    if (error == ERR_OK)
        error = check_reason(call, &reason);
    if (error == ERR_OK)
        error = identity_part(engine->identity, customer,
                              row > 0 && row <= UINT32_MAX ? (uint32_t)row : 0, call->seq,
                              engine->now_ms, call->writes, &other, call->problem);
    if (error == ERR_OK)
        error = apply_customer_changed(engine, customer, call->seq);
    if (error == ERR_OK && other != 0)
        error = apply_customer_changed(engine, other, call->seq);
    if (error != ERR_OK)
        return error;
    if (other != 0)
        news_customer(engine, customer, "split", other);
    tell_parting(call, customer, row, other, reason);
    buffer_printf(call->answer, "{\"customer\":%u,\"other\":%u}", customer, other);
    return ERR_OK;
}

/* ---- requests ---- */

enum {
    REQUEST_NUMBER,
    REQUEST_CUSTOMER,
    REQUEST_KIND,
    REQUEST_STATE,
    REQUEST_RECEIVED,
    REQUEST_DUE,
    REQUEST_HANDLER,
    REQUEST_USER,
    REQUEST_NOTE,
    REQUEST_RESULT,
    REQUEST_ERASURE,
    REQUEST_CHANGED,
    REQUEST_CLOSED,
    REQUEST_PACKAGE,
    REQUEST_COLUMNS
};

static bool is_one_of(str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(text, str_from_c(words[i])))
            return true;
    return false;
}

static bool is_kind(str kind)
{
    static const char *const kinds[] = { "access",  "correction", "portability",     "restriction",
                                         "erasure", "withdrawal", "guardian_consent" };
    return is_one_of(kind, kinds, sizeof kinds / sizeof kinds[0]);
}

static bool is_state(str state)
{
    static const char *const states[] = { "open", "in_progress", "done", "refused", "cancelled" };
    return is_one_of(state, states, sizeof states / sizeof states[0]);
}

static bool is_closed(str state)
{
    return !str_equal(state, STR("open")) && !str_equal(state, STR("in_progress"));
}

static bool take_highest(void *context, const struct ledger_value *values)
{
    *(int64_t *)context = values[REQUEST_NUMBER].integer;
    return false;
}

static err create_request(struct call *call)
{
    struct engine *engine = call->engine;
    int64_t highest = 0, received_ms = number_of(call, STR("received_ms"));
    int64_t due_ms = number_of(call, STR("due_ms"));
    str kind = text_of(call, STR("kind"));
    uint32_t customer;
    err error = find_her(call, &customer);
    if (error != ERR_OK)
        return error;
    if (!is_kind(kind)) {
        problem_set(call->problem, ERR_UNPROCESSABLE,
                    "kind is access, correction, portability, restriction, erasure or withdrawal");
        return problem_at(call->problem, ERR_UNPROCESSABLE, "/kind");
    }
    error = ledger_page(engine->ledger, LEDGER_PERSON_REQUESTS, NULL, true, 1, take_highest,
                        &highest, call->problem);
    if (error != ERR_OK)
        return error;
    received_ms = received_ms > 0 && received_ms < engine->now_ms ? received_ms : engine->now_ms;
    LEDGER_PUT(call->writes, LEDGER_PERSON_REQUESTS, ledger_int(highest + 1), ledger_int(customer),
               ledger_text(kind), ledger_text(STR("open")), ledger_int(received_ms),
               ledger_int(due_ms > received_ms ? due_ms : received_ms),
               ledger_int(number_of(call, STR("handler"))), ledger_int(call->command->user_number),
               ledger_text(text_of(call, STR("note"))), ledger_text(STR("")), ledger_int(0),
               ledger_int(engine->now_ms), ledger_int(0), ledger_text(STR("")));
    buffer_printf(&call->detail, "{\"number\":%lld,\"kind\":\"" STR_FMT "\",\"customer\":%u}",
                  (long long)highest + 1, STR_ARG(kind), customer);
    buffer_printf(call->answer, "{\"number\":%lld}", (long long)highest + 1);
    return ERR_OK;
}

struct changing {
    struct call *call;
    bool found;
    err error;
};

static void copy_number(struct call *call, const char *member, struct ledger_value *value)
{
    json_value there = json_get(call->body, str_from_c(member));
    if (json_kind(there) == JSON_INT)
        *value = ledger_int(json_int(there, 0));
}

static void copy_text(struct call *call, const char *member, struct ledger_value *value)
{
    json_value there = json_get(call->body, str_from_c(member));
    if (json_kind(there) == JSON_TEXT)
        *value = ledger_text(json_text(there));
}

static void note_change(struct call *call, const struct ledger_value *was,
                        const struct ledger_value *now)
{
    buffer_printf(&call->detail,
                  "{\"number\":%lld,\"kind\":\"" STR_FMT "\",\"before\":\"" STR_FMT
                  "\",\"after\":\"" STR_FMT "\",\"handler\":%lld}",
                  (long long)was[REQUEST_NUMBER].integer, STR_ARG(was[REQUEST_KIND].bytes),
                  STR_ARG(was[REQUEST_STATE].bytes), STR_ARG(now[REQUEST_STATE].bytes),
                  (long long)now[REQUEST_HANDLER].integer);
}

static bool change_row(void *context, const struct ledger_value *values)
{
    struct changing *changing = context;
    struct call *call = changing->call;
    struct ledger_value kept[REQUEST_COLUMNS];
    memcpy(kept, values, sizeof kept);
    changing->found = true;
    bool only_package = json_kind(json_get(call->body, STR("package"))) == JSON_TEXT;
    if (is_closed(values[REQUEST_STATE].bytes) && !only_package) {
        changing->error = problem_set(call->problem, ERR_CONFLICT, "this request is closed");
        return false;
    }
    copy_text(call, "state", &kept[REQUEST_STATE]);
    copy_text(call, "note", &kept[REQUEST_NOTE]);
    copy_text(call, "result", &kept[REQUEST_RESULT]);
    copy_text(call, "package", &kept[REQUEST_PACKAGE]);
    copy_number(call, "handler", &kept[REQUEST_HANDLER]);
    copy_number(call, "due_ms", &kept[REQUEST_DUE]);
    kept[REQUEST_CHANGED] = ledger_int(call->engine->now_ms);
    if (kept[REQUEST_CLOSED].integer == 0 && is_closed(kept[REQUEST_STATE].bytes))
        kept[REQUEST_CLOSED] = kept[REQUEST_CHANGED];
    note_change(call, values, kept);
    ledger_put(call->writes, LEDGER_PERSON_REQUESTS, kept);
    return false;
}

static err change_request(struct call *call, int64_t number)
{
    struct changing changing = { .call = call };
    struct ledger_value key = ledger_int(number);
    json_value state = json_get(call->body, STR("state"));
    if (json_kind(state) != JSON_MISSING && !is_state(json_text(state))) {
        problem_set(call->problem, ERR_UNPROCESSABLE,
                    "state is open, in_progress, done, refused or cancelled");
        return problem_at(call->problem, ERR_UNPROCESSABLE, "/state");
    }
    err error = ledger_find(call->engine->ledger, LEDGER_PERSON_REQUESTS, &key, 1, change_row,
                            &changing, call->problem);
    if (error == ERR_OK)
        error = changing.error;
    if (error == ERR_OK && !changing.found)
        error = problem_set(call->problem, ERR_NOT_FOUND, "there is no request r%lld",
                            (long long)number);
    buffer_printf(call->answer, "{\"number\":%lld}", (long long)number);
    return error;
}

err run_request_put(struct call *call)
{
    int64_t number = number_of(call, STR("number"));
    call->object = STR("request");
    if (text_of(call, STR("note")).size > NOTE_BYTES_MAX ||
        text_of(call, STR("result")).size > NOTE_BYTES_MAX ||
        text_of(call, STR("package")).size > PACKAGE_BYTES_MAX)
        return problem_set(call->problem, ERR_UNPROCESSABLE,
                           "a note or result has at most %d bytes", NOTE_BYTES_MAX);
    return number > 0 ? change_request(call, number) : create_request(call);
}

/* ---- she is being forgotten, and is ---- */

struct forgetting {
    struct call *call;
    uint32_t erasure, rows;
};

/* What was said about her goes; that she asked, and what came of it, stays. */
static bool forget_request(void *context, const struct ledger_value *values)
{
    struct forgetting *forgetting = context;
    struct ledger_value kept[REQUEST_COLUMNS];
    int64_t now_ms = forgetting->call->engine->now_ms;
    memcpy(kept, values, sizeof kept);
    kept[REQUEST_NOTE] = kept[REQUEST_PACKAGE] = ledger_text(STR(""));
    if (kept[REQUEST_RESULT].bytes.size > 0)
        kept[REQUEST_RESULT] = ledger_text(STR("erased"));
    if (!is_closed(values[REQUEST_STATE].bytes)) {
        bool is_asked = str_equal(values[REQUEST_KIND].bytes, STR("erasure"));
        kept[REQUEST_STATE] = ledger_text(is_asked ? STR("in_progress") : STR("cancelled"));
        kept[REQUEST_RESULT] = ledger_text(STR("erased"));
        kept[REQUEST_ERASURE] = ledger_int(forgetting->erasure);
        kept[REQUEST_CLOSED] = ledger_int(is_asked ? 0 : now_ms);
    }
    kept[REQUEST_CHANGED] = ledger_int(now_ms);
    ledger_put(forgetting->call->writes, LEDGER_PERSON_REQUESTS, kept);
    forgetting->rows++;
    return true;
}

err person_forget(struct call *call, uint32_t erasure, const uint32_t *nodes, size_t count,
                  uint32_t *rows)
{
    struct forgetting forgetting = { .call = call, .erasure = erasure };
    err error = ERR_OK;
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = ledger_find_by(call->engine->ledger, LEDGER_PERSON_REQUESTS, "customer",
                               ledger_int(nodes[i]), NULL, false, SIZE_MAX, forget_request,
                               &forgetting, call->problem);
    *rows += forgetting.rows;
    return error;
}

static bool close_request(void *context, const struct ledger_value *values)
{
    struct call *call = context;
    struct ledger_value kept[REQUEST_COLUMNS];
    memcpy(kept, values, sizeof kept);
    if (is_closed(values[REQUEST_STATE].bytes))
        return true;
    kept[REQUEST_STATE] = ledger_text(STR("done"));
    kept[REQUEST_CHANGED] = kept[REQUEST_CLOSED] = ledger_int(call->engine->now_ms);
    ledger_put(call->writes, LEDGER_PERSON_REQUESTS, kept);
    return true;
}

err person_forgotten(struct call *call, uint32_t erasure)
{
    return ledger_find_by(call->engine->ledger, LEDGER_PERSON_REQUESTS, "erasure",
                          ledger_int(erasure), NULL, false, SIZE_MAX, close_request, call,
                          call->problem);
}
