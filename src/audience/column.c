/* SPDX-License-Identifier: Apache-2.0 */
/* column: facts of the profile as columns over customers, so that a rule can be judged on any thread.
 *
 * A cell is one atomic word: a code of the column's lexicon, a number in millionths, a time, 0 or 1. The
 * engine writes cells as facts change; whoever reads sees a value that was true a moment ago, and a customer
 * whose facts change while a scan runs is judged again by the engine. A column that nobody has asked for is empty. */
#include <string.h>

#include "audience/state.h"

#define NODES_MAX 4096
#define FACTS_BYTES_MAX ((size_t)16 << 20)
#define LEXICON_TEXTS_MAX 4000000

/* ---- cells ---- */

int64_t cell_get(const struct fact_column *column, uint32_t customer)
{
    const struct fact_chunk *chunk =
        atomic_load_explicit(&column->chunks[chunk_of(customer)], memory_order_acquire);
    if (chunk == NULL)
        return NO_VALUE;
    return atomic_load_explicit(&chunk->values[customer & (CHUNK_SIZE - 1)], memory_order_acquire);
}

void cells_get(const struct fact_column *column, uint32_t first, uint32_t count, int64_t *cells)
{
    const struct fact_chunk *chunk =
        atomic_load_explicit(&column->chunks[chunk_of(first)], memory_order_acquire);
    const _Atomic int64_t *values = chunk != NULL ? &chunk->values[first & (CHUNK_SIZE - 1)] : NULL;
    for (uint32_t i = 0; i < count; i++)
        cells[i] =
            values != NULL ? atomic_load_explicit(&values[i], memory_order_acquire) : NO_VALUE;
}

void cell_prefetch(const struct fact_column *column, uint32_t customer)
{
    const struct fact_chunk *chunk =
        atomic_load_explicit(&column->chunks[chunk_of(customer)], memory_order_acquire);
    if (chunk != NULL)
        __builtin_prefetch(&chunk->values[customer & (CHUNK_SIZE - 1)]);
}

err cell_put(struct fact_column *column, uint32_t customer, int64_t value, bool *changed)
{
    uint32_t number = chunk_of(customer);
    struct fact_chunk *chunk = atomic_load_explicit(&column->chunks[number], memory_order_relaxed);
    *changed = false;
    if (chunk == NULL) {
        if (value == NO_VALUE)
            return ERR_OK;
        chunk = memory_alloc(sizeof *chunk);
        if (chunk == NULL)
            return ERR_NOMEM;
        for (uint32_t i = 0; i < CHUNK_SIZE; i++)
            atomic_init(&chunk->values[i], NO_VALUE);
        atomic_store_explicit(&column->chunks[number], chunk, memory_order_release);
        atomic_fetch_add_explicit(&column->chunk_count, 1, memory_order_relaxed);
    }
    _Atomic int64_t *cell = &chunk->values[customer & (CHUNK_SIZE - 1)];
    *changed = atomic_load_explicit(cell, memory_order_relaxed) != value;
    if (*changed)
        atomic_store_explicit(cell, value, memory_order_release);
    return ERR_OK;
}

/* ---- columns ---- */

void fact_column_free(struct fact_column *column)
{
    for (uint32_t i = 0; column->chunks != NULL && i < COLUMN_CHUNKS_MAX; i++)
        memory_free(column->chunks[i]);
    memory_unmap((void *)(uintptr_t)column->chunks, COLUMN_CHUNKS_MAX * sizeof(*column->chunks));
    lexicon_free(&column->lexicon);
    memory_free(column);
}

struct fact_column *fact_column_new(enum column_source source, str name, enum rule_kind kind)
{
    struct fact_column *column = memory_alloc(sizeof *column + name.size + 1);
    if (column == NULL)
        return NULL;
    char *text = (char *)(column + 1);
    if (name.size > 0)
        memcpy(text, name.data, name.size);
    column->source = source;
    column->kind = kind;
    column->name = str_from_bytes(text, name.size);
    column->chunks = memory_map(COLUMN_CHUNKS_MAX * sizeof(*column->chunks));
    bool has_texts = kind == RULE_TEXT || kind == RULE_TEXTS;
    if (column->chunks == NULL ||
        (has_texts && lexicon_new(&column->lexicon, LEXICON_TEXTS_MAX) != ERR_OK)) {
        if (column->chunks != NULL)
            fact_column_free(column);
        else
            memory_free(column);
        return NULL;
    }
    return column;
}

err columns_init(struct facts_table *facts)
{
    *facts = (struct facts_table){ .column_count = 1 };
    buffer_init(&facts->text, FACTS_BYTES_MAX);
    facts->columns[0] = fact_column_new(COLUMN_IDENTIFIERS, STR_NONE, RULE_NUMBER);
    if (facts->columns[0] == NULL)
        return ERR_NOMEM;
    facts->columns[0]->state = COLUMN_FILLING;
    return json_parser_new(&facts->parser, FACTS_BYTES_MAX);
}

void columns_deinit(struct facts_table *facts)
{
    for (uint32_t i = 0; i < facts->column_count; i++)
        if (facts->columns[i] != NULL)
            fact_column_free(facts->columns[i]);
    for (uint32_t i = 0; i < facts->identifier_type_count; i++)
        memory_free((void *)(uintptr_t)facts->identifier_types[i].data);
    json_parser_free(&facts->parser);
    buffer_deinit(&facts->text);
    *facts = (struct facts_table){ .column_count = 0 };
}

uint32_t columns_column(struct facts_table *facts, enum column_source source, str name,
                        enum rule_kind kind)
{
    for (uint32_t i = 1; i < facts->column_count; i++) {
        const struct fact_column *column = facts->columns[i];
        if (column->source == source && column->kind == kind && str_equal(column->name, name))
            return i;
    }
    if (facts->column_count == COLUMNS_MAX)
        return 0;
    struct fact_column *column = fact_column_new(source, name, kind);
    if (column == NULL)
        return 0;
    facts->has_journeys = facts->has_journeys || source == COLUMN_JOURNEY;
    facts->columns[facts->column_count] = column;
    return facts->column_count++;
}

uint32_t columns_identifier_bit(struct facts_table *facts, str type)
{
    for (uint32_t i = 0; i < facts->identifier_type_count; i++)
        if (str_equal(facts->identifier_types[i], type))
            return i;
    char *text = facts->identifier_type_count < IDENTIFIER_BITS && type.size > 0
                     ? memory_alloc(type.size + 1)
                     : NULL;
    if (text == NULL)
        return IDENTIFIER_BITS;
    memcpy(text, type.data, type.size);
    facts->identifier_types[facts->identifier_type_count] = str_from_bytes(text, type.size);
    return facts->identifier_type_count++;
}

void columns_want(struct facts_table *facts, uint32_t column)
{
    if (facts->columns[column]->state == COLUMN_IDLE) {
        facts->columns[column]->state = COLUMN_FILLING;
        facts->fill_next = 0; /* the pass begins anew, for all that are not filled */
    }
}

bool columns_is_filled(const struct facts_table *facts, uint32_t column)
{
    return facts->columns[column]->state == COLUMN_FILLED;
}

/* ---- from the profile ---- */

static int64_t number_cell(json_value value)
{
    double number = json_double(value, 0) * (double)MILLION;
    if (json_kind(value) == JSON_INT) {
        int64_t micro;
        if (!__builtin_mul_overflow(json_int(value, 0), MILLION, &micro))
            return micro;
    } else if (json_kind(value) == JSON_TEXT) {
        if (!str_to_double(json_text(value), &number))
            return NO_VALUE;
        number *= (double)MILLION;
    } else if (json_kind(value) != JSON_DOUBLE) {
        return NO_VALUE;
    }
    if (number >= 9.2e18 || number <= -9.2e18)
        return NO_VALUE;
    return (int64_t)__builtin_round(number);
}

static int64_t time_cell(json_value value)
{
    int64_t time_ms;
    if (json_kind(value) == JSON_INT)
        return json_int(value, 0);
    if (json_kind(value) == JSON_TEXT && time_parse(json_text(value), 8 * 60, &time_ms))
        return time_ms;
    return NO_VALUE;
}

static int64_t list_cell(struct fact_column *column, json_value value)
{
    struct buffer text;
    buffer_init(&text, FACTS_BYTES_MAX);
    json_write_value(&text, value);
    uint32_t code = lexicon_intern_list(column->lexicon, buffer_str(&text), value);
    buffer_deinit(&text);
    return code != 0 ? code : NO_VALUE;
}

static int64_t text_cell(struct fact_column *column, json_value value)
{
    uint32_t code;
    if (json_kind(value) == JSON_TEXT) {
        code = lexicon_intern(column->lexicon, json_text(value));
    } else {
        struct buffer text;
        buffer_init(&text, FACTS_BYTES_MAX);
        json_write_value(&text, value);
        code = lexicon_intern(column->lexicon, buffer_str(&text));
        buffer_deinit(&text);
    }
    return code != 0 ? code : NO_VALUE;
}

int64_t cell_of(struct fact_column *column, json_value value)
{
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return NO_VALUE;
    switch (column->kind) {
    case RULE_TEXT:
        return text_cell(column, value);
    case RULE_TEXTS:
        return list_cell(column, value);
    case RULE_NUMBER:
        return number_cell(value);
    case RULE_MONEY:
        return json_int(value, NO_VALUE);
    case RULE_TIME:
        return time_cell(value);
    case RULE_BOOL:
        return json_kind(value) == JSON_BOOL ? json_bool(value, false) : NO_VALUE;
    }
    return NO_VALUE;
}

static json_value value_of(const struct fact_column *column, json_value traits, json_value consents)
{
    if (column->source == COLUMN_TRAIT)
        return json_get(traits, column->name);
    return json_get(json_get(consents, column->name), STR("state"));
}

static size_t nodes_of(const struct audience *audience, uint32_t customer, uint32_t *nodes)
{
    size_t count = identity_nodes(audience->config.identity, customer, nodes, NODES_MAX);
    return count < NODES_MAX ? count : NODES_MAX;
}

static void mark_column(uint64_t *changed, uint32_t column)
{
    if (changed != NULL)
        changed[column / 64] |= UINT64_C(1) << (column % 64);
}

static err read_profile(struct audience *audience, uint32_t customer, json_value *traits,
                        json_value *consents)
{
    struct facts_table *facts = &audience->facts;
    uint32_t nodes[NODES_MAX];
    size_t count = nodes_of(audience, customer, nodes);
    struct json_writer writer;
    json_value root;
    buffer_clear(&facts->text);
    json_writer_init(&writer, &facts->text);
    json_begin_object(&writer);
    profile_write(audience->config.profile, nodes, count, false, &writer);
    json_end_object(&writer);
    err error = buffer_status(&facts->text);
    if (error == ERR_OK)
        error = json_parse(facts->parser, buffer_str(&facts->text), &root, NULL);
    if (error != ERR_OK)
        return error;
    *traits = json_get(root, STR("traits"));
    *consents = json_get(root, STR("consent"));
    return ERR_OK;
}

err columns_read_journeys(struct audience *audience, uint32_t customer, uint64_t *changed)
{
    const struct audience_config *config = &audience->config;
    struct facts_table *facts = &audience->facts;
    err error = ERR_OK;
    if (!facts->has_journeys || config->journey_since == NULL)
        return ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < facts->column_count; i++) {
        struct fact_column *column = facts->columns[i];
        bool is_new = false;
        if (column->source != COLUMN_JOURNEY || column->state == COLUMN_IDLE)
            continue;
        int64_t since_ms = config->journey_since(config->context, column->name, customer);
        error = cell_put(column, customer, since_ms != INT64_MIN ? since_ms : NO_VALUE, &is_new);
        if (is_new)
            mark_column(changed, i);
    }
    return error;
}

static bool is_of_profile(const struct fact_column *column)
{
    return column->state != COLUMN_IDLE && column->source != COLUMN_JOURNEY;
}

err columns_read(struct audience *audience, uint32_t customer, uint64_t *changed)
{
    struct facts_table *facts = &audience->facts;
    json_value traits, consents;
    bool any = false;
    for (uint32_t i = 1; i < facts->column_count && !any; i++)
        any = is_of_profile(facts->columns[i]);
    err error = columns_read_journeys(audience, customer, changed);
    if (error == ERR_OK && any)
        error = read_profile(audience, customer, &traits, &consents);
    for (uint32_t i = 1; any && error == ERR_OK && i < facts->column_count; i++) {
        struct fact_column *column = facts->columns[i];
        bool is_new = false;
        if (!is_of_profile(column))
            continue;
        json_value value = value_of(column, traits, consents);
        int64_t cell =
            column->source == COLUMN_CONSENT
                ? (json_kind(value) == JSON_TEXT ? str_equal(json_text(value), STR("granted"))
                                                 : NO_VALUE)
                : cell_of(column, value);
        error = cell_put(column, customer, cell, &is_new);
        if (is_new)
            mark_column(changed, i);
    }
    return error;
}

err columns_read_identifiers(struct audience *audience, uint32_t customer, uint64_t *changed)
{
    struct facts_table *facts = &audience->facts;
    const struct identity *identity = audience->config.identity;
    uint32_t rows[256];
    int64_t mask = 0;
    bool is_new = false;
    size_t count = identity_rows(identity, customer, rows, 256);
    for (size_t i = 0; i < count && i < 256; i++) {
        struct identity_row_view view;
        if (!identity_row_state(identity, rows[i], &view))
            continue;
        uint32_t bit = columns_identifier_bit(facts, view.type);
        if (bit < IDENTIFIER_BITS)
            mask |= INT64_C(1) << bit;
    }
    err error = cell_put(facts->columns[0], customer, mask, &is_new);
    if (is_new)
        mark_column(changed, 0);
    return error;
}

err columns_clear(struct audience *audience, uint32_t customer)
{
    struct facts_table *facts = &audience->facts;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < facts->column_count; i++) {
        bool changed;
        error = cell_put(facts->columns[i], customer, NO_VALUE, &changed);
    }
    return error;
}

/* ---- filling ---- */

bool columns_are_filling(const struct facts_table *facts)
{
    for (uint32_t i = 0; i < facts->column_count; i++)
        if (facts->columns[i]->state == COLUMN_FILLING)
            return true;
    return false;
}

bool columns_lack(const struct facts_table *facts, uint32_t customer)
{
    return columns_are_filling(facts) && customer >= facts->fill_next;
}

static void end_of_pass(struct facts_table *facts)
{
    facts->fill_next = 0;
    for (uint32_t i = 0; i < facts->column_count; i++)
        if (facts->columns[i]->state == COLUMN_FILLING)
            facts->columns[i]->state = COLUMN_FILLED;
}

/* So many traits are read one by one; for more of them the whole profile is written once. */
#define TRAITS_ALONE_MAX 2

struct filling {
    bool identifiers, journeys, profile; /* profile: the whole of it */
    uint32_t columns[IDENTIFIER_BITS];   /* traits and consents, each read alone */
    uint32_t count;
};

/* What this pass has to read; the rest is filled, and kept by what changes it. */
static struct filling filling_of(const struct facts_table *facts)
{
    struct filling filling = { .identifiers = facts->columns[0]->state == COLUMN_FILLING };
    uint32_t traits = 0;
    for (uint32_t i = 1; i < facts->column_count; i++) {
        const struct fact_column *column = facts->columns[i];
        if (column->state != COLUMN_FILLING)
            continue;
        filling.journeys = filling.journeys || column->source == COLUMN_JOURNEY;
        if (column->source == COLUMN_JOURNEY)
            continue;
        traits += column->source == COLUMN_TRAIT;
        if (filling.count < IDENTIFIER_BITS)
            filling.columns[filling.count++] = i;
        else
            filling.profile = true;
    }
    filling.profile = filling.profile || traits > TRAITS_ALONE_MAX;
    return filling;
}

static err fill_cell(struct audience *audience, uint32_t customer, const uint32_t *nodes,
                     size_t count, struct fact_column *column)
{
    const struct profile *profile = audience->config.profile;
    struct facts_table *facts = &audience->facts;
    int64_t cell = NO_VALUE;
    err error = ERR_OK;
    bool granted, changed;
    json_value value;
    buffer_clear(&facts->text);
    if (column->source == COLUMN_CONSENT) {
        if (profile_consent(profile, nodes, count, column->name, &granted))
            cell = granted;
    } else if (profile_trait(profile, nodes, count, column->name, &facts->text)) {
        error = buffer_status(&facts->text);
        if (error == ERR_OK)
            error = json_parse(facts->parser, buffer_str(&facts->text), &value, NULL);
        if (error == ERR_OK)
            cell = cell_of(column, value);
    }
    return error == ERR_OK ? cell_put(column, customer, cell, &changed) : error;
}

static err fill_customer(struct audience *audience, uint32_t customer,
                         const struct filling *filling)
{
    uint32_t nodes[NODES_MAX];
    err error = ERR_OK;
    if (filling->profile) {
        error = columns_read(audience, customer, NULL);
    } else {
        size_t count = nodes_of(audience, customer, nodes);
        for (uint32_t i = 0; error == ERR_OK && i < filling->count; i++)
            error = fill_cell(audience, customer, nodes, count,
                              audience->facts.columns[filling->columns[i]]);
        if (error == ERR_OK && filling->journeys)
            error = columns_read_journeys(audience, customer, NULL);
    }
    if (error == ERR_OK && filling->identifiers)
        error = columns_read_identifiers(audience, customer, NULL);
    return error;
}

bool columns_fill(struct audience *audience, int64_t budget_us)
{
    struct facts_table *facts = &audience->facts;
    const struct identity *identity = audience->config.identity;
    steady_ns start = steady_now();
    uint32_t last = identity_node_count(identity);
    if (!columns_are_filling(facts))
        return false;
    struct filling filling = filling_of(facts);
    uint32_t customer = facts->fill_next != 0 ? facts->fill_next : 1;
    for (uint32_t done = 1; customer <= last; customer++, done++) {
        if (identity_root(identity, customer) == customer &&
            fill_customer(audience, customer, &filling) != ERR_OK)
            break; /* out of memory: tried again at the next slice */
        if (done % 16 == 0 && steady_since_us(start) >= budget_us) {
            customer++;
            break;
        }
    }
    facts->fill_next = customer;
    if (customer > last)
        end_of_pass(facts);
    return columns_are_filling(facts);
}

size_t columns_bytes(const struct facts_table *facts)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < facts->column_count; i++) {
        const struct fact_column *column = facts->columns[i];
        bytes += atomic_load_explicit(&column->chunk_count, memory_order_relaxed) *
                 sizeof(struct fact_chunk);
        if (column->lexicon != NULL)
            bytes += lexicon_bytes(column->lexicon);
    }
    return bytes;
}

/* ---- values for rules ---- */

bool cell_value(const struct fact_column *column, int64_t cell, struct rule_value *value)
{
    if (cell == NO_VALUE)
        return false;
    *value = (struct rule_value){ .number = cell };
    if (column->lexicon == NULL)
        return true;
    const struct lexicon_entry *entry = lexicon_at(column->lexicon, (uint32_t)cell);
    if (entry == NULL)
        return false;
    value->text = entry->text;
    value->texts = entry->texts;
    value->text_count = entry->text_count;
    if (column->kind == RULE_TEXTS && entry->texts == NULL) {
        value->texts = &entry->text; /* one text where a list was expected */
        value->text_count = 1;
    }
    return true;
}
