/* SPDX-License-Identifier: Apache-2.0 */
/* A customer's view as JSON: identifiers, traits, origins, consent, sums; masked as who asks may see it. */
#include <stdlib.h>

#include "event/normalise.h"
#include "server/answer.h"
#include "server/mask.h"
#include "server/scope/scope.h"
#include "server/view.h"

static int compare_rows(const void *a, const void *b)
{
    const struct identity_row_view *one = a, *other = b;
    int one_rank = identifier_rank(one->type), other_rank = identifier_rank(other->type);
    if (one_rank != other_rank)
        return one_rank < other_rank ? -1 : 1;
    if (one->first_seen_ms != other->first_seen_ms)
        return one->first_seen_ms < other->first_seen_ms ? -1 : 1;
    return one->row < other->row ? -1 : one->row > other->row;
}

void view_sort(struct identity_row_view *rows, size_t count)
{
    if (count > 1)
        qsort(rows, count, sizeof(*rows), compare_rows);
}

static void write_value(struct request *request, struct json_writer *writer,
                        const struct identity_row_view *row, bool reveal)
{
    json_member_text(writer, STR("type"), row->type);
    json_member_text(writer, STR("value"),
                     (row->flags & VIEW_ROW_SHOWN) != 0
                         ? row->value
                         : mask_identifier(request->server->keys, &request->arena, row->type,
                                           row->value, reveal));
}

void view_write_short(struct request *request, struct json_writer *writer,
                      const struct identity_row_view *row, bool reveal)
{
    if (row->row == 0) {
        json_put_null(writer);
        return;
    }
    json_begin_object(writer);
    write_value(request, writer, row, reveal);
    json_end_object(writer);
}

static void write_identifier(struct request *request, struct json_writer *writer,
                             const struct identity_row_view *row, const struct source_set *sources,
                             const char *node, bool reveal)
{
    const struct source *source = source_by_number(sources, row->source_number);
    json_begin_object(writer);
    write_value(request, writer, row, reveal);
    json_member_text(writer, STR("namespace"), row->namespace_);
    json_member_bool(writer, STR("verified"), (row->flags & IDENTIFIER_VERIFIED) != 0);
    json_member_text(writer, STR("source"), source != NULL ? source->key : STR_NONE);
    json_member_time(writer, STR("first_seen"), row->first_seen_ms);
    json_member_time(writer, STR("last_seen"),
                     row->last_seen_ms > row->first_seen_ms ? row->last_seen_ms
                                                            : row->first_seen_ms);
    json_member_text(writer, STR("node"), str_from_c(node));
    json_member_int(writer, STR("row"), row->row);
    json_end_object(writer);
}

/* Most rows are at home in the same node: its text is made once. */
static void write_identifiers(struct request *request, struct json_writer *writer,
                              const struct customer_view *view, const struct source_set *sources,
                              bool reveal)
{
    char node[ONE_ID_BYTES + 1] = "";
    uint32_t number = 0;
    json_put_key(writer, STR("identifiers"));
    json_begin_array(writer);
    for (size_t i = 0; i < view->row_count; i++) {
        if (view->rows[i].row == 0)
            continue; /* not seen */
        if (number != view->rows[i].node) {
            number = view->rows[i].node;
            keys_one_id(request->server->keys, number, node);
        }
        write_identifier(request, writer, &view->rows[i], sources, node, reveal);
    }
    json_end_array(writer);
}

static int64_t view_created_ms(const struct customer_view *view)
{
    int64_t created_ms = 0;
    for (size_t i = 0; i < view->row_count; i++) {
        const struct identity_row_view *row = &view->rows[i];
        if (row->first_seen_ms != 0 && (created_ms == 0 || row->first_seen_ms < created_ms))
            created_ms = row->first_seen_ms;
    }
    return created_ms;
}

void view_write_created(struct json_writer *writer, const struct customer_view *view)
{
    int64_t created_ms = view_created_ms(view);
    if (created_ms != 0)
        json_member_time(writer, STR("created_at"), created_ms);
    else
        json_member_raw(writer, STR("created_at"), STR("null"));
}

/* A trait that is one text, readable. */
static str trait_text(struct request *request, const struct profile_view *facts, str name,
                      bool reveal)
{
    const struct profile_trait_view *trait = profile_view_trait(facts, name);
    const struct keys *keys = request->server->keys;
    str sealed, text = STR_NONE;
    json_value value;
    if (trait == NULL)
        return STR_NONE;
    if (mask_is_sealed_json(trait->json, &sealed))
        return mask_identifier(keys, &request->arena, name, sealed, reveal);
    if (json_parse(request->scratch, trait->json, &value, NULL) != ERR_OK ||
        arena_dup(&request->arena, json_text(value), &text) != ERR_OK)
        return STR_NONE;
    return text;
}

str view_name(struct request *request, const struct profile_view *facts, bool reveal)
{
    const str whole[] = { STR("name"),     STR("$name"),    STR("realName"),
                          STR("nickname"), STR("nickName"), STR("username") };
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        str name = trait_text(request, facts, whole[i], reveal);
        if (name.size > 0)
            return name;
    }
    str first = trait_text(request, facts, STR("firstName"), reveal);
    str last = trait_text(request, facts, STR("lastName"), reveal), name = STR_NONE;
    /* Chinese names begin with the family and have no space. */
    bool chinese = last.size > 0 && ((uint8_t)last.data[0] & 0x80) != 0;
    if (first.size + last.size > 0 &&
        arena_printf(&request->arena, &name, STR_FMT "%s" STR_FMT, STR_ARG(chinese ? last : first),
                     chinese || first.size == 0 || last.size == 0 ? "" : " ",
                     STR_ARG(chinese ? first : last)) != ERR_OK)
        return STR_NONE;
    return name;
}

static str source_key(const struct source_set *sources, uint32_t number)
{
    const struct source *source = source_by_number(sources, number);
    return source != NULL ? source->key : STR_NONE;
}

void view_write_traits(struct request *request, struct json_writer *writer,
                       const struct profile_view *facts, bool reveal)
{
    json_put_key(writer, STR("traits"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < facts->trait_count; i++) {
        const struct profile_trait_view *trait = &facts->traits[i];
        json_put_key(writer, trait->name);
        mask_put_json(request->server->keys, &request->arena, request->scratch, trait->name,
                      trait->json, reveal, writer);
    }
    json_end_object(writer);
}

static void write_origins(struct json_writer *writer, const struct profile_view *facts,
                          const struct source_set *sources)
{
    json_put_key(writer, STR("trait_origins"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < facts->trait_count; i++) {
        json_put_key(writer, facts->traits[i].name);
        json_begin_object(writer);
        json_member_text(writer, STR("source"), source_key(sources, facts->traits[i].source));
        json_member_time(writer, STR("at"), facts->traits[i].at_ms);
        if (facts->traits[i].by_hand)
            json_member_bool(writer, STR("by_hand"), true);
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void write_consents(const struct request *request, struct json_writer *writer,
                           const struct profile_view *facts, const struct source_set *sources)
{
    json_put_key(writer, STR("consent"));
    json_begin_object(writer);
    for (uint32_t i = 0; i < facts->consent_count; i++) {
        const struct profile_consent_view *consent = &facts->consents[i];
        json_put_key(writer, consent->purpose);
        json_begin_object(writer);
        json_member_text(writer, STR("state"),
                         consent->granted ? STR("granted") : STR("withdrawn"));
        json_member_time(writer, STR("at"), consent->at_ms);
        json_member_text(writer, STR("source"),
                         scope_sees_source(request->scope, consent->source)
                             ? source_key(sources, consent->source)
                             : STR_NONE);
        json_end_object(writer);
    }
    json_end_object(writer);
}

/* The sums are of all her events: who does not see them all sees none. */
static void write_withheld(struct json_writer *writer)
{
    json_member_raw(writer, STR("summary"),
                    STR("{\"events\":0,\"orders\":0,\"revenue\":0,\"refunded\":0,"
                        "\"currency\":\"\",\"first_order_at\":null,\"last_order_at\":null,"
                        "\"first_seen_at\":null,\"last_seen_at\":null,\"withheld\":true}"));
}

void view_write(struct request *request, struct customer_view *view, bool reveal)
{
    struct json_writer writer;
    const struct profile_view *facts = &view->facts;
    char one_id[ONE_ID_BYTES + 1];
    struct source_set *sources = engine_sources(request->server->engine);
    view_sort(view->rows, view->row_count);
    keys_one_id(request->server->keys, view->root, one_id);
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("one_id"), str_from_c(one_id));
    view_write_created(&writer, view);
    json_member_text(&writer, STR("name"), view_name(request, facts, reveal));
    write_identifiers(request, &writer, view, sources, reveal);
    view_write_traits(request, &writer, facts, reveal);
    write_origins(&writer, facts, sources);
    if (view->audience.size > 0) {
        buffer_append_byte(&request->out, ',');
        buffer_append_str(&request->out, view->audience);
    }
    write_consents(request, &writer, facts, sources);
    if (view->is_child)
        json_member_bool(&writer, STR("under_14"), true);
    if (scope_sees_all_events(request->scope))
        profile_view_write_summary(facts, &writer);
    else
        write_withheld(&writer);
    json_member_time(&writer, STR("as_of"), view->as_of_ms);
    json_end_object(&writer);
    source_set_release(&sources);
}
