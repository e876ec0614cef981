/* tests/sql/test_sql_purgefault.c: at each of its fault points the purge, the
 * erasing and the undelete lose their connection, or die; the store keeps its
 * rules, and another run ends the work. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "sql/maildrop.h"
#include "sql/undelete.h"
#include "tests/sql/purging.h"

static uint64_t keeps, leaves;

/* Everything is due, but for accounts that are there. */
static enum db_result purge_all(struct db *d)
{
	struct purge_settings s = { .trash_age = 0,
				    .receipt_age = 0,
				    .gone_age = 1000,
				    .retired_age = 1000,
				    .fold_local_part = true,
				    .accounts = d,
				    .profile = profile,
				    .go_on = always };
	struct purge_report r;

	return purge_run(d, &s, &r);
}

static enum db_result expire(struct db *d)
{
	struct purge_settings s = settings();
	struct purge_report r;

	s.trash_age = 100000ULL * DAY;
	s.retention = 30;
	s.accounts = d;
	return purge_run(d, &s, &r);
}

static enum db_result erase(struct db *d)
{
	struct purge_report r;

	return purge_erase(d, keeps, always, NULL, &r);
}

static enum db_result undelete(struct db *d)
{
	struct undelete u = { .mailbox_id = keeps };
	uint64_t mails, octets;

	return undelete_run(d, &u, &mails, &octets);
}

static const struct {
	const char *name;
	enum db_result (*work)(struct db *);
} points[] = {
	{ "purge-begin", purge_all },     { "purge-lock", purge_all },
	{ "purge-trash", purge_all },     { "purge-refs", purge_all },
	{ "purge-content", purge_all },   { "purge-chunk", purge_all },
	{ "purge-row", purge_all },       { "purge-receipt", purge_all },
	{ "purge-note", purge_all },      { "purge-retire", purge_all },
	{ "purge-commit", purge_all },    { "purge-unread", purge_all },
	{ "purge-committed", purge_all }, { "erase-lock", purge_all },
	{ "erase-row", purge_all },       { "erase-receipts", purge_all },
	{ "erase-box", purge_all },       { "erase-lock", erase },
	{ "erase-row", erase },           { "erase-receipts", erase },
	{ "purge-commit", erase },        { "purge-committed", erase },
	{ "undelete-row", undelete },     { "undelete-commit", undelete },
	{ "undelete-unread", undelete },  { "purge-expire", expire },
	{ "purge-commit", expire },       { "purge-unread", expire },
	{ "purge-limit", purge_all },
};

enum { POINTS = sizeof(points) / sizeof(*points) };

static void deliver(uint64_t a, uint64_t b, size_t size, const char *key)
{
	static char text[600000];
	struct mailing g;

	assert_true(mailing_make(&g, span_make(text, size), key));
	mailing_to(&g, a);
	mailing_to(&g, b);
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	mailing_release(&g);
}

static void move_first(uint64_t box)
{
	struct db *d = pool_get(pop3, deadline_in(1000));
	uint64_t uid = 16777216, moved;

	assert_int_equal(maildrop_move(d, box, &uid, 1, SPAN_LIT("w"),
				       SPAN_LIT("f"), NULL, &moved),
			 DB_OK);
	pool_put(pop3, &d);
	fix_sql("UPDATE trash SET deleted_at = '2020-01-01'");
}

/* Something of everything. */
static void fill(void)
{
	(void)purging_empty(NULL);
	fix_sql("INSERT IGNORE INTO domain (name, created_at) VALUES"
		" ('example.org', UTC_TIMESTAMP())");
	fix_sql("INSERT INTO account (address, domain, password, created_at)"
		" VALUES ('keeps@example.org', 'example.org', '', "
		"'2020-01-01')");
	keeps = fix_box("keeps@example.org");
	leaves = fix_box("leaves@example.org");
	deliver(keeps, leaves, 1000, "one");
	deliver(keeps, leaves, 600000, "two");
	move_first(keeps);
	fix_sql("UPDATE receipt SET received_at = '2020-01-01'");
	fix_sql("UPDATE mailbox SET retired_address = address, address = NULL,"
		" retired_at = '2020-01-01' WHERE mailbox_id = %llu",
		(unsigned long long)leaves);
	fix_sql("INSERT IGNORE INTO limit_usage (subject, direction, seconds)"
		" VALUES ('over@example.org', 'out', 60)");
	fix_box("gone@example.org");
	fix_box("news@example.org");
	fix_sql("UPDATE mailbox SET gone_since = '2020-01-01'"
		" WHERE address = 'gone@example.org'");
	fix_sql("UPDATE content SET stored_at = '2020-01-01'");
	fix_sql("UPDATE mail SET received_at = '2020-01-01'");
}

/* Whatever has happened: refs, octets and counters fit, no mail of the owner
 * whose account is there is without its body. */
static void check(const char *point)
{
	uint64_t wrong = fix_number(
		"SELECT (SELECT COUNT(*) FROM content c WHERE refs <>"
		" (SELECT COUNT(*) FROM mail m WHERE m.content_id ="
		" c.content_id) + (SELECT COUNT(*) FROM trash t"
		" WHERE t.content_id = c.content_id))"
		" + (SELECT COUNT(*) FROM (SELECT content_id, octets, trace"
		" FROM mail UNION ALL SELECT content_id, octets, trace"
		" FROM trash) m LEFT JOIN content c USING (content_id)"
		" WHERE c.octets IS NULL"
		" OR c.octets + LENGTH(m.trace) <> m.octets"
		" OR c.octets <> (SELECT SUM(LENGTH(data)) FROM chunk k"
		" WHERE k.content_id = c.content_id))"
		" + (SELECT COUNT(*) FROM mailbox b WHERE messages <>"
		" (SELECT COUNT(*) FROM mail m"
		" WHERE m.mailbox_id = b.mailbox_id))");

	if (wrong)
		fail_msg("%s: %llu rows do not fit", point,
			 (unsigned long long)wrong);
}

static void check_done(const char *point, enum db_result (*work)(struct db *))
{
	uint64_t left;

	check(point);
	if (work == undelete)
		left = 2 - fix_number("SELECT COUNT(*) FROM mail"
				      " WHERE mailbox_id = %llu",
				      (unsigned long long)keeps);
	else if (work == expire)
		left = fix_number("SELECT COUNT(*) FROM mail"
				  " WHERE mailbox_id = %llu",
				  (unsigned long long)keeps);
	else if (work == erase)
		left = fix_number("SELECT (SELECT COUNT(*) FROM trash)"
				  " + (SELECT COUNT(*) FROM mail"
				  " WHERE mailbox_id = %llu)",
				  (unsigned long long)keeps);
	else
		left = fix_number(
			"SELECT (SELECT COUNT(*) FROM trash)"
			" + (SELECT COUNT(*) FROM receipt)"
			" + (SELECT COUNT(*) FROM content WHERE refs <> 1)"
			" + (SELECT COUNT(*) FROM mailbox"
			" WHERE address = 'gone@example.org'"
			" OR address = 'news@example.org'"
			" AND gone_since IS NULL"
			" OR retired_address = 'leaves@example.org')"
			" + (SELECT COUNT(*) FROM mail) - 1");
	if (left)
		fail_msg("%s: the work is not done", point);
}

static void a_cut_connection_is_made_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < POINTS; i++) {
		fill();
		fix_fault(points[i].name, "fail");
		if (points[i].work(db) != DB_OK)
			fail_msg("%s: %s", points[i].name, db_why(db));
		if (!fix_fault_met(points[i].name))
			fail_msg("%s: not met", points[i].name);
		/* what a lost answer hid from the first run */
		assert_int_equal(points[i].work(db), DB_OK);
		check_done(points[i].name, points[i].work);
	}
}

static void die_at(const char *point, enum db_result (*work)(struct db *))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct pool *own = fix_pool(PROG_PURGE, 1);
		struct db *d = pool_get(own, deadline_in(1000));

		_exit(work(d) == DB_OK ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("%s: not met", point);
}

static void who_is_killed_leaves_a_good_store(void **state)
{
	(void)state;
	for (size_t i = 0; i < POINTS; i++) {
		fill();
		fix_fault(points[i].name, "die");
		die_at(points[i].name, points[i].work);
		check(points[i].name);
		assert_int_equal(points[i].work(db), DB_OK);
		check_done(points[i].name, points[i].work);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_connection_is_made_good),
		cmocka_unit_test(who_is_killed_leaves_a_good_store),
	};

	return cmocka_run_group_tests(tests, purging_start, purging_end);
}
