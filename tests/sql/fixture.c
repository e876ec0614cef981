/* tests/sql/fixture.c: see fixture.h. */
#include "tests/sql/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sql/schema.h"

struct conf *fix_conf;

static struct db_target *root_target;
static struct db *root;
static char dir[512];

const char *fix_path(const char *name)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

void fix_option_file(const char *name, const char *text, unsigned mode)
{
	FILE *f;

	unlink(fix_path(name));
	f = fopen(fix_path(name), "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(fix_path(name), (mode_t)mode), 0);
}

static struct conf *read_conf(const char *option_dir, const char *lines)
{
	struct buf text = BUF_INIT(4096), problems = BUF_INIT(4096);
	struct conf_source src = { .file = "test" };
	struct conf *c;

	buf_printf(&text, "option_dir = %s\n%s", option_dir, lines);
	src.text = buf_span(&text);
	c = conf_parse(&src, 1, &problems);
	if (!c)
		fail_msg("%s", buf_cstr(&problems));
	buf_release(&text);
	buf_release(&problems);
	return c;
}

struct conf *fix_conf_with(const char *lines)
{
	return read_conf(dir, lines);
}

static struct db_target *make_target(const struct conf *c, enum program self)
{
	struct buf why = BUF_INIT(4096);
	struct db_target *t = db_target_new(c, self, DB_STORE, &why);

	if (!t)
		fail_msg("%s", buf_cstr(&why));
	buf_release(&why);
	return t;
}

struct db_target *fix_target(enum program self)
{
	return make_target(fix_conf, self);
}

static struct db_target *targets[PROG_ALL];

struct pool *fix_pool(enum program self, size_t size)
{
	struct pool *p;

	if (!targets[self])
		targets[self] = fix_target(self);
	p = pool_new(targets[self], size);
	assert_non_null(p);
	return p;
}

static void write_option_files(void)
{
	static const enum program programs[] = { PROG_MILTER, PROG_LMTPD,
						 PROG_POP3D,  PROG_AUTHD,
						 PROG_TOOL,   PROG_PURGE };
	char name[80], text[1024];

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		const char *group = program_option_group(programs[i]);

		snprintf(name, sizeof(name), "%s.cnf", group);
		snprintf(text, sizeof(text), "[%s]\nuser=root\nsocket=%s\n",
			 group, getenv("MAILROW_TEST_SOCKET"));
		fix_option_file(name, text, 0644);
	}
}

static void install_schema(void)
{
	struct buf sql = BUF_INIT(1 << 20), why = BUF_INIT(1024);
	struct db_target *t = fix_target(PROG_TOOL);
	struct db *db = db_new(t);
	struct span failed;
	char path[1024];

	snprintf(path, sizeof(path), "%s/sql", getenv("top_srcdir"));
	if (!schema_read_install(path, &sql, &why))
		fail_msg("%s", buf_cstr(&why));
	db_take_any_server(db);
	if (schema_apply(db, buf_span(&sql), &failed) != DB_OK)
		fail_msg("%s", db_why(db));
	db_free(&db);
	db_target_free(&t);
	buf_release(&sql);
	buf_release(&why);
}

static void write_root_file(const char *database)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "[mailrow-admin]\nuser=root\nsocket=%s\ndatabase=%s\n",
		 getenv("MAILROW_TEST_SOCKET"), database);
	fix_option_file("root/mailrow-admin.cnf", text, 0600);
}

/* With an option file that the programs under test never see: a new
 * connection reads it anew. */
static void open_root(void)
{
	struct conf *c;

	assert_int_equal(mkdir(fix_path("root"), 0700), 0);
	c = read_conf(fix_path("root"), "");
	write_root_file("mysql");
	root_target = make_target(c, PROG_TOOL);
	conf_unref(&c);
	root = db_new(root_target);
	assert_non_null(root);
	db_take_any_server(root);
	fix_sql("DROP DATABASE IF EXISTS mailrow");
	fix_sql("CREATE DATABASE mailrow");
	write_root_file("mailrow");
	db_close(root);
}

int fix_start_empty(void **state)
{
	(void)state;
	if (!getenv("MAILROW_TEST_SOCKET") || !getenv("MAILROW_TEST_DIR") ||
	    !getenv("top_srcdir")) {
		fputs("run me by tests/sql/with-mariadb.sh, top_srcdir set\n",
		      stderr);
		return -1;
	}
	db_library_init();
	snprintf(dir, sizeof(dir), "%s/etc.XXXXXX", getenv("MAILROW_TEST_DIR"));
	if (!mkdtemp(dir))
		return -1;
	setenv("MAILROW_FAULT_DIR", dir, 1);
	fix_conf = fix_conf_with("");
	write_option_files();
	open_root();
	return 0;
}

int fix_start(void **state)
{
	if (fix_start_empty(state))
		return -1;
	install_schema();
	return 0;
}

/* The files go with the server's directory. */
int fix_end(void **state)
{
	(void)state;
	db_free(&root);
	db_target_free(&root_target);
	for (size_t i = 0; i < PROG_ALL; i++)
		db_target_free(&targets[i]);
	conf_unref(&fix_conf);
	db_library_end();
	return 0;
}

static bool run(struct db *db, const char *fmt, va_list ap)
{
	static char sql[1 << 16];
	struct span failed;

	vsnprintf(sql, sizeof(sql), fmt, ap);
	return schema_apply(db, span_of(sql), &failed) == DB_OK;
}

void fix_sql(const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = run(root, fmt, ap);
	va_end(ap);
	if (!ok)
		fail_msg("%s: %s", fmt, db_why(root));
}

bool fix_try(const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = run(root, fmt, ap);
	va_end(ap);
	return ok;
}

static const char *ask(struct db *db, const char *fmt, va_list ap)
{
	static char sql[1 << 16], text[4096];
	struct sqlval col[DB_SITE_COLUMNS];
	bool got;

	vsnprintf(sql, sizeof(sql), fmt, ap);
	if (db_site_run(db, 0, span_of(sql), NULL, 0, 0) != DB_OK ||
	    db_site_fetch(db, 0, col, &got) != DB_OK)
		fail_msg("%s: %s", sql, db_why(db));
	if (!got)
		fail_msg("%s: no row", sql);
	snprintf(text, sizeof(text), "%.*s",
		 col[0].type == SQLVAL_NULL ? 4 : (int)col[0].s.n,
		 col[0].type == SQLVAL_NULL ? "NULL" : col[0].s.p);
	db_site_done(db, 0);
	return text;
}

uint64_t fix_number(const char *fmt, ...)
{
	const char *text;
	uint64_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	text = ask(root, fmt, ap);
	va_end(ap);
	if (!span_u64(span_of(text), &n))
		fail_msg("%s: '%s' is no number", fmt, text);
	return n;
}

const char *fix_text(const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = ask(root, fmt, ap);
	va_end(ap);
	return text;
}

static const char *const texts[QUERY_COUNT] = {
#define QUERY(id, programs, params, results, text) [id] = (text),
#include "sql/queries.def"
#undef QUERY
};

static void put_values(struct buf *sql, struct span text, struct span values)
{
	struct span head, value;

	while (span_cut(text, '?', &head, &text)) {
		span_cut(values, ' ', &value, &values);
		assert_true(value.n > 0);
		buf_put_span(sql, head);
		buf_put_span(sql, value);
	}
	buf_put_span(sql, head);
	assert_int_equal(values.n, 0);
}

static bool has(const struct sqlval *v, const char *word)
{
	struct span s = v->type == SQLVAL_BYTES ? v->s : SPAN_EMPTY;
	size_t n = strlen(word);

	for (; s.n >= n; s = span_skip(s, 1))
		if (span_eq(span_head(s, n), span_of(word)))
			return true;
	return false;
}

/* id, select_type, table, type, possible_keys, key, key_len, ref, rows, Extra
 */
enum { EX_TABLE = 2, EX_TYPE = 3, EX_KEY = 5, EX_EXTRA = 9, EX_COLUMNS };

static bool explained_well(const struct sqlval *col, const char *mail_index)
{
	if (has(&col[EX_TYPE], "ALL") || has(&col[EX_EXTRA], "filesort") ||
	    has(&col[EX_EXTRA], "temporary"))
		return false;
	return !mail_index || col[EX_TABLE].type != SQLVAL_BYTES ||
	       !span_is(col[EX_TABLE].s, "mail") ||
	       (has(&col[EX_KEY], mail_index) &&
		has(&col[EX_EXTRA], "Using index"));
}

void fix_explain(enum query_id q, const char *values, const char *mail_index)
{
	struct buf sql = BUF_INIT(1 << 16);
	struct sqlval col[DB_SITE_COLUMNS];
	unsigned rows = 0;
	bool got;

	buf_puts(&sql, "EXPLAIN ");
	put_values(&sql, span_of(texts[q]), span_of(values));
	if (db_site_run(root, 1, buf_span(&sql), NULL, 0, EX_COLUMNS) != DB_OK)
		fail_msg("%s: %s", buf_cstr(&sql), db_why(root));
	while (db_site_fetch(root, 1, col, &got) == DB_OK && got) {
		rows++;
		if (!explained_well(col, mail_index))
			fail_msg("%s: badly planned", db_query_name(q));
	}
	assert_true(rows > 0);
	buf_release(&sql);
}

struct db_target *fix_target_as(enum program self, const char *user,
				const char *password)
{
	const char *group = program_option_group(self);
	struct db_target *t;
	char name[80], text[1024];

	snprintf(name, sizeof(name), "%s.cnf", group);
	snprintf(text, sizeof(text), "[%s]\nuser=%s\npassword=%s\nsocket=%s\n",
		 group, user, password, getenv("MAILROW_TEST_SOCKET"));
	fix_option_file(name, text, 0600);
	t = fix_target(self);
	return t;
}

#ifdef WITH_FAULT_POINTS
void fix_fault(const char *name, const char *what)
{
	struct fault_row *r = fault_row(name);

	if (!r || strlen(what) >= sizeof(r->order))
		fail_msg("no fault point: %s", name);
	(void)snprintf(r->order, sizeof(r->order), "%s", what);
	atomic_store(&r->left, 1);
}

bool fix_fault_met(const char *name)
{
	return atomic_load(&fault_row(name)->left) == 0;
}
#endif

uint64_t fix_box(const char *address)
{
	fix_sql("INSERT INTO mailbox (address, created_at) VALUES ('%s',"
		" UTC_TIMESTAMP())",
		address);
	return fix_number("SELECT mailbox_id FROM mailbox WHERE address = '%s'",
			  address);
}
