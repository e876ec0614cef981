#include "auth/pending.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PLACES = 2 * PENDING_MAX, KEYS = 40, STEPS = 200000 };

static struct pending *t;

static int set_up(void **state)
{
	(void)state;
	t = pending_new();
	return t ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	pending_free(&t);
	assert_null(t);
	return 0;
}

/* A few places, at both ends of the table, that all want. */
static uint64_t key_of(unsigned i)
{
	return (uint64_t)PLACES * (i + 1) + (PLACES - 3 + i % 7) % PLACES;
}

static unsigned next_random(void)
{
	static uint32_t x = 1;

	x = x * 1103515245U + 12345U;
	return x >> 8;
}

static void it_counts_as_a_list_would(void **state)
{
	unsigned n[KEYS] = { 0 };

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = next_random() % KEYS;

		if (n[i] == 0 || next_random() % 3 == 0) {
			assert_true(pending_add(t, key_of(i)));
			n[i]++;
		} else {
			pending_drop(t, key_of(i));
			n[i]--;
		}
		i = next_random() % KEYS;
		assert_int_equal(pending_count(t, key_of(i)), n[i]);
	}
	for (unsigned i = 0; i < KEYS; i++)
		for (; n[i] > 0; n[i]--)
			pending_drop(t, key_of(i));
	for (unsigned i = 0; i < KEYS; i++)
		assert_int_equal(pending_count(t, key_of(i)), 0);
}

static void it_has_an_end(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= PENDING_MAX; i++)
		assert_true(pending_add(t, i * 7919));
	assert_false(pending_add(t, 1));
	assert_true(pending_add(t, 7919));
	pending_drop(t, 1);
	pending_drop(t, UINT64_C(2) * 7919);
	assert_true(pending_add(t, 1));
	for (uint64_t i = 3; i <= PENDING_MAX; i++)
		assert_int_equal(pending_count(t, i * 7919), 1);
	assert_int_equal(pending_count(t, 7919), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_counts_as_a_list_would,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_has_an_end, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
