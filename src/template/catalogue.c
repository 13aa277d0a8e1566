/* SPDX-License-Identifier: Apache-2.0 */
/* The language as JSON in both languages: what an editor is built from. */
#include "template/inside.h"

struct tag_row {
    const char *name, *zh, *en, *example;
};

static const struct tag_row tags[] = {
    { "output", "写出一个值", "writes a value", "{{ customer.nickname | default: \"朋友\" }}" },
    { "if", "满足条件才写；还有 elsif、else", "writes when a condition holds; elsif and else go on",
      "{% if tag.skin_type == \"sensitive\" %}…{% elsif tag.skin_type contains \"干\" %}…"
      "{% else %}…{% endif %}" },
    { "unless", "不满足条件才写", "writes when a condition does not hold",
      "{% unless customer.member_card %}…{% endunless %}" },
    { "case", "按一个值分情况", "chooses by a value",
      "{% case tag.tier %}{% when \"gold\", \"platinum\" %}…{% else %}…{% endcase %}" },
    { "for", "逐项写出列表；可加 limit、offset、reversed；else 用于空列表",
      "writes a list's members; limit, offset, reversed; else when there are none",
      "{% for item in event.products limit: 3 %}{{ forloop.index }}. {{ item.name }}{% endfor %}" },
    { "comment", "不写出的说明，也可用 {# … #}", "a note that is not written; also {# … #}",
      "{% comment %}…{% endcomment %}" },
};

static const struct tag_row words[] = {
    { "==", "等于", "is equal to", "tag.tier == \"gold\"" },
    { "!=", "不等于 (没有值也算)", "is not equal to (also when there is no value)",
      "tag.tier != \"gold\"" },
    { "<", "小于", "is less than", "customer.points < 100" },
    { "<=", "小于等于", "is at most", "customer.points <= 100" },
    { ">", "大于", "is more than", "customer.points > 100" },
    { ">=", "大于等于", "is at least", "customer.points >= 100" },
    { "contains", "文字里有，列表里有", "has it in its text, or in its list",
      "customer.favourites contains \"tea\"" },
    { "and", "并且，先于 or", "both; binds closer than or", "a and b" },
    { "or", "或者", "either", "a or b" },
    { "not", "不是", "is not so", "not a" },
    { "blank", "没有值、空文字、空列表", "no value, an empty text or list", "a == blank" },
};

static void write_words(struct json_writer *writer, str name, const char *zh, const char *en,
                        const char *example)
{
    json_begin_object(writer);
    json_member_text(writer, STR("name"), name);
    json_put_key(writer, STR("about"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
    json_member_text(writer, STR("example"), str_from_c(example));
}

static void write_rows(struct json_writer *writer, str key, const struct tag_row *rows,
                       size_t count)
{
    json_put_key(writer, key);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        write_words(writer, str_from_c(rows[i].name), rows[i].zh, rows[i].en, rows[i].example);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void template_write_catalogue(struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_rows(&writer, STR("tags"), tags, sizeof tags / sizeof tags[0]);
    write_rows(&writer, STR("operators"), words, sizeof words / sizeof words[0]);
    json_put_key(&writer, STR("filters"));
    json_begin_array(&writer);
    for (size_t i = 0; i < filter_count; i++) {
        write_words(&writer, filters[i].name, filters[i].zh, filters[i].en, filters[i].example);
        json_member_int(&writer, STR("arguments_min"), filters[i].least);
        json_member_int(&writer, STR("arguments_max"), filters[i].most);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_put_key(&writer, STR("limits"));
    json_begin_object(&writer);
    json_member_int(&writer, STR("source_bytes_max"), TEMPLATE_SOURCE_BYTES_MAX);
    json_member_int(&writer, STR("bytes_max"), TEMPLATE_BYTES_MAX);
    json_member_int(&writer, STR("steps_max"), TEMPLATE_STEPS_MAX);
    json_member_int(&writer, STR("depth_max"), TEMPLATE_DEPTH_MAX);
    json_end_object(&writer);
    json_end_object(&writer);
}
