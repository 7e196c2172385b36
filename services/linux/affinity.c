/* See affinity.h. Source: sched_setaffinity(2), getcpu(2); proc_pid_status(5). */
#include "affinity.h"
#include "placement.h"
#include "sched.h"
#include "shard.h"
#include "syscall.h"
#include "topology.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/rt.h>
#include <string.h>
#include <vfs/text.h>

#define NODES_MAX 1024u /* as kernels of distributions have it */

static bool is_empty(const struct cpu_set *set)
{
	for (u32 i = 0; i < ARRAY_SIZE(set->bits); i++) {
		if (set->bits[i])
			return false;
	}
	return true;
}

static void meet(struct cpu_set *set, const struct cpu_set *other)
{
	for (u32 i = 0; i < ARRAY_SIZE(set->bits); i++)
		set->bits[i] &= other->bits[i];
}

/* Where Linux runs. */
static void all_cpus(struct cpu_set *out)
{
	*out = (struct cpu_set){0};
	for (u32 cpu = 0; cpu < linux_cores(); cpu++) {
		if (!shards || shard_lives(shards, cpu))
			cpu_set_add(out, cpu);
	}
}

void affinity_of(const struct thread *t, struct cpu_set *out)
{
	all_cpus(out);
	if (!is_empty(&t->cpus))
		meet(out, &t->cpus);
}

bool affinity_of_process(const struct process *p, struct cpu_set *out)
{
	all_cpus(out);
	for (const struct thread *t = p->threads; t; t = t->next) {
		if (!is_empty(&t->cpus))
			meet(out, &t->cpus);
	}
	return !is_empty(out);
}

/* ---- texts ---- */

void cpu_set_show_list(const struct cpu_set *set, u32 ncpus, struct text *out)
{
	const char *comma = "";

	for (u32 i = 0; i < ncpus; i++) {
		u32 first = i;

		if (!cpu_set_has(set, i))
			continue;
		while (i + 1 < ncpus && cpu_set_has(set, i + 1))
			i++;
		text_printf(out, i > first ? "%s%u-%u" : "%s%u", comma, first, i);
		comma = ",";
	}
	text_puts(out, "\n");
}

void cpu_set_show_mask(const struct cpu_set *set, u32 ncpus, struct text *out)
{
	u32 words = (ncpus + 31) / 32;
	int digits = (int)(ncpus % 32 ? (ncpus % 32 + 3) / 4 : 8); /* of the first word */

	for (u32 word = words; word-- > 0;) {
		u32 bits = word < CPUS_MAX / 32 ? (u32)(set->bits[word / 2] >> 32 * (word % 2)) : 0;

		text_printf(out, "%0*x%s", word + 1 == words ? digits : 8, bits, word ? "," : "\n");
	}
}

void affinity_show(const struct thread *t, struct text *out)
{
	struct cpu_set cpus, nodes = {0};

	affinity_of(t, &cpus);
	for (u32 i = 0; i < topology_nodes(); i++)
		cpu_set_add(&nodes, i);
	text_puts(out, "Cpus_allowed:\t");
	cpu_set_show_mask(&cpus, topology_cores(), out);
	text_puts(out, "Cpus_allowed_list:\t");
	cpu_set_show_list(&cpus, topology_cores(), out);
	text_puts(out, "Mems_allowed:\t");
	cpu_set_show_mask(&nodes, NODES_MAX, out);
	text_puts(out, "Mems_allowed_list:\t");
	cpu_set_show_list(&nodes, NODES_MAX, out);
}

/* ---- calls ---- */

static struct thread *named(struct thread *t, u64 pid)
{
	return (s32)pid == 0 ? t : thread_find((u32)pid);
}

static u64 mask_bytes(void)
{
	return ROUND_UP(topology_cores(), 64u) / 8;
}

s64 sys_sched_getaffinity(struct thread *t, const u64 *a)
{
	const struct thread *of = named(t, a[0]);
	struct cpu_set set;

	if ((u32)a[1] * 8ul < topology_cores() || a[1] % 8)
		return -EINVAL;
	if (!of)
		return -ESRCH;
	affinity_of(of, &set);
	if (copy_out(t, a[2], &set, MIN((u32)a[1], mask_bytes())))
		return -EFAULT;
	return (s64)MIN((u32)a[1], mask_bytes());
}

static bool may_place(const struct thread *t, const struct thread *of)
{
	return capable(t, CAP_SYS_NICE) || t->cred.euid == of->cred.uid ||
	       t->cred.euid == of->cred.euid;
}

void affinity_obey(struct process *p)
{
	static bool said;
	struct cpu_set set;

	if (affinity_of_process(p, &set)) {
		placement_obey(p, &set);
	} else if (!said) {
		said = true;
		printf("linux: the threads of process %u may run on no core in common: they stay\n",
		       p->pid);
	}
}

s64 sys_sched_setaffinity(struct thread *t, const u64 *a)
{
	struct cpu_set all, set = {0};
	struct thread *of;

	if (copy_in(t, &set, a[2], MIN((u32)a[1], mask_bytes())))
		return -EFAULT;
	of = named(t, a[0]); /* copying has waited */
	if (!of)
		return -ESRCH;
	if (!may_place(t, of))
		return -EPERM;
	all_cpus(&all);
	meet(&set, &all);
	if (is_empty(&set))
		return -EINVAL;
	of->cpus = set;
	affinity_obey(of->process);
	return 0;
}

s64 sys_getcpu(struct thread *t, const u64 *a)
{
	u32 core = linux_core(), node = domain_start()->node;

	if ((a[0] && copy_out(t, a[0], &core, sizeof(core))) ||
	    (a[1] && copy_out(t, a[1], &node, sizeof(node))))
		return -EFAULT;
	return 0;
}
