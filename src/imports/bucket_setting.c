/* SPDX-License-Identifier: Apache-2.0 */
/* bucket_setting: what is said of a bucket is checked, its secret sealed; what is shown of it. */
#include <string.h>

#include "channel/guard.h"
#include "engine/setting.h"
#include "imports/bucket.h"

#define ARENA_BYTES ((size_t)256 << 10)

/* ---- checking ---- */

static bool is_made_of(str text, const char *signs, size_t least, size_t most)
{
    if (text.size < least || text.size > most)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(signs, c) != NULL)))
            return false;
    }
    return true;
}

static bool is_printable(str text, size_t least, size_t most)
{
    if (text.size < least || text.size > most)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if ((uint8_t)text.data[i] <= 0x20 || (uint8_t)text.data[i] >= 0x7f)
            return false;
    }
    return true;
}

static err refuse(struct problem *problem, const char *member, const char *what, const char *cure)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", what);
    problem_hint(problem, ERR_UNPROCESSABLE, "%s", cure);
    return problem_at(problem, ERR_UNPROCESSABLE, "/%s", member);
}

/* A host and nothing behind it: the name of the bucket and the keys of objects come there. */
static err check_endpoint(str endpoint, bool allow_private, struct problem *problem)
{
    err error = guard_check_url(endpoint, allow_private, problem);
    if (error != ERR_OK)
        return problem_at(problem, error, "/endpoint");
    size_t at = str_starts_with(endpoint, STR("https://")) ? 8 : 7;
    str host = str_slice(endpoint, at, endpoint.size);
    size_t end = str_find_byte(host, '/');
    if (end + 1 < host.size || str_find_byte(host, '?') < host.size ||
        str_find_byte(host, '#') < host.size || endpoint.size > 300)
        return refuse(problem, "endpoint", "the endpoint has something behind its host",
                      "as in https://oss-cn-hangzhou.aliyuncs.com");
    return ERR_OK;
}

static err check(const struct bucket *bucket, struct problem *problem)
{
    err error = check_endpoint(bucket->endpoint, bucket->allow_private, problem);
    if (error != ERR_OK)
        return error;
    if (!is_made_of(bucket->key, "_-", 1, BUCKET_KEY_BYTES))
        return refuse(problem, "key", "the key of a bucket has 1 to 64 of a-z 0-9 _ -",
                      "choose another one");
    if (!is_made_of(bucket->region, "-", 1, 64))
        return refuse(problem, "region", "the region has 1 to 64 of a-z 0-9 -",
                      "as in cn-north-1, or us-east-1 where there is none");
    if (!is_made_of(bucket->name, ".-", 3, 63))
        return refuse(problem, "name", "the name of a bucket has 3 to 63 of a-z 0-9 . -",
                      "it is the one that the provider shows");
    if (bucket->prefix.size > 500 || memchr(bucket->prefix.data, '\0', bucket->prefix.size) != NULL)
        return refuse(problem, "prefix", "the prefix has at most 500 bytes",
                      "as in exports/daily/");
    if (!is_printable(bucket->access_key, 1, 128))
        return refuse(problem, "access_key", "the access key has 1 to 128 letters and signs",
                      "give the one that may list and read");
    if (!is_printable(bucket->secret_key, 1, 200))
        return refuse(problem, "secret_key", "the secret key has 1 to 200 letters and signs",
                      "give the one that belongs to the access key");
    return ERR_OK;
}

/* ---- saying ---- */

static void write_shown(const struct bucket *bucket, struct json_writer *writer)
{
    json_member_text(writer, STR("endpoint"), bucket->endpoint);
    json_member_text(writer, STR("region"), bucket->region);
    json_member_text(writer, STR("name"), bucket->name);
    json_member_text(writer, STR("prefix"), bucket->prefix);
    json_member_text(writer, STR("access_key"), bucket->access_key);
    json_member_bool(writer, STR("path_style"), bucket->path_style);
    json_member_bool(writer, STR("allow_private"), bucket->allow_private);
}

static err write_put(struct imports *imports, const struct bucket *bucket, struct arena *arena,
                     struct buffer *body)
{
    struct json_writer writer;
    str sealed;
    err error = keys_seal(engine_keys(imports->engine), arena, bucket->secret_key, &sealed);
    if (error != ERR_OK)
        return error;
    setting_put_begin(&writer, body, IMPORTS_BUCKET_SETTING, bucket->key);
    write_shown(bucket, &writer);
    json_member_text(&writer, STR("secret_key"), sealed);
    return setting_put_end(&writer, body);
}

err imports_bucket_prepare(struct imports *imports, str key, json_value request,
                           struct buffer *body, struct problem *problem)
{
    struct arena arena;
    struct problem unused;
    struct bucket before;
    struct bucket bucket = {
        .key = key,
        .endpoint = json_text(json_get(request, STR("endpoint"))),
        .region = json_text(json_get(request, STR("region"))),
        .name = json_text(json_get(request, STR("name"))),
        .prefix = json_text(json_get(request, STR("prefix"))),
        .access_key = json_text(json_get(request, STR("access_key"))),
        .secret_key = json_text(json_get(request, STR("secret_key"))),
        .path_style = json_bool(json_get(request, STR("path_style")), false),
        .allow_private = json_bool(json_get(request, STR("allow_private")), false),
    };
    arena_init(&arena, "import_bucket", ARENA_BYTES);
    /* The secret stays with where it was given for: it is not sent to another host. */
    if (bucket.secret_key.size == 0 &&
        bucket_load(imports, key, &arena, &before, &unused) == ERR_OK &&
        str_equal(before.endpoint, bucket.endpoint) &&
        str_equal(before.access_key, bucket.access_key))
        bucket.secret_key = before.secret_key;
    err error = check(&bucket, problem);
    if (error == ERR_OK)
        error = write_put(imports, &bucket, &arena, body);
    arena_deinit(&arena);
    return error;
}

err imports_bucket_forget(struct imports *imports, str key, struct buffer *body,
                          struct problem *problem)
{
    struct arena arena;
    struct bucket bucket;
    arena_init(&arena, "import_bucket", ARENA_BYTES);
    err error = bucket_load(imports, key, &arena, &bucket, problem);
    arena_deinit(&arena);
    return error == ERR_OK ? setting_write_forget(body, IMPORTS_BUCKET_SETTING, key) : error;
}

/* ---- showing ---- */

static void write_state(struct imports *imports, str key, struct json_writer *writer)
{
    struct bucket_state state = { .looked_ms = 0 };
    pthread_mutex_lock(&imports->mutex);
    for (size_t i = 0; i < BUCKETS_SHOWN_MAX; i++) {
        if (str_equal(str_from_c(imports->buckets[i].key), key))
            state = imports->buckets[i];
    }
    pthread_mutex_unlock(&imports->mutex);
    json_put_key(writer, STR("looked_at"));
    if (state.looked_ms > 0)
        json_put_time(writer, state.looked_ms);
    else
        json_put_null(writer);
    json_member_int(writer, STR("objects"), (int64_t)state.objects);
    json_member_int(writer, STR("fetched"), (int64_t)state.fetched);
    json_member_text(writer, STR("problem"), str_from_c(state.problem));
}

struct showing {
    struct imports *imports;
    struct json_writer *writer;
    struct arena arena;
};

static bool show_setting(void *context, str key)
{
    struct showing *showing = context;
    struct bucket bucket;
    struct problem unused;
    arena_reset(&showing->arena);
    if (bucket_load(showing->imports, key, &showing->arena, &bucket, &unused) != ERR_OK)
        return false; /* forgotten, or sealed by keys that are gone */
    json_begin_object(showing->writer);
    json_member_text(showing->writer, STR("key"), key);
    write_shown(&bucket, showing->writer);
    write_state(showing->imports, key, showing->writer);
    json_end_object(showing->writer);
    return true;
}

err imports_write_buckets(struct imports *imports, str key, struct json_writer *writer,
                          struct problem *problem)
{
    struct showing showing = { .imports = imports, .writer = writer };
    arena_init(&showing.arena, "import_bucket", ARENA_BYTES);
    err error = setting_each(imports->engine, IMPORTS_BUCKET_SETTING, key, "bucket", show_setting,
                             &showing, problem);
    arena_deinit(&showing.arena);
    return error;
}
