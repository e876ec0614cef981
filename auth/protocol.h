/* auth/protocol.h: what the protocols of our sockets do with a connection.
 * client.c owns the connection and its attempts; a protocol reads what came
 * and says what an attempt ended with. */
#ifndef MAILROW_AUTH_PROTOCOL_H
#define MAILROW_AUTH_PROTOCOL_H

#include "auth/attempt.h"

struct client;

struct protocol {
	/* Puts what a server of it says first; may be NULL. */
	void (*greet)(struct client *c);

	/* Octets have come into c->in. */
	void (*take)(struct client *c);

	/* An attempt wants the client's next message; challenge is base64. */
	void (*put_more)(struct client *c, const struct attempt *a,
			 struct span challenge);

	/* The answer to an attempt; our trouble, for the last one, is told
	 * only by closing where the protocol has no word for it: then it
	 * returns false. */
	void (*put_ok)(struct client *c, const struct attempt *a);
	void (*put_failed)(struct client *c, const struct attempt *a);
	bool (*put_temp)(struct client *c, uint64_t id, enum door door);

	/* Milliseconds that a connection may take to ask; 0: for ever. It has
	 * then also one answer only, which ends it. */
	int64_t once;

	/* Its client may ask for the state of logins (MECH_STATE). */
	bool states;
};

/* protocol_keeper is protocol_dovecot with what is mailrow-pop3d's alone. */
extern const struct protocol protocol_dovecot, protocol_keeper,
	protocol_saslauthd;

#endif
