/* tests/sql/test_sql_owns.c: whose an address is, over the tables of each
 * panel (panelrows.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "policy/lookup_owns.h"
#include "tests/sql/fixture.h"
#include "tests/sql/panel.h"
#include "tests/sql/panelrows.h"

enum { WAIT_MS = 10000 };

static const char *const fact_text[] = {
	[F_NO] = "no", [F_YES] = "yes", [F_TEMP] = "temp"
};

/* "login sender"; nothing is remembered from before. */
static enum fact owns(struct judge *j, const char *row)
{
	struct span login, sender;
	struct addr l, s;
	struct lookup look;
	enum fact f;

	assert_true(span_cut(span_of(row), ' ', &login, &sender));
	assert_int_equal(addr_parse(login, true, &l), ADDR_OK);
	assert_int_equal(addr_parse(sender, true, &s), ADDR_OK);
	lookup_begin(&look, j, deadline_in(WAIT_MS));
	f = lookup_owns(&look, &l, &s);
	lookup_end(&look);
	return f;
}

static struct judge judge_of(const struct panel *p)
{
	struct judge j = { .conf = fix_conf, .profile = p->profile };

	panel_options(p, PANEL_MILTER);
	j.accounts = pool_new(p->target[PANEL_MILTER], 1);
	j.memory = judge_memory_new();
	assert_non_null(j.accounts);
	assert_non_null(j.memory);
	return j;
}

static void close_judge(struct judge *j)
{
	pool_free(&j->accounts);
	judge_memory_free(&j->memory);
}

static void compare_row(const struct panel *p, struct judge *j,
			const struct row *row)
{
	const char *got = fact_text[owns(j, row->ask)];

	if (strcmp(got, row->want) != 0)
		fail_msg("%s: %s: wanted '%s', got '%s'", p->name, row->ask,
			 row->want, got);
}

static void compare(const struct row *row, size_t n)
{
	for (size_t k = 0; k < PANELS; k++) {
		struct judge j = judge_of(&panels[k]);

		for (size_t i = 0; i < n; i++)
			if (panel_in(&panels[k], row[i].panels))
				compare_row(&panels[k], &j, &row[i]);
		close_judge(&j);
	}
}

#define COMPARE(rows) compare(rows, sizeof(rows) / sizeof(*(rows)))

/* What sender_query says holds; only who is no mailbox is himself, too. */
static void what_the_profile_says_holds(void **state)
{
	(void)state;
	for (size_t k = 0; k < PANELS; k++) {
		struct judge j = judge_of(&panels[k]);

		for (size_t i = 0;
		     i < sizeof(sender_rows) / sizeof(*sender_rows); i++) {
			const struct row *row = &sender_rows[i];

			if (panel_in(&panels[k], row->panels) &&
			    strcmp(row->ask, "eve@example.org eve@example.org"))
				compare_row(&panels[k], &j, row);
		}
		close_judge(&j);
	}
}

static const struct row more_rows[] = {
	{ "*", "bob@example.org bob+box@example.org", "yes" },
	{ "*", "bob@example.org bob-box@example.org", "no" },
	{ "*", "bob@example.org sales+x@example.org", "yes" },
	{ "*", "smtp@example.org sales+x@example.org", "no" },
	{ "*", "smtp@example.org bob+x@example.org", "no" },
	{ "*", "bob@example.org keep+x@example.org", "no" },
	{ "!froxlor", "bob@example.org bob+x@alias.example", "yes" },
	{ "*", "smtp@example.org bob+x@alias.example", "no" },
	{ WITH_ALIAS_DOMAINS, "bob@example.org sales+x@alias.example", "yes" },
	{ WITH_ALIAS_DOMAINS, "bob@example.org keep@alias.example", "no" },
	{ "*", "bob+x@example.org bob@example.org", "no" },
	{ "*", "bob@example.org +x@example.org", "no" },
	{ "ispconfig froxlor", "c17@example.org desk+x@example.org", "yes" },
	{ "ispconfig froxlor", "c17@example.org c17@example.org", "yes" },
	{ "vpopmail", "bob@alias.example bob+x@alias.example", "yes" },
};

static void an_extension_and_an_alias_domain_change_nothing(void **state)
{
	(void)state;
	COMPARE(more_rows);
}

/* Only mail that is for nobody else comes to who is meant without it. */
static void who_has_the_name_of_an_extension_owns_it(void **state)
{
	static const struct row rows[] = {
		{ "native", "bob@example.org bob+eve@example.org", "no" },
		{ "native", "smtp@example.org bob+list@example.org", "yes" },
		{ "native", "bob@example.org bob+list@example.org", "no" },
		{ "native", "bob@example.org bob@chain.example", "yes" },
		{ "native", "bob@example.org bob+x@chain.example", "yes" },
		{ "native", "bob@example.org smtp@chain.example", "no" },
		{ "native", "pop@example.org pop@chain.example", "no" },
		{ "native", "bob@example.org bob@ring.example", "no" },
		{ "native", "bob@example.org bob@idle.example", "no" },
	};

	(void)state;
	fix_sql("USE panel_native");
	fix_sql("INSERT INTO account (address, domain, password, created_at)"
		" VALUES ('bob+eve@example.org', 'example.org', '', NOW()),"
		" ('pop@alias.example', 'alias.example', '', NOW())");
	fix_sql("INSERT INTO alias (address, target, created_at) VALUES"
		" ('bob+list@example.org', 'smtp@example.org', NOW())");
	fix_sql("INSERT INTO domain (name, alias_of, active, created_at) VALUES"
		" ('chain.example', 'alias.example', 1, NOW()),"
		" ('ring.example', 'ring2.example', 1, NOW()),"
		" ('ring2.example', 'ring.example', 1, NOW()),"
		" ('idle.example', 'example.org', 0, NOW())");
	COMPARE(rows);
}

static void aliases_of_our_own_accounts_are_followed(void **state)
{
	static const struct row rows[] = {
		{ "native", "bob@example.org team@example.org", "yes" },
		{ "native", "bob@example.org team+x@example.org", "yes" },
		{ "native", "smtp@example.org team@example.org", "no" },
		{ "native", "bob@example.org fwd@example.org", "no" },
		{ "native", "bob@example.org loop@example.org", "no" },
		{ "native", "bob@example.org far0@example.org", "no" },
		{ "native", "bob@example.org far2@example.org", "yes" },
	};

	(void)state;
	fix_sql("USE panel_native");
	fix_sql("INSERT INTO alias (address, target, created_at) VALUES"
		" ('team@example.org', 'nobody@foreign.example', NOW()),"
		" ('team@example.org', 'sales@example.org', NOW()),"
		" ('fwd@example.org', 'keep@example.org', NOW()),"
		" ('loop@example.org', 'loop2@example.org', NOW()),"
		" ('loop2@example.org', 'loop@example.org', NOW())");
	for (int i = 0; i < 11; i++)
		fix_sql("INSERT INTO alias (address, target, created_at) VALUES"
			" ('far%d@example.org', 'far%d@example.org', NOW())",
			i, i + 1);
	fix_sql("INSERT INTO alias (address, target, created_at) VALUES"
		" ('far11@example.org', 'bob@example.org', NOW())");
	COMPARE(rows);
}

static const struct row walk_rows[] = {
	{ "*", "bob@example.org bob@example.org", "yes" },
	{ "*", "bob@example.org bob+x@example.org", "yes" },
	{ "*", "bob@example.org sales@example.org", "yes" },
	{ "*", "bob@example.org sales+x@example.org", "yes" },
	{ "*", "smtp@example.org sales@example.org", "no" },
	{ "*", "bob@example.org smtp@example.org", "no" },
	{ "*", "bob@example.org keep@example.org", "no" },
	{ "*", "keep@example.org bob@example.org", "no" },
	{ "*", "bob@example.org eve@example.org", "no" },
	{ "*", "bob@example.org any@catch.example", "no" },
	{ "*", "bob@example.org bob@elsewhere.example", "no" },
	{ WITH_ALIAS_DOMAINS, "bob@example.org bob@alias.example", "yes" },
	{ WITH_ALIAS_DOMAINS, "bob@example.org sales@alias.example", "yes" },
	{ WITH_ALIAS_DOMAINS, "smtp@example.org sales@alias.example", "no" },
};

static void without_a_query_the_aliases_tell(void **state)
{
	size_t n[PANELS];

	(void)state;
	for (size_t k = 0; k < PANELS; k++) {
		n[k] = panels[k].profile->query[PQ_SENDER].n;
		assert_true(n[k] > 0);
		panels[k].profile->query[PQ_SENDER].n = 0;
	}
	COMPARE(walk_rows);
	for (size_t k = 0; k < PANELS; k++)
		panels[k].profile->query[PQ_SENDER].n = n[k];
}

static void what_was_good_is_remembered_and_what_was_bad_is_not(void **state)
{
	struct judge j = judge_of(&panels[0]);
	struct db *db;

	(void)state;
	assert_int_equal(owns(&j, "bob@example.org sales@example.org"), F_YES);
	assert_int_equal(owns(&j, "smtp@example.org sales@example.org"), F_NO);
	fix_sql("USE panel_native");
	fix_sql("UPDATE alias SET target = 'smtp@example.org'"
		" WHERE address = 'sales@example.org'"
		" AND target = 'bob@example.org'");
	assert_int_equal(owns(&j, "smtp@example.org sales@example.org"), F_YES);
	fix_sql("UPDATE alias SET target = 'bob@example.org'"
		" WHERE address = 'sales@example.org'"
		" AND target = 'smtp@example.org'");
	db = pool_get(j.accounts, deadline_in(WAIT_MS)); /* the only one */
	assert_non_null(db);
	assert_int_equal(owns(&j, "smtp@example.org sales@example.org"), F_YES);
	pool_put(j.accounts, &db);
	close_judge(&j);
}

static void nobody_can_tell_without_the_database(void **state)
{
	struct judge j = judge_of(&panels[0]);
	struct addr l, s;
	struct lookup look;

	(void)state;
	assert_int_equal(addr_parse(SPAN_LIT("bob@example.org"), true, &l),
			 ADDR_OK);
	assert_int_equal(addr_parse(SPAN_LIT("sales@example.org"), true, &s),
			 ADDR_OK);
	lookup_begin(&look, &j, deadline_in(0));
	assert_int_equal(lookup_owns(&look, &l, &s), F_TEMP);
	assert_int_equal(lookup_owns(&look, &l, &l), F_YES);
	lookup_end(&look);
	close_judge(&j);
}

static int start(void **state)
{
	int r = panel_start(state);

	log_off();
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_profile_says_holds),
		cmocka_unit_test(
			an_extension_and_an_alias_domain_change_nothing),
		cmocka_unit_test(who_has_the_name_of_an_extension_owns_it),
		cmocka_unit_test(aliases_of_our_own_accounts_are_followed),
		cmocka_unit_test(without_a_query_the_aliases_tell),
		cmocka_unit_test(
			what_was_good_is_remembered_and_what_was_bad_is_not),
		cmocka_unit_test(nobody_can_tell_without_the_database),
	};

	return cmocka_run_group_tests(tests, start, panel_end);
}
