/* auth/attackersync.h: the exchange of the memory of failed logins with the
 * database, where it survives a restart and other nodes read it. A worker does
 * it with what the loop gave it; the loop takes what came. */
#ifndef MAILROW_AUTH_ATTACKERSYNC_H
#define MAILROW_AUTH_ATTACKERSYNC_H

#include "auth/attackers.h"
#include "auth/job.h"
#include "sql/attacker.h"

enum { ATTACKERSYNC_CHANGES = 500, ATTACKERSYNC_EVERY_MS = 5000 };

struct attackersync {
	struct job job;
	struct attackers_change change[ATTACKERSYNC_CHANGES];
	size_t nchanges;
	bool told; /* they are in the database */
	struct attackers_row *row;
	size_t nrows, row_size;
	uint64_t *usual; /* attackers_usual_hash() */
	size_t nusual;
	const struct attackers *hasher;
	struct attacker_since since;
	bool once;       /* what is read at the start was read */
	bool failing;    /* so it is logged once */
	unsigned rounds; /* done */
};

/* NULL: no memory. */
struct attackersync *attackersync_new(const struct attackers *t);
void attackersync_free(struct attackersync **s);

/* In the loop, before and after. */
void attackersync_fill(struct attackersync *s, struct attackers *t);
void attackersync_take(struct attackersync *s, struct attackers *t);

/* In a worker; db is of the store. */
void attackersync_run(struct attackersync *s, struct db *db);

#endif
