/* lib/supervise.h: a daemon's parent: it starts the children that do the
 * work, and keeps them running. */
#ifndef MAILROW_LIB_SUPERVISE_H
#define MAILROW_LIB_SUPERVISE_H

#include <stddef.h>
#include <sys/types.h>

enum { SUPERVISE_MAX = 4 };

struct supervise_child {
	const char *what; /* for log lines: "mailrow-authd" */
	int (*run)(void *arg);
	void *arg;
};

/* Runs each child's run(arg) in a process of its own (at most SUPERVISE_MAX)
 * and keeps them running: one that dies is logged and started again (after
 * 1 s, then up to 30 s when it dies at once). SIGTERM and SIGINT pass on as
 * SIGTERM and end the parent with the children; SIGHUP passes on as
 * reload_signal. A child that exits with a code of EX_CONFIG, EX_USAGE,
 * EX_NOUSER or EX_NOPERM ends the parent, and the other children, with it (no
 * restart repairs that). Returns the exit code. The service manager hears of
 * readiness, reloads and the stop (lib/notify.h).
 * In a child signals are as at process start, but that reload_signal is
 * blocked: it waits until the child takes it (sigwait(), signalfd()). getppid()
 * dying is noticed (PR_SET_PDEATHSIG SIGTERM). */
int supervise_run(const struct supervise_child *child, size_t n,
		  int reload_signal);

/* In a child: clients are served now. Called when it has started, and after
 * each reload whether or not that went well; the service manager is told when
 * all children have. Elsewhere it does nothing. */
void supervise_ready(void);

/* In a child, before its user changes: the parent must know the new one to
 * signal it. Elsewhere it does nothing. */
void supervise_tell_user(uid_t uid);

#endif
