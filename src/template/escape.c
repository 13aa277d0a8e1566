/* SPDX-License-Identifier: Apache-2.0 */
/* Values for the place where they are written: what would mean something there is written so that it does not. */
#include <string.h>

#include "template/inside.h"

/* Code points that are cut out everywhere: controls, and those that turn the direction of writing, with which a
 * name can make what follows it read otherwise (CVE-2021-42574). Returns the bytes of such a one, else 0. */
static size_t unwanted_bytes(str text, size_t at)
{
    unsigned char a = (unsigned char)text.data[at];
    if (a < 0x20 || a == 0x7f)
        return 1;
    if (a == 0xc2 && at + 1 < text.size && (unsigned char)text.data[at + 1] < 0xa0)
        return 2; /* C1 */
    if (a != 0xe2 || at + 2 >= text.size)
        return 0;
    unsigned char b = (unsigned char)text.data[at + 1], c = (unsigned char)text.data[at + 2];
    bool turns = (b == 0x80 && ((c >= 0xa8 && c <= 0xae) || c == 0x8e || c == 0x8f)) ||
                 (b == 0x81 && c >= 0xa6 && c <= 0xa9);
    return turns ? 3 : 0;
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r' || c == '\t';
}

static str html_entity(char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    case '\'':
        return STR("&#39;");
    case '`':
        return STR("&#96;");
    default:
        return STR_NONE;
    }
}

/* Runs without anything special go at once. A line's end becomes a space: a name cannot add a header to a mail. */
static void write_text(struct buffer *out, str text, bool is_html)
{
    size_t begin = 0;
    for (size_t i = 0; i < text.size;) {
        size_t cut = unwanted_bytes(text, i);
        str entity = is_html ? html_entity(text.data[i]) : STR_NONE;
        if (cut == 0 && entity.size == 0) {
            i++;
            continue;
        }
        buffer_append(out, text.data + begin, i - begin);
        if (entity.size > 0)
            buffer_append_str(out, entity);
        else if (is_line_end(text.data[i]))
            buffer_append_byte(out, ' ');
        i += cut > 0 ? cut : 1;
        begin = i;
    }
    buffer_append(out, text.data + begin, text.size - begin);
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986, 2.1. */
void escape_percent(struct buffer *out, str text, bool keep_slashes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_unreserved((char)c) || (keep_slashes && c == '/')) {
            buffer_append_byte(out, c);
        } else {
            char code[3] = { '%', digits[c >> 4], digits[c & 15] };
            buffer_append(out, code, sizeof code);
        }
    }
}

/* A scheme is what stands in front of the first ':', unless a '/', '?' or '#' comes before it. Browsers pass over
 * controls and spaces in it (WHATWG URL, 4.4), so that those make an address unsafe as well. */
bool escape_address_is_safe(str address)
{
    static const char *const schemes[] = { "https", "http", "mailto", "tel", "cid", "weixin" };
    size_t end = 0;
    for (size_t i = 0; i < address.size; i++)
        if ((unsigned char)address.data[i] <= ' ' || address.data[i] == 0x7f ||
            address.data[i] == '\\')
            return false;
    while (end < address.size && strchr(":/?#", address.data[end]) == NULL)
        end++;
    if (end == address.size || address.data[end] != ':')
        return true;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (str_equal_ignoring_case(str_slice(address, 0, end), str_from_c(schemes[i])))
            return true;
    return false;
}

bool escape_write(struct buffer *out, str text, enum context context)
{
    switch (context) {
    case CONTEXT_URL:
    case CONTEXT_HTML_QUERY:
        escape_percent(out, text, false);
        return true;
    case CONTEXT_HTML_PART:
        escape_percent(out, text, true);
        return true;
    case CONTEXT_HTML_URL:
        text = str_trim(text);
        if (!escape_address_is_safe(text))
            return false;
        write_text(out, text, true);
        return true;
    case CONTEXT_HTML:
    case CONTEXT_PLAIN:
    default:
        write_text(out, text, context == CONTEXT_HTML);
        return true;
    }
}
