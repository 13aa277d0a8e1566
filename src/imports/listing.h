/* SPDX-License-Identifier: Apache-2.0 */
/* listing: what a bucket answers to ListObjectsV2 with encoding-type=url, read. Private to imports/. */
#ifndef KITH_IMPORTS_LISTING_H
#define KITH_IMPORTS_LISTING_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

struct listing_object {
    str key, etag; /* borrowed until `take` returns; the etag as it was given, quotes and all */
    uint64_t size_bytes;
};
struct listing {
    bool (*take)(void *context, const struct listing_object *object); /* false: no more */
    void *context;
    struct buffer next; /* where the next page begins, as it was given; empty: this was the last */
};
/* CORRUPT for what is no such answer. Keys beyond 1,024 bytes are refused, as by S3. */
err listing_read(str xml, struct listing *listing, struct problem *problem) MUST_USE;
/* What an error's answer says in its <Code>; "" when it says none. */
void listing_error_code(str xml, char code[64]);

#endif
