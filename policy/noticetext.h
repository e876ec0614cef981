/* policy/noticetext.h: what the owner of a limit is told: that it is near, or
 * reached. Pure. */
#ifndef MAILROW_POLICY_NOTICETEXT_H
#define MAILROW_POLICY_NOTICETEXT_H

#include "policy/limit.h"

struct notice {
	char subject[ADDR_MAX + 1]; /* an address or "@domain" */
	enum limit_direction direction;
	uint32_t seconds;
	bool full; /* reached; else near */
	struct limit_amount used, most;
	int64_t ends_at; /* of the window */
};

/* Where it comes from, and whom it goes to: to[1] may be empty. */
struct notice_envelope {
	struct span host;
	struct span to[2];
	struct span id; /* left of the @ of Message-ID */
	int64_t now;
};

/* A whole message, CRLF line ends. */
void noticetext_put(struct buf *out, const struct notice *n,
		    const struct notice_envelope *e);

/* "near" or "full" */
const char *noticetext_kind(const struct notice *n);

#endif
