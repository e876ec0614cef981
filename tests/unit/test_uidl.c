/* tests/unit/test_uidl.c */
#include "tests/unit/wire.h"

#include "lib/uidl.h"

static const uint8_t zero[10];

static void a_content_id_is_the_time_and_the_random_octets(void **state)
{
	const uint8_t random[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	const uint8_t want[CONTENT_ID_SIZE] = { 0x12, 0x34, 0x56, 0x78,
						0x9a, 0xbc, 1,    2,
						3,    4,    5,    6,
						7,    8,    9,    10 };
	uint8_t id[CONTENT_ID_SIZE];

	(void)state;
	content_id_make(0x123456789abc, random, id);
	assert_memory_equal(id, want, CONTENT_ID_SIZE);
}

static void later_ids_sort_behind_earlier_ones(void **state)
{
	const int64_t times[] = { -5,
				  1,
				  255,
				  256,
				  1763874911000,
				  1763874911001,
				  (INT64_C(1) << 48) - 1 };
	uint8_t before[CONTENT_ID_SIZE], id[CONTENT_ID_SIZE];

	(void)state;
	content_id_make(times[0], zero, before);
	for (size_t i = 1; i < COUNT(times); i++) {
		content_id_make(times[i], zero, id);
		assert_true(memcmp(before, id, CONTENT_ID_SIZE) < 0);
		memcpy(before, id, CONTENT_ID_SIZE);
	}
}

static void rule_20_a_uidl_is_the_uid_and_eight_digits(void **state)
{
	static const struct {
		uint8_t random[10];
		uint64_t uid;
		const char *uidl;
	} rows[] = {
		{ { 0 }, 16777216, "16777216.00000000" },
		{ { 0, 0, 0, 0, 0, 0, 0, 35 }, 1, "1.0000000z" },
		{ { 0, 0, 0, 0, 0, 0, 0, 36 }, 1, "1.00000010" },
		/* 36^8 starts again at 0; the last two octets do not count */
		{ { 0, 0, 0x02, 0x90, 0xd7, 0x41, 0x00, 0x01, 9, 9 },
		  UINT64_MAX,
		  "18446744073709551615.00000001" },
	};
	struct buf b = BUF_INIT(UIDL_MAX);
	uint8_t id[CONTENT_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		content_id_make(1763874911000, rows[i].random, id);
		buf_reset(&b);
		uidl_put(&b, rows[i].uid, id);
		assert_buf(&b, rows[i].uidl);
	}
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_content_id_is_the_time_and_the_random_octets),
		cmocka_unit_test(later_ids_sort_behind_earlier_ones),
		cmocka_unit_test(rule_20_a_uidl_is_the_uid_and_eight_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
