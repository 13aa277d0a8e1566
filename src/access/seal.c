/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a folder and what is done with them; formats in docs/formats/seal.md. */
#include "access/seal.h"

#include <endian.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/key_file.h"

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PREFIX_BYTES 5 /* "s1:7:" */

struct keys {
    struct fixed_keys fixed;
    uint8_t folder[SEAL_HASH_BYTES];
    _Atomic uint32_t known;  /* the newest that can open; its bytes were written before */
    _Atomic uint32_t newest; /* seals; both grow while served */
    uint32_t oldest;         /* those before it were removed */
    _Atomic uint32_t kept_from;
    pthread_mutex_t writing; /* the file */
    uint8_t sealing[SEALING_KEYS_MAX + 1][KEY_BYTES];
};

/* A key's number is one byte of the text, so that sealing it anew leaves it as long as it is. */
static const char number_digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
_Static_assert(sizeof number_digits - 2 == SEALING_KEYS_MAX, "a digit for each key");

/* "s1:7:", the part in front of the base64, which is authenticated too. */
static void write_prefix(uint32_t number, char out[PREFIX_BYTES])
{
    memcpy(out, "s1:0:", PREFIX_BYTES);
    out[3] = number_digits[number];
}

/* 0: no such key. */
static uint32_t number_of(char digit)
{
    const char *at = digit != '\0' ? strchr(number_digits, digit) : NULL;
    return at != NULL ? (uint32_t)(at - number_digits) : 0;
}

/* ---- opening ---- */

/* Nonces are drawn in advance, a page at a time: getrandom costs more than sealing does. A forked
 * child must not draw the same ones again. */
#define NONCES_AHEAD 128
static _Thread_local struct {
    uint8_t bytes[NONCES_AHEAD][NONCE_BYTES];
    unsigned left;
} nonces;

static void forget_nonces(void)
{
    nonces.left = 0;
}

static void start_nonces(void)
{
    pthread_atfork(NULL, NULL, forget_nonces);
}

static struct keys *keys_of(const struct key_file *file)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct keys *keys = memory_alloc(sizeof *keys);
    pthread_once(&once, start_nonces);
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
    INVARIANT(number > keys->oldest && number <= keys_known(keys));
    share_key(keys, number, key);
    key_wrap(key, str_from_bytes(&number_digits[number], 1), keys->sealing[number], KEY_BYTES, out);
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
        share_key(keys, number, key);
        good = key_unwrap(key, str_from_bytes(&number_digits[number], 1),
                          (const uint8_t *)shared.data, shared.size, file->sealing[number]);
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

/* ---- keyed hashes ---- */

/* BLAKE2b over the hash key, a byte that tells the uses apart, then each part with its size before it, so
 * that no two lists of parts give the same bytes. The key stands in front of the input instead of in a
 * block of its own, which halves the cost: BLAKE2 is no Merkle-Damgård hash that could be extended, a key
 * in front makes a MAC (Aumasson et al., "BLAKE2: simpler, smaller, fast as MD5", 2013, 2.9). */
#define TAG_IDENTIFIER 'i'
#define TAG_PURPOSE 'p'
#define HASH_INPUT_BYTES 512
#define HASH_HEAD_BYTES (KEY_BYTES + 1)

static void hash_long(const struct keys *keys, uint8_t tag, const str *parts, size_t count,
                      uint8_t out[SEAL_HASH_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, SEAL_HASH_BYTES);
    crypto_generichash_update(&state, keys->fixed.hash, KEY_BYTES);
    crypto_generichash_update(&state, &tag, 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t size = htole32((uint32_t)parts[i].size);
        crypto_generichash_update(&state, (const uint8_t *)&size, sizeof size);
        crypto_generichash_update(&state, (const uint8_t *)parts[i].data, parts[i].size);
    }
    crypto_generichash_final(&state, out, SEAL_HASH_BYTES);
}

static void hash_parts(const struct keys *keys, uint8_t tag, const str *parts, size_t count,
                       uint8_t out[SEAL_HASH_BYTES])
{
    uint8_t input[HASH_INPUT_BYTES];
    size_t total = HASH_HEAD_BYTES, at = HASH_HEAD_BYTES;
    for (size_t i = 0; i < count; i++)
        total += sizeof(uint32_t) + parts[i].size;
    if (total > sizeof input) {
        hash_long(keys, tag, parts, count, out);
        return;
    }
    memcpy(input, keys->fixed.hash, KEY_BYTES);
    input[KEY_BYTES] = tag;
    for (size_t i = 0; i < count; i++) {
        uint32_t size = htole32((uint32_t)parts[i].size);
        memcpy(input + at, &size, sizeof size);
        if (parts[i].size > 0)
            memcpy(input + at + sizeof size, parts[i].data, parts[i].size);
        at += sizeof size + parts[i].size;
    }
    crypto_generichash(out, SEAL_HASH_BYTES, input, total, NULL, 0);
}

void keys_hash_identifier(const struct keys *keys, str type, str namespace_, str value,
                          uint8_t out[SEAL_HASH_BYTES])
{
    const str parts[] = { type, namespace_, value };
    hash_parts(keys, TAG_IDENTIFIER, parts, 3, out);
}

void keys_hash(const struct keys *keys, str purpose, str value, uint8_t out[SEAL_HASH_BYTES])
{
    const str parts[] = { purpose, value };
    hash_parts(keys, TAG_PURPOSE, parts, 2, out);
}

void keys_hash_message(const struct keys *keys, str value, uint8_t out[SEAL_HASH_BYTES])
{
    crypto_shorthash_siphashx24(out, (const uint8_t *)value.data, value.size, keys->fixed.message);
}

uint64_t keys_seed(const struct keys *keys, str purpose)
{
    uint8_t hash[SEAL_HASH_BYTES];
    uint64_t seed;
    const str parts[] = { STR("seed"), purpose };
    hash_parts(keys, TAG_PURPOSE, parts, 2, hash);
    memcpy(&seed, hash, sizeof seed);
    return le64toh(seed);
}

/* ---- sealing ---- */

static const uint8_t *next_nonce(void)
{
    if (nonces.left == 0) {
        randombytes_buf(nonces.bytes, sizeof nonces.bytes);
        nonces.left = NONCES_AHEAD;
    }
    return nonces.bytes[--nonces.left];
}

/* Base64 for URLs, without padding (RFC 4648, 5). What is encoded is no secret: libsodium's own, which
 * takes the same time for all bytes, costs as much as the cipher. */
static char *put_base64url(char *out, const uint8_t *at, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (; size >= 3; at += 3, size -= 3) {
        *out++ = digits[at[0] >> 2];
        *out++ = digits[(at[0] << 4 | at[1] >> 4) & 63];
        *out++ = digits[(at[1] << 2 | at[2] >> 6) & 63];
        *out++ = digits[at[2] & 63];
    }
    if (size > 0) {
        *out++ = digits[at[0] >> 2];
        *out++ = digits[(at[0] << 4 | (size > 1 ? at[1] >> 4 : 0)) & 63];
    }
    if (size > 1)
        *out++ = digits[at[1] << 2 & 63];
    return out;
}

err keys_seal(const struct keys *keys, struct arena *arena, str value, str *sealed)
{
    uint32_t number = keys_newest(keys);
    size_t plain_bytes = NONCE_BYTES + value.size + TAG_BYTES;
    size_t text_bytes = PREFIX_BYTES + (plain_bytes * 4 + 2) / 3;
    uint8_t *bytes = arena_alloc_raw(arena, plain_bytes);
    char *text = arena_alloc_raw(arena, text_bytes);
    if (bytes == NULL || text == NULL)
        return ERR_NOMEM;
    memcpy(bytes, next_nonce(), NONCE_BYTES);
    write_prefix(number, text);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        bytes + NONCE_BYTES, NULL, (const uint8_t *)value.data, value.size, (const uint8_t *)text,
        PREFIX_BYTES, NULL, bytes, keys->sealing[number]);
    char *end = put_base64url(text + PREFIX_BYTES, bytes, plain_bytes);
    INVARIANT((size_t)(end - text) == text_bytes);
    *sealed = str_from_bytes(text, text_bytes);
    return ERR_OK;
}

#define BODY_BYTES_LEAST ((NONCE_BYTES + TAG_BYTES) * 4 / 3) /* of the seal of nothing */

/* The key number and the base64 of a sealed text. */
static bool split_sealed(str sealed, uint32_t *number, str *body)
{
    if (sealed.size < PREFIX_BYTES || !str_starts_with(sealed, STR("s1:")) || sealed.data[4] != ':')
        return false;
    *number = number_of(sealed.data[3]);
    *body = str_slice(sealed, PREFIX_BYTES, sealed.size);
    return *number != 0;
}

static bool is_base64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool seal_is_sealed(str text)
{
    uint32_t number;
    str body;
    if (!split_sealed(text, &number, &body))
        return false;
    for (size_t i = 0; i < body.size; i++)
        if (!is_base64url(body.data[i]))
            return false;
    return body.size >= BODY_BYTES_LEAST;
}

static bool decode_body(str body, uint8_t *bytes, size_t room, size_t *size)
{
    return sodium_base642bin(bytes, room, body.data, body.size, NULL, size, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           *size >= NONCE_BYTES + TAG_BYTES;
}

static bool open_body(const struct keys *keys, uint32_t number, const uint8_t *bytes, size_t size,
                      uint8_t *plain)
{
    char prefix[PREFIX_BYTES];
    write_prefix(number, prefix);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               plain, NULL, NULL, bytes + NONCE_BYTES, size - NONCE_BYTES, (const uint8_t *)prefix,
               PREFIX_BYTES, bytes, keys->sealing[number]) == 0;
}

err keys_unseal(const struct keys *keys, struct arena *arena, str sealed, str *value,
                struct problem *problem)
{
    uint32_t number;
    str body;
    if (!split_sealed(sealed, &number, &body))
        return problem_set(problem, ERR_INVALID, "this is not a sealed text");
    size_t room = body.size / 4 * 3 + 3, size = 0;
    uint8_t *bytes = arena_alloc_raw(arena, room);
    char *plain = arena_alloc_raw(arena, room);
    if (bytes == NULL || plain == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open a sealed text");
    if (!decode_body(body, bytes, room, &size))
        return problem_set(problem, ERR_INVALID, "this is not a sealed text");
    if (number < keys->oldest)
        return problem_set(problem, ERR_CORRUPT, "sealed with key %u, which was removed", number);
    if (number > keys_known(keys))
        return problem_set(problem, ERR_CORRUPT, "sealed with key %u, which is not here", number);
    if (!open_body(keys, number, bytes, size, (uint8_t *)plain))
        return problem_set(problem, ERR_CORRUPT, "a sealed text is damaged or of another folder");
    *value = str_from_bytes(plain, size - NONCE_BYTES - TAG_BYTES);
    return ERR_OK;
}

/* ---- sealing anew ---- */

/* How far what follows a text may look like more of it: a record has no end marks. */
#define OVERHANG_BYTES_MAX 512

/* The text keeps its length and its nonce: no other text was ever sealed with both this nonce and the new key, and whoever seals
 * this one anew, wherever it stands and by whatever keys it came here, gets the same bytes. */
static void seal_anew(const struct keys *keys, uint32_t number, char *text, uint8_t *bytes,
                      size_t size, const uint8_t *plain)
{
    write_prefix(number, text);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        bytes + NONCE_BYTES, NULL, plain, size - NONCE_BYTES - TAG_BYTES, (const uint8_t *)text,
        PREFIX_BYTES, NULL, bytes, keys->sealing[number]);
    put_base64url(text + PREFIX_BYTES, bytes, size);
}

/* A text at `text`, with `run` digits of base64 behind its prefix: as many of them belong to it as can be opened. False: none, or
 * no memory. `writes` NULL: only looked at. */
static bool renew_text(const struct keys *keys, uint32_t number, uint32_t newest, const char *text,
                       size_t run, char *writes)
{
    size_t room = run / 4 * 3 + 3, size;
    uint8_t small[2][1024];
    uint8_t *bytes = room <= sizeof small[0] ? small[0] : memory_alloc(2 * room);
    uint8_t *plain = room <= sizeof small[0] ? small[1] : bytes + room;
    bool opened = false;
    if (bytes == NULL)
        return false;
    for (size_t left = OVERHANG_BYTES_MAX; run >= BODY_BYTES_LEAST && left > 0 && !opened;
         run--, left--)
        opened = decode_body(str_from_bytes(text + PREFIX_BYTES, run), bytes, room, &size) &&
                 open_body(keys, number, bytes, size, plain);
    if (opened && writes != NULL)
        seal_anew(keys, newest, writes, bytes, size, plain);
    sodium_memzero(plain, room);
    if (bytes != small[0])
        memory_free(bytes);
    return opened;
}

static size_t renew_all(const struct keys *keys, const char *bytes, size_t size, char *writes)
{
    uint32_t newest = keys_newest(keys);
    size_t count = 0;
    const char *at = bytes, *end = bytes + size, *next;
    while (size > 0 && newest > 1 && (next = memmem(at, (size_t)(end - at), "s1:", 3)) != NULL) {
        uint32_t number = 0;
        at = next + 3;
        if (end - next > PREFIX_BYTES && next[4] == ':')
            number = number_of(next[3]);
        if (number == 0)
            continue;
        const char *body = next + PREFIX_BYTES, *last = body;
        while (last < end && is_base64url(*last))
            last++;
        if (number < newest && number >= keys->oldest)
            count += renew_text(keys, number, newest, next, (size_t)(last - body),
                                writes != NULL ? writes + (next - bytes) : NULL);
        at = last;
    }
    return count;
}

size_t keys_renew(const struct keys *keys, char *bytes, size_t size)
{
    return renew_all(keys, bytes, size, bytes);
}

size_t keys_count_old(const struct keys *keys, str bytes)
{
    return renew_all(keys, bytes.data, bytes.size, NULL);
}

/* ---- pieces of files ---- */

_Static_assert(SEAL_PIECE_BYTES == NONCE_BYTES + TAG_BYTES, "pieces");

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

char seal_digit(uint32_t number)
{
    INVARIANT(number >= 1 && number <= SEALING_KEYS_MAX);
    return number_digits[number];
}

err keys_seal_piece(const struct keys *keys, uint32_t number, str place, str plain, uint8_t *out)
{
    if (number < keys->oldest || number > keys_known(keys))
        return ERR_CORRUPT;
    memcpy(out, next_nonce(), NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, (const uint8_t *)plain.data,
                                               plain.size, (const uint8_t *)place.data, place.size,
                                               NULL, out, keys->sealing[number]);
    return ERR_OK;
}

err keys_unseal_piece(const struct keys *keys, uint32_t number, str place, const uint8_t *sealed,
                      size_t sealed_bytes, char *out)
{
    unsigned long long plain_bytes = 0;
    if (number < keys->oldest || number > keys_known(keys) || sealed_bytes < SEAL_PIECE_BYTES)
        return ERR_CORRUPT;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               (uint8_t *)out, &plain_bytes, NULL, sealed + NONCE_BYTES, sealed_bytes - NONCE_BYTES,
               (const uint8_t *)place.data, place.size, sealed, keys->sealing[number]) == 0
               ? ERR_OK
               : ERR_CORRUPT;
}

/* ---- one_id ---- */

/* The number stands in the low half of 64 bits, the high half is zero, and a keyed permutation of all
 * 64 bits goes over it: who guesses a text finds a customer once in 2^32. Luby and Rackoff, "How to
 * construct pseudorandom permutations" (1988): four rounds suffice, eight are cheap. */
#define FEISTEL_ROUNDS 8

static uint32_t feistel_round(const struct keys *keys, uint8_t round, uint32_t half)
{
    uint8_t input[5] = { round }, output[crypto_shorthash_siphash24_BYTES];
    uint32_t value = htole32(half);
    memcpy(input + 1, &value, sizeof value);
    crypto_shorthash_siphash24(output, input, sizeof input, keys->fixed.one_id);
    memcpy(&value, output, sizeof value);
    return le32toh(value);
}

static uint64_t permute(const struct keys *keys, uint64_t block)
{
    uint32_t left = (uint32_t)(block >> 32), right = (uint32_t)block;
    for (uint8_t round = 0; round < FEISTEL_ROUNDS; round++) {
        uint32_t next = left ^ feistel_round(keys, round, right);
        left = right;
        right = next;
    }
    return (uint64_t)left << 32 | right;
}

static uint64_t permute_back(const struct keys *keys, uint64_t block)
{
    uint32_t left = (uint32_t)(block >> 32), right = (uint32_t)block;
    for (uint8_t round = FEISTEL_ROUNDS; round-- > 0;) {
        uint32_t before = right ^ feistel_round(keys, round, left);
        right = left;
        left = before;
    }
    return (uint64_t)left << 32 | right;
}

/* Crockford's base 32, lower case: no i, l, o, u. */
static const char one_id_digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
#define ONE_ID_DIGITS 13

void keys_one_id(const struct keys *keys, uint32_t customer, char out[ONE_ID_BYTES + 1])
{
    uint64_t block = permute(keys, customer);
    out[0] = 'c';
    out[1] = '_';
    for (int i = ONE_ID_DIGITS; i-- > 0; block >>= 5)
        out[2 + i] = one_id_digits[block & 31];
    out[ONE_ID_BYTES] = '\0';
}

bool keys_customer(const struct keys *keys, str one_id, uint32_t *customer)
{
    uint64_t block = 0;
    if (one_id.size != ONE_ID_BYTES || !str_starts_with(one_id, STR("c_")))
        return false;
    for (size_t i = 2; i < ONE_ID_BYTES; i++) {
        const char *digit = one_id.data[i] != '\0' ? strchr(one_id_digits, one_id.data[i]) : NULL;
        /* The first digit holds four bits only: one number has one writing. */
        if (digit == NULL || (i == 2 && digit - one_id_digits > 15))
            return false;
        block = block << 5 | (uint64_t)(digit - one_id_digits);
    }
    block = permute_back(keys, block);
    if (block == 0 || block > UINT32_MAX)
        return false;
    *customer = (uint32_t)block;
    return true;
}
