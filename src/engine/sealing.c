/* SPDX-License-Identifier: Apache-2.0 */
/* sealing: which key seals, between the key file of this server, the ledger, and the other servers at it.
 *
 *     active: keys_add ─▶ META: the key, wrapped for who has the one before, and its number ─▶ keys_use
 *                                    └──▶ each other server: keys_take, keys_use   (meanwhile FOLLOWERS_MS),
 *                                                            the same rows into its copy of the ledger
 *
 * A ledger in a file belongs to one server: no key ever stands in it. A copy that may become the ledger (take_over.c) has what the others
 * need of it.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/logline.h"
#include "engine/state.h"

#define NAME_BYTES 32
/* Who follows looks twice a second. What it applies before it has the key, it cannot open, nor show until it forgets it. */
#define FOLLOWERS_MS 3000

void engine_keys_path(const struct engine *engine, char *path, size_t path_bytes)
{
    keys_place(engine->folder, path, path_bytes);
}

size_t engine_renew(void *keys, char *bytes, size_t size)
{
    return keys_renew(keys, bytes, size);
}

static str name_of(uint32_t number, char name[NAME_BYTES])
{
    int size = snprintf(name, NAME_BYTES, SEALING_SHARED "%u", number);
    return str_from_bytes(name, (size_t)size);
}

/* ---- the active one ---- */

err engine_share_key(struct engine *engine, uint32_t number, struct problem *problem)
{
    uint8_t shared[SEAL_SHARED_BYTES];
    char name[NAME_BYTES], digits[16];
    struct ledger_writes *writes = ledger_writes_new(engine->ledger);
    if (writes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to write to the ledger");
    /* After the key before is gone nobody could open it. */
    if (engine->config.ledger_url != NULL && number > keys_oldest(engine->keys)) {
        keys_share(engine->keys, number, shared);
        LEDGER_PUT(writes, LEDGER_META, ledger_text(name_of(number, name)),
                   ledger_blob(str_from_bytes((const char *)shared, sizeof shared)));
    }
    int size = snprintf(digits, sizeof digits, "%u", number);
    LEDGER_PUT(writes, LEDGER_META, ledger_text(STR(SEALING_NEWEST)),
               ledger_blob(str_from_bytes(digits, (size_t)size)));
    err error = ledger_apply(engine->ledger, &writes, 0, NULL, NULL);
    if (error != ERR_OK)
        ledger_writes_free(&writes);
    else
        error = ledger_drain(engine->ledger);
    if (error == ERR_OK && engine->config.ledger_url != NULL)
        steady_sleep_ms(FOLLOWERS_MS);
    return error == ERR_OK
               ? ERR_OK
               : problem_set(problem, error, "the ledger does not take the number of the key");
}

err engine_drop_keys(struct engine *engine, uint32_t number, struct problem *problem)
{
    char name[NAME_BYTES], digits[16];
    struct ledger_writes *writes = ledger_writes_new(engine->ledger);
    if (writes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to write to the ledger");
    for (uint32_t each = 2; each <= number; each++) {
        struct ledger_value key = ledger_text(name_of(each, name));
        ledger_delete(writes, LEDGER_META, &key);
    }
    int size = snprintf(digits, sizeof digits, "%u", number + 1);
    LEDGER_PUT(writes, LEDGER_META, ledger_text(STR(SEALING_OLDEST)),
               ledger_blob(str_from_bytes(digits, (size_t)size)));
    err error = ledger_apply(engine->ledger, &writes, 0, NULL, NULL);
    if (error != ERR_OK)
        ledger_writes_free(&writes);
    else
        error = ledger_drain(engine->ledger);
    return error == ERR_OK ? ERR_OK
                           : problem_set(problem, error, "the ledger does not let go of the key");
}

/* ---- who follows ---- */

struct carried {
    struct ledger_writes *writes;
    uint64_t seen; /* a bit for each key */
    uint64_t mark; /* of all of it */
};

static bool carry_row(void *context, const struct ledger_value *values)
{
    struct carried *carried = context;
    str name = values[0].bytes;
    uint64_t number = 0;
    bool is_key = str_starts_with(name, STR(SEALING_SHARED)) &&
                  str_to_uint64(str_slice(name, sizeof SEALING_SHARED - 1, name.size), &number) &&
                  number <= SEALING_KEYS_MAX;
    if (!is_key && !str_equal(name, STR(SEALING_NEWEST)) && !str_equal(name, STR(SEALING_OLDEST)))
        return true;
    if (is_key)
        carried->seen |= UINT64_C(1) << number;
    carried->mark = hash_bytes64(name.data, name.size, carried->mark);
    carried->mark = hash_bytes64(values[1].bytes.data, values[1].bytes.size, carried->mark);
    ledger_put(carried->writes, LEDGER_META, values);
    return true;
}

/* Rows that the active one wrote by itself: no record of the log brings them. How far its job was stays there: who takes over goes
 * through everything again, since its own folder was not looked through. */
static err carry_keys(struct engine *engine, struct ledger *from, struct problem *problem)
{
    char name[NAME_BYTES];
    struct carried carried = { .writes = ledger_writes_new(engine->ledger), .mark = 1 };
    if (carried.writes == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to write to the ledger");
    err error = ledger_scan(from, LEDGER_META, NULL, carry_row, &carried, problem);
    for (uint32_t number = 2; error == ERR_OK && number <= SEALING_KEYS_MAX; number++) {
        struct ledger_value key = ledger_text(name_of(number, name));
        if ((carried.seen >> number & 1) == 0)
            ledger_delete(carried.writes, LEDGER_META, &key);
    }
    if (error == ERR_OK && carried.mark != engine->keys_carried) {
        error = ledger_apply(engine->ledger, &carried.writes, 0, NULL, NULL);
        if (error == ERR_OK)
            engine->keys_carried = carried.mark;
        else
            problem_set(problem, error, "the copy of the ledger does not take the keys");
    }
    ledger_writes_free(&carried.writes);
    return error;
}

/* ---- everybody ---- */

struct shared_key {
    uint8_t bytes[SEAL_SHARED_BYTES];
    size_t size;
};

static bool take_shared(void *context, const struct ledger_value *values)
{
    struct shared_key *shared = context;
    str bytes = values[1].bytes;
    shared->size = bytes.size <= sizeof shared->bytes ? bytes.size : 0;
    memcpy(shared->bytes, bytes.data, shared->size);
    return false;
}

static bool take_number(void *context, const struct ledger_value *values)
{
    uint64_t number = 0;
    if (str_to_uint64(values[1].bytes, &number) && number <= SEALING_KEYS_MAX)
        *(uint32_t *)context = (uint32_t)number;
    return false;
}

static err read_number(struct ledger *ledger, str name, uint32_t *number, struct problem *problem)
{
    struct ledger_value key = ledger_text(name);
    return ledger_find(ledger, LEDGER_META, &key, 1, take_number, number, problem);
}

static err take_key(struct engine *engine, struct ledger *ledger, const char *path, uint32_t number,
                    struct problem *problem)
{
    char name[NAME_BYTES];
    struct shared_key shared = { .size = 0 };
    struct ledger_value key = ledger_text(name_of(number, name));
    err error = ledger_find(ledger, LEDGER_META, &key, 1, take_shared, &shared, problem);
    return error == ERR_OK
               ? keys_take(engine->keys, path, number,
                           str_from_bytes((const char *)shared.bytes, shared.size), problem)
               : error;
}

err engine_learn_keys(struct engine *engine, struct ledger *ledger, struct problem *problem)
{
    char path[600];
    struct keys *keys = engine->keys;
    uint32_t newest = 1, oldest = 1;
    engine_keys_path(engine, path, sizeof path);
    err error = read_number(ledger, STR(SEALING_NEWEST), &newest, problem);
    if (error == ERR_OK)
        error = read_number(ledger, STR(SEALING_OLDEST), &oldest, problem);
    while (error == ERR_OK && keys_known(keys) < newest)
        error = take_key(engine, ledger, path, keys_known(keys) + 1, problem);
    if (error == ERR_OK && keys_newest(keys) < newest)
        error = keys_use(keys, path, newest, problem);
    if (error == ERR_OK && oldest > keys_kept_from(keys) && oldest <= keys_newest(keys))
        error = keys_remove(keys, path, oldest - 1, problem);
    return error;
}

void engine_look_for_keys(struct engine *engine, struct ledger *ledger)
{
    struct problem problem = { .error = ERR_OK };
    err error = engine_learn_keys(engine, ledger, &problem);
    if (error == ERR_OK && engine->standby != NULL)
        error = carry_keys(engine, ledger, &problem);
    if (error == ERR_OK)
        engine->keys_not_learnt = false;
    else if (!engine->keys_not_learnt) {
        engine->keys_not_learnt = true;
        log_line(LOG_ERROR, "keys_not_learnt", "reason=\"%s\"", problem.detail);
    }
}
