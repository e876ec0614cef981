/* pop3d/popread.h: RETR and TOP. A large mail is streamed; small ones that
 * are asked for one after the other are fetched several at a time. Pure. */
#ifndef MAILROW_POP3D_POPREAD_H
#define MAILROW_POP3D_POPREAD_H

#include "lib/dot.h"
#include "pop3d/popevent.h"

struct popstate;

enum {
	POPREAD_AHEAD_MAX = 262144, /* octets of one read-ahead */
	POPREAD_SMALL = 32768,      /* mails up to this are read ahead */
	POPREAD_HEADER = 8192       /* asked for a header at first */
};

/* What the frames of the flight are for. */
enum popread_mode {
	READ_DRAIN,  /* nobody: their command is answered */
	READ_STREAM, /* the command, as they come */
	READ_AHEAD   /* the cache */
};

struct popread_mail {
	uint64_t uid;
	uint64_t octets; /* of the whole mail */
	size_t at, n;    /* what the cache holds of it */
};

struct popread {
	/* the command */
	size_t i;
	bool top;
	uint64_t lines;
	bool alone; /* the read-ahead did not hold enough of it */
	bool begun; /* its "+OK" is out */
	struct dot_top cut;
	struct dot_stuffer stuffer;
	uint64_t octets; /* of its mail */
	bool blank_line; /* is missing behind its header, and counted */
	uint64_t come;   /* how many of them came */
	/* the flight */
	enum popread_mode mode;
	uint64_t come_before; /* the flight; for progress */
	/* whether mails are asked for one after the other */
	size_t expected;
	bool expected_top;
	size_t window;
	/* the read-ahead */
	struct buf cache;
	struct popread_mail mail[CHAN_READ_MAX];
	size_t n;
};

void popread_init(struct popread *r);
void popread_release(struct popread *r);

/* The step of JOB_READ. */
struct pop_event popread_go(struct popstate *s);

/* A reply while FLIGHT_READ. */
struct pop_event popread_reply(struct popstate *s, struct chan_reply *r);

#endif
