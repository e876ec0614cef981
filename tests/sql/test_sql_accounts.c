/* tests/sql/test_sql_accounts.c: the site's tables as facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/log.h"
#include "sql/login.h"
#include "tests/sql/fixture.h"

static struct db_target *target;
static struct db *db;
static struct profile *native;

static int start(void **state)
{
	struct buf why = BUF_INIT(1000), dir = BUF_INIT(1000);

	if (fix_start(state) != 0)
		return -1;
	log_off();
	target = fix_target(PROG_AUTHD);
	db = db_new(target);
	buf_printf(&dir, "%s/sql/profiles", getenv("top_srcdir"));
	native = profile_load(buf_cstr(&dir), "native", &why);
	buf_release(&why);
	buf_release(&dir);
	fix_sql("INSERT INTO domain (name, alias_of, active, created_at) VALUES"
		" ('example.org', NULL, 1, NOW()),"
		" ('off.example', NULL, 0, NOW()),"
		" ('alias.example', 'example.org', 1, NOW())");
	fix_sql("INSERT INTO account (account_id, address, domain, password,"
		" quota, active, smtp, pop3, created_at) VALUES"
		" (7, 'bob@example.org', 'example.org', '{PLAIN}x', 5000, 1,"
		" 1, 0, NOW()),"
		" (8, 'off@example.org', 'example.org', 'h', 0, 0, 1, 1,"
		" NOW()), (9, 'bob@off.example', 'off.example', 'h', 0, 1, 1,"
		" 1, NOW())");
	fix_sql("INSERT INTO alias (address, target, created_at) VALUES"
		" ('list@example.org', 'bob@example.org', NOW()),"
		" ('list@example.org', 'eve@elsewhere.example', NOW()),"
		" ('@example.org', 'bob@example.org', NOW())");
	return native ? 0 : -1;
}

static int end(void **state)
{
	profile_free(&native);
	db_free(&db);
	db_target_free(&target);
	return fix_end(state);
}

static struct addr address_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(span_of(text), true, &a), ADDR_OK);
	return a;
}

static struct domain_facts domain(const struct profile *p, const char *name)
{
	struct domain_facts f;

	accounts_domain(db, p, span_of(name), &f);
	return f;
}

static struct mailbox_facts mailbox(const struct profile *p, const char *name)
{
	struct addr a = address_of(name);
	struct mailbox_facts f;

	accounts_mailbox(db, p, &a, &f);
	return f;
}

static void domains_are_ours_active_or_aliases(void **state)
{
	struct domain_facts f;

	(void)state;
	f = domain(native, "example.org");
	assert_int_equal(f.ours, F_YES);
	assert_int_equal(f.active, F_YES);
	assert_string_equal(f.alias_of, "");
	f = domain(native, "off.example");
	assert_int_equal(f.ours, F_YES);
	assert_int_equal(f.active, F_NO);
	f = domain(native, "alias.example");
	assert_string_equal(f.alias_of, "example.org");
	f = domain(native, "elsewhere.example");
	assert_int_equal(f.ours, F_NO);
	assert_int_equal(f.active, F_NO);
}

static void mailboxes_have_state_quota_and_incarnation(void **state)
{
	struct mailbox_facts f;

	(void)state;
	f = mailbox(native, "bob@example.org");
	assert_int_equal(f.known, F_YES);
	assert_int_equal(f.active, F_YES);
	assert_int_equal(f.quota, 5000);
	assert_string_equal(f.incarnation, "7");
	assert_string_equal(f.name.text, "bob@example.org");
	assert_int_equal(mailbox(native, "off@example.org").active, F_NO);
	assert_int_equal(mailbox(native, "bob@off.example").active, F_NO);
	f = mailbox(native, "eve@example.org");
	assert_int_equal(f.known, F_NO);
	assert_int_equal(f.active, F_NO);
}

static void a_login_tells_hash_and_doors(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	bool more;
	struct addr a = address_of("bob@example.org");
	size_t n;

	(void)state;
	assert_int_equal(login_find(db, native, &a, row, &n, &more), F_YES);
	assert_int_equal(n, 1);
	assert_string_equal(row[0].hash, "{PLAIN}x");
	assert_string_equal(row[0].login.text, "bob@example.org");
	assert_string_equal(row[0].mailbox.text, "bob@example.org");
	assert_true(row[0].state.active && row[0].state.smtp &&
		    !row[0].state.pop3);
	assert_string_equal(row[0].incarnation, "7");
	a = address_of("eve@example.org");
	assert_int_equal(login_find(db, native, &a, row, &n, &more), F_NO);
	assert_int_equal(n, 0);
}

/* What target() was given, with ';' behind each; ends at a text of that. */
struct targets {
	struct buf text;
	const char *last;
};

static bool take_target(void *arg, struct span text)
{
	struct targets *t = arg;

	buf_put_span(&t->text, text);
	buf_putc(&t->text, ';');
	return !t->last || !span_is(text, t->last);
}

static enum fact alias(const struct profile *p, const char *name,
		       struct targets *t)
{
	buf_init(&t->text, 100000);
	t->last = NULL;
	return accounts_alias(db, p, span_of(name), take_target, t);
}

static enum fact sender(const struct profile *p, const char *login,
			const char *name)
{
	struct addr l = address_of(login), s = address_of(name);

	return accounts_sender(db, p, &l, &s);
}

static void an_alias_or_catch_all_has_its_targets_in_order(void **state)
{
	struct targets t;

	(void)state;
	assert_int_equal(alias(native, "list@example.org", &t), F_YES);
	assert_string_equal(buf_cstr(&t.text),
			    "bob@example.org;eve@elsewhere.example;");
	buf_release(&t.text);
	assert_int_equal(alias(native, "@example.org", &t), F_YES);
	assert_string_equal(buf_cstr(&t.text), "bob@example.org;");
	buf_release(&t.text);
	assert_int_equal(alias(native, "bob@example.org", &t), F_NO);
	assert_int_equal(alias(native, "@elsewhere.example", &t), F_NO);
	assert_int_equal(t.text.n, 0);
	t.last = "bob@example.org";
	assert_int_equal(accounts_alias(db, native,
					SPAN_LIT("list@example.org"),
					take_target, &t),
			 F_YES);
	assert_string_equal(buf_cstr(&t.text), "bob@example.org;");
	buf_release(&t.text);
	/* the connection is free for the next question */
	assert_int_equal(mailbox(native, "bob@example.org").known, F_YES);
}

static void a_login_sends_as_itself_and_as_its_aliases(void **state)
{
	(void)state;
	assert_int_equal(sender(native, "bob@example.org", "bob@example.org"),
			 F_YES);
	assert_int_equal(sender(native, "bob@example.org", "list@example.org"),
			 F_YES);
	assert_int_equal(sender(native, "off@example.org", "list@example.org"),
			 F_NO);
	assert_int_equal(sender(native, "bob@example.org", "off@example.org"),
			 F_NO);
	assert_int_equal(sender(native, "eve@elsewhere.example",
				"eve@elsewhere.example"),
			 F_NO);
}

/* A profile of one query worth testing. */
static struct profile *profile_of(const char *mailbox_query,
				  const char *login_query)
{
	struct buf text = BUF_INIT(10000), problems = BUF_INIT(1000);
	struct profile *p;

	buf_printf(&text,
		   "domain_query = SELECT d AS name, 1 AS active FROM site"
		   " WHERE d = :domain\nmailbox_query = %s\n"
		   "login_query = %s\nalias_query =\nsender_query =\n",
		   mailbox_query, login_query);
	p = profile_parse("test", buf_span(&text), &problems);
	if (!p)
		fail_msg("%s", buf_cstr(&problems));
	buf_release(&text);
	buf_release(&problems);
	return p;
}

#define LOGIN_ANY                                                              \
	"SELECT a AS login, a AS mailbox, h AS hash, 1 AS active FROM site"    \
	" WHERE a = :login"

static struct profile *profile_of_two(const char *alias_query,
				      const char *sender_query)
{
	struct buf text = BUF_INIT(10000), problems = BUF_INIT(1000);
	struct profile *p;

	buf_printf(&text,
		   "domain_query = SELECT 1 AS name, 1 AS active\n"
		   "mailbox_query = SELECT 1 AS name, 1 AS active\n"
		   "login_query = %s\nalias_query = %s\nsender_query = %s\n",
		   LOGIN_ANY, alias_query, sender_query);
	p = profile_parse("test", buf_span(&text), &problems);
	if (!p)
		fail_msg("%s", buf_cstr(&problems));
	buf_release(&text);
	buf_release(&problems);
	return p;
}

#define ALIAS_ANY  "SELECT n AS name, t AS target FROM aka WHERE n = :address"
#define SENDER_ANY "SELECT t AS login, n AS sender FROM aka WHERE t = :login"

static void a_profile_may_know_no_aliases_and_senders(void **state)
{
	struct profile *p = profile_of_two("", "");
	struct targets t;

	(void)state;
	assert_int_equal(alias(p, "list@example.org", &t), F_NO);
	assert_int_equal(sender(p, "bob@example.org", "bob@example.org"), F_NO);
	buf_release(&t.text);
	profile_free(&p);
}

static void folding_collations_lend_nobody_an_alias(void **state)
{
	struct profile *p = profile_of_two(ALIAS_ANY, SENDER_ANY);
	struct targets t;

	(void)state;
	fix_sql("CREATE TABLE aka (n VARCHAR(320), t VARCHAR(320), KEY n (n),"
		" KEY t (t)) ENGINE=InnoDB"
		" DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci");
	fix_sql("INSERT INTO aka VALUES ('List@Example.org', ' a@b.example,"
		" c@d.example '), ('l\xc3\xadst@example.org', 'e@f.example'),"
		" ('@Example.org', 'g@h.example'),"
		" ('empty@example.org', '  '), ('empty@example.org', NULL)");
	assert_int_equal(alias(p, "list@example.org", &t), F_YES);
	assert_string_equal(buf_cstr(&t.text), "a@b.example, c@d.example;");
	buf_release(&t.text);
	assert_int_equal(alias(p, "@example.org", &t), F_YES);
	assert_string_equal(buf_cstr(&t.text), "g@h.example;");
	buf_release(&t.text);
	assert_int_equal(alias(p, "empty@example.org", &t), F_NO);
	assert_int_equal(alias(p, "l\xc3\xacst@example.org", &t), F_NO);
	assert_int_equal(t.text.n, 0);
	buf_release(&t.text);
	profile_free(&p);
}

static void a_stored_sender_is_an_address_a_domain_or_any(void **state)
{
	struct profile *p = profile_of_two("", SENDER_ANY);

	(void)state;
	fix_sql("INSERT INTO aka VALUES ('One@Example.org', 'Bob@example.org'),"
		" ('@two.example', 'bob@example.org'),"
		" ('*', 'any@example.org'), (NULL, 'none@example.org'),"
		" ('', 'none@example.org'), ('x', 'none@example.org')");
	assert_int_equal(sender(p, "bob@example.org", "one@example.org"),
			 F_YES);
	assert_int_equal(sender(p, "bob@example.org", "x@two.example"), F_YES);
	assert_int_equal(sender(p, "bob@example.org", "two@example.org"), F_NO);
	assert_int_equal(sender(p, "bob@example.org", "x@one.example"), F_NO);
	assert_int_equal(sender(p,
				"b\xc3\xb3"
				"b@example.org",
				"one@example.org"),
			 F_NO);
	assert_int_equal(sender(p, "any@example.org", "x@y.example"), F_YES);
	assert_int_equal(sender(p, "none@example.org", "x@y.example"), F_NO);
	profile_free(&p);
	p = profile_of_two("", "SELECT t AS login FROM aka WHERE t = :login");
	assert_int_equal(sender(p, "none@example.org", "x@y.example"), F_YES);
	assert_int_equal(sender(p, "eve@example.org", "x@y.example"), F_NO);
	profile_free(&p);
}

/* Half a list would be mail that some never get. */
static void all_targets_of_an_alias_are_given_or_it_is_not_known(void **state)
{
	struct profile *p = profile_of_two(ALIAS_ANY, SENDER_ANY);
	struct targets t;

	(void)state;
	fix_sql("INSERT INTO aka SELECT 'many@example.org',"
		" CONCAT('t', seq, '@x.example') FROM seq_1_to_%d",
		ALIAS_ROWS_MAX);
	assert_int_equal(alias(p, "many@example.org", &t), F_YES);
	buf_release(&t.text);
	fix_sql("INSERT INTO aka VALUES ('many@example.org', 'one@x.example')");
	assert_int_equal(alias(p, "many@example.org", &t), F_TEMP);
	buf_release(&t.text);
	profile_free(&p);
	p = profile_of_two("SELECT n AS name FROM aka WHERE n = :address",
			   "SELECT n AS sender FROM aka WHERE n = :sender");
	assert_int_equal(alias(p, "many@example.org", &t), F_TEMP);
	assert_int_equal(sender(p, "a@example.org", "a@example.org"), F_TEMP);
	buf_release(&t.text);
	profile_free(&p);
}

/* A mistake in the profile is none of the peer's, whatever he asks for. */
static void what_the_tables_cannot_hold_is_not_in_them(void **state)
{
	struct profile *p = profile_of("SELECT 1 AS active, a AS name FROM old"
				       " WHERE a = :address",
				       LOGIN_ANY);

	(void)state;
	fix_sql("CREATE TABLE old (a VARCHAR(255) CHARACTER SET latin1,"
		" b VARCHAR(255) CHARACTER SET utf8mb4 COLLATE"
		" utf8mb4_unicode_ci,"
		" c VARCHAR(255) CHARACTER SET utf8mb4 COLLATE"
		" utf8mb4_general_ci)");
	fix_sql("INSERT INTO old VALUES ('bob@example.org', 'x', 'x')");
	assert_int_equal(mailbox(p, "bob@example.org").known, F_YES);
	assert_int_equal(mailbox(p, "\xd0\xb6@example.org").known, F_NO);
	assert_int_equal(mailbox(p, "\xd0\xb6@example.org").active, F_NO);
	profile_free(&p);
	p = profile_of("SELECT 1 AS active, a AS name FROM old"
		       " WHERE b = c AND b = :address",
		       LOGIN_ANY);
	assert_int_equal(mailbox(p, "bob@example.org").known, F_TEMP);
	assert_int_equal(mailbox(p, "\xd0\xb6@example.org").known, F_TEMP);
	profile_free(&p);
}

static void folding_collations_give_no_other_account(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	bool more;
	struct profile *p = profile_of("SELECT 1 AS active, a AS name FROM site"
				       " WHERE a = :address",
				       LOGIN_ANY);
	struct addr a;
	size_t n;

	(void)state;
	fix_sql("CREATE TABLE site (a VARCHAR(320) NOT NULL, d VARCHAR(255),"
		" h VARCHAR(255), KEY a (a)) ENGINE=InnoDB"
		" DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci");
	fix_sql("INSERT INTO site VALUES ('Bob@Example.org', 'Example.org',"
		" 'h'), ('j\xc3\xb6rg@example.org', 'x.example', 'h')");
	assert_int_equal(mailbox(p, "bob@example.org").known, F_YES);
	assert_int_equal(domain(p, "example.org").ours, F_YES);
	/* the server finds them; they are others */
	assert_int_equal(mailbox(p, "jorg@example.org").known, F_NO);
	a = address_of("jorg@example.org");
	assert_int_equal(login_find(db, p, &a, row, &n, &more), F_NO);
	assert_int_equal(mailbox(p, "j\xc3\xb6rg@example.org").known, F_YES);
	profile_free(&p);
}

/* With fold_local_part = no; what the folding collation finds is another. */
static void accounts_that_differ_in_case_stay_apart(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	bool more;
	struct profile *p = profile_of("SELECT 1 AS active, a AS name FROM site"
				       " WHERE a = :address",
				       LOGIN_ANY);
	struct addr a;
	size_t n;

	(void)state;
	p->keep_case = true;
	assert_int_equal(mailbox(p, "bob@example.org").known, F_NO);
	a = address_of("bob@example.org");
	assert_int_equal(login_find(db, p, &a, row, &n, &more), F_NO);
	assert_int_equal(addr_parse(SPAN_LIT("Bob@example.org"), false, &a),
			 ADDR_OK);
	assert_int_equal(login_find(db, p, &a, row, &n, &more), F_YES);
	assert_int_equal(n, 1);
	assert_string_equal(row[0].mailbox.text, "Bob@example.org");
	profile_free(&p);
}

/* Compared as binary strings, the index of a text column would not be used. */
static void an_index_on_a_text_column_is_used(void **state)
{
	struct profile *p = profile_of("SELECT 1 AS active, a AS name FROM site"
				       " WHERE a = :address",
				       LOGIN_ANY);
	uint64_t before, after;

	(void)state;
	fix_sql("INSERT INTO site SELECT CONCAT(seq, '@fill.example'), 'f',"
		" 'h' FROM seq_1_to_5000");
	before = fix_number("SELECT VARIABLE_VALUE FROM"
			    " information_schema.GLOBAL_STATUS WHERE"
			    " VARIABLE_NAME = 'Rows_read'");
	assert_int_equal(mailbox(p, "4711@fill.example").known, F_YES);
	after = fix_number("SELECT VARIABLE_VALUE FROM"
			   " information_schema.GLOBAL_STATUS WHERE"
			   " VARIABLE_NAME = 'Rows_read'");
	assert_true(after - before < 1000);
	profile_free(&p);
}

static void an_answer_that_cannot_be_read_is_no_answer(void **state)
{
	static const char *const broken[] = {
		"SELECT a AS name, 1 AS active, 'x' AS quota FROM site"
		" WHERE a = :address",
		"SELECT a AS name, 1 AS active, -1 AS quota FROM site"
		" WHERE a = :address",
		"SELECT a AS name, 'yes' AS active FROM site"
		" WHERE a = :address",
		"SELECT a AS name FROM site WHERE a = :address",
		"SELECT a AS name, 1 AS active, 5 AS quotta FROM site"
		" WHERE a = :address",
		"SELECT a AS name, a AS name, 1 AS active FROM site"
		" WHERE a = :address",
		"SELECT a AS name, 1 AS active, REPEAT('x', 65) AS incarnation"
		" FROM site WHERE a = :address",
		"SELECT a AS name, 1 AS active FROM missing"
		" WHERE a = :address",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		struct profile *p = profile_of(broken[i], LOGIN_ANY);
		struct mailbox_facts f = mailbox(p, "bob@example.org");

		assert_int_equal(f.known, F_TEMP);
		assert_int_equal(f.active, F_TEMP);
		profile_free(&p);
	}
}

static void null_means_inactive_and_without_quota(void **state)
{
	struct profile *p =
		profile_of("SELECT a AS name, NULL AS active, NULL AS quota,"
			   " NULL AS incarnation FROM site WHERE a = :address",
			   LOGIN_ANY);
	struct mailbox_facts f = mailbox(p, "bob@example.org");

	(void)state;
	assert_int_equal(f.known, F_YES);
	assert_int_equal(f.active, F_NO);
	assert_int_equal(f.quota, 0);
	assert_string_equal(f.incarnation, "");
	profile_free(&p);
}

static void rows_of_a_login_beyond_the_first_are_left_out(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	bool more;
	struct profile *p = profile_of("SELECT a AS name, 1 AS active FROM site"
				       " WHERE a = :address",
				       LOGIN_ANY);
	struct addr a = address_of("many@example.org");
	size_t n;

	(void)state;
	fix_sql("INSERT INTO site SELECT 'many@example.org', 'd', seq FROM"
		" seq_1_to_%d",
		LOGIN_ROWS_MAX);
	assert_int_equal(login_find(db, p, &a, row, &n, &more), F_YES);
	assert_int_equal(n, LOGIN_ROWS_MAX);
	assert_false(more);
	fix_sql("INSERT INTO site VALUES ('many@example.org', 'd', 'x')");
	assert_int_equal(login_find(db, p, &a, row, &n, &more), F_YES);
	assert_int_equal(n, LOGIN_ROWS_MAX);
	assert_true(more);
	assert_true(row[0].state.active && !row[0].state.expired);
	assert_int_equal(row[0].state.smtp, LOGIN_OPEN);
	assert_int_equal(row[0].state.pop3, LOGIN_OPEN);
	profile_free(&p);
}

static void a_hash_too_long_is_no_wrong_password(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	bool more;
	struct profile *p = profile_of(
		"SELECT a AS name, 1 AS active FROM site WHERE a = :address",
		"SELECT a AS login, a AS mailbox, REPEAT('x', 1025) AS hash,"
		" 1 AS active FROM site WHERE a = :login");
	struct addr a = address_of("bob@example.org");
	size_t n;

	(void)state;
	assert_int_equal(login_find(db, p, &a, row, &n, &more), F_TEMP);
	profile_free(&p);
}

static void a_server_that_is_away_knows_no_no(void **state)
{
	static struct login_row row[LOGIN_ROWS_MAX];
	bool more;
	struct addr a = address_of("bob@example.org");
	struct db_target *t;
	struct db *away;
	struct mailbox_facts mf;
	struct domain_facts df;
	size_t n;

	(void)state;
	fix_option_file("mailrow-authd.cnf",
			"[mailrow-authd]\nsocket=/nonexistent/s\n", 0600);
	t = fix_target(PROG_AUTHD);
	away = db_new(t);
	accounts_mailbox(away, native, &a, &mf);
	assert_int_equal(mf.known, F_TEMP);
	accounts_domain(away, native, SPAN_LIT("example.org"), &df);
	assert_int_equal(df.ours, F_TEMP);
	assert_int_equal(login_find(away, native, &a, row, &n, &more), F_TEMP);
	assert_int_equal(accounts_sender(away, native, &a, &a), F_TEMP);
	assert_int_equal(
		accounts_alias(away, native, addr_span(&a), take_target, NULL),
		F_TEMP);
	db_free(&away);
	db_target_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_ours_active_or_aliases),
		cmocka_unit_test(mailboxes_have_state_quota_and_incarnation),
		cmocka_unit_test(a_login_tells_hash_and_doors),
		cmocka_unit_test(
			an_alias_or_catch_all_has_its_targets_in_order),
		cmocka_unit_test(a_login_sends_as_itself_and_as_its_aliases),
		cmocka_unit_test(a_profile_may_know_no_aliases_and_senders),
		cmocka_unit_test(folding_collations_lend_nobody_an_alias),
		cmocka_unit_test(a_stored_sender_is_an_address_a_domain_or_any),
		cmocka_unit_test(
			all_targets_of_an_alias_are_given_or_it_is_not_known),
		cmocka_unit_test(what_the_tables_cannot_hold_is_not_in_them),
		cmocka_unit_test(folding_collations_give_no_other_account),
		cmocka_unit_test(accounts_that_differ_in_case_stay_apart),
		cmocka_unit_test(an_index_on_a_text_column_is_used),
		cmocka_unit_test(an_answer_that_cannot_be_read_is_no_answer),
		cmocka_unit_test(null_means_inactive_and_without_quota),
		cmocka_unit_test(rows_of_a_login_beyond_the_first_are_left_out),
		cmocka_unit_test(a_hash_too_long_is_no_wrong_password),
		cmocka_unit_test(a_server_that_is_away_knows_no_no),
	};

	return cmocka_run_group_tests(tests, start, end);
}
