/* milter/message.h: what we know of the mail under way. Lives from MAIL to end
 * of message, abort, close or the next MAIL, whichever is seen. */
#ifndef MAILROW_MILTER_MESSAGE_H
#define MAILROW_MILTER_MESSAGE_H

#include "milter/content.h"
#include "policy/judge.h"

enum { QUEUE_ID_MAX = 63, RECIPIENTS_MAX = 10000 };

/* A mailbox of the mail, once however many recipients lead to it. */
struct message_target {
	struct addr mailbox;
	uint64_t mailbox_id;
	uint64_t quota;
	size_t first; /* the recipient that named it first */
};

/* A recipient that we store, as the MTA knows it. */
struct message_rcpt {
	char *path; /* argument of RCPT, exactly */
	size_t target;
};

struct message {
	bool open;    /* MAIL was seen */
	bool counted; /* in drain.h */
	bool esmtp, utf8;
	int64_t begun;                   /* clock_ms() at MAIL */
	uint64_t declared;               /* SIZE=, 0 = not told */
	char *sender;                    /* path without <>, NULL = not open */
	char queue_id[QUEUE_ID_MAX + 1]; /* "" = not known yet */
	struct message_rcpt *rcpt;
	size_t nrcpt, rcpt_size;
	struct message_target *target;
	size_t ntarget, target_size;
	size_t passed; /* recipients that stay with the MTA */
	struct content content;
};

/* A path without its angle brackets. */
struct span message_path(const char *path);

/* Begins a mail: argv of MAIL, NULL-terminated, argv[0] may be NULL. */
void message_open(struct message *m, char **argv);

/* Remembers an accepted recipient; R_NONE, or why it cannot be. */
enum reply_id message_add(struct message *m, const char *path,
			  const struct judged_rcpt *r);

/* For a log line: "NOQUEUE" while the MTA has not told. */
const char *message_id(const struct message *m);

/* Idempotent; the second also gives back what the next mail could use. */
void message_reset(struct message *m);
void message_release(struct message *m);

#endif
