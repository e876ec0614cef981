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

void reply_put_pop3(struct buf *b, enum reply_id id)
{
	const struct reply *r = reply_get(id);

	buf_puts(b, "-ERR ");
	if (r->pop3[0])
		buf_printf(b, "[%s] ", r->pop3);
	buf_puts(b, r->text);
	buf_puts(b, "\r\n");
}
