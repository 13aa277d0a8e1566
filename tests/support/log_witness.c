/* SPDX-License-Identifier: Apache-2.0 */
/* Appends that can be recognised, and the comparison of a log with what its callers were told. */
#include "support/log_witness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/logline.h"

/* A body: number of the append (8), number of the record in it (4), then text. */
#define HEAD_BYTES 12

void witness_quiet(void)
{
    log_set_level((enum log_level)(LOG_ERROR + 1));
}

void witness_init(struct witness *witness)
{
    *witness = (struct witness){ 0 };
    INVARIANT(pthread_mutex_init(&witness->mutex, NULL) == 0);
    INVARIANT(pthread_cond_init(&witness->changed, NULL) == 0);
}

void witness_deinit(struct witness *witness)
{
    INVARIANT(witness->open == 0);
    for (size_t i = 0; i < witness->count; i++) {
        free(witness->appends[i]->records.data);
        free(witness->appends[i]);
    }
    free(witness->appends);
    pthread_cond_destroy(&witness->changed);
    pthread_mutex_destroy(&witness->mutex);
}

/* Text that compresses about as well as events do: words, and numbers that differ. */
static void write_body(struct buffer *body, uint64_t id, uint32_t index, size_t bytes)
{
    static const char *const words[8] = {
        "\"properties\":", "{\"channel\":\"tmall\",", "\"order_id\":\"",   "Order Paid",
        "revenue",         "\"product_id\":",         "2026-11-11T00:00:", "skin"
    };
    write_u64(body, id);
    write_u32(body, index);
    uint64_t state = id * 2654435761u + index;
    while (body->size < HEAD_BYTES + bytes) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        if ((state >> 62) == 0)
            buffer_printf(body, "%" PRIx64, state >> 32);
        else
            buffer_append_str(body, str_from_c(words[state >> 59 & 7]));
    }
    body->size = HEAD_BYTES + bytes;
}

/* Memory of its own, all at once: a test that lets allocations fail means those of the log. */
static void buffer_own(struct buffer *buffer, size_t size)
{
    *buffer = (struct buffer){ .data = malloc(size), .capacity = size, .size_max = size };
    INVARIANT(buffer->data != NULL);
}

static void write_records(struct buffer *out, uint64_t id, uint32_t count, size_t body_bytes)
{
    struct buffer body;
    buffer_own(&body, HEAD_BYTES + body_bytes + 64);
    buffer_own(out, count * (HEAD_BYTES + body_bytes + 11));
    for (uint32_t i = 0; i < count; i++) {
        buffer_clear(&body);
        write_body(&body, id, i, body_bytes);
        log_record_write(out, LOG_RECORD_EVENT, buffer_str(&body));
    }
    free(body.data);
}

static void on_durable(struct log_append *append, err error)
{
    struct witness_append *made = append->context;
    struct witness *witness = made->witness;
    pthread_mutex_lock(&witness->mutex);
    INVARIANT(!made->answered); /* called once */
    made->answer = error;
    atomic_store(&made->answered, true);
    if (error == ERR_OK)
        witness->ok++;
    else
        witness->last_error = error;
    witness->open--;
    pthread_cond_broadcast(&witness->changed);
    pthread_mutex_unlock(&witness->mutex);
}

static struct witness_append *witness_add(struct witness *witness)
{
    struct witness_append *made = calloc(1, sizeof *made);
    INVARIANT(made != NULL);
    pthread_mutex_lock(&witness->mutex);
    if (witness->count == witness->capacity) {
        witness->capacity = witness->capacity == 0 ? 64 : witness->capacity * 2;
        witness->appends = realloc(witness->appends, witness->capacity * sizeof(void *));
        INVARIANT(witness->appends != NULL);
    }
    made->append.first_seq = witness->count; /* its id, until it is answered */
    witness->appends[witness->count++] = made;
    witness->open++;
    pthread_mutex_unlock(&witness->mutex);
    return made;
}

static struct witness_append *witness_hand_in(struct witness *witness, struct log *log,
                                              uint32_t count, size_t body_bytes)
{
    struct witness_append *made = witness_add(witness);
    uint64_t id = made->append.first_seq;
    write_records(&made->records, id, count, body_bytes);
    INVARIANT(!made->records.failed);
    made->witness = witness;
    made->append = (struct log_append){
        .records = buffer_str(&made->records),
        .count = count,
        .source = witness->source,
        .durable = on_durable,
        .context = made,
    };
    err error = log_append(log, &made->append);
    if (error == ERR_OK)
        return made;
    pthread_mutex_lock(&witness->mutex);
    made->refused = true;
    made->answer = error;
    witness->last_error = error;
    witness->open--;
    pthread_cond_broadcast(&witness->changed);
    pthread_mutex_unlock(&witness->mutex);
    return made;
}

err witness_append(struct witness *witness, struct log *log, uint32_t count, size_t body_bytes)
{
    struct witness_append *made = witness_hand_in(witness, log, count, body_bytes);
    return made->refused ? made->answer : ERR_OK;
}

void witness_wait(struct witness *witness)
{
    pthread_mutex_lock(&witness->mutex);
    while (witness->open > 0)
        pthread_cond_wait(&witness->changed, &witness->mutex);
    pthread_mutex_unlock(&witness->mutex);
}

err witness_append_now(struct witness *witness, struct log *log, uint32_t count, size_t body_bytes)
{
    struct witness_append *made = witness_hand_in(witness, log, count, body_bytes);
    pthread_mutex_lock(&witness->mutex);
    while (!made->refused && !made->answered)
        pthread_cond_wait(&witness->changed, &witness->mutex);
    pthread_mutex_unlock(&witness->mutex);
    return made->answer;
}

/* ---- comparing ---- */

static bool wrong(struct witness *witness, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool wrong(struct witness *witness, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(witness->wrong, sizeof witness->wrong, format, arguments);
    va_end(arguments);
    return false;
}

static struct witness_append *append_of_body(struct witness *witness, str body, uint32_t *index)
{
    struct cursor cursor = cursor_over(body);
    uint64_t id = read_u64(&cursor);
    *index = read_u32(&cursor);
    return cursor.failed || id >= witness->count ? NULL : witness->appends[id];
}

/* The whole append lies in the block, at the cursor, byte by byte. */
static bool check_append(struct witness *witness, const struct log_block *block,
                         struct witness_append *append, struct log_cursor *cursor, uint64_t seq)
{
    str expected = buffer_str(&append->records);
    str found = str_slice(block->records, cursor->offset, cursor->offset + expected.size);
    if (append->found_seq != 0)
        return wrong(witness, "the append at %" PRIu64 " is in the log twice, again at %" PRIu64,
                     append->found_seq, seq);
    if (!str_equal(found, expected))
        return wrong(witness, "records from %" PRIu64 " on are not what was appended", seq);
    append->found_seq = seq;
    cursor->offset += expected.size;
    cursor->index += append->append.count;
    return true;
}

bool witness_check_block(struct witness *witness, const struct log_block *block,
                         uint64_t *expected_seq, struct witness_records *seen)
{
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    if (block->first_seq != *expected_seq)
        return wrong(witness, "a block of %" PRIu64 " comes where %" PRIu64 " is due",
                     block->first_seq, *expected_seq);
    struct log_cursor before = cursor;
    while (log_block_next(&cursor, &record)) {
        uint32_t index = 0;
        if (record.kind == LOG_RECORD_TICK) {
            seen->ticks++;
            before = cursor;
            continue;
        }
        struct witness_append *append = append_of_body(witness, record.body, &index);
        if (append == NULL || index != 0)
            return wrong(witness, "record %" PRIu64 " begins no append", record.seq);
        cursor = before;
        if (!check_append(witness, block, append, &cursor, record.seq))
            return false;
        before = cursor;
    }
    seen->records += block->count;
    *expected_seq += block->count;
    return true;
}

static bool check_answers(struct witness *witness, uint64_t first_seq, bool some_lost)
{
    for (size_t i = 0; i < witness->count; i++) {
        const struct witness_append *append = witness->appends[i];
        bool is_in = append->found_seq != 0;
        bool denied =
            append->refused || append->answer == ERR_STORAGE_FULL || append->answer == ERR_NOMEM;
        bool promised = append->answered && append->answer == ERR_OK;
        uint64_t seq = append->append.first_seq;
        if (is_in && denied)
            return wrong(witness, "append %zu got %s and is in the log at %" PRIu64, i,
                         err_code(append->answer), append->found_seq);
        if (promised && is_in && seq != append->found_seq)
            return wrong(witness, "append %zu was to be at %" PRIu64 " and is at %" PRIu64, i, seq,
                         append->found_seq);
        if (promised && !is_in && !some_lost && seq >= first_seq)
            return wrong(witness, "append %zu was acknowledged as %" PRIu64 " and is not there", i,
                         seq);
    }
    return true;
}

bool witness_check(struct witness *witness, struct log *log, struct witness_records *seen)
{
    struct witness_records own = { 0 };
    struct witness_records *counts = seen != NULL ? seen : &own;
    uint64_t next = log_first_seq(log), last = log_last_seq(log);
    int64_t received_ms = INT64_MIN;
    *counts = (struct witness_records){ 0 };
    witness->wrong[0] = '\0';
    for (size_t i = 0; i < witness->count; i++)
        witness->appends[i]->found_seq = 0;
    while (next <= last) {
        struct log_block *block = NULL;
        struct problem problem = { 0 };
        if (log_read(log, next, &block, &problem) != ERR_OK)
            return wrong(witness, "record %" PRIu64 " cannot be read: %s", next, problem.detail);
        bool right = witness_check_block(witness, block, &next, counts);
        if (right && block->received_ms < received_ms)
            right = wrong(witness, "the block of %" PRIu64 " is older than the one before",
                          block->first_seq);
        received_ms = block->received_ms;
        log_block_release(&block);
        if (!right)
            return false;
    }
    if (next != last + 1)
        return wrong(witness, "the last block ends at %" PRIu64 ", not %" PRIu64, next - 1, last);
    if (counts->ticks > 0 && counts->ticks != log_lost_records(log))
        return wrong(witness, "%" PRIu64 " ticks stand for %" PRIu64 " lost records", counts->ticks,
                     log_lost_records(log));
    return check_answers(witness, log_first_seq(log), counts->ticks > 0);
}
