/* policy/refresh.h: the policy in force. A thread looks twice a second whether
 * the tables have changed, and swaps whole snapshots; rows that are broken, or
 * a database that is away, leave the one before in force. */
#ifndef MAILROW_POLICY_REFRESH_H
#define MAILROW_POLICY_REFRESH_H

#include "policy/snapshot.h"
#include "sql/db.h"

struct policy_data;

/* Holds no snapshot yet. NULL: no memory. */
struct policy_data *policy_data_new(void);
void policy_data_free(struct policy_data **p);

/* The newest one, with a reference; back with snapshot_put(). While the first
 * is being read this waits for it, for some seconds at most. NULL: none was
 * ever read. */
struct snapshot *snapshot_get(struct policy_data *p);

/* Takes over a reference. */
void policy_data_swap(struct policy_data *p, struct snapshot *s);

/* Reads all tables at once. NULL: why has the lines: what the database said,
 * or the broken rows. It may have lines of rows without effect all the same. */
struct snapshot *refresh_read(struct db *db, bool fold_local, struct buf *why)
	__attribute__((warn_unused_result));

/* Starts the thread, which lives as long as the process; after settings_open()
 * has the first settings. False: there is none to be had. */
bool refresh_start(struct policy_data *p) __attribute__((warn_unused_result));

#endif
