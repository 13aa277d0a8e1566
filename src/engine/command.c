/* SPDX-License-Identifier: Apache-2.0 */
/* command: the records of the API. Encoding, the table of handlers, and applying one.
 *
 * A handler checks the body against state and writes its rows; it either does all of it or, with an
 * error, nothing; where it cannot keep to that it says so (call.broken), nothing of the group is committed
 * and the server stops. Layout of a record body: docs/formats/command.md.
 */
#include "engine/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "engine/call.h"

#define COMMAND_VERSION 1
#define COMMAND_HAS_KEY 1
#define COMMAND_HAS_ADDRESS 2
#define AUDIT_DETAIL_BYTES_MAX 65536

void command_encode(struct buffer *out, const struct command_record *command)
{
    write_u8(out, COMMAND_VERSION);
    write_u8(out, (uint8_t)((command->has_idempotency_key ? COMMAND_HAS_KEY : 0) |
                            (command->address.size > 0 ? COMMAND_HAS_ADDRESS : 0)));
    write_u64(out, command->nonce);
    write_u32(out, command->user_number);
    if (command->has_idempotency_key) {
        buffer_append(out, command->idempotency_key, sizeof command->idempotency_key);
        buffer_append(out, command->request_hash, sizeof command->request_hash);
    }
    if (command->address.size > 0)
        write_text(out, command->address);
    write_text(out, command->operation);
    write_text(out, command->body);
}

err command_decode(str bytes, struct command_record *command)
{
    struct cursor cursor = cursor_over(bytes);
    *command = (struct command_record){ .nonce = 0 };
    if (read_u8(&cursor) != COMMAND_VERSION)
        return ERR_CORRUPT;
    uint8_t flags = read_u8(&cursor);
    command->has_idempotency_key = flags & COMMAND_HAS_KEY;
    command->nonce = read_u64(&cursor);
    command->user_number = read_u32(&cursor);
    if (command->has_idempotency_key) {
        str key = read_bytes(&cursor, 16), hash = read_bytes(&cursor, 16);
        if (cursor.failed)
            return ERR_CORRUPT;
        memcpy(command->idempotency_key, key.data, 16);
        memcpy(command->request_hash, hash.data, 16);
    }
    if (flags & COMMAND_HAS_ADDRESS)
        command->address = read_text(&cursor);
    command->operation = read_text(&cursor);
    command->body = read_text(&cursor);
    return cursor.failed || cursor_left(&cursor) != 0 ? ERR_CORRUPT : ERR_OK;
}

/* ---- handlers ---- */

static str member_text(const struct call *call, str name)
{
    return json_text(json_get(call->body, name));
}

static uint32_t member_number(const struct call *call, str name)
{
    int64_t number = json_int(json_get(call->body, name), 0);
    return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static err run_source_put(struct call *call)
{
    struct engine *engine = call->engine;
    call->object = member_text(call, STR("key"));
    err error = access_put_source(&engine->access, call->body, engine->now_ms, call->writes,
                                  call->answer, call->problem);
    if (error != ERR_OK)
        return error;
    engine_publish_sources(engine);
    /* Files may have been imported under its name before it was a source. */
    bool changed;
    error = jobs_rank_sources(engine, &changed);
    return error == ERR_OK && changed ? follow_all(engine, call->seq) : error;
}

static err run_user_put(struct call *call)
{
    call->object = member_text(call, STR("login"));
    return access_put_user(&call->engine->access, call->body, call->engine->now_ms, call->writes,
                           call->answer, &call->detail, call->problem);
}

static err run_role_put(struct call *call)
{
    call->object = member_text(call, STR("key"));
    return access_put_role(&call->engine->access, call->body, call->engine->now_ms, call->writes,
                           &call->detail, call->problem);
}

static err run_role_delete(struct call *call)
{
    call->object = member_text(call, STR("key"));
    return access_delete_role(&call->engine->access, call->body, call->writes, call->problem);
}

static err run_token_put(struct call *call)
{
    call->object = member_text(call, STR("name"));
    return access_put_token(&call->engine->access, call->body, call->engine->now_ms, call->writes,
                            call->problem);
}

static err run_token_delete(struct call *call)
{
    return access_delete_token(call->body, call->writes, call->problem);
}

static err run_identity_type_put(struct call *call)
{
    call->object = member_text(call, STR("name"));
    return identity_put_type(call->engine->identity, call->object, call->body, call->writes,
                             call->problem);
}

static err run_identity_rules_apply(struct call *call)
{
    struct engine *engine = call->engine;
    json_value types = json_get(call->body, STR("types"));
    err error = ERR_OK;
    if (json_kind(types) != JSON_MISSING)
        error = identity_put_types(engine->identity, types, call->writes, call->problem);
    if (error != ERR_OK)
        return error;
    error = identity_apply_rules(engine->identity, engine->ledger, call->seq, engine->now_ms,
                                 call->writes, call->answer, call->problem);
    if (error == ERR_OK)
        error = apply_all_changed(engine, call->seq);
    call->broken = error != ERR_OK;
    return error;
}

static err run_customer_split(struct call *call)
{
    struct engine *engine = call->engine;
    int64_t merge_id = json_int(json_get(call->body, STR("merge_id")), 0);
    uint32_t one = 0, other = 0;
    err error =
        identity_split(engine->identity, (uint64_t)merge_id, call->seq, engine->now_ms,
                       call->command->user_number, call->writes, &one, &other, call->problem);
    if (error == ERR_OK)
        error = apply_customer_changed(engine, one, call->seq);
    if (error == ERR_OK)
        error = apply_customer_changed(engine, other, call->seq);
    if (error != ERR_OK)
        return error;
    news_customer(engine, one, "split", other);
    buffer_printf(call->answer, "{\"customer\":%u,\"other\":%u}", one, other);
    return ERR_OK;
}

static err run_customer_merge(struct call *call)
{
    struct engine *engine = call->engine;
    uint32_t one = member_number(call, STR("customer")), other = member_number(call, STR("other"));
    const uint32_t before[2] = { identity_root(engine->identity, one),
                                 identity_root(engine->identity, other) };
    err error = identity_merge(engine->identity, one, other, call->seq, engine->now_ms,
                               call->command->user_number, call->writes, call->problem);
    if (error != ERR_OK)
        return error;
    uint32_t root = identity_root(engine->identity, one);
    for (size_t i = 0; i < 2; i++)
        if (before[i] != root)
            news_customer(engine, before[i], "merged", root);
    buffer_printf(call->answer, "{\"customer\":%u}", root);
    return apply_customer_changed(engine, root, call->seq);
}

static err run_refusal_decide(struct call *call)
{
    struct engine *engine = call->engine;
    int64_t id = json_int(json_get(call->body, STR("id")), 0);
    err error = identity_decide(engine->identity, (uint64_t)id, member_text(call, STR("decision")),
                                call->seq, engine->now_ms, call->command->user_number, call->writes,
                                call->problem);
    uint32_t node = identity_refusal_node(engine->identity, (uint64_t)id);
    if (error != ERR_OK || node == 0)
        return error;
    return apply_customer_changed(engine, identity_root(engine->identity, node), call->seq);
}

static err run_trait_put(struct call *call)
{
    call->object = member_text(call, STR("name"));
    err error = profile_put_trait_type(call->engine->profile, call->object, call->body,
                                       call->writes, call->problem);
    /* Another precedence may make another value of anybody's trait. */
    return error == ERR_OK ? follow_all(call->engine, call->seq) : error;
}

static err run_plan_event_put(struct call *call)
{
    call->object = member_text(call, STR("name"));
    return plan_put_event(call->engine->plan, call->object, call->body, call->engine->now_ms,
                          call->writes, call->problem);
}

static int compare_ids(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static err run_quarantine_discard(struct call *call)
{
    json_value list = json_get(call->body, STR("ids")), id;
    uint64_t *ids = memory_alloc((json_count(list) + 1) * sizeof *ids);
    if (ids == NULL)
        return ERR_NOMEM;
    size_t count = 0;
    struct json_iterator iterator = json_iterate(list);
    while (json_next(&iterator, NULL, &id))
        ids[count++] = (uint64_t)json_int(id, 0);
    qsort(ids, count, sizeof *ids, compare_ids);
    size_t discarded = quarantine_discard(&call->engine->quarantine, ids, count,
                                          call->engine->now_ms, call->writes);
    memory_free(ids);
    buffer_printf(call->answer, "{\"discarded\":%zu}", discarded);
    return ERR_OK;
}

/* The events themselves are records of their own; this one says who asked for them, for the audit. */
static err run_quarantine_replay(struct call *call)
{
    buffer_printf(call->answer, "{\"replayed\":%lld}",
                  (long long)json_int(json_get(call->body, STR("count")), 0));
    return ERR_OK;
}

static err run_setting_put(struct call *call)
{
    call->object = member_text(call, STR("key"));
    if (call->object.size == 0 || call->object.size > 100)
        return problem_set(call->problem, ERR_UNPROCESSABLE, "a setting's key has 1 to 100 bytes");
    if (str_equal(call->object, STR(RETENTION_SETTING)))
        return problem_set(call->problem, ERR_UNPROCESSABLE, "retention is put at /retention");
    struct buffer value;
    buffer_init(&value, 65536);
    json_write_value(&value, json_get(call->body, STR("value")));
    err error = visitors_setting(call->engine, call->object, json_get(call->body, STR("value")),
                                 call->problem);
    if (error == ERR_OK)
        error = move_setting_check(call->object, json_get(call->body, STR("value")), call->problem);
    if (error == ERR_OK)
        error = buffer_status(&value);
    if (error == ERR_OK)
        LEDGER_PUT(call->writes, LEDGER_SETTINGS, ledger_text(call->object),
                   ledger_text(buffer_str(&value)));
    buffer_deinit(&value);
    if (error == ERR_OK)
        error = audience_setting_changed(call->engine->audience, call->object,
                                         json_get(call->body, STR("value")));
    if (error == ERR_OK) {
        act_setting_changed(call->engine, call->object, json_get(call->body, STR("value")));
        error = move_setting_changed(call->engine, call->object, json_get(call->body, STR("value")),
                                     call->seq);
        if (error == ERR_OK)
            error = news_setting(call->engine, call->object, json_get(call->body, STR("value")),
                                 call->writes);
    }
    return error;
}

/* Who looked at what is itself worth a record: the audit has it before the values are shown. */
static err run_values_reveal(struct call *call)
{
    call->object = member_text(call, STR("object"));
    return ERR_OK;
}

/* What happened to nobody's data but belongs in the audit: a sign-in that failed, something refused, an
 * export of the audit. */
static err run_audit_note(struct call *call)
{
    call->action = member_text(call, STR("action"));
    call->object = member_text(call, STR("object"));
    if (call->action.size == 0 || call->action.size > 100)
        return problem_set(call->problem, ERR_UNPROCESSABLE, "a note has an action");
    json_value detail = json_get(call->body, STR("detail"));
    if (json_is_object(detail))
        json_write_value(&call->detail, detail);
    else
        buffer_append_str(&call->detail, STR("{}"));
    return ERR_OK;
}

/* The copy is made beside the engine; that it was asked for stands in the audit. */
static err run_backup_take(struct call *call)
{
    call->object = STR("backup");
    return ERR_OK;
}

static const struct handler {
    const char *operation;
    err (*run)(struct call *call);
} handlers[] = {
    { "source.put", run_source_put },
    { "user.put", run_user_put },
    { "role.put", run_role_put },
    { "role.delete", run_role_delete },
    { "token.put", run_token_put },
    { "token.delete", run_token_delete },
    { "identity.type.put", run_identity_type_put },
    { "identity.rules.apply", run_identity_rules_apply },
    { "customer.split", run_customer_split },
    { "customer.merge", run_customer_merge },
    { "identifier.part", run_identifier_part },
    { "identifier.add", run_identifier_add },
    { "refusal.decide", run_refusal_decide },
    { "trait.put", run_trait_put },
    { "consent.put", run_consent_put },
    { "plan.event.put", run_plan_event_put },
    { "quarantine.discard", run_quarantine_discard },
    { "quarantine.replay", run_quarantine_replay },
    { "team.put", run_team },
    { "team.delete", run_team },
    { "team.share", run_team },
    { "team.refuse", run_team },
    { "setting.put", run_setting_put },
    { "values.reveal", run_values_reveal },
    { "audit.note", run_audit_note },
    { "customer.erase", run_customer_erase },
    { "guardian.put", run_guardian_put },
    { "customer.restrict", run_customer_restrict },
    { "trait.correct", run_trait_correct },
    { "request.put", run_request_put },
    { "erasure.move", run_erasure_move },
    { "tombstone.put", run_tombstone_put },
    { "retention.put", run_retention_put },
    { "retention.begin", run_retention_begin },
    { "retention.cut", run_retention_cut },
    { "retention.retract", run_retention_retract },
    { "retention.drop", run_retention_drop },
    { "retention.finish", run_retention_finish },
    { "backup.take", run_backup_take },
    { "import.create", run_import_create },
    { "import.move", run_import_move },
    { "import.state", run_import_state },
    { "import.cut", run_import_cut },
    { "import.retract", run_import_retract },
    { "import.detach", run_import_detach },
    { "feed.move", run_feed_move },
    { "sink.move", run_sink_move },
    { "mapping.put", run_mapping_put },
    { "watermark.put", run_watermark_put },
    { "object.put", run_object_put },
    { "object.kind.put", run_object_kind_put },
    { "segment.put", run_audience },
    { "segment.delete", run_audience },
    { "segment.members", run_audience },
    { "tag.put", run_audience },
    { "tag.delete", run_audience },
    { "tag.values", run_audience },
    { "audience.install", run_audience },
    { "journey.put", run_journey },
    { "journey.delete", run_journey },
    { "journey.publish", run_journey },
    { "journey.state", run_journey },
    { "journey.enter", run_journey },
    { "journey.move", run_journey },
    { "journey.run", run_journey },
    { "template.put", run_touch },
    { "template.delete", run_touch },
    { "channel.put", run_touch },
    { "channel.delete", run_touch },
    { "policy.put", run_touch },
    { "stop.put", run_touch },
    { "touch.send", run_touch },
    { "touch.decide", run_touch },
    { "touch.task", run_touch },
    { "coupon.put", run_touch },
    { "pause.put", run_touch },
    { "pause.lift", run_touch },
    { "touch.claim", run_touch },
    { "touch.results", run_touch },
    { "touch.receipts", run_touch },
    { "touch.run", run_touch },
    { "touch.recover", run_touch },
};
#define X(name, operation, permission, what) +(PERMISSION_##permission <= PERMISSION_SYSTEM)
_Static_assert(sizeof handlers / sizeof handlers[0] == 0 COMMAND_TABLE(X),
               "each row of COMMAND_TABLE has its handler, and names a permission");
#undef X

static err run(struct call *call)
{
    err error = json_parse(call->engine->parser, call->command->body, &call->body, call->problem);
    if (error != ERR_OK)
        return error;
    for (size_t index = 0; index < sizeof handlers / sizeof handlers[0]; index++) {
        if (str_equal(str_from_c(handlers[index].operation), call->command->operation))
            return handlers[index].run(call);
    }
    return problem_set(call->problem, ERR_UNPROCESSABLE, "there is no command '" STR_FMT "'",
                       STR_ARG(call->command->operation));
}

/* ---- applying ---- */

static void write_problem(struct buffer *answer, const struct problem *problem)
{
    struct json_writer writer;
    buffer_clear(answer);
    json_writer_init(&writer, answer);
    json_begin_object(&writer);
    json_member_text(&writer, STR("code"), str_from_c(err_code(problem->error)));
    json_member_text(&writer, STR("detail"), str_from_c(problem->detail));
    json_member_text(&writer, STR("pointer"), str_from_c(problem->pointer));
    json_member_text(&writer, STR("hint"), str_from_c(problem->hint));
    json_end_object(&writer);
}

/* The body without what is secret: the audit is read by people. */
static bool is_secret(str operation)
{
    return str_starts_with(operation, STR("user.")) || str_starts_with(operation, STR("token.")) ||
           str_starts_with(operation, STR("source.")) ||
           str_starts_with(operation, STR("channel.")) || str_equal(operation, STR("coupon.put")) ||
           str_equal(operation, STR("customer.erase"));
}

/* What a job does in many small steps: the audit has its beginning and its changes of state. */
static bool is_step_of_a_job(str operation)
{
    return str_equal(operation, STR("import.move")) || str_equal(operation, STR("import.cut")) ||
           str_equal(operation, STR("import.retract")) ||
           str_equal(operation, STR("import.detach")) ||
           str_equal(operation, STR("erasure.move")) || str_equal(operation, STR("feed.move")) ||
           str_equal(operation, STR("sink.move")) || str_equal(operation, STR("retention.cut")) ||
           str_equal(operation, STR("retention.retract")) ||
           str_equal(operation, STR("retention.drop")) ||
           str_equal(operation, STR("watermark.put")) || str_equal(operation, STR("journey.run")) ||
           str_equal(operation, STR("touch.claim")) || str_equal(operation, STR("touch.results")) ||
           str_equal(operation, STR("touch.receipts")) || str_equal(operation, STR("touch.run")) ||
           str_equal(operation, STR("touch.recover"));
}

static void tell_waiter(struct engine *engine, uint64_t nonce, uint64_t seq, int status, str answer)
{
    pthread_mutex_lock(&engine->waiters_mutex);
    for (struct command_waiter *waiter = engine->waiters; waiter != NULL; waiter = waiter->next) {
        if (waiter->nonce != nonce || waiter->applied)
            continue;
        waiter->seq = seq;
        waiter->status = status;
        buffer_append_str(waiter->response, answer);
        waiter->applied = true;
    }
    pthread_mutex_unlock(&engine->waiters_mutex);
}

static int answer_again(const struct idempotency_answer *kept, const struct command_record *command,
                        struct buffer *answer)
{
    if (memcmp(kept->request_hash, command->request_hash, sizeof kept->request_hash) == 0) {
        buffer_append(answer, kept->response, kept->response_size);
        return kept->status;
    }
    struct problem problem = { .error = ERR_IDEMPOTENCY };
    problem_set(&problem, ERR_IDEMPOTENCY, "this Idempotency-Key came with another request before");
    problem_hint(&problem, ERR_IDEMPOTENCY, "use a new key for each new request");
    write_problem(answer, &problem);
    return err_http_status(ERR_IDEMPOTENCY);
}

/* A handler may say in `detail` what was before and is now; else the line has the body. */
static void write_audit(struct call *call)
{
    struct engine *engine = call->engine;
    const struct command_record *command = call->command;
    str detail = call->detail.size > 0           ? buffer_str(&call->detail)
                 : is_secret(command->operation) ? STR("{}")
                                                 : command->body;
    if (buffer_status(&call->detail) != ERR_OK)
        detail = STR("{\"too_long\":true}");
    struct audit_line line = {
        .seq = call->seq,
        .at_ms = engine->now_ms,
        .user_number = command->user_number,
        .action = call->action.size > 0 ? call->action : command->operation,
        .object = call->object,
        .detail = detail,
        .address = command->address,
    };
    access_audit(&engine->access, engine->keys, &line, call->writes);
}

#define STATUS_BROKEN 0

static int do_command(struct engine *engine, uint64_t seq, const struct command_record *command,
                      struct ledger_writes *writes, struct buffer *answer)
{
    struct problem problem = { .error = ERR_OK };
    struct call call = { .engine = engine,
                         .command = command,
                         .seq = seq,
                         .writes = writes,
                         .answer = answer,
                         .problem = &problem };
    buffer_init(&call.detail, AUDIT_DETAIL_BYTES_MAX);
    err error = run(&call);
    if (error != ERR_OK) {
        buffer_deinit(&call.detail);
        if (problem.detail[0] == '\0')
            problem_set(&problem, error, "%s", err_title(error));
        problem.error = error;
        write_problem(answer, &problem);
        return call.broken ? STATUS_BROKEN : err_http_status(error);
    }
    if (answer->size == 0)
        buffer_append_str(answer, STR("{}"));
    if (!is_step_of_a_job(command->operation))
        write_audit(&call);
    buffer_deinit(&call.detail);
    if (str_starts_with(command->operation, STR("user.")) ||
        str_starts_with(command->operation, STR("role.")) ||
        str_starts_with(command->operation, STR("token.")))
        atomic_store(&engine->access_changed_seq, seq);
    return 200;
}

/* What reads the ledger inside apply must find there all that was applied before, in whatever way the
 * log was cut into blocks. */
static bool needs_barrier(str operation)
{
    return str_equal(operation, STR("identity.rules.apply")) ||
           str_starts_with(operation, STR("team.")) ||
           str_equal(operation, STR("customer.erase")) ||
           str_equal(operation, STR("erasure.move")) || str_equal(operation, STR("request.put")) ||
           str_equal(operation, STR("retention.drop"));
}

err command_apply(struct engine *engine, uint64_t seq, str record)
{
    struct command_record command;
    if (command_decode(record, &command) != ERR_OK) {
        struct problem problem = { .error = ERR_CORRUPT };
        problem_set(&problem, ERR_CORRUPT, "the command at seq %llu cannot be read",
                    (unsigned long long)seq);
        engine_fail(engine, &problem);
        return ERR_CORRUPT;
    }
    if (needs_barrier(command.operation)) {
        err error = engine_barrier(engine);
        if (error != ERR_OK)
            return error;
    }
    struct ledger_writes *writes = engine->writes;
    struct buffer answer;
    err broken = ERR_OK;
    buffer_init(&answer, (size_t)1 << 20);
    const struct idempotency_answer *kept =
        command.has_idempotency_key
            ? idempotency_find(&engine->idempotency, command.idempotency_key)
            : NULL;
    int status;
    if (kept != NULL) {
        status = answer_again(kept, &command, &answer);
    } else {
        status = do_command(engine, seq, &command, writes, &answer);
        broken = status == STATUS_BROKEN ? ERR_NOMEM : ERR_OK;
        if (command.has_idempotency_key && status < 500 && broken == ERR_OK)
            idempotency_put(&engine->idempotency, command.idempotency_key, command.request_hash,
                            status, buffer_str(&answer), engine->now_ms, writes);
    }
    if (broken == ERR_OK)
        tell_waiter(engine, command.nonce, seq, status, buffer_str(&answer));
    buffer_deinit(&answer);
    return broken;
}
