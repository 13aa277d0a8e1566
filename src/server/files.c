/* SPDX-License-Identifier: Apache-2.0 */
/* The console's files, out of the binary, and index.html for each of its own paths. */
#include "server/files.h"

#include "server/answer.h"

str server_openapi(void)
{
    return str_from_bytes(embedded_openapi, (size_t)(embedded_openapi_end - embedded_openapi));
}

static const char *type_of(str path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".ico", "image/x-icon" },
        { ".webp", "image/webp" },
        { ".woff2", "font/woff2" },
        { ".txt", "text/plain; charset=utf-8" },
        { ".webmanifest", "application/manifest+json" },
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (str_ends_with(path, str_from_c(types[i].ending)))
            return types[i].type;
    return "application/octet-stream";
}

static const struct embedded_file *find(str path)
{
    for (const struct embedded_file *file = embedded_files; file->path != NULL; file++)
        if (str_equal(path, str_from_c(file->path)))
            return file;
    return NULL;
}

/* A path of the console itself: no file ending, and none of the API's or a door's. */
static bool is_page(str path)
{
    const str others[] = { STR("/api/"),    STR("/v1/"),    STR("/hooks/"),
                           STR("/beacon/"), STR("/pixel/"), STR("/assets/") };
    str rest = path, segment, last = STR_NONE;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (str_starts_with(path, others[i]))
            return false;
    while (str_split(&rest, '/', &segment))
        last = segment;
    return str_find_byte(last, '.') == last.size;
}

static void send_file(struct request *request, const struct embedded_file *file)
{
    bool packed =
        file->packed != NULL && str_contains(request->headers.accept_encoding, STR("gzip"));
    const char *begin = packed ? file->packed : file->data;
    const char *end = packed ? file->packed_end : file->data_end;
    str path = str_from_c(file->path);
    request->static_body = str_from_bytes(begin, (size_t)(end - begin));
    request->static_encoding = packed ? "gzip" : NULL;
    request->content_type = type_of(path);
    request->is_page = str_ends_with(path, STR(".html"));
    request->etag = str_from_c(file->etag);
    /* What is under /assets/ has its digest in its name. */
    request->cache_control =
        str_starts_with(path, STR("/assets/")) ? "public, max-age=31536000, immutable" : "no-cache";
    if (str_contains(request->headers.if_none_match, request->etag)) {
        request->static_body = STR_NONE;
        request->static_encoding = NULL;
        request->status = 304;
    }
}

bool files_find(struct request *request)
{
    if (request->method != METHOD_GET && request->method != METHOD_HEAD)
        return false;
    str path = str_equal(request->path, STR("/")) ? STR("/index.html") : request->path;
    const struct embedded_file *file = find(path);
    if (file == NULL && is_page(path))
        file = find(STR("/index.html"));
    if (file == NULL)
        return false;
    send_file(request, file);
    return true;
}
