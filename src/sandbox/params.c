/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and forms: "a=b&c=%E4%B8%AD" to names and values. */
#include "sandbox/inside.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Wrong escapes and what is no UTF-8 fail. */
static bool decode(str text, struct arena *arena, str *out)
{
    char *made = arena_alloc_raw(arena, text.size + 1);
    size_t size = 0;
    if (made == NULL)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            bool is_whole = i + 2 < text.size;
            int high = is_whole ? digit_of(text.data[i + 1]) : -1;
            int low = is_whole ? digit_of(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        made[size++] = c;
    }
    *out = str_from_bytes(made, size);
    return str_is_utf8(*out);
}

void params_parse(struct params *params, str text, struct arena *arena)
{
    str part;
    while (str_split(&text, '&', &part)) {
        struct param param;
        size_t equals = str_find_byte(part, '=');
        if (part.size == 0)
            continue;
        if (params->count == PARAMS_MAX ||
            !decode(str_slice(part, 0, equals), arena, &param.name) ||
            !decode(str_slice(part, equals + 1, part.size), arena, &param.value)) {
            params->failed = true;
            return;
        }
        params->all[params->count++] = param;
    }
}

str params_get(const struct params *params, str name)
{
    for (size_t i = 0; i < params->count; i++)
        if (str_equal(params->all[i].name, name))
            return params->all[i].value;
    return STR_NONE;
}

bool params_has(const struct params *params, str name)
{
    for (size_t i = 0; i < params->count; i++)
        if (str_equal(params->all[i].name, name))
            return true;
    return false;
}
