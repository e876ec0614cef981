/* milter/main.c: mailrow-milter: a parent that supervises and holds the
 * socket's lock, and a child that runs libmilter. The parent touches neither
 * libmilter nor the database, so a fork never copies their threads or
 * connections. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "lib/confload.h"
#include "lib/daemon.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/supervise.h"
#include "milter/callbacks.h"
#include "milter/drain.h"
#include "milter/endpoint.h"
#include "milter/session.h"
#include "policy/decisionlog.h"
#include "policy/notice.h"

enum {
	BACKLOG = 1024,
	FILES_WANTED = 4096, /* a session takes a socket, perhaps a spool */
	PACKET_MAX = 1 << 20 /* Postfix sends headers of 100 KiB in one piece */
};

struct milter {
	struct conf *conf;
	struct cli cli;
	struct daemon_user user;
	gid_t mta_group;
};

/* A socket and what it is for. libmilter serves one a process, so each has a
 * child of its own. */
struct door {
	const struct milter *m;
	enum judge_role role;
	struct endpoint endpoint;
};

enum { DOORS_MAX = 3 };

static const char *const door_names[] = {
	[JUDGE_FULL] = "mailrow-milter",
	[JUDGE_POLICY] = "mailrow-milter (policy)",
	[JUDGE_STORE] = "mailrow-milter (store)",
};

static const char program[] = "mailrow-milter";

/* libmilter closes its own way on SIGTERM: workers leave in the middle of a
 * session. So the main thread takes the signal, lets what is under way come to
 * its end, and goes without asking libmilter. (For a signal to the process
 * the kernel asks the main thread first; should libmilter's own signal thread
 * get it all the same, smfi_main() returns within seconds and we come here
 * too.) _exit(): callbacks may still run, nothing they use is torn down. */
static void milter_leave(int code) __attribute__((noreturn));

static void milter_leave(int code)
{
	struct settings *s = settings_get();
	unsigned left = drain_wait(s->conf->deliver_timeout);

	if (left)
		log_warn("leaving %u messages unfinished: their senders will "
			 "try again",
			 left);
	decisionlog_end();
	_exit(code);
}

static void *milter_run(void *arg)
{
	bool failed = smfi_main() != MI_SUCCESS;

	(void)arg;
	if (failed)
		log_warn("libmilter gave up");
	milter_leave(failed ? EX_UNAVAILABLE : EX_OK);
}

/* In this thread and all that come. SIGHUP means "stop" for libmilter; to us
 * the parent says SIGUSR1. */
static void signals_block(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void milter_serve_signals(const struct milter *m, const sigset_t *set)
{
	for (;;) {
		switch (sigwaitinfo(set, NULL)) {
		case SIGTERM:
		case SIGINT:
			milter_leave(EX_OK);
		case SIGUSR1:
			settings_reload(m->cli.conf_file);
			supervise_ready();
			break;
		default: /* SIGHUP of a terminal: the parent has it too */
			break;
		}
	}
}

/* The socket is ours alone from its first moment: mode 0660 by the umask. */
static void milter_open_socket(const struct door *d)
{
	char conn[ENDPOINT_MAX];
	mode_t before;
	bool ok;

	memcpy(conn, d->endpoint.conn, sizeof(conn));
	if (smfi_register(callbacks_table()) != MI_SUCCESS ||
	    smfi_setconn(conn) != MI_SUCCESS ||
	    smfi_setbacklog(BACKLOG) != MI_SUCCESS)
		log_fatal(EX_SOFTWARE, "cannot set libmilter up");
	(void)smfi_setmaxdatasize(PACKET_MAX);
	before = umask(0117);
	ok = smfi_opensocket(true) == MI_SUCCESS;
	(void)umask(before);
	if (!ok)
		log_fatal(EX_UNAVAILABLE, "cannot listen on '%s'",
			  d->endpoint.conn);
	if (d->endpoint.path[0] &&
	    lchown(d->endpoint.path, (uid_t)-1, d->m->mta_group) != 0)
		log_fatal(EX_NOPERM, "cannot give '%s' to the MTA's group: %s",
			  d->endpoint.path, strerror(errno));
}

static void milter_open_settings(const struct milter *m)
{
	struct buf why = BUF_INIT(65536);

	db_library_init();
	if (!content_prepare())
		log_fatal(EX_SOFTWARE, "the crypto library has no SHA-256");
	if (!settings_open(conf_ref(m->conf), PROG_MILTER, &why))
		log_fatal(EX_CONFIG, "%s", buf_cstr(&why));
	buf_release(&why);
}

static int milter_child(void *arg)
{
	const struct door *d = arg;
	pthread_t thread;
	sigset_t set;
	int e;

	signals_block(&set);
	if (!daemon_need_files(FILES_WANTED))
		log_warn("fewer than %d open files are allowed: many sessions "
			 "at once will fail",
			 FILES_WANTED);
	milter_open_socket(d);
	daemon_become(&d->m->user, (gid_t)-1);
	milter_open_settings(d->m);
	session_set_role(d->role);
	if (!notice_start())
		log_fatal(EX_OSERR, "cannot start a thread");
	e = pthread_create(&thread, NULL, milter_run, NULL);
	if (e != 0)
		log_fatal(EX_OSERR, "cannot start a thread: %s", strerror(e));
	log_info("ready; for main.cf: smtpd_milters = %s", d->endpoint.mta);
	supervise_ready();
	milter_serve_signals(d->m, &set);
	return EX_OK;
}

/* Held as long as parent or child live, so that a second instance takes the
 * socket neither from us nor from a child that finishes its last mail. */
static void milter_lock(const struct door *d)
{
	char path[ENDPOINT_PATH_MAX + sizeof(".lock")];
	int fd;

	if (!d->endpoint.path[0])
		return;
	(void)snprintf(path, sizeof(path), "%s.lock", d->endpoint.path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		log_fatal(EX_CANTCREAT, "cannot create '%s': %s", path,
			  strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		log_fatal(EX_TEMPFAIL,
			  "cannot use '%s': another %s holds its lock",
			  d->endpoint.path, program);
}

static void milter_add_door(const struct milter *m, const char *option,
			    const char *socket, enum judge_role role,
			    struct door *d)
{
	const char *why;

	*d = (struct door){ .m = m, .role = role };
	if (!endpoint_parse(span_of(socket), &d->endpoint, &why))
		log_fatal(EX_CONFIG, "cannot use %s '%s': %s", option, socket,
			  why);
	milter_lock(d);
}

/* The first always, the others where the site has named them. */
static size_t milter_doors(const struct milter *m, struct door door[DOORS_MAX])
{
	const struct conf *c = m->conf;
	size_t n = 0;

	milter_add_door(m, "milter_socket", c->milter_socket, JUDGE_FULL,
			&door[n++]);
	if (c->milter_policy_socket[0])
		milter_add_door(m, "milter_policy_socket",
				c->milter_policy_socket, JUDGE_POLICY,
				&door[n++]);
	if (c->milter_store_socket[0])
		milter_add_door(m, "milter_store_socket",
				c->milter_store_socket, JUDGE_STORE,
				&door[n++]);
	return n;
}

static int milter_serve(const struct milter *m)
{
	struct supervise_child child[DOORS_MAX];
	struct door door[DOORS_MAX];
	size_t n = milter_doors(m, door);
	int code;

	for (size_t i = 0; i < n; i++)
		child[i] = (struct supervise_child){
			.what = door_names[door[i].role],
			.run = milter_child,
			.arg = &door[i],
		};
	code = supervise_run(child, n, SIGUSR1);
	for (size_t i = 0; i < n; i++)
		if (door[i].endpoint.path[0])
			(void)unlink(door[i].endpoint.path);
	return code;
}

int main(int argc, char **argv)
{
	struct milter m = { .conf = NULL };
	int code;

	m.conf = cli_daemon(PROG_MILTER,
			    "store mail for local recipients at end of message",
			    argc, argv, &m.cli);
	daemon_prepare();
	fault_i_am(FAULT_BY_MILTER);
	log_open(m.conf, m.conf->syslog_name);
	metric_open(m.conf->counter_dir, program, false);
	daemon_find_user(m.conf->milter_user, &m.user);
	m.mta_group = daemon_find_group(m.conf->mta_group);
	code = milter_serve(&m);
	conf_unref(&m.conf);
	return code;
}
