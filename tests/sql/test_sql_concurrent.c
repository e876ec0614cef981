/* tests/sql/test_sql_concurrent.c: many at once, and no rule broken. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/maildrop.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

enum { BOXES = 6, SENDERS = 6, MOVERS = 2, MAILS = 40 };

static struct pool *pool, *pop3;
static uint64_t box[BOXES];
static atomic_uint stored, failed, moved_total, senders_left;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	pool = fix_pool(PROG_MILTER, SENDERS);
	pop3 = fix_pool(PROG_POP3D, MOVERS + 1);
	return 0;
}

static int end(void **state)
{
	pool_free(&pool);
	pool_free(&pop3);
	return fix_end(state);
}

static void make_boxes(const char *name)
{
	for (int i = 0; i < BOXES; i++) {
		char address[64];

		snprintf(address, sizeof(address), "%s%d@example.org", name, i);
		box[i] = fix_box(address);
	}
}

/* Three overlapping mailboxes of six, in an order that differs each time. */
static void *send_mails(void *arg)
{
	unsigned seed = *(unsigned *)arg;

	for (unsigned i = 0; i < MAILS; i++) {
		struct mailing g;
		unsigned first = (seed * 7 + i * 5) % BOXES;
		char key[16];

		snprintf(key, sizeof(key), "%u-%u", seed, i);
		if (!mailing_make(&g, SPAN_LIT("Subject: x\r\n\r\n"), key)) {
			atomic_fetch_add(&failed, 1);
			break;
		}
		for (unsigned k = 0; k < 3; k++)
			mailing_to(&g, box[(first + k * (1 + i % 2)) % BOXES]);
		if (mailing_send(&g, pool, 20000) == DELIVER_OK)
			atomic_fetch_add(&stored, 3);
		else
			atomic_fetch_add(&failed, 1);
		mailing_release(&g);
	}
	atomic_fetch_sub(&senders_left, 1);
	return NULL;
}

struct seen {
	uint64_t uid[100];
	size_t n;
};

static bool see(void *arg, const struct maildrop_entry *e)
{
	struct seen *s = arg;

	s->uid[s->n++] = e->uid;
	return s->n < 100;
}

/* What was seen once as the last uid bounds what may appear: later lists hold
 * no smaller number that is new. */
struct watch {
	uint64_t last[BOXES];
	unsigned late;
};

static void check_order(struct watch *w, size_t b, const struct seen *s,
			const struct seen *before)
{
	for (size_t i = 0; i < s->n; i++) {
		bool known = s->uid[i] > w->last[b];

		for (size_t k = 0; k < before->n && !known; k++)
			known = before->uid[k] == s->uid[i];
		w->late += !known;
	}
	if (s->n > 0 && s->uid[s->n - 1] > w->last[b])
		w->last[b] = s->uid[s->n - 1];
}

static void *move_mails(void *arg)
{
	static _Thread_local struct seen now[BOXES], before[BOXES];
	struct watch w = { 0 };
	struct db *db = pool_get(pop3, deadline_in(5000));

	for (unsigned i = 0; atomic_load(&senders_left) > 0 || i < 20; i++) {
		size_t b = i % BOXES;
		uint64_t moved;
		bool more;

		before[b] = now[b];
		now[b].n = 0;
		if (maildrop_list(db, box[b], false, 0, 100, see, &now[b],
				  &more) != DB_OK) {
			atomic_fetch_add(&failed, 1);
			break;
		}
		check_order(&w, b, &now[b], &before[b]);
		if (maildrop_move(db, box[b], now[b].uid, now[b].n / 2,
				  SPAN_LIT("w"), SPAN_LIT("f"), NULL,
				  &moved) != DB_OK)
			atomic_fetch_add(&failed, 1);
		atomic_fetch_add(&moved_total, (unsigned)moved);
	}
	*(unsigned *)arg = w.late;
	pool_put(pop3, &db);
	return NULL;
}

static void rule_27_senders_and_movers_at_once_break_no_rule(void **state)
{
	pthread_t sender[SENDERS], mover[MOVERS];
	unsigned seed[SENDERS], late[MOVERS];

	(void)state;
	make_boxes("all");
	atomic_store(&senders_left, SENDERS);
	for (unsigned i = 0; i < SENDERS; i++) {
		seed[i] = i;
		assert_int_equal(
			pthread_create(&sender[i], NULL, send_mails, &seed[i]),
			0);
	}
	for (unsigned i = 0; i < MOVERS; i++)
		assert_int_equal(
			pthread_create(&mover[i], NULL, move_mails, &late[i]),
			0);
	for (unsigned i = 0; i < SENDERS; i++)
		pthread_join(sender[i], NULL);
	for (unsigned i = 0; i < MOVERS; i++) {
		pthread_join(mover[i], NULL);
		assert_int_equal(late[i], 0);
	}
	assert_int_equal(atomic_load(&failed), 0);
	assert_int_equal(atomic_load(&stored), SENDERS * MAILS * 3);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mail") +
				 fix_number("SELECT COUNT(*) FROM trash"),
			 SENDERS * MAILS * 3);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM trash"),
			 atomic_load(&moved_total));
	assert_true(atomic_load(&moved_total) > 0);
	mailing_check_store(0);
}

/* The server lets the lighter transaction of a deadlock die; these rows make
 * the other one heavier than a delivery. */
static enum db_result grow_heavy(struct db *db, unsigned round)
{
	enum db_result r = DB_OK;

	for (unsigned i = 0; i < 40 && r == DB_OK; i++) {
		char key[17];
		const struct sqlval param[] = { sql_u64(1000000 + i),
						sql_bytes(span_make(key, 16)),
						sql_u64(60) };

		snprintf(key, sizeof(key), "%016u", round);
		r = db_run(db, Q_RECEIPT_PUT, param);
	}
	return r;
}

/* Somebody who locks in the wrong order: one of the two must give way. */
static void *lock_backwards(void *arg)
{
	struct db *db = pool_get(pool, deadline_in(5000));
	unsigned *deadlocks = arg;

	for (unsigned round = 0; atomic_load(&senders_left) > 0; round++) {
		enum db_result r = db_begin(db);

		if (r == DB_OK && round % 2)
			r = grow_heavy(db, round);
		for (int i = BOXES - 1; i >= 0 && r == DB_OK; i--) {
			const struct sqlval param[] = { sql_u64(0),
							sql_u64(box[i]),
							sql_u64(0), sql_u64(0),
							sql_u64(0) };

			r = db_run(db, Q_BOX_COUNT, param);
		}
		*deadlocks += r == DB_RETRY;
		db_rollback(db);
	}
	pool_put(pool, &db);
	return NULL;
}

static uint64_t deadlocks_now(void)
{
	return fix_number("SELECT VARIABLE_VALUE FROM"
			  " information_schema.GLOBAL_STATUS"
			  " WHERE VARIABLE_NAME = 'Innodb_deadlocks'");
}

static void deadlocks_are_replayed_until_the_mail_is_stored(void **state)
{
	pthread_t sender[SENDERS], locker;
	unsigned seed[SENDERS], others = 0;
	uint64_t before = deadlocks_now();

	(void)state;
	make_boxes("back");
	atomic_store(&failed, 0);
	atomic_store(&stored, 0);
	atomic_store(&senders_left, 2);
	assert_int_equal(pthread_create(&locker, NULL, lock_backwards, &others),
			 0);
	for (unsigned i = 0; i < 2; i++) {
		seed[i] = 100 + i;
		assert_int_equal(
			pthread_create(&sender[i], NULL, send_mails, &seed[i]),
			0);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(sender[i], NULL);
	pthread_join(locker, NULL);
	assert_int_equal(atomic_load(&failed), 0);
	assert_int_equal(atomic_load(&stored), 2 * MAILS * 3);
	/* some hit the deliveries */
	assert_true(deadlocks_now() - before > others);
	mailing_check_store(0);
}

static atomic_uint full, copies_stored;
static uint64_t race_box;

/* 100 octets of room, 44 a mail: two fit. */
static void *send_to_small_box(void *arg)
{
	struct mailing g;

	(void)arg;
	if (!mailing_make(&g, SPAN_LIT("123456789012\r\n"), NULL))
		return NULL;
	mailing_to(&g, race_box);
	g.t[0].quota = 100;
	if (mailing_send(&g, pool, 20000) == DELIVER_QUOTA)
		atomic_fetch_add(&full, 1);
	mailing_release(&g);
	return NULL;
}

static void a_quota_is_exact_however_many_send(void **state)
{
	pthread_t sender[SENDERS];

	(void)state;
	race_box = fix_box("small@example.org");
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&sender[i], NULL,
						send_to_small_box, NULL),
				 0);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(sender[i], NULL);
	assert_int_equal(strlen(MAILING_TRACE) + 14, 44);
	assert_int_equal(atomic_load(&full), SENDERS - 2);
	assert_int_equal(fix_number("SELECT octets FROM mailbox WHERE"
				    " mailbox_id = %llu",
				    (unsigned long long)race_box),
			 88);
	mailing_check_store(0);
}

static void *send_copy(void *arg)
{
	struct mailing g;

	(void)arg;
	if (!mailing_make(&g, SPAN_LIT("the same\r\n"), "copy"))
		return NULL;
	mailing_to(&g, race_box);
	if (mailing_send(&g, pool, 20000) == DELIVER_OK)
		atomic_fetch_add(&copies_stored, !g.t[0].duplicate_r);
	mailing_release(&g);
	return NULL;
}

static void copies_that_come_at_once_are_stored_once(void **state)
{
	pthread_t sender[SENDERS];

	(void)state;
	race_box = fix_box("copies@example.org");
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(
			pthread_create(&sender[i], NULL, send_copy, NULL), 0);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(sender[i], NULL);
	assert_int_equal(atomic_load(&copies_stored), 1);
	assert_int_equal(fix_number("SELECT messages FROM mailbox WHERE"
				    " mailbox_id = %llu",
				    (unsigned long long)race_box),
			 1);
	mailing_check_store(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			rule_27_senders_and_movers_at_once_break_no_rule),
		cmocka_unit_test(
			deadlocks_are_replayed_until_the_mail_is_stored),
		cmocka_unit_test(a_quota_is_exact_however_many_send),
		cmocka_unit_test(copies_that_come_at_once_are_stored_once),
	};

	return cmocka_run_group_tests(tests, start, end);
}
