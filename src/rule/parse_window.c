/* SPDX-License-Identifier: Apache-2.0 */
/* Windows and spans of time. */
#include <string.h>

#include "rule/parse.h"

/* ---- windows ---- */

#define DAYS_PER_MONTH_LEAST 28

static err check_span(struct parser *parser, str pointer, const struct moment *span, str word)
{
    int64_t days = (int64_t)span->months * DAYS_PER_MONTH_LEAST + span->days;
    if (days > RULE_WINDOW_DAYS_MAX || days + span->ms / DAY_MS > RULE_WINDOW_DAYS_MAX) {
        parse_fail(parser, pointer, "'" STR_FMT "' is longer than %d days", STR_ARG(word),
                   RULE_WINDOW_DAYS_MAX);
        return parse_hint(parser, "leave the window out to look at her whole life");
    }
    if (span->months == 0 && span->days == 0 && span->ms == 0)
        return parse_fail(parser, pointer, "a window of nothing holds nothing");
    return ERR_OK;
}

static err wrong_span(struct parser *parser, str pointer, const char *member)
{
    parse_fail(parser, pointer, "'%s' has to be a length of time", member);
    return parse_hint(parser, "as \"30m\", \"12h\", \"90d\", \"2w\", \"3M\" or \"1y\"");
}

static err read_within(struct parser *parser, json_value value, str pointer, struct moment *span,
                       str *word)
{
    if (!span_parse(json_text(value), span))
        return wrong_span(parser, pointer, "within");
    if (span->months != 0) {
        parse_fail(parser, pointer, "'within' cannot be a number of months");
        return parse_hint(parser, "months differ in length; say it in days, as \"30d\"");
    }
    err error = check_span(parser, pointer, span, json_text(value));
    if (error != ERR_OK)
        return error;
    return parse_copy(parser, json_text(value), word);
}

err parse_within(struct parser *parser, json_value value, str pointer, struct moment *span,
                 str *word)
{
    return parse_member(parser, pointer, STR("within"),
                        read_within(parser, value, pointer, span, word));
}

static const struct {
    const char *word;
    struct moment from, to;
} calendar[] = {
    { "today", { ANCHOR_DAY, 0, 0, 0 }, { ANCHOR_DAY, 0, 1, 0 } },
    { "yesterday", { ANCHOR_DAY, 0, -1, 0 }, { ANCHOR_DAY, 0, 0, 0 } },
    { "this_week", { ANCHOR_WEEK, 0, 0, 0 }, { ANCHOR_WEEK, 0, 7, 0 } },
    { "last_week", { ANCHOR_WEEK, 0, -7, 0 }, { ANCHOR_WEEK, 0, 0, 0 } },
    { "this_month", { ANCHOR_MONTH, 0, 0, 0 }, { ANCHOR_MONTH, 1, 0, 0 } },
    { "last_month", { ANCHOR_MONTH, -1, 0, 0 }, { ANCHOR_MONTH, 0, 0, 0 } },
    { "this_quarter", { ANCHOR_QUARTER, 0, 0, 0 }, { ANCHOR_QUARTER, 3, 0, 0 } },
    { "last_quarter", { ANCHOR_QUARTER, -3, 0, 0 }, { ANCHOR_QUARTER, 0, 0, 0 } },
    { "this_year", { ANCHOR_YEAR, 0, 0, 0 }, { ANCHOR_YEAR, 12, 0, 0 } },
    { "last_year", { ANCHOR_YEAR, -12, 0, 0 }, { ANCHOR_YEAR, 0, 0, 0 } },
};
#define CALENDAR_WORDS                                                                     \
    "today yesterday this_week last_week this_month last_month this_quarter last_quarter " \
    "this_year last_year since_entering"

static err named_window(struct parser *parser, str word, str pointer, struct window *window)
{
    err error = parse_copy(parser, word, &window->word);
    if (error != ERR_OK)
        return error;
    if (str_equal(word, STR("since_entering"))) {
        window->entering = true;
        return ERR_OK;
    }
    struct rule_suggestions like = { 0 };
    for (size_t i = 0; i < sizeof(calendar) / sizeof(calendar[0]); i++) {
        rule_suggestions_offer(&like, word, str_from_c(calendar[i].word));
        if (str_equal(word, str_from_c(calendar[i].word))) {
            window->has_from = window->has_to = true;
            window->from = calendar[i].from;
            window->to = calendar[i].to;
            return ERR_OK;
        }
    }
    struct buffer text;
    buffer_init(&text, 200);
    rule_suggestions_write(&like, &text);
    parse_fail(parser, pointer, "there is no window '" STR_FMT "'",
               STR_ARG(str_slice(word, 0, 60)));
    if (text.size > 0)
        error = parse_hint(parser, "did you mean " STR_FMT "?", (int)text.size, text.data);
    else
        error = parse_hint(parser, "possible are: " CALENDAR_WORDS);
    buffer_deinit(&text);
    return error;
}

/* "90d" (that long ago), or a time. */
static err window_edge(struct parser *parser, json_value value, str pointer, const char *member,
                       struct moment *moment, str *word)
{
    struct moment span;
    if (json_kind(value) == JSON_TEXT && span_parse(json_text(value), &span)) {
        err error = check_span(parser, pointer, &span, json_text(value));
        if (error != ERR_OK)
            return error;
        *moment = moment_ago(span);
        return parse_copy(parser, json_text(value), word);
    }
    if (parse_moment(parser, value, moment)) {
        if (json_kind(value) == JSON_TEXT)
            return parse_copy(parser, json_text(value), word);
        return arena_printf(&parser->rule->arena, word, "%lld", (long long)json_int(value, 0));
    }
    parse_fail(parser, pointer, "'%s' has to be a time, or how long ago", member);
    return parse_hint(parser, "as \"2026-06-18\", \"today\", \"month_start-1M\" or \"90d\"");
}

static err two_edges(struct parser *parser, json_value object, str pointer, struct window *window)
{
    json_value from = json_get(object, STR("from")), to = json_get(object, STR("to"));
    window->has_from = json_kind(from) != JSON_MISSING;
    window->has_to = json_kind(to) != JSON_MISSING;
    err error = parse_members(parser, object, pointer, "from to", false);
    if (error == ERR_OK && !window->has_from && !window->has_to)
        error = parse_fail(parser, pointer, "a window needs 'from' or 'to'");
    if (error == ERR_OK && window->has_from)
        error = window_edge(parser, from, pointer, "from", &window->from, &window->from_word);
    if (error == ERR_OK && window->has_to)
        error = window_edge(parser, to, pointer, "to", &window->to, &window->to_word);
    if (error != ERR_OK || !window->has_from || !window->has_to)
        return error;
    /* Two edges that move alike can be compared once and for all. */
    if (window->from.anchor == window->to.anchor) {
        const struct zone *zone = &parser->rule->zone;
        int64_t some_day = INT64_C(1767225600000); /* 2026-01-01 */
        if (moment_at(&window->from, zone, some_day) >= moment_at(&window->to, zone, some_day)) {
            parse_fail(parser, pointer, "the window ends before it begins");
            return parse_hint(parser, "30 to 90 days ago is {\"from\":\"90d\",\"to\":\"30d\"}");
        }
    }
    return ERR_OK;
}

/* Since she entered a segment, or a journey: {"since_entering":{"segment":"vip"}}. */
static err named_entering(struct parser *parser, json_value value, str pointer,
                          struct window *window)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    json_value segment = json_get(value, STR("segment")), journey = json_get(value, STR("journey"));
    bool of_segment = json_kind(segment) != JSON_MISSING;
    str key = json_text(of_segment ? segment : journey);
    err error = parse_members(parser, value, pointer, "segment journey", false);
    if (error != ERR_OK)
        return error;
    if (key.size == 0 || json_count(value) != 1) {
        parse_fail(parser, pointer, "'since_entering' names a segment or a journey");
        return parse_hint(parser, "as {\"since_entering\":{\"segment\":\"vip\"}}");
    }
    bool (*ask)(void *, str, struct rule_symbol *) =
        of_segment ? catalogue->segment : catalogue->journey;
    window->entering = true;
    window->entered =
        (struct rule_entered){ .kind = of_segment ? RULE_ENTERED_SEGMENT : RULE_ENTERED_JOURNEY };
    if (ask == NULL || !ask(catalogue->context, key, &window->entered.symbol))
        return parse_member(
            parser, pointer, of_segment ? STR("segment") : STR("journey"),
            parse_unknown(parser, pointer, of_segment ? "segment" : "journey", key));
    parser->rule->has_entered = true;
    return parse_copy(parser, key, &window->word);
}

static err read_window(struct parser *parser, json_value object, str pointer, struct window *window)
{
    json_value last = json_get(object, STR("last")), during = json_get(object, STR("during"));
    bool has_last = json_kind(last) != JSON_MISSING, has_during = json_kind(during) != JSON_MISSING;
    *window = (struct window){ .given = has_last || has_during };
    if (has_last && has_during)
        return parse_fail(parser, pointer, "there are two windows, 'last' and 'during'");
    if (has_last) {
        struct moment span;
        if (!span_parse(json_text(last), &span))
            return wrong_span(parser, pointer, "last");
        err error = check_span(parser, pointer, &span, json_text(last));
        window->has_from = true;
        window->from = moment_ago(span);
        return error != ERR_OK ? error : parse_copy(parser, json_text(last), &window->last);
    }
    if (!has_during)
        return ERR_OK;
    if (json_is_object(during) && json_is_object(json_get(during, STR("since_entering")))) {
        str inner;
        err error = parse_members(parser, during, pointer, "since_entering", false);
        if (error == ERR_OK)
            error = parse_pointer(parser, pointer, "during/since_entering", -1, &inner);
        return error != ERR_OK
                   ? error
                   : named_entering(parser, json_get(during, STR("since_entering")), inner, window);
    }
    if (json_is_object(during))
        return two_edges(parser, during, pointer, window);
    if (json_kind(during) == JSON_TEXT)
        return named_window(parser, json_text(during), pointer, window);
    parse_fail(parser, pointer, "'during' does not understand this value");
    return parse_hint(parser, "as \"this_month\" or {\"from\":\"90d\",\"to\":\"30d\"}");
}

err parse_window(struct parser *parser, json_value object, str pointer, struct window *window)
{
    bool has_last = json_kind(json_get(object, STR("last"))) != JSON_MISSING;
    return parse_member(parser, pointer, has_last ? STR("last") : STR("during"),
                        read_window(parser, object, pointer, window));
}
