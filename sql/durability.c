/* sql/durability.c: see durability.h. A COMMIT that a power cut undoes is a
 * mail that nobody has any more. */
#include "sql/durability.h"

static bool is_on(struct span v)
{
	return !span_eq_nocase(v, SPAN_LIT("OFF")) && !span_is(v, "0");
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
		d->doublewrite = is_on(v);
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
	if (r == DB_OK && got)
		copy_text(d_r->foreign_table, sizeof(d_r->foreign_table),
			  col[0].s);
	d_r->read = r == DB_OK;
	return r;
}

bool durability_judge(const struct durability *d,
		      void (*say)(void *arg, const char *finding,
				  const char *remedy),
		      void *arg)
{
	const struct {
		bool bad;
		const char *finding, *remedy;
	} row[] = {
		{ d->flush_log_at_commit != 1,
		  "innodb_flush_log_at_trx_commit is not 1: a power cut takes"
		  " committed mail",
		  "SET GLOBAL innodb_flush_log_at_trx_commit = 1" },
		{ d->log_bin && d->sync_binlog != 1,
		  "sync_binlog is not 1 while log_bin is on: a power cut takes"
		  " committed mail",
		  "SET GLOBAL sync_binlog = 1" },
		{ !d->doublewrite,
		  "innodb_doublewrite is off: a power cut damages pages",
		  "innodb_doublewrite = ON in the server's configuration" },
		{ !d->strict_mode,
		  "sql_mode is not strict: values are cut without a word",
		  "SET GLOBAL sql_mode = 'STRICT_ALL_TABLES'" },
		{ d->foreign_table[0] != '\0',
		  "a table of ours is not InnoDB: it knows no transactions",
		  "ALTER TABLE ... ENGINE=InnoDB" },
	};
	bool good = true;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		if (!row[i].bad)
			continue;
		say(arg, row[i].finding, row[i].remedy);
		good = false;
	}
	return good;
}
