#include "pop3d/parent.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/net.h"
#include "lib/notify.h"
#include "pop3d/keeper.h"

enum {
	DELAY_FIRST_MS = 1000,
	DELAY_MOST_MS = 30000,
	LIVED_LONG_MS = 10000, /* one that lived so long starts at once */
	PATIENCE_MS = 200,     /* with a full control socket */
	CONSOLE_BACKLOG = 8
};

/* Only root's; the directory's mode says so too. */
void parent_keeper_open_console(struct parent *p)
{
	const char *path = p->conf->pop3_control_socket;
	struct buf why = BUF_INIT(4096);

	p->console = net_listen_unix(path, getegid(), CONSOLE_BACKLOG, &why);
	if (p->console >= 0 && chmod(path, 0600) != 0) {
		buf_printf(&why, "cannot keep '%s' for root: %s", path,
			   strerror(errno));
		(void)close(p->console);
		p->console = -1;
	}
	if (p->console < 0)
		log_warn("%s: no mailrow pop3", buf_cstr(&why));
	buf_release(&why);
}

/* 0 to 2 and these stay open: ascending, or -1. */
static void close_all_but(const int keep[2])
{
	int from = 3;

	for (int i = 0; i < 2; i++) {
		if (keep[i] > from)
			(void)close_range((unsigned)from, (unsigned)keep[i] - 1,
					  0);
		if (keep[i] >= from)
			from = keep[i] + 1;
	}
	(void)close_range((unsigned)from, ~0U, 0);
}

/* As at process start: signals, and nothing open but what is its own, nor any
 * key of TLS. A reload waits until the keeper can take it. */
static int run_keeper(struct parent *p, int control)
{
	const int ascending[2] = {
		control < p->console ? control : p->console,
		control < p->console ? p->console : control,
	};
	sigset_t reload;

	tls_free(&p->tls);
	(void)sigemptyset(&reload);
	(void)sigaddset(&reload, SIGHUP);
	(void)sigprocmask(SIG_SETMASK, &reload, NULL);
	log_off();
	close_all_but(ascending);
	return keeper_main(p->conf, control, p->console);
}

static void start(struct parent *p)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		log_warn("cannot make the keeper's socket: %s",
			 strerror(errno));
		return;
	}
	p->keeper_ready = false;
	p->keeper = fork();
	if (p->keeper == 0)
		_exit(run_keeper(p, pair[1]));
	(void)close(pair[1]);
	if (p->keeper < 0 || !net_set_nonblocking(pair[0], true)) {
		log_warn("cannot start the keeper: %s", strerror(errno));
		(void)close(pair[0]);
		p->keeper = 0;
		return;
	}
	p->control = pair[0];
}

void parent_keeper_tend(struct parent *p)
{
	if (p->keeper || p->stopping || deadline_left(p->keeper_at) > 0)
		return;
	p->keeper_started = clock_ms();
	p->keeper_at = p->keeper_started + DELAY_FIRST_MS;
	start(p);
}

/* A closed socket has no news either: its death comes as a signal. */
void parent_keeper_hear(struct parent *p)
{
	char octet;
	ssize_t n = recv(p->control, &octet, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	p->keeper_ready = true;
	if (n > 0)
		notify_ready();
}

/* At the first start a mistake in the configuration is to be told; later the
 * files may be half written at this moment, and trying again is better. */
static bool is_final(const struct parent *p, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	return !p->keeper_proven && (code == EX_CONFIG || code == EX_USAGE ||
				     code == EX_NOUSER || code == EX_NOPERM);
}

static void log_death(int status)
{
	if (WIFSIGNALED(status))
		log_warn("keeper died: signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		log_warn("keeper ended: exit code %d", WEXITSTATUS(status));
}

/* At once, then after 1 s, 2 s ... while it keeps dying young. */
static void back_off(struct parent *p)
{
	int64_t now = clock_ms();

	if (now - p->keeper_started >= LIVED_LONG_MS) {
		p->keeper_delay = 0;
		p->keeper_proven = true;
	}
	p->keeper_at = now + p->keeper_delay;
	p->keeper_delay =
		p->keeper_delay ? p->keeper_delay * 2 : DELAY_FIRST_MS;
	if (p->keeper_delay > DELAY_MOST_MS)
		p->keeper_delay = DELAY_MOST_MS;
}

void parent_keeper_died(struct parent *p, int status)
{
	p->keeper = 0;
	if (p->control >= 0)
		(void)close(p->control);
	p->control = -1;
	if (p->stopping)
		return;
	log_death(status);
	back_off(p);
	if (is_final(p, status)) {
		p->exit_code = WEXITSTATUS(status);
		p->stopping = true;
	}
}

/* When hundreds come at once the keeper may need a moment. */
bool parent_keeper_tell(struct parent *p, const struct keeper_session *told,
			int channel)
{
	struct pollfd pfd = { .fd = p->control, .events = POLLOUT };
	struct span message = span_make(told, sizeof(*told));

	if (net_send_fd(p->control, message, channel))
		return true;
	if (errno == EAGAIN && poll(&pfd, 1, PATIENCE_MS) > 0 &&
	    net_send_fd(p->control, message, channel))
		return true;
	grudge_warn(&p->failing, "cannot pass a session to the keeper");
	return false;
}
