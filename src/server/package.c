/* SPDX-License-Identifier: Apache-2.0 */
/* package: all that is known of a customer in one file, for her (access, portability).
 *
 *     POST …/package ─▶ the house's own answers about her ─▶ zip ─▶ sealed in pieces ─▶ packages/rN-EXPIRES-RANDOM
 *     GET  …/package ─▶ unsealed in memory ─▶ application/zip
 *
 * What is in it is what the routes answer, so that nothing of hers has two forms: customer.json, events.jsonl (each event in full),
 * and customer.html to read. On the disk there are lines of sealed texts alone; each is bound to its file and its place. The file
 * goes when its time is over, when she is erased, or by hand (src/privacy/files.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/logline.h"
#include "server/answer.h"
#include "server/mask.h"
#include "server/package_page.h"
#include "server/person.h"
#include "server/view.h"

#define PACKAGE_DAYS_DEFAULT 7
#define PART_BYTES_MAX ((size_t)256 << 20)
#define PIECE_BYTES ((size_t)192 << 10)
#define PATH_BYTES 700
#define FOLDER "packages"

/* ---- what the row of the request says of it ---- */

struct stored {
    char file[80];
    int64_t made_ms, expires_ms, bytes;
    uint32_t user;
    bool revealed;
};

static bool read_stored(struct request *request, str package, struct stored *stored)
{
    json_value root;
    if (package.size == 0 || json_parse(request->scratch, package, &root, NULL) != ERR_OK)
        return false;
    str file = json_text(json_get(root, STR("file")));
    if (file.size == 0 || file.size >= sizeof stored->file || str_find_byte(file, '/') < file.size)
        return false;
    snprintf(stored->file, sizeof stored->file, STR_FMT, STR_ARG(file));
    stored->made_ms = json_int(json_get(root, STR("made_ms")), 0);
    stored->expires_ms = json_int(json_get(root, STR("expires_ms")), 0);
    stored->bytes = json_int(json_get(root, STR("bytes")), 0);
    stored->user = (uint32_t)json_int(json_get(root, STR("user")), 0);
    stored->revealed = json_bool(json_get(root, STR("revealed")), false);
    return true;
}

void package_write(struct request *request, const struct person_request *row,
                   struct json_writer *writer)
{
    struct stored stored;
    if (!read_stored(request, row->package, &stored) ||
        stored.expires_ms <= server_now_ms(request->server)) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_time(writer, STR("made_at"), stored.made_ms);
    json_member_time(writer, STR("expires_at"), stored.expires_ms);
    json_member_int(writer, STR("bytes"), stored.bytes);
    json_member_bool(writer, STR("revealed"), stored.revealed);
    json_member_text(writer, STR("made_by"), answer_login(request, stored.user));
    json_end_object(writer);
}

/* ---- what is in it ---- */

struct packing {
    struct request *request;
    str one_id;
    bool revealed;
    struct json_parser *parser;
    struct buffer customer, events, page; /* the three files */
    uint64_t event_count;
};

/* A route's answer about her, as the route writes it, asked with this query. */
static err ask_route(struct packing *packing, route_handler handler, const char *query,
                     struct buffer *out, struct problem *problem)
{
    struct request *request = packing->request;
    struct buffer kept_out = request->out;
    str kept_query = request->query, kept_name = request->parameters[0];
    int kept_status = request->status;
    buffer_init(&request->out, PART_BYTES_MAX);
    request->query = str_from_c(query);
    request->parameters[0] = packing->one_id;
    err error = handler(request, problem);
    if (error == ERR_OK)
        error = buffer_status(&request->out);
    *out = request->out;
    request->out = kept_out;
    request->query = kept_query;
    request->parameters[0] = kept_name;
    request->status = kept_status;
    return error;
}

/* All pages of a list, element by element. */
static err each_item(struct packing *packing, route_handler handler, const char *query,
                     void (*take)(struct packing *packing, json_value item, struct buffer *out),
                     struct buffer *out, struct problem *problem)
{
    char asked[1600], cursor[1200] = "";
    err error = ERR_OK;
    do {
        struct buffer page;
        json_value root, item;
        snprintf(asked, sizeof asked, "%s%slimit=500%s%s", query, query[0] != '\0' ? "&" : "",
                 cursor[0] != '\0' ? "&cursor=" : "", cursor);
        error = ask_route(packing, handler, asked, &page, problem);
        if (error == ERR_OK)
            error = json_parse(packing->parser, buffer_str(&page), &root, problem);
        if (error != ERR_OK) {
            buffer_deinit(&page);
            break;
        }
        struct json_iterator iterator = json_iterate(json_get(root, STR("items")));
        while (json_next(&iterator, NULL, &item))
            take(packing, item, out);
        str next = json_text(json_get(root, STR("next_cursor")));
        snprintf(cursor, sizeof cursor, "%.*s", (int)(next.size < 1199 ? next.size : 1199),
                 next.data != NULL ? next.data : "");
        buffer_deinit(&page);
        error = buffer_status(out);
    } while (error == ERR_OK && cursor[0] != '\0');
    return error;
}

static void take_element(struct packing *packing, json_value item, struct buffer *out)
{
    (void)packing;
    if (out->size > 0)
        buffer_append_byte(out, ',');
    json_write_value(out, item);
}

static void take_line(struct packing *packing, json_value item, struct buffer *out)
{
    json_write_value(out, item);
    buffer_append_byte(out, '\n');
    packing->event_count++;
}

static err pack_list(struct packing *packing, const char *member, route_handler handler,
                     const char *query, struct problem *problem)
{
    struct buffer list;
    buffer_init(&list, PART_BYTES_MAX);
    err error = each_item(packing, handler, query, take_element, &list, problem);
    if (error == ERR_OK)
        buffer_printf(&packing->customer, ",\"%s\":[", member);
    buffer_append_str(&packing->customer, buffer_str(&list));
    buffer_append_byte(&packing->customer, ']');
    buffer_deinit(&list);
    return error == ERR_OK ? buffer_status(&packing->customer) : error;
}

static err write_profile(struct request *request, struct problem *problem)
{
    struct customer_view view;
    bool reveal = request->reveal_told;
    view_init(&view, true);
    err error = view_customer(request, request->parameters[0], true, &view, problem);
    if (error == ERR_OK)
        view_write(request, &view, reveal);
    return error;
}

static err pack_profile(struct packing *packing, struct problem *problem)
{
    struct buffer profile;
    err error = ask_route(packing, write_profile, "", &profile, problem);
    buffer_append_str(&packing->customer, STR("{\"customer\":"));
    buffer_append_str(&packing->customer, buffer_str(&profile));
    buffer_deinit(&profile);
    return error;
}

/* What was promised in docs/privacy.md, in the order in which it is read. */
static err pack_all(struct packing *packing, struct problem *problem)
{
    char hers[80];
    snprintf(hers, sizeof hers, "customer=" STR_FMT, STR_ARG(packing->one_id));
    err error = pack_profile(packing, problem);
    if (error == ERR_OK)
        error = pack_list(packing, "memberships", route_customer_memberships, "", problem);
    if (error == ERR_OK)
        error = pack_list(packing, "consents", route_consent_list, "", problem);
    if (error == ERR_OK)
        error = pack_list(packing, "pauses", route_pause_list, "", problem);
    if (error == ERR_OK)
        error = pack_list(packing, "merges", route_customer_merges, "", problem);
    if (error == ERR_OK)
        error = pack_list(packing, "journeys", route_customer_journeys, "", problem);
    if (error == ERR_OK)
        error = pack_list(packing, "touches", route_touch_list, hers, problem);
    if (error == ERR_OK)
        error = pack_list(packing, "requests", route_person_request_list, hers, problem);
    if (error == ERR_OK)
        error = each_item(packing, route_customer_events, "", take_line, &packing->events, problem);
    buffer_printf(&packing->customer,
                  ",\"events\":%llu,\"made_at\":", (unsigned long long)packing->event_count);
    struct json_writer writer;
    json_writer_init(&writer, &packing->customer);
    json_put_time(&writer, server_now_ms(packing->request->server));
    buffer_append_byte(&packing->customer, '}');
    return error == ERR_OK ? buffer_status(&packing->customer) : error;
}

/* ---- one file of three ---- */

static bool add_file(zip_t *archive, const char *name, const struct buffer *bytes, int64_t now_ms)
{
    zip_source_t *source = zip_source_buffer(archive, bytes->data, bytes->size, 0);
    zip_int64_t index = source != NULL ? zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0 && source != NULL)
        zip_source_free(source);
    return index >= 0 &&
           zip_file_set_mtime(archive, (zip_uint64_t)index, (time_t)(now_ms / 1000), 0) == 0;
}

static bool take_archive(zip_source_t *source, struct buffer *out)
{
    char bytes[65536];
    zip_int64_t size = 0;
    if (zip_source_open(source) != 0)
        return false;
    while ((size = zip_source_read(source, bytes, sizeof bytes)) > 0)
        buffer_append(out, bytes, (size_t)size);
    zip_source_close(source);
    return size == 0 && buffer_status(out) == ERR_OK;
}

static err zip_parts(const struct packing *packing, struct buffer *out, struct problem *problem)
{
    int64_t now_ms = server_now_ms(packing->request->server);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, NULL);
    if (source == NULL)
        return ERR_NOMEM;
    zip_t *archive = zip_open_from_source(source, ZIP_TRUNCATE, NULL);
    if (archive == NULL) {
        zip_source_free(source);
        return ERR_NOMEM;
    }
    zip_source_keep(source);
    bool good = add_file(archive, "customer.json", &packing->customer, now_ms) &&
                add_file(archive, "events.jsonl", &packing->events, now_ms) &&
                add_file(archive, "customer.html", &packing->page, now_ms);
    if (!good)
        zip_discard(archive);
    else if (zip_close(archive) != 0) {
        zip_discard(archive);
        good = false;
    }
    good = good && take_archive(source, out);
    zip_source_free(source);
    return good ? ERR_OK : problem_set(problem, ERR_NOMEM, "the file cannot be put together");
}

/* ---- sealed on the disk ---- */

static void write_path(struct request *request, const char *file, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.500s/" FOLDER "/%.80s", engine_folder(request->server->engine),
             file);
}

static err io_failed(const char *what, struct problem *problem)
{
    return problem_set(problem, errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO,
                       "the file for her cannot be %s: %s", what, strerror(errno));
}

/* A line is sealed "FILE PLACE LAST\n" and the bytes. */
static err write_piece(struct request *request, FILE *out, const char *name, size_t place,
                       bool is_last, str bytes)
{
    struct arena arena;
    struct buffer piece;
    str sealed;
    arena_init(&arena, "package", 4 * PIECE_BYTES);
    buffer_init(&piece, PIECE_BYTES + 200);
    buffer_printf(&piece, "%s %zu %d\n", name, place, is_last);
    buffer_append_str(&piece, bytes);
    err error = buffer_status(&piece);
    if (error == ERR_OK)
        error = keys_seal(request->server->keys, &arena, buffer_str(&piece), &sealed);
    if (error == ERR_OK &&
        (fwrite(sealed.data, 1, sealed.size, out) != sealed.size || fputc('\n', out) == EOF))
        error = ERR_IO;
    buffer_deinit(&piece);
    arena_deinit(&arena);
    return error;
}

static err write_sealed(struct request *request, const char *name, str archive,
                        struct problem *problem)
{
    char path[PATH_BYTES];
    write_path(request, "", path);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return io_failed("made", problem);
    write_path(request, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    /* Nobody puts another in its place before it is whole (src/privacy/renew_stores.c). */
    FILE *out = fd >= 0 && flock(fd, LOCK_SH) == 0 ? fdopen(fd, "we") : NULL;
    if (out == NULL) {
        if (fd >= 0)
            close(fd);
        return io_failed("made", problem);
    }
    err error = ERR_OK;
    size_t count = archive.size / PIECE_BYTES + 1;
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        size_t begin = i * PIECE_BYTES, end = begin + PIECE_BYTES;
        end = end < archive.size ? end : archive.size;
        error = write_piece(request, out, name, i, i + 1 == count, str_slice(archive, begin, end));
    }
    if (error == ERR_OK && (fflush(out) != 0 || fsync(fileno(out)) != 0))
        error = ERR_IO;
    if (error == ERR_IO)
        io_failed("written", problem);
    (void)fclose(out);
    if (error != ERR_OK)
        (void)unlink(path);
    return error;
}

static bool take_piece(str piece, const char *name, size_t place, bool *is_last, struct buffer *out)
{
    char expected[160];
    size_t line = str_find_byte(piece, '\n');
    for (int last = 0; last < 2; last++) {
        snprintf(expected, sizeof expected, "%s %zu %d", name, place, last);
        if (!str_equal(str_slice(piece, 0, line), str_from_c(expected)))
            continue;
        *is_last = last == 1;
        buffer_append_str(out, str_slice(piece, line + 1, piece.size));
        return true;
    }
    return false;
}

static bool read_file(struct request *request, const char *name, struct buffer *out)
{
    char path[PATH_BYTES], bytes[65536];
    size_t size;
    write_path(request, name, path);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return false;
    while ((size = fread(bytes, 1, sizeof bytes, in)) > 0)
        buffer_append(out, bytes, size);
    bool good = ferror(in) == 0;
    fclose(in);
    return good && buffer_status(out) == ERR_OK;
}

static err read_sealed(struct request *request, const char *name, struct buffer *out,
                       struct problem *problem)
{
    struct buffer text;
    bool is_last = false, good = true;
    size_t place = 0;
    buffer_init(&text, 4 * PART_BYTES_MAX);
    if (!read_file(request, name, &text)) {
        buffer_deinit(&text);
        return problem_set(problem, ERR_NOT_FOUND, "the file for her is not there any more");
    }
    str rest = buffer_str(&text), line;
    while (good && !is_last && str_split(&rest, '\n', &line)) {
        struct arena arena;
        str piece;
        arena_init(&arena, "package", 4 * PIECE_BYTES);
        good = keys_unseal(request->server->keys, &arena, line, &piece, NULL) == ERR_OK &&
               take_piece(piece, name, place++, &is_last, out);
        arena_deinit(&arena);
    }
    buffer_deinit(&text);
    return good && is_last ? buffer_status(out)
                           : problem_set(problem, ERR_CORRUPT, "the file for her is damaged");
}

static void remove_file(struct request *request, const char *name)
{
    char path[PATH_BYTES];
    write_path(request, name, path);
    if (unlink(path) != 0 && errno != ENOENT)
        log_line(LOG_WARN, "package_stays", "reason=\"%s\"", strerror(errno));
}

/* ---- routes ---- */

static err begin_packing(struct request *request, const struct person_request *row,
                         struct packing *packing, struct problem *problem)
{
    struct customer_view view;
    view_init(&view, false);
    *packing = (struct packing){ .request = request };
    buffer_init(&packing->customer, PART_BYTES_MAX);
    buffer_init(&packing->events, PART_BYTES_MAX);
    buffer_init(&packing->page, PART_BYTES_MAX);
    if (row->customer == 0)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    err error =
        view_customer(request, answer_one_id(request, row->customer), false, &view, problem);
    packing->one_id = answer_one_id(request, view.root);
    if (error == ERR_OK)
        error = json_parser_new(&packing->parser, PART_BYTES_MAX);
    return error;
}

static void end_packing(struct packing *packing)
{
    buffer_deinit(&packing->customer);
    buffer_deinit(&packing->events);
    buffer_deinit(&packing->page);
    json_parser_free(&packing->parser);
}

static err put_page(struct packing *packing, struct problem *problem)
{
    json_value root;
    err error = json_parse(packing->parser, buffer_str(&packing->customer), &root, problem);
    if (error == ERR_OK)
        package_page(root, buffer_str(&packing->events), &packing->page);
    return error == ERR_OK ? buffer_status(&packing->page) : error;
}

static err note_stored(struct request *request, const struct person_request *row,
                       const struct stored *stored, struct problem *problem)
{
    char text[400];
    snprintf(text, sizeof text,
             "{\"file\":\"%s\",\"made_ms\":%lld,\"expires_ms\":%lld,\"bytes\":%lld,\"user\":%u,"
             "\"revealed\":%s}",
             stored->file, (long long)stored->made_ms, (long long)stored->expires_ms,
             (long long)stored->bytes, stored->user, stored->revealed ? "true" : "false");
    return person_request_change(request, row->number, "package", str_from_c(text), problem);
}

static err store_package(struct packing *packing, const struct person_request *row,
                         struct problem *problem)
{
    struct request *request = packing->request;
    struct stored stored = { .made_ms = server_now_ms(request->server),
                             .user = request->actor.user_number,
                             .revealed = packing->revealed };
    struct buffer archive;
    char secret[33];
    int64_t days;
    buffer_init(&archive, 2 * PART_BYTES_MAX);
    err error =
        person_setting(request, "privacy.package_days", PACKAGE_DAYS_DEFAULT, 90, &days, problem);
    if (error == ERR_OK)
        error = zip_parts(packing, &archive, problem);
    answer_secret(request, "package", secret);
    stored.expires_ms = stored.made_ms + days * DAY_MS;
    stored.bytes = (int64_t)archive.size;
    snprintf(stored.file, sizeof stored.file, "r%lld-%lld-%.16s", (long long)row->number,
             (long long)(stored.expires_ms / 1000), secret);
    if (error == ERR_OK)
        error = write_sealed(request, stored.file, buffer_str(&archive), problem);
    buffer_deinit(&archive);
    if (error == ERR_OK) {
        error = note_stored(request, row, &stored, problem);
        if (error != ERR_OK)
            remove_file(request, stored.file);
    }
    return error;
}

err route_package_post(struct request *request, struct problem *problem)
{
    struct person_request row;
    struct packing packing;
    struct stored before;
    bool reveal = false;
    err error = person_request_find(request, request->parameters[0], &row, problem);
    if (error == ERR_OK && !str_equal(row.kind, STR("access")) &&
        !str_equal(row.kind, STR("portability")))
        error = problem_set(problem, ERR_CONFLICT, "she asked for something else than her data");
    if (error != ERR_OK)
        return error;
    request->headers.idempotency_key = STR_NONE; /* several commands stand behind this one */
    error = begin_packing(request, &row, &packing, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, packing.one_id, &reveal, problem);
    packing.revealed = request->reveal_told = reveal;
    if (error == ERR_OK)
        error = auth_note(request, "person.package", packing.one_id, problem);
    if (error == ERR_OK)
        error = pack_all(&packing, problem);
    if (error == ERR_OK)
        error = put_page(&packing, problem);
    bool had_one = error == ERR_OK && read_stored(request, row.package, &before);
    if (error == ERR_OK)
        error = store_package(&packing, &row, problem);
    end_packing(&packing);
    if (error == ERR_OK && had_one)
        remove_file(request, before.file);
    if (error == ERR_OK)
        error = person_request_answer(request, request->parameters[0], problem);
    request->status = 201;
    return error;
}

static err find_stored(struct request *request, struct person_request *row, struct stored *stored,
                       struct problem *problem)
{
    err error = person_request_find(request, request->parameters[0], row, problem);
    if (error == ERR_OK && (!read_stored(request, row->package, stored) ||
                            stored->expires_ms <= server_now_ms(request->server)))
        error =
            problem_set(problem, ERR_NOT_FOUND, "there is no file for her, or its time is over");
    return error;
}

err route_package_get(struct request *request, struct problem *problem)
{
    struct person_request row;
    struct stored stored;
    err error = find_stored(request, &row, &stored, problem);
    if (error == ERR_OK && stored.revealed)
        error = auth_needs(request, PERMISSION_CUSTOMER_REVEAL, problem);
    if (error == ERR_OK)
        error = auth_note(request, "person.package.fetched", request->parameters[0], problem);
    if (error == ERR_OK)
        error = read_sealed(request, stored.file, &request->out, problem);
    request->content_type = "application/zip";
    return error;
}

err route_package_delete(struct request *request, struct problem *problem)
{
    struct person_request row;
    struct stored stored;
    err error = find_stored(request, &row, &stored, problem);
    if (error == ERR_OK)
        error = person_request_change(request, row.number, "package", STR(""), problem);
    if (error == ERR_OK)
        remove_file(request, stored.file);
    return error == ERR_OK ? person_request_answer(request, request->parameters[0], problem)
                           : error;
}
