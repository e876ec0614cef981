/* ctl/checkmtadiscard.c: DISCARD drops the whole queue file: recipients that
 * Postfix added by itself, and mail that was to be held or filtered. So
 * discard_when_done stands only where none of that is set. */
#include "ctl/checkmta.h"

#include <stdio.h>

#include "lib/esc.h"

struct discard {
	struct mta *m;
	unsigned against; /* what DISCARD would drop */
	unsigned unread;  /* what we cannot look into */
	const char *list; /* the parameter a table was named by */
	struct span table;
	unsigned seen; /* actions of this table that were said */
};

/* Off it is only told why it stays so. */
static void say(struct discard *d, enum check_level level, const char *what,
		const char *consequence)
{
	char fix[CHECK_FIX_MAX];

	if (d->m->conf->discard_when_done)
		mta_say(d->m, level, "discard",
			mta_option_fix(d->m, "discard_when_done", "no",
				       "reload mailrow-milter", fix),
			"%s%s discard_when_done must be off", what,
			consequence);
	else
		mta_say(d->m, CHECK_OK, "discard", "",
			"%s: discard_when_done stays off", what);
}

static void say_against(struct discard *d, const char *what)
{
	d->against++;
	say(d, CHECK_FAIL, what, ":");
}

static void say_unread(struct discard *d, const char *what)
{
	d->unread++;
	say(d, CHECK_WARN, what,
	    ": does it say HOLD, FILTER, REDIRECT or BCC? Then");
}

static const char *const actions[] = { "HOLD", "FILTER", "REDIRECT", "BCC" };
enum { ACTIONS = sizeof(actions) / sizeof(actions[0]), FILTER = 1 };

/* What is filtered afterwards is stored before: only the policy socket may
 * stand there. */
static void say_filter(struct discard *d, const char *what)
{
	const struct mta_service *s = NULL;
	char fix[CHECK_FIX_MAX];
	bool last;

	while ((s = mta_next(d->m, "smtpd", s)))
		if (mta_roles(d->m, s, &last) & MTA_FULL)
			mta_say(d->m, CHECK_FAIL, "filter",
				mta_policy_fix(d->m, s, fix),
				"%s, and our milter stores before the filter",
				what);
}

static void take_answer(void *arg, struct span answer, unsigned line)
{
	struct discard *d = arg;
	char what[1024], at[32] = "";
	struct span verb, rest;
	struct esc_text t;
	unsigned i;

	span_cut(answer, ' ', &verb, &rest);
	span_cut(verb, '\t', &verb, &rest);
	for (i = 0; i < ACTIONS; i++) {
		if (!span_eq_nocase(verb, span_of(actions[i])) ||
		    d->seen & 1U << i)
			continue;
		d->seen |= 1U << i;
		if (line)
			snprintf(at, sizeof(at), ", line %u,", line);
		snprintf(what, sizeof(what), "%s: %.300s%s says %s", d->list,
			 esc_text(&t, d->table), at, actions[i]);
		say_against(d, what);
		if (i == FILTER)
			say_filter(d, what);
	}
}

/* A table that several parameters name (nested_header_checks is header_checks
 * unless it is set) is told once. */
static void look_into(struct discard *d, const char *list, struct span table)
{
	char why[256], what[1024];
	struct esc_text t;

	table = mta_unbrace(table);
	snprintf(what, sizeof(what), "table\n%.*s",
		 (int)span_head(table, 900).n, table.p);
	if (!mta_is_new(d->m, span_of(what)))
		return;
	d->list = list;
	d->table = table;
	d->seen = 0;
	if (mta_table(d->m, table, take_answer, d, why))
		return;
	snprintf(what, sizeof(what), "%s: %.300s cannot be read (%s)", list,
		 esc_text(&t, table), why);
	say_unread(d, what);
}

/* Recipients that are added behind the milter's back. */
static void test_copies(struct discard *d, const struct mta_service *s)
{
	static const char *const copies[] = { "always_bcc", "sender_bcc_maps",
					      "recipient_bcc_maps" };
	char what[1024], where[MTA_WHERE_MAX];
	struct esc_text v;
	struct span value;
	size_t i;

	for (i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		value = mta_get(d->m, s, copies[i]);
		if (value.n == 0)
			continue;
		snprintf(what, sizeof(what), "%s (%.300s) adds a recipient",
			 mta_where(d->m, s, copies[i], where),
			 esc_text(&v, value));
		say_against(d, what);
	}
}

static void test_checks(struct discard *d, const struct mta_service *s)
{
	static const char *const checks[] = {
		"header_checks", "mime_header_checks",   "nested_header_checks",
		"body_checks",   "milter_header_checks",
	};
	struct span list, word;
	size_t i;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		list = mta_get(d->m, s, checks[i]);
		while (mta_word(&list, &word))
			look_into(d, checks[i], word);
	}
}

static bool is_access(struct span word)
{
	return word.n > 13 && span_starts_nocase(word, SPAN_LIT("check_")) &&
	       span_is(span_skip(word, word.n - 7), "_access");
}

/* A table may also stand alone; braces hold a restriction and its argument. */
static void take_restrictions(struct discard *d, const char *name,
			      struct span list, unsigned depth)
{
	struct span word, argument;
	struct esc_text v;
	char what[512];

	while (mta_word(&list, &word)) {
		if (word.p[0] == '{' && depth < 4) {
			take_restrictions(d, name, mta_unbrace(word),
					  depth + 1);
		} else if (is_access(word)) {
			if (mta_word(&list, &argument))
				look_into(d, name, argument);
		} else if (span_is(word, "check_policy_service")) {
			if (!mta_word(&list, &argument))
				return;
			snprintf(what, sizeof(what),
				 "%s: the policy service %.200s cannot be read",
				 name, esc_text(&v, argument));
			say_unread(d, what);
		} else if (span_find(word, ':') < word.n &&
			   !span_starts_nocase(word, SPAN_LIT("inet:")) &&
			   !span_starts_nocase(word, SPAN_LIT("unix:"))) {
			look_into(d, name, word);
		}
	}
}

static void test_restrictions(struct discard *d, const struct mta_service *s)
{
	static const char *const lists[] = {
		"smtpd_client_restrictions",
		"smtpd_helo_restrictions",
		"smtpd_sender_restrictions",
		"smtpd_relay_restrictions",
		"smtpd_recipient_restrictions",
		"smtpd_data_restrictions",
		"smtpd_etrn_restrictions",
		"smtpd_end_of_data_restrictions",
	};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		take_restrictions(d, lists[i], mta_get(d->m, s, lists[i]), 0);
}

static void test_classes(struct discard *d)
{
	struct span list = mta_get(d->m, NULL, "smtpd_restriction_classes");
	struct span word;
	char name[256];

	while (mta_word(&list, &word)) {
		snprintf(name, sizeof(name), "%.*s", (int)word.n, word.p);
		take_restrictions(d, name, mta_get(d->m, NULL, name), 0);
	}
}

/* DISCARD is told to smtpd, where a filter still waits, or another milter. */
static void test_place(struct discard *d)
{
	const struct mta_service *s = NULL;
	bool any = false, last;
	unsigned roles;

	while ((s = mta_next(d->m, "smtpd", s))) {
		roles = mta_roles(d->m, s, &last);
		if (!(roles & (MTA_FULL | MTA_STORE)))
			continue;
		any = true;
		if (!last)
			say_against(d, "a milter stands behind ours");
		if (mta_get(d->m, s, "content_filter").n ||
		    mta_get(d->m, s, "smtpd_proxy_filter").n)
			say_against(d, "mail is to be filtered");
	}
	if (!any)
		say_against(d, "no milter of ours stores");
}

static void say_clean(struct mta *m)
{
	char fix[CHECK_FIX_MAX];

	if (m->conf->discard_when_done)
		mta_say(m, CHECK_OK, "discard", "",
			"discard_when_done is on, and Postfix has nothing that "
			"DISCARD would drop");
	else if (check_options(m->k)->fix)
		mta_set_discard(m);
	else
		mta_say(m, CHECK_OK, "discard", mta_check_fix(m, fix),
			"clean: mailrow check --fix turns discard_when_done "
			"on");
}

void checkmtadiscard_run(struct mta *m)
{
	struct discard d = { .m = m };
	const struct mta_service *s = NULL;

	while ((s = mta_next(m, "cleanup", s))) {
		test_copies(&d, s);
		test_checks(&d, s);
	}
	while ((s = mta_next(m, "smtpd", s)))
		test_restrictions(&d, s);
	test_classes(&d);
	test_place(&d);
	if (d.against == 0 && d.unread == 0)
		say_clean(m);
}
