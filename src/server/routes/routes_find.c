/* SPDX-License-Identifier: Apache-2.0 */
/* Customers for whom a rule holds, newest first, a page at a time.
 *
 * The rule is evaluated as a preview is: over everybody that the asker sees, with the number of all who hold. A page is the
 * newest of them below the cursor; a next page evaluates anew, so that who changed meanwhile is where she belongs. */
#include "server/answer.h"
#include "server/everybody.h"
#include "server/search.h"

#define ANSWER_BYTES_MAX ((size_t)4 << 20)
#define FIND_MS 4000

struct found_count {
    int64_t count, base;
    bool partial;
};

static err read_counts(struct request *request, str answer, struct found_count *counts,
                       struct problem *problem)
{
    json_value root;
    err error = json_parse(request->scratch, answer, &root, problem);
    if (error != ERR_OK)
        return error;
    counts->count = json_int(json_get(root, STR("count")), 0);
    counts->base = json_int(json_get(root, STR("base")), 0);
    counts->partial = json_bool(json_get(root, STR("partial")), false);
    return ERR_OK;
}

static err check(struct request *request, struct problem *problem)
{
    str on = json_text(json_get(request->json, STR("on")));
    if (on.size == 0 || str_equal(on, STR("customer")))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "customers are listed here, not '%.*s'",
                (int)str_utf8_prefix_bytes(on, 40), on.data);
    problem_hint(problem, ERR_UNPROCESSABLE, "GET /api/v1/objects/{kind} lists objects");
    return problem_at(problem, ERR_UNPROCESSABLE, "/on");
}

static err find(struct request *request, struct audience_listing *listing,
                struct found_count *counts, struct problem *problem)
{
    struct buffer answer;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    err error =
        everybody_ask(request, AUDIENCE_PREVIEW, STR_NONE, FIND_MS, listing, &answer, problem);
    if (error == ERR_OK)
        error = read_counts(request, buffer_str(&answer), counts, problem);
    buffer_deinit(&answer);
    return error;
}

err route_customer_find(struct request *request, struct problem *problem)
{
    struct audience_listing listing = { 0 };
    struct found_count counts = { 0 };
    struct search_columns columns;
    struct json_writer writer;
    int64_t before = 0;
    bool present, reveal;
    err error = auth_needs(request, PERMISSION_CUSTOMER_SEE, problem);
    if (error == ERR_OK)
        error = answer_limit(request, &listing.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'f', &before, 1, &present, problem);
    if (error == ERR_OK)
        error = search_read_columns(request, &columns, problem);
    if (error == ERR_OK)
        error = check(request, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, STR("customers"), &reveal, problem);
    if (error != ERR_OK)
        return error;
    listing.before = (uint32_t)before;
    listing.found = arena_array(&request->arena, uint32_t, listing.limit);
    if (listing.found == NULL)
        return ERR_NOMEM;
    error = find(request, &listing, &counts, problem);
    int64_t last = listing.count > 0 ? listing.found[listing.count - 1] : 0;
    str next = listing.more ? cursor_encode(request, 'f', &last, 1) : STR_NONE;
    if (error == ERR_OK)
        error = search_write_list(request, &writer, listing.found, listing.count, columns, next,
                                  reveal, problem);
    if (error != ERR_OK)
        return error;
    json_member_int(&writer, STR("count"), counts.count);
    json_member_int(&writer, STR("base"), counts.base);
    json_member_bool(&writer, STR("partial"), counts.partial);
    json_end_object(&writer);
    return ERR_OK;
}
