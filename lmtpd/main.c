/* lmtpd/main.c: mailrow-lmtpd: a parent that supervises and holds the sockets
 * (connects wait while a child is started again), and a child that serves
 * them. The parent touches neither libcurl nor the database, so a fork never
 * copies their threads or connections. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/confload.h"
#include "lib/daemon.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/net.h"
#include "lib/supervise.h"
#include "lmtpd/endpoint.h"
#include "lmtpd/forward.h"
#include "lmtpd/serve.h"
#include "policy/decisionlog.h"
#include "policy/notice.h"
#include "policy/settings.h"
#include "sql/content.h"

enum {
	BACKLOG = 1024,
	FILES_A_SESSION = 3, /* its socket, perhaps a spool, a hand-on */
	FILES_BESIDE = 600   /* database connections, listeners, log */
};

struct lmtpd {
	struct conf *conf;
	struct cli cli;
	struct daemon_user user;
	struct lmtp_endpoint endpoint[SERVE_LISTENERS_MAX];
	int listener[SERVE_LISTENERS_MAX];
	size_t n;
};

/* In this thread and all that come. */
static void signals_block(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* _exit(): a session that is left behind still runs, nothing that it uses is
 * torn down. */
static void lmtpd_leave(void) __attribute__((noreturn));

static void lmtpd_leave(void)
{
	struct settings *s = settings_get();
	size_t left = serve_stop(s->conf->deliver_timeout);

	if (left)
		log_warn("leaving %zu sessions unfinished: the MTA will try "
			 "again",
			 left);
	decisionlog_end();
	_exit(EX_OK);
}

static void lmtpd_serve_signals(const struct lmtpd *d, const sigset_t *set)
{
	for (;;) {
		switch (sigwaitinfo(set, NULL)) {
		case SIGTERM:
		case SIGINT:
			lmtpd_leave();
		case SIGHUP:
			settings_reload(d->cli.conf_file);
			supervise_ready();
			break;
		default:
			break;
		}
	}
}

/* Where what comes could not go on is better told now. */
static void lmtpd_check_forward(const struct conf *c)
{
	const char *why;

	if (c->lmtp_forward[0] &&
	    !lmtp_forward_parse(span_of(c->lmtp_forward), &why))
		log_fatal(EX_CONFIG, "cannot use lmtp_forward '%s': %s",
			  c->lmtp_forward, why);
}

static void lmtpd_open_settings(struct lmtpd *d)
{
	struct buf why = BUF_INIT(65536);

	db_library_init();
	if (!content_prepare())
		log_fatal(EX_SOFTWARE, "the crypto library has no SHA-256");
	if (!forward_prepare())
		log_fatal(EX_SOFTWARE, "cannot set libcurl up");
	if (!settings_open(conf_ref(d->conf), PROG_LMTPD, &why))
		log_fatal(EX_CONFIG, "%s", buf_cstr(&why));
	buf_release(&why);
}

static int lmtpd_child(void *arg)
{
	struct lmtpd *d = arg;
	unsigned long files =
		(unsigned long)d->conf->lmtp_max_sessions * FILES_A_SESSION +
		FILES_BESIDE;
	sigset_t set;

	signals_block(&set);
	if (!daemon_need_files(files))
		log_warn("fewer than %lu open files are allowed: many "
			 "sessions at once will fail",
			 files);
	daemon_become(&d->user, (gid_t)-1);
	lmtpd_open_settings(d);
	if (!notice_start() || !serve_start(d->listener, d->n))
		log_fatal(EX_OSERR, "cannot start a thread");
	for (size_t i = 0; i < d->n; i++)
		log_info("ready; for main.cf: virtual_transport = %s",
			 d->endpoint[i].mta);
	supervise_ready();
	lmtpd_serve_signals(d, &set);
	return EX_OK;
}

/* Held as long as parent or child live, so that a second instance does not
 * take a socket from us. */
static void lmtpd_lock(const char *socket)
{
	char path[LMTP_PATH_MAX + sizeof(".lock")];
	int fd;

	(void)snprintf(path, sizeof(path), "%s.lock", socket);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		log_fatal(EX_CANTCREAT, "cannot create '%s': %s", path,
			  strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		log_fatal(EX_TEMPFAIL,
			  "cannot use '%s': another mailrow-lmtpd holds its "
			  "lock",
			  socket);
}

static void lmtpd_listen(struct lmtpd *d, const char *word)
{
	struct lmtp_endpoint *e = &d->endpoint[d->n];
	struct buf reason = BUF_INIT(1024);
	const char *why;
	int fd;

	if (!lmtp_endpoint_parse(span_of(word), e, &why))
		log_fatal(EX_CONFIG, "cannot use lmtp_listen '%s': %s", word,
			  why);
	if (e->path[0]) {
		lmtpd_lock(e->path);
		fd = net_listen_unix(e->path,
				     daemon_find_group(d->conf->mta_group),
				     BACKLOG, &reason);
	} else {
		fd = net_listen_inet(span_of(e->inet), BACKLOG, &reason);
	}
	if (fd < 0)
		log_fatal(EX_CANTCREAT, "%s", buf_cstr(&reason));
	buf_release(&reason);
	d->listener[d->n++] = fd;
}

static void lmtpd_listen_all(struct lmtpd *d)
{
	const struct conf_list *l = &d->conf->lmtp_listen;

	if (l->n == 0 || l->n > SERVE_LISTENERS_MAX)
		log_fatal(EX_CONFIG, "cannot use lmtp_listen: 1 to %d places",
			  SERVE_LISTENERS_MAX);
	for (size_t i = 0; i < l->n; i++)
		lmtpd_listen(d, l->word[i]);
}

static void lmtpd_remove_sockets(const struct lmtpd *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->endpoint[i].path[0])
			(void)unlink(d->endpoint[i].path);
}

int main(int argc, char **argv)
{
	static struct lmtpd d;
	const struct supervise_child child = { program_name(PROG_LMTPD),
					       lmtpd_child, &d };
	int code;

	d.conf = cli_daemon(PROG_LMTPD,
			    "store mail that the MTA hands over by LMTP", argc,
			    argv, &d.cli);
	daemon_prepare();
	fault_i_am(FAULT_BY_LMTPD);
	log_open(d.conf, program_name(PROG_LMTPD));
	metric_open(d.conf->counter_dir, program_name(PROG_LMTPD), false);
	lmtpd_check_forward(d.conf);
	daemon_find_user(d.conf->lmtp_user, &d.user);
	lmtpd_listen_all(&d);
	code = supervise_run(&child, 1, SIGHUP);
	lmtpd_remove_sockets(&d);
	conf_unref(&d.conf);
	return code;
}
