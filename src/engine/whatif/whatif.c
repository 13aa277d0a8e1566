/* SPDX-License-Identifier: Apache-2.0 */
/* whatif: runs as jobs, one at a time, on a thread of their own; what is done is kept in whatif/ of the data folder: ID.json, of which the
 * first line says what it is and the second is the result. */
#include "engine/whatif/whatif.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/logline.h"
#include "engine/whatif/whatif_jobs.h"

#define BODY_BYTES_MAX ((size_t)4 << 20)
#define HEAD_BYTES_MAX ((size_t)8 << 20)

/* ---- jobs ---- */

static const char *const state_texts[] = { "waiting", "running", "done", "failed", "cancelled" };

static void job_free(struct whatif_job *job)
{
    if (job != NULL)
        buffer_deinit(&job->body);
    memory_free(job);
}

static struct whatif_job *job_new(str journey)
{
    struct whatif_job *job = memory_alloc(sizeof *job);
    if (job == NULL)
        return NULL;
    buffer_init(&job->body, BODY_BYTES_MAX);
    snprintf(job->journey, sizeof job->journey, "%.*s", STR_ARG(str_slice(journey, 0, 120)));
    return job;
}

struct whatif_job *whatif_job_find(const struct whatifs *whatifs, str key, str id)
{
    for (struct whatif_job *job = whatifs->jobs; job != NULL; job = job->next)
        if (!job->is_removed && str_equal(str_from_c(job->id), id) &&
            str_equal(str_from_c(job->journey), key))
            return job;
    return NULL;
}

static void write_head(const struct whatif_job *job, struct json_writer *writer)
{
    json_member_text(writer, STR("id"), str_from_c(job->id));
    json_member_text(writer, STR("journey"), str_from_c(job->journey));
    json_member_text(writer, STR("state"), str_from_c(state_texts[job->state]));
    json_put_key(writer, STR("progress"));
    json_put_double(writer, job->state == WHATIF_DONE ? 1 : atomic_load(&job->progress) / 1000.0);
    json_member_time(writer, STR("created_at"), job->created_ms);
    if (job->finished_ms != 0)
        json_member_time(writer, STR("finished_at"), job->finished_ms);
    if (job->reason[0] != '\0')
        json_member_text(writer, STR("reason"), str_from_c(job->reason));
    if (job->pointer[0] != '\0')
        json_member_text(writer, STR("pointer"), str_from_c(job->pointer));
    json_member_int(writer, STR("user_number"), job->user_number);
    json_member_raw(writer, STR("request"),
                    job->body.size > 0 ? buffer_str(&job->body) : STR("{}"));
}

/* ---- files ---- */

static void path_of(const struct whatifs *whatifs, const char *id, const char *end, char path[800])
{
    snprintf(path, 800, "%s/%s%s", whatifs->folder, id, end);
}

static err write_file(const struct whatifs *whatifs, const struct whatif_job *job,
                      const struct buffer *result)
{
    char path[800], ready[800];
    struct buffer head;
    struct json_writer writer;
    buffer_init(&head, HEAD_BYTES_MAX);
    json_writer_init(&writer, &head);
    json_begin_object(&writer);
    write_head(job, &writer);
    json_end_object(&writer);
    path_of(whatifs, job->id, ".part", path);
    path_of(whatifs, job->id, ".json", ready);
    FILE *file = fopen(path, "w");
    bool written = file != NULL && fwrite(head.data, 1, head.size, file) == head.size &&
                   fputc('\n', file) != EOF &&
                   fwrite(result->data, 1, result->size, file) == result->size;
    if (file != NULL)
        written = fclose(file) == 0 && written;
    written = written && rename(path, ready) == 0;
    buffer_deinit(&head);
    return written ? ERR_OK : ERR_STORAGE_FULL;
}

err whatif_file_read(const struct whatifs *whatifs, const char *id, bool only_head,
                     struct buffer *out)
{
    char path[800], bytes[65536];
    size_t count;
    path_of(whatifs, id, ".json", path);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return ERR_NOT_FOUND;
    while ((count = fread(bytes, 1, sizeof bytes, file)) > 0) {
        const char *end = only_head ? memchr(bytes, '\n', count) : NULL;
        buffer_append(out, bytes, end != NULL ? (size_t)(end - bytes) : count);
        if (end != NULL)
            break;
    }
    fclose(file);
    return buffer_status(out);
}

int64_t whatif_time_of(json_value head, str name)
{
    int64_t time_ms = 0;
    time_parse(json_text(json_get(head, name)), 0, &time_ms);
    return time_ms;
}

static void load_one(struct whatifs *whatifs, const char *id)
{
    struct buffer text;
    json_value head;
    buffer_init(&text, HEAD_BYTES_MAX);
    err error = whatif_file_read(whatifs, id, true, &text);
    if (error == ERR_OK)
        error = json_parse(whatifs->parser, buffer_str(&text), &head, NULL);
    struct whatif_job *job =
        error == ERR_OK ? job_new(json_text(json_get(head, STR("journey")))) : NULL;
    if (job != NULL) {
        uint64_t number = strtoul(id + 1, NULL, 10);
        snprintf(job->id, sizeof job->id, "%s", id);
        job->state = WHATIF_DONE;
        job->created_ms = whatif_time_of(head, STR("created_at"));
        job->finished_ms = whatif_time_of(head, STR("finished_at"));
        job->user_number = (uint32_t)json_int(json_get(head, STR("user_number")), 0);
        json_write_value(&job->body, json_get(head, STR("request")));
        struct whatif_job **at = &whatifs->jobs;
        while (*at != NULL && (*at)->created_ms > job->created_ms)
            at = &(*at)->next;
        job->next = *at;
        *at = job;
        whatifs->last = number > whatifs->last ? (uint32_t)number : whatifs->last;
    }
    buffer_deinit(&text);
}

static err load_all(struct whatifs *whatifs)
{
    struct dirent *entry;
    if (mkdir(whatifs->folder, 0700) != 0 && errno != EEXIST)
        return ERR_STORAGE_FULL;
    DIR *folder = opendir(whatifs->folder);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        str name = str_from_c(entry->d_name);
        char id[WHATIF_ID_BYTES], path[800];
        if (name.size > 6 && name.size < WHATIF_ID_BYTES + 5 && name.data[0] == 'w' &&
            str_ends_with(name, STR(".json"))) {
            snprintf(id, sizeof id, "%.*s", (int)(name.size - 5), name.data);
            load_one(whatifs, id);
        } else if (str_ends_with(name, STR(".part"))) {
            snprintf(path, sizeof path, "%s/%.100s", whatifs->folder, entry->d_name);
            unlink(path);
        }
    }
    if (folder != NULL)
        closedir(folder);
    return ERR_OK;
}

/* ---- the thread ---- */

static struct whatif_job *next_waiting(const struct whatifs *whatifs)
{
    struct whatif_job *oldest = NULL;
    for (struct whatif_job *job = whatifs->jobs; job != NULL; job = job->next)
        if (job->state == WHATIF_WAITING && !job->is_removed)
            oldest = job;
    return oldest;
}

static void end_job(struct whatifs *whatifs, struct whatif_job *job, err error,
                    const struct buffer *result, const struct problem *problem)
{
    job->finished_ms = wall_clock_now_ms(whatifs->engine->config.clock);
    bool cancelled = atomic_load(&job->cancelled) || error == ERR_UNAVAILABLE;
    job->state = error == ERR_OK ? WHATIF_DONE : cancelled ? WHATIF_CANCELLED : WHATIF_FAILED;
    if (error == ERR_OK)
        error = write_file(whatifs, job, result);
    if (error == ERR_OK || cancelled)
        return;
    job->state = WHATIF_FAILED;
    snprintf(job->reason, sizeof job->reason, "%s",
             problem->detail[0] != '\0' ? problem->detail : err_title(error));
    snprintf(job->pointer, sizeof job->pointer, "%s", problem->pointer);
}

static void run_job(struct whatifs *whatifs, struct whatif_job *job)
{
    struct problem problem = { .error = ERR_OK };
    struct json_parser *parser = NULL;
    struct buffer result;
    json_value body;
    buffer_init(&result, WHATIF_RESULT_BYTES_MAX);
    err error = json_parser_new(&parser, BODY_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&job->body), &body, &problem);
    if (error == ERR_OK)
        error = whatif_run_order(whatifs->engine, str_from_c(job->journey), body, NULL,
                                 &job->cancelled, &job->progress, &result, &problem);
    pthread_mutex_lock(&whatifs->mutex);
    end_job(whatifs, job, error, &result, &problem);
    pthread_mutex_unlock(&whatifs->mutex);
    buffer_deinit(&result);
    json_parser_free(&parser);
}

static void *run_jobs(void *context)
{
    struct whatifs *whatifs = context;
    pthread_setname_np(pthread_self(), "kith-whatif");
    pthread_mutex_lock(&whatifs->mutex);
    while (!whatifs->stopping) {
        struct whatif_job *job = next_waiting(whatifs);
        if (job == NULL) {
            pthread_cond_wait(&whatifs->wake, &whatifs->mutex);
            continue;
        }
        job->state = WHATIF_RUNNING;
        pthread_mutex_unlock(&whatifs->mutex);
        run_job(whatifs, job);
        pthread_mutex_lock(&whatifs->mutex);
    }
    pthread_mutex_unlock(&whatifs->mutex);
    return NULL;
}

/* ---- life ---- */

err whatifs_new(struct whatifs **whatifs, struct engine *engine)
{
    struct whatifs *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->engine = engine;
    snprintf(made->folder, sizeof made->folder, "%s/whatif", engine_folder(engine));
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->wake, NULL);
    err error = json_parser_new(&made->parser, WHATIF_RESULT_BYTES_MAX);
    if (error == ERR_OK)
        error = load_all(made);
    if (error == ERR_OK && pthread_create(&made->thread, NULL, run_jobs, made) != 0)
        error = ERR_NOMEM;
    made->has_thread = error == ERR_OK;
    if (error != ERR_OK)
        whatifs_free(&made);
    else
        *whatifs = made;
    return error;
}

void whatifs_free(struct whatifs **taken)
{
    struct whatifs *whatifs = *taken;
    *taken = NULL;
    if (whatifs == NULL)
        return;
    pthread_mutex_lock(&whatifs->mutex);
    whatifs->stopping = true;
    atomic_store(&whatifs->is_over, true);
    for (struct whatif_job *job = whatifs->jobs; job != NULL; job = job->next)
        atomic_store(&job->cancelled, true);
    pthread_cond_signal(&whatifs->wake);
    pthread_mutex_unlock(&whatifs->mutex);
    if (whatifs->has_thread)
        pthread_join(whatifs->thread, NULL);
    while (whatifs->jobs != NULL) {
        struct whatif_job *job = whatifs->jobs;
        whatifs->jobs = job->next;
        job_free(job);
    }
    json_parser_free(&whatifs->parser);
    pthread_mutex_destroy(&whatifs->mutex);
    pthread_cond_destroy(&whatifs->wake);
    memory_free(whatifs);
}

/* ---- asked ---- */

static err check_order(struct whatifs *whatifs, str key, json_value body, struct problem *problem)
{
    struct whatif_order order;
    whatif_order_init(&order);
    err error = whatif_order_read(&order, key, body,
                                  wall_clock_now_ms(whatifs->engine->config.clock) + 1, problem);
    whatif_order_deinit(&order);
    return error;
}

/* The oldest that are over make room. */
static void forget_old(struct whatifs *whatifs)
{
    size_t count = 0;
    char path[800];
    for (struct whatif_job *job = whatifs->jobs; job != NULL; job = job->next) {
        if (job->is_removed || job->state <= WHATIF_RUNNING || ++count < WHATIF_KEPT_MAX)
            continue;
        job->is_removed = true;
        path_of(whatifs, job->id, ".json", path);
        unlink(path);
    }
}

err whatif_begin(struct whatifs *whatifs, str key, json_value body, uint32_t user_number,
                 char id[WHATIF_ID_BYTES], struct problem *problem)
{
    size_t waiting = 0;
    err error = check_order(whatifs, key, body, problem);
    struct whatif_job *job = error == ERR_OK ? job_new(key) : NULL;
    if (job == NULL)
        return error != ERR_OK ? error : ERR_NOMEM;
    json_write_value(&job->body, body);
    job->user_number = user_number;
    job->created_ms = wall_clock_now_ms(whatifs->engine->config.clock);
    pthread_mutex_lock(&whatifs->mutex);
    for (const struct whatif_job *other = whatifs->jobs; other != NULL; other = other->next)
        waiting += other->state == WHATIF_WAITING && !other->is_removed;
    error = waiting >= WHATIF_WAITING_MAX ? ERR_BUSY : buffer_status(&job->body);
    if (error == ERR_OK) {
        snprintf(job->id, sizeof job->id, "w%u", ++whatifs->last);
        snprintf(id, WHATIF_ID_BYTES, "%s", job->id);
        job->next = whatifs->jobs;
        whatifs->jobs = job;
        forget_old(whatifs);
        pthread_cond_signal(&whatifs->wake);
    }
    pthread_mutex_unlock(&whatifs->mutex);
    if (error == ERR_BUSY)
        problem_set(problem, error, "%d runs wait already", WHATIF_WAITING_MAX);
    if (error != ERR_OK)
        job_free(job);
    return error;
}

static err append_result(const struct whatifs *whatifs, const char *id, struct json_writer *writer)
{
    struct buffer file;
    buffer_init(&file, WHATIF_RESULT_BYTES_MAX);
    err error = whatif_file_read(whatifs, id, false, &file);
    str text = buffer_str(&file);
    size_t line = str_find_byte(text, '\n');
    if (error == ERR_OK)
        json_member_raw(writer, STR("result"), str_slice(text, line + 1, text.size));
    buffer_deinit(&file);
    return error;
}

err whatif_write(struct whatifs *whatifs, str key, str id, struct buffer *out)
{
    struct json_writer writer;
    pthread_mutex_lock(&whatifs->mutex);
    const struct whatif_job *job = whatif_job_find(whatifs, key, id);
    err error = job != NULL ? ERR_OK : ERR_NOT_FOUND;
    json_writer_init(&writer, out);
    if (error == ERR_OK) {
        json_begin_object(&writer);
        write_head(job, &writer);
        if (job->state == WHATIF_DONE)
            error = append_result(whatifs, job->id, &writer);
        json_end_object(&writer);
    }
    pthread_mutex_unlock(&whatifs->mutex);
    return error == ERR_OK ? buffer_status(out) : error;
}

void whatif_write_all(struct whatifs *whatifs, str key, struct json_writer *writer)
{
    pthread_mutex_lock(&whatifs->mutex);
    for (const struct whatif_job *job = whatifs->jobs; job != NULL; job = job->next) {
        if (job->is_removed || !str_equal(str_from_c(job->journey), key))
            continue;
        json_begin_object(writer);
        write_head(job, writer);
        json_end_object(writer);
    }
    pthread_mutex_unlock(&whatifs->mutex);
}

err whatif_delete(struct whatifs *whatifs, str key, str id)
{
    char path[800];
    pthread_mutex_lock(&whatifs->mutex);
    struct whatif_job *job = whatif_job_find(whatifs, key, id);
    if (job != NULL && job->state == WHATIF_RUNNING) {
        atomic_store(&job->cancelled, true);
    } else if (job != NULL && job->state == WHATIF_WAITING) {
        job->state = WHATIF_CANCELLED;
        job->finished_ms = wall_clock_now_ms(whatifs->engine->config.clock);
    } else if (job != NULL) {
        job->is_removed = true;
        path_of(whatifs, job->id, ".json", path);
        unlink(path);
    }
    pthread_mutex_unlock(&whatifs->mutex);
    return job != NULL ? ERR_OK : ERR_NOT_FOUND;
}
