/* tests/unit/test_proxyproto.c */
#include "tests/unit/wire.h"

#include "lib/proxyproto.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define S(text)                                                                \
	{                                                                      \
		text, sizeof(text) - 1                                         \
	}

static const struct {
	struct span header; /* "what follows" stands behind each */
	const char *remote, *local;
	uint16_t remote_port, local_port;
} told[] = {
	{ S("PROXY TCP4 192.0.2.7 198.51.100.1 40000 110\r\n"), "192.0.2.7",
	  "198.51.100.1", 40000, 110 },
	{ S("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	  "255.255.255.255", "255.255.255.255", 65535, 65535 },
	{ S("PROXY TCP6 2001:db8::7 ::1 0 995\r\n"), "2001:db8::7", "::1", 0,
	  995 },
	{ S("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 995\r\n"), "192.0.2.7", "::1", 1,
	  995 },
	{ S(V2 "\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x9c\x40\0\x6e"),
	  "192.0.2.7", "198.51.100.1", 40000, 110 },
	{ S(V2 "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
	       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\3\xe3"),
	  "2001:db8::7", "::1", 1, 995 },
	/* an extension behind the addresses */
	{ S(V2 "\x21\x11\0\x12\xc0\0\2\7\xc6\x33\x64\1\x9c\x40\0\x6e"
	       "\x04\0\3abc"),
	  "192.0.2.7", "198.51.100.1", 40000, 110 },
};

static const struct span untold[] = {
	S("PROXY UNKNOWN\r\n"),
	S("PROXY UNKNOWN ffff::1 what you like\r\n"),
	S(V2 "\x20\0\0\0"),
	S(V2 "\x20\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x9c\x40\0\x6e"),
	S(V2 "\x21\0\0\0"),
	S(V2 "\x21\0\0\3\x04\0\0"),
};

static const struct span bad[] = {
	S("QUIT\r\n"),
	S("\r\nX"),
	S("PROXY\r\n"),
	S("PROXX TCP4 "),
	S("proxy TCP4 192.0.2.7 198.51.100.1 40000 110\r\n"),
	S("PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n"),
	S("PROXY TCP4 192.0.2.7 198.51.100.1 40000 110 \r\n"),
	S("PROXY TCP4  192.0.2.7 198.51.100.1 40000 110\r\n"),
	S("PROXY TCP4 192.0.2.7 198.51.100.1 40000 110\n"),
	S("PROXY TCP4 192.0.2.7 198.51.100.1 40000 65536\r\n"),
	S("PROXY TCP4 192.0.2.7 198.51.100.1 -1 110\r\n"),
	S("PROXY TCP4 192.0.2.7 198.51.100.1 000040 110\r\n"),
	S("PROXY TCP4 2001:db8::7 ::1 40000 110\r\n"),
	S("PROXY TCP6 192.0.2.7 198.51.100.1 40000 110\r\n"),
	S("PROXY TCP6 [::1] [::1] 40000 110\r\n"),
	S("PROXY TCP6 IPv6:::1 ::1 40000 110\r\n"),
	S("PROXY UDP4 192.0.2.7 198.51.100.1 40000 110\r\n"),
	S("PROXY UNKNOWNS\r\n"),
	S("PROXY TCP4 192.0.2.7 198.51.100.1 40000 110                      "
	  "                                          "),
	S(V2 "\x11\x11\0\x0c"), /* version 1 of the binary form */
	S(V2 "\x22\x11\0\x0c"), /* no such command */
	S(V2 "\x21\x11\x20\0"), /* 8192 octets */
	S(V2 "\x21\x11\0\x0b\xc0\0\2\7\xc6\x33\x64\1\x9c\x40\0"),
	S(V2 "\x21\x12\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x9c\x40\0\x6e"),
};

static enum proxyproto_status parse(struct span s, struct proxyproto *p)
{
	char *copy = test_malloc(s.n + 1);
	enum proxyproto_status status;

	/* nothing behind it may be looked at */
	memcpy(copy, s.p, s.n);
	status = proxyproto_parse(span_make(copy, s.n), p);
	test_free(copy);
	return status;
}

/* Cut anywhere it is not yet whole; with something behind it, it is. */
static void must_be_whole(struct span s, struct proxyproto *p)
{
	char more[600];

	for (size_t n = 0; n < s.n; n++)
		assert_int_equal(parse(span_head(s, n), p), PROXYPROTO_MORE);
	memcpy(more, s.p, s.n);
	memcpy(more + s.n, "\r\nUSER", 6);
	assert_int_equal(parse(span_make(more, s.n + 6), p), PROXYPROTO_DONE);
	assert_int_equal(p->octets, s.n);
	assert_int_equal(parse(s, p), PROXYPROTO_DONE);
	assert_int_equal(p->octets, s.n);
}

static void both_versions_tell_whose_connection_it_is(void **state)
{
	char text[IPADDR_TEXT_MAX];
	struct proxyproto p;

	(void)state;
	for (size_t i = 0; i < COUNT(told); i++) {
		must_be_whole(told[i].header, &p);
		assert_true(p.told);
		assert_string_equal(ipaddr_text(&p.remote, text),
				    told[i].remote);
		assert_string_equal(ipaddr_text(&p.local, text), told[i].local);
		assert_int_equal(p.remote_port, told[i].remote_port);
		assert_int_equal(p.local_port, told[i].local_port);
	}
}

static void a_proxy_may_speak_for_itself(void **state)
{
	struct proxyproto p;

	(void)state;
	for (size_t i = 0; i < COUNT(untold); i++) {
		must_be_whole(untold[i], &p);
		assert_false(p.told);
	}
}

static void a_unix_socket_at_the_proxy_tells_no_address(void **state)
{
	char header[16 + 216] = V2 "\x21\x31\0\xd8";
	struct proxyproto p;

	(void)state;
	must_be_whole(span_make(header, sizeof(header)), &p);
	assert_false(p.told);
}

static void what_is_no_header_is_told_at_once(void **state)
{
	struct proxyproto p;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (parse(bad[i], &p) != PROXYPROTO_BAD)
			fail_msg("row %zu is taken", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_tell_whose_connection_it_is),
		cmocka_unit_test(a_proxy_may_speak_for_itself),
		cmocka_unit_test(a_unix_socket_at_the_proxy_tells_no_address),
		cmocka_unit_test(what_is_no_header_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
