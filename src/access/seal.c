/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a folder and what is done with them; formats in docs/formats/seal.md. */
#include "access/seal.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

#define KEY_BYTES 32
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_FILE_BYTES_MAX 512
#define MASTER_TEXT_BYTES sodium_base64_ENCODED_LEN(KEY_BYTES, sodium_base64_VARIANT_ORIGINAL)

_Static_assert(KEY_BYTES == crypto_kdf_KEYBYTES, "the master key feeds crypto_kdf");
_Static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "sealing keys");

/* Subkeys of the master key: crypto_kdf context and number. Never renumber. */
static const char kdf_context[crypto_kdf_CONTEXTBYTES] = { 'k', 'i', 't', 'h', '-', 'k', 'e', 'y' };
enum {
    SUBKEY_HASH = 1,
    SUBKEY_ONE_ID = 2,
    SUBKEY_CHECK = 3,
    SUBKEY_MESSAGE = 4,
    SUBKEY_SEALING = 1000, /* and the key's number */
};

#define PREFIX_BYTES 5 /* "s1:7:" */

struct keys {
    uint8_t hash_key[KEY_BYTES];
    uint8_t one_id_key[crypto_shorthash_siphash24_KEYBYTES];
    uint8_t message_key[crypto_shorthash_siphashx24_KEYBYTES];
    uint8_t check[SEAL_HASH_BYTES];
    _Atomic uint32_t newest; /* seals; grows while served */
    uint32_t oldest;         /* those before it were removed */
    _Atomic uint32_t kept_from;
    uint8_t sealing[SEALING_KEYS_MAX][KEY_BYTES];
};

/* What the file says. */
struct key_file {
    uint8_t master[KEY_BYTES];
    bool has_master; /* else it comes from the environment */
    uint8_t check[SEAL_HASH_BYTES];
    uint32_t newest, oldest;
};

/* ---- making keys of the master key ---- */

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

static void derive_check(const uint8_t master[KEY_BYTES], uint8_t check[SEAL_HASH_BYTES])
{
    crypto_kdf_derive_from_key(check, SEAL_HASH_BYTES, SUBKEY_CHECK, kdf_context, master);
}

static void derive_all(struct keys *keys, const struct key_file *file)
{
    crypto_kdf_derive_from_key(keys->hash_key, KEY_BYTES, SUBKEY_HASH, kdf_context, file->master);
    crypto_kdf_derive_from_key(keys->one_id_key, sizeof keys->one_id_key, SUBKEY_ONE_ID,
                               kdf_context, file->master);
    crypto_kdf_derive_from_key(keys->message_key, sizeof keys->message_key, SUBKEY_MESSAGE,
                               kdf_context, file->master);
    atomic_init(&keys->newest, file->newest);
    keys->oldest = file->oldest;
    atomic_init(&keys->kept_from, file->oldest);
    for (uint32_t i = 0; i < SEALING_KEYS_MAX; i++)
        crypto_kdf_derive_from_key(keys->sealing[i], KEY_BYTES, SUBKEY_SEALING + i + 1, kdf_context,
                                   file->master);
    memcpy(keys->check, file->check, sizeof keys->check);
}

/* ---- the key file ---- */

static bool decode_master(str text, uint8_t master[KEY_BYTES])
{
    size_t size = 0;
    text = str_trim(text);
    return sodium_base642bin(master, KEY_BYTES, text.data != NULL ? text.data : "", text.size, NULL,
                             &size, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           size == KEY_BYTES;
}

static bool decode_check(str text, uint8_t check[SEAL_HASH_BYTES])
{
    size_t size = 0;
    return sodium_hex2bin(check, SEAL_HASH_BYTES, text.data != NULL ? text.data : "", text.size,
                          NULL, &size, NULL) == 0 &&
           size == SEAL_HASH_BYTES;
}

/* "name rest" of a line into `rest`; false when the line has another name. */
static bool take_field(str *text, str name, str *rest)
{
    str line;
    if (!str_split(text, '\n', &line) || !str_starts_with(line, name))
        return false;
    *rest = str_slice(line, name.size, line.size);
    return true;
}

/* "3", or in version 2 "3 from 2". */
static bool parse_sealing(str text, bool has_from, struct key_file *file)
{
    str first;
    uint64_t newest, oldest = 1;
    if (!has_from)
        first = text;
    else if (!str_split(&text, ' ', &first) || !str_starts_with(text, STR("from ")) ||
             !str_to_uint64(str_slice(text, 5, text.size), &oldest))
        return false;
    if (!str_to_uint64(first, &newest) || newest > SEALING_KEYS_MAX || oldest < 1 ||
        oldest > newest)
        return false;
    file->newest = (uint32_t)newest;
    file->oldest = (uint32_t)oldest;
    return true;
}

static bool parse_key_file(str text, struct key_file *file)
{
    str version, master, sealing, check;
    if (!take_field(&text, STR("kith-keys "), &version) ||
        !(str_equal(version, STR("1")) || str_equal(version, STR("2"))) ||
        !take_field(&text, STR("master "), &master) ||
        !take_field(&text, STR("sealing "), &sealing) || !take_field(&text, STR("check "), &check))
        return false;
    if (!parse_sealing(sealing, str_equal(version, STR("2")), file) ||
        !decode_check(check, file->check))
        return false;
    file->has_master = !str_equal(master, STR("environment"));
    return !file->has_master || decode_master(master, file->master);
}

/* NOT_FOUND when there is no file. */
static err read_key_file(const char *path, struct key_file *file, struct problem *problem)
{
    char text[KEY_FILE_BYTES_MAX];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    if (descriptor < 0)
        return problem_set(problem, ERR_IO, "cannot open the key file '%s': %s", path,
                           strerror(errno));
    ssize_t size = read(descriptor, text, sizeof text);
    int reason = errno;
    close(descriptor);
    if (size < 0)
        return problem_set(problem, ERR_IO, "cannot read the key file '%s': %s", path,
                           strerror(reason));
    bool good =
        (size_t)size < sizeof text && parse_key_file(str_from_bytes(text, (size_t)size), file);
    sodium_memzero(text, sizeof text);
    if (good)
        return ERR_OK;
    problem_set(problem, ERR_CORRUPT, "'%s' is not a key file of Kith", path);
    return problem_hint(problem, ERR_CORRUPT,
                        "restore it from a backup: without it nothing that "
                        "is sealed in this folder can be read");
}

static err write_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO;
        bytes += written;
        size -= (size_t)written;
    }
    return fsync(descriptor) == 0 ? ERR_OK : ERR_SYNC;
}

/* A rename is durable once the folder is synced. */
static err sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";
    if (slash != NULL) {
        size_t size = slash == path ? 1 : (size_t)(slash - path);
        if (size >= sizeof folder)
            return ERR_INVALID;
        memcpy(folder, path, size);
        folder[size] = '\0';
    }
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return ERR_IO;
    err error = fsync(descriptor) == 0 ? ERR_OK : ERR_SYNC;
    close(descriptor);
    return error;
}

static err write_and_rename(const char *path, const char *temporary, const char *text, size_t size)
{
    (void)unlink(temporary); /* left by a crash */
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO;
    err error = write_all(descriptor, text, size);
    if (close(descriptor) != 0 && error == ERR_OK)
        error = ERR_IO;
    if (error == ERR_OK && rename(temporary, path) != 0)
        error = ERR_IO;
    if (error != ERR_OK) {
        (void)unlink(temporary);
        return error;
    }
    return sync_folder_of(path);
}

static err write_key_file(const char *path, const struct key_file *file, struct problem *problem)
{
    char temporary[4096], master[MASTER_TEXT_BYTES] = "environment";
    char check[2 * SEAL_HASH_BYTES + 1], text[KEY_FILE_BYTES_MAX], from[24] = "";
    int size = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (size < 0 || (size_t)size >= sizeof temporary)
        return problem_set(problem, ERR_INVALID, "the path of the key file is too long: '%s'",
                           path);
    if (file->has_master)
        sodium_bin2base64(master, sizeof master, file->master, KEY_BYTES,
                          sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2hex(check, sizeof check, file->check, sizeof file->check);
    if (file->oldest > 1)
        snprintf(from, sizeof from, " from %u", file->oldest);
    size = snprintf(text, sizeof text, "kith-keys %d\nmaster %s\nsealing %u%s\ncheck %s\n",
                    file->oldest > 1 ? 2 : 1, master, file->newest, from, check);
    INVARIANT(size > 0 && (size_t)size < sizeof text);
    err error = write_and_rename(path, temporary, text, (size_t)size);
    int reason = errno;
    sodium_memzero(text, sizeof text);
    sodium_memzero(master, sizeof master);
    if (error != ERR_OK)
        return problem_set(problem, error, "cannot write the key file '%s': %s", path,
                           strerror(reason));
    return ERR_OK;
}

/* ---- opening ---- */

/* False when KITH_MASTER_KEY is not set. */
static err master_from_environment(uint8_t master[KEY_BYTES], bool *given, struct problem *problem)
{
    const char *text = getenv("KITH_MASTER_KEY");
    *given = text != NULL && text[0] != '\0';
    if (!*given || decode_master(str_from_c(text), master))
        return ERR_OK;
    problem_set(problem, ERR_INVALID, "KITH_MASTER_KEY is not 32 bytes in base64");
    return problem_hint(problem, ERR_INVALID, "make one with: openssl rand -base64 32");
}

static err take_environment_key(const char *path, struct key_file *file,
                                const uint8_t master[KEY_BYTES], struct problem *problem)
{
    uint8_t check[SEAL_HASH_BYTES];
    derive_check(master, check);
    if (sodium_memcmp(check, file->check, sizeof check) != 0) {
        problem_set(problem, ERR_INVALID, "KITH_MASTER_KEY is not the key of '%s'", path);
        return problem_hint(problem, ERR_INVALID, "set the key with which this folder was made");
    }
    memcpy(file->master, master, KEY_BYTES);
    return ERR_OK;
}

static err check_file_key(const char *path, const struct key_file *file, struct problem *problem)
{
    uint8_t check[SEAL_HASH_BYTES];
    if (!file->has_master) {
        problem_set(problem, ERR_INVALID, "the master key of '%s' is kept outside the folder",
                    path);
        return problem_hint(problem, ERR_INVALID, "set KITH_MASTER_KEY");
    }
    derive_check(file->master, check);
    if (sodium_memcmp(check, file->check, sizeof check) == 0)
        return ERR_OK;
    return problem_set(problem, ERR_CORRUPT, "the key file '%s' is damaged", path);
}

static err make_key_file(const char *path, struct key_file *file, bool from_environment,
                         const uint8_t master[KEY_BYTES], struct problem *problem)
{
    file->has_master = !from_environment;
    file->newest = file->oldest = 1;
    if (from_environment)
        memcpy(file->master, master, KEY_BYTES);
    else
        crypto_kdf_keygen(file->master);
    derive_check(file->master, file->check);
    return write_key_file(path, file, problem);
}

static err open_key_file(const char *path, bool may_make, struct key_file *file,
                         struct problem *problem)
{
    uint8_t master[KEY_BYTES] = { 0 };
    bool given = false;
    err error = master_from_environment(master, &given, problem);
    if (error == ERR_OK)
        error = read_key_file(path, file, problem);
    if (error == ERR_NOT_FOUND && may_make)
        error = make_key_file(path, file, given, master, problem);
    else if (error == ERR_NOT_FOUND)
        problem_set(problem, error, "there is no key file '%s'", path);
    else if (error == ERR_OK && given)
        error = take_environment_key(path, file, master, problem);
    else if (error == ERR_OK)
        error = check_file_key(path, file, problem);
    sodium_memzero(master, sizeof master);
    return error;
}

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

static bool sodium_is_ready;
static void start_sodium(void)
{
    sodium_is_ready = sodium_init() >= 0;
    pthread_atfork(NULL, NULL, forget_nonces);
}

static err prepare_sodium(struct problem *problem)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_sodium);
    if (sodium_is_ready)
        return ERR_OK;
    return problem_set(problem, ERR_INTERNAL, "libsodium cannot be started");
}

err keys_open(struct keys **keys, const char *path, struct problem *problem)
{
    struct key_file file = { .newest = 0 };
    err error = prepare_sodium(problem);
    if (error != ERR_OK)
        return error;
    error = open_key_file(path, true, &file, problem);
    if (error == ERR_OK) {
        struct keys *made = memory_alloc(sizeof *made);
        if (made == NULL) {
            error = problem_set(problem, ERR_NOMEM, "no memory for the keys");
        } else {
            derive_all(made, &file);
            *keys = made;
        }
    }
    sodium_memzero(&file, sizeof file);
    return error;
}

void keys_free(struct keys **keys)
{
    if (*keys == NULL)
        return;
    sodium_memzero(*keys, sizeof **keys);
    memory_free(*keys);
    *keys = NULL;
}

static err too_many(const char *path, struct problem *problem)
{
    return problem_set(problem, ERR_UNPROCESSABLE,
                       "'%s' has %d sealing keys, the most there can be", path, SEALING_KEYS_MAX);
}

/* Change what the file says of sealing keys. */
static err change_key_file(const char *path, uint32_t newest, uint32_t oldest, uint32_t *is_newest,
                           struct problem *problem)
{
    struct key_file file = { .newest = 0 };
    err error = prepare_sodium(problem);
    if (error == ERR_OK)
        error = open_key_file(path, false, &file, problem);
    if (error == ERR_OK && newest > SEALING_KEYS_MAX)
        error = too_many(path, problem);
    if (error == ERR_OK && (newest > file.newest || oldest > file.oldest)) {
        file.newest = newest > file.newest ? newest : file.newest;
        file.oldest = oldest > file.oldest ? oldest : file.oldest;
        INVARIANT(file.oldest <= file.newest);
        error = write_key_file(path, &file, problem);
    }
    *is_newest = file.newest;
    sodium_memzero(&file, sizeof file);
    return error;
}

err keys_add(struct keys *keys, const char *path, uint32_t number, struct problem *problem)
{
    uint32_t newest;
    err error = change_key_file(path, number, 1, &newest, problem);
    if (error == ERR_OK)
        keys_learn(keys, newest);
    return error;
}

void keys_learn(struct keys *keys, uint32_t newest)
{
    uint32_t known = atomic_load(&keys->newest);
    newest = newest <= SEALING_KEYS_MAX ? newest : SEALING_KEYS_MAX;
    while (known < newest && !atomic_compare_exchange_weak(&keys->newest, &known, newest))
        continue;
}

err keys_remove(struct keys *keys, const char *path, uint32_t number, struct problem *problem)
{
    uint32_t newest = atomic_load(&keys->newest);
    if (number == 0 || number >= newest)
        return problem_set(problem, ERR_CONFLICT, "key %u seals, and cannot be removed", number);
    err error = change_key_file(path, newest, number + 1, &newest, problem);
    if (error == ERR_OK && number >= atomic_load(&keys->kept_from))
        atomic_store(&keys->kept_from, number + 1);
    return error;
}

void keys_fingerprint(const struct keys *keys, uint8_t out[SEAL_HASH_BYTES])
{
    memcpy(out, keys->check, SEAL_HASH_BYTES);
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
    crypto_generichash_update(&state, keys->hash_key, KEY_BYTES);
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
    memcpy(input, keys->hash_key, KEY_BYTES);
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
    crypto_shorthash_siphashx24(out, (const uint8_t *)value.data, value.size, keys->message_key);
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
        PREFIX_BYTES, NULL, bytes, keys->sealing[number - 1]);
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
               PREFIX_BYTES, bytes, keys->sealing[number - 1]) == 0;
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
        PREFIX_BYTES, NULL, bytes, keys->sealing[number - 1]);
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
    return atomic_load_explicit(&keys->newest, memory_order_relaxed);
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
    if (number < keys->oldest || number > SEALING_KEYS_MAX)
        return ERR_CORRUPT;
    memcpy(out, next_nonce(), NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, (const uint8_t *)plain.data,
                                               plain.size, (const uint8_t *)place.data, place.size,
                                               NULL, out, keys->sealing[number - 1]);
    return ERR_OK;
}

err keys_unseal_piece(const struct keys *keys, uint32_t number, str place, const uint8_t *sealed,
                      size_t sealed_bytes, char *out)
{
    unsigned long long plain_bytes = 0;
    if (number < keys->oldest || number > SEALING_KEYS_MAX || sealed_bytes < SEAL_PIECE_BYTES)
        return ERR_CORRUPT;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               (uint8_t *)out, &plain_bytes, NULL, sealed + NONCE_BYTES, sealed_bytes - NONCE_BYTES,
               (const uint8_t *)place.data, place.size, sealed, keys->sealing[number - 1]) == 0
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
    crypto_shorthash_siphash24(output, input, sizeof input, keys->one_id_key);
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
