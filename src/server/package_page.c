/* SPDX-License-Identifier: Apache-2.0 */
/* package_page: JSON as tables that anybody can read; see package_page.h. */
#include "server/package_page.h"

#include <string.h>

void page_write_text(struct buffer *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        const char *escaped = byte == '<'    ? "&lt;"
                              : byte == '>'  ? "&gt;"
                              : byte == '&'  ? "&amp;"
                              : byte == '"'  ? "&quot;"
                              : byte == '\'' ? "&#39;"
                                             : NULL;
        if (escaped != NULL)
            buffer_append_str(out, str_from_c(escaped));
        else
            buffer_append_byte(out, (uint8_t)byte);
    }
}

static const struct {
    const char *member, *zh, *en;
} headings[] = {
    { "customer", "个人资料", "what is known" },
    { "identifiers", "标识", "identifiers" },
    { "traits", "属性", "traits" },
    { "trait_origins", "属性的来源", "where traits come from" },
    { "tags", "标签", "tags" },
    { "segments", "人群", "segments" },
    { "memberships", "标签与人群，及其原因", "tags and segments, and why" },
    { "consent", "目前的同意", "consent now" },
    { "consents", "每一次同意与撤回，及其凭证", "each decision, with its proof" },
    { "pauses", "营销的暂停，及其原因", "pauses of marketing, and why" },
    { "summary", "汇总", "summary" },
    { "merges", "由哪些记录合并而来", "which records were joined" },
    { "journeys", "自动旅程", "journeys" },
    { "touches", "发给您的消息", "messages to you" },
    { "requests", "您提出的请求", "your requests" },
    { "made_at", "制作时间", "made at" },
};

static void write_heading(struct buffer *out, str member)
{
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        if (!str_equal(member, str_from_c(headings[i].member)))
            continue;
        buffer_printf(out, "%s · %s", headings[i].zh, headings[i].en);
        return;
    }
    page_write_text(out, member);
}

static void write_value(struct buffer *out, json_value value);

static void write_rows(struct buffer *out, json_value object)
{
    struct json_iterator iterator = json_iterate(object);
    json_value member;
    str name;
    buffer_append_str(out, STR("<table>"));
    while (json_next(&iterator, &name, &member)) {
        buffer_append_str(out, STR("<tr><th>"));
        write_heading(out, name);
        buffer_append_str(out, STR("</th><td>"));
        write_value(out, member);
        buffer_append_str(out, STR("</td></tr>"));
    }
    buffer_append_str(out, STR("</table>"));
}

static void write_items(struct buffer *out, json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    buffer_append_str(out, STR("<ol>"));
    while (json_next(&iterator, NULL, &item)) {
        buffer_append_str(out, STR("<li>"));
        write_value(out, item);
        buffer_append_str(out, STR("</li>"));
    }
    buffer_append_str(out, STR("</ol>"));
}

/* Depth is bounded: what was parsed is not deeper than JSON_DEPTH_MAX. */
static void write_value(struct buffer *out, json_value value)
{
    struct buffer text;
    switch (json_kind(value)) {
    case JSON_OBJECT:
        write_rows(out, value);
        return;
    case JSON_ARRAY:
        write_items(out, value);
        return;
    case JSON_TEXT:
        page_write_text(out, json_text(value));
        return;
    case JSON_NULL:
    case JSON_MISSING:
        buffer_append_str(out, STR("–"));
        return;
    case JSON_BOOL:
    case JSON_INT:
    case JSON_DOUBLE:
        break;
    }
    buffer_init(&text, 4096);
    json_write_value(&text, value);
    page_write_text(out, buffer_str(&text));
    buffer_deinit(&text);
}

static void write_events(struct buffer *out, str events)
{
    str line;
    buffer_append_str(out, STR("<h2>事件 · events</h2><ol>"));
    while (str_split(&events, '\n', &line)) {
        if (line.size == 0)
            continue;
        buffer_append_str(out, STR("<li><pre>"));
        page_write_text(out, line);
        buffer_append_str(out, STR("</pre></li>"));
    }
    buffer_append_str(out, STR("</ol>"));
}

void package_page(json_value root, str events, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(root);
    json_value member;
    str name;
    buffer_append_str(
        out,
        STR("<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><meta "
            "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
            "'unsafe-inline'\"><title>个人信息副本 · personal data</title><style>body{font:14px/"
            "1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:"
            "collapse}th,td{border:1px solid #ccc;padding:.2em .6em;text-align:left;vertical-"
            "align:top}th{font-weight:normal;color:#555}pre{white-space:pre-wrap;margin:0}"
            "</style><body><h1>个人信息副本 · personal data</h1>"));
    while (json_next(&iterator, &name, &member)) {
        buffer_append_str(out, STR("<h2>"));
        write_heading(out, name);
        buffer_append_str(out, STR("</h2>"));
        write_value(out, member);
    }
    write_events(out, events);
    buffer_append_str(out, STR("</body></html>"));
}
