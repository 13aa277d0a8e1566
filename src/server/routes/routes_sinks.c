/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks: what happens to customers, out to the topics of a Kafka cluster; what they are, and how they go. */
#include "feed/sink.h"
#include "server/answer.h"

#define BODY_BYTES_MAX ((size_t)256 << 10)

static err find_sinks(struct request *request, struct sinks **sinks, struct problem *problem)
{
    *sinks = request->server->config.sinks;
    return *sinks != NULL ? ERR_OK
                          : problem_set(problem, ERR_UNAVAILABLE, "this server has no sinks");
}

static err answer_sink(struct request *request, struct sinks *sinks, struct problem *problem)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    return sinks_write(sinks, request->parameters[0], &writer, problem);
}

err route_sink_list(struct request *request, struct problem *problem)
{
    struct sinks *sinks;
    struct json_writer writer;
    err error = find_sinks(request, &sinks, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = sinks_write(sinks, STR_NONE, &writer, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return error;
}

err route_sink_get(struct request *request, struct problem *problem)
{
    struct sinks *sinks;
    err error = find_sinks(request, &sinks, problem);
    return error == ERR_OK ? answer_sink(request, sinks, problem) : error;
}

/* It takes customers out of the house, for as long as it runs: what takes them out as a file asks for no less. */
static err check_rights(struct request *request, struct problem *problem)
{
    err error = auth_needs(request, PERMISSION_CUSTOMER_EXPORT, problem);
    if (error == ERR_OK &&
        str_equal(json_text(json_get(request->json, STR("personal"))), STR("clear")))
        error = auth_needs(request, PERMISSION_CUSTOMER_REVEAL, problem);
    return error;
}

err route_sink_put(struct request *request, struct problem *problem)
{
    struct sinks *sinks;
    struct buffer body;
    str response;
    err error = find_sinks(request, &sinks, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = sinks_prepare(sinks, request->parameters[0], request->json, &body, problem);
    if (error == ERR_OK)
        error = check_rights(request, problem);
    if (error == ERR_OK)
        error = answer_command(request, "setting.put", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    sinks_wake(sinks);
    return answer_sink(request, sinks, problem);
}

err route_sink_delete(struct request *request, struct problem *problem)
{
    struct sinks *sinks;
    struct buffer body;
    str response;
    err error = find_sinks(request, &sinks, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = sinks_forget(sinks, request->parameters[0], &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "setting.put", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    sinks_wake(sinks);
    request->status = 204;
    return ERR_OK;
}
