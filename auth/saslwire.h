/* auth/saslwire.h: what a client of saslauthd sends, and what it reads: counted
 * strings, the count two octets, the high one first. Pure. */
#ifndef MAILROW_AUTH_SASLWIRE_H
#define MAILROW_AUTH_SASLWIRE_H

#include "lib/authproto.h"

enum { SASLWIRE_WORD_MAX = 255 /* of service and realm */ };

struct saslwire_request {
	struct span login, password, service, realm; /* views of the octets */
};

enum saslwire_status {
	SASLWIRE_MORE, /* not yet whole */
	SASLWIRE_OK,
	SASLWIRE_BAD /* a string too long, or octets behind the last */
};

enum saslwire_status saslwire_parse(struct span octets,
				    struct saslwire_request *r);

/* The name to log in with: the client's library cuts a realm off. */
void saslwire_put_login(struct buf *b, const struct saslwire_request *r);

void saslwire_put_answer(struct buf *b, struct span text);

#endif
