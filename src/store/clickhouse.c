/* SPDX-License-Identifier: Apache-2.0 */
/* clickhouse: exceptions as text, their codes, and how a parameter stands in a URL. */
#include "store/clickhouse.h"

#include <string.h>

#define NEW_STYLE STR(". DB::Exception: ")
#define OLD_STYLE STR(", e.displayText() = DB::Exception: ")

bool clickhouse_parse_exception(str text, struct clickhouse_exception *exception)
{
    str head = STR("Code: ");
    if (!str_starts_with(text, head))
        return false;
    size_t at = head.size;
    int code = 0, digits = 0;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9' && digits < 6; digits++)
        code = code * 10 + (text.data[at++] - '0');
    str rest = str_slice(text, at, text.size);
    if (digits == 0)
        return false;
    if (str_starts_with(rest, NEW_STYLE))
        rest = str_slice(rest, NEW_STYLE.size, rest.size);
    else if (str_starts_with(rest, OLD_STYLE))
        rest = str_slice(rest, OLD_STYLE.size, rest.size);
    else
        return false;
    exception->code = code;
    exception->text = str_trim(rest);
    return true;
}

static bool find_marked(str tail, str tag, struct clickhouse_exception *exception,
                        size_t *data_bytes)
{
    str mark = STR("\r\n" CLICKHOUSE_EXCEPTION_MARK);
    for (size_t i = 0; i + mark.size + tag.size <= tail.size; i++) {
        str rest = str_slice(tail, i, tail.size);
        if (!str_starts_with(rest, mark))
            continue;
        rest = str_slice(rest, mark.size, rest.size);
        if (!str_starts_with(rest, tag))
            continue;
        rest = str_trim(str_slice(rest, tag.size, rest.size));
        if (!clickhouse_parse_exception(rest, exception))
            continue;
        /* What follows the text is its size and the tag again. */
        exception->text = str_slice(exception->text, 0, str_find_byte(exception->text, '\n'));
        *data_bytes = i;
        return true;
    }
    return false;
}

/* A server of 2019 writes its words right behind binary data. Nothing follows them, and they end as no data do. */
static bool find_last(str tail, struct clickhouse_exception *exception, size_t *data_bytes)
{
    if (!str_ends_with(str_trim(tail), STR(", e.what() = DB::Exception")))
        return false;
    for (size_t i = tail.size; i-- > 0;) {
        if (tail.data[i] == 'C' &&
            clickhouse_parse_exception(str_slice(tail, i, tail.size), exception)) {
            *data_bytes = i;
            return true;
        }
    }
    return false;
}

static bool find_unmarked(str tail, struct clickhouse_exception *exception, size_t *data_bytes)
{
    for (size_t i = 0; i < tail.size; i++) {
        if ((i == 0 || tail.data[i - 1] == '\n') &&
            clickhouse_parse_exception(str_slice(tail, i, tail.size), exception)) {
            *data_bytes = i;
            return true;
        }
    }
    return find_last(tail, exception, data_bytes);
}

bool clickhouse_find_exception(str tail, str tag, struct clickhouse_exception *exception,
                               size_t *data_bytes)
{
    return tag.size > 0 ? find_marked(tail, tag, exception, data_bytes)
                        : find_unmarked(tail, exception, data_bytes);
}

int clickhouse_http_status(int code)
{
    switch (code) {
    case CLICKHOUSE_UNKNOWN_IDENTIFIER:
    case CLICKHOUSE_UNKNOWN_TABLE:
    case CLICKHOUSE_UNKNOWN_DATABASE:
        return 404;
    case CLICKHOUSE_SYNTAX:
    case CLICKHOUSE_UNKNOWN_SETTING:
    case 26:  /* CANNOT_PARSE_QUOTED_STRING */
    case 27:  /* CANNOT_PARSE_INPUT_ASSERTION_FAILED */
    case 33:  /* CANNOT_READ_ALL_DATA */
    case 43:  /* ILLEGAL_TYPE_OF_ARGUMENT */
    case 46:  /* UNKNOWN_FUNCTION */
    case 53:  /* TYPE_MISMATCH */
    case 117: /* INCORRECT_DATA */
    case 456: /* UNKNOWN_QUERY_PARAMETER */
    case 457: /* BAD_QUERY_PARAMETER */
        return 400;
    case CLICKHOUSE_TIMEOUT:
        return 408;
    case CLICKHOUSE_TOO_MANY_QUERIES:
        return 503;
    case CLICKHOUSE_AUTHENTICATION:
        return 403;
    default:
        return 500;
    }
}

err clickhouse_error(int code)
{
    switch (code) {
    case CLICKHOUSE_NO_SPACE:
        return ERR_STORAGE_FULL;
    case CLICKHOUSE_TIMEOUT:
        return ERR_TIMEOUT;
    case CLICKHOUSE_TOO_MANY_QUERIES:
    case 209: /* SOCKET_TIMEOUT */
    case 210: /* NETWORK_ERROR */
    case 252: /* TOO_MANY_PARTS */
    case 279: /* ALL_CONNECTION_TRIES_FAILED */
        return ERR_UNAVAILABLE;
    default:
        return ERR_WAREHOUSE;
    }
}

void url_encode(struct buffer *out, str text)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    static const char PLAIN[] = "-_.~";
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c != 0 && strchr(PLAIN, c) != NULL);
        if (plain) {
            buffer_append_byte(out, c);
        } else {
            char code[3] = { '%', DIGITS[c >> 4], DIGITS[c & 15] };
            buffer_append(out, code, sizeof(code));
        }
    }
}
