/* SPDX-License-Identifier: Apache-2.0 */
/* A warehouse on two real shards for a test. */
#include "support/cluster_house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cmocka.h"

#define TOOL KITH_SOURCE_DIR "/tools/clickhouse"

static char folder[64], url[512];

const char *cluster_house_missing(void)
{
    return access("/usr/sbin/clickhouse-server", X_OK) == 0 ||
                   access("/usr/bin/clickhouse-server", X_OK) == 0
               ? NULL
               : "ClickHouse is not installed: 'make setup' brings it";
}

static void run_tool(const char *what, int shard, char *answer, size_t room)
{
    char command[600];
    int size = snprintf(command, sizeof(command), "%s %s '%s'", TOOL, what, folder);
    if (shard >= 0)
        snprintf(command + size, sizeof(command) - (size_t)size, " %d", shard);
    FILE *tool = popen(command, "re");
    assert_non_null(tool);
    char line[512] = "";
    while (fgets(line, sizeof(line), tool) != NULL) {
    }
    if (pclose(tool) != 0)
        fail_msg("'%s' failed", command);
    if (answer != NULL) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(answer, room, "%s", line);
    }
}

void cluster_house_again(void)
{
    run_tool("start", -1, url, sizeof(url));
    assert_true(url[0] == 'h');
}

void cluster_house_kill(int shard)
{
    run_tool("kill", shard, NULL, 0);
}

const char *cluster_house_url(void)
{
    return url;
}

void cluster_house_open(struct warehouse_house *house)
{
    struct problem problem = { .error = ERR_OK };
    struct warehouse_config config = { .url = url };
    setenv("KITH_WAREHOUSE_USER", "kith", 1);
    setenv("KITH_WAREHOUSE_PASSWORD", "a shard's secret", 1);
    if (warehouse_open(&house->warehouse, &config, &problem) != ERR_OK ||
        warehouse_wait(house->warehouse, 120000, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
}

static pid_t owner;

/* Also when a test has failed. */
static void end_servers(void)
{
    char command[200];
    if (getpid() != owner || folder[0] == '\0')
        return;
    snprintf(command, sizeof(command), "%s kill '%s'; rm -rf '%s'", TOOL, folder, folder);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", folder);
    folder[0] = '\0';
}

void cluster_house_start(struct warehouse_house *house)
{
    memset(house, 0, sizeof(*house));
    snprintf(folder, sizeof(folder), "/tmp/kith_cluster_XXXXXX");
    assert_non_null(mkdtemp(folder));
    owner = getpid();
    atexit(end_servers);
    cluster_house_again();
    cluster_house_open(house);
}

void cluster_house_remove(struct warehouse_house *house)
{
    warehouse_close(&house->warehouse);
    end_servers();
}

static void tell_shard(int shard, const char *sql)
{
    char command[1200];
    snprintf(command, sizeof(command),
             "curl -sf --data-binary \"%s\" http://127.0.0.1:$(cat '%s/%d/http')/", sql, folder,
             shard);
    if (system(command) != 0)
        fail_msg("shard %d refuses: %s", shard, sql);
}

void cluster_house_forget(int shard)
{
    tell_shard(shard, "RENAME TABLE kith_shard TO kept_shard, events_shard TO kept_events");
}

void cluster_house_remember(int shard)
{
    tell_shard(shard, "DROP TABLE IF EXISTS kith_shard");
    tell_shard(shard, "DROP TABLE IF EXISTS events_shard");
    tell_shard(shard, "RENAME TABLE kept_shard TO kith_shard, kept_events TO events_shard");
}

uint64_t cluster_house_shard_number(int shard, const char *sql)
{
    char command[1200], line[100] = "";
    uint64_t number = 0;
    snprintf(command, sizeof(command),
             "curl -s --data-binary \"%s\" http://127.0.0.1:$(cat '%s/%d/http')/", sql, folder,
             shard);
    FILE *curl = popen(command, "re");
    assert_non_null(curl);
    if (fgets(line, sizeof(line), curl) == NULL)
        fail_msg("shard %d does not answer", shard);
    pclose(curl);
    if (!str_to_uint64(str_trim(str_from_c(line)), &number))
        fail_msg("%s: no number: %s", sql, line);
    return number;
}
