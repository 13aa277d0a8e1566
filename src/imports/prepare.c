/* SPDX-License-Identifier: Apache-2.0 */
/* prepare: what is looked at before a job is made: form, columns, a suggested mapping; and its request. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "imports/inside.h"

#define SAMPLE_ROWS 20
#define MAPPING_BYTES_MAX ((size_t)1 << 20)

/* ---- detect ---- */

static err find_form(const struct import_file *file, json_value told, struct table_form *form,
                     struct problem *problem)
{
    err error = table_detect(file->plain, str_from_c(file->name), form, problem);
    if (error == ERR_OK && json_is_object(told))
        error = table_form_read(told, form, problem);
    return error;
}

static void write_sample(struct table *table, struct json_writer *writer)
{
    struct table_row row;
    struct problem problem;
    json_put_key(writer, STR("sample"));
    json_begin_array(writer);
    for (size_t i = 0; i < SAMPLE_ROWS; i++) {
        err error = table_next(table, &row, &problem);
        if (error == ERR_INVALID)
            continue;
        if (error != ERR_OK)
            break;
        json_begin_array(writer);
        for (uint32_t cell = 0; cell < row.cell_count; cell++)
            json_put_text(writer, str_slice(row.cells[cell].text, 0,
                                            str_utf8_prefix_bytes(row.cells[cell].text, 500)));
        json_end_array(writer);
    }
    json_end_array(writer);
}

static void write_columns(const struct table *table, struct json_writer *writer)
{
    json_put_key(writer, STR("columns"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < table_column_count(table); i++)
        json_put_text(writer, table_column_name(table, i));
    json_end_array(writer);
}

static err write_suggestion(const struct import_file *file, const struct table_form *form,
                            struct json_writer *writer, struct problem *problem)
{
    struct buffer mapping, preset;
    int score = 0;
    buffer_init(&mapping, MAPPING_BYTES_MAX);
    buffer_init(&preset, 256);
    err error = mapping_suggest(file->plain, form, &mapping, &preset, &score, problem);
    if (error == ERR_OK) {
        json_put_key(writer, STR("mapping"));
        json_put_raw(writer, mapping.size > 0 ? buffer_str(&mapping) : STR("null"));
        json_member_text(writer, STR("preset"), buffer_str(&preset));
        json_member_int(writer, STR("score"), score);
    }
    buffer_deinit(&mapping);
    buffer_deinit(&preset);
    return error;
}

err imports_detect(struct imports *imports, str reference, json_value told, struct buffer *out,
                   struct problem *problem)
{
    struct import_file file;
    struct table_config config = { .program = imports->config.program,
                                   .library = imports->config.library };
    struct table *table = NULL;
    struct json_writer writer;
    err error = imports_find_file(imports, reference, &file, problem);
    if (error == ERR_OK)
        error = import_file_open(imports, &file, problem);
    if (error == ERR_OK)
        error = find_form(&file, told, &config.form, problem);
    config.path = file.plain;
    if (error == ERR_OK)
        error = table_open(&table, &config, problem);
    if (error != ERR_OK) {
        import_file_close(&file);
        return error;
    }
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("name"), str_from_c(file.name));
    json_member_int(&writer, STR("size_bytes"), file.size_bytes);
    struct buffer form;
    buffer_init(&form, 4096);
    table_form_write(&config.form, &form);
    json_member_raw(&writer, STR("form"), buffer_str(&form));
    buffer_deinit(&form);
    write_columns(table, &writer);
    write_sample(table, &writer);
    table_close(&table);
    error = write_suggestion(&file, &config.form, &writer, problem);
    json_end_object(&writer);
    import_file_close(&file);
    return error;
}

/* ---- saved mappings ---- */

struct saved {
    int64_t version;
    struct buffer *body;
    bool newest;
    str key;
};

static bool take_mapping(void *context, const struct ledger_value *values)
{
    struct saved *saved = context;
    if (!str_equal(values[0].bytes, saved->key))
        return str_compare(values[0].bytes, saved->key) < 0;
    saved->version = values[1].integer;
    buffer_clear(saved->body);
    buffer_append_str(saved->body, values[2].bytes);
    return saved->newest;
}

err imports_mapping(struct imports *imports, str key, int64_t *version, struct buffer *body,
                    struct problem *problem)
{
    struct saved saved = { .body = body, .newest = *version == 0, .key = key };
    struct ledger *ledger = engine_ledger(imports->engine);
    struct ledger_value keys[2] = { ledger_text(key), ledger_int(*version) };
    err error = saved.newest
                    ? ledger_scan(ledger, LEDGER_MAPPINGS, keys, take_mapping, &saved, problem)
                    : ledger_find(ledger, LEDGER_MAPPINGS, keys, 1, take_mapping, &saved, problem);
    if (error == ERR_OK && saved.version == 0)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no mapping '%.*s'",
                            (int)str_utf8_prefix_bytes(key, 60), key.data);
    *version = saved.version;
    return error != ERR_OK ? error : buffer_status(body);
}

err imports_check_mapping(json_value json, struct problem *problem)
{
    struct mapping *mapping = NULL;
    err error = mapping_new(&mapping, json, NULL, problem);
    mapping_free(&mapping);
    return error;
}

/* ---- a job's request ---- */

/* The mapping of a request: in it, or saved under its key. Appended as JSON. */
static err find_mapping(struct imports *imports, json_value request, struct buffer *mapping,
                        int64_t *version, struct problem *problem)
{
    json_value given = json_get(request, STR("mapping"));
    str key = json_text(json_get(request, STR("mapping_key")));
    *version = json_int(json_get(request, STR("mapping_version")), 0);
    if (json_is_object(given)) {
        json_write_value(mapping, given);
        return buffer_status(mapping);
    }
    if (key.size > 0)
        return imports_mapping(imports, key, version, mapping, problem);
    problem_set(problem, ERR_UNPROCESSABLE, "an import needs a mapping");
    problem_hint(problem, ERR_UNPROCESSABLE, "give mapping, or mapping_key of a saved one");
    return problem_at(problem, ERR_UNPROCESSABLE, "/mapping");
}

/* The mapping fits the columns that the file has. */
static err check_against_file(struct imports *imports, const struct import_file *file,
                              const struct table_form *form, str mapping_text, str team,
                              struct problem *problem)
{
    struct table_config config = { .path = file->plain,
                                   .form = *form,
                                   .program = imports->config.program,
                                   .library = imports->config.library };
    struct table *table = NULL;
    struct mapping *mapping = NULL;
    struct json_parser *parser = NULL;
    json_value json;
    err error = json_parser_new(&parser, MAPPING_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, mapping_text, &json, problem);
    if (error == ERR_OK)
        error = owner_check_mapping(team, json, problem);
    if (error == ERR_OK)
        error = table_open(&table, &config, problem);
    if (error == ERR_OK)
        error = mapping_new(&mapping, json, table, problem);
    mapping_free(&mapping);
    table_close(&table);
    json_parser_free(&parser);
    return error;
}

static void digest_text(EVP_MD_CTX *digest, str text)
{
    uint64_t size = text.size;
    (void)EVP_DigestUpdate(digest, &size, sizeof size);
    (void)EVP_DigestUpdate(digest, text.data, text.size);
}

static err identity_of(const char *sha256, str mapping, str form, str data_set, char out[65])
{
    uint8_t hash[SHA256_BYTES];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
    if (good) {
        digest_text(digest, str_from_c(sha256));
        digest_text(digest, mapping);
        digest_text(digest, form);
        digest_text(digest, data_set);
        good = EVP_DigestFinal_ex(digest, hash, NULL) == 1;
    }
    EVP_MD_CTX_free(digest);
    if (good)
        hex_text(hash, sizeof hash, out);
    return good ? ERR_OK : ERR_NOMEM;
}

struct request {
    struct import_file file;
    char sha256[65], identity[65];
    struct table_form form;
    struct buffer form_text, mapping;
    int64_t version;
    str name, source, data_set, told_until, team;
    char own_data_set[256];
};

/* A data set is whose natural keys are one: the source, or the mapping, unless it is named. A team's are its own: else what is a
 * duplicate would tell of others' files. */
static void read_names(json_value json, str team, struct request *request)
{
    str key = json_text(json_get(json, STR("mapping_key")));
    request->name = json_text(json_get(json, STR("name")));
    request->source = json_text(json_get(json, STR("source")));
    request->data_set = json_text(json_get(json, STR("data_set")));
    request->told_until = json_text(json_get(json, STR("told_until")));
    if (request->name.size == 0)
        request->name = str_from_c(request->file.name);
    if (request->data_set.size == 0)
        request->data_set = request->source.size > 0 ? request->source
                            : key.size > 0           ? key
                                                     : STR("default");
    request->team = team;
    if (team.size == 0 || str_equal(team_of_key(request->data_set), team))
        return;
    int size = snprintf(request->own_data_set, sizeof request->own_data_set, STR_FMT "__%.*s",
                        STR_ARG(team), (int)str_utf8_prefix_bytes(request->data_set, 210),
                        request->data_set.data);
    request->data_set = str_from_bytes(request->own_data_set, (size_t)size);
}

static err check_names(struct imports *imports, const struct request *request,
                       struct problem *problem)
{
    int64_t time_ms;
    if (request->name.size > 200 || request->data_set.size > 200)
        return problem_set(problem, ERR_UNPROCESSABLE, "name and data_set have at most 200 bytes");
    if (request->told_until.size > 0 &&
        !time_parse(request->told_until, imports->config.zone_offset_seconds / 60, &time_ms)) {
        problem_set(problem, ERR_UNPROCESSABLE, "told_until is not a time");
        return problem_at(problem, ERR_UNPROCESSABLE, "/told_until");
    }
    if (request->source.size == 0)
        return ERR_OK;
    struct source_set *sources = engine_sources(imports->engine);
    bool known = source_by_key(sources, request->source) != NULL;
    source_set_release(&sources);
    if (known)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "there is no source '%.*s'",
                (int)str_utf8_prefix_bytes(request->source, 60), request->source.data);
    problem_hint(problem, ERR_UNPROCESSABLE, "make it first, or leave source away");
    return problem_at(problem, ERR_UNPROCESSABLE, "/source");
}

static err find_content(struct imports *imports, str reference, struct request *request,
                        struct problem *problem)
{
    uint8_t hash[SHA256_BYTES];
    if (str_starts_with(reference, STR("upload:")))
        return uploads_find(imports, str_slice(reference, 7, reference.size), &request->file,
                            request->sha256, problem);
    err error = imports_sha256(imports, request->file.plain, hash, problem);
    if (error == ERR_OK)
        hex_text(hash, sizeof hash, request->sha256);
    return error;
}

static void write_body(const struct request *request, json_value json, struct buffer *body)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("identity"), str_from_c(request->identity));
    json_put_key(&writer, STR("settings"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("name"), request->name);
    json_member_text(&writer, STR("file"), json_text(json_get(json, STR("file"))));
    json_member_text(&writer, STR("path"), str_from_c(request->file.path));
    json_member_text(&writer, STR("sha256"), str_from_c(request->sha256));
    json_member_int(&writer, STR("size_bytes"), request->file.size_bytes);
    json_member_text(&writer, STR("source"), request->source);
    json_member_text(&writer, STR("data_set"), request->data_set);
    json_member_text(&writer, STR("told_until"), request->told_until);
    if (request->team.size > 0)
        json_member_text(&writer, STR("team"), request->team);
    json_member_text(&writer, STR("mapping_key"), json_text(json_get(json, STR("mapping_key"))));
    json_member_int(&writer, STR("mapping_version"), request->version);
    json_member_raw(&writer, STR("form"), buffer_str(&request->form_text));
    json_member_raw(&writer, STR("mapping"), buffer_str(&request->mapping));
    json_end_object(&writer);
    json_end_object(&writer);
}

err imports_prepare(struct imports *imports, json_value json, str team, struct buffer *body,
                    struct problem *problem)
{
    struct request request = { .version = 0 };
    str reference = json_text(json_get(json, STR("file")));
    buffer_init(&request.form_text, 4096);
    buffer_init(&request.mapping, MAPPING_BYTES_MAX);
    err error = imports_find_file(imports, reference, &request.file, problem);
    read_names(json, team, &request);
    if (error == ERR_OK)
        error = check_names(imports, &request, problem);
    if (error == ERR_OK)
        error = import_file_open(imports, &request.file, problem);
    if (error == ERR_OK)
        error = find_form(&request.file, json_get(json, STR("form")), &request.form, problem);
    if (error == ERR_OK)
        error = find_mapping(imports, json, &request.mapping, &request.version, problem);
    if (error == ERR_OK)
        error = check_against_file(imports, &request.file, &request.form,
                                   buffer_str(&request.mapping), team, problem);
    if (error == ERR_OK)
        error = find_content(imports, reference, &request, problem);
    table_form_write(&request.form, &request.form_text);
    if (error == ERR_OK)
        error = identity_of(request.sha256, buffer_str(&request.mapping),
                            buffer_str(&request.form_text), request.data_set, request.identity);
    if (error == ERR_OK)
        write_body(&request, json, body);
    import_file_close(&request.file);
    buffer_deinit(&request.form_text);
    buffer_deinit(&request.mapping);
    return error != ERR_OK ? error : buffer_status(body);
}
