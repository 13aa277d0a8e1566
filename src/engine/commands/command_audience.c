/* SPDX-License-Identifier: Apache-2.0 */
/* command_audience: the commands of tags and segments, handed on to src/audience. */
#include "engine/call.h"

static const struct {
    const char *operation;
    err (*run)(struct audience *audience, const struct audience_command *command);
} operations[] = {
#define X(NAME, operation, function) { operation, function },
    AUDIENCE_COMMANDS(X)
#undef X
};

/* Rules of journeys may have become ready by it. */
static err finish(struct call *call, err error)
{
    if (error != ERR_OK)
        return error;
    return journey_rules_ready(move_journeys(call->engine),
                               (struct journey_moment){ call->seq, call->engine->now_ms },
                               call->writes);
}

/* What a journey stands on stays. */
static err check_unused(struct call *call)
{
    str key = json_text(json_get(call->body, STR("key")));
    str journey = journey_using_segment(move_journeys(call->engine), key);
    if (!str_equal(call->command->operation, STR("segment.delete")) || journey.size == 0)
        return ERR_OK;
    problem_set(call->problem, ERR_CONFLICT, "it is used by journey '" STR_FMT "'",
                STR_ARG(journey));
    return problem_hint(call->problem, ERR_CONFLICT, "change or delete that first");
}

err run_audience(struct call *call)
{
    err unused = check_unused(call);
    if (unused != ERR_OK)
        return unused;
    struct audience_command command = {
        .body = call->body,
        .moment = { .seq = call->seq, .now_ms = call->engine->now_ms },
        .user_number = call->command->user_number,
        .writes = call->writes,
        .answer = call->answer,
        .problem = call->problem,
    };
    call->object = json_text(json_get(call->body, STR("key")));
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (str_equal(call->command->operation, str_from_c(operations[i].operation)))
            return finish(call, operations[i].run(call->engine->audience, &command));
    return ERR_NOT_FOUND;
}
