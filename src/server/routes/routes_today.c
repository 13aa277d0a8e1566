/* SPDX-License-Identifier: Apache-2.0 */
/* The orders of the day and what they brought: of all, or of who and what the asker sees. */
#include "server/answer.h"
#include "server/figures/figures.h"

static void write_line(struct json_writer *writer, const struct today_line *line)
{
    json_begin_object(writer);
    json_member_text(writer, STR("currency"), str_from_c(line->currency));
    json_member_int(writer, STR("orders"), line->orders);
    json_member_int(writer, STR("net"), line->net);
    json_member_int(writer, STR("refunded"), line->refunded);
    json_end_object(writer);
}

err route_today_get(struct request *request, struct problem *problem)
{
    struct server *server = request->server;
    struct today_figures today;
    struct json_writer writer;
    int64_t orders = 0;
    if (request->scope == NULL) {
        figures_today(server, &today);
    } else {
        err error = figures_today_seen(request, &today, problem);
        if (error != ERR_OK)
            return error;
    }
    for (size_t i = 0; i < today.count; i++)
        orders += today.lines[i].orders;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    member_time_or_null(&writer, STR("as_of"), today.as_of_ms);
    json_member_time(&writer, STR("from"), figures_day_start_ms(server));
    json_member_int(&writer, STR("orders"), orders);
    json_put_key(&writer, STR("revenue"));
    json_begin_array(&writer);
    for (size_t i = 0; i < today.count; i++)
        write_line(&writer, &today.lines[i]);
    json_end_array(&writer);
    json_member_bool(&writer, STR("partial"), today.partial);
    json_end_object(&writer);
    return ERR_OK;
}
