/* SPDX-License-Identifier: Apache-2.0 */
/* point: the page of a point, points/NNNNNN.json. Layout: docs/formats/backup.md. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/inside.h"
#include "base/arena.h"
#include "base/codec.h"

#define FORMAT 1

void point_deinit(struct point *point)
{
    memory_free(point->spans);
    json_parser_free(&point->parser);
    *point = (struct point){ .number = 0 };
}

err point_add_span(struct point *point, const struct log_span *span)
{
    if ((point->span_count & (point->span_count - 1)) == 0) {
        size_t capacity = point->span_count == 0 ? 1 : point->span_count * 2;
        struct log_span *spans = memory_resize(point->spans, capacity * sizeof *spans);
        if (spans == NULL)
            return ERR_NOMEM;
        point->spans = spans;
    }
    point->spans[point->span_count++] = *span;
    return ERR_OK;
}

/* ---- which there are ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

/* "000012.json" */
static bool number_of(const char *name, uint32_t *number)
{
    char *end;
    unsigned long value = strtoul(name, &end, 10);
    *number = (uint32_t)value;
    return end > name && strcmp(end, ".json") == 0 && value > 0 && value <= UINT32_MAX;
}

err points_find(const char *folder, uint32_t *numbers, size_t max, size_t *count,
                struct problem *problem)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/points", folder);
    *count = 0;
    DIR *points = opendir(path);
    if (points == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "'%s' is not a folder of backups", folder);
    for (struct dirent *entry; *count < max && (entry = readdir(points)) != NULL;)
        if (number_of(entry->d_name, &numbers[*count]))
            (*count)++;
    closedir(points);
    qsort(numbers, *count, sizeof *numbers, by_number);
    return ERR_OK;
}

/* ---- writing ---- */

void point_describe(const struct point *point, struct json_writer *writer)
{
    json_member_int(writer, STR("number"), point->number);
    json_member_time(writer, STR("taken_at"), point->taken_ms);
    json_member_time(writer, STR("until"), point->at_ms);
    json_member_int(writer, STR("applied_seq"), (int64_t)point->applied_seq);
    json_member_int(writer, STR("log_last_seq"), (int64_t)point->log_last_seq);
    json_member_int(writer, STR("file_count"), (int64_t)point->files);
    json_member_int(writer, STR("bytes"), (int64_t)point->bytes);
    json_member_int(writer, STR("new_bytes"), (int64_t)point->new_bytes);
    json_member_text(writer, STR("version"), str_from_c(point->version));
}

static void write_page(const struct point *point, str files, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("format"), FORMAT);
    point_describe(point, &writer);
    json_member_int(&writer, STR("taken_ms"), point->taken_ms);
    json_member_int(&writer, STR("at_ms"), point->at_ms);
    json_member_int(&writer, STR("log_floor_seq"), (int64_t)point->log_floor_seq);
    json_put_key(&writer, STR("log"));
    json_begin_array(&writer);
    for (size_t i = 0; i < point->span_count; i++) {
        json_begin_object(&writer);
        json_member_int(&writer, STR("first_seq"), (int64_t)point->spans[i].first_seq);
        json_member_int(&writer, STR("last_seq"), (int64_t)point->spans[i].last_seq);
        json_member_int(&writer, STR("last_ms"), point->spans[i].last_ms);
        json_member_text(&writer, STR("piece"), str_from_c(point->spans[i].piece));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_member_raw(&writer, STR("files"), files);
    json_end_object(&writer);
}

static bool write_synced(const char *path, str text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    size_t done = 0;
    while (done < text.size) {
        ssize_t count = write(file, text.data + done, text.size - done);
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    bool good = done == text.size && fsync(file) == 0;
    return close(file) == 0 && good;
}

static bool sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return good;
}

err point_write(const char *folder, const struct point *point, str files, struct problem *problem)
{
    char path[PATH_MAX + 64], fresh[PATH_MAX + 64], points[PATH_MAX + 32];
    struct buffer page;
    buffer_init(&page, POINT_PAGE_BYTES_MAX);
    write_page(point, files, &page);
    err error = buffer_status(&page);
    snprintf(points, sizeof points, "%s/points", folder);
    snprintf(path, sizeof path, "%s/%06u.json", points, point->number);
    snprintf(fresh, sizeof fresh, "%s/new", points);
    if (error != ERR_OK) {
        problem_set(problem, error, "the page of the point is too large");
    } else if (!write_synced(fresh, buffer_str(&page)) || rename(fresh, path) != 0 ||
               !sync_folder(points)) {
        error = problem_set(problem, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO,
                            "cannot write '%s': %s", path, strerror(errno));
        unlink(fresh);
    }
    buffer_deinit(&page);
    return error;
}

/* ---- reading ---- */

static err read_file(const char *path, struct buffer *out)
{
    char bytes[65536];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    ssize_t count;
    while ((count = read(file, bytes, sizeof bytes)) > 0)
        buffer_append(out, bytes, (size_t)count);
    close(file);
    return count < 0 ? ERR_IO : buffer_status(out);
}

static uint64_t member(json_value object, str key)
{
    return (uint64_t)json_int(json_get(object, key), 0);
}

static err read_spans(json_value list, struct point *point)
{
    struct json_iterator spans = json_iterate(list);
    json_value each;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&spans, NULL, &each)) {
        struct log_span span = { .first_seq = member(each, STR("first_seq")),
                                 .last_seq = member(each, STR("last_seq")),
                                 .last_ms = json_int(json_get(each, STR("last_ms")), 0) };
        str piece = json_text(json_get(each, STR("piece")));
        snprintf(span.piece, sizeof span.piece, STR_FMT, STR_ARG(piece));
        error = point_add_span(point, &span);
    }
    return error;
}

static err read_page(json_value page, struct point *point, struct problem *problem)
{
    int64_t format = json_int(json_get(page, STR("format")), 0);
    if (format != FORMAT)
        return problem_set(problem, format > FORMAT ? ERR_UNSUPPORTED : ERR_CORRUPT,
                           "point %u has format %lld, this Kith knows %d", point->number,
                           (long long)format, FORMAT);
    str version = json_text(json_get(page, STR("version")));
    snprintf(point->version, sizeof point->version, STR_FMT, STR_ARG(version));
    point->taken_ms = json_int(json_get(page, STR("taken_ms")), 0);
    point->at_ms = json_int(json_get(page, STR("at_ms")), 0);
    point->applied_seq = member(page, STR("applied_seq"));
    point->log_floor_seq = member(page, STR("log_floor_seq"));
    point->log_last_seq = member(page, STR("log_last_seq"));
    point->files = member(page, STR("file_count"));
    point->bytes = member(page, STR("bytes"));
    point->new_bytes = member(page, STR("new_bytes"));
    point->list = json_get(page, STR("files"));
    return read_spans(json_get(page, STR("log")), point);
}

err point_read(const char *folder, uint32_t number, struct point *point, struct problem *problem)
{
    char path[PATH_MAX + 64];
    struct buffer text;
    json_value page;
    *point = (struct point){ .number = number };
    snprintf(path, sizeof path, "%s/points/%06u.json", folder, number);
    buffer_init(&text, POINT_PAGE_BYTES_MAX);
    err error = read_file(path, &text);
    if (error == ERR_NOT_FOUND)
        problem_set(problem, error, "there is no point %u in '%s'", number, folder);
    else if (error != ERR_OK)
        problem_set(problem, error, "'%s' cannot be read", path);
    if (error == ERR_OK)
        error = json_parser_new(&point->parser, POINT_PAGE_BYTES_MAX);
    if (error == ERR_OK && json_parse(point->parser, buffer_str(&text), &page, problem) != ERR_OK)
        error = problem_set(problem, ERR_CORRUPT, "'%s' is damaged", path);
    if (error == ERR_OK)
        error = read_page(page, point, problem);
    buffer_deinit(&text);
    if (error != ERR_OK)
        point_deinit(point);
    return error;
}
