/* tests/unit/test_helo.c */
#include "tests/unit/wire.h"

#include "policy/helo.h"

static char host1[] = "mx1.example.org", host2[] = "mx2.example.org";
static char *hosts[] = { host1, host2 };
static const struct conf_list list = { .word = hosts, .n = 2 };

static struct helo_self self_at(const char *addr)
{
	struct helo_self s = { .mta = SPAN_LIT("Mail.Example.Org"),
			       .hosts = &list };

	s.has_addr = ipaddr_parse(span_of(addr), &s.addr);
	return s;
}

static void our_name_and_address_are_ours(void **state)
{
	static const struct {
		const char *helo;
		bool v4, v6; /* at our IPv4 address, and our IPv6 address */
	} rows[] = {
		{ "mail.example.org", true, true },
		{ "MAIL.example.ORG", true, true },
		{ "mail.example.org.", true, true },
		{ "mx2.example.org", true, true },
		{ "example.org", false, false },
		{ "mail.example.or", false, false },
		{ "[192.0.2.1]", true, false },
		{ "192.0.2.1", true, false },
		{ "[IPv6:::ffff:192.0.2.1]", true, false },
		{ "[192.0.2.2]", false, false },
		{ "[IPv6:2001:db8:0::1]", false, true },
		{ "[ipv6:2001:DB8::1]", false, true },
		{ "2001:db8::1", false, true },
		{ "[IPv6:2001:db8::2]", false, false },
		{ "[192.0.2.1", false, false },
		{ "", false, false },
		{ ".", false, false },
	};
	struct helo_self v4 = self_at("192.0.2.1");
	struct helo_self v6 = self_at("2001:db8::1");
	struct helo_self none = self_at("");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span helo = span_of(rows[i].helo);

		if (helo_is_ours(helo, &v4) != rows[i].v4 ||
		    helo_is_ours(helo, &v6) != rows[i].v6 ||
		    helo_is_ours(helo, &none) != (rows[i].v4 && rows[i].v6))
			fail_msg("%s", rows[i].helo);
	}
}

static void a_domain_is_told_in_its_canonical_form(void **state)
{
	static const char *const rows[][2] = {
		{ "example.org", "example.org" },
		{ "Example.ORG.", "example.org" },
		{ "b\xc3\xbc"
		  "cher.test",
		  "xn--bcher-kva.test" },
		{ "192.0.2.1", NULL },
		{ "[192.0.2.1]", NULL },
		{ "[IPv6:2001:db8::1]", NULL },
		{ "", NULL },
		{ "two words", NULL },
	};
	char out[ADDR_DOMAIN_MAX + 1];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool is = helo_domain(span_of(rows[i][0]), out, &n);

		if (is != (rows[i][1] != NULL))
			fail_msg("%s", rows[i][0]);
		if (is)
			assert_text(span_make(out, n), span_of(rows[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_name_and_address_are_ours),
		cmocka_unit_test(a_domain_is_told_in_its_canonical_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
