/*
 * A small sound ELF program, made in memory, for tests to spoil.
 */
#ifndef ELF_PROGRAM_H
#define ELF_PROGRAM_H

#include <elf/elf.h>
#include <elf/format.h>

#define TEXT 0x400000ul /* where its segments are */
#define DATA 0x401000ul

/* A program of two segments, with symbols. The gap brings the data to a page of its own. */
struct program {
	struct elf_header header;
	struct elf_phdr phdr[3]; /* text, data, interpreter */
	char interp[16];
	u8 text[0x100];
	struct elf_shdr section[3]; /* none, symbols, names */
	struct elf_sym symbol[7];
	char names[64];
	u8 gap[0x1000];
	u8 data[0x80];
};

/* Make one; the caller frees it. */
struct program *new_program(void);

#endif
