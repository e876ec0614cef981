/* lib/tlscert.h: one certificate with its chain and its key, read from PEM
 * files and checked. */
#ifndef MAILROW_LIB_TLSCERT_H
#define MAILROW_LIB_TLSCERT_H

#include "lib/buf.h"

#include <openssl/types.h>
#include <openssl/x509.h>
#include <time.h>

struct tlscert {
	char *file;
	X509 *leaf;
	STACK_OF(X509) * chain; /* those behind the leaf; may be NULL */
	EVP_PKEY *key;          /* NULL once it is forgotten */
	time_t until;
	unsigned refs;
};

/* The files: the certificate and those that signed it, in order; the key, ""
 * = in the same file. NULL and why, with the name of the file: cannot be read,
 * a key that everybody can read, malformed, a key of another certificate, not
 * yet valid. An expired one is loaded. */
struct tlscert *tlscert_load(const char *file, const char *key_file, time_t now,
			     struct buf *why);

struct tlscert *tlscert_ref(struct tlscert *c);
void tlscert_unref(struct tlscert **c);

bool tlscert_expired(const struct tlscert *c, time_t now);

/* Whether it says that it is for that host (its subject alternative names). */
bool tlscert_is_for(const struct tlscert *c, struct span name);

/* Frees the key, which OpenSSL overwrites, when nobody else holds it. */
void tlscert_forget_key(struct tlscert *c);

#endif
