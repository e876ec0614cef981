/* lmtpd/lmtpstate.h: an LMTP session (RFC 2033) as a pure machine: a line in,
 * what is to be done out. It knows neither descriptors nor the store: who owns
 * it does what the event says and tells how that ended. */
#ifndef MAILROW_LMTPD_LMTPSTATE_H
#define MAILROW_LMTPD_LMTPSTATE_H

#include "lib/buf.h"
#include "lib/line.h"
#include "lmtpd/lmtpparse.h"

enum { ST_START = 1, ST_READY = 2, ST_MAIL = 4, ST_RCPT = 8, ST_ANY = 15 };

enum {
	LMTP_LINE_MAX = 4096, /* RFC 5321 s.4.5.3.1.4, and its extensions */
	LMTP_ERRORS_MAX = 20, /* since the last MAIL that was taken */
	LMTP_NAME_MAX = 255
};

enum lmtp_kind {
	LMTP_SAY,   /* nothing but the reply */
	LMTP_HELLO, /* text is the client's name; ends a transaction */
	LMTP_MAIL,
	LMTP_RCPT,  /* text is the path */
	LMTP_DATA,  /* the message follows */
	LMTP_RESET, /* ends a transaction */
	LMTP_QUIT,  /* also after too many errors */
	LMTP_KINDS
};

struct lmtp_event {
	enum lmtp_kind kind;
	enum reply_id reply; /* to be said if all goes well */
	struct span text;    /* a view of the line */
	struct lmtp_mail mail;
};

struct lmtpstate {
	uint64_t size_max; /* of a message */
	unsigned state;
	unsigned errors;
};

void lmtpstate_init(struct lmtpstate *s, uint64_t size_max);

/* status and line as line_take() gave them; bare: it ended without CR. The
 * state is what it was until lmtpstate_done(). */
struct lmtp_event lmtpstate_line(struct lmtpstate *s, enum line_status status,
				 bool bare, struct span line);

/* The event came to this reply. For DATA: to all of it, with the message. */
void lmtpstate_done(struct lmtpstate *s, const struct lmtp_event *e,
		    enum reply_id reply);

/* "CODE X.Y.Z <subject>: text" CRLF; without a subject the text alone. Octets
 * of the subject that may not stand in a reply become '?'. */
void lmtp_put_reply(struct buf *out, enum reply_id id, struct span subject);

/* The same with the words of its text (may be NULL), and the id of the decision
 * behind it, in brackets. */
void lmtp_put_decided(struct buf *out, enum reply_id id, struct span subject,
		      const struct reply_words *words, const char *decision);

/* The banner, and the answer to LHLO: the reply, and what we can do. */
void lmtp_put_banner(struct buf *out, const char *hostname);
void lmtp_put_hello(struct buf *out, const char *hostname, uint64_t size_max);

#endif
