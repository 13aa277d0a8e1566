/* SPDX-License-Identifier: Apache-2.0 */
/* temporary: unpacking into a file without a name. */
#include "table/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "table/unpack.h"

#define PIECE_BYTES (256 * 1024)

static err write_all(int fd, const char *bytes, size_t size, struct problem *problem)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return problem_set(problem, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO,
                               "the unpacked copy cannot be written: %s", strerror(errno));
        bytes += count;
        size -= (size_t)count;
    }
    return ERR_OK;
}

static err copy_unpacked(struct unpack *unpack, int fd, struct problem *problem)
{
    char *piece = memory_alloc(PIECE_BYTES);
    if (piece == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to unpack a file");
    err error = ERR_OK;
    size_t size = 1;
    while (error == ERR_OK && size > 0) {
        error = unpack_read(unpack, piece, PIECE_BYTES, &size, problem);
        if (error == ERR_OK)
            error = write_all(fd, piece, size, problem);
    }
    memory_free(piece);
    return error;
}

err temporary_unpack(const char *path, enum table_packing packing, int *out,
                     struct problem *problem)
{
    struct unpack unpack;
    err error = unpack_open(&unpack, path, packing, problem);
    if (error != ERR_OK)
        return error;
    int fd = file_open_nameless();
    if (fd < 0)
        error = problem_set(problem, ERR_IO, "there is no place for an unpacked copy: %s",
                            strerror(errno));
    if (error == ERR_OK)
        error = copy_unpacked(&unpack, fd, problem);
    unpack_close(&unpack);
    if (error == ERR_OK)
        *out = fd;
    else if (fd >= 0)
        close(fd);
    return error;
}

void temporary_path(int fd, char out[TEMPORARY_PATH_BYTES])
{
    snprintf(out, TEMPORARY_PATH_BYTES, "/proc/self/fd/%d", fd);
}
