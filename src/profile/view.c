/* SPDX-License-Identifier: Apache-2.0 */
/* view: what a trait's facts come to, by the precedence of its type. */
#include <stdlib.h>

#include "base/arena.h"
#include "profile/state.h"

/* ---- which fact speaks ---- */

/* An import may be ranked by itself, under its own number; else it speaks as its source does. */
static uint32_t speaker_of(const struct trait_type *type, uint32_t source)
{
    if (!event_source_is_import(source) || type->imports == NULL)
        return source;
    uint32_t job = source - EVENT_SOURCE_IMPORT_FIRST;
    return job < type->imports->count && type->imports->sources[job] != 0
               ? type->imports->sources[job]
               : source;
}

static uint32_t place_of(const struct trait_type *type, uint32_t source)
{
    uint32_t rank = 0;
    while (rank < type->rank_count && type->ranks[rank] != source)
        rank++;
    return rank;
}

static uint32_t rank_of(const struct trait_type *type, uint32_t source)
{
    uint32_t rank = place_of(type, source);
    return rank < type->rank_count ? rank : place_of(type, speaker_of(type, source));
}

/* Does `a` speak before `b`? Ties in time by seq; of one event the later of a list was kept. */
static bool precedes(const struct trait_type *type, const struct fact *a, const struct fact *b)
{
    int order = fact_compare_time(a, b);
    micro_sum one, other;
    switch ((enum precedence)type->precedence) {
    case OLDEST:
        return order < 0;
    case SOURCE_RANK: {
        uint32_t rank_a = rank_of(type, a->source), rank_b = rank_of(type, b->source);
        return rank_a != rank_b ? rank_a < rank_b : order > 0;
    }
    case MAX:
    case MIN: {
        int by_value = 0;
        if (fact_number(a, &one) && fact_number(b, &other))
            by_value = one > other ? 1 : one < other ? -1 : 0;
        else
            by_value = str_compare(a->json, b->json);
        if (by_value == 0)
            return order < 0;
        return type->precedence == MAX ? by_value > 0 : by_value < 0;
    }
    case NEWEST:
    case SUM:
    case UNION:
    case PRECEDENCE_COUNT:
        break;
    }
    return order > 0;
}

static const struct fact *speaking_set(const struct trait_type *type, const struct fact *items,
                                       uint32_t count)
{
    const struct fact *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == FACT_SET && (best == NULL || precedes(type, &items[i], best)))
            best = &items[i];
    }
    return best;
}

static const struct fact *find_once(const struct fact *items, uint32_t count)
{
    const struct fact *oldest = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == FACT_SET_ONCE &&
            (oldest == NULL || fact_compare_time(&items[i], oldest) < 0))
            oldest = &items[i];
    }
    return oldest;
}

static bool is_increment(const struct fact *fact)
{
    return fact->operation == FACT_INCREMENT || fact->operation == FACT_SUM;
}

/* A set-once takes effect only where nothing was before it. */
static const struct fact *effective_once(const struct fact *items, uint32_t count)
{
    const struct fact *once = find_once(items, count);
    for (uint32_t i = 0; i < count && once != NULL; i++) {
        const struct fact *fact = &items[i];
        bool before = fact_compare_time(fact, once) < 0;
        if (fact->operation == FACT_SUM || (fact->operation == FACT_INCREMENT && before) ||
            (fact->operation == FACT_APPEND && before))
            return NULL;
    }
    return once;
}

/* What the customer had last, before increments and appended elements. */
static const struct fact *find_base(const struct trait_type *type, const struct fact *items,
                                    uint32_t count)
{
    const struct fact *set = speaking_set(type, items, count);
    const struct fact *once = find_once(items, count);
    if (set == NULL)
        return effective_once(items, count);
    if (type->precedence == OLDEST && once != NULL && fact_compare_time(once, set) < 0)
        return once;
    return set;
}

/* ---- numbers ---- */

static bool has_increments(const struct fact *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_increment(&items[i]))
            return true;
    }
    return false;
}

/* The newest set, whatever the precedence: it is what an increment was added to. */
static const struct fact *newest_set(const struct fact *items, uint32_t count)
{
    const struct fact *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == FACT_SET &&
            (best == NULL || fact_compare_time(&items[i], best) > 0))
            best = &items[i];
    }
    return best;
}

static bool write_incremented(const struct fact *items, uint32_t count, struct buffer *out,
                              const struct fact **by)
{
    const struct fact *base = newest_set(items, count);
    if (base == NULL)
        base = effective_once(items, count);
    micro_sum sum = 0, number;
    if (base != NULL && !fact_number(base, &sum))
        return false;
    *by = base;
    for (uint32_t i = 0; i < count; i++) {
        const struct fact *fact = &items[i];
        if (!is_increment(fact) || (base != NULL && fact_compare_time(fact, base) < 0) ||
            !fact_number(fact, &number))
            continue;
        sum += number;
        if (*by == NULL || fact_compare_time(fact, *by) > 0)
            *by = fact;
    }
    fact_write_number(sum, out);
    return true;
}

/* Is it the newest number that its source set for its account? Older ones are kept for other reasons,
 * at most three. */
static bool is_newest_of_account(const struct fact *items, uint32_t count, const struct fact *fact)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == FACT_SET && items[i].source == fact->source &&
            items[i].account == fact->account && fact_compare_time(&items[i], fact) > 0)
            return false;
    }
    return true;
}

/* The newest number of each account, and what was added since; a set-once where there is no set. */
static bool write_sum(const struct fact *items, uint32_t count, struct buffer *out,
                      const struct fact **by)
{
    micro_sum sum = 0, number;
    const struct fact *once = effective_once(items, count);
    bool any = false;
    for (const struct fact *fact = items; fact < items + count; fact++) {
        bool counts = is_increment(fact) ||
                      (fact->operation == FACT_SET && is_newest_of_account(items, count, fact));
        if (!counts || !fact_number(fact, &number))
            continue;
        sum += number;
        any = true;
        if (*by == NULL || fact_compare_time(fact, *by) > 0)
            *by = fact;
    }
    if (once != NULL &&
        speaking_set(&(struct trait_type){ .precedence = NEWEST }, items, count) == NULL &&
        fact_number(once, &number)) {
        sum += number;
        any = true;
        if (*by == NULL)
            *by = once;
    }
    if (any)
        fact_write_number(sum, out);
    return any;
}

/* ---- lists ---- */

struct list {
    const struct profile *profile;
    struct buffer *out;
    struct facts *elements; /* scratch: those written, to write each once */
    bool first, failed;
};

/* Beyond this a list that is put together from several is cut: each element is compared with all. */
#define LIST_ELEMENTS_MAX 1000u

static void write_element(struct list *list, str json)
{
    struct fact element = { .operation = FACT_APPEND };
    if (list->elements->count == LIST_ELEMENTS_MAX || !fact_set_value(&element, json))
        return;
    for (uint32_t i = 0; i < list->elements->count; i++) {
        if (fact_same_value(&list->elements->items[i], &element))
            return;
    }
    if (!list->first)
        buffer_append_byte(list->out, ',');
    list->first = false;
    element.json = element.kind == FACT_JSON ? json : STR_NONE;
    fact_write_value(&element, list->out);
    list->failed = list->failed || facts_add(list->elements, &element) != ERR_OK;
}

/* Cut a JSON list into its elements by brackets and quotes; it was checked when it came in. */
static void write_elements(struct list *list, str json)
{
    size_t depth = 0, begin = 1;
    bool quoted = false;
    for (size_t at = 0; at < json.size; at++) {
        char c = json.data[at];
        if (quoted) {
            if (c == '\\')
                at++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        }
        if (!quoted && ((c == ',' && depth == 1) || (c == ']' && depth == 0))) {
            write_element(list, str_trim(str_slice(json, begin, at)));
            begin = at + 1;
        }
    }
}

static bool is_list_fact(const struct fact *fact)
{
    return (fact->operation == FACT_SET || fact->operation == FACT_SET_ONCE) && fact_is_list(fact);
}

/* Lists are written in the order of their times; of one event by value, so that the order is the same
 * wherever the facts lie. */
static int compare_for_list(const void *left, const void *right)
{
    const struct fact *a = *(const struct fact *const *)left;
    const struct fact *b = *(const struct fact *const *)right;
    int order = fact_compare_time(a, b);
    if (order == 0)
        order = str_compare(a->json, b->json);
    if (order == 0)
        order = a->number < b->number ? -1 : a->number > b->number;
    return order;
}

static void write_appended(const struct fact *fact, struct list *list)
{
    char bytes[64];
    struct buffer text = { .data = bytes, .capacity = sizeof(bytes), .size_max = sizeof(bytes) };
    if (fact->kind == FACT_JSON) {
        write_element(list, fact->json);
        return;
    }
    fact_write_value(fact, &text);
    write_element(list, str_from_bytes(text.data, text.size));
}

static bool write_list(const struct profile *profile, const struct trait_type *type,
                       const struct fact *items, uint32_t count, struct buffer *out,
                       const struct fact **by)
{
    struct list list = {
        .profile = profile, .out = out, .first = true, .elements = &profile->scratch->other
    };
    const struct fact *base = type->precedence == UNION ? NULL : find_base(type, items, count);
    const struct fact **in_time = memory_alloc(count * sizeof(*in_time));
    if (in_time == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        in_time[i] = &items[i];
    qsort(in_time, count, sizeof(*in_time), compare_for_list);
    list.elements->count = 0;
    *by = base;
    buffer_append_byte(out, '[');
    if (base != NULL && fact_is_list(base))
        write_elements(&list, base->json);
    for (uint32_t i = 0; i < count; i++) {
        const struct fact *fact = in_time[i];
        bool appended =
            fact->operation == FACT_APPEND && (base == NULL || fact_compare_time(fact, base) >= 0);
        bool united = type->precedence == UNION && is_list_fact(fact);
        if (appended)
            write_appended(fact, &list);
        else if (united)
            write_elements(&list, fact->json);
        if ((appended || united) && (*by == NULL || fact_compare_time(fact, *by) > 0))
            *by = fact;
    }
    memory_free(in_time);
    buffer_append_byte(out, ']');
    return *by != NULL && !list.failed;
}

static bool is_list_trait(const struct trait_type *type, const struct fact *items, uint32_t count)
{
    bool lists = false;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == FACT_APPEND)
            return true;
        lists = lists || is_list_fact(&items[i]);
    }
    return lists && type->precedence == UNION;
}

/* What was corrected by hand, unless that was taken back. */
static const struct fact *spoken_by_hand(const struct fact *items, uint32_t count)
{
    const struct fact *newest = NULL;
    for (uint32_t i = 0; i < count; i++)
        if (items[i].operation == FACT_HAND &&
            (newest == NULL || fact_compare_time(&items[i], newest) > 0))
            newest = &items[i];
    return newest != NULL && newest->kind != FACT_NONE ? newest : NULL;
}

bool view_value(const struct profile *profile, const struct trait_type *type,
                const struct fact *items, uint32_t count, struct buffer *out,
                const struct fact **by)
{
    size_t before = out->size;
    bool found;
    *by = spoken_by_hand(items, count);
    if (*by != NULL) {
        fact_write_value(*by, out);
        found = true;
    } else if (is_list_trait(type, items, count)) {
        found = write_list(profile, type, items, count, out, by);
    } else if (type->precedence == SUM && write_sum(items, count, out, by)) {
        found = true;
    } else if (has_increments(items, count) && write_incremented(items, count, out, by)) {
        found = true;
    } else {
        *by = find_base(type, items, count);
        found = *by != NULL;
        if (found)
            fact_write_value(*by, out);
    }
    if (!found)
        out->size = before;
    return found;
}
