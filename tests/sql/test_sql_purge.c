/* tests/sql/test_sql_purge.c: what is due goes, and nothing else. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/maildrop.h"
#include "sql/trashcount.h"
#include "tests/sql/purging.h"

static void make_due(uint64_t uid)
{
	fix_sql("UPDATE trash SET deleted_at = UTC_TIMESTAMP() - INTERVAL 8 DAY"
		" WHERE uid = %llu",
		(unsigned long long)uid);
}

static void trash_goes_after_its_window_and_not_before(void **state)
{
	uint64_t box = owned_box("a@example.org"), uid[3];
	struct purge_settings s = settings();

	(void)state;
	for (size_t i = 0; i < 3; i++)
		uid[i] = mailing_quick(pool, box, "Subject: x\r\n\r\n");
	move(box, uid[0]);
	move(box, uid[1]);
	make_due(uid[0]);
	s.dry_run = true;
	s.accounts = db;
	purge_with(&s);
	assert_int_equal(report.trash, 1);
	assert_int_equal(rows("trash"), 2);
	assert_int_equal(rows("purge_step"), 0);
	purge();
	assert_int_equal(report.trash, 1);
	assert_int_equal(report.contents, 1);
	assert_int_equal(fix_number("SELECT uid FROM trash"), uid[1]);
	assert_int_equal(rows("content"), 2);
	assert_int_equal(rows("chunk"), 2);
	purge();
	assert_int_equal(report.trash + report.contents + report.gone, 0);
}

static void a_body_stays_until_its_last_name_is_gone(void **state)
{
	uint64_t a = owned_box("a@example.org"), b = owned_box("b@example.org");
	struct mailing g;

	(void)state;
	assert_true(mailing_make(&g, SPAN_LIT("Subject: x\r\n\r\n"), NULL));
	mailing_to(&g, a);
	mailing_to(&g, b);
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	move(a, g.t[0].uid_r);
	fix_sql("UPDATE trash SET deleted_at = '2020-01-01'");
	purge();
	assert_int_equal(report.trash, 1);
	assert_int_equal(report.contents, 0);
	assert_int_equal(fix_number("SELECT refs FROM content"), 1);
	move(b, g.t[1].uid_r);
	fix_sql("UPDATE trash SET deleted_at = '2020-01-01'");
	purge();
	assert_int_equal(report.contents, 1);
	assert_int_equal(rows("content") + rows("chunk"), 0);
	mailing_release(&g);
}

static void wrong_refs_are_set_right_and_cost_no_mail(void **state)
{
	uint64_t a = owned_box("a@example.org"), b = owned_box("b@example.org");
	struct mailing g;

	(void)state;
	mailing_quick(pool, a, "Subject: low\r\n\r\n");
	fix_sql("UPDATE content SET refs = 0, stored_at = '2020-01-01'");
	mailing_quick(pool, a, "Subject: high\r\n\r\n");
	fix_sql("UPDATE content SET refs = 7 WHERE refs = 1");
	/* and one whose refs fall to 0 while a mail still names it */
	assert_true(mailing_make(&g, SPAN_LIT("Subject: y\r\n\r\n"), NULL));
	mailing_to(&g, a);
	mailing_to(&g, b);
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	fix_sql("UPDATE content SET refs = 1 WHERE refs = 2");
	move(b, g.t[1].uid_r);
	fix_sql("UPDATE trash SET deleted_at = '2020-01-01'");
	purge();
	assert_int_equal(report.repaired, 3);
	assert_int_equal(report.contents, 0);
	assert_int_equal(rows("mail"), 3);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM content"
				    " WHERE refs = 1"),
			 3);
	mailing_release(&g);
}

static void put_content(const char *id, unsigned refs, unsigned chunks,
			const char *stored_at)
{
	fix_sql("INSERT INTO content VALUES (RPAD('%s', 16, 'x'), 0, 0,"
		" REPEAT('s', 32), %u, %s)",
		id, refs, stored_at);
	for (unsigned i = 0; i < chunks; i++)
		fix_sql("INSERT INTO chunk VALUES (RPAD('%s', 16, 'x'), %u,"
			" REPEAT('d', 1000))",
			id, i);
}

/* A body of more chunks than a batch takes goes too; what may still be claimed
 * stays. */
static void what_nobody_names_goes_when_it_is_old(void **state)
{
	(void)state;
	put_content("old", 0, 3, "UTC_TIMESTAMP() - INTERVAL 26 HOUR");
	put_content("big", 0, 50, "UTC_TIMESTAMP() - INTERVAL 26 HOUR");
	put_content("lost", 1, 1, "UTC_TIMESTAMP() - INTERVAL 26 HOUR");
	put_content("young", 0, 1, "UTC_TIMESTAMP() - INTERVAL 24 HOUR");
	for (unsigned i = 0; i < 450; i++) {
		char id[16];

		snprintf(id, sizeof(id), "m%u", i);
		put_content(id, 0, 1, "'2020-01-01'");
	}
	purge();
	assert_int_equal(report.contents, 453);
	assert_string_equal(fix_text("SELECT content_id FROM content"),
			    "youngxxxxxxxxxxx");
	assert_int_equal(rows("chunk"), 1);
}

static void what_is_a_day_old_is_not_claimed_any_more(void **state)
{
	static char text[400000];
	struct mailing g;

	(void)state;
	assert_true(mailing_make(&g, span_make(text, sizeof(text)), NULL));
	mailing_to(&g, owned_box("late@example.org"));
	deliver_upload(pool, &g.m, deadline_in(5000));
	assert_int_equal(g.m.uploaded, 262144);
	fix_sql("UPDATE content SET stored_at = UTC_TIMESTAMP()"
		" - INTERVAL 25 HOUR");
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_TEMP);
	assert_int_equal(rows("mail"), 0);
	fix_sql("UPDATE content SET stored_at = UTC_TIMESTAMP()"
		" - INTERVAL 26 HOUR");
	purge();
	assert_int_equal(rows("content") + rows("chunk"), 0);
	/* gone: then it is uploaded anew */
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	mailing_check_store(0);
	mailing_release(&g);
}

static void receipts_go_when_they_expire(void **state)
{
	uint64_t a = owned_box("a@example.org"), b = owned_box("b@example.org");

	(void)state;
	for (unsigned i = 0; i < 1300; i++)
		fix_sql("INSERT INTO receipt VALUES (%llu, RPAD('%u', 16, 'x'),"
			" UTC_TIMESTAMP() - INTERVAL %u DAY)",
			(unsigned long long)(i % 2 ? a : b), i, i % 3 ? 1 : 6);
	purge();
	assert_int_equal(report.receipts, 434);
	assert_int_equal(rows("receipt"), 866);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM receipt WHERE"
				    " received_at < UTC_TIMESTAMP()"
				    " - INTERVAL 5 DAY"),
			 0);
}

static void usage_goes_when_its_window_is_long_over(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 450; i++)
		fix_sql("INSERT INTO limit_usage (subject, direction, seconds,"
			" started_at) VALUES ('u%03u@example.org', 'in', 60, "
			"0),"
			" ('u%03u@example.org', 'out', 3600,"
			" UNIX_TIMESTAMP() - %u)",
			i, i, i % 2 ? 90001 : 7200);
	fix_sql("INSERT INTO charge_slot VALUES (REPEAT('a', 16), 1,"
		" UTC_TIMESTAMP()), (REPEAT('b', 16), 1,"
		" UTC_TIMESTAMP() - INTERVAL 25 HOUR)");
	purge();
	assert_int_equal(rows("limit_usage"), 225);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM limit_usage WHERE"
				    " started_at < UNIX_TIMESTAMP() - 86400"),
			 0);
	assert_int_equal(rows("charge_slot"), 1);
	fix_sql("DELETE FROM limit_usage; DELETE FROM charge_slot");
}

/* Ends the run at the n-th question. */
static bool count_down(void *arg, const char *step,
		       const struct purge_report *r)
{
	unsigned *left = arg;

	(void)step;
	(void)r;
	return (*left)-- > 0;
}

static void a_run_that_is_cut_short_goes_on_where_it_was(void **state)
{
	struct purge_settings s = settings();
	unsigned runs = 0, left;

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		char address[32];

		snprintf(address, sizeof(address), "n%u@example.org", i);
		fix_box(address);
	}
	for (unsigned i = 0; i < 2500; i++)
		fix_sql("INSERT INTO receipt VALUES (1, RPAD('%u', 16, 'x'),"
			" '2020-01-01')",
			i);
	put_content("old", 0, 1, "'2020-01-01'");
	s.accounts = db;
	s.go_on = count_down;
	s.arg = &left;
	do {
		left = 4; /* the trash takes one of them */
		purge_with(&s);
		assert_true(++runs < 100);
	} while (rows("receipt") + rows("content") > 0 ||
		 fix_number("SELECT COUNT(*) FROM mailbox"
			    " WHERE address IS NOT NULL"
			    " AND gone_since IS NULL") > 0);
	assert_true(runs >= 10);
	s.go_on = always;
	purge_with(&s);
	assert_int_equal(report.gone + report.receipts + report.contents, 0);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM purge_step WHERE"
				    " position = '' AND finished_at > 0"),
			 6);
}

/* Seconds since they were deleted; five of them are a week old and more. */
static void trash_is_counted_hour_by_hour(void **state)
{
	static const unsigned ago[] = { 40000000, 40000000, 40003599, 40007300,
					604800,   604700,   60,       0 };
	enum { N = sizeof(ago) / sizeof(*ago) };
	uint64_t box = owned_box("a@example.org");
	struct purge_settings s = settings();
	struct trash_count c;
	unsigned hours = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		uint64_t uid = mailing_quick(pool, box, "Subject: x\r\n\r\n");

		move(box, uid);
		fix_sql("UPDATE trash SET deleted_at = UTC_TIMESTAMP()"
			" - INTERVAL %u SECOND WHERE uid = %llu",
			ago[i], (unsigned long long)uid);
	}
	assert_int_equal(trashcount_begin(db, &c), DB_OK);
	assert_string_equal(c.oldest, fix_text("SELECT MIN(deleted_at)"
					       " FROM trash"));
	for (; c.next[0]; hours++)
		assert_int_equal(trashcount_hour(db, 604750, &c), DB_OK);
	assert_true(hours >= 4 && hours <= 6);
	assert_int_equal(c.rows, N);
	assert_int_equal(c.due, 5);
	assert_int_equal(c.due_octets,
			 fix_number("SELECT SUM(octets) FROM trash WHERE"
				    " deleted_at < UTC_TIMESTAMP()"
				    " - INTERVAL 604750 SECOND"));
	s.trash_age = 604750;
	s.dry_run = true;
	s.accounts = db;
	purge_with(&s);
	assert_int_equal(report.trash, 5);
	assert_int_equal(report.trash_octets, c.due_octets);
}

static void the_walks_read_no_more_than_they_need(void **state)
{
	uint64_t box = owned_box("a@example.org");

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		move(box, mailing_quick(pool, box, "Subject: x\r\n\r\n"));
	fix_sql("INSERT INTO receipt SELECT %llu, content_id, UTC_TIMESTAMP()"
		" FROM content",
		(unsigned long long)box);
	fix_sql("ANALYZE TABLE trash, content, receipt, mailbox, mail");
	fix_explain(Q_PURGE_TRASH_DUE, "700000", NULL);
	fix_explain(Q_TRASH_OLDEST, "", NULL);
	fix_explain(Q_TRASH_HOUR, "9 9 '2020-01-01' '2020-01-01'", NULL);
	fix_explain(Q_TRASH_NEXT, "'2020-01-01'", NULL);
	fix_explain(Q_PURGE_CONTENT_NAMED, "'x' 'x'", NULL);
	fix_explain(Q_PURGE_RECEIPTS, "1 1 1 'x'", NULL);
	fix_explain(Q_UNDELETE_FIND, "1 1 1", NULL);
	fix_explain(Q_ERASE_MAILS, "1 9", "listing");
}

enum { SENDERS = 2, MAILS = 60, PURGED = 200 };

static atomic_uint senders_left, stored, broken, purged, moved_total;
static uint64_t crowd[3];

static void *send_mails(void *arg)
{
	int64_t deadline = deadline_in(30000);

	(void)arg;
	while (atomic_load(&stored) < SENDERS * MAILS * 3 ||
	       (atomic_load(&purged) < PURGED && deadline_left(deadline))) {
		struct mailing g;

		if (mailing_make(&g, SPAN_LIT("Subject: c\r\n\r\n"), NULL)) {
			for (size_t k = 0; k < 3; k++)
				mailing_to(&g, crowd[k]);
			if (mailing_send(&g, pool, 20000) == DELIVER_OK)
				atomic_fetch_add(&stored, 3);
			else
				atomic_fetch_add(&broken, 1);
		}
		mailing_release(&g);
	}
	atomic_fetch_sub(&senders_left, 1);
	return NULL;
}

struct seen {
	uint64_t uid[40];
	size_t n;
};

static bool see(void *arg, const struct maildrop_entry *e)
{
	struct seen *s = arg;

	s->uid[s->n++] = e->uid;
	return s->n < 40;
}

/* Reads each mail that it then deletes: a body that went too early shows. */
static void read_all(struct db *d, uint64_t box, const struct seen *s)
{
	struct buf b = BUF_INIT(4096);
	struct maildrop_mail m;
	bool got;

	for (size_t i = 0; i < s->n; i++) {
		buf_reset(&b);
		if (maildrop_read(d, box, s->uid[i], 0, 0, &m, &b, &got) !=
			    DB_OK ||
		    !got || b.n != m.octets)
			atomic_fetch_add(&broken, 1);
	}
	buf_release(&b);
}

static void *take_mails(void *arg)
{
	struct db *d = pool_get(pop3, deadline_in(5000));

	(void)arg;
	for (unsigned i = 0; atomic_load(&senders_left) > 0; i++) {
		struct seen s = { .n = 0 };
		uint64_t box = crowd[i % 3], moved = 0;
		bool more;

		if (maildrop_list(d, box, false, 0, 40, see, &s, &more) !=
		    DB_OK)
			atomic_fetch_add(&broken, 1);
		read_all(d, box, &s);
		if (maildrop_move(d, box, s.uid, s.n / 2, SPAN_LIT("w"),
				  SPAN_LIT("f"), NULL, &moved) != DB_OK)
			atomic_fetch_add(&broken, 1);
		atomic_fetch_add(&moved_total, (unsigned)moved);
	}
	pool_put(pop3, &d);
	return NULL;
}

/* All that is in the trash is due at the next second. */
static void *purge_mails(void *arg)
{
	struct db *d = pool_get(purgers, deadline_in(5000));
	struct purge_settings s = settings();
	struct purge_report r;

	(void)arg;
	s.trash_age = 0;
	s.accounts = d;
	while (atomic_load(&senders_left) > 0) {
		if (purge_run(d, &s, &r) != DB_OK)
			atomic_fetch_add(&broken, 1);
		atomic_fetch_add(&purged, (unsigned)r.trash);
		atomic_fetch_add(&broken, (unsigned)(r.repaired + r.gone));
	}
	pool_put(purgers, &d);
	return NULL;
}

static void purging_beside_everybody_loses_nothing(void **state)
{
	static void *(*const work[])(void *) = { send_mails, send_mails,
						 take_mails, purge_mails,
						 purge_mails };
	enum { THREADS = sizeof(work) / sizeof(*work) };
	pthread_t thread[THREADS];

	(void)state;
	crowd[0] = owned_box("x@example.org");
	crowd[1] = owned_box("y@example.org");
	crowd[2] = owned_box("z@example.org");
	atomic_store(&senders_left, SENDERS);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, work[i], NULL), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&broken), 0);
	assert_true(atomic_load(&moved_total) >= atomic_load(&purged));
	assert_true(atomic_load(&purged) >= PURGED);
	assert_int_equal(rows("mail") + rows("trash") + atomic_load(&purged),
			 atomic_load(&stored));
	fix_sql("UPDATE mailbox SET uid_next = 16777216 + (SELECT COUNT(*) FROM"
		" (SELECT mailbox_id FROM mail UNION ALL SELECT mailbox_id FROM"
		" trash) m WHERE m.mailbox_id = mailbox.mailbox_id)");
	mailing_check_store((unsigned)fix_number(
		"SELECT COUNT(*) FROM content WHERE refs = 0"));
	fix_sql("UPDATE content SET stored_at = '2020-01-01'");
	purge();
	mailing_check_store(0);
}

#define PURGE_TEST(f) cmocka_unit_test_setup(f, purging_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PURGE_TEST(trash_goes_after_its_window_and_not_before),
		PURGE_TEST(a_body_stays_until_its_last_name_is_gone),
		PURGE_TEST(wrong_refs_are_set_right_and_cost_no_mail),
		PURGE_TEST(what_nobody_names_goes_when_it_is_old),
		PURGE_TEST(what_is_a_day_old_is_not_claimed_any_more),
		PURGE_TEST(receipts_go_when_they_expire),
		PURGE_TEST(usage_goes_when_its_window_is_long_over),
		PURGE_TEST(a_run_that_is_cut_short_goes_on_where_it_was),
		PURGE_TEST(trash_is_counted_hour_by_hour),
		PURGE_TEST(the_walks_read_no_more_than_they_need),
		PURGE_TEST(purging_beside_everybody_loses_nothing),
	};

	return cmocka_run_group_tests(tests, purging_start, purging_end);
}
