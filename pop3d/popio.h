/* pop3d/popio.h: the client's connection: lines in, octets out, never
 * blocking, in clear or through TLS. The only place that reads from it and
 * writes to it. */
#ifndef MAILROW_POP3D_POPIO_H
#define MAILROW_POP3D_POPIO_H

#include "lib/buf.h"
#include "lib/line.h"
#include "lib/tls.h"

enum { POPIO_LINE_MAX = 8192 };

struct popio {
	int fd;
	struct line_buf in;
	struct buf out;       /* what is put here leaves with popio_flush() */
	bool eof;             /* nothing more comes */
	bool broken;          /* nothing more goes out: out is dropped */
	struct tls_conn *tls; /* NULL: in clear */
	bool shaking;         /* the handshake goes on; out waits for it */
	bool shake_failed;    /* it will not come to an end; eof, broken */
	uint64_t in_octets, out_octets;
	size_t in_most;                   /* how far in_room was ever used */
	char in_room[POPIO_LINE_MAX + 2]; /* last: mostly untouched */
};

/* io must be zeroed, and stay where it is. */
void popio_init(struct popio *io, int fd, size_t out_max);

/* Begins TLS: from now on popio_read() and popio_flush() carry on the
 * handshake. Nothing that was to go out in clear may be left. */
void popio_begin_tls(struct popio *io, struct tls *t);

/* Reads what is there, at most one roomful; not while a line waits. */
void popio_read(struct popio *io);

/* Whether there is more to read although the socket has nothing. */
bool popio_waits(const struct popio *io);

/* Octets that were read and not yet taken as a line. */
bool popio_has_octets(const struct popio *io);

/* As line_take(), but an overlong line is told before its end. */
enum line_status popio_take(struct popio *io, struct span *line_r);

/* Overwrites the lines that were taken: they may hold a password. */
void popio_forget(struct popio *io);

/* Writes what the connection takes. Returns whether it took anything. */
bool popio_flush(struct popio *io);

/* Whether something waits to be written, by us or inside TLS; and whether
 * that only waits for the connection to take it. */
bool popio_unsent(const struct popio *io);
bool popio_wants_out(const struct popio *io);

/* Closes. With linger the client has a moment to read what was written: data
 * of his that nobody read would make the kernel throw it away. */
void popio_close(struct popio *io, bool linger);

#endif
