/* pop3d/keepercheck.h: whether a mail that is read whole still has the SHA-256
 * of the content it came with. For one mail at a time, of one thread. */
#ifndef MAILROW_POP3D_KEEPERCHECK_H
#define MAILROW_POP3D_KEEPERCHECK_H

#include "sql/maildrop.h"

struct keepercheck;

/* Once, before the first thread. False: no SHA-256, so nothing is checked. */
bool keepercheck_prepare(void) __attribute__((warn_unused_result));

/* A mail begins; *c is made, or used again. Without memory *c stays NULL: the
 * mail is served unchecked. */
void keepercheck_begin(struct keepercheck **c, const struct maildrop_mail *m);

/* Octets of it that begin at offset; a gap ends the check. */
void keepercheck_put(struct keepercheck *c, uint64_t offset, struct span s);

enum keepercheck_result {
	KEEPERCHECK_OPEN, /* not at its end, or not to be told */
	KEEPERCHECK_FITS,
	KEEPERCHECK_DIFFERS
};

/* Only once a mail. */
enum keepercheck_result keepercheck_end(struct keepercheck *c)
	__attribute__((warn_unused_result));

void keepercheck_free(struct keepercheck **c);

#endif
