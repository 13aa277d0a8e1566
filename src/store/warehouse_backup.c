/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_backup: an embedded warehouse held still as hard links, while it goes on. */
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/logline.h"
#include "store/warehouse_inside.h"

#define FREEZE_MS_MAX (5 * MINUTE_MS)
#define TABLES_BYTES_MAX ((size_t)64 << 10)

void warehouse_store_path(const char *warehouse_folder, char *path, size_t path_size)
{
    snprintf(path, path_size, "%s/chdb", warehouse_folder);
}

static void shadow_path(const struct warehouse *warehouse, const char *name, char *path,
                        size_t path_size)
{
    snprintf(path, path_size, "%s/chdb/shadow/%s", warehouse->folder, name);
}

/* Its count of freezes is a file that it makes anew before it writes into it: who was killed in between left it empty, and an
 * empty one is refused from then on. Without the file it counts from 1; our freezes have names. One freeze at a time. */
static void drop_empty_count(const struct warehouse *warehouse)
{
    char path[2 * WAREHOUSE_PATH_BYTES];
    struct stat info;
    shadow_path(warehouse, "increment.txt", path, sizeof path);
    if (stat(path, &info) == 0 && info.st_size == 0 && remove(path) != 0)
        log_line(LOG_WARN, "warehouse_freeze_count_stays", "path=%s", path);
}

static err freeze_table(struct warehouse *warehouse, str table, const char *name,
                        struct problem *problem)
{
    char sql[512];
    struct buffer answer;
    snprintf(sql, sizeof sql, "ALTER TABLE `" STR_FMT "` FREEZE WITH NAME '%s'", STR_ARG(table),
             name);
    buffer_init(&answer, TABLES_BYTES_MAX);
    err error =
        warehouse_query(warehouse, str_from_c(sql), NULL, 0, FREEZE_MS_MAX, &answer, problem);
    buffer_deinit(&answer);
    return error;
}

err warehouse_freeze(struct warehouse *warehouse, const char *name, char *path, size_t path_size,
                     struct problem *problem)
{
    if (warehouse->folder[0] == '\0')
        return problem_set(problem, ERR_UNSUPPORTED,
                           "the warehouse is a cluster: back it up with its own tools");
    struct buffer tables;
    buffer_init(&tables, TABLES_BYTES_MAX);
    shadow_path(warehouse, name, path, path_size);
    drop_empty_count(warehouse);
    err error = warehouse_query(warehouse,
                                STR("SELECT name FROM system.tables WHERE database = "
                                    "currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name "
                                    "FORMAT TabSeparated"),
                                NULL, 0, FREEZE_MS_MAX, &tables, problem);
    str rest = buffer_str(&tables), table;
    while (error == ERR_OK && str_split(&rest, '\n', &table))
        if (table.size > 0)
            error = freeze_table(warehouse, table, name, problem);
    buffer_deinit(&tables);
    if (error != ERR_OK)
        warehouse_thaw(warehouse, name);
    return error;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void warehouse_thaw(struct warehouse *warehouse, const char *name)
{
    char path[2 * WAREHOUSE_PATH_BYTES];
    struct stat info;
    shadow_path(warehouse, name, path, sizeof path);
    if (stat(path, &info) == 0 && nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        log_line(LOG_WARN, "warehouse_thaw_failed", "path=%s", path);
}
