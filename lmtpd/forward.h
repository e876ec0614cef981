/* lmtpd/forward.h: hands a mail on by SMTP, to what an alias names abroad. */
#ifndef MAILROW_LMTPD_FORWARD_H
#define MAILROW_LMTPD_FORWARD_H

#include "lib/addr.h"
#include "lib/spool.h"

/* Before the first thread. */
bool forward_prepare(void) __attribute__((warn_unused_result));

/* The addresses that a mail goes on to. */
struct forward_list;
/* NULL: no memory. */
struct forward_list *forward_list_new(void);
bool forward_list_add(struct forward_list *l, const struct addr *a)
	__attribute__((warn_unused_result));
size_t forward_list_size(const struct forward_list *l);
void forward_list_free(struct forward_list **l);

struct forward {
	const char *url;       /* option lmtp_forward */
	const char *hostname;  /* to greet with */
	const char *sender;    /* without <> */
	struct spool *content; /* its octets go out as they are */
	int64_t deadline;      /* clock.h */
};

/* One transaction for all of the list: true when the MTA there has accepted
 * it for every address. Else why tells, without octets of the mail. */
bool forward_send(const struct forward *f, const struct forward_list *l,
		  struct buf *why) __attribute__((warn_unused_result));

#endif
