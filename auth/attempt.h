/* auth/attempt.h: one login attempt: an AUTH of one client, until its answer
 * is out. The loop owns it; while it is with a worker, that one reads what
 * the client said and writes the result, and nobody changes what it reads. */
#ifndef MAILROW_AUTH_ATTEMPT_H
#define MAILROW_AUTH_ATTEMPT_H

#include "lib/addr.h"
#include "lib/secret.h"
#include "auth/attackers.h"
#include "auth/job.h"
#include "auth/mech.h"
#include "sql/login.h"

enum door { DOOR_NONE, DOOR_SMTP, DOOR_POP3 };

enum attempt_state {
	ATTEMPT_ASKED,    /* waits for CONT */
	ATTEMPT_WAITING,  /* until others are checked (auth/guard.h) */
	ATTEMPT_CHECKING, /* is with a worker */
	ATTEMPT_DELAYED   /* the answer waits: failed, or result.waits */
};

enum verdict { VERDICT_OK, VERDICT_FAILED, VERDICT_TEMP };

enum { SERVICE_MAX = 32, REASON_DETAIL_MAX = 160 };

struct check_result {
	enum verdict verdict;
	const char *reason; /* name of the predicate that decided; static */
	bool closed;        /* the password is right, the account is not open */
	/* VERDICT_TEMP, and yet: a password was compared and is wrong, which
	 * counts as a failure; and the answer waits as a failure's does, for
	 * how soon it comes would tell what was compared */
	bool guess, waits;
	char detail[REASON_DETAIL_MAX]; /* for the log; "" = none */
	struct addr user;               /* VERDICT_OK: canonical */
	struct addr mailbox;
	char incarnation[INCARNATION_MAX + 1];
	uint64_t app_password; /* which of ours it was, 0: none */
};

struct client;

struct attempt {
	struct job job;

	uint64_t id;
	enum door door;
	char service[SERVICE_MAX + 1];
	struct ipaddr rip;
	bool has_rip;
	bool secured; /* over TLS, as the client of the socket says */
	struct mech mech;
	/* of the client's last message, and of the answer to it */
	int64_t begun, deadline;

	/* the loop's */
	struct client *client; /* NULL: nobody waits any more */
	struct attempt *prev, *next;
	enum attempt_state state;
	int64_t due;  /* when the loop must look at it */
	int64_t hold; /* a failure waits so much longer (auth/guard.h) */
	bool refused; /* unseen: answered at once */
	uint64_t pending[ATTACKERS_BY_BLOCK]; /* counted there; 0: not */
	uint64_t waits_for;                   /* one of these; 0: does not */
	struct attempt *wait_prev, *wait_next;
	bool logged;

	struct check_result result;
};

/* From an AUTH request. NULL: no memory. */
struct attempt *attempt_new(struct secret_pool *p,
			    const struct authproto_request *r);

/* Overwrites what was secret. */
void attempt_free(struct secret_pool *p, struct attempt **a);

/* The one log line of an attempt; the second call does nothing. r is
 * a->result, but for an attempt that a worker still has. */
void attempt_log(struct attempt *a, const struct check_result *r);

/* Sets a result that needs no check. reason is a literal. */
void attempt_set(struct attempt *a, enum verdict v, const char *reason);

#endif
