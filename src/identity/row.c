/* SPDX-License-Identifier: Apache-2.0 */
/* row: identifiers, where they are at home, and the rows that the ledger does not have yet. */
#include <string.h>

#include "identity/state.h"

static const char *const cause_texts[LINK_CAUSE_COUNT] = {
    [LINK_FIRST] = "first",     [LINK_TOGETHER] = "together", [LINK_CLAIMED] = "claimed",
    [LINK_LOGIN] = "login",     [LINK_MOVED] = "moved",       [LINK_TAKEN] = "taken",
    [LINK_DROPPED] = "dropped", [LINK_SHARED] = "shared",     [LINK_BLOCKED] = "blocked",
    [LINK_UNBOUND] = "unbound", [LINK_REFUSED] = "refused",   [LINK_RULES] = "rules",
    [LINK_REVIEW] = "review",   [LINK_IMPORT] = "import",     [LINK_UNDONE] = "undone",
    [LINK_ERASED] = "erased",   [LINK_HAND] = "hand",
};

const char *link_cause_text(enum link_cause cause)
{
    return cause_texts[cause];
}

/* ---- rows that wait for their commit ---- */

#define PENDING_MIN 64u

static err pending_grow(struct identity *identity)
{
    uint32_t old = identity->pending_capacity;
    uint32_t capacity = old == 0 ? PENDING_MIN : old * 2;
    struct pending **ring = memory_alloc(capacity * sizeof(*ring));
    if (ring == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < identity->pending_count; i++) {
        uint32_t row = identity->pending_first + i;
        ring[row & (capacity - 1)] = identity->pending[row & (old - 1)];
    }
    memory_free(identity->pending);
    identity->pending = ring;
    identity->pending_capacity = capacity;
    return ERR_OK;
}

static err pending_add(struct act *act, const struct event_identifier *identifier, uint32_t row,
                       uint32_t node, int64_t first_seen_ms)
{
    struct identity *identity = act->identity;
    if (identity->pending_count == identity->pending_capacity) {
        err error = pending_grow(identity);
        if (error != ERR_OK)
            return error;
    }
    size_t size = sizeof(struct pending) + identifier->value.size;
    struct pending *pending = memory_alloc(size);
    if (pending == NULL)
        return ERR_NOMEM;
    char *value = (char *)(pending + 1);
    if (identifier->value.size > 0)
        memcpy(value, identifier->value.data, identifier->value.size);
    *pending = (struct pending){
        .row = row,
        .source_number = act->source_number,
        .born_at = node,
        .first_seen_ms = first_seen_ms,
        .attached_ms = act->now_ms,
        .value = str_from_bytes(value, identifier->value.size),
    };
    if (identity->pending_count == 0)
        identity->pending_first = row;
    identity->pending[row & (identity->pending_capacity - 1)] = pending;
    identity->pending_count++;
    identity->pending_bytes += size;
    return ERR_OK;
}

struct pending *pending_find(const struct identity *identity, uint32_t row)
{
    if (row - identity->pending_first >= identity->pending_count)
        return NULL;
    return identity->pending[row & (identity->pending_capacity - 1)];
}

/* What moved before a row was made is committed when the row is. */
static void forget_moves(struct identity *identity, uint32_t row)
{
    uint32_t gone = 0;
    while (gone < identity->move_count && identity->moves[gone].row_count <= row)
        gone++;
    if (gone == 0)
        return;
    identity->move_count -= gone;
    memmove(identity->moves, identity->moves + gone,
            identity->move_count * sizeof(*identity->moves));
}

void identity_committed(struct identity *identity, uint32_t row)
{
    forget_moves(identity, row);
    while (identity->pending_count > 0 && identity->pending_first <= row) {
        struct pending *pending = pending_find(identity, identity->pending_first);
        identity->pending_bytes -= sizeof(*pending) + pending->value.size;
        memory_free(pending);
        identity->pending_first++;
        identity->pending_count--;
    }
}

void pending_deinit(struct identity *identity)
{
    identity_committed(identity, UINT32_MAX);
    memory_free(identity->pending);
    memory_free(identity->moves);
}

/* ---- homes ---- */

static uint64_t *stirred_word(const struct identity *identity, uint32_t customer)
{
    return segments_at(&identity->stirred, customer / 64);
}

/* A customer who is joined or parted later is told by that. */
static void stir(struct identity *identity, uint32_t node)
{
    uint32_t customer = root_of(identity, node);
    *stirred_word(identity, customer) |= UINT64_C(1) << customer % 64;
}

bool identity_take_stirred(const struct identity *identity, uint32_t customer)
{
    uint64_t bit = UINT64_C(1) << customer % 64;
    if (customer >= identity->nodes.count || (*stirred_word(identity, customer) & bit) == 0)
        return false;
    *stirred_word(identity, customer) &= ~bit;
    return true;
}

void row_link_in(struct identity *identity, uint32_t number, uint32_t node)
{
    stir(identity, node);
    struct row *row = row_at(identity, number);
    row->node = node;
    row->next = node_at(identity, node)->first_row;
    node_at(identity, node)->first_row = number;
}

static void link_out(struct identity *identity, uint32_t number)
{
    struct row *row = row_at(identity, number);
    uint32_t *at = &node_at(identity, row->node)->first_row;
    stir(identity, row->node);
    while (*at != number)
        at = &row_at(identity, *at)->next;
    *at = row->next;
    row->node = row->next = 0;
}

static void put_home(struct act *act, uint32_t number)
{
    if (act->writes == NULL)
        return;
    const struct row *row = row_at(act->identity, number);
    LEDGER_PUT(act->writes, LEDGER_IDENTIFIER_HOMES, ledger_int(number), ledger_int(row->flags),
               ledger_int(row->node), ledger_int((int64_t)row->attached_s * 1000));
}

/* For the rules, which read moves from the ledger. Without memory one that is not committed is missed there,
 * as if it had come after them. */
static void remember_move(struct identity *identity, uint64_t link_id, uint32_t row)
{
    if (identity->move_count == identity->move_capacity) {
        uint32_t capacity = identity->move_capacity == 0 ? 64 : identity->move_capacity * 2;
        struct pending_move *moves = memory_resize(identity->moves, capacity * sizeof(*moves));
        if (moves == NULL)
            return;
        identity->moves = moves;
        identity->move_capacity = capacity;
    }
    identity->moves[identity->move_count++] =
        (struct pending_move){ .link_id = link_id,
                               .row = row,
                               .node = row_at(identity, row)->node,
                               .row_count = identity->rows.count };
}

static void put_link(struct act *act, uint32_t row, uint32_t with_row, enum link_cause cause)
{
    uint64_t id = ++act->identity->link_id;
    if (act->writes == NULL)
        return;
    if (cause == LINK_MOVED)
        remember_move(act->identity, id, row);
    LEDGER_PUT(act->writes, LEDGER_LINKS, ledger_int((int64_t)id), ledger_int(row),
               ledger_int(with_row), ledger_int(row_at(act->identity, row)->node),
               ledger_int((int64_t)act->seq), ledger_int(act->now_ms),
               ledger_int(act->source_number), ledger_text(str_from_c(link_cause_text(cause))));
}

static void note_stated(struct identity *identity, uint32_t number, int change)
{
    const struct row *row = row_at(identity, number);
    if (row->node != 0 && (row->flags & ROW_STATED) != 0)
        counts_note(identity, row->node, row->kind, change);
}

void row_move(struct act *act, uint32_t number, uint32_t node, uint32_t with_row,
              enum link_cause cause)
{
    struct identity *identity = act->identity;
    struct row *row = row_at(identity, number);
    uint32_t from = row->node;
    if (from == node)
        return;
    bool changes_customer = from == 0 || node == 0 || !same_customer(identity, from, node);
    uint16_t families = families_of_row(identity, number);
    if (from != 0) {
        note_stated(identity, number, -1);
        link_out(identity, number);
        families_row(identity, from, families, 0);
    }
    row->attached_s = node != 0 ? act->now_s : 0;
    if (node != 0) {
        row_link_in(identity, number, node);
        note_stated(identity, number, 1);
        families_row(identity, node, 0, families);
        refusals_moot_row(act, number);
    }
    put_home(act, number);
    if (changes_customer)
        put_link(act, number, with_row, cause);
}

void row_set_flags(struct act *act, uint32_t number, uint8_t set, uint8_t clear)
{
    struct row *row = row_at(act->identity, number);
    uint8_t flags = (uint8_t)((row->flags | set) & ~clear);
    if (row->flags == flags)
        return;
    uint16_t families = families_of_row(act->identity, number);
    note_stated(act->identity, number, -1);
    row->flags = flags;
    note_stated(act->identity, number, 1);
    if (row->node != 0)
        families_row(act->identity, row->node, families, families_of_row(act->identity, number));
    put_home(act, number);
}

/* ---- new rows and hashes ---- */

static str tail_of(const struct event_identifier *identifier)
{
    static const uint8_t none[sizeof(identifier->tail_hash)];
    if (memcmp(identifier->tail_hash, none, sizeof(none)) == 0)
        return STR("");
    return str_from_bytes(identifier->tail_hash, sizeof(identifier->tail_hash));
}

static err add_hashes(struct identity *identity, const struct event_identifier *identifier,
                      uint32_t row, uint8_t *hashes, size_t *size)
{
    *size = 0;
    for (uint32_t i = 0; i <= identifier->other_hash_count && i <= 3; i++) {
        const uint8_t *hash = i == 0 ? identifier->hash : identifier->other_hashes[i - 1];
        struct index_key key = index_key_of_hash(hash);
        if (index_get(&identity->index, &key) != 0)
            continue;
        err error = index_add(&identity->index, &key, row);
        if (error != ERR_OK)
            return error;
        memcpy(hashes + *size, hash, HASH_BYTES);
        *size += HASH_BYTES;
    }
    return ERR_OK;
}

uint32_t row_new(struct act *act, const struct event_identifier *identifier, uint32_t kind,
                 uint32_t node, uint8_t flags, uint32_t with_row, enum link_cause cause,
                 int64_t first_seen_ms)
{
    struct identity *identity = act->identity;
    uint32_t number = identity->rows.count;
    uint8_t hashes[4 * HASH_BYTES];
    size_t hash_bytes;
    if (segments_grow(&identity->rows, (uint64_t)number + 1) != ERR_OK ||
        pending_add(act, identifier, number, node, first_seen_ms) != ERR_OK)
        return 0;
    /* From here on the number is used up; what fails is told, and the event is applied again. */
    identity->rows.count++;
    struct row *row = row_at(identity, number);
    *row = (struct row){ .kind = kind & 0xFFFFFF,
                         .flags = flags,
                         .last_seen_s = seconds_of(first_seen_ms) };
    identity->kinds[kind].type->rows++;
    if (node != 0) {
        row->attached_s = act->now_s;
        row_link_in(identity, number, node);
        note_stated(identity, number, 1);
        families_row(identity, node, 0, families_of_row(identity, number));
    }
    if (add_hashes(identity, identifier, number, hashes, &hash_bytes) != ERR_OK)
        return 0;
    if (act->writes == NULL)
        return number;
    const struct kind *what = &identity->kinds[kind];
    LEDGER_PUT(act->writes, LEDGER_IDENTIFIERS, ledger_int(number),
               ledger_blob(str_from_bytes(hashes, hash_bytes)), ledger_int(what->type->number),
               ledger_text(what->namespace_), ledger_int(flags), ledger_int(node),
               ledger_int(act->now_ms), ledger_int((int64_t)act->seq), ledger_int(with_row),
               ledger_text(str_from_c(link_cause_text(cause))), ledger_blob(identifier->value),
               ledger_blob(tail_of(identifier)), ledger_int(act->source_number),
               ledger_int(first_seen_ms));
    return number;
}

err row_add_hash(struct act *act, uint32_t row, const uint8_t hash[HASH_BYTES],
                 const struct event_identifier *identifier)
{
    struct index_key key = index_key_of_hash(hash);
    err error = index_add(&act->identity->index, &key, row);
    if (error != ERR_OK || act->writes == NULL)
        return error;
    struct ledger_value value = ledger_null(), tail = ledger_null();
    if (identifier != NULL) {
        value = ledger_blob(identifier->value);
        tail = ledger_blob(tail_of(identifier));
    }
    LEDGER_PUT(act->writes, LEDGER_IDENTIFIER_HASHES, ledger_blob(str_from_bytes(hash, HASH_BYTES)),
               ledger_int(row), value, tail);
    return ERR_OK;
}
