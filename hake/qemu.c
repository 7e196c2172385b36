/*
 * QEMU's command line for a topology. See qemu.h; whether KVM works is found out in kvm.c.
 */
#include "qemu.h"

#include <stdlib.h>
#include <string.h>

#define QEMU_MAJOR_MIN 10

/* So many cores every QEMU's q35 can have; beyond, it is asked. */
#define ALWAYS_CORES 255

const char *qemu_program(void)
{
	const char *program = getenv("SKERRY_QEMU");

	return program && *program ? program : "qemu-system-x86_64";
}

/* How much of a core's place says what node it is in. */
enum grain { BY_SOCKET, BY_DIE, BY_CORE };

static bool same_place(const struct topo_core *a, const struct topo_core *b, enum grain grain)
{
	if (a->socket != b->socket)
		return false;
	return grain == BY_SOCKET || (a->die == b->die && (grain == BY_DIE || a->core == b->core));
}

/* The coarsest grain at which all cores of one place are in one node. */
static enum grain node_grain(const struct topology *t)
{
	enum grain grain = BY_SOCKET;

	for (u32 i = 1; i < t->ncores; i++) {
		while (grain < BY_CORE && same_place(&t->cores[i], &t->cores[i - 1], grain) &&
		       t->cores[i].node != t->cores[i - 1].node)
			grain++;
	}
	return grain;
}

/*
 * Assigns places to nodes. Places that QEMU has but the topology has no core in (behind its
 * last one) go to node 0, as QEMU would do itself with a warning.
 */
static void add_cpus(struct strv *argv, const struct topology *t)
{
	enum grain grain = node_grain(t);

	for (u32 i = 0; i < t->ncores; i++) {
		const struct topo_core *c = &t->cores[i];
		char *place = strf("cpu,node-id=%u,socket-id=%u", c->node, c->socket);

		if (i && same_place(c, c - 1, grain))
			continue;
		if (grain >= BY_DIE && t->dies > 1)
			place = strf("%s,die-id=%u", place, c->die);
		if (grain == BY_CORE)
			place = strf("%s,core-id=%u", place, c->core);
		strv_add(argv, "-numa");
		strv_add(argv, place);
	}
}

void qemu_machine_args(struct strv *argv, const struct topology *t)
{
	u32 places = t->sockets * t->dies * t->cores_per_die * t->threads;

	if (t->irregular)
		die("topology \"%s\" cannot be run in QEMU, which builds regular machines only: %s",
		    t->name, t->irregular);
	strv_add(argv, "-smp");
	strv_addf(argv, "%u,maxcpus=%u,sockets=%u,dies=%u,cores=%u,threads=%u", t->ncores, places,
		  t->sockets, t->dies, t->cores_per_die, t->threads);
	strv_add(argv, "-m");
	strv_addf(argv, "%luM", topology_memory(t) / MiB);
	for (u32 i = 0; i < t->nnodes; i++) {
		strv_add(argv, "-object");
		strv_addf(argv, "memory-backend-ram,id=mem%u,size=%luM", i, t->node_bytes[i] / MiB);
		strv_add(argv, "-numa");
		strv_addf(argv, "node,nodeid=%u,memdev=mem%u", i, i);
	}
	add_cpus(argv, t);
	for (u32 i = 0; i < t->nnodes; i++) {
		for (u32 j = 0; j < t->nnodes; j++) {
			if (i == j)
				continue;
			strv_add(argv, "-numa");
			strv_addf(argv, "dist,src=%u,dst=%u,val=%u", i, j,
				  t->distance[i * t->nnodes + j]);
		}
	}
}

/* Ends hake unless QEMU is there and new enough. */
static void check_version(void)
{
	struct strv argv = {0};
	struct buf out = {0};
	const char *version;

	strv_add(&argv, qemu_program());
	strv_add(&argv, "--version");
	if (run_collect(&argv, &out) == 127)
		die("there is no %s: install the package qemu-system-x86 (%d or newer; on Debian "
		    "12 from "
		    "bookworm-backports), or name another one in $SKERRY_QEMU",
		    qemu_program(), QEMU_MAJOR_MIN);
	version = strstr(out.v, "version ");
	if (!version || atoi(version + 8) < QEMU_MAJOR_MIN)
		die("%s is older than version %d: install qemu-system-x86 from your release's "
		    "backports",
		    qemu_program(), QEMU_MAJOR_MIN);
}

/* How many cores QEMU's machine q35 can have, by its own account; 0 if it does not say. */
static u32 max_cores(void)
{
	struct strv argv = {0};
	struct buf out = {0};
	const char *machine, *max;

	strv_add(&argv, "sh");
	strv_add(&argv, "-c");
	strv_addf(&argv,
		  "printf '%%s' '{\"execute\":\"qmp_capabilities\"}{\"execute\":\"query-machines\"}"
		  "{\"execute\":\"quit\"}' | '%s' -M none -nodefaults -display none -qmp stdio",
		  qemu_program());
	run_collect(&argv, &out);
	/* Each machine is one {...}; the alias "q35" is that of the newest. */
	machine = strstr(out.v, "\"alias\": \"q35\"");
	if (!machine)
		return 0;
	while (machine > out.v && *machine != '{')
		machine--;
	max = strstr(machine, "\"cpu-max\": ");
	return max && max < strchr(machine, '}') ? (u32)atoi(max + strlen("\"cpu-max\": ")) : 0;
}

static void check_cores(const struct topology *t)
{
	u32 places = t->sockets * t->dies * t->cores_per_die * t->threads;
	u32 max;

	if (places <= ALWAYS_CORES)
		return;
	max = max_cores();
	if (max && places > max)
		die("topology \"%s\" has places for %u cores, but QEMU's machine q35 has %u at "
		    "most: take fewer "
		    "with --cores N, or a smaller topology",
		    t->name, places, max);
}

static void add_accel(struct strv *argv, enum accel accel)
{
	switch (accel) {
	case ACCEL_KVM:
		strv_split(argv, "-accel kvm -cpu host");
		break;
	case ACCEL_ICOUNT:
		/* One instruction is one nanosecond of the guest's time; idle time is skipped. */
		strv_split(argv,
			   "-accel tcg,thread=single -icount shift=0,sleep=off -cpu max,+x2apic "
			   "-rtc base=2026-01-01T00:00:00,clock=vm");
		break;
	default:
		strv_split(argv, "-accel tcg,thread=multi -cpu max,+x2apic");
	}
}

/* The first of these files that there is. */
static const char *first_file(const char *what, const char *package, const char *const *paths)
{
	for (size_t i = 0; paths[i]; i++) {
		if (file_exists(paths[i]))
			return paths[i];
	}
	die("there is no %s: install the package %s", what, package);
}

static void add_boot(struct strv *argv, const struct vm *vm)
{
	static const char *const qboot[] = {"/usr/share/qemu/qboot.rom",
					    "/usr/share/seabios/qboot.rom", NULL};
	static const char *const ovmf[] = {"/usr/share/ovmf/OVMF.fd", "/usr/share/qemu/OVMF.fd",
					   NULL};

	if (strcmp(vm->firmware, "qboot") == 0) {
		strv_add(argv, "-bios");
		strv_add(argv, first_file("firmware qboot.rom", "qemu-system-data", qboot));
	} else if (strcmp(vm->firmware, "iso-uefi") == 0) {
		strv_add(argv, "-bios");
		strv_add(argv, first_file("UEFI firmware OVMF.fd", "ovmf", ovmf));
	}
	if (vm->iso) {
		strv_add(argv, "-cdrom");
		strv_add(argv, vm->iso);
		return;
	}
	strv_add(argv, "-kernel");
	strv_add(argv, vm->kernel);
	strv_add(argv, "-initrd");
	strv_add(argv, vm->image);
	strv_add(argv, "-append");
	strv_add(argv, vm->append);
}

struct strv qemu_command(const struct vm *vm)
{
	struct strv argv = {0};

	check_version();
	check_cores(vm->topology);
	if (vm->timing)
		timing_before(&argv);
	strv_add(&argv, qemu_program());
	add_accel(&argv, vm->accel);
	/* Without system management mode a core has one address space less: 255 cores are there in
	 * 1.5 s and 135 MB instead of 5 s and 1.2 GB. Nothing here uses it. */
	strv_split(&argv, "-machine q35,smm=off -nodefaults -no-reboot -display none "
			  "-chardev stdio,id=console,signal=off -serial chardev:console "
			  "-device isa-debug-exit,iobase=0xf4,iosize=4");
	qemu_machine_args(&argv, vm->topology);
	add_boot(&argv, vm);
	if (vm->gdb)
		strv_split(&argv, "-s -S");
	if (vm->timing)
		timing_args(&argv, vm->topology, vm->timing);
	strv_cat(&argv, &vm->extra);
	return argv;
}
