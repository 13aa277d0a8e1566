/* SPDX-License-Identifier: Apache-2.0 */
/* touch: the room's life, its figures, and what people ask of it. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

#define TEXTS_BYTES_MAX ((size_t)512 << 20)
#define CHANGES_BYTES_MAX ((size_t)64 << 20)
#define JSON_BYTES_MAX ((size_t)8 << 20)

err touches_new(struct touches **made, const struct touches_config *config)
{
    struct touches *touches = memory_alloc(sizeof *touches);
    struct problem problem = { .error = ERR_OK };
    json_value empty;
    if (touches == NULL)
        return ERR_NOMEM;
    touches->config = *config;
    pthread_mutex_init(&touches->stops_mutex, NULL);
    arena_init(&touches->texts, "touch_texts", TEXTS_BYTES_MAX);
    arena_init(&touches->change_arena, "touch_changes", CHANGES_BYTES_MAX);
    buffer_init(&touches->scratch, TOUCH_TEXT_BYTES_MAX);
    buffer_init(&touches->rendered, TOUCH_TEXT_BYTES_MAX);
    touches->her_nodes = memory_alloc(TOUCH_CUSTOMER_NODES_MAX * sizeof *touches->her_nodes);
    err error = touches->her_nodes != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK)
        error = json_parser_new(&touches->parser, JSON_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parser_new(&touches->policy_parser, JSON_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(touches->policy_parser, STR("{}"), &empty, &problem);
    if (error == ERR_OK)
        error = touches_policy_new(&touches->policy, empty, &problem);
    if (error != ERR_OK)
        touches_free(&touches);
    else
        *made = touches;
    return error;
}

static void free_templates(struct touches *touches)
{
    for (size_t i = 0; i < touches->template_count; i++)
        touches_kept_template_free(&touches->templates[i]);
    memory_free(touches->templates);
    while (touches->old_templates != NULL) {
        struct kept_template *older = touches->old_templates->older;
        touches_kept_template_free(&touches->old_templates);
        touches->old_templates = older;
    }
}

void touches_free(struct touches **taken)
{
    struct touches *touches = *taken;
    *taken = NULL;
    if (touches == NULL)
        return;
    pthread_mutex_destroy(&touches->stops_mutex);
    for (size_t i = 0; i < MARK_CHUNKS; i++) {
        memory_free(atomic_load(&touches->marks[i]));
        memory_free(atomic_load(&touches->nodes[i]));
    }
    for (size_t i = 0; i < LINE_CHUNKS; i++)
        memory_free(atomic_load(&touches->lines[i]));
    for (uint32_t slot = 1; slot <= touches->waiting_count; slot++)
        memory_free(touches->waiting[slot].context);
    memory_free(touches->waiting);
    struct map *maps[] = { &touches->line_numbers, &touches->identities,  &touches->providers,
                           &touches->positions,    &touches->slots,       &touches->chance_places,
                           &touches->spent_places, &touches->code_places, &touches->tasks };
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        touches_map_free(maps[i]);
    touches_heap_free(&touches->due);
    touches_policy_free(&touches->policy);
    for (uint32_t i = 0; i < touches->account_count; i++)
        touches_account_free(&touches->accounts[i]);
    free_templates(touches);
    for (size_t i = 0; i < touches->pool_count; i++)
        memory_free(touches->pools[i].codes);
    touches_pauses_free(touches);
    memory_free(touches->chances);
    memory_free(touches->spent);
    memory_free(touches->changes);
    memory_free(touches->her_nodes);
    json_parser_free(&touches->parser);
    json_parser_free(&touches->policy_parser);
    buffer_deinit(&touches->scratch);
    buffer_deinit(&touches->rendered);
    arena_deinit(&touches->texts);
    arena_deinit(&touches->change_arena);
    memory_free(touches);
}

/* ---- for people ---- */

static void write_reach(const struct touches *touches, struct account *account, uint32_t customer,
                        int64_t now_ms, struct json_writer *writer)
{
    str channel = str_from_c(account->info->channel), purpose = STR("marketing");
    struct line line = { .channel = channel,
                         .account = account->key,
                         .purpose = purpose,
                         .priority = 50,
                         .scope_hash = { touches_text_hash(channel), touches_text_hash(purpose) } };
    struct candidate candidate = { .customer = customer,
                                   .node = customer,
                                   .line = &line,
                                   .account = account,
                                   .now_ms = now_ms,
                                   .created_ms = now_ms,
                                   .settled = true };
    struct verdict verdict;
    touches_gates_pass(touches, &candidate, &verdict);
    json_begin_object(writer);
    json_member_text(writer, STR("channel"), channel);
    json_member_text(writer, STR("account"), account->key);
    json_member_bool(writer, STR("reachable"), verdict.gate == GATE_NONE);
    json_member_text(writer, STR("reason"), str_from_c(touches_gate_code(verdict.gate)));
    if ((verdict.holds || verdict.gate == GATE_PAUSED) && verdict.until_ms < INT64_MAX)
        json_member_time(writer, STR("until"), verdict.until_ms);
    json_end_object(writer);
}

err touch_write_reach(const struct touches *touches, uint32_t customer, int64_t now_ms,
                      struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 0; i < touches->account_count; i++)
        if (!touches->accounts[i]->is_deleted && !touches->accounts[i]->info->is_internal)
            write_reach(touches, touches->accounts[i], customer, now_ms, &writer);
    json_end_array(&writer);
    return buffer_status(out);
}

err touch_preview(const struct touches *touches, str template_, uint32_t customer, str context,
                  int64_t now_ms, struct buffer *out, struct problem *problem)
{
    const struct kept_template *kept = touches_template_of(touches, template_);
    struct render values = { .touches = touches, .customer = customer, .now_ms = now_ms };
    if (kept == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no template '" STR_FMT "'",
                           STR_ARG(template_));
    if (context.size > 0) {
        err error = json_parse(touches->parser, context, &values.context, problem);
        if (error != ERR_OK)
            return error;
    }
    return touches_kept_template_render(kept, &values, out, problem);
}

void touch_status(const struct touches *touches, struct touch_status_counts *counts)
{
    *counts = (struct touch_status_counts){
        .waiting_bytes = touches->waiting_capacity * sizeof *touches->waiting,
        .is_stopped = touches->stop_count > 0,
    };
    memcpy(counts->by_status, touches->counts, sizeof counts->by_status);
}

/* What is in RAM beside the rows of the ledger, which have a digest of their own. */
void touch_digest(const struct touches *touches, struct digest *digest)
{
    for (uint32_t number = 1; number <= touches->last_number; number++) {
        const struct mark *mark = touches_mark_at(touches, number);
        if (mark == NULL)
            continue;
        uint64_t row[5] = { number, atomic_load(&mark->time_status), mark->node, mark->line,
                            (uint64_t)mark->order_hash << 32 | mark->content_hash };
        digest_add(digest, row, sizeof row);
    }
    for (uint32_t slot = 1; slot <= touches->waiting_count; slot++) {
        const struct waiting *waiting = &touches->waiting[slot];
        if (waiting->line == 0)
            continue;
        uint64_t row[6] = { waiting->number,
                            (uint64_t)waiting->due_ms,
                            (uint64_t)waiting->expires_ms,
                            (uint64_t)waiting->cost_minor,
                            waiting->position,
                            (uint64_t)waiting->status << 24 | (uint64_t)waiting->gate << 16 |
                                (uint64_t)waiting->tries << 8 | waiting->flags };
        digest_add(digest, row, sizeof row);
    }
    touches_pauses_digest(touches, digest);
}

bool touch_account_is(const struct touches *touches, str key, enum channel_kind *kind)
{
    const struct account *account = touches_account_find(touches, key);
    if (account != NULL)
        *kind = account->kind;
    return account != NULL;
}

bool touch_describe(const struct touches *touches, uint32_t number,
                    struct touch_description *description)
{
    const struct touch_world *world = touches->config.world;
    const struct mark *mark = touches_mark_at(touches, number);
    if (mark == NULL)
        return false;
    const struct line *line = touches_line_at(touches, mark->line);
    const struct account *account = touches_account_find(touches, line->account);
    *description = (struct touch_description){
        .customer = world->root(world->context, mark->node),
        .node = mark->node,
        .status = mark_status(mark),
        .journey = line->journey,
        .node_key = line->node,
        .campaign = line->campaign,
        .template_ = line->template_,
        .channel = line->channel,
        .account = line->account,
        .purpose = line->purpose,
        .identifier_type = str_from_c(account != NULL ? account->info->identifier_type : ""),
        .namespace_ = account != NULL ? account->namespace_ : STR_NONE,
    };
    return true;
}
