/* SPDX-License-Identifier: Apache-2.0 */
/* news_read: what waits for a sink, read from the ledger by any thread. */
#include "base/codec.h"
#include "base/digest.h"
#include "engine/news_keep.h"
#include "engine/state.h"

#define ROWS_AT_ONCE 32

/* ---- an entry ---- */

static void read_texts(struct cursor *cursor, str *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *texts[i] = read_text(cursor);
}

static void read_touch(struct cursor *cursor, struct news_entry *entry)
{
    str *const texts[] = { &entry->status,  &entry->reason,   &entry->journey,
                           &entry->node,    &entry->campaign, &entry->template_,
                           &entry->channel, &entry->account,  &entry->purpose };
    entry->touch = (uint32_t)read_varint(cursor);
    read_texts(cursor, texts, sizeof texts / sizeof texts[0]);
}

/* seq and at_ms come in as those of the entry before. */
bool news_entry_read(struct cursor *cursor, struct news_entry *entry)
{
    uint8_t head = read_u8(cursor);
    const struct news_entry before = *entry;
    *entry = (struct news_entry){ .kind = (enum news_kind)(head & 7),
                                  .number = before.number,
                                  .was = (head & 8) != 0,
                                  .is = (head & 16) != 0 };
    entry->seq = before.seq + (uint64_t)read_zigzag(cursor);
    entry->at_ms = before.at_ms + read_zigzag(cursor);
    entry->customer = (uint32_t)read_varint(cursor);
    switch (entry->kind) {
    case NEWS_TAG:
        read_texts(cursor, (str *const[]){ &entry->key, &entry->cause, &entry->value }, 3);
        break;
    case NEWS_SEGMENT:
        read_texts(cursor, (str *const[]){ &entry->key, &entry->cause }, 2);
        break;
    case NEWS_TOUCH:
        read_touch(cursor, entry);
        break;
    case NEWS_CUSTOMER:
        entry->key = read_text(cursor);
        entry->other = (uint32_t)read_varint(cursor);
        break;
    case NEWS_EVENT:
        break;
    case NEWS_KIND_COUNT:
    default:
        cursor->failed = true;
    }
    return !cursor->failed;
}

/* ---- rows ---- */

struct reading {
    uint64_t from;
    size_t left, rows;
    news_visit visit;
    void *context;
    uint64_t row;     /* number of the one that holds `from` */
    uint64_t read_to; /* the first number of the row that was not read */
    bool stops;
    err error;
};

static bool note_row(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    reading->row = (uint64_t)values[0].integer;
    return false;
}

static bool read_row(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    struct cursor cursor = cursor_over(values[4].bytes);
    struct news_entry entry = { .number = 0 };
    uint64_t number = (uint64_t)values[0].integer, count = (uint64_t)values[1].integer;
    reading->rows++;
    reading->read_to = number;
    for (uint64_t i = 0; i < count && !reading->stops; i++) {
        if (!news_entry_read(&cursor, &entry)) {
            reading->error = ERR_CORRUPT;
            return false;
        }
        entry.number = number + i;
        if (entry.number < reading->from)
            continue;
        reading->stops = reading->left-- == 0 || !reading->visit(reading->context, &entry);
    }
    return !reading->stops;
}

err news_read(struct engine *engine, uint64_t from, size_t limit, news_visit visit, void *context,
              struct problem *problem)
{
    struct reading reading = { .from = from, .left = limit, .visit = visit, .context = context };
    struct ledger_value beyond = ledger_int((int64_t)from + 1);
    err error =
        ledger_page(engine->ledger, LEDGER_NEWS, &beyond, true, 1, note_row, &reading, problem);
    reading.row = reading.row == 0 ? from : reading.row; /* the first that there is comes later */
    beyond = ledger_int((int64_t)reading.row - 1);
    while (error == ERR_OK && !reading.stops) {
        reading.rows = 0;
        error = ledger_page(engine->ledger, LEDGER_NEWS, &beyond, false, ROWS_AT_ONCE, read_row,
                            &reading, problem);
        beyond = ledger_int((int64_t)reading.read_to);
        if (reading.error != ERR_OK)
            return problem_set(problem, ERR_CORRUPT, "row %llu of the news cannot be read",
                               (unsigned long long)reading.read_to);
        if (reading.rows < ROWS_AT_ONCE)
            break;
    }
    return error;
}

/* ---- who is no more ---- */

struct asking {
    struct engine_question question;
    const uint32_t *customers;
    size_t count;
    bool *gone;
};

static void ask_gone(const struct engine_state *state, struct engine_question *question)
{
    struct asking *asking = queue_entry(question, struct asking, question);
    for (size_t i = 0; i < asking->count; i++)
        asking->gone[i] = identity_is_gone(state->identity, asking->customers[i]);
}

err news_find_gone(struct engine *engine, const uint32_t *customers, size_t count, bool *gone)
{
    struct asking asking = {
        .question = { .ask = ask_gone }, .customers = customers, .count = count, .gone = gone
    };
    return engine_ask_wait(engine, &asking.question);
}

void news_write_move(struct buffer *records, str sink, uint64_t next)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, 4096);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("sink"), sink);
    json_member_int(&writer, STR("next"), (int64_t)next);
    json_end_object(&writer);
    engine_command_write(records, STR("sink.move"), buffer_str(&body));
    buffer_deinit(&body);
}
