/* lib/chan.h: the channel between a POP3 session and the keeper.
 *
 * A SOCK_SEQPACKET pair; one frame is one packet of at most CHAN_FRAME_MAX
 * octets: a type octet, then fixed fields, numbers big-endian. One request is
 * in flight at a time. A successful AUTH is answered by GRANTED, LIST frames
 * and LIST_END: the list of the mailbox as it is then. Neither end trusts the
 * other: every decode checks every length. Pure. */
#ifndef MAILROW_LIB_CHAN_H
#define MAILROW_LIB_CHAN_H

#include "lib/authproto.h"
#include "lib/buf.h"

enum {
	CHAN_FRAME_MAX = 65536,
	CHAN_UIDS_MAX = 4096, /* in one MOVE */
	CHAN_READ_MAX = 64,   /* messages in one READ */
	CHAN_UIDL_MAX = 70,   /* RFC 1939 s.7 */
	CHAN_NOTE_MAX = 64,   /* a proxy's name for the session */
	CHAN_TLS_MAX = 64,    /* of each text in TLS */
	CHAN_SECRET_MAX = AUTHPROTO_SECRET_MAX
};

/* session -> keeper */
enum chan_request_type {
	CHAN_AUTH = 1,
	CHAN_READ = 2,
	CHAN_MOVE = 3,
	CHAN_BYE = 4,
	CHAN_PEER = 5,
	CHAN_TLS = 6 /* not answered */
};

/* Why a session ended, for the log. */
enum chan_end {
	CHAN_END_QUIT,
	CHAN_END_CLOSED, /* the client closed */
	CHAN_END_IDLE,
	CHAN_END_LOGIN_TIMEOUT,
	CHAN_END_ERRORS,
	CHAN_END_ATTEMPTS,
	CHAN_END_SESSION_MAX,
	CHAN_END_TROUBLE,  /* keeper or database */
	CHAN_END_STOPPED,  /* mailrow-pop3d was told to end */
	CHAN_END_CROWDED,  /* a limit of the client's real address */
	CHAN_END_PROXY,    /* no PROXY header where there must be one */
	CHAN_END_KICKED,   /* mailrow pop3 kick */
	CHAN_END_TLS,      /* the handshake failed */
	CHAN_END_DISABLED, /* the account is not open any more */
	CHAN_END_TAKEN,    /* another has the mailbox (pop3_exclusive) */
	CHAN_END_COUNT
};
const char *chan_end_text(enum chan_end e);

struct chan_auth {
	enum auth_mech mech; /* PLAIN, APOP or CRAM_MD5 for authd */
	bool tls;            /* used only to reject, never to grant */
	struct span method;  /* "USER", "APOP", "PLAIN" ...: for the log */
	struct span user;
	struct span secret;
};

/* How the client's connection is protected, for the log: once, before a login.
 * Texts are printable ASCII. */
struct chan_tls {
	bool on;             /* false: the handshake failed */
	struct span version; /* "TLSv1.3"; empty when not on */
	struct span detail;  /* the cipher, or why it failed */
};

/* Reads octets [offset, offset + limit) of each message; limit 0 = to the
 * end. With n > 1 offset is 0 and a message that does not fit in the first
 * chunk is answered shortened: ask again for that one alone. */
struct chan_read {
	uint64_t offset;
	uint64_t limit;
	size_t n;
	uint64_t uid[CHAN_READ_MAX];
};

/* Move to the trash; gathered until last, then one transaction. */
struct chan_move {
	bool last;
	size_t n;
	const char *raw; /* n times 8 octets, chan_move_uid() reads them */
};

struct chan_bye {
	enum chan_end end;
	uint64_t top, top_octets, retr, retr_octets, dele, size_octets;
	uint64_t in_octets, out_octets;
};

/* Whose connection it is, as the proxy says that the parent knows for one;
 * once, before the first AUTH. Answered by PEER_TAKEN or CROWDED. */
struct chan_peer {
	struct ipaddr remote;
	struct ipaddr local; /* all zero: as the parent said */
	uint16_t remote_port, local_port;
	struct span note; /* 0x21..0x7e, may be empty: for the log */
};

struct chan_request {
	enum chan_request_type type;
	union {
		struct chan_peer peer;
		struct chan_auth auth;
		struct chan_read read;
		struct chan_move move;
		struct chan_bye bye;
		struct chan_tls tls;
	} u;
};

/* Views in r point into frame. False: malformed, drop the channel. The puts
 * append one frame; b fails for what the other end would not take. */
bool chan_parse_request(struct span frame, struct chan_request *r)
	__attribute__((warn_unused_result));
uint64_t chan_move_uid(const struct chan_move *m, size_t i);
void chan_put_auth(struct buf *b, const struct chan_auth *a);
void chan_put_read(struct buf *b, const struct chan_read *r);
void chan_put_move(struct buf *b, bool last, const uint64_t *uid, size_t n);
void chan_put_bye(struct buf *b, const struct chan_bye *y);
void chan_put_peer(struct buf *b, const struct chan_peer *p);
void chan_put_tls(struct buf *b, const struct chan_tls *t);

/* keeper -> session */
enum chan_reply_type {
	CHAN_GRANTED = 65, /* the mailbox is yours; the list follows */
	CHAN_DENIED,       /* no login; denial says why */
	CHAN_TEMP,         /* our trouble: ends whatever was asked */
	CHAN_LIST,
	CHAN_LIST_END,
	CHAN_MAIL, /* of READ: a message begins; DATA follows */
	CHAN_DATA,
	CHAN_GONE, /* of READ: this one is no longer there */
	CHAN_READ_END,
	CHAN_MOVED,      /* committed */
	CHAN_CROWDED,    /* of PEER: a limit of ours is reached */
	CHAN_PEER_TAKEN, /* of PEER */
	CHAN_STOP,       /* no answer: end at the next command border */
	CHAN_DAMAGED     /* of READ: the store lacks octets of this one */
};

/* Why there is no login. The first is all that a stranger can get; the others
 * are told to who knows the password. */
enum chan_denial {
	CHAN_DENIED_PASSWORD, /* wrong, or the name */
	CHAN_DENIED_CLOSED,   /* the account is disabled, or not for POP3 */
	CHAN_DENIED_EARLY,    /* login_delay has not passed */
	CHAN_DENIED_IN_USE,   /* pop3_max_per_account is reached */
	CHAN_DENIED_LOCKED,   /* another has the mailbox for itself */
	CHAN_DENIED_COUNT
};

struct chan_list_entry {
	uint64_t uid;
	uint64_t octets;  /* two more than of MAIL: an empty line is added */
	struct span uidl; /* 1..70 octets of 0x21..0x7e */
};

struct chan_grant {
	uint32_t expire_days; /* how long mails stay; 0: for ever */
	bool exclusive; /* QUIT is told to the keeper, whatever is marked */
};

struct chan_reply {
	enum chan_reply_type type;
	uint64_t uid;            /* MAIL, GONE, DAMAGED */
	uint64_t octets;         /* MAIL: of the whole message */
	uint64_t count;          /* LIST: entries; MOVED: messages */
	enum chan_denial denial; /* DENIED */
	struct chan_grant grant; /* GRANTED */
	enum chan_end end;       /* STOP */
	struct span data;        /* DATA; LIST: for chan_list_next() */
};
bool chan_parse_reply(struct span frame, struct chan_reply *r)
	__attribute__((warn_unused_result));

/* Takes the next entry of a LIST frame; count stays what it was, so call it
 * count times, or while data is not empty. False: malformed. */
bool chan_list_next(struct chan_reply *r, struct chan_list_entry *e)
	__attribute__((warn_unused_result));

void chan_put_simple(struct buf *b, enum chan_reply_type t);
void chan_put_granted(struct buf *b, const struct chan_grant *g);
void chan_put_denied(struct buf *b, enum chan_denial why);
void chan_put_mail(struct buf *b, uint64_t uid, uint64_t octets);
void chan_put_gone(struct buf *b, uint64_t uid);
void chan_put_damaged(struct buf *b, uint64_t uid);
void chan_put_moved(struct buf *b, uint64_t count);
void chan_put_stop(struct buf *b, enum chan_end why);

/* data is at most CHAN_FRAME_MAX - 1 octets. */
void chan_put_data(struct buf *b, struct span data);

/* A LIST frame is begun, filled while chan_list_add() says true, ended.
 * False: this entry does not fit (it opens the next frame), or b failed. */
struct chan_list {
	struct buf *b;
	size_t start;
	uint16_t count;
};
void chan_list_begin(struct chan_list *l, struct buf *b);
bool chan_list_add(struct chan_list *l, const struct chan_list_entry *e);
void chan_list_end(struct chan_list *l);

#endif
