/* SPDX-License-Identifier: Apache-2.0 */
/* collecting: an engine that knows the sources and nothing else, for servers that have doors alone (--role collect).
 *
 *     the server's ledger, read only ──▶ sources ──▶ doors ──▶ inbox of the log
 *     the log, block by block ──▶ is there a command that may change a source? ──▶ read them again, once the ledger is there
 *
 * It keeps no customer, no history, no ledger of its own, and applies nothing: it starts in a second and needs some 100 MB,
 * however many customers there are. Questions are answered from empty rooms: the server asks none.
 */
#ifndef KITH_ENGINE_COLLECTING_H
#define KITH_ENGINE_COLLECTING_H

#include "base/error.h"
#include "log/log.h"

struct engine;

/* Opens the ledger and publishes the sources; the log is open. */
err collecting_open(struct engine *engine, struct problem *problem) MUST_USE;
/* A block was written, or (NULL) time passed. Engine thread. The block stays the caller's. */
void collecting_pass(struct engine *engine, const struct log_block *block);

#endif
