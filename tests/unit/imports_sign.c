/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of requests to buckets, against the examples that AWS prints ("Examples: Signature Calculations", S3 API
 * reference); and what becomes of lists that are none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

#include "base/clock.h"
#include "imports/listing.h"
#include "imports/sign.h"

static struct sign_request example(void)
{
    int64_t now_ms;
    assert_true(time_parse(STR("2013-05-24T00:00:00Z"), 0, &now_ms));
    return (struct sign_request){ .method = STR("GET"),
                                  .host = STR("examplebucket.s3.amazonaws.com"),
                                  .path = STR("/"),
                                  .region = STR("us-east-1"),
                                  .access_key = STR("AKIAIOSFODNN7EXAMPLE"),
                                  .secret_key = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                  .now_ms = now_ms };
}

static void assert_signed(const struct sign_request *request, const char *headers,
                          const char *signature)
{
    struct buffer made;
    char date[SIGN_DATE_BYTES], wanted[512];
    buffer_init(&made, 4096);
    assert_ok(sign_request_write(request, &made, date));
    assert_string_equal(date, "20130524T000000Z");
    snprintf(wanted, sizeof wanted,
             "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
             "SignedHeaders=%s,Signature=%s",
             headers, signature);
    assert_str_equal(buffer_str(&made), str_from_c(wanted));
    buffer_deinit(&made);
}

static void signs_as_aws_does(void **state)
{
    struct sign_request get = example(), list = example();
    (void)state;
    get.path = STR("/test.txt");
    get.range = STR("bytes=0-9");
    assert_signed(&get, "host;range;x-amz-content-sha256;x-amz-date",
                  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    list.query = STR("max-keys=2&prefix=J");
    assert_signed(&list, "host;x-amz-content-sha256;x-amz-date",
                  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void encodes_what_urls_do_not_hold(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 1000);
    sign_percent_encode(&out, STR("a b/ü~-_.+?"), true);
    assert_str_equal(buffer_str(&out), STR("a%20b/%C3%BC~-_.%2B%3F"));
    buffer_clear(&out);
    sign_percent_encode(&out, STR("a/b"), false);
    assert_str_equal(buffer_str(&out), STR("a%2Fb"));
    buffer_deinit(&out);
}

/* ---- lists ---- */

static bool note_object(void *context, const struct listing_object *object)
{
    struct buffer *out = context;
    buffer_printf(out, STR_FMT "|" STR_FMT "|%llu\n", STR_ARG(object->key), STR_ARG(object->etag),
                  (unsigned long long)object->size_bytes);
    return !str_equal(object->key, STR("enough"));
}

static err read_list(const char *xml, struct buffer *out, struct buffer *next)
{
    struct listing listing = { .take = note_object, .context = out };
    struct problem problem;
    buffer_clear(out);
    buffer_init(&listing.next, 1000);
    err error = listing_read(str_from_c(xml), &listing, &problem);
    buffer_clear(next);
    buffer_append_str(next, buffer_str(&listing.next));
    buffer_deinit(&listing.next);
    return error;
}

#define OBJECT(key, size)                                                                          \
    "<Contents><Key>" key "</Key><ETag>&quot;e&quot;</ETag><Size>" size "</Size><Owner><ID>x</ID>" \
    "</Owner></Contents>"

static void reads_lists(void **state)
{
    struct buffer out, next;
    (void)state;
    buffer_init(&out, 10000);
    buffer_init(&next, 1000);
    assert_ok(read_list("<?xml version='1.0'?><ListBucketResult xmlns='http://s3'>"
                        "<IsTruncated>true</IsTruncated><NextContinuationToken>a+/=</"
                        "NextContinuationToken>" OBJECT("daily/a+b%2Bc%E5%8D%95.csv", "7")
                            OBJECT("x%", "0") "</ListBucketResult>",
                        &out, &next));
    assert_str_equal(buffer_str(&out), STR("daily/a b+c单.csv|\"e\"|7\nx%|\"e\"|0\n"));
    assert_str_equal(buffer_str(&next), STR("a+/="));
    assert_ok(read_list("<ListBucketResult>" OBJECT("enough", "1") OBJECT(
                            "more", "1") "<IsTruncated>false</IsTruncated></ListBucketResult>",
                        &out, &next));
    assert_str_equal(buffer_str(&out), STR("enough|\"e\"|1\n"));
    assert_int_equal(next.size, 0);
    buffer_deinit(&out);
    buffer_deinit(&next);
}

static void refuses_what_is_no_list(void **state)
{
    static const char *const bad[] = {
        "",
        "nothing",
        "<html><body>Login</body></html>",
        "<ListBucketResult>",
        "<ListBucketResult>" OBJECT("a", "-1") "</ListBucketResult>",
        "<ListBucketResult>" OBJECT("", "1") "</ListBucketResult>",
        "<ListBucketResult>" OBJECT("a%00b", "1") "</ListBucketResult>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult>&a;</ListBucketResult>",
        ("<ListBucketResult><a><b><c><d><e><f><g><h></h></g></f></e></d></c></b></a>"
         "</ListBucketResult>"),
    };
    struct buffer out, next;
    char code[64];
    (void)state;
    buffer_init(&out, 10000);
    buffer_init(&next, 1000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (read_list(bad[i], &out, &next) != ERR_CORRUPT)
            fail_msg("'%s' is taken for a list", bad[i]);
    listing_error_code(STR("<Error><Code>NoSuchKey</Code></Error>"), code);
    assert_string_equal(code, "NoSuchKey");
    listing_error_code(STR("<Error><Code>a\n\"b</Code></Error>"), code);
    assert_string_equal(code, "a??b");
    listing_error_code(STR("<html>"), code);
    assert_string_equal(code, "");
    buffer_deinit(&out);
    buffer_deinit(&next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_aws_does),
        cmocka_unit_test(encodes_what_urls_do_not_hold),
        cmocka_unit_test(reads_lists),
        cmocka_unit_test(refuses_what_is_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
