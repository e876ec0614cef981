#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/confload.h"
#include "lib/daemon.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/supervise.h"
#include "lib/net.h"
#include "auth/serve.h"

enum { BACKLOG = 1024 };

struct authd {
	struct conf *conf;
	const char *conf_file;
	struct daemon_user user;
	int listener[SERVE_LISTENERS];
};

/* The parent keeps the sockets open: while the child is started again,
 * connects wait, they are not refused. */
static int authd_listen(const char *path, const char *group)
{
	struct buf why = BUF_INIT(1024);
	int fd = net_listen_unix(path, daemon_find_group(group), BACKLOG, &why);

	if (fd < 0)
		log_fatal(EX_CANTCREAT, "%s", buf_cstr(&why));
	buf_release(&why);
	return fd;
}

static void authd_open(struct authd *d)
{
	const struct conf *c = d->conf;

	d->listener[LISTEN_MTA] = authd_listen(c->auth_socket, c->mta_group);
	d->listener[LISTEN_POP3] =
		authd_listen(c->auth_pop3_socket, c->pop3_group);
	d->listener[LISTEN_SASLAUTHD] =
		c->auth_saslauthd_socket[0]
			? authd_listen(c->auth_saslauthd_socket, c->mta_group)
			: -1;
}

static void authd_unlink(const struct conf *c)
{
	(void)unlink(c->auth_socket);
	(void)unlink(c->auth_pop3_socket);
	if (c->auth_saslauthd_socket[0])
		(void)unlink(c->auth_saslauthd_socket);
}

/* Passwords are in our memory: no core dump, no debugger of the same user. */
static void authd_hide_memory(void)
{
	if (prctl(PR_SET_DUMPABLE, 0UL) != 0)
		log_warn("cannot make the memory private: %s", strerror(errno));
}

static int authd_child(void *arg)
{
	struct authd *d = arg;
	struct serve_pools pools;
	int code;

	serve_make_pools(&pools);
	daemon_become(&d->user, (gid_t)-1);
	authd_hide_memory();
	/* the sandbox lets no code be loaded any more */
	db_library_init();
	db_library_load_plugins();
	daemon_confine(d->conf, "the child");
	code = serve_run(d->conf, d->conf_file, d->listener, &pools);
	db_library_end();
	return code;
}

int main(int argc, char **argv)
{
	struct authd d;
	const struct supervise_child child = { program_name(PROG_AUTHD),
					       authd_child, &d };
	struct cli cli = { .check = NULL };
	int code;

	d.conf = cli_daemon(PROG_AUTHD,
			    "verifies passwords for the MTA and mailrow-pop3d",
			    argc, argv, &cli);
	d.conf_file = cli.conf_file;
	daemon_prepare();
	fault_i_am(FAULT_BY_AUTHD);
	log_open(d.conf, program_name(PROG_AUTHD));
	authd_hide_memory();
	metric_open(d.conf->counter_dir, program_name(PROG_AUTHD), false);
	daemon_find_user(d.conf->auth_user, &d.user);
	authd_open(&d);
	code = supervise_run(&child, 1, SIGHUP);
	authd_unlink(d.conf);
	conf_unref(&d.conf);
	return code;
}
