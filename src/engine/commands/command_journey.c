/* SPDX-License-Identifier: Apache-2.0 */
/* command_journey: the commands of journeys, handed on to src/journey. */
#include "engine/call.h"

static const struct {
    const char *operation;
    err (*run)(struct journeys *journeys, const struct journey_command *command);
} operations[] = {
#define X(NAME, operation, function) { operation, function },
    JOURNEY_COMMANDS(X)
#undef X
};

/* A rule of its own goes with it. */
static bool is_its_own(void *context, str rule)
{
    const struct call *call = context;
    return journey_alone_holds(move_journeys(call->engine), rule, call->object);
}

/* What a rule says of it would never be true again. */
static err refuse_used(struct call *call)
{
    str user = audience_using_journey(call->engine->audience, call->object, is_its_own, call);
    if (user.size == 0)
        return ERR_OK;
    problem_set(call->problem, ERR_CONFLICT,
                "the rule of '" STR_FMT "' has a window since entering this journey",
                STR_ARG(user));
    return problem_hint(call->problem, ERR_CONFLICT, "change that rule first");
}

err run_journey(struct call *call)
{
    struct engine *engine = call->engine;
    struct journey_command command = {
        .body = call->body,
        .moment = { .seq = call->seq, .now_ms = engine->now_ms },
        .user_number = call->command->user_number,
        .writes = call->writes,
        .answer = call->answer,
        .problem = call->problem,
    };
    str operation = call->command->operation;
    call->object = json_text(json_get(call->body, STR("key")));
    err error = ERR_NOT_FOUND;
    if (str_equal(operation, STR("journey.delete")) && refuse_used(call) != ERR_OK)
        return ERR_CONFLICT;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (str_equal(operation, str_from_c(operations[i].operation)))
            error = operations[i].run(move_journeys(engine), &command);
    if (str_equal(operation, STR("journey.run")))
        move_ran(engine);
    return error;
}
