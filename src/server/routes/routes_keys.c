/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing keys: which there are, rotation as a job, removal of one that nothing needs. docs/privacy.md. */
#include <stdio.h>

#include "privacy/privacy.h"
#include "server/answer.h"

static err find_privacy(struct request *request, struct privacy **privacy, struct problem *problem)
{
    *privacy = request->server->config.privacy;
    return *privacy != NULL ? ERR_OK
                            : problem_set(problem, ERR_UNAVAILABLE, "this server rotates no keys");
}

static err show(struct request *request, struct privacy *privacy, struct problem *problem)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    return privacy_write_keys(privacy, &writer, problem);
}

err route_keys_get(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    err error = find_privacy(request, &privacy, problem);
    return error == ERR_OK ? show(request, privacy, problem) : error;
}

/* {newest}: which key is to be retired. So a request that comes twice rotates once. */
err route_keys_rotate(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    char key[16];
    int64_t from = json_int(json_get(request->json, STR("newest")), 0);
    err error = find_privacy(request, &privacy, problem);
    if (error != ERR_OK)
        return error;
    if (from < 1 || from > SEALING_KEYS_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "newest is the number of the key that seals now");
        return problem_at(problem, ERR_UNPROCESSABLE, "/newest");
    }
    bool is_new = from == keys_known(request->server->keys);
    error = privacy_rotate_keys(privacy, (uint32_t)from, problem);
    int size = snprintf(key, sizeof key, "%d", (int)from + 1);
    if (error == ERR_OK && is_new)
        error = auth_note(request, "keys.rotate", str_from_bytes(key, (size_t)size), problem);
    if (error != ERR_OK)
        return error;
    request->status = 202;
    return show(request, privacy, problem);
}

err route_key_delete(struct request *request, struct problem *problem)
{
    struct privacy *privacy;
    uint64_t number = 0;
    err error = find_privacy(request, &privacy, problem);
    if (error != ERR_OK)
        return error;
    if (!str_to_uint64(request->parameters[0], &number) || number > SEALING_KEYS_MAX)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such key");
    error = privacy_remove_key(privacy, (uint32_t)number, problem);
    if (error == ERR_OK)
        error = auth_note(request, "keys.remove", request->parameters[0], problem);
    return error == ERR_OK ? show(request, privacy, problem) : error;
}

err keys_job(struct request *request, str id, struct problem *problem)
{
    struct privacy *privacy;
    struct json_writer writer;
    uint64_t number = 0;
    err error = find_privacy(request, &privacy, problem);
    if (error != ERR_OK)
        return error;
    if (request->scope != NULL ||
        !permissions_hold(&request->actor.permissions, PERMISSION_SYSTEM_SEE) ||
        !str_to_uint64(str_slice(id, 1, id.size), &number) || number > SEALING_KEYS_MAX)
        return problem_set(problem, ERR_NOT_FOUND, "there is no job '%.*s'",
                           (int)str_utf8_prefix_bytes(id, 40), id.data);
    json_writer_init(&writer, &request->out);
    return privacy_write_key_job(privacy, (uint32_t)number, &writer, problem);
}
