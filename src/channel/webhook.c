/* SPDX-License-Identifier: Apache-2.0 */
/* webhook: Standard Webhooks. Signed with the key and, while it is changed, with the former one too; the idempotency key is
 * the webhook-id, so that a repeat is safe. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"

#define SECRET_BYTES_MAX 512

static str secret_body(str secret)
{
    return str_starts_with(secret, STR("whsec_")) ? str_slice(secret, 6, secret.size) : secret;
}

static err check_secret(str secret, const char *name, struct problem *problem)
{
    struct buffer key;
    if (secret.size == 0)
        return ERR_OK;
    buffer_init(&key, SECRET_BYTES_MAX);
    bool good = crypt_unbase64(&key, secret_body(secret)) && key.size >= 16;
    buffer_deinit(&key);
    if (good)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE,
                "setting '%s' is not whsec_ and base64 of 24 to 64 bytes", name);
    return problem_at(problem, ERR_UNPROCESSABLE, "/settings/%s", name);
}

static err check(const struct settings *settings, struct problem *problem)
{
    str url = setting_text(settings, URL);
    err error = url.size > 0 ? guard_check_url(url, settings->is_trusted, problem) : ERR_OK;
    if (error != ERR_OK)
        return problem_at(problem, error, "/settings/url");
    error = check_secret(setting_text(settings, SIGNING_SECRET), "signing_secret", problem);
    if (error == ERR_OK)
        error = check_secret(setting_text(settings, OLD_SECRET), "old_signing_secret", problem);
    return error;
}

void webhook_sign(struct buffer *out, str secret, str id, int64_t seconds, str body)
{
    struct buffer key, text;
    uint8_t digest[SHA256_BYTES];
    buffer_init(&key, SECRET_BYTES_MAX);
    buffer_init(&text, REQUEST_BYTES_MAX + 256);
    crypt_unbase64(&key, secret_body(secret));
    buffer_printf(&text, STR_FMT ".%" PRId64 ".", STR_ARG(id), seconds);
    buffer_append_str(&text, body);
    crypt_hmac_sha256(buffer_str(&key), buffer_str(&text), digest);
    buffer_printf(out, "%sv1,", out->size > 0 ? " " : "");
    crypt_base64(out, str_from_bytes(digest, sizeof digest));
    buffer_deinit(&key);
    buffer_deinit(&text);
}

/* `body` as it is, where the message has one; else {type, timestamp, data}. */
static void write_body(struct transfer *transfer, const struct content *content, int64_t now_ms)
{
    struct buffer *out = &transfer->request.body;
    json_value body = json_get(content->root, STR("body"));
    struct json_writer writer;
    if (json_kind(body) == JSON_TEXT) {
        buffer_append_str(out, json_text(body));
        return;
    }
    if (json_kind(body) != JSON_MISSING) {
        json_write_value(out, body);
        return;
    }
    str type = content_text(content, "type");
    json_value data = json_get(content->root, STR("data"));
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("type"), type.size > 0 ? type : STR("touch"));
    json_member_time(&writer, STR("timestamp"), now_ms);
    json_member_copy(&writer, "data", json_kind(data) != JSON_MISSING ? data : content->root);
    json_end_object(&writer);
}

static void write_signature(struct transfer *transfer, str id, int64_t seconds)
{
    struct buffer signature;
    str body = buffer_str(&transfer->request.body);
    str secret = setting_text(transfer->settings, SIGNING_SECRET);
    str old = setting_text(transfer->settings, OLD_SECRET);
    if (secret.size == 0)
        return;
    buffer_init(&signature, 1024);
    webhook_sign(&signature, secret, id, seconds, body);
    if (old.size > 0)
        webhook_sign(&signature, old, id, seconds, body);
    request_header(&transfer->request, "webhook-signature: " STR_FMT,
                   STR_ARG(buffer_str(&signature)));
    buffer_deinit(&signature);
}

static void write_headers(struct transfer *transfer, const struct unit *unit, int64_t now_ms)
{
    struct request *request = &transfer->request;
    str lines = setting_text(transfer->settings, HEADERS), line;
    char id[64];
    int size = snprintf(id, sizeof id, "msg_%s", unit->message.key);
    request_header(request, "Content-Type: application/json");
    request_header(request, "webhook-id: %s", id);
    request_header(request, "webhook-timestamp: %" PRId64, now_ms / 1000);
    write_signature(transfer, (str){ .data = id, .size = (size_t)size }, now_ms / 1000);
    while (str_split(&lines, '\n', &line))
        if (line.size > 0)
            request_header(request, STR_FMT, STR_ARG(line));
}

static bool build(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    struct channels *channels = transfer->channels;
    int64_t now_ms = channel_now_ms(channels);
    struct problem problem;
    struct content content;
    str url = str_trim(unit->message.recipient);
    if (!str_starts_with(url, STR("http")))
        url = setting_text(transfer->settings, URL);
    if (url.size == 0)
        return verdict_refuse(verdict, "bad_recipient", "neither message nor account has a URL");
    if (guard_check_url(url, transfer->settings->is_trusted, &problem) != ERR_OK)
        return verdict_refuse(verdict, "private_address", "%s", problem.detail);
    if (!content_open(channels, unit, &content, verdict))
        return false;
    buffer_append_str(&transfer->request.url, url);
    write_body(transfer, &content, now_ms);
    write_headers(transfer, unit, now_ms);
    return true;
}

static void judge(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    long status = transfer->answer.status;
    if (status < 200 || status > 299) {
        verdict_by_status(transfer, true, verdict);
        return;
    }
    verdict->outcome = CHANNEL_DELIVERED;
    verdict->reason = "delivered";
    snprintf(verdict->code, sizeof verdict->code, "%ld", status);
    snprintf(verdict->provider_id, sizeof verdict->provider_id, "msg_%s", unit->message.key);
}

static bool is_repeatable(const struct unit *unit)
{
    (void)unit;
    return true;
}

/* No request that means nothing exists: the address is resolved and connected to, and no more. */
static err test(struct channels *channels, struct account *account, struct buffer *answer,
                struct problem *problem)
{
    struct settings *settings = account_settings(channels, account);
    struct call call;
    err error = ERR_OK;
    if (setting_text(settings, URL).size == 0) {
        settings_give(settings);
        return problem_set(problem, ERR_UNPROCESSABLE, "the account names no URL to try");
    }
    call_init(&call, account);
    call.is_get = true;
    error = call_perform(channels, &call, problem);
    if (error == ERR_OK)
        buffer_printf(answer, "{\"ok\":true,\"status\":%ld}", call.answer.status);
    call_deinit(&call);
    settings_give(settings);
    return error;
}

static bool build_call(struct transfer *transfer, const struct call *call)
{
    buffer_append_str(&transfer->request.url, setting_text(transfer->settings, URL));
    transfer->request.is_get = call->is_get;
    return true;
}

const struct provider provider_webhook = {
    .codes = &codes_http,
    .check = check,
    .build = build,
    .judge = judge,
    .is_repeatable = is_repeatable,
    .build_call = build_call,
    .test = test,
};
