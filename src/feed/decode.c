/* SPDX-License-Identifier: Apache-2.0 */
/* decode: messages to records of the log, as a door or a mapping would.
 *
 * A mapping reads tables: the messages of a chunk become lines of JSON in memory that has no name, with where each came
 * from beside its own members (kafka.topic, kafka.partition, kafka.offset, kafka.key, kafka.time). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/metric.h"
#include "collect/collect.h"
#include "feed/inside.h"
#include "mapping/mapping.h"

#define MAPPING_BYTES_MAX ((size_t)1 << 20)
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)

struct feed_decoder {
    struct feeds *feeds;
    const struct feed_setting *setting;
    struct collect_worker *worker;
    struct json_parser *parser; /* of messages */
    struct json_parser *mapping_parser;
    struct buffer mapping_text;
    json_value mapping;
    struct buffer lines, event;
};

/* One chunk on its way. */
struct decoding {
    struct feed_decoder *decoder;
    const struct feed_message *messages;
    const struct feed_message **of_line; /* by line, from 0 */
    size_t line_count;
    struct buffer *records;
    uint32_t *count;
    feed_refuse refuse;
    void *context;
    err error;
};

err feed_decoder_new(struct feed_decoder **decoder, struct feeds *feeds,
                     const struct feed_setting *setting, struct problem *problem)
{
    struct feed_decoder *made = memory_alloc(sizeof *made);
    int64_t version = 0;
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a feed");
    *made = (struct feed_decoder){ .feeds = feeds, .setting = setting };
    buffer_init(&made->mapping_text, MAPPING_BYTES_MAX);
    buffer_init(&made->lines, (size_t)64 << 20);
    buffer_init(&made->event, EVENT_BYTES_MAX + 4096);
    const struct collect_limits limits = { .event_bytes_max = feeds->config.event_bytes_max,
                                           .batch_bytes_max = MESSAGE_BYTES_MAX };
    err error = collect_worker_new(&made->worker, engine_keys(feeds->config.engine), &limits);
    if (error == ERR_OK)
        error = json_parser_new(&made->parser, MESSAGE_BYTES_MAX);
    if (error == ERR_OK && setting->format == FEED_MAPPING) {
        error = json_parser_new(&made->mapping_parser, MAPPING_BYTES_MAX);
        if (error == ERR_OK && feeds->config.imports == NULL)
            error = problem_set(problem, ERR_NOT_FOUND, "this server has no mappings");
        if (error == ERR_OK)
            error = imports_mapping(feeds->config.imports, setting->mapping, &version,
                                    &made->mapping_text, problem);
        if (error == ERR_OK)
            error = json_parse(made->mapping_parser, buffer_str(&made->mapping_text),
                               &made->mapping, problem);
    }
    if (error != ERR_OK)
        feed_decoder_free(&made);
    *decoder = made;
    return error;
}

void feed_decoder_free(struct feed_decoder **decoder)
{
    struct feed_decoder *freed = *decoder;
    *decoder = NULL;
    if (freed == NULL)
        return;
    collect_worker_free(&freed->worker);
    json_parser_free(&freed->parser);
    json_parser_free(&freed->mapping_parser);
    buffer_deinit(&freed->mapping_text);
    buffer_deinit(&freed->lines);
    buffer_deinit(&freed->event);
    memory_free(freed);
}

static int64_t time_of(const struct decoding *run, const struct feed_message *message)
{
    return message->time_ms > 0 ? message->time_ms
                                : wall_clock_now_ms(run->decoder->feeds->config.clock);
}

/* ---- Segment's calls, Sensors' records ---- */

static err decode_message(struct decoding *run, const struct source *source,
                          const struct feed_message *message)
{
    struct problem problem = { .error = ERR_OK };
    struct feed_decoder *decoder = run->decoder;
    uint32_t count, refused;
    const struct collect_message said = {
        .form = decoder->setting->format == FEED_SENSORS ? COLLECT_SENSORS : COLLECT_SEGMENT,
        .text = message->value,
        .time_ms = time_of(run, message),
        .historical = decoder->setting->historical,
    };
    err error = collect_decode_message(decoder->worker, source, &said, run->records, &count,
                                       &refused, &problem);
    if (err_is_retriable(error))
        return error;
    *run->count += count; /* 0 where the whole was refused */
    if (error != ERR_OK || refused > 0)
        run->refuse(run->context, message, &problem);
    return ERR_OK;
}

/* ---- by a mapping ---- */

/* {"a":1} becomes {"kafka":{…},"a":1}, in one line. */
static void write_line(struct buffer *lines, const struct feed_message *message, int64_t time_ms)
{
    struct json_writer writer;
    str text = str_trim(message->value);
    buffer_append_str(lines, STR("{\"kafka\":"));
    json_writer_init(&writer, lines);
    json_begin_object(&writer);
    json_member_text(&writer, STR("topic"), message->topic);
    json_member_int(&writer, STR("partition"), message->partition);
    json_member_int(&writer, STR("offset"), message->offset);
    json_member_text(&writer, STR("key"), message->key);
    json_member_time(&writer, STR("time"), time_ms);
    json_end_object(&writer);
    str rest = str_trim(str_slice(text, 1, text.size));
    if (rest.size > 0 && rest.data[0] != '}')
        buffer_append_byte(lines, ',');
    size_t from = lines->size;
    buffer_append_str(lines, rest);
    for (size_t i = from; i < lines->size;
         i++) /* between members alone: texts have none as they are */
        if (lines->data[i] == '\n' || lines->data[i] == '\r')
            lines->data[i] = ' ';
    buffer_append_byte(lines, '\n');
}

static err write_lines(struct decoding *run, size_t message_count)
{
    struct feed_decoder *decoder = run->decoder;
    buffer_clear(&decoder->lines);
    for (size_t i = 0; i < message_count; i++) {
        const struct feed_message *message = &run->messages[i];
        struct problem problem = { .error = ERR_OK };
        json_value root;
        if (message->value.size == 0)
            continue;
        err error = json_parse(decoder->parser, message->value, &root, &problem);
        if (error == ERR_NOMEM)
            return error;
        if (error == ERR_OK && !json_is_object(root))
            error = problem_set(&problem, ERR_INVALID, "the message is no JSON object");
        if (error == ERR_OK && !str_is_utf8(message->key))
            error = problem_set(&problem, ERR_INVALID, "the key of the message is no UTF-8");
        if (error != ERR_OK) {
            run->refuse(run->context, message, &problem);
            continue;
        }
        write_line(&decoder->lines, message, time_of(run, message));
        run->of_line[run->line_count++] = message;
    }
    return buffer_status(&decoder->lines);
}

static bool take_event(void *context, const struct mapping_event *mapped)
{
    struct decoding *run = context;
    struct feed_decoder *decoder = run->decoder;
    struct event event = *mapped->event;
    struct problem problem = { .error = ERR_OK };
    event.flags |= decoder->setting->historical ? EVENT_HISTORICAL : 0;
    buffer_clear(&decoder->event);
    run->error = event_encode(&decoder->event, &event, &problem);
    if (run->error == ERR_OK)
        log_record_write(run->records, LOG_RECORD_EVENT, buffer_str(&decoder->event));
    if (run->error == ERR_OK)
        run->error = buffer_status(run->records);
    *run->count += run->error == ERR_OK;
    return run->error == ERR_OK;
}

/* `row` is the line: none is empty, and none is passed over. */
static bool take_refused(void *context, uint64_t row, str raw, str code,
                         const struct problem *problem)
{
    struct decoding *run = context;
    (void)raw;
    (void)code;
    if (row > 0 && row <= run->line_count)
        run->refuse(run->context, run->of_line[row - 1], problem);
    metric_add(METRIC_EVENTS_REFUSED, 1);
    return true;
}

static err map_rows(struct decoding *run, struct table *table, struct mapping_worker *worker,
                    struct problem *problem)
{
    err error = ERR_OK;
    while (error == ERR_OK) {
        struct table_row row = { .number = 0 };
        struct problem bad = { .error = ERR_OK };
        error = table_next(table, &row, &bad);
        if (error == ERR_INVALID) {
            take_refused(run, row.number, row.raw, STR("row"), &bad);
            error = ERR_OK;
            continue;
        }
        if (error == ERR_OK)
            error = mapping_row(worker, &row, take_event, take_refused, run, problem);
        else
            *problem = bad;
    }
    if (error == ERR_NOT_FOUND) /* the end */
        error = mapping_end(worker, take_event, take_refused, run, problem);
    return run->error != ERR_OK ? run->error : error;
}

static err open_mapping(struct decoding *run, const struct source *source, struct table *table,
                        struct mapping **mapping, struct mapping_worker **worker,
                        struct problem *problem)
{
    struct feed_decoder *decoder = run->decoder;
    const struct feeds_config *config = &decoder->feeds->config;
    uint32_t count = table_column_count(table);
    str *names = memory_alloc((count + 1) * sizeof *names);
    if (names == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a mapping");
    for (uint32_t i = 0; i < count; i++)
        names[i] = table_column_name(table, i);
    const struct mapping_context context = {
        .keys = engine_keys(config->engine),
        .source_number = source->number,
        .key_salt = decoder->setting->key,
        .received_ms = wall_clock_now_ms(config->clock),
        .zone_offset_seconds = config->zone_offset_seconds,
    };
    err error = mapping_new_open(mapping, decoder->mapping, names, count, problem);
    memory_free(names);
    return error == ERR_OK ? mapping_worker_new(worker, *mapping, &context, problem) : error;
}

static err write_all(int file, str bytes, struct problem *problem)
{
    while (bytes.size > 0) {
        ssize_t written = write(file, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return problem_set(problem, ERR_NOMEM, "no memory for the messages: %s",
                               strerror(errno));
        bytes = str_slice(bytes, (size_t)written, bytes.size);
    }
    return ERR_OK;
}

static err map_lines(struct decoding *run, const struct source *source, struct problem *problem)
{
    struct table *table = NULL;
    struct mapping *mapping = NULL;
    struct mapping_worker *worker = NULL;
    char path[64];
    int file = memfd_create("kith-feed", MFD_CLOEXEC);
    if (file < 0)
        return problem_set(problem, ERR_NOMEM, "no memory for the messages: %s", strerror(errno));
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const struct table_config config = {
        .path = path,
        .form = { .format = TABLE_JSONL, .packing = TABLE_PLAIN, .encoding = TABLE_UTF8 },
    };
    err error = write_all(file, buffer_str(&run->decoder->lines), problem);
    if (error == ERR_OK)
        error = table_open(&table, &config, problem);
    if (error == ERR_OK)
        error = open_mapping(run, source, table, &mapping, &worker, problem);
    if (error == ERR_OK)
        error = map_rows(run, table, worker, problem);
    mapping_worker_free(&worker);
    mapping_free(&mapping);
    table_close(&table);
    close(file);
    return error;
}

static err decode_by_mapping(struct decoding *run, const struct source *source,
                             size_t message_count, struct problem *problem)
{
    run->of_line = memory_alloc((message_count + 1) * sizeof *run->of_line);
    if (run->of_line == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the messages");
    err error = write_lines(run, message_count);
    if (error == ERR_OK && run->line_count > 0)
        error = map_lines(run, source, problem);
    memory_free(run->of_line);
    metric_add(METRIC_EVENTS_RECEIVED, *run->count);
    return error;
}

err feed_decode(struct feed_decoder *decoder, const struct feed_message *messages,
                size_t message_count, struct buffer *records, uint32_t *count, feed_refuse refuse,
                void *context, struct problem *problem)
{
    struct decoding run = { .decoder = decoder,
                            .messages = messages,
                            .records = records,
                            .count = count,
                            .refuse = refuse,
                            .context = context };
    size_t begin = records->size;
    uint32_t began = *count;
    err error = ERR_OK;
    struct source_set *sources = engine_sources(decoder->feeds->config.engine);
    const struct source *source = source_by_key(sources, decoder->setting->source);
    if (source == NULL || source->disabled)
        error =
            problem_set(problem, ERR_NOT_FOUND, "the source '%.*s' is %s",
                        (int)str_utf8_prefix_bytes(decoder->setting->source, 60),
                        decoder->setting->source.data, source == NULL ? "not there" : "disabled");
    else if (decoder->setting->format == FEED_MAPPING)
        error = decode_by_mapping(&run, source, message_count, problem);
    else
        for (size_t i = 0; i < message_count && error == ERR_OK; i++)
            if (messages[i].value.size > 0)
                error = decode_message(&run, source, &messages[i]);
    source_set_release(&sources);
    if (error != ERR_OK) {
        records->size = begin;
        records->failed = records->nomem = false;
        *count = began;
    }
    return error;
}
