/* SPDX-License-Identifier: Apache-2.0 */
/* clickhouse: what client and child both know of ClickHouse's HTTP interface. Private to store/. */
#ifndef KITH_STORE_CLICKHOUSE_H
#define KITH_STORE_CLICKHOUSE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

/* Codes that Kith tells apart. */
enum clickhouse_code {
    CLICKHOUSE_UNKNOWN_QUERY = 0,
    CLICKHOUSE_UNKNOWN_IDENTIFIER = 47,
    CLICKHOUSE_UNKNOWN_TABLE = 60,
    CLICKHOUSE_SYNTAX = 62,
    CLICKHOUSE_UNKNOWN_DATABASE = 81,
    CLICKHOUSE_UNKNOWN_SETTING = 115,
    CLICKHOUSE_TIMEOUT = 159,
    CLICKHOUSE_TOO_MANY_QUERIES = 202,
    CLICKHOUSE_MEMORY_LIMIT = 241,
    CLICKHOUSE_NO_SPACE = 243,
    CLICKHOUSE_CANCELLED = 394,
    CLICKHOUSE_AUTHENTICATION = 516,
};

/* Names of headers. */
#define CLICKHOUSE_HEADER_CODE "X-ClickHouse-Exception-Code"
#define CLICKHOUSE_HEADER_TAG "X-ClickHouse-Exception-Tag"
#define CLICKHOUSE_HEADER_QUERY "X-ClickHouse-Query-Id"

/* An exception that breaks off an answer already begun, as servers since 25.x write it:
 *     \r\n__exception__\r\n<tag>\r\n<text>\n<size of text> <tag>\r\n__exception__\r\n
 * `tag` was sent before as a header, so that data cannot be taken for it. */
#define CLICKHOUSE_EXCEPTION_MARK "__exception__\r\n"
#define CLICKHOUSE_TAG_BYTES 16

struct clickhouse_exception {
    int code;
    str text; /* the server's words, from the message on; borrowed */
};

/* The exception that `text` begins with. Both styles are known:
 *     Code: 60. DB::Exception: …            (today)
 *     Code: 60, e.displayText() = DB::Exception: …   (2019) */
bool clickhouse_parse_exception(str text, struct clickhouse_exception *exception);
/* The exception at the end of an answer whose status was 200. With a `tag` only the marked form
 * counts; without one, what stands at the beginning of a line. *data_bytes: what is data before it. */
bool clickhouse_find_exception(str tail, str tag, struct clickhouse_exception *exception,
                               size_t *data_bytes);
/* The HTTP status that ClickHouse gives for a code. */
int clickhouse_http_status(int code);
/* UNAVAILABLE, TIMEOUT, STORAGE_FULL, or WAREHOUSE for everything else. */
err clickhouse_error(int code);

/* Percent-encode everything that is not unreserved. */
void url_encode(struct buffer *out, str text);

#endif
