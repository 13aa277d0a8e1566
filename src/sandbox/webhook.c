/* SPDX-License-Identifier: Apache-2.0 */
/* A receiver of webhooks: POST /webhook/{name}, signed as Standard Webhooks say where the name was given a secret. */
#include <stdio.h>

#include "sandbox/inside.h"

#define PAYLOAD_BYTES_MAX ((size_t)1 << 20)

/* Only who was set up with a secret ("whsec_…") checks: anybody may receive. */
static bool is_signed(struct call *call, const struct account *account, str id)
{
    str stamp = call->header(call, "webhook-timestamp");
    str signatures = call->header(call, "webhook-signature");
    int64_t seconds, now_s = sandbox_now(call->sandbox) / SECOND_MS;
    int64_t tolerance_s = call->sandbox->settings[SETTING_WEBHOOK_TOLERANCE_S];
    if (!account->is_given)
        return true;
    if (id.size == 0 || !str_to_int64(stamp, &seconds))
        return false;
    if (call->sandbox->settings[SETTING_CHECK_TIME] != 0 &&
        (seconds < now_s - tolerance_s || seconds > now_s + tolerance_s))
        return false;
    return webhook_check(call, str_from_c(account->secret), id, stamp, signatures);
}

void webhook_dispatch(struct call *call)
{
    str prefix = STR("/webhook/"), name = str_slice(call->path, prefix.size, call->path.size);
    str id = call->header(call, "webhook-id");
    struct account *account = account_of(call->sandbox, KIND_WEBHOOK, name);
    char text[40];
    if (account == NULL) {
        call_error(call, 410, "nobody receives here any more");
        return;
    }
    if (!str_equal(call->method, STR("POST"))) {
        call_error(call, 405, "only POST");
        return;
    }
    if (call->body.size > PAYLOAD_BYTES_MAX) {
        call_error(call, 413, "a payload has at most 1 MB");
        return;
    }
    if (!is_signed(call, account, id)) {
        account->refused++;
        call_error(call, 401, "the signature is wrong, or too old");
        return;
    }
    if (fault_strikes(call, KIND_WEBHOOK, name, STR_NONE))
        return;
    if (account_over_rate(call->sandbox, account, STR_NONE, MINUTE_MS,
                          call->sandbox->settings[SETTING_WEBHOOK_RATE])) {
        call->retry_after = 1;
        call_error(call, 429, "too many requests");
        return;
    }
    struct take take = { .kind = KIND_WEBHOOK,
                         .account = account,
                         .recipient = name,
                         .key = id,
                         .content = call->body };
    const struct taken *taken = taken_add(call->sandbox, &take);
    snprintf(text, sizeof text, "{\"ok\":true,\"times\":%llu}", (unsigned long long)taken->times);
    buffer_append_str(&call->out, str_from_c(text));
}
