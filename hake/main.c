/*
 * hake: builds Skerry, knows the machines it runs on, boots it and tests it.
 *
 * People call it through the scripts hake/build, hake/run, hake/test, hake/bench and hake/iso,
 * which see to it that what it needs is installed and that it is compiled itself.
 */
#include "build.h"
#include "iso.h"
#include "linux.h"
#include "profile/profile.h"
#include "run.h"
#include "scale/scale.h"
#include "symbols.h"
#include "test.h"
#include "topology.h"

#include <stdio.h>
#include <string.h>

static const struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *about;
} commands[] = {
	{"build", build_main, "build everything, or the files that are named"},
	{"run", run_main, "boot on this terminal"},
	{"test", test_main, "run tests"},
	{"bench", bench_main, "measure"},
	{"iso", iso_main, "make a bootable ISO"},
	{"topology", topology_main, "show a machine, and what QEMU is told of it"},
	{"linux", linux_main, "boot Linux with the same programs"},
	{"linux-test", linux_test_main, "run one boot test on Linux (called by hake test)"},
	{"boot-test", boot_test_main, "run one boot test (called by hake test)"},
	{"bench-job", scale_job_main, "one boot of the main job (called by hake bench)"},
	{"profile", profile_main, "name what is in a profile (hake run --profile)"},
	{"symbols", symbols_main, "the symbol table of a kernel (called by ninja)"},
};

static int usage(FILE *to)
{
	fprintf(to, "usage: hake COMMAND [OPTIONS]; each has --help\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about);
	return to == stdout ? 0 : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct strv known = {0};

	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].main(argc - 1, argv + 1);
		strv_add(&known, commands[i].name);
	}
	die("there is no command \"%s\"%s (hake --help lists them)", argv[1],
	    suggest(argv[1], &known));
}
