/* pop3d/keepersession.h: one channel as the keeper sees it: whose mailbox it
 * is bound to, what is in flight, and whether a frame is in its order. It
 * trusts nothing a session says. Pure but for memory. */
#ifndef MAILROW_POP3D_KEEPERSESSION_H
#define MAILROW_POP3D_KEEPERSESSION_H

#include "lib/chan.h"
#include "pop3d/keeper.h"

enum { KEEPERSESSION_METHOD_MAX = 16 };

enum keepersession_state {
	KS_LOGIN, /* not bound, waits for AUTH */
	KS_AUTH,  /* authd is asked */
	KS_LIST,  /* the list is read and sent */
	KS_IDLE,  /* bound, nothing in flight */
	KS_READ,
	KS_GATHER, /* a MOVE has begun */
	KS_MOVE
};

struct keepersession {
	struct keeper_session told;
	struct ipaddr proxy;          /* who told of told.remote */
	char note[CHAN_NOTE_MAX + 1]; /* its name for the session */
	bool peer_told;               /* proxy has spoken */
	enum keepersession_state state;
	bool tls;           /* so it says itself */
	bool bound;         /* authd said OK and the mailbox is open */
	bool more;          /* there is another piece to read */
	bool begun;         /* of the READ something was answered */
	unsigned attempts;  /* AUTH requests */
	unsigned denied;    /* those whose password was wrong */
	unsigned refused;   /* those whose password was right */
	uint64_t delay_key; /* of the mailbox, see logindelay.h */
	uint64_t mailbox_id;
	uint64_t listed;     /* mails told to the session */
	int64_t database_us; /* how long its jobs took */
	uint64_t last_uid;
	struct chan_read read; /* what is left to read */
	uint64_t *move;
	size_t nmove, move_size;
	char user[AUTHPROTO_NAME_MAX + 1]; /* as asked, then as granted */
	char method[KEEPERSESSION_METHOD_MAX + 1];
	bool tls_told; /* these: for the log */
	char tls_version[CHAN_TLS_MAX + 1];
	char tls_detail[CHAN_TLS_MAX + 1];
};

void keepersession_init(struct keepersession *s,
			const struct keeper_session *told);
void keepersession_release(struct keepersession *s);

/* What to do about a frame. */
enum keepersession_todo {
	KT_DROP, /* *why_r says what is wrong with it */
	KT_AUTH,
	KT_READ, /* s->read */
	KT_WAIT, /* nothing: a MOVE that is not yet whole */
	KT_MOVE, /* s->move */
	KT_PEER, /* s->told has changed */
	KT_BYE
};

/* Views in r point into frame. */
enum keepersession_todo keepersession_take(struct keepersession *s,
					   struct span frame,
					   uint64_t attempts_max,
					   struct chan_request *r,
					   const char **why_r)
	__attribute__((warn_unused_result));

/* authd and the database have said yes. */
void keepersession_bind(struct keepersession *s, uint64_t mailbox_id);

/* What was asked has failed: forgets it, and a login that was not finished. */
void keepersession_fail(struct keepersession *s);

/* The answer has left: the next request is awaited. */
void keepersession_rest(struct keepersession *s);

/* The name for the log, cut to fit; NULs end it. */
void keepersession_set_user(struct keepersession *s, struct span user);

/* What it is about, in a word. */
const char *keepersession_state_text(const struct keepersession *s);

/* n octets of the READ are answered. */
void keepersession_advance(struct keepersession *s, uint64_t n);

#endif
