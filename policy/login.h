/* policy/login.h: may who has logged in go on sending? Pure: facts in, verdict
 * out. The order of the predicates is the policy. */
#ifndef MAILROW_POLICY_LOGIN_H
#define MAILROW_POLICY_LOGIN_H

#include "policy/rcpt.h"

struct login_facts {
	enum fact known; /* the profile has it */
	bool was_known;  /* earlier in this session; else F_NO means that it
			  * is none of the profile's, so not ours to judge */
	enum fact active;
	enum fact smtp; /* the door is open */
};

struct verdict policy_login(const struct login_facts *f);

#endif
