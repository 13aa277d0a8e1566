/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings, expressions, scripts and rows. The first byte chooses what the rest is:
 *     0  a mapping as JSON, run on a few rows
 *     1  an expression, as the value of a property
 *     2  a script, likewise
 *     3  rows, cells with '|' between and rows with line breaks, for a mapping of many kinds
 * What comes out can be encoded; the same input gives the same keys a second time; a refusal has a code and a reason. */
#include <stdint.h>

#include "mapping/mapping.h"
#include "support/fuzz_keys.h"

#define INPUT_BYTES_MAX 65536
#define CELLS_MAX 12
#define ROWS_MAX 64
#define NOW_MS INT64_C(1795284731504)

static const str columns[] = { { "id", 2 },   { "手机", 6 }, { "时间", 6 }, { "金额", 6 },
                               { "数量", 6 }, { "订单", 6 }, { "x", 1 } };
#define COLUMN_COUNT 7

static const char rich[] =
    "{\"kind\":\"events\",\"currency\":\"CNY\",\"channel\":\"pos\",\"skip\":\"[x] = 'skip'\","
    "\"identifiers\":[{\"type\":\"user_id\",\"column\":\"id\"},{\"type\":\"mobile\",\"column\":\"手机\"}],"
    "\"time\":\"[时间]\",\"event\":\"Order Paid\",\"traits\":{\"note\":\"[x]\"},"
    "\"tags\":[{\"key\":\"k\",\"value\":\"[x]\",\"at\":\"[时间]\"}],"
    "\"properties\":{\"order_id\":\"[订单]\",\"url\":\"[x]\","
    "\"list\":{\"column\":\"x\",\"type\":\"list\"},\"n\":\"count()\","
    "\"e\":\"extract([x], '(\\\\\\\\w+)@')\",\"s\":\"split([x], '-', -1)\"},"
    "\"lines\":{\"group_by\":\"[订单]\",\"columns\":{\"price\":\"[金额]\",\"quantity\":\"[数量]\"}}}";

static const char *const fixed_rows =
    "u1|13912340007|2024-01-05 08:00:00|￥1,234.50|2|A1|hello 世界\n"
    "u2|138****0000|2024/1/5|12元|-1|A1|a,b,c\n"
    "||1704412981|1.38E+10|１|A2|{\"a\":[1]}\n";

struct witness {
    uint64_t keys, refusals;
    struct buffer encoded;
};

static bool take_event(void *context, const struct mapping_event *event)
{
    struct witness *witness = context;
    struct problem problem;
    uint64_t half;
    buffer_clear(&witness->encoded);
    if (event_encode(&witness->encoded, event->event, &problem) != ERR_OK)
        abort();
    memcpy(&half, event->event->message_key, sizeof half);
    witness->keys = witness->keys * 31 + half;
    return true;
}

static bool take_refusal(void *context, uint64_t row, str raw, str code,
                         const struct problem *problem)
{
    struct witness *witness = context;
    str zh, en;
    (void)raw;
    if (row == 0 || !mapping_code_text(code, &zh, &en) || problem->detail[0] == '\0')
        abort();
    witness->refusals++;
    return true;
}

static void run_rows(const struct mapping *mapping, str text, struct witness *witness)
{
    struct mapping_context context = { .keys = fuzz_keys(),
                                       .source_number = 1,
                                       .key_salt = STR("fuzz"),
                                       .received_ms = NOW_MS,
                                       .zone_offset_seconds = 28800,
                                       .memory_bytes_max = 1 };
    struct mapping_worker *worker = NULL;
    struct problem problem;
    str line;
    uint64_t number = 0;
    if (mapping_worker_new(&worker, mapping, &context, &problem) != ERR_OK)
        abort();
    while (number < ROWS_MAX && str_split(&text, '\n', &line)) {
        struct table_cell cells[CELLS_MAX];
        uint32_t count = 0;
        str cell, rest = line;
        while (count < CELLS_MAX && str_split(&rest, '|', &cell))
            cells[count++] = (struct table_cell){ cell.size > 0 ? CELL_TEXT : CELL_EMPTY, cell };
        struct table_row row = {
            .number = ++number, .cell_count = count, .cells = cells, .raw = line
        };
        if (mapping_row(worker, &row, take_event, take_refusal, witness, &problem) != ERR_OK)
            abort();
    }
    if (mapping_end(worker, take_event, take_refusal, witness, &problem) != ERR_OK)
        abort();
    mapping_worker_free(&worker);
}

static void run_twice(struct json_parser *parser, str json, str rows)
{
    struct witness first = { 0 }, second = { 0 };
    struct mapping *mapping = NULL;
    struct problem problem;
    json_value root;
    if (json_parse(parser, json, &root, &problem) != ERR_OK)
        return;
    problem = (struct problem){ .error = ERR_OK };
    if (mapping_new_named(&mapping, root, columns, COLUMN_COUNT, &problem) != ERR_OK) {
        if (problem.error != ERR_UNPROCESSABLE || problem.detail[0] == '\0')
            abort();
        return;
    }
    buffer_init(&first.encoded, (size_t)1 << 20);
    buffer_init(&second.encoded, (size_t)1 << 20);
    run_rows(mapping, rows, &first);
    run_rows(mapping, rows, &second);
    if (first.keys != second.keys || first.refusals != second.refusals)
        abort();
    buffer_deinit(&first.encoded);
    buffer_deinit(&second.encoded);
    mapping_free(&mapping);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_parser *parser;
    static struct buffer json;
    str text = str_from_bytes(data + 1, size > 0 ? size - 1 : 0);
    if (size < 2 || size > INPUT_BYTES_MAX || !str_is_utf8(text))
        return 0;
    if (parser == NULL) {
        if (json_parser_new(&parser, (size_t)1 << 20) != ERR_OK)
            abort();
        buffer_init(&json, (size_t)1 << 20);
    }
    buffer_clear(&json);
    switch (data[0] & 3) {
    case 0:
        run_twice(parser, text, str_from_c(fixed_rows));
        return 0;
    case 1:
    case 2:
        buffer_append_str(&json, STR("{\"kind\":\"events\",\"event\":\"E\",\"time\":{\"constant\":"
                                     "\"2024-01-05\"},\"identifiers\":[{\"type\":\"user_id\","
                                     "\"constant\":\"u\"}],\"tables\":{\"t\":{\"A1\":\"b\"}},"
                                     "\"properties\":{\"x\":"));
        buffer_append_str(&json, (data[0] & 3) == 1 ? STR("{\"expression\":") : STR("{\"lua\":"));
        json_write_text(&json, text);
        buffer_append_str(&json, STR("}}}"));
        run_twice(parser, buffer_str(&json), str_from_c(fixed_rows));
        return 0;
    default:
        run_twice(parser, str_from_c(rich), text);
        return 0;
    }
}
