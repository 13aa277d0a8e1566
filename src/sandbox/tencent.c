/* SPDX-License-Identifier: Apache-2.0 */
/* Tencent Cloud SMS, version 2021-01-11: TC3 signatures; SendSms, PullSmsSendStatus, templates. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"

#define PHONES_MAX 200

struct request {
    struct call *call;
    struct account *account;
    str action;
};

/* ---- answers ---- */

static void begin(struct request *request, struct json_writer *writer)
{
    json_writer_init(writer, &request->call->out);
    json_begin_object(writer);
    json_put_key(writer, STR("Response"));
    json_begin_object(writer);
}

static void end(struct request *request, struct json_writer *writer)
{
    char id[48];
    snprintf(id, sizeof id, "%08llx-0000-4000-8000-%012llx",
             (unsigned long long)(random_next(&request->call->sandbox->random) & 0xffffffffU),
             (unsigned long long)++request->call->sandbox->number & 0xffffffffffffU);
    json_member_text(writer, STR("RequestId"), str_from_c(id));
    json_end_object(writer);
    json_end_object(writer);
}

static void refuse(struct request *request, const char *code, const char *message)
{
    struct json_writer writer;
    buffer_clear(&request->call->out);
    begin(request, &writer);
    json_put_key(&writer, STR("Error"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("Code"), str_from_c(code));
    json_member_text(&writer, STR("Message"), str_from_c(message));
    json_end_object(&writer);
    end(request, &writer);
    if (request->account != NULL)
        request->account->refused++;
}

/* ---- who asks ---- */

static str secret_id_of(str authorization)
{
    str wanted = STR("TC3-HMAC-SHA256 Credential=");
    if (!str_starts_with(authorization, wanted))
        return STR_NONE;
    str rest = str_slice(authorization, wanted.size, authorization.size);
    return str_slice(rest, 0, str_find_byte(rest, '/'));
}

static bool sign_in(struct request *request)
{
    struct call *call = request->call;
    str id = secret_id_of(call->header(call, "authorization"));
    request->action = call->header(call, "x-tc-action");
    request->account = id.size > 0 ? account_of(call->sandbox, KIND_TENCENT, id) : NULL;
    if (request->account == NULL) {
        refuse(request, "AuthFailure.SecretIdNotFound", "The SecretId is not found.");
        return false;
    }
    const char *wrong = tc3_check(call, str_from_c(request->account->secret), id);
    if (wrong != NULL) {
        refuse(request, wrong, "The provided credentials could not be validated.");
        return false;
    }
    if (!str_equal(call->header(call, "x-tc-version"), STR("2021-01-11"))) {
        refuse(request, "NoSuchVersion", "The API version does not exist.");
        return false;
    }
    if (!call_json(call)) {
        refuse(request, "InvalidParameter", "The request is not valid JSON.");
        return false;
    }
    return true;
}

/* ---- sending ---- */

static void write_status(struct json_writer *writer, str serial, str phone, str context,
                         const char *code, const char *message)
{
    bool done = strcmp(code, "Ok") == 0;
    json_begin_object(writer);
    json_member_text(writer, STR("SerialNo"), done ? serial : STR_NONE);
    json_member_text(writer, STR("PhoneNumber"), phone);
    json_member_int(writer, STR("Fee"), done);
    json_member_text(writer, STR("SessionContext"), context);
    json_member_text(writer, STR("Code"), str_from_c(code));
    json_member_text(writer, STR("Message"), str_from_c(message));
    json_member_text(writer, STR("IsoCode"), STR("CN"));
    json_end_object(writer);
}

static const char *limit_code(const char *limit)
{
    if (strcmp(limit, "text") == 0)
        return "LimitExceeded.PhoneNumberThirtySecondLimit";
    return strcmp(limit, "hour") == 0 ? "LimitExceeded.PhoneNumberOneHourLimit"
                                      : "LimitExceeded.PhoneNumberDailyLimit";
}

/* Each phone has its own verdict. */
static void send_to(struct request *request, str given, str content, struct json_writer *writer)
{
    struct sandbox *sandbox = request->call->sandbox;
    str context = json_text(json_get(request->call->json, STR("SessionContext")));
    char phone[24], serial[60];
    if (!sandbox_phone(given, phone)) {
        write_status(writer, STR_NONE, given, context, "InvalidParameterValue.IncorrectPhoneNumber",
                     "incorrect phone number");
        return;
    }
    const char *limit = phone_over_limit(sandbox, request->account, str_from_c(phone), content);
    if (limit != NULL) {
        request->account->refused++;
        write_status(writer, STR_NONE, given, context, limit_code(limit),
                     "the number of sms messages sent to a single mobile number exceeds the limit");
        return;
    }
    snprintf(serial, sizeof serial, "5000:%llu%lld", (unsigned long long)++sandbox->number,
             (long long)sandbox_now(sandbox));
    struct take take = { .kind = KIND_TENCENT,
                         .account = request->account,
                         .recipient = str_from_c(phone),
                         .form = json_text(json_get(request->call->json, STR("TemplateId"))),
                         .key = context,
                         .id = str_from_c(serial),
                         .content = content };
    sms_report(sandbox, request->account, taken_add(sandbox, &take));
    write_status(writer, str_from_c(serial), given, context, "Ok", "send success");
}

static bool compose(struct request *request, struct buffer *content)
{
    struct sandbox *sandbox = request->call->sandbox;
    json_value json = request->call->json;
    str code = json_text(json_get(json, STR("TemplateId")));
    json_value values = json_get(json, STR("TemplateParamSet"));
    struct sms_template *template = sms_template_find(sandbox, KIND_TENCENT, code);
    bool is_unknown = template == NULL && sandbox->settings[SETTING_STRICT] != 0;
    if (code.size == 0 || is_unknown ||
        (template != NULL &&
         (template->is_refused || template->reviewed_ms > sandbox_now(sandbox)))) {
        refuse(request, "FailedOperation.TemplateIncorrectOrUnapproved",
               "template is not approved");
        return false;
    }
    buffer_printf(content, "【" STR_FMT "】", STR_ARG(json_text(json_get(json, STR("SignName")))));
    if (template == NULL) {
        buffer_printf(content, STR_FMT " ", STR_ARG(code));
        if (json_count(values) > 0)
            json_write_value(content, values);
    } else if (!sms_fill(template, values, true, content)) {
        refuse(request, "InvalidParameterValue.TemplateParameterFormatError",
               "a parameter is missing");
        return false;
    }
    return true;
}

static void send_sms(struct request *request)
{
    json_value json = request->call->json, phone;
    json_value phones = json_get(json, STR("PhoneNumberSet"));
    struct json_iterator iterator = json_iterate(phones);
    struct json_writer writer;
    struct buffer content;
    if (json_count(phones) == 0) {
        refuse(request, "MissingParameter", "PhoneNumberSet is missing");
        return;
    }
    if (json_count(phones) > PHONES_MAX) {
        refuse(request, "InvalidParameterValue.ContentLengthLimit",
               "a request has at most 200 phone numbers");
        return;
    }
    if (json_text(json_get(json, STR("SmsSdkAppId"))).size == 0) {
        refuse(request, "InvalidParameterValue.SdkAppIdNotExist", "SdkAppId not exist");
        return;
    }
    if (json_text(json_get(json, STR("SignName"))).size == 0) {
        refuse(request, "FailedOperation.SignatureIncorrectOrUnapproved",
               "signature is not approved");
        return;
    }
    if (json_text(json_get(json, STR("SessionContext"))).size > 512) {
        refuse(request, "InvalidParameterValue.ContentLengthLimit", "SessionContext is too long");
        return;
    }
    buffer_init(&content, 65536);
    if (compose(request, &content)) {
        begin(request, &writer);
        json_put_key(&writer, STR("SendStatusSet"));
        json_begin_array(&writer);
        while (json_next(&iterator, NULL, &phone))
            send_to(request, json_text(phone), buffer_str(&content), &writer);
        json_end_array(&writer);
        end(request, &writer);
    }
    buffer_deinit(&content);
}

/* ---- asking ---- */

static void pull_status(struct request *request)
{
    struct statuses_to_pull *pull = &request->call->sandbox->to_pull;
    size_t capacity = sizeof pull->texts / sizeof pull->texts[0];
    int64_t limit = json_int(json_get(request->call->json, STR("Limit")), 0);
    struct json_writer writer;
    if (limit < 1 || limit > 100) {
        refuse(request, "InvalidParameterValue.InvalidUsedMethod", "Limit is from 1 to 100");
        return;
    }
    begin(request, &writer);
    json_put_key(&writer, STR("PullSmsSendStatusSet"));
    json_begin_array(&writer);
    for (; limit > 0 && pull->count > 0; limit--) {
        char *text = pull->texts[pull->begin];
        json_put_raw(&writer, str_from_c(text));
        memory_free(text);
        pull->begin = (pull->begin + 1) % capacity;
        pull->count--;
    }
    json_end_array(&writer);
    end(request, &writer);
}

static void add_template(struct request *request)
{
    json_value json = request->call->json;
    struct json_writer writer;
    char code[40];
    snprintf(code, sizeof code, "%llu", 1000000ULL + ++request->call->sandbox->number);
    struct sms_template *template =
        sms_template_add(request->call->sandbox, KIND_TENCENT, str_from_c(code),
                         json_text(json_get(json, STR("TemplateName"))),
                         json_text(json_get(json, STR("TemplateContent"))),
                         json_int(json_get(json, STR("SmsType")), 0) == 1);
    if (template == NULL) {
        refuse(request, "LimitExceeded.TemplateLimit", "there are too many templates");
        return;
    }
    begin(request, &writer);
    json_put_key(&writer, STR("AddTemplateStatus"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("TemplateId"), str_from_c(code));
    json_end_object(&writer);
    end(request, &writer);
}

static void list_templates(struct request *request)
{
    struct sandbox *sandbox = request->call->sandbox;
    struct json_iterator iterator =
        json_iterate(json_get(request->call->json, STR("TemplateIdSet")));
    struct json_writer writer;
    json_value id;
    char code[40];
    begin(request, &writer);
    json_put_key(&writer, STR("DescribeTemplateStatusSet"));
    json_begin_array(&writer);
    while (json_next(&iterator, NULL, &id)) {
        snprintf(code, sizeof code, "%lld", (long long)json_int(id, 0));
        const struct sms_template *template =
            sms_template_find(sandbox, KIND_TENCENT, str_from_c(code));
        if (template == NULL)
            continue;
        bool is_reviewed = template->reviewed_ms <= sandbox_now(sandbox);
        json_begin_object(&writer);
        json_member_int(&writer, STR("TemplateId"), json_int(id, 0));
        json_member_int(&writer, STR("StatusCode"),
                        !is_reviewed           ? 1
                        : template->is_refused ? -1
                                               : 0);
        json_member_text(&writer, STR("ReviewReply"),
                         is_reviewed ? str_from_c(template->reason) : STR_NONE);
        json_member_text(&writer, STR("TemplateName"), str_from_c(template->name));
        json_member_text(&writer, STR("TemplateContent"), str_from_c(template->content));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    end(request, &writer);
}

void tencent_dispatch(struct call *call)
{
    struct request request = { .call = call };
    char phone[24] = "";
    if (!sign_in(&request))
        return;
    sandbox_phone(json_text(json_at(json_get(call->json, STR("PhoneNumberSet")), 0)), phone);
    if (fault_strikes(call, KIND_TENCENT, str_from_c(request.account->id), str_from_c(phone)))
        return;
    if (fault_code(call) != NULL) {
        refuse(&request, fault_code(call), "refused by the sandbox");
        return;
    }
    if (account_over_rate(call->sandbox, request.account, request.action, SECOND_MS,
                          call->sandbox->settings[SETTING_SMS_RATE])) {
        refuse(&request, "RequestLimitExceeded", "the rate limit is exceeded");
        return;
    }
    if (str_equal(request.action, STR("SendSms")))
        send_sms(&request);
    else if (str_equal(request.action, STR("PullSmsSendStatus")))
        pull_status(&request);
    else if (str_equal(request.action, STR("AddSmsTemplate")))
        add_template(&request);
    else if (str_equal(request.action, STR("DescribeSmsTemplateList")))
        list_templates(&request);
    else
        refuse(&request, "InvalidAction", "the action does not exist");
}
