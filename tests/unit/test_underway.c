/* Octets that are promised to mailboxes. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/underway.h"

static int setup(void **state)
{
	*state = underway_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct underway *f = *state;

	underway_free(&f);
	return f ? -1 : 0;
}

static void what_is_held_leaves_less_room(void **state)
{
	struct holding a = { 0 }, b = { 0 };

	assert_true(holding_add(&a, *state, 7, 600, 1000));
	assert_int_equal(underway_octets(*state, 7), 600);
	assert_false(holding_add(&b, *state, 7, 401, 1000));
	assert_true(holding_add(&b, *state, 7, 400, 1000));
	assert_int_equal(underway_octets(*state, 7), 1000);
	assert_int_equal(underway_octets(*state, 8), 0);
	holding_release(&a);
	assert_int_equal(underway_octets(*state, 7), 400);
	holding_release(&b);
	assert_int_equal(underway_octets(*state, 7), 0);
}

static void a_mail_knows_what_it_holds(void **state)
{
	struct holding a = { 0 };

	assert_false(holding_has(&a, 7));
	for (uint64_t i = 0; i < 100; i++)
		assert_true(holding_add(&a, *state, i * 1024, i, 1000));
	for (uint64_t i = 0; i < 100; i++) {
		assert_true(holding_has(&a, i * 1024));
		assert_int_equal(underway_octets(*state, i * 1024), i);
	}
	assert_false(holding_has(&a, 7));
	holding_release(&a);
	holding_release(&a);
	assert_false(holding_has(&a, 1024));
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(underway_octets(*state, i * 1024), 0);
}

static void what_does_not_fit_is_not_held(void **state)
{
	struct holding a = { 0 }, b = { 0 };

	assert_false(holding_add(&a, *state, 1, 1001, 1000));
	assert_false(holding_has(&a, 1));
	assert_true(holding_add(&a, *state, 1, UINT64_MAX, UINT64_MAX));
	assert_false(holding_add(&b, *state, 1, 1, UINT64_MAX));
	holding_release(&a);
	holding_release(&b);
	assert_int_equal(underway_octets(*state, 1), 0);
}

/* Beyond the bound nothing is counted, and nothing is refused. */
static void the_mailboxes_are_bounded(void **state)
{
	struct holding a = { 0 };

	for (uint64_t i = 0; i < UNDERWAY_BOXES_MAX + 10; i++)
		assert_true(holding_add(&a, *state, i, 5, 10));
	assert_int_equal(a.n, UNDERWAY_BOXES_MAX);
	assert_int_equal(underway_octets(*state, UNDERWAY_BOXES_MAX), 0);
	holding_release(&a);
	assert_true(holding_add(&a, *state, UNDERWAY_BOXES_MAX, 5, 10));
	assert_int_equal(underway_octets(*state, UNDERWAY_BOXES_MAX), 5);
	holding_release(&a);
}

enum { THREADS = 4, ROUNDS = 2000 };

static void *work(void *arg)
{
	bool over = false;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct holding h = { 0 };

		for (uint64_t box = 0; box < 8; box++)
			if (holding_add(&h, arg, box, 10, 25) &&
			    underway_octets(arg, box) > 25)
				over = true;
		holding_release(&h);
	}
	return over ? arg : NULL;
}

static void sessions_never_hold_more_than_the_room(void **state)
{
	pthread_t t[THREADS];
	void *bad;

	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, work, *state), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
	for (uint64_t box = 0; box < 8; box++)
		assert_int_equal(underway_octets(*state, box), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_held_leaves_less_room,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_mail_knows_what_it_holds,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_not_held,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_mailboxes_are_bounded,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			sessions_never_hold_more_than_the_room, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
