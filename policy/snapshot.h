/* policy/snapshot.h: the policy's tables as they were at one moment: checked,
 * immutable, counted. Each question costs the same however many rows do not
 * match. Pure. */
#ifndef MAILROW_POLICY_SNAPSHOT_H
#define MAILROW_POLICY_SNAPSHOT_H

#include "lib/addr.h"
#include "policy/account.h"
#include "policy/limit.h"
#include "policy/netmap.h"
#include "policy/pattern.h"
#include "policy/predicate.h"

struct snapshot;

/* One more reference to it; back with snapshot_put(), which takes NULL. */
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_put(struct snapshot **s);

/* policy_generation when it was read. */
uint64_t snapshot_generation(const struct snapshot *s);

struct snapshot_size {
	size_t networks, modes, accounts, rules, grants, limits;
};
struct snapshot_size snapshot_size(const struct snapshot *s);

/* What is said of a client's network; NETWORK_PLAIN where nothing is. net_r,
 * unless NULL: the row that says it, when true is returned. */
enum network_kind snapshot_network(const struct snapshot *s,
				   const struct ipaddr *a);
bool snapshot_network_row(const struct snapshot *s, const struct ipaddr *a,
			  enum network_kind *k_r, struct network *net_r);

/* May the sender (n 0: the null sender) write to this recipient? The narrowest
 * scope with a match decides, in it the narrowest sender. rule_r, unless NULL:
 * the rule that decided, except for ACCESS_NONE. */
struct snapshot_rule {
	char scope[PATTERN_MAX + 1], sender[PATTERN_MAX + 1];
};
enum access snapshot_access(const struct snapshot *s, const struct addr *rcpt,
			    const struct addr *sender,
			    struct snapshot_rule *rule_r);

/* What is said of an account, its domain and the site, the narrower before the
 * wider. relay_to is a view of the snapshot. */
void snapshot_account(const struct snapshot *s, const struct addr *a,
		      int64_t now, struct account_policy *r);

/* The narrowest of those names whose row says one of these things (bits of enum
 * account_said), a view of a or of a literal. False: nobody says any. */
bool snapshot_account_row(const struct snapshot *s, const struct addr *a,
			  unsigned said, struct span *name_r);

/* Is there a grant to send as this address? */
bool snapshot_send_as(const struct snapshot *s, const struct addr *login,
		      const struct addr *sender);

/* Is a predicate on, for the site or for a domain? */
bool snapshot_mode_is_on(const struct snapshot *s, enum predicate_id id);

/* The modes for a domain, canonical; empty: of the site. */
void snapshot_modes(const struct snapshot *s, struct span domain,
		    struct policy_modes *m_r);

/* The limits of an account and of its domain; who has no rows of its own in
 * this direction has the default ones, "*" and "@*" (limit_subject() tells
 * whose usage a row speaks of). How many. */
size_t snapshot_limits(const struct snapshot *s, const struct addr *a,
		       enum limit_direction d,
		       const struct limit_row *row_r[LIMITS_MAX]);

#endif
