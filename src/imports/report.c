/* SPDX-License-Identifier: Apache-2.0 */
/* report: refused rows, each with its number, its reason, and as the file has it. A CSV in UTF-8 with a byte
 * order mark, so that Excel opens it; what a spreadsheet would take for a formula is made text. Sealed at rest.
 *
 * It grows beside the log: a chunk's command says how long the report was, and a job that goes on cuts off
 * what is beyond. A row may be refused before the job can resume behind it (lines of orders wait for each
 * other): such rows are not counted into that length until it can, so none is in the report twice.
 */
#include <stdio.h>
#include <string.h>

#include "imports/inside.h"

#define WAITING_BYTES ((size_t)256 << 10)

struct mark { /* where a row begins that may come again */
    uint64_t row, begin_bytes;
};

struct report {
    struct sealed_file *file;
    uint64_t size_bytes, synced_bytes; /* written; on disk */
    uint64_t rows;
    struct mark *marks; /* in the order of the report */
    size_t mark_count, mark_capacity;
    struct buffer waiting;
    bool failed;
    struct problem failure;
};

void report_path(const struct imports *imports, uint32_t number, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.900s/refused-%u.csv", imports->folder, number);
}

/* As long as its job counts on: what is beyond comes again. After a loss of power it may be shorter; then lines are missing. */
static err stand_at(struct report *report, uint64_t size_bytes, struct problem *problem)
{
    static const char gap[] = "\r\n";
    err error = sealed_file_cut(report->file, size_bytes, problem);
    while (error == ERR_OK && sealed_file_size(report->file) < size_bytes) {
        uint64_t missing = size_bytes - sealed_file_size(report->file);
        error = sealed_file_append(report->file, str_from_bytes(gap, missing < 2 ? 1 : 2), problem);
    }
    return error;
}

err report_open(struct report **opened, struct imports *imports, uint32_t number,
                uint64_t size_bytes, uint64_t rows, struct problem *problem)
{
    const struct keys *keys = engine_keys(imports->engine);
    char path[PATH_BYTES];
    struct report *report = memory_alloc(sizeof *report);
    if (report == NULL)
        return ERR_NOMEM;
    report_path(imports, number, path);
    err error =
        size_bytes > 0 ? sealed_file_open(&report->file, keys, path, true, problem) : ERR_NOT_FOUND;
    if (error == ERR_NOT_FOUND)
        error = sealed_file_create(&report->file, keys, path, problem);
    if (error == ERR_OK)
        error = stand_at(report, size_bytes, problem);
    if (error != ERR_OK) {
        sealed_file_close(&report->file);
        memory_free(report);
        return error;
    }
    report->size_bytes = report->synced_bytes = size_bytes;
    report->rows = rows;
    buffer_init(&report->waiting, (size_t)64 << 20);
    *opened = report;
    return ERR_OK;
}

void report_close(struct report **closed)
{
    struct report *report = *closed;
    *closed = NULL;
    if (report == NULL)
        return;
    sealed_file_close(&report->file);
    memory_free(report->marks);
    buffer_deinit(&report->waiting);
    memory_free(report);
}

static void write_waiting(struct report *report)
{
    if (report->waiting.size > 0 && !report->failed)
        report->failed = sealed_file_append(report->file, buffer_str(&report->waiting),
                                            &report->failure) != ERR_OK;
    report->size_bytes = sealed_file_size(report->file);
    buffer_clear(&report->waiting);
}

/* Quoted; what begins like a formula gets an apostrophe before it (as spreadsheets do it). */
static void write_cell(struct buffer *out, str text)
{
    bool formula = text.size > 0 && strchr("=+-@\t\r", text.data[0]) != NULL;
    buffer_append_byte(out, '"');
    if (formula)
        buffer_append_byte(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_append_byte(out, '"');
        buffer_append_byte(out, (uint8_t)text.data[i]);
    }
    buffer_append_byte(out, '"');
}

static void mark_row(struct report *report, uint64_t row)
{
    if (report->mark_count == report->mark_capacity) {
        size_t capacity = report->mark_capacity == 0 ? 64 : report->mark_capacity * 2;
        struct mark *marks = memory_resize(report->marks, capacity * sizeof *marks);
        if (marks == NULL) {
            report->failed = true;
            problem_set(&report->failure, ERR_NOMEM, "no memory for more refused rows");
            return;
        }
        report->marks = marks;
        report->mark_capacity = capacity;
    }
    report->marks[report->mark_count++] =
        (struct mark){ row, report->size_bytes + report->waiting.size };
}

void report_row(struct report *report, uint64_t row, str code, str reason, str raw)
{
    struct buffer *out = &report->waiting;
    mark_row(report, row);
    report->rows++;
    if (report->size_bytes == 0 && out->size == 0)
        buffer_append_str(out, STR("\xEF\xBB\xBFrow,code,reason,original\r\n"));
    buffer_printf(out, "%llu,", (unsigned long long)row);
    write_cell(out, code);
    buffer_append_byte(out, ',');
    write_cell(out, reason);
    buffer_append_byte(out, ',');
    write_cell(out, raw);
    buffer_append_str(out, STR("\r\n"));
    if (out->size > WAITING_BYTES)
        write_waiting(report);
}

static err fail(const struct report *report, struct problem *problem)
{
    return problem_set(problem, report->failure.error, "the report of refused rows: %s",
                       report->failure.detail);
}

/* Rows below `resume_row` never come again. */
static void forget_marks(struct report *report, uint64_t resume_row)
{
    size_t kept = 0;
    for (size_t i = 0; i < report->mark_count; i++) {
        if (report->marks[i].row >= resume_row)
            report->marks[kept++] = report->marks[i];
    }
    report->mark_count = kept;
}

err report_sync(struct report *report, uint64_t resume_row, uint64_t *size_bytes, uint64_t *rows,
                struct problem *problem)
{
    write_waiting(report);
    if (!report->failed && report->size_bytes != report->synced_bytes)
        report->failed = sealed_file_sync(report->file, &report->failure) != ERR_OK;
    if (report->failed)
        return fail(report, problem);
    report->synced_bytes = report->size_bytes;
    forget_marks(report, resume_row);
    *size_bytes = report->mark_count > 0 ? report->marks[0].begin_bytes : report->size_bytes;
    *rows = report->rows - report->mark_count;
    return ERR_OK;
}

err imports_read_refused(struct imports *imports, uint32_t number, uint64_t offset, size_t limit,
                         struct buffer *out, struct problem *problem)
{
    struct sealed_file *file;
    char path[PATH_BYTES];
    size_t size = 0;
    report_path(imports, number, path);
    err error = sealed_file_open(&file, engine_keys(imports->engine), path, false, problem);
    if (error == ERR_NOT_FOUND)
        return problem_set(problem, ERR_NOT_FOUND, "import %u has refused no row", number);
    if (error != ERR_OK)
        return error;
    char *room = buffer_reserve(out, limit);
    error = room != NULL ? sealed_file_read(file, offset, room, limit, &size, problem) : ERR_NOMEM;
    sealed_file_close(&file);
    if (error != ERR_OK)
        return error;
    buffer_advance(out, size);
    if (size == 0 && offset == 0)
        return problem_set(problem, ERR_NOT_FOUND, "import %u has refused no row", number);
    return ERR_OK;
}
