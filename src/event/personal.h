/* SPDX-License-Identifier: Apache-2.0 */
/* personal: which names and which values stand for a person, in one table.
 *
 * Doors seal what this room calls personal, in properties and traits, at any depth. The reasons for what
 * is in the table, and what is not, are in docs/formats/event.md.
 *
 * Names are compared without case, and without '_', '-', '.', ' ' and '$': receiver_phone,
 * receiverPhone and $receiver-phone are one name. Any thread; no state.
 */
#ifndef KITH_EVENT_PERSONAL_H
#define KITH_EVENT_PERSONAL_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/str.h"

enum personal_kind {
    PERSONAL_NONE,
    PERSONAL_PHONE,
    PERSONAL_EMAIL,
    PERSONAL_ID_CARD,
    PERSONAL_NAME,        /* of a receiver: a stranger to us, and with the address a person */
    PERSONAL_ADDRESS,     /* text is sealed whole, of an object what is finer than the district */
    PERSONAL_RECEIVER,    /* an object around a receiver: its 'name' is personal too */
};

/* X(kind, name without case and separators) */
#define PERSONAL_TABLE(X)                                                                     \
    X(PHONE, "phone") X(PHONE, "phones") X(PHONE, "phonenumber") X(PHONE, "phoneno")          \
    X(PHONE, "mobile") X(PHONE, "mobiles") X(PHONE, "mobilephone") X(PHONE, "mobilenumber")   \
    X(PHONE, "mobileno") X(PHONE, "tel") X(PHONE, "telephone") X(PHONE, "cellphone")          \
    X(PHONE, "cell") X(PHONE, "identitymobile") X(PHONE, "contactphone")                      \
    X(PHONE, "contactmobile") X(PHONE, "contacttel") X(PHONE, "buyerphone")                   \
    X(PHONE, "buyermobile") X(PHONE, "receiverphone") X(PHONE, "receivermobile")              \
    X(PHONE, "receivertel") X(PHONE, "recipientphone") X(PHONE, "consigneephone")             \
    X(PHONE, "consigneemobile") X(PHONE, "userphone") X(PHONE, "usermobile")                  \
    X(PHONE, "customerphone") X(PHONE, "customermobile") X(PHONE, "memberphone")              \
    X(PHONE, "membermobile") X(PHONE, "shippingphone") X(PHONE, "billingphone")               \
    X(PHONE, "whatsapp") X(PHONE, "purephonenumber") X(PHONE, "fax")                          \
    X(PHONE, "手机") X(PHONE, "手机号") X(PHONE, "手机号码") X(PHONE, "电话")                  \
    X(PHONE, "电话号码") X(PHONE, "联系电话") X(PHONE, "联系方式") X(PHONE, "收货人手机")      \
    X(PHONE, "收货人电话") X(PHONE, "收件人手机") X(PHONE, "收件人电话")                       \
    X(EMAIL, "email") X(EMAIL, "emails") X(EMAIL, "mail") X(EMAIL, "emailaddress")            \
    X(EMAIL, "identityemail") X(EMAIL, "useremail") X(EMAIL, "buyeremail")                    \
    X(EMAIL, "customeremail") X(EMAIL, "receiveremail") X(EMAIL, "contactemail")              \
    X(EMAIL, "邮箱") X(EMAIL, "电子邮箱")                                                      \
    X(ID_CARD, "idcard") X(ID_CARD, "idcardno") X(ID_CARD, "idcardnumber") X(ID_CARD, "idno") \
    X(ID_CARD, "idnumber") X(ID_CARD, "identitycard") X(ID_CARD, "identityno")                \
    X(ID_CARD, "passport") X(ID_CARD, "passportno") X(ID_CARD, "bankcard")                    \
    X(ID_CARD, "bankcardno") X(ID_CARD, "bankaccount") X(ID_CARD, "ssn")                      \
    X(ID_CARD, "身份证") X(ID_CARD, "身份证号") X(ID_CARD, "身份证号码") X(ID_CARD, "银行卡号")  \
    X(NAME, "receivername") X(NAME, "recipientname") X(NAME, "consigneename")                 \
    X(NAME, "shippingname") X(NAME, "billingname") X(NAME, "realname") X(NAME, "idname")      \
    X(NAME, "收货人") X(NAME, "收件人") X(NAME, "收货人姓名") X(NAME, "收件人姓名")             \
    X(NAME, "真实姓名")                                                                       \
    X(ADDRESS, "address") X(ADDRESS, "addresses") X(ADDRESS, "addr") X(ADDRESS, "street")     \
    X(ADDRESS, "streetaddress") X(ADDRESS, "addressline") X(ADDRESS, "addressline1")          \
    X(ADDRESS, "addressline2") X(ADDRESS, "address1") X(ADDRESS, "address2")                  \
    X(ADDRESS, "addressdetail") X(ADDRESS, "detailaddress") X(ADDRESS, "fulladdress")         \
    X(ADDRESS, "homeaddress") X(ADDRESS, "shippingaddress") X(ADDRESS, "billingaddress")      \
    X(ADDRESS, "deliveryaddress") X(ADDRESS, "receiveraddress")                               \
    X(ADDRESS, "recipientaddress") X(ADDRESS, "consigneeaddress")                             \
    X(ADDRESS, "postaladdress") X(ADDRESS, "地址") X(ADDRESS, "详细地址")                      \
    X(ADDRESS, "收货地址") X(ADDRESS, "联系地址") X(ADDRESS, "家庭住址")                        \
    X(RECEIVER, "receiver") X(RECEIVER, "recipient") X(RECEIVER, "consignee")                 \
    X(RECEIVER, "shippingto") X(RECEIVER, "deliverto")

/* What a property or trait of this name holds. */
enum personal_kind personal_by_name(str name);

/* What a text is by its looks, under a name that tells nothing: a whole phone number of a person, a
 * whole e-mail address; NONE for all else. */
enum personal_kind personal_by_value(str text);

/* Names whose values are codes of things (…_id, …_no, sku, code): they are not sealed by looks,
 * because rules and joins need them, and an order number may look like a phone. */
bool personal_name_is_code(str name);

/* Does the text hide what it stands for (138****1234, 张*)? Such a text stays as it is. */
bool personal_is_masked(str text);

/* Within an address or around a receiver: members that say less than a person, and stay plain. */
bool personal_is_coarse(str name);

/* The masked form of a personal text, for people to see: 138****1234, a***@x.com, 张**. */
void personal_write_masked(struct buffer *out, enum personal_kind kind, str text);

#endif
