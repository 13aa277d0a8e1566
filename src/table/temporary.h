/* SPDX-License-Identifier: Apache-2.0 */
/* temporary: an unpacked copy of a file whose format cannot be read as a stream (Excel, Parquet). Private to
 * table/. The copy has no name and goes with its descriptor; its limits are those of unpacking. */
#ifndef KITH_TABLE_TEMPORARY_H
#define KITH_TABLE_TEMPORARY_H

#include "table/table.h"

#define TEMPORARY_PATH_BYTES 32

/* `fd` is the caller's to close. In $TMPDIR, or /var/tmp. */
err temporary_unpack(const char *path, enum table_packing packing, int *fd,
                     struct problem *problem) MUST_USE;
/* "/proc/self/fd/7" */
void temporary_path(int fd, char out[TEMPORARY_PATH_BYTES]);

#endif
