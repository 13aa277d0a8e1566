/* SPDX-License-Identifier: Apache-2.0 */
/* How long what is kept is kept: the policy, what would go by it, and runs. docs/privacy.md. */
#include <string.h>

#include "privacy/privacy.h"
#include "server/answer.h"

static err find_privacy(struct request *request, struct privacy **privacy, struct problem *problem)
{
    *privacy = request->server->config.privacy;
    return *privacy != NULL
               ? ERR_OK
               : problem_set(problem, ERR_UNAVAILABLE, "this server removes nothing by age");
}

err route_retention_get(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    err error = find_privacy(request, &privacy, problem);
    return error == ERR_OK ? privacy_write_retention(privacy, &request->out, problem) : error;
}

/* The same body as it is shown: {policy}. */
static err put_body(struct request *request, json_value policy, const char *operation,
                    struct problem *problem)
{
    struct command_body body;
    struct buffer text;
    str response;
    err error = retention_check(policy, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&text, (size_t)1 << 20);
    json_write_value(&text, policy);
    command_body_begin(&body);
    json_member_raw(&body.writer, STR("policy"), buffer_str(&text));
    error = buffer_status(&text);
    if (error == ERR_OK)
        error = answer_command(request, operation, command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    buffer_deinit(&text);
    return error;
}

err route_retention_put(struct request *request, struct problem *problem)
{
    err error = put_body(request, json_get(request->json, STR("policy")), "retention.put", problem);
    return error == ERR_OK ? route_retention_get(request, problem) : error;
}

/* The policy of the body, of a trial; else the one that counts. */
static err read_policy(struct request *request, struct privacy *privacy, json_value *policy,
                       struct problem *problem)
{
    struct buffer text;
    *policy = json_get(request->json, STR("policy"));
    if (json_kind(*policy) != JSON_MISSING)
        return retention_check(*policy, problem);
    buffer_init(&text, (size_t)1 << 20);
    err error = privacy_write_retention(privacy, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&text), policy, problem);
    *policy = json_get(*policy, STR("policy"));
    buffer_deinit(&text);
    return error;
}

static err show_run(struct request *request, struct privacy *privacy, struct problem *problem)
{
    struct buffer text;
    json_value answer;
    buffer_init(&text, (size_t)1 << 20);
    err error = privacy_write_retention(privacy, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&text), &answer, problem);
    if (error == ERR_OK)
        json_write_value(&request->out, json_get(answer, STR("last_run")));
    buffer_deinit(&text);
    return error;
}

err route_retention_run(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    struct json_writer writer;
    json_value policy;
    bool dry = json_bool(json_get(request->json, STR("dry_run")), false);
    err error = find_privacy(request, &privacy, problem);
    if (error == ERR_OK)
        error = read_policy(request, privacy, &policy, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    if (dry)
        return privacy_try_retention(privacy, policy, &writer, problem);
    if (json_kind(json_get(request->json, STR("policy"))) != JSON_MISSING) {
        problem_set(problem, ERR_UNPROCESSABLE, "a run goes by the policy that was put");
        return problem_at(problem, ERR_UNPROCESSABLE, "/policy");
    }
    error = put_body(request, policy, "retention.begin", problem);
    if (error != ERR_OK)
        return error;
    privacy_wake(privacy);
    request->status = 202;
    return show_run(request, privacy, problem);
}

err retention_job(struct request *request, str id, struct problem *problem)
{
    struct privacy *privacy;
    uint64_t number = 0;
    bool may = request->scope == NULL &&
               permissions_hold(&request->actor.permissions, PERMISSION_PRIVACY_SEE);
    err error = find_privacy(request, &privacy, problem);
    if (error != ERR_OK)
        return error;
    if (!may || id.size < 2 || !str_to_uint64(str_slice(id, 1, id.size), &number) ||
        number > UINT32_MAX)
        return problem_set(problem, ERR_NOT_FOUND, "there is no run '%.*s'",
                           (int)str_utf8_prefix_bytes(id, 40), id.data);
    return privacy_write_run(privacy, (uint32_t)number, &request->out, problem);
}
