/* policy/decisionnote.c: see decisionnote.h. */
#include "policy/decisionnote.h"

#include "lib/clock.h"

enum { TEXT_MAX = 512 };

/* Whose modes hold: the recipient's domain where there is one, else that of who
 * sends. */
static struct span domain_of(const struct decision *d)
{
	static const enum decision_text from[] = { DECISION_RECIPIENT,
						   DECISION_LOGIN,
						   DECISION_SENDER };

	for (size_t i = 0; i < sizeof(from) / sizeof(*from); i++) {
		struct span address = d->text[from[i]];

		if (address.n > 0)
			return span_skip(address, span_find(address, '@') + 1);
	}
	return SPAN_EMPTY;
}

static void note_one(const struct conf *c, struct decision *d, enum reply_id id,
		     const char *predicate, const struct reply_words *w)
{
	const struct reply *r = reply_get(id);
	struct buf text = BUF_INIT(TEXT_MAX);

	reply_put_text(&text, id, w);
	d->smtp = r->smtp;
	d->text[DECISION_PREDICATE] = span_of(predicate);
	d->text[DECISION_ENHANCED] = span_of(r->enhanced);
	d->text[DECISION_REPLY] = buf_span(&text);
	decisionlog_note(c, d);
	buf_release(&text);
}

void decisionnote(const struct conf *c, struct decision d,
		  const struct verdict *v, const struct reply_words *w)
{
	uint64_t shadow = v->shadow;
	const char *name;

	d.at = clock_unix();
	if (d.text[DECISION_DOMAIN].n == 0)
		d.text[DECISION_DOMAIN] = domain_of(&d);
	note_one(c, &d, v->id, v->id == R_NONE ? "" : v->predicate, w);
	d.shadow = true;
	while ((name = policy_shadow_next(&shadow)) != NULL)
		note_one(c, &d,
			 predicate_get(predicate_find(span_of(name)))->reply,
			 name, w);
}
