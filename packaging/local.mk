# The sandbox runs from the tree and from $(pkgdatadir) alike.
dist_pkgdata_SCRIPTS = packaging/sandbox packaging/install-packages
dist_pkgdata_DATA = packaging/packages
sandboxddir = $(pkgdatadir)/sandbox.d
dist_sandboxd_DATA = \
	packaging/sandbox.d/common.sh \
	packaging/sandbox.d/db.sh \
	packaging/sandbox.d/postfix.sh \
	packaging/sandbox.d/programs.sh

# For a site with Sendmail; the tests include mailrow.mc as it stands.
sendmaildir = $(pkgdatadir)/sendmail
dist_sendmail_DATA = packaging/sendmail/README.md packaging/sendmail/Sendmail.conf \
	packaging/sendmail/mailrow-auth.mc packaging/sendmail/mailrow.mc

# What a service manager and others take from us. Where the directories are not
# those of the system (a build below /usr/local), link or copy from them.
SERVICES = \
	packaging/systemd/mailrow-authd.service \
	packaging/systemd/mailrow-lmtpd.service \
	packaging/systemd/mailrow-metrics-file.service \
	packaging/systemd/mailrow-metrics@.service \
	packaging/systemd/mailrow-milter.service \
	packaging/systemd/mailrow-pop3d.service \
	packaging/systemd/mailrow-purge.service
UNITS_AS_THEY_ARE = \
	packaging/systemd/mailrow-metrics-file.timer \
	packaging/systemd/mailrow-metrics.socket \
	packaging/systemd/mailrow-pop3d.socket \
	packaging/systemd/mailrow-pop3s.socket \
	packaging/systemd/mailrow-purge.timer
systemdsystemunit_DATA = $(SERVICES) $(UNITS_AS_THEY_ARE)
dist_sysusers_DATA = packaging/sysusers.d/mailrow.conf
tmpfiles_DATA = packaging/tmpfiles.d/mailrow.conf
completionsdir = $(datadir)/bash-completion/completions
dist_completions_DATA = packaging/completion/mailrow
fail2banfilterdir = $(sysconfdir)/fail2ban/filter.d
fail2banjaildir = $(sysconfdir)/fail2ban/jail.d
dist_fail2banfilter_DATA = packaging/fail2ban/filter.d/mailrow.conf
dist_fail2banjail_DATA = packaging/fail2ban/jail.d/mailrow.conf
postfixdir = $(pkgdatadir)/postfix
dist_postfix_SCRIPTS = \
	packaging/postfix/back.sh \
	packaging/postfix/beside-dovecot.sh \
	packaging/postfix/content-filter.sh \
	packaging/postfix/postconf.sh
dist_postfix_DATA = \
	packaging/postfix/mailrow-domains.cf \
	packaging/postfix/mailrow-transport.cf
EXTRA_DIST += $(SERVICES:=.in) $(UNITS_AS_THEY_ARE) \
	packaging/tmpfiles.d/mailrow.conf.in
CLEANFILES += $(SERVICES) packaging/tmpfiles.d/mailrow.conf

SUBSTITUTE = $(AM_V_GEN)$(MKDIR_P) $(@D) && \
	sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' \
		-e 's|@spooldir[@]|$(localstatedir)/lib/mailrow/spool|g'

packaging/systemd/mailrow-authd.service: packaging/systemd/mailrow-authd.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
packaging/systemd/mailrow-lmtpd.service: packaging/systemd/mailrow-lmtpd.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
packaging/systemd/mailrow-metrics-file.service: packaging/systemd/mailrow-metrics-file.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
packaging/systemd/mailrow-metrics@.service: packaging/systemd/mailrow-metrics@.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
packaging/systemd/mailrow-milter.service: packaging/systemd/mailrow-milter.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
packaging/systemd/mailrow-pop3d.service: packaging/systemd/mailrow-pop3d.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
packaging/systemd/mailrow-purge.service: packaging/systemd/mailrow-purge.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
packaging/tmpfiles.d/mailrow.conf: packaging/tmpfiles.d/mailrow.conf.in Makefile
	$(SUBSTITUTE) $(srcdir)/$@.in >$@
