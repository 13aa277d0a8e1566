/* SPDX-License-Identifier: Apache-2.0 */
/* line: what is the same for many touches (journey, node, channel, template …), written once. */
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

uint64_t touches_text_hash(str text)
{
    if (text.size == 0)
        return 0;
    uint64_t hash = hash_bytes64(text.data, text.size, 0x746F756368);
    return hash != 0 ? hash : 1;
}

#define LINE_TEXTS(X) \
    X(journey) X(node) X(campaign) X(channel) X(account) X(form) X(template_) X(purpose) X(brand)

static uint64_t line_hash(const struct line *line)
{
    uint64_t hash = (uint64_t)line->priority << 8 | line->flags;
#define X(member) hash = hash_mix64(hash ^ touches_text_hash(line->member)) + 1;
    LINE_TEXTS(X)
#undef X
    return hash != 0 ? hash : 1;
}

static bool same(const struct line *a, const struct line *b)
{
    bool equal = a->priority == b->priority && a->flags == b->flags;
#define X(member) equal = equal && str_equal(a->member, b->member);
    LINE_TEXTS(X)
#undef X
    return equal;
}

const struct line *touches_line_at(const struct touches *touches, uint32_t number)
{
    INVARIANT(number < LINE_CHUNK * LINE_CHUNKS);
    struct line *chunk =
        atomic_load_explicit(&touches->lines[number / LINE_CHUNK], memory_order_acquire);
    INVARIANT(chunk != NULL);
    return &chunk[number % LINE_CHUNK];
}

static err copy_texts(struct touches *touches, const struct line *wanted, struct line *line)
{
    err error = ERR_OK;
#define X(member)        \
    if (error == ERR_OK) \
        error = arena_dup(&touches->texts, wanted->member, &line->member);
    LINE_TEXTS(X)
#undef X
    line->priority = wanted->priority;
    line->flags = wanted->flags;
    line->scope_hash[0] = touches_text_hash(line->channel);
    line->scope_hash[1] = touches_text_hash(line->purpose);
    line->scope_hash[2] = touches_text_hash(line->brand);
    line->scope_hash[3] = touches_text_hash(line->journey);
    return error;
}

/* Numbers begin at 1: a mark's line 0 says that nothing is known of it. */
err touches_line_find(struct touches *touches, const struct line *wanted, uint32_t *number)
{
    uint64_t hash = line_hash(wanted);
    for (;; hash = hash_mix64(hash + 1) | 1) {
        *number = touches_map_find(&touches->line_numbers, hash);
        if (*number == 0)
            break;
        if (same(touches_line_at(touches, *number), wanted))
            return ERR_OK;
    }
    uint32_t next = touches->line_count + 1;
    if (next >= LINE_CHUNK * LINE_CHUNKS)
        return ERR_NOMEM;
    struct line *chunk = atomic_load(&touches->lines[next / LINE_CHUNK]);
    if (chunk == NULL) {
        chunk = memory_alloc(LINE_CHUNK * sizeof *chunk);
        if (chunk == NULL)
            return ERR_NOMEM;
        atomic_store_explicit(&touches->lines[next / LINE_CHUNK], chunk, memory_order_release);
    }
    struct line *line = &chunk[next % LINE_CHUNK];
    err error = copy_texts(touches, wanted, line);
    if (error == ERR_OK)
        error = touches_map_put(&touches->line_numbers, hash, next);
    if (error != ERR_OK)
        return error;
    line->number = *number = next;
    touches->line_count = next;
    PUT(touches, TOUCH_LINES, ledger_int(next), ledger_text(line->journey), ledger_text(line->node),
        ledger_text(line->campaign), ledger_text(line->channel), ledger_text(line->account),
        ledger_text(line->form), ledger_text(line->template_), ledger_text(line->purpose),
        ledger_text(line->brand), ledger_int(line->priority), ledger_int(line->flags));
    return ERR_OK;
}
