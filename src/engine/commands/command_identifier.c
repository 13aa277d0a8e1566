/* SPDX-License-Identifier: Apache-2.0 */
/* Command identifier.add: an identifier is given to a customer by hand. Its value comes as the doors would have made it:
 * normalised, sealed when it names a person, with its keyed hashes. An erasure overwrites it in the log (src/privacy/redact.c). */
#include "engine/call.h"

#define REASON_BYTES_MAX 500

static str text_of(const struct call *call, str name)
{
    return json_text(json_get(call->body, name));
}

static err read_hashes(struct call *call, struct event_identifier *identifier)
{
    json_value item, others = json_get(call->body, STR("other_hashes"));
    struct json_iterator iterator = json_iterate(others);
    bool good = access_read_hex(text_of(call, STR("hash")), identifier->hash, HASH_BYTES);
    while (good && identifier->other_hash_count < 3 && json_next(&iterator, NULL, &item)) {
        uint8_t *hash = identifier->other_hashes[identifier->other_hash_count++];
        good = access_read_hex(json_text(item), hash, HASH_BYTES);
    }
    str tail = text_of(call, STR("tail"));
    if (good && tail.size > 0)
        good = access_read_hex(tail, identifier->tail_hash, sizeof identifier->tail_hash);
    return good ? ERR_OK
                : problem_set(call->problem, ERR_UNPROCESSABLE, "a hash has 32 hex digits");
}

static err read_identifier(struct call *call, struct event_identifier *identifier)
{
    *identifier = (struct event_identifier){ .type = text_of(call, STR("type")),
                                             .namespace_ = text_of(call, STR("namespace")),
                                             .value = text_of(call, STR("value")),
                                             .flags = (uint8_t)json_int(
                                                 json_get(call->body, STR("flags")), 0) };
    return read_hashes(call, identifier);
}

/* Which it is says its row: a value does not get into the audit, which is for ever. */
static void tell(struct call *call, uint32_t customer, const struct event_identifier *identifier,
                 uint32_t row)
{
    struct json_writer writer;
    json_writer_init(&writer, &call->detail);
    json_begin_object(&writer);
    json_member_int(&writer, STR("customer"), customer);
    json_member_int(&writer, STR("row"), row);
    json_member_text(&writer, STR("type"), identifier->type);
    json_member_bool(&writer, STR("verified"), (identifier->flags & IDENTIFIER_VERIFIED) != 0);
    json_member_text(&writer, STR("reason"), text_of(call, STR("reason")));
    json_end_object(&writer);
}

static err check_reason(struct call *call)
{
    str reason = text_of(call, STR("reason"));
    if (reason.size > 0 && reason.size <= REASON_BYTES_MAX)
        return ERR_OK;
    problem_set(call->problem, ERR_UNPROCESSABLE, "'reason' says in 1 to %d bytes why",
                REASON_BYTES_MAX);
    return problem_at(call->problem, ERR_UNPROCESSABLE, "/reason");
}

err run_identifier_add(struct call *call)
{
    struct engine *engine = call->engine;
    int64_t number = json_int(json_get(call->body, STR("customer")), 0);
    uint32_t customer =
        number > 0 && number <= UINT32_MAX ? identity_root(engine->identity, (uint32_t)number) : 0;
    struct event_identifier identifier;
    struct identity_outcome outcome;
    bool added = false;
    call->object = STR("identifier");
    if (customer == 0)
        return problem_set(call->problem, ERR_NOT_FOUND, "there is no such customer");
    err error = check_reason(call);
    if (error == ERR_OK)
        error = read_identifier(call, &identifier);
    if (error == ERR_OK)
        error = identity_add(engine->identity, customer, &identifier, call->seq, engine->now_ms,
                             call->writes, &outcome, &added, call->problem);
    if (error == ERR_OK)
        error = apply_customer_changed(engine, customer, call->seq);
    if (error != ERR_OK)
        return error;
    tell(call, customer, &identifier, outcome.origin);
    buffer_printf(call->answer, "{\"customer\":%u,\"row\":%u,\"added\":%s}", customer,
                  outcome.origin, added ? "true" : "false");
    return ERR_OK;
}
