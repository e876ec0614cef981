/* tests/unit/test_tlsname.c: which certificate a name means. */
#include "lib/tlsname.h"

#include "tests/unit/wire.h"

static void a_pattern_stands_for_its_names(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} row[] = {
		{ "pop.example.com", "pop.example.com", true },
		{ "pop.example.com", "POP.Example.COM", true },
		{ "pop.example.com", "xpop.example.com", false },
		{ "pop.example.com", "pop.example.co", false },
		{ "*.example.com", "pop.example.com", true },
		{ "*.Example.com", "POP.example.com", true },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", "a.pop.example.com", false },
		{ "*.example.com", ".example.com", false },
		{ "*.example.com", "pop.example.org", false },
		{ "", "", false },
		{ "", "pop.example.com", false },
		{ "pop.example.com", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		if (tlsname_match(span_of(row[i].pattern),
				  span_of(row[i].name)) != row[i].match)
			fail_msg("%s and %s", row[i].pattern, row[i].name);
}

static void only_host_names_are_names(void **state)
{
	static const char *const good[] = { "localhost", "a.b", "*.example.com",
					    "xn--bcher-kva.example",
					    "_x.example" };
	static const char *const bad[] = {
		"",      "*",    "*.",  ".",     "a..b",
		".a",    "a.",   "a b", "a/b",   "a.*",
		"*.*.a", "a*.b", "..",  "a\x1b", "\xc3\xa4.example",
	};
	char label[66] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(tlsname_valid(span_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(tlsname_valid(span_of(bad[i])));
	memset(label, 'a', 64);
	assert_true(tlsname_valid(span_make(label, 63)));
	assert_false(tlsname_valid(span_make(label, 64)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_stands_for_its_names),
		cmocka_unit_test(only_host_names_are_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
