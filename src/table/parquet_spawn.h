/* SPDX-License-Identifier: Apache-2.0 */
/* parquet_spawn: starting the child that reads Parquet, and its end. Private to table/. */
#ifndef KITH_TABLE_PARQUET_SPAWN_H
#define KITH_TABLE_PARQUET_SPAWN_H

#include <sys/types.h>

#include "table/inside.h"

struct parquet_child {
    pid_t pid; /* 0: there is none */
    int pipe;  /* its frames; -1 */
    /* What it lays into the place for temporary files, and would leave there; removed at its end. */
    char scratch[256];
};

/* `file` is given to it. UNAVAILABLE when the program or the library is not there. */
err parquet_spawn(struct parquet_child *child, const char *program, const char *library, int file,
                  uint64_t skip, struct problem *problem) MUST_USE;
/* Kills it if it still runs; it is gone when this returns. */
void parquet_end(struct parquet_child *child);
/* It has closed its pipe early: why, in words. It is gone then. */
void parquet_describe_end(struct parquet_child *child, char out[128]);

/* Of a table of Parquet: for tests, which end it. */
pid_t parquet_reader_pid(const struct table *table);

#endif
