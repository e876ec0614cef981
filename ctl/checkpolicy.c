/* ctl/checkpolicy.c: the policy's rows, and whether daemons hear of a change.*/
#include "ctl/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "policy/refresh.h"
#include "policy/snapshot_make.h"
#include "sql/policydata.h"

static const char subject[] = "policy";

/* The tables of a broken row, and what takes the row away. */
static const struct {
	const char *table, *fix;
} tables[] = {
	{ "network ", "mailrow network unset " },
	{ "access_rule ", "mailrow access unset " },
	{ "send_as ", "mailrow send-as unset " },
	{ "account_policy ", "mailrow account policy " },
	{ "policy_limit ", "mailrow limit show; mailrow limit unset " },
	{ "policy_mode ", "mailrow policy modes" },
};

/* Of "table 'a' 'b': what", "'a' 'b'"; empty if a name holds a quote itself. */
static struct span quoted(struct span names)
{
	size_t n = 0, quotes = 0;

	for (size_t i = 0; i + 1 < names.n && n == 0; i++) {
		quotes += names.p[i] == '\'';
		if (names.p[i] == '\'' && names.p[i + 1] == ':')
			n = i + 1;
	}
	return quotes == 2 || quotes == 4 ? span_head(names, n) : SPAN_EMPTY;
}

static void say_row(struct check *k, enum check_level level, struct span line)
{
	unsigned err = db_errno(check_tool(k)->db);
	char fix[CHECK_FIX_MAX] = "";

	if (err)
		(void)check_db_fix(err, fix);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		struct span table = span_of(tables[i].table);
		struct span names = quoted(span_skip(line, table.n));
		bool wide = tables[i].fix[strlen(tables[i].fix) - 1] == ' ';

		if (!span_starts_nocase(line, table) || (wide && names.n == 0))
			continue;
		(void)snprintf(fix, sizeof(fix), "%s%.*s%s", tables[i].fix,
			       wide ? (int)names.n : 0, names.p,
			       i == 3 ? " default" : "");
	}
	check_say(k, level, subject, fix, "%.*s", (int)line.n, line.p);
}

static void check_rows(struct check *k, struct db *db)
{
	bool fold = check_tool(k)->conf->fold_local_part;
	struct buf why = BUF_INIT(2 * SNAPSHOT_WHY_MAX);
	struct snapshot *s = refresh_read(db, fold, &why);
	struct span line, rest = buf_span(&why);

	while (rest.n > 0) {
		(void)span_cut(rest, '\n', &line, &rest);
		say_row(k, s ? CHECK_WARN : CHECK_FAIL, line);
	}
	if (s) {
		struct snapshot_size n = snapshot_size(s);

		check_say(k, CHECK_OK, subject, "",
			  "generation %" PRIu64 ": %zu networks, %zu modes, "
			  "%zu accounts, %zu rules, %zu grants, %zu limits",
			  snapshot_generation(s), n.networks, n.modes,
			  n.accounts, n.rules, n.grants, n.limits);
	}
	snapshot_put(&s);
	buf_release(&why);
}

enum { TRIGGERS = 18 };

static bool check_triggers(struct check *k, struct db *db)
{
	char fix[CHECK_FIX_MAX];
	struct sqlval col[1];
	bool got;

	if (db_one(db, Q_POLICY_TRIGGERS, NULL, col, &got) != DB_OK || !got) {
		check_say(k, CHECK_FAIL, subject, "",
			  "cannot read the triggers: %s", db_why(db));
		return false;
	}
	if (col[0].u >= TRIGGERS)
		return true;
	(void)snprintf(fix, sizeof(fix),
		       "mailrow schema show | grep -A1 '^CREATE TRIGGER' | "
		       "mariadb --force %s",
		       check_database());
	check_say(k, CHECK_FAIL, subject, fix,
		  "%d triggers of the policy's tables are missing: daemons do "
		  "not hear of a change",
		  TRIGGERS - (int)col[0].u);
	return false;
}

/* A row that is never there. */
static enum db_result change_and_look(struct db *db, uint64_t *before_r,
				      uint64_t *after_r)
{
	const struct sqlval row[] = { sql_bytes(SPAN_EMPTY),
				      sql_bytes(SPAN_LIT("plain")),
				      sql_bytes(SPAN_EMPTY) };
	enum db_result r = db_begin(db);

	if (r == DB_OK)
		r = policydata_generation(db, before_r);
	if (r == DB_OK)
		r = db_run(db, Q_NETWORK_PUT, row);
	if (r == DB_OK)
		r = policydata_generation(db, after_r);
	return r;
}

/* Triggers may be there and fail: their definer is gone, say. */
static void check_generation(struct check *k, struct db *db)
{
	uint64_t before = 0, after = 0;
	char why[512], fix[CHECK_FIX_MAX];
	enum db_result r = change_and_look(db, &before, &after);

	(void)snprintf(why, sizeof(why), "%s", db_why(db));
	db_rollback(db);
	(void)snprintf(fix, sizeof(fix),
		       "mariadb %s -e 'INSERT INTO policy_generation VALUES "
		       "(1, 1)'",
		       check_database());
	if (r != DB_OK)
		check_say(k, CHECK_FAIL, subject, "",
			  "a row of the policy cannot be changed: %s", why);
	else if (before == 0)
		check_say(k, CHECK_FAIL, subject, fix,
			  "the row of policy_generation is gone: daemons do "
			  "not hear of a change");
	else if (after == before)
		check_say(k, CHECK_FAIL, subject, "",
			  "a change does not move policy_generation: daemons "
			  "do not hear of it");
}

void checkpolicy_run(struct check *k)
{
	struct db *db = tool_db_any(check_tool(k));

	if (!db)
		return; /* said by checkdb_run() */
	check_rows(k, db);
	if (check_triggers(k, db))
		check_generation(k, db);
}
