/* SPDX-License-Identifier: Apache-2.0 */
/* A message that did not come by HTTP: the doors' decoding, without their envelopes and answers. */
#include "base/metric.h"
#include "collect/segment_inside.h"
#include "collect/sensors_inside.h"

static err take(struct door *door, const struct collect_message *message, struct problem *problem)
{
    if (message->text.size > door->worker->limits.batch_bytes_max) {
        problem_set(problem, ERR_TOO_LARGE, "the message has %zu bytes, at most %zu are taken",
                    message->text.size, door->worker->limits.batch_bytes_max);
        return problem_hint(problem, ERR_TOO_LARGE, "send several smaller ones");
    }
    return message->form == COLLECT_SENSORS ? sensors_take_message(door, message->text, problem)
                                            : segment_take_message(door, message->text, problem);
}

err collect_decode_message(struct collect_worker *worker, const struct source *source,
                           const struct collect_message *message, struct buffer *records,
                           uint32_t *count, uint32_t *refused, struct problem *problem)
{
    struct collect_answer unused;
    const struct collect_request request = { .received_ms = message->time_ms };
    struct door door = { .worker = worker,
                         .request = &request,
                         .answer = &unused,
                         .name = message->form == COLLECT_SENSORS ? "sensors" : "segment",
                         .source = source,
                         .source_is_known = true,
                         .historical = message->historical,
                         .records = records };
    size_t begin = records->size;
    *count = *refused = 0;
    *problem = (struct problem){ .error = ERR_OK };
    arena_reset(&worker->arena);
    worker->desk.starved = false;
    err error = take(&door, message, problem);
    if (error == ERR_OK && worker->desk.starved)
        error = problem_set(problem, ERR_NOMEM, "no memory for this message");
    if (error == ERR_OK)
        error = buffer_status(records);
    if (error != ERR_OK) {
        records->size = begin;
        records->failed = records->nomem = false; /* as if nothing had been written */
        if (!err_is_retriable(error))
            draft_tell(&door, (json_value){ .document = NULL }, error, problem);
        return error;
    }
    *count = door.count;
    *refused = door.refused;
    if (door.refused > 0)
        *problem = door.first;
    metric_add(METRIC_EVENTS_RECEIVED, door.count);
    metric_add(METRIC_EVENTS_REFUSED, door.refused);
    return ERR_OK;
}
