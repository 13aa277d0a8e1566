/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: any text is refused with a place and a reason, or rendered within its limits, twice to the same bytes; the lint
 * of any part says JSON. */
#include <string.h>

#include "base/arena.h"
#include "template/template.h"

static struct json_parser *parser, *answers;
static json_value world;
static struct buffer first, second;

static void get(void *context, str path, struct template_value *value)
{
    (void)context;
    if (str_equal(path, STR("t")))
        *value = (struct template_value){ .kind = TEMPLATE_TIME, .number = INT64_C(1795285303000) };
    else
        template_value_at(world, path, value);
}

static void set_up(void)
{
    INVARIANT(json_parser_new(&parser, 1 << 20) == ERR_OK);
    INVARIANT(json_parser_new(&answers, 8 << 20) == ERR_OK);
    INVARIANT(json_parse(
                  parser,
                  STR("{\"a\":\"x\",\"b\":[1,2,{\"c\":\"y\"}],\"n\":12.5,\"m\":199,\"e\":\"\","
                      "\"h\":\"<script>\",\"u\":\"javascript:1\",\"d\":\"2026-11-21\",\"y\":true}"),
                  &world, NULL) == ERR_OK);
    buffer_init(&first, (size_t)4 << 20);
    buffer_init(&second, (size_t)4 << 20);
}

static void check_rendering(str source, enum template_escape escape)
{
    struct template *template = NULL;
    struct problem problem = { 0 };
    struct template_values values = { .get = get, .now_ms = 1, .locale = STR("zh") };
    if (template_new(&template, source, escape, &problem) != ERR_OK) {
        INVARIANT(problem.error == ERR_UNPROCESSABLE && problem.detail[0] != '\0');
        return;
    }
    buffer_clear(&first);
    buffer_clear(&second);
    err error = template_render(template, &values, &first, &problem);
    INVARIANT(error == ERR_OK || (error == ERR_UNPROCESSABLE && first.size == 0));
    INVARIANT(first.size <= TEMPLATE_BYTES_MAX && str_is_utf8(buffer_str(&first)));
    INVARIANT(template_render(template, &values, &second, NULL) == error);
    INVARIANT(str_equal(buffer_str(&first), buffer_str(&second)));
    for (size_t i = 0; i < template_path_count(template); i++)
        INVARIANT(template_path(template, i).size > 0);
    template_free(&template);
}

static void check_lint(str source)
{
    static const char *const channels[] = { "sms_aliyun", "wecom", "subscription", "email" };
    json_value parts, findings;
    size_t errors;
    struct json_parser *own = NULL;
    buffer_clear(&first);
    buffer_append_str(&first, STR("{\"text\":"));
    json_write_text(&first, source);
    buffer_append_str(&first, STR(",\"html\":"));
    json_write_text(&first, source);
    buffer_append_str(&first, STR(",\"data\":{\"thing1\":"));
    json_write_text(&first, source);
    buffer_append_str(&first, STR("}}"));
    INVARIANT(json_parser_new(&own, 4 << 20) == ERR_OK);
    if (json_parse(own, buffer_str(&first), &parts, NULL) == ERR_OK) {
        for (size_t i = 0; i < 4; i++) {
            buffer_clear(&second);
            INVARIANT(template_lint(str_from_c(channels[i]), i % 2 == 0, parts, &second, &errors) ==
                      ERR_OK);
            INVARIANT(json_parse(answers, buffer_str(&second), &findings, NULL) == ERR_OK);
        }
    }
    json_parser_free(&own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str source = str_from_bytes(data, size);
    if (parser == NULL)
        set_up();
    if (size > 4096)
        return 0;
    check_rendering(source, TEMPLATE_PLAIN);
    check_rendering(source, TEMPLATE_HTML);
    check_rendering(source, TEMPLATE_URL);
    if (str_is_utf8(source))
        check_lint(source);
    return 0;
}
