/* sql/durability.c: see durability.h. A COMMIT that a power cut undoes is a
 * mail that nobody has any more. */
#include "sql/durability.h"

#include <stdio.h>

static bool is_on(struct span v)
{
	return !span_eq_nocase(v, SPAN_LIT("OFF")) && !span_is(v, "0");
}

/* DETECT_ONLY (MySQL 8) notices a torn page and cannot mend it. */
static bool mends_pages(struct span v)
{
	return is_on(v) && !span_eq_nocase(v, SPAN_LIT("DETECT_ONLY"));
}

static uint64_t number(struct span v)
{
	uint64_t n;

	return span_u64(v, &n) ? n : 0;
}

static bool list_has(struct span list, const char *word)
{
	struct span head;

	while (list.n > 0) {
		span_cut(list, ',', &head, &list);
		if (span_is(head, word))
			return true;
	}
	return false;
}

static void copy_text(char *to, size_t size, struct span v)
{
	v = span_head(v, size - 1);
	memcpy(to, v.p, v.n);
	to[v.n] = '\0';
}

static void take_variable(struct durability *d, struct span name, struct span v)
{
	if (span_is(name, "innodb_flush_log_at_trx_commit"))
		d->flush_log_at_commit = number(v);
	else if (span_is(name, "log_bin"))
		d->log_bin = is_on(v);
	else if (span_is(name, "sync_binlog"))
		d->sync_binlog = number(v);
	else if (span_is(name, "innodb_doublewrite"))
		d->doublewrite = mends_pages(v);
	else if (span_is(name, "innodb_flush_method"))
		copy_text(d->flush_method, sizeof(d->flush_method), v);
	else if (span_is(name, "sql_mode"))
		d->strict_mode = list_has(v, "STRICT_ALL_TABLES") ||
				 list_has(v, "STRICT_TRANS_TABLES");
	else if (span_is(name, "wsrep_on"))
		d->wsrep = is_on(v);
	else if (span_is(name, "version"))
		copy_text(d->version, sizeof(d->version), v);
}

enum db_result durability_read(struct db *db, struct durability *d_r)
{
	struct sqlval col[2];
	enum db_result r;
	bool got = true;

	*d_r = (struct durability){ 0 };
	r = db_run(db, Q_VARIABLES, NULL);
	while (r == DB_OK && got) {
		r = db_fetch(db, Q_VARIABLES, col, &got);
		if (r == DB_OK && got && col[1].type == SQLVAL_BYTES)
			take_variable(d_r, col[0].s, col[1].s);
	}
	if (r == DB_OK)
		r = db_one(db, Q_FOREIGN_TABLE, NULL, col, &got);
	if (r == DB_OK && got) {
		copy_text(d_r->foreign_table, sizeof(d_r->foreign_table),
			  col[0].s);
		copy_text(d_r->engine, sizeof(d_r->engine), col[1].s);
	}
	d_r->read = r == DB_OK;
	return r;
}

/* 3 is MariaDB's older order of the same flushes. */
static bool flushes_commits(const struct durability *d)
{
	return d->flush_log_at_commit == 1 || d->flush_log_at_commit == 3;
}

/* Made for measuring: files are written and not flushed. */
static bool never_flushes(const struct durability *d)
{
	struct span v = span_of(d->flush_method);

	return span_eq_nocase(v, SPAN_LIT("nosync")) ||
	       span_eq_nocase(v, SPAN_LIT("littlesync"));
}

#define SET_BOTH(text)                                                         \
	"mariadb -e 'SET GLOBAL " text "'; and " text " under [mysqld]"
#define RESTART(text) text " under [mysqld]; systemctl restart mariadb"

bool durability_judge(const struct durability *d,
		      void (*say)(void *arg, const char *finding,
				  const char *remedy),
		      void *arg)
{
	char foreign[288], convert[192];
	const struct {
		bool bad;
		const char *finding, *remedy;
	} row[] = {
		{ !flushes_commits(d),
		  "innodb_flush_log_at_trx_commit is not 1: a power cut takes"
		  " committed mail",
		  SET_BOTH("innodb_flush_log_at_trx_commit = 1") },
		{ d->log_bin && d->sync_binlog != 1,
		  "sync_binlog is not 1 while log_bin is on: a power cut takes"
		  " committed mail",
		  SET_BOTH("sync_binlog = 1") },
		{ never_flushes(d),
		  "innodb_flush_method leaves files unflushed: a power cut "
		  "takes"
		  " committed mail",
		  RESTART("innodb_flush_method = O_DIRECT") },
		{ !d->doublewrite,
		  "innodb_doublewrite is off: a power cut damages pages",
		  RESTART("innodb_doublewrite = ON") },
		{ !d->strict_mode,
		  "sql_mode is not strict: values are cut without a word",
		  SET_BOTH("sql_mode = STRICT_ALL_TABLES") },
		{ d->foreign_table[0] != '\0', foreign, convert },
	};
	bool good = true;

	snprintf(foreign, sizeof(foreign),
		 "the engine of table %s is %s, not InnoDB: it knows no"
		 " transactions",
		 d->foreign_table, d->engine);
	snprintf(convert, sizeof(convert),
		 "mariadb -e 'ALTER TABLE %s ENGINE=InnoDB'", d->foreign_table);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		if (!row[i].bad)
			continue;
		say(arg, row[i].finding, row[i].remedy);
		good = false;
	}
	return good;
}
