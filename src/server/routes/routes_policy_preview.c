/* SPDX-License-Identifier: Apache-2.0 */
/* What a draft of the sending policy would have done to the touches of the last days, and to those that wait (POST /policy/preview). */
#include "access/permission.h"
#include "server/answer.h"
#include "server/view.h"
#include "touch/rehearsal.h"

#define DAYS_DEFAULT 7
#define DAYS_MAX 30
#define TOUCHES_MAX 20000
#define LOOKED_AT_ONCE 100000 /* touches that one question to the engine passes */
#define RUN_AT_ONCE 1000      /* of those that go through the gates again */

struct preview {
    struct request *request;
    struct problem *problem;
    int64_t days;
    struct touch_rehearsal *rehearsal;
    bool more;
    err error;
};

static void begin(const struct engine_state *state, struct engine_question *question)
{
    struct preview *preview = question->context;
    struct rehearsal_setting setting = { .policy = preview->request->json,
                                         .from_ms = state->now_ms - preview->days * DAY_MS,
                                         .now_ms = state->now_ms,
                                         .touches_max = TOUCHES_MAX };
    preview->error =
        touch_rehearsal_new(&preview->rehearsal, state->touches, &setting, preview->problem);
}

static void choose(const struct engine_state *state, struct engine_question *question)
{
    struct preview *preview = question->context;
    (void)state;
    preview->error = touch_rehearsal_choose(preview->rehearsal, LOOKED_AT_ONCE, &preview->more);
}

static void run(const struct engine_state *state, struct engine_question *question)
{
    struct preview *preview = question->context;
    (void)state;
    preview->error = touch_rehearsal_run(preview->rehearsal, RUN_AT_ONCE, &preview->more);
}

/* A piece at a time, so that nobody waits for it. */
static err ask(struct preview *preview,
               void (*about)(const struct engine_state *state, struct engine_question *question))
{
    err error;
    do {
        preview->more = false;
        error = view_ask(preview->request, about, preview, preview->problem);
        if (error == ERR_OK)
            error = preview->error;
    } while (error == ERR_OK && preview->more);
    return error;
}

static void write_customer(void *context, struct json_writer *writer, uint32_t customer)
{
    member_one_id(context, writer, STR("customer"), customer);
}

static err read_days(struct preview *preview)
{
    str text = request_query(preview->request, STR("days"));
    preview->days = DAYS_DEFAULT;
    if (text.size == 0 ||
        (str_to_int64(text, &preview->days) && preview->days >= 1 && preview->days <= DAYS_MAX))
        return ERR_OK;
    return problem_set(preview->problem, ERR_INVALID, "days is a number from 1 to %d", DAYS_MAX);
}

err route_policy_preview(struct request *request, struct problem *problem)
{
    struct preview preview = { .request = request, .problem = problem };
    struct json_writer writer;
    bool names = permissions_hold(&request->actor.permissions, PERMISSION_TOUCH_SEE) &&
                 permissions_hold(&request->actor.permissions, PERMISSION_CUSTOMER_SEE);
    err error = read_days(&preview);
    if (error == ERR_OK)
        error = ask(&preview, begin);
    if (error == ERR_OK)
        error = ask(&preview, choose);
    if (error == ERR_OK)
        error = touch_rehearsal_read(preview.rehearsal, server_ledger(request->server), problem);
    if (error == ERR_OK)
        error = ask(&preview, run);
    if (error == ERR_OK) {
        json_writer_init(&writer, &request->out);
        json_begin_object(&writer);
        touch_rehearsal_write(preview.rehearsal, &writer, names ? write_customer : NULL, request);
        json_end_object(&writer);
    }
    touch_rehearsal_free(&preview.rehearsal);
    return error;
}
