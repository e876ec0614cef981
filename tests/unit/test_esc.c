/* tests/unit/test_esc.c */
#include "lib/esc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
	struct span in;
	const char *out;
} rows[] = {
	{ SPAN_INIT(""), "" },
	{ SPAN_INIT("bob@example.org"), "bob@example.org" },
	{ SPAN_INIT("a b~"), "a b~" },
	{ SPAN_INIT("x\r\nNov 23 host sshd: y"),
	  "x\\x0d\\x0aNov 23 host sshd: y" },
	{ SPAN_INIT("\0\x1f\x7f\x80\xff"), "\\x00\\x1f\\x7f\\x80\\xff" },
	{ SPAN_INIT("<a>\"\\"), "\\x3ca\\x3e\\x22\\x5c" },
};

static void octets_that_could_fool_a_log_are_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF_INIT(1000);
		struct esc_text t;

		esc_put(&b, rows[i].in, SIZE_MAX);
		assert_string_equal(buf_cstr(&b), rows[i].out);
		assert_string_equal(esc_text(&t, rows[i].in), rows[i].out);
		buf_release(&b);
	}
}

static void long_text_is_cut(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	esc_put(&b, SPAN_LIT("abcd"), 4);
	esc_put(&b, SPAN_LIT("\n\n\n"), 2);
	assert_string_equal(buf_cstr(&b), "abcd\\x0a\\x0a...");
	buf_release(&b);
}

static void the_array_holds_the_worst_case(void **state)
{
	char octets[ESC_MAX + 1];
	struct esc_text t;

	(void)state;
	memset(octets, '\n', sizeof(octets));
	(void)esc_text(&t, span_make(octets, ESC_MAX));
	assert_int_equal(strlen(t.s), 4 * ESC_MAX);
	(void)esc_text(&t, span_make(octets, sizeof(octets)));
	assert_int_equal(strlen(t.s), sizeof(t.s) - 1);
	assert_string_equal(t.s + 4 * ESC_MAX, "...");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_that_could_fool_a_log_are_escaped),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(the_array_holds_the_worst_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
