/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of identifier types. */
#include "server/labels.h"

/* What the types of the start are called, until somebody calls them otherwise. */
static const struct {
    const char *name, *zh, *en;
} type_labels[] = {
    { "user_id", "用户 ID", "User id" },
    { "member_card", "会员卡号", "Member card" },
    { "wx_unionid", "微信 UnionID", "WeChat union id" },
    { "mobile", "手机号", "Mobile" },
    { "email", "邮箱", "E-mail" },
    { "wx_openid", "微信 OpenID", "WeChat open id" },
    { "wecom_external_userid", "企微外部联系人", "WeCom contact" },
    { "tmall_open_uid", "天猫买家", "Tmall buyer" },
    { "jd_open_id", "京东买家", "JD buyer" },
    { "douyin_doudian_open_id", "抖店买家", "Douyin buyer" },
    { "pdd_open_id", "拼多多买家", "Pinduoduo buyer" },
    { "vip_open_id", "唯品会买家", "Vipshop buyer" },
    { "yz_open_id", "有赞买家", "Youzan buyer" },
    { "order_no", "订单号", "Order number" },
    { "receiver_key", "收货人", "Receiver" },
    { "device", "设备", "Device" },
    { "anonymous_id", "匿名访客", "Visitor" },
};

void label_of_type(str name, str *zh, str *en)
{
    for (size_t i = 0; i < sizeof(type_labels) / sizeof(type_labels[0]); i++)
        if (str_equal(name, str_from_c(type_labels[i].name))) {
            *zh = str_from_c(type_labels[i].zh);
            *en = str_from_c(type_labels[i].en);
        }
}

void label_of_type_in(json_value types, str name, str *zh, str *en)
{
    struct json_iterator iterator = json_iterate(types);
    json_value type;
    *zh = *en = name;
    label_of_type(name, zh, en);
    while (json_next(&iterator, NULL, &type)) {
        if (!str_equal(json_text(json_get(type, STR("name"))), name))
            continue;
        json_value label = json_get(type, STR("label"));
        str text = json_text(json_get(label, STR("zh")));
        *zh = text.size > 0 ? text : *zh;
        text = json_text(json_get(label, STR("en")));
        *en = text.size > 0 ? text : *en;
    }
}
