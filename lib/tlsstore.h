/* lib/tlsstore.h: the certificates of a server: one for everybody, and those
 * for names that clients ask for (SNI, RFC 6066 s.3). */
#ifndef MAILROW_LIB_TLSSTORE_H
#define MAILROW_LIB_TLSSTORE_H

#include "lib/tlscert.h"

struct tlsstore_named {
	char *name; /* of the file or directory: a host, or "*." and a domain */
	struct tlscert *cert;
};

struct tlsstore {
	struct tlscert *first; /* for whoever asks for nothing that is there */
	struct tlsstore_named *named;
	size_t n;
};

/* What the configuration says. */
struct tlsstore_files {
	const char *cert, *key; /* tls_cert, tls_key; key "": in cert */
	const char *dir;        /* tls_sni_dir, "": none */

	/* What else a certificate must be good for, or NULL: the reason why it
	 * is not, or NULL. */
	const char *(*refuse)(void *arg, const struct tlscert *c);
	void *arg;
};

/* Loads all of it. In dir, NAME.pem holds certificate and key; NAME/ holds
 * fullchain.pem and privkey.pem, or cert.pem and key.pem. A certificate that is
 * bad or has expired is told in why, a line each; if the store old (may be
 * NULL) has a better one for that place it stays, else an expired one is used
 * and a bad one left out. NULL: nothing for the first place, or no memory. */
struct tlsstore *tlsstore_load(const struct tlsstore_files *f,
			       const struct tlsstore *old, time_t now,
			       struct buf *why);

void tlsstore_free(struct tlsstore **s);

/* The certificate for a host: by the name of its file, then by what it says of
 * itself, then the first. */
struct tlscert *tlsstore_find(const struct tlsstore *s, struct span host);

/* Appends a line for each certificate that ends before then. */
void tlsstore_put_ending(const struct tlsstore *s, time_t now, time_t then,
			 struct buf *b);

void tlsstore_forget_keys(struct tlsstore *s);

#endif
