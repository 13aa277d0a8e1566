/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox: one server that behaves, on the wire, as WeCom, WeChat, Aliyun and Tencent SMS, an SMTP host and a webhook receiver do
 * (`kith sandbox`): for tests, the demo, and everybody who has no accounts yet.
 *
 * It checks signatures, tokens, encryption and quotas as the providers document them, answers with their error codes, and tells
 * Kith afterwards what became of a message by signed, encrypted callbacks: late, twice, out of order, or never, as it is told to.
 * What it took can be read by GET /sandbox/messages; how it misbehaves is set by PUT /sandbox/faults. docs/sandbox.md
 *
 * It shares no code with src/channel: each is the other's test.
 */
#ifndef KITH_SANDBOX_SANDBOX_H
#define KITH_SANDBOX_SANDBOX_H

#include <stdint.h>

#include "base/error.h"

struct sandbox;
struct sandbox_config {
    const char *listen; /* "127.0.0.1:8090"; port 0: any */
    const char *smtp_listen;
    uint64_t seed;                    /* of delays and chances */
    int64_t (*now_ms)(void *context); /* NULL: the wall clock */
    void *context;
};
err sandbox_start(struct sandbox **sandbox, const struct sandbox_config *config,
                  struct problem *problem) MUST_USE;
uint16_t sandbox_port(const struct sandbox *sandbox);
uint16_t sandbox_smtp_port(const struct sandbox *sandbox);
void sandbox_stop(struct sandbox **sandbox);

#endif
