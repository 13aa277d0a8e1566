/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the engine's state: put by any thread, answered by the engine's between groups, or by the asker's own while the engine sleeps. */
#include "engine/state.h"

#include <sched.h>

static struct engine_state state_of(const struct engine *engine)
{
    return (struct engine_state){ .identity = engine->identity,
                                  .profile = engine->profile,
                                  .plan = engine->plan,
                                  .audience = engine->audience,
                                  .touches = act_touches(engine),
                                  .journeys = move_journeys(engine),
                                  .tail = &engine->tail,
                                  .applied_seq = engine->applied_seq,
                                  .now_ms = engine->now_ms };
}

/* A question sees everything that was acknowledged before it was asked. While the ledger is behind,
 * nothing is applied and the last state has to do; at the end everybody gets an answer. */
void engine_answer(struct engine *engine, bool all)
{
    for (struct queue_item *item = queue_take(&engine->questions, 0, 0); item != NULL;) {
        *engine->asked_last = item;
        engine->asked_last = &item->next;
        item = item->next;
    }
    struct engine_state state = state_of(engine);
    if (engine->asked != NULL && engine_flushes(engine))
        tail_advance(&engine->tail, atomic_load(&engine->flushed_seq));
    while (engine->asked != NULL) {
        struct engine_question *question = queue_entry(engine->asked, struct engine_question, item);
        if (!all && question->need_seq > engine->applied_seq)
            break;
        engine->asked = engine->asked->next; /* the question may be gone once it is answered */
        if (engine->asked == NULL)
            engine->asked_last = &engine->asked;
        question->ask(&state, question);
        question->answered(question);
    }
}

void engine_answer_meanwhile(void *context)
{
    engine_answer(context, true);
}

/* Another reader is done within microseconds: worth a few looks, not a queue. */
#define HERE_TRIES 4

bool engine_ask_here(struct engine *engine, struct engine_question *question)
{
    bool locked = false;
    for (int i = 0; i < HERE_TRIES && !locked && atomic_load(&engine->is_waiting); i++) {
        locked = pthread_mutex_trylock(&engine->state_mutex) == 0;
        if (!locked)
            sched_yield();
    }
    if (!locked)
        return false;
    bool current = log_last_seq(engine->log) <= engine->applied_seq && engine->asked == NULL &&
                   !atomic_load(&engine->stopping);
    if (current) {
        struct engine_state state = state_of(engine);
        if (engine_flushes(engine))
            tail_advance(&engine->tail, atomic_load(&engine->flushed_seq));
        question->ask(&state, question);
    }
    pthread_mutex_unlock(&engine->state_mutex);
    return current;
}

err engine_ask(struct engine *engine, struct engine_question *question)
{
    question->need_seq = log_last_seq(engine->log);
    if (!queue_put(&engine->questions, &question->item, 1))
        return queue_is_closed(&engine->questions) ? ERR_UNAVAILABLE : ERR_BUSY;
    if (atomic_load(&engine->is_waiting))
        log_wake_reader(engine->log);
    return ERR_OK;
}

struct wait_for_answer {
    struct engine_question question;
    struct engine_question *asked;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool done;
};

static void ask_waited(const struct engine_state *state, struct engine_question *question)
{
    struct wait_for_answer *wait = queue_entry(question, struct wait_for_answer, question);
    wait->asked->ask(state, wait->asked);
}

static void answered_waited(struct engine_question *question)
{
    struct wait_for_answer *wait = queue_entry(question, struct wait_for_answer, question);
    pthread_mutex_lock(&wait->mutex);
    wait->done = true;
    pthread_cond_signal(&wait->answered);
    pthread_mutex_unlock(&wait->mutex);
}

err engine_ask_wait(struct engine *engine, struct engine_question *question)
{
    struct wait_for_answer wait = {
        .question = { .ask = ask_waited, .answered = answered_waited },
        .asked = question,
    };
    pthread_mutex_init(&wait.mutex, NULL);
    pthread_cond_init(&wait.answered, NULL);
    err error = engine_ask(engine, &wait.question);
    pthread_mutex_lock(&wait.mutex);
    while (error == ERR_OK && !wait.done)
        pthread_cond_wait(&wait.answered, &wait.mutex);
    pthread_mutex_unlock(&wait.mutex);
    if (error == ERR_OK && question->answered != NULL)
        question->answered(question);
    pthread_cond_destroy(&wait.answered);
    pthread_mutex_destroy(&wait.mutex);
    return error;
}
