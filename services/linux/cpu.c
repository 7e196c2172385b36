/*
 * The processors and nodes of the machine, as /proc/cpuinfo and /sys show them: lscpu, hwloc and
 * the C library read these.
 *
 * What every processor can do is asked of this one (CPUID), where it is is asked of the monitor.
 * /sys has some twenty files a processor, which are made when somebody first looks there.
 *
 * Runs in: the personality's domain. Source: proc_cpuinfo(5), sysfs(5); Linux's
 * Documentation/admin-guide/cputopology.rst; Intel SDM vol. 2A, CPUID.
 */
#include "cpu.h"
#include "affinity.h"
#include "corestate.h"
#include "counts.h"
#include "topology.h"

#include <errno.h>
#include <rt/monitor.h>
#include <rt/rt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/proc.h>

struct cpuid {
	u32 a, b, c, d;
};

static struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
	return r;
}

/* --- Where processors are --- */

/* Which processors a file of /sys is about. */
enum cpu_group {
	GROUP_ONE,
	GROUP_SOCKET,
	GROUP_NODE,
	GROUP_ALL,
	GROUP_LIVE,
	GROUP_DEAD,
};

static bool in_group(enum cpu_group group, u32 of, u32 cpu)
{
	switch (group) {
	case GROUP_ONE:
		return cpu == of;
	case GROUP_SOCKET:
		return topology_place(cpu).socket == topology_place(of).socket;
	case GROUP_NODE:
		return topology_place(cpu).node == of;
	case GROUP_LIVE:
		return rt_core_lives(cpu);
	case GROUP_DEAD:
		return !rt_core_lives(cpu);
	default:
		return true;
	}
}

static void group_set(enum cpu_group group, u32 of, struct cpu_set *set)
{
	*set = (struct cpu_set){0};
	for (u32 i = 0; i < topology_cores(); i++) {
		if (in_group(group, of, i))
			cpu_set_add(set, i);
	}
}

static void show_list(enum cpu_group group, u32 of, struct text *out)
{
	struct cpu_set set;

	group_set(group, of, &set);
	cpu_set_show_list(&set, topology_cores(), out);
}

static void show_mask(enum cpu_group group, u32 of, struct text *out)
{
	struct cpu_set set;

	group_set(group, of, &set);
	cpu_set_show_mask(&set, topology_cores(), out);
}

static u32 cpus_of_socket(u32 socket)
{
	u32 n = 0;

	for (u32 i = 0; i < topology_cores(); i++)
		n += topology_place(i).socket == socket;
	return n;
}

static u32 number_in_socket(u32 cpu)
{
	u32 socket = topology_place(cpu).socket, n = 0;

	for (u32 i = 0; i < cpu; i++)
		n += topology_place(i).socket == socket;
	return n;
}

/* --- /proc/cpuinfo --- */

/* Names of CPUID's bits, from bit 0 on; "" has none. */
struct feature_names {
	u32 leaf, sub, reg; /* reg: 0 a, 1 b, 2 c, 3 d */
	const char *names;
};

static const struct feature_names features[] = {
	{1, 0, 3,
	 "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - "
	 "dts "
	 "acpi mmx fxsr sse sse2 ss ht tm ia64 pbe"},
	{0x80000001, 0, 3,
	 "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - "
	 "lm 3dnowext 3dnow"},
	{0x80000007, 0, 3, "- - - - - - - - constant_tsc"},
	{1, 0, 2,
	 "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - "
	 "pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c "
	 "rdrand "
	 "hypervisor"},
	{0x80000001, 0, 2,
	 "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs "
	 "xop skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb"},
	{7, 0, 1,
	 "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a "
	 "avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er "
	 "avx512cd sha_ni avx512bw avx512vl"},
	{0xd, 1, 0, "xsaveopt xsavec xgetbv1 xsaves"},
	{7, 0, 2,
	 "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni "
	 "avx512_bitalg - avx512_vpopcntdq - la57 - - - - - rdpid - bus_lock_detect cldemote - "
	 "movdiri movdir64b"},
	{7, 0, 3, "- - - - fsrm"},
};

static u32 feature_bits(const struct feature_names *f)
{
	struct cpuid r;

	if (cpuid(f->leaf & 0x80000000, 0).a < f->leaf)
		return 0;
	r = cpuid(f->leaf, f->sub);
	return f->reg == 0 ? r.a : f->reg == 1 ? r.b : f->reg == 2 ? r.c : r.d;
}

static void show_features(struct text *out)
{
	text_puts(out, "flags\t\t:");
	for (u32 i = 0; i < ARRAY_SIZE(features); i++) {
		const char *name = features[i].names;
		u32 bits = feature_bits(&features[i]);

		for (u32 bit = 0; *name; bit++) {
			size_t len = strcspn(name, " ");

			if ((bits >> bit & 1) && *name != '-')
				text_printf(out, " %.*s", (int)len, name);
			name += len + (name[len] != 0);
		}
	}
	text_puts(out, "\n");
}

static void cpu_vendor(char out[13])
{
	struct cpuid r = cpuid(0, 0);

	memcpy(out, &r.b, 4);
	memcpy(out + 4, &r.d, 4);
	memcpy(out + 8, &r.c, 4);
	out[12] = 0;
}

static void cpu_brand(char out[49])
{
	memset(out, 0, 49);
	for (u32 i = 0; i < 3 && cpuid(0x80000000, 0).a >= 0x80000004; i++) {
		struct cpuid r = cpuid(0x80000002 + i, 0);

		memcpy(out + 16 * i, &r, 16);
	}
}

/* Intel SDM vol. 2A, CPUID leaf 1: "Version Information". */
static void show_version(struct text *out)
{
	struct cpuid r = cpuid(1, 0);
	u32 family = r.a >> 8 & 15, model = r.a >> 4 & 15;
	char vendor[13], brand[49];
	const char *name;

	if (family == 6 || family == 15)
		model |= (r.a >> 16 & 15) << 4;
	if (family == 15)
		family += r.a >> 20 & 255;
	cpu_vendor(vendor);
	cpu_brand(brand);
	name = brand + strspn(brand, " ");
	text_printf(out, "vendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", vendor, family,
		    model);
	text_printf(out, "model name\t: %s\nstepping\t: %u\n", *name ? name : "unknown", r.a & 15);
}

static void show_processor(u32 cpu, struct text *out)
{
	u64 khz = domain_start()->tsc_hz / 1000;
	struct place place = topology_place(cpu);
	u32 sizes = cpuid(0x80000000, 0).a >= 0x80000008 ? cpuid(0x80000008, 0).a : 0x3024;
	u32 line = (cpuid(1, 0).b >> 8 & 255) * 8;

	text_printf(out, "processor\t: %u\n", cpu);
	show_version(out);
	text_printf(out, "cpu MHz\t\t: %lu.%03lu\nphysical id\t: %u\nsiblings\t: %u\n", khz / 1000,
		    khz % 1000, place.socket, cpus_of_socket(place.socket));
	text_printf(out, "core id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\ninitial apicid\t: %u\n",
		    number_in_socket(cpu), cpus_of_socket(place.socket), place.apic, place.apic);
	text_printf(out, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n",
		    cpuid(0, 0).a);
	show_features(out);
	text_printf(out, "bugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: %u\n", khz / 500,
		    khz / 5 % 100, line);
	text_printf(out,
		    "cache_alignment\t: %u\naddress sizes\t: %u bits physical, %u bits virtual\n",
		    line, sizes & 255, sizes >> 8 & 255);
	text_puts(out, "power management:\n\n");
}

static int show_cpuinfo(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg, (void)reader, (void)pid;
	for (u32 i = 0; i < topology_cores(); i++)
		show_processor(i, out);
	return 0;
}

/* --- Caches: CPUID leaf 4, or AMD's 0x8000001d, which has the same layout --- */

static struct cpuid cache_leaf(u32 index)
{
	struct cpuid r = cpuid(0, 0).a >= 4 ? cpuid(4, index) : (struct cpuid){0};

	if ((r.a & 31) == 0 && cpuid(0x80000000, 0).a >= 0x8000001d)
		r = cpuid(0x8000001d, index);
	return r;
}

static u32 caches(void)
{
	u32 n = 0;

	while (n < 8 && (cache_leaf(n).a & 31))
		n++;
	return n;
}

/* What a file of /sys shows. */
enum item {
	LIST,
	MASK,
	PACKAGE_ID,
	CORE_ID,
	ZERO,
	CACHE_LEVEL,
	CACHE_TYPE,
	CACHE_SIZE,
	CACHE_LINE,
	CACHE_WAYS,
	CACHE_SETS,
	CACHE_ID,
	NODE_LIST,
	KERNEL_MAX,
	DISTANCES,
	NODE_MEMORY,
};

/* One file, made when somebody first looks. */
struct sys_file {
	struct proc_entry entry;
	enum item item;
	enum cpu_group group;
	u32 of;    /* processor, or node */
	u32 cache; /* index */
	char name[72];
};

/* A cache of level 3 is one a socket, as far as anybody here can tell; others are one a core. */
static enum cpu_group cache_group(u32 index)
{
	return (cache_leaf(index).a >> 5 & 7) >= 3 ? GROUP_SOCKET : GROUP_ONE;
}

static void show_cache(const struct sys_file *f, struct text *out)
{
	static const char *const types[4] = {"", "Data", "Instruction", "Unified"};
	struct cpuid r = cache_leaf(f->cache);
	u32 line = (r.b & 4095) + 1, parts = (r.b >> 12 & 1023) + 1, ways = (r.b >> 22) + 1;
	u32 sets = r.c + 1;

	if (f->item == CACHE_TYPE)
		text_printf(out, "%s\n", types[r.a & 3]);
	else if (f->item == CACHE_SIZE)
		text_printf(out, "%uK\n", (u32)((u64)line * parts * ways * sets / KiB));
	else
		text_printf(out, "%u\n",
			    f->item == CACHE_LEVEL  ? r.a >> 5 & 7
			    : f->item == CACHE_LINE ? line
			    : f->item == CACHE_WAYS ? ways
						    : sets);
}

/* What is free is what the personalities of the node have, and their monitors. */
static void show_node_memory(u32 node, struct text *out)
{
	u64 total = topology_memory(node) / KiB, free_kib = 0;

	for (u32 core = 0; core < topology_cores(); core++) {
		struct core_state state;

		if (topology_place(core).node == node && core_state(core, &state) == 0)
			free_kib += state.free_bytes / KiB;
	}
	text_printf(out, "Node %u MemTotal:       %8lu kB\nNode %u MemFree:        %8lu kB\n", node,
		    total, node, free_kib);
	text_printf(out, "Node %u MemUsed:        %8lu kB\nNode %u HugePages_Total: %5u\n", node,
		    total - MIN(total, free_kib), node, 0);
	text_printf(out, "Node %u HugePages_Free:  %5u\n", node, 0);
}

static int show_file(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct sys_file *f = arg;

	(void)reader, (void)pid;
	switch (f->item) {
	case LIST:
		show_list(f->group, f->of, out);
		break;
	case MASK:
		show_mask(f->group, f->of, out);
		break;
	case PACKAGE_ID:
		text_printf(out, "%u\n", topology_place(f->of).socket);
		break;
	case CACHE_ID:
		text_printf(out, "%u\n",
			    cache_group(f->cache) == GROUP_SOCKET ? topology_place(f->of).socket
								  : f->of);
		break;
	case CORE_ID:
		text_printf(out, "%u\n", number_in_socket(f->of));
		break;
	case ZERO:
		text_puts(out, "0\n");
		break;
	case NODE_LIST:
		text_printf(out, topology_nodes() > 1 ? "0-%u\n" : "0\n", topology_nodes() - 1);
		break;
	case KERNEL_MAX:
		text_puts(out, "8191\n");
		break;
	case DISTANCES:
		for (u32 i = 0; i < topology_nodes(); i++)
			text_printf(out, i ? " %u" : "%u", topology_distance(f->of, i));
		text_puts(out, "\n");
		break;
	case NODE_MEMORY:
		show_node_memory(f->of, out);
		break;
	default:
		show_cache(f, out);
	}
	return 0;
}

/* --- Making the files --- */

static int add(struct vfs *vfs, const struct sys_file *what, const char *folder, const char *name)
{
	struct sys_file *f = malloc(sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	*f = *what;
	snprintf(f->name, sizeof(f->name), "devices/system/%s%s", folder, name);
	f->entry = (struct proc_entry){.name = f->name, .mode = 0444, .show = show_file, .arg = f};
	err = sysfs_add(vfs, &f->entry, 1);
	if (err)
		free(f);
	return err;
}

struct file_kind {
	const char *name;
	enum item item;
	enum cpu_group group;
};

static const struct file_kind topology_files[] = {
	{"physical_package_id", PACKAGE_ID, 0},
	{"core_id", CORE_ID, 0},
	{"die_id", ZERO, 0},
	{"thread_siblings", MASK, GROUP_ONE},
	{"thread_siblings_list", LIST, GROUP_ONE},
	{"core_cpus", MASK, GROUP_ONE},
	{"core_cpus_list", LIST, GROUP_ONE},
	{"core_siblings", MASK, GROUP_SOCKET},
	{"core_siblings_list", LIST, GROUP_SOCKET},
	{"package_cpus", MASK, GROUP_SOCKET},
	{"package_cpus_list", LIST, GROUP_SOCKET},
	{"die_cpus", MASK, GROUP_SOCKET},
	{"die_cpus_list", LIST, GROUP_SOCKET},
};

static const struct file_kind cache_files[] = {
	{"level", CACHE_LEVEL, 0},
	{"type", CACHE_TYPE, 0},
	{"size", CACHE_SIZE, 0},
	{"coherency_line_size", CACHE_LINE, 0},
	{"ways_of_associativity", CACHE_WAYS, 0},
	{"number_of_sets", CACHE_SETS, 0},
	{"id", CACHE_ID, 0},
};

static int add_cache(struct vfs *vfs, u32 cpu, u32 index)
{
	struct sys_file f = {.of = cpu, .cache = index};
	char folder[40];
	int err = 0;

	snprintf(folder, sizeof(folder), "cpu/cpu%u/cache/index%u/", cpu, index);
	for (u32 i = 0; i < ARRAY_SIZE(cache_files) && !err; i++) {
		f.item = cache_files[i].item;
		err = add(vfs, &f, folder, cache_files[i].name);
	}
	f.group = cache_group(index);
	f.item = LIST;
	if (!err)
		err = add(vfs, &f, folder, "shared_cpu_list");
	f.item = MASK;
	return err ? err : add(vfs, &f, folder, "shared_cpu_map");
}

static int add_cpu(struct vfs *vfs, u32 cpu)
{
	u32 ncaches = caches();
	char folder[32];
	int err = 0;

	snprintf(folder, sizeof(folder), "cpu/cpu%u/topology/", cpu);
	for (u32 i = 0; i < ARRAY_SIZE(topology_files) && !err; i++) {
		struct sys_file f = {.item = topology_files[i].item,
				     .group = topology_files[i].group,
				     .of = cpu};

		err = add(vfs, &f, folder, topology_files[i].name);
	}
	for (u32 i = 0; i < ncaches && !err; i++)
		err = add_cache(vfs, cpu, i);
	return err;
}

static int add_node(struct vfs *vfs, u32 node)
{
	static const struct file_kind files[] = {{"cpulist", LIST, 0},
						 {"cpumap", MASK, 0},
						 {"distance", DISTANCES, 0},
						 {"meminfo", NODE_MEMORY, 0}};
	struct sys_file f = {.group = GROUP_NODE, .of = node};
	char folder[24];
	int err = 0;

	snprintf(folder, sizeof(folder), "node/node%u/", node);
	for (u32 i = 0; i < ARRAY_SIZE(files) && !err; i++) {
		f.item = files[i].item;
		err = add(vfs, &f, folder, files[i].name);
	}
	return err;
}

static int fill_sysfs(struct vfs *vfs)
{
	static const struct file_kind all[] = {
		{"cpu/online", LIST, GROUP_LIVE},  {"cpu/possible", LIST, GROUP_ALL},
		{"cpu/present", LIST, GROUP_ALL},  {"cpu/kernel_max", KERNEL_MAX, 0},
		{"cpu/offline", LIST, GROUP_DEAD}, {"node/online", NODE_LIST, 0},
		{"node/possible", NODE_LIST, 0},   {"node/has_cpu", NODE_LIST, 0},
		{"node/has_memory", NODE_LIST, 0}, {"node/has_normal_memory", NODE_LIST, 0},
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(all) && !err; i++) {
		struct sys_file f = {.item = all[i].item, .group = all[i].group};

		err = add(vfs, &f, "", all[i].name);
	}
	for (u32 i = 0; i < topology_cores() && !err; i++)
		err = add_cpu(vfs, i);
	for (u32 i = 0; i < topology_nodes() && !err; i++)
		err = add_node(vfs, i);
	if (!err)
		err = corestate_fill(vfs);
	return err ? err : counts_fill(vfs);
}

int cpu_init(struct vfs *vfs)
{
	static const struct proc_entry entry = {
		.name = "cpuinfo", .mode = 0444, .show = show_cpuinfo};

	sysfs_set_filler(vfs, fill_sysfs);
	return procfs_add(vfs, &entry, 1);
}
