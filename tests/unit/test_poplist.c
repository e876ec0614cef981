/* tests/unit/test_poplist.c */
#include "tests/unit/wire.h"

#include "pop3d/poplist.h"

static void add(struct poplist *l, uint64_t uid, uint64_t octets)
{
	struct buf uidl = BUF_INIT(64);

	buf_printf(&uidl, "id%llu", (unsigned long long)uid);
	assert_true(poplist_add(l, uid, octets, buf_span(&uidl)));
	buf_release(&uidl);
}

static void a_hundred_thousand_mails_keep_their_values(void **state)
{
	struct poplist l = POPLIST_INIT;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		add(&l, i * 3, i);
	assert_int_equal(l.n, 100000);
	assert_int_equal(l.octets, 4999950000);
	for (uint64_t i = 0; i < 100000; i += 777) {
		assert_int_equal(l.mail[i].uid, i * 3);
		assert_int_equal(l.mail[i].octets, i);
	}
	assert_text(poplist_uidl(&l, 99999), span_of("id299997"));
	poplist_release(&l);
	assert_int_equal(l.n, 0);
}

static void rule_03_sums_beyond_four_gigabytes_are_right(void **state)
{
	struct poplist l = POPLIST_INIT;

	(void)state;
	add(&l, 1, 3000000000);
	add(&l, 2, 3000000000);
	assert_int_equal(l.live_octets, 6000000000);
	poplist_release(&l);
}

static void a_sum_that_overflows_is_refused(void **state)
{
	struct poplist l = POPLIST_INIT;

	(void)state;
	add(&l, 1, UINT64_MAX);
	assert_false(poplist_add(&l, 2, 1, SPAN_LIT("x")));
	assert_int_equal(l.n, 1);
	poplist_release(&l);
}

static void a_uidl_is_never_empty_nor_longer_than_its_length_octet(void **state)
{
	struct poplist l = POPLIST_INIT;
	char text[256];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(poplist_add(&l, 1, 1, SPAN_EMPTY));
	assert_false(poplist_add(&l, 1, 1, span_make(text, 256)));
	assert_true(poplist_add(&l, 1, 1, span_make(text, 255)));
	assert_int_equal(poplist_uidl(&l, 0).n, 255);
	poplist_release(&l);
}

static void deleting_changes_the_live_sums_once(void **state)
{
	struct poplist l = POPLIST_INIT;

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		add(&l, i, i * 10);
	poplist_delete(&l, 1);
	poplist_delete(&l, 1);
	assert_int_equal(l.live_n, 2);
	assert_int_equal(l.live_octets, 40);
	assert_int_equal(l.octets, 60);
	assert_int_equal(poplist_next_live(&l, 1), 2);
	poplist_undelete_all(&l);
	assert_int_equal(l.live_n, 3);
	assert_int_equal(l.live_octets, 60);
	assert_int_equal(poplist_next_live(&l, 3), 3);
	poplist_release(&l);
}

static void marked_mails_are_taken_in_pieces_each_once(void **state)
{
	struct poplist l = POPLIST_INIT;
	uint64_t uid[2], sum = 0;
	size_t at = 0, n, pieces = 0;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		add(&l, i + 1, 1);
	for (size_t i = 0; i < 10; i += 2)
		poplist_delete(&l, i);
	for (; (n = poplist_take_deleted(&l, &at, uid, 2)) > 0; pieces++) {
		for (size_t i = 0; i < n; i++)
			sum += uid[i];
	}
	assert_int_equal(pieces, 3);
	assert_int_equal(sum, 1 + 3 + 5 + 7 + 9);
	assert_int_equal(at, l.n);
	poplist_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_thousand_mails_keep_their_values),
		cmocka_unit_test(rule_03_sums_beyond_four_gigabytes_are_right),
		cmocka_unit_test(a_sum_that_overflows_is_refused),
		cmocka_unit_test(
			a_uidl_is_never_empty_nor_longer_than_its_length_octet),
		cmocka_unit_test(deleting_changes_the_live_sums_once),
		cmocka_unit_test(marked_mails_are_taken_in_pieces_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
