/*
 * The sample program: see elf_program.h.
 */
#include "elf_program.h"

#include <stdlib.h>
#include <string.h>

#define NAMES "\0first\0second\0label\0after\0variable\0static"

struct program *new_program(void)
{
	struct program *p = calloc(1, sizeof(*p));
	const u64 symbols = offsetof(struct program, symbol);
	const u64 names = offsetof(struct program, names);
	const u64 data = offsetof(struct program, data);

	if (!p)
		abort();
	p->header = (struct elf_header){
		.ident = {0x7f, 'E', 'L', 'F', ELF_CLASS_64, ELF_DATA_LITTLE, ELF_VERSION_CURRENT},
		.type = ELF_TYPE_EXEC,
		.machine = ELF_MACHINE_X86_64,
		.version = ELF_VERSION_CURRENT,
		.entry = TEXT + offsetof(struct program, text),
		.phoff = offsetof(struct program, phdr),
		.shoff = offsetof(struct program, section),
		.ehsize = sizeof(struct elf_header),
		.phentsize = sizeof(struct elf_phdr),
		.phnum = 2,
		.shentsize = sizeof(struct elf_shdr),
		.shnum = 3,
	};
	p->phdr[0] = (struct elf_phdr){ELF_PT_LOAD, ELF_PF_R | ELF_PF_X,
				       0,           TEXT,
				       TEXT,        offsetof(struct program, section),
				       0x800,       0x1000};
	p->phdr[1] =
		(struct elf_phdr){ELF_PT_LOAD, ELF_PF_R | ELF_PF_W, data,   DATA + data % PAGE_SIZE,
				  0,           sizeof(p->data),     0x2000, 0x1000};
	p->phdr[2] = (struct elf_phdr){.type = ELF_PT_INTERP,
				       .offset = offsetof(struct program, interp),
				       .filesz = sizeof("/lib/ld.so")};
	strcpy(p->interp, "/lib/ld.so");
	p->section[1] = (struct elf_shdr){.type = ELF_SHT_SYMTAB,
					  .offset = symbols,
					  .size = sizeof(p->symbol),
					  .link = 2,
					  .entsize = sizeof(struct elf_sym)};
	p->section[2] =
		(struct elf_shdr){.type = ELF_SHT_STRTAB, .offset = names, .size = sizeof(NAMES)};
	memcpy(p->names, NAMES, sizeof(NAMES));
	/* name, type and binding, other, section, value, size */
	p->symbol[1] = (struct elf_sym){1, 0x10 | ELF_STT_FUNC, 0, 1, TEXT + 0x100, 0x20};
	p->symbol[2] = (struct elf_sym){7, 0x10 | ELF_STT_FUNC, 0, 1, TEXT + 0x140, 0x20};
	p->symbol[3] = (struct elf_sym){14, ELF_STT_NOTYPE, 0, 1, TEXT + 0x150, 0};
	p->symbol[4] = (struct elf_sym){20, ELF_STT_NOTYPE, 0, 1, TEXT + 0x160, 0};
	p->symbol[5] = (struct elf_sym){26, 0x10 | ELF_STT_OBJECT, 0, 2, DATA + 0x10, 8};
	p->symbol[6] = (struct elf_sym){14, 0x10 | ELF_STT_FUNC, 0, 0, TEXT + 0x108, 4};
	return p;
}
