/* SPDX-License-Identifier: Apache-2.0 */
/* The audit's chain and its head. */
#include "access/audit.h"

#include <sodium.h>
#include <string.h>

#include "base/buffer.h"
#include "base/codec.h"

#define LINE_BYTES_MAX ((size_t)1 << 20)
/* Added to the count of a head that was tampered with: a new head must not hide it. */
#define SPOILT (UINT64_C(1) << 40)
#define HEAD_BYTES (8 + 8 + AUDIT_CHAIN_BYTES + SEAL_HASH_BYTES)

enum audit_column {
    AUDIT_SEQ,
    AUDIT_AT_MS,
    AUDIT_USER_NUMBER,
    AUDIT_ACTION,
    AUDIT_OBJECT,
    AUDIT_DETAIL,
    AUDIT_CHAIN,
    AUDIT_ADDRESS
};

static void next_chain(const struct keys *keys, uint8_t chain[AUDIT_CHAIN_BYTES],
                       const struct audit_line *line)
{
    struct buffer text;
    buffer_init(&text, LINE_BYTES_MAX);
    buffer_append(&text, chain, AUDIT_CHAIN_BYTES);
    write_u64(&text, line->seq);
    write_i64(&text, line->at_ms);
    write_u32(&text, line->user_number);
    write_text(&text, line->action);
    write_text(&text, line->object);
    write_text(&text, line->detail);
    if (line->address.size > 0)
        write_text(&text, line->address);
    if (buffer_status(&text) == ERR_OK)
        keys_hash(keys, STR("audit"), buffer_str(&text), chain);
    buffer_deinit(&text);
}

/* Head and anchor have the same form: each its key in META, and a hash of its own. */
struct mark {
    const char *key, *purpose;
};
static const struct mark head_mark = { AUDIT_HEAD_KEY, "audit head" };
static const struct mark anchor_mark = { AUDIT_ANCHOR_KEY, "audit anchor" };

static void mark_hash(const struct mark *mark, const struct keys *keys,
                      const uint8_t bytes[HEAD_BYTES], uint8_t out[SEAL_HASH_BYTES])
{
    keys_hash(keys, str_from_c(mark->purpose), str_from_bytes(bytes, HEAD_BYTES - SEAL_HASH_BYTES),
              out);
}

static void put_mark(const struct mark *mark, const struct audit_head *head,
                     const struct keys *keys, struct ledger_writes *writes)
{
    uint8_t bytes[HEAD_BYTES];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(head->count >> (8 * i));
        bytes[8 + i] = (uint8_t)(head->seq >> (8 * i));
    }
    memcpy(bytes + 16, head->chain, AUDIT_CHAIN_BYTES);
    mark_hash(mark, keys, bytes, bytes + HEAD_BYTES - SEAL_HASH_BYTES);
    LEDGER_PUT(writes, LEDGER_META, ledger_text(str_from_c(mark->key)),
               ledger_blob(str_from_bytes(bytes, HEAD_BYTES)));
}

struct head_read {
    const struct keys *keys;
    const struct mark *mark;
    struct audit_head head;
    bool found, is_ours;
};

static bool visit_head(void *context, const struct ledger_value *values)
{
    struct head_read *read = context;
    const uint8_t *bytes = (const uint8_t *)values[1].bytes.data;
    uint8_t hash[SEAL_HASH_BYTES];
    read->found = true;
    if (values[1].bytes.size != HEAD_BYTES)
        return false;
    mark_hash(read->mark, read->keys, bytes, hash);
    read->is_ours = sodium_memcmp(hash, bytes + HEAD_BYTES - SEAL_HASH_BYTES, sizeof(hash)) == 0;
    for (int i = 0; i < 8; i++) {
        read->head.count |= (uint64_t)bytes[i] << (8 * i);
        read->head.seq |= (uint64_t)bytes[8 + i] << (8 * i);
    }
    memcpy(read->head.chain, bytes + 16, AUDIT_CHAIN_BYTES);
    return false;
}

static err read_mark(struct head_read *read, const struct mark *mark, const struct keys *keys,
                     struct ledger *ledger, struct problem *problem)
{
    struct ledger_value key = ledger_text(str_from_c(mark->key));
    *read = (struct head_read){ .keys = keys, .mark = mark };
    return ledger_find(ledger, LEDGER_META, &key, 1, visit_head, read, problem);
}

static bool visit_any(void *context, const struct ledger_value *values)
{
    (void)values;
    *(bool *)context = true;
    return false;
}

err audit_head_load(struct audit_head *head, const struct keys *keys, struct ledger *ledger,
                    struct problem *problem)
{
    struct head_read read;
    bool has_lines = false;
    err error = read_mark(&read, &head_mark, keys, ledger, problem);
    if (error == ERR_OK && !read.found)
        error = ledger_page(ledger, LEDGER_AUDIT, NULL, true, 1, visit_any, &has_lines, problem);
    *head = read.head;
    if (read.found ? !read.is_ours : has_lines)
        head->count += SPOILT;
    return error;
}

void audit_write(struct audit_head *head, const struct keys *keys, const struct audit_line *line,
                 struct ledger_writes *writes)
{
    next_chain(keys, head->chain, line);
    head->count++;
    head->seq = line->seq;
    LEDGER_PUT(writes, LEDGER_AUDIT, ledger_int((int64_t)line->seq), ledger_int(line->at_ms),
               ledger_int(line->user_number), ledger_text(line->action), ledger_text(line->object),
               ledger_text(line->detail),
               ledger_blob(str_from_bytes(head->chain, AUDIT_CHAIN_BYTES)),
               ledger_text(line->address));
    put_mark(&head_mark, head, keys, writes);
}

/* ---- lines that go by age ---- */

struct expiring {
    const struct keys *keys;
    struct ledger_writes *writes;
    struct audit_head anchor;
    int64_t before_ms;
    uint64_t removed;
    bool is_broken;
};

static struct audit_line line_of(const struct ledger_value *values)
{
    return (struct audit_line){
        .seq = (uint64_t)values[AUDIT_SEQ].integer,
        .at_ms = values[AUDIT_AT_MS].integer,
        .user_number = (uint32_t)values[AUDIT_USER_NUMBER].integer,
        .action = values[AUDIT_ACTION].bytes,
        .object = values[AUDIT_OBJECT].bytes,
        .detail = values[AUDIT_DETAIL].bytes,
        .address = values[AUDIT_ADDRESS].bytes,
    };
}

static bool has_chain(const struct ledger_value *values, const uint8_t chain[AUDIT_CHAIN_BYTES])
{
    str kept = values[AUDIT_CHAIN].bytes;
    return kept.size == AUDIT_CHAIN_BYTES &&
           sodium_memcmp(kept.data, chain, AUDIT_CHAIN_BYTES) == 0;
}

/* What was tampered with stays, so that it is found. */
static bool expire_line(void *context, const struct ledger_value *values)
{
    struct expiring *expiring = context;
    struct audit_line line = line_of(values);
    if (line.at_ms >= expiring->before_ms)
        return false;
    next_chain(expiring->keys, expiring->anchor.chain, &line);
    expiring->is_broken = !has_chain(values, expiring->anchor.chain);
    if (expiring->is_broken)
        return false;
    expiring->anchor.count++;
    expiring->anchor.seq = line.seq;
    expiring->removed++;
    ledger_delete(expiring->writes, LEDGER_AUDIT, values);
    return true;
}

err audit_expire(struct ledger *ledger, const struct keys *keys, int64_t before_ms, size_t limit,
                 struct ledger_writes *writes, uint64_t *removed, struct problem *problem)
{
    struct head_read read;
    err error = read_mark(&read, &anchor_mark, keys, ledger, problem);
    if (error == ERR_OK && read.found && !read.is_ours)
        return problem_set(problem, ERR_CORRUPT, "the audit's anchor was altered");
    struct expiring expiring = {
        .keys = keys, .writes = writes, .anchor = read.head, .before_ms = before_ms
    };
    if (error == ERR_OK)
        error =
            ledger_page(ledger, LEDGER_AUDIT, NULL, false, limit, expire_line, &expiring, problem);
    if (error == ERR_OK && expiring.removed > 0)
        put_mark(&anchor_mark, &expiring.anchor, keys, writes);
    if (error == ERR_OK && expiring.removed == 0 && expiring.is_broken)
        error = problem_set(problem, ERR_CORRUPT,
                            "the oldest line of the audit is not what was written");
    *removed = expiring.removed;
    return error;
}

/* ---- verifying ---- */

struct walk {
    const struct keys *keys;
    const struct audit_head *head;
    struct audit_verdict *verdict;
    uint8_t chain[AUDIT_CHAIN_BYTES];
};

static void complain(struct audit_verdict *verdict, uint64_t seq, const char *complaint)
{
    if (!verdict->is_whole)
        return;
    verdict->is_whole = false;
    verdict->broken_seq = seq;
    verdict->complaint = complaint;
}

static bool visit_line(void *context, const struct ledger_value *values)
{
    struct walk *walk = context;
    struct audit_line line = line_of(values);
    if (line.seq > walk->head->seq)
        return false; /* written since the head was read */
    next_chain(walk->keys, walk->chain, &line);
    walk->verdict->lines++;
    if (has_chain(values, walk->chain))
        return true;
    complain(walk->verdict, line.seq,
             "this line was altered, or one before it was removed or put in between");
    return false;
}

err audit_verify(struct ledger *ledger, const struct keys *keys, struct audit_verdict *verdict,
                 struct problem *problem)
{
    struct head_read read, anchor;
    *verdict = (struct audit_verdict){ .is_whole = true, .complaint = "" };
    err error = read_mark(&read, &head_mark, keys, ledger, problem);
    if (error == ERR_OK)
        error = read_mark(&anchor, &anchor_mark, keys, ledger, problem);
    if (error != ERR_OK)
        return error;
    struct walk walk = { .keys = keys, .head = &read.head, .verdict = verdict };
    memcpy(walk.chain, anchor.head.chain, AUDIT_CHAIN_BYTES);
    verdict->expired = anchor.head.count;
    if (read.found && (!read.is_ours || read.head.count >= SPOILT))
        complain(verdict, 0, "the head was altered or removed");
    if (anchor.found && !anchor.is_ours)
        complain(verdict, 0, "the anchor was altered");
    if (!read.found)
        read.head.seq = INT64_MAX; /* no line at all, then */
    error = ledger_scan(ledger, LEDGER_AUDIT, NULL, visit_line, &walk, problem);
    if (error != ERR_OK || !verdict->is_whole)
        return error;
    if (!read.found && verdict->lines > 0)
        complain(verdict, 0, "the head was removed");
    else if (read.found && verdict->lines + verdict->expired != read.head.count)
        complain(verdict, 0, "lines at the end were removed");
    else if (read.found && memcmp(walk.chain, read.head.chain, AUDIT_CHAIN_BYTES) != 0)
        complain(verdict, 0, "the last line is not that of the head");
    return ERR_OK;
}
