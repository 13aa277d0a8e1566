/* SPDX-License-Identifier: Apache-2.0 */
/* report: refused rows, each with its number, its reason, and as the file has it. A CSV in UTF-8 with a byte
 * order mark, so that Excel opens it; what a spreadsheet would take for a formula is made text.
 *
 * It grows beside the log: a chunk's command says how long the report was, and a job that goes on cuts off
 * what is beyond. A row may be refused before the job can resume behind it (lines of orders wait for each
 * other): such rows are not counted into that length until it can, so none is in the report twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "imports/inside.h"

#define WAITING_BYTES ((size_t)256 << 10)

struct mark { /* where a row begins that may come again */
    uint64_t row, begin_bytes;
};

struct report {
    int fd;
    uint64_t size_bytes, synced_bytes; /* written; on disk */
    uint64_t rows;
    struct mark *marks; /* in the order of the report */
    size_t mark_count, mark_capacity;
    struct buffer waiting;
    bool failed;
    int failed_number;
};

void report_path(const struct imports *imports, uint32_t number, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.900s/refused-%u.csv", imports->folder, number);
}

err report_open(struct report **opened, struct imports *imports, uint32_t number,
                uint64_t size_bytes, uint64_t rows, struct problem *problem)
{
    char path[PATH_BYTES];
    struct report *report = memory_alloc(sizeof *report);
    if (report == NULL)
        return ERR_NOMEM;
    report_path(imports, number, path);
    report->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (report->fd < 0 || ftruncate(report->fd, (off_t)size_bytes) != 0) {
        err error = problem_set(problem, ERR_IO, "the report '%s' cannot be opened: %s", path,
                                strerror(errno));
        if (report->fd >= 0)
            close(report->fd);
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
    close(report->fd);
    memory_free(report->marks);
    buffer_deinit(&report->waiting);
    memory_free(report);
}

static void write_waiting(struct report *report)
{
    size_t done = 0;
    while (done < report->waiting.size && !report->failed) {
        ssize_t size = pwrite(report->fd, report->waiting.data + done, report->waiting.size - done,
                              (off_t)report->size_bytes);
        if (size < 0 && errno != EINTR) {
            report->failed = true;
            report->failed_number = errno;
        } else if (size > 0) {
            done += (size_t)size;
            report->size_bytes += (uint64_t)size;
        }
    }
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
            report->failed_number = ENOMEM;
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
    int number = report->failed_number;
    err error = number == ENOSPC || number == EDQUOT ? ERR_STORAGE_FULL
                : number == ENOMEM                   ? ERR_NOMEM
                                                     : ERR_IO;
    return problem_set(problem, error, "the report of refused rows cannot be written: %s",
                       strerror(number));
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
    if (!report->failed && report->size_bytes != report->synced_bytes &&
        fdatasync(report->fd) != 0) {
        report->failed = true;
        report->failed_number = errno;
    }
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
    char path[PATH_BYTES];
    report_path(imports, number, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return problem_set(problem, ERR_NOT_FOUND, "import %u has refused no row", number);
    char *room = buffer_reserve(out, limit);
    ssize_t size = room != NULL ? pread(fd, room, limit, (off_t)offset) : -1;
    int failed = errno;
    close(fd);
    if (size < 0)
        return problem_set(problem, ERR_IO, "the report cannot be read: %s", strerror(failed));
    buffer_advance(out, (size_t)size);
    if (size == 0 && offset == 0)
        return problem_set(problem, ERR_NOT_FOUND, "import %u has refused no row", number);
    return ERR_OK;
}
