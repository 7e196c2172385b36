/*
 * Writing a core's memory as layout.c decided. See corestart.h.
 *
 * Runs in: the loader, monitors, host tests.
 */
#include "layout.h"

#include <errno.h>
#include <string.h>

int core_build_size(const struct core_plan *plan, u64 *bytes)
{
	struct layout l;
	int err = layout_decide(plan, &l);

	if (!err)
		*bytes = l.end - machine_cores(plan->machine)[plan->core].mem_base;
	return err;
}

/* Copies the segments of @p that are @writable, or those that are not, to physical @to on. */
static void copy_segments(const struct core_window *w, const struct program *p, u64 to,
			  bool writable)
{
	for (u32 i = 0; i < p->nsegments; i++) {
		const struct segment *s = &p->segment[i];

		if ((s->bits == MAPPED_RW) != writable)
			continue;
		memcpy((u8 *)window_at(w, to) + s->skip, s->data, s->filesz);
		to += s->bytes;
	}
}

static void fill_handoff(const struct core_plan *plan, const struct layout *l, struct handoff *h)
{
	const struct machine_core *c = &machine_cores(plan->machine)[plan->core];

	h->magic = HANDOFF_MAGIC;
	h->version = HANDOFF_VERSION;
	h->core = plan->core;
	h->apic_id = c->apic_id;
	h->node = c->node;
	h->tsc_hz = plan->tsc_hz;
	h->apic_timer_hz = plan->apic_timer_hz;
	h->tsc_start = plan->tsc_start;
	h->wall_start_ns = plan->wall_start_ns;
	h->mem_base = c->mem_base;
	h->mem_bytes = c->mem_bytes;
	h->physmap_start = l->physmap_start;
	h->free_base = l->free_base;
	h->image_phys = plan->image_phys;
	h->image_bytes = plan->image_bytes;
	h->machine_bytes = plan->machine->size_bytes;
	h->text = l->text;
	h->kernel_root = l->tables;
	h->monitor_root = l->tables + PAGE_SIZE;
	h->boot_root = l->free_base;
	h->monitor_entry = l->monitor.entry;
	h->monitor_image_offset = l->monitor.image_offset;
	h->kernel_image_offset = l->kernel.image_offset;
	h->low_tables = plan->low_tables;
	h->link_phys = plan->link_phys;
	/* The page was zero, so that a command line cut short still ends. */
	memcpy(h->cmdline, plan->cmdline, strnlen(plan->cmdline, CMDLINE_MAX - 1));
}

static void build_tables(const struct core_plan *plan, const struct layout *l,
			 struct core_window *w)
{
	u64 *kernel_root = window_at(w, l->tables);
	u64 *monitor_root = window_at(w, l->tables + PAGE_SIZE);
	u64 *boot_root = window_at(w, l->free_base);
	struct tables t = {.window = w, .next = l->tables + 2 * PAGE_SIZE};

	tables_map(&t, l->tables, &l->upper, 0);
	tables_map(&t, l->tables + PAGE_SIZE, &l->lower, PTE_USER);
	for (u32 slot = PHYSMAP_SLOT; slot <= KERNEL_SLOT; slot++) {
		monitor_root[slot] = kernel_root[slot];
		boot_root[slot] = kernel_root[slot];
	}
	boot_root[0] = plan->low_pdpt | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
}

int core_build(const struct core_plan *plan, struct core_window *w, struct core_entry *entry)
{
	struct layout l;
	int err = layout_decide(plan, &l);

	if (err)
		return err;
	if (w->phys != machine_cores(plan->machine)[plan->core].mem_base ||
	    w->bytes < l.end - w->phys ||
	    l.end - w->phys > machine_cores(plan->machine)[plan->core].mem_bytes)
		return -ENOMEM;

	if (l.first) {
		copy_segments(w, &l.kernel, l.text.kernel_phys, false);
		copy_segments(w, &l.monitor, l.text.monitor_phys, false);
		memcpy(window_at(w, l.text.machine_phys), plan->machine, plan->machine->size_bytes);
	}
	copy_segments(w, &l.kernel, l.kernel_data, true);
	copy_segments(w, &l.monitor, l.monitor_data, true);
	fill_handoff(plan, &l, window_at(w, l.handoff));
	build_tables(plan, &l, w);
	*entry = (struct core_entry){
		.boot_root = l.free_base,
		.kernel_entry = l.kernel.entry,
		.handoff_va = PHYSMAP_BASE + (l.handoff - w->phys),
		.text = l.text,
	};
	return 0;
}
