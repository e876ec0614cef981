/* ctl/explain.h: mailrow explain: a situation, and what the judge says of it
 * step by step. */
#ifndef MAILROW_CTL_EXPLAIN_H
#define MAILROW_CTL_EXPLAIN_H

#include "ctl/ourjudge.h"
#include "ctl/out.h"

enum { EXPLAIN_RCPTS_MAX = 1000 };

/* What is told of a mail. Texts are views. */
struct situation {
	struct judge_client client;
	struct span sender; /* without <> */
	struct span rcpt[EXPLAIN_RCPTS_MAX];
	size_t nrcpt;
	uint64_t size;
	struct authors authors; /* of the header */
	bool has_header;        /* else its predicates are not tried */
};

/* What it came to. */
struct finding {
	unsigned stage; /* where: a bit of enum stage */
	struct verdict verdict;
};

/* explainshow.c: the rows that are printed. */
struct show;
struct show *show_new(struct tool *t, struct judge *j);
void show_print(struct show *s);
void show_free(struct show **s);

/* A row of one's own: step, about what, name, outcome, mode, detail. */
void show_row(struct show *s, const char *step, struct span about,
	      const char *name, const char *outcome, const char *mode,
	      struct span detail);

/* A decision about this begins; and its end, with the exact reply. m, which may
 * have no content yet, stays until then. */
void show_begin(struct show *s, const char *step, struct span about,
		const struct judge_message *m);
void show_verdict(struct show *s, const struct situation *w,
		  const struct judge_message *m, const struct verdict *v);

/* explainrows.c: what the policy's tables say of the client and, with who
 * sends, of a recipient; the row of account_policy by which a predicate hits,
 * about who sends or this recipient; and all limits that were looked at, with
 * what was used of them before. */
void show_network(struct show *s, const struct judge *j,
		  const struct situation *w);
void show_access(struct show *s, const struct judge *j, struct span rcpt,
		 const struct judge_message *m);
void show_account(struct show *s, const struct judge *j, enum predicate_id id,
		  const struct judge_message *m, struct span rcpt);
void show_limits(struct show *s, const struct judge_message *m);

/* explain.c: asks the judge from MAIL on, as far as it goes, and prints all
 * that; what it came to at last is told to compare() before (NULL: to nobody),
 * which may add rows. An exit code, which tells of the verdict. */
typedef void (*explain_compare)(void *arg, struct show *s,
				const struct finding *f);
int explain_situation(struct tool *t, struct situation *w,
		      explain_compare compare, void *arg);

/* explainid.c: the same with a decision that was made. */
int explain_decision(struct tool *t, const char *id);

#endif
