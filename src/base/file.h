/* SPDX-License-Identifier: Apache-2.0 */
/* file: bytes at a place of an open file, and files without a name. Any thread; they block. */
#ifndef KITH_BASE_FILE_H
#define KITH_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of them; false when the file ends before, or cannot be read (errno, 0 at its end). */
bool file_read_at(int fd, void *bytes, size_t size, uint64_t at);
/* All of them: 0, else the errno. */
int file_write_at(int fd, const void *bytes, size_t size, uint64_t at);
/* To be read and written by this process alone, gone when it is closed: in TMPDIR (a server's own scratch), else where the
 * system has such files. -1 with errno. */
int file_open_nameless(void);
/* The same in this folder. Where the file system has no such files, it has a name for a moment. */
int file_open_nameless_in(const char *folder);

#endif
