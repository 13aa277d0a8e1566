/* SPDX-License-Identifier: Apache-2.0 */
/* Start, drain and stop of the server; what a folder needs before its first request. */
#include "server/server.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "access/password.h"
#include "base/logline.h"
#include "engine/whatif/whatif.h"
#include "server/answer.h"
#include "server/answers.h"
#include "server/exports.h"
#include "server/figures/figures.h"
#include "server/scope/scope.h"
#include "server/search.h"
#include "server/values.h"

#define IN_FLIGHT_BYTES_MAX ((size_t)256 << 20)
#define DOOR_WAIT_MS_MAX 100

static void take_defaults(struct server_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
#define DEFAULT(member, value)        \
    do {                              \
        if (config->member == 0)      \
            config->member = (value); \
    } while (0)
    DEFAULT(http_threads, cores > 1 ? (unsigned)cores : 2);
    DEFAULT(api_threads, 6);
    DEFAULT(connections_max, 12000);
    DEFAULT(connections_per_address_max, 10000);
    DEFAULT(header_bytes_max, 16 * 1024);
    DEFAULT(api_body_bytes_max, 1024 * 1024);
    DEFAULT(door_body_bytes_max, 4 * 1024 * 1024);
    DEFAULT(header_ms_max, 10000);
    DEFAULT(body_ms_max, 30000);
    DEFAULT(idle_ms_max, 75000);
    DEFAULT(streams_max, 100);
    DEFAULT(values_bytes, 256 * 1024 * 1024);
    DEFAULT(collect.event_bytes_max, 256 * 1024);
    DEFAULT(collect.batch_bytes_max, 4 * 1024 * 1024);
    DEFAULT(collect.batch_events_max, 5000);
#undef DEFAULT
    if (config->zone == NULL)
        config->zone = "Asia/Shanghai";
}

void server_limit(struct server *server, const struct server_limits *limits)
{
    size_t in_flight = limits->in_flight_bytes_max;
    int64_t door_wait_ms = limits->door_wait_ms_max;
    atomic_store(&server->in_flight_bytes_max, in_flight > 0 ? in_flight : IN_FLIGHT_BYTES_MAX);
    atomic_store(&server->door_wait_ms_max, door_wait_ms > 0 ? door_wait_ms : DOOR_WAIT_MS_MAX);
    atomic_store_explicit(&server->trusted_proxies, limits->trusted_proxies, memory_order_release);
}

static void take_identity(const struct engine_state *state, struct engine_question *question)
{
    struct server *server = question->context;
    server->identity = state->identity;
}

static err start_parts(struct server *server, struct problem *problem)
{
    struct engine_question question = { .ask = take_identity, .context = server };
    err error = engine_ask_wait(server->engine, &question);
    if (error == ERR_OK)
        error = answers_new(&server->answers);
    if (error == ERR_OK)
        error = flows_new(&server->flows);
    if (error == ERR_OK)
        error = figures_new(&server->figures);
    if (error == ERR_OK)
        error = scopes_new(&server->scopes);
    if (error == ERR_OK)
        error = namespaces_new(&server->namespaces);
    if (error == ERR_OK)
        error = values_new(&server->values, server->config.values_bytes);
    if (error == ERR_OK)
        error = exports_new(&server->exports, server);
    if (error == ERR_OK)
        error = whatifs_new(&server->whatifs, server->engine);
    if (error != ERR_OK)
        return problem_set(problem, error, "the server cannot be set up");
    error = workspace_start(server, problem);
    if (error == ERR_OK)
        error = auth_start(server, problem);
    if (error == ERR_OK)
        error = workers_start(server, problem);
    if (error == ERR_OK)
        error = loud_start(server);
    if (error == ERR_OK)
        error = filler_start(server);
    if (error == ERR_OK)
        error = live_start(server);
    if (error == ERR_OK)
        error = guard_start(server);
    if (error == ERR_OK)
        error = http_start(server, problem);
    if (error == ERR_OK)
        figures_begin(server);
    if (error == ERR_OK)
        error = accept_start(server, problem);
    return error;
}

err server_start(struct server **out, const struct server_config *config, struct problem *problem)
{
    struct server *server = memory_alloc(sizeof(*server));
    if (server == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the server");
    server->config = *config;
    take_defaults(&server->config);
    server_limit(server, &config->limits);
    server->listen_fd = -1;
    server->engine = config->engine;
    server->keys = engine_keys(config->engine);
    server->started_ms = server_now_ms(server);
    pthread_mutex_init(&server->threads_mutex, NULL);
    pthread_mutex_init(&server->guard_mutex, NULL);
    pthread_mutex_init(&server->access_mutex, NULL);
    pthread_mutex_init(&server->create_mutex, NULL);
    err error = start_parts(server, problem);
    if (error != ERR_OK) {
        server_stop(&server);
        return error;
    }
    *out = server;
    return ERR_OK;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_drain(struct server *server, int64_t timeout_ms)
{
    steady_ns start = steady_now();
    /* From here on each answer closes its connection, and idle ones are cut by the guard. */
    atomic_store(&server->draining, true);
    accept_stop(server);
    live_stop(server);
    while (steady_since_ms(start) < timeout_ms &&
           (atomic_load(&server->in_flight) > 0 || atomic_load(&server->connection_count) > 0))
        steady_sleep_ms(5);
}

void server_stop(struct server **pointer)
{
    struct server *server = *pointer;
    *pointer = NULL;
    if (server == NULL)
        return;
    server_drain(server, 0);
    atomic_store(&server->stopping, true);
    live_stop(server);
    /* Suspended connections come back before libmicrohttpd can end; nobody suspends any more. */
    while (atomic_load(&server->suspended) > 0)
        steady_sleep_ms(2);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    loud_stop(server);
    workers_stop(server);
    guard_stop(server);
    exports_free(&server->exports);
    whatifs_free(&server->whatifs);
    while (server->threads != NULL) {
        struct http_thread *thread = server->threads;
        server->threads = thread->next;
        http_thread_free(thread);
    }
    live_free(server);
    auth_stop(server);
    answers_free(&server->answers);
    figures_free(&server->figures);
    flows_free(&server->flows);
    scopes_free(&server->scopes);
    namespaces_free(&server->namespaces);
    filler_stop(server);
    values_free(&server->values);
    workspace_stop(server);
    pthread_mutex_destroy(&server->threads_mutex);
    pthread_mutex_destroy(&server->guard_mutex);
    pthread_mutex_destroy(&server->access_mutex);
    pthread_mutex_destroy(&server->create_mutex);
    memory_free(server);
}

/* ---- before the first request ---- */

static bool visit_any(void *context, const struct ledger_value *values)
{
    (void)values;
    *(bool *)context = true;
    return false;
}

static err run_command(struct engine *engine, const char *operation, struct command_body *body,
                       struct problem *problem)
{
    struct engine_command command = { .operation = str_from_c(operation),
                                      .body = command_body_end(body) };
    struct buffer answer;
    int status = 0;
    buffer_init(&answer, 65536);
    err error = engine_command(engine, &command, &status, &answer, problem);
    if (error == ERR_OK && status >= 400)
        error = problem_set(problem, ERR_INTERNAL, "%s was refused: %.*s", operation,
                            (int)(answer.size < 200 ? answer.size : 200), answer.data);
    buffer_deinit(&answer);
    return error;
}

/* Without letters and digits that look alike. */
static void make_password(char out[17])
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    for (int i = 0; i < 16; i++)
        out[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
    out[16] = '\0';
}

static err make_administrator(struct engine *engine, char login[SERVER_LOGIN_BYTES],
                              struct problem *problem)
{
    char password[17], hash[PASSWORD_HASH_BYTES];
    struct command_body body;
    make_password(password);
    if (password_hash(str_from_c(password), hash) != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory to hash the administrator's password");
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), STR("admin"));
    json_member_text(&body.writer, STR("name"), STR("Administrator"));
    json_member_text(&body.writer, STR("password"), str_from_c(hash));
    json_member_text(&body.writer, STR("role"), STR("administrator"));
    json_member_text(&body.writer, STR("locale"), STR("zh-CN"));
    err error = run_command(engine, "user.put", &body, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        snprintf(login, SERVER_LOGIN_BYTES, "admin / %s", password);
    return error;
}

static err make_default_source(struct engine *engine, const char *write_key,
                               struct problem *problem)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char hex[2 * SEAL_HASH_BYTES + 1];
    struct command_body body;
    struct source_set *sources = engine_sources(engine);
    const struct source *kept =
        source_by_write_key(sources, engine_keys(engine), str_from_c(write_key));
    bool there = kept != NULL;
    source_set_release(&sources);
    if (there)
        return ERR_OK;
    if (strlen(write_key) < 8)
        return problem_set(problem, ERR_INVALID,
                           "KITH_WRITE_KEY has %zu characters, at least 8 "
                           "are needed",
                           strlen(write_key));
    keys_hash(engine_keys(engine), STR("write_key"), str_from_c(write_key), hash);
    hex_encode(hash, sizeof(hash), hex);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), STR("default"));
    json_member_text(&body.writer, STR("name"), STR("Default"));
    json_member_text(&body.writer, STR("kind"), STR("server"));
    json_member_text(&body.writer, STR("protocol"), STR("segment"));
    json_member_text(&body.writer, STR("write_key_hash"), str_from_c(hex));
    err error = run_command(engine, "source.put", &body, problem);
    command_body_deinit(&body);
    return error;
}

err server_prepare(struct engine *engine, const char *write_key, char login[SERVER_LOGIN_BYTES],
                   struct problem *problem)
{
    bool has_users = false;
    login[0] = '\0';
    err error =
        ledger_scan(engine_ledger(engine), LEDGER_USERS, NULL, visit_any, &has_users, problem);
    if (error == ERR_OK && !has_users)
        error = make_administrator(engine, login, problem);
    if (error == ERR_OK && write_key != NULL && write_key[0] != '\0')
        error = make_default_source(engine, write_key, problem);
    return error;
}
