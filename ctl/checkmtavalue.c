/* ctl/checkmtavalue.c: values of main.cf and master.cf: which is in force,
 * and the words, times and numbers in them. */
#include "ctl/checkmta.h"

static bool is_service(struct span id, const struct mta_service *s)
{
	struct span rest = span_skip(id, s->name.n + 1);

	return id.n == s->name.n + 1 + s->type.n &&
	       span_eq(span_head(id, s->name.n), s->name) &&
	       id.p[s->name.n] == '/' && span_eq(rest, s->type);
}

/* What master.cf says comes first. */
bool mta_has(const struct mta *m, const struct mta_service *s, const char *name,
	     struct span *value_r)
{
	const struct mta_setting *found = NULL;
	size_t i;

	for (i = 0; i < m->settings; i++) {
		const struct mta_setting *x = &m->setting[i];

		if (!span_is(x->name, name))
			continue;
		if (x->service.n == 0 && !found)
			found = x;
		if (s && x->service.n > 0 && is_service(x->service, s))
			found = x;
	}
	if (found)
		*value_r = found->value;
	return found != NULL;
}

struct span mta_get(const struct mta *m, const struct mta_service *s,
		    const char *name)
{
	struct span v;

	return mta_has(m, s, name, &v) ? v : SPAN_EMPTY;
}

bool mta_yes(struct span value)
{
	return span_eq_nocase(value, SPAN_LIT("yes"));
}

uint64_t mta_number(struct span value)
{
	uint64_t n;

	return span_u64(value, &n) ? n : 0;
}

int64_t mta_ms(struct span value)
{
	char unit = value.n ? value.p[value.n - 1] : 's';
	int64_t ms = 1000;

	if (unit >= '0' && unit <= '9')
		unit = 's';
	else
		value = span_head(value, value.n - (value.n > 0));
	if (unit == 'm')
		ms *= 60;
	else if (unit == 'h')
		ms *= 3600;
	else if (unit == 'd')
		ms *= 86400;
	else if (unit == 'w')
		ms *= 604800;
	return (int64_t)(mta_number(value) % 1000000000) * ms;
}

const struct mta_service *mta_next(const struct mta *m, const char *command,
				   const struct mta_service *s)
{
	size_t i = s ? (size_t)(s - m->service) + 1 : 0;

	for (; i < m->services; i++)
		if (span_is(m->service[i].command, command))
			return &m->service[i];
	return NULL;
}

static bool is_local_name(struct span host)
{
	struct ipaddr a;

	return span_eq_nocase(host, SPAN_LIT("localhost")) ||
	       span_eq_nocase(host, SPAN_LIT("loopback-only")) ||
	       (ipaddr_parse(host, &a) && ipaddr_is_loopback(&a));
}

/* HOST:PORT, or a port alone on inet_interfaces. */
bool mta_is_loopback(const struct mta *m, const struct mta_service *s)
{
	struct span list = mta_get(m, s, "inet_interfaces"), word;
	size_t i = s->name.n;

	while (i > 0 && s->name.p[i - 1] != ':')
		i--;
	if (i > 1)
		return is_local_name(span_head(s->name, i - 1));
	while (mta_word(&list, &word))
		if (!is_local_name(word))
			return false;
	return true;
}

static bool is_gap(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n';
}

bool mta_word(struct span *list, struct span *word_r)
{
	struct span rest = *list;
	size_t n = 0, depth = 0;

	while (rest.n > 0 && is_gap(rest.p[0]))
		rest = span_skip(rest, 1);
	for (; n < rest.n && (depth > 0 || !is_gap(rest.p[n])); n++) {
		if (rest.p[n] == '{')
			depth++;
		else if (rest.p[n] == '}' && depth > 0)
			depth--;
	}
	*word_r = span_head(rest, n);
	*list = span_skip(rest, n);
	return n > 0;
}

struct span mta_unbrace(struct span word)
{
	if (word.n >= 2 && word.p[0] == '{' && word.p[word.n - 1] == '}')
		return span_trim(span_make(word.p + 1, word.n - 2));
	return word;
}

bool mta_list_has(struct span list, const char *word)
{
	struct span w;

	while (mta_word(&list, &w))
		if (span_eq_nocase(w, span_of(word)))
			return true;
	return false;
}
