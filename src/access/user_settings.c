/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON in the column `settings` of a user. */
#include "access/user.h"

static size_t read_texts(json_value array, str *out, size_t count_max)
{
    struct json_iterator iterator = json_iterate(array);
    json_value value;
    size_t count = 0;
    while (count < count_max && json_next(&iterator, NULL, &value))
        out[count++] = json_text(value);
    return count;
}

void user_settings_read(json_value settings, struct user_settings *out)
{
    *out = (struct user_settings){
        .team = json_text(json_get(settings, STR("team"))),
        .totp = json_text(json_get(settings, STR("totp"))),
        .totp_step = json_int(json_get(settings, STR("totp_step")), 0),
        .is_deleted = json_bool(json_get(settings, STR("deleted")), false),
        .subject = json_text(json_get(settings, STR("subject"))),
        .adviser = json_text(json_get(settings, STR("adviser"))),
    };
    out->role_count = read_texts(json_get(settings, STR("roles")), out->roles, USER_ROLES_MAX);
    out->recovery_count =
        read_texts(json_get(settings, STR("recovery")), out->recovery, USER_RECOVERY_CODES);
}

static void write_texts(struct json_writer *writer, str key, const str *texts, size_t count)
{
    if (count == 0)
        return;
    json_put_key(writer, key);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_put_text(writer, texts[i]);
    json_end_array(writer);
}

static void write_text(struct json_writer *writer, str key, str text)
{
    if (text.size > 0)
        json_member_text(writer, key, text);
}

void user_settings_write(struct buffer *out, const struct user_settings *settings)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_text(&writer, STR("team"), settings->team);
    write_texts(&writer, STR("roles"), settings->roles, settings->role_count);
    write_text(&writer, STR("totp"), settings->totp);
    if (settings->totp_step != 0)
        json_member_int(&writer, STR("totp_step"), settings->totp_step);
    write_texts(&writer, STR("recovery"), settings->recovery, settings->recovery_count);
    if (settings->is_deleted)
        json_member_bool(&writer, STR("deleted"), true);
    write_text(&writer, STR("subject"), settings->subject);
    write_text(&writer, STR("adviser"), settings->adviser);
    json_end_object(&writer);
}
