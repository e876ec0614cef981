/* lib/trace.h: the trace headers we put before a stored mail
 * (RFC 5321 s.4.4). Everything a peer chose is encoded: no control
 * characters, no comment or line ends early, lines of at most 998 octets,
 * and no other recipient is named. Pure. */
#ifndef MAILROW_LIB_TRACE_H
#define MAILROW_LIB_TRACE_H

#include "lib/addr.h"
#include "lib/buf.h"

struct trace_facts {
	struct span sender;    /* envelope sender without <>, "" = null */
	struct span recipient; /* mailbox it is stored in */
	struct span original;  /* recipient as the client gave it, without <> */
	struct span helo;
	struct span client_name; /* verified reverse name or "unknown" */
	struct span client_addr;
	struct span by;   /* our MTA's name */
	struct span with; /* ESMTP, ESMTPSA ... (RFC 3848) */
	struct span tls;  /* version and cipher, "" = none */
	struct span queue_id;
	int64_t time; /* seconds since the epoch, UTC */
};

/* Return-Path, Delivered-To, X-Original-To when it differs, Received. */
void trace_put(struct buf *b, const struct trace_facts *f);

/* "Mon, 23 Nov 2026 05:15:11 +0000" (RFC 5322 s.3.3) */
void trace_put_date(struct buf *b, int64_t time);

/* The "with" keyword of RFC 3848 / RFC 6531 from what is known. */
const char *trace_with(bool esmtp, bool tls, bool auth, bool utf8);

#endif
