/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox from its start to its end. */
#include <stdio.h>

#include "sandbox/inside.h"

#define NAMES_BYTES_MAX ((size_t)2 << 30)

static const int64_t defaults[SETTING_COUNT] = {
#define X(NAME, text, otherwise, least, most, about) otherwise,
    SETTINGS(X)
#undef X
};

int64_t sandbox_now(const struct sandbox *sandbox)
{
    struct wall_clock clock;
    if (sandbox->config.now_ms != NULL)
        return sandbox->config.now_ms(sandbox->config.context) + sandbox->offset_ms;
    wall_clock_init_real(&clock);
    return wall_clock_now_ms(&clock) + sandbox->offset_ms;
}

void sandbox_id(struct sandbox *sandbox, const char *before, char *out, size_t size)
{
    snprintf(out, size, "%s%08llx%06llx", before,
             (unsigned long long)(random_next(&sandbox->random) & 0xffffffffU),
             (unsigned long long)++sandbox->number);
}

static err init(struct sandbox *sandbox)
{
    random_seed(&sandbox->random, sandbox->config.seed);
    random_seed(&sandbox->faults.random, sandbox->config.seed);
    for (int i = 0; i < SETTING_COUNT; i++)
        sandbox->settings[i] = defaults[i];
    err error = json_parser_new(&sandbox->parser, SANDBOX_BODY_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parser_new(&sandbox->scratch, SANDBOX_BODY_BYTES_MAX);
    if (error == ERR_OK)
        error = taken_set_keep(sandbox, (size_t)sandbox->settings[SETTING_KEEP]);
    return error;
}

err sandbox_start(struct sandbox **sandbox, const struct sandbox_config *config,
                  struct problem *problem)
{
    struct sandbox *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the sandbox");
    made->config = *config;
    pthread_mutex_init(&made->mutex, NULL);
    arena_init(&made->arena, "sandbox", NAMES_BYTES_MAX);
    err error = init(made);
    if (error == ERR_OK)
        error = callbacks_start(made);
    else
        problem_set(problem, error, "no memory for the sandbox");
    if (error == ERR_OK && config->listen != NULL)
        error = sandbox_http_start(made, problem);
    if (error == ERR_OK && config->smtp_listen != NULL)
        error = smtp_start(made, problem);
    if (error != ERR_OK)
        sandbox_stop(&made);
    else
        *sandbox = made;
    return error;
}

uint16_t sandbox_port(const struct sandbox *sandbox)
{
    return sandbox_http_port(sandbox);
}

uint16_t sandbox_smtp_port(const struct sandbox *sandbox)
{
    return smtp_port(sandbox);
}

static void free_what_was_taken(struct sandbox *sandbox)
{
    taken_clear(sandbox);
    memory_free(sandbox->taken.ring);
    for (struct mass_task *task = sandbox->tasks; task != NULL; task = task->next) {
        memory_free(task->members);
        memory_free(task->content);
    }
    size_t capacity = sizeof sandbox->to_pull.texts / sizeof sandbox->to_pull.texts[0];
    for (size_t i = 0; i < sandbox->to_pull.count; i++)
        memory_free(sandbox->to_pull.texts[(sandbox->to_pull.begin + i) % capacity]);
}

void sandbox_stop(struct sandbox **sandbox)
{
    struct sandbox *ended = *sandbox;
    if (ended == NULL)
        return;
    sandbox_http_stop(ended);
    smtp_stop(ended);
    if (ended->callbacks.thread_count > 0)
        callbacks_stop(ended);
    free_what_was_taken(ended);
    map_clear(&ended->by_name, NULL);
    json_parser_free(&ended->parser);
    json_parser_free(&ended->scratch);
    arena_deinit(&ended->arena);
    pthread_mutex_destroy(&ended->mutex);
    memory_free(ended);
    *sandbox = NULL;
}
