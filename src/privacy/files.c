/* SPDX-License-Identifier: Apache-2.0 */
/* files: exports, reports of refused rows and uploads, searched for an erased customer.
 *
 * A line of an export that names her goes; the line of a report says that it is erased; in an upload that waits for its import the value
 * alone is overwritten, and what is made of the row then is refused in apply. What names her: the values of her identifiers, a
 * phone also without its country, and her one_id. Lines are looked at as text: a packed upload (Excel, Parquet, gzip) is left as it
 * is, and goes with its import. They are all sealed: what is looked at is a nameless copy, and what has changed in it is sealed
 * again, in its place or, where it got shorter, in a file that takes the name. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "access/sealed_file.h"
#include "privacy/inside.h"

enum file_kind { FILE_EXPORT, FILE_REPORT, FILE_UPLOAD };

struct mapped {
    struct sealed_file *file;
    char *bytes; /* of the nameless copy */
    size_t size; /* of it; drop_lines makes it less */
    size_t mapped_bytes;
};

static err map_file(const struct round *round, const char *path, struct mapped *mapped,
                    struct problem *problem)
{
    const struct keys *keys = engine_keys(round->privacy->engine);
    int fd = -1;
    *mapped = (struct mapped){ .file = NULL };
    err error = sealed_file_open(&mapped->file, keys, path, true, problem);
    if (error != ERR_OK)
        return error;
    mapped->size = mapped->mapped_bytes = (size_t)sealed_file_size(mapped->file);
    if (mapped->size == 0)
        return ERR_OK;
    error = sealed_file_unseal(mapped->file, &fd, NULL, problem);
    if (error != ERR_OK)
        return error;
    void *bytes = mmap(NULL, mapped->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        error = problem_set(problem, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    else
        mapped->bytes = bytes;
    close(fd);
    return error;
}

/* A shorter one takes the name of the old one, when all of it is on disk. */
static err replace_file(const struct round *round, const struct mapped *mapped, const char *path,
                        struct problem *problem)
{
    char fresh[PRIVACY_PATH_BYTES + 320];
    struct sealed_file *file;
    snprintf(fresh, sizeof fresh, "%s.fresh", path);
    err error = sealed_file_create(&file, engine_keys(round->privacy->engine), fresh, problem);
    if (error != ERR_OK)
        return error;
    error = sealed_file_append(file, str_from_bytes(mapped->bytes, mapped->size), problem);
    if (error == ERR_OK)
        error = sealed_file_sync(file, problem);
    sealed_file_close(&file);
    if (error == ERR_OK && rename(fresh, path) != 0)
        error = problem_set(problem, ERR_IO, "cannot replace '%s': %s", path, strerror(errno));
    if (error != ERR_OK)
        (void)unlink(fresh);
    return error;
}

static err write_back(const struct round *round, const struct mapped *mapped, const char *path,
                      struct problem *problem)
{
    if (mapped->size != mapped->mapped_bytes)
        return replace_file(round, mapped, path, problem);
    err error =
        sealed_file_change(mapped->file, str_from_bytes(mapped->bytes, mapped->size), problem);
    return error == ERR_OK ? sealed_file_sync(mapped->file, problem) : error;
}

static void unmap_file(struct mapped *mapped)
{
    if (mapped->bytes != NULL)
        munmap(mapped->bytes, mapped->mapped_bytes);
    sealed_file_close(&mapped->file);
}

static bool names_her(const struct round *round, str line)
{
    for (size_t i = 0; i < round->term_count; i++)
        if (memmem(line.data, line.size, round->terms[i].data, round->terms[i].size) != NULL)
            return true;
    return false;
}

static size_t line_end(const struct mapped *mapped, size_t from)
{
    const char *end = memchr(mapped->bytes + from, '\n', mapped->size - from);
    return end != NULL ? (size_t)(end - mapped->bytes) + 1 : mapped->size;
}

/* What follows moves up, in the copy; who reads the export meanwhile has the old one to its end. */
static uint64_t drop_lines(const struct round *round, struct mapped *mapped)
{
    size_t kept = 0;
    uint64_t dropped = 0;
    for (size_t at = 0; at < mapped->size;) {
        size_t end = line_end(mapped, at);
        str line = str_from_bytes(mapped->bytes + at, end - at);
        if (at > 0 && names_her(round, line)) {
            dropped++;
        } else {
            memmove(mapped->bytes + kept, line.data, line.size);
            kept += line.size;
        }
        at = end;
    }
    mapped->size = kept;
    return dropped;
}

/* Number and reason stay, what the row said goes; the report is as long as before, as its job counts on it. */
static uint64_t blank_lines(const struct round *round, struct mapped *mapped)
{
    uint64_t blanked = 0;
    for (size_t at = 0; at < mapped->size;) {
        size_t end = line_end(mapped, at);
        unsigned commas = 0;
        bool hers = names_her(round, str_from_bytes(mapped->bytes + at, end - at));
        for (size_t i = at; hers && i < end; i++) {
            char *byte = &mapped->bytes[i];
            bool stays = *byte == ',' || *byte == '"' || *byte == '\r' || *byte == '\n';
            commas += *byte == ',';
            if (commas >= 2 && !stays)
                *byte = '*';
        }
        blanked += hers;
        at = end;
    }
    return blanked;
}

static uint64_t blank_values(const struct round *round, struct mapped *mapped)
{
    uint64_t blanked = 0;
    for (size_t i = 0; i < round->term_count; i++) {
        str term = round->terms[i];
        char *at = mapped->bytes, *end = mapped->bytes + mapped->size;
        while (at != NULL && at < end &&
               (at = memmem(at, (size_t)(end - at), term.data, term.size)) != NULL) {
            memset(at, '*', term.size);
            at += term.size;
            blanked++;
        }
    }
    return blanked;
}

static err clean_file(struct round *round, const char *path, enum file_kind kind,
                      struct problem *problem)
{
    struct mapped mapped;
    uint64_t changed = 0;
    err error = map_file(round, path, &mapped, problem);
    if (error == ERR_OK && mapped.bytes != NULL)
        changed = kind == FILE_EXPORT   ? drop_lines(round, &mapped)
                  : kind == FILE_REPORT ? blank_lines(round, &mapped)
                                        : blank_values(round, &mapped);
    round->files += changed > 0;
    if (error == ERR_OK && changed > 0)
        error = write_back(round, &mapped, path, problem);
    unmap_file(&mapped);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t size = strlen(name), tail = strlen(ending);
    return size > tail && strcmp(name + size - tail, ending) == 0;
}

static err clean_folder(struct round *round, const char *below, enum file_kind kind,
                        struct problem *problem)
{
    char folder[PRIVACY_PATH_BYTES], path[PRIVACY_PATH_BYTES + 300];
    snprintf(folder, sizeof folder, "%.900s/%s", round->privacy->folder, below);
    DIR *entries = opendir(folder);
    err error = ERR_OK;
    for (struct dirent *entry;
         error == ERR_OK && entries != NULL && (entry = readdir(entries)) != NULL;) {
        bool fits = kind == FILE_EXPORT
                        ? ends_with(entry->d_name, ".csv") || ends_with(entry->d_name, ".jsonl")
                    : kind == FILE_REPORT ? ends_with(entry->d_name, ".csv")
                                          : ends_with(entry->d_name, ".part");
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (fits)
            error = clean_file(round, path, kind, problem);
    }
    if (entries != NULL)
        closedir(entries);
    return error;
}

/* ---- files made for persons: packages/rNUMBER-EXPIRES-RANDOM ---- */

struct asked {
    int64_t numbers[256];
    size_t count;
};

static bool note_asked(void *context, const struct ledger_value *values)
{
    struct asked *asked = context;
    if (asked->count < sizeof asked->numbers / sizeof asked->numbers[0])
        asked->numbers[asked->count++] = values[0].integer;
    return true;
}

static bool is_asked(const struct asked *asked, int64_t number)
{
    for (size_t i = 0; i < asked->count; i++)
        if (asked->numbers[i] == number)
            return true;
    return false;
}

/* False: it is none of ours. */
static bool read_name(const char *name, int64_t *number, int64_t *expires_s)
{
    str rest = str_from_c(name), part;
    return name[0] == 'r' && str_split(&rest, '-', &part) &&
           str_to_int64(str_slice(part, 1, part.size), number) && str_split(&rest, '-', &part) &&
           str_to_int64(part, expires_s);
}

static err drop_package(const char *path, struct problem *problem)
{
    return unlink(path) == 0 || errno == ENOENT
               ? ERR_OK
               : problem_set(problem, ERR_IO, "cannot remove '%s': %s", path, strerror(errno));
}

err files_drop_packages(struct privacy *privacy, int64_t now_ms, const uint32_t *nodes,
                        size_t count, struct problem *problem)
{
    struct asked asked = { .count = 0 };
    char folder[PRIVACY_PATH_BYTES], path[PRIVACY_PATH_BYTES + 300];
    int64_t number, expires_s;
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = ledger_find_by(engine_ledger(privacy->engine), LEDGER_PERSON_REQUESTS, "customer",
                               ledger_int(nodes[i]), NULL, true, 256, note_asked, &asked, problem);
    snprintf(folder, sizeof folder, "%.900s/packages", privacy->folder);
    DIR *entries = error == ERR_OK ? opendir(folder) : NULL;
    for (struct dirent *entry;
         error == ERR_OK && entries != NULL && (entry = readdir(entries)) != NULL;) {
        if (!read_name(entry->d_name, &number, &expires_s) ||
            (expires_s > now_ms / 1000 && !is_asked(&asked, number)))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        error = drop_package(path, problem);
    }
    if (entries != NULL)
        closedir(entries);
    return error;
}

static err drop_all_packages(struct round *round, struct problem *problem)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < round->count; i++)
        error = files_drop_packages(round->privacy, INT64_MIN, round->items[i].nodes,
                                    round->items[i].node_count, problem);
    return error;
}

err files_erase(struct round *round, struct problem *problem)
{
    err error = drop_all_packages(round, problem);
    if (error != ERR_OK || round->term_count == 0)
        return error;
    error = clean_folder(round, "exports", FILE_EXPORT, problem);
    if (error == ERR_OK)
        error = clean_folder(round, "imports", FILE_REPORT, problem);
    return error == ERR_OK ? clean_folder(round, "imports/uploads", FILE_UPLOAD, problem) : error;
}
