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
#include "lib/log.h"
#include "milter/callbacks.h"
#include "milter/content.h"
#include "milter/drain.h"
#include "milter/endpoint.h"
#include "milter/settings.h"

enum {
	BACKLOG = 1024,
	FILES_WANTED = 4096, /* a session takes a socket, perhaps a spool */
	PACKET_MAX = 1 << 20 /* Postfix sends headers of 100 KiB in one piece */
};

struct milter {
	struct conf *conf;
	struct cli cli;
	struct endpoint endpoint;
	struct daemon_user user;
	gid_t mta_group;
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
			break;
		default: /* SIGHUP of a terminal: the parent has it too */
			break;
		}
	}
}

/* The socket is ours alone from its first moment: mode 0660 by the umask. */
static void milter_open_socket(struct milter *m)
{
	mode_t before;
	bool ok;

	if (smfi_register(callbacks_table()) != MI_SUCCESS ||
	    smfi_setconn(m->endpoint.conn) != MI_SUCCESS ||
	    smfi_setbacklog(BACKLOG) != MI_SUCCESS)
		log_fatal(EX_SOFTWARE, "cannot set libmilter up");
	(void)smfi_setmaxdatasize(PACKET_MAX);
	before = umask(0117);
	ok = smfi_opensocket(true) == MI_SUCCESS;
	(void)umask(before);
	if (!ok)
		log_fatal(EX_UNAVAILABLE, "cannot listen on '%s'",
			  m->endpoint.conn);
	if (m->endpoint.path[0] &&
	    lchown(m->endpoint.path, (uid_t)-1, m->mta_group) != 0)
		log_fatal(EX_NOPERM, "cannot give '%s' to the MTA's group: %s",
			  m->endpoint.path, strerror(errno));
}

static void milter_open_settings(struct milter *m)
{
	struct buf why = BUF_INIT(65536);

	db_library_init();
	if (!content_prepare())
		log_fatal(EX_SOFTWARE, "the crypto library has no SHA-256");
	if (!settings_open(conf_ref(m->conf), &why))
		log_fatal(EX_CONFIG, "%s", buf_cstr(&why));
	buf_release(&why);
}

static int milter_child(void *arg)
{
	struct milter *m = arg;
	pthread_t thread;
	sigset_t set;
	int e;

	signals_block(&set);
	if (!daemon_need_files(FILES_WANTED))
		log_warn("fewer than %d open files are allowed: many sessions "
			 "at once will fail",
			 FILES_WANTED);
	milter_open_socket(m);
	daemon_become(&m->user, (gid_t)-1);
	milter_open_settings(m);
	e = pthread_create(&thread, NULL, milter_run, NULL);
	if (e != 0)
		log_fatal(EX_OSERR, "cannot start a thread: %s", strerror(e));
	log_info("ready; for main.cf: smtpd_milters = %s", m->endpoint.mta);
	milter_serve_signals(m, &set);
	return EX_OK;
}

/* Held as long as parent or child live, so that a second instance takes the
 * socket neither from us nor from a child that finishes its last mail. */
static void milter_lock(const struct milter *m)
{
	char path[ENDPOINT_PATH_MAX + sizeof(".lock")];
	int fd;

	if (!m->endpoint.path[0])
		return;
	(void)snprintf(path, sizeof(path), "%s.lock", m->endpoint.path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		log_fatal(EX_CANTCREAT, "cannot create '%s': %s", path,
			  strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		log_fatal(EX_TEMPFAIL,
			  "cannot use '%s': another %s holds its lock",
			  m->endpoint.path, program);
}

static void milter_setup(struct milter *m)
{
	const char *why;

	if (!endpoint_parse(span_of(m->conf->milter_socket), &m->endpoint,
			    &why))
		log_fatal(EX_CONFIG, "cannot use milter_socket '%s': %s",
			  m->conf->milter_socket, why);
	daemon_find_user(m->conf->milter_user, &m->user);
	m->mta_group = daemon_find_group(m->conf->mta_group);
	milter_lock(m);
}

int main(int argc, char **argv)
{
	struct milter m = { .conf = NULL };
	int code;

	m.conf = cli_daemon(PROG_MILTER,
			    "store mail for local recipients at end of message",
			    argc, argv, &m.cli);
	daemon_prepare();
	log_open(m.conf, m.conf->syslog_name);
	milter_setup(&m);
	code = daemon_supervise("mailrow-milter", milter_child, &m, SIGUSR1);
	if (m.endpoint.path[0])
		(void)unlink(m.endpoint.path);
	conf_unref(&m.conf);
	return code;
}
