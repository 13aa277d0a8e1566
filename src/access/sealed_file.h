/* SPDX-License-Identifier: Apache-2.0 */
/* sealed_file: a file whose bytes are sealed at rest. Uploads, reports of refused rows, exports: what holds personal data
 * outside the log and the ledger.
 *
 *     OFFSET  SIZE  head
 *          0     8  "kithsf1\n"
 *          8     4  number of the sealing key (little-endian, as all numbers here)
 *         12     4  0
 *         16    16  id of the file, drawn at random
 *     then pieces, each
 *          0     4  bytes of plain text, 1 to SEALED_PIECE_BYTES_MAX
 *          4    24  nonce, drawn at random
 *         28     n  ciphertext (XChaCha20-Poly1305)
 *     28 + n    16  tag; over the id of the file and the place of the piece in the plain text, too
 *
 * A piece is never written over by a longer one, so that a file grows by appending: what was acknowledged is not touched. A last
 * piece that is torn (the machine stopped) is not there.
 *
 * Invariants
 *   F1 no plain byte is on disk under a name: who needs a plain file (a zip, Parquet) gets a nameless one.
 *   F2 a piece read is one that was written at that place of that file, or it is CORRUPT.
 *   F3 who may write holds the file's lock (flock, shared) while it is open; it is replaced only while nobody does.
 *
 * One thread at a time for a struct; several structs may read one file while another appends, cuts behind what they read, or
 * changes a piece in place.
 */
#ifndef KITH_ACCESS_SEALED_FILE_H
#define KITH_ACCESS_SEALED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/seal.h"

#define SEALED_PIECE_BYTES_MAX ((size_t)256 << 10)
#define SEALED_PATH_BYTES 40 /* of a nameless file */

struct sealed_file;

/* An empty one, in place of what is there. IO, STORAGE_FULL, NOMEM. */
err sealed_file_create(struct sealed_file **file, const struct keys *keys, const char *path,
                       struct problem *problem) MUST_USE;
/* NOT_FOUND; CORRUPT when it is no sealed file. For writing, a torn last piece is cut off. */
err sealed_file_open(struct sealed_file **file, const struct keys *keys, const char *path,
                     bool writes, struct problem *problem) MUST_USE;
void sealed_file_close(struct sealed_file **file);

uint32_t sealed_file_key(const struct sealed_file *file);  /* its number */
uint64_t sealed_file_size(const struct sealed_file *file); /* of the plain text */
/* All of it, or nothing and an error. */
err sealed_file_append(struct sealed_file *file, str bytes, struct problem *problem) MUST_USE;
/* Only `size_bytes` of the plain text stay; at most as many as there are. */
err sealed_file_cut(struct sealed_file *file, uint64_t size_bytes,
                    struct problem *problem) MUST_USE;
err sealed_file_sync(struct sealed_file *file, struct problem *problem) MUST_USE;
/* Up to `room` bytes from `offset` on; 0 at the end. */
err sealed_file_read(struct sealed_file *file, uint64_t offset, char *out, size_t room,
                     size_t *size, struct problem *problem) MUST_USE;

/* The plain text into a file without a name, for readers that want one: its descriptor is the caller's to close, at the
 * beginning, and `path` (may be NULL) is where it can be opened again while it is open. */
err sealed_file_unseal(struct sealed_file *file, int *descriptor, char path[SEALED_PATH_BYTES],
                       struct problem *problem) MUST_USE;
/* What differs in `plain`, which is as long, is written in its place. */
err sealed_file_change(struct sealed_file *file, str plain, struct problem *problem) MUST_USE;

/* A file of a key before the newest is sealed anew, in a new file that takes its name and age; who reads it meanwhile has the old
 * one to its end. *renewed false: it has the newest key. BUSY while somebody may write. What a crash leaves is `path` and
 * SEALED_FRESH, which nobody reads. */
#define SEALED_FRESH ".fresh"
err sealed_file_renew(const struct keys *keys, const char *path, bool *renewed,
                      struct problem *problem) MUST_USE;

#endif
