/* tests/sql/panel.c: see panel.h. */
#include "tests/sql/panel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/log.h"
#include "sql/readfile.h"
#include "sql/schema.h"
#include "tests/sql/fixture.h"

struct panel panels[PANELS] = {
	{ .name = "native" },        { .name = "postfixadmin" },
	{ .name = "postfixadmin3" }, { .name = "iredmail" },
	{ .name = "ispconfig" },     { .name = "extmail" },
	{ .name = "vimbadmin" },     { .name = "modoboa" },
	{ .name = "vpopmail" },      { .name = "mailcow" },
	{ .name = "froxlor" },
};

static const struct {
	enum program self;
	const char *user;
} users[PANEL_USERS] = {
	[PANEL_MILTER] = { PROG_MILTER, "mailrow-milter" },
	[PANEL_LMTP] = { PROG_LMTPD, "mailrow-lmtp" },
	[PANEL_AUTH] = { PROG_AUTHD, "mailrow-auth" },
	[PANEL_ADMIN] = { PROG_TOOL, "mailrow-admin" },
	[PANEL_PURGE] = { PROG_PURGE, "mailrow-purge" },
};

bool panel_in(const struct panel *p, const char *list)
{
	bool others = *list == '!';
	struct span rest = span_of(others ? list + 1 : list), word;

	if (span_is(rest, "*"))
		return true;
	while (rest.n > 0) {
		span_cut(rest, ' ', &word, &rest);
		if (span_is(word, p->name))
			return !others;
	}
	return others;
}

static const char *tree(const char *folder)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s", getenv("top_srcdir"), folder);
	return path;
}

static void read_text(const char *folder, const char *name, const char *suffix,
		      struct buf *text)
{
	char path[1100];

	snprintf(path, sizeof(path), "%s/%s%s", tree(folder), name, suffix);
	if (!readfile(path, text, NULL))
		fail_msg("cannot read %s", path);
}

static size_t run_all(struct span sql)
{
	struct span statement;
	size_t n = 0;

	for (; schema_next_statement(&sql, &statement); n++)
		fix_sql("%.*s", (int)statement.n, statement.p);
	return n;
}

size_t panel_apply(const struct panel *p, const char *prefix)
{
	struct buf text = BUF_INIT(1 << 18), sql = BUF_INIT(1 << 18);
	struct span rest, line;
	size_t n = strlen(prefix);

	read_text("sql/profiles", p->name, ".conf", &text);
	rest = buf_span(&text);
	while (rest.n > 0) {
		span_cut(rest, '\n', &line, &rest);
		if (!span_eq(span_head(line, n), span_of(prefix)))
			continue;
		buf_put_span(&sql, span_skip(line, n));
		buf_putc(&sql, '\n');
	}
	fix_sql("USE panel_%s", p->name);
	n = run_all(buf_span(&sql));
	buf_release(&text);
	buf_release(&sql);
	return n;
}

static void put_options(const struct panel *p, enum program self,
			const char *user)
{
	const char *group = program_option_group(self);
	struct buf text = BUF_INIT(2000);
	char name[80];

	buf_printf(&text, "[%s-accounts]\nuser=%s\nsocket=%s\n", group, user,
		   getenv("MAILROW_TEST_SOCKET"));
	buf_printf(&text, "database=panel_%s\n%s", p->name,
		   strcmp(user, "root") == 0 ? "" : "password=pw\n");
	snprintf(name, sizeof(name), "%s.cnf", group);
	fix_option_file(name, buf_cstr(&text), 0600);
	buf_release(&text);
}

void panel_options(const struct panel *p, enum panel_user u)
{
	put_options(p, users[u].self, users[u].user);
}

/* A connection whose database is the panel's. */
static struct db_target *target_of(const struct panel *p, enum program self,
				   const char *user)
{
	struct buf why = BUF_INIT(1000);
	struct db_target *t;

	put_options(p, self, user);
	t = db_target_new(fix_conf, self, DB_ACCOUNTS, &why);
	if (!t)
		fail_msg("%s", buf_cstr(&why));
	buf_release(&why);
	return t;
}

/* The product's own tables have their schema and grants elsewhere. */
static void install_native(const struct panel *p)
{
	struct db_target *t = target_of(p, PROG_TOOL, "root");
	struct buf sql = BUF_INIT(1 << 20), why = BUF_INIT(1000);
	struct db *db = db_new(t);
	struct span failed;

	assert_true(schema_read_install(tree("sql"), &sql, &why));
	assert_true(schema_read_grants(tree("sql"), &sql, &why));
	if (schema_apply(db, buf_span(&sql), &failed) != DB_OK)
		fail_msg("%s", db_why(db));
	db_free(&db);
	db_target_free(&t);
	buf_release(&sql);
	buf_release(&why);
}

static void install(const struct panel *p)
{
	struct buf sql = BUF_INIT(1 << 20);

	fix_sql("DROP DATABASE IF EXISTS panel_%s", p->name);
	fix_sql("CREATE DATABASE panel_%s", p->name);
	fix_sql("USE panel_%s", p->name);
	if (strcmp(p->name, "native") == 0)
		install_native(p);
	read_text("tests/sql/panels", p->name, ".sql", &sql);
	run_all(buf_span(&sql));
	buf_release(&sql);
	if (panel_apply(p, "#: ") == 0 && strcmp(p->name, "native") != 0)
		fail_msg("profile %s grants nothing", p->name);
}

static void connect(struct panel *p, enum panel_user u)
{
	p->target[u] = target_of(p, users[u].self, users[u].user);
	p->db[u] = db_new(p->target[u]);
	if (db_connect(p->db[u]) != DB_OK)
		fail_msg("%s: %s", p->name, db_why(p->db[u]));
}

static void load(struct panel *p)
{
	struct buf problems = BUF_INIT(10000);

	p->profile = profile_load(tree("sql/profiles"), p->name, &problems);
	if (!p->profile)
		fail_msg("%s", buf_cstr(&problems));
	buf_release(&problems);
}

int panel_start(void **state)
{
	if (fix_start_empty(state) != 0)
		return -1;
	log_off();
	for (size_t u = 0; u < PANEL_USERS; u++) {
		fix_sql("DROP USER IF EXISTS '%s'@'localhost'", users[u].user);
		fix_sql("CREATE USER '%s'@'localhost' IDENTIFIED BY 'pw'",
			users[u].user);
	}
	for (size_t i = 0; i < PANELS; i++) {
		load(&panels[i]);
		install(&panels[i]);
		for (unsigned u = 0; u < PANEL_USERS; u++)
			connect(&panels[i], (enum panel_user)u);
	}
	return 0;
}

int panel_end(void **state)
{
	for (size_t i = 0; i < PANELS; i++) {
		for (size_t u = 0; u < PANEL_USERS; u++) {
			db_free(&panels[i].db[u]);
			db_target_free(&panels[i].target[u]);
		}
		profile_free(&panels[i].profile);
	}
	return fix_end(state);
}
