/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_sql: the product's SQL as servers of a cluster understand it. */
#include "store/cluster_sql.h"

#include <string.h>

#include "store/events.h"

/* What was taken back does not count. Each shard has all of both lists. */
#define KEPT                                                             \
    "events PREWHERE seq NOT IN (SELECT seq FROM retracted_events) AND " \
    "toUInt64(source) NOT IN (SELECT source FROM retracted_sources)"
/* joinGet gives 0 for who has no alias; nobody's number is 0. */
#define CURRENT                                                    \
    "if(joinGet('alias_map', 'current', customer) = 0, customer, " \
    "joinGet('alias_map', 'current', customer))"

struct rewriting {
    str rest; /* not read yet */
    const struct warehouse_parameter *parameters;
    size_t parameter_count;
    bool modern, question;
    str before; /* the word before, in what is written */
    struct buffer *out;
    struct problem *problem;
};

void cluster_sql_quote(struct buffer *out, str text)
{
    static const char FROM[] = "\\'\t\n\r\b\f";
    static const char TO[] = "\\'tnrbf";
    buffer_append_byte(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        const char *found = c != '\0' ? strchr(FROM, c) : NULL;
        if (c == '\0') {
            buffer_append_str(out, STR("\\0"));
        } else if (found != NULL) {
            buffer_append_byte(out, '\\');
            buffer_append_byte(out, (uint8_t)TO[found - FROM]);
        } else {
            buffer_append_byte(out, (uint8_t)c);
        }
    }
    buffer_append_byte(out, '\'');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

static void skip(struct rewriting *rewriting, size_t size)
{
    rewriting->rest = str_slice(rewriting->rest, size, rewriting->rest.size);
}

static void copy(struct rewriting *rewriting, size_t size)
{
    buffer_append_str(rewriting->out, str_slice(rewriting->rest, 0, size));
    skip(rewriting, size);
}

/* Bytes of the quoted text that `text` begins with; 0 when it does not end. */
static size_t quoted_bytes(str text)
{
    char quote = text.data[0];
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == quote)
            return i + 1;
    }
    return 0;
}

static size_t word_bytes(str text)
{
    size_t size = 0;
    while (size < text.size && is_word(text.data[size]))
        size++;
    return size;
}

/* ---- parameters ---- */

/* A type is words, commas, brackets and blanks: nothing that could end a CAST. */
static bool is_type(str type)
{
    int depth = 0;
    for (size_t i = 0; i < type.size; i++) {
        char c = type.data[i];
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (depth < 0 || !(is_word(c) || c == '(' || c == ')' || c == ',' || c == ' '))
            return false;
    }
    return type.size > 0 && depth == 0;
}

static err put_parameter(struct rewriting *rewriting)
{
    str inside = str_slice(rewriting->rest, 1, str_find_byte(rewriting->rest, '}'));
    str type = inside, name;
    bool told = str_split(&type, ':', &name);
    name = str_trim(name);
    type = str_trim(type);
    if (!told || inside.size + 1 >= rewriting->rest.size || !is_type(type))
        return problem_set(rewriting->problem, ERR_INVALID,
                           "warehouse: '{" STR_FMT "}' is no parameter with a type",
                           STR_ARG(str_slice(inside, 0, 60)));
    for (size_t i = 0; i < rewriting->parameter_count; i++) {
        if (!str_equal(name, str_from_c(rewriting->parameters[i].name)))
            continue;
        buffer_append_str(rewriting->out, STR("CAST("));
        cluster_sql_quote(rewriting->out, rewriting->parameters[i].value);
        buffer_append_str(rewriting->out, STR(" AS "));
        buffer_append_str(rewriting->out, type);
        buffer_append_byte(rewriting->out, ')');
        skip(rewriting, inside.size + 2);
        return ERR_OK;
    }
    return problem_set(rewriting->problem, ERR_INVALID,
                       "warehouse: the parameter `" STR_FMT "` has no value", STR_ARG(name));
}

/* ---- texts within JSON, for servers that cannot read it ---- */

/* A member of the outermost object: one after the other is skipped, whatever it is, until the name comes. Objects and
 * lists within are skipped as far as they are nested five deep; in what is deeper nothing is found. */
#define TEXT "\"(?:[^\"\\\\]|\\\\.)*\""
#define FLAT "[\\[{](?:[^\\[\\]{}\"]|" TEXT ")*[\\]}]"
#define DEEPER(inside) "[\\[{](?:[^\\[\\]{}\"]|" TEXT "|" inside ")*[\\]}]"
#define NESTED DEEPER(DEEPER(DEEPER(DEEPER(FLAT))))
#define VALUE "(?:" TEXT "|" NESTED "|[^\\[\\]{}\",]+)"
#define MEMBERS "^\\s*\\{(?:\\s*" TEXT "\\s*:\\s*" VALUE "\\s*,)*?\\s*"

/* The name as it stands in JSON, as part of a pattern: bytes that mean something in one of them are escaped. */
static void put_name(struct buffer *pattern, str name)
{
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c == '"' || c == '\\')
            buffer_append_str(pattern, STR("\\\\"));
        if (c < 0x80 && !is_word((char)c))
            buffer_append_byte(pattern, '\\');
        buffer_append_byte(pattern, c);
    }
}

/* A quoted text of SQL without its quotes and escapes. */
static void unquote(struct buffer *out, str quoted)
{
    for (size_t i = 1; i + 1 < quoted.size; i++) {
        if (quoted.data[i] == '\\' && i + 2 < quoted.size)
            i++;
        buffer_append_byte(out, (uint8_t)quoted.data[i]);
    }
}

static err put_json_text(struct rewriting *rewriting)
{
    str head = STR("JSONExtractString(props, ");
    str quoted = str_slice(rewriting->rest, head.size, rewriting->rest.size);
    bool begins =
        str_starts_with(rewriting->rest, head) && quoted.size > 0 && quoted.data[0] == '\'';
    size_t size = begins ? quoted_bytes(quoted) : 0;
    if (size == 0 || size >= quoted.size || quoted.data[size] != ')')
        return problem_set(rewriting->problem, ERR_UNSUPPORTED,
                           "warehouse: servers before ClickHouse 20 cannot read JSON as '" STR_FMT
                           "' asks",
                           STR_ARG(str_slice(rewriting->rest, 0, 60)));
    struct buffer name, pattern;
    buffer_init(&name, 1 << 16);
    buffer_init(&pattern, 1 << 18);
    unquote(&name, str_slice(quoted, 0, size));
    buffer_append_str(&pattern, STR(MEMBERS "\""));
    put_name(&pattern, buffer_str(&name));
    buffer_append_str(&pattern, STR("\"\\s*:\\s*\"((?:[^\"\\\\]|\\\\.)*)\""));
    buffer_append_str(rewriting->out,
                      STR("visitParamExtractString(concat('{\"v\":\"', extract(props, "));
    cluster_sql_quote(rewriting->out, buffer_str(&pattern));
    buffer_append_str(rewriting->out, STR("), '\"}'), 'v')"));
    err error = buffer_status(&pattern);
    buffer_deinit(&name);
    buffer_deinit(&pattern);
    skip(rewriting, head.size + size + 1);
    return error;
}

/* ---- is one of several texts in it? ---- */

static err put_any_text(struct rewriting *rewriting)
{
    str head = STR("multiSearchAny(props, [");
    bool whole = str_starts_with(rewriting->rest, head);
    skip(rewriting, whole ? head.size : 0);
    buffer_append_str(rewriting->out, STR("(0"));
    while (whole && rewriting->rest.size > 0 && rewriting->rest.data[0] == '\'') {
        size_t size = quoted_bytes(rewriting->rest);
        whole = size > 0;
        buffer_append_str(rewriting->out, STR(" OR position(props, "));
        copy(rewriting, size);
        buffer_append_str(rewriting->out, STR(") > 0"));
        while (rewriting->rest.size > 0 &&
               (rewriting->rest.data[0] == ',' || rewriting->rest.data[0] == ' '))
            skip(rewriting, 1);
    }
    if (!whole || !str_starts_with(rewriting->rest, STR("])")))
        return problem_set(
            rewriting->problem, ERR_UNSUPPORTED,
            "warehouse: servers before ClickHouse 20 know 'multiSearchAny' of props and texts alone");
    buffer_append_byte(rewriting->out, ')');
    skip(rewriting, 2);
    return ERR_OK;
}

/* ---- words ---- */

/* A question within a question is asked once, by the shard that was asked, and its answer told to the others: it is about
 * the rows of all. */
static bool is_question_within(const struct rewriting *rewriting, str before)
{
    bool is_first = str_starts_with(rewriting->rest, STR("NOT IN (SELECT ")) ||
                    (str_starts_with(rewriting->rest, STR("IN (SELECT ")) &&
                     !str_equal_ignoring_case(before, STR("NOT")));
    return is_first && rewriting->question && !str_equal_ignoring_case(before, STR("GLOBAL"));
}

static err put_word(struct rewriting *rewriting)
{
    str word = str_slice(rewriting->rest, 0, word_bytes(rewriting->rest));
    str before = rewriting->before;
    rewriting->before = word;
    if (is_question_within(rewriting, before))
        buffer_append_str(rewriting->out, STR("GLOBAL "));
    if (str_equal(word, STR("events_kept")) && str_equal_ignoring_case(before, STR("FROM"))) {
        buffer_append_str(rewriting->out, STR(KEPT));
        skip(rewriting, word.size);
    } else if (str_equal(word, STR("events")) && !rewriting->question &&
               str_equal_ignoring_case(before, STR("TABLE"))) {
        buffer_append_str(rewriting->out, STR("events_shard"));
        skip(rewriting, word.size);
    } else if (str_starts_with(rewriting->rest, STR(WAREHOUSE_CURRENT_CUSTOMER))) {
        buffer_append_str(rewriting->out, STR(CURRENT));
        skip(rewriting, STR(WAREHOUSE_CURRENT_CUSTOMER).size);
    } else if (!rewriting->modern && str_starts_with(word, STR("JSON")) &&
               !str_starts_with(word, STR("JSONEach")) && !str_equal(word, STR("JSON")) &&
               !str_starts_with(word, STR("JSONCompact"))) {
        return put_json_text(rewriting);
    } else if (!rewriting->modern && str_equal(word, STR("multiSearchAny"))) {
        return put_any_text(rewriting);
    } else {
        copy(rewriting, word.size);
    }
    return ERR_OK;
}

static err put_next(struct rewriting *rewriting)
{
    char c = rewriting->rest.data[0];
    if (is_word(c))
        return put_word(rewriting);
    if (c == '{')
        return put_parameter(rewriting);
    size_t size = c == '\'' || c == '"' || c == '`' ? quoted_bytes(rewriting->rest) : 1;
    if (size == 0)
        return problem_set(rewriting->problem, ERR_INVALID,
                           "warehouse: a quoted text of the query does not end");
    copy(rewriting, size);
    return ERR_OK;
}

bool cluster_sql_is_question(str sql)
{
    static const char *const WORDS[] = { "SELECT", "WITH", "SHOW", "DESCRIBE", "EXISTS" };
    str text = str_trim(sql);
    str word = str_slice(text, 0, word_bytes(text));
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        if (str_equal_ignoring_case(word, str_from_c(WORDS[i])))
            return true;
    }
    return false;
}

err cluster_sql_write(str sql, const struct warehouse_parameter *parameters, size_t parameter_count,
                      bool modern, struct buffer *out, struct problem *problem)
{
    struct rewriting rewriting = {
        .rest = sql,
        .parameters = parameters,
        .parameter_count = parameter_count,
        .modern = modern,
        .question = cluster_sql_is_question(sql),
        .out = out,
        .problem = problem,
    };
    err error = ERR_OK;
    while (rewriting.rest.size > 0 && error == ERR_OK)
        error = put_next(&rewriting);
    if (error == ERR_OK && buffer_status(out) != ERR_OK)
        error = problem_set(problem, buffer_status(out),
                            "a query to the warehouse is longer than %zu bytes", out->size_max);
    return error;
}
