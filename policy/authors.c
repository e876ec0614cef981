/* policy/authors.c: see authors.h. */
#include "policy/authors.h"

enum field { FIELD_FROM, FIELD_SENDER, FIELD_RESENT, FIELD_NONE };

static enum field field_of(struct span name)
{
	static const struct {
		const char *name;
		enum field field;
	} names[] = {
		{ "From", FIELD_FROM },
		{ "Sender", FIELD_SENDER },
		{ "Resent-From", FIELD_RESENT },
		{ "Resent-Sender", FIELD_RESENT },
	};

	name = span_trim(name); /* RFC 5322 s.4.5: blanks before the colon */
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (span_eq_nocase(name, span_of(names[i].name)))
			return names[i].field;
	return FIELD_NONE;
}

bool authors_knows(struct span name)
{
	return field_of(name) != FIELD_NONE;
}

void authors_take(struct authors *a, struct span name, struct span value,
		  bool fold_local)
{
	switch (field_of(name)) {
	case FIELD_FROM:
		addrlist_add(&a->from, value, fold_local);
		break;
	case FIELD_SENDER:
		addrlist_add(&a->sender, value, fold_local);
		break;
	case FIELD_RESENT:
		addrlist_add(&a->resent, value, fold_local);
		break;
	case FIELD_NONE:
		break;
	}
}

bool authors_has_one(const struct authors *a)
{
	return a->from.fields == 1 && !a->from.broken &&
	       addrlist_mailboxes(&a->from) == 1;
}
