/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a page an output stands, and whether anything may be written there.
 *
 *     text ──'<'──▶ opening ──letter──▶ element ──space──▶ tag ──letter──▶ name ──'='──▶ before value
 *      ▲ ▲             │ '!--'                              ▲                              │ quote
 *      │ │             ▼                                    └────────── quote ──────── value
 *      │ └── '-->' ─ comment         '>' of script, style ──▶ raw ── '</script' ──▶ element
 *      └──────────────────────── '>' ─────────────────────────┘
 *
 * Outputs may stand in text and in quoted values. Not in names, values without quotes, comments, script and style,
 * nor in values that are script (on…), style, or a whole page (srcdoc): no escaping makes those safe in every mail
 * program. An address (href, src …) is checked for its scheme where it begins with an output. After the idea of
 * contextual autoescaping (Samuel, Saxena, Song, CCS 2011). */
#include <string.h>

#include "template/inside.h"

enum state {
    IN_TEXT,
    IN_OPENING, /* behind '<' */
    IN_ELEMENT, /* its name */
    IN_TAG,
    IN_NAME,
    BEHIND_NAME,
    BEFORE_VALUE,
    IN_DOUBLE,
    IN_SINGLE,
    IN_BARE,
    IN_COMMENT,
    IN_RAW,
    IN_DECLARATION, /* <!doctype …>, <?xml …> */
};
enum attribute { ATTRIBUTE_TEXT, ATTRIBUTE_ADDRESS, ATTRIBUTE_REFUSED };
enum address { ADDRESS_START, ADDRESS_SCHEME, ADDRESS_PART, ADDRESS_QUERY };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* Appends to a name that is kept in lower case; what is too long for it is none that matters. */
static void add(char *name, uint8_t *size, size_t size_max, char c)
{
    if (*size < size_max)
        name[*size] = lower(c);
    if (*size < size_max)
        (*size)++;
}

static void clear(char *name, uint8_t *size, size_t size_max)
{
    memset(name, 0, size_max);
    *size = 0;
}

static bool is_one_of(str name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (str_equal(name, str_from_c(*names)))
            return true;
    return false;
}

/* ---- attributes ---- */

static enum attribute kind_of_attribute(str name)
{
    static const char *const addresses[] = { "href", "src",  "action",   "formaction", "background",
                                             "cite", "data", "longdesc", "poster",     "xlink:href",
                                             "ping", "icon", NULL };
    static const char *const refused[] = { "style",   "srcdoc",     "srcset",
                                           "content", "http-equiv", NULL };
    if (str_starts_with(name, STR("on")) || is_one_of(name, refused))
        return ATTRIBUTE_REFUSED;
    return is_one_of(name, addresses) ? ATTRIBUTE_ADDRESS : ATTRIBUTE_TEXT;
}

static void begin_value(struct html_place *html, enum state state)
{
    html->state = (uint8_t)state;
    html->attribute = (uint8_t)kind_of_attribute(str_from_bytes(html->name, html->name_size));
    html->url = ADDRESS_START;
    clear(html->scheme, &html->scheme_size, sizeof html->scheme);
}

static void end_value(struct html_place *html)
{
    html->state = IN_TAG;
    html->attribute = html->url = 0;
    clear(html->name, &html->name_size, sizeof html->name);
    clear(html->scheme, &html->scheme_size, sizeof html->scheme);
}

static void read_address(struct html_place *html, char c)
{
    if (html->attribute != ATTRIBUTE_ADDRESS || html->url == ADDRESS_QUERY)
        return;
    if (c == '?' || c == '#')
        html->url = ADDRESS_QUERY;
    else if (html->url == ADDRESS_PART || (html->url == ADDRESS_START && is_space(c)))
        return;
    else if (c == '/' || c == ':')
        html->url = ADDRESS_PART;
    else
        html->url = ADDRESS_SCHEME;
    if (html->url == ADDRESS_SCHEME || c == ':')
        add(html->scheme, &html->scheme_size, sizeof html->scheme, c);
    if (html->url != ADDRESS_SCHEME && c != ':')
        clear(html->scheme, &html->scheme_size, sizeof html->scheme);
}

/* ---- elements ---- */

static void end_tag(struct html_place *html)
{
    static const char *const raw[] = { "script",  "style",    "xmp",      "iframe",
                                       "noembed", "noframes", "noscript", NULL };
    bool is_raw = is_one_of(str_from_bytes(html->element, html->element_size), raw);
    end_value(html);
    html->state = is_raw ? IN_RAW : IN_TEXT;
    html->dashes = 0;
    if (!is_raw)
        clear(html->element, &html->element_size, sizeof html->element);
}

/* Counts how much of `</script` has been seen; behind it the name of an element goes on. */
static void read_raw(struct html_place *html, char c)
{
    size_t seen = html->dashes;
    char wanted = seen == 0 ? '<' : seen == 1 ? '/' : html->element[seen - 2];
    if (lower(c) != wanted) {
        html->dashes = c == '<';
        return;
    }
    html->dashes++;
    if (html->dashes == html->element_size + 2u) {
        html->state = IN_TAG;
        html->dashes = 0;
        clear(html->element, &html->element_size, sizeof html->element);
    }
}

static void read_opening(struct html_place *html, char c)
{
    clear(html->element, &html->element_size, sizeof html->element);
    html->dashes = 0;
    if (is_letter(c)) {
        html->state = IN_ELEMENT;
        add(html->element, &html->element_size, sizeof html->element, c);
    } else if (c == '/') {
        html->state = IN_TAG;
    } else if (c == '!') {
        html->state = IN_DECLARATION;
    } else if (c == '?') {
        html->state = IN_DECLARATION;
        html->dashes = 2;
    } else if (c != '<') {
        html->state = IN_TEXT;
    }
}

/* `<!--` makes a comment of a declaration. */
static void read_declaration(struct html_place *html, char c)
{
    if (c == '>') {
        end_tag(html);
    } else if (c == '-' && html->dashes < 2) {
        html->dashes++;
        if (html->dashes == 2)
            html->state = IN_COMMENT;
    } else {
        html->dashes = 3;
    }
    if (html->state == IN_COMMENT)
        html->dashes = 0;
}

static void read_comment(struct html_place *html, char c)
{
    if (c == '>' && html->dashes >= 2) {
        html->state = IN_TEXT;
        html->dashes = 0;
    } else {
        html->dashes = c != '-' ? 0 : html->dashes < 2 ? (uint8_t)(html->dashes + 1) : 2;
    }
}

static void read_name(struct html_place *html, char c)
{
    if (c == '=')
        html->state = BEFORE_VALUE;
    else if (is_space(c))
        html->state = BEHIND_NAME;
    else if (c == '>')
        end_tag(html);
    else if (c == '/')
        end_value(html);
    else
        add(html->name, &html->name_size, sizeof html->name, c);
}

static void read_tag(struct html_place *html, char c)
{
    if (c == '>') {
        end_tag(html);
    } else if (html->state == BEHIND_NAME && c == '=') {
        html->state = BEFORE_VALUE;
    } else if (!is_space(c) && c != '/') {
        end_value(html);
        html->state = IN_NAME;
        add(html->name, &html->name_size, sizeof html->name, c);
    }
}

static void read_before_value(struct html_place *html, char c)
{
    if (c == '"')
        begin_value(html, IN_DOUBLE);
    else if (c == '\'')
        begin_value(html, IN_SINGLE);
    else if (c == '>')
        end_tag(html);
    else if (!is_space(c))
        begin_value(html, IN_BARE);
}

static void read_element(struct html_place *html, char c)
{
    if (c == '>')
        end_tag(html);
    else if (is_space(c) || c == '/')
        html->state = IN_TAG;
    else
        add(html->element, &html->element_size, sizeof html->element, c);
}

static void read_value(struct html_place *html, char c)
{
    char quote = html->state == IN_DOUBLE ? '"' : '\'';
    if (html->state == IN_BARE && c == '>')
        end_tag(html);
    else if (html->state == IN_BARE ? is_space(c) : c == quote)
        end_value(html);
    else
        read_address(html, c);
}

void html_text(struct html_place *html, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        switch ((enum state)html->state) {
        case IN_TEXT:
            if (c == '<')
                html->state = IN_OPENING;
            break;
        case IN_OPENING:
            read_opening(html, c);
            break;
        case IN_ELEMENT:
            read_element(html, c);
            break;
        case IN_TAG:
        case BEHIND_NAME:
            read_tag(html, c);
            break;
        case IN_NAME:
            read_name(html, c);
            break;
        case BEFORE_VALUE:
            read_before_value(html, c);
            break;
        case IN_DOUBLE:
        case IN_SINGLE:
        case IN_BARE:
            read_value(html, c);
            break;
        case IN_COMMENT:
            read_comment(html, c);
            break;
        case IN_RAW:
            read_raw(html, c);
            break;
        case IN_DECLARATION:
        default:
            read_declaration(html, c);
            break;
        }
    }
}

/* ---- outputs ---- */

/* What has been written of an address in front of an output: `javascript:` makes any output dangerous. */
static err address_output(struct html_place *html, struct parser *parser, size_t at,
                          enum context *context)
{
    str scheme = str_from_bytes(html->scheme, html->scheme_size);
    if (html->url == ADDRESS_START) {
        *context = CONTEXT_HTML_URL;
        html->url = ADDRESS_PART;
        return ERR_OK;
    }
    if (html->url == ADDRESS_PART && scheme.size > 0 && !escape_address_is_safe(scheme)) {
        err error = parser_fail(parser, at,
                                "nothing may be filled into an address that begins "
                                "with '" STR_FMT "'",
                                STR_ARG(scheme));
        return problem_hint(parser->problem, error, "use https:, http:, mailto: or tel:");
    }
    *context = html->url == ADDRESS_QUERY ? CONTEXT_HTML_QUERY : CONTEXT_HTML_PART;
    return ERR_OK;
}

static err refuse(struct parser *parser, size_t at, const char *where, const char *hint)
{
    err error = parser_fail(parser, at, "nothing may be filled in %s", where);
    return problem_hint(parser->problem, error, "%s", hint);
}

err html_output(struct html_place *html, struct parser *parser, size_t at, enum context *context)
{
    *context = CONTEXT_HTML;
    switch ((enum state)html->state) {
    case IN_TEXT:
        return ERR_OK;
    case IN_DOUBLE:
    case IN_SINGLE:
        if (html->attribute == ATTRIBUTE_REFUSED)
            return refuse(parser, at, "in this attribute: it is script or style",
                          "choose between fixed values with {% if %}");
        return html->attribute == ATTRIBUTE_TEXT ? ERR_OK
                                                 : address_output(html, parser, at, context);
    case BEFORE_VALUE:
    case IN_BARE:
        return refuse(parser, at, "without quotes around the attribute's value",
                      "write href=\"{{ … }}\"");
    case IN_COMMENT:
        return refuse(parser, at, "in a comment of the page", "use {# … #} for notes");
    case IN_RAW:
        return refuse(parser, at, "in <script>, <style> and the like",
                      "mail programs run no script; write values as text");
    case IN_OPENING:
    case IN_ELEMENT:
    case IN_TAG:
    case IN_NAME:
    case BEHIND_NAME:
    case IN_DECLARATION:
    default:
        return refuse(parser, at, "inside of a tag, outside of a quoted value",
                      "choose between fixed tags with {% if %}");
    }
}
