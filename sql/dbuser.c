/* sql/dbuser.c: see dbuser.h. */
#include "sql/dbuser.h"

#include <pwd.h>
#include <unistd.h>

#include "lib/log.h"

void dbuser_find(struct dbuser *u, const struct optfile *o)
{
	const struct passwd *pw = NULL;

	*u = (struct dbuser){ .other = false };
	if (geteuid() == 0 && o->user[0] && !o->has_password)
		pw = getpwnam(o->user);
	if (pw && pw->pw_uid != 0)
		*u = (struct dbuser){ true, pw->pw_uid, pw->pw_gid };
}

/* Not permitted (a container's root): then the server says what it thinks. */
void dbuser_become(const struct dbuser *u)
{
	if (u->other && setegid(u->gid) == 0 && seteuid(u->uid) != 0 &&
	    setegid(getgid()) != 0)
		log_panic("cannot have our group again");
}

void dbuser_return(const struct dbuser *u)
{
	if (u->other && (seteuid(0) != 0 || setegid(getgid()) != 0))
		log_panic("cannot become root again");
}
