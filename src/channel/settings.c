/* SPDX-License-Identifier: Apache-2.0 */
/* settings: reading an account's settings by the table, and showing the table. */
#include "channel/settings.h"

#include <stdio.h>
#include <string.h>

#include "channel/channel_inside.h"

#define SETTINGS_BYTES_MAX ((size_t)256 << 10)
#define TEXT_BYTES_MAX ((size_t)4096)

struct setting_row {
    const char *name;
    enum setting_type type;
    unsigned kinds, flags;
    const char *otherwise;
    int64_t least, most;
    const char *zh, *en;
};
static const struct setting_row ROWS[SETTING_COUNT] = {
#define X(NAME, text, type, kinds, flags, otherwise, least, most, zh, en) \
    { text, SETTING_##type, kinds, flags, otherwise, least, most, zh, en },
    SETTINGS(X)
#undef X
};
static const char *const TYPE_TEXTS[] = { "text", "number", "bool", "headers" };

static const struct channel_kind_info KINDS[CHANNEL_KIND_COUNT] = {
#define X(NAME, text, channel, key, ask, identifier)                               \
    { text,                                                                        \
      channel,                                                                     \
      identifier,                                                                  \
      key,                                                                         \
      ask,                                                                         \
      CHANNEL_##NAME == CHANNEL_CALL_CENTER || CHANNEL_##NAME == CHANNEL_COUPON || \
          CHANNEL_##NAME == CHANNEL_POINTS },
    CHANNEL_KINDS(X)
#undef X
};

const struct channel_kind_info *channel_kind_info(enum channel_kind kind)
{
    INVARIANT((unsigned)kind < CHANNEL_KIND_COUNT);
    return &KINDS[kind];
}

static const struct form_row {
    enum channel_kind kind;
    const char *text;
    bool honours_key, can_be_asked, is_hers;
} FORM_ROWS[] = {
#define X(NAME, text, key, ask, hers) { CHANNEL_##NAME, text, key, ask, hers },
    CHANNEL_FORMS(X)
#undef X
};

struct channel_form_info channel_form_info(enum channel_kind kind, str form)
{
    const struct channel_kind_info *info = channel_kind_info(kind);
    for (size_t i = 0; i < sizeof FORM_ROWS / sizeof FORM_ROWS[0]; i++) {
        const struct form_row *row = &FORM_ROWS[i];
        if (row->kind == kind && str_equal(form, str_from_c(row->text)))
            return (struct channel_form_info){ row->honours_key, row->can_be_asked,
                                               row->is_hers ? info->identifier_type : "" };
    }
    return (struct channel_form_info){ info->honours_key, info->can_be_asked,
                                       info->identifier_type };
}

bool channel_kind_find(str text, enum channel_kind *kind)
{
    for (int i = 0; i < CHANNEL_KIND_COUNT; i++) {
        if (str_equal(text, str_from_c(KINDS[i].text))) {
            *kind = (enum channel_kind)i;
            return true;
        }
    }
    return false;
}

/* ---- one value ---- */

static err refuse(struct problem *problem, const struct setting_row *row, const char *what)
{
    problem_set(problem, ERR_UNPROCESSABLE, "setting '%s' %s", row->name, what);
    return problem_at(problem, ERR_UNPROCESSABLE, "/settings/%s", row->name);
}

static bool has_control(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

static err read_text(struct settings *settings, enum setting setting, json_value value,
                     struct problem *problem)
{
    const struct setting_row *row = &ROWS[setting];
    str text = str_trim(json_text(value));
    if (json_kind(value) != JSON_TEXT)
        return refuse(problem, row, "is not a text");
    if (text.size > TEXT_BYTES_MAX)
        return refuse(problem, row, "is longer than 4096 bytes");
    if (has_control(text))
        return refuse(problem, row, "has a control character");
    if (text.size == 0)
        return ERR_OK;
    err error = arena_dup(&settings->arena, text, &settings->text[setting]);
    return error == ERR_OK ? ERR_OK : problem_set(problem, error, "no memory for settings");
}

static err read_number(struct settings *settings, enum setting setting, json_value value,
                       struct problem *problem)
{
    const struct setting_row *row = &ROWS[setting];
    int64_t number = json_int(value, INT64_MIN);
    if (json_kind(value) == JSON_TEXT && !str_to_int64(json_text(value), &number))
        number = INT64_MIN;
    if (number == INT64_MIN)
        return refuse(problem, row, "is not a whole number");
    if (number < row->least || number > row->most) {
        char what[96];
        snprintf(what, sizeof what, "is %lld, it may be %lld to %lld", (long long)number,
                 (long long)row->least, (long long)row->most);
        return refuse(problem, row, what);
    }
    settings->number[setting] = number;
    return ERR_OK;
}

static bool is_header_name(str name)
{
    bool good = name.size > 0 && name.size <= 100;
    for (size_t i = 0; i < name.size && good; i++) {
        char c = name.data[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    }
    return good;
}

static err read_lines(struct settings *settings, enum setting setting, json_value value,
                      struct problem *problem)
{
    const struct setting_row *row = &ROWS[setting];
    struct buffer lines;
    struct json_iterator iterator = json_iterate(value);
    str name;
    json_value item;
    err error = ERR_OK;
    if (!json_is_object(value))
        return refuse(problem, row, "is not an object of header and value");
    buffer_init(&lines, 16 << 10);
    while (error == ERR_OK && json_next(&iterator, &name, &item)) {
        if (!is_header_name(name) || json_kind(item) != JSON_TEXT || has_control(json_text(item)))
            error = refuse(problem, row, "has a name or a value that no header can have");
        buffer_printf(&lines, STR_FMT ": " STR_FMT "\n", STR_ARG(name), STR_ARG(json_text(item)));
    }
    if (error == ERR_OK && buffer_status(&lines) != ERR_OK)
        error = refuse(problem, row, "is longer than 16 KB");
    if (error == ERR_OK)
        error = arena_dup(&settings->arena, buffer_str(&lines), &settings->text[setting]);
    buffer_deinit(&lines);
    return error;
}

static err read_value(struct settings *settings, enum setting setting, json_value value,
                      struct problem *problem)
{
    const struct setting_row *row = &ROWS[setting];
    switch (row->type) {
    case SETTING_TEXT:
        return read_text(settings, setting, value, problem);
    case SETTING_NUMBER:
        return read_number(settings, setting, value, problem);
    case SETTING_BOOL:
        if (json_kind(value) != JSON_BOOL)
            return refuse(problem, row, "is not true or false");
        settings->number[setting] = json_bool(value, false);
        return ERR_OK;
    case SETTING_LINES:
        return read_lines(settings, setting, value, problem);
    }
    return ERR_INTERNAL;
}

/* ---- the whole ---- */

static void set_defaults(struct settings *settings)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        str otherwise = str_from_c(ROWS[i].otherwise);
        if (ROWS[i].type == SETTING_BOOL)
            settings->number[i] = str_equal(otherwise, STR("true"));
        else if (ROWS[i].type == SETTING_NUMBER)
            (void)str_to_int64(otherwise, &settings->number[i]);
        else
            settings->text[i] = otherwise;
    }
}

static err read_all(struct settings *settings, json_value value, struct problem *problem)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &ROWS[i];
        json_value item = json_get(value, str_from_c(row->name));
        enum json_kind kind = json_kind(item);
        if ((row->kinds & (1U << settings->kind)) == 0)
            continue;
        if (kind != JSON_MISSING && kind != JSON_NULL) {
            err error = read_value(settings, (enum setting)i, item, problem);
            if (error != ERR_OK)
                return error;
        }
        if ((row->flags & SETTING_REQUIRED) != 0 && settings->text[i].size == 0)
            return refuse(problem, row, "is missing");
    }
    return ERR_OK;
}

static str without_slash(str url)
{
    while (url.size > 0 && url.data[url.size - 1] == '/')
        url.size--;
    return url;
}

static err choose_url(struct settings *settings, const char *provider_url, const char *sandbox_url,
                      struct problem *problem)
{
    str own = without_slash(setting_text(settings, BASE_URL));
    settings->is_trusted = setting_bool(settings, ALLOW_PRIVATE);
    if (setting_bool(settings, SANDBOX)) {
        settings->is_trusted = true;
        settings->base_url = without_slash(str_from_c(sandbox_url));
        if (settings->base_url.size == 0)
            return problem_set(problem, ERR_UNPROCESSABLE,
                               "setting 'sandbox' is on, and this server knows no sandbox");
        return arena_dup(&settings->arena, settings->base_url, &settings->base_url);
    }
    settings->base_url = own.size > 0 ? own : str_from_c(provider_url);
    if (own.size == 0)
        return ERR_OK;
    err error = guard_check_url(own, settings->is_trusted, problem);
    return error != ERR_OK ? problem_at(problem, error, "/settings/base_url") : ERR_OK;
}

err settings_parse(struct settings **settings, enum channel_kind kind, json_value value,
                   const char *provider_url, const char *sandbox_url, struct problem *problem)
{
    struct settings *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for settings");
    made->references = 1;
    made->kind = kind;
    arena_init(&made->arena, "channel_settings", SETTINGS_BYTES_MAX);
    set_defaults(made);
    err error = read_all(made, value, problem);
    if (error == ERR_OK)
        error = choose_url(made, provider_url, sandbox_url, problem);
    if (error != ERR_OK) {
        settings_give(made);
        return error;
    }
    *settings = made;
    return ERR_OK;
}

struct settings *settings_take(struct settings *settings)
{
    atomic_fetch_add_explicit(&settings->references, 1, memory_order_relaxed);
    return settings;
}

void settings_give(struct settings *settings)
{
    if (settings == NULL || atomic_fetch_sub(&settings->references, 1) != 1)
        return;
    arena_deinit(&settings->arena);
    memory_free(settings);
}

/* ---- for people ---- */

static void write_words(struct json_writer *writer, const char *zh, const char *en)
{
    json_put_key(writer, STR("text"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
}

static void write_setting(struct json_writer *writer, const struct setting_row *row)
{
    json_begin_object(writer);
    json_member_text(writer, STR("name"), str_from_c(row->name));
    json_member_text(writer, STR("type"), str_from_c(TYPE_TEXTS[row->type]));
    json_member_bool(writer, STR("secret"), (row->flags & SETTING_SECRET) != 0);
    json_member_bool(writer, STR("required"), (row->flags & SETTING_REQUIRED) != 0);
    if (row->otherwise[0] != '\0') {
        json_put_key(writer, STR("default"));
        if (row->type == SETTING_TEXT)
            json_put_text(writer, str_from_c(row->otherwise));
        else
            json_put_raw(writer, str_from_c(row->otherwise));
    }
    if (row->type == SETTING_NUMBER) {
        json_member_int(writer, STR("least"), row->least);
        json_member_int(writer, STR("most"), row->most);
    }
    write_words(writer, row->zh, row->en);
    json_end_object(writer);
}

static const struct {
    const char *zh, *en;
} KIND_WORDS[CHANNEL_KIND_COUNT] = {
    [CHANNEL_WECOM] = { "企业微信", "WeCom" },
    [CHANNEL_OFFICIAL_ACCOUNT] = { "微信公众号", "WeChat official account" },
    [CHANNEL_MINI_PROGRAM] = { "小程序订阅消息", "mini-program subscription message" },
    [CHANNEL_SMS_ALIYUN] = { "阿里云短信", "SMS by Aliyun" },
    [CHANNEL_SMS_TENCENT] = { "腾讯云短信", "SMS by Tencent Cloud" },
    [CHANNEL_SMTP] = { "邮件 (SMTP)", "e-mail (SMTP)" },
    [CHANNEL_WEBHOOK] = { "Webhook", "webhook" },
    [CHANNEL_CALL_CENTER] = { "呼叫中心任务", "call-centre task" },
    [CHANNEL_COUPON] = { "优惠券", "coupon" },
    [CHANNEL_POINTS] = { "积分", "points" },
};

static void write_kind(struct json_writer *writer, enum channel_kind kind)
{
    const struct channel_kind_info *info = &KINDS[kind];
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), str_from_c(info->text));
    json_member_text(writer, STR("channel"), str_from_c(info->channel));
    json_member_text(writer, STR("identifier_type"), str_from_c(info->identifier_type));
    json_member_bool(writer, STR("honours_key"), info->honours_key);
    json_member_bool(writer, STR("can_be_asked"), info->can_be_asked);
    json_member_bool(writer, STR("internal"), info->is_internal);
    write_words(writer, KIND_WORDS[kind].zh, KIND_WORDS[kind].en);
    json_put_key(writer, STR("settings"));
    json_begin_array(writer);
    for (int i = 0; i < SETTING_COUNT; i++)
        if ((ROWS[i].kinds & (1U << kind)) != 0)
            write_setting(writer, &ROWS[i]);
    json_end_array(writer);
    json_end_object(writer);
}

void channel_write_kinds(struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (int i = 0; i < CHANNEL_KIND_COUNT; i++)
        write_kind(&writer, (enum channel_kind)i);
    json_end_array(&writer);
}
