/* SPDX-License-Identifier: Apache-2.0 */
/* paged_file: one file of pages, from which pieces of any size are taken and given back. Private to store/.
 *
 * Page 0 is the head, which names format and version (docs/formats/history-pack.md). Which pages are taken stands in memory
 * alone: whoever opens the file holds what it knows of, and clears the rest.
 *
 * No locks: the owner has its own. Errors of the disk: IO, STORAGE_FULL; `problem` names the file.
 */
#ifndef KITH_STORE_PAGED_FILE_H
#define KITH_STORE_PAGED_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define PAGED_FILE_VERSION 1u /* in the head; its owner may mix it into digests */
#define PAGE_BYTES 4096u
#define PAGES_MAX (UINT64_C(1) << 28) /* a terabyte */

/* Where a piece lies. */
struct extent {
    uint32_t page, bytes; /* bytes 0: nowhere */
};

struct paged_file {
    int descriptor;
    char path[600];
    uint64_t *used; /* a bit per page */
    uint32_t page_count, first_free;
};

/* Made when it is not there. `is_kept` false: it is new, or was of another version, and is empty now. After an error, too,
 * paged_file_close. */
err paged_file_open(struct paged_file *file, const char *path, bool *is_kept,
                    struct problem *problem) MUST_USE;
void paged_file_close(struct paged_file *file);

/* These pages are taken, by what its owner knows. Page 0 never is one of them. NOMEM, TOO_LARGE. */
err paged_file_hold(struct paged_file *file, struct extent extent) MUST_USE;
/* The first free pages that hold `bytes`. NOMEM, TOO_LARGE. */
err paged_file_take(struct paged_file *file, uint32_t bytes, struct extent *extent) MUST_USE;
void paged_file_give_back(struct paged_file *file, struct extent extent);

/* All of the extent; durable after paged_file_sync. */
err paged_file_write(struct paged_file *file, struct extent extent, str bytes,
                     struct problem *problem) MUST_USE;
/* `extent.bytes` of them; false when the file does not have them. */
bool paged_file_read(const struct paged_file *file, struct extent extent, char *bytes);
/* Its pages become a hole, and read as zeros. */
err paged_file_zero(const struct paged_file *file, struct extent extent,
                    struct problem *problem) MUST_USE;
/* Nothing is left in pages that nobody holds. */
err paged_file_clear_gaps(struct paged_file *file, struct problem *problem) MUST_USE;
err paged_file_sync(const struct paged_file *file, struct problem *problem) MUST_USE;

#endif
