/* lib/supervise.c: see supervise.h. */
#include "lib/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "lib/notify.h"

enum {
	RESTART_FIRST_MS = 1000,
	RESTART_MOST_MS = 30000,
	LIVED_LONG_MS = 10000 /* a child that lived so long starts afresh */
};

/* What a supervised child tells its parent: whole or not at all, since it is
 * far below PIPE_BUF. */
struct news {
	size_t child;
	int ready; /* 0 or 1; no bool: a child may write what it likes */
	uid_t uid; /* of the child, from now on */
};

/* In the child: where it tells them, and which it is. */
static int news_fd = -1;
static size_t news_child;

/* The parent's end never closes before we do, and a pipe that is full has
 * told enough. */
static void news_tell(bool ready, uid_t uid)
{
	const struct news n = { .child = news_child,
				.ready = ready,
				.uid = uid };

	if (news_fd >= 0 && write(news_fd, &n, sizeof(n)) < 0)
		log_debug("cannot tell the parent: %s", strerror(errno));
}

void supervise_ready(void)
{
	news_tell(true, geteuid());
}

void supervise_tell_user(uid_t uid)
{
	news_tell(false, uid);
}

struct child {
	const struct supervise_child *def;
	pid_t pid;          /* 0: none runs */
	int status;         /* of waitpid(), of the last one */
	int64_t started;    /* of the last one */
	int64_t restart_at; /* while none runs */
	int64_t delay;
	uid_t uid;
	bool ready; /* since the start, or the last reload */
};

struct supervised {
	struct child child[SUPERVISE_MAX];
	size_t n;
	int reload_signal;
	bool stopping;
	sigset_t saved;
	int signals; /* signalfd */
	int news[2]; /* the children write, the parent reads */
};

static const char *signal_name(int sig)
{
	static const struct {
		int sig;
		const char *name;
	} names[] = {
		{ SIGABRT, "SIGABRT" }, { SIGALRM, "SIGALRM" },
		{ SIGBUS, "SIGBUS" },   { SIGFPE, "SIGFPE" },
		{ SIGHUP, "SIGHUP" },   { SIGILL, "SIGILL" },
		{ SIGINT, "SIGINT" },   { SIGKILL, "SIGKILL" },
		{ SIGPIPE, "SIGPIPE" }, { SIGQUIT, "SIGQUIT" },
		{ SIGSEGV, "SIGSEGV" }, { SIGSYS, "SIGSYS" },
		{ SIGTERM, "SIGTERM" }, { SIGTRAP, "SIGTRAP" },
		{ SIGUSR1, "SIGUSR1" }, { SIGUSR2, "SIGUSR2" },
		{ SIGXCPU, "SIGXCPU" }, { SIGXFSZ, "SIGXFSZ" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].sig == sig)
			return names[i].name;
	return "a signal";
}

static void child_run(struct supervised *s, struct child *c, pid_t parent)
	__attribute__((noreturn));

/* A reload that comes before the child can take it must not be its end. */
static void child_run(struct supervised *s, struct child *c, pid_t parent)
{
	sigset_t signals = s->saved;

	(void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGTERM);
	if (getppid() != parent)
		_exit(0);
	(void)close(s->signals);
	(void)close(s->news[0]);
	news_fd = s->news[1];
	news_child = (size_t)(c - s->child);
	(void)sigaddset(&signals, s->reload_signal);
	(void)sigprocmask(SIG_SETMASK, &signals, NULL);
	exit(c->def->run(c->def->arg));
}

static void child_plan_restart(struct child *c, int64_t lived)
{
	if (lived >= LIVED_LONG_MS || c->delay == 0)
		c->delay = RESTART_FIRST_MS;
	else if (c->delay < RESTART_MOST_MS)
		c->delay = c->delay * 2 < RESTART_MOST_MS ? c->delay * 2
							  : RESTART_MOST_MS;
	c->restart_at = deadline_in(c->delay);
	c->status = 0;
}

static void child_start(struct supervised *s, struct child *c)
{
	pid_t parent = getpid();
	pid_t pid;

	(void)fflush(NULL);
	c->uid = geteuid();
	c->started = clock_ms();
	pid = fork();
	if (pid == 0)
		child_run(s, c, parent);
	if (pid < 0) {
		log_warn("cannot start %s: %s", c->def->what, strerror(errno));
		child_plan_restart(c, 0);
		return;
	}
	c->pid = pid;
}

/* What starting again cannot repair. */
static bool child_gave_up(const struct child *c)
{
	if (!WIFEXITED(c->status))
		return false;
	switch (WEXITSTATUS(c->status)) {
	case EX_CONFIG:
	case EX_USAGE:
	case EX_NOUSER:
	case EX_NOPERM:
		return true;
	default:
		return false;
	}
}

static void child_log_death(const struct child *c, pid_t pid)
{
	int sig = WTERMSIG(c->status);

	if (WIFSIGNALED(c->status))
		log_warn("%s (process %ld) died of signal %d (%s)",
			 c->def->what, (long)pid, sig, signal_name(sig));
	else
		log_warn("%s (process %ld) ended with exit code %d",
			 c->def->what, (long)pid, WEXITSTATUS(c->status));
}

static bool child_ended_well(const struct child *c)
{
	return (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0) ||
	       (WIFSIGNALED(c->status) && WTERMSIG(c->status) == SIGTERM);
}

/* Root may signal everybody's processes by a capability (CAP_KILL), which a
 * parent need not have: its child's user may as well. */
static void child_signal_as_its_user(const struct child *c, int sig)
{
	if (setresuid((uid_t)-1, c->uid, (uid_t)-1) != 0 ||
	    kill(c->pid, sig) != 0)
		log_warn("cannot send %s to %s: %s", signal_name(sig),
			 c->def->what, strerror(errno));
	if (setresuid((uid_t)-1, getuid(), (uid_t)-1) != 0)
		log_panic("cannot be root again: %s", strerror(errno));
}

static bool supervise_all_ready(const struct supervised *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->child[i].ready)
			return false;
	return true;
}

static void supervise_hear(struct supervised *s)
{
	struct news n;

	while (read(s->news[0], &n, sizeof(n)) == (ssize_t)sizeof(n)) {
		if (n.child >= s->n)
			continue;
		s->child[n.child].uid = n.uid;
		s->child[n.child].ready |= n.ready != 0;
		if (n.ready && !s->stopping && supervise_all_ready(s))
			notify_ready();
	}
}

static void supervise_signal(struct supervised *s, int sig)
{
	for (size_t i = 0; i < s->n; i++) {
		struct child *c = &s->child[i];

		if (c->pid == 0 || kill(c->pid, sig) == 0 || errno != EPERM)
			continue;
		supervise_hear(s); /* its user, which it told before */
		child_signal_as_its_user(c, sig);
	}
}

static void supervise_stop(struct supervised *s)
{
	if (!s->stopping)
		notify_stopping();
	s->stopping = true;
	supervise_signal(s, SIGTERM);
}

/* A child that is being started reads the files as they are by itself. */
static void supervise_reload(struct supervised *s)
{
	if (s->stopping)
		return;
	notify_reloading();
	supervise_hear(s);
	for (size_t i = 0; i < s->n; i++)
		s->child[i].ready = false;
	supervise_signal(s, s->reload_signal);
}

static void supervise_ended(struct supervised *s, struct child *c, int status)
{
	pid_t pid = c->pid;

	c->pid = 0;
	c->status = status;
	c->ready = false;
	if (!s->stopping || !child_ended_well(c))
		child_log_death(c, pid);
	if (child_gave_up(c))
		supervise_stop(s);
	if (!s->stopping)
		child_plan_restart(c, clock_ms() - c->started);
}

/* Orphans of the children come to us when we are process 1: they are reaped
 * too, and no more. */
static void supervise_reap(struct supervised *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n; i++)
			if (pid == s->child[i].pid)
				supervise_ended(s, &s->child[i], status);
}

static void supervise_heed_signals(struct supervised *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			supervise_reload(s);
		else if (si.ssi_signo != SIGCHLD)
			supervise_stop(s);
	}
}

/* Milliseconds until a child is to be started; -1: none is. */
static int supervise_pause(const struct supervised *s)
{
	int pause = -1;

	for (size_t i = 0; i < s->n; i++) {
		int left;

		if (s->stopping || s->child[i].pid)
			continue;
		left = deadline_left(s->child[i].restart_at);
		if (pause < 0 || left < pause)
			pause = left;
	}
	return pause;
}

static void supervise_wait(struct supervised *s)
{
	struct pollfd p[] = { { .fd = s->signals, .events = POLLIN },
			      { .fd = s->news[0], .events = POLLIN } };

	if (poll(p, 2, supervise_pause(s)) <= 0)
		return;
	if (p[1].revents)
		supervise_hear(s);
	if (p[0].revents)
		supervise_heed_signals(s);
}

static void supervise_start(struct supervised *s)
{
	for (size_t i = 0; i < s->n && !s->stopping; i++)
		if (!s->child[i].pid &&
		    deadline_left(s->child[i].restart_at) == 0)
			child_start(s, &s->child[i]);
}

static bool supervise_has_children(const struct supervised *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->child[i].pid)
			return true;
	return false;
}

static void supervise_open(struct supervised *s)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t reload;

	(void)sigemptyset(&reload);
	(void)sigaddset(&reload, s->reload_signal);
	(void)sigprocmask(SIG_BLOCK, &reload, &s->saved);
	s->signals =
		daemon_signalfd(signals, sizeof(signals) / sizeof(*signals));
	if (s->signals < 0 || pipe2(s->news, O_CLOEXEC | O_NONBLOCK) != 0)
		log_fatal(EX_OSERR, "cannot watch over children: %s",
			  strerror(errno));
}

static void supervise_close(struct supervised *s)
{
	(void)close(s->signals);
	(void)close(s->news[0]);
	(void)close(s->news[1]);
	(void)sigprocmask(SIG_SETMASK, &s->saved, NULL);
}

/* That of the first child that did not end well. */
static int supervise_exit_code(const struct supervised *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct child *c = &s->child[i];

		if (WIFEXITED(c->status) && WEXITSTATUS(c->status) != 0)
			return WEXITSTATUS(c->status);
		if (!child_ended_well(c))
			return EX_SOFTWARE;
	}
	return EX_OK;
}

int supervise_run(const struct supervise_child *child, size_t n,
		  int reload_signal)
{
	struct supervised s = { .n = n, .reload_signal = reload_signal };

	for (size_t i = 0; i < n; i++)
		s.child[i].def = &child[i];
	supervise_open(&s);
	while (!s.stopping || supervise_has_children(&s)) {
		supervise_start(&s);
		supervise_wait(&s);
		supervise_reap(&s);
	}
	supervise_close(&s);
	return supervise_exit_code(&s);
}
