/* SPDX-License-Identifier: Apache-2.0 */
/* cluster: the shards of a warehouse on several servers: which of them answer, a question to all, a statement on each.
 *
 *     DOWN ──ping, tables (cluster_look_after)──▶ UP          one state for each shard
 *      ▲                                          │
 *      └────────── no answer to a ping ───────────┘
 *
 * Invariants
 *   C1 nothing is answered while a shard is missing: who asks is told which one (UNAVAILABLE)
 *   C2 rows of customer n lie on shard n % count; the order of the addresses is theirs for ever (cluster_schema.c)
 *   C3 aliases and what was taken back lie whole on each shard: no shard asks another while it works
 *   C4 rows of events reach their table by a stage of their own, so that nothing that was sent comes in late
 *      (cluster_insert.c) */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/logline.h"
#include "base/metric.h"
#include "store/cluster_sql.h"
#include "store/warehouse_inside.h"

#define PING_TIMEOUT_MS 5000
#define SHARD_QUERY_MS (10 * MINUTE_MS)
#define SQL_BYTES_MAX ((size_t)200 << 20)
/* A query that meets the moment in which the aliases' table is exchanged is asked again. */
#define EXCHANGES_MET_MAX 5

/* ---- opening ---- */

static err add_shard(struct warehouse *warehouse, str address, struct problem *problem)
{
    struct warehouse_shard *shard = &warehouse->shards[warehouse->shard_count];
    str host = str_starts_with(address, STR("http://")) ? str_slice(address, 7, address.size)
                                                        : str_slice(address, 8, address.size);
    if (!str_starts_with(address, STR("http://")) && !str_starts_with(address, STR("https://")))
        return problem_set(problem, ERR_INVALID,
                           "the warehouse's address '" STR_FMT "' is not http:// or https://",
                           STR_ARG(str_slice(address, 0, 100)));
    if (str_find_byte(host, '@') != host.size) {
        problem_set(problem, ERR_INVALID, "the warehouse's address must not have a password in it");
        return problem_hint(problem, ERR_INVALID,
                            "give KITH_WAREHOUSE_USER and KITH_WAREHOUSE_PASSWORD_FILE");
    }
    if (host.size == 0 || str_find_byte(host, '/') != host.size ||
        str_find_byte(host, '?') != host.size || address.size >= sizeof(shard->url))
        return problem_set(problem, ERR_INVALID,
                           "the warehouse's address '" STR_FMT "' is not http://host:port",
                           STR_ARG(str_slice(address, 0, 100)));
    memcpy(shard->url, address.data, address.size);
    problem_set(&shard->problem, ERR_UNAVAILABLE, "was not asked yet");
    for (int i = 0; i < warehouse->shard_count; i++) {
        if (strcmp(warehouse->shards[i].url, shard->url) == 0)
            return problem_set(problem, ERR_INVALID, "the warehouse's address '%s' is there twice",
                               shard->url);
    }
    warehouse->shard_count++;
    return ERR_OK;
}

static err add_shards(struct warehouse *warehouse, str addresses, struct problem *problem)
{
    str address;
    warehouse->shards = memory_alloc(WAREHOUSE_SHARDS_MAX * sizeof(*warehouse->shards));
    if (warehouse->shards == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open the warehouse");
    while (str_split(&addresses, ',', &address)) {
        address = str_trim(address);
        if (str_ends_with(address, STR("/")))
            address.size--;
        if (warehouse->shard_count == WAREHOUSE_SHARDS_MAX)
            return problem_set(problem, ERR_INVALID, "the warehouse has more than %d addresses",
                               WAREHOUSE_SHARDS_MAX);
        err error = add_shard(warehouse, address, problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

/* One line of a header: what would begin another is refused. */
static err keep_word(char *out, size_t room, str word, const char *what, struct problem *problem)
{
    bool fits = word.size < room;
    for (size_t i = 0; i < word.size; i++)
        fits = fits && (unsigned char)word.data[i] >= ' ';
    if (!fits)
        return problem_set(problem, ERR_INVALID, "%s is longer than %zu bytes or not one line",
                           what, room - 1);
    memcpy(out, word.data != NULL ? word.data : "", word.size);
    out[word.size] = '\0';
    return ERR_OK;
}

static err read_password_file(struct warehouse *warehouse, const char *path,
                              struct problem *problem)
{
    char text[512];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return problem_set(problem, ERR_IO, "KITH_WAREHOUSE_PASSWORD_FILE '%s' cannot be read: %s",
                           path, strerror(errno));
    size_t size = fread(text, 1, sizeof(text), file);
    fclose(file);
    return keep_word(warehouse->password, sizeof(warehouse->password),
                     str_trim(str_from_bytes(text, size)), "KITH_WAREHOUSE_PASSWORD_FILE", problem);
}

static err read_credentials(struct warehouse *warehouse, struct problem *problem)
{
    const char *user = getenv("KITH_WAREHOUSE_USER"), *password = getenv("KITH_WAREHOUSE_PASSWORD"),
               *file = getenv("KITH_WAREHOUSE_PASSWORD_FILE");
    err error = keep_word(warehouse->user, sizeof(warehouse->user), str_from_c(user),
                          "KITH_WAREHOUSE_USER", problem);
    if (error == ERR_OK)
        error = keep_word(warehouse->password, sizeof(warehouse->password), str_from_c(password),
                          "KITH_WAREHOUSE_PASSWORD", problem);
    if (error == ERR_OK && file != NULL && file[0] != '\0')
        error = read_password_file(warehouse, file, problem);
    if (error == ERR_OK && warehouse->password[0] != '\0' && warehouse->user[0] == '\0')
        error = keep_word(warehouse->user, sizeof(warehouse->user), STR("default"), "", problem);
    return error;
}

/* The name goes into SQL as it is. */
static err read_name(struct warehouse *warehouse, struct problem *problem)
{
    const char *name = getenv("KITH_WAREHOUSE_CLUSTER");
    str text = name != NULL && name[0] != '\0' ? str_from_c(name) : STR("kith");
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return problem_set(problem, ERR_INVALID,
                               "KITH_WAREHOUSE_CLUSTER '%s' is not letters, digits and _", name);
    }
    return keep_word(warehouse->cluster, sizeof(warehouse->cluster), text, "KITH_WAREHOUSE_CLUSTER",
                     problem);
}

err cluster_open(struct warehouse *warehouse, const struct warehouse_config *config,
                 struct problem *problem)
{
    atomic_store(&warehouse->modern, true); /* until one is not */
    err error = add_shards(warehouse, str_from_c(config->url), problem);
    if (error == ERR_OK)
        error = read_credentials(warehouse, problem);
    if (error == ERR_OK)
        error = read_name(warehouse, problem);
    if (error == ERR_OK && getrandom(&warehouse->nonce, sizeof(warehouse->nonce), 0) !=
                               (ssize_t)sizeof(warehouse->nonce))
        error = problem_set(problem, ERR_UNAVAILABLE, "the system gives no random number");
    return error;
}

/* ---- which answer ---- */

int warehouse_places(const struct warehouse *warehouse)
{
    return warehouse->shard_count > 0 ? warehouse->shard_count : 1;
}

bool cluster_shard_is_up(struct warehouse *warehouse, int shard)
{
    pthread_mutex_lock(&warehouse->mutex);
    bool is_up = warehouse->shards[shard].is_up;
    pthread_mutex_unlock(&warehouse->mutex);
    return is_up;
}

/* "shard 2 of 3 (http://host:port): …" */
static err name_shard(const struct warehouse *warehouse, int shard, err error,
                      struct problem *problem)
{
    char detail[sizeof(problem->detail)];
    if (problem == NULL || warehouse->shard_count == 0 ||
        str_starts_with(str_from_c(problem->detail), STR("warehouse shard ")))
        return error;
    memcpy(detail, problem->detail, sizeof(detail));
    return problem_set(problem, error, "warehouse shard %d of %d (%s): %.220s", shard + 1,
                       warehouse->shard_count, warehouse->shards[shard].url, detail);
}

/* Whoever asks from now on hears it at once, until the supervisor has reached the shard again. */
void cluster_say_down(struct warehouse *warehouse, int shard, const struct problem *problem)
{
    struct problem named = *problem;
    name_shard(warehouse, shard, ERR_UNAVAILABLE, &named);
    problem_hint(&named, ERR_UNAVAILABLE,
                 "start that server or see to its network: events wait in the log meanwhile");
    pthread_mutex_lock(&warehouse->mutex);
    bool was_up = warehouse->shards[shard].is_up;
    warehouse->shards[shard].is_up = false;
    warehouse->shards[shard].problem = *problem;
    warehouse->ready = false;
    warehouse->problem = named;
    pthread_mutex_unlock(&warehouse->mutex);
    if (was_up) {
        metric_add(METRIC_WAREHOUSE_SHARDS_LOST, 1);
        log_line(LOG_WARN, "warehouse_shard_down", "reason=\"%s\"", named.detail);
    }
}

static void say_up(struct warehouse *warehouse, int shard)
{
    pthread_mutex_lock(&warehouse->mutex);
    bool was_up = warehouse->shards[shard].is_up;
    warehouse->shards[shard].is_up = true;
    pthread_mutex_unlock(&warehouse->mutex);
    if (!was_up)
        log_line(LOG_INFO, "warehouse_shard_up", "shard=%d of=%d url=%s", shard + 1,
                 warehouse->shard_count, warehouse->shards[shard].url);
}

/* A shard that was away may have come back as another one: its tables are looked at again. */
bool cluster_look_after(struct warehouse *warehouse, int shard, struct problem *problem)
{
    bool was_up = cluster_shard_is_up(warehouse, shard);
    err error = warehouse_ping(warehouse, shard, PING_TIMEOUT_MS, problem);
    if (error == ERR_OK && !was_up)
        error = cluster_make_tables(warehouse, shard, problem);
    if (error == ERR_OK)
        say_up(warehouse, shard);
    else
        cluster_say_down(warehouse, shard, problem);
    return error == ERR_OK;
}

size_t warehouse_shards(struct warehouse *warehouse, struct warehouse_shard_state *states,
                        size_t room)
{
    size_t count = (size_t)warehouse->shard_count < room ? (size_t)warehouse->shard_count : room;
    pthread_mutex_lock(&warehouse->mutex);
    for (size_t i = 0; i < count; i++) {
        states[i].url = warehouse->shards[i].url;
        states[i].is_up = warehouse->shards[i].is_up;
    }
    pthread_mutex_unlock(&warehouse->mutex);
    return count;
}

/* ---- asking ---- */

static err at(struct warehouse *warehouse, int shard, const char *sql, int64_t timeout_ms,
              bool even_unready, struct buffer *out, struct problem *problem)
{
    struct buffer unread;
    buffer_init(&unread, 1 << 20);
    struct warehouse_call call = { .shard = shard,
                                   .sql = str_from_c(sql),
                                   .timeout_ms = timeout_ms,
                                   .even_unready = even_unready,
                                   .out = out != NULL ? out : &unread };
    err error = warehouse_do(warehouse, &call, problem);
    buffer_deinit(&unread);
    return error != ERR_OK ? name_shard(warehouse, shard, error, problem) : ERR_OK;
}

err warehouse_at(struct warehouse *warehouse, int shard, const char *sql, int64_t timeout_ms,
                 struct buffer *out, struct problem *problem)
{
    return at(warehouse, shard, sql, timeout_ms, false, out, problem);
}

err cluster_at(struct warehouse *warehouse, int shard, const char *sql, struct buffer *out,
               struct problem *problem)
{
    return at(warehouse, shard, sql, SHARD_QUERY_MS, true, out, problem);
}

/* A question failed: is it because a shard is missing? Then that is what is told (C1). */
static err find_missing(struct warehouse *warehouse, err error, struct problem *problem)
{
    for (int shard = 0; shard < warehouse->shard_count; shard++) {
        struct problem silent = { .error = ERR_OK };
        if (warehouse_ping(warehouse, shard, PING_TIMEOUT_MS, &silent) == ERR_OK)
            continue;
        cluster_say_down(warehouse, shard, &silent);
        name_shard(warehouse, shard, ERR_UNAVAILABLE, &silent);
        if (problem != NULL)
            *problem = silent;
        return ERR_UNAVAILABLE;
    }
    return error;
}

static bool met_exchange(err error, const struct problem *problem)
{
    return error == ERR_WAREHOUSE && problem != NULL &&
           strstr(problem->detail, "alias_map") != NULL &&
           strstr(problem->detail, "(code 60)") != NULL;
}

err cluster_ask(struct warehouse *warehouse, struct warehouse_call *call, struct problem *problem)
{
    struct problem unheard = { .error = ERR_OK };
    struct buffer sql;
    problem = problem != NULL ? problem : &unheard;
    buffer_init(&sql, SQL_BYTES_MAX);
    err error = cluster_sql_write(call->sql, call->parameters, call->parameter_count,
                                  atomic_load(&warehouse->modern), &sql, problem);
    call->parameter_count = 0; /* they are in the text now */
    call->sql = buffer_str(&sql);
    call->shard =
        (int)(atomic_fetch_add(&warehouse->next_shard, 1) % (unsigned)warehouse->shard_count);
    if (error == ERR_OK)
        error = warehouse_do(warehouse, call, problem);
    for (int met = 0; met_exchange(error, problem) && met < EXCHANGES_MET_MAX; met++) {
        steady_sleep_ms(20);
        error = warehouse_do(warehouse, call, problem);
    }
    if (error == ERR_WAREHOUSE || error == ERR_UNAVAILABLE || error == ERR_TIMEOUT)
        error = find_missing(warehouse, error, problem);
    buffer_deinit(&sql);
    return error;
}

err cluster_everywhere(struct warehouse *warehouse, const struct warehouse_call *call,
                       struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    err error = cluster_sql_write(call->sql, call->parameters, call->parameter_count,
                                  atomic_load(&warehouse->modern), &sql, problem);
    for (int shard = 0; shard < warehouse->shard_count && error == ERR_OK; shard++) {
        struct warehouse_call one = *call;
        one.shard = shard;
        one.sql = buffer_str(&sql);
        one.parameter_count = 0;
        one.query_id = STR_NONE; /* shards may share what they know of queries */
        error = warehouse_do(warehouse, &one, problem);
        if (error != ERR_OK)
            name_shard(warehouse, shard, error, problem);
    }
    buffer_deinit(&sql);
    return error;
}
