/* sql/dbsite.c: statements of the site's own profile. Their values travel as
 * text in utf8mb4, not as binary strings: compared with a binary string, an
 * index on a text column could not be used. */
#include <stdlib.h>

#include <mysql.h>

#include "lib/log.h"
#include "sql/dbint.h"

static struct site_stmt *site_of(struct db *db, unsigned slot)
{
	if (slot >= DB_SITE_SLOTS)
		log_panic("no site statement %u", slot);
	return &db->site[slot];
}

/* Another profile (after a reload): the old statement is forgotten. */
static enum db_result keep_text(struct db *db, struct site_stmt *site,
				struct span text)
{
	char *copy;

	if (site->text && span_eq(span_make(site->text, site->n), text))
		return DB_OK;
	copy = malloc(text.n + 1);
	if (!copy)
		return db_fail_text(db, DB_DOWN, "out of memory");
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	stmt_release(&site->s);
	free(site->text);
	site->text = copy;
	site->n = text.n;
	return DB_OK;
}

/* False: no memory. */
static bool keep_names(struct site_stmt *site)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(site->s.h);
	MYSQL_FIELD *field;

	memset(site->name, 0, sizeof(site->name));
	if (!meta)
		return false;
	field = mysql_fetch_fields(meta);
	for (size_t i = 0; i < site->s.ncol && i < DB_SITE_COLUMNS; i++)
		snprintf(site->name[i], sizeof(site->name[i]), "%s",
			 field[i].name);
	mysql_free_result(meta);
	site->s.fresh = false;
	return true;
}

enum db_result db_site_run(struct db *db, unsigned slot, struct span text,
			   const struct sqlval *param, size_t nparam,
			   size_t ncol)
{
	struct site_stmt *site = site_of(db, slot);
	struct stmt_form f = { .text = text, .nparam = nparam };
	enum db_result r = keep_text(db, site, text);

	if (r == DB_OK)
		r = stmt_run(db, &site->s, &f, param);
	if (r != DB_OK || ncol == 0 || site->s.ncol == ncol)
		return r;
	stmt_end(db, &site->s);
	return db_fail_text(db, DB_OURS, "statement has %zu columns, not %zu",
			    site->s.ncol, ncol);
}

enum db_result db_site_fetch(struct db *db, unsigned slot, struct sqlval *col,
			     bool *got)
{
	return stmt_fetch(db, &site_of(db, slot)->s, col, got);
}

void db_site_done(struct db *db, unsigned slot)
{
	stmt_end(db, &site_of(db, slot)->s);
}

static enum db_result site_prepare(struct db *db, struct site_stmt *site,
				   struct span text)
{
	struct stmt_form f = { .text = text };
	enum db_result r = keep_text(db, site, text);

	if (r != DB_OK || site->s.h)
		return r;
	r = db_ready(db);
	if (r == DB_OK)
		r = stmt_prepare(db, &site->s, &f);
	if (r == DB_DOWN)
		db_close(db);
	return r;
}

enum db_result db_site_columns(struct db *db, unsigned slot, struct span text,
			       char (*name_r)[64], size_t max, size_t *n_r)
{
	struct site_stmt *site = site_of(db, slot);
	enum db_result r = site_prepare(db, site, text);

	*n_r = 0;
	if (r != DB_OK)
		return r;
	if (site->s.ncol > 0 && site->s.fresh && !keep_names(site)) {
		db_close(db);
		return db_fail_text(db, DB_DOWN, "out of memory");
	}
	if (site->s.ncol > max)
		return db_fail_text(db, DB_OURS, "statement has %zu columns",
				    site->s.ncol);
	memcpy(name_r, site->name, site->s.ncol * sizeof(*name_r));
	*n_r = site->s.ncol;
	return DB_OK;
}
