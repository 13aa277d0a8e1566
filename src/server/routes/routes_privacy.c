/* SPDX-License-Identifier: Apache-2.0 */
/* Rights of the person: erasure with its receipt, and what keeps the erased from coming back. docs/privacy.md. */
#include <string.h>

#include "event/normalise.h"
#include "privacy/privacy.h"
#include "server/answer.h"
#include "server/view.h"

static err find_privacy(struct request *request, struct privacy **privacy, struct problem *problem)
{
    *privacy = request->server->config.privacy;
    return *privacy != NULL ? ERR_OK
                            : problem_set(problem, ERR_UNAVAILABLE, "this server erases nobody");
}

/* ---- erasure ---- */

static err begin_erasure(struct request *request, uint32_t customer, uint32_t *number,
                         struct problem *problem)
{
    struct command_body body;
    json_value answer;
    str response, reason = request_query(request, STR("reason"));
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_text(&body.writer, STR("reason"), reason);
    err error =
        answer_command(request, "customer.erase", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = json_parse(request->scratch, response, &answer, problem);
    if (error == ERR_OK)
        *number = (uint32_t)json_int(json_get(answer, STR("number")), 0);
    return error;
}

err route_customer_erase(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    uint32_t customer, number = 0;
    err error = find_privacy(request, &privacy, problem);
    if (error == ERR_OK)
        error = view_number(request, request->parameters[0], &customer, problem);
    if (error == ERR_OK)
        error = begin_erasure(request, customer, &number, problem);
    if (error != ERR_OK)
        return error;
    privacy_wake(privacy);
    request->status = 202;
    return privacy_write_erasure(privacy, number, &request->out, problem);
}

err privacy_job(struct request *request, str id, struct problem *problem)
{
    struct privacy *privacy;
    uint64_t number = 0;
    bool may = request->scope == NULL &&
               permissions_hold(&request->actor.permissions, PERMISSION_PRIVACY_SEE);
    err error = find_privacy(request, &privacy, problem);
    if (error != ERR_OK)
        return error;
    if (!may || id.size < 2 || id.data[0] != 'x' ||
        !str_to_uint64(str_slice(id, 1, id.size), &number) || number > UINT32_MAX)
        return problem_set(problem, ERR_NOT_FOUND, "there is no erasure '%.*s'",
                           (int)str_utf8_prefix_bytes(id, 40), id.data);
    return privacy_write_erasure(privacy, (uint32_t)number, &request->out, problem);
}

err route_erasure_get(struct request *request, struct problem *problem)
{
    return privacy_job(request, request->parameters[0], problem);
}

err route_privacy_get(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    err error = find_privacy(request, &privacy, problem);
    return error == ERR_OK ? privacy_write_status(privacy, &request->out, problem) : error;
}

err route_erasure_list(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    struct json_writer writer;
    int64_t before = 0;
    uint32_t next = 0;
    size_t limit;
    bool present;
    err error = find_privacy(request, &privacy, problem);
    if (error == ERR_OK)
        error = answer_limit(request, &limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'x', &before, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = privacy_write_erasures(privacy, present ? (uint32_t)before : 0, limit, &writer, &next,
                                   problem);
    if (error != ERR_OK)
        return error;
    int64_t last = next;
    answer_list_end(request, &writer, next != 0 ? cursor_encode(request, 'x', &last, 1) : STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- she comes back of her own will ---- */

static err write_hash(struct request *request, struct command_body *body, struct problem *problem)
{
    str type = json_text(json_get(request->json, STR("type")));
    str value = json_text(json_get(request->json, STR("value")));
    str namespace_ = json_text(json_get(request->json, STR("namespace")));
    struct event_identifier identifier;
    char hex[2 * HASH_BYTES + 1];
    err error = ERR_OK;
    enum normal_form form = identifier_make(request->server->keys, &request->arena, type,
                                            namespace_, value, 0, &identifier, &error);
    if (error != ERR_OK)
        return error;
    if (form != NORMAL_USABLE || type.size == 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "this is no value of an identifier");
        return problem_at(problem, ERR_UNPROCESSABLE, "/value");
    }
    hex_encode(identifier.hash, HASH_BYTES, hex);
    json_put_key(&body->writer, STR("hashes"));
    json_begin_array(&body->writer);
    json_put_text(&body->writer, str_from_c(hex));
    json_end_array(&body->writer);
    return ERR_OK;
}

err route_tombstone_lift(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response = STR_NONE;
    command_body_begin(&body);
    err error = write_hash(request, &body, problem);
    json_member_bool(&body.writer, STR("lift"), true);
    json_member_text(&body.writer, STR("reason"),
                     json_text(json_get(request->json, STR("reason"))));
    if (error == ERR_OK)
        error =
            answer_command(request, "tombstone.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        buffer_append_str(&request->out, response);
    return error;
}
