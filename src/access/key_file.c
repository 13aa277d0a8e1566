/* SPDX-License-Identifier: Apache-2.0 */
/* key_file: reading and writing the file `keys`; see key_file.h. */
#include "access/key_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

#define PATH_BYTES 4096
#define FILE_BYTES_MAX ((size_t)16 << 10)
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define MASTER_TEXT_BYTES sodium_base64_ENCODED_LEN(KEY_BYTES, BASE64)
#define WRAPPED_BYTES_MAX (WRAP_BYTES + sizeof(struct fixed_keys))
#define WRAPPED_TEXT_BYTES sodium_base64_ENCODED_LEN(WRAPPED_BYTES_MAX, BASE64)
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

_Static_assert(KEY_BYTES == crypto_kdf_KEYBYTES, "the master key feeds crypto_kdf");
_Static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "sealing keys");
_Static_assert(WRAP_BYTES == NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES, "wraps");
_Static_assert(sizeof(struct fixed_keys) == 2 * (KEY_BYTES + SIP_KEY_BYTES), "no holes");

/* Subkeys of the master key: crypto_kdf context and number. Never renumber. */
static const char kdf_context[crypto_kdf_CONTEXTBYTES] = { 'k', 'i', 't', 'h', '-', 'k', 'e', 'y' };
enum {
    SUBKEY_HASH = 1,
    SUBKEY_ONE_ID = 2,
    SUBKEY_CHECK = 3,
    SUBKEY_MESSAGE = 4,
    SUBKEY_WRAP = 5,
    SUBKEY_END = 6,
    SUBKEY_SHARE = 7,
    SUBKEY_SEALING = 1000, /* and the key's number: of files before version 3 */
};

static void derive(const struct key_file *file, uint64_t number, uint8_t *out, size_t size)
{
    crypto_kdf_derive_from_key(out, size, number, kdf_context, file->master);
}

/* ---- wrapping ---- */

void key_wrap(const uint8_t key[KEY_BYTES], str place, const uint8_t *plain, size_t size,
              uint8_t *out)
{
    randombytes_buf(out, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_BYTES, NULL, plain, size,
                                               (const uint8_t *)place.data, place.size, NULL, out,
                                               key);
}

bool key_unwrap(const uint8_t key[KEY_BYTES], str place, const uint8_t *wrapped, size_t size,
                uint8_t *plain)
{
    return size > WRAP_BYTES && crypto_aead_xchacha20poly1305_ietf_decrypt(
                                    plain, NULL, NULL, wrapped + NONCE_BYTES, size - NONCE_BYTES,
                                    (const uint8_t *)place.data, place.size, wrapped, key) == 0;
}

/* What is wrapped says which key of which folder it is. */
static str place_of(const struct key_file *file, uint32_t number, char room[48])
{
    int size = snprintf(room, 16, "%u of ", number);
    memcpy(room + size, file->folder, SEAL_HASH_BYTES);
    return str_from_bytes(room, (size_t)size + SEAL_HASH_BYTES);
}

static void put_wrapped(struct buffer *text, const struct key_file *file, uint32_t number,
                        const uint8_t *plain, size_t size)
{
    uint8_t wrapping[KEY_BYTES], wrapped[WRAPPED_BYTES_MAX];
    char room[48], base64[WRAPPED_TEXT_BYTES];
    derive(file, SUBKEY_WRAP, wrapping, sizeof wrapping);
    key_wrap(wrapping, place_of(file, number, room), plain, size, wrapped);
    sodium_bin2base64(base64, sizeof base64, wrapped, size + WRAP_BYTES, BASE64);
    buffer_append_str(text, str_from_c(base64));
    sodium_memzero(wrapping, sizeof wrapping);
}

static bool take_wrapped(const struct key_file *file, str base64, uint32_t number, uint8_t *plain,
                         size_t size)
{
    uint8_t wrapping[KEY_BYTES], wrapped[WRAPPED_BYTES_MAX];
    char room[48];
    size_t found = 0;
    if (sodium_base642bin(wrapped, sizeof wrapped, base64.data, base64.size, NULL, &found, NULL,
                          BASE64) != 0 ||
        found != size + WRAP_BYTES)
        return false;
    derive(file, SUBKEY_WRAP, wrapping, sizeof wrapping);
    bool good = key_unwrap(wrapping, place_of(file, number, room), wrapped, found, plain);
    sodium_memzero(wrapping, sizeof wrapping);
    return good;
}

#define HEX_BYTES (2 * SEAL_HASH_BYTES + 1)

static void hash_end(const struct key_file *file, str text, char hex[HEX_BYTES])
{
    uint8_t key[KEY_BYTES], hash[SEAL_HASH_BYTES];
    derive(file, SUBKEY_END, key, sizeof key);
    crypto_generichash(hash, sizeof hash, (const uint8_t *)text.data, text.size, key, sizeof key);
    sodium_memzero(key, sizeof key);
    sodium_bin2hex(hex, HEX_BYTES, hash, sizeof hash);
}

/* ---- the text ---- */

static bool decode_master(str text, uint8_t master[KEY_BYTES])
{
    size_t size = 0;
    text = str_trim(text);
    return sodium_base642bin(master, KEY_BYTES, text.data != NULL ? text.data : "", text.size, NULL,
                             &size, NULL, BASE64) == 0 &&
           size == KEY_BYTES;
}

static bool decode_hex(str text, uint8_t out[SEAL_HASH_BYTES])
{
    size_t size = 0;
    return sodium_hex2bin(out, SEAL_HASH_BYTES, text.data != NULL ? text.data : "", text.size, NULL,
                          &size, NULL) == 0 &&
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

static bool take_master(struct key_file *file, str master)
{
    file->has_master = !str_equal(master, STR("environment"));
    return !file->has_master || decode_master(master, file->master);
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
    file->newest = file->seals = (uint32_t)newest;
    file->oldest = (uint32_t)oldest;
    return true;
}

/* What is written into no file any more, and read for ever: all keys are made of the master key. */
static bool parse_derived(str text, bool has_from, struct key_file *file)
{
    str master, sealing, check;
    return take_field(&text, STR("master "), &master) &&
           take_field(&text, STR("sealing "), &sealing) &&
           take_field(&text, STR("check "), &check) && parse_sealing(sealing, has_from, file) &&
           decode_hex(check, file->check) && take_master(file, master);
}

static void derive_fixed(struct key_file *file)
{
    derive(file, SUBKEY_HASH, file->fixed.hash, sizeof file->fixed.hash);
    derive(file, SUBKEY_ONE_ID, file->fixed.one_id, sizeof file->fixed.one_id);
    derive(file, SUBKEY_MESSAGE, file->fixed.message, sizeof file->fixed.message);
    derive(file, SUBKEY_SHARE, file->fixed.share, sizeof file->fixed.share);
}

static void derive_all(struct key_file *file)
{
    derive_fixed(file);
    memcpy(file->folder, file->check, sizeof file->folder);
    for (uint32_t number = file->oldest; number <= file->newest; number++)
        derive(file, SUBKEY_SEALING + number, file->sealing[number], KEY_BYTES);
}

static bool take_head(str *text, struct key_file *file)
{
    str master, check, folder;
    return take_field(text, STR("master "), &master) && take_field(text, STR("check "), &check) &&
           take_field(text, STR("folder "), &folder) && decode_hex(check, file->check) &&
           decode_hex(folder, file->folder) && take_master(file, master);
}

static bool take_key(struct key_file *file, str line)
{
    str word;
    uint64_t number = 0;
    if (!str_split(&line, ' ', &word) || !str_to_uint64(word, &number) || number == 0 ||
        number > SEALING_KEYS_MAX || (file->newest != 0 && number != file->newest + 1))
        return false;
    if (file->newest == 0)
        file->oldest = (uint32_t)number;
    file->newest = (uint32_t)number;
    return take_wrapped(file, line, file->newest, file->sealing[number], KEY_BYTES);
}

/* Behind the head; the master key is known. */
static bool take_wrapped_keys(str whole, str text, struct key_file *file)
{
    char wanted[HEX_BYTES];
    uint64_t seals = 0;
    str rest, line;
    if (!take_field(&text, STR("fixed "), &rest) ||
        !take_wrapped(file, rest, 0, (uint8_t *)&file->fixed, sizeof file->fixed) ||
        !take_field(&text, STR("seals "), &rest) || !str_to_uint64(rest, &seals))
        return false;
    bool is_line;
    while ((is_line = str_split(&text, '\n', &line)) && str_starts_with(line, STR("key ")))
        if (!take_key(file, str_slice(line, 4, line.size)))
            return false;
    if (!is_line || line.size == 0 || whole.data[whole.size - 1] != '\n')
        return false;
    hash_end(file, str_from_bytes(whole.data, (size_t)(line.data - whole.data)), wanted);
    if (!str_starts_with(line, STR("end ")) || text.size != 0 ||
        !str_equal(str_slice(line, 4, line.size), str_from_c(wanted)))
        return false;
    file->seals = (uint32_t)seals;
    return seals >= file->oldest && seals <= file->newest && file->newest != 0;
}

/* ---- the master key ---- */

static err read_whole(const char *path, char text[FILE_BYTES_MAX], size_t *size,
                      struct problem *problem)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    ssize_t count = descriptor >= 0 ? read(descriptor, text, FILE_BYTES_MAX) : -1;
    int reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (count < 0)
        return problem_set(problem, ERR_IO, "cannot read the key file '%s': %s", path,
                           strerror(reason));
    *size = (size_t)count;
    return ERR_OK;
}

static err master_from_file(const char *path, uint8_t master[KEY_BYTES], struct problem *problem)
{
    char text[FILE_BYTES_MAX];
    size_t size = 0;
    err error = read_whole(path, text, &size, problem);
    if (error == ERR_NOT_FOUND)
        return problem_set(problem, ERR_INVALID, "there is no file '%s' (KITH_MASTER_KEY_FILE)",
                           path);
    bool good = error == ERR_OK && decode_master(str_from_bytes(text, size), master);
    sodium_memzero(text, sizeof text);
    if (good || error != ERR_OK)
        return error;
    problem_set(problem, ERR_INVALID, "'%s' (KITH_MASTER_KEY_FILE) is not 32 bytes in base64",
                path);
    return problem_hint(problem, ERR_INVALID, "make one with: openssl rand -base64 32");
}

/* *given false: neither is set. */
static err master_from_outside(uint8_t master[KEY_BYTES], bool *given, struct problem *problem)
{
    const char *text = getenv("KITH_MASTER_KEY"), *path = getenv("KITH_MASTER_KEY_FILE");
    bool has_text = text != NULL && text[0] != '\0', has_path = path != NULL && path[0] != '\0';
    *given = has_text || has_path;
    if (!has_text)
        return has_path ? master_from_file(path, master, problem) : ERR_OK;
    if (decode_master(str_from_c(text), master))
        return ERR_OK;
    problem_set(problem, ERR_INVALID, "KITH_MASTER_KEY is not 32 bytes in base64");
    return problem_hint(problem, ERR_INVALID, "make one with: openssl rand -base64 32");
}

static bool is_checked(const struct key_file *file, const uint8_t master[KEY_BYTES])
{
    uint8_t check[SEAL_HASH_BYTES];
    crypto_kdf_derive_from_key(check, sizeof check, SUBKEY_CHECK, kdf_context, master);
    return sodium_memcmp(check, file->check, sizeof check) == 0;
}

/* The one from outside, when it is given, else the file's own. */
static err settle_master(const char *path, struct key_file *file, const uint8_t *outside,
                         struct problem *problem)
{
    if (outside != NULL && !is_checked(file, outside)) {
        problem_set(problem, ERR_INVALID, "KITH_MASTER_KEY is not the key of '%s'", path);
        return problem_hint(problem, ERR_INVALID,
                            "set the key with which this file was written last");
    }
    if (outside != NULL) {
        memcpy(file->master, outside, KEY_BYTES);
        return ERR_OK;
    }
    if (!file->has_master) {
        problem_set(problem, ERR_INVALID, "the master key of '%s' is kept outside", path);
        return problem_hint(problem, ERR_INVALID, "set KITH_MASTER_KEY or KITH_MASTER_KEY_FILE");
    }
    return is_checked(file, file->master)
               ? ERR_OK
               : problem_set(problem, ERR_CORRUPT, "the key file '%s' is damaged", path);
}

/* ---- reading ---- */

static err no_key_file(const char *path, struct problem *problem)
{
    problem_set(problem, ERR_CORRUPT, "'%s' is not a key file of Kith, or it is damaged", path);
    return problem_hint(problem, ERR_CORRUPT,
                        "restore it from a backup: without it nothing that "
                        "is sealed in this folder can be read");
}

static err parse(const char *path, str text, const uint8_t *outside, struct key_file *file,
                 struct problem *problem)
{
    str version, rest = text;
    if (!take_field(&rest, STR("kith-keys "), &version))
        return no_key_file(path, problem);
    bool has_from = str_equal(version, STR("2")),
         is_derived = has_from || str_equal(version, STR("1"));
    if (!is_derived && !str_equal(version, STR("3")))
        return no_key_file(path, problem);
    if (is_derived ? !parse_derived(rest, has_from, file) : !take_head(&rest, file))
        return no_key_file(path, problem);
    err error = settle_master(path, file, outside, problem);
    if (error != ERR_OK)
        return error;
    if (is_derived)
        derive_all(file);
    else if (!take_wrapped_keys(text, rest, file))
        return no_key_file(path, problem);
    return ERR_OK;
}

/* ---- writing ---- */

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
    char folder[PATH_BYTES] = ".";
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

/* What was the file before is overwritten, as far as the file system writes in place, and goes. A crash between link and rename
 * leaves one file under both names. */
static void wipe(const char *path, const char *replaced)
{
    static const char zeros[FILE_BYTES_MAX];
    struct stat now, before;
    int descriptor = open(replaced, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return;
    bool is_other = stat(path, &now) == 0 && fstat(descriptor, &before) == 0 &&
                    S_ISREG(before.st_mode) &&
                    (now.st_ino != before.st_ino || now.st_dev != before.st_dev);
    if (is_other && (size_t)before.st_size <= sizeof zeros)
        (void)!write_all(descriptor, zeros, (size_t)before.st_size);
    close(descriptor);
    (void)unlink(replaced);
}

static bool name_beside(const char *path, const char *end, char name[PATH_BYTES])
{
    int size = snprintf(name, PATH_BYTES, "%s%s", path, end);
    return size > 0 && size < PATH_BYTES;
}

static err write_and_rename(const char *path, str text)
{
    char temporary[PATH_BYTES], replaced[PATH_BYTES];
    if (!name_beside(path, ".tmp", temporary) || !name_beside(path, ".old", replaced))
        return ERR_INVALID;
    (void)unlink(temporary); /* left by a crash */
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return errno == ENOSPC ? ERR_STORAGE_FULL : ERR_IO;
    err error = write_all(descriptor, text.data, text.size);
    if (close(descriptor) != 0 && error == ERR_OK)
        error = ERR_IO;
    wipe(path, replaced);
    (void)!link(path, replaced); /* there may be none yet, or no links on this file system */
    if (error == ERR_OK && rename(temporary, path) != 0)
        error = ERR_IO;
    if (error == ERR_OK)
        error = sync_folder_of(path);
    else
        (void)unlink(temporary);
    int reason = errno;
    wipe(path, replaced);
    errno = reason;
    return error;
}

static void put_hex(struct buffer *text, const char *name, const uint8_t bytes[SEAL_HASH_BYTES])
{
    char hex[HEX_BYTES];
    sodium_bin2hex(hex, sizeof hex, bytes, SEAL_HASH_BYTES);
    buffer_printf(text, "%s %s\n", name, hex);
}

static void put_file(struct buffer *text, const struct key_file *file)
{
    char master[MASTER_TEXT_BYTES] = "environment";
    char end[HEX_BYTES];
    if (file->has_master)
        sodium_bin2base64(master, sizeof master, file->master, KEY_BYTES, BASE64);
    buffer_printf(text, "kith-keys 3\nmaster %s\n", master);
    sodium_memzero(master, sizeof master);
    put_hex(text, "check", file->check);
    put_hex(text, "folder", file->folder);
    buffer_append_str(text, STR("fixed "));
    put_wrapped(text, file, 0, (const uint8_t *)&file->fixed, sizeof file->fixed);
    buffer_printf(text, "\nseals %u\n", file->seals);
    for (uint32_t number = file->oldest; number <= file->newest; number++) {
        buffer_printf(text, "key %u ", number);
        put_wrapped(text, file, number, file->sealing[number], KEY_BYTES);
        buffer_append_byte(text, '\n');
    }
    hash_end(file, buffer_str(text), end);
    buffer_printf(text, "end %s\n", end);
}

err key_file_write(const char *path, struct key_file *file, struct problem *problem)
{
    struct buffer text;
    INVARIANT(file->oldest >= 1 && file->oldest <= file->seals && file->seals <= file->newest &&
              file->newest <= SEALING_KEYS_MAX);
    if (file->has_master) /* a copy of the file as it was opens nothing of what it says from now on */
        crypto_kdf_keygen(file->master);
    derive(file, SUBKEY_CHECK, file->check, sizeof file->check);
    buffer_init(&text, FILE_BYTES_MAX);
    put_file(&text, file);
    err error = buffer_status(&text);
    errno = 0;
    if (error == ERR_OK)
        error = write_and_rename(path, buffer_str(&text));
    int reason = errno;
    sodium_memzero(text.data, text.size);
    buffer_deinit(&text);
    return error == ERR_OK ? ERR_OK
                           : problem_set(problem, error, "cannot write the key file '%s': %s", path,
                                         reason != 0 ? strerror(reason) : err_title(error));
}

/* ---- opening ---- */

static err make_file(const char *path, const uint8_t *outside, struct key_file *file,
                     struct problem *problem)
{
    file->has_master = outside == NULL;
    file->oldest = file->seals = file->newest = 1;
    if (outside != NULL)
        memcpy(file->master, outside, KEY_BYTES);
    else
        crypto_kdf_keygen(file->master);
    derive_fixed(file);
    randombytes_buf(file->sealing[1], KEY_BYTES);
    /* Two folders differ, also of one master key: neither opens what the other has sealed. */
    crypto_generichash(file->folder, sizeof file->folder, (const uint8_t *)"kith-folder", 11,
                       file->sealing[1], KEY_BYTES);
    return key_file_write(path, file, problem);
}

err key_file_prepare(struct problem *problem)
{
    return sodium_init() >= 0 ? ERR_OK
                              : problem_set(problem, ERR_INTERNAL, "libsodium cannot be started");
}

err key_file_open(const char *path, bool may_make, struct key_file *file, struct problem *problem)
{
    char text[FILE_BYTES_MAX], replaced[PATH_BYTES];
    uint8_t outside[KEY_BYTES] = { 0 };
    bool given = false;
    size_t size = 0;
    *file = (struct key_file){ .newest = 0 };
    err error = key_file_prepare(problem);
    if (error == ERR_OK)
        error = master_from_outside(outside, &given, problem);
    if (error == ERR_OK)
        error = read_whole(path, text, &size, problem);
    if (error == ERR_OK && size == sizeof text)
        error = no_key_file(path, problem);
    else if (error == ERR_OK)
        error = parse(path, str_from_bytes(text, size), given ? outside : NULL, file, problem);
    else if (error == ERR_NOT_FOUND && may_make)
        error = make_file(path, given ? outside : NULL, file, problem);
    else if (error == ERR_NOT_FOUND)
        problem_set(problem, error, "there is no key file '%s'", path);
    if (error == ERR_OK && name_beside(path, ".old", replaced))
        wipe(path, replaced); /* of a crash */
    sodium_memzero(text, sizeof text);
    sodium_memzero(outside, sizeof outside);
    return error;
}
