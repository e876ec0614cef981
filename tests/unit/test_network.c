/* tests/unit/test_network.c */
#include "lib/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROWS(a) (sizeof(a) / sizeof(*(a)))

static void addresses_have_one_canonical_text(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: no address */
		bool v4, loopback;
	} row[] = {
		{ "192.0.2.1", "192.0.2.1", true, false },
		{ "127.8.9.10", "127.8.9.10", true, true },
		{ "[192.0.2.1]", "192.0.2.1", true, false },
		{ "::ffff:192.0.2.1", "192.0.2.1", true, false },
		{ "IPv6:2001:DB8:0:0::1", "2001:db8::1", false, false },
		{ "[ipv6:::1]", "::1", false, true },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", false,
		  false },
		{ "::", "::", false, false },
		{ "IPv6:192.0.2.1", NULL, false, false },
		{ "", NULL, false, false },
		{ "[]", NULL, false, false },
		{ "[", NULL, false, false },
		{ "192.0.2", NULL, false, false },
		{ "192.0.2.256", NULL, false, false },
		{ "192.0.2.01", NULL, false, false },
		{ "192.0.2.1 ", NULL, false, false },
		{ "fe80::1%eth0", NULL, false, false },
		{ "unknown", NULL, false, false },
		{ "2001:db8:0:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1", NULL,
		  false, false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		char text[IPADDR_TEXT_MAX];
		struct ipaddr a;

		assert_int_equal(ipaddr_parse(span_of(row[i].in), &a),
				 row[i].out != NULL);
		if (!row[i].out)
			continue;
		assert_string_equal(ipaddr_text(&a, text), row[i].out);
		assert_int_equal(ipaddr_is_v4(&a), row[i].v4);
		assert_int_equal(ipaddr_is_loopback(&a), row[i].loopback);
	}
}

static void a_nul_is_no_end(void **state)
{
	struct ipaddr a;

	(void)state;
	assert_false(ipaddr_parse(SPAN_LIT("192.0.2.1\0x"), &a));
	assert_false(ipaddr_parse(SPAN_LIT("::1\0"), &a));
}

static void networks_are_read_and_shown(void **state)
{
	static const struct {
		const char *in, *out;
		unsigned bits;
	} row[] = {
		{ "192.0.2.0/24", "192.0.2.0/24", 120 },
		{ "192.0.2.7", "192.0.2.7", 128 },
		{ "192.0.2.7/32", "192.0.2.7", 128 },
		{ "0.0.0.0/0", "0.0.0.0/0", 96 },
		{ "::/0", "::/0", 0 },
		{ "2001:db8::/32", "2001:db8::/32", 32 },
		{ "[2001:db8::]/33", "2001:db8::/33", 33 },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24", 120 },
		{ "192.0.2.1/24", NULL, 0 },
		{ "2001:db8::/31", "2001:db8::/31", 31 },
		{ "2001:db9::/31", NULL, 0 },
		{ "192.0.2.0/33", NULL, 0 },
		{ "::/129", NULL, 0 },
		{ "192.0.2.0/", NULL, 0 },
		{ "192.0.2.0/-1", NULL, 0 },
		{ "192.0.2.0/255.255.255.0", NULL, 0 },
		{ "/24", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		struct buf b = BUF_INIT(100);
		struct network n;

		assert_int_equal(network_parse(span_of(row[i].in), &n),
				 row[i].out != NULL);
		if (!row[i].out)
			continue;
		assert_int_equal(n.bits, row[i].bits);
		network_put(&b, &n);
		assert_string_equal(buf_cstr(&b), row[i].out);
		buf_release(&b);
	}
}

static void a_network_has_what_lies_in_it(void **state)
{
	static const struct {
		const char *net, *addr;
		bool in;
	} row[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "0.0.0.0/0", "203.0.113.5", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "192.0.2.1", true },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "192.0.2.0/31", "::ffff:192.0.2.1", true },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		struct network n;
		struct ipaddr a;

		assert_true(network_parse(span_of(row[i].net), &n));
		assert_true(ipaddr_parse(span_of(row[i].addr), &a));
		assert_int_equal(network_has(&n, &a), row[i].in);
	}
}

static void a_set_has_what_one_of_it_has(void **state)
{
	struct network net[2];
	struct network_set set = { net, 2 }, empty = { NULL, 0 };
	struct ipaddr in, out;

	(void)state;
	assert_true(network_parse(SPAN_LIT("192.0.2.0/24"), &net[0]));
	assert_true(network_parse(SPAN_LIT("2001:db8::/32"), &net[1]));
	assert_true(ipaddr_parse(SPAN_LIT("2001:db8::5"), &in));
	assert_true(ipaddr_parse(SPAN_LIT("198.51.100.1"), &out));
	assert_true(network_set_has(&set, &in));
	assert_false(network_set_has(&set, &out));
	assert_false(network_set_has(&empty, &in));
}

static void a_list_has_what_one_of_it_has(void **state)
{
	static const struct {
		const char *list;
		bool has;
		const char *bad;
	} row[] = {
		{ "", true, "" },
		{ " ,\t", false, " ,\t" },
		{ " ", false, " " },
		{ "192.0.2.0/24", true, "" },
		{ "10.0.0.0/8,192.0.2.7", true, "" },
		{ "10.0.0.0/8, 2001:db8::/32\n", false, "" },
		{ "nonsense 192.0.2.0/24", true, "nonsense" },
		{ "nonsense", false, "nonsense" },
		{ "192.0.2.99/24", true, "" },
		{ "192.0.2.99/25,2001:db8::7/32", true, "" },
		{ "192.0.2.130/25", false, "" },
		{ "192.0.2.7/33", false, "192.0.2.7/33" },
	};
	struct ipaddr a;
	struct span bad;

	(void)state;
	assert_true(ipaddr_parse(SPAN_LIT("192.0.2.7"), &a));
	for (size_t i = 0; i < ROWS(row); i++) {
		assert_int_equal(
			network_list_has(span_of(row[i].list), &a, &bad),
			row[i].has);
		assert_true(span_is(bad, row[i].bad));
	}
}

static void a_list_to_be_written_is_exact(void **state)
{
	static const char *const row[][2] = {
		{ "", "" },
		{ " ,", " ," },
		{ "192.0.2.0/24, 2001:db8::/32 192.0.2.7", "" },
		{ "192.0.2.0/24,192.0.2.7/24", "192.0.2.7/24" },
		{ "nonsense", "nonsense" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++)
		assert_true(span_is(network_list_bad(span_of(row[i][0])),
				    row[i][1]));
}

static void neighbours_are_a_network(void **state)
{
	static const char *const row[][2] = {
		{ "192.0.2.77", "192.0.2.0/24" },
		{ "0.0.0.0", "0.0.0.0/24" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "::1", "::/64" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		struct buf text = BUF_INIT(100);
		struct network n;
		struct ipaddr a;

		assert_true(ipaddr_parse(span_of(row[i][0]), &a));
		network_around(&a, &n);
		assert_true(network_has(&n, &a));
		network_put(&text, &n);
		assert_string_equal(buf_cstr(&text), row[i][1]);
		buf_release(&text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_canonical_text),
		cmocka_unit_test(a_nul_is_no_end),
		cmocka_unit_test(networks_are_read_and_shown),
		cmocka_unit_test(a_network_has_what_lies_in_it),
		cmocka_unit_test(a_set_has_what_one_of_it_has),
		cmocka_unit_test(a_list_has_what_one_of_it_has),
		cmocka_unit_test(a_list_to_be_written_is_exact),
		cmocka_unit_test(neighbours_are_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
