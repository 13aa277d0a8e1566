/* SPDX-License-Identifier: Apache-2.0 */
/* A door under test: keys of a fixed master key, two sources, one worker; a request in, decoded
 * events out. */
#ifndef KITH_TESTS_DOORS_H
#define KITH_TESTS_DOORS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "collect/collect.h"
#include "log/log.h"
#include "support/cmocka.h"

/* 32 bytes 0x42 in base64. */
#define TEST_MASTER_KEY "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
#define NOW_MS INT64_C(1795284731504) /* 2026-11-21T18:12:11.504Z */

#define TEST_SOURCES 5

struct doors {
    char folder[64];
    struct keys *keys;
    struct source_set *sources;
    struct collect_worker *worker;
    struct arena arena; /* of what is decoded */
    struct buffer records;
    struct collect_answer answer;
    uint32_t count;
    struct event events[256];
    struct json_parser *parser;
    int64_t now_ms;
    struct collect_request request; /* what a test sets besides */
};

/* Keys from TEST_MASTER_KEY in a folder of their own. */
static inline struct keys *test_keys(char folder[64])
{
    struct keys *keys = NULL;
    char path[80];
    struct problem problem = { .error = ERR_OK };
    snprintf(folder, 64, "/tmp/kith-doors-XXXXXX");
    assert_non_null(mkdtemp(folder));
    setenv("KITH_MASTER_KEY", TEST_MASTER_KEY, 1);
    snprintf(path, sizeof path, "%s/keys", folder);
    assert_int_equal(keys_open(&keys, path, &problem), ERR_OK);
    unsetenv("KITH_MASTER_KEY");
    return keys;
}

static inline void test_keys_free(struct keys **keys, const char *folder)
{
    char path[80];
    snprintf(path, sizeof path, "%s/keys", folder);
    unlink(path);
    rmdir(folder);
    keys_free(keys);
}

static inline struct source_set *test_sources(const struct keys *keys)
{
    struct source sources[] = {
        { .number = 1,
          .key = STR("shop"),
          .name = STR("Shop"),
          .kind = SOURCE_SERVER,
          .protocol = STR("segment") },
        { .number = 2,
          .key = STR("web"),
          .name = STR("Web"),
          .kind = SOURCE_PUBLIC,
          .protocol = STR("segment"),
          .write_key = STR("wk_web"),
          .signing_secret = STR("signing secret") },
        { .number = 3,
          .key = STR("old"),
          .name = STR("Old"),
          .kind = SOURCE_SERVER,
          .disabled = true },
        { .number = 4,
          .key = STR("tmall"),
          .name = STR("Tmall"),
          .kind = SOURCE_SERVER,
          .channel = STR("tmall") },
        { .number = 5,
          .key = STR("quiet"),
          .name = STR("Quiet"),
          .kind = SOURCE_PUBLIC,
          .without_consent = WITHOUT_CONSENT_ANONYMISE },
    };
    const str write_keys[] = { STR("wk_shop"), STR("wk_web"), STR("wk_old"), STR("wk_tmall"),
                               STR("wk_quiet") };
    struct source_set *set = NULL;
    for (size_t i = 0; i < TEST_SOURCES; i++)
        keys_hash(keys, STR("write_key"), write_keys[i], sources[i].write_key_hash);
    assert_int_equal(source_set_new(&set, sources, TEST_SOURCES), ERR_OK);
    return set;
}

static inline void doors_open(struct doors *doors, const struct collect_limits *limits)
{
    memset(doors, 0, sizeof *doors);
    doors->keys = test_keys(doors->folder);
    doors->sources = test_sources(doors->keys);
    assert_int_equal(collect_worker_new(&doors->worker, doors->keys, limits), ERR_OK);
    arena_init(&doors->arena, "test", (size_t)256 << 20);
    buffer_init(&doors->records, (size_t)64 << 20);
    assert_int_equal(json_parser_new(&doors->parser, (size_t)8 << 20), ERR_OK);
    doors->now_ms = NOW_MS;
}

static inline void doors_close(struct doors *doors)
{
    collect_worker_free(&doors->worker);
    source_set_release(&doors->sources);
    json_parser_free(&doors->parser);
    buffer_deinit(&doors->records);
    arena_deinit(&doors->arena);
    test_keys_free(&doors->keys, doors->folder);
}

/* Records as log_record_write writes them: kind, size, body. */
static inline void doors_decode(struct doors *doors)
{
    struct cursor_like {
        const uint8_t *at, *end;
    } cursor = { (const uint8_t *)doors->records.data,
                 (const uint8_t *)doors->records.data + doors->records.size };
    uint32_t count = 0;
    while (cursor.at < cursor.end) {
        size_t size = 0;
        unsigned shift = 0;
        assert_int_equal(*cursor.at++, LOG_RECORD_EVENT);
        do {
            size |= (size_t)(*cursor.at & 0x7F) << shift;
            shift += 7;
        } while (*cursor.at++ & 0x80);
        struct problem problem = { .error = ERR_OK };
        struct event *event = &doors->events[count < 256 ? count : 255];
        assert_int_equal(
            event_decode(str_from_bytes(cursor.at, size), &doors->arena, event, &problem), ERR_OK);
        cursor.at += size;
        count++;
    }
    assert_int_equal(count, doors->count);
}

static inline int doors_send(struct doors *doors, const char *method, const char *path,
                             const char *query, const char *authorization, str body)
{
    struct collect_request request = doors->request;
    request.method = str_from_c(method);
    request.path = str_from_c(path);
    request.query = str_from_c(query);
    request.authorization = str_from_c(authorization);
    request.host = STR("collect.example.com");
    request.client_ip = STR("203.0.113.9");
    request.user_agent = STR("Test/1.0");
    request.body = body;
    request.received_ms = doors->now_ms;
    buffer_clear(&doors->records);
    arena_reset(&doors->arena);
    collect_decode(doors->worker, doors->sources, &request, &doors->records, &doors->count,
                   &doors->answer);
    doors_decode(doors);
    return doors->answer.status;
}

#define BASIC_SHOP "Basic d2tfc2hvcDo="  /* wk_shop: */
#define BASIC_WEB "Basic d2tfd2ViOg=="   /* wk_web: */
#define BASIC_TMALL "Basic d2tfdG1hbGw6" /* wk_tmall: */
#define BASIC_QUIET "Basic d2tfcXVpZXQ6" /* wk_quiet: */

static inline int doors_post(struct doors *doors, const char *path, const char *authorization,
                             const char *body)
{
    return doors_send(doors, "POST", path, NULL, authorization, str_from_c(body));
}

/* The identifier of a type, or NULL. */
static inline const struct event_identifier *identifier_of(const struct event *event,
                                                           const char *type)
{
    for (uint32_t i = 0; i < event->identifier_count; i++)
        if (str_equal(event->identifiers[i].type, str_from_c(type)))
            return &event->identifiers[i];
    return NULL;
}

static inline const struct event_trait *trait_of(const struct event *event, const char *name)
{
    for (uint32_t i = 0; i < event->trait_count; i++)
        if (str_equal(event->traits[i].name, str_from_c(name)))
            return &event->traits[i];
    return NULL;
}

#define assert_text(actual, expected)                                                     \
    do {                                                                                  \
        str assert_text_actual = (actual), assert_text_expected = str_from_c(expected);   \
        if (!str_equal(assert_text_actual, assert_text_expected))                         \
            fail_msg("'" STR_FMT "' is not '%s'", STR_ARG(assert_text_actual), expected); \
    } while (0)

/* A member of a JSON object as its JSON text, borrowed from doors->arena. */
static inline str member_of(struct doors *doors, str object, const char *name)
{
    json_value root;
    struct buffer out;
    str copy = STR_NONE;
    struct problem problem = { .error = ERR_OK };
    assert_int_equal(json_parse(doors->parser, object, &root, &problem), ERR_OK);
    json_value value = json_get(root, str_from_c(name));
    if (json_kind(value) == JSON_MISSING)
        return STR("missing");
    buffer_init(&out, 1 << 20);
    json_write_value(&out, value);
    assert_int_equal(arena_dup(&doors->arena, buffer_str(&out), &copy), ERR_OK);
    buffer_deinit(&out);
    return copy;
}

/* What a member {"$sealed":…} hides; "" if it is not sealed. */
static inline str unsealed_member(struct doors *doors, str object, const char *name)
{
    str member = member_of(doors, object, name), plain = STR_NONE;
    json_value root;
    struct problem problem = { .error = ERR_OK };
    if (json_parse(doors->parser, member, &root, &problem) != ERR_OK)
        return STR_NONE;
    str sealed = json_text(json_get(root, STR("$sealed")));
    if (sealed.size > 0)
        assert_int_equal(keys_unseal(doors->keys, &doors->arena, sealed, &plain, &problem), ERR_OK);
    return plain;
}

static inline str unsealed(struct doors *doors, str sealed)
{
    str plain = STR_NONE;
    struct problem problem = { .error = ERR_OK };
    assert_int_equal(keys_unseal(doors->keys, &doors->arena, sealed, &plain, &problem), ERR_OK);
    return plain;
}

#endif
