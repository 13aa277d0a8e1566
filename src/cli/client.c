/* SPDX-License-Identifier: Apache-2.0 */
/* client: the API over libcurl. */
#include "cli/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define ANSWER_BYTES_MAX ((size_t)64 << 20)
#define CONNECT_SECONDS 10L

struct client {
    CURL *curl;
    struct curl_slist *headers;
    char server[512];
    struct buffer answer;
    struct json_parser *parser;
};

err client_new(struct client **made, const char *server, const char *token, struct problem *problem)
{
    char header[600];
    if (server[0] == '\0')
        server = getenv("KITH_URL") != NULL ? getenv("KITH_URL") : "http://127.0.0.1:8080";
    if (token[0] == '\0')
        token = getenv("KITH_ADMIN_TOKEN");
    if (token == NULL || token[0] == '\0') {
        problem_set(problem, ERR_UNAUTHENTICATED, "no token");
        return problem_hint(problem, ERR_UNAUTHENTICATED, "give --token, or KITH_ADMIN_TOKEN");
    }
    struct client *client = memory_alloc(sizeof(*client));
    if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return problem_set(problem, ERR_NOMEM, "no memory for a client");
    buffer_init(&client->answer, ANSWER_BYTES_MAX);
    snprintf(client->server, sizeof(client->server), "%s", server);
    snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
    client->headers = curl_slist_append(NULL, header);
    client->headers = curl_slist_append(client->headers, "Expect:");
    client->curl = curl_easy_init();
    *made = client;
    if (client->curl == NULL || client->headers == NULL ||
        json_parser_new(&client->parser, ANSWER_BYTES_MAX) != ERR_OK) {
        client_free(made);
        return problem_set(problem, ERR_NOMEM, "no memory for a client");
    }
    return ERR_OK;
}

void client_free(struct client **freed)
{
    struct client *client = *freed;
    *freed = NULL;
    if (client == NULL)
        return;
    if (client->curl != NULL)
        curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    buffer_deinit(&client->answer);
    json_parser_free(&client->parser);
    memory_free(client);
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct client *client = context;
    buffer_append(&client->answer, bytes, size * count);
    return client->answer.failed ? 0 : size * count;
}

/* The server's own words, where it has some. */
static err refused(struct client *client, long status, struct problem *problem)
{
    json_value json;
    err error = status == 404   ? ERR_NOT_FOUND
                : status == 409 ? ERR_CONFLICT
                : status == 429 ? ERR_BUSY
                : status == 503 ? ERR_UNAVAILABLE
                : status == 507 ? ERR_STORAGE_FULL
                                : ERR_UNPROCESSABLE;
    if (json_parse(client->parser, buffer_str(&client->answer), &json, NULL) != ERR_OK)
        return problem_set(problem, error, "the server answered with status %ld", status);
    str detail = json_text(json_get(json, STR("detail")));
    str hint = json_text(json_get(json, STR("hint")));
    problem_set(problem, error, "%.*s", (int)detail.size, detail.data);
    if (hint.size > 0)
        problem_hint(problem, error, "%.*s", (int)hint.size, hint.data);
    return error;
}

err client_ask(struct client *client, const char *method, const char *path, str body,
               json_value *answer, struct problem *problem)
{
    char url[1600];
    long status = 0;
    CURL *curl = client->curl;
    snprintf(url, sizeof(url), "%s/api/v1%s", client->server, path);
    buffer_clear(&client->answer);
    *answer = (json_value){ .document = NULL };
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (strcmp(method, "GET") != 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.size > 0 ? body.data : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    }
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        problem_set(problem, ERR_UNAVAILABLE, "the server at %s cannot be reached: %s",
                    client->server, curl_easy_strerror(code));
        return problem_hint(problem, ERR_UNAVAILABLE, "start it, or say --server URL");
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300)
        return refused(client, status, problem);
    str bytes = buffer_str(&client->answer);
    if (bytes.size == 0 || (bytes.data[0] != '{' && bytes.data[0] != '['))
        return ERR_OK;
    return json_parse(client->parser, bytes, answer, problem);
}

struct fetching {
    struct client *client;
    FILE *file;
};

/* What is refused is kept to be told; the rest goes into the file. */
static size_t take_file(char *bytes, size_t size, size_t count, void *context)
{
    struct fetching *fetching = context;
    long status = 0;
    curl_easy_getinfo(fetching->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300)
        return take_bytes(bytes, size, count, fetching->client);
    return fwrite(bytes, size, count, fetching->file) * size;
}

err client_fetch(struct client *client, const char *path, FILE *file, struct problem *problem)
{
    char url[1600];
    long status = 0;
    CURL *curl = client->curl;
    struct fetching fetching = { client, file };
    snprintf(url, sizeof(url), "%s/api/v1%s", client->server, path);
    buffer_clear(&client->answer);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_file);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &fetching);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        return problem_set(problem, ERR_UNAVAILABLE, "the file could not be fetched: %s",
                           curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 300 ? refused(client, status, problem) : ERR_OK;
}

str client_bytes(const struct client *client)
{
    return buffer_str(&client->answer);
}
