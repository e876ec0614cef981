/* auth/doors.c: see doors.h. */
#include "auth/doors.h"

#include "lib/esc.h"
#include "lib/log.h"

static const char *judge_networks(const char *list, const char *login,
				  const struct attempt *a)
{
	struct span bad = SPAN_EMPTY;
	struct esc_text user, word;
	bool in;

	if (!list[0])
		return NULL;
	in = a->has_rip && network_list_has(span_of(list), &a->rip, &bad);
	if (bad.n)
		log_warn("auth: user=<%s>: '%s' in its networks is none",
			 esc_text(&user, span_of(login)), esc_text(&word, bad));
	return in ? NULL : "network";
}

static enum login_door door_of(const struct login_state *s, enum door door)
{
	return door == DOOR_SMTP   ? s->smtp
	       : door == DOOR_POP3 ? s->pop3
				   : LOGIN_CLOSED;
}

const char *doors_closed(const struct login_state *s, enum door door)
{
	if (!s->active)
		return "account-disabled";
	if (s->expired)
		return "account-expired";
	return door_of(s, door) == LOGIN_CLOSED ? "door-closed" : NULL;
}

const char *doors_judge(const struct login_row *row, const struct attempt *a)
{
	const char *closed = doors_closed(&row->state, a->door);

	if (closed)
		return closed;
	if (door_of(&row->state, a->door) == LOGIN_TLS_ONLY && !a->secured)
		return "tls-required";
	return judge_networks(row->networks, row->login.text, a);
}

const char *doors_judge_app(const struct apppass *app, const struct attempt *a)
{
	bool open = a->door == DOOR_SMTP   ? app->smtp
		    : a->door == DOOR_POP3 ? app->pop3
					   : false;

	if (app->expired)
		return "app-password-expired";
	if (!open)
		return "door-closed";
	return judge_networks(app->networks, app->login, a);
}
