/* pop3d/keeperconf.c: see keeperconf.h. */
#include "pop3d/keeperconf.h"

#include "lib/confload.h"
#include "lib/daemon.h"
#include "lib/log.h"
#include "pop3d/keeperloop.h"

enum { PROBLEMS_MAX = 65536, FILES_BESIDE = 128 };

void keeperconf_need_files(const struct conf *c)
{
	if (!daemon_need_files(c->pop3_max_sessions + c->keeper_workers +
			       FILES_BESIDE))
		log_warn("cannot open as many files as pop3_max_sessions "
			 "needs");
}

static void log_problems(struct span problems)
{
	struct span line;

	log_warn("cannot reload the configuration: the old one stays");
	while (problems.n) {
		(void)span_cut(problems, '\n', &line, &problems);
		if (line.n)
			log_warn("%.*s", (int)line.n, line.p);
	}
}

/* Takes c over when it can be used. */
static bool take(struct keeperloop *k, struct conf *c, struct buf *problems)
{
	struct db_target *t = db_target_new(c, PROG_POP3D, DB_STORE, problems);

	if (!t)
		return false;
	if (!keeperworkers_retarget(k->workers, t)) {
		db_target_free(&t);
		buf_puts(problems, "out of memory");
		return false;
	}
	conf_unref(&k->reloaded);
	k->reloaded = c;
	k->conf = c;
	keeperlimits_reload(&k->limits, c);
	return true;
}

void keeperconf_reload(struct keeperloop *k)
{
	struct buf problems = BUF_INIT(PROBLEMS_MAX);
	struct conf *c;

	if (!k->conf_file[0])
		return;
	c = confload(k->conf_file, &problems);
	if (c && take(k, c, &problems)) {
		log_open(c, "mailrow-pop3d");
		keeperconf_need_files(c);
		log_info("configuration reloaded");
	} else {
		log_problems(buf_span(&problems));
		conf_unref(&c);
	}
	buf_release(&problems);
}
