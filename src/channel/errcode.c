/* SPDX-License-Identifier: Apache-2.0 */
/* errcode: what WeCom, official accounts and mini-programs have in common: addresses with a token, JSON both ways, and
 * answers that say errcode with status 200. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"

void errcode_url(struct transfer *transfer, const char *path)
{
    struct buffer *url = &transfer->request.url;
    buffer_append_str(url, transfer->settings->base_url);
    buffer_printf(url, "%s%caccess_token=", path, strchr(path, '?') != NULL ? '&' : '?');
    crypt_url_encode(url, str_from_c(transfer->token));
}

/* A JSON body follows. */
void errcode_json(struct transfer *transfer, struct json_writer *writer)
{
    request_header(&transfer->request, "Content-Type: application/json; charset=utf-8");
    json_writer_init(writer, &transfer->request.body);
}

void provider_id_of(char out[PROVIDER_ID_BYTES], str id, str recipient)
{
    str shown = str_slice(id, 0, PROVIDER_ID_BYTES - 20);
    snprintf(out, PROVIDER_ID_BYTES, STR_FMT "/%016" PRIx64, STR_ARG(shown),
             hash_bytes64(recipient.data, recipient.size, 0));
}

static void tell_code(const struct transfer *transfer, int64_t errcode, struct verdict *verdict)
{
    char code[CODE_BYTES];
    snprintf(code, sizeof code, "%" PRId64, errcode);
    const struct code_rule *rule = code_find(transfer->account->provider->codes, str_from_c(code));
    if (rule != NULL) {
        verdict_by_rule(verdict, rule, str_from_c(code));
        return;
    }
    memset(verdict, 0, sizeof *verdict);
    verdict->outcome = CHANNEL_REFUSED;
    verdict->reason = "refused";
    snprintf(verdict->code, sizeof verdict->code, "%s", code);
    snprintf(verdict->detail, sizeof verdict->detail, "the provider refused with code %s", code);
}

/* True: errcode is 0 and `root` is the answer, until the next parse. */
bool errcode_read(struct transfer *transfer, bool is_repeatable, json_value *root,
                  struct verdict *verdict)
{
    str body = buffer_str(&transfer->answer.body);
    if (transfer->answer.status != 200) {
        verdict_by_status(transfer, is_repeatable, verdict);
        return false;
    }
    if (json_parse(transfer->channels->answer_parser, body, root, NULL) != ERR_OK ||
        json_kind(json_get(*root, STR("errcode"))) != JSON_INT) {
        verdict_garbage(transfer, is_repeatable, verdict);
        return false;
    }
    int64_t errcode = json_int(json_get(*root, STR("errcode")), -1);
    if (errcode == 0)
        return true;
    tell_code(transfer, errcode, verdict);
    return false;
}

bool errcode_read_token(struct transfer *transfer, char *token, int64_t *lifetime_s,
                        struct verdict *verdict)
{
    json_value root;
    str body = buffer_str(&transfer->answer.body);
    if (transfer->answer.status != 200) {
        verdict_by_status(transfer, true, verdict);
        return false;
    }
    if (json_parse(transfer->channels->answer_parser, body, &root, NULL) != ERR_OK) {
        verdict_garbage(transfer, true, verdict);
        return false;
    }
    int64_t errcode = json_int(json_get(root, STR("errcode")), 0);
    str text = json_text(json_get(root, STR("access_token")));
    *lifetime_s = json_int(json_get(root, STR("expires_in")), 0);
    if (errcode != 0) {
        tell_code(transfer, errcode, verdict);
        return false;
    }
    if (text.size == 0 || text.size >= TOKEN_BYTES_MAX || *lifetime_s <= 0) {
        verdict_garbage(transfer, true, verdict);
        return false;
    }
    memcpy(token, text.data, text.size);
    token[text.size] = '\0';
    return true;
}

/* A new token is proof enough: app, secret and our address are good. */
err token_test(struct channels *channels, struct account *account, struct buffer *answer,
               struct problem *problem)
{
    struct call call;
    call_init(&call, account);
    call.only_token = true;
    err error = call_perform(channels, &call, problem);
    call_deinit(&call);
    if (error == ERR_OK)
        buffer_append_str(answer, STR("{\"ok\":true}"));
    return error;
}

err errcode_check_key(const struct settings *settings, struct problem *problem)
{
    str key = setting_text(settings, AES_KEY);
    if (key.size == 0 || envelope_key_is_good(key))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE,
                "setting 'encoding_aes_key' is not 43 characters of base64");
    return problem_at(problem, ERR_UNPROCESSABLE, "/settings/encoding_aes_key");
}
