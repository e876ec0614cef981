/* tests/fuzz/fuzz_expand.c: the stepper of policy/expand.h against a plain
 * model of its header. Input: options, the domains, the recipient, then rows
 * of aliases and mailboxes, out of names so few that they often meet. */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/world.h"

enum { DOMAINS = 8, TEXTS = 1 << 17 };

/* The world. */

#define L20 "llllllllllllllllllll"
#define L62 L20 L20 L20 "ll"
#define L63 L62 "l"

/* As long as a domain may be. */
#define LONG L63 "." L63 "." L63 "." L63

static const char *const locals[16] = {
	"p",  "q",     "p+x", "q+y",        "p-x",   "P",
	"r",  "+x",    L62,   L63,          "p+x+y", "\"\\\"" L62 "\"",
	"p+", "q-y+x", "s+X", "\"s\\\"t\"",
};

/* Stands behind a target, and what is none. */
static const char *const marks[8] = {
	",", " ", ", ", "\n", ",,\r\n\t", " |prog,", ",@ ,", ",@a:p@b, "
};

static char text[TEXTS];
static size_t text_n;

static struct span hold(const char *a, size_t an, const char *b)
{
	size_t n = strlen(b), at = text_n;

	MUST(text_n + an + n <= TEXTS);
	memcpy(text + at, a, an);
	memcpy(text + at + an, b, n);
	text_n += an + n;
	return span_make(text + at, an + n);
}

static struct span domain_name(uint8_t i)
{
	static const char names[] = "abcdefghaabbabc";

	return i % 16 == 15 ? SPAN_LIT(LONG) : span_make(names + i % 16, 1);
}

static struct span put_address(uint8_t v)
{
	struct span local = span_of(locals[v % 16]);
	struct span s = hold(local.p, local.n, "@");
	struct span d = domain_name(v / 16);

	s.n += hold(d.p, d.n, "").n;
	return s;
}

static struct span put_at_domain(uint8_t v)
{
	struct span s = hold("@", 1, "");
	struct span d = domain_name(v / 16);

	s.n += hold(d.p, d.n, "").n;
	return s;
}

/* Bits 0 to 3: what it is; 4 to 7: what it stands for. */
static void put_domain(struct world *w, uint8_t i, uint8_t v)
{
	struct world_row *r = &w->row[w->n];

	*r = (struct world_row){ .kind = WORLD_DOMAIN,
				 .key = domain_name(i),
				 .text = v / 16 < 12 ? SPAN_EMPTY
						     : domain_name(v / 16),
				 .there = F_YES,
				 .active = F_YES };
	if (v / 16 < DOMAINS)
		r->text = domain_name(v / 16);
	switch (v % 16) {
	case 0:
		return; /* not ours */
	case 1:
		r->active = F_NO;
		break;
	case 2:
		r->active = F_TEMP;
		break;
	case 3:
		r->there = F_TEMP;
		break;
	default:
		break;
	}
	w->n++;
}

static struct span put_targets(struct span *input, uint8_t n)
{
	struct span all = hold("", 0, "");

	while (n-- > 0) {
		uint8_t how = fuzz_octet(input), v = fuzz_octet(input);

		all.n += how & 8 ? put_at_domain(v).n : put_address(v).n;
		all.n += hold("", 0, marks[how % 8]).n;
	}
	return all;
}

static void put_row(struct world *w, struct span *input)
{
	uint8_t how = fuzz_octet(input), v = fuzz_octet(input);
	struct world_row *r = &w->row[w->n++];

	*r = (struct world_row){ .kind = how % 4 == 0 ? WORLD_MAILBOX
						      : WORLD_ALIAS,
				 .text = SPAN_EMPTY,
				 .there = how / 4 % 16 == 15 ? F_TEMP : F_YES };
	r->key = how % 4 == 1 ? put_at_domain(v) : put_address(v);
	if (r->kind == WORLD_ALIAS)
		r->text = put_targets(input, how / 64);
}

/* False: the recipient grew too long to be one. */
static bool make_world(struct span *input, struct world *w, struct addr *rcpt)
{
	static const char *const delimiters[] = { "+", "", "+-", "-" };
	uint8_t how = fuzz_octet(input);
	struct span s;

	text_n = 0;
	w->n = 0;
	w->delimiters = delimiters[how % 4];
	w->fold = how & 4;
	for (uint8_t i = 0; i < DOMAINS; i++)
		put_domain(w, i, fuzz_octet(input));
	s = put_address(fuzz_octet(input));
	if (addr_parse(s, w->fold, rcpt) != ADDR_OK)
		return false;
	while (input->n > 0 && w->n < WORLD_ROWS)
		put_row(w, input);
	return true;
}

/* The model: one level of addresses after the other, each found by as many
 * aliases as the others of its level. */

struct level {
	struct addr *address;
	size_t n;
};

struct model_end {
	enum expand_kind kind;
	struct addr address;
};

static struct {
	const struct world *w;
	struct addr seen[1 + EXPAND_TARGETS_MAX];
	size_t seen_n;
	struct model_end *ends;
	size_t ends_n;
	enum expand_step step;
	int depth;
} model;

static void *grown(void *p, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return p;
	p = realloc(p, (n ? 2 * n : 1) * size);
	MUST(p != NULL);
	return p;
}

static void put_end(enum expand_kind kind, const struct addr *a)
{
	for (size_t i = 0; i < model.ends_n; i++)
		if (model.ends[i].kind == kind &&
		    span_eq(addr_span(a), addr_span(&model.ends[i].address)))
			return;
	model.ends = grown(model.ends, model.ends_n, sizeof(*model.ends));
	model.ends[model.ends_n++] =
		(struct model_end){ .kind = kind, .address = *a };
}

static void give_up(enum expand_step step)
{
	if (model.step == EXPAND_DONE)
		model.step = step;
}

static void put_next(struct level *next, const struct addr *a)
{
	for (size_t i = 0; i < model.seen_n; i++)
		if (span_eq(addr_span(a), addr_span(&model.seen[i])))
			return;
	if (model.depth == EXPAND_DEPTH_MAX ||
	    model.seen_n == 1 + EXPAND_TARGETS_MAX) {
		give_up(EXPAND_TOO_FAR);
		return;
	}
	next->address = grown(next->address, next->n, sizeof(*next->address));
	next->address[next->n++] = *a;
	model.seen[model.seen_n++] = *a;
}

/* The local part of one address in another domain. */
static bool moved(struct span local, struct span domain, struct addr *a_r)
{
	char room[2 * ADDR_MAX];

	if (local.n + 1 + domain.n > sizeof(room))
		return false;
	memcpy(room, local.p, local.n);
	room[local.n] = '@';
	memcpy(room + local.n + 1, domain.p, domain.n);
	return addr_parse(span_make(room, local.n + 1 + domain.n), false,
			  a_r) == ADDR_OK;
}

static bool extended(const struct addr *a, struct span extension,
		     struct addr *a_r)
{
	char room[2 * ADDR_MAX];

	memcpy(room, a->text, a->at);
	memcpy(room + a->at, extension.p, extension.n);
	return moved(span_make(room, a->at + extension.n), addr_domain(a), a_r);
}

/* An alias: for whom it was found, under which address (empty: a catch-all)
 * and without which extension; whether it names itself. */
struct found {
	struct addr whom;
	struct addr as;
	struct span extension;
	bool self;
};

static void bad_target(const struct found *f)
{
	put_end(EXPAND_BAD, f->as.n ? &f->as : &f->whom);
}

static bool is_self(const struct found *f, const struct addr *a)
{
	struct addr asked;

	if (f->as.n == 0)
		return false;
	return span_eq(addr_span(a), addr_span(&f->as)) ||
	       (f->extension.n && extended(&f->as, f->extension, &asked) &&
		span_eq(addr_span(a), addr_span(&asked)));
}

static void lead_domain(struct found *f, struct span domain, struct level *next)
{
	char d[ADDR_DOMAIN_MAX + 1];
	struct addr a;
	size_t n;

	if (addr_domain_parse(domain, d, &n) != ADDR_OK ||
	    !moved(addr_local(&f->whom), span_make(d, n), &a))
		bad_target(f);
	else if (is_self(f, &a))
		f->self = true;
	else
		put_next(next, &a);
}

static void lead_one(struct found *f, struct span word, struct level *next)
{
	struct addr a, longer;

	if (word.n == 0)
		return;
	if (word.p[0] == '@')
		lead_domain(f, span_skip(word, 1), next);
	else if (addr_parse(word, model.w->fold, &a) != ADDR_OK)
		bad_target(f);
	else if (is_self(f, &a))
		f->self = true;
	else if (f->extension.n && extended(&a, f->extension, &longer))
		put_next(next, &longer);
	else
		put_next(next, &a);
}

static void lead_row(struct found *f, struct span row, struct level *next)
{
	size_t from = 0;

	for (size_t k = 0; k <= row.n; k++) {
		if (k < row.n && !strchr(", \t\r\n", row.p[k]))
			continue;
		lead_one(f, span_make(row.p + from, k - from), next);
		from = k + 1;
	}
}

static void look_up_box(const struct addr *a, enum fact box)
{
	if (box == F_TEMP)
		give_up(EXPAND_TEMP);
	else if (box == F_YES)
		put_end(EXPAND_MAILBOX, a);
}

/* False: there is no such alias. */
static bool lead(struct found *f, struct span key, struct level *next)
{
	enum fact there = world_alias(model.w, key), box;

	for (size_t i = 0; i < model.w->n; i++)
		if (model.w->row[i].kind == WORLD_ALIAS &&
		    span_eq(model.w->row[i].key, key))
			lead_row(f, model.w->row[i].text, next);
	if (there == F_TEMP)
		give_up(EXPAND_TEMP);
	if (f->self && there == F_YES) {
		box = world_mailbox(model.w, addr_span(&f->as));
		look_up_box(&f->as, box);
		if (box == F_NO)
			put_end(EXPAND_UNKNOWN, &f->as);
	}
	return there != F_NO;
}

/* Whether the way goes on (or ends) here. */
static bool found_as(struct found *f, struct level *next)
{
	enum fact box;

	if (lead(f, addr_span(&f->as), next))
		return true;
	box = world_mailbox(model.w, addr_span(&f->as));
	look_up_box(&f->as, box);
	return box != F_NO;
}

static bool found_in(const struct addr *whom, struct span domain,
		     struct level *next)
{
	struct found f = { .whom = *whom, .extension = SPAN_EMPTY };
	struct addr full;

	MUST(moved(addr_local(whom), domain, &full));
	f.as = full;
	if (found_as(&f, next))
		return true;
	return addr_strip_extension(&full, span_of(model.w->delimiters), &f.as,
				    &f.extension) &&
	       found_as(&f, next);
}

static bool found_catch_all(const struct addr *whom, struct span domain,
			    struct level *next)
{
	struct found f = { .whom = *whom, .extension = SPAN_EMPTY };
	char key[1 + ADDR_DOMAIN_MAX] = "@";

	memcpy(key + 1, domain.p, domain.n);
	return lead(&f, span_make(key, 1 + domain.n), next);
}

/* False: the way of an address ends with its domain. */
static bool goes_on(const struct addr *a, const struct world_row *domain)
{
	if (domain->there == F_TEMP ||
	    (domain->there == F_YES && domain->active == F_TEMP))
		give_up(EXPAND_TEMP);
	else if (domain->there == F_NO)
		put_end(EXPAND_FOREIGN, a);
	else if (domain->active == F_NO)
		put_end(EXPAND_DOMAIN_OFF, a);
	else
		return true;
	return false;
}

static bool is_in(const struct span *chain, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(chain[i], name))
			return true;
	return false;
}

static void follow(const struct addr *a, struct level *next)
{
	struct span chain[EXPAND_CHAIN_MAX], name = addr_domain(a);
	size_t n = 0;

	while (name.n && !is_in(chain, n, name)) {
		struct world_row domain = world_domain(model.w, name);
		struct addr there;

		if (!moved(addr_local(a), name, &there))
			break; /* no room for it there */
		if (n == EXPAND_CHAIN_MAX) {
			give_up(EXPAND_TOO_FAR);
			return;
		}
		if (!goes_on(&there, &domain) || found_in(a, name, next))
			return;
		chain[n++] = name;
		name = domain.text;
	}
	for (size_t i = 0; i < n; i++)
		if (found_catch_all(a, chain[i], next))
			return;
	put_end(EXPAND_UNKNOWN, a);
}

static void follow_level(const struct level *level)
{
	struct level next = { .n = 0 };

	for (size_t i = 0; i < level->n && model.step == EXPAND_DONE; i++)
		follow(&level->address[i], &next);
	model.depth++;
	if (next.n > 0 && model.step == EXPAND_DONE)
		follow_level(&next);
	free(next.address);
}

static void model_expand(const struct world *w, struct addr *rcpt)
{
	free(model.ends);
	memset(&model, 0, sizeof(model));
	model.w = w;
	model.step = EXPAND_DONE;
	model.seen[model.seen_n++] = *rcpt;
	follow_level(&(struct level){ .address = rcpt, .n = 1 });
	if (model.ends_n == 0)
		give_up(EXPAND_TOO_FAR);
}

/* Both. */

static void must_be_answered(const struct world_walk *k,
			     const struct expand_target *t)
{
	MUST(t->answer < k->mailboxes);
	MUST(k->answer[t->answer].known == F_YES);
	MUST(span_eq(addr_span(&k->answer[t->answer].key),
		     addr_span(&t->address)));
}

static void must_be_equal(const struct world_walk *k)
{
	size_t n;
	const struct expand_target *t = expand_targets(k->e, &n);

	MUST(k->end == model.step);
	if (k->end != EXPAND_DONE)
		return;
	MUST(n == model.ends_n);
	for (size_t i = 0; i < n; i++) {
		MUST(t[i].kind == model.ends[i].kind);
		MUST(span_eq(addr_span(&t[i].address),
			     addr_span(&model.ends[i].address)));
		MUST(t[i].address.text[t[i].address.n] == '\0');
		MUST(t[i].address.text[t[i].address.at] == '@');
		if (t[i].kind == EXPAND_MAILBOX)
			must_be_answered(k, &t[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world_walk k = { .temp_at = SIZE_MAX };
	struct span input = fuzz_input(data, size);
	struct world w;
	struct addr rcpt;

	if (!make_world(&input, &w, &rcpt))
		return 0;
	world_walk(&w, &rcpt, &k);
	MUST(k.e != NULL);
	model_expand(&w, &rcpt);
	must_be_equal(&k);
	expand_free(&k.e);
	MUST(k.e == NULL);
	return 0;
}
