/* tests/sql/test_sql_decision.c: decisions reach their table, and never stand
 * in the way of who makes them. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "policy/decisionlog.h"
#include "tests/sql/fixture.h"
#include "tests/sql/purging.h"

enum { WAIT_MS = 20000 };

static struct db_target *tool_target;
static struct db *tool;

static int start(void **state)
{
	struct buf why = BUF_INIT(1000);

	if (purging_start(state) != 0)
		return -1;
	tool_target = fix_target(PROG_TOOL);
	tool = db_new(tool_target);
	metric_open(fix_path("."), "decisions", false);
	return decisionlog_open(fix_conf, PROG_MILTER, &why) ? 0 : -1;
}

static int end(void **state)
{
	db_free(&tool);
	db_target_free(&tool_target);
	return purging_end(state);
}

static int empty(void **state)
{
	(void)state;
	fix_sql("DELETE FROM decision");
	return 0;
}

static uint64_t kept(const char *where)
{
	return fix_number("SELECT COUNT(*) FROM decision WHERE %s", where);
}

static void wait_for(const char *where, uint64_t n)
{
	int64_t deadline = deadline_in(WAIT_MS);

	while (kept(where) != n && deadline_left(deadline) > 0)
		(void)usleep(10000);
	assert_int_equal(kept(where), n);
}

static uint64_t counted(enum metric_id id)
{
	struct metric_file *f = metric_read(fix_path("."), "decisions");
	uint64_t n = 0;

	assert_non_null(f);
	for (size_t i = 0; i < f->n; i++)
		if (f->value[i].id == id)
			n = f->value[i].total;
	free(f);
	return n;
}

static struct decision rejection(char id[DECISIONID_LENGTH + 1],
				 const char *predicate)
{
	struct decision d = { .at = clock_unix(), .smtp = 550, .size = 1234 };

	decisionlog_id(id);
	d.text[DECISION_ID] = span_of(id);
	d.text[DECISION_PREDICATE] = span_of(predicate);
	d.text[DECISION_SENDER] = SPAN_LIT("ann@remote.test");
	d.text[DECISION_RECIPIENT] = SPAN_LIT("bob@example.org");
	d.text[DECISION_CLIENT] = SPAN_LIT("192.0.2.7");
	return d;
}

static void note(const struct conf *c, const char *predicate)
{
	char id[DECISIONID_LENGTH + 1];
	struct decision d = rejection(id, predicate);

	decisionlog_note(c, &d);
}

static void a_decision_is_written_whole(void **state)
{
	char id[DECISIONID_LENGTH + 1];
	struct decision d = rejection(id, "relay_denied");

	(void)state;
	d.port = 587;
	d.text[DECISION_LOGIN] = SPAN_LIT("eve@example.org");
	d.text[DECISION_TLS] = SPAN_LIT("TLSv1.3 X");
	d.text[DECISION_REPLY] = SPAN_LIT("Relay access denied");
	d.text[DECISION_ENHANCED] = SPAN_LIT("5.7.1");
	decisionlog_note(fix_conf, &d);
	wait_for("predicate = 'relay_denied'", 1);
	assert_string_equal(
		fix_text("SELECT CONCAT_WS('|', decision_id = '%s', login,"
			 " sender, recipient, client, port, size, tls, smtp,"
			 " enhanced, reply, shadow, helo, node <> '')"
			 " FROM decision",
			 id),
		"1|eve@example.org|ann@remote.test|bob@example.org|192.0.2.7|"
		"587|1234|TLSv1.3 X|550|5.7.1|Relay access denied|0||1");
	assert_true(fix_number("SELECT ABS(TIMESTAMPDIFF(SECOND, at,"
			       " UTC_TIMESTAMP())) FROM decision") < 30);
}

static void what_a_peer_sent_is_cut_to_its_column(void **state)
{
	char id[DECISIONID_LENGTH + 1], longer[5000];
	struct decision d = rejection(id, "helo_forged");

	(void)state;
	memset(longer, '\xff', sizeof(longer));
	for (size_t i = 1; i < DECISION_TEXTS; i++)
		if (i != DECISION_PREDICATE)
			d.text[i] = span_make(longer, sizeof(longer));
	decisionlog_note(fix_conf, &d);
	wait_for("predicate = 'helo_forged' AND LENGTH(sender) = 320"
		 " AND LENGTH(helo) = 255 AND LENGTH(reply) = 512",
		 1);
}

static void the_option_says_which(void **state)
{
	struct conf *off = fix_conf_with("decision_log = off\n");
	struct conf *all = fix_conf_with("decision_log = all\n");
	char id[DECISIONID_LENGTH + 1];
	struct decision accepted = rejection(id, "");

	(void)state;
	accepted.smtp = 0;
	decisionlog_note(fix_conf, &accepted);
	note(off, "one");
	note(fix_conf, "two");
	accepted.shadow = true;
	accepted.text[DECISION_PREDICATE] = SPAN_LIT("three");
	decisionlog_note(fix_conf, &accepted);
	accepted = rejection(id, "");
	accepted.smtp = 0;
	decisionlog_note(all, &accepted);
	wait_for("1", 3);
	assert_int_equal(kept("predicate IN ('two', 'three')"), 2);
	assert_int_equal(kept("smtp = 0 AND NOT shadow"), 1);
	conf_unref(&off);
	conf_unref(&all);
}

static void a_transaction_that_comes_again_writes_nothing_twice(void **state)
{
	(void)state;
#ifdef WITH_FAULT_POINTS
	fix_fault("decision-unread", "fail");
	note(fix_conf, "unread");
	wait_for("predicate = 'unread'", 1);
	fix_fault("decision-commit", "fail");
	note(fix_conf, "before");
	wait_for("predicate = 'before'", 1);
	assert_true(fix_fault_met("decision-unread"));
	assert_true(fix_fault_met("decision-commit"));
	note(fix_conf, "behind");
	wait_for("predicate = 'behind'", 1);
	assert_int_equal(kept("1"), 3);
	fix_fault("decision-note", "fail");
	note(fix_conf, "dropped");
	note(fix_conf, "next");
	wait_for("predicate = 'next'", 1);
	assert_int_equal(kept("predicate = 'dropped'"), 0);
#endif
}

/* Each from a thread of its own, as in the daemons. */
static void *note_many(void *arg)
{
	for (int i = 0; i < 250; i++)
		note(fix_conf, arg);
	return NULL;
}

static void no_two_decisions_have_one_id(void **state)
{
	static char name[8][8];
	pthread_t t[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "t%zu", i);
		assert_int_equal(
			pthread_create(&t[i], NULL, note_many, name[i]), 0);
	}
	for (size_t i = 0; i < 8; i++)
		(void)pthread_join(t[i], NULL);
	wait_for("1", 2000);
	assert_int_equal(fix_number("SELECT COUNT(DISTINCT decision_id)"
				    " FROM decision"),
			 2000);
}

/* The server is stopped while it lasts: it answers nobody. */
static void a_stalled_database_is_in_nobodys_way(void **state)
{
	pid_t server =
		(pid_t)strtol(getenv("MAILROW_TEST_SERVER_PID"), NULL, 10);
	uint64_t dropped = counted(M_DECISION_DROPPED);
	int64_t begun;

	(void)state;
	note(fix_conf, "before");
	wait_for("predicate = 'before'", 1);
	assert_int_equal(kill(server, SIGSTOP), 0);
	begun = clock_ms();
	for (int i = 0; i < 3 * DECISIONLOG_QUEUE; i++)
		note(fix_conf, "meanwhile");
	begun = clock_ms() - begun;
	dropped = counted(M_DECISION_DROPPED) - dropped;
	assert_int_equal(kill(server, SIGCONT), 0);
	assert_true(begun < 5000);
	assert_true(dropped >= DECISIONLOG_QUEUE);
	wait_for("predicate = 'meanwhile'", 3 * DECISIONLOG_QUEUE - dropped);
}

static bool take_id(void *arg, const struct decision *d)
{
	struct buf *b = arg;

	buf_put_span(b, d->text[DECISION_PREDICATE]);
	buf_putc(b, d->shadow ? '*' : ' ');
	return true;
}

static const char *listed(const struct decision_filter *f)
{
	static struct buf b = BUF_INIT(1000);
	struct decision_filter filter = *f;

	filter.max = filter.max ? filter.max : 100;
	buf_reset(&b);
	assert_int_equal(decision_list(tool, &filter, take_id, &b), NATIVE_OK);
	return buf_cstr(&b);
}

static void put_row(const char *id, const char *predicate, int shadow, int age,
		    const char *login, const char *recipient)
{
	fix_sql("INSERT INTO decision VALUES ('%s', @now -"
		" INTERVAL %d SECOND, 'n', 'full', 'rcpt', '%s', 'd.test', %d,"
		" 550, '5.7.1', 'no', 'q', '192.0.2.%d', 25, '', 'h', '%s',"
		" 's@x.test', '%s', 0, '')",
		id, age, predicate, shadow, age % 250, login, recipient);
}

static void put_some(void)
{
	fix_sql("SET @now = UTC_TIMESTAMP()");
	put_row("aaaaaaaaaa", "one", 0, 500, "", "bob@d.test");
	put_row("aaaaaaaaab", "two", 0, 400, "eve@d.test", "bob@d.test");
	put_row("aaaaaaaaac", "two", 1, 300, "eve@d.test", "ann@d.test");
	put_row("aaaaaaaaad", "two", 1, 200, "eve@d.test", "ann@d.test");
	put_row("aaaaaaaaad", "three", 1, 200, "eve@d.test", "ann@d.test");
	put_row("aaaaaaaaad", "", 0, 200, "eve@d.test", "ann@d.test");
}

static void a_list_holds_what_was_asked_for(void **state)
{
	uint64_t now = fix_number("SELECT UNIX_TIMESTAMP()");
	struct buf b = BUF_INIT(100);

	(void)state;
	put_some();
	assert_string_equal(listed(&(struct decision_filter){ 0 }),
			    " three*two*two*two one ");
	assert_string_equal(
		listed(&(struct decision_filter){ .since = now - 350 }),
		" three*two*two*");
	assert_string_equal(listed(&(struct decision_filter){
				    .recipient = SPAN_LIT("bob@d.test") }),
			    "two one ");
	assert_string_equal(listed(&(struct decision_filter){
				    .login = SPAN_LIT("eve@d.test"),
				    .predicate = SPAN_LIT("two"),
				    .max = 2 }),
			    "two*two*");
	assert_string_equal(listed(&(struct decision_filter){ .shadow = true }),
			    "three*two*two*");
	assert_string_equal(listed(&(struct decision_filter){
				    .client = SPAN_LIT("192.0.2.150") }),
			    "two ");
	assert_int_equal(
		decision_find(tool, SPAN_LIT("aaaaaaaaad"), take_id, &b),
		NATIVE_OK);
	assert_string_equal(buf_cstr(&b), " three*two*");
	buf_release(&b);
}

static bool take_hits(void *arg, const struct sqlval *col)
{
	buf_printf(arg, "%.*s/%.*s/%llu ", (int)col[0].s.n, col[0].s.p,
		   (int)col[2].s.n, col[2].s.p, (unsigned long long)col[3].u);
	return true;
}

static void hits_in_shadow_are_counted(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	put_some();
	assert_int_equal(decision_shadow(tool, 0, take_hits, &b), NATIVE_OK);
	assert_string_equal(buf_cstr(&b),
			    "two/eve@d.test/2 three/eve@d.test/1 ");
	buf_release(&b);
	assert_int_equal(fix_number("SELECT hits FROM decision_in_shadow"
				    " WHERE predicate = 'two'"),
			 2);
	assert_int_equal(
		fix_number("SELECT SUM(decisions) FROM decision_daily"), 6);
	assert_int_equal(fix_number("SELECT decisions FROM decision_by_login"
				    " WHERE predicate = 'two' AND shadow = 0"),
			 1);
	assert_int_equal(fix_number("SELECT SUM(decisions) FROM"
				    " decision_by_client WHERE client ="
				    " '192.0.2.200'"),
			 3);
}

static void the_purge_leaves_what_is_new_and_not_too_many(void **state)
{
	struct purge_settings s = settings();

	(void)state;
	fix_sql("INSERT INTO decision SELECT CONCAT('a', LPAD(seq, 9, '0')),"
		" UTC_TIMESTAMP() - INTERVAL seq MINUTE, '', '', '', '', '', 0,"
		" 550, '', '', '', '', 0, '', '', '', '', '', 0, ''"
		" FROM seq_1_to_5000");
	s.decision_age = 4000 * 60 + 30;
	s.decision_rows = 1500;
	s.dry_run = true;
	purge_with(&s);
	assert_int_equal(report.decisions, 3500);
	assert_int_equal(kept("1"), 5000);
	s.dry_run = false;
	purge_with(&s);
	assert_true(report.complete);
	assert_int_equal(report.decisions, 3500);
	assert_int_equal(kept("1"), 1500);
	assert_int_equal(kept("at >= UTC_TIMESTAMP() - INTERVAL 1501 MINUTE"),
			 1500);
	s.decision_rows = 5000;
	s.decision_age = 600 * 60 + 30;
	purge_with(&s);
	assert_int_equal(kept("1"), 600);
}

static void an_hour_adds_no_more_than_its_share(void **state)
{
	struct conf *c = fix_conf_with("decision_rows = 1000\n");

	(void)state;
	note(c, "too many"); /* the tests before have made more than 41 */
	note(fix_conf, "not yet");
	wait_for("predicate = 'not yet'", 1);
	assert_int_equal(kept("predicate = 'too many'"), 0);
	conf_unref(&c);
}

static void at_the_end_what_waits_is_written(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		note(fix_conf, "last");
	decisionlog_end();
	assert_int_equal(kept("predicate = 'last'"), 300);
	note(fix_conf, "too late");
	decisionlog_end();
	assert_int_equal(kept("predicate = 'too late'"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_decision_is_written_whole, empty),
		cmocka_unit_test_setup(what_a_peer_sent_is_cut_to_its_column,
				       empty),
		cmocka_unit_test_setup(the_option_says_which, empty),
		cmocka_unit_test_setup(
			a_transaction_that_comes_again_writes_nothing_twice,
			empty),
		cmocka_unit_test_setup(no_two_decisions_have_one_id, empty),
		cmocka_unit_test_setup(a_stalled_database_is_in_nobodys_way,
				       empty),
		cmocka_unit_test_setup(a_list_holds_what_was_asked_for, empty),
		cmocka_unit_test_setup(hits_in_shadow_are_counted, empty),
		cmocka_unit_test_setup(
			the_purge_leaves_what_is_new_and_not_too_many, empty),
		cmocka_unit_test_setup(an_hour_adds_no_more_than_its_share,
				       empty),
		cmocka_unit_test_setup(at_the_end_what_waits_is_written, empty),
	};

	return cmocka_run_group_tests(tests, start, end);
}
