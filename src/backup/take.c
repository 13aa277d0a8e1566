/* SPDX-License-Identifier: Apache-2.0 */
/* take: a point of a running engine. First everything is fixed at one moment, then it is copied in peace. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/inside.h"
#include "base/arena.h"
#include "base/clock.h"

#define HOLD_MS_MAX (2 * MINUTE_MS)
#define SHADOW "kith_backup"
#define DEPTH_MAX 16
#define FILES_BYTES_MAX ((size_t)256 << 20)
/* Blocks of the log in one piece. */
#define SPAN_BYTES ((size_t)4 << 20)

struct take {
    struct taking *taking;
    struct point point;
    struct point before; /* the newest there is; number 0: none */
    struct buffer list;  /* "files" */
    struct json_writer writer;
    struct buffer bytes;
    char shadow[PATH_MAX];
    bool held, frozen;
    steady_ns worked_since; /* the last rest */
    struct problem *problem;
};

static err give_up_if_asked(struct take *take)
{
    return atomic_load(take->taking->cancel)
               ? problem_set(take->problem, ERR_UNAVAILABLE, "the backup was given up: Kith stops")
               : ERR_OK;
}

static void enter(struct take *take, enum backup_phase phase)
{
    atomic_store(&take->taking->phase, (int)phase);
}

/* While events wait to be applied, a point takes half of its time at most: they share processors and disk. */
#define REST_LAG_RECORDS 2000
#define REST_MS_MAX 50

static void rest(struct take *take)
{
    struct engine_status status;
    int64_t took_ms = steady_since_ms(take->worked_since);
    if (took_ms == 0)
        return;
    engine_status(take->taking->engine, &status);
    if (status.lag_records > REST_LAG_RECORDS && !atomic_load(take->taking->cancel))
        steady_sleep_ms(took_ms < REST_MS_MAX ? took_ms : REST_MS_MAX);
    take->worked_since = steady_now();
}

/* ---- files ---- */

static err put_pieces(struct take *take, int file, const char *path, uint64_t *size)
{
    err error = ERR_OK;
    *size = 0;
    while (error == ERR_OK && (error = give_up_if_asked(take)) == ERR_OK) {
        char name[PIECE_NAME_BYTES];
        size_t filled = 0;
        ssize_t count = 0;
        buffer_clear(&take->bytes);
        char *at = buffer_reserve(&take->bytes, PIECE_BYTES);
        if (at == NULL)
            return problem_set(take->problem, ERR_NOMEM, "no memory for a backup");
        while (filled < PIECE_BYTES && (count = read(file, at + filled, PIECE_BYTES - filled)) > 0)
            filled += (size_t)count;
        if (count < 0)
            return problem_set(take->problem, ERR_IO, "cannot read '%s': %s", path,
                               strerror(errno));
        if (filled == 0)
            break;
        error = pieces_put(&take->taking->pieces, str_from_bytes(at, filled), name, take->problem);
        json_put_text(&take->writer, str_from_c(name));
        *size += filled;
        rest(take);
    }
    return error;
}

/* `to`: its path in the data folder. */
static err put_file(struct take *take, const char *from, const char *to)
{
    uint64_t size;
    int file = open(from, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return ERR_OK; /* it was removed meanwhile: an upload that is done */
    if (file < 0)
        return problem_set(take->problem, ERR_IO, "cannot open '%s': %s", from, strerror(errno));
    json_begin_object(&take->writer);
    json_member_text(&take->writer, STR("path"), str_from_c(to));
    json_put_key(&take->writer, STR("pieces"));
    json_begin_array(&take->writer);
    err error = put_pieces(take, file, from, &size);
    json_end_array(&take->writer);
    json_member_int(&take->writer, STR("bytes"), (int64_t)size);
    json_end_object(&take->writer);
    close(file);
    take->point.files++;
    take->point.bytes += size;
    return error;
}

static err put_link(struct take *take, const char *from, const char *to)
{
    char target[PATH_MAX];
    ssize_t size = readlink(from, target, sizeof target);
    if (size <= 0 || (size_t)size == sizeof target)
        return problem_set(take->problem, ERR_IO, "cannot read the link '%s'", from);
    json_begin_object(&take->writer);
    json_member_text(&take->writer, STR("path"), str_from_c(to));
    json_member_text(&take->writer, STR("link"), str_from_bytes(target, (size_t)size));
    json_end_object(&take->writer);
    return ERR_OK;
}

/* Is this entry, by its path in the data folder, left out? */
typedef bool (*outside)(const char *to, bool is_folder);

static err put_folder(struct take *take, const char *from, const char *to, outside left_out,
                      unsigned depth);

static err put_entry(struct take *take, const char *from, const char *to, outside left_out,
                     unsigned depth)
{
    struct stat info;
    if (lstat(from, &info) != 0)
        return ERR_OK; /* gone meanwhile */
    if (left_out(to, S_ISDIR(info.st_mode)))
        return ERR_OK;
    if (S_ISDIR(info.st_mode))
        return put_folder(take, from, to, left_out, depth + 1);
    if (S_ISLNK(info.st_mode))
        return put_link(take, from, to);
    return S_ISREG(info.st_mode) ? put_file(take, from, to) : ERR_OK;
}

static err put_folder(struct take *take, const char *from, const char *to, outside left_out,
                      unsigned depth)
{
    char inside_from[PATH_MAX], inside_to[PATH_MAX];
    DIR *folder = depth <= DEPTH_MAX ? opendir(from) : NULL;
    if (folder == NULL)
        return problem_set(take->problem, ERR_IO, "cannot read folder '%s': %s", from,
                           strerror(errno));
    err error = ERR_OK;
    for (struct dirent *entry; error == ERR_OK && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int one = snprintf(inside_from, sizeof inside_from, "%s/%s", from, entry->d_name);
        int other = snprintf(inside_to, sizeof inside_to, "%s%s%s", to, to[0] != '\0' ? "/" : "",
                             entry->d_name);
        if (one >= (int)sizeof inside_from || other >= (int)sizeof inside_to)
            error = problem_set(take->problem, ERR_UNSUPPORTED, "the path '%s/%s' is too long",
                                from, entry->d_name);
        else
            error = put_entry(take, inside_from, inside_to, left_out, depth);
    }
    closedir(folder);
    return error;
}

/* ---- which ---- */

/* Log and ledger have ways of their own, the warehouse too; locks and sockets say nothing. */
static bool out_of_data(const char *to, bool is_folder)
{
    static const char *const PREFIXES[] = { "log.db",    "ledger.db", "lock",
                                            "warehouse", "keys.tmp",  "keys.old" };
    (void)is_folder;
    if (strchr(to, '/') != NULL)
        return false;
    for (size_t i = 0; i < sizeof PREFIXES / sizeof PREFIXES[0]; i++)
        if (strncmp(to, PREFIXES[i], strlen(PREFIXES[i])) == 0)
            return true;
    return false;
}

static unsigned depth_of(const char *path)
{
    unsigned depth = 0;
    for (; *path != '\0'; path++)
        depth += *path == '/';
    return depth;
}

/* Definitions and links; parts (folders below warehouse/chdb/store/abc/UUID) come from the frozen ones. */
static bool out_of_store(const char *to, bool is_folder)
{
    static const char *const NAMES[] = { "warehouse/chdb/tmp", "warehouse/chdb/shadow",
                                         "warehouse/chdb/status" };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(to, NAMES[i]) == 0)
            return true;
    return is_folder && strncmp(to, "warehouse/chdb/store/", 21) == 0 && depth_of(to) > 4;
}

static bool out_of_nothing(const char *to, bool is_folder)
{
    (void)to;
    (void)is_folder;
    return false;
}

/* ---- the moment ---- */

/* From here on others may write: what this point says of the ledger is no less than what is in its copy. */
static void ledger_is_fixed(void *context)
{
    struct take *take = context;
    take->point.applied_seq = ledger_applied_seq(engine_ledger(take->taking->engine));
    engine_release_flush(take->taking->engine);
    take->held = false;
    enter(take, PHASE_LEDGER);
}

static err fix_moment(struct take *take, const char *ledger)
{
    struct engine *engine = take->taking->engine;
    struct warehouse *warehouse = engine_warehouse(engine);
    struct engine_status status;
    enter(take, PHASE_HOLDING);
    err error = engine_hold_flush(engine, HOLD_MS_MAX);
    if (error != ERR_OK)
        return problem_set(take->problem, error,
                           "the warehouse takes no rows: a backup needs it at rest for a moment");
    take->held = true;
    warehouse_thaw(warehouse, SHADOW); /* of one that a crash has ended */
    engine_status(engine, &status);
    take->point.log_floor_seq = status.flushed_seq + 1;
    error = warehouse_freeze(warehouse, SHADOW, take->shadow, sizeof take->shadow, take->problem);
    take->frozen = error == ERR_OK;
    return error == ERR_OK
               ? ledger_copy(engine_ledger(engine), ledger, ledger_is_fixed, take, take->problem)
               : error;
}

/* ---- log ---- */

static err end_span(struct take *take, struct log_span *span)
{
    if (take->bytes.size == 0)
        return ERR_OK;
    err error = buffer_status(&take->bytes);
    if (error == ERR_OK)
        error =
            pieces_put(&take->taking->pieces, buffer_str(&take->bytes), span->piece, take->problem);
    if (error == ERR_OK)
        error = point_add_span(&take->point, span);
    take->point.bytes += take->bytes.size;
    buffer_clear(&take->bytes);
    return error;
}

/* A block in a span: size (u32), then the block as docs/formats/log-block.md has it. */
static err add_block(struct buffer *span, const struct log_block *block)
{
    size_t at = span->size;
    const uint8_t none[4] = { 0 };
    buffer_append(span, none, sizeof none);
    err error =
        log_block_encode(span, block->first_seq, block->count, block->received_ms, block->records);
    if (error != ERR_OK)
        return error;
    uint32_t size = (uint32_t)(span->size - at - sizeof none);
    for (unsigned i = 0; i < 4; i++)
        span->data[at + i] = (char)(uint8_t)(size >> 8 * i);
    return ERR_OK;
}

static err put_blocks(struct take *take, uint64_t from, uint64_t last)
{
    struct log *log = engine_log(take->taking->engine);
    struct log_span span = { .first_seq = 0 };
    err error = ERR_OK;
    buffer_clear(&take->bytes);
    for (uint64_t seq = from; error == ERR_OK && seq <= last;) {
        struct log_block *block = NULL;
        error = log_read(log, seq, &block, take->problem);
        if (error != ERR_OK)
            return error;
        if (take->bytes.size == 0)
            span.first_seq = block->first_seq;
        error = add_block(&take->bytes, block);
        span.last_seq = block->first_seq + block->count - 1;
        span.last_ms = block->received_ms;
        if (take->point.applied_seq >= block->first_seq && take->point.applied_seq <= span.last_seq)
            take->point.at_ms = block->received_ms;
        log_block_release(&block);
        seq = span.last_seq + 1;
        if (error == ERR_OK && take->bytes.size >= SPAN_BYTES)
            error = end_span(take, &span);
        if (error == ERR_OK)
            error = give_up_if_asked(take);
    }
    take->point.log_last_seq = span.last_seq > last ? span.last_seq : last;
    return error == ERR_OK ? end_span(take, &span) : error;
}

/* What the point before has kept of what this one needs. */
static err carry_over(struct take *take)
{
    err error = ERR_OK;
    for (size_t i = 0; i < take->before.span_count && error == ERR_OK; i++)
        if (take->before.spans[i].last_seq >= take->point.log_floor_seq)
            error = point_add_span(&take->point, &take->before.spans[i]);
    return error;
}

/* When the last applied record is in no block that is kept (it is flushed, and before what is new), the one that the
 * log has says it; else the point before. */
static void find_moment(struct take *take)
{
    struct log_block *block = NULL;
    struct problem ignored;
    if (take->point.at_ms != 0)
        return;
    take->point.at_ms = take->point.taken_ms;
    if (log_read(engine_log(take->taking->engine), take->point.applied_seq, &block, &ignored) !=
        ERR_OK)
        return;
    take->point.at_ms = block->received_ms;
    log_block_release(&block);
}

static err put_log(struct take *take)
{
    struct log *log = engine_log(take->taking->engine);
    uint64_t from = take->point.log_floor_seq, first = log_first_seq(log);
    enter(take, PHASE_LOG);
    err error = ERR_OK;
    if (take->before.number != 0 && take->before.log_last_seq + 1 >= first) {
        from = take->before.log_last_seq + 1;
        error = carry_over(take);
    } else if (first < from) {
        from = first;
    }
    if (error == ERR_OK)
        error = put_blocks(take, from, log_last_seq(log));
    find_moment(take);
    return error;
}

/* ---- all ---- */

static err open_before(struct take *take)
{
    uint32_t numbers[POINTS_MAX];
    size_t count;
    err error = points_find(take->taking->folder, numbers, POINTS_MAX, &count, take->problem);
    if (error == ERR_OK && count > 0)
        error = point_read(take->taking->folder, numbers[count - 1], &take->before, take->problem);
    take->point.number = take->before.number + 1;
    return error;
}

static err put_all(struct take *take, const char *ledger)
{
    struct taking *taking = take->taking;
    char store[PATH_MAX], warehouse[PATH_MAX];
    snprintf(warehouse, sizeof warehouse, "%s/warehouse", taking->data_folder);
    warehouse_store_path(warehouse, store, sizeof store);
    err error = put_file(take, ledger, "ledger.db");
    unlink(ledger);
    if (error == ERR_OK)
        error = put_log(take);
    enter(take, PHASE_FILES);
    if (error == ERR_OK)
        error = put_folder(take, taking->data_folder, "", out_of_data, 0);
    enter(take, PHASE_WAREHOUSE);
    if (error == ERR_OK)
        error = put_folder(take, store, "warehouse/chdb", out_of_store, 0);
    if (error == ERR_OK && access(take->shadow, F_OK) == 0)
        error = put_folder(take, take->shadow, "warehouse/chdb", out_of_nothing, 0);
    return error;
}

static err finish(struct take *take, struct backup_report *report)
{
    struct taking *taking = take->taking;
    enter(take, PHASE_FINISHING);
    json_end_array(&take->writer);
    take->point.new_bytes = atomic_load(&taking->counts.bytes_written);
    snprintf(take->point.version, sizeof take->point.version, "%s", taking->version);
    err error = pieces_sync(&taking->pieces, take->problem);
    if (error == ERR_OK)
        error = buffer_status(&take->list);
    if (error == ERR_OK)
        error = point_write(taking->folder, &take->point, buffer_str(&take->list), take->problem);
    *report = (struct backup_report){ .point = take->point.number,
                                      .applied_seq = take->point.applied_seq,
                                      .log_last_seq = take->point.log_last_seq,
                                      .at_ms = take->point.at_ms,
                                      .files = take->point.files,
                                      .bytes = take->point.bytes,
                                      .new_bytes = take->point.new_bytes };
    return error;
}

err take_point(struct taking *taking, struct backup_report *report, struct problem *problem)
{
    char ledger[PATH_MAX];
    struct wall_clock clock;
    wall_clock_init_real(&clock);
    struct take *take = memory_alloc(sizeof *take);
    if (take == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a backup");
    take->taking = taking;
    take->problem = problem;
    take->worked_since = steady_now();
    take->point.taken_ms = wall_clock_now_ms(&clock);
    buffer_init(&take->list, FILES_BYTES_MAX);
    buffer_init(&take->bytes, 4 * LOG_BLOCK_BYTES_LIMIT);
    json_writer_init(&take->writer, &take->list);
    json_begin_array(&take->writer);
    snprintf(ledger, sizeof ledger, "%s/ledger.new", taking->folder);
    err error = pieces_open(&taking->pieces, taking->folder, true, problem);
    if (error == ERR_OK) {
        taking->pieces.counts = &taking->counts;
        unlink(ledger); /* of one that a crash has ended */
        error = open_before(take);
        if (error == ERR_OK)
            error = fix_moment(take, ledger);
        if (take->held)
            engine_release_flush(taking->engine);
        if (error == ERR_OK)
            error = put_all(take, ledger);
        if (take->frozen)
            warehouse_thaw(engine_warehouse(taking->engine), SHADOW);
        if (error == ERR_OK)
            error = finish(take, report);
        unlink(ledger);
        pieces_close(&taking->pieces);
    }
    point_deinit(&take->before);
    point_deinit(&take->point);
    buffer_deinit(&take->list);
    buffer_deinit(&take->bytes);
    memory_free(take);
    return error;
}
