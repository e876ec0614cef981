/* lib/reply.c: see reply.h. */
#include "lib/reply.h"

static const struct reply replies[] = {
#define REPLY(id, smtp, enhanced, pop3, text)                                  \
	{ #id, smtp, enhanced, pop3, text },
#include "lib/reply.def"
#undef REPLY
};

const struct reply *reply_get(enum reply_id id)
{
	return &replies[(unsigned)id < REPLY_COUNT ? id : R_NONE];
}

/* The word that text begins with, and how long its name is; n_r 0: none. */
static struct span reply_word(struct span text, const struct reply_words *w,
			      size_t *n_r)
{
	static const struct reply_words none;
	const struct reply_words *words = w ? w : &none;
	const struct {
		struct span name, word;
	} known[] = {
		{ SPAN_LIT("{login}"), words->login },
		{ SPAN_LIT("{subject}"), words->subject },
		{ SPAN_LIT("{until}"), words->until },
	};

	*n_r = 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!span_starts_nocase(text, known[i].name))
			continue;
		*n_r = known[i].name.n;
		return known[i].word;
	}
	return SPAN_EMPTY;
}

void reply_put_text(struct buf *b, enum reply_id id,
		    const struct reply_words *w)
{
	struct span text = span_of(reply_get(id)->text);

	while (text.n) {
		size_t plain = span_find(text, '{'), n;
		struct span word;

		buf_put_span(b, span_head(text, plain));
		text = span_skip(text, plain);
		word = reply_word(text, w, &n);
		buf_put_span(b, n ? word : span_head(text, 1));
		text = span_skip(text, n ? n : 1);
	}
}

void reply_put_pop3(struct buf *b, enum reply_id id)
{
	const struct reply *r = reply_get(id);

	buf_puts(b, "-ERR ");
	if (r->pop3[0])
		buf_printf(b, "[%s] ", r->pop3);
	buf_puts(b, r->text);
	buf_puts(b, "\r\n");
}
