/*
 * Reading ELF files. See elf_file.h.
 */
#include "elf_file.h"

#include <stdlib.h>
#include <string.h>

/* The section headers of @b if it is an ELF64 file that holds them and their contents whole. */
static const Elf64_Shdr *check_elf(const struct buf *b, const char *path, const Elf64_Ehdr **header)
{
	const Elf64_Ehdr *eh = (const void *)b->v;
	const Elf64_Shdr *sh;

	if (b->n < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64)
		die("%s is not an ELF64 file", path);
	if (eh->e_shoff > b->n || eh->e_shnum > (b->n - eh->e_shoff) / sizeof(*sh))
		die("%s is cut short", path);
	sh = (const void *)(b->v + eh->e_shoff);
	for (size_t i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type != SHT_NOBITS &&
		    (sh[i].sh_offset > b->n || sh[i].sh_size > b->n - sh[i].sh_offset))
			die("%s is cut short", path);
	}
	*header = eh;
	return sh;
}

static bool is_function(const Elf64_Sym *s, const Elf64_Shdr *sh, size_t nsh, const char *name)
{
	int type = ELF64_ST_TYPE(s->st_info);

	if (s->st_shndx == SHN_UNDEF || s->st_shndx >= nsh ||
	    !(sh[s->st_shndx].sh_flags & SHF_EXECINSTR))
		return false;
	return (type == STT_FUNC || type == STT_NOTYPE) && name[0] && name[0] != '.' &&
	       name[0] != '$';
}

/* By address; of several names for one, the first in the alphabet. */
static int compare_symbols(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void read_symtab(struct elf *out, const Elf64_Shdr *table)
{
	const Elf64_Sym *s = (const void *)(out->file.v + table->sh_offset);
	const Elf64_Shdr *sh = out->sections;
	u32 nsh = out->header->e_shnum;
	const Elf64_Shdr *strings = &sh[table->sh_link < nsh ? table->sh_link : 0];

	out->v = alloc(table->sh_size / sizeof(*s) * sizeof(*out->v));
	for (size_t i = 0; i < table->sh_size / sizeof(*s); i++) {
		const char *name = out->file.v + strings->sh_offset + s[i].st_name;

		if (s[i].st_name >= strings->sh_size)
			continue;
		if (strcmp(name, "_text") == 0)
			out->text = s[i].st_value;
		if (is_function(&s[i], sh, nsh, name))
			out->v[out->n++] = (struct elf_symbol){s[i].st_value, name};
	}
}

static void read_tables(struct elf *out, u32 type)
{
	for (size_t i = 0; i < out->header->e_shnum; i++) {
		if (out->sections[i].sh_type == type)
			read_symtab(out, &out->sections[i]);
	}
}

void elf_read(struct elf *out, const char *path)
{
	*out = (struct elf){0};
	if (file_read(path, &out->file))
		die("cannot read %s", path);
	out->sections = check_elf(&out->file, path, &out->header);
	read_tables(out, SHT_SYMTAB);
	if (!out->n)
		read_tables(out, SHT_DYNSYM);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), compare_symbols);
}
