/* pop3d/keeperleasejob.c: see keeperleasejob.h. */
#include "pop3d/keeperleasejob.h"

#include <stdlib.h>

#include "lib/fault.h"

enum db_result keeperleasejob_renew(struct keeperjob *j, struct db *db,
				    struct buf *scratch)
{
	const struct keeperjob_renew *w = &j->u.renew;
	struct lease *l = calloc(w->n, sizeof(*l));
	enum db_result r;

	(void)scratch;
	if (!l)
		return DB_DOWN;
	for (size_t i = 0; i < w->n; i++)
		l[i] = w->one[i].lease;
	r = lease_renew(db, j->owner, l, w->n);
	for (size_t i = 0; i < w->n && r == DB_OK; i++)
		w->one[i].lease = l[i];
	free(l);
	return r;
}

enum db_result keeperleasejob_release(struct keeperjob *j, struct db *db,
				      struct buf *scratch)
{
	bool held;

	(void)scratch;
	if (FAULT(KEEPER_RELEASE))
		return DB_OURS;
	return lease_end(db, j->owner, &j->lease, &held);
}

enum db_result keeperleasejob_inherit(struct keeperjob *j, struct db *db,
				      struct buf *scratch)
{
	(void)scratch;
	return lease_inherit(db, j->owner);
}
