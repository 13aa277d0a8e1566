/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a folder has: opening its key file, changing it, sharing it with the other servers of a log. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/seal_inside.h"

/* ---- opening ---- */

static struct keys *keys_of(const struct key_file *file)
{
    struct keys *keys = memory_alloc(sizeof *keys);
    seal_prepare_nonces();
    if (keys == NULL)
        return NULL;
    memset(keys, 0, sizeof *keys);
    keys->fixed = file->fixed;
    memcpy(keys->folder, file->folder, sizeof keys->folder);
    memcpy(keys->sealing, file->sealing, sizeof keys->sealing);
    atomic_init(&keys->known, file->newest);
    atomic_init(&keys->newest, file->seals);
    keys->oldest = file->oldest;
    atomic_init(&keys->kept_from, file->oldest);
    pthread_mutex_init(&keys->writing, NULL);
    return keys;
}

void keys_place(const char *folder, char *path, size_t path_bytes)
{
    const char *elsewhere = getenv("KITH_KEYS_FILE");
    if (elsewhere != NULL && elsewhere[0] != '\0')
        snprintf(path, path_bytes, "%s", elsewhere);
    else
        snprintf(path, path_bytes, "%s/keys", folder);
}

err keys_open(struct keys **keys, const char *path, struct problem *problem)
{
    struct key_file file;
    err error = key_file_open(path, true, &file, problem);
    if (error == ERR_OK) {
        struct keys *made = keys_of(&file);
        if (made == NULL)
            error = problem_set(problem, ERR_NOMEM, "no memory for the keys");
        else
            *keys = made;
    }
    sodium_memzero(&file, sizeof file);
    return error;
}

void keys_free(struct keys **keys)
{
    if (*keys == NULL)
        return;
    pthread_mutex_destroy(&(*keys)->writing);
    sodium_memzero(*keys, sizeof **keys);
    memory_free(*keys);
    *keys = NULL;
}

/* ---- which there are ---- */

uint32_t keys_newest(const struct keys *keys)
{
    return atomic_load_explicit(&keys->newest, memory_order_acquire);
}

uint32_t keys_known(const struct keys *keys)
{
    return atomic_load_explicit(&keys->known, memory_order_acquire);
}

uint32_t keys_oldest(const struct keys *keys)
{
    return keys->oldest;
}

uint32_t keys_kept_from(const struct keys *keys)
{
    return atomic_load(&keys->kept_from);
}

/* ---- changing which there are ---- */

/* From here on it opens; what seals is another matter. */
static void make_known(struct keys *keys, const struct key_file *file)
{
    uint32_t known = keys_known(keys);
    if (file->newest <= known)
        return;
    memcpy(keys->sealing[known + 1], file->sealing[known + 1], (file->newest - known) * KEY_BYTES);
    atomic_store_explicit(&keys->known, file->newest, memory_order_release);
}

/* The file as it is, under the lock; another process may have written it. */
static err begin_change(struct keys *keys, const char *path, struct key_file *file,
                        struct problem *problem)
{
    pthread_mutex_lock(&keys->writing);
    err error = key_file_open(path, false, file, problem);
    if (error == ERR_OK && memcmp(file->folder, keys->folder, sizeof file->folder) != 0)
        error = problem_set(problem, ERR_CONFLICT, "'%s' is the key file of another folder", path);
    return error;
}

static void end_change(struct keys *keys, struct key_file *file)
{
    sodium_memzero(file, sizeof *file);
    pthread_mutex_unlock(&keys->writing);
}

/* Deliberate defect: a build with KITH_FAULTS whose KITH_MUTATE_KEYS is no_file seals by a key that no file has (K1). */
static bool forgets_the_file(void)
{
#ifdef KITH_FAULTS
    const char *mutation = getenv("KITH_MUTATE_KEYS");
    return mutation != NULL && strcmp(mutation, "no_file") == 0;
#else
    return false;
#endif
}

static err add(const char *path, uint32_t number, struct key_file *file, struct problem *problem)
{
    if (number > SEALING_KEYS_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "'%s' has %d sealing keys, the most there can be", path,
                           SEALING_KEYS_MAX);
    if (number <= file->newest)
        return ERR_OK;
    while (file->newest < number)
        randombytes_buf(file->sealing[++file->newest], KEY_BYTES);
    return forgets_the_file() ? ERR_OK : key_file_write(path, file, problem);
}

err keys_add(struct keys *keys, const char *path, uint32_t number, struct problem *problem)
{
    struct key_file file;
    err error = begin_change(keys, path, &file, problem);
    if (error == ERR_OK)
        error = add(path, number, &file, problem);
    if (error == ERR_OK)
        make_known(keys, &file);
    if (error == ERR_OK && forgets_the_file())
        atomic_store(&keys->newest, number);
    end_change(keys, &file);
    return error;
}

err keys_use(struct keys *keys, const char *path, uint32_t number, struct problem *problem)
{
    struct key_file file;
    err error = begin_change(keys, path, &file, problem);
    if (error == ERR_OK && number > file.newest)
        error = problem_set(problem, ERR_NOT_FOUND, "'%s' has no sealing key %u", path, number);
    if (error == ERR_OK && number > file.seals) {
        file.seals = number;
        error = key_file_write(path, &file, problem);
    }
    if (error == ERR_OK) {
        make_known(keys, &file);
        atomic_store_explicit(&keys->newest, file.seals, memory_order_release);
    }
    end_change(keys, &file);
    return error;
}

err keys_remove(struct keys *keys, const char *path, uint32_t number, struct problem *problem)
{
    struct key_file file;
    if (number == 0 || number >= keys_newest(keys))
        return problem_set(problem, ERR_CONFLICT, "key %u seals, and cannot be removed", number);
    err error = begin_change(keys, path, &file, problem);
    if (error == ERR_OK && number >= file.oldest) {
        INVARIANT(number < file.seals);
        for (uint32_t each = file.oldest; each <= number; each++)
            sodium_memzero(file.sealing[each], KEY_BYTES);
        file.oldest = number + 1;
        error = key_file_write(path, &file, problem);
    }
    if (error == ERR_OK && number >= atomic_load(&keys->kept_from))
        atomic_store(&keys->kept_from, number + 1);
    end_change(keys, &file);
    return error;
}

err keys_change_master(const char *path, str master, struct problem *problem)
{
    struct key_file file;
    size_t size = 0;
    err error = key_file_open(path, false, &file, problem);
    file.has_master = master.size == 0;
    if (error == ERR_OK && !file.has_master &&
        (sodium_base642bin(file.master, KEY_BYTES, master.data, master.size, NULL, &size, NULL,
                           sodium_base64_VARIANT_ORIGINAL) != 0 ||
         size != KEY_BYTES)) {
        problem_set(problem, ERR_INVALID, "the new master key is not 32 bytes in base64");
        error = problem_hint(problem, ERR_INVALID, "make one with: openssl rand -base64 32");
    }
    if (error == ERR_OK)
        error = key_file_write(path, &file, problem);
    sodium_memzero(&file, sizeof file);
    return error;
}

/* ---- between the servers of one log ---- */

/* Made of what never leaves the key files and of the key before: who reads the ledger alone learns nothing, and once the key before is
 * destroyed nobody opens what was left of this row. */
static void share_key(const struct keys *keys, uint32_t number, uint8_t out[KEY_BYTES])
{
    uint8_t input[2 * KEY_BYTES];
    memcpy(input, keys->sealing[number - 1], KEY_BYTES);
    memcpy(input + KEY_BYTES, keys->folder, SEAL_HASH_BYTES);
    crypto_generichash(out, KEY_BYTES, input, KEY_BYTES + SEAL_HASH_BYTES, keys->fixed.share,
                       KEY_BYTES);
    sodium_memzero(input, sizeof input);
}

void keys_share(const struct keys *keys, uint32_t number, uint8_t out[SEAL_SHARED_BYTES])
{
    uint8_t key[KEY_BYTES];
    char digit = seal_digit(number);
    INVARIANT(number > keys->oldest && number <= keys_known(keys));
    share_key(keys, number, key);
    key_wrap(key, str_from_bytes(&digit, 1), keys->sealing[number], KEY_BYTES, out);
    sodium_memzero(key, sizeof key);
}

static err add_shared(struct keys *keys, const char *path, uint32_t number, str shared,
                      struct key_file *file, struct problem *problem)
{
    uint8_t key[KEY_BYTES];
    if (number <= file->newest)
        return ERR_OK;
    bool good = number == file->newest + 1 && number <= SEALING_KEYS_MAX &&
                number == keys_known(keys) + 1 && shared.size == SEAL_SHARED_BYTES;
    if (good) {
        char digit = seal_digit(number);
        share_key(keys, number, key);
        good = key_unwrap(key, str_from_bytes(&digit, 1), (const uint8_t *)shared.data, shared.size,
                          file->sealing[number]);
        sodium_memzero(key, sizeof key);
    }
    if (!good) {
        problem_set(problem, ERR_CORRUPT, "'%s' lacks sealing key %u, which other servers use",
                    path, number);
        return problem_hint(problem, ERR_CORRUPT, "copy the key file of a server that runs");
    }
    file->newest = number;
    return key_file_write(path, file, problem);
}

err keys_take(struct keys *keys, const char *path, uint32_t number, str shared,
              struct problem *problem)
{
    struct key_file file;
    err error = begin_change(keys, path, &file, problem);
    if (error == ERR_OK)
        error = add_shared(keys, path, number, shared, &file, problem);
    if (error == ERR_OK)
        make_known(keys, &file);
    end_change(keys, &file);
    return error;
}

void keys_fingerprint(const struct keys *keys, uint8_t out[SEAL_HASH_BYTES])
{
    memcpy(out, keys->folder, SEAL_HASH_BYTES);
}
