/* SPDX-License-Identifier: Apache-2.0 */
/* migrations: the numbered SQL files of store/migrations/, embedded by the build. Private. */
#ifndef KITH_STORE_MIGRATIONS_H
#define KITH_STORE_MIGRATIONS_H

struct migration {
    int number;       /* 1, 2, …, without a gap */
    const char *name; /* "0001_start" */
    const char *sql;
};

extern const struct migration ledger_migrations[];
extern const int ledger_migration_count;

#endif
