/* SPDX-License-Identifier: Apache-2.0 */
/* mapping: what an order line of 60 columns costs from cells to sealed events, on one core.
 *
 *     mapping [--rows 600000] [--only rows|lines|waiting|spilled|script]
 *
 * rows: one event per row. lines: three rows of an order stand together ("adjacent"). waiting: they need not, all wait
 * in RAM. spilled: they wait on disk, 16 MB of RAM. script: rows with a Lua script besides. One JSON object per line;
 * line_ns is processor time per row, the end of the file included.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "mapping/mapping.h"

#define COLUMNS 60
#define LINES_PER_ORDER 3
#define CELL_ROOM 64
#define NOW_MS INT64_C(1795284731504)

struct bench {
    struct keys *keys;
    struct json_parser *parser;
    uint64_t events, refused;
    size_t props_bytes;
    char cells[COLUMNS][CELL_ROOM];
    struct table_cell row[COLUMNS];
    str names[COLUMNS];
    char name_room[COLUMNS][24];
};

/* Time of this thread on a core: others on the machine do not count. */
static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void stop(const char *why)
{
    fprintf(stderr, "mapping: %s\n", why);
    exit(1);
}

static void open_keys(struct bench *bench)
{
    char folder[] = "/tmp/kith-bench-XXXXXX", path[64];
    struct problem problem;
    setenv("KITH_MASTER_KEY", "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=", 1);
    if (mkdtemp(folder) == NULL)
        stop("no folder for keys");
    snprintf(path, sizeof path, "%s/keys", folder);
    if (keys_open(&bench->keys, path, &problem) != ERR_OK)
        stop(problem.detail);
    unlink(path);
    rmdir(folder);
}

/* ---- the file: headers as a shop's back end has them, most of them of no use ---- */

static const char *const useful[] = { "订单编号", "子订单编号", "下单时间", "付款时间", "订单状态",
                                      "会员号",   "手机号",     "商品编码", "商品名称", "规格",
                                      "单价",     "数量",       "实付金额", "优惠金额", "门店" };
#define USEFUL (sizeof useful / sizeof useful[0])

static void make_names(struct bench *bench)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i % 4 == 0 && i / 4 < USEFUL)
            bench->names[i] = str_from_c(useful[i / 4]);
        else
            bench->names[i] = str_from_bytes(
                bench->name_room[i],
                (size_t)snprintf(bench->name_room[i], sizeof bench->name_room[i], "其他%zu", i));
        bench->row[i] = (struct table_cell){ .kind = CELL_TEXT, .text = STR("没有用的内容") };
    }
}

static void set_cell(struct bench *bench, size_t index, const char *format, unsigned long value)
{
    char *room = bench->cells[4 * index];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int size = snprintf(room, CELL_ROOM, format, value);
#pragma GCC diagnostic pop
    bench->row[4 * index].text = str_from_bytes(room, (size_t)size);
}

static void make_row(struct bench *bench, unsigned long line)
{
    unsigned long order = line / LINES_PER_ORDER;
    set_cell(bench, 0, "691712345%09lu7", order * 7919 % 1000000000UL);
    set_cell(bench, 1, "691712346%010lu", line);
    set_cell(bench, 2, "2024-06-18 %02lu:15:30", order % 24);
    set_cell(bench, 3, "2024-06-18 %02lu:16:05", order % 24);
    bench->row[16].text = STR("交易成功");
    set_cell(bench, 5, "VIP%07lu", order % 2000000);
    set_cell(bench, 6, "139%08lu", order * 31 % 100000000);
    set_cell(bench, 7, "SKU-%05lu", line % 500);
    set_cell(bench, 8, "臻白精华 %lu ml", line % 500);
    bench->row[36].text = STR("规格:30ml");
    set_cell(bench, 10, "%lu.50", 20 + line % 400);
    set_cell(bench, 11, "%lu", 1 + line % 3);
    set_cell(bench, 12, "%lu.00", 20 + line % 400);
    set_cell(bench, 13, "%lu.50", line % 10);
    set_cell(bench, 14, "S%03lu", order % 200);
}

#define HEAD                                                                                      \
    "{\"kind\":\"events\",\"channel\":\"tmall\",\"currency\":\"CNY\",\"key\":\"[订单编号]\"," \
    "\"identifiers\":[{\"type\":\"member_card\",\"column\":\"会员号\"},"                       \
    "{\"type\":\"mobile\",\"column\":\"手机号\"}],\"time\":\"[付款时间]\","                \
    "\"event\":\"Order Paid\",\"when\":\"[订单状态] in ('交易成功','买家已付款')\"," \
    "\"properties\":{\"order_id\":\"[订单编号]\",\"store_id\":\"[门店]\",\"status\":\"[订单状态]\""
#define LINE                                                                                  \
    "\"product_id\":\"[商品编码]\",\"name\":\"[商品名称]\",\"variant\":\"[规格]\"," \
    "\"price\":\"[单价]\",\"quantity\":\"[数量]\",\"item_no\":\"[子订单编号]\""
#define LINES                                                          \
    "},\"lines\":{\"group_by\":\"[订单编号]\",\"columns\":{" LINE "}," \
    "\"sums\":{\"revenue\":\"[实付金额]\",\"discount\":\"[优惠金额]\"}"

static const char rows_json[] =
    HEAD "," LINE ",\"revenue\":\"[实付金额]\",\"discount\":\"[优惠金额]\"}}";
static const char lines_json[] = HEAD LINES ",\"adjacent\":true}}";
static const char waiting_json[] = HEAD LINES "}}";
static const char script_json[] =
    HEAD ",\"grade\":{\"lua\":\"local n = tonumber(row['实付金额']) or 0 "
         "return n >= 300 and '高' or '低'\"}}}";

static bool take_event(void *context, const struct mapping_event *event)
{
    struct bench *bench = context;
    bench->events++;
    bench->props_bytes += event->event->props.size;
    return true;
}

static bool take_refusal(void *context, uint64_t row, str raw, str code,
                         const struct problem *problem)
{
    struct bench *bench = context;
    (void)row;
    (void)raw;
    (void)code;
    if (bench->refused++ == 0)
        fprintf(stderr, "mapping: refused: %s\n", problem->detail);
    return true;
}

/* The cost of making rows is not the mapping's: they are made in turn before the clock starts, and timed alone. */
static int64_t making_ns(struct bench *bench, unsigned long rows)
{
    int64_t begin = cpu_ns();
    for (unsigned long i = 0; i < rows; i++)
        make_row(bench, i);
    return cpu_ns() - begin;
}

static void run(struct bench *bench, const char *name, const char *json, unsigned long rows,
                size_t memory_bytes_max)
{
    struct mapping *mapping = NULL;
    struct mapping_worker *worker = NULL;
    struct mapping_context context = { .keys = bench->keys,
                                       .source_number = 1,
                                       .key_salt = STR("bench"),
                                       .received_ms = NOW_MS,
                                       .zone_offset_seconds = 28800,
                                       .memory_bytes_max = memory_bytes_max };
    struct problem problem = { .error = ERR_OK };
    json_value root;
    bench->events = bench->refused = bench->props_bytes = 0;
    if (json_parse(bench->parser, str_from_c(json), &root, &problem) != ERR_OK ||
        mapping_new_named(&mapping, root, bench->names, COLUMNS, &problem) != ERR_OK ||
        mapping_worker_new(&worker, mapping, &context, &problem) != ERR_OK)
        stop(problem.detail);
    int64_t own_ns = making_ns(bench, rows), begin = cpu_ns();
    for (unsigned long i = 0; i < rows; i++) {
        make_row(bench, i);
        struct table_row row = { .number = i + 1,
                                 .cell_count = COLUMNS,
                                 .cells = bench->row,
                                 .raw = STR("the line as the file has it, of six hundred bytes") };
        if (mapping_row(worker, &row, take_event, take_refusal, bench, &problem) != ERR_OK)
            stop(problem.detail);
    }
    if (mapping_end(worker, take_event, take_refusal, bench, &problem) != ERR_OK)
        stop(problem.detail);
    double line_ns = (double)(cpu_ns() - begin - own_ns) / (double)rows;
    printf("{\"bench\":\"mapping\",\"case\":\"%s\",\"columns\":%d,\"rows\":%lu,\"events\":%llu,"
           "\"refused\":%llu,\"line_ns\":%.0f,\"lines_per_s\":%.0f}\n",
           name, COLUMNS, rows, (unsigned long long)bench->events,
           (unsigned long long)bench->refused, line_ns, 1e9 / line_ns);
    fflush(stdout);
    mapping_worker_free(&worker);
    mapping_free(&mapping);
}

int main(int count, char **arguments)
{
    static struct bench bench;
    const char *only = NULL;
    unsigned long rows = 600000;
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], "--rows") == 0)
            rows = strtoul(arguments[i + 1], NULL, 10);
        else if (strcmp(arguments[i], "--only") == 0)
            only = arguments[i + 1];
        else
            stop("unknown option; the head of bench/mapping.c tells them");
    }
    if (rows == 0)
        stop("--rows wants a number");
    open_keys(&bench);
    if (json_parser_new(&bench.parser, (size_t)1 << 20) != ERR_OK)
        stop("no memory");
    make_names(&bench);
    const struct {
        const char *name, *json;
        size_t memory_bytes_max;
    } cases[] = { { "rows", rows_json, 0 },
                  { "lines", lines_json, 0 },
                  { "waiting", waiting_json, (size_t)4 << 30 },
                  { "spilled", waiting_json, (size_t)16 << 20 },
                  { "script", script_json, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (only == NULL || strcmp(only, cases[i].name) == 0)
            run(&bench, cases[i].name, cases[i].json, rows, cases[i].memory_bytes_max);
    json_parser_free(&bench.parser);
    keys_free(&bench.keys);
    return 0;
}
