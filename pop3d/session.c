#include "pop3d/session.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "pop3d/chanclient.h"
#include "pop3d/popio.h"
#include "pop3d/popproxy.h"
#include "pop3d/popstate.h"
#include "pop3d/poptls.h"
#include "pop3d/popxclient.h"
#include "pop3d/probe.h"

/* With these two numbers taken and no higher one allowed, no descriptor can
 * be opened. */
enum { FD_CLIENT = 0, FD_CHANNEL = 1, FD_COUNT = 2 };

/* Silent for so long, it may be so for longer. */
enum { REST_MS = 1000 };

/* How often a busy session looks for SIGTERM. */
enum { TURNS_DEAF = 16 };

struct session {
	struct popstate pop;
	struct tls *tls; /* NULL: its keys are forgotten */
	bool keeper_lost;
	int64_t login_deadline;
	int64_t deadline; /* of the whole session */
	int64_t idle_ms;
	int64_t active;   /* when something was last done */
	sigset_t waiting; /* signals blocked while in poll */
	unsigned turns;
	bool rested; /* memory was given back since it was last active */
	struct popio io;
};

static volatile sig_atomic_t told_to_stop;

static void take_stop(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

#define LIMIT(what, n)                                                         \
	(setrlimit(what, &(const struct rlimit){ (n), (n) }) == 0)

/* Under valgrind the hard limit stays: it has descriptors of its own there. */
static bool limit_descriptors(void)
{
	struct rlimit l;

	if (LIMIT(RLIMIT_NOFILE, FD_COUNT))
		return true;
	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return false;
	l.rlim_cur = FD_COUNT;
	return setrlimit(RLIMIT_NOFILE, &l) == 0;
}

/* Nothing is left to a session but its client and its channel. The dumpable
 * mark keeps sessions, which share a uid, out of each other's memory. */
static bool session_confine(const struct session_start *start)
{
	if (start->user) {
		daemon_become(start->user, (gid_t)-1);
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
			return false;
	}
	log_off();
	metric_close();
	return sandbox_drop_files(start->sandbox) &&
	       dup2(start->client, FD_CLIENT) == FD_CLIENT &&
	       dup2(start->channel, FD_CHANNEL) == FD_CHANNEL &&
	       close_range(FD_COUNT, ~0U, 0) == 0 && limit_descriptors() &&
	       LIMIT(RLIMIT_CORE, 0) && LIMIT(RLIMIT_NPROC, 0) &&
	       sandbox_drop_calls(start->sandbox);
}

/* SIGTERM comes in while we wait, never elsewhere; SIGINT and SIGHUP, which
 * the parent blocked, never. */
static void session_catch_signals(struct session *s)
{
	const struct sigaction stop = { .sa_handler = take_stop };

	(void)sigprocmask(SIG_BLOCK, NULL, &s->waiting);
	(void)sigdelset(&s->waiting, SIGTERM);
	(void)sigaction(SIGTERM, &stop, NULL);
}

static void session_init(struct session *s, const struct session_start *start)
{
	const struct conf *c = start->conf;
	const struct popstate_rules rules = {
		.auth_attempts = c->auth_attempts,
		.max_errors = c->max_errors,
		.apop = c->apop,
		.cram_md5 = c->cram_md5,
		.replace_nul = c->pop3_replace_nul,
		.login_delay = c->login_delay,
		.challenge = start->challenge,
		.xclient = start->xclient,
		.stls = tls_ready(start->tls),
		.needs_tls = start->needs_tls,
	};

	popio_init(&s->io, FD_CLIENT, POPSTATE_OUT_MAX);
	popstate_init(&s->pop, &rules, &s->io.out);
	s->tls = start->tls;
	s->active = clock_ms();
	s->login_deadline = s->active + c->login_timeout;
	s->deadline = s->active + c->session_max;
	s->idle_ms = c->idle_timeout;
}

static void session_note_activity(struct session *s)
{
	s->active = clock_ms();
	s->rested = false;
}

/* A handshake leaves pages behind that nobody uses. A short session is spared
 * the work, and one in clear the copies of the parent's pages that it makes. */
static void session_rest(struct session *s)
{
	s->rested = true;
	if (s->io.out.n == 0)
		buf_release(&s->io.out);
#ifdef __GLIBC__
	if (s->io.tls && !s->io.shaking)
		(void)malloc_trim(0);
#endif
}

/* The next line of the client, if it is time and there is one. */
static bool session_take_line(struct session *s)
{
	enum line_status status;
	struct span line;

	if (!popstate_wants_line(&s->pop))
		return false;
	status = popio_take(&s->io, &line);
	if (status == LINE_MORE) {
		if (s->io.eof)
			popstate_stop(&s->pop, CHAN_END_CLOSED);
		return false;
	}
	if (!probe_line(line, FD_CHANNEL, &s->io.out))
		popstate_line(&s->pop, status, line);
	if (s->pop.job == JOB_STLS)
		poptls_answer(&s->pop, popio_has_octets(&s->io));
	if (s->pop.state == ST_AUTH)
		popio_forget(&s->io);
	session_note_activity(s);
	return true;
}

/* Commands and their jobs, until something from outside is needed. */
static void session_advance(struct session *s)
{
	do {
		if (s->pop.job != JOB_NONE)
			popstate_go(&s->pop);
	} while (!s->pop.ended && s->pop.job == JOB_NONE &&
		 session_take_line(s));
}

static void session_lose_keeper(struct session *s)
{
	s->keeper_lost = true;
	popstate_lost(&s->pop);
}

/* What the keeper is asked, and has been asked. */
static void note_request(const struct popstate *s, bool sent)
{
	static const enum fault_id point[FLIGHT_COUNT][2] = {
		[FLIGHT_LOGIN] = { FAULT_SESSION_AUTH,
				   FAULT_SESSION_AUTH_SENT },
		[FLIGHT_READ] = { FAULT_SESSION_READ, FAULT_SESSION_READ_SENT },
		[FLIGHT_MOVE] = { FAULT_SESSION_QUIT, FAULT_SESSION_QUIT_SENT },
	};

	if (s->flight != FLIGHT_NONE)
		(void)fault_met(point[s->flight][sent]);
}

static void session_ask_keeper(struct session *s)
{
	enum chanclient_result r;

	while (!s->pop.ended && s->pop.request.n) {
		note_request(&s->pop, false);
		r = chanclient_send(FD_CHANNEL, buf_span(&s->pop.request));
		if (r == CHANCLIENT_AGAIN)
			return;
		if (r != CHANCLIENT_OK) {
			session_lose_keeper(s);
			continue;
		}
		note_request(&s->pop, true);
		popstate_sent(&s->pop);
	}
}

/* A frame is taken, nothing said yet. */
static void note_frame(enum pop_flight before, const struct popstate *s)
{
	if (before == FLIGHT_LOGIN && s->state == ST_TRANS)
		FAULT_PASS(SESSION_LISTED);
	else if (before == FLIGHT_READ)
		FAULT_PASS(SESSION_PIECE);
	else if (before == FLIGHT_MOVE && s->ended)
		FAULT_PASS(SESSION_MOVED);
}

static void session_hear_keeper(struct session *s)
{
	enum chanclient_result r;
	enum pop_flight before;
	struct span frame;

	while (popstate_wants_frame(&s->pop)) {
		r = chanclient_receive(FD_CHANNEL, &frame);
		if (r == CHANCLIENT_AGAIN)
			return;
		session_note_activity(s);
		if (r != CHANCLIENT_OK) {
			session_lose_keeper(s);
			continue;
		}
		before = s->pop.flight;
		popstate_frame(&s->pop, frame);
		note_frame(before, &s->pop);
	}
}

/* Nothing was asked: it has something to say of itself, or is gone. */
static void session_hear_unasked(struct session *s)
{
	struct span frame;

	switch (chanclient_receive(FD_CHANNEL, &frame)) {
	case CHANCLIENT_OK:
		popstate_frame(&s->pop, frame);
		break;
	case CHANCLIENT_LOST:
		session_lose_keeper(s);
		break;
	case CHANCLIENT_AGAIN:
		break;
	}
}

/* For the log. The first frame finds room. */
static void session_tell_tls(struct session *s, const struct chan_tls *t)
{
	struct buf frame = BUF_INIT(CHAN_FRAME_MAX);

	chan_put_tls(&frame, t);
	if (!buf_ok(&frame) ||
	    chanclient_send(FD_CHANNEL, buf_span(&frame)) != CHANCLIENT_OK)
		session_lose_keeper(s);
	buf_release(&frame);
}

static void session_tell_no_tls(struct session *s, const char *why)
{
	session_tell_tls(
		s, &(struct chan_tls){
			   .version = SPAN_EMPTY,
			   .detail = span_head(span_of(why), CHAN_TLS_MAX),
		   });
}

static void session_secured(struct session *s)
{
	poptls_begun(&s->pop);
	session_tell_tls(s, &(struct chan_tls){
				    .on = true,
				    .version = span_of(tls_version(s->io.tls)),
				    .detail = span_of(tls_cipher(s->io.tls)),
			    });
}

/* The keys are not held longer than the handshake. (Without one they stay:
 * forgetting costs each session a dozen pages of its own.) */
static void session_mind_tls(struct session *s)
{
	bool done;

	if (s->pop.job == JOB_STLS && !s->io.tls && !s->pop.ended &&
	    !popio_unsent(&s->io))
		popio_begin_tls(&s->io, s->tls);
	done = s->io.tls && !s->io.shaking;
	if (s->io.shake_failed)
		popstate_stop(&s->pop, CHAN_END_TLS);
	if (done && !s->pop.tls)
		session_secured(s);
	if (s->tls && done) {
		tls_forget_keys(s->tls, s->io.tls);
		s->tls = NULL;
	}
}

/* Before anything else is taken, of the client or for it. */
static void session_mind_broken(struct session *s)
{
	if (s->io.broken && !s->pop.deaf)
		popstate_deaf(&s->pop);
}

static void session_flush(struct session *s)
{
	if (popio_flush(&s->io))
		session_note_activity(s);
	session_mind_broken(s);
	if (!popio_unsent(&s->io))
		popstate_all_sent(&s->pop);
}

/* RFC 1939 s.3: the timer closes without a word and without UPDATE. */
static void session_expire(struct session *s, enum chan_end why)
{
	popstate_stop(&s->pop, why);
	s->io.broken = true;
	(void)popio_flush(&s->io);
}

/* When and why the session is to end if nothing happens. */
static int64_t session_deadline(const struct session *s, enum chan_end *why_r)
{
	int64_t idle = s->active + s->idle_ms;

	*why_r = CHAN_END_IDLE;
	if (s->pop.state == ST_AUTH) {
		idle = s->login_deadline;
		*why_r = CHAN_END_LOGIN_TIMEOUT;
	}
	if (idle <= s->deadline)
		return idle;
	*why_r = CHAN_END_SESSION_MAX;
	return s->deadline;
}

static short client_events(const struct session *s)
{
	int events = 0;

	if (s->io.shaking || (popstate_wants_line(&s->pop) && !s->io.eof))
		events |= POLLIN;
	if (popio_wants_out(&s->io) && !popstate_holds(&s->pop))
		events |= POLLOUT;
	return (short)events;
}

static short channel_events(const struct session *s)
{
	int events = 0;

	if (popstate_wants_frame(&s->pop) || popstate_hears_frame(&s->pop))
		events |= POLLIN;
	if (s->pop.request.n)
		events |= POLLOUT;
	return (short)events;
}

/* A client that is gone while we wait for nothing of him, too. */
static void session_hear_client(struct session *s, const struct pollfd *p)
{
	if (p->events & POLLIN && p->revents)
		popio_read(&s->io);
	else if (p->revents & (POLLERR | POLLHUP) && !(p->events & POLLOUT))
		s->io.broken = true;
	session_mind_broken(s);
}

static void session_poll(struct session *s, int left)
{
	int ms = !s->rested && left > REST_MS ? REST_MS : left;
	const struct timespec t = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};
	struct pollfd p[FD_COUNT] = {
		{ .fd = FD_CLIENT, .events = client_events(s) },
		{ .fd = FD_CHANNEL, .events = channel_events(s) },
	};
	int n;

	if (s->io.broken)
		p[0].fd = -1;
	if (s->pop.ended)
		p[1].fd = -1;
	n = ppoll(p, FD_COUNT, &t, &s->waiting);
	if (n == 0 && !s->rested)
		session_rest(s);
	if (n <= 0)
		return;
	session_hear_client(s, &p[0]);
	if (popstate_wants_frame(&s->pop))
		session_hear_keeper(s);
	else if (p[1].events & p[1].revents & POLLIN)
		session_hear_unasked(s);
	else if (p[1].revents & (POLLHUP | POLLERR))
		session_lose_keeper(s);
}

static void session_wait(struct session *s)
{
	enum chan_end why;
	int left = deadline_left(session_deadline(s, &why));

	if (left == 0)
		session_expire(s, why);
	else if ((s->io.broken || popio_waits(&s->io)) && !s->io.eof &&
		 popstate_wants_line(&s->pop))
		popio_read(&s->io);
	else
		session_poll(s, left);
}

/* ppoll() lets no signal in while there is always something else to tell. */
static bool stop_is_pending(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

/* Between two commands is the time to stop. */
static void session_heed_signal(struct session *s)
{
	if (++s->turns % TURNS_DEAF == 0 && stop_is_pending())
		told_to_stop = 1;
	if (!told_to_stop)
		return;
	if (s->io.shaking)
		session_expire(s, CHAN_END_STOPPED);
	else if (s->pop.job == JOB_NONE)
		popstate_stop(&s->pop, CHAN_END_STOPPED);
}

static void session_serve(struct session *s)
{
	bool was_full, was_unsent;

	while (!s->pop.ended || popio_unsent(&s->io)) {
		session_advance(s);
		session_ask_keeper(s);
		session_heed_signal(s);
		was_full = popstate_out_full(&s->pop);
		was_unsent = s->pop.mail_unsent;
		if (!popstate_holds(&s->pop))
			session_flush(s);
		session_mind_tls(s);
		if ((was_full && s->io.out.n == 0) ||
		    (was_unsent && !s->pop.mail_unsent))
			continue;
		if (!s->pop.ended || popio_unsent(&s->io))
			session_wait(s);
	}
}

/* The keeper writes the log line; if it is gone there is none. */
static void session_say_bye(struct session *s)
{
	struct buf bye = BUF_INIT(CHAN_FRAME_MAX);

	if (s->io.shaking && !s->keeper_lost)
		session_tell_no_tls(s, s->io.tls ? tls_why(s->io.tls) : "");
	FAULT_PASS(SESSION_BYE);
	popstate_put_bye(&s->pop, s->io.in_octets, s->io.out_octets, &bye);
	if (!s->keeper_lost && buf_ok(&bye) &&
	    chanclient_send(FD_CHANNEL, buf_span(&bye)) != CHANCLIENT_OK)
		s->keeper_lost = true;
}

/* With a proxy between the client is greeted when the keeper knows whose
 * connection it is. */
static void session_begin(struct session *s, const struct session_start *start)
{
	struct proxyproto p = { .told = false };
	enum chan_end why;

	if (start->proxied &&
	    !popproxy_read(FD_CLIENT, s->login_deadline, &s->waiting, &p, &why))
		popstate_stop(&s->pop, why);
	if (p.told) {
		FAULT_PASS(SESSION_PROXY);
		popxclient_proxied(&s->pop, &p);
	} else if (!s->pop.ended) {
		popstate_greet(&s->pop);
	}
	if (start->tls_at_once && !s->pop.ended)
		popio_begin_tls(&s->io, s->tls);
}

void session_main(const struct session_start *start)
{
	static struct session s;

	fault_i_am(FAULT_BY_SESSION);
	if (!session_confine(start))
		_exit(EX_OSERR);
	FAULT_PASS(SESSION_BEGIN);
	session_catch_signals(&s);
	session_init(&s, start);
	session_begin(&s, start);
	session_serve(&s);
	session_say_bye(&s);
	popio_close(&s.io, s.pop.end != CHAN_END_QUIT);
	_exit(EX_OK);
}
