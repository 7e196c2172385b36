/*
 * ELF64 as it lies in the file, and what the two files of lib/elf share. Private to lib/elf.
 *
 * Source: System V ABI (gABI), "ELF Header", "Section Header", "Symbol Table", "Program Header".
 */
#ifndef ELF_FORMAT_H
#define ELF_FORMAT_H

#include <elf/elf.h>

#define ELF_EI_CLASS        4
#define ELF_EI_DATA         5
#define ELF_EI_VERSION      6
#define ELF_CLASS_64        2
#define ELF_DATA_LITTLE     1
#define ELF_VERSION_CURRENT 1
#define ELF_MACHINE_X86_64  62

struct elf_header {
	u8 ident[16];
	u16 type;
	u16 machine;
	u32 version;
	u64 entry;
	u64 phoff;
	u64 shoff;
	u32 flags;
	u16 ehsize;
	u16 phentsize;
	u16 phnum;
	u16 shentsize;
	u16 shnum;
	u16 shstrndx;
};

struct elf_phdr {
	u32 type;
	u32 flags;
	u64 offset;
	u64 vaddr;
	u64 paddr;
	u64 filesz;
	u64 memsz;
	u64 align;
};

#define ELF_SHT_SYMTAB 2u
#define ELF_SHT_STRTAB 3u
#define ELF_SHT_DYNSYM 11u

struct elf_shdr {
	u32 name;
	u32 type;
	u64 flags;
	u64 addr;
	u64 offset;
	u64 size;
	u32 link;
	u32 info;
	u64 addralign;
	u64 entsize;
};

#define ELF_STT_NOTYPE 0u
#define ELF_STT_OBJECT 1u
#define ELF_STT_FUNC   2u
#define ELF_STB_LOCAL  0u
#define ELF_SHN_UNDEF  0u

struct elf_sym {
	u32 name;
	u8 info; /* binding in bits 4-7, type in bits 0-3 */
	u8 other;
	u16 shndx;
	u64 value;
	u64 size;
};

static_assert(sizeof(struct elf_header) == 64, "ELF64 header");
static_assert(sizeof(struct elf_phdr) == 56, "ELF64 program header");
static_assert(sizeof(struct elf_shdr) == 64, "ELF64 section header");
static_assert(sizeof(struct elf_sym) == 24, "ELF64 symbol");

/* Are the @bytes at @offset all inside @len bytes? */
static inline bool elf_inside(u64 len, u64 offset, u64 bytes)
{
	return offset <= len && bytes <= len - offset;
}

/* Set the symbol fields of @elf from the section headers that @h names, if they are sound. */
void elf_find_symbols(struct elf *elf, const struct elf_header *h);

#endif
