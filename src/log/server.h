/* SPDX-License-Identifier: Apache-2.0 */
/* server: a log that lies on a PostgreSQL server. Private to log/.
 *
 *     kith_log        one row: format, what was trimmed        kith_lease      one row: epoch, holder, until
 *     kith_log_block  a row per block, with its epoch          kith_log_inbox  records handed over by followers
 *
 * Why it is as it is
 *   P1 A write is one round trip and one transaction: the lease is read FOR SHARE with our epoch (no such row: the
 *      transaction fails), rows are inserted, what was taken from the inbox is deleted. Who takes the lease over updates
 *      that row: either our commit comes first, or it fails.
 *   P2 A commit whose answer was lost is looked for: the last number in the table says whether it was made. Only the
 *      holder of our epoch inserts, so nobody else can have taken these numbers.
 *   P3 Time is the server's: `until` is compared with its clock alone. What we believe of our own lease is counted by the
 *      steady clock from before the renewal was sent, so that it never seems longer than it is.
 *   P4 Before a lease that is over is taken, the sessions of its holder are ended: one that was paused in a transaction
 *      would keep the row locked.
 *
 * Threads: the writer has a connection, so have the keeper of the lease, the one who follows or empties the inbox, and
 * all others together (`service`).
 *
 *   server.c  opening, closing, tables   server_lease.c  the lease         server_write.c   writing, handing over
 *   server_read.c  reading, trimming     server_follow.c  following, the inbox    link.c    a connection
 */
#ifndef KITH_LOG_SERVER_H
#define KITH_LOG_SERVER_H

#include "log/log_parts.h"

bool log_path_is_server(const char *path);
err server_store_open(struct log_store **store, struct log *log, struct log_tail *tail,
                      struct problem *problem) MUST_USE;
err server_store_start(struct log_store *store, struct problem *problem) MUST_USE;

#endif
