/*
 * Deciding where everything of a starting core goes. See layout.h, and corestart.h for the order.
 *
 * Runs in: the loader, monitors, host tests. Nothing is written but the layout.
 */
#include "layout.h"

#include <errno.h>
#include <string.h>

/* The lowest address that a program may use: a null pointer with an offset must fault. */
#define PROGRAM_LOWEST (64 * KiB)

/*
 * The CPU driver is linked at KERNEL_BASE without gaps, its data last: so its text and read-only
 * data are at a constant distance from node_text.kernel_phys.
 */
static bool kernel_is_sound(const struct program *p)
{
	u64 va = KERNEL_BASE;
	bool writable = false;

	for (u32 i = 0; i < p->nsegments; i++) {
		if (p->segment[i].va != va || (writable && p->segment[i].bits != MAPPED_RW))
			return false;
		writable = p->segment[i].bits == MAPPED_RW;
		va += p->segment[i].bytes;
	}
	return va <= APIC_BASE_VA;
}

static bool monitor_is_sound(const struct program *p)
{
	const struct segment *last = &p->segment[p->nsegments - 1];

	return p->segment[0].va >= PROGRAM_LOWEST && last->va + last->bytes <= MONITOR_FIXED_VA;
}

static int read_programs(const struct core_plan *plan, struct layout *l)
{
	int err = program_read(plan->image, plan->image_bytes, CORE_KERNEL_PATH, &l->kernel);

	if (!err)
		err = program_read(plan->image, plan->image_bytes, CORE_MONITOR_PATH, &l->monitor);
	if (!err && !(kernel_is_sound(&l->kernel) && monitor_is_sound(&l->monitor)))
		err = -ENOEXEC;
	return err;
}

/* Takes @bytes, rounded up to pages, at *@at. */
static u64 take(u64 *at, u64 bytes)
{
	u64 start = *at;

	*at += ROUND_UP(bytes, PAGE_SIZE);
	return start;
}

static void add(struct mappings *m, u64 va, u64 phys, u64 bytes, u64 bits)
{
	if (bytes)
		m->v[m->n++] = (struct mapping){va, phys, bytes, bits};
}

static void add_program(struct mappings *m, const struct program *p, u64 shared, u64 private)
{
	for (u32 i = 0; i < p->nsegments; i++) {
		const struct segment *s = &p->segment[i];
		u64 *from = s->bits == MAPPED_RW ? &private : &shared;

		add(m, s->va, take(from, s->bytes), s->bytes, s->bits);
	}
}

/* The upper half, the same in all of the core's address spaces but contexts'. */
static void add_upper(const struct core_plan *plan, struct layout *l)
{
	const struct machine_core *c = &machine_cores(plan->machine)[plan->core];
	u64 end = c->mem_base + c->mem_bytes;
	u64 large = MIN(ROUND_UP(l->physmap_start, LARGE_PAGE), end);

	add(&l->upper, PHYSMAP_BASE + (l->physmap_start - c->mem_base), l->physmap_start,
	    large - l->physmap_start, MAPPED_RW);
	add(&l->upper, PHYSMAP_BASE + (large - c->mem_base), large, end - large,
	    MAPPED_RW | PTE_LARGE);
	add(&l->upper, KIMAGE_BASE, plan->image_phys, ROUND_UP(plan->image_bytes, LARGE_PAGE),
	    MAPPED_R | PTE_LARGE);
	add_program(&l->upper, &l->kernel, l->text.kernel_phys, l->kernel_data);
	/* Where an xAPIC is, and whether there is one, the CPU driver finds out by itself. */
	add(&l->upper, APIC_BASE_VA, 0, PAGE_SIZE, 0);
}

static void add_lower(const struct core_plan *plan, struct layout *l)
{
	add_program(&l->lower, &l->monitor, l->text.monitor_phys, l->monitor_data);
	add(&l->lower, MONITOR_BOOT_VA, l->handoff, PAGE_SIZE, MAPPED_R);
	add(&l->lower, MONITOR_MACHINE_VA, l->text.machine_phys,
	    ROUND_UP((u64)plan->machine->size_bytes, PAGE_SIZE), MAPPED_R);
	add(&l->lower, MONITOR_IMAGE_VA, plan->image_phys, ROUND_UP(plan->image_bytes, LARGE_PAGE),
	    MAPPED_R | PTE_LARGE);
	add(&l->lower, MONITOR_STACK_TOP - MONITOR_STACK_BYTES, l->monitor_stack,
	    MONITOR_STACK_BYTES, MAPPED_RW);
}

static int check_plan(const struct core_plan *plan)
{
	const struct machine_core *c;

	if (plan->core >= plan->machine->ncores)
		return -EINVAL;
	c = &machine_cores(plan->machine)[plan->core];
	if (c->mem_base % LARGE_PAGE || c->mem_bytes % LARGE_PAGE || c->mem_bytes == 0 ||
	    c->mem_bytes > PHYSMAP_MAX)
		return -EINVAL;
	if (plan->image_phys % LARGE_PAGE || plan->image_bytes == 0 ||
	    plan->image_bytes > IMAGE_MAX)
		return -EINVAL;
	return 0;
}

int layout_decide(const struct core_plan *plan, struct layout *l)
{
	int err = check_plan(plan);
	u64 at, ntables;

	if (err)
		return err;
	memset(l, 0, sizeof(*l));
	err = read_programs(plan, l);
	if (err)
		return err;

	at = machine_cores(plan->machine)[plan->core].mem_base;
	l->first = !plan->text;
	if (l->first) {
		l->text.kernel_phys = take(&at, l->kernel.shared_bytes);
		l->text.monitor_phys = take(&at, l->monitor.shared_bytes);
		l->text.machine_phys = take(&at, plan->machine->size_bytes);
	} else {
		l->text = *plan->text;
	}
	l->physmap_start = at;
	l->kernel_data = take(&at, l->kernel.private_bytes);
	l->monitor_data = take(&at, l->monitor.private_bytes);
	l->monitor_stack = take(&at, MONITOR_STACK_BYTES);
	l->handoff = take(&at, PAGE_SIZE);
	add_upper(plan, l);
	add_lower(plan, l);
	ntables = 2 + tables_count(&l->upper) + tables_count(&l->lower);
	l->tables = take(&at, ntables * PAGE_SIZE);
	l->tables_end = at;
	l->free_base = take(&at, PAGE_SIZE);
	l->end = at;
	return 0;
}
