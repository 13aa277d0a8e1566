/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: Argon2id, and the list of those that everybody tries first. */
#include "access/password.h"

#include <argon2.h>
#include <pthread.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "access/password_list.h"

#define ARGON_MEMORY_KIB (19 * 1024)
#define ARGON_PASSES 2
#define ARGON_LANES 1
#define SALT_BYTES 16
#define TAG_BYTES 32

/* What password sprayers try first here, beside the long list of what everybody uses (password_list.txt): at least
 * eight characters, in lower case. Shorter ones, repetitions and runs are refused by rule. */
static const char *const common_passwords[] = {
    "password",    "password1",  "password12", "password123",   "passw0rd",    "p@ssw0rd",
    "p@ssword",    "pa$$word",   "qwertyui",   "qwertyuiop",    "qwerty123",   "qwerty1234",
    "1qaz2wsx",    "1q2w3e4r",   "1q2w3e4r5t", "q1w2e3r4",      "zaq12wsx",    "asdfghjk",
    "asdfghjkl",   "zxcvbnm1",   "iloveyou",   "iloveyou1",     "sunshine",    "princess",
    "football",    "baseball",   "superman",   "trustno1",      "letmein1",    "welcome1",
    "welcome123",  "admin123",   "admin1234",  "administrator", "root1234",    "test1234",
    "testtest",    "changeme",   "changeme1",  "secret123",     "abc12345",    "abcd1234",
    "a1234567",    "a12345678",  "a123456789", "aa123456",      "aa12345678",  "qq123456",
    "qq123456789", "woaini1314", "woaini520",  "5201314520",    "wang1234",    "li123456",
    "zhang123",    "asd123456",  "asdf1234",   "qwer1234",      "qweasdzxc",   "1qazxsw2",
    "dearbook",    "xiaoming",   "woaiwojia",  "monkey123",     "dragon123",   "master123",
    "shadow123",   "michael1",   "jennifer",   "jordan23",      "starwars",    "computer",
    "internet",    "whatever",   "freedom1",   "corvette",      "mercedes",    "maverick",
    "samantha",    "victoria",   "liverpool",  "chelsea1",      "arsenal1",    "barcelona",
    "password!",   "password@",  "password#",  "passwort",      "motdepasse",  "contrasena",
    "kithkith",    "kith1234",   "kith2026",   "customer",      "customer1",   "marketing",
    "demo1234",    "demodemo",   "guest123",   "default1",      "temp1234",    "hello123",
    "helloworld",  "summer2025", "summer2026", "winter2025",    "winter2026",  "spring2026",
    "autumn2025",  "11111111a",  "a11111111",  "1234qwer",      "12345qwert",  "123456qwerty",
    "123456abc",   "123456789a", "123456aa",   "123qweasd",     "qazwsxedc",   "qazwsx123",
    "zxcvbnm123",  "qwe123456",  "1234abcd",   "0987654321a",   "iloveyou520", "nihao123",
};

static pthread_mutex_t at_once_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t at_once_less = PTHREAD_COND_INITIALIZER;
static int at_once;

static void enter(void)
{
    pthread_mutex_lock(&at_once_mutex);
    while (at_once >= PASSWORD_AT_ONCE_MAX)
        pthread_cond_wait(&at_once_less, &at_once_mutex);
    at_once++;
    pthread_mutex_unlock(&at_once_mutex);
}

static void leave(void)
{
    pthread_mutex_lock(&at_once_mutex);
    at_once--;
    pthread_cond_signal(&at_once_less);
    pthread_mutex_unlock(&at_once_mutex);
}

/* "aaaaaaaa", "12345678", "87654321", "abcdefgh": each byte differs from the last by one step. */
static bool is_run(str text)
{
    int step = text.data[1] - text.data[0];
    if (step < -1 || step > 1)
        return false;
    for (size_t i = 2; i < text.size; i++)
        if (text.data[i] - text.data[i - 1] != step)
            return false;
    return true;
}

/* Fowler, Noll, Vo: FNV-1a, 64 bits. */
static uint64_t hash_of(str password)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < password.size; i++) {
        uint8_t byte = (uint8_t)password.data[i];
        hash ^= byte >= 'A' && byte <= 'Z' ? (uint64_t)byte + 32 : byte;
        hash *= UINT64_C(0x100000001b3);
    }
    return hash;
}

static bool is_listed(str password)
{
    uint64_t hash = hash_of(password);
    size_t low = 0, high = password_list_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (password_list[middle] == hash)
            return true;
        if (password_list[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* "abcabcabc", "12341234": a short piece over and over. */
static bool is_repeated(str password)
{
    for (size_t period = 2; period <= 4 && 2 * period <= password.size; period++)
        if (memcmp(password.data, password.data + period, password.size - period) == 0)
            return true;
    return false;
}

static bool is_common(str password)
{
    if (is_listed(password) || is_repeated(password))
        return true;
    for (size_t i = 0; i < sizeof(common_passwords) / sizeof(common_passwords[0]); i++)
        if (str_equal_ignoring_case(password, str_from_c(common_passwords[i])))
            return true;
    return false;
}

err password_check_strength(str login, str password, struct problem *problem)
{
    if (password.size < PASSWORD_BYTES_MIN || password.size > PASSWORD_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "a password has %d to %d bytes, this one %zu", PASSWORD_BYTES_MIN,
                           PASSWORD_BYTES_MAX, password.size);
    /* '1234567890' goes around at zero. */
    if (is_run(password) || str_contains(STR("01234567890123456789"), password) ||
        is_common(password))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "this password is among those that are tried first");
    if (login.size >= 4 && password.size < login.size + 4 && str_starts_with(password, login))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "the password is little more than the login");
    return ERR_OK;
}

err password_hash(str password, char out[PASSWORD_HASH_BYTES])
{
    uint8_t salt[SALT_BYTES];
    randombytes_buf(salt, sizeof(salt));
    enter();
    int result = argon2id_hash_encoded(ARGON_PASSES, ARGON_MEMORY_KIB, ARGON_LANES, password.data,
                                       password.size, salt, sizeof(salt), TAG_BYTES, out,
                                       PASSWORD_HASH_BYTES);
    leave();
    return result == ARGON2_OK ? ERR_OK : ERR_NOMEM;
}

bool password_is_outdated(str hash)
{
    char present[64];
    snprintf(present, sizeof(present), "$argon2id$v=%d$m=%d,t=%d,p=%d$", ARGON2_VERSION_13,
             ARGON_MEMORY_KIB, ARGON_PASSES, ARGON_LANES);
    return !str_starts_with(hash, str_from_c(present));
}

/* Of a random password, made once: what an unknown login is compared with. */
static const char *nobodys_hash(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static char hash[PASSWORD_HASH_BYTES];
    pthread_mutex_lock(&mutex);
    if (hash[0] == '\0') {
        uint8_t random[16];
        randombytes_buf(random, sizeof(random));
        if (password_hash(str_from_bytes(random, sizeof(random)), hash) != ERR_OK)
            hash[0] = '\0';
    }
    pthread_mutex_unlock(&mutex);
    return hash;
}

bool password_is_right(str hash, str password)
{
    char encoded[PASSWORD_HASH_BYTES];
    bool known = hash.size > 0 && hash.size < sizeof(encoded);
    if (known) {
        memcpy(encoded, hash.data, hash.size);
        encoded[hash.size] = '\0';
    } else {
        strncpy(encoded, nobodys_hash(), sizeof(encoded) - 1);
        encoded[sizeof(encoded) - 1] = '\0';
    }
    enter();
    int result = argon2id_verify(encoded, password.data, password.size);
    leave();
    return known && result == ARGON2_OK;
}
