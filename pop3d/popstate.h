/* pop3d/popstate.h: a POP3 session as a pure machine: command lines and
 * frames of the keeper in, octets for the client and requests to the keeper
 * out. It knows neither descriptors nor time.
 *
 * One command at a time: while its job goes on no line is taken. Output stops
 * growing at POPSTATE_OUT_FULL until the owner has taken it away. */
#ifndef MAILROW_POP3D_POPSTATE_H
#define MAILROW_POP3D_POPSTATE_H

#include "lib/line.h"
#include "pop3d/popevent.h"
#include "pop3d/poplist.h"
#include "pop3d/popread.h"

enum { ST_AUTH = 1, ST_TRANS = 2 };

enum {
	POPSTATE_OUT_FULL = 65536,
	POPSTATE_OUT_MAX = 524288 /* full, and the longest step above it */
};

struct popstate_rules {
	uint64_t auth_attempts;
	uint64_t max_errors; /* in a row */
	bool apop;
	bool cram_md5;
	bool replace_nul;      /* by 0x80, in RETR and TOP */
	int64_t login_delay;   /* ms, 0 = none */
	const char *challenge; /* of APOP and CRAM-MD5; must stay */
	bool xclient;          /* the peer is a proxy that may use it */
	bool stls;             /* the client may begin TLS */
	bool needs_tls;        /* no password before it did */
};

enum pop_job {
	JOB_NONE,
	JOB_PEER,
	JOB_LOGIN,
	JOB_LIST,
	JOB_UIDL,
	JOB_READ,
	JOB_QUIT,
	JOB_STLS, /* the owner begins TLS once all output has left */
	JOB_COUNT
};

/* What the keeper has been asked and has not fully answered. */
enum pop_flight {
	FLIGHT_NONE,
	FLIGHT_PEER,
	FLIGHT_LOGIN,
	FLIGHT_READ,
	FLIGHT_MOVE,
	FLIGHT_COUNT
};

/* Which answer of the client the next line is (RFC 5034). */
enum pop_sasl {
	SASL_NONE,
	SASL_PLAIN,
	SASL_LOGIN_USER,
	SASL_LOGIN_PASS,
	SASL_CRAM_MD5
};

struct popstate {
	struct popstate_rules rules;
	struct buf *out;    /* of the owner */
	struct buf request; /* a frame for the keeper, or empty */
	unsigned state;
	enum pop_job job;
	enum pop_flight flight;
	enum pop_sasl sasl;
	bool tls;     /* is on */
	bool granted; /* the keeper said so; the list is arriving */
	struct chan_grant grant;
	bool deaf;        /* the client reads no more */
	bool mail_unsent; /* an answer to RETR or TOP has not all left */
	bool peer_told;   /* the keeper knows the real client */
	bool greet;       /* is still to be done */
	bool stopping;    /* the keeper wants the end, for this reason: */
	enum chan_end stop;
	bool ended;
	enum chan_end end;
	uint64_t errors, attempts;
	struct buf user;
	struct poplist list;
	size_t at;     /* how far LIST, UIDL or QUIT came */
	bool all_sent; /* the last MOVE frame is made */
	struct popread read;
	struct chan_bye count;
};

/* out is the owner's, with a maximum of POPSTATE_OUT_MAX. */
void popstate_init(struct popstate *s, const struct popstate_rules *rules,
		   struct buf *out);
void popstate_release(struct popstate *s);

/* The greeting (RFC 1939 s.4), with the timestamp if there is APOP: clients
 * that see one use it. */
void popstate_greet(struct popstate *s);

/* Whether the next line may be handed in, and handing it in. */
bool popstate_wants_line(const struct popstate *s);
void popstate_line(struct popstate *s, enum line_status status,
		   struct span line);

/* Lets the job go on; to be called when output was taken away. */
void popstate_go(struct popstate *s);

/* A request to the keeper waits in s->request; once sent, say so. */
void popstate_sent(struct popstate *s);

/* Whether a frame of the keeper is expected and there is room for what comes
 * of it; whether one may come unasked; and handing it in. */
bool popstate_wants_frame(const struct popstate *s);
bool popstate_hears_frame(const struct popstate *s);
void popstate_frame(struct popstate *s, struct span frame);

/* The output is the beginning of an answer whose rest is on its way: better
 * not to send it yet. */
bool popstate_holds(const struct popstate *s);

/* The keeper is gone. */
void popstate_lost(struct popstate *s);

/* All output has left. */
void popstate_all_sent(struct popstate *s);

/* The client takes no more output: what it has already asked is done, but
 * nothing is read for it; unless it asked for a mail that it did not get. */
void popstate_deaf(struct popstate *s);

/* Ends the session for a reason from outside, at once. */
void popstate_stop(struct popstate *s, enum chan_end why);

/* The last frame for the keeper. */
void popstate_put_bye(const struct popstate *s, uint64_t in_octets,
		      uint64_t out_octets, struct buf *b);

/* For the handlers. */
void popstate_conclude(struct popstate *s, struct pop_event ev);
bool popstate_out_full(const struct popstate *s);

/* The end after trouble of ours: told, unless an answer is half out. A line
 * amid a mail would become part of it; cut without its last dot it is no mail
 * (RFC 1939 s.3). */
struct pop_event popstate_trouble(const struct popstate *s);

/* The number of a message that is there and not deleted. False: *why_r. */
bool popstate_message(const struct popstate *s, struct span number, size_t *i_r,
		      enum reply_id *why_r) __attribute__((warn_unused_result));

#endif
