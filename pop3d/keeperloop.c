/* pop3d/keeperloop.c: see keeperloop.h. */
#include "pop3d/keeperloop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/net.h"
#include "pop3d/keeper.h"
#include "pop3d/keeperconf.h"
#include "pop3d/keeperstop.h"

enum {
	SLOTS_FIRST = 64,
	SLOTS_MAX = 65536,
	EVENTS = 64,
	ACCEPTS = 32, /* new sessions before the others' turn */
	EXPIRE_MS = 250,
	STOP_MS = 1000 /* for the last words of those that moved */
};

static const uint32_t NO_SLOT = UINT32_MAX;

/* Keys of what is no channel; a channel's generation is never 0. */
enum {
	TAG_CONTROL = 1,
	TAG_SIGNALS,
	TAG_WAKE,
	TAG_AUTH,
	TAG_CONSOLE, /* and its clients */
	TAG_CONSOLE_END = TAG_CONSOLE + KEEPERCONSOLE_CLIENTS
};

struct channel *keeperloop_find(const struct keeperloop *k, uint64_t key)
{
	uint32_t i = (uint32_t)key;

	if (i >= k->nslot || k->slot[i].generation != (uint32_t)(key >> 32))
		return NULL;
	return k->slot[i].channel;
}

static bool slots_grow(struct keeperloop *k)
{
	uint32_t n = k->nslot ? k->nslot * 2 : SLOTS_FIRST;
	struct keeperslot *slot;

	if (n > SLOTS_MAX) {
		errno = EMFILE;
		return false;
	}
	slot = reallocarray(k->slot, n, sizeof(*slot));
	if (!slot)
		return false;
	k->slot = slot;
	for (uint32_t i = n; i-- > k->nslot;) {
		slot[i] = (struct keeperslot){ .generation = 1,
					       .next_free = k->first_free };
		k->first_free = i;
	}
	k->nslot = n;
	return true;
}

uint64_t keeperloop_add(struct keeperloop *k, struct channel *c)
{
	uint32_t i;

	if (k->first_free == NO_SLOT && !slots_grow(k))
		return 0;
	i = k->first_free;
	k->first_free = k->slot[i].next_free;
	k->slot[i].channel = c;
	k->channels++;
	return (uint64_t)k->slot[i].generation << 32 | i;
}

void keeperloop_remove(struct keeperloop *k, struct channel *c)
{
	uint32_t i = (uint32_t)c->key;

	k->slot[i].channel = NULL;
	if (++k->slot[i].generation == 0)
		k->slot[i].generation = 1;
	k->slot[i].next_free = k->first_free;
	k->first_free = i;
	k->channels--;
}

/* One job is always let through, so that a small bound cannot stop us. */
static bool has_room(const struct keeperloop *k, const struct keeperjob *j)
{
	size_t need = keeperjob_reserve(j);

	return k->buffered == 0 ||
	       (need <= k->conf->keeper_buffer &&
		k->buffered <= k->conf->keeper_buffer - need);
}

void keeperloop_give(struct keeperloop *k, struct keeperjob *j)
{
	k->buffered += keeperjob_reserve(j);
	j->deadline = deadline_in(k->conf->db_timeout);
	keeperworkers_put(k->workers, j);
}

static void park(struct keeperloop *k, struct channel *c, struct keeperjob *j)
{
	c->parked = j;
	TAILQ_INSERT_TAIL(&k->parked, c, parked_link);
	/* if epoll cannot tell, there will be room some time */
	if (!channel_want_out(k, c, true))
		log_warn("cannot wait for a channel: %s", strerror(errno));
}

struct keeperjob *keeperloop_unpark(struct keeperloop *k, struct channel *c)
{
	struct keeperjob *j = c->parked;

	TAILQ_REMOVE(&k->parked, c, parked_link);
	c->parked = NULL;
	if (!channel_want_out(k, c, false))
		log_warn("cannot leave a channel alone: %s", strerror(errno));
	return j;
}

/* Logins and deletions do not wait for those who read slowly: their answers
 * fit in the channel itself. */
void keeperloop_submit(struct keeperloop *k, struct channel *c,
		       struct keeperjob *j)
{
	if (j->kind == KJ_OPEN || j->kind == KJ_MOVE ||
	    (TAILQ_EMPTY(&k->parked) && has_room(k, j)))
		keeperloop_give(k, j);
	else
		park(k, c, j);
}

static void give_parked(struct keeperloop *k)
{
	struct channel *c;

	while ((c = TAILQ_FIRST(&k->parked)) != NULL && has_room(k, c->parked))
		keeperloop_give(k, keeperloop_unpark(k, c));
}

static void on_auth_answer(void *arg, uint64_t who,
			   const struct authproto_answer *a)
{
	struct keeperloop *k = arg;
	struct channel *c = keeperloop_find(k, who);

	FAULT_PASS(KEEPER_AUTH_ANSWER);
	if (c && c->s.bound)
		keeperstate_answered(k, c, a);
	else if (c)
		channel_authenticated(k, c, a);
}

static bool watch(struct keeperloop *k, int fd, uint64_t tag)
{
	struct epoll_event ev = { .events = EPOLLIN, .data = { .u64 = tag } };

	return epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static bool watch_all(struct keeperloop *k)
{
	return watch(k, k->control, TAG_CONTROL) &&
	       watch(k, k->signals, TAG_SIGNALS) && watch(k, k->wake, TAG_WAKE);
}

bool keeperloop_init(struct keeperloop *k, const struct conf *c,
		     const struct keeperloop_fds *fds)
{
	const struct keeperauth_answer answer = { on_auth_answer, k };

	memset(k, 0, sizeof(*k));
	k->conf = c;
	k->conf_file = "";
	k->control = fds->control;
	k->signals = fds->signals;
	k->wake = fds->wake;
	k->first_free = NO_SLOT;
	TAILQ_INIT(&k->parked);
	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	return k->epoll >= 0 && keeperlimits_init(&k->limits, c) &&
	       net_set_nonblocking(k->control, true) && watch_all(k) &&
	       keeperconsole_init(k, fds->console, TAG_CONSOLE) &&
	       keeperauth_init(&k->auth, c->auth_pop3_socket, k->epoll,
			       TAG_AUTH, answer);
}

unsigned keeperloop_stop_account(struct keeperloop *k, struct span account,
				 enum chan_end why)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < k->nslot; i++) {
		struct channel *c = k->slot[i].channel;

		if (!c || !c->account ||
		    !span_eq_nocase(span_of(c->account->name), account))
			continue;
		channel_stop(k, c, why);
		n++;
	}
	return n;
}

static void close_channels(struct keeperloop *k, bool moving_too)
{
	for (uint32_t i = 0; i < k->nslot; i++) {
		struct channel *c = k->slot[i].channel;

		if (c && (moving_too || c->s.state != KS_MOVE))
			channel_close(k, c, "keeper stopped");
	}
}

void keeperloop_release(struct keeperloop *k)
{
	close_channels(k, true);
	keeperauth_release(&k->auth);
	logindelay_release(&k->delay);
	keeperconsole_release(k);
	keeperlimits_release(&k->limits);
	free(k->slot);
	conf_unref(&k->reloaded);
	if (k->epoll >= 0)
		close(k->epoll);
}

/* Who is about to delete is let finish; nobody else was promised anything. */
static void stop(struct keeperloop *k)
{
	if (k->stop_by)
		return;
	k->stop_by = deadline_in(STOP_MS);
	(void)epoll_ctl(k->epoll, EPOLL_CTL_DEL, k->control, NULL);
	close_channels(k, false);
}

static void accept_session(struct keeperloop *k, const char *message, size_t n,
			   int fd)
{
	struct keeper_session told;

	FAULT_PASS(KEEPER_SESSION);
	if (n == sizeof(told) && fd >= 0) {
		memcpy(&told, message, sizeof(told));
		channel_open(k, &told, fd);
		return;
	}
	log_warn("cannot take session: malformed word of the parent");
	if (fd >= 0)
		close(fd);
}

static void on_control(struct keeperloop *k)
{
	char message[sizeof(struct keeper_session) + 1];

	for (int i = 0; i < ACCEPTS; i++) {
		int fd = -1;
		ssize_t n =
			net_recv_fd(k->control, message, sizeof(message), &fd);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0 || (n < 0 && errno == EMSGSIZE)) {
			accept_session(k, message, n > 0 ? (size_t)n : 0, fd);
			continue;
		}
		if (n < 0)
			log_warn("cannot read the control socket: %s",
				 strerror(errno));
		stop(k);
		return;
	}
}

static void reload(struct keeperloop *k)
{
	keeperconf_reload(k);
	keeper_say_ready(k->control);
}

static void on_signals(struct keeperloop *k)
{
	struct signalfd_siginfo si;

	while (read(k->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGHUP)
			reload(k);
		else
			stop(k);
	}
}

static void on_answers(struct keeperloop *k)
{
	struct keeperjob *list;
	eventfd_t count;

	(void)eventfd_read(k->wake, &count);
	list = keeperworkers_take(k->workers);
	while (list) {
		struct keeperjob *j = list;
		struct channel *c = keeperloop_find(k, j->who);

		list = j->next;
		k->buffered -= keeperjob_reserve(j);
		if (j->kind == KJ_MOVE || j->kind == KJ_RELEASE)
			k->promised--;
		if (j->kind >= KJ_RENEW)
			keeperlease_answered(k, j);
		else
			keeperlease_settle(k, c, j);
		if (c)
			channel_answered(k, c, j);
		keeperjob_free(&j);
	}
}

static void on_channel(struct keeperloop *k, uint64_t key, uint32_t events)
{
	struct channel *c = keeperloop_find(k, key);

	if (c && (events & EPOLLOUT))
		channel_writable(k, c);
	c = keeperloop_find(k, key);
	if (c && (events & ~(uint32_t)EPOLLOUT))
		channel_readable(k, c);
}

static void on_event(struct keeperloop *k, const struct epoll_event *ev)
{
	switch (ev->data.u64) {
	case TAG_CONTROL:
		on_control(k);
		break;
	case TAG_SIGNALS:
		on_signals(k);
		break;
	case TAG_WAKE:
		on_answers(k);
		break;
	case TAG_AUTH:
		keeperauth_event(&k->auth, ev->events);
		break;
	default:
		if (ev->data.u64 <= TAG_CONSOLE_END)
			keeperconsole_event(
				k, (int)(ev->data.u64 - TAG_CONSOLE) - 1,
				ev->events);
		else
			on_channel(k, ev->data.u64, ev->events);
		break;
	}
}

/* Something that must end in time has no event of its own. */
static bool is_awaited(const struct keeperloop *k)
{
	return k->auth.waiting || keeperconsole_awaits(k) || k->told;
}

static int how_long(const struct keeperloop *k)
{
	int64_t lease = keeperlease_wait(k, clock_ms());
	int64_t state = keeperstate_wait(k, clock_ms());
	int64_t ms = is_awaited(k) ? EXPIRE_MS : -1;

	if (k->stop_by)
		return EXPIRE_MS / 5;
	if (lease >= 0 && (ms < 0 || lease < ms))
		ms = lease;
	return (int)(state >= 0 && (ms < 0 || state < ms) ? state : ms);
}

static void after_events(struct keeperloop *k)
{
	keeperstate_tick(k, clock_ms());
	keeperauth_flush(&k->auth);
	give_parked(k);
	keeperlease_tick(k, clock_ms());
	metric_set(M_KEEPER_OCTETS, k->buffered);
	if (is_awaited(k) && clock_ms() - k->expired_at >= EXPIRE_MS) {
		k->expired_at = clock_ms();
		keeperauth_expire(&k->auth, k->expired_at);
		keeperconsole_expire(k, k->expired_at);
		keeperstop_expire(k, k->expired_at);
	}
}

static bool stopped(const struct keeperloop *k)
{
	return k->stop_by && k->promised == 0 &&
	       (k->channels == 0 || deadline_left(k->stop_by) == 0);
}

void keeperloop_run(struct keeperloop *k)
{
	struct epoll_event ev[EVENTS];

	while (!stopped(k)) {
		int n = epoll_wait(k->epoll, ev, EVENTS, how_long(k));

		if (n < 0 && errno != EINTR)
			log_panic("cannot wait for events: %s",
				  strerror(errno));
		for (int i = 0; i < n; i++)
			on_event(k, &ev[i]);
		after_events(k);
	}
}
