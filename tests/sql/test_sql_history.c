/* tests/sql/test_sql_history.c: application passwords, and from where accounts
 * log in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/apppass.h"
#include "sql/history.h"
#include "tests/sql/fixture.h"

enum { DAY = 86400 };

static struct db_target *auth_target, *tool_target;
static struct db *authd, *tool;
static int64_t now;

static int start(void **state)
{
	if (fix_start(state) != 0)
		return -1;
	auth_target = fix_target(PROG_AUTHD);
	tool_target = fix_target(PROG_TOOL);
	authd = db_new(auth_target);
	tool = db_new(tool_target);
	now = (int64_t)fix_number("SELECT UNIX_TIMESTAMP()");
	return 0;
}

static int end(void **state)
{
	db_free(&authd);
	db_free(&tool);
	db_target_free(&auth_target);
	db_target_free(&tool_target);
	return fix_end(state);
}

static void put(const char *login, const char *network, const char *door,
		int64_t at)
{
	struct addr a;
	struct history_login h = { .login = &a,
				   .network = span_of(network),
				   .door = span_of(door),
				   .first_at = at,
				   .last_at = at,
				   .logins = 1 };

	assert_int_equal(addr_parse(span_of(login), true, &a), ADDR_OK);
	assert_int_equal(history_put(authd, &h), DB_OK);
}

static struct history_facts facts(const char *login, const char *network,
				  uint64_t window)
{
	struct history_facts f;

	assert_int_equal(history_facts(tool, span_of(login), span_of(network),
				       window, &f),
			 DB_OK);
	return f;
}

static void networks_in_a_window_are_counted(void **state)
{
	const char *bob = "bob@example.org";

	(void)state;
	put(bob, "192.0.2.0/24", "smtp", now - 3 * DAY);
	put(bob, "192.0.2.0/24", "pop3", now - 10);
	put(bob, "192.0.2.0/24", "pop3", now - 5);
	put(bob, "198.51.100.0/24", "smtp", now - 2 * DAY);
	put(bob, "2001:db8::/64", "smtp", now - 20);
	put("eve@example.org", "203.0.113.0/24", "smtp", now - 20);
	assert_int_equal(facts(bob, "", DAY).networks, 2);
	assert_int_equal(facts(bob, "", 7 * DAY).networks, 3);
	assert_int_equal(facts("eve@example.org", "", DAY).networks, 1);
	assert_int_equal(facts("nobody@example.org", "", DAY).networks, 0);
	assert_int_equal(
		fix_number("SELECT logins FROM login_history WHERE login ="
			   " 'bob@example.org' AND network = '192.0.2.0/24'"
			   " AND door = 'pop3'"),
		2);
}

static void a_network_never_seen_is_told(void **state)
{
	struct history_facts f;

	(void)state;
	f = facts("bob@example.org", "203.0.113.0/24", DAY);
	assert_false(f.known);
	assert_int_equal(f.known_for, 0);
	f = facts("bob@example.org", "192.0.2.0/24", DAY);
	assert_true(f.known);
	assert_true(f.known_for >= 3 * DAY && f.known_for < 4 * DAY);
	assert_false(facts("nobody@example.org", "192.0.2.0/24", DAY).known);
}

/* A batch that comes late, or from another node, does not turn time back. */
static void an_earlier_login_makes_the_first_earlier_only(void **state)
{
	(void)state;
	put("late@example.org", "192.0.2.0/24", "smtp", now - 10);
	put("late@example.org", "192.0.2.0/24", "smtp", now - 100);
	assert_int_equal(
		fix_number("SELECT UNIX_TIMESTAMP(last_at) -"
			   " UNIX_TIMESTAMP(first_at) FROM login_history"
			   " WHERE login = 'late@example.org'"),
		90);
}

static void the_latest_of_an_account_stay(void **state)
{
	char network[32];

	(void)state;
	for (int i = 0; i < HISTORY_ROWS_MAX + 20; i++) {
		snprintf(network, sizeof(network), "10.0.%d.0/24", i);
		put("many@example.org", network, "smtp", now - 1000 + i);
	}
	assert_int_equal(fix_number("SELECT COUNT(*) FROM login_history WHERE"
				    " login = 'many@example.org'"),
			 HISTORY_ROWS_MAX);
	assert_false(facts("many@example.org", "10.0.19.0/24", DAY).known);
	assert_true(facts("many@example.org", "10.0.20.0/24", DAY).known);
	assert_true(facts("bob@example.org", "192.0.2.0/24", DAY).known);
}

static void what_is_old_goes(void **state)
{
	(void)state;
	put("old@example.org", "192.0.2.0/24", "smtp", now - 100 * DAY);
	put("old@example.org", "198.51.100.0/24", "smtp", now - 80 * DAY);
	assert_int_equal(history_age(authd, 90 * DAY), DB_OK);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM login_history WHERE"
				    " login = 'old@example.org'"),
			 1);
	assert_int_equal(history_forget(tool, SPAN_LIT("old@example.org")),
			 NATIVE_OK);
	assert_int_equal(fix_number("SELECT COUNT(*) FROM login_history WHERE"
				    " login = 'old@example.org'"),
			 0);
}

static void hash_of(const char *text, uint8_t hash[APPPASS_HASH_SIZE])
{
	assert_true(apppass_hash(span_of(text), hash));
}

static void an_application_password_is_found_by_its_hash(void **state)
{
	const struct apppass_new made = {
		.login = SPAN_LIT("bob@example.org"),
		.label = SPAN_LIT("phone"),
		.networks = SPAN_LIT("192.0.2.0/24"),
		.incarnation = "7",
		.pop3 = true,
		.seconds = 1000,
	};
	uint8_t hash[APPPASS_HASH_SIZE], other[APPPASS_HASH_SIZE];
	struct apppass a;

	(void)state;
	hash_of("01abc-defgh-jkmnp-qrstv-wxyz00", hash);
	hash_of("01abc-defgh-jkmnp-qrstv-wxyz04", other);
	assert_int_equal(apppass_find(authd, hash, &a), F_NO);
	assert_int_equal(apppass_add(tool, &made, hash), NATIVE_OK);
	assert_int_equal(apppass_add(tool, &made, other), NATIVE_EXISTS);
	assert_int_equal(apppass_find(authd, other, &a), F_NO);
	assert_int_equal(apppass_find(authd, hash, &a), F_YES);
	assert_string_equal(a.login, "bob@example.org");
	assert_string_equal(a.networks, "192.0.2.0/24");
	assert_string_equal(a.incarnation, "7");
	assert_true(a.bound && a.pop3 && !a.smtp && !a.expired);
	fix_sql("UPDATE app_password SET expires_at = UTC_TIMESTAMP(),"
		" incarnation = NULL");
	assert_int_equal(apppass_find(authd, hash, &a), F_YES);
	assert_true(a.expired && !a.bound);
	fix_explain(Q_APP_FIND, "'x'", NULL);

	assert_int_equal(apppass_used(authd, a.id, now, SPAN_LIT("::1")),
			 DB_OK);
	assert_int_equal(apppass_used(authd, a.id, now - 5, SPAN_LIT("::2")),
			 DB_OK);
	assert_string_equal(fix_text("SELECT last_used_from FROM app_password"),
			    "::1");
	assert_int_equal(apppass_revoke(tool, made.login, SPAN_LIT("other")),
			 NATIVE_NONE);
	assert_int_equal(apppass_revoke(tool, made.login, made.label),
			 NATIVE_OK);
	assert_int_equal(apppass_find(authd, hash, &a), F_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_in_a_window_are_counted),
		cmocka_unit_test(a_network_never_seen_is_told),
		cmocka_unit_test(an_earlier_login_makes_the_first_earlier_only),
		cmocka_unit_test(the_latest_of_an_account_stay),
		cmocka_unit_test(what_is_old_goes),
		cmocka_unit_test(an_application_password_is_found_by_its_hash),
	};

	return cmocka_run_group_tests(tests, start, end);
}
