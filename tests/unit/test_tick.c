#include "auth/tick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BEGUN = 1000003, DELAY = 1000, DEADLINE = BEGUN + 8000 };

static int64_t answered_after(int64_t check_ms)
{
	return tick_due(BEGUN, BEGUN + check_ms, DELAY, DEADLINE) - BEGUN;
}

static void the_time_of_an_answer_does_not_tell_that_of_the_check(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms <= DELAY; ms++)
		assert_int_equal(answered_after(ms), 1000);
	for (int64_t ms = DELAY + 1; ms <= 1500; ms++)
		assert_int_equal(answered_after(ms), 1500);
	assert_int_equal(answered_after(1501), 2000);
}

static void a_delay_is_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(tick_due(0, 0, 1, 8000), 500);
	assert_int_equal(tick_due(0, 0, 500, 8000), 500);
	assert_int_equal(tick_due(0, 0, 501, 8000), 1000);
}

static void nobody_waits_beyond_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(answered_after(7999), 8000);
	assert_int_equal(tick_due(0, 7000, 500, 6900), 6900);
	assert_int_equal(tick_due(0, 100, 5000, 1200), 1200);
}

static void without_a_delay_there_are_no_ticks(void **state)
{
	(void)state;
	assert_int_equal(tick_due(0, 123, 0, 8000), 123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_time_of_an_answer_does_not_tell_that_of_the_check),
		cmocka_unit_test(a_delay_is_rounded_up),
		cmocka_unit_test(nobody_waits_beyond_the_deadline),
		cmocka_unit_test(without_a_delay_there_are_no_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
