/* tests/sql/purging.c: see purging.h. */
#include "tests/sql/purging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "sql/maildrop.h"

struct pool *pool, *pop3, *purgers;
struct db *db;
struct profile *profile;
struct purge_report report;

bool always(void *arg, const char *step, const struct purge_report *r)
{
	(void)arg;
	(void)step;
	(void)r;
	return true;
}

struct purge_settings settings(void)
{
	return (struct purge_settings){ .trash_age = 7 * DAY,
					.receipt_age = 5 * DAY,
					.gone_age = 30 * DAY,
					.retired_age = 30 * DAY,
					.fold_local_part = true,
					.profile = profile,
					.go_on = always };
}

int purging_start(void **state)
{
	struct buf problems = BUF_INIT(1000);
	char dir[1024];

	if (fix_start(state) != 0)
		return -1;
	log_off();
	pool = fix_pool(PROG_MILTER, 4);
	pop3 = fix_pool(PROG_POP3D, 2);
	purgers = fix_pool(PROG_PURGE, 3);
	db = pool_get(purgers, deadline_in(1000));
	snprintf(dir, sizeof(dir), "%s/sql/profiles", getenv("top_srcdir"));
	profile = profile_load(dir, "native", &problems);
	buf_release(&problems);
	return profile ? 0 : -1;
}

int purging_end(void **state)
{
	profile_free(&profile);
	pool_put(purgers, &db);
	pool_free(&pool);
	pool_free(&pop3);
	pool_free(&purgers);
	return fix_end(state);
}

static const char *const tables[] = { "mailbox", "mail",       "trash",
				      "content", "chunk",      "receipt",
				      "account", "domain",     "last_login",
				      "lease",   "purge_step", "retention" };

int purging_empty(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		fix_sql("DELETE FROM %s", tables[i]);
	return 0;
}

void purge_with(const struct purge_settings *s)
{
	if (purge_run(db, s, &report) != DB_OK)
		fail_msg("%s", db_why(db));
}

void purge(void)
{
	struct purge_settings s = settings();

	s.accounts = db;
	purge_with(&s);
	assert_true(report.complete);
}

uint64_t rows(const char *table)
{
	return fix_number("SELECT COUNT(*) FROM %s", table);
}

void move(uint64_t box, uint64_t uid)
{
	struct db *d = pool_get(pop3, deadline_in(1000));
	uint64_t moved;

	assert_int_equal(maildrop_move(d, box, &uid, 1, SPAN_LIT("w"),
				       SPAN_LIT("f"), NULL, &moved),
			 DB_OK);
	assert_int_equal(moved, 1);
	pool_put(pop3, &d);
}

/* An account of the native tables for each mailbox, so that none is gone. */
uint64_t owned_box(const char *address)
{
	fix_sql("INSERT IGNORE INTO domain (name, created_at) VALUES"
		" ('example.org', UTC_TIMESTAMP())");
	fix_sql("INSERT INTO account (address, domain, password, created_at)"
		" VALUES ('%s', 'example.org', '', UTC_TIMESTAMP())",
		address);
	return fix_box(address);
}
