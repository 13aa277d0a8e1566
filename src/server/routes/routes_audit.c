/* SPDX-License-Identifier: Apache-2.0 */
/* The audit: searched, taken out as a file, verified. */
#include "access/audit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/answer.h"
#include "server/export_rows.h"

#define LOOK_MAX 100000 /* rows per request, when a filter finds few */
#define EXPORT_LINES_MAX 1000000
#define CHUNK_BYTES ((size_t)1 << 20)

enum audit_column { SEQ, AT_MS, USER_NUMBER, ACTION, OBJECT, DETAIL, CHAIN, ADDRESS };

struct filter {
    struct request *request;
    str user, action, object, text;
    int64_t from_ms, until_ms;
    uint32_t user_number; /* 0: the system, or anybody when `user` is empty */
};

static err read_time(struct request *request, str name, int64_t otherwise_ms, int64_t *out_ms,
                     struct problem *problem)
{
    str text = request_query(request, name);
    *out_ms = otherwise_ms;
    if (text.size == 0 || time_parse(text, 0, out_ms))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, STR_FMT " is not a time, such as 2026-06-18T00:00:00Z",
                       STR_ARG(name));
}

/* `nobody` when the user that is asked for is not known: no line then. */
static err read_filter(struct request *request, struct filter *filter, bool *nobody,
                       struct problem *problem)
{
    *filter = (struct filter){ .request = request,
                               .user = request_query(request, STR("user")),
                               .action = request_query(request, STR("action")),
                               .object = request_query(request, STR("object")),
                               .text = request_query(request, STR("text")) };
    const struct user *user = access_user_by_login(request->actor.set, filter->user);
    *nobody = filter->user.size > 0 && user == NULL && !str_equal(filter->user, STR("system"));
    filter->user_number = user != NULL ? user->number : 0;
    err error = read_time(request, STR("from"), INT64_MIN, &filter->from_ms, problem);
    if (error == ERR_OK)
        error = read_time(request, STR("until"), INT64_MAX, &filter->until_ms, problem);
    return error;
}

/* "user." is all that begins so. */
static bool action_fits(str wanted, str action)
{
    return wanted.size == 0 || str_equal(wanted, action) ||
           (str_ends_with(wanted, STR(".")) && str_starts_with(action, wanted));
}

static bool fits(const struct filter *filter, const struct ledger_value *row)
{
    if (row[AT_MS].integer >= filter->until_ms)
        return false;
    if (filter->user.size > 0 && row[USER_NUMBER].integer != filter->user_number)
        return false;
    if (!action_fits(filter->action, row[ACTION].bytes))
        return false;
    if (filter->object.size > 0 && !str_equal(filter->object, row[OBJECT].bytes))
        return false;
    return filter->text.size == 0 || str_contains(row[DETAIL].bytes, filter->text) ||
           str_contains(row[OBJECT].bytes, filter->text) ||
           str_contains(row[ACTION].bytes, filter->text);
}

struct found_line {
    int64_t seq, at_ms;
    bool is_there;
};

static bool take_line(void *context, const struct ledger_value *row)
{
    *(struct found_line *)context = (struct found_line){ .seq = row[SEQ].integer,
                                                         .at_ms = row[AT_MS].integer,
                                                         .is_there = true };
    return false;
}

static err last_line_before(struct ledger *ledger, int64_t seq, struct found_line *line,
                            struct problem *problem)
{
    struct ledger_value key = ledger_int(seq);
    *line = (struct found_line){ .is_there = false };
    return ledger_page(ledger, LEDGER_AUDIT, &key, true, 1, take_line, line, problem);
}

/* Times never decrease along the lines, so where a window in the past ends is found by halves: *beyond, which all of it is before.
 * Cost: a page of one line for each bit of the number of lines. */
static err find_end(struct ledger *ledger, int64_t until_ms, int64_t *beyond,
                    struct problem *problem)
{
    struct found_line line;
    int64_t low = 0; /* below it all is before the end; from *beyond on nothing is */
    err error = last_line_before(ledger, *beyond, &line, problem);
    if (error != ERR_OK || !line.is_there || line.at_ms < until_ms)
        return error;
    *beyond = line.seq;
    while (error == ERR_OK && low < *beyond) {
        int64_t middle = low + (*beyond - low) / 2;
        error = last_line_before(ledger, middle + 1, &line, problem);
        if (!line.is_there || line.at_ms < until_ms)
            low = middle + 1;
        else
            *beyond = line.seq;
    }
    return error;
}

/* Newest first, by whichever index narrows most. */
static err visit(const struct filter *filter, const struct ledger_value *page_beyond, size_t limit,
                 ledger_visitor visitor, void *context, struct problem *problem)
{
    struct ledger *ledger = server_ledger(filter->request->server);
    struct ledger_value end = ledger_int(INT64_MAX);
    const struct ledger_value *beyond = page_beyond;
    if (page_beyond == NULL && filter->until_ms != INT64_MAX) {
        err error = find_end(ledger, filter->until_ms, &end.integer, problem);
        if (error != ERR_OK)
            return error;
        beyond = &end;
    }
    if (filter->object.size > 0)
        return ledger_find_by(ledger, LEDGER_AUDIT, "object", ledger_text(filter->object), beyond,
                              true, limit, visitor, context, problem);
    if (filter->user.size > 0)
        return ledger_find_by(ledger, LEDGER_AUDIT, "user_number", ledger_int(filter->user_number),
                              beyond, true, limit, visitor, context, problem);
    if (filter->action.size > 0 && !str_ends_with(filter->action, STR(".")))
        return ledger_find_by(ledger, LEDGER_AUDIT, "action", ledger_text(filter->action), beyond,
                              true, limit, visitor, context, problem);
    return ledger_page(ledger, LEDGER_AUDIT, beyond, true, limit, visitor, context, problem);
}

static void write_line(struct request *request, struct json_writer *writer,
                       const struct ledger_value *row)
{
    json_begin_object(writer);
    json_member_int(writer, STR("seq"), row[SEQ].integer);
    json_member_time(writer, STR("at"), row[AT_MS].integer);
    json_member_text(writer, STR("user"),
                     answer_login(request, (uint32_t)row[USER_NUMBER].integer));
    json_member_text(writer, STR("address"), row[ADDRESS].bytes);
    json_member_text(writer, STR("action"), row[ACTION].bytes);
    json_member_text(writer, STR("object"), row[OBJECT].bytes);
    json_member_text(writer, STR("detail"), row[DETAIL].bytes);
    json_end_object(writer);
}

/* ---- a page ---- */

struct audit_page {
    const struct filter *filter;
    struct json_writer writer;
    size_t limit, written, looked_at;
    int64_t last_seq;
    bool more;
};

static bool visit_line(void *context, const struct ledger_value *row)
{
    struct audit_page *page = context;
    if (row[AT_MS].integer < page->filter->from_ms)
        return false; /* times never decrease */
    if (page->written == page->limit || ++page->looked_at > LOOK_MAX) {
        page->more = true;
        return false;
    }
    page->last_seq = row[SEQ].integer;
    if (!fits(page->filter, row))
        return true;
    write_line(page->filter->request, &page->writer, row);
    page->written++;
    return true;
}

err route_audit_list(struct request *request, struct problem *problem)
{
    struct filter filter;
    struct audit_page page = { .filter = &filter };
    int64_t beyond = 0;
    bool present, nobody = false;
    err error = answer_limit(request, &page.limit, problem);
    if (error == ERR_OK)
        error = read_filter(request, &filter, &nobody, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'a', &beyond, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    struct ledger_value key = ledger_int(beyond);
    answer_list_begin(request, &page.writer);
    if (!nobody)
        error = visit(&filter, present ? &key : NULL, LOOK_MAX + 2, visit_line, &page, problem);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &page.writer,
                    page.more ? cursor_encode(request, 'a', &page.last_seq, 1) : STR_NONE);
    json_end_object(&page.writer);
    return ERR_OK;
}

/* ---- as a file ---- */

struct audit_file {
    const struct filter *filter;
    int fd;
    bool csv, failed;
    uint64_t lines, bytes;
    struct buffer chunk;
};

static void flush(struct audit_file *file)
{
    str left = buffer_str(&file->chunk);
    while (left.size > 0 && !file->failed) {
        ssize_t written = write(file->fd, left.data, left.size);
        if (written <= 0)
            file->failed = true;
        else
            left = str_slice(left, (size_t)written, left.size);
    }
    file->failed = file->failed || buffer_status(&file->chunk) != ERR_OK;
    file->bytes += file->chunk.size;
    buffer_clear(&file->chunk);
}

static void put_csv_line(struct audit_file *file, const struct ledger_value *row)
{
    char at[TIME_TEXT_BYTES];
    str cells[] = { answer_login(file->filter->request, (uint32_t)row[USER_NUMBER].integer),
                    row[ADDRESS].bytes, row[ACTION].bytes, row[OBJECT].bytes, row[DETAIL].bytes };
    time_format_utc(row[AT_MS].integer, at);
    buffer_printf(&file->chunk, "%lld,%s", (long long)row[SEQ].integer, at);
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        buffer_append_byte(&file->chunk, ',');
        export_put_csv_text(&file->chunk, cells[i]);
    }
    buffer_append_str(&file->chunk, STR("\r\n"));
}

static bool visit_for_file(void *context, const struct ledger_value *row)
{
    struct audit_file *file = context;
    struct json_writer writer;
    if (row[AT_MS].integer < file->filter->from_ms || file->failed)
        return false;
    if (!fits(file->filter, row))
        return true;
    if (file->csv) {
        put_csv_line(file, row);
    } else {
        json_writer_init(&writer, &file->chunk);
        write_line(file->filter->request, &writer, row);
        buffer_append_byte(&file->chunk, '\n');
    }
    if (file->chunk.size > CHUNK_BYTES / 2)
        flush(file);
    return ++file->lines < EXPORT_LINES_MAX;
}

/* A file that nobody else can open, gone when it was sent. */
static int open_nameless(struct request *request)
{
    return open(engine_folder(request->server->engine), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static err write_file(struct request *request, const struct filter *filter, bool csv, bool nobody,
                      struct problem *problem)
{
    struct audit_file file = { .filter = filter, .csv = csv, .fd = open_nameless(request) };
    if (file.fd < 0)
        return problem_set(problem, ERR_IO, "a file for the audit cannot be made");
    buffer_init(&file.chunk, CHUNK_BYTES * 4);
    if (csv)
        buffer_append_str(&file.chunk, STR("seq,at,user,address,action,object,detail\r\n"));
    err error =
        nobody ? ERR_OK : visit(filter, NULL, EXPORT_LINES_MAX, visit_for_file, &file, problem);
    flush(&file);
    buffer_deinit(&file.chunk);
    if (error == ERR_OK && (file.failed || lseek(file.fd, 0, SEEK_SET) != 0))
        error = problem_set(problem, ERR_IO, "the audit cannot be written to a file");
    if (error != ERR_OK) {
        close(file.fd);
        return error;
    }
    request->file = file.fd;
    request->file_bytes = file.bytes;
    request->content_type = csv ? "text/csv" : "application/x-ndjson";
    return ERR_OK;
}

err route_audit_export(struct request *request, struct problem *problem)
{
    struct filter filter;
    bool nobody = false;
    str format = request_query(request, STR("format"));
    bool csv = format.size == 0 || str_equal(format, STR("csv"));
    if (!csv && !str_equal(format, STR("jsonl")))
        return problem_set(problem, ERR_INVALID, "format is csv or jsonl");
    err error = read_filter(request, &filter, &nobody, problem);
    if (error == ERR_OK)
        error = auth_note(request, "audit.export", request_query(request, STR("action")), problem);
    if (error == ERR_OK)
        error = write_file(request, &filter, csv, nobody, problem);
    return error;
}

/* ---- is it whole ---- */

err route_audit_verify(struct request *request, struct problem *problem)
{
    struct audit_verdict verdict;
    struct json_writer writer;
    err error =
        audit_verify(server_ledger(request->server), request->server->keys, &verdict, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_bool(&writer, STR("whole"), verdict.is_whole);
    json_member_int(&writer, STR("lines"), (int64_t)verdict.lines);
    json_put_key(&writer, STR("broken_seq"));
    if (verdict.broken_seq != 0)
        json_put_int(&writer, (int64_t)verdict.broken_seq);
    else
        json_put_null(&writer);
    json_member_text(&writer, STR("complaint"), str_from_c(verdict.complaint));
    json_member_time(&writer, STR("as_of"), server_as_of_ms(request->server));
    json_end_object(&writer);
    return ERR_OK;
}
