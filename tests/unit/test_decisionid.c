/* tests/unit/test_decisionid.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy/decisionid.h"

static const int64_t now = 1795800000; /* 2026-11-27 */

static void an_id_has_ten_characters_that_cannot_be_misread(void **state)
{
	char id[DECISIONID_LENGTH + 1];

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		decisionid_encode(now + i * 7919, i * 2654435761U, id);
		assert_int_equal(strlen(id), DECISIONID_LENGTH);
		assert_int_equal(strspn(id, "abcdefghijkmnpqrstuvwxyz23456789"),
				 DECISIONID_LENGTH);
	}
}

static void an_id_tells_its_second_whatever_the_random_part(void **state)
{
	char id[DECISIONID_LENGTH + 1], again[DECISIONID_LENGTH + 1];
	int64_t at;

	(void)state;
	for (int64_t age = -3600; age < 200000000; age += 86413) {
		for (uint32_t random = 1; random; random <<= 1) {
			decisionid_encode(now - age, random - 1, id);
			assert_true(decisionid_decode(span_of(id), now, again,
						      &at));
			assert_int_equal(at, now - age);
			assert_string_equal(id, again);
		}
	}
}

static void later_ids_sort_behind_earlier_ones(void **state)
{
	char before[DECISIONID_LENGTH + 1], after[DECISIONID_LENGTH + 1];

	(void)state;
	for (int64_t t = now; t < now + 100000000; t += 99991) {
		decisionid_encode(t, UINT32_MAX, before);
		decisionid_encode(t + 1, 0, after);
		assert_true(strcmp(before, after) < 0);
	}
}

static void the_random_parts_differ(void **state)
{
	char a[DECISIONID_LENGTH + 1], b[DECISIONID_LENGTH + 1];

	(void)state;
	decisionid_encode(now, 5, a);
	decisionid_encode(now, 6, b);
	assert_string_not_equal(a, b);
	decisionid_encode(now, (1U << DECISIONID_RANDOM_BITS) + 5, b);
	assert_string_equal(a, b);
}

static void either_case_is_read_and_nothing_else(void **state)
{
	static const char *const bad[] = {
		"",           "abc",        "22222222220", "2222222222x",
		"222222222l", "222222222o", "222222222O",  "222222222 ",
		"2222-22222", "12345abcde"
	};
	char id[DECISIONID_LENGTH + 1];
	int64_t at;

	(void)state;
	assert_true(decisionid_decode(SPAN_LIT("KZ3ABCDEFG"), now, id, &at));
	assert_string_equal(id, "kz3abcdefg");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(decisionid_decode(span_of(bad[i]), now, id, &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_id_has_ten_characters_that_cannot_be_misread),
		cmocka_unit_test(
			an_id_tells_its_second_whatever_the_random_part),
		cmocka_unit_test(later_ids_sort_behind_earlier_ones),
		cmocka_unit_test(the_random_parts_differ),
		cmocka_unit_test(either_case_is_read_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
