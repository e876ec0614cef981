/* tests/sql/test_sql_policydata.c: the policy's tables, their triggers, and
 * what a program holds of them. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "policy/refresh.h"
#include "policy/settings.h"
#include "sql/policydata.h"
#include "tests/sql/fixture.h"

enum { PATIENCE_MS = 20000 };

static struct db_target *target;
static struct db *db;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	target = fix_target(PROG_MILTER);
	db = db_new(target);
	return 0;
}

static int end(void **state)
{
	db_free(&db);
	db_target_free(&target);
	return fix_end(state);
}

static int empty(void **state)
{
	static const char *const tables[] = {
		"network",     "policy_mode", "account_policy",
		"access_rule", "send_as",     "policy_limit"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		fix_sql("DELETE FROM %s", tables[i]);
	return 0;
}

static uint64_t generation(void)
{
	uint64_t g;

	if (policydata_generation(db, &g) != DB_OK)
		fail_msg("%s", db_why(db));
	return g;
}

static struct snapshot *read_now(void)
{
	struct buf why = BUF_INIT(10000);
	struct snapshot *s = refresh_read(db, true, &why);

	if (!s)
		fail_msg("%s", buf_cstr(&why));
	buf_release(&why);
	return s;
}

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(span_of(text), true, &a), ADDR_OK);
	return a;
}

static void moves(const char *sql)
{
	uint64_t before = generation();

	fix_sql("%s", sql);
	if (generation() <= before)
		fail_msg("%s", sql);
}

static void every_change_of_a_row_moves_the_generation(void **state)
{
	(void)state;
	moves("INSERT INTO network (network, kind) VALUES ('::1', 'plain')");
	moves("UPDATE network SET kind = 'blocked'");
	moves("DELETE FROM network");
	moves("INSERT INTO policy_mode (predicate, mode) VALUES ('x', 'off')");
	moves("UPDATE policy_mode SET mode = 'shadow'");
	moves("DELETE FROM policy_mode");
	moves("INSERT INTO account_policy (name) VALUES ('*')");
	moves("UPDATE account_policy SET suspended = 1");
	moves("DELETE FROM account_policy");
	moves("INSERT INTO access_rule (scope, sender, action)"
	      " VALUES ('*', '*', 'deny')");
	moves("UPDATE access_rule SET action = 'allow'");
	moves("DELETE FROM access_rule");
	moves("INSERT INTO send_as (login, sender) VALUES ('a@b', '*')");
	moves("UPDATE send_as SET sender = '@c'");
	moves("DELETE FROM send_as");
	moves("INSERT INTO policy_limit (subject, direction, seconds)"
	      " VALUES ('*', 'out', 60)");
	moves("UPDATE policy_limit SET messages = 1");
	moves("DELETE FROM policy_limit");
}

static void a_change_that_is_rolled_back_does_not(void **state)
{
	uint64_t before = generation();

	(void)state;
	fix_sql("START TRANSACTION; INSERT INTO network (network, kind)"
		" VALUES ('::1', 'plain'); ROLLBACK");
	assert_int_equal(generation(), before);
}

static void every_column_arrives(void **state)
{
	const struct addr ann = address("ann@a.example");
	const struct addr joe = address("joe@x.example");
	const struct limit_row *row[LIMITS_MAX];
	struct account_policy p;
	struct policy_modes m;
	struct snapshot *s;
	struct ipaddr ip;

	(void)state;
	fix_sql("INSERT INTO network VALUES ('10.0.0.0/8', 'partner', 'n')");
	fix_sql("INSERT INTO policy_mode VALUES"
		" ('access_denied', 'a.example', 'shadow')");
	fix_sql("INSERT INTO account_policy VALUES ('ann@a.example', 1,"
		" '2040-01-01 00:00:00', 0, 0, 'list', 'c.example', 'internal',"
		" 1, 5000000000, 6000000000, 4000000000)");
	fix_sql("INSERT INTO access_rule VALUES"
		" ('@a.example', '@x.example', 'deny', 'n')");
	fix_sql("INSERT INTO send_as VALUES ('ann@a.example', '@x.example')");
	fix_sql("INSERT INTO policy_limit VALUES"
		" ('@*', 'in', 2678400, 1, NULL, 18446744073709551615)");
	s = read_now();
	assert_int_equal(snapshot_generation(s), generation());
	assert_true(ipaddr_parse(SPAN_LIT("10.9.9.9"), &ip));
	assert_int_equal(snapshot_network(s, &ip), NETWORK_PARTNER);
	snapshot_modes(s, SPAN_LIT("a.example"), &m);
	assert_int_equal(m.mode[predicate_find(SPAN_LIT("access_denied"))],
			 M_SHADOW);
	snapshot_account(s, &ann, 2208988799, &p);
	assert_true(p.suspended && p.require_tls && !p.expired);
	assert_false(p.may_send || p.may_receive);
	assert_int_equal(p.expires_at, 2208988800);
	assert_int_equal(p.relay, RELAY_LIST);
	assert_true(span_is(p.relay_to, "c.example"));
	assert_int_equal(p.accept_from, ACCEPT_INTERNAL);
	assert_int_equal(p.max_size, 5000000000);
	assert_int_equal(p.max_send_size, 6000000000);
	assert_int_equal(p.max_recipients, 4000000000);
	assert_int_equal(snapshot_access(s, &ann, &joe, NULL), ACCESS_DENY);
	assert_true(snapshot_send_as(s, &ann, &joe));
	assert_int_equal(snapshot_limits(s, &ann, LIMIT_IN, row), 1);
	assert_true(span_is(row[0]->subject, "@*"));
	assert_int_equal(row[0]->seconds, 2678400);
	assert_true(row[0]->has_messages && row[0]->messages == 1);
	assert_false(row[0]->has_recipients);
	assert_true(row[0]->has_octets && row[0]->octets == UINT64_MAX);
	snapshot_put(&s);
}

static void what_is_null_is_not_said(void **state)
{
	const struct addr ann = address("ann@a.example");
	struct account_policy p;
	struct snapshot *s;

	(void)state;
	fix_sql("INSERT INTO account_policy (name) VALUES ('ann@a.example')");
	fix_sql("INSERT INTO account_policy (name, max_size, expires_at)"
		" VALUES ('*', 7, '1960-01-01 00:00:00')");
	s = read_now();
	snapshot_account(s, &ann, 1, &p);
	assert_true(p.may_send && p.may_receive && p.expired);
	assert_int_equal(p.max_size, 7);
	snapshot_put(&s);
}

static void a_broken_row_is_named(void **state)
{
	struct buf why = BUF_INIT(10000);

	(void)state;
	fix_sql("INSERT INTO network VALUES ('10.0.0.1/8', 'blocked', '')");
	fix_sql("INSERT INTO send_as VALUES ('Ann@a.example', '*')");
	assert_null(refresh_read(db, true, &why));
	assert_non_null(strstr(buf_cstr(&why), "network '10.0.0.1/8'"));
	assert_non_null(strstr(buf_cstr(&why), "write 'ann@a.example'"));
	assert_non_null(strstr(buf_cstr(&why), "broken rows: 2\n"));
	buf_release(&why);
}

/* Two states that follow one another: all allow and partner, or all deny and
 * blocked. */
enum { PAIRS = 300, READINGS = 200 };

static atomic_bool enough;

static void *flip(void *arg)
{
	bool deny = false;

	(void)arg;
	while (!atomic_load(&enough)) {
		deny = !deny;
		fix_sql("START TRANSACTION;"
			" UPDATE access_rule SET action = '%s';"
			" UPDATE network SET kind = '%s'; COMMIT",
			deny ? "deny" : "allow", deny ? "blocked" : "partner");
	}
	return NULL;
}

static bool is_whole(const struct snapshot *s, bool *deny_r)
{
	const struct addr rcpt = address("r@a.example");
	struct snapshot_size n = snapshot_size(s);
	unsigned denied = 0, blocked = 0;
	char text[64];

	assert_int_equal(n.rules, PAIRS);
	assert_int_equal(n.networks, PAIRS);
	for (unsigned i = 0; i < PAIRS; i++) {
		struct addr from;
		struct ipaddr a;

		snprintf(text, sizeof(text), "s%u@x.example", i);
		from = address(text);
		denied += snapshot_access(s, &rcpt, &from, NULL) == ACCESS_DENY;
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		assert_true(ipaddr_parse(span_of(text), &a));
		blocked += snapshot_network(s, &a) == NETWORK_BLOCKED;
	}
	*deny_r = denied > 0;
	return denied == blocked && (denied == 0 || denied == PAIRS);
}

static void what_is_read_is_never_half_of_a_change(void **state)
{
	unsigned n[2] = { 0, 0 };
	pthread_t thread;

	(void)state;
	for (unsigned i = 0; i < PAIRS; i++) {
		fix_sql("INSERT INTO access_rule VALUES"
			" ('*', 's%u@x.example', 'allow', '')",
			i);
		fix_sql("INSERT INTO network VALUES ('10.0.%u.%u', 'partner',"
			" '')",
			i / 256, i % 256);
	}
	atomic_store(&enough, false);
	assert_int_equal(pthread_create(&thread, NULL, flip, NULL), 0);
	for (unsigned i = 0; i < READINGS; i++) {
		struct snapshot *s = read_now();
		bool deny;

		assert_true(is_whole(s, &deny));
		n[deny]++;
		snapshot_put(&s);
	}
	atomic_store(&enough, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(n[0] > 0 && n[1] > 0);
}

/* The thread of a daemon. */

static struct policy_data *policy;

static void open_settings(void)
{
	struct buf why = BUF_INIT(10000), lines = BUF_INIT(4096);

	buf_printf(&lines, "profile_dir = %s/sql/profiles\n",
		   getenv("top_srcdir"));
	if (!settings_open(fix_conf_with(buf_cstr(&lines)), PROG_MILTER, &why))
		fail_msg("%s", buf_cstr(&why));
	buf_release(&why);
	buf_release(&lines);
}

static uint64_t in_force(void)
{
	struct snapshot *s = snapshot_get(policy);
	uint64_t g = s ? snapshot_generation(s) : 0;

	snapshot_put(&s);
	return g;
}

/* How long it took, in milliseconds. */
static int64_t await(uint64_t want)
{
	int64_t begun = clock_ms();

	while (in_force() != want) {
		struct timespec t = { .tv_nsec = 10000000 };

		if (clock_ms() - begun > PATIENCE_MS)
			fail_msg("generation %llu does not come into force",
				 (unsigned long long)want);
		nanosleep(&t, NULL);
	}
	return clock_ms() - begun;
}

static void a_change_comes_into_force_and_a_broken_row_does_not(void **state)
{
	const struct addr a = address("a@a.example"),
			  b = address("b@b.example");
	struct settings *settings;
	struct snapshot *s;
	uint64_t good;

	(void)state;
	open_settings();
	settings = settings_get();
	policy = settings->judge.policy;
	settings_put(&settings);
	assert_int_equal(in_force(), generation()); /* waits for the first */
	for (unsigned i = 0; i < 3; i++) {
		fix_sql("INSERT INTO access_rule VALUES"
			" ('*', 's%u@x.example', 'deny', '')",
			i);
		print_message("in force after %lld ms\n",
			      (long long)await(generation()));
	}
	good = generation();
	fix_sql("INSERT INTO access_rule VALUES ('*', 'Bad', 'deny', '')");
	fix_sql("INSERT INTO access_rule VALUES ('*', '*', 'deny', '')");
	/* long enough for it to be looked at */
	assert_int_not_equal(generation(), good);
	for (int i = 0; i < 4; i++) {
		(void)poll(NULL, 0, 500);
		assert_int_equal(in_force(), good);
	}
	fix_sql("DELETE FROM access_rule WHERE sender = 'Bad'");
	await(generation());
	s = snapshot_get(policy);
	assert_int_equal(snapshot_access(s, &a, &b, NULL), ACCESS_DENY);
	snapshot_put(&s);
}

#define TEST(f) cmocka_unit_test_setup(f, empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_change_of_a_row_moves_the_generation),
		TEST(a_change_that_is_rolled_back_does_not),
		TEST(every_column_arrives),
		TEST(what_is_null_is_not_said),
		TEST(a_broken_row_is_named),
		TEST(what_is_read_is_never_half_of_a_change),
		TEST(a_change_comes_into_force_and_a_broken_row_does_not),
	};

	return cmocka_run_group_tests(tests, start, end);
}
