/*
 * "hake run": boots Skerry on this terminal. See run.h.
 */
#include "run.h"

#include <skerry/handoff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "build.h"
#include "image.h"
#include "iso.h"
#include "options.h"
#include "root.h"

/* What the guest cannot know of the terminal that its console is. */
static void add_terminal(struct strv *words)
{
	const char *term = getenv("TERM");
	struct winsize size;

	if (!isatty(STDIN_FILENO))
		return;
	if (term && *term && !strpbrk(term, " \""))
		strv_addf(words, "console_term=%s", term);
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		strv_addf(words, "console_size=%ux%u", size.ws_row, size.ws_col);
}

char *boot_append(const struct boot *b)
{
	struct strv words = {0};
	char *line;

	/* Whoever says what a panic shall do is heard. */
	if (b->panic_exits && !(b->append && strstr(b->append, "panic=")))
		strv_add(&words, "panic=exit");
	if (b->is_world) {
		strv_add(&words, "first_core=75"); /* all its programs run on core 0 */
		strv_addf(&words, "exit_key=%s", b->key);
		add_terminal(&words);
	}
	if (b->native)
		strv_add(&words, "native=1");
	if (b->append && *b->append)
		strv_add(&words, b->append);
	if (b->program)
		strv_addf(&words, "-- %s", b->program);
	line = strv_join(&words, " ");
	if (strlen(line) >= CMDLINE_MAX)
		die("the kernel's command line has %zu characters; %u are the most", strlen(line),
		    CMDLINE_MAX - 1);
	return line;
}

char *boot_loader(const struct project *p)
{
	struct strv names = project_names(p, LOADER);

	if (!names.n)
		die("no Hakefile defines a loader, so there is nothing to boot");
	return item_output(
		project_find(p, LOADER, strv_has(&names, "skerry") ? "skerry" : names.v[0]));
}

void boot_check(const struct project *p, const struct boot *b)
{
	struct strv program = {0};

	topology_load(b->topology ? b->topology : "laptop", b->cores);
	if (b->image && !file_exists(b->image))
		die("--image: there is no file %s", b->image);
	if (b->root) {
		if (b->image)
			die("--root and --image: one of them, please");
		root_check(b->root);
		return;
	}
	if (b->command.n && !b->image)
		image_check_program(p, b->command.v[0], false);
	if (!b->program || b->image)
		return;
	strv_split(&program, b->program);
	image_check_program(p, program.n ? program.v[0] : "", b->on_linux);
}

/* A Linux world needs room for its files, and for programs to work. */
#define WORLD_BYTES (1 * GiB)

static u64 memory_for(const struct boot *b)
{
	return ROUND_UP(WORLD_BYTES + (b->root ? root_memory(b->root) : 0), 64 * MiB);
}

struct topology *boot_machine(const struct boot *b)
{
	struct topology *t = topology_load(b->topology ? b->topology : "laptop", b->cores);

	if (b->mem) {
		if (!parse_size(b->mem))
			die("--mem: expected a size such as 512M or 2G, not \"%s\"", b->mem);
		topology_set_memory(t, parse_size(b->mem));
	} else if (b->is_world && topology_memory(t) < memory_for(b)) {
		topology_set_memory(t, memory_for(b));
	}
	return t;
}

struct strv boot_command(const struct project *p, const struct boot *b)
{
	struct topology *t = boot_machine(b);
	struct vm vm = {
		.topology = t,
		.firmware = b->firmware ? b->firmware : "qboot",
		.append = boot_append(b),
		.kernel = boot_loader(p),
		.gdb = b->gdb,
		.timing = b->timing.machine ? &b->timing : NULL,
		.extra = b->qemu_args,
	};

	vm.accel = qemu_choose_accel(b->accel, t->ncores, b->tell);
	if (b->image)
		vm.image = b->image;
	else if (b->root || b->command.n)
		vm.image = image_write_run(p, t, b->root, &b->command);
	else
		vm.image = image_write(p, t);
	if (starts_with(vm.firmware, "iso-")) {
		vm.iso = strf("%s/iso/%s-%08x.iso", build_dir(), topology_file_name(t),
			      text_hash(vm.append));
		iso_write(vm.iso, vm.kernel, vm.image, vm.append);
	}
	return qemu_command(&vm);
}

void boot_of_item(struct boot *b, const struct item *it)
{
	b->panic_exits = true;
	b->topology = it->topology;
	b->mem = it->mem;
	b->accel = it->icount ? ACCEL_ICOUNT : ACCEL_AUTO;
	b->firmware = it->firmware;
	b->append = it->append;
	b->program = it->program;
	b->qemu_args = it->qemu_args;
}

static void help(void)
{
	puts("usage: hake/run [OPTIONS] [-- PROGRAM [ARGUMENTS]]\n\n"
	     "Boots Skerry in QEMU with this terminal as its console; Ctrl-A x ends it. PROGRAM\n"
	     "with \"/\" before it is a Linux program, and so is any of another root. The exit\n"
	     "status is the program's, or 0 when the guest switches off; 124: --timeout was over,\n"
	     "125: it ended without one. A guest that restarts is started again.\n\n"
	     "  --root R         another root file system: a folder, or a cpio archive (newc) as\n"
	     "                   Linux takes them, plain or compressed by gzip or zstd. Its /init\n"
	     "                   is process 1 if it has one\n"
	     "  --native         the console of native programs\n"
	     "  --topology T     preset, synthetic description, hwloc XML file or \"this\" "
	     "(laptop)\n"
	     "  --cores N        only the first N cores\n"
	     "  --mem SIZE       memory in all, such as 2G\n"
	     "  --kvm, --tcg     this way only; otherwise KVM if it works, else TCG\n"
	     "  --icount         TCG, one instruction a nanosecond: the same every time\n"
	     "  --timing M       TCG, the timing model of machine M (hake/timing/README.md);\n"
	     "                   its report goes to build/timing.json\n"
	     "  --profile FILE   with --timing: where the cycles go, for \"hake profile FILE\"\n"
	     "  --seed N         of the model's jitter and the guest's random numbers\n"
	     "  --gdb            wait for a debugger\n"
	     "  --append WORDS   more words for the kernel's command line\n"
	     "  --image FILE     this image instead of the one that is built\n"
	     "  --firmware F     qboot (fast), seabios; iso-bios, iso-uefi (by GRUB, from an ISO)\n"
	     "  --timeout S      give up after S seconds\n"
	     "  --qemu-arg ARG   one more argument for QEMU; can be repeated\n"
	     "  --verbose        show the lines for programs (\"@...\"), and QEMU's command");
}

enum {
	OPT_ICOUNT = 256,
	OPT_IMAGE,
	OPT_TIMEOUT,
	OPT_QEMU,
	OPT_ROOT,
	OPT_NATIVE,
	OPT_TIMING,
	OPT_SEED,
	OPT_PROFILE
};

static const struct option options[] = {
	{"topology", required_argument, NULL, 't'},
	{"cores", required_argument, NULL, 'c'},
	{"mem", required_argument, NULL, 'm'},
	{"kvm", no_argument, NULL, 'k'},
	{"tcg", no_argument, NULL, 'e'},
	{"icount", no_argument, NULL, OPT_ICOUNT},
	{"gdb", no_argument, NULL, 'g'},
	{"append", required_argument, NULL, 'a'},
	{"firmware", required_argument, NULL, 'f'},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"qemu-arg", required_argument, NULL, OPT_QEMU},
	{"image", required_argument, NULL, OPT_IMAGE},
	{"root", required_argument, NULL, OPT_ROOT},
	{"native", no_argument, NULL, OPT_NATIVE},
	{"timing", required_argument, NULL, OPT_TIMING},
	{"seed", required_argument, NULL, OPT_SEED},
	{"profile", required_argument, NULL, OPT_PROFILE},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const char *check_firmware(const char *name)
{
	struct strv known = {0};

	strv_split(&known, "qboot seabios iso-bios iso-uefi");
	if (!strv_has(&known, name))
		die("--firmware: there is no \"%s\"%s; there are %s", name, suggest(name, &known),
		    strv_join(&known, ", "));
	return name;
}

void run_options(struct boot *b, struct guest *g, int argc, char **argv, void (*help)(void))
{
	for (int c; (c = parse_option(argc, argv, options, true)) != -1;) {
		switch (c) {
		case 't':
			b->topology = optarg;
			break;
		case 'c':
			b->cores = parse_count(optarg, "--cores");
			break;
		case 'm':
			b->mem = optarg;
			break;
		case 'k':
			b->accel = ACCEL_KVM;
			break;
		case 'e':
			b->accel = ACCEL_TCG;
			break;
		case OPT_ICOUNT:
			b->accel = ACCEL_ICOUNT;
			break;
		case 'g':
			b->gdb = true;
			break;
		case 'a':
			b->append = optarg;
			break;
		case 'f':
			b->firmware = check_firmware(optarg);
			break;
		case OPT_IMAGE:
			b->image = optarg;
			break;
		case OPT_TIMEOUT:
			g->timeout_s = parse_count(optarg, "--timeout");
			break;
		case OPT_QEMU:
			strv_add(&b->qemu_args, optarg);
			break;
		case OPT_ROOT:
			b->root = optarg;
			break;
		case OPT_NATIVE:
			b->native = true;
			break;
		case OPT_TIMING:
			b->timing.machine = timing_machine(optarg);
			b->accel = ACCEL_TCG;
			break;
		case OPT_SEED:
			b->timing.seed = parse_count(optarg, "--seed");
			break;
		case OPT_PROFILE:
			b->timing.profile = optarg;
			break;
		case 'v':
			g->verbose = true;
			break;
		default:
			help();
			exit(0);
		}
	}
	for (; optind < argc; optind++)
		strv_add(&b->command, argv[optind]);
	if (b->timing.profile && !b->timing.machine)
		die("--profile is of the timing model: name a machine with --timing");
	if (b->on_linux && (b->root || b->native))
		die("--root and --native are for Skerry (hake/run)");
	if (b->on_linux && b->command.n)
		b->program = strv_join(&b->command, " ");
}

static const char *new_key(void)
{
	u64 key;

	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		die("there are no random numbers to be had");
	return strf("%lu", key >> 1 | 1);
}

/* A native program is named on the kernel's command line; others come with the image. */
static void choose_program(const struct project *p, struct boot *b)
{
	bool by_image = b->root || (b->command.n && b->command.v[0][0] == '/' && !b->image);

	b->is_world = !b->native && (by_image || !b->command.n) && !b->image;
	if (b->is_world)
		b->key = new_key();
	if (by_image || !b->command.n)
		return;
	b->command.v[0] = image_find_program(p, b->command.v[0]);
	b->program = strv_join(&b->command, " ");
	b->command.n = 0;
}

int run_main(int argc, char **argv)
{
	/* A person sees a panic, and may go on to look at the other cores; a script wants its end.
	 */
	struct boot b = {.tell = true, .panic_exits = !isatty(STDIN_FILENO)};
	struct guest g = {.terminal = true, .log = -1};
	struct project p = {0};
	struct strv image = {0};
	const char *trouble;
	int status;

	run_options(&b, &g, argc, argv, help);
	build_configure(&p);
	choose_program(&p, &b);
	boot_check(&p, &b); /* a slip of the fingers shows before the build */
	strv_add(&image, "image");
	timing_targets(&p, &b.timing, &image);
	ninja_run(&image);
	g.argv = boot_command(&p, &b);
	g.key = b.key;
	if (g.verbose)
		warn("%s", strv_join(&g.argv, " "));
	if (b.gdb)
		warn("waiting for: gdb %s/cpudriver -ex 'target remote :1234'", build_dir());
	do {
		status = guest_run(&g);
	} while (g.restart && !b.command.n && !b.program);
	trouble = guest_trouble(&g);
	if (trouble)
		warn("%s", trouble);
	return status;
}
