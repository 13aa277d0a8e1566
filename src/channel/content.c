/* SPDX-License-Identifier: Apache-2.0 */
/* content: the parts of a message as its provider wants them. Rendered parts are texts; an object that a template wrote as
 * text is read as what it says. */
#include "channel/channel_inside.h"

bool content_open(struct channels *channels, const struct unit *unit, struct content *content,
                  struct verdict *verdict)
{
    content->channels = channels;
    str text = unit->message.content.size > 0 ? unit->message.content : STR("{}");
    if (json_parse(channels->content_parser, text, &content->root, NULL) == ERR_OK &&
        json_is_object(content->root))
        return true;
    return verdict_refuse(verdict, "bad_content", "the content is not a JSON object");
}

str content_text(const struct content *content, const char *name)
{
    return json_text(json_get(content->root, str_from_c(name)));
}

json_value content_nested(const struct content *content, const char *name)
{
    static const json_value missing = { .document = NULL };
    json_value value = json_get(content->root, str_from_c(name)), parsed;
    if (json_kind(value) != JSON_TEXT)
        return value;
    str text = str_trim(json_text(value));
    if (text.size == 0)
        return missing;
    return json_parse(content->channels->nested_parser, text, &parsed, NULL) == ERR_OK ? parsed
                                                                                       : missing;
}

void json_put_copy(struct json_writer *writer, json_value value)
{
    struct buffer raw;
    buffer_init(&raw, REQUEST_BYTES_MAX);
    json_write_value(&raw, value);
    json_put_raw(writer, buffer_str(&raw));
    if (raw.failed)
        writer->out->failed = true;
    buffer_deinit(&raw);
}

void json_member_copy(struct json_writer *writer, const char *name, json_value value)
{
    json_put_key(writer, str_from_c(name));
    json_put_copy(writer, value);
}
