/* SPDX-License-Identifier: Apache-2.0 */
/* schedule_bucket: the bucket of a schedule becomes jobs, object by object.
 *
 *     list ─▶ fits the pattern, not known? ─▶ fetch into an upload (goes on where it stood) ─▶ a job ─▶ known
 *
 * An object in one state has an id: a hash of bucket, key, etag and size. It is the id of the upload, so a
 * fetch that was broken off by a crash of either side goes on in the middle; and it is noted in the file
 * `fetched` once a job was made of it (or was refused for good), so nothing is fetched twice. A crash between
 * the two makes the same job again, which is known by its content.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logline.h"
#include "imports/bucket.h"

#define EVERY_SECONDS 300
#define DUE_MAX 64
#define PART_BYTES ((size_t)4 << 20)
#define ARENA_BYTES ((size_t)1 << 20)
#define ID_BYTES 16

struct due {
    uint64_t schedule; /* hash of bucket and pattern */
    steady_ns looked;
};

struct bucket_memory {
    struct imports *imports;
    int fd; /* the file `fetched`: ID_BYTES for each object */
    uint8_t (*ids)[ID_BYTES];
    size_t count, capacity;
    struct due due[DUE_MAX];
    size_t due_count;
};

/* ---- what was fetched ---- */

static bool is_known(const struct bucket_memory *memory, const uint8_t id[ID_BYTES])
{
    for (size_t i = 0; i < memory->count; i++) {
        if (memcmp(memory->ids[i], id, ID_BYTES) == 0)
            return true;
    }
    return false;
}

static err remember(struct bucket_memory *memory, const uint8_t id[ID_BYTES])
{
    if (memory->count == memory->capacity) {
        size_t capacity = memory->capacity == 0 ? 256 : memory->capacity * 2;
        uint8_t(*ids)[ID_BYTES] = memory_resize(memory->ids, capacity * sizeof *ids);
        if (ids == NULL)
            return ERR_NOMEM;
        memory->ids = ids;
        memory->capacity = capacity;
    }
    memcpy(memory->ids[memory->count++], id, ID_BYTES);
    return ERR_OK;
}

/* Without room on the disk it is known until the next start; then its job is found by its content. */
static void note(struct bucket_memory *memory, const uint8_t id[ID_BYTES])
{
    if (remember(memory, id) == ERR_OK && write(memory->fd, id, ID_BYTES) != ID_BYTES)
        log_line(LOG_WARN, "import_bucket", "fetched objects cannot be noted");
}

err bucket_memory_new(struct bucket_memory **memory, struct imports *imports)
{
    char path[PATH_BYTES];
    uint8_t id[ID_BYTES];
    struct bucket_memory *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->imports = imports;
    snprintf(path, sizeof path, "%.900s/fetched", imports->folder);
    made->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    err error = made->fd >= 0 ? ERR_OK : ERR_IO;
    off_t whole = 0;
    while (error == ERR_OK && read(made->fd, id, ID_BYTES) == ID_BYTES) {
        error = remember(made, id);
        whole += ID_BYTES;
    }
    /* A last one that was not written whole goes. */
    if (error == ERR_OK &&
        (ftruncate(made->fd, whole) != 0 || lseek(made->fd, whole, SEEK_SET) != whole))
        error = ERR_IO;
    if (error != ERR_OK)
        bucket_memory_free(&made);
    *memory = made;
    return error;
}

void bucket_memory_free(struct bucket_memory **freed)
{
    struct bucket_memory *memory = *freed;
    *freed = NULL;
    if (memory == NULL)
        return;
    if (memory->fd >= 0)
        close(memory->fd);
    memory_free(memory->ids);
    memory_free(memory);
}

/* ---- what people see ---- */

static struct bucket_state *state_of(struct imports *imports, str key)
{
    struct bucket_state *free_one = NULL;
    for (size_t i = 0; i < BUCKETS_SHOWN_MAX; i++) {
        struct bucket_state *state = &imports->buckets[i];
        if (str_equal(str_from_c(state->key), key))
            return state;
        if (free_one == NULL && state->key[0] == '\0')
            free_one = state;
    }
    if (free_one != NULL)
        snprintf(free_one->key, sizeof free_one->key, "%.*s", (int)key.size, key.data);
    return free_one;
}

static void show(struct imports *imports, str key, uint64_t objects, uint64_t fetched, err error,
                 const struct problem *problem)
{
    struct wall_clock clock;
    wall_clock_init_real(&clock);
    pthread_mutex_lock(&imports->mutex);
    struct bucket_state *state = state_of(imports, key);
    if (state != NULL) {
        state->looked_ms = wall_clock_now_ms(&clock);
        state->objects = objects;
        state->fetched += fetched;
        snprintf(state->problem, sizeof state->problem, "%.190s",
                 error != ERR_OK ? problem->detail : "");
    }
    pthread_mutex_unlock(&imports->mutex);
}

/* ---- an object ---- */

struct look {
    struct bucket_memory *memory;
    const struct bucket *bucket;
    json_value schedule;
    char pattern[256];
    uint64_t objects, fetched;
    struct problem *problem;
    err error;
};

struct receiving {
    struct imports *imports;
    str id;
    uint64_t offset;
    struct buffer part, answer;
    struct problem *problem;
};

static err keep_part(struct receiving *receiving)
{
    if (receiving->part.size == 0)
        return ERR_OK;
    buffer_clear(&receiving->answer);
    err error =
        imports_upload_put(receiving->imports, receiving->id, receiving->offset,
                           buffer_str(&receiving->part), &receiving->answer, receiving->problem);
    if (error == ERR_OK)
        receiving->offset += receiving->part.size;
    buffer_clear(&receiving->part);
    return error;
}

static err take_bytes(void *context, str bytes)
{
    struct receiving *receiving = context;
    buffer_append_str(&receiving->part, bytes);
    err error = buffer_status(&receiving->part);
    return error == ERR_OK && receiving->part.size >= PART_BYTES ? keep_part(receiving) : error;
}

/* What came before the connection broke is kept; the next look goes on behind it. */
static err receive(struct look *look, const struct listing_object *object, str id)
{
    struct imports *imports = look->memory->imports;
    struct receiving receiving = { .imports = imports, .id = id, .problem = look->problem };
    err error = uploads_resume(imports, id, object->key, object->size_bytes, &receiving.offset,
                               look->problem);
    if (error != ERR_OK || receiving.offset >= object->size_bytes)
        return error;
    buffer_init(&receiving.part, 2 * PART_BYTES);
    buffer_init(&receiving.answer, 4096);
    error = bucket_fetch(imports, look->bucket, object, receiving.offset, take_bytes, &receiving,
                         look->problem);
    struct problem unused;
    receiving.problem = error == ERR_OK ? look->problem : &unused;
    err kept = keep_part(&receiving);
    error = error == ERR_OK ? kept : error;
    if (error == ERR_OK && receiving.offset != object->size_bytes)
        error = problem_set(look->problem, ERR_UNAVAILABLE, "the object ended at byte %llu of %llu",
                            (unsigned long long)receiving.offset,
                            (unsigned long long)object->size_bytes);
    if (error == ERR_CONFLICT) /* it is another object by now: that one has another id */
        error = imports_upload_delete(imports, id, &unused);
    buffer_deinit(&receiving.part);
    buffer_deinit(&receiving.answer);
    return error;
}

static bool make_id(const struct bucket *bucket, const struct listing_object *object,
                    uint8_t id[ID_BYTES])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    struct buffer text;
    buffer_init(&text, 4096);
    buffer_printf(&text, STR_FMT "\n" STR_FMT "\n" STR_FMT "\n%llu\n", STR_ARG(bucket->endpoint),
                  STR_ARG(bucket->name), STR_ARG(object->etag),
                  (unsigned long long)object->size_bytes);
    buffer_append_str(&text, object->key);
    bool good = buffer_status(&text) == ERR_OK &&
                EVP_Digest(text.data, text.size, hash, NULL, EVP_sha256(), NULL) == 1;
    if (good)
        memcpy(id, hash, ID_BYTES);
    buffer_deinit(&text);
    return good;
}

static err bring(struct look *look, const struct listing_object *object, const uint8_t *bytes)
{
    char id[UPLOAD_ID_BYTES + 1], reference[UPLOAD_ID_BYTES + 8];
    hex_text(bytes, ID_BYTES, id);
    snprintf(reference, sizeof reference, "upload:%s", id);
    err error = receive(look, object, str_from_c(id));
    if (error != ERR_OK)
        return error;
    str name = str_slice(object->key, 0, str_utf8_prefix_bytes(object->key, 200));
    error =
        schedule_begin_job(look->memory->imports, look->schedule, reference, name, look->problem);
    if (err_is_retriable(error) || error == ERR_STORAGE_FULL)
        return error;
    note(look->memory, bytes);
    look->fetched += error == ERR_OK;
    return error;
}

/* One object that cannot be had does not keep the others from coming. */
static bool take_object(void *context, const struct listing_object *object)
{
    struct look *look = context;
    uint8_t id[ID_BYTES];
    char key[1025];
    snprintf(key, sizeof key, STR_FMT, STR_ARG(object->key));
    const char *below =
        str_starts_with(object->key, look->bucket->prefix) ? key + look->bucket->prefix.size : key;
    if (object->size_bytes == 0 || fnmatch(look->pattern, below, 0) != 0)
        return true;
    look->objects++;
    if (!make_id(look->bucket, object, id) || is_known(look->memory, id))
        return true;
    err error = bring(look, object, id);
    if (error != ERR_OK) {
        log_line(LOG_WARN, "import_bucket", "bucket=%.*s error=%s reason=\"%s\"",
                 STR_ARG(look->bucket->key), err_code(error), look->problem->detail);
        look->error = error;
    }
    pthread_mutex_lock(&look->memory->imports->mutex);
    bool stopping = look->memory->imports->stopping;
    pthread_mutex_unlock(&look->memory->imports->mutex);
    return !stopping;
}

/* ---- a bucket ---- */

static bool is_due(struct bucket_memory *memory, str key, str pattern, int64_t every_seconds)
{
    uint64_t hash = hash_bytes64(pattern.data, pattern.size, hash_bytes64(key.data, key.size, 1));
    for (size_t i = 0; i < memory->due_count; i++) {
        struct due *due = &memory->due[i];
        if (due->schedule != hash)
            continue;
        if (steady_since_ms(due->looked) < every_seconds * SECOND_MS)
            return false;
        due->looked = steady_now();
        return true;
    }
    if (memory->due_count == DUE_MAX) /* the oldest is forgotten, and so due at once */
        memmove(memory->due, memory->due + 1, --memory->due_count * sizeof memory->due[0]);
    memory->due[memory->due_count++] = (struct due){ hash, steady_now() };
    return true;
}

void schedule_look_at_bucket(struct bucket_memory *memory, json_value schedule)
{
    str key = json_text(json_get(schedule, STR("bucket")));
    str pattern = json_text(json_get(schedule, STR("pattern")));
    struct problem problem = { .error = ERR_OK };
    struct look look = { .memory = memory, .schedule = schedule, .problem = &problem };
    struct bucket bucket;
    struct arena arena;
    if (key.size > BUCKET_KEY_BYTES || pattern.size >= sizeof look.pattern ||
        !is_due(memory, key, pattern,
                json_int(json_get(schedule, STR("every_seconds")), EVERY_SECONDS)))
        return;
    snprintf(look.pattern, sizeof look.pattern, "%.*s", (int)(pattern.size > 0 ? pattern.size : 1),
             pattern.size > 0 ? pattern.data : "*");
    arena_init(&arena, "import_bucket", ARENA_BYTES);
    err error = bucket_load(memory->imports, key, &arena, &bucket, &problem);
    look.bucket = &bucket;
    if (error == ERR_OK)
        error = bucket_list(memory->imports, &bucket, take_object, &look, &problem);
    if (error != ERR_OK)
        log_line(LOG_WARN, "import_bucket", "error=%s reason=\"%s\"", err_code(error),
                 problem.detail);
    show(memory->imports, key, look.objects, look.fetched, error != ERR_OK ? error : look.error,
         &problem);
    arena_deinit(&arena);
}
