/* SPDX-License-Identifier: Apache-2.0 */
/* guard: where requests may go (C5). The address that is connected to is judged, never the name: whatever form a host has
 * (decimal, octal, mapped, a name that changes its answer), in the end it is one of these bytes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "channel/channel_inside.h"

struct range {
    uint8_t bytes[16];
    unsigned bits;
};

/* IANA's registry of special-purpose addresses, IPv4: all that is not globally reachable, and multicast. */
static const struct range RANGES4[] = {
    { { 0 }, 8 },             /* this network; 0.0.0.0 is the host itself */
    { { 10 }, 8 },            /* RFC 1918 */
    { { 100, 64 }, 10 },      /* carrier's NAT; Aliyun's metadata 100.100.100.200 */
    { { 127 }, 8 },           /* loopback */
    { { 169, 254 }, 16 },     /* link-local; metadata 169.254.169.254 */
    { { 172, 16 }, 12 },      /* RFC 1918 */
    { { 192, 0, 0 }, 24 },    /* protocol assignments; Oracle's metadata 192.0.0.192 */
    { { 192, 0, 2 }, 24 },    /* documentation */
    { { 192, 88, 99 }, 24 },  /* 6to4 relays */
    { { 192, 168 }, 16 },     /* RFC 1918 */
    { { 198, 18 }, 15 },      /* benchmarks */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 4 },           /* multicast */
    { { 240 }, 4 },           /* reserved, broadcast */
};
/* IPv6: only 2000::/3 is global, and of it not these. */
static const struct range GLOBAL6 = { { 0x20 }, 3 };
static const struct range RANGES6[] = {
    { { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* Teredo, ORCHID, benchmarks */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x3f, 0xff }, 20 },             /* documentation */
};
static const struct range MAPPED = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 };
static const struct range NAT64 = { { 0, 0x64, 0xff, 0x9b }, 96 };
static const struct range SIX_TO_FOUR = { { 0x20, 0x02 }, 16 };

static bool is_within(const uint8_t *bytes, const struct range *range)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(bytes, range->bytes, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00U >> rest);
    return rest == 0 || (bytes[whole] & mask) == (range->bytes[whole] & mask);
}

static bool is_private4(const uint8_t *bytes)
{
    for (size_t i = 0; i < sizeof RANGES4 / sizeof RANGES4[0]; i++)
        if (is_within(bytes, &RANGES4[i]))
            return true;
    return false;
}

/* An IPv4 address inside of an IPv6 one counts as itself. */
static bool is_private6(const uint8_t *bytes)
{
    if (is_within(bytes, &MAPPED) || is_within(bytes, &NAT64))
        return is_private4(bytes + 12);
    if (is_within(bytes, &SIX_TO_FOUR))
        return is_private4(bytes + 2);
    if (!is_within(bytes, &GLOBAL6))
        return true;
    for (size_t i = 0; i < sizeof RANGES6 / sizeof RANGES6[0]; i++)
        if (is_within(bytes, &RANGES6[i]))
            return true;
    return false;
}

bool guard_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        return is_private4((const uint8_t *)&four.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        return is_private6(six.sin6_addr.s6_addr);
    }
    return true; /* neither: not the internet */
}

bool guard_is_private_text(const char *ip)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, ip, bytes) == 1)
        return is_private4(bytes);
    return inet_pton(AF_INET6, ip, bytes) != 1 || is_private6(bytes);
}

/* Where other services listen that understand lines: the list of browsers (WHATWG Fetch, 'bad port'), and databases. */
static const uint16_t REFUSED_PORTS[] = {
    1,    7,    9,    11,   13,   15,   17,   19,   20,   21,    22,    23,    25,   37,
    42,   43,   53,   69,   77,   79,   87,   95,   101,  102,   103,   104,   109,  110,
    111,  113,  115,  117,  119,  123,  135,  137,  139,  143,   161,   179,   389,  427,
    465,  512,  513,  514,  515,  526,  530,  531,  532,  540,   548,   554,   556,  563,
    587,  601,  636,  989,  990,  993,  995,  1433, 1521, 1719,  1720,  1723,  2049, 2375,
    2379, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 6000,  6379,  6566,  6665, 6666,
    6667, 6668, 6669, 6679, 6697, 9042, 9092, 9200, 9300, 10080, 11211, 27017,
};

bool guard_port_is_refused(long port)
{
    for (size_t i = 0; i < sizeof REFUSED_PORTS / sizeof REFUSED_PORTS[0]; i++)
        if (REFUSED_PORTS[i] == port)
            return true;
    return port <= 0 || port > 65535;
}

static err refuse(struct problem *problem, const char *what, const char *cure)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", what);
    return problem_hint(problem, ERR_UNPROCESSABLE, "%s", cure);
}

static err check_parts(CURLU *parts, bool allow_private, struct problem *problem)
{
    char *scheme = NULL, *host = NULL, *user = NULL, *port = NULL;
    err error = ERR_OK;
    int64_t number = 0;
    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(parts, CURLUPART_HOST, &host, 0);
    curl_url_get(parts, CURLUPART_USER, &user, 0);
    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (scheme == NULL || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        error = refuse(problem, "the URL is neither http nor https", "write https://host/path");
    else if (user != NULL)
        error = refuse(problem, "the URL has a user name before its host", "put it into a header");
    else if (host == NULL || host[0] == '\0')
        error = refuse(problem, "the URL has no host", "write https://host/path");
    else if (!allow_private &&
             (!str_to_int64(str_from_c(port), &number) || guard_port_is_refused((long)number)))
        error = refuse(problem, "the URL's port belongs to another kind of service",
                       "set 'allow_private' if it is meant");
    else if (!allow_private) {
        /* An address written out is told at once; what a name leads to, when it is connected to. */
        size_t size = strlen(host);
        char bare[64];
        bool bracket = host[0] == '[' && size - 2 < sizeof bare;
        if (bracket) {
            memcpy(bare, host + 1, size - 2);
            bare[size - 2] = '\0';
        }
        const char *ip = bracket ? bare : host;
        uint8_t bytes[16];
        if ((inet_pton(AF_INET, ip, bytes) == 1 || inet_pton(AF_INET6, ip, bytes) == 1 ||
             bracket) &&
            guard_is_private_text(ip))
            error = refuse(problem, "the URL leads to a private address",
                           "set 'allow_private' if it is meant");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(port);
    return error;
}

err guard_check_url(str url, bool allow_private, struct problem *problem)
{
    char text[4096];
    if (url.size >= sizeof text)
        return refuse(problem, "the URL is longer than 4095 bytes", "shorten it");
    for (size_t i = 0; i < url.size; i++)
        if ((unsigned char)url.data[i] <= 0x20 || url.data[i] == 0x7f || url.data[i] == '\\')
            return refuse(problem, "the URL has a space, a control character or a backslash",
                          "percent-encode it");
    memcpy(text, url.data, url.size);
    text[url.size] = '\0';
    CURLU *parts = curl_url();
    if (parts == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a URL");
    err error = curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK
                    ? check_parts(parts, allow_private, problem)
                    : refuse(problem, "the URL cannot be read", "write https://host/path");
    curl_url_cleanup(parts);
    return error;
}
