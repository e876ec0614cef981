#include "lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

enum {
	RESTART_FIRST_MS = 1000,
	RESTART_MOST_MS = 30000,
	LIVED_LONG_MS = 10000 /* a child that lived so long starts afresh */
};

void daemon_find_user(const char *name, struct daemon_user *u_r)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		log_fatal(EX_NOUSER, "cannot find user '%s': %s", name,
			  errno ? strerror(errno) : "there is none");
	u_r->uid = pw->pw_uid;
	u_r->gid = pw->pw_gid;
	(void)snprintf(u_r->name, sizeof(u_r->name), "%s", name);
}

gid_t daemon_find_group(const char *name)
{
	struct group *gr;

	errno = 0;
	gr = getgrnam(name);
	if (!gr)
		log_fatal(EX_NOUSER, "cannot find group '%s': %s", name,
			  errno ? strerror(errno) : "there is none");
	return gr->gr_gid;
}

static void daemon_verify_user(const struct daemon_user *u)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) != 0 || getresgid(&rg, &eg, &sg) != 0 ||
	    r != u->uid || e != u->uid || s != u->uid || rg != u->gid ||
	    eg != u->gid || sg != u->gid)
		log_fatal(EX_OSERR, "cannot become user '%s': ids differ",
			  u->name);
	if (u->uid != 0 && setuid(0) == 0)
		log_fatal(EX_OSERR, "cannot become user '%s': root is back",
			  u->name);
}

/* The kernel forgets the parent-death signal when ids change. */
static void daemon_change_ids(const struct daemon_user *u)
{
	pid_t parent = getppid();
	int death_signal = 0;

	(void)prctl(PR_GET_PDEATHSIG, &death_signal);
	if (setresgid(u->gid, u->gid, u->gid) != 0 ||
	    setresuid(u->uid, u->uid, u->uid) != 0)
		log_fatal(EX_OSERR, "cannot become user '%s': %s", u->name,
			  strerror(errno));
	if (death_signal == 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, (unsigned long)death_signal);
	if (getppid() != parent)
		(void)raise(death_signal);
}

void daemon_become(const struct daemon_user *u, gid_t extra_group)
{
	size_t n = extra_group == (gid_t)-1 ? 0 : 1;

	if (geteuid() != 0) {
		if (geteuid() != u->uid)
			log_fatal(EX_NOPERM,
				  "cannot become user '%s': not root", u->name);
		return;
	}
	if (setgroups(n, &extra_group) != 0)
		log_fatal(EX_OSERR, "cannot give up groups: %s",
			  strerror(errno));
	daemon_change_ids(u);
	daemon_verify_user(u);
}

/* Also makes sure that 1 and 2 are open: a socket that became descriptor 2
 * would get the log lines. */
static void daemon_open_standard(void)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd < 2)
		fd = dup(fd);
	if (fd > 0)
		(void)dup2(fd, STDIN_FILENO);
	if (fd > 2)
		close(fd);
}

void daemon_prepare(void)
{
	const struct rlimit none = { 0, 0 };

	daemon_open_standard();
	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &none);
}

bool daemon_need_files(unsigned long n)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return false;
	if (l.rlim_cur >= n)
		return true;
	l.rlim_cur = l.rlim_max < n ? l.rlim_max : n;
	return setrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= n;
}

struct supervised {
	const char *what;
	int (*child_main)(void *arg);
	void *arg;
	int reload_signal;
	pid_t pid;          /* 0: none runs */
	int status;         /* of waitpid(), of the last one */
	int64_t started;    /* of the last one */
	int64_t restart_at; /* while none runs */
	int64_t delay;
	bool stopping;
	sigset_t waited, saved;
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

static void child_run(struct supervised *s, pid_t parent)
	__attribute__((noreturn));

static void child_run(struct supervised *s, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGTERM);
	if (getppid() != parent)
		_exit(0);
	(void)sigprocmask(SIG_SETMASK, &s->saved, NULL);
	exit(s->child_main(s->arg));
}

static void child_plan_restart(struct supervised *s, int64_t lived)
{
	if (lived >= LIVED_LONG_MS || s->delay == 0)
		s->delay = RESTART_FIRST_MS;
	else if (s->delay < RESTART_MOST_MS)
		s->delay = s->delay * 2 < RESTART_MOST_MS ? s->delay * 2
							  : RESTART_MOST_MS;
	s->restart_at = deadline_in(s->delay);
	s->status = 0;
}

static void child_start(struct supervised *s)
{
	pid_t parent = getpid();
	pid_t pid;

	(void)fflush(NULL);
	s->started = clock_ms();
	pid = fork();
	if (pid == 0)
		child_run(s, parent);
	if (pid < 0) {
		log_warn("cannot start %s: %s", s->what, strerror(errno));
		child_plan_restart(s, 0);
		return;
	}
	s->pid = pid;
}

/* What starting again cannot repair. */
static bool child_gave_up(int status)
{
	if (!WIFEXITED(status))
		return false;
	switch (WEXITSTATUS(status)) {
	case EX_CONFIG:
	case EX_USAGE:
	case EX_NOUSER:
	case EX_NOPERM:
		return true;
	default:
		return false;
	}
}

static void child_log_death(const struct supervised *s, pid_t pid)
{
	int sig = WTERMSIG(s->status);

	if (WIFSIGNALED(s->status))
		log_warn("%s (process %ld) died of signal %d (%s)", s->what,
			 (long)pid, sig, signal_name(sig));
	else
		log_warn("%s (process %ld) ended with exit code %d", s->what,
			 (long)pid, WEXITSTATUS(s->status));
}

static bool child_ended_well(const struct supervised *s)
{
	return (WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0) ||
	       (WIFSIGNALED(s->status) && WTERMSIG(s->status) == SIGTERM);
}

/* Orphans of the child come to us when we are process 1: they are reaped
 * too, and no more. */
static void supervise_reap(struct supervised *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->pid)
			continue;
		s->pid = 0;
		s->status = status;
		if (!s->stopping || !child_ended_well(s))
			child_log_death(s, pid);
		if (child_gave_up(status))
			s->stopping = true;
		if (!s->stopping)
			child_plan_restart(s, clock_ms() - s->started);
	}
}

static void supervise_signal(struct supervised *s, int sig)
{
	switch (sig) {
	case SIGTERM:
	case SIGINT:
		s->stopping = true;
		if (s->pid)
			(void)kill(s->pid, SIGTERM);
		break;
	case SIGHUP:
		if (s->pid)
			(void)kill(s->pid, s->reload_signal);
		break;
	default:
		break;
	}
}

/* The next signal; 0 when it is time to start the child. */
static int supervise_wait(const struct supervised *s)
{
	int left = deadline_left(s->restart_at);
	struct timespec t = { .tv_sec = left / 1000,
			      .tv_nsec = (long)(left % 1000) * 1000000 };
	int sig;

	do {
		sig = s->pid ? sigwaitinfo(&s->waited, NULL)
			     : sigtimedwait(&s->waited, NULL, &t);
	} while (sig < 0 && errno == EINTR);
	return sig < 0 ? 0 : sig;
}

static int supervise_exit_code(const struct supervised *s)
{
	if (WIFEXITED(s->status))
		return WEXITSTATUS(s->status);
	return child_ended_well(s) ? EX_OK : EX_SOFTWARE;
}

int daemon_supervise(const char *what, int (*child_main)(void *arg), void *arg,
		     int reload_signal)
{
	struct supervised s = { .what = what,
				.child_main = child_main,
				.arg = arg,
				.reload_signal = reload_signal };

	(void)sigemptyset(&s.waited);
	(void)sigaddset(&s.waited, SIGTERM);
	(void)sigaddset(&s.waited, SIGINT);
	(void)sigaddset(&s.waited, SIGHUP);
	(void)sigaddset(&s.waited, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &s.waited, &s.saved);
	while (!s.stopping || s.pid) {
		if (!s.stopping && !s.pid && deadline_left(s.restart_at) == 0)
			child_start(&s);
		supervise_signal(&s, supervise_wait(&s));
		supervise_reap(&s);
	}
	(void)sigprocmask(SIG_SETMASK, &s.saved, NULL);
	return supervise_exit_code(&s);
}

int daemon_signalfd(const int *signals, size_t n)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		(void)sigaddset(&set, signals[i]);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
