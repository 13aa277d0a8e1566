/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8259, strictly, with the limits of json.h. */
#include "base/json_check.h"

#include <string.h>

#include "base/json.h"
#include "base/number.h"

struct scanner {
    str text;
    size_t at;
    const char *reason;     /* NULL while all is well */
    struct buffer *widened; /* NULL: only look */
    size_t copied;          /* bytes of `text` that are in `widened` */
    bool found;             /* an integer was widened */
};

static bool refuse(struct scanner *scanner, size_t at, const char *reason)
{
    scanner->at = at;
    scanner->reason = reason;
    return false;
}

static int peek(const struct scanner *scanner)
{
    return scanner->at < scanner->text.size ? (unsigned char)scanner->text.data[scanner->at] : -1;
}

static void skip_space(struct scanner *scanner)
{
    for (;;) {
        int c = peek(scanner);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        scanner->at++;
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Value of four hex digits at `at`, -1 if they are not. */
static int hex4(const struct scanner *scanner, size_t at)
{
    int value = 0;
    if (scanner->text.size - at < 4 || at > scanner->text.size)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        int c = (unsigned char)scanner->text.data[at + i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At the 'u' of an escape. */
static bool scan_unicode_escape(struct scanner *scanner)
{
    size_t start = scanner->at - 1;
    int unit = hex4(scanner, scanner->at + 1);
    if (unit < 0)
        return refuse(scanner, start, "\\u needs four hex digits");
    if (unit == 0)
        return refuse(scanner, start, "NUL in a string");
    scanner->at += 5;
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    bool paired = unit < 0xDC00 && peek(scanner) == '\\' && scanner->at + 1 < scanner->text.size &&
                  scanner->text.data[scanner->at + 1] == 'u';
    int low = paired ? hex4(scanner, scanner->at + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse(scanner, start, "lone surrogate");
    scanner->at += 6;
    return true;
}

/* Bytes of the character at the scanner, 0 if it is not UTF-8. */
static size_t character_bytes(const struct scanner *scanner)
{
    for (size_t size = 1; size <= 4 && size <= scanner->text.size - scanner->at; size++)
        if (str_is_utf8(str_slice(scanner->text, scanner->at, scanner->at + size)))
            return size;
    return 0;
}

static bool scan_string(struct scanner *scanner)
{
    size_t start = scanner->at++;
    for (;;) {
        int c = peek(scanner);
        if (c < 0)
            return refuse(scanner, start, "string without end");
        if (c == '"') {
            scanner->at++;
            return true;
        }
        if (c < 0x20)
            return refuse(scanner, scanner->at, "control character in a string");
        if (c == '\\') {
            scanner->at++;
            c = peek(scanner);
            if (c == 'u') {
                if (!scan_unicode_escape(scanner))
                    return false;
            } else if (c > 0 && strchr("\"\\/bfnrt", c) != NULL) {
                scanner->at++;
            } else {
                return refuse(scanner, scanner->at - 1, "unknown escape");
            }
            continue;
        }
        size_t size = c < 0x80 ? 1 : character_bytes(scanner);
        if (size == 0)
            return refuse(scanner, scanner->at, "not UTF-8");
        scanner->at += size;
    }
}

/* Whether an integer's digits are those of the double nearest to it. */
static bool keeps_digits(str digits)
{
    double value;
    struct number_digits shortest;
    if (!str_to_double(digits, &value))
        return false;
    number_shortest(value, &shortest);
    size_t significant = digits.size;
    while (significant > 1 && digits.data[significant - 1] == '0')
        significant--;
    return (size_t)shortest.point == digits.size && significant == shortest.count &&
           memcmp(digits.data, shortest.digits, significant) == 0;
}

static void widen(struct scanner *scanner)
{
    if (scanner->widened == NULL)
        return;
    buffer_append_str(scanner->widened, str_slice(scanner->text, scanner->copied, scanner->at));
    buffer_append_str(scanner->widened, STR("e0"));
    scanner->copied = scanner->at;
    scanner->found = true;
}

static void skip_digits(struct scanner *scanner)
{
    while (is_digit(peek(scanner)))
        scanner->at++;
}

static bool scan_integer_size(struct scanner *scanner, size_t start)
{
    str number = str_slice(scanner->text, start, scanner->at);
    bool negative = number.data[0] == '-';
    str digits = str_slice(number, negative ? 1 : 0, number.size);
    int64_t small;
    uint64_t large;
    if (str_to_int64(number, &small) || (!negative && str_to_uint64(number, &large)))
        return true;
    if (!keeps_digits(digits))
        return refuse(scanner, start, "integer beyond 64 bits");
    widen(scanner);
    return true;
}

static bool scan_number(struct scanner *scanner)
{
    size_t start = scanner->at;
    bool integer = true;
    if (peek(scanner) == '-')
        scanner->at++;
    if (!is_digit(peek(scanner)))
        return refuse(scanner, start, "not a number");
    if (peek(scanner) == '0')
        scanner->at++;
    else
        skip_digits(scanner);
    if (is_digit(peek(scanner)))
        return refuse(scanner, start, "number with a leading zero");
    if (peek(scanner) == '.') {
        integer = false;
        scanner->at++;
        if (!is_digit(peek(scanner)))
            return refuse(scanner, start, "not a number");
        skip_digits(scanner);
    }
    if (peek(scanner) == 'e' || peek(scanner) == 'E') {
        integer = false;
        scanner->at++;
        if (peek(scanner) == '+' || peek(scanner) == '-')
            scanner->at++;
        if (!is_digit(peek(scanner)))
            return refuse(scanner, start, "not a number");
        skip_digits(scanner);
    }
    if (integer)
        return scan_integer_size(scanner, start);
    double value;
    str number = str_slice(scanner->text, start, scanner->at);
    /* What is too small for a double reads as zero; only what is too large is refused. */
    if (!str_to_double(number, &value) && !str_contains(number, STR("e-")) &&
        !str_contains(number, STR("E-")))
        return refuse(scanner, start, "number beyond the range of a double");
    return true;
}

static bool scan_word(struct scanner *scanner, str word)
{
    if (!str_starts_with(str_slice(scanner->text, scanner->at, scanner->text.size), word))
        return refuse(scanner, scanner->at, "not a value");
    scanner->at += word.size;
    return true;
}

static bool scan_scalar(struct scanner *scanner)
{
    int c = peek(scanner);
    if (c == '"')
        return scan_string(scanner);
    if (c == '-' || is_digit(c))
        return scan_number(scanner);
    if (c == 't')
        return scan_word(scanner, STR("true"));
    if (c == 'f')
        return scan_word(scanner, STR("false"));
    if (c == 'n')
        return scan_word(scanner, STR("null"));
    return refuse(scanner, scanner->at, c < 0 ? "the text ends too early" : "not a value");
}

/* "key" and its colon. */
static bool scan_key(struct scanner *scanner)
{
    skip_space(scanner);
    if (peek(scanner) != '"')
        return refuse(scanner, scanner->at, "a key in quotes is missing");
    if (!scan_string(scanner))
        return false;
    skip_space(scanner);
    if (peek(scanner) != ':')
        return refuse(scanner, scanner->at, "a colon is missing");
    scanner->at++;
    return true;
}

/* Opens, values and closes by turns; `objects` has a bit per open container. */
static bool scan_document(struct scanner *scanner)
{
    bool objects[JSON_DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        skip_space(scanner);
        int c = peek(scanner);
        bool closed = false;
        if (c == '{' || c == '[') {
            if (depth == JSON_DEPTH_MAX)
                return refuse(scanner, scanner->at, "nested deeper than 64");
            objects[depth++] = c == '{';
            scanner->at++;
            skip_space(scanner);
            closed = peek(scanner) == (c == '{' ? '}' : ']');
            if (!closed) {
                if (c == '{' && !scan_key(scanner))
                    return false;
                continue;
            }
        } else if (!scan_scalar(scanner)) {
            return false;
        }
        /* Behind a value: close what ends here, until a comma or the end of the text. */
        for (;;) {
            if (closed) {
                scanner->at++;
                depth--;
            }
            skip_space(scanner);
            if (depth == 0)
                return scanner->at == scanner->text.size ||
                       refuse(scanner, scanner->at, "something stands behind the end");
            bool object = objects[depth - 1];
            if (peek(scanner) == ',') {
                scanner->at++;
                if (object && !scan_key(scanner))
                    return false;
                break;
            }
            closed = peek(scanner) == (object ? '}' : ']');
            if (!closed)
                return refuse(scanner, scanner->at,
                              peek(scanner) < 0 ? "the text ends too early"
                              : object          ? "a comma or } is missing"
                                                : "a comma or ] is missing");
        }
    }
}

bool json_check(str text, size_t *offset, const char **reason)
{
    struct scanner scanner = { .text = text };
    if (scan_document(&scanner))
        return true;
    *offset = scanner.at;
    *reason = scanner.reason;
    return false;
}

bool json_widen_integers(str text, struct buffer *out)
{
    struct scanner scanner = { .text = text, .widened = out };
    buffer_clear(out);
    if (!scan_document(&scanner) || !scanner.found)
        return false;
    buffer_append_str(out, str_slice(text, scanner.copied, text.size));
    return buffer_status(out) == ERR_OK;
}

/* Escapes are rare: memchr runs over the rest at the speed of memory. */
bool json_has_escaped_nul(str text)
{
    const char *at = text.data;
    const char *end = text.data + text.size;
    while (at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (end - at >= 6 && memcmp(at + 1, "u0000", 5) == 0)
            return true;
        at += 2;
    }
    return false;
}
