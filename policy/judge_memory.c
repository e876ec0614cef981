/* policy/judge_memory.c: tables with one place for each hash; what comes
 * later takes the place. */
#include "policy/judge_memory.h"

#include <pthread.h>

enum {
	DOMAIN_SLOTS = 256,
	FOREIGN_SLOTS = 2048,
	MAILBOX_SLOTS = 4096,
	MODE_SLOTS = 4096,
	LOGIN_SLOTS = 1024,
	OWNS_SLOTS = 1024
};

struct domain_slot {
	char name[ADDR_DOMAIN_MAX + 1];
	size_t n; /* 0: empty */
	int64_t asked;
	struct domain_facts facts;
};

struct mailbox_slot {
	struct addr addr; /* n 0: empty */
	int64_t asked;
	struct judge_mailbox box;
};

struct mode_slot {
	struct addr addr; /* n 0: empty */
	int64_t asked;
	enum served_mode mode;
};

struct login_slot {
	struct addr addr; /* n 0: empty */
	bool tls_only;
	int64_t asked;
};

struct owns_slot {
	struct addr login; /* n 0: empty */
	struct addr sender;
	int64_t asked;
};

struct judge_memory {
	pthread_mutex_t lock;
	struct domain_slot domain[DOMAIN_SLOTS];
	struct domain_slot foreign[FOREIGN_SLOTS]; /* without facts */
	struct mailbox_slot mailbox[MAILBOX_SLOTS];
	struct mailbox_slot route[MAILBOX_SLOTS];
	struct mode_slot mode[MODE_SLOTS];
	struct login_slot login[LOGIN_SLOTS];
	struct owns_slot owns[OWNS_SLOTS];
};

struct judge_memory *judge_memory_new(void)
{
	struct judge_memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	if (pthread_mutex_init(&m->lock, NULL) != 0) {
		free(m);
		return NULL;
	}
	return m;
}

void judge_memory_free(struct judge_memory **m)
{
	if (!*m)
		return;
	(void)pthread_mutex_destroy(&(*m)->lock);
	free(*m);
	*m = NULL;
}

/* FNV-1a, 32 bits. Who picks addresses that share a place only makes us ask
 * the database again. */
static uint32_t hash(struct span s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

static bool is_fresh(int64_t asked, int64_t now)
{
	return now >= asked && now - asked < JUDGE_MEMORY_MS;
}

static struct domain_slot *domain_slot(struct judge_memory *m,
				       struct span domain)
{
	return &m->domain[hash(domain) % DOMAIN_SLOTS];
}

static struct mailbox_slot *mailbox_slot(struct mailbox_slot *table,
					 const struct addr *a)
{
	return &table[hash(addr_span(a)) % MAILBOX_SLOTS];
}

bool judge_memory_get_domain(struct judge_memory *m, struct span domain,
			     int64_t now, struct domain_facts *f_r)
{
	const struct domain_slot *s = domain_slot(m, domain);
	bool hit;

	(void)pthread_mutex_lock(&m->lock);
	hit = s->n && span_eq(span_make(s->name, s->n), domain) &&
	      is_fresh(s->asked, now);
	if (hit)
		*f_r = s->facts;
	(void)pthread_mutex_unlock(&m->lock);
	return hit;
}

void judge_memory_put_domain(struct judge_memory *m, struct span domain,
			     int64_t asked, const struct domain_facts *f)
{
	struct domain_slot *s = domain_slot(m, domain);

	if (f->ours != F_YES || f->active != F_YES ||
	    domain.n > ADDR_DOMAIN_MAX)
		return;
	(void)pthread_mutex_lock(&m->lock);
	memcpy(s->name, domain.p, domain.n);
	s->n = domain.n;
	s->asked = asked;
	s->facts = *f;
	(void)pthread_mutex_unlock(&m->lock);
}

static struct domain_slot *foreign_slot(struct judge_memory *m,
					struct span domain)
{
	return &m->foreign[hash(domain) % FOREIGN_SLOTS];
}

bool judge_memory_get_foreign(struct judge_memory *m, struct span domain,
			      int64_t now)
{
	const struct domain_slot *s = foreign_slot(m, domain);
	bool hit;

	(void)pthread_mutex_lock(&m->lock);
	hit = s->n && span_eq(span_make(s->name, s->n), domain) &&
	      now >= s->asked && now - s->asked < JUDGE_MEMORY_FOREIGN_MS;
	(void)pthread_mutex_unlock(&m->lock);
	return hit;
}

void judge_memory_put_foreign(struct judge_memory *m, struct span domain,
			      int64_t asked)
{
	struct domain_slot *s = foreign_slot(m, domain);

	if (domain.n > ADDR_DOMAIN_MAX)
		return;
	(void)pthread_mutex_lock(&m->lock);
	memcpy(s->name, domain.p, domain.n);
	s->n = domain.n;
	s->asked = asked;
	(void)pthread_mutex_unlock(&m->lock);
}

static bool get_mailbox(struct judge_memory *m, const struct mailbox_slot *s,
			const struct addr *a, int64_t now,
			struct judge_mailbox *b_r)
{
	bool hit;

	(void)pthread_mutex_lock(&m->lock);
	hit = s->addr.n && span_eq(addr_span(&s->addr), addr_span(a)) &&
	      is_fresh(s->asked, now);
	if (hit)
		*b_r = s->box;
	(void)pthread_mutex_unlock(&m->lock);
	return hit;
}

static void put_mailbox(struct judge_memory *m, struct mailbox_slot *s,
			const struct addr *a, int64_t asked,
			const struct judge_mailbox *b)
{
	if (b->facts.known != F_YES || b->facts.active != F_YES)
		return;
	(void)pthread_mutex_lock(&m->lock);
	s->addr = *a;
	s->asked = asked;
	s->box = *b;
	s->box.asked = asked;
	(void)pthread_mutex_unlock(&m->lock);
}

bool judge_memory_get_mailbox(struct judge_memory *m, const struct addr *a,
			      int64_t now, struct judge_mailbox *b_r)
{
	return get_mailbox(m, mailbox_slot(m->mailbox, a), a, now, b_r);
}

void judge_memory_put_mailbox(struct judge_memory *m, const struct addr *a,
			      int64_t asked, const struct judge_mailbox *b)
{
	put_mailbox(m, mailbox_slot(m->mailbox, a), a, asked, b);
}

bool judge_memory_get_route(struct judge_memory *m, const struct addr *rcpt,
			    int64_t now, struct judge_mailbox *b_r)
{
	return get_mailbox(m, mailbox_slot(m->route, rcpt), rcpt, now, b_r);
}

void judge_memory_put_route(struct judge_memory *m, const struct addr *rcpt,
			    const struct judge_mailbox *b)
{
	put_mailbox(m, mailbox_slot(m->route, rcpt), rcpt, b->asked, b);
}

static struct mode_slot *mode_slot(struct judge_memory *m, const struct addr *a)
{
	return &m->mode[hash(addr_span(a)) % MODE_SLOTS];
}

bool judge_memory_get_mode(struct judge_memory *m, const struct addr *a,
			   int64_t now, enum served_mode *mode_r,
			   int64_t *asked_r)
{
	const struct mode_slot *s = mode_slot(m, a);
	bool hit;

	(void)pthread_mutex_lock(&m->lock);
	hit = s->addr.n && span_eq(addr_span(&s->addr), addr_span(a)) &&
	      is_fresh(s->asked, now);
	if (hit) {
		*mode_r = s->mode;
		*asked_r = s->asked;
	}
	(void)pthread_mutex_unlock(&m->lock);
	return hit;
}

void judge_memory_put_mode(struct judge_memory *m, const struct addr *a,
			   int64_t asked, enum served_mode mode)
{
	struct mode_slot *s = mode_slot(m, a);

	(void)pthread_mutex_lock(&m->lock);
	s->addr = *a;
	s->asked = asked;
	s->mode = mode;
	(void)pthread_mutex_unlock(&m->lock);
}

static struct login_slot *login_slot(struct judge_memory *m,
				     const struct addr *a)
{
	return &m->login[hash(addr_span(a)) % LOGIN_SLOTS];
}

bool judge_memory_get_login(struct judge_memory *m, const struct addr *login,
			    int64_t now, bool *tls_only_r)
{
	const struct login_slot *s = login_slot(m, login);
	bool hit;

	(void)pthread_mutex_lock(&m->lock);
	hit = s->addr.n && span_eq(addr_span(&s->addr), addr_span(login)) &&
	      is_fresh(s->asked, now);
	*tls_only_r = s->tls_only;
	(void)pthread_mutex_unlock(&m->lock);
	return hit;
}

void judge_memory_put_login(struct judge_memory *m, const struct addr *login,
			    int64_t asked, bool tls_only)
{
	struct login_slot *s = login_slot(m, login);

	(void)pthread_mutex_lock(&m->lock);
	s->addr = *login;
	s->tls_only = tls_only;
	s->asked = asked;
	(void)pthread_mutex_unlock(&m->lock);
}

static struct owns_slot *owns_slot(struct judge_memory *m,
				   const struct addr *login,
				   const struct addr *sender)
{
	uint32_t h = hash(addr_span(login)) * 31 + hash(addr_span(sender));

	return &m->owns[h % OWNS_SLOTS];
}

bool judge_memory_get_owns(struct judge_memory *m, const struct addr *login,
			   const struct addr *sender, int64_t now)
{
	const struct owns_slot *s = owns_slot(m, login, sender);
	bool hit;

	(void)pthread_mutex_lock(&m->lock);
	hit = s->login.n && span_eq(addr_span(&s->login), addr_span(login)) &&
	      span_eq(addr_span(&s->sender), addr_span(sender)) &&
	      is_fresh(s->asked, now);
	(void)pthread_mutex_unlock(&m->lock);
	return hit;
}

void judge_memory_put_owns(struct judge_memory *m, const struct addr *login,
			   const struct addr *sender, int64_t asked)
{
	struct owns_slot *s = owns_slot(m, login, sender);

	(void)pthread_mutex_lock(&m->lock);
	s->login = *login;
	s->sender = *sender;
	s->asked = asked;
	(void)pthread_mutex_unlock(&m->lock);
}
