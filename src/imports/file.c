/* SPDX-License-Identifier: Apache-2.0 */
/* file: which file a request means, and its content's hash. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "imports/inside.h"

#define READ_BYTES ((size_t)1 << 20)

void hex_text(const uint8_t *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

static err no_folder(struct problem *problem)
{
    problem_set(problem, ERR_FORBIDDEN, "this server reads no files by path");
    return problem_hint(problem, ERR_FORBIDDEN,
                        "start it with --import-folder DIR, or upload the file");
}

/* No way out of the folder: each part of the path is looked at, and none may be a link. */
static err check_parts(const char *folder, str name, char path[PATH_BYTES], struct problem *problem)
{
    str rest = name, part;
    struct stat status;
    int used = snprintf(path, PATH_BYTES, "%s", folder);
    while (str_split(&rest, '/', &part)) {
        bool is_odd = part.size == 0 || str_equal(part, STR(".")) || str_equal(part, STR("..")) ||
                      str_contains(part, str_from_bytes("\0", 1));
        if (is_odd || used + (int)part.size + 2 > PATH_BYTES) {
            problem_set(problem, ERR_FORBIDDEN, "the path '%.*s' is not a plain one",
                        (int)str_utf8_prefix_bytes(name, 100), name.data);
            return problem_hint(problem, ERR_FORBIDDEN,
                                "give it relative to the import folder, without '..'");
        }
        used += snprintf(path + used, PATH_BYTES - (size_t)used, "/" STR_FMT, STR_ARG(part));
        if (lstat(path, &status) != 0)
            return problem_set(problem, ERR_NOT_FOUND, "there is no file '%.*s' to import",
                               (int)str_utf8_prefix_bytes(name, 100), name.data);
        if (S_ISLNK(status.st_mode))
            return problem_set(problem, ERR_FORBIDDEN, "'%.*s' goes over a symbolic link",
                               (int)str_utf8_prefix_bytes(name, 100), name.data);
    }
    return ERR_OK;
}

static err find_path(struct imports *imports, str name, struct import_file *file,
                     struct problem *problem)
{
    struct stat status;
    if (imports->allowed[0] == '\0')
        return no_folder(problem);
    str folder = str_from_c(imports->allowed);
    if (str_starts_with(name, folder) && name.size > folder.size && name.data[folder.size] == '/')
        name = str_slice(name, folder.size + 1, name.size);
    err error = check_parts(imports->allowed, name, file->path, problem);
    if (error != ERR_OK)
        return error;
    if (stat(file->path, &status) != 0 || !S_ISREG(status.st_mode))
        return problem_set(problem, ERR_UNPROCESSABLE, "'%.*s' is no file",
                           (int)str_utf8_prefix_bytes(name, 100), name.data);
    const char *slash = strrchr(file->path, '/');
    snprintf(file->name, sizeof file->name, "%.255s", slash + 1);
    file->size_bytes = (int64_t)status.st_size;
    return ERR_OK;
}

err imports_find_file(struct imports *imports, str reference, struct import_file *file,
                      struct problem *problem)
{
    char sha256[65];
    *file = (struct import_file){ .size_bytes = 0 };
    if (str_starts_with(reference, STR("upload:")))
        return uploads_find(imports, str_slice(reference, 7, reference.size), file, sha256,
                            problem);
    if (str_starts_with(reference, STR("path:")))
        return find_path(imports, str_slice(reference, 5, reference.size), file, problem);
    problem_set(problem, ERR_UNPROCESSABLE, "a file is \"upload:ID\" or \"path:NAME\"");
    return problem_at(problem, ERR_UNPROCESSABLE, "/file");
}

err import_file_open(struct imports *imports, struct import_file *file, struct problem *problem)
{
    char folder[PATH_BYTES], plain[SEALED_PATH_BYTES];
    struct sealed_file *sealed;
    snprintf(folder, sizeof folder, "%.900s/uploads/", imports->folder);
    snprintf(file->plain, sizeof file->plain, "%s", file->path);
    file->descriptor = 0;
    if (strncmp(file->path, folder, strlen(folder)) != 0)
        return ERR_OK;
    err error = sealed_file_open(&sealed, engine_keys(imports->engine), file->path, false, problem);
    if (error != ERR_OK)
        return error;
    error = sealed_file_unseal(sealed, &file->descriptor, plain, problem);
    sealed_file_close(&sealed);
    if (error == ERR_OK)
        snprintf(file->plain, sizeof file->plain, "%s", plain);
    return error;
}

void import_file_close(struct import_file *file)
{
    if (file->descriptor > 0)
        close(file->descriptor);
    file->descriptor = 0;
}

err file_sha256(const char *path, uint8_t out[SHA256_BYTES], struct problem *problem)
{
    /* A nameless copy is a link of ours; anything else that is one is not followed. */
    bool is_nameless = strncmp(path, "/proc/self/fd/", 14) == 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | (is_nameless ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return problem_set(problem, ERR_IO, "'%s' cannot be opened: %s", path, strerror(errno));
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    char *bytes = memory_alloc(READ_BYTES);
    err error = ERR_OK;
    ssize_t size = 0;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a wish */
    if (digest == NULL || bytes == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        error = problem_set(problem, ERR_NOMEM, "no memory to read '%s'", path);
    while (error == ERR_OK && (size = read(fd, bytes, READ_BYTES)) > 0) {
        if (EVP_DigestUpdate(digest, bytes, (size_t)size) != 1)
            error = ERR_INTERNAL;
    }
    if (error == ERR_OK && size < 0)
        error = problem_set(problem, ERR_IO, "'%s' cannot be read: %s", path, strerror(errno));
    if (error == ERR_OK && EVP_DigestFinal_ex(digest, out, NULL) != 1)
        error = ERR_INTERNAL;
    EVP_MD_CTX_free(digest);
    memory_free(bytes);
    close(fd);
    return error;
}

/* ---- hashed already ---- */

/* A write so shortly before may be followed by one that leaves the same times. */
#define TIMES_TELL_NS (2 * INT64_C(1000000000))

static int64_t ns_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool look_at(const char *path, struct hashed_file *file)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    *file = (struct hashed_file){ .device = (uint64_t)status.st_dev,
                                  .inode = (uint64_t)status.st_ino,
                                  .size_bytes = (int64_t)status.st_size,
                                  .modified_ns = ns_of(status.st_mtim),
                                  .changed_ns = ns_of(status.st_ctim) };
    return file->inode != 0;
}

static bool is_same_file(const struct hashed_file *a, const struct hashed_file *b)
{
    return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

static bool is_hashed(struct imports *imports, const struct hashed_file *file,
                      uint8_t out[SHA256_BYTES])
{
    bool found = false;
    pthread_mutex_lock(&imports->mutex);
    for (unsigned i = 0; i < HASHED_FILES_MAX && !found; i++) {
        found = is_same_file(&imports->hashed[i], file);
        if (found)
            memcpy(out, imports->hashed[i].sha256, SHA256_BYTES);
    }
    pthread_mutex_unlock(&imports->mutex);
    return found;
}

static void remember_hashed(struct imports *imports, const struct hashed_file *file)
{
    pthread_mutex_lock(&imports->mutex);
    imports->hashed[imports->hashed_next++ % HASHED_FILES_MAX] = *file;
    pthread_mutex_unlock(&imports->mutex);
}

err imports_sha256(struct imports *imports, const char *path, uint8_t out[SHA256_BYTES],
                   struct problem *problem)
{
    struct hashed_file before, after;
    struct timespec now;
    bool is_file = look_at(path, &before); /* a nameless copy is a link */
    if (is_file && is_hashed(imports, &before, out))
        return ERR_OK;
    clock_gettime(CLOCK_REALTIME, &now);
    err error = file_sha256(path, out, problem);
    if (error != ERR_OK || !is_file || !look_at(path, &after) || !is_same_file(&before, &after) ||
        before.modified_ns > ns_of(now) - TIMES_TELL_NS ||
        before.changed_ns > ns_of(now) - TIMES_TELL_NS)
        return error;
    memcpy(before.sha256, out, SHA256_BYTES);
    remember_hashed(imports, &before);
    return ERR_OK;
}
