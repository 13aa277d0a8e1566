/* SPDX-License-Identifier: Apache-2.0 */
/* X6: no form of a private address gets through; those that only a resolver understands are tried against a canary that
 * listens on every loopback address. */
#include "support/cmocka.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/channel_inside.h"

static const char *const PRIVATE[] = {
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "169.254.169.254",
    "169.254.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001::1",
    "2001:db8::1",
    "100::1",
    "3fff::1",
    "not an address",
    "",
};
static const char *const PUBLIC[] = {
    "1.1.1.1",         "8.8.8.8",          "9.255.255.255",
    "11.0.0.0",        "100.63.255.255",   "100.128.0.0",
    "126.255.255.255", "128.0.0.0",        "169.253.0.1",
    "172.15.255.255",  "172.32.0.0",       "192.167.0.1",
    "192.169.0.1",     "198.17.0.1",       "198.20.0.1",
    "223.255.255.255", "2400:3200::1",     "2606:4700:4700::1111",
    "::ffff:8.8.8.8",  "64:ff9b::808:808", "2002:808:808::",
};

static void test_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PRIVATE / sizeof PRIVATE[0]; i++)
        if (!guard_is_private_text(PRIVATE[i]))
            fail_msg("'%s' passed", PRIVATE[i]);
    for (size_t i = 0; i < sizeof PUBLIC / sizeof PUBLIC[0]; i++)
        if (guard_is_private_text(PUBLIC[i]))
            fail_msg("'%s' was refused", PUBLIC[i]);
}

/* %d: the canary's port. */
static const char *const BYPASSES[] = {
    "http://127.0.0.1:%d/",
    "http://localhost:%d/",
    "http://LOCALHOST:%d/",
    "http://localhost.:%d/",
    "http://127.1:%d/",
    "http://127.0.1:%d/",
    "http://0:%d/",
    "http://0.0.0.0:%d/",
    "http://0x0:%d/",
    "http://00:%d/",
    "http://2130706433:%d/",
    "http://0x7f000001:%d/",
    "http://0x7f.0.0.1:%d/",
    "http://0x7f.1:%d/",
    "http://0X7F.0X0.0X0.0X1:%d/",
    "http://017700000001:%d/",
    "http://0177.0.0.1:%d/",
    "http://0177.1:%d/",
    "http://00000177.00.00.01:%d/",
    "http://127.0.0.1.:%d/",
    "http://127.000.000.001:%d/",
    "http://127.0.0.2:%d/",
    "http://127.127.127.127:%d/",
    "http://[::1]:%d/",
    "http://[0:0:0:0:0:0:0:1]:%d/",
    "http://[0000::0001]:%d/",
    "http://[::]:%d/",
    "http://[::ffff:127.0.0.1]:%d/",
    "http://[::ffff:7f00:1]:%d/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:%d/",
    "http://[::127.0.0.1]:%d/",
    "http://[64:ff9b::127.0.0.1]:%d/",
    "http://[2002:7f00:1::]:%d/",
    "http://[fe80::1%%25lo]:%d/",
    "http://[fd00::1]:%d/",
    "http://user@127.0.0.1:%d/",
    "http://example.com@127.0.0.1:%d/",
    "http://example.com:80@127.0.0.1:%d/",
    "http://127.0.0.1:%d@127.0.0.1/",
    "http://example.com%%40127.0.0.1:%d/",
    "http://127.0.0.1:%d\\@example.com/",
    "http://example.com\\@127.0.0.1:%d/",
    "http:\\\\127.0.0.1:%d/",
    "http:/127.0.0.1:%d/",
    "http:127.0.0.1:%d/",
    "http:///127.0.0.1:%d/",
    "http:////127.0.0.1:%d/",
    "//127.0.0.1:%d/",
    "127.0.0.1:%d/",
    "https://127.0.0.1:%d/",
    "HTTP://127.0.0.1:%d/",
    "hTTp://LocalHost:%d/",
    "http://127.0.0.1:%d#@example.com/",
    "http://127.0.0.1:%d?@example.com/",
    "http://example.com#@127.0.0.1:%d/x y",
    "http://%%31%%32%%37.0.0.1:%d/",
    "http://127%%2e0%%2e0%%2e1:%d/",
    "http://loc%%61lhost:%d/",
    "http://①②⑦.⓪.⓪.①:%d/",
    "http://127。0。0。1:%d/",
    "http://１２７.0.0.1:%d/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:%d/",
    "http://127.0.0.1\t:%d/",
    "http://127.0.0.1\n:%d/",
    " http://127.0.0.1:%d/",
    "http://127.0.0.1 :%d/",
    "http://127.0.0.1%%00.example.com:%d/",
    "http://127.0.0.1%%09:%d/",
    "http://4294967297:%d/",
    "http://ip6-localhost:%d/",
    "http://ip6-loopback:%d/",
    "http://foo.localhost:%d/",
    "gopher://127.0.0.1:%d/_x",
    "ftp://127.0.0.1:%d/",
    "dict://127.0.0.1:%d/x",
    "telnet://127.0.0.1:%d/",
    "smtp://127.0.0.1:%d/",
    "file:///etc/passwd?%d",
    "http+unix://127.0.0.1:%d/",
    "jar:http://127.0.0.1:%d/!/",
    "http://169.254.169.254/latest/meta-data/?%d",
    "http://[fd00:ec2::254]/?%d",
    "http://100.100.100.200/?%d",
    "http://metadata.google.internal:%d@169.254.169.254/",
};
#define BYPASS_COUNT (sizeof BYPASSES / sizeof BYPASSES[0])

static _Atomic unsigned told, delivered, not_refused;

static void on_done(void *context, const struct channel_result *result)
{
    (void)context;
    if (result->outcome == CHANNEL_DELIVERED)
        delivered++;
    else if (result->outcome != CHANNEL_REFUSED && result->outcome != CHANNEL_LATER)
        not_refused++;
    told++;
}

static int64_t now_ms(void *context)
{
    (void)context;
    return INT64_C(1795316112000);
}

/* Listens on all addresses of the machine, IPv4 and mapped. */
static int canary_open(int *port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
    socklen_t size = sizeof address;
    int zero = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        struct sockaddr_in four = { .sin_family = AF_INET };
        socklen_t four_size = sizeof four;
        if (fd >= 0)
            close(fd);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&four, sizeof four), 0);
        assert_int_equal(listen(fd, 64), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&four, &four_size), 0);
        *port = ntohs(four.sin_port);
        return fd;
    }
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin6_port);
    return fd;
}

static bool was_reached(int canary, int timeout_ms)
{
    struct pollfd poll_fd = { .fd = canary, .events = POLLIN };
    return poll(&poll_fd, 1, timeout_ms) > 0;
}

static void put(struct channels *channels, const char *settings)
{
    struct json_parser *parser;
    json_value root;
    assert_int_equal(json_parser_new(&parser, 1 << 16), ERR_OK);
    assert_int_equal(json_parse(parser, str_from_c(settings), &root, NULL), ERR_OK);
    assert_int_equal(channels_put_account(channels, STR("w"), CHANNEL_WEBHOOK, root, NULL), ERR_OK);
    json_parser_free(&parser);
}

static void send_one(struct channels *channels, const char *pattern, int port)
{
    char url[256];
    size_t taken;
    /* The pattern's only conversion is the port; %% is a percent sign. */
    size_t size = 0;
    for (const char *at = pattern; *at != '\0' && size + 8 < sizeof url; at++) {
        if (at[0] == '%' && at[1] == 'd') {
            size += (size_t)snprintf(url + size, sizeof url - size, "%d", port);
            at++;
        } else {
            url[size++] = *at;
            at += at[0] == '%' && at[1] == '%';
        }
    }
    struct channel_message message = { .key = "0",
                                       .account = STR("w"),
                                       .recipient = str_from_bytes(url, size),
                                       .content = STR("{}") };
    assert_int_equal(channels_send(channels, &message, 1, &taken, NULL), ERR_OK);
}

static void wait_told(unsigned count)
{
    while (told < count)
        steady_sleep_ms(5);
}

static void test_no_bypass_reaches_the_canary(void **state)
{
    (void)state;
    struct channels_config config = { .now_ms = now_ms, .done = on_done };
    struct channels *channels;
    int port, canary = canary_open(&port);
    assert_true(BYPASS_COUNT >= 60);
    assert_int_equal(channels_new(&channels, &config, NULL), ERR_OK);
    put(channels,
        "{\"breaker_failures\":1000,\"url\":\"http://192.0.2.1/\",\"allow_private\":true}");
    put(channels, "{\"breaker_failures\":1000}");
    for (size_t i = 0; i < BYPASS_COUNT; i++) {
        unsigned before = told;
        send_one(channels, BYPASSES[i], port);
        wait_told(before + 1);
        if (was_reached(canary, 0))
            fail_msg("'%s' reached the canary", BYPASSES[i]);
    }
    assert_int_equal(delivered, 0);
    assert_int_equal(not_refused, 0);
    /* The canary works: with the owner's leave it is reached. */
    put(channels, "{\"allow_private\":true,\"timeout_ms\":100}");
    send_one(channels, "http://127.0.0.1:%d/", port);
    assert_true(was_reached(canary, 5000));
    channels_free(&channels, 0);
    close(canary);
}

/* What one account may reach on a kept connection, another may not. */
static void test_ports_of_other_services(void **state)
{
    (void)state;
    static const long REFUSED[] = { 0, 22, 25, 6379, 3306, 5432, 11211, 27017, 65536 };
    static const long FINE[] = { 80, 443, 8080, 8443, 3000 };
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++)
        assert_true(guard_port_is_refused(REFUSED[i]));
    for (size_t i = 0; i < sizeof FINE / sizeof FINE[0]; i++)
        assert_false(guard_port_is_refused(FINE[i]));
    assert_int_equal(guard_check_url(STR("https://example.com:22/"), false, NULL),
                     ERR_UNPROCESSABLE);
    assert_int_equal(guard_check_url(STR("https://example.com/a?b=c"), false, NULL), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_no_bypass_reaches_the_canary),
        cmocka_unit_test(test_ports_of_other_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
