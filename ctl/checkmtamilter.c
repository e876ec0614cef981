/* ctl/checkmtamilter.c: is our milter among smtpd's, where, and what happens
 * when it is away? */
#include "ctl/checkmta.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/esc.h"

enum { ENTRIES = 32 };

/* One milter of smtpd_milters: ADDRESS, or { ADDRESS, NAME=VALUE ... }. */
struct entry {
	struct span raw, address, attributes;
	unsigned role; /* 0 = not ours */
	bool alike;    /* not ours, but meant to be */
};

struct milters {
	struct mta *m;
	const struct mta_service *s;
	struct entry e[ENTRIES];
	size_t n;
	unsigned roles;
	char where[MTA_WHERE_MAX];
};

static const char *const socket_options[MTA_ROLES] = { "milter_socket",
						       "milter_policy_socket",
						       "milter_store_socket" };

/* In a directory of our name, or of such a name itself: a socket of ours that
 * has moved, or is looked for in the wrong place. Other milters' sockets may
 * well have the same last name. */
static bool is_alike(struct span path)
{
	static const char name[] = "mailrow";
	size_t n = strlen(name), i = path.n;

	while (i > 0 && path.p[i - 1] != '/')
		i--;
	if (span_starts_nocase(span_skip(path, i), span_of(name)))
		return true;
	if (i <= n || !span_is(span_make(path.p + i - 1 - n, n), name))
		return false;
	return i == n + 1 || strchr("/:", path.p[i - n - 2]) != NULL;
}

/* By its words first: one file may have two names. */
static unsigned role_of(const struct mta *m, const struct mta_socket *s)
{
	unsigned i, role = 0;

	for (i = 0; i < MTA_ROLES; i++) {
		if (!mta_socket_same(&m->milter[i], s))
			continue;
		if (!role || strcmp(m->milter[i].text, s->text) == 0)
			role = 1U << i;
	}
	return role;
}

static void take_entry(struct milters *l, struct span word)
{
	struct entry *e = &l->e[l->n++];
	struct mta_socket s;

	*e = (struct entry){ .raw = word, .attributes = mta_unbrace(word) };
	(void)mta_word(&e->attributes, &e->address);
	if (!mta_socket_theirs(l->m, e->address, l->s && l->s->chroot, "inet",
			       &s))
		return;
	e->role = role_of(l->m, &s);
	e->alike = !e->role && !s.inet && is_alike(e->address);
	l->roles |= e->role;
}

static void read_list(struct mta *m, const struct mta_service *s,
		      const char *name, struct milters *l)
{
	struct span list = mta_get(m, s, name), word;

	memset(l, 0, sizeof(*l));
	l->m = m;
	l->s = s;
	(void)mta_where(m, s, name, l->where);
	while (l->n < ENTRIES && mta_word(&list, &word))
		take_entry(l, word);
}

static void read_milters(struct mta *m, const struct mta_service *s,
			 struct milters *l)
{
	read_list(m, s, "smtpd_milters", l);
	if (mta_list_has(mta_get(m, s, "receive_override_options"),
			 "no_milters"))
		l->n = l->roles = 0;
}

unsigned mta_roles(const struct mta *m, const struct mta_service *s,
		   bool *last_r)
{
	struct milters l;

	/* only mta_say() changes what it is given */
	read_milters((struct mta *)(uintptr_t)m, s, &l);
	*last_r = l.n > 0 && l.e[l.n - 1].role != 0;
	return l.roles;
}

/* The list without what is ours, or stands in our place; one more may come
 * behind it. */
static void put_others(const struct milters *l, struct buf *b)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->e[i].role || (l->e[i].alike && !l->roles))
			continue;
		buf_put_span(b, l->e[i].raw);
		buf_puts(b, ", ");
	}
}

/* Ours is first a word, then the others' last. */
static const char *fix_with(const struct milters *l, struct span ours,
			    bool at_service, char fix[CHECK_FIX_MAX])
{
	struct buf b = BUF_INIT(CHECK_FIX_MAX);

	put_others(l, &b);
	buf_put_span(&b, ours);
	if (at_service)
		mta_fix_service(l->m, l->s, "smtpd_milters", buf_span(&b), fix);
	else
		mta_fix(l->m, l->s, "smtpd_milters", buf_span(&b), fix);
	buf_release(&b);
	return fix;
}

/* Where our first one is: the directory has the right owner. */
static void policy_path(const struct mta *m, char out[MTA_SOCKET_MAX + 32])
{
	const char *slash = strrchr(m->milter[0].text, '/');

	if (m->milter[0].inet || !slash)
		snprintf(out, MTA_SOCKET_MAX + 32,
			 "local:%.200s/mailrow/policy.sock", m->queue);
	else
		snprintf(out, MTA_SOCKET_MAX + 32, "local:%.*s/policy.sock",
			 (int)(slash - m->milter[0].text), m->milter[0].text);
}

const char *mta_policy_fix(struct mta *m, const struct mta_service *s,
			   char fix[CHECK_FIX_MAX])
{
	char name[MTA_SOCKET_MAX], path[MTA_SOCKET_MAX + 32];
	struct milters l;

	if (!m->milter[1].text[0]) {
		policy_path(m, path);
		return mta_option_fix(m, "milter_policy_socket", path,
				      "restart mailrow-milter", fix);
	}
	read_milters(m, s, &l);
	(void)mta_socket_name(m, &m->milter[1], name);
	return fix_with(&l, span_of(name), true, fix);
}

/* A port of our own host that master.cf keeps milters away from: there mail
 * comes back from a filter, or goes out for an alias. */
static bool is_back_door(const struct milters *l)
{
	struct span all = mta_get(l->m, NULL, "smtpd_milters");
	struct span own = mta_get(l->m, l->s, "smtpd_milters");

	return own.p != all.p && mta_is_loopback(l->m, l->s);
}

/* Where nothing of ours stands: our full socket, or the store's on a port
 * that filtered mail comes back by. */
static void say_missing(struct milters *l)
{
	struct mta *m = l->m;
	bool back = is_back_door(l);
	size_t role = back && m->milter[2].text[0] ? 2 : 0;
	char name[MTA_SOCKET_MAX], fix[CHECK_FIX_MAX];
	const char *why = "";
	struct esc_text e;
	size_t i;

	if ((back && (m->lmtp || !m->filters)) ||
	    !mta_sees(m, l->s, &m->milter[role], "milter",
		      socket_options[role]))
		return;
	for (i = 0; i < l->n; i++)
		if (l->e[i].alike)
			why = esc_text(&e, l->e[i].address);
	(void)mta_socket_name(m, &m->milter[role], name);
	(void)fix_with(l, span_of(name), false, fix);
	if (*why)
		mta_say(m, CHECK_FAIL, "milter", fix,
			"%s says %s, which is none of our sockets%s", l->where,
			why, l->s->chroot ? " in smtpd's chroot" : "");
	else
		mta_say(m, CHECK_FAIL, "milter", fix,
			"%s does not name %s: mail that comes in there is "
			"neither judged nor stored",
			l->where, name);
}

static void test_listed(struct milters *l)
{
	struct mta *m = l->m;

	if (!l->roles)
		say_missing(l);
	else
		mta_say(m, CHECK_OK, "milter", "", "%s names %s%s%s", l->where,
			l->roles & MTA_FULL ? "our milter" : "",
			l->roles & MTA_POLICY ? "the policy socket" : "",
			l->roles & MTA_STORE ? "the store socket" : "");
}

/* A milter behind ours could still reject, change or add what is stored. */
static void test_last(struct milters *l)
{
	char fix[CHECK_FIX_MAX];
	struct esc_text e;
	size_t i, n = 0;

	for (i = 0; i < l->n; i++) {
		if (!l->e[i].role)
			continue;
		if (++n > 1)
			mta_say(l->m, CHECK_FAIL, "milter",
				fix_with(l, l->e[i].raw, false, fix),
				"%s names more than one socket of ours: each "
				"judges the mail",
				l->where);
		else if (l->e[i].role != MTA_POLICY && i + 1 < l->n &&
			 !l->e[i + 1].role)
			mta_say(l->m, CHECK_FAIL, "milter",
				fix_with(l, l->e[i].raw, false, fix),
				"our milter is not the last of %s: what %s "
				"rejects or changes is stored already",
				l->where, esc_text(&e, l->e[i + 1].address));
	}
}

/* The attribute in the entry's braces, else the parameter. */
static bool attribute(const struct milters *l, const struct entry *e,
		      const char *name, const char *param, struct span *v_r)
{
	struct span list = e->attributes, word, left, right;

	while (mta_word(&list, &word))
		if (span_cut(word, '=', &left, &right) && span_is(left, name)) {
			*v_r = right;
			return true;
		}
	*v_r = mta_get(l->m, l->s, param);
	return false;
}

/* The same list, where this entry's attribute has this value. */
static void put_changed(const struct milters *l, const struct entry *e,
			const char *name, const char *value, struct buf *b)
{
	struct span list = e->attributes, word, left, right;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (i)
			buf_puts(b, ", ");
		if (&l->e[i] != e) {
			buf_put_span(b, l->e[i].raw);
			continue;
		}
		buf_puts(b, "{ ");
		buf_put_span(b, e->address);
		while (mta_word(&list, &word)) {
			span_cut(word, '=', &left, &right);
			if (span_is(left, name))
				continue;
			buf_puts(b, ", ");
			buf_put_span(b, word);
		}
		buf_printf(b, ", %s=%s }", name, value);
	}
}

/* What is asked of an entry of ours: an attribute or its parameter. */
struct demand {
	const char *name, *param;
	struct span is;
	bool own; /* the attribute of the entry says so */
};

static const char *demand_fix(const struct milters *l, const struct entry *e,
			      const struct demand *d, const char *value,
			      char fix[CHECK_FIX_MAX])
{
	struct buf b = BUF_INIT(CHECK_FIX_MAX);

	/* a parameter would change other milters too */
	if (d->own || l->n > 1) {
		put_changed(l, e, d->name, value, &b);
		(void)mta_fix(l->m, l->s, "smtpd_milters", buf_span(&b), fix);
	} else {
		(void)mta_fix(l->m, l->s, d->param, span_of(value), fix);
	}
	buf_release(&b);
	return fix;
}

static const char *demand_name(const struct milters *l, const struct demand *d,
			       char out[2 * MTA_WHERE_MAX])
{
	char where[MTA_WHERE_MAX];

	if (d->own)
		snprintf(out, 2 * MTA_WHERE_MAX, "%s in %s", d->name, l->where);
	else
		snprintf(out, 2 * MTA_WHERE_MAX, "%s",
			 mta_where(l->m, l->s, d->param, where));
	return out;
}

static struct demand ask(const struct milters *l, const struct entry *e,
			 const char *name, const char *param)
{
	struct demand d = { .name = name, .param = param };

	d.own = attribute(l, e, name, param, &d.is);
	return d;
}

static void test_default_action(const struct milters *l, const struct entry *e)
{
	struct demand d = ask(l, e, "default_action", "milter_default_action");
	char name[2 * MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	const char *what = NULL;
	enum check_level level = CHECK_FAIL;
	struct esc_text v;

	if (span_eq_nocase(d.is, SPAN_LIT("tempfail")) ||
	    span_eq_nocase(d.is, SPAN_LIT("shutdown")))
		return;
	if (span_eq_nocase(d.is, SPAN_LIT("reject"))) {
		what = "a restart of ours bounces mail";
	} else if (span_eq_nocase(d.is, SPAN_LIT("quarantine"))) {
		what = "while ours is away mail stays in the hold queue, and "
		       "nothing releases it";
		level = CHECK_WARN;
	} else if (l->m->lmtp) {
		what = "while ours is away mail passes unjudged; LMTP still "
		       "stores it";
		level = CHECK_WARN;
	} else {
		what = "while ours is away mail passes unjudged and goes where "
		       "the MTA's own transport takes it";
	}
	mta_say(l->m, level, "milter", demand_fix(l, e, &d, "tempfail", fix),
		"%s is %s: %s", demand_name(l, &d, name), esc_text(&v, d.is),
		what);
}

static void test_protocol(const struct milters *l, const struct entry *e)
{
	struct demand d = ask(l, e, "protocol", "milter_protocol");
	char name[2 * MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	struct span list = d.is, word;
	struct esc_text v;
	bool good = false;

	while (mta_word(&list, &word))
		good |= mta_number(word) >= 6;
	if (!good)
		mta_say(l->m, CHECK_FAIL, "milter",
			demand_fix(l, e, &d, "6", fix),
			"%s is %s: the milter needs version 6",
			demand_name(l, &d, name), esc_text(&v, d.is));
}

/* Who gives up first must be we: the MTA says 451 while we may still commit.
 * A value to type is a round one with room. */
static void test_time(const struct milters *l, const struct entry *e,
		      const struct demand *d, int64_t ours, const char *option)
{
	char name[2 * MTA_WHERE_MAX], fix[CHECK_FIX_MAX], value[32];
	struct esc_text v;

	if (mta_ms(d->is) > ours)
		return;
	snprintf(value, sizeof(value), "%" PRId64 "s", 2 * ours / 1000 + 10);
	mta_say(l->m, CHECK_FAIL, "milter", demand_fix(l, e, d, value, fix),
		"%s is %s, not more than our %s (%" PRId64
		" s): the MTA gives up first",
		demand_name(l, d, name), esc_text(&v, d->is), option,
		ours / 1000);
}

static void test_times(const struct milters *l, const struct entry *e)
{
	const struct conf *c = l->m->conf;
	struct demand command =
		ask(l, e, "command_timeout", "milter_command_timeout");
	struct demand content =
		ask(l, e, "content_timeout", "milter_content_timeout");

	test_time(l, e, &command, c->lookup_timeout, "lookup_timeout");
	test_time(l, e, &content, c->deliver_timeout, "deliver_timeout");
}

static void test_reach(const struct milters *l, const struct entry *e)
{
	mta_socket_reach(l->m, "milter", e->address, l->s->chroot, "inet", NULL,
			 "mailrow-milter");
}

/* What holds for each entry of ours. */
static void (*const entry_tests[])(const struct milters *,
				   const struct entry *) = {
	test_default_action,
	test_protocol,
	test_times,
	test_reach,
};

static void test_entries(struct milters *l)
{
	size_t i, t;

	for (i = 0; i < l->n; i++)
		for (t = 0; l->e[i].role &&
			    t < sizeof(entry_tests) / sizeof(entry_tests[0]);
		     t++)
			entry_tests[t](l, &l->e[i]);
}

/* Behind the last colon, or all. */
static struct span port_of(struct span name)
{
	while (span_find(name, ':') < name.n)
		name = span_skip(name, span_find(name, ':') + 1);
	return name;
}

/* Where filtered mail comes back: a port of our own host, but not the one that
 * LMTP hands mail on to. Without one, the first of all. */
static const struct mta_service *find_return(const struct mta *m)
{
	struct span forward = port_of(span_of(m->conf->lmtp_forward));
	const struct mta_service *s = NULL, *at = mta_next(m, "smtpd", NULL);

	while ((s = mta_next(m, "smtpd", s)))
		if (mta_is_loopback(m, s) &&
		    !span_eq(port_of(s->name), forward))
			at = s;
	return at;
}

/* A socket that we open and nobody asks. */
static void test_unused(struct mta *m, unsigned used)
{
	const struct mta_service *at;
	char name[MTA_SOCKET_MAX], fix[CHECK_FIX_MAX];
	struct milters l;
	unsigned i;

	for (i = 1; i < MTA_ROLES; i++) {
		if (!m->milter[i].text[0] || used & 1U << i)
			continue;
		at = i == 2 ? find_return(m) : mta_next(m, "smtpd", NULL);
		if (!at)
			continue;
		(void)mta_socket_name(m, &m->milter[i], name);
		read_milters(m, at, &l);
		mta_say(m, CHECK_WARN, "milter",
			fix_with(&l, span_of(name), true, fix),
			"%s is set and no smtpd names %s", socket_options[i],
			name);
	}
}

static void test_nothing_stores(struct mta *m, unsigned used)
{
	char name[MTA_SOCKET_MAX], value[MTA_SOCKET_MAX + 8],
		fix[CHECK_FIX_MAX];
	struct mta_socket lmtp;

	if (used != MTA_POLICY || m->lmtp || !mta_stores(m) ||
	    m->conf->lmtp_listen.n == 0 ||
	    !mta_socket_ours(span_of(m->conf->lmtp_listen.word[0]), &lmtp))
		return;
	snprintf(value, sizeof(value), "lmtp:%s",
		 mta_socket_name(m, &lmtp, name));
	mta_say(m, CHECK_FAIL, "milter",
		mta_fix(m, NULL, "virtual_transport", span_of(value), fix),
		"only the policy socket is named: nothing stores");
}

/* cleanup(8) plays the client there, and a rejection stays in the queue. */
static void test_not_smtpd(struct mta *m)
{
	char fix[CHECK_FIX_MAX];
	struct buf b = BUF_INIT(CHECK_FIX_MAX);
	struct milters l;

	read_list(m, NULL, "non_smtpd_milters", &l);
	if (l.roles) {
		put_others(&l, &b);
		while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == ','))
			b.n--;
		mta_say(m, CHECK_WARN, "milter",
			mta_fix(m, NULL, "non_smtpd_milters", buf_span(&b),
				fix),
			"non_smtpd_milters names our milter: local mail that "
			"it rejects stays in the queue; LMTP stores it");
	}
	buf_release(&b);
}

static void test_maps(struct mta *m, const struct mta_service *s)
{
	char where[MTA_WHERE_MAX], fix[CHECK_FIX_MAX];
	struct esc_text v;
	struct span value = mta_get(m, s, "smtpd_milter_maps");

	if (value.n)
		mta_say(m, CHECK_WARN, "milter",
			mta_fix(m, s, "smtpd_milter_maps", SPAN_EMPTY, fix),
			"%s is %s: the clients it names may pass our milter by",
			mta_where(m, s, "smtpd_milter_maps", where),
			esc_text(&v, value));
}

void checkmtamilter_run(struct mta *m)
{
	const struct mta_service *s = NULL;
	unsigned used = 0;
	struct milters l;

	while ((s = mta_next(m, "smtpd", s))) {
		read_milters(m, s, &l);
		test_listed(&l);
		test_last(&l);
		test_entries(&l);
		test_maps(m, s);
		used |= l.roles;
	}
	if (!mta_next(m, "smtpd", NULL))
		mta_say(m, CHECK_FAIL, "milter", "edit master.cf",
			"no smtpd in master.cf: no mail comes in by SMTP");
	test_unused(m, used);
	test_nothing_stores(m, used);
	test_not_smtpd(m);
}
