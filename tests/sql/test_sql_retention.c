/* tests/sql/test_sql_retention.c: mails whose time in the mailbox is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/maildrop.h"
#include "sql/retention.h"
#include "sql/undelete.h"
#include "tests/sql/purging.h"

static struct pool *tool;
static struct db *admin;

static int start(void **state)
{
	if (purging_start(state) != 0)
		return -1;
	tool = fix_pool(PROG_TOOL, 1);
	admin = pool_get(tool, deadline_in(1000));
	return 0;
}

static int end(void **state)
{
	pool_put(tool, &admin);
	pool_free(&tool);
	return purging_end(state);
}

static void set(const char *name, uint64_t days)
{
	assert_int_equal(retention_set(admin, span_of(name), days), DB_OK);
}

/* Mails that came so many days (and a minute) ago. */
static void fill(uint64_t box, unsigned days, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t uid = mailing_quick(pool, box, "Subject: x\r\n\r\n");

		assert_true(uid > 0);
		fix_sql("UPDATE mail SET received_at = UTC_TIMESTAMP()"
			" - INTERVAL %u MINUTE WHERE mailbox_id = %llu"
			" AND uid = %llu",
			days * 1440 + 1, (unsigned long long)box,
			(unsigned long long)uid);
	}
}

static uint64_t mails_in(uint64_t box)
{
	return fix_number("SELECT COUNT(*) FROM mail WHERE mailbox_id = %llu",
			  (unsigned long long)box);
}

static void purge_default(uint64_t days)
{
	struct purge_settings s = settings();

	s.accounts = db;
	s.retention = days;
	purge_with(&s);
}

static void an_address_counts_before_its_domain_and_both_before_the_rest(
	void **state)
{
	uint64_t own = owned_box("own@one.example");
	uint64_t domain = owned_box("other@one.example");
	uint64_t rest = owned_box("x@two.example");
	uint64_t kept = owned_box("kept@one.example");

	(void)state;
	set("one.example", 10);
	set("own@one.example", 20);
	set("kept@one.example", 0);
	for (unsigned days = 5; days <= 35; days += 10) {
		fill(own, 40 - days, 1);
		fill(domain, 40 - days, 1);
		fill(rest, 40 - days, 1);
		fill(kept, 40 - days, 1);
	}
	purge_default(30);
	assert_int_equal(mails_in(own), 2);    /* 15, 5 of 35, 25, 15, 5 */
	assert_int_equal(mails_in(domain), 1); /* 5 */
	assert_int_equal(mails_in(rest), 3);   /* 25, 15, 5 */
	assert_int_equal(mails_in(kept), 4);
	assert_int_equal(report.expired, 6);
	mailing_check_store(0);
	purge_default(30);
	assert_int_equal(report.expired, 0);
	assert_int_equal(retention_forget(admin, SPAN_LIT("one.example")),
			 DB_OK);
	assert_int_equal(retention_forget(admin, SPAN_LIT("own@one.example")),
			 DB_OK);
	purge_default(0);
	assert_int_equal(report.expired, 0);
}

static void nothing_goes_a_moment_too_early(void **state)
{
	uint64_t box = owned_box("a@example.org");

	(void)state;
	fill(box, 0, 2);
	fix_sql("UPDATE mail SET received_at = UTC_TIMESTAMP()"
		" - INTERVAL 863940 SECOND"); /* a minute less than ten days */
	set("example.org", 10);
	purge();
	assert_int_equal(report.expired, 0);
	fix_sql("UPDATE mail SET received_at = received_at"
		" - INTERVAL 61 SECOND");
	purge();
	assert_int_equal(report.expired, 2);
}

static void they_lie_in_the_trash_and_come_back(void **state)
{
	uint64_t box = owned_box("a@example.org"), mails, octets;
	const struct undelete u = { .mailbox_id = box };

	(void)state;
	fill(box, 20, 450);
	fill(box, 1, 3);
	set("a@example.org", 14);
	purge();
	assert_int_equal(report.expired, 450);
	assert_int_equal(mails_in(box), 3);
	assert_int_equal(rows("trash"), 450);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM trash WHERE"
				    " deleted_by = 'retention' AND"
				    " deleted_from = '' AND deleted_at >"
				    " UTC_TIMESTAMP() - INTERVAL 1 MINUTE"),
			 450);
	assert_int_equal(report.trash, 0);
	assert_int_equal(report.contents, 0);
	mailing_check_store(0);
	assert_int_equal(undelete_run(db, &u, &mails, &octets), DB_OK);
	assert_int_equal(mails, 450);
	assert_int_equal(mails_in(box), 453);
	mailing_check_store(0);
}

/* One that is in the trash too waits until the purge has taken it there. */
static void one_in_both_places_holds_up_no_other(void **state)
{
	uint64_t box = owned_box("a@example.org");

	(void)state;
	fill(box, 20, 3);
	fix_sql("INSERT INTO trash SELECT m.*, UTC_TIMESTAMP(), '', ''"
		" FROM mail m ORDER BY uid LIMIT 1");
	fix_sql("UPDATE content SET refs = 2 WHERE content_id ="
		" (SELECT content_id FROM trash)");
	purge_default(14);
	assert_int_equal(report.expired, 2);
	assert_int_equal(mails_in(box), 1);
	fix_sql("UPDATE trash SET deleted_at = '2020-01-01'");
	purge_default(14);
	assert_int_equal(report.expired, 1);
	assert_int_equal(mails_in(box), 0);
	assert_int_equal(rows("trash"), 1);
	assert_int_equal(fix_number("SELECT messages + octets FROM mailbox"),
			 0);
}

static void a_dry_run_counts_and_moves_nothing(void **state)
{
	struct purge_settings s = settings();
	uint64_t box = owned_box("a@example.org");

	(void)state;
	fill(box, 20, 3);
	fill(box, 1, 3);
	s.accounts = db;
	s.retention = 14;
	s.dry_run = true;
	purge_with(&s);
	assert_int_equal(report.expired, 3);
	assert_int_equal(mails_in(box), 6);
}

static bool nothing_listed(void *arg, const struct maildrop_entry *e)
{
	(void)arg;
	(void)e;
	return true;
}

static uint64_t told(const char *address, uint64_t rest)
{
	struct pool *p = fix_pool(PROG_POP3D, 1);
	struct db *d = pool_get(p, deadline_in(1000));
	struct maildrop_box plain = { .days = rest }, blank = { .days = rest };

	assert_int_equal(maildrop_open(d, span_of(address), SPAN_EMPTY, false,
				       10, nothing_listed, NULL, &plain),
			 DB_OK);
	assert_int_equal(maildrop_open(d, span_of(address), SPAN_EMPTY, true,
				       10, nothing_listed, NULL, &blank),
			 DB_OK);
	assert_int_equal(plain.days, blank.days);
	pool_put(p, &d);
	pool_free(&p);
	return plain.days;
}

static void a_login_is_told_what_the_purge_will_do(void **state)
{
	uint64_t box = owned_box("own@one.example");

	(void)state;
	owned_box("other@one.example");
	owned_box("x@two.example");
	fill(box, 1, 2);
	set("one.example", 10);
	set("own@one.example", 0);
	assert_int_equal(told("own@one.example", 30), 0);
	assert_int_equal(told("other@one.example", 30), 10);
	assert_int_equal(told("x@two.example", 30), 30);
	assert_int_equal(told("x@two.example", 0), 0);
	/* without a mailbox yet */
	assert_int_equal(told("new@one.example", 30), 10);
	assert_int_equal(told("new@two.example", 30), 30);
}

static void the_walk_reads_no_mailbox_from_end_to_end(void **state)
{
	(void)state;
	fix_explain(Q_RETENTION_BOXES, "30 1", NULL);
	fix_explain(Q_RETENTION_DUE, "30 1 30", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			an_address_counts_before_its_domain_and_both_before_the_rest,
			purging_empty),
		cmocka_unit_test_setup(nothing_goes_a_moment_too_early,
				       purging_empty),
		cmocka_unit_test_setup(they_lie_in_the_trash_and_come_back,
				       purging_empty),
		cmocka_unit_test_setup(one_in_both_places_holds_up_no_other,
				       purging_empty),
		cmocka_unit_test_setup(a_dry_run_counts_and_moves_nothing,
				       purging_empty),
		cmocka_unit_test_setup(a_login_is_told_what_the_purge_will_do,
				       purging_empty),
		cmocka_unit_test_setup(
			the_walk_reads_no_mailbox_from_end_to_end,
			purging_empty),
	};

	return cmocka_run_group_tests(tests, start, end);
}
