/* sql/content.h: the octets of a mail as they will be stored, while they
 * arrive: headers rebuilt, every line end CRLF, counted, hashed, spooled, and
 * uploaded in pieces when they are many. One pass, bounded memory. */
#ifndef MAILROW_SQL_CONTENT_H
#define MAILROW_SQL_CONTENT_H

#include "lib/dot.h"
#include "lib/headersplit.h"
#include "lib/reply.h"
#include "lib/conf.h"
#include "sql/deliver.h"

struct content {
	struct deliver_mail mail;
	enum reply_id failed; /* R_NONE: all is well */
	bool begun;
	bool eats_space; /* the MTA ate the blank after the colon */
	const struct conf *conf;
	struct pool *pool;
	struct receipt *receipt;
	struct evp_md_ctx_st *digest;
	struct buf out; /* not yet hashed and spooled */
	struct dot_crlf crlf;
	char last[2]; /* octets of the mail so far */
	bool header_done;
	bool raw; /* content_raw() brings it */
	struct headersplit split;
	uint64_t upload_at; /* size from which to upload again */
};

/* Before the first thread. False: the crypto library lacks SHA-256. */
bool content_prepare(void) __attribute__((warn_unused_result));

/* All zero is an empty content. conf and pool, whose connections commit it,
 * must outlive it. own_host as in receipt.h. What goes wrong from here on is
 * remembered in failed, with the reply for it. eats_space may be set after it.
 */
void content_begin(struct content *c, const struct conf *conf,
		   struct pool *pool,
		   bool (*own_host)(void *arg, struct span host), void *arg);
void content_header(struct content *c, struct span name, struct span value);
void content_body(struct content *c, struct span piece);

/* The same for who has the mail as octets, header and body in one: instead of
 * the two above, not beside them. Line ends become CRLF, else nothing is
 * changed. */
void content_raw(struct content *c, struct span piece);

/* The end: c->mail is complete but for the sender. */
void content_finish(struct content *c, struct span queue_id);

/* After a commit, to commit the same mail once more: under an id of its own.
 * False: no randomness. */
bool content_renew(struct content *c) __attribute__((warn_unused_result));

/* Empty again; the second also gives back what the next mail could use. */
void content_reset(struct content *c);
void content_release(struct content *c);

#endif
