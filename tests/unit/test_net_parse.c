#include "io/net.h"
#include "test.h"

typedef int parse_fn(const char *, struct net_target *, struct err *);

static void gives(parse_fn *parse, const char *text, const char *host,
                  const char *port) {
    struct err err = ERR_INIT;
    struct net_target t;
    assert_int_equal(parse(text, &t, &err), 0);
    assert_string_equal(t.host, host);
    assert_string_equal(t.port, port);
    assert_int_equal(err.origin, ERR_NONE);
}

static void refuses(parse_fn *parse, const char *text, const char *why) {
    struct err err = ERR_INIT;
    struct net_target t;
    assert_int_equal(parse(text, &t, &err), -1);
    assert_int_equal(err.origin, ERR_USAGE);
    assert_int_equal(err.code, 0);
    assert_non_null(strstr(err.msg, why));
}

static void a_target_is_a_host_and_a_port(void **state) {
    (void)state;
    gives(net_parse_target, "board.local:443", "board.local", "443");
    gives(net_parse_target, "192.168.4.1:1", "192.168.4.1", "1");
    gives(net_parse_target, "[::1]:65535", "::1", "65535");
    gives(net_parse_target, "[fe80::1%eth0]:443", "fe80::1%eth0", "443");
}

static void a_target_without_a_host_or_a_port_is_refused(void **state) {
    (void)state;
    refuses(net_parse_target, "", "no port");
    refuses(net_parse_target, "host", "'host': no port; HOST:PORT is wanted");
    refuses(net_parse_target, "443", "no port");
    refuses(net_parse_target, ":443", "no host");
    refuses(net_parse_target, "host:", "the port is not a number");
}

static void a_port_is_a_number_in_range(void **state) {
    (void)state;
    static const char *const bad[] = { "h:0",     "h:65536", "h:-1",
                                       "h:+1",    "h: 1",    "h:1 ",
                                       "h:https", "h:0x1bb", "h:99999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refuses(net_parse_target, bad[i], "not a number from 1 to 65535");
    }
}

static void an_ipv6_address_needs_its_brackets(void **state) {
    (void)state;
    refuses(net_parse_target, "::1", "needs brackets: [::1]:443");
    refuses(net_parse_target, "fe80::1:443", "needs brackets");
    refuses(net_parse_target, "[::1]", "as in [::1]:443");
    refuses(net_parse_target, "[::1:443", "as in [::1]:443");
    refuses(net_parse_target, "[]:443", "as in [::1]:443");
    refuses(net_parse_target, "[host]:443", "as in [::1]:443");
    refuses(net_parse_target, "[::1]443", "as in [::1]:443");
}

static void what_is_no_host_is_refused(void **state) {
    (void)state;
    refuses(net_parse_target, "https://host:443/", "a URL");
    refuses(net_parse_target, "a b:443", "a space or control character");
    refuses(net_parse_target, "a\n:443", "a space or control character");
    refuses(net_parse_target, "a\177:443", "a space or control character");
    refuses(net_parse_target, "a/b:443", "not a host name");
    refuses(net_parse_target, "a]:443", "not a host name");
}

static void a_host_has_at_most_255_bytes(void **state) {
    (void)state;
    char text[NET_HOST_MAX + 8];
    memset(text, 'a', sizeof text);
    strcpy(text + NET_HOST_MAX, ":443");
    struct err err = ERR_INIT;
    struct net_target t;
    assert_int_equal(net_parse_target(text, &t, &err), 0);
    assert_int_equal(strlen(t.host), NET_HOST_MAX);
    assert_string_equal(t.port, "443");
    strcpy(text + NET_HOST_MAX, "a:443");
    refuses(net_parse_target, text, "over 255 bytes");
}

static void where_to_listen_may_be_a_port_alone(void **state) {
    (void)state;
    gives(net_parse_listen, "4433", "", "4433");
    gives(net_parse_listen, ":0", "", "0");
    gives(net_parse_listen, "0", "", "0");
    gives(net_parse_listen, "127.0.0.1:0", "127.0.0.1", "0");
    gives(net_parse_listen, "[::1]:0", "::1", "0");
    gives(net_parse_listen, "localhost:65535", "localhost", "65535");
}

static void where_to_listen_is_checked_as_a_target_is(void **state) {
    (void)state;
    refuses(net_parse_listen, "", "[ADDR:]PORT is wanted");
    refuses(net_parse_listen, "localhost", "[ADDR:]PORT is wanted");
    refuses(net_parse_listen, "127.0.0.1", "[ADDR:]PORT is wanted");
    refuses(net_parse_listen, "65536", "PORT 0 to 65535");
    refuses(net_parse_listen, "localhost:", "PORT 0 to 65535");
    refuses(net_parse_listen, "::1", "needs brackets");
    refuses(net_parse_listen, "a b:1", "a space or control character");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_a_host_and_a_port),
        cmocka_unit_test(a_target_without_a_host_or_a_port_is_refused),
        cmocka_unit_test(a_port_is_a_number_in_range),
        cmocka_unit_test(an_ipv6_address_needs_its_brackets),
        cmocka_unit_test(what_is_no_host_is_refused),
        cmocka_unit_test(a_host_has_at_most_255_bytes),
        cmocka_unit_test(where_to_listen_may_be_a_port_alone),
        cmocka_unit_test(where_to_listen_is_checked_as_a_target_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
