/* SPDX-License-Identifier: Apache-2.0 */
/* The table of filters: parser, renderer, editor's catalogue and docs/templates.md are made from it. */
#include "template/inside.h"

#define ROW(function, least, most, missing, list, zh, en, example)                            \
    {                                                                                         \
        { .data = #function, .size = sizeof(#function) - 1 }, filter_##function, least, most, \
            missing, list, zh, en, example                                                    \
    }

const struct filter filters[] = {
    ROW(default, 1, 1, true, true, "没有值时写什么", "what to write when there is no value",
        "customer.nickname | default: \"朋友\""),
    ROW(truncate, 1, 2, false, false, "最多 n 个字，超出以省略号结尾",
        "at most n characters, the ellipsis counted", "item.name | truncate: 12, \"…\""),
    ROW(truncate_bytes, 1, 1, false, false, "最多 n 个字节，不切断字",
        "at most n bytes, no character cut", "item.name | truncate_bytes: 128"),
    ROW(upcase, 0, 0, false, false, "字母大写", "letters a to z as capitals",
        "coupon.code | upcase"),
    ROW(downcase, 0, 0, false, false, "字母小写", "letters A to Z as small ones",
        "customer.email | downcase"),
    ROW(capitalize, 0, 0, false, false, "首字母大写", "the first letter as a capital",
        "customer.first_name | capitalize"),
    ROW(strip, 0, 0, false, false, "去掉首尾空白", "without white space around it",
        "customer.city | strip"),
    ROW(append, 1, 1, false, false, "在后面接上", "with this behind it",
        "customer.surname | append: \"女士\""),
    ROW(prepend, 1, 1, false, false, "在前面接上", "with this in front of it",
        "order.id | prepend: \"#\""),
    ROW(replace, 2, 2, false, false, "把一段文字换成另一段", "one text in place of another",
        "store.name | replace: \"旗舰店\", \"\""),
    ROW(slice, 1, 2, false, false, "从第几个字起 (0 为第一个，负数从末尾数)，取几个字",
        "from which character (0 is the first, negative from the end), how many",
        "member.card | slice: -4, 4"),
    ROW(mask, 0, 2, false, false, "遮住中间，留前几位、后几位 (默认 3、4)",
        "hides the middle; how many stay in front and behind (3, 4)", "customer.mobile | mask"),
    ROW(url, 0, 0, false, false, "用于网址的百分号编码", "percent-encoded for an address",
        "product.name | url"),
    ROW(size, 0, 0, false, true, "字数，或列表的项数", "characters, or members of a list",
        "event.products | size"),
    ROW(first, 0, 0, false, true, "列表的第一项", "the first of a list",
        "customer.favourites | first"),
    ROW(last, 0, 0, false, true, "列表的最后一项", "the last of a list",
        "customer.favourites | last"),
    ROW(join, 0, 2, false, true, "把列表连成文字；第二个参数取每项的一个成员",
        "a list as one text; the second argument takes a member of each",
        "event.products | join: \"、\", \"name\""),
    ROW(number, 0, 1, false, false, "带千位分隔，保留几位小数",
        "with commas, and this many decimals", "customer.points | number"),
    ROW(money, 0, 1, false, false, "分 → 元；可写币种，或 \"short\" 省去 .00",
        "minor units as an amount; a currency, or \"short\" to leave .00 out",
        "order.paid_amount | money"),
    ROW(percent, 0, 1, false, false, "0.125 → 12.5%；保留几位小数",
        "0.125 as 12.5%; how many decimals", "coupon.rate | percent: 0"),
    ROW(round, 0, 1, false, false, "四舍五入到几位小数", "rounded to this many decimals",
        "store.distance_km | round: 1"),
    ROW(plus, 1, 1, false, false, "加", "plus", "customer.points | plus: 100"),
    ROW(minus, 1, 1, false, false, "减", "minus", "tier.next | minus: customer.growth"),
    ROW(times, 1, 1, false, false, "乘", "times", "coupon.discount | times: 10"),
    ROW(divided_by, 1, 1, false, false, "除以 (除以 0 为错误)", "divided by (by 0 fails)",
        "order.paid_amount | divided_by: 100"),
    ROW(date, 0, 1, false, false, "时间的写法：%Y %m %d %H %M %S %-m %-d %-H %a %A %b %B %j %%",
        "a time's form: %Y %m %d %H %M %S %-m %-d %-H %a %A %b %B %j %%",
        "coupon.ends_at | date: \"%-m月%-d日\""),
    ROW(add_days, 1, 1, false, false, "几天以后 (负数为以前)", "so many days later (or earlier)",
        "now | add_days: 7 | date: \"%-m月%-d日\""),
};
const size_t filter_count = sizeof filters / sizeof filters[0];

FILTER(default)
{
    (void)rendering;
    (void)count;
    if (value_is_blank(value) || (value->kind == TEMPLATE_BOOL && value->number == 0))
        *value = arguments[0];
    return ERR_OK;
}

/* ---- lists ---- */

static size_t characters_of(str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

FILTER(size)
{
    str text;
    (void)arguments;
    (void)count;
    if (value->kind == TEMPLATE_JSON && json_kind(value->json) != JSON_INT) {
        value_set_number(value, (int64_t)json_count(value->json) * MILLION);
        return ERR_OK;
    }
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        value_set_number(value, (int64_t)characters_of(text) * MILLION);
    return error;
}

static err take_element(struct rendering *rendering, struct template_value *value, bool last)
{
    size_t size = value->kind == TEMPLATE_JSON ? json_count(value->json) : 0;
    if (value->kind != TEMPLATE_JSON || json_kind(value->json) != JSON_ARRAY)
        return rendering_fail(rendering, "first and last take a list");
    err error = rendering_spend(rendering, last ? size * 64 : 0);
    if (error == ERR_OK)
        value_from_json(json_at(value->json, last && size > 0 ? size - 1 : 0), value);
    return error;
}

FILTER(first)
{
    (void)arguments;
    (void)count;
    return take_element(rendering, value, false);
}

FILTER(last)
{
    (void)arguments;
    (void)count;
    return take_element(rendering, value, true);
}

static err join_elements(struct rendering *rendering, json_value list, str separator, str member,
                         struct buffer *text)
{
    struct json_iterator iterator = json_iterate(list);
    struct template_value element;
    json_value json;
    str part;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &json)) {
        value_from_json(json, &element);
        if (member.size > 0)
            value_walk(json, member, &element);
        error = rendering_spend(rendering, 0);
        if (error == ERR_OK)
            error = value_text(rendering, &element, &part);
        if (error != ERR_OK || part.size == 0)
            continue;
        if (text->size > 0)
            buffer_append_str(text, separator);
        buffer_append_str(text, part);
    }
    return error;
}

FILTER(join)
{
    str separator = STR(", "), member = STR_NONE, made;
    struct buffer text;
    err error = ERR_OK;
    if (value->kind != TEMPLATE_JSON || json_kind(value->json) != JSON_ARRAY)
        return rendering_fail(rendering, "join takes a list");
    if (count > 0)
        error = value_text(rendering, &arguments[0], &separator);
    if (error == ERR_OK && count > 1)
        error = value_text(rendering, &arguments[1], &member);
    if (error != ERR_OK)
        return error;
    buffer_init(&text, TEMPLATE_BYTES_MAX);
    error = join_elements(rendering, value->json, separator, member, &text);
    if (error == ERR_OK && text.failed)
        error = text.nomem
                    ? rendering_nomem(rendering)
                    : rendering_fail(rendering, "the joined list becomes longer than %d bytes",
                                     TEMPLATE_BYTES_MAX);
    char *room = NULL;
    if (error == ERR_OK)
        error = rendering_room(rendering, text.size, &room);
    if (error == ERR_OK) {
        made = buffer_str(&text);
        for (size_t i = 0; i < made.size; i++)
            room[i] = made.data[i];
        value_set_text(value, str_from_bytes(room, made.size));
    }
    buffer_deinit(&text);
    return error;
}
