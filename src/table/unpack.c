/* SPDX-License-Identifier: Apache-2.0 */
/* unpack: reading a file through zlib and zstd in pieces, with the guard against bombs. */
#include "table/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/arena.h"

#define INPUT_BYTES (256 * 1024)
/* 128 MB: what zstd asks for with its strongest ordinary level. */
#define ZSTD_WINDOW_LOG_MAX 27

enum table_packing unpack_packing_of(const char *bytes, size_t size)
{
    if (size >= 3 && memcmp(bytes, "\x1F\x8B\x08", 3) == 0)
        return TABLE_GZIP;
    if (size >= 4 && memcmp(bytes, "\x28\xB5\x2F\xFD", 4) == 0)
        return TABLE_ZSTD;
    return TABLE_PLAIN;
}

/* ---- open, close ---- */

static void *zlib_alloc(void *context, unsigned count, unsigned size)
{
    (void)context;
    return memory_alloc((size_t)count * size);
}

static void zlib_free(void *context, void *piece)
{
    (void)context;
    memory_free(piece);
}

static err open_gzip(struct unpack *unpack)
{
    z_stream *stream = memory_alloc(sizeof(*stream));
    if (stream == NULL)
        return ERR_NOMEM;
    stream->zalloc = zlib_alloc;
    stream->zfree = zlib_free;
    if (inflateInit2(stream, 15 + 16) != Z_OK) { /* the largest window, gzip's frame */
        memory_free(stream);
        return ERR_NOMEM;
    }
    unpack->stream = stream;
    return ERR_OK;
}

static err open_zstd(struct unpack *unpack)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL)
        return ERR_NOMEM;
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    unpack->stream = stream;
    return ERR_OK;
}

static err open_stream(struct unpack *unpack)
{
    unpack->input = memory_alloc(INPUT_BYTES);
    if (unpack->input == NULL)
        return ERR_NOMEM;
    return unpack->packing == TABLE_GZIP ? open_gzip(unpack) : open_zstd(unpack);
}

static void keep_name(struct unpack *unpack, const char *path)
{
    const char *slash = strrchr(path, '/');
    str name = str_from_c(slash != NULL ? slash + 1 : path);
    size_t size = str_utf8_prefix_bytes(name, sizeof(unpack->name) - 1);
    memcpy(unpack->name, name.data, size);
    unpack->name[size] = '\0';
}

err unpack_open(struct unpack *unpack, const char *path, enum table_packing packing,
                struct problem *problem)
{
    memset(unpack, 0, sizeof(*unpack));
    unpack->packing = packing;
    keep_name(unpack, path);
    /* Not blocking: a pipe that nobody writes to would hold us here. */
    unpack->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    err error = ERR_OK;
    if (unpack->fd < 0)
        error = problem_set(problem, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                            "the file '%s' cannot be opened: %s", unpack->name, strerror(errno));
    else if (fstat(unpack->fd, &unpack->opened) != 0 || !S_ISREG(unpack->opened.st_mode))
        error = problem_set(problem, ERR_INVALID, "'%s' is not a file", unpack->name);
    else if (packing != TABLE_PLAIN)
        error = open_stream(unpack);
    if (error == ERR_NOMEM)
        problem_set(problem, ERR_NOMEM, "no memory to unpack '%s'", unpack->name);
    if (error != ERR_OK)
        unpack_close(unpack);
    else
        posix_fadvise(unpack->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return error;
}

void unpack_close(struct unpack *unpack)
{
    if (unpack->stream != NULL && unpack->packing == TABLE_GZIP) {
        inflateEnd(unpack->stream);
        memory_free(unpack->stream);
    } else if (unpack->stream != NULL) {
        ZSTD_freeDStream(unpack->stream);
    }
    memory_free(unpack->input);
    if (unpack->fd > 0)
        close(unpack->fd);
    unpack->stream = NULL;
    unpack->input = NULL;
    unpack->fd = -1;
}

/* ---- reading ---- */

/* The end of the bytes must be the end that the file had, and nobody may have written since. */
static err check_unchanged(struct unpack *unpack, struct problem *problem)
{
    struct stat now;
    bool same = fstat(unpack->fd, &now) == 0 && now.st_size == unpack->opened.st_size &&
                now.st_mtim.tv_sec == unpack->opened.st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == unpack->opened.st_mtim.tv_nsec &&
                unpack->packed_bytes == (uint64_t)now.st_size;
    if (same)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "the file '%s' was changed while it was read", unpack->name);
    return problem_hint(problem, ERR_CONFLICT, "read it again when nobody writes to it any more");
}

static err read_file(struct unpack *unpack, char *out, size_t room, size_t *size,
                     struct problem *problem)
{
    ssize_t count;
    do
        count = read(unpack->fd, out, room);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return problem_set(problem, ERR_IO, "the file '%s' cannot be read: %s", unpack->name,
                           strerror(errno));
    *size = (size_t)count;
    unpack->packed_bytes += (uint64_t)count;
    return count == 0 ? check_unchanged(unpack, problem) : ERR_OK;
}

static err refuse_torn(const struct unpack *unpack, const char *what, struct problem *problem)
{
    const char *packing = unpack->packing == TABLE_GZIP ? "gzip" : "zstd";
    problem_set(problem, ERR_UNPROCESSABLE, "the %s packing of '%s' %s after %llu unpacked bytes",
                packing, unpack->name, what, (unsigned long long)unpack->unpacked_bytes);
    return problem_hint(problem, ERR_UNPROCESSABLE,
                        "what was before has been read; fetch or pack the file again");
}

/* Zeros behind the last member are padding (tar, tapes); anything else must begin a new member. */
static bool only_padding(struct unpack *unpack)
{
    while (unpack->input_at < unpack->input_end && unpack->input[unpack->input_at] == 0)
        unpack->input_at++;
    return unpack->input_at == unpack->input_end;
}

/* Some input into some output; *size may be 0 when there is more to do. */
static err inflate_some(struct unpack *unpack, char *out, size_t room, size_t *size,
                        struct problem *problem)
{
    z_stream *stream = unpack->stream;
    if (!unpack->inside) {
        if (only_padding(unpack))
            return ERR_OK;
        if (inflateReset(stream) != Z_OK)
            return refuse_torn(unpack, "is damaged", problem);
        unpack->inside = true;
    }
    size_t left = unpack->input_end - unpack->input_at;
    stream->next_in = (unsigned char *)unpack->input + unpack->input_at;
    stream->avail_in = (unsigned)left;
    stream->next_out = (unsigned char *)out;
    stream->avail_out = (unsigned)(room < (1u << 30) ? room : (1u << 30));
    size_t given = stream->avail_out;
    int code = inflate(stream, Z_NO_FLUSH);
    unpack->input_at += left - stream->avail_in;
    *size = given - stream->avail_out;
    if (code == Z_STREAM_END)
        unpack->inside = false;
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return refuse_torn(unpack, "is damaged", problem);
    return ERR_OK;
}

static err refuse_zstd(struct unpack *unpack, size_t code, struct problem *problem)
{
    if (ZSTD_getErrorCode(code) != ZSTD_error_frameParameter_windowTooLarge)
        return refuse_torn(unpack, "is damaged", problem);
    problem_set(problem, ERR_TOO_LARGE, "unpacking '%s' takes a window of more than 128 MB",
                unpack->name);
    return problem_hint(problem, ERR_TOO_LARGE, "pack it without --long");
}

static err decompress_some(struct unpack *unpack, char *out, size_t room, size_t *size,
                           struct problem *problem)
{
    ZSTD_inBuffer in = { unpack->input, unpack->input_end, unpack->input_at };
    ZSTD_outBuffer to = { out, room, 0 };
    if (!unpack->inside && only_padding(unpack))
        return ERR_OK;
    in.pos = unpack->input_at;
    size_t code = ZSTD_decompressStream(unpack->stream, &to, &in);
    if (ZSTD_isError(code))
        return refuse_zstd(unpack, code, problem);
    unpack->inside = code != 0;
    unpack->input_at = in.pos;
    *size = to.pos;
    return ERR_OK;
}

static err check_ratio(const struct unpack *unpack, struct problem *problem)
{
    uint64_t taken = unpack->packed_bytes - (unpack->input_end - unpack->input_at);
    if (unpack->unpacked_bytes <= UNPACK_FREE_BYTES ||
        unpack->unpacked_bytes / TABLE_UNPACK_RATIO_MAX <= taken)
        return ERR_OK;
    problem_set(problem, ERR_TOO_LARGE,
                "'%s' unpacks to more than %d times its size (%llu bytes so far)", unpack->name,
                TABLE_UNPACK_RATIO_MAX, (unsigned long long)unpack->unpacked_bytes);
    return problem_hint(problem, ERR_TOO_LARGE,
                        "that is the mark of a zip bomb; if it is not one, unpack the file first");
}

/* The packing may hold output back while it has no input left, so the output is asked first. */
static err read_packed(struct unpack *unpack, char *out, size_t room, size_t *size,
                       struct problem *problem)
{
    for (;;) {
        err error = unpack->packing == TABLE_GZIP
                        ? inflate_some(unpack, out, room, size, problem)
                        : decompress_some(unpack, out, room, size, problem);
        unpack->unpacked_bytes += *size;
        if (error != ERR_OK)
            return error;
        if (*size > 0)
            return check_ratio(unpack, problem);
        if (unpack->input_at < unpack->input_end)
            continue;
        if (unpack->input_ended && unpack->inside)
            return refuse_torn(unpack, "breaks off", problem);
        if (unpack->input_ended)
            return ERR_OK;
        unpack->input_at = unpack->input_end = 0;
        error = read_file(unpack, unpack->input, INPUT_BYTES, &unpack->input_end, problem);
        if (error != ERR_OK)
            return error;
        unpack->input_ended = unpack->input_end == 0;
    }
}

err unpack_read(struct unpack *unpack, char *out, size_t room, size_t *size,
                struct problem *problem)
{
    *size = 0;
    if (unpack->ended)
        return ERR_OK;
    err error;
    if (unpack->packing == TABLE_PLAIN) {
        error = read_file(unpack, out, room, size, problem);
        unpack->unpacked_bytes += *size;
    } else {
        error = read_packed(unpack, out, room, size, problem);
    }
    unpack->ended = error == ERR_OK && *size == 0;
    return error;
}
