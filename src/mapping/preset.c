/* SPDX-License-Identifier: Apache-2.0 */
/* Presets, and which of them a header is. */
#include "mapping/preset.h"

#define PRESET_BYTES_MAX ((size_t)256 << 10)
#define SCORE_ALL 60
#define SCORE_SOME 40

size_t mapping_preset_count(void)
{
    return preset_text_count;
}

static err parse(struct json_parser *parser, size_t index, json_value *preset,
                 struct problem *problem)
{
    return json_parse(parser, str_from_bytes(preset_texts[index].bytes, preset_texts[index].size),
                      preset, problem);
}

void mapping_preset_write(size_t index, struct buffer *out)
{
    static const str members[] = { { "key", 3 }, { "name", 4 }, { "about", 5 }, { "mapping", 7 } };
    struct json_parser *parser = NULL;
    json_value preset;
    INVARIANT(index < preset_text_count);
    if (json_parser_new(&parser, PRESET_BYTES_MAX) != ERR_OK ||
        parse(parser, index, &preset, NULL) != ERR_OK) {
        out->failed = out->nomem = true;
        json_parser_free(&parser);
        return;
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        buffer_append_byte(out, i == 0 ? '{' : ',');
        json_write_text(out, members[i]);
        buffer_append_byte(out, ':');
        json_write_value(out, json_get(preset, members[i]));
    }
    buffer_append_byte(out, '}');
    json_parser_free(&parser);
}

/* ---- recognising ---- */

static bool has_column(json_value name, const str *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (column_names_equal(json_text(name), names[i]))
            return true;
    return false;
}

static bool has_one_of(json_value group, const str *names, uint32_t count)
{
    struct json_iterator iterator = json_iterate(group);
    json_value name;
    while (json_next(&iterator, NULL, &name))
        if (has_column(name, names, count))
            return true;
    return false;
}

int preset_score(json_value preset, const str *names, uint32_t count)
{
    json_value recognise = json_get(preset, STR("recognise")), entry;
    json_value some = json_get(recognise, STR("some"));
    struct json_iterator iterator = json_iterate(json_get(recognise, STR("all")));
    size_t found = 0, wanted = json_count(some);
    while (json_next(&iterator, NULL, &entry))
        if (!has_one_of(entry, names, count))
            return 0;
    if (has_one_of(json_get(recognise, STR("none")), names, count))
        return 0;
    iterator = json_iterate(some);
    while (json_next(&iterator, NULL, &entry))
        found += has_column(entry, names, count);
    /* A file rarely has every layout's columns: three in four are as sure as it gets. */
    size_t part = wanted > 0 ? found * SCORE_SOME * 4 / (wanted * 3) : SCORE_SOME;
    return SCORE_ALL + (int)(part < SCORE_SOME ? part : SCORE_SOME);
}

err preset_find(struct json_parser *parser, const str *names, uint32_t count, json_value *preset,
                int *score, struct problem *problem)
{
    size_t best = 0;
    *score = 0;
    for (size_t i = 0; i < preset_text_count; i++) {
        err error = parse(parser, i, preset, problem);
        if (error != ERR_OK)
            return error;
        int this_score = preset_score(*preset, names, count);
        if (this_score > *score) {
            *score = this_score;
            best = i;
        }
    }
    return *score > 0 ? parse(parser, best, preset, problem) : ERR_OK;
}
