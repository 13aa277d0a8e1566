/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets that are looked into for files. */
#include "server/answer.h"
#include "server/files_in.h"

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
    err error = files_imports(request, &imports, problem);
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
    err error = files_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, FILES_BODY_BYTES_MAX);
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
    err error = files_imports(request, &imports, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, FILES_BODY_BYTES_MAX);
    error = imports_bucket_forget(imports, request->parameters[0], &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "setting.put", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}
