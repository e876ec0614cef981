/* tests/sql/fixture.h: a fresh database on the private server that
 * with-mariadb.sh runs, and a second connection to look at it from outside. */
#ifndef MAILROW_TESTS_SQL_FIXTURE_H
#define MAILROW_TESTS_SQL_FIXTURE_H

#include "sql/pool.h"

/* Group set-up and tear-down of cmocka. The database is called "mailrow" and
 * has the schema; option files let every program in as root. */
int fix_start(void **state);
int fix_start_empty(void **state); /* without the schema */
int fix_end(void **state);

extern struct conf *fix_conf;

/* Configuration with these lines added. The caller gives it back. */
struct conf *fix_conf_with(const char *lines);
struct db_target *fix_target(enum program self);
struct pool *fix_pool(enum program self, size_t size);

/* Writes ETC/NAME with this text and mode; fix_path() is its path. */
void fix_option_file(const char *name, const char *text, unsigned mode);
const char *fix_path(const char *name);

/* From outside, as root. A statement that fails ends the test; so does a
 * question whose answer is not one number or text. */
void fix_sql(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool fix_try(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
uint64_t fix_number(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *fix_text(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* The target of a program whose option file now names this user; the file is
 * read when a connection is made. */
struct db_target *fix_target_as(enum program self, const char *user,
				const char *password);

/* EXPLAINs a statement of queries.def with these values (SQL, split at blanks):
 * no table is read from end to end, nothing sorted or kept aside, and table
 * "mail" is read from that index alone unless it is NULL. */
void fix_explain(enum query_id q, const char *values, const char *mail_index);

#ifdef WITH_FAULT_POINTS
/* Arms a fault point (lib/fault.h); and whether it was met since. */
void fix_fault(const char *name, const char *what);
bool fix_fault_met(const char *name);
#endif

/* A mailbox row; its id. */
uint64_t fix_box(const char *address);

#endif
