/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_child: the process `kith warehouse`, which runs chDB behind ClickHouse's HTTP interface.
 *
 * It speaks over a Unix socket what store/warehouse.h needs, and what ClickHouse's own clients use:
 * queries as body or ?query=, parameters as param_x, INSERT with its data as body, streamed answers,
 * query_id and KILL QUERY, exceptions with code and tag, /ping. One process per folder: it waits
 * until a former one is gone (flock on `lock`), which dies with its parent. It has the priority
 * that its parent gives it (warehouse_give_way) and a cap on memory: chDB refuses queries near it, and the process ends
 * itself well above it.
 *
 * The command line: warehouse --folder DIR --socket PATH --library PATH --memory BYTES --parent PID
 */
#ifndef KITH_STORE_WAREHOUSE_CHILD_H
#define KITH_STORE_WAREHOUSE_CHILD_H

/* Runs until SIGTERM, SIGINT or the end of its parent; the exit code of the process. argv[0] is not
 * read. Main thread. */
int warehouse_child_main(int argc, char **argv);

#endif
