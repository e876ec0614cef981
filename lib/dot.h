/* lib/dot.h: message text in its wire form (RFC 1939 s.3, RFC 5321 s.4.5.2).
 * Pure; state lives in the caller's struct, so pieces may be cut anywhere. */
#ifndef MAILROW_LIB_DOT_H
#define MAILROW_LIB_DOT_H

#include "lib/buf.h"

/* Stuffs dots; input has CRLF line ends only (the store sees to that). */
struct dot_stuffer {
	bool inside; /* of a line: the next octet starts none */
	char last[2];
};
#define DOT_STUFFER_INIT                                                       \
	{                                                                      \
		.inside = false, .last = { '\r', '\n' }                        \
	}

/* Appends s in wire form to b. */
void dot_stuff(struct dot_stuffer *d, struct span s, struct buf *b);

/* Appends the end: CRLF if the text lacks it, then "." CRLF. */
void dot_finish(struct dot_stuffer *d, struct buf *b);

/* How much of a TOP goes out: the header, the empty line, then lines of the
 * body (RFC 1939 s.7). */
struct dot_top {
	uint64_t lines; /* still allowed */
	bool body;      /* past the empty line */
	bool line_start;
	bool cr; /* the line so far is a lone CR */
	bool done;
};
#define DOT_TOP_INIT(k)                                                        \
	{                                                                      \
		.lines = (k), .line_start = true                               \
	}

/* How many of the first octets of s belong to the answer; sets done. */
size_t dot_top(struct dot_top *t, struct span s);

/* Makes every line end CRLF: a bare LF gains its CR, a lone CR stays. */
struct dot_crlf {
	bool cr; /* the octet before was CR */
};
void dot_crlf(struct dot_crlf *c, struct span s, struct buf *b);

/* The other way: DATA of SMTP and LMTP (RFC 5321 s.4.5.2). Only CRLF ends a
 * line here: a dot between bare LFs is data, so nobody ends a message that the
 * one who handed it on saw going on. */
enum dot_place { DOT_LINE, DOT_DOT, DOT_DOT_CR, DOT_INSIDE, DOT_CR };
struct dot_reader {
	enum dot_place place; /* all zero at the start of a message */
};

/* Appends the text in s to b; returns how many octets of s that took. Fewer
 * than s.n only at the end: then *end_r, and what follows is no data. */
size_t dot_unstuff(struct dot_reader *d, struct span s, struct buf *b,
		   bool *end_r);

#endif
