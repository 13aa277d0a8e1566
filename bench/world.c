/* SPDX-License-Identifier: Apache-2.0 */
/* world: write the demo brand house as request bodies, events, CSV or Parquet, with who is who.
 *
 *     world --customers 20000 --seed 1 --form segment > bodies.jsonl
 *
 * Forms
 *   segment    one ready body of POST /v1/batch (or /v1/import) a line; `--batch N` events of one source
 *              in each, its write key inside (`--keys FILE`: lines "source key"; else the source's
 *              name is the key)
 *   events     one event a line, as a body of POST /v1/{type} ("type" first, "writeKey" last)
 *   csv        one event a row, with a header
 *   parquet    the same columns in files of two million rows: `--out` names a folder; by chDB's library
 *   lookups    the API's path of who did it, one a line
 *   people     one person a line with all her identifiers: who is who
 *   truth      the same as CSV: person,role,type,namespace,value,shared
 *   catalogue  the products;  sources: key, channel, kind, name
 *
 * `--one-each` keeps one event of each person, any; `--fresh` leaves out that events are history.
 */
#include "world.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BYTES (4u << 20)
#define PEOPLE_AT_A_TIME 200000u
#define PARQUET_ROWS 2000000u
#define BATCH_EVENTS_MAX 500u
#define WRITE_KEY_BYTES_MAX 128

struct options {
    const char *form, *order, *out, *keys, *library;
    uint64_t seed, customers, first, last;
    double events_per_customer;
    unsigned batch;
    int64_t end_ms;
    bool fresh, one_each;
};

struct output {
    int fd;
    char *bytes;
    struct world_text text;
    uint64_t written;
};

static char write_keys[WORLD_SOURCE_COUNT][WRITE_KEY_BYTES_MAX];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("world: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

/* ---- output ---- */

static void output_open(struct output *output, const char *path)
{
    output->fd = 1;
    if (path != NULL && strcmp(path, "-") != 0)
        output->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (output->fd < 0)
        fail("cannot write '%s': %s", path, strerror(errno));
    output->bytes = malloc(OUTPUT_BYTES + BATCH_EVENTS_MAX * WORLD_ITEM_BYTES_MAX);
    if (output->bytes == NULL)
        fail("out of memory");
    output->text.at = output->bytes;
    output->written = 0;
}

static void output_flush(struct output *output)
{
    const char *from = output->bytes;
    while (from < output->text.at) {
        ssize_t size = write(output->fd, from, (size_t)(output->text.at - from));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == EPIPE)
            exit(0); /* the reader has had enough */
        if (size < 0)
            fail("cannot write: %s", strerror(errno));
        from += size;
        output->written += (uint64_t)size;
    }
    output->text.at = output->bytes;
}

static void output_breathe(struct output *output)
{
    if (output->text.at - output->bytes >= (ptrdiff_t)OUTPUT_BYTES)
        output_flush(output);
}

static void output_close(struct output *output)
{
    output_flush(output);
    if (output->fd != 1 && close(output->fd) != 0)
        fail("cannot write: %s", strerror(errno));
    free(output->bytes);
}

static void put(struct world_text *text, const char *words)
{
    size_t size = strlen(words);
    memcpy(text->at, words, size);
    text->at += size;
}

/* ---- forms ---- */

/* Bodies in the making, one per source: items wait here until there are enough of them. */
struct batches {
    struct {
        char *bytes;
        struct world_text text;
        unsigned count;
    } of[WORLD_SOURCE_COUNT];
    unsigned size;
};

static void batches_init(struct batches *batches, unsigned size)
{
    batches->size = size;
    for (unsigned source = 0; source < WORLD_SOURCE_COUNT; source++) {
        char *bytes = malloc((size_t)size * WORLD_ITEM_BYTES_MAX);
        if (bytes == NULL)
            fail("out of memory");
        batches->of[source].bytes = batches->of[source].text.at = bytes;
        batches->of[source].count = 0;
    }
}

static void batch_finish(struct batches *batches, unsigned source, struct output *output)
{
    if (batches->of[source].count == 0)
        return;
    size_t size = (size_t)(batches->of[source].text.at - batches->of[source].bytes);
    put(&output->text, "{\"batch\":[");
    memcpy(output->text.at, batches->of[source].bytes, size);
    output->text.at += size;
    put(&output->text, "],\"writeKey\":\"");
    put(&output->text, write_keys[source]);
    put(&output->text, "\"}\n");
    batches->of[source].text.at = batches->of[source].bytes;
    batches->of[source].count = 0;
    output_breathe(output);
}

static void write_batched(const struct world *world, const struct world_event *event,
                          struct batches *batches, struct output *output)
{
    struct world_text *text = &batches->of[event->source].text;
    if (batches->of[event->source].count > 0)
        *text->at++ = ',';
    world_write_item(world, event, text);
    if (++batches->of[event->source].count == batches->size)
        batch_finish(batches, event->source, output);
}

static void write_single(const struct world *world, const struct world_event *event,
                         struct output *output)
{
    world_write_item(world, event, &output->text);
    output->text.at--; /* its closing brace comes after the key */
    put(&output->text, ",\"writeKey\":\"");
    put(&output->text, write_keys[event->source]);
    put(&output->text, "\"}\n");
    output_breathe(output);
}

/* ---- Parquet, by chDB (its library ships no header) ---- */

typedef struct {
    void *internal_data;
} chdb_result;
typedef struct {
    void *internal_data;
} * chdb_connection;

struct chdb {
    chdb_connection *connection;
    chdb_result *(*query)(chdb_connection, const char *, const char *);
    const char *(*error)(chdb_result *);
    void (*destroy)(chdb_result *);
    void (*close)(chdb_connection *);
};

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL)
        fail("chDB's library has no '%s'", name);
    return found;
}

static void chdb_open(struct chdb *chdb, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fail("cannot load chDB's library: %s; say where it is with --library", dlerror());
    chdb_connection *(*connect)(int, char **);
    *(void **)&connect = symbol(library, "chdb_connect");
    *(void **)&chdb->query = symbol(library, "chdb_query");
    *(void **)&chdb->error = symbol(library, "chdb_result_error");
    *(void **)&chdb->destroy = symbol(library, "chdb_destroy_query_result");
    *(void **)&chdb->close = symbol(library, "chdb_close_conn");
    char name[] = "world", where[] = ":memory:";
    char *arguments[] = { name, where };
    chdb->connection = connect(2, arguments);
    if (chdb->connection == NULL)
        fail("chDB does not start");
}

static void chdb_convert(struct chdb *chdb, const char *csv, const char *parquet)
{
    char sql[4096];
    snprintf(
        sql, sizeof(sql),
        "SELECT * FROM file('%s', CSVWithNames, 'message_id String, time DateTime64(3, ''UTC''), "
        "source LowCardinality(String), channel LowCardinality(String), "
        "type LowCardinality(String), event LowCardinality(String), person UInt64, "
        "order_id String, revenue Nullable(Decimal(18,2)), currency LowCardinality(String), "
        "properties String') INTO OUTFILE '%s' TRUNCATE FORMAT Parquet "
        "SETTINGS date_time_input_format = 'best_effort'",
        csv, parquet);
    chdb_result *result = chdb->query(*chdb->connection, sql, "CSV");
    const char *error = result != NULL ? chdb->error(result) : "no answer";
    if (error != NULL)
        fail("chDB cannot write '%s': %s", parquet, error);
    chdb->destroy(result);
}

struct parquet {
    struct chdb chdb;
    const char *folder;
    char csv[1024];
    struct output rows;
    unsigned part;
    size_t count;
};

static void parquet_finish_part(struct parquet *parquet)
{
    char path[1100];
    if (parquet->count == 0)
        return;
    output_close(&parquet->rows);
    snprintf(path, sizeof(path), "%s/events-%03u.parquet", parquet->folder, parquet->part++);
    chdb_convert(&parquet->chdb, parquet->csv, path);
    unlink(parquet->csv);
    parquet->count = 0;
}

static void parquet_add(struct parquet *parquet, const struct world *world,
                        const struct world_event *event)
{
    if (parquet->count++ == 0) {
        output_open(&parquet->rows, parquet->csv);
        world_write_header(&parquet->rows.text);
    }
    world_write_row(world, event, &parquet->rows.text);
    output_breathe(&parquet->rows);
    if (parquet->count == PARQUET_ROWS)
        parquet_finish_part(parquet);
}

/* ---- all events ---- */

struct writer {
    const struct world *world;
    const struct options *options;
    struct output output;
    struct batches batches;
    struct parquet parquet;
    uint64_t count;
    enum { SEGMENT, EVENTS, CSV, LOOKUPS, PARQUET } form;
};

static void writer_open(struct writer *writer)
{
    const struct options *options = writer->options;
    const char *const forms[] = { "segment", "events", "csv", "lookups", "parquet" };
    for (unsigned i = 0; i < 5; i++) {
        if (strcmp(options->form, forms[i]) == 0)
            writer->form = i;
    }
    if (writer->form == PARQUET) {
        if (options->out == NULL)
            fail("the form parquet needs --out FOLDER");
        if (mkdir(options->out, 0755) != 0 && errno != EEXIST)
            fail("cannot make '%s': %s", options->out, strerror(errno));
        writer->parquet.folder = options->out;
        snprintf(writer->parquet.csv, sizeof(writer->parquet.csv), "%s/rows.csv", options->out);
        chdb_open(&writer->parquet.chdb, options->library);
        return;
    }
    output_open(&writer->output, options->out);
    if (writer->form == CSV)
        world_write_header(&writer->output.text);
    if (writer->form == SEGMENT)
        batches_init(&writer->batches, options->batch);
}

static void writer_add(struct writer *writer, const struct world_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        switch (writer->form) {
        case SEGMENT:
            write_batched(writer->world, &events[i], &writer->batches, &writer->output);
            break;
        case EVENTS:
            write_single(writer->world, &events[i], &writer->output);
            break;
        case CSV:
            world_write_row(writer->world, &events[i], &writer->output.text);
            output_breathe(&writer->output);
            break;
        case LOOKUPS:
            world_write_lookup(writer->world, &events[i], &writer->output.text);
            output_breathe(&writer->output);
            break;
        case PARQUET:
            parquet_add(&writer->parquet, writer->world, &events[i]);
            break;
        }
    }
    writer->count += count;
}

static void writer_close(struct writer *writer)
{
    if (writer->form == PARQUET) {
        parquet_finish_part(&writer->parquet);
        writer->parquet.chdb.close(writer->parquet.chdb.connection);
        return;
    }
    for (unsigned source = 0; writer->form == SEGMENT && source < WORLD_SOURCE_COUNT; source++)
        batch_finish(&writer->batches, source, &writer->output);
    output_close(&writer->output);
}

/* Keep one event of each person; they lie together. Returns how many. */
static size_t keep_one_each(struct world_event *events, size_t count)
{
    size_t kept = 0;
    for (size_t first = 0, end; first < count; first = end) {
        uint32_t person = events[first].person;
        for (end = first; end < count && events[end].person == person;)
            end++;
        events[kept++] = events[first + (person * UINT64_C(2654435761) >> 7) % (end - first)];
    }
    return kept;
}

static void write_events(const struct world *world, const struct options *options)
{
    struct writer writer = { .world = world, .options = options };
    struct timespec start, end;
    bool by_time = strcmp(options->order, "time") == 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    writer_open(&writer);
    uint64_t step = by_time ? options->last - options->first : PEOPLE_AT_A_TIME;
    for (uint64_t first = options->first; first < options->last; first += step) {
        uint64_t last = first + step < options->last ? first + step : options->last;
        size_t count;
        struct world_event *events = world_plan(world, first, last, &count);
        if (events != NULL && options->one_each)
            count = keep_one_each(events, count);
        if (events == NULL || (by_time && !world_sort_by_time(events, count)))
            fail("out of memory for the events of %" PRIu64 " people", last - first);
        writer_add(&writer, events, count);
        world_free_events(&events);
    }
    writer_close(&writer);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    fprintf(stderr, "world: %" PRIu64 " events of %" PRIu64 " people in %.1f s, %.0f events/s",
            writer.count, options->last - options->first, seconds, (double)writer.count / seconds);
    if (writer.form != PARQUET && writer.count > 0)
        fprintf(stderr, ", %.0f bytes each", (double)writer.output.written / (double)writer.count);
    fputc('\n', stderr);
}

/* ---- who is who ---- */

static void write_truth(const struct world *world, uint64_t number, struct world_text *text)
{
    struct world_person person;
    struct world_identifier identifiers[WORLD_IDENTIFIERS_MAX];
    world_person(world, number, &person);
    size_t count = world_identifiers(world, &person, identifiers);
    for (size_t i = 0; i < count; i++)
        text->at +=
            snprintf(text->at, WORLD_ROW_BYTES_MAX, "%" PRIu64 ",%s,%s,%s,%s,%d\n", number,
                     world_role_key(person.role), identifiers[i].type, identifiers[i].namespace_,
                     identifiers[i].value, identifiers[i].shared);
}

static void write_people(const struct world *world, const struct options *options)
{
    struct output output;
    bool truth = strcmp(options->form, "truth") == 0;
    output_open(&output, options->out);
    if (truth)
        put(&output.text, "person,role,type,namespace,value,shared\n");
    for (uint64_t number = options->first; number < options->last; number++) {
        struct world_person person;
        if (truth) {
            write_truth(world, number, &output.text);
        } else {
            world_person(world, number, &person);
            world_write_person(world, &person, &output.text);
        }
        output_breathe(&output);
    }
    output_close(&output);
}

static void write_sources(void)
{
    for (unsigned source = 0; source < WORLD_SOURCE_COUNT; source++)
        printf("%s\t%s\t%s\t%s\n", world_source_key(source), world_source_channel(source),
               world_source_is_public(source) ? "public" : "server", world_source_name(source));
}

static void write_catalogue(void)
{
    char bytes[65536];
    struct world_text text = { bytes };
    world_write_catalogue(&text);
    fwrite(bytes, 1, (size_t)(text.at - bytes), stdout);
}

/* ---- options ---- */

static void read_keys(const char *path)
{
    char line[512];
    for (unsigned source = 0; source < WORLD_SOURCE_COUNT; source++)
        snprintf(write_keys[source], WRITE_KEY_BYTES_MAX, "%s", world_source_key(source));
    if (path == NULL)
        return;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        fail("cannot read '%s': %s", path, strerror(errno));
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        char *space = strchr(line, ' ');
        if (space == NULL)
            continue;
        *space = '\0';
        for (unsigned source = 0; source < WORLD_SOURCE_COUNT; source++) {
            if (strcmp(line, world_source_key(source)) == 0 || strcmp(line, "*") == 0)
                snprintf(write_keys[source], WRITE_KEY_BYTES_MAX, "%s", space + 1);
        }
    }
    fclose(file);
}

static int64_t read_time(const char *text)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (rest == NULL || *rest != '\0')
        fail("--end '%s' is not a time like 2026-11-21T00:00:00Z", text);
    return (int64_t)timegm(&tm) * 1000;
}

static uint64_t read_number(const char *name, const char *text, uint64_t min, uint64_t max)
{
    char *rest;
    errno = 0;
    uint64_t number = strtoull(text, &rest, 10);
    if (errno != 0 || *rest != '\0' || rest == text || number < min || number > max)
        fail("--%s '%s' is not a number from %" PRIu64 " to %" PRIu64, name, text, min, max);
    return number;
}

static const char usage[] =
    "usage: world [--form segment|events|csv|parquet|lookups|people|truth|\n"
    "                     catalogue|sources]\n"
    "             [--customers N] [--events-per-customer X] [--seed N] [--end TIME]\n"
    "             [--order customer|time] [--first N] [--last N] [--batch N] [--keys FILE]\n"
    "             [--one-each] [--fresh] [--out PATH] [--library libchdb.so]\n";

static struct options read_options(int argc, char **argv)
{
    struct options options = {
        .form = "segment",
        .order = "customer",
        .seed = 1,
        .customers = 20000,
        .events_per_customer = 7.5,
        .batch = 50,
        .last = UINT64_MAX,
        .end_ms = read_time("2026-11-21T00:00:00Z"),
        .library = "tools/chdb/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so",
    };
    static const struct option names[] = {
        { "form", 1, NULL, 'f' },     { "customers", 1, NULL, 'c' },
        { "seed", 1, NULL, 's' },     { "events-per-customer", 1, NULL, 'e' },
        { "end", 1, NULL, 't' },      { "order", 1, NULL, 'o' },
        { "first", 1, NULL, 'a' },    { "last", 1, NULL, 'z' },
        { "batch", 1, NULL, 'b' },    { "keys", 1, NULL, 'k' },
        { "out", 1, NULL, 'w' },      { "library", 1, NULL, 'l' },
        { "one-each", 0, NULL, '1' }, { "fresh", 0, NULL, 'n' },
        { "help", 0, NULL, 'h' },     { NULL, 0, NULL, 0 },
    };
    for (int letter; (letter = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (letter) {
        case 'f':
            options.form = optarg;
            break;
        case 'c':
            options.customers = read_number("customers", optarg, 1, 100000000);
            break;
        case 's':
            options.seed = read_number("seed", optarg, 0, UINT32_MAX);
            break;
        case 'e':
            options.events_per_customer = strtod(optarg, NULL);
            break;
        case 't':
            options.end_ms = read_time(optarg);
            break;
        case 'o':
            options.order = optarg;
            break;
        case 'a':
            options.first = read_number("first", optarg, 0, 100000000);
            break;
        case 'z':
            options.last = read_number("last", optarg, 0, 100000000);
            break;
        case 'b':
            options.batch = (unsigned)read_number("batch", optarg, 1, BATCH_EVENTS_MAX);
            break;
        case 'k':
            options.keys = optarg;
            break;
        case 'w':
            options.out = optarg;
            break;
        case 'l':
            options.library = optarg;
            break;
        case '1':
            options.one_each = true;
            break;
        case 'n':
            options.fresh = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (options.last > options.customers)
        options.last = options.customers;
    if (options.first > options.last)
        fail("--first %" PRIu64 " is beyond the last customer", options.first);
    if (!(options.events_per_customer >= 2 && options.events_per_customer <= 1000))
        fail("--events-per-customer must be from 2 to 1000");
    return options;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct world world;
    world_init(&world, options.seed, options.customers, options.events_per_customer,
               options.end_ms);
    world.fresh = options.fresh;
    read_keys(options.keys);
    if (!is_one_of(options.order, (const char *const[]){ "customer", "time", NULL }))
        fail("--order '%s' is neither customer nor time", options.order);
    if (is_one_of(options.form,
                  (const char *const[]){ "segment", "events", "csv", "lookups", "parquet", NULL }))
        write_events(&world, &options);
    else if (is_one_of(options.form, (const char *const[]){ "people", "truth", NULL }))
        write_people(&world, &options);
    else if (strcmp(options.form, "sources") == 0)
        write_sources();
    else if (strcmp(options.form, "catalogue") == 0)
        write_catalogue();
    else
        fail("--form '%s' is not known", options.form);
    return 0;
}
