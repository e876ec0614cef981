# The sandbox runs from the tree and from $(pkgdatadir) alike.
dist_pkgdata_SCRIPTS = packaging/sandbox packaging/install-packages
dist_pkgdata_DATA = packaging/packages
sandboxddir = $(pkgdatadir)/sandbox.d
dist_sandboxd_DATA = \
	packaging/sandbox.d/common.sh \
	packaging/sandbox.d/db.sh \
	packaging/sandbox.d/postfix.sh \
	packaging/sandbox.d/programs.sh
