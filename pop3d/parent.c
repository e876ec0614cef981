#include "pop3d/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/confload.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/net.h"
#include "lib/notify.h"
#include "pop3d/keeper.h"

enum {
	FILES_BESIDE = 64,
	BAN_MS = 60000,
	CRASHES_MAX = 5,
	SESSIONS_STOP_MS = 20000,
	KEEPER_STOP_MS = 20000
};

/* A descriptor among others, not handlers: ppoll() does not let a signal in
 * while a listener is always ready. */
static void catch_signals(struct parent *p)
{
	static const int caught[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };

	p->signals = daemon_signalfd(caught, sizeof(caught) / sizeof(*caught));
	if (p->signals < 0)
		log_fatal(EX_OSERR, "cannot make a signalfd: %s",
			  strerror(errno));
}

static uint64_t random_number(void)
{
	uint64_t n;

	if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
		log_fatal(EX_OSERR, "cannot get random octets: %s",
			  strerror(errno));
	return n;
}

static void find_login_user(struct parent *p)
{
	static struct daemon_user login;

	if (geteuid() != 0)
		return;
	daemon_find_user(p->conf->login_user, &login);
	if (login.uid == 0)
		log_fatal(EX_CONFIG, "login_user must not be root");
	p->login = &login;
}

static void set_up(struct parent *p)
{
	unsigned long sessions = p->conf->pop3_max_sessions;

	find_login_user(p);
	if (!daemon_need_files(sessions + FILES_BESIDE))
		log_warn("cannot open as many files as pop3_max_sessions "
			 "needs");
	if (!clients_init(&p->clients, sessions, random_number()))
		log_fatal(EX_OSERR, "out of memory");
	p->next_id = random_number();
	p->sandbox = daemon_sandbox(p->conf, SANDBOX_SESSION, "sessions");
	p->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	keeper_set_conf_file(p->conf_file);
	parent_tls_start(p);
	if (parent_exec_resume(p))
		return;
	parent_listen_start(p);
	parent_keeper_open_console(p);
}

/* Signals that a mistake of ours raises, or an attack on it. SIGKILL is an
 * administrator, or the kernel out of memory. */
static bool is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL ||
	       sig == SIGFPE || sig == SIGABRT || sig == SIGSYS ||
	       sig == SIGTRAP;
}

/* Who makes a session crash shall not try again and again, and after a few
 * tries the addresses that he may have learnt are wrong. */
static void session_crashed(struct parent *p, const struct ipaddr *a)
{
	metric_add(M_SESSION_CRASHED, 1);
	clients_ban(&p->clients, a, deadline_in(BAN_MS));
	p->crashes++;
}

static void session_ended(struct parent *p, pid_t pid, int status)
{
	char text[IPADDR_TEXT_MAX];
	struct ipaddr a;

	if (!clients_remove(&p->clients, pid, &a) || status == 0)
		return;
	if (WIFSIGNALED(status))
		log_warn("session process %d of %s died: signal %d (%s)",
			 (int)pid, ipaddr_text(&a, text), WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		log_warn("session process %d of %s failed: exit code %d",
			 (int)pid, ipaddr_text(&a, text), WEXITSTATUS(status));
	if (WIFSIGNALED(status) && is_crash(WTERMSIG(status)))
		session_crashed(p, &a);
}

void parent_reap(struct parent *p)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == p->keeper)
			parent_keeper_died(p, status);
		else
			session_ended(p, pid, status);
	}
	metric_set(M_SESSIONS, p->clients.n);
}

static void log_problems(struct span problems)
{
	struct span line;

	while (problems.n) {
		(void)span_cut(problems, '\n', &line, &problems);
		log_warn("%.*s", (int)line.n, line.p);
	}
}

/* mailrow-authd knows of these from its start only: a client that was offered
 * one too early would be told that its password is wrong. */
static void keep_until_restart(const struct parent *p, struct conf *c)
{
	c->apop = p->conf->apop;
	c->cram_md5 = p->conf->cram_md5;
}

static void take_conf(struct parent *p, struct conf *c)
{
	keep_until_restart(p, c);
	if (!clients_resize(&p->clients, c->pop3_max_sessions))
		log_warn("cannot take the new pop3_max_sessions: out of "
			 "memory");
	parent_tls_reload(p, c);
	parent_listen_reload(p, c);
	conf_unref(&p->conf);
	p->conf = c;
	log_open(c, program_name(PROG_POP3D));
	if (!p->keeper)
		return;
	p->keeper_ready = false;
	(void)kill(p->keeper, SIGHUP);
}

/* The configuration as the files say now, or NULL and what is wrong logged. */
static struct conf *read_conf(const struct parent *p, const char *otherwise)
{
	struct buf problems = BUF_INIT(CONFLOAD_PROBLEMS_MAX);
	struct conf *c = confload(p->conf_file, &problems);

	if (!c) {
		log_warn("cannot read the configuration: %s", otherwise);
		log_problems(buf_span(&problems));
	}
	buf_release(&problems);
	return c;
}

static void reload(struct parent *p)
{
	struct conf *c;

	notify_reloading();
	c = read_conf(p, "the old one stays");
	if (c)
		take_conf(p, c);
	if (p->keeper_ready || !p->keeper)
		notify_ready();
}

/* With files that are wrong the new start would be the end. */
static void start_anew_after_crashes(struct parent *p)
{
	struct conf *c;

	if (p->crashes < CRASHES_MAX)
		return;
	log_warn("%u sessions crashed: starting anew", p->crashes);
	p->crashes = 0;
	c = read_conf(p, "no new start");
	if (c && parent_tls_would_start(c))
		parent_exec_again(p);
	conf_unref(&c);
}

static void heed_signals(struct parent *p)
{
	struct signalfd_siginfo si;

	while (read(p->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGHUP && !p->stopping)
			reload(p);
		else if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			p->stopping = true;
	}
	parent_reap(p);
}

/* How long to wait until there is something to do or to try again. */
static int wait_time(struct parent *p)
{
	int64_t at = parent_tls_tend(p);

	if (!p->keeper && p->keeper_at < at)
		at = p->keeper_at;
	if (p->accept_after && p->accept_after < at)
		at = p->accept_after;
	return deadline_left(at);
}

static void wait_and_accept(struct parent *p)
{
	struct pollfd pfd[2 + PARENT_LISTENERS_MAX];
	unsigned changes = p->listen_changes;
	nfds_t n = 2;

	pfd[0] = (struct pollfd){ p->signals, POLLIN, 0 };
	pfd[1] =
		(struct pollfd){ p->keeper_ready ? -1 : p->control, POLLIN, 0 };
	if (p->accept_after && deadline_left(p->accept_after) == 0)
		p->accept_after = 0;
	for (size_t i = 0; p->accept_after == 0 && i < p->listeners; i++)
		pfd[n++] = (struct pollfd){ p->listener[i].fd, POLLIN, 0 };
	if (poll(pfd, n, wait_time(p)) <= 0)
		return;
	if (pfd[1].revents)
		parent_keeper_hear(p);
	if (pfd[0].revents)
		heed_signals(p);
	for (nfds_t i = 2; i < n && !p->stopping; i++) {
		/* what was asked about may be gone */
		if (changes != p->listen_changes)
			return;
		if (pfd[i].revents)
			parent_accept(p, &p->listener[i - 2]);
	}
}

static void send_signal(void *arg, pid_t pid, const struct ipaddr *a)
{
	const int *sig = arg;

	(void)a;
	(void)kill(pid, *sig);
}

/* Reaps until the sessions, or all with the keeper, are gone. */
static void wait_for_end(struct parent *p, bool keeper_too, int64_t deadline)
{
	struct pollfd pfd = { .fd = p->signals, .events = POLLIN };

	while ((p->clients.n || (keeper_too && p->keeper)) &&
	       deadline_left(deadline) > 0) {
		if (poll(&pfd, 1, deadline_left(deadline)) > 0)
			heed_signals(p);
	}
}

/* Sessions first: a QUIT under way needs the keeper. */
static void stop(struct parent *p)
{
	int sig = SIGTERM;

	log_info("stopping: %zu sessions", p->clients.n);
	notify_stopping();
	parent_listen_close(p);
	clients_each(&p->clients, send_signal, &sig);
	wait_for_end(p, false, deadline_in(SESSIONS_STOP_MS));
	sig = SIGKILL;
	clients_each(&p->clients, send_signal, &sig);
	if (p->control >= 0)
		(void)close(p->control);
	p->control = -1;
	if (p->keeper)
		(void)kill(p->keeper, SIGTERM);
	wait_for_end(p, true, deadline_in(KEEPER_STOP_MS));
	if (p->keeper)
		(void)kill(p->keeper, SIGKILL);
}

int parent_run(struct conf *conf, const char *conf_file, char **argv)
{
	static struct parent p;

	p = (struct parent){
		.conf = conf,
		.conf_file = conf_file,
		.argv = argv,
		.control = -1,
		.console = -1,
		.exit_code = EX_OK,
	};
	catch_signals(&p);
	set_up(&p);
	parent_reap(&p);
	log_info("ready");
	while (!p.stopping) {
		start_anew_after_crashes(&p);
		parent_keeper_tend(&p);
		wait_and_accept(&p);
	}
	stop(&p);
	(void)close(p.spare);
	sandbox_free(&p.sandbox);
	clients_release(&p.clients);
	tls_free(&p.tls);
	conf_unref(&p.conf);
	return p.exit_code;
}
