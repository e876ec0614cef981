/* lmtpd/lmtpparse.h: the arguments of MAIL and RCPT (RFC 5321 s.4.1.1). Pure.
 * All views are of the argument. */
#ifndef MAILROW_LMTPD_LMTPPARSE_H
#define MAILROW_LMTPD_LMTPPARSE_H

#include "lib/reply.h"
#include "lib/span.h"

struct lmtp_mail {
	struct span path; /* with its <> */
	uint64_t size;    /* SIZE=, 0 = not told */
	bool utf8;        /* SMTPUTF8 */
};

/* R_NONE, or why it is none. What an extension means that concerns the MTA
 * alone (BODY, RET, ENVID, NOTIFY, ORCPT) is taken and not kept. */
enum reply_id lmtp_parse_mail(struct span arg, struct lmtp_mail *m_r)
	__attribute__((warn_unused_result));
enum reply_id lmtp_parse_rcpt(struct span arg, struct span *path_r)
	__attribute__((warn_unused_result));

#endif
