/* SPDX-License-Identifier: Apache-2.0 */
/* upload: files that come in parts. An upload is two files of data/imports/uploads: ID.part has its bytes, sealed
 * (access/sealed_file.h), ID.json its name, size and, when it is whole, its hash. Where it stands is the size of what is
 * sealed in ID.part, so an upload goes on after a crash of either side.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "imports/inside.h"

#define UPLOADS_KEPT_MAX \
    256 /* whose hash is under way in RAM; others are hashed when they are whole */
#define STALE_SECONDS (30 * 24 * 3600)
#define META_BYTES_MAX 4096

struct upload { /* a hash under way */
    struct upload *next;
    char id[UPLOAD_ID_BYTES + 1];
    uint64_t hashed_bytes;
    EVP_MD_CTX *digest;
};

struct meta {
    char name[256];
    int64_t size_bytes;
    char sha256[65];
    char team[TEAM_KEY_BYTES_MAX + 1]; /* of who began it; empty: of none */
};

static bool is_id(str id)
{
    if (id.size != UPLOAD_ID_BYTES)
        return false;
    for (size_t i = 0; i < id.size; i++) {
        char c = id.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static void path_of(const struct imports *imports, str id, const char *ending,
                    char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.900s/uploads/" STR_FMT ".%s", imports->folder, STR_ARG(id),
             ending);
}

static err no_upload(str id, struct problem *problem)
{
    return problem_set(problem, ERR_NOT_FOUND, "there is no upload '%.*s'",
                       (int)str_utf8_prefix_bytes(id, 40), id.data);
}

static err disk_error(int number, const char *what, struct problem *problem)
{
    err error = number == ENOSPC || number == EDQUOT ? ERR_STORAGE_FULL : ERR_IO;
    return problem_set(problem, error, "%s: %s", what, strerror(number));
}

/* ---- what is known of an upload ---- */

/* A new file beside it, then renamed: never half. */
static err write_meta(struct imports *imports, str id, const struct meta *meta,
                      struct problem *problem)
{
    char path[PATH_BYTES], fresh[PATH_BYTES];
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, META_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_text(&writer, STR("name"), str_from_c(meta->name));
    json_member_int(&writer, STR("size_bytes"), meta->size_bytes);
    json_member_text(&writer, STR("sha256"), str_from_c(meta->sha256));
    json_member_text(&writer, STR("team"), str_from_c(meta->team));
    json_end_object(&writer);
    path_of(imports, id, "json", path);
    path_of(imports, id, "fresh", fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text.data, text.size) == (ssize_t)text.size && fsync(fd) == 0;
    int number = errno;
    if (fd >= 0)
        close(fd);
    good = good && rename(fresh, path) == 0;
    buffer_deinit(&text);
    if (good)
        return ERR_OK;
    (void)unlink(fresh);
    return disk_error(number, "the upload cannot be noted", problem);
}

static err read_meta(struct imports *imports, str id, struct meta *meta, struct problem *problem)
{
    char path[PATH_BYTES], bytes[META_BYTES_MAX];
    *meta = (struct meta){ .size_bytes = 0 };
    if (!is_id(id))
        return no_upload(id, problem);
    path_of(imports, id, "json", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, bytes, sizeof bytes) : -1;
    if (fd >= 0)
        close(fd);
    struct json_parser *parser = NULL;
    json_value json;
    if (size <= 0 || json_parser_new(&parser, META_BYTES_MAX) != ERR_OK)
        return no_upload(id, problem);
    err error = json_parse(parser, str_from_bytes(bytes, (size_t)size), &json, problem);
    if (error == ERR_OK) {
        str name = json_text(json_get(json, STR("name")));
        str sha256 = json_text(json_get(json, STR("sha256")));
        snprintf(meta->name, sizeof meta->name, STR_FMT, STR_ARG(name));
        str team = json_text(json_get(json, STR("team")));
        snprintf(meta->sha256, sizeof meta->sha256, STR_FMT, STR_ARG(sha256));
        snprintf(meta->team, sizeof meta->team, STR_FMT, STR_ARG(team));
        meta->size_bytes = json_int(json_get(json, STR("size_bytes")), 0);
    }
    json_parser_free(&parser);
    return error;
}

static err offset_of(struct imports *imports, str id, uint64_t *offset, struct problem *problem)
{
    struct sealed_file *file;
    char path[PATH_BYTES];
    path_of(imports, id, "part", path);
    err error = sealed_file_open(&file, engine_keys(imports->engine), path, false, problem);
    if (error != ERR_OK)
        return error == ERR_NOT_FOUND ? no_upload(id, problem) : error;
    *offset = sealed_file_size(file);
    sealed_file_close(&file);
    return ERR_OK;
}

/* The one that gets its parts now stays open; the uploads' mutex is held. */
static err growing(struct imports *imports, str id, struct sealed_file **file,
                   struct problem *problem)
{
    char path[PATH_BYTES];
    err error = ERR_OK;
    if (imports->growing == NULL || !str_equal(str_from_c(imports->growing_id), id)) {
        sealed_file_close(&imports->growing);
        path_of(imports, id, "part", path);
        error =
            sealed_file_open(&imports->growing, engine_keys(imports->engine), path, true, problem);
        memcpy(imports->growing_id, id.data, UPLOAD_ID_BYTES);
    }
    *file = imports->growing;
    return error == ERR_NOT_FOUND ? no_upload(id, problem) : error;
}

static void stop_growing(struct imports *imports, str id)
{
    if (imports->growing != NULL && str_equal(str_from_c(imports->growing_id), id))
        sealed_file_close(&imports->growing);
}

static void write_upload(str id, const struct meta *meta, uint64_t offset, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("id"), id);
    json_member_text(&writer, STR("name"), str_from_c(meta->name));
    json_member_int(&writer, STR("size_bytes"), meta->size_bytes);
    json_member_int(&writer, STR("offset"), (int64_t)offset);
    json_member_bool(&writer, STR("complete"), meta->sha256[0] != '\0');
    json_member_text(&writer, STR("sha256"), str_from_c(meta->sha256));
    json_end_object(&writer);
}

/* ---- the hash, while it comes ---- */

static struct upload *hash_of(struct imports *imports, str id)
{
    struct upload *upload = imports->uploads;
    size_t count = 0;
    for (; upload != NULL && !str_equal(str_from_c(upload->id), id); upload = upload->next)
        count++;
    if (upload != NULL || count >= UPLOADS_KEPT_MAX)
        return upload;
    upload = memory_alloc(sizeof *upload);
    if (upload == NULL)
        return NULL;
    upload->digest = EVP_MD_CTX_new();
    if (upload->digest == NULL || EVP_DigestInit_ex(upload->digest, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(upload->digest);
        memory_free(upload);
        return NULL;
    }
    memcpy(upload->id, id.data, UPLOAD_ID_BYTES);
    upload->next = imports->uploads;
    imports->uploads = upload;
    return upload;
}

static void drop_hash(struct imports *imports, str id)
{
    struct upload **at = &imports->uploads;
    while (*at != NULL && !str_equal(str_from_c((*at)->id), id))
        at = &(*at)->next;
    struct upload *gone = *at;
    if (gone == NULL)
        return;
    *at = gone->next;
    EVP_MD_CTX_free(gone->digest);
    memory_free(gone);
}

void uploads_free(struct imports *imports)
{
    sealed_file_close(&imports->growing);
    while (imports->uploads != NULL)
        drop_hash(imports, str_from_c(imports->uploads->id));
}

/* The hash of what came in order; of the whole file when a part was missed (a restart). */
static err finish_hash(struct imports *imports, str id, uint64_t size, char sha256[65],
                       struct problem *problem)
{
    uint8_t hash[SHA256_BYTES];
    struct import_file file = { .descriptor = 0 };
    struct upload *upload = hash_of(imports, id);
    err error = ERR_OK;
    if (upload != NULL && upload->hashed_bytes == size &&
        EVP_DigestFinal_ex(upload->digest, hash, NULL) == 1) {
        error = ERR_OK;
    } else {
        path_of(imports, id, "part", file.path);
        error = import_file_open(imports, &file, problem);
        if (error == ERR_OK)
            error = file_sha256(file.plain, hash, problem);
        import_file_close(&file);
    }
    drop_hash(imports, id);
    if (error == ERR_OK)
        hex_text(hash, sizeof hash, sha256);
    return error;
}

/* ---- parts ---- */

static err take_part(struct imports *imports, str id, struct meta *meta, uint64_t offset, str bytes,
                     struct problem *problem)
{
    struct sealed_file *file;
    err error = growing(imports, id, &file, problem);
    if (error != ERR_OK)
        return error;
    uint64_t stands = sealed_file_size(file);
    if (stands != offset) {
        problem_set(problem, ERR_CONFLICT, "the upload stands at %llu, the part begins at %llu",
                    (unsigned long long)stands, (unsigned long long)offset);
        return problem_hint(problem, ERR_CONFLICT, "go on from %llu", (unsigned long long)stands);
    }
    if (offset + bytes.size > (uint64_t)meta->size_bytes)
        return problem_set(problem, ERR_UNPROCESSABLE, "the upload was announced with %lld bytes",
                           (long long)meta->size_bytes);
    /* What cannot be kept whole is not kept: the part can be sent again. */
    error = sealed_file_append(file, bytes, problem);
    if (error != ERR_OK)
        return error;
    struct upload *upload = hash_of(imports, id);
    if (upload != NULL && upload->hashed_bytes == offset &&
        EVP_DigestUpdate(upload->digest, bytes.data, bytes.size) == 1)
        upload->hashed_bytes += bytes.size;
    if (offset + bytes.size < (uint64_t)meta->size_bytes)
        return ERR_OK;
    stop_growing(imports, id);
    error = finish_hash(imports, id, (uint64_t)meta->size_bytes, meta->sha256, problem);
    return error == ERR_OK ? write_meta(imports, id, meta, problem) : error;
}

err imports_upload_put(struct imports *imports, str id, uint64_t offset, str bytes,
                       struct buffer *out, struct problem *problem)
{
    struct meta meta;
    pthread_mutex_lock(&imports->uploads_mutex);
    err error = read_meta(imports, id, &meta, problem);
    if (error == ERR_OK)
        error = take_part(imports, id, &meta, offset, bytes, problem);
    pthread_mutex_unlock(&imports->uploads_mutex);
    if (error == ERR_OK)
        write_upload(id, &meta, offset + bytes.size, out);
    return error;
}

/* The empty file and what is noted of it. */
static err begin_as(struct imports *imports, str id, const struct meta *meta,
                    struct problem *problem)
{
    struct sealed_file *file;
    char path[PATH_BYTES];
    path_of(imports, id, "part", path);
    err error = sealed_file_create(&file, engine_keys(imports->engine), path, problem);
    if (error != ERR_OK)
        return error;
    sealed_file_close(&file);
    error = write_meta(imports, id, meta, problem);
    if (error != ERR_OK)
        (void)unlink(path);
    return error;
}

err uploads_resume(struct imports *imports, str id, str name, uint64_t size_bytes, uint64_t *offset,
                   struct problem *problem)
{
    struct meta meta;
    struct problem unused;
    err error = read_meta(imports, id, &meta, &unused);
    if (error == ERR_OK)
        return offset_of(imports, id, offset, problem);
    *offset = 0;
    meta = (struct meta){ .size_bytes = (int64_t)size_bytes };
    size_t kept = str_utf8_prefix_bytes(name, sizeof meta.name - 1);
    snprintf(meta.name, sizeof meta.name, "%.*s", (int)kept, name.data);
    char path[PATH_BYTES];
    path_of(imports, id, "part", path);
    (void)unlink(path); /* of one that died before it was noted */
    return begin_as(imports, id, &meta, problem);
}

err imports_upload_begin(struct imports *imports, str name, int64_t size_bytes, str team,
                         struct buffer *out, struct problem *problem)
{
    uint8_t random[UPLOAD_ID_BYTES / 2];
    char id[UPLOAD_ID_BYTES + 1];
    struct meta meta = { .size_bytes = size_bytes };
    if (name.size == 0 || name.size >= sizeof meta.name)
        return problem_set(problem, ERR_UNPROCESSABLE, "the name of a file has 1 to 255 bytes");
    if (size_bytes <= 0 || size_bytes > imports->config.upload_bytes_max) {
        problem_set(problem, ERR_TOO_LARGE, "a file of %lld bytes cannot be uploaded",
                    (long long)size_bytes);
        return problem_hint(problem, ERR_TOO_LARGE,
                            "the limit is %lld bytes; size_bytes says how long it is",
                            (long long)imports->config.upload_bytes_max);
    }
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return problem_set(problem, ERR_INTERNAL, "no random numbers can be had");
    hex_text(random, sizeof random, id);
    snprintf(meta.name, sizeof meta.name, STR_FMT, STR_ARG(name));
    snprintf(meta.team, sizeof meta.team, STR_FMT, STR_ARG(team));
    err error = begin_as(imports, str_from_c(id), &meta, problem);
    if (error == ERR_OK)
        write_upload(str_from_c(id), &meta, 0, out);
    return error;
}

err imports_upload_write(struct imports *imports, str id, struct buffer *out,
                         struct problem *problem)
{
    struct meta meta;
    uint64_t offset = 0;
    err error = read_meta(imports, id, &meta, problem);
    if (error == ERR_OK)
        error = offset_of(imports, id, &offset, problem);
    if (error == ERR_OK)
        write_upload(id, &meta, offset, out);
    return error;
}

err imports_upload_team(struct imports *imports, str id, char team[TEAM_KEY_BYTES_MAX + 1],
                        struct problem *problem)
{
    struct meta meta;
    err error = read_meta(imports, id, &meta, problem);
    if (error == ERR_OK)
        memcpy(team, meta.team, sizeof meta.team);
    return error;
}

err imports_upload_delete(struct imports *imports, str id, struct problem *problem)
{
    struct meta meta;
    char path[PATH_BYTES];
    pthread_mutex_lock(&imports->uploads_mutex);
    err error = read_meta(imports, id, &meta, problem);
    if (error == ERR_OK) {
        drop_hash(imports, id);
        stop_growing(imports, id);
        path_of(imports, id, "json", path);
        (void)unlink(path);
        path_of(imports, id, "part", path);
        (void)unlink(path);
    }
    pthread_mutex_unlock(&imports->uploads_mutex);
    return error;
}

err uploads_find(struct imports *imports, str id, struct import_file *file, char sha256[65],
                 struct problem *problem)
{
    struct meta meta;
    err error = read_meta(imports, id, &meta, problem);
    if (error != ERR_OK)
        return error;
    if (meta.sha256[0] == '\0') {
        problem_set(problem, ERR_CONFLICT, "the upload '" STR_FMT "' is not whole yet",
                    STR_ARG(id));
        return problem_hint(problem, ERR_CONFLICT, "send the parts that are missing first");
    }
    path_of(imports, id, "part", file->path);
    snprintf(file->name, sizeof file->name, "%s", meta.name);
    file->size_bytes = meta.size_bytes;
    memcpy(sha256, meta.sha256, sizeof meta.sha256);
    return ERR_OK;
}

/* What nobody has touched for 30 days: an upload that was given up, or whose job is long done. */
err uploads_clean(struct imports *imports, struct problem *problem)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%.1000s/uploads", imports->folder);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return disk_error(errno, "the folder for uploads cannot be made", problem);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return disk_error(errno, "the folder for uploads cannot be read", problem);
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        struct stat status;
        if (entry->d_name[0] == '.' || fstatat(dirfd(folder), entry->d_name, &status, 0) != 0)
            continue;
        if (file_age_seconds(status.st_mtime) > STALE_SECONDS)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    return ERR_OK;
}
