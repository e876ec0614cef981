/* milter/say.h: what the judge decided, said to the MTA and to the log. */
#ifndef MAILROW_MILTER_SAY_H
#define MAILROW_MILTER_SAY_H

#include <stdbool.h>

#include <libmilter/mfapi.h>

#include "milter/session.h"

/* Where a decision is said. */
enum say_step { SAY_MAIL, SAY_RCPT, SAY_END };

/* rcpt: the path of RCPT; at the end that of the recipient whom it is about;
 * else empty. */
sfsistat say_verdict(SMFICTX *ctx, const struct session *s, enum say_step step,
		     struct span rcpt, const struct verdict *v);

#endif
