/* auth/doors.h: whether an account, or an application password, may be used as
 * this attempt does. Pure but for the log. */
#ifndef MAILROW_AUTH_DOORS_H
#define MAILROW_AUTH_DOORS_H

#include "auth/attempt.h"
#include "sql/apppass.h"

/* NULL: it may; else why not, a literal. A network list that cannot be read
 * permits what can be read of it, and is logged. */
const char *doors_judge(const struct login_row *row, const struct attempt *a);

/* What of it does not hang on the client. */
const char *doors_closed(const struct login_state *s, enum door door);

/* What the application password adds to what the account's row says. */
const char *doors_judge_app(const struct apppass *app, const struct attempt *a);

#endif
