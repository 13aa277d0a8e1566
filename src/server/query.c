/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings and percent-decoding. */
#include <string.h>

#include "server/request.h"
#include "server/router.h"

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

bool url_decode(struct arena *arena, str text, bool plus_is_space, str *out)
{
    char *decoded = arena_alloc_raw(arena, text.size + 1);
    size_t size = 0;
    if (decoded == NULL)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '%') {
            if (text.size - i < 3)
                return false;
            int high = hex_digit(text.data[i + 1]), low = hex_digit(text.data[i + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        }
        decoded[size++] = byte;
    }
    decoded[size] = '\0';
    *out = str_from_bytes(decoded, size);
    return str_is_utf8(*out);
}

/* The next `name=value` of `rest`, not decoded. */
static bool next_pair(str *rest, str *name, str *value)
{
    str pair;
    while (str_split(rest, '&', &pair)) {
        if (pair.size == 0)
            continue;
        size_t equals = str_find_byte(pair, '=');
        *name = str_slice(pair, 0, equals);
        *value = str_slice(pair, equals + 1, pair.size);
        return true;
    }
    return false;
}

bool request_next_query(struct request *request, struct query_iterator *iterator, str *name,
                        str *value)
{
    str raw_name, raw_value;
    while (next_pair(&iterator->rest, &raw_name, &raw_value))
        if (url_decode(&request->arena, raw_name, true, name) &&
            url_decode(&request->arena, raw_value, true, value))
            return true;
    return false;
}

str request_query(struct request *request, str wanted)
{
    str rest = request->query, name, value, decoded;
    while (next_pair(&rest, &name, &value))
        if (str_equal(name, wanted) && url_decode(&request->arena, value, true, &decoded))
            return decoded;
    return STR_NONE;
}

bool request_query_flag(struct request *request, str name)
{
    str value = request_query(request, name);
    return str_equal(value, STR("true")) || str_equal(value, STR("1"));
}

/* `known` is a list of names with spaces; one that ends in '*' stands for all that begin so. */
static bool is_known(str known, str name, bool *may_repeat)
{
    str one;
    *may_repeat = false;
    while (str_split(&known, ' ', &one)) {
        if (str_ends_with(one, STR("*"))) {
            str prefix = str_slice(one, 0, one.size - 1);
            *may_repeat = name.size > prefix.size && str_starts_with(name, prefix);
            if (*may_repeat)
                return true;
        } else if (str_equal(one, name)) {
            return true;
        }
    }
    return false;
}

/* Which of two would count is nobody's guess. `rest` is what comes behind it. */
static bool comes_again(struct request *request, str rest, str name)
{
    str raw_name, raw_value, other;
    while (next_pair(&rest, &raw_name, &raw_value))
        if (url_decode(&request->arena, raw_name, true, &other) && str_equal(other, name))
            return true;
    return false;
}

err request_check_query(struct request *request, struct problem *problem)
{
    str rest = request->query, raw_name, raw_value, name, value;
    str known = str_from_c(request->route->query);
    while (next_pair(&rest, &raw_name, &raw_value)) {
        if (!url_decode(&request->arena, raw_name, true, &name) ||
            !url_decode(&request->arena, raw_value, true, &value))
            return problem_set(problem, ERR_INVALID,
                               "the query has an escape or text that is not UTF-8");
        bool may_repeat;
        if (is_known(known, name, &may_repeat)) {
            if (may_repeat || !comes_again(request, rest, name))
                continue;
            problem_set(problem, ERR_INVALID, "the parameter '%.*s' is there twice",
                        (int)str_utf8_prefix_bytes(name, 60), name.data);
            return problem_at(problem, ERR_INVALID, "%.*s", (int)str_utf8_prefix_bytes(name, 60),
                              name.data);
        }
        problem_set(problem, ERR_INVALID, "there is no parameter '%.*s' here",
                    (int)str_utf8_prefix_bytes(name, 60), name.data);
        return known.size == 0
                   ? problem_hint(problem, ERR_INVALID, "this request takes no parameters")
                   : problem_hint(problem, ERR_INVALID, "it takes: %s", request->route->query);
    }
    return ERR_OK;
}
