/* policy/helo.c: see helo.h. */
#include "policy/helo.h"

static struct span drop_dot(struct span s)
{
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

bool helo_is_ours(struct span helo, const struct helo_self *self)
{
	struct ipaddr a;

	helo = drop_dot(helo);
	if (helo.n == 0)
		return false;
	if (ipaddr_parse(helo, &a))
		return self->has_addr &&
		       memcmp(&a, &self->addr, sizeof(a)) == 0;
	return span_eq_nocase(helo, drop_dot(self->mta)) ||
	       conf_list_has(self->hosts, helo);
}

bool helo_domain(struct span helo, char *out, size_t *n_r)
{
	struct ipaddr a;

	helo = drop_dot(helo);
	return !ipaddr_parse(helo, &a) &&
	       addr_domain_parse(helo, out, n_r) == ADDR_OK && out[0] != '[';
}
