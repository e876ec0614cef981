/* lib/uidl.c: see uidl.h. */
#include "lib/uidl.h"

enum { STAMP_OCTETS = 6, RANDOM_OCTETS = 10, DIGITS = 8 };

void content_id_make(int64_t unix_ms, const uint8_t random[10],
		     uint8_t id_r[CONTENT_ID_SIZE])
{
	uint64_t ms = unix_ms > 0 ? (uint64_t)unix_ms : 0;

	for (size_t i = STAMP_OCTETS; i > 0; i--) {
		id_r[i - 1] = (uint8_t)(ms & 0xff);
		ms >>= 8;
	}
	memcpy(id_r + STAMP_OCTETS, random, RANDOM_OCTETS);
}

/* 64 of the random bits hold more than eight digits of base 36 can tell. */
static void random_digits(const uint8_t id[CONTENT_ID_SIZE], char out[DIGITS])
{
	static const char digit[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | id[STAMP_OCTETS + i];
	for (size_t i = DIGITS; i > 0; i--) {
		out[i - 1] = digit[v % 36];
		v /= 36;
	}
}

void uidl_put_tail(struct buf *b, const uint8_t id[CONTENT_ID_SIZE])
{
	char digits[DIGITS];

	random_digits(id, digits);
	buf_putc(b, '.');
	buf_put(b, digits, DIGITS);
}

void uidl_put(struct buf *b, uint64_t uid, const uint8_t id[CONTENT_ID_SIZE])
{
	buf_put_u64(b, uid);
	uidl_put_tail(b, id);
}
