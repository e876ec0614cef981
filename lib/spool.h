/* lib/spool.h: a message while it arrives: in memory to a bound, then in an
 * unlinked temporary file. */
#ifndef MAILROW_LIB_SPOOL_H
#define MAILROW_LIB_SPOOL_H

#include "lib/buf.h"

struct spool;

/* NULL: no memory. dir must be writable when memory is exceeded. */
struct spool *spool_new(const char *dir, size_t memory);
void spool_free(struct spool **s);

/* False: no space or an I/O error (spool_why() tells); sticks. */
bool spool_put(struct spool *s, struct span piece)
	__attribute__((warn_unused_result));
const char *spool_why(const struct spool *s);

uint64_t spool_size(const struct spool *s);

/* Reads up to n octets at offset, as often as wanted. A short count only at
 * the end; -1 on an I/O error. */
int64_t spool_read(struct spool *s, uint64_t offset, char *p, size_t n);

#endif
