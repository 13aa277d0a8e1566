/* SPDX-License-Identifier: Apache-2.0 */
/* unpack: the bytes of a file, through gzip or zstd where it is packed. Private to table/.
 *
 * Guards: what comes out may be TABLE_UNPACK_RATIO_MAX times what went in, and UNPACK_FREE_BYTES in any case. A
 * stream that breaks off, or a file that changes while it is read, is an error of its own, after
 * everything before it has been given out. */
#ifndef KITH_TABLE_UNPACK_H
#define KITH_TABLE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "table/table.h"

#define UNPACK_FREE_BYTES (100u * 1024 * 1024)

struct unpack {
    int fd;
    enum table_packing packing;
    void *stream; /* z_stream or ZSTD_DStream */
    char *input;
    size_t input_at, input_end;
    bool input_ended; /* the file has no more bytes */
    bool inside;      /* of a packed stream: its end has not come yet */
    bool ended;
    uint64_t packed_bytes, unpacked_bytes;
    struct stat opened; /* as it was when it was opened */
    char name[128];     /* of the file, for messages */
};

err unpack_open(struct unpack *unpack, const char *path, enum table_packing packing,
                struct problem *problem) MUST_USE;
/* For an unpack that is zeroed or was opened; twice is fine. */
void unpack_close(struct unpack *unpack);
/* At least one byte, or *size 0 at the end. UNPROCESSABLE: torn or damaged; TOO_LARGE: a bomb; CONFLICT: changed. */
err unpack_read(struct unpack *unpack, char *out, size_t room, size_t *size,
                struct problem *problem) MUST_USE;
/* By the first bytes. */
enum table_packing unpack_packing_of(const char *bytes, size_t size);

#endif
