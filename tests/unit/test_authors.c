/* tests/unit/test_authors.c */
#include "tests/unit/wire.h"

#include "policy/authors.h"

static void take(struct authors *a, const char *name, const char *value)
{
	assert_true(authors_knows(span_of(name)));
	authors_take(a, span_of(name), span_of(value), true);
}

static void each_field_has_its_list(void **state)
{
	struct authors a = { .from.n = 0 };

	(void)state;
	take(&a, "From", " Al@d.test");
	take(&a, "SENDER ", " bob@d.test");
	take(&a, "resent-from", " eve@d.test");
	take(&a, "Resent-Sender", " joe@d.test");
	assert_int_equal(a.from.n, 1);
	assert_text(addr_span(&a.from.entry[0].addr), SPAN_LIT("al@d.test"));
	assert_int_equal(a.sender.n, 1);
	assert_text(addr_span(&a.sender.entry[0].addr), SPAN_LIT("bob@d.test"));
	assert_int_equal(a.resent.n, 2);
	assert_int_equal(a.resent.fields, 2);
}

static void other_fields_are_passed_over(void **state)
{
	static const char *const names[] = { "Reply-To",    "FromX",
					     "X-From",      "From-",
					     "Received",    "",
					     "Return-Path", "Resent-To" };
	struct authors a = { .from.n = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_false(authors_knows(span_of(names[i])));
		authors_take(&a, span_of(names[i]), SPAN_LIT("a@b.test"), true);
	}
	assert_int_equal(a.from.fields + a.sender.fields + a.resent.fields, 0);
}

static void one_author_is_one_address_in_one_field(void **state)
{
	static const struct {
		const char *first, *second;
		bool one;
	} rows[] = {
		{ "al@d.test", NULL, true },
		{ "\"bob@d.test\" <al@d.test>", NULL, true },
		{ "al@d.test, bob@d.test", NULL, false },
		{ "al@d.test", "bob@d.test", false },
		{ "al@d.test", "al@d.test", false },
		{ "al@d.test", "", false },
		{ "", NULL, false },
		{ "\"al@d.test", NULL, false },
		{ NULL, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct authors a = { .from.n = 0 };

		if (rows[i].first)
			take(&a, "From", rows[i].first);
		if (rows[i].second)
			take(&a, "From", rows[i].second);
		if (authors_has_one(&a) != rows[i].one)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_has_its_list),
		cmocka_unit_test(other_fields_are_passed_over),
		cmocka_unit_test(one_author_is_one_address_in_one_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
