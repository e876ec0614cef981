/* lib/base64.c: see base64.h. */
#include "lib/base64.h"

#include <limits.h>

#include <openssl/evp.h>

static bool is_digit64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* How many '=' stand at the end: 0 to 2, or 3 when s is not base64 at all. */
static size_t padding(struct span s)
{
	size_t pad = 0;

	if (s.n % 4 != 0 || s.n > INT_MAX)
		return 3;
	while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < s.n - pad; i++)
		if (!is_digit64(s.p[i]))
			return 3;
	return pad;
}

/* EVP_DecodeBlock() alone is too kind (it skips blanks and takes '=' for 'A'
 * anywhere), so everything is checked before it. It always writes whole
 * groups of three octets, those that the padding stands for too; they are
 * not counted, and overwritten because they may follow a secret. */
bool base64_decode(struct span s, struct buf *b)
{
	size_t pad = padding(s);
	size_t room = s.n / 4 * 3;
	char *out;

	if (pad > 2 || b->n > b->max || room > b->max - b->n)
		return false;
	if (s.n == 0)
		return buf_ok(b);
	out = buf_reserve(b, room);
	if (out == NULL)
		return false;
	if (EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)s.p,
			    (int)s.n) != (int)room)
		return false;
	memset(out + room - pad, 0, pad);
	b->n += room - pad;
	return true;
}

void base64_encode(struct span s, struct buf *b)
{
	size_t n = s.n / 3 * 4 + (s.n % 3 ? 4 : 0);
	char *out;

	if (s.n > INT_MAX / 2) {
		b->failed = true;
		return;
	}
	if (s.n == 0)
		return;
	out = buf_reserve(b, n + 1); /* EVP_EncodeBlock() ends it by NUL */
	if (out == NULL)
		return;
	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)s.p,
			(int)s.n);
	b->n += n;
}
