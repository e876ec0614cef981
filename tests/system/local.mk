# Real Postfix and MariaDB with our daemons, in sandboxes of their own: root.
SYSTEM_TESTS = \
	tests/system/test_authguard.py \
	tests/system/test_auth.py \
	tests/system/test_bigmail.py \
	tests/system/test_check.py \
	tests/system/test_clients.py \
	tests/system/test_confined.py \
	tests/system/test_decision.py \
	tests/system/test_dialog.py \
	tests/system/test_down.py \
	tests/system/test_dropin.py \
	tests/system/test_durable.py \
	tests/system/test_exclusive.py \
	tests/system/test_explain.py \
	tests/system/test_faultpoints.py \
	tests/system/test_keeper.py \
	tests/system/test_limits.py \
	tests/system/test_lmtp.py \
	tests/system/test_lmtpfault.py \
	tests/system/test_lmtpways.py \
	tests/system/test_maildrop.py \
	tests/system/test_metrics.py \
	tests/system/test_milter.py \
	tests/system/test_packaging.py \
	tests/system/test_policydata.py \
	tests/system/test_pop3.py \
	tests/system/test_pop3edge.py \
	tests/system/test_pop3parent.py \
	tests/system/test_purge.py \
	tests/system/test_rcptpolicy.py \
	tests/system/test_recipients.py \
	tests/system/test_resolve.py \
	tests/system/test_roles.py \
	tests/system/test_status.py \
	tests/system/test_sandbox.py \
	tests/system/test_saslauthd.py \
	tests/system/test_sender.py \
	tests/system/test_sendmail.py \
	tests/system/test_secrets.py \
	tests/system/test_situations.py \
	tests/system/test_smtp.py \
	tests/system/test_store.py \
	tests/system/test_together.py \
	tests/system/test_tls.py \
	tests/system/test_tool.py \
	tests/system/test_verify.py \
	tests/system/test_walk.py

EXTRA_DIST += $(SYSTEM_TESTS) tests/system/faultpoints.py tests/system/authtalk.py \
	tests/system/mrtest.py \
	tests/system/run.py \
	tests/system/miltertalk.py tests/system/sendmail.py \
	tests/system/etpanfetch.c \
	tests/dialog/README.md tests/dialog/RULES.md \
	tests/dialog/auth-pop3.dialog \
	tests/dialog/auth-smtp.dialog \
	tests/dialog/pop3-lines.dialog \
	tests/dialog/pop3-login.dialog \
	tests/dialog/pop3-mailbox.dialog \
	tests/dialog/smtp.dialog

# SYS="test_smtp test_pop3.Apop" runs some of them.
check-sys: all tests/system/keeperrun
	MAILROW_BUILD='$(abs_top_builddir)' top_srcdir='$(abs_top_srcdir)' \
		PYTHONDONTWRITEBYTECODE=1 \
		$(PYTHON3) $(srcdir)/tests/system/run.py $(SYS)
.PHONY: check-sys

# Packages that are run from where they were unpacked.
mostlyclean-local:
	rm -rf tests/unpacked
