/* SPDX-License-Identifier: Apache-2.0 */
/* table: how fast rows come out of files: order lines of a shop's export (20 columns, 13 of them filled with
 * Chinese text, ids, amounts and times) in every format, from one seed.
 *
 * Usage: table [rows] [folder]   (default 1000000, /tmp/kith-bench-table; Excel has a tenth of the rows)
 *
 * Each file is read twice and the quicker reading counts. 'lines/s' is by the clock; 'per core' by processor time,
 * for Parquet that of the child included. The sum of all cells' bytes is printed, so that a reading
 * that passes something over is seen. Parquet is left out when libchdb.so (KITH_CHDB_LIBRARY) is not there. */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "table/table.h"

#define SEED 7
#define COLUMNS 20

static _Noreturn void give_up(const char *what, const char *detail)
{
    fprintf(stderr, "bench: %s: %s\n", what, detail);
    exit(1);
}

/* ---- order lines ---- */

static const char *const names[COLUMNS] = { "订单编号", "子订单编号", "买家会员名", "商品标题",
                                            "商品编码", "商品属性",   "价格",       "购买数量",
                                            "应付金额", "实付金额",   "优惠金额",   "邮费",
                                            "订单状态", "收货人姓名", "收货地址",   "联系手机",
                                            "下单时间", "付款时间",   "买家留言",   "店铺名称" };

struct line {
    char cells[COLUMNS][192];
};

static void make_line(struct random_stream *random, uint64_t number, struct line *line)
{
    static const char *const titles[] = { "水乳套装 清爽型 官方正品",
                                          "精华液 30ml 夜间修护, 双支装", "防晒霜 SPF50 户外军训",
                                          "面膜 10 片 补水保湿" };
    static const char *const cities[] = { "上海市 浦东新区 世纪大道",
                                          "浙江省 杭州市 余杭区 文一西路", "北京市 朝阳区 建国路",
                                          "四川省 成都市 武侯区 天府大道" };
    static const char *const people[] = { "王芳", "李伟", "张敏", "欧阳娜娜" };
    unsigned price = (unsigned)random_below(random, 50000) + 100;
    unsigned count = (unsigned)random_below(random, 3) + 1;
    unsigned day = (unsigned)random_below(random, 28) + 1,
             second = (unsigned)random_below(random, 60);
    memset(line, 0, sizeof(*line));
#define PUT(place, ...) snprintf(line->cells[place], sizeof(line->cells[place]), __VA_ARGS__)
    PUT(0, "%llu", 2024010500000000000ull + (unsigned long long)(number / 2));
    PUT(1, "%llu", 3024010500000000000ull + (unsigned long long)number);
    PUT(2, "买家%u", (unsigned)random_below(random, 8000000));
    PUT(3, "%s", titles[random_below(random, 4)]);
    PUT(4, "SKU%06u", (unsigned)random_below(random, 3000));
    PUT(6, "%u.%02u", price / 100, price % 100);
    PUT(7, "%u", count);
    PUT(8, "%u.%02u", price * count / 100, price * count % 100);
    PUT(9, "%u.%02u", price * count / 100, price * count % 100);
    PUT(12, "%s", random_below(random, 20) == 0 ? "交易关闭" : "交易成功");
    PUT(13, "%s", people[random_below(random, 4)]);
    PUT(14, "%s %u 号", cities[random_below(random, 4)], (unsigned)random_below(random, 2000));
    PUT(15, "13%09u", (unsigned)random_below(random, 1000000000));
    PUT(16, "2024-01-%02u 08:03:%02u", day, second);
    PUT(17, "2024-01-%02u 08:05:%02u", day, second);
    if (random_below(random, 50) == 0)
        PUT(18, "请尽快发货，\n谢谢 \"亲\"");
#undef PUT
}

/* ---- files ---- */

struct work {
    const char *folder;
    uint64_t rows;
    char path[512]; /* of the file that was written last */
};

static FILE *open_file(struct work *work, const char *name)
{
    snprintf(work->path, sizeof(work->path), "%s/%s", work->folder, name);
    FILE *file = fopen(work->path, "we");
    if (file == NULL)
        give_up(work->path, "cannot be written");
    return file;
}

static void put_csv(struct buffer *out, const char *const *cells)
{
    for (int i = 0; i < COLUMNS; i++) {
        str cell = str_from_c(cells[i]);
        bool quote = strpbrk(cells[i], ",\"\n") != NULL;
        if (i > 0)
            buffer_append_byte(out, ',');
        if (quote)
            buffer_append_byte(out, '"');
        for (size_t k = 0; k < cell.size; k++) {
            if (cell.data[k] == '"')
                buffer_append_byte(out, '"');
            buffer_append_byte(out, (uint8_t)cell.data[k]);
        }
        if (quote)
            buffer_append_byte(out, '"');
    }
    buffer_append_str(out, STR("\r\n"));
}

static void put_json(struct buffer *out, const char *const *cells)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (int i = 0; i < COLUMNS; i++)
        if (cells[i][0] != '\0')
            json_member_text(&writer, str_from_c(names[i]), str_from_c(cells[i]));
    json_end_object(&writer);
    buffer_append_byte(out, '\n');
}

typedef void (*put_row)(struct buffer *out, const char *const *cells);

/* All rows through `put` into `file`, in pieces, as GB18030 when `by` is not NULL. */
static void write_rows(struct work *work, put_row put, bool header, iconv_t by, FILE *file)
{
    struct random_stream random;
    struct buffer text;
    struct line line;
    const char *cells[COLUMNS];
    static char encoded[1 << 20];
    random_seed(&random, SEED);
    buffer_init(&text, 1 << 20);
    for (uint64_t i = 0; i <= work->rows; i++) {
        if (i == 0 && header)
            put(&text, names);
        if (i < work->rows) {
            make_line(&random, i, &line);
            for (int k = 0; k < COLUMNS; k++)
                cells[k] = line.cells[k];
            put(&text, cells);
        }
        if (text.size < 500000 && i < work->rows)
            continue;
        char *from = text.data, *to = encoded;
        size_t left = text.size, room = sizeof(encoded);
        if (by == (iconv_t)-1) {
            fwrite(text.data, 1, text.size, file);
        } else {
            if (iconv(by, &from, &left, &to, &room) == (size_t)-1)
                give_up("iconv", "cannot encode");
            fwrite(encoded, 1, (size_t)(to - encoded), file);
        }
        buffer_clear(&text);
    }
    buffer_deinit(&text);
    if (fclose(file) != 0)
        give_up(work->path, "cannot be written");
}

static void pack(const char *command, const char *from, const char *to)
{
    char text[1400];
    snprintf(text, sizeof(text), "%s < '%s' > '%s'", command, from, to);
    if (system(text) != 0) /* NOLINT(cert-env33-c): a bench's own files */
        give_up(text, "failed");
}

/* ---- Excel ---- */

static void put_sheet_row(struct buffer *out, const char *const *cells)
{
    buffer_append_str(out, STR("<row>"));
    for (int i = 0; i < COLUMNS; i++) {
        if (cells[i][0] == '\0')
            continue;
        bool number = i >= 6 && i <= 9 && cells[i][0] <= '9';
        buffer_printf(out, number ? "<c r=\"%c1\"><v>" : "<c r=\"%c1\" t=\"inlineStr\"><is><t>",
                      'A' + i);
        for (const char *at = cells[i]; *at != '\0'; at++)
            buffer_append_byte(out, (uint8_t)*at);
        buffer_append_str(out, number ? STR("</v></c>") : STR("</t></is></c>"));
    }
    buffer_append_str(out, STR("</row>\n"));
}

static void write_excel(struct work *work)
{
#define RELATION "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    static const char relations[] =
        "<Relationships><Relationship Id=\"a\" Type=\"" RELATION
        "/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
    static const char workbook[] =
        "<workbook><sheets><sheet name=\"1\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>";
    static const char sheets[] = "<Relationships><Relationship Id=\"a\" Type=\"" RELATION
                                 "/worksheet\" Target=\"s.xml\"/></Relationships>";
    int code;
    char sheet[512];
    FILE *file = open_file(work, "sheet.xml");
    fputs("<worksheet><sheetData>\n", file);
    write_rows(work, put_sheet_row, true, (iconv_t)-1, file);
    memcpy(sheet, work->path, sizeof(sheet));
    file = fopen(sheet, "ae");
    if (file == NULL || fputs("</sheetData></worksheet>", file) < 0 || fclose(file) != 0)
        give_up(sheet, "cannot be written");
    fclose(open_file(work, "orders.xlsx"));
    zip_t *zip = zip_open(work->path, ZIP_TRUNCATE, &code);
    if (zip == NULL)
        give_up(work->path, "cannot be written");
    zip_file_add(zip, "_rels/.rels", zip_source_buffer(zip, relations, sizeof(relations) - 1, 0),
                 0);
    zip_file_add(zip, "xl/workbook.xml", zip_source_buffer(zip, workbook, sizeof(workbook) - 1, 0),
                 0);
    zip_file_add(zip, "xl/_rels/workbook.xml.rels",
                 zip_source_buffer(zip, sheets, sizeof(sheets) - 1, 0), 0);
    zip_file_add(zip, "xl/s.xml", zip_source_file(zip, sheet, 0, -1), 0);
    if (zip_close(zip) != 0)
        give_up(work->path, zip_strerror(zip));
    unlink(sheet);
}

/* ---- Parquet ---- */

static bool write_parquet(struct work *work, const char *csv)
{
    const char *library = getenv("KITH_CHDB_LIBRARY");
    char command[4096];
    snprintf(work->path, sizeof(work->path), "%s/orders.parquet", work->folder);
    if (library == NULL)
        return false;
    /* In a process of its own: the library would stay in this one. */
    snprintf(
        command, sizeof(command),
        "python3 - <<'END'\n"
        "import ctypes\n"
        "l = ctypes.CDLL('%s')\n"
        "l.chdb_connect.restype = ctypes.POINTER(ctypes.c_void_p)\n"
        "l.chdb_query.restype = ctypes.c_void_p\n"
        "l.chdb_query.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]\n"
        "l.chdb_result_error.restype = ctypes.c_char_p\n"
        "l.chdb_result_error.argtypes = [ctypes.c_void_p]\n"
        "c = l.chdb_connect(1, (ctypes.c_char_p * 1)(b'kith'))\n"
        "r = l.chdb_query(c[0], b\"SELECT * FROM file('%s', CSVWithNames) INTO OUTFILE '%s' TRUNCATE FORMAT "
        "Parquet\", b'Null')\n"
        "e = l.chdb_result_error(r)\n"
        "import os\n"
        "print(e) if e else None\n"
        "os._exit(1 if e else 0)\n"
        "END\n",
        library, csv, work->path);
    return system(command) == 0; /* NOLINT(cert-env33-c): a bench's own files */
}

/* ---- reading ---- */

static double processor_seconds(void)
{
    double seconds = 0;
    static const int who[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
    for (int i = 0; i < 2; i++) {
        struct rusage usage;
        getrusage(who[i], &usage);
        seconds += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    return seconds;
}

struct reading {
    uint64_t rows, cell_bytes, refused;
    double seconds, processor_seconds;
};

static void read_once(const char *path, const struct table_form *form, struct reading *reading)
{
    struct table *table = NULL;
    struct table_config config = { .path = path, .form = *form };
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    double processor = processor_seconds();
    steady_ns start = steady_now();
    memset(reading, 0, sizeof(*reading));
    if (table_open(&table, &config, &problem) != ERR_OK)
        give_up(path, problem.detail);
    for (;;) {
        err error = table_next(table, &row, &problem);
        if (error == ERR_NOT_FOUND)
            break;
        if (error != ERR_OK && error != ERR_INVALID)
            give_up(path, problem.detail);
        reading->rows++;
        reading->refused += error == ERR_INVALID;
        for (uint32_t i = 0; i < row.cell_count; i++)
            reading->cell_bytes += row.cells[i].text.size;
    }
    table_close(&table);
    reading->seconds = (double)steady_since_us(start) / 1e6;
    reading->processor_seconds = processor_seconds() - processor;
}

static void measure(const struct work *work, const char *name)
{
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    struct stat info;
    struct reading best, reading;
    if (table_detect(work->path, STR(""), &form, &problem) != ERR_OK ||
        stat(work->path, &info) != 0)
        give_up(work->path, problem.detail);
    read_once(work->path, &form, &best);
    read_once(work->path, &form, &reading);
    if (reading.seconds < best.seconds)
        best.seconds = reading.seconds;
    if (reading.processor_seconds < best.processor_seconds)
        best.processor_seconds = reading.processor_seconds;
    printf("%-18s %9llu rows %7.1f MB %8.2f s %10.0f lines/s %7.1f MB/s %10.0f lines/s per core  "
           "(%llu bytes in cells, %llu refused)\n",
           name, (unsigned long long)best.rows, (double)info.st_size / 1e6, best.seconds,
           (double)best.rows / best.seconds, (double)info.st_size / 1e6 / best.seconds,
           (double)best.rows / best.processor_seconds, (unsigned long long)best.cell_bytes,
           (unsigned long long)best.refused);
    fflush(stdout);
}

static void measure_texts(struct work *work)
{
    char csv[512], packed[640];
    write_rows(work, put_csv, true, (iconv_t)-1, open_file(work, "orders.csv"));
    measure(work, "CSV, UTF-8");
    memcpy(csv, work->path, sizeof(csv));
    snprintf(packed, sizeof(packed), "%s.gz", csv);
    pack("gzip -1", csv, packed);
    snprintf(work->path, sizeof(work->path), "%s/orders.csv.gz", work->folder);
    measure(work, "CSV, gzip");
    unlink(packed);
    snprintf(packed, sizeof(packed), "%s.zst", csv);
    pack("zstd -q -1", csv, packed);
    snprintf(work->path, sizeof(work->path), "%s/orders.csv.zst", work->folder);
    measure(work, "CSV, zstd");
    unlink(packed);
    if (write_parquet(work, csv))
        measure(work, "Parquet");
    unlink(work->path);
    unlink(csv);
    iconv_t by = iconv_open("GB18030", "UTF-8");
    write_rows(work, put_csv, true, by, open_file(work, "orders-gb.csv"));
    iconv_close(by);
    measure(work, "CSV, GB18030");
    unlink(work->path);
    write_rows(work, put_json, false, (iconv_t)-1, open_file(work, "orders.jsonl"));
    measure(work, "JSON lines");
    unlink(work->path);
}

int main(int argc, char **argv)
{
    struct work work = { .folder = argc > 2 ? argv[2] : "/tmp/kith-bench-table", .rows = 1000000 };
    if (argc > 1 && strcmp(argv[1], "read-parquet") == 0)
        return table_parquet_main(argc - 1, argv + 1);
    if (argc > 1 && (!str_to_uint64(str_from_c(argv[1]), &work.rows) || work.rows == 0))
        give_up("rows", "a number above 0");
    mkdir(work.folder, 0700);
    measure_texts(&work);
    work.rows = work.rows >= 10 ? work.rows / 10 : 1;
    write_excel(&work);
    measure(&work, "Excel");
    unlink(work.path);
    rmdir(work.folder);
    return 0;
}
