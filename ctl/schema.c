/* ctl/schema.c: mailrow schema ...: the only thing that changes the schema. */
#include "ctl/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "sql/schema.h"

enum { SQL_MAX = 1 << 20 };

static void print_span(struct span s)
{
	fwrite(s.p, 1, s.n, stdout);
}

static int fail_why(int code, struct buf *why)
{
	struct span line = span_trim(buf_span(why));

	return tool_fail(code, "%.*s", (int)line.n, line.p);
}

static int print_sql(struct tool *t,
		     bool (*read)(const char *dir, struct buf *sql,
				  struct buf *why))
{
	struct buf sql = BUF_INIT(SQL_MAX), why = BUF_INIT(4096);
	int code = EX_OK;

	if (read(t->conf->sql_dir, &sql, &why))
		print_span(buf_span(&sql));
	else
		code = fail_why(EX_NOINPUT, &why);
	buf_release(&sql);
	buf_release(&why);
	return code;
}

static int schema_show(struct tool *t, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return print_sql(t, schema_read_install);
}

static int schema_grants(struct tool *t, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return print_sql(t, schema_read_grants);
}

/* The state, or EX_UNAVAILABLE after a message. */
static int read_state(struct tool *t, struct schema_state *s)
{
	struct db *db = tool_db_any(t);

	if (!db)
		return EX_UNAVAILABLE;
	if (schema_state(db, s) != DB_OK)
		return tool_fail(EX_UNAVAILABLE, "cannot read the schema: %s",
				 db_why(db));
	return EX_OK;
}

/* Shows the SQL, then runs it. */
static int apply(struct tool *t, struct span sql)
{
	struct span failed = SPAN_EMPTY;

	print_span(sql);
	fflush(stdout);
	if (schema_apply(t->db, sql, &failed) == DB_OK)
		return EX_OK;
	return tool_fail(EX_SOFTWARE,
			 "the database rejected this statement: %s\n%.*s",
			 db_why(t->db), (int)failed.n, failed.p);
}

/* version 0: the installation; else the step to that version. */
static int apply_file(struct tool *t, unsigned version)
{
	struct buf sql = BUF_INIT(SQL_MAX), why = BUF_INIT(4096);
	const char *dir = t->conf->sql_dir;
	bool ok = version ? schema_read_step(dir, version, &sql, &why)
			  : schema_read_install(dir, &sql, &why);
	int code = ok ? apply(t, buf_span(&sql)) : fail_why(EX_NOINPUT, &why);

	buf_release(&sql);
	buf_release(&why);
	return code;
}

static int schema_install(struct tool *t, int argc, char **argv)
{
	struct schema_state s;
	int code = read_state(t, &s);

	(void)argc;
	(void)argv;
	if (code != EX_OK)
		return code;
	if (s.installed && s.complete)
		return tool_fail(EX_CANTCREAT,
				 "the schema is there, version %" PRIu64
				 "; see mailrow schema status",
				 s.version);
	if (s.installed)
		return tool_fail(EX_CANTCREAT,
				 "an installation was interrupted here; drop "
				 "the database and start again");
	return apply_file(t, 0);
}

static int schema_upgrade(struct tool *t, int argc, char **argv)
{
	struct schema_state s;
	int code = read_state(t, &s);
	unsigned v;

	(void)argc;
	(void)argv;
	if (code != EX_OK)
		return code;
	if (!s.complete)
		return tool_fail(EX_CONFIG, "there is no schema to upgrade; "
					    "first: mailrow schema install");
	for (v = (unsigned)s.version + 1; v <= SCHEMA_VERSION; v++) {
		code = apply_file(t, v);
		if (code != EX_OK)
			return code;
	}
	printf("-- schema version %d\n", SCHEMA_VERSION);
	return EX_OK;
}

static int schema_status(struct tool *t, int argc, char **argv)
{
	struct schema_state s;
	int code = read_state(t, &s);

	(void)argc;
	(void)argv;
	if (code != EX_OK)
		return code;
	if (!s.complete) {
		puts("no schema; next: mailrow schema install");
		return EX_CONFIG;
	}
	printf("version %" PRIu64
	       ", this program needs %d, readers from %" PRIu64 " on\n",
	       s.version, SCHEMA_VERSION, s.oldest_reader);
	if (schema_fits(&s))
		return EX_OK;
	puts(s.version < SCHEMA_VERSION ? "next: mailrow schema upgrade"
					: "this program is too old");
	return EX_CONFIG;
}

const struct verb schema_verbs[] = {
	{ .noun = "schema",
	  .name = "show",
	  .usage = "",
	  .help = "print the SQL of the schema",
	  .run = schema_show },
	{ .noun = "schema",
	  .name = "grants",
	  .usage = "",
	  .help = "print the SQL of the daemons' users and rights",
	  .run = schema_grants },
	{ .noun = "schema",
	  .name = "install",
	  .usage = "",
	  .help = "print it and run it",
	  .run = schema_install },
	{ .noun = "schema",
	  .name = "upgrade",
	  .usage = "",
	  .help = "bring an older schema up to date",
	  .run = schema_upgrade },
	{ .noun = "schema",
	  .name = "status",
	  .usage = "",
	  .help = "the version there and the one needed",
	  .run = schema_status },
	{ .noun = NULL }
};
