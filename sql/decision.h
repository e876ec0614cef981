/* sql/decision.h: the table decision: what was decided about mails, for
 * reports and for mailrow explain. Nothing of a mail's content but its header
 * From. */
#ifndef MAILROW_SQL_DECISION_H
#define MAILROW_SQL_DECISION_H

#include "sql/native.h"

/* The columns that are text. */
enum decision_text {
	DECISION_ID,   /* policy/decisionid.h */
	DECISION_NODE, /* the host that decided */
	DECISION_WAY,  /* "full", "policy", "store": the role of the milter's
			* socket; "lmtp" */
	DECISION_STAGE,
	DECISION_PREDICATE, /* "" for an accepted mail */
	DECISION_DOMAIN,    /* whose mode held for the predicate */
	DECISION_ENHANCED,
	DECISION_REPLY, /* its text */
	DECISION_QUEUE_ID,
	DECISION_CLIENT,
	DECISION_TLS, /* version and cipher */
	DECISION_HELO,
	DECISION_LOGIN,
	DECISION_SENDER,
	DECISION_RECIPIENT,
	DECISION_HEADER_FROM,
	DECISION_TEXTS
};

/* All zero is one about which nothing is known. */
struct decision {
	int64_t at;    /* seconds since the epoch */
	bool shadow;   /* nothing came of it */
	uint64_t smtp; /* the reply's code, 0: accepted */
	uint64_t port; /* where the client connected to, 0: not known */
	uint64_t size; /* octets, as declared or as they were */
	struct span text[DECISION_TEXTS];
	struct span when; /* of one that was read: at, in UTC */
};

/* With texts of its own, cut to what is kept; free() it. octets_r: how large it
 * is. NULL: no memory. */
struct decision *decision_copy(const struct decision *d, size_t *octets_r);

/* One that is there already (a transaction that comes again) stays. */
enum db_result decision_put(struct db *db, const struct decision *d)
	__attribute__((warn_unused_result));

/* What a list is to hold; an empty text holds for all. */
struct decision_filter {
	uint64_t since; /* seconds since the epoch */
	struct span login, sender, recipient, client, predicate;
	bool shadow; /* those in shadow only */
	uint64_t max;
};

/* Calls take() with each, the newest first, until it returns false. */
enum native_result decision_list(struct db *db, const struct decision_filter *f,
				 bool (*take)(void *arg,
					      const struct decision *d),
				 void *arg);

/* The same with the rows of one id: the one that decided first, if it is
 * there, then those in shadow. */
enum native_result decision_find(struct db *db, struct span id,
				 bool (*take)(void *arg,
					      const struct decision *d),
				 void *arg);

/* What would have been rejected since then, had the predicates not been in
 * shadow: predicate, domain, login, hits, first_at, last_at; most hits
 * first. */
enum native_result decision_shadow(struct db *db, uint64_t since,
				   native_row row, void *arg);

#endif
