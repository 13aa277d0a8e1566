/* SPDX-License-Identifier: Apache-2.0 */
/* pack_inside: what pack.c and pack_load.c share. */
#ifndef KITH_ENGINE_PACK_INSIDE_H
#define KITH_ENGINE_PACK_INSIDE_H

#include <pthread.h>

#include "engine/past/pack.h"
#include "engine/past/pack_pace.h"
#include "engine/state.h"
#include "history/history.h"
#include "store/packs.h"

/* Rows of a piece of PACK_SEEN: 256 KB, which the engine writes in a third of a millisecond. */
#define PACK_SEEN_ROWS 65536u

/* HISTORY_BLOCK_NODES neighbours. Engine thread, and before it runs. */
struct packed_block {
    uint64_t serial; /* of what is packed of it; 0: nothing is */
    uint64_t stamp;  /* of the columns then */
    bool is_spoiled; /* the ledger says so, and it was not captured since */
};

struct capturing;

struct packing {
    struct engine *engine;
    struct packs *packs; /* NULL: without */
    bool is_taken;       /* the start takes what they have */
    struct packed_block *blocks;
    uint32_t block_count;
    /* the packer's thread */
    pthread_t thread;
    bool thread_runs;
    struct history_packer *packer;
    struct capturing *capturing;
    struct buffer bytes;
    uint64_t *seen; /* hash of each piece of PACK_SEEN as it was put; 0: none was */
    uint32_t seen_count;
    uint32_t packed; /* blocks of this round */
    struct pack_pace pace;
    _Atomic uint64_t rounds; /* that have ended */
    pthread_mutex_t mutex;   /* guards stopping */
    pthread_cond_t wake;
    bool stopping;
};

/* NULL without memory. */
struct packed_block *packed_block(struct packing *packing, uint32_t number);

#endif
