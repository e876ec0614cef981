/* pop3d/keeperleasejob.h: the jobs that keep leases; they answer in the job
 * itself, and no session. */
#ifndef MAILROW_POP3D_KEEPERLEASEJOB_H
#define MAILROW_POP3D_KEEPERLEASEJOB_H

#include "pop3d/keeperjob.h"

enum db_result keeperleasejob_renew(struct keeperjob *j, struct db *db,
				    struct buf *scratch)
	__attribute__((warn_unused_result));
enum db_result keeperleasejob_release(struct keeperjob *j, struct db *db,
				      struct buf *scratch)
	__attribute__((warn_unused_result));
enum db_result keeperleasejob_inherit(struct keeperjob *j, struct db *db,
				      struct buf *scratch)
	__attribute__((warn_unused_result));

#endif
