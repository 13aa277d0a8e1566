/* SPDX-License-Identifier: Apache-2.0 */
/* inhouse: channels that never leave the house. A coupon takes a code out of its pool, a task of the call centre is a row that
 * somebody takes; both in the apply of the claim, so that N are given exactly.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

#define CODE_BYTES_MAX 64
#define CODES_AT_ONCE_MAX 20000

struct pool *touches_pool_find(const struct touches *touches, str key)
{
    for (size_t i = 0; i < touches->pool_count; i++)
        if (str_equal(touches->pools[i].key, key))
            return (struct pool *)(uintptr_t)&touches->pools[i];
    return NULL;
}

static void put_pool(struct touches *touches, const struct pool *pool)
{
    PUT(touches, COUPON_POOLS, ledger_text(pool->key), ledger_int(pool->is_generated),
        ledger_text(pool->prefix), ledger_int(pool->limit), ledger_int(pool->given),
        ledger_int(touches->moment.now_ms));
}

/* ---- codes ---- */

err touches_pool_add_code(struct touches *touches, struct pool *pool, str code)
{
    if (pool->code_count == pool->code_capacity) {
        uint32_t capacity = pool->code_capacity == 0 ? 1024 : pool->code_capacity * 2;
        str *codes = memory_resize(pool->codes, capacity * sizeof *codes);
        if (codes == NULL)
            return ERR_NOMEM;
        pool->codes = codes;
        pool->code_capacity = capacity;
    }
    err error = arena_dup(&touches->texts, code, &pool->codes[pool->code_count]);
    pool->code_count += error == ERR_OK;
    return error;
}

err touches_pool_add(struct touches *touches, str key, bool is_generated, str prefix,
                     uint32_t limit, uint32_t given, struct pool **added)
{
    if (touches->pool_count == POOLS_MAX)
        return ERR_TOO_LARGE;
    struct pool *pool = &touches->pools[touches->pool_count];
    *pool = (struct pool){ .is_generated = is_generated, .limit = limit, .given = given };
    err error = arena_dup(&touches->texts, key, &pool->key);
    if (error == ERR_OK)
        error = arena_dup(&touches->texts, prefix, &pool->prefix);
    touches->pool_count += error == ERR_OK;
    *added = pool;
    return error;
}

/* A keyed permutation of 40 bits (Feistel, four rounds), as eight letters that cannot be confused: no two are the same. */
static void generate(const struct touches *touches, const struct pool *pool, uint32_t number,
                     char out[CODE_BYTES_MAX])
{
    static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    uint64_t key = touches->config.seed ^ touches_text_hash(pool->key);
    uint32_t left = number >> 20, right = number & 0xFFFFF;
    for (uint64_t round = 0; round < 4; round++) {
        uint32_t mixed = (uint32_t)(hash_mix64(key + round * 977 + right) & 0xFFFFF);
        uint32_t next = left ^ mixed;
        left = right;
        right = next;
    }
    uint64_t code = (uint64_t)left << 20 | right;
    size_t size = pool->prefix.size < CODE_BYTES_MAX - 9 ? pool->prefix.size : 0;
    memcpy(out, pool->prefix.data, size);
    for (size_t i = 0; i < 8; i++, code >>= 5)
        out[size + i] = letters[code & 31];
    out[size + 8] = '\0';
}

static bool pool_is_empty(const struct pool *pool)
{
    return pool->is_generated ? pool->limit > 0 && pool->given >= pool->limit
                              : pool->given >= pool->code_count;
}

/* The account's pool; an account without one gives from the pool that the coupon is named after, as journeys do. */
static err pool_key(struct touches *touches, const struct waiting *waiting,
                    const struct account *account, str *key)
{
    struct problem problem = { .error = ERR_OK };
    str context = str_from_bytes(waiting->context, waiting->context_size);
    json_value json;
    err error = json_parse(touches->policy_parser, account->settings, &json, &problem);
    if (error != ERR_OK)
        return error;
    error = arena_dup(&touches->change_arena, json_text(json_get(json, STR("pool"))), key);
    if (error != ERR_OK || key->size > 0 || context.size == 0)
        return error;
    error = json_parse(touches->policy_parser, context, &json, &problem);
    if (error != ERR_OK)
        return error;
    json = json_get(json_get(json, STR("vars")), STR("coupon"));
    return arena_dup(&touches->change_arena, json_text(json), key);
}

static err give_coupon(struct touches *touches, const struct waiting *waiting,
                       const struct account *account, str *coupon, struct step *refusal)
{
    str key;
    err error = pool_key(touches, waiting, account, &key);
    if (error != ERR_OK)
        return error;
    struct pool *pool = touches_pool_find(touches, key);
    if (pool == NULL || pool_is_empty(pool)) {
        refusal->status = TOUCH_FAILED;
        refusal->reason = pool == NULL ? STR("no_pool") : STR("pool_empty");
        return ERR_OK;
    }
    char code[CODE_BYTES_MAX];
    if (pool->is_generated) {
        generate(touches, pool, pool->given, code);
        error = arena_dup(&touches->change_arena, str_from_c(code), coupon);
    } else {
        *coupon = pool->codes[pool->given];
    }
    pool->given++;
    put_pool(touches, pool);
    PUT(touches, COUPONS_GIVEN, ledger_int(waiting->number), ledger_text(pool->key),
        ledger_text(*coupon), ledger_int(waiting->node), ledger_int(touches->moment.now_ms));
    return error;
}

err touches_inhouse_claim(struct touches *touches, const struct waiting *waiting,
                          const struct line *line, const struct account *account, str *coupon,
                          struct step *refusal)
{
    (void)line;
    refusal->status = TOUCH_STATUS_COUNT;
    if (account->kind == CHANNEL_COUPON)
        return give_coupon(touches, waiting, account, coupon, refusal);
    return ERR_OK;
}

/* ---- tasks of the call centre: open ─take─▶ taken ─result─▶ done, or back by release ---- */

static const char *const task_texts[] = { "", "open", "taken", "done" };

static err put_task(struct touches *touches, uint32_t number, enum task_state state, uint32_t user,
                    str result, str note)
{
    PUT(touches, TOUCH_TASK_STATES, ledger_int(number), ledger_text(str_from_c(task_texts[state])),
        ledger_int(user), ledger_text(result), ledger_text(note),
        ledger_int(touches->moment.now_ms));
    return touches_map_put(&touches->tasks, number, user << 2 | state);
}

err touches_inhouse_task(struct touches *touches, const struct waiting *waiting,
                         const struct account *account, str content)
{
    if (account->kind != CHANNEL_CALL_CENTER ||
        touches_map_find(&touches->tasks, waiting->number) != 0)
        return ERR_OK;
    PUT(touches, TOUCH_TASKS, ledger_int(waiting->number), ledger_int(waiting->node),
        ledger_text(account->key), ledger_text(content), ledger_int(touches->moment.now_ms),
        ledger_int(waiting->expires_ms));
    return put_task(touches, waiting->number, TASK_OPEN, 0, STR_NONE, STR_NONE);
}

static err finish_task(struct touches *touches, uint32_t number,
                       const struct touch_command *command)
{
    str result = json_text(json_get(command->body, STR("result")));
    if (result.size == 0 || result.size > 100)
        return problem_set(
            command->problem, ERR_UNPROCESSABLE,
            "a result is a word of at most 100 bytes: reached, no_answer, refused …");
    err error = put_task(touches, number, TASK_DONE, command->user_number, result,
                         json_text(json_get(command->body, STR("note"))));
    return error == ERR_OK ? touches_receipt_take(touches, number, TOUCH_DELIVERED, result, result)
                           : error;
}

static err change_task(struct touches *touches, const struct touch_command *command)
{
    str action = json_text(json_get(command->body, STR("action")));
    uint32_t number = (uint32_t)json_int(json_get(command->body, STR("touch")), 0);
    uint32_t now = touches_map_find(&touches->tasks, number), user = now >> 2;
    enum task_state state = (enum task_state)(now & 3);
    if (state == TASK_NONE)
        return problem_set(command->problem, ERR_NOT_FOUND, "there is no task %u", number);
    if (state == TASK_DONE)
        return problem_set(command->problem, ERR_CONFLICT, "task %u is done", number);
    bool is_others = state == TASK_TAKEN && user != command->user_number;
    if (is_others && !str_equal(action, STR("release")))
        return problem_set(command->problem, ERR_CONFLICT, "task %u was taken by another", number);
    if (str_equal(action, STR("take")))
        return put_task(touches, number, TASK_TAKEN, command->user_number, STR_NONE, STR_NONE);
    if (str_equal(action, STR("release")))
        return put_task(touches, number, TASK_OPEN, 0, STR_NONE, STR_NONE);
    if (str_equal(action, STR("result")))
        return finish_task(touches, number, command);
    return problem_set(command->problem, ERR_UNPROCESSABLE, "an action is take, release or result");
}

err touch_change_task(struct touches *touches, const struct touch_command *command)
{
    touches_call_begin(touches, command->writes, command->moment);
    return touches_call_end(touches, change_task(touches, command));
}

/* ---- pools ---- */

uint64_t touches_code_key(str pool, str code)
{
    return hash_mix64(touches_text_hash(code) ^ touches_text_hash(pool)) | 1;
}

/* {key, kind:"codes|generated", prefix, limit, codes:[…]}: codes are added to what is there. */
static err put_codes(struct touches *touches, struct pool *pool, json_value codes,
                     struct problem *problem)
{
    struct json_iterator iterator = json_iterate(codes);
    json_value code;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &code)) {
        str text = json_text(code);
        if (text.size == 0 || text.size > CODE_BYTES_MAX)
            return problem_set(problem, ERR_UNPROCESSABLE, "a code has 1 to %d bytes",
                               CODE_BYTES_MAX);
        uint64_t key = touches_code_key(pool->key, text);
        if (touches_map_find(&touches->code_places, key) != 0)
            continue; /* a list that is put again adds nothing */
        error = touches_map_put(&touches->code_places, key, 1);
        if (error == ERR_OK)
            error = touches_pool_add_code(touches, pool, text);
        if (error == ERR_OK)
            PUT(touches, COUPON_CODES, ledger_text(pool->key), ledger_int(pool->code_count),
                ledger_text(text));
    }
    return error;
}

err touch_put_coupons(struct touches *touches, const struct touch_command *command)
{
    json_value codes = json_get(command->body, STR("codes"));
    str key = json_text(json_get(command->body, STR("key")));
    str prefix = json_text(json_get(command->body, STR("prefix")));
    int64_t limit = json_int(json_get(command->body, STR("limit")), 0);
    bool generated = str_equal(json_text(json_get(command->body, STR("kind"))), STR("generated"));
    struct pool *pool = touches_pool_find(touches, key);
    err error = ERR_OK;
    if (key.size == 0 || key.size > 100 || prefix.size > 20 || limit < 0 || limit > 1000000000 ||
        json_count(codes) > CODES_AT_ONCE_MAX)
        return problem_set(command->problem, ERR_UNPROCESSABLE,
                           "a pool has a key, a prefix of at most 20 bytes, a limit, and at most "
                           "20,000 codes at once");
    if (pool != NULL && pool->is_generated != generated)
        return problem_set(command->problem, ERR_CONFLICT,
                           "a pool of codes does not become a generated one: make another");
    touches_call_begin(touches, command->writes, command->moment);
    if (pool == NULL)
        error = touches_pool_add(touches, key, generated, prefix, (uint32_t)limit, 0, &pool);
    if (error == ERR_OK) {
        pool->limit = (uint32_t)limit;
        error = put_codes(touches, pool, codes, command->problem);
        put_pool(touches, pool);
        buffer_printf(command->answer, "{\"codes\":%u,\"given\":%u,\"limit\":%u}", pool->code_count,
                      pool->given, pool->limit);
    }
    return touches_call_end(touches, error);
}

void touch_write_pools(const struct touches *touches, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (size_t i = 0; i < touches->pool_count; i++) {
        const struct pool *pool = &touches->pools[i];
        json_begin_object(&writer);
        json_member_text(&writer, STR("key"), pool->key);
        json_member_text(&writer, STR("kind"),
                         pool->is_generated ? STR("generated") : STR("codes"));
        json_member_text(&writer, STR("prefix"), pool->prefix);
        json_member_int(&writer, STR("limit"), pool->limit);
        json_member_int(&writer, STR("codes"), pool->code_count);
        json_member_int(&writer, STR("given"), pool->given);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}
