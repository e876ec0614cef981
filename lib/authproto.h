/* lib/authproto.h: the Dovecot authentication protocol 1.1, both sides, as
 * Postfix (xsasl_dovecot_server.c) and Exim speak it. Lines end in LF, fields
 * are separated by TAB, values escaped with \001. Pure. */
#ifndef MAILROW_LIB_AUTHPROTO_H
#define MAILROW_LIB_AUTHPROTO_H

#include "lib/buf.h"
#include "lib/network.h"

enum {
	AUTHPROTO_LINE_MAX = 16384,
	AUTHPROTO_NAME_MAX = 320,
	AUTHPROTO_SECRET_MAX = 1024 /* of a password */
};

enum auth_mech {
	MECH_NONE,
	MECH_PLAIN, /* RFC 4616 */
	MECH_LOGIN,
	MECH_APOP,     /* RFC 1939; answers carry challenge, user, digest */
	MECH_CRAM_MD5, /* RFC 2195; likewise: pop3d makes the challenge */
	MECH_STATE,    /* no login: is this one, who is logged in, still open?
			* Ours, for pop3d; carries the user */
	MECH_COUNT
};
enum auth_mech auth_mech_parse(struct span name);
const char *auth_mech_name(enum auth_mech m);

/* What a client of the socket says. */
enum authproto_verb {
	AUTHPROTO_VERSION,
	AUTHPROTO_CPID,
	AUTHPROTO_AUTH,
	AUTHPROTO_CONT,
	AUTHPROTO_CANCEL,
	AUTHPROTO_OTHER /* unknown verbs are ignored */
};

struct authproto_request {
	enum authproto_verb verb;
	uint64_t id;         /* AUTH, CONT, CANCEL; VERSION: the major number */
	enum auth_mech mech; /* AUTH; MECH_NONE for one we do not have */
	struct span service; /* "smtp", "pop3" */
	struct ipaddr rip, lip; /* all zero when not told */
	bool has_rip;
	bool secured;
	bool has_resp;    /* resp= was there, perhaps empty */
	struct span resp; /* base64, a view of the line */
};

/* One line without LF. False: malformed, close the connection. Unknown
 * parameters are ignored; everything after resp= is its data. */
bool authproto_parse_request(struct span line, struct authproto_request *r)
	__attribute__((warn_unused_result));

/* The whole handshake of the server, sent at accept: mechs has bits
 * 1 << enum auth_mech, cookie is 16 octets. */
void authproto_put_handshake(struct buf *b, unsigned mechs, uint64_t spid,
			     uint64_t cuid, const uint8_t cookie[16]);

/* Who logged in. mailbox and incarnation go to pop3d only ("" = left out). */
struct authproto_ok {
	struct span user;
	struct span mailbox;
	struct span incarnation;
};
void authproto_put_ok(struct buf *b, uint64_t id,
		      const struct authproto_ok *ok);
void authproto_put_cont(struct buf *b, uint64_t id, struct span base64);

/* code is one of these, "" for a plain failure; user may be empty. */
#define AUTHPROTO_CODE_TEMP   "temp_fail"
#define AUTHPROTO_CODE_CLOSED "user_disabled"
void authproto_put_fail(struct buf *b, uint64_t id, struct span user,
			const char *code);

/* What a server of the socket says; the keeper is its client. */
enum authproto_answer_kind {
	AUTHPROTO_A_OK,
	AUTHPROTO_A_FAIL,   /* the password is wrong */
	AUTHPROTO_A_CLOSED, /* FAIL code=user_disabled: it is right, but */
	AUTHPROTO_A_TEMP,   /* FAIL code=temp_fail */
	AUTHPROTO_A_CONT,
	AUTHPROTO_A_DONE, /* end of the handshake */
	AUTHPROTO_A_OTHER /* MECH, SPID, CUID, COOKIE ... */
};
struct authproto_answer {
	enum authproto_answer_kind kind;
	uint64_t id;
	struct span user, mailbox, incarnation; /* views of scratch */
};

/* scratch takes the unescaped values; its old content is dropped. */
bool authproto_parse_answer(struct span line, struct buf *scratch,
			    struct authproto_answer *a)
	__attribute__((warn_unused_result));

/* "VERSION 1 1" and CPID, then AUTH with everything in one line. secret is
 * the password, or for APOP and CRAM-MD5 the 16 octets of the digest, whose
 * challenge is the timestamp with its brackets. Both are base64ed here. */
void authproto_put_hello(struct buf *b, uint64_t cpid);
struct authproto_login {
	enum auth_mech mech; /* PLAIN, APOP, CRAM_MD5 or STATE */
	const char *service;
	struct ipaddr rip, lip;
	bool secured;
	struct span user, secret, challenge;
};
void authproto_put_auth(struct buf *b, uint64_t id,
			const struct authproto_login *l);

/* SASL PLAIN's message (RFC 4616): [authzid] NUL authcid NUL passwd. False if
 * malformed, empty, too long, or authzid is neither empty nor authcid. */
bool auth_plain_split(struct span message, struct span *user_r,
		      struct span *password_r)
	__attribute__((warn_unused_result));

#endif
