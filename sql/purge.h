/* sql/purge.h: what deletes mail for good, and what moves mail to the trash
 * whose time in its mailbox is over. In batches of at most 200 rows and
 * 4 MiB, each a transaction in the one lock order: first, under the mailbox
 * lock, rows of mail and trash go and the refs of their contents fall; then
 * contents that nothing names go, whatever their refs say. Whoever is killed
 * leaves a consistent store, and the next run goes on. */
#ifndef MAILROW_SQL_PURGE_H
#define MAILROW_SQL_PURGE_H

#include "sql/db.h"
#include "sql/profile.h"

struct purge_report {
	uint64_t trash, trash_octets;      /* rows past the window */
	uint64_t expired, expired_octets;  /* mails moved to the trash */
	uint64_t receipts;                 /* expired */
	uint64_t contents, content_octets; /* bodies that nothing named */
	uint64_t repaired;                 /* contents whose refs were wrong */
	uint64_t gone, back; /* mailboxes whose account was first seen gone,
			      * or seen again */
	uint64_t unknown;    /* whose account could not be told */
	uint64_t retired;
	uint64_t strays; /* mailbox ids that had rows and no mailbox */
	uint64_t mailboxes, mails, mail_octets; /* retired ones that went */
	uint64_t decisions;                     /* rows of the table decision */
	bool accounts_away;
	bool complete; /* every step came to its end */
};

/* Called between batches; false ends the run after the batch. */
typedef bool (*purge_go_on)(void *arg, const char *step,
			    const struct purge_report *so_far);

/* Ages in seconds by the database's clock. */
struct purge_settings {
	uint64_t trash_age;     /* what is younger stays */
	uint64_t receipt_age;   /* the same */
	uint64_t gone_age;      /* how long an account must have been gone */
	uint64_t retired_age;   /* how long a retired mailbox is kept */
	uint64_t retention;     /* days that mails stay where the table of that
				 * name says nothing; 0: for ever */
	uint64_t decision_age;  /* what is older goes */
	uint64_t decision_rows; /* so many stay, the newest */
	bool dry_run;           /* count, change nothing */

	/* Who is asked for the accounts; NULL: nobody answers. May be the
	 * connection that purges. */
	struct db *accounts;
	const struct profile *profile;
	bool fold_local_part;
	purge_go_on go_on;
	void *arg;
};

/* DB_OK also when go_on() ended it; the next run goes on there. After a
 * failure r_r tells what was done before. db is of PROG_PURGE. */
enum db_result purge_run(struct db *db, const struct purge_settings *s,
			 struct purge_report *r_r)
	__attribute__((warn_unused_result));

/* Removes what a mailbox holds now (mail, trash, receipts; what comes later
 * stays) and, if it is retired, its row; one that is taken back meanwhile is
 * left alone from there, and complete is false. Counts mails, contents and
 * mailboxes. */
enum db_result purge_erase(struct db *db, uint64_t mailbox_id,
			   purge_go_on go_on, void *arg,
			   struct purge_report *r_r)
	__attribute__((warn_unused_result));

#endif
