/* SPDX-License-Identifier: Apache-2.0 */
/* report: refused rows, each with its number, its reason, and as the file has it. A CSV in UTF-8 with a byte
 * order mark, so that Excel opens it; what a spreadsheet would take for a formula is made text.
 *
 * It grows beside the log: a chunk's command says how long the report was, and a job that goes on cuts off
 * what is beyond.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "imports/inside.h"

#define WAITING_BYTES ((size_t)256 << 10)

struct report {
    int fd;
    uint64_t size_bytes, synced_bytes; /* written; on disk */
    struct buffer waiting;
    bool failed;
    int failed_number;
};

void report_path(const struct imports *imports, uint32_t number, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.900s/refused-%u.csv", imports->folder, number);
}

err report_open(struct report **opened, struct imports *imports, uint32_t number,
                uint64_t size_bytes, struct problem *problem)
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

void report_row(struct report *report, uint64_t row, str code, str reason, str raw)
{
    struct buffer *out = &report->waiting;
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

err report_sync(struct report *report, uint64_t *size_bytes, struct problem *problem)
{
    write_waiting(report);
    if (!report->failed && report->size_bytes != report->synced_bytes &&
        fdatasync(report->fd) != 0) {
        report->failed = true;
        report->failed_number = errno;
    }
    if (report->failed)
        return problem_set(problem, report->failed_number == ENOSPC ? ERR_STORAGE_FULL : ERR_IO,
                           "the report of refused rows cannot be written: %s",
                           strerror(report->failed_number));
    *size_bytes = report->synced_bytes = report->size_bytes;
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
