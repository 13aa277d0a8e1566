/* SPDX-License-Identifier: Apache-2.0 */
/* pieces: content named by its hash, compressed, each once.
 *
 *     objects/ab/ab…62 more…   a zstd frame; the name is BLAKE2b-256 of what is in it
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "backup/inside.h"
#include "base/arena.h"

#define LEVEL 3
#define PIECE_HASH_BYTES 32

static err io_problem(struct problem *problem, const char *doing, const char *path)
{
    err error = errno == ENOSPC || errno == EDQUOT ? ERR_STORAGE_FULL : ERR_IO;
    problem_set(problem, error, "cannot %s '%s': %s", doing, path, strerror(errno));
    return error == ERR_STORAGE_FULL
               ? problem_hint(problem, error,
                              "make room where the backups lie, then take one again")
               : error;
}

static void name_of(str bytes, char name[PIECE_NAME_BYTES])
{
    unsigned char hash[PIECE_HASH_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)bytes.data, bytes.size, NULL, 0);
    sodium_bin2hex(name, PIECE_NAME_BYTES, hash, sizeof hash);
}

static void path_of(const struct pieces *pieces, const char *name, char *path, size_t path_size)
{
    snprintf(path, path_size, "%s/objects/%.2s/%s", pieces->folder, name, name);
}

/* ---- open ---- */

static err make_folder(const char *path, struct problem *problem)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST ? ERR_OK
                                                     : io_problem(problem, "make folder", path);
}

static err make_folders(struct pieces *pieces, struct problem *problem)
{
    char path[PATH_MAX + 32];
    err error = make_folder(pieces->folder, problem);
    snprintf(path, sizeof path, "%s/points", pieces->folder);
    if (error == ERR_OK)
        error = make_folder(path, problem);
    snprintf(path, sizeof path, "%s/objects", pieces->folder);
    if (error == ERR_OK)
        error = make_folder(path, problem);
    for (unsigned i = 0; i < 256 && error == ERR_OK; i++) {
        snprintf(path, sizeof path, "%s/objects/%02x", pieces->folder, i);
        error = make_folder(path, problem);
    }
    return error;
}

static err lock_folder(struct pieces *pieces, struct problem *problem)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/lock", pieces->folder);
    pieces->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (pieces->lock < 0)
        return io_problem(problem, "open", path);
    if (flock(pieces->lock, LOCK_EX | LOCK_NB) != 0) {
        problem_set(problem, ERR_CONFLICT, "a backup into '%s' is being taken already",
                    pieces->folder);
        return problem_hint(problem, ERR_CONFLICT, "wait until it is done");
    }
    return ERR_OK;
}

static err is_backup_folder(const struct pieces *pieces, struct problem *problem)
{
    char path[PATH_MAX + 32];
    struct stat info;
    snprintf(path, sizeof path, "%s/points", pieces->folder);
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode)
               ? ERR_OK
               : problem_set(problem, ERR_NOT_FOUND, "'%s' is not a folder of backups",
                             pieces->folder);
}

err pieces_open(struct pieces *pieces, const char *folder, bool taking, struct problem *problem)
{
    *pieces = (struct pieces){ .lock = -1 };
    snprintf(pieces->folder, sizeof pieces->folder, "%s", folder);
    buffer_init(&pieces->packed, (size_t)1 << 30);
    err error = taking ? make_folders(pieces, problem) : is_backup_folder(pieces, problem);
    if (error == ERR_OK && taking)
        error = lock_folder(pieces, problem);
    pieces->compressor = ZSTD_createCCtx();
    pieces->decompressor = ZSTD_createDCtx();
    if (error == ERR_OK && (pieces->compressor == NULL || pieces->decompressor == NULL))
        error = problem_set(problem, ERR_NOMEM, "no memory for a backup");
    if (error != ERR_OK)
        pieces_close(pieces);
    return error;
}

void pieces_close(struct pieces *pieces)
{
    ZSTD_freeCCtx(pieces->compressor);
    ZSTD_freeDCtx(pieces->decompressor);
    buffer_deinit(&pieces->packed);
    if (pieces->lock >= 0)
        close(pieces->lock);
    *pieces = (struct pieces){ .lock = -1 };
}

/* ---- put ---- */

static err pack(struct pieces *pieces, str bytes, struct problem *problem)
{
    size_t bound = ZSTD_compressBound(bytes.size);
    buffer_clear(&pieces->packed);
    char *at = buffer_reserve(&pieces->packed, bound);
    if (at == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to compress %zu bytes", bytes.size);
    size_t size = ZSTD_compressCCtx(pieces->compressor, at, bound, bytes.data, bytes.size, LEVEL);
    if (ZSTD_isError(size))
        return problem_set(problem, ERR_INTERNAL, "zstd: %s", ZSTD_getErrorName(size));
    buffer_advance(&pieces->packed, size);
    return ERR_OK;
}

static bool write_all(int file, str bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(file, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)written, bytes.size);
    }
    return true;
}

/* Under another name first: a piece that has its name is whole. */
static err write_piece(struct pieces *pieces, const char *path, struct problem *problem)
{
    char fresh[PATH_MAX + 256];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return io_problem(problem, "make", fresh);
    bool good = write_all(file, buffer_str(&pieces->packed));
    int number = errno;
    /* The disk begins now, so that neither the sync at the end nor the next one of the log waits for all that a point has written. */
    (void)sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
    good = close(file) == 0 && good;
    if (good && rename(fresh, path) == 0) {
        if (pieces->counts != NULL)
            atomic_fetch_add(&pieces->counts->bytes_written, pieces->packed.size);
        return ERR_OK;
    }
    errno = good ? errno : number;
    err error = io_problem(problem, "write", fresh);
    unlink(fresh);
    return error;
}

err pieces_put(struct pieces *pieces, str bytes, char name[PIECE_NAME_BYTES],
               struct problem *problem)
{
    char path[PATH_MAX + 128];
    if (pieces->counts != NULL)
        atomic_fetch_add(&pieces->counts->bytes_read, bytes.size);
    name_of(bytes, name);
    path_of(pieces, name, path, sizeof path);
    if (access(path, F_OK) == 0)
        return ERR_OK;
    err error = pack(pieces, bytes, problem);
    return error == ERR_OK ? write_piece(pieces, path, problem) : error;
}

err pieces_sync(struct pieces *pieces, struct problem *problem)
{
    return syncfs(pieces->lock) == 0 ? ERR_OK : io_problem(problem, "sync", pieces->folder);
}

/* ---- get ---- */

static err read_packed(struct pieces *pieces, const char *path, struct problem *problem)
{
    struct stat info;
    buffer_clear(&pieces->packed);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return problem_set(problem, ERR_CORRUPT, "the piece '%s' is missing", path);
    bool good = fstat(file, &info) == 0;
    char *at = good ? buffer_reserve(&pieces->packed, (size_t)info.st_size + 1) : NULL;
    size_t size = 0;
    while (at != NULL && size < (size_t)info.st_size) {
        ssize_t count = read(file, at + size, (size_t)info.st_size - size);
        if (count <= 0)
            break;
        size += (size_t)count;
    }
    close(file);
    if (at == NULL || size != (size_t)info.st_size)
        return problem_set(problem, ERR_IO, "the piece '%s' cannot be read", path);
    buffer_advance(&pieces->packed, size);
    return ERR_OK;
}

err pieces_get(struct pieces *pieces, str name, struct buffer *out, struct problem *problem)
{
    char path[PATH_MAX + 128], text[PIECE_NAME_BYTES], found[PIECE_NAME_BYTES] = "";
    if (name.size != PIECE_NAME_BYTES - 1)
        return problem_set(problem, ERR_CORRUPT, "'" STR_FMT "' does not name a piece",
                           STR_ARG(name));
    snprintf(text, sizeof text, STR_FMT, STR_ARG(name));
    path_of(pieces, text, path, sizeof path);
    err error = read_packed(pieces, path, problem);
    if (error != ERR_OK)
        return error;
    unsigned long long size = ZSTD_getFrameContentSize(pieces->packed.data, pieces->packed.size);
    char *at = size <= ((size_t)1 << 30) ? buffer_reserve(out, (size_t)size + 1) : NULL;
    if (at != NULL && ZSTD_decompressDCtx(pieces->decompressor, at, (size_t)size,
                                          pieces->packed.data, pieces->packed.size) == size)
        name_of(str_from_bytes(at, (size_t)size), found);
    if (strcmp(found, text) != 0)
        return problem_set(problem, ERR_CORRUPT, "the piece '%s' is damaged", path);
    buffer_advance(out, (size_t)size);
    return ERR_OK;
}

/* ---- all of them ---- */

err pieces_visit(struct pieces *pieces,
                 err (*visit)(void *context, const char *name, const char *path, uint64_t size),
                 void *context, struct problem *problem)
{
    char path[PATH_MAX + 32], file[PATH_MAX + 384];
    err error = ERR_OK;
    for (unsigned i = 0; i < 256 && error == ERR_OK; i++) {
        snprintf(path, sizeof path, "%s/objects/%02x", pieces->folder, i);
        DIR *folder = opendir(path);
        if (folder == NULL)
            return io_problem(problem, "read folder", path);
        for (struct dirent *entry; error == ERR_OK && (entry = readdir(folder)) != NULL;) {
            struct stat info;
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            if (entry->d_name[0] != '.' && stat(file, &info) == 0)
                error = visit(context, entry->d_name, file, (uint64_t)info.st_size);
        }
        closedir(folder);
    }
    return error;
}
