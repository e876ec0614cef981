/* lib/tlsname.c: see tlsname.h. */
#include "lib/tlsname.h"

enum { NAME_MAX_OCTETS = 253, LABEL_MAX_OCTETS = 63 };

static bool is_label(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return s.n > 0 && s.n <= LABEL_MAX_OCTETS;
}

bool tlsname_is_wild(struct span pattern)
{
	return span_starts_nocase(pattern, SPAN_LIT("*."));
}

bool tlsname_valid(struct span name)
{
	struct span label;
	bool more = true;

	if (name.n > NAME_MAX_OCTETS)
		return false;
	if (tlsname_is_wild(name))
		name = span_skip(name, 2);
	while (more) {
		more = span_cut(name, '.', &label, &name);
		if (!is_label(label))
			return false;
	}
	return true;
}

bool tlsname_match(struct span pattern, struct span name)
{
	struct span label, rest;

	if (!tlsname_is_wild(pattern))
		return pattern.n > 0 && span_eq_nocase(pattern, name);
	return span_cut(name, '.', &label, &rest) && label.n > 0 &&
	       rest.n > 0 && span_eq_nocase(span_skip(pattern, 2), rest);
}
