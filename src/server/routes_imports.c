/* SPDX-License-Identifier: Apache-2.0 */
/* Files in: uploads, what is in a file, imports as jobs, saved mappings, how far sources have told. */
#include <stdio.h>
#include <string.h>

#include "imports/imports.h"
#include "mapping/mapping.h"
#include "server/answer.h"

#define BODY_BYTES_MAX (4 * 1024 * 1024)
#define REFUSED_BYTES (4 * 1024 * 1024)

static err find_imports(struct request *request, struct imports **imports, struct problem *problem)
{
    *imports = request->server->config.imports;
    if (*imports != NULL)
        return ERR_OK;
    problem_set(problem, ERR_UNAVAILABLE, "this server takes no imports");
    return ERR_UNAVAILABLE;
}

static err read_number(str text, const char *what, uint32_t *number, struct problem *problem)
{
    uint64_t value;
    if (!str_to_uint64(text, &value) || value == 0 || value > UINT32_MAX) {
        problem_set(problem, ERR_NOT_FOUND, "there is no %s '%.*s'", what,
                    (int)str_utf8_prefix_bytes(text, 40), text.data);
        return ERR_NOT_FOUND;
    }
    *number = (uint32_t)value;
    return ERR_OK;
}

/* ---- uploads ---- */

err route_upload_create(struct request *request, struct problem *problem)
{
    struct imports *imports;
    err error = find_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = imports_upload_begin(imports, json_text(json_get(request->json, STR("name"))),
                                     json_int(json_get(request->json, STR("size_bytes")), 0),
                                     &request->out, problem);
    if (error == ERR_OK)
        request->status = 201;
    return error;
}

err route_upload_get(struct request *request, struct problem *problem)
{
    struct imports *imports;
    err error = find_imports(request, &imports, problem);
    return error == ERR_OK
               ? imports_upload_write(imports, request->parameters[0], &request->out, problem)
               : error;
}

err route_upload_put(struct request *request, struct problem *problem)
{
    struct imports *imports;
    uint64_t offset;
    err error = find_imports(request, &imports, problem);
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
    err error = find_imports(request, &imports, problem);
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
    err error = find_imports(request, &imports, problem);
    return error == ERR_OK
               ? imports_detect(imports, json_text(json_get(request->json, STR("file"))),
                                json_get(request->json, STR("form")), &request->out, problem)
               : error;
}

err route_import_preview(struct request *request, struct problem *problem)
{
    struct imports *imports;
    err error = find_imports(request, &imports, problem);
    return error == ERR_OK ? imports_preview(imports, request->json, &request->out, problem)
                           : error;
}

err route_preset_list(struct request *request, struct problem *problem)
{
    (void)problem;
    struct json_writer writer;
    struct buffer preset;
    buffer_init(&preset, BODY_BYTES_MAX);
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
    buffer_init(&job, BODY_BYTES_MAX);
    error = imports_write(imports, number, &job, problem);
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
    err error = find_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = imports_prepare(imports, request->json, &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "import.create", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    imports_wake(imports);
    request->status = 202;
    return answer_job(request, imports, response, problem);
}

err route_import_list(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct json_writer writer;
    int64_t before = 0;
    uint32_t next = 0;
    size_t limit;
    bool present;
    err error = find_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = answer_limit(request, &limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'j', &before, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error =
        imports_write_list(imports, present ? (uint32_t)before : 0, limit, &writer, &next, problem);
    if (error != ERR_OK)
        return error;
    int64_t last = next;
    answer_list_end(request, &writer, next != 0 ? cursor_encode(request, 'j', &last, 1) : STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_job_get(struct request *request, struct problem *problem)
{
    struct imports *imports;
    uint32_t number;
    if (str_starts_with(request->parameters[0], STR("x")))
        return privacy_job(request, request->parameters[0], problem);
    if (str_starts_with(request->parameters[0], STR("t")))
        return retention_job(request, request->parameters[0], problem);
    if (str_starts_with(request->parameters[0], STR("k")))
        return keys_job(request, request->parameters[0], problem);
    err error = find_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = read_number(request->parameters[0], "job", &number, problem);
    return error == ERR_OK ? imports_write(imports, number, &request->out, problem) : error;
}

/* Ask for another state; the engine knows which may follow which. */
static err steer(struct request *request, const char *status, struct problem *problem)
{
    struct imports *imports;
    struct command_body body;
    uint32_t number;
    str response;
    err error = find_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = read_number(request->parameters[0], "job", &number, problem);
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
    return imports_write(imports, number, &request->out, problem);
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
    err error = find_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = read_number(request->parameters[0], "job", &number, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&job, BODY_BYTES_MAX);
    error = imports_write(imports, number, &job, problem);
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
    err error = find_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = read_number(request->parameters[0], "job", &number, problem);
    if (error == ERR_OK && from.size > 0 && !str_to_uint64(from, &offset))
        return problem_set(problem, ERR_INVALID, "'offset' is not a number");
    if (error == ERR_OK)
        error =
            imports_read_refused(imports, number, offset, REFUSED_BYTES, &request->out, problem);
    if (error == ERR_OK)
        request->content_type = "text/csv";
    return error;
}

/* ---- saved mappings ---- */

struct mapping_list {
    struct json_writer *writer;
    str key; /* the last one written, in the arena */
    struct request *request;
};

static void write_mapping(struct request *request, const struct ledger_value *values,
                          struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("key"), values[0].bytes);
    json_member_int(writer, STR("version"), values[1].integer);
    json_member_raw(writer, STR("mapping"), values[2].bytes);
    json_member_text(writer, STR("changed_by"), answer_login(request, (uint32_t)values[3].integer));
    json_member_time(writer, STR("changed_at"), values[4].integer);
    json_end_object(writer);
}

static bool visit_mapping(void *context, const struct ledger_value *values)
{
    struct mapping_list *list = context;
    if (list->key.size == 0 || str_equal(list->key, values[0].bytes))
        write_mapping(list->request, values, list->writer);
    return true;
}

static err list_mappings(struct request *request, str key, struct problem *problem)
{
    struct json_writer writer;
    struct mapping_list list = { .writer = &writer, .key = key, .request = request };
    answer_list_begin(request, &writer);
    err error = ledger_scan(server_ledger(request->server), LEDGER_MAPPINGS, NULL, visit_mapping,
                            &list, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return error;
}

err route_mapping_list(struct request *request, struct problem *problem)
{
    return list_mappings(request, STR_NONE, problem);
}

static err answer_mapping(struct request *request, int64_t version, struct problem *problem)
{
    struct imports *imports;
    struct buffer body;
    struct json_writer writer;
    err error = find_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = imports_mapping(imports, request->parameters[0], &version, &body, problem);
    if (error == ERR_OK) {
        json_writer_init(&writer, &request->out);
        json_begin_object(&writer);
        json_member_text(&writer, STR("key"), request->parameters[0]);
        json_member_int(&writer, STR("version"), version);
        json_member_raw(&writer, STR("mapping"), buffer_str(&body));
        json_end_object(&writer);
    }
    buffer_deinit(&body);
    return error;
}

err route_mapping_get(struct request *request, struct problem *problem)
{
    int64_t version = 0;
    str text = request_query(request, STR("version"));
    if (text.size > 0 && (!str_to_int64(text, &version) || version < 1))
        return problem_set(problem, ERR_INVALID, "'version' is not a number");
    return answer_mapping(request, version, problem);
}

/* Each change is a version; a job keeps the one that it began with. */
err route_mapping_put(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct command_body body;
    struct buffer kept;
    int64_t version = 0;
    str response, key = request->parameters[0];
    json_value mapping = json_get(request->json, STR("mapping"));
    err error = find_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = imports_check_mapping(mapping, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&kept, BODY_BYTES_MAX);
    command_body_begin(&body);
    pthread_mutex_lock(&request->server->create_mutex);
    struct problem unused;
    error = imports_mapping(imports, key, &version, &kept, &unused);
    if (error == ERR_OK || error == ERR_NOT_FOUND) {
        json_member_text(&body.writer, STR("key"), key);
        json_member_int(&body.writer, STR("version"), version + 1);
        buffer_clear(&kept);
        json_write_value(&kept, mapping);
        json_member_raw(&body.writer, STR("body"), buffer_str(&kept));
        error = answer_command(request, "mapping.put", command_body_end(&body), &response, problem);
    }
    pthread_mutex_unlock(&request->server->create_mutex);
    command_body_deinit(&body);
    buffer_deinit(&kept);
    return error == ERR_OK ? answer_mapping(request, version + 1, problem) : error;
}

/* ---- watermarks ---- */

static bool visit_watermark(void *context, const struct ledger_value *values)
{
    struct json_writer *writer = context;
    json_begin_object(writer);
    json_member_text(writer, STR("source"), values[0].bytes);
    json_member_time(writer, STR("told_until"), values[1].integer);
    json_member_time(writer, STR("changed_at"), values[2].integer);
    json_end_object(writer);
    return true;
}

err route_watermark_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    answer_list_begin(request, &writer);
    err error = ledger_scan(server_ledger(request->server), LEDGER_WATERMARKS, NULL,
                            visit_watermark, &writer, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return error;
}

/* ---- buckets ---- */

static err answer_bucket(struct request *request, struct imports *imports, struct problem *problem)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    return imports_write_buckets(imports, request->parameters[0], &writer, problem);
}

err route_bucket_list(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct json_writer writer;
    err error = find_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = imports_write_buckets(imports, STR_NONE, &writer, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return error;
}

err route_bucket_put(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct buffer body;
    str response;
    err error = find_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = imports_bucket_prepare(imports, request->parameters[0], request->json, &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "setting.put", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    return error == ERR_OK ? answer_bucket(request, imports, problem) : error;
}

err route_bucket_delete(struct request *request, struct problem *problem)
{
    struct imports *imports;
    struct buffer body;
    str response;
    err error = find_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = imports_bucket_forget(imports, request->parameters[0], &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "setting.put", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}
