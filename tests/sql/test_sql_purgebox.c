/* tests/sql/test_sql_purgebox.c: mailboxes that go: with their account, or by
 * hand; and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/box.h"
#include "sql/undelete.h"
#include "tests/sql/purging.h"

static uint64_t gone_boxes(void)
{
	return fix_number("SELECT COUNT(*) FROM mailbox"
			  " WHERE gone_since IS NOT NULL");
}

static void a_mailbox_goes_long_after_its_account(void **state)
{
	uint64_t box = owned_box("a@example.org");

	(void)state;
	owned_box("b@example.org");
	mailing_quick(pool, box, "Subject: x\r\n\r\n");
	move(box, mailing_quick(pool, box, "Subject: y\r\n\r\n"));
	fix_sql("INSERT INTO lease (mailbox_id) VALUES (%llu)",
		(unsigned long long)box);
	purge();
	assert_int_equal(report.gone, 0);
	fix_sql("DELETE FROM account WHERE address = 'a@example.org'");
	purge();
	assert_int_equal(report.gone, 1);
	purge();
	assert_int_equal(report.gone + report.retired, 0);
	fix_sql("UPDATE mailbox SET gone_since = UTC_TIMESTAMP()"
		" - INTERVAL 31 DAY WHERE gone_since IS NOT NULL");
	purge();
	assert_int_equal(report.retired, 1);
	assert_string_equal(fix_text("SELECT retired_address FROM mailbox"
				     " WHERE address IS NULL"),
			    "a@example.org");
	purge();
	assert_int_equal(report.mailboxes, 0);
	fix_sql("UPDATE mailbox SET retired_at = UTC_TIMESTAMP()"
		" - INTERVAL 31 DAY WHERE address IS NULL");
	purge();
	assert_int_equal(report.mailboxes, 1);
	assert_int_equal(report.mails, 2);
	assert_int_equal(report.contents, 2);
	assert_int_equal(rows("mailbox"), 1);
	assert_int_equal(rows("mail") + rows("trash") + rows("content") +
				 rows("lease"),
			 0);
}

static void an_account_that_is_seen_again_is_not_gone(void **state)
{
	(void)state;
	owned_box("a@example.org");
	fix_sql("UPDATE account SET address = 'x@example.org'");
	purge();
	assert_int_equal(gone_boxes(), 1);
	fix_sql("UPDATE account SET address = 'a@example.org', active = 0");
	purge();
	assert_int_equal(report.back, 1);
	assert_int_equal(gone_boxes(), 0);
}

static void another_life_of_the_address_is_another_account(void **state)
{
	(void)state;
	owned_box("a@example.org");
	fix_sql("UPDATE mailbox SET incarnation = 'former'");
	purge();
	assert_int_equal(report.gone, 1);
	fix_sql("UPDATE mailbox SET incarnation ="
		" (SELECT account_id FROM account)");
	purge();
	assert_int_equal(report.back, 1);
}

/* Until the next call. */
static const char *user(unsigned i)
{
	static char address[32];

	snprintf(address, sizeof(address), "u%u@example.org", i);
	return address;
}

static void an_account_that_cannot_be_told_is_not_gone(void **state)
{
	struct purge_settings s = settings();

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		fix_box(user(i));
	fix_sql("UPDATE mailbox SET gone_since = '2020-01-01'");
	purge_with(&s); /* nobody to ask */
	assert_true(report.accounts_away);
	assert_int_equal(report.retired, 0);
	assert_int_equal(report.unknown, 6);
	fix_sql("RENAME TABLE account TO hidden");
	s.accounts = db;
	purge_with(&s);
	fix_sql("RENAME TABLE hidden TO account");
	assert_true(report.accounts_away);
	assert_int_equal(report.retired, 0);
	assert_int_equal(report.unknown, 6);
	fix_sql("UPDATE mailbox SET address = CONCAT('U', address)");
	purge(); /* not canonical: asked for by another name */
	assert_int_equal(report.retired, 0);
	assert_int_equal(report.unknown, 6);
}

static void rows_that_make_no_sense_hide_no_others(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		owned_box(user(i));
	fix_box("gone@example.org");
	fix_sql("ALTER TABLE account MODIFY quota BIGINT NOT NULL DEFAULT 0");
	fix_sql("UPDATE account SET quota = -1");
	purge();
	fix_sql("UPDATE account SET quota = 0");
	fix_sql("ALTER TABLE account MODIFY quota BIGINT UNSIGNED NOT NULL"
		" DEFAULT 0");
	assert_int_equal(report.unknown, 5);
	assert_int_equal(report.gone, 1);
	assert_false(report.accounts_away);
}

static void a_retired_mailbox_that_is_taken_back_stays(void **state)
{
	struct db *d = pool_get(pool, deadline_in(1000));
	struct addr a;
	struct box b, c;

	(void)state;
	assert_int_equal(addr_parse(SPAN_LIT("a@example.org"), true, &a),
			 ADDR_OK);
	assert_int_equal(box_resolve(d, &a, "17", deadline_in(60000), &b),
			 DB_OK);
	mailing_quick(pool, b.mailbox_id, "Subject: x\r\n\r\n");
	fix_sql("UPDATE mailbox SET retired_address = address, address = NULL,"
		" retired_at = UTC_TIMESTAMP(), gone_since = '2020-01-01'");
	assert_int_equal(box_resolve(d, &a, "17", deadline_in(60000), &c),
			 DB_OK);
	assert_int_equal(c.mailbox_id, b.mailbox_id);
	assert_int_equal(gone_boxes(), 0);
	purge();
	assert_int_equal(rows("mail"), 1);
	/* another life, or one that cannot be told, gets a new row */
	fix_sql("UPDATE mailbox SET retired_address = address, address = NULL,"
		" retired_at = UTC_TIMESTAMP()");
	assert_int_equal(box_resolve(d, &a, "", deadline_in(60000), &c), DB_OK);
	assert_true(c.mailbox_id != b.mailbox_id);
	pool_put(pool, &d);
}

/* Its account is back in the middle of it. */
static bool take_back(void *arg, const char *step, const struct purge_report *r)
{
	(void)arg;
	(void)step;
	if (r->mails >= 200)
		fix_sql("UPDATE mailbox SET address = retired_address,"
			" retired_at = NULL");
	return true;
}

static void what_is_taken_back_is_deleted_no_further(void **state)
{
	uint64_t box = owned_box("a@example.org");
	struct purge_settings s = settings();

	(void)state;
	for (unsigned i = 0; i < 250; i++)
		mailing_quick(pool, box, "Subject: x\r\n\r\n");
	fix_sql("UPDATE mailbox SET retired_address = address, address = NULL,"
		" retired_at = '2020-01-01'");
	s.accounts = db;
	s.go_on = take_back;
	purge_with(&s);
	assert_int_equal(report.mails, 200);
	assert_int_equal(report.mailboxes, 0);
	assert_int_equal(rows("mail"), 50);
	assert_int_equal(rows("content"), 50);
	assert_int_equal(fix_number("SELECT messages FROM mailbox"), 50);
}

/* Its account is back, and mail comes in, while it is erased. */
static bool take_back_and_mail(void *arg, const char *step,
			       const struct purge_report *r)
{
	uint64_t *box = arg;

	(void)step;
	if (r->mails < 200 || *box == 0)
		return true;
	fix_sql("UPDATE mailbox SET address = retired_address,"
		" retired_at = NULL");
	mailing_quick(pool, *box, "Subject: new\r\n\r\n");
	*box = 0;
	return true;
}

static void what_comes_to_a_mailbox_taken_back_is_not_erased(void **state)
{
	uint64_t box = owned_box("a@example.org");

	(void)state;
	for (unsigned i = 0; i < 220; i++)
		mailing_quick(pool, box, "Subject: x\r\n\r\n");
	fix_sql("UPDATE mailbox SET retired_address = address, address = NULL,"
		" retired_at = UTC_TIMESTAMP()");
	assert_int_equal(
		purge_erase(db, box, take_back_and_mail, &box, &report), DB_OK);
	assert_false(report.complete);
	assert_int_equal(report.mails, 200);
	assert_int_equal(rows("mail"), 21);
	assert_int_equal(rows("content"), 21);
	assert_int_equal(fix_number("SELECT messages FROM mailbox"), 21);
}

/* Between the look at the mailboxes and the one at their rows. */
static bool make_box(void *arg, const char *step, const struct purge_report *r)
{
	bool *made = arg;

	(void)r;
	if (*made || strcmp(step, "mailboxes") != 0)
		return true;
	*made = true;
	mailing_quick(pool, owned_box("new@example.org"), "Subject: x\r\n\r\n");
	return true;
}

static void a_mailbox_made_meanwhile_is_no_stray(void **state)
{
	struct purge_settings s = settings();
	bool made = false;

	(void)state;
	owned_box("a@example.org");
	s.accounts = db;
	s.go_on = make_box;
	s.arg = &made;
	purge_with(&s);
	assert_true(made);
	assert_int_equal(report.strays, 0);
	made = false;
	fix_sql("DELETE FROM account WHERE address = 'new@example.org'");
	fix_sql("DELETE FROM mailbox WHERE address = 'new@example.org'");
	s.dry_run = true;
	s.go_on = always;
	purge_with(&s);
	assert_int_equal(report.strays, 1);
}

static void rows_without_a_mailbox_become_a_retired_one(void **state)
{
	uint64_t a = owned_box("a@example.org"), b = owned_box("b@example.org");
	uint64_t c = owned_box("c@example.org");

	(void)state;
	mailing_quick(pool, a, "Subject: x\r\n\r\n");
	mailing_quick(pool, a, "Subject: x\r\n\r\n");
	move(c, mailing_quick(pool, c, "Subject: z\r\n\r\n"));
	fix_sql("DELETE FROM mailbox WHERE mailbox_id IN (%llu, %llu)",
		(unsigned long long)a, (unsigned long long)c);
	purge();
	assert_int_equal(report.strays, 2);
	assert_int_equal(rows("mail"), 2);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mailbox WHERE"
				    " address IS NULL AND uid_next > 16777216"),
			 2);
	mailing_check_store(0);
	purge();
	assert_int_equal(report.strays, 0);
	fix_sql("UPDATE mailbox SET retired_at = '2020-01-01'"
		" WHERE address IS NULL");
	purge();
	assert_int_equal(rows("mail") + rows("trash") + rows("content"), 0);
	assert_int_equal(fix_number("SELECT mailbox_id FROM mailbox"), b);
}

static void erase(uint64_t box)
{
	if (purge_erase(db, box, always, NULL, &report) != DB_OK)
		fail_msg("%s", db_why(db));
	assert_true(report.complete);
}

static void erasing_takes_all_of_one_mailbox(void **state)
{
	uint64_t a = owned_box("a@example.org"), b = owned_box("b@example.org");
	struct mailing g;

	(void)state;
	assert_true(mailing_make(&g, SPAN_LIT("Subject: x\r\n\r\n"), "k"));
	mailing_to(&g, a);
	mailing_to(&g, b);
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	for (unsigned i = 0; i < 250; i++)
		mailing_quick(pool, a, "Subject: many\r\n\r\n");
	move(a, g.t[0].uid_r);
	fix_sql("UPDATE receipt SET received_at = received_at"
		" - INTERVAL 5 MINUTE");
	erase(a);
	assert_int_equal(report.mails, 251);
	assert_int_equal(report.receipts, 1);
	assert_int_equal(report.mailboxes, 0);
	assert_int_equal(rows("mail"), 1);
	assert_int_equal(rows("content"), 1);
	assert_int_equal(rows("receipt"), 1);
	assert_int_equal(fix_number("SELECT messages + octets FROM mailbox"
				    " WHERE mailbox_id = %llu",
				    (unsigned long long)a),
			 0);
	/* it lives on, and its uids are never used again */
	assert_true(mailing_quick(pool, a, "x\r\n") > 16777216 + 250);
	fix_sql("UPDATE mailbox SET retired_address = address, address = NULL,"
		" retired_at = UTC_TIMESTAMP() WHERE mailbox_id = %llu",
		(unsigned long long)a);
	erase(a);
	assert_int_equal(report.mailboxes, 1);
	assert_int_equal(fix_number("SELECT mailbox_id FROM mailbox"), b);
	assert_int_equal(rows("mail"), 1);
	erase(a); /* nothing left, and no failure */
	assert_int_equal(report.mailboxes + report.mails, 0);
	mailing_release(&g);
}

static void send_key(uint64_t box, const char *key)
{
	struct mailing g;

	assert_true(mailing_make(&g, SPAN_LIT("Subject: k\r\n\r\n"), key));
	mailing_to(&g, box);
	assert_int_equal(mailing_send(&g, pool, 5000), DELIVER_OK);
	mailing_release(&g);
}

struct meanwhile {
	uint64_t box;
	unsigned calls, at; /* of go_on; at this one a mail comes */
	bool back;          /* since the mailbox is taken back */
};

static bool mail_comes(void *arg, const char *step,
		       const struct purge_report *r)
{
	struct meanwhile *m = arg;

	(void)step;
	(void)r;
	if (++m->calls != m->at)
		return true;
	if (m->back)
		fix_sql("UPDATE mailbox SET address = retired_address,"
			" retired_at = NULL");
	send_key(m->box, "new");
	return true;
}

static void a_mail_that_comes_meanwhile_keeps_its_receipt(void **state)
{
	struct meanwhile m = { .box = owned_box("a@example.org"), .at = 1 };

	(void)state;
	send_key(m.box, "old");
	fix_sql("UPDATE receipt SET received_at = received_at"
		" - INTERVAL 5 MINUTE");
	assert_int_equal(purge_erase(db, m.box, mail_comes, &m, &report),
			 DB_OK);
	assert_true(report.complete);
	assert_int_equal(report.mails, 1);
	assert_int_equal(report.receipts, 1);
	send_key(m.box, "new");
	assert_int_equal(rows("mail"), 1);
}

/* Its trash is gone, its receipts not yet. */
static void what_is_taken_back_at_last_keeps_its_receipts(void **state)
{
	struct meanwhile m = { .box = owned_box("a@example.org"),
			       .at = 4,
			       .back = true };

	(void)state;
	send_key(m.box, "old");
	fix_sql("UPDATE mailbox SET retired_address = address, address = NULL,"
		" retired_at = UTC_TIMESTAMP()");
	assert_int_equal(purge_erase(db, m.box, mail_comes, &m, &report),
			 DB_OK);
	assert_false(report.complete);
	assert_int_equal(report.mails, 1);
	assert_int_equal(rows("receipt"), 2);
	send_key(m.box, "new");
	assert_int_equal(rows("mail"), 1);
}

static void undelete(struct undelete u, uint64_t want)
{
	uint64_t mails, octets;

	if (undelete_run(db, &u, &mails, &octets) != DB_OK)
		fail_msg("%s", db_why(db));
	assert_int_equal(mails, want);
}

/* As a part of a backup leaves it. */
static void one_that_is_in_its_mailbox_too_is_passed_by(void **state)
{
	uint64_t a = owned_box("a@example.org"), uid[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uid[i] = mailing_quick(pool, a, "Subject: x\r\n\r\n");
		move(a, uid[i]);
	}
	undelete((struct undelete){ .mailbox_id = a, .uid = uid, .n = 1 }, 1);
	fix_sql("INSERT INTO trash SELECT m.*, UTC_TIMESTAMP(), '', ''"
		" FROM mail m");
	undelete((struct undelete){ .mailbox_id = a, .dry_run = true }, 2);
	undelete((struct undelete){ .mailbox_id = a, .uid = uid, .n = 1 }, 0);
	undelete((struct undelete){ .mailbox_id = a }, 2);
	assert_int_equal(rows("mail"), 3);
	assert_int_equal(fix_number("SELECT uid FROM trash"), uid[0]);
	assert_int_equal(fix_number("SELECT messages FROM mailbox"), 3);
	assert_int_equal(fix_number("SELECT octets FROM mailbox"),
			 fix_number("SELECT SUM(octets) FROM mail"));
}

static void what_was_deleted_comes_back_as_it_was(void **state)
{
	uint64_t a = owned_box("a@example.org"), uid[4], now;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uid[i] = mailing_quick(pool, a, "Subject: x\r\n\r\n");
		move(a, uid[i]);
	}
	fix_sql("UPDATE trash SET deleted_at = UTC_TIMESTAMP() - INTERVAL 2 DAY"
		" WHERE uid = %llu",
		(unsigned long long)uid[0]);
	fix_sql("CREATE TABLE before_ AS SELECT uid, content_id, trace, octets,"
		" uidl, sender, received_at FROM trash");
	assert_int_equal(undelete_now(db, &now), DB_OK);
	undelete((struct undelete){ .mailbox_id = a, .dry_run = true }, 4);
	assert_int_equal(rows("trash"), 4);
	undelete((struct undelete){ .mailbox_id = a,
				    .since = now - DAY,
				    .uid = uid,
				    .n = 2 },
		 1);
	assert_int_equal(fix_number("SELECT uid FROM mail"), uid[1]);
	undelete((struct undelete){ .mailbox_id = a, .since = now - DAY }, 2);
	undelete((struct undelete){ .mailbox_id = a }, 1);
	undelete((struct undelete){ .mailbox_id = a }, 0);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM mail JOIN before_"
				    " USING (uid, content_id, trace, octets,"
				    " uidl, sender, received_at)"),
			 4);
	fix_sql("DROP TABLE before_");
	mailing_check_store(0);
}

#define PURGE_TEST(f) cmocka_unit_test_setup(f, purging_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PURGE_TEST(a_mailbox_goes_long_after_its_account),
		PURGE_TEST(an_account_that_is_seen_again_is_not_gone),
		PURGE_TEST(another_life_of_the_address_is_another_account),
		PURGE_TEST(an_account_that_cannot_be_told_is_not_gone),
		PURGE_TEST(rows_that_make_no_sense_hide_no_others),
		PURGE_TEST(a_retired_mailbox_that_is_taken_back_stays),
		PURGE_TEST(what_is_taken_back_is_deleted_no_further),
		PURGE_TEST(what_comes_to_a_mailbox_taken_back_is_not_erased),
		PURGE_TEST(a_mailbox_made_meanwhile_is_no_stray),
		PURGE_TEST(rows_without_a_mailbox_become_a_retired_one),
		PURGE_TEST(erasing_takes_all_of_one_mailbox),
		PURGE_TEST(a_mail_that_comes_meanwhile_keeps_its_receipt),
		PURGE_TEST(what_is_taken_back_at_last_keeps_its_receipts),
		PURGE_TEST(one_that_is_in_its_mailbox_too_is_passed_by),
		PURGE_TEST(what_was_deleted_comes_back_as_it_was),
	};

	return cmocka_run_group_tests(tests, purging_start, purging_end);
}
