/* tests/unit/test_apppass.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/apppass.h"

static void bits_become_text_that_has_all_of_them(void **state)
{
	uint8_t octet[APPPASS_OCTETS] = { 0 };
	char text[APPPASS_TEXT_MAX + 1], before[APPPASS_TEXT_MAX + 1] = "";

	(void)state;
	apppass_text(octet, text);
	assert_string_equal(text, "00000-00000-00000-00000-000000");
	memset(octet, 0xff, sizeof(octet));
	apppass_text(octet, text);
	assert_string_equal(text, "zzzzz-zzzzz-zzzzz-zzzzz-zzzzzw");
	for (int bit = 0; bit < APPPASS_OCTETS * 8; bit++) {
		memset(octet, 0, sizeof(octet));
		octet[bit / 8] = (uint8_t)(0x80 >> bit % 8);
		apppass_text(octet, text);
		assert_int_equal(strlen(text), APPPASS_TEXT_MAX);
		assert_string_not_equal(text, before);
		memcpy(before, text, sizeof(before));
	}
}

static void it_may_be_typed_as_people_type(void **state)
{
	static const char *const same[] = {
		"01abc-defgh-jkmnp-qrstv-wxyz00",
		"01abcdefghjkmnpqrstvwxyz00",
		"01ABC DEFGH JKMNP QRSTV WXYZ00",
		"oiabc-defgh-jkmnp-qrstv-wxyzoO",
		"OLabc-defgh-jkmnp-qrstv-wxyz00",
	};
	static const char *const none[] = {
		"",
		"secret",
		"01abc-defgh-jkmnp-qrstv-wxyz0",
		"01abc-defgh-jkmnp-qrstv-wxyz000",
		"01abc-defgh-jkmnp-qrstv-wxyzu0",
		"01abc_defgh_jkmnp_qrstv_wxyz00",
		"--------------------------------------------------------"
		"01abcdefghjkmnpqrstvwxyz00",
	};
	uint8_t first[APPPASS_HASH_SIZE], hash[APPPASS_HASH_SIZE];

	(void)state;
	assert_true(apppass_hash(span_of(same[0]), first));
	/* printf 01abcdefghjkmnpqrstvwxyz00 | sha256sum */
	assert_memory_equal(first, "\xf0\x42\x47\x50", 4);
	for (size_t i = 1; i < sizeof(same) / sizeof(*same); i++) {
		assert_true(apppass_hash(span_of(same[i]), hash));
		assert_memory_equal(hash, first, sizeof(hash));
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(apppass_hash(span_of(none[i]), hash));
	assert_true(apppass_hash(SPAN_LIT("01abcdefghjkmnpqrstvwxyz01"), hash));
	assert_memory_not_equal(hash, first, sizeof(hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_become_text_that_has_all_of_them),
		cmocka_unit_test(it_may_be_typed_as_people_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
