/*
 * The machine description that all of Skerry uses, made of what was found; and how it differs from
 * the one that the image was built for. The machine wins.
 *
 * Runs in: the loader. Not here: the tree, checks and comparison themselves (lib/machine).
 */
#include "loader.h"

#include <bare/bare.h>
#include <cpio/cpio.h>

#define TOPOLOGY_PATH "boot/topology"

/* Room for the largest machine that the other limits allow. */
#define BLOCK_BYTES                                                                                \
	(sizeof(struct machine) + MACHINE_MAX_CORES * sizeof(struct machine_core) +                \
	 MACHINE_MAX_NODES * MACHINE_MAX_NODES + MEMMAP_MAX * sizeof(struct machine_mem) +         \
	 IOAPICS_MAX * sizeof(struct machine_ioapic) +                                             \
	 OVERRIDES_MAX * sizeof(struct machine_override))

static u64 block[BLOCK_BYTES / 8 + 1];

struct machine *machine_make(const struct found *f)
{
	static struct machine_mem mem[MEMMAP_MAX];
	struct machine_counts counts = {f->ncores, f->nnodes, memmap_resolve(mem), f->nioapics,
					f->noverrides};
	struct machine *m = (struct machine *)block;

	if (!machine_init(block, sizeof(block), &counts))
		fail("this machine is larger than a machine description can tell");
	m->flags = MACHINE_DISCOVERED;
	memcpy(machine_cores(m), f->core, f->ncores * sizeof(f->core[0]));
	memcpy(machine_mem(m), mem, counts.mem * sizeof(mem[0]));
	memcpy(machine_ioapics(m), f->ioapic, f->nioapics * sizeof(f->ioapic[0]));
	memcpy(machine_overrides(m), f->override, f->noverrides * sizeof(f->override[0]));
	if (f->has_distances)
		memcpy((u8 *)m + m->distance_off, f->distance, f->nnodes * f->nnodes);
	m->hpet_base = f->hpet_base;
	m->mcfg_base = f->mcfg_base;
	m->mcfg_first_bus = f->mcfg_first_bus;
	m->mcfg_last_bus = f->mcfg_last_bus;
	m->rsdp = f->rsdp;
	machine_build_tree(m, MACHINE_FANOUT);
	return m;
}

void machine_compare_built_in(const struct machine *m, const void *image, u64 image_bytes)
{
	static u64 expected[BLOCK_BYTES / 8 + 1]; /* aligned, as the image is not */
	struct cpio_entry file;
	char detail[160];
	u64 where;
	int differ;

	if (cpio_find(image, image_bytes, TOPOLOGY_PATH, &file, &where) != CPIO_OK)
		return; /* built for no machine in particular */
	memcpy(expected, file.data, MIN(file.size, sizeof(expected)));
	if (machine_check(expected, MIN(file.size, sizeof(expected)))) {
		say("the image's " TOPOLOGY_PATH " is damaged: it is not compared");
		return;
	}
	differ = machine_compare((const struct machine *)expected, m, detail, sizeof(detail));
	if (differ)
		say("this machine is not the one that the image was built for: %s (the machine "
		    "counts)",
		    detail);
	say_structured("@topology match=%s detail=\"%s\"", differ ? "no" : "yes", detail);
}
