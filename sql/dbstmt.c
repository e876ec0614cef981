/* sql/dbstmt.c: one prepared statement: typed values in, views out. */
#include <stdlib.h>

#include <mysql.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "sql/dbint.h"

enum {
	ERR_NEED_REPREPARE = 1615,
	ERR_UNKNOWN_STMT = 1243,
	ERR_CLIENT_MEMORY = 2008,
	COLUMN_SIZE_FIRST = 128,
	STALE_MS = 1000
};

/* The library takes pointers to what it only reads as void *. */
static void *unconst(const void *p)
{
	void *q;

	memcpy(&q, &p, sizeof(q));
	return q;
}

static enum db_result stmt_fail(struct db *db, struct stmt *s)
{
	return db_fail(db, mysql_stmt_errno(s->h), mysql_stmt_error(s->h));
}

void stmt_release(struct stmt *s)
{
	if (s->h)
		mysql_stmt_close(s->h);
	for (size_t i = 0; s->col && i < s->ncol; i++)
		free(s->col[i].p);
	free(s->col);
	free(s->bind);
	*s = (struct stmt){ 0 };
}

static void bind_column(struct stmt *s, size_t i, char letter)
{
	struct stmt_column *c = &s->col[i];
	MYSQL_BIND *b = &s->bind[i];

	b->is_null = &c->null;
	b->length = &c->n;
	if (letter == 'u') {
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->is_unsigned = 1;
		b->buffer = &c->u;
		b->buffer_length = sizeof(c->u);
		return;
	}
	b->buffer_type = letter == 'b' ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
	b->buffer = c->p;
	b->buffer_length = c->size;
}

static bool grow_column(struct stmt *s, size_t i, unsigned long n)
{
	struct stmt_column *c = &s->col[i];
	char *p;

	if (n > STMT_VALUE_MAX)
		return false;
	n = (n + 4095) / 4096 * 4096;
	p = realloc(c->p, n);
	if (!p)
		return false;
	c->p = p;
	c->size = n;
	s->bind[i].buffer = p;
	s->bind[i].buffer_length = n;
	s->stale = true;
	return true;
}

static bool bind_columns(struct stmt *s, const char *results)
{
	s->col = calloc(s->ncol, sizeof(*s->col));
	s->bind = calloc(s->ncol, sizeof(*s->bind));
	if (!s->col || !s->bind)
		return false;
	for (size_t i = 0; i < s->ncol; i++) {
		char letter = results ? results[i] : 's';

		if (letter != 'u') {
			s->col[i].p = malloc(COLUMN_SIZE_FIRST);
			if (!s->col[i].p)
				return false;
			s->col[i].size = COLUMN_SIZE_FIRST;
		}
		bind_column(s, i, letter);
	}
	s->stale = s->ncol > 0;
	return true;
}

enum db_result stmt_prepare(struct db *db, struct stmt *s,
			    const struct stmt_form *f)
{
	enum db_result r;

	if (s->h)
		return DB_OK;
	s->h = mysql_stmt_init(db->my);
	if (!s->h)
		return db_fail(db, ERR_CLIENT_MEMORY, "");
	if (mysql_stmt_prepare(s->h, f->text.p, f->text.n)) {
		r = stmt_fail(db, s);
		stmt_release(s);
		return r;
	}
	s->nparam = mysql_stmt_param_count(s->h);
	s->ncol = mysql_stmt_field_count(s->h);
	s->fresh = true;
	r = DB_OK;
	if (s->nparam > STMT_PARAMS_MAX || s->ncol > DB_COLUMNS_MAX ||
	    (f->results && s->ncol != strlen(f->results)))
		r = db_fail_text(db, DB_OURS,
				 "statement has %zu parameters, %zu columns",
				 s->nparam, s->ncol);
	else if (s->ncol > 0 && !bind_columns(s, f->results))
		r = db_fail(db, ERR_CLIENT_MEMORY, "");
	if (r != DB_OK)
		stmt_release(s);
	return r;
}

static void bind_param(MYSQL_BIND *b, const struct sqlval *v, char letter)
{
	bool number = letter == 'u';

	if (v->type == SQLVAL_NULL) {
		b->buffer_type = MYSQL_TYPE_NULL;
		return;
	}
	if (number != (v->type == SQLVAL_U64))
		log_panic("value of the wrong type for a statement");
	if (number) {
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->is_unsigned = 1;
		b->buffer = unconst(&v->u);
		return;
	}
	b->buffer_type = letter == 'b' ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
	b->buffer = unconst(v->s.p);
	b->buffer_length = v->s.n;
}

static bool bind_values(struct stmt *s, const struct stmt_form *f,
			const struct sqlval *param)
{
	MYSQL_BIND bind[STMT_PARAMS_MAX];

	if (s->nparam > 0) {
		memset(bind, 0, s->nparam * sizeof(*bind));
		for (size_t i = 0; i < s->nparam; i++)
			bind_param(&bind[i], &param[i],
				   f->params ? f->params[i] : 's');
		if (mysql_stmt_bind_param(s->h, bind))
			return false;
	}
	if (s->stale && mysql_stmt_bind_result(s->h, s->bind))
		return false;
	s->stale = false;
	return true;
}

static enum db_result execute(struct db *db, struct stmt *s,
			      const struct stmt_form *f,
			      const struct sqlval *param)
{
	enum db_result r = stmt_prepare(db, s, f);

	if (r != DB_OK)
		return r;
	if (s->nparam != f->nparam)
		return db_fail_text(db, DB_OURS,
				    "statement has %zu parameters, not %zu",
				    s->nparam, f->nparam);
	if (!bind_values(s, f, param) || mysql_stmt_execute(s->h))
		return stmt_fail(db, s);
	if (s->ncol > 0) {
		s->open = true;
		db->open = s;
	} else {
		db->affected = mysql_stmt_affected_rows(s->h);
		db->insert_id = mysql_stmt_insert_id(s->h);
	}
	return db_succeed(db);
}

/* The server forgot the statement, or its tables changed: made again, once. */
static enum db_result execute_current(struct db *db, struct stmt *s,
				      const struct stmt_form *f,
				      const struct sqlval *param)
{
	enum db_result r = execute(db, s, f, param);

	if (r == DB_OK ||
	    (db->err != ERR_NEED_REPREPARE && db->err != ERR_UNKNOWN_STMT))
		return r;
	stmt_release(s);
	return execute(db, s, f, param);
}

static enum db_result run_once(struct db *db, struct stmt *s,
			       const struct stmt_form *f,
			       const struct sqlval *param)
{
	enum db_result r = db_ready(db);

	if (r == DB_OK)
		r = execute_current(db, s, f, param);
	if (r == DB_DOWN)
		db_close(db);
	return r;
}

static enum db_result note_in_tx(struct db *db, enum db_result r)
{
	if (!db->in_tx)
		return r;
	db->tx_used = true;
	if (r == DB_RETRY || r == DB_DOWN) {
		db->tx_broken = true;
		db->tx_result = r;
	}
	return r;
}

/* A connection that the server closed while it lay idle is noticed by the next
 * statement. It costs one new connection and no failure, as long as nothing
 * of a transaction is lost with it: every statement outside a transaction may
 * be repeated. What took long is not idleness. */
enum db_result stmt_run(struct db *db, struct stmt *s,
			const struct stmt_form *f, const struct sqlval *param)
{
	bool reused = db->my && !db->tx_used && !db->connecting;
	int64_t start = clock_ms();
	enum db_result r;

	if (db->open)
		log_panic("rows of another statement are not taken yet");
	if (db->in_tx && db->tx_broken)
		return db->tx_result;
	r = run_once(db, s, f, param);
	if (r == DB_DOWN && reused && clock_ms() - start < STALE_MS)
		r = run_once(db, s, f, param);
	return note_in_tx(db, r);
}

/* A value that did not fit is asked for again, into enough room. */
static bool refetch(struct stmt *s, size_t i)
{
	return grow_column(s, i, s->col[i].n) &&
	       !mysql_stmt_fetch_column(s->h, &s->bind[i], (unsigned)i, 0);
}

static enum db_result take_row(struct db *db, struct stmt *s,
			       struct sqlval *col)
{
	for (size_t i = 0; i < s->ncol; i++) {
		struct stmt_column *c = &s->col[i];

		if (c->null) {
			col[i] = sql_null();
		} else if (!c->p) {
			col[i] = sql_u64(c->u);
		} else {
			if (c->n > c->size && !refetch(s, i))
				return db_fail(db, ERR_CLIENT_MEMORY, "");
			col[i] = sql_bytes(span_make(c->p, c->n));
		}
	}
	if (s->stale && mysql_stmt_bind_result(s->h, s->bind))
		return stmt_fail(db, s);
	s->stale = false;
	return DB_OK;
}

static enum db_result fetch(struct db *db, struct stmt *s, struct sqlval *col,
			    bool *got)
{
	int rc = mysql_stmt_fetch(s->h);

	*got = rc == 0 || rc == MYSQL_DATA_TRUNCATED;
	if (*got)
		return take_row(db, s, col);
	if (rc != MYSQL_NO_DATA)
		return stmt_fail(db, s);
	stmt_end(db, s);
	return DB_OK;
}

enum db_result stmt_fetch(struct db *db, struct stmt *s, struct sqlval *col,
			  bool *got)
{
	enum db_result r;

	*got = false;
	if (!s->open)
		return DB_OK;
	r = fetch(db, s, col, got);
	if (r == DB_OK)
		return r;
	*got = false;
	stmt_end(db, s);
	if (r == DB_DOWN)
		db_close(db);
	return note_in_tx(db, r);
}

void stmt_end(struct db *db, struct stmt *s)
{
	if (!s->open)
		return;
	s->open = false;
	db->open = NULL;
	if (s->h)
		mysql_stmt_free_result(s->h);
}
