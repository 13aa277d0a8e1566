/* SPDX-License-Identifier: Apache-2.0 */
/* bucket: requests to a bucket by libcurl, signed; see bucket.h. */
#include "imports/bucket.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "channel/guard.h"
#include "engine/setting.h"
#include "imports/sign.h"

#define LIST_BYTES_MAX ((size_t)16 << 20)
#define URL_BYTES_MAX ((size_t)16 << 10)
#define ERROR_BYTES_KEPT 2048
#define SETTING_BYTES_MAX 16384
#define CONNECT_MS 10000L
/* Slower than this for so long is no transfer any more. */
#define SLOW_BYTES 100L
#define SLOW_SECONDS 30L

/* ---- one request ---- */

struct fetch {
    struct imports *imports;
    const struct bucket *bucket;
    CURL *curl;
    struct buffer url, path, query, authorization, failure;
    char range[64], match[160];
    uint64_t skip; /* bytes to leave out: the server knows no ranges */
    bool was_private;
    err (*take)(void *context, str bytes);
    void *context;
    err taken; /* what `take` said */
};

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetch *fetch = context;
    (void)purpose;
    if (!fetch->bucket->allow_private && guard_is_private(&address->addr)) {
        fetch->was_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_bytes(char *bytes, size_t one, size_t size, void *context)
{
    struct fetch *fetch = context;
    long status = 0;
    (void)one;
    curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 206) {
        size_t room = ERROR_BYTES_KEPT - fetch->failure.size;
        buffer_append(&fetch->failure, bytes, size < room ? size : room);
        return size;
    }
    str part = str_from_bytes(bytes, size);
    if (status == 200 && fetch->skip > 0) {
        size_t skipped = fetch->skip < size ? (size_t)fetch->skip : size;
        fetch->skip -= skipped;
        part = str_slice(part, skipped, part.size);
    }
    fetch->taken = part.size > 0 ? fetch->take(fetch->context, part) : ERR_OK;
    return fetch->taken == ERR_OK ? size : 0;
}

static int must_end(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct fetch *fetch = context;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    pthread_mutex_lock(&fetch->imports->mutex);
    bool stopping = fetch->imports->stopping;
    pthread_mutex_unlock(&fetch->imports->mutex);
    return stopping ? 1 : 0;
}

/* "https://host:8443" as scheme and host; guard_check_url has seen that it is one. */
static void split_endpoint(str endpoint, str *scheme, str *host)
{
    size_t at = str_starts_with(endpoint, STR("https://")) ? 8 : 7;
    *scheme = str_slice(endpoint, 0, at);
    *host = str_slice(endpoint, at, endpoint.size);
    while (str_ends_with(*host, STR("/")))
        host->size--;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[2048];
    int size = snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer =
        size > 0 && (size_t)size < sizeof line ? curl_slist_append(*list, line) : NULL;
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool sign(struct fetch *fetch, str host, struct curl_slist **headers)
{
    char date[SIGN_DATE_BYTES];
    struct wall_clock
        clock; /* the signature says when it was made: the virtual clock of tests does not count */
    wall_clock_init_real(&clock);
    struct sign_request request = { .method = STR("GET"),
                                    .host = host,
                                    .path = buffer_str(&fetch->path),
                                    .query = buffer_str(&fetch->query),
                                    .range = str_from_c(fetch->range),
                                    .region = fetch->bucket->region,
                                    .access_key = fetch->bucket->access_key,
                                    .secret_key = fetch->bucket->secret_key,
                                    .now_ms = wall_clock_now_ms(&clock) };
    if (sign_request_write(&request, &fetch->authorization, date) != ERR_OK)
        return false;
    buffer_append_byte(&fetch->authorization, 0);
    return buffer_status(&fetch->authorization) == ERR_OK &&
           add_header(headers, "Authorization", fetch->authorization.data) &&
           add_header(headers, "x-amz-date", date) &&
           add_header(headers, "x-amz-content-sha256", SIGN_EMPTY_SHA256) &&
           (fetch->range[0] == '\0' || add_header(headers, "Range", fetch->range)) &&
           (fetch->match[0] == '\0' || add_header(headers, "If-Match", fetch->match));
}

static void set_options(struct fetch *fetch, struct curl_slist *headers)
{
    CURL *curl = fetch->curl;
    curl_easy_setopt(curl, CURLOPT_URL, fetch->url.data);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, must_end);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static err judge_status(const struct fetch *fetch, struct problem *problem)
{
    char code[64];
    long status = 0;
    curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200 || status == 206)
        return ERR_OK;
    listing_error_code(buffer_str(&fetch->failure), code);
    err error = status == 401 || status == 403   ? ERR_FORBIDDEN
                : status == 404                  ? ERR_NOT_FOUND
                : status == 412 || status == 416 ? ERR_CONFLICT
                                                 : ERR_UNAVAILABLE;
    return problem_set(problem, error, "the bucket '" STR_FMT "' answers %ld %s",
                       STR_ARG(fetch->bucket->key), status, code);
}

static err judge(const struct fetch *fetch, CURLcode code, struct problem *problem)
{
    if (fetch->taken != ERR_OK)
        return problem_set(problem, fetch->taken, "what the bucket sends cannot be kept: %s",
                           err_title(fetch->taken));
    if (fetch->was_private) {
        problem_set(problem, ERR_FORBIDDEN, "the bucket '" STR_FMT "' leads to a private address",
                    STR_ARG(fetch->bucket->key));
        return problem_hint(problem, ERR_FORBIDDEN, "set 'allow_private' if it is meant");
    }
    if (code != CURLE_OK)
        return problem_set(problem, ERR_UNAVAILABLE,
                           "the bucket '" STR_FMT "' cannot be reached: %s",
                           STR_ARG(fetch->bucket->key), curl_easy_strerror(code));
    return judge_status(fetch, problem);
}

/* path and query are those after the host and the bucket's own place in it. */
static err perform(struct fetch *fetch, str key, struct problem *problem)
{
    const struct bucket *bucket = fetch->bucket;
    struct buffer host;
    struct curl_slist *headers = NULL;
    str scheme, bare;
    buffer_init(&host, 1024);
    split_endpoint(bucket->endpoint, &scheme, &bare);
    if (!bucket->path_style)
        buffer_printf(&host, STR_FMT ".", STR_ARG(bucket->name));
    buffer_append_str(&host, bare);
    buffer_append_byte(&fetch->path, '/');
    if (bucket->path_style) {
        buffer_append_str(&fetch->path, bucket->name);
        buffer_append_str(&fetch->path, key.size > 0 ? STR("/") : STR_NONE);
    }
    sign_percent_encode(&fetch->path, key, true);
    buffer_printf(&fetch->url, STR_FMT STR_FMT STR_FMT "%s" STR_FMT, STR_ARG(scheme),
                  STR_ARG(buffer_str(&host)), STR_ARG(buffer_str(&fetch->path)),
                  fetch->query.size > 0 ? "?" : "", STR_ARG(buffer_str(&fetch->query)));
    buffer_append_byte(&fetch->url, 0);
    bool ready = buffer_status(&fetch->url) == ERR_OK && sign(fetch, buffer_str(&host), &headers);
    err error = ERR_NOMEM;
    if (ready) {
        set_options(fetch, headers);
        CURLcode code = curl_easy_perform(fetch->curl);
        error = judge(fetch, code, problem);
    }
    curl_slist_free_all(headers);
    buffer_deinit(&host);
    return error;
}

static err fetch_open(struct fetch *fetch, struct problem *problem)
{
    fetch->curl = curl_easy_init();
    buffer_init(&fetch->url, URL_BYTES_MAX);
    buffer_init(&fetch->path, URL_BYTES_MAX);
    buffer_init(&fetch->query, URL_BYTES_MAX);
    buffer_init(&fetch->authorization, 2048);
    buffer_init(&fetch->failure, ERROR_BYTES_KEPT);
    if (fetch->curl == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a request to a bucket");
    return guard_check_url(fetch->bucket->endpoint, fetch->bucket->allow_private, problem);
}

static void fetch_close(struct fetch *fetch)
{
    if (fetch->curl != NULL)
        curl_easy_cleanup(fetch->curl);
    buffer_deinit(&fetch->url);
    buffer_deinit(&fetch->path);
    buffer_deinit(&fetch->query);
    buffer_deinit(&fetch->authorization);
    buffer_deinit(&fetch->failure);
}

/* ---- listing ---- */

static err keep_part(void *context, str bytes)
{
    struct buffer *answer = context;
    buffer_append_str(answer, bytes);
    return buffer_status(answer);
}

static err list_page(struct imports *imports, const struct bucket *bucket, str from,
                     struct buffer *answer, struct problem *problem)
{
    struct fetch fetch = {
        .imports = imports, .bucket = bucket, .take = keep_part, .context = answer
    };
    err error = fetch_open(&fetch, problem);
    if (from.size > 0) {
        buffer_append_str(&fetch.query, STR("continuation-token="));
        sign_percent_encode(&fetch.query, from, false);
        buffer_append_byte(&fetch.query, '&');
    }
    buffer_append_str(&fetch.query, STR("encoding-type=url&list-type=2&prefix="));
    sign_percent_encode(&fetch.query, bucket->prefix, false);
    if (error == ERR_OK)
        error = perform(&fetch, STR_NONE, problem);
    fetch_close(&fetch);
    return error;
}

struct until_enough {
    bool (*take)(void *context, const struct listing_object *object);
    void *context;
    bool enough;
};

static bool take_until_enough(void *context, const struct listing_object *object)
{
    struct until_enough *until = context;
    until->enough = !until->take(until->context, object);
    return !until->enough;
}

err bucket_list(struct imports *imports, const struct bucket *bucket,
                bool (*take)(void *context, const struct listing_object *object), void *context,
                struct problem *problem)
{
    struct until_enough until = { take, context, false };
    struct listing listing = { .take = take_until_enough, .context = &until };
    struct buffer answer, from;
    err error = ERR_OK;
    buffer_init(&listing.next, 8192);
    buffer_init(&from, 8192);
    buffer_init(&answer, LIST_BYTES_MAX);
    do {
        buffer_clear(&answer);
        error = list_page(imports, bucket, buffer_str(&from), &answer, problem);
        if (error == ERR_OK)
            error = listing_read(buffer_str(&answer), &listing, problem);
        buffer_clear(&from);
        buffer_append_str(&from, buffer_str(&listing.next));
    } while (error == ERR_OK && from.size > 0 && !until.enough);
    buffer_deinit(&listing.next);
    buffer_deinit(&from);
    buffer_deinit(&answer);
    return error;
}

/* ---- fetching ---- */

err bucket_fetch(struct imports *imports, const struct bucket *bucket,
                 const struct listing_object *object, uint64_t from,
                 err (*take)(void *context, str bytes), void *context, struct problem *problem)
{
    struct fetch fetch = {
        .imports = imports, .bucket = bucket, .take = take, .context = context, .skip = from
    };
    err error = fetch_open(&fetch, problem);
    if (from > 0)
        snprintf(fetch.range, sizeof fetch.range, "bytes=%llu-", (unsigned long long)from);
    if (object->etag.size > 0 && object->etag.size < sizeof fetch.match)
        snprintf(fetch.match, sizeof fetch.match, STR_FMT, STR_ARG(object->etag));
    if (error == ERR_OK)
        error = perform(&fetch, object->key, problem);
    fetch_close(&fetch);
    return error;
}

/* ---- what is known of a bucket ---- */

static err keep(struct arena *arena, json_value json, const char *name, str *out)
{
    return arena_dup(arena, json_text(json_get(json, str_from_c(name))), out);
}

static err read_bucket(struct imports *imports, json_value json, struct arena *arena,
                       struct bucket *bucket, struct problem *problem)
{
    const struct {
        const char *name;
        str *out;
    } texts[] = { { "endpoint", &bucket->endpoint },
                  { "region", &bucket->region },
                  { "name", &bucket->name },
                  { "prefix", &bucket->prefix },
                  { "access_key", &bucket->access_key } };
    err error = ERR_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && error == ERR_OK; i++)
        error = keep(arena, json, texts[i].name, texts[i].out);
    bucket->path_style = json_bool(json_get(json, STR("path_style")), false);
    bucket->allow_private = json_bool(json_get(json, STR("allow_private")), false);
    str sealed = json_text(json_get(json, STR("secret_key")));
    return error == ERR_OK ? keys_unseal(engine_keys(imports->engine), arena, sealed,
                                         &bucket->secret_key, problem)
                           : error;
}

err bucket_load(struct imports *imports, str key, struct arena *arena, struct bucket *bucket,
                struct problem *problem)
{
    struct json_parser *parser = NULL;
    json_value json;
    *bucket = (struct bucket){ .key = key };
    err error = json_parser_new(&parser, SETTING_BYTES_MAX);
    if (error == ERR_OK)
        error = setting_find(imports->engine, IMPORTS_BUCKET_SETTING, key, "bucket", arena, parser,
                             &json, problem);
    if (error == ERR_OK)
        error = read_bucket(imports, json, arena, bucket, problem);
    json_parser_free(&parser);
    return error;
}
