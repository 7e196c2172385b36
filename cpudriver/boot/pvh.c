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

/* Copies @bytes at @phys, which need not be aligned. */
static void copy(void *to, u64 phys, u64 bytes, const char *what)
{
	memcpy(to, boot_memory(phys, bytes, what), bytes);
}

static void read_memmap(const struct start_info *s)
{
	struct memmap_entry e;

	if (s->version < 1 || s->nmemmap == 0 || s->nmemmap > ENTRIES_MAX)
		fail("PVH start information has no memory map");
	boot_memory(s->memmap, s->nmemmap * sizeof(e), "memory map");
	for (u32 i = 0; i < s->nmemmap; i++) {
		copy(&e, s->memmap + i * sizeof(e), sizeof(e), "memory map");
		memmap_add(e.base, e.bytes, memmap_type_of_e820(e.type));
	}
}

void pvh_read(u64 info, struct bootinfo *b)
{
	struct start_info s;
	struct module module;

	b->protocol = "PVH";
	copy(&s, info, sizeof(s), "start information");
	if (s.magic != BOOT_PVH)
		fail("PVH start information has the wrong magic number 0x%x", s.magic);
	if (s.cmdline)
		bootinfo_set_cmdline(b, boot_memory(s.cmdline, CMDLINE_MAX, "command line"),
				     CMDLINE_MAX);
	b->rsdp = s.rsdp;
	if (s.nmodules) {
		copy(&module, s.modules, sizeof(module), "list of modules");
		b->image_phys = module.phys;
		b->image_bytes = module.bytes;
	}
	read_memmap(&s);
}
