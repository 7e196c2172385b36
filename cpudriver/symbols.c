/*
 * Names for addresses: the CPU driver's own from a table that the build adds, a domain's from its
 * ELF file in the boot image, which is mapped read-only and not trusted (lib/elf checks it).
 */
#include <elf/elf.h>
#include "kernel.h"
#include "log.h"

struct ksym {
	u32 off;  /* from _text */
	u32 name; /* offset into ksym_names */
};

extern const struct ksym ksyms[];
extern const u32 nksyms;
extern const char ksym_names[];

void symbol_print(u64 address)
{
	u32 low = 0, high = nksyms;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if ((u64)_text + ksyms[middle].off <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address >= (u64)_etext)
		log_printf("%016lx\n", address);
	else
		log_printf("%016lx %s+0x%lx\n", address, &ksym_names[ksyms[low - 1].name],
			   address - (u64)_text - ksyms[low - 1].off);
}

static void print_user(const struct elf *elf, u64 address)
{
	const char *name;
	u64 offset;

	if (elf && elf_symbol_at(elf, address, &name, &offset))
		log_printf("%016lx %s+0x%lx\n", address, name, offset);
	else
		log_printf("%016lx\n", address);
}

void domain_backtrace(u64 image_offset, u64 rip, u64 rbp)
{
	const u8 *image = (const u8 *)KIMAGE_BASE;
	struct elf elf;
	bool named =
		image_offset && elf_open(&elf, image + image_offset,
					 boot.image_bytes - image_offset, ELF_NATIVE) == ELF_OK;

	log_printf("  at ");
	print_user(named ? &elf : NULL, rip);
	for (u32 i = 0; i < 24; i++) {
		u64 frame[2];

		if (rbp % 8 || user_read(frame, rbp, sizeof(frame)) || !frame[1])
			break;
		log_printf("  by ");
		print_user(named ? &elf : NULL, frame[1] - 1);
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}
