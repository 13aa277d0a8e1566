/* SPDX-License-Identifier: Apache-2.0 */
/* renew_stores: a step of sealing anew in the ledger, the log, the warehouse and the files; see renew.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/sealed_file.h"
#include "base/clock.h"
#include "privacy/inside.h"
#include "store/events_renew.h"

#define SETTLE_MS (10 * MINUTE_MS)
#define LEDGER_ROWS 500
#define LOG_RECORDS 200000
#define WAREHOUSE_ROWS 200000
#define LEDGER_PENDING_BYTES ((size_t)4 << 20)
#define PACKAGE_BYTES_MAX ((size_t)1 << 30)

static size_t renew_bytes(void *keys, char *bytes, size_t size)
{
    return keys_renew(keys, bytes, size);
}

static void count(struct privacy *privacy, uint64_t changed)
{
    struct renew_state *state = &privacy->renewing.state;
    state->changed += changed;
    state->counts[state->phase] += changed;
}

/* ---- the ledger: pages of its tables; who has something old is committed once more ---- */

struct page {
    struct privacy *privacy;
    struct ledger_writes *writes;
    enum ledger_table table;
    size_t rows, old;
    bool place_is_too_long;
};

/* The key of the row where the next page begins. */
static void keep_place(struct page *page, const struct ledger_value *values)
{
    struct renewing *renewing = &page->privacy->renewing;
    size_t used = 0;
    for (int i = 0; i < ledger_table_keys(page->table); i++) {
        str bytes = values[i].bytes;
        renewing->place[i] = values[i];
        if (values[i].kind == LEDGER_INT || bytes.size == 0)
            continue;
        if (bytes.size > RENEW_PLACE_BYTES - used) {
            page->place_is_too_long = true;
            return;
        }
        memcpy(renewing->place_bytes + used, bytes.data, bytes.size);
        renewing->place[i].bytes.data = renewing->place_bytes + used;
        used += bytes.size;
    }
    renewing->has_place = true;
}

static bool look_at_row(void *context, const struct ledger_value *values)
{
    struct page *page = context;
    const struct keys *keys = engine_keys(page->privacy->engine);
    size_t old = 0;
    for (int i = ledger_table_keys(page->table); i < ledger_table_columns(page->table); i++)
        if (values[i].kind == LEDGER_TEXT || values[i].kind == LEDGER_BLOB)
            old += keys_count_old(keys, values[i].bytes);
    if (old > 0)
        ledger_renew(page->writes, page->table, values);
    page->old += old > 0;
    page->rows++;
    keep_place(page, values);
    return !page->place_is_too_long;
}

static err renew_page(struct privacy *privacy, struct page *page, struct problem *problem)
{
    struct renewing *renewing = &privacy->renewing;
    struct ledger *ledger = engine_ledger(privacy->engine);
    struct ledger_value beyond[LEDGER_COLUMNS_MAX];
    char bytes[RENEW_PLACE_BYTES];
    size_t used = 0;
    /* The place is written over while the page is read. */
    for (int i = 0; renewing->has_place && i < ledger_table_keys(page->table); i++) {
        beyond[i] = renewing->place[i];
        size_t size = beyond[i].kind == LEDGER_INT ? 0 : beyond[i].bytes.size;
        if (size > sizeof bytes - used)
            return problem_set(problem, ERR_TOO_LARGE, "a key of ledger table '%s' has %zu bytes",
                               ledger_table_name(page->table), size);
        if (size > 0)
            memcpy(bytes + used, beyond[i].bytes.data, size);
        beyond[i].bytes.data = bytes + used;
        used += size;
    }
    err error = ledger_page(ledger, page->table, renewing->has_place ? beyond : NULL, false,
                            LEDGER_ROWS, look_at_row, page, problem);
    if (error == ERR_OK && page->place_is_too_long)
        error = problem_set(problem, ERR_TOO_LARGE, "a key of ledger table '%s' is too long",
                            ledger_table_name(page->table));
    if (error == ERR_OK && page->old > 0)
        error = ledger_apply(ledger, &page->writes, 0, NULL, NULL);
    return error;
}

/* All of it is on disk, and nothing else is. */
static err end_ledger(struct privacy *privacy, struct problem *problem)
{
    struct ledger *ledger = engine_ledger(privacy->engine);
    err error = ledger_drain(ledger);
    if (error != ERR_OK)
        return problem_set(problem, error, "the ledger cannot commit what is sealed anew");
    return privacy->renewing.state.changed > 0 ? privacy_scrub_ledger(privacy, problem) : ERR_OK;
}

err renew_ledger(struct privacy *privacy, bool *ended, struct problem *problem)
{
    struct renewing *renewing = &privacy->renewing;
    struct renew_state *state = &renewing->state;
    struct ledger *ledger = engine_ledger(privacy->engine);
    if (state->table >= LEDGER_TABLE_COUNT) {
        *ended = true;
        return end_ledger(privacy, problem);
    }
    if (ledger_pending_bytes(ledger) > LEDGER_PENDING_BYTES) {
        steady_sleep_ms(10); /* events come first */
        return ERR_OK;
    }
    struct page page = { .privacy = privacy,
                         .table = (enum ledger_table)state->table,
                         .writes = ledger_writes_new(ledger) };
    if (page.writes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to write to the ledger");
    err error = ERR_OK;
    if (page.table != LEDGER_AUDIT)
        error = renew_page(privacy, &page, problem);
    if (page.writes != NULL)
        ledger_writes_free(&page.writes);
    if (error == ERR_OK)
        count(privacy, page.old);
    if (error == ERR_OK && page.rows < LEDGER_ROWS) {
        state->table++;
        renewing->has_place = false;
    }
    return error;
}

/* ---- the log ---- */

static bool renew_record(void *context, const struct log_record *record, char *bytes)
{
    return keys_renew(context, bytes, record->body.size) > 0;
}

/* Deliberate defect: builds with KITH_FAULTS whose KITH_MUTATE_KEYS is no_log say of the log that it is through (R2). */
static bool forgets_the_log(void)
{
#ifdef KITH_FAULTS
    const char *mutation = getenv("KITH_MUTATE_KEYS");
    return mutation != NULL && strcmp(mutation, "no_log") == 0;
#else
    return false;
#endif
}

err renew_log(struct privacy *privacy, bool *ended, struct problem *problem)
{
    struct renew_state *state = &privacy->renewing.state;
    struct log *log = engine_log(privacy->engine);
    struct engine_status status;
    uint64_t changed = 0;
    engine_status(privacy->engine, &status);
    uint64_t first = log_first_seq(log), last = status.committed_seq;
    uint64_t from = state->seq > first ? state->seq : first;
    if (from > last || forgets_the_log()) {
        *ended = true;
        return ERR_OK;
    }
    uint64_t to = last - from < LOG_RECORDS ? last : from + LOG_RECORDS - 1;
    err error = log_redact(log, from, to, renew_record, engine_keys(privacy->engine), false,
                           &changed, problem);
    if (error != ERR_OK)
        return error;
    count(privacy, changed);
    state->seq = to + 1;
    *ended = to == last;
    return ERR_OK;
}

/* ---- the warehouse ---- */

/* Texts of keys before the newest, as they stand in JSON. */
void renew_write_condition(uint32_t oldest, uint32_t newest, struct buffer *out)
{
    const char *joint = "";
    for (uint32_t number = oldest; number < newest; number++) {
        buffer_printf(out, "%sposition(props, '\"s1:%c:') > 0 OR position(context, '\"s1:%c:') > 0",
                      joint, seal_digit(number), seal_digit(number));
        joint = " OR ";
    }
}

/* What comes into the warehouse from here on was sealed by the newest key, or is found by the next pass. */
static err settle_warehouse(struct privacy *privacy, struct problem *problem)
{
    err error = engine_settle(privacy->engine, true, SETTLE_MS);
    return error == ERR_OK ? ERR_OK
                           : problem_set(problem, error, "the warehouse does not catch up");
}

err renew_warehouse(struct privacy *privacy, bool *ended, struct problem *problem)
{
    struct renew_state *state = &privacy->renewing.state;
    struct keys *keys = engine_keys(privacy->engine);
    struct warehouse *warehouse = engine_warehouse(privacy->engine);
    struct engine_status status;
    struct buffer condition;
    if (warehouse == NULL) {
        *ended = true;
        return ERR_OK;
    }
    err error = state->seq == 0 ? settle_warehouse(privacy, problem) : ERR_OK;
    engine_status(privacy->engine, &status);
    buffer_init(&condition, 4096);
    renew_write_condition(keys_oldest(keys), keys_newest(keys), &condition);
    struct warehouse_renewal renewal = { .condition = buffer_str(&condition),
                                         .from_seq = state->seq,
                                         .to_seq = status.flushed_seq,
                                         .limit = WAREHOUSE_ROWS,
                                         .renew = renew_bytes,
                                         .context = keys };
    if (error == ERR_OK)
        error = buffer_status(&condition);
    if (error == ERR_OK)
        error = warehouse_renew_events(warehouse, &renewal, problem);
    buffer_deinit(&condition);
    if (error != ERR_OK)
        return error;
    count(privacy, renewal.changed);
    state->seq = renewal.next_seq;
    *ended = renewal.next_seq == 0;
    return *ended ? rows_wait_for_parts(privacy, problem) : ERR_OK;
}

/* ---- files ---- */

static err write_fresh(const char *path, const struct stat *like, str bytes)
{
    const struct timespec times[2] = { like->st_atim, like->st_mtim };
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "we") : NULL;
    if (file == NULL && fd >= 0)
        close(fd);
    bool good = file != NULL && fwrite(bytes.data, 1, bytes.size, file) == bytes.size &&
                fflush(file) == 0 && futimens(fd, times) == 0 && fsync(fd) == 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    return good ? ERR_OK : ERR_IO;
}

static err read_whole(int fd, struct buffer *out)
{
    ssize_t size;
    char *room;
    while ((room = buffer_reserve(out, 65536)) != NULL && (size = read(fd, room, 65536)) != 0) {
        if (size < 0 && errno != EINTR)
            return ERR_IO;
        if (size > 0)
            buffer_advance(out, (size_t)size);
    }
    return buffer_status(out);
}

/* A file of sealed lines (server/package.c), which holds a lock while it is written. */
static err renew_lines(const struct keys *keys, const char *path, bool *renewed,
                       struct problem *problem)
{
    char fresh[PRIVACY_PATH_BYTES + 320];
    struct stat status;
    struct buffer bytes;
    *renewed = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT
                   ? ERR_NOT_FOUND
                   : problem_set(problem, ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    snprintf(fresh, sizeof fresh, "%s" SEALED_FRESH, path);
    buffer_init(&bytes, PACKAGE_BYTES_MAX);
    err error = flock(fd, LOCK_EX | LOCK_NB) == 0 ? ERR_OK : ERR_BUSY;
    if (error == ERR_OK && fstat(fd, &status) != 0)
        error = ERR_IO;
    if (error == ERR_OK)
        error = read_whole(fd, &bytes);
    if (error == ERR_OK && keys_renew(keys, bytes.data, bytes.size) > 0) {
        error = write_fresh(fresh, &status, buffer_str(&bytes));
        if (error == ERR_OK && renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) != 0 &&
            ((errno != EINVAL && errno != ENOSYS) || rename(fresh, path) != 0))
            error = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
        *renewed = error == ERR_OK;
        (void)unlink(fresh);
    }
    if (error == ERR_IO)
        problem_set(problem, error, "cannot replace '%s': %s", path, strerror(errno));
    close(fd);
    buffer_deinit(&bytes);
    return error;
}

static bool is_of(const char *name, const char *const *endings)
{
    str text = str_from_c(name);
    for (; *endings != NULL; endings++)
        if (str_ends_with(text, str_from_c(*endings)))
            return true;
    return false;
}

typedef err (*renewer)(const struct keys *keys, const char *path, bool *renewed,
                       struct problem *problem);

static err renew_file(struct privacy *privacy, const char *path, renewer renew,
                      struct problem *problem)
{
    bool renewed = false;
    err error = renew(engine_keys(privacy->engine), path, &renewed, problem);
    privacy->renewing.state.busy += error == ERR_BUSY;
    count(privacy, renewed);
    return error == ERR_BUSY || error == ERR_NOT_FOUND ? ERR_OK : error;
}

static err renew_folder(struct privacy *privacy, const char *below, const char *const *endings,
                        renewer renew, struct problem *problem)
{
    char folder[PRIVACY_PATH_BYTES], path[PRIVACY_PATH_BYTES + 300];
    snprintf(folder, sizeof folder, "%.900s/%s", privacy->folder, below);
    DIR *entries = opendir(folder);
    err error = ERR_OK;
    for (struct dirent *entry;
         error == ERR_OK && entries != NULL && (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (str_ends_with(str_from_c(entry->d_name), STR(SEALED_FRESH)))
            (void)unlink(path); /* of one that died */
        else if (is_of(entry->d_name, endings))
            error = renew_file(privacy, path, renew, problem);
    }
    if (entries != NULL)
        closedir(entries);
    return error;
}

err renew_files(struct privacy *privacy, bool *ended, struct problem *problem)
{
    static const char *const exports[] = { ".csv", ".jsonl", NULL };
    static const char *const reports[] = { ".csv", NULL };
    static const char *const uploads[] = { ".part", NULL };
    static const char *const any[] = { "", NULL };
    privacy->renewing.state.busy = 0;
    err error = renew_folder(privacy, "exports", exports, sealed_file_renew, problem);
    if (error == ERR_OK)
        error = renew_folder(privacy, "imports", reports, sealed_file_renew, problem);
    if (error == ERR_OK)
        error = renew_folder(privacy, "imports/uploads", uploads, sealed_file_renew, problem);
    if (error == ERR_OK)
        error = renew_folder(privacy, "packages", any, renew_lines, problem);
    *ended = error == ERR_OK;
    return error;
}
