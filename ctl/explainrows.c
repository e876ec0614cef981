/* ctl/explainrows.c: the rows of the policy's tables that speak of a situation,
 * and what was used of its limits. */
#include "ctl/explain.h"

#include "lib/network.h"
#include "policy/refresh.h"

static void network_row(struct show *s, const struct snapshot *snap,
			const struct situation *w)
{
	struct buf detail = BUF_INIT(128);
	char client[IPADDR_TEXT_MAX];
	enum network_kind kind;
	struct network net;

	if (!w->client.has_addr ||
	    !snapshot_network_row(snap, &w->client.addr, &kind, &net))
		return;
	network_put(&detail, &net);
	show_row(s, "row", span_of(ipaddr_text(&w->client.addr, client)),
		 "network", network_kind_name(kind), "", buf_span(&detail));
	buf_release(&detail);
}

void show_network(struct show *s, const struct judge *j,
		  const struct situation *w)
{
	struct snapshot *snap = snapshot_get(j->policy);

	if (snap)
		network_row(s, snap, w);
	snapshot_put(&snap);
}

static void access_row(struct show *s, const struct snapshot *snap,
		       const struct addr *rcpt, const struct judge_message *m)
{
	struct buf detail = BUF_INIT(2048);
	struct snapshot_rule rule;
	enum access a = snapshot_access(snap, rcpt, &m->named, &rule);

	if (a == ACCESS_NONE)
		return;
	buf_printf(&detail, "%s to %s", rule.sender, rule.scope);
	show_row(s, "row", addr_span(rcpt), "access_rule",
		 a == ACCESS_ALLOW ? "allow" : "deny", "", buf_span(&detail));
	buf_release(&detail);
}

void show_access(struct show *s, const struct judge *j, struct span rcpt,
		 const struct judge_message *m)
{
	struct snapshot *snap = snapshot_get(j->policy);
	struct addr a;

	if (snap && addr_parse(rcpt, j->conf->fold_local_part, &a) == ADDR_OK)
		access_row(s, snap, &a, m);
	snapshot_put(&snap);
}

/* What a predicate reads of account_policy. */
static const unsigned reads[PREDICATE_COUNT] = {
	[P_LOGIN_SUSPENDED] = SAID_SUSPENDED,
	[P_LOGIN_EXPIRED] = SAID_EXPIRES_AT,
	[P_LOGIN_RECEIVE_ONLY] = SAID_MAY_SEND,
	[P_SIZE_SENDER] = SAID_MAX_SEND_SIZE,
	[P_RELAY_LOGIN] = SAID_RELAY | SAID_RELAY_TO,
	[P_RCPT_SUSPENDED] = SAID_SUSPENDED,
	[P_RCPT_EXPIRED] = SAID_EXPIRES_AT,
	[P_RCPT_SEND_ONLY] = SAID_MAY_RECEIVE,
	[P_RCPT_RESTRICTED] = SAID_ACCEPT_FROM,
	[P_RCPT_NEEDS_TLS] = SAID_REQUIRE_TLS,
	[P_RCPT_SIZE] = SAID_MAX_SIZE,
	[P_RCPTS_PER_MESSAGE] = SAID_MAX_RECIPIENTS,
};

static void account_row(struct show *s, const struct snapshot *snap,
			enum predicate_id id, const struct addr *who)
{
	struct span name;

	if (snapshot_account_row(snap, who, reads[id], &name))
		show_row(s, "row", addr_span(who), "account_policy",
			 predicate_get(id)->name, "", name);
}

/* Whose row the judge reads: a recipient's without its extension. */
static struct addr account_of(const struct judge *j, enum predicate_id id,
			      const struct judge_message *m, struct span rcpt)
{
	struct span extension,
		delimiters = span_of(j->conf->recipient_delimiter);
	struct addr a, base;

	if (predicate_get(id)->stages & OF_SENDER)
		return m->subject;
	if (addr_parse(rcpt, j->conf->fold_local_part, &a) != ADDR_OK)
		a.n = 0;
	return a.n > 0 && addr_strip_extension(&a, delimiters, &base,
					       &extension)
		       ? base
		       : a;
}

void show_account(struct show *s, const struct judge *j, enum predicate_id id,
		  const struct judge_message *m, struct span rcpt)
{
	struct snapshot *snap = snapshot_get(j->policy);
	struct addr a = account_of(j, id, m, rcpt);

	if (snap && a.n > 0)
		account_row(s, snap, id, &a);
	snapshot_put(&snap);
}

static void put_count(struct buf *b, bool limited, uint64_t used, uint64_t most,
		      const char *what)
{
	if (limited)
		buf_printf(b, "%s%llu of %llu %s", b->n ? ", " : "",
			   (unsigned long long)used, (unsigned long long)most,
			   what);
}

static void limit_line(struct show *s, const struct limits_line *l)
{
	struct limit_amount used = limit_used(&l->row, &l->usage, l->now);
	struct buf detail = BUF_INIT(512), window = BUF_INIT(64);

	put_count(&detail, l->row.has_messages, used.messages, l->row.messages,
		  "messages");
	put_count(&detail, l->row.has_recipients, used.recipients,
		  l->row.recipients, "recipients");
	put_count(&detail, l->row.has_octets, used.octets, l->row.octets,
		  "octets");
	buf_printf(&window, "%s, ", limit_direction_name(l->row.direction));
	limit_put_time(&window, l->row.seconds);
	show_row(s, "limit", span_of(l->subject), buf_cstr(&window), "", "",
		 buf_span(&detail));
	buf_release(&window);
	buf_release(&detail);
}

void show_limits(struct show *s, const struct judge_message *m)
{
	for (size_t i = 0; i < m->limits.n; i++)
		limit_line(s, &m->limits.line[i]);
}
