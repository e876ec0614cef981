/* lib/tls.h: TLS for a server with a process a connection. The parent loads
 * certificates and makes ticket keys; what it has loaded is inherited by
 * fork(), and a session opens no file.
 *
 * The only place that knows <openssl/ssl.h>. TLS 1.2 and 1.3, no compression,
 * no renegotiation, no early data. A client that sends ALPN must name "pop3",
 * so that nobody is led here who meant to speak something else (RFC 7301). */
#ifndef MAILROW_LIB_TLS_H
#define MAILROW_LIB_TLS_H

#include "lib/buf.h"
#include "lib/conf.h"

/* The parent's side. */
struct tls;

/* Nothing is loaded yet. NULL: no memory. Everything that OpenSSL reads or
 * prepares once is done here. */
struct tls *tls_new(void);
void tls_free(struct tls **t); /* with all keys overwritten */

/* Takes the certificates that c names (tls_cert ...). Those that are bad are
 * told in why, a line each; for them what was loaded before stays. False when
 * there is none to begin with; then t is as it was. */
bool tls_load(struct tls *t, const struct conf *c, struct buf *why)
	__attribute__((warn_unused_result));

/* Whether a client could begin TLS. t may be NULL. */
bool tls_ready(const struct tls *t);

/* Makes a new ticket key when it is time; when it is time again (clock_ms()).
 * 0: no random octets, try again. */
int64_t tls_turn_tickets(struct tls *t);

/* Appends a line for each certificate that ends within so many days. */
void tls_put_ending(const struct tls *t, unsigned days, struct buf *b);

/* All mistakes in what c names, a line each. False when there are any. For
 * --check-config; c without tls_cert has none. */
bool tls_check(const struct conf *c, struct buf *why);

/* A session's side: one connection, never blocking. Octets that are to be
 * sent are gathered and leave with tls_flush(), in as few writes as can be. */
struct tls_conn;

enum tls_result {
	TLS_OK,
	TLS_AGAIN, /* nothing more for the moment */
	TLS_END,   /* the client sends no more */
	TLS_FAILED
};

struct tls_conn *tls_accept(struct tls *t, int fd); /* NULL: no memory */

/* One step. TLS_FAILED: tls_why(), and perhaps an alert to flush. */
enum tls_result tls_shake(struct tls_conn *c);

/* Up to size octets of the client's. */
enum tls_result tls_read(struct tls_conn *c, char *p, size_t size, size_t *n_r);

/* Whether tls_read() may have more although the socket has nothing. */
bool tls_waits(const struct tls_conn *c);

/* Takes a head of s, as much as there is room for; how much, 0 on failure. */
size_t tls_write(struct tls_conn *c, struct span s);

/* Whether something is to be flushed. */
bool tls_unsent(const struct tls_conn *c);

/* Sends. TLS_OK: something left; TLS_AGAIN: nothing could. */
enum tls_result tls_flush(struct tls_conn *c);

/* Says good-bye (close_notify), to be flushed. */
void tls_close(struct tls_conn *c);

/* After the handshake: "TLSv1.3" and the cipher; after its failure: why. */
const char *tls_version(const struct tls_conn *c);
const char *tls_cipher(const struct tls_conn *c);
const char *tls_why(const struct tls_conn *c);

/* This process needs no more handshake: private keys and ticket keys are
 * overwritten in its memory. c is its connection, or NULL. */
void tls_forget_keys(struct tls *t, struct tls_conn *c);

#endif
