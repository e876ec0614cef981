/* tests/unit/test_span.c */
#include "lib/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROWS(a) (sizeof(a) / sizeof(*(a)))

static void only_ascii_letters_are_folded(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} row[] = {
		{ "", "", true },       { "Retr", "rETR", true },
		{ "a", "b", false },    { "a", "aa", false },
		{ "aa", "a", false },   { "[", "{", false },
		{ "@", "`", false },    { "\xc4", "\xe4", false },
		{ "Z9_", "z9_", true },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++)
		assert_int_equal(
			span_eq_nocase(span_of(row[i].a), span_of(row[i].b)),
			row[i].equal);
}

static void a_prefix_is_not_longer_than_the_span(void **state)
{
	(void)state;
	assert_true(
		span_starts_nocase(SPAN_LIT("IPV6:::1"), SPAN_LIT("ipv6:")));
	assert_true(span_starts_nocase(SPAN_LIT("x"), SPAN_EMPTY));
	assert_false(span_starts_nocase(SPAN_LIT("ip"), SPAN_LIT("ipv6")));
	assert_false(span_starts_nocase(SPAN_LIT("axb"), SPAN_LIT("ab")));
}

static void head_and_skip_stay_inside(void **state)
{
	struct span s = SPAN_LIT("abc");

	(void)state;
	assert_true(span_is(span_head(s, 2), "ab"));
	assert_true(span_is(span_head(s, 4), "abc"));
	assert_true(span_is(span_skip(s, 2), "c"));
	assert_int_equal(span_skip(s, 4).n, 0);
	assert_int_equal(span_of(NULL).n, 0);
}

static void find_tells_the_first_or_the_end(void **state)
{
	(void)state;
	assert_int_equal(span_find(SPAN_LIT("a=b="), '='), 1);
	assert_int_equal(span_find(SPAN_LIT("ab"), '='), 2);
	assert_int_equal(span_find(SPAN_LIT("a\0b"), '\0'), 1);
	assert_int_equal(span_find(span_make(NULL, 0), 'a'), 0);
}

static void cut_splits_at_the_first_separator(void **state)
{
	static const struct {
		const char *s, *head, *tail;
		bool found;
	} row[] = {
		{ "k=v=w", "k", "v=w", true }, { "k=", "k", "", true },
		{ "=v", "", "v", true },       { "kv", "kv", "", false },
		{ "", "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		struct span s = span_of(row[i].s), head;

		assert_int_equal(span_cut(s, '=', &head, &s), row[i].found);
		assert_true(span_is(head, row[i].head));
		assert_true(span_is(s, row[i].tail));
	}
}

static void trim_takes_blanks_off_both_ends_only(void **state)
{
	(void)state;
	assert_true(span_is(span_trim(SPAN_LIT(" \t a b\r\n")), "a b"));
	assert_int_equal(span_trim(SPAN_LIT(" \r\n\t")).n, 0);
	assert_true(span_is(span_trim(SPAN_LIT("\va")), "\va"));
}

static void words_are_taken_one_by_one(void **state)
{
	struct span list = SPAN_LIT(" ,a\r\n bc,\t,d\v");

	(void)state;
	assert_true(span_is(span_next_word(&list), "a"));
	assert_true(span_is(span_next_word(&list), "bc"));
	assert_true(span_is(span_next_word(&list), "d"));
	assert_int_equal(span_next_word(&list).n, 0);
	assert_int_equal(span_next_word(&list).n, 0);
}

static void a_number_is_digits_without_overflow(void **state)
{
	static const struct {
		const char *s;
		bool ok;
		uint64_t v;
	} row[] = {
		{ "0", true, 0 },
		{ "007", true, 7 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1a", false, 0 },
		{ "0x1", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		uint64_t v = 0;

		assert_int_equal(span_u64(span_of(row[i].s), &v), row[i].ok);
		if (row[i].ok)
			assert_true(v == row[i].v);
	}
}

static void utf8_is_well_formed_or_not(void **state)
{
	static const struct {
		struct span s;
		bool ok;
	} row[] = {
		{ SPAN_INIT(""), true },
		{ SPAN_INIT("abc\0\x7f"), true },
		{ SPAN_INIT("gr\xc3\xbc\xc3\x9f"), true },
		{ SPAN_INIT("\xe2\x82\xac"), true },
		{ SPAN_INIT("\xf0\x9f\x93\xa7 ok"), true },
		{ SPAN_INIT("\xf4\x8f\xbf\xbf"), true },
		{ SPAN_INIT("\x80"), false },
		{ SPAN_INIT("\xc3"), false },
		{ SPAN_INIT("\xc3("), false },
		{ SPAN_INIT("\xc0\x80"), false },
		{ SPAN_INIT("\xe0\x9f\xbf"), false },
		{ SPAN_INIT("\xed\xa0\x80"), false },
		{ SPAN_INIT("\xe2\x82("), false },
		{ SPAN_INIT("\xf0\x8f\xbf\xbf"), false },
		{ SPAN_INIT("\xf4\x90\x80\x80"), false },
		{ SPAN_INIT("\xf5\x80\x80\x80"), false },
		{ SPAN_INIT("\xf0\x9f\x93"), false },
		{ SPAN_INIT("\xff"), false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++)
		assert_int_equal(span_is_utf8(row[i].s), row[i].ok);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ascii_letters_are_folded),
		cmocka_unit_test(a_prefix_is_not_longer_than_the_span),
		cmocka_unit_test(head_and_skip_stay_inside),
		cmocka_unit_test(words_are_taken_one_by_one),
		cmocka_unit_test(find_tells_the_first_or_the_end),
		cmocka_unit_test(cut_splits_at_the_first_separator),
		cmocka_unit_test(trim_takes_blanks_off_both_ends_only),
		cmocka_unit_test(a_number_is_digits_without_overflow),
		cmocka_unit_test(utf8_is_well_formed_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
