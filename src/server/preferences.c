/* SPDX-License-Identifier: Apache-2.0 */
/* preferences: a customer's own page: what she agreed to, and one click to change it, without signing in.
 *
 *     /p/TOKEN    TOKEN = one_id without "c_" (13) · expiry in seconds (8 hex) · keyed hash of both (32 hex)
 *
 * Only this folder's key makes such a token, and a change of any character makes it none. It says who she is to Kith alone, and opens
 * nothing else. The page is HTML and inline style, runs no script, loads nothing; each button is a form of its own. GET changes nothing,
 * since scanners of mail follow links. */
#include <stdio.h>
#include <string.h>

#include "access/pace.h"
#include "base/digest.h"
#include "server/answer.h"
#include "server/package_page.h"
#include "server/person.h"
#include "server/view.h"

#define NAME_CHARACTERS 13
#define EXPIRY_CHARACTERS 8
#define HASH_CHARACTERS (2 * SEAL_HASH_BYTES)
#define TOKEN_CHARACTERS (NAME_CHARACTERS + EXPIRY_CHARACTERS + HASH_CHARACTERS)
#define LINK_DAYS_DEFAULT 180
#define CLICKS_PER_MINUTE 120
#define PACE_PREFERENCES UINT64_C(0x70726566)
#define TEXT_VERSION "preferences-1"

/* ---- the token ---- */

static void hash_token(const struct keys *keys, str signed_part, char out[HASH_CHARACTERS + 1])
{
    uint8_t hash[SEAL_HASH_BYTES];
    keys_hash(keys, STR("preferences"), signed_part, hash);
    hex_encode(hash, sizeof hash, out);
}

str preferences_path(struct request *request, uint32_t customer, int64_t expires_ms)
{
    const struct keys *keys = request->server->keys;
    char one_id[ONE_ID_BYTES + 1], hash[HASH_CHARACTERS + 1], path[TOKEN_CHARACTERS + 8];
    str copied;
    keys_one_id(keys, customer, one_id);
    int size = snprintf(path, sizeof path, "/p/%s%08llx", one_id + 2,
                        (unsigned long long)(expires_ms / 1000) & 0xffffffffu);
    hash_token(keys, str_from_bytes(path + 3, (size_t)size - 3), hash);
    snprintf(path + size, sizeof path - (size_t)size, "%s", hash);
    return arena_dup(&request->arena, str_from_c(path), &copied) == ERR_OK ? copied : STR_NONE;
}

/* Compared in a time that does not tell how much of it was right. */
static bool is_same(str one, const char *other)
{
    unsigned char different = 0;
    for (size_t i = 0; i < one.size; i++)
        different |= (unsigned char)(one.data[i] ^ other[i]);
    return different == 0;
}

static bool read_expiry(str hex, int64_t *seconds)
{
    *seconds = 0;
    for (size_t i = 0; i < hex.size; i++) {
        char byte = hex.data[i];
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_digit && !(byte >= 'a' && byte <= 'f'))
            return false;
        *seconds = *seconds * 16 + (is_digit ? byte - '0' : byte - 'a' + 10);
    }
    return true;
}

static bool read_token(struct request *request, str token, str *one_id)
{
    char expected[HASH_CHARACTERS + 1], name[ONE_ID_BYTES + 1];
    int64_t expires_s;
    size_t signed_size = NAME_CHARACTERS + EXPIRY_CHARACTERS;
    if (token.size != TOKEN_CHARACTERS)
        return false;
    hash_token(request->server->keys, str_slice(token, 0, signed_size), expected);
    if (!is_same(str_slice(token, signed_size, token.size), expected) ||
        !read_expiry(str_slice(token, NAME_CHARACTERS, signed_size), &expires_s) ||
        expires_s * 1000 <= server_now_ms(request->server))
        return false;
    snprintf(name, sizeof name, "c_%.*s", NAME_CHARACTERS, token.data);
    return arena_dup(&request->arena, str_from_c(name), one_id) == ERR_OK;
}

/* ---- whom and what the page is about ---- */

static const struct purpose_text {
    const char *purpose, *zh, *en;
} purposes[] = {
    { "marketing", "营销信息", "marketing messages" },
    { "sms", "短信", "text messages (SMS)" },
    { "email", "邮件", "e-mail" },
    { "wecom", "企业微信", "WeCom" },
    { "wechat", "微信公众号", "WeChat" },
    { PURPOSE_PERSONALISATION, "个性化推荐（按您的信息选择内容）",
      "personalisation (what you see is chosen by what is known of you)" },
};
#define PURPOSE_COUNT (sizeof purposes / sizeof purposes[0])

static const struct purpose_text *purpose_text(str purpose)
{
    for (size_t i = 0; i < PURPOSE_COUNT; i++)
        if (str_equal(purpose, str_from_c(purposes[i].purpose)))
            return &purposes[i];
    return NULL;
}

static const struct profile_consent_view *consent_of(const struct customer_view *view, str purpose)
{
    for (uint32_t i = 0; i < view->facts.consent_count; i++)
        if (str_equal(view->facts.consents[i].purpose, purpose))
            return &view->facts.consents[i];
    return NULL;
}

/* Nobody learns whether a wrong token was old, changed, or of somebody who is gone. */
static err find_her(struct request *request, struct customer_view *view, str *one_id,
                    struct problem *problem)
{
    str address = request->client_address;
    uint64_t key = hash_bytes64(address.data, address.size, PACE_PREFERENCES);
    if (!pace_permits(request->server->pace, key, CLICKS_PER_MINUTE, server_now_ms(request->server),
                      &request->retry_after_s))
        return problem_set(problem, ERR_BUSY, "more than %d requests a minute from this address",
                           CLICKS_PER_MINUTE);
    view_init(view, true);
    err error = read_token(request, request->parameters[0], one_id)
                    ? view_customer(request, *one_id, true, view, problem)
                    : ERR_NOT_FOUND;
    return error == ERR_NOT_FOUND
               ? problem_set(problem, ERR_NOT_FOUND, "this link leads nowhere, or its time is over")
               : error;
}

/* ---- the page ---- */

static bool is_english(struct request *request)
{
    str lang = request_query(request, STR("lang"));
    return str_equal(lang, STR("en"));
}

struct writing {
    struct buffer *out;
    bool english;
};

static void say(const struct writing *writing, const char *zh, const char *en)
{
    buffer_append_str(writing->out, str_from_c(writing->english ? en : zh));
}

static void write_button(const struct writing *writing, str purpose, bool grants, const char *zh,
                         const char *en)
{
    buffer_append_str(writing->out, STR("<form method=\"post\" action=\"?purpose="));
    page_write_text(writing->out, purpose);
    buffer_printf(writing->out, "&amp;granted=%s&amp;lang=%s\"><button type=\"submit\">",
                  grants ? "true" : "false", writing->english ? "en" : "zh");
    say(writing, zh, en);
    buffer_append_str(writing->out, STR("</button></form>"));
}

static void write_purpose(const struct writing *writing, const struct customer_view *view,
                          str purpose)
{
    const struct profile_consent_view *consent = consent_of(view, purpose);
    const struct purpose_text *text = purpose_text(purpose);
    /* Personalisation is on until she says no; the others count as she said. */
    bool is_personal = str_equal(purpose, STR(PURPOSE_PERSONALISATION));
    bool granted = consent != NULL ? consent->granted : is_personal;
    buffer_append_str(writing->out, STR("<tr><td>"));
    if (text != NULL)
        say(writing, text->zh, text->en);
    else
        page_write_text(writing->out, purpose);
    buffer_append_str(writing->out, STR("</td><td>"));
    if (consent == NULL && !is_personal)
        say(writing, "未选择", "not decided");
    else
        say(writing, granted ? "已同意" : "已拒绝", granted ? "yes" : "no");
    buffer_append_str(writing->out, STR("</td><td>"));
    if (granted || consent == NULL)
        write_button(writing, purpose, false, "拒绝", "say no");
    if (!granted)
        write_button(writing, purpose, true, "同意", "agree");
    buffer_append_str(writing->out, STR("</td></tr>"));
}

/* What others say of her is not decided on her page. */
static bool is_hers(str purpose)
{
    return !str_equal(purpose, STR(PURPOSE_PROCESSING)) &&
           !str_equal(purpose, STR(PURPOSE_GUARDIAN));
}

static void write_page(struct request *request, const struct customer_view *view, bool changed)
{
    struct writing writing = { .out = &request->out, .english = is_english(request) };
    request->content_type = "text/html; charset=utf-8";
    request->is_page = true;
    buffer_printf(
        &request->out,
        "<!doctype html><html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><style>"
        "body{font:16px/1.6 sans-serif;max-width:40em;margin:2em auto;padding:0 1em}"
        "table{width:100%%;border-collapse:collapse}td{border-bottom:1px solid #ddd;"
        "padding:.6em .3em}form{display:inline}button{font:inherit;padding:.3em .8em;"
        "margin-right:.4em}p.done{background:#e8f5e9;padding:.6em}</style><title>",
        writing.english ? "en" : "zh");
    say(&writing, "我的偏好", "My preferences");
    buffer_append_str(&request->out, STR("</title><body><h1>"));
    say(&writing, "我的偏好", "My preferences");
    buffer_append_str(&request->out, STR("</h1>"));
    if (changed) {
        buffer_append_str(&request->out, STR("<p class=\"done\">"));
        say(&writing, "已保存，立即生效。", "Saved; it holds from now on.");
        buffer_append_str(&request->out, STR("</p>"));
    }
    buffer_append_str(&request->out, STR("<table>"));
    for (size_t i = 0; i < PURPOSE_COUNT; i++)
        write_purpose(&writing, view, str_from_c(purposes[i].purpose));
    for (uint32_t i = 0; i < view->facts.consent_count; i++) {
        str purpose = view->facts.consents[i].purpose;
        if (purpose_text(purpose) == NULL && is_hers(purpose))
            write_purpose(&writing, view, purpose);
    }
    buffer_append_str(&request->out, STR("</table><p>"));
    write_button(&writing, STR("all"), false, "全部拒绝", "say no to all messages");
    buffer_printf(&request->out, "</p><p><a href=\"?lang=%s\">%s</a></p></body></html>",
                  writing.english ? "zh" : "en", writing.english ? "中文" : "English");
}

err route_preferences_get(struct request *request, struct problem *problem)
{
    struct customer_view view;
    str one_id;
    err error = find_her(request, &view, &one_id, problem);
    if (error == ERR_OK)
        write_page(request, &view, false);
    return error;
}

/* What may be decided here: what the page shows. */
static bool is_shown(const struct customer_view *view, str purpose)
{
    return is_hers(purpose) && (purpose_text(purpose) != NULL || consent_of(view, purpose) != NULL);
}

err route_preferences_post(struct request *request, struct problem *problem)
{
    struct customer_view view;
    str one_id, purpose = request_query(request, STR("purpose"));
    str granted = request_query(request, STR("granted"));
    bool all = str_equal(purpose, STR("all")), grants = str_equal(granted, STR("true"));
    err error = find_her(request, &view, &one_id, problem);
    if (error != ERR_OK)
        return error;
    if ((!grants && !str_equal(granted, STR("false"))) || (all && grants) ||
        (!all && !is_shown(&view, purpose)))
        return problem_set(problem, ERR_UNPROCESSABLE, "this cannot be chosen here");
    request->headers.idempotency_key = STR_NONE;
    error = all ? person_withdraw_all(request, one_id, "preference page: all", problem)
                : person_decide(request, view.root, purpose, grants, "preference page",
                                STR(TEXT_VERSION), problem);
    if (error == ERR_OK)
        error = find_her(request, &view, &one_id, problem);
    if (error == ERR_OK)
        write_page(request, &view, true);
    return error;
}

/* ---- its address ---- */

err route_preferences_link(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    uint32_t customer;
    int64_t days;
    err error = view_number(request, request->parameters[0], &customer, problem);
    if (error == ERR_OK)
        error =
            person_setting(request, "privacy.link_days", LINK_DAYS_DEFAULT, 3650, &days, problem);
    if (error != ERR_OK)
        return error;
    int64_t expires_ms = server_now_ms(request->server) + days * DAY_MS;
    str path = preferences_path(request, customer, expires_ms);
    if (path.size == 0)
        return ERR_NOMEM;
    request->status = 201;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("path"), path);
    json_member_time(&writer, STR("expires_at"), expires_ms / 1000 * 1000);
    json_end_object(&writer);
    return ERR_OK;
}
