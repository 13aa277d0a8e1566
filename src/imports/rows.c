/* SPDX-License-Identifier: Apache-2.0 */
/* rows: jobs as the ledger has them, and as the API shows them. */
#include <stdio.h>
#include <string.h>

#include "imports/inside.h"

#define SETTINGS_BYTES_MAX ((size_t)2 << 20)

struct reading {
    struct import_row *row;
    struct json_parser *parser;
    bool found;
    err error;
};

static void copy_text(char *out, size_t size, str text)
{
    snprintf(out, size, "%.*s", (int)str_utf8_prefix_bytes(text, size - 1), text.data);
}

static bool take_job(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    struct import_row *row = reading->row;
    row->number = (uint32_t)values[0].integer;
    buffer_append_str(&row->settings, values[2].bytes);
    row->user_number = (uint32_t)values[3].integer;
    row->created_ms = values[4].integer;
    return true;
}

static bool take_state(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    struct import_row *row = reading->row;
    json_value counts;
    copy_text(row->status, sizeof row->status, values[1].bytes);
    copy_text(row->reason, sizeof row->reason, values[2].bytes);
    row->position = (uint64_t)values[3].integer;
    row->report_bytes = (uint64_t)values[4].integer;
    row->undo_place = (uint64_t)values[5].integer;
    row->cut_seq = (uint64_t)values[6].integer;
    row->first_seq = (uint64_t)values[7].integer;
    row->last_seq = (uint64_t)values[8].integer;
    row->changed_ms = values[9].integer;
    reading->error = json_parse(reading->parser, values[10].bytes, &counts, NULL);
    if (reading->error != ERR_OK)
        return false;
    row->cancelled = json_bool(json_get(counts, STR("cancelled")), false);
#define X(member) row->member = (uint64_t)json_int(json_get(counts, STR(#member)), 0);
    X(rows)
    X(events)
    X(refused)
    X(duplicates)
    X(replaced)
    X(bytes)
    X(applied)
    X(quarantined)
    X(customers)
    X(merges)
#undef X
    reading->found = true;
    return true;
}

err import_row_read(struct imports *imports, uint32_t number, struct import_row *row,
                    struct problem *problem)
{
    struct reading reading = { .row = row };
    struct ledger *ledger = engine_ledger(imports->engine);
    struct ledger_value key = ledger_int(number);
    *row = (struct import_row){ .number = number };
    buffer_init(&row->settings, SETTINGS_BYTES_MAX);
    err error = json_parser_new(&reading.parser, 64 << 10);
    if (error == ERR_OK)
        error = ledger_find(ledger, LEDGER_IMPORTS, &key, 1, take_job, &reading, problem);
    if (error == ERR_OK)
        error = ledger_find(ledger, LEDGER_IMPORT_STATES, &key, 1, take_state, &reading, problem);
    json_parser_free(&reading.parser);
    if (error == ERR_OK)
        error = reading.error != ERR_OK ? reading.error : buffer_status(&row->settings);
    if (error == ERR_OK && !reading.found)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no import %u", number);
    if (error != ERR_OK)
        import_row_deinit(row);
    return error;
}

void import_row_deinit(struct import_row *row)
{
    buffer_deinit(&row->settings);
}

/* ---- what is to be done ---- */

struct choosing {
    const struct imports *imports;
    uint32_t number;
};

static bool is_taken(const struct imports *imports, uint32_t number)
{
    for (unsigned i = 0; i < imports->thread_count; i++) {
        if (imports->running[i].number == number)
            return true;
    }
    return false;
}

/* What is being undone comes first: until it is, its like cannot be imported again. */
static bool choose(void *context, const struct ledger_value *values)
{
    struct choosing *choosing = context;
    uint32_t number = (uint32_t)values[0].integer;
    str status = values[1].bytes;
    bool undoing = str_equal(status, STR("undoing"));
    if ((!undoing && !str_equal(status, STR("waiting")) && !str_equal(status, STR("running"))) ||
        is_taken(choosing->imports, number))
        return true;
    if (choosing->number == 0 || undoing)
        choosing->number = number;
    return !undoing;
}

uint32_t imports_next_job(struct imports *imports)
{
    struct choosing choosing = { .imports = imports };
    struct problem problem;
    if (ledger_scan(engine_ledger(imports->engine), LEDGER_IMPORT_STATES, NULL, choose, &choosing,
                    &problem) != ERR_OK)
        return 0;
    return choosing.number;
}

/* ---- commands ---- */

static err told_problem(int status, str answer, struct problem *problem)
{
    struct json_parser *parser = NULL;
    json_value json;
    err error = status == 404   ? ERR_NOT_FOUND
                : status == 409 ? ERR_CONFLICT
                : status == 503 ? ERR_UNAVAILABLE
                : status == 507 ? ERR_STORAGE_FULL
                                : ERR_UNPROCESSABLE;
    if (json_parser_new(&parser, 64 << 10) == ERR_OK &&
        json_parse(parser, answer, &json, NULL) == ERR_OK)
        problem_set(problem, error, STR_FMT, STR_ARG(json_text(json_get(json, STR("detail")))));
    json_parser_free(&parser);
    return error;
}

err imports_command(struct imports *imports, const char *operation, str body, struct buffer *out,
                    struct problem *problem)
{
    struct engine_command command = { .operation = str_from_c(operation), .body = body };
    struct buffer answer;
    int status = 0;
    err error;
    buffer_init(&answer, (size_t)1 << 20);
    while ((error = engine_command(imports->engine, &command, &status, &answer, problem)) ==
               ERR_BUSY ||
           error == ERR_STORAGE_FULL) {
        steady_sleep_ms(error == ERR_BUSY ? 10 : 500);
        pthread_mutex_lock(&imports->mutex);
        bool stopping = imports->stopping;
        pthread_mutex_unlock(&imports->mutex);
        if (stopping)
            break;
    }
    if (error == ERR_OK && status >= 400)
        error = told_problem(status, buffer_str(&answer), problem);
    if (error == ERR_OK && out != NULL)
        buffer_append_str(out, buffer_str(&answer));
    buffer_deinit(&answer);
    atomic_fetch_add(&imports->changes, 1);
    return error;
}

err imports_set_state(struct imports *imports, uint32_t number, const char *status, str reason,
                      struct problem *problem)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, 4096);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_int(&writer, STR("number"), number);
    json_member_text(&writer, STR("status"), str_from_c(status));
    json_member_text(&writer, STR("reason"), reason);
    json_end_object(&writer);
    err error = imports_command(imports, "import.state", buffer_str(&body), NULL, problem);
    buffer_deinit(&body);
    return error;
}

/* ---- for people ---- */

static void write_progress(struct imports *imports, const struct import_row *row,
                           struct json_writer *writer)
{
    struct running shown = { .number = 0 };
    pthread_mutex_lock(&imports->mutex);
    for (unsigned i = 0; i < imports->thread_count; i++) {
        if (imports->running[i].number == row->number)
            shown = imports->running[i];
    }
    pthread_mutex_unlock(&imports->mutex);
    uint64_t rows = shown.number != 0 && shown.rows > row->rows ? shown.rows : row->rows;
    uint64_t bytes = shown.number != 0 && shown.bytes > row->bytes ? shown.bytes : row->bytes;
    int64_t ms = steady_now().ns / 1000000 - shown.began_ms;
    json_put_key(writer, STR("progress"));
    json_begin_object(writer);
    json_member_text(writer, STR("stage"),
                     shown.stage != NULL ? str_from_c(shown.stage) : str_from_c(row->status));
    json_member_int(writer, STR("rows"), (int64_t)rows);
    json_member_int(writer, STR("bytes"), (int64_t)bytes);
    json_member_int(writer, STR("bytes_total"), (int64_t)shown.bytes_total);
    bool moves = shown.number != 0 && ms > 0 && bytes > shown.began_bytes;
    json_member_int(writer, STR("rows_per_second"),
                    moves ? (int64_t)(rows - shown.began_rows) * 1000 / ms : 0);
    if (moves && shown.bytes_total >= bytes)
        json_member_int(writer, STR("seconds_left"),
                        (int64_t)((double)(shown.bytes_total - bytes) * (double)ms / 1000 /
                                  (double)(bytes - shown.began_bytes)));
    else
        json_member_raw(writer, STR("seconds_left"), STR("null"));
    json_end_object(writer);
}

static void copy_setting(json_value settings, const char *name, struct json_writer *writer)
{
    struct buffer text;
    json_value value = json_get(settings, str_from_c(name));
    buffer_init(&text, SETTINGS_BYTES_MAX);
    if (json_kind(value) == JSON_MISSING)
        buffer_append_str(&text, STR("null"));
    else
        json_write_value(&text, value);
    json_member_raw(writer, str_from_c(name), buffer_str(&text));
    buffer_deinit(&text);
}

static void write_counts(const struct import_row *row, bool is_whole, struct json_writer *writer)
{
    json_put_key(writer, STR("counts"));
    json_begin_object(writer);
#define X(member) json_member_int(writer, STR(#member), (int64_t)row->member);
    X(rows)
    X(events)
    X(refused)
    X(duplicates)
    X(replaced)
#undef X
    /* How many were new, merged, kept out: by what others have told. */
#define X(member) json_member_int(writer, STR(#member), is_whole ? (int64_t)row->member : 0);
    X(applied)
    X(quarantined)
    X(customers)
    X(merges)
#undef X
    if (!is_whole)
        json_member_bool(writer, STR("withheld"), true);
    json_end_object(writer);
}

static void write_job(struct imports *imports, const struct import_row *row, bool is_whole,
                      json_value settings, struct json_writer *writer)
{
    static const char *const told[] = { "name",     "file",        "source",
                                        "data_set", "mapping_key", "mapping_version",
                                        "sha256",   "size_bytes",  "told_until",
                                        "form",     "mapping",     "team" };
    json_begin_object(writer);
    json_member_int(writer, STR("id"), row->number);
    json_member_text(writer, STR("kind"), STR("import"));
    json_member_text(writer, STR("status"), str_from_c(row->status));
    json_member_text(writer, STR("reason"), str_from_c(row->reason));
    json_member_int(writer, STR("source_number"), EVENT_SOURCE_IMPORT_FIRST + row->number);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        copy_setting(settings, told[i], writer);
    json_member_time(writer, STR("created_at"), row->created_ms);
    json_member_time(writer, STR("changed_at"), row->changed_ms);
    write_counts(row, is_whole, writer);
    write_progress(imports, row, writer);
    json_end_object(writer);
}

struct parsed_row {
    struct import_row row;
    struct json_parser *parser;
    json_value settings;
};

static void parsed_close(struct parsed_row *parsed)
{
    json_parser_free(&parsed->parser);
    import_row_deinit(&parsed->row);
}

/* Close it when that succeeded. */
static err parsed_read(struct parsed_row *parsed, struct imports *imports, uint32_t number,
                       struct problem *problem)
{
    parsed->parser = NULL;
    err error = import_row_read(imports, number, &parsed->row, problem);
    if (error != ERR_OK)
        return error;
    error = json_parser_new(&parsed->parser, SETTINGS_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parsed->parser, buffer_str(&parsed->row.settings), &parsed->settings,
                           problem);
    if (error != ERR_OK)
        parsed_close(parsed);
    return error;
}

static str team_of(const struct parsed_row *parsed)
{
    return json_text(json_get(parsed->settings, STR("team")));
}

err imports_write(struct imports *imports, uint32_t number, bool is_whole, struct buffer *out,
                  struct problem *problem)
{
    struct json_writer writer;
    struct parsed_row parsed;
    err error = parsed_read(&parsed, imports, number, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, out);
    write_job(imports, &parsed.row, is_whole, parsed.settings, &writer);
    parsed_close(&parsed);
    return ERR_OK;
}

err imports_job_team(struct imports *imports, uint32_t number, char team[TEAM_KEY_BYTES_MAX + 1],
                     struct problem *problem)
{
    struct parsed_row parsed;
    err error = parsed_read(&parsed, imports, number, problem);
    if (error != ERR_OK)
        return error;
    copy_text(team, TEAM_KEY_BYTES_MAX + 1, team_of(&parsed));
    parsed_close(&parsed);
    return ERR_OK;
}

struct paging {
    uint32_t numbers[500];
    size_t count;
};

static bool take_number(void *context, const struct ledger_value *values)
{
    struct paging *paging = context;
    paging->numbers[paging->count++] = (uint32_t)values[0].integer;
    return paging->count < sizeof paging->numbers / sizeof paging->numbers[0];
}

/* Is it one that the list shows? Then it is written. */
static err list_one(struct imports *imports, const struct imports_list *list, uint32_t number,
                    struct json_writer *writer, size_t *shown, struct problem *problem)
{
    struct parsed_row parsed;
    err error = parsed_read(&parsed, imports, number, problem);
    if (error != ERR_OK)
        return error;
    if (list->shows == NULL || list->shows(list->context, team_of(&parsed))) {
        write_job(imports, &parsed.row, list->shows == NULL, parsed.settings, writer);
        (*shown)++;
    }
    parsed_close(&parsed);
    return ERR_OK;
}

err imports_write_list(struct imports *imports, struct imports_list *list,
                       struct json_writer *writer, struct problem *problem)
{
    struct paging paging;
    size_t shown = 0, wanted = list->limit < 500 ? list->limit : 500;
    err error = ERR_OK;
    do { /* until the page is full: jobs of others are gone over */
        struct ledger_value key = ledger_int(list->before);
        paging.count = 0;
        error = ledger_page(engine_ledger(imports->engine), LEDGER_IMPORTS,
                            list->before != 0 ? &key : NULL, true, wanted, take_number, &paging,
                            problem);
        for (size_t i = 0; i < paging.count && error == ERR_OK && shown < wanted; i++) {
            error = list_one(imports, list, paging.numbers[i], writer, &shown, problem);
            list->before = paging.numbers[i];
        }
    } while (error == ERR_OK && shown < wanted && paging.count == wanted);
    if (shown < wanted)
        list->before = 0;
    return error;
}

uint64_t imports_changes(struct imports *imports)
{
    return atomic_load(&imports->changes);
}
