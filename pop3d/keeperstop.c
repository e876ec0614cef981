/* pop3d/keeperstop.c: see keeperstop.h. */
#include "pop3d/keeperstop.h"

#include <errno.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "pop3d/keeperloop.h"

static void note_told(struct keeperloop *k, struct channel *c)
{
	if (!c->stop_sent)
		k->told++;
	c->stop_sent = true;
	c->stop_by = deadline_in(KEEPERSTOP_MS);
}

/* Only when nothing is in flight, so that it stands behind every answer. */
void keeperstop_tell(struct keeperloop *k, struct channel *c)
{
	struct frames f;

	if (!c->stopping || c->s.state != KS_IDLE)
		return;
	if (c->stop_sent) {
		note_told(k, c);
		return;
	}
	frames_init(&f, CHAN_FRAME_MAX);
	chan_put_stop(frames_begin(&f), c->stop);
	frames_end(&f);
	if (buf_ok(&f.b) && frames_send(&f, c->fd) != FRAMES_FULL)
		note_told(k, c);
	else if (!channel_want_out(k, c, true))
		log_warn("cannot wait for a channel: %s", strerror(errno));
	frames_release(&f);
}

/* A session reads our word before the answer to what crossed it, so behind a
 * QUIT nothing comes, and behind a READ no QUIT. */
bool keeperstop_allows(struct channel *c, enum keepersession_todo todo)
{
	bool first = c->stop_asked == 0;

	if (!c->stop_sent || (todo != KT_READ && todo != KT_MOVE))
		return true;
	if (todo == KT_READ)
		return c->stop_asked++ < KEEPERSTOP_READS;
	c->stop_asked = KEEPERSTOP_READS;
	return first;
}

static bool is_overdue(const struct channel *c, int64_t now)
{
	return c && c->stop_sent && c->stop_by <= now &&
	       (c->s.state == KS_IDLE || c->s.state == KS_GATHER);
}

void keeperstop_expire(struct keeperloop *k, int64_t now)
{
	for (uint32_t i = 0; k->told && i < k->nslot; i++) {
		struct channel *c = k->slot[i].channel;

		if (is_overdue(c, now))
			channel_close(k, c, "told to end, and did not");
	}
}
