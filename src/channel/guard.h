/* SPDX-License-Identifier: Apache-2.0 */
/* guard: where requests may go, for rooms above that send some of their own (buckets). See guard.c. */
#ifndef KITH_CHANNEL_GUARD_H
#define KITH_CHANNEL_GUARD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

struct sockaddr;
/* Is this address no public one? To be asked of what is connected to, not of a name. */
bool guard_is_private(const struct sockaddr *address);
/* http or https, a host, no user, no port of another service, no private address written out unless `allow_private`;
 * UNPROCESSABLE says what. */
err guard_check_url(str url, bool allow_private, struct problem *problem) MUST_USE;

#endif
