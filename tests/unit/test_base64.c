/* tests/unit/test_base64.c */
#include "tests/unit/wire.h"

#include "lib/base64.h"

static const struct {
	const char *plain;
	const char *base64;
} vectors[] = {
	/* RFC 4648 s.10 and what LOGIN asks */
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "Username:", "VXNlcm5hbWU6" },
	{ "\xff\xfe\xfb", "//77" },
	{ "\xfb\xef\xbe", "++++" },
};

static void the_vectors_of_the_rfc_encode_and_decode(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		buf_reset(&b);
		base64_encode(span_of(vectors[i].plain), &b);
		assert_buf(&b, vectors[i].base64);
		buf_reset(&b);
		assert_true(base64_decode(span_of(vectors[i].base64), &b));
		assert_buf(&b, vectors[i].plain);
	}
	buf_release(&b);
}

static void malformed_input_is_rejected_and_nothing_appended(void **state)
{
	static const char *const bad[] = {
		"Z",        "Zg",       "Zg=",          "Zg===",    "=",
		"====",     "=Zg=",     "Z===",         "Zg==Zg==", "Zm9v\n",
		" Zm9v",    "Zm9v    ", "Zm 9",         "Zm9v=",    "Zm-v",
		"Zm9vZg=a", "\xc3\xa4", "Zm9v\r\n\r\n",
	};
	struct buf b = BUF_INIT(1000);

	(void)state;
	buf_puts(&b, "kept");
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (base64_decode(span_of(bad[i]), &b))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_buf(&b, "kept");
	}
	assert_false(base64_decode(span_make("Zm\0v", 4), &b));
	buf_release(&b);
}

static void both_append_behind_what_is_there(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	buf_puts(&b, "x");
	base64_encode(SPAN_LIT("f"), &b);
	assert_true(base64_decode(SPAN_LIT("Zm9v"), &b));
	assert_buf(&b, "xZg==foo");
	buf_release(&b);
}

static void no_room_is_a_failure_not_an_overrun(void **state)
{
	struct buf b = BUF_INIT(8);

	(void)state;
	buf_puts(&b, "123456");
	assert_false(base64_decode(SPAN_LIT("Zm9v"), &b));
	assert_buf(&b, "123456");
	base64_encode(SPAN_LIT("foo"), &b);
	assert_false(buf_ok(&b));
	buf_release(&b);
}

static void every_length_of_every_octet_survives(void **state)
{
	struct buf text = BUF_INIT(1000), plain = BUF_INIT(1000);
	uint8_t octets[256];

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(255 - i);
	for (size_t n = 0; n <= sizeof(octets); n++) {
		buf_reset(&text);
		buf_reset(&plain);
		base64_encode(span_make(octets, n), &text);
		assert_true(base64_decode(buf_span(&text), &plain));
		assert_text(buf_span(&plain), span_make(octets, n));
	}
	buf_release(&text);
	buf_release(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc_encode_and_decode),
		cmocka_unit_test(
			malformed_input_is_rejected_and_nothing_appended),
		cmocka_unit_test(both_append_behind_what_is_there),
		cmocka_unit_test(no_room_is_a_failure_not_an_overrun),
		cmocka_unit_test(every_length_of_every_octet_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
