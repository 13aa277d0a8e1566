/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for all sending: the policy, the gates, the red button, the pools of coupons. */
#include "server/answer.h"
#include "server/sending.h"
#include "server/view.h"

err route_policy_get(struct request *request, struct problem *problem)
{
    struct buffer text;
    err error = sending_text(request, touch_write_policy, &text, problem);
    if (error == ERR_OK)
        buffer_append_str(&request->out, buffer_str(&text));
    buffer_deinit(&text);
    return error;
}

err route_policy_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    struct buffer policy;
    str response;
    buffer_init(&policy, SENDING_BYTES_MAX);
    json_write_value(&policy, request->json);
    command_body_begin(&body);
    json_member_raw(&body.writer, STR("policy"), buffer_str(&policy));
    err error = answer_command(request, "policy.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    buffer_deinit(&policy);
    return error == ERR_OK ? route_policy_get(request, problem) : error;
}

err route_gate_list(struct request *request, struct problem *problem)
{
    return sending_answer_all(request, touch_write_gates, problem);
}

err route_stop_get(struct request *request, struct problem *problem)
{
    return sending_answer_all(request, touch_write_stops, problem);
}

err route_stop_post(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    command_body_copy(&body, request, "scope");
    command_body_copy(&body, request, "value");
    command_body_copy(&body, request, "why");
    command_body_copy(&body, request, "active");
    err error = answer_command(request, "stop.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? route_stop_get(request, problem) : error;
}

/* ---- coupons ---- */

err route_pool_list(struct request *request, struct problem *problem)
{
    return sending_answer_all(request, touch_write_pools, problem);
}

err route_pool_put(struct request *request, struct problem *problem)
{
    str response;
    err error = sending_put(request, "coupon.put", request->parameters[0], &response, problem);
    if (error == ERR_OK)
        buffer_append_str(&request->out, response);
    return error;
}
