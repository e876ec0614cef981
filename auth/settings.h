/* auth/settings.h: an immutable snapshot of all that comes from files, shared
 * by reference count and swapped at SIGHUP. */
#ifndef MAILROW_AUTH_SETTINGS_H
#define MAILROW_AUTH_SETTINGS_H

#include "lib/conf.h"
#include "sql/db.h"
#include "sql/profile.h"

#include <stdatomic.h>

struct settings {
	struct conf *conf;
	struct profile *profile;
	struct db_target *accounts;
	struct db_target *store;
	bool one_server; /* both targets are the same */
	atomic_uint refs;
};

/* Takes a reference of c. NULL, and lines in why. */
struct settings *settings_new(struct conf *c, struct buf *why);

/* From any thread; the last frees. */
struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings **s);

#endif
