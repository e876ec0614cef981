/* ctl/checkpolicy.c: the policy's rows, and whether daemons hear of a change.*/
#include "ctl/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/predicate.h"
#include "policy/refresh.h"
#include "policy/snapshot_make.h"
#include "sql/policydata.h"

static const char subject[] = "policy";

/* Of "table 'a' 'b': what"; b is empty where the key is one name. */
struct key {
	struct span a, b;
};

/* False if a name holds a quote itself. Of account_policy the second is no part
 * of the key: it may hold what it likes. */
static bool take_key(struct span names, bool one, struct key *key_r)
{
	static const char quote = '\'';
	struct span rest, between, what;

	*key_r = (struct key){ SPAN_EMPTY, SPAN_EMPTY };
	if (!span_starts_nocase(names, SPAN_LIT("'")) ||
	    !span_cut(span_skip(names, 1), quote, &key_r->a, &rest))
		return false;
	if (span_starts_nocase(rest, SPAN_LIT(": ")))
		return true;
	return span_cut(rest, quote, &between, &rest) &&
	       span_is(between, " ") &&
	       (one || (span_cut(rest, quote, &key_r->b, &what) &&
			span_starts_nocase(what, SPAN_LIT(": "))));
}

/* As esc_put() wrote it: "\xNN". */
static bool take_escaped(struct span s, char *c_r)
{
	char digits[3] = "", *end;

	if (s.n < 4)
		return false;
	memcpy(digits, s.p + 2, 2);
	*c_r = (char)strtoul(digits, &end, 16);
	return !*end && *c_r >= ' ' && *c_r <= '~';
}

/* For a shell; false: a name that was cut or is not printable, which nobody can
 * type. */
static bool put_name(struct buf *b, struct span shown)
{
	struct span rest = shown;
	bool escaped;
	char c;

	if (shown.n >= 3 && span_is(span_skip(shown, shown.n - 3), "..."))
		return false;
	buf_puts(b, " '");
	for (; rest.n > 0; rest = span_skip(rest, escaped ? 4 : 1)) {
		escaped = rest.p[0] == '\\';
		c = rest.p[0];
		if (escaped && !take_escaped(rest, &c))
			return false;
		buf_putc(b, c);
	}
	buf_puts(b, "'");
	return true;
}

static bool put_one(struct buf *b, const struct key *key)
{
	return put_name(b, key->a);
}

static bool put_pair(struct buf *b, const struct key *key)
{
	return put_name(b, key->a) && put_name(b, key->b);
}

static bool put_default(struct buf *b, const struct key *key)
{
	bool ok = put_name(b, key->a);

	buf_puts(b, " default");
	return ok;
}

/* What this release does not know may be a newer one's, on another node. */
static bool put_mode(struct buf *b, const struct key *key)
{
	return predicate_find(key->a) != PREDICATE_COUNT &&
	       put_default(b, key) && (key->b.n == 0 || put_name(b, key->b));
}

/* The second name is "out 60s"; no verb knows a third direction. */
static bool put_limit(struct buf *b, const struct key *key)
{
	struct span direction, period;

	if (!span_cut(key->b, ' ', &direction, &period) || direction.n == 0 ||
	    !put_name(b, key->a))
		return false;
	buf_printf(b, " %.*s%s", (int)period.n, period.p,
		   span_is(direction, "in") ? " --in" : "");
	return true;
}

/* The tables of a broken row, what takes the row away, and what shows it where
 * it cannot be typed. */
static const struct {
	const char *table, *command;
	bool (*put)(struct buf *b, const struct key *key);
	const char *list;
} tables[] = {
	{ "network ", "network unset", put_one, "network list" },
	{ "access_rule ", "access unset", put_pair, "access list" },
	{ "send_as ", "send-as unset", put_pair, "send-as list" },
	{ "account_policy ", "account policy", put_default, "account policy" },
	{ "policy_limit ", "limit unset", put_limit, "limit show" },
	{ "policy_mode ", "policy mode", put_mode, "policy modes" },
};

/* Left as it is for a line that is not a row's. */
static void row_fix(struct span line, char fix[CHECK_FIX_MAX])
{
	struct buf b = BUF_INIT(CHECK_FIX_MAX - 8);
	struct span table;
	struct key key;
	size_t i;
	bool ok;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		table = span_of(tables[i].table);
		if (!span_starts_nocase(line, table))
			continue;
		buf_puts(&b, tables[i].command);
		ok = take_key(span_skip(line, table.n),
			      tables[i].put == put_default, &key) &&
		     tables[i].put(&b, &key) && buf_ok(&b);
		snprintf(fix, CHECK_FIX_MAX, "mailrow %s",
			 ok ? buf_cstr(&b) : tables[i].list);
	}
	buf_release(&b);
}

static void say_row(struct check *k, enum check_level level, struct span line)
{
	unsigned err = db_errno(check_tool(k)->db);
	char fix[CHECK_FIX_MAX] = "";

	if (err)
		(void)check_db_fix(err, fix);
	row_fix(line, fix);
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
