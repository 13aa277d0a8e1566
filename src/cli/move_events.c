/* SPDX-License-Identifier: Apache-2.0 */
/* Events on their way between the embedded warehouse and the shards of a cluster. */
#include "cli/move_events.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/warehouse_copy.h"

#define READY_MS MINUTE_MS

static err open_place(struct warehouse **warehouse, const char *folder, const char *address,
                      bool is_guest, struct problem *problem)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.4000s/warehouse", folder);
    struct warehouse_config config = { .folder = address == NULL ? path : NULL,
                                       .url = address,
                                       .is_guest = is_guest };
    err error = warehouse_open(warehouse, &config, problem);
    if (error == ERR_UNAVAILABLE && is_guest)
        return problem_hint(problem, error, "of a stopped folder all is moved without --ahead");
    return error == ERR_OK ? warehouse_wait(*warehouse, READY_MS, problem) : error;
}

err move_events(const char *folder, const char *from, const char *to, bool ahead,
                struct problem *problem)
{
    struct warehouse *there = NULL, *here = NULL;
    struct warehouse_copied copied = { .rows = 0 };
    err error = open_place(&there, folder, from, ahead, problem);
    if (error == ERR_OK)
        error = open_place(&here, folder, to, false, problem);
    if (error == ERR_OK)
        error = warehouse_copy(there, here, &copied, problem);
    if (error == ERR_OK)
        printf("events: %llu are the same, %llu of them copied now\n",
               (unsigned long long)copied.rows, (unsigned long long)copied.inserted);
    warehouse_close(&here);
    warehouse_close(&there);
    return error;
}

err move_events_close(const char *folder, const char *from, struct problem *problem)
{
    char path[PATH_MAX], aside[PATH_MAX];
    struct warehouse *there = NULL;
    snprintf(path, sizeof path, "%.4000s/warehouse", folder);
    snprintf(aside, sizeof aside, "%.4000s/warehouse.moved", folder);
    if (from == NULL)
        return rename(path, aside) == 0
                   ? ERR_OK
                   : problem_set(problem, ERR_IO, "'%s' cannot be set aside as '%s'", path, aside);
    err error = open_place(&there, folder, from, false, problem);
    if (error == ERR_OK)
        error = warehouse_retire(there, problem);
    warehouse_close(&there);
    return error;
}
