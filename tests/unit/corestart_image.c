/*
 * Making small ELF files and a cpio archive of them. See corestart_image.h.
 */
#include "corestart_image.h"

#include <corestart/startup.h>
#include <elf.h>
#include <skerry/handoff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (64 * KiB)

struct test_program test_kernel(void)
{
	return (struct test_program){
		.path = "boot/cpudriver",
		.tag = 0x11,
		.entry = KERNEL_BASE + 16,
		.nsegments = 3,
		.segment = {{KERNEL_BASE, PF_R | PF_X, 5000, 5000},
			    {KERNEL_BASE + 0x2000, PF_R, 3000, 3000},
			    {KERNEL_BASE + 0x3000, PF_R | PF_W, 700, 9000}},
		.startup_bytes = 200,
	};
}

struct test_program test_monitor(void)
{
	return (struct test_program){
		.path = "sbin/monitor",
		.tag = 0x77,
		.entry = 0x401010,
		.nsegments = 4,
		.segment = {{0x400000, PF_R, 600, 600},
			    {0x401000, PF_R | PF_X, 4097, 4097},
			    {0x403000, PF_R, 100, 100},
			    {0x404020, PF_R | PF_W, 5000, 6000}},
	};
}

u8 test_byte(u8 tag, u32 segment, u64 offset)
{
	return (u8)(tag * (segment + 1) + offset * 7 + (offset >> 8));
}

/* A trampoline's head, with offsets as the assembler leaves them. */
static void put_startup(u8 *at)
{
	struct startup_head head = {
		.gdt_limit = 31,
		.gdt_low = 40,
		.code32 = 100,
		.selector32 = 8,
		.code64 = 150,
		.selector64 = 16,
	};

	memcpy(at, &head, sizeof(head));
}

/* Sections 1 and 2: symbols and their names. Returns the file's new length. */
static u64 put_symbols(const struct test_program *p, u8 *file, u64 at)
{
	static const char names[] = "\0startup_begin\0startup_end";
	u64 begin = p->segment[1].va + TEST_STARTUP_OFFSET;
	Elf64_Sym symbols[3] = {
		{0},
		{.st_name = 1,
		 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		 .st_shndx = 1,
		 .st_value = begin},
		{.st_name = 15,
		 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
		 .st_shndx = 1,
		 .st_value = begin + p->startup_bytes},
	};
	Elf64_Shdr sections[3] = {
		{0},
		{.sh_type = SHT_SYMTAB,
		 .sh_offset = at,
		 .sh_size = sizeof(symbols),
		 .sh_link = 2,
		 .sh_info = 1,
		 .sh_entsize = sizeof(symbols[0]),
		 .sh_addralign = 8},
		{.sh_type = SHT_STRTAB,
		 .sh_offset = at + sizeof(symbols),
		 .sh_size = sizeof(names),
		 .sh_addralign = 1},
	};
	Elf64_Ehdr *header = (void *)file;

	memcpy(file + at, symbols, sizeof(symbols));
	at += sizeof(symbols);
	memcpy(file + at, names, sizeof(names));
	at = ROUND_UP(at + sizeof(names), 8ul);
	header->e_shoff = at;
	header->e_shnum = 3;
	header->e_shentsize = sizeof(sections[0]);
	memcpy(file + at, sections, sizeof(sections));
	return at + sizeof(sections);
}

static u64 make_elf(const struct test_program *p, u8 *file)
{
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = p->entry,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)p->nsegments,
	};
	u64 at = PAGE_SIZE;

	memcpy(file, &header, sizeof(header));
	for (u32 i = 0; i < p->nsegments; i++) {
		u64 offset = at + p->segment[i].va % PAGE_SIZE;
		Elf64_Phdr phdr = {
			.p_type = PT_LOAD,
			.p_flags = p->segment[i].flags,
			.p_offset = offset,
			.p_vaddr = p->segment[i].va,
			.p_filesz = p->segment[i].filesz,
			.p_memsz = p->segment[i].memsz,
			.p_align = PAGE_SIZE,
		};

		memcpy(file + sizeof(header) + i * sizeof(phdr), &phdr, sizeof(phdr));
		for (u64 b = 0; b < phdr.p_filesz; b++)
			file[offset + b] = test_byte(p->tag, i, b);
		if (i == 1 && p->startup_bytes)
			put_startup(file + offset + TEST_STARTUP_OFFSET);
		at = ROUND_UP(offset + phdr.p_filesz, PAGE_SIZE);
	}
	return p->startup_bytes ? put_symbols(p, file, at) : at;
}

/* Appends an entry in the "newc" format (cpio(5)). Returns the archive's new length. */
static u64 put_entry(u8 *to, u64 at, const char *name, const u8 *data, u64 bytes)
{
	char header[128];

	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08lx%08x%08x%08x%08x%08zx%08x", 1, 0100755, 0, 0,
		 1, 0, bytes, 0, 0, 0, 0, strlen(name) + 1, 0);
	memcpy(to + at, header, 110);
	memcpy(to + at + 110, name, strlen(name) + 1);
	at = ROUND_UP(at + 110 + strlen(name) + 1, 4ul);
	if (bytes)
		memcpy(to + at, data, bytes);
	return ROUND_UP(at + bytes, 4ul);
}

u8 *test_image(const struct test_program *p, u32 count, u64 *bytes)
{
	u8 *archive = calloc(count + 1, FILE_MAX + PAGE_SIZE), *exact;
	u64 at = 0;

	for (u32 i = 0; i < count; i++) {
		u8 *file = calloc(1, FILE_MAX);

		at = put_entry(archive, at, p[i].path, file, make_elf(&p[i], file));
		free(file);
	}
	at = put_entry(archive, at, "TRAILER!!!", NULL, 0);
	exact = malloc(at);
	memcpy(exact, archive, at);
	free(archive);
	*bytes = at;
	return exact;
}
