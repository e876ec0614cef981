/* sql/db.c: the gateway's face: targets, our own statements, reasons. */
#include "sql/db.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <mysql.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "sql/dberror.h"
#include "sql/dbint.h"
#include "sql/optfile.h"

static const struct query queries[QUERY_COUNT] = {
#define QUERY(id, programs, params, results, text)                             \
	[id] = { #id, (programs), (params), (results), (text) },
#include "sql/queries.def"
#undef QUERY
};

const struct query *db_query(enum query_id q)
{
	return &queries[q];
}

unsigned db_query_programs(enum query_id q)
{
	return queries[q].programs;
}

const char *db_query_name(enum query_id q)
{
	return queries[q].name;
}

#ifndef MARIADB_BASE_VERSION
/* libmysqlclient wants to know each thread; libmilter's threads are not made
 * by us, so each tells by itself. */
static pthread_key_t thread_key;

static void thread_end(void *unused)
{
	(void)unused;
	mysql_thread_end();
}
#endif

void db_library_init(void)
{
	if (mysql_library_init(0, NULL, NULL))
		log_panic("cannot initialise the database client library");
#ifndef MARIADB_BASE_VERSION
	if (pthread_key_create(&thread_key, thread_end))
		log_panic("cannot make a key for the threads");
#endif
}

void db_library_end(void)
{
#ifndef MARIADB_BASE_VERSION
	pthread_key_delete(thread_key);
#endif
	mysql_library_end();
}

void db_thread_ready(void)
{
#ifndef MARIADB_BASE_VERSION
	if (!pthread_getspecific(thread_key) && !mysql_thread_init())
		pthread_setspecific(thread_key, &thread_key);
#endif
}

/* The library says nothing when it cannot read the file. */
static bool user_can_read(struct db_target *t, const struct optfile *o,
			  struct buf *why)
{
	bool ok;

	if (t->self != PROG_PURGE)
		return true;
	dbuser_find(&t->user, o);
	dbuser_become(&t->user);
	ok = faccessat(AT_FDCWD, t->file, R_OK, AT_EACCESS) == 0;
	dbuser_return(&t->user);
	if (!ok)
		buf_printf(why, "user '%s' cannot read '%s'\n", o->user,
			   t->file);
	return ok;
}

static bool target_read(struct db_target *t, enum db_role role, struct buf *why)
{
	struct optfile o;
	char group[sizeof(t->group)];

	snprintf(group, sizeof(group), "%.48s-accounts", t->group);
	if (role == DB_ACCOUNTS) {
		if (!optfile_load(t->file, span_of(group), &o, why))
			return false;
		if (o.has_group) {
			memcpy(t->group, group, sizeof(group));
			t->has_database = o.has_database;
			t->role = DB_ACCOUNTS;
			return user_can_read(t, &o, why);
		}
	}
	if (!optfile_load(t->file, span_of(t->group), &o, why))
		return false;
	t->has_database = o.has_database;
	t->role = DB_STORE;
	return user_can_read(t, &o, why);
}

static unsigned whole_seconds(int64_t ms)
{
	return (unsigned)((ms + 999) / 1000);
}

struct db_target *db_target_new(const struct conf *c, enum program self,
				enum db_role role, struct buf *why)
{
	struct db_target *t = calloc(1, sizeof(*t));
	struct buf file = BUF_INIT(4096);

	if (!t) {
		buf_puts(why, "out of memory\n");
		return NULL;
	}
	snprintf(t->group, sizeof(t->group), "%s", program_option_group(self));
	buf_printf(&file, "%s/%s.cnf", c->option_dir, t->group);
	t->file = strdup(buf_cstr(&file));
	buf_release(&file);
	t->self = self;
	t->connect_timeout = whole_seconds(c->db_connect_timeout);
	t->timeout = whole_seconds(c->db_timeout);
	if (!t->file || !target_read(t, role, why)) {
		db_target_free(&t);
		return NULL;
	}
	t->strict = t->role == DB_STORE &&
		    (self & (PROG_MILTER | PROG_LMTPD)) &&
		    strcmp(c->durability, "strict") == 0;
	return t;
}

void db_target_free(struct db_target **t)
{
	if (!*t)
		return;
	free((*t)->file);
	free(*t);
	*t = NULL;
}

bool db_target_same(const struct db_target *a, const struct db_target *b)
{
	return strcmp(a->file, b->file) == 0 && strcmp(a->group, b->group) == 0;
}

void db_target_limit(struct db_target *t, int64_t ms)
{
	unsigned most = whole_seconds(ms);

	if (t->connect_timeout > most)
		t->connect_timeout = most;
	if (t->timeout > most)
		t->timeout = most;
}

struct db *db_new(const struct db_target *t)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db)
		db->target = t;
	return db;
}

void db_free(struct db **db)
{
	if (!*db)
		return;
	db_close(*db);
	for (size_t i = 0; i < DB_SITE_SLOTS; i++)
		free((*db)->site[i].text);
	free(*db);
	*db = NULL;
}

void db_take_any_server(struct db *db)
{
	db->any_server = true;
}

const char *db_why(const struct db *db)
{
	return db->why;
}

unsigned db_errno(const struct db *db)
{
	return db->err;
}

uint64_t db_thread_id(const struct db *db)
{
	return db->my ? mysql_thread_id(db->my) : 0;
}

uint64_t db_affected(const struct db *db)
{
	return db->affected;
}

uint64_t db_insert_id(const struct db *db)
{
	return db->insert_id;
}

bool db_is_away(const struct db *db)
{
	return db->failed == DB_DOWN;
}

enum db_result db_succeed(struct db *db)
{
	db->err = 0;
	db->failed = DB_OK;
	db->why[0] = '\0';
	db->heard_at = clock_ms();
	return DB_OK;
}

static void make_printable(char *s)
{
	for (; *s; s++)
		if (!isprint((unsigned char)*s))
			*s = '?';
}

/* A program has one server a role, whatever it looks up or delivers with. */
static _Atomic int64_t lost_at[DB_ACCOUNTS + 1];

int64_t db_lost_at(const struct db *db)
{
	return atomic_load(&lost_at[db->target->role]);
}

/* Nothing was heard of the server, or nobody is there. */
static bool is_loss(unsigned code)
{
	return code == 2006 || code == 2013 || code == 2055;
}

static void count_error(enum db_result r)
{
	if (r == DB_RETRY)
		metric_add_named(M_DB_ERROR, "retry");
	if (r == DB_DOWN)
		metric_add_named(M_DB_ERROR, "down");
	if (r == DB_OURS)
		metric_add_named(M_DB_ERROR, "ours");
}

/* server_text may lie in the library's memory of db->my. */
enum db_result db_fail(struct db *db, unsigned code, const char *server_text)
{
	const struct dberror *e = dberror_find(code);

	if (db->my && !db->connecting && is_loss(code))
		atomic_store(&lost_at[db->target->role], clock_ms());
	db->err = code;
	db->failed = e->result;
	if (e->names_only && *server_text)
		snprintf(db->why, sizeof(db->why), "mysql %u: %s (%s)", code,
			 e->text, server_text);
	else
		snprintf(db->why, sizeof(db->why), "mysql %u: %s", code,
			 e->text);
	make_printable(db->why);
	count_error(e->result);
	return e->result;
}

enum db_result db_fail_text(struct db *db, enum db_result r, const char *fmt,
			    ...)
{
	va_list ap;

	db->err = 0;
	db->failed = r;
	va_start(ap, fmt);
	vsnprintf(db->why, sizeof(db->why), fmt, ap);
	va_end(ap);
	return r;
}

enum db_result db_damaged(struct db *db, uint64_t uid)
{
	return db_fail_text(db, DB_OURS, "rows of mail %llu do not fit",
			    (unsigned long long)uid);
}

static struct stmt_form form_of(const struct db *db, enum query_id q)
{
	const struct query *row = &queries[q];

	if (!(row->programs & db->target->self))
		log_panic("%s is not a statement of %s", row->name,
			  program_name(db->target->self));
	return (struct stmt_form){ .text = span_of(row->text),
				   .params = row->params,
				   .results = row->results,
				   .nparam = strlen(row->params) };
}

enum db_result db_prepare(struct db *db, enum query_id q)
{
	struct stmt_form f = form_of(db, q);
	enum db_result r = db_ready(db);

	if (r == DB_OK)
		r = stmt_prepare(db, &db->stmt[q], &f);
	if (r == DB_DOWN)
		db_close(db);
	return r;
}

enum db_result db_run(struct db *db, enum query_id q,
		      const struct sqlval *param)
{
	struct stmt_form f = form_of(db, q);

	return stmt_run(db, &db->stmt[q], &f, param);
}

enum db_result db_fetch(struct db *db, enum query_id q, struct sqlval *col,
			bool *got)
{
	return stmt_fetch(db, &db->stmt[q], col, got);
}

void db_done(struct db *db, enum query_id q)
{
	stmt_end(db, &db->stmt[q]);
}

enum db_result db_call(struct db *db, enum query_id q,
		       const struct sqlval *param, uint64_t *value_r,
		       bool *got_r)
{
	struct stmt_form f = form_of(db, q);

	return stmt_call(db, &db->stmt[q], &f, param, value_r, got_r);
}

enum db_result db_one(struct db *db, enum query_id q,
		      const struct sqlval *param, struct sqlval *col, bool *got)
{
	enum db_result r = db_run(db, q, param);

	*got = false;
	if (r == DB_OK)
		r = db_fetch(db, q, col, got);
	db_done(db, q);
	return r;
}
