/* SPDX-License-Identifier: Apache-2.0 */
/* gate: a VFS of SQLite before the real one, whose writes and syncs pass the fault gate.
 *
 * Builds with KITH_FAULTS only: it is how FILE_WRITE, FILE_SYNC and LOG_AFTER_WRITE (the sync of
 * the WAL has not begun) get into the middle of a commit. Private to log/.
 */
#ifndef KITH_LOG_GATE_H
#define KITH_LOG_GATE_H

#include <sqlite3.h>

#include "base/error.h"

#ifdef KITH_FAULTS
/* A gate before the VFS `name` (NULL: the default one), registered until it is closed. */
err gate_open(sqlite3_vfs **gate, const char *name) MUST_USE;
void gate_close(sqlite3_vfs **gate);
#endif

#endif
