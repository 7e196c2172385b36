/*
 * Multiboot2, the protocol of GRUB, from BIOS and from UEFI (Multiboot2 specification 2.0, 3.6).
 *
 * The information is a run of tags; every length in it is checked before it is believed.
 */
#include "loader.h"

#include <bare/bare.h>

#define TAG_END      0
#define TAG_CMDLINE  1
#define TAG_MODULE   3
#define TAG_MMAP     6
#define TAG_RSDP_OLD 14
#define TAG_RSDP_NEW 15
#define TAG_EFI_MMAP 17
#define TAG_ALIGN    8ul

#define INFO_MAX     (4 * MiB)

struct tag {
	u32 type;
	u32 bytes; /* with this header, without padding */
};

struct tag_module {
	struct tag tag;
	u32 start;
	u32 end;
};

/* Of TAG_MMAP and TAG_EFI_MMAP: then entries, of a size that may grow. */
struct tag_mmap {
	struct tag tag;
	u32 entry_bytes;
	u32 version;
};

struct mmap_entry {
	u64 base;
	u64 bytes;
	u32 type; /* as E820's */
	u32 reserved;
};

/* UEFI 2.10, 7.2.3. */
struct efi_entry {
	u32 type;
	u32 pad;
	u64 base;
	u64 virtual;
	u64 pages;
	u64 attribute;
};

/* ACPI's root pointer comes as a copy; it stays here, in a page of its own. */
static struct {
	u8 bytes[64];
	u8 rest[PAGE_SIZE - 64];
} rsdp_page __attribute__((aligned(PAGE_SIZE)));

/* What UEFI's types of memory are once its boot services have ended (UEFI 2.10, table 7.6). */
static u32 type_of_efi(u32 type)
{
	switch (type) {
	case 1: /* loader's code and data: GRUB's, and the boot image until it is moved */
	case 2:
	case 3: /* boot services' */
	case 4:
	case 7: /* conventional */
		return MACHINE_MEM_RAM;
	case 9: /* ACPI's tables */
		return MACHINE_MEM_ACPI;
	default:
		return MACHINE_MEM_RESERVED;
	}
}

/* Adds the entries of a memory map, each at least @least bytes. */
static void read_mmap(const struct tag *tag, u32 least, bool efi)
{
	const struct tag_mmap *map = (const void *)tag;
	const u8 *at = (const u8 *)(map + 1), *end = (const u8 *)tag + tag->bytes;

	if (tag->bytes < sizeof(*map) || map->entry_bytes < least)
		fail("multiboot2's memory map has entries of an impossible size");
	for (; (u64)(end - at) >= map->entry_bytes; at += map->entry_bytes) {
		struct mmap_entry e;
		struct efi_entry f;

		if (!efi) {
			memcpy(&e, at, sizeof(e)); /* entries need not be aligned */
			memmap_add(e.base, e.bytes, memmap_type_of_e820(e.type));
			continue;
		}
		memcpy(&f, at, sizeof(f));
		if (f.pages < 1ul << 40)
			memmap_add(f.base, f.pages * PAGE_SIZE, type_of_efi(f.type));
	}
}

static void read_module(const struct tag *tag, struct bootinfo *b)
{
	const struct tag_module *m = (const void *)tag;

	if (tag->bytes < sizeof(*m) || m->end < m->start)
		fail("multiboot2's module has an impossible size");
	b->image_phys = m->start;
	b->image_bytes = m->end - m->start;
}

static void read_rsdp(const struct tag *tag, struct bootinfo *b)
{
	u64 bytes = tag->bytes - sizeof(*tag);

	if (bytes > sizeof(rsdp_page.bytes))
		return;
	memset(rsdp_page.bytes, 0, sizeof(rsdp_page.bytes));
	memcpy(rsdp_page.bytes, tag + 1, bytes);
	b->rsdp = (u64)&rsdp_page;
}

/* The first tag of @type in the information, or NULL. */
static const struct tag *find_tag(const u8 *info, u32 total, u32 type)
{
	for (u64 at = TAG_ALIGN; at + sizeof(struct tag) <= total;) {
		const struct tag *tag = (const void *)(info + at);

		if (tag->bytes < sizeof(*tag) || tag->bytes > total - at)
			fail("multiboot2's information has a tag of an impossible size");
		if (tag->type == type)
			return tag;
		if (tag->type == TAG_END)
			break;
		at += ROUND_UP((u64)tag->bytes, TAG_ALIGN);
	}
	return NULL;
}

void multiboot2_read(u64 phys, struct bootinfo *b)
{
	const u32 *total = boot_memory(phys, sizeof(*total), "multiboot2 information");
	const u8 *info = (const u8 *)total;
	const struct tag *tag;

	b->protocol = "multiboot2";
	if (*total < TAG_ALIGN || *total > INFO_MAX)
		fail("multiboot2's information has an impossible size of %u bytes", *total);
	boot_memory(phys, *total, "multiboot2 information");

	tag = find_tag(info, *total, TAG_CMDLINE);
	if (tag)
		bootinfo_set_cmdline(b, (const char *)(tag + 1), tag->bytes - sizeof(*tag));
	tag = find_tag(info, *total, TAG_MODULE);
	if (tag)
		read_module(tag, b);
	tag = find_tag(info, *total, TAG_RSDP_NEW);
	if (!tag)
		tag = find_tag(info, *total, TAG_RSDP_OLD);
	if (tag)
		read_rsdp(tag, b);

	tag = find_tag(info, *total, TAG_MMAP);
	if (tag) {
		read_mmap(tag, sizeof(struct mmap_entry), false);
	} else {
		tag = find_tag(info, *total, TAG_EFI_MMAP);
		if (!tag)
			fail("multiboot2's information has no memory map");
		read_mmap(tag, sizeof(struct efi_entry), true);
	}
	if (b->rsdp)
		memmap_add((u64)&rsdp_page, sizeof(rsdp_page), MACHINE_MEM_ACPI);
}
