/* SPDX-License-Identifier: Apache-2.0 */
/* The events that are known from the start. */
#include "event/known.h"

#include <string.h>

#define PRODUCT \
    "product_id sku category name brand variant price quantity coupon position url image_url"
#define MONEY_OF_ORDER "total subtotal revenue shipping tax discount coupon currency"

/* Segment's Ecommerce Events v2 first, in the order of its page; ours behind. The place in this
 * table is the event's number in the plan: only ever add at the end. */
const struct known_event known_events[] = {
    { "Products Searched", "a visitor searched", "query", false },
    { "Product List Viewed", "a visitor saw a list of products", "list_id category products",
      false },
    { "Product List Filtered", "a visitor filtered a list of products",
      "list_id category filters sorts products", false },
    { "Promotion Viewed", "a visitor saw a promotion", "promotion_id creative name position",
      false },
    { "Promotion Clicked", "a visitor clicked a promotion", "promotion_id creative name position",
      false },
    { "Product Clicked", "a visitor clicked a product", "P", false },
    { "Product Viewed", "a visitor saw a product", "P currency value", false },
    { "Product Added", "a product went into the cart", "cart_id P currency value", false },
    { "Product Removed", "a product was taken out of the cart", "cart_id P currency value", false },
    { "Cart Viewed", "a visitor saw the cart", "cart_id products", false },
    { "Checkout Started", "the checkout began",
      "order_id affiliation value " MONEY_OF_ORDER " products", false },
    { "Checkout Step Viewed", "a step of the checkout was seen",
      "checkout_id step shipping_method payment_method", false },
    { "Checkout Step Completed", "a step of the checkout was done",
      "checkout_id step shipping_method payment_method", false },
    { "Payment Info Entered", "the means of payment were given",
      "checkout_id order_id step shipping_method payment_method", false },
    { "Order Completed", "an order was paid (counts as Order Paid)",
      "checkout_id order_id affiliation channel store_id campaign value " MONEY_OF_ORDER
      " products",
      true },
    { "Order Updated", "an order was changed",
      "order_id affiliation channel store_id value " MONEY_OF_ORDER " products", true },
    { "Order Refunded", "money of an order was given back",
      "order_id affiliation channel store_id refund_id reason value " MONEY_OF_ORDER " products",
      true },
    { "Order Cancelled", "an order was cancelled",
      "order_id affiliation channel store_id reason value " MONEY_OF_ORDER " products", true },
    { "Coupon Entered", "a coupon code was typed in", "order_id cart_id coupon_id coupon_name",
      false },
    { "Coupon Applied", "a coupon was applied to an order",
      "order_id cart_id coupon_id coupon_name discount", false },
    { "Coupon Denied", "a coupon was refused", "order_id cart_id coupon_id coupon_name reason",
      false },
    { "Coupon Removed", "a coupon was taken off an order",
      "order_id cart_id coupon_id coupon_name discount", false },
    { "Product Added to Wishlist", "a product went onto a wishlist", "wishlist_id wishlist_name P",
      false },
    { "Product Removed from Wishlist", "a product was taken off a wishlist",
      "wishlist_id wishlist_name P", false },
    { "Wishlist Product Added to Cart", "a product went from a wishlist into the cart",
      "wishlist_id wishlist_name cart_id P", false },
    { "Product Shared", "a product was shared", "share_via share_message recipient P", false },
    { "Cart Shared", "a cart was shared", "share_via share_message recipient cart_id products",
      false },
    { "Product Reviewed", "a product was reviewed", "product_id review_id review_body rating",
      false },
    { "Order Placed", "an order was placed, not yet paid",
      "order_id affiliation channel store_id campaign value " MONEY_OF_ORDER " products", true },
    { "Order Paid", "an order was paid",
      "order_id affiliation channel store_id campaign payment_method value " MONEY_OF_ORDER
      " products",
      true },
    { "Deposit Paid", "the deposit of a presale was paid",
      "order_id affiliation channel store_id campaign value " MONEY_OF_ORDER " products", true },
    { "Parcel Shipped", "a parcel left the warehouse",
      "order_id parcel_id carrier tracking_no affiliation channel products", false },
    { "Parcel Signed", "a parcel was signed for",
      "order_id parcel_id carrier tracking_no affiliation channel", false },
    { "Parcel Returned", "a parcel came back",
      "order_id parcel_id carrier tracking_no affiliation channel reason", false },
    { "Store Visited", "a customer came into a store", "store_id store_name city adviser_id",
      false },
    { "Coupon Claimed", "a coupon was taken",
      "coupon_id coupon_name coupon campaign discount channel", false },
    { "Coupon Used", "a coupon was redeemed",
      "coupon_id coupon_name coupon order_id campaign discount channel store_id", false },
    { "Content Shared", "content was shared",
      "content_id content_type title share_via channel campaign url", false },
    { "Skin Test Taken", "a skin test was taken",
      "test_id skin_type score concerns store_id adviser_id channel", false },
};
const size_t known_event_count = sizeof known_events / sizeof known_events[0];

static const struct known_property properties[] = {
    { "adviser_id", KNOWN_TEXT },
    { "affiliation", KNOWN_TEXT },
    { "brand", KNOWN_TEXT },
    { "campaign", KNOWN_TEXT },
    { "carrier", KNOWN_TEXT },
    { "cart_id", KNOWN_TEXT },
    { "category", KNOWN_TEXT },
    { "channel", KNOWN_TEXT },
    { "checkout_id", KNOWN_TEXT },
    { "city", KNOWN_TEXT },
    { "concerns", KNOWN_LIST },
    { "content_id", KNOWN_TEXT },
    { "content_type", KNOWN_TEXT },
    { "coupon", KNOWN_TEXT },
    { "coupon_id", KNOWN_TEXT },
    { "coupon_name", KNOWN_TEXT },
    { "creative", KNOWN_TEXT },
    { "currency", KNOWN_TEXT },
    { "discount", KNOWN_MONEY },
    { "filters", KNOWN_LIST },
    { "image_url", KNOWN_TEXT },
    { "list_id", KNOWN_TEXT },
    { "name", KNOWN_TEXT },
    { "order_id", KNOWN_TEXT },
    { "parcel_id", KNOWN_TEXT },
    { "payment_method", KNOWN_TEXT },
    { "position", KNOWN_TEXT },
    { "price", KNOWN_MONEY },
    { "product_id", KNOWN_TEXT },
    { "products", KNOWN_LIST },
    { "promotion_id", KNOWN_TEXT },
    { "quantity", KNOWN_DECIMAL },
    { "query", KNOWN_TEXT },
    { "rating", KNOWN_DECIMAL },
    { "reason", KNOWN_TEXT },
    { "recipient", KNOWN_TEXT },
    { "refund_id", KNOWN_TEXT },
    { "revenue", KNOWN_MONEY },
    { "review_body", KNOWN_TEXT },
    { "review_id", KNOWN_TEXT },
    { "score", KNOWN_DECIMAL },
    { "share_message", KNOWN_TEXT },
    { "share_via", KNOWN_TEXT },
    { "shipping", KNOWN_MONEY },
    { "shipping_method", KNOWN_TEXT },
    { "skin_type", KNOWN_TEXT },
    { "sku", KNOWN_TEXT },
    { "sorts", KNOWN_LIST },
    { "step", KNOWN_TEXT },
    { "store_id", KNOWN_TEXT },
    { "store_name", KNOWN_TEXT },
    { "subtotal", KNOWN_MONEY },
    { "tax", KNOWN_MONEY },
    { "test_id", KNOWN_TEXT },
    { "title", KNOWN_TEXT },
    { "total", KNOWN_MONEY },
    { "tracking_no", KNOWN_TEXT },
    { "url", KNOWN_TEXT },
    { "value", KNOWN_MONEY },
    { "variant", KNOWN_TEXT },
    { "wishlist_id", KNOWN_TEXT },
    { "wishlist_name", KNOWN_TEXT },
};

const struct known_property *known_property(str name)
{
    size_t low = 0, high = sizeof properties / sizeof properties[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_compare(name, str_from_c(properties[middle].name));
        if (order == 0)
            return &properties[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct known_event *known_event(str name)
{
    for (size_t i = 0; i < known_event_count; i++)
        if (name.size > 0 && known_events[i].name[0] == name.data[0] &&
            str_equal(name, str_from_c(known_events[i].name)))
            return &known_events[i];
    return NULL;
}

/* *at counts bytes of the list with "P" replaced; the product's names stand where P is. */
bool known_event_next(const struct known_event *event, size_t *at, str *name)
{
    str list = str_from_c(event->properties), product = STR(PRODUCT);
    size_t p = list.size;
    for (size_t i = 0; i < list.size; i++)
        if (list.data[i] == 'P' && (i == 0 || list.data[i - 1] == ' ') &&
            (i + 1 == list.size || list.data[i + 1] == ' '))
            p = i;
    bool has_product = p < list.size;
    size_t product_end = has_product ? p + product.size : p;
    size_t end = has_product ? list.size - 1 + product.size : list.size;
    if (*at >= end)
        return false;
    str part = *at < p ? str_slice(list, *at, list.size)
               : has_product && *at < product_end
                   ? str_slice(product, *at - p, product.size)
                   : str_slice(list, *at - product.size + 1, list.size);
    size_t size = str_find_byte(part, ' ');
    *name = str_slice(part, 0, size);
    *at += size + 1;
    return true;
}
