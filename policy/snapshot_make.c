/* policy/snapshot_make.c: see snapshot_make.h. What stands in a table was not
 * necessarily put there by our tool, so every value is looked at, and a name
 * that is not canonical would never be found: it is broken too. */
#include "policy/snapshot_make.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/array.h"
#include "lib/esc.h"
#include "policy/snapshotint.h"

enum { NAME_SHOWN = 80 };

bool snapshot_make_init(struct snapshot_maker *m,
			const uint8_t secret[SIPHASH_KEY_SIZE], bool fold_local)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	*m = (struct snapshot_maker){ .s = s,
				      .fold = fold_local,
				      .why = BUF_INIT(SNAPSHOT_WHY_MAX) };
	if (!s)
		return false;
	atomic_init(&s->refs, 1);
	policy_modes_default(&s->site);
	keymap_init(&s->domains, secret);
	keymap_init(&s->names, secret);
	keymap_init(&s->rules, secret);
	keymap_init(&s->grants, secret);
	keymap_init(&s->subjects, secret);
	return true;
}

void snapshot_make_release(struct snapshot_maker *m)
{
	if (m->s)
		snapshot_free(m->s);
	m->s = NULL;
	buf_release(&m->why);
}

/* One line; a second name is empty where the key is one. */
static void remark(struct snapshot_maker *m, const char *table, struct span a,
		   struct span b, const char *what)
{
	struct buf line = BUF_INIT(SNAPSHOT_WHY_MAX);

	buf_printf(&line, "%s '", table);
	esc_put(&line, a, NAME_SHOWN);
	if (b.n) {
		buf_puts(&line, "' '");
		esc_put(&line, b, NAME_SHOWN);
	}
	buf_printf(&line, "': %s\n", what);
	if (buf_ok(&line) && m->why.n + line.n < SNAPSHOT_WHY_MAX)
		buf_put_span(&m->why, buf_span(&line));
	buf_release(&line);
}

static void broken(struct snapshot_maker *m, const char *table, struct span a,
		   struct span b, const char *what)
{
	m->broken++;
	remark(m, table, a, b, what);
}

/* In this table, what the name says, and only in its canonical form. */
static bool named(struct snapshot_maker *m, const char *table, struct span a,
		  struct span b, struct span name, unsigned forms)
{
	char what[PATTERN_MAX + 64];
	struct pattern p;

	if (!pattern_parse(name, forms, m->fold, &p)) {
		broken(m, table, a, b, "no name that can stand here");
		return false;
	}
	if (span_eq(name, pattern_span(&p)))
		return true;
	(void)snprintf(what, sizeof(what),
		       "not canonical, so never found; write '%s'", p.text);
	broken(m, table, a, b, what);
	return false;
}

static void added(struct snapshot_maker *m, const char *table, struct span a,
		  struct span b, enum keymap_added r)
{
	if (r == KEYMAP_NO_MEMORY)
		m->no_memory = true;
	else if (r == KEYMAP_TWICE)
		broken(m, table, a, b, "is there twice");
}

static bool is_word(struct span s, const char *const *words, size_t n,
		    unsigned *i_r)
{
	for (*i_r = 0; *i_r < n; (*i_r)++)
		if (span_is(s, words[*i_r]))
			return true;
	return false;
}

static struct span keep(struct snapshot_maker *m, struct span s)
{
	struct snapshot_text *t = malloc(sizeof(*t) + s.n + 1);

	if (!t) {
		m->no_memory = true;
		return SPAN_EMPTY;
	}
	memcpy(t->text, s.p, s.n);
	t->text[s.n] = '\0';
	t->next = m->s->texts;
	m->s->texts = t;
	return span_make(t->text, s.n);
}

/* Networks. */

void snapshot_make_network(struct snapshot_maker *m, struct span network,
			   struct span kind)
{
	struct network n;
	enum network_kind k;

	if (!network_parse(network, &n))
		broken(m, "network", network, SPAN_EMPTY,
		       "no network, or octets beyond its prefix are not 0");
	else if (!network_kind_find(kind, &k))
		broken(m, "network", network, SPAN_EMPTY, "no such kind");
	else if (netmap_add(&m->s->networks, &n, k))
		m->s->size.networks++;
	else
		m->no_memory = true;
}

/* Modes. */

/* What a domain does not say is the site's, whose rows may come later. */
enum { MODE_UNSAID = UINT8_MAX };

static struct policy_modes *modes_of(struct snapshot_maker *m,
				     struct span domain)
{
	struct snapshot *s = m->s;
	struct policy_modes *p;
	uint32_t i;

	if (domain.n == 0)
		return &s->site;
	if (keymap_find(&s->domains, domain, SPAN_EMPTY, &i))
		return &s->modes[i];
	p = array_grow(s->modes, s->modes_n, &s->modes_size, sizeof(*p));
	if (!p)
		return NULL;
	s->modes = p;
	if (keymap_add(&s->domains, domain, SPAN_EMPTY, (uint32_t)s->modes_n) !=
	    KEYMAP_ADDED)
		return NULL;
	p = &s->modes[s->modes_n++];
	memset(p->mode, MODE_UNSAID, sizeof(p->mode));
	return p;
}

static bool mode_find(struct span name, enum policy_mode *mode_r)
{
	static const enum policy_mode mode[] = { M_OFF, M_SHADOW, M_ENFORCE };

	for (size_t i = 0; i < sizeof(mode) / sizeof(*mode); i++)
		if (span_is(name, policy_mode_name(mode[i]))) {
			*mode_r = mode[i];
			return true;
		}
	return false;
}

static bool is_domain(struct span domain)
{
	char canonical[ADDR_DOMAIN_MAX + 1];
	size_t n;

	return addr_domain_parse(domain, canonical, &n) == ADDR_OK &&
	       span_eq(domain, span_make(canonical, n));
}

void snapshot_make_mode(struct snapshot_maker *m, struct span predicate,
			struct span domain, struct span mode)
{
	static const char table[] = "policy_mode";
	enum predicate_id id = predicate_find(predicate);
	struct policy_modes *modes;
	enum policy_mode v;

	if (id == PREDICATE_COUNT) {
		/* perhaps of a newer release, beside us on another node */
		remark(m, table, predicate, domain, "no such predicate");
	} else if (!mode_find(mode, &v)) {
		broken(m, table, predicate, domain, "no such mode");
	} else if (domain.n && !is_domain(domain)) {
		broken(m, table, predicate, domain, "no canonical domain");
	} else if (predicate_get(id)->mode == M_FIXED) {
		if (v != M_ENFORCE)
			broken(m, table, predicate, domain,
			       "is always enforced");
	} else {
		modes = modes_of(m, domain);
		m->no_memory |= !modes;
		if (modes)
			modes->mode[id] = (uint8_t)v;
		m->s->size.modes++;
	}
}

static void finish_modes(struct snapshot *s)
{
	for (size_t id = 0; id < PREDICATE_COUNT; id++) {
		s->on[id] = s->site.mode[id] != M_OFF;
		for (size_t i = 0; i < s->modes_n; i++) {
			uint8_t *mode = &s->modes[i].mode[id];

			if (*mode == MODE_UNSAID)
				*mode = s->site.mode[id];
			s->on[id] |= *mode != M_OFF;
		}
	}
}

/* Accounts. */

static bool words_of(struct snapshot_maker *m, const struct account_columns *c,
		     struct account_row *row)
{
	static const char *const relay[] = {
		[RELAY_YES] = "yes",
		[RELAY_INTERNAL] = "internal",
		[RELAY_LIST] = "list",
		[RELAY_NO] = "no",
	};
	static const char *const accept[] = {
		[ACCEPT_ANYONE] = "anyone",
		[ACCEPT_INTERNAL] = "internal",
		[ACCEPT_LIST] = "list",
	};
	unsigned i;

	if (c->relay.n) {
		if (!is_word(c->relay, relay, 4, &i)) {
			broken(m, "account_policy", c->name, SPAN_EMPTY,
			       "no such word in relay");
			return false;
		}
		row->said |= SAID_RELAY;
		row->v.relay = (enum relay_scope)i;
	}
	if (c->accept_from.n) {
		if (!is_word(c->accept_from, accept, 3, &i)) {
			broken(m, "account_policy", c->name, SPAN_EMPTY,
			       "no such word in accept_from");
			return false;
		}
		row->said |= SAID_ACCEPT_FROM;
		row->v.accept_from = (enum accept_from)i;
	}
	return true;
}

static bool list_of(struct snapshot_maker *m, const struct account_columns *c,
		    struct account_row *row)
{
	struct span bad;

	if (!c->has_relay_to)
		return true;
	if (!pattern_list_check(c->relay_to, &bad)) {
		broken(m, "account_policy", c->name, bad,
		       "no canonical domain in relay_to");
		return false;
	}
	row->said |= SAID_RELAY_TO;
	row->v.relay_to = keep(m, c->relay_to);
	return true;
}

/* A moment before 1970 is past, too; beyond what can be told it is never. */
static int64_t moment_of(uint64_t seconds)
{
	if (seconds == 0)
		return 1;
	return seconds > INT64_MAX ? INT64_MAX : (int64_t)seconds;
}

static void numbers_of(const struct account_columns *c, struct account_row *row)
{
	const uint64_t *const *n = c->number;
	struct account_policy *v = &row->v;

	/* in the order of enum account_number and enum account_said */
	for (unsigned i = 0; i < ACCOUNT_NUMBERS; i++)
		if (n[i])
			row->said |= 1U << i;
	v->suspended = n[ACCOUNT_SUSPENDED] && *n[ACCOUNT_SUSPENDED];
	if (n[ACCOUNT_EXPIRES_AT])
		v->expires_at = moment_of(*n[ACCOUNT_EXPIRES_AT]);
	v->may_send = n[ACCOUNT_MAY_SEND] && *n[ACCOUNT_MAY_SEND];
	v->may_receive = n[ACCOUNT_MAY_RECEIVE] && *n[ACCOUNT_MAY_RECEIVE];
	v->require_tls = n[ACCOUNT_REQUIRE_TLS] && *n[ACCOUNT_REQUIRE_TLS];
	if (n[ACCOUNT_MAX_SIZE])
		v->max_size = *n[ACCOUNT_MAX_SIZE];
	if (n[ACCOUNT_MAX_SEND_SIZE])
		v->max_send_size = *n[ACCOUNT_MAX_SEND_SIZE];
	if (n[ACCOUNT_MAX_RECIPIENTS])
		v->max_recipients = *n[ACCOUNT_MAX_RECIPIENTS];
}

void snapshot_make_account(struct snapshot_maker *m,
			   const struct account_columns *c)
{
	static const char table[] = "account_policy";
	struct snapshot *s = m->s;
	size_t n = s->size.accounts;
	struct account_row *row;

	if (!named(m, table, c->name, SPAN_EMPTY, c->name, PATTERNS_SCOPE))
		return;
	row = array_grow(s->account, n, &s->account_size, sizeof(*row));
	if (!row) {
		m->no_memory = true;
		return;
	}
	s->account = row;
	row = &s->account[n];
	*row = (struct account_row){ .said = 0 };
	numbers_of(c, row);
	if (!words_of(m, c, row) || !list_of(m, c, row))
		return;
	s->size.accounts++;
	added(m, table, c->name, SPAN_EMPTY,
	      keymap_add(&s->names, c->name, SPAN_EMPTY, (uint32_t)n));
}

/* Rules and grants: pairs, and the first name alone. */

static void add_pair(struct snapshot_maker *m, struct keymap *map,
		     const char *table, struct span a, struct span b,
		     uint32_t value)
{
	if (keymap_add(map, a, SPAN_EMPTY, 0) == KEYMAP_NO_MEMORY)
		m->no_memory = true;
	added(m, table, a, b, keymap_add(map, a, b, value));
}

void snapshot_make_rule(struct snapshot_maker *m, struct span scope,
			struct span sender, struct span action)
{
	static const char table[] = "access_rule";
	static const char *const words[] = { [ACCESS_NONE] = "",
					     [ACCESS_ALLOW] = "allow",
					     [ACCESS_DENY] = "deny" };
	unsigned i;

	if (!named(m, table, scope, sender, scope, PATTERNS_SCOPE) ||
	    !named(m, table, scope, sender, sender, PATTERNS_SENDER))
		return;
	if (!is_word(action, words, 3, &i) || i == ACCESS_NONE) {
		broken(m, table, scope, sender, "no such action");
		return;
	}
	m->s->size.rules++;
	add_pair(m, &m->s->rules, table, scope, sender, i);
}

void snapshot_make_grant(struct snapshot_maker *m, struct span login,
			 struct span sender)
{
	static const char table[] = "send_as";

	if (!named(m, table, login, sender, login, PATTERNS_LOGIN) ||
	    !named(m, table, login, sender, sender, PATTERNS_SEND_AS))
		return;
	m->s->size.grants++;
	add_pair(m, &m->s->grants, table, login, sender, 1);
}

/* Limits. */

/* row: the rest of its key, for remarks. */
static bool limit_ok(struct snapshot_maker *m, struct span subject,
		     struct span direction, struct span row,
		     const struct limit_row *l, enum limit_direction *d_r)
{
	static const char table[] = "policy_limit";
	static const char *const words[] = {
		[LIMIT_OUT] = "out", [LIMIT_IN] = "in"
	};
	unsigned i;

	if (!named(m, table, subject, row, subject, PATTERNS_SUBJECT))
		return false;
	if (!is_word(direction, words, 2, &i)) {
		broken(m, table, subject, row, "no such direction");
		return false;
	}
	*d_r = (enum limit_direction)i;
	if (l->seconds >= LIMIT_SECONDS_MIN && l->seconds <= LIMIT_SECONDS_MAX)
		return true;
	broken(m, table, subject, row, "seconds of no window");
	return false;
}

/* The link behind the last one of a chain; NULL: it has enough. */
static uint32_t *chain_end(struct snapshot *s, uint32_t first)
{
	uint32_t *next = &s->limit[first].next;

	for (size_t n = 1; n < LIMIT_WINDOWS_MAX; n++) {
		if (*next == LIMIT_LAST)
			return next;
		next = &s->limit[*next].next;
	}
	return NULL;
}

/* Its subject is the first one's, or new. */
static void chain(struct snapshot_maker *m, struct span subject,
		  struct span direction, struct span row, uint32_t i)
{
	struct snapshot *s = m->s;
	uint32_t first, *end;

	if (!keymap_find(&s->subjects, subject, direction, &first)) {
		s->limit[i].row.subject = keep(m, subject);
		added(m, "policy_limit", subject, row,
		      keymap_add(&s->subjects, subject, direction, i));
		return;
	}
	s->limit[i].row.subject = s->limit[first].row.subject;
	end = chain_end(s, first);
	if (end)
		*end = i;
	else
		broken(m, "policy_limit", subject, row,
		       "has more windows than are looked at");
}

void snapshot_make_limit(struct snapshot_maker *m, struct span subject,
			 struct span direction, const struct limit_row *limit)
{
	struct snapshot *s = m->s;
	size_t n = s->size.limits;
	struct limit_link *link;
	enum limit_direction d;
	char key[NAME_SHOWN];
	struct span row;

	snprintf(key, sizeof(key), "%.*s %" PRIu32 "s", (int)direction.n,
		 direction.p, limit->seconds);
	row = span_of(key);
	if (!limit_ok(m, subject, direction, row, limit, &d))
		return;
	link = array_grow(s->limit, n, &s->limit_size, sizeof(*link));
	if (!link) {
		m->no_memory = true;
		return;
	}
	s->limit = link;
	s->limit[n] = (struct limit_link){ .row = *limit, .next = LIMIT_LAST };
	s->limit[n].row.direction = d;
	s->size.limits++;
	chain(m, subject, direction, row, (uint32_t)n);
}

struct snapshot *snapshot_make_finish(struct snapshot_maker *m,
				      uint64_t generation)
{
	struct buf name = BUF_INIT(2 * IPADDR_TEXT_MAX);
	struct snapshot *s = m->s;
	struct network twice;

	if (!netmap_finish(&s->networks, &twice)) {
		network_put(&name, &twice);
		broken(m, "network", buf_span(&name), SPAN_EMPTY,
		       "is there twice");
	}
	buf_release(&name);
	if (m->no_memory || m->broken)
		return NULL;
	finish_modes(s);
	s->generation = generation;
	m->s = NULL;
	return s;
}
