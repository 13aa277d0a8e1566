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

err run_audience(struct call *call)
{
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
            return operations[i].run(call->engine->audience, &command);
    return ERR_NOT_FOUND;
}
