/* tests/unit/test_profile.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/profile.h"

#define THE_OTHERS                                                             \
	"mailbox_query = SELECT a AS name, 1 AS active FROM m"                 \
	" WHERE a = :address\n"                                                \
	"login_query = SELECT 1\nalias_query =\nsender_query =\n"

static struct profile *parse(const char *text, struct buf *problems)
{
	buf_init(problems, 10000);
	return profile_parse("p.conf", span_of(text), problems);
}

static void a_query_may_go_on_over_lines_with_comments_between(void **state)
{
	struct buf problems;
	struct profile *p =
		parse("# head\n"
		      "accounts = ours\n"
		      "\n"
		      "domain_query =\n"
		      "    SELECT name, active -- both\n"
		      "# left out\n"
		      "\tFROM d\n"
		      "\n"
		      "    WHERE name = :domain AND x = ':no'\n" THE_OTHERS,
		      &problems);
	const struct profile_statement *s;

	(void)state;
	assert_string_equal(buf_cstr(&problems), "");
	assert_non_null(p);
	s = &p->query[PQ_DOMAIN];
	assert_true(p->ours);
	assert_int_equal(s->line, 4);
	assert_int_equal(s->nparam, 1);
	assert_int_equal(s->param[0], PP_DOMAIN);
	assert_int_equal(s->n, strlen(s->text));
	assert_non_null(strstr(s->text, "WHERE name = ? AND x = ':no'"));
	assert_null(strstr(s->text, "both"));
	assert_null(strstr(s->text, "left out"));
	assert_int_equal(p->query[PQ_MAILBOX].param[0], PP_ADDRESS);
	profile_free(&p);
	assert_null(p);
	buf_release(&problems);
}

static void two_queries_may_be_missing(void **state)
{
	struct buf problems;
	struct profile *p = parse("domain_query = SELECT 1\n"
				  "rehash_query = UPDATE a SET p = :hash\n"
				  " WHERE l = :login AND p = :old\n" THE_OTHERS,
				  &problems);

	(void)state;
	assert_string_equal(buf_cstr(&problems), "");
	assert_non_null(p);
	assert_int_equal(p->query[PQ_STATE].n, 0);
	assert_int_equal(p->query[PQ_REHASH].nparam, 3);
	assert_int_equal(p->query[PQ_REHASH].param[0], PP_HASH);
	assert_int_equal(p->query[PQ_REHASH].param[2], PP_OLD);
	profile_free(&p);
	buf_release(&problems);
}

static void accounts_of_the_site_are_not_ours(void **state)
{
	struct buf problems;
	struct profile *p =
		parse("domain_query = SELECT 1\n" THE_OTHERS, &problems);

	(void)state;
	assert_non_null(p);
	assert_false(p->ours);
	profile_free(&p);
	buf_release(&problems);
}

static void each_mistake_is_told_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *want;
	} row[] = {
		{ "domain_query = SELECT :address\n" THE_OTHERS,
		  "p.conf:1: domain_query knows no parameter ':address'" },
		{ "domain_query =\n SELECT\n  :nonsense\n" THE_OTHERS,
		  "p.conf:3: domain_query knows no parameter ':nonsense'" },
		{ "domain_query = SELECT 1\nrehash_query = SELECT :hash, :old"
		  "\n" THE_OTHERS,
		  "p.conf:2: rehash_query: is not an UPDATE" },
		{ "domain_query = SELECT 1\nrehash_query = UPDATE a SET"
		  " p = :hash\n" THE_OTHERS,
		  "p.conf:2: rehash_query: has no WHERE" },
		{ "domain_query = SELECT 1\nrehash_query = UPDATE a SET"
		  " p = :hash WHERE l = :login\n" THE_OTHERS,
		  "p.conf:2: rehash_query must name :hash and :old" },
		{ "domain_query = SELECT 1\nrehash_query = UPDATE a SET"
		  " p = :hash WHERE p = :old; DELETE FROM a\n" THE_OTHERS,
		  "p.conf:2: rehash_query: is more than one statement" },
		{ "domain_query = SELECT 1\nrehash_query = DELETE FROM a"
		  " WHERE p = :old OR p = :hash\n" THE_OTHERS,
		  "p.conf:2: rehash_query: is not an UPDATE" },
		{ "domain_query = SELECT 1\nlogin_query = SELECT :hash\n",
		  "p.conf:2: login_query knows no parameter ':hash'" },
		{ "domain_query = UPDATE a SET b = 1 WHERE c = "
		  ":domain\n" THE_OTHERS,
		  "p.conf:1: domain_query: is not a SELECT" },
		{ "domain_query = DELETE FROM d\n" THE_OTHERS,
		  "p.conf:1: domain_query: is not a SELECT" },
		{ "domain_query = SELECT 1;\n DROP TABLE d\n" THE_OTHERS,
		  "p.conf:2: domain_query: is more than one statement" },
		{ "domain_query = SELECT 1\ndomain_query = SELECT "
		  "2\n" THE_OTHERS,
		  "p.conf:2: domain_query is set twice (first in line 1)" },
		{ THE_OTHERS, "p.conf: domain_query is missing" },
		{ "domain_query =\n" THE_OTHERS,
		  "domain_query: is not a SELECT" },
		{ "domain_query = SELECT 1\nsender = x\n" THE_OTHERS,
		  "p.conf:2: unknown key 'sender'" },
		{ "alias_query = SELECT :login\ndomain_query = SELECT 1\n"
		  "mailbox_query = SELECT 1\nlogin_query = SELECT 1\n"
		  "sender_query = SELECT :address\n",
		  "p.conf:1: alias_query knows no parameter ':login'" },
		{ "alias_query = SELECT 1\ndomain_query = SELECT 1\n"
		  "mailbox_query = SELECT 1\nlogin_query = SELECT 1\n"
		  "sender_query = SELECT :address\n",
		  "p.conf:5: sender_query knows no parameter ':address'" },
		{ "domain_query = SELECT 1\nalias_query =\n" THE_OTHERS,
		  "p.conf:5: alias_query is set twice (first in line 2)" },
		{ "domain_query = SELECT 1\nnonsense\n" THE_OTHERS,
		  "p.conf:2: not 'key = value'" },
		{ " domain_query = SELECT 1\n" THE_OTHERS,
		  "p.conf:1: continues no setting" },
		{ "= SELECT 1\n" THE_OTHERS, "p.conf:1: no key" },
		{ "accounts = theirs\ndomain_query = SELECT 1\n" THE_OTHERS,
		  "p.conf:1: accounts is not 'ours' or 'site'" },
		{ "accounts = site\naccounts = ours\n"
		  "domain_query = SELECT 1\n" THE_OTHERS,
		  "p.conf:2: accounts is set twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct buf problems;
		struct profile *p = parse(row[i].text, &problems);

		assert_null(p);
		if (!strstr(buf_cstr(&problems), row[i].want))
			fail_msg("wanted '%s', got '%s'", row[i].want,
				 buf_cstr(&problems));
		buf_release(&problems);
	}
}

static void aliases_and_senders_may_be_set_to_nothing(void **state)
{
	struct buf problems;
	struct profile *p =
		parse("domain_query = SELECT 1\nmailbox_query = SELECT 1\n"
		      "login_query = SELECT 1\nalias_query =  \n# none\n"
		      "sender_query = SELECT 1 FROM s WHERE l = :login"
		      " AND s = :sender\n  AND a = :local AND d = :domain\n",
		      &problems);
	const struct profile_statement *s;

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->query[PQ_ALIAS].n, 0);
	s = &p->query[PQ_SENDER];
	assert_int_equal(s->nparam, 4);
	assert_int_equal(s->param[1], PP_SENDER);
	assert_int_equal(s->param[3], PP_DOMAIN);
	profile_free(&p);
	buf_release(&problems);
	p = parse("domain_query = SELECT 1\nmailbox_query = SELECT 1\n"
		  "login_query = SELECT 1\nsender_query =\n",
		  &problems);
	assert_null(p);
	assert_string_equal(buf_cstr(&problems),
			    "p.conf: alias_query is missing\n");
	buf_release(&problems);
	p = parse("domain_query = SELECT 1\nmailbox_query = SELECT 1\n"
		  "login_query =\nalias_query =\nsender_query =\n",
		  &problems);
	assert_null(p);
	assert_non_null(strstr(buf_cstr(&problems), "login_query"));
	buf_release(&problems);
}

static void all_mistakes_are_told_in_one_run(void **state)
{
	struct buf problems;
	struct profile *p =
		parse("x = 1\ny = 2\ndomain_query = SELECT ?\n", &problems);

	(void)state;
	assert_null(p);
	assert_non_null(strstr(buf_cstr(&problems), "p.conf:1: "));
	assert_non_null(strstr(buf_cstr(&problems), "p.conf:2: "));
	assert_non_null(strstr(buf_cstr(&problems), "p.conf:3: "));
	assert_non_null(strstr(buf_cstr(&problems), "login_query is missing"));
	buf_release(&problems);
}

static void a_statement_with_too_many_parameters_is_rejected(void **state)
{
	struct buf text = BUF_INIT(10000), problems;
	struct profile *p;

	(void)state;
	buf_puts(&text, "domain_query = SELECT 1");
	for (int i = 0; i <= PROFILE_PARAMS_MAX; i++)
		buf_puts(&text, ", :domain");
	buf_puts(&text, "\n" THE_OTHERS);
	p = parse(buf_cstr(&text), &problems);
	assert_null(p);
	assert_non_null(strstr(buf_cstr(&problems), "more than 32 parameters"));
	buf_release(&text);
	buf_release(&problems);
}

static void a_nul_in_the_file_is_rejected(void **state)
{
	struct buf problems = BUF_INIT(1000);

	(void)state;
	assert_null(
		profile_parse("p", SPAN_LIT("accounts = o\0urs\n"), &problems));
	assert_true(problems.n > 0);
	buf_release(&problems);
}

static void the_native_profile_is_right_and_ours(void **state)
{
	struct buf dir = BUF_INIT(1000), problems = BUF_INIT(1000);
	struct profile *p;

	(void)state;
	assert_non_null(getenv("top_srcdir"));
	buf_printf(&dir, "%s/sql/profiles", getenv("top_srcdir"));
	p = profile_load(buf_cstr(&dir), "native", &problems);
	assert_string_equal(buf_cstr(&problems), "");
	assert_non_null(p);
	assert_string_equal(p->name, "native");
	assert_true(p->ours);
	profile_free(&p);
	buf_release(&dir);
	buf_release(&problems);
}

static void the_panels_profiles_are_right_and_theirs(void **state)
{
	static const char *const name[] = { "extmail",      "froxlor",
					    "iredmail",     "ispconfig",
					    "mailcow",      "modoboa",
					    "postfixadmin", "postfixadmin3",
					    "vpopmail",     "vimbadmin" };

	(void)state;
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		struct buf dir = BUF_INIT(1000), problems = BUF_INIT(1000);
		struct profile *p;

		buf_printf(&dir, "%s/sql/profiles", getenv("top_srcdir"));
		p = profile_load(buf_cstr(&dir), name[i], &problems);
		assert_string_equal(buf_cstr(&problems), "");
		assert_non_null(p);
		assert_false(p->ours);
		for (size_t q = 0; q < PQ_COUNT; q++)
			assert_int_equal(p->query[q].n > 0, q != PQ_REHASH);
		profile_free(&p);
		buf_release(&dir);
		buf_release(&problems);
	}
}

static void a_name_with_a_slash_is_no_profile(void **state)
{
	static const char *const bad[] = { "", "../native", "nonexistent" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf problems = BUF_INIT(1000);

		assert_null(profile_load("/tmp", bad[i], &problems));
		assert_true(problems.n > 0);
		buf_release(&problems);
	}
}

static void every_query_has_a_name_and_its_required_columns(void **state)
{
	(void)state;
	for (int q = 0; q < PQ_COUNT; q++) {
		size_t required, n = 0;
		const char *const *name =
			profile_columns((enum profile_query)q, &required);

		while (name[n])
			n++;
		assert_int_equal(required > 0, q != PQ_REHASH);
		assert_true(required <= n);
		assert_true(strlen(profile_query_name((enum profile_query)q)) >
			    0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_query_may_go_on_over_lines_with_comments_between),
		cmocka_unit_test(two_queries_may_be_missing),
		cmocka_unit_test(accounts_of_the_site_are_not_ours),
		cmocka_unit_test(each_mistake_is_told_with_file_and_line),
		cmocka_unit_test(aliases_and_senders_may_be_set_to_nothing),
		cmocka_unit_test(all_mistakes_are_told_in_one_run),
		cmocka_unit_test(
			a_statement_with_too_many_parameters_is_rejected),
		cmocka_unit_test(a_nul_in_the_file_is_rejected),
		cmocka_unit_test(the_native_profile_is_right_and_ours),
		cmocka_unit_test(the_panels_profiles_are_right_and_theirs),
		cmocka_unit_test(a_name_with_a_slash_is_no_profile),
		cmocka_unit_test(
			every_query_has_a_name_and_its_required_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
