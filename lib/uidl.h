/* lib/uidl.h: content ids and UIDLs. Pure. */
#ifndef MAILROW_LIB_UIDL_H
#define MAILROW_LIB_UIDL_H

#include "lib/buf.h"

enum { CONTENT_ID_SIZE = 16, UIDL_MAX = 70 };

/* Time-ordered like a UUIDv7 (RFC 9562 s.5.7): 48 bits of milliseconds since
 * the epoch, then 80 random bits given by the caller. */
void content_id_make(int64_t unix_ms, const uint8_t random[10],
		     uint8_t id_r[CONTENT_ID_SIZE]);

/* The UIDL of a mail: its uid in decimal, and eight base-36 digits of the
 * content id's random part, so that a restored database never reuses one. */
void uidl_put(struct buf *b, uint64_t uid, const uint8_t id[CONTENT_ID_SIZE]);

/* The same without the uid, for where the database puts that in front. */
void uidl_put_tail(struct buf *b, const uint8_t id[CONTENT_ID_SIZE]);

#endif
