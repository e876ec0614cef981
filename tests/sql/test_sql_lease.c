/* tests/sql/test_sql_lease.c: one session has a mailbox for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/maildrop.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

/* Two hosts, and the keeper that was on the first before. */
static const struct lease_owner here = { "here", { 1 } },
				before = { "here", { 2 } },
				there = { "there", { 3 } };
static struct pool *milter, *pop3;
static struct db *db;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	milter = fix_pool(PROG_MILTER, 1);
	pop3 = fix_pool(PROG_POP3D, 1);
	db = pool_get(pop3, deadline_in(1000));
	return 0;
}

static int end(void **state)
{
	pool_put(pop3, &db);
	pool_free(&pop3);
	pool_free(&milter);
	return fix_end(state);
}

static uint64_t new_box(void)
{
	static int n;
	char address[40];

	(void)snprintf(address, sizeof(address), "lease%d@example.org", ++n);
	return fix_box(address);
}

static struct lease take_as(const struct lease_owner *o, uint64_t box,
			    uint64_t claim)
{
	struct lease l = { .claim = claim };

	if (lease_take(db, o, box, &l) != DB_OK)
		fail_msg("%s", db_why(db));
	assert_true(l.mailbox_id == box);
	return l;
}

static struct lease take(const struct lease_owner *o, uint64_t box)
{
	return take_as(o, box, 0);
}

static bool give_back(const struct lease_owner *o, const struct lease *l)
{
	bool held;

	if (lease_end(db, o, l, &held) != DB_OK)
		fail_msg("%s", db_why(db));
	return held;
}

static bool renew(const struct lease_owner *o, struct lease l)
{
	if (lease_renew(db, o, &l, 1) != DB_OK)
		fail_msg("%s", db_why(db));
	return l.fence != 0;
}

static void expire(uint64_t box)
{
	fix_sql("UPDATE lease SET expires_at = UTC_TIMESTAMP(3)"
		" - INTERVAL 1 SECOND WHERE mailbox_id = %llu",
		(unsigned long long)box);
}

static uint64_t of_lease(const char *what, uint64_t box)
{
	return fix_number("SELECT %s FROM lease WHERE mailbox_id = %llu", what,
			  (unsigned long long)box);
}

static void one_has_it_until_he_gives_it_back(void **state)
{
	uint64_t box = new_box(), other = new_box();
	struct lease l = take(&here, box);

	(void)state;
	assert_true(l.fence == 1);
	assert_true(take(&here, box).fence == 0);
	assert_true(take(&there, box).fence == 0);
	assert_true(take(&there, other).fence == 1);
	assert_true(of_lease("expires_at BETWEEN UTC_TIMESTAMP(3)"
			     " + INTERVAL 55 SECOND AND UTC_TIMESTAMP(3)"
			     " + INTERVAL 60 SECOND",
			     box) == 1);
	assert_true(give_back(&here, &l));
	assert_false(give_back(&here, &l));
	assert_true(take(&there, box).fence == 2);
	assert_false(give_back(&here, &l));
}

static void who_is_not_heard_of_loses_it(void **state)
{
	uint64_t box = new_box();
	struct lease old = take(&here, box), now;

	(void)state;
	expire(box);
	now = take(&there, box);
	assert_true(now.fence == old.fence + 1);
	assert_false(renew(&here, old));
	assert_false(give_back(&here, &old));
	assert_true(renew(&there, now));
	/* the same keeper's next session is another one */
	expire(box);
	assert_true(take(&there, box).fence == now.fence + 1);
	assert_false(renew(&there, now));
}

/* The answer to its first try may have been lost. */
static void a_claim_takes_again_and_gives_back_what_is_its_own(void **state)
{
	uint64_t box = new_box();
	struct lease first = take_as(&here, box, 1000001), again, unheard;

	(void)state;
	assert_true(take_as(&here, box, 1000002).fence == 0);
	assert_true(take_as(&there, box, 1000001).fence == 0);
	again = take_as(&here, box, 1000001);
	assert_true(again.fence == first.fence + 1);
	assert_true(renew(&here, again));
	unheard = again;
	unheard.fence = 0;
	unheard.claim = 1000002;
	assert_false(give_back(&here, &unheard));
	unheard.claim = again.claim;
	assert_false(give_back(&there, &unheard));
	assert_true(give_back(&here, &unheard));
	assert_true(take(&there, box).fence == again.fence + 1);
}

static void a_renewal_prolongs_and_changes_the_row(void **state)
{
	struct lease l[150];
	uint64_t beat;

	(void)state;
	for (size_t i = 0; i < 150; i++)
		l[i] = take(&here, new_box());
	for (size_t i = 0; i < 150; i++)
		expire(l[i].mailbox_id);
	beat = of_lease("beat", l[149].mailbox_id);
	/* three are lost meanwhile, one was never held */
	for (size_t i = 30; i < 33; i++)
		assert_true(take(&there, l[i].mailbox_id).fence == 2);
	l[40].fence = 0;
	assert_int_equal(lease_renew(db, &here, l, 150), DB_OK);
	for (size_t i = 0; i < 150; i++)
		assert_int_equal(l[i].fence,
				 (i >= 30 && i < 33) || i == 40 ? 0 : 1);
	assert_int_equal(of_lease("beat", l[149].mailbox_id), beat + 1);
	assert_true(of_lease("expires_at > UTC_TIMESTAMP(3)",
			     l[149].mailbox_id) == 1);
	assert_true(take(&there, l[149].mailbox_id).fence == 0);
	assert_true(take(&there, l[40].mailbox_id).fence == 2);
}

static void a_new_keeper_frees_what_its_predecessor_held(void **state)
{
	uint64_t box = new_box(), later = new_box(), foreign = new_box();
	struct lease old = take(&before, box), l;
	bool ended;

	(void)state;
	(void)take(&before, later);
	(void)take(&there, foreign);
	/* at a login, without having asked for all */
	l = take(&here, box);
	assert_true(l.fence == old.fence + 1);
	assert_false(renew(&before, old));
	assert_int_equal(lease_inherit(db, &here), DB_OK);
	assert_true(renew(&here, l));
	assert_true(take(&here, foreign).fence == 0);
	assert_true(take(&there, later).fence == 3);
	/* freed by another is not given back */
	old.mailbox_id = later;
	assert_int_equal(lease_is_ended(db, &old, &ended), DB_OK);
	assert_false(ended);
}

static bool move(uint64_t box, uint64_t uid, const struct lease_owner *o,
		 const struct lease *l, uint64_t *moved_r)
{
	struct maildrop_hold h = { .owner = o, .lease = *l, .lost = true };

	if (maildrop_move(db, box, &uid, uid > 0, SPAN_LIT("w"), SPAN_LIT("f"),
			  &h, moved_r) != DB_OK)
		fail_msg("%s", db_why(db));
	return !h.lost;
}

static void a_move_stands_or_falls_with_the_lease(void **state)
{
	uint64_t box = new_box(), moved;
	uint64_t one = mailing_quick(milter, box, "x\r\n");
	uint64_t two = mailing_quick(milter, box, "x\r\n");
	struct lease l = take(&here, box), late;

	(void)state;
	assert_true(move(box, one, &here, &l, &moved));
	assert_int_equal(moved, 1);
	/* it was given back with it */
	assert_false(renew(&here, l));
	assert_false(move(box, two, &here, &l, &moved));
	assert_int_equal(moved, 0);
	late = take(&here, box);
	expire(box);
	l = take(&there, box);
	assert_false(move(box, two, &here, &late, &moved));
	assert_int_equal(moved, 0);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mail"
				    " WHERE mailbox_id = %llu",
				    (unsigned long long)box),
			 1);
	/* nothing to move: only the lease goes */
	assert_true(move(box, 0, &there, &l, &moved));
	assert_int_equal(moved, 0);
	assert_true(take(&here, box).fence == l.fence + 1);
	mailing_check_store(0);
}

#ifdef WITH_FAULT_POINTS

static const char *const points[] = {
	"move-begin",         "move-lock",      "move-fence", "move-sizes",
	"move-trash",         "move-delete",    "move-count", "move-commit",
	"move-commit-unread", "move-committed",
};

/* A COMMIT whose answer was lost gave the lease back; the next try sees that,
 * and does not take it for lost. */
static void a_move_that_is_cut_is_settled_by_the_lease(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++) {
		uint64_t box = new_box(), moved;
		uint64_t uid = mailing_quick(milter, box, "x\r\n");
		struct lease l = take(&here, box);

		fix_fault(points[i], "fail");
		if (!move(box, uid, &here, &l, &moved))
			fail_msg("%s: taken for lost", points[i]);
		assert_true(fix_fault_met(points[i]));
		assert_int_equal(moved, 1);
		assert_true(take(&there, box).fence == 2);
		mailing_check_store(0);
	}
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_has_it_until_he_gives_it_back),
		cmocka_unit_test(who_is_not_heard_of_loses_it),
		cmocka_unit_test(
			a_claim_takes_again_and_gives_back_what_is_its_own),
		cmocka_unit_test(a_renewal_prolongs_and_changes_the_row),
		cmocka_unit_test(a_new_keeper_frees_what_its_predecessor_held),
		cmocka_unit_test(a_move_stands_or_falls_with_the_lease),
#ifdef WITH_FAULT_POINTS
		cmocka_unit_test(a_move_that_is_cut_is_settled_by_the_lease),
#endif
	};

	return cmocka_run_group_tests(tests, start, end);
}
