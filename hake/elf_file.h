/*
 * What hake reads of ELF files: the bytes of their sections, and the names of their functions.
 */
#ifndef HAKE_ELF_FILE_H
#define HAKE_ELF_FILE_H

#include "util.h"

#include <elf.h>

struct elf_symbol {
	u64 address;
	const char *name;
};

struct elf {
	struct buf file;
	const Elf64_Ehdr *header;
	const Elf64_Shdr *sections; /* header->e_shnum of them; contents are whole */
	struct elf_symbol *v; /* functions, by address; of a stripped file those that others see */
	size_t n;
	u64 text; /* the address of _text, 0: there is none */
};

/** Reads the file @path. Ends hake if it is not an ELF64 file, or cut short. */
void elf_read(struct elf *out, const char *path);

#endif
