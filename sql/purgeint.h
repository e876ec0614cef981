/* sql/purgeint.h: the inside of the purge, for purge*.c, erase.c and
 * verify*.c. */
#ifndef MAILROW_SQL_PURGEINT_H
#define MAILROW_SQL_PURGEINT_H

#include "lib/uidl.h"
#include "sql/purge.h"

enum {
	PURGE_ROWS = 200, /* also LIMIT in queries.def */
	PURGE_OCTETS = 4 << 20,
	PURGE_WINDOW = 1000, /* rows that a walk reads at once */
	PURGE_POSITION_MAX = 32
};

struct purge {
	struct db *db;
	const struct purge_settings *s;
	struct purge_report r;
	const char *step;
	bool stopped;  /* go_on() said so */
	unsigned deaf; /* questions in a row that the accounts did not answer */
};

/* A content's id, kept beyond the row it came from. */
struct purge_id {
	uint8_t b[CONTENT_ID_SIZE];
};
bool purge_id_take(const struct sqlval *v, struct purge_id *id_r);
struct span purge_id_span(const struct purge_id *id);

/* Between batches: true = another one. */
bool purge_goes_on(struct purge *p);

/* Runs batch(p, arg) as one transaction, and again when it was lost. It starts
 * from nothing each time. Its counts may fall short when the answer to a
 * COMMIT was lost; the rows do not. */
enum db_result purge_batch(struct purge *p,
			   enum db_result (*batch)(struct purge *, void *),
			   void *arg) __attribute__((warn_unused_result));

/* In a batch: each id (any order; sorted here) has lost as many names as it
 * stands there. */
enum db_result purge_refs_fall(struct purge *p, struct purge_id *id, size_t n)
	__attribute__((warn_unused_result));

/* Of these contents (sorted here) those go that nothing names; with old_only
 * only those that nobody can claim any more. Wrong refs are set right. */
enum db_result purge_contents(struct purge *p, struct purge_id *id, size_t n,
			      bool old_only)
	__attribute__((warn_unused_result));

/* Removes what a mailbox holds. With due, only while it is retired and past
 * retired_age. */
enum db_result erase_box(struct purge *p, uint64_t mailbox_id, bool due)
	__attribute__((warn_unused_result));

/* The lowest mailbox number between these two that has rows, 0 for none; and
 * a retired mailbox for such rows, unless there is one by now. */
enum db_result purgebox_stray(struct db *db, uint64_t after, uint64_t before,
			      uint64_t *id_r)
	__attribute__((warn_unused_result));
enum db_result purgebox_adopt(struct purge *p, uint64_t id)
	__attribute__((warn_unused_result));

/* The steps. A walk starts behind position and leaves there where it was
 * stopped. */
enum db_result purgetrash_run(struct purge *p)
	__attribute__((warn_unused_result));
enum db_result purgebox_walk(struct purge *p, struct buf *position)
	__attribute__((warn_unused_result));
enum db_result purgeretention_walk(struct purge *p, struct buf *position)
	__attribute__((warn_unused_result));
enum db_result purgereceipt_walk(struct purge *p, struct buf *position)
	__attribute__((warn_unused_result));
enum db_result purgelimit_walk(struct purge *p, struct buf *position)
	__attribute__((warn_unused_result));
enum db_result purgecontent_walk(struct purge *p, struct buf *position)
	__attribute__((warn_unused_result));
enum db_result purgedecision_walk(struct purge *p, struct buf *position)
	__attribute__((warn_unused_result));

#endif
