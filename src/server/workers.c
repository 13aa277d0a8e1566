/* SPDX-License-Identifier: Apache-2.0 */
/* The pool that runs handlers which wait: for the ledger, the warehouse, a commit. */
#include "base/logline.h"
#include "server/answer.h"
#include "server/cells.h"
#include "server/inside.h"
#include "server/scope/scope.h"
#include "server/sensitive.h"

#define WAITING_MAX 1000

struct worker {
    struct server *server;
    struct http_thread *keeps;
    pthread_t thread;
};

static err run_handler(struct worker *worker, struct request *request, struct problem *problem)
{
    err error = auth_check(request, worker->keeps, problem);
    if (error == ERR_OK)
        error = request_check_query(request, problem);
    request->parser = worker->keeps->parser;
    request->scratch = worker->keeps->scratch;
    if (error == ERR_OK && request->route->body == ROUTE_BODY) {
        error = json_parse(request->parser, buffer_str(&request->body), &request->json, problem);
        if (error == ERR_OK && !json_is_object(request->json))
            error = problem_set(problem, ERR_INVALID, "the body is not a JSON object");
    }
    if (error == ERR_OK)
        error = sensitive_check(request, problem);
    if (error == ERR_OK)
        error = scope_enter(request, problem);
    if (error != ERR_OK || answer_again(request))
        return error;
    error = request->route->handler(request, problem);
    if (error == ERR_OK)
        error = buffer_status(&request->out);
    if (error == ERR_OK)
        error = scope_cut(request, problem);
    if (error == ERR_OK)
        error = cells_cut(request, problem);
    if (error == ERR_OK)
        answer_keep(request);
    return error;
}

static struct request *take(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    while (workers->first == NULL && !workers->closed)
        pthread_cond_wait(&workers->wake, &workers->mutex);
    struct request *request = workers->first;
    if (request != NULL) {
        workers->first = request->next_waiting;
        if (workers->first == NULL)
            workers->last = &workers->first;
        workers->waiting--;
    }
    pthread_mutex_unlock(&workers->mutex);
    return request;
}

static void *worker_run(void *context)
{
    struct worker *worker = context;
    struct request *request;
    while ((request = take(&worker->server->workers)) != NULL) {
        struct problem problem = { .error = ERR_OK };
        err error = run_handler(worker, request, &problem);
        if (error == ERR_FORBIDDEN)
            auth_tell_refusal(request);
        if (error != ERR_OK)
            reply_problem(request, error, &problem);
        http_resume(request);
    }
    return NULL;
}

bool workers_put(struct server *server, struct request *request)
{
    struct workers *workers = &server->workers;
    pthread_mutex_lock(&workers->mutex);
    bool fits = !workers->closed && workers->waiting < workers->waiting_max;
    if (fits) {
        request->next_waiting = NULL;
        *workers->last = request;
        workers->last = &request->next_waiting;
        workers->waiting++;
        pthread_cond_signal(&workers->wake);
    }
    pthread_mutex_unlock(&workers->mutex);
    return fits;
}

err workers_start(struct server *server, struct problem *problem)
{
    struct workers *workers = &server->workers;
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->wake, NULL);
    workers->last = &workers->first;
    workers->waiting_max = WAITING_MAX;
    workers->threads = memory_alloc(server->config.api_threads * sizeof(*workers->threads));
    if (workers->threads == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the workers");
    for (unsigned i = 0; i < server->config.api_threads; i++) {
        struct worker *worker = &workers->threads[i];
        worker->server = server;
        worker->keeps = http_thread_new(server);
        if (worker->keeps == NULL || pthread_create(&worker->thread, NULL, worker_run, worker) != 0)
            return problem_set(problem, ERR_NOMEM, "worker %u of %u cannot be started", i + 1,
                               server->config.api_threads);
        workers->count++;
    }
    return ERR_OK;
}

void workers_stop(struct server *server)
{
    struct workers *workers = &server->workers;
    if (workers->threads == NULL)
        return;
    pthread_mutex_lock(&workers->mutex);
    workers->closed = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->mutex);
    for (unsigned i = 0; i < workers->count; i++)
        pthread_join(workers->threads[i].thread, NULL);
    memory_free(workers->threads);
    workers->threads = NULL;
    pthread_mutex_destroy(&workers->mutex);
    pthread_cond_destroy(&workers->wake);
}
