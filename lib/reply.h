/* lib/reply.h: the replies of reply.def. */
#ifndef MAILROW_LIB_REPLY_H
#define MAILROW_LIB_REPLY_H

#include "lib/buf.h"

enum reply_id {
#define REPLY(id, smtp, enhanced, pop3, text) id,
#include "lib/reply.def"
#undef REPLY
	REPLY_COUNT
};

struct reply {
	const char *name; /* "R_RCPT_UNKNOWN" */
	unsigned smtp;    /* 0: not for SMTP */
	const char *enhanced;
	const char *pop3; /* response code, "" for none */
	const char *text;
};

const struct reply *reply_get(enum reply_id id);

/* What stands in a text for {login}, {subject} and {until}. */
struct reply_words {
	struct span login, subject, until;
};

/* The text, with the words in their places; w may be NULL where it has none. */
void reply_put_text(struct buf *b, enum reply_id id,
		    const struct reply_words *w);

/* "-ERR [CODE] text" CRLF; at most 512 octets (RFC 1939 s.3). */
void reply_put_pop3(struct buf *b, enum reply_id id);

#endif
