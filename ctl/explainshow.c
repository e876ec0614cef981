/* ctl/explainshow.c: what the judge tells while it decides, as rows. */
#include "ctl/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/array.h"

/* A predicate that was tried, until it is known about what. */
struct tried {
	enum predicate_id id;
	enum policy_mode mode;
	enum fact hits;
};

struct show {
	struct out *out;
	struct buf detail;
	const struct judge *judge;
	const struct judge_message *message;
	const char *step;
	char about[ADDR_MAX + 1];
	unsigned stage;
	struct tried tried[PREDICATE_COUNT];
	size_t n;
};

static const struct out_column columns[] = {
	{ "step", OUT_TEXT },    { "about", OUT_TEXT }, { "what", OUT_TEXT },
	{ "outcome", OUT_TEXT }, { "mode", OUT_TEXT },  { "detail", OUT_WORDS },
	{ NULL, OUT_TEXT }
};

void show_row(struct show *s, const char *step, struct span about,
	      const char *name, const char *outcome, const char *mode,
	      struct span detail)
{
	const struct sqlval col[] = {
		sql_bytes(span_of(step)), sql_bytes(about),
		sql_bytes(span_of(name)), sql_bytes(span_of(outcome)),
		sql_bytes(span_of(mode)), sql_bytes(detail),
	};

	(void)out_row(s->out, col);
}

static const char *hits_text(enum fact hits)
{
	static const char *const texts[] = {
		[F_NO] = "no", [F_YES] = "hits", [F_TEMP] = "cannot tell"
	};

	return texts[hits];
}

/* What was tried, about this. */
static void flush(struct show *s, const char *step, struct span about)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct tried *t = &s->tried[i];

		show_row(s, step, about, predicate_get(t->id)->name,
			 hits_text(t->hits), policy_mode_name(t->mode),
			 SPAN_EMPTY);
		if (t->hits == F_YES)
			show_account(s, s->judge, t->id, s->message, about);
	}
	s->n = 0;
}

static void flush_step(struct show *s)
{
	flush(s, s->step, span_of(s->about));
}

/* Of the targets it is known about whom when they are done. */
static void take_stage(void *arg, unsigned stage)
{
	struct show *s = arg;

	flush_step(s);
	s->stage = stage;
}

static void take_tried(void *arg, enum predicate_id id, enum policy_mode mode,
		       enum fact hits)
{
	struct show *s = arg;

	if (s->n < PREDICATE_COUNT)
		s->tried[s->n++] = (struct tried){ id, mode, hits };
}

static void take_target(void *arg, const struct judged_target *t)
{
	bool has_box = judged_stores(t) || t->kind == JUDGED_FULL;
	struct span about = addr_span(&t->address);
	struct show *s = arg;

	if (!(s->stage & STAGE_TARGET))
		flush_step(s);
	flush(s, "target", about);
	buf_reset(&s->detail);
	if (has_box && t->quota)
		buf_printf(&s->detail, "%llu of %llu octets",
			   (unsigned long long)t->box.octets,
			   (unsigned long long)t->quota);
	else if (has_box)
		buf_printf(&s->detail, "%llu octets",
			   (unsigned long long)t->box.octets);
	show_row(s, "target", about, "leads to", judged_kind_name(t->kind), "",
		 buf_span(&s->detail));
}

struct show *show_new(struct tool *t, struct judge *j)
{
	struct show *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->detail = (struct buf)BUF_INIT(4096);
	s->step = "";
	s->out = out_new("explain", columns, t->json);
	if (!s->out) {
		free(s);
		return NULL;
	}
	j->began = take_stage;
	j->tried = take_tried;
	j->found = take_target;
	j->tried_arg = s;
	j->look_only = true;
	s->judge = j;
	return s;
}

void show_print(struct show *s)
{
	out_print_list(s->out);
}

void show_free(struct show **s)
{
	if (!*s)
		return;
	out_free(&(*s)->out);
	buf_release(&(*s)->detail);
	free(*s);
	*s = NULL;
}

void show_begin(struct show *s, const char *step, struct span about,
		const struct judge_message *m)
{
	about = span_head(about, ADDR_MAX);
	memcpy(s->about, about.p, about.n);
	s->about[about.n] = '\0';
	s->step = step;
	s->message = m;
	s->stage = 0;
	s->n = 0;
}

static const char *outcome(const struct reply *r)
{
	if (r->smtp == 0)
		return "accepted";
	return r->smtp >= 500 ? "rejected" : "deferred";
}

/* As milter/say.c says it, but for the decision's id. */
void show_verdict(struct show *s, const struct situation *w,
		  const struct judge_message *m, const struct verdict *v)
{
	const struct reply *r = reply_get(v->id);
	struct span about = span_of(s->about);
	struct reply_words words;

	flush_step(s);
	buf_reset(&s->detail);
	judge_words(&w->client, m, &words);
	if (v->id != R_NONE) {
		buf_printf(&s->detail, "%u %s ", r->smtp, r->enhanced);
		if (about.n > 0)
			buf_printf(&s->detail, "<%s>: ", s->about);
		reply_put_text(&s->detail, v->id, &words);
	}
	show_row(s, "verdict", about, v->id == R_NONE ? "" : v->predicate,
		 outcome(r), "", buf_span(&s->detail));
}
