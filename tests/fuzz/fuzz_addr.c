/* tests/fuzz/fuzz_addr.c: the canonical form of a canonical form is itself,
 * whatever is parsed has the shape its struct promises. */
#include "tests/fuzz/fuzz.h"

#include "lib/addr.h"

static void must_be_shaped(const struct addr *a)
{
	struct span s = addr_span(a);

	MUST(a->n <= ADDR_MAX && a->at < a->n);
	MUST(a->text[a->n] == '\0' && a->text[a->at] == '@');
	MUST(addr_local(a).n > 0 && addr_domain(a).n > 0);
	MUST(addr_domain(a).n <= ADDR_DOMAIN_MAX);
	MUST(span_find(addr_domain(a), '@') == addr_domain(a).n);
	MUST(span_is_utf8(s));
	for (size_t i = 0; i < s.n; i++)
		MUST((unsigned char)s.p[i] >= 0x20 && s.p[i] != 0x7f);
}

static void must_be_canonical(const struct addr *a, bool fold)
{
	struct addr again;

	MUST(addr_parse(addr_span(a), fold, &again) == ADDR_OK);
	MUST(span_eq(addr_span(a), addr_span(&again)));
	MUST(a->at == again.at);
}

static void check_extension(const struct addr *a)
{
	struct addr base;
	struct span ext;

	if (!addr_strip_extension(a, SPAN_LIT("+-"), &base, &ext))
		return;
	must_be_shaped(&base);
	must_be_canonical(&base, false);
	MUST(base.n + ext.n == a->n);
	MUST(span_eq(addr_domain(&base), addr_domain(a)));
}

static void check_domain(struct span s)
{
	char out[ADDR_DOMAIN_MAX + 1], again[ADDR_DOMAIN_MAX + 1];
	size_t n, m;

	if (addr_domain_parse(s, out, &n) != ADDR_OK)
		return;
	MUST(n > 0 && n <= ADDR_DOMAIN_MAX && out[n] == '\0');
	MUST(addr_domain_parse(span_make(out, n), again, &m) == ADDR_OK);
	MUST(span_eq(span_make(out, n), span_make(again, m)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size);
	struct addr plain, folded;
	enum addr_status status = addr_parse(s, false, &plain);

	MUST(addr_parse(s, true, &folded) == status);
	check_domain(s);
	if (status != ADDR_OK)
		return 0;
	must_be_shaped(&plain);
	must_be_canonical(&plain, false);
	must_be_shaped(&folded);
	must_be_canonical(&folded, true);
	MUST(span_eq_nocase(addr_span(&plain), addr_span(&folded)));
	check_extension(&plain);
	return 0;
}
