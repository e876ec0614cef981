/* milter/message.h: what we know of the mail under way. Lives from MAIL to end
 * of message, abort, close or the next MAIL, whichever is seen. */
#ifndef MAILROW_MILTER_MESSAGE_H
#define MAILROW_MILTER_MESSAGE_H

#include "policy/intake.h"

enum { QUEUE_ID_MAX = 63 };

struct message {
	bool open;    /* MAIL was seen */
	bool counted; /* in drain.h */
	bool esmtp, utf8;
	int64_t begun;                   /* clock_ms() at MAIL */
	uint64_t declared;               /* SIZE=, 0 = not told */
	char *sender;                    /* path without <>, NULL = not open */
	char queue_id[QUEUE_ID_MAX + 1]; /* "" = not known yet */
	struct judge_message judged;
	struct authors *authors; /* NULL: none was seen */
	bool authors_lost;       /* no memory for them */
	uint64_t octets;         /* so far, line ends as in SMTP */
	struct intake intake;
	struct content content;
};

/* Begins a mail: argv of MAIL, NULL-terminated, argv[0] may be NULL. */
void message_open(struct message *m, char **argv);

/* Remembers an accepted recipient: argv of RCPT, with its judgement, which is
 * taken over. What only the MTA can do is left to it: to tell of a delivery
 * (NOTIFY=SUCCESS, RFC 3461), and to wait until a full mailbox of a list has
 * room. R_NONE, or why it cannot be. */
enum reply_id message_add(struct message *m, char **argv,
			  struct judged_rcpt *r);

/* Mailboxes of lists were found full at its end: left to the MTA, too, or left
 * out. */
void message_full(struct message *m, const struct conf *c);

/* Notes a field of the header if it names an author. */
void message_author(struct message *m, struct span name, struct span value,
		    bool fold_local);

/* Is there anything that we do at its end? */
bool message_is_ours(const struct message *m);

/* For a log line: "NOQUEUE" while the MTA has not told. */
const char *message_id(const struct message *m);

/* Idempotent; the second also gives back what the next mail could use. */
void message_reset(struct message *m);
void message_release(struct message *m);

#endif
