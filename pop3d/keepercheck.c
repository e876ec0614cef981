/* pop3d/keepercheck.c: see keepercheck.h. */
#include "pop3d/keepercheck.h"

#include <stdlib.h>

#include <openssl/evp.h>

struct keepercheck {
	EVP_MD_CTX *digest;
	bool failed;
	uint64_t come, octets, trace_octets; /* of the mail */
	uint8_t sha256[MAILDROP_SHA256_SIZE];
};

/* Fetched once: a look-up by name for each mail costs more than hashing a
 * small one. */
static EVP_MD *sha256;

bool keepercheck_prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	return sha256 != NULL;
}

static struct keepercheck *new_check(void)
{
	struct keepercheck *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->digest = EVP_MD_CTX_new();
	if (!c->digest)
		keepercheck_free(&c);
	return c;
}

void keepercheck_free(struct keepercheck **cp)
{
	struct keepercheck *c = *cp;

	if (!c)
		return;
	EVP_MD_CTX_free(c->digest);
	free(c);
	*cp = NULL;
}

void keepercheck_begin(struct keepercheck **cp, const struct maildrop_mail *m)
{
	struct keepercheck *c = *cp ? *cp : new_check();

	*cp = c;
	if (!c)
		return;
	c->come = 0;
	c->octets = m->octets;
	c->trace_octets = m->trace_octets;
	memcpy(c->sha256, m->sha256, sizeof(c->sha256));
	c->failed = !sha256 || EVP_DigestInit_ex(c->digest, sha256, NULL) != 1;
}

/* The trace headers are this mailbox's own, and not part of the content. */
void keepercheck_put(struct keepercheck *c, uint64_t offset, struct span s)
{
	uint64_t skip = 0;

	if (!c || c->failed)
		return;
	c->failed = offset != c->come;
	c->come += s.n;
	if (offset < c->trace_octets)
		skip = c->trace_octets - offset;
	if (skip < s.n)
		s = span_skip(s, (size_t)skip);
	else
		s = SPAN_EMPTY;
	if (s.n && EVP_DigestUpdate(c->digest, s.p, s.n) != 1)
		c->failed = true;
}

enum keepercheck_result keepercheck_end(struct keepercheck *c)
{
	uint8_t md[EVP_MAX_MD_SIZE];

	if (!c || c->failed || c->come < c->octets)
		return KEEPERCHECK_OPEN;
	c->failed = true;
	if (c->come > c->octets)
		return KEEPERCHECK_DIFFERS;
	if (EVP_DigestFinal_ex(c->digest, md, NULL) != 1)
		return KEEPERCHECK_OPEN;
	return memcmp(md, c->sha256, sizeof(c->sha256)) == 0
		       ? KEEPERCHECK_FITS
		       : KEEPERCHECK_DIFFERS;
}
