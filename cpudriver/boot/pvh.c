/*
 * PVH, the protocol by which QEMU starts an ELF kernel directly (Xen, xen/include/public/arch-x86/
 * hvm/start_info.h).
 */
#include "loader.h"
#include "entry.h"

#include <bare/bare.h>

struct start_info {
	u32 magic;
	u32 version;
	u32 flags;
	u32 nmodules;
	u64 modules;
	u64 cmdline;
	u64 rsdp;
	u64 memmap; /* from version 1 on */
	u32 nmemmap;
	u32 reserved;
};

struct module {
	u64 phys;
	u64 bytes;
	u64 cmdline;
	u64 reserved;
};

struct memmap_entry {
	u64 base;
	u64 bytes;
	u32 type; /* as E820's */
	u32 reserved;
};

static_assert(sizeof(struct start_info) == 56, "PVH start information layout");
static_assert(sizeof(struct module) == 32, "PVH module layout");
static_assert(sizeof(struct memmap_entry) == 24, "PVH memory map layout");

/* More entries than this cannot be true. */
#define ENTRIES_MAX 4096u

void pvh_read(u64 info, struct bootinfo *b)
{
	const struct start_info *s = boot_memory(info, sizeof(*s), "start information");
	const struct memmap_entry *map;
	const struct module *module;

	b->protocol = "PVH";
	if (s->magic != BOOT_PVH)
		fail("PVH start information has the wrong magic number 0x%x", s->magic);
	if (s->cmdline)
		bootinfo_set_cmdline(b, boot_memory(s->cmdline, CMDLINE_MAX, "command line"),
				     CMDLINE_MAX);
	b->rsdp = s->rsdp;
	if (s->nmodules) {
		module = boot_memory(s->modules, sizeof(*module), "list of modules");
		b->image_phys = module->phys;
		b->image_bytes = module->bytes;
	}
	if (s->version < 1 || s->nmemmap == 0 || s->nmemmap > ENTRIES_MAX)
		fail("PVH start information has no memory map");
	map = boot_memory(s->memmap, s->nmemmap * sizeof(*map), "memory map");
	for (u32 i = 0; i < s->nmemmap; i++)
		memmap_add(map[i].base, map[i].bytes, memmap_type_of_e820(map[i].type));
}
