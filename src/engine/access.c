/* SPDX-License-Identifier: Apache-2.0 */
/* access: sources, users, tokens and the audit inside apply; see access.h. */
#include "engine/access.h"

#include <sodium.h>
#include <string.h>

#include "base/arena.h"

/* ---- owned texts ---- */

err access_own(str text, str *out)
{
    char *copy = memory_alloc(text.size + 1);
    if (copy == NULL)
        return ERR_NOMEM;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    *out = (str){ copy, text.size };
    return ERR_OK;
}

void access_disown(str *text)
{
    memory_free((void *)(uintptr_t)text->data);
    *text = STR_NONE;
}

bool access_read_hex(str text, uint8_t *out, size_t size)
{
    if (text.size != size * 2)
        return false;
    for (size_t index = 0; index < text.size; index++) {
        char digit = text.data[index];
        int value = digit >= '0' && digit <= '9'   ? digit - '0'
                    : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                                   : -1;
        if (value < 0)
            return false;
        int high = index % 2 == 0 ? 0 : out[index / 2];
        out[index / 2] = (uint8_t)(index % 2 == 0 ? value << 4 : high | value);
    }
    return true;
}

/* ---- sources ---- */

static void source_disown(struct source *source)
{
    access_disown(&source->key);
    access_disown(&source->name);
    access_disown(&source->protocol);
    access_disown(&source->channel);
    access_disown(&source->write_key);
    access_disown(&source->signing_secret);
}

/* A deep copy, so that a refused change leaves the old source untouched. */
static err source_dup(const struct source *source, struct source *out)
{
    *out = *source;
    out->key = out->name = out->protocol = STR_NONE;
    out->channel = out->write_key = out->signing_secret = STR_NONE;
    if (access_own(source->key, &out->key) != ERR_OK ||
        access_own(source->name, &out->name) != ERR_OK ||
        access_own(source->protocol, &out->protocol) != ERR_OK ||
        access_own(source->channel, &out->channel) != ERR_OK ||
        access_own(source->write_key, &out->write_key) != ERR_OK ||
        access_own(source->signing_secret, &out->signing_secret) != ERR_OK) {
        source_disown(out);
        return ERR_NOMEM;
    }
    return ERR_OK;
}

static err add_source(struct access *access, const struct access_source *added)
{
    struct access_source *grown =
        memory_resize(access->sources, (access->source_count + 1) * sizeof *grown);
    if (grown == NULL)
        return ERR_NOMEM;
    access->sources = grown;
    access->sources[access->source_count++] = *added;
    return ERR_OK;
}

static struct access_source *find_source(struct access *access, str key)
{
    for (size_t index = 0; index < access->source_count; index++) {
        if (str_equal(access->sources[index].source.key, key))
            return &access->sources[index];
    }
    return NULL;
}

/* Columns of SOURCES that are not a column of their own live in `settings`. */
static void write_source_settings(const struct source *source, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("channel"), source->channel);
    json_member_text(&writer, STR("signing_secret"), source->signing_secret);
    if (source->events_per_second > 0)
        json_member_int(&writer, STR("events_per_second"), source->events_per_second);
    if (source->without_consent != WITHOUT_CONSENT_KEEP) {
        json_member_text(&writer, STR("without_consent"),
                         str_from_c(source_without_consent_text(source->without_consent)));
        json_member_text(&writer, STR("consent_category"), str_from_c(source->consent_category));
    }
    if (source->old_until_ms != 0) {
        char hex[2 * SEAL_HASH_BYTES + 1];
        sodium_bin2hex(hex, sizeof hex, source->old_key_hash, SEAL_HASH_BYTES);
        json_member_text(&writer, STR("old_key_hash"), str_from_c(hex));
        json_member_int(&writer, STR("old_until_ms"), source->old_until_ms);
    }
    json_end_object(&writer);
}

/* Missing members keep what is there; a category has 1 to 40 of a-z, 0-9, '_', '-'. */
static err read_without_consent(json_value body, struct source *source, struct problem *problem)
{
    json_value without = json_get(body, STR("without_consent"));
    str category = json_text(json_get(body, STR("consent_category")));
    if (json_kind(without) != JSON_MISSING &&
        !source_without_consent_find(json_text(without), &source->without_consent)) {
        problem_set(problem, ERR_UNPROCESSABLE, "without_consent is keep, drop or anonymise");
        return problem_at(problem, ERR_UNPROCESSABLE, "/without_consent");
    }
    if (category.size >= sizeof source->consent_category) {
        problem_set(problem, ERR_UNPROCESSABLE, "a category of consent has at most %d bytes",
                    CONSENT_CATEGORY_BYTES - 1);
        return problem_at(problem, ERR_UNPROCESSABLE, "/consent_category");
    }
    if (category.size > 0) {
        memcpy(source->consent_category, category.data, category.size);
        source->consent_category[category.size] = '\0';
    }
    return ERR_OK;
}

static err write_source(const struct access_source *row, struct ledger_writes *writes)
{
    const struct source *source = &row->source;
    struct buffer settings;
    buffer_init(&settings, 8192);
    write_source_settings(source, &settings);
    err error = buffer_status(&settings);
    if (error == ERR_OK) {
        bool is_public = source->kind == SOURCE_PUBLIC;
        LEDGER_PUT(writes, LEDGER_SOURCES, ledger_int(source->number), ledger_text(source->key),
                   ledger_text(source->name),
                   ledger_text(is_public ? STR("public") : STR("server")),
                   ledger_text(source->protocol),
                   ledger_blob(str_from_bytes(source->write_key_hash, SEAL_HASH_BYTES)),
                   is_public ? ledger_text(source->write_key) : ledger_null(),
                   ledger_int(source->strict), ledger_text(buffer_str(&settings)),
                   ledger_int(row->created_ms), ledger_int(row->disabled_ms));
    }
    buffer_deinit(&settings);
    return error;
}

struct load_context {
    struct access *access;
    struct json_parser *parser;
    err error;
};

static bool load_source(void *context, const struct ledger_value *values)
{
    struct load_context *load = context;
    json_value settings;
    load->error = json_parse(load->parser, values[8].bytes, &settings, NULL);
    if (load->error != ERR_OK)
        return false;
    struct source source = {
        .number = (uint32_t)values[0].integer,
        .key = values[1].bytes,
        .name = values[2].bytes,
        .kind = str_equal(values[3].bytes, STR("public")) ? SOURCE_PUBLIC : SOURCE_SERVER,
        .protocol = values[4].bytes,
        .write_key = values[6].kind == LEDGER_TEXT ? values[6].bytes : STR_NONE,
        .strict = values[7].integer != 0,
        .channel = json_text(json_get(settings, STR("channel"))),
        .signing_secret = json_text(json_get(settings, STR("signing_secret"))),
        .events_per_second = (uint32_t)json_int(json_get(settings, STR("events_per_second")), 0),
        .disabled = values[10].integer != 0,
    };
    load->error = read_without_consent(settings, &source, NULL);
    if (load->error != ERR_OK)
        return false;
    if (access_read_hex(json_text(json_get(settings, STR("old_key_hash"))), source.old_key_hash,
                        SEAL_HASH_BYTES))
        source.old_until_ms = json_int(json_get(settings, STR("old_until_ms")), 0);
    if (values[5].bytes.size == SEAL_HASH_BYTES)
        memcpy(source.write_key_hash, values[5].bytes.data, SEAL_HASH_BYTES);
    struct access_source row = { .created_ms = values[9].integer,
                                 .disabled_ms = values[10].integer };
    load->error = source_dup(&source, &row.source);
    if (load->error == ERR_OK)
        load->error = add_source(load->access, &row);
    return load->error == ERR_OK;
}

err access_snapshot(const struct access *access, struct source_set **set)
{
    struct source *sources = memory_alloc((access->source_count + 1) * sizeof *sources);
    if (sources == NULL)
        return ERR_NOMEM;
    for (size_t index = 0; index < access->source_count; index++)
        sources[index] = access->sources[index].source;
    err error = source_set_new(set, sources, access->source_count);
    memory_free(sources);
    return error;
}

bool access_end_overlaps(struct access *access, int64_t now_ms)
{
    bool any = false;
    for (size_t index = 0; index < access->source_count; index++) {
        struct source *source = &access->sources[index].source;
        if (source->old_until_ms == 0 || source->old_until_ms > now_ms)
            continue;
        source->old_until_ms = 0;
        any = true;
    }
    return any;
}

static bool is_key_text(str key)
{
    if (key.size == 0 || key.size > 64)
        return false;
    for (size_t index = 0; index < key.size; index++) {
        char letter = key.data[index];
        if (!((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
              letter == '_' || letter == '-'))
            return false;
    }
    return true;
}

static err change_text(json_value body, str member, str *text)
{
    json_value value = json_get(body, member);
    if (json_kind(value) != JSON_TEXT)
        return ERR_OK;
    str changed;
    err error = access_own(json_text(value), &changed);
    if (error == ERR_OK) {
        access_disown(text);
        *text = changed;
    }
    return error;
}

static err change_kind(json_value body, struct source *source, struct problem *problem)
{
    str kind = json_text(json_get(body, STR("kind")));
    if (str_equal(kind, STR("public")))
        source->kind = SOURCE_PUBLIC;
    else if (str_equal(kind, STR("server")))
        source->kind = SOURCE_SERVER;
    else if (kind.size > 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "a source cannot be of kind '" STR_FMT "'",
                    STR_ARG(kind));
        return problem_at(problem, ERR_UNPROCESSABLE, "/kind");
    }
    return ERR_OK;
}

static err change_source(json_value body, struct access_source *row, int64_t now_ms,
                         struct problem *problem)
{
    struct source *source = &row->source;
    err error = change_kind(body, source, problem);
    if (error != ERR_OK)
        return error;
    str hash = json_text(json_get(body, STR("write_key_hash")));
    int64_t until_ms = json_int(json_get(body, STR("old_until_ms")), 0);
    if (hash.size > 0) { /* the key of now goes on for a while, or is over at once */
        memcpy(source->old_key_hash, source->write_key_hash, SEAL_HASH_BYTES);
        source->old_until_ms = until_ms > now_ms ? until_ms : 0;
    }
    if (hash.size > 0 && !access_read_hex(hash, source->write_key_hash, SEAL_HASH_BYTES))
        return problem_set(problem, ERR_INVALID, "write_key_hash is not 32 hex digits");
    source->strict = json_bool(json_get(body, STR("strict")), source->strict);
    source->disabled = json_bool(json_get(body, STR("disabled")), source->disabled);
    int64_t most = json_int(json_get(body, STR("events_per_second")), source->events_per_second);
    if (most < 0 || most > SOURCE_EVENTS_PER_SECOND_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "events_per_second is 0 (no limit) to %d",
                    SOURCE_EVENTS_PER_SECOND_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/events_per_second");
    }
    source->events_per_second = (uint32_t)most;
    error = read_without_consent(body, source, problem);
    if (error != ERR_OK)
        return error;
    if (!source->disabled)
        row->disabled_ms = 0;
    else if (row->disabled_ms == 0)
        row->disabled_ms = now_ms;
    const struct {
        str member;
        str *text;
    } texts[] = { { STR("name"), &source->name },
                  { STR("protocol"), &source->protocol },
                  { STR("channel"), &source->channel },
                  { STR("write_key"), &source->write_key },
                  { STR("signing_secret"), &source->signing_secret } };
    for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
        error = change_text(body, texts[index].member, texts[index].text);
        if (error != ERR_OK)
            return error;
    }
    if (source->kind == SOURCE_SERVER)
        source->write_key.size = 0; /* a secret key is kept as its hash alone */
    return ERR_OK;
}

static void answer_source(const struct source *source, struct buffer *answer)
{
    struct json_writer writer;
    json_writer_init(&writer, answer);
    json_begin_object(&writer);
    json_member_int(&writer, STR("number"), source->number);
    json_member_text(&writer, STR("key"), source->key);
    json_member_text(&writer, STR("name"), source->name);
    json_end_object(&writer);
}

err access_put_source(struct access *access, json_value body, int64_t now_ms,
                      struct ledger_writes *writes, struct buffer *answer, struct problem *problem)
{
    str key = json_text(json_get(body, STR("key")));
    if (!is_key_text(key)) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "the key of a source is 1 to 64 of a-z, 0-9, '_' and '-'");
        return problem_at(problem, ERR_UNPROCESSABLE, "/key");
    }
    struct access_source *kept = find_source(access, key);
    if (kept == NULL && access->source_count >= ACCESS_SOURCES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "there are %d sources already, no more fit",
                           ACCESS_SOURCES_MAX);
    struct access_source row = { .created_ms = now_ms };
    if (kept != NULL)
        row = *kept;
    struct source fresh = { .number = (uint32_t)access->source_count + 1,
                            .key = key,
                            .name = key,
                            .kind = SOURCE_SERVER,
                            .protocol = STR("segment") };
    err error = source_dup(kept != NULL ? &kept->source : &fresh, &row.source);
    if (error != ERR_OK)
        return error;
    error = change_source(body, &row, now_ms, problem);
    if (error == ERR_OK)
        error = write_source(&row, writes);
    if (error == ERR_OK && kept == NULL)
        error = add_source(access, &row);
    else if (error == ERR_OK) {
        source_disown(&kept->source);
        *kept = row;
    }
    if (error != ERR_OK) {
        source_disown(&row.source);
        return error;
    }
    answer_source(&row.source, answer);
    return ERR_OK;
}

/* ---- audit ---- */

void access_audit(struct access *access, const struct keys *keys, const struct audit_line *line,
                  struct ledger_writes *writes)
{
    audit_write(&access->audit, keys, line, writes);
}

/* ---- start and end ---- */

err access_load(struct access *access, const struct keys *keys, struct ledger *ledger,
                struct problem *problem)
{
    *access = (struct access){ .source_count = 0 };
    struct load_context load = { .access = access };
    err error = json_parser_new(&load.parser, 65536);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_SOURCES, NULL, load_source, &load, problem);
    if (error == ERR_OK && load.error == ERR_OK)
        error = access_load_people(access, ledger, problem);
    if (error == ERR_OK && load.error == ERR_OK)
        error = audit_head_load(&access->audit, keys, ledger, problem);
    json_parser_free(&load.parser);
    return error != ERR_OK ? error : load.error;
}

void access_deinit(struct access *access)
{
    for (size_t index = 0; index < access->source_count; index++)
        source_disown(&access->sources[index].source);
    memory_free(access->sources);
    access_deinit_people(access);
    *access = (struct access){ .source_count = 0 };
}
