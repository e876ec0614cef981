/* tests/fuzz/fuzz_chan.c: both ends of the channel. A frame that is taken
 * encodes to the very same octets again, so there is one spelling of each. */
#include "tests/fuzz/fuzz.h"

#include "lib/chan.h"

static void put_move(struct buf *b, const struct chan_move *m)
{
	static uint64_t uid[CHAN_UIDS_MAX];

	MUST(m->n <= CHAN_UIDS_MAX);
	for (size_t i = 0; i < m->n; i++)
		uid[i] = chan_move_uid(m, i);
	chan_put_move(b, m->last, uid, m->n);
}

static void put_request(struct buf *b, const struct chan_request *r)
{
	switch (r->type) {
	case CHAN_AUTH:
		chan_put_auth(b, &r->u.auth);
		break;
	case CHAN_READ:
		chan_put_read(b, &r->u.read);
		break;
	case CHAN_MOVE:
		put_move(b, &r->u.move);
		break;
	case CHAN_BYE:
		MUST(chan_end_text(r->u.bye.end)[0] != '\0');
		chan_put_bye(b, &r->u.bye);
		break;
	case CHAN_PEER:
		chan_put_peer(b, &r->u.peer);
		break;
	case CHAN_TLS:
		chan_put_tls(b, &r->u.tls);
		break;
	}
}

static void put_list(struct buf *b, struct chan_reply *r)
{
	struct chan_list_entry e;
	struct chan_list l;

	chan_list_begin(&l, b);
	for (uint64_t i = 0; i < r->count; i++) {
		MUST(chan_list_next(r, &e));
		MUST(chan_list_add(&l, &e));
	}
	MUST(r->data.n == 0 && !chan_list_next(r, &e));
	chan_list_end(&l);
}

static void put_reply(struct buf *b, struct chan_reply *r)
{
	switch (r->type) {
	case CHAN_DENIED:
		chan_put_denied(b, r->denial);
		break;
	case CHAN_GRANTED:
		chan_put_granted(b, &r->grant);
		break;
	case CHAN_TEMP:
	case CHAN_LIST_END:
	case CHAN_READ_END:
	case CHAN_CROWDED:
	case CHAN_PEER_TAKEN:
		chan_put_simple(b, r->type);
		break;
	case CHAN_LIST:
		put_list(b, r);
		break;
	case CHAN_MAIL:
		chan_put_mail(b, r->uid, r->octets);
		break;
	case CHAN_DATA:
		chan_put_data(b, r->data);
		break;
	case CHAN_GONE:
		chan_put_gone(b, r->uid);
		break;
	case CHAN_DAMAGED:
		chan_put_damaged(b, r->uid);
		break;
	case CHAN_MOVED:
		chan_put_moved(b, r->count);
		break;
	case CHAN_STOP:
		chan_put_stop(b, r->end);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span frame = fuzz_input(data, size);
	struct buf b = BUF_INIT(CHAN_FRAME_MAX);
	struct chan_request request;
	struct chan_reply reply;
	bool is_request = chan_parse_request(frame, &request);
	bool is_reply = chan_parse_reply(frame, &reply);

	MUST(!is_request || !is_reply);
	if (is_request)
		put_request(&b, &request);
	if (is_reply)
		put_reply(&b, &reply);
	if (is_request || is_reply) {
		MUST(buf_ok(&b));
		MUST(span_eq(buf_span(&b), frame));
	}
	buf_release(&b);
	return 0;
}
