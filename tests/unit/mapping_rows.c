/* SPDX-License-Identifier: Apache-2.0 */
/* From rows to events: what a mapping says is what comes out, or a refusal that names the place. */
#include "support/mapper.h"

#include "base/fault.h"

static struct mapper *mapper;

static int set_up(void **state)
{
    mapper = calloc(1, sizeof *mapper);
    mapper_open(mapper);
    *state = mapper;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapper_close(mapper);
    free(mapper);
    return 0;
}

#define PAID                                                                                         \
    "{'kind':'events','channel':'pos','currency':'CNY','event':'Order Paid','key':'[单号]',"       \
    "'time':'[时间]','identifiers':[{'type':'member_card','namespace':'vip','column':'卡号'},"   \
    "{'type':'mobile','column':'手机'}],'properties':{'order_id':'[单号]','revenue':'[金额]'," \
    "'store_id':{'constant':'S1'},'receiver_name':'[收货人]'}}"
#define PAID_COLUMNS "单号|时间|卡号|手机|金额|收货人"

static void a_row_becomes_an_event(void **state)
{
    (void)state;
    mapper_start(mapper, PAID, PAID_COLUMNS);
    assert_ok(mapper_row(mapper, "A1|2024-01-05 08:03:01|C9|139 1234 0007|￥1,234.50|张三"));
    assert_int_equal(mapper->refused_count, 0);
    assert_int_equal(mapper->event_count, 1);
    assert_string_equal(
        mapper->events[0],
        "track|Order Paid|2024-01-05T00:03:01.000Z|pos|member_card:vip:C9,mobile::+8613912340007|"
        "{\"order_id\":\"A1\",\"revenue\":1234.5,\"store_id\":\"S1\",\"receiver_name\":<张三>,"
        "\"currency\":\"CNY\"}");
    assert_int_equal(mapper->revenue[0], 123450);
    assert_int_equal(mapper->first_rows[0], 1);
    assert_int_equal(mapping_resume_row(mapper->worker), 2);
}

/* The first event of a mapping on a row of texts; "" when it was refused. */
static const char *event_of(const char *json, const char *columns, const char *row)
{
    mapper_start(mapper, json, columns);
    assert_ok(mapper_row(mapper, row));
    mapper_end(mapper);
    return mapper->event_count > 0 ? mapper->events[0] : "";
}

static const char *refusal_of(const char *json, const char *columns, const char *row)
{
    assert_string_equal(event_of(json, columns, row), "");
    return mapper->refused_count > 0 ? mapper->refused[0] : "";
}

static void one_row_makes_several_events(void **state)
{
    static const char json[] =
        "{'kind':'events','currency':'CNY','channel':'tmall','key':'[单号]','columns':{'退':{'names':["
        "'退款金额'],'optional':true}},'identifiers':[{'type':'user_id','column':'人'}],"
        "'properties':{'order_id':'[单号]','revenue':'[金额]','note':'[备注]'},'events':["
        "{'event':'Order Placed','time':'[下单]'},"
        "{'event':'Order Paid','when':'present([付款])','time':'[付款]'},"
        "{'event':'Order Refunded','when':'abs([退]) > 0','time':'[付款]',"
        "'properties':{'revenue':'abs([退])','note':null}},"
        "{'event':'Order Cancelled','when':'[状态] = `关闭` and empty([付款])','time':'[下单]'}]}";
    static const char columns[] = "单号|人|下单|付款|金额|退款金额|状态|备注";
    (void)state;
    mapper_start(mapper, json, columns);
    assert_ok(mapper_row(mapper, "A1|u1|2024-01-05 08:00:00|2024-01-05 08:01:00|99|-30.5|完成|急"));
    assert_int_equal(mapper->refused_count, 0);
    assert_int_equal(mapper->event_count, 3);
    assert_non_null(strstr(mapper->events[0], "Order Placed|2024-01-05T00:00:00.000Z|tmall"));
    assert_non_null(strstr(mapper->events[1], "Order Paid|2024-01-05T00:01:00.000Z|tmall"));
    assert_non_null(
        strstr(mapper->events[2], "{\"order_id\":\"A1\",\"revenue\":30.5,\"currency\""));
    assert_int_equal(mapper->revenue[2], 3050);
    assert_memory_not_equal(mapper->natural_keys[0], mapper->natural_keys[1], 16);
    /* M3: what is wrong with the third takes the first two with it. */
    assert_ok(mapper_row(mapper, "A2|u1|2024-01-05 08:00:00|2024-01-05 08:01:00|99|三十|完成|"));
    assert_int_equal(mapper->event_count, 3);
    assert_int_equal(mapper->refused_count, 1);
    assert_non_null(strstr(mapper->refused[0], "not_a_number|column '退款金额': '三十'"));
    assert_ok(mapper_row(mapper, "A3|u1|2024-01-05 08:00:00|-|99|-|关闭|null"));
    assert_int_equal(mapper->event_count, 5);
    assert_non_null(strstr(mapper->events[4], "Order Cancelled"));
    assert_null(strstr(mapper->events[4], "note"));
}

#define CUSTOMERS                                                                                    \
    "{'kind':'customers','key':'[卡]','identifiers':[{'type':'member_card','column':'卡'},"        \
    "{'type':'mobile','column':'手机','verified':false}],'traits':{'name':'[姓名]','points':"    \
    "{'column':'积分','type':'number'},'vip':{'column':'是否VIP','type':'boolean'},'birthday':"  \
    "{'column':'生日','type':'date'},'likes':{'column':'喜好','type':'list','separator':'、'}," \
    "'level':{'column':'等级','map':{'1':'银','2':'金'}}}"
#define CUSTOMER_COLUMNS "卡|手机|姓名|积分|是否VIP|生日|喜好|等级|肤质|打标时间"

static void members_become_customers(void **state)
{
    (void)state;
    assert_string_equal(
        event_of(CUSTOMERS "}", CUSTOMER_COLUMNS,
                 "C1|１３９ 1234 0007|林小雨|1,200|是|1990年5月3日|精华、面霜、|2|干性|2023-01-02"),
        "identify|Identify|2026-11-21T18:12:11.504Z||member_card::C1,mobile::+8613912340007(claimed)|"
        "name=\"林小雨\";points=1200;vip=true;birthday=\"1990-05-03\";likes=[\"精华\",\"面霜\"];"
        "level=\"金\"");
    /* The time of arrival is no part of what the file says: tomorrow it is the same event. */
    uint8_t key[16];
    memcpy(key, mapper->message_keys[0], 16);
    mapper->context.received_ms += 86400000;
    (void)event_of(CUSTOMERS "}", CUSTOMER_COLUMNS,
                   "C1|13912340007|林小雨|1200|Y|1990-05-03|精华、面霜、|2|油性|");
    assert_memory_equal(mapper->message_keys[0], key, 16);
    assert_non_null(strstr(event_of(CUSTOMERS "}", CUSTOMER_COLUMNS, "C2||林|||1966-05-16||1||"),
                           "birthday=\"1966-05-16\""));
}

static void old_tags_are_dated_traits(void **state)
{
    (void)state;
    mapper_start(mapper,
                 CUSTOMERS ",'tags':[{'key':'skin_type','value':'[肤质]','at':'[打标时间]'},"
                           "{'key':'none','value':'[x?]'}]}",
                 CUSTOMER_COLUMNS);
    assert_ok(mapper_row(mapper, "C1|||||||| 干性 |2023-01-02 10:00:00"));
    assert_int_equal(mapper->refused_count, 0);
    assert_int_equal(mapper->event_count, 2);
    assert_string_equal(mapper->events[1],
                        "profile|Profile|2023-01-02T02:00:00.000Z||member_card::C1|"
                        "tag:skin_type=\"干性\"");
}

static void objects_and_relations(void **state)
{
    (void)state;
    assert_string_equal(
        event_of("{'kind':'objects','objects':[{'kind':'store','id':'[编号]','properties':"
                 "{'name':'[名称]','city':'[城市]','phone':'[电话]'}}]}",
                 "编号|名称|城市|电话", "S1|湖滨店|杭州|057188001234"),
        "object|Object|2026-11-21T18:12:11.504Z|||store:S1|"
        "{\"name\":\"湖滨店\",\"city\":\"杭州\",\"phone\":<057188001234>}");
    /* What is called money is kept in minor units, as rules compare it; a price of which nothing is said as it stands there. */
    assert_string_equal(
        event_of("{'kind':'objects','objects':[{'kind':'product','id':'[编号]','properties':"
                 "{'list':{'column':'标价','type':'money'},'cost':{'column':'成本','type':'money',"
                 "'unit':'minor'},'price':'[标价]'}}]}",
                 "编号|标价|成本", "P1|￥59.005|4100"),
        "object|Object|2026-11-21T18:12:11.504Z|||product:P1|"
        "{\"list\":5900,\"cost\":4100,\"price\":59.005}");
    mapper_start(
        mapper,
        "{'kind':'customers','identifiers':[{'type':'member_card','column':'卡'}],"
        "'traits':{},'relations':[{'kind':'adviser','id':'[导购]'}],"
        "'objects':[{'kind':'adviser','id':'[导购]','delete':true,'when':'[离职] = `是`'}]}",
        "卡|导购|离职");
    assert_ok(mapper_row(mapper, "C1|D07|否"));
    assert_int_equal(mapper->event_count, 2);
    assert_string_equal(mapper->events[1], "group|Group|2026-11-21T18:12:11.504Z||member_card::C1|"
                                           "adviser:D07|{}");
    assert_ok(mapper_row(mapper, "C1||是"));
    assert_int_equal(mapper->event_count, 3); /* no adviser, no relation, nothing to delete */
}

static void guarded_digits_are_right(void **state)
{
    static const char *const codes[] = { "lost_digits", "lost_digits", "" };
    struct table_cell cells[][2] = {
        { { CELL_TEXT, STR("3085412300000010000") }, { CELL_TEXT, STR("2024-01-05") } },
        { { CELL_GUARDED, STR("3.0854E+18") }, { CELL_TEXT, STR("2024-01-05") } },
        { { CELL_GUARDED, STR("3085412300000010000") }, { CELL_TEXT, STR("2024-01-05") } }
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct table_row row = { .number = 1, .cell_count = 2, .cells = cells[i] };
        mapper_start(
            mapper,
            "{'kind':'events','event':'E','time':'[t]','identifiers':[{'type':'user_id','column':'id'}]}",
            "id|t");
        assert_ok(mapping_row(mapper->worker, &row, mapper_emit, mapper_refuse, mapper,
                              &mapper->problem));
        assert_int_equal(mapper->event_count, codes[i][0] == '\0');
        assert_int_equal(mapper->refused_count, codes[i][0] != '\0');
        if (codes[i][0] != '\0')
            assert_non_null(strstr(mapper->refused[0], codes[i]));
    }
}

#define SMALL(members)                                                                                   \
    "{'kind':'events','event':'E','time':'[t]','identifiers':[{'type':'user_id','column':'id'}]" members \
    "}"

static void refusals_say_what_is_wrong(void **state)
{
    static const struct {
        const char *json, *row, *wanted;
    } cases[] = {
        { SMALL(""), "|2024-01-05", "no_identifier|the row names nobody" },
        { SMALL(""), "138****8000|2024-01-05", "no_identifier" },
        { SMALL(""), "1.38E+10|2024-01-05", "lost_digits|column 'id'" },
        { SMALL(""), "123456789012345000|2024-01-05", "lost_digits|column 'id'" },
        { SMALL(""), "u1|", "missing_value|column 't': 'time' has no value" },
        { SMALL(""), "u1|05/01/2024", "ambiguous_date|column 't': '05/01/2024' may be two days" },
        { SMALL(""), "u1|nonsense", "not_a_time|column 't'" },
        { SMALL(""), "u1|1966-05-16", "not_a_time|column 't': nothing has happened before 1970" },
        { SMALL(",'currency':'[x]'"), "u1|2024-01-05|积分", "unknown_currency|column 'x'" },
        { SMALL(",'properties':{'p':{'column':'x','type':'money'}},'currency':'CNY'"),
          "u1|2024-01-05|$5", "unknown_currency|column 'x': '$5' is not in CNY" },
        { SMALL(",'properties':{'p':{'column':'x','required':true}}"), "u1|2024-01-05|-",
          "missing_value|column 'x': 'p' has no value" },
        { SMALL(",'properties':{'p':{'column':'x','type':'json'}}"), "u1|2024-01-05|{",
          "not_json|column 'x'" },
        { SMALL(",'properties':{'p':{'column':'x','type':'integer'}}"), "u1|2024-01-05|1.5",
          "not_a_number|column 'x'" },
        { SMALL(",'properties':{'p':{'column':'x','type':'money','unit':'minor'}}"),
          "u1|2024-01-05|1.5", "not_a_number|column 'x'" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *made = refusal_of(cases[i].json, "id|t|x", cases[i].row);
        if (strstr(made, cases[i].wanted) == NULL)
            fail_msg("%s is refused by %s", cases[i].row, made);
    }
    /* The name of an event comes from the file, too. */
    assert_non_null(strstr(refusal_of("{'kind':'events','event':'[x]','time':'[t]','identifiers':"
                                      "[{'type':'user_id','column':'id'}]}",
                                      "id|t|x", "u1|2024-01-05|"),
                           "no_event_name"));
    assert_non_null(strstr(event_of("{'kind':'events','event':'[x]','time':'[t]','identifiers':"
                                    "[{'type':'user_id','column':'id'}]}",
                                    "id|t|x", "u1|2024-01-05|到店"),
                           "track|到店|"));
}

static void what_is_said_of_columns_counts(void **state)
{
    static const struct {
        const char *json, *row, *wanted;
    } cases[] = {
        { SMALL(",'zone':'UTC'"), "u1|2024-01-05 08:00:00", "2024-01-05T08:00:00.000Z" },
        { SMALL(""), "u1|2024-01-05 08:00:00", "2024-01-05T00:00:00.000Z" },
        { SMALL(",'properties':{'p':{'column':'x','type':'money','unit':'minor'}}"),
          "u1|2024-01-05|12345", "{\"p\":123.45}" },
        { SMALL(
              ",'properties':{'p':{'column':'x','type':'money','unit':'minor'}},'currency':'JPY'"),
          "u1|2024-01-05|12345", "{\"p\":12345,\"currency\":\"JPY\"}" },
        { SMALL(",'properties':{'p':{'column':'x','type':'id','rounded':'keep'}}"),
          "u1|2024-01-05|123456789012345000", "{\"p\":\"123456789012345000\"}" },
        { SMALL(",'properties':{'p':'[x]'},'nulls':['没填']"), "u1|2024-01-05|没填", "|{}" },
        { SMALL(",'properties':{'p':'[x]'},'nulls':['没填']"), "u1|2024-01-05|-", "{\"p\":\"-\"}" },
        { SMALL(",'properties':{'p':'[x]'}"), "u1|2024-01-05|-", "|{}" },
        { SMALL(",'properties':{'p':{'column':['y','x']}}"), "u1|2024-01-05|v", "{\"p\":\"v\"}" },
        { SMALL(",'properties':{'p':{'column':'x','type':'json'}}"),
          "u1|2024-01-05|{\"phone\":\"13912340007\",\"n\":[1]}",
          "{\"p\":{\"phone\":<13912340007>,\"n\":[1]}}" },
        { SMALL(",'properties':[{'name':'p','column':'x'},{'name':'q','constant':[1,'a']}]"),
          "u1|2024-01-05|v", "{\"p\":\"v\",\"q\":[1,\"a\"]}" },
        { SMALL(",'properties':{'p':'[x]'}"), "u1|2024-01-05|打给13912340007",
          "{\"p\":\"打给13912340007\"}" },
        { SMALL(",'properties':{'p':'[x]'}"), "u1|2024-01-05|13912340007",
          "{\"p\":<13912340007>}" },
        { SMALL(",'properties':{'receiver_name':'[x]'}"), "u1|2024-01-05|张*",
          "{\"receiver_name\":\"张*\"}" },
        { SMALL(",'properties':{'url':'[x]'}"), "u1|2024-01-05|https://a.cn/?phone=13912340007",
          "{\"url\":\"https://a.cn/?phone=***\"}" },
        { SMALL(",'skip':'[x] = `合计`'"), "u1|2024-01-05|合计", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *made = event_of(cases[i].json, "id|t|x", cases[i].row);
        if (mapper->refused_count > 0 || strstr(made, cases[i].wanted) == NULL)
            fail_msg("%s: %s is %s", cases[i].json, cases[i].row,
                     mapper->refused_count > 0 ? mapper->refused[0] : made);
    }
    assert_int_equal(mapper->event_count, 0); /* the last was skipped */
    assert_int_equal(mapping_resume_row(mapper->worker), 2);
}

static void keys_of_events(void **state)
{
    uint8_t natural[16], message[16];
    (void)state;
    /* Without a key two events are two, and two identical rows are one. */
    mapper_start(mapper, SMALL(",'properties':{'p':'[x]'}"), "id|t|x");
    assert_ok(mapper_row(mapper, "u1|2024-01-05|a"));
    assert_ok(mapper_row(mapper, "u1|2024-01-05|b"));
    assert_ok(mapper_row(mapper, "u1|2024-01-05|a"));
    assert_memory_not_equal(mapper->natural_keys[0], mapper->natural_keys[1], 16);
    assert_memory_equal(mapper->natural_keys[0], mapper->natural_keys[2], 16);
    assert_memory_equal(mapper->message_keys[0], mapper->message_keys[2], 16);
    /* With a key a corrected row is known, whoever it is of now. */
    mapper_start(mapper, SMALL(",'key':'[x]'"), "id|t|x");
    assert_ok(mapper_row(mapper, "u1|2024-01-05|a"));
    assert_ok(mapper_row(mapper, "u2|2024-01-06|a"));
    assert_memory_equal(mapper->natural_keys[0], mapper->natural_keys[1], 16);
    assert_memory_not_equal(mapper->message_keys[0], mapper->message_keys[1], 16);
    /* What is said to happen this evening counts as now, and is tomorrow still the same event. */
    mapper_start(mapper, SMALL(""), "id|t|x");
    assert_ok(mapper_row(mapper, "u1|2026-11-22 10:00:00|"));
    assert_non_null(strstr(mapper->events[0], "2026-11-21T18:12:11.504Z"));
    memcpy(natural, mapper->natural_keys[0], 16);
    memcpy(message, mapper->message_keys[0], 16);
    mapper->context.received_ms += DAY_MS;
    mapper_start(mapper, SMALL(""), "id|t|x");
    assert_ok(mapper_row(mapper, "u1|2026-11-22 10:00:00|"));
    assert_non_null(strstr(mapper->events[0], "2026-11-22T02:00:00.000Z"));
    assert_memory_equal(mapper->natural_keys[0], natural, 16);
    assert_memory_equal(mapper->message_keys[0], message, 16);
}

static void rows_of_another_length(void **state)
{
    (void)state;
    mapper_start(mapper, SMALL(",'properties':{'p':'[x]'}"), "id|t|x");
    assert_ok(mapper_row(mapper, "u1|2024-01-05"));
    assert_ok(mapper_row(mapper, "u1|2024-01-05|a|b|c|d"));
    assert_int_equal(mapper->event_count, 2);
    assert_ok(mapper_row(mapper, ""));
    assert_int_equal(mapper->refused_count, 1);
}

static void mappings_that_are_wrong(void **state)
{
    static const char *const cases[][3] = {
        { "[]", "", "a mapping is an object" },
        { "{'kind':'x'}", "", "events, customers or objects" },
        { SMALL(",'foo':1"), "", "knows no 'foo'" },
        { SMALL(",'zone':'Mars'"), "", "a zone that nobody knows" },
        { SMALL(",'properties':{'p':'[nix]'}"), "/properties/p", "no column 'nix'" },
        { SMALL(",'properties':{'p':{'column':'x','constant':1}}"), "/properties/p", "either" },
        { SMALL(",'properties':{'p':{'type':'text'}}"), "/properties/p", "without its source" },
        { SMALL(",'properties':{'p':{'column':'x','type':'uuid'}}"), "/properties/p",
          "a type that nobody knows" },
        { SMALL(",'properties':{'p':['x']}"), "/properties/p", "no list" },
        { SMALL(",'properties':{'':'[x]'}"), "/properties/", "1 to 200 bytes" },
        { SMALL(",'properties':[{'name':'p','column':'x'},{'name':'p','column':'x'}]"),
          "/properties/1", "twice" },
        { SMALL(",'properties':{'p':{'column':'x','map':'t'}}"), "/properties/p", "no table 't'" },
        { SMALL(",'properties':{'p':{'column':'x','map':{'a':[1]}}}"), "/properties/p",
          "neither text nor null" },
        { SMALL(",'events':[{'event':'X'}]"), "", "say 'event'" },
        { SMALL(",'when':'1 +'"), "/when", "nothing where a value is wanted" },
        { SMALL(",'tags':[{'key':'k','at':'[t]','colour':1}]"), "/tags/0", "knows no 'colour'" },
        { SMALL(",'tags':{}"), "/tags", "a list is wanted" },
        { SMALL(",'objects':[{'kind':'store'}]"), "/objects/0", "without its kind or id" },
        { SMALL(",'lines':{'columns':{}}"), "/lines", "lines without 'group_by'" },
        { SMALL(",'lines':{'group_by':'[x]','sums':{'s':{}}}"), "/lines/sums/s", "source" },
        { SMALL(",'nulls':'x'"), "", "'nulls' is a list" },
        { "{'kind':'events','event':'E','identifiers':[{'type':'user_id','column':'id'}]}", "",
          "events without a time" },
        { "{'kind':'events','event':'E','time':'[t]'}", "", "no identifiers" },
        { "{'kind':'events','time':'[t]','identifiers':[{'type':'user_id','column':'id'}]}", "",
          "say 'event'" },
        { "{'kind':'customers','event':'E'}", "", "only a mapping of kind 'events'" },
        { "{'kind':'objects'}", "", "makes nothing" },
        { "{'kind':'events','event':'E','time':'[t]','identifiers':[{'type':'Nix','column':'id'}]}",
          "/identifiers/0", "type that can be a name" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_err(mapper_compile(mapper, cases[i][0], "id|t|x"), ERR_UNPROCESSABLE);
        if (strstr(mapper->problem.detail, cases[i][2]) == NULL ||
            strcmp(mapper->problem.pointer, cases[i][1]) != 0)
            fail_msg("%s: %s at '%s'", cases[i][0], mapper->problem.detail,
                     mapper->problem.pointer);
    }
    /* Without columns the form is checked alone, and rows cannot be run. */
    assert_ok(mapper_compile(mapper, SMALL(",'properties':{'p':'[nix]'}"), NULL));
    assert_err(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem),
        ERR_UNPROCESSABLE);
}

/* ---- the same values through Segment's door ---- */

static const struct event *through_the_door(struct doors *doors, const char *body)
{
    assert_int_equal(doors_post(doors, "/v1/import", BASIC_SHOP, body), 200);
    assert_int_equal(doors->count, 1);
    return &doors->events[0];
}

struct same {
    const struct event *wanted;
    struct arena *arena;
    bool seen;
    struct keys *keys; /* of the door */
};

/* Everything but what differs by its nature: message keys, sources, seals' nonces (opened by the text of the event). */
static bool compare_with_door(void *context, const struct mapping_event *made)
{
    struct same *same = context;
    const struct event *a = made->event, *b = same->wanted;
    same->seen = true;
    assert_str_equal(a->type, b->type);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->time_ms, b->time_ms);
    assert_int_equal(a->shape, b->shape);
    assert_str_equal(a->channel, b->channel);
    assert_str_equal(a->context, b->context);
    assert_int_equal(a->promoted_set, b->promoted_set);
    for (unsigned i = 0; i < PROMOTED_COUNT; i++) {
        if ((a->promoted_set >> i & 1) == 0)
            continue;
        assert_str_equal(a->promoted_text[i], b->promoted_text[i]);
        assert_int_equal(a->promoted_int[i], b->promoted_int[i]);
    }
    assert_int_equal(a->identifier_count, b->identifier_count);
    for (uint32_t i = 0; i < a->identifier_count; i++) {
        const struct event_identifier *one = &a->identifiers[i], *other = &b->identifiers[i];
        assert_str_equal(one->type, other->type);
        assert_int_equal(one->flags, other->flags);
        assert_memory_equal(one->hash, other->hash, HASH_BYTES);
        assert_memory_equal(one->tail_hash, other->tail_hash, sizeof one->tail_hash);
        assert_int_equal(one->other_hash_count, other->other_hash_count);
        assert_memory_equal(one->other_hashes, other->other_hashes,
                            one->other_hash_count * HASH_BYTES);
    }
    struct keys *keys = mapper->keys; /* what the door sealed opens with its own */
    mapper->keys = same->keys;
    const char *text = mapper_text(mapper, b);
    mapper->keys = keys;
    assert_string_equal(mapper_text(mapper, a), text);
    return true;
}

static void an_event_from_a_file_is_that_of_a_door(void **state)
{
    static const struct {
        const char *mapping, *columns, *row, *body;
    } cases[] = {
        { "{'kind':'events','channel':'server','event':'Order Paid','time':'[t]','identifiers':["
          "{'type':'user_id','column':'u'},{'type':'mobile','column':'m'}],'properties':{"
          "'order_id':'[o]','revenue':'[r]','receiver_phone':'[m]','note':'[n]','shipping':'[s]',"
          "'address':'[a]','currency':{'constant':'CNY'}}}",
          "u|m|t|o|r|n|s|a", "u1|13912340007|2024-01-05 08:00:00|A1|99.90|hi|5|杭州西湖区1号",
          "{\"batch\":[{\"type\":\"track\",\"event\":\"Order Paid\",\"userId\":\"u1\",\"messageId\":"
          "\"m\",\"timestamp\":\"2024-01-05T00:00:00Z\",\"context\":{\"traits\":{\"phone\":"
          "\"139 1234 0007\"}},\"properties\":{\"order_id\":\"A1\",\"revenue\":99.90,"
          "\"receiver_phone\":\"13912340007\",\"note\":\"hi\",\"shipping\":5,\"address\":"
          "\"杭州西湖区1号\",\"currency\":\"CNY\"}}]}" },
        { "{'kind':'events','channel':'server','event':'Store Visited','time':'[t]','identifiers':["
          "{'type':'user_id','column':'u'}],'properties':{'store_id':'[s]','url':'[l]','mail':'[e]',"
          "'vip':{'column':'v','type':'boolean'},'tags':{'column':'g','type':'list'}}}",
          "u|t|s|l|e|v|g",
          "u1|2024-01-05T00:00:00Z|S1|https://a.cn/p?email=a%40b.cn&x=1|Li@Example.cn|是|a,b",
          "{\"batch\":[{\"type\":\"track\",\"event\":\"Store Visited\",\"userId\":\"u1\","
          "\"messageId\":\"m\",\"timestamp\":\"2024-01-05T00:00:00Z\",\"properties\":{\"store_id\":"
          "\"S1\",\"url\":\"https://a.cn/p?email=a%40b.cn&x=1\",\"mail\":\"Li@Example.cn\","
          "\"vip\":true,\"tags\":[\"a\",\"b\"]}}]}" },
    };
    struct doors *doors = calloc(1, sizeof *doors);
    (void)state;
    doors_open(doors, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct same same = { .wanted = through_the_door(doors, cases[i].body),
                             .keys = doors->keys };
        struct table_cell cells[16];
        str rest = str_from_c(cases[i].row), cell;
        uint32_t count = 0;
        mapper_start(mapper, cases[i].mapping, cases[i].columns);
        while (str_split(&rest, '|', &cell))
            cells[count++] = (struct table_cell){ .kind = CELL_TEXT, .text = cell };
        struct table_row row = { .number = 1, .cell_count = count, .cells = cells };
        assert_ok(mapping_row(mapper->worker, &row, compare_with_door, mapper_refuse, &same,
                              &mapper->problem));
        if (mapper->refused_count > 0)
            fail_msg("%s", mapper->refused[0]);
        assert_true(same.seen);
    }
    doors_close(doors);
    free(doors);
}

#ifdef KITH_FAULTS
#define FRUGAL                                                                                   \
    "{'kind':'events','event':'Order Paid','currency':'CNY','time':'[t]','identifiers':["        \
    "{'type':'mobile','column':'m'}],'tables':{'w':{'a':'b'}},'properties':{'p':"                \
    "'if(matches([x],`^a`), lookup([x],`w`), concat([x],`!`))','q':{'lua':'return row.x .. 1'}," \
    "'j':{'constant':[1,2]}},'lines':{'group_by':'[o]','columns':{'price':'[p]','name':'[x]'}}}"

/* One whole run, from the JSON to the last event. */
static err run_frugally(json_value root)
{
    static const str names[] = { { "m", 1 }, { "t", 1 }, { "x", 1 }, { "o", 1 }, { "p", 1 } };
    struct table_cell cells[] = { { CELL_TEXT, STR("13912340007") },
                                  { CELL_TEXT, STR("2024-01-05") },
                                  { CELL_TEXT, STR("ａｂ") },
                                  { CELL_TEXT, STR("A1") },
                                  { CELL_TEXT, STR("￥1,234.50") } };
    err error = mapping_new_named(&mapper->mapping, root, names, 5, &mapper->problem);
    if (error == ERR_OK)
        error = mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context,
                                   &mapper->problem);
    for (uint64_t i = 1; i <= 3 && error == ERR_OK; i++) {
        struct table_row row = { .number = i, .cell_count = 5, .cells = cells, .raw = STR("raw") };
        error =
            mapping_row(mapper->worker, &row, mapper_emit, mapper_refuse, mapper, &mapper->problem);
    }
    return error;
}

static bool count_event(void *context, const struct mapping_event *event)
{
    (void)event;
    ++*(size_t *)context;
    return true;
}

static bool refuse_nothing(void *context, uint64_t row, str raw, str code,
                           const struct problem *problem)
{
    (void)context;
    (void)raw;
    fail_msg("row %llu is refused by " STR_FMT ": %s", (unsigned long long)row, STR_ARG(code),
             problem->detail);
    return false;
}
#endif

/* Every allocation made to fail in turn: the run ends with NOMEM, or it did not matter. */
static void memory_that_runs_out(void **state)
{
#ifdef KITH_FAULTS
    uint64_t nth = 1, passed = 1; /* allocations of the run before */
    (void)state;
    for (; passed >= nth - 1; nth++) {
        size_t events = 0;
        json_value root;
        mapper_forget(mapper);
        assert_ok(json_parse(mapper->parser, mapper_json(mapper, FRUGAL), &root, NULL));
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
        err error = run_frugally(root);
        if (error == ERR_OK)
            error =
                mapping_end(mapper->worker, count_event, refuse_nothing, &events, &mapper->problem);
        passed = fault_count(FAULT_MEMORY);
        fault_disarm();
        if (error != ERR_OK)
            assert_err(error, ERR_NOMEM);
        else
            assert_int_equal(events, 1);
    }
    assert_true(nth > 50);
#else
    (void)state;
    skip();
#endif
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_row_becomes_an_event),
        TEST(one_row_makes_several_events),
        TEST(members_become_customers),
        TEST(old_tags_are_dated_traits),
        TEST(objects_and_relations),
        TEST(guarded_digits_are_right),
        TEST(refusals_say_what_is_wrong),
        TEST(what_is_said_of_columns_counts),
        TEST(keys_of_events),
        TEST(rows_of_another_length),
        TEST(mappings_that_are_wrong),
        TEST(an_event_from_a_file_is_that_of_a_door),
        TEST(memory_that_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
