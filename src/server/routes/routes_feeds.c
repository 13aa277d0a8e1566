/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds: events from the topics of a Kafka cluster; what they are, and how they go. */
#include "feed/feed.h"
#include "server/answer.h"

#define BODY_BYTES_MAX 65536

static err find_feeds(struct request *request, struct feeds **feeds, struct problem *problem)
{
    *feeds = request->server->config.feeds;
    return *feeds != NULL ? ERR_OK
                          : problem_set(problem, ERR_UNAVAILABLE, "this server has no feeds");
}

static err answer_feed(struct request *request, struct feeds *feeds, struct problem *problem)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    return feeds_write(feeds, request->parameters[0], &writer, problem);
}

err route_feed_list(struct request *request, struct problem *problem)
{
    struct feeds *feeds;
    struct json_writer writer;
    err error = find_feeds(request, &feeds, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = feeds_write(feeds, STR_NONE, &writer, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return error;
}

err route_feed_get(struct request *request, struct problem *problem)
{
    struct feeds *feeds;
    err error = find_feeds(request, &feeds, problem);
    return error == ERR_OK ? answer_feed(request, feeds, problem) : error;
}

err route_feed_put(struct request *request, struct problem *problem)
{
    struct feeds *feeds;
    struct buffer body;
    str response;
    err error = find_feeds(request, &feeds, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = feeds_prepare(feeds, request->parameters[0], request->json, &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "setting.put", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    feeds_wake(feeds);
    return answer_feed(request, feeds, problem);
}

err route_feed_delete(struct request *request, struct problem *problem)
{
    struct feeds *feeds;
    struct buffer body;
    str response;
    err error = find_feeds(request, &feeds, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, BODY_BYTES_MAX);
    error = feeds_forget(feeds, request->parameters[0], &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "setting.put", buffer_str(&body), &response, problem);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    feeds_wake(feeds);
    request->status = 204;
    return ERR_OK;
}
