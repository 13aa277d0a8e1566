/* SPDX-License-Identifier: Apache-2.0 */
/* command_touch: the commands of templates, accounts, policies and touches, handed on to src/touch. */
#include "engine/call.h"

static const struct {
    const char *operation;
    err (*run)(struct touches *touches, const struct touch_command *command);
} operations[] = {
#define X(NAME, operation, function) { operation, function },
    TOUCH_COMMANDS(X)
#undef X
};

err run_touch(struct call *call)
{
    struct engine *engine = call->engine;
    struct touch_command command = {
        .body = call->body,
        .moment = { .seq = call->seq, .now_ms = engine->now_ms },
        .user_number = call->command->user_number,
        .writes = call->writes,
        .answer = call->answer,
        .problem = call->problem,
    };
    str operation = call->command->operation;
    call->object = json_text(json_get(call->body, STR("key")));
    if (str_equal(operation, STR("stop.put")))
        call->object = json_text(json_get(call->body, STR("scope")));
    err error = ERR_NOT_FOUND;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (str_equal(operation, str_from_c(operations[i].operation)))
            error = operations[i].run(act_touches(engine), &command);
    act_values_reset(engine);
    return error;
}
