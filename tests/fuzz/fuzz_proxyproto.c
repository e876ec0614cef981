/* tests/fuzz/fuzz_proxyproto.c: the verdict does not depend on what stands
 * behind the header, nor on how it arrives; a header that is taken is bounded
 * and whole. */
#include "tests/fuzz/fuzz.h"

#include "lib/proxyproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = fuzz_input(data, size);
	enum proxyproto_status status = PROXYPROTO_MORE;
	struct proxyproto all, p;
	size_t n = 0;

	while (n <= s.n && status == PROXYPROTO_MORE)
		status = proxyproto_parse(span_head(s, n++), &p);
	MUST(proxyproto_parse(s, &all) == status);
	if (status != PROXYPROTO_DONE)
		return 0;
	MUST(p.octets == n - 1 && p.octets <= PROXYPROTO_MAX);
	MUST(memcmp(&all, &p, sizeof(p)) == 0);
	MUST(p.told || p.remote_port == 0);
	return 0;
}
