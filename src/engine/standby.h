/* SPDX-License-Identifier: Apache-2.0 */
/* standby: an engine that follows another's log, and can answer every question, as of what it has applied. Private to engine/.
 *
 * Its ledger is a file of its own (standby.db of the data folder), copied from the server in one transaction when it opens;
 * from there on the same apply as everywhere keeps it. So what it reads belongs to what it has applied, and nothing of it is
 * ever written to the server. What the active one has put into the warehouse is asked for now and then: the tail lets go of it.
 *
 *     ledger on the server ──copy──▶ standby.db ◀── apply ◀── log of the active one
 *             ├──── how far it is flushed ──▶ flushed_seq ──▶ tail
 *             └──── newer sealing keys ──▶ key file (sealing.c)
 *
 * It appends nothing (no ticks, no timers, no sends, no results of scans): all that comes by the log. Events of the doors are
 * handed over through the log's inbox.
 */
#ifndef KITH_ENGINE_STANDBY_H
#define KITH_ENGINE_STANDBY_H

#include "base/error.h"

struct engine;
struct standby;

/* Copy the ledger and open it as the engine's. The log is open. */
err standby_open(struct engine *engine, struct problem *problem) MUST_USE;
/* Begin to follow what is flushed and which key seals, once the state is loaded. */
err standby_start(struct engine *engine, struct problem *problem) MUST_USE;
/* It follows no more; the ledger stays the engine's. Not from the engine's thread. */
void standby_close(struct engine *engine);
/* Of a former life, if it is there. */
void standby_remove(const struct engine *engine);

#endif
