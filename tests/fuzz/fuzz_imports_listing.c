/* SPDX-License-Identifier: Apache-2.0 */
/* What a bucket answers to a listing, and to an error: any bytes. Keys that are given are whole; the code has plain signs. */
#include <string.h>

#include "imports/listing.h"

static bool check_object(void *context, const struct listing_object *object)
{
    size_t *count = context;
    INVARIANT(object->key.size > 0 && object->key.size <= 1024);
    INVARIANT(memchr(object->key.data, 0, object->key.size) == NULL);
    return ++*count < 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str xml = str_from_bytes(data, size);
    size_t count = 0;
    struct listing listing = { .take = check_object, .context = &count };
    struct problem problem = { .error = ERR_OK };
    char code[64];
    buffer_init(&listing.next, 8192);
    err error = listing_read(xml, &listing, &problem);
    INVARIANT(error == ERR_OK || problem.detail[0] != '\0');
    buffer_deinit(&listing.next);
    listing_error_code(xml, code);
    INVARIANT(strlen(code) < sizeof code);
    return 0;
}
