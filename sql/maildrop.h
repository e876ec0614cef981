/* sql/maildrop.h: what POP3 needs of a mailbox. Every statement carries the
 * mailbox_id. */
#ifndef MAILROW_SQL_MAILDROP_H
#define MAILROW_SQL_MAILDROP_H

#include "lib/uidl.h"
#include "sql/lease.h"

struct maildrop_entry {
	uint64_t uid;
	uint64_t octets;
	struct span uidl;
};

struct maildrop_box {
	uint64_t mailbox_id; /* 0: the address (or this incarnation of it) has
			      * no mailbox row yet: an empty mailbox */
	uint64_t days;       /* that mails stay, 0 = for ever; before: where the
			      * table retention says nothing */
	bool more;           /* the list may go on */
};

/* Calls add(arg, entry) for at most max mails with uid > after, ascending; a
 * false from add ends it. box is filled, but for more, before the first of
 * them. With blank_line a mail that is nothing but a header without
 * its empty line counts as if it had it. */
enum db_result maildrop_open(struct db *db, struct span address,
			     struct span incarnation, bool blank_line,
			     size_t max,
			     bool (*add)(void *, const struct maildrop_entry *),
			     void *arg, struct maildrop_box *box)
	__attribute__((warn_unused_result));
enum db_result maildrop_list(struct db *db, uint64_t mailbox_id,
			     bool blank_line, uint64_t after, size_t max,
			     bool (*add)(void *, const struct maildrop_entry *),
			     void *arg, bool *more_r)
	__attribute__((warn_unused_result));

enum { MAILDROP_SHA256_SIZE = 32 };

/* Where a piece of one mail comes from. */
struct maildrop_mail {
	uint64_t uid;
	uint64_t octets; /* trace and content */
	uint64_t trace_octets;
	uint8_t id[CONTENT_ID_SIZE];
	uint8_t sha256[MAILDROP_SHA256_SIZE]; /* of its content as it came;
					       * all zero: it has none */
	bool damaged; /* octets are missing here: nothing of it is handed on */
};

/* Appends octets of mail uid from offset on, at most limit (0 = no limit), and
 * at most about one chunk (256 KiB) a call; from mail, then from trash.
 * *got = false: the mail is no longer there. m->octets says where it ends. */
enum db_result maildrop_read(struct db *db, uint64_t mailbox_id, uint64_t uid,
			     uint64_t offset, uint64_t limit,
			     struct maildrop_mail *m, struct buf *out,
			     bool *got) __attribute__((warn_unused_result));

/* Read-ahead: several mails in one query, each from its beginning and at most
 * limit octets (0 = all that its trace and first chunk hold). Calls
 * add(arg, mail, trace, data) in the order of their uids; mails that are gone
 * are left out. */
enum db_result maildrop_read_many(
	struct db *db, uint64_t mailbox_id, const uint64_t *uid, size_t n,
	uint64_t limit,
	bool (*add)(void *, const struct maildrop_mail *, struct span trace,
		    struct span data),
	void *arg) __attribute__((warn_unused_result));

/* The number of the mailbox, as maildrop_open() finds it; 0: none yet. */
enum db_result maildrop_find(struct db *db, struct span address,
			     struct span incarnation, uint64_t *mailbox_id_r)
	__attribute__((warn_unused_result));

/* A session's lease, for maildrop_move(). */
struct maildrop_hold {
	const struct lease_owner *owner;
	struct lease lease;
	bool lost; /* set there */
};

/* Moves those that still exist to the trash in one transaction, row by row;
 * counters change by what was really moved. who and from are for the trash
 * row. DB_DOWN: nothing is known to be moved. With hold (else NULL) the lease
 * is given back in the same transaction; it is lost: nothing is moved. */
enum db_result maildrop_move(struct db *db, uint64_t mailbox_id,
			     const uint64_t *uid, size_t n, struct span who,
			     struct span from, struct maildrop_hold *hold,
			     uint64_t *moved_r)
	__attribute__((warn_unused_result));

#endif
