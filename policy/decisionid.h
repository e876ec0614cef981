/* policy/decisionid.h: the name of a decision, which stands in the reply, in
 * the log and in the table decision: ten characters that can be read out over
 * the telephone, in either case, none of which is 0, 1, l or o. Later ones sort
 * behind earlier ones for eight years, since the second comes first. Pure. */
#ifndef MAILROW_POLICY_DECISIONID_H
#define MAILROW_POLICY_DECISIONID_H

#include "lib/span.h"

enum { DECISIONID_LENGTH = 10, DECISIONID_RANDOM_BITS = 22 };

/* at: seconds since the epoch. Of random the low DECISIONID_RANDOM_BITS
 * count. */
void decisionid_encode(int64_t at, uint32_t random,
		       char id_r[DECISIONID_LENGTH + 1]);

/* In lower case, and the second in which it was made: the last one before now
 * (or a day behind it, for clocks that differ) that it can have been. False:
 * no such name. */
bool decisionid_decode(struct span s, int64_t now,
		       char id_r[DECISIONID_LENGTH + 1], int64_t *at_r);

#endif
