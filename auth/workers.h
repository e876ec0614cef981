/* auth/workers.h: threads that do what may take long: look-ups, hashing,
 * writing last logins. Each has its own database connection. Only the loop
 * calls these functions. */
#ifndef MAILROW_AUTH_WORKERS_H
#define MAILROW_AUTH_WORKERS_H

#include "auth/job.h"
#include "auth/settings.h"

enum { WORKERS_QUEUE_MAX = 8192 };

struct workers;

/* NULL: no memory, no entropy or no threads. event_fd is an eventfd that is
 * raised when jobs are done. Signals must be blocked before. */
struct workers *workers_start(size_t n, struct settings *s, int event_fd);

/* Jobs begun from now on see these. */
void workers_set_settings(struct workers *w, struct settings *s);

/* False: the queue is full. The job is the worker's until it is taken back. */
bool workers_submit(struct workers *w, struct job *j)
	__attribute__((warn_unused_result));

/* The jobs that are done, a list; NULL when there is none. */
struct job *workers_take(struct workers *w);

/* Lets the workers finish what is queued and frees w; done_r as of
 * workers_take(). False: they did not by the deadline; w stays, and the
 * process had better end. */
bool workers_stop(struct workers **w, int64_t deadline, struct job **done_r)
	__attribute__((warn_unused_result));

#endif
