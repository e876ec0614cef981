#include "lib/confload.h"
#include "lib/daemon.h"
#include "lib/fault.h"
#include "lib/log.h"
#include "lib/metric.h"
#include "lib/tls.h"
#include "pop3d/parent.h"

int main(int argc, char **argv)
{
	struct cli cli = { .check = tls_check };
	struct conf *conf =
		cli_daemon(PROG_POP3D, "serve stored mail to POP3 clients",
			   argc, argv, &cli);

	log_open(conf, program_name(PROG_POP3D));
	metric_open(conf->counter_dir, program_name(PROG_POP3D),
		    parent_exec_is_again());
	daemon_prepare();
	fault_i_am(FAULT_BY_PARENT);
	return parent_run(conf, cli.conf_file, argv);
}
