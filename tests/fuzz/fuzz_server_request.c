/* SPDX-License-Identifier: Apache-2.0 */
/* What a stranger writes into the first line: path, escapes, query, cursor. */
#include "server/answer.h"
#include "server/router.h"

#include <stdlib.h>

static struct keys *keys;
static struct arena arena;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct problem problem;
    (void)argc;
    (void)argv;
    arena_init(&arena, "fuzz", 64 * 1024 * 1024);
    /* A fixed key: a cursor in the corpus stays a cursor. */
    setenv("KITH_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1);
    INVARIANT(keys_open(&keys, "/tmp/kith-fuzz-keys", &problem) == ERR_OK);
    return 0;
}

static void check_route(str path)
{
    const struct route *route;
    str parameters[PATH_PARAMETERS_MAX];
    char allow[64];
    if (router_find(METHOD_GET, path, &arena, &route, parameters, allow, sizeof(allow)) == ERR_OK)
        INVARIANT(route->handler != NULL);
}

static void check_query(str query)
{
    static const struct route route = { .query = "query trait.* limit cursor" };
    struct request request = { .route = &route, .query = query };
    struct query_iterator iterator = { .rest = query };
    struct problem problem;
    str name, value;
    arena_init(&request.arena, "fuzz", 16 * 1024 * 1024);
    err error = request_check_query(&request, &problem);
    while (request_next_query(&request, &iterator, &name, &value))
        INVARIANT(str_is_utf8(name) && str_is_utf8(value));
    if (error == ERR_OK)
        INVARIANT(str_is_utf8(request_query(&request, STR("query"))));
    arena_deinit(&request.arena);
}

static void check_cursor(str text)
{
    struct server server = { .keys = keys };
    struct request request = { .server = &server };
    int64_t numbers[2];
    if (!cursor_parse(keys, text, 'e', numbers, 2))
        return;
    arena_init(&request.arena, "fuzz", 65536);
    INVARIANT(str_equal(cursor_encode(&request, 'e', numbers, 2), text));
    arena_deinit(&request.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_from_bytes(data, size), out;
    size_t question = str_find_byte(text, '?');
    if (size > URI_BYTES_MAX)
        return 0;
    if (url_decode(&arena, text, true, &out))
        INVARIANT(str_is_utf8(out) && out.size <= size);
    check_route(str_slice(text, 0, question));
    check_query(str_slice(text, question + 1, size));
    check_cursor(text);
    arena_reset(&arena);
    return 0;
}
