/* sql/explain.c: EXPLAIN of a profile's query. */
#include "sql/explain.h"

#include <stdio.h>

#include "lib/buf.h"

/* Where EXPLAIN's columns are; MySQL has some more than MariaDB. */
struct places {
	size_t n, table, type, rows;
};

/* n when there is no column of this name. */
static size_t find_column(char (*name)[64], size_t n, const char *want)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(name[i], want) == 0)
			break;
	return i;
}

static enum db_result find_places(struct db *db, unsigned slot,
				  struct span text, struct places *p)
{
	char name[DB_SITE_COLUMNS][64];
	enum db_result r;

	r = db_site_columns(db, slot, text, name, DB_SITE_COLUMNS, &p->n);
	if (r != DB_OK)
		return r;
	p->table = find_column(name, p->n, "table");
	p->type = find_column(name, p->n, "type");
	p->rows = find_column(name, p->n, "rows");
	return p->table < p->n && p->type < p->n && p->rows < p->n ? DB_OK
								   : DB_OURS;
}

static uint64_t as_number(const struct sqlval *v)
{
	uint64_t n = 0;

	if (v->type == SQLVAL_U64)
		return v->u;
	if (v->type == SQLVAL_BYTES && span_u64(v->s, &n))
		return n;
	return 0;
}

/* "<union1,2>": what the statement itself has made. */
static bool is_derived(const struct sqlval *table)
{
	return table->type == SQLVAL_BYTES && table->s.n > 0 &&
	       *table->s.p == '<';
}

/* The worst one is told. */
static void look_at(const struct sqlval *col, const struct places *p,
		    struct explain *e)
{
	uint64_t rows = as_number(&col[p->rows]);

	if (col[p->type].type != SQLVAL_BYTES ||
	    (!span_is(col[p->type].s, "ALL") &&
	     !span_is(col[p->type].s, "index")))
		return;
	if (is_derived(&col[p->table]) || (e->full_scan && rows <= e->rows))
		return;
	e->full_scan = true;
	e->rows = rows;
	if (col[p->table].type == SQLVAL_BYTES)
		snprintf(e->table, sizeof(e->table), "%.*s",
			 (int)span_head(col[p->table].s, 64).n,
			 col[p->table].s.p);
}

static struct sqlval sample(enum profile_param p)
{
	static const char *const text[PP_COUNT] = {
		[PP_ADDRESS] = "postmaster@example.com",
		[PP_LOCAL] = "postmaster",
		[PP_DOMAIN] = "example.com",
		[PP_LOGIN] = "postmaster@example.com",
		[PP_SENDER] = "postmaster@example.com",
	};

	return sql_bytes(span_of(text[p]));
}

/* The slot after those of the queries themselves. */
enum { EXPLAIN_SLOT = DB_SITE_SLOTS - 1 };

static enum db_result run(struct db *db, const struct profile_statement *s,
			  const struct span *value, struct span text,
			  const struct places *p, struct explain *e)
{
	struct sqlval param[PROFILE_PARAMS_MAX], col[DB_SITE_COLUMNS];
	enum db_result r;
	bool got = true;
	size_t i;

	for (i = 0; i < s->nparam; i++)
		param[i] = value ? sql_bytes(value[s->param[i]])
				 : sample(s->param[i]);
	r = db_site_run(db, EXPLAIN_SLOT, text, param, s->nparam, p->n);
	while (r == DB_OK && got) {
		r = db_site_fetch(db, EXPLAIN_SLOT, col, &got);
		if (r == DB_OK && got)
			look_at(col, p, e);
	}
	db_site_done(db, EXPLAIN_SLOT);
	return r;
}

enum db_result explain_profile(struct db *db, const struct profile_statement *s,
			       const struct span *value, struct explain *e_r)
{
	struct buf text = BUF_INIT(1 << 16);
	struct places p;
	enum db_result r = DB_OURS;

	*e_r = (struct explain){ .full_scan = false };
	buf_puts(&text, "EXPLAIN ");
	buf_put(&text, s->text, s->n);
	if (buf_ok(&text))
		r = find_places(db, EXPLAIN_SLOT, buf_span(&text), &p);
	if (r == DB_OK)
		r = run(db, s, value, buf_span(&text), &p, e_r);
	buf_release(&text);
	return r;
}
