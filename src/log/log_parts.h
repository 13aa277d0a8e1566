/* SPDX-License-Identifier: Apache-2.0 */
/* log_parts: what log.c (the public face), writer.c and reader.c share. */
#ifndef KITH_LOG_LOG_PARTS_H
#define KITH_LOG_LOG_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "log/block.h"
#include "log/lanes.h"
#include "log/log.h"
#include "log/store.h"

/* The tail reader's side. Everything under its mutex but unread_bytes. */
struct reader {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool following;   /* log_follow was called */
    bool from_memory; /* has caught up: blocks come through the list */
    bool poked;
    uint64_t next_seq; /* the first record that the reader has not got */
    uint64_t last_seq; /* the last durable record */
    struct block_node *first, **last;
    _Atomic size_t unread_bytes; /* durable and not yet taken, uncompressed */
};
void reader_init(struct reader *reader, uint64_t last_seq);
void reader_deinit(struct reader *reader);
/* As new, for a log that ends at `last_seq`; who wakes it may do so meanwhile. */
void reader_restart(struct reader *reader, uint64_t last_seq);
/* Durable blocks in order, linked by `next`; their reference goes over. Writer thread. */
void reader_publish(struct reader *reader, struct block_node *blocks, uint64_t last_seq);

/* So many rows of the inbox are under way at most. */
#define LOG_TAKEN_MAX 64

struct log {
    _Atomic int64_t retention_ms; /* as opened, or as log_keep said */
    struct log_config config;     /* defaults filled in; its texts are the caller's and not used */
    struct log_store *store;
    struct queue waiting; /* of struct log_append; weight: bytes */
    struct reader reader;
    pthread_t writer;
    bool writer_runs;
    _Atomic size_t waiting_bytes;     /* handed in and not yet answered */
    _Atomic size_t lane_bytes[LANES]; /* the same by lane */
    _Atomic uint64_t first_seq;
    _Atomic uint64_t last_seq;
    _Atomic bool dead;
    _Atomic int64_t round_us;   /* of the last rounds, until they were answered: a mean */
    _Atomic size_t round_lanes; /* so many had something to put into the last */
    _Atomic size_t round_bytes; /* at most so much is in one, as of the last */
    uint64_t lost_records;

    /* Of the writer thread alone. */
    struct lanes lanes;  /* taken from `waiting`, and not yet in a round */
    int64_t received_ms; /* of the last block (L2) */
    struct buffer encoded;
    void *codec;
    int64_t taken[LOG_TAKEN_MAX]; /* rows of the inbox in the batch being written */
};

/* The log is dead: say so, once. Any thread. */
void log_die(struct log *log, const struct problem *problem);
/* Appended bytes of a source do not wait any more. Any thread. */
void log_bytes_answered(struct log *log, uint32_t source, size_t bytes);
/* The writer thread. */
void *writer_run(void *log);

#endif
