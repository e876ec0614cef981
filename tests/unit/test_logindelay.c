/* tests/unit/test_logindelay.c */
#include "tests/unit/wire.h"

#include "pop3d/logindelay.h"

enum { DELAY = 60000 };

static void rule_58_who_comes_too_early_is_known_and_in_time_is_not(
	void **state)
{
	uint64_t bob = logindelay_key(SPAN_LIT("bob@example.org"));
	uint64_t ann = logindelay_key(SPAN_LIT("ann@example.org"));
	struct logindelay d = { NULL };

	(void)state;
	assert_false(logindelay_is_early(&d, bob, 1000, DELAY));
	logindelay_note(&d, bob, 1000);
	assert_true(logindelay_is_early(&d, bob, 1000, DELAY));
	assert_true(logindelay_is_early(&d, bob, 1000 + DELAY - 1, DELAY));
	assert_false(logindelay_is_early(&d, bob, 1000 + DELAY, DELAY));
	assert_false(logindelay_is_early(&d, bob, 1000, 0));
	assert_false(logindelay_is_early(&d, ann, 1000, DELAY));
	logindelay_note(&d, bob, 50000);
	assert_true(logindelay_is_early(&d, bob, 1000 + DELAY, DELAY));
	logindelay_release(&d);
}

static void ten_thousand_are_remembered_at_once(void **state)
{
	struct logindelay d = { NULL };

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		for (uint32_t i = 0; i < 10000; i++) {
			struct span name = span_make(&i, sizeof(i));
			uint64_t key = logindelay_key(name);

			if (n == 0)
				logindelay_note(&d, key, 5);
			else if (!logindelay_is_early(&d, key, 6, DELAY))
				fail_msg("forgot %u", i);
		}
	}
	logindelay_release(&d);
}

/* One more than a group holds drives out the one of longest ago. */
static void where_too_many_meet_the_oldest_is_forgotten(void **state)
{
	const uint64_t step = LOGINDELAY_PLACES / LOGINDELAY_TOGETHER;
	struct logindelay d = { NULL };

	(void)state;
	for (uint64_t i = 1; i <= LOGINDELAY_TOGETHER + 1; i++)
		logindelay_note(&d, i * step, i == 2 ? 1 : (int64_t)(10 + i));
	for (uint64_t i = 1; i <= LOGINDELAY_TOGETHER + 1; i++)
		assert_int_equal(logindelay_is_early(&d, i * step, 40, DELAY),
				 i != 2);
	logindelay_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			rule_58_who_comes_too_early_is_known_and_in_time_is_not),
		cmocka_unit_test(ten_thousand_are_remembered_at_once),
		cmocka_unit_test(where_too_many_meet_the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
