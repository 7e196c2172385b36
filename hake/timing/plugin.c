/*
 * The timing model as a TCG plugin of QEMU: its arguments, what it puts into translated code, and
 * its report. README.md describes the model.
 *
 * Two phases. While the guest boots, instructions have their prices but memory costs nothing;
 * MARKER_ON makes QEMU translate everything anew, now with a callback on each access to memory.
 * Who runs, and what time it is, is simulated in both.
 */
#include "timing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_API_VERSION;

/* While the guest boots, loops that wait take longer steps: reading the time-stamp counter traps on
 * the host, and each PAUSE hands the slot over. One that goes on waiting takes steps twice as long,
 * up to LONGEST_WAIT cycles. */
#define BOOT_WAIT    2000
#define LONGEST_WAIT 128000
/* Instructions of a loop that does nothing but wait, at most. */
#define BOOT_LOOP 200
/* And cores may run further ahead of each other then. */
#define BOOT_QUANTUM (20000 * MILLI)

/* QEMU's element of each vCPU. */
struct score {
	uint64_t spent;        /* millicycles, see core_clock() */
	uint64_t instructions; /* since the start */
};

struct timing timing = {.quantum = BOOT_QUANTUM};

static struct {
	struct qemu_plugin_scoreboard *board;
	qemu_plugin_u64 spent, instructions;
	uint32_t ninit;
	bool switching;
	uint64_t quantum; /* once the caches are on */
	FILE *out;
	char machine_path[256];
} plugin = {.quantum = 200 * MILLI};

_Noreturn void timing_die(const char *format, ...)
{
	va_list args;

	fputs("timing model: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(70);
}

/* --- The report: one line of JSON for each time it is asked for --- */

static uint64_t cycles_since(const struct core *c)
{
	uint64_t clock = c->spent ? core_clock(c) : 0;

	/* A core that has not run since has its clock of then. */
	return clock > c->since ? (clock - c->since) / MILLI : 0;
}

static uint64_t instructions_since(const struct core *c)
{
	return c->spent ? *c->instructions - c->since_instructions : 0;
}

static void report_core(const struct core *c, bool last)
{
	const struct core_stats *s = &c->stats;

	fprintf(plugin.out,
		"{\"core\":%u,\"socket\":%u,\"cycles\":%llu,\"instructions\":%llu,"
		"\"stall\":%llu,\"loads\":%llu,\"stores\":%llu,\"l2\":%llu,\"llc\":%llu,"
		"\"near\":%llu,\"far\":%llu,\"dram_local\":%llu,\"dram_remote\":%llu,"
		"\"upgrades\":%llu,\"tlb_misses\":%llu,\"halts\":%llu,\"parked\":%llu}%s",
		c->index, c->socket, (unsigned long long)cycles_since(c),
		(unsigned long long)instructions_since(c), (unsigned long long)(s->stall / MILLI),
		(unsigned long long)s->loads, (unsigned long long)s->stores,
		(unsigned long long)s->l2_hits, (unsigned long long)s->llc_hits,
		(unsigned long long)s->near, (unsigned long long)s->far,
		(unsigned long long)s->dram_local, (unsigned long long)s->dram_remote,
		(unsigned long long)s->upgrades, (unsigned long long)s->tlb_misses,
		(unsigned long long)s->halts, (unsigned long long)s->parked, last ? "" : ",");
}

/* Statistics begin anew. */
static void begin(void)
{
	for (uint32_t i = 0; i < timing.ncores; i++) {
		struct core *c = &timing.cores[i];

		c->stats = (struct core_stats){0};
		c->since = core_clock(c);
		c->since_instructions = *c->instructions;
	}
	profile_begin();
}

/* Of all cores together: what hake/bench divides by the operations. */
static void report_sums(void)
{
	uint64_t instructions = 0, near = 0, far = 0, stall = 0;

	for (uint32_t i = 0; i < timing.ncores; i++) {
		const struct core *c = &timing.cores[i];

		instructions += instructions_since(c);
		near += c->stats.near;
		far += c->stats.far;
		stall += c->stats.stall / MILLI;
	}
	fprintf(plugin.out,
		"\"sum_instructions\":%llu,\"sum_near\":%llu,\"sum_far\":%llu,\"sum_stall\":%llu,",
		(unsigned long long)instructions, (unsigned long long)near, (unsigned long long)far,
		(unsigned long long)stall);
}

static void report(void)
{
	fprintf(plugin.out,
		"{\"machine\":\"%s\",\"mhz\":%llu,\"cores\":%u,\"sockets\":%u,\"seed\":%llu,"
		"\"jitter\":%u,\"quantum\":%llu,\"releases\":%llu,",
		plugin.machine_path, (unsigned long long)timing.machine.mhz, timing.ncores,
		timing.nsockets, (unsigned long long)timing.seed, timing.jitter,
		(unsigned long long)(plugin.quantum / MILLI), (unsigned long long)slot_releases());
	report_sums();
	fputs("\"per_core\":[", plugin.out);
	for (uint32_t i = 0; i < timing.ncores; i++)
		report_core(&timing.cores[i], i + 1 == timing.ncores);
	fputs("]}\n", plugin.out);
	fflush(plugin.out);
	profile_report();
	begin();
}

/* --- What executes --- */

static void on_slice_end(unsigned int vcpu, void *unused)
{
	(void)unused;
	slot_check(&timing.cores[vcpu]);
}

static void on_memory(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t vaddr, void *atomic)
{
	struct core *c = &timing.cores[vcpu];
	uint64_t paddr = memory_translate(c, vaddr);

	if (paddr == UINT64_MAX) {
		struct qemu_plugin_hwaddr *h = qemu_plugin_get_hwaddr(info, vaddr);

		if (!h)
			return;
		if (qemu_plugin_hwaddr_is_io(h)) {
			core_charge(c, timing.machine.mmio);
			c->drain = true;
			core_end_slice(c);
			return;
		}
		paddr = qemu_plugin_hwaddr_phys_addr(h);
		memory_translated(c, vaddr, paddr);
	}
	memory_access(c, paddr, qemu_plugin_mem_is_store(info), atomic != NULL);
}

static void register_all(void);

static void on_reset(qemu_plugin_id_t id)
{
	(void)id;
	plugin.switching = false;
	timing.model = !timing.model;
	timing.quantum = timing.model ? plugin.quantum : BOOT_QUANTUM;
	profile_forget();
	register_all();
}

static void on_event(unsigned int vcpu, void *data)
{
	struct core *c = &timing.cores[vcpu];

	switch ((enum insn_event)(uintptr_t)data) {
	case INSN_TSC:
		slot_strict(c);
		break;
	case INSN_CR3:
		memory_flush_tlb(c, timing.machine.pcid);
		break;
	case INSN_INVLPG:
		memory_flush_tlb(c, true);
		break;
	case INSN_IO:
		c->drain = true;
		core_end_slice(c);
		break;
	default:
		break;
	}
}

/* A PAUSE at @vaddr before the caches are on. */
static void boot_pause(struct core *c, uint64_t vaddr)
{
	uint64_t done = *c->instructions - c->spin.done;

	c->spin.rounds = c->spin.at == vaddr && done < BOOT_LOOP ? c->spin.rounds + 1 : 0;
	c->spin.at = vaddr;
	c->spin.done = *c->instructions;
	core_charge(c, c->spin.rounds < 6 ? BOOT_WAIT << c->spin.rounds : LONGEST_WAIT);
	core_end_slice(c);
}

static void on_pause(unsigned int vcpu, void *data)
{
	struct core *c = &timing.cores[vcpu];

	if (timing.model)
		memory_pause(c, (uintptr_t)data);
	else
		boot_pause(c, (uintptr_t)data);
}

static void on_marker(unsigned int vcpu, void *data)
{
	uint32_t marker = (uint32_t)(uintptr_t)data;

	(void)vcpu;
	switch (marker) {
	case MARKER_REPORT:
		report();
		break;
	case MARKER_BEGIN:
		begin();
		break;
	case MARKER_SEED:
		timing.seed++;
		memory_reseed();
		break;
	default:
		if (timing.model == (marker == MARKER_ON) || plugin.switching)
			break;
		plugin.switching = true;
		qemu_plugin_reset(timing.id, on_reset);
	}
}

static void hook_insn(struct qemu_plugin_insn *insn, const struct insn_info *info)
{
	void *data = (void *)(uintptr_t)info->event;
	qemu_plugin_vcpu_udata_cb_t cb = on_event;

	if (info->event == INSN_PAUSE) {
		cb = on_pause;
		data = (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn);
	} else if (info->event == INSN_MARKER) {
		cb = on_marker;
		data = (void *)(uintptr_t)info->marker;
	}
	if (info->event != INSN_PLAIN)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS, data);
	if (timing.model)
		qemu_plugin_register_vcpu_mem_cb(insn, on_memory, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, info->atomic ? insn : NULL);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	uint64_t cycles = 0, ecx = UINT64_MAX;

	(void)id;
	if (timing.model && profile_on())
		profile_translate(tb);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t code[16] = {0};
		size_t len = qemu_plugin_insn_data(insn, code, sizeof(code));
		struct insn_info info = insn_look(code, len, ecx);

		if (info.sets_ecx)
			ecx = info.ecx;
		cycles += info.cycles;
		if (!timing.model && info.event == INSN_TSC)
			cycles += BOOT_WAIT;
		hook_insn(insn, &info);
	}
	qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, on_slice_end, QEMU_PLUGIN_CB_NO_REGS,
						  QEMU_PLUGIN_COND_GE, plugin.spent, SLICE_END,
						  NULL);
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(
		tb, QEMU_PLUGIN_INLINE_ADD_U64, plugin.spent,
		cycles * MILLI + n * timing.machine.cycles_per_kinsn);
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
							  plugin.instructions, n);
}

/* --- vCPUs come, halt and go on --- */

static void on_idle(qemu_plugin_id_t id, unsigned int vcpu)
{
	(void)id;
	profile_halted(&timing.cores[vcpu]);
	slot_halted(&timing.cores[vcpu]);
	clock_in_halt(true);
}

static void on_resume(qemu_plugin_id_t id, unsigned int vcpu)
{
	(void)id;
	clock_in_halt(false);
	slot_resumed(&timing.cores[vcpu]);
}

/* On the vCPU's own thread. The scoreboard is of its final size when the last has come. */
static void on_init(qemu_plugin_id_t id, unsigned int vcpu)
{
	(void)id;
	if (vcpu >= timing.ncores)
		timing_die("more vCPUs than QEMU said there would be");
	this_core = &timing.cores[vcpu];
	profile_init_core(this_core);
	if (__atomic_add_fetch(&plugin.ninit, 1, __ATOMIC_ACQ_REL) != timing.ncores)
		return;
	for (uint32_t i = 0; i < timing.ncores; i++) {
		struct score *s = qemu_plugin_scoreboard_find(plugin.board, i);

		s->spent = SLICE_END;
		timing.cores[i].base = -SLICE_END;
		timing.cores[i].instructions = &s->instructions;
		timing.cores[i].spent = &s->spent;
	}
	slot_open();
}

static void register_all(void)
{
	qemu_plugin_register_vcpu_idle_cb(timing.id, on_idle);
	qemu_plugin_register_vcpu_resume_cb(timing.id, on_resume);
	qemu_plugin_register_vcpu_tb_trans_cb(timing.id, on_translation);
}

/* --- Arguments --- */

/* "node=N:START:SIZE", in bytes */
static bool read_node(const char *value)
{
	unsigned long long start, size;
	unsigned int node;
	char rest;

	return sscanf(value, "%u:%llu:%llu%c", &node, &start, &size, &rest) == 3 && size &&
	       start + size > start && start + size <= 1ull << 46 &&
	       memory_add_node(node, start, size) == 0;
}

static bool read_number(const char *value, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(value, &end, 10);
	return !errno && end != value && !*end && *out <= max;
}

static bool read_argument(const char *name, const char *value)
{
	uint64_t number = 0;
	char message[256];

	if (strcmp(name, "machine") == 0) {
		if (machine_read(&timing.machine, value, message, sizeof(message)) != 0)
			timing_die("%s", message);
		snprintf(plugin.machine_path, sizeof(plugin.machine_path), "%s", value);
		return true;
	}
	if (strcmp(name, "node") == 0)
		return read_node(value);
	if (strcmp(name, "out") == 0) {
		plugin.out = fopen(value, "we");
		return plugin.out != NULL;
	}
	if (strcmp(name, "profile") == 0)
		return profile_open(value);
	if (strcmp(name, "seed") == 0)
		return read_number(value, UINT64_MAX, &timing.seed);
	if (strcmp(name, "jitter") == 0 && read_number(value, 50, &number)) {
		timing.jitter = (uint32_t)number;
		return true;
	}
	if (strcmp(name, "quantum") == 0 && read_number(value, 1000000, &number) && number) {
		plugin.quantum = number * MILLI;
		return true;
	}
	if (strcmp(name, "sockets") == 0 && read_number(value, MAX_SOCKETS, &number) && number) {
		timing.nsockets = (uint32_t)number;
		return true;
	}
	return false;
}

static void read_arguments(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char name[32] = "";
		const char *value = strchr(argv[i], '=');

		if (value && (size_t)(value - argv[i]) < sizeof(name))
			memcpy(name, argv[i], (size_t)(value - argv[i]));
		if (!value || !read_argument(name, value + 1))
			timing_die("argument \"%s\" is not known or has a wrong value", argv[i]);
	}
	if (!timing.machine.mhz)
		timing_die("argument \"machine=FILE\" is missing");
	if (!timing.nsockets || timing.nsockets > timing.ncores)
		timing_die("argument \"sockets=N\" is missing or more than the vCPUs");
}

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
				      char **argv)
{
	if (PLUGIN_API_VERSION < info->version.min || PLUGIN_API_VERSION > info->version.cur)
		timing_die("this QEMU's plugins have versions %d to %d; the model is made for %d "
			   "(QEMU 9.2 to 10.x)",
			   info->version.min, info->version.cur, PLUGIN_API_VERSION);
	if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
		timing_die("made for qemu-system-x86_64");
	if (info->system.smp_vcpus < 1 || info->system.smp_vcpus > MAX_CORES)
		timing_die("made for 1 to %d vCPUs", MAX_CORES);
	timing.id = id;
	timing.ncores = (uint32_t)info->system.smp_vcpus;
	plugin.out = stderr;
	read_arguments(argc, argv);
	timing.cores_per_socket = (timing.ncores + timing.nsockets - 1) / timing.nsockets;
	for (uint32_t i = 0; i < timing.ncores; i++) {
		timing.cores[i].index = i;
		timing.cores[i].socket = i / timing.cores_per_socket;
	}
	if (memory_init() != 0)
		timing_die("no memory for %u cores", timing.ncores);
	plugin.board = qemu_plugin_scoreboard_new(sizeof(struct score));
	plugin.spent = (qemu_plugin_u64){plugin.board, offsetof(struct score, spent)};
	plugin.instructions = (qemu_plugin_u64){plugin.board, offsetof(struct score, instructions)};
	atexit(report);
	slot_init();
	clock_start();
	qemu_plugin_register_vcpu_init_cb(id, on_init);
	register_all();
	return 0;
}
