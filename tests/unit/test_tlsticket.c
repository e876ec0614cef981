/* tests/unit/test_tlsticket.c: keys of session tickets take turns. */
#include "lib/tlsticket.h"

#include "tests/unit/wire.h"

static const int64_t TURN = TLSTICKET_TURN_MS;

static void turn(struct tlsticket_keys *k, uint8_t octet, int64_t now)
{
	uint8_t seed[TLSTICKET_SEED];

	memset(seed, octet, sizeof(seed));
	seed[TLSTICKET_SEED - 1] = 0xff;
	tlsticket_turn(k, seed, now);
}

static const struct tlsticket_key *reader(const struct tlsticket_keys *k,
					  uint8_t octet, int64_t now)
{
	uint8_t name[TLSTICKET_NAME];

	memset(name, octet, sizeof(name));
	return tlsticket_reader(k, name, now);
}

static void without_a_key_it_is_time_for_one(void **state)
{
	struct tlsticket_keys k = { .n = 0 };

	(void)state;
	assert_int_equal(tlsticket_next(&k), 0);
	assert_null(tlsticket_writer(&k));
	assert_null(reader(&k, 0, 5));
	turn(&k, 1, 100);
	assert_true(tlsticket_next(&k) == 100 + TURN);
}

static void the_seed_is_used_up_whole(void **state)
{
	struct tlsticket_keys k = { .n = 0 };

	(void)state;
	turn(&k, 7, 100);
	assert_int_equal(k.key[0].name[15], 7);
	assert_int_equal(k.key[0].cipher[31], 7);
	assert_int_equal(k.key[0].mac[0], 7);
	assert_int_equal(k.key[0].mac[31], 0xff);
}

static void the_key_before_is_still_read_and_the_one_before_that_is_gone(
	void **state)
{
	struct tlsticket_keys k = { .n = 0 };

	(void)state;
	turn(&k, 1, 0);
	assert_null(reader(&k, 0, 0));
	turn(&k, 2, TURN);
	assert_int_equal(tlsticket_writer(&k)->name[0], 2);
	assert_int_equal(reader(&k, 1, TURN)->cipher[0], 1);
	assert_int_equal(reader(&k, 2, TURN)->cipher[0], 2);
	turn(&k, 3, 2 * TURN);
	assert_null(reader(&k, 1, 2 * TURN));
	assert_int_equal(reader(&k, 2, 2 * TURN)->cipher[0], 2);
}

/* As with a parent that slept. */
static void a_key_that_is_too_old_is_not_read(void **state)
{
	struct tlsticket_keys k = { .n = 0 };

	(void)state;
	turn(&k, 1, 0);
	assert_non_null(reader(&k, 1, 2 * TURN - 1));
	assert_null(reader(&k, 1, 2 * TURN));
}

static void wiping_leaves_nothing(void **state)
{
	static const struct tlsticket_keys none;
	struct tlsticket_keys k = { .n = 0 };

	(void)state;
	turn(&k, 1, 0);
	turn(&k, 2, TURN);
	tlsticket_wipe(&k);
	assert_memory_equal(&k, &none, sizeof(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_key_it_is_time_for_one),
		cmocka_unit_test(the_seed_is_used_up_whole),
		cmocka_unit_test(
			the_key_before_is_still_read_and_the_one_before_that_is_gone),
		cmocka_unit_test(a_key_that_is_too_old_is_not_read),
		cmocka_unit_test(wiping_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
