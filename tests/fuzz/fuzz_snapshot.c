/* tests/fuzz/fuzz_snapshot.c: the policy's snapshot against a second, plain
 * implementation: every row is looked at for every question. Input: rows, then
 * questions, out of names so few that they often meet; and rows of arbitrary
 * octets. */
#include "tests/fuzz/fuzz.h"

#include "policy/snapshot_make.h"

enum { ROWS_MAX = 48, NAME_MAX_OCTETS = 64 };

static const char *const locals[] = { "a", "b", "a.b", "\"a@x\"" };
static const char *const domains[] = {
	"x", "y.x", "z.y.x", "w.z.y.x", "yx", "x.x", "y", "x.y", "z.x", "xn--x"
};

struct name {
	char text[NAME_MAX_OCTETS];
};

static struct span text_of(const struct name *n)
{
	return span_of(n->text);
}

static struct name make_name(const char *a, const char *b, const char *c)
{
	struct name n;

	(void)snprintf(n.text, sizeof(n.text), "%s%s%s", a, b, c);
	return n;
}

static const char *local(uint8_t v)
{
	return locals[v % 4];
}

static const char *domain(uint8_t v)
{
	return domains[v / 4 % 10];
}

/* One of the forms of the set; v chooses the parts. */
static struct name pattern(unsigned forms, uint8_t how, uint8_t v)
{
	unsigned form = PATTERN_ADDRESS;

	for (unsigned skip = how % 12; skip > 0 || !(forms & form);
	     skip -= skip > 0)
		do
			form = form == PATTERN_ANY_DOMAIN ? PATTERN_ADDRESS
							  : form << 1;
		while (!(forms & form));
	switch ((enum pattern_form)form) {
	case PATTERN_ADDRESS:
		return make_name(local(v), "@", domain(v));
	case PATTERN_LOCAL:
		return make_name(local(v), "@", "");
	case PATTERN_DOMAIN:
		return make_name("@", domain(v), "");
	case PATTERN_SUBDOMAINS:
		return make_name("@.", domain(v), "");
	case PATTERN_NULL:
		return make_name("<>", "", "");
	case PATTERN_ANY:
		return make_name("*", "", "");
	case PATTERN_ANY_DOMAIN:
		break;
	}
	return make_name("@*", "", "");
}

static struct addr address(uint8_t v)
{
	struct name n = make_name(local(v), "@", domain(v));
	struct addr a;

	MUST(addr_parse(text_of(&n), true, &a) == ADDR_OK);
	return a;
}

/* The plain implementation. */

/* How wide a pattern is that the address falls under, 0 narrowest; -1: it does
 * not. */
static int width(const char *pattern, const struct addr *a)
{
	struct span p = span_of(pattern), domain = SPAN_EMPTY;

	if (strcmp(pattern, "*") == 0)
		return 2000;
	if (a->n == 0)
		return strcmp(pattern, "<>") == 0 ? 1000 : -1;
	domain = addr_domain(a);
	if (span_eq(p, addr_span(a)))
		return 0;
	if (p.n > 1 && p.p[p.n - 1] == '@' &&
	    span_eq(span_head(p, p.n - 1), addr_local(a)))
		return 1;
	if (p.p[0] != '@' || strcmp(pattern, "@*") == 0)
		return -1;
	p = span_skip(p, 1);
	if (span_eq(p, domain))
		return 2;
	for (size_t i = 0; p.p[0] == '.' && i < domain.n; i++)
		if (span_eq(span_skip(domain, i), p))
			return 3 + (int)i;
	return -1;
}

static struct {
	struct {
		struct network net;
		enum network_kind kind;
	} network[ROWS_MAX];
	struct {
		struct name a, b;
		enum access access;
	} rule[ROWS_MAX], grant[ROWS_MAX];
	struct {
		struct name name;
		bool said[ACCOUNT_NUMBERS];
		uint64_t number[ACCOUNT_NUMBERS];
	} account[ROWS_MAX];
	struct {
		struct name subject;
		enum limit_direction d;
		uint32_t seconds;
	} limit[ROWS_MAX];
	size_t networks, rules, grants, accounts, limits;
} model;

static bool bit(const struct ipaddr *a, unsigned i)
{
	return a->octet[i / 8] >> (7 - i % 8) & 1;
}

static bool in_network(const struct network *n, const struct ipaddr *a)
{
	for (unsigned i = 0; i < n->bits; i++)
		if (bit(&n->base, i) != bit(a, i))
			return false;
	return true;
}

static bool model_network(const struct ipaddr *a, enum network_kind *k_r,
			  unsigned *bits_r)
{
	bool found = false;

	*k_r = NETWORK_PLAIN;
	for (size_t i = 0; i < model.networks; i++) {
		const struct network *n = &model.network[i].net;

		if (!in_network(n, a) || (found && n->bits < *bits_r))
			continue;
		found = true;
		*bits_r = n->bits;
		*k_r = model.network[i].kind;
	}
	return found;
}

static enum access model_access(const struct addr *rcpt,
				const struct addr *sender)
{
	enum access found = ACCESS_NONE;
	int best = 1 << 30;

	for (size_t i = 0; i < model.rules; i++) {
		int scope = width(model.rule[i].a.text, rcpt);
		int from = width(model.rule[i].b.text, sender);

		if (scope < 0 || from < 0 || scope * 10000 + from >= best)
			continue;
		best = scope * 10000 + from;
		found = model.rule[i].access;
	}
	return found;
}

static bool model_send_as(const struct addr *login, const struct addr *sender)
{
	for (size_t i = 0; i < model.grants; i++)
		if (sender->n > 0 && width(model.grant[i].a.text, login) >= 0 &&
		    width(model.grant[i].b.text, sender) >= 0)
			return true;
	return false;
}

/* False: nobody says anything. */
static bool model_number(const struct addr *a, enum account_number what,
			 uint64_t *value_r)
{
	int best = 1 << 30;

	for (size_t i = 0; i < model.accounts; i++) {
		int w = width(model.account[i].name.text, a);

		if (w < 0 || w >= best || !model.account[i].said[what])
			continue;
		best = w;
		*value_r = model.account[i].number[what];
	}
	return best < 1 << 30;
}

static size_t model_limits_of(const char *subject, enum limit_direction d)
{
	size_t n = 0;

	for (size_t i = 0; i < model.limits; i++)
		n += model.limit[i].d == d &&
		     strcmp(model.limit[i].subject.text, subject) == 0;
	return n;
}

/* Rows, into both. */

static bool has_pair(const struct name *a, const struct name *b, bool grants)
{
	size_t n = grants ? model.grants : model.rules;

	for (size_t i = 0; i < n; i++) {
		const struct name *x =
			grants ? &model.grant[i].a : &model.rule[i].a;
		const struct name *y =
			grants ? &model.grant[i].b : &model.rule[i].b;

		if (strcmp(x->text, a->text) == 0 &&
		    strcmp(y->text, b->text) == 0)
			return true;
	}
	return false;
}

static void put_network(struct snapshot_maker *m, struct span *in)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	struct buf text = BUF_INIT(100);
	struct network n = { .bits = 0 };
	uint8_t how = fuzz_octet(in);
	enum network_kind k = (enum network_kind)(how % 5);
	bool v6 = how & 128;

	memcpy(n.base.octet, prefix, sizeof(prefix));
	if (v6)
		memset(n.base.octet, how & 64 ? 0x20 : 0, sizeof(prefix));
	for (unsigned i = v6 ? 8 : 12; i < 16; i++)
		n.base.octet[i] = fuzz_octet(in) & 3;
	n.bits = (v6 ? 0U : 96U) + fuzz_octet(in) % (v6 ? 129U : 33U);
	for (unsigned i = n.bits; i < 128; i++)
		n.base.octet[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
	for (size_t i = 0; i < model.networks; i++)
		if (model.network[i].net.bits == n.bits &&
		    memcmp(&model.network[i].net.base, &n.base, 16) == 0)
			return;
	network_put(&text, &n);
	snapshot_make_network(m, buf_span(&text),
			      span_of(network_kind_name(k)));
	buf_release(&text);
	model.network[model.networks].net = n;
	model.network[model.networks++].kind = k;
}

static void put_rule(struct snapshot_maker *m, struct span *in)
{
	uint8_t how = fuzz_octet(in);
	struct name a = pattern(PATTERNS_SCOPE, how, fuzz_octet(in));
	struct name b = pattern(PATTERNS_SENDER, how / 8, fuzz_octet(in));
	bool deny = how & 1;

	if (has_pair(&a, &b, false))
		return;
	snapshot_make_rule(m, text_of(&a), text_of(&b),
			   span_of(deny ? "deny" : "allow"));
	model.rule[model.rules].a = a;
	model.rule[model.rules].b = b;
	model.rule[model.rules++].access = deny ? ACCESS_DENY : ACCESS_ALLOW;
}

static void put_grant(struct snapshot_maker *m, struct span *in)
{
	uint8_t how = fuzz_octet(in);
	struct name a = pattern(PATTERNS_LOGIN, how, fuzz_octet(in));
	struct name b = pattern(PATTERNS_SEND_AS, how / 8, fuzz_octet(in));

	if (has_pair(&a, &b, true))
		return;
	snapshot_make_grant(m, text_of(&a), text_of(&b));
	model.grant[model.grants].a = a;
	model.grant[model.grants++].b = b;
}

static void put_account(struct snapshot_maker *m, struct span *in)
{
	size_t n = model.accounts;
	struct account_columns c = { .relay = SPAN_EMPTY,
				     .relay_to = SPAN_EMPTY,
				     .accept_from = SPAN_EMPTY };
	uint8_t how = fuzz_octet(in), said = fuzz_octet(in);

	model.account[n].name = pattern(PATTERNS_SCOPE, how, fuzz_octet(in));
	for (size_t i = 0; i < n; i++)
		if (strcmp(model.account[i].name.text,
			   model.account[n].name.text) == 0)
			return;
	c.name = text_of(&model.account[n].name);
	for (size_t i = 0; i < ACCOUNT_NUMBERS; i++) {
		model.account[n].said[i] = said >> i & 1;
		model.account[n].number[i] = fuzz_octet(in) % 3;
		if (model.account[n].said[i])
			c.number[i] = &model.account[n].number[i];
	}
	snapshot_make_account(m, &c);
	model.accounts++;
}

static void put_limit(struct snapshot_maker *m, struct span *in)
{
	size_t n = model.limits;
	uint8_t how = fuzz_octet(in);
	enum limit_direction d = how & 1 ? LIMIT_IN : LIMIT_OUT;
	struct limit_row l = { .seconds = 60u + (uint32_t)n };

	model.limit[n].subject = pattern(PATTERNS_SUBJECT, how, fuzz_octet(in));
	if (model_limits_of(model.limit[n].subject.text, d) ==
	    LIMIT_WINDOWS_MAX)
		return;
	model.limit[n].d = d;
	model.limit[n].seconds = l.seconds;
	snapshot_make_limit(m, text_of(&model.limit[n].subject),
			    span_of(d == LIMIT_IN ? "in" : "out"), &l);
	model.limits++;
}

/* Questions, to both. */

static void ask_network(const struct snapshot *s, struct span *in)
{
	struct ipaddr a = { { [10] = 0xff, [11] = 0xff } };
	struct network net = { .bits = 0 };
	enum network_kind k, want;
	uint8_t how = fuzz_octet(in);
	unsigned bits = 0;

	if (how & 128)
		memset(a.octet, how & 64 ? 0x20 : 0, 12);
	for (unsigned i = how & 128 ? 8 : 12; i < 16; i++)
		a.octet[i] = fuzz_octet(in) & 3;
	MUST(snapshot_network_row(s, &a, &k, &net) ==
	     model_network(&a, &want, &bits));
	MUST(k == want && net.bits == bits);
	MUST(snapshot_network(s, &a) == want);
}

static void ask_names(const struct snapshot *s, struct span *in)
{
	struct addr a = address(fuzz_octet(in)), b = address(fuzz_octet(in));
	struct snapshot_rule rule;

	if (fuzz_octet(in) % 8 == 0)
		b.n = 0;
	MUST(snapshot_access(s, &a, &b, NULL) == model_access(&a, &b));
	if (snapshot_access(s, &a, &b, &rule) != ACCESS_NONE)
		MUST(width(rule.scope, &a) >= 0 && width(rule.sender, &b) >= 0);
	MUST(snapshot_send_as(s, &a, &b) == model_send_as(&a, &b));
}

static uint64_t said(const struct addr *a, enum account_number what,
		     uint64_t otherwise)
{
	uint64_t v = otherwise;

	(void)model_number(a, what, &v);
	return v;
}

static void ask_account(const struct snapshot *s, struct span *in)
{
	struct addr a = address(fuzz_octet(in));
	struct account_policy p;
	uint64_t at;

	snapshot_account(s, &a, 2, &p);
	MUST(p.suspended == (said(&a, ACCOUNT_SUSPENDED, 0) != 0));
	MUST(p.may_send == (said(&a, ACCOUNT_MAY_SEND, 1) != 0));
	MUST(p.may_receive == (said(&a, ACCOUNT_MAY_RECEIVE, 1) != 0));
	MUST(p.require_tls == (said(&a, ACCOUNT_REQUIRE_TLS, 0) != 0));
	MUST(p.max_size == said(&a, ACCOUNT_MAX_SIZE, 0));
	MUST(p.max_send_size == said(&a, ACCOUNT_MAX_SEND_SIZE, 0));
	MUST(p.max_recipients == said(&a, ACCOUNT_MAX_RECIPIENTS, 0));
	MUST(p.expired ==
	     (model_number(&a, ACCOUNT_EXPIRES_AT, &at) && at <= 2));
}

static void ask_limits(const struct snapshot *s, struct span *in)
{
	const struct limit_row *row[LIMITS_MAX];
	struct addr a = address(fuzz_octet(in));
	enum limit_direction d = fuzz_octet(in) & 1 ? LIMIT_IN : LIMIT_OUT;
	size_t n = snapshot_limits(s, &a, d, row);
	size_t own = model_limits_of(a.text, d);
	size_t whole = model_limits_of(a.text + a.at, d);

	own = own ? own : model_limits_of("*", d);
	whole = whole ? whole : model_limits_of("@*", d);
	MUST(n == own + whole);
	for (size_t i = 0; i < n; i++) {
		MUST(row[i]->direction == d);
		MUST(span_is(row[i]->subject, "@*") ||
		     width(row[i]->subject.p, &a) >= 0);
		for (size_t k = 0; k < i; k++)
			MUST(row[i]->seconds != row[k]->seconds);
	}
}

static void arbitrary_rows(struct span in)
{
	const uint8_t secret[SIPHASH_KEY_SIZE] = { 2 };
	struct span a = fuzz_value(&in), b = fuzz_value(&in);
	struct snapshot_maker m;
	struct pattern p;
	size_t broken;

	MUST(snapshot_make_init(&m, secret, true));
	snapshot_make_network(&m, a, SPAN_LIT("plain"));
	snapshot_make_grant(&m, a, b);
	broken = m.broken;
	snapshot_make_rule(&m, a, b, SPAN_LIT("deny"));
	if (m.broken == broken) {
		MUST(pattern_parse(a, PATTERNS_SCOPE, true, &p));
		MUST(span_eq(a, pattern_span(&p)));
		MUST(pattern_parse(b, PATTERNS_SENDER, true, &p));
		MUST(span_eq(b, pattern_span(&p)));
	}
	snapshot_make_mode(&m, a, b, SPAN_LIT("off"));
	MUST(!m.no_memory);
	snapshot_make_release(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const put[])(struct snapshot_maker *, struct span *) = {
		put_network, put_rule, put_grant, put_account, put_limit
	};
	static void (*const ask[])(const struct snapshot *,
				   struct span *) = { ask_network, ask_names,
						      ask_account, ask_limits };
	const uint8_t secret[SIPHASH_KEY_SIZE] = { 1 };
	struct span in = fuzz_input(data, size);
	uint8_t rows = fuzz_octet(&in) % ROWS_MAX;
	struct snapshot_maker m;
	struct snapshot *s;

	arbitrary_rows(in);
	memset(&model, 0, sizeof(model));
	MUST(snapshot_make_init(&m, secret, true));
	while (rows-- > 0)
		put[fuzz_octet(&in) % 5](&m, &in);
	s = snapshot_make_finish(&m, 1);
	snapshot_make_release(&m);
	MUST(s != NULL);
	do
		ask[fuzz_octet(&in) % 4](s, &in);
	while (in.n > 0);
	snapshot_put(&s);
	return 0;
}
