/* tests/unit/test_popxclient.c: whose connection it is, behind a proxy. */
#include "tests/unit/poptest.h"

#include "pop3d/popxclient.h"

static int set_up(void **state)
{
	(void)state;
	poprig_init(&rig);
	poprig_add(&rig, 11, SPAN_LIT("A: b\r\n\r\nhello\r\n"));
	rig.pop.rules.xclient = true;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	poprig_release(&rig);
	return 0;
}

static void assert_peer(const char *address, unsigned port, const char *note)
{
	char text[IPADDR_TEXT_MAX];

	assert_int_equal(rig.peers, 1);
	assert_string_equal(ipaddr_text(&rig.last_peer.remote, text), address);
	assert_int_equal(rig.last_peer.remote_port, port);
	assert_text(rig.last_peer.note, span_of(note));
}

static void the_greeting_offers_it_to_proxies_only(void **state)
{
	(void)state;
	popstate_greet(&rig.pop);
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said),
		    SPAN_LIT("+OK [XCLIENT] Mailrow POP3 ready\r\n"));
	rig.pop.rules.xclient = false;
	buf_reset(&rig.said);
	popstate_greet(&rig.pop);
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said),
		    SPAN_LIT("+OK Mailrow POP3 ready\r\n"));
	expect_reply("XCLIENT ADDR=192.0.2.7", R_POP_UNKNOWN);
	assert_int_equal(rig.peers, 0);
}

static void what_dovecot_says_is_passed_on(void **state)
{
	(void)state;
	expect("XCLIENT ADDR=192.0.2.7 PORT=40000 SESSION=aB+/1 TTL=4 "
	       "FORWARD=a=b LOGIN=eve",
	       "+OK\r\n");
	assert_peer("192.0.2.7", 40000, "aB+/1");
	poprig_login(&rig);
}

static void an_ipv6_address_too_in_any_case(void **state)
{
	(void)state;
	expect("xclient  addr=2001:db8::7 ", "+OK\r\n");
	assert_peer("2001:db8::7", 0, "");
}

static void without_an_address_nothing_changes(void **state)
{
	(void)state;
	expect("XCLIENT TTL=4", "+OK\r\n");
	assert_int_equal(rig.peers, 0);
	expect_reply("XCLIENT", R_POP_ARGS);
}

static void nonsense_is_told(void **state)
{
	static const char *const bad[] = {
		"XCLIENT ADDR=example.org",
		"XCLIENT ADDR=",
		"XCLIENT ADDR=192.0.2.7 PORT=65536",
		"XCLIENT ADDR=192.0.2.7 PORT=x",
		"XCLIENT ADDR",
		"XCLIENT ADDR=192.0.2.7 SESSION=\x01",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_reply(bad[i], R_POP_SYNTAX);
	assert_int_equal(rig.peers, 0);
}

static void it_comes_once_and_before_a_login(void **state)
{
	(void)state;
	expect("XCLIENT ADDR=192.0.2.7", "+OK\r\n");
	expect_reply("XCLIENT ADDR=192.0.2.8", R_POP_STATE);
	assert_peer("192.0.2.7", 0, "");
	tear_down(state);
	set_up(state);
	expect("USER bob@example.org", "+OK\r\n");
	expect_reply("PASS wrong", R_POP_AUTH);
	expect_reply("XCLIENT ADDR=192.0.2.8", R_POP_STATE);
}

static void a_user_named_before_it_is_forgotten(void **state)
{
	(void)state;
	expect("USER bob@example.org", "+OK\r\n");
	expect("XCLIENT ADDR=192.0.2.7", "+OK\r\n");
	expect_reply("PASS secret", R_POP_NOUSER);
}

static void beyond_a_limit_of_the_real_address_it_ends(void **state)
{
	(void)state;
	rig.crowded = true;
	expect_reply("XCLIENT ADDR=192.0.2.7", R_POP_BUSY);
	expect_end(CHAN_END_CROWDED);
}

static void proxied(void)
{
	struct proxyproto p;

	assert_int_equal(
		proxyproto_parse(SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 "
					  "40000 110\r\n"),
				 &p),
		PROXYPROTO_DONE);
	popxclient_proxied(&rig.pop, &p);
	poprig_pump(&rig);
}

static void a_proxied_client_is_greeted_when_the_keeper_knows_him(void **state)
{
	char text[IPADDR_TEXT_MAX];

	(void)state;
	rig.stalled = true;
	rig.pop.rules.xclient = false;
	proxied();
	assert_int_equal(rig.said.n, 0);
	assert_false(popstate_wants_line(&rig.pop));
	rig.stalled = false;
	poprig_pump(&rig);
	assert_text(buf_span(&rig.said),
		    SPAN_LIT("+OK Mailrow POP3 ready\r\n"));
	assert_peer("192.0.2.7", 40000, "");
	assert_string_equal(ipaddr_text(&rig.last_peer.local, text),
			    "198.51.100.1");
	poprig_login(&rig);
}

static void beyond_a_limit_a_proxied_client_is_not_greeted(void **state)
{
	struct buf b = BUF_INIT(512);

	(void)state;
	rig.crowded = true;
	proxied();
	reply_put_pop3(&b, R_POP_BUSY);
	assert_text(buf_span(&rig.said), buf_span(&b));
	expect_end(CHAN_END_CROWDED);
	buf_release(&b);
}

static void without_a_keeper_a_proxied_client_gets_one_line(void **state)
{
	struct buf b = BUF_INIT(512);

	(void)state;
	rig.stalled = true;
	proxied();
	popstate_lost(&rig.pop);
	poprig_pump(&rig);
	reply_put_pop3(&b, R_POP_TEMP);
	assert_text(buf_span(&rig.said), buf_span(&b));
	expect_end(CHAN_END_TROUBLE);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_greeting_offers_it_to_proxies_only),
		TEST(what_dovecot_says_is_passed_on),
		TEST(an_ipv6_address_too_in_any_case),
		TEST(without_an_address_nothing_changes),
		TEST(nonsense_is_told),
		TEST(it_comes_once_and_before_a_login),
		TEST(a_user_named_before_it_is_forgotten),
		TEST(beyond_a_limit_of_the_real_address_it_ends),
		TEST(a_proxied_client_is_greeted_when_the_keeper_knows_him),
		TEST(beyond_a_limit_a_proxied_client_is_not_greeted),
		TEST(without_a_keeper_a_proxied_client_gets_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
