/* auth/job.h: what the loop gives to a worker and takes back. It stands first
 * in the struct it is part of. */
#ifndef MAILROW_AUTH_JOB_H
#define MAILROW_AUTH_JOB_H

enum job_kind {
	JOB_CHECK,     /* a struct attempt */
	JOB_LASTLOGIN, /* a struct lastlogin_batch */
	JOB_ATTACKERS  /* a struct attackersync */
};

struct job {
	enum job_kind kind;
	struct job *next;
};

#endif
