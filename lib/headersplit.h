/* lib/headersplit.h: finds the header fields of a message that arrives in
 * pieces, and where its body begins. Line ends are CRLF (dot_crlf()). What is
 * neither a field, nor the rest of one, nor the empty line, is body already.
 * Pure. */
#ifndef MAILROW_LIB_HEADERSPLIT_H
#define MAILROW_LIB_HEADERSPLIT_H

#include "lib/buf.h"

/* Of a field, and of a line, what is beyond that is not told. */
enum { HEADERSPLIT_MAX = 128 * 1024 };

struct headersplit {
	struct buf field; /* its lines that are complete */
	struct buf line;  /* the one that arrives */
	uint64_t line_octets;
	uint64_t octets; /* of the header: with the empty line, when done */
	bool done;       /* what comes is body */
	bool failed;     /* no memory: what is told is not all */
};
#define HEADERSPLIT_INIT                                                       \
	{                                                                      \
		.field = BUF_INIT(HEADERSPLIT_MAX),                            \
		.line = BUF_INIT(HEADERSPLIT_MAX)                              \
	}

/* Who is told. The value of a field keeps its blanks and its inner line ends;
 * the last one is taken off. Body comes in pieces as it arrives. */
struct headersplit_to {
	void (*field)(void *arg, struct span name, struct span value);
	void (*body)(void *arg, struct span piece);
	void *arg;
};

void headersplit_feed(struct headersplit *h, struct span piece,
		      const struct headersplit_to *to);

/* The message has ended. */
void headersplit_end(struct headersplit *h, const struct headersplit_to *to);

void headersplit_release(struct headersplit *h);

#endif
