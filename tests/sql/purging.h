/* tests/sql/purging.h: what the tests of the purge share. */
#ifndef MAILROW_TESTS_SQL_PURGING_H
#define MAILROW_TESTS_SQL_PURGING_H

#include "sql/purge.h"
#include "tests/sql/fixture.h"
#include "tests/sql/mailing.h"

enum { DAY = 86400 };

/* Set-up and tear-down of a group; and of a test: all tables are empty. */
int purging_start(void **state);
int purging_end(void **state);
int purging_empty(void **state);

extern struct pool *pool, *pop3, *purgers; /* 4, 2 and 3 connections */
extern struct db *db;                      /* one of purgers */
extern struct profile *profile;
extern struct purge_report report; /* of the last run */

/* A purge_go_on that never ends a run. */
bool always(void *arg, const char *step, const struct purge_report *r);

/* 7 days for the trash, 5 for receipts, 30 for mailboxes; nobody to ask for
 * accounts. */
struct purge_settings settings(void);

/* A run that must succeed; purge() asks db for the accounts. */
void purge_with(const struct purge_settings *s);
void purge(void);

uint64_t rows(const char *table);

/* As POP3 does it. */
void move(uint64_t box, uint64_t uid);

/* A mailbox with an account of the native tables, so that it is not gone. */
uint64_t owned_box(const char *address);

#endif
