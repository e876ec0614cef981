/* sql/decision.c: see decision.h. */
#include "sql/decision.h"

#include <stdlib.h>

enum { NUMBERS = 5 };

/* As in schema.sql. */
static const size_t text_max[DECISION_TEXTS] = {
	[DECISION_ID] = 10,         [DECISION_NODE] = 255,
	[DECISION_WAY] = 8,         [DECISION_STAGE] = 8,
	[DECISION_PREDICATE] = 32,  [DECISION_DOMAIN] = 255,
	[DECISION_ENHANCED] = 12,   [DECISION_REPLY] = 512,
	[DECISION_QUEUE_ID] = 63,   [DECISION_CLIENT] = 45,
	[DECISION_TLS] = 95,        [DECISION_HELO] = 255,
	[DECISION_LOGIN] = 320,     [DECISION_SENDER] = 320,
	[DECISION_RECIPIENT] = 320, [DECISION_HEADER_FROM] = 320,
};

static struct span kept(const struct decision *d, size_t i)
{
	return span_head(d->text[i], text_max[i]);
}

static struct span put_text(char **at, struct span s)
{
	struct span copy = span_make(*at, s.n);

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

struct decision *decision_copy(const struct decision *d, size_t *octets_r)
{
	size_t octets = sizeof(*d) + d->when.n;
	struct decision *copy;
	char *at;

	for (size_t i = 0; i < DECISION_TEXTS; i++)
		octets += kept(d, i).n;
	copy = malloc(octets);
	if (!copy)
		return NULL;
	*copy = *d;
	at = (char *)(copy + 1);
	for (size_t i = 0; i < DECISION_TEXTS; i++)
		copy->text[i] = put_text(&at, kept(d, i));
	copy->when = put_text(&at, d->when);
	*octets_r = octets;
	return copy;
}

/* A span that nobody has set has no place. */
static struct sqlval text(struct span s)
{
	return sql_bytes(s.n ? s : SPAN_EMPTY);
}

/* The numbers first, then the texts, in the order of the enumeration. */
enum db_result decision_put(struct db *db, const struct decision *d)
{
	struct sqlval param[NUMBERS + DECISION_TEXTS] = {
		sql_u64((uint64_t)d->at), sql_u64(d->shadow), sql_u64(d->smtp),
		sql_u64(d->port), sql_u64(d->size)
	};
	enum db_result r;

	for (size_t i = 0; i < DECISION_TEXTS; i++)
		param[NUMBERS + i] = text(kept(d, i));
	r = db_run(db, Q_DECISION_PUT, param);
	return r == DB_DUP ? DB_OK : r;
}

static struct decision take_row(const struct sqlval *col)
{
	struct decision d = { .at = (int64_t)col[0].u,
			      .shadow = col[1].u != 0,
			      .smtp = col[2].u,
			      .port = col[3].u,
			      .size = col[4].u,
			      .when = col[NUMBERS + DECISION_TEXTS].s };

	for (size_t i = 0; i < DECISION_TEXTS; i++)
		d.text[i] = col[NUMBERS + i].s;
	return d;
}

struct listing {
	bool (*take)(void *arg, const struct decision *d);
	void *arg;
};

static bool list_row(void *arg, const struct sqlval *col)
{
	const struct listing *l = arg;
	struct decision d = take_row(col);

	return l->take(l->arg, &d);
}

enum native_result decision_list(struct db *db, const struct decision_filter *f,
				 bool (*take)(void *arg,
					      const struct decision *d),
				 void *arg)
{
	struct listing l = { take, arg };
	const struct sqlval param[] = { sql_u64(f->since),  sql_u64(!f->shadow),
					text(f->login),     text(f->login),
					text(f->sender),    text(f->sender),
					text(f->recipient), text(f->recipient),
					text(f->client),    text(f->client),
					text(f->predicate), text(f->predicate),
					sql_u64(f->max) };

	return native_list(db, Q_DECISION_LIST, param, list_row, &l);
}

enum native_result decision_find(struct db *db, struct span id,
				 bool (*take)(void *arg,
					      const struct decision *d),
				 void *arg)
{
	struct listing l = { take, arg };
	const struct sqlval param[] = { sql_bytes(id) };

	return native_list(db, Q_DECISION_FIND, param, list_row, &l);
}

enum native_result decision_shadow(struct db *db, uint64_t since,
				   native_row row, void *arg)
{
	const struct sqlval param[] = { sql_u64(since) };

	return native_list(db, Q_DECISION_SHADOW, param, row, arg);
}
