/* policy/settings.h: what holds for a whole session: the configuration, the
 * profile, the judge and the database connections made from them. Immutable
 * and counted: a reload makes a new one, sessions keep the one they began
 * with. */
#ifndef MAILROW_POLICY_SETTINGS_H
#define MAILROW_POLICY_SETTINGS_H

#include "policy/judge.h"

struct settings {
	struct conf *conf;
	struct judge judge;
	struct pool *deliver;
	struct settings_private *priv;
};

/* Makes the first settings of this program, and the thread that keeps the
 * policy (refresh.h); the reference to conf is taken over, also on failure.
 * False: lines in why. */
bool settings_open(struct conf *conf, enum program self, struct buf *why)
	__attribute__((warn_unused_result));

/* Reads the configuration anew. Bad: it is logged, and the old one stays. */
void settings_reload(const char *conf_file);

/* The newest settings, with a reference. */
struct settings *settings_get(void);
void settings_put(struct settings **s);

/* For receipt.h: is this host one of our MTAs? Without own_hosts that is the
 * MTA we speak with. */
bool settings_own_host(const struct settings *s, const char *mta,
		       struct span host);

#endif
