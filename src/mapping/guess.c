/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping for a file that no preset knows: from the names of its columns and the looks of their values. */
#include <string.h>

#include "event/personal.h"
#include "mapping/preset.h"

enum role {
    ROLE_NONE,
    ROLE_ORDER,
    ROLE_CARD,
    ROLE_USER,
    ROLE_PHONE,
    ROLE_EMAIL,
    ROLE_UNIONID,
    ROLE_TIME,
    ROLE_AMOUNT,
    ROLE_PRICE,
    ROLE_QUANTITY,
    ROLE_PRODUCT,
    ROLE_PRODUCT_NAME,
    ROLE_STORE,
    ROLE_COUNT
};

/* Parts of names; the first row of the table that fits, counts. */
static const struct {
    const char *part;
    uint8_t role;
} name_parts[] = {
    { "unionid", ROLE_UNIONID },
    { "子订单", ROLE_NONE },
    { "订单号", ROLE_ORDER },
    { "订单编号", ROLE_ORDER },
    { "订单id", ROLE_ORDER },
    { "小票", ROLE_ORDER },
    { "单据号", ROLE_ORDER },
    { "流水号", ROLE_ORDER },
    { "order_id", ROLE_ORDER },
    { "orderid", ROLE_ORDER },
    { "order no", ROLE_ORDER },
    { "order_no", ROLE_ORDER },
    { "order number", ROLE_ORDER },
    { "invoiceno", ROLE_ORDER },
    { "receipt", ROLE_ORDER },
    { "会员卡", ROLE_CARD },
    { "会员号", ROLE_CARD },
    { "会员编号", ROLE_CARD },
    { "member", ROLE_CARD },
    { "卡号", ROLE_CARD },
    { "用户id", ROLE_USER },
    { "用户编号", ROLE_USER },
    { "客户编号", ROLE_USER },
    { "user_id", ROLE_USER },
    { "userid", ROLE_USER },
    { "customer_id", ROLE_USER },
    { "customerid", ROLE_USER },
    { "customer id", ROLE_USER },
    { "客户id", ROLE_USER },
    { "手机", ROLE_PHONE },
    { "mobile", ROLE_PHONE },
    { "phone", ROLE_PHONE },
    { "电话", ROLE_PHONE },
    { "邮箱", ROLE_EMAIL },
    { "email", ROLE_EMAIL },
    { "e-mail", ROLE_EMAIL },
    { "商品名", ROLE_PRODUCT_NAME },
    { "product name", ROLE_PRODUCT_NAME },
    { "product_name", ROLE_PRODUCT_NAME },
    { "品名", ROLE_PRODUCT_NAME },
    { "商品编", ROLE_PRODUCT },
    { "商品id", ROLE_PRODUCT },
    { "货号", ROLE_PRODUCT },
    { "条码", ROLE_PRODUCT },
    { "product_id", ROLE_PRODUCT },
    { "sku", ROLE_PRODUCT },
    { "门店", ROLE_STORE },
    { "store", ROLE_STORE },
    { "数量", ROLE_QUANTITY },
    { "件数", ROLE_QUANTITY },
    { "quantity", ROLE_QUANTITY },
    { "qty", ROLE_QUANTITY },
    { "单价", ROLE_PRICE },
    { "售价", ROLE_PRICE },
    { "price", ROLE_PRICE },
    { "实付", ROLE_AMOUNT },
    { "实收", ROLE_AMOUNT },
    { "金额", ROLE_AMOUNT },
    { "amount", ROLE_AMOUNT },
    { "revenue", ROLE_AMOUNT },
    { "total", ROLE_AMOUNT },
    { "时间", ROLE_TIME },
    { "日期", ROLE_TIME },
    { "time", ROLE_TIME },
    { "date", ROLE_TIME },
    { "created", ROLE_TIME },
};

/* Columns of a stranger to whom the goods go: never who bought them. */
static const char *const stranger_parts[] = { "收货",      "收件",      "receiver",
                                              "recipient", "consignee", "shipping",
                                              "delivery",  "导购",      "客服" };

/* ---- values ---- */

/* md5 or sha256, as hex: with another name than a phone's it may be anything. */
static bool is_digest(str text)
{
    if (text.size != 32 && text.size != 64)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

void guess_cell(struct guess_column *column, const struct table_cell *cell, struct arena *arena)
{
    static const struct time_format any = { .kind = TIME_AUTO };
    struct refusal refusal;
    struct exact number;
    int64_t time_ms;
    str text = cell_clean(cell->text);
    if (cell->kind == CELL_EMPTY || text.size == 0)
        return;
    column->filled++;
    enum personal_kind looks = personal_by_value(text);
    column->phones += looks == PERSONAL_PHONE;
    column->emails += looks == PERSONAL_EMAIL;
    column->masked += personal_is_masked(text);
    column->digests += is_digest(text);
    column->rounded += cell->kind == CELL_LOST || cell_is_rounded(text);
    bool is_number = cell_to_number(text, STR_NONE, arena, &number, &refusal);
    bool is_time = cell_to_time(text, &any, 0, arena, &time_ms, &refusal);
    column->numbers += is_number;
    column->whole += is_number && exact_is_whole(number);
    column->amounts += is_number && text.size < 16;
    /* A number of ten digits may be a time or an id: a time is said to be one by its signs or kind. */
    column->times += is_time && (!is_number || cell->kind == CELL_TIME || text.size == 14);
    column->ids += text.size >= 6 && is_number && exact_is_whole(number);
}

static bool mostly(uint32_t count, const struct guess_column *column)
{
    return column->filled > 0 && count * 5 >= column->filled * 4;
}

/* ---- roles ---- */

static bool name_has(str name, const char *part)
{
    char lower[80];
    size_t size = name.size < sizeof lower ? name.size : sizeof lower;
    for (size_t i = 0; i < size; i++)
        lower[i] =
            name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] + 32) : name.data[i];
    return str_contains(str_from_bytes(lower, size), str_from_c(part));
}

static bool is_of_a_stranger(str name)
{
    for (size_t i = 0; i < sizeof stranger_parts / sizeof stranger_parts[0]; i++)
        if (name_has(name, stranger_parts[i]))
            return true;
    return false;
}

static enum role role_by_name(str name)
{
    for (size_t i = 0; i < sizeof name_parts / sizeof name_parts[0]; i++)
        if (name_has(name, name_parts[i].part))
            return (enum role)name_parts[i].role;
    return ROLE_NONE;
}

/* Names say what a column is for, values whether it can be so. */
static enum role role_of(const struct guess_column *column)
{
    enum role role = role_by_name(column->name);
    bool empty = column->filled == 0;
    if (is_of_a_stranger(column->name) && role != ROLE_TIME)
        return ROLE_NONE;
    if (role == ROLE_PHONE && !empty && !mostly(column->phones + column->digests, column))
        return ROLE_NONE;
    if (role == ROLE_TIME && !empty && !mostly(column->times, column))
        return ROLE_NONE;
    if ((role == ROLE_AMOUNT || role == ROLE_PRICE || role == ROLE_QUANTITY) && !empty &&
        !mostly(column->amounts, column))
        return ROLE_NONE;
    if (role == ROLE_NONE && mostly(column->phones, column))
        return ROLE_PHONE;
    if (role == ROLE_NONE && mostly(column->emails, column))
        return ROLE_EMAIL;
    if (role == ROLE_NONE && mostly(column->times, column))
        return ROLE_TIME;
    return role;
}

struct guess {
    const struct guess_column *columns;
    uint32_t count;
    uint32_t of[ROLE_COUNT]; /* the first column of a role, + 1 */
    enum role roles[TABLE_COLUMNS_MAX];
    struct json_writer writer;
};

static void find_roles(struct guess *guess)
{
    for (uint32_t i = 0; i < guess->count; i++) {
        guess->roles[i] = role_of(&guess->columns[i]);
        if (guess->of[guess->roles[i]] == 0)
            guess->of[guess->roles[i]] = i + 1;
    }
}

/* ---- writing ---- */

static void put_column(struct guess *guess, str key, uint32_t index)
{
    json_put_key(&guess->writer, key);
    json_begin_object(&guess->writer);
    json_member_text(&guess->writer, STR("column"), guess->columns[index].name);
}

static void put_plain(struct guess *guess, str key, uint32_t index)
{
    put_column(guess, key, index);
    json_end_object(&guess->writer);
}

static void put_identifiers(struct guess *guess)
{
    static const struct {
        enum role role;
        const char *type;
    } types[] = { { ROLE_USER, "user_id" },
                  { ROLE_CARD, "member_card" },
                  { ROLE_UNIONID, "wx_unionid" },
                  { ROLE_PHONE, "mobile" },
                  { ROLE_EMAIL, "email" } };
    json_put_key(&guess->writer, STR("identifiers"));
    json_begin_array(&guess->writer);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (guess->of[types[i].role] == 0)
            continue;
        json_begin_object(&guess->writer);
        json_member_text(&guess->writer, STR("type"), str_from_c(types[i].type));
        json_member_text(&guess->writer, STR("column"),
                         guess->columns[guess->of[types[i].role] - 1].name);
        json_end_object(&guess->writer);
    }
    if (guess->of[ROLE_ORDER] != 0) {
        json_begin_object(&guess->writer);
        json_member_text(&guess->writer, STR("type"), STR("order_no"));
        json_member_text(&guess->writer, STR("column"),
                         guess->columns[guess->of[ROLE_ORDER] - 1].name);
        json_end_object(&guess->writer);
    }
    json_end_array(&guess->writer);
}

/* What a column becomes when nobody says more: its name, and a type when its values agree on one. */
static void put_rest(struct guess *guess, bool traits)
{
    for (uint32_t i = 0; i < guess->count; i++) {
        const struct guess_column *column = &guess->columns[i];
        enum role role = guess->roles[i];
        bool used = guess->of[role] == i + 1 && role != ROLE_NONE;
        if (used && (!traits || role == ROLE_TIME) && role != ROLE_PHONE && role != ROLE_EMAIL)
            continue;
        if (column->name.size == 0 || column->name.size > EVENT_NAME_BYTES_MAX ||
            memchr(column->name.data, ']', column->name.size) != NULL)
            continue;
        put_column(guess, column->name, i);
        if (mostly(column->times, column))
            json_member_text(&guess->writer, STR("type"), STR("time"));
        else if (mostly(column->amounts, column) && !mostly(column->phones, column) &&
                 !personal_name_is_code(column->name) && column->rounded == 0)
            json_member_text(&guess->writer, STR("type"), STR("number"));
        json_end_object(&guess->writer);
    }
}

static void put_role(struct guess *guess, str property, enum role role)
{
    if (guess->of[role] != 0)
        put_plain(guess, property, guess->of[role] - 1);
}

static void put_lines(struct guess *guess)
{
    json_put_key(&guess->writer, STR("lines"));
    json_begin_object(&guess->writer);
    put_plain(guess, STR("group_by"), guess->of[ROLE_ORDER] - 1);
    json_put_key(&guess->writer, STR("columns"));
    json_begin_object(&guess->writer);
    put_role(guess, STR("product_id"), ROLE_PRODUCT);
    put_role(guess, STR("name"), ROLE_PRODUCT_NAME);
    put_role(guess, STR("price"), ROLE_PRICE);
    put_role(guess, STR("quantity"), ROLE_QUANTITY);
    json_end_object(&guess->writer);
    json_end_object(&guess->writer);
}

static void put_events(struct guess *guess)
{
    bool order = guess->of[ROLE_ORDER] != 0;
    bool lines = order && (guess->of[ROLE_PRODUCT] != 0 || guess->of[ROLE_PRODUCT_NAME] != 0);
    json_member_text(&guess->writer, STR("event"), order ? STR("Order Paid") : STR("Imported"));
    if (order)
        json_member_text(&guess->writer, STR("currency"), STR("CNY"));
    put_plain(guess, STR("time"), guess->of[ROLE_TIME] - 1);
    if (order)
        put_plain(guess, STR("key"), guess->of[ROLE_ORDER] - 1);
    put_identifiers(guess);
    json_put_key(&guess->writer, STR("properties"));
    json_begin_object(&guess->writer);
    put_role(guess, STR("order_id"), ROLE_ORDER);
    put_role(guess, order ? STR("revenue") : STR("value"), ROLE_AMOUNT);
    put_role(guess, STR("store_id"), ROLE_STORE);
    if (!lines) {
        put_role(guess, STR("product_id"), ROLE_PRODUCT);
        put_role(guess, STR("name"), ROLE_PRODUCT_NAME);
        put_role(guess, STR("price"), ROLE_PRICE);
        put_role(guess, STR("quantity"), ROLE_QUANTITY);
    }
    put_rest(guess, false);
    json_end_object(&guess->writer);
    if (lines)
        put_lines(guess);
}

static void put_customers(struct guess *guess)
{
    if (guess->of[ROLE_CARD] != 0)
        put_plain(guess, STR("key"), guess->of[ROLE_CARD] - 1);
    put_identifiers(guess);
    json_put_key(&guess->writer, STR("traits"));
    json_begin_object(&guess->writer);
    put_rest(guess, true);
    if (guess->of[ROLE_TIME] != 0)
        put_plain(guess, guess->columns[guess->of[ROLE_TIME] - 1].name, guess->of[ROLE_TIME] - 1);
    json_end_object(&guess->writer);
}

bool guess_write(const struct guess_column *columns, uint32_t count, struct buffer *out)
{
    struct guess *guess = memory_alloc(sizeof *guess);
    if (guess == NULL)
        return false;
    guess->columns = columns;
    guess->count = count;
    find_roles(guess);
    bool person = guess->of[ROLE_USER] != 0 || guess->of[ROLE_CARD] != 0 ||
                  guess->of[ROLE_PHONE] != 0 || guess->of[ROLE_EMAIL] != 0 ||
                  guess->of[ROLE_UNIONID] != 0;
    bool order = guess->of[ROLE_ORDER] != 0;
    bool events = guess->of[ROLE_TIME] != 0 && (order || guess->of[ROLE_AMOUNT] != 0);
    bool found = person || (events && order);
    if (found) {
        json_writer_init(&guess->writer, out);
        json_begin_object(&guess->writer);
        json_member_text(&guess->writer, STR("kind"), events ? STR("events") : STR("customers"));
        if (events)
            put_events(guess);
        else
            put_customers(guess);
        json_end_object(&guess->writer);
    }
    memory_free(guess);
    return found;
}
