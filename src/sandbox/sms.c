/* SPDX-License-Identifier: Apache-2.0 */
/* What Aliyun's and Tencent's texts have in common: phones, templates and their review, receipts. */
#include <stdio.h>
#include <string.h>

#include "sandbox/inside.h"
#include "template/template.h"

#define ZONE_MS (8 * HOUR_MS)

void time_local(int64_t time_ms, char out[20])
{
    char utc[TIME_TEXT_BYTES];
    time_format_utc(time_ms + ZONE_MS, utc);
    memcpy(out, utc, 19);
    out[10] = ' ';
    out[19] = '\0';
}

/* Mainland numbers: 11 digits, or with 86, +86, 0086 in front. */
bool sandbox_phone(str text, char out[24])
{
    static const char *const fronts[] = { "+86", "0086", "86" };
    for (size_t i = 0; i < 3; i++) {
        if (str_starts_with(text, str_from_c(fronts[i])) && text.size == 11 + strlen(fronts[i])) {
            text = str_slice(text, strlen(fronts[i]), text.size);
            break;
        }
    }
    if (text.size != 11 || text.data[0] != '1' || text.data[1] < '3')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    snprintf(out, 24, "+86" STR_FMT, STR_ARG(text));
    return true;
}

/* ---- templates ---- */

struct sms_template *sms_template_find(struct sandbox *sandbox, enum kind kind, str code)
{
    for (size_t i = 0; i < sandbox->template_count; i++)
        if (sandbox->templates[i]->kind == kind &&
            str_equal(code, str_from_c(sandbox->templates[i]->code)))
            return sandbox->templates[i];
    return NULL;
}

static void copy_text(char *out, size_t size, str text)
{
    text = str_slice(text, 0, str_utf8_prefix_bytes(text, size - 1));
    if (text.size > 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

/* "${name}" and "{1}" of the providers as values of a template of ours, which the lint can read. */
static void write_as_template(struct buffer *out, str content)
{
    size_t number = 0;
    for (size_t i = 0; i < content.size; i++) {
        bool is_dollar =
            content.data[i] == '$' && i + 1 < content.size && content.data[i + 1] == '{';
        bool is_brace = content.data[i] == '{';
        str rest = str_slice(content, i, content.size);
        size_t end = str_find_byte(rest, '}');
        if ((is_dollar || is_brace) && end < rest.size) {
            buffer_printf(out, "{{ v%zu }}", ++number);
            i += end;
        } else {
            buffer_append_byte(out, (uint8_t)content.data[i]);
        }
    }
}

/* The reviewers read it by the rules of the lint: the first error is their reason. */
static void review(struct sandbox *sandbox, struct sms_template *template)
{
    struct buffer text, parts, findings;
    json_value json, finding;
    size_t errors = 0;
    buffer_init(&text, 8192);
    buffer_init(&parts, 65536);
    buffer_init(&findings, 1 << 20);
    write_as_template(&text, str_from_c(template->content));
    buffer_append_str(&parts, STR("{\"text\":"));
    json_write_text(&parts, buffer_str(&text));
    buffer_append_byte(&parts, '}');
    if (json_parse(sandbox->scratch, buffer_str(&parts), &json, NULL) == ERR_OK &&
        template_lint(template->kind == KIND_ALIYUN ? STR("sms_aliyun") : STR("sms_tencent"),
                      template->is_marketing, json, &findings, &errors) == ERR_OK &&
        errors > 0 && json_parse(sandbox->scratch, buffer_str(&findings), &json, NULL) == ERR_OK) {
        struct json_iterator iterator = json_iterate(json);
        template->is_refused = true;
        while (template->reason[0] == '\0' && json_next(&iterator, NULL, &finding))
            if (str_equal(json_text(json_get(finding, STR("level"))), STR("error")))
                copy_text(template->reason, sizeof template->reason,
                          json_text(json_get(json_get(finding, STR("text")), STR("zh"))));
    }
    buffer_deinit(&text);
    buffer_deinit(&parts);
    buffer_deinit(&findings);
}

struct sms_template *sms_template_add(struct sandbox *sandbox, enum kind kind, str code, str name,
                                      str content, bool is_marketing)
{
    struct sms_template *template = sms_template_find(sandbox, kind, code);
    if (template == NULL) {
        if (sandbox->template_count == sizeof sandbox->templates / sizeof sandbox->templates[0])
            return NULL;
        template = arena_new(&sandbox->arena, struct sms_template);
        if (template == NULL)
            return NULL;
        sandbox->templates[sandbox->template_count++] = template;
    }
    *template = (struct sms_template){ .kind = kind, .is_marketing = is_marketing };
    copy_text(template->code, sizeof template->code, code);
    copy_text(template->name, sizeof template->name, name);
    copy_text(template->content, sizeof template->content, content);
    template->reviewed_ms = sandbox_now(sandbox) + sandbox->settings[SETTING_REVIEW_MS];
    review(sandbox, template);
    return template;
}

/* `${name}` of an object, `{1}` of a list. */
bool sms_fill(const struct sms_template *template, json_value values, bool by_number,
              struct buffer *out)
{
    str content = str_from_c(template->content);
    for (size_t i = 0; i < content.size; i++) {
        str rest = str_slice(content, i, content.size);
        size_t skip = by_number ? 1 : 2, end = str_find_byte(rest, '}');
        if (!str_starts_with(rest, by_number ? STR("{") : STR("${")) || end == rest.size) {
            buffer_append_byte(out, (uint8_t)content.data[i]);
            continue;
        }
        str name = str_slice(rest, skip, end);
        int64_t number = 0;
        json_value value = by_number && str_to_int64(name, &number) && number > 0
                               ? json_at(values, (size_t)number - 1)
                               : json_get(values, name);
        if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
            return false;
        if (json_kind(value) == JSON_TEXT)
            buffer_append_str(out, json_text(value));
        else
            json_write_value(out, value);
        i += end;
    }
    return true;
}

/* ---- receipts ---- */

static void write_aliyun(struct json_writer *writer, const struct taken *taken, int64_t due_ms)
{
    char sent[20], reported[20];
    time_local(taken->at_ms, sent);
    time_local(due_ms, reported);
    json_member_text(writer, STR("phone_number"),
                     str_slice(taken->recipient, 3, taken->recipient.size));
    json_member_text(writer, STR("send_time"), str_from_c(sent));
    json_member_text(writer, STR("report_time"), str_from_c(reported));
    json_member_bool(writer, STR("success"), taken->delivery == DELIVERY_DONE);
    json_member_text(writer, STR("err_code"), str_from_c(taken->code));
    json_member_text(writer, STR("err_msg"),
                     taken->delivery == DELIVERY_DONE ? STR("用户接收成功") : STR("发送失败"));
    json_member_text(writer, STR("sms_size"), STR("1"));
    json_member_text(writer, STR("biz_id"), taken->id);
    if (taken->key.size > 0)
        json_member_text(writer, STR("out_id"), taken->key);
}

static void write_tencent(struct json_writer *writer, const struct taken *taken, int64_t due_ms)
{
    char reported[20];
    bool done = taken->delivery == DELIVERY_DONE;
    time_local(due_ms, reported);
    json_member_text(writer, STR("user_receive_time"), str_from_c(reported));
    json_member_text(writer, STR("nationcode"), STR("86"));
    json_member_text(writer, STR("mobile"), str_slice(taken->recipient, 3, taken->recipient.size));
    json_member_text(writer, STR("report_status"), done ? STR("SUCCESS") : STR("FAIL"));
    json_member_text(writer, STR("errmsg"), str_from_c(taken->code));
    json_member_text(writer, STR("description"),
                     done ? STR("用户短信送达成功") : STR("短信接收失败"));
    json_member_text(writer, STR("sid"), taken->id);
}

/* For PullSmsSendStatus; the oldest go when nobody pulls. */
static void keep_to_pull(struct statuses_to_pull *pull, str text)
{
    size_t capacity = sizeof pull->texts / sizeof pull->texts[0];
    char *copy = memory_alloc(text.size + 1);
    if (copy == NULL)
        return;
    memcpy(copy, text.data, text.size);
    if (pull->count == capacity) {
        memory_free(pull->texts[pull->begin]);
        pull->begin = (pull->begin + 1) % capacity;
        pull->count--;
    }
    pull->texts[(pull->begin + pull->count++) % capacity] = copy;
}

static void write_pulled(struct json_writer *writer, const struct taken *taken, int64_t due_ms)
{
    bool done = taken->delivery == DELIVERY_DONE;
    json_member_int(writer, STR("UserReceiveTime"), due_ms / SECOND_MS);
    json_member_text(writer, STR("CountryCode"), STR("86"));
    json_member_text(writer, STR("SubscriberNumber"),
                     str_slice(taken->recipient, 3, taken->recipient.size));
    json_member_text(writer, STR("PhoneNumber"), taken->recipient);
    json_member_text(writer, STR("SerialNo"), taken->id);
    json_member_text(writer, STR("ReportStatus"), done ? STR("SUCCESS") : STR("FAIL"));
    json_member_text(writer, STR("Description"), str_from_c(taken->code));
    json_member_text(writer, STR("SessionContext"), taken->key);
}

void sms_report(struct sandbox *sandbox, struct account *account, struct taken *taken)
{
    struct buffer receipt;
    struct json_writer writer;
    int64_t spread = sandbox->settings[SETTING_RECEIPT_SPREAD_MS];
    int64_t due_ms = sandbox_now(sandbox) + sandbox->settings[SETTING_RECEIPT_MS] +
                     (spread > 0 ? (int64_t)random_below(&sandbox->random, (uint64_t)spread) : 0);
    const struct fault_rule *rule = fault_pick(sandbox, account->kind, str_from_c(account->id),
                                               taken->recipient, STR("delivery"), true);
    bool failed = rule != NULL && rule->what == FAULT_RECEIPT_FAILED;
    bool is_aliyun = account->kind == KIND_ALIYUN;
    taken->reported_ms = due_ms;
    taken->delivery = failed ? DELIVERY_FAILED : DELIVERY_DONE;
    snprintf(taken->code, sizeof taken->code, "%.39s",
             failed ? (rule->code[0] != '\0' ? rule->code : "UNDELIV")
                    : (is_aliyun ? "DELIVERED" : "DELIVRD"));
    if (account->callback_url[0] == '\0' && is_aliyun)
        return;
    buffer_init(&receipt, 8192);
    json_writer_init(&writer, &receipt);
    json_begin_object(&writer);
    if (account->callback_url[0] == '\0')
        write_pulled(&writer, taken, due_ms);
    else if (is_aliyun)
        write_aliyun(&writer, taken, due_ms);
    else
        write_tencent(&writer, taken, due_ms);
    json_end_object(&writer);
    if (account->callback_url[0] != '\0')
        callback_schedule(sandbox, account, taken->recipient, buffer_str(&receipt),
                          "application/json", true, due_ms);
    else
        keep_to_pull(&sandbox->to_pull, buffer_str(&receipt));
    buffer_deinit(&receipt);
}
