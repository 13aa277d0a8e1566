/* SPDX-License-Identifier: Apache-2.0 */
/* The mark of the last durable seq, through the VFS of the log's file. */
#include "log/mark.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/digest.h"

/* OFFSET SIZE: 0 magic 8, 8 last_seq 8, 16 zero 4, 20 CRC-32C over 0..19 4. */
#define AT_CRC 20
static const char mark_magic[8] = { 'K', 'L', 'O', 'G', 'M', 'A', 'R', 'K' };

#define MARK_PATH_BYTES_MAX 1024

/* The VFS keeps the pointer to the name while the file is open, so it lies behind the handle. */
err mark_open(struct mark *mark, sqlite3_vfs *vfs, const char *log_path, struct problem *problem)
{
    size_t handle_bytes = (size_t)vfs->szOsFile;
    *mark = (struct mark){ .vfs = vfs };
    sqlite3_file *file = memory_alloc(handle_bytes + MARK_PATH_BYTES_MAX);
    if (file == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open the mark of log %s", log_path);
    char *path = (char *)file + handle_bytes;
    int size = snprintf(path, MARK_PATH_BYTES_MAX, "%s-mark", log_path);
    if (size < 0 || size >= MARK_PATH_BYTES_MAX) {
        memory_free(file);
        return problem_set(problem, ERR_INVALID, "path of the log is longer than %d bytes",
                           MARK_PATH_BYTES_MAX - 6);
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_SUPER_JOURNAL;
    int rc = vfs->xOpen(vfs, path, file, flags, NULL);
    if (rc != SQLITE_OK) {
        if (file->pMethods != NULL)
            (void)file->pMethods->xClose(file);
        memory_free(file);
        return problem_set(problem, rc == SQLITE_FULL ? ERR_STORAGE_FULL : ERR_IO,
                           "cannot open %s-mark: %s", log_path, sqlite3_errstr(rc));
    }
    mark->file = file;
    return ERR_OK;
}

void mark_close(struct mark *mark)
{
    if (mark->file == NULL)
        return;
    (void)mark->file->pMethods->xClose(mark->file);
    memory_free(mark->file);
    mark->file = NULL;
}

err mark_read(struct mark *mark, enum mark_found *found, uint64_t *last_seq,
              struct problem *problem)
{
    char bytes[MARK_BYTES];
    int rc = mark->file->pMethods->xRead(mark->file, bytes, MARK_BYTES, 0);
    if (rc == SQLITE_IOERR_SHORT_READ) {
        sqlite3_int64 size = 0;
        rc = mark->file->pMethods->xFileSize(mark->file, &size);
        *found = size == 0 ? MARK_MISSING : MARK_DAMAGED;
        if (rc == SQLITE_OK)
            return ERR_OK;
    }
    if (rc != SQLITE_OK)
        return problem_set(problem, ERR_IO, "cannot read the mark of the log: %s",
                           sqlite3_errstr(rc));
    struct cursor cursor =
        cursor_over(str_from_bytes(bytes + sizeof mark_magic, MARK_BYTES - sizeof mark_magic));
    *last_seq = read_u64(&cursor);
    uint32_t zero = read_u32(&cursor);
    bool whole = memcmp(bytes, mark_magic, sizeof mark_magic) == 0 && zero == 0 &&
                 read_u32(&cursor) == crc32c(0, bytes, AT_CRC);
    *found = whole ? MARK_VALID : MARK_DAMAGED;
    return ERR_OK;
}

err mark_write(struct mark *mark, uint64_t last_seq, struct problem *problem)
{
    uint8_t bytes[MARK_BYTES] = { 0 };
    memcpy(bytes, mark_magic, sizeof mark_magic);
    for (unsigned i = 0; i < 8; i++)
        bytes[sizeof mark_magic + i] = (uint8_t)(last_seq >> (8 * i));
    uint32_t crc = crc32c(0, bytes, AT_CRC);
    for (unsigned i = 0; i < 4; i++)
        bytes[AT_CRC + i] = (uint8_t)(crc >> (8 * i));
    int rc = mark->file->pMethods->xWrite(mark->file, bytes, MARK_BYTES, 0);
    if (rc == SQLITE_OK)
        return ERR_OK;
    return problem_set(problem, rc == SQLITE_FULL ? ERR_STORAGE_FULL : ERR_IO,
                       "cannot write the mark of the log: %s", sqlite3_errstr(rc));
}
