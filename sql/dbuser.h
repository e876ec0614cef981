/* sql/dbuser.h: the UNIX user that a connection is made as. unix_socket takes
 * the process that connects for the proof of who it is; so root makes the
 * purge's connections as the purge's user. */
#ifndef MAILROW_SQL_DBUSER_H
#define MAILROW_SQL_DBUSER_H

#include <sys/types.h>

#include "sql/optfile.h"

struct dbuser {
	bool other; /* than who we are */
	uid_t uid;
	gid_t gid;
};

/* The UNIX user whose name the option file gives, when we are root and no
 * password stands there; else who we are. */
void dbuser_find(struct dbuser *u, const struct optfile *o);

/* Around connecting. Of the whole process: not for programs with threads. */
void dbuser_become(const struct dbuser *u);
void dbuser_return(const struct dbuser *u);

#endif
