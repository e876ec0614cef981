#include "lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/supervise.h"

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

/* The kernel forgets the parent-death signal when ids change. A supervisor
 * must know the new id before it counts. */
static void daemon_change_ids(const struct daemon_user *u)
{
	pid_t parent = getppid();
	int death_signal = 0;

	(void)prctl(PR_GET_PDEATHSIG, &death_signal);
	supervise_tell_user(u->uid);
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

struct sandbox *daemon_sandbox(const struct conf *c, enum sandbox_role role,
			       const char *whom)
{
	struct buf why = BUF_INIT(256);
	struct sandbox *s;

	if (!c->sandbox) {
		log_warn("sandbox = no: nothing confines %s but the user",
			 whom);
		return NULL;
	}
	s = sandbox_new(role, &why);
	if (!s)
		log_fatal(EX_OSERR, "cannot confine %s: %s", whom,
			  buf_cstr(&why));
	if (why.n > 0)
		log_info("confining %s: %s", whom, buf_cstr(&why));
	buf_release(&why);
	return s;
}

void daemon_confine(const struct conf *c, const char *whom)
{
	struct sandbox *s = daemon_sandbox(c, SANDBOX_SERVICE, whom);

	if (!sandbox_drop_files(s) || !sandbox_drop_calls(s))
		log_fatal(EX_OSERR, "cannot confine %s: %s", whom,
			  strerror(errno));
	sandbox_free(&s);
}
