/* SPDX-License-Identifier: Apache-2.0 */
/* bucket: files that lie in a bucket of S3 or of what speaks like it (OSS, COS, MinIO): listed, and fetched in parts.
 *
 * A bucket is a setting "import.bucket.<key>"; its secret key is sealed before it is told to the log and is
 * shown to nobody. Private to imports/; the functions block, and belong on the thread of schedules.
 */
#ifndef KITH_IMPORTS_BUCKET_H
#define KITH_IMPORTS_BUCKET_H

#include "access/seal.h"
#include "base/arena.h"
#include "base/json.h"
#include "imports/inside.h"
#include "imports/listing.h"

struct bucket { /* texts in the arena */
    str key, endpoint, region, name, prefix, access_key, secret_key;
    bool path_style; /* https://host/name/key instead of https://name.host/key */
    bool allow_private;
};

/* NOT_FOUND. */
err bucket_load(struct imports *imports, str key, struct arena *arena, struct bucket *bucket,
                struct problem *problem) MUST_USE;
/* All objects below its prefix, in the order of their keys. FORBIDDEN, NOT_FOUND, UNAVAILABLE, CORRUPT. */
err bucket_list(struct imports *imports, const struct bucket *bucket,
                bool (*take)(void *context, const struct listing_object *object), void *context,
                struct problem *problem) MUST_USE;
/* The bytes of an object from `from` on. CONFLICT when it is another one by now. What was taken before an error stays
 * taken. */
err bucket_fetch(struct imports *imports, const struct bucket *bucket,
                 const struct listing_object *object, uint64_t from,
                 err (*take)(void *context, str bytes), void *context,
                 struct problem *problem) MUST_USE;

#endif
