/* SPDX-License-Identifier: Apache-2.0 */
/* Doors: events in. Decode on this thread, append to the log, answer after the sync. */
#include <string.h>

#include "base/metric.h"
#include "server/answer.h"
#include "server/inside.h"

/* SDKs come back by themselves after these. */
#define RETRY_AFTER_BUSY_S 1
#define RETRY_AFTER_DOWN_S 5

void door_preflight(struct request *request)
{
    request->status = 204;
    request->content_type = "";
    request->cache_control = "";
}

static void decode(struct request *request, struct http_thread *by, uint32_t *count)
{
    const struct request_headers *headers = &request->headers;
    struct collect_request collected = {
        .method = str_from_c(method_text(request->method)),
        .path = request->path,
        .query = request->query,
        .authorization = headers->authorization,
        .content_encoding = headers->content_encoding,
        .content_type = headers->content_type,
        .origin = headers->origin,
        .host = headers->host,
        .anonymous_id_header = headers->anonymous_id,
        .dry_run = headers->dry_run,
        .user_agent = headers->user_agent,
        .client_ip = request->client_address,
        .body = buffer_str(&request->body),
        .received_ms = server_now_ms(request->server),
    };
    struct source_set *sources = engine_sources(request->server->engine);
    request->records.size_max = server_in_flight_bytes_max(request->server);
    collect_decode(by->collect, sources, &collected, &request->records, count,
                   &request->door_answer);
    source_set_release(&sources);
}

/* The log's writer thread. */
static void made_durable(struct log_append *append, err error)
{
    struct request *request = append->context;
    request->append_error = error;
    request->durable = steady_now();
    http_resume(request);
}

/* Texts of the worker's arena do not outlive this call: the answer is copied. */
static void keep_answer(struct request *request)
{
    const struct collect_answer *answer = &request->door_answer;
    request->status = answer->status;
    request->content_type = answer->content_type != NULL ? answer->content_type : "text/plain";
    request->cache_control = answer->cacheable ? "public, max-age=300" : NULL;
    buffer_append_str(&request->out, answer->body);
    if (answer->status == 429 || answer->status == 503)
        request->retry_after_s = RETRY_AFTER_BUSY_S;
}

static void refuse_append(struct request *request, err error)
{
    struct problem problem = { .error = ERR_OK };
    /* A full disk is told to SDKs as 503: what they try again, all of them. */
    if (error == ERR_STORAGE_FULL) {
        error = ERR_UNAVAILABLE;
        problem_set(&problem, error, "the disk of the log is full");
    } else if (error == ERR_BUSY) {
        problem_set(&problem, error, "events come in faster than they are taken");
    } else {
        problem_set(&problem, ERR_UNAVAILABLE, "the log takes no events now");
        error = ERR_UNAVAILABLE;
    }
    reply_problem(request, error, &problem);
    request->retry_after_s = error == ERR_BUSY ? RETRY_AFTER_BUSY_S : RETRY_AFTER_DOWN_S;
}

/* Retry-After is set already. */
static void refuse_flood(struct request *request)
{
    struct problem problem = { .error = ERR_OK };
    int64_t retry_after_s = request->retry_after_s;
    problem_set(&problem, ERR_BUSY, "this source brings more events than it may now");
    problem_hint(&problem, ERR_BUSY,
                 "come again after Retry-After; events_per_second of the source is its limit");
    reply_problem(request, ERR_BUSY, &problem);
    request->retry_after_s = retry_after_s;
    request->stage = STAGE_ANSWERING;
}

/* Behind so many others that it would be answered too late: not worth decoding. */
static bool log_is_late(struct request *request)
{
    struct server *server = request->server;
    uint32_t source = flow_source_known(request);
    if (log_wait_ms(engine_log(server->engine), source) <= server_door_wait_ms_max(server))
        return false;
    metric_add(METRIC_REQUESTS_LATE, 1);
    flows_press(server->flows);
    return true;
}

/* True: there are events to be appended. Else it is answered. */
static bool decode_for_log(struct request *request, struct http_thread *by, uint32_t *count)
{
    request->stage = STAGE_ANSWERING;
    if (request->method == METHOD_POST && log_is_late(request)) {
        refuse_append(request, ERR_BUSY);
        return false;
    }
    decode(request, by, count);
    if (*count > 0 && !flow_takes(request,
                                  &(struct flow_source){ request->door_answer.source_number,
                                                         request->door_answer.events_per_second },
                                  *count)) {
        buffer_clear(&request->records);
        refuse_flood(request);
        return false;
    }
    keep_answer(request);
    if (*count == 0)
        return false;
    if (buffer_status(&request->records) == ERR_OK)
        return true;
    buffer_clear(&request->out);
    refuse_append(request, ERR_BUSY);
    return false;
}

/* Suspended already. */
static void append(struct request *request, uint32_t count)
{
    struct server *server = request->server;
    /* The body is in the records now: its bytes need not wait for the sync. */
    atomic_fetch_add_explicit(&server->in_flight_bytes, request->records.size,
                              memory_order_relaxed);
    request->in_flight_bytes += request->records.size;
    request->append = (struct log_append){ .records = buffer_str(&request->records),
                                           .count = count,
                                           .source = request->door_answer.source_number,
                                           .durable = made_durable,
                                           .context = request };
    request->append_error = ERR_OK;
    request->decoded = steady_now();
    /* Once it is taken the request is the writer's, and may be answered before this returns. */
    err error = engine_append(server->engine, &request->append);
    if (error != ERR_OK) {
        request->append_error = error;
        http_resume(request);
    }
}

static void queue(struct request *request)
{
    uint64_t lane = flow_lane(request);
    request->is_loud = flow_is_loud(request);
    bool fits = request->is_loud ? loud_put(request, lane)
                                 : turns_put(request->thread->turns, request, lane);
    if (!fits)
        door_run_queued(request, request->thread); /* no memory to wait: now */
}

void door_run(struct request *request)
{
    uint32_t count = 0;
    if (!flow_may_come(request)) {
        refuse_flood(request);
        return;
    }
    if (request->method == METHOD_POST) {
        if (!http_suspend(request, STAGE_QUEUED))
            return;
        queue(request);
        return;
    }
    if (decode_for_log(request, request->thread, &count) && http_suspend(request, STAGE_DOOR))
        append(request, count);
}

/* It waited too long behind others. */
static void refuse_late(struct request *request)
{
    struct problem problem = { .error = ERR_OK };
    int64_t retry_after_s = request->retry_after_s;
    problem_set(&problem, ERR_BUSY,
                "it waited longer than permitted: more comes in than can be taken");
    reply_problem(request, ERR_BUSY, &problem);
    request->retry_after_s = retry_after_s;
}

void door_run_queued(struct request *request, struct http_thread *by)
{
    uint32_t count = 0;
    int64_t waited_ms = request->waited_ms + steady_since_ms(request->queued);
    if (!admission_permits_waited(request, &by->admission, waited_ms)) {
        refuse_late(request);
    } else if (decode_for_log(request, by, &count)) {
        request->stage = STAGE_DOOR;
        append(request, count);
        return;
    }
    loud_done(request);
    request->stage = STAGE_ANSWERING;
    http_resume(request);
}

static int64_t between_us(steady_ns from, steady_ns to)
{
    return (to.ns - from.ns) / 1000;
}

/* Where the time of an acknowledgement went. A loud source waits by rule, which says nothing of the server. */
static void tell_stages(const struct request *request)
{
    if (request->is_loud || request->queued.ns == 0 || request->append_error != ERR_OK)
        return;
    metric_observe_us(METRIC_DOOR_READ_US, between_us(request->started, request->queued));
    metric_observe_us(METRIC_DOOR_TURN_US, between_us(request->queued, request->decoded));
    metric_observe_us(METRIC_DOOR_LOG_US, between_us(request->decoded, request->durable));
    metric_observe_us(METRIC_DOOR_ANSWER_US, steady_since_us(request->durable));
}

void door_finish(struct request *request)
{
    tell_stages(request);
    loud_done(request);
    if (request->append_error == ERR_OK)
        return;
    buffer_clear(&request->out);
    request->cache_control = NULL;
    refuse_append(request, request->append_error);
}
