/* lmtpd/message.h: what we know of the mail under way, from MAIL to the
 * replies after its end. */
#ifndef MAILROW_LMTPD_MESSAGE_H
#define MAILROW_LMTPD_MESSAGE_H

#include "lmtpd/lmtpparse.h"
#include "policy/intake.h"

enum { QUEUE_ID_MAX = 63 };

struct message {
	bool utf8;
	int64_t begun;     /* clock_ms() at MAIL */
	uint64_t declared; /* SIZE=, 0 = not told */
	struct judge_message judged;
	uint64_t octets;                 /* so far */
	char *sender;                    /* path without <>, NULL = none */
	char queue_id[QUEUE_ID_MAX + 1]; /* "" = not known */
	struct intake intake;
	struct content content;
};

/* R_NONE, or why it cannot be. */
enum reply_id message_open(struct message *m, const struct lmtp_mail *mail);

/* Its recipients are complete, its content comes. own_host as in
 * lib/receipt.h. */
void message_begin(struct message *m, const struct settings *s,
		   bool (*own_host)(void *arg, struct span host), void *arg);

/* Content; of a mail beyond the limit nothing more is kept. */
void message_put(struct message *m, struct span piece, uint64_t octets_max);

/* The content is complete. */
void message_end(struct message *m);

/* Idempotent; the second also gives back what the next mail could use. */
void message_reset(struct message *m);
void message_release(struct message *m);

#endif
