/* sql/optfile.h: looks into a MySQL option file before the client library
 * reads it: may it be used, and what does it say? */
#ifndef MAILROW_SQL_OPTFILE_H
#define MAILROW_SQL_OPTFILE_H

#include "lib/buf.h"

struct optfile {
	bool has_group;    /* [GROUP] stands in it */
	bool has_database; /* for this group, or for every client */
	bool has_password; /* anywhere */
	char user[81];     /* for this group, or for every client; or "" */
};

/* Of the text itself; included files are not followed. Pure. */
void optfile_scan(struct span text, struct span group, struct optfile *o_r);

/* False, and a line in why, when the file cannot be read, or is readable for
 * everybody while it holds a password. */
bool optfile_load(const char *path, struct span group, struct optfile *o_r,
		  struct buf *why) __attribute__((warn_unused_result));

#endif
