/* tests/unit/test_buf.c */
#include "lib/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/unit/nomem.h"

static void puts_join_in_order(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_span(&b).n, 0);
	buf_put(&b, "a\0b", 3);
	buf_put_span(&b, SPAN_LIT("-c"));
	buf_puts(&b, "de");
	buf_putc(&b, '!');
	buf_put_u64(&b, 0);
	buf_put_u64(&b, UINT64_MAX);
	buf_printf(&b, "%s=%d", "x", -7);
	assert_true(buf_ok(&b));
	assert_true(span_eq(buf_span(&b),
			    SPAN_LIT("a\0b-cde!018446744073709551615x=-7")));
	buf_release(&b);
	assert_null(b.p);
	assert_int_equal(b.max, 1000);
}

static void the_maximum_is_reached_but_not_passed(void **state)
{
	static const size_t max[] = { 0, 1, 5, 63, 64, 65, 200, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(max) / sizeof(*max); i++) {
		struct buf b;

		buf_init(&b, max[i]);
		for (size_t n = 0; n < max[i]; n++)
			buf_putc(&b, 'x');
		assert_true(buf_ok(&b));
		assert_int_equal(b.n, max[i]);
		assert_int_equal(strlen(buf_cstr(&b)), max[i]);
		assert_true(b.size <= max[i] + 1);
		buf_putc(&b, 'y');
		assert_false(buf_ok(&b));
		assert_int_equal(b.n, max[i]);
		buf_release(&b);
	}
}

static void failure_sticks_until_reset(void **state)
{
	struct buf b = BUF_INIT(4);

	(void)state;
	buf_puts(&b, "12345");
	assert_false(buf_ok(&b));
	buf_putc(&b, 'a');
	buf_printf(&b, "%d", 1);
	assert_int_equal(b.n, 0);
	assert_null(buf_reserve(&b, 1));
	assert_string_equal(buf_cstr(&b), "");
	buf_reset(&b);
	buf_puts(&b, "1234");
	assert_true(buf_ok(&b));
	assert_string_equal(buf_cstr(&b), "1234");
	buf_release(&b);
}

static void a_failed_printf_leaves_nothing(void **state)
{
	struct buf b = BUF_INIT(8);

	(void)state;
	buf_puts(&b, "abc");
	buf_printf(&b, "%s", "123456");
	assert_false(buf_ok(&b));
	assert_true(span_is(buf_span(&b), "abc"));
	buf_release(&b);
}

static void reserve_gives_room_at_the_end(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	char *to;

	(void)state;
	buf_puts(&b, "head");
	to = buf_reserve(&b, 100000);
	assert_non_null(to);
	memset(to, 'z', 100000);
	b.n += 100000;
	assert_int_equal(strlen(buf_cstr(&b)), 100004);
	assert_memory_equal(b.p, "headzz", 6);
	buf_release(&b);
}

static void sizes_that_overflow_fail(void **state)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	(void)state;
	buf_puts(&b, "abc");
	assert_null(buf_reserve(&b, SIZE_MAX));
	buf_reset(&b);
	nomem_at = 0; /* nobody has so much; sanitizers even stop at it */
	assert_null(buf_reserve(&b, SIZE_MAX - 3));
	assert_int_equal(nomem_at, -1);
	assert_false(buf_ok(&b));
	buf_release(&b);
}

static void drop_takes_from_the_front(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	buf_drop(&b, 0);
	buf_puts(&b, "abcdef");
	buf_drop(&b, 2);
	assert_string_equal(buf_cstr(&b), "cdef");
	buf_drop(&b, 4);
	assert_int_equal(b.n, 0);
	buf_puts(&b, "x");
	assert_string_equal(buf_cstr(&b), "x");
	buf_release(&b);
}

static void no_memory_is_a_failure_that_loses_nothing(void **state)
{
	struct buf b = BUF_INIT(1000);
	char long_text[200];

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	buf_puts(&b, "kept");
	nomem_at = 0;
	buf_put(&b, long_text, sizeof(long_text));
	nomem_at = -1;
	assert_false(buf_ok(&b));
	assert_true(span_is(buf_span(&b), "kept"));
	buf_release(&b);
}

static void wipe_empties(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	buf_wipe(&b);
	buf_puts(&b, "secret");
	buf_wipe(&b);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.max, 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_join_in_order),
		cmocka_unit_test(the_maximum_is_reached_but_not_passed),
		cmocka_unit_test(failure_sticks_until_reset),
		cmocka_unit_test(a_failed_printf_leaves_nothing),
		cmocka_unit_test(reserve_gives_room_at_the_end),
		cmocka_unit_test(sizes_that_overflow_fail),
		cmocka_unit_test(drop_takes_from_the_front),
		cmocka_unit_test(no_memory_is_a_failure_that_loses_nothing),
		cmocka_unit_test(wipe_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
