/* SPDX-License-Identifier: Apache-2.0 */
/* Files in: uploads, what is in a file, imports as jobs. Somebody of a team has those of her team: whatever else is named is not
 * there. */
#include <stdio.h>
#include <string.h>

#include "imports/imports.h"
#include "mapping/mapping.h"
#include "server/answer.h"
#include "server/files_in.h"
#include "server/scope/scope.h"

#define REFUSED_BYTES (4 * 1024 * 1024)

err files_imports(struct request *request, struct imports **imports, struct problem *problem)
{
    *imports = request->server->config.imports;
    if (*imports != NULL)
        return ERR_OK;
    problem_set(problem, ERR_UNAVAILABLE, "this server takes no imports");
    return ERR_UNAVAILABLE;
}

/* ---- whose they are ---- */

err files_job(struct request *request, struct imports **imports, uint32_t *number,
              struct problem *problem)
{
    char team[TEAM_KEY_BYTES_MAX + 1] = "";
    str text = request->parameters[0];
    uint64_t value = 0;
    err error = files_imports(request, imports, problem);
    if (error != ERR_OK)
        return error;
    if (!str_to_uint64(text, &value) || value == 0 || value > UINT32_MAX)
        return scope_refuse(request, "job", text, problem);
    *number = (uint32_t)value;
    error = imports_job_team(*imports, *number, team, problem);
    if (error == ERR_NOT_FOUND ||
        (error == ERR_OK && !scope_has_team(request->scope, str_from_c(team))))
        return scope_refuse(request, "job", text, problem);
    return error;
}

static err check_upload(struct request *request, struct imports *imports, str id,
                        struct problem *problem)
{
    char team[TEAM_KEY_BYTES_MAX + 1] = "";
    err error = imports_upload_team(imports, id, team, problem);
    if (error == ERR_NOT_FOUND ||
        (error == ERR_OK && !scope_has_team(request->scope, str_from_c(team))))
        return scope_refuse(request, "upload", id, problem);
    return error;
}

static err find_upload(struct request *request, struct imports **imports, struct problem *problem)
{
    err error = files_imports(request, imports, problem);
    return error == ERR_OK ? check_upload(request, *imports, request->parameters[0], problem)
                           : error;
}

/* What a body asks for is of her team: the file, and a saved mapping. */
static err check_body(struct request *request, struct imports *imports, struct problem *problem)
{
    str file = json_text(json_get(request->json, STR("file")));
    str key = json_text(json_get(request->json, STR("mapping_key")));
    if (request->scope == NULL)
        return ERR_OK;
    if (str_starts_with(file, STR("path:"))) {
        problem_set(problem, ERR_FORBIDDEN, "files of the server's folder are the house's");
        return problem_hint(problem, ERR_FORBIDDEN, "upload the file");
    }
    if (str_starts_with(file, STR("upload:"))) {
        err error = check_upload(request, imports, str_slice(file, 7, file.size), problem);
        if (error != ERR_OK)
            return error;
    }
    return key.size == 0 || scope_sees_thing(request->scope, "mapping", key, TEAM_READ)
               ? ERR_OK
               : scope_refuse(request, "mapping", key, problem);
}

/* A team tells as a source of its own, so that what it brings is in its view. */
static err check_source(struct request *request, bool is_needed, struct problem *problem)
{
    str source = json_text(json_get(request->json, STR("source")));
    if (request->scope == NULL)
        return ERR_OK;
    if (!scope_takes_imports(request->scope)) {
        problem_set(
            problem, ERR_FORBIDDEN,
            "your team's events are told by $source alone: it would not see what it imports");
        return problem_hint(problem, ERR_FORBIDDEN,
                            "give the team's events a condition on channel: PUT /api/v1/teams");
    }
    if (source.size == 0 && !is_needed)
        return ERR_OK;
    if (scope_sees_thing(request->scope, "source", source, TEAM_OWN))
        return ERR_OK;
    if (source.size == 0)
        problem_set(problem, ERR_UNPROCESSABLE, "a team's import names one of its own sources");
    else
        problem_set(problem, ERR_UNPROCESSABLE, "there is no source '%.*s' of your team",
                    (int)str_utf8_prefix_bytes(source, 60), source.data);
    problem_hint(problem, ERR_UNPROCESSABLE, "its sources: GET /api/v1/sources");
    return problem_at(problem, ERR_UNPROCESSABLE, "/source");
}

/* ---- uploads ---- */

err route_upload_create(struct request *request, struct problem *problem)
{
    struct imports *imports;
    err error = files_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = imports_upload_begin(imports, json_text(json_get(request->json, STR("name"))),
                                     json_int(json_get(request->json, STR("size_bytes")), 0),
                                     request->actor.team, &request->out, problem);
    if (error == ERR_OK)
        request->status = 201;
    return error;
}

err route_upload_get(struct request *request, struct problem *problem)
{
    struct imports *imports;
    err error = find_upload(request, &imports, problem);
    return error == ERR_OK
               ? imports_upload_write(imports, request->parameters[0], &request->out, problem)
               : error;
}

err route_upload_put(struct request *request, struct problem *problem)
{
    struct imports *imports;
    uint64_t offset;
    err error = find_upload(request, &imports, problem);
    if (error == ERR_OK && !str_to_uint64(request_query(request, STR("offset")), &offset)) {
        problem_set(problem, ERR_INVALID, "'offset' says where the part begins");
        return problem_at(problem, ERR_INVALID, "offset");
    }
    if (error == ERR_OK && request->body.size == 0)
        return problem_set(problem, ERR_INVALID, "the part is empty");
    return error == ERR_OK ? imports_upload_put(imports, request->parameters[0], offset,
                                                buffer_str(&request->body), &request->out, problem)
                           : error;
}

err route_upload_delete(struct request *request, struct problem *problem)
{
    struct imports *imports;
    err error = find_upload(request, &imports, problem);
    if (error == ERR_OK)
        error = imports_upload_delete(imports, request->parameters[0], problem);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}

/* ---- before ---- */

err route_import_detect(struct request *request, struct problem *problem)
{
    struct imports *imports;
    err error = files_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = check_body(request, imports, problem);
    return error == ERR_OK
               ? imports_detect(imports, json_text(json_get(request->json, STR("file"))),
                                json_get(request->json, STR("form")), &request->out, problem)
               : error;
}

static bool sees(const void *context, const struct engine_state *state, uint32_t number)
{
    return scope_sees_now(context, state, number);
}

err route_import_preview(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct imports_asker asker = { .team = request->actor.team,
                                   .sees = request->scope != NULL ? sees : NULL,
                                   .context = request->scope };
    err error = files_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = check_body(request, imports, problem);
    if (error == ERR_OK)
        error = check_source(request, false, problem);
    return error == ERR_OK ? imports_preview(imports, request->json, &asker, &request->out, problem)
                           : error;
}

err route_preset_list(struct request *request, struct problem *problem)
{
    (void)problem;
    struct json_writer writer;
    struct buffer preset;
    buffer_init(&preset, FILES_BODY_BYTES_MAX);
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < mapping_preset_count(); i++) {
        buffer_clear(&preset);
        mapping_preset_write(i, &preset);
        json_put_raw(&writer, buffer_str(&preset));
    }
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    err error = buffer_status(&preset);
    buffer_deinit(&preset);
    return error;
}

/* ---- jobs ---- */

/* The job of a command's answer {number, unchanged}, as it is now. */
static err answer_job(struct request *request, struct imports *imports, str response,
                      struct problem *problem)
{
    json_value json;
    struct buffer job;
    err error = json_parse(request->scratch, response, &json, problem);
    if (error != ERR_OK)
        return error;
    uint32_t number = (uint32_t)json_int(json_get(json, STR("number")), 0);
    bool unchanged = json_bool(json_get(json, STR("unchanged")), false);
    buffer_init(&job, FILES_BODY_BYTES_MAX);
    error = imports_write(imports, number, request->scope == NULL, &job, problem);
    if (error == ERR_OK) {
        struct json_writer writer;
        json_writer_init(&writer, &request->out);
        json_begin_object(&writer);
        json_member_int(&writer, STR("id"), number);
        json_member_bool(&writer, STR("unchanged"), unchanged);
        json_member_raw(&writer, STR("job"), buffer_str(&job));
        json_end_object(&writer);
    }
    buffer_deinit(&job);
    return error;
}

err route_import_create(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct buffer body;
    str response = STR_NONE;
    err error = files_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    error = check_body(request, imports, problem);
    if (error == ERR_OK)
        error = check_source(request, true, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, FILES_BODY_BYTES_MAX);
    error = imports_prepare(imports, request->json, request->actor.team, &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "import.create", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    imports_wake(imports);
    request->status = 202;
    return answer_job(request, imports, response, problem);
}

static bool shows(const void *context, str team)
{
    return scope_has_team(context, team);
}

err route_import_list(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct json_writer writer;
    struct imports_list list = { .shows = request->scope != NULL ? shows : NULL,
                                 .context = request->scope };
    int64_t before = 0;
    bool present;
    err error = files_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = answer_limit(request, &list.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'j', &before, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    list.before = present ? (uint32_t)before : 0;
    answer_list_begin(request, &writer);
    error = imports_write_list(imports, &list, &writer, problem);
    if (error != ERR_OK)
        return error;
    int64_t last = list.before;
    answer_list_end(request, &writer, last != 0 ? cursor_encode(request, 'j', &last, 1) : STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_job_get(struct request *request, struct problem *problem)
{
    struct imports *imports;
    uint32_t number;
    bool is_whole = request->scope == NULL;
    if (is_whole && str_starts_with(request->parameters[0], STR("x")))
        return privacy_job(request, request->parameters[0], problem);
    if (is_whole && str_starts_with(request->parameters[0], STR("t")))
        return retention_job(request, request->parameters[0], problem);
    if (is_whole && str_starts_with(request->parameters[0], STR("k")))
        return keys_job(request, request->parameters[0], problem);
    err error = files_job(request, &imports, &number, problem);
    return error == ERR_OK ? imports_write(imports, number, is_whole, &request->out, problem)
                           : error;
}

/* Ask for another state; the engine knows which may follow which. */
static err steer(struct request *request, const char *status, struct problem *problem)
{
    struct imports *imports;
    struct command_body body;
    uint32_t number;
    str response;
    err error = files_job(request, &imports, &number, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("number"), number);
    json_member_text(&body.writer, STR("status"), str_from_c(status));
    error = answer_command(request, "import.state", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error != ERR_OK)
        return error;
    imports_wake(imports);
    return imports_write(imports, number, request->scope == NULL, &request->out, problem);
}

err route_job_pause(struct request *request, struct problem *problem)
{
    return steer(request, "paused", problem);
}

err route_job_resume(struct request *request, struct problem *problem)
{
    return steer(request, "waiting", problem);
}

err route_job_cancel(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct buffer job;
    json_value json;
    uint32_t number;
    err error = files_job(request, &imports, &number, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&job, FILES_BODY_BYTES_MAX);
    error = imports_write(imports, number, request->scope == NULL, &job, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&job), &json, problem);
    if (error == ERR_OK && str_equal(json_text(json_get(json, STR("status"))), STR("finished"))) {
        problem_set(problem, ERR_CONFLICT, "import %u is finished", number);
        error = problem_hint(problem, ERR_CONFLICT, "undo it: POST /imports/%u/undo", number);
    }
    buffer_deinit(&job);
    return error == ERR_OK ? steer(request, "undoing", problem) : error;
}

err route_import_undo(struct request *request, struct problem *problem)
{
    request->status = 202;
    return steer(request, "undoing", problem);
}

err route_job_refused(struct request *request, struct problem *problem)
{
    struct imports *imports;
    uint32_t number;
    uint64_t offset = 0;
    str from = request_query(request, STR("offset"));
    err error = files_job(request, &imports, &number, problem);
    if (error == ERR_OK && from.size > 0 && !str_to_uint64(from, &offset))
        return problem_set(problem, ERR_INVALID, "'offset' is not a number");
    if (error == ERR_OK)
        error =
            imports_read_refused(imports, number, offset, REFUSED_BYTES, &request->out, problem);
    if (error == ERR_OK)
        request->content_type = "text/csv";
    return error;
}
