/* policy/decisionnote.h: what a verdict becomes in the table decision: a row
 * for the predicate that decided, and one for each in shadow. */
#ifndef MAILROW_POLICY_DECISIONNOTE_H
#define MAILROW_POLICY_DECISIONNOTE_H

#include "policy/decisionlog.h"
#include "policy/predicate.h"

/* d has the id, the stage and the facts; what the verdict says is filled in,
 * and the domain whose modes hold, unless that is told. Never waits. */
void decisionnote(const struct conf *c, struct decision d,
		  const struct verdict *v, const struct reply_words *w);

#endif
