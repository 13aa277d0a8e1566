/* SPDX-License-Identifier: Apache-2.0 */
/* refusal: links that were refused, filed once per pair, and how many customers one identifier was
 * refused for. */
#include "identity/state.h"

static const char *const reason_texts[] = {
    [REFUSED_LIMIT] = "limit",
    [REFUSED_SEPARATED] = "separated",
    [REFUSED_SHARED] = "shared",
    [REFUSED_CLAIM] = "claim",
};
static const char *const status_texts[] = {
    [REFUSAL_OPEN] = "open",
    [REFUSAL_MERGED] = "merged",
    [REFUSAL_SEPARATED] = "separated",
    [REFUSAL_DISMISSED] = "dismissed",
};

const char *refusal_reason_text(enum refusal_reason reason)
{
    return reason_texts[reason];
}

const char *refusal_status_text(enum refusal_status status)
{
    return status_texts[status];
}

static bool parse(str text, const char *const *texts, unsigned count, unsigned *out)
{
    for (*out = 0; *out < count; ++*out) {
        if (str_equal(text, str_from_c(texts[*out])))
            return true;
    }
    return false;
}

bool refusal_reason_parse(str text, enum refusal_reason *reason)
{
    unsigned at;
    bool good = parse(text, reason_texts, sizeof(reason_texts) / sizeof(*reason_texts), &at);
    if (good)
        *reason = (enum refusal_reason)at;
    return good;
}

bool refusal_status_parse(str text, enum refusal_status *status)
{
    unsigned at;
    bool good = parse(text, status_texts, sizeof(status_texts) / sizeof(*status_texts), &at);
    if (good)
        *status = (enum refusal_status)at;
    return good;
}

void refusal_put(struct ledger_writes *writes, const struct identity *identity, uint32_t number)
{
    if (writes == NULL)
        return;
    const struct refusal *refusal = refusal_at(identity, number);
    const struct identifier_type *type = type_by_number(identity, refusal->type_number);
    const char *reason = refusal_reason_text((enum refusal_reason)refusal->reason);
    const char *status = refusal_status_text((enum refusal_status)refusal->status);
    LEDGER_PUT(writes, LEDGER_REFUSALS, ledger_int(number), ledger_int(refusal->at_ms),
               ledger_int((int64_t)refusal->seq), ledger_int(refusal->source_number),
               ledger_text(str_from_c(reason)), ledger_int(refusal->row),
               ledger_int(refusal->with_row), ledger_int(refusal->customer),
               ledger_int(refusal->other), ledger_int(refusal->times),
               ledger_text(type != NULL ? type->name : STR("")), ledger_text(str_from_c(status)),
               ledger_int(refusal->decided_by), ledger_int(refusal->last_ms));
}

void refusal_set_status(struct act *act, uint32_t number, enum refusal_status status)
{
    struct refusal *refusal = refusal_at(act->identity, number);
    act->identity->refusals_open -= refusal->status == REFUSAL_OPEN;
    act->identity->refusals_open += status == REFUSAL_OPEN;
    refusal->status = (uint8_t)status;
    refusal_put(act->writes, act->identity, number);
}

uint32_t refused_customers(const struct identity *identity, uint32_t row)
{
    struct index_key key = index_key_of_pair(row, 0);
    return index_get(&identity->refused_count, &key);
}

static err count_customer(struct identity *identity, uint32_t culprit, uint32_t customer)
{
    struct index_key pair = index_key_of_pair(culprit, customer);
    struct index_key total = index_key_of_pair(culprit, 0);
    if (customer == 0 || index_get(&identity->refused_index, &pair) != 0)
        return ERR_OK;
    uint32_t count = index_get(&identity->refused_count, &total);
    err error = index_add(&identity->refused_index, &pair, 1);
    if (error != ERR_OK)
        return error;
    if (count == 0)
        return index_add(&identity->refused_count, &total, 1);
    index_change(&identity->refused_count, &total, count + 1);
    return ERR_OK;
}

static err link_in(struct identity *identity, uint32_t number)
{
    struct refusal *refusal = refusal_at(identity, number);
    const struct index_key keys[2] = { index_key_of_pair(refusal->row, 0),
                                       index_key_of_pair(refusal->with_row, 0) };
    err error = ERR_OK;
    for (int side = 0; side < 2 && error == ERR_OK; side++)
        error = index_reserve(&identity->refusal_rows, &keys[side], 2);
    for (int side = 0; side < 2 && error == ERR_OK; side++) {
        refusal->next[side] = index_get(&identity->refusal_rows, &keys[side]);
        if (refusal->next[side] != 0)
            index_change(&identity->refusal_rows, &keys[side], number);
        else
            error = index_add(&identity->refusal_rows, &keys[side], number);
    }
    return error;
}

/* What is derived from a refusal: the index of pairs, the lists of rows, how many are open, and the
 * distinct customers for whom an identifier was over a limit. */
err refusal_load(struct identity *identity, uint32_t number)
{
    const struct refusal *refusal = refusal_at(identity, number);
    struct index_key pair = index_key_of_pair(refusal->row, refusal->with_row);
    err error = ERR_OK;
    identity->refusals_open += refusal->status == REFUSAL_OPEN;
    if (index_get(&identity->refusal_index, &pair) == 0)
        error = index_add(&identity->refusal_index, &pair, number);
    if (error == ERR_OK)
        error = link_in(identity, number);
    if (error == ERR_OK && refusal->reason == REFUSED_LIMIT)
        error = count_customer(identity, refusal->with_row, refusal->customer);
    return error;
}

bool refusal_keeps_apart(const struct identity *identity, uint32_t row, uint32_t with_row)
{
    for (int i = 0; i < 2; i++) {
        struct index_key pair =
            i == 0 ? index_key_of_pair(row, with_row) : index_key_of_pair(with_row, row);
        uint32_t number = index_get(&identity->refusal_index, &pair);
        if (number != 0 && refusal_at(identity, number)->status == REFUSAL_SEPARATED)
            return true;
    }
    return false;
}

void refusal_settle(struct act *act, uint32_t row, uint32_t with_row)
{
    struct index_key pair = index_key_of_pair(row, with_row);
    uint32_t number = index_get(&act->identity->refusal_index, &pair);
    if (number == 0 || refusal_at(act->identity, number)->status != REFUSAL_OPEN)
        return;
    refusal_set_status(act, number, REFUSAL_MERGED);
}

/* ---- refusals that there is nothing to decide about any more ---- */

/* The first open refusal of `row` from `number` on, and the row on its other side. */
static uint32_t next_open(const struct identity *identity, uint32_t row, uint32_t number,
                          uint32_t *other)
{
    while (number != 0) {
        const struct refusal *refusal = refusal_at(identity, number);
        unsigned side = refusal->row == row ? 0 : 1;
        *other = side == 0 ? refusal->with_row : refusal->row;
        if (refusal->status == REFUSAL_OPEN)
            return number;
        number = refusal->next[side];
    }
    return 0;
}

/* Close what is open between `row` and rows at home with the customer of `node`. */
static void close_with(struct act *act, uint32_t row, uint32_t node)
{
    struct identity *identity = act->identity;
    struct index_key key = index_key_of_pair(row, 0);
    uint32_t number = index_get(&identity->refusal_rows, &key), other;
    while ((number = next_open(identity, row, number, &other)) != 0) {
        const struct refusal *refusal = refusal_at(identity, number);
        uint32_t home = row_at(identity, other)->node;
        if (home != 0 && refusal_joins(refusal) && same_customer(identity, home, node))
            refusal_set_status(act, number, REFUSAL_MERGED);
        number = refusal->next[refusal->row == row ? 0 : 1];
    }
}

void refusals_moot_row(struct act *act, uint32_t row)
{
    if (act->identity->refusals_open > 0)
        close_with(act, row, row_at(act->identity, row)->node);
}

void refusals_dismiss_row(struct act *act, uint32_t row)
{
    struct identity *identity = act->identity;
    struct index_key key = index_key_of_pair(row, 0);
    uint32_t number = index_get(&identity->refusal_rows, &key), other;
    while ((number = next_open(identity, row, number, &other)) != 0) {
        const struct refusal *refusal = refusal_at(identity, number);
        refusal_set_status(act, number, REFUSAL_DISMISSED);
        number = refusal->next[refusal->row == row ? 0 : 1];
    }
}

void refusals_moot(struct act *act, uint32_t a, uint32_t b)
{
    const struct identity *identity = act->identity;
    bool b_is_smaller = component_size(identity, b) < component_size(identity, a);
    struct row_walk walk = walk_rows(identity, b_is_smaller ? b : a);
    for (uint32_t row; identity->refusals_open > 0 && (row = walk_next(&walk)) != 0;)
        close_with(act, row, b_is_smaller ? a : b);
}

static void raise_times(struct act *act, uint32_t number)
{
    struct refusal *refusal = refusal_at(act->identity, number);
    if (act->now_ms / DAY_MS <= refusal->last_ms / DAY_MS)
        return;
    refusal->times++;
    refusal->last_ms = act->now_ms;
    refusal_put(act->writes, act->identity, number);
}

static uint32_t customer_of_row(const struct identity *identity, uint32_t row)
{
    uint32_t node = row_at(identity, row)->node;
    return node != 0 ? root_of(identity, node) : 0;
}

err refusal_file(struct act *act, uint32_t row, uint32_t with_row, enum refusal_reason reason,
                 const struct identifier_type *type)
{
    struct identity *identity = act->identity;
    struct index_key pair = index_key_of_pair(row, with_row);
    uint32_t number = index_get(&identity->refusal_index, &pair);
    if (act->outcome != NULL)
        act->outcome->refusal_count++;
    if (number != 0) {
        raise_times(act, number);
        return ERR_OK;
    }
    number = identity->refusals.count;
    err error = segments_grow(&identity->refusals, (uint64_t)number + 1);
    if (error != ERR_OK)
        return error;
    identity->refusals.count++;
    *refusal_at(identity, number) = (struct refusal){
        .row = row,
        .with_row = with_row,
        .customer = customer_of_row(identity, row),
        .other = customer_of_row(identity, with_row),
        .source_number = act->source_number,
        .times = 1,
        .type_number = type != NULL ? (uint16_t)type->number : 0,
        .reason = (uint8_t)reason,
        .status = REFUSAL_OPEN,
        .at_ms = act->now_ms,
        .last_ms = act->now_ms,
        .seq = act->seq,
    };
    refusal_put(act->writes, identity, number);
    return refusal_load(identity, number);
}
