/*
 * Booting Linux with the Linux programs of the tree. See linux.h.
 *
 * The kernel is one that Debian built (hake/linux-fetch.sh gets it), the initramfs is the image
 * without what only Skerry runs, and process 1 is hake/linux-init, which reports as Skerry does.
 *
 * Not here: what came out differently (compare.c).
 */
#include "linux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "image.h"
#include "run.h"
#include "test.h"

#define INIT "linux-init"

/* Emulated cores take seconds each to start under Linux, and no comparison needs more. */
#define TEST_CORES 2

bool linux_can_run(const struct item *it)
{
	return it->kind == BOOT_TEST && it->program && it->program[0] == '/';
}

bool linux_find(void)
{
	const char *own = getenv("SKERRY_LINUX");
	struct strv fetch = {0};

	if (own && *own) {
		if (!file_exists(own))
			die("$SKERRY_LINUX: there is no file %s", own);
		return true;
	}
	strv_split(&fetch, "sh hake/linux-fetch.sh");
	return run_program(&fetch) == 0;
}

const char *linux_kernel(void)
{
	const char *own = getenv("SKERRY_LINUX");

	if (!linux_find())
		die("there is no Linux to run");
	return own && *own ? own : strf("%s/linux/vmlinuz", build_dir());
}

const char *linux_version(void)
{
	const char *own = getenv("SKERRY_LINUX");
	struct buf version = {0};

	if (own && *own)
		return own;
	if (file_read(strf("%s/linux/version", build_dir()), &version))
		return "of an unknown version";
	return strf("%.*s", (int)strcspn(version.v, "\n"), version.v);
}

void linux_targets(const struct project *p, struct strv *targets)
{
	strv_add(targets, build_target(p, INIT));
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->kind == LINUX_PROGRAM)
			strv_add(targets, item_output(p->v[i]));
	}
}

/*
 * Only a panic speaks on the console beside the program, and it ends QEMU at once. What follows
 * "--" goes to process 1 (Linux, admin-guide/kernel-parameters.rst).
 */
static char *linux_append(const struct boot *b)
{
	return strf(LINUX_APPEND " %s%s%s", b->append ? b->append : "", b->program ? " -- " : "",
		    b->program ? b->program : "");
}

struct strv linux_command(const struct project *p, const struct boot *b)
{
	struct topology *t = boot_machine(b);
	const char *init = item_output(project_find(p, HOST_PROGRAM, INIT));
	struct vm vm = {
		.topology = t,
		.accel = qemu_choose_accel(b->accel, t->ncores, b->tell),
		.firmware = b->firmware ? b->firmware : "qboot",
		.kernel = linux_kernel(),
		.append = linux_append(b),
		.gdb = b->gdb,
		.timing = b->timing.machine ? &b->timing : NULL,
		.extra = b->qemu_args,
	};

	if (starts_with(vm.firmware, "iso-"))
		die("--firmware: Linux is started by qboot or seabios, not from an ISO");
	if (b->image)
		vm.image = b->image;
	else if (b->only)
		vm.image = image_write_linux_program(p, init, b->only);
	else
		vm.image = image_write_linux(p, init);
	return qemu_command(&vm);
}

/* Runs @b, whose program goes to an end. Returns the guest's status; says what went wrong. */
static int run_linux(const struct project *p, const struct boot *b, struct guest *g)
{
	const char *trouble;
	int status;

	g->argv = linux_command(p, b);
	if (g->verbose)
		warn("%s", strv_join(&g->argv, " "));
	status = guest_run(g);
	trouble = guest_trouble(g);
	if (trouble)
		warn("%s", trouble);
	return status;
}

static void help(void)
{
	puts("usage: hake/linux --fetch\n"
	     "       hake/linux --run [OPTIONS] [-- PROGRAM [ARGUMENTS]]\n\n"
	     "Linux in the same QEMU and with the same programs as Skerry, to compare with.\n\n"
	     "--fetch gets the newest kernel of Linux 7 that Debian has in trixie-backports, and\n"
	     "keeps it in build/linux/; nothing is installed. --run does so by itself if there\n"
	     "is none. $SKERRY_LINUX names another kernel file.\n\n"
	     "--run boots it on this terminal (Ctrl-A x ends it) and runs a Linux program of the\n"
	     "image as process 1. Without one it ends as soon as all cores are up, and says how\n"
	     "long that took. The exit status is the program's; 124: --timeout was over, 125: it\n"
	     "ended without one.\n\n"
	     "  --topology T     preset, synthetic description, hwloc XML file or \"this\" "
	     "(laptop)\n"
	     "  --cores N        only the first N cores\n"
	     "  --mem SIZE       memory in all, such as 2G\n"
	     "  --kvm, --tcg     this way only; otherwise KVM if it works, else TCG\n"
	     "  --icount         TCG, one instruction a nanosecond: the same every time\n"
	     "  --timing M       TCG, the timing model of machine M (hake/timing/README.md)\n"
	     "  --profile FILE   with --timing: where the cycles go, for \"hake profile FILE\"\n"
	     "  --seed N         of the model's jitter and the guest's random numbers\n"
	     "  --gdb            wait for a debugger\n"
	     "  --append WORDS   more words for the kernel's command line\n"
	     "  --image FILE     this initramfs instead of the one that is built\n"
	     "  --firmware F     qboot (fast), seabios\n"
	     "  --timeout S      give up after S seconds\n"
	     "  --qemu-arg ARG   one more argument for QEMU; can be repeated\n"
	     "  --verbose        show the lines for programs (\"@...\"), and QEMU's command");
}

int linux_main(int argc, char **argv)
{
	struct boot b = {.on_linux = true, .tell = true};
	struct guest g = {.terminal = true, .log = -1};
	struct project p = {0};
	struct strv targets = {0};
	int status;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		help();
		return argc < 2 ? EXIT_USAGE : 0;
	}
	if (strcmp(argv[1], "--run") != 0)
		die("expected --fetch or --run, not %s (hake/linux --help)", argv[1]);
	argv[1] = argv[0]; /* messages name the command */
	run_options(&b, &g, argc - 1, argv + 1, help);
	build_configure(&p);
	boot_check(&p, &b);
	linux_targets(&p, &targets);
	timing_targets(&p, &b.timing, &targets);
	ninja_run(&targets);
	status = run_linux(&p, &b, &g);
	for (size_t i = 0; i < g.lines.n; i++) {
		if (line_is(g.lines.v[i], "up"))
			warn("Linux %s was up on %s cores %.1f s after QEMU was started",
			     linux_version(), line_value(g.lines.v[i], "cores"),
			     (double)g.up_ms / 1000);
	}
	return status;
}

/* Fewer cores than Skerry has, but as much memory. */
static void limit_cores(struct boot *b)
{
	const struct topology *t = boot_machine(b);

	b->cores = MIN(t->ncores, (u32)TEST_CORES);
	b->mem = strf("%luM", topology_memory(t) / MiB);
}

int linux_test_main(int argc, char **argv)
{
	struct guest g = {.log = STDOUT_FILENO};
	struct project p = {0};
	struct boot b = {.on_linux = true};
	const struct item *it;
	int code;

	if (argc != 2)
		die("usage: hake linux-test NAME");
	project_load(&p);
	it = boot_test_find(&p, argv[1]);
	if (!linux_can_run(it))
		die("%s: boot test \"%s\" runs no Linux program", it->where, it->name);
	boot_of_item(&b, it);
	b.firmware = b.append = NULL; /* Skerry's */
	limit_cores(&b);
	boot_check(&p, &b);
	g.timeout_s = (u32)it->timeout + LINUX_START;
	g.when = it->when;
	g.send = it->send;
	code = run_linux(&p, &b, &g);
	if (guest_trouble(&g))
		return 1;
	printf("\nhake: Linux %s, exit code %d\n", linux_version(), code);
	return 0;
}
