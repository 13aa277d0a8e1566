/* SPDX-License-Identifier: Apache-2.0 */
/* answers: what was answered to an Idempotency-Key. Private to server/. Any thread. */
#ifndef KITH_SERVER_ANSWERS_H
#define KITH_SERVER_ANSWERS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "server/inside.h"

struct answers;

err answers_new(struct answers **answers) MUST_USE;
void answers_free(struct answers **answers);

enum answers_found { ANSWERS_NEW, ANSWERS_SAME, ANSWERS_OTHER };
/* SAME: status is set and the body appended. OTHER: the key came with another request. */
enum answers_found answers_find(struct answers *answers, const uint8_t key[16],
                                const uint8_t request_hash[16], int64_t now_ms, int *status,
                                struct buffer *body);
void answers_keep(struct answers *answers, const uint8_t key[16], const uint8_t request_hash[16],
                  int64_t now_ms, int status, str body);

#endif
