/* sql/verify.h: does the store fit together? Read in short statements, each a
 * snapshot of its own, beside everything else that runs; nothing is locked but
 * what is mended. */
#ifndef MAILROW_SQL_VERIFY_H
#define MAILROW_SQL_VERIFY_H

#include "lib/uidl.h"
#include "sql/db.h"

enum verify_kind {
	VERIFY_COUNTERS,
	VERIFY_UID_NEXT,
	VERIFY_UIDL,
	VERIFY_TWICE,
	VERIFY_NO_MAILBOX,
	VERIFY_NO_CONTENT,
	VERIFY_OCTETS,
	VERIFY_CHUNKS,
	VERIFY_SHA256,
	VERIFY_REFS,
	VERIFY_UNNAMED,
	VERIFY_ORPHAN
};
const char *verify_name(enum verify_kind k);

/* What to do about one that is not mended. */
const char *verify_fix(enum verify_kind k);

/* Views are valid during the call. */
struct verify_finding {
	enum verify_kind kind;
	uint64_t mailbox_id; /* 0: it is nobody's */
	struct span address; /* of the mailbox, or a retired one's former */
	uint64_t uid;        /* 0: not of one mail */
	bool in_trash;
	struct span content; /* id, or empty */
	const char *what;
	bool mended;
};

struct verify_report {
	uint64_t mailboxes, mails;  /* mails of mail and trash */
	uint64_t contents, uploads; /* uploads: unclaimed, younger than a day */
	uint64_t octets;            /* of the bodies looked at */
	uint64_t findings, mended;
};

struct verify_settings {
	bool deep;           /* read the bodies, compare their SHA-256 */
	const uint64_t *box; /* only these mailboxes and their mails */
	size_t n;            /* 0: the whole store */
	struct db *mender;   /* of PROG_PURGE; NULL: nothing is changed */

	/* Between statements. */
	void (*progress)(void *arg, const char *step,
			 const struct verify_report *so_far);
	void (*tell)(void *arg, const struct verify_finding *f);
	void *arg;
};

/* db is of PROG_TOOL. Mended are counters, refs and what is nobody's; a mail
 * is never touched. After a failure r_r tells what was looked at before. */
enum db_result verify_run(struct db *db, const struct verify_settings *s,
			  struct verify_report *r_r)
	__attribute__((warn_unused_result));

#endif
