/* SPDX-License-Identifier: Apache-2.0 */
/* restore: a data folder made of a point, with the log up to any second that is kept. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/codec.h"

struct restore {
    const struct backup_restore_options *options;
    struct pieces pieces;
    struct point point; /* the one that is restored; its spans are all that are kept from it on */
    struct buffer bytes;
    struct backup_report *report;
    struct problem *problem;

    /* the log */
    size_t span; /* the next to be read */
    str left;    /* of the span's bytes */
    uint64_t next_seq;
};

/* ---- which point ---- */

static err no_point(struct restore *restore, bool any)
{
    if (!any)
        return problem_set(restore->problem, ERR_NOT_FOUND, "there is no point in '%s'",
                           restore->options->folder);
    problem_set(restore->problem, ERR_NOT_FOUND, "no point in '%s' is that old",
                restore->options->folder);
    return problem_hint(restore->problem, ERR_NOT_FOUND,
                        "kith backup --list says from when on it can be restored");
}

static err add_spans(struct restore *restore, const struct point *later)
{
    err error = ERR_OK;
    for (size_t i = 0; i < later->span_count && error == ERR_OK; i++)
        error = point_add_span(&restore->point, &later->spans[i]);
    return error;
}

/* Newer points know what came after this one. */
static err choose_point(struct restore *restore)
{
    const struct backup_restore_options *options = restore->options;
    uint32_t *numbers = memory_alloc(POINTS_MAX * sizeof *numbers);
    size_t count = 0, place = 0;
    if (numbers == NULL)
        return ERR_NOMEM;
    err error = points_find(options->folder, numbers, POINTS_MAX, &count, restore->problem);
    for (place = count; error == ERR_OK && place > 0; place--) {
        point_deinit(&restore->point);
        error = point_read(options->folder, numbers[place - 1], &restore->point, restore->problem);
        bool wanted = options->point != 0
                          ? numbers[place - 1] == options->point
                          : options->at_ms == 0 || restore->point.at_ms <= options->at_ms;
        if (error == ERR_OK && wanted)
            break;
    }
    if (error == ERR_OK && place == 0)
        error = no_point(restore, count > 0);
    for (; error == ERR_OK && options->at_ms != 0 && place < count; place++) {
        struct point later;
        error = point_read(options->folder, numbers[place], &later, restore->problem);
        if (error == ERR_OK)
            error = add_spans(restore, &later);
        point_deinit(&later);
    }
    memory_free(numbers);
    return error;
}

/* ---- files ---- */

/* What comes from a page is not trusted to stay in the folder. */
static bool is_inside(str path)
{
    str rest = path, part;
    if (path.size == 0 || path.data[0] == '/')
        return false;
    while (str_split(&rest, '/', &part))
        if (part.size == 0 || str_equal(part, STR("..")) || str_equal(part, STR(".")))
            return false;
    return true;
}

static err make_parents(struct restore *restore, char *path, size_t data_size)
{
    for (char *at = path + data_size + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (!good)
            problem_set(restore->problem, ERR_IO, "cannot make folder '%s': %s", path,
                        strerror(errno));
        *at = '/';
        if (!good)
            return ERR_IO;
    }
    return ERR_OK;
}

static err write_pieces(struct restore *restore, int file, const char *path, json_value names)
{
    struct json_iterator pieces = json_iterate(names);
    json_value name;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&pieces, NULL, &name)) {
        buffer_clear(&restore->bytes);
        error = pieces_get(&restore->pieces, json_text(name), &restore->bytes, restore->problem);
        size_t done = 0;
        while (error == ERR_OK && done < restore->bytes.size) {
            ssize_t count = write(file, restore->bytes.data + done, restore->bytes.size - done);
            if (count < 0)
                error = problem_set(restore->problem, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO,
                                    "cannot write '%s': %s", path, strerror(errno));
            else
                done += (size_t)count;
        }
        restore->report->bytes += done;
    }
    return error;
}

static err restore_file(struct restore *restore, json_value entry)
{
    char path[PATH_MAX];
    str name = json_text(json_get(entry, STR("path"))), link;
    if (!is_inside(name) || snprintf(path, sizeof path, "%s/" STR_FMT, restore->options->data,
                                     STR_ARG(name)) >= (int)sizeof path)
        return problem_set(restore->problem, ERR_CORRUPT, "point %u names the file '" STR_FMT "'",
                           restore->point.number, STR_ARG(name));
    err error = make_parents(restore, path, strlen(restore->options->data));
    if (error != ERR_OK)
        return error;
    restore->report->files++;
    link = json_text(json_get(entry, STR("link")));
    if (link.size > 0) {
        char target[PATH_MAX];
        snprintf(target, sizeof target, STR_FMT, STR_ARG(link));
        return symlink(target, path) == 0
                   ? ERR_OK
                   : problem_set(restore->problem, ERR_IO, "cannot make link '%s'", path);
    }
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return problem_set(restore->problem, ERR_IO, "cannot make '%s': %s", path, strerror(errno));
    error = write_pieces(restore, file, path, json_get(entry, STR("pieces")));
    return close(file) == 0 || error != ERR_OK
               ? error
               : problem_set(restore->problem, ERR_IO, "cannot write '%s'", path);
}

static err restore_files(struct restore *restore)
{
    struct json_iterator files = json_iterate(restore->point.list);
    json_value entry;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&files, NULL, &entry))
        error = restore_file(restore, entry);
    return error;
}

/* ---- the log ---- */

static int by_first_seq(const void *a, const void *b)
{
    const struct log_span *one = a, *other = b;
    return (one->first_seq > other->first_seq) - (one->first_seq < other->first_seq);
}

/* Blocks of the span that `left` stands in; empty: the next span. */
static err next_span(struct restore *restore)
{
    const struct log_span *span = &restore->point.spans[restore->span++];
    buffer_clear(&restore->bytes);
    if (span->last_seq < restore->next_seq)
        return ERR_OK;
    err error =
        pieces_get(&restore->pieces, str_from_c(span->piece), &restore->bytes, restore->problem);
    restore->left = buffer_str(&restore->bytes);
    return error;
}

static err take_block(struct restore *restore, struct log_block **block)
{
    struct cursor cursor = cursor_over(restore->left);
    uint32_t size = read_u32(&cursor);
    if (cursor.failed || restore->left.size - 4 < size)
        return problem_set(restore->problem, ERR_CORRUPT, "a span of the log ends in a block");
    err error =
        log_block_decode(str_slice(restore->left, 4, 4 + (size_t)size), block, restore->problem);
    restore->left = str_slice(restore->left, 4 + (size_t)size, restore->left.size);
    return error;
}

static err next_block(void *context, struct log_block **out, struct problem *problem)
{
    struct restore *restore = context;
    const struct backup_restore_options *options = restore->options;
    (void)problem;
    *out = NULL;
    for (;;) {
        struct log_block *block = NULL;
        while (restore->left.size == 0) {
            if (restore->span == restore->point.span_count)
                return ERR_OK;
            err error = next_span(restore);
            if (error != ERR_OK)
                return error;
        }
        err error = take_block(restore, &block);
        if (error != ERR_OK)
            return error;
        uint64_t last = block->first_seq + block->count - 1;
        if (options->at_ms != 0 && block->received_ms > options->at_ms &&
            block->first_seq > restore->point.applied_seq) {
            log_block_release(&block);
            return ERR_OK;
        }
        if (last >= restore->next_seq) {
            restore->next_seq = last + 1;
            restore->report->log_last_seq = last;
            restore->report->at_ms = block->received_ms;
            *out = block;
            return ERR_OK;
        }
        log_block_release(&block);
    }
}

static err restore_log(struct restore *restore)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/log.db", restore->options->data);
    if (restore->point.span_count > 0)
        qsort(restore->point.spans, restore->point.span_count, sizeof *restore->point.spans,
              by_first_seq);
    err error = log_restore(path, next_block, restore, restore->problem);
    if (error == ERR_OK && restore->report->log_last_seq < restore->point.applied_seq)
        error = problem_set(restore->problem, ERR_CORRUPT, "point %u has no log up to seq %llu",
                            restore->point.number, (unsigned long long)restore->point.applied_seq);
    return error;
}

/* ---- who was erased since ---- */

/* The list of the folder of backups becomes the new folder's, to be gone through at its first start (privacy/erased.c). */
static err restore_erased(struct restore *restore)
{
    char from[PATH_MAX], to[PATH_MAX], bytes[65536];
    size_t size;
    bool good = true;
    snprintf(from, sizeof from, "%.4000s/erased", restore->options->folder);
    snprintf(to, sizeof to, "%.4000s/erased.pending", restore->options->data);
    FILE *list = fopen(from, "re");
    if (list == NULL)
        return errno == ENOENT ? ERR_OK
                               : problem_set(restore->problem, ERR_IO, "cannot read '%s': %s", from,
                                             strerror(errno));
    FILE *copy = fopen(to, "we");
    while (copy != NULL && good && (size = fread(bytes, 1, sizeof bytes, list)) > 0)
        good = fwrite(bytes, 1, size, copy) == size;
    good = good && copy != NULL && ferror(list) == 0;
    fclose(list);
    if (copy != NULL && fclose(copy) != 0)
        good = false;
    return good ? ERR_OK
                : problem_set(restore->problem, ERR_IO, "cannot write '%s': %s", to,
                              strerror(errno));
}

/* ---- all ---- */

static err check_empty(const char *path, bool *was_there, struct problem *problem)
{
    DIR *folder = opendir(path);
    bool empty = true;
    *was_there = folder != NULL;
    if (folder == NULL && errno == ENOENT)
        return mkdir(path, 0700) == 0
                   ? ERR_OK
                   : problem_set(problem, ERR_IO, "cannot make '%s': %s", path, strerror(errno));
    if (folder == NULL)
        return problem_set(problem, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    for (struct dirent *entry; empty && (entry = readdir(folder)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(folder);
    if (empty)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "the folder '%s' is not empty", path);
    return problem_hint(problem, ERR_CONFLICT, "name a folder that is not there yet");
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    return walk->level == 0 ? 0 : remove(path);
}

static void undo(const char *path, bool was_there)
{
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (!was_there)
        (void)rmdir(path);
}

err backup_restore(const struct backup_restore_options *options, struct backup_report *report,
                   struct problem *problem)
{
    bool was_there = true, begun = false;
    struct restore *restore = memory_alloc(sizeof *restore);
    if (restore == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to restore");
    *report = (struct backup_report){ .point = 0 };
    restore->options = options;
    restore->report = report;
    restore->problem = problem;
    buffer_init(&restore->bytes, 4 * LOG_BLOCK_BYTES_LIMIT);
    err error = pieces_open(&restore->pieces, options->folder, false, problem);
    if (error == ERR_OK)
        error = choose_point(restore);
    if (error == ERR_OK) {
        report->point = restore->point.number;
        report->applied_seq = restore->point.applied_seq;
        error = check_empty(options->data, &was_there, problem);
        begun = error == ERR_OK;
    }
    if (error == ERR_OK)
        error = restore_files(restore);
    if (error == ERR_OK)
        error = restore_log(restore);
    if (error == ERR_OK)
        error = restore_erased(restore);
    if (error != ERR_OK && begun)
        undo(options->data, was_there);
    if (begun)
        sync();
    point_deinit(&restore->point);
    pieces_close(&restore->pieces);
    buffer_deinit(&restore->bytes);
    memory_free(restore);
    return error;
}
