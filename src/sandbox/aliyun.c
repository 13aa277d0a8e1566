/* SPDX-License-Identifier: Apache-2.0 */
/* Aliyun SMS, version 2017-05-25: signatures V3 in headers and V1 in parameters; SendSms, SendBatchSms, QuerySendDetails, templates. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

#define PHONES_MAX 1000
#define BATCH_MAX 100
#define NONCE 60

struct request {
    struct call *call;
    struct account *account;
    struct params all; /* of the query and the form */
    str action;
};

static str param(const struct request *request, const char *name)
{
    return params_get(&request->all, str_from_c(name));
}

/* ---- answers ---- */

static void write_id(struct request *request, struct json_writer *writer)
{
    char id[40];
    snprintf(id, sizeof id, "%08llX-0000-4000-8000-%012llX",
             (unsigned long long)(random_next(&request->call->sandbox->random) & 0xffffffffU),
             (unsigned long long)++request->call->sandbox->number & 0xffffffffffffU);
    json_member_text(writer, STR("RequestId"), str_from_c(id));
}

static void answer(struct request *request, int status, const char *code, const char *message,
                   str biz_id)
{
    struct json_writer writer;
    struct call *call = request->call;
    call->status = status;
    buffer_clear(&call->out);
    json_writer_init(&writer, &call->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("Code"), str_from_c(code));
    json_member_text(&writer, STR("Message"), str_from_c(message));
    if (biz_id.size > 0)
        json_member_text(&writer, STR("BizId"), biz_id);
    write_id(request, &writer);
    json_end_object(&writer);
    if (request->account != NULL && strcmp(code, "OK") != 0)
        request->account->refused++;
}

static void refuse(struct request *request, const char *code, const char *message)
{
    answer(request, 200, code, message, STR_NONE);
}

/* ---- who asks ---- */

static str credential_of(str authorization)
{
    str wanted = STR("ACS3-HMAC-SHA256 Credential=");
    if (!str_starts_with(authorization, wanted))
        return STR_NONE;
    str rest = str_slice(authorization, wanted.size, authorization.size);
    return str_slice(rest, 0, str_find_byte(rest, ','));
}

/* A nonce is good once. */
static bool use_nonce(struct request *request, str nonce)
{
    struct map *names = &request->call->sandbox->by_name;
    hash128 key = name_hash(NONCE, request->account, nonce, STR_NONE, STR_NONE);
    if (nonce.size == 0 || map_get(names, key) != NULL)
        return false;
    return map_put(names, key, request->account) == ERR_OK;
}

static bool sign_in(struct request *request)
{
    struct call *call = request->call;
    bool is_v3 = call->header(call, "x-acs-action").size > 0;
    str id =
        is_v3 ? credential_of(call->header(call, "authorization")) : param(request, "AccessKeyId");
    request->account = id.size > 0 ? account_of(call->sandbox, KIND_ALIYUN, id) : NULL;
    if (request->account == NULL) {
        answer(request, 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.",
               STR_NONE);
        return false;
    }
    str secret = str_from_c(request->account->secret);
    const char *wrong =
        is_v3 ? acs3_check(call, &call->params, secret) : acs1_check(call, &request->all, secret);
    if (wrong != NULL) {
        answer(request, 400, wrong, "Specified signature is not matched with our calculation.",
               STR_NONE);
        return false;
    }
    str nonce =
        is_v3 ? call->header(call, "x-acs-signature-nonce") : param(request, "SignatureNonce");
    if (!use_nonce(request, nonce)) {
        answer(request, 400, "SignatureNonceUsed", "Specified signature nonce was used already.",
               STR_NONE);
        return false;
    }
    request->action = is_v3 ? call->header(call, "x-acs-action") : param(request, "Action");
    str version = is_v3 ? call->header(call, "x-acs-version") : param(request, "Version");
    if (!str_equal(version, STR("2017-05-25"))) {
        answer(request, 400, "InvalidVersion", "Specified parameter Version is not valid.",
               STR_NONE);
        return false;
    }
    return true;
}

/* ---- sending ---- */

struct text {
    str phone, sign, code, params; /* params: JSON text */
};

static const struct {
    const char *limit, *code, *message;
} limits[] = {
    { "text", "isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1" },
    { "hour", "isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits" },
    { "day", "isv.DAY_LIMIT_CONTROL", "触发天级流控Permits" },
};

/* The text as it would arrive; false after an answer. */
static bool compose(struct request *request, const struct text *text, struct buffer *out)
{
    struct sandbox *sandbox = request->call->sandbox;
    struct sms_template *template = sms_template_find(sandbox, KIND_ALIYUN, text->code);
    json_value values = { 0 };
    if (text->params.size > 0 &&
        (json_parse(sandbox->scratch, text->params, &values, NULL) != ERR_OK ||
         !json_is_object(values))) {
        refuse(request, "isv.INVALID_JSON_PARAM", "JSON参数不合法");
        return false;
    }
    if (template == NULL && sandbox->settings[SETTING_STRICT] != 0) {
        refuse(request, "isv.SMS_TEMPLATE_ILLEGAL", "模板不合法(不存在或被拉黑)");
        return false;
    }
    if (template != NULL &&
        (template->is_refused || template->reviewed_ms > sandbox_now(sandbox))) {
        refuse(request, "isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板(未通过审核)");
        return false;
    }
    buffer_printf(out, "【" STR_FMT "】", STR_ARG(text->sign));
    if (template == NULL)
        buffer_printf(out, STR_FMT " " STR_FMT, STR_ARG(text->code), STR_ARG(text->params));
    else if (!sms_fill(template, values, false, out)) {
        refuse(request, "isv.TEMPLATE_MISSING_PARAMETERS", "模板变量中存在未赋值变量");
        return false;
    }
    return true;
}

static bool check_text(struct request *request, const struct text *text, char phone[24])
{
    if (text->sign.size == 0 || text->sign.size > 64)
        refuse(request, "isv.SMS_SIGNATURE_ILLEGAL", "签名不合法(不存在或被拉黑)");
    else if (text->code.size == 0)
        refuse(request, "isv.SMS_TEMPLATE_ILLEGAL", "模板不合法(不存在或被拉黑)");
    else if (!sandbox_phone(text->phone, phone))
        refuse(request, "isv.MOBILE_NUMBER_ILLEGAL", "非法手机号");
    else
        return true;
    return false;
}

static bool is_within_limits(struct request *request, str phone, str content)
{
    const char *limit = phone_over_limit(request->call->sandbox, request->account, phone, content);
    for (size_t i = 0; limit != NULL && i < 3; i++)
        if (strcmp(limits[i].limit, limit) == 0)
            refuse(request, limits[i].code, limits[i].message);
    return limit == NULL;
}

static bool send_one(struct request *request, const struct text *text, str biz_id, str out_id)
{
    struct sandbox *sandbox = request->call->sandbox;
    struct buffer content;
    char phone[24];
    if (!check_text(request, text, phone))
        return false;
    buffer_init(&content, 65536);
    bool done = compose(request, text, &content) &&
                is_within_limits(request, str_from_c(phone), buffer_str(&content));
    if (done) {
        struct take take = { .kind = KIND_ALIYUN,
                             .account = request->account,
                             .recipient = str_from_c(phone),
                             .form = text->code,
                             .key = out_id,
                             .id = biz_id,
                             .content = buffer_str(&content) };
        sms_report(sandbox, request->account, taken_add(sandbox, &take));
    }
    buffer_deinit(&content);
    return done;
}

static void make_biz_id(struct sandbox *sandbox, char out[40])
{
    snprintf(out, 40, "%lld%09llu^0", (long long)(sandbox_now(sandbox) / 1000),
             (unsigned long long)++sandbox->number);
}

static size_t count_phones(str phones)
{
    size_t count = 0;
    str phone;
    while (str_split(&phones, ',', &phone))
        count++;
    return count;
}

static void send_sms(struct request *request)
{
    str phones = param(request, "PhoneNumbers"), phone, out_id = param(request, "OutId");
    struct text text = { .sign = param(request, "SignName"),
                         .code = param(request, "TemplateCode"),
                         .params = param(request, "TemplateParam") };
    char biz_id[40];
    size_t count = count_phones(phones);
    if (count == 0 || count > PHONES_MAX) {
        refuse(request, count == 0 ? "isv.MOBILE_NUMBER_ILLEGAL" : "isv.MOBILE_COUNT_OVER_LIMIT",
               "手机号码数量不合法");
        return;
    }
    make_biz_id(request->call->sandbox, biz_id);
    while (str_split(&phones, ',', &phone)) {
        text.phone = phone;
        if (!send_one(request, &text, str_from_c(biz_id), out_id))
            return;
    }
    answer(request, 200, "OK", "OK", str_from_c(biz_id));
}

static void send_batch(struct request *request)
{
    struct sandbox *sandbox = request->call->sandbox;
    struct buffer all;
    json_value lists, phones, signs, params;
    char biz_id[40];
    buffer_init(&all, SANDBOX_BODY_BYTES_MAX);
    str given = param(request, "TemplateParamJson");
    buffer_printf(
        &all, "[" STR_FMT "," STR_FMT "," STR_FMT "]", STR_ARG(param(request, "PhoneNumberJson")),
        STR_ARG(param(request, "SignNameJson")), STR_ARG(given.size > 0 ? given : STR("[]")));
    if (json_parse(sandbox->parser, buffer_str(&all), &lists, NULL) != ERR_OK) {
        buffer_deinit(&all);
        refuse(request, "isv.INVALID_JSON_PARAM", "JSON参数不合法");
        return;
    }
    buffer_deinit(&all);
    phones = json_at(lists, 0);
    signs = json_at(lists, 1);
    params = json_at(lists, 2);
    size_t count = json_count(phones);
    if (count == 0 || count > BATCH_MAX || json_count(signs) != count ||
        (json_count(params) > 0 && json_count(params) != count)) {
        refuse(request, "isv.PARAM_LENGTH_LIMIT", "批量参数数量不一致");
        return;
    }
    make_biz_id(sandbox, biz_id);
    for (size_t i = 0; i < count; i++) {
        struct buffer values;
        buffer_init(&values, 65536);
        if (json_count(params) > 0)
            json_write_value(&values, json_at(params, i));
        struct text text = { .phone = json_text(json_at(phones, i)),
                             .sign = json_text(json_at(signs, i)),
                             .code = param(request, "TemplateCode"),
                             .params = buffer_str(&values) };
        bool done = send_one(request, &text, str_from_c(biz_id), param(request, "OutId"));
        buffer_deinit(&values);
        if (!done)
            return;
    }
    answer(request, 200, "OK", "OK", str_from_c(biz_id));
}

/* ---- asking ---- */

static void write_detail(struct json_writer *writer, const struct taken *taken, int64_t now_ms)
{
    char sent[20], received[20];
    bool is_known = taken->reported_ms <= now_ms;
    time_local(taken->at_ms, sent);
    time_local(taken->reported_ms, received);
    json_begin_object(writer);
    json_member_text(writer, STR("PhoneNum"),
                     str_slice(taken->recipient, 3, taken->recipient.size));
    json_member_int(writer, STR("SendStatus"),
                    !is_known                          ? 1
                    : taken->delivery == DELIVERY_DONE ? 3
                                                       : 2);
    json_member_text(writer, STR("SendDate"), str_from_c(sent));
    if (is_known) {
        json_member_text(writer, STR("ReceiveDate"), str_from_c(received));
        json_member_text(writer, STR("ErrCode"), str_from_c(taken->code));
    }
    json_member_text(writer, STR("OutId"), taken->key);
    json_member_text(writer, STR("TemplateCode"), taken->form);
    json_member_text(writer, STR("Content"), taken->content);
    json_end_object(writer);
}

/* Of those whose content is kept: the newest first. */
static void query_details(struct request *request)
{
    struct sandbox *sandbox = request->call->sandbox;
    struct json_writer writer;
    char phone[24], day[20];
    int64_t size = 0, page = 0, seen = 0;
    str biz_id = param(request, "BizId"), date = param(request, "SendDate");
    if (!sandbox_phone(param(request, "PhoneNumber"), phone) || date.size != 8 ||
        !str_to_int64(param(request, "PageSize"), &size) || size < 1 || size > 50 ||
        !str_to_int64(param(request, "CurrentPage"), &page) || page < 1) {
        refuse(request, "isv.INVALID_PARAMETERS", "参数异常");
        return;
    }
    json_writer_init(&writer, &request->call->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("Code"), STR("OK"));
    json_member_text(&writer, STR("Message"), STR("OK"));
    json_put_key(&writer, STR("SmsSendDetailDTOs"));
    json_begin_object(&writer);
    json_put_key(&writer, STR("SmsSendDetailDTO"));
    json_begin_array(&writer);
    for (uint64_t seq = sandbox->taken.seq; seq > 0; seq--) {
        const struct taken *taken = taken_at(sandbox, seq);
        if (taken == NULL)
            break;
        time_local(taken->at_ms, day);
        bool is_day = memcmp(day, date.data, 4) == 0 && memcmp(day + 5, date.data + 4, 2) == 0 &&
                      memcmp(day + 8, date.data + 6, 2) == 0;
        if (taken->account != request->account || !is_day ||
            !str_equal(taken->recipient, str_from_c(phone)) ||
            (biz_id.size > 0 && !str_equal(taken->id, biz_id)))
            continue;
        if (seen / size == page - 1)
            write_detail(&writer, taken, sandbox_now(sandbox));
        seen++;
    }
    json_end_array(&writer);
    json_end_object(&writer);
    json_member_int(&writer, STR("TotalCount"), seen);
    write_id(request, &writer);
    json_end_object(&writer);
}

/* ---- templates ---- */

static void add_template(struct request *request)
{
    struct json_writer writer;
    char code[40];
    str content = param(request, "TemplateContent");
    if (content.size == 0 || content.size > 1000 || param(request, "TemplateName").size == 0) {
        refuse(request, "isv.INVALID_PARAMETERS", "参数异常");
        return;
    }
    snprintf(code, sizeof code, "SMS_%llu", 200000000ULL + ++request->call->sandbox->number);
    struct sms_template *template = sms_template_add(
        request->call->sandbox, KIND_ALIYUN, str_from_c(code), param(request, "TemplateName"),
        content, str_equal(param(request, "TemplateType"), STR("2")));
    if (template == NULL) {
        refuse(request, "isv.TEMPLATE_COUNT_OVER_LIMIT", "模板数量超限");
        return;
    }
    json_writer_init(&writer, &request->call->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("Code"), STR("OK"));
    json_member_text(&writer, STR("Message"), STR("OK"));
    json_member_text(&writer, STR("TemplateCode"), str_from_c(code));
    write_id(request, &writer);
    json_end_object(&writer);
}

static void query_template(struct request *request)
{
    struct json_writer writer;
    struct sandbox *sandbox = request->call->sandbox;
    const struct sms_template *template =
        sms_template_find(sandbox, KIND_ALIYUN, param(request, "TemplateCode"));
    if (template == NULL) {
        refuse(request, "isv.SMS_TEMPLATE_ILLEGAL", "模板不合法(不存在或被拉黑)");
        return;
    }
    bool is_reviewed = template->reviewed_ms <= sandbox_now(sandbox);
    json_writer_init(&writer, &request->call->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("Code"), STR("OK"));
    json_member_text(&writer, STR("Message"), STR("OK"));
    json_member_text(&writer, STR("TemplateCode"), str_from_c(template->code));
    json_member_text(&writer, STR("TemplateName"), str_from_c(template->name));
    json_member_text(&writer, STR("TemplateContent"), str_from_c(template->content));
    json_member_int(&writer, STR("TemplateType"), template->is_marketing ? 2 : 1);
    json_member_int(&writer, STR("TemplateStatus"),
                    !is_reviewed           ? 0
                    : template->is_refused ? 2
                                           : 1);
    json_member_text(&writer, STR("Reason"), is_reviewed ? str_from_c(template->reason) : STR_NONE);
    write_id(request, &writer);
    json_end_object(&writer);
}

static void run(struct request *request)
{
    str phones = param(request, "PhoneNumbers");
    struct call *call = request->call;
    char phone[24] = "";
    sandbox_phone(str_slice(phones, 0, str_find_byte(phones, ',')), phone);
    if (fault_strikes(call, KIND_ALIYUN, str_from_c(request->account->id), str_from_c(phone)))
        return;
    if (fault_code(call) != NULL) {
        refuse(request, fault_code(call), "refused by the sandbox");
        return;
    }
    if (account_over_rate(call->sandbox, request->account, request->action, SECOND_MS,
                          call->sandbox->settings[SETTING_SMS_RATE])) {
        answer(request, 400, "Throttling.User", "Request was denied due to user flow control.",
               STR_NONE);
        return;
    }
    if (str_equal(request->action, STR("SendSms")))
        send_sms(request);
    else if (str_equal(request->action, STR("SendBatchSms")))
        send_batch(request);
    else if (str_equal(request->action, STR("QuerySendDetails")))
        query_details(request);
    else if (str_equal(request->action, STR("AddSmsTemplate")))
        add_template(request);
    else if (str_equal(request->action, STR("QuerySmsTemplate")))
        query_template(request);
    else
        answer(request, 404, "InvalidAction.NotFound", "Specified api is not found.", STR_NONE);
}

void aliyun_dispatch(struct call *call)
{
    struct request request = { .call = call, .all = call->params };
    if (str_starts_with(call->header(call, "content-type"),
                        STR("application/x-www-form-urlencoded")))
        params_parse(&request.all, call->body, &call->arena);
    if (request.all.failed) {
        answer(&request, 400, "InvalidParameter", "The request cannot be read.", STR_NONE);
        return;
    }
    if (sign_in(&request))
        run(&request);
}
