/* SPDX-License-Identifier: Apache-2.0 */
/* smtp: e-mail by libcurl. Until the final dot nothing was taken; after it, silence is uncertain. */
#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"
#include "channel/crypt.h"
#include "channel/events.h"
#include "channel/mail.h"

static err refuse(struct problem *problem, const char *name, const char *what)
{
    problem_set(problem, ERR_UNPROCESSABLE, "setting '%s' %s", name, what);
    return problem_at(problem, ERR_UNPROCESSABLE, "/settings/%s", name);
}

static bool is_host(str host)
{
    bool good = host.size > 0 && host.size <= 253;
    for (size_t i = 0; i < host.size && good; i++) {
        char c = host.data[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-';
    }
    return good;
}

static err check(const struct settings *settings, struct problem *problem)
{
    static const struct {
        enum setting setting;
        const char *name;
    } ADDRESSES[] = { { SETTING_FROM_, "from" },
                      { SETTING_REPLY_TO_, "reply_to" },
                      { SETTING_RETURN_PATH_, "return_path" },
                      { SETTING_UNSUBSCRIBE_MAIL_, "unsubscribe_mail" } };
    str security = setting_text(settings, SECURITY);
    if (!is_host(setting_text(settings, HOST)))
        return refuse(problem, "host", "is not a host's name");
    if (!str_equal(security, STR("tls")) && !str_equal(security, STR("starttls")) &&
        !str_equal(security, STR("none")))
        return refuse(problem, "security", "is none of tls, starttls, none");
    if (str_equal(security, STR("none")) && setting_text(settings, PASSWORD).size > 0 &&
        !settings->is_trusted)
        return refuse(problem, "security", "is none: the password would go in clear");
    for (size_t i = 0; i < sizeof ADDRESSES / sizeof ADDRESSES[0]; i++) {
        str address = settings->text[ADDRESSES[i].setting];
        if (address.size > 0 && !mail_is_address(address))
            return refuse(problem, ADDRESSES[i].name, "is not an address");
    }
    return ERR_OK;
}

/* The sandbox listens where its web side does, at the account's port. */
static void write_url(struct transfer *transfer)
{
    const struct settings *settings = transfer->settings;
    str host = setting_text(settings, HOST);
    bool is_tls = str_equal(setting_text(settings, SECURITY), STR("tls"));
    transfer->request.is_mail = true;
    if (setting_bool(settings, SANDBOX)) {
        str base = settings->base_url;
        size_t slash = str_find_byte(base, '/');
        host = str_slice(base, slash + 2, base.size);
        host = str_slice(host, 0, str_find_byte(host, ':'));
        is_tls = false;
    }
    buffer_printf(&transfer->request.url, "%s://" STR_FMT ":%lld", is_tls ? "smtps" : "smtp",
                  STR_ARG(host), (long long)setting_number(settings, PORT));
}

static str domain_of(str address)
{
    return str_slice(address, str_find_byte(address, '@') + 1, address.size);
}

/* "bounce@x.com" with a key → "bounce+key@x.com" */
static void write_return_path(struct request *request, const struct settings *settings,
                              const char *key)
{
    str path = setting_text(settings, RETURN_PATH);
    if (path.size == 0) {
        snprintf(request->mail_from, sizeof request->mail_from, "<" STR_FMT ">",
                 STR_ARG(setting_text(settings, FROM)));
        return;
    }
    snprintf(request->mail_from, sizeof request->mail_from, "<" STR_FMT "+%s@" STR_FMT ">",
             STR_ARG(str_slice(path, 0, str_find_byte(path, '@'))), key, STR_ARG(domain_of(path)));
}

static str either(str own, str otherwise)
{
    return own.size > 0 ? own : otherwise;
}

static bool add_recipient(struct request *request, str to)
{
    char line[300];
    snprintf(line, sizeof line, "<" STR_FMT ">", STR_ARG(to));
    request->mail_to = curl_slist_append(NULL, line);
    return request->mail_to != NULL;
}

static bool build(struct transfer *transfer, const struct unit *unit, struct verdict *verdict)
{
    const struct settings *settings = transfer->settings;
    const char *key = unit->message.key;
    str to = str_trim(unit->message.recipient), from = setting_text(settings, FROM);
    str unsubscribe = setting_text(settings, UNSUBSCRIBE_MAIL);
    char id[400], boundary[80], leave[400] = "";
    struct content content;
    if (!mail_is_address(to))
        return verdict_refuse(verdict, "bad_recipient", "the recipient is not an address");
    if (!content_open(transfer->channels, unit, &content, verdict))
        return false;
    snprintf(id, sizeof id, "%s@" STR_FMT, key, STR_ARG(domain_of(from)));
    snprintf(boundary, sizeof boundary, "=_kith_%s", key);
    if (unsubscribe.size > 0)
        snprintf(leave, sizeof leave, STR_FMT "+%s@" STR_FMT,
                 STR_ARG(str_slice(unsubscribe, 0, str_find_byte(unsubscribe, '@'))), key,
                 STR_ARG(domain_of(unsubscribe)));
    struct mail mail = {
        .from = from,
        .from_name = either(content_text(&content, "from_name"), setting_text(settings, FROM_NAME)),
        .to = to,
        .reply_to = either(content_text(&content, "reply_to"), setting_text(settings, REPLY_TO)),
        .subject = content_text(&content, "subject"),
        .text = content_text(&content, "text"),
        .html = content_text(&content, "html"),
        .message_id = str_from_c(id),
        .unsubscribe_url = content_text(&content, "unsubscribe_url"),
        .unsubscribe_mail = str_from_c(leave),
        .feedback_id = content_text(&content, "campaign"),
        .boundary = str_from_c(boundary),
        .now_ms = channel_now_ms(transfer->channels)
    };
    if (mail.subject.size == 0 || (mail.text.size == 0 && mail.html.size == 0))
        return verdict_refuse(verdict, "bad_content", "a mail has a subject, and a text or HTML");
    write_url(transfer);
    write_return_path(&transfer->request, settings, key);
    mail_write(&transfer->request.body, &mail);
    transfer->request.headers_failed = !add_recipient(&transfer->request, to);
    return true;
}

static void judge(struct transfer *transfer, struct unit *unit, struct verdict *verdict)
{
    const struct answer *answer = &transfer->answer;
    str from = setting_text(transfer->settings, FROM);
    char code[CODE_BYTES];
    snprintf(code, sizeof code, "%ld", answer->status);
    if (answer->status >= 200 && answer->status < 400) {
        verdict->outcome = CHANNEL_SENT;
        verdict->reason = "sent";
        snprintf(verdict->code, sizeof verdict->code, "%s", code);
        snprintf(verdict->provider_id, sizeof verdict->provider_id, "%s@" STR_FMT,
                 unit->message.key, STR_ARG(str_slice(domain_of(from), 0, 90)));
        return;
    }
    const struct code_rule *rule = code_find(&codes_smtp, str_from_c(answer->enhanced));
    /* The enhanced code says more, save where it only says 5.0.0. */
    if (rule == NULL || answer->enhanced[0] == '\0' || rule->code[1] == '*')
        rule = code_find(&codes_smtp, str_from_c(code));
    if (rule == NULL) {
        verdict_garbage(transfer, false, verdict);
        return;
    }
    verdict_by_rule(verdict, rule,
                    answer->enhanced[0] != '\0' ? str_from_c(answer->enhanced) : str_from_c(code));
}

/* ---- trying it: greeting, TLS, login ---- */

static bool build_call(struct transfer *transfer, const struct call *call)
{
    (void)call;
    write_url(transfer);
    return true;
}

static err test(struct channels *channels, struct account *account, struct buffer *answer,
                struct problem *problem)
{
    struct call call;
    call_init(&call, account);
    err error = call_perform(channels, &call, problem);
    if (call.answer.result == CURLE_LOGIN_DENIED)
        error =
            problem_set(problem, ERR_UNPROCESSABLE,
                        "the host refused user name and password (code %ld)", call.answer.status);
    if (error == ERR_OK)
        buffer_append_str(answer, STR("{\"ok\":true}"));
    call_deinit(&call);
    return error;
}

/* ---- what comes back: a mail as it is, posted to the account's address with its secret ---- */

/* The key in "local+key@domain" or "key@domain": 32 hexadecimal digits. */
static str key_of(str address)
{
    str local = str_slice(address, 0, str_find_byte(address, '@'));
    if (local.size < 32)
        return STR_NONE;
    str key = str_slice(local, local.size - 32, local.size);
    for (size_t i = 0; i < key.size; i++)
        if (strchr("0123456789abcdef", key.data[i]) == NULL || key.data[i] == '\0')
            return STR_NONE;
    return key;
}

static void put_receipt(struct json_writer *writer, str key, str recipient, const char *status,
                        str code, const char *reason)
{
    json_begin_object(writer);
    if (key.size > 0)
        json_member_text(writer, STR("key"), key);
    if (mail_is_address(recipient))
        json_member_text(writer, STR("recipient"), recipient);
    json_member_text(writer, STR("status"), str_from_c(status));
    json_member_text(writer, STR("code"), code);
    if (reason != NULL)
        json_member_text(writer, STR("reason"), str_from_c(reason));
    json_end_object(writer);
}

static str clean_code(str code)
{
    for (size_t i = 0; i < code.size; i++)
        if ((code.data[i] < '0' || code.data[i] > '9') && code.data[i] != '.')
            return str_slice(code, 0, i);
    return str_slice(code, 0, 16);
}

static void put_recipient(struct json_writer *writer, str key,
                          const struct mail_report_recipient *recipient)
{
    str code = clean_code(recipient->status);
    const struct code_rule *rule = code_find(&codes_smtp, code);
    bool is_delivered = str_equal_ignoring_case(recipient->action, STR("delivered"));
    bool is_failed = str_equal_ignoring_case(recipient->action, STR("failed")) ||
                     (recipient->action.size == 0 && str_starts_with(code, STR("5")));
    if (is_delivered)
        put_receipt(writer, key, recipient->address, "delivered", code, NULL);
    else if (is_failed) /* delayed, relayed: nothing is known yet */
        put_receipt(writer, key, recipient->address, "failed", code,
                    rule != NULL && rule->code[1] != '*' ? rule->reason : "bounced");
}

static void put_report(const struct settings *settings, const struct mail_report *report,
                       struct json_writer *receipts)
{
    str key = key_of(report->message_id), verp = key_of(report->to);
    str leave = setting_text(settings, UNSUBSCRIBE_MAIL);
    str box = str_slice(leave, 0, str_find_byte(leave, '@'));
    if (key.size == 0)
        key = verp;
    if (report->feedback.size > 0)
        put_receipt(receipts, key, STR_NONE, "unsubscribed", STR("complaint"), NULL);
    else if (report->count == 0 && verp.size > 0 && leave.size > 0 &&
             str_starts_with(report->to, box))
        put_receipt(receipts, verp, STR_NONE, "unsubscribed", STR("mail"), NULL);
    for (size_t i = 0; i < report->count; i++)
        put_recipient(receipts, key, &report->recipients[i]);
}

static err callback(struct channels *channels, const struct settings *settings,
                    const struct channel_callback *came, struct channel_decoded *decoded,
                    struct problem *problem)
{
    struct json_writer receipts;
    struct mail_report report;
    (void)channels;
    err error = sms_check_secret(settings, came, problem);
    if (error == ERR_OK && !str_is_utf8(came->body))
        error = problem_set(problem, ERR_INVALID, "the mail is not text");
    json_writer_init(&receipts, &decoded->receipts);
    json_begin_array(&receipts);
    if (error == ERR_OK) {
        mail_read_report(came->body, &report);
        put_report(settings, &report, &receipts);
    }
    json_end_array(&receipts);
    buffer_append_str(&decoded->events, STR("[]"));
    buffer_append_str(&decoded->reply, STR("ok"));
    decoded->reply_type = "text/plain";
    return error;
}

const struct provider provider_smtp = {
    .codes = &codes_smtp,
    .check = check,
    .build = build,
    .judge = judge,
    .build_call = build_call,
    .test = test,
    .callback = callback,
};
