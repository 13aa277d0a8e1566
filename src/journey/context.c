/* SPDX-License-Identifier: Apache-2.0 */
/* context: what a position remembers, as one encoded piece of memory; layout in state.h. */
#include <string.h>

#include "journey/state.h"

void context_read(const struct position *position, struct context *context)
{
    *context = (struct context){ .touch_count = 0 };
    if (position->context == NULL)
        return;
    struct cursor cursor = cursor_over(context_raw(position));
    context->key = read_text(&cursor);
    context->event = read_text(&cursor);
    context->vars = read_text(&cursor);
    context->touch_count = (uint32_t)read_varint(&cursor);
    context->touches = str_from_bytes(cursor.next, cursor_left(&cursor));
    INVARIANT(!cursor.failed);
}

/* What malloc has room for anyway: 24 bytes, and then by 16. So most changes stay where they are. */
static size_t room_for(size_t size)
{
    return size <= 24 ? 24 : ((size + 7) & ~(size_t)15) + 8;
}

err context_set_raw(struct positions *positions, struct position *position, str bytes)
{
    if (bytes.size > CONTEXT_BYTES_MAX)
        return ERR_TOO_LARGE;
    size_t room = bytes.size > 0 ? room_for(bytes.size) : 0;
    if (position->context == NULL || room != room_for(position->context_bytes)) {
        uint8_t *made = room > 0 ? memory_alloc(room) : NULL;
        if (room > 0 && made == NULL)
            return ERR_NOMEM;
        memory_free(position->context);
        position->context = made;
    }
    if (bytes.size > 0)
        memcpy(position->context, bytes.data, bytes.size);
    positions->context_bytes -= position->context_bytes;
    position->context_bytes = (uint16_t)bytes.size;
    positions->context_bytes += bytes.size;
    return ERR_OK;
}

err context_write(struct positions *positions, struct position *position,
                  const struct context *context)
{
    struct buffer *out = &positions->writing;
    if (context->key.size + context->event.size + context->vars.size + context->touch_count == 0)
        return context_set_raw(positions, position, STR_NONE);
    buffer_clear(out);
    write_text(out, context->key);
    write_text(out, context->event);
    write_text(out, context->vars);
    write_varint(out, context->touch_count);
    buffer_append_str(out, context->touches);
    err error = buffer_status(out);
    return error == ERR_OK ? context_set_raw(positions, position, buffer_str(out)) : error;
}

/* ---- touches, by node: the last of each ---- */

bool context_touch(const struct position *position, uint16_t node, uint64_t *touch, uint8_t *status)
{
    struct context context;
    context_read(position, &context);
    struct cursor cursor = cursor_over(context.touches);
    for (uint32_t i = 0; i < context.touch_count; i++) {
        uint64_t at = read_varint(&cursor);
        *touch = read_varint(&cursor);
        *status = read_u8(&cursor);
        if (at == node)
            return true;
    }
    return false;
}

/* The newest touch stands last, its status in the last byte: that is what changes most. */
static bool is_last(const struct context *context, uint16_t node, uint64_t touch)
{
    struct cursor cursor = cursor_over(context->touches);
    uint64_t at = NO_NODE, number = 0;
    for (uint32_t i = 0; i < context->touch_count; i++) {
        at = read_varint(&cursor);
        number = read_varint(&cursor);
        read_u8(&cursor);
    }
    return context->touch_count > 0 && at == node && number == touch;
}

err context_put_touch(struct journeys *journeys, struct position *position, uint16_t node,
                      uint64_t touch, uint8_t status)
{
    struct context context;
    struct buffer *touches = &journeys->positions.touches;
    uint32_t count = 1;
    context_read(position, &context);
    if (is_last(&context, node, touch)) {
        position->context[position->context_bytes - 1] = status;
        return ERR_OK;
    }
    buffer_clear(touches);
    struct cursor cursor = cursor_over(context.touches);
    for (uint32_t i = 0; i < context.touch_count; i++) {
        uint64_t at = read_varint(&cursor), number = read_varint(&cursor);
        uint8_t was = read_u8(&cursor);
        if (at == node)
            continue;
        write_varint(touches, at);
        write_varint(touches, number);
        write_u8(touches, was);
        count++;
    }
    write_varint(touches, node);
    write_varint(touches, touch);
    write_u8(touches, status);
    context.touches = buffer_str(touches);
    context.touch_count = count;
    err error = buffer_status(touches);
    return error == ERR_OK ? context_write(&journeys->positions, position, &context) : error;
}

/* ---- variables ---- */

static err put_member(struct journeys *journeys, str object, str name, str json, struct buffer *out)
{
    struct json_writer writer;
    json_value root, value;
    str key;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (object.size > 0) {
        err error = json_parse(journeys->parser_inner, object, &root, NULL);
        if (error != ERR_OK)
            return error;
        struct json_iterator iterator = json_iterate(root);
        while (json_next(&iterator, &key, &value)) {
            if (str_equal(key, name))
                continue;
            json_put_key(&writer, key);
            buffer_clear(&journeys->text);
            json_write_value(&journeys->text, value);
            json_put_raw(&writer, buffer_str(&journeys->text));
        }
    }
    json_member_raw(&writer, name, json);
    json_end_object(&writer);
    return buffer_status(out);
}

err context_put_var(struct journeys *journeys, struct position *position, str name, str json)
{
    struct context context;
    struct buffer vars;
    context_read(position, &context);
    buffer_init(&vars, CONTEXT_BYTES_MAX);
    err error = put_member(journeys, context.vars, name, json, &vars);
    context.vars = buffer_str(&vars);
    if (error == ERR_OK)
        error = context_write(&journeys->positions, position, &context);
    buffer_deinit(&vars);
    return error;
}
