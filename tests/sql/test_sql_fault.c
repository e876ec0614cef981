/* tests/sql/test_sql_fault.c: at each fault point the connection is cut, or
 * the whole process dies; afterwards the mail is there exactly once, or not at
 * all when the sender was not told that it is. */
#include <pthread.h>
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
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

static struct pool *pool, *pop3;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	pool = fix_pool(PROG_MILTER, 2);
	pop3 = fix_pool(PROG_POP3D, 1);
	return 0;
}

static int end(void **state)
{
	pool_free(&pool);
	pool_free(&pop3);
	return fix_end(state);
}

static const char *const deliver_points[] = {
	"deliver-begin",     "deliver-receipt",       "deliver-content",
	"deliver-chunk",     "deliver-claim",         "deliver-box",
	"deliver-mail",      "deliver-commit",        "deliver-commit-unread",
	"deliver-upload",    "deliver-upload-unread", "deliver-uploaded",
	"deliver-committed", "limit-charge",
};

enum { DELIVER_POINTS = sizeof(deliver_points) / sizeof(*deliver_points) };

/* A small mail meets no upload point, a big one not all of the others. */
static bool meets(const char *point, bool big, bool key)
{
	if (strncmp(point, "deliver-upload", 14) == 0 ||
	    strcmp(point, "deliver-claim") == 0)
		return big;
	if (strcmp(point, "deliver-receipt") == 0)
		return key;
	if (strcmp(point, "limit-charge") == 0)
		return key;
	return (strcmp(point, "deliver-chunk") != 0 &&
		strcmp(point, "deliver-content") != 0) ||
	       !big;
}

/* A mail with a key is charged, too, to an address of the key's name. */
static bool charge_to(struct mailing *g, const char *subject, uint64_t most)
{
	const struct charge c = {
		.usage = { .key = { span_of(subject), LIMIT_OUT, 3600 },
			   .add = { 1, 2, 100 },
			   .most = { most, UINT64_MAX, UINT64_MAX },
			   .near = { 1, UINT64_MAX, UINT64_MAX } }
	};

	return charges_add(&g->charges, &c);
}

static uint64_t charged(const char *subject)
{
	return fix_number("SELECT COALESCE(SUM(messages), 0) FROM limit_usage"
			  " WHERE subject = '%s'",
			  subject);
}

static bool make(struct mailing *g, bool big, const char *key, uint64_t a,
		 uint64_t b)
{
	static char text[1500000];

	if (!mailing_make(g, span_make(text, big ? sizeof(text) : 4000), key))
		return false;
	if (key && !charge_to(g, key, 1))
		return false;
	mailing_to(g, a);
	mailing_to(g, b);
	return true;
}

static uint64_t copies(uint64_t a, uint64_t b)
{
	return fix_number("SELECT COUNT(*) FROM mail WHERE mailbox_id IN"
			  " (%llu, %llu)",
			  (unsigned long long)a, (unsigned long long)b);
}

static void boxes(const char *name, size_t i, uint64_t *a, uint64_t *b)
{
	char address[64];

	snprintf(address, sizeof(address), "%s-a%zu@example.org", name, i);
	*a = fix_box(address);
	snprintf(address, sizeof(address), "%s-b%zu@example.org", name, i);
	*b = fix_box(address);
}

static void cut_at(size_t i, bool big, bool keyed, const char *name)
{
	const char *point = deliver_points[i];
	struct mailing g;
	uint64_t a, b;
	char key[16];

	if (!meets(point, big, keyed))
		return;
	boxes(name, i, &a, &b);
	snprintf(key, sizeof(key), "%s%zu", name, i);
	assert_true(make(&g, big, keyed ? key : NULL, a, b));
	fix_fault(point, "fail");
	if (mailing_send(&g, pool, 20000) != DELIVER_OK)
		fail_msg("%s: %s", point, buf_cstr(&g.why));
	assert_true(fix_fault_met(point));
	assert_int_equal(copies(a, b), 2);
	for (size_t k = 0; k < 2; k++) {
		/* also after a settled COMMIT the uids are known */
		assert_int_equal(g.t[k].uid_r, 16777216);
		assert_false(g.t[k].duplicate_r);
	}
	if (keyed) {
		/* the limit is 1: it was charged once, and told so once */
		assert_int_equal(charged(key), 1);
		assert_int_equal(g.charges.v[0].usage.told_r,
				 LIMIT_NOTICED_NEAR | LIMIT_NOTICED_FULL);
	}
	mailing_release(&g);
	mailing_check_store(0);
}

static void a_cut_connection_costs_nothing_and_doubles_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < DELIVER_POINTS; i++) {
		cut_at(i, false, true, "sk");
		cut_at(i, false, false, "sn");
		cut_at(i, true, true, "bk");
		cut_at(i, true, false, "bn");
	}
}

/* The one call of a plain mail: its answer is lost after the commit, or the
 * connection before. */
static void plain_cut_at(const char *point, const char *key)
{
	struct mailing g;
	uint64_t a, b;

	boxes(point, key ? 1 : 0, &a, &b);
	assert_true(mailing_make(&g, SPAN_LIT("Subject: x\r\n\r\n"), key));
	mailing_to(&g, a);
	fix_fault(point, "fail");
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	assert_true(fix_fault_met(point));
	assert_int_equal(copies(a, b), 1);
	assert_int_equal(fix_number("SELECT messages FROM mailbox WHERE"
				    " mailbox_id = %llu",
				    (unsigned long long)a),
			 1);
	mailing_release(&g);
	mailing_check_store(0);
}

static void a_plain_mail_whose_answer_is_lost_is_stored_once(void **state)
{
	(void)state;
	plain_cut_at("deliver-plain-unread", "plain");
	plain_cut_at("deliver-plain-unread", NULL);
	plain_cut_at("deliver-plain", "plain-begin");
	plain_cut_at("deliver-plain", NULL);
}

/* One mailbox and a charge: a call, the charge and COMMIT. */
static void a_plain_mail_that_is_charged_is_stored_once(void **state)
{
	static const char *const points[] = {
		"deliver-plain",  "deliver-begin",         "limit-charge",
		"deliver-commit", "deliver-commit-unread", "deliver-committed",
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(points) / sizeof(*points); i++) {
		const char *point = points[i / 2];
		struct mailing g;
		char name[64];
		uint64_t a;

		snprintf(name, sizeof(name), "one%zu@example.org", i);
		a = fix_box(name);
		assert_true(mailing_make(&g, SPAN_LIT("Subject: x\r\n\r\n"),
					 i % 2 ? name : NULL));
		assert_true(charge_to(&g, name, 1));
		mailing_to(&g, a);
		fix_fault(point, "fail");
		assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
		assert_true(fix_fault_met(point));
		assert_int_equal(copies(a, a), 1);
		assert_int_equal(charged(name), 1);
		assert_int_equal(g.t[0].uid_r, 16777216);
		mailing_release(&g);
	}
	mailing_check_store(0);
}

/* The same when another copy of the mail comes between. */
static void a_copy_that_was_faster_is_settled_too(void **state)
{
	struct mailing g, h;
	uint64_t a, b;

	(void)state;
	boxes("faster", 0, &a, &b);
	assert_true(make(&g, false, "faster", a, b));
	assert_true(make(&h, false, "faster", a, b));
	assert_int_equal(mailing_send(&h, pool, 10000), DELIVER_OK);
	assert_int_equal(mailing_send(&g, pool, 10000), DELIVER_OK);
	assert_true(g.t[0].duplicate_r && g.t[1].duplicate_r);
	assert_int_equal(copies(a, b), 2);
	assert_int_equal(charged("faster"), 1);
	mailing_release(&g);
	mailing_release(&h);
}

/* In a child of its own, with connections of its own. */
static void die_at(const char *point, bool big, uint64_t a, uint64_t b,
		   const char *key)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct pool *own = fix_pool(PROG_MILTER, 1);
		struct mailing g;

		if (!make(&g, big, key, a, b))
			_exit(1);
		_exit(mailing_send(&g, own, 10000) == DELIVER_OK ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		fail_msg("%s: not met", point);
}

static bool is_committed(const char *point)
{
	return strcmp(point, "deliver-committed") == 0 ||
	       strcmp(point, "move-committed") == 0;
}

static void killed_at(size_t i, bool big, const char *name)
{
	const char *point = deliver_points[i];
	struct mailing g;
	uint64_t a, b, n;
	char key[16];
	bool sent;

	if (!meets(point, big, true))
		return;
	boxes(name, i, &a, &b);
	snprintf(key, sizeof(key), "%s%zu", name, i);
	fix_fault(point, "die");
	die_at(point, big, a, b, key);
	n = copies(a, b);
	assert_true(n == 0 || n == 2);
	/* COMMIT that was sent comes to its end, or does not, or will */
	sent = strcmp(point, "deliver-commit-unread") == 0;
	if (!sent)
		assert_int_equal(n, is_committed(point) ? 2 : 0);
	/* the MTA tries again, with a new content id */
	assert_true(make(&g, big, key, a, b));
	assert_int_equal(mailing_send(&g, pool, 20000), DELIVER_OK);
	if (!sent)
		assert_int_equal(g.t[0].duplicate_r, n == 2);
	assert_int_equal(copies(a, b), 2);
	assert_int_equal(charged(key), 1);
	mailing_release(&g);
	fix_sql("DELETE FROM chunk WHERE content_id IN (SELECT content_id FROM"
		" content WHERE refs = 0); DELETE FROM content WHERE refs = 0");
	mailing_check_store(0);
}

static void a_killed_process_leaves_all_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < DELIVER_POINTS; i++) {
		killed_at(i, false, "ds");
		killed_at(i, true, "db");
	}
}

struct sending {
	struct mailing g;
	enum deliver_result r;
};

static void *send_in_thread(void *arg)
{
	struct sending *s = arg;

	s->r = mailing_send(&s->g, pool, 20000);
	return NULL;
}

/* All connections of the milter; this thread looks on by another one. */
static unsigned kill_the_milters_connections(void)
{
	static const char *const victim =
		"SELECT COALESCE(MIN(ID), 0) FROM "
		"information_schema.PROCESSLIST"
		" WHERE DB = 'mailrow' AND ID > %llu AND ID <> CONNECTION_ID()";
	uint64_t id = fix_number(victim, 0ULL);
	unsigned killed = 0;

	while (id > 0) {
		killed += fix_try("KILL %llu", (unsigned long long)id);
		id = fix_number(victim, (unsigned long long)id);
	}
	return killed;
}

/* The server ends the connection while a step stalls. */
static void a_connection_killed_by_the_server_is_replayed(void **state)
{
	(void)state;
	for (size_t i = 0; i < DELIVER_POINTS; i++) {
		const char *point = deliver_points[i];
		struct sending s;
		pthread_t thread;
		unsigned killed;
		uint64_t a, b;

		if (!meets(point, false, true))
			continue;
		boxes("kill", i, &a, &b);
		assert_true(make(&s.g, false, point + 8, a, b));
		fix_fault(point, "stall 200");
		assert_int_equal(
			pthread_create(&thread, NULL, send_in_thread, &s), 0);
		for (int k = 0; k < 1000 && !fix_fault_met(point); k++)
			usleep(1000);
		killed = kill_the_milters_connections();
		pthread_join(thread, NULL);
		assert_true(killed > 0);
		assert_int_equal(s.r, DELIVER_OK);
		assert_int_equal(copies(a, b), 2);
		mailing_release(&s.g);
	}
	mailing_check_store(0);
}

static const char *const charge_points[] = {
	"limit-begin",  "limit-slot",          "limit-charge",
	"limit-commit", "limit-commit-unread", "limit-committed",
};

enum { CHARGE_POINTS = sizeof(charge_points) / sizeof(*charge_points) };

/* A mail that stores nothing. The limit is reached by the attempt whose answer
 * is lost, so a second one would be told that it does not fit. */
static void charge_at(const char *point, uint64_t most)
{
	struct mailing g = { .why = BUF_INIT(1024) };
	char subject[64];

	snprintf(subject, sizeof(subject), "%s-%u", point, (unsigned)most);
	assert_true(charge_to(&g, subject, most));
	fix_fault(point, "fail");
	if (charges_commit(pool, &g.charges, deadline_in(20000), &g.why) !=
	    CHARGE_OK)
		fail_msg("%s: %s", point, buf_cstr(&g.why));
	assert_true(fix_fault_met(point));
	assert_int_equal(charged(subject), 1);
	assert_true(g.charges.v[0].usage.told_r & LIMIT_NOTICED_NEAR);
	mailing_release(&g);
}

static void a_charge_without_a_mail_is_made_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHARGE_POINTS; i++)
		for (uint64_t most = 1; most < 3; most++)
			charge_at(charge_points[i], most);
	assert_true(fix_number("SELECT COUNT(*) FROM charge_slot") <= 2);
}

struct charging {
	struct mailing g;
	enum charge_result r;
};

static void *charge_in_thread(void *arg)
{
	struct charging *c = arg;

	c->r = charges_commit(pool, &c->g.charges, deadline_in(20000),
			      &c->g.why);
	return NULL;
}

static void a_charge_killed_by_the_server_is_replayed(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHARGE_POINTS; i++) {
		struct charging c = { .g = { .why = BUF_INIT(1024) } };
		const char *point = charge_points[i];
		pthread_t thread;

		assert_true(charge_to(&c.g, point, 1));
		fix_fault(point, "stall 200");
		assert_int_equal(
			pthread_create(&thread, NULL, charge_in_thread, &c), 0);
		for (int k = 0; k < 1000 && !fix_fault_met(point); k++)
			usleep(1000);
		assert_true(kill_the_milters_connections() > 0);
		pthread_join(thread, NULL);
		assert_int_equal(c.r, CHARGE_OK);
		assert_int_equal(charged(point), 1);
		mailing_release(&c.g);
	}
}

static const char *const move_points[] = {
	"move-begin",  "move-lock",          "move-sizes",
	"move-trash",  "move-delete",        "move-count",
	"move-commit", "move-commit-unread", "move-committed",
};

enum { MOVE_POINTS = sizeof(move_points) / sizeof(*move_points) };

static void a_move_that_is_cut_moves_all_and_counts_once(void **state)
{
	struct db *db = pool_get(pop3, deadline_in(1000));

	(void)state;
	for (size_t i = 0; i < MOVE_POINTS; i++) {
		uint64_t a, b, uid[3], moved;

		boxes("move", i, &a, &b);
		for (size_t k = 0; k < 3; k++)
			uid[k] = mailing_quick(pool, a, "x\r\n");
		fix_fault(move_points[i], "fail");
		if (maildrop_move(db, a, uid, 2, SPAN_LIT("w"), SPAN_LIT("f"),
				  NULL, &moved) != DB_OK)
			fail_msg("%s: %s", move_points[i], db_why(db));
		assert_true(fix_fault_met(move_points[i]));
		assert_int_equal(moved, 2);
		assert_int_equal(copies(a, b), 1);
		mailing_check_store(0);
	}
	pool_put(pop3, &db);
}

static void a_move_whose_process_dies_moves_all_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < MOVE_POINTS; i++) {
		uint64_t a, b, uid[2], moved, left;
		int status = 0;
		pid_t pid;

		boxes("die", i, &a, &b);
		for (size_t k = 0; k < 2; k++)
			uid[k] = mailing_quick(pool, a, "x\r\n");
		fix_fault(move_points[i], "die");
		pid = fork();
		if (pid == 0) {
			struct pool *own = fix_pool(PROG_POP3D, 1);
			struct db *db = pool_get(own, deadline_in(1000));

			_exit(maildrop_move(db, a, uid, 2, SPAN_LIT("w"),
					    SPAN_LIT("f"), NULL,
					    &moved) == DB_OK);
		}
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		left = copies(a, b);
		assert_true(left == 0 || left == 2);
		if (strcmp(move_points[i], "move-commit-unread") != 0)
			assert_int_equal(left,
					 is_committed(move_points[i]) ? 0 : 2);
		mailing_check_store(0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_cut_connection_costs_nothing_and_doubles_nothing),
		cmocka_unit_test(a_plain_mail_that_is_charged_is_stored_once),
		cmocka_unit_test(
			a_plain_mail_whose_answer_is_lost_is_stored_once),
		cmocka_unit_test(a_copy_that_was_faster_is_settled_too),
		cmocka_unit_test(a_killed_process_leaves_all_or_nothing),
		cmocka_unit_test(a_connection_killed_by_the_server_is_replayed),
		cmocka_unit_test(a_charge_without_a_mail_is_made_once),
		cmocka_unit_test(a_charge_killed_by_the_server_is_replayed),
		cmocka_unit_test(a_move_that_is_cut_moves_all_and_counts_once),
		cmocka_unit_test(
			a_move_whose_process_dies_moves_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, start, end);
}
