/* tests/sql/test_sql_plans.c: no query of a shipped profile reads a panel's
 * table from end to end, whoever is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sql/explain.h"
#include "tests/sql/fixture.h"
#include "tests/sql/panel.h"

/* The tables hold 2,500 rows and more; some are small by nature. */
enum { ROWS_MAX = 100 };

/* Those who are there, those who are not, and what peers may think of. */
static const struct {
	const char *address, *login, *sender;
} asked[] = {
	{ "bob@example.org", "bob@example.org", "bob@example.org" },
	{ "sales@example.org", "bob@example.org", "sales@example.org" },
	{ "keep@example.org", "bob@example.org", "bob@alias.example" },
	{ "@catch.example", "bob@example.org", "sales@alias.example" },
	{ "@alias.example", "c17@example.org", "desk@example.org" },
	{ "u17@d17.example", "u17@d17.example", "a17@d17.example" },
	{ "u17@a17.example", "u17@a17.example", "a17@a17.example" },
	{ "eve@example.org", "eve@example.org", "eve@example.org" },
	{ "eve@elsewhere.example", "eve@elsewhere.example",
	  "eve@elsewhere.example" },
};

enum { ASKED = sizeof(asked) / sizeof(*asked) };

static void set_parts(struct span *value, const char *name)
{
	size_t at = span_find(span_of(name), '@');

	value[PP_LOCAL] = span_make(name, at);
	value[PP_DOMAIN] = span_of(name + at + 1);
}

static void set_values(struct span *value, enum profile_query q, size_t i)
{
	value[PP_ADDRESS] = span_of(asked[i].address);
	value[PP_LOGIN] = span_of(asked[i].login);
	value[PP_SENDER] = span_of(asked[i].sender);
	set_parts(value, q == PQ_LOGIN || q == PQ_STATE ? asked[i].login
			 : q == PQ_SENDER               ? asked[i].sender
							: asked[i].address);
}

static struct db *db_of(const struct panel *p, unsigned q)
{
	return p->db[q == PQ_LOGIN ? PANEL_AUTH : PANEL_MILTER];
}

/* The table that some query reads whole, or NULL. */
static const char *scanned(const struct panel *p, enum profile_query q)
{
	static struct explain e;
	struct span value[PP_COUNT];

	for (size_t i = 0; i < ASKED; i++) {
		set_values(value, q, i);
		if (explain_profile(db_of(p, q), &p->profile->query[q], value,
				    &e) != DB_OK)
			fail_msg("%s: %s: %s", p->name, profile_query_name(q),
				 db_why(db_of(p, q)));
		if (e.full_scan && e.rows >= ROWS_MAX)
			return e.table;
	}
	return NULL;
}

/* What the panels' own indexes cannot serve; the profiles say so. */
static const struct {
	const char *panel;
	enum profile_query q;
} lacking[] = {
	{ "postfixadmin", PQ_LOGIN }, { "ispconfig", PQ_LOGIN },
	{ "ispconfig", PQ_SENDER },   { "ispconfig", PQ_STATE },
	{ "mailcow", PQ_SENDER },     { "froxlor", PQ_STATE },
	{ "froxlor", PQ_LOGIN },      { "froxlor", PQ_SENDER },
};

static bool lacks(const struct panel *p, enum profile_query q)
{
	for (size_t i = 0; i < sizeof(lacking) / sizeof(*lacking); i++)
		if (strcmp(lacking[i].panel, p->name) == 0 && lacking[i].q == q)
			return true;
	return false;
}

static void the_panels_indexes_serve_where_no_other_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < PANELS; i++)
		for (unsigned k = 0; k < PQ_REHASH; k++) {
			enum profile_query q = (enum profile_query)k;
			const char *table = scanned(&panels[i], q);

			if ((table != NULL) != lacks(&panels[i], q))
				fail_msg("%s: %s reads all of %s",
					 panels[i].name, profile_query_name(q),
					 table ? table : "nothing any more");
		}
}

static void analyze(const struct panel *p)
{
	char tables[1000];

	fix_sql("USE panel_%s", p->name);
	snprintf(tables, sizeof(tables), "%s",
		 fix_text("SELECT GROUP_CONCAT(TABLE_NAME) FROM"
			  " information_schema.TABLES WHERE TABLE_SCHEMA ="
			  " DATABASE()"));
	fix_sql("ANALYZE TABLE %s", tables);
}

static void with_the_profiles_own_indexes_all_are_served(void **state)
{
	(void)state;
	for (size_t i = 0; i < PANELS; i++) {
		if (panel_apply(&panels[i], "#+ ") > 0)
			analyze(&panels[i]);
		for (unsigned k = 0; k < PQ_REHASH; k++) {
			enum profile_query q = (enum profile_query)k;
			const char *table = scanned(&panels[i], q);

			if (table)
				fail_msg("%s: %s reads all of %s",
					 panels[i].name, profile_query_name(q),
					 table);
		}
	}
}

static uint64_t rows_read(struct db *db)
{
	static const char sql[] = "SHOW SESSION STATUS WHERE Variable_name IN"
				  " ('Handler_read_next',"
				  " 'Handler_read_rnd_next')";
	struct sqlval col[DB_SITE_COLUMNS];
	uint64_t sum = 0, n;
	bool got;

	assert_int_equal(db_site_run(db, PQ_COUNT, span_of(sql), NULL, 0, 2),
			 DB_OK);
	while (db_site_fetch(db, PQ_COUNT, col, &got) == DB_OK && got)
		if (span_u64(col[1].s, &n))
			sum += n;
	db_site_done(db, PQ_COUNT);
	return sum;
}

static void run_query(const struct panel *p, enum profile_query q, size_t i)
{
	const struct profile_statement *s = &p->profile->query[q];
	struct span value[PP_COUNT];
	struct sqlval param[PROFILE_PARAMS_MAX], col[DB_SITE_COLUMNS];
	struct db *db = db_of(p, q);
	bool got = true;

	set_values(value, q, i);
	for (size_t k = 0; k < s->nparam; k++)
		param[k] = sql_bytes(value[s->param[k]]);
	if (db_site_run(db, q, span_make(s->text, s->n), param, s->nparam, 0) !=
	    DB_OK)
		fail_msg("%s: %s: %s", p->name, profile_query_name(q),
			 db_why(db));
	while (got)
		assert_int_equal(db_site_fetch(db, q, col, &got), DB_OK);
	db_site_done(db, q);
}

/* EXPLAIN tells what the server means to do; this is what it did. */
static void few_rows_are_read_for_an_answer(void **state)
{
	(void)state;
	for (size_t k = 0; k < PANELS; k++)
		for (unsigned q = 0; q < PQ_REHASH; q++)
			for (size_t i = 0; i < ASKED; i++) {
				struct db *db = db_of(&panels[k], q);
				uint64_t before = rows_read(db), after;

				run_query(&panels[k], (enum profile_query)q, i);
				after = rows_read(db);
				if (after - before >= 2 * ROWS_MAX)
					fail_msg("%s: %s for %s: %llu rows",
						 panels[k].name,
						 profile_query_name(
							 (enum profile_query)q),
						 asked[i].address,
						 (unsigned long long)(after -
								      before));
			}
}

static int start(void **state)
{
	int rc = panel_start(state);

	for (size_t i = 0; rc == 0 && i < PANELS; i++)
		analyze(&panels[i]);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_panels_indexes_serve_where_no_other_is_asked_for),
		cmocka_unit_test(with_the_profiles_own_indexes_all_are_served),
		cmocka_unit_test(few_rows_are_read_for_an_answer),
	};

	return cmocka_run_group_tests(tests, start, panel_end);
}
