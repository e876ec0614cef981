/* pop3d/keeper.c: see keeper.h. */
#include "pop3d/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "pop3d/keeperconf.h"
#include "pop3d/keeperloop.h"

enum { WHY_MAX = 4096 };

static const char *keeper_conf_file = "";
static struct lease_owner lease_owner;

void keeper_set_conf_file(const char *file)
{
	keeper_conf_file = file;
}

/* Before the first thread: a thread left behind would keep its rights. The
 * sandbox lets no code be loaded any more. */
static void become(const struct conf *c)
{
	struct daemon_user user;

	keeperconf_need_files(c);
	daemon_find_user(c->pop3_user, &user);
	daemon_become(&user, daemon_find_group(c->pop3_group));
	db_library_init();
	db_library_load_plugins();
	daemon_confine(c, "the keeper");
}

static struct db_target *find_database(const struct conf *c)
{
	struct buf why = BUF_INIT(WHY_MAX);
	struct db_target *t = db_target_new(c, PROG_POP3D, DB_STORE, &why);

	if (!t)
		log_fatal(EX_CONFIG, "%s", buf_cstr(&why));
	buf_release(&why);
	return t;
}

/* What the threads do with signals is settled before there are any. */
static int open_signals(void)
{
	const int signals[] = { SIGHUP, SIGTERM, SIGINT };
	int fd = daemon_signalfd(signals, sizeof(signals) / sizeof(*signals));

	if (fd < 0)
		log_fatal(EX_OSERR, "cannot make a signalfd: %s",
			  strerror(errno));
	return fd;
}

/* The parent reads what it needs; a queue that is full has told enough. */
void keeper_say_ready(int control)
{
	if (send(control, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("cannot tell the parent that all is ready: %s",
			  strerror(errno));
}

/* Before the sandbox: a library may have files to read. */
static void prepare_check(void)
{
	if (!keepercheck_prepare())
		log_warn("no SHA-256: what is read is not checked");
}

/* Before anybody is confined. */
static void prepare_lease(const struct conf *c)
{
	if (!keeperlease_name(c, "/etc/machine-id", &lease_owner))
		log_fatal(EX_OSERR, "cannot name this keeper: %s",
			  strerror(errno));
}

static void run(struct keeperloop *k, const struct conf *c, int control,
		int console)
{
	int signals = open_signals();
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const struct keeperloop_fds fds = {
		.control = control,
		.console = console,
		.signals = signals,
		.wake = wake,
	};

	if (wake < 0 || !keeperloop_init(k, c, &fds))
		log_fatal(EX_OSERR, "cannot begin to wait for events: %s",
			  strerror(errno));
	k->conf_file = keeper_conf_file;
	k->lease.owner = lease_owner;
	k->workers =
		keeperworkers_start(find_database(c), c->keeper_workers, wake);
	if (!k->workers)
		log_fatal(EX_OSERR, "cannot start the database workers");
	keeper_say_ready(control);
	keeperloop_run(k);
	keeperloop_release(k);
	keeperworkers_stop(&k->workers);
	close(wake);
	close(signals);
}

int keeper_main(const struct conf *c, int control, int console)
{
	struct keeperloop *k = malloc(sizeof(*k));

	fault_i_am(FAULT_BY_KEEPER);
	log_open(c, "mailrow-pop3d");
	if (!k)
		log_fatal(EX_OSERR, "cannot start the keeper: out of memory");
	prepare_check();
	prepare_lease(c);
	become(c);
	run(k, c, control, console);
	db_library_end();
	free(k);
	return 0;
}
