/* discard-milter: the emptiest milter that ends a message as our product would:
 * SMFIS_DISCARD at end of message. Usage: discard-milter SOCKETSPEC
 * [body|nobody|accept] body    receive the whole message, then discard (what a
 * storing milter must do) nobody  negotiate the body away, then discard accept
 * receive the body, then let the message through (cost of the milter alone) */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

static int nobody;
static sfsistat verdict = SMFIS_DISCARD;

static sfsistat f_neg(SMFICTX *c, unsigned long f0, unsigned long f1,
		      unsigned long f2, unsigned long f3, unsigned long *p0,
		      unsigned long *p1, unsigned long *p2, unsigned long *p3)
{
	(void)c;
	(void)f0;
	(void)f2;
	(void)f3;
	*p0 = 0;
	*p1 = f1 & (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOUNKNOWN |
		    (nobody ? SMFIP_NOBODY | SMFIP_NOHDRS | SMFIP_NOEOH : 0) |
		    SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY |
		    SMFIP_NR_MAIL | SMFIP_NR_DATA);
	*p2 = *p3 = 0;
	return SMFIS_CONTINUE;
}
static sfsistat f_from(SMFICTX *c, char **a)
{
	(void)c;
	(void)a;
	return SMFIS_NOREPLY;
}
static sfsistat f_rcpt(SMFICTX *c, char **a)
{
	(void)c;
	(void)a;
	return SMFIS_CONTINUE;
}
static sfsistat f_hdr(SMFICTX *c, char *n, char *v)
{
	(void)c;
	(void)n;
	(void)v;
	return SMFIS_NOREPLY;
}
static sfsistat f_eoh(SMFICTX *c)
{
	(void)c;
	return SMFIS_NOREPLY;
}
static sfsistat f_body(SMFICTX *c, unsigned char *b, size_t n)
{
	(void)c;
	(void)b;
	(void)n;
	return SMFIS_NOREPLY;
}
static sfsistat f_eom(SMFICTX *c)
{
	(void)c;
	return verdict;
}

int main(int c, char **v)
{
	if (c < 2)
		return 2;
	nobody = c > 2 && !strcmp(v[2], "nobody");
	if (c > 2 && !strcmp(v[2], "accept"))
		verdict = SMFIS_ACCEPT;
	struct smfiDesc d = { .xxfi_name = "discard",
			      .xxfi_version = SMFI_VERSION,
			      .xxfi_flags = 0,
			      .xxfi_negotiate = f_neg,
			      .xxfi_envfrom = f_from,
			      .xxfi_envrcpt = f_rcpt,
			      .xxfi_eom = f_eom };
	if (!nobody) {
		d.xxfi_header = f_hdr;
		d.xxfi_eoh = f_eoh;
		d.xxfi_body = f_body;
	}
	if (smfi_setconn(v[1]) == MI_FAILURE || smfi_register(d) == MI_FAILURE)
		return 1;
	return smfi_main();
}
