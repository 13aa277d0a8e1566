/* SPDX-License-Identifier: Apache-2.0 */
/* listing: ListObjectsV2's XML through expat; see listing.h. */
#include "imports/listing.h"

#include <expat.h>
#include <string.h>

#define KEY_BYTES_MAX 1024
#define TEXT_BYTES_MAX 8192
#define DEPTH_MAX 8

struct reading {
    struct listing *listing;
    XML_Parser parser;
    struct problem *problem;
    err error;
    int depth;
    bool seen_root, in_object, is_truncated, enough;
    struct buffer text; /* of the element at hand */
    struct buffer key, etag, next;
    uint64_t size_bytes;
};

static void stop(struct reading *reading, err error)
{
    reading->error = error;
    XML_StopParser(reading->parser, XML_FALSE);
}

static str local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return str_from_c(colon != NULL ? colon + 1 : name);
}

static void begin_element(void *context, const char *name, const char **attributes)
{
    struct reading *reading = context;
    str element = local_name(name);
    (void)attributes;
    if (++reading->depth > DEPTH_MAX) {
        stop(reading, problem_set(reading->problem, ERR_CORRUPT, "the list is nested too deeply"));
        return;
    }
    if (reading->depth == 1)
        reading->seen_root = str_equal(element, STR("ListBucketResult"));
    if (reading->depth == 2 && str_equal(element, STR("Contents"))) {
        reading->in_object = true;
        buffer_clear(&reading->key);
        buffer_clear(&reading->etag);
        reading->size_bytes = 0;
    }
    buffer_clear(&reading->text);
}

static void take_text(void *context, const char *text, int size)
{
    struct reading *reading = context;
    buffer_append(&reading->text, text, (size_t)size);
    if (reading->text.failed)
        stop(reading, problem_set(reading->problem, ERR_CORRUPT, "a text of the list is too long"));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* encoding-type=url: %XX, and '+' for a space. */
static void decode_key(struct buffer *out, str text)
{
    buffer_clear(out);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        int high = c == '%' && i + 2 < text.size ? hex_digit(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        buffer_append_byte(out, (uint8_t)c);
    }
}

static void take_object(struct reading *reading)
{
    str key = buffer_str(&reading->key);
    if (key.size == 0 || key.size > KEY_BYTES_MAX || memchr(key.data, 0, key.size) != NULL) {
        stop(reading, problem_set(reading->problem, ERR_CORRUPT, "the list has an impossible key"));
        return;
    }
    struct listing_object object = { .key = key,
                                     .etag = buffer_str(&reading->etag),
                                     .size_bytes = reading->size_bytes };
    if (!reading->listing->take(reading->listing->context, &object)) {
        reading->enough = true;
        stop(reading, ERR_OK);
    }
}

static void end_member(struct reading *reading, str element, str text)
{
    if (str_equal(element, STR("Key")))
        decode_key(&reading->key, text);
    else if (str_equal(element, STR("ETag"))) {
        buffer_clear(&reading->etag);
        buffer_append_str(&reading->etag, text);
    } else if (str_equal(element, STR("Size")) && !str_to_uint64(text, &reading->size_bytes))
        stop(reading, problem_set(reading->problem, ERR_CORRUPT, "the list has an odd size"));
}

static void end_element(void *context, const char *name)
{
    struct reading *reading = context;
    str element = local_name(name), text = buffer_str(&reading->text);
    if (reading->depth == 3 && reading->in_object) {
        end_member(reading, element, text);
    } else if (reading->depth == 2 && reading->in_object) {
        reading->in_object = false;
        take_object(reading);
    } else if (reading->depth == 2 && str_equal(element, STR("IsTruncated"))) {
        reading->is_truncated = str_equal(text, STR("true"));
    } else if (reading->depth == 2 && str_equal(element, STR("NextContinuationToken"))) {
        buffer_clear(&reading->next);
        buffer_append_str(&reading->next, text);
    }
    buffer_clear(&reading->text);
    reading->depth--;
}

/* No document types, so no entities that grow. */
static void refuse_doctype(void *context, const char *name, const char *system, const char *public,
                           int internal)
{
    struct reading *reading = context;
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    stop(reading, problem_set(reading->problem, ERR_CORRUPT, "the list has a document type"));
}

static err parse(struct reading *reading, str xml)
{
    XML_SetUserData(reading->parser, reading);
    XML_SetElementHandler(reading->parser, begin_element, end_element);
    XML_SetCharacterDataHandler(reading->parser, take_text);
    XML_SetStartDoctypeDeclHandler(reading->parser, refuse_doctype);
    if (xml.size > INT32_MAX)
        return problem_set(reading->problem, ERR_CORRUPT, "the list is too long");
    enum XML_Status status = XML_Parse(reading->parser, xml.data, (int)xml.size, 1);
    if (reading->error != ERR_OK || reading->enough)
        return reading->error;
    if (status != XML_STATUS_OK || !reading->seen_root)
        return problem_set(reading->problem, ERR_CORRUPT, "the answer is no list of a bucket");
    return ERR_OK;
}

err listing_read(str xml, struct listing *listing, struct problem *problem)
{
    struct reading reading = { .listing = listing, .problem = problem };
    buffer_clear(&listing->next);
    reading.parser = XML_ParserCreate(NULL);
    if (reading.parser == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read a list");
    buffer_init(&reading.text, TEXT_BYTES_MAX);
    buffer_init(&reading.key, TEXT_BYTES_MAX);
    buffer_init(&reading.etag, TEXT_BYTES_MAX);
    buffer_init(&reading.next, TEXT_BYTES_MAX);
    err error = parse(&reading, xml);
    if (error == ERR_OK && reading.is_truncated && !reading.enough)
        buffer_append_str(&listing->next, buffer_str(&reading.next));
    XML_ParserFree(reading.parser);
    buffer_deinit(&reading.text);
    buffer_deinit(&reading.key);
    buffer_deinit(&reading.etag);
    buffer_deinit(&reading.next);
    return error != ERR_OK ? error : buffer_status(&listing->next);
}

void listing_error_code(str xml, char code[64])
{
    static const str open = { "<Code>", 6 };
    code[0] = '\0';
    const char *begin = memmem(xml.data, xml.size, open.data, open.size);
    if (begin == NULL)
        return;
    str rest = str_slice(xml, (size_t)(begin - xml.data) + open.size, xml.size);
    size_t size = str_find_byte(rest, '<');
    if (size == rest.size || size >= 64)
        return;
    for (size_t i = 0; i < size; i++) {
        char c = rest.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        code[i] = letter ? c : '?';
    }
    code[size] = '\0';
}
