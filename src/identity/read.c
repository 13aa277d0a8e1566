/* SPDX-License-Identifier: Apache-2.0 */
/* read: identifiers and their links as the ledger's last commit has them, for any thread. */
#include "identity/state.h"

/* One look-up after the other, never one inside another: each holds a connection of the ledger's pool. */
struct row_reader {
    const struct identity *identity;
    bool (*visit)(void *context, const struct identity_row_view *view);
    void *context;
    bool has_home, stopped;
    struct identity_row_view home;
    struct buffer plain; /* the value, when it came after its digest */
};

static bool read_home(void *context, const struct ledger_value *values)
{
    struct row_reader *reader = context;
    reader->has_home = true;
    reader->home.flags = shown_flags((uint8_t)values[1].integer);
    reader->home.is_shared = (values[1].integer & ROW_SHARED) != 0;
    reader->home.node = (uint32_t)values[2].integer;
    reader->home.attached_ms = values[3].integer;
    return true;
}

static bool read_plain(void *context, const struct ledger_value *values)
{
    struct row_reader *reader = context;
    if (values[2].kind == LEDGER_NULL)
        return true;
    buffer_append_str(&reader->plain, values[2].bytes);
    return false;
}

static bool read_row(void *context, const struct ledger_value *values)
{
    struct row_reader *reader = context;
    struct identity_row_view view;
    identity_view_from_ledger(reader->identity, values, &view);
    if (reader->plain.size > 0 && (view.flags & IDENTIFIER_HASHED) != 0)
        view.value = buffer_str(&reader->plain);
    if (reader->has_home) {
        view.flags = reader->home.flags;
        view.is_shared = reader->home.is_shared;
        view.node = reader->home.node;
        view.attached_ms = reader->home.attached_ms;
    }
    reader->stopped = !reader->visit(reader->context, &view);
    return false;
}

static err read_one(struct row_reader *reader, struct ledger *ledger, uint32_t row,
                    struct problem *problem)
{
    struct ledger_value key = ledger_int(row);
    reader->has_home = false;
    buffer_clear(&reader->plain);
    err error = ledger_find(ledger, LEDGER_IDENTIFIER_HOMES, &key, 1, read_home, reader, problem);
    if (error == ERR_OK && reader->has_home && (reader->home.flags & IDENTIFIER_HASHED) == 0)
        error = ledger_find_by(ledger, LEDGER_IDENTIFIER_HASHES, "row", key, NULL, false, 16,
                               read_plain, reader, problem);
    if (error == ERR_OK)
        error = buffer_status(&reader->plain);
    if (error == ERR_OK)
        error = ledger_find(ledger, LEDGER_IDENTIFIERS, &key, 1, read_row, reader, problem);
    return error;
}

#define VALUE_BYTES_MAX 65536

err identity_read_rows(const struct identity *identity, struct ledger *ledger, const uint32_t *rows,
                       size_t count,
                       bool (*visit)(void *context, const struct identity_row_view *view),
                       void *context, struct problem *problem)
{
    struct row_reader reader = { .identity = identity, .visit = visit, .context = context };
    buffer_init(&reader.plain, VALUE_BYTES_MAX);
    err error = ERR_OK;
    for (size_t i = 0; i < count && error == ERR_OK && !reader.stopped; i++)
        error = read_one(&reader, ledger, rows[i], problem);
    buffer_deinit(&reader.plain);
    return error;
}

static bool read_born(void *context, const struct ledger_value *values)
{
    struct row_reader *reader = context;
    struct identity_row_view view;
    identity_view_from_ledger(reader->identity, values, &view);
    reader->stopped = !reader->visit(reader->context, &view);
    return !reader->stopped;
}

#define BIRTHS_AT_ONCE 64

err identity_read_births(const struct identity *identity, struct ledger *ledger,
                         const uint32_t *rows, size_t count,
                         bool (*visit)(void *context, const struct identity_row_view *view),
                         void *context, struct problem *problem)
{
    struct row_reader reader = { .identity = identity, .visit = visit, .context = context };
    struct ledger_value keys[BIRTHS_AT_ONCE];
    err error = ERR_OK;
    for (size_t done = 0; done < count && error == ERR_OK && !reader.stopped;) {
        size_t some = count - done < BIRTHS_AT_ONCE ? count - done : BIRTHS_AT_ONCE;
        for (size_t i = 0; i < some; i++)
            keys[i] = ledger_int(rows[done + i]);
        error = ledger_find(ledger, LEDGER_IDENTIFIERS, keys, some, read_born, &reader, problem);
        done += some;
    }
    return error;
}

struct link_reader {
    bool (*visit)(void *context, const struct identity_link *link);
    void *context;
    bool stopped;
};

static bool read_birth(void *context, const struct ledger_value *values)
{
    struct link_reader *reader = context;
    struct identity_link link = {
        .row = (uint32_t)values[0].integer,
        .with_row = (uint32_t)values[8].integer,
        .customer = (uint32_t)values[5].integer,
        .seq = (uint64_t)values[7].integer,
        .at_ms = values[6].integer,
        .source_number = (uint32_t)values[12].integer,
        .cause = values[9].bytes,
    };
    reader->stopped = !reader->visit(reader->context, &link);
    return !reader->stopped;
}

static bool read_link(void *context, const struct ledger_value *values)
{
    struct link_reader *reader = context;
    struct identity_link link = {
        .row = (uint32_t)values[1].integer,
        .with_row = (uint32_t)values[2].integer,
        .customer = (uint32_t)values[3].integer,
        .seq = (uint64_t)values[4].integer,
        .at_ms = values[5].integer,
        .source_number = (uint32_t)values[6].integer,
        .cause = values[7].bytes,
    };
    reader->stopped = !reader->visit(reader->context, &link);
    return !reader->stopped;
}

err identity_read_links(struct ledger *ledger, uint32_t row,
                        bool (*visit)(void *context, const struct identity_link *link),
                        void *context, struct problem *problem)
{
    struct link_reader reader = { .visit = visit, .context = context };
    struct ledger_value key = ledger_int(row);
    err error = ledger_find(ledger, LEDGER_IDENTIFIERS, &key, 1, read_birth, &reader, problem);
    if (error == ERR_OK && !reader.stopped)
        error = ledger_find_by(ledger, LEDGER_LINKS, "row", key, NULL, false, SIZE_MAX, read_link,
                               &reader, problem);
    return error;
}
