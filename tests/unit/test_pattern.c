/* tests/unit/test_pattern.c */
#include "policy/pattern.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "policy/keymap.h"

#define ROWS(a) (sizeof(a) / sizeof(*(a)))

enum { ALL = 127 };

static void a_pattern_has_one_spelling(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: none */
		enum pattern_form form;
	} row[] = {
		{ "Bob@Example.ORG", "bob@example.org", PATTERN_ADDRESS },
		{ "\"bob\"@example.org", "bob@example.org", PATTERN_ADDRESS },
		{ "\"a@\"@example.org", "\"a@\"@example.org", PATTERN_ADDRESS },
		{ "Bob@", "bob@", PATTERN_LOCAL },
		{ "\"bob\"@", "bob@", PATTERN_LOCAL },
		{ "\"a@b\"@", "\"a@b\"@", PATTERN_LOCAL },
		{ "@Example.ORG", "@example.org", PATTERN_DOMAIN },
		{ "@b\xc3\xbc"
		  "cher.example",
		  "@xn--bcher-kva.example", PATTERN_DOMAIN },
		{ "@[192.0.2.1]", "@[192.0.2.1]", PATTERN_DOMAIN },
		{ "@.Example.ORG", "@.example.org", PATTERN_SUBDOMAINS },
		{ "<>", "<>", PATTERN_NULL },
		{ "*", "*", PATTERN_ANY },
		{ "@*", "@*", PATTERN_ANY_DOMAIN },
		{ "", NULL, PATTERN_ADDRESS },
		{ "@", NULL, PATTERN_ADDRESS },
		{ "@@", NULL, PATTERN_DOMAIN },
		{ "@.", NULL, PATTERN_SUBDOMAINS },
		{ "@.[192.0.2.1]", NULL, PATTERN_SUBDOMAINS },
		{ "@..org", NULL, PATTERN_SUBDOMAINS },
		{ "bob", NULL, PATTERN_ADDRESS },
		{ "b b@", NULL, PATTERN_LOCAL },
		{ "<bob@", NULL, PATTERN_LOCAL },
		{ "*@example.org", "*@example.org", PATTERN_ADDRESS },
		{ "**", NULL, PATTERN_ADDRESS },
	};
	struct pattern p;

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		bool ok = pattern_parse(span_of(row[i].in), ALL, true, &p);

		if (ok != (row[i].out != NULL))
			fail_msg("'%s'", row[i].in);
		assert_int_equal(p.form, row[i].form);
		if (!ok)
			continue;
		assert_string_equal(p.text, row[i].out);
		assert_int_equal(p.n, strlen(row[i].out));
		/* only where its form may stand */
		assert_true(pattern_parse(span_of(row[i].in), row[i].form, true,
					  &p));
		assert_false(pattern_parse(span_of(row[i].in),
					   ALL & ~(unsigned)row[i].form, true,
					   &p));
	}
}

static void case_is_folded_as_the_site_does(void **state)
{
	struct pattern p;

	(void)state;
	assert_true(pattern_parse(SPAN_LIT("Bob@X"), ALL, false, &p));
	assert_string_equal(p.text, "Bob@x");
	assert_true(pattern_parse(SPAN_LIT("Bob@"), ALL, false, &p));
	assert_string_equal(p.text, "Bob@");
}

static void too_long_is_no_pattern(void **state)
{
	char text[400] = "@";
	struct pattern p;

	(void)state;
	memset(text + 1, 'a', 300);
	assert_false(pattern_parse(span_make(text, 301), ALL, true, &p));
	text[0] = 'a';
	text[65] = '@';
	assert_false(pattern_parse(span_make(text, 66), ALL, true, &p));
	text[350] = '@';
	assert_false(pattern_parse(span_make(text, 351), ALL, true, &p));
}

/* The keys with a blank before each. */
static const char *walked(const char *address, unsigned forms)
{
	static struct buf out = BUF_INIT(2000);
	struct addr a = { .n = 0 };
	struct pattern_walk w;
	struct span key;

	buf_reset(&out);
	if (address[0])
		assert_int_equal(addr_parse(span_of(address), true, &a),
				 ADDR_OK);
	pattern_begin(&w, &a, forms);
	while (pattern_next(&w, &key)) {
		buf_putc(&out, ' ');
		buf_put_span(&out, key);
	}
	return buf_cstr(&out);
}

static void an_address_falls_under_the_narrowest_first(void **state)
{
	(void)state;
	assert_string_equal(
		walked("bob@a.b.example", PATTERNS_SENDER),
		" bob@a.b.example bob@ @a.b.example @.b.example @.example *");
	assert_string_equal(walked("bob@x", PATTERNS_SENDER),
			    " bob@x bob@ @x *");
	assert_string_equal(walked("bob@a.x", PATTERNS_SCOPE),
			    " bob@a.x @a.x *");
	assert_string_equal(walked("bob@a.x", PATTERNS_LOGIN), " bob@a.x @a.x");
	assert_string_equal(walked("bob@a.x", PATTERNS_SEND_AS),
			    " bob@a.x @a.x @.x *");
	assert_string_equal(walked("\"a.b@c\"@a.x", PATTERNS_SENDER),
			    " \"a.b@c\"@a.x \"a.b@c\"@ @a.x @.x *");
}

static void the_null_sender_falls_under_its_own_and_any(void **state)
{
	(void)state;
	assert_string_equal(walked("", PATTERNS_SENDER), " <> *");
	assert_string_equal(walked("", PATTERNS_SEND_AS), " *");
	assert_string_equal(walked("", PATTERNS_LOGIN), "");
}

static void a_list_has_domains_and_their_sub_domains(void **state)
{
	const struct span list = SPAN_LIT(" a.example,\t.b.example\n c ");
	struct span bad;

	(void)state;
	assert_true(pattern_list_check(list, &bad));
	assert_true(pattern_list_has(list, SPAN_LIT("a.example")));
	assert_false(pattern_list_has(list, SPAN_LIT("x.a.example")));
	assert_false(pattern_list_has(list, SPAN_LIT("b.example")));
	assert_true(pattern_list_has(list, SPAN_LIT("x.b.example")));
	assert_false(pattern_list_has(list, SPAN_LIT("xb.example")));
	assert_true(pattern_list_has(list, SPAN_LIT("c")));
	assert_false(pattern_list_has(list, SPAN_EMPTY));
	assert_false(pattern_list_has(SPAN_EMPTY, SPAN_LIT("c")));
	assert_true(pattern_list_check(SPAN_EMPTY, &bad));
	assert_false(pattern_list_check(SPAN_LIT("a, B.example c"), &bad));
	assert_true(span_is(bad, "B.example"));
	assert_false(pattern_list_check(SPAN_LIT("."), &bad));
	assert_false(pattern_list_check(SPAN_LIT("bob@a"), &bad));
}

static void a_table_finds_what_was_added_and_nothing_else(void **state)
{
	const uint8_t secret[SIPHASH_KEY_SIZE] = { 1, 2, 3 };
	struct keymap m;
	char a[16], b[16];
	uint32_t v;

	(void)state;
	keymap_init(&m, secret);
	assert_false(keymap_find(&m, SPAN_LIT("a"), SPAN_EMPTY, &v));
	for (uint32_t i = 0; i < 1000; i++) {
		struct span s = span_make(
			a, (size_t)snprintf(a, sizeof(a), "a%u", i / 10));
		struct span t = span_make(
			b, (size_t)snprintf(b, sizeof(b), "b%u", i % 10));

		assert_int_equal(keymap_add(&m, s, t, i), KEYMAP_ADDED);
		assert_int_equal(keymap_add(&m, s, t, 7), KEYMAP_TWICE);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(a, sizeof(a), "a%u", i / 10);
		snprintf(b, sizeof(b), "b%u", i % 10);
		assert_true(keymap_find(&m, span_of(a), span_of(b), &v));
		assert_int_equal(v, i);
		assert_false(keymap_find(&m, span_of(a), SPAN_EMPTY, &v));
		assert_false(keymap_find(&m, span_of(b), span_of(a), &v));
	}
	/* where the one ends and the other begins is part of the key */
	assert_int_equal(keymap_add(&m, SPAN_LIT("ab"), SPAN_LIT("c"), 1),
			 KEYMAP_ADDED);
	assert_false(keymap_find(&m, SPAN_LIT("a"), SPAN_LIT("bc"), &v));
	keymap_release(&m);
}

static void a_key_that_is_too_long_is_not_taken(void **state)
{
	const uint8_t secret[SIPHASH_KEY_SIZE] = { 0 };
	char text[KEYMAP_KEY_MAX];
	struct keymap m;
	uint32_t v;

	(void)state;
	memset(text, 'x', sizeof(text));
	keymap_init(&m, secret);
	assert_int_equal(keymap_add(&m, SPAN_EMPTY, SPAN_EMPTY, 1),
			 KEYMAP_ADDED);
	assert_int_equal(
		keymap_add(&m, span_make(text, sizeof(text)), SPAN_EMPTY, 1),
		KEYMAP_NO_MEMORY);
	assert_int_equal(
		keymap_add(&m, span_make(text, 1000), span_make(text, 24), 1),
		KEYMAP_NO_MEMORY);
	assert_int_equal(
		keymap_add(&m, span_make(text, 1000), span_make(text, 23), 1),
		KEYMAP_ADDED);
	assert_false(keymap_find(&m, span_make(text, 1000), span_make(text, 24),
				 &v));
	keymap_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_has_one_spelling),
		cmocka_unit_test(case_is_folded_as_the_site_does),
		cmocka_unit_test(too_long_is_no_pattern),
		cmocka_unit_test(an_address_falls_under_the_narrowest_first),
		cmocka_unit_test(the_null_sender_falls_under_its_own_and_any),
		cmocka_unit_test(a_list_has_domains_and_their_sub_domains),
		cmocka_unit_test(a_table_finds_what_was_added_and_nothing_else),
		cmocka_unit_test(a_key_that_is_too_long_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
