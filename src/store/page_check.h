/* SPDX-License-Identifier: Apache-2.0 */
/* page_check: a layer under SQLite that gives every page of a database a checksum. Private to store/.
 *
 * SQLite checks the frames of its write-ahead log when it recovers, but not the pages of the database:
 * a bit that flips there would become a wrong number. The last PAGE_CHECK_BYTES of each page are
 * reserved; on the way to the disk they get a hash of the page and its place, and on the way back the
 * hash must fit. What does not fit is an I/O error (SQLITE_IOERR_DATA), never data.
 *
 *   OFFSET        SIZE  DESCRIPTION
 *   0             4088  the page as SQLite has it
 *   4088          8     XXH3 of these, seeded with the page's number, little endian
 *
 * A page of zeros is one that was never written. Only whole pages of the database file are looked at:
 * the log beside it goes straight to the VFS below.
 */
#ifndef KITH_STORE_PAGE_CHECK_H
#define KITH_STORE_PAGE_CHECK_H

#include "base/error.h"

#define PAGE_BYTES 4096
#define PAGE_CHECK_BYTES 8

/* The name of the layer over the VFS `below` (NULL: SQLite's default), for sqlite3_open_v2. Any thread. */
err page_check_vfs(const char *below, const char **name, struct problem *problem) MUST_USE;

#endif
