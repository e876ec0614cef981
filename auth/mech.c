#include "auth/mech.h"

#include "lib/base64.h"

#define ASK_USERNAME "VXNlcm5hbWU6" /* Username: */
#define ASK_PASSWORD "UGFzc3dvcmQ6" /* Password: */

/* It has its whole size at once: a put moves nothing. */
static void secret_clear(struct mech *m)
{
	explicit_bzero(m->room, sizeof(m->room));
	m->secret = (struct buf){ .p = m->room,
				  .size = sizeof(m->room),
				  .max = AUTHPROTO_SECRET_MAX };
}

void mech_init(struct mech *m, enum auth_mech name)
{
	m->name = name;
	m->asked = false;
	buf_init(&m->user, AUTHPROTO_NAME_MAX);
	secret_clear(m);
	buf_init(&m->challenge, MECH_CHALLENGE_MAX);
}

void mech_forget_secret(struct mech *m)
{
	secret_clear(m);
	buf_wipe(&m->challenge);
}

void mech_release(struct mech *m)
{
	buf_wipe(&m->user);
	mech_forget_secret(m);
}

static bool is_text(struct span s, size_t max)
{
	return s.n > 0 && s.n <= max && span_find(s, '\0') == s.n;
}

/* The values fit: a put can fail for lack of memory only. */
static enum mech_step mech_take(struct mech *m, struct span user,
				struct span secret)
{
	buf_put_span(&m->user, user);
	buf_put_span(&m->secret, secret);
	return buf_ok(&m->user) && buf_ok(&m->secret) ? MECH_DONE : MECH_MEMORY;
}

static enum mech_step plain_step(struct mech *m, struct span message)
{
	struct span user, password;

	if (!auth_plain_split(message, &user, &password))
		return MECH_BAD;
	return mech_take(m, user, password);
}

static enum mech_step login_step(struct mech *m, struct span message,
				 struct span *challenge_r)
{
	if (m->user.n > 0)
		return is_text(message, AUTHPROTO_SECRET_MAX)
			       ? mech_take(m, SPAN_EMPTY, message)
			       : MECH_BAD;
	if (!is_text(message, AUTHPROTO_NAME_MAX))
		return MECH_BAD;
	buf_put_span(&m->user, message);
	if (!buf_ok(&m->user))
		return MECH_MEMORY;
	*challenge_r = SPAN_LIT(ASK_PASSWORD);
	return MECH_ASK;
}

/* timestamp NUL name NUL digest; the digest may hold NULs itself. */
static enum mech_step digest_step(struct mech *m, struct span message)
{
	struct span challenge, user, digest, rest;

	if (!span_cut(message, '\0', &challenge, &rest) ||
	    !span_cut(rest, '\0', &user, &digest) ||
	    !is_text(challenge, MECH_CHALLENGE_MAX) ||
	    !is_text(user, AUTHPROTO_NAME_MAX) || digest.n != MECH_DIGEST_SIZE)
		return MECH_BAD;
	buf_put_span(&m->challenge, challenge);
	if (!buf_ok(&m->challenge))
		return MECH_MEMORY;
	return mech_take(m, user, digest);
}

static enum mech_step mech_step(struct mech *m, struct span message,
				struct span *challenge_r)
{
	switch (m->name) {
	case MECH_PLAIN:
		return plain_step(m, message);
	case MECH_LOGIN:
		return login_step(m, message, challenge_r);
	case MECH_APOP:
	case MECH_CRAM_MD5:
		return digest_step(m, message);
	case MECH_STATE:
		return is_text(message, AUTHPROTO_NAME_MAX)
			       ? mech_take(m, message, SPAN_EMPTY)
			       : MECH_BAD;
	case MECH_NONE:
	case MECH_COUNT:
		break;
	}
	return MECH_BAD;
}

/* Without an initial response the client is asked once for its first
 * message: by an empty challenge, or in LOGIN for the name. */
static enum mech_step mech_ask_first(struct mech *m, struct span *challenge_r)
{
	if (m->asked || (m->name != MECH_PLAIN && m->name != MECH_LOGIN))
		return MECH_BAD;
	m->asked = true;
	*challenge_r =
		m->name == MECH_LOGIN ? SPAN_LIT(ASK_USERNAME) : SPAN_EMPTY;
	return MECH_ASK;
}

enum mech_step mech_feed(struct mech *m, bool has_resp, struct span resp,
			 struct span *challenge_r)
{
	struct buf message = BUF_INIT(AUTHPROTO_LINE_MAX);
	enum mech_step step = MECH_BAD;

	*challenge_r = SPAN_EMPTY;
	if (!has_resp)
		return mech_ask_first(m, challenge_r);
	if (base64_decode(resp, &message))
		step = mech_step(m, buf_span(&message), challenge_r);
	else if (!buf_ok(&message))
		step = MECH_MEMORY;
	buf_wipe(&message);
	return step;
}

enum mech_step mech_set(struct mech *m, struct span user, struct span password)
{
	if (!is_text(user, AUTHPROTO_NAME_MAX) ||
	    !is_text(password, AUTHPROTO_SECRET_MAX))
		return MECH_BAD;
	return mech_take(m, user, password);
}
