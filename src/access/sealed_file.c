/* SPDX-License-Identifier: Apache-2.0 */
/* sealed_file: pieces of a file, sealed; see sealed_file.h. */
#include "access/sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"

#define HEAD_BYTES 32
#define ID_BYTES 16
#define PIECE_HEAD_BYTES 4
#define PIECE_ROOM (PIECE_HEAD_BYTES + SEAL_PIECE_BYTES + SEALED_PIECE_BYTES_MAX)

static const char magic[8] = { 'k', 'i', 't', 'h', 's', 'f', '1', '\n' };

struct piece {
    uint64_t plain_at, file_at;
    uint32_t size; /* of the plain text */
};

struct sealed_file {
    const struct keys *keys;
    int fd;
    uint32_t key_number;
    uint8_t id[ID_BYTES];
    struct piece *pieces;
    size_t count, room;
    uint64_t size_bytes, end; /* of the plain text; where the next piece begins */
    uint8_t *sealed;          /* PIECE_ROOM */
    char *plain;              /* SEALED_PIECE_BYTES_MAX: of the piece `opened` */
    size_t opened;            /* SIZE_MAX: none */
};

static err disk_error(int number, const char *what, struct problem *problem)
{
    err error = number == ENOSPC || number == EDQUOT ? ERR_STORAGE_FULL
                : number == ENOENT                   ? ERR_NOT_FOUND
                                                     : ERR_IO;
    return problem_set(problem, error, "%s: %s", what, strerror(number));
}

static err damaged(struct problem *problem)
{
    return problem_set(problem, ERR_CORRUPT, "a sealed file is damaged, or of another folder");
}

/* ---- bytes ---- */

static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_u32(const uint8_t *bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value |= (uint32_t)bytes[i] << 8 * i;
    return value;
}

static str place_of(const struct sealed_file *file, uint64_t plain_at, uint8_t out[ID_BYTES + 8])
{
    memcpy(out, file->id, ID_BYTES);
    put_u32(out + ID_BYTES, (uint32_t)plain_at);
    put_u32(out + ID_BYTES + 4, (uint32_t)(plain_at >> 32));
    return str_from_bytes((const char *)out, ID_BYTES + 8);
}

/* ---- opening ---- */

static err make(struct sealed_file **out, const struct keys *keys, struct problem *problem)
{
    struct sealed_file *file = memory_alloc(sizeof *file);
    if (file == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open a sealed file");
    *file = (struct sealed_file){ .keys = keys, .fd = -1, .end = HEAD_BYTES, .opened = SIZE_MAX };
    file->sealed = memory_alloc(PIECE_ROOM);
    file->plain = memory_alloc(SEALED_PIECE_BYTES_MAX);
    if (file->sealed == NULL || file->plain == NULL) {
        sealed_file_close(&file);
        return problem_set(problem, ERR_NOMEM, "no memory to open a sealed file");
    }
    *out = file;
    return ERR_OK;
}

void sealed_file_close(struct sealed_file **closed)
{
    struct sealed_file *file = *closed;
    *closed = NULL;
    if (file == NULL)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->plain != NULL)
        sodium_memzero(file->plain, SEALED_PIECE_BYTES_MAX);
    memory_free(file->plain);
    memory_free(file->sealed);
    memory_free(file->pieces);
    memory_free(file);
}

static err add_piece(struct sealed_file *file, uint32_t size)
{
    if (file->count == file->room) {
        size_t room = file->room > 0 ? file->room * 2 : 64;
        struct piece *more = memory_resize(file->pieces, room * sizeof *more);
        if (more == NULL)
            return ERR_NOMEM;
        file->pieces = more;
        file->room = room;
    }
    file->pieces[file->count++] =
        (struct piece){ .plain_at = file->size_bytes, .file_at = file->end, .size = size };
    file->size_bytes += size;
    file->end += PIECE_HEAD_BYTES + SEAL_PIECE_BYTES + size;
    return ERR_OK;
}

static bool lock_is_of(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

/* Who writes holds a lock for as long as it is open, so that nobody puts another file in its place meanwhile. False: that has
 * happened between opening and locking. */
static bool lock_to_write(int fd, const char *path)
{
    while (flock(fd, LOCK_SH) != 0 && errno == EINTR)
        continue;
    return lock_is_of(fd, path);
}

/* -1 with errno. */
static int open_to_write(const char *path, int flags)
{
    int fd;
    while ((fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600)) >= 0 && !lock_to_write(fd, path))
        close(fd);
    return fd;
}

static err write_head(struct sealed_file *file, struct problem *problem)
{
    uint8_t head[HEAD_BYTES] = { 0 };
    file->key_number = keys_newest(file->keys);
    randombytes_buf(file->id, ID_BYTES);
    memcpy(head, magic, sizeof magic);
    put_u32(head + 8, file->key_number);
    memcpy(head + 16, file->id, ID_BYTES);
    int number = file_write_at(file->fd, head, sizeof head, 0);
    return number == 0 ? ERR_OK : disk_error(number, "the file cannot be written", problem);
}

err sealed_file_create(struct sealed_file **out, const struct keys *keys, const char *path,
                       struct problem *problem)
{
    struct sealed_file *file;
    err error = make(&file, keys, problem);
    if (error != ERR_OK)
        return error;
    file->fd = open_to_write(path, O_CREAT);
    error = file->fd >= 0 && ftruncate(file->fd, 0) == 0
                ? write_head(file, problem)
                : disk_error(errno, "the file cannot be made", problem);
    if (error != ERR_OK)
        sealed_file_close(&file);
    else
        *out = file;
    return error;
}

/* Heads alone; a piece that is not whole ends it. */
static err find_pieces(struct sealed_file *file, uint64_t file_bytes)
{
    uint8_t head[PIECE_HEAD_BYTES];
    err error = ERR_OK;
    while (error == ERR_OK && file->end + PIECE_HEAD_BYTES <= file_bytes &&
           file_read_at(file->fd, head, sizeof head, file->end)) {
        uint32_t size = get_u32(head);
        if (size == 0 || size > SEALED_PIECE_BYTES_MAX ||
            file->end + PIECE_HEAD_BYTES + SEAL_PIECE_BYTES + size > file_bytes)
            break;
        error = add_piece(file, size);
    }
    return error;
}

static err open_piece(struct sealed_file *file, size_t index, struct problem *problem);

/* The last piece may be as long as it should be and yet not all on disk. */
static void leave_out_torn(struct sealed_file *file)
{
    struct problem unused;
    if (file->count > 0 && open_piece(file, file->count - 1, &unused) == ERR_CORRUPT) {
        const struct piece *last = &file->pieces[--file->count];
        file->size_bytes = last->plain_at;
        file->end = last->file_at;
    }
}

static err drop_torn(struct sealed_file *file, struct problem *problem)
{
    leave_out_torn(file);
    return ftruncate(file->fd, (off_t)file->end) == 0
               ? ERR_OK
               : disk_error(errno, "the file cannot be cut", problem);
}

err sealed_file_open(struct sealed_file **out, const struct keys *keys, const char *path,
                     bool writes, struct problem *problem)
{
    struct sealed_file *file = NULL;
    struct stat status = { .st_size = 0 };
    uint8_t head[HEAD_BYTES] = { 0 };
    err error = make(&file, keys, problem);
    if (error != ERR_OK)
        return error;
    file->fd =
        writes ? open_to_write(path, O_NOFOLLOW) : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file->fd < 0 || fstat(file->fd, &status) != 0)
        error = disk_error(errno, "the file cannot be opened", problem);
    else if (!file_read_at(file->fd, head, sizeof head, 0) ||
             memcmp(head, magic, sizeof magic) != 0)
        error = damaged(problem);
    if (error == ERR_OK) {
        file->key_number = get_u32(head + 8);
        memcpy(file->id, head + 16, ID_BYTES);
        error = find_pieces(file, (uint64_t)status.st_size);
    }
    if (error == ERR_OK && writes)
        error = drop_torn(file, problem);
    if (error != ERR_OK)
        sealed_file_close(&file);
    else
        *out = file;
    return error;
}

uint32_t sealed_file_key(const struct sealed_file *file)
{
    return file->key_number;
}

uint64_t sealed_file_size(const struct sealed_file *file)
{
    return file->size_bytes;
}

/* ---- pieces ---- */

static err open_piece(struct sealed_file *file, size_t index, struct problem *problem)
{
    const struct piece *piece = &file->pieces[index];
    uint8_t place[ID_BYTES + 8];
    size_t size = SEAL_PIECE_BYTES + piece->size;
    if (file->opened == index)
        return ERR_OK;
    file->opened = SIZE_MAX;
    if (!file_read_at(file->fd, file->sealed, size, piece->file_at + PIECE_HEAD_BYTES) ||
        keys_unseal_piece(file->keys, file->key_number, place_of(file, piece->plain_at, place),
                          file->sealed, size, file->plain) != ERR_OK)
        return damaged(problem);
    file->opened = index;
    return ERR_OK;
}

/* The number of errno, or 0. */
static int write_piece(struct sealed_file *file, uint64_t plain_at, uint64_t file_at, str plain,
                       err *error)
{
    uint8_t place[ID_BYTES + 8];
    put_u32(file->sealed, (uint32_t)plain.size);
    *error = keys_seal_piece(file->keys, file->key_number, place_of(file, plain_at, place), plain,
                             file->sealed + PIECE_HEAD_BYTES);
    return *error != ERR_OK
               ? 0
               : file_write_at(file->fd, file->sealed,
                               PIECE_HEAD_BYTES + SEAL_PIECE_BYTES + plain.size, file_at);
}

err sealed_file_append(struct sealed_file *file, str bytes, struct problem *problem)
{
    size_t count = file->count;
    uint64_t size_bytes = file->size_bytes, end = file->end;
    err error = ERR_OK;
    int number = 0;
    for (size_t at = 0; error == ERR_OK && number == 0 && at < bytes.size;) {
        size_t size =
            bytes.size - at < SEALED_PIECE_BYTES_MAX ? bytes.size - at : SEALED_PIECE_BYTES_MAX;
        number =
            write_piece(file, file->size_bytes, file->end, str_slice(bytes, at, at + size), &error);
        if (error == ERR_OK && number == 0)
            error = add_piece(file, (uint32_t)size);
        at += size;
    }
    if (error == ERR_OK && number == 0)
        return ERR_OK;
    file->count = count;
    file->size_bytes = size_bytes;
    file->end = end;
    file->opened = SIZE_MAX;
    if (ftruncate(file->fd, (off_t)end) != 0 && number == 0)
        number = errno;
    return number != 0 ? disk_error(number, "the file cannot be written", problem)
                       : problem_set(problem, error, "the file cannot be written");
}

/* The first piece that ends behind this place of the plain text; `count` if none does. */
static size_t piece_at(const struct sealed_file *file, uint64_t offset)
{
    size_t low = 0, high = file->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (file->pieces[middle].plain_at + file->pieces[middle].size <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

err sealed_file_cut(struct sealed_file *file, uint64_t size_bytes, struct problem *problem)
{
    size_t index = piece_at(file, size_bytes);
    if (index == file->count)
        return ERR_OK;
    struct piece piece = file->pieces[index];
    size_t kept = (size_t)(size_bytes - piece.plain_at);
    err error = kept > 0 ? open_piece(file, index, problem) : ERR_OK;
    if (error != ERR_OK)
        return error;
    int number = 0;
    if (kept > 0) /* over its own beginning: shorter, with a nonce of its own */
        number = write_piece(file, piece.plain_at, piece.file_at, str_from_bytes(file->plain, kept),
                             &error);
    file->opened = SIZE_MAX;
    file->count = index;
    file->size_bytes = piece.plain_at;
    file->end = piece.file_at;
    if (error == ERR_OK && number == 0 && kept > 0)
        error = add_piece(file, (uint32_t)kept);
    if (error == ERR_OK && number == 0 && ftruncate(file->fd, (off_t)file->end) != 0)
        number = errno;
    return number != 0 ? disk_error(number, "the file cannot be cut", problem) : error;
}

err sealed_file_sync(struct sealed_file *file, struct problem *problem)
{
    return fdatasync(file->fd) == 0
               ? ERR_OK
               : disk_error(errno, "the file cannot be brought to disk", problem);
}

err sealed_file_read(struct sealed_file *file, uint64_t offset, char *out, size_t room,
                     size_t *size, struct problem *problem)
{
    *size = 0;
    for (size_t index = piece_at(file, offset); index < file->count && *size < room; index++) {
        const struct piece *piece = &file->pieces[index];
        err error = open_piece(file, index, problem);
        if (error != ERR_OK)
            return error;
        size_t from = (size_t)(offset + *size - piece->plain_at), part = piece->size - from;
        if (part > room - *size)
            part = room - *size;
        memcpy(out + *size, file->plain + from, part);
        *size += part;
    }
    return ERR_OK;
}

/* ---- for readers that want a file ---- */

err sealed_file_unseal(struct sealed_file *file, int *descriptor, char path[SEALED_PATH_BYTES],
                       struct problem *problem)
{
    int fd = file_open_nameless(), number = 0;
    if (fd < 0)
        return disk_error(errno, "there is no place for a nameless copy", problem);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && number == 0 && i < file->count; i++) {
        error = open_piece(file, i, problem);
        if (error == ERR_OK)
            number = file_write_at(fd, file->plain, file->pieces[i].size, file->pieces[i].plain_at);
    }
    if (error == ERR_OK && number != 0)
        error = disk_error(number, "the nameless copy cannot be written", problem);
    if (error != ERR_OK) {
        close(fd);
        return error;
    }
    *descriptor = fd;
    if (path != NULL)
        snprintf(path, SEALED_PATH_BYTES, "/proc/self/fd/%d", fd);
    return ERR_OK;
}

err sealed_file_change(struct sealed_file *file, str plain, struct problem *problem)
{
    INVARIANT(plain.size == file->size_bytes);
    for (size_t i = 0; i < file->count; i++) {
        const struct piece *piece = &file->pieces[i];
        str wanted =
            str_slice(plain, (size_t)piece->plain_at, (size_t)piece->plain_at + piece->size);
        err error = open_piece(file, i, problem);
        if (error == ERR_OK && memcmp(file->plain, wanted.data, wanted.size) == 0)
            continue;
        int number = error == ERR_OK
                         ? write_piece(file, piece->plain_at, piece->file_at, wanted, &error)
                         : 0;
        file->opened = SIZE_MAX;
        if (number != 0)
            error = disk_error(number, "the file cannot be changed", problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

/* ---- sealed anew ---- */

static err copy_pieces(struct sealed_file *from, struct sealed_file *to, struct problem *problem)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < from->count; i++) {
        error = open_piece(from, i, problem);
        if (error == ERR_OK)
            error =
                sealed_file_append(to, str_from_bytes(from->plain, from->pieces[i].size), problem);
    }
    return error;
}

/* As old as the one it replaces: by that age files go. */
static err keep_times(const struct sealed_file *from, const struct sealed_file *to,
                      struct problem *problem)
{
    struct stat status;
    if (fstat(from->fd, &status) != 0)
        return disk_error(errno, "the file cannot be looked at", problem);
    const struct timespec times[2] = { status.st_atim, status.st_mtim };
    return futimens(to->fd, times) == 0 ? ERR_OK
                                        : disk_error(errno, "the file cannot be dated", problem);
}

/* They change places, so that one which was removed meanwhile stays so; a file system that cannot do that renames. */
static int take_name(const struct sealed_file *file, const char *name, const char *path)
{
    if (renameat2(AT_FDCWD, name, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (!lock_is_of(file->fd, path)) {
        errno = ENOENT;
        return -1;
    }
    return rename(name, path);
}

static err replace_sealed(struct sealed_file *file, const char *path, struct problem *problem)
{
    struct sealed_file *fresh = NULL;
    char name[4096];
    if (snprintf(name, sizeof name, "%s" SEALED_FRESH, path) >= (int)sizeof name)
        return problem_set(problem, ERR_INVALID, "the path of a sealed file is too long");
    err error = sealed_file_create(&fresh, file->keys, name, problem);
    if (error == ERR_OK)
        error = copy_pieces(file, fresh, problem);
    if (error == ERR_OK)
        error = keep_times(file, fresh, problem);
    if (error == ERR_OK)
        error = sealed_file_sync(fresh, problem);
    if (error == ERR_OK && take_name(file, name, path) != 0)
        error = disk_error(errno, "the file cannot be replaced", problem);
    (void)unlink(name); /* the old one, or what nobody needs */
    sealed_file_close(&fresh);
    return error;
}

err sealed_file_renew(const struct keys *keys, const char *path, bool *renewed,
                      struct problem *problem)
{
    struct sealed_file *file = NULL;
    *renewed = false;
    err error = sealed_file_open(&file, keys, path, false, problem);
    if (error != ERR_OK || file->key_number >= keys_newest(keys)) {
        sealed_file_close(&file);
        return error;
    }
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
        error = problem_set(problem, ERR_BUSY, "a sealed file is being written");
    else if (!lock_is_of(file->fd, path))
        error = problem_set(problem, ERR_BUSY, "a sealed file was replaced");
    /* What has been written between opening and locking counts. */
    struct stat status = { .st_size = 0 };
    if (error == ERR_OK && fstat(file->fd, &status) != 0)
        error = disk_error(errno, "the file cannot be looked at", problem);
    if (error == ERR_OK)
        error = find_pieces(file, (uint64_t)status.st_size);
    if (error == ERR_OK)
        leave_out_torn(file);
    if (error == ERR_OK)
        error = replace_sealed(file, path, problem);
    *renewed = error == ERR_OK;
    sealed_file_close(&file);
    return error;
}
