#include "auth/client.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "auth/serve.h"
#include "auth/tick.h"

enum {
	ATTEMPTS_MAX = 4096, /* of one client */
	ASKED_MS = 150000,   /* Postfix forgets an exchange without a word */
	OUT_MAX = 262144
};

static bool client_watch(struct client *c, int op)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	if (c->waits_to_write)
		e.events |= EPOLLOUT;
	return epoll_ctl(c->serve->epoll_fd, op, c->fd, &e) == 0;
}

void client_flush(struct client *c)
{
	bool waited = c->waits_to_write;
	ssize_t n;

	if (c->fd < 0)
		return;
	while (buf_ok(&c->out) && c->out.n) {
		n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		buf_drop(&c->out, (size_t)n);
	}
	if (!buf_ok(&c->out) || (c->out.n && errno != EAGAIN) ||
	    (c->ending && c->out.n == 0)) {
		client_close(c);
		return;
	}
	c->waits_to_write = c->out.n > 0;
	if (c->waits_to_write != waited && !client_watch(c, EPOLL_CTL_MOD))
		client_close(c);
}

struct client *client_new(struct serve *s, const struct protocol *p, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	char *room = secret_take(s->pools.lines);

	if (!c || !room) {
		free(c);
		secret_give(s->pools.lines, room);
		close(fd);
		return NULL;
	}
	c->serve = s;
	c->protocol = p;
	c->fd = fd;
	c->until = p->once ? deadline_in(p->once) : INT64_MAX;
	c->in.p = room;
	c->in.size = CLIENT_LINE_SIZE;
	buf_init(&c->out, OUT_MAX);
	serve_add_client(s, c);
	serve_look_at(s, c->until);
	if (!client_watch(c, EPOLL_CTL_ADD)) {
		client_close(c);
		return c;
	}
	if (p->greet)
		p->greet(c);
	client_flush(c);
	return c;
}

void client_free(struct client **c)
{
	secret_give((*c)->serve->pools.lines, (*c)->in.p);
	buf_release(&(*c)->out);
	free(*c);
	*c = NULL;
}

/* The serve's count is of those who get an answer without the client. */
static bool attempt_is_busy(const struct attempt *a)
{
	return a->state != ATTEMPT_ASKED;
}

static void attempt_set_state(struct attempt *a, enum attempt_state state,
			      int64_t due)
{
	struct serve *s = a->client->serve;

	s->busy -= attempt_is_busy(a);
	a->state = state;
	s->busy += attempt_is_busy(a);
	a->due = due;
	serve_look_at(s, due);
}

static void client_link(struct client *c, struct attempt *a)
{
	a->client = c;
	a->prev = c->last;
	if (c->last)
		c->last->next = a;
	else
		c->first = a;
	c->last = a;
	c->attempts++;
}

static void client_unlink(struct client *c, struct attempt *a)
{
	c->serve->busy -= attempt_is_busy(a);
	guard_let_go(&c->serve->guard, a);
	if (a->prev)
		a->prev->next = a->next;
	else
		c->first = a->next;
	if (a->next)
		a->next->prev = a->prev;
	else
		c->last = a->prev;
	a->prev = a->next = NULL;
	a->client = NULL;
	c->attempts--;
}

/* Nobody waits for it any more. */
void client_forget(struct client *c, struct attempt *a)
{
	bool with_worker = a->state == ATTEMPT_CHECKING;

	client_unlink(c, a);
	if (!with_worker)
		attempt_free(c->serve->pools.attempts, &a);
}

void client_close(struct client *c)
{
	if (c->fd < 0)
		return;
	close(c->fd);
	c->fd = -1;
	while (c->first)
		client_forget(c, c->first);
	serve_drop_client(c->serve, c);
}

void client_say_temp(struct client *c, uint64_t id, enum door door)
{
	if (!c->protocol->put_temp(c, id, door)) {
		client_close(c);
		return;
	}
	client_flush(c);
}

static void attempt_answer_temp(struct attempt *a)
{
	struct client *c = a->client;
	enum door door = a->door;
	uint64_t id = a->id;

	client_forget(c, a);
	client_say_temp(c, id, door);
}

static void attempt_answered(struct attempt *a)
{
	struct client *c = a->client;

	c->ending = c->protocol->once > 0;
	client_forget(c, a);
	client_flush(c);
}

static void attempt_answer_failed(struct attempt *a)
{
	a->client->protocol->put_failed(a->client, a);
	attempt_answered(a);
}

static void attempt_answer_ok(struct attempt *a)
{
	a->client->protocol->put_ok(a->client, a);
	attempt_answered(a);
	FAULT_PASS(AUTH_ANSWERED);
}

static void attempt_answer_late(struct attempt *a)
{
	if (a->result.verdict == VERDICT_TEMP)
		attempt_answer_temp(a);
	else
		attempt_answer_failed(a);
}

/* The answer waits, so that guessing is slow and a check does not show how
 * long it took; no worker waits with it. */
static void attempt_delay(struct attempt *a)
{
	const struct conf *conf = a->client->serve->settings->conf;
	int64_t now = clock_ms(), due = now;

	if (!a->refused)
		due = tick_due(a->begun, now,
			       conf->auth_failure_delay + a->hold, a->deadline);

	mech_forget_secret(&a->mech);
	attempt_set_state(a, ATTEMPT_DELAYED, due);
	if (deadline_left(due) == 0)
		attempt_answer_late(a);
}

/* Nobody guesses here, and who asks wants to know at once. */
static void attempt_answer_state(struct attempt *a)
{
	if (a->result.verdict == VERDICT_OK)
		attempt_answer_ok(a);
	else if (a->result.verdict == VERDICT_FAILED)
		attempt_answer_failed(a);
	else
		attempt_answer_temp(a);
}

/* With the verdict in a->result. */
static void attempt_conclude(struct attempt *a)
{
	FAULT_PASS(AUTH_ANSWER);
	if (a->mech.name == MECH_STATE && a->client->protocol->states) {
		attempt_answer_state(a);
		return;
	}
	attempt_log(a, &a->result);
	switch (a->result.verdict) {
	case VERDICT_OK:
		attempt_answer_ok(a);
		break;
	case VERDICT_FAILED:
		attempt_delay(a);
		break;
	case VERDICT_TEMP:
		if (a->result.waits)
			attempt_delay(a);
		else
			attempt_answer_temp(a);
		break;
	}
}

void client_checked(struct attempt *a)
{
	/* it is back: from here on it may be freed */
	attempt_set_state(a, ATTEMPT_DELAYED, a->due);
	attempt_conclude(a);
}

static enum guard_word attempt_admit(struct attempt *a)
{
	struct serve *s = a->client->serve;

	return a->mech.name == MECH_STATE
		       ? GUARD_PASS
		       : guard_admit(&s->guard, s->settings->conf, a);
}

static void attempt_submit(struct attempt *a)
{
	struct serve *s = a->client->serve;

	switch (attempt_admit(a)) {
	case GUARD_REFUSED:
		attempt_conclude(a);
		return;
	case GUARD_WAIT:
		attempt_set_state(a, ATTEMPT_WAITING, a->deadline);
		return;
	case GUARD_PASS:
		break;
	}
	attempt_set_state(a, ATTEMPT_CHECKING, a->deadline);
	if (workers_submit(s->workers, &a->job)) {
		guard_enter(&s->guard, a);
		return;
	}
	attempt_set_state(a, ATTEMPT_DELAYED, a->deadline);
	attempt_set(a, VERDICT_TEMP, "overload");
	attempt_conclude(a);
}

/* Of one that was answered a client may be closed, with others of its own. */
void client_wake(struct serve *s, const uint64_t key[ATTACKERS_BY_BLOCK])
{
	struct attempt *a;

	while ((a = guard_next(&s->guard, s->settings->conf, key)) != NULL)
		attempt_submit(a);
}

/* The client's message is there: the time of the answer counts from here. */
static void attempt_start_clock(struct attempt *a)
{
	a->begun = clock_ms();
	a->deadline = a->begun + a->client->serve->settings->conf->auth_timeout;
}

void client_refuse(struct attempt *a, const char *reason)
{
	attempt_start_clock(a);
	attempt_set(a, VERDICT_FAILED, reason);
	guard_note(&a->client->serve->guard, a->client->serve->settings->conf,
		   a);
	attempt_conclude(a);
}

void client_step(struct attempt *a, enum mech_step step, struct span challenge)
{
	struct client *c = a->client;

	attempt_start_clock(a);
	switch (step) {
	case MECH_ASK:
		attempt_set_state(a, ATTEMPT_ASKED, deadline_in(ASKED_MS));
		c->protocol->put_more(c, a, challenge);
		client_flush(c);
		break;
	case MECH_DONE:
		attempt_submit(a);
		break;
	case MECH_BAD:
		client_refuse(a, "malformed-response");
		break;
	case MECH_MEMORY:
		attempt_set(a, VERDICT_TEMP, "no-memory");
		attempt_conclude(a);
		break;
	}
}

struct attempt *client_find(const struct client *c, uint64_t id)
{
	struct attempt *a = c->first;

	while (a && a->id != id)
		a = a->next;
	return a;
}

/* Exchanges that Postfix forgot lie about; the oldest makes room. */
static bool client_make_room(struct client *c)
{
	struct attempt *a = c->first;

	if (c->attempts < ATTEMPTS_MAX)
		return true;
	while (a && a->state != ATTEMPT_ASKED)
		a = a->next;
	if (a)
		client_forget(c, a);
	return a != NULL;
}

struct attempt *client_begin(struct client *c,
			     const struct authproto_request *r)
{
	struct attempt *a = NULL;

	if (client_make_room(c))
		a = attempt_new(c->serve->pools.attempts, r);

	if (a)
		client_link(c, a);
	else
		log_warn("auth: no room for another login attempt");
	return a;
}

void client_break_off(struct client *c, const char *why)
{
	log_warn("auth: connection closed: %s", why);
	client_close(c);
}

static void client_read(struct client *c)
{
	struct line_room room = line_room(&c->in);
	ssize_t n = recv(c->fd, room.p, room.n, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	line_added(&c->in, (size_t)n);
	c->protocol->take(c);
	/* passwords were in it */
	explicit_bzero(c->in.p, c->in.start);
}

void client_event(struct client *c, uint32_t events)
{
	if (events & EPOLLOUT)
		client_flush(c);
	if (c->fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		client_read(c);
}

static void attempt_expire(struct attempt *a)
{
	static const struct check_result late = { .verdict = VERDICT_TEMP,
						  .reason = "timeout" };

	switch (a->state) {
	case ATTEMPT_ASKED:
		client_forget(a->client, a);
		break;
	case ATTEMPT_WAITING:
	case ATTEMPT_CHECKING:
		attempt_log(a, &late);
		attempt_answer_temp(a);
		break;
	case ATTEMPT_DELAYED:
		attempt_answer_late(a);
		break;
	}
}

int64_t client_expire(struct client *c, int64_t now)
{
	struct attempt *a = c->first, *next;
	int64_t look = c->until;

	if (c->until <= now) {
		client_close(c);
		return INT64_MAX;
	}
	for (; c->fd >= 0 && a; a = next) {
		next = a->next;
		if (a->due <= now)
			attempt_expire(a);
		else if (a->due < look)
			look = a->due;
	}
	return look;
}
