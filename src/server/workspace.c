/* SPDX-License-Identifier: Apache-2.0 */
/* What a workspace decides by settings, and the server itself goes by: its time zone.
 *
 * Days are those of `workspace.zone` (an IANA name; Asia/Shanghai until somebody sets another). A zone is
 * read when it is set; those that were read before live as long as the server, since others may be looking
 * at them. */
#include <stdio.h>

#include "base/logline.h"
#include "server/answer.h"
#include "server/inside.h"

struct workspace_zone {
    struct workspace_zone *next;
    struct zone *zone;
};

const struct zone *server_zone(struct server *server)
{
    return atomic_load_explicit(&server->zone, memory_order_acquire);
}

static err publish(struct server *server, str name, struct problem *problem)
{
    struct workspace_zone *kept = memory_alloc(sizeof(*kept));
    if (kept == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a time zone");
    err error = zone_load(&kept->zone, name, problem);
    if (error != ERR_OK) {
        memory_free(kept);
        return error;
    }
    pthread_mutex_lock(&server->create_mutex);
    kept->next = server->zones;
    server->zones = kept;
    pthread_mutex_unlock(&server->create_mutex);
    atomic_store_explicit(&server->zone, kept->zone, memory_order_release);
    return ERR_OK;
}

struct found_zone {
    struct json_parser *parser;
    char name[ZONE_NAME_BYTES];
};

static bool visit_zone(void *context, const struct ledger_value *values)
{
    struct found_zone *found = context;
    json_value root;
    if (json_parse(found->parser, values[1].bytes, &root, NULL) == ERR_OK)
        snprintf(found->name, sizeof(found->name), STR_FMT, STR_ARG(json_text(root)));
    return false;
}

err workspace_start(struct server *server, struct problem *problem)
{
    struct found_zone found = { .name = "" };
    struct ledger_value key = ledger_text(STR(SETTING_ZONE));
    err error = json_parser_new(&found.parser, 65536);
    if (error == ERR_OK)
        error = ledger_find(engine_ledger(server->engine), LEDGER_SETTINGS, &key, 1, visit_zone,
                            &found, problem);
    json_parser_free(&found.parser);
    if (error != ERR_OK)
        return error;
    str name = str_from_c(found.name[0] != '\0' ? found.name : server->config.zone);
    error = publish(server, name, problem);
    if (error == ERR_OK)
        return ERR_OK;
    /* The machine may have lost its time zone data: no reason to stay down. */
    log_line(LOG_WARN, "zone_not_read", "zone=" STR_FMT " reason=\"%.120s\"", STR_ARG(name),
             problem->detail);
    return publish(server, STR("Asia/Shanghai"), problem);
}

void workspace_stop(struct server *server)
{
    while (server->zones != NULL) {
        struct workspace_zone *kept = server->zones;
        server->zones = kept->next;
        zone_free(&kept->zone);
        memory_free(kept);
    }
}

err workspace_check_setting(str key, json_value value, struct problem *problem)
{
    struct zone *zone = NULL;
    if (!str_equal(key, STR(SETTING_ZONE)))
        return ERR_OK;
    err error = zone_load(&zone, json_text(value), problem);
    zone_free(&zone);
    if (error == ERR_OK)
        return ERR_OK;
    if (error == ERR_CORRUPT)
        error = ERR_UNPROCESSABLE;
    return problem_at(problem, error, "/value");
}

err workspace_setting_changed(struct server *server, str key, json_value value,
                              struct problem *problem)
{
    return str_equal(key, STR(SETTING_ZONE)) ? publish(server, json_text(value), problem) : ERR_OK;
}
