/* SPDX-License-Identifier: Apache-2.0 */
/* seal_inside: the keys as they lie in memory, for the files that use them. Private to access/.
 *
 *     keys.c       which keys there are: opening, changing, sharing
 *     seal.c       texts and pieces of files, sealed and opened
 *     seal_hash.c  keyed hashes, and one_id
 */
#ifndef KITH_ACCESS_SEAL_INSIDE_H
#define KITH_ACCESS_SEAL_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "access/key_file.h"

struct keys {
    struct fixed_keys fixed;
    uint8_t folder[SEAL_HASH_BYTES];
    _Atomic uint32_t known;  /* the newest that can open; its bytes were written before */
    _Atomic uint32_t newest; /* seals; both grow while served */
    uint32_t oldest;         /* those before it were removed */
    _Atomic uint32_t kept_from;
    pthread_mutex_t writing; /* the file */
    uint8_t sealing[SEALING_KEYS_MAX + 1][KEY_BYTES];
};

/* Before the first seal of a process; again does nothing. Any thread. */
void seal_prepare_nonces(void);

#endif
