/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes: held against openapi.json both ways, and searched. */
#include "support/cmocka.h"

#include <string.h>

#include "base/json.h"
#include "server/router.h"
#include "server/server.h"

static struct json_parser *parser;
static json_value paths;

static int read_document(void **state)
{
    json_value root;
    (void)state;
    if (json_parser_new(&parser, 4 * 1024 * 1024) != ERR_OK ||
        json_parse(parser, server_openapi(), &root, NULL) != ERR_OK)
        return -1;
    paths = json_get(root, STR("paths"));
    return 0;
}

static int forget_document(void **state)
{
    (void)state;
    json_parser_free(&parser);
    return 0;
}

static str lower(enum method method)
{
    static char text[16];
    const char *name = method_text(method);
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)(name[i] - 'A' + 'a');
    return str_from_bytes(text, size);
}

static void test_every_route_is_in_the_document(void **state)
{
    (void)state;
    for (size_t i = 0; i < router_count(); i++) {
        const struct route *route = router_at(i);
        json_value operation =
            json_get(json_get(paths, str_from_c(route->path)), lower(route->method));
        if (!json_is_object(operation))
            fail_msg("%s %s is not in openapi.json", method_text(route->method), route->path);
        assert_str_equal(json_text(json_get(operation, STR("operationId"))),
                         str_from_c(route->operation));
        assert_str_equal(json_text(json_get(operation, STR("x-permission"))),
                         str_from_c(permission_text(route->permission)));
        json_value body = json_get(operation, STR("requestBody"));
        assert_int_equal(json_bool(json_get(body, STR("required")), false),
                         route->body == ROUTE_BODY);
    }
}

static bool has_route(str path, str method)
{
    for (size_t i = 0; i < router_count(); i++)
        if (str_equal(str_from_c(router_at(i)->path), path) &&
            str_equal(lower(router_at(i)->method), method))
            return true;
    return false;
}

static void test_every_operation_has_its_route(void **state)
{
    struct json_iterator path_iterator = json_iterate(paths);
    str path, method;
    json_value methods, operation;
    size_t count = 0;
    (void)state;
    while (json_next(&path_iterator, &path, &methods)) {
        struct json_iterator method_iterator = json_iterate(methods);
        while (json_next(&method_iterator, &method, &operation)) {
            if (!has_route(path, method))
                fail_msg("openapi.json promises " STR_FMT " " STR_FMT ", no route does it",
                         STR_ARG(method), STR_ARG(path));
            count++;
        }
    }
    assert_int_equal(count, router_count());
}

/* The query parameters of the document, resolved, are those that the row takes. */
static void test_query_parameters_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < router_count(); i++) {
        const struct route *route = router_at(i);
        json_value parameters =
            json_get(json_get(json_get(paths, str_from_c(route->path)), lower(route->method)),
                     STR("parameters"));
        struct json_iterator iterator = json_iterate(parameters);
        json_value parameter;
        size_t count = 0, known = 0;
        str rest = str_from_c(route->query), name;
        while (str_split(&rest, ' ', &name))
            known += name.size > 0;
        while (json_next(&iterator, NULL, &parameter)) {
            str reference = json_text(json_get(parameter, STR("$ref")));
            str in = json_text(json_get(parameter, STR("in")));
            bool is_query = str_equal(in, STR("query")) ||
                            str_ends_with(reference, STR("/cursor")) ||
                            str_ends_with(reference, STR("/limit")) ||
                            str_ends_with(reference, STR("/reveal")) ||
                            str_ends_with(reference, STR("/reason"));
            count += is_query;
        }
        if (count != known)
            fail_msg("%s %s takes %zu parameters, openapi.json says %zu",
                     method_text(route->method), route->path, known, count);
    }
}

static void test_permissions_and_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < router_count(); i++) {
        const struct route *route = router_at(i);
        assert_true(route->permission < PERMISSION_SYSTEM);
        /* Nobody unknown changes anything, save by signing in, by the token of a link, or by a provider's
         * signature. */
        bool proves_itself = strcmp(route->operation, "signIn") == 0 ||
                             strcmp(route->operation, "unsubscribe") == 0 ||
                             strcmp(route->operation, "putPreferences") == 0 ||
                             strcmp(route->operation, "receiveHook") == 0;
        if (route->method != METHOD_GET && !proves_itself)
            assert_true(route->permission != PERMISSION_PUBLIC);
        for (size_t other = 0; other < i; other++)
            assert_false(router_at(other)->method == route->method &&
                         strcmp(router_at(other)->path, route->path) == 0);
    }
}

/* ---- searching ---- */

static struct arena arena;
static str parameters[PATH_PARAMETERS_MAX];
static char allow[64];

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, "test", 1024 * 1024);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static err find(enum method method, const char *path, const struct route **route)
{
    return router_find(method, str_from_c(path), &arena, route, parameters, allow, sizeof(allow));
}

static void test_parameters_are_decoded(void **state)
{
    const struct route *route;
    (void)state;
    assert_ok(find(METHOD_GET, "/api/v1/customers/by/user_id/a%2Fb%20c%E4%B8%8A", &route));
    assert_string_equal(route->operation, "getCustomerByIdentifier");
    assert_str_equal(parameters[0], STR("user_id"));
    assert_str_equal(parameters[1], STR("a/b c上"));
    assert_ok(find(METHOD_GET, "/api/v1/customers/c_1", &route));
    assert_string_equal(route->operation, "getCustomer");
    assert_ok(find(METHOD_HEAD, "/api/v1/customers/c_1", &route));
    assert_ok(find(METHOD_GET, "/api/v1/customers/a+b", &route));
    assert_str_equal(parameters[0], STR("a+b")); /* a plus is a space in queries alone */
}

static void test_what_is_not_there(void **state)
{
    static const char *const nowhere[] = {
        "",
        "/",
        "//",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/customers/",
        "/api/v1/customers//",
        "/api/v1/customers/by/x",
        "/api/v1/customers/by//x",
        "/api/v1/customers/a/b/c/d/e",
        "/API/V1/SESSION",
        "api/v1/session",
        "/api/v1/session/",
        "/api/v1/sessions",
        "/healthz/x",
    };
    const struct route *route;
    (void)state;
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
        if (find(METHOD_GET, nowhere[i], &route) != ERR_NOT_FOUND)
            fail_msg("'%s' is found", nowhere[i]);
    assert_err(find(METHOD_GET, "/api/v1/customers/%", &route), ERR_INVALID);
    assert_err(find(METHOD_GET, "/api/v1/customers/%zz", &route), ERR_INVALID);
    assert_err(find(METHOD_GET, "/api/v1/customers/%00", &route), ERR_INVALID);
    assert_err(find(METHOD_GET, "/api/v1/customers/%C0%AF", &route), ERR_INVALID);
}

static void test_wrong_method_says_which(void **state)
{
    const struct route *route;
    (void)state;
    assert_err(find(METHOD_DELETE, "/api/v1/settings/x", &route), ERR_METHOD);
    assert_string_equal(allow, "GET, PUT");
    assert_err(find(METHOD_OTHER, "/healthz", &route), ERR_METHOD);
    assert_string_equal(allow, "GET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_route_is_in_the_document, read_document,
                                        forget_document),
        cmocka_unit_test_setup_teardown(test_every_operation_has_its_route, read_document,
                                        forget_document),
        cmocka_unit_test_setup_teardown(test_query_parameters_agree, read_document,
                                        forget_document),
        cmocka_unit_test(test_permissions_and_changes),
        cmocka_unit_test_setup_teardown(test_parameters_are_decoded, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_not_there, begin, end),
        cmocka_unit_test_setup_teardown(test_wrong_method_says_which, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
