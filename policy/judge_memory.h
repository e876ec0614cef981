/* policy/judge_memory.h: what the judge remembers for a moment. Only good
 * news ("ours and active", "known and active") and for at most a second: who
 * was disabled is rejected within that second, and who was just made is never
 * unknown. The one exception is a foreign domain, see there. Bounded,
 * thread-safe. */
#ifndef MAILROW_POLICY_JUDGE_MEMORY_H
#define MAILROW_POLICY_JUDGE_MEMORY_H

#include "sql/accounts.h"
#include "sql/box.h"
#include "sql/served.h"

enum { JUDGE_MEMORY_MS = 1000, JUDGE_MEMORY_FOREIGN_MS = 60000 };

struct judge_memory;

/* A mailbox, how it is served, and its row unless that is SERVED_PASS. */
struct judge_mailbox {
	struct mailbox_facts facts;
	enum served_mode mode;
	struct box box;
	int64_t asked; /* when the oldest of it was asked for */
};

struct judge_memory *judge_memory_new(void);
void judge_memory_free(struct judge_memory **m);

/* now and asked are monotonic milliseconds; asked is when the question went
 * to the database, not when its answer came. */
bool judge_memory_get_domain(struct judge_memory *m, struct span domain,
			     int64_t now, struct domain_facts *f_r);
void judge_memory_put_domain(struct judge_memory *m, struct span domain,
			     int64_t asked, const struct domain_facts *f);

/* A domain that is not ours, for a minute: of a stranger's name only, so that
 * mail from elsewhere costs no question. A new domain of ours is protected
 * from strangers that much later; its own mail never asks this. */
bool judge_memory_get_foreign(struct judge_memory *m, struct span domain,
			      int64_t now);
void judge_memory_put_foreign(struct judge_memory *m, struct span domain,
			      int64_t asked);

bool judge_memory_get_mailbox(struct judge_memory *m, const struct addr *a,
			      int64_t now, struct judge_mailbox *b_r);
void judge_memory_put_mailbox(struct judge_memory *m, const struct addr *a,
			      int64_t asked, const struct judge_mailbox *b);

/* The one mailbox that a recipient leads to, aliases looked at: while it is
 * remembered none of it is asked for. It is as old as b->asked. */
bool judge_memory_get_route(struct judge_memory *m, const struct addr *rcpt,
			    int64_t now, struct judge_mailbox *b_r);
void judge_memory_put_route(struct judge_memory *m, const struct addr *rcpt,
			    const struct judge_mailbox *b);

/* A login that is open for sending, perhaps with TLS only. */
bool judge_memory_get_login(struct judge_memory *m, const struct addr *login,
			    int64_t now, bool *tls_only_r);
void judge_memory_put_login(struct judge_memory *m, const struct addr *login,
			    int64_t asked, bool tls_only);

/* An address that is a login's. */
bool judge_memory_get_owns(struct judge_memory *m, const struct addr *login,
			   const struct addr *sender, int64_t now);
void judge_memory_put_owns(struct judge_memory *m, const struct addr *login,
			   const struct addr *sender, int64_t asked);

/* How an address is served: whatever it is; and when that was asked. */
bool judge_memory_get_mode(struct judge_memory *m, const struct addr *a,
			   int64_t now, enum served_mode *mode_r,
			   int64_t *asked_r);
void judge_memory_put_mode(struct judge_memory *m, const struct addr *a,
			   int64_t asked, enum served_mode mode);

#endif
