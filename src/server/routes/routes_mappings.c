/* SPDX-License-Identifier: Apache-2.0 */
/* Saved mappings in their versions, and how far sources have told. */
#include "server/answer.h"
#include "server/files_in.h"

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
    err error = files_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, FILES_BODY_BYTES_MAX);
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
    err error = files_imports(request, &imports, problem);
    if (error == ERR_OK)
        error = imports_check_mapping(mapping, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&kept, FILES_BODY_BYTES_MAX);
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
