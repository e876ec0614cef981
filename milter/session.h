/* milter/session.h: what we know of an SMTP session. libmilter calls us on any
 * of its threads, one at a time a session, so everything lies here and nothing
 * with a thread. */
#ifndef MAILROW_MILTER_SESSION_H
#define MAILROW_MILTER_SESSION_H

#include "milter/message.h"

#include <sys/socket.h>

enum { SESSION_NAME_MAX = 255, SESSION_TLS_MAX = 95 };

struct session {
	struct settings *settings;
	unsigned long steps; /* SMFIP_ bits that were negotiated */
	bool can_edit;       /* the MTA adds and removes recipients for us */
	bool told_macros;    /* it sends those we asked for */
	struct judge_client client;
	bool login_known;                /* the client's */
	char addr[IPADDR_TEXT_MAX];      /* "" = no address */
	char name[SESSION_NAME_MAX + 1]; /* of the client */
	char helo[SESSION_NAME_MAX + 1];
	char mta[SESSION_NAME_MAX + 1]; /* macro j */
	char tls[SESSION_TLS_MAX + 1];  /* version and cipher, "" = none */
	struct message message;
};

/* What the process is there for; before the first session. */
void session_set_role(enum judge_role role);

/* With the newest settings. NULL: no memory. */
struct session *session_new(void);
void session_free(struct session **s);

/* name and a may be NULL: the client was gone before the MTA looked. */
void session_set_client(struct session *s, const char *name,
			const struct sockaddr *a);

/* What MAIL tells of a client without an address: one all the same, or "0",
 * Sendmail's word for a program of its own machine (sendmail -bs). */
void session_note_address(struct session *s, struct span told);

/* For receipt.h: is this one of our own MTAs? */
bool session_own_host(void *session, struct span host);

/* Begins the content of its mail if there is somebody to store it for and it
 * has not begun. False: nothing is to be kept. */
bool session_begin_content(struct session *s);

#endif
