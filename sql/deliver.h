/* sql/deliver.h: one SMTP transaction becomes one database transaction. */
#ifndef MAILROW_SQL_DELIVER_H
#define MAILROW_SQL_DELIVER_H

#include "lib/receipt.h"
#include "lib/spool.h"
#include "lib/uidl.h"
#include "sql/charge.h"

/* Octets of every chunk of a content but the last. */
enum { DELIVER_CHUNK = 256 * 1024 };

/* One mailbox of the mail. Filled by the caller but for the _r fields. */
struct deliver_target {
	uint64_t mailbox_id;
	uint64_t quota;    /* octets, 0 = none */
	struct span trace; /* the headers before the content */
	uint64_t uid_r;    /* 0: not stored now */
	bool duplicate_r;  /* accepted before, inside the window */
	bool full_r;       /* DELIVER_QUOTA: it is the one without room */
};

struct deliver_mail {
	uint8_t id[CONTENT_ID_SIZE];
	struct spool *content;  /* CRLF line ends only */
	uint64_t header_octets; /* with the empty line */
	uint8_t sha256[32];
	bool has_key;
	uint8_t key[RECEIPT_KEY_SIZE];
	struct span sender;
	int64_t receipt_window; /* milliseconds */
	uint64_t uploaded;      /* octets by deliver_upload() so far */
	bool upload_broken;     /* no more of it before the commit */
};

enum deliver_result {
	DELIVER_OK,
	DELIVER_QUOTA, /* a mailbox was full; nothing is stored */
	DELIVER_LIMIT, /* a limit is reached (charges tell which); the same */
	DELIVER_TEMP   /* not by the deadline; nothing is stored, or it
			* is and a retry will be taken as a duplicate */
};

/* Commits what has arrived so far of a big mail, in small transactions under a
 * content row with refs = 0; whole chunks only. Failure is remembered in the
 * mail, not told: the commit makes it good from the spool. No connection is
 * held between calls. */
void deliver_upload(struct pool *p, struct deliver_mail *m, int64_t deadline);

/* Stores the mail in all targets (any order, each mailbox once), in the one
 * lock order: receipts, content, mailbox rows, rows of limits, all ascending.
 * Deadlocks and lost connections are replayed, a lost COMMIT answer is settled.
 * c: what it is charged in the same transaction, NULL = nothing; then told_r
 * says what its owners are to be told after DELIVER_OK. */
enum deliver_result deliver_commit(struct pool *p, struct deliver_mail *m,
				   struct deliver_target *t, size_t n,
				   struct charges *c, int64_t deadline,
				   struct buf *why)
	__attribute__((warn_unused_result));

#endif
