/* lmtpd/endpoint.h: where the MTA finds us, in the words of Postfix. Pure. */
#ifndef MAILROW_LMTPD_ENDPOINT_H
#define MAILROW_LMTPD_ENDPOINT_H

#include "lib/span.h"

enum { LMTP_ENDPOINT_MAX = 256, LMTP_PATH_MAX = 107 };

struct lmtp_endpoint {
	char path[LMTP_PATH_MAX + 1]; /* "" = a TCP port */
	char inet[64];                /* ADDRESS:PORT, for net_listen_inet() */
	char mta[LMTP_ENDPOINT_MAX];  /* for main.cf: "lmtp:unix:..." */
};

/* unix:PATH or a path alone; inet:ADDRESS:PORT. The address is a loopback
 * address: the protocol knows no password, and who can connect can store
 * mail. False: *why_r says what is wrong. */
bool lmtp_endpoint_parse(struct span text, struct lmtp_endpoint *e_r,
			 const char **why_r)
	__attribute__((warn_unused_result));

/* For lmtp_forward: smtp://ADDRESS:PORT, of loopback too: what arrives there
 * is relayed without a question. */
bool lmtp_forward_parse(struct span text, const char **why_r)
	__attribute__((warn_unused_result));

#endif
