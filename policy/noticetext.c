/* policy/noticetext.c: see noticetext.h. */
#include "policy/noticetext.h"

#include "lib/trace.h"

const char *noticetext_kind(const struct notice *n)
{
	return n->full ? "full" : "near";
}

/* Without the @ of a domain. */
static const char *name(const struct notice *n)
{
	return n->subject + (n->subject[0] == '@');
}

static const char *limit_word(const struct notice *n)
{
	return n->direction == LIMIT_OUT ? "sending" : "receiving";
}

static void put_header(struct buf *out, const struct notice *n,
		       const struct notice_envelope *e)
{
	buf_puts(out, "Date: ");
	trace_put_date(out, e->now);
	buf_printf(out, "\r\nFrom: Mail Delivery System <mailer-daemon@%.*s>",
		   (int)e->host.n, e->host.p);
	buf_printf(out, "\r\nTo: <%.*s>", (int)e->to[0].n, e->to[0].p);
	if (e->to[1].n)
		buf_printf(out, ",\r\n\t<%.*s>", (int)e->to[1].n, e->to[1].p);
	buf_printf(out, "\r\nSubject: %s limit of %s: %s",
		   n->direction == LIMIT_OUT ? "Sending" : "Receiving", name(n),
		   n->full ? "reached" : "nearly reached");
	buf_printf(out, "\r\nMessage-ID: <%.*s@%.*s>\r\n", (int)e->id.n,
		   e->id.p, (int)e->host.n, e->host.p);
	buf_puts(out, "Auto-Submitted: auto-generated\r\n"
		      "Precedence: bulk\r\n"
		      "MIME-Version: 1.0\r\n"
		      "Content-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n"
		      "\r\n");
}

static void put_count(struct buf *out, enum limit_what what, uint64_t used,
		      uint64_t most)
{
	if (most == UINT64_MAX)
		return;
	buf_printf(out, "    %-12s %llu of %llu\r\n", limit_what_name(what),
		   (unsigned long long)used, (unsigned long long)most);
}

void noticetext_put(struct buf *out, const struct notice *n,
		    const struct notice_envelope *e)
{
	put_header(out, n, e);
	buf_printf(out, "The %s limit of %s is %s. In the period of ",
		   limit_word(n), name(n),
		   n->full ? "reached" : "nearly reached");
	limit_put_time(out, n->seconds);
	buf_puts(out, " there are\r\n\r\n");
	put_count(out, LIMIT_MESSAGES, n->used.messages, n->most.messages);
	put_count(out, LIMIT_RECIPIENTS, n->used.recipients,
		  n->most.recipients);
	put_count(out, LIMIT_OCTETS, n->used.octets, n->most.octets);
	buf_puts(out, "\r\nThe period ends at ");
	trace_put_date(out, n->ends_at);
	buf_printf(
		out,
		".\r\n%s until then. If this is not enough, or the mail is\r\n"
		"not yours, ask your postmaster.\r\n",
		n->full ? "What does not fit is refused"
			: "What goes beyond the limit is refused");
}
