/*
 * "hake topology": shows a machine, what QEMU is told of it, or writes its description.
 */
#include "topology.h"

#include <machine/machine.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"
#include "qemu.h"

static void show_cores(const struct topology *t, const struct machine *m)
{
	puts("core  socket  die  node  APIC id  parent");
	for (u32 i = 0; i < t->ncores; i++) {
		const struct machine_core *c = &machine_cores(m)[i];

		printf("%4u %7u %4u %5u %8u ", i, c->socket, c->die, c->node, c->apic_id);
		if (i)
			printf("%7u\n", c->parent);
		else
			puts("      -");
	}
}

static void show(const struct topology *t)
{
	const struct machine *m = topology_machine(t);

	printf("%s: %u cores in %u sockets, %u NUMA nodes, %lu MiB%s%s\n\n", t->name, t->ncores,
	       t->sockets, t->nnodes, topology_memory(t) / MiB, t->about ? "\n  " : "",
	       t->about ? t->about : "");
	show_cores(t, m);
	puts("\ndistances between nodes (10 is local)");
	for (u32 i = 0; i < t->nnodes; i++) {
		for (u32 j = 0; j < t->nnodes; j++)
			printf("%4u", machine_distance(m, i, j));
		putchar('\n');
	}
	if (t->irregular)
		printf("\nQEMU cannot build it: %s\n", t->irregular);
}

static void show_qemu(const struct topology *t)
{
	struct strv argv = {0};

	qemu_machine_args(&argv, t);
	for (size_t i = 0; i < argv.n; i++)
		printf("%s%s", argv.v[i], i + 1 < argv.n && argv.v[i + 1][0] == '-' ? "\n" : " ");
	putchar('\n');
}

static void help(void)
{
	puts("usage: hake topology T [--cores N] [--qemu | --block FILE]\n\n"
	     "Shows the machine T: a preset's name, a synthetic description such as\n"
	     "\"pack:4 numa:1 core:16 pu:1\", an hwloc XML file, or \"this\".\n\n"
	     "  --cores N     only its first N cores\n"
	     "  --qemu        show what QEMU is told instead\n"
	     "  --block FILE  write the description that the image carries to FILE");
}

int topology_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"cores", required_argument, NULL, 'c'},
		{"qemu", no_argument, NULL, 'q'},
		{"block", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *block = NULL;
	bool qemu = false;
	u32 cores = 0;
	struct topology *t;

	for (int c; (c = parse_option(argc, argv, options, false)) != -1;) {
		if (c == 'h') {
			help();
			return 0;
		}
		if (c == 'c')
			cores = parse_count(optarg, "--cores");
		if (c == 'b')
			block = optarg;
		qemu |= c == 'q';
	}
	if (optind + 1 != argc)
		die("expected one topology (hake topology --help)");
	t = topology_load(argv[optind], cores);
	if (block) {
		struct machine *m = topology_machine(t);

		file_write(block, m, m->size_bytes);
	} else if (qemu) {
		show_qemu(t);
	} else {
		show(t);
	}
	return 0;
}
