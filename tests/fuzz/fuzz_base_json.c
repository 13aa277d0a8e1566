/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is taken reads back as the same when written, and both readers agree on what is valid. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_check.h"

#define TEXT_BYTES_MAX (1 << 17)

static struct json_parser *first_parser, *second_parser;
static struct buffer first, second;

static void set_up(void)
{
    INVARIANT(json_parser_new(&first_parser, TEXT_BYTES_MAX) == ERR_OK);
    INVARIANT(json_parser_new(&second_parser, 8 * TEXT_BYTES_MAX) == ERR_OK);
    /* An escape is six bytes where the text had one. */
    buffer_init(&first, 8 * TEXT_BYTES_MAX);
    buffer_init(&second, 8 * TEXT_BYTES_MAX);
}

/* Every value answers every question. */
static void ask_everything(json_value value)
{
    struct json_iterator iterator = json_iterate(value);
    json_value member;
    str key;
    size_t count = 0;
    (void)json_int(value, 0);
    (void)json_double(value, 0);
    (void)json_bool(value, false);
    INVARIANT(str_is_utf8(json_text(value)));
    while (json_next(&iterator, &key, &member)) {
        INVARIANT(json_kind(member) != JSON_MISSING && str_is_utf8(key));
        if (iterator.is_object)
            INVARIANT(json_kind(json_get(value, key)) != JSON_MISSING);
        ask_everything(member);
        count++;
    }
    INVARIANT(json_count(value) == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (first_parser == NULL)
        set_up();
    json_value root;
    struct problem problem;
    str text = str_from_bytes(data, size);
    size_t offset = 0;
    const char *reason = "";
    err error = json_parse(first_parser, text, &root, &problem);
    str without_mark = str_starts_with(text, STR("\xEF\xBB\xBF")) ? str_slice(text, 3, size) : text;
    INVARIANT(json_check(without_mark, &offset, &reason) == (error == ERR_OK));
    if (error != ERR_OK) {
        INVARIANT(error == ERR_INVALID && strstr(problem.detail, " at byte ") != NULL);
        return 0;
    }
    /* Nested members are asked for by each of their parents: quadratic for the deepest only. */
    if (size < 4096)
        ask_everything(root);
    buffer_clear(&first);
    json_write_value(&first, root);
    INVARIANT(buffer_status(&first) == ERR_OK);
    INVARIANT(json_parse(second_parser, buffer_str(&first), &root, &problem) == ERR_OK);
    buffer_clear(&second);
    json_write_value(&second, root);
    INVARIANT(str_equal(buffer_str(&first), buffer_str(&second)));
    return 0;
}
