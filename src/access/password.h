/* SPDX-License-Identifier: Apache-2.0 */
/* password: how a password is kept, checked, and refused when it is weak. Private to access and server.
 *
 * Argon2id with 19 MiB, two passes, one lane (the least that OWASP names in 2025), parameters within
 * each hash, so that they can be raised later. Any thread; a hash takes some 30 ms of one core and
 * 19 MiB, hence at most PASSWORD_AT_ONCE_MAX are computed at the same time, others wait.
 */
#ifndef KITH_ACCESS_PASSWORD_H
#define KITH_ACCESS_PASSWORD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

#define PASSWORD_BYTES_MIN 8
#define PASSWORD_BYTES_MAX 256
#define PASSWORD_HASH_BYTES 128
#define PASSWORD_AT_ONCE_MAX 2

/* UNPROCESSABLE with the reason for one that is too short, too long, common, or made of its login. */
err password_check_strength(str login, str password, struct problem *problem) MUST_USE;

/* Terminated text with salt and parameters. NOMEM when 19 MiB cannot be had. */
err password_hash(str password, char out[PASSWORD_HASH_BYTES]) MUST_USE;

/* Was it hashed with less than is asked for now? */
bool password_is_outdated(str hash);

/* Takes the same time for a user that does not exist: pass STR_NONE as `hash`; false then. */
bool password_is_right(str hash, str password);

#endif
