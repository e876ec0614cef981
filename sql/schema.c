/* sql/schema.c: see schema.h. */
#include "sql/schema.h"

#include <errno.h>
#include <stdio.h>

#include <mysql.h>

#include "sql/dbint.h"
#include "sql/readfile.h"
#include "sql/sqlscan.h"

enum { ERR_NO_SUCH_TABLE = 1146 };

enum db_result schema_state(struct db *db, struct schema_state *s_r)
{
	struct sqlval col[2];
	enum db_result r;
	bool got;

	*s_r = (struct schema_state){ 0 };
	r = db_one(db, Q_SCHEMA_VERSION, NULL, col, &got);
	if (r == DB_OURS && db_errno(db) == ERR_NO_SUCH_TABLE)
		return db_succeed(db);
	if (r != DB_OK)
		return r;
	s_r->installed = true;
	if (got) {
		s_r->complete = true;
		s_r->version = col[0].u;
		s_r->oldest_reader = col[1].u;
	}
	return DB_OK;
}

bool schema_fits(const struct schema_state *s)
{
	return s->complete && s->oldest_reader <= SCHEMA_VERSION &&
	       SCHEMA_VERSION <= s->version;
}

static bool read_file(const char *dir, const char *name, struct buf *sql,
		      struct buf *why)
{
	struct buf path = BUF_INIT(4096);
	bool ok;

	buf_printf(&path, "%s/%s", dir, name);
	ok = readfile(buf_cstr(&path), sql, NULL);
	if (!ok)
		buf_printf(why, "cannot read '%s': %s\n", buf_cstr(&path),
			   strerror(errno));
	buf_release(&path);
	return ok;
}

bool schema_read_install(const char *dir, struct buf *sql, struct buf *why)
{
	return read_file(dir, "schema.sql", sql, why);
}

bool schema_read_step(const char *dir, unsigned version, struct buf *sql,
		      struct buf *why)
{
	char name[64];

	snprintf(name, sizeof(name), "upgrade-%u.sql", version);
	return read_file(dir, name, sql, why);
}

bool schema_read_grants(const char *dir, struct buf *sql, struct buf *why)
{
	return read_file(dir, "grants.sql", sql, why);
}

static bool next_plain(struct span *sql, struct span *statement_r)
{
	struct span from = *sql, piece;
	bool any = false;

	while (sql->n > 0) {
		enum sqlscan_kind kind = sqlscan_next(sql, &piece);

		if (kind == SQLSCAN_OTHER && *piece.p == ';') {
			if (any)
				break;
		} else if (kind != SQLSCAN_BLANK && kind != SQLSCAN_COMMENT) {
			any = true;
			*statement_r = span_make(
				from.p, (size_t)(piece.p - from.p) + piece.n);
		} else if (!any) {
			from = *sql;
		}
	}
	return any;
}

/* What the mysql client calls DELIMITER //: up to the next // is one
 * statement, whatever semicolons it holds. */
bool schema_next_statement(struct span *sql, struct span *statement_r)
{
	struct span mark = SPAN_LIT("DELIMITER //\n");
	struct span end = SPAN_LIT("//\nDELIMITER ;\n");
	struct span at;

	if (!next_plain(sql, statement_r))
		return false;
	if (!span_starts_nocase(*statement_r, mark))
		return true;
	at = span_skip(*statement_r, mark.n);
	statement_r->p = at.p;
	at.n += sql->n + (size_t)(sql->p - (at.p + at.n));
	for (; at.n > 0 && !span_starts_nocase(at, end); at = span_skip(at, 1))
		;
	statement_r->n = (size_t)(at.p - statement_r->p);
	*sql = span_skip(at, end.n);
	return true;
}

enum db_result schema_apply(struct db *db, struct span sql,
			    struct span *failed_r)
{
	struct span statement;
	enum db_result r;

	*failed_r = SPAN_EMPTY;
	while (schema_next_statement(&sql, &statement)) {
		r = db_ready(db);
		if (r == DB_OK)
			r = db_plain(db, statement);
		if (r != DB_OK) {
			*failed_r = statement;
			return r;
		}
	}
	return DB_OK;
}
