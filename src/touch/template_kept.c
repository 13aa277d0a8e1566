/* SPDX-License-Identifier: Apache-2.0 */
/* template_kept: a template as it lies here, its texts parsed once, and what its values are. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

#define KEPT_BYTES_MAX ((size_t)4 << 20)
#define PIECES_MAX 500

/* ---- making ---- */

struct making {
    struct kept_template *kept;
    struct buffer raw; /* JSON since the last text */
    struct problem *problem;
    char pointer[160];
};

static enum template_escape escape_of(str part)
{
    static const char *const urls[] = { "url", "page", "pagepath", "link", "src" };
    if (str_equal(part, STR("html")))
        return TEMPLATE_HTML;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        if (str_equal(part, str_from_c(urls[i])))
            return TEMPLATE_URL;
    return TEMPLATE_PLAIN;
}

static err take_text(struct making *making, str part, str text)
{
    struct kept_template *kept = making->kept;
    if (kept->piece_count + 1 >= PIECES_MAX)
        return problem_set(making->problem, ERR_UNPROCESSABLE, "a template has at most %d texts",
                           PIECES_MAX - 1);
    struct kept_piece *piece = &kept->pieces[kept->piece_count];
    err error = template_new(&piece->text, text, escape_of(part), making->problem);
    if (error != ERR_OK) {
        problem_at(making->problem, error, "%s", making->pointer);
        return error;
    }
    kept->piece_count++;
    error = arena_dup(&kept->arena, buffer_str(&making->raw), &piece->raw);
    buffer_clear(&making->raw);
    return error;
}

static err take_value(struct making *making, str part, json_value value)
{
    struct json_iterator iterator = json_iterate(value);
    size_t length = strlen(making->pointer), index = 0;
    json_value item;
    str key;
    if (json_kind(value) == JSON_TEXT)
        return take_text(making, part, json_text(value));
    bool is_object = json_is_object(value);
    if (!is_object && json_kind(value) != JSON_ARRAY) {
        json_write_value(&making->raw, value);
        return ERR_OK;
    }
    err error = ERR_OK;
    buffer_append_byte(&making->raw, is_object ? '{' : '[');
    for (; error == ERR_OK && json_next(&iterator, &key, &item); index++) {
        if (index > 0)
            buffer_append_byte(&making->raw, ',');
        if (is_object) {
            json_write_text(&making->raw, key);
            buffer_append_byte(&making->raw, ':');
            snprintf(making->pointer + length, sizeof making->pointer - length, "/%.*s",
                     STR_ARG(key));
        } else {
            snprintf(making->pointer + length, sizeof making->pointer - length, "/%zu", index);
        }
        error = take_value(making, is_object ? key : part, item);
        making->pointer[length] = '\0';
    }
    buffer_append_byte(&making->raw, is_object ? '}' : ']');
    return error;
}

static err take_links(struct kept_template *kept, json_value links, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(links);
    json_value url;
    str name;
    while (json_next(&iterator, &name, &url)) {
        str text = json_text(url);
        if (kept->link_count == TEMPLATE_LINKS_MAX ||
            (!str_starts_with(text, STR("https://")) && !str_starts_with(text, STR("http://")))) {
            problem_set(problem, ERR_UNPROCESSABLE,
                        "links are at most %d, each an http or https address", TEMPLATE_LINKS_MAX);
            return problem_at(problem, ERR_UNPROCESSABLE, "/links/%.*s", STR_ARG(name));
        }
        struct kept_link *link = &kept->links[kept->link_count++];
        err error = arena_dup(&kept->arena, name, &link->name);
        if (error == ERR_OK)
            error = arena_dup(&kept->arena, text, &link->url);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

static err take_body(struct kept_template *kept, json_value body, struct problem *problem)
{
    struct making making = { .kept = kept, .problem = problem, .pointer = "/parts" };
    json_value parts = json_get(body, STR("parts"));
    if (!json_is_object(parts) || json_count(parts) == 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "a template has parts: {\"text\": \"…\"}");
        return problem_at(problem, ERR_UNPROCESSABLE, "/parts");
    }
    kept->pieces = arena_array(&kept->arena, struct kept_piece, PIECES_MAX);
    if (kept->pieces == NULL)
        return ERR_NOMEM;
    buffer_init(&making.raw, KEPT_BYTES_MAX / 4);
    err error = take_value(&making, STR_NONE, parts);
    if (error == ERR_OK)
        error = buffer_status(&making.raw);
    if (error == ERR_OK) /* what stands behind the last text */
        error =
            arena_dup(&kept->arena, buffer_str(&making.raw), &kept->pieces[kept->piece_count].raw);
    buffer_deinit(&making.raw);
    if (error == ERR_OK)
        error = take_links(kept, json_get(body, STR("links")), problem);
    return error;
}

err touches_kept_template_new(struct kept_template **made, str key, uint32_t version,
                              json_value body, struct problem *problem)
{
    struct kept_template *kept = memory_alloc(sizeof *kept);
    struct buffer text;
    if (kept == NULL)
        return ERR_NOMEM;
    arena_init(&kept->arena, "touch_template", KEPT_BYTES_MAX);
    kept->version = version;
    buffer_init(&text, KEPT_BYTES_MAX / 4);
    json_write_value(&text, body);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = arena_dup(&kept->arena, buffer_str(&text), &kept->body);
    if (error == ERR_OK)
        error = arena_dup(&kept->arena, key, &kept->key);
    if (error == ERR_OK)
        error = arena_dup(&kept->arena, json_text(json_get(body, STR("channel"))), &kept->channel);
    if (error == ERR_OK)
        error = arena_dup(&kept->arena, json_text(json_get(body, STR("form"))), &kept->form);
    if (error == ERR_OK)
        error = arena_dup(&kept->arena, json_text(json_get(body, STR("template_id"))),
                          &kept->template_id);
    if (error == ERR_OK)
        error = take_body(kept, body, problem);
    buffer_deinit(&text);
    if (error != ERR_OK)
        touches_kept_template_free(&kept);
    else
        *made = kept;
    return error;
}

void touches_kept_template_free(struct kept_template **kept)
{
    if (*kept == NULL)
        return;
    for (size_t i = 0; i < (*kept)->piece_count; i++)
        template_free(&(*kept)->pieces[i].text);
    arena_deinit(&(*kept)->arena);
    memory_free(*kept);
    *kept = NULL;
}

/* ---- what its values are ---- */

static bool from_context(const struct render *render, str path, struct template_value *value)
{
    json_value at = render->context;
    str part;
    while (str_split(&path, '.', &part)) {
        at = json_get(at, part);
        if (json_kind(at) == JSON_MISSING)
            return false;
    }
    (void)template_value_at(at, STR_NONE, value);
    return true;
}

/* ---- short links ----
 *
 * 64 bits as 11 characters: 40 of number and place of the link, hidden behind 24 that check them. */

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint64_t link_check(const struct touches *touches, uint64_t value)
{
    return hash_mix64(value ^ hash_mix64(touches->config.seed + 11)) >> 40;
}

static uint64_t link_hide(const struct touches *touches, uint64_t check)
{
    return hash_mix64(check ^ hash_mix64(touches->config.seed + 13)) & ((UINT64_C(1) << 40) - 1);
}

void touches_link_code(const struct touches *touches, uint32_t number, uint8_t place, char out[12])
{
    uint64_t value = (uint64_t)number << 8 | place, check = link_check(touches, value);
    uint64_t code = (value ^ link_hide(touches, check)) << 24 | check;
    for (int i = 10; i >= 0; i--, code /= 62)
        out[i] = base62[code % 62];
    out[11] = '\0';
}

bool touch_link_find(const struct touches *touches, str code, uint32_t *number, uint8_t *place)
{
    uint64_t bits = 0;
    if (code.size != 11)
        return false;
    for (size_t i = 0; i < code.size; i++) {
        const char *at = memchr(base62, code.data[i], 62);
        if (at == NULL || __builtin_mul_overflow(bits, UINT64_C(62), &bits) ||
            __builtin_add_overflow(bits, (uint64_t)(at - base62), &bits))
            return false;
    }
    uint64_t check = bits & 0xFFFFFF, value = (bits >> 24) ^ link_hide(touches, check);
    *number = (uint32_t)(value >> 8);
    *place = (uint8_t)value;
    return link_check(touches, value) == check;
}

static bool from_links(struct render *render, str path, struct template_value *value)
{
    str name = str_slice(path, 6, path.size), base = render->touches->policy->link_base;
    char code[12];
    for (size_t i = 0; i < render->kept->link_count; i++) {
        if (!str_equal(render->kept->links[i].name, name))
            continue;
        value->kind = TEMPLATE_TEXT;
        value->text = render->kept->links[i].url; /* without a base it goes as it is */
        if (base.size == 0 || base.size > 150)
            return true;
        touches_link_code(render->touches, render->number, (uint8_t)i, code);
        int size = snprintf(render->text, sizeof render->text, "%.*s/l/%s", STR_ARG(base), code);
        value->text = str_from_bytes(render->text, (size_t)size);
        return true;
    }
    return false;
}

static bool unsubscribe_link(struct render *render, struct template_value *value)
{
    str base = render->touches->policy->link_base;
    char key[33];
    if (base.size == 0 || base.size > 150)
        return false;
    touches_key_of(render->touches, render->number, key);
    int size = snprintf(render->text, sizeof render->text, "%.*s/u/%s", STR_ARG(base), key);
    *value = (struct template_value){ .kind = TEMPLATE_TEXT,
                                      .text = str_from_bytes(render->text, (size_t)size) };
    return true;
}

static void get_value(void *context, str path, struct template_value *value)
{
    struct render *render = context;
    const struct touch_world *world = render->touches->config.world;
    *value = (struct template_value){ .kind = TEMPLATE_MISSING };
    if (str_starts_with(path, STR("links.")) && from_links(render, path, value))
        return;
    if (str_equal(path, STR("unsubscribe")) && unsubscribe_link(render, value))
        return;
    if (str_equal(path, STR("coupon.code")) && render->coupon.size > 0) {
        *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = render->coupon };
        return;
    }
    if (!from_context(render, path, value) && world->value != NULL)
        world->value(world->context, render->customer, path, value);
}

err touches_kept_template_render(const struct kept_template *kept, struct render *render,
                                 struct buffer *out, struct problem *problem)
{
    const struct touch_world *world = render->touches->config.world;
    struct buffer *text =
        (struct buffer *)&((struct touches *)(uintptr_t)render->touches)->rendered;
    struct template_values values = {
        .context = render,
        .get = get_value,
        .now_ms = render->now_ms,
        .zone_offset_seconds =
            world->zone_offset_seconds(world->context, render->customer, render->now_ms),
        .locale = STR("zh"),
    };
    render->kept = kept;
    for (size_t i = 0; i < kept->piece_count; i++) {
        buffer_append_str(out, kept->pieces[i].raw);
        buffer_clear(text);
        err error = template_render(kept->pieces[i].text, &values, text, problem);
        if (error != ERR_OK)
            return error;
        json_write_text(out, buffer_str(text));
    }
    buffer_append_str(out, kept->pieces[kept->piece_count].raw);
    return buffer_status(out);
}
