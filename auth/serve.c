#include "auth/serve.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/confload.h"
#include "lib/daemon.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/net.h"
#include "lib/supervise.h"

enum {
	CLIENTS_MAX = 8192,
	DESCRIPTORS = CLIENTS_MAX + 256,
	EVENTS_A_TURN = 64,
	ACCEPTS_A_TURN = 64,
	ACCEPT_PAUSE_MS = 500,
	FLUSH_EVERY_MS = 60000,
	FLUSH_PAUSE_MS = 2000,
	FLUSH_EARLY = LASTLOGIN_MAX / 2,
	STOP_FLUSH_MS = 5000,
	PROBLEMS_MAX = 16384,
	ATTEMPTS_AT_ONCE = 2 * WORKERS_QUEUE_MAX
};

void serve_add_client(struct serve *s, struct client *c)
{
	c->prev = NULL;
	c->next = s->clients;
	if (s->clients)
		s->clients->prev = c;
	s->clients = c;
	s->nclients++;
}

/* Events of this turn may still name it, so it is freed later. */
void serve_drop_client(struct serve *s, struct client *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		s->clients = c->next;
	if (c->next)
		c->next->prev = c->prev;
	s->nclients--;
	c->next = s->dead;
	s->dead = c;
}

static void serve_bury(struct serve *s)
{
	while (s->dead) {
		struct client *c = s->dead;

		s->dead = c->next;
		client_free(&c);
	}
}

void serve_look_at(struct serve *s, int64_t due)
{
	if (due < s->look_at)
		s->look_at = due;
}

static bool serve_watch(struct serve *s, int fd, void *what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = what };

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

static bool serve_accept_start(struct serve *s)
{
	bool ok = true;

	for (size_t i = 0; i < SERVE_LISTENERS; i++)
		ok = (s->listener[i] < 0 ||
		      serve_watch(s, s->listener[i], &s->listener[i])) &&
		     ok;
	s->accepting = true;
	return ok;
}

/* Connects wait in the queue of the socket meanwhile: they are not refused,
 * which would end an smtpd. */
static void serve_accept_pause(struct serve *s, int64_t ms)
{
	if (!s->accepting)
		return;
	for (size_t i = 0; i < SERVE_LISTENERS; i++)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->listener[i],
				NULL);
	s->accepting = false;
	s->accept_again = deadline_in(ms);
}

static void serve_accept_failed(struct serve *s)
{
	switch (errno) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
		break;
	default:
		log_warn("auth: cannot accept a connection: %s",
			 strerror(errno));
		serve_accept_pause(s, ACCEPT_PAUSE_MS);
		break;
	}
}

static const struct protocol *const spoken_at[SERVE_LISTENERS] = {
	[LISTEN_MTA] = &protocol_dovecot,
	[LISTEN_POP3] = &protocol_keeper,
	[LISTEN_SASLAUTHD] = &protocol_saslauthd,
};

static void serve_accept(struct serve *s, enum serve_listener which)
{
	struct net_peer peer;
	int fd;

	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		if (s->nclients >= CLIENTS_MAX) {
			log_warn("auth: %zu connections, more have to wait",
				 s->nclients);
			serve_accept_pause(s, ACCEPT_PAUSE_MS);
			return;
		}
		fd = net_accept(s->listener[which], true, &peer);
		if (fd < 0) {
			serve_accept_failed(s);
			return;
		}
		FAULT_PASS(AUTH_ACCEPTED);
		if (!client_new(s, spoken_at[which], fd))
			log_warn("auth: no memory for a connection");
	}
}

static void serve_attempt_done(struct serve *s, struct attempt *a)
{
	bool login = a->mech.name != MECH_STATE;
	uint64_t key[ATTACKERS_BY_BLOCK];

	guard_leave(&s->guard, a, key);
	if (login)
		guard_note(&s->guard, s->settings->conf, a);
	if (login && a->result.verdict == VERDICT_OK)
		lastlogin_note(&s->lastlogin, a, clock_unix());
	if (a->client) {
		client_checked(a);
	} else {
		attempt_log(a, &a->result);
		attempt_free(s->pools.attempts, &a);
	}
	client_wake(s, key);
}

static void serve_take_done(struct serve *s, struct job *j)
{
	struct job *next;

	for (; j; j = next) {
		struct lastlogin_batch *b;

		next = j->next;
		switch (j->kind) {
		case JOB_CHECK:
			serve_attempt_done(s, (struct attempt *)j);
			break;
		case JOB_LASTLOGIN:
			b = (struct lastlogin_batch *)j;
			lastlogin_return(&s->lastlogin, &b);
			s->flushing = false;
			break;
		case JOB_ATTACKERS:
			attackersync_take(s->guard.sync, s->guard.memory);
			s->guard.syncing = false;
			break;
		}
	}
}

static void serve_workers_event(struct serve *s)
{
	uint64_t count;

	/* it only wakes; EAGAIN means that we are awake already */
	if (read(s->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_warn("auth: cannot read an eventfd: %s", strerror(errno));
	serve_take_done(s, workers_take(s->workers));
	serve_take_done(s, workers_take(s->clerk));
}

static void serve_flush(struct serve *s)
{
	struct lastlogin_batch *b;

	s->flush_at = deadline_in(FLUSH_EVERY_MS);
	if (s->flushing)
		return;
	b = lastlogin_take(&s->lastlogin);
	if (!b)
		return;
	s->flushing = workers_submit(s->clerk, &b->job);
	if (!s->flushing)
		lastlogin_return(&s->lastlogin, &b);
}

static void serve_sync(struct serve *s)
{
	struct guard *g = &s->guard;

	s->sync_at = deadline_in(ATTACKERSYNC_EVERY_MS);
	if (g->syncing || strcmp(s->settings->conf->auth_attackers, "off") == 0)
		return;
	attackersync_fill(g->sync, g->memory);
	g->syncing = workers_submit(s->clerk, &g->sync->job);
	if (!g->syncing)
		attackersync_take(g->sync, g->memory);
}

static void serve_reload(struct serve *s)
{
	struct buf why = BUF_INIT(PROBLEMS_MAX);
	struct conf *c = confload(s->conf_file, &why);
	struct settings *fresh = c ? settings_new(c, &why) : NULL;
	struct span first, rest;

	if (fresh) {
		workers_set_settings(s->workers, fresh);
		workers_set_settings(s->clerk, fresh);
		settings_unref(&s->settings);
		s->settings = fresh;
		log_open(c, program_name(PROG_AUTHD));
		log_info("configuration reloaded");
	} else {
		(void)span_cut(buf_span(&why), '\n', &first, &rest);
		log_warn("cannot reload, the old configuration stays: %.*s%s",
			 (int)span_head(first, 1000).n, first.p,
			 rest.n ? " (and more)" : "");
	}
	conf_unref(&c);
	buf_release(&why);
	supervise_ready();
}

static void serve_stop(struct serve *s)
{
	if (s->stopping)
		return;
	serve_accept_pause(s, 0);
	s->stopping = true;
	s->stop_by = deadline_in(s->settings->conf->auth_timeout);
}

static void serve_signal(struct serve *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			serve_reload(s);
		else
			serve_stop(s);
	}
}

static void serve_event(struct serve *s, const struct epoll_event *e)
{
	const int *fd = e->data.ptr;

	if (fd == &s->event_fd)
		serve_workers_event(s);
	else if (fd == &s->signal_fd)
		serve_signal(s);
	else if (fd >= s->listener && fd < s->listener + SERVE_LISTENERS)
		serve_accept(s, (enum serve_listener)(fd - s->listener));
	else
		client_event(e->data.ptr, e->events);
}

static void serve_expire(struct serve *s)
{
	int64_t now = clock_ms(), look = INT64_MAX;
	struct client *c = s->clients, *next;

	if (now < s->look_at)
		return;
	s->look_at = INT64_MAX;
	for (; c; c = next) {
		int64_t due;

		next = c->next;
		due = client_expire(c, now);
		if (due < look)
			look = due;
	}
	serve_look_at(s, look);
}

static int serve_patience(const struct serve *s)
{
	int64_t until = s->flush_at < s->look_at ? s->flush_at : s->look_at;

	if (s->sync_at < until)
		until = s->sync_at;
	if (!s->accepting && !s->stopping && s->accept_again < until)
		until = s->accept_again;
	if (s->stopping && s->stop_by < until)
		until = s->stop_by;
	return deadline_left(until);
}

/* Early when there are many, but not all the time when they cannot be
 * written. */
static bool serve_shall_flush(const struct serve *s)
{
	int left = deadline_left(s->flush_at);

	return left == 0 || (s->lastlogin.n >= FLUSH_EARLY &&
			     left < FLUSH_EVERY_MS - FLUSH_PAUSE_MS);
}

static void serve_turn(struct serve *s)
{
	struct epoll_event e[EVENTS_A_TURN];
	int n = epoll_wait(s->epoll_fd, e, EVENTS_A_TURN, serve_patience(s));

	if (n < 0 && errno != EINTR)
		log_fatal(EX_OSERR, "cannot wait for events: %s",
			  strerror(errno));
	for (int i = 0; i < n; i++)
		serve_event(s, &e[i]);
	serve_expire(s);
	serve_bury(s);
	if (serve_shall_flush(s))
		serve_flush(s);
	if (deadline_left(s->sync_at) == 0)
		serve_sync(s);
	if (!s->accepting && !s->stopping &&
	    deadline_left(s->accept_again) == 0 && !serve_accept_start(s))
		log_fatal(EX_OSERR, "cannot watch a socket: %s",
			  strerror(errno));
}

/* Only the passing of time is left to do for clients: their connections end
 * with the process. */
static void serve_end(struct serve *s)
{
	struct job *done, *late;
	int64_t by;

	while (s->clients)
		client_close(s->clients);
	serve_bury(s);
	serve_flush(s);
	serve_sync(s);
	by = deadline_in(STOP_FLUSH_MS);
	if (!workers_stop(&s->workers, by, &done) ||
	    !workers_stop(&s->clerk, by, &late)) {
		log_warn("the database does not answer: last logins of the "
			 "last minute are not recorded");
		_exit(EX_OK);
	}
	serve_take_done(s, done);
	serve_take_done(s, late);
}

static void serve_open(struct serve *s)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->signal_fd = daemon_signalfd(signals, 3);
	if (s->epoll_fd < 0 || s->event_fd < 0 || s->signal_fd < 0 ||
	    !serve_watch(s, s->event_fd, &s->event_fd) ||
	    !serve_watch(s, s->signal_fd, &s->signal_fd) ||
	    !serve_accept_start(s))
		log_fatal(EX_OSERR, "cannot make an event loop: %s",
			  strerror(errno));
}

/* A child that was started again takes the files as they are now. */
static void serve_load(struct serve *s, struct conf *c)
{
	struct buf why = BUF_INIT(PROBLEMS_MAX);
	struct conf *now = confload(s->conf_file, &why);
	struct span first, rest;

	if (!now)
		log_warn("cannot read '%s' again: starting with what it said "
			 "before",
			 s->conf_file);
	buf_reset(&why);
	s->settings = settings_new(now ? now : c, &why);
	conf_unref(&now);
	(void)span_cut(buf_span(&why), '\n', &first, &rest);
	if (!s->settings)
		log_fatal(EX_CONFIG, "%.*s", (int)span_head(first, 1000).n,
			  first.p);
	buf_release(&why);
}

/* A connection may be accepted before that of this turn's dead is free. */
void serve_make_pools(struct serve_pools *p)
{
	p->lines =
		secret_pool_new(CLIENT_LINE_SIZE, CLIENTS_MAX + ACCEPTS_A_TURN);
	p->attempts = secret_pool_new(sizeof(struct attempt), ATTEMPTS_AT_ONCE);
	if (!p->lines || !p->attempts)
		log_fatal(EX_OSERR, "no memory for passwords");
	if (!secret_pool_locked(p->lines) || !secret_pool_locked(p->attempts))
		log_info("the system does not let passwords be kept out of "
			 "swap: the limit of locked memory is too low");
}

int serve_run(struct conf *c, const char *conf_file,
	      const int listener[SERVE_LISTENERS],
	      const struct serve_pools *pools)
{
	struct serve s = { .conf_file = conf_file,
			   .look_at = INT64_MAX,
			   .pools = *pools };

	memcpy(s.listener, listener, sizeof(s.listener));
	if (!daemon_need_files(DESCRIPTORS))
		log_info("fewer than %d descriptors: fewer connections",
			 DESCRIPTORS);
	serve_load(&s, c);
	s.mechs = 1u << MECH_PLAIN | 1u << MECH_LOGIN;
	if (s.settings->conf->apop)
		s.mechs |= 1u << MECH_APOP;
	if (s.settings->conf->cram_md5)
		s.mechs |= 1u << MECH_CRAM_MD5;
	s.flush_at = deadline_in(FLUSH_EVERY_MS);
	lastlogin_init(&s.lastlogin);
	if (!guard_init(&s.guard))
		log_fatal(EX_OSERR, "no memory for that of failed logins");
	serve_open(&s);
	s.workers = workers_start(s.settings->conf->auth_workers, s.settings,
				  s.event_fd);
	s.clerk = workers_start(1, s.settings, s.event_fd);
	if (!s.workers || !s.clerk)
		log_fatal(EX_OSERR, "cannot start the workers");
	log_info("ready");
	supervise_ready();
	while (!s.stopping || (s.busy && deadline_left(s.stop_by)))
		serve_turn(&s);
	serve_end(&s);
	lastlogin_release(&s.lastlogin);
	guard_release(&s.guard);
	secret_pool_free(&s.pools.lines);
	secret_pool_free(&s.pools.attempts);
	settings_unref(&s.settings);
	close(s.epoll_fd);
	close(s.event_fd);
	close(s.signal_fd);
	return EX_OK;
}
