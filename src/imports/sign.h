/* SPDX-License-Identifier: Apache-2.0 */
/* sign: AWS Signature Version 4 for requests without a body, as S3, OSS, COS and MinIO take it.
 *
 *     canonical request ─sha256─▶ string to sign ─hmac, key of the day, region and service─▶ signature
 *
 * Source: AWS, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
 * Private to imports/. Pure: the time is given. Any thread.
 */
#ifndef KITH_IMPORTS_SIGN_H
#define KITH_IMPORTS_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

struct sign_request {
    str method, host; /* the host with its port where that is not the scheme's own */
    str path;         /* percent-encoded, with its first '/' */
    str query;        /* canonical: names in order, percent-encoded, "a=1&b=" */
    str range;        /* "bytes=0-9", or empty: not sent */
    str region, access_key, secret_key;
    int64_t now_ms;
};
#define SIGN_DATE_BYTES 17 /* "20130524T000000Z" */
#define SIGN_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/* The value of the header Authorization; `date` is that of x-amz-date. x-amz-content-sha256 is SIGN_EMPTY_SHA256. */
err sign_request_write(const struct sign_request *request, struct buffer *authorization,
                       char date[SIGN_DATE_BYTES]) MUST_USE;
/* All but letters, digits and -_.~ as %XX; '/' stays where `keep_slash`. */
void sign_percent_encode(struct buffer *out, str text, bool keep_slash);

#endif
