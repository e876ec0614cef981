#include "pop3d/parent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/activation.h"
#include "lib/log.h"
#include "lib/net.h"

enum { BACKLOG = 1024, WHY_MAX = 4096 };

/* What shall be listened on, and what already is. */
struct plan {
	struct parent_listener want[PARENT_LISTENERS_MAX];
	size_t n;
};

/* False: more than there is room for. */
static bool plan_add(struct plan *plan, const struct conf_list *l, bool tls)
{
	for (size_t i = 0; i < l->n; i++) {
		struct parent_listener *w = &plan->want[plan->n];

		if (plan->n == PARENT_LISTENERS_MAX)
			return false;
		*w = (struct parent_listener){ .fd = -1, .tls = tls };
		(void)snprintf(w->address, sizeof(w->address), "%s",
			       l->word[i]);
		plan->n++;
	}
	return true;
}

/* False, and why, when the options cannot be carried out. */
static bool plan_make(const struct parent *p, const struct conf *c,
		      struct plan *plan, const char **why_r)
{
	plan->n = 0;
	*why_r = "pop3_listen and pop3s_listen have too many addresses";
	if (!plan_add(plan, &c->pop3_listen, false) ||
	    (tls_ready(p->tls) && !plan_add(plan, &c->pop3s_listen, true)))
		return false;
	*why_r = "pop3_listen names no address";
	return plan->n > 0;
}

/* Accepted sockets inherit TCP_NODELAY. False: why, and errno. */
static bool open_one(struct parent_listener *l, struct buf *why)
{
	buf_reset(why);
	l->fd = net_listen_inet(span_of(l->address), BACKLOG, why);
	if (l->fd < 0)
		return false;
	net_set_nodelay(l->fd);
	return true;
}

static bool is_same(const struct parent_listener *a,
		    const struct parent_listener *b)
{
	return a->tls == b->tls && strcmp(a->address, b->address) == 0;
}

static bool plan_has(const struct plan *plan, int fd)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->want[i].fd == fd)
			return true;
	return false;
}

/* What is open already. */
static void plan_keep(const struct parent *p, struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		for (size_t k = 0; k < p->listeners; k++) {
			const struct parent_listener *old = &p->listener[k];

			if (plan->want[i].fd < 0 &&
			    is_same(old, &plan->want[i]) &&
			    !plan_has(plan, old->fd))
				plan->want[i].fd = old->fd;
		}
	}
}

/* Those who wait on it already are taken in first. */
static void close_old(struct parent *p, struct parent_listener *old)
{
	if (old->fd < 0)
		return;
	parent_accept(p, old);
	(void)close(old->fd);
	old->fd = -1;
}

static bool has_same_port(const struct parent_listener *a,
			  const struct parent_listener *b)
{
	const char *x = strrchr(a->address, ':');
	const char *y = strrchr(b->address, ':');

	return x && y && strcmp(x, y) == 0;
}

static void make_room(struct parent *p, const struct plan *plan,
		      const struct parent_listener *want)
{
	for (size_t k = 0; k < p->listeners; k++)
		if (has_same_port(&p->listener[k], want) &&
		    !plan_has(plan, p->listener[k].fd))
			close_old(p, &p->listener[k]);
}

/* New ones are opened before old ones are closed, where the kernel lets both
 * be; so nobody finds the door closed meanwhile. */
static bool plan_open(struct parent *p, struct plan *plan, struct buf *why)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->want[i].fd < 0 && !open_one(&plan->want[i], why) &&
		    errno != EADDRINUSE)
			return false;
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->want[i].fd >= 0)
			continue;
		make_room(p, plan, &plan->want[i]);
		if (!open_one(&plan->want[i], why))
			return false;
	}
	return true;
}

static void plan_take(struct parent *p, const struct plan *plan)
{
	for (size_t k = 0; k < p->listeners; k++)
		if (!plan_has(plan, p->listener[k].fd))
			close_old(p, &p->listener[k]);
	memcpy(p->listener, plan->want, plan->n * sizeof(*plan->want));
	p->listeners = plan->n;
}

static bool is_old(const struct parent *p, int fd)
{
	for (size_t k = 0; k < p->listeners; k++)
		if (p->listener[k].fd == fd)
			return true;
	return false;
}

/* What had to make room comes back. What cannot keeps its place: another
 * reload tries again. */
static void plan_undo(struct parent *p, const struct plan *plan,
		      struct buf *why)
{
	for (size_t i = 0; i < plan->n; i++)
		if (plan->want[i].fd >= 0 && !is_old(p, plan->want[i].fd))
			(void)close(plan->want[i].fd);
	for (size_t k = 0; k < p->listeners; k++)
		if (p->listener[k].fd < 0 && !open_one(&p->listener[k], why))
			log_warn("%s again", buf_cstr(why));
}

void parent_listen_reload(struct parent *p, const struct conf *c)
{
	struct buf why = BUF_INIT(WHY_MAX);
	const char *wrong;
	struct plan plan;

	if (p->listeners && p->listener[0].given)
		return;
	if (!plan_make(p, c, &plan, &wrong)) {
		log_warn("%s: the old ones stay", wrong);
		return;
	}
	plan_keep(p, &plan);
	if (plan_open(p, &plan, &why)) {
		plan_take(p, &plan);
	} else {
		log_warn("%s: the old ones stay", buf_cstr(&why));
		plan_undo(p, &plan, &why);
	}
	p->listen_changes++;
	buf_release(&why);
}

static bool take_given(struct parent *p)
{
	struct activation_socket s[PARENT_LISTENERS_MAX];
	size_t n = activation_take(s, PARENT_LISTENERS_MAX);

	for (size_t i = 0; i < n; i++) {
		struct parent_listener l = {
			.fd = s[i].fd,
			.tls = strcmp(s[i].name, "pop3s") == 0,
			.given = true,
		};

		if (l.tls && !tls_ready(p->tls)) {
			log_warn("a socket for pop3s, but tls_cert is empty");
			(void)close(l.fd);
			continue;
		}
		net_set_nodelay(l.fd);
		p->listener[p->listeners++] = l;
	}
	return p->listeners > 0;
}

void parent_listen_start(struct parent *p)
{
	struct buf why = BUF_INIT(WHY_MAX);
	const char *wrong;
	struct plan plan;

	if (take_given(p)) {
		log_info("%zu sockets of the service manager's; pop3_listen "
			 "and pop3s_listen do not count",
			 p->listeners);
		return;
	}
	if (!plan_make(p, p->conf, &plan, &wrong))
		log_fatal(EX_CONFIG, "%s", wrong);
	for (size_t i = 0; i < plan.n; i++) {
		if (!open_one(&plan.want[i], &why))
			log_fatal(EX_OSERR, "%s", buf_cstr(&why));
		p->listener[p->listeners++] = plan.want[i];
	}
	buf_release(&why);
}

void parent_listen_close(struct parent *p)
{
	while (p->listeners)
		(void)close(p->listener[--p->listeners].fd);
}
