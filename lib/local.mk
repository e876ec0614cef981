noinst_LIBRARIES += lib/libcore.a lib/libsys.a

# Pure: values in, values out. tests/lint compares what it imports with a list.
lib_libcore_a_CFLAGS = $(AM_CFLAGS) $(IDN2_CFLAGS)
lib_libcore_a_SOURCES = \
	lib/addr.c lib/addr.h \
	lib/addrlist.c lib/addrlist.h \
	lib/addrscan.c lib/addrscan.h \
	lib/apppass.c lib/apppass.h \
	lib/array.h \
	lib/authproto.c lib/authproto.h \
	lib/banned.h \
	lib/base64.c lib/base64.h \
	lib/buf.c lib/buf.h \
	lib/chan.c lib/chan.h \
	lib/conf.c lib/conf.def lib/conf.h \
	lib/confshow.c lib/conftype.c lib/conftype.h \
	lib/dot.c lib/dot.h \
	lib/esc.c lib/esc.h \
	lib/fact.h \
	lib/header.c lib/header.h \
	lib/headersplit.c lib/headersplit.h \
	lib/limit.h \
	lib/line.c lib/line.h \
	lib/maildate.c lib/maildate.h \
	lib/network.c lib/network.h \
	lib/program.c lib/program.h \
	lib/proxyproto.c lib/proxyproto.h \
	lib/receipt.c lib/receipt.h \
	lib/reply.c lib/reply.def lib/reply.h \
	lib/siphash.c lib/siphash.h \
	lib/span.c lib/span.h \
	lib/tlsname.c lib/tlsname.h \
	lib/tlsticket.c lib/tlsticket.h \
	lib/trace.c lib/trace.h \
	lib/uidl.c lib/uidl.h

lib_libsys_a_CFLAGS = $(AM_CFLAGS) $(ARGON2_CFLAGS) $(CRYPT_CFLAGS) $(SECCOMP_CFLAGS)
lib_libsys_a_SOURCES = \
	lib/clock.c lib/clock.h \
	lib/confload.c lib/confload.h \
	lib/daemon.c lib/daemon.h \
	lib/fault.c lib/fault.def lib/fault.h \
	lib/log.c lib/log.h \
	lib/metric.c lib/metric.def lib/metric.h \
	lib/net.c lib/net.h \
	lib/activation.c lib/activation.h \
	lib/notify.c lib/notify.h \
	lib/pwcost.c lib/pwcost.h \
	lib/pwcrypt.c lib/pwdigest.c lib/pwkdf.c lib/pwscheme.h \
	lib/pwhash.c lib/pwhash.h \
	lib/sandbox.c lib/sandbox.h \
	lib/secret.c lib/secret.h \
	lib/spool.c lib/spool.h \
	lib/supervise.c lib/supervise.h \
	lib/syscalls.h \
	lib/tls.c lib/tls.h \
	lib/tlscert.c lib/tlscert.h \
	lib/tlsstore.c lib/tlsstore.h
if HAVE_SECCOMP
lib_libsys_a_SOURCES += lib/syscalls.c
else
lib_libsys_a_SOURCES += lib/syscalls_none.c
endif

# The manual page and the example file come from conf.def.
noinst_PROGRAMS += lib/confdoc
lib_confdoc_SOURCES = lib/confdoc.c
lib_confdoc_LDADD = lib/libcore.a
man_MANS = lib/mailrow.conf.5
doc_DATA = lib/mailrow.conf.example
EXTRA_DIST += lib/mailrow.conf.5.in
CLEANFILES += lib/mailrow.conf.5 lib/mailrow.conf.example

lib/mailrow.conf.example: lib/confdoc$(EXEEXT)
	$(AM_V_GEN)lib/confdoc$(EXEEXT) example >$@.tmp && mv -f $@.tmp $@

lib/mailrow.conf.5: lib/mailrow.conf.5.in lib/confdoc$(EXEEXT)
	$(AM_V_GEN)lib/confdoc$(EXEEXT) mdoc >$@.options && \
	sed -e '/^@OPTIONS@$$/r $@.options' -e '/^@OPTIONS@$$/d' \
		-e 's|@confdir@|$(sysconfdir)/mailrow|' \
		-e 's|@docdir@|$(docdir)|' \
		$(srcdir)/lib/mailrow.conf.5.in >$@.tmp && \
	rm -f $@.options && mv -f $@.tmp $@
