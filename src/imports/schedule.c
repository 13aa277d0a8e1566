/* SPDX-License-Identifier: Apache-2.0 */
/* schedule: folders and buckets that are looked into. The setting `import.schedules` says which: an array of
 *
 *     {"folder": "daily", "pattern": "*.csv", "mapping_key": "orders", "source": "tmall", "data_set": "…",
 *      "form": {…}, "quiet_seconds": 10}
 *     {"bucket": "exports", "pattern": "*.csv.gz", "every_seconds": 300, …}       (schedule_bucket.c)
 *
 * The folder lies below the import folder. A file that fits the pattern and has not changed for `quiet_seconds` becomes
 * a job, once: the same content again is known by its job, so nothing has to be remembered over a restart, and
 * a file that is replaced by a corrected one is a new job. What cannot become a job is told in a log line, once
 * for each state of the file. One thread; its memory of files is its own.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/logline.h"
#include "imports/inside.h"

#define LOOK_EVERY_MS 2000
#define QUIET_SECONDS 10
#define SETTING_BYTES_MAX ((size_t)256 << 10)
#define FILES_KNOWN_MAX 100000

struct looker {
    struct imports *imports;
    struct json_parser *parser;
    uint64_t *known; /* hashes of path, size and time of change */
    size_t known_count, known_capacity;
    struct bucket_memory *buckets;
};

/* ---- what was seen ---- */

static uint64_t state_of(const char *path, const struct stat *status)
{
    uint64_t hash = hash_bytes64(path, strlen(path), 1);
    hash = hash_mix64(hash ^ (uint64_t)status->st_size);
    hash = hash_mix64(hash ^ (uint64_t)status->st_mtim.tv_sec);
    return hash_mix64(hash ^ (uint64_t)status->st_mtim.tv_nsec);
}

static bool is_known(const struct looker *looker, uint64_t state)
{
    for (size_t i = 0; i < looker->known_count; i++) {
        if (looker->known[i] == state)
            return true;
    }
    return false;
}

/* Without room the oldest is forgotten: that file is hashed again, and known by its job. */
static void note(struct looker *looker, uint64_t state)
{
    if (looker->known_count == looker->known_capacity && looker->known_count < FILES_KNOWN_MAX) {
        size_t capacity = looker->known_capacity == 0 ? 64 : looker->known_capacity * 2;
        uint64_t *known = memory_resize(looker->known, capacity * sizeof *known);
        if (known == NULL)
            return;
        looker->known = known;
        looker->known_capacity = capacity;
    }
    if (looker->known_count == looker->known_capacity)
        memmove(looker->known, looker->known + 1, --looker->known_count * sizeof *looker->known);
    looker->known[looker->known_count++] = state;
}

/* ---- a file ---- */

static void write_request(json_value schedule, const char *reference, str name, struct buffer *out)
{
    static const char *const members[] = { "mapping_key", "mapping_version", "mapping",
                                           "form",        "source",          "data_set" };
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, SETTING_BYTES_MAX);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("file"), str_from_c(reference));
    if (name.size > 0)
        json_member_text(&writer, STR("name"), name);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_value value = json_get(schedule, str_from_c(members[i]));
        if (json_kind(value) == JSON_MISSING)
            continue;
        buffer_clear(&text);
        json_write_value(&text, value);
        json_member_raw(&writer, str_from_c(members[i]), buffer_str(&text));
    }
    json_end_object(&writer);
    buffer_deinit(&text);
}

err schedule_begin_job(struct imports *imports, json_value schedule, const char *reference,
                       str name, struct problem *problem)
{
    struct buffer request, body;
    struct json_parser *parser = NULL;
    json_value json;
    buffer_init(&request, SETTING_BYTES_MAX);
    buffer_init(&body, (size_t)4 << 20);
    write_request(schedule, reference, name, &request);
    err error = json_parser_new(&parser, SETTING_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&request), &json, problem);
    if (error == ERR_OK)
        error = imports_prepare(imports, json, STR_NONE, &body, problem);
    if (error == ERR_OK)
        error = imports_command(imports, "import.create", buffer_str(&body), NULL, problem);
    json_parser_free(&parser);
    buffer_deinit(&request);
    buffer_deinit(&body);
    if (error == ERR_OK)
        imports_wake(imports);
    return error;
}

static void look_at_file(struct looker *looker, json_value schedule, str folder, const char *path,
                         const char *name)
{
    char reference[PATH_BYTES];
    struct stat status;
    struct problem problem = { .error = ERR_OK };
    int64_t quiet = json_int(json_get(schedule, STR("quiet_seconds")), QUIET_SECONDS);
    if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
        file_age_seconds(status.st_mtim.tv_sec) < quiet)
        return;
    uint64_t state = state_of(path, &status);
    if (is_known(looker, state))
        return;
    snprintf(reference, sizeof reference, "path:%.*s%s%.400s", (int)folder.size, folder.data,
             folder.size > 0 ? "/" : "", name);
    err error = schedule_begin_job(looker->imports, schedule, reference, STR_NONE, &problem);
    if (err_is_retriable(error))
        return; /* it will be there the next time, too */
    note(looker, state);
    if (error != ERR_OK)
        log_line(LOG_WARN, "import_schedule", "file=%.200s error=%s reason=\"%s\"", name,
                 err_code(error), problem.detail);
}

/* ---- a folder ---- */

static int by_name(const void *left, const void *right)
{
    return strcmp(left, right);
}

#define FILE_NAME_BYTES 256
#define FOLDER_FILES_MAX 10000

/* The names of `path` that fit `pattern`, in order: FILE_NAME_BYTES each, terminated. */
static size_t list_names(const char *path, const char *pattern, struct buffer *names)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    size_t count = 0;
    while (folder != NULL && count < FOLDER_FILES_MAX && (entry = readdir(folder)) != NULL) {
        char name[FILE_NAME_BYTES] = { 0 };
        if (entry->d_name[0] == '.' || fnmatch(pattern, entry->d_name, 0) != 0)
            continue;
        snprintf(name, sizeof name, "%s", entry->d_name);
        buffer_append(names, name, sizeof name);
        count++;
    }
    if (folder != NULL)
        closedir(folder);
    if (buffer_status(names) != ERR_OK)
        return 0;
    if (count > 1)
        qsort(names->data, count, FILE_NAME_BYTES, by_name);
    return count;
}

static bool is_inside(str folder)
{
    str rest = folder, part;
    while (str_split(&rest, '/', &part)) {
        if (part.size == 0 || part.data[0] == '.')
            return false;
    }
    return true;
}

/* In the order of names, which often begin with the day. */
static void look_at_folder(struct looker *looker, json_value schedule)
{
    char path[PATH_BYTES], file[PATH_BYTES + 300], pattern[256];
    struct buffer names;
    str folder = json_text(json_get(schedule, STR("folder")));
    str wanted = json_text(json_get(schedule, STR("pattern")));
    if (!is_inside(folder) || folder.size > 400 || wanted.size >= sizeof pattern)
        return;
    snprintf(path, sizeof path, "%.600s%s%.*s", looker->imports->allowed,
             folder.size > 0 ? "/" : "", (int)folder.size, folder.data);
    snprintf(pattern, sizeof pattern, "%.*s", (int)(wanted.size > 0 ? wanted.size : 1),
             wanted.size > 0 ? wanted.data : "*");
    buffer_init(&names, (size_t)FOLDER_FILES_MAX * FILE_NAME_BYTES);
    size_t count = list_names(path, pattern, &names);
    for (size_t i = 0; i < count; i++) {
        const char *name = names.data + i * FILE_NAME_BYTES;
        snprintf(file, sizeof file, "%s/%.255s", path, name);
        look_at_file(looker, schedule, folder, file, name);
    }
    buffer_deinit(&names);
}

static bool take_setting(void *context, const struct ledger_value *values)
{
    struct buffer *text = context;
    buffer_append_str(text, values[1].bytes);
    return false;
}

static void look(struct looker *looker)
{
    struct buffer text;
    json_value schedules, schedule;
    struct problem problem;
    struct ledger_value key = ledger_text(STR("import.schedules"));
    buffer_init(&text, SETTING_BYTES_MAX);
    if (ledger_find(engine_ledger(looker->imports->engine), LEDGER_SETTINGS, &key, 1, take_setting,
                    &text, &problem) == ERR_OK &&
        text.size > 0 &&
        json_parse(looker->parser, buffer_str(&text), &schedules, &problem) == ERR_OK) {
        struct json_iterator iterator = json_iterate(schedules);
        while (json_next(&iterator, NULL, &schedule)) {
            if (json_text(json_get(schedule, STR("bucket"))).size > 0)
                schedule_look_at_bucket(looker->buckets, schedule);
            else if (looker->imports->allowed[0] != '\0')
                look_at_folder(looker, schedule);
        }
    }
    buffer_deinit(&text);
}

static bool must_end(struct imports *imports)
{
    pthread_mutex_lock(&imports->mutex);
    bool stopping = imports->stopping;
    pthread_mutex_unlock(&imports->mutex);
    return stopping;
}

void *schedule_run(void *context)
{
    struct looker looker = { .imports = context };
    pthread_setname_np(pthread_self(), "kith-schedule");
    bool ready = json_parser_new(&looker.parser, SETTING_BYTES_MAX) == ERR_OK &&
                 bucket_memory_new(&looker.buckets, looker.imports) == ERR_OK;
    while (ready && !must_end(looker.imports)) {
        look(&looker);
        for (int i = 0; i < LOOK_EVERY_MS / 50 && !must_end(looker.imports); i++)
            steady_sleep_ms(50);
    }
    bucket_memory_free(&looker.buckets);
    json_parser_free(&looker.parser);
    memory_free(looker.known);
    return NULL;
}
