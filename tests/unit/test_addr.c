/* tests/unit/test_addr.c */
#include "tests/unit/wire.h"

#include "lib/addr.h"

#define A10       "aaaaaaaaaa"
#define A50       A10 A10 A10 A10 A10
#define LABEL63   A50 A10 "aaa"
#define DOMAIN255 LABEL63 "." LABEL63 "." LABEL63 "." LABEL63

static const struct {
	const char *path;
	const char *canonical;
} good[] = {
	{ "<bob@example.com>", "bob@example.com" },
	{ "bob@example.com", "bob@example.com" },
	{ "<Bob@EXAMPLE.Com>", "Bob@example.com" },
	{ "<@a.test,@b.test:bob@c.test>", "bob@c.test" },
	{ "<@[IPv6:::1]:bob@c.test>", "bob@c.test" },
	{ "@a.test:bob@c.test", "bob@c.test" },
	{ "<\"bob\"@d.test>", "bob@d.test" },
	{ "<\"b\\ob\"@d.test>", "bob@d.test" },
	{ "<\"a b\"@d.test>", "\"a b\"@d.test" },
	{ "<\"a\\ b\"@d.test>", "\"a b\"@d.test" },
	{ "<\"a@b\"@d.test>", "\"a@b\"@d.test" },
	{ "<\"a\\\"b\\\\c\"@d.test>", "\"a\\\"b\\\\c\"@d.test" },
	{ "<\"a>b\"@d.test>", "\"a>b\"@d.test" },
	{ "<\"\"@d.test>", "\"\"@d.test" },
	{ "<a..b.@docomo.test>", "a..b.@docomo.test" },
	{ "<\"a..b.\"@docomo.test>", "a..b.@docomo.test" },
	{ "<bob+box@d.test>", "bob+box@d.test" },
	{ "<!#$%&'*+-/=?^_`{|}~@d.test>", "!#$%&'*+-/=?^_`{|}~@d.test" },
	{ "<bob@localhost>", "bob@localhost" },
	{ "<bob@_dmarc.my_host.test>", "bob@_dmarc.my_host.test" },
	{ "<bob@1.2.3.4>", "bob@1.2.3.4" },
	{ "<bob@[192.0.2.1]>", "bob@[192.0.2.1]" },
	{ "<bob@[IPv6:2001:DB8:0::1]>", "bob@[ipv6:2001:db8::1]" },
	{ "<bob@[ipv6:::ffff:192.0.2.1]>", "bob@[192.0.2.1]" },
	{ "<j\xc3\xb6rg@d.test>", "j\xc3\xb6rg@d.test" },
	{ "<\"j\xc3\xb6 rg\"@d.test>", "\"j\xc3\xb6 rg\"@d.test" },
	{ "<b@b\xc3\xbc"
	  "cher.test>",
	  "b@xn--bcher-kva.test" },
	{ "<b@B\xc3\x9c"
	  "CHER.Test>",
	  "b@xn--bcher-kva.test" },
	{ "<b@O\xcc\x88l.test>", "b@xn--l-0ga.test" },
	{ "<b@XN--Bcher-KVA.test>", "b@xn--bcher-kva.test" },
	{ "<b@stra\xc3\x9f"
	  "e.test>",
	  "b@xn--strae-oqa.test" },
	{ "<" A50 A10 "aaaa@d.test>", A50 A10 "aaaa@d.test" },
	{ "<b@" DOMAIN255 ">", "b@" DOMAIN255 },
	{ "<" A50 A10 "aaaa@" DOMAIN255 ">", A50 A10 "aaaa@" DOMAIN255 },
};

static void assert_parses(const char *path, const char *canonical)
{
	struct addr a;
	enum addr_status s = addr_parse(span_of(path), false, &a);

	if (s != ADDR_OK)
		fail_msg("\"%s\": %s", path, addr_status_text(s));
	assert_text(addr_span(&a), span_of(canonical));
	assert_int_equal(a.text[a.n], '\0');
	assert_int_equal(a.text[a.at], '@');
	assert_int_equal(addr_local(&a).n + 1 + addr_domain(&a).n, a.n);
}

static void an_address_has_one_canonical_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_parses(good[i].path, good[i].canonical);
}

static void the_canonical_form_of_a_canonical_form_is_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_parses(good[i].canonical, good[i].canonical);
}

static const struct {
	struct span path;
	enum addr_status status;
} bad[] = {
#define S(s)                                                                   \
	{                                                                      \
		"" s, sizeof(s) - 1                                            \
	}
	{ S("<>"), ADDR_NULL },
	{ S(""), ADDR_NULL },
	{ S("<"), ADDR_SYNTAX },
	{ S(">"), ADDR_SYNTAX },
	{ S("<bob@d.test"), ADDR_SYNTAX },
	{ S("bob@d.test>"), ADDR_SYNTAX },
	{ S("<<bob@d.test>>"), ADDR_SYNTAX },
	{ S("<bob>"), ADDR_SYNTAX },
	{ S("<bob@>"), ADDR_SYNTAX },
	{ S("<@d.test>"), ADDR_SYNTAX },
	{ S("<@a.test:>"), ADDR_SYNTAX },
	{ S("<@a.test,bob@d.test>"), ADDR_SYNTAX },
	{ S("<@a..b:bob@d.test>"), ADDR_SYNTAX },
	{ S("<bob@d.test.>"), ADDR_SYNTAX },
	{ S("<bob@.d.test>"), ADDR_SYNTAX },
	{ S("<bob@d..test>"), ADDR_SYNTAX },
	{ S("<bob@-d.test>"), ADDR_SYNTAX },
	{ S("<bob@d-.test>"), ADDR_SYNTAX },
	{ S("<bob@d test>"), ADDR_SYNTAX },
	{ S("<bob@d@e.test>"), ADDR_SYNTAX },
	{ S("<bob b@d.test>"), ADDR_SYNTAX },
	{ S(" <bob@d.test>"), ADDR_SYNTAX },
	{ S("<bob@d.test> "), ADDR_SYNTAX },
	{ S("<(c)bob@d.test>"), ADDR_SYNTAX },
	{ S("<bo\\b@d.test>"), ADDR_SYNTAX },
	{ S("<\"bob@d.test>"), ADDR_SYNTAX },
	{ S("<\"bob\"x@d.test>"), ADDR_SYNTAX },
	{ S("<\"bob\".x@d.test>"), ADDR_SYNTAX },
	{ S("<\"bob\\\"@d.test>"), ADDR_SYNTAX },
	{ S("<\"b\\\xc3\xb6\"@d.test>"), ADDR_SYNTAX },
	{ S("<bob\0@d.test>"), ADDR_SYNTAX },
	{ S("<bob@d.test\0.evil>"), ADDR_SYNTAX },
	{ S("<bob\r\n@d.test>"), ADDR_SYNTAX },
	{ S("<\"bob\t\"@d.test>"), ADDR_SYNTAX },
	{ S("<bob\x7f@d.test>"), ADDR_SYNTAX },
	{ S("<bob\xc2\x85@d.test>"), ADDR_SYNTAX },
	{ S("<b\xf6@d.test>"), ADDR_UTF8 },
	{ S("<b\xc0\xaf@d.test>"), ADDR_UTF8 },
	{ S("<b\xed\xa0\x80@d.test>"), ADDR_UTF8 },
	{ S("<b@d\xff.test>"), ADDR_UTF8 },
	{ S("<b@[192.0.2.256]>"), ADDR_DOMAIN },
	{ S("<b@[]>"), ADDR_DOMAIN },
	{ S("<b@[[192.0.2.1]]>"), ADDR_DOMAIN },
	{ S("<b@[2001:db8::1]>"), ADDR_DOMAIN },
	{ S("<b@[IPv6:192.0.2.1]>"), ADDR_DOMAIN },
	{ S("<b@[smtp:x]>"), ADDR_DOMAIN },
	{ S("<b@[192.0.2.1>"), ADDR_SYNTAX },
	{ S("<b@\xe2\x98\x83.\xe2\x80\xae.test>"), ADDR_DOMAIN },
	{ S("<b@\xc3\xa4..test>"), ADDR_DOMAIN },
	{ S("<" A50 A10 "aaaaa@d.test>"), ADDR_LONG },
	{ S("<\"" A50 A10 "aaaa \"@d.test>"), ADDR_LONG },
	{ S("<b@" LABEL63 "a.test>"), ADDR_SYNTAX },
	{ S("<b@" DOMAIN255 ".a>"), ADDR_LONG },
	{ S("<\"" A50 A10 "aaa \"@" DOMAIN255 ">"), ADDR_LONG },
};

static void what_is_no_address_is_rejected_with_its_reason(void **state)
{
	struct addr a;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		enum addr_status s = addr_parse(bad[i].path, true, &a);

		if (s != bad[i].status)
			fail_msg("\"%.*s\": %s, want %s", (int)bad[i].path.n,
				 bad[i].path.p, addr_status_text(s),
				 addr_status_text(bad[i].status));
	}
}

static void a_path_of_absurd_length_is_not_looked_at(void **state)
{
	char path[5000];
	struct addr a;

	(void)state;
	memset(path, 'a', sizeof(path));
	assert_int_equal(addr_parse(span_make(path, sizeof(path)), true, &a),
			 ADDR_LONG);
	memset(path, '@', sizeof(path));
	assert_int_equal(addr_parse(span_make(path, sizeof(path)), true, &a),
			 ADDR_LONG);
}

static void only_ascii_letters_are_folded_and_only_when_asked(void **state)
{
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse(SPAN_LIT("<B\xc3\x96 b@D.test>"), true, &a),
			 ADDR_SYNTAX);
	assert_int_equal(
		addr_parse(SPAN_LIT("<\"B\xc3\x96 B\"@D.test>"), true, &a),
		ADDR_OK);
	assert_text(addr_span(&a), SPAN_LIT("\"b\xc3\x96 b\"@d.test"));
	assert_int_equal(addr_parse(SPAN_LIT("<BOB@D.test>"), true, &a),
			 ADDR_OK);
	assert_text(addr_span(&a), SPAN_LIT("bob@d.test"));
}

static void a_domain_alone_is_parsed_the_same(void **state)
{
	char out[ADDR_DOMAIN_MAX + 1];
	size_t n;

	(void)state;
	assert_int_equal(addr_domain_parse(SPAN_LIT("B\xc3\xbc"
						    "cher.Test"),
					   out, &n),
			 ADDR_OK);
	assert_text(span_make(out, n), SPAN_LIT("xn--bcher-kva.test"));
	assert_string_equal(out, "xn--bcher-kva.test");
	assert_int_equal(addr_domain_parse(SPAN_EMPTY, out, &n), ADDR_SYNTAX);
	assert_int_equal(addr_domain_parse(SPAN_LIT("d.test."), out, &n),
			 ADDR_SYNTAX);
	assert_int_equal(addr_domain_parse(SPAN_LIT("d\0.test"), out, &n),
			 ADDR_SYNTAX);
	assert_int_equal(addr_domain_parse(SPAN_LIT("["), out, &n),
			 ADDR_SYNTAX);
}

static const struct {
	const char *address;
	const char *delimiters;
	const char *base; /* NULL: nothing to strip */
	const char *extension;
} extensions[] = {
	{ "bob+x@d.test", "+", "bob@d.test", "+x" },
	{ "bob+x+y@d.test", "+", "bob@d.test", "+x+y" },
	{ "bob-x+y@d.test", "+-", "bob@d.test", "-x+y" },
	{ "bob+@d.test", "+", "bob@d.test", "+" },
	{ "bob@d.test", "+", NULL, NULL },
	{ "bob+x@d.test", "", NULL, NULL },
	{ "bob+x@d.test", "-", NULL, NULL },
	{ "+x@d.test", "+", NULL, NULL },
	{ "+x+y@d.test", "+", NULL, NULL },
	{ "\"bob +x\"@d.test", "+", NULL, NULL },
};

static void an_extension_is_stripped_at_the_first_delimiter(void **state)
{
	struct addr a, base;
	struct span ext;

	(void)state;
	for (size_t i = 0; i < COUNT(extensions); i++) {
		assert_int_equal(
			addr_parse(span_of(extensions[i].address), false, &a),
			ADDR_OK);
		assert_int_equal(addr_strip_extension(
					 &a, span_of(extensions[i].delimiters),
					 &base, &ext),
				 extensions[i].base != NULL);
		if (extensions[i].base == NULL)
			continue;
		assert_text(addr_span(&base), span_of(extensions[i].base));
		assert_text(ext, span_of(extensions[i].extension));
		assert_int_equal(base.text[base.n], '\0');
		assert_int_equal(base.text[base.at], '@');
	}
}

static void every_status_has_its_own_text(void **state)
{
	(void)state;
	for (int i = ADDR_OK; i <= ADDR_DOMAIN; i++)
		for (int k = ADDR_OK; k < i; k++)
			assert_string_not_equal(
				addr_status_text((enum addr_status)i),
				addr_status_text((enum addr_status)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_one_canonical_form),
		cmocka_unit_test(
			the_canonical_form_of_a_canonical_form_is_itself),
		cmocka_unit_test(
			what_is_no_address_is_rejected_with_its_reason),
		cmocka_unit_test(a_path_of_absurd_length_is_not_looked_at),
		cmocka_unit_test(
			only_ascii_letters_are_folded_and_only_when_asked),
		cmocka_unit_test(a_domain_alone_is_parsed_the_same),
		cmocka_unit_test(
			an_extension_is_stripped_at_the_first_delimiter),
		cmocka_unit_test(every_status_has_its_own_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
