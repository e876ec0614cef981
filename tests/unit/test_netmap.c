/* tests/unit/test_netmap.c */
#include "policy/netmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROWS(a) (sizeof(a) / sizeof(*(a)))

static void put(struct netmap *m, const char *text, enum network_kind k)
{
	struct network n;

	assert_true(network_parse(span_of(text), &n));
	assert_true(netmap_add(m, &n, k));
}

static struct netmap finished(struct netmap *m)
{
	struct network twice;

	assert_true(netmap_finish(m, &twice));
	return *m;
}

/* "kind network", or "" */
static const char *found(const struct netmap *m, const char *addr)
{
	static struct buf text = BUF_INIT(200);
	struct network n = { .bits = 0 };
	enum network_kind k;
	struct ipaddr a;

	assert_true(ipaddr_parse(span_of(addr), &a));
	buf_reset(&text);
	if (!netmap_find(m, &a, &k, &n)) {
		assert_int_equal(k, NETWORK_PLAIN);
		return "";
	}
	buf_printf(&text, "%s ", network_kind_name(k));
	network_put(&text, &n);
	return buf_cstr(&text);
}

static void the_longest_prefix_counts(void **state)
{
	static const struct {
		const char *addr, *found;
	} row[] = {
		{ "10.0.0.0", "blocked 10.0.0.0/8" },
		{ "10.255.255.255", "blocked 10.0.0.0/8" },
		{ "9.255.255.255", "trusted 0.0.0.0/0" },
		{ "11.0.0.0", "trusted 0.0.0.0/0" },
		{ "10.1.0.0", "plain 10.1.0.0/16" },
		{ "10.1.2.2", "webmail 10.1.2.0/24" },
		{ "10.1.2.3", "partner 10.1.2.3" },
		{ "10.1.2.4", "webmail 10.1.2.0/24" },
		{ "10.1.3.0", "plain 10.1.0.0/16" },
		{ "10.2.0.0", "blocked 10.0.0.0/8" },
		{ "2001:db8::1", "blocked 2001:db8::/32" },
		{ "2001:db8:0:1::1", "plain 2001:db8:0:1::/64" },
		{ "2001:db8:0:2::1", "blocked 2001:db8::/32" },
		{ "2001:db9::", "partner ::/0" },
		{ "::1", "partner ::/0" },
	};
	struct netmap m = { .n = 0 };

	(void)state;
	put(&m, "10.1.2.0/24", NETWORK_WEBMAIL);
	put(&m, "10.0.0.0/8", NETWORK_BLOCKED);
	put(&m, "10.1.2.3", NETWORK_PARTNER);
	put(&m, "2001:db8:0:1::/64", NETWORK_PLAIN);
	put(&m, "0.0.0.0/0", NETWORK_TRUSTED);
	put(&m, "10.1.0.0/16", NETWORK_PLAIN);
	put(&m, "2001:db8::/32", NETWORK_BLOCKED);
	put(&m, "::/0", NETWORK_PARTNER);
	m = finished(&m);
	for (size_t i = 0; i < ROWS(row); i++)
		assert_string_equal(found(&m, row[i].addr), row[i].found);
	netmap_release(&m);
}

static void nothing_is_said_of_other_networks(void **state)
{
	struct netmap m = { .n = 0 };

	(void)state;
	m = finished(&m);
	assert_string_equal(found(&m, "192.0.2.1"), "");
	put(&m, "192.0.2.0/25", NETWORK_BLOCKED);
	put(&m, "192.0.2.130", NETWORK_BLOCKED);
	m = finished(&m);
	assert_string_equal(found(&m, "192.0.1.255"), "");
	assert_string_equal(found(&m, "192.0.2.0"), "blocked 192.0.2.0/25");
	assert_string_equal(found(&m, "192.0.2.128"), "");
	assert_string_equal(found(&m, "192.0.2.131"), "");
	assert_string_equal(found(&m, "255.255.255.255"), "");
	assert_string_equal(found(&m, "ffff::"), "");
	netmap_release(&m);
}

static void a_network_in_two_spellings_is_there_twice(void **state)
{
	struct buf text = BUF_INIT(100);
	struct netmap m = { .n = 0 };
	struct network twice;

	(void)state;
	put(&m, "192.0.2.1", NETWORK_BLOCKED);
	put(&m, "192.0.2.0/24", NETWORK_BLOCKED);
	put(&m, "192.0.2.1/32", NETWORK_TRUSTED);
	assert_false(netmap_finish(&m, &twice));
	network_put(&text, &twice);
	assert_string_equal(buf_cstr(&text), "192.0.2.1");
	buf_release(&text);
	netmap_release(&m);
}

static void kinds_have_names(void **state)
{
	enum network_kind k;

	(void)state;
	for (int i = NETWORK_PLAIN; i <= NETWORK_BLOCKED; i++) {
		const char *name = network_kind_name((enum network_kind)i);

		assert_true(network_kind_find(span_of(name), &k));
		assert_int_equal(k, i);
	}
	assert_false(network_kind_find(SPAN_LIT("Blocked"), &k));
	assert_false(network_kind_find(SPAN_EMPTY, &k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_counts),
		cmocka_unit_test(nothing_is_said_of_other_networks),
		cmocka_unit_test(a_network_in_two_spellings_is_there_twice),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
