/* SPDX-License-Identifier: Apache-2.0 */
/* tencent: SMS by Tencent Cloud 2021-01-11, signed with TC3-HMAC-SHA256 (protocols §6.2). The idempotency key is the
 * SessionContext: not honoured, but it comes back with the status. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"

#define BATCH_MAX 200
#define PULL_MAX 100

/* ---- signature ---- */

static str bytes_of(const uint8_t bytes[SHA256_BYTES])
{
    return str_from_bytes(bytes, SHA256_BYTES);
}

/* Appends the value of Authorization. `host` without a port, as the provider's own libraries sign it. */
void tencent_sign(struct buffer *out, str secret_id, str secret_key, str service, str host,
                  int64_t now_s, str body)
{
    struct buffer text;
    char digest[SHA256_HEX_BYTES], date[TIME_TEXT_BYTES];
    uint8_t key[SHA256_BYTES], next[SHA256_BYTES];
    time_format_utc(now_s * 1000, date);
    date[10] = '\0';
    crypt_sha256_hex(body, digest);
    buffer_init(&text, 8192);
    buffer_printf(&text,
                  "POST\n/\n\ncontent-type:application/json\nhost:" STR_FMT
                  "\n\ncontent-type;host\n%s",
                  STR_ARG(host), digest);
    crypt_sha256_hex(buffer_str(&text), digest);
    buffer_clear(&text);
    buffer_printf(&text, "TC3" STR_FMT, STR_ARG(secret_key));
    crypt_hmac_sha256(buffer_str(&text), str_from_c(date), key);
    crypt_hmac_sha256(bytes_of(key), service, next);
    crypt_hmac_sha256(bytes_of(next), STR("tc3_request"), key);
    buffer_clear(&text);
    buffer_printf(&text, "TC3-HMAC-SHA256\n%" PRId64 "\n%s/" STR_FMT "/tc3_request\n%s", now_s,
                  date, STR_ARG(service), digest);
    crypt_hmac_sha256(bytes_of(key), buffer_str(&text), next);
    crypt_hex(next, sizeof next, digest);
    buffer_printf(out,
                  "TC3-HMAC-SHA256 Credential=" STR_FMT "/%s/" STR_FMT
                  "/tc3_request, SignedHeaders=content-type;host, Signature=%s",
                  STR_ARG(secret_id), date, STR_ARG(service), digest);
    buffer_deinit(&text);
}

static str host_of(str url)
{
    size_t start = 0;
    while (start + 2 < url.size && memcmp(url.data + start, "://", 3) != 0)
        start++;
    str rest = str_slice(url, start + 3, url.size);
    rest = str_slice(rest, 0, str_find_byte(rest, '/'));
    return str_slice(rest, 0, str_find_byte(rest, ':'));
}

/* The body is written; here is the rest. */
static void write_request(struct transfer *transfer, const char *action)
{
    struct request *request = &transfer->request;
    const struct settings *settings = transfer->settings;
    int64_t now_s = channel_now_ms(transfer->channels) / 1000;
    str host = host_of(settings->base_url);
    struct buffer authorization;
    buffer_init(&authorization, 4096);
    tencent_sign(&authorization, setting_text(settings, SECRET_ID),
                 setting_text(settings, SECRET_KEY), STR("sms"), host, now_s,
                 buffer_str(&request->body));
    buffer_printf(&request->url, STR_FMT "/", STR_ARG(settings->base_url));
    request_header(request, "Content-Type: application/json");
    request_header(request, "Host: " STR_FMT, STR_ARG(host)); /* as it is signed */
    request_header(request, "X-TC-Action: %s", action);
    request_header(request, "X-TC-Version: 2021-01-11");
    request_header(request, "X-TC-Region: " STR_FMT, STR_ARG(setting_text(settings, REGION)));
    request_header(request, "X-TC-Timestamp: %" PRId64, now_s);
    request_header(request, "Authorization: " STR_FMT, STR_ARG(buffer_str(&authorization)));
    buffer_deinit(&authorization);
}

/* ---- content ---- */

static void put_text_of(struct json_writer *writer, json_value value)
{
    char number[32];
    if (json_kind(value) == JSON_INT) {
        snprintf(number, sizeof number, "%" PRId64, json_int(value, 0));
        json_put_text(writer, str_from_c(number));
    } else {
        json_put_text(writer, json_text(value));
    }
}

/* By place: a list as it is; of an object the names 1, 2, 3 … */
static void put_params(struct json_writer *writer, const struct content *content)
{
    json_value params = content_nested(content, "params"), value;
    struct json_iterator iterator = json_iterate(params);
    json_put_key(writer, STR("TemplateParamSet"));
    json_begin_array(writer);
    if (json_kind(params) == JSON_ARRAY) {
        while (json_next(&iterator, NULL, &value))
            put_text_of(writer, value);
    } else {
        json_value from = json_is_object(params) ? params : content->root;
        for (int i = 1; i <= 100; i++) {
            char name[16];
            snprintf(name, sizeof name, "%d", i);
            value = json_get(from, str_from_c(name));
            if (json_kind(value) == JSON_MISSING)
                break;
            put_text_of(writer, value);
        }
    }
    json_end_array(writer);
}

static bool put_phones(struct json_writer *writer, const struct unit *unit, struct verdict *verdict)
{
    char phone[24];
    json_put_key(writer, STR("PhoneNumberSet"));
    json_begin_array(writer);
    for (const struct unit *one = unit; one != NULL;
         one = one == unit ? unit->members : one->next) {
        if (!sms_phone(one->message.recipient, phone))
            return verdict_refuse(verdict, "bad_recipient", "the recipient is not a mobile number");
        json_put_text(writer, str_from_c(phone));
    }
    json_end_array(writer);
    return true;
}

static bool build(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    struct json_writer writer;
    struct content content;
    if (!content_open(transfer->channels, unit, &content, verdict))
        return false;
    str template_ = content_text(&content, "template_id"),
        sign = content_text(&content, "sign_name");
    template_ = template_.size > 0 ? template_ : content_text(&content, "template_code");
    if (template_.size == 0)
        return verdict_refuse(verdict, "bad_content", "no template is named");
    json_writer_init(&writer, &transfer->request.body);
    json_begin_object(&writer);
    if (!put_phones(&writer, unit, verdict))
        return false;
    json_member_text(&writer, STR("SmsSdkAppId"), setting_text(transfer->settings, SDK_APP_ID));
    json_member_text(&writer, STR("TemplateId"), template_);
    json_member_text(&writer, STR("SignName"),
                     sign.size > 0 ? sign : setting_text(transfer->settings, SIGN_NAME));
    put_params(&writer, &content);
    if (unit->members == NULL)
        json_member_text(&writer, STR("SessionContext"), str_from_c(unit->message.key));
    json_end_object(&writer);
    write_request(transfer, "SendSms");
    return true;
}

/* The same content to several, all of the mainland or none. */
static size_t batch(struct channels *channels, const struct unit *unit, uint64_t *key)
{
    char phone[24];
    (void)channels;
    if (!sms_phone(unit->message.recipient, phone))
        return 0;
    bool is_mainland = strncmp(phone, "+86", 3) == 0;
    *key = hash_bytes64(unit->message.content.data, unit->message.content.size, is_mainland) | 1;
    return BATCH_MAX;
}

/* ---- answers ---- */

static void tell_code(str code, struct verdict *verdict)
{
    const struct code_rule *rule = code_find(&codes_tencent, code);
    if (rule != NULL) {
        verdict_by_rule(verdict, rule, code);
        return;
    }
    memset(verdict, 0, sizeof *verdict);
    verdict->outcome = CHANNEL_REFUSED;
    verdict->reason = "refused";
    snprintf(verdict->code, sizeof verdict->code, STR_FMT, STR_ARG(code));
    snprintf(verdict->detail, sizeof verdict->detail, "the provider refused with code %s",
             verdict->code);
}

/* True: `response` is the answer. */
static bool read_answer(struct transfer *transfer, json_value *response, struct verdict *verdict)
{
    json_value root;
    str body = buffer_str(&transfer->answer.body);
    bool is_json = json_parse(transfer->channels->answer_parser, body, &root, NULL) == ERR_OK;
    *response = is_json ? json_get(root, STR("Response")) : (json_value){ .document = NULL };
    if (!json_is_object(*response)) {
        if (transfer->answer.status == 200)
            verdict_garbage(transfer, false, verdict);
        else
            verdict_by_status(transfer, false, verdict);
        return false;
    }
    str code = json_text(json_get(json_get(*response, STR("Error")), STR("Code")));
    if (code.size == 0)
        return true;
    tell_code(code, verdict);
    return false;
}

static struct unit *find_member(struct unit *unit, str phone)
{
    char own[24];
    for (struct unit *one = unit; one != NULL; one = one == unit ? unit->members : one->next)
        if (sms_phone(one->message.recipient, own) && str_equal(phone, str_from_c(own)))
            return one;
    return NULL;
}

/* Each number has its own code and serial number; one that is not there is uncertain. */
static void judge(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    json_value response, item;
    size_t told = 0;
    if (!read_answer(transfer, &response, verdict))
        return;
    struct json_iterator iterator = json_iterate(json_get(response, STR("SendStatusSet")));
    while (json_next(&iterator, NULL, &item)) {
        struct unit *one = find_member(unit, json_text(json_get(item, STR("PhoneNumber"))));
        str code = json_text(json_get(item, STR("Code")));
        if (one == NULL)
            continue;
        told++;
        snprintf(one->provider_id, sizeof one->provider_id, STR_FMT,
                 STR_ARG(json_text(json_get(item, STR("SerialNo")))));
        if (one == unit && unit->members == NULL) {
            tell_code(code, verdict);
        } else {
            const struct code_rule *rule = code_find(&codes_tencent, code);
            one->rule = rule != NULL ? rule : code_find(&codes_tencent, STR("FailedOperation.*"));
        }
    }
    if (told < unit->member_count + 1)
        verdict_garbage(transfer, false, verdict);
    else if (unit->members != NULL)
        tell_code(STR("Ok"), verdict);
    /* A batch is told by members: none of it goes again as a whole. */
    if (unit->members != NULL)
        verdict->next = NEXT_DONE;
}

/* ---- statuses that wait at the provider: taken once, told to all whom they concern ---- */

static bool has_receiver(const struct account *account)
{
    return account->channels->config.receipts != NULL &&
           setting_text(account->live, CALLBACK_SECRET).size == 0;
}

static bool can_ask(const struct unit *unit)
{
    return unit->members == NULL && has_receiver(unit->account);
}

static void write_status(json_value item, struct json_writer *receipts)
{
    char phone[24] = "";
    str status = json_text(json_get(item, STR("ReportStatus")));
    sms_phone(json_text(json_get(item, STR("PhoneNumber"))), phone);
    struct sms_receipt receipt = { .phone = str_from_c(phone),
                                   .provider_id = json_text(json_get(item, STR("SerialNo"))),
                                   .key = json_text(json_get(item, STR("SessionContext"))),
                                   .code = status,
                                   .is_delivered = str_equal(status, STR("SUCCESS")),
                                   .at_ms =
                                       json_int(json_get(item, STR("UserReceiveTime")), 0) * 1000 };
    sms_put_receipt(receipts, &codes_tencent, &receipt);
}

static void write_pull(struct buffer *body, const struct settings *settings)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_int(&writer, STR("Limit"), PULL_MAX);
    json_member_text(&writer, STR("SmsSdkAppId"), setting_text(settings, SDK_APP_ID));
    json_end_object(&writer);
}

static bool build_ask(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    (void)unit;
    (void)verdict;
    write_pull(&transfer->request.body, transfer->settings);
    write_request(transfer, "PullSmsSendStatus");
    return true;
}

static void judge_ask(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    json_value response, item;
    struct json_writer writer;
    struct buffer receipts;
    struct verdict found = { .outcome = CHANNEL_UNCERTAIN, .reason = "may_have_been_sent" };
    if (!read_answer(transfer, &response, verdict)) {
        verdict->outcome = CHANNEL_UNCERTAIN;
        return;
    }
    buffer_init(&receipts, ANSWER_BYTES_MAX);
    json_writer_init(&writer, &receipts);
    json_begin_array(&writer);
    struct json_iterator iterator = json_iterate(json_get(response, STR("PullSmsSendStatusSet")));
    while (json_next(&iterator, NULL, &item)) {
        write_status(item, &writer);
        if (!str_equal(json_text(json_get(item, STR("SessionContext"))),
                       str_from_c(unit->message.key)))
            continue;
        found.outcome = CHANNEL_SENT;
        found.reason = "sent";
        snprintf(found.provider_id, sizeof found.provider_id, STR_FMT,
                 STR_ARG(json_text(json_get(item, STR("SerialNo")))));
    }
    json_end_array(&writer);
    *verdict = found;
    follow_tell(transfer->channels, unit->account, buffer_str(&receipts));
    buffer_deinit(&receipts);
}

static bool build_call(struct transfer *transfer, const struct call *call)
{
    char action[64];
    snprintf(action, sizeof action, STR_FMT, STR_ARG(call->path));
    buffer_append_str(&transfer->request.body, call->body);
    write_request(transfer, action);
    return true;
}

/* One page of statuses; ERR_OK with what the provider said in `code` where it refused. */
static err pull(struct channels *channels, struct account *account, struct json_writer *receipts,
                char code[CODE_BYTES], size_t *count, struct problem *problem)
{
    struct settings *settings = account_settings(channels, account);
    struct json_parser *parser = NULL;
    struct buffer body;
    struct call call;
    json_value root, item;
    buffer_init(&body, 4096);
    call_init(&call, account);
    write_pull(&body, settings);
    call.path = STR("PullSmsSendStatus");
    call.body = buffer_str(&body);
    *count = 0;
    err error = call_perform(channels, &call, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, ANSWER_BYTES_MAX + 64);
    if (error == ERR_OK && json_parse(parser, buffer_str(&call.answer.body), &root, NULL) != ERR_OK)
        error = problem_set(problem, ERR_UNAVAILABLE, "the answer cannot be read (status %ld)",
                            call.answer.status);
    if (error == ERR_OK) {
        json_value response = json_get(root, STR("Response"));
        struct json_iterator iterator =
            json_iterate(json_get(response, STR("PullSmsSendStatusSet")));
        snprintf(code, CODE_BYTES, STR_FMT,
                 STR_ARG(json_text(json_get(json_get(response, STR("Error")), STR("Code")))));
        while (json_next(&iterator, NULL, &item)) {
            write_status(item, receipts);
            ++*count;
        }
    }
    json_parser_free(&parser);
    call_deinit(&call);
    buffer_deinit(&body);
    settings_give(settings);
    return error;
}

static bool follow(struct channels *channels, struct account *account, str provider_id,
                   struct json_writer *receipts)
{
    char code[CODE_BYTES];
    size_t count = PULL_MAX;
    struct problem problem;
    struct settings *settings = account_settings(channels, account);
    bool is_pushed = setting_text(settings, CALLBACK_SECRET).size > 0;
    (void)provider_id;
    settings_give(settings);
    if (is_pushed) /* they come by themselves */
        return true;
    for (int page = 0; page < 100 && count == PULL_MAX; page++)
        if (pull(channels, account, receipts, code, &count, &problem) != ERR_OK)
            break;
    return false;
}

static err test(struct channels *channels, struct account *account, struct buffer *answer,
                struct problem *problem)
{
    char code[CODE_BYTES] = "";
    struct json_writer writer;
    struct buffer receipts;
    size_t count;
    buffer_init(&receipts, ANSWER_BYTES_MAX);
    json_writer_init(&writer, &receipts);
    json_begin_array(&writer);
    err error = pull(channels, account, &writer, code, &count, problem);
    json_end_array(&writer);
    const struct code_rule *rule = code_find(&codes_tencent, str_from_c(code));
    if (error == ERR_OK && rule != NULL && (rule->flags & CODE_ACCOUNT) != 0)
        error = problem_set(problem, ERR_UNPROCESSABLE, "the provider refused: %s (%s)", rule->en,
                            code);
    if (error == ERR_OK)
        buffer_append_str(answer, STR("{\"ok\":true}"));
    follow_tell(channels, account, buffer_str(&receipts));
    buffer_deinit(&receipts);
    return error;
}

/* ---- receipts and replies that are pushed ---- */

static void write_pushed(const struct settings *settings, json_value item,
                         struct json_writer *receipts, struct json_writer *events)
{
    char raw[40], phone[24];
    str nation = json_text(json_get(item, STR("nationcode")));
    str mobile = json_text(json_get(item, STR("mobile"))),
        text = json_text(json_get(item, STR("text")));
    snprintf(raw, sizeof raw, "+" STR_FMT STR_FMT, STR_ARG(str_slice(nation, 0, 4)),
             STR_ARG(str_slice(mobile, 0, 20)));
    if (!sms_phone(str_from_c(raw), phone))
        return;
    if (text.size > 0) {
        sms_put_reply(settings, str_from_c(phone), text,
                      json_int(json_get(item, STR("time")), 0) * 1000, receipts, events);
        return;
    }
    struct sms_receipt receipt = {
        .phone = str_from_c(phone),
        .provider_id = json_text(json_get(item, STR("sid"))),
        .code = json_text(json_get(item, STR("errmsg"))),
        .is_delivered = str_equal(json_text(json_get(item, STR("report_status"))), STR("SUCCESS")),
        .at_ms = sms_time(json_text(json_get(item, STR("user_receive_time"))))
    };
    sms_put_receipt(receipts, &codes_tencent, &receipt);
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
    json_writer_init(&receipts, &decoded->receipts);
    json_writer_init(&events, &decoded->events);
    json_begin_array(&receipts);
    json_begin_array(&events);
    if (error == ERR_OK && json_kind(root) == JSON_ARRAY) {
        struct json_iterator iterator = json_iterate(root);
        while (json_next(&iterator, NULL, &item))
            write_pushed(settings, item, &receipts, &events);
    } else if (error == ERR_OK && json_is_object(root)) {
        write_pushed(settings, root, &receipts, &events);
    } else if (error == ERR_OK) {
        error = problem_set(problem, ERR_INVALID, "receipts are a list, replies an object");
    }
    if (error == ERR_OK)
        buffer_append_str(&decoded->reply, STR("{\"result\":0,\"errmsg\":\"OK\"}"));
    json_end_array(&receipts);
    json_end_array(&events);
    decoded->reply_type = "application/json";
    json_parser_free(&parser);
    return error;
}

const struct provider provider_tencent = {
    .base_url = "https://sms.tencentcloudapi.com",
    .codes = &codes_tencent,
    .build = build,
    .judge = judge,
    .can_ask = can_ask,
    .build_ask = build_ask,
    .judge_ask = judge_ask,
    .batch = batch,
    .build_call = build_call,
    .follow = follow,
    .follow_as = "statuses",
    .test = test,
    .callback = callback,
};
