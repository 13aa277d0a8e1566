/* SPDX-License-Identifier: Apache-2.0 */
/* A file in pages: which are taken, and what is written, read and zeroed; see paged_file.h. */
#include "store/paged_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/file.h"

static const char magic[8] = { 'K', 'I', 'T', 'H', 'H', 'I', 'S', 'T' };

/* ---- pages ---- */

static uint32_t pages_of(uint32_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static void mark(struct paged_file *file, struct extent extent, bool as_used)
{
    for (uint32_t page = extent.page; page < extent.page + pages_of(extent.bytes); page++) {
        if (as_used)
            file->used[page >> 6] |= UINT64_C(1) << (page & 63);
        else
            file->used[page >> 6] &= ~(UINT64_C(1) << (page & 63));
    }
    if (!as_used && extent.page < file->first_free)
        file->first_free = extent.page;
}

static err pages_grow(struct paged_file *file, uint64_t needed)
{
    if (needed <= file->page_count)
        return ERR_OK;
    uint64_t wanted = (uint64_t)file->page_count * 2;
    wanted = (needed > wanted ? needed : wanted) + 1023;
    wanted &= ~UINT64_C(1023);
    if (wanted > PAGES_MAX)
        return ERR_TOO_LARGE;
    uint64_t *used = memory_resize(file->used, wanted / 8);
    if (used == NULL)
        return ERR_NOMEM;
    memset((char *)used + file->page_count / 8, 0, (wanted - file->page_count) / 8);
    file->used = used;
    file->page_count = (uint32_t)wanted;
    return ERR_OK;
}

/* The next page from `page` on that is used, or free; page_count when there is none. */
static uint32_t next_page(const struct paged_file *file, uint32_t page, bool is_used)
{
    while (page < file->page_count) {
        uint64_t bits = is_used ? file->used[page >> 6] : ~file->used[page >> 6];
        bits &= UINT64_MAX << (page & 63);
        if (bits != 0)
            return (page & ~63u) + (uint32_t)__builtin_ctzll(bits);
        page = (page & ~63u) + 64;
    }
    return file->page_count;
}

/* First fit, in the order of the file. */
err paged_file_take(struct paged_file *file, uint32_t bytes, struct extent *extent)
{
    uint32_t wanted = pages_of(bytes);
    uint32_t page = next_page(file, file->first_free, false);
    file->first_free = page;
    while (page < file->page_count) {
        uint32_t end = next_page(file, page, true);
        if (end - page >= wanted || end == file->page_count)
            break;
        page = next_page(file, end, false);
    }
    err error = pages_grow(file, (uint64_t)page + wanted);
    if (error != ERR_OK)
        return error;
    *extent = (struct extent){ .page = page, .bytes = bytes };
    mark(file, *extent, true);
    return ERR_OK;
}

err paged_file_hold(struct paged_file *file, struct extent extent)
{
    INVARIANT(extent.page > 0);
    err error = pages_grow(file, (uint64_t)extent.page + pages_of(extent.bytes));
    if (error == ERR_OK)
        mark(file, extent, true);
    return error;
}

void paged_file_give_back(struct paged_file *file, struct extent extent)
{
    mark(file, extent, false);
}

/* ---- bytes ---- */

static err file_failed(const struct paged_file *file, const char *what, struct problem *problem)
{
    err error = errno == ENOSPC || errno == EDQUOT ? ERR_STORAGE_FULL : ERR_IO;
    return problem_set(problem, error, "'%s' cannot be %s: %s", file->path, what, strerror(errno));
}

static err write_at(const struct paged_file *file, str bytes, uint64_t offset,
                    struct problem *problem)
{
    while (bytes.size > 0) {
        /* Half of it is there when a test ends the process here. */
        size_t size = bytes.size > PAGE_BYTES ? bytes.size / 2 : bytes.size;
        ssize_t put = pwrite(file->descriptor, bytes.data, size, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put >= 0 && fault_fires(FAULT_PACK_WRITE)) {
            put = -1;
            errno = ENOSPC;
        }
        if (put <= 0)
            return file_failed(file, "written", problem);
        bytes = str_slice(bytes, (size_t)put, bytes.size);
        offset += (uint64_t)put;
    }
    return ERR_OK;
}

/* P5. A file system that makes no holes gets zeros; beyond the end of the file there is nothing. */
err paged_file_zero(const struct paged_file *file, struct extent extent, struct problem *problem)
{
    static const char zeros[16 * PAGE_BYTES];
    uint64_t offset = (uint64_t)extent.page * PAGE_BYTES;
    uint64_t left = (uint64_t)pages_of(extent.bytes) * PAGE_BYTES;
    if (fallocate(file->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                  (off_t)left) == 0)
        return ERR_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return file_failed(file, "cut", problem);
    err error = ERR_OK;
    while (left > 0 && error == ERR_OK) {
        size_t size = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
        error = write_at(file, str_from_bytes(zeros, size), offset, problem);
        offset += size;
        left -= size;
    }
    return error;
}

err paged_file_sync(const struct paged_file *file, struct problem *problem)
{
    return fdatasync(file->descriptor) == 0 ? ERR_OK : file_failed(file, "synced", problem);
}

err paged_file_write(struct paged_file *file, struct extent extent, str bytes,
                     struct problem *problem)
{
    INVARIANT(bytes.size == extent.bytes);
    return write_at(file, bytes, (uint64_t)extent.page * PAGE_BYTES, problem);
}

bool paged_file_read(const struct paged_file *file, struct extent extent, char *bytes)
{
    return file_read_at(file->descriptor, bytes, extent.bytes, (uint64_t)extent.page * PAGE_BYTES);
}

err paged_file_clear_gaps(struct paged_file *file, struct problem *problem)
{
    struct stat status;
    err error = fstat(file->descriptor, &status) == 0 ? ERR_OK : file_failed(file, "read", problem);
    uint64_t end = error == ERR_OK ? ((uint64_t)status.st_size + PAGE_BYTES - 1) / PAGE_BYTES : 0;
    if (error == ERR_OK && pages_grow(file, end) != ERR_OK)
        error = problem_set(problem, ERR_NOMEM, "no memory for the pages of '%s'", file->path);
    for (uint32_t page = next_page(file, 0, false); error == ERR_OK && page < end;) {
        uint32_t until = next_page(file, page, true);
        until = until < end ? until : (uint32_t)end;
        /* A hole costs nothing, however long; so many pages at a time that the bytes fit. */
        while (page < until && error == ERR_OK) {
            uint32_t some = until - page < 65536 ? until - page : 65536;
            error = paged_file_zero(file, (struct extent){ page, some * PAGE_BYTES }, problem);
            page += some;
        }
        page = next_page(file, until, false);
    }
    return error;
}

/* ---- life ---- */

static bool has_head(const struct paged_file *file)
{
    char head[16] = { 0 };
    return file_read_at(file->descriptor, head, sizeof(head), 0) &&
           memcmp(head, magic, sizeof(magic)) == 0 && head[8] == (char)PAGED_FILE_VERSION;
}

static err write_head(const struct paged_file *file, struct problem *problem)
{
    char head[PAGE_BYTES] = { 0 };
    memcpy(head, magic, sizeof(magic));
    head[8] = (char)PAGED_FILE_VERSION;
    if (ftruncate(file->descriptor, 0) != 0)
        return file_failed(file, "cut", problem);
    return write_at(file, str_from_bytes(head, sizeof(head)), 0, problem);
}

err paged_file_open(struct paged_file *file, const char *path, bool *is_kept,
                    struct problem *problem)
{
    *file = (struct paged_file){ .descriptor = -1 };
    snprintf(file->path, sizeof(file->path), "%s", path);
    err error = pages_grow(file, 1024);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for '%s'", path);
    mark(file, (struct extent){ 0, PAGE_BYTES }, true);
    file->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file->descriptor < 0)
        return file_failed(file, "opened", problem);
    *is_kept = has_head(file);
    return *is_kept ? ERR_OK : write_head(file, problem);
}

void paged_file_close(struct paged_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
    memory_free(file->used);
    file->used = NULL;
}
