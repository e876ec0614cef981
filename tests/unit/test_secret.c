#include "lib/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SLOT = 1000, SLOTS = 40 };

static void a_slot_is_zero_also_the_second_time(void **state)
{
	static const char zero[SLOT];
	struct secret_pool *p = secret_pool_new(SLOT, SLOTS);
	void *slot, *again;

	(void)state;
	assert_non_null(p);
	slot = secret_take(p);
	assert_memory_equal(slot, zero, SLOT);
	memset(slot, 'x', SLOT);
	secret_give(p, slot);
	assert_memory_equal(slot, zero, SLOT);
	again = secret_take(p);
	assert_ptr_equal(again, slot);
	secret_give(p, again);
	secret_give(p, NULL);
	secret_pool_free(&p);
	assert_null(p);
}

static void there_are_so_many_and_none_overlaps(void **state)
{
	struct secret_pool *p = secret_pool_new(SLOT, SLOTS);
	char *slot[SLOTS];

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < SLOTS; i++) {
		slot[i] = secret_take(p);
		assert_non_null(slot[i]);
		memset(slot[i], i + 1, SLOT);
	}
	assert_null(secret_take(p));
	for (int i = 0; i < SLOTS; i++)
		for (int j = 0; j < SLOT; j++)
			assert_int_equal(slot[i][j], i + 1);
	secret_give(p, slot[7]);
	assert_ptr_equal(secret_take(p), slot[7]);
	assert_null(secret_take(p));
	secret_pool_free(&p);
}

/* The flags of the mapping that an address lies in, as the kernel has them. */
static void flags_of(const void *at, char flags_r[256])
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long begin, end, here = (unsigned long)(uintptr_t)at;
	bool inside = false;
	char line[512];

	assert_non_null(f);
	flags_r[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			inside = here >= begin && here < end;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			(void)snprintf(flags_r, 256, "%.255s", line);
	}
	(void)fclose(f);
}

static void it_is_not_dumped_and_locked_where_that_is_allowed(void **state)
{
	struct secret_pool *p = secret_pool_new(SLOT, SLOTS);
	char flags[256];

	(void)state;
	assert_non_null(p);
	flags_of(secret_take(p), flags);
	assert_non_null(strstr(flags, " dd"));
	assert_int_equal(strstr(flags, " lo") != NULL, secret_pool_locked(p));
	secret_pool_free(&p);
}

static void what_cannot_be_had_is_told(void **state)
{
	(void)state;
	assert_null(secret_pool_new(SIZE_MAX / 4, 64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_is_zero_also_the_second_time),
		cmocka_unit_test(there_are_so_many_and_none_overlaps),
		cmocka_unit_test(
			it_is_not_dumped_and_locked_where_that_is_allowed),
		cmocka_unit_test(what_cannot_be_had_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
