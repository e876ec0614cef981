#include "lib/pwhash.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PW "correct horse"

/* Made by doveadm pw, openssl passwd, mkpasswd, htpasswd, argon2, md5sum,
 * sha1sum and libxcrypt's Python module. */
static const char *const good[] = {
	"{CRYPT}$2y$05$WhT031sbVpN4Dy9.yvyB/.XBAJ154ya.1DNpYrI59p03iha7V4PK.",
	"{SHA512-CRYPT}$6$7N9IN7ZSGYNgeOPw$40BC73r57JZMo06GGXia0tIWEIEgh4s6Jy3"
	"oaOoREVf8K3vGEIRC5jNhkZJebjDrUdMmLIKsc1MdcQsnogFx41",
	"{SHA256-CRYPT}$5$SRn0S7N5M1a0NH3p$/ZznYPOkReJQs9HgfX5j5D/WgNGqFqCfEgUT"
	"Ff177Q9",
	"{BLF-CRYPT}$2y$05$HgwdtOHPSsZLvlH9D54Pxu.y0hs0.pzKqIDjtDyn9TKK7q65EkDF"
	"C",
	"{MD5-CRYPT}$1$1fgDhSBN$PVWmAdCBOO0cyrp./ZCcl1",
	"{DES-CRYPT}lfkhnhbqESdL.",
	"{MD5}$1$q2Wtk5Bb$6lO7wQnVOaylGSHh5jJf80",
	"{PLAIN}correct horse",
	"{CLEAR}correct horse",
	"{CLEARTEXT}correct horse",
	"{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
	"{SSHA}+7yA/LzCRbzTTKMoYYt6YLL4z/uo6Gsz",
	"{SSHA256}L1Om9A1iJ451injYhxuNY5z6uP/u20XGJXgpSG+8P1fmADSI",
	"{SSHA512}9VNzpHLSrHMEAFhSlEZM5ekT8LgXbIvQGPvJrIKlMpSXVWSWfmoWuWg5euTJU"
	"kNMavqPp/+5VR88LmC0vRJK1oFwQK8=",
	"$1$WCVBPM6S$ANqQjWdzy19d5NhB5kNdK0",
	"$5$I3LbHlYAZq1Q/Adf$0m5TtlLNuTT51kurQPpSe0lijGWlKDkDYARAWmEW2j8",
	"$6$PG6yco7WslcqoF97$r7MW7gp9NzfZNJtDVfQ.3VAENQ92ZCQeOWqYj2XmAcMsTK97xa"
	"V665MvX9wq5w8j.lBAkaUhe9u1JQE4.26SX/",
	"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$zwtVrjrUCmXcyLTs6oxLTQlzifSUkF8RHJ./tK5K"
	"U79",
	"$gy$j9T$F5Jx5fExrKuPp53xLKQ..1$fjSOzYe3VPU6Q.dJqx4tYW6CE1ptRyuKNHZ4IlH"
	"BYq1",
	"$7$CU..../....SodiumChloride$Yw7JGvjxkSv2Fvi7sJpBeLiTTtUGxnbZZs6HOj7nC"
	"3/",
	"$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2",
	"$sha1$4$abcdefgh$3csEcjx5ePmXmIM2V0LgS9NO1Fnm",
	"_J9..K0AyMVxWU.C3O1E",
	"abhfCpXqd4GrI",
	"{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
	"{SHA1}L55TUjtiq8FBorTWAZ0jy6g129A=",
	"{SHA512}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYX"
	"gI6wv1ec6aldZoNHvKtxSQhayTyyeZUZew==",
	"{SMD5}WUUfcrfUwxc9+V+3RJX5EW4KjCk=",
	"{LDAP-MD5}PLTnMmMfR+brlh80VUt83g==",
	"{PLAIN-MD5}3cb4e732631f47e6eb961f34554b7cde",
	"{PLAIN-MD5}3CB4E732631F47E6EB961F34554B7CDE",
	"{MD5RAW}3cb4e732631f47e6eb961f34554b7cde",
	"{MD5}3cb4e732631f47e6eb961f34554b7cde",
	"{MD5}PLTnMmMfR+brlh80VUt83g==",
	"3cb4e732631f47e6eb961f34554b7cde",
	"{PBKDF2}$1$d/papmIN.gDyP15K$5000$552f944cfa357afcb98873ea137"
	"c62f2009774ce",
	"{SCRAM-SHA-1}4096,2/FBCdSGN37vkzMKQQL3dw==,ycsLLuVCEy8xNbhh4"
	"0JWqHnR1ls=,QZIZZ19BISjAbjnjxxK4tt5K+e0=",
	"{SCRAM-SHA-256}4096,Gr1iNBd/cpj2l54SmWt1cg==,PgGWz12Cs6vj/wf"
	"S3ek1bzps/pI4w/EZIBR/ksylAsU=,0Fbnulbz1sdWqqTyoXO6DiQ3b0zEwM"
	"mnTpsUfZHuzsI=",
	"{SSHA.HEX}d2874ce772e24e4bf1861bf51a46d985db57f4fe673d70e6",
	"{SHA256.HEX}4104d36f8da2c254349f85836793ebe029e0c957063a34c9"
	"1c2e9203187b5631",
	"{SHA256}4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e"
	"9203187b5631",
	"{SHA1}2f9e53523b62abc141a2b4d6019d23cba835dbd0",
	"{SHA512-CRYPT.B64}JDYkbzFLNDlCR0dULnZxWDRWMiRrTjNwNk9URFFHY2"
	"5samI5RjUweEZTUWxmS3N4M3J1WWw0djIvREJlSjMvZi80SkdhSktjZXhlM1"
	"pDL0lpWnRab2dDOFlaSE01STVxRUoxdEx6SkZjMQ==",
	"{SHA512.b64}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRum"
	"qLYXgI6wv1ec6aldZoNHvKtxSQhayTyyeZUZew==",
	"{SHA512.BASE64}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1Hn"
	"RumqLYXgI6wv1ec6aldZoNHvKtxSQhayTyyeZUZew==",
	"{PLAIN-MD5.B64}PLTnMmMfR+brlh80VUt83g==",
	"{SSHA512.HEX}9ddfa4d07c5e56c2d1e0b65fda75f43881b751738d8a559"
	"79aee66f7a7ab9fb02de9eb18db06859e39693bd8c77cd31c1bcc5385647"
	"a58b3679a13244fc94ff537583f57",
	"{BLF-CRYPT.HEX}24327924303524482f58547045484d535a4f4b6561334"
	"a7979514d6a4f764e6e324e6436425744785234694b2f5654746a4e53774"
	"24548462e6d6f32",
	"$2b$05$PRWVOmwGfOfYlaSID9n0Eucd4ghrM2JTWf0HvlT/QO0Mmlxhdl/mq",
	"$argon2id$v=19$m=4096,t=2,p=2$c29tZXNhbHQxMjM0NQ$UGkh3r2JUVL"
	"/OZ0pU9qAIVGk/f/fAMLTDBjEzSXWboA",
	"{ARGON2I}$argon2i$v=19$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$jntY"
	"83LrRbYC5odPhkquTVCrGGC52YmGhoLZTqDcL84",
	"$argon2i$v=19$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$jntY83LrRbYC5"
	"odPhkquTVCrGGC52YmGhoLZTqDcL84",
	"{ARGON2ID}$argon2id$v=19$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$Tf"
	"bc58ZjRcNSMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2id$v=19$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$Tfbc58ZjRcNS"
	"MtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2i$v=16$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$H5dC11aOCeE/r"
	"PV4G2AvBCuGnMVthDuxKHVLwVCG5Kc",
	"{ssha256}L1Om9A1iJ451injYhxuNY5z6uP/u20XGJXgpSG+8P1fmADSI",
};

static enum pwhash_result verify(const char *stored, const char *password)
{
	return pwhash_verify(span_of(stored), span_of(password));
}

static void the_right_password_is_ok(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (verify(good[i], PW) != PWHASH_OK)
			fail_msg("not ok: %s", good[i]);
	}
}

static void another_password_is_wrong(void **state)
{
	static const char *const other[] = { "", "c", "Correct horse",
					     "correcT horse" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		for (size_t j = 0; j < sizeof(other) / sizeof(*other); j++)
			if (verify(good[i], other[j]) != PWHASH_WRONG)
				fail_msg("'%s' for %s", other[j], good[i]);
}

static const char *const bad[] = {
	"",
	"correct horse",
	"!$1$WCVBPM6S$ANqQjWdzy19d5NhB5kNdK0",
	"*",
	"*0",
	"*1",
	"{",
	"{}",
	"{PLAIN",
	"{PLAIN}",
	"{NONSENSE}correct horse",
	"{CRYPT}",
	"{CRYPT}*0",
	"$",
	"$y$",
	"$9$abc$def",
	"_",
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$abc$def",
	"{ARGON2I}$argon2id$v=19$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$Tfb"
	"c58ZjRcNSMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"{CRYPT}$argon2id$v=19$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$Tfbc5"
	"8ZjRcNSMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2id$v=19$m=256,t=3,p=1$c29tZXNhbHQ",
	"$argon2id$v=19$m=256,t=3,p=0$c29tZXNhbHQxMjM0NQ$Tfbc58ZjRcNS"
	"MtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2id$v=19$m=256,t=3$c29tZXNhbHQxMjM0NQ$Tfbc58ZjRcNSMtrp"
	"kxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2id$v=99$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$Tfbc58ZjRcNS"
	"MtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2x$v=19$m=256,t=3,p=1$c29tZXNhbHQxMjM0NQ$UGkh",
	"$argon2id$",
	"$argon2",
	"{PBKDF2}$1$d/papmIN.gDyP15K$5000$552f944cfa357afcb98873ea137"
	"c62f2009774c",
	"{PBKDF2}$1$d/papmIN.gDyP15K$5000$552f944cfa357afcb98873ea137"
	"c62f2009774ce00",
	"{PBKDF2}$1$d/papmIN.gDyP15K$0$552f944cfa357afcb98873ea137c62"
	"f2009774ce",
	"{PBKDF2}$2$d/papmIN.gDyP15K$5000$552f944cfa357afcb98873ea137"
	"c62f2009774ce",
	"{PBKDF2}$1$$5000$552f944cfa357afcb98873ea137c62f2009774ce",
	"{PBKDF2}",
	"{SCRAM-SHA-256}4096,Gr1iNBd/cpj2l54SmWt1cg==,PgGWz12Cs6vj/wf"
	"S3ek1bzps/pI4w/EZIBR/ksylAsU=",
	"{SCRAM-SHA-256}4096,Gr1iNBd/cpj2l54SmWt1cg==,ycsLLuVCEy8xNbh"
	"h40JWqHnR1ls=,x",
	"{SCRAM-SHA-256}0,Gr1iNBd/cpj2l54SmWt1cg==,PgGWz12Cs6vj/wfS3e"
	"k1bzps/pI4w/EZIBR/ksylAsU=,x",
	"{SCRAM-SHA-256}4096,,PgGWz12Cs6vj/wfS3ek1bzps/pI4w/EZIBR/ksy"
	"lAsU=,x",
	"{SHA}L55TUjtiq8FBorTWAZ0jy6g129",
	"{LDAP-MD5}PLTnMmMfR+brlh80VUt83g",
	"{PLAIN-MD5}3cb4e732631f47e6eb961f34554b7cd",
	"{PLAIN-MD5}3cb4e732631f47e6eb961f34554b7cdg",
	"3cb4e732631f47e6eb961f34554b7cd",
	"2f9e53523b62abc141a2b4d6019d23cba835dbd0",
	"{MD5}0f35",
	"{SMD5}PLTnMmMfR+brlh80VUt83g==",
	"{SSHA.XYZ}d2874ce772e24e4bf1861bf51a46d985db57f4fe673d70e6",
	"{SSHA.}abc",
	"{.HEX}00",
	"{SHA512-CRYPT.B64}JDYk!",
	"{SHA512-CRYPT.HEX}2436",
	"{CRAM-MD5}e5f5b3e0b1c4d3a2",
	"{PLAIN-TRUNC}4-corr",
	"$apr1$blChAtv8$XgMQUUOKyRDIQS6WAWtjL0",
	"abhfCpXqd4Gr",   /* 12 */
	"abhfCpXqd4GrIx", /* 14 */
	"abhfCpXqd4Gr!",  /* not of its alphabet */
	"{MD5-CRYPT}abhfCpXqd4GrI",
	"{SHA512-CRYPT}$5$a$0m5TtlLNuTT51kurQPpSe0lijGWlKDkDYARA",
	"{BLF-CRYPT}$1$WCVBPM6S$ANqQjWdzy19d5NhB5kNdK0",
	/* cut */
	"$1$WCVBPM6S$ANqQjWdzy19d5NhB5kNdK",
	"$1$WCVBPM6S$",
	"$1$WCVBPM6S$ANqQjWdzy19d5NhB5kNdK0x",
	"{SSHA}+7yA/LzCRbzTTKMoYYt6YLL4z/uo6Gs",
	"{SSHA}+7yA/LzCRbzTTKMoYYt6",
	"{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7",
	"{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE",
	"{SHA256} QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
	"{SSHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=",
	"{SHA256}L1Om9A1iJ451injYhxuNY5z6uP/u20XGJXgpSG+8P1fmADSI",
};

/* One beyond what is computed, or far beyond. */
static const char *const costly[] = {
	"$argon2id$v=19$m=262145,t=3,p=1$c29tZXNhbHQxMjM0NQ$Tfbc58ZjR"
	"cNSMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2id$v=19$m=4294967552,t=3,p=1$c29tZXNhbHQxMjM0NQ$Tfbc5"
	"8ZjRcNSMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2id$v=19$m=256,t=4097,p=1$c29tZXNhbHQxMjM0NQ$Tfbc58ZjRc"
	"NSMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$argon2id$v=19$m=256,t=3,p=17$c29tZXNhbHQxMjM0NQ$Tfbc58ZjRcN"
	"SMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"{PBKDF2}$1$d/papmIN.gDyP15K$99999999999$552f944cfa357afcb988"
	"73ea137c62f2009774ce",
	"{PBKDF2}$1$d/papmIN.gDyP15K$5000001$552f944cfa357afcb98873ea"
	"137c62f2009774ce",
	"{SCRAM-SHA-256}5000001,Gr1iNBd/cpj2l54SmWt1cg==,PgGWz12Cs6vj"
	"/wfS3ek1bzps/pI4w/EZIBR/ksylAsU=,x",
	"$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQxMjM0NQ$Tfbc58ZjR"
	"cNSMtrpkxHxwa1Txgaiiho/J/Mt78XVeAs",
	"$2y$16$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q",
	"$2y$31$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q",
	"{BLF-CRYPT}$2a$31$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5X"
	"dysS6yR576q",
	"$6$rounds=999999999$a$0m5TtlLNuTT51kurQPpSe0lijGWlKDkDYARA",
	"$6$rounds=5000001$a$0m5TtlLNuTT51kurQPpSe0lijGWlKDkDYARA",
	"{SHA256-CRYPT}$5$rounds=999999999$a$b",
	"$5$rounds=99999999999999999999999$a$b",
	"{CRYPT}$sha1$4294967295$a$b",
	"$md5,rounds=1000001$a$$b",
	/* of 512 MiB, of 256 five times, of 2^63 */
	"$y$jET$Sb0lCrKPXpv8vOQ6Fq1Wy.$AAAA",
	"$y$jzT$Sb0lCrKPXpv8vOQ6Fq1Wy.$AAAA",
	"$gy$jET$Sb0lCrKPXpv8vOQ6Fq1Wy.$AAAA",
	"$7$FU..../....abcdefgh$AAAA",
	"$7$EU....3....abcdefgh$AAAA",
	"$7$zzzzzzzzzzzabcdefgh$AAAA",
	/* N = 4, r = 1, p = 2^29; N = 2, r = 2^11, p = 2^11 */
	"$7$0/........Uabcdefgh$AAAA",
	"$7$/.U....U...abcdefgh$AAAA",
};

/* It would take hours. */
static void what_costs_too_much_is_not_computed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(costly) / sizeof(*costly); i++)
		if (verify(costly[i], PW) != PWHASH_COSTLY)
			fail_msg("not too costly: '%s'", costly[i]);
	pwhash_dummy(span_of(costly[0]), span_of(PW));
}

/* Whatever may stand there, and is not what crypt_gensalt(3) writes. */
static void a_cost_that_cannot_be_read_is_unknown(void **state)
{
	static const char *const row[] = {
		"$y$j9T./$Sb0lCrKPXpv8vOQ6Fq1Wy.$AAAA",
		"$y$z9T$Sb0lCrKPXpv8vOQ6Fq1Wy.$AAAA",
		"$y$j9",
		"$7$CU..../...",
		"$2y$",
		"$2y$1",
		"$2y$+1$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6",
		"$2",
		"$6$rounds=$a$b",
		"$6$rounds=-1$a$b",
		"$sha1$$a$b",
		"$10$abc$def",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		if (verify(row[i], PW) != PWHASH_UNKNOWN)
			fail_msg("not unknown: '%s'", row[i]);
}

static void what_cannot_be_verified_is_unknown_and_not_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (verify(bad[i], PW) != PWHASH_UNKNOWN)
			fail_msg("not unknown: '%s'", bad[i]);
}

static void oversized_hashes_are_unknown(void **state)
{
	static const char *const prefix[] = {
		"$6$",        "{SSHA512}",          "{CRYPT}_",
		"{SHA256}",   "{PBKDF2}$1$",        "{SCRAM-SHA-1}4096,",
		"$argon2id$", "{SHA512-CRYPT.B64}", "{MD5}"
	};
	static char text[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(prefix) / sizeof(*prefix); i++)
		for (size_t n = 300; n < sizeof(text); n += 47) {
			size_t m = strlen(prefix[i]);

			memset(text, 'A', n);
			memcpy(text, prefix[i], m);
			assert_int_equal(
				pwhash_verify(span_make(text, n), span_of(PW)),
				PWHASH_UNKNOWN);
		}
}

static void octets_behind_a_nul_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(pwhash_verify(SPAN_LIT("{PLAIN}correct horse"),
				       SPAN_LIT("correct horse\0x")),
			 PWHASH_WRONG);
	assert_int_equal(pwhash_verify(SPAN_LIT("abhfCpXqd4GrI"),
				       SPAN_LIT("correct horse\0x")),
			 PWHASH_WRONG);
	assert_int_equal(
		pwhash_verify(SPAN_LIT("$1$WCVBPM6S$ANqQjWdzy19d5NhB5kNdK0\0"),
			      span_of(PW)),
		PWHASH_UNKNOWN);
}

static void bcrypt_does_not_match_by_the_first_72_octets(void **state)
{
	static const char hash[] =
		"$2y$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q";
	char p[80];

	(void)state;
	memset(p, 'x', sizeof(p));
	for (size_t n = 70; n < sizeof(p); n++)
		assert_int_equal(pwhash_verify(span_of(hash), span_make(p, n)),
				 n == 72 ? PWHASH_OK : PWHASH_WRONG);
}

static void overlong_passwords_are_wrong(void **state)
{
	static char p[PWHASH_PASSWORD_MAX + 2];

	(void)state;
	memset(p, 'x', sizeof(p));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		for (size_t n = 510; n <= sizeof(p); n += 171)
			assert_int_equal(pwhash_verify(span_of(good[i]),
						       span_make(p, n)),
					 PWHASH_WRONG);
}

static void a_long_plain_password_is_compared_whole(void **state)
{
	char stored[7 + PWHASH_PASSWORD_MAX];

	(void)state;
	memset(stored, 'x', sizeof(stored));
	memcpy(stored, "{PLAIN}", 7);
	assert_int_equal(
		pwhash_verify(span_make(stored, sizeof(stored)),
			      span_make(stored + 7, PWHASH_PASSWORD_MAX)),
		PWHASH_OK);
	assert_int_equal(
		pwhash_verify(span_make(stored, sizeof(stored)),
			      span_make(stored + 7, PWHASH_PASSWORD_MAX - 1)),
		PWHASH_WRONG);
}

static void only_plain_schemes_give_the_password_itself(void **state)
{
	(void)state;
	assert_true(span_is(pwhash_plaintext(SPAN_LIT("{plain}tan}staaf")),
			    "tan}staaf"));
	assert_true(span_is(pwhash_plaintext(SPAN_LIT("{CLEARTEXT}x")), "x"));
	assert_true(span_is(pwhash_plaintext(SPAN_LIT("tanstaaf")), ""));
	assert_true(span_is(pwhash_plaintext(SPAN_LIT("$1$abc$def")), ""));
	assert_true(span_is(pwhash_plaintext(SPAN_LIT("{SHA256}abc")), ""));
}

static void made_hashes_verify(void **state)
{
	static const struct {
		const char *scheme, *begins;
	} row[] = {
		{ "", "$y$" },
		{ "CRYPT", "{CRYPT}$y$" },
		{ "sha512-crypt", "{SHA512-CRYPT}$6$" },
		{ "SHA256-CRYPT", "{SHA256-CRYPT}$5$" },
		{ "BLF-CRYPT", "{BLF-CRYPT}$2y$11$" },
		{ "PLAIN", "{PLAIN}correct horse" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct buf a = BUF_INIT(1024), b = BUF_INIT(1024);

		assert_true(pwhash_make(row[i].scheme, span_of(PW), &a));
		assert_true(pwhash_make(row[i].scheme, span_of(PW), &b));
		assert_true(span_starts_nocase(buf_span(&a),
					       span_of(row[i].begins)));
		if (i < 5)
			assert_false(span_eq(buf_span(&a), buf_span(&b)));
		assert_int_equal(pwhash_verify(buf_span(&a), span_of(PW)),
				 PWHASH_OK);
		assert_int_equal(pwhash_verify(buf_span(&a), span_of("x")),
				 PWHASH_WRONG);
		buf_wipe(&a);
		buf_wipe(&b);
	}
}

static void what_would_not_verify_is_not_made(void **state)
{
	static const struct {
		const char *scheme;
		size_t n;
		bool ok;
	} row[] = {
		{ "", 0, false },           { "", 511, true },
		{ "", 512, false },         { "BLF-CRYPT", 72, true },
		{ "BLF-CRYPT", 73, false }, { "PLAIN", 1024, true },
		{ "PLAIN", 1025, false },   { "MD5-CRYPT", 5, false },
		{ "NONSENSE", 5, false },
	};
	char p[1025];

	(void)state;
	memset(p, 'x', sizeof(p));
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct buf out = BUF_INIT(2048);

		assert_int_equal(pwhash_make(row[i].scheme,
					     span_make(p, row[i].n), &out),
				 row[i].ok);
		buf_wipe(&out);
	}
}

static double cpu_seconds(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double dummy_seconds(const char *like)
{
	double t = cpu_seconds();

	for (int i = 0; i < 4; i++)
		pwhash_dummy(span_of(like), span_of(PW));
	return cpu_seconds() - t;
}

static void the_dummy_costs_what_a_verification_costs(void **state)
{
	double real = 0, t = cpu_seconds();
	const char *yescrypt = good[17];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(verify(yescrypt, "wrong"), PWHASH_WRONG);
	real = cpu_seconds() - t;
	assert_true(dummy_seconds("") > real / 3);
	assert_true(dummy_seconds("{NONSENSE}x") > real / 3);
	assert_true(dummy_seconds("{PLAIN}x") < real / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_is_ok),
		cmocka_unit_test(another_password_is_wrong),
		cmocka_unit_test(
			what_cannot_be_verified_is_unknown_and_not_wrong),
		cmocka_unit_test(what_costs_too_much_is_not_computed),
		cmocka_unit_test(a_cost_that_cannot_be_read_is_unknown),
		cmocka_unit_test(oversized_hashes_are_unknown),
		cmocka_unit_test(octets_behind_a_nul_do_not_count),
		cmocka_unit_test(bcrypt_does_not_match_by_the_first_72_octets),
		cmocka_unit_test(overlong_passwords_are_wrong),
		cmocka_unit_test(a_long_plain_password_is_compared_whole),
		cmocka_unit_test(only_plain_schemes_give_the_password_itself),
		cmocka_unit_test(made_hashes_verify),
		cmocka_unit_test(what_would_not_verify_is_not_made),
		cmocka_unit_test(the_dummy_costs_what_a_verification_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
