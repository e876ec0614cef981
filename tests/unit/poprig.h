/* tests/unit/poprig.h: the POP3 machine beside a keeper and a mailbox in
 * memory. */
#ifndef MAILROW_TESTS_POPRIG_H
#define MAILROW_TESTS_POPRIG_H

#include "pop3d/popstate.h"

enum { POPRIG_MAILS = 256 };

struct poprig_mail {
	uint64_t uid;
	struct span text;
	bool gone;    /* vanished after it was listed */
	bool damaged; /* the keeper says so */
	bool moved;
	bool blank_line; /* is missing, and listed */
};

struct poprig {
	struct popstate pop;
	struct buf out;   /* the machine's */
	struct buf said;  /* all that left, in order */
	struct buf queue; /* frames under way, each behind its length */
	size_t queue_at;  /* those before it have come */
	struct poprig_mail mail[POPRIG_MAILS];
	size_t mails;
	const char *user, *password;
	size_t frame_max; /* of a DATA frame; 0 = all there is room for */
	struct chan_grant grant; /* of every login */
	enum chan_denial denial; /* of who knows the password */
	bool down;               /* the database does not answer */
	bool down_after_mail;    /* nor after a MAIL frame */
	bool crowded;            /* a limit of the real address is reached */
	bool lenient;            /* frames of others came in: nothing is sure */
	bool stalled;            /* the keeper says nothing for now */
	bool hold_out;           /* the client takes nothing for now */
	unsigned auths, reads, moves; /* requests that came */
	unsigned peers;
	struct chan_peer last_peer; /* of PEER, a copy */
	char note[CHAN_NOTE_MAX];
	size_t most_read; /* mails in one READ */
	size_t most_out;  /* octets that waited for the client */
	struct span last_secret, last_user; /* of AUTH, copies */
	bool last_tls;
	char secret[CHAN_SECRET_MAX], name[AUTHPROTO_NAME_MAX];
};

void poprig_init(struct poprig *r);
void poprig_release(struct poprig *r);

/* text must stay. */
void poprig_add(struct poprig *r, uint64_t uid, struct span text);

/* Moves requests, frames and output about until nothing moves. */
void poprig_pump(struct poprig *r);

/* One frame of the keeper, if there is one and it is wanted. */
bool poprig_deliver_one(struct poprig *r);

/* One line in; what the client saw of it, until the next call. */
struct span poprig_say(struct poprig *r, const char *line);
struct span poprig_say_span(struct poprig *r, enum line_status status,
			    struct span line);

/* Logs in as user. */
void poprig_login(struct poprig *r);

#endif
