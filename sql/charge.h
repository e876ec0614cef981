/* sql/charge.h: what a mail is charged against limits: in the transaction that
 * stores it (deliver.h), or in one of its own when nothing is stored. */
#ifndef MAILROW_SQL_CHARGE_H
#define MAILROW_SQL_CHARGE_H

#include "sql/pool.h"
#include "sql/usage.h"

struct charge {
	struct usage_charge usage;

	/* Of a mailbox that has the mail already: not charged. NULL: always. */
	const bool *waived;
	bool reached_r; /* this one does not fit; nothing was charged */
};

/* All zero is none. Several of one key are charged once: one message, its
 * octets, the recipients of all. What subjects are views of must outlive it. */
struct charges {
	struct charge *v;
	size_t n, size;
};

/* False: no memory. */
bool charges_add(struct charges *c, const struct charge *one)
	__attribute__((warn_unused_result));
void charges_release(struct charges *c);

/* Into the order in which they are charged. */
void charges_sort(struct charges *c);

/* Nobody has been told anything yet: what a former attempt left is forgotten.
 */
void charges_forget(struct charges *c);

/* Charges all, sorted, in the caller's transaction. *reached_r: one did not
 * fit, and the caller rolls back. */
enum db_result charges_run(struct db *db, struct charges *c, bool *reached_r)
	__attribute__((warn_unused_result));

enum charge_result {
	CHARGE_OK,
	CHARGE_REACHED, /* nothing is charged */
	CHARGE_TEMP     /* not by the deadline: nothing is charged, or, when
			 * the database was lost in the COMMIT and has not come
			 * back, it may be */
};

/* For a mail that stores nothing. Deadlocks and lost connections are replayed,
 * a lost COMMIT answer is settled. */
enum charge_result charges_commit(struct pool *p, struct charges *c,
				  int64_t deadline, struct buf *why)
	__attribute__((warn_unused_result));

#endif
