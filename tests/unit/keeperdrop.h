/* tests/unit/keeperdrop.h: a database for the tests of the keeper's jobs:
 * maildrop.h and the little of db.h that they need, and how to run a job. */
#ifndef MAILROW_TESTS_UNIT_KEEPERDROP_H
#define MAILROW_TESTS_UNIT_KEEPERDROP_H

#include "pop3d/keeperjob.h"
#include "tests/unit/wire.h"

enum {
	CHUNK = 262144,
	BIG = 600000,
	MAILBOX = 42,
	UID_BIG = 1000,
	UID_TRASH = 2000,
	UID_SHORT = 3000, /* has less content than its row says */
	UID_DAMAGED = 4000,
	SMALL_OCTETS = 500,
	MIDDLE = 100000, /* uids from here on: mails of 100000 octets */
	FRAMES_MAX = 4 << 20
};

struct keeperdrop {
	enum db_result result[8]; /* of the next calls; then DB_OK */
	size_t calls;
	bool blank_line; /* of the last list */
	size_t mails;    /* in the list */
	uint64_t moved[16];
	size_t nmoved;
	char who[32], from[32];
	uint64_t box;   /* what maildrop_find() finds */
	uint64_t fence; /* of the next lease; 0: another has it */
	unsigned takes;
	uint64_t claim; /* that the last one was to be taken by */
	bool lost;      /* the lease, when something is moved */
};
extern struct keeperdrop base;

/* Every mail is the beginning of these. */
extern char octets[BIG];

/* Of cmocka: a new base. */
int begin_drop(void **state);

struct keeperjob *job(enum keeperjob_kind kind);
void run(struct keeperjob *j);

/* The next reply of the answer; false at its end. */
bool reply(const struct keeperjob *j, size_t *at, struct chan_reply *r);
void want(const struct keeperjob *j, size_t *at, enum chan_reply_type type);
void want_end(const struct keeperjob *j, size_t at);
void want_temp(const struct keeperjob *j);

#endif
