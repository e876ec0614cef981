/* lib/line.h: cuts a stream of octets into command lines. Pure. */
#ifndef MAILROW_LIB_LINE_H
#define MAILROW_LIB_LINE_H

#include "lib/span.h"

enum line_status {
	LINE_MORE, /* no whole line yet */
	LINE_OK,
	LINE_LONG, /* longer than the maximum: skipped to its end */
	LINE_NUL   /* holds a NUL octet */
};

/* The caller owns the array and sets size; a line may be size - 2 octets
 * and its end (CRLF; a bare LF is taken too). */
struct line_buf {
	char *p;
	size_t size;
	size_t start; /* of what is not yet taken */
	size_t end;
	bool skipping; /* inside an overlong line */
};

/* Room to read into: p and n; n is never 0 after line_take said LINE_MORE. */
struct line_room {
	char *p;
	size_t n;
};
struct line_room line_room(struct line_buf *l);

/* n octets were read into the room. */
void line_added(struct line_buf *l, size_t n);

/* The next line without its end; the view holds until line_room(). */
enum line_status line_take(struct line_buf *l, struct span *line_r);

/* Octets that wait behind the lines taken so far. */
size_t line_pending(const struct line_buf *l);

/* Overwrites everything held (a password may stand there), also what waits:
 * that is dropped. */
void line_wipe(struct line_buf *l);

#endif
