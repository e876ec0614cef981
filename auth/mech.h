/* auth/mech.h: one SASL exchange, from the client's base64 to a name and a
 * secret. Pure. */
#ifndef MAILROW_AUTH_MECH_H
#define MAILROW_AUTH_MECH_H

#include "lib/authproto.h"
#include "lib/buf.h"

enum { MECH_DIGEST_SIZE = 16, MECH_CHALLENGE_MAX = 512 };

enum mech_step {
	MECH_ASK,   /* send the challenge, wait for CONT */
	MECH_DONE,  /* user and secret are there */
	MECH_BAD,   /* malformed: the login failed */
	MECH_MEMORY /* our trouble */
};

struct mech {
	enum auth_mech name;
	bool asked;
	struct buf user;
	struct buf secret; /* password; APOP, CRAM-MD5: 16 octets of digest; a
			    * view of room: it lies where the mech lies */
	struct buf challenge; /* the timestamp that was digested */
	char room[AUTHPROTO_SECRET_MAX + 1];
};

/* Afterwards m stays where it is. */
void mech_init(struct mech *m, enum auth_mech name);

/* Overwrites what was secret. */
void mech_release(struct mech *m);

/* The same for the secret alone: the name is still needed. */
void mech_forget_secret(struct mech *m);

/* Takes the data of AUTH (has_resp false: there was none) or CONT. For
 * MECH_ASK challenge_r is what to send, in base64. */
enum mech_step mech_feed(struct mech *m, bool has_resp, struct span resp,
			 struct span *challenge_r)
	__attribute__((warn_unused_result));

/* The same for a name and a password that came without an exchange. */
enum mech_step mech_set(struct mech *m, struct span user, struct span password)
	__attribute__((warn_unused_result));

#endif
