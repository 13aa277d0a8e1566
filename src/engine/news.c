/* SPDX-License-Identifier: Apache-2.0 */
/* news: what is noted in apply becomes rows in the commit of its group; rows go when all sinks are past them. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/codec.h"
#include "base/logline.h"
#include "engine/news_keep.h"
#include "engine/state.h"

#define SINKS_MAX 64
#define META_NEXT "news_next"
/* An open row takes what comes within this time, and up to this size: then the next one begins. */
#define ROW_MS SECOND_MS
#define ROW_BYTES ((size_t)32 << 10)
#define TEXTS_BYTES_MAX ((size_t)256 << 20)
/* Rows that one commit removes: more wait for the next. */
#define TRIM_ROWS_MAX 2000

struct row {
    uint64_t number, first_event_seq; /* 0: no event is in it */
    uint32_t count;
    int64_t at_ms;
};

struct sink {
    char key[NEWS_SINK_BYTES + 1];
    uint32_t kinds; /* bit per enum news_kind */
    int64_t hold_ms;
    uint64_t next, lost;
};

/* What was noted since the last commit; its texts as they will lie. */
struct noted {
    enum news_kind kind;
    bool was, is;
    uint32_t customer;
    uint64_t seq;
    int64_t at_ms;
    size_t key_at, key_size; /* SEGMENT, TAG: within the texts */
    size_t from, to;         /* of the texts */
};

struct news {
    pthread_mutex_t mutex; /* of sinks, rows and next, for readers on other threads */
    struct sink sinks[SINKS_MAX];
    size_t sink_count;
    uint32_t kinds;   /* that some sink wants */
    uint64_t next;    /* the number of the next entry */
    struct row *rows; /* rows[first … first + count), in order; the last one may be open */
    size_t first, count, capacity;
    size_t events_at;         /* index: no row before it has an event */
    bool is_open, is_changed; /* the open row: by what is not put yet */
    struct buffer entries;    /* of the open row */
    uint64_t last_seq;        /* of its last entry */
    int64_t last_ms;
    struct noted *noted;
    size_t noted_count, noted_capacity;
    struct buffer texts;
    bool failed; /* no memory: told by the commit */
    _Atomic uint64_t needs_seq;
};

const char *news_kind_text(enum news_kind kind)
{
    static const char *const texts[] = {
#define X(NAME, text) [NEWS_##NAME] = (text),
        NEWS_KINDS(X)
#undef X
    };
    return texts[kind];
}

/* ---- noting ---- */

bool news_wants(const struct engine *engine, enum news_kind kind)
{
    return (engine->news->kinds & 1u << kind) != 0;
}

static struct noted *note(struct engine *engine, enum news_kind kind, uint32_t customer)
{
    struct news *news = engine->news;
    if (news->noted_count == news->noted_capacity) {
        size_t capacity = news->noted_capacity == 0 ? 1024 : news->noted_capacity * 2;
        struct noted *larger = memory_resize(news->noted, capacity * sizeof *larger);
        if (larger == NULL) {
            news->failed = true;
            return NULL;
        }
        news->noted = larger;
        news->noted_capacity = capacity;
    }
    struct noted *noted = &news->noted[news->noted_count++];
    *noted = (struct noted){ .kind = kind,
                             .customer = customer,
                             .seq = engine->applied_seq + 1,
                             .at_ms = engine->now_ms,
                             .from = news->texts.size,
                             .to = news->texts.size };
    return noted;
}

void news_move(struct engine *engine, const struct audience_move *move)
{
    struct news *news = engine->news;
    enum news_kind kind = move->kind == AUDIENCE_SEGMENT ? NEWS_SEGMENT : NEWS_TAG;
    if ((move->kind != AUDIENCE_SEGMENT && move->kind != AUDIENCE_TAG) || !news_wants(engine, kind))
        return;
    struct noted *noted = note(engine, kind, move->customer);
    if (noted == NULL)
        return;
    noted->was = move->was_in;
    noted->is = move->is_in;
    write_text(&news->texts, move->key);
    noted->key_at = news->texts.size - move->key.size;
    noted->key_size = move->key.size;
    write_text(&news->texts, str_from_c(move->cause));
    noted->to = news->texts.size;
}

void news_touch(struct engine *engine, uint32_t touch, str status, str reason)
{
    struct news *news = engine->news;
    struct touch_description told;
    if (!news_wants(engine, NEWS_TOUCH) || !touch_describe(act_touches(engine), touch, &told))
        return;
    struct noted *noted = note(engine, NEWS_TOUCH, told.customer);
    if (noted == NULL)
        return;
    const str texts[] = { status,         reason,       told.journey, told.node_key, told.campaign,
                          told.template_, told.channel, told.account, told.purpose };
    write_varint(&news->texts, touch);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        write_text(&news->texts, texts[i]);
    noted->to = news->texts.size;
}

void news_customer(struct engine *engine, uint32_t customer, const char *what, uint32_t other)
{
    struct news *news = engine->news;
    if (!news_wants(engine, NEWS_CUSTOMER))
        return;
    struct noted *noted = note(engine, NEWS_CUSTOMER, customer);
    if (noted == NULL)
        return;
    write_text(&news->texts, str_from_c(what));
    write_varint(&news->texts, other);
    noted->to = news->texts.size;
}

void news_event(struct engine *engine, uint64_t seq, const struct identity_outcome *who)
{
    for (uint32_t i = 0; i < who->merge_count; i++)
        news_customer(engine, who->merges[i].absorbed, "merged", who->merges[i].survivor);
    if (!news_wants(engine, NEWS_EVENT))
        return;
    struct noted *noted = note(engine, NEWS_EVENT, who->customer);
    if (noted != NULL)
        noted->seq = seq;
}

/* ---- rows ---- */

static struct row *row_at(struct news *news, size_t index)
{
    return &news->rows[news->first + index];
}

static struct row *last_row(struct news *news)
{
    return row_at(news, news->count - 1);
}

static struct row *add_row(struct news *news, const struct row *added)
{
    if (news->first > 4096 && news->first > news->count) {
        memmove(news->rows, news->rows + news->first, news->count * sizeof *news->rows);
        news->first = 0;
    }
    if (news->first + news->count == news->capacity) {
        size_t capacity = news->capacity == 0 ? 1024 : news->capacity * 2;
        struct row *larger = memory_resize(news->rows, capacity * sizeof *larger);
        if (larger == NULL)
            return NULL;
        news->rows = larger;
        news->capacity = capacity;
    }
    news->rows[news->first + news->count++] = *added;
    return last_row(news);
}

static bool is_full(struct news *news, int64_t at_ms)
{
    return news->entries.size >= ROW_BYTES || at_ms - last_row(news)->at_ms >= ROW_MS;
}

static err open_row(struct news *news, int64_t at_ms)
{
    if (add_row(news, &(struct row){ .number = news->next, .at_ms = at_ms }) == NULL)
        return ERR_NOMEM;
    news->is_open = true;
    buffer_clear(&news->entries);
    news->last_seq = 0;
    news->last_ms = 0;
    return ERR_OK;
}

/* A tag's value is that of the commit: the move itself only says that it is another one. */
static void write_value(struct engine *engine, const struct noted *noted, str key)
{
    struct buffer value;
    struct json_writer writer;
    buffer_init(&value, 65536);
    json_writer_init(&writer, &value);
    if (!noted->is || !audience_put_value(engine->audience, key, noted->customer, &writer))
        buffer_clear(&value);
    write_text(&engine->news->entries, value.failed ? STR_NONE : buffer_str(&value));
    buffer_deinit(&value);
}

static void write_entry(struct engine *engine, const struct noted *noted)
{
    struct news *news = engine->news;
    struct buffer *out = &news->entries;
    str texts = str_slice(buffer_str(&news->texts), noted->from, noted->to);
    write_u8(out, (uint8_t)((unsigned)noted->kind | (noted->was ? 8u : 0) | (noted->is ? 16u : 0)));
    write_zigzag(out, (int64_t)(noted->seq - news->last_seq));
    write_zigzag(out, noted->at_ms - news->last_ms);
    write_varint(out, noted->customer);
    buffer_append_str(out, texts);
    if (noted->kind == NEWS_TAG)
        write_value(engine, noted,
                    str_from_bytes(news->texts.data + noted->key_at, noted->key_size));
    news->last_seq = noted->seq;
    news->last_ms = noted->at_ms;
}

/* Definitions of the house's own (a journey's conditions) and of objects are nobody's news. */
static bool is_shown(struct engine *engine, const struct noted *noted)
{
    if (noted->kind != NEWS_SEGMENT && noted->kind != NEWS_TAG)
        return true;
    str key = str_from_bytes(engine->news->texts.data + noted->key_at, noted->key_size);
    return audience_is_of_customers(engine->audience,
                                    noted->kind == NEWS_TAG ? AUDIENCE_TAG : AUDIENCE_SEGMENT, key);
}

static void put_row(struct news *news, struct ledger_writes *writes)
{
    uint8_t next[8];
    if (!news->is_changed)
        return;
    news->is_changed = false;
    const struct row *row = last_row(news);
    for (int i = 0; i < 8; i++)
        next[i] = (uint8_t)(news->next >> (8 * i));
    LEDGER_PUT(writes, LEDGER_NEWS, ledger_int((int64_t)row->number), ledger_int(row->count),
               ledger_int((int64_t)row->first_event_seq), ledger_int(row->at_ms),
               ledger_blob(buffer_str(&news->entries)));
    LEDGER_PUT(writes, LEDGER_META, ledger_text(STR(META_NEXT)),
               ledger_blob(str_from_bytes(next, sizeof next)));
}

static err take_noted(struct engine *engine, const struct noted *noted,
                      struct ledger_writes *writes)
{
    struct news *news = engine->news;
    err error = ERR_OK;
    if (news->is_open && is_full(news, noted->at_ms)) {
        put_row(news, writes);
        news->is_open = false;
    }
    if (!news->is_open)
        error = open_row(news, noted->at_ms);
    if (error != ERR_OK)
        return error;
    struct row *row = last_row(news);
    write_entry(engine, noted);
    row->count++;
    if (noted->kind == NEWS_EVENT && row->first_event_seq == 0)
        row->first_event_seq = noted->seq;
    news->next++;
    news->is_changed = true;
    return buffer_status(&news->entries);
}

/* ---- which rows go ---- */

static uint64_t least_next(const struct news *news)
{
    uint64_t least = news->next;
    for (size_t i = 0; i < news->sink_count; i++)
        if (news->sinks[i].next < least)
            least = news->sinks[i].next;
    return least;
}

static void trim(struct news *news, struct ledger_writes *writes)
{
    uint64_t least = least_next(news);
    for (size_t n = 0; n < TRIM_ROWS_MAX && news->count > 0; n++) {
        struct row *row = row_at(news, 0);
        if (row->number + row->count > least)
            return;
        if (news->count == 1)
            news->is_open = false;
        struct ledger_value key = ledger_int((int64_t)row->number);
        ledger_delete(writes, LEDGER_NEWS, &key);
        news->first++;
        news->count--;
        news->events_at -= news->events_at > 0;
    }
}

static void note_needs(struct news *news)
{
    uint64_t needs = UINT64_MAX;
    if ((news->kinds & 1u << NEWS_EVENT) != 0) {
        while (news->events_at < news->count &&
               row_at(news, news->events_at)->first_event_seq == 0 &&
               !(news->is_open && news->events_at == news->count - 1))
            news->events_at++;
        if (news->events_at < news->count && row_at(news, news->events_at)->first_event_seq != 0)
            needs = row_at(news, news->events_at)->first_event_seq;
    }
    atomic_store(&news->needs_seq, needs);
}

uint64_t news_needs_seq(const struct engine *engine)
{
    return atomic_load(&engine->news->needs_seq);
}

err news_commit(struct engine *engine, struct ledger_writes *writes)
{
    struct news *news = engine->news;
    err error = news->failed ? ERR_NOMEM : buffer_status(&news->texts);
    pthread_mutex_lock(&news->mutex);
    trim(news, writes);
    for (size_t i = 0; i < news->noted_count && error == ERR_OK && news->kinds != 0; i++)
        if (is_shown(engine, &news->noted[i]))
            error = take_noted(engine, &news->noted[i], writes);
    if (error == ERR_OK)
        put_row(news, writes);
    note_needs(news);
    pthread_mutex_unlock(&news->mutex);
    news->noted_count = 0;
    buffer_clear(&news->texts);
    return error;
}

/* ---- sinks ---- */

static struct sink *find_sink(struct news *news, str key)
{
    for (size_t i = 0; i < news->sink_count; i++)
        if (str_equal(str_from_c(news->sinks[i].key), key))
            return &news->sinks[i];
    return NULL;
}

static void put_place(const struct engine *engine, const struct sink *sink,
                      struct ledger_writes *writes)
{
    LEDGER_PUT(writes, LEDGER_SINK_PLACES, ledger_text(str_from_c(sink->key)),
               ledger_int((int64_t)sink->next), ledger_int((int64_t)sink->lost),
               ledger_int(engine->now_ms));
}

static void unite_kinds(struct news *news)
{
    news->kinds = 0;
    for (size_t i = 0; i < news->sink_count; i++)
        news->kinds |= news->sinks[i].kinds;
}

static void read_sink(json_value value, struct sink *sink)
{
    json_value topics = json_get(value, STR("topics"));
    sink->kinds = 0;
    for (int kind = 0; kind < NEWS_KIND_COUNT; kind++)
        if (json_text(json_get(topics, str_from_c(news_kind_text((enum news_kind)kind)))).size > 0)
            sink->kinds |= 1u << kind;
    if (!duration_parse(json_text(json_get(value, STR("hold"))), &sink->hold_ms) ||
        sink->hold_ms < NEWS_HOLD_MS_MIN || sink->hold_ms > NEWS_HOLD_MS_MAX)
        sink->hold_ms = NEWS_HOLD_MS_DEFAULT;
}

static struct sink *add_sink(struct news *news, str key)
{
    if (key.size == 0 || key.size > NEWS_SINK_BYTES || news->sink_count == SINKS_MAX)
        return NULL;
    struct sink *sink = &news->sinks[news->sink_count++];
    *sink = (struct sink){ .next = news->next };
    memcpy(sink->key, key.data, key.size);
    return sink;
}

static void drop_sink(struct news *news, struct sink *sink, struct ledger_writes *writes)
{
    struct ledger_value key = ledger_text(str_from_c(sink->key));
    ledger_delete(writes, LEDGER_SINK_PLACES, &key);
    *sink = news->sinks[--news->sink_count];
}

err news_setting(struct engine *engine, str name, json_value value, struct ledger_writes *writes)
{
    struct news *news = engine->news;
    str key = str_slice(name, strlen(NEWS_SETTING), name.size);
    if (!str_starts_with(name, STR(NEWS_SETTING)))
        return ERR_OK;
    pthread_mutex_lock(&news->mutex);
    struct sink *sink = find_sink(news, key);
    if (!json_is_object(value)) {
        if (sink != NULL)
            drop_sink(news, sink, writes);
    } else {
        sink = sink != NULL ? sink : add_sink(news, key);
        if (sink != NULL) {
            read_sink(value, sink);
            put_place(engine, sink, writes);
        }
    }
    unite_kinds(news);
    pthread_mutex_unlock(&news->mutex);
    return ERR_OK;
}

err news_moved_on(struct engine *engine, str key, uint64_t next, struct ledger_writes *writes)
{
    struct news *news = engine->news;
    if (engine->config.replay_only)
        return ERR_OK; /* there is nothing to let go of */
    pthread_mutex_lock(&news->mutex);
    struct sink *sink = find_sink(news, key);
    if (sink != NULL && next > sink->next && next <= news->next) {
        sink->next = next;
        put_place(engine, sink, writes);
    }
    pthread_mutex_unlock(&news->mutex);
    return sink != NULL ? ERR_OK : ERR_NOT_FOUND;
}

static uint64_t lose(const struct news *news, struct sink *sink, int64_t now_ms)
{
    uint64_t before = sink->next;
    for (size_t i = 0; i < news->count; i++) {
        const struct row *row = &news->rows[news->first + i];
        if (row->at_ms + sink->hold_ms > now_ms)
            break;
        if (row->number + row->count > sink->next)
            sink->next = row->number + row->count;
    }
    sink->lost += sink->next - before;
    return sink->next - before;
}

void news_tick(struct engine *engine, struct ledger_writes *writes)
{
    struct news *news = engine->news;
    pthread_mutex_lock(&news->mutex);
    for (size_t i = 0; i < news->sink_count && news->count > 0; i++) {
        struct sink *sink = &news->sinks[i];
        uint64_t lost = lose(news, sink, engine->now_ms);
        if (lost == 0)
            continue;
        put_place(engine, sink, writes);
        log_line(LOG_ERROR, "sink_lost",
                 "sink=%s count=%llu reason=\"waited longer than its hold\"", sink->key,
                 (unsigned long long)lost);
    }
    pthread_mutex_unlock(&news->mutex);
}

static void tell_standing(struct news *news, const struct sink *sink,
                          struct news_standing *standing)
{
    *standing =
        (struct news_standing){ .next = sink->next, .last = news->next - 1, .lost = sink->lost };
    memcpy(standing->sink, sink->key, sizeof standing->sink);
    if (sink->next < news->next && news->count > 0)
        standing->oldest_ms = row_at(news, 0)->at_ms;
}

err news_standing(struct engine *engine, str key, struct news_standing *standing)
{
    struct news *news = engine->news;
    *standing = (struct news_standing){ .next = 0 };
    pthread_mutex_lock(&news->mutex);
    const struct sink *sink = find_sink(news, key);
    if (sink != NULL)
        tell_standing(news, sink, standing);
    pthread_mutex_unlock(&news->mutex);
    return sink != NULL ? ERR_OK : ERR_NOT_FOUND;
}

size_t news_standings(struct engine *engine, struct news_standing *standings, size_t room)
{
    struct news *news = engine->news;
    size_t count = 0;
    pthread_mutex_lock(&news->mutex);
    for (; count < news->sink_count && count < room; count++)
        tell_standing(news, &news->sinks[count], &standings[count]);
    pthread_mutex_unlock(&news->mutex);
    return count;
}

/* ---- life ---- */

err news_new(struct engine *engine)
{
    struct news *news = memory_alloc(sizeof *news);
    if (news == NULL)
        return ERR_NOMEM;
    *news = (struct news){ .next = 1 };
    pthread_mutex_init(&news->mutex, NULL);
    buffer_init(&news->entries, TEXTS_BYTES_MAX);
    buffer_init(&news->texts, TEXTS_BYTES_MAX);
    atomic_store(&news->needs_seq, UINT64_MAX);
    engine->news = news;
    return ERR_OK;
}

void news_free(struct engine *engine)
{
    struct news *news = engine->news;
    engine->news = NULL;
    if (news == NULL)
        return;
    memory_free(news->rows);
    memory_free(news->noted);
    buffer_deinit(&news->entries);
    buffer_deinit(&news->texts);
    pthread_mutex_destroy(&news->mutex);
    memory_free(news);
}

struct loading {
    struct engine *engine;
    struct json_parser *parser;
    err error;
};

static bool load_sink(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct problem unused;
    json_value value;
    str name = values[0].bytes, prefix = STR(NEWS_SETTING);
    if (!str_starts_with(name, prefix))
        return str_compare(name, prefix) < 0;
    if (json_parse(loading->parser, values[1].bytes, &value, &unused) != ERR_OK ||
        !json_is_object(value))
        return true; /* it was deleted */
    struct sink *sink = add_sink(loading->engine->news, str_slice(name, prefix.size, name.size));
    if (sink != NULL)
        read_sink(value, sink);
    return true;
}

static bool load_place(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct sink *sink = find_sink(loading->engine->news, values[0].bytes);
    if (sink != NULL) {
        sink->next = (uint64_t)values[1].integer;
        sink->lost = (uint64_t)values[2].integer;
    }
    return true;
}

static bool load_row(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    const struct row row = { .number = (uint64_t)values[0].integer,
                             .count = (uint32_t)values[1].integer,
                             .first_event_seq = (uint64_t)values[2].integer,
                             .at_ms = values[3].integer };
    if (add_row(loading->engine->news, &row) == NULL)
        loading->error = ERR_NOMEM;
    return loading->error == ERR_OK;
}

static bool load_next(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct cursor cursor = cursor_over(values[1].bytes);
    uint64_t next = read_u64(&cursor);
    if (!cursor.failed)
        loading->engine->news->next = next;
    return false;
}

err news_load(struct engine *engine, struct problem *problem)
{
    struct loading loading = { .engine = engine };
    struct ledger_value next = ledger_text(STR(META_NEXT)), from = ledger_text(STR(NEWS_SETTING));
    if (engine->config.replay_only)
        return ERR_OK;
    err error = json_parser_new(&loading.parser, 65536);
    if (error == ERR_OK)
        error = ledger_find(engine->ledger, LEDGER_META, &next, 1, load_next, &loading, problem);
    if (error == ERR_OK)
        error = ledger_scan(engine->ledger, LEDGER_SETTINGS, &from, load_sink, &loading, problem);
    if (error == ERR_OK)
        error =
            ledger_scan(engine->ledger, LEDGER_SINK_PLACES, NULL, load_place, &loading, problem);
    if (error == ERR_OK)
        error = ledger_scan_some(engine->ledger, LEDGER_NEWS, "number count first_event_seq at_ms",
                                 NULL, load_row, &loading, problem);
    json_parser_free(&loading.parser);
    unite_kinds(engine->news);
    note_needs(engine->news);
    return error != ERR_OK ? error : loading.error;
}
