/* pop3d/keeperjob.h: what a session asks of the database: one piece of work
 * with its answer, ready to be sent. A job belongs to one thread at a time. */
#ifndef MAILROW_POP3D_KEEPERJOB_H
#define MAILROW_POP3D_KEEPERJOB_H

#include "lib/chan.h"
#include "lib/network.h"
#include "pop3d/keepercheck.h"
#include "pop3d/keeperframes.h"
#include "sql/lease.h"

enum keeperjob_kind {
	KJ_OPEN, /* finds the mailbox; first page of its list */
	KJ_LIST, /* the next page */
	KJ_READ, /* a piece of one mail */
	KJ_READ_MANY,
	KJ_MOVE,
	KJ_RENEW, /* leases */
	KJ_RELEASE,
	KJ_INHERIT
};

struct keeperjob_open {
	char address[AUTHPROTO_NAME_MAX + 1];
	char incarnation[AUTHPROTO_NAME_MAX + 1];
	uint64_t days; /* mails stay, where the table says nothing */
};

struct keeperjob_read {
	struct chan_read what;
	bool begun; /* MAIL has been sent with an earlier piece */
	struct keepercheck *check; /* of what came so far; freed with the job */
};

struct keeperjob_move {
	uint64_t *uid; /* freed with the job */
	size_t n;
	char who[AUTHPROTO_NAME_MAX + 1];
	char from[IPADDR_TEXT_MAX];
};

/* fence 0 in the answer: it is lost. */
struct keeperjob_renewal {
	uint64_t key; /* of the session in the event loop */
	struct lease lease;
};

struct keeperjob_renew {
	struct keeperjob_renewal *one; /* ascending by mailbox; freed with the
					* job */
	size_t n;
};

struct keeperjob {
	struct keeperjob *next;
	enum keeperjob_kind kind;
	uint64_t who;        /* the session's key in the event loop */
	uint64_t session;    /* its id, for the log */
	int64_t deadline;    /* not begun by then: failed */
	bool narrow;         /* the answer must fit in an empty channel */
	bool blank_line;     /* of OPEN and LIST: see maildrop.h */
	uint64_t mailbox_id; /* of OPEN an answer */
	const struct lease_owner *owner; /* of OPEN NULL: not exclusive */
	struct lease lease;              /* of OPEN an answer; in a failure
					  * without a fence, but with a mailbox,
					  * it may be taken */
	union {
		struct keeperjob_open open;
		uint64_t after; /* LIST: the last uid of the page before */
		struct keeperjob_read read;
		struct keeperjob_move move;
		struct keeperjob_renew renew;
	} u;

	/* the answer */
	int64_t took;      /* microseconds, with the database */
	bool failed;       /* out is TEMP, or nothing: no memory */
	bool locked;       /* of OPEN: another has the lease; no frames */
	bool more;         /* there is another piece or page */
	uint64_t count;    /* mails listed, octets read */
	uint64_t last_uid; /* listed */
	struct frames out;
};

/* NULL: no memory. */
struct keeperjob *keeperjob_new(enum keeperjob_kind kind);
void keeperjob_free(struct keeperjob **j);

/* Octets the answer may take, while it is not known. */
size_t keeperjob_reserve(const struct keeperjob *j);

/* Does it, and replays it when that helps. scratch is the thread's. */
void keeperjob_run(struct keeperjob *j, struct db *db, struct buf *scratch);

/* Answers it with TEMP, undone. */
void keeperjob_refuse(struct keeperjob *j, const char *why);

enum { KEEPERJOB_SCRATCH_MAX = 1 << 20 };

#endif
