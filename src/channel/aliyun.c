/* SPDX-License-Identifier: Apache-2.0 */
/* aliyun: SMS by dysmsapi 2017-05-25, signed with ACS3-HMAC-SHA256 (protocols §6.1). The idempotency key is the OutId: not
 * honoured, but found again by QuerySendDetails. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"

#define BATCH_MAX 100
#define VERSION "2017-05-25"
#define ASK_AGAIN_MS 2000

/* ---- signature ---- */

/* `query` is sorted and encoded already; `headers` are sorted by name. Appends the value of Authorization. */
void aliyun_sign(struct buffer *out, str key_id, str secret, str query,
                 const struct signed_header *headers, size_t count, str body)
{
    struct buffer canonical, names, text;
    char digest[SHA256_HEX_BYTES];
    uint8_t mac[SHA256_BYTES];
    buffer_init(&canonical, URL_BYTES_MAX * 4);
    buffer_init(&names, 1024);
    buffer_init(&text, 1024);
    buffer_printf(&canonical, "POST\n/\n" STR_FMT "\n", STR_ARG(query));
    for (size_t i = 0; i < count; i++) {
        buffer_printf(&canonical, "%s:" STR_FMT "\n", headers[i].name, STR_ARG(headers[i].value));
        buffer_printf(&names, "%s%s", i > 0 ? ";" : "", headers[i].name);
    }
    crypt_sha256_hex(body, digest);
    buffer_printf(&canonical, "\n" STR_FMT "\n%s", STR_ARG(buffer_str(&names)), digest);
    crypt_sha256_hex(buffer_str(&canonical), digest);
    buffer_printf(&text, "ACS3-HMAC-SHA256\n%s", digest);
    crypt_hmac_sha256(secret, buffer_str(&text), mac);
    crypt_hex(mac, sizeof mac, digest);
    buffer_printf(out,
                  "ACS3-HMAC-SHA256 Credential=" STR_FMT ",SignedHeaders=" STR_FMT ",Signature=%s",
                  STR_ARG(key_id), STR_ARG(buffer_str(&names)), digest);
    buffer_deinit(&canonical);
    buffer_deinit(&names);
    buffer_deinit(&text);
}

static str host_of(str url)
{
    size_t start = 0;
    while (start + 2 < url.size && memcmp(url.data + start, "://", 3) != 0)
        start++;
    str rest = str_slice(url, start + 3, url.size);
    return str_slice(rest, 0, str_find_byte(rest, '/'));
}

/* `query`: sorted name=value pairs, encoded. */
static void write_request(struct transfer *transfer, const char *action, str query)
{
    struct request *request = &transfer->request;
    const struct settings *settings = transfer->settings;
    struct buffer authorization;
    uint8_t chance[16];
    char nonce[33], date[TIME_TEXT_BYTES], body_digest[SHA256_HEX_BYTES];
    crypt_random(chance, sizeof chance);
    crypt_hex(chance, sizeof chance, nonce);
    time_format_utc(channel_now_ms(transfer->channels), date);
    memcpy(date + 19, "Z", 2); /* whole seconds */
    crypt_sha256_hex(buffer_str(&request->body), body_digest);
    bool has_body = request->body.size > 0;
    const struct signed_header headers[] = {
        { "content-type", STR("application/x-www-form-urlencoded") },
        { "host", host_of(settings->base_url) },
        { "x-acs-action", str_from_c(action) },
        { "x-acs-content-sha256", str_from_c(body_digest) },
        { "x-acs-date", str_from_c(date) },
        { "x-acs-signature-nonce", str_from_c(nonce) },
        { "x-acs-version", STR(VERSION) },
    };
    size_t first = has_body ? 0 : 1, count = sizeof headers / sizeof headers[0];
    buffer_init(&authorization, 4096);
    aliyun_sign(&authorization, setting_text(settings, ACCESS_KEY_ID),
                setting_text(settings, ACCESS_KEY_SECRET), query, headers + first, count - first,
                buffer_str(&request->body));
    buffer_printf(&request->url, STR_FMT "/", STR_ARG(settings->base_url));
    if (query.size > 0)
        buffer_printf(&request->url, "?" STR_FMT, STR_ARG(query));
    for (size_t i = first; i < count; i++)
        if (strcmp(headers[i].name, "host") != 0)
            request_header(request, "%s: " STR_FMT, headers[i].name, STR_ARG(headers[i].value));
    if (!has_body)
        request_header(request, "Content-Type:");
    request_header(request, "Accept: application/json");
    request_header(request, "Authorization: " STR_FMT, STR_ARG(buffer_str(&authorization)));
    buffer_deinit(&authorization);
}

static void put_pair(struct buffer *out, const char *name, str value)
{
    buffer_printf(out, "%s%s=", out->size > 0 ? "&" : "", name);
    crypt_url_encode(out, value);
}

/* ---- content ---- */

/* {"code":"1234"}; empty where the template has no values. */
static void write_params(struct buffer *out, const struct content *content)
{
    json_value params = content_nested(content, "params"), value;
    bool is_whole = !json_is_object(params);
    struct json_iterator iterator = json_iterate(is_whole ? content->root : params);
    struct json_writer writer;
    size_t count = 0, start = out->size;
    str name;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    while (json_next(&iterator, &name, &value)) {
        if (is_whole && !sms_is_value(name))
            continue;
        json_put_key(&writer, name);
        json_put_copy(&writer, value);
        count++;
    }
    json_end_object(&writer);
    if (count == 0 && !out->failed)
        out->size = start;
}

static str sign_name_of(const struct transfer *transfer, const struct content *content)
{
    str own = content_text(content, "sign_name");
    return own.size > 0 ? own : setting_text(transfer->settings, SIGN_NAME);
}

/* Mainland numbers without a country's code, others with it and without '+'. */
static str local_phone(const char *e164)
{
    str phone = str_from_c(e164);
    return str_starts_with(phone, STR("+86")) ? str_slice(phone, 3, phone.size)
                                              : str_slice(phone, 1, phone.size);
}

static bool build_single(struct transfer *transfer, const struct unit *unit,
                         const struct content *content, struct verdict *verdict)
{
    struct buffer query, params;
    char phone[24];
    str code = content_text(content, "template_code");
    code = code.size > 0 ? code : content_text(content, "template_id");
    if (!sms_phone(unit->message.recipient, phone))
        return verdict_refuse(verdict, "bad_recipient", "the recipient is not a mobile number");
    if (code.size == 0)
        return verdict_refuse(verdict, "bad_content", "no template is named");
    buffer_init(&query, URL_BYTES_MAX);
    buffer_init(&params, URL_BYTES_MAX / 4);
    write_params(&params, content);
    put_pair(&query, "OutId", str_from_c(unit->message.key));
    put_pair(&query, "PhoneNumbers", local_phone(phone));
    put_pair(&query, "SignName", sign_name_of(transfer, content));
    put_pair(&query, "TemplateCode", code);
    if (params.size > 0)
        put_pair(&query, "TemplateParam", buffer_str(&params));
    bool fits = !query.failed && !params.failed;
    if (fits)
        write_request(transfer, "SendSms", buffer_str(&query));
    buffer_deinit(&query);
    buffer_deinit(&params);
    return fits || verdict_refuse(verdict, "bad_content", "the values are too long");
}

struct lists {
    struct json_writer phones, signs, params;
    struct buffer phones_text, signs_text, params_text;
};

static bool put_member(struct transfer *transfer, const struct unit *unit, struct lists *lists,
                       struct content *content, struct verdict *verdict)
{
    struct buffer params;
    char phone[24];
    if (!content_open(transfer->channels, unit, content, verdict))
        return false;
    if (!sms_phone(unit->message.recipient, phone))
        return verdict_refuse(verdict, "bad_recipient", "a recipient is not a mobile number");
    buffer_init(&params, URL_BYTES_MAX);
    write_params(&params, content);
    json_put_text(&lists->phones, local_phone(phone));
    json_put_text(&lists->signs, sign_name_of(transfer, content));
    json_put_raw(&lists->params, params.size > 0 ? buffer_str(&params) : STR("{}"));
    buffer_deinit(&params);
    return true;
}

static bool put_members(struct transfer *transfer, const struct unit *unit, struct lists *lists,
                        struct content *content, struct verdict *verdict)
{
    for (const struct unit *member = unit->members; member != NULL; member = member->next)
        if (!put_member(transfer, member, lists, content, verdict))
            return false;
    return put_member(transfer, unit, lists, content, verdict);
}

static void lists_init(struct lists *lists)
{
    buffer_init(&lists->phones_text, REQUEST_BYTES_MAX);
    buffer_init(&lists->signs_text, REQUEST_BYTES_MAX);
    buffer_init(&lists->params_text, REQUEST_BYTES_MAX);
    json_writer_init(&lists->phones, &lists->phones_text);
    json_writer_init(&lists->signs, &lists->signs_text);
    json_writer_init(&lists->params, &lists->params_text);
    json_begin_array(&lists->phones);
    json_begin_array(&lists->signs);
    json_begin_array(&lists->params);
}

static bool build_batch(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    struct buffer *body = &transfer->request.body;
    struct content content;
    struct lists lists;
    lists_init(&lists);
    bool built = put_members(transfer, unit, &lists, &content, verdict);
    if (built) {
        str code = content_text(&content, "template_code");
        json_end_array(&lists.phones);
        json_end_array(&lists.signs);
        json_end_array(&lists.params);
        put_pair(body, "OutId", str_from_c(unit->message.key));
        put_pair(body, "PhoneNumberJson", buffer_str(&lists.phones_text));
        put_pair(body, "SignNameJson", buffer_str(&lists.signs_text));
        put_pair(body, "TemplateCode",
                 code.size > 0 ? code : content_text(&content, "template_id"));
        put_pair(body, "TemplateParamJson", buffer_str(&lists.params_text));
        write_request(transfer, "SendBatchSms", STR_NONE);
    }
    buffer_deinit(&lists.phones_text);
    buffer_deinit(&lists.signs_text);
    buffer_deinit(&lists.params_text);
    return built;
}

static bool build(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    struct content content;
    if (unit->members != NULL)
        return build_batch(transfer, unit, verdict);
    return content_open(transfer->channels, unit, &content, verdict) &&
           build_single(transfer, unit, &content, verdict);
}

/* Of one template; numbers that are none go alone, and are refused alone. */
static size_t batch(struct channels *channels, const struct unit *unit, uint64_t *key)
{
    struct content content;
    struct verdict verdict;
    char phone[24];
    if (!setting_bool(unit->account->live, BATCH) || !sms_phone(unit->message.recipient, phone) ||
        !content_open(channels, unit, &content, &verdict))
        return 0;
    str code = content_text(&content, "template_code");
    code = code.size > 0 ? code : content_text(&content, "template_id");
    *key = hash_bytes64(code.data, code.size, 1) | 1;
    return code.size > 0 ? BATCH_MAX : 0;
}

/* ---- answers ---- */

/* True: taken (Code OK), and `root` is the answer. */
static bool read_answer(struct transfer *transfer, json_value *root, struct verdict *verdict)
{
    str body = buffer_str(&transfer->answer.body);
    bool is_json = json_parse(transfer->channels->answer_parser, body, root, NULL) == ERR_OK;
    str code = is_json ? json_text(json_get(*root, STR("Code"))) : STR_NONE;
    if (code.size == 0) {
        if (transfer->answer.status == 200)
            verdict_garbage(transfer, false, verdict);
        else
            verdict_by_status(transfer, false, verdict);
        return false;
    }
    const struct code_rule *rule = code_find(&codes_aliyun, code);
    if (rule != NULL) {
        verdict_by_rule(verdict, rule, code);
        return rule->outcome == CHANNEL_SENT;
    }
    if (transfer->answer.status >= 500) {
        verdict_by_status(transfer, false, verdict);
        return false;
    }
    verdict->outcome = CHANNEL_REFUSED;
    verdict->reason = "refused";
    snprintf(verdict->code, sizeof verdict->code, STR_FMT, STR_ARG(code));
    snprintf(verdict->detail, sizeof verdict->detail, "the provider refused with code %s",
             verdict->code);
    return false;
}

static void name_one(struct unit *unit, str id)
{
    char phone[24];
    if (sms_phone(unit->message.recipient, phone))
        provider_id_of(unit->provider_id, id, str_from_c(phone));
}

static void judge(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    json_value root;
    if (!read_answer(transfer, &root, verdict))
        return;
    str id = json_text(json_get(root, STR("BizId")));
    name_one(unit, id);
    for (struct unit *member = unit->members; member != NULL; member = member->next)
        name_one(member, id);
    memcpy(verdict->provider_id, unit->provider_id, sizeof verdict->provider_id);
}

/* ---- asking ---- */

static bool can_ask(const struct unit *unit)
{
    return !setting_bool(unit->account->live, BATCH) && unit->members == NULL;
}

static bool build_ask(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    struct channels *channels = transfer->channels;
    int64_t now_ms = channel_now_ms(channels);
    int64_t into_day_ms = now_ms - zone_day_start_ms(channels->zone, now_ms);
    char phone[24], day[ZONE_DAY_BYTES], date[9];
    struct buffer query;
    if (!sms_phone(unit->message.recipient, phone))
        return verdict_refuse(verdict, "bad_recipient", "the recipient is not a mobile number");
    /* Just after midnight it may be among yesterday's. */
    if (unit->asks % 2 == 1 && into_day_ms < 2 * HOUR_MS)
        now_ms -= into_day_ms + 1;
    zone_format_day(channels->zone, now_ms, day);
    snprintf(date, sizeof date, "%.4s%.2s%.2s", day, day + 5, day + 8);
    buffer_init(&query, 1024);
    put_pair(&query, "CurrentPage", STR("1"));
    put_pair(&query, "PageSize", STR("50"));
    put_pair(&query, "PhoneNumber", local_phone(phone));
    put_pair(&query, "SendDate", str_from_c(date));
    write_request(transfer, "QuerySendDetails", buffer_str(&query));
    buffer_deinit(&query);
    return true;
}

static void judge_found(json_value item, struct verdict *verdict)
{
    int64_t status = json_int(json_get(item, STR("SendStatus")), 1);
    str code = json_text(json_get(item, STR("ErrCode")));
    const struct code_rule *rule = code_find(&codes_aliyun, code);
    verdict->outcome = status == 2   ? CHANNEL_REFUSED
                       : status == 3 ? CHANNEL_DELIVERED
                                     : CHANNEL_SENT;
    verdict->reason = status == 2   ? (rule != NULL ? rule->reason : "refused")
                      : status == 3 ? "delivered"
                                    : "sent";
    verdict->next = NEXT_DONE;
    snprintf(verdict->code, sizeof verdict->code, STR_FMT, STR_ARG(code));
}

static void judge_missing(const struct unit *unit, struct verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->outcome = CHANNEL_UNCERTAIN;
    verdict->reason = "may_have_been_sent";
    verdict->delay_ms = ASK_AGAIN_MS;
    snprintf(verdict->detail, sizeof verdict->detail, "the provider does not know it");
    /* Its lists lag behind: not there twice is not there. What timed out just now may still arrive. */
    bool is_second = unit->asks >= (unit->message.is_repeat ? 1U : 2U);
    verdict->next = !is_second ? NEXT_ASK : unit->message.is_repeat ? NEXT_SEND : NEXT_DONE;
}

static void judge_ask(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    json_value root, item;
    str key = str_from_c(unit->message.key);
    if (!read_answer(transfer, &root, verdict)) {
        verdict->outcome = CHANNEL_UNCERTAIN;
        return;
    }
    json_value list = json_get(json_get(root, STR("SmsSendDetailDTOs")), STR("SmsSendDetailDTO"));
    struct json_iterator iterator = json_iterate(list);
    while (json_next(&iterator, NULL, &item)) {
        if (!str_equal(json_text(json_get(item, STR("OutId"))), key))
            continue;
        memset(verdict, 0, sizeof *verdict);
        judge_found(item, verdict);
        return;
    }
    judge_missing(unit, verdict);
}

/* ---- receipts and replies ---- */

static void write_receipt(json_value item, struct json_writer *receipts)
{
    char phone[24] = "", id[PROVIDER_ID_BYTES];
    sms_phone(json_text(json_get(item, STR("phone_number"))), phone);
    provider_id_of(id, json_text(json_get(item, STR("biz_id"))), str_from_c(phone));
    struct sms_receipt receipt = { .phone = str_from_c(phone),
                                   .provider_id = str_from_c(id),
                                   .key = json_text(json_get(item, STR("out_id"))),
                                   .code = json_text(json_get(item, STR("err_code"))),
                                   .is_delivered = json_bool(json_get(item, STR("success")), false),
                                   .at_ms =
                                       sms_time(json_text(json_get(item, STR("report_time")))) };
    sms_put_receipt(receipts, &codes_aliyun, &receipt);
}

static void write_item(const struct settings *settings, json_value item,
                       struct json_writer *receipts, struct json_writer *events)
{
    char phone[24];
    str content = json_text(json_get(item, STR("content")));
    if (json_kind(json_get(item, STR("biz_id"))) == JSON_TEXT)
        write_receipt(item, receipts);
    else if (content.size > 0 && sms_phone(json_text(json_get(item, STR("phone_number"))), phone))
        sms_put_reply(settings, str_from_c(phone), content,
                      sms_time(json_text(json_get(item, STR("send_time")))), receipts, events);
}

static err callback(struct channels *channels, const struct settings *settings,
                    const struct channel_callback *came, struct channel_decoded *decoded,
                    struct problem *problem)
{
    struct json_writer receipts, events;
    struct json_parser *parser = NULL;
    json_value root, item;
    (void)channels;
    err error = sms_check_secret(settings, came, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, ANSWER_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, came->body, &root, problem);
    if (error == ERR_OK && json_kind(root) != JSON_ARRAY)
        error = problem_set(problem, ERR_INVALID, "receipts are a list");
    json_writer_init(&receipts, &decoded->receipts);
    json_writer_init(&events, &decoded->events);
    json_begin_array(&receipts);
    json_begin_array(&events);
    if (error == ERR_OK) {
        struct json_iterator iterator = json_iterate(root);
        while (json_next(&iterator, NULL, &item))
            write_item(settings, item, &receipts, &events);
        buffer_append_str(&decoded->reply, STR("{\"code\":0,\"msg\":\"接收成功\"}"));
    }
    json_end_array(&receipts);
    json_end_array(&events);
    decoded->reply_type = "application/json";
    json_parser_free(&parser);
    return error;
}

/* ---- trying it ---- */

static bool build_call(struct transfer *transfer, const struct call *call)
{
    char action[64];
    snprintf(action, sizeof action, STR_FMT, STR_ARG(call->path));
    write_request(transfer, action, call->body);
    return true;
}

/* A question about a number that nobody has: keys and rights are checked before it is answered. */
static err test(struct channels *channels, struct account *account, struct buffer *answer,
                struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct call call;
    json_value root;
    call_init(&call, account);
    call.path = STR("QuerySendDetails");
    call.body = STR("CurrentPage=1&PageSize=1&PhoneNumber=13000000000&SendDate=20240101");
    err error = call_perform(channels, &call, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, ANSWER_BYTES_MAX + 64);
    if (error == ERR_OK && json_parse(parser, buffer_str(&call.answer.body), &root, NULL) != ERR_OK)
        error = problem_set(problem, ERR_UNAVAILABLE, "the answer cannot be read (status %ld)",
                            call.answer.status);
    if (error == ERR_OK) {
        str code = json_text(json_get(root, STR("Code")));
        const struct code_rule *rule = code_find(&codes_aliyun, code);
        if (rule != NULL && (rule->flags & CODE_ACCOUNT) != 0)
            error = problem_set(problem, ERR_UNPROCESSABLE, "the provider refused: %s (%s)",
                                rule->en, rule->code);
    }
    if (error == ERR_OK)
        buffer_append_str(answer, STR("{\"ok\":true}"));
    json_parser_free(&parser);
    call_deinit(&call);
    return error;
}

const struct provider provider_aliyun = {
    .base_url = "https://dysmsapi.aliyuncs.com",
    .codes = &codes_aliyun,
    .build = build,
    .judge = judge,
    .can_ask = can_ask,
    .build_ask = build_ask,
    .judge_ask = judge_ask,
    .batch = batch,
    .build_call = build_call,
    .test = test,
    .callback = callback,
};
