/* lib/header.h: header lines as octets. Pure. */
#ifndef MAILROW_LIB_HEADER_H
#define MAILROW_LIB_HEADER_H

#include "lib/buf.h"

/* Appends a header as libmilter hands it over (with SMFIP_HDR_LEADSPC the
 * value keeps what stood after the colon; its inner line ends are bare LF) in
 * its own octets: "name:value" CRLF, every line end CRLF. */
void header_put(struct buf *b, struct span name, struct span value);

/* The value unfolded into out (CR and LF dropped), trimmed. */
void header_unfold(struct span value, struct buf *out);

/* Of a Received value: the by-host ("by NAME"), empty when there is none. */
struct span header_received_by(struct span value);

/* The same for its id ("id NAME"). */
struct span header_received_id(struct span value);

/* And its date, which stands behind the semicolon. */
struct span header_received_date(struct span value);

#endif
