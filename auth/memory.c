/* auth/memory.c: places in sets; the set is chosen by the tag, which only the
 * key's owner can aim, and in a full set the oldest makes room. */
#include "auth/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { SETS = MEMORY_PLACES / MEMORY_WAYS, ROW_MAX = 4096 };

/* What a row said, but for its hash; text holds the three strings. */
struct kept {
	uint64_t app;
	struct login_state state;
	uint16_t mailbox_n, incarnation_n, networks_n;
	char text[];
};

struct place {
	struct memory_tag tag;
	struct memory_tag row;
	struct memory_tag login;
	int64_t at;
	struct kept *kept; /* NULL: free */
};

struct memory {
	pthread_mutex_t lock;
	uint8_t key[MEMORY_TAG_SIZE];
	struct place place[SETS][MEMORY_WAYS];
};

struct memory *memory_new(void)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	if (getrandom(m->key, sizeof(m->key), 0) != (ssize_t)sizeof(m->key) ||
	    pthread_mutex_init(&m->lock, NULL) != 0) {
		free(m);
		return NULL;
	}
	return m;
}

void memory_free(struct memory **m)
{
	if (!*m)
		return;
	for (size_t i = 0; i < SETS; i++)
		for (size_t k = 0; k < MEMORY_WAYS; k++)
			free((*m)->place[i][k].kept);
	(void)pthread_mutex_destroy(&(*m)->lock);
	explicit_bzero(*m, sizeof(**m));
	free(*m);
	*m = NULL;
}

static bool keyed(const struct memory *m, struct buf *text,
		  struct memory_tag *t_r)
{
	size_t n = 0;
	bool ok =
		buf_ok(text) &&
		EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, m->key,
			  sizeof(m->key), (const unsigned char *)text->p,
			  text->n, t_r->octet, sizeof(t_r->octet), &n) != NULL;

	buf_wipe(text);
	return ok && n == sizeof(t_r->octet);
}

/* With its length before it, so that two values cannot trade octets. */
static void put_value(struct buf *b, struct span s)
{
	buf_put_u64(b, s.n);
	buf_putc(b, ':');
	buf_put_span(b, s);
}

static bool login_tag(const struct memory *m, const char *kind,
		      const struct addr *login, struct span secret,
		      struct memory_tag *t_r)
{
	struct buf text = BUF_INIT(ROW_MAX);

	put_value(&text, span_of(kind));
	put_value(&text, addr_span(login));
	put_value(&text, secret);
	return keyed(m, &text, t_r);
}

bool memory_tag(const struct memory *m, const struct addr *login,
		struct span password, struct memory_tag *t_r)
{
	return login_tag(m, "password", login, password, t_r);
}

bool memory_tag_app(const struct memory *m, const struct addr *login,
		    const uint8_t hash[APPPASS_HASH_SIZE],
		    struct memory_tag *t_r)
{
	return login_tag(m, "application password", login,
			 span_make(hash, APPPASS_HASH_SIZE), t_r);
}

static bool owner_tag(const struct memory *m, const struct addr *login,
		      struct memory_tag *t_r)
{
	return login_tag(m, "login", login, SPAN_EMPTY, t_r);
}

/* All that a row says: whatever of it changes, it is another row. */
static bool row_tag(const struct memory *m, const struct login_row *row,
		    struct memory_tag *t_r)
{
	struct buf text = BUF_INIT(ROW_MAX);

	put_value(&text, SPAN_LIT("row"));
	put_value(&text, addr_span(&row->login));
	put_value(&text, addr_span(&row->mailbox));
	put_value(&text, span_of(row->hash));
	put_value(&text, span_of(row->networks));
	put_value(&text, span_of(row->incarnation));
	buf_printf(&text, "%d%d%d%d", row->state.active, row->state.expired,
		   (int)row->state.smtp, (int)row->state.pop3);
	return keyed(m, &text, t_r);
}

static bool tag_eq(const struct memory_tag *a, const struct memory_tag *b)
{
	return CRYPTO_memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

static struct place *set_of(struct memory *m, const struct memory_tag *t)
{
	return m->place[(t->octet[0] << 8 | t->octet[1]) % SETS];
}

/* With the lock held. NULL: not there. */
static struct place *place_find(struct memory *m, const struct memory_tag *t)
{
	struct place *p = set_of(m, t);

	for (size_t i = 0; i < MEMORY_WAYS; i++)
		if (p[i].kept && tag_eq(&p[i].tag, t))
			return &p[i];
	return NULL;
}

/* With the lock held: its own place, a free one, or that of the oldest. */
static struct place *place_take(struct memory *m, const struct memory_tag *t)
{
	struct place *p = place_find(m, t), *set = set_of(m, t);

	for (size_t i = 0; !p && i < MEMORY_WAYS; i++)
		if (!set[i].kept)
			p = &set[i];
	if (p)
		return p;
	p = set;
	for (size_t i = 1; i < MEMORY_WAYS; i++)
		if (set[i].at < p->at)
			p = &set[i];
	return p;
}

bool memory_knows(struct memory *m, const struct memory_tag *t,
		  const struct login_row *row, int64_t since, int64_t now)
{
	struct memory_tag is;
	struct place *p;
	bool knows;

	if (!row_tag(m, row, &is))
		return false;
	(void)pthread_mutex_lock(&m->lock);
	p = place_find(m, t);
	knows = p && p->kept->app == 0 && p->at > since && tag_eq(&p->row, &is);
	if (knows)
		p->at = now;
	(void)pthread_mutex_unlock(&m->lock);
	return knows;
}

static struct kept *kept_new(const struct login_row *row, uint64_t app)
{
	struct span mailbox = addr_span(&row->mailbox);
	struct span incarnation = span_of(row->incarnation);
	struct span networks = span_of(row->networks);
	struct kept *k =
		malloc(sizeof(*k) + mailbox.n + incarnation.n + networks.n);

	if (!k)
		return NULL;
	k->app = app;
	k->state = row->state;
	k->mailbox_n = (uint16_t)mailbox.n;
	k->incarnation_n = (uint16_t)incarnation.n;
	k->networks_n = (uint16_t)networks.n;
	memcpy(k->text, mailbox.p, mailbox.n);
	memcpy(k->text + mailbox.n, incarnation.p, incarnation.n);
	memcpy(k->text + mailbox.n + incarnation.n, networks.p, networks.n);
	return k;
}

void memory_put(struct memory *m, const struct memory_tag *t,
		const struct login_row *row, uint64_t app, int64_t now)
{
	struct kept *k = kept_new(row, app), *old;
	struct memory_tag is, of;
	struct place *p;

	if (!k || !row_tag(m, row, &is) || !owner_tag(m, &row->login, &of)) {
		free(k);
		return;
	}
	(void)pthread_mutex_lock(&m->lock);
	p = place_take(m, t);
	old = p->kept;
	*p = (struct place){
		.tag = *t, .row = is, .login = of, .at = now, .kept = k
	};
	(void)pthread_mutex_unlock(&m->lock);
	free(old);
}

bool memory_has(struct memory *m, const struct addr *login, int64_t since)
{
	const struct place *p = m->place[0];
	struct memory_tag of;
	bool has = false;

	if (!owner_tag(m, login, &of))
		return false;
	(void)pthread_mutex_lock(&m->lock);
	for (size_t i = 0; !has && i < MEMORY_PLACES; i++)
		has = p[i].kept && p[i].at > since && tag_eq(&p[i].login, &of);
	(void)pthread_mutex_unlock(&m->lock);
	return has;
}

void memory_forget(struct memory *m, const struct memory_tag *t)
{
	struct kept *old = NULL;
	struct place *p;

	(void)pthread_mutex_lock(&m->lock);
	p = place_find(m, t);
	if (p) {
		old = p->kept;
		explicit_bzero(p, sizeof(*p));
	}
	(void)pthread_mutex_unlock(&m->lock);
	free(old);
}

static void take_text(const char **from, size_t n, char *to)
{
	memcpy(to, *from, n);
	to[n] = '\0';
	*from += n;
}

static void kept_tell(const struct kept *k, struct login_row *row)
{
	const char *text = k->text;

	row->state = k->state;
	take_text(&text, k->mailbox_n, row->mailbox.text);
	row->mailbox.n = k->mailbox_n;
	for (uint16_t i = 0; i < k->mailbox_n; i++)
		if (row->mailbox.text[i] == '@')
			row->mailbox.at = i;
	take_text(&text, k->incarnation_n, row->incarnation);
	take_text(&text, k->networks_n, row->networks);
}

bool memory_recall(struct memory *m, const struct memory_tag *t,
		   const struct addr *login, int64_t since,
		   struct login_row *row_r, uint64_t *app_r)
{
	struct place *p;
	bool knows;

	(void)pthread_mutex_lock(&m->lock);
	p = place_find(m, t);
	knows = p && p->at > since;
	if (knows) {
		row_r->login = *login;
		row_r->hash[0] = '\0';
		kept_tell(p->kept, row_r);
		*app_r = p->kept->app;
	}
	(void)pthread_mutex_unlock(&m->lock);
	return knows;
}
